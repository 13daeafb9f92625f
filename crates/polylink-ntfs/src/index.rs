//! Indexes of directories: B+ trees of file names.

mod node;

use std::cmp::Ordering;
use std::collections::HashSet;

use polylink_nt::upcase::UpcaseTable;
use zerocopy::FromBytes as _;

use crate::error::{Corrupt, CorruptKind, Error, Result, Unsupported};
use crate::file::{File, FileName};
use crate::fixup;
use crate::layout::attribute::AttributeKind;
use crate::layout::index::{IndexBlock, IndexRoot};
use crate::stream::Stream;
use crate::units::{FileReference, RecordNumber};
use crate::volume::Volume;

pub(crate) use node::{Node, RawEntry};

/// The name of the index that a directory has: `$I30`.
pub const I30: [u16; 4] = [0x24, 0x49, 0x33, 0x30];

const BY_FILE_NAME: u32 = 1;
/// A tree of 2^64 names would not be deeper.
const DEPTH: usize = 64;
const MIN_BLOCK: u32 = 256;
const MAX_BLOCK: u32 = 64 << 10;

/// One entry of a directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The file.
    pub file: FileReference,
    /// The name, with what was known of the file when it was last written.
    pub name: FileName,
}

/// When two names are the same in a directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Case {
    /// When they differ in case only.
    Ignored,
    /// When every unit is the same: the directory is case-sensitive, or POSIX asks.
    Minded,
}

/// The index of a directory, opened to be read.
#[derive(Debug)]
pub struct Index<'v> {
    volume: &'v Volume,
    directory: RecordNumber,
    case: Case,
    root: Vec<u8>,
    blocks: Option<Stream>,
    block_size: u32,
    unit: u32,
}

impl<'v> Index<'v> {
    /// Opens the index of file names of a directory.
    ///
    /// # Errors
    ///
    /// Where the file has none (it is no directory), or its root is damaged.
    pub fn open(volume: &'v Volume, directory: &File) -> Result<Self> {
        let inside = |error: Error| error.in_record(directory.number());
        let kind = AttributeKind::INDEX_ROOT;
        let root = directory
            .stream(volume, kind, &I30)?
            .ok_or_else(|| inside(CorruptKind::Missing { kind }.into()))?;
        let Some(root) = root.resident_value() else {
            return Err(inside(CorruptKind::NotResident { kind }.into()));
        };
        let (header, _) = IndexRoot::read_from_prefix(root).map_err(|_| {
            let what = "it has less than 16 bytes";
            inside(CorruptKind::Value { kind, what }.into())
        })?;
        let rule = header.collation.get();
        if rule != BY_FILE_NAME || header.indexed_kind.get() != AttributeKind::FILE_NAME.0 {
            return Err(Unsupported::Collation { rule }.into());
        }
        let block_size = header.block_size.get();
        if !block_size.is_power_of_two() || !(MIN_BLOCK..=MAX_BLOCK).contains(&block_size) {
            return Err(inside(CorruptKind::IndexBlockSize { found: block_size }.into()));
        }
        let blocks = match directory.stream(volume, AttributeKind::INDEX_ALLOCATION, &I30) {
            // in a dump of the table, what the root holds is all there is to be read
            Err(Error::Unsupported(Unsupported::TableOnly)) => None,
            found => found?,
        };
        Ok(Self {
            volume,
            directory: directory.number(),
            case: if directory.is_case_sensitive() {
                Case::Minded
            } else {
                Case::Ignored
            },
            root: root.to_vec(),
            blocks,
            block_size,
            unit: volume
                .geometry()
                .map_or(512, |geometry| geometry.index_unit(block_size)),
        })
    }

    /// When two names are the same in this directory.
    #[must_use]
    pub fn case(&self) -> Case {
        self.case
    }

    /// Bytes of its blocks.
    #[must_use]
    pub fn block_size(&self) -> u32 {
        self.block_size
    }

    /// How many blocks there may be.
    #[must_use]
    pub fn block_count(&self) -> u64 {
        let size = self.blocks.as_ref().map_or(0, Stream::size);
        size.checked_div(u64::from(self.block_size)).unwrap_or(0)
    }

    fn inside(&self, kind: CorruptKind) -> Error {
        Corrupt::new(kind).in_record(self.directory).into()
    }

    pub(crate) fn root(&self) -> Result<Node<'_>> {
        let entries = self.root.get(size_of::<IndexRoot>()..).unwrap_or_default();
        Node::parse(entries).map_err(|kind| self.inside(kind))
    }

    /// Reads the block at `vcn` into `buffer`, its update sequence undone.
    pub(crate) fn block<'b>(&self, vcn: u64, buffer: &'b mut Vec<u8>) -> Result<Node<'b>> {
        let offset = vcn.saturating_mul(u64::from(self.unit));
        let missing = || self.inside(CorruptKind::NoSuchBlock { vcn });
        let blocks = self.blocks.as_ref().ok_or_else(missing)?;
        buffer.clear();
        buffer.resize(usize::try_from(self.block_size).unwrap_or(0), 0);
        if !offset.is_multiple_of(u64::from(self.block_size))
            || self.volume.read(blocks, offset, buffer)? < buffer.len()
        {
            return Err(missing());
        }
        let within = |corrupt: Corrupt| Error::from(corrupt.in_block(vcn).in_record(self.directory));
        fixup::undo(buffer, *b"INDX").map_err(within)?;
        let (header, rest) = IndexBlock::read_from_prefix(buffer)
            .map_err(|_| within(CorruptKind::NoSuchBlock { vcn }.into()))?;
        let found = header.vcn.get();
        if found != vcn {
            return Err(within(CorruptKind::BlockPlace { found, wanted: vcn }.into()));
        }
        Node::parse(rest).map_err(|kind| within(kind.into()))
    }

    /// Goes down to a block where the walk has not been yet.
    fn enter(&self, vcn: u64, visited: &mut Visited) -> Result<()> {
        let per_block = u64::from(self.block_size)
            .checked_div(u64::from(self.unit))
            .unwrap_or(1)
            .max(1);
        if visited.depth >= DEPTH || !visited.mark(vcn.checked_div(per_block).unwrap_or(0)) {
            return Err(self.inside(CorruptKind::BlockTwice { vcn }));
        }
        visited.depth = visited.depth.saturating_add(1);
        Ok(())
    }

    /// Visits every entry in the order of the index.
    ///
    /// # Errors
    ///
    /// Where a node is damaged, or is reached twice. The entries before it were visited.
    pub fn walk(&self, visit: &mut dyn FnMut(Entry)) -> Result<()> {
        let mut visited = Visited::new(self.block_count());
        self.walk_node(&self.root()?, &mut visited, visit)
    }

    fn walk_node(&self, node: &Node<'_>, visited: &mut Visited, visit: &mut dyn FnMut(Entry)) -> Result<()> {
        for entry in node.entries() {
            let entry = entry.map_err(|kind| self.inside(kind))?;
            if let Some(vcn) = entry.child {
                self.enter(vcn, visited)?;
                let mut buffer = Vec::new();
                let child = self.block(vcn, &mut buffer)?;
                self.walk_node(&child, visited, visit)?;
                visited.depth = visited.depth.saturating_sub(1);
            }
            if let Some(key) = entry.key {
                let name = FileName::parse(key).map_err(|corrupt| corrupt.in_record(self.directory))?;
                visit(Entry {
                    file: entry.reference,
                    name,
                });
            }
        }
        Ok(())
    }

    /// The file and the key of every entry that can be read in whatever node can be, in no order: of a damaged index that
    /// is to be made anew. A block that the bitmap says is free is none of them.
    ///
    /// # Errors
    ///
    /// As the device says.
    pub(crate) fn leftovers(&self) -> Result<Vec<(FileReference, Vec<u8>)>> {
        let mut found = Vec::new();
        let mut take = |node: Result<Node<'_>>| match node {
            Ok(node) => {
                for entry in node.entries().flatten() {
                    found.extend(entry.key.map(|key| (entry.reference, key.to_vec())));
                }
                Ok(())
            }
            Err(Error::Corrupt(_)) => Ok(()),
            Err(error) => Err(error),
        };
        take(self.root())?;
        // holes may be of any size, and hold no blocks
        let most = self
            .volume
            .device()
            .size()
            .checked_div(u64::from(self.block_size))
            .unwrap_or(0);
        let blocks = self.block_count().min(most);
        let bitmap = self
            .volume
            .file(self.directory)
            .and_then(|file| file.stream(self.volume, AttributeKind::BITMAP, &I30));
        let bitmap = match bitmap {
            Ok(Some(stream)) => {
                let len = stream.size().min(blocks.div_ceil(8));
                let mut bits = vec![0; usize::try_from(len).unwrap_or(0)];
                self.volume.read(&stream, 0, &mut bits).ok().map(|read| {
                    bits.truncate(read);
                    bits
                })
            }
            _ => None,
        };
        let per_block = u64::from(self.block_size)
            .checked_div(u64::from(self.unit))
            .unwrap_or(1)
            .max(1);
        let mut buffer = Vec::new();
        for block in 0..blocks {
            let used = bitmap.as_ref().is_none_or(|bits| {
                let byte = usize::try_from(block >> 3).unwrap_or(usize::MAX);
                bits.get(byte).is_some_and(|bits| bits >> (block & 7) & 1 != 0)
            });
            if used {
                take(self.block(block.saturating_mul(per_block), &mut buffer))?;
            }
        }
        Ok(found)
    }

    /// All entries, in the order of the index.
    ///
    /// # Errors
    ///
    /// As [`Index::walk`].
    pub fn entries(&self) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        self.walk(&mut |entry| entries.push(entry))?;
        Ok(entries)
    }

    /// The entry with this name; 8.3 names are found as well. What the directory itself wants is [`Index::case`].
    ///
    /// Where the index holds names that differ in case only, the one that is the same in every unit is preferred.
    ///
    /// # Errors
    ///
    /// Where a node on the way is damaged.
    pub fn find(&self, name: &[u16], case: Case) -> Result<Option<Entry>> {
        let upcase = self.volume.upcase();
        let mut best = None;
        let mut visited = Visited::new(self.block_count());
        // names that differ in case only lie side by side; the exact order leads to the exact name
        self.search(&self.root()?, name, upcase, &mut visited, &mut best)?;
        match (case, best) {
            (Case::Minded, Some(entry)) if entry.name.name != name => Ok(None),
            (_, best) => Ok(best),
        }
    }

    /// Looks at a node and below it; `true` once the name is found that is the same in every unit.
    fn search(
        &self,
        node: &Node<'_>,
        name: &[u16],
        upcase: &UpcaseTable,
        visited: &mut Visited,
        best: &mut Option<Entry>,
    ) -> Result<bool> {
        for entry in node.entries() {
            let entry = entry.map_err(|kind| self.inside(kind))?;
            let key = match entry.key {
                Some(key) => Some(FileName::parse(key).map_err(|corrupt| corrupt.in_record(self.directory))?),
                None => None,
            };
            // the end of a node is greater than every name
            let order = key
                .as_ref()
                .map_or(Ordering::Greater, |key| upcase.collate(&key.name, name));
            if order == Ordering::Less {
                continue;
            }
            if let Some(vcn) = entry.child {
                self.enter(vcn, visited)?;
                let mut buffer = Vec::new();
                let child = self.block(vcn, &mut buffer)?;
                if self.search(&child, name, upcase, visited, best)? {
                    return Ok(true);
                }
                visited.depth = visited.depth.saturating_sub(1);
            }
            let Some(key) = key.filter(|_| order == Ordering::Equal) else {
                return Ok(false);
            };
            let exact = key.name == name;
            if exact || best.is_none() {
                *best = Some(Entry {
                    file: entry.reference,
                    name: key,
                });
            }
            if exact {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Which blocks a walk has been in. It takes memory for those alone: how many there may be is but a number on the volume.
#[derive(Debug)]
struct Visited {
    blocks: u64,
    /// How many levels lie above.
    depth: usize,
    entered: HashSet<u64>,
}

impl Visited {
    fn new(blocks: u64) -> Self {
        Self {
            blocks,
            depth: 0,
            entered: HashSet::new(),
        }
    }

    /// `false` where it was marked before, or does not exist.
    fn mark(&mut self, block: u64) -> bool {
        block < self.blocks && self.entered.insert(block)
    }
}
