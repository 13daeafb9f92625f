//! polylink from C: `CreateHardLink` and the calls below it, with their errors, on every system.
//!
//! `include/polylink.h` declares what this library exports; `docs/guide/c.md` shows it at work. Three kinds of
//! functions reach the same operation:
//!
//! * `PolylinkCreateHardLinkW` and `A`: the signature and the last error of `CreateHardLink`. On Windows they are that
//!   call; on Unix its rules, by way of [`LinkFs`](polylink_core::LinkFs).
//! * `PolylinkNtSetInformationFile`: `FILE_LINK_INFORMATION` on an open file, which can replace a name.
//! * `polylink_link`: the operands of `ln`, bytes or UTF-8.
//!
//! `polylink_names_open` goes through all names of a file.
//!
//! # Guarantees
//!
//! No function unwinds into C, and none but the caller's own promises (a string ends with a zero, a buffer has its
//! length) is needed for safety: handles are numbers that look like pointers and are never followed, so one that was
//! closed is an error.
//!
//! # Errors
//!
//! A refusal is an NTSTATUS from where it arises. Its Win32 code and errno follow from it, or are the system's own.
//!
//! # Limits
//!
//! `FILE_LINK_INFORMATION` is read as little-endian machines have it. A library built with `panic=abort` ends the
//! process where it would else return `STATUS_UNSUCCESSFUL`.

mod errno;
mod failure;
pub mod ffi;
mod last;
mod names;
mod place;
#[cfg(unix)]
mod posix;
mod registry;
mod status;
mod text;

/// Every status that the header has a name for.
pub fn statuses() -> impl Iterator<Item = polylink_nt::NtStatus> {
    status::all()
}

/// The name of a status, such as `STATUS_OBJECT_NAME_COLLISION`.
#[must_use]
pub fn status_name(status: polylink_nt::NtStatus) -> Option<&'static str> {
    status::name(status)
}
