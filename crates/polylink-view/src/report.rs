//! What an update did.

use std::path::PathBuf;

use polylink_core::{Fault, NameBuf, PathError};

use crate::error::Error;
use crate::fallback::Fallbacks;
use crate::scan::LeftOut;

/// One thing that did not work; everything else went on.
pub type Failure = PathError;

/// The summary of an update, forecast or done.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Names made for files that had none in the view.
    pub linked: u64,
    /// Names that were right already.
    pub kept: u64,
    /// Names that now lead to another file, because their source path does.
    pub relinked: u64,
    /// Names that the user gave in the view, and that are kept.
    pub renamed: u64,
    /// Names taken into the ledger that it did not know: an earlier run was stopped, or the ledger was lost.
    pub adopted: u64,
    /// Names removed because their source is gone; their files have other names.
    pub removed: u64,
    /// View names that hold the last name of their file, and that stay.
    pub orphans: Vec<NameBuf>,
    /// Orphans deleted, as the user chose.
    pub orphans_deleted: u64,
    /// Orphans moved away, as the user chose.
    pub orphans_moved: u64,
    /// Old versions of files saved by rename that only the view held, whatever became of them.
    pub superseded: u64,
    /// Source names deleted because the view name was, as the user chose.
    pub sources_deleted: u64,
    /// Names in the view that polylink did not make: never touched.
    pub foreign: u64,
    /// Names kept because what is below their source path could not be seen.
    pub held: u64,
    /// Names in the view that are symbolic links or copies, because no hard link can be there.
    pub fallbacks: Fallbacks,
    /// Those of them that were made by this update.
    pub fallbacks_made: u64,
    /// Those of them that were made anew, because their sources changed.
    pub refreshed: u64,
    /// What did not go in, by reason.
    pub left_out: LeftOut,
    /// Directories where another file system or mount begins: not entered, and nothing below them was removed.
    pub other_mounts: Vec<PathBuf>,
    /// Parts of the sources that could not be read: nothing below them was removed.
    pub unreadable: Vec<(PathBuf, Fault)>,
    /// What did not work.
    pub failures: Vec<Failure>,
    /// Names in the view that are polylink's, at the end.
    pub view_names: u64,
    /// Bytes of the files behind them, each as measured when its name was made or last looked at.
    pub view_bytes: u64,
    /// Bytes free on the file system before.
    pub free_before: Option<u64>,
    /// Bytes free after; `None` in a dry run.
    pub free_after: Option<u64>,
    /// Bytes that the view's directory itself occupied before; `None` where there was none.
    pub directory_before: Option<u64>,
    /// Bytes that it occupies after; `None` in a dry run.
    pub directory_after: Option<u64>,
    /// The user stopped it; the next run completes it.
    pub stopped: bool,
    /// The ledger could not be written: what was not done then was left undone.
    pub ledger_error: Option<Error>,
}

impl Outcome {
    /// Whether everything that should have been done was.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty() && self.unreadable.is_empty() && !self.stopped && self.ledger_error.is_none()
    }
}
