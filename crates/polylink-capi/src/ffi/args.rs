//! What C hands over, and what it wants back: the only places where its pointers are followed.

use std::ffi::{CStr, c_char};
use std::path::PathBuf;

use polylink_nt::NtStatus;

use crate::failure::Failure;
use crate::text;

/// The failure for an argument that is `NULL` and must not be.
pub(super) fn null(what: &str) -> Failure {
    Failure::of(NtStatus::INVALID_PARAMETER, &format!("{what} is NULL"))
}

/// A path in bytes.
///
/// # Safety
///
/// `path` is `NULL` or leads to a string that ends with a zero.
pub(super) unsafe fn path(path: *const c_char, what: &str) -> Result<PathBuf, Failure> {
    // SAFETY: as the caller promises
    let bytes = unsafe { bytes(path) }.ok_or_else(|| null(what))?;
    text::path_of_bytes(bytes)
}

/// A path in UTF-16.
///
/// # Safety
///
/// `path` is `NULL` or leads to units that end with a zero; it need not be aligned.
pub(super) unsafe fn wide_path(path: *const u16, what: &str) -> Result<PathBuf, Failure> {
    // SAFETY: as the caller promises
    let units = unsafe { units(path) }.ok_or_else(|| null(what))?;
    text::path_of_units(&units)
}

/// The bytes of a string; `None` for `NULL`.
///
/// # Safety
///
/// `string` is `NULL` or leads to a string that ends with a zero and stays as it is for `'a`.
pub(super) unsafe fn bytes<'a>(string: *const c_char) -> Option<&'a [u8]> {
    if string.is_null() {
        return None;
    }
    // SAFETY: not NULL; ends with a zero as the caller promises
    Some(unsafe { CStr::from_ptr(string) }.to_bytes())
}

/// The units of a string in UTF-16, without the zero; `None` for `NULL`.
///
/// # Safety
///
/// `string` is `NULL` or leads to units that end with a zero; it need not be aligned.
pub(super) unsafe fn units(string: *const u16) -> Option<Vec<u16>> {
    if string.is_null() {
        return None;
    }
    let mut units = Vec::new();
    let mut next = string;
    loop {
        // SAFETY: no zero was met yet, so this unit belongs to the string
        let unit = unsafe { next.read_unaligned() };
        if unit == 0 {
            return Some(units);
        }
        units.push(unit);
        // SAFETY: that unit was not the last: the zero is still to come
        next = unsafe { next.add(1) };
    }
}

/// Bytes of a buffer.
///
/// # Safety
///
/// `buffer` leads to `length` bytes that stay as they are for `'a`.
pub(super) unsafe fn buffer<'a>(buffer: *const u8, length: u32) -> Result<&'a [u8], Failure> {
    let length = usize::try_from(length)
        .ok()
        .filter(|&length| isize::try_from(length).is_ok())
        .ok_or_else(|| Failure::of(NtStatus::INVALID_PARAMETER, "the buffer cannot be that long"))?;
    // SAFETY: as the caller promises; a slice's length fits into an isize
    Ok(unsafe { std::slice::from_raw_parts(buffer, length) })
}

/// Puts a result where C wants it.
///
/// # Safety
///
/// `out` is not `NULL` and can be written; it need not be aligned.
pub(super) unsafe fn put<T>(out: *mut T, value: T) {
    // SAFETY: as the caller promises
    unsafe { out.write_unaligned(value) };
}

/// Puts text and its terminating zero into a buffer as far as there is room.
///
/// # Safety
///
/// `buffer` can take `capacity` elements, or `capacity` is 0.
pub(super) unsafe fn put_all<T: Copy>(buffer: *mut T, capacity: usize, text: &[T], zero: T) {
    let Some(room) = capacity.checked_sub(1) else {
        return;
    };
    let fits = text.len().min(room);
    for (at, element) in text[..fits].iter().chain(std::iter::once(&zero)).enumerate() {
        // SAFETY: `at` is at most `fits`, which is less than `capacity`
        unsafe { buffer.add(at).write_unaligned(*element) };
    }
}
