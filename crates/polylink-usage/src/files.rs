//! The files met so far: those with several names, each with the figures of its first meeting.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use polylink_core::{FileId, Stat};

const SHARD_BITS: u32 = 5;
const SHARDS: usize = 1 << SHARD_BITS;
/// Shards in one [`Group`].
const GROUP: usize = SHARDS / 4;
/// Records in one allocation.
const CHUNK: usize = 128;
const EMPTY: u32 = u32::MAX;

/// A file in [`Files`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Handle(u32);

/// What is kept of a file: 32 bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    id: u64,
    pub(crate) size: u64,
    pub(crate) allocated: u64,
    space: u32,
    pub(crate) links: u32,
}

/// A [`FileId`] in twelve bytes: its lower half, and the number under which volume and upper half are noted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Key {
    id: u64,
    space: u32,
}

type Space = (u64, u64);

/// A thread's memory of the space it met last, so that it asks for a new one only.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct LastSpace(Option<(Space, u32)>);

/// Files by id, for several threads.
///
/// A shard is an open-addressing table of record numbers at most five eighths full, so a file costs its record and 6 to
/// 13 bytes.
pub(crate) struct Files {
    spaces: Mutex<HashMap<Space, u32>>,
    shards: Vec<Mutex<Shard>>,
}

#[derive(Default)]
struct Shard {
    slots: Vec<u32>,
    records: Chunks,
}

/// Records that never move: growing costs neither copies nor holes.
#[derive(Default)]
struct Chunks(Vec<Vec<Record>>);

impl Chunks {
    fn len(&self) -> usize {
        (self.0.len().saturating_sub(1)) * CHUNK + self.0.last().map_or(0, Vec::len)
    }

    fn get(&self, index: u32) -> Option<&Record> {
        let index = index as usize;
        self.0.get(index / CHUNK)?.get(index % CHUNK)
    }

    fn push(&mut self, record: Record) {
        match self.0.last_mut().filter(|last| last.len() < CHUNK) {
            Some(last) => last.push(record),
            None => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(record);
                self.0.push(chunk);
            }
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Record> {
        self.0.iter().flatten()
    }
}

impl Files {
    pub(crate) fn new() -> Self {
        Self {
            spaces: Mutex::default(),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }

    pub(crate) fn key(&self, id: FileId, last: &mut LastSpace) -> Key {
        #[allow(clippy::cast_possible_truncation)] // the two halves
        let (low, high) = (id.id as u64, (id.id >> 64) as u64);
        let space = (id.volume, high);
        let number = match last.0 {
            Some((known, number)) if known == space => number,
            _ => {
                let mut spaces = lock(&self.spaces);
                // as many spaces as this do not fit into the memory of any machine
                let next = u32::try_from(spaces.len()).unwrap_or(u32::MAX);
                let number = *spaces.entry(space).or_insert(next);
                last.0 = Some((space, number));
                number
            }
        };
        Key {
            id: low,
            space: number,
        }
    }

    /// The file, if it was met before.
    pub(crate) fn find(&self, key: Key) -> Option<Handle> {
        let (shard, hash) = place(key);
        let index = lock(&self.shards[shard]).find(key, hash)?;
        Some(handle(shard, index))
    }

    /// The file: as it was met first, by whatever thread, or else as `stat` has it now. `None` where there are more
    /// files than can be numbered.
    pub(crate) fn meet(&self, key: Key, stat: &Stat) -> Option<Handle> {
        let (shard, hash) = place(key);
        let mut files = lock(&self.shards[shard]);
        if let Some(index) = files.find(key, hash) {
            return Some(handle(shard, index));
        }
        let index = u32::try_from(files.records.len())
            .ok()
            .filter(|index| *index < 1 << (32 - SHARD_BITS))?;
        files.add(
            Record {
                id: key.id,
                size: stat.size,
                allocated: stat.allocated,
                space: key.space,
                links: u32::try_from(stat.links).unwrap_or(u32::MAX),
            },
            index,
            hash,
        );
        Some(handle(shard, index))
    }

    /// The records alone, without what it takes to find them by id.
    pub(crate) fn into_records(self) -> Records {
        let shards = self.shards.into_iter();
        let shards = shards.map(|shard| shard.into_inner().unwrap_or_else(PoisonError::into_inner).records);
        Records(shards.collect())
    }
}

impl Shard {
    fn find(&self, key: Key, hash: u32) -> Option<u32> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut slot = hash as usize & mask;
        loop {
            let index = self.slots[slot];
            let record = self.records.get(index)?; // `EMPTY` is none
            if record.id == key.id && record.space == key.space {
                return Some(index);
            }
            slot = (slot + 1) & mask;
        }
    }

    fn add(&mut self, record: Record, index: u32, hash: u32) {
        if (self.records.len() + 1) * 8 > self.slots.len() * 5 {
            let mut slots = vec![EMPTY; (self.slots.len() * 2).max(16)];
            for (index, record) in (0u32..).zip(self.records.iter()) {
                let (_, hash) = place(Key {
                    id: record.id,
                    space: record.space,
                });
                occupy(&mut slots, index, hash);
            }
            self.slots = slots;
        }
        occupy(&mut self.slots, index, hash);
        self.records.push(record);
    }
}

fn occupy(slots: &mut [u32], index: u32, hash: u32) {
    let mask = slots.len() - 1;
    let mut slot = hash as usize & mask;
    while slots[slot] != EMPTY {
        slot = (slot + 1) & mask;
    }
    slots[slot] = index;
}

/// Pushes, and grows by a quarter where [`Vec::push`] would double: memory is what this crate saves.
pub(crate) fn push_tight<T>(list: &mut Vec<T>, value: T) {
    if list.len() == list.capacity() {
        list.reserve_exact((list.len() / 4).max(16));
    }
    list.push(value);
}

/// The records of [`Files`].
pub(crate) struct Records(Vec<Chunks>);

impl Records {
    pub(crate) fn of(&self, handle: Handle) -> Option<&Record> {
        self.0[handle.shard()].get(handle.index())
    }

    /// All files in a few groups, so that what is needed for each file can be held for a part of them at a time.
    pub(crate) fn groups(&self) -> impl Iterator<Item = Group<'_>> {
        self.0.chunks(GROUP).zip(0..).map(|(shards, number)| {
            let mut len = 0;
            let starts = shards.iter().map(|shard| {
                len += shard.len();
                len - shard.len()
            });
            Group {
                starts: starts.collect(),
                shards,
                number,
                len,
            }
        })
    }
}

/// A part of all files, numbered without gaps.
pub(crate) struct Group<'a> {
    shards: &'a [Chunks],
    starts: Vec<usize>,
    number: usize,
    len: usize,
}

impl Group<'_> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The number of a file, if it is of this group.
    pub(crate) fn number(&self, handle: Handle) -> Option<usize> {
        let shard = handle.shard();
        (shard / GROUP == self.number).then(|| self.starts[shard % GROUP] + handle.index() as usize)
    }

    /// All records, in the order of their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.shards.iter().flat_map(Chunks::iter)
    }
}

impl Handle {
    fn shard(self) -> usize {
        self.0 as usize % SHARDS
    }

    fn index(self) -> u32 {
        self.0 >> SHARD_BITS
    }
}

#[allow(clippy::cast_possible_truncation)] // `meet` keeps indices below 2^27, and there are 2^5 shards
fn handle(shard: usize, index: u32) -> Handle {
    Handle(index << SHARD_BITS | shard as u32)
}

/// Shard and place in it. A folded multiplication spreads consecutive numbers well; nobody gains from making them
/// collide but whoever owns the file system.
#[allow(clippy::cast_possible_truncation)] // halves of the product, and a few bits
fn place(key: Key) -> (usize, u32) {
    let mixed = key.id ^ u64::from(key.space).rotate_left(40);
    let product = u128::from(mixed) * 0x9E37_79B9_7F4A_7C15;
    let hash = (product >> 64) as u64 ^ product as u64;
    ((hash >> (64 - SHARD_BITS)) as usize, hash as u32)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use polylink_core::Kind;

    use super::*;

    fn stat(id: FileId, size: u64) -> Stat {
        Stat {
            id,
            kind: Kind::File,
            links: 2,
            size,
            allocated: size,
            modified: 0,
            changed: None,
            born: None,
            owner: None,
            mode: None,
            mount: None,
        }
    }

    #[test]
    fn files_are_told_apart_by_every_bit_of_their_ids() {
        let files = Files::new();
        let mut last = LastSpace::default();
        let mut ids = Vec::new();
        for volume in 0..3 {
            for low in 0..400u128 {
                for high in [0, 1, 1 << 63] {
                    ids.push(FileId {
                        volume,
                        id: high << 64 | low,
                    });
                }
            }
        }
        let mut handles = Vec::new();
        for (size, id) in (0..).zip(&ids) {
            let key = files.key(*id, &mut last);
            assert_eq!(files.find(key), None);
            handles.push(files.meet(key, &stat(*id, size)).unwrap());
            assert_eq!(files.meet(key, &stat(*id, 7)), handles.last().copied());
        }
        for (id, handle) in ids.iter().zip(&handles) {
            assert_eq!(files.find(files.key(*id, &mut last)), Some(*handle));
        }
        let records = files.into_records();
        for (size, handle) in (0..).zip(&handles) {
            assert_eq!(
                records.of(*handle).unwrap().size,
                size,
                "the first meeting counts"
            );
        }
        let mut met = 0;
        for group in records.groups() {
            let numbers: BTreeSet<usize> = handles.iter().filter_map(|file| group.number(*file)).collect();
            assert!(numbers.into_iter().eq(0..group.len()));
            assert_eq!(group.iter().count(), group.len());
            met += group.len();
        }
        assert_eq!(met, ids.len());
    }
}
