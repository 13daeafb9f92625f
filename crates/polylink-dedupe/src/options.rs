//! What the user may choose.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use polylink_walk::Filter;

/// Which of several identical files stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Keep {
    /// The one that lets the most be freed, which is one that has names beyond the paths and stays anyway; among those
    /// the one whose staying moves the fewest names.
    #[default]
    Auto,
    /// The one whose name comes first: arguments in their order, below each of them in path order.
    First,
    /// The one that was changed longest ago.
    Oldest,
    /// The one that was changed last.
    Newest,
    /// The one with the most names, wherever they are.
    MostLinks,
}

/// A part of a file's metadata.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Part {
    /// Permission bits of Unix, attributes of NT.
    Mode,
    /// User and group.
    Owner,
    /// When the data was last changed.
    Times,
    /// Extended attributes, access lists among them; alternate data streams of NTFS.
    Xattrs,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Mode, Self::Owner, Self::Times, Self::Xattrs];
}

/// How to look for identical files and what to do with them.
#[derive(Clone, Debug)]
pub struct Options {
    /// Smaller files are left alone, in bytes.
    pub min_size: u64,
    /// Which of several identical files stays.
    pub keep: Keep,
    /// Parts of the metadata that may differ. Those of the file that stays then count for all its names.
    pub ignore: BTreeSet<Part>,
    /// Which files below the directories are taken; files that were named themselves always are.
    pub filter: Filter,
    /// Most names that a file shall get; by default what the file system allows, less one in 64 as head-room for others
    /// who make links, such as backups.
    pub max_links: Option<u64>,
    /// Threads; by default as many as the machine has, at most eight.
    pub threads: Option<NonZeroUsize>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            min_size: 1,
            keep: Keep::Auto,
            ignore: BTreeSet::new(),
            filter: Filter::default(),
            max_links: None,
            threads: None,
        }
    }
}

impl Options {
    pub(crate) fn threads(&self) -> usize {
        self.threads
            .or_else(|| std::thread::available_parallelism().ok())
            .map_or(1, NonZeroUsize::get)
            .min(8)
    }

    /// Most names that a file gets on a volume with this limit.
    pub(crate) fn most_links(&self, limit: Option<u64>) -> u64 {
        let limit = limit.unwrap_or(u64::MAX);
        match self.max_links {
            Some(most) => most.min(limit),
            None => limit - limit / 64,
        }
    }
}
