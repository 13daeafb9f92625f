//! The binary as its users meet it: words, documents and exit codes.
//!
//! On Windows the tests of what is the same everywhere run too, and those in `windows` of what is not.

mod check;
mod cli;
mod cost;
mod dedupe;
mod demo;
#[cfg(unix)]
mod doctor;
mod env;
mod exports;
#[cfg(unix)]
mod fallback;
mod flat;
#[cfg(unix)]
mod flat_errors;
#[cfg(unix)]
mod guide;
#[cfg(unix)]
mod link;
mod names;
mod ntfs;
mod ntfs_write;
#[cfg(unix)]
mod odd_names;
#[cfg(unix)]
mod permissions;
mod split;
mod trees;
mod unlink;
mod usage;
#[cfg(unix)]
mod watch;
#[cfg(windows)]
mod windows;
