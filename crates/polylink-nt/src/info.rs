//! The structures behind `NtSetInformationFile` and `NtQueryInformationFile` that hard links need, as bytes.
//!
//! * [`LinkInformation`]: one structure for a link and for a rename, as it is in NT, in the classic and the extended
//!   form.
//! * [`DispositionInformation`]: delete, or do not.
//! * [`LinksInformation`]: every name of a file.
//! * [`StandardLinkInformation`]: how many there are.
//!
//! A link or a rename holds a handle, so its [`Layout`] follows the width of pointers. The other three are the same in
//! both. All are little-endian.
//!
//! What is decoded may come from anybody: bytes give a value or a status, never a panic.
//!
//! ```
//! use polylink_nt::info::{Form, Layout, LinkFlags, LinkInformation};
//! use polylink_nt::NtStatus;
//!
//! let request = LinkInformation {
//!     flags: LinkFlags::REPLACE_IF_EXISTS,
//!     root: None,
//!     name: "n".encode_utf16().collect(),
//! };
//! let bytes = request.encode(Layout::Bits64, Form::Classic)?;
//! assert_eq!(bytes.len(), 24); // 22 would do, but NT wants the whole structure
//! assert_eq!(LinkInformation::decode(&bytes, Layout::Bits64, Form::Classic), Ok(request));
//! let short = LinkInformation::decode(&bytes[..22], Layout::Bits64, Form::Classic);
//! assert_eq!(short, Err(NtStatus::INFO_LENGTH_MISMATCH));
//! # Ok::<(), polylink_nt::info::EncodeError>(())
//! ```

use core::fmt;

use crate::NtStatus;

mod bytes;
mod class;
mod disposition;
mod link;
mod links;

pub use class::{Direction, InfoClass};
pub use disposition::{DispositionFlags, DispositionInformation};
pub use link::{LinkFlags, LinkInformation};
pub use links::{LinkEntry, LinksError, LinksInformation, LinksReply, StandardLinkInformation};

/// How wide handles are, and so where the fields behind them lie.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Layout {
    /// 32-bit programs, and SMB 1: the first form of \[MS-FSCC\] FileLinkInformation.
    Bits32,
    /// 64-bit programs, and SMB 2: the second form.
    Bits64,
}

impl Layout {
    /// That of the program that this is compiled into.
    pub const NATIVE: Self = if cfg!(target_pointer_width = "64") {
        Self::Bits64
    } else {
        Self::Bits32
    };
}

/// The two forms of a request to set information.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Form {
    /// As NT always had it: one BOOLEAN.
    Classic,
    /// Flags, since Windows 10 (`FileLinkInformationEx` and its like).
    Extended,
}

/// Why a value has no bytes in the wanted layout and form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum EncodeError {
    /// The name has no units.
    EmptyName,
    /// The name has too many units for its length field.
    NameTooLong {
        /// How many it has.
        units: usize,
    },
    /// The handle of the root directory does not fit into 32 bits.
    HandleTooWide {
        /// The handle.
        handle: u64,
    },
    /// The classic form has no place for these flags.
    FlagsNeedExtended {
        /// The flags, as in the extended form.
        flags: u32,
    },
    /// The buffer cannot take the structure.
    BufferTooSmall {
        /// Bytes that are needed.
        needed: usize,
    },
}

impl EncodeError {
    /// The status that NT would have for such a request.
    #[must_use]
    pub fn status(self) -> NtStatus {
        match self {
            Self::EmptyName | Self::NameTooLong { .. } | Self::HandleTooWide { .. } => {
                NtStatus::INVALID_PARAMETER
            }
            Self::FlagsNeedExtended { .. } => NtStatus::NOT_SUPPORTED,
            Self::BufferTooSmall { .. } => NtStatus::BUFFER_TOO_SMALL,
        }
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyName => f.write_str("the name is empty"),
            Self::NameTooLong { units } => write!(f, "a name of {units} units does not fit into a request"),
            Self::HandleTooWide { handle } => {
                write!(
                    f,
                    "the directory's handle {handle:#x} does not fit into the 32-bit layout"
                )
            }
            Self::FlagsNeedExtended { flags } => {
                write!(f, "the flags {flags:#x} exist in the extended form only")
            }
            Self::BufferTooSmall { needed } => {
                write!(f, "the buffer is too small: {needed} bytes are needed")
            }
        }
    }
}

impl core::error::Error for EncodeError {}
