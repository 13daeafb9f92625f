//! The names of Win32's error codes.

/// The symbol of a Win32 error code, such as `ERROR_ALREADY_EXISTS` for 183 (\[MS-ERREF\] 2.2).
///
/// `None` for codes that work with files and their names does not meet.
#[must_use]
pub fn win32_name(code: u32) -> Option<&'static str> {
    let at = NAMES.binary_search_by_key(&code, |&(code, _)| code).ok()?;
    Some(NAMES[at].1)
}

/// By code.
static NAMES: &[(u32, &str)] = &[
    (0, "ERROR_SUCCESS"),
    (1, "ERROR_INVALID_FUNCTION"),
    (2, "ERROR_FILE_NOT_FOUND"),
    (3, "ERROR_PATH_NOT_FOUND"),
    (4, "ERROR_TOO_MANY_OPEN_FILES"),
    (5, "ERROR_ACCESS_DENIED"),
    (6, "ERROR_INVALID_HANDLE"),
    (8, "ERROR_NOT_ENOUGH_MEMORY"),
    (14, "ERROR_OUTOFMEMORY"),
    (15, "ERROR_INVALID_DRIVE"),
    (16, "ERROR_CURRENT_DIRECTORY"),
    (17, "ERROR_NOT_SAME_DEVICE"),
    (18, "ERROR_NO_MORE_FILES"),
    (19, "ERROR_WRITE_PROTECT"),
    (21, "ERROR_NOT_READY"),
    (23, "ERROR_CRC"),
    (24, "ERROR_BAD_LENGTH"),
    (31, "ERROR_GEN_FAILURE"),
    (32, "ERROR_SHARING_VIOLATION"),
    (33, "ERROR_LOCK_VIOLATION"),
    (36, "ERROR_SHARING_BUFFER_EXCEEDED"),
    (38, "ERROR_HANDLE_EOF"),
    (39, "ERROR_HANDLE_DISK_FULL"),
    (50, "ERROR_NOT_SUPPORTED"),
    (53, "ERROR_BAD_NETPATH"),
    (64, "ERROR_NETNAME_DELETED"),
    (65, "ERROR_NETWORK_ACCESS_DENIED"),
    (67, "ERROR_BAD_NET_NAME"),
    (80, "ERROR_FILE_EXISTS"),
    (82, "ERROR_CANNOT_MAKE"),
    (87, "ERROR_INVALID_PARAMETER"),
    (110, "ERROR_OPEN_FAILED"),
    (111, "ERROR_BUFFER_OVERFLOW"),
    (112, "ERROR_DISK_FULL"),
    (120, "ERROR_CALL_NOT_IMPLEMENTED"),
    (122, "ERROR_INSUFFICIENT_BUFFER"),
    (123, "ERROR_INVALID_NAME"),
    (124, "ERROR_INVALID_LEVEL"),
    (127, "ERROR_PROC_NOT_FOUND"),
    (131, "ERROR_NEGATIVE_SEEK"),
    (145, "ERROR_DIR_NOT_EMPTY"),
    (161, "ERROR_BAD_PATHNAME"),
    (170, "ERROR_BUSY"),
    (183, "ERROR_ALREADY_EXISTS"),
    (206, "ERROR_FILENAME_EXCED_RANGE"),
    (234, "ERROR_MORE_DATA"),
    (267, "ERROR_DIRECTORY"),
    (303, "ERROR_DELETE_PENDING"),
    (317, "ERROR_MR_MID_NOT_FOUND"),
    (665, "ERROR_FILE_SYSTEM_LIMITATION"),
    (995, "ERROR_OPERATION_ABORTED"),
    (1117, "ERROR_IO_DEVICE"),
    (1142, "ERROR_TOO_MANY_LINKS"),
    (1223, "ERROR_CANCELLED"),
    (1224, "ERROR_USER_MAPPED_FILE"),
    (1314, "ERROR_PRIVILEGE_NOT_HELD"),
    (1392, "ERROR_FILE_CORRUPT"),
    (1393, "ERROR_DISK_CORRUPT"),
    (1450, "ERROR_NO_SYSTEM_RESOURCES"),
    (1920, "ERROR_CANT_ACCESS_FILE"),
    (4390, "ERROR_NOT_A_REPARSE_POINT"),
    (4391, "ERROR_REPARSE_ATTRIBUTE_CONFLICT"),
    (4392, "ERROR_INVALID_REPARSE_DATA"),
    (4393, "ERROR_REPARSE_TAG_INVALID"),
    (4394, "ERROR_REPARSE_TAG_MISMATCH"),
];

#[cfg(test)]
mod tests {
    use super::NAMES;

    #[test]
    fn codes_stand_in_order_so_that_they_are_found() {
        assert!(NAMES.is_sorted_by(|(a, _), (b, _)| a < b));
    }
}
