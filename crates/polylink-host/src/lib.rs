//! [`LinkFs`](polylink_core::LinkFs) on the file systems that the operating system has mounted.
//!
//! [`HostFs`] does every operation relative to an open directory handle (`openat`, `linkat`, `renameat2`, `unlinkat`,
//! `statx`; on Windows NT's own calls), so a directory that is swapped for another meanwhile cannot redirect it.
//! [`facts`] tells what a person needs to know when an operation is refused: mounts, owners, attributes, the kernel's
//! settings. [`door`] makes a link by the call that one chooses. [`disk`] opens block devices.
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
//!
//! Windows from version 7 on: directories are opened, read and changed by the native calls, so errors carry the
//! NTSTATUS, names are any UTF-16 units but `\`, `/`, `:` and NUL, and no path is too long. Newer classes of information
//! (128-bit ids, replacing and deleting as POSIX does) are used where the system and the file system have them. Creation
//! times are not told, since there they do not tell two files apart. On Wine every file system is called NTFS,
//! symbolic links of Unix are what they lead to, and those Unix file systems that have no drive of their own are one
//! volume.

pub mod disk;
pub mod door;
pub mod facts;
mod sys;

pub use sys::HostFs;
