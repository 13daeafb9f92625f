//! What can be wrong with a volume: it is damaged, it is beyond us, or its device failed.

use std::{fmt, io};

use polylink_core::Fault;
use polylink_nt::NtStatus;
use thiserror::Error;

use crate::format::FormatError;
use crate::layout::attribute::AttributeKind;
use crate::lznt1::Lznt1Error;
use crate::units::{FileReference, Lcn, RecordNumber, Vcn};

/// What the engine answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the engine cannot do what it was asked for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The volume's structures contradict themselves or the format.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
    /// The volume is sound, as far as this goes, but uses what the engine does not know.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// The device did not give or take the bytes.
    #[error("cannot {action} {len} bytes at offset {offset:#x}")]
    Device {
        /// `read`, `write` or `flush`.
        action: &'static str,
        /// Where on the volume, in bytes.
        offset: u64,
        /// How many bytes.
        len: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The request is refused for NT's reason; the volume is as it was.
    #[error(transparent)]
    Refused(#[from] NtStatus),
    /// A volume cannot be made as it was asked for.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The volume is not to be written, or not by this engine; it is as it was.
    #[error(transparent)]
    NotWritable(#[from] NotWritable),
    /// A write failed earlier. What was not on the device by then never comes there; reading it again tells what did.
    #[error("the volume is not written any more since {reason}")]
    Failed {
        /// What failed.
        reason: String,
    },
    /// The change must wait until the batch before it is written. Never seen outside the engine.
    #[doc(hidden)]
    #[error("the change must wait for the one before")]
    Conflict,
}

/// Why a volume is not written.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum NotWritable {
    /// It was not unmounted, or damage was seen on it.
    #[error("the volume is marked as dirty")]
    Dirty,
    /// Its journal holds work that was not finished.
    #[error("the journal of the volume holds work that was not finished")]
    LogActive,
    /// Its journal cannot be read.
    #[error("the journal of the volume is damaged: {reason}")]
    LogDamaged {
        /// What is wrong with it.
        reason: String,
    },
    /// A Windows sleeps on it and keeps parts of it in memory.
    #[error("a hibernated Windows has the volume in its memory")]
    Hibernated,
    /// It has flags that say that somebody is at work on it, or that are not known.
    #[error("the volume has the flags {flags:#06x}: work on it is not finished, or they are not known")]
    Flags {
        /// The flags.
        flags: u16,
    },
    /// The version of NTFS has other structures.
    #[error("NTFS version {major}.{minor} is read, and not written")]
    Version {
        /// Before the dot.
        major: u8,
        /// After the dot.
        minor: u8,
    },
    /// The boot sector, the first record of the table, or the upper-case table had to be taken from elsewhere.
    #[error("the volume is damaged: {reason}")]
    Damaged {
        /// What is wrong.
        reason: String,
    },
    /// There is only the Master File Table.
    #[error("there is only the Master File Table of a volume here")]
    TableOnly,
}

impl From<&Error> for Fault {
    fn from(error: &Error) -> Self {
        match error {
            Error::Corrupt(_) => NtStatus::FILE_CORRUPT_ERROR.into(),
            Error::Unsupported(_) => NtStatus::NOT_SUPPORTED.into(),
            Error::Device { .. } => polylink_core::FaultKind::Io.into(),
            Error::Refused(status) => (*status).into(),
            Error::Format(_) => NtStatus::INVALID_PARAMETER.into(),
            Error::NotWritable(_) => NtStatus::MEDIA_WRITE_PROTECTED.into(),
            Error::Failed { .. } | Error::Conflict => polylink_core::FaultKind::Io.into(),
        }
    }
}

/// What the engine knows of, and cannot do.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum Unsupported {
    /// The volume's version is none of 1.2, 3.0 and 3.1.
    #[error("NTFS version {major}.{minor} is not known")]
    Version {
        /// Before the dot.
        major: u8,
        /// After the dot.
        minor: u8,
    },
    /// The data is encrypted (EFS), and the key is elsewhere.
    #[error("the data is encrypted")]
    Encrypted,
    /// The data is compressed by the Windows Overlay Filter, outside NTFS.
    #[error("the data is compressed by the Windows Overlay Filter (compact /exe)")]
    OverlayFilter,
    /// A compression unit other than 16 clusters, or another method than LZNT1.
    #[error("the data is compressed in a way that is not known (flags {flags:#06x}, unit {unit})")]
    Compression {
        /// The attribute's flags.
        flags: u16,
        /// The logarithm of the unit, in clusters.
        unit: u8,
    },
    /// An index that is not ordered by file name.
    #[error("the index is ordered by rule {rule:#x}, not by file name")]
    Collation {
        /// The rule, as in `$AttrDef`.
        rule: u32,
    },
    /// The table has more records than are counted here in 32 bits.
    #[error("the table has {records} records, more than 4,294,967,294 are not known to exist")]
    TooManyRecords {
        /// How many.
        records: u64,
    },
    /// The names of the volume have more than 4 GiB of text.
    #[error("the names of the volume have more than 4 GiB of text")]
    TooManyNames,
    /// The content lies in clusters, and there is only the table.
    #[error("only the table is here, and the value lies outside it")]
    TableOnly,
    /// There is no NTFS volume here: another file system, or nothing.
    #[error("there is no NTFS volume here ({found})")]
    NotNtfs {
        /// What is there instead, as far as it is known.
        found: String,
    },
}

/// One contradiction on a volume: what, in which record, and where.
///
/// The text and the tests see the kind; callers cannot match on it, so new checks break nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Corrupt {
    kind: CorruptKind,
    place: Place,
}

/// Where a contradiction was met.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Place {
    /// The record of the Master File Table, where there is one.
    pub record: Option<RecordNumber>,
    /// The block of the record's index, by the number under which entries lead to it (VCN), where it is in one.
    pub block: Option<u64>,
    /// The offset in bytes, where it is known: in the block; else in the record; else on the volume.
    pub offset: Option<u64>,
}

impl Corrupt {
    pub(crate) fn new(kind: CorruptKind) -> Self {
        Self {
            kind,
            place: Place::default(),
        }
    }

    /// Says in which record, where that is not said yet.
    pub(crate) fn in_record(mut self, record: RecordNumber) -> Self {
        self.place.record.get_or_insert(record);
        self
    }

    /// Says in which block of an index, where that is not said yet.
    pub(crate) fn in_block(mut self, vcn: u64) -> Self {
        self.place.block.get_or_insert(vcn);
        self
    }

    /// Says at which offset, where that is not said yet.
    pub(crate) fn at(mut self, offset: u64) -> Self {
        self.place.offset.get_or_insert(offset);
        self
    }

    /// Whether it is an attribute that is not there.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self.kind, CorruptKind::Missing { .. })
    }

    /// Where it was met.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    pub(crate) fn kind(&self) -> &CorruptKind {
        &self.kind
    }
}

impl From<CorruptKind> for Corrupt {
    fn from(kind: CorruptKind) -> Self {
        Self::new(kind)
    }
}

impl From<CorruptKind> for Error {
    fn from(kind: CorruptKind) -> Self {
        Self::Corrupt(kind.into())
    }
}

impl Error {
    /// Says in which record, where the error is a contradiction without one.
    pub(crate) fn in_record(self, record: RecordNumber) -> Self {
        match self {
            Self::Corrupt(corrupt) => Self::Corrupt(corrupt.in_record(record)),
            other => other,
        }
    }
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        let mut before = " (";
        if let Some(record) = self.place.record {
            write!(f, "{before}record {record}")?;
            before = ", ";
        }
        if let Some(block) = self.place.block {
            write!(f, "{before}index block {block}")?;
            before = ", ";
        }
        if let Some(offset) = self.place.offset {
            write!(f, "{before}offset {offset:#x}")?;
            before = ", ";
        }
        f.write_str(if before == ", " { ")" } else { "" })
    }
}

impl fmt::Debug for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Corrupt({:?}, {:?})", self.kind, self.place)
    }
}

impl std::error::Error for Corrupt {}

/// Each contradiction that the engine knows, with what it found and what the format wants.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub(crate) enum CorruptKind {
    #[error("the boot sector gives {found} bytes a sector, not a power of two from 256 to 4096")]
    SectorSize { found: u16 },
    #[error("the boot sector gives {found:#04x} sectors a cluster, which is no size up to 2 MiB")]
    ClusterSize { found: u8 },
    #[error("the boot sector gives a record size of {found:#04x}, which is no size from 256 bytes to 64 KiB")]
    RecordSize { found: u8 },
    #[error(
        "the boot sector gives an index block size of {found:#04x}, which is no size from 256 bytes to 64 KiB"
    )]
    IndexSize { found: u8 },
    #[error("the boot sector ends in {found:#06x}, not in 0xaa55")]
    BootSignature { found: u16 },
    #[error("the boot sector gives no sectors to the volume")]
    NoSectors,
    #[error("{what} is said to begin at cluster {}, the volume has {clusters}", found.0)]
    TableOutside {
        what: &'static str,
        found: Lcn,
        clusters: u64,
    },
    #[error("the signature is '{}', not '{}'", found.escape_ascii(), wanted.escape_ascii())]
    Signature { found: [u8; 4], wanted: [u8; 4] },
    #[error(
        "the update sequence is said to lie at {offset} with {count} values, a block of {block} bytes wants {wanted}"
    )]
    FixupShape {
        offset: u16,
        count: u16,
        block: usize,
        wanted: usize,
    },
    #[error(
        "sector {sector} ends in {found:#06x}, not in the update sequence number {wanted:#06x}: it was written in part"
    )]
    TornSector { sector: usize, found: u16, wanted: u16 },
    #[error("{what} ends at {end}, beyond its {limit} bytes")]
    Outside {
        what: &'static str,
        end: u64,
        limit: u64,
    },
    #[error("the runs are damaged at byte {at}: {what}")]
    Runs { at: usize, what: &'static str },
    #[error("the runs begin at cluster {} of the value, the attribute says {}", found.0, wanted.0)]
    RunsStart { found: Vcn, wanted: Vcn },
    #[error("the runs lead to cluster {}, the volume has {clusters}", found.0)]
    RunOutside { found: Lcn, clusters: u64 },
    #[error("the runs end before cluster {} of the value, the attribute says before {}", found.0, wanted.0)]
    RunsEnd { found: Vcn, wanted: Vcn },
    #[error("an attribute says it has {found} bytes, which is below 24 or no multiple of 8")]
    AttributeLen { found: u32 },
    #[error("an attribute is neither resident (0) nor non-resident (1) but {found}")]
    ResidentFlag { found: u8 },
    #[error("an attribute says it reaches from {lowest:?} to {highest:?}")]
    ClusterRange { lowest: Vcn, highest: Vcn },
    #[error(
        "of a value {initialized} bytes are initialized, {size} are its size, {allocated} are allocated: they must not fall"
    )]
    ValueSizes {
        initialized: u64,
        size: u64,
        allocated: u64,
    },
    #[error("the value says it has {found} bytes in it, its runs hold {limit}")]
    ValueSize { found: u64, limit: u64 },
    #[error("{reference} is wanted, the record has sequence number {found}")]
    Sequence { reference: FileReference, found: u16 },
    #[error("the record is wanted for a file but is not in use")]
    NotInUse,
    #[error("the record is wanted as a file but belongs to the file of {base}")]
    NotBase { base: FileReference },
    #[error("the record is listed by the file of {wanted} but belongs to {found}")]
    OtherBase {
        found: FileReference,
        wanted: FileReference,
    },
    #[error("the table has {records} records")]
    NoSuchRecord { records: u64 },
    #[error("there is no {kind} in it")]
    Missing { kind: AttributeKind },
    #[error("entry {at} of the attribute list is damaged")]
    ListEntry { at: usize },
    #[error("the attribute list has {found} bytes, {limit} are the most")]
    ListSize { found: u64, limit: u64 },
    #[error("{kind} must be in the record itself")]
    NotResident { kind: AttributeKind },
    #[error("{kind} is damaged: {what}")]
    Value { kind: AttributeKind, what: &'static str },
    #[error("the device does not give the {len} bytes at {offset:#x}")]
    Unreadable { offset: u64, len: u64 },
    #[error("index blocks are said to have {found} bytes, which is no size from 256 bytes to 64 KiB")]
    IndexBlockSize { found: u32 },
    #[error("the index has no block at {vcn}")]
    NoSuchBlock { vcn: u64 },
    #[error("the index block says it lies at {found}, it lies at {wanted}")]
    BlockPlace { found: u64, wanted: u64 },
    #[error("the index leads to block {vcn} a second time, or ever deeper")]
    BlockTwice { vcn: u64 },
    #[error("a node uses {used} bytes, it has {allocated}")]
    NodeUsed { used: u32, allocated: u32 },
    #[error("the index entry at {offset} of its node is damaged: {what}")]
    IndexEntry { offset: usize, what: &'static str },
    #[error("the compressed data is damaged: {0}")]
    Lznt1(Lznt1Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contradiction_says_what_and_where() {
        let kind = CorruptKind::TornSector {
            sector: 1,
            found: 2,
            wanted: 3,
        };
        let corrupt = Corrupt::from(kind)
            .at(0x400)
            .in_record(RecordNumber(5))
            .in_record(RecordNumber(9));
        assert_eq!(
            corrupt.to_string(),
            "sector 1 ends in 0x0002, not in the update sequence number 0x0003: it was written in part (record 5, offset 0x400)"
        );
        let fault = Fault::from(&Error::from(corrupt));
        assert_eq!(fault.symbol(), "STATUS_FILE_CORRUPT_ERROR");
    }
}
