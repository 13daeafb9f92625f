//! What the user can choose about a view.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use crate::fallback::Fallback;
use crate::template::Template;
use polylink_walk::Filter;

/// How often a file with several names in the sources appears in the view.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Appear {
    /// Once: it is one file.
    #[default]
    OncePerFile,
    /// Once for each of its names.
    EveryName,
}

/// What happens to a view name that is the last one of its file, after its names in the sources went.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Orphans {
    /// It stays and is reported.
    #[default]
    Keep,
    /// It is removed, and with it the file's data.
    Delete,
    /// It is moved to this directory on the same file system.
    Move(PathBuf),
}

/// What happens to the old version of a file that was saved by rename, where the view holds its last name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Superseded {
    /// It becomes an orphan under a name of its own, and is treated as [`Orphans`] says.
    #[default]
    AsOrphan,
    /// It is dropped, and with it the old version's data.
    Drop,
    /// It is moved to this directory on the same file system.
    Move(PathBuf),
}

/// What happens when the user has deleted a name from the view while its file is still in the sources.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Deleted {
    /// The name is made again.
    #[default]
    Restore,
    /// It stays away, for as long as that file exists.
    Remember,
    /// The file's names in the sources are deleted as well.
    DeleteSource,
}

/// How a view is made and kept.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which files go in.
    pub filter: Filter,
    /// How often each appears.
    pub appear: Appear,
    /// How the names are formed.
    pub template: Template,
    /// What happens to orphans.
    pub orphans: Orphans,
    /// What happens to old versions.
    pub superseded: Superseded,
    /// What a deletion in the view means.
    pub deleted: Deleted,
    /// What to make where no hard link can be; nothing, so that such files fail, by default.
    pub fallback: Option<Fallback>,
    /// Threads for reading and linking; by default as many as the machine has, at most eight.
    pub threads: Option<NonZeroUsize>,
}

/// What a view is made of.
#[derive(Clone, Debug)]
pub struct Request {
    /// The source directories, absolute and free of symbolic links.
    pub sources: Vec<PathBuf>,
    /// The view's directory, absolute; it need not exist yet, its parent must.
    pub view: PathBuf,
    /// The choices.
    pub options: Options,
}
