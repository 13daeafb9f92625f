//! Nodes in memory, with what of them is on the volume.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use polylink_nt::NtStatus;

use super::super::{Nodes, Place, node, walk};
use crate::error::{CorruptKind, Result};

/// What stands before the name in a key.
pub(super) const BEFORE_NAME: usize = 66;

/// By the bytes of the name, which is as good an order as any.
pub(super) fn order(held: &[u8], wanted: &[u8]) -> Ordering {
    // a damaged key may be too short for a name
    let [held, wanted] = [held, wanted].map(|key| key.get(BEFORE_NAME..).unwrap_or_default());
    held.cmp(wanted)
}

/// A name for a number: no two have the same, and they are in no order. It has up to `most` units.
pub(super) fn key(number: u32, most: usize) -> Vec<u8> {
    let mixed = number.wrapping_mul(0x9e37_79b1).rotate_left(13);
    let wanted = 1 + (mixed >> 3) as usize % most;
    let mut units = Vec::new();
    let mut rest = number;
    while rest > 0 || units.is_empty() {
        units.push(0x100 + (rest % 251 * 89 % 251) as u16);
        rest /= 251;
    }
    units.resize(units.len().max(wanted), 0x2d);
    named(&units)
}

pub(super) fn named(units: &[u16]) -> Vec<u8> {
    let mut key = vec![0; BEFORE_NAME];
    key.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
    key
}

pub(super) fn entry(key: &[u8], reference: u64) -> Vec<u8> {
    let len = (16 + key.len()).next_multiple_of(8);
    let mut entry = reference.to_le_bytes().to_vec();
    entry.extend((len as u16).to_le_bytes());
    entry.extend((key.len() as u16).to_le_bytes());
    entry.extend([0; 4]);
    entry.extend(key);
    entry.resize(len, 0);
    entry
}

pub(super) fn reference(entry: &[u8]) -> u64 {
    u64::from_le_bytes(*entry.first_chunk().unwrap())
}

/// What fails next, and after how many calls that do not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Failure {
    Allocate(usize),
    Write(usize),
}

/// The bytes of blocks of so many bytes that entries can take.
pub(super) fn room_of(block: usize) -> usize {
    let header = 24 + 16 + 2 * (block / 512 + 1);
    block - header.next_multiple_of(8)
}

#[derive(Clone, Debug)]
pub(super) struct Store {
    pub(super) now: BTreeMap<Place, Vec<u8>>,
    /// As it was at the last commit.
    pub(super) disk: BTreeMap<Place, Vec<u8>>,
    pub(super) new: BTreeSet<u64>,
    freed: Vec<u64>,
    spare: Vec<u64>,
    pub(super) next: u64,
    pub(super) block_room: usize,
    /// While there are no blocks; with them it is smaller.
    pub(super) root_room: usize,
    pub(super) failure: Option<Failure>,
    /// Blocks that are not there, and the like, are errors rather than faults of the code.
    pub(super) is_hostile: bool,
    pub(super) writes: usize,
}

impl Store {
    pub(super) fn new(block: usize, root_room: usize) -> Self {
        let root = BTreeMap::from([(Place::Root, node::bare(None))]);
        Self {
            now: root.clone(),
            disk: root,
            new: BTreeSet::new(),
            freed: Vec::new(),
            spare: Vec::new(),
            next: 0,
            block_room: room_of(block),
            root_room,
            failure: None,
            is_hostile: false,
            writes: 0,
        }
    }

    pub(super) fn commit(&mut self) {
        self.disk = self.now.clone();
        self.new.clear();
        self.spare.append(&mut self.freed);
    }

    pub(super) fn blocks(&self) -> usize {
        self.now.len() - 1
    }

    fn fails(&mut self, which: impl Fn(usize) -> Failure) -> bool {
        match self.failure {
            Some(failure) if failure == which(0) => {
                self.failure = None;
                true
            }
            Some(Failure::Allocate(left)) if which(left) == Failure::Allocate(left) => {
                self.failure = Some(Failure::Allocate(left - 1));
                false
            }
            Some(Failure::Write(left)) if which(left) == Failure::Write(left) => {
                self.failure = Some(Failure::Write(left - 1));
                false
            }
            _ => false,
        }
    }

    fn missing(&self, place: Place) -> crate::error::Error {
        assert!(self.is_hostile, "{place:?} is not there");
        CorruptKind::NoSuchBlock { vcn: 0 }.into()
    }

    /// The places that were changed where they lie.
    pub(super) fn in_place(&self) -> Vec<Place> {
        let changed = self.now.iter().filter(|(place, bytes)| {
            let is_new = matches!(place, Place::Block(block) if self.new.contains(block));
            !is_new && self.disk.get(place) != Some(bytes)
        });
        changed.map(|(place, _)| *place).collect()
    }

    /// What is read after a power cut by which, of the nodes that were changed where they lie, these were written.
    pub(super) fn after_cut(&self, written: &BTreeSet<Place>) -> Vec<Vec<u8>> {
        entries(&mut Cut { store: self, written })
    }
}

/// The nodes of a store after a power cut.
struct Cut<'a> {
    store: &'a Store,
    written: &'a BTreeSet<Place>,
}

impl Nodes for Cut<'_> {
    fn read(&mut self, place: Place) -> Result<&[u8]> {
        let is_new = matches!(place, Place::Block(block) if self.store.new.contains(&block));
        let nodes = if is_new || self.written.contains(&place) {
            &self.store.now
        } else {
            &self.store.disk
        };
        Ok(&nodes[&place])
    }

    fn write(&mut self, _: Place, _: &[u8], _: bool) -> Result<()> {
        unreachable!()
    }

    fn room(&mut self, _: Place) -> Result<usize> {
        unreachable!()
    }

    fn allocate(&mut self) -> Result<u64> {
        unreachable!()
    }

    fn free(&mut self, _: u64) -> Result<()> {
        unreachable!()
    }

    fn is_new(&self, _: u64) -> bool {
        unreachable!()
    }
}

pub(super) fn entries(nodes: &mut dyn Nodes) -> Vec<Vec<u8>> {
    let mut met: Vec<Vec<u8>> = Vec::new();
    walk(nodes, &mut |entry| {
        met.push(entry.to_vec());
        Ok(())
    })
    .unwrap();
    met
}

impl Nodes for Store {
    fn read(&mut self, place: Place) -> Result<&[u8]> {
        match self.now.get(&place) {
            Some(_) => Ok(&self.now[&place]),
            None => Err(self.missing(place)),
        }
    }

    fn write(&mut self, place: Place, entries: &[u8], has_children: bool) -> Result<()> {
        if self.fails(Failure::Write) {
            return Err(CorruptKind::NoSuchBlock { vcn: 0 }.into());
        }
        self.writes += 1;
        if !self.is_hostile {
            let shape = node::shape(entries).unwrap();
            assert_eq!((shape.len, shape.has_children), (entries.len(), has_children));
            assert!(
                entries.len() <= self.room(place).unwrap(),
                "{place:?} has no room"
            );
        }
        if !self.now.contains_key(&place) {
            return Err(self.missing(place));
        }
        self.now.insert(place, entries.to_vec());
        Ok(())
    }

    fn room(&mut self, place: Place) -> Result<usize> {
        Ok(match place {
            Place::Block(_) => self.block_room,
            // the first block brings two more attributes into the record, and more of them make those longer
            Place::Root if self.blocks() > 0 => {
                self.root_room.saturating_sub(80 + self.blocks() / 64 * 8).max(24)
            }
            Place::Root => self.root_room,
        })
    }

    fn allocate(&mut self) -> Result<u64> {
        if self.fails(Failure::Allocate) {
            return Err(NtStatus::DISK_FULL.into());
        }
        if !self.is_hostile && self.blocks() == 0 {
            assert_eq!(
                self.now[&Place::Root].len(),
                16,
                "the record has no room for the first block"
            );
        }
        let block = self.spare.pop().unwrap_or_else(|| {
            self.next += 8;
            self.next
        });
        assert!(self.now.insert(Place::Block(block), Vec::new()).is_none());
        self.new.insert(block);
        Ok(block)
    }

    fn free(&mut self, block: u64) -> Result<()> {
        if self.now.remove(&Place::Block(block)).is_none() {
            return Err(self.missing(Place::Block(block)));
        }
        self.new.remove(&block);
        self.freed.push(block);
        Ok(())
    }

    fn is_new(&self, block: u64) -> bool {
        self.new.contains(&block)
    }
}

/// How full the blocks of a tree are.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Fill {
    pub(super) blocks: usize,
    pub(super) bytes: usize,
    pub(super) depth: usize,
}

/// Looks at all of a tree: every node, and that no block is lost.
pub(super) fn check(store: &mut Store, longest: usize) -> Fill {
    let mut fill = Fill::default();
    let mut reached = BTreeSet::new();
    let mut depths = BTreeSet::new();
    check_node(
        store,
        Place::Root,
        (0, true, true),
        longest,
        &mut reached,
        &mut depths,
        &mut fill,
    );
    assert_eq!(depths.len(), 1, "leaves at different depths: {depths:?}");
    let there: BTreeSet<Place> = store.now.keys().copied().collect();
    assert_eq!(reached, there, "blocks are lost");
    let entries = entries(store);
    let keys: Vec<&[u8]> = entries.iter().map(|entry| node::key_of(entry).unwrap()).collect();
    for pair in keys.windows(2) {
        assert_eq!(order(pair[0], pair[1]), Ordering::Less);
    }
    fill.depth = depths.first().copied().unwrap_or(0);
    fill
}

fn check_node(
    store: &Store,
    place: Place,
    (depth, is_last, is_only): (usize, bool, bool),
    longest: usize,
    reached: &mut BTreeSet<Place>,
    depths: &mut BTreeSet<usize>,
    fill: &mut Fill,
) {
    assert!(reached.insert(place), "{place:?} twice");
    let bytes = &store.now[&place];
    let shape = node::shape(bytes).unwrap();
    assert_eq!(shape.len, bytes.len());
    if place != Place::Root {
        fill.blocks += 1;
        fill.bytes += bytes.len();
        if !is_last && !is_only {
            let least = (store.block_room / 2).saturating_sub(longest);
            assert!(
                bytes.len() >= least,
                "{place:?} has {} of {}",
                bytes.len(),
                store.block_room
            );
        }
    }
    if !shape.has_children {
        depths.insert(depth);
        return;
    }
    for entry in node::entries(bytes, 0) {
        let entry = entry.unwrap();
        let child = Place::Block(entry.child.unwrap());
        let is_last = is_last && entry.key.is_none();
        check_node(
            store,
            child,
            (depth + 1, is_last, shape.keys == 0),
            longest,
            reached,
            depths,
            fill,
        );
    }
}
