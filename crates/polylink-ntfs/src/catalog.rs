//! Every file of a volume by one pass over the Master File Table.
//!
//! The table is read from its first byte to its last, by several threads, and no index is looked at: names are taken
//! from the files themselves. So this costs what reading the table costs, and it sees files that no directory leads to.
//! A file takes 42 bytes of memory, each of its names 20 and its text, and each record of the table 4.

mod build;

use std::collections::HashMap;

use polylink_nt::name::Namespace;

use crate::circle::Circle;
use crate::error::{Corrupt, Result};
use crate::file::fits;
use crate::units::{FileReference, RecordNumber};
use crate::volume::Volume;

/// What a catalog row's file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// A file with content.
    File,
    /// A directory.
    Directory,
    /// A symbolic link or a junction, to a file or a directory.
    Link,
}

/// One file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileRow {
    /// Its record and sequence number.
    pub reference: FileReference,
    /// What it is.
    pub kind: FileKind,
    /// It is a directory in which names that differ in case only are different.
    pub case_sensitive: bool,
    /// Names, 8.3 names beside long ones not counted, as its `$FILE_NAME`s say.
    pub links: u16,
    /// Names as the record counts them.
    pub raw_links: u16,
    /// Bytes of its content.
    pub size: u64,
    /// Bytes that its content, or the index blocks of a directory, take outside the record.
    pub allocated: u64,
    /// When its content changed; 100 ns since 1601.
    pub modified: u64,
    /// When it was made; 100 ns since 1601.
    pub created: u64,
}

/// One name of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NameRow<'a> {
    /// Which file.
    pub file: FileIndex,
    /// The directory that the name is in.
    pub parent: FileReference,
    /// The namespace; `None` for a number without a meaning.
    pub namespace: Option<Namespace>,
    /// The name, in WTF-8.
    pub name: &'a [u8],
}

impl NameRow<'_> {
    /// Whether it counts as a name for people.
    #[must_use]
    pub fn is_link(&self) -> bool {
        self.namespace.is_none_or(Namespace::is_link)
    }
}

/// A file in a [`Catalog`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FileIndex(u32);

/// The small figures of a file, as they are packed in memory.
#[derive(Clone, Copy, Debug)]
struct Head {
    /// The record, counted from the segment's first.
    slot: u16,
    sequence: u16,
    raw_links: u16,
    links: u16,
    kind: FileKind,
    case_sensitive: bool,
}

/// The large figures of a file.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    size: u64,
    allocated: u64,
    modified: u64,
    created: u64,
}

/// A name as it is packed in memory.
#[derive(Clone, Copy, Debug)]
struct PackedName {
    parent: u32,
    text: u32,
    /// The file's record, counted from the segment's first.
    slot: u16,
    parent_sequence: u16,
    len: u16,
    namespace: u8,
}

/// What one stretch of the table holds. Stretches have the same number of records, and stay as they were read: nothing
/// is ever copied together.
#[derive(Debug, Default)]
struct Segment {
    /// In the order of the records.
    heads: Vec<Head>,
    sizes: Vec<Sizes>,
    /// In the order of the records.
    names: Vec<PackedName>,
    text: Vec<u8>,
}

/// A name that stands in an extension record, so away from its file.
#[derive(Clone, Copy, Debug)]
struct FarName {
    record: u32,
    name: PackedName,
}

/// All files and names of a volume; see the module.
#[derive(Debug)]
pub struct Catalog {
    segments: Vec<Segment>,
    /// Records of a segment.
    per_segment: u32,
    /// How many names the segments before each one have.
    names_before: Vec<u32>,
    /// In the order of their files' records.
    far_names: Vec<FarName>,
    far_text: Vec<u8>,
    files: usize,
    /// Names by the record of their directory; far names are counted after all others.
    by_parent: Vec<u32>,
    /// Where the names in each record's directory begin in `by_parent`, and one more.
    first_child: Vec<u32>,
    /// Bytes of named streams, of the few files that have some in clusters.
    streams: HashMap<u32, u64>,
    damage: Vec<Corrupt>,
}

const NONE: u32 = u32::MAX;

impl Segment {
    fn head(&self, slot: u16) -> Option<usize> {
        // as many heads as there are slots, where no record is free
        let place = usize::from(slot);
        if self.heads.get(place).is_some_and(|head| head.slot == slot) {
            return Some(place);
        }
        self.heads.binary_search_by_key(&slot, |head| head.slot).ok()
    }
}

impl Catalog {
    /// Reads the table.
    ///
    /// Records that are damaged are left out and told of by [`Catalog::damage`].
    ///
    /// # Errors
    ///
    /// As the device says; [`crate::Unsupported::TooManyRecords`] for a table of more than 2^32 records.
    pub fn read(volume: &Volume) -> Result<Self> {
        build::read(volume)
    }

    /// How many files there are, directories and system files included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files == 0
    }

    /// How many names there are, 8.3 names included.
    #[must_use]
    pub fn name_count(&self) -> usize {
        self.by_parent.len()
    }

    /// The records that could not be read, with what is wrong.
    #[must_use]
    pub fn damage(&self) -> &[Corrupt] {
        &self.damage
    }

    /// Every file, in the order of the table.
    pub fn files(&self) -> impl Iterator<Item = FileIndex> + '_ {
        (0_u32..).zip(&self.segments).flat_map(|(number, segment)| {
            let first = number.saturating_mul(self.per_segment);
            segment
                .heads
                .iter()
                .map(move |head| FileIndex(first.saturating_add(u32::from(head.slot))))
        })
    }

    /// The segment of a record, and its place there.
    fn slot(&self, record: u32) -> Option<(usize, u16)> {
        let segment = record.checked_div(self.per_segment)?;
        let slot = record.checked_rem(self.per_segment)?;
        Some((place(segment), u16::try_from(slot).ok()?))
    }

    /// One file.
    #[must_use]
    pub fn file(&self, index: FileIndex) -> Option<FileRow> {
        let (segment, slot) = self.slot(index.0)?;
        let segment = self.segments.get(segment)?;
        let at = segment.head(slot)?;
        let (head, sizes) = (segment.heads.get(at)?, segment.sizes.get(at)?);
        Some(FileRow {
            reference: FileReference::new(RecordNumber(u64::from(index.0)), head.sequence),
            kind: head.kind,
            case_sensitive: head.case_sensitive,
            links: head.links,
            raw_links: head.raw_links,
            size: sizes.size,
            allocated: sizes.allocated,
            modified: sizes.modified,
            created: sizes.created,
        })
    }

    /// Bytes that a file's named streams take outside the record.
    #[must_use]
    pub fn streams_allocated(&self, index: FileIndex) -> u64 {
        self.streams.get(&index.0).copied().unwrap_or(0)
    }

    /// The file of a record, where that is a base record in use.
    #[must_use]
    pub fn find(&self, record: RecordNumber) -> Option<FileIndex> {
        let record = u32::try_from(record.0).ok()?;
        let (segment, slot) = self.slot(record)?;
        self.segments.get(segment)?.head(slot)?;
        Some(FileIndex(record))
    }

    /// The file that a reference leads to, where its sequence number still fits.
    #[must_use]
    pub fn resolve(&self, reference: FileReference) -> Option<FileIndex> {
        let index = self.find(reference.record())?;
        let (segment, slot) = self.slot(index.0)?;
        let segment = self.segments.get(segment)?;
        let head = segment.heads.get(segment.head(slot)?)?;
        fits(reference, head.sequence).then_some(index)
    }

    /// One name by its number. `segment` is the one to try first, and becomes the one that it is in.
    fn name(&self, number: u32, segment: &mut usize) -> Option<NameRow<'_>> {
        let begins = |index: usize| self.names_before.get(index).copied();
        let is_near = begins(*segment).is_some_and(|first| first <= number)
            && begins(segment.saturating_add(1)).is_none_or(|next| number < next);
        if !is_near {
            let after = self.names_before.partition_point(|&before| before <= number);
            *segment = after.checked_sub(1)?;
        }
        let index = *segment;
        let local = place(number.checked_sub(*self.names_before.get(index)?)?);
        match self.segments.get(index) {
            Some(segment) => {
                let first = u32::try_from(index).ok()?.saturating_mul(self.per_segment);
                let name = segment.names.get(local)?;
                row(name, first.saturating_add(u32::from(name.slot)), &segment.text)
            }
            None => {
                let far = self.far_names.get(local)?;
                row(&far.name, far.record, &self.far_text)
            }
        }
    }

    /// The names of a file, 8.3 names included.
    pub fn names_of(&self, index: FileIndex) -> impl Iterator<Item = NameRow<'_>> {
        let near = self.slot(index.0).and_then(|(segment, slot)| {
            let segment = self.segments.get(segment)?;
            let start = segment.names.partition_point(|name| name.slot < slot);
            let rest = segment.names.get(start..)?;
            let len = rest.partition_point(|name| name.slot == slot);
            Some((rest.get(..len)?, segment.text.as_slice()))
        });
        let (near, text) = near.unwrap_or_default();
        let start = self.far_names.partition_point(|far| far.record < index.0);
        let rest = self.far_names.get(start..).unwrap_or_default();
        let len = rest.partition_point(|far| far.record == index.0);
        let far = rest.get(..len).unwrap_or_default();
        near.iter()
            .filter_map(move |name| row(name, index.0, text))
            .chain(
                far.iter()
                    .filter_map(|far| row(&far.name, far.record, &self.far_text)),
            )
    }

    /// The names in a directory, 8.3 names included, in the order of the table.
    ///
    /// Names that lead to an earlier directory of the same record are not among them.
    pub fn children(&self, directory: FileIndex) -> impl Iterator<Item = NameRow<'_>> {
        let sequence = self.file(directory).map_or(0, |row| row.reference.sequence());
        let at = |index: usize| self.first_child.get(index).copied().map_or(0, place);
        let start = at(place(directory.0));
        let end = at(place(directory.0).saturating_add(1));
        let mut segment = 0;
        self.by_parent
            .get(start..end)
            .unwrap_or_default()
            .iter()
            .filter_map(move |&number| self.name(number, &mut segment))
            .filter(move |name| fits(name.parent, sequence))
    }

    /// The path of a name, its components joined by `/`, from the root; `None` where no directory leads there.
    #[must_use]
    pub fn path_of(&self, name: &NameRow<'_>) -> Option<Vec<u8>> {
        let mut parts = vec![name.name];
        let mut parent = name.parent;
        let mut circle = Circle::new();
        // no path is deeper than its longest form is long
        for _ in 0..DEEPEST {
            if circle.closes_at(parent.record()) {
                return None;
            }
            let directory = self.resolve(parent)?;
            if parent.record() == RecordNumber::ROOT {
                let mut path = Vec::new();
                for part in parts.iter().rev() {
                    path.push(b'/');
                    path.extend_from_slice(part);
                }
                return Some(path);
            }
            let above = self.names_of(directory).find(NameRow::is_link)?;
            parts.push(above.name);
            parent = above.parent;
        }
        None
    }
}

/// A path has at most 32,767 units, so at most half as many components.
const DEEPEST: usize = 16_384;

/// A packed name, taken apart.
fn row<'a>(name: &PackedName, record: u32, text: &'a [u8]) -> Option<NameRow<'a>> {
    let start = place(name.text);
    Some(NameRow {
        file: FileIndex(record),
        parent: FileReference::new(RecordNumber(u64::from(name.parent)), name.parent_sequence),
        namespace: Namespace::from_byte(name.namespace),
        name: text.get(start..start.saturating_add(usize::from(name.len)))?,
    })
}

/// A 32-bit place as an index into memory.
fn place(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}
