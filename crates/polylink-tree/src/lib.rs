//! Whole trees by hard links.
//!
//! [`clone`] makes a tree of hard links beside its source and keeps it in step with it, as `cp -al` would if it could
//! be run again.
//!
//! ```
//! use std::path::Path;
//!
//! use polylink_core::{MemFs, Silent};
//! use polylink_tree::clone::{Options, Request, apply, plan};
//!
//! let fs = MemFs::new();
//! fs.create("/photos/2006/11/a.jpg", 1000).unwrap();
//! let request = Request { source: "/photos".into(), dest: "/clone".into(), options: Options::default() };
//! let outcome = apply(&fs, &plan(&fs, &request, &Silent).unwrap(), &Silent);
//! assert_eq!(outcome.linked, 1);
//! assert!(fs.all_names().contains_key(Path::new("/clone/2006/11/a.jpg")));
//! ```
//!
//! [`snapshot`] makes dated copies of a tree that share every file that has not changed, and removes old ones by the
//! calendar.
//!
//! # Guarantees
//!
//! The last name of a file goes only where the options say so. Nothing is removed below what could not be read. What is
//! killed at any instant is completed by the next run. A snapshot has its name only when all of it is on the disk, and
//! no earlier snapshot ever changes.
//!
//! # Errors
//!
//! [`Error`] where nothing can be done at all; what goes wrong with single files is in the outcome.
//!
//! # Limits
//!
//! POSIX cannot remove a name only if it is not the last one, nor replace a name only if it still leads where it did:
//! the check and the change are two calls, a few microseconds apart.

pub mod clone;
mod error;
mod metadata;
mod opener;
mod remove;
pub mod snapshot;
mod tree;
mod work;

use polylink_core::{Fault, FaultKind};

pub use error::Error;

/// A fault that stops the whole run rather than one step.
fn is_fatal(fault: Fault) -> bool {
    fault.kind() == FaultKind::Interrupted
}
