//! A clone: a tree of hard links beside its source, kept in step with it.

mod apply;
mod diff;
mod falls;
mod step;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use polylink_core::{
    At, Dir, FaultKind, FileFs, FileId, HardLinks, Kind, Name, NameBuf, PathError, Progress, ResultExt as _,
};
use polylink_view::{Fallback, Fallbacks, Ledger};

use crate::error::Error;
use crate::metadata::Rights;
use crate::tree::{Tree, Wanted};

pub(crate) use apply::copy_symlink;
pub use apply::{apply, apply_with};
pub use step::{Old, Step};

/// What happens to names in the clone that have no counterpart in the source.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Extra {
    /// They go where their files have further names, provided that the directory looks like a clone of this source.
    #[default]
    Prune,
    /// The same, whatever the directory looks like.
    PruneAnyway,
    /// They stay.
    Keep,
}

/// What happens to a name in the clone that should go and is the last one of its file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Orphans {
    /// It stays and is reported; where another file takes its place, under a name of its own.
    #[default]
    Keep,
    /// It is removed, and with it the file's data.
    Delete,
}

/// How a clone is made and kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// What happens to names without a counterpart.
    pub extra: Extra,
    /// What happens to last names.
    pub orphans: Orphans,
    /// What to make where no hard link can be; nothing, so that such files fail, by default.
    pub fallback: Option<Fallback>,
    /// The user who makes it, where the system has user ids: others than root cannot give directories away.
    pub user: Option<u32>,
    /// Threads; by default as many as the machine has, at most eight.
    pub threads: Option<NonZeroUsize>,
}

/// What to clone.
#[derive(Clone, Debug)]
pub struct Request {
    /// The source, absolute and free of symbolic links.
    pub source: PathBuf,
    /// The clone, absolute; it need not exist yet, its parent must.
    pub dest: PathBuf,
    /// The choices.
    pub options: Options,
}

/// The summary of a clone, forecast or done.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Names made.
    pub linked: u64,
    /// Names that were right already.
    pub kept: u64,
    /// Names that now lead to another file, because their counterpart does.
    pub relinked: u64,
    /// Names removed whose counterpart is gone; their files have further names.
    pub removed: u64,
    /// Those of them whose files have no name in the source: files that were moved out of it, and links that somebody
    /// made in the clone.
    pub strangers: Vec<PathBuf>,
    /// Last names that were removed, as the user chose.
    pub orphans_deleted: u64,
    /// Last names that should have gone and stay.
    pub orphans: Vec<PathBuf>,
    /// Names without a counterpart that stay because the user chose so.
    pub extra: u64,
    /// Names below parts of the source that could not be seen: they stay.
    pub held: u64,
    /// Names that are no hard links, by what they are; those that are kept among them.
    pub fallbacks: Fallbacks,
    /// Those of them that were made in this run where there was none.
    pub fallbacks_made: u64,
    /// Those of them that were made anew because their sources changed.
    pub refreshed: u64,
    /// Symbolic links made anew because the file system gives them no further name.
    pub symlinks: u64,
    /// Special files (devices, pipes, sockets) that the file system gives no further name: left out.
    pub special: u64,
    /// Files that vanished meanwhile.
    pub vanished: u64,
    /// Directories made.
    pub dirs_made: u64,
    /// Directories removed.
    pub dirs_removed: u64,
    /// Directories whose metadata was brought in line, new ones not counted.
    pub dirs_updated: u64,
    /// Directories whose owner or other metadata could not be given in full.
    pub dirs_lost: u64,
    /// Directories where another file system begins: not entered.
    pub other_mounts: Vec<PathBuf>,
    /// Parts of the source that could not be read: nothing below them was changed.
    pub unreadable: Vec<PathError>,
    /// What did not work.
    pub failures: Vec<PathError>,
    /// The ledger could not be written: the run ended there.
    pub ledger_error: Option<Arc<polylink_view::Error>>,
    /// The user stopped it, or the file system did; the next run completes it.
    pub stopped: bool,
}

impl Outcome {
    /// Whether everything that should have been done was.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty() && self.unreadable.is_empty() && !self.stopped
    }
}

/// A change to a name that exists in the clone.
#[derive(Clone, Debug)]
enum Change {
    /// What a killed run left.
    RemoveTemporary { dir: u32, entry: usize },
    /// Its file has further names; none of them in the source where it is a stranger.
    Remove {
        dir: u32,
        entry: usize,
        id: FileId,
        stranger: bool,
    },
    /// The last name of a file, as the user chose.
    Delete { dir: u32, entry: usize, id: FileId },
    /// The last name of a file, where a directory must be.
    Rename {
        dir: u32,
        entry: usize,
        id: FileId,
        to: NameBuf,
    },
    /// It becomes a name of the file that its counterpart now leads to.
    Relink {
        dir: u32,
        /// The directory of the source, and the entry there.
        source: u32,
        entry: usize,
        old: FileId,
        old_version: Old,
        how: How,
    },
    /// A fallback whose counterpart is gone, and which holds nothing that is not elsewhere.
    RemoveFallback { dir: u32, entry: usize },
}

/// How a name is brought in line with its counterpart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum How {
    Link,
    Fall(Fallback),
}

/// Why a directory gets its metadata.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Touch {
    /// It is new.
    New,
    /// Names in it change, and with them its times.
    Inside,
    /// It has other metadata than its counterpart.
    Differs,
}

impl Change {
    /// The directory of the clone.
    fn dir(&self) -> u32 {
        match self {
            Self::RemoveTemporary { dir, .. }
            | Self::Remove { dir, .. }
            | Self::Delete { dir, .. }
            | Self::Rename { dir, .. }
            | Self::RemoveFallback { dir, .. }
            | Self::Relink { dir, .. } => *dir,
        }
    }
}

/// What [`plan`] found out and means to do.
#[derive(Debug)]
pub struct Plan {
    options: Options,
    rights: Rights,
    source: Tree,
    /// Source and clone lie on different file systems.
    apart: bool,
    known: falls::Known,
    /// Fallbacks that stay as they are.
    standing: Fallbacks,
    dest_path: PathBuf,
    parent: Dir,
    /// The clone, where it exists already.
    dest: Option<Tree>,
    changes: Vec<Change>,
    /// Directories of the clone that go, those below first.
    remove_dirs: Vec<u32>,
    /// Directories of the source whose counterparts are made, those above first.
    make_dirs: Vec<u32>,
    /// Names to make, by directory of the source, in path order.
    links: Vec<(u32, Vec<usize>)>,
    /// Fallbacks to make, in the same way.
    falls: Vec<(u32, Vec<usize>)>,
    /// Directories of the source whose counterparts get their metadata, in path order.
    set_dirs: Vec<(u32, Touch)>,
    report: Outcome,
}

impl Plan {
    /// What will become of it if nothing goes wrong.
    #[must_use]
    pub fn forecast(&self) -> &Outcome {
        &self.report
    }

    /// The clone.
    #[must_use]
    pub fn dest(&self) -> &Path {
        &self.dest_path
    }
}

/// Compares a source with its clone. Changes nothing.
///
/// # Errors
///
/// [`Error`] where the clone cannot be made at all.
pub fn plan(fs: &dyn FileFs, request: &Request, progress: &dyn Progress) -> Result<Plan, Error> {
    plan_from(fs, request, None, progress)
}

/// As [`plan`], with the ledger that knows the clone's fallbacks: [`Options::fallback`] needs it, and so does keeping
/// those of earlier runs right.
///
/// # Errors
///
/// As [`plan`]; where the ledger cannot be read.
pub fn plan_with(
    fs: &dyn FileFs,
    request: &Request,
    ledger: &Ledger,
    progress: &dyn Progress,
) -> Result<Plan, Error> {
    plan_from(fs, request, Some(ledger), progress)
}

fn plan_from(
    fs: &dyn FileFs,
    request: &Request,
    ledger: Option<&Ledger>,
    progress: &dyn Progress,
) -> Result<Plan, Error> {
    let (source, dest) = (&request.source, &request.dest);
    if dest.starts_with(source) || source.starts_with(dest) {
        return Err(Error::Nested {
            source_dir: source.clone(),
            dest: dest.clone(),
        });
    }
    let root = fs.open_dir(source).at("open", source)?;
    let root_stat = fs.stat_dir(&root).at("look at", source)?;
    let (Some(above), Some(name)) = (dest.parent(), dest.file_name()) else {
        return Err(Error::NotDirectory(dest.clone()));
    };
    let parent = fs.open_dir(above).at("open", above)?;
    let at = At::new(&parent, Name::from_os(name));
    let dest_dir = match fs.open_child(at) {
        Ok(dir) => Some(dir),
        Err(fault) if fault.kind() == FaultKind::NotFound => None,
        Err(fault) => match fs.stat(at) {
            Ok(stat) if stat.kind != Kind::Directory => return Err(Error::NotDirectory(dest.clone())),
            _ => return Err(fault).at("open", dest).map_err(Error::from),
        },
    };
    let here = dest_dir.as_ref().unwrap_or(&parent);
    let here_stat = fs.stat_dir(here).at("look at", dest)?;
    let apart = here_stat.id.volume != root_stat.id.volume || here_stat.mount != root_stat.mount;
    if apart && (request.options.fallback.is_none() || ledger.is_none()) {
        return Err(Error::OtherVolume {
            source_dir: source.clone(),
            dest: dest.clone(),
        });
    }
    if here_stat.id == root_stat.id && dest_dir.is_some() {
        return Err(Error::Nested {
            source_dir: source.clone(),
            dest: dest.clone(),
        });
    }
    let volume = fs.volume(here).at("look at", dest)?;
    if volume.hard_links == HardLinks::No && request.options.fallback.is_none() {
        return Err(Error::NoHardLinks {
            dest: dest.clone(),
            kind: volume.kind,
        });
    }
    progress.begin("reading", None);
    let wanted = |root: Dir, path| Wanted {
        root,
        path,
        leave_out: Vec::new(),
        threads: request.options.threads,
    };
    let source_tree = Tree::read(fs, wanted(root, source), progress);
    let dest_tree = dest_dir.map(|dir| Tree::read(fs, wanted(dir, dest), progress));
    progress.end();
    let source_tree = source_tree.ok_or(Error::Cancelled)?;
    let dest_tree = match dest_tree {
        Some(tree) => Some(tree.ok_or(Error::Cancelled)?),
        None => None,
    };
    for tree in [Some(&source_tree), dest_tree.as_ref()].into_iter().flatten() {
        if let Some(unreadable) = tree
            .gaps()
            .unreadable
            .into_iter()
            .find(|gap| gap.path == tree.path)
        {
            return Err(unreadable.into());
        }
    }
    let known = match ledger {
        Some(ledger) => falls::Known::new(ledger.fallbacks()?),
        None => falls::Known::default(),
    };
    let place = diff::Place {
        parent,
        apart: apart || volume.hard_links == HardLinks::No,
        volume: &volume,
    };
    diff::diff(fs, request, source_tree, dest_tree, known, place)
}
