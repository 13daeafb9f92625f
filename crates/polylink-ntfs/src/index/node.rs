//! One node of an index: a list of entries.

use zerocopy::FromBytes as _;

use crate::error::CorruptKind;
use crate::layout::index::{EntryFlags, IndexEntry, IndexHeader};
use crate::units::FileReference;

/// A node, checked as a whole; its entries are checked one by one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'a> {
    entries: &'a [u8],
    header: IndexHeader,
}

/// One entry of a node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawEntry<'a> {
    /// The file, in a directory.
    pub(crate) reference: FileReference,
    /// The key; `None` in the entry that ends the node.
    pub(crate) key: Option<&'a [u8]>,
    /// Where the smaller entries are.
    pub(crate) child: Option<u64>,
    /// Where it begins, counted from the node's header.
    pub(crate) offset: usize,
    /// Its bytes.
    pub(crate) len: usize,
}

impl<'a> Node<'a> {
    /// The node whose header these bytes begin with.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, CorruptKind> {
        let limit = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let outside = |what, end: u32| CorruptKind::Outside {
            what,
            end: u64::from(end),
            limit,
        };
        let (header, _) = IndexHeader::read_from_prefix(bytes).map_err(|_| outside("a node's header", 16))?;
        let (first, used, allocated) = (
            header.first_entry.get(),
            header.used.get(),
            header.allocated.get(),
        );
        if u64::from(allocated) > limit {
            return Err(outside("the room of a node", allocated));
        }
        if used > allocated {
            return Err(CorruptKind::NodeUsed { used, allocated });
        }
        let range = usize::try_from(first).unwrap_or(usize::MAX)..usize::try_from(used).unwrap_or(usize::MAX);
        let entries = bytes
            .get(range)
            .ok_or_else(|| outside("the first entry of a node", first))?;
        if first < 16 {
            return Err(outside("the first entry of a node", first));
        }
        Ok(Self { entries, header })
    }

    /// Whether it has children.
    pub(crate) fn has_children(&self) -> bool {
        self.header.flags & 1 != 0
    }

    /// Where its header says that the entries end.
    pub(crate) fn used(&self) -> u32 {
        self.header.used.get()
    }

    /// Its entries, the ending one included. After an error there are no more.
    pub(crate) fn entries(&self) -> Entries<'a> {
        Entries {
            bytes: self.entries,
            at: 0,
            base: usize::try_from(self.header.first_entry.get()).unwrap_or(0),
            done: false,
        }
    }
}

/// The entries of a node.
#[derive(Clone, Debug)]
pub(crate) struct Entries<'a> {
    bytes: &'a [u8],
    at: usize,
    base: usize,
    done: bool,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<RawEntry<'a>, CorruptKind>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let entry = self.parse();
        match &entry {
            Ok((entry, len)) if entry.key.is_some() => self.at = self.at.saturating_add(*len),
            _ => self.done = true,
        }
        Some(entry.map(|(entry, _)| entry))
    }
}

impl<'a> Entries<'a> {
    fn parse(&self) -> Result<(RawEntry<'a>, usize), CorruptKind> {
        let offset = self.base.saturating_add(self.at);
        let damage = |what| CorruptKind::IndexEntry { offset, what };
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let (header, _) = IndexEntry::read_from_prefix(rest)
            .map_err(|_| damage("the node ends without its ending entry"))?;
        let len = usize::from(header.len.get());
        if len < size_of::<IndexEntry>() || !len.is_multiple_of(8) {
            return Err(damage("its length is below 16 or no multiple of 8"));
        }
        let bytes = rest
            .get(..len)
            .ok_or_else(|| damage("it leads out of the node"))?;
        let flags = EntryFlags::from_bits_retain(header.flags.get());
        let child = if flags.contains(EntryFlags::HAS_CHILD) {
            let place = bytes.last_chunk::<8>().filter(|_| len >= 24);
            Some(u64::from_le_bytes(
                *place.ok_or_else(|| damage("it has no room for its child"))?,
            ))
        } else {
            None
        };
        let key = if flags.contains(EntryFlags::END) {
            None
        } else {
            let end = size_of::<IndexEntry>().saturating_add(usize::from(header.key_len.get()));
            let room = len.saturating_sub(if child.is_some() { 8 } else { 0 });
            let key = bytes.get(size_of::<IndexEntry>()..end).filter(|_| end <= room);
            Some(key.ok_or_else(|| damage("its key is longer than the entry"))?)
        };
        Ok((
            RawEntry {
                reference: FileReference(header.reference.get()),
                key,
                child,
                offset,
                len,
            },
            len,
        ))
    }
}
