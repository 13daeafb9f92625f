//! [`LinkFs`](polylink_core::LinkFs) on the file systems that the operating system has mounted.
//!
//! [`HostFs`] does every operation relative to an open directory handle (`openat`, `linkat`, `renameat2`, `unlinkat`,
//! `statx`), so a directory that is swapped for another meanwhile cannot redirect it. [`facts`] tells what a person
//! needs to know when an operation is refused: mounts, owners, attributes, the kernel's settings.
//!
//! ```
//! use polylink_core::{At, LinkFs, Name};
//! use polylink_host::HostFs;
//!
//! let folder = tempfile::tempdir().unwrap();
//! std::fs::write(folder.path().join("a"), "data").unwrap();
//! let fs = HostFs::new();
//! let dir = fs.open_dir(folder.path()).unwrap();
//! fs.link(At::new(&dir, Name::new("a")), At::new(&dir, Name::new("b"))).unwrap();
//! assert_eq!(fs.stat(At::new(&dir, Name::new("b"))).unwrap().links, 2);
//! ```
//!
//! # Platforms
//!
//! Linux has its own code for what `statx`, `getdents64` and `statfs` give; other Unix systems share the portable code.

pub mod door;
pub mod facts;
mod sys;

pub use sys::HostFs;
