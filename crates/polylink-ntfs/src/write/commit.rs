//! Bringing a batch to the device, and letting the Master File Table grow.

use polylink_nt::NtStatus;

use super::attributes::{self, Part, Sizes};
use super::bits::{Bits, Free};
use super::bytes::{put, size, wide};
use super::cache::{Class, Location, write_bytes};
use super::files::ValuePlace;
use super::state::{Pending, State};
use crate::error::{Corrupt, CorruptKind, Error, Result};
use crate::fixup;
use crate::layout::attribute::{AttributeFlags, AttributeKind};
use crate::layout::record::RecordFlags;
use crate::runs::RunList;
use crate::units::{Lcn, RecordNumber, Vcn};

/// Blocks that are kept in memory for the next batch, in bytes.
const KEPT: usize = 64 << 20;

impl State {
    /// Whether a commit has anything to do.
    pub(crate) fn is_clean(&self) -> bool {
        self.cache.is_clean() && self.removals.is_empty() && self.pending.is_empty()
    }

    /// Brings everything to the device: first what is added, then what goes, then what is free by that.
    ///
    /// # Errors
    ///
    /// As the device says: then nothing more may be written, for what the device holds is sound, and what this holds is
    /// not what the device holds. `DISK_FULL` or damage where a name could not be taken away: it is there again, and
    /// everything else is done.
    pub(crate) fn commit(&mut self) -> Result<()> {
        self.cache.keep();
        self.write_classes()?;
        let mut outcome = Ok(());
        if !self.removals.is_empty() {
            self.base_class = Class::Removed;
            let gone = self.apply_removals(&mut outcome);
            self.base_class = Class::Base;
            gone?;
            self.write_classes()?;
        }
        self.release()?;
        self.directory_moved = false;
        self.cache.keep();
        self.cache.shrink(KEPT);
        outcome
    }

    fn write_classes(&mut self) -> Result<()> {
        for class in Class::ALL {
            if class < Class::Extension {
                self.cache.commit_class(class)?;
            }
        }
        Ok(())
    }

    fn apply_removals(&mut self, outcome: &mut Result<()>) -> Result<()> {
        for removal in std::mem::take(&mut self.removals) {
            self.unhide(&removal);
            let mut released = false;
            loop {
                self.begin();
                let Err(error) = self.remove_now(&removal) else {
                    break;
                };
                self.roll_back();
                match error {
                    Error::Conflict if self.want_records => match self.grow_table() {
                        Ok(()) => {}
                        Err(error @ Error::Refused(_)) => {
                            *outcome = Err(error);
                            break;
                        }
                        Err(error) => return Err(error),
                    },
                    // a directory that lost a name of its own before it loses entries
                    Error::Conflict if !self.cache.is_clean() => self.write_classes()?,
                    // what the names before gave back may be enough
                    Error::Refused(NtStatus::DISK_FULL) if !released => {
                        released = true;
                        self.write_classes()?;
                        self.release()?;
                    }
                    error @ (Error::Refused(_) | Error::Corrupt(_) | Error::Unsupported(_)) => {
                        *outcome = Err(error);
                        break;
                    }
                    error => return Err(error),
                }
            }
            self.cache.keep();
        }
        Ok(())
    }

    /// Makes free what nothing leads to any more.
    fn release(&mut self) -> Result<()> {
        let mut pending = std::mem::take(&mut self.pending);
        for number in std::mem::take(&mut pending.extensions) {
            let record = self.record_mut(number, Class::Extension)?;
            let flags = attributes::flags(record).difference(RecordFlags::IN_USE);
            attributes::set_flags(record, flags);
            let next = attributes::next_sequence(attributes::sequence(record));
            attributes::set_sequence(record, next);
            pending.records.push(number);
        }
        self.cache.commit_class(Class::Extension)?;
        let Pending {
            clusters,
            records,
            blocks,
            ..
        } = pending;
        for free in &clusters {
            self.clusters.set(&mut self.cache, *free, false, Class::Free)?;
            let cluster = u64::from(self.geometry.cluster);
            self.cache.discard(
                free.start.saturating_mul(cluster),
                free.len.saturating_mul(cluster),
            );
        }
        let first = records.iter().map(|number| number.0).min();
        for number in records {
            let bit = Free {
                start: number.0,
                len: 1,
            };
            self.record_bits.set(&mut self.cache, bit, false, Class::Free)?;
        }
        if let Some(first) = first {
            // the table stays short where records come and go
            self.record_bits.lower_cursor(first);
        }
        for (number, name, block) in blocks {
            // the directory itself may be gone
            let in_use = attributes::flags(self.record(number)?).contains(RecordFlags::IN_USE);
            if in_use {
                self.directory(number, name)?.clear_block(block)?;
            }
        }
        self.cache.commit_class(Class::Free)
    }

    /// Adds records to the table, all of them free. Written at once, between operations.
    ///
    /// # Errors
    ///
    /// `DISK_FULL`; as the device says.
    pub(crate) fn grow_table(&mut self) -> Result<()> {
        self.want_records = false;
        self.cache.keep();
        let cluster = u64::from(self.geometry.cluster);
        let record = u64::from(self.geometry.record);
        let granule = record.div_ceil(cluster).max(1);
        let value = self.value(RecordNumber::MFT, AttributeKind::DATA, &[])?;
        let Some(ValuePlace::Clusters(mut runs, mut sizes)) = value.map(|value| value.place) else {
            return Err(Corrupt::new(CorruptKind::Missing {
                kind: AttributeKind::DATA,
            })
            .in_record(RecordNumber::MFT)
            .into());
        };
        if self.parts(RecordNumber::MFT, AttributeKind::DATA, &[])?.len() > 1 {
            // the part that tells where an extension record is must not be in that record
            return Err(NtStatus::DISK_FULL.into());
        }
        // an eighth more, so that the table has few pieces
        let mut want = (self.records >> 3).clamp(64, 1 << 16);
        let near = runs.extents().last();
        let near = near.and_then(|last| Some(Lcn(last.lcn?.0.saturating_add(last.len))));
        let added = loop {
            let count = want
                .saturating_mul(record)
                .div_ceil(cluster)
                .next_multiple_of(granule);
            self.begin();
            match self.take_clusters(count, near, granule, runs.end()) {
                Ok(added) => break added,
                Err(error) => {
                    self.roll_back();
                    if want <= 1 {
                        return Err(error);
                    }
                    want >>= 2;
                }
            }
        };
        runs.extend(&added);
        let end = runs.end().0.saturating_mul(cluster);
        let old = self.records;
        let records = end.checked_div(record).unwrap_or(old);
        let bitmap = match self
            .format_records(&runs, old, records)
            .and_then(|()| self.longer_bitmap(records))
        {
            Ok(bitmap) => bitmap,
            Err(error) => {
                // what was taken for the records is free again
                self.roll_back();
                return Err(error);
            }
        };
        self.cache.keep();
        // the new records, and the bits of what they take, are there before the table says so
        self.cache.commit_class(Class::Allocate)?;
        self.cache.flush()?;
        sizes.allocated = end;
        sizes.size = records.saturating_mul(record);
        sizes.initialized = sizes.size;
        let part = Part {
            kind: AttributeKind::DATA,
            name: &[],
            flags: AttributeFlags::empty(),
            unit: 0,
            runs: &runs,
            lowest: Vcn(0),
            sizes,
        };
        self.begin();
        let put = self
            .set_clusters(RecordNumber::MFT, &part, Class::Allocate)
            .and_then(|()| self.put_bitmap(&bitmap));
        if let Err(error) = put {
            self.roll_back();
            self.free_clusters(&added);
            return Err(error);
        }
        self.cache.commit_class(Class::Allocate)?;
        self.cache.keep();
        self.record_bits.grow(bitmap.runs, records);
        self.table = runs;
        if self.unused_from > old {
            self.unused_from = old;
        }
        self.records = records;
        self.record_bits.set_cursor(old);
        self.generation = self.generation.saturating_add(1);
        Ok(())
    }

    /// Fills the new part of the table with records that are not in use.
    fn format_records(&mut self, runs: &RunList, from: u64, to: u64) -> Result<()> {
        /// Records that are written at once.
        const AT_ONCE: u64 = 1024;
        let len = self.record_len();
        let mut at = from;
        while at < to {
            let end = at.saturating_add(AT_ONCE).min(to);
            let mut bytes = Vec::with_capacity(len.saturating_mul(size(end.saturating_sub(at))));
            for number in at..end {
                let mut record =
                    attributes::new_record(len, RecordNumber(number), 1, None, RecordFlags::empty());
                fixup::protect(&mut record);
                bytes.extend_from_slice(&record);
            }
            let offset = at.saturating_mul(wide(len));
            let location = Location::in_runs(runs, self.geometry.cluster, offset, bytes.len());
            let location = location.ok_or(CorruptKind::NoSuchRecord { records: to })?;
            let mut rest = bytes.as_slice();
            for (place, piece) in location.pieces() {
                let (part, after) = rest.split_at_checked(piece).unwrap_or((rest, &[]));
                write_bytes(self.cache.device(), place, part)?;
                self.cache.discard(place, wide(piece));
                rest = after;
            }
            at = end;
        }
        Ok(())
    }

    /// The bitmap of records as it is.
    fn bitmap(&mut self) -> Result<(RunList, Sizes, Vec<u8>)> {
        let kind = AttributeKind::BITMAP;
        match self.value(RecordNumber::MFT, kind, &[])?.map(|value| value.place) {
            Some(ValuePlace::Clusters(runs, sizes)) => Ok((runs, sizes, Vec::new())),
            Some(ValuePlace::Record(value)) => {
                let sizes = Sizes {
                    allocated: 0,
                    size: wide(value.len()),
                    initialized: wide(value.len()),
                    total: None,
                };
                Ok((RunList::default(), sizes, value))
            }
            None => Err(Corrupt::new(CorruptKind::Missing { kind })
                .in_record(RecordNumber::MFT)
                .into()),
        }
    }

    /// Sees to it that the bitmap of records lies in clusters, as it does on nearly all volumes.
    pub(crate) fn settle_bitmap(&mut self) -> Result<()> {
        let (_, sizes, _) = self.bitmap()?;
        if sizes.allocated > 0 {
            return Ok(());
        }
        self.begin();
        let bitmap = self.longer_bitmap(self.records)?;
        self.cache.commit_class(Class::Allocate)?;
        self.cache.flush()?;
        self.put_bitmap(&bitmap)?;
        self.cache.commit_class(Class::Allocate)?;
        self.cache.keep();
        self.record_bits.grow(bitmap.runs, self.records);
        Ok(())
    }

    /// Lets the table lead to a bitmap.
    fn put_bitmap(&mut self, bitmap: &Bitmap) -> Result<()> {
        let kind = AttributeKind::BITMAP;
        let part = Part {
            kind,
            name: &[],
            flags: AttributeFlags::empty(),
            unit: 0,
            runs: &bitmap.runs,
            lowest: Vcn(0),
            sizes: bitmap.sizes,
        };
        self.set_clusters(RecordNumber::MFT, &part, Class::Allocate)
    }

    /// A bitmap for so many records. New clusters of it are filled at once; nothing leads to them yet.
    fn longer_bitmap(&mut self, records: u64) -> Result<Bitmap> {
        let cluster = u64::from(self.geometry.cluster);
        let (mut runs, mut sizes, content) = self.bitmap()?;
        let old = sizes.size;
        let want = records.div_ceil(64).saturating_mul(8).max(old);
        if want > sizes.allocated {
            let near = runs.extents().last();
            let near = near.and_then(|last| Some(Lcn(last.lcn?.0.saturating_add(last.len))));
            let missing = self.geometry.clusters_for(want.saturating_sub(sizes.allocated));
            let more = self.take_clusters(missing.max(1), near, 1, runs.end())?;
            let mut content = content.as_slice();
            let mut bytes = vec![0; size(self.geometry.cluster)];
            for extent in more.extents() {
                for index in 0..extent.len {
                    let lcn = extent.lcn.map_or(0, |lcn| lcn.0).saturating_add(index);
                    let here = content.len().min(bytes.len());
                    let (part, rest) = content.split_at_checked(here).unwrap_or((content, &[]));
                    bytes.fill(0);
                    put(&mut bytes, 0, part);
                    content = rest;
                    self.cache.discard(lcn.saturating_mul(cluster), cluster);
                    write_bytes(self.cache.device(), lcn.saturating_mul(cluster), &bytes)?;
                }
            }
            runs.extend(&more);
            sizes.allocated = runs.end().0.saturating_mul(cluster);
        }
        // what lies behind the old end may be set, or anything
        let bits = Bits::new(runs.clone(), self.geometry.cluster, want.saturating_mul(8), 0);
        let fresh = Free {
            start: old.saturating_mul(8),
            len: want.saturating_sub(old).saturating_mul(8),
        };
        bits.set(&mut self.cache, fresh, false, Class::Allocate)?;
        sizes.size = want;
        sizes.initialized = want;
        Ok(Bitmap { runs, sizes })
    }
}

/// Where the bitmap of records lies.
#[derive(Clone, Debug)]
struct Bitmap {
    runs: RunList,
    sizes: Sizes,
}
