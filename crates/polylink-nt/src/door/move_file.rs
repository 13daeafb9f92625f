//! MoveFileEx.

use bitflags::bitflags;

use super::path::{LongPaths, PathKind, convertible, is_device, path_kind, trailing_backslash};
use crate::NtStatus;
use crate::decide::{Access, OpenOptions, OpenRequest, Share};
use crate::info::{InfoClass, LinkFlags};

bitflags! {
    /// `dwFlags` of MoveFileEx (Windows API, `MoveFileExW`). Other bits decide nothing.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct MoveFlags: u32 {
        /// A file that has the new name is replaced.
        const REPLACE_EXISTING = 0x1;
        /// To another volume the file is copied, then deleted.
        const COPY_ALLOWED = 0x2;
        /// It is done when the system starts next time.
        const DELAY_UNTIL_REBOOT = 0x4;
        /// The call returns when it is on the disk.
        const WRITE_THROUGH = 0x8;
        /// A hard link instead of a move. "Reserved for future use", says its page.
        const CREATE_HARDLINK = 0x10;
        /// Fails where links to the file could not be tracked afterwards.
        const FAIL_IF_NOT_TRACKABLE = 0x20;

        /// What MoveFile passes.
        const MOVE_FILE = Self::COPY_ALLOWED.bits();
    }
}

/// The arguments of `MoveFileExW`. Paths are without the NUL at their ends; `None` is NULL.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct MoveArgs<'a> {
    /// `lpExistingFileName`: a name that the file has.
    pub existing: Option<&'a [u16]>,
    /// `lpNewFileName`: the name that it is to have. NULL to delete it at the next start.
    pub new: Option<&'a [u16]>,
    /// `dwFlags`.
    pub flags: MoveFlags,
    /// How long paths may be.
    pub long_paths: LongPaths,
}

/// What to do where the new name is on another volume.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OtherVolume {
    /// Fail with `NOT_SAME_DEVICE`.
    Refuse,
    /// Copy the file there, then delete it here.
    CopyThenDelete,
}

/// What a call of MoveFileEx does at once: open `existing` by `open`, then set `class` with `flags` and the name `new`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MoveNow<'a> {
    /// The file to open.
    pub existing: &'a [u16],
    /// How to open it.
    pub open: OpenRequest,
    /// The name to give it.
    pub new: &'a [u16],
    /// [`InfoClass::Rename`], or [`InfoClass::Link`] for `CREATE_HARDLINK`: one structure for both.
    pub class: InfoClass,
    /// Whether it replaces.
    pub flags: LinkFlags,
    /// What to do where setting it answers `NOT_SAME_DEVICE`.
    pub other_volume: OtherVolume,
}

/// What comes after the step that sets the name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AfterMove {
    /// Nothing, the call ends with this status.
    Return(NtStatus),
    /// Copying to the other volume, then deleting here.
    CopyThenDelete,
}

impl MoveNow<'_> {
    /// What comes after the status that setting the name ended in.
    #[must_use]
    pub fn after(&self, status: NtStatus) -> AfterMove {
        match (status, self.other_volume) {
            (NtStatus::NOT_SAME_DEVICE, OtherVolume::CopyThenDelete) => AfterMove::CopyThenDelete,
            _ => AfterMove::Return(status),
        }
    }
}

/// What a call of MoveFileEx leaves for the next start: open `existing` by `open`, then note both names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct AtReboot<'a> {
    /// The file to open, to see whether it is there.
    pub existing: &'a [u16],
    /// How to open it.
    pub open: OpenRequest,
    /// The name to give it; `None`: it is to be deleted.
    pub new: Option<&'a [u16]>,
    /// Whether a file that has the new name then is replaced.
    pub flags: LinkFlags,
}

impl AtReboot<'_> {
    /// Whether the names are noted although the open failed: the file may be in use now, or not be there yet.
    #[must_use]
    pub fn tolerates(&self, status: NtStatus) -> bool {
        matches!(
            status,
            NtStatus::SHARING_VIOLATION | NtStatus::OBJECT_NAME_NOT_FOUND | NtStatus::OBJECT_PATH_NOT_FOUND
        )
    }
}

/// What a call of MoveFileEx does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MovePlan<'a> {
    /// The file is moved or linked at once.
    Now(MoveNow<'a>),
    /// It is moved or deleted at the next start.
    AtReboot(AtReboot<'a>),
}

/// Judges the arguments of MoveFileEx and says what to do (Windows API, `MoveFileExW`; the public reimplementations).
///
/// The file is opened with `DELETE`, for a link as for a move; so whoever has it open and does not share deleting is in
/// the way of both.
///
/// # Errors
///
/// In this order:
///
/// 1. `OBJECT_NAME_COLLISION`: the new name is a device
/// 2. `OBJECT_PATH_NOT_FOUND`: NT's form cannot be made of the existing name
/// 3. `INVALID_PARAMETER`: `DELAY_UNTIL_REBOOT` with `CREATE_HARDLINK` or `COPY_ALLOWED`, or for a file of a server
/// 4. `OBJECT_PATH_NOT_FOUND`: NT's form cannot be made of the new name, which may be NULL only with
///    `DELAY_UNTIL_REBOOT`
pub fn move_file_ex<'a>(args: &MoveArgs<'a>) -> Result<MovePlan<'a>, NtStatus> {
    let flags = args.flags;
    if args.new.is_some_and(is_device) {
        return Err(NtStatus::OBJECT_NAME_COLLISION);
    }
    let existing = convertible(args.existing, args.long_paths)?;
    let delayed = flags.contains(MoveFlags::DELAY_UNTIL_REBOOT);
    let not_delayed = MoveFlags::CREATE_HARDLINK | MoveFlags::COPY_ALLOWED;
    if delayed && (flags.intersects(not_delayed) || path_kind(existing) == PathKind::Unc) {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let mut options = OpenOptions::SYNCHRONOUS_IO_NONALERT
        | OpenOptions::OPEN_FOR_BACKUP_INTENT
        | OpenOptions::OPEN_REPARSE_POINT;
    if flags.contains(MoveFlags::WRITE_THROUGH) {
        options |= OpenOptions::WRITE_THROUGH;
    }
    let access = Access::READ_ATTRIBUTES | Access::DELETE | Access::SYNCHRONIZE;
    let open = OpenRequest {
        trailing_backslash: trailing_backslash(existing),
        ..OpenRequest::new(access, Share::all(), options)
    };
    let replace = if flags.contains(MoveFlags::REPLACE_EXISTING) {
        LinkFlags::REPLACE_IF_EXISTS
    } else {
        LinkFlags::empty()
    };
    if delayed {
        let new = match args.new {
            Some(_) => Some(convertible(args.new, args.long_paths)?),
            None => None,
        };
        return Ok(MovePlan::AtReboot(AtReboot {
            existing,
            open,
            new,
            flags: replace,
        }));
    }
    let links = flags.contains(MoveFlags::CREATE_HARDLINK);
    let copies = flags.contains(MoveFlags::COPY_ALLOWED) && !links;
    Ok(MovePlan::Now(MoveNow {
        existing,
        open,
        new: convertible(args.new, args.long_paths)?,
        class: if links { InfoClass::Link } else { InfoClass::Rename },
        flags: replace,
        other_volume: if copies {
            OtherVolume::CopyThenDelete
        } else {
            OtherVolume::Refuse
        },
    }))
}
