//! The engine's contradictions as issues.

use super::issue::{Issue, IssueKind};
use crate::error::{Corrupt, CorruptKind, Error};
use crate::layout::attribute::AttributeKind;
use crate::units::RecordNumber;

/// A contradiction in a record.
pub(super) fn of_record(found: &Corrupt, record: RecordNumber) -> Issue {
    let issue = Issue::new(kind_of(found)).in_record(record);
    match found.place().offset {
        Some(offset) => issue.at(offset),
        None => issue,
    }
}

/// What kept a value from being read.
pub(super) fn of_error(error: &Error, record: RecordNumber) -> Option<Issue> {
    match error {
        Error::Corrupt(found) => Some(of_record(found, record)),
        Error::Device { len, .. } => {
            let kind = IssueKind::Unreadable {
                expected: *len,
                found: 0,
            };
            Some(Issue::new(kind).in_record(record))
        }
        // a dump without clusters, a method of compression: nothing that is wrong
        _ => None,
    }
}

/// The kind of issue that a contradiction is.
pub(super) fn kind_of(found: &Corrupt) -> IssueKind {
    let wide = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    match *found.kind() {
        CorruptKind::Signature { found, wanted } => IssueKind::BlockSignature {
            expected: if wanted == *b"INDX" { "INDX" } else { "FILE" },
            found: signature(found),
        },
        CorruptKind::FixupShape {
            offset,
            count,
            wanted,
            ..
        } => IssueKind::UpdateSequence {
            expected: format!("{wanted} values in its first sector"),
            found: format!("{count} values at {offset:#x}"),
        },
        CorruptKind::TornSector {
            sector,
            found,
            wanted,
        } => IssueKind::TornSector {
            expected: wanted,
            found,
            sector: wide(sector).saturating_mul(512),
        },
        CorruptKind::Outside { what, end, limit } => IssueKind::AttributeBounds {
            expected: limit,
            found: end,
            what,
        },
        CorruptKind::Runs { what, .. } => IssueKind::RunsDamaged {
            expected: "pairs of a length above zero and a distance",
            found: what,
        },
        CorruptKind::RunsStart { found, wanted } => IssueKind::RunsGap {
            expected: wanted.0,
            found: found.0,
        },
        CorruptKind::RunOutside { found, clusters } => IssueKind::RunOutside {
            expected: clusters,
            found: found.0,
        },
        CorruptKind::RunsEnd { found, wanted } => IssueKind::RunsEnd {
            expected: wanted.0,
            found: found.0,
        },
        CorruptKind::AttributeLen { found } => IssueKind::AttributeLength {
            expected: "a multiple of 8 from 24 on",
            found,
        },
        CorruptKind::ResidentFlag { found } => IssueKind::ResidentFlag {
            expected: "0 or 1",
            found,
        },
        CorruptKind::ClusterRange { lowest, highest } => IssueKind::ClusterRange {
            expected: lowest.0,
            found: highest.0,
        },
        CorruptKind::ValueSizes {
            initialized,
            size,
            allocated,
        } => IssueKind::ValueSizes {
            expected: "initialized <= size <= allocated",
            found: format!("{initialized}, {size}, {allocated}"),
        },
        CorruptKind::ValueSize { found, limit } => IssueKind::AllocatedSize {
            expected: limit,
            found,
        },
        CorruptKind::Missing { kind } => IssueKind::AttributeMissing {
            expected: kind,
            found: "none",
        },
        CorruptKind::ListEntry { at } => IssueKind::ListEntry {
            expected: "an entry with its name",
            found: wide(at),
        },
        CorruptKind::ListSize { found, limit } => IssueKind::ListSize {
            expected: limit,
            found,
        },
        CorruptKind::NotResident { kind } => IssueKind::AttributePlace {
            expected: "in the record",
            found: "in clusters",
            kind,
        },
        CorruptKind::Value { kind, what } => IssueKind::ValueDamaged {
            expected: kind,
            found: what,
        },
        CorruptKind::Unreadable { len, .. } => IssueKind::Unreadable {
            expected: len,
            found: 0,
        },
        CorruptKind::IndexBlockSize { found } => IssueKind::IndexBlockSize {
            expected: "a power of two from 256 to 65536",
            found,
        },
        CorruptKind::NoSuchBlock { vcn } => IssueKind::BlockMissing {
            expected: 0,
            found: vcn,
        },
        CorruptKind::BlockPlace { found, wanted } => IssueKind::BlockPlace {
            expected: wanted,
            found,
        },
        CorruptKind::BlockTwice { vcn } => IssueKind::BlockTwice {
            expected: "each block once",
            found: vcn,
        },
        CorruptKind::NodeUsed { used, allocated } => IssueKind::NodeBounds {
            expected: u64::from(allocated),
            found: u64::from(used),
            what: "the end of the entries",
        },
        CorruptKind::IndexEntry { offset, what } => IssueKind::IndexEntry {
            expected: "an entry with its key",
            found: what,
            entry: wide(offset),
        },
        // files and volumes are not opened through the engine here where these could come up
        CorruptKind::SectorSize { .. }
        | CorruptKind::ClusterSize { .. }
        | CorruptKind::RecordSize { .. }
        | CorruptKind::IndexSize { .. }
        | CorruptKind::BootSignature { .. }
        | CorruptKind::NoSectors
        | CorruptKind::TableOutside { .. }
        | CorruptKind::Sequence { .. }
        | CorruptKind::NotInUse
        | CorruptKind::NotBase { .. }
        | CorruptKind::OtherBase { .. }
        | CorruptKind::NoSuchRecord { .. }
        | CorruptKind::Lznt1(_) => IssueKind::ValueDamaged {
            expected: AttributeKind::ATTRIBUTE_LIST,
            found: "a record that it names is not part of the file",
        },
    }
}

/// Four bytes for messages.
pub(super) fn signature(bytes: [u8; 4]) -> String {
    bytes.escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the engine says of a device that fails is told with the record.
    #[test]
    fn a_device_that_fails_is_an_issue() {
        let error = Error::Device {
            action: "read",
            offset: 0,
            len: 1024,
            source: std::io::ErrorKind::Other.into(),
        };
        let issue = of_error(&error, RecordNumber(7)).unwrap();
        assert_eq!(issue.to_string(), "record 7: the device gives 0 of 1024 bytes");
    }
}
