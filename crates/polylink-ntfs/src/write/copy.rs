//! Copying a file: its content, its streams and what belongs to them, as one change.

use std::mem::offset_of;

use polylink_nt::NtStatus;
use polylink_nt::name::{Charset, Made, check};

use super::attributes::{self, Part, Sizes};
use super::bytes::{get_u32, put_u32, put_u64, size, wide};
use super::cache::Class;
use super::files::{Value, ValuePlace};
use super::open::{Inner, Writer};
use super::state::State;
use crate::error::{CorruptKind, Error, Result};
use crate::layout::attribute::{AttributeFlags, AttributeKind};
use crate::layout::value::{StandardInformation, StandardInformation3};
use crate::record::{Attribute, Body};
use crate::runs::{Extent, RunList};
use crate::stream::Stream;
use crate::units::{FileReference, Lcn, RecordNumber, Vcn};

/// `FILE_ATTRIBUTE_SPARSE_FILE`.
const SPARSE: u32 = 0x200;
/// Bytes that are copied at once.
const AT_ONCE: usize = 1 << 20;

/// `FILE_ATTRIBUTE_…` bits that programs set: read-only, hidden, system, archive, temporary, offline, not indexed
/// (\[MS-FSCC\] 2.6). The others tell how the file is stored.
pub(crate) const SETTABLE: u32 = 0x1 | 0x2 | 0x4 | 0x20 | 0x100 | 0x1000 | 0x2000;

impl Writer {
    /// Makes a file with the content, named streams, extended attributes, times, attributes and access rights of
    /// another, under a name that appears with the whole file or not at all. Holes stay holes; what is compressed is
    /// plain in the copy.
    ///
    /// # Errors
    ///
    /// `FILE_IS_A_DIRECTORY`; `NOT_SUPPORTED` for a file with a reparse point, whose content is elsewhere;
    /// [`crate::Unsupported::Encrypted`]; and as [`Writer::create_file`].
    pub fn copy_file(
        &self,
        source: FileReference,
        parent: FileReference,
        name: &[u16],
    ) -> Result<FileReference> {
        check(name, Charset::Win32).map_err(|error| Error::from(error.status()))?;
        self.run(|inner| inner.copy_file(source, parent, name))
    }

    /// Gives a file another descriptor of `$Secure`, one that a file of this volume has.
    ///
    /// # Errors
    ///
    /// `NOT_SUPPORTED` where the file has a descriptor of its own, as before NTFS 3.0.
    pub(crate) fn set_security_id(&self, file: FileReference, id: u32) -> Result<()> {
        self.run(|inner| {
            let (file, _) = inner.state.open_file(file)?;
            let mut value = inner.state.standard_information(file.record())?;
            if value.len()
                < size_of::<StandardInformation>().saturating_add(size_of::<StandardInformation3>())
            {
                return Err(NtStatus::NOT_SUPPORTED.into());
            }
            put_u32(&mut value, SECURITY_ID, id);
            inner.state.put_information(file.record(), &value)
        })
    }
}

/// Where the number of the descriptor stands in the value of the standard information.
const SECURITY_ID: usize = size_of::<StandardInformation>() + offset_of!(StandardInformation3, security_id);

impl Inner {
    fn copy_file(
        &mut self,
        source: FileReference,
        parent: FileReference,
        name: &[u16],
    ) -> Result<FileReference> {
        let now = self.now();
        let state = &mut self.state;
        let (source, is_directory) = state.open_file(source)?;
        if is_directory {
            return Err(NtStatus::FILE_IS_A_DIRECTORY.into());
        }
        let parent = state.open_directory(parent)?;
        if state.look_up(parent.record(), name)?.is_some() {
            return Err(NtStatus::OBJECT_NAME_COLLISION.into());
        }
        if state.look_up_any(parent.record(), name)?.is_some() {
            // it is on its way out; better to know it before anything is copied
            return Err(Error::Conflict);
        }
        let values = state.values_to_copy(source.record())?;
        let file = state.new_file(parent, false, 0, now)?;
        let mut sparse = false;
        for (kind, name) in &values {
            sparse |= state.copy_value(source.record(), file.record(), *kind, name)?;
        }
        state.copy_information(source.record(), file.record(), sparse, now)?;
        if let Some(hint) = state.hints.get_mut(&file.record()) {
            hint.facts = None;
        }
        let namespace = state.namespace_for(file.record(), name, Made::ByCreateOrRename)?;
        state.add_name(file, parent, name, namespace, u32::MAX)?;
        state.touch_directory(parent.record(), now)?;
        Ok(file)
    }
}

impl State {
    /// The values of a file that belong to its copy too: not its names, and not the id that nobody else has.
    fn values_to_copy(&mut self, base: RecordNumber) -> Result<Vec<(AttributeKind, Vec<u16>)>> {
        let mut values = Vec::new();
        let elsewhere = self.find_attribute(base, &mut |_, attribute| {
            if attributes::lowest(attribute).0 > 0 {
                return None;
            }
            match attribute.kind() {
                AttributeKind::REPARSE_POINT => return Some(()),
                kind @ (AttributeKind::SECURITY_DESCRIPTOR
                | AttributeKind::DATA
                | AttributeKind::EA_INFORMATION
                | AttributeKind::EA) => values.push((kind, attribute.name())),
                _ => {}
            }
            None
        })?;
        match elsewhere {
            Some(()) => Err(NtStatus::NOT_SUPPORTED.into()),
            None => Ok(values),
        }
    }

    /// Copies one value, and answers whether the copy has holes.
    fn copy_value(
        &mut self,
        source: RecordNumber,
        target: RecordNumber,
        kind: AttributeKind,
        name: &[u16],
    ) -> Result<bool> {
        let Some(value) = self.value(source, kind, name)? else {
            return Err(CorruptKind::Missing { kind }.into());
        };
        if value.flags.contains(AttributeFlags::ENCRYPTED) {
            return Err(crate::Unsupported::Encrypted.into());
        }
        let class = self.base_class;
        match &value.place {
            ValuePlace::Record(bytes) if kind == AttributeKind::DATA => {
                self.write_stream(target, name, 0, bytes)?;
                Ok(false)
            }
            ValuePlace::Record(bytes) => {
                self.set_resident(target, kind, name, bytes, class)?;
                Ok(false)
            }
            ValuePlace::Clusters(_, sizes) if sizes.size == 0 => {
                self.set_resident(target, kind, name, &[], class)?;
                Ok(false)
            }
            ValuePlace::Clusters(runs, sizes) => {
                let stream = self.stream_of(source, kind, name, &value, runs)?;
                let (runs, sizes) = (runs.clone(), *sizes);
                self.copy_clusters(target, (kind, name), &value, (&runs, sizes), &stream)
            }
        }
    }

    /// The value in clusters as one that can be read.
    fn stream_of(
        &mut self,
        base: RecordNumber,
        kind: AttributeKind,
        name: &[u16],
        value: &Value,
        runs: &RunList,
    ) -> Result<Stream> {
        let missing = || Error::from(CorruptKind::Missing { kind });
        let cluster = self.geometry.cluster;
        let held = self
            .parts(base, kind, name)?
            .first()
            .copied()
            .ok_or_else(missing)?;
        let bytes = self.record(held.record)?;
        let attribute = attributes::offset_of_id(bytes, held.id)
            .and_then(|at| attributes::attribute_at(bytes, at))
            .and_then(Attribute::parse_one)
            .ok_or_else(missing)?;
        match attribute.body() {
            Body::NonResident(part) => Stream::in_clusters(&part, runs.clone(), cluster, value.flags),
            Body::Resident { .. } => Err(missing()),
        }
    }

    fn copy_clusters(
        &mut self,
        target: RecordNumber,
        (kind, name): (AttributeKind, &[u16]),
        value: &Value,
        (old, sizes): (&RunList, Sizes),
        stream: &Stream,
    ) -> Result<bool> {
        let compressed = value.flags.intersects(AttributeFlags::COMPRESSION_MASK);
        let plan = self.regions(old, sizes.size, compressed, value.unit);
        let mut runs = RunList::default();
        let mut near: Option<Lcn> = None;
        for region in &plan {
            let from = runs.end();
            let piece = if region.hole {
                RunList::from_extents(vec![Extent {
                    vcn: from,
                    lcn: None,
                    len: region.clusters,
                }])
            } else {
                let taken = self.take_clusters(region.clusters, near, 1, from)?;
                let last = taken.extents().last();
                near = last.and_then(|last| Some(Lcn(last.lcn?.0.saturating_add(last.len))));
                taken
            };
            runs.extend(&piece);
        }
        // what was never written reads as zeros, so it needs no copying
        let written = sizes.initialized.min(sizes.size);
        let cluster = u64::from(self.geometry.cluster);
        let mut buffer = vec![0; AT_ONCE];
        let mut at = 0_u64;
        for region in &plan {
            let end = at
                .saturating_add(region.clusters.saturating_mul(cluster))
                .min(written);
            while at < end && !region.hole {
                let want = size(end.saturating_sub(at)).min(buffer.len());
                let part = buffer.get_mut(..want).unwrap_or_default();
                // content is on the device itself: only records and indexes wait in memory
                let len = stream.read(self.cache.device(), at, part)?;
                self.write_runs(&runs, at, buffer.get(..len).unwrap_or_default())?;
                if len == 0 {
                    break;
                }
                at = at.saturating_add(wide(len));
            }
            at = at.max(end);
        }
        let holes = plan.iter().any(|region| region.hole);
        let was_sparse = value.flags.contains(AttributeFlags::SPARSE);
        let sparse = holes || was_sparse;
        let flags = if sparse {
            AttributeFlags::SPARSE
        } else {
            AttributeFlags::empty()
        };
        let held = runs.allocated().saturating_mul(cluster);
        let part = Part {
            kind,
            name,
            flags,
            unit: if was_sparse && !compressed { value.unit } else { 0 },
            runs: &runs,
            lowest: Vcn(0),
            sizes: Sizes {
                allocated: runs.end().0.saturating_mul(cluster),
                size: sizes.size,
                initialized: written,
                total: sparse.then_some(held),
            },
        };
        let class = self.base_class;
        self.set_clusters(target, &part, class)?;
        Ok(sparse)
    }

    /// How the copy is divided into holes and clusters of its own. Of compressed content a unit without clusters is a
    /// hole, and every other one takes what it holds.
    fn regions(&self, old: &RunList, len: u64, compressed: bool, unit: u8) -> Vec<Region> {
        let end = self.geometry.clusters_for(len);
        let mut plan: Vec<Region> = Vec::new();
        let mut add = |hole: bool, clusters: u64| match plan.last_mut() {
            Some(last) if last.hole == hole => last.clusters = last.clusters.saturating_add(clusters),
            _ if clusters > 0 => plan.push(Region { hole, clusters }),
            _ => {}
        };
        if !compressed {
            for extent in old.extents() {
                let stop = extent.end().min(end);
                add(extent.lcn.is_none(), stop.saturating_sub(extent.vcn.0));
            }
            return plan;
        }
        let unit = 1_u64.checked_shl(u32::from(unit)).unwrap_or(1);
        let mut vcn = 0_u64;
        while vcn < end {
            let next = vcn.saturating_add(unit).min(end);
            let hole = old
                .find(Vcn(vcn))
                .is_none_or(|extent| extent.lcn.is_none() && extent.end() >= next);
            // a long hole at once, for there may be millions of units in it
            let next = match old.find(Vcn(vcn)).filter(|_| hole) {
                Some(extent) => {
                    let whole = extent.end().min(end).saturating_sub(vcn);
                    let rest = whole.checked_rem(unit).unwrap_or(0);
                    let units = if vcn.saturating_add(whole) == end {
                        whole
                    } else {
                        whole.saturating_sub(rest)
                    };
                    vcn.saturating_add(units).max(next)
                }
                None => next,
            };
            add(hole, next.saturating_sub(vcn));
            vcn = next;
        }
        plan
    }

    /// Times, attributes and access rights. Only the time of the record's own change is now.
    fn copy_information(
        &mut self,
        source: RecordNumber,
        target: RecordNumber,
        sparse: bool,
        now: u64,
    ) -> Result<()> {
        let mut value = self.standard_information(source)?;
        let attributes = offset_of!(StandardInformation, attributes);
        let kept = get_u32(&value, attributes) & SETTABLE;
        put_u32(&mut value, attributes, if sparse { kept | SPARSE } else { kept });
        put_u64(&mut value, offset_of!(StandardInformation, changed), now);
        let old = size_of::<StandardInformation>();
        if value.len() > old {
            // whose quota it counts for, and its last entry in the journal, are those of the source
            let at = |field: usize| old.saturating_add(field);
            put_u32(&mut value, at(offset_of!(StandardInformation3, owner_id)), 0);
            put_u64(&mut value, at(offset_of!(StandardInformation3, quota)), 0);
            put_u64(&mut value, at(offset_of!(StandardInformation3, usn)), 0);
        }
        self.set_resident(
            target,
            AttributeKind::STANDARD_INFORMATION,
            &[],
            &value,
            Class::Base,
        )
    }
}

/// A part of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Region {
    hole: bool,
    clusters: u64,
}
