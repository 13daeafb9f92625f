//! Reading values: resident, in runs, sparse, compressed.

use crate::device::Device;
use crate::error::{CorruptKind, Error, Result, Unsupported};
use crate::layout::attribute::AttributeFlags;
use crate::layout::read_bytes;
use crate::lznt1;
use crate::record::NonResident;
use crate::runs::RunList;
use crate::units::Vcn;

/// The value of an attribute: a file's content, a named stream, an index.
#[derive(Clone, Debug)]
pub struct Stream {
    body: Body,
    flags: AttributeFlags,
}

#[derive(Clone, Debug)]
enum Body {
    Resident(Vec<u8>),
    Clusters(Clusters),
}

#[derive(Clone, Debug)]
struct Clusters {
    runs: RunList,
    cluster: u32,
    size: u64,
    initialized: u64,
    allocated: u64,
    /// Clusters of a compression unit, where the value is compressed.
    unit: Option<u64>,
}

impl Stream {
    pub(crate) fn resident(value: Vec<u8>, flags: AttributeFlags) -> Self {
        Self {
            body: Body::Resident(value),
            flags,
        }
    }

    /// The value that the first attribute record tells the sizes of, with the runs of all of them.
    pub(crate) fn in_clusters(
        first: &NonResident<'_>,
        runs: RunList,
        cluster: u32,
        flags: AttributeFlags,
    ) -> Result<Self> {
        let (size, header) = (first.header.size.get(), &first.header);
        let limit = runs.end().0.saturating_mul(u64::from(cluster));
        if size > limit || runs.start() != Vcn(0) && size > 0 {
            return Err(CorruptKind::ValueSize { found: size, limit }.into());
        }
        let compressed = flags.bits() & AttributeFlags::COMPRESSION_MASK.bits();
        let unit = match (compressed, header.compression_unit) {
            (0, _) => None,
            // Windows knows 16 clusters only; other logarithms would do no harm up to 64 KiB
            (1, unit @ 1..=4) => Some(1_u64 << unit),
            (_, unit) => {
                let flags = flags.bits();
                return Err(Unsupported::Compression { flags, unit }.into());
            }
        };
        Ok(Self {
            body: Body::Clusters(Clusters {
                allocated: first.total_allocated.unwrap_or(header.allocated.get()),
                runs,
                cluster,
                size,
                initialized: header.initialized.get(),
                unit,
            }),
            flags,
        })
    }

    /// Bytes of the value.
    #[must_use]
    pub fn size(&self) -> u64 {
        match &self.body {
            Body::Resident(value) => u64::try_from(value.len()).unwrap_or(u64::MAX),
            Body::Clusters(clusters) => clusters.size,
        }
    }

    /// Bytes in clusters of its own: 0 for a value that lies in the record.
    #[must_use]
    pub fn allocated(&self) -> u64 {
        match &self.body {
            Body::Resident(_) => 0,
            Body::Clusters(clusters) => clusters.allocated,
        }
    }

    /// The attribute's flags.
    #[must_use]
    pub fn flags(&self) -> AttributeFlags {
        self.flags
    }

    /// The clusters that hold it; `None` for a value that lies in the record.
    #[must_use]
    pub fn runs(&self) -> Option<&RunList> {
        match &self.body {
            Body::Resident(_) => None,
            Body::Clusters(clusters) => Some(&clusters.runs),
        }
    }

    /// The value, where it lies in the record.
    #[must_use]
    pub fn resident_value(&self) -> Option<&[u8]> {
        match &self.body {
            Body::Resident(value) => Some(value),
            Body::Clusters(_) => None,
        }
    }

    /// Where the zeros end that need no reading, in a hole or behind what was ever written; `None` where `offset` lies
    /// in neither.
    pub(crate) fn zeros_until(&self, offset: u64) -> Option<u64> {
        let Body::Clusters(clusters) = &self.body else {
            return None;
        };
        let cluster = u64::from(clusters.cluster);
        if offset >= clusters.initialized {
            return Some(clusters.size);
        }
        let extent = clusters.runs.find(Vcn(offset.checked_div(cluster)?))?;
        let mut end = extent.end();
        if let Some(unit) = clusters.unit {
            // the hole behind a compressed unit's clusters is filled by what they hold
            if !offset.is_multiple_of(unit.saturating_mul(cluster)) {
                return None;
            }
            end = end.checked_div(unit)?.saturating_mul(unit);
        }
        let end = end.saturating_mul(cluster).min(clusters.size);
        (extent.lcn.is_none() && end > offset).then_some(end)
    }

    /// Reads from `offset` on, and answers how many bytes there were: fewer than `buffer` holds at the end only.
    ///
    /// # Errors
    ///
    /// [`Unsupported::Encrypted`]; damage in compressed data; as the device says.
    pub fn read(&self, device: &dyn Device, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let left = self.size().saturating_sub(offset);
        let len = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = buffer.get_mut(..len).unwrap_or_default();
        if buffer.is_empty() {
            return Ok(0);
        }
        match &self.body {
            Body::Resident(value) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                if let Some(source) = value.get(start..start.saturating_add(len)) {
                    buffer.copy_from_slice(source);
                }
            }
            Body::Clusters(_) if self.flags.contains(AttributeFlags::ENCRYPTED) => {
                return Err(Unsupported::Encrypted.into());
            }
            Body::Clusters(clusters) => clusters.read(device, offset, buffer)?,
        }
        Ok(len)
    }

    /// The whole value, where it has at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// As [`Stream::read`]; [`Error::Corrupt`] where it is longer.
    pub(crate) fn read_all(&self, device: &dyn Device, limit: u64) -> Result<Vec<u8>> {
        let found = self.size();
        if found > limit {
            return Err(CorruptKind::ValueSize { found, limit }.into());
        }
        let mut value = vec![0; usize::try_from(found).unwrap_or(0)];
        self.read(device, 0, &mut value)?;
        Ok(value)
    }
}

impl Clusters {
    /// Fills the buffer, which lies within the value.
    fn read(&self, device: &dyn Device, offset: u64, buffer: &mut [u8]) -> Result<()> {
        // what was never written reads as zeros, whatever the clusters hold
        let written = self.initialized.saturating_sub(offset);
        let written = usize::try_from(written).unwrap_or(usize::MAX).min(buffer.len());
        let (written, rest) = buffer.split_at_mut(written);
        rest.fill(0);
        match self.unit {
            None => read_runs(device, self.cluster, &self.runs, offset, written),
            Some(unit) => self.read_compressed(device, unit, offset, written),
        }
    }

    fn read_compressed(
        &self,
        device: &dyn Device,
        unit: u64,
        mut offset: u64,
        mut buffer: &mut [u8],
    ) -> Result<()> {
        let unit_bytes = unit.saturating_mul(u64::from(self.cluster));
        let mut plain = vec![0; usize::try_from(unit_bytes).unwrap_or(0)];
        while !buffer.is_empty() {
            let index = offset.checked_div(unit_bytes).unwrap_or(0);
            self.read_unit(device, unit, index, &mut plain)?;
            let skip = usize::try_from(offset.saturating_sub(index.saturating_mul(unit_bytes))).unwrap_or(0);
            let source = plain.get(skip..).unwrap_or_default();
            let len = source.len().min(buffer.len());
            if len == 0 {
                break;
            }
            let (target, rest) = buffer.split_at_mut(len);
            target.copy_from_slice(source.get(..len).unwrap_or_default());
            buffer = rest;
            offset = offset.saturating_add(u64::try_from(len).unwrap_or(0));
        }
        Ok(())
    }

    /// A unit without clusters is zeros; with all of them it is plain; with fewer it is compressed into those.
    fn read_unit(&self, device: &dyn Device, unit: u64, index: u64, plain: &mut [u8]) -> Result<()> {
        let first = index.saturating_mul(unit);
        let end = first.saturating_add(unit).min(self.runs.end().0);
        let mut held = 0_u64;
        let mut vcn = first;
        while vcn < end {
            let Some(extent) = self.runs.find(Vcn(vcn)) else {
                break;
            };
            let here = extent.end().min(end).saturating_sub(vcn);
            if extent.lcn.is_none() {
                break;
            }
            held = held.saturating_add(here);
            vcn = vcn.saturating_add(here);
        }
        let offset = first.saturating_mul(u64::from(self.cluster));
        if held == 0 {
            plain.fill(0);
        } else if held >= end.saturating_sub(first) {
            let len = usize::try_from(held.saturating_mul(u64::from(self.cluster))).unwrap_or(0);
            let (target, rest) = plain.split_at_mut(len.min(plain.len()));
            read_runs(device, self.cluster, &self.runs, offset, target)?;
            rest.fill(0);
        } else {
            let mut packed =
                vec![0; usize::try_from(held.saturating_mul(u64::from(self.cluster))).unwrap_or(0)];
            read_runs(device, self.cluster, &self.runs, offset, &mut packed)?;
            let given =
                lznt1::decompress(&packed, plain).map_err(|error| Error::from(CorruptKind::Lznt1(error)))?;
            if let Some(rest) = plain.get_mut(given..) {
                rest.fill(0);
            }
        }
        Ok(())
    }
}

/// Fills the buffer with what the runs hold from `offset` on; holes are zeros.
///
/// # Errors
///
/// Where the runs end before, or as the device says.
pub(crate) fn read_runs(
    device: &dyn Device,
    cluster: u32,
    runs: &RunList,
    mut offset: u64,
    mut buffer: &mut [u8],
) -> Result<()> {
    let cluster = u64::from(cluster);
    while !buffer.is_empty() {
        let vcn = Vcn(offset.checked_div(cluster).unwrap_or(0));
        let Some(extent) = runs.find(vcn) else {
            return Err(CorruptKind::ValueSize {
                found: offset.saturating_add(u64::try_from(buffer.len()).unwrap_or(u64::MAX)),
                limit: runs.end().0.saturating_mul(cluster),
            }
            .into());
        };
        let inside = offset.saturating_sub(extent.vcn.0.saturating_mul(cluster));
        let left = extent.len.saturating_mul(cluster).saturating_sub(inside);
        let len = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let (target, rest) = buffer.split_at_mut(len);
        match extent.lcn {
            None => target.fill(0),
            Some(lcn) => read_bytes(
                device,
                lcn.0.saturating_mul(cluster).saturating_add(inside),
                target,
            )?,
        }
        buffer = rest;
        offset = offset.saturating_add(u64::try_from(len).unwrap_or(0));
    }
    Ok(())
}
