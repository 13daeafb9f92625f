//! Indexes: their blocks, their order, and the entries of directories.

use std::cmp::Ordering;
use std::collections::HashMap;

use zerocopy::FromBytes as _;

use super::issue::{Issue, IssueKind, Spot, text};
use super::names::Key;
use super::states::State;
use super::{Audit, Part, corrupt};
use crate::device::Device;
use crate::error::{Corrupt, CorruptKind, Error, Result, Unsupported};
use crate::file::File;
use crate::fixup;
use crate::index::{I30, Node, RawEntry};
use crate::layout::attribute::AttributeKind;
use crate::layout::index::{IndexBlock, IndexRoot};
use crate::record::Attribute;
use crate::secure::By;
use crate::stream::Stream;
use crate::units::{FileReference, RecordNumber};
use crate::views::View;

/// A tree of 2^64 names would not be deeper.
const DEPTH: usize = 64;
/// An index up to so many bytes is read at once. The larger ones are read block by block: their reads are many enough
/// for the reading ahead of the system, and memory stays bounded.
const AT_ONCE: u64 = 16 << 20;
const BLOCK_SIZES: std::ops::RangeInclusive<u32> = 256..=65_536;
/// Where the entries of a root begin to count.
const ROOT_HEADER: u64 = 16;
/// The same of a block.
const BLOCK_HEADER: u64 = 24;

/// An entry that was met: the file, the key, and where in the index of names it is.
pub(super) type OnEntry<'a> = &'a mut dyn FnMut(FileReference, &Key<'_>, Spot);

impl Audit<'_> {
    /// Walks an index that lies in its record as a whole, its value `offset` bytes behind the beginning.
    pub(super) fn small_index(&self, directory: FileReference, root: &[u8], offset: u64, part: &mut Part) {
        let mut targets = Vec::new();
        let mut tree = Tree::new(self, directory, &I30, part);
        tree.counting = true;
        tree.root_at = offset;
        tree.walk(root, &Blocks::None, None, &mut |file, key, spot| {
            self.entry(directory, file, key, spot, &mut targets);
        });
        let damaged = tree.damaged;
        part.issues.append(&mut targets);
        if damaged {
            self.states.mark(directory.record(), State::UNSEEN);
        }
    }

    /// Walks all indexes of a record.
    pub(super) fn indexes(&self, number: RecordNumber, part: &mut Part) {
        let mut targets = Vec::new();
        let own = self.states.seen(number).map_or(0, |seen| seen.sequence);
        let directory = FileReference::new(number, own);
        let whole = self.each_index(number, part, true, &mut |file, key, spot| {
            self.entry(directory, file, key, spot, &mut targets);
        });
        part.issues.append(&mut targets);
        if !whole {
            self.states.mark(number, State::UNSEEN);
        }
    }

    /// Takes one entry of a directory into account.
    fn entry(
        &self,
        directory: FileReference,
        file: FileReference,
        key: &Key<'_>,
        spot: Spot,
        issues: &mut Vec<Issue>,
    ) {
        let issue = |kind| {
            Issue::new(kind)
                .in_record(directory.record())
                .in_index(&I30, spot)
        };
        if !self.states.take(file, directory, key) {
            let kind = IssueKind::EntryTarget {
                expected: file,
                found: "beyond the table",
                name: key.text(),
            };
            issues.push(issue(kind));
        }
        if key.parent != directory {
            let kind = IssueKind::EntryParent {
                expected: directory,
                found: key.parent,
                name: key.text(),
            };
            issues.push(issue(kind));
        }
    }

    /// Hands over every entry of the index of file names of a record, and looks at all indexes of it on the way.
    ///
    /// Answers whether all entries were seen.
    pub(super) fn each_index(
        &self,
        number: RecordNumber,
        part: &mut Part,
        counting: bool,
        visit: OnEntry<'_>,
    ) -> bool {
        // what is wrong with the record or its list was said where those were looked at
        let Ok(file) = self.volume.file(number) else {
            return false;
        };
        let roots: Vec<(Vec<u16>, u64)> = file
            .attributes()
            .flatten()
            .filter(|(_, attribute)| attribute.kind() == AttributeKind::INDEX_ROOT)
            .map(|(_, attribute)| (attribute.name(), value_at(&attribute)))
            .collect();
        let mut whole = true;
        for (name, root_at) in &roots {
            let index = Opened {
                file: &file,
                name,
                root_at: *root_at,
                view: None,
            };
            let seen = self.one_index(&index, part, counting, visit);
            whole &= seen || name != &I30;
            if number == RecordNumber::SECURE && counting {
                part.secure.index(name, seen);
            }
        }
        whole && (roots.iter().any(|(name, _)| name == &I30) || !file.is_directory())
    }

    /// Keeps all entries of an index of object ids or of reparse points, and says nothing of it.
    ///
    /// Answers whether all entries were seen.
    pub(super) fn entries_of(&self, file: &File, view: View, root: &Attribute<'_>, part: &mut Part) -> bool {
        let index = Opened {
            file,
            name: view.units(),
            root_at: value_at(root),
            view: Some(view),
        };
        self.one_index(&index, part, false, &mut |_, _, _| {})
    }

    fn one_index(&self, index: &Opened<'_>, part: &mut Part, counting: bool, visit: OnEntry<'_>) -> bool {
        let Opened {
            file,
            name,
            root_at,
            view,
        } = *index;
        let number = file.number();
        let mut report = |error: &Error| part.issues.extend(corrupt::of_error(error, number));
        let stream = |kind| file.stream(self.volume, kind, name);
        let root = match stream(AttributeKind::INDEX_ROOT) {
            Ok(Some(stream)) => stream.resident_value().unwrap_or_default().to_vec(),
            _ => return false,
        };
        let blocks = match stream(AttributeKind::INDEX_ALLOCATION) {
            Ok(blocks) => blocks,
            // a dump of the table: entries in blocks are elsewhere
            Err(Error::Unsupported(Unsupported::TableOnly)) => return false,
            // the runs were looked at with the record; the sizes of parts with the list
            Err(_) => return false,
        };
        let bitmap = match stream(AttributeKind::BITMAP) {
            Ok(None) => None,
            Ok(Some(bitmap)) => match self.volume.read_all(&bitmap) {
                Ok(bits) => Some(bits),
                Err(error) => {
                    report(&error);
                    return false;
                }
            },
            Err(_) => return false,
        };
        let mut tree = Tree::new(self, file.reference(), name, part);
        tree.counting = counting;
        if number == RecordNumber::SECURE && counting {
            tree.secure = By::of_name(name);
        }
        tree.view = view;
        tree.root_at = root_at;
        let loaded = match &blocks {
            None => Blocks::None,
            Some(stream) => tree.load(stream, &root, self.volume.device()),
        };
        if blocks.is_some() && bitmap.is_none() {
            tree.complain(
                None,
                IssueKind::AttributeMissing {
                    expected: AttributeKind::BITMAP,
                    found: "none",
                },
            );
        }
        tree.walk(&root, &loaded, bitmap.as_deref(), visit);
        !tree.damaged
    }
}

/// An index of a file.
#[derive(Clone, Copy, Debug)]
struct Opened<'a> {
    file: &'a File,
    name: &'a [u16],
    root_at: u64,
    /// Its entries are kept.
    view: Option<View>,
}

/// Where in its record the value of an index root begins: behind its header and its name.
pub(super) fn value_at(root: &Attribute<'_>) -> u64 {
    const HEADER: usize = 24;
    let name = root.name_bytes().len().next_multiple_of(8);
    let at = root.offset().saturating_add(HEADER).saturating_add(name);
    u64::try_from(at).unwrap_or(u64::MAX)
}

/// The blocks of an index.
#[derive(Debug)]
enum Blocks<'s> {
    None,
    /// All of them, their update sequences undone where that could be.
    Loaded {
        bytes: Vec<u8>,
        bad: HashMap<u64, Corrupt>,
    },
    Streamed(&'s Stream),
}

/// The walk over one index.
#[derive(Debug)]
struct Tree<'a, 'v> {
    audit: &'a Audit<'v>,
    directory: FileReference,
    name: &'a [u16],
    part: &'a mut Part,
    is_names: bool,
    rule: u32,
    /// Where in its record the root is.
    root_at: u64,
    block_size: u32,
    unit: u32,
    count: u64,
    visited: Bits,
    /// The keys met last: as units of a name, or as bytes.
    last: Vec<u16>,
    next: Vec<u16>,
    last_key: Vec<u8>,
    /// The index is one of security descriptors, and its entries are kept.
    secure: Option<By>,
    /// The index is one of object ids or of reparse points, and its entries are kept.
    view: Option<View>,
    /// Entries are counted, and issues kept: not so on the second walk.
    counting: bool,
    damaged: bool,
}

impl<'a, 'v> Tree<'a, 'v> {
    fn new(audit: &'a Audit<'v>, directory: FileReference, name: &'a [u16], part: &'a mut Part) -> Self {
        Self {
            audit,
            directory,
            name,
            part,
            is_names: name == I30,
            rule: 0,
            root_at: 0,
            block_size: 0,
            unit: 1,
            count: 0,
            visited: Bits::default(),
            last: Vec::new(),
            next: Vec::new(),
            last_key: Vec::new(),
            secure: None,
            view: None,
            counting: false,
            damaged: false,
        }
    }

    fn complain(&mut self, at: Option<Spot>, kind: IssueKind) {
        if self.counting {
            let issue = Issue::new(kind).in_record(self.directory.record());
            self.part.issues.push(match at {
                Some(spot) => issue.in_index(self.name, spot),
                None => issue,
            });
        }
    }

    /// Complains of something behind which entries are hidden.
    fn lose(&mut self, at: Spot, kind: IssueKind) {
        self.damaged = true;
        self.complain(Some(at), kind);
    }

    /// Blocks side by side in the unit that their places are counted in.
    fn per_block(&self) -> u64 {
        let unit = u64::from(self.unit);
        u64::from(self.block_size).checked_div(unit).unwrap_or(1).max(1)
    }

    fn set_sizes(&mut self, root: &[u8]) -> bool {
        let Ok((header, _)) = IndexRoot::read_from_prefix(root) else {
            return false;
        };
        let size = header.block_size.get();
        self.rule = header.collation.get();
        if !size.is_power_of_two() || !BLOCK_SIZES.contains(&size) {
            return false;
        }
        self.block_size = size;
        self.unit = self
            .audit
            .volume
            .geometry()
            .map_or(512, |geometry| geometry.index_unit(size));
        true
    }

    /// Reads the blocks, if there are not too many. None are believed in beyond what the device could hold.
    fn load<'s>(&mut self, stream: &'s Stream, root: &[u8], device: &dyn Device) -> Blocks<'s> {
        if !self.set_sizes(root) {
            return Blocks::None;
        }
        let block = u64::from(self.block_size);
        let room = device.size();
        self.count = stream.size().min(room).checked_div(block).unwrap_or(0);
        self.visited = Bits::new(self.count);
        let size = self.count.saturating_mul(block);
        if size > AT_ONCE {
            return Blocks::Streamed(stream);
        }
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
        match stream.read(device, 0, &mut bytes) {
            Ok(read) if read == bytes.len() => {}
            _ => return Blocks::Streamed(stream),
        }
        let mut bad = HashMap::new();
        let step = usize::try_from(self.block_size).unwrap_or(1).max(1);
        for (block, bytes) in (0..).zip(bytes.chunks_exact_mut(step)) {
            // blocks that were never used are zeros
            if bytes.starts_with(b"INDX")
                && let Err(found) = fixup::undo(bytes, *b"INDX")
            {
                bad.insert(block, found);
            }
        }
        Blocks::Loaded { bytes, bad }
    }

    fn walk(&mut self, root: &[u8], blocks: &Blocks<'_>, bitmap: Option<&[u8]>, visit: OnEntry<'_>) {
        let root_at = Spot {
            block: None,
            offset: self.root_at,
        };
        let Ok((header, rest)) = IndexRoot::read_from_prefix(root) else {
            self.damaged = true;
            return;
        };
        if self.is_names {
            let rules = [
                (
                    header.indexed_kind.get(),
                    AttributeKind::FILE_NAME.0,
                    "type of attribute",
                ),
                (header.collation.get(), 1, "order"),
            ];
            for (found, expected, what) in rules.into_iter().filter(|(found, wanted, _)| found != wanted) {
                self.complain(
                    Some(root_at),
                    IssueKind::IndexRule {
                        expected,
                        found,
                        what,
                    },
                );
            }
        }
        if !self.set_sizes(root) {
            let found = header.block_size.get();
            self.lose(
                root_at,
                IssueKind::IndexBlockSize {
                    expected: "a power of two from 256 to 65536",
                    found,
                },
            );
            return;
        }
        self.node(rest, blocks, root_at.behind(ROOT_HEADER), DEPTH, visit);
        if let Some(bitmap) = bitmap {
            self.bitmap(bitmap);
        }
    }

    /// Looks at the bits of the blocks.
    fn bitmap(&mut self, bitmap: &[u8]) {
        let per_block = self.per_block();
        for block in 0..self.count {
            let byte = usize::try_from(block / 8).ok().and_then(|at| bitmap.get(at));
            let marked = byte.is_some_and(|byte| byte >> (block % 8) & 1 != 0);
            let reached = self.visited.has(block);
            let found = block.saturating_mul(per_block);
            let at = Some(Spot {
                block: Some(found),
                offset: 0,
            });
            if reached && !marked {
                self.complain(
                    at,
                    IssueKind::BlockMarkedFree {
                        expected: "marked as used",
                        found,
                    },
                );
            }
            // behind damage there may well be blocks that no entry is known to lead to
            if marked && !reached && !self.damaged {
                self.complain(
                    at,
                    IssueKind::BlockUnreachable {
                        expected: "an entry that leads to it",
                        found,
                    },
                );
            }
        }
    }

    /// Looks at one node; its header begins `at` in the index.
    fn node(&mut self, bytes: &[u8], blocks: &Blocks<'_>, at: Spot, depth: usize, visit: OnEntry<'_>) {
        let node = match Node::parse(bytes) {
            Ok(node) => node,
            Err(found) => {
                self.lose(at, node_kind(&found));
                return;
            }
        };
        let mut end = None;
        let mut children = 0_u32;
        let mut entries = 0_u32;
        for entry in node.entries() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(found) => {
                    self.lose(at, node_kind(&found));
                    return;
                }
            };
            entries = entries.saturating_add(1);
            if let Some(vcn) = entry.child {
                children = children.saturating_add(1);
                self.child(vcn, blocks, at, depth, visit);
            }
            if let Some(key) = entry.key {
                self.key(&entry, key, at, visit);
                self.keep(&entry, bytes, at);
            }
            end = Some(entry.offset.saturating_add(entry.len));
        }
        let called = |children| {
            if children { "one with children" } else { "a leaf" }
        };
        // an entry without a child hides nothing; a flag that says otherwise leads drivers astray
        if children != if node.has_children() { entries } else { 0 } {
            self.complain(
                Some(at),
                IssueKind::NodeFlags {
                    expected: if children == entries || children == 0 {
                        called(children > 0)
                    } else {
                        "both"
                    },
                    found: called(node.has_children()),
                },
            );
        }
        let used = u64::try_from(end.unwrap_or(0)).unwrap_or(u64::MAX);
        if used != u64::from(node.used()) {
            self.complain(
                Some(at),
                IssueKind::NodeBounds {
                    expected: used,
                    found: u64::from(node.used()),
                    what: "the end of the entries",
                },
            );
        }
    }

    /// Goes down to a child.
    fn child(&mut self, vcn: u64, blocks: &Blocks<'_>, from: Spot, depth: usize, visit: OnEntry<'_>) {
        let per_block = self.per_block();
        let block = vcn.checked_div(per_block).unwrap_or(0);
        if block >= self.count || !vcn.is_multiple_of(per_block) {
            self.lose(
                from,
                IssueKind::BlockMissing {
                    expected: self.count.saturating_mul(per_block),
                    found: vcn,
                },
            );
            return;
        }
        if depth == 0 || !self.visited.mark(block) {
            self.lose(
                from,
                IssueKind::BlockTwice {
                    expected: "each block once",
                    found: vcn,
                },
            );
            return;
        }
        let at = Spot {
            block: Some(vcn),
            offset: 0,
        };
        let mut buffer = Vec::new();
        let bytes = match self.block(block, blocks, &mut buffer) {
            Ok(bytes) => bytes,
            Err(Error::Corrupt(found)) => {
                self.lose(at, corrupt::kind_of(&found));
                return;
            }
            Err(_) => {
                self.lose(
                    at,
                    IssueKind::Unreadable {
                        expected: u64::from(self.block_size),
                        found: 0,
                    },
                );
                return;
            }
        };
        let Ok((header, rest)) = IndexBlock::read_from_prefix(bytes) else {
            return;
        };
        if header.vcn.get() != vcn {
            self.complain(
                Some(at),
                IssueKind::BlockPlace {
                    expected: vcn,
                    found: header.vcn.get(),
                },
            );
        }
        self.node(
            rest,
            blocks,
            at.behind(BLOCK_HEADER),
            depth.saturating_sub(1),
            visit,
        );
    }

    /// The bytes of a block, its update sequence undone.
    fn block<'b>(&self, block: u64, blocks: &'b Blocks<'_>, buffer: &'b mut Vec<u8>) -> Result<&'b [u8]> {
        let size = usize::try_from(self.block_size).unwrap_or(0);
        let signed = |bytes: &[u8]| match bytes.first_chunk::<4>() {
            Some(b"INDX") => Ok(()),
            found => Err(Error::from(CorruptKind::Signature {
                found: found.copied().unwrap_or_default(),
                wanted: *b"INDX",
            })),
        };
        match blocks {
            Blocks::None => Err(CorruptKind::NoSuchBlock { vcn: block }.into()),
            Blocks::Loaded { bytes, bad } => {
                let bytes = usize::try_from(block)
                    .ok()
                    .and_then(|block| bytes.chunks_exact(size.max(1)).nth(block))
                    .unwrap_or_default();
                signed(bytes)?;
                match bad.get(&block) {
                    Some(found) => Err(found.clone().into()),
                    None => Ok(bytes),
                }
            }
            Blocks::Streamed(stream) => {
                buffer.resize(size, 0);
                let offset = block.saturating_mul(u64::from(self.block_size));
                stream.read(self.audit.volume.device(), offset, buffer)?;
                signed(buffer)?;
                fixup::undo(buffer, *b"INDX")?;
                Ok(buffer)
            }
        }
    }

    /// Looks at an entry with a key, and hands it over.
    fn key(&mut self, entry: &RawEntry<'_>, bytes: &[u8], at: Spot, visit: OnEntry<'_>) {
        let spot = at.behind(u64::try_from(entry.offset).unwrap_or(0));
        if !self.is_names {
            self.other_key(bytes, spot);
            return;
        }
        let key = match Key::parse(bytes) {
            Ok(key) => key,
            Err(found) => {
                self.lose(
                    at,
                    IssueKind::IndexEntry {
                        expected: "an entry with its key",
                        found,
                        entry: u64::try_from(entry.offset).unwrap_or(0),
                    },
                );
                return;
            }
        };
        self.part.counts.entries = self.part.counts.entries.saturating_add(u64::from(self.counting));
        let (pairs, _) = key.name.as_chunks::<2>();
        self.next.clear();
        self.next
            .extend(pairs.iter().map(|&pair| u16::from_le_bytes(pair)));
        if !self.last.is_empty() {
            let mut order = self.audit.upcase.collate(&self.last, &self.next);
            if order == Ordering::Equal {
                // names that differ in case only: by their units
                order = self.last.cmp(&self.next);
            }
            match order {
                Ordering::Less => {}
                Ordering::Equal => {
                    let found = key.text();
                    self.complain(
                        Some(spot),
                        IssueKind::EntryTwice {
                            expected: "each name once",
                            found,
                        },
                    );
                }
                Ordering::Greater => {
                    let (expected, found) = (text(&self.last), key.text());
                    self.complain(Some(spot), IssueKind::IndexOrder { expected, found });
                }
            }
        }
        std::mem::swap(&mut self.last, &mut self.next);
        visit(entry.reference, &key, spot);
    }

    /// Keeps an entry of an index that is compared with files later.
    fn keep(&mut self, entry: &RawEntry<'_>, node: &[u8], at: Spot) {
        if self.secure.is_none() && self.view.is_none() {
            return;
        }
        let end = entry.offset.saturating_add(entry.len);
        let bytes = node.get(entry.offset..end).unwrap_or_default();
        let spot = at.behind(u64::try_from(entry.offset).unwrap_or(0));
        if let Some(by) = self.secure {
            self.part.secure.entry(by, bytes, spot);
        }
        if let Some(view) = self.view {
            self.part.view.entry(view, bytes, spot);
        }
    }

    /// A key of an index other than that of file names.
    fn other_key(&mut self, bytes: &[u8], spot: Spot) {
        if !self.last_key.is_empty()
            && !bytes.is_empty()
            && order(self.rule, &self.last_key, bytes) == Some(Ordering::Greater)
        {
            let (expected, found) = (hex(&self.last_key), hex(bytes));
            self.complain(Some(spot), IssueKind::IndexOrder { expected, found });
        }
        self.last_key.clear();
        self.last_key.extend_from_slice(bytes);
    }
}

/// The order of keys by a rule of collation; `None` for rules that are not known here (that of SIDs).
fn order(rule: u32, a: &[u8], b: &[u8]) -> Option<Ordering> {
    let words = |bytes: &[u8]| -> Vec<u32> {
        let (words, _) = bytes.as_chunks::<4>();
        words.iter().map(|&word| u32::from_le_bytes(word)).collect()
    };
    match rule {
        0x00 => Some(a.cmp(b)),
        0x10 | 0x12 | 0x13 => Some(words(a).cmp(&words(b))),
        _ => None,
    }
}

/// The beginning of a key, for messages.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Damage in a node.
fn node_kind(found: &CorruptKind) -> IssueKind {
    match *found {
        CorruptKind::Outside { what, end, limit } => IssueKind::NodeBounds {
            expected: limit,
            found: end,
            what,
        },
        ref other => corrupt::kind_of(&Corrupt::new(other.clone())),
    }
}

/// Which blocks were met.
#[derive(Debug, Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn new(blocks: u64) -> Self {
        Self(vec![0; usize::try_from(blocks.div_ceil(64)).unwrap_or(0)])
    }

    fn has(&self, block: u64) -> bool {
        let word = usize::try_from(block / 64).ok().and_then(|at| self.0.get(at));
        word.is_some_and(|word| word >> (block % 64) & 1 != 0)
    }

    /// `false` where it was marked before.
    fn mark(&mut self, block: u64) -> bool {
        let Some(word) = usize::try_from(block / 64).ok().and_then(|at| self.0.get_mut(at)) else {
            return false;
        };
        let bit = 1_u64 << (block % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_other_indexes_have_their_own_orders() {
        // the hash of a descriptor comes before its number; both are little-endian
        assert_eq!(
            order(0x12, &[0, 1, 0, 0, 9, 0, 0, 0], &[1, 1, 0, 0, 1, 0, 0, 0]),
            Some(Ordering::Less)
        );
        assert_eq!(
            order(0x10, &[0, 1, 0, 0], &[255, 0, 0, 0]),
            Some(Ordering::Greater)
        );
        assert_eq!(order(0x00, &[1, 2], &[1, 3]), Some(Ordering::Less));
        assert_eq!(order(0x11, &[1], &[2]), None);
    }
}
