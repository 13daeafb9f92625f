//! Little-endian fields at offsets.

/// The bytes of a field, or `None` where the buffer ends before it does.
pub(super) fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    field(bytes, at).map(u32::from_le_bytes)
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    field(bytes, at).map(u64::from_le_bytes)
}

/// Writes a field. The caller has made sure that the buffer reaches so far.
pub(super) fn put<const N: usize>(bytes: &mut [u8], at: usize, field: [u8; N]) {
    bytes[at..at + N].copy_from_slice(&field);
}

/// The UTF-16 units in these bytes; an odd last byte is left out.
pub(super) fn units(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]]))
}

/// Writes units. The caller has made sure that the buffer reaches so far.
pub(super) fn put_units(bytes: &mut [u8], at: usize, units: &[u16]) {
    for (place, unit) in bytes[at..at + 2 * units.len()].chunks_exact_mut(2).zip(units) {
        place.copy_from_slice(&unit.to_le_bytes());
    }
}
