//! The namespaces of $FILE_NAME.

use crate::short;

/// What a `$FILE_NAME` attribute's name is good for: its byte at 0x41.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Namespace {
    /// A name by itself. Every hard link made on Windows is of this kind, and so are long names on volumes without 8.3
    /// names.
    Posix = 0,
    /// A long name that has an 8.3 twin in the same directory.
    Win32 = 1,
    /// The 8.3 twin of a long name. No name of its own: it comes and goes with the long one.
    Dos = 2,
    /// A name that is its own 8.3 name.
    Win32AndDos = 3,
}

/// How a new name comes to be.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Made {
    /// With its file, or by a rename.
    ByCreateOrRename,
    /// As a further name of a file.
    ByLink,
}

impl Namespace {
    /// The namespace with this number.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Posix),
            1 => Some(Self::Win32),
            2 => Some(Self::Dos),
            3 => Some(Self::Win32AndDos),
            _ => None,
        }
    }

    /// Its number.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self as u8
    }

    /// Whether it counts as a name of the file, in `NumberOfLinks` and against the limit: all but 8.3 twins. The count
    /// in the file record has the twins too.
    #[must_use]
    pub const fn is_link(self) -> bool {
        !matches!(self, Self::Dos)
    }

    /// The namespace of a new name for which no 8.3 twin is made: 3 if it is an 8.3 name already, else 0; links always
    /// 0.
    ///
    /// So real Windows volumes have it, and chkdsk refuses the other choices: 3 on a name that is no 8.3 name, and 1
    /// without a twin.
    #[must_use]
    pub fn for_new(name: &[u16], made: Made) -> Self {
        match made {
            Made::ByCreateOrRename if short::is_short(name) => Self::Win32AndDos,
            _ => Self::Posix,
        }
    }
}
