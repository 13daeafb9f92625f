//! Identical files become names of one file, and names become files of their own again.
//!
//! [`plan`] finds files of the same content and says which name leads to which file afterwards; [`apply`] does it.
//! [`plan_split`] and [`apply_split`] are the way back: each name gets a copy of its own.
//!
//! ```
//! use polylink_core::{MemFs, Silent};
//! use polylink_dedupe::{Options, Target, apply, plan};
//!
//! let fs = MemFs::new();
//! for path in ["/2007/a.jpg", "/2008/b.jpg"] {
//!     fs.create_with(path, 4096, 1 << 16).unwrap();
//!     fs.edit_metadata(path, |metadata| metadata.modified = 0).unwrap();
//! }
//! let targets = [Target::open(&fs, "/").unwrap()];
//! let plan = plan(&fs, &targets, &Options::default(), &Silent);
//! assert_eq!(
//!     plan.steps().next().unwrap().to_string(),
//!     if cfg!(windows) { "make '/2008\\b.jpg' a name of '/2007\\a.jpg'" } else { "make '/2008/b.jpg' a name of '/2007/a.jpg'" }
//! );
//! let outcome = apply(&fs, plan, &Silent);
//! assert_eq!((outcome.moved_names, outcome.freed_bytes), (1, 4096));
//! ```
//!
//! # Concepts
//!
//! Files are told apart by what is cheap to know first: size, then the first block, then a hash of all of the content,
//! then the metadata. So nothing is compared with everything, whatever the files are; only before a file gives its names
//! away is it compared byte for byte, with the one file that takes them.
//!
//! All names of a file go at once, so a link group is merged in one run. A file is *freed* when its last name is gone; a
//! file with names beyond the paths lives on there and is *held*, which is counted apart.
//!
//! # Guarantees
//!
//! No name is missing at any moment. A file that is not what it was when it was read is left alone. Nothing that the plan
//! says depends on threads or on the order in which directories are read. Memory is for names and files, not for
//! content.
//!
//! # Errors
//!
//! There is no error that leaves one without an answer: what could not be read or done is in the [`Outcome`].
//!
//! # Limits
//!
//! Bytes that files share below the level of files (reflinks, deduplicated blocks) are counted as freed although another
//! file may still hold them. A program that keeps a file open and writes to it in the instant between the last look and
//! the rename writes into a file that has no name any more; no system call closes that gap.

mod apply;
mod check;
mod content;
mod group;
mod options;
mod outcome;
mod places;
mod plan;
mod pool;
mod scan;
mod split;

pub use apply::apply;
pub use check::{Check, CheckOptions, Checked, CopyOf, Kept, check};
pub use group::Apart;
pub use options::{Keep, Options, Part};
pub use outcome::Outcome;
pub use plan::{Plan, Step, plan};
pub use polylink_walk::Target;
pub use scan::Scanned;
pub use split::{Loss, SplitOptions, SplitOutcome, SplitPlan, SplitStep, apply_split, plan_split};
