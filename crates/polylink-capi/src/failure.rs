//! Why a call did not do what it was asked to, in every form that C can ask for.

use polylink_core::{Code, Fault, FaultKind};
use polylink_nt::NtStatus;

use crate::status;

/// A refusal: the status where there is one, what follows from it, and a sentence for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Failure {
    /// `None` where the system gave a Win32 code only, which no status follows from.
    pub(crate) status: Option<NtStatus>,
    pub(crate) win32: u32,
    pub(crate) errno: i32,
    pub(crate) message: String,
}

impl Failure {
    /// NT's own answer to what `tried` says.
    pub(crate) fn of(status: NtStatus, tried: &str) -> Self {
        Self {
            status: Some(status),
            win32: status::win32(status),
            errno: status::errno(status),
            message: format!("{tried}: {}", status::reason(status)),
        }
    }

    /// What a file system answered to what `tried` says. The errno is the system's own.
    pub(crate) fn fault(fault: Fault, tried: &str) -> Self {
        Self::as_status(status_of(fault.kind()), fault, tried)
    }

    /// The same, where NT answers with another status for the same reason in this place.
    ///
    /// What the system said as a status or a Win32 code stays what it is.
    pub(crate) fn as_status(here: NtStatus, fault: Fault, tried: &str) -> Self {
        let message = format!("{tried}: {fault}");
        match fault.code() {
            Code::NtStatus(code) => Self {
                message,
                ..Self::of(NtStatus::new(code), "")
            },
            Code::Win32(win32) => Self {
                status: None,
                win32,
                message,
                ..Self::of(here, "")
            },
            Code::Errno(errno) => Self {
                errno,
                message,
                ..Self::of(here, "")
            },
            _ => Self {
                message,
                ..Self::of(here, "")
            },
        }
    }
}

/// The status that NT gives for the same reason as a file system's refusal.
///
/// | kind | status |
/// |---|---|
/// | `NotFound` | `OBJECT_NAME_NOT_FOUND`; of a directory on the way the caller says `OBJECT_PATH_NOT_FOUND` |
/// | `NotDirectory` | `OBJECT_PATH_NOT_FOUND` (\[MS-FSA\] 2.1.5.1: an intermediate that is no directory) |
/// | `AccessDenied`, `NotPermitted` | `ACCESS_DENIED`: NT tells rights and ownership not apart |
/// | `NameTooLong`, `NameInvalid` | `OBJECT_NAME_INVALID`; of a whole path the caller says `NAME_TOO_LONG` |
/// | `NoSpace` | `DISK_FULL`, also for quotas and inodes |
/// | `Busy` | `SHARING_VIOLATION` |
/// | `Stale` | `FILE_DELETED` |
/// | `Other` | `UNSUCCESSFUL`; the errno tells more |
///
/// The others have the status of their own name.
pub(crate) fn status_of(kind: FaultKind) -> NtStatus {
    match kind {
        FaultKind::NotFound => NtStatus::OBJECT_NAME_NOT_FOUND,
        FaultKind::Exists => NtStatus::OBJECT_NAME_COLLISION,
        FaultKind::IsDirectory => NtStatus::FILE_IS_A_DIRECTORY,
        FaultKind::NotDirectory => NtStatus::OBJECT_PATH_NOT_FOUND,
        FaultKind::CrossesVolumes => NtStatus::NOT_SAME_DEVICE,
        FaultKind::TooManyLinks => NtStatus::TOO_MANY_LINKS,
        FaultKind::AccessDenied | FaultKind::NotPermitted => NtStatus::ACCESS_DENIED,
        FaultKind::ReadOnly => NtStatus::MEDIA_WRITE_PROTECTED,
        FaultKind::NoSpace => NtStatus::DISK_FULL,
        FaultKind::NameTooLong | FaultKind::NameInvalid => NtStatus::OBJECT_NAME_INVALID,
        FaultKind::Unsupported => NtStatus::NOT_SUPPORTED,
        FaultKind::SymlinkMet => status::REPARSE_POINT_NOT_RESOLVED,
        FaultKind::NotEmpty => NtStatus::DIRECTORY_NOT_EMPTY,
        FaultKind::TooManyOpen => status::TOO_MANY_OPENED_FILES,
        FaultKind::Busy => NtStatus::SHARING_VIOLATION,
        FaultKind::Interrupted => status::CANCELLED,
        FaultKind::Io => status::IO_DEVICE_ERROR,
        FaultKind::Stale => NtStatus::FILE_DELETED,
        _ => status::UNSUCCESSFUL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_refusal_has_the_win32_code_of_its_reason() {
        use FaultKind as K;
        for (kind, win32) in [
            (K::NotFound, 2),
            (K::Exists, 183),
            (K::IsDirectory, 5),
            (K::NotDirectory, 3),
            (K::CrossesVolumes, 17),
            (K::TooManyLinks, 1142),
            (K::AccessDenied, 5),
            (K::NotPermitted, 5),
            (K::ReadOnly, 19),
            (K::NoSpace, 112),
            (K::NameTooLong, 123),
            (K::NameInvalid, 123),
            (K::Unsupported, 50),
            (K::SymlinkMet, 1921),
            (K::NotEmpty, 145),
            (K::TooManyOpen, 4),
            (K::Busy, 32),
            (K::Interrupted, 995),
            (K::Io, 1117),
            (K::Stale, 5),
            (K::Other, 31),
        ] {
            assert_eq!(status::win32(status_of(kind)), win32, "{kind:?}");
        }
    }

    #[test]
    fn the_errno_of_the_system_is_kept_and_the_status_is_that_of_the_place() {
        let fault = Fault::new(FaultKind::NameTooLong, Code::Errno(36), "ENAMETOOLONG");
        let failure = Failure::as_status(NtStatus::NAME_TOO_LONG, fault, "cannot link 'a'");
        assert_eq!(failure.status, Some(NtStatus::NAME_TOO_LONG));
        assert_eq!((failure.win32, failure.errno), (206, 36));
        assert_eq!(
            failure.message,
            "cannot link 'a': the name is too long (ENAMETOOLONG)"
        );
        assert_eq!(Failure::fault(fault, "").win32, 123);
    }

    #[test]
    fn what_the_system_said_as_a_status_or_a_win32_code_stays() {
        let fault = Fault::from(NtStatus::CANNOT_DELETE);
        let failure = Failure::as_status(NtStatus::OBJECT_PATH_NOT_FOUND, fault, "x");
        assert_eq!(
            (failure.status, failure.win32),
            (Some(NtStatus::CANNOT_DELETE), 5)
        );
        let fault = Fault::new(FaultKind::Busy, Code::Win32(33), "ERROR_LOCK_VIOLATION");
        let failure = Failure::fault(fault, "x");
        assert_eq!((failure.status, failure.win32), (None, 33));
        assert_eq!(failure.errno, crate::errno::number("EBUSY"));
    }
}
