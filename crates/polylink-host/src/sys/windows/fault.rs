//! Win32's codes as faults. A native call gives an NTSTATUS, which carries more: see `Fault::from`.

use polylink_core::{Code, Fault, FaultKind};
use polylink_nt::NtStatus;

use super::call;

/// The fault for a code of Win32 (\[MS-ERREF\] 2.2).
pub(crate) fn win32(code: u32) -> Fault {
    use FaultKind as K;
    let (kind, symbol) = match code {
        1 => (K::Unsupported, "ERROR_INVALID_FUNCTION"),
        2 => (K::NotFound, "ERROR_FILE_NOT_FOUND"),
        3 => (K::NotFound, "ERROR_PATH_NOT_FOUND"),
        4 => (K::TooManyOpen, "ERROR_TOO_MANY_OPEN_FILES"),
        5 => (K::AccessDenied, "ERROR_ACCESS_DENIED"),
        6 => (K::Other, "ERROR_INVALID_HANDLE"),
        8 => (K::Other, "ERROR_NOT_ENOUGH_MEMORY"),
        15 => (K::NotFound, "ERROR_INVALID_DRIVE"),
        17 => (K::CrossesVolumes, "ERROR_NOT_SAME_DEVICE"),
        18 => (K::NotFound, "ERROR_NO_MORE_FILES"),
        19 => (K::ReadOnly, "ERROR_WRITE_PROTECT"),
        21 => (K::Io, "ERROR_NOT_READY"),
        23 => (K::Io, "ERROR_CRC"),
        24 => (K::Other, "ERROR_BAD_LENGTH"),
        32 => (K::Busy, "ERROR_SHARING_VIOLATION"),
        33 => (K::Busy, "ERROR_LOCK_VIOLATION"),
        38 => (K::Other, "ERROR_HANDLE_EOF"),
        39 => (K::NoSpace, "ERROR_HANDLE_DISK_FULL"),
        50 => (K::Unsupported, "ERROR_NOT_SUPPORTED"),
        53 => (K::NotFound, "ERROR_BAD_NETPATH"),
        65 => (K::AccessDenied, "ERROR_NETWORK_ACCESS_DENIED"),
        67 => (K::NotFound, "ERROR_BAD_NET_NAME"),
        80 => (K::Exists, "ERROR_FILE_EXISTS"),
        87 => (K::Other, "ERROR_INVALID_PARAMETER"),
        112 => (K::NoSpace, "ERROR_DISK_FULL"),
        120 => (K::Unsupported, "ERROR_CALL_NOT_IMPLEMENTED"),
        122 => (K::Other, "ERROR_INSUFFICIENT_BUFFER"),
        123 => (K::NameInvalid, "ERROR_INVALID_NAME"),
        145 => (K::NotEmpty, "ERROR_DIR_NOT_EMPTY"),
        161 => (K::NameInvalid, "ERROR_BAD_PATHNAME"),
        170 => (K::Busy, "ERROR_BUSY"),
        183 => (K::Exists, "ERROR_ALREADY_EXISTS"),
        206 => (K::NameTooLong, "ERROR_FILENAME_EXCED_RANGE"),
        234 => (K::Other, "ERROR_MORE_DATA"),
        267 => (K::NotDirectory, "ERROR_DIRECTORY"),
        303 => (K::Busy, "ERROR_DELETE_PENDING"),
        336 => (K::IsDirectory, "ERROR_DIRECTORY_NOT_SUPPORTED"),
        681 => (K::SymlinkMet, "ERROR_STOPPED_ON_SYMLINK"),
        1117 => (K::Io, "ERROR_IO_DEVICE"),
        1142 => (K::TooManyLinks, "ERROR_TOO_MANY_LINKS"),
        1224 => (K::Busy, "ERROR_USER_MAPPED_FILE"),
        1295 => (K::NoSpace, "ERROR_DISK_QUOTA_EXCEEDED"),
        1314 => (K::NotPermitted, "ERROR_PRIVILEGE_NOT_HELD"),
        1392 => (K::Io, "ERROR_FILE_CORRUPT"),
        1393 => (K::Io, "ERROR_DISK_CORRUPT"),
        1450 => (K::Other, "ERROR_NO_SYSTEM_RESOURCES"),
        1920 => (K::SymlinkMet, "ERROR_CANT_ACCESS_FILE"),
        1921 => (K::SymlinkMet, "ERROR_CANT_RESOLVE_FILENAME"),
        4390 => (K::Other, "ERROR_NOT_A_REPARSE_POINT"),
        _ => (K::Other, ""),
    };
    Fault::new(kind, Code::Win32(code), symbol)
}

/// Gives a status that polylink has no name for the kind of its Win32 code: there are thousands of statuses, which Windows
/// itself sorts into few codes.
pub(crate) fn sorted(fault: Fault) -> Fault {
    match fault.code() {
        Code::NtStatus(status) if fault.symbol().is_empty() => {
            let code = call::win32_of(NtStatus::new(status));
            Fault::new(win32(code).kind(), fault.code(), "")
        }
        _ => fault,
    }
}

/// A symbolic link or junction where none is followed.
pub(super) fn symlink_met() -> Fault {
    win32(681)
}

/// Whether the status says that the system or the file system knows no such class of information, so that an older
/// one may do: no two file systems say it in the same way.
pub(super) fn lacks_class(status: NtStatus) -> bool {
    matches!(
        status,
        NtStatus::INVALID_INFO_CLASS
            | NtStatus::INVALID_PARAMETER
            | NtStatus::INVALID_DEVICE_REQUEST
            | NtStatus::NOT_IMPLEMENTED
            | NtStatus::NOT_SUPPORTED
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_without_a_name_has_the_kind_of_its_code() {
        let bad_network_path = NtStatus::new(0xC000_00BE);
        let fault = sorted(bad_network_path.into());
        assert_eq!(fault.kind(), FaultKind::NotFound);
        assert_eq!(fault.code(), Code::NtStatus(0xC000_00BE));
        assert_eq!(fault.to_string(), "there is no such name (NTSTATUS 0xC00000BE)");
        let known = Fault::from(NtStatus::TOO_MANY_LINKS);
        assert_eq!(sorted(known), known);
        assert_eq!(sorted(win32(5)), win32(5));
    }

    #[test]
    fn codes_that_an_operation_can_meet_have_a_kind_and_a_symbol() {
        for (code, kind) in [
            (2, FaultKind::NotFound),
            (5, FaultKind::AccessDenied),
            (17, FaultKind::CrossesVolumes),
            (32, FaultKind::Busy),
            (183, FaultKind::Exists),
            (1142, FaultKind::TooManyLinks),
        ] {
            assert_eq!(win32(code).kind(), kind);
            assert!(win32(code).symbol().starts_with("ERROR_"));
        }
        assert_eq!(win32(99_999).symbol(), "");
    }

    #[test]
    fn every_status_with_a_name_has_the_code_that_windows_gives_it() {
        for &status in NtStatus::ALL {
            assert_eq!(status.win32(), call::win32_of(status), "{status:?}");
        }
    }
}
