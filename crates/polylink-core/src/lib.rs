//! The vocabulary of polylink, shared by every other crate.
//!
//! A *file* is data and attributes: an inode, an MFT record. It is identified by a [`FileId`], never by a path. A
//! *name* is one directory entry that points at a file; a [`Name`] is opaque, so bytes that are not text survive every
//! round trip. [`LinkFs`] is all that views, usage and the other jobs know of a file system: the host's, an NTFS
//! image, or [`MemFs`], the model that defines what the operations mean.
//!
//! ```
//! use polylink_core::{At, LinkFs, MemFs, Name};
//!
//! let fs = MemFs::new();
//! fs.create("/photos/a.jpg", 1000).unwrap();
//! let dir = fs.open_dir("/photos".as_ref()).unwrap();
//! fs.link(At::new(&dir, Name::new("a.jpg")), At::new(&dir, Name::new("b.jpg"))).unwrap();
//! assert_eq!(fs.stat(At::new(&dir, Name::new("b.jpg"))).unwrap().links, 2);
//! ```
//!
//! # Errors
//!
//! A file system answers with a [`Fault`]: what went wrong, with the platform's own code. Whoever knows the paths
//! wraps it into a [`PathError`].

mod content;
mod error;
mod file;
mod fs;
mod memfs;
mod name;
mod progress;
mod replace;
mod volume;

pub use content::{
    Content, Copied, CopyHow, FileFs, Lost, Metadata, Reflink, is_part_kind, is_part_name, part_name,
    remove_part,
};
pub use error::{Code, Fault, FaultKind, PathError, ResultExt};
pub use file::{FileId, Kind, Stat};
pub use fs::{At, Dir, DirBatch, DirEntry, Existing, FsResult, LinkFs, More, open_beneath};
pub use memfs::{DirIdLies, MemFs, MemOptions};
pub use name::{Name, NameBuf, shown, shown_name};
pub use progress::{Progress, Silent};
pub use replace::{
    Replaced, is_temporary_name, remove_temporary, replace_if, replace_if_both, replace_with_link,
    stable_hash, temporary_name,
};
pub use volume::{CaseRule, DirIds, HardLinks, NameRules, NameUnit, VolumeInfo};
