//! CreateHardLink.

use super::path::{LongPaths, convertible, is_device, trailing_backslash};
use crate::NtStatus;
use crate::decide::{Access, OpenOptions, OpenRequest, Share};
use crate::info::{InfoClass, LinkFlags};

/// What is passed as `lpSecurityAttributes`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum SecurityAttributes {
    /// NULL, as it must be.
    #[default]
    Null,
    /// Something else.
    Given,
}

/// The arguments of `CreateHardLinkW`. Paths are without the NUL at their ends; `None` is NULL.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct HardLinkArgs<'a> {
    /// `lpFileName`: the new name.
    pub new: Option<&'a [u16]>,
    /// `lpExistingFileName`: a name that the file has.
    pub existing: Option<&'a [u16]>,
    /// `lpSecurityAttributes`.
    pub security: SecurityAttributes,
    /// How long paths may be.
    pub long_paths: LongPaths,
}

impl<'a> HardLinkArgs<'a> {
    /// The two names, with NULL for the rest.
    #[must_use]
    pub const fn new(new: Option<&'a [u16]>, existing: Option<&'a [u16]>) -> Self {
        Self {
            new,
            existing,
            security: SecurityAttributes::Null,
            long_paths: LongPaths::Verbatim,
        }
    }
}

/// What a call of CreateHardLink does: open `existing` by `open`, then set `class` with `flags` and the name `new`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct HardLinkPlan<'a> {
    /// The file to open.
    pub existing: &'a [u16],
    /// How to open it.
    pub open: OpenRequest,
    /// The name to give it.
    pub new: &'a [u16],
    /// [`InfoClass::Link`].
    pub class: InfoClass,
    /// None: it never replaces.
    pub flags: LinkFlags,
}

/// Judges the arguments of CreateHardLink and says what to do (Windows API, `CreateHardLinkW`).
///
/// The file is opened with `FILE_WRITE_ATTRIBUTES`, as observed on Windows; so share modes are never in the way, and a
/// caller without that right has `ACCESS_DENIED`. A symbolic link is linked itself. A directory can be opened this way,
/// and is refused by the file system.
///
/// # Errors
///
/// In this order: `INVALID_PARAMETER` for a NULL name or security attributes; `OBJECT_PATH_NOT_FOUND` for a path of
/// which NT's form cannot be made; `NOT_SAME_DEVICE` for a new name that is a device (chosen: it is not on the volume).
pub fn create_hard_link<'a>(args: &HardLinkArgs<'a>) -> Result<HardLinkPlan<'a>, NtStatus> {
    let (Some(_), Some(_), SecurityAttributes::Null) = (args.new, args.existing, args.security) else {
        return Err(NtStatus::INVALID_PARAMETER);
    };
    let existing = convertible(args.existing, args.long_paths)?;
    let new = convertible(args.new, args.long_paths)?;
    if is_device(new) {
        return Err(NtStatus::NOT_SAME_DEVICE);
    }
    let access = Access::WRITE_ATTRIBUTES | Access::SYNCHRONIZE;
    let options = OpenOptions::SYNCHRONOUS_IO_NONALERT | OpenOptions::OPEN_REPARSE_POINT;
    Ok(HardLinkPlan {
        existing,
        open: OpenRequest {
            trailing_backslash: trailing_backslash(existing),
            ..OpenRequest::new(access, Share::all(), options)
        },
        new,
        class: InfoClass::Link,
        flags: LinkFlags::empty(),
    })
}
