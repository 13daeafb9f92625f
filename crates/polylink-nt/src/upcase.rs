//! Upper case as NT has it: unit by unit, through a table.
//!
//! NTFS keeps its own table in the file `$UpCase`, written when the volume is formatted and never changed after. Names
//! are compared, and sorted in directories, by what that table says; Unicode's other rules (full folding,
//! normalization, pairs of surrogates) play no part.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;

mod windows;

/// Units in a table: all that there are.
pub const UNITS: usize = 65_536;
/// Bytes of a table on disk.
pub const BYTES: usize = UNITS * 2;

/// An upper-case table: for each UTF-16 unit, its upper case.
///
/// [`Default`] is the one that Windows writes. It is that of Windows Vista and all later ones, taken from a volume that
/// build 19041 of Windows 10 formatted: 131,072 bytes, [CRC](Self::crc) `DADC7E776B1B690C`, 973 units with an upper case
/// other than themselves. mkntfs of ntfs-3g writes the same.
///
/// ```
/// use polylink_nt::upcase::UpcaseTable;
///
/// let units = |text: &str| text.encode_utf16().collect::<Vec<_>>();
/// let table = UpcaseTable::default();
/// assert!(table.same(&units("Größe.TXT"), &units("GRÖßE.txt")));
/// assert!(!table.same(&units("ß"), &units("SS")));
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct UpcaseTable(Units);

#[derive(Clone, PartialEq, Eq, Default)]
enum Units {
    /// Windows' own; never spelt out as `Own`, so that equal tables are equal.
    #[default]
    Windows,
    Own(Box<[u16; UNITS]>),
}

/// Bytes or units that are no upper-case table, for there are too few or too many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WrongLength {
    /// How many units there are.
    pub units: usize,
}

impl fmt::Display for WrongLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "an upper-case table has {UNITS} units, this one {}",
            self.units
        )
    }
}

impl core::error::Error for WrongLength {}

impl UpcaseTable {
    /// Windows' own table, shared; see [`UpcaseTable`].
    #[must_use]
    pub fn windows() -> &'static Self {
        static WINDOWS: UpcaseTable = UpcaseTable(Units::Windows);
        &WINDOWS
    }

    /// The table in a volume's file `$UpCase`.
    ///
    /// Any content will do: what a damaged table says is what the volume's names were sorted by.
    ///
    /// # Errors
    ///
    /// [`WrongLength`] unless there are [`BYTES`] bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WrongLength> {
        let units = bytes
            .chunks_exact(2)
            .map(|b| u16::from_le_bytes([b[0], b[1]]))
            .collect();
        if bytes.len() % 2 == 1 {
            return Err(WrongLength {
                units: bytes.len().div_ceil(2),
            });
        }
        Self::from_units(units)
    }

    /// The table with these units, of which the first is the upper case of U+0000.
    ///
    /// # Errors
    ///
    /// [`WrongLength`] unless there are [`UNITS`] units.
    pub fn from_units(units: Vec<u16>) -> Result<Self, WrongLength> {
        let own: Box<[u16; UNITS]> = match units.into_boxed_slice().try_into() {
            Ok(own) => own,
            Err(other) => return Err(WrongLength { units: other.len() }),
        };
        let is_windows = (0..=u16::MAX)
            .zip(own.iter())
            .all(|(unit, &upper)| windows::upcase(unit) == upper);
        Ok(Self(if is_windows {
            Units::Windows
        } else {
            Units::Own(own)
        }))
    }

    /// The table as it stands in `$UpCase`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        (0..=u16::MAX)
            .flat_map(|unit| self.upcase(unit).to_le_bytes())
            .collect()
    }

    /// The checksum that Windows 8 and later keep beside the table, in the stream `$UpCase:$Info`: CRC-64/NVME of its
    /// bytes (found by trying the known kinds of CRC-64 on a volume that Windows formatted).
    #[must_use]
    pub fn crc(&self) -> u64 {
        // the polynomial AD93D23594C93659 with its bits in reverse
        const POLYNOMIAL: u64 = 0x9A6C_9329_AC4B_C9B5;
        let crc = (0..=u16::MAX)
            .flat_map(|unit| self.upcase(unit).to_le_bytes())
            .fold(!0_u64, |crc, byte| {
                (0..8).fold(crc ^ u64::from(byte), |crc, _| {
                    (crc >> 1) ^ (POLYNOMIAL & (crc & 1).wrapping_neg())
                })
            });
        !crc
    }

    /// The upper case of one unit.
    #[inline]
    #[must_use]
    pub fn upcase(&self, unit: u16) -> u16 {
        match &self.0 {
            Units::Windows => windows::upcase(unit),
            Units::Own(units) => units[unit as usize],
        }
    }

    /// A name in upper case.
    #[must_use]
    pub fn upcased(&self, name: &[u16]) -> Vec<u16> {
        name.iter().map(|&unit| self.upcase(unit)).collect()
    }

    /// Whether two names are the same but for case.
    #[must_use]
    pub fn same(&self, a: &[u16], b: &[u16]) -> bool {
        a.len() == b.len() && self.starts_with(a, b)
    }

    /// Whether a name begins with a prefix, whatever the case.
    #[must_use]
    pub fn starts_with(&self, name: &[u16], prefix: &[u16]) -> bool {
        match &self.0 {
            Units::Windows => starts_with(name, prefix, windows::upcase),
            Units::Own(units) => starts_with(name, prefix, |unit| units[unit as usize]),
        }
    }

    /// The order of names in a directory of NTFS (`COLLATION_FILE_NAME`): by units in upper case, the shorter first.
    ///
    /// `Equal` means the same but for case. Nothing but the units' numbers counts, so it is no order for readers of any
    /// language.
    #[must_use]
    pub fn collate(&self, a: &[u16], b: &[u16]) -> Ordering {
        match &self.0 {
            Units::Windows => collate(a, b, windows::upcase),
            Units::Own(units) => collate(a, b, |unit| units[unit as usize]),
        }
    }

    /// [`Self::collate`], and the raw units where only case differs: the order in directories that tell names apart by
    /// case, and of POSIX names. `Equal` means the very same name.
    #[must_use]
    pub fn collate_exact(&self, a: &[u16], b: &[u16]) -> Ordering {
        self.collate(a, b).then_with(|| a.cmp(b))
    }
}

#[inline]
fn starts_with(name: &[u16], prefix: &[u16], upcase: impl Fn(u16) -> u16) -> bool {
    name.len() >= prefix.len()
        && name
            .iter()
            .zip(prefix)
            .all(|(&x, &y)| x == y || upcase(x) == upcase(y))
}

#[inline]
fn collate(a: &[u16], b: &[u16], upcase: impl Fn(u16) -> u16) -> Ordering {
    for (&x, &y) in a.iter().zip(b) {
        if x != y {
            let (x, y) = (upcase(x), upcase(y));
            if x != y {
                return x.cmp(&y);
            }
        }
    }
    a.len().cmp(&b.len())
}

impl fmt::Debug for UpcaseTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Units::Windows => f.write_str("UpcaseTable(Windows)"),
            Units::Own(_) => write!(f, "UpcaseTable(crc {:016X})", self.crc()),
        }
    }
}
