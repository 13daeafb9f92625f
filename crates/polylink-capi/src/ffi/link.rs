//! Making a link: CreateHardLink with its own signature, and a form as `ln` has it.

use std::ffi::{c_char, c_void};
use std::path::Path;

use polylink_core::Existing;
use polylink_nt::NtStatus;

use super::{args, guard, system};
use crate::failure::Failure;

/// For polylink_link: a name that exists leads to the other file afterwards. There is no moment without the name.
pub const POLYLINK_REPLACE: u32 = 1;

/// Gives the file lpExistingFileName the further name lpFileName: CreateHardLinkW, with its signature and errors.
///
/// Returns nonzero if it did, and 0 if not, with the Win32 code in polylink_last_error() and, on Windows, in
/// GetLastError(). It never replaces a name, and never links a directory. Of a symbolic link the link itself gets the
/// name. lpSecurityAttributes is reserved and must be NULL.
///
/// On Windows this is CreateHardLinkW, for paths of any length. On Unix the same rules are applied to the file systems
/// there: paths are UTF-16 that becomes UTF-8, '/' separates, and names may be whatever the file system lets them be.
/// Then the errors are, in this order:
///
/// | code | reason |
/// |---|---|
/// | 87 ERROR_INVALID_PARAMETER | a name is NULL, or lpSecurityAttributes is not |
/// | 123 ERROR_INVALID_NAME | a path is not UTF-16 (a lone surrogate) |
/// | 3 ERROR_PATH_NOT_FOUND | a path is empty |
/// | 3 ERROR_PATH_NOT_FOUND | on the way of lpExistingFileName a directory is missing |
/// | 123 ERROR_INVALID_NAME | lpExistingFileName is too long a name, or has a '/' behind it and is a file |
/// | 2 ERROR_FILE_NOT_FOUND | lpExistingFileName does not exist |
/// | 3 ERROR_PATH_NOT_FOUND | on the way of lpFileName a directory is missing |
/// | 87 ERROR_INVALID_PARAMETER | on the way of lpFileName a file stands for a directory |
/// | 17 ERROR_NOT_SAME_DEVICE | the two are on different file systems |
/// | 19 ERROR_WRITE_PROTECT | the file system can only be read |
/// | 5 ERROR_ACCESS_DENIED | lpExistingFileName is a directory |
/// | 50 ERROR_NOT_SUPPORTED | the file system has no hard links |
/// | 123 ERROR_INVALID_NAME | lpFileName is too long a name, or has a '/' behind it and is no directory |
/// | 1142 ERROR_TOO_MANY_LINKS | the file has as many names as it can have |
/// | 183 ERROR_ALREADY_EXISTS | lpFileName exists, as a file or as a directory |
///
/// Wherever the system refuses: 5 no permission, 112 no space, 206 the path is too long, 1921 symbolic links in a
/// circle, 4 too many open files, 32 in use, 1117 the device failed, 31 anything else.
///
/// # Safety
///
/// The caller promises that each name is NULL or ends with a zero. They need not be aligned.
#[allow(non_snake_case)] // as Windows writes it
#[unsafe(no_mangle)]
pub unsafe extern "system" fn PolylinkCreateHardLinkW(
    lpFileName: *const u16,
    lpExistingFileName: *const u16,
    lpSecurityAttributes: *mut c_void,
) -> i32 {
    guard::truth(|| {
        reserved(
            lpFileName.is_null() || lpExistingFileName.is_null(),
            lpSecurityAttributes,
        )?;
        // SAFETY: as the caller promises
        let new = unsafe { args::wide_path(lpFileName, "lpFileName") }?;
        // SAFETY: as the caller promises
        let existing = unsafe { args::wide_path(lpExistingFileName, "lpExistingFileName") }?;
        system::create_hard_link(&existing, &new)
    })
}

/// As PolylinkCreateHardLinkW, with the names in the ANSI code page of Windows; on Unix in bytes, as the file systems
/// there have them.
///
/// Bytes that the code page does not have are ERROR_INVALID_NAME (123).
///
/// # Safety
///
/// The caller promises that each name is NULL or ends with a zero.
#[allow(non_snake_case)] // as Windows writes it
#[unsafe(no_mangle)]
pub unsafe extern "system" fn PolylinkCreateHardLinkA(
    lpFileName: *const c_char,
    lpExistingFileName: *const c_char,
    lpSecurityAttributes: *mut c_void,
) -> i32 {
    guard::truth(|| {
        reserved(
            lpFileName.is_null() || lpExistingFileName.is_null(),
            lpSecurityAttributes,
        )?;
        // SAFETY: as the caller promises
        let new = unsafe { args::bytes(lpFileName) }.unwrap_or_default();
        // SAFETY: as the caller promises
        let existing = unsafe { args::bytes(lpExistingFileName) }.unwrap_or_default();
        system::create_hard_link(&system::path_of_ansi(existing)?, &system::path_of_ansi(new)?)
    })
}

/// What CreateHardLink refuses before it looks at any path.
fn reserved(name_missing: bool, security: *mut c_void) -> Result<(), Failure> {
    if name_missing {
        return Err(args::null("a name"));
    }
    if !security.is_null() {
        return Err(Failure::of(
            NtStatus::INVALID_PARAMETER,
            "lpSecurityAttributes is reserved and must be NULL",
        ));
    }
    Ok(())
}

/// Gives the file `existing` the further name `new_name`, and returns 0; or -1 with the last error set.
///
/// Operands are in the order of ln. Both are bytes on Unix and UTF-8 on Windows. `flags` is 0, or POLYLINK_REPLACE: then
/// a file that has the name loses it to the other one in one step. A directory is not replaced (STATUS_ACCESS_DENIED);
/// where both are names of one file already, nothing is to be done. The errors are those of PolylinkCreateHardLinkW.
///
/// # Safety
///
/// The caller promises that each name is NULL or ends with a zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn polylink_link(existing: *const c_char, new_name: *const c_char, flags: u32) -> i32 {
    guard::zero(|| {
        // SAFETY: as the caller promises
        let existing = unsafe { args::path(existing, "the existing name") }?;
        // SAFETY: as the caller promises
        let new = unsafe { args::path(new_name, "the new name") }?;
        link(&existing, &new, flags)
    })
}

/// As polylink_link, with the names in UTF-16.
///
/// # Safety
///
/// The caller promises that each name is NULL or ends with a zero. They need not be aligned.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn polylink_link_w(existing: *const u16, new_name: *const u16, flags: u32) -> i32 {
    guard::zero(|| {
        // SAFETY: as the caller promises
        let existing = unsafe { args::wide_path(existing, "the existing name") }?;
        // SAFETY: as the caller promises
        let new = unsafe { args::wide_path(new_name, "the new name") }?;
        link(&existing, &new, flags)
    })
}

fn link(existing: &Path, new: &Path, flags: u32) -> Result<(), Failure> {
    let on = match flags {
        0 => Existing::Keep,
        POLYLINK_REPLACE => Existing::Replace,
        _ => {
            return Err(Failure::of(
                NtStatus::INVALID_PARAMETER,
                "there is a flag that does not exist",
            ));
        }
    };
    system::link(existing, new, on)
}
