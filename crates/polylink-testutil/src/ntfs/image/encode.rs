//! Attributes, records and names as bytes.

use polylink_ntfs::layout::attribute::{
    AttributeFlags, AttributeHeader, AttributeKind, CompressedHeader, NonResidentHeader, ResidentHeader,
};
use polylink_ntfs::layout::record::{MultiSectorHeader, RecordHeader};
use polylink_ntfs::layout::value::{FileName, StandardInformation, StandardInformation3};
use polylink_ntfs::{FileReference, RunList, Vcn};
use zerocopy::{FromBytes as _, IntoBytes as _};

use super::{CLUSTER, RECORD};

/// Every time on the volume: the first of January 2020.
pub(crate) const TIME: u64 = 132_223_104_000_000_000;
const FIRST_ATTRIBUTE: usize = 0x38;

/// An attribute record before its record is known.
#[derive(Clone, Debug)]
pub(crate) struct Draft(Vec<u8>);

impl Draft {
    pub(crate) fn resident(kind: AttributeKind, name: &[u16], value: Vec<u8>) -> Self {
        let name_at = size_of::<AttributeHeader>() + size_of::<ResidentHeader>();
        let value_at = padded(name_at + name.len() * 2);
        let len = padded(value_at + value.len());
        let indexed = u8::from(kind == AttributeKind::FILE_NAME);
        let mut bytes = header(kind, name, len, false, name_at, 0).as_bytes().to_vec();
        let resident = ResidentHeader {
            value_len: (value.len() as u32).into(),
            value_offset: (value_at as u16).into(),
            indexed,
            reserved: 0,
        };
        bytes.extend_from_slice(resident.as_bytes());
        bytes.extend(name.iter().flat_map(|unit| unit.to_le_bytes()));
        bytes.resize(value_at, 0);
        bytes.extend_from_slice(&value);
        bytes.resize(len, 0);
        Self(bytes)
    }

    pub(crate) fn in_clusters(
        kind: AttributeKind,
        name: &[u16],
        runs: &RunList,
        size: u64,
        sparse: bool,
    ) -> Self {
        let mut name_at = size_of::<AttributeHeader>() + size_of::<NonResidentHeader>();
        name_at += if sparse { size_of::<CompressedHeader>() } else { 0 };
        let runs_at = padded(name_at + name.len() * 2);
        let pairs = runs.encode();
        let len = padded(runs_at + pairs.len());
        let flags = if sparse { AttributeFlags::SPARSE.bits() } else { 0 };
        let mut bytes = header(kind, name, len, true, name_at, flags).as_bytes().to_vec();
        let end = runs.end().0;
        let body = NonResidentHeader {
            lowest_vcn: 0.into(),
            highest_vcn: end.wrapping_sub(1).into(),
            runs_offset: (runs_at as u16).into(),
            compression_unit: 0,
            reserved: [0; 5],
            allocated: (end * CLUSTER as u64).into(),
            size: size.into(),
            initialized: size.into(),
        };
        bytes.extend_from_slice(body.as_bytes());
        if sparse {
            let total_allocated = (runs.allocated() * CLUSTER as u64).into();
            bytes.extend_from_slice(CompressedHeader { total_allocated }.as_bytes());
        }
        bytes.extend(name.iter().flat_map(|unit| unit.to_le_bytes()));
        bytes.resize(runs_at, 0);
        bytes.extend_from_slice(&pairs);
        bytes.resize(len, 0);
        Self(bytes)
    }

    pub(crate) fn standard_information(attributes: u32) -> Self {
        let old = StandardInformation {
            created: TIME.into(),
            modified: TIME.into(),
            changed: TIME.into(),
            accessed: TIME.into(),
            attributes: attributes.into(),
            max_versions: 0.into(),
            version: 0.into(),
            class_id: 0.into(),
        };
        let new = StandardInformation3 {
            owner_id: 0.into(),
            security_id: 0.into(),
            quota: 0.into(),
            usn: 0.into(),
        };
        let value = [old.as_bytes(), new.as_bytes()].concat();
        Self::resident(AttributeKind::STANDARD_INFORMATION, &[], value)
    }

    pub(crate) fn file_name(value: Vec<u8>) -> Self {
        Self::resident(AttributeKind::FILE_NAME, &[], value)
    }

    fn header(&self) -> AttributeHeader {
        AttributeHeader::read_from_prefix(&self.0).expect("a header").0
    }

    pub(crate) fn kind(&self) -> AttributeKind {
        AttributeKind(self.header().kind.get())
    }

    pub(crate) fn name(&self) -> Vec<u16> {
        let header = self.header();
        let start = usize::from(header.name_offset.get());
        let bytes = &self.0[start..start + usize::from(header.name_len) * 2];
        let (pairs, _) = bytes.as_chunks::<2>();
        pairs.iter().map(|&pair| u16::from_le_bytes(pair)).collect()
    }

    pub(crate) fn id(&self) -> u16 {
        self.header().id.get()
    }

    pub(crate) fn set_id(&mut self, id: u16) {
        self.0[14..16].copy_from_slice(&id.to_le_bytes());
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// What attributes are sorted by. Names of attributes here are ASCII in upper case, or alone.
    pub(crate) fn key(&self) -> (u32, Vec<u16>) {
        (self.kind().0, self.name())
    }

    /// Size and allocated bytes of its value.
    pub(crate) fn sizes(&self) -> (u64, u64) {
        let rest = &self.0[size_of::<AttributeHeader>()..];
        if self.header().non_resident == 0 {
            let body = ResidentHeader::read_from_prefix(rest).expect("a header").0;
            let size = u64::from(body.value_len.get());
            (size, size.next_multiple_of(8))
        } else {
            let body = NonResidentHeader::read_from_prefix(rest).expect("a header").0;
            (body.size.get(), body.allocated.get())
        }
    }
}

fn header(
    kind: AttributeKind,
    name: &[u16],
    len: usize,
    non_resident: bool,
    name_at: usize,
    flags: u16,
) -> AttributeHeader {
    AttributeHeader {
        kind: kind.0.into(),
        len: (len as u32).into(),
        non_resident: u8::from(non_resident),
        name_len: name.len() as u8,
        name_offset: (name_at as u16).into(),
        flags: flags.into(),
        id: 0.into(),
    }
}

/// Bytes of a record that attributes may take.
pub(crate) fn room() -> usize {
    RECORD - FIRST_ATTRIBUTE - 8
}

/// A record as it is on disk.
pub(crate) fn record(
    number: u64,
    sequence: u16,
    flags: u16,
    links: u16,
    base: u64,
    drafts: &[Draft],
) -> Vec<u8> {
    let mut bytes = vec![0; RECORD];
    let used = FIRST_ATTRIBUTE + drafts.iter().map(Draft::len).sum::<usize>() + 8;
    assert!(used <= RECORD, "record {number} needs {used} bytes");
    let next_id = drafts.iter().map(Draft::id).max().map_or(0, |id| id + 1);
    let header = RecordHeader {
        multi: MultiSectorHeader {
            signature: *b"FILE",
            update_sequence_offset: 0x30.into(),
            update_sequence_count: 3.into(),
        },
        lsn: 0.into(),
        sequence: sequence.into(),
        link_count: links.into(),
        first_attribute: (FIRST_ATTRIBUTE as u16).into(),
        flags: flags.into(),
        used: (used as u32).into(),
        allocated: (RECORD as u32).into(),
        base: base.into(),
        next_attribute_id: next_id.into(),
        reserved: 0.into(),
        number: (number as u32).into(),
    };
    bytes[..size_of::<RecordHeader>()].copy_from_slice(header.as_bytes());
    let mut at = FIRST_ATTRIBUTE;
    for draft in drafts {
        bytes[at..at + draft.len()].copy_from_slice(&draft.0);
        at += draft.len();
    }
    bytes[at..at + 4].fill(0xFF);
    protect(&mut bytes, 1);
    bytes
}

/// Puts the update sequence in, with this number.
pub(crate) fn protect(block: &mut [u8], number: u16) {
    let start = usize::from(u16::from_le_bytes([block[4], block[5]]));
    block[start..start + 2].copy_from_slice(&number.to_le_bytes());
    for sector in 0..block.len() / 512 {
        let end = sector * 512 + 510;
        let value = [block[end], block[end + 1]];
        block[start + 2 + sector * 2..][..2].copy_from_slice(&value);
        block[end..end + 2].copy_from_slice(&number.to_le_bytes());
    }
}

/// Takes the update sequence out again, and answers its number.
pub(crate) fn unprotect(block: &mut [u8]) -> u16 {
    let start = usize::from(u16::from_le_bytes([block[4], block[5]]));
    for sector in 0..block.len() / 512 {
        let value = [block[start + 2 + sector * 2], block[start + 3 + sector * 2]];
        block[sector * 512 + 510..][..2].copy_from_slice(&value);
    }
    u16::from_le_bytes([block[start], block[start + 1]])
}

pub(crate) fn file_name(
    parent: FileReference,
    attributes: u32,
    name: &[u16],
    namespace: u8,
    size: u64,
    allocated: u64,
) -> Vec<u8> {
    let fixed = FileName {
        parent: parent.0.into(),
        created: TIME.into(),
        modified: TIME.into(),
        changed: TIME.into(),
        accessed: TIME.into(),
        allocated: allocated.into(),
        size: size.into(),
        attributes: attributes.into(),
        ea_or_tag: 0.into(),
        name_len: name.len() as u8,
        namespace,
    };
    let mut bytes = fixed.as_bytes().to_vec();
    bytes.extend(name.iter().flat_map(|unit| unit.to_le_bytes()));
    bytes
}

/// The runs with these first clusters (none in a hole) and lengths.
pub(crate) fn runs(pairs: &[(Option<u64>, u64)]) -> RunList {
    let mut bytes = Vec::new();
    let mut before = 0_i64;
    for (first, count) in pairs {
        match first {
            None => bytes.push(0x08),
            Some(_) => bytes.push(0x88),
        }
        bytes.extend_from_slice(&count.to_le_bytes());
        if let Some(first) = first {
            let first = *first as i64;
            bytes.extend_from_slice(&(first - before).to_le_bytes());
            before = first;
        }
    }
    bytes.push(0);
    RunList::decode(&bytes, Vcn(0), u64::MAX >> 8).expect("sound runs")
}

/// The next multiple of 8.
pub(crate) fn padded(len: usize) -> usize {
    len.next_multiple_of(8)
}

pub(crate) fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}
