//! Why a clone or snapshot cannot be made at all. What goes wrong with single files is in the outcome instead.

use std::path::PathBuf;

use polylink_core::{PathError, shown};
use thiserror::Error;

/// Why a clone or snapshot cannot be made at all.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A directory cannot be opened, read or made.
    #[error(transparent)]
    Path(#[from] PathError),
    /// Something that is no directory stands where one should be.
    #[error("'{}' is not a directory", shown(.0))]
    NotDirectory(PathBuf),
    /// One of the two lies in the other.
    #[error("'{}' and '{}' lie one in the other", shown(.source_dir), shown(.dest))]
    Nested {
        /// The source.
        source_dir: PathBuf,
        /// The clone or store.
        dest: PathBuf,
    },
    /// Hard links cannot lead from one to the other.
    #[error("'{}' and '{}' are on different file systems or mounts", shown(.source_dir), shown(.dest))]
    OtherVolume {
        /// The source.
        source_dir: PathBuf,
        /// The clone.
        dest: PathBuf,
    },
    /// The file system has no hard links.
    #[error("the file system of '{}' ({kind}) has no hard links", shown(.dest))]
    NoHardLinks {
        /// The clone.
        dest: PathBuf,
        /// The file system.
        kind: String,
    },
    /// The directory holds names, and none of them is one of the file at its place in the source.
    #[error("'{}' does not look like a clone of '{}': none of its {names} names fits", shown(.dest), shown(.source_dir))]
    NotAClone {
        /// The source.
        source_dir: PathBuf,
        /// The directory.
        dest: PathBuf,
        /// How many names it has.
        names: usize,
    },
    /// The ledger of a clone's fallbacks cannot be used.
    #[error(transparent)]
    Ledger(#[from] polylink_view::Error),
    /// A name for snapshots that cannot be one.
    #[error("'{0}' cannot be the name of a snapshot")]
    Name(String),
    /// The user wanted it to stop before anything was changed.
    #[error("stopped before anything was changed")]
    Cancelled,
}
