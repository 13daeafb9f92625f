//! UTF-16 units as bytes: WTF-8, which is UTF-8 with lone surrogates.
//!
//! Each row of units has one form in bytes and the reverse. So pairs of surrogates are always one sequence of four
//! bytes, and bytes that hold the two halves side by side are no WTF-8.

use alloc::vec::Vec;

/// Units as WTF-8. Lone surrogates become three bytes each.
#[must_use]
pub fn wtf8_of_units(units: &[u16]) -> Vec<u8> {
    let mut out = Vec::with_capacity(units.len());
    for c in char::decode_utf16(units.iter().copied()) {
        match c {
            Ok(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(lone) => {
                let [low, high] = lone.unpaired_surrogate().to_le_bytes();
                // bits 12 to 15, 6 to 11, 0 to 5
                out.extend_from_slice(&[
                    0xE0 | high >> 4,
                    0x80 | (high & 0x0F) << 2 | low >> 6,
                    0x80 | low & 0x3F,
                ]);
            }
        }
    }
    out
}

/// WTF-8 as units; `None` for bytes that are none.
#[must_use]
pub fn units_of_wtf8(bytes: &[u8]) -> Option<Vec<u16>> {
    let mut units = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        let (text, broken) = match core::str::from_utf8(rest) {
            Ok(text) => (text, &[][..]),
            Err(error) => {
                let (good, broken) = rest.split_at(error.valid_up_to());
                (core::str::from_utf8(good).ok()?, broken)
            }
        };
        units.extend(text.encode_utf16());
        match *broken {
            [] => return Some(units),
            // ED A0..BF 80..BF: a surrogate
            [0xED, b @ 0xA0..=0xBF, c @ 0x80..=0xBF, ref tail @ ..] => {
                let unit = 0xD000 | u16::from(b & 0x3F) << 6 | u16::from(c & 0x3F);
                let follows_high = text.is_empty() && matches!(units.last(), Some(0xD800..=0xDBFF));
                if follows_high && unit >= 0xDC00 {
                    return None;
                }
                units.push(unit);
                rest = tail;
            }
            _ => return None,
        }
    }
}
