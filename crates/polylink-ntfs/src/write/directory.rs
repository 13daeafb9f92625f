//! Where the nodes of an index lie: its root in a record, its blocks in clusters, its bitmap in either.

use std::mem::offset_of;
use std::sync::Arc;

use polylink_nt::NtStatus;

use super::attributes::{self, NoRoom, Part, Sizes};
use super::bits;
use super::bytes::{aligned, get_u16, get_u32, narrow, put, put_u16, put_u32, put_u64, short, size, wide};
use super::cache::{Class, Location};
use super::state::{INDX, State};
use super::tree::{self, Nodes, Place};
use crate::error::{Corrupt, CorruptKind, Error, Result};
use crate::layout::attribute::{AttributeFlags, AttributeKind};
use crate::layout::index::{IndexBlock, IndexHeader, IndexRoot};
use crate::layout::record::MultiSectorHeader;
use crate::record::Attribute;
use crate::runs::RunList;
use crate::secure::By;
use crate::units::{RecordNumber, Vcn};
use crate::views::View;

use super::files::ValuePlace;

mod keys;

pub(crate) use keys::{by_exact_name, by_name, by_numbers, empty_directory, empty_root, name_entry};

/// Which index of a file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum IndexName {
    /// File names: `$I30`.
    Names,
    /// Object ids or reparse points, `$O` of `$ObjId` or `$R` of `$Reparse`.
    View(View),
    /// Security descriptors, `$SII` and `$SDH` of `$Secure`.
    Descriptors(By),
}

impl IndexName {
    pub(crate) fn units(self) -> &'static [u16] {
        match self {
            Self::Names => &crate::index::I30,
            Self::View(view) => view.units(),
            Self::Descriptors(by) => by.units(),
        }
    }
}

/// What is known of an index.
#[derive(Clone, Debug)]
pub(crate) struct DirectoryInfo {
    /// The record that holds the root.
    root: RecordNumber,
    /// Bytes of a block.
    block: usize,
    /// Bytes of a unit of a block's place.
    unit: u64,
    /// Where the blocks lie.
    runs: Arc<RunList>,
    /// How many there are, in use or not.
    blocks: u64,
    /// The bitmap of the blocks; `None` before the first one.
    bitmap: Option<Bitmap>,
    /// No block below this one is free.
    first_free: u64,
}

#[derive(Clone, Debug)]
enum Bitmap {
    /// In a record.
    Record(RecordNumber),
    Clusters(Arc<RunList>),
}

/// What a root or a block has before its entries.
const ROOT_HEADERS: usize = size_of::<IndexRoot>() + size_of::<IndexHeader>();
/// Left free in a record with a root, for longer runs and a longer bitmap.
const SPARE: usize = 48;

/// An index that is being changed.
#[derive(Debug)]
pub(crate) struct Directory<'s> {
    state: &'s mut State,
    number: RecordNumber,
    name: IndexName,
    info: DirectoryInfo,
}

impl State {
    /// Opens the index of a file to be changed.
    ///
    /// # Errors
    ///
    /// Where it has none, or it is damaged.
    pub(crate) fn directory(&mut self, number: RecordNumber, name: IndexName) -> Result<Directory<'_>> {
        let info = match self.directories.get(&(number, name)) {
            Some(info) => info.clone(),
            None => {
                let info = self.directory_info(number, name)?;
                self.directories.insert((number, name), info.clone());
                info
            }
        };
        Ok(Directory {
            state: self,
            number,
            name,
            info,
        })
    }

    fn directory_info(&mut self, number: RecordNumber, name: IndexName) -> Result<DirectoryInfo> {
        let inside = |kind: CorruptKind| Error::from(Corrupt::new(kind).in_record(number));
        let kind = AttributeKind::INDEX_ROOT;
        let root = self
            .parts(number, kind, name.units())?
            .first()
            .copied()
            .ok_or_else(|| inside(CorruptKind::Missing { kind }))?;
        let bytes = self.record(root.record)?;
        let value = attributes::offset_of_id(bytes, root.id)
            .and_then(|at| attributes::attribute_at(bytes, at))
            .and_then(Attribute::parse_one)
            .and_then(|attribute| attribute.resident())
            .filter(|value| value.len() >= ROOT_HEADERS)
            .ok_or_else(|| inside(CorruptKind::NotResident { kind }))?;
        let found = get_u32(value, offset_of!(IndexRoot, block_size));
        let block = size(found);
        if !found.is_power_of_two() || !(512..=65536).contains(&found) {
            return Err(inside(CorruptKind::IndexBlockSize { found }));
        }
        let unit = u64::from(self.geometry.index_unit(found));
        let allocation = self.value(number, AttributeKind::INDEX_ALLOCATION, name.units())?;
        let (runs, blocks) = match allocation.map(|value| value.place) {
            Some(ValuePlace::Clusters(runs, sizes)) => {
                (runs, sizes.size.checked_div(wide(block)).unwrap_or(0))
            }
            _ => (RunList::default(), 0),
        };
        let kind = AttributeKind::BITMAP;
        let bitmap = match self.value(number, kind, name.units())?.map(|value| value.place) {
            Some(ValuePlace::Clusters(runs, _)) => Some(Bitmap::Clusters(Arc::new(runs))),
            Some(ValuePlace::Record(_)) => {
                let parts = self.parts(number, kind, name.units())?;
                parts.first().map(|held| Bitmap::Record(held.record))
            }
            None => None,
        };
        Ok(DirectoryInfo {
            root: root.record,
            block,
            unit,
            runs: Arc::new(runs),
            blocks,
            bitmap,
            first_free: 0,
        })
    }

    /// The value of the root of an index, in the record that has it.
    fn root_value(bytes: &[u8], name: IndexName) -> Option<(usize, &[u8])> {
        attributes::attributes(bytes)
            .flatten()
            .find(|attribute| {
                attribute.kind() == AttributeKind::INDEX_ROOT && attribute.has_name(name.units())
            })
            .and_then(|attribute| Some((attribute.offset(), attribute.resident()?)))
    }
}

impl Directory<'_> {
    fn damaged(&self, kind: CorruptKind) -> Error {
        Corrupt::new(kind).in_record(self.number).into()
    }

    fn missing(&self, kind: AttributeKind) -> Error {
        self.damaged(CorruptKind::Missing { kind })
    }

    fn place(&self, block: u64) -> Result<Location> {
        let missing = || self.damaged(CorruptKind::NoSuchBlock { vcn: block });
        let offset = block.checked_mul(self.info.unit).ok_or_else(missing)?;
        if !offset.is_multiple_of(wide(self.info.block)) {
            return Err(missing());
        }
        let cluster = self.state.geometry.cluster;
        Location::in_runs(&self.info.runs, cluster, offset, self.info.block).ok_or_else(missing)
    }

    /// Whether there is a block with this place.
    pub(crate) fn has_block(&self, block: u64) -> bool {
        self.place(block).is_ok()
    }

    fn units_per_block(&self) -> u64 {
        wide(self.info.block)
            .checked_div(self.info.unit)
            .unwrap_or(1)
            .max(1)
    }

    /// The class of what belongs to the record of the directory.
    fn class(&self) -> Class {
        Class::Directory
    }

    fn remember(&mut self) {
        let key = (self.number, self.name);
        self.state.directories.insert(key, self.info.clone());
    }

    /// Where the entries of a block of so many bytes begin.
    fn entries_start(len: usize) -> usize {
        let array = size_of::<IndexBlock>().saturating_add(size_of::<IndexHeader>());
        aligned(array.saturating_add((len >> 9).saturating_add(1).saturating_mul(2)))
    }

    /// The same for a block of others, which may have its entries later: ntfs3 leaves some room before them.
    fn entries_start_in(bytes: &[u8]) -> usize {
        let field = |offset: usize| usize::from(get_u16(bytes, offset));
        let array = field(offset_of!(MultiSectorHeader, update_sequence_offset));
        let values = field(offset_of!(MultiSectorHeader, update_sequence_count));
        aligned(array.saturating_add(values.saturating_mul(2))).max(Self::entries_start(bytes.len()))
    }

    /// The headers of an empty block.
    fn new_block(&self, block: u64) -> Vec<u8> {
        let len = self.info.block;
        let mut bytes = vec![0; len];
        let array = size_of::<IndexBlock>().saturating_add(size_of::<IndexHeader>());
        let values = (len >> 9).saturating_add(1);
        let entries = Self::entries_start(len);
        put(&mut bytes, 0, b"INDX");
        put_u16(
            &mut bytes,
            offset_of!(MultiSectorHeader, update_sequence_offset),
            short(array),
        );
        put_u16(
            &mut bytes,
            offset_of!(MultiSectorHeader, update_sequence_count),
            short(values),
        );
        put_u16(&mut bytes, array, 1);
        put_u64(&mut bytes, offset_of!(IndexBlock, vcn), block);
        let header = size_of::<IndexBlock>();
        let mut field = |offset: usize, value: usize| {
            put_u32(&mut bytes, header.saturating_add(offset), narrow(value));
        };
        field(
            offset_of!(IndexHeader, first_entry),
            entries.saturating_sub(header),
        );
        field(offset_of!(IndexHeader, used), entries.saturating_sub(header));
        field(offset_of!(IndexHeader, allocated), len.saturating_sub(header));
        bytes
    }

    /// Says in a block where its entries begin and end; those of before ended at `used`.
    fn end_entries(bytes: &mut [u8], first: usize, (end, used): (usize, usize), has_children: bool) {
        if let Some(rest) = bytes.get_mut(end..used.max(end)) {
            rest.fill(0);
        }
        let header = size_of::<IndexBlock>();
        let begin = narrow(first.saturating_sub(header));
        put_u32(
            bytes,
            header.saturating_add(offset_of!(IndexHeader, first_entry)),
            begin,
        );
        let used = narrow(end.saturating_sub(header));
        put_u32(bytes, header.saturating_add(offset_of!(IndexHeader, used)), used);
        let flags = header.saturating_add(offset_of!(IndexHeader, flags));
        put(bytes, flags, &[u8::from(has_children)]);
    }

    /// The range of the entries in a block, and where they may end.
    fn entries_of(bytes: &[u8]) -> Option<(usize, usize, usize)> {
        let header = size_of::<IndexBlock>();
        let field = |offset: usize| size(get_u32(bytes, header.saturating_add(offset)));
        let first = header.checked_add(field(offset_of!(IndexHeader, first_entry)))?;
        let used = header.checked_add(field(offset_of!(IndexHeader, used)))?;
        let allocated = header.checked_add(field(offset_of!(IndexHeader, allocated)))?;
        let sound = first >= header.saturating_add(size_of::<IndexHeader>())
            && first <= used
            && used <= allocated
            && allocated <= bytes.len();
        sound.then_some((first, used, allocated))
    }

    // the bitmap

    /// The first free block, marked as used; `None` where all are used.
    fn take_free(&mut self) -> Result<Option<u64>> {
        let (from, blocks) = (self.info.first_free, self.info.blocks);
        let name = self.name.units();
        let class = self.class();
        let found = match &self.info.bitmap {
            None => None,
            Some(Bitmap::Record(record)) => {
                let record = *record;
                let own = self.own_record(record, class)?;
                let bytes = self.state.record_mut(own.0, own.1)?;
                let (start, value) = bitmap_value(bytes, name).ok_or_else(|| {
                    Error::from(CorruptKind::Missing {
                        kind: AttributeKind::BITMAP,
                    })
                })?;
                match bits::first_free(value, blocks) {
                    Some(index) => {
                        let bytes = bytes.get_mut(start..).unwrap_or_default();
                        bits::set_bit(bytes, index, true);
                        Some(index)
                    }
                    None => None,
                }
            }
            Some(Bitmap::Clusters(runs)) => {
                let mut bitmap = bits::Bits::new((**runs).clone(), self.state.geometry.cluster, blocks, from);
                match bitmap.find(&mut self.state.cache, from, blocks, 1, 1)? {
                    Some(free) => {
                        bitmap.set_cursor(0);
                        bitmap.set(&mut self.state.cache, free, true, Class::Allocate)?;
                        Some(free.start)
                    }
                    None => None,
                }
            }
        };
        self.info.first_free = found.map_or(blocks, |index| index.saturating_add(1));
        Ok(found)
    }

    /// The record, or the copy of an extension record that may be changed, with its class.
    fn own_record(&mut self, record: RecordNumber, class: Class) -> Result<(RecordNumber, Class)> {
        if record == self.number {
            return Ok((record, class));
        }
        let own = self.state.own_extension(self.number, record, class)?;
        if own != record {
            self.info = self.state.directory_info(self.number, self.name)?;
        }
        Ok((own, Class::New))
    }

    /// Marks a block as free.
    fn clear(&mut self, index: u64, class: Class) -> Result<()> {
        let name = self.name.units();
        self.info.first_free = self.info.first_free.min(index);
        match self.info.bitmap.clone() {
            None => {}
            Some(Bitmap::Record(record)) => {
                // at the end of a commit the record is changed where it lies: nothing else of it changes
                let (record, class) = if class == Class::Free {
                    (record, class)
                } else {
                    self.own_record(record, class)?
                };
                let bytes = self.state.record_mut(record, class)?;
                if let Some((start, _)) = bitmap_value(bytes, name) {
                    bits::set_bit(bytes.get_mut(start..).unwrap_or_default(), index, false);
                }
            }
            Some(Bitmap::Clusters(runs)) => {
                let cluster = self.state.geometry.cluster;
                let mut bitmap = bits::Bits::new((*runs).clone(), cluster, self.info.blocks, 0);
                let bit = bits::Free { start: index, len: 1 };
                let class = if class == Class::Free {
                    class
                } else {
                    Class::Allocate
                };
                bitmap.set(&mut self.state.cache, bit, false, class)?;
            }
        }
        Ok(())
    }

    /// Marks the blocks as free that nothing on the volume leads to any more.
    pub(crate) fn clear_block(&mut self, block: u64) -> Result<()> {
        let index = block.checked_div(self.units_per_block()).unwrap_or(0);
        let location = self.place(block)?;
        self.state.cache.forget(location.key());
        self.clear(index, Class::Free)?;
        self.remember();
        Ok(())
    }

    /// Adds blocks, all free. Where that fails, nothing of it stays: the tree may do without them.
    fn grow(&mut self) -> Result<()> {
        let (number, name, info) = (self.number, self.name, self.info.clone());
        let grown = self.state.attempt(|state| {
            let mut directory = Directory {
                state,
                number,
                name,
                info,
            };
            directory.add_blocks()?;
            Ok(directory.info)
        })?;
        self.info = grown;
        Ok(())
    }

    fn add_blocks(&mut self) -> Result<()> {
        /// The most that are added at once.
        const MOST: u64 = 32;
        let class = self.class();
        let cluster = u64::from(self.state.geometry.cluster);
        let block = wide(self.info.block);
        let add = self.info.blocks.checked_div(16).unwrap_or(0).clamp(1, MOST);
        let per_block = block.div_ceil(cluster).max(1);
        let want = add.saturating_mul(block).div_ceil(cluster).max(1);
        let end = self.info.runs.end();
        let near = self
            .info
            .runs
            .extents()
            .last()
            .and_then(|last| Some(crate::units::Lcn(last.lcn?.0.saturating_add(last.len))));
        let mut runs = (*self.info.runs).clone();
        // a cluster that holds several blocks may have some left
        let held = end.0.saturating_mul(cluster).checked_div(block).unwrap_or(0);
        if held <= self.info.blocks {
            let more = self.state.take_clusters(want, near, per_block, end)?;
            runs.extend(&more);
        }
        let blocks = runs
            .end()
            .0
            .saturating_mul(cluster)
            .checked_div(block)
            .unwrap_or(0);
        let bytes = blocks.saturating_mul(block);
        let sizes = Sizes {
            allocated: runs.end().0.saturating_mul(cluster),
            size: bytes,
            initialized: bytes,
            total: None,
        };
        self.grow_bitmap(blocks)?;
        let part = Part {
            kind: AttributeKind::INDEX_ALLOCATION,
            name: self.name.units(),
            flags: AttributeFlags::empty(),
            unit: 0,
            runs: &runs,
            lowest: Vcn(0),
            sizes,
        };
        self.state.set_clusters(self.number, &part, class)?;
        let first_free = self.info.first_free;
        self.info = self.state.directory_info(self.number, self.name)?;
        self.info.first_free = first_free;
        Ok(())
    }

    fn grow_bitmap(&mut self, blocks: u64) -> Result<()> {
        /// A longer one leaves the record.
        const IN_RECORD: usize = 64;
        let class = self.class();
        let number = self.number;
        let name = self.name.units();
        let want = size(blocks.div_ceil(64).saturating_mul(8));
        let kind = AttributeKind::BITMAP;
        let cluster = self.state.geometry.cluster;
        let old = self.state.value(number, kind, name)?.map(|value| value.place);
        let (mut runs, mut sizes, content) = match old {
            Some(ValuePlace::Clusters(runs, sizes)) => (runs, sizes, None),
            Some(ValuePlace::Record(mut value)) if value.len() >= want => {
                value.truncate(value.len());
                return Ok(());
            }
            other => {
                let mut value = match other {
                    Some(ValuePlace::Record(value)) => value,
                    _ => Vec::new(),
                };
                value.resize(want, 0);
                if want <= IN_RECORD {
                    return self.state.set_resident(number, kind, name, &value, class);
                }
                let sizes = Sizes {
                    allocated: 0,
                    size: 0,
                    initialized: 0,
                    total: None,
                };
                (RunList::default(), sizes, Some(value))
            }
        };
        let page = size(cluster.min(4096));
        if sizes.allocated < wide(want) {
            let clusters = self
                .state
                .geometry
                .clusters_for(wide(want).saturating_sub(sizes.allocated));
            let near = runs.extents().last();
            let near = near.and_then(|last| Some(crate::units::Lcn(last.lcn?.0.saturating_add(last.len))));
            let more = self.state.take_clusters(clusters.max(1), near, 1, runs.end())?;
            // new clusters hold anything: they are filled before the record says that they are part of the bitmap
            let mut at = runs.end().0.saturating_mul(u64::from(cluster));
            let start = at;
            runs.extend(&more);
            let end = runs.end().0.saturating_mul(u64::from(cluster));
            while at < end {
                let location = Location::in_runs(&runs, cluster, at, page).ok_or(CorruptKind::ValueSize {
                    found: at,
                    limit: end,
                })?;
                let mut bytes = vec![0; page];
                if let Some(content) = &content {
                    let from = size(at.saturating_sub(start));
                    let part = content.get(from..content.len().min(from.saturating_add(page)));
                    put(&mut bytes, 0, part.unwrap_or_default());
                }
                self.state.cache.create(&location, None, bytes, Class::New);
                at = at.saturating_add(wide(page));
            }
            sizes.allocated = end;
        }
        sizes.size = wide(want).max(sizes.size);
        sizes.initialized = sizes.size;
        if content.is_some() {
            for held in self.state.parts(number, kind, name)? {
                self.state.remove_attribute(number, held, class)?;
            }
        }
        let part = Part {
            kind,
            name,
            flags: AttributeFlags::empty(),
            unit: 0,
            runs: &runs,
            lowest: Vcn(0),
            sizes,
        };
        self.state.set_clusters(number, &part, class)
    }
}

/// The value of a bitmap in a record, and where it begins.
fn bitmap_value<'b>(bytes: &'b [u8], name: &[u16]) -> Option<(usize, &'b [u8])> {
    let attribute = attributes::attributes(bytes)
        .flatten()
        .find(|attribute| attribute.kind() == AttributeKind::BITMAP && attribute.name() == name)?;
    let value = attribute.resident()?;
    let at = attributes::value_offset(bytes, attribute.offset())?;
    Some((at, value))
}

impl Nodes for Directory<'_> {
    fn read(&mut self, place: Place) -> Result<&[u8]> {
        match place {
            Place::Root => {
                let (number, name) = (self.number, self.name);
                let bytes = self.state.record(self.info.root)?;
                let (_, value) = State::root_value(bytes, name).ok_or_else(|| {
                    let kind = AttributeKind::INDEX_ROOT;
                    Error::from(Corrupt::new(CorruptKind::Missing { kind }).in_record(number))
                })?;
                let header = size_of::<IndexRoot>();
                let field = |offset: usize| size(get_u32(value, header.saturating_add(offset)));
                let first = header.saturating_add(field(offset_of!(IndexHeader, first_entry)));
                let used = header.saturating_add(field(offset_of!(IndexHeader, used)));
                value.get(first..used).ok_or_else(|| {
                    let what = "the entries of the root";
                    let kind = CorruptKind::Outside {
                        what,
                        end: wide(used),
                        limit: wide(value.len()),
                    };
                    Corrupt::new(kind).in_record(number).into()
                })
            }
            Place::Block(block) => {
                let location = self.place(block)?;
                let number = self.number;
                let inside = |kind: CorruptKind| Error::from(Corrupt::new(kind).in_record(number));
                let bytes = self
                    .state
                    .cache
                    .read(&location, INDX)
                    .map_err(|error| error.in_record(number))?;
                let found = bytes
                    .get(offset_of!(IndexBlock, vcn)..)
                    .and_then(<[u8]>::first_chunk)
                    .map_or(0, |field| u64::from_le_bytes(*field));
                if found != block {
                    return Err(inside(CorruptKind::BlockPlace { found, wanted: block }));
                }
                let (first, used, _) = Self::entries_of(bytes).ok_or_else(|| {
                    inside(CorruptKind::Outside {
                        what: "a node",
                        end: wide(bytes.len()),
                        limit: wide(bytes.len()),
                    })
                })?;
                Ok(bytes.get(first..used).unwrap_or_default())
            }
        }
    }

    fn write(&mut self, place: Place, entries: &[u8], has_children: bool) -> Result<()> {
        match place {
            Place::Root => {
                let class = self.class();
                let (root, write_class) = self.own_record(self.info.root, class)?;
                let name = self.name;
                let missing = self.missing(AttributeKind::INDEX_ROOT);
                let bytes = self.state.record_mut(root, write_class)?;
                let (at, value) = State::root_value(bytes, name).ok_or(missing)?;
                let mut new = value.get(..size_of::<IndexRoot>()).unwrap_or_default().to_vec();
                let header = size_of::<IndexHeader>();
                let end = header.saturating_add(entries.len());
                let fields = new.len();
                new.resize(fields.saturating_add(header), 0);
                let mut field = |offset: usize, value: usize| {
                    put_u32(&mut new, fields.saturating_add(offset), narrow(value));
                };
                field(offset_of!(IndexHeader, first_entry), header);
                field(offset_of!(IndexHeader, used), end);
                field(offset_of!(IndexHeader, allocated), end);
                let flags = fields.saturating_add(offset_of!(IndexHeader, flags));
                put(&mut new, flags, &[u8::from(has_children)]);
                new.extend_from_slice(entries);
                let attribute = attributes::resident(AttributeKind::INDEX_ROOT, name.units(), &new);
                attributes::replace(bytes, at, &attribute).map_err(|NoRoom| NtStatus::DISK_FULL)?;
            }
            Place::Block(block) => {
                let location = self.place(block)?;
                let number = self.number;
                let bytes = self.state.cache.write(&location, INDX, Class::InPlace)?;
                let range = Self::entries_of(bytes).map(|(first, used, allocated)| {
                    (Self::entries_start_in(bytes).min(first), used, allocated)
                });
                let range =
                    range.filter(|(first, _, allocated)| first.saturating_add(entries.len()) <= *allocated);
                let (first, used, _) = range.ok_or_else(|| {
                    let kind = CorruptKind::NoSuchBlock { vcn: block };
                    Error::from(Corrupt::new(kind).in_record(number))
                })?;
                let end = first.saturating_add(entries.len());
                put(bytes, first, entries);
                Self::end_entries(bytes, first, (end, used), has_children);
            }
        }
        Ok(())
    }

    fn put_in(&mut self, place: Place, len: usize, at: usize, entry: &[u8]) -> Result<()> {
        if let Place::Block(block) = place {
            let location = self.place(block)?;
            let bytes = self.state.cache.write(&location, INDX, Class::InPlace)?;
            let start = Self::entries_start_in(bytes);
            let range = Self::entries_of(bytes).filter(|(first, ..)| *first <= start);
            if let Some((first, used, allocated)) = range {
                let (from, to) = (first.saturating_add(at), first.saturating_add(len));
                let end = to.saturating_add(entry.len());
                if from <= to && to <= used && end <= allocated {
                    bytes.copy_within(from..to, from.saturating_add(entry.len()));
                    put(bytes, from, entry);
                    Self::end_entries(bytes, first, (end, used), false);
                    return Ok(());
                }
            }
        }
        let bytes = tree::with_entry(self, place, len, at, entry)?;
        self.write(place, &bytes, false)
    }

    fn room(&mut self, place: Place) -> Result<usize> {
        match place {
            Place::Root => {
                let entries = self.read(Place::Root)?.len();
                let room = attributes::room(self.state.record(self.info.root)?);
                Ok(entries.saturating_add(room.saturating_sub(SPARE)).max(24))
            }
            Place::Block(_) => Ok(self
                .info
                .block
                .saturating_sub(Self::entries_start(self.info.block))),
        }
    }

    fn allocate(&mut self) -> Result<u64> {
        let index = match self.take_free()? {
            Some(index) => index,
            None => {
                self.grow()?;
                self.take_free()?.ok_or(NtStatus::DISK_FULL)?
            }
        };
        let block = index.saturating_mul(self.units_per_block());
        let location = self.place(block)?;
        let bytes = self.new_block(block);
        self.state.cache.create(&location, INDX, bytes, Class::New);
        self.remember();
        Ok(block)
    }

    fn free(&mut self, block: u64) -> Result<()> {
        let is_new = self.is_new(block);
        let location = self.place(block)?;
        // what this batch wrote to it must not reach the device: nodes that are there may still lead to it
        self.state.cache.forget(location.key());
        if is_new {
            let index = block.checked_div(self.units_per_block()).unwrap_or(0);
            let class = self.class();
            self.clear(index, class)?;
            self.remember();
        } else {
            self.state.pending.blocks.push((self.number, self.name, block));
        }
        Ok(())
    }

    fn is_new(&self, block: u64) -> bool {
        self.place(block)
            .is_ok_and(|location| self.state.cache.class(location.key()) == Some(Class::New))
    }
}
