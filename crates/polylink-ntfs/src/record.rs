//! FILE records and the attributes in them.

use zerocopy::FromBytes as _;

use crate::error::{Corrupt, CorruptKind};
use crate::fixup;
use crate::layout::attribute::{
    AttributeFlags, AttributeHeader, AttributeKind, CompressedHeader, NonResidentHeader, ResidentHeader,
};
use crate::layout::record::{RecordFlags, RecordHeader};
use crate::runs::RunList;
use crate::units::{FileReference, RecordNumber, Vcn};

/// One record of the Master File Table, its update sequence undone.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    number: RecordNumber,
    bytes: &'a [u8],
    header: RecordHeader,
}

impl<'a> Record<'a> {
    /// Undoes the update sequence of a record that was just read, and checks its header.
    ///
    /// # Errors
    ///
    /// Where the block is no record, was written in part, or its header leads out of it.
    pub fn parse(number: RecordNumber, bytes: &'a mut [u8]) -> Result<Self, Corrupt> {
        fixup::undo(bytes, *b"FILE").map_err(|corrupt| corrupt.in_record(number))?;
        Self::parsed(number, bytes)
    }

    /// A record whose update sequence is undone already.
    ///
    /// # Errors
    ///
    /// Where the header leads out of the record.
    pub fn parsed(number: RecordNumber, bytes: &'a [u8]) -> Result<Self, Corrupt> {
        let limit = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let outside =
            |what, end: u64| Corrupt::new(CorruptKind::Outside { what, end, limit }).in_record(number);
        let (header, _) =
            RecordHeader::read_from_prefix(bytes).map_err(|_| outside("the record's header", 48))?;
        let used = u64::from(header.used.get());
        if used > limit {
            return Err(outside("the part in use", used));
        }
        let first = u64::from(header.first_attribute.get());
        if first > used || first < 0x28 {
            return Err(outside("the header", first));
        }
        Ok(Self {
            number,
            bytes,
            header,
        })
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> RecordNumber {
        self.number
    }

    /// Its sequence number.
    #[must_use]
    pub fn sequence(&self) -> u16 {
        self.header.sequence.get()
    }

    /// The reference that leads to it now.
    #[must_use]
    pub fn reference(&self) -> FileReference {
        FileReference::new(self.number, self.sequence())
    }

    /// Its flags.
    #[must_use]
    pub fn flags(&self) -> RecordFlags {
        RecordFlags::from_bits_retain(self.header.flags.get())
    }

    /// Whether it holds a file or a part of one.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        self.flags().contains(RecordFlags::IN_USE)
    }

    /// Whether its file is a directory.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        self.flags().contains(RecordFlags::DIRECTORY)
    }

    /// The names of its file as the record counts them: 8.3 names included.
    #[must_use]
    pub fn raw_links(&self) -> u16 {
        self.header.link_count.get()
    }

    /// The base record, where this is an extension record.
    #[must_use]
    pub fn base(&self) -> Option<FileReference> {
        Some(FileReference(self.header.base.get())).filter(|reference| reference.0 != 0)
    }

    /// The header as it is on disk.
    #[must_use]
    pub fn header(&self) -> &RecordHeader {
        &self.header
    }

    /// The whole record.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Its attributes, in order. After an error there are no more: nobody knows where the next one would begin.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'a> {
        let used = usize::try_from(self.header.used.get()).unwrap_or(0);
        Attributes {
            record: self.number,
            bytes: self.bytes.get(..used).unwrap_or_default(),
            at: usize::from(self.header.first_attribute.get()),
            done: false,
        }
    }
}

/// The attributes of a record; see [`Record::attributes`].
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    record: RecordNumber,
    bytes: &'a [u8],
    at: usize,
    done: bool,
}

impl Attributes<'_> {
    /// No attributes at all.
    pub(crate) fn none() -> Self {
        Self {
            record: RecordNumber::MFT,
            bytes: &[],
            at: 0,
            done: true,
        }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>, Corrupt>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        match Attribute::parse(self.bytes, self.at) {
            Ok(Some(attribute)) => {
                self.at = self.at.saturating_add(attribute.bytes.len());
                Some(Ok(attribute))
            }
            Ok(None) => {
                self.done = true;
                None
            }
            Err(kind) => {
                self.done = true;
                let at = u64::try_from(self.at).unwrap_or(u64::MAX);
                Some(Err(Corrupt::new(kind).at(at).in_record(self.record)))
            }
        }
    }
}

/// One attribute record.
#[derive(Clone, Copy, Debug)]
pub struct Attribute<'a> {
    bytes: &'a [u8],
    header: &'a AttributeHeader,
    offset: usize,
    body: Body<'a>,
}

/// Where an attribute's value is.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// In the record.
    Resident {
        /// The value.
        value: &'a [u8],
        /// Whether it stands in an index.
        indexed: bool,
    },
    /// In clusters of its own.
    NonResident(NonResident<'a>),
}

/// A value in clusters, or the part of it that one attribute record tells of.
#[derive(Clone, Copy, Debug)]
pub struct NonResident<'a> {
    /// The header as it is on disk.
    pub header: &'a NonResidentHeader,
    /// Bytes in clusters, where the value is sparse or compressed.
    pub total_allocated: Option<u64>,
    /// The mapping pairs that count; none where the header says that there are no clusters.
    pub runs: &'a [u8],
    /// Whether there are mapping pairs all the same, which lead nowhere any more: Linux's ntfs3 leaves them when it cuts
    /// a value to nothing, and does not read them (`run_unpack`).
    pub has_left_runs: bool,
}

impl NonResident<'_> {
    /// The extents, checked against the volume and the clusters that the header names.
    ///
    /// # Errors
    ///
    /// As [`RunList::decode`]; where there are more or fewer clusters than the header says.
    pub fn decode(&self, clusters: u64) -> Result<RunList, Corrupt> {
        let lowest = Vcn(self.header.lowest_vcn.get());
        let runs = RunList::decode(self.runs, lowest, clusters)?;
        // the highest cluster of a value without clusters is -1
        let wanted = Vcn(self.header.highest_vcn.get().wrapping_add(1));
        let found = if runs.extents().is_empty() {
            lowest
        } else {
            runs.end()
        };
        if found != wanted {
            return Err(CorruptKind::RunsEnd { found, wanted }.into());
        }
        Ok(runs)
    }
}

const NON_RESIDENT_LEN: usize = size_of::<AttributeHeader>() + size_of::<NonResidentHeader>();

impl<'a> Attribute<'a> {
    /// An attribute record by itself.
    pub(crate) fn parse_one(bytes: &'a [u8]) -> Option<Self> {
        Self::parse(bytes, 0).ok().flatten()
    }

    /// The attribute at `at`; `None` at the end mark.
    fn parse(record: &'a [u8], at: usize) -> Result<Option<Self>, CorruptKind> {
        let limit = u64::try_from(record.len()).unwrap_or(u64::MAX);
        let outside = |what, end: usize| CorruptKind::Outside {
            what,
            end: u64::try_from(end).unwrap_or(u64::MAX),
            limit,
        };
        let rest = record
            .get(at..)
            .ok_or_else(|| outside("the list of attributes", at))?;
        let end_mark = AttributeKind::END.0.to_le_bytes();
        if rest.get(..4) == Some(&end_mark) {
            return Ok(None);
        }
        let header_end = at.saturating_add(size_of::<AttributeHeader>());
        let (header, _) = AttributeHeader::ref_from_prefix(rest)
            .map_err(|_| outside("an attribute's header", header_end))?;
        let len = usize::try_from(header.len.get()).unwrap_or(usize::MAX);
        if len < 24 || len % 8 != 0 {
            return Err(CorruptKind::AttributeLen {
                found: header.len.get(),
            });
        }
        let bytes = rest
            .get(..len)
            .ok_or_else(|| outside("an attribute", at.saturating_add(len)))?;
        let body = match header.non_resident {
            0 => resident(bytes, at, limit)?,
            1 => non_resident(bytes, at, limit, header.flags.get())?,
            found => return Err(CorruptKind::ResidentFlag { found }),
        };
        let name_end = usize::from(header.name_offset.get())
            .saturating_add(usize::from(header.name_len).saturating_mul(2));
        if header.name_len > 0 && name_end > len {
            return Err(outside("an attribute's name", at.saturating_add(name_end)));
        }
        Ok(Some(Self {
            bytes,
            header,
            offset: at,
            body,
        }))
    }

    /// Its type.
    #[must_use]
    pub fn kind(&self) -> AttributeKind {
        AttributeKind(self.header.kind.get())
    }

    /// Its number in the record.
    #[must_use]
    pub fn id(&self) -> u16 {
        self.header.id.get()
    }

    /// Its flags.
    #[must_use]
    pub fn flags(&self) -> AttributeFlags {
        AttributeFlags::from_bits_retain(self.header.flags.get())
    }

    /// Where in the record it begins, in bytes.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Bytes of the attribute record.
    #[must_use]
    pub fn record_len(&self) -> usize {
        self.bytes.len()
    }

    /// Its name as the bytes of UTF-16 units, little-endian; empty for the attribute without one.
    #[must_use]
    pub fn name_bytes(&self) -> &'a [u8] {
        let start = usize::from(self.header.name_offset.get());
        let end = start.saturating_add(usize::from(self.header.name_len).saturating_mul(2));
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> Vec<u16> {
        units(self.name_bytes())
    }

    /// Where in the record its name is, if that is where a name belongs: right behind the header.
    pub(crate) fn name_place(&self) -> Option<usize> {
        let at = usize::from(self.header.name_offset.get());
        let belongs: &[usize] = match self.body {
            Body::Resident { .. } => &[24],
            Body::NonResident(_) => &[64, 72],
        };
        belongs.contains(&at).then(|| self.offset.checked_add(at))?
    }

    /// Whether it has this name, unit for unit.
    pub(crate) fn has_name(&self, name: &[u16]) -> bool {
        let (pairs, rest) = self.name_bytes().as_chunks::<2>();
        rest.is_empty()
            && pairs
                .iter()
                .map(|&pair| u16::from_le_bytes(pair))
                .eq(name.iter().copied())
    }

    /// Where its value is.
    #[must_use]
    pub fn body(&self) -> Body<'a> {
        self.body
    }

    /// The value, where it is in the record.
    #[must_use]
    pub fn resident(&self) -> Option<&'a [u8]> {
        match self.body {
            Body::Resident { value, .. } => Some(value),
            Body::NonResident(_) => None,
        }
    }
}

/// UTF-16 units from their bytes on disk; a last odd byte is dropped.
pub(crate) fn units(bytes: &[u8]) -> Vec<u16> {
    let (pairs, _) = bytes.as_chunks::<2>();
    pairs.iter().map(|&pair| u16::from_le_bytes(pair)).collect()
}

fn resident(bytes: &[u8], at: usize, limit: u64) -> Result<Body<'_>, CorruptKind> {
    let outside = |what, end: usize| CorruptKind::Outside {
        what,
        end: u64::try_from(at.saturating_add(end)).unwrap_or(u64::MAX),
        limit,
    };
    let body = bytes.get(size_of::<AttributeHeader>()..).unwrap_or_default();
    let (header, _) =
        ResidentHeader::read_from_prefix(body).map_err(|_| outside("a resident attribute's header", 24))?;
    let start = usize::from(header.value_offset.get());
    let end = start.saturating_add(usize::try_from(header.value_len.get()).unwrap_or(usize::MAX));
    let value = bytes
        .get(start..end)
        .ok_or_else(|| outside("a resident attribute's value", end))?;
    Ok(Body::Resident {
        value,
        indexed: header.indexed & 1 != 0,
    })
}

fn non_resident(bytes: &[u8], at: usize, limit: u64, flags: u16) -> Result<Body<'_>, CorruptKind> {
    let outside = |what, end: usize| CorruptKind::Outside {
        what,
        end: u64::try_from(at.saturating_add(end)).unwrap_or(u64::MAX),
        limit,
    };
    let body = bytes.get(size_of::<AttributeHeader>()..).unwrap_or_default();
    let (header, rest) = NonResidentHeader::ref_from_prefix(body)
        .map_err(|_| outside("a non-resident attribute's header", NON_RESIDENT_LEN))?;
    let flags = AttributeFlags::from_bits_retain(flags);
    let runs_offset = usize::from(header.runs_offset.get());
    let long = runs_offset >= NON_RESIDENT_LEN.saturating_add(size_of::<CompressedHeader>());
    let total_allocated = (long
        && flags.intersects(AttributeFlags::COMPRESSION_MASK | AttributeFlags::SPARSE))
    .then(|| CompressedHeader::read_from_prefix(rest).ok())
    .flatten()
    .map(|(header, _)| header.total_allocated.get());
    let runs = bytes
        .get(runs_offset..)
        .filter(|_| runs_offset >= NON_RESIDENT_LEN)
        .ok_or_else(|| outside("a non-resident attribute's runs", runs_offset))?;
    let (lowest, highest) = (header.lowest_vcn.get(), header.highest_vcn.get());
    if highest.wrapping_add(1) < lowest {
        return Err(CorruptKind::ClusterRange {
            lowest: Vcn(lowest),
            highest: Vcn(highest),
        });
    }
    if lowest == 0
        && (header.initialized.get() > header.size.get() || header.size.get() > header.allocated.get())
    {
        return Err(CorruptKind::ValueSizes {
            initialized: header.initialized.get(),
            size: header.size.get(),
            allocated: header.allocated.get(),
        });
    }
    let is_empty = lowest == 0 && highest.wrapping_add(1) == 0 && header.allocated.get() == 0;
    let has_left_runs = is_empty && runs.first().is_some_and(|&sizes| sizes != 0);
    Ok(Body::NonResident(NonResident {
        header,
        total_allocated,
        runs: if is_empty { &[] } else { runs },
        has_left_runs,
    }))
}
