//! Names: which can exist, which Win32 can say, and how they are kept as bytes.
//!
//! A name is a row of UTF-16 units, opaque: nothing is normalized, and surrogates need no partner. See
//! [`crate::upcase`] for when two names are the same.

use core::fmt;

use crate::NtStatus;

mod device;
mod namespace;
mod stream;
mod wtf8;

pub use device::is_dos_device;
pub use namespace::{Made, Namespace};
pub use stream::{StreamPath, split_stream};
pub use wtf8::{units_of_wtf8, wtf8_of_units};

/// The longest name, in UTF-16 units (\[MS-FSA\] 2.1.5.1: `MaximumComponentNameLength` of NTFS).
pub const MAX_UNITS: usize = 255;

/// Which units a name may hold.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Charset {
    /// What NT lets anybody make: all but `" \ / : | < > * ?` and U+0000 to U+001F (\[MS-FSCC\] 2.1.5).
    Win32,
    /// What NTFS itself can hold: all but NUL and `/`.
    Posix,
}

impl Charset {
    /// Whether a name may hold this unit.
    #[must_use]
    pub const fn allows(self, unit: u16) -> bool {
        match self {
            Self::Posix => !matches!(unit, 0 | 0x2F),
            Self::Win32 => !matches!(
                unit,
                // " * / : < > ? \ |
                0..=0x1F | 0x22 | 0x2A | 0x2F | 0x3A | 0x3C | 0x3E | 0x3F | 0x5C | 0x7C
            ),
        }
    }
}

/// Why a name cannot exist.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum NameError {
    /// It has no units.
    Empty,
    /// It is `.` or `..`, which stand for the directory itself and its parent.
    Dots,
    /// It holds a unit that names may not hold.
    Reserved {
        /// The unit.
        unit: u16,
        /// Units before it.
        index: usize,
    },
    /// It has more than [`MAX_UNITS`] units.
    TooLong {
        /// How many more.
        by: usize,
    },
    /// It has more colons than `name:stream:type` has.
    Colons {
        /// Units before the first that is too many.
        index: usize,
    },
}

impl NameError {
    /// What NT says to all of them: `OBJECT_NAME_INVALID`.
    #[must_use]
    pub const fn status(self) -> NtStatus {
        NtStatus::OBJECT_NAME_INVALID
    }
}

impl From<NameError> for NtStatus {
    fn from(error: NameError) -> Self {
        error.status()
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Empty => f.write_str("the name is empty"),
            Self::Dots => f.write_str("'.' and '..' stand for directories and cannot be made"),
            Self::Reserved { unit, index } => {
                let place = index + 1;
                match char::from_u32(u32::from(unit)) {
                    Some(c) if !c.is_control() => {
                        write!(f, "a name cannot hold '{c}', which is at place {place}")
                    }
                    _ => write!(f, "a name cannot hold U+{unit:04X}, which is at place {place}"),
                }
            }
            Self::TooLong { by } => {
                write!(
                    f,
                    "a name has at most {MAX_UNITS} UTF-16 units, and this has {by} more"
                )
            }
            Self::Colons { index } => {
                write!(
                    f,
                    "the colon at place {} is one too many for a stream's name",
                    index + 1
                )
            }
        }
    }
}

impl core::error::Error for NameError {}

/// Whether a name can be made.
///
/// Dots and spaces at the end are fine with NT; see [`trimmed_by_win32`].
///
/// # Errors
///
/// [`NameError`], the first that applies in the order: empty, dots, reserved unit, too long.
pub fn check(name: &[u16], charset: Charset) -> Result<(), NameError> {
    const DOT: u16 = 0x2E;
    match name {
        [] => return Err(NameError::Empty),
        [DOT] | [DOT, DOT] => return Err(NameError::Dots),
        _ => {}
    }
    if let Some(index) = name.iter().position(|&unit| !charset.allows(unit)) {
        return Err(NameError::Reserved {
            unit: name[index],
            index,
        });
    }
    match name.len().checked_sub(MAX_UNITS) {
        Some(by @ 1..) => Err(NameError::TooLong { by }),
        _ => Ok(()),
    }
}

/// The name that Win32 makes of a name: without the dots and spaces at its end, unless the path starts with `\\?\`
/// (Windows API, "Naming Files, Paths, and Namespaces").
///
/// A name that comes back shorter exists for NT, but most programs cannot open it.
#[must_use]
pub fn trimmed_by_win32(name: &[u16]) -> &[u16] {
    let len = name
        .iter()
        .rposition(|unit| !matches!(unit, 0x20 | 0x2E))
        .map_or(0, |last| last + 1);
    &name[..len]
}
