//! Why a view cannot be planned at all. What goes wrong with single files is in the outcome instead.

use std::path::PathBuf;

use polylink_core::{PathError, shown};
use polylink_walk::BadGlob;
use thiserror::Error;

use crate::ledger::LedgerFault;

/// Why a view cannot be planned or applied at all.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A directory cannot be opened, read or made.
    #[error(transparent)]
    Path(#[from] PathError),
    /// There are no sources.
    #[error("a view needs at least one source")]
    NoSource,
    /// The view is one of the sources, or lies so that a source is inside it.
    #[error("the source '{}' is inside the view '{}'", shown(.source_dir), shown(.view))]
    SourceInsideView {
        /// The source.
        source_dir: PathBuf,
        /// The view.
        view: PathBuf,
    },
    /// Something that is no directory stands where the view should be.
    #[error("'{}' is not a directory", shown(.0))]
    ViewIsNotDirectory(PathBuf),
    /// Hard links cannot lead from the view to this source.
    #[error("the source '{}' and the view '{}' are on different file systems or mounts", shown(.source_dir), shown(.view))]
    OtherVolume {
        /// The source.
        source_dir: PathBuf,
        /// The view.
        view: PathBuf,
    },
    /// The file system of the view has no hard links.
    #[error("the file system of '{}' ({kind}) has no hard links", shown(.view))]
    NoHardLinks {
        /// The view.
        view: PathBuf,
        /// The file system.
        kind: String,
    },
    /// A glob that cannot be understood.
    #[error(transparent)]
    Glob(#[from] BadGlob),
    /// A template that cannot be understood.
    #[error("the name template '{template}' cannot be used: {why}")]
    Template {
        /// The template.
        template: String,
        /// What is wrong with it.
        why: String,
    },
    /// The ledger cannot be used.
    #[error("the ledger '{}' cannot be used", shown(.path))]
    Ledger {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        fault: LedgerFault,
    },
    /// All names are gone from a view whose deletions are to be carried to the sources: more likely a mistake.
    #[error("all {names} names are gone from the view '{}', and each deletion would delete its source", shown(.view))]
    EveryNameGone {
        /// The view.
        view: PathBuf,
        /// How many names it had.
        names: usize,
    },
    /// The user wanted it to stop before anything was changed.
    #[error("stopped before anything was changed")]
    Cancelled,
}
