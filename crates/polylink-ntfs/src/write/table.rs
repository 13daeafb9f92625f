//! Letting the Master File Table grow: between operations, and by itself.
//!
//! Bits, then records and lists that nothing leads to yet, then the first record and its copy, each behind a flush: the
//! one write of the first record makes all of it true. Where the first record has no room for the runs, they go on in
//! extension records; see [`parts`].

mod parts;

use std::mem::offset_of;

use super::attributes::{self, Part, Sizes};
use super::bits::{Bits, Free};
use super::bytes::{narrow, put, put_u32, size, wide};
use super::cache::{Class, Location};
use super::files::ValuePlace;
use super::state::State;
use crate::error::{Corrupt, CorruptKind, Result};
use crate::fixup;
use crate::layout::attribute::{AttributeFlags, AttributeKind};
use crate::layout::record::{RecordFlags, RecordHeader};
use crate::runs::RunList;
use crate::units::{Lcn, RecordNumber, Vcn};

impl State {
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
        // an eighth more, so that the table has few pieces; then a quarter, then a half: whoever makes many files at once
        // shall not wait for the disk each time
        let shift = 3_u64.saturating_sub(self.generation).max(1);
        let mut want = (self.records >> shift).clamp(64, 1 << 15);
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
        sizes.allocated = end;
        sizes.size = records.saturating_mul(record);
        sizes.initialized = sizes.size;
        let grown = self.format_records(&runs, old, records).and_then(|()| {
            let bitmap = self.longer_bitmap(records)?;
            let lead = self.lead_to(&Grown {
                runs: &runs,
                sizes,
                bitmap: &bitmap,
                before: old,
            })?;
            Ok((bitmap, lead))
        });
        let (bitmap, lead) = match grown {
            Ok(grown) => grown,
            Err(error) => {
                // what was taken for the records is free again
                self.roll_back();
                return Err(error);
            }
        };
        self.cache.keep();
        // the new records, and the bits of what they take, are there before the table says so
        self.cache.write_class(Class::Allocate)?;
        self.cache.flush()?;
        self.cache.keep();
        for (location, signature, bytes) in lead.new {
            self.cache.create(&location, signature, bytes, Class::Allocate);
        }
        self.cache.commit_class(Class::Allocate)?;
        let first = self.record_mut(RecordNumber::MFT, Class::Allocate)?;
        first.copy_from_slice(&lead.first);
        self.cache.commit_class(Class::Allocate)?;
        self.cache.keep();
        self.record_bits.grow(bitmap.runs, records);
        self.table = runs;
        self.unused_from = self.unused_from.min(old);
        self.records = records;
        self.record_bits.set_cursor(old);
        self.table_reserve = lead.reserve;
        self.generation = self.generation.saturating_add(1);
        self.hints.remove(&RecordNumber::MFT);
        self.give_up(&lead.gone, lead.gone_clusters.as_ref())
    }

    /// Fills the new part of the table with records that are not in use.
    fn format_records(&mut self, runs: &RunList, from: u64, to: u64) -> Result<()> {
        /// Records that are written at once.
        const AT_ONCE: u64 = 1024;
        let len = self.record_len();
        let mut record = attributes::new_record(len, RecordNumber(0), 1, None, RecordFlags::empty());
        fixup::protect(&mut record);
        let mut records = record.repeat(size(to.saturating_sub(from).min(AT_ONCE)));
        let mut at = from;
        while at < to {
            let end = at.saturating_add(AT_ONCE).min(to);
            let here = len.saturating_mul(size(end.saturating_sub(at)));
            let bytes = records.get_mut(..here).unwrap_or_default();
            // they differ in this only, which is in no place that the update sequence protects
            for (record, number) in bytes.chunks_exact_mut(len).zip(at..end) {
                put_u32(
                    record,
                    offset_of!(RecordHeader, number),
                    narrow(number & 0xFFFF_FFFF),
                );
            }
            let offset = at.saturating_mul(wide(len));
            let location = Location::in_runs(runs, self.geometry.cluster, offset, bytes.len());
            let location = location.ok_or(CorruptKind::NoSuchRecord { records: to })?;
            let mut rest: &[u8] = bytes;
            for (place, piece) in location.pieces() {
                let (part, after) = rest.split_at_checked(piece).unwrap_or((rest, &[]));
                self.cache.write_now(place, part)?;
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

    /// Gives back what the first record no longer leads to: at once, for the next growth needs it.
    fn give_up(&mut self, records: &[RecordNumber], clusters: Option<&RunList>) -> Result<()> {
        for &number in records {
            let record = self.record_mut(number, Class::Extension)?;
            let flags = attributes::flags(record).difference(RecordFlags::IN_USE);
            attributes::set_flags(record, flags);
            let next = attributes::next_sequence(attributes::sequence(record));
            attributes::set_sequence(record, next);
        }
        self.cache.commit_class(Class::Extension)?;
        for number in records {
            let bit = Free {
                start: number.0,
                len: 1,
            };
            self.record_bits.set(&mut self.cache, bit, false, Class::Free)?;
        }
        let cluster = u64::from(self.geometry.cluster);
        for extent in clusters.map(RunList::extents).unwrap_or_default() {
            let Some(lcn) = extent.lcn else { continue };
            let bits = Free {
                start: lcn.0,
                len: extent.len,
            };
            self.clusters.set(&mut self.cache, bits, false, Class::Free)?;
            let len = extent.len.saturating_mul(cluster);
            self.cache.discard(lcn.0.saturating_mul(cluster), len);
        }
        self.cache.commit_class(Class::Free)?;
        self.cache.keep();
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
                    self.cache.write_now(lcn.saturating_mul(cluster), &bytes)?;
                }
            }
            runs.extend(&more);
            sizes.allocated = runs.end().0.saturating_mul(cluster);
        }
        // what lies behind the old end may be set, or anything
        let mut bits = Bits::new(runs.clone(), self.geometry.cluster, want.saturating_mul(8), 0);
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

/// What the first record is to lead to.
#[derive(Clone, Copy, Debug)]
struct Grown<'g> {
    runs: &'g RunList,
    sizes: Sizes,
    bitmap: &'g Bitmap,
    /// Records that the table had until now.
    before: u64,
}
