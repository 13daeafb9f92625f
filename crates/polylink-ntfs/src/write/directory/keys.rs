//! Keys and entries of indexes: their orders, and their bytes.

use std::cmp::Ordering;
use std::mem::offset_of;

use polylink_nt::upcase::UpcaseTable;

use super::super::bytes::{aligned, narrow, put, put_u16, put_u32, put_u64, short};
use crate::layout::attribute::AttributeKind;
use crate::layout::index::{EntryFlags, IndexEntry, IndexHeader, IndexRoot};
use crate::layout::value;

/// Bytes of a name in a `$FILE_NAME`.
fn name_of(key: &[u8]) -> &[u8] {
    key.get(size_of::<value::FileName>()..).unwrap_or_default()
}

fn unit(pair: &[u8; 2]) -> u16 {
    u16::from_le_bytes(*pair)
}

/// The order of names whatever the case; `Equal` means the same but for case.
pub(crate) fn by_name(upcase: &UpcaseTable, a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (name_of(a).as_chunks::<2>().0, name_of(b).as_chunks::<2>().0);
    for (x, y) in a.iter().zip(b) {
        if x != y {
            let order = upcase.upcase(unit(x)).cmp(&upcase.upcase(unit(y)));
            if order != Ordering::Equal {
                return order;
            }
        }
    }
    a.len().cmp(&b.len())
}

/// The order of names in an index: `Equal` means the same in every unit.
pub(crate) fn by_exact_name(upcase: &UpcaseTable, a: &[u8], b: &[u8]) -> Ordering {
    by_name(upcase, a, b).then_with(|| {
        let (a, b) = (name_of(a).as_chunks::<2>().0, name_of(b).as_chunks::<2>().0);
        a.iter().map(unit).cmp(b.iter().map(unit))
    })
}

/// The order of keys that are 32-bit numbers (`COLLATION_NTOFS_ULONGS`).
pub(crate) fn by_numbers(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (a.as_chunks::<4>().0, b.as_chunks::<4>().0);
    let number = |chunk: &[u8; 4]| u32::from_le_bytes(*chunk);
    a.iter().map(number).cmp(b.iter().map(number))
}

/// An index entry with a `$FILE_NAME` as its key.
pub(crate) fn name_entry(file: crate::units::FileReference, key: &[u8]) -> Vec<u8> {
    let header = size_of::<IndexEntry>();
    let len = aligned(header.saturating_add(key.len()));
    let mut bytes = vec![0; len];
    put_u64(&mut bytes, offset_of!(IndexEntry, reference), file.0);
    put_u16(&mut bytes, offset_of!(IndexEntry, len), short(len));
    put_u16(&mut bytes, offset_of!(IndexEntry, key_len), short(key.len()));
    put(&mut bytes, header, key);
    bytes
}

/// The value of the root of an empty index of file names.
pub(crate) fn empty_directory(block: u32, cluster: u32) -> Vec<u8> {
    empty_root(AttributeKind::FILE_NAME.0, 1, block, cluster)
}

/// The value of the root of an empty index: of which type of attribute, 0 for none, and by which rule of collation.
pub(crate) fn empty_root(indexed: u32, collation: u32, block: u32, cluster: u32) -> Vec<u8> {
    let header = size_of::<IndexRoot>();
    let entries = size_of::<IndexHeader>();
    let end = size_of::<IndexEntry>();
    let mut bytes = vec![0; header.saturating_add(entries).saturating_add(end)];
    put_u32(&mut bytes, offset_of!(IndexRoot, indexed_kind), indexed);
    put_u32(&mut bytes, offset_of!(IndexRoot, collation), collation);
    put_u32(&mut bytes, offset_of!(IndexRoot, block_size), block);
    let unit = if block < cluster { 512 } else { cluster };
    let per_block = block.checked_div(unit).unwrap_or(1);
    let per_block = u8::try_from(per_block).unwrap_or(u8::MAX);
    put(
        &mut bytes,
        offset_of!(IndexRoot, clusters_per_block),
        &[per_block],
    );
    let used = narrow(entries.saturating_add(end));
    put_u32(
        &mut bytes,
        header.saturating_add(offset_of!(IndexHeader, first_entry)),
        narrow(entries),
    );
    put_u32(
        &mut bytes,
        header.saturating_add(offset_of!(IndexHeader, used)),
        used,
    );
    put_u32(
        &mut bytes,
        header.saturating_add(offset_of!(IndexHeader, allocated)),
        used,
    );
    let entry = header.saturating_add(entries);
    put_u16(
        &mut bytes,
        entry.saturating_add(offset_of!(IndexEntry, len)),
        short(end),
    );
    put_u16(
        &mut bytes,
        entry.saturating_add(offset_of!(IndexEntry, flags)),
        EntryFlags::END.bits(),
    );
    bytes
}
