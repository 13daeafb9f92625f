//! DeleteFile.

use super::path::{LongPaths, convertible, trailing_backslash};
use crate::NtStatus;
use crate::decide::{Access, DispositionRequest, OpenOptions, OpenRequest, Share};
use crate::info::{DispositionFlags, Form};

/// What a call of DeleteFile does: open `path` by `open`, set the disposition `first`, and close. Where `first` is
/// refused in a way that [`Self::falls_back`] knows, `fallback` is set instead.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DeletePlan<'a> {
    /// The name to delete.
    pub path: &'a [u16],
    /// How to open it.
    pub open: OpenRequest,
    /// POSIX semantics, so that the name is free when the call returns, whoever has the file open.
    pub first: DispositionRequest,
    /// What older systems and other file systems know.
    pub fallback: DispositionRequest,
}

impl DeletePlan<'_> {
    /// Whether the status says that the system or the file system has no POSIX semantics.
    #[must_use]
    pub fn falls_back(&self, status: NtStatus) -> bool {
        matches!(
            status,
            NtStatus::INVALID_INFO_CLASS
                | NtStatus::NOT_SUPPORTED
                | NtStatus::NOT_IMPLEMENTED
                | NtStatus::INVALID_PARAMETER
        )
    }
}

/// Judges the argument of DeleteFile and says what to do (Windows API, `DeleteFileW`). `None` is NULL.
///
/// A directory is refused by the open (`FILE_IS_A_DIRECTORY`), a symbolic link goes itself, and a read-only file is
/// refused by the disposition (`CANNOT_DELETE`): all three are "access denied" to Win32.
///
/// # Errors
///
/// `OBJECT_PATH_NOT_FOUND`: NT's form cannot be made of the path.
pub fn delete_file(path: Option<&[u16]>, long_paths: LongPaths) -> Result<DeletePlan<'_>, NtStatus> {
    let path = convertible(path, long_paths)?;
    let options = OpenOptions::NON_DIRECTORY_FILE
        | OpenOptions::OPEN_FOR_BACKUP_INTENT
        | OpenOptions::OPEN_REPARSE_POINT;
    Ok(DeletePlan {
        path,
        open: OpenRequest {
            trailing_backslash: trailing_backslash(path),
            ..OpenRequest::new(Access::DELETE | Access::READ_ATTRIBUTES, Share::all(), options)
        },
        first: DispositionRequest {
            form: Form::Extended,
            flags: DispositionFlags::DELETE | DispositionFlags::POSIX_SEMANTICS,
        },
        fallback: DispositionRequest {
            form: Form::Classic,
            flags: DispositionFlags::DELETE,
        },
    })
}
