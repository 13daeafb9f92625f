//! What an audit keeps of every record: 16 bytes.
//!
//! The names of a file and the entries of directories for it are matched without keeping either: each name adds a hash
//! to a sum that its record has here, each entry takes it away again. Where both sides agree, the sum is 0 in the end;
//! where they do not, it is 0 with a chance of 1 in 2^64, whatever is on the volume, for the hash begins with a number
//! that is drawn anew each time.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use bitflags::bitflags;

use super::names::Key;
use crate::units::{FileReference, RecordNumber};

bitflags! {
    /// What is known of a record.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(super) struct State: u16 {
        /// It is in use.
        const IN_USE = 1;
        /// It is a directory.
        const DIRECTORY = 2;
        /// It belongs to another record's file.
        const EXTENSION = 4;
        /// A part of its file could not be read: not all its names are known.
        const DAMAGED = 8;
        /// What is in its place does not begin with `FILE`.
        const NO_RECORD = 16;
        /// Its index could not be read as a whole: not all entries in it are known.
        const UNSEEN = 32;
        /// The attribute list of its base record names it.
        const LISTED = 64;
        const _ = !0;
    }
}

/// One record's state, as it stood when it was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) state: State,
    pub(super) sequence: u16,
    /// Names that the record counts.
    pub(super) links: u16,
    /// Names that it has, extension records included.
    pub(super) names: u16,
}

/// The states of all records.
#[derive(Debug)]
pub(super) struct States {
    /// State, sequence number, link count, names, from the lowest 16 bits up: what overflows the names is lost.
    words: Vec<AtomicU64>,
    sums: Vec<AtomicU64>,
    seed: u64,
}

const SEQUENCE: u32 = 16;
const LINKS: u32 = 32;
const NAMES: u32 = 48;

impl States {
    pub(super) fn new(records: u64) -> Self {
        let many = || {
            std::iter::repeat_with(AtomicU64::default)
                .take(usize::try_from(records).unwrap_or(0))
                .collect()
        };
        Self {
            words: many(),
            sums: many(),
            seed: RandomState::new().hash_one(0),
        }
    }

    pub(super) fn len(&self) -> u64 {
        u64::try_from(self.words.len()).unwrap_or(0)
    }

    fn word(&self, record: RecordNumber) -> Option<&AtomicU64> {
        self.words.get(usize::try_from(record.0).ok()?)
    }

    /// Says what a record's header says. Once for each record.
    pub(super) fn set(&self, record: RecordNumber, state: State, sequence: u16, links: u16) {
        let bits = u64::from(state.bits()) | u64::from(sequence) << SEQUENCE | u64::from(links) << LINKS;
        if let Some(word) = self.word(record) {
            word.fetch_or(bits, Ordering::Relaxed);
        }
    }

    /// Adds to what is known of a record.
    pub(super) fn mark(&self, record: RecordNumber, state: State) {
        self.set(record, state, 0, 0);
    }

    pub(super) fn seen(&self, record: RecordNumber) -> Option<Seen> {
        let bits = self.word(record)?.load(Ordering::Relaxed);
        let part = |shift: u32| u16::try_from(bits >> shift & 0xFFFF).unwrap_or(0);
        Some(Seen {
            state: State::from_bits_retain(part(0)),
            sequence: part(SEQUENCE),
            links: part(LINKS),
            names: part(NAMES),
        })
    }

    /// Whether the entries for a record are those of its names.
    pub(super) fn agrees(&self, record: RecordNumber) -> bool {
        let sum = usize::try_from(record.0).ok().and_then(|at| self.sums.get(at));
        sum.is_none_or(|sum| sum.load(Ordering::Relaxed) == 0)
    }

    /// Counts a name of a file.
    #[inline]
    pub(super) fn add(&self, file: FileReference, key: &Key<'_>) {
        let Some(at) = usize::try_from(file.record().0).ok() else {
            return;
        };
        if let (Some(sum), Some(word)) = (self.sums.get(at), self.words.get(at)) {
            sum.fetch_add(self.hash(file, key.parent, key), Ordering::Relaxed);
            word.fetch_add(1 << NAMES, Ordering::Relaxed);
        }
    }

    /// Takes back a name that was counted, and is none of the file's.
    pub(super) fn withdraw(&self, file: FileReference, key: &Key<'_>) {
        if self.take(file, key.parent, key)
            && let Some(word) = self.word(file.record())
        {
            word.fetch_sub(1 << NAMES, Ordering::Relaxed);
        }
    }

    /// Counts an entry of a directory; `false` where there is no such record.
    #[inline]
    pub(super) fn take(&self, file: FileReference, directory: FileReference, key: &Key<'_>) -> bool {
        let sum = usize::try_from(file.record().0)
            .ok()
            .and_then(|at| self.sums.get(at));
        let Some(sum) = sum else {
            return false;
        };
        sum.fetch_sub(self.hash(file, directory, key), Ordering::Relaxed);
        true
    }

    /// A number for a name of a file in a directory. Never 0, so that one name too many is always seen.
    #[inline]
    fn hash(&self, file: FileReference, directory: FileReference, key: &Key<'_>) -> u64 {
        let shape = u64::from(key.namespace) << 16 | u64::try_from(key.name.len()).unwrap_or(0);
        let mut sum = product(file.0 ^ self.seed, directory.0 ^ self.seed.rotate_left(32));
        // each pair of words has keys of its own, so that no product waits for the one before
        let mut keys = (self.seed.rotate_left(16), self.seed.rotate_left(48));
        let (pairs, rest) = key.name.as_chunks::<16>();
        for pair in pairs {
            sum = sum.wrapping_add(of_pair(pair, keys));
            keys = (keys.0.wrapping_add(FIRST), keys.1.wrapping_add(SECOND));
        }
        let mut last = [0; 16];
        if let Some(place) = last.get_mut(..rest.len()) {
            place.copy_from_slice(rest);
        }
        sum = sum.wrapping_add(of_pair(&last, keys));
        product(sum ^ FIRST, shape ^ self.seed ^ SECOND) | 1
    }
}

const FIRST: u64 = 0x9E37_79B9_7F4A_7C15;
const SECOND: u64 = 0xD6E8_FEB8_6659_FD93;

#[inline]
fn of_pair(pair: &[u8; 16], keys: (u64, u64)) -> u64 {
    let both = u128::from_le_bytes(*pair);
    product(low(both) ^ keys.0, low(both >> 64) ^ keys.1)
}

/// The halves of a product, laid over each other.
#[inline]
fn product(one: u64, other: u64) -> u64 {
    let product = u128::from(one).wrapping_mul(u128::from(other));
    low(product) ^ low(product >> 64)
}

#[inline]
fn low(bits: u128) -> u64 {
    u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_zero_once_each_name_has_its_entry() {
        let states = States::new(10);
        let file = FileReference::new(RecordNumber(7), 3);
        let key = |namespace, name: &'static [u8]| Key {
            parent: FileReference::new(RecordNumber(5), 5),
            namespace,
            name,
        };
        let (one, other) = (key(0, b"a\0b\0c\0"), key(2, b"a\0b\0c\0d\0e\0f\0g\0h\0"));
        states.add(file, &one);
        states.add(file, &other);
        assert!(states.take(file, other.parent, &other));
        assert!(!states.agrees(RecordNumber(7)));
        assert!(states.take(file, one.parent, &one));
        assert!(states.agrees(RecordNumber(7)));
        let elsewhere = FileReference::new(RecordNumber(5), 6);
        states.add(file, &one);
        states.take(file, elsewhere, &one);
        assert!(!states.agrees(RecordNumber(7)));
        assert!(!states.take(FileReference(10), elsewhere, &one));
        assert_eq!(states.seen(RecordNumber(7)).unwrap().names, 3);
    }

    #[test]
    fn the_parts_of_a_state_do_not_touch() {
        let states = States::new(1);
        let record = RecordNumber(0);
        states.set(record, State::IN_USE | State::LISTED, 0xFFFF, 0xFFFE);
        states.mark(record, State::UNSEEN);
        let seen = states.seen(record).unwrap();
        assert_eq!(seen.state, State::IN_USE | State::LISTED | State::UNSEEN);
        assert_eq!((seen.sequence, seen.links, seen.names), (0xFFFF, 0xFFFE, 0));
        assert!(states.seen(RecordNumber(1)).is_none());
    }
}
