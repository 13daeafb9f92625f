//! The new name of a link or a rename, as the request has it.

use crate::NtStatus;
use crate::name::{self, Charset};

const BACKSLASH: u16 = b'\\' as u16;
const COLON: u16 = b':' as u16;

/// Whether the request has a handle in `RootDirectory`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Root {
    /// It has not.
    None,
    /// It has.
    Given,
}

/// From where the name leads.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reach {
    /// From the root of all names: it begins with `\`.
    Absolute,
    /// From the directory in `RootDirectory`.
    Rooted,
    /// From the directory of the name that the handle was opened by: a plain name.
    Beside,
}

/// `FileName` and `RootDirectory` of a request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct NewName<'a> {
    /// The whole name: UTF-16 units without a NUL.
    pub path: &'a [u16],
    /// Whether it is relative to a handle.
    pub root: Root,
}

impl<'a> NewName<'a> {
    /// As the request has it.
    #[must_use]
    pub const fn new(path: &'a [u16], root: Root) -> Self {
        Self { path, root }
    }

    /// From where it leads.
    #[must_use]
    pub fn reach(&self) -> Reach {
        match self.root {
            Root::Given => Reach::Rooted,
            Root::None if self.path.first() == Some(&BACKSLASH) => Reach::Absolute,
            Root::None => Reach::Beside,
        }
    }

    /// The path of the directory, without the `\` before the last component; empty for a plain name.
    #[must_use]
    pub fn directory(&self) -> &'a [u16] {
        self.split().0
    }

    /// The last component: the name that is to be.
    #[must_use]
    pub fn last(&self) -> &'a [u16] {
        self.split().1
    }

    fn split(&self) -> (&'a [u16], &'a [u16]) {
        match self.path.iter().rposition(|unit| *unit == BACKSLASH) {
            Some(at) => (&self.path[..at], &self.path[at + 1..]),
            None => (&[], self.path),
        }
    }

    /// A stream's new name, for a rename: it begins with a colon.
    pub(super) fn names_stream(&self) -> bool {
        self.path.first() == Some(&COLON)
    }

    /// A name without units (the length rules belong to the buffer, see [`crate::info::LinkInformation::decode`]).
    pub(super) fn is_there(&self) -> Result<(), NtStatus> {
        if self.path.is_empty() {
            Err(NtStatus::INVALID_PARAMETER)
        } else {
            Ok(())
        }
    }

    /// A name relative to a handle must be relative (\[MS-FSA\] 2.1.5.15.12; \[MS-FSCC\] 2.4.28 lists the status for a
    /// link without saying when. Chosen: the same for both).
    pub(super) fn fits_root(&self) -> Result<(), NtStatus> {
        if self.root == Root::Given && self.path.first() == Some(&BACKSLASH) {
            Err(NtStatus::INVALID_PARAMETER)
        } else {
            Ok(())
        }
    }

    /// Whether a name like the last component can exist. Components before it were judged when they were looked up.
    pub(super) fn is_valid(&self) -> Result<(), NtStatus> {
        Ok(name::check(self.last(), Charset::Win32)?)
    }

    /// A plain name has one component.
    pub(super) fn is_plain(&self) -> Result<(), NtStatus> {
        if self.path.contains(&BACKSLASH) {
            Err(NtStatus::OBJECT_NAME_INVALID)
        } else {
            Ok(())
        }
    }
}
