//! What can go wrong: [`Fault`] from a file system, [`PathError`] with the paths it concerns.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

use polylink_nt::NtStatus;

use crate::name::shown;

/// What went wrong, in terms that every file system shares.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum FaultKind {
    /// No such name (ENOENT).
    NotFound,
    /// The name is taken (EEXIST).
    Exists,
    /// A directory where a file is needed (EISDIR).
    IsDirectory,
    /// Something else where a directory is needed (ENOTDIR).
    NotDirectory,
    /// The two names would lie on different file systems or mounts (EXDEV).
    CrossesVolumes,
    /// The file has as many names as it can have (EMLINK).
    TooManyLinks,
    /// Permission bits or an access list refuse it (EACCES).
    AccessDenied,
    /// Refused for another reason than permission bits: ownership, an immutable file, no hard links there (EPERM).
    NotPermitted,
    /// The file system can only be read (EROFS).
    ReadOnly,
    /// No space, inode or quota left (ENOSPC, EDQUOT).
    NoSpace,
    /// The name is longer than the file system allows (ENAMETOOLONG).
    NameTooLong,
    /// The name holds what this file system cannot store (EILSEQ, EINVAL).
    NameInvalid,
    /// The file system does not offer this (EOPNOTSUPP, ENOSYS).
    Unsupported,
    /// A symbolic link where none is followed (ELOOP).
    SymlinkMet,
    /// The directory is not empty (ENOTEMPTY).
    NotEmpty,
    /// Too many open files (EMFILE, ENFILE).
    TooManyOpen,
    /// Somebody else holds it (EBUSY, ETXTBSY, a sharing violation).
    Busy,
    /// The operation was interrupted (EINTR), or the model was told to stop here.
    Interrupted,
    /// The device failed (EIO).
    Io,
    /// The file or directory is gone although its handle is open (ESTALE).
    Stale,
    /// Anything else; the code tells.
    Other,
}

/// The number that the platform gave.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Code {
    /// A Unix error number.
    Errno(i32),
    /// A Windows error code.
    Win32(u32),
    /// An NT status.
    NtStatus(u32),
}

/// A file system's refusal: small, without paths. [`ResultExt::at`] adds them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fault {
    kind: FaultKind,
    code: Code,
    symbol: &'static str,
}

impl Fault {
    /// A fault with the platform's code and its symbolic name, such as `EXDEV`.
    #[must_use]
    pub const fn new(kind: FaultKind, code: Code, symbol: &'static str) -> Self {
        Self { kind, code, symbol }
    }

    /// The fault that Linux would report for this kind; for file systems that have no codes of their own.
    #[must_use]
    pub const fn of(kind: FaultKind) -> Self {
        let (errno, symbol) = match kind {
            FaultKind::NotFound => (2, "ENOENT"),
            FaultKind::Exists => (17, "EEXIST"),
            FaultKind::IsDirectory => (21, "EISDIR"),
            FaultKind::NotDirectory => (20, "ENOTDIR"),
            FaultKind::CrossesVolumes => (18, "EXDEV"),
            FaultKind::TooManyLinks => (31, "EMLINK"),
            FaultKind::AccessDenied => (13, "EACCES"),
            FaultKind::NotPermitted => (1, "EPERM"),
            FaultKind::ReadOnly => (30, "EROFS"),
            FaultKind::NoSpace => (28, "ENOSPC"),
            FaultKind::NameTooLong => (36, "ENAMETOOLONG"),
            FaultKind::NameInvalid => (84, "EILSEQ"),
            FaultKind::Unsupported => (95, "EOPNOTSUPP"),
            FaultKind::SymlinkMet => (40, "ELOOP"),
            FaultKind::NotEmpty => (39, "ENOTEMPTY"),
            FaultKind::TooManyOpen => (24, "EMFILE"),
            FaultKind::Busy => (16, "EBUSY"),
            FaultKind::Interrupted => (4, "EINTR"),
            FaultKind::Stale => (116, "ESTALE"),
            FaultKind::Io | FaultKind::Other => (5, "EIO"),
        };
        Self {
            kind,
            code: Code::Errno(errno),
            symbol,
        }
    }

    /// What went wrong.
    #[must_use]
    pub const fn kind(self) -> FaultKind {
        self.kind
    }

    /// The platform's number.
    #[must_use]
    pub const fn code(self) -> Code {
        self.code
    }

    /// The platform's name for the number, such as `EXDEV`; empty where it has none here.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        self.symbol
    }

    fn text(self) -> &'static str {
        match self.kind {
            FaultKind::NotFound => "there is no such name",
            FaultKind::Exists => "the name is taken",
            FaultKind::IsDirectory => "it is a directory",
            FaultKind::NotDirectory => "it is not a directory",
            FaultKind::CrossesVolumes => "a hard link cannot lead to another file system or mount",
            FaultKind::TooManyLinks => "the file already has as many names as it can have",
            FaultKind::AccessDenied => "permission denied",
            FaultKind::NotPermitted => "operation not permitted",
            FaultKind::ReadOnly => "the file system is read-only",
            FaultKind::NoSpace => "no space left on the file system",
            FaultKind::NameTooLong => "the name is too long",
            FaultKind::NameInvalid => "the file system cannot store this name",
            FaultKind::Unsupported => "the file system does not support this",
            FaultKind::SymlinkMet => "a symbolic link stands there, and is not followed",
            FaultKind::NotEmpty => "the directory is not empty",
            FaultKind::TooManyOpen => "too many open files",
            FaultKind::Busy => "it is in use",
            FaultKind::Interrupted => "interrupted",
            FaultKind::Io => "the device failed",
            FaultKind::Stale => "it vanished while it was open",
            FaultKind::Other => "the system refused",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.code {
            Code::NtStatus(code) if !self.symbol.is_empty() => NtStatus::new(code).text(),
            _ => self.text(),
        };
        match (self.symbol, self.code) {
            ("", Code::Errno(number)) => write!(f, "{text} (errno {number})"),
            ("", Code::Win32(number)) => write!(f, "{text} (Windows error {number})"),
            ("", Code::NtStatus(number)) => write!(f, "{text} (NTSTATUS 0x{number:08X})"),
            (symbol, Code::NtStatus(number)) => write!(f, "{text} ({symbol} 0x{number:08X})"),
            (symbol, _) => write!(f, "{text} ({symbol})"),
        }
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fault({:?}, {:?}, {})", self.kind, self.code, self.symbol)
    }
}

impl Error for Fault {}

/// The fault that carries a status of NT; Win32 code, errno and text follow from that.
impl From<NtStatus> for Fault {
    fn from(status: NtStatus) -> Self {
        use FaultKind as K;
        let kind = match status {
            NtStatus::OBJECT_NAME_NOT_FOUND | NtStatus::NO_SUCH_FILE | NtStatus::OBJECT_PATH_NOT_FOUND => {
                K::NotFound
            }
            NtStatus::OBJECT_NAME_COLLISION => K::Exists,
            NtStatus::FILE_IS_A_DIRECTORY => K::IsDirectory,
            NtStatus::NOT_A_DIRECTORY => K::NotDirectory,
            NtStatus::NOT_SAME_DEVICE => K::CrossesVolumes,
            NtStatus::TOO_MANY_LINKS => K::TooManyLinks,
            NtStatus::ACCESS_DENIED | NtStatus::CANNOT_DELETE => K::AccessDenied,
            NtStatus::PRIVILEGE_NOT_HELD => K::NotPermitted,
            NtStatus::MEDIA_WRITE_PROTECTED => K::ReadOnly,
            NtStatus::DISK_FULL => K::NoSpace,
            NtStatus::NAME_TOO_LONG => K::NameTooLong,
            NtStatus::OBJECT_NAME_INVALID
            | NtStatus::OBJECT_PATH_INVALID
            | NtStatus::OBJECT_PATH_SYNTAX_BAD => K::NameInvalid,
            NtStatus::NOT_SUPPORTED
            | NtStatus::NOT_IMPLEMENTED
            | NtStatus::INVALID_DEVICE_REQUEST
            | NtStatus::INVALID_INFO_CLASS => K::Unsupported,
            NtStatus::IO_REPARSE_TAG_NOT_HANDLED => K::SymlinkMet,
            NtStatus::DIRECTORY_NOT_EMPTY => K::NotEmpty,
            NtStatus::SHARING_VIOLATION | NtStatus::DELETE_PENDING | NtStatus::USER_MAPPED_FILE => K::Busy,
            NtStatus::FILE_CORRUPT_ERROR | NtStatus::DISK_CORRUPT_ERROR => K::Io,
            NtStatus::FILE_DELETED | NtStatus::FILE_CLOSED => K::Stale,
            _ => K::Other,
        };
        Self::new(kind, Code::NtStatus(status.code()), status.name().unwrap_or(""))
    }
}

impl From<FaultKind> for Fault {
    fn from(kind: FaultKind) -> Self {
        Self::of(kind)
    }
}

/// A [`Fault`] with what was tried and the paths it concerns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PathError {
    /// What was tried, as a verb: `link`, `read`, `rename`.
    pub action: &'static str,
    /// What it was tried on.
    pub path: PathBuf,
    /// The second path of operations that have two.
    pub to: Option<PathBuf>,
    /// Why it did not work.
    pub fault: Fault,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} '{}'", self.action, shown(&self.path))?;
        match &self.to {
            Some(to) => write!(f, " to '{}'", shown(to)),
            None => Ok(()),
        }
    }
}

impl Error for PathError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.fault)
    }
}

/// Adds paths to a [`Fault`].
pub trait ResultExt<T> {
    /// Says what was tried and on which path.
    ///
    /// # Errors
    ///
    /// The fault, with the path.
    fn at(self, action: &'static str, path: impl AsRef<Path>) -> Result<T, PathError>;

    /// Says what was tried and on which two paths.
    ///
    /// # Errors
    ///
    /// The fault, with both paths.
    fn between(
        self,
        action: &'static str,
        path: impl AsRef<Path>,
        to: impl AsRef<Path>,
    ) -> Result<T, PathError>;
}

impl<T> ResultExt<T> for Result<T, Fault> {
    fn at(self, action: &'static str, path: impl AsRef<Path>) -> Result<T, PathError> {
        self.map_err(|fault| PathError {
            action,
            path: path.as_ref().into(),
            to: None,
            fault,
        })
    }

    fn between(
        self,
        action: &'static str,
        path: impl AsRef<Path>,
        to: impl AsRef<Path>,
    ) -> Result<T, PathError> {
        self.map_err(|fault| PathError {
            action,
            path: path.as_ref().into(),
            to: Some(to.as_ref().into()),
            fault,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_of_nt_is_carried_with_its_name_code_and_text() {
        let fault = Fault::from(NtStatus::FILE_IS_A_DIRECTORY);
        assert_eq!(fault.kind(), FaultKind::IsDirectory);
        assert_eq!(
            fault.to_string(),
            "the file is a directory (STATUS_FILE_IS_A_DIRECTORY 0xC00000BA)"
        );
        let unknown = Fault::from(NtStatus::new(0xC000_0001));
        assert_eq!(unknown.to_string(), "the system refused (NTSTATUS 0xC0000001)");
    }

    #[test]
    fn an_error_names_both_paths_and_its_cause_the_code() {
        let error = Err::<(), _>(Fault::of(FaultKind::CrossesVolumes))
            .between("link", "/a\n", "/b")
            .unwrap_err();
        assert_eq!(error.to_string(), "cannot link '/a\\n' to '/b'");
        assert_eq!(
            error.source().unwrap().to_string(),
            "a hard link cannot lead to another file system or mount (EXDEV)"
        );
    }
}
