//! Attributes, records and index nodes as bytes.

use zerocopy::{FromBytes as _, IntoBytes as _};

use super::plan::{Area, FormatError, INDEX};
use crate::layout::attribute::{AttributeHeader, AttributeKind, NonResidentHeader, ResidentHeader};
use crate::layout::index::{EntryFlags, IndexBlock, IndexEntry, IndexHeader, IndexRoot};
use crate::layout::record::{MultiSectorHeader, RecordFlags, RecordHeader};
use crate::layout::security::ViewEntry;
use crate::runs::RunList;
use crate::units::{FileReference, Vcn};

type Result<T, E = FormatError> = std::result::Result<T, E>;

/// Bytes that one value of an update sequence protects, whatever a sector has.
const STRIDE: usize = 512;
/// The first number of an update sequence.
const FIRST_UPDATE: u16 = 1;
/// The mark that ends the attributes takes 8 bytes, of which 4 say so.
const END_MARK: usize = 8;
/// The node's header is counted from; entries of a block begin behind the update sequence of the largest block.
const BLOCK_ENTRIES: u32 = 0x28;
/// Where in a block the node's header is.
const BLOCK_HEADER: usize = size_of::<IndexBlock>();

fn short(len: usize) -> Result<u16> {
    u16::try_from(len).map_err(|_| FormatError::Misfit)
}

fn long(len: usize) -> Result<u32> {
    u32::try_from(len).map_err(|_| FormatError::Misfit)
}

pub(super) fn aligned(len: usize) -> usize {
    len.next_multiple_of(8)
}

/// UTF-16 as it stands on disk.
pub(super) fn bytes_of(units: &[u16]) -> Vec<u8> {
    units.iter().flat_map(|unit| unit.to_le_bytes()).collect()
}

pub(super) fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// An attribute that has no number yet.
#[derive(Clone, Debug)]
pub(super) struct Draft(Vec<u8>);

/// The clusters of a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Runs {
    /// Side by side.
    At(Area),
    /// None: so many of zeros.
    Hole { clusters: u64 },
}

impl Runs {
    fn clusters(self) -> u64 {
        match self {
            Self::At(area) => area.clusters,
            Self::Hole { clusters } => clusters,
        }
    }

    fn pairs(self) -> Result<Vec<u8>> {
        // one pair with numbers of 8 bytes, which are then written as short as they can be
        let mut pair = vec![match self {
            Self::At(_) => 0x88,
            Self::Hole { .. } => 0x08,
        }];
        pair.extend_from_slice(&self.clusters().to_le_bytes());
        if let Self::At(area) = self {
            pair.extend_from_slice(&area.first.to_le_bytes());
        }
        let runs = RunList::decode(&pair, Vcn(0), u64::MAX).map_err(|_| FormatError::Misfit)?;
        Ok(runs.encode())
    }
}

impl Draft {
    /// An attribute whose value lies in the record.
    pub(super) fn resident(kind: AttributeKind, name: &str, value: &[u8]) -> Result<Self> {
        let name_at = size_of::<AttributeHeader>().saturating_add(size_of::<ResidentHeader>());
        let name = bytes_of(&units(name));
        let value_at = aligned(name_at.saturating_add(name.len()));
        let len = aligned(value_at.saturating_add(value.len()));
        let header = ResidentHeader {
            value_len: long(value.len())?.into(),
            value_offset: short(value_at)?.into(),
            indexed: u8::from(kind == AttributeKind::FILE_NAME),
            reserved: 0,
        };
        let mut bytes = common(kind, &name, name_at, len, 0)?;
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(&name);
        bytes.resize(value_at, 0);
        bytes.extend_from_slice(value);
        bytes.resize(len, 0);
        Ok(Self(bytes))
    }

    /// An attribute whose value lies in clusters. Of one in none, nothing was ever written.
    pub(super) fn in_clusters(
        kind: AttributeKind,
        name: &str,
        runs: Runs,
        size: u64,
        cluster: u32,
    ) -> Result<Self> {
        let name_at = size_of::<AttributeHeader>().saturating_add(size_of::<NonResidentHeader>());
        let name = bytes_of(&units(name));
        let runs_at = aligned(name_at.saturating_add(name.len()));
        let pairs = runs.pairs()?;
        let len = aligned(runs_at.saturating_add(pairs.len()));
        let header = NonResidentHeader {
            lowest_vcn: 0.into(),
            highest_vcn: runs.clusters().wrapping_sub(1).into(),
            runs_offset: short(runs_at)?.into(),
            compression_unit: 0,
            reserved: [0; 5],
            allocated: runs.clusters().saturating_mul(u64::from(cluster)).into(),
            size: size.into(),
            initialized: match runs {
                Runs::At(_) => size.into(),
                Runs::Hole { .. } => 0.into(),
            },
        };
        let mut bytes = common(kind, &name, name_at, len, 1)?;
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(&name);
        bytes.resize(runs_at, 0);
        bytes.extend_from_slice(&pairs);
        bytes.resize(len, 0);
        Ok(Self(bytes))
    }
}

/// What both kinds of attributes begin with.
fn common(kind: AttributeKind, name: &[u8], name_at: usize, len: usize, non_resident: u8) -> Result<Vec<u8>> {
    let header = AttributeHeader {
        kind: kind.0.into(),
        len: long(len)?.into(),
        non_resident,
        name_len: u8::try_from(name.len() / 2).map_err(|_| FormatError::Misfit)?,
        name_offset: short(name_at)?.into(),
        flags: 0.into(),
        id: 0.into(),
    };
    Ok(header.as_bytes().to_vec())
}

/// A record that is to be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecordFields {
    pub(super) reference: FileReference,
    pub(super) flags: RecordFlags,
    pub(super) links: u16,
    /// Bytes of the record.
    pub(super) size: u32,
}

/// A record with these attributes, which are in order.
pub(super) fn record(fields: RecordFields, drafts: Vec<Draft>) -> Result<Vec<u8>> {
    let size = usize::try_from(fields.size).map_err(|_| FormatError::Misfit)?;
    let header_len = size_of::<RecordHeader>();
    let strides = size / STRIDE;
    let count = strides.saturating_add(1);
    let first = aligned(header_len.saturating_add(count.saturating_mul(2)));
    let mut attributes = Vec::new();
    for (id, mut draft) in (0_u16..).zip(drafts) {
        let (header, _) = AttributeHeader::mut_from_prefix(&mut draft.0).map_err(|_| FormatError::Misfit)?;
        header.id = id.into();
        attributes.push(draft.0);
    }
    let next_id = short(attributes.len())?;
    let attributes = attributes.concat();
    let used = first.saturating_add(attributes.len()).saturating_add(END_MARK);
    if used > size {
        return Err(FormatError::Misfit);
    }
    let number = fields.reference.record().0;
    let header = RecordHeader {
        multi: MultiSectorHeader {
            signature: *b"FILE",
            update_sequence_offset: short(header_len)?.into(),
            update_sequence_count: short(count)?.into(),
        },
        lsn: 0.into(),
        sequence: fields.reference.sequence().into(),
        link_count: fields.links.into(),
        first_attribute: short(first)?.into(),
        flags: fields.flags.bits().into(),
        used: long(used)?.into(),
        allocated: fields.size.into(),
        base: 0.into(),
        next_attribute_id: next_id.into(),
        reserved: 0.into(),
        number: u32::try_from(number).map_err(|_| FormatError::Misfit)?.into(),
    };
    let mut bytes = header.as_bytes().to_vec();
    bytes.resize(first, 0);
    bytes.extend_from_slice(&attributes);
    bytes.extend_from_slice(&AttributeKind::END.0.to_le_bytes());
    bytes.resize(size, 0);
    protect(&mut bytes)?;
    Ok(bytes)
}

/// Puts an update sequence into a block, whose header says where.
fn protect(block: &mut [u8]) -> Result<()> {
    let (header, _) = MultiSectorHeader::read_from_prefix(block).map_err(|_| FormatError::Misfit)?;
    let start = usize::from(header.update_sequence_offset.get());
    let number = FIRST_UPDATE.to_le_bytes();
    let mut array = number.to_vec();
    for bytes in block.chunks_exact_mut(STRIDE) {
        let end = bytes.last_chunk_mut::<2>().ok_or(FormatError::Misfit)?;
        array.extend_from_slice(end);
        *end = number;
    }
    let place = block.get_mut(start..start.saturating_add(array.len()));
    place.ok_or(FormatError::Misfit)?.copy_from_slice(&array);
    Ok(())
}

/// An entry of a directory.
pub(super) fn directory_entry(file: FileReference, key: &[u8]) -> Result<Vec<u8>> {
    let len = aligned(size_of::<IndexEntry>().saturating_add(key.len()));
    let header = IndexEntry {
        reference: file.0.into(),
        len: short(len)?.into(),
        key_len: short(key.len())?.into(),
        flags: 0.into(),
        reserved: 0.into(),
    };
    let mut bytes = [header.as_bytes(), key].concat();
    bytes.resize(len, 0);
    Ok(bytes)
}

/// An entry of another index. What follows the data up to the next multiple of 8 is `fill`, or zeros.
pub(super) fn view_entry(key: &[u8], data: &[u8], fill: &[u8]) -> Result<Vec<u8>> {
    let data_at = size_of::<ViewEntry>().saturating_add(key.len());
    let len = aligned(data_at.saturating_add(data.len()));
    let header = ViewEntry {
        data_offset: short(data_at)?.into(),
        data_len: short(data.len())?.into(),
        reserved: 0.into(),
        len: short(len)?.into(),
        key_len: short(key.len())?.into(),
        flags: 0.into(),
        reserved2: 0.into(),
    };
    let mut bytes = [header.as_bytes(), key, data, fill].concat();
    bytes.resize(len, 0);
    Ok(bytes)
}

/// The entry that ends a node, with the block below it where there is one.
fn end_entry(child: Option<u64>) -> Result<Vec<u8>> {
    let vcn = child.map(u64::to_le_bytes);
    let vcn = vcn.as_ref().map_or(&[][..], |vcn| vcn.as_slice());
    let flags = match child {
        Some(_) => EntryFlags::END | EntryFlags::HAS_CHILD,
        None => EntryFlags::END,
    };
    let header = IndexEntry {
        reference: 0.into(),
        len: short(size_of::<IndexEntry>().saturating_add(vcn.len()))?.into(),
        key_len: 0.into(),
        flags: flags.bits().into(),
        reserved: 0.into(),
    };
    Ok([header.as_bytes(), vcn].concat())
}

/// What an index is sorted by.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    /// File names.
    Names,
    /// 32-bit numbers: `$SII`, `$Q`.
    Number,
    /// Security identifiers: `$Quota:$O`.
    Sid,
    /// The hash of a descriptor, then its number: `$SDH`.
    Hash,
    /// Rows of 32-bit numbers: `$ObjId:$O`, `$R`.
    Numbers,
}

impl Order {
    /// The type that is indexed, and the rule.
    fn codes(self) -> (u32, u32) {
        match self {
            Self::Names => (AttributeKind::FILE_NAME.0, 1),
            Self::Number => (0, 0x10),
            Self::Sid => (0, 0x11),
            Self::Hash => (0, 0x12),
            Self::Numbers => (0, 0x13),
        }
    }
}

/// The value of an index root with these entries, or with nothing but a child.
pub(super) fn index_root(
    order: Order,
    entries: &[Vec<u8>],
    child: Option<u64>,
    cluster: u32,
) -> Result<Vec<u8>> {
    let (indexed_kind, collation) = order.codes();
    let entries = [entries.concat(), end_entry(child)?].concat();
    let header_len = size_of::<IndexHeader>();
    let used = long(header_len.saturating_add(entries.len()))?;
    let root = IndexRoot {
        indexed_kind: indexed_kind.into(),
        collation: collation.into(),
        block_size: INDEX.into(),
        clusters_per_block: u8::try_from(units_per_block(cluster)).map_err(|_| FormatError::Misfit)?,
        reserved: [0; 3],
    };
    let header = IndexHeader {
        first_entry: long(header_len)?.into(),
        used: used.into(),
        allocated: used.into(),
        flags: u8::from(child.is_some()),
        reserved: [0; 3],
    };
    Ok([root.as_bytes(), header.as_bytes(), &entries].concat())
}

/// How many of the units that places of blocks are counted in a block has: clusters, or 512 bytes where the block is
/// smaller than a cluster.
fn units_per_block(cluster: u32) -> u32 {
    let unit = if INDEX < cluster { 512 } else { cluster };
    INDEX.checked_div(unit).unwrap_or(0)
}

/// The first block of an index, a leaf.
pub(super) fn index_block(entries: &[Vec<u8>]) -> Result<Vec<u8>> {
    let size = usize::try_from(INDEX).map_err(|_| FormatError::Misfit)?;
    let entries = [entries.concat(), end_entry(None)?].concat();
    let start = IndexBlock {
        multi: MultiSectorHeader {
            signature: *b"INDX",
            update_sequence_offset: short(BLOCK_HEADER.saturating_add(size_of::<IndexHeader>()))?.into(),
            update_sequence_count: short((size / STRIDE).saturating_add(1))?.into(),
        },
        lsn: 0.into(),
        vcn: 0.into(),
    };
    let header = IndexHeader {
        first_entry: BLOCK_ENTRIES.into(),
        used: BLOCK_ENTRIES.saturating_add(long(entries.len())?).into(),
        allocated: long(size.saturating_sub(BLOCK_HEADER))?.into(),
        flags: 0,
        reserved: [0; 3],
    };
    let mut bytes = [start.as_bytes(), header.as_bytes()].concat();
    let first = usize::try_from(BLOCK_ENTRIES).map_err(|_| FormatError::Misfit)?;
    bytes.resize(BLOCK_HEADER.saturating_add(first), 0);
    bytes.extend_from_slice(&entries);
    if bytes.len() > size {
        return Err(FormatError::Misfit);
    }
    bytes.resize(size, 0);
    protect(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixup;
    use crate::units::RecordNumber;

    fn fields(size: u32) -> RecordFields {
        RecordFields {
            reference: FileReference::new(RecordNumber(24), 1),
            flags: RecordFlags::IN_USE,
            links: 0,
            size,
        }
    }

    #[test]
    fn attributes_of_larger_records_begin_behind_a_longer_update_sequence() {
        for (size, first) in [(1024, 0x38), (4096, 0x48)] {
            let mut bytes = record(fields(size), Vec::new()).unwrap();
            fixup::undo(&mut bytes, *b"FILE").unwrap();
            let header = RecordHeader::read_from_prefix(&bytes).unwrap().0;
            assert_eq!(header.first_attribute.get(), first);
            assert_eq!(header.used.get(), u32::from(first) + 8);
        }
    }

    #[test]
    fn what_has_no_room_is_no_record_and_no_block() {
        let long = Draft::resident(AttributeKind::DATA, "", &[1; 900]).unwrap();
        assert!(record(fields(1024), vec![long.clone()]).is_ok());
        let both = record(fields(1024), vec![long.clone(), long]);
        assert_eq!(both.unwrap_err(), FormatError::Misfit);
        let entry = view_entry(&[1; 8], &[2; 480], &[]).unwrap();
        assert!(index_block(&vec![entry.clone(); 7]).is_ok());
        assert_eq!(index_block(&vec![entry; 9]).unwrap_err(), FormatError::Misfit);
    }

    #[test]
    fn bytes_under_an_update_sequence_come_back() {
        let mut bytes = index_block(&[view_entry(&[7; 8], &[9; 2000], &[]).unwrap()]).unwrap();
        assert_eq!(bytes[510..512], FIRST_UPDATE.to_le_bytes());
        fixup::undo(&mut bytes, *b"INDX").unwrap();
        assert_eq!(bytes[510..512], [9, 9]);
    }
}
