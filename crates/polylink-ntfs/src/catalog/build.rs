//! The pass over the table.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use polylink_nt::name::Namespace;
use zerocopy::FromBytes as _;

use super::{Catalog, FarName, FileKind, Head, NONE, PackedName, Segment, Sizes, place};
use crate::error::{Corrupt, CorruptKind, Error, Result, Unsupported};
use crate::file::{Reparse, is_case_sensitive};
use crate::layout::attribute::{AttributeFlags, AttributeKind};
use crate::layout::value;
use crate::record::{Attribute, Body, Record};
use crate::units::{FileReference, RecordNumber};
use crate::volume::Volume;

/// How much of the table a thread takes at once, in bytes.
const CHUNK: u64 = 1 << 20;
/// How much of it is read at once: what fits a processor's second cache.
const READ: u64 = 256 << 10;
const MOST_THREADS: usize = 8;

/// What one thread found in one chunk of the table.
#[derive(Debug, Default)]
struct Part {
    /// The chunk's first record.
    first: u32,
    segment: Segment,
    far_names: Vec<FarName>,
    far_text: Vec<u8>,
    /// What extension records say of their base records' content.
    extensions: Vec<Extension>,
    streams: HashMap<u32, u64>,
    damage: Vec<Corrupt>,
}

/// What an extension record tells of its file, beside names.
#[derive(Clone, Copy, Debug)]
struct Extension {
    base: u32,
    told: Told,
}

#[derive(Clone, Copy, Debug)]
enum Told {
    /// The sizes of its content.
    Content { size: u64, allocated: u64 },
    /// What the blocks of an index take.
    Index { allocated: u64 },
    /// That it is a symbolic link or a junction.
    Link,
}

pub(super) fn read(volume: &Volume) -> Result<Catalog> {
    let records = volume.records();
    if records >= u64::from(NONE) {
        return Err(Unsupported::TooManyRecords { records }.into());
    }
    let size = u64::from(volume.record_size()).max(1);
    let in_bytes = |bytes: u64| bytes.checked_div(size).unwrap_or(1).max(1);
    let (per_chunk, per_read) = (in_bytes(CHUNK), in_bytes(READ));
    let chunks = records.div_ceil(per_chunk);
    let next = AtomicU64::new(0);
    let threads = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MOST_THREADS)
        .min(usize::try_from(chunks).unwrap_or(1))
        .max(1);
    let work = || -> Result<Vec<(u64, Part)>> {
        let mut found = Vec::new();
        let (mut buffer, mut scratch) = (Vec::new(), Segment::default());
        loop {
            let chunk = next.fetch_add(1, Ordering::Relaxed);
            if chunk >= chunks {
                return Ok(found);
            }
            let start = chunk.saturating_mul(per_chunk);
            let end = start.saturating_add(per_chunk).min(records);
            let mut part = Part {
                first: u32::try_from(start).unwrap_or(NONE),
                segment: scratch,
                ..Part::default()
            };
            let mut from = start;
            while from < end {
                let to = from.saturating_add(per_read).min(end);
                read_chunk(volume, from..to, &mut buffer, &mut part)?;
                from = to;
            }
            scratch = part.settle();
            found.push((chunk, part));
        }
    };
    let mut parts = Vec::new();
    thread::scope(|scope| -> Result<()> {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let own = work();
        for other in others {
            match other.join() {
                Ok(found) => parts.extend(found?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        parts.extend(own?);
        Ok(())
    })?;
    parts.sort_unstable_by_key(|(chunk, _)| *chunk);
    merge(parts, u32::try_from(per_chunk).unwrap_or(1), records)
}

fn read_chunk(volume: &Volume, range: Range<u64>, buffer: &mut Vec<u8>, part: &mut Part) -> Result<()> {
    let size = usize::try_from(volume.record_size()).unwrap_or(0);
    let count = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(0);
    buffer.resize(size.saturating_mul(count), 0);
    let first = RecordNumber(range.start);
    match volume.table().read_bytes(volume.device(), first, buffer) {
        Ok(()) => {}
        // a bad place on the device costs the records in it, not all of the volume
        Err(Error::Device { .. }) if count > 1 => {
            let mut one = Vec::new();
            for number in range {
                let only = number..number.saturating_add(1);
                match read_chunk(volume, only, &mut one, part) {
                    Err(Error::Device { offset, len, .. }) => {
                        let kind = CorruptKind::Unreadable { offset, len };
                        part.damage
                            .push(Corrupt::new(kind).in_record(RecordNumber(number)));
                    }
                    done => done?,
                }
            }
            return Ok(());
        }
        Err(error) => return Err(error),
    }
    for (number, bytes) in range.zip(buffer.chunks_exact_mut(size.max(1))) {
        // OK to unwrap: a table with more records was refused
        let number = u32::try_from(number).unwrap_or(NONE);
        if let Err(corrupt) = part.record(number, bytes) {
            part.damage
                .push(corrupt.in_record(RecordNumber(u64::from(number))));
        }
    }
    Ok(())
}

impl Part {
    /// Copies what was found to places of its size, and gives back those that it grew in, which are empty now.
    fn settle(&mut self) -> Segment {
        let grown = &mut self.segment;
        let settled = Segment {
            heads: grown.heads.as_slice().into(),
            sizes: grown.sizes.as_slice().into(),
            names: grown.names.as_slice().into(),
            text: grown.text.as_slice().into(),
        };
        grown.heads.clear();
        grown.sizes.clear();
        grown.names.clear();
        grown.text.clear();
        std::mem::replace(grown, settled)
    }

    /// A record of this chunk, counted from its first.
    fn slot(&self, record: u32) -> u16 {
        // OK to unwrap: a chunk has fewer records
        u16::try_from(record.saturating_sub(self.first)).unwrap_or(u16::MAX)
    }

    /// Takes one record up. What was found before an error stays.
    fn record(&mut self, number: u32, bytes: &mut [u8]) -> Result<(), Corrupt> {
        // a record that was never used is zeros, or what the disk held before
        let in_use = bytes.get(0x16).is_some_and(|flags| flags & 1 != 0);
        match bytes.first_chunk::<4>() {
            Some(b"FILE") if !in_use => return Ok(()),
            Some(b"FILE") => {}
            Some(found @ (b"BAAD" | b"CHKD" | b"HOLE")) => {
                let wanted = *b"FILE";
                return Err(CorruptKind::Signature {
                    found: *found,
                    wanted,
                }
                .into());
            }
            _ => return Ok(()),
        }
        let record = Record::parse(RecordNumber(u64::from(number)), bytes)?;
        match record.base() {
            None => self.base(number, &record),
            Some(base) => self.extension(u32::try_from(base.record().0).unwrap_or(NONE), &record),
        }
    }

    fn base(&mut self, number: u32, record: &Record<'_>) -> Result<(), Corrupt> {
        let mut head = Head {
            slot: self.slot(number),
            sequence: record.sequence(),
            raw_links: record.raw_links(),
            links: 0,
            kind: if record.is_directory() {
                FileKind::Directory
            } else {
                FileKind::File
            },
            case_sensitive: false,
        };
        let mut sizes = Sizes {
            size: 0,
            allocated: 0,
            modified: 0,
            created: 0,
        };
        let mut outcome = Ok(());
        for attribute in record.attributes() {
            let taken =
                attribute.and_then(|attribute| self.of_base(number, &attribute, &mut head, &mut sizes));
            if let Err(corrupt) = taken {
                outcome = outcome.and(Err(corrupt));
            }
        }
        self.segment.heads.push(head);
        self.segment.sizes.push(sizes);
        outcome
    }

    fn of_base(
        &mut self,
        number: u32,
        attribute: &Attribute<'_>,
        head: &mut Head,
        sizes: &mut Sizes,
    ) -> Result<(), Corrupt> {
        match attribute.kind() {
            AttributeKind::STANDARD_INFORMATION => {
                let value = attribute.resident().unwrap_or_default();
                if let Ok((info, _)) = value::StandardInformation::read_from_prefix(value) {
                    sizes.modified = info.modified.get();
                    sizes.created = info.created.get();
                    head.case_sensitive = head.kind == FileKind::Directory && is_case_sensitive(&info);
                }
            }
            AttributeKind::FILE_NAME => {
                let slot = head.slot;
                let name = packed(attribute, slot, &mut self.segment.text)?;
                head.links = head.links.saturating_add(u16::from(is_link(&name)));
                self.segment.names.push(name);
            }
            AttributeKind::REPARSE_POINT if is_link_point(attribute) => head.kind = FileKind::Link,
            AttributeKind::DATA => {
                if let Some((size, allocated)) = data_sizes(attribute) {
                    if attribute.name_bytes().is_empty() {
                        sizes.size = size;
                        sizes.allocated = allocated;
                    } else {
                        self.stream(number, allocated);
                    }
                }
            }
            // of a directory, what its entries take
            AttributeKind::INDEX_ALLOCATION => {
                if let Some((_, allocated)) = data_sizes(attribute) {
                    sizes.allocated = sizes.allocated.saturating_add(allocated);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn extension(&mut self, base: u32, record: &Record<'_>) -> Result<(), Corrupt> {
        let mut outcome = Ok(());
        for attribute in record.attributes() {
            let taken = attribute.and_then(|attribute| {
                match attribute.kind() {
                    AttributeKind::FILE_NAME => {
                        let name = packed(&attribute, 0, &mut self.far_text)?;
                        self.far_names.push(FarName { record: base, name });
                    }
                    AttributeKind::DATA => {
                        if let Some((size, allocated)) = data_sizes(&attribute) {
                            if attribute.name_bytes().is_empty() {
                                self.told(base, Told::Content { size, allocated });
                            } else {
                                self.stream(base, allocated);
                            }
                        }
                    }
                    AttributeKind::INDEX_ALLOCATION => {
                        if let Some((_, allocated)) = data_sizes(&attribute) {
                            self.told(base, Told::Index { allocated });
                        }
                    }
                    AttributeKind::REPARSE_POINT if is_link_point(&attribute) => self.told(base, Told::Link),
                    _ => {}
                }
                Ok(())
            });
            if let Err(corrupt) = taken {
                outcome = outcome.and(Err(corrupt));
            }
        }
        outcome
    }

    fn told(&mut self, base: u32, told: Told) {
        self.extensions.push(Extension { base, told });
    }

    fn stream(&mut self, record: u32, allocated: u64) {
        if allocated > 0 {
            let sum = self.streams.entry(record).or_default();
            *sum = sum.saturating_add(allocated);
        }
    }
}

/// Takes a name up; its text goes behind the others.
fn packed(attribute: &Attribute<'_>, slot: u16, text: &mut Vec<u8>) -> Result<PackedName, Corrupt> {
    let damage = |what| {
        Corrupt::new(CorruptKind::Value {
            kind: AttributeKind::FILE_NAME,
            what,
        })
    };
    let value = attribute
        .resident()
        .ok_or_else(|| damage("it is not in the record"))?;
    let (fixed, rest) =
        value::FileName::read_from_prefix(value).map_err(|_| damage("it has less than 66 bytes"))?;
    let units = rest
        .get(..usize::from(fixed.name_len).saturating_mul(2))
        .ok_or_else(|| damage("its name is longer than the value"))?;
    let parent = FileReference(fixed.parent.get());
    let start = text.len();
    push_wtf8(text, units);
    Ok(PackedName {
        parent: u32::try_from(parent.record().0).unwrap_or(NONE),
        text: u32::try_from(start).unwrap_or(NONE),
        slot,
        parent_sequence: parent.sequence(),
        len: u16::try_from(text.len().saturating_sub(start)).unwrap_or(0),
        namespace: fixed.namespace,
    })
}

fn is_link(name: &PackedName) -> bool {
    Namespace::from_byte(name.namespace).is_none_or(Namespace::is_link)
}

/// Whether a reparse point makes its file a symbolic link or a junction.
fn is_link_point(attribute: &Attribute<'_>) -> bool {
    let tag = attribute.resident().and_then(|value| value.first_chunk::<4>());
    tag.is_some_and(|tag| Reparse::is_link_tag(u32::from_le_bytes(*tag)))
}

/// Size and allocated bytes of a value, from the attribute record that tells them: the first.
fn data_sizes(attribute: &Attribute<'_>) -> Option<(u64, u64)> {
    match attribute.body() {
        Body::Resident { value, .. } => Some((u64::try_from(value.len()).unwrap_or(0), 0)),
        Body::NonResident(part) if part.header.lowest_vcn.get() == 0 => {
            let allocated = part.total_allocated.filter(|_| {
                attribute
                    .flags()
                    .intersects(AttributeFlags::COMPRESSION_MASK | AttributeFlags::SPARSE)
            });
            Some((
                part.header.size.get(),
                allocated.unwrap_or(part.header.allocated.get()),
            ))
        }
        Body::NonResident(_) => None,
    }
}

/// Appends a name, from its bytes on disk, in WTF-8.
fn push_wtf8(text: &mut Vec<u8>, bytes: &[u8]) {
    let (units, _) = bytes.as_chunks::<2>();
    if units.iter().all(|[low, high]| *high == 0 && low.is_ascii()) {
        text.extend(units.iter().map(|[low, _]| *low));
    } else {
        let units: Vec<u16> = units.iter().map(|&unit| u16::from_le_bytes(unit)).collect();
        text.extend(polylink_nt::name::wtf8_of_units(&units));
    }
}

/// Puts the chunks in order, gives files what their extension records hold, and directories their names.
fn merge(mut parts: Vec<(u64, Part)>, per_segment: u32, records: u64) -> Result<Catalog> {
    parts.sort_unstable_by_key(|(chunk, _)| *chunk);
    let mut catalog = Catalog {
        segments: Vec::with_capacity(parts.len()),
        per_segment,
        names_before: Vec::with_capacity(parts.len().saturating_add(1)),
        far_names: Vec::new(),
        far_text: Vec::new(),
        files: 0,
        by_parent: Vec::new(),
        first_child: Vec::new(),
        streams: HashMap::new(),
        damage: Vec::new(),
    };
    let mut extensions = Vec::new();
    let mut names = 0_usize;
    let too_many = || Error::from(Unsupported::TooManyNames);
    for (_, part) in parts {
        catalog
            .names_before
            .push(u32::try_from(names).map_err(|_| too_many())?);
        names = names.saturating_add(part.segment.names.len());
        catalog.files = catalog.files.saturating_add(part.segment.heads.len());
        let base = u32::try_from(catalog.far_text.len()).map_err(|_| too_many())?;
        catalog.far_text.extend_from_slice(&part.far_text);
        catalog.far_names.extend(part.far_names.iter().map(|far| FarName {
            name: PackedName {
                text: far.name.text.saturating_add(base),
                ..far.name
            },
            ..*far
        }));
        extensions.extend(part.extensions);
        catalog.damage.extend(part.damage);
        for (record, bytes) in part.streams {
            let sum = catalog.streams.entry(record).or_default();
            *sum = sum.saturating_add(bytes);
        }
        catalog.segments.push(part.segment);
    }
    catalog
        .names_before
        .push(u32::try_from(names).map_err(|_| too_many())?);
    for Extension { base, told } in extensions {
        let Some((segment, at)) = catalog.found(base) else {
            continue;
        };
        let (Some(head), Some(sizes)) = (segment.heads.get_mut(at), segment.sizes.get_mut(at)) else {
            continue;
        };
        match told {
            Told::Content { size, allocated } => {
                sizes.size = size;
                sizes.allocated = sizes.allocated.saturating_add(allocated);
            }
            Told::Index { allocated } => sizes.allocated = sizes.allocated.saturating_add(allocated),
            Told::Link => head.kind = FileKind::Link,
        }
    }
    // what belongs to no file that is there belongs to nobody
    let mut far_names = std::mem::take(&mut catalog.far_names);
    far_names.retain(|far| {
        let head = catalog
            .found(far.record)
            .and_then(|(segment, at)| segment.heads.get_mut(at));
        if let Some(head) = head {
            head.links = head.links.saturating_add(u16::from(is_link(&far.name)));
            return true;
        }
        false
    });
    far_names.sort_by_key(|far| far.record);
    catalog.far_names = far_names;
    let all = names.saturating_add(catalog.far_names.len());
    u32::try_from(all)
        .ok()
        .filter(|&all| all < NONE)
        .ok_or_else(too_many)?;
    catalog.sort_into_directories(records, all);
    Ok(catalog)
}

impl Catalog {
    /// The place of a base record, to be changed.
    fn found(&mut self, record: u32) -> Option<(&mut Segment, usize)> {
        let (segment, slot) = self.slot(record)?;
        let segment = self.segments.get_mut(segment)?;
        let at = segment.head(slot)?;
        Some((segment, at))
    }

    fn all_names(&self) -> impl Iterator<Item = &PackedName> {
        let near = self.segments.iter().flat_map(|segment| &segment.names);
        near.chain(self.far_names.iter().map(|far| &far.name))
    }

    /// Sorts the names by directory: by counting, for directories are numbers below `records`.
    fn sort_into_directories(&mut self, records: u64, names: usize) {
        let records = usize::try_from(records).unwrap_or(usize::MAX);
        let mut first = vec![0_u32; records.saturating_add(2)];
        // names whose directory is beyond the table come last, under nobody
        let bucket = |name: &PackedName| place(name.parent).min(records);
        for name in self.all_names() {
            if let Some(count) = first.get_mut(bucket(name).saturating_add(1)) {
                *count = count.saturating_add(1);
            }
        }
        let mut sum = 0_u32;
        for count in &mut first {
            sum = sum.saturating_add(*count);
            *count = sum;
        }
        let mut sorted = vec![0_u32; names];
        // `first[b]` is where bucket b goes on; when all are placed, it is where bucket b + 1 begins
        for (number, name) in (0_u32..).zip(self.all_names()) {
            if let Some(next) = first.get_mut(bucket(name)) {
                if let Some(slot) = sorted.get_mut(place(*next)) {
                    *slot = number;
                }
                *next = next.saturating_add(1);
            }
        }
        // back to where each begins
        first.rotate_right(1);
        if let Some(start) = first.first_mut() {
            *start = 0;
        }
        self.by_parent = sorted;
        self.first_child = first;
    }
}
