//! What there is: the files below the sources, and the names in the view.

mod again;

use std::cmp::Ordering;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use polylink_core::{
    At, Dir, DirBatch, Fault, FaultKind, FileId, FsResult, Kind, LinkFs, More, Name, Progress, is_part_name,
    is_temporary_name,
};
use polylink_walk::{DirState, Options as WalkOptions, Root, Visited, Visitor, Walked, identify, walk};
use rustc_hash::FxHashSet;

use crate::ledger::is_ledger_name;
use polylink_walk::Filter;

pub(crate) use again::{Again, LookAgain, Watches};

/// One name of a regular file below the sources.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) id: FileId,
    /// Index of the directory in [`Sources::dirs`].
    pub(crate) dir: u32,
    start: u64,
    len: u16,
}

/// One directory below the sources.
#[derive(Clone, Debug)]
pub(crate) struct SourceDir {
    /// Its root: index in [`Sources::roots`].
    pub(crate) root: u32,
    /// The names of the folders from the root to it, joined by slashes on every system; empty for the root.
    pub(crate) folders: Vec<u8>,
    /// Its absolute path.
    pub(crate) path: PathBuf,
    /// What was there when it was opened; `None` where it could not be.
    pub(crate) id: Option<FileId>,
    /// Whether it was read to its end and its files go into the view.
    pub(crate) state: DirUse,
    /// Its place in path order.
    rank: u32,
}

/// What a directory below the sources is to the view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DirUse {
    /// Its files go in.
    Open,
    /// The filter leaves it out.
    Excluded,
    /// It was not entered or not read to its end: the view itself, a mount, what is not permitted.
    Closed,
}

/// Names below the sources that do not go into the view, by reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LeftOut {
    /// Symbolic links.
    pub symlinks: u64,
    /// Devices, pipes, sockets.
    pub special: u64,
    /// Files that the filter leaves out.
    pub filtered: u64,
    /// Further names of files that are in the view by another name.
    pub other_names: u64,
    /// Ledgers of views, and temporary names.
    pub own: u64,
    /// Directories where another file system or mount begins; not entered.
    pub mounts: u64,
    /// Files that vanished while they were looked at.
    pub vanished: u64,
    /// Files whose names the user deleted from the view, and that stay away.
    pub remembered: u64,
}

/// Everything found below the sources.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) roots: Vec<Root>,
    /// For each of them whether it lies on another file system or mount than the view: nothing there can be linked.
    pub(crate) apart: Vec<bool>,
    pub(crate) dirs: Vec<SourceDir>,
    pub(crate) files: Vec<Wanted>,
    names: Vec<u8>,
    /// Bytes of `names` that no file needs any more.
    dead: usize,
    pub(crate) left_out: LeftOut,
    /// Directories and files that could not be read.
    pub(crate) unreadable: Vec<(PathBuf, Fault)>,
    /// Paths below which names may exist that were not seen: unreadable, or hidden by a mount.
    pub(crate) unseen: FxHashSet<PathBuf>,
    /// Where other file systems or mounts begin.
    pub(crate) other_mounts: Vec<PathBuf>,
}

#[derive(Default)]
struct Gathered {
    files: Vec<Wanted>,
    names: Vec<u8>,
    left_out: LeftOut,
    unreadable: Vec<(u32, Vec<u8>, Fault)>,
}

struct Gather<'a> {
    fs: &'a dyn LinkFs,
}

impl Visitor for Gather<'_> {
    type Local = Gathered;

    fn local(&self) -> Gathered {
        Gathered::default()
    }

    fn batch(&self, local: &mut Gathered, dir: Visited<'_>, batch: &DirBatch) -> ControlFlow<()> {
        local.files.reserve(batch.len());
        for entry in batch.iter() {
            match entry.kind {
                Kind::File => {}
                Kind::Directory => continue,
                Kind::Symlink => {
                    local.left_out.symlinks += 1;
                    continue;
                }
                Kind::Special => {
                    local.left_out.special += 1;
                    continue;
                }
                Kind::Unknown => {
                    let name = entry.name.bytes().to_vec();
                    match self.fs.stat(At::new(dir.dir, entry.name)) {
                        Err(fault) if fault.kind() == FaultKind::NotFound => local.left_out.vanished += 1,
                        Err(fault) => local.unreadable.push((dir.number, name, fault)),
                        // it came while we looked; the next run sees what it is
                        Ok(_) => local.unreadable.push((dir.number, name, FaultKind::Stale.into())),
                    }
                    continue;
                }
            }
            let name = entry.name.bytes();
            if name.starts_with(b".")
                && (is_ledger_name(name) || is_temporary_name(entry.name) || is_part_name(entry.name))
            {
                local.left_out.own += 1;
                continue;
            }
            match identify(self.fs, dir.dir, &entry, batch.ids()) {
                Ok((id, _)) => {
                    let start = local.names.len() as u64;
                    local.names.extend_from_slice(name);
                    // OK to cast: no file system has names of 64 KiB (DirBatch::push)
                    local.files.push(Wanted {
                        id,
                        dir: dir.number,
                        start,
                        len: name.len() as u16,
                    });
                }
                Err(fault) if fault.kind() == FaultKind::NotFound => local.left_out.vanished += 1,
                Err(fault) => local.unreadable.push((dir.number, name.to_vec(), fault)),
            }
        }
        ControlFlow::Continue(())
    }
}

impl Sources {
    /// Walks the sources. `None` if the user stopped it.
    pub(crate) fn read(
        fs: &dyn LinkFs,
        roots: Vec<Root>,
        filter: &Filter,
        options: &WalkOptions,
        progress: &dyn Progress,
    ) -> Option<Self> {
        let walked = walk(fs, &roots, options, &Gather { fs }, progress);
        if walked.stopped {
            return None;
        }
        let ranks = walked.ranks();
        let mut sources = Self {
            dirs: paths(&walked, &roots, &ranks),
            roots,
            apart: Vec::new(),
            files: Vec::new(),
            names: Vec::new(),
            dead: 0,
            left_out: LeftOut::default(),
            unreadable: Vec::new(),
            unseen: FxHashSet::default(),
            other_mounts: Vec::new(),
        };
        let excluded = sources.excluded(&walked, filter, &ranks);
        for ((node, dir), out) in walked.dirs.iter().zip(&sources.dirs).zip(&excluded) {
            let fault = match node.state {
                _ if *out => continue,
                DirState::Read | DirState::LeftOut | DirState::Loop => continue,
                DirState::OtherMount => {
                    sources.left_out.mounts += 1;
                    sources.unseen.insert(dir.path.clone());
                    sources.other_mounts.push(dir.path.clone());
                    continue;
                }
                DirState::Failed(fault) => fault,
                DirState::NotReached => FaultKind::Interrupted.into(),
            };
            if node.parent.is_some() && fault.kind() == FaultKind::NotFound {
                continue; // removed while we walked
            }
            sources.unreadable.push((dir.path.clone(), fault));
            sources.unseen.insert(dir.path.clone());
        }
        for ((node, dir), out) in walked.dirs.iter().zip(&mut sources.dirs).zip(&excluded) {
            dir.state = match node.state {
                _ if *out => DirUse::Excluded,
                DirState::Read => DirUse::Open,
                _ => DirUse::Closed,
            };
        }
        sources.merge(walked.locals, filter, &excluded);
        sources.other_mounts.sort();
        sources.unreadable.sort_by(|a, b| a.0.cmp(&b.0));
        Some(sources)
    }

    fn excluded(&self, walked: &Walked<Gathered>, filter: &Filter, ranks: &[u32]) -> Vec<bool> {
        let mut excluded = vec![false; self.dirs.len()];
        if filter.is_empty() {
            return excluded;
        }
        let mut by_rank: Vec<usize> = (0..ranks.len()).collect();
        by_rank.sort_unstable_by_key(|&number| ranks[number]);
        for number in by_rank {
            if let Some(parent) = walked.dirs[number].parent {
                excluded[number] =
                    excluded[parent as usize] || filter.leaves_out_directory(&self.dirs[number].folders);
            }
        }
        excluded
    }

    fn merge(&mut self, locals: Vec<Gathered>, filter: &Filter, excluded: &[bool]) {
        let files: usize = locals.iter().map(|local| local.files.len()).sum();
        self.files.reserve_exact(files);
        self.names
            .reserve_exact(locals.iter().map(|local| local.names.len()).sum());
        for local in locals {
            let base = self.names.len() as u64;
            self.names.extend_from_slice(&local.names);
            self.left_out.symlinks += local.left_out.symlinks;
            self.left_out.special += local.left_out.special;
            self.left_out.own += local.left_out.own;
            self.left_out.vanished += local.left_out.vanished;
            for (dir, name, fault) in local.unreadable {
                if !excluded[dir as usize] {
                    let path = join(&self.dirs[dir as usize].path, &name);
                    self.unseen.insert(path.clone());
                    self.unreadable.push((path, fault));
                }
            }
            self.files.extend(local.files.into_iter().map(|file| Wanted {
                start: file.start + base,
                ..file
            }));
        }
        if !filter.is_empty() {
            let mut files = std::mem::take(&mut self.files);
            let before = files.len();
            let mut path = Vec::new();
            files.retain(|file| {
                let dir = &self.dirs[file.dir as usize];
                below(&mut path, &dir.folders, self.name(file));
                !excluded[file.dir as usize] && filter.takes_file(&path)
            });
            self.left_out.filtered += (before - files.len()) as u64;
            self.files = files;
        }
    }

    /// How much it holds, for the test that nothing of it grows without end.
    #[cfg(test)]
    pub(crate) fn held(&self) -> Vec<(&'static str, usize)> {
        vec![
            ("open sources", self.roots.len()),
            ("sources elsewhere", self.apart.len()),
            ("source directories", self.dirs.len()),
            ("files", self.files.len()),
            // half of it may be dead
            (
                "bytes of file names",
                (self.names.len() - self.dead).max(self.dead),
            ),
            ("unreadable", self.unreadable.len()),
            ("unseen", self.unseen.len()),
            ("other mounts", self.other_mounts.len()),
        ]
    }

    pub(crate) fn name(&self, file: &Wanted) -> &[u8] {
        // OK to cast: the arena is in memory, so its length is a usize
        &self.names[file.start as usize..][..usize::from(file.len)]
    }

    pub(crate) fn dir(&self, file: &Wanted) -> &SourceDir {
        &self.dirs[file.dir as usize]
    }

    /// The file's absolute path.
    pub(crate) fn path(&self, file: &Wanted) -> PathBuf {
        join(&self.dir(file).path, self.name(file))
    }

    /// Whether the file lies on another file system or mount than the view.
    pub(crate) fn is_apart(&self, file: u32) -> bool {
        let dir = self.files[file as usize].dir;
        let root = self.dirs[dir as usize].root;
        self.apart.get(root as usize).copied().unwrap_or(false)
    }

    /// Path order: directories as [`Walked::ranks`] has them, then names by their bytes.
    pub(crate) fn order(&self, a: &Wanted, b: &Wanted) -> Ordering {
        let rank = |file: &Wanted| self.dir(file).rank;
        rank(a).cmp(&rank(b)).then_with(|| self.name(a).cmp(self.name(b)))
    }

    /// Whether something may exist at `path` although it was not seen.
    pub(crate) fn may_exist_unseen(&self, path: &Path) -> bool {
        !self.unseen.is_empty() && path.ancestors().any(|above| self.unseen.contains(above))
    }
}

/// The paths of all directories, each made from its parent's.
fn paths(walked: &Walked<Gathered>, roots: &[Root], ranks: &[u32]) -> Vec<SourceDir> {
    let mut dirs: Vec<SourceDir> = Vec::with_capacity(walked.dirs.len());
    for (node, &rank) in walked.dirs.iter().zip(ranks) {
        // a parent has a smaller number than its children
        let dir = match node.parent.map(|parent| &dirs[parent as usize]) {
            Some(parent) => {
                let mut folders = Vec::new();
                below(&mut folders, &parent.folders, node.name.bytes());
                SourceDir {
                    root: node.root,
                    folders,
                    path: join(&parent.path, node.name.bytes()),
                    id: node.id,
                    state: DirUse::Closed,
                    rank,
                }
            }
            None => SourceDir {
                root: node.root,
                folders: Vec::new(),
                path: roots[node.root as usize].path.clone(),
                id: node.id,
                state: DirUse::Closed,
                rank,
            },
        };
        dirs.push(dir);
    }
    dirs
}

/// Puts the path of `name` in `folders` into `path`.
fn below(path: &mut Vec<u8>, folders: &[u8], name: &[u8]) {
    path.clear();
    path.extend_from_slice(folders);
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name);
}

pub(crate) fn join(dir: &Path, name: &[u8]) -> PathBuf {
    Name::new(name)
        .to_os()
        .map_or_else(|| dir.to_path_buf(), |name| dir.join(&*name))
}

/// One name in the view.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ViewName {
    pub(crate) id: FileId,
    pub(crate) kind: Kind,
    start: u64,
    len: u16,
}

/// All names in the view.
#[derive(Debug, Default)]
pub(crate) struct ViewNames {
    pub(crate) names: Vec<ViewName>,
    arena: Vec<u8>,
}

impl ViewNames {
    pub(crate) fn read(fs: &dyn LinkFs, view: &Dir) -> FsResult<Self> {
        let mut names = Self::default();
        let mut batch = DirBatch::new();
        loop {
            let more = fs.read_dir(view, &mut batch)?;
            for entry in batch.iter() {
                let (id, kind) = match (entry.kind, identify(fs, view, &entry, batch.ids())) {
                    (Kind::Unknown, _) => match fs.stat(At::new(view, entry.name)) {
                        Ok(stat) => (stat.id, stat.kind),
                        Err(fault) if fault.kind() == FaultKind::NotFound => continue,
                        Err(fault) => return Err(fault),
                    },
                    (kind, Ok((id, _))) => (id, kind),
                    (_, Err(fault)) if fault.kind() == FaultKind::NotFound => continue,
                    (_, Err(fault)) => return Err(fault),
                };
                let start = names.arena.len() as u64;
                names.arena.extend_from_slice(entry.name.bytes());
                // OK to cast: no file system has names of 64 KiB (DirBatch::push)
                names.names.push(ViewName {
                    id,
                    kind,
                    start,
                    len: entry.name.bytes().len() as u16,
                });
            }
            if more == More::No {
                return Ok(names);
            }
        }
    }

    /// As [`Sources::held`].
    #[cfg(test)]
    pub(crate) fn held(&self) -> Vec<(&'static str, usize)> {
        vec![
            ("view names", self.names.len()),
            ("bytes of view names", self.arena.len()),
        ]
    }

    pub(crate) fn name(&self, name: &ViewName) -> &[u8] {
        // OK to cast: the arena is in memory, so its length is a usize
        &self.arena[name.start as usize..][..usize::from(name.len)]
    }
}
