//! What a status is called and becomes, with those few that polylink-nt has no use for.

use std::ffi::{CStr, CString};
use std::sync::OnceLock;

use polylink_nt::NtStatus;

use crate::errno;

/// `STATUS_UNSUCCESSFUL`: a fault in polylink itself, or a reason that no other status stands for.
pub(crate) const UNSUCCESSFUL: NtStatus = NtStatus::new(0xC000_0001);
/// `STATUS_TOO_MANY_OPENED_FILES`: the process or the system has no file descriptor left.
pub(crate) const TOO_MANY_OPENED_FILES: NtStatus = NtStatus::new(0xC000_011F);
/// `STATUS_CANCELLED`: a signal came in between.
pub(crate) const CANCELLED: NtStatus = NtStatus::new(0xC000_0120);
/// `STATUS_UNMAPPABLE_CHARACTER`: the name is not text, so UTF-16 cannot hold it.
pub(crate) const UNMAPPABLE_CHARACTER: NtStatus = NtStatus::new(0xC000_0162);
/// `STATUS_IO_DEVICE_ERROR`: the device failed.
pub(crate) const IO_DEVICE_ERROR: NtStatus = NtStatus::new(0xC000_0185);
/// `STATUS_REPARSE_POINT_NOT_RESOLVED`: symbolic links that lead in a circle, or one where none is followed.
pub(crate) const REPARSE_POINT_NOT_RESOLVED: NtStatus = NtStatus::new(0xC000_0280);

/// A status of [MS-ERREF] 2.3 that no rule of hard links gives.
struct Further {
    status: NtStatus,
    name: &'static str,
    text: &'static str,
    win32: u32,
    errno: &'static str,
}

const fn further(
    status: NtStatus,
    name: &'static str,
    text: &'static str,
    win32: u32,
    errno: &'static str,
) -> Further {
    Further {
        status,
        name,
        text,
        win32,
        errno,
    }
}

const FURTHER: &[Further] = &[
    further(
        UNSUCCESSFUL,
        "STATUS_UNSUCCESSFUL",
        "the request failed",
        31,
        "EIO",
    ),
    further(
        TOO_MANY_OPENED_FILES,
        "STATUS_TOO_MANY_OPENED_FILES",
        "too many files are open",
        4,
        "EMFILE",
    ),
    further(
        CANCELLED,
        "STATUS_CANCELLED",
        "the request was interrupted",
        995,
        "EINTR",
    ),
    further(
        UNMAPPABLE_CHARACTER,
        "STATUS_UNMAPPABLE_CHARACTER",
        "the name is not text, so it has no form in UTF-16",
        1113,
        "EILSEQ",
    ),
    further(
        IO_DEVICE_ERROR,
        "STATUS_IO_DEVICE_ERROR",
        "the device failed",
        1117,
        "EIO",
    ),
    further(
        REPARSE_POINT_NOT_RESOLVED,
        "STATUS_REPARSE_POINT_NOT_RESOLVED",
        "a symbolic link cannot be followed here",
        1921,
        "ELOOP",
    ),
];

fn find(status: NtStatus) -> Option<&'static Further> {
    FURTHER.iter().find(|row| row.status == status)
}

/// Every status with a name.
pub(crate) fn all() -> impl Iterator<Item = NtStatus> {
    let success = std::iter::once(NtStatus::SUCCESS);
    success
        .chain(NtStatus::ALL.iter().copied())
        .chain(FURTHER.iter().map(|row| row.status))
}

/// Its Win32 code, as `RtlNtStatusToDosError` gives it.
pub(crate) fn win32(status: NtStatus) -> u32 {
    find(status).map_or_else(|| status.win32(), |row| row.win32)
}

/// Its number in this system's `errno.h`: 0 for success, `EIO` where Unix has nothing that stands for it.
pub(crate) fn errno(status: NtStatus) -> i32 {
    let symbol = match find(status) {
        Some(row) => row.errno,
        None if status.is_success() => return 0,
        None => status.errno().map_or("EIO", |errno| errno.symbol),
    };
    errno::number(symbol)
}

/// Its name, such as `STATUS_OBJECT_NAME_COLLISION`.
pub(crate) fn name(status: NtStatus) -> Option<&'static str> {
    find(status).map(|row| row.name).or_else(|| status.name())
}

/// What it means, in a sentence without a full stop.
pub(crate) fn text(status: NtStatus) -> &'static str {
    find(status).map_or_else(|| status.text(), |row| row.text)
}

/// Text, name and code, for a message.
pub(crate) fn reason(status: NtStatus) -> String {
    match name(status) {
        Some(name) => format!("{} ({name} 0x{:08X})", text(status), status.code()),
        None => format!("{} (NTSTATUS 0x{:08X})", text(status), status.code()),
    }
}

/// Name and text as C strings that live as long as the program.
pub(crate) fn c_strings(status: NtStatus) -> (Option<&'static CStr>, &'static CStr) {
    static KNOWN: OnceLock<Vec<(NtStatus, CString, CString)>> = OnceLock::new();
    let known = KNOWN.get_or_init(|| {
        let mut known: Vec<_> = all()
            .filter_map(|status| {
                let name = CString::new(name(status)?).ok()?;
                Some((status, name, CString::new(text(status)).ok()?))
            })
            .collect();
        known.sort_by_key(|row| row.0);
        known
    });
    match known.binary_search_by_key(&status, |row| row.0) {
        Ok(at) => (Some(&known[at].1), &known[at].2),
        Err(_) if status.is_success() => (None, c"done"),
        Err(_) => (None, c"the system refused"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_name_a_text_and_both_codes() {
        for status in all() {
            let (name, text) = c_strings(status);
            assert_eq!(name.unwrap().to_str().unwrap(), self::name(status).unwrap());
            assert_eq!(text.to_str().unwrap(), self::text(status));
            assert!(!text.is_empty());
            assert_ne!(win32(status), 317, "{status:?}");
            assert_eq!(errno(status) == 0, status.is_success(), "{status:?}");
        }
    }

    #[test]
    fn further_statuses_are_unknown_to_the_rules_and_differ() {
        for (at, row) in FURTHER.iter().enumerate() {
            assert_eq!(row.status.name(), None, "{} belongs to polylink-nt now", row.name);
            assert!(FURTHER[..at].iter().all(|other| other.status != row.status));
        }
    }

    #[test]
    fn a_status_that_nobody_knows_still_has_a_text() {
        let unknown = NtStatus::new(0xC000_FFFF);
        assert_eq!(c_strings(unknown), (None, c"the system refused"));
        assert_eq!(reason(unknown), "the system refused (NTSTATUS 0xC000FFFF)");
        assert_eq!(win32(unknown), 317);
        assert_eq!(errno(unknown), errno::number("EIO"));
        assert_eq!(c_strings(NtStatus::new(0x105)), (None, c"done"));
    }
}
