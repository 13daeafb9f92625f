//! A change of more than one node: it is made in memory, and then all of it reaches the nodes, or nothing does.

use super::node::{self, Cut};
use super::{DEPTH, Nodes, Path, Place, check_length, deeper, whole};
use crate::error::{CorruptKind, Error, Result};
use polylink_nt::NtStatus;

/// What a change is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Why {
    /// A key that is greater than all others goes in: more of that kind may follow.
    Ascending,
    /// Keys go out: nodes that become too short are put together.
    Removal,
    Other,
}

/// A node on the way from the root to where the change begins.
#[derive(Debug)]
pub(super) struct Level {
    place: Place,
    bytes: Vec<u8>,
    /// The entry that leads to the next level, or, in the last, the one that was looked for.
    at: usize,
    changed: bool,
    /// Its range of keys is no longer what it was: it may not stay where it lies.
    moved: bool,
}

pub(super) struct Edit<'n> {
    nodes: &'n mut dyn Nodes,
    why: Why,
    /// What nodes become.
    writes: Vec<(Place, Vec<u8>)>,
    taken: Vec<u64>,
    freed: Vec<u64>,
    /// What was in the root before it was emptied to make room in its record.
    root: Option<(Vec<u8>, bool)>,
}

impl<'n> Edit<'n> {
    /// Makes a change; after an error everything is as it was.
    pub(super) fn run(
        nodes: &'n mut dyn Nodes,
        why: Why,
        change: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let mut edit = Self {
            nodes,
            why,
            writes: Vec::new(),
            taken: Vec::new(),
            freed: Vec::new(),
            root: None,
        };
        let done = change(&mut edit).and_then(|()| edit.write());
        match done {
            Ok(()) => edit.give_back(),
            Err(error) => {
                edit.undo();
                Err(error)
            }
        }
    }

    /// The nodes on a path, the last of them with other bytes.
    pub(super) fn open(&mut self, path: &Path, last: Vec<u8>) -> Result<Vec<Level>> {
        let mut levels = Vec::with_capacity(path.steps.len());
        for step in &path.steps {
            levels.push(Level {
                place: step.place,
                bytes: self.load(step.place)?,
                at: step.at,
                changed: false,
                moved: false,
            });
        }
        if let Some(level) = levels.last_mut() {
            level.bytes = last;
            level.changed = true;
        }
        Ok(levels)
    }

    /// A node as it will be.
    fn load(&mut self, place: Place) -> Result<Vec<u8>> {
        if let Place::Block(vcn) = place
            && self.freed.contains(&vcn)
        {
            return Err(deeper(vcn));
        }
        if let Some((_, bytes)) = self.writes.iter().find(|(written, _)| *written == place) {
            return Ok(bytes.clone());
        }
        whole(self.nodes, place)
    }

    fn store(&mut self, place: Place, bytes: Vec<u8>) {
        self.writes.retain(|(written, _)| *written != place);
        self.writes.push((place, bytes));
    }

    fn allocate(&mut self) -> Result<u64> {
        let block = self.nodes.allocate()?;
        self.taken.push(block);
        Ok(block)
    }

    /// Gives a block back once everything else is done.
    fn free(&mut self, block: u64) -> Result<()> {
        if self.freed.contains(&block) {
            return Err(deeper(block));
        }
        self.writes.retain(|(written, _)| *written != Place::Block(block));
        self.freed.push(block);
        Ok(())
    }

    /// Whether a block may hold something else without anybody on the volume noticing.
    fn is_new(&self, block: u64) -> bool {
        self.taken.contains(&block) || self.nodes.is_new(block)
    }

    /// So many places for what becomes of some nodes: those of theirs that are new, and new ones.
    fn places(&mut self, of: &[Place], wanted: usize) -> Result<Vec<u64>> {
        let mut places = Vec::with_capacity(wanted);
        for place in of {
            if let Place::Block(block) = *place {
                if places.len() < wanted && self.is_new(block) {
                    places.push(block);
                } else {
                    self.free(block)?;
                }
            }
        }
        while places.len() < wanted {
            let block = self.allocate()?;
            places.push(block);
        }
        Ok(places)
    }

    /// Replaces a key of an inner node, the last of `levels`, by the one before it, and adds the levels down to where
    /// that was.
    pub(super) fn remove_inner(&mut self, levels: &mut Vec<Level>) -> Result<()> {
        let Some(mut top) = levels.pop() else {
            return Ok(());
        };
        let removed = node::entry(&top.bytes, top.at)?;
        let (at, next) = (removed.at, removed.next);
        let right = node::entry(&top.bytes, next)?.child;
        let (Some(left), Some(right)) = (removed.child, right) else {
            let what = "some entries of the node have children, others have none";
            return Err(CorruptKind::IndexEntry { offset: at, what }.into());
        };
        // keys between the one that goes and the one before it will belong to the right
        let right = self.renew_left_edge(right)?;
        node::set_child(&mut top.bytes, next, right)?;
        let mut edge = self.right_edge(left, levels, top.place)?;
        // no keys at its end: it ends sooner
        let mut is_cut = false;
        while let Some(level) = edge.pop_if(|level| level.at == 0) {
            if let Place::Block(block) = level.place {
                self.free(block)?;
            }
            is_cut = true;
        }
        if let Some(level) = edge.last_mut() {
            let found = node::before(&level.bytes, level.at)?;
            let found = found.ok_or(CorruptKind::NoSuchBlock { vcn: left })?;
            let (from, child) = (found.at, found.child);
            let mut replacement = Vec::new();
            node::put(&mut replacement, &found.plain(), Some(left));
            if is_cut {
                level.bytes.truncate(from);
                node::put_end(&mut level.bytes, child);
            } else {
                let end = level.at;
                node::splice(&mut level.bytes, from, end, &[]);
            }
            level.at = from;
            node::splice(&mut top.bytes, at, next, &replacement);
        } else {
            node::splice(&mut top.bytes, at, next, &[]);
        }
        levels.push(top);
        levels.append(&mut edge);
        Ok(())
    }

    /// The nodes at the right edge below a node, from top to bottom.
    fn right_edge(&mut self, from: u64, above: &[Level], top: Place) -> Result<Vec<Level>> {
        let mut edge: Vec<Level> = Vec::new();
        let mut next = Some(from);
        while let Some(vcn) = next {
            let place = Place::Block(vcn);
            let is_known = place == top || above.iter().chain(&edge).any(|level| level.place == place);
            if is_known || above.len().saturating_add(edge.len()) >= DEPTH {
                return Err(deeper(vcn));
            }
            let bytes = self.load(place)?;
            let shape = node::shape(&bytes)?;
            next = node::entry(&bytes, shape.end)?.child;
            edge.push(Level {
                place,
                bytes,
                at: shape.end,
                changed: true,
                moved: true,
            });
        }
        Ok(edge)
    }

    /// Makes all nodes at the left edge below a node new, and says where it is then.
    fn renew_left_edge(&mut self, from: u64) -> Result<u64> {
        let mut edge: Vec<(u64, Vec<u8>)> = Vec::new();
        let mut next = Some(from);
        while let Some(vcn) = next {
            if edge.len() >= DEPTH || edge.iter().any(|(known, _)| *known == vcn) {
                return Err(deeper(vcn));
            }
            let bytes = self.load(Place::Block(vcn))?;
            next = node::entry(&bytes, 0)?.child;
            edge.push((vcn, bytes));
        }
        let mut below = None;
        while let Some((vcn, mut bytes)) = edge.pop() {
            let old_child = node::entry(&bytes, 0)?.child;
            if let Some(child) = below {
                node::set_child(&mut bytes, 0, child)?;
            }
            let [place] = self.places(&[Place::Block(vcn)], 1)?[..] else {
                return Err(deeper(vcn));
            };
            if place != vcn || old_child != below {
                self.store(Place::Block(place), bytes);
            }
            below = Some(place);
        }
        Ok(below.unwrap_or(from))
    }

    /// Brings all levels into order, from the last to the root.
    pub(super) fn settle(&mut self, mut levels: Vec<Level>) -> Result<()> {
        while let Some(level) = levels.pop() {
            if !level.changed {
                continue;
            }
            match levels.split_last_mut() {
                None => self.settle_root(level.bytes)?,
                Some((parent, above)) => self.settle_block(level, parent, above)?,
            }
        }
        Ok(())
    }

    fn settle_block(&mut self, level: Level, parent: &mut Level, above: &[Level]) -> Result<()> {
        let room = self.nodes.room(level.place)?;
        if level.bytes.len() > room {
            parent.changed = true;
            let pieces = split(level.bytes, room, self.why)?;
            let places = self.places(&[level.place], pieces.count())?;
            let with = self.store_pieces(pieces, &places, &mut parent.bytes, parent.at)?;
            node::splice(&mut parent.bytes, parent.at, parent.at, &with);
            return Ok(());
        }
        if self.why == Why::Removal
            && level.bytes.len() < room.div_ceil(2)
            && self.even_out(&level, parent, above, room)?
        {
            return Ok(());
        }
        let mut place = level.place;
        if level.moved
            && let [block] = self.places(&[place], 1)?[..]
            && place != Place::Block(block)
        {
            place = Place::Block(block);
            node::set_child(&mut parent.bytes, parent.at, block)?;
            parent.changed = true;
        }
        // the only child of the root may fit into it
        if self.why == Why::Removal && parent.place == Place::Root {
            let is_only = node::shape(&parent.bytes)?.keys == 0;
            parent.changed |= is_only && level.bytes.len() <= self.nodes.room(Place::Root)?;
        }
        self.store(place, level.bytes);
        Ok(())
    }

    /// Stores what a node became. The entry of its parent at `at` leads to the last of them; the entries for those
    /// before are returned.
    fn store_pieces(
        &mut self,
        pieces: Pieces,
        places: &[u64],
        parent: &mut [u8],
        at: usize,
    ) -> Result<Vec<u8>> {
        let mut with = Vec::new();
        let mut places = places.iter().copied();
        for ((piece, separator), place) in pieces.first.into_iter().zip(&mut places) {
            node::put(&mut with, &separator, Some(place));
            self.store(Place::Block(place), piece);
        }
        if let Some(place) = places.next() {
            node::set_child(parent, at, place)?;
            self.store(Place::Block(place), pieces.last);
        }
        Ok(with)
    }

    /// Puts a node that is too short together with a neighbour, or lets it have some of the neighbour's keys.
    ///
    /// `false` where neither can be, or would be for the better.
    fn even_out(&mut self, level: &Level, parent: &mut Level, above: &[Level], room: usize) -> Result<bool> {
        let mut pairs = Vec::with_capacity(2);
        let here = node::entry(&parent.bytes, parent.at)?;
        let before = node::before(&parent.bytes, parent.at)?;
        if let Some(before) = before
            && let Some(child) = before.child
        {
            pairs.push(self.pair(level, &before, child, Side::Left, (above, parent))?);
        }
        if here.key.is_some()
            && let Some(child) = node::entry(&parent.bytes, here.next)?.child
        {
            let pair = match pairs.first() {
                // the first will do: the second need not be read
                Some(pair) if pair.both.len() <= room => None,
                _ => Some(self.pair(level, &here, child, Side::Right, (above, parent))?),
            };
            pairs.extend(pair);
        }
        let merged = pairs.iter().position(|pair| pair.both.len() <= room);
        if let Some(pair) = merged.map(|at| pairs.swap_remove(at)) {
            let [place] = self.places(&[level.place, pair.neighbour], 1)?[..] else {
                return Ok(false);
            };
            node::set_child(&mut parent.bytes, pair.next, place)?;
            node::splice(&mut parent.bytes, pair.separator, pair.next, &[]);
            parent.changed = true;
            self.store(Place::Block(place), pair.both);
            return Ok(true);
        }
        let Some(pair) = pairs.into_iter().max_by_key(|pair| pair.both.len()) else {
            return Ok(false);
        };
        let Some(at) = node::cut(&pair.both, Cut::Middle)? else {
            return Ok(false);
        };
        let halves = node::halve(&pair.both, at)?;
        let (least, most) = (
            halves.left.len().min(halves.right.len()),
            halves.left.len().max(halves.right.len()),
        );
        if least <= level.bytes.len() || most > room {
            return Ok(false);
        }
        let [left, right] = self.places(&[level.place, pair.neighbour], 2)?[..] else {
            return Ok(false);
        };
        let mut separator = Vec::new();
        node::put(&mut separator, &halves.separator, Some(left));
        node::set_child(&mut parent.bytes, pair.next, right)?;
        node::splice(&mut parent.bytes, pair.separator, pair.next, &separator);
        parent.changed = true;
        self.store(Place::Block(left), halves.left);
        self.store(Place::Block(right), halves.right);
        Ok(true)
    }

    /// A node and its neighbour as one.
    fn pair(
        &mut self,
        level: &Level,
        separator: &node::Entry<'_>,
        neighbour: u64,
        side: Side,
        (above, parent): (&[Level], &Level),
    ) -> Result<Pair> {
        let place = Place::Block(neighbour);
        let mut known = above.iter().chain([parent, level]);
        if known.any(|level| level.place == place) {
            return Err(deeper(neighbour));
        }
        let bytes = self.load(place)?;
        if node::shape(&bytes)?.has_children != node::shape(&level.bytes)?.has_children {
            return Err(deeper(neighbour));
        }
        let (left, right) = match side {
            Side::Left => (&bytes, &level.bytes),
            Side::Right => (&level.bytes, &bytes),
        };
        Ok(Pair {
            neighbour: place,
            separator: separator.at,
            next: separator.next,
            both: node::join(left, &separator.plain(), right)?,
        })
    }

    fn settle_root(&mut self, mut bytes: Vec<u8>) -> Result<()> {
        let mut grew = false;
        for _ in 0..DEPTH {
            let shape = node::shape(&bytes)?;
            if bytes.len() > self.nodes.room(Place::Root)? {
                if shape.keys == 0 {
                    return Err(NtStatus::DISK_FULL.into());
                }
                grew = true;
                bytes = self.push_down(bytes)?;
                continue;
            }
            let only_child = node::entry(&bytes, 0)?.child.filter(|_| shape.keys == 0);
            if let Some(vcn) = only_child.filter(|_| self.why == Why::Removal && !grew) {
                let child = self.load(Place::Block(vcn))?;
                if child.len() <= self.nodes.room(Place::Root)? {
                    self.free(vcn)?;
                    bytes = child;
                    continue;
                }
            }
            self.store(Place::Root, bytes);
            return Ok(());
        }
        Err(NtStatus::DISK_FULL.into())
    }

    /// Moves what is in the root into new blocks; what the root has then.
    fn push_down(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        if self.root.is_none() {
            // the record needs the room for the attributes that come with the first block
            let old = whole(self.nodes, Place::Root)?;
            let had_children = node::shape(&old)?.has_children;
            self.nodes.write(Place::Root, &node::bare(None), false)?;
            self.root = Some((old, had_children));
        }
        let first = self.allocate()?;
        let room = self.nodes.room(Place::Block(first))?;
        let pieces = split(bytes, room, self.why)?;
        let places = self.places(&[Place::Block(first)], pieces.count())?;
        let mut root = node::bare(Some(first));
        let mut with = self.store_pieces(pieces, &places, &mut root, 0)?;
        with.append(&mut root);
        Ok(with)
    }

    /// Writes everything: first what nothing leads to yet, the root last.
    fn write(&mut self) -> Result<()> {
        let mut writes = std::mem::take(&mut self.writes);
        let rank = |place: Place| match place {
            Place::Block(block) if self.taken.contains(&block) => 0,
            Place::Block(_) => 1,
            Place::Root => 2,
        };
        writes.sort_by_cached_key(|(place, _)| rank(*place));
        let mut before: Vec<(Place, Vec<u8>)> = Vec::new();
        for (place, bytes) in &writes {
            let is_taken = matches!(place, Place::Block(block) if self.taken.contains(block));
            let is_only = writes.len() == 1;
            if !is_taken && !is_only && (*place != Place::Root || self.root.is_none()) {
                before.push((*place, whole(self.nodes, *place)?));
            }
            let written = put(self.nodes, *place, bytes);
            if let Err(error) = written {
                for (place, bytes) in before.iter().rev() {
                    // the first error is the one to tell of
                    put(self.nodes, *place, bytes).ok();
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Gives back the blocks that the tree no longer has.
    fn give_back(self) -> Result<()> {
        let mut done = Ok(());
        for block in self.freed {
            done = done.and(self.nodes.free(block));
        }
        done
    }

    /// Leaves everything as it was before.
    fn undo(self) {
        // the error that led here is the one to tell of
        for block in self.taken {
            self.nodes.free(block).ok();
        }
        if let Some((bytes, has_children)) = self.root {
            self.nodes.write(Place::Root, &bytes, has_children).ok();
        }
    }
}

fn put(nodes: &mut dyn Nodes, place: Place, bytes: &[u8]) -> Result<()> {
    let shape = node::shape(bytes)?;
    nodes.write(place, bytes, shape.has_children)
}

/// On which side of a node its neighbour is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    Left,
    Right,
}

/// A node and its neighbour.
#[derive(Debug)]
struct Pair {
    neighbour: Place,
    /// The entry of their parent that is between them, and the one behind it.
    separator: usize,
    next: usize,
    /// Both as one node.
    both: Vec<u8>,
}

/// What becomes of a node that is too long.
#[derive(Debug)]
struct Pieces {
    /// Nodes, with the key behind each.
    first: Vec<(Vec<u8>, Vec<u8>)>,
    last: Vec<u8>,
}

impl Pieces {
    fn count(&self) -> usize {
        self.first.len().saturating_add(1)
    }
}

/// Takes a node apart so that each piece fits into `room`.
fn split(mut bytes: Vec<u8>, room: usize, why: Why) -> Result<Pieces> {
    check_length(node::longest(&bytes)?, room)?;
    let mut first = Vec::new();
    while bytes.len() > room {
        let wanted = if why == Why::Ascending {
            Cut::Last
        } else {
            Cut::Middle
        };
        let mut halves = halve(&bytes, wanted)?;
        if halves.left.len() > room || halves.right.len() > room {
            halves = halve(&bytes, Cut::Full(room))?;
        }
        first.push((halves.left, halves.separator));
        bytes = halves.right;
    }
    Ok(Pieces { first, last: bytes })
}

fn halve(bytes: &[u8], cut: Cut) -> Result<node::Halves, Error> {
    let at = node::cut(bytes, cut)?;
    let at = at.ok_or(NtStatus::NAME_TOO_LONG)?;
    Ok(node::halve(bytes, at)?)
}
