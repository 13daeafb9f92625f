//! The Master File Table: where the records are.

use crate::device::Device;
use crate::error::{Corrupt, CorruptKind, Error, Result};
use crate::file::list_entries;
use crate::geometry::Geometry;
use crate::layout::attribute::AttributeKind;
use crate::layout::read_bytes;
use crate::record::{Body, Record};
use crate::runs::RunList;
use crate::stream::read_runs;
use crate::units::{FileReference, RecordNumber, Vcn};

/// Which bytes of the device the records are.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// Where the table lies; `None` for a dump, which is the table.
    runs: Option<RunList>,
    /// Bytes of a record.
    record: u32,
    /// Bytes of a cluster.
    cluster: u32,
    /// Records in the table, used or not: not more than the device can hold.
    records: u64,
    /// Records that the table is said to have.
    claimed: u64,
}

impl Table {
    /// The table of a dump: the device holds nothing else.
    pub(crate) fn of_dump(device: &dyn Device, record: u32) -> Self {
        Self {
            runs: None,
            record,
            cluster: record,
            records: device.size().checked_div(u64::from(record)).unwrap_or(0),
            claimed: device.size().checked_div(u64::from(record)).unwrap_or(0),
        }
    }

    /// Finds the table of a volume from its first record, which must be parsed already.
    ///
    /// The table may be in more pieces than one record can tell of. Then the list in it leads to further records, and
    /// each of those lies in a piece that an earlier one told of.
    pub(crate) fn of_volume(device: &dyn Device, geometry: &Geometry, first: &Record<'_>) -> Result<Self> {
        let mut table = Self {
            runs: Some(RunList::default()),
            record: geometry.record,
            cluster: geometry.cluster,
            records: 0,
            claimed: 0,
        };
        let (mut list, mut size, mut found) = (None, None, false);
        for attribute in first.attributes() {
            let attribute = attribute?;
            match attribute.kind() {
                AttributeKind::ATTRIBUTE_LIST => {
                    list = Some(match attribute.body() {
                        Body::Resident { value, .. } => value.to_vec(),
                        Body::NonResident(part) => {
                            let runs = part.decode(geometry.clusters)?;
                            let size = list_size(part.header.size.get())?;
                            let mut value = vec![0; size];
                            read_runs(device, geometry.cluster, &runs, 0, &mut value)?;
                            value
                        }
                    });
                }
                AttributeKind::DATA if attribute.name_bytes().is_empty() => {
                    let Body::NonResident(part) = attribute.body() else {
                        return Err(CorruptKind::Missing {
                            kind: AttributeKind::DATA,
                        }
                        .into());
                    };
                    found = true;
                    size = Some(part.header.initialized.get());
                    table.append(&part.decode(geometry.clusters)?)?;
                }
                _ => {}
            }
        }
        let size = size.filter(|_| found).ok_or(CorruptKind::Missing {
            kind: AttributeKind::DATA,
        })?;
        table.records = size.checked_div(u64::from(geometry.record)).unwrap_or(0);
        if let Some(list) = list {
            table.follow(device, geometry, first.reference(), &list)?;
        }
        let held = table.end().0.saturating_mul(u64::from(geometry.cluster));
        if size > held {
            return Err(CorruptKind::ValueSize {
                found: size,
                limit: held,
            }
            .into());
        }
        // extents that lie over each other, or outside of what there is, make no more records than the device can hold
        let limit = device.size().checked_div(u64::from(geometry.record)).unwrap_or(0);
        table.claimed = table.records;
        table.records = table.records.min(limit);
        Ok(table)
    }

    fn follow(
        &mut self,
        device: &dyn Device,
        geometry: &Geometry,
        base: FileReference,
        list: &[u8],
    ) -> Result<()> {
        let mut buffer = Vec::new();
        let mut parts: Vec<_> = list_entries(list)?
            .into_iter()
            .filter(|entry| entry.kind == AttributeKind::DATA && entry.name.is_empty())
            .filter(|entry| entry.record.record() != RecordNumber::MFT)
            .collect();
        parts.sort_by_key(|entry| entry.lowest);
        for entry in parts {
            let number = entry.record.record();
            self.read_known(device, number, &mut buffer)?;
            let record = Record::parse(number, &mut buffer)?;
            if record.base() != Some(base) {
                let found = record.base().unwrap_or(record.reference());
                return Err(Corrupt::new(CorruptKind::OtherBase { found, wanted: base })
                    .in_record(number)
                    .into());
            }
            for attribute in record.attributes() {
                let attribute = attribute?;
                if attribute.kind() == AttributeKind::DATA
                    && attribute.name_bytes().is_empty()
                    && attribute.id() == entry.id
                    && let Body::NonResident(part) = attribute.body()
                {
                    self.append(&part.decode(geometry.clusters)?)?;
                }
            }
        }
        Ok(())
    }

    fn append(&mut self, next: &RunList) -> Result<()> {
        match &mut self.runs {
            Some(runs) => Ok(runs.append(next)?),
            None => Ok(()),
        }
    }

    fn end(&self) -> Vcn {
        self.runs.as_ref().map_or(Vcn(0), RunList::end)
    }

    /// How many records there are.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// How many records it is said to have.
    pub(crate) fn claimed(&self) -> u64 {
        self.claimed
    }

    /// Bytes of a record.
    pub(crate) fn record_size(&self) -> u32 {
        self.record
    }

    /// Reads the bytes of one record.
    pub(crate) fn read(&self, device: &dyn Device, number: RecordNumber, buffer: &mut Vec<u8>) -> Result<()> {
        if number.0 >= self.records {
            let records = self.records;
            return Err(Corrupt::new(CorruptKind::NoSuchRecord { records })
                .in_record(number)
                .into());
        }
        self.read_known(device, number, buffer)
    }

    /// Reads the bytes of one record of the part that is known by now.
    fn read_known(&self, device: &dyn Device, number: RecordNumber, buffer: &mut Vec<u8>) -> Result<()> {
        let size = usize::try_from(self.record).unwrap_or(0);
        buffer.clear();
        buffer.resize(size, 0);
        self.read_bytes(device, number, buffer)
    }

    /// Reads many records at once, from `first` on, as many as `buffer` holds; all must exist.
    pub(crate) fn read_bytes(
        &self,
        device: &dyn Device,
        first: RecordNumber,
        buffer: &mut [u8],
    ) -> Result<()> {
        let offset = first.0.saturating_mul(u64::from(self.record));
        match &self.runs {
            None => read_bytes(device, offset, buffer),
            Some(runs) => {
                read_runs(device, self.cluster, runs, offset, buffer).map_err(|error| error.in_record(first))
            }
        }
    }
}

/// More than 256 KiB of list Windows cannot handle (its cache manager maps no more), so nobody writes it.
const LIST_LIMIT: u64 = 256 << 10;

/// The size of an attribute list that can be.
pub(crate) fn list_size(found: u64) -> Result<usize, Error> {
    let limit = LIST_LIMIT;
    if found > limit {
        return Err(CorruptKind::ListSize { found, limit }.into());
    }
    Ok(usize::try_from(found).unwrap_or(0))
}
