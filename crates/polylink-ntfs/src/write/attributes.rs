//! Changing the attributes of one record: bytes whose update sequence is undone, in and out.

use std::cmp::Ordering;
use std::mem::offset_of;

use polylink_nt::upcase::UpcaseTable;

use super::bytes::{
    aligned, bytes_of_units, get_u16, get_u32, narrow, put, put_u16, put_u32, put_u64, short, size,
};
use crate::layout::attribute::{
    AttributeFlags, AttributeHeader, AttributeKind, CompressedHeader, NonResidentHeader, ResidentHeader,
};
use crate::layout::record::{MultiSectorHeader, RecordFlags, RecordHeader};
use crate::record::{Attribute, Attributes, Record};
use crate::runs::RunList;
use crate::units::{FileReference, RecordNumber, Vcn};

/// The record, or what is to go into it, has no room for so much.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NoRoom;

/// Bytes of the mark behind the last attribute, as `used` counts it.
const END_LEN: usize = 8;
const STRIDE: usize = 512;

const HEADER_LEN: usize = size_of::<AttributeHeader>();
const RESIDENT_LEN: usize = HEADER_LEN + size_of::<ResidentHeader>();
const NON_RESIDENT_LEN: usize = HEADER_LEN + size_of::<NonResidentHeader>();

/// An empty record.
pub(crate) fn new_record(
    len: usize,
    number: RecordNumber,
    sequence: u16,
    base: Option<FileReference>,
    flags: RecordFlags,
) -> Vec<u8> {
    let mut bytes = vec![0; len];
    let array = size_of::<RecordHeader>();
    let values = len.checked_div(STRIDE).unwrap_or(0).saturating_add(1);
    let first = aligned(array.saturating_add(values.saturating_mul(2)));
    put(&mut bytes, 0, b"FILE");
    put_u16(
        &mut bytes,
        offset_of!(MultiSectorHeader, update_sequence_offset),
        short(array),
    );
    put_u16(
        &mut bytes,
        offset_of!(MultiSectorHeader, update_sequence_count),
        short(values),
    );
    put_u16(&mut bytes, array, 1);
    put_u16(&mut bytes, offset_of!(RecordHeader, sequence), sequence.max(1));
    put_u16(
        &mut bytes,
        offset_of!(RecordHeader, first_attribute),
        short(first),
    );
    put_u16(&mut bytes, offset_of!(RecordHeader, flags), flags.bits());
    put_u32(
        &mut bytes,
        offset_of!(RecordHeader, used),
        narrow(first.saturating_add(END_LEN)),
    );
    put_u32(&mut bytes, offset_of!(RecordHeader, allocated), narrow(len));
    put_u64(
        &mut bytes,
        offset_of!(RecordHeader, base),
        base.map_or(0, |base| base.0),
    );
    put_u32(
        &mut bytes,
        offset_of!(RecordHeader, number),
        narrow(number.0 & 0xFFFF_FFFF),
    );
    put_u32(&mut bytes, first, AttributeKind::END.0);
    bytes
}

pub(crate) fn sequence(bytes: &[u8]) -> u16 {
    get_u16(bytes, offset_of!(RecordHeader, sequence))
}

pub(crate) fn set_sequence(bytes: &mut [u8], sequence: u16) {
    put_u16(bytes, offset_of!(RecordHeader, sequence), sequence);
}

/// The sequence number after this one: 0 is left out.
pub(crate) fn next_sequence(sequence: u16) -> u16 {
    sequence.wrapping_add(1).max(1)
}

pub(crate) fn flags(bytes: &[u8]) -> RecordFlags {
    RecordFlags::from_bits_retain(get_u16(bytes, offset_of!(RecordHeader, flags)))
}

pub(crate) fn set_flags(bytes: &mut [u8], flags: RecordFlags) {
    put_u16(bytes, offset_of!(RecordHeader, flags), flags.bits());
}

pub(crate) fn raw_links(bytes: &[u8]) -> u16 {
    get_u16(bytes, offset_of!(RecordHeader, link_count))
}

pub(crate) fn set_raw_links(bytes: &mut [u8], count: u16) {
    put_u16(bytes, offset_of!(RecordHeader, link_count), count);
}

pub(crate) fn set_number(bytes: &mut [u8], number: RecordNumber) {
    // only records of NTFS 3.1 have the field; in older ones the update sequence lies there
    let array = get_u16(bytes, offset_of!(MultiSectorHeader, update_sequence_offset));
    if usize::from(array) >= size_of::<RecordHeader>() {
        put_u32(
            bytes,
            offset_of!(RecordHeader, number),
            narrow(number.0 & 0xFFFF_FFFF),
        );
    }
}

fn used(bytes: &[u8]) -> usize {
    size(get_u32(bytes, offset_of!(RecordHeader, used)))
}

/// Bytes that further attributes may take.
pub(crate) fn room(bytes: &[u8]) -> usize {
    // the end mark may be counted as 4 bytes, by some who write it
    let end = aligned(used(bytes));
    bytes.len().saturating_sub(end) & !7
}

/// The attributes of a record that was parsed before.
pub(crate) fn attributes(bytes: &[u8]) -> Attributes<'_> {
    // OK: a record is parsed when it is read, and only these functions change it
    match Record::parsed(RecordNumber(0), bytes) {
        Ok(record) => record.attributes(),
        Err(_) => Attributes::none(),
    }
}

/// A resident attribute record, its number still to be given.
pub(crate) fn resident(kind: AttributeKind, name: &[u16], value: &[u8]) -> Vec<u8> {
    let name_bytes = bytes_of_units(name);
    let value_at = aligned(RESIDENT_LEN.saturating_add(name_bytes.len()));
    let len = aligned(value_at.saturating_add(value.len()));
    let mut bytes = header(len, kind, name, RESIDENT_LEN);
    let body = HEADER_LEN;
    put_u32(
        &mut bytes,
        body.saturating_add(offset_of!(ResidentHeader, value_len)),
        narrow(value.len()),
    );
    put_u16(
        &mut bytes,
        body.saturating_add(offset_of!(ResidentHeader, value_offset)),
        short(value_at),
    );
    if kind == AttributeKind::FILE_NAME {
        put(
            &mut bytes,
            body.saturating_add(offset_of!(ResidentHeader, indexed)),
            &[1],
        );
    }
    put(&mut bytes, RESIDENT_LEN, &name_bytes);
    put(&mut bytes, value_at, value);
    bytes
}

/// The sizes of a non-resident value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Sizes {
    pub(crate) allocated: u64,
    pub(crate) size: u64,
    pub(crate) initialized: u64,
    /// Bytes in clusters, where the value is sparse or compressed.
    pub(crate) total: Option<u64>,
}

/// What a part of a non-resident attribute is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    pub(crate) kind: AttributeKind,
    pub(crate) name: &'a [u16],
    pub(crate) flags: AttributeFlags,
    pub(crate) unit: u8,
    pub(crate) runs: &'a RunList,
    /// Where the part begins.
    pub(crate) lowest: Vcn,
    /// The sizes of the whole value: they count in its first part only.
    pub(crate) sizes: Sizes,
}

/// A non-resident attribute record, its number still to be given.
pub(crate) fn non_resident(part: &Part<'_>) -> Vec<u8> {
    let first = part.lowest.0 == 0;
    let name_bytes = bytes_of_units(part.name);
    let pairs = part.runs.encode();
    let long = first && part.sizes.total.is_some();
    let name_at = if long {
        NON_RESIDENT_LEN.saturating_add(size_of::<CompressedHeader>())
    } else {
        NON_RESIDENT_LEN
    };
    let runs_at = aligned(name_at.saturating_add(name_bytes.len()));
    let len = aligned(runs_at.saturating_add(pairs.len()));
    let mut bytes = header(len, part.kind, part.name, name_at);
    put(&mut bytes, offset_of!(AttributeHeader, non_resident), &[1]);
    put_u16(&mut bytes, offset_of!(AttributeHeader, flags), part.flags.bits());
    let body = HEADER_LEN;
    let mut field = |offset: usize, value: u64| put_u64(&mut bytes, body.saturating_add(offset), value);
    let end = part.runs.end().0.max(part.lowest.0);
    field(offset_of!(NonResidentHeader, lowest_vcn), part.lowest.0);
    field(offset_of!(NonResidentHeader, highest_vcn), end.wrapping_sub(1));
    if first {
        field(offset_of!(NonResidentHeader, allocated), part.sizes.allocated);
        field(offset_of!(NonResidentHeader, size), part.sizes.size);
        field(offset_of!(NonResidentHeader, initialized), part.sizes.initialized);
    }
    put_u16(
        &mut bytes,
        body.saturating_add(offset_of!(NonResidentHeader, runs_offset)),
        short(runs_at),
    );
    put(
        &mut bytes,
        body.saturating_add(offset_of!(NonResidentHeader, compression_unit)),
        &[part.unit],
    );
    if let Some(total) = part.sizes.total.filter(|_| long) {
        put_u64(&mut bytes, NON_RESIDENT_LEN, total);
    }
    put(&mut bytes, name_at, &name_bytes);
    put(&mut bytes, runs_at, &pairs);
    bytes
}

/// Bytes of an attribute record beside its runs.
pub(crate) fn non_resident_overhead(name: &[u16]) -> usize {
    aligned(
        NON_RESIDENT_LEN
            .saturating_add(size_of::<CompressedHeader>())
            .saturating_add(name.len().saturating_mul(2)),
    )
}

fn header(len: usize, kind: AttributeKind, name: &[u16], name_at: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    put_u32(&mut bytes, offset_of!(AttributeHeader, kind), kind.0);
    put_u32(&mut bytes, offset_of!(AttributeHeader, len), narrow(len));
    put(
        &mut bytes,
        offset_of!(AttributeHeader, name_len),
        &[name.len().try_into().unwrap_or(u8::MAX)],
    );
    put_u16(
        &mut bytes,
        offset_of!(AttributeHeader, name_offset),
        short(name_at),
    );
    bytes
}

/// Which of two attributes of a file stands first, by type, name, and place in the value.
pub(crate) fn order(
    upcase: &UpcaseTable,
    a: (AttributeKind, &[u16], Vcn),
    b: (AttributeKind, &[u16], Vcn),
) -> Ordering {
    a.0.cmp(&b.0)
        .then_with(|| upcase.collate_exact(a.1, b.1))
        .then_with(|| a.2.cmp(&b.2))
}

/// Where in its value an attribute record begins.
pub(crate) fn lowest(attribute: &Attribute<'_>) -> Vcn {
    match attribute.body() {
        crate::record::Body::Resident { .. } => Vcn(0),
        crate::record::Body::NonResident(part) => Vcn(part.header.lowest_vcn.get()),
    }
}

/// Puts an attribute record in its place, gives it a number that no other has, and answers that.
pub(crate) fn insert(bytes: &mut [u8], upcase: &UpcaseTable, attribute: &[u8]) -> Result<u16, NoRoom> {
    let len = attribute.len();
    if len > room(bytes) {
        return Err(NoRoom);
    }
    let new = Attribute::parse_one(attribute).ok_or(NoRoom)?;
    let (kind, name, place) = (new.kind(), new.name(), lowest(&new));
    let end = end_of(bytes).ok_or(NoRoom)?;
    let mut at = end;
    for other in attributes(bytes).flatten() {
        let key = (other.kind(), other.name(), lowest(&other));
        if order(upcase, (key.0, &key.1, key.2), (kind, &name, place)) == Ordering::Greater {
            at = other.offset();
            break;
        }
    }
    let id = take_id(bytes).ok_or(NoRoom)?;
    let used = aligned(used(bytes));
    bytes.copy_within(at..used, at.saturating_add(len));
    put(bytes, at, attribute);
    put_u16(bytes, at.saturating_add(offset_of!(AttributeHeader, id)), id);
    put_u32(
        bytes,
        offset_of!(RecordHeader, used),
        narrow(used.saturating_add(len)),
    );
    Ok(id)
}

/// Where the end mark stands.
fn end_of(bytes: &[u8]) -> Option<usize> {
    let mut end = usize::from(get_u16(bytes, offset_of!(RecordHeader, first_attribute)));
    for attribute in attributes(bytes) {
        let attribute = attribute.ok()?;
        end = attribute.offset().saturating_add(attribute.record_len());
    }
    Some(end)
}

/// A number that no attribute of the record has.
fn take_id(bytes: &mut [u8]) -> Option<u16> {
    let at = offset_of!(RecordHeader, next_attribute_id);
    let next = get_u16(bytes, at);
    let taken: Vec<u16> = attributes(bytes)
        .flatten()
        .map(|attribute| attribute.id())
        .collect();
    // the number grows with each attribute ever made; at the end of all numbers the free ones are used again
    let free = |from: u16| (from..u16::MAX).find(|id| !taken.contains(id));
    let id = free(next).or_else(|| free(0))?;
    let after = id.wrapping_add(1);
    let after = if after == u16::MAX || taken.contains(&after) {
        (0..u16::MAX).find(|other| *other != id && !taken.contains(other))?
    } else {
        after
    };
    put_u16(bytes, at, after);
    Some(id)
}

/// The bytes of the attribute record at `at`.
pub(crate) fn attribute_at(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let len = size(get_u32(
        bytes,
        at.saturating_add(offset_of!(AttributeHeader, len)),
    ));
    bytes.get(at..at.saturating_add(len))
}

/// Where the value of the resident attribute record at `at` begins.
pub(crate) fn value_offset(bytes: &[u8], at: usize) -> Option<usize> {
    let field = HEADER_LEN.checked_add(offset_of!(ResidentHeader, value_offset))?;
    at.checked_add(usize::from(get_u16(bytes, at.checked_add(field)?)))
}

/// Takes the attribute record at `at` out.
pub(crate) fn remove(bytes: &mut [u8], at: usize) -> Vec<u8> {
    let Some(attribute) = attribute_at(bytes, at).map(<[u8]>::to_vec) else {
        return Vec::new();
    };
    let used = aligned(used(bytes));
    let after = at.saturating_add(attribute.len());
    bytes.copy_within(after.min(used)..used, at);
    let now = used.saturating_sub(attribute.len());
    if let Some(rest) = bytes.get_mut(now..used) {
        rest.fill(0);
    }
    put_u32(bytes, offset_of!(RecordHeader, used), narrow(now));
    attribute
}

/// Puts another attribute record of the same type and name in the place of the one at `at`, which keeps its number.
pub(crate) fn replace(bytes: &mut [u8], at: usize, attribute: &[u8]) -> Result<(), NoRoom> {
    let id = get_u16(bytes, at.saturating_add(offset_of!(AttributeHeader, id)));
    let old = attribute_at(bytes, at).ok_or(NoRoom)?.len();
    let new = attribute.len();
    if new > old && new.saturating_sub(old) > room(bytes) {
        return Err(NoRoom);
    }
    let used = aligned(used(bytes));
    let (from, to) = (at.saturating_add(old), at.saturating_add(new));
    bytes.copy_within(from.min(used)..used, to);
    put(bytes, at, attribute);
    put_u16(bytes, at.saturating_add(offset_of!(AttributeHeader, id)), id);
    let now = used.saturating_add(new).saturating_sub(old);
    if let Some(rest) = bytes.get_mut(now..used) {
        rest.fill(0);
    }
    put_u32(bytes, offset_of!(RecordHeader, used), narrow(now));
    Ok(())
}

/// Where the attribute with this number begins.
pub(crate) fn offset_of_id(bytes: &[u8], id: u16) -> Option<usize> {
    attributes(bytes)
        .flatten()
        .find(|attribute| attribute.id() == id)
        .map(|attribute| attribute.offset())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::Body;

    fn record() -> Vec<u8> {
        new_record(1024, RecordNumber(30), 3, None, RecordFlags::IN_USE)
    }

    fn kinds(bytes: &[u8]) -> Vec<(u32, Vec<u16>)> {
        attributes(bytes)
            .map(|attribute| attribute.unwrap())
            .map(|attribute| (attribute.kind().0, attribute.name()))
            .collect()
    }

    #[test]
    fn attributes_stand_in_order_whatever_the_order_they_come_in() {
        let upcase = UpcaseTable::windows();
        let mut bytes = record();
        let data = |name: &str| {
            let name: Vec<u16> = name.encode_utf16().collect();
            resident(AttributeKind::DATA, &name, b"value")
        };
        for attribute in [
            data("b"),
            resident(AttributeKind::STANDARD_INFORMATION, &[], &[7; 72]),
            data("A"),
            resident(AttributeKind::FILE_NAME, &[], &[1; 70]),
            data(""),
            resident(AttributeKind::FILE_NAME, &[], &[2; 70]),
        ] {
            insert(&mut bytes, upcase, &attribute).unwrap();
        }
        let unit = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
        let wanted = [
            (0x10, unit("")),
            (0x30, unit("")),
            (0x30, unit("")),
            (0x80, unit("")),
            (0x80, unit("A")),
            (0x80, unit("b")),
        ];
        assert_eq!(kinds(&bytes), wanted);
        let names: Vec<_> = attributes(&bytes)
            .flatten()
            .filter(|attribute| attribute.kind() == AttributeKind::FILE_NAME)
            .map(|attribute| attribute.resident().unwrap()[0])
            .collect();
        assert_eq!(names, [1, 2]);
    }

    #[test]
    fn numbers_are_used_again_once_all_were_given() {
        let upcase = UpcaseTable::windows();
        let mut bytes = record();
        put_u16(&mut bytes, offset_of!(RecordHeader, next_attribute_id), 0xFFFE);
        let attribute = resident(AttributeKind::DATA, &[], &[]);
        let ids: Vec<u16> = (0..5)
            .map(|_| insert(&mut bytes, upcase, &attribute).unwrap())
            .collect();
        assert_eq!(ids, [0xFFFE, 0, 1, 2, 3]);
    }

    #[test]
    fn a_value_in_clusters_is_read_back() {
        let runs = RunList::decode(&[0x11, 5, 20, 0x01, 3, 0], Vcn(0), 100).unwrap();
        let sizes = Sizes {
            allocated: 8 * 4096,
            size: 30000,
            initialized: 20000,
            total: Some(5 * 4096),
        };
        let part = Part {
            kind: AttributeKind::DATA,
            name: &[0x61],
            flags: AttributeFlags::SPARSE,
            unit: 0,
            runs: &runs,
            lowest: Vcn(0),
            sizes,
        };
        let mut bytes = record();
        insert(&mut bytes, UpcaseTable::windows(), &non_resident(&part)).unwrap();
        let attribute = attributes(&bytes).next().unwrap().unwrap();
        let Body::NonResident(found) = attribute.body() else {
            panic!("resident");
        };
        assert_eq!(found.decode(100).unwrap(), runs);
        assert_eq!(found.total_allocated, sizes.total);
        assert_eq!(found.header.size.get(), 30000);
        assert_eq!(attribute.name(), [0x61]);
    }

    proptest! {
        #[test]
        fn what_is_put_in_is_there_and_what_is_taken_out_is_gone(
            steps in prop::collection::vec((any::<bool>(), 0_u32..6, 0_usize..200, any::<prop::sample::Index>()), 0..60),
        ) {
            let upcase = UpcaseTable::windows();
            let mut bytes = record();
            let empty_room = room(&bytes);
            // number, type, value
            let mut model: Vec<(u16, u32, Vec<u8>)> = Vec::new();
            for (add, kind, len, pick) in steps {
                let kind = (kind + 1) * 0x10;
                if add || model.is_empty() {
                    let value = vec![u8::try_from(len).unwrap_or(9); len];
                    let attribute = resident(AttributeKind(kind), &[], &value);
                    let before = bytes.clone();
                    match insert(&mut bytes, upcase, &attribute) {
                        Ok(id) => model.push((id, kind, value)),
                        Err(NoRoom) => {
                            prop_assert!(attribute.len() > room(&bytes));
                            prop_assert_eq!(&bytes, &before);
                        }
                    }
                } else {
                    let (id, kind, value) = model.swap_remove(pick.index(model.len()));
                    let at = offset_of_id(&bytes, id).unwrap();
                    if len % 2 == 0 {
                        remove(&mut bytes, at);
                    } else {
                        let longer = [value.as_slice(), &[1; 9]].concat();
                        if replace(&mut bytes, at, &resident(AttributeKind(kind), &[], &longer)).is_ok() {
                            model.push((id, kind, longer));
                        } else {
                            model.push((id, kind, value));
                        }
                    }
                }
                let mut found: Vec<_> = attributes(&bytes)
                    .map(|attribute| attribute.unwrap())
                    .map(|attribute| (attribute.id(), attribute.kind().0, attribute.resident().unwrap().to_vec()))
                    .collect();
                prop_assert!(found.is_sorted_by_key(|(_, kind, _)| *kind));
                let total: usize = attributes(&bytes).flatten().map(|attribute| attribute.record_len()).sum();
                prop_assert_eq!(room(&bytes), empty_room - total);
                found.sort();
                model.sort();
                prop_assert_eq!(&found, &model);
            }
        }
    }
}
