//! The first record of the table, and the extension records that hold what it has no room for.
//!
//! A reader knows where the table lies piece by piece: the first record tells of the first pieces, and an extension
//! record tells of more only if it lies in a piece that is known already. So a part of the runs goes into a record below
//! the records that the part itself tells of. No record that the device has is changed but the first: the last part,
//! made longer, goes into another record, and the one that it was in is kept free for the next time.

use std::mem::offset_of;

use polylink_nt::NtStatus;

use super::super::FILE_SYSTEM_LIMITATION;
use super::super::attributes::{self, NoRoom, Part, Sizes};
use super::super::bits::{Bits, Free};
use super::super::bytes::{put, put_u64, wide};
use super::super::cache::{Class, Location};
use super::super::lists::{LIMIT, List, encode};
use super::super::state::{FILE, State};
use super::Grown;
use crate::error::{Corrupt, CorruptKind, Error, Result};
use crate::file::ListEntry;
use crate::layout::attribute::{AttributeFlags, AttributeHeader, AttributeKind, NonResidentHeader};
use crate::layout::record::RecordFlags;
use crate::runs::RunList;
use crate::units::{FileReference, RecordNumber, Vcn};

/// What is to be written so that the first record leads to the table as it is to be.
#[derive(Clone, Debug, Default)]
pub(super) struct Lead {
    /// The first record.
    pub(super) first: Vec<u8>,
    /// Extension records and the list, which are written before it.
    pub(super) new: Vec<(Location, Option<[u8; 4]>, Vec<u8>)>,
    /// Extension records that it no longer leads to.
    pub(super) gone: Vec<RecordNumber>,
    /// Clusters of the list that was there before.
    pub(super) gone_clusters: Option<RunList>,
    /// A record that is kept free for the next time.
    pub(super) reserve: Option<RecordNumber>,
}

/// Where the runs in the first record are cut, one of so many bytes of it stays free: for more runs of the bitmap and of
/// the list.
const SPARE: usize = 8;

/// Bytes that a list in a few pieces takes.
const LIST_ROOM: usize = 96;

fn missing(kind: AttributeKind) -> Error {
    Corrupt::new(CorruptKind::Missing { kind })
        .in_record(RecordNumber::MFT)
        .into()
}

/// The unnamed attribute of a kind in a record: where it begins, and its number.
fn unnamed(bytes: &[u8], kind: AttributeKind) -> Option<(usize, u16)> {
    attributes::attributes(bytes)
        .flatten()
        .find(|attribute| attribute.kind() == kind && attribute.name_bytes().is_empty())
        .map(|attribute| (attribute.offset(), attribute.id()))
}

/// Gives the attribute with this number other contents.
fn replace(bytes: &mut [u8], id: u16, attribute: &[u8]) -> std::result::Result<(), NoRoom> {
    let at = attributes::offset_of_id(bytes, id).ok_or(NoRoom)?;
    attributes::replace(bytes, at, attribute)
}

fn len_of(bytes: &[u8], kind: AttributeKind) -> usize {
    let attribute = unnamed(bytes, kind).and_then(|(at, _)| attributes::attribute_at(bytes, at));
    attribute.map_or(0, <[u8]>::len)
}

fn data(runs: &RunList, lowest: Vcn, sizes: Sizes) -> Vec<u8> {
    clusters_of(AttributeKind::DATA, runs, lowest, sizes)
}

fn clusters_of(kind: AttributeKind, runs: &RunList, lowest: Vcn, sizes: Sizes) -> Vec<u8> {
    attributes::non_resident(&Part {
        kind,
        name: &[],
        flags: AttributeFlags::empty(),
        unit: 0,
        runs,
        lowest,
        sizes,
    })
}

/// Cuts runs so that the attribute that tells of them has at most `limit` bytes; answers that part, and leaves the rest.
fn fitting(runs: &mut RunList, limit: usize) -> RunList {
    let overhead = attributes::non_resident(&Part {
        kind: AttributeKind::DATA,
        name: &[],
        flags: AttributeFlags::empty(),
        unit: 0,
        runs: &RunList::default(),
        lowest: Vcn(0),
        sizes: Sizes {
            allocated: 0,
            size: 0,
            initialized: 0,
            total: None,
        },
    });
    // of the pairs nothing but the zero at their end is in it
    let room = limit.saturating_sub(overhead.len().saturating_sub(8)) & !7;
    let (mut fits, mut too_many) = (0_usize, runs.extents().len().saturating_add(1));
    while too_many.saturating_sub(fits) > 1 {
        let middle = fits.midpoint(too_many);
        let some = RunList::from_extents(runs.extents().iter().take(middle).copied().collect());
        if some.encode().len() <= room {
            fits = middle;
        } else {
            too_many = middle;
        }
    }
    let end = fits
        .checked_sub(1)
        .and_then(|last| runs.extents().get(last))
        .map_or(runs.start().0, |extent| extent.end());
    let rest = runs.cut(Vcn(end));
    std::mem::replace(runs, rest)
}

/// An extension record that is being made.
#[derive(Debug)]
struct Extension {
    reference: FileReference,
    bytes: Vec<u8>,
}

/// The work at one growth.
#[derive(Debug)]
struct Layout<'g> {
    grown: &'g Grown<'g>,
    base: FileReference,
    first: Vec<u8>,
    entries: Vec<ListEntry>,
    extensions: Vec<Extension>,
    gone: Vec<RecordNumber>,
    /// The first of the new records that is not taken yet.
    next: u64,
    /// All bits of the bitmap as it is to be.
    bits: Bits,
    /// The bitmap has its runs in the first record, and few enough to stay there.
    map_inside: bool,
}

impl Layout<'_> {
    /// The last part of an unnamed attribute.
    fn last_part(&self, kind: AttributeKind) -> Option<ListEntry> {
        let parts = self.entries.iter();
        let parts = parts.filter(|entry| entry.kind == kind && entry.name.is_empty());
        parts.max_by_key(|entry| entry.lowest).cloned()
    }

    fn push(&mut self, kind: AttributeKind, lowest: Vcn, record: FileReference, id: u16) {
        self.entries.push(ListEntry {
            kind,
            name: Vec::new(),
            lowest,
            record,
            id,
        });
    }
}

impl State {
    /// What is to be written so that the first record leads to a longer table. Takes bits, and writes nothing.
    ///
    /// # Errors
    ///
    /// `DISK_FULL` where there is no cluster for the list, or no record that could hold a part of the runs.
    pub(super) fn lead_to(&mut self, grown: &Grown<'_>) -> Result<Lead> {
        let first = self.record(RecordNumber::MFT)?.to_vec();
        let old_list = self.list(RecordNumber::MFT)?;
        let whole = data(grown.runs, Vcn(0), grown.sizes);
        let map = clusters_of(
            AttributeKind::BITMAP,
            &grown.bitmap.runs,
            Vcn(0),
            grown.bitmap.sizes,
        );
        if old_list.is_none() {
            let mut simple = first.clone();
            let mut put = |kind, attribute: &[u8]| {
                let found = unnamed(&simple, kind);
                found.is_some_and(|(_, id)| replace(&mut simple, id, attribute).is_ok())
            };
            if put(AttributeKind::DATA, &whole) && put(AttributeKind::BITMAP, &map) {
                return Ok(Lead {
                    first: simple,
                    ..Lead::default()
                });
            }
        }
        let base = self.reference(RecordNumber::MFT)?;
        let entries = match self.list_entries(RecordNumber::MFT)? {
            Some(entries) => entries,
            None => attributes::attributes(&first)
                .flatten()
                .map(|attribute| ListEntry {
                    kind: attribute.kind(),
                    name: attribute.name(),
                    lowest: attributes::lowest(&attribute),
                    record: base,
                    id: attribute.id(),
                })
                .collect(),
        };
        let count = grown.bitmap.sizes.size.saturating_mul(8);
        let mut layout = Layout {
            grown,
            base,
            first,
            entries,
            extensions: Vec::new(),
            gone: Vec::new(),
            next: grown.before,
            bits: Bits::new(grown.bitmap.runs.clone(), self.geometry.cluster, count, 0),
            map_inside: false,
        };
        let maps = layout.entries.iter();
        let mut maps = maps.filter(|entry| entry.kind == AttributeKind::BITMAP);
        match (maps.next(), maps.next()) {
            (None, _) => return Err(missing(AttributeKind::BITMAP)),
            // nobody makes two parts of it before the table has millions of pieces
            (Some(_), Some(_)) => return Err(NtStatus::DISK_FULL.into()),
            (Some(only), None) => {
                layout.map_inside =
                    only.record.record() == RecordNumber::MFT && map.len() <= self.record_len() >> 2;
            }
        }
        let last = self.lead_to_data(&mut layout, &map)?;
        self.lead_to_bitmap(&mut layout, &map)?;
        self.finish_lead(layout, old_list.as_ref(), last)
    }

    /// The records below cluster `vcn` of the table.
    fn records_before(&self, vcn: Vcn) -> u64 {
        let bytes = vcn.0.saturating_mul(u64::from(self.geometry.cluster));
        bytes.checked_div(u64::from(self.geometry.record)).unwrap_or(0)
    }

    /// Takes a record below `limit`: a new one, the one that was kept for this, any that is free, or one of those that
    /// every volume has to spare.
    fn take_part_record(&mut self, layout: &mut Layout<'_>, limit: u64) -> Result<FileReference> {
        let mut found = None;
        if layout.next < limit {
            found = Some(RecordNumber(layout.next));
            layout.next = layout.next.saturating_add(1);
        }
        let spare = (RecordNumber::FIRST_SPARE.0, RecordNumber::FIRST_USER.0);
        let kept = self
            .table_reserve
            .map(|number| (number.0, number.0.saturating_add(1)));
        let any = (RecordNumber::FIRST_USER.0, layout.grown.before);
        for (mut from, to) in kept.into_iter().chain([any, spare]) {
            let to = to.min(limit);
            while found.is_none() && from < to {
                let free = layout.bits.find(&mut self.cache, from, to, 1, 1)?;
                let Some(free) = free else { break };
                let number = RecordNumber(free.start);
                // where the bitmap is wrong, what is in use is left alone
                let unused = match self.record(number) {
                    Ok(bytes) => !attributes::flags(bytes).contains(RecordFlags::IN_USE),
                    Err(Error::Corrupt(_)) => false,
                    Err(error) => return Err(error),
                };
                found = Some(number).filter(|_| unused);
                from = free.start.saturating_add(1);
            }
        }
        let number = found.ok_or(NtStatus::DISK_FULL)?;
        let bit = Free {
            start: number.0,
            len: 1,
        };
        layout.bits.set(&mut self.cache, bit, true, Class::Allocate)?;
        let sequence = if number.0 < layout.grown.before {
            attributes::sequence(self.record(number)?).max(1)
        } else {
            1
        };
        Ok(FileReference::new(number, sequence))
    }

    /// A copy of an extension record that is to be changed, in another record below `limit`, to which the list leads; or
    /// the copy that was made before.
    fn copy_extension(&mut self, layout: &mut Layout<'_>, old: FileReference, limit: u64) -> Result<usize> {
        let made = layout
            .extensions
            .iter()
            .position(|extension| extension.reference == old);
        if let Some(made) = made {
            return Ok(made);
        }
        let new = self.take_part_record(layout, limit)?;
        let mut bytes = self.record(old.record())?.to_vec();
        attributes::set_sequence(&mut bytes, new.sequence());
        attributes::set_number(&mut bytes, new.record());
        for entry in &mut layout.entries {
            if entry.record == old {
                entry.record = new;
            }
        }
        layout.gone.push(old.record());
        layout.extensions.push(Extension {
            reference: new,
            bytes,
        });
        Ok(layout.extensions.len().saturating_sub(1))
    }

    /// A new extension record below `limit` with one attribute.
    fn new_part(&mut self, layout: &mut Layout<'_>, attribute: &[u8], limit: u64) -> Result<()> {
        let new = self.take_part_record(layout, limit)?;
        let mut bytes = attributes::new_record(
            self.record_len(),
            new.record(),
            new.sequence(),
            Some(layout.base),
            RecordFlags::IN_USE,
        );
        let parsed = crate::record::Attribute::parse_one(attribute).ok_or(NtStatus::INVALID_PARAMETER)?;
        let (kind, lowest) = (parsed.kind(), attributes::lowest(&parsed));
        let upcase = self.upcase.clone();
        let id = attributes::insert(&mut bytes, &upcase, attribute).map_err(|NoRoom| NtStatus::DISK_FULL)?;
        layout.push(kind, lowest, new, id);
        layout.extensions.push(Extension {
            reference: new,
            bytes,
        });
        Ok(())
    }

    /// Lets the runs of the table be what they are to be; answers where the last part of them begins.
    fn lead_to_data(&mut self, layout: &mut Layout<'_>, map: &[u8]) -> Result<Vcn> {
        let kind = AttributeKind::DATA;
        let last = layout.last_part(kind).ok_or_else(|| missing(kind))?;
        let grown = layout.grown;
        let mut tail = grown.runs.clone().cut(last.lowest);
        let old_end = self.table.end();
        if last.record.record() == RecordNumber::MFT {
            let bytes = &layout.first;
            let has = attributes::room(bytes).saturating_add(len_of(bytes, kind));
            let list = LIST_ROOM.saturating_sub(len_of(bytes, AttributeKind::ATTRIBUTE_LIST));
            let more = if layout.map_inside {
                map.len().saturating_sub(len_of(bytes, AttributeKind::BITMAP))
            } else {
                0
            };
            let spare = bytes.len().checked_div(SPARE).unwrap_or(0);
            let limit = has.saturating_sub(list.saturating_add(more).saturating_add(spare));
            let here = fitting(&mut tail, limit);
            let attribute = data(&here, Vcn(0), grown.sizes);
            replace(&mut layout.first, last.id, &attribute).map_err(|NoRoom| NtStatus::DISK_FULL)?;
        } else {
            let (at, _) = unnamed(&layout.first, kind).ok_or_else(|| missing(kind))?;
            let body = at.saturating_add(size_of::<AttributeHeader>());
            let mut put = |offset: usize, value: u64| {
                put_u64(&mut layout.first, body.saturating_add(offset), value);
            };
            put(offset_of!(NonResidentHeader, allocated), grown.sizes.allocated);
            put(offset_of!(NonResidentHeader, size), grown.sizes.size);
            put(
                offset_of!(NonResidentHeader, initialized),
                grown.sizes.initialized,
            );
            match self.copy_extension(layout, last.record, self.records_before(last.lowest)) {
                Ok(copy) => {
                    let extension = layout.extensions.get_mut(copy).ok_or(NtStatus::DISK_FULL)?;
                    let old = attributes::offset_of_id(&extension.bytes, last.id)
                        .and_then(|at| attributes::attribute_at(&extension.bytes, at))
                        .map_or(0, <[u8]>::len);
                    let here = fitting(&mut tail, attributes::room(&extension.bytes).saturating_add(old));
                    let attribute = data(&here, last.lowest, grown.sizes);
                    replace(&mut extension.bytes, last.id, &attribute)
                        .map_err(|NoRoom| NtStatus::DISK_FULL)?;
                }
                // it stays as it is, and what is added goes into records of its own
                Err(Error::Refused(NtStatus::DISK_FULL)) => tail = tail.cut(old_end),
                Err(error) => return Err(error),
            }
        }
        let mut lowest = last.lowest;
        let empty = attributes::new_record(self.record_len(), RecordNumber(0), 1, None, RecordFlags::empty());
        while !tail.extents().is_empty() {
            lowest = tail.start();
            let limit = self.records_before(lowest);
            let here = fitting(&mut tail, attributes::room(&empty));
            if here.extents().is_empty() {
                return Err(NtStatus::DISK_FULL.into());
            }
            self.new_part(layout, &data(&here, lowest, grown.sizes), limit)?;
        }
        Ok(lowest)
    }

    /// Lets the bitmap of records have other runs and sizes, wherever it is.
    fn lead_to_bitmap(&mut self, layout: &mut Layout<'_>, map: &[u8]) -> Result<()> {
        let kind = AttributeKind::BITMAP;
        let part = layout.last_part(kind).ok_or_else(|| missing(kind))?;
        let limit = layout.grown.before;
        let inside = part.record.record() == RecordNumber::MFT;
        let copy = if inside {
            None
        } else {
            Some(self.copy_extension(layout, part.record, limit)?)
        };
        let bytes = match copy {
            Some(copy) => &mut layout.extensions.get_mut(copy).ok_or(NtStatus::DISK_FULL)?.bytes,
            None => &mut layout.first,
        };
        if (!inside || layout.map_inside) && replace(bytes, part.id, map).is_ok() {
            return Ok(());
        }
        let at = attributes::offset_of_id(bytes, part.id).ok_or_else(|| missing(kind))?;
        attributes::remove(bytes, at);
        layout.entries.retain(|entry| entry.kind != kind);
        self.new_part(layout, map, limit)
    }

    /// Gives the first record the list, and puts everything together.
    fn finish_lead(&mut self, mut layout: Layout<'_>, list: Option<&List>, last: Vcn) -> Result<Lead> {
        let upcase = self.upcase.clone();
        layout.entries.sort_by(|a, b| {
            attributes::order(&upcase, (a.kind, &a.name, a.lowest), (b.kind, &b.name, b.lowest))
        });
        let value = encode(&layout.entries);
        if value.len() > LIMIT {
            return Err(FILE_SYSTEM_LIMITATION.into());
        }
        let count = self.geometry.clusters_for(wide(value.len()));
        let runs = self.take_clusters(count, None, 1, Vcn(0))?;
        let attribute = self.list_attribute(&runs, value.len());
        let placed = match list {
            Some(list) => replace(&mut layout.first, list.id, &attribute),
            None => attributes::insert(&mut layout.first, &upcase, &attribute).map(|_| ()),
        };
        placed.map_err(|NoRoom| NtStatus::DISK_FULL)?;
        let mut new = Vec::new();
        let mut at = 0;
        while at < value.len() {
            let (location, _) = self.list_location(&runs, at)?;
            let mut page = vec![0; location.len()];
            let end = at.saturating_add(page.len()).min(value.len());
            put(&mut page, 0, value.get(at..end).unwrap_or_default());
            at = at.saturating_add(page.len().max(1));
            new.push((location, None, page));
        }
        for Extension { reference, bytes } in layout.extensions {
            let number = reference.record();
            let offset = self.geometry.offset_in_mft(number);
            let location = offset.and_then(|offset| {
                Location::in_runs(layout.grown.runs, self.geometry.cluster, offset, bytes.len())
            });
            let records = self.records;
            let location = location.ok_or(CorruptKind::NoSuchRecord { records })?;
            new.push((location, FILE, bytes));
        }
        let limit = self.records_before(last);
        let next = Some(RecordNumber(layout.next)).filter(|next| next.0 < limit);
        let gone = layout.gone.iter().copied();
        let reserve = next.or_else(|| gone.rev().find(|number| number.0 < limit));
        Ok(Lead {
            first: layout.first,
            new,
            gone: layout.gone,
            gone_clusters: list.and_then(|list| list.runs.clone()),
            reserve,
        })
    }

    /// Finds a record for the next time that the table grows, where it has extension records already.
    pub(crate) fn settle_reserve(&mut self) -> Result<()> {
        let Some(entries) = self.list_entries(RecordNumber::MFT)? else {
            return Ok(());
        };
        let parts = entries.iter().filter(|entry| entry.kind == AttributeKind::DATA);
        let limit = self.records_before(parts.map(|entry| entry.lowest).max().unwrap_or(Vcn(0)));
        let from = RecordNumber::FIRST_USER.0;
        let free = self.record_bits.find(&mut self.cache, from, limit, 1, 1)?;
        self.table_reserve = free.map(|free| RecordNumber(free.start));
        Ok(())
    }
}
