//! `$Secure`: the security descriptors of a volume, and which of them the indexes must lead to.
//!
//! `$SDS` holds the descriptors in pairs of 256 KiB, of which the second half is a copy of the first. Each descriptor
//! begins at a multiple of 16 bytes with a header that has its hash, its number, its place in the first half and its
//! length; none goes on beyond the end of a half. What is between them means nothing: descriptors that nobody had any
//! more were there. `$SII` leads to them by their numbers, `$SDH` by their hashes and then their numbers; both repeat the
//! header.
//!
//! Sources: "New Technologies File System (NTFS)" by Joachim Metz, section "The security descriptor"; NTFS documentation
//! by Richard Russon, "$Secure"; volumes that Windows formatted.

use std::collections::{BTreeMap, HashMap, HashSet};

use zerocopy::FromBytes as _;
use zerocopy::IntoBytes as _;

use crate::error::Result;
use crate::layout::security::{DescriptorHeader, DescriptorKey};
use crate::views::{entry as view_entry, parts};

/// The stream of descriptors.
pub(crate) const SDS: [u16; 4] = [0x24, 0x53, 0x44, 0x53];
/// The index by numbers: `$SII`.
pub(crate) const SII: [u16; 4] = [0x24, 0x53, 0x49, 0x49];
/// The index by hashes: `$SDH`.
pub(crate) const SDH: [u16; 4] = [0x24, 0x53, 0x44, 0x48];

/// Bytes from a descriptor to its copy.
pub(crate) const HALF: u64 = 0x4_0000;
/// Descriptors beyond this are not looked at: some million of them are before.
pub(crate) const MOST: u64 = 1 << 30;

const HEADER: usize = size_of::<DescriptorHeader>();
/// A descriptor without any entry has as many bytes as its own header.
const SHORTEST: usize = HEADER + 20;
const STEP: usize = 16;
/// How often all bytes of a half may be hashed while descriptors are looked for in it.
const PASSES: usize = 8;

/// The hash that `$SDH` is sorted by: of each 32 bits the sum, rotated by 3 before the next.
pub(crate) fn hash(descriptor: &[u8]) -> u32 {
    let (words, _) = descriptor.as_chunks::<4>();
    words.iter().fold(0_u32, |hash, word| {
        hash.rotate_left(3).wrapping_add(u32::from_le_bytes(*word))
    })
}

/// What the header of a descriptor says, and the indexes repeat.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Header {
    /// Where in `$SDS` it is.
    pub(crate) offset: u64,
    pub(crate) id: u32,
    pub(crate) hash: u32,
    /// Bytes, this header among them.
    pub(crate) len: u32,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (header, _) = DescriptorHeader::read_from_prefix(bytes).ok()?;
        Some(Self {
            offset: header.offset.get(),
            id: header.id.get(),
            hash: header.hash.get(),
            len: header.len.get(),
        })
    }

    /// As it stands before its descriptor.
    pub(crate) fn encode(&self) -> DescriptorHeader {
        DescriptorHeader {
            hash: self.hash.into(),
            id: self.id.into(),
            offset: self.offset.into(),
            len: self.len.into(),
        }
    }

    fn end(&self) -> u64 {
        self.offset.saturating_add(u64::from(self.len))
    }

    /// Its entry in an index, without the place of a child.
    pub(crate) fn entry(&self, by: By) -> Vec<u8> {
        let header = self.encode();
        let (hash, id) = (header.hash, header.id);
        let by_hash = DescriptorKey { hash, id };
        let (key, fill) = match by {
            By::Number => (id.as_bytes(), &[][..]),
            By::Hash => (by_hash.as_bytes(), FILL),
        };
        view_entry(key, header.as_bytes(), fill)
    }
}

/// What Windows fills the entries of `$SDH` with: `II` in UTF-16.
const FILL: &[u8] = b"I\0I\0";

/// Which of the two indexes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum By {
    /// `$SII`.
    Number,
    /// `$SDH`.
    Hash,
}

impl By {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Number, Self::Hash];

    /// The index of this name.
    pub(crate) fn of_name(name: &[u16]) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.units() == name)
    }

    /// Its name.
    pub(crate) fn units(self) -> &'static [u16] {
        match self {
            Self::Number => &SII,
            Self::Hash => &SDH,
        }
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Number => "$SII",
            Self::Hash => "$SDH",
        }
    }
}

/// Which of the copies of a descriptor are sound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Copies {
    /// Both are, and are the same.
    Both,
    /// The second is damaged, or has another number.
    First,
    /// The first is damaged, or has another number.
    Second,
    /// Both halves hold something sound there, and not the same.
    Differ,
}

/// A descriptor of which there is a sound copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Descriptor {
    pub(crate) header: Header,
    pub(crate) copies: Copies,
}

/// Finds all descriptors in a `$SDS` of so many bytes, by their places.
///
/// `read` fills a buffer with what is in the stream from an offset on.
///
/// # Errors
///
/// As `read` says.
pub(crate) fn descriptors(
    size: u64,
    read: &mut dyn FnMut(u64, &mut [u8]) -> Result<()>,
) -> Result<Vec<Descriptor>> {
    let mut found = Vec::new();
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let mut start = 0_u64;
    while start < size.min(MOST) {
        let behind = start.saturating_add(HALF);
        for (from, half) in [(start, &mut first), (behind, &mut second)] {
            let len = size.saturating_sub(from).min(HALF);
            half.clear();
            half.resize(usize::try_from(len).unwrap_or(0), 0);
            if !half.is_empty() {
                read(from, half)?;
            }
        }
        pair(&first, &second, start, &mut found);
        start = behind.saturating_add(HALF);
    }
    Ok(found)
}

/// Finds the descriptors of one pair of halves.
fn pair(first: &[u8], second: &[u8], start: u64, found: &mut Vec<Descriptor>) {
    let (here, there) = (sound(first, start), sound(second, start));
    let bytes = |half: &[u8], header: &Header| -> Option<Vec<u8>> {
        let at = usize::try_from(header.offset.checked_sub(start)?).ok()?;
        let len = usize::try_from(header.len).ok()?;
        Some(half.get(at..at.checked_add(len)?)?.to_vec())
    };
    let begin = found.len();
    for header in &here {
        let copies = match overlapping(&there, header) {
            None => Copies::First,
            Some(other) if bytes(first, header) == bytes(second, other) => Copies::Both,
            Some(other) if is_renumbered(header, other) => Copies::First,
            Some(_) => Copies::Differ,
        };
        found.push(Descriptor {
            header: *header,
            copies,
        });
    }
    for header in &there {
        let copies = match overlapping(&here, header) {
            None => Copies::Second,
            Some(other) if bytes(first, other) == bytes(second, header) => continue,
            Some(other) if is_renumbered(header, other) => Copies::Second,
            // what has the same header is known already
            Some(other) if other == header => continue,
            Some(_) => Copies::Differ,
        };
        found.push(Descriptor {
            header: *header,
            copies,
        });
    }
    if let Some(new) = found.get_mut(begin..) {
        new.sort_unstable_by_key(|descriptor| descriptor.header);
    }
}

/// Whether two copies have another number and are else the same, as far as their hash tells.
fn is_renumbered(one: &Header, other: &Header) -> bool {
    let id = other.id;
    one != other && Header { id, ..*one } == *other
}

/// One of some headers, in order and apart from each other, whose descriptor has bytes of another one.
fn overlapping<'h>(headers: &'h [Header], with: &Header) -> Option<&'h Header> {
    let at = headers.partition_point(|header| header.end() <= with.offset);
    headers.get(at).filter(|header| header.offset < with.end())
}

/// The sound descriptors in one half; `start` is where in the stream its first half begins.
fn sound(half: &[u8], start: u64) -> Vec<Header> {
    let mut found = Vec::new();
    let mut budget = half.len().saturating_mul(PASSES);
    let mut at = 0_usize;
    while at < half.len() {
        let mut step = STEP;
        if let Some(header) = sound_at(half, at, start, &mut budget) {
            found.push(header);
            step = usize::try_from(header.len).unwrap_or(usize::MAX);
        }
        at = at.saturating_add(step);
        at = at.checked_next_multiple_of(STEP).unwrap_or(usize::MAX);
    }
    found
}

/// The descriptor at a place, if there is a sound one.
fn sound_at(half: &[u8], at: usize, start: u64, budget: &mut usize) -> Option<Header> {
    let header = Header::read(half.get(at..)?)?;
    let len = usize::try_from(header.len).ok()?;
    let place = start.checked_add(u64::try_from(at).ok()?)?;
    if header.offset != place || header.id == 0 || len < SHORTEST {
        return None;
    }
    let descriptor = half.get(at.checked_add(HEADER)?..at.checked_add(len)?)?;
    // lengths that lie make no work without an end
    *budget = budget.checked_sub(descriptor.len())?;
    (hash(descriptor) == header.hash).then_some(header)
}

/// An entry of one of the indexes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listed {
    pub(crate) by: By,
    /// The number in its key.
    pub(crate) id: u32,
    /// The hash in its key.
    hash: Option<u32>,
    /// What it has as data; `None` where that is too short.
    pub(crate) header: Option<Header>,
}

impl Listed {
    /// Reads an entry: all of it, its own header first.
    pub(crate) fn read(by: By, entry: &[u8]) -> Self {
        let (key, data) = parts(entry).unwrap_or_default();
        let number = |at: usize| {
            let bytes = key.get(at..).and_then(<[u8]>::first_chunk);
            bytes.map(|bytes| u32::from_le_bytes(*bytes))
        };
        let (id, hash) = match by {
            By::Number => (number(0), None),
            By::Hash => (number(4), number(0)),
        };
        Self {
            by,
            id: id.unwrap_or(0),
            hash,
            header: Header::read(data),
        }
    }

    /// Whether its key is that of its data.
    fn agrees(&self) -> bool {
        let fits = |header: Header| {
            let hash = self.by == By::Number || self.hash == Some(header.hash);
            header.id == self.id && hash
        };
        self.header.is_some_and(fits)
    }
}

/// What the indexes must lead to.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    known: HashMap<Header, Descriptor>,
    /// Sound descriptors by their numbers: of two with one number the one that an index leads to.
    pub(crate) sound: BTreeMap<u32, Descriptor>,
    /// What indexes know of descriptors that have no sound copy.
    pub(crate) lost: BTreeMap<u32, Header>,
}

impl Chosen {
    /// Of these descriptors, with what the indexes say of them.
    pub(crate) fn new(descriptors: &[Descriptor], listed: &[Listed]) -> Self {
        let mut chosen = Self {
            known: descriptors
                .iter()
                .map(|descriptor| (descriptor.header, *descriptor))
                .collect(),
            ..Self::default()
        };
        // where something is that an index has by just that number
        let mut places: HashSet<u64> = HashSet::new();
        for entry in listed.iter().filter(|entry| entry.agrees()) {
            let known = entry.header.and_then(|header| chosen.known.get(&header).copied());
            if let Some(descriptor) = known {
                chosen.sound.entry(entry.id).or_insert(descriptor);
                places.insert(descriptor.header.offset);
            }
        }
        for descriptor in descriptors {
            chosen.sound.entry(descriptor.header.id).or_insert(*descriptor);
        }
        for entry in listed.iter().filter(|entry| entry.agrees()) {
            if let Some(header) = entry.header
                && !chosen.sound.contains_key(&header.id)
                && !places.contains(&header.offset)
            {
                chosen.lost.entry(header.id).or_insert(header);
            }
        }
        // what bears another number than the indexes know at its place may be that very one
        let claimed: HashSet<u64> = chosen.lost.values().map(|header| header.offset).collect();
        chosen
            .sound
            .retain(|_, descriptor| !claimed.contains(&descriptor.header.offset));
        chosen
    }

    /// Whether an entry says what it should.
    pub(crate) fn is_wanted(&self, entry: &Listed) -> bool {
        let wanted = match self.sound.get(&entry.id) {
            Some(descriptor) => Some(&descriptor.header),
            None => self.lost.get(&entry.id),
        };
        entry.agrees() && entry.header.as_ref() == wanted
    }

    /// Everything that belongs into an index, in its order.
    pub(crate) fn entries(&self, by: By) -> Vec<Header> {
        let sound = self.sound.values().map(|descriptor| descriptor.header);
        let mut headers: Vec<Header> = sound.chain(self.lost.values().copied()).collect();
        headers.sort_unstable_by_key(|header| match by {
            By::Number => (header.id, 0),
            By::Hash => (header.hash, header.id),
        });
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(half: &mut [u8], start: u64, at: usize, id: u32, body: &[u8]) -> Header {
        let header = Header {
            offset: start + at as u64,
            id,
            hash: hash(body),
            len: (HEADER + body.len()) as u32,
        };
        half[at..at + HEADER].copy_from_slice(header.encode().as_bytes());
        half[at + HEADER..at + HEADER + body.len()].copy_from_slice(body);
        header
    }

    fn found(stream: &[u8]) -> Vec<(u32, u64, Copies)> {
        let read = &mut |offset: u64, buffer: &mut [u8]| {
            let at = offset as usize;
            buffer.copy_from_slice(&stream[at..at + buffer.len()]);
            Ok(())
        };
        let found = descriptors(stream.len() as u64, read).unwrap();
        let short = |found: Descriptor| (found.header.id, found.header.offset, found.copies);
        found.into_iter().map(short).collect()
    }

    /// Three descriptors in the first pair, one in the second.
    fn sample() -> Vec<u8> {
        let half = HALF as usize;
        let mut stream = vec![0; 3 * half + 300];
        for copy in [0, half] {
            put(&mut stream[copy..], 0, 0, 0x100, &[1; 60]);
            put(&mut stream[copy..], 0, 80, 0x101, &[2; 61]);
            // what was between them is gone
            put(&mut stream[copy..], 0, 400, 0x102, &[3; 100]);
            put(&mut stream[2 * half + copy..], 2 * HALF, 0, 0x103, &[4; 64]);
        }
        stream
    }

    #[test]
    fn descriptors_are_found_with_their_copies() {
        use Copies::{Both, Differ, First, Second};
        let sound = [
            (0x100, 0, Both),
            (0x101, 80, Both),
            (0x102, 400, Both),
            (0x103, 2 * HALF, Both),
        ];
        assert_eq!(found(&sample()), sound);
        let half = HALF as usize;
        let damages: [(usize, usize, Copies); 6] = [
            (0, 30, Second),
            (1, 80 + 8, Second),
            (2, 400 + 16, Second),
            (3, 2 * half + 8, Second),
            (1, half + 80 + 30, First),
            (3, 3 * half + 16, First),
        ];
        for (which, at, copies) in damages {
            let mut stream = sample();
            stream[at] ^= 0x10;
            let mut wanted = sound;
            wanted[which].2 = copies;
            assert_eq!(found(&stream), wanted, "{at}");
        }
        // both are sound: nobody can say which is right
        let mut stream = sample();
        put(&mut stream[half..], 0, 80, 0x101, &[9; 61]);
        assert_eq!(
            found(&stream),
            [
                sound[0],
                (0x101, 80, Differ),
                (0x101, 80, Differ),
                sound[2],
                sound[3]
            ]
        );
        // one has another number: the indexes know which is right
        stream = sample();
        stream[80 + 4] = 2;
        assert_eq!(
            found(&stream),
            [
                sound[0],
                (0x101, 80, Second),
                (0x102, 80, First),
                sound[2],
                sound[3]
            ]
        );
        // without its copy at the end of the stream
        stream = sample();
        stream.truncate(3 * half + 20);
        let mut wanted = sound;
        wanted[3].2 = First;
        assert_eq!(found(&stream), wanted);
    }

    #[test]
    fn descriptors_in_each_others_way_are_all_kept() {
        use Copies::Differ;
        let half = HALF as usize;
        let mut stream = vec![0; half + 400];
        put(&mut stream, 0, 0, 0x100, &[1; 100]);
        put(&mut stream[half..], 0, 64, 0x101, &[2; 100]);
        assert_eq!(found(&stream), [(0x100, 0, Differ), (0x101, 64, Differ)]);
    }

    #[test]
    fn lengths_that_lie_cost_some_passes_only() {
        let half = HALF as usize;
        let mut stream = vec![0; half];
        for at in (0..half - 64).step_by(32) {
            let header = Header {
                offset: at as u64,
                id: 0x100,
                hash: 1,
                len: (half - at) as u32,
            };
            stream[at..at + HEADER].copy_from_slice(header.encode().as_bytes());
        }
        let mut budget = half * PASSES;
        let mut tried = 0;
        for at in (0..half).step_by(STEP) {
            let before = budget;
            assert_eq!(sound_at(&stream, at, 0, &mut budget), None);
            tried += before - budget;
        }
        assert!(tried <= half * PASSES, "{tried}");
        assert_eq!(found(&stream), []);
    }

    #[test]
    fn of_two_with_one_number_the_listed_one_counts_and_lost_ones_are_known() {
        let header = |offset, id| Header {
            offset,
            id,
            hash: 7,
            len: 60,
        };
        let sound = |header| Descriptor {
            header,
            copies: Copies::Both,
        };
        let entry = |by: By, header: Header| Listed::read(by, &header.entry(by));
        let descriptors = [sound(header(0, 5)), sound(header(64, 5)), sound(header(128, 6))];
        let listed = [
            entry(By::Number, header(64, 5)),
            entry(By::Hash, header(0, 5)),
            entry(By::Hash, header(192, 7)),
            // where another one is
            entry(By::Number, header(0, 8)),
            // where one is that no index has by its number
            entry(By::Number, header(128, 9)),
        ];
        let chosen = Chosen::new(&descriptors, &listed);
        let sound: Vec<_> = chosen.sound.values().map(|found| found.header).collect();
        assert_eq!(sound, [header(64, 5)]);
        let lost = BTreeMap::from([(7, header(192, 7)), (9, header(128, 9))]);
        assert_eq!(chosen.lost, lost);
        let wanted: Vec<bool> = listed.iter().map(|entry| chosen.is_wanted(entry)).collect();
        assert_eq!(wanted, [true, false, true, false, true]);
        let all = [header(64, 5), header(192, 7), header(128, 9)];
        assert_eq!(chosen.entries(By::Hash), all);
        assert_eq!(chosen.entries(By::Number), all);
    }
}
