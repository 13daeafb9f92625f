//! Going through the names of a file.

use std::ffi::{c_char, c_void};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use polylink_host::HostFs;
use polylink_nt::NtStatus;

use super::{args, guard};
use crate::failure::Failure;
use crate::names::{self, Completeness, Names};
use crate::registry::Registry;
use crate::text;

/// The names of a file, gone through one by one. Made by polylink_names_open and its sisters.
///
/// Several threads may use it; each name is given once.
#[allow(non_camel_case_types)] // as C names its types
#[derive(Debug)]
pub struct polylink_names {
    _opaque: (),
}

static OPEN: Registry<Mutex<Names>> = Registry::new();

fn handle(names: *mut polylink_names) -> Result<Arc<Mutex<Names>>, Failure> {
    OPEN.find(names.addr())
        .ok_or_else(|| Failure::of(NtStatus::INVALID_HANDLE, "cannot go on with the names"))
}

fn lock(names: &Mutex<Names>) -> MutexGuard<'_, Names> {
    names.lock().unwrap_or_else(PoisonError::into_inner)
}

/// # Safety
///
/// `out` can be written.
unsafe fn open(
    out: *mut *mut polylink_names,
    find: impl FnOnce() -> Result<Names, Failure>,
) -> Result<(), Failure> {
    if out.is_null() {
        return Err(args::null("where the names should go"));
    }
    let names = OPEN
        .open(Mutex::new(find()?))
        .ok_or_else(|| Failure::of(NtStatus::INSUFFICIENT_RESOURCES, "no more handles"))?;
    // SAFETY: not NULL; the caller promises that it can be written
    unsafe { args::put(out, std::ptr::without_provenance_mut(names)) };
    Ok(())
}

/// Says how many names the file behind `path` has, and returns 0; or -1 with the last error set.
///
/// 8.3 twins are not counted. Of a symbolic link the link itself is meant. A directory is an error
/// (STATUS_FILE_IS_A_DIRECTORY).
///
/// # Safety
///
/// The caller promises that `path` is NULL or ends with a zero, and that `count` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn polylink_link_count(path: *const c_char, count: *mut u64) -> i32 {
    guard::zero(|| {
        if count.is_null() {
            return Err(args::null("where the count should go"));
        }
        // SAFETY: as the caller promises
        let path = unsafe { args::path(path, "the path") }?;
        let links = names::count(&HostFs::new(), &path)?;
        // SAFETY: not NULL; the caller promises that it can be written
        unsafe { args::put(count, links) };
        Ok(())
    })
}

/// Finds all names of the file behind `path` and returns 0; or -1 with the last error set.
///
/// It reads no directories, so it needs a file system that knows the names of a file: NTFS on Windows, btrfs on Linux
/// (as root). Elsewhere only a file with a single name has an answer, and the others are ERROR_NOT_SUPPORTED (50): see
/// polylink_names_open_in. All names are absolute. `*names` has to be closed with polylink_names_close.
///
/// # Safety
///
/// The caller promises that `path` is NULL or ends with a zero, and that `names` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn polylink_names_open(path: *const c_char, names: *mut *mut polylink_names) -> i32 {
    guard::zero(|| {
        // SAFETY: as the caller promises
        let path = unsafe { args::path(path, "the path") }?;
        // SAFETY: as the caller promises
        unsafe { open(names, || names::of(&HostFs::new(), &path)) }
    })
}

/// As polylink_names_open, with the path in UTF-16.
///
/// # Safety
///
/// The caller promises that `path` is NULL or ends with a zero, and that `names` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn polylink_names_open_w(path: *const u16, names: *mut *mut polylink_names) -> i32 {
    guard::zero(|| {
        // SAFETY: as the caller promises
        let path = unsafe { args::wide_path(path, "the path") }?;
        // SAFETY: as the caller promises
        unsafe { open(names, || names::of(&HostFs::new(), &path)) }
    })
}

/// Finds the names of the file behind `path` below `count` directories, by reading them, and returns 0; or -1 with the
/// last error set.
///
/// It stops as soon as it has as many names as the file has; polylink_names_complete tells whether it has. What
/// cannot be read below the directories is left out, other file systems below them too. Names begin with the path of
/// their directory as it was given. `*names` has to be closed with polylink_names_close.
///
/// # Safety
///
/// The caller promises that `path` is NULL or ends with a zero, that `directories` is NULL or leads to `count` such
/// strings, and that `names` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn polylink_names_open_in(
    path: *const c_char,
    directories: *const *const c_char,
    count: usize,
    names: *mut *mut polylink_names,
) -> i32 {
    guard::zero(|| {
        // SAFETY: as the caller promises
        let path = unsafe { args::path(path, "the path") }?;
        if directories.is_null() {
            return Err(args::null("the list of directories"));
        }
        if count == 0 {
            return Err(Failure::of(
                NtStatus::INVALID_PARAMETER,
                "there are no directories to look into",
            ));
        }
        let directories: Vec<PathBuf> = (0..count)
            .map(|at| {
                // SAFETY: the list is not NULL and the caller promises `count` of them
                let directory = unsafe { directories.add(at).read_unaligned() };
                // SAFETY: as the caller promises
                unsafe { args::path(directory, "a directory") }
            })
            .collect::<Result<_, _>>()?;
        // SAFETY: as the caller promises
        unsafe { open(names, || names::within(&HostFs::new(), &path, &directories)) }
    })
}

/// Writes the next name into `buffer`, in UTF-8, and returns 0; or -1 with the last error set.
///
/// `*length` is how many bytes `buffer` has room for, and becomes how many the name takes; both count the terminating
/// zero. Where there is not enough room the error is ERROR_MORE_DATA (234), `*length` says how much is needed, and the
/// same name comes again. `buffer` may be NULL if `*length` is 0. Behind the last name the error is ERROR_HANDLE_EOF
/// (38), as with FindNextFileNameW.
///
/// On Unix the bytes are the file system's own; on Windows lone surrogates come as in WTF-8, which polylink takes back.
///
/// # Safety
///
/// The caller promises that `buffer` has room for `*length` bytes, and that `length` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn polylink_names_next(
    names: *mut polylink_names,
    buffer: *mut c_char,
    length: *mut usize,
) -> i32 {
    guard::zero(|| {
        let names = handle(names)?;
        let mut names = lock(&names);
        let text = text::bytes_of_path(names.current()?);
        // SAFETY: as the caller promises
        unsafe { give(buffer.cast::<u8>(), length, text, 0) }?;
        names.advance();
        Ok(())
    })
}

/// As polylink_names_next, in UTF-16; `*length` counts units of 16 bits.
///
/// On Unix a name that is not text has no such form: the error is ERROR_NO_UNICODE_TRANSLATION (1113), and
/// polylink_names_next gives the name.
///
/// # Safety
///
/// The caller promises that `buffer` has room for `*length` units, and that `length` is NULL or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn polylink_names_next_w(
    names: *mut polylink_names,
    buffer: *mut u16,
    length: *mut usize,
) -> i32 {
    guard::zero(|| {
        let names = handle(names)?;
        let mut names = lock(&names);
        let text = text::units_of_path(names.current()?)?;
        // SAFETY: as the caller promises
        unsafe { give(buffer, length, &text, 0) }?;
        names.advance();
        Ok(())
    })
}

/// # Safety
///
/// `length` is NULL, or can be read and written and `buffer` has room for as many elements as it says.
unsafe fn give<T: Copy>(buffer: *mut T, length: *mut usize, text: &[T], zero: T) -> Result<(), Failure> {
    if length.is_null() {
        return Err(args::null("the length of the buffer"));
    }
    // SAFETY: not NULL; the caller promises that it can be read
    let room = unsafe { length.read_unaligned() };
    if buffer.is_null() && room > 0 {
        return Err(args::null("the buffer for a name"));
    }
    let needed = text.len() + 1;
    // SAFETY: not NULL; the caller promises that it can be written
    unsafe { args::put(length, needed) };
    if room < needed {
        return Err(Failure::of(
            NtStatus::BUFFER_OVERFLOW,
            "the name is longer than the buffer",
        ));
    }
    // SAFETY: `buffer` has room for `room` elements, which is enough, so it is not NULL
    unsafe { args::put_all(buffer, room, text, zero) };
    Ok(())
}

/// Whether these are all names of the file: 1 if so, 0 if there are others that were not found, -1 with the last error
/// set if `names` is no open handle.
#[unsafe(no_mangle)]
pub extern "C" fn polylink_names_complete(names: *mut polylink_names) -> i32 {
    let mut complete = 0;
    let done = guard::zero(|| {
        complete = match lock(&*handle(names)?).completeness {
            Completeness::All => 1,
            Completeness::Some => 0,
        };
        Ok(())
    });
    if done == 0 { complete } else { done }
}

/// Ends going through names, and returns 0; or -1 with the last error set if `names` is no open handle. Closing NULL
/// does nothing and succeeds.
#[unsafe(no_mangle)]
pub extern "C" fn polylink_names_close(names: *mut polylink_names) -> i32 {
    guard::zero(|| close(names.cast()))
}

fn close(names: *mut c_void) -> Result<(), Failure> {
    if names.is_null() || OPEN.close(names.addr()).is_some() {
        Ok(())
    } else {
        Err(Failure::of(NtStatus::INVALID_HANDLE, "cannot close the names"))
    }
}
