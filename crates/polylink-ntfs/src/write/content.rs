//! The content of files: writing it, and changing its size.

use polylink_nt::NtStatus;

use super::attributes::{Part, Sizes};
use super::bytes::{size, wide};
use super::cache::Location;
use super::files::ValuePlace;
use super::names::refuse_special;
use super::state::State;
use crate::error::{CorruptKind, Result};
use crate::layout::attribute::{AttributeFlags, AttributeKind};
use crate::runs::{Extent, RunList};
use crate::units::{Lcn, RecordNumber, Vcn};

/// No value is longer: byte offsets are signed, and clusters are counted.
const LONGEST: u64 = 1 << 55;
const ZEROS: usize = 1 << 16;

impl State {
    /// Gives a stream another size: what is added reads as zeros.
    pub(crate) fn resize(&mut self, base: RecordNumber, name: &[u16], new: u64) -> Result<()> {
        if new > LONGEST {
            return Err(NtStatus::INVALID_PARAMETER.into());
        }
        let class = self.base_class;
        if let Some(hint) = self.hints.get_mut(&base) {
            hint.facts = None;
        }
        let kind = AttributeKind::DATA;
        let old = self.value(base, kind, name)?;
        let unit = old.as_ref().map_or(0, |old| old.unit);
        let (mut runs, mut sizes, flags, content) = match old {
            None => (
                RunList::default(),
                EMPTY,
                AttributeFlags::empty(),
                Some(Vec::new()),
            ),
            Some(old) => {
                refuse_special(old.flags)?;
                match old.place {
                    ValuePlace::Record(value) => (RunList::default(), EMPTY, old.flags, Some(value)),
                    ValuePlace::Clusters(runs, sizes) => (runs, sizes, old.flags, None),
                }
            }
        };
        if let Some(mut value) = content {
            let room = self.resident_room(base, name)?.saturating_add(value.len());
            if new <= wide(room.min(self.record_len())) {
                value.resize(size(new), 0);
                return self.set_resident(base, kind, name, &value, class);
            }
            // it leaves the record
            value.truncate(size(new));
            let clusters = self.geometry.clusters_for(new).max(1);
            runs = self.take_clusters(clusters, None, 1, Vcn(0))?;
            self.write_runs(&runs, 0, &value)?;
            sizes = Sizes {
                allocated: self.bytes_of(&runs),
                size: new,
                initialized: wide(value.len()),
                total: None,
            };
            return self.put_clusters(base, name, (AttributeFlags::empty(), 0), &runs, sizes);
        }
        let wanted = self.geometry.clusters_for(new);
        let held = runs.end().0;
        if wanted > held {
            if flags.contains(AttributeFlags::SPARSE) {
                runs.extend(&RunList::from_extents(vec![Extent {
                    vcn: Vcn(held),
                    lcn: None,
                    len: wanted.saturating_sub(held),
                }]));
            } else {
                let near = runs.extents().last();
                let near = near.and_then(|last| Some(Lcn(last.lcn?.0.saturating_add(last.len))));
                let more = self.take_clusters(wanted.saturating_sub(held), near, 1, Vcn(held))?;
                runs.extend(&more);
            }
        } else if wanted < held {
            let rest = runs.cut(Vcn(wanted));
            self.free_clusters(&rest);
        }
        sizes.size = new;
        sizes.initialized = sizes.initialized.min(new);
        sizes.allocated = self.bytes_of(&runs);
        if sizes.total.is_some() {
            let held = runs.allocated().saturating_mul(u64::from(self.geometry.cluster));
            sizes.total = Some(held);
        }
        if new == 0 && sizes.total.is_none() {
            return self.set_resident(base, kind, name, &[], class);
        }
        self.put_clusters(base, name, (flags, unit), &runs, sizes)
    }

    /// Writes a part of a stream, which grows where the part reaches beyond its end.
    pub(crate) fn write_stream(
        &mut self,
        base: RecordNumber,
        name: &[u16],
        offset: u64,
        bytes: &[u8],
    ) -> Result<()> {
        let kind = AttributeKind::DATA;
        let end = offset.saturating_add(wide(bytes.len()));
        let held = match self.value(base, kind, name)? {
            Some(value) => {
                refuse_special(value.flags)?;
                match value.place {
                    ValuePlace::Record(value) => wide(value.len()),
                    ValuePlace::Clusters(_, sizes) => sizes.size,
                }
            }
            None => {
                let class = self.base_class;
                self.set_resident(base, kind, name, &[], class)?;
                0
            }
        };
        if end > held {
            self.resize(base, name, end)?;
        }
        let class = self.base_class;
        let value = self.value(base, kind, name)?;
        let Some(value) = value else {
            return Err(CorruptKind::Missing { kind }.into());
        };
        match value.place {
            ValuePlace::Record(mut content) => {
                super::bytes::put(&mut content, size(offset), bytes);
                self.set_resident(base, kind, name, &content, class)
            }
            ValuePlace::Clusters(mut runs, mut sizes) => {
                let from = offset.min(sizes.initialized);
                self.fill_holes(&mut runs, from, end)?;
                // what was never written becomes zeros before what is behind it is there
                let mut at = sizes.initialized;
                let zeros = vec![0; ZEROS];
                while at < offset {
                    let here = size(offset.saturating_sub(at)).min(zeros.len());
                    self.write_runs(&runs, at, zeros.get(..here).unwrap_or_default())?;
                    at = at.saturating_add(wide(here));
                }
                self.write_runs(&runs, offset, bytes)?;
                sizes.initialized = sizes.initialized.max(end);
                if sizes.total.is_some() {
                    let held = runs.allocated().saturating_mul(u64::from(self.geometry.cluster));
                    sizes.total = Some(held);
                }
                self.put_clusters(base, name, (value.flags, value.unit), &runs, sizes)
            }
        }
    }

    /// Gives the holes among the clusters from byte `from` to byte `to` clusters of their own.
    fn fill_holes(&mut self, runs: &mut RunList, from: u64, to: u64) -> Result<()> {
        let cluster = u64::from(self.geometry.cluster);
        let first = from.checked_div(cluster).unwrap_or(0);
        let end = to.div_ceil(cluster);
        if !runs
            .extents()
            .iter()
            .any(|extent| extent.lcn.is_none() && extent.vcn.0 < end && extent.end() > first)
        {
            return Ok(());
        }
        let mut filled = RunList::default();
        for extent in runs.extents() {
            let (start, stop) = (extent.vcn.0.max(first), extent.end().min(end));
            if extent.lcn.is_some() || start >= stop {
                filled.extend(&RunList::from_extents(vec![*extent]));
                continue;
            }
            let hole = |from: u64, to: u64| {
                let extent = Extent {
                    vcn: Vcn(from),
                    lcn: None,
                    len: to.saturating_sub(from),
                };
                RunList::from_extents(if extent.len > 0 { vec![extent] } else { Vec::new() })
            };
            filled.extend(&hole(extent.vcn.0, start));
            let taken = self.take_clusters(stop.saturating_sub(start), None, 1, Vcn(start))?;
            // what is not written now must read as before
            let zeros = vec![0; size(self.geometry.cluster)];
            for vcn in start..stop {
                self.write_runs(&taken, vcn.saturating_mul(cluster), &zeros)?;
            }
            filled.extend(&taken);
            filled.extend(&hole(stop, extent.end()));
        }
        *runs = filled;
        Ok(())
    }

    fn put_clusters(
        &mut self,
        base: RecordNumber,
        name: &[u16],
        (flags, unit): (AttributeFlags, u8),
        runs: &RunList,
        sizes: Sizes,
    ) -> Result<()> {
        let class = self.base_class;
        let part = Part {
            kind: AttributeKind::DATA,
            name,
            flags,
            unit,
            runs,
            lowest: Vcn(0),
            sizes,
        };
        if let Some(hint) = self.hints.get_mut(&base) {
            hint.facts = None;
        }
        self.set_clusters(base, &part, class)
    }

    fn bytes_of(&self, runs: &RunList) -> u64 {
        runs.end().0.saturating_mul(u64::from(self.geometry.cluster))
    }

    /// Writes bytes of a value into its clusters.
    pub(super) fn write_runs(&mut self, runs: &RunList, offset: u64, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let location = Location::in_runs(runs, self.geometry.cluster, offset, bytes.len());
        let location = location.ok_or(CorruptKind::ValueSize {
            found: offset.saturating_add(wide(bytes.len())),
            limit: self.bytes_of(runs),
        })?;
        let mut rest = bytes;
        for (place, len) in location.pieces() {
            let (part, after) = rest.split_at_checked(len).unwrap_or((rest, &[]));
            self.cache.write_content(place, part)?;
            rest = after;
        }
        Ok(())
    }
}

const EMPTY: Sizes = Sizes {
    allocated: 0,
    size: 0,
    initialized: 0,
    total: None,
};
