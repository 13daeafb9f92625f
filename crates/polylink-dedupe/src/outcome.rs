//! What a run came to.

use std::path::PathBuf;

use polylink_core::{PathError, Stat};

use crate::group::Apart;
use crate::scan::Scanned;

/// What was found and done, in numbers, and what was not and why.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    /// What was met.
    pub scanned: Scanned,
    /// How many contents more than one file had.
    pub sets: u64,
    /// Names that lead to another file now.
    pub moved_names: u64,
    /// Files that lost all their names below the paths.
    pub merged_files: u64,
    /// Of these, files that are gone: they had no other name.
    pub freed_files: u64,
    /// What had been allocated for those, in bytes.
    pub freed_bytes: u64,
    /// Files that lost all their names below the paths and live on under names elsewhere.
    pub held_files: u64,
    /// What is allocated for those, in bytes: freed when their other names go.
    pub held_bytes: u64,
    /// Identical files that stay because no file may have so many names.
    pub at_limit: u64,
    /// Files that hold the same and were kept apart.
    pub apart: Apart,
    /// Temporary names of a killed run that were removed.
    pub temporaries: u64,
    /// Files and names that changed while this was at work and were left as they are.
    pub changed: Vec<PathBuf>,
    /// Names of files whose hash was equal and whose content was not; they were left as they are.
    pub unequal: Vec<PathBuf>,
    /// What could not be read, and was therefore left alone.
    pub unreadable: Vec<PathError>,
    /// Names that could not be changed.
    pub failures: Vec<PathError>,
    /// Other file systems below the paths, which were not entered.
    pub other_mounts: Vec<PathBuf>,
    /// Whether the user stopped it: all that was done until then is whole.
    pub stopped: bool,
}

impl Outcome {
    /// Whether everything could be read and done.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty()
            && self.unreadable.is_empty()
            && self.changed.is_empty()
            && self.unequal.is_empty()
            && !self.stopped
    }

    pub(crate) fn count_merged(&mut self, stat: &Stat, gone: bool) {
        self.merged_files += 1;
        let (files, bytes) = if gone {
            (&mut self.freed_files, &mut self.freed_bytes)
        } else {
            (&mut self.held_files, &mut self.held_bytes)
        };
        *files += 1;
        *bytes = bytes.saturating_add(stat.allocated);
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.moved_names += other.moved_names;
        self.merged_files += other.merged_files;
        self.freed_files += other.freed_files;
        self.freed_bytes = self.freed_bytes.saturating_add(other.freed_bytes);
        self.held_files += other.held_files;
        self.held_bytes = self.held_bytes.saturating_add(other.held_bytes);
        self.at_limit += other.at_limit;
        self.changed.extend(other.changed);
        self.unequal.extend(other.unequal);
        self.failures.extend(other.failures);
        self.stopped |= other.stopped;
    }
}
