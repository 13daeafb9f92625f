//! 8.3 names: which names are, and the twins that NTFS makes for those that are not.
//!
//! What is here was checked against a real volume of Windows XP's and Vista's time, whose file table holds 186 long
//! names in use with their twins. Given its number, [`generate`] makes the very twin for 185 of them (the other one does
//! not begin like its long name); and [`checksum`] is right in all 23 twins that have one, deleted files included. It is
//! deterministic, and depends on nothing but the name and what is taken.
//!
//! Not checked, for no name there shows it: characters that only POSIX names hold (they become `_`), and numbers beyond
//! 9. Windows 8 and later compute another checksum, so twins of one directory may differ in that from what Windows would
//! choose; any free 8.3 name is as good to it.

use alloc::vec::Vec;

use crate::upcase::UpcaseTable;

const DOT: u16 = 0x2E;
const SPACE: u16 = 0x20;
const TILDE: u16 = 0x7E;
const UNDERSCORE: u16 = 0x5F;

/// Units before the dot of an 8.3 name.
const STEM: usize = 8;
/// Units behind it.
const EXTENSION: usize = 3;
/// Units of the stem that stand before `~1`.
const KEPT: usize = 6;
/// Units of the stem that stand before the checksum. A stem with no more than these gets it from the start.
const KEPT_WITH_CHECKSUM: usize = 2;
/// Numbers that are tried before the checksum comes in.
const PLAIN_NUMBERS: u32 = 4;
/// Numbers that are tried at all (`RtlGenerate8dot3Name` gives up after a million).
const NUMBERS: u32 = 999_999;

/// Whether 8.3 names hold this unit, be it in upper or lower case: ASCII but for space, dot, control characters and
/// `" * + , / : ; < = > ? [ \ ] |`.
///
/// Characters beyond ASCII could be in the OEM character set, but NTFS does not use them here: a volume must not depend
/// on the language of the Windows that it was written by.
#[must_use]
pub const fn is_short_unit(unit: u16) -> bool {
    matches!(unit, 0x21..=0x7F)
        && !matches!(
            unit,
            0x22 | 0x2A | 0x2B | 0x2C | 0x2E | 0x2F | 0x3A..=0x3F | 0x5B..=0x5D | 0x7C
        )
}

/// Whether a name is an 8.3 name already, so that it needs no twin (namespace 3): 1 to 8 units, and where there is a
/// dot 1 to 3 behind it.
///
/// Case does not count: `ReadMe.txt` is one, as names on real volumes show.
#[must_use]
pub fn is_short(name: &[u16]) -> bool {
    let (stem, extension) = match name.iter().position(|&unit| unit == DOT) {
        Some(dot) => (&name[..dot], Some(&name[dot + 1..])),
        None => (name, None),
    };
    let fits =
        |part: &[u16], max| (1..=max).contains(&part.len()) && part.iter().all(|&unit| is_short_unit(unit));
    fits(stem, STEM) && extension.is_none_or(|extension| fits(extension, EXTENSION))
}

/// The checksum that tells twins of similar names apart, as Windows XP and Vista compute it.
///
/// Over pairs of units, of which the first is shifted by 8 bits and a missing second is 0: rotate right by one bit, add.
/// It is written in hexadecimal, the lowest digit first. (Found from, and agreeing with, 23 names on a real volume.)
#[must_use]
pub fn checksum(name: &[u16]) -> u16 {
    name.chunks(2).fold(0_u16, |sum, pair| {
        let second = pair.get(1).copied().unwrap_or(0);
        sum.rotate_right(1)
            .wrapping_add((pair[0] << 8).wrapping_add(second))
    })
}

/// Makes the 8.3 twin of a name: the first that is not `taken`.
///
/// `LongFileName.html` becomes `LONGFI~1.HTM`, then `~2` to `~4`, then `LO901B~1.HTM` with a [`checksum`]. Dots but the
/// last, spaces, and all beyond ASCII are left out; what 8.3 names cannot hold becomes `_`. `None` after a million
/// names that are taken (`FILE_SYSTEM_LIMITATION`).
///
/// A name that [is short](is_short) needs no twin, but would get one all the same.
#[must_use]
pub fn generate(
    name: &[u16],
    upcase: &UpcaseTable,
    mut taken: impl FnMut(&[u16]) -> bool,
) -> Option<Vec<u16>> {
    let start = name.iter().position(|&unit| unit != DOT).unwrap_or(name.len());
    let long = &name[start..];
    let (stem, extension) = match long.iter().rposition(|&unit| unit == DOT) {
        Some(dot) => (&long[..dot], &long[dot + 1..]),
        None => (long, &[][..]),
    };
    let mut stem: Vec<u16> = short_units(stem, upcase).take(KEPT).collect();
    let extension: Vec<u16> = short_units(extension, upcase).take(EXTENSION).collect();
    let has_checksum = stem.len() <= KEPT_WITH_CHECKSUM;
    if has_checksum {
        push_checksum(&mut stem, name);
    }

    let plain = if has_checksum { NUMBERS } else { PLAIN_NUMBERS };
    if let Some(free) = (1..=plain)
        .map(|n| numbered(&stem, n, &extension))
        .find(|short| !taken(short))
    {
        return Some(free);
    }
    if has_checksum {
        return None;
    }
    stem.truncate(KEPT_WITH_CHECKSUM);
    push_checksum(&mut stem, name);
    (1..=NUMBERS)
        .map(|n| numbered(&stem, n, &extension))
        .find(|short| !taken(short))
}

/// What is left of a part of a long name.
fn short_units<'a>(part: &'a [u16], upcase: &'a UpcaseTable) -> impl Iterator<Item = u16> + 'a {
    part.iter().filter_map(|&unit| match upcase.upcase(unit) {
        DOT | SPACE => None,
        unit if is_short_unit(unit) => Some(unit),
        0..=0x7F => Some(UNDERSCORE),
        _ => None,
    })
}

fn push_checksum(stem: &mut Vec<u16>, name: &[u16]) {
    let sum = checksum(name);
    stem.extend((0..4).map(|digit| hex(sum >> (4 * digit) & 0xF)));
}

/// A digit from 0 to 15.
const fn hex(digit: u16) -> u16 {
    match digit {
        0..=9 => 0x30 + digit,
        _ => 0x41 + digit - 10,
    }
}

/// Stem, `~`, number, dot, extension; the stem gives way to the number.
fn numbered(stem: &[u16], number: u32, extension: &[u16]) -> Vec<u16> {
    let digits = number.checked_ilog10().map_or(1, |log| log as usize + 1);
    let mut short = Vec::with_capacity(STEM + 1 + EXTENSION);
    short.extend_from_slice(&stem[..stem.len().min(STEM - 1 - digits)]);
    short.push(TILDE);
    // OK to cast: a digit
    short.extend(
        (0..digits as u32)
            .rev()
            .map(|place| hex((number / 10_u32.pow(place) % 10) as u16)),
    );
    if !extension.is_empty() {
        short.push(DOT);
        short.extend_from_slice(extension);
    }
    short
}
