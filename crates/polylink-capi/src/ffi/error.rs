//! The last error, what a status means, and which polylink this is.

use std::ffi::{CStr, c_char};

use polylink_nt::NtStatus;

use super::{args, guard};
use crate::{last, status};

/// The Win32 code of the last failure on this thread; 0 if there was none.
///
/// Every function of polylink that fails sets it; none that succeeds changes it. On Windows GetLastError() says the
/// same right after the failure.
#[unsafe(no_mangle)]
pub extern "C" fn polylink_last_error() -> u32 {
    guard::value(0, || last::with(|failure| failure.win32).unwrap_or(0))
}

/// The NTSTATUS of the last failure on this thread; 0 if there was none, or if the system gave a Win32 code only.
///
/// The Win32 code follows from it, never the other way round: ERROR_ACCESS_DENIED alone hides five statuses.
#[unsafe(no_mangle)]
pub extern "C" fn polylink_last_error_status() -> i32 {
    guard::value(0, || last::with(last::status_code).unwrap_or(0).cast_signed())
}

/// The errno of the last failure on this thread, as in this system's <errno.h>; 0 if there was none.
///
/// It is the one that the system gave, where it gave one; else the one that stands for the status.
#[unsafe(no_mangle)]
pub extern "C" fn polylink_last_error_errno() -> i32 {
    guard::value(0, || last::with(|failure| failure.errno).unwrap_or(0))
}

/// Writes what went wrong last on this thread into `buffer`, as one sentence in UTF-8, and returns its length.
///
/// As with snprintf, `size` counts the terminating zero and the length returned does not; a length of `size` or more
/// means that the text was cut (never within a character). `buffer` may be NULL if `size` is 0. Paths are in it,
/// control characters of theirs escaped. Without a failure the text is empty.
///
/// # Safety
///
/// The caller promises that `buffer` has room for `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn polylink_last_error_message(buffer: *mut c_char, size: usize) -> usize {
    guard::value(0, || {
        let text = last::with(|failure| failure.message.clone()).unwrap_or_default();
        if !buffer.is_null() && size > 0 {
            let cut = &text[..text.floor_char_boundary(size - 1)];
            // SAFETY: the caller promises room for `size` bytes, and this is shorter by one or more
            unsafe { args::put_all(buffer.cast::<u8>(), size, cut.as_bytes(), 0) };
        }
        text.len()
    })
}

/// The Win32 code of an NTSTATUS, as RtlNtStatusToDosError gives it: 0 for success, 317 for a status without one.
#[unsafe(no_mangle)]
pub extern "C" fn polylink_status_to_win32(status: i32) -> u32 {
    guard::value(317, || status::win32(of(status)))
}

/// The errno of an NTSTATUS, as in this system's <errno.h>: 0 for success, EIO where nothing better stands for it.
///
/// As Linux' SMB client maps them. ENODATA, which not every system has, is ENOENT on others than Linux.
#[unsafe(no_mangle)]
pub extern "C" fn polylink_status_to_errno(status: i32) -> i32 {
    guard::value(5, || status::errno(of(status)))
}

/// The name of an NTSTATUS, such as "STATUS_OBJECT_NAME_COLLISION"; NULL for one that polylink does not know.
///
/// It must not be freed.
#[unsafe(no_mangle)]
pub extern "C" fn polylink_status_name(status: i32) -> *const c_char {
    guard::value(std::ptr::null(), || {
        let (name, _) = status::c_strings(of(status));
        name.map_or(std::ptr::null(), CStr::as_ptr)
    })
}

/// What an NTSTATUS means, in a few English words; never NULL. It must not be freed.
#[unsafe(no_mangle)]
pub extern "C" fn polylink_status_text(status: i32) -> *const c_char {
    guard::value(c"the system refused".as_ptr(), || {
        let (_, text) = status::c_strings(of(status));
        text.as_ptr()
    })
}

/// The version of the library that runs, such as "0.1.0"; POLYLINK_VERSION is that of the header. It must not be freed.
#[unsafe(no_mangle)]
pub extern "C" fn polylink_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

fn of(status: i32) -> NtStatus {
    NtStatus::new(status.cast_unsigned())
}
