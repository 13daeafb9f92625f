//! Statuses and what follows from them: each row of the map from NTSTATUS to Win32 to Unix is a test.

use polylink_nt::ErrorKind::*;
use polylink_nt::{Errno, ErrorKind, NtStatus, win32_name};

/// A status by its code, as the public documents have it: \[MS-ERREF\] 2.3 for codes and names, Wine's tests on Windows
/// for the Win32 code, Linux' SMB client for the error of Unix, Rust's standard library for the class.
struct Row {
    name: &'static str,
    code: u32,
    win32: u32,
    win32_name: &'static str,
    errno: Option<(&'static str, i32)>,
    kind: ErrorKind,
}

fn check(row: &Row) {
    let status = NtStatus::new(row.code);
    assert_eq!(status.name(), Some(row.name));
    assert_eq!(status.win32(), row.win32);
    assert_eq!(status.win32_name(), Some(row.win32_name));
    assert_eq!(
        status.errno().map(|Errno { symbol, linux }| (symbol, linux)),
        row.errno
    );
    assert_eq!(status.kind(), row.kind);
    assert!(!status.is_success());
    assert!(
        status
            .to_string()
            .contains(&format!("({} 0x{:08X})", row.name, row.code))
    );
}

macro_rules! rows {
    ($($test:ident $code:literal $name:literal $win32:literal $win32_name:literal $errno:expr, $kind:ident;)+) => {
        $(#[test]
        fn $test() {
            check(&Row {
                name: $name,
                code: $code,
                win32: $win32,
                win32_name: $win32_name,
                errno: $errno,
                kind: $kind,
            });
        })+

        #[test]
        fn every_status_with_a_name_has_its_row_here() {
            let rows = [$($code),+];
            for status in NtStatus::ALL {
                assert!(rows.contains(&status.code()), "{status:?}");
            }
            assert_eq!(NtStatus::ALL.len(), rows.len());
        }
    };
}

rows! {
    object_name_collision 0xC000_0035 "STATUS_OBJECT_NAME_COLLISION" 183 "ERROR_ALREADY_EXISTS" Some(("EEXIST", 17)), AlreadyExists;
    too_many_links 0xC000_0265 "STATUS_TOO_MANY_LINKS" 1142 "ERROR_TOO_MANY_LINKS" Some(("EMLINK", 31)), TooManyLinks;
    file_is_a_directory 0xC000_00BA "STATUS_FILE_IS_A_DIRECTORY" 5 "ERROR_ACCESS_DENIED" Some(("EISDIR", 21)), PermissionDenied;
    not_same_device 0xC000_00D4 "STATUS_NOT_SAME_DEVICE" 17 "ERROR_NOT_SAME_DEVICE" Some(("EXDEV", 18)), CrossesDevices;
    access_denied 0xC000_0022 "STATUS_ACCESS_DENIED" 5 "ERROR_ACCESS_DENIED" Some(("EACCES", 13)), PermissionDenied;
    cannot_delete 0xC000_0121 "STATUS_CANNOT_DELETE" 5 "ERROR_ACCESS_DENIED" Some(("EACCES", 13)), PermissionDenied;
    delete_pending 0xC000_0056 "STATUS_DELETE_PENDING" 5 "ERROR_ACCESS_DENIED" Some(("ENOENT", 2)), PermissionDenied;
    file_deleted 0xC000_0123 "STATUS_FILE_DELETED" 5 "ERROR_ACCESS_DENIED" Some(("EIO", 5)), PermissionDenied;
    sharing_violation 0xC000_0043 "STATUS_SHARING_VIOLATION" 32 "ERROR_SHARING_VIOLATION" Some(("EBUSY", 16)), Uncategorized;
    object_name_invalid 0xC000_0033 "STATUS_OBJECT_NAME_INVALID" 123 "ERROR_INVALID_NAME" Some(("ENOENT", 2)), InvalidFilename;
    object_name_not_found 0xC000_0034 "STATUS_OBJECT_NAME_NOT_FOUND" 2 "ERROR_FILE_NOT_FOUND" Some(("ENOENT", 2)), NotFound;
    no_such_file 0xC000_000F "STATUS_NO_SUCH_FILE" 2 "ERROR_FILE_NOT_FOUND" Some(("ENOENT", 2)), NotFound;
    object_path_not_found 0xC000_003A "STATUS_OBJECT_PATH_NOT_FOUND" 3 "ERROR_PATH_NOT_FOUND" Some(("ENOENT", 2)), NotFound;
    object_path_invalid 0xC000_0039 "STATUS_OBJECT_PATH_INVALID" 161 "ERROR_BAD_PATHNAME" Some(("ENOTDIR", 20)), InvalidFilename;
    object_path_syntax_bad 0xC000_003B "STATUS_OBJECT_PATH_SYNTAX_BAD" 161 "ERROR_BAD_PATHNAME" Some(("EIO", 5)), InvalidFilename;
    not_a_directory 0xC000_0103 "STATUS_NOT_A_DIRECTORY" 267 "ERROR_DIRECTORY" Some(("ENOTDIR", 20)), NotADirectory;
    directory_not_empty 0xC000_0101 "STATUS_DIRECTORY_NOT_EMPTY" 145 "ERROR_DIR_NOT_EMPTY" Some(("ENOTEMPTY", 39)), DirectoryNotEmpty;
    name_too_long 0xC000_0106 "STATUS_NAME_TOO_LONG" 206 "ERROR_FILENAME_EXCED_RANGE" Some(("ENAMETOOLONG", 36)), InvalidFilename;
    invalid_parameter 0xC000_000D "STATUS_INVALID_PARAMETER" 87 "ERROR_INVALID_PARAMETER" Some(("EINVAL", 22)), InvalidInput;
    invalid_parameter_1 0xC000_00EF "STATUS_INVALID_PARAMETER_1" 87 "ERROR_INVALID_PARAMETER" Some(("EINVAL", 22)), InvalidInput;
    invalid_parameter_2 0xC000_00F0 "STATUS_INVALID_PARAMETER_2" 87 "ERROR_INVALID_PARAMETER" Some(("EINVAL", 22)), InvalidInput;
    invalid_parameter_3 0xC000_00F1 "STATUS_INVALID_PARAMETER_3" 87 "ERROR_INVALID_PARAMETER" Some(("EINVAL", 22)), InvalidInput;
    invalid_parameter_4 0xC000_00F2 "STATUS_INVALID_PARAMETER_4" 87 "ERROR_INVALID_PARAMETER" Some(("EINVAL", 22)), InvalidInput;
    invalid_parameter_5 0xC000_00F3 "STATUS_INVALID_PARAMETER_5" 87 "ERROR_INVALID_PARAMETER" Some(("EINVAL", 22)), InvalidInput;
    invalid_parameter_6 0xC000_00F4 "STATUS_INVALID_PARAMETER_6" 87 "ERROR_INVALID_PARAMETER" Some(("EINVAL", 22)), InvalidInput;
    invalid_parameter_7 0xC000_00F5 "STATUS_INVALID_PARAMETER_7" 87 "ERROR_INVALID_PARAMETER" Some(("EINVAL", 22)), InvalidInput;
    invalid_parameter_8 0xC000_00F6 "STATUS_INVALID_PARAMETER_8" 87 "ERROR_INVALID_PARAMETER" Some(("EINVAL", 22)), InvalidInput;
    invalid_parameter_9 0xC000_00F7 "STATUS_INVALID_PARAMETER_9" 87 "ERROR_INVALID_PARAMETER" Some(("EINVAL", 22)), InvalidInput;
    invalid_parameter_10 0xC000_00F8 "STATUS_INVALID_PARAMETER_10" 87 "ERROR_INVALID_PARAMETER" Some(("EINVAL", 22)), InvalidInput;
    invalid_parameter_11 0xC000_00F9 "STATUS_INVALID_PARAMETER_11" 87 "ERROR_INVALID_PARAMETER" Some(("EINVAL", 22)), InvalidInput;
    invalid_parameter_12 0xC000_00FA "STATUS_INVALID_PARAMETER_12" 87 "ERROR_INVALID_PARAMETER" Some(("EINVAL", 22)), InvalidInput;
    invalid_info_class 0xC000_0003 "STATUS_INVALID_INFO_CLASS" 87 "ERROR_INVALID_PARAMETER" Some(("EIO", 5)), InvalidInput;
    info_length_mismatch 0xC000_0004 "STATUS_INFO_LENGTH_MISMATCH" 24 "ERROR_BAD_LENGTH" Some(("EIO", 5)), Uncategorized;
    not_supported 0xC000_00BB "STATUS_NOT_SUPPORTED" 50 "ERROR_NOT_SUPPORTED" Some(("EOPNOTSUPP", 95)), Uncategorized;
    not_implemented 0xC000_0002 "STATUS_NOT_IMPLEMENTED" 1 "ERROR_INVALID_FUNCTION" Some(("EOPNOTSUPP", 95)), Uncategorized;
    invalid_device_request 0xC000_0010 "STATUS_INVALID_DEVICE_REQUEST" 1 "ERROR_INVALID_FUNCTION" Some(("EOPNOTSUPP", 95)), Uncategorized;
    media_write_protected 0xC000_00A2 "STATUS_MEDIA_WRITE_PROTECTED" 19 "ERROR_WRITE_PROTECT" Some(("EROFS", 30)), ReadOnlyFilesystem;
    disk_full 0xC000_007F "STATUS_DISK_FULL" 112 "ERROR_DISK_FULL" Some(("ENOSPC", 28)), StorageFull;
    invalid_handle 0xC000_0008 "STATUS_INVALID_HANDLE" 6 "ERROR_INVALID_HANDLE" Some(("EBADF", 9)), Uncategorized;
    file_closed 0xC000_0128 "STATUS_FILE_CLOSED" 6 "ERROR_INVALID_HANDLE" Some(("EBADF", 9)), Uncategorized;
    object_type_mismatch 0xC000_0024 "STATUS_OBJECT_TYPE_MISMATCH" 6 "ERROR_INVALID_HANDLE" Some(("EIO", 5)), Uncategorized;
    buffer_overflow 0x8000_0005 "STATUS_BUFFER_OVERFLOW" 234 "ERROR_MORE_DATA" Some(("E2BIG", 7)), Uncategorized;
    buffer_too_small 0xC000_0023 "STATUS_BUFFER_TOO_SMALL" 122 "ERROR_INSUFFICIENT_BUFFER" None, Uncategorized;
    no_more_files 0x8000_0006 "STATUS_NO_MORE_FILES" 18 "ERROR_NO_MORE_FILES" Some(("ENODATA", 61)), Uncategorized;
    end_of_file 0xC000_0011 "STATUS_END_OF_FILE" 38 "ERROR_HANDLE_EOF" Some(("ENODATA", 61)), Uncategorized;
    privilege_not_held 0xC000_0061 "STATUS_PRIVILEGE_NOT_HELD" 1314 "ERROR_PRIVILEGE_NOT_HELD" Some(("EPERM", 1)), Uncategorized;
    insufficient_resources 0xC000_009A "STATUS_INSUFFICIENT_RESOURCES" 1450 "ERROR_NO_SYSTEM_RESOURCES" Some(("EAGAIN", 11)), Uncategorized;
    no_memory 0xC000_0017 "STATUS_NO_MEMORY" 8 "ERROR_NOT_ENOUGH_MEMORY" Some(("ENOMEM", 12)), OutOfMemory;
    file_corrupt_error 0xC000_0102 "STATUS_FILE_CORRUPT_ERROR" 1392 "ERROR_FILE_CORRUPT" Some(("EIO", 5)), Uncategorized;
    disk_corrupt_error 0xC000_0032 "STATUS_DISK_CORRUPT_ERROR" 1393 "ERROR_DISK_CORRUPT" Some(("EIO", 5)), Uncategorized;
    not_a_reparse_point 0xC000_0275 "STATUS_NOT_A_REPARSE_POINT" 4390 "ERROR_NOT_A_REPARSE_POINT" Some(("ENODATA", 61)), Uncategorized;
    io_reparse_tag_not_handled 0xC000_0279 "STATUS_IO_REPARSE_TAG_NOT_HANDLED" 1920 "ERROR_CANT_ACCESS_FILE" None, Uncategorized;
    user_mapped_file 0xC000_0243 "STATUS_USER_MAPPED_FILE" 1224 "ERROR_USER_MAPPED_FILE" None, Uncategorized;
}

#[test]
fn link_has_eperm_for_directories_and_else_what_all_calls_have() {
    for &status in NtStatus::ALL {
        let symbol = |errno: Option<Errno>| errno.map(|errno| errno.symbol);
        let expected = match status.code() {
            0xC000_00BA => Some("EPERM"),
            _ => symbol(status.errno()),
        };
        assert_eq!(symbol(status.errno_of_link()), expected, "{status:?}");
    }
    assert_eq!(
        NtStatus::FILE_IS_A_DIRECTORY
            .errno_of_link()
            .map(|errno| errno.linux),
        Some(1)
    );
}

#[test]
fn win32_codes_of_other_statuses_follow_their_bits() {
    for (status, win32) in [
        // success
        (0, 0),
        // no status that is known
        (0xC000_FFFF, 317),
        (0x1234, 317),
        (0xDFFF_FFFF, 317),
        // the customer bit: as it is, whatever else it says
        (0x2000_0001, 0x2000_0001),
        (0xE000_0035, 0xE000_0035),
        (0xF000_0035, 0xF000_0035),
        (0xA007_0005, 0xA007_0005),
        // from a Win32 code, and from RPC
        (0x8007_0005, 5),
        (0xC007_00B7, 183),
        (0xC001_06BA, 1722),
        // in the clothes of an HRESULT
        (0xD000_0035, 183),
        (0xD000_00BA, 5),
        (0xD000_FFFF, 317),
        (0xD007_0005, 5),
    ] {
        assert_eq!(NtStatus::new(status).win32(), win32, "{status:08X}");
    }
}

#[test]
fn win32_codes_have_their_symbols_or_none() {
    for (code, name) in [
        (0, Some("ERROR_SUCCESS")),
        (1, Some("ERROR_INVALID_FUNCTION")),
        (303, Some("ERROR_DELETE_PENDING")),
        (317, Some("ERROR_MR_MID_NOT_FOUND")),
        (4394, Some("ERROR_REPARSE_TAG_MISMATCH")),
        (7, None),
        (u32::MAX, None),
    ] {
        assert_eq!(win32_name(code), name, "{code}");
    }
}

#[test]
fn unknown_statuses_are_shown_by_their_code() {
    let status = NtStatus::new(0xC0DE_1234);
    assert_eq!(status.to_string(), "the system refused (NTSTATUS 0xC0DE1234)");
    assert_eq!(format!("{status:?}"), "NTSTATUS(0xC0DE1234)");
    assert_eq!((status.errno(), status.kind()), (None, Uncategorized));
    assert_eq!(NtStatus::SUCCESS.to_string(), "done (STATUS_SUCCESS 0x00000000)");
}

#[test]
fn warnings_are_no_success() {
    for (code, success) in [
        (0, true),
        (0x4000_0000, true),
        (0x7FFF_FFFF, true),
        (0x8000_0005, false),
        (0xC000_0022, false),
    ] {
        assert_eq!(NtStatus::new(code).is_success(), success, "{code:08X}");
    }
}

#[cfg(feature = "std")]
#[test]
fn errors_of_the_standard_library_keep_the_status() {
    use std::io;
    for (status, kind) in [
        (NtStatus::OBJECT_NAME_COLLISION, io::ErrorKind::AlreadyExists),
        (NtStatus::TOO_MANY_LINKS, io::ErrorKind::TooManyLinks),
        (NtStatus::FILE_IS_A_DIRECTORY, io::ErrorKind::PermissionDenied),
        (NtStatus::NOT_SAME_DEVICE, io::ErrorKind::CrossesDevices),
        (NtStatus::OBJECT_NAME_INVALID, io::ErrorKind::InvalidFilename),
        (NtStatus::OBJECT_PATH_NOT_FOUND, io::ErrorKind::NotFound),
        (NtStatus::NOT_A_DIRECTORY, io::ErrorKind::NotADirectory),
        (NtStatus::DIRECTORY_NOT_EMPTY, io::ErrorKind::DirectoryNotEmpty),
        (NtStatus::INVALID_PARAMETER, io::ErrorKind::InvalidInput),
        (NtStatus::MEDIA_WRITE_PROTECTED, io::ErrorKind::ReadOnlyFilesystem),
        (NtStatus::DISK_FULL, io::ErrorKind::StorageFull),
        (NtStatus::NO_MEMORY, io::ErrorKind::OutOfMemory),
        (NtStatus::SHARING_VIOLATION, io::ErrorKind::Other),
    ] {
        let error = io::Error::from(status);
        assert_eq!(error.kind(), kind, "{status:?}");
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        assert_eq!(inner, Some(&status));
        assert_eq!(error.to_string(), status.to_string());
    }
}
