//! Every name of one file, by reading directories.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use polylink_core::{
    At, DirBatch, DirIds, Fault, FaultKind, FileId, Kind, LinkFs, Name, NameBuf, PathError, Progress,
};

use crate::{DirState, Options, Root, Visited, Visitor, Walked, walk};

/// The names of a file that [`find_names`] found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// The names, by path.
    pub names: Vec<PathBuf>,
    /// Whether there can be no more of them below the roots: as many as the link count says were found, or all that
    /// there is was read.
    pub complete: bool,
    /// What could not be read, by path. Empty does not mean [`Found::complete`]: the search may have been cancelled.
    pub unreadable: Vec<PathError>,
    /// Mounts below the roots that were not entered, by path.
    pub other_mounts: Vec<PathBuf>,
}

/// Looks for all names of the file `id` below `roots`, and stops as soon as it has `links` of them.
///
/// Where directory reads hold file ids that can be trusted, only the names found are looked at, to be sure of them;
/// elsewhere every name is. Roots may overlap: no name is found twice. `id` may also be that of a symbolic link or a
/// special file.
///
/// Which names are found does not depend on the threads, unless there are more of them than `links`.
pub fn find_names(
    fs: &dyn LinkFs,
    id: FileId,
    links: u64,
    roots: &[Root],
    options: &Options,
    progress: &dyn Progress,
) -> Found {
    let (roots, options) = apart(fs, roots, options);
    let search = Search {
        fs,
        id,
        links,
        found: AtomicU64::new(0),
    };
    progress.begin("reading directories", None);
    let walked = walk(fs, &roots, &options, &search, progress);
    progress.end();
    search.report(&walked, &roots)
}

/// The roots without those that are one directory under two paths, and options under which none of them is entered
/// from another: so each directory is read once.
fn apart(fs: &dyn LinkFs, roots: &[Root], options: &Options) -> (Vec<Root>, Options) {
    let mut sorted: Vec<&Root> = roots.iter().collect();
    sorted.sort_by(|a, b| a.path.cmp(&b.path));
    let mut options = options.clone();
    let mut kept = BTreeSet::new();
    let roots: Vec<Root> = sorted
        .into_iter()
        .filter(|root| match fs.stat_dir(&root.dir) {
            Ok(stat) => kept.insert(stat.id),
            Err(_) => true, // the walk finds out again, and reports it
        })
        .cloned()
        .collect();
    if roots.len() > 1 {
        options.leave_out.extend(kept);
    }
    (roots, options)
}

struct Search<'a> {
    fs: &'a dyn LinkFs,
    id: FileId,
    links: u64,
    found: AtomicU64,
}

#[derive(Default)]
struct Local {
    names: Vec<(u32, NameBuf)>,
    faults: Vec<(u32, NameBuf, Fault)>,
}

impl Visitor for Search<'_> {
    type Local = Local;

    fn local(&self) -> Local {
        Local::default()
    }

    fn batch(&self, local: &mut Local, dir: Visited<'_>, batch: &DirBatch) -> ControlFlow<()> {
        let trusted = batch.ids() == DirIds::Trusted;
        for entry in batch.iter() {
            if entry.kind == Kind::Directory || (trusted && entry.id != self.id) {
                continue;
            }
            match self.fs.stat(At::new(dir.dir, entry.name)) {
                Ok(stat) if stat.id == self.id => {
                    local.names.push((dir.number, entry.name.to_buf()));
                    self.found.fetch_add(1, Ordering::Relaxed);
                }
                Ok(_) => {}
                Err(fault) if gone(fault) => {}
                Err(fault) => local.faults.push((dir.number, entry.name.to_buf(), fault)),
            }
        }
        if self.found.load(Ordering::Relaxed) >= self.links {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// Whether what was to be looked at went away meanwhile, which is no failure.
fn gone(fault: Fault) -> bool {
    matches!(fault.kind(), FaultKind::NotFound | FaultKind::Stale)
}

impl Search<'_> {
    fn report(&self, walked: &Walked<Local>, roots: &[Root]) -> Found {
        let path = |dir: u32, name: Name<'_>| {
            let dir = walked.path(roots, dir);
            name.to_os().map_or_else(|| dir.clone(), |name| dir.join(&*name))
        };
        let mut found = Found {
            names: Vec::new(),
            complete: false,
            unreadable: Vec::new(),
            other_mounts: Vec::new(),
        };
        for local in &walked.locals {
            found
                .names
                .extend(local.names.iter().map(|(dir, name)| path(*dir, name.name())));
            found
                .unreadable
                .extend(local.faults.iter().map(|(dir, name, fault)| PathError {
                    action: "look at",
                    path: path(*dir, name.name()),
                    to: None,
                    fault: *fault,
                }));
        }
        for (number, node) in (0u32..).zip(&walked.dirs) {
            match node.state {
                DirState::Failed(fault) if node.parent.is_none() || !gone(fault) => {
                    found.unreadable.push(PathError {
                        action: "read",
                        path: walked.path(roots, number),
                        to: None,
                        fault,
                    });
                }
                DirState::OtherMount => found.other_mounts.push(walked.path(roots, number)),
                _ => {}
            }
        }
        found.names.sort_unstable();
        found.unreadable.sort_by(|a, b| a.path.cmp(&b.path));
        found.other_mounts.sort_unstable();
        let all = self.found.load(Ordering::Relaxed) >= self.links;
        found.complete = all || (!walked.stopped && found.unreadable.is_empty());
        found
    }
}

#[cfg(test)]
mod tests;
