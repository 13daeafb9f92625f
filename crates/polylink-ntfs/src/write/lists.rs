//! Attribute lists: which record holds which attribute of a file that needs several.
//!
//! A list in clusters is never written where the device has it: a batch that changes it moves it first, and the base
//! record leads to the new place in the same write that counts the names.

use std::mem::offset_of;

use polylink_nt::NtStatus;

use super::FILE_SYSTEM_LIMITATION;
use super::attributes::{self, NoRoom, Part, Sizes};
use super::bytes::{aligned, bytes_of_units, get_u16, put, put_u16, put_u32, put_u64, short, size, wide};
use super::cache::{Class, Location};
use super::state::State;
use crate::error::{CorruptKind, Result};
use crate::file::{ListEntry, list_entries};
use crate::layout::attribute::{AttributeFlags, AttributeKind};
use crate::layout::value::AttributeListEntry;
use crate::mft::list_size;
use crate::record::Body;
use crate::runs::RunList;
use crate::units::{FileReference, RecordNumber, Vcn};

/// More than this Windows cannot map at once.
pub(crate) const LIMIT: usize = 256 << 10;

/// Where a file's list is.
#[derive(Clone, Debug)]
pub(crate) struct List {
    /// The number of the attribute in the base record.
    pub(crate) id: u16,
    /// Bytes of the list.
    pub(crate) len: usize,
    /// Its clusters; `None` where it lies in the record.
    pub(crate) runs: Option<RunList>,
}

/// One entry as it lies in the list.
pub(crate) fn entry(
    kind: AttributeKind,
    name: &[u16],
    lowest: Vcn,
    record: FileReference,
    id: u16,
) -> Vec<u8> {
    let name_at = size_of::<AttributeListEntry>();
    let len = aligned(name_at.saturating_add(name.len().saturating_mul(2)));
    let mut bytes = vec![0; len];
    put_u32(&mut bytes, offset_of!(AttributeListEntry, kind), kind.0);
    put_u16(&mut bytes, offset_of!(AttributeListEntry, len), short(len));
    let name_len = u8::try_from(name.len()).unwrap_or(u8::MAX);
    put(&mut bytes, offset_of!(AttributeListEntry, name_len), &[name_len]);
    let name_offset = u8::try_from(name_at).unwrap_or(0);
    put(
        &mut bytes,
        offset_of!(AttributeListEntry, name_offset),
        &[name_offset],
    );
    put_u64(&mut bytes, offset_of!(AttributeListEntry, lowest_vcn), lowest.0);
    put_u64(&mut bytes, offset_of!(AttributeListEntry, record), record.0);
    put_u16(&mut bytes, offset_of!(AttributeListEntry, id), id);
    put(&mut bytes, name_at, &bytes_of_units(name));
    bytes
}

/// The bytes of a whole list.
pub(crate) fn encode(entries: &[ListEntry]) -> Vec<u8> {
    entries
        .iter()
        .flat_map(|found| entry(found.kind, &found.name, found.lowest, found.record, found.id))
        .collect()
}

impl State {
    /// The list of a file; `None` where the base record holds everything.
    pub(crate) fn list(&mut self, base: RecordNumber) -> Result<Option<List>> {
        let clusters = self.geometry.clusters;
        let bytes = self.record(base)?;
        for attribute in attributes::attributes(bytes) {
            let attribute = attribute?;
            if attribute.kind() != AttributeKind::ATTRIBUTE_LIST {
                continue;
            }
            let id = attribute.id();
            return Ok(Some(match attribute.body() {
                Body::Resident { value, .. } => List {
                    id,
                    len: value.len(),
                    runs: None,
                },
                Body::NonResident(part) => List {
                    id,
                    len: list_size(part.header.size.get())?,
                    runs: Some(part.decode(clusters)?),
                },
            }));
        }
        Ok(None)
    }

    fn list_page(&self) -> usize {
        size(self.geometry.cluster.min(4096))
    }

    /// The block that holds the byte at `at` of a list in clusters, and where it begins in the list.
    pub(crate) fn list_location(&self, runs: &RunList, at: usize) -> Result<(Location, usize)> {
        let page = self.list_page().max(1);
        let start = at.saturating_sub(at.checked_rem(page).unwrap_or(0));
        let location = Location::in_runs(runs, self.geometry.cluster, wide(start), page);
        let missing = CorruptKind::ValueSize {
            found: wide(at),
            limit: runs.end().0.saturating_mul(u64::from(self.geometry.cluster)),
        };
        Ok((location.ok_or(missing)?, start))
    }

    /// Bytes of a list, from `at` to its end.
    fn list_tail(&mut self, base: RecordNumber, list: &List, at: usize) -> Result<Vec<u8>> {
        match &list.runs {
            None => {
                let bytes = self.record(base)?;
                let value = attributes::offset_of_id(bytes, list.id)
                    .and_then(|offset| attributes::attribute_at(bytes, offset))
                    .and_then(crate::record::Attribute::parse_one)
                    .and_then(|attribute| attribute.resident());
                Ok(value
                    .and_then(|value| value.get(at..))
                    .unwrap_or_default()
                    .to_vec())
            }
            Some(runs) => {
                let mut tail = Vec::with_capacity(list.len.saturating_sub(at));
                let mut from = at;
                while from < list.len {
                    let (location, start) = self.list_location(runs, from)?;
                    let page = self.cache.read(&location, None)?;
                    let end = page.len().min(list.len.saturating_sub(start));
                    let part = page.get(from.saturating_sub(start)..end).unwrap_or_default();
                    if part.is_empty() {
                        break;
                    }
                    tail.extend_from_slice(part);
                    from = from.saturating_add(part.len());
                }
                Ok(tail)
            }
        }
    }

    /// The entries of a file's list.
    pub(crate) fn list_entries(&mut self, base: RecordNumber) -> Result<Option<Vec<ListEntry>>> {
        let Some(list) = self.list(base)? else {
            return Ok(None);
        };
        let bytes = self.list_tail(base, &list, 0)?;
        Ok(Some(
            list_entries(&bytes).map_err(|corrupt| corrupt.in_record(base))?,
        ))
    }

    /// Writes bytes over those of a list in clusters, which is this batch's own already.
    fn list_write(&mut self, runs: &RunList, mut at: usize, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let (location, start) = self.list_location(runs, at)?;
            let inside = at.saturating_sub(start);
            let here = self.list_page().saturating_sub(inside).min(bytes.len());
            let (part, rest) = bytes.split_at_checked(here).unwrap_or((bytes, &[]));
            // a page that the list reaches for the first time holds nothing of it
            if inside == 0 && self.cache.class(location.key()).is_none() {
                let page = vec![0; self.list_page()];
                self.cache.create(&location, None, page, Class::New);
            }
            let page = self.cache.write(&location, None, Class::New)?;
            put(page, inside, part);
            at = at.saturating_add(here);
            bytes = rest;
        }
        Ok(())
    }

    /// Whether a list in clusters lies where the device does not know of it.
    fn is_own(&self, runs: &RunList) -> bool {
        self.list_location(runs, 0)
            .is_ok_and(|(location, _)| self.cache.class(location.key()) == Some(Class::New))
    }

    /// Takes clusters for a list, fills them with `bytes`, and answers the attribute that leads there.
    fn list_in_clusters(&mut self, bytes: &[u8]) -> Result<(Vec<u8>, RunList)> {
        // room to grow by a quarter without moving again in the same batch
        let room = bytes
            .len()
            .saturating_add(bytes.len() >> 2)
            .min(LIMIT)
            .max(bytes.len());
        let want = self.geometry.clusters_for(wide(room)).max(1);
        let runs = self.take_clusters(want, None, 1, Vcn(0))?;
        self.list_write(&runs, 0, bytes)?;
        Ok((self.list_attribute(&runs, bytes.len()), runs))
    }

    /// The attribute that leads to a list in clusters.
    pub(crate) fn list_attribute(&self, runs: &RunList, len: usize) -> Vec<u8> {
        let allocated = runs.end().0.saturating_mul(u64::from(self.geometry.cluster));
        attributes::non_resident(&Part {
            kind: AttributeKind::ATTRIBUTE_LIST,
            name: &[],
            flags: AttributeFlags::empty(),
            unit: 0,
            runs,
            lowest: Vcn(0),
            sizes: Sizes {
                allocated,
                size: wide(len),
                initialized: wide(len),
                total: None,
            },
        })
    }

    /// Puts `insert` in the place of the `remove` bytes at `at` of a file's list.
    pub(crate) fn list_splice(
        &mut self,
        base: RecordNumber,
        at: usize,
        remove: usize,
        insert: &[u8],
        class: Class,
    ) -> Result<()> {
        let list = self.list(base)?.ok_or(CorruptKind::Missing {
            kind: AttributeKind::ATTRIBUTE_LIST,
        })?;
        let len = list.len.saturating_sub(remove).saturating_add(insert.len());
        if len > LIMIT {
            return Err(FILE_SYSTEM_LIMITATION.into());
        }
        match &list.runs {
            None => {
                let mut value = self.list_tail(base, &list, 0)?;
                let end = at.saturating_add(remove).min(value.len());
                value.splice(at.min(end)..end, insert.iter().copied());
                self.put_list(base, &list, &value, class)
            }
            Some(runs) => {
                let capacity = size(runs.end().0.saturating_mul(u64::from(self.geometry.cluster)));
                if !self.is_own(runs) || len > capacity {
                    let mut value = self.list_tail(base, &list, 0)?;
                    let end = at.saturating_add(remove).min(value.len());
                    value.splice(at.min(end)..end, insert.iter().copied());
                    return self.put_list(base, &list, &value, class);
                }
                let mut changed = insert.to_vec();
                if remove != insert.len() {
                    changed.extend(self.list_tail(base, &list, at.saturating_add(remove))?);
                }
                self.list_write(runs, at, &changed)?;
                if remove == insert.len() {
                    return Ok(());
                }
                let attribute = self.list_attribute(runs, len);
                let record = self.record_mut(base, class)?;
                let offset = attributes::offset_of_id(record, list.id).unwrap_or(0);
                attributes::replace(record, offset, &attribute).map_err(|NoRoom| NtStatus::DISK_FULL.into())
            }
        }
    }

    /// Gives a file another list in the place of its present one.
    fn put_list(&mut self, base: RecordNumber, list: &List, value: &[u8], class: Class) -> Result<()> {
        let old = list.runs.clone();
        if old.is_none() {
            let attribute = attributes::resident(AttributeKind::ATTRIBUTE_LIST, &[], value);
            let record = self.record_mut(base, class)?;
            let offset = attributes::offset_of_id(record, list.id).unwrap_or(0);
            // a long list in the record leaves no room for anything else
            let fits = attribute.len() <= record.len().checked_div(3).unwrap_or(0);
            if fits && attributes::replace(record, offset, &attribute).is_ok() {
                return Ok(());
            }
        }
        let (attribute, runs) = self.list_in_clusters(value)?;
        let record = self.record_mut(base, class)?;
        let offset = attributes::offset_of_id(record, list.id).unwrap_or(0);
        if attributes::replace(record, offset, &attribute).is_err() {
            // only a list that was moved into ever more pieces comes here
            self.free_own(&runs)?;
            return Err(FILE_SYSTEM_LIMITATION.into());
        }
        if let Some(old) = old {
            self.drop_list_clusters(&old)?;
        }
        Ok(())
    }

    /// Moves a list out of the base record.
    pub(crate) fn list_to_clusters(&mut self, base: RecordNumber, list: &List, class: Class) -> Result<()> {
        let value = self.list_tail(base, list, 0)?;
        let (attribute, _) = self.list_in_clusters(&value)?;
        let record = self.record_mut(base, class)?;
        let offset = attributes::offset_of_id(record, list.id).unwrap_or(0);
        attributes::replace(record, offset, &attribute).map_err(|NoRoom| FILE_SYSTEM_LIMITATION.into())
    }

    /// The clusters of a list that is gone: at once where the device never knew of them.
    fn drop_list_clusters(&mut self, runs: &RunList) -> Result<()> {
        if self.is_own(runs) {
            self.free_own(runs)
        } else {
            self.free_clusters(runs);
            Ok(())
        }
    }

    fn free_own(&mut self, runs: &RunList) -> Result<()> {
        let end = size(runs.end().0.saturating_mul(u64::from(self.geometry.cluster)));
        let mut at = 0;
        while at < end {
            let (location, _) = self.list_location(runs, at)?;
            self.cache.forget(location.key());
            at = at.saturating_add(self.list_page());
        }
        for extent in runs.extents() {
            if let Some(lcn) = extent.lcn {
                let bits = super::bits::Free {
                    start: lcn.0,
                    len: extent.len,
                };
                self.clusters.set(&mut self.cache, bits, false, Class::Allocate)?;
            }
        }
        Ok(())
    }

    /// Gives a base record its first list: in the record if there is room, else in clusters, for which
    /// [`State::list_room`] says how much is needed.
    pub(crate) fn insert_list(
        &mut self,
        base: RecordNumber,
        entries: &[ListEntry],
        class: Class,
    ) -> Result<()> {
        let value = encode(entries);
        let resident = attributes::resident(AttributeKind::ATTRIBUTE_LIST, &[], &value);
        let third = self.record_len().checked_div(3).unwrap_or(0);
        let room = attributes::room(self.record(base)?).min(third);
        let attribute = if resident.len() <= room {
            resident
        } else {
            self.list_in_clusters(&value)?.0
        };
        let upcase = self.upcase.clone();
        let record = self.record_mut(base, class)?;
        match attributes::insert(record, &upcase, &attribute) {
            Ok(_) => Ok(()),
            Err(NoRoom) => Err(FILE_SYSTEM_LIMITATION.into()),
        }
    }

    /// Bytes that a list of so many bytes takes in a base record.
    pub(crate) fn list_room(record: usize, list: usize) -> usize {
        /// With room for some runs.
        const IN_CLUSTERS: usize = 96;
        let resident = aligned(list.saturating_add(24));
        if resident <= record.checked_div(3).unwrap_or(0) {
            resident
        } else {
            IN_CLUSTERS
        }
    }

    /// A list that names nothing outside the base record is no longer needed.
    pub(crate) fn drop_list_if_idle(&mut self, base: RecordNumber, class: Class) -> Result<()> {
        let Some(entries) = self.list_entries(base)? else {
            return Ok(());
        };
        if entries.iter().any(|entry| entry.record.record() != base) {
            return Ok(());
        }
        let Some(list) = self.list(base)? else {
            return Ok(());
        };
        if let Some(runs) = &list.runs {
            self.drop_list_clusters(runs)?;
        }
        let record = self.record_mut(base, class)?;
        if let Some(offset) = attributes::offset_of_id(record, list.id) {
            attributes::remove(record, offset);
        }
        self.hints.remove(&base);
        Ok(())
    }

    /// Where an entry lies in a list, and its bytes.
    pub(crate) fn list_position(
        &mut self,
        base: RecordNumber,
        wanted: &dyn Fn(FileReference, u16) -> bool,
    ) -> Result<Option<(usize, usize)>> {
        let Some(list) = self.list(base)? else {
            return Ok(None);
        };
        let bytes = self.list_tail(base, &list, 0)?;
        let mut at = 0;
        while at < bytes.len() {
            let len = usize::from(get_u16(
                &bytes,
                at.saturating_add(offset_of!(AttributeListEntry, len)),
            ));
            if len < size_of::<AttributeListEntry>() {
                break;
            }
            let field = at.saturating_add(offset_of!(AttributeListEntry, record));
            let reference = bytes.get(field..).and_then(<[u8]>::first_chunk::<8>);
            let reference = FileReference(u64::from_le_bytes(reference.copied().unwrap_or_default()));
            let id = get_u16(&bytes, at.saturating_add(offset_of!(AttributeListEntry, id)));
            if wanted(reference, id) {
                return Ok(Some((at, len)));
            }
            at = at.saturating_add(len);
        }
        Ok(None)
    }
}
