//! Accounting: what names, files and directories really occupy, and what deleting them would free.
//!
//! A file with several names is one file. [`usage`] counts it once in each directory that has one of its names at or
//! below, whichever name is met first, and tells apart what a directory *shares* with the rest of the disk and what it
//! holds *exclusively*, because all of the file's names lie inside.
//!
//! ```
//! use polylink_core::{MemFs, Silent};
//! use polylink_usage::{Options, SortBy, Target, usage};
//!
//! let fs = MemFs::new();
//! fs.create("/photos/2007/a.jpg", 4096).unwrap();
//! fs.create("/photos/2008/b.jpg", 4096).unwrap();
//! fs.link_path("/photos/2007/a.jpg", "/flat/a.jpg").unwrap();
//!
//! let targets = [Target::open(&fs, "/photos").unwrap(), Target::open(&fs, "/flat").unwrap()];
//! let usage = usage(&fs, &targets, &Options::default(), &Silent);
//! assert_eq!((usage.total.names, usage.total.files), (3, 2));
//! assert_eq!((usage.total.logical_bytes, usage.total.disk_bytes), (3 * 4096, 2 * 4096));
//! assert_eq!(usage.total.exclusive_bytes, 2 * 4096); // deleting both frees everything
//!
//! let rows = usage.rows(Some(0), SortBy::Disk, None);
//! assert_eq!(rows[0].path.to_str(), Some("/photos"));
//! assert_eq!(rows[0].figures.exclusive_bytes, 4096); // b.jpg: a.jpg lives on in /flat
//! assert_eq!(rows[1].figures.exclusive_bytes, 0);
//! ```
//!
//! # Concepts
//!
//! *Logical* bytes count each name, *disk* bytes each file once by what is allocated for it; *exclusive* bytes are those
//! of files all of whose names, by link count, lie inside; *shared* is disk − exclusive. Names of these files that lie
//! beyond everything that was scanned are *outside*. [`Usage::total`] takes all arguments as one set: two directories
//! that each free nothing may free everything together.
//!
//! # Guarantees
//!
//! The figures do not depend on the order of the arguments, on the threads, or on arguments that lie inside each other
//! or are equal: each directory is read once. Where directory reads hold file ids that can be trusted, a name whose file
//! was met before needs no `stat`. What could not be read makes the figures lower bounds, and [`Usage::complete`] and
//! [`Row::complete`] say where. A file of several names costs less than 100 bytes with three of them, a file of one name
//! nothing.
//!
//! # Errors
//!
//! There is no error that leaves one without an answer: what failed is in [`Usage::problems`].
//!
//! # Limits
//!
//! A tree that changes while it is read has no single answer: names that went away are counted in [`Usage::vanished`],
//! files with more names than they should have in [`Usage::racing`]. Bytes that files share below the level of files
//! (reflinks, deduplicated blocks) are counted for each of them.

mod figures;
mod files;
mod fold;
mod report;
mod scan;
mod target;
mod tree;

use std::collections::HashSet;

use polylink_core::{FileId, Kind, LinkFs, Progress};
use polylink_walk::walk;

pub use figures::{Figures, SortBy};
pub use polylink_walk::Target;
pub use polylink_walk::{Mounts, Options, Root};
pub use report::{Row, Usage};

use files::{Files, LastSpace, push_tight};
use fold::{Gathered, fold};
use scan::{Local, Scan};
use target::Arguments;
use tree::Tree;

/// Accounts for everything at and below `targets`.
///
/// Directories in [`Options::leave_out`] do not count, unless they are arguments themselves. Steps of `progress` are
/// directory entries.
pub fn usage(fs: &dyn LinkFs, targets: &[Target], options: &Options, progress: &dyn Progress) -> Usage {
    let arguments = Arguments::new(fs, targets);
    let files = Files::new();
    let mut last = LastSpace::default();
    let handles = arguments
        .files
        .iter()
        .map(|file| match &file.stat {
            Ok(stat) if stat.kind == Kind::File && stat.links > 1 => {
                files.meet(files.key(stat.id, &mut last), stat)
            }
            _ => None,
        })
        .collect();

    let left_out: HashSet<FileId> = options.leave_out.iter().copied().collect();
    let mut walk_options = options.clone();
    if arguments.roots.len() > 1 {
        // an argument below another one is read once, as an argument, and put in its place afterwards
        walk_options.leave_out.extend(arguments.root_ids.keys());
    }
    progress.begin("reading directories", None);
    let scan = Scan {
        fs,
        mounts: options.mounts,
        files: &files,
    };
    let mut walked = walk(fs, &arguments.roots, &walk_options, &scan, progress);
    progress.end();
    for local in &mut walked.locals {
        look_again(local, &files, &mut last);
    }
    fold(Gathered {
        tree: Tree::new(walked.dirs, &arguments, &left_out, options.mounts),
        locals: walked.locals,
        arguments,
        handles,
        records: files.into_records(),
        stopped: walked.stopped,
    })
}

/// Names that could not be looked at, but whose files are known through other names: whether those came first must not
/// matter.
fn look_again(local: &mut Local, files: &Files, last: &mut LastSpace) {
    for blind in std::mem::take(&mut local.blind) {
        match blind.id.and_then(|id| files.find(files.key(id, last))) {
            Some(handle) => {
                push_tight(&mut local.files, handle);
                push_tight(&mut local.runs, (blind.dir, 1));
            }
            None => local.blind.push(blind),
        }
    }
}
