//! The numbers by which the structures are asked for.

use core::fmt;

use super::Form;
use crate::NtStatus;

/// A `FILE_INFORMATION_CLASS` that has to do with names (\[MS-FSCC\] 2.4; 64, 65 and 72 are in `wdm.h`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u32)]
#[non_exhaustive]
pub enum InfoClass {
    /// `FileRenameInformation`: [`super::LinkInformation`], classic.
    Rename = 10,
    /// `FileLinkInformation`: [`super::LinkInformation`], classic.
    Link = 11,
    /// `FileDispositionInformation`: [`super::DispositionInformation`], classic.
    Disposition = 13,
    /// `FileHardLinkInformation`: [`super::LinksInformation`].
    HardLink = 46,
    /// `FileStandardLinkInformation`: [`super::StandardLinkInformation`].
    StandardLink = 54,
    /// `FileDispositionInformationEx`: [`super::DispositionInformation`], extended.
    DispositionEx = 64,
    /// `FileRenameInformationEx`: [`super::LinkInformation`], extended.
    RenameEx = 65,
    /// `FileLinkInformationEx`: [`super::LinkInformation`], extended.
    LinkEx = 72,
}

/// What a caller wants to do with an information class.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Direction {
    /// `NtQueryInformationFile`.
    Query,
    /// `NtSetInformationFile`.
    Set,
}

impl InfoClass {
    /// All of them, by number.
    pub const ALL: &'static [Self] = &[
        Self::Rename,
        Self::Link,
        Self::Disposition,
        Self::HardLink,
        Self::StandardLink,
        Self::DispositionEx,
        Self::RenameEx,
        Self::LinkEx,
    ];

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// The class with this number, in this direction.
    ///
    /// # Errors
    ///
    /// `INVALID_INFO_CLASS` for a number that is none of these, and for one that goes the other way (on Windows so
    /// observed for querying the disposition; for the others by analogy).
    pub fn from_number(number: u32, direction: Direction) -> Result<Self, NtStatus> {
        let class = Self::ALL.iter().find(|class| class.number() == number);
        match class {
            Some(class) if class.direction() == direction => Ok(*class),
            _ => Err(NtStatus::INVALID_INFO_CLASS),
        }
    }

    /// The only direction that it goes.
    #[must_use]
    pub const fn direction(self) -> Direction {
        match self {
            Self::HardLink | Self::StandardLink => Direction::Query,
            _ => Direction::Set,
        }
    }

    /// The form of its structure; `None` where there is but one.
    #[must_use]
    pub const fn form(self) -> Option<Form> {
        match self {
            Self::Rename | Self::Link | Self::Disposition => Some(Form::Classic),
            Self::RenameEx | Self::LinkEx | Self::DispositionEx => Some(Form::Extended),
            Self::HardLink | Self::StandardLink => None,
        }
    }

    /// Its name in Windows' headers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rename => "FileRenameInformation",
            Self::Link => "FileLinkInformation",
            Self::Disposition => "FileDispositionInformation",
            Self::HardLink => "FileHardLinkInformation",
            Self::StandardLink => "FileStandardLinkInformation",
            Self::DispositionEx => "FileDispositionInformationEx",
            Self::RenameEx => "FileRenameInformationEx",
            Self::LinkEx => "FileLinkInformationEx",
        }
    }
}

impl fmt::Display for InfoClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.number())
    }
}
