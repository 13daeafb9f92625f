//! Statuses as errors of the standard library.

use std::io;

use super::{ErrorKind, NtStatus};

impl From<ErrorKind> for io::ErrorKind {
    /// [`ErrorKind::Uncategorized`] becomes `Other`, for the standard library keeps its own to itself.
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::AlreadyExists => Self::AlreadyExists,
            ErrorKind::TooManyLinks => Self::TooManyLinks,
            ErrorKind::PermissionDenied => Self::PermissionDenied,
            ErrorKind::CrossesDevices => Self::CrossesDevices,
            ErrorKind::InvalidFilename => Self::InvalidFilename,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::NotADirectory => Self::NotADirectory,
            ErrorKind::DirectoryNotEmpty => Self::DirectoryNotEmpty,
            ErrorKind::InvalidInput => Self::InvalidInput,
            ErrorKind::ReadOnlyFilesystem => Self::ReadOnlyFilesystem,
            ErrorKind::StorageFull => Self::StorageFull,
            ErrorKind::OutOfMemory => Self::OutOfMemory,
            ErrorKind::Uncategorized => Self::Other,
        }
    }
}

impl From<NtStatus> for io::Error {
    /// The status stays inside: `error.get_ref()` downcasts to it.
    fn from(status: NtStatus) -> Self {
        Self::new(status.kind().into(), status)
    }
}
