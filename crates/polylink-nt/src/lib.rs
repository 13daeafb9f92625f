//! NT's rules for hard links, as pure data and functions.
//!
//! Nothing here does I/O: the crate knows what NT answers and why. The NTFS engine, the Windows backend and the C
//! interface all ask it, so the rules exist once.
//!
//! * [`NtStatus`]: what NT answers, with the Win32 code, the Unix error and the text that follow from it.
//! * [`info`]: the structures behind `NtSetInformationFile`, as bytes.
//! * [`name`], [`upcase`], [`short`]: which names can exist, when two are the same, and their 8.3 twins.
//! * [`decide`]: what becomes of a request, given the facts.
//! * [`door`]: the calls of Win32 that end in such a request.
//!
//! ```
//! use polylink_nt::NtStatus;
//!
//! let status = NtStatus::FILE_IS_A_DIRECTORY;
//! assert_eq!(status.to_string(), "the file is a directory (STATUS_FILE_IS_A_DIRECTORY 0xC00000BA)");
//! assert_eq!(status.win32(), 5); // ERROR_ACCESS_DENIED, which hides four others
//! ```
//!
//! # Features
//!
//! `std`: `From` conversions into `std::io::Error`. The crate is `no_std` and uses `alloc`.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod decide;
pub mod door;
pub mod info;
pub mod name;
pub mod short;
mod status;
pub mod upcase;

pub use status::{Errno, ErrorKind, NtStatus, win32_name};
