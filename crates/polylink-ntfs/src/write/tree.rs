//! Changes to the B-tree of an index.
//!
//! Every entry, in whatever node, is there once; the entries of an inner node separate those of its children. Nothing
//! here knows how a node is kept: the caller's [`Nodes`] does.
//!
//! # What a power cut finds
//!
//! A node that is on the volume is changed where it lies only if the range of keys that it is responsible for stays the
//! same, and no key comes from or goes to another node. Whatever else takes part in a change gets a new block, and so
//! does every node whose range changes although its bytes do not: only the uppermost node of a change, whose own range
//! is as it was, is changed where it lies. Each version of a node that lies where it lay thus answers for the same
//! range, and it makes no difference which of them are old and which are new, as long as new blocks are written before
//! all others: any mixture is a sound tree, in which every key that no change was about is there once.
//!
//! Of the blocks that were given back, what they held at the last commit may still be read after a power cut. So they
//! are used again only after the next one, and changes that were made to them before must not be written any more.

mod edit;
mod node;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::HashSet;

use polylink_nt::NtStatus;

use crate::error::{CorruptKind, Error, Result};
use edit::{Edit, Why};

/// No tree is deeper: with two children a node it had more keys than a volume has bytes.
const DEPTH: usize = 48;

/// Where a node of a tree is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Place {
    Root,
    /// The place of a block, as entries hold it.
    Block(u64),
}

/// Where a tree keeps its nodes.
///
/// A node is the bytes of its entries, the one that ends it included. Headers are not the tree's matter.
pub(crate) trait Nodes {
    /// The entries of a node. What is behind the ending entry is passed over.
    fn read(&mut self, place: Place) -> Result<&[u8]>;

    /// Puts entries in place of those that a node has. They fit into its [`Nodes::room`].
    fn write(&mut self, place: Place, entries: &[u8], has_children: bool) -> Result<()>;

    /// Puts one more entry into a leaf of `len` bytes, which has room for it; it begins at `at` then.
    fn put_in(&mut self, place: Place, len: usize, at: usize, entry: &[u8]) -> Result<()> {
        let bytes = with_entry(self, place, len, at, entry)?;
        self.write(place, &bytes, false)
    }

    /// The most bytes of entries that a node may hold. Blocks have all the same room; that of the root may change with
    /// every block that is taken or given back, and is 24 bytes or more.
    fn room(&mut self, place: Place) -> Result<usize>;

    /// Takes a block that nothing on the volume leads to.
    fn allocate(&mut self) -> Result<u64>;

    /// Gives a block back, which is used again only after the next commit. What was written to it since the last one
    /// is dropped: nodes that the volume has may lead to what it held then.
    fn free(&mut self, block: u64) -> Result<()>;

    /// Whether a block was taken after the last commit.
    fn is_new(&self, block: u64) -> bool;
}

/// How the key of an entry (first) compares to the one that is looked for (second).
pub(crate) type Order<'a> = dyn Fn(&[u8], &[u8]) -> Ordering + 'a;

/// The way from the root to a key, or to the leaf where it would be.
#[derive(Debug)]
struct Path {
    steps: Vec<Step>,
    found: bool,
    /// Nothing in the tree is greater than the key.
    is_last: bool,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    place: Place,
    /// The entry of the node that was met: the one looked for, or the first that is greater.
    at: usize,
    /// The shape of the node.
    shape: node::Shape,
}

fn deeper(vcn: u64) -> Error {
    CorruptKind::BlockTwice { vcn }.into()
}

fn descend(nodes: &mut dyn Nodes, key: &[u8], order: &Order<'_>) -> Result<Path> {
    let mut steps: Vec<Step> = Vec::with_capacity(8);
    let mut place = Place::Root;
    let mut is_last = true;
    loop {
        let spot = node::locate(nodes.read(place)?, key, order)?;
        steps.push(Step {
            place,
            at: spot.at,
            shape: spot.shape,
        });
        is_last &= spot.at == spot.shape.end;
        let Some(vcn) = spot.child.filter(|_| !spot.found) else {
            return Ok(Path {
                steps,
                found: spot.found,
                is_last,
            });
        };
        place = Place::Block(vcn);
        if steps.len() >= DEPTH || steps.iter().any(|step| step.place == place) {
            return Err(deeper(vcn));
        }
    }
}

impl Path {
    /// The step to the key that was found, or to the leaf where it would be.
    fn last(&self) -> Result<Step> {
        let step = self.steps.last().copied();
        step.ok_or_else(|| CorruptKind::NoSuchBlock { vcn: 0 }.into())
    }
}

/// The entry with a key, without the place of a child.
///
/// # Errors
///
/// Where a node on the way is damaged.
pub(crate) fn find(nodes: &mut dyn Nodes, key: &[u8], order: &Order<'_>) -> Result<Option<Vec<u8>>> {
    let path = descend(nodes, key, order)?;
    if !path.found {
        return Ok(None);
    }
    let step = path.last()?;
    Ok(Some(node::entry(nodes.read(step.place)?, step.at)?.plain()))
}

/// Puts an entry into the tree: header, key and what is behind it, without a child, in a multiple of 8 bytes.
///
/// `false` where there is one with this key, and nothing was changed.
///
/// # Errors
///
/// Where a node on the way is damaged, or a block could not be had. The tree is as it was.
pub(crate) fn insert(nodes: &mut dyn Nodes, entry: &[u8], order: &Order<'_>) -> Result<bool> {
    let path = descend(nodes, node::key_of(entry)?, order)?;
    if path.found {
        return Ok(false);
    }
    let Step { place, at, shape } = path.last()?;
    let room = nodes.room(place)?;
    if place != Place::Root {
        check_length(entry.len(), room)?;
    }
    if shape.len.saturating_add(entry.len()) <= room {
        nodes.put_in(place, shape.len, at, entry)?;
        return Ok(true);
    }
    let bytes = with_entry(nodes, place, shape.len, at, entry)?;
    let why = if path.is_last { Why::Ascending } else { Why::Other };
    Edit::run(nodes, why, |edit| {
        let levels = edit.open(&path, bytes)?;
        edit.settle(levels)
    })?;
    Ok(true)
}

/// The first `len` bytes of a node with one more entry, which begins at `at`.
pub(crate) fn with_entry(
    nodes: &mut (impl Nodes + ?Sized),
    place: Place,
    len: usize,
    at: usize,
    entry: &[u8],
) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(len.saturating_add(entry.len()));
    let old = nodes.read(place)?.get(..len).unwrap_or_default();
    let (before, behind) = old.split_at_checked(at).unwrap_or_default();
    bytes.extend_from_slice(before);
    bytes.extend_from_slice(entry);
    bytes.extend_from_slice(behind);
    Ok(bytes)
}

/// An entry must not be longer than what an inner node has room for.
fn check_length(entry: usize, room: usize) -> Result<()> {
    let needed = entry.saturating_add(node::CHILD).saturating_add(node::END);
    if needed > room {
        return Err(NtStatus::NAME_TOO_LONG.into());
    }
    Ok(())
}

/// Takes the entry with a key out of the tree, and hands it over without the place of a child.
///
/// # Errors
///
/// Where a node on the way is damaged, or a block could not be had, which only the removal of a key from an inner node
/// cannot do without. The tree is as it was.
pub(crate) fn remove(nodes: &mut dyn Nodes, key: &[u8], order: &Order<'_>) -> Result<Option<Vec<u8>>> {
    let path = descend(nodes, key, order)?;
    if !path.found {
        return Ok(None);
    }
    let Step { place, at, shape } = path.last()?;
    let old = nodes.read(place)?.get(..shape.len).unwrap_or_default();
    let entry = node::entry(old, at)?;
    let removed = entry.plain();
    if shape.has_children {
        let bytes = old.to_vec();
        Edit::run(nodes, Why::Removal, |edit| {
            let mut levels = edit.open(&path, bytes)?;
            edit.remove_inner(&mut levels)?;
            edit.settle(levels)
        })?;
        return Ok(Some(removed));
    }
    let mut bytes = Vec::with_capacity(shape.len);
    bytes.extend_from_slice(old.get(..at).unwrap_or_default());
    bytes.extend_from_slice(old.get(entry.next..).unwrap_or_default());
    let room = nodes.room(place)?;
    let fits = bytes.len() <= room;
    let is_plain = match path.steps.as_slice() {
        [_] => fits,
        // the last block may fit into the root
        [root, _] if root.shape.keys == 0 => {
            bytes.len() >= room.div_ceil(2) && bytes.len() > nodes.room(Place::Root)?
        }
        _ => bytes.len() >= room.div_ceil(2),
    };
    if is_plain {
        nodes.write(place, &bytes, false)?;
        return Ok(Some(removed));
    }
    let edited = Edit::run(nodes, Why::Removal, |edit| {
        let levels = edit.open(&path, bytes.clone())?;
        edit.settle(levels)
    });
    match edited {
        // a volume may be too full for order in it, but not for a removal
        Err(Error::Refused(_)) if fits => nodes.write(place, &bytes, false)?,
        edited => edited?,
    }
    Ok(Some(removed))
}

/// Changes the entry with a key where it lies: all but its length, the length of its key, its flags and its child.
///
/// `change` must leave the key where it is in the order. `false` where there is no such key.
///
/// # Errors
///
/// Where a node on the way is damaged.
pub(crate) fn update(
    nodes: &mut dyn Nodes,
    key: &[u8],
    order: &Order<'_>,
    change: &mut dyn FnMut(&mut [u8]),
) -> Result<bool> {
    let path = descend(nodes, key, order)?;
    if !path.found {
        return Ok(false);
    }
    let Step { place, at, shape } = path.last()?;
    let mut bytes = nodes.read(place)?.get(..shape.len).unwrap_or_default().to_vec();
    node::change(&mut bytes, at, change)?;
    if bytes.len() <= nodes.room(place)? {
        nodes.write(place, &bytes, shape.has_children)?;
        return Ok(true);
    }
    // the root has less room than it had
    Edit::run(nodes, Why::Other, |edit| {
        let levels = edit.open(&path, bytes)?;
        edit.settle(levels)
    })?;
    Ok(true)
}

/// Whether a tree has no entry at all.
///
/// # Errors
///
/// Where a node is damaged.
pub(crate) fn is_empty(nodes: &mut dyn Nodes) -> Result<bool> {
    let mut place = Place::Root;
    for _ in 0..DEPTH {
        let end = node::entry(nodes.read(place)?, 0)?;
        match (end.key, end.child) {
            (Some(_), _) => return Ok(false),
            (None, None) => return Ok(true),
            (None, Some(vcn)) => place = Place::Block(vcn),
        }
    }
    match place {
        Place::Root => Ok(true),
        Place::Block(vcn) => Err(deeper(vcn)),
    }
}

/// Visits all entries in their order, without the places of children.
///
/// # Errors
///
/// Where a node is damaged or is met twice, or where `visit` has one. The entries before it were visited.
pub(crate) fn walk(nodes: &mut dyn Nodes, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut met = HashSet::new();
    let mut open = vec![(whole(nodes, Place::Root)?, 0_usize)];
    // the child of the entry at hand was visited
    let mut is_back = false;
    while let Some((bytes, at)) = open.last_mut() {
        let entry = node::entry(bytes, *at)?;
        if let Some(vcn) = entry.child.filter(|_| !is_back) {
            if !met.insert(vcn) || open.len() >= DEPTH {
                return Err(deeper(vcn));
            }
            open.push((whole(nodes, Place::Block(vcn))?, 0));
            continue;
        }
        is_back = false;
        if entry.key.is_none() {
            open.pop();
            is_back = true;
            continue;
        }
        visit(&entry.plain())?;
        *at = entry.next;
    }
    Ok(())
}

/// A copy of a node that was looked at as a whole.
fn whole(nodes: &mut dyn Nodes, place: Place) -> Result<Vec<u8>> {
    let bytes = nodes.read(place)?;
    let shape = node::shape(bytes)?;
    Ok(bytes.get(..shape.len).unwrap_or_default().to_vec())
}
