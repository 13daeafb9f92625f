//! A parallel walk over any [`LinkFs`].
//!
//! [`walk`] reads every directory below some roots with several threads and hands each batch of entries to a
//! [`Visitor`]. Directories are numbered in the order of their discovery, which depends on the threads; what must not
//! depend on them is put in order afterwards by [`Walked::ranks`].
//!
//! # Guarantees
//!
//! Symbolic links are not followed. Directories are opened relative to their parents. Mounts below a root are crossed
//! only when asked for. What could not be read is in [`Walked::dirs`] with its reason: absent and unreadable are never
//! mixed up. Memory: one record a directory, and handles for those with children still to be read.

mod filter;
mod names;
mod order;
mod target;

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use polylink_core::{
    At, Dir, DirBatch, DirEntry, DirIds, Fault, FaultKind, FileId, FsResult, Kind, LinkFs, More, Name,
    NameBuf, Progress, Stat,
};

pub use filter::{BadGlob, Case, Filter};
pub use names::{Found, find_names};
pub use target::Target;

/// Where a walk begins: an open directory and the path to show for it.
#[derive(Clone, Debug)]
pub struct Root {
    /// The directory.
    pub dir: Dir,
    /// Its path, for reports.
    pub path: PathBuf,
}

/// Whether the walk goes into other file systems that are mounted below a root.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mounts {
    /// It does not: neither other volumes nor bind mounts of the same one.
    #[default]
    Stay,
    /// It does.
    Cross,
}

/// How to walk.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Threads; by default as many as the machine has, at most eight.
    pub threads: Option<NonZeroUsize>,
    /// What to do at a mount.
    pub mounts: Mounts,
    /// Directories that are not entered wherever they are met below a root, such as the view.
    pub leave_out: Vec<FileId>,
}

/// What became of a directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DirState {
    /// Every entry was read.
    Read,
    /// It could not be opened or read to its end.
    Failed(Fault),
    /// Another file system or mount begins here and was not entered.
    OtherMount,
    /// It is one of [`Options::leave_out`].
    LeftOut,
    /// It is one of the directories above it: a mount that loops.
    Loop,
    /// The walk stopped before it was read.
    NotReached,
}

/// One directory that the walk met.
#[derive(Clone, Debug)]
pub struct DirNode {
    /// The directory it lies in; `None` for a root.
    pub parent: Option<u32>,
    /// The root it lies below.
    pub root: u32,
    /// Its name in `parent`; empty for a root.
    pub name: NameBuf,
    /// Its identity, once opened.
    pub id: Option<FileId>,
    /// Bytes allocated for the directory itself, once opened.
    pub allocated: u64,
    /// What became of it.
    pub state: DirState,
}

/// A directory as a [`Visitor`] sees it.
#[derive(Clone, Copy, Debug)]
pub struct Visited<'a> {
    /// Its number: the index in [`Walked::dirs`].
    pub number: u32,
    /// The root it lies below.
    pub root: u32,
    /// The open directory.
    pub dir: &'a Dir,
}

/// Receives what the walk reads.
pub trait Visitor: Sync {
    /// What one thread gathers.
    type Local: Send;

    /// A fresh [`Visitor::Local`] for a thread.
    fn local(&self) -> Self::Local;

    /// Takes entries of one directory: a large one comes in several batches. No entry has [`Kind::Unknown`] unless it
    /// vanished meanwhile. [`ControlFlow::Break`] ends the whole walk.
    fn batch(&self, local: &mut Self::Local, dir: Visited<'_>, batch: &DirBatch) -> ControlFlow<()>;
}

/// What a walk found.
#[derive(Debug)]
pub struct Walked<L> {
    /// What each thread gathered.
    pub locals: Vec<L>,
    /// Every directory, the roots first in their order.
    pub dirs: Vec<DirNode>,
    /// Whether the walk ended before everything was read, by the visitor's or the user's wish.
    pub stopped: bool,
}

/// The identity of an entry, by a `stat` only where the directory's own word is not enough.
///
/// # Errors
///
/// As [`LinkFs::stat`].
pub fn identify(
    fs: &dyn LinkFs,
    dir: &Dir,
    entry: &DirEntry<'_>,
    ids: DirIds,
) -> FsResult<(FileId, Option<Stat>)> {
    match ids {
        DirIds::Trusted => Ok((entry.id, None)),
        DirIds::Untrusted => fs
            .stat(At::new(dir, entry.name))
            .map(|stat| (stat.id, Some(stat))),
    }
}

struct Job {
    parent: Option<Dir>,
    dir: Option<Dir>,
    name: NameBuf,
    number: u32,
    root: u32,
}

struct Shared {
    dirs: Vec<DirNode>,
    queue: Vec<Job>,
    active: usize,
    stop: bool,
}

struct Walker<'a, V> {
    fs: &'a dyn LinkFs,
    options: &'a Options,
    visitor: &'a V,
    progress: &'a dyn Progress,
    roots: Vec<Option<Stat>>,
    shared: Mutex<Shared>,
    wake: Condvar,
}

/// Reads every directory below `roots`.
///
/// Steps of `progress` are entries; the phase is the caller's.
pub fn walk<V: Visitor>(
    fs: &dyn LinkFs,
    roots: &[Root],
    options: &Options,
    visitor: &V,
    progress: &dyn Progress,
) -> Walked<V::Local> {
    let mut dirs = Vec::with_capacity(roots.len());
    let mut queue = Vec::with_capacity(roots.len());
    let mut stats = Vec::with_capacity(roots.len());
    for (number, root) in (0u32..).zip(roots) {
        dirs.push(DirNode {
            parent: None,
            root: number,
            name: NameBuf::from(""),
            id: None,
            allocated: 0,
            state: DirState::NotReached,
        });
        queue.push(Job {
            parent: None,
            dir: Some(root.dir.clone()),
            name: NameBuf::from(""),
            number,
            root: number,
        });
        stats.push(fs.stat_dir(&root.dir).ok());
    }
    queue.reverse();
    let threads = options
        .threads
        .or_else(|| std::thread::available_parallelism().ok())
        .map_or(1, NonZeroUsize::get);
    let walker = Walker {
        fs,
        options,
        visitor,
        progress,
        roots: stats,
        shared: Mutex::new(Shared {
            dirs,
            queue,
            active: 0,
            stop: false,
        }),
        wake: Condvar::new(),
    };
    let locals = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(8))
            .map(|_| scope.spawn(|| walker.work()))
            .collect();
        let mut locals = vec![walker.work()];
        for other in others {
            match other.join() {
                Ok(local) => locals.push(local),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        locals
    });
    let shared = walker.shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    Walked {
        locals,
        dirs: shared.dirs,
        stopped: shared.stop,
    }
}

/// Wakes the others and lets them end when a thread leaves by a panic.
struct Leave<'a, V: Visitor>(&'a Walker<'a, V>);

impl<V: Visitor> Drop for Leave<'_, V> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().stop = true;
            self.0.wake.notify_all();
        }
    }
}

impl<V: Visitor> Walker<'_, V> {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) -> V::Local {
        let _leave = Leave(self);
        let mut local = self.visitor.local();
        let mut batch = DirBatch::new();
        let mut children = Vec::new();
        while let Some(job) = self.next() {
            let (state, stat, dir) = match self.open(&job) {
                Ok((dir, stat)) => (self.enter(&job, &stat), Some(stat), Some(dir)),
                Err(fault) => (DirState::Failed(fault), None, None),
            };
            {
                let mut shared = self.lock();
                let node = &mut shared.dirs[job.number as usize];
                if let Some(stat) = stat {
                    node.id = Some(stat.id);
                    node.allocated = stat.allocated;
                }
            }
            let state = match (state, &dir) {
                (DirState::Read, Some(dir)) => self.read(&job, dir, &mut local, &mut batch, &mut children),
                (state, _) => state,
            };
            self.done(&job, state, dir.as_ref(), &mut children);
        }
        local
    }

    fn next(&self) -> Option<Job> {
        let mut shared = self.lock();
        loop {
            if shared.stop || self.progress.cancelled() {
                shared.stop = true;
                self.wake.notify_all();
                return None;
            }
            if let Some(job) = shared.queue.pop() {
                shared.active += 1;
                return Some(job);
            }
            if shared.active == 0 {
                return None;
            }
            shared = self.wake.wait(shared).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn open(&self, job: &Job) -> FsResult<(Dir, Stat)> {
        let dir = match (&job.dir, &job.parent) {
            (Some(dir), _) => dir.clone(),
            (None, Some(parent)) => self.fs.open_child(At::new(parent, job.name.name()))?,
            (None, None) => return Err(FaultKind::NotFound.into()),
        };
        let stat = self.fs.stat_dir(&dir)?;
        Ok((dir, stat))
    }

    /// Whether to read this directory.
    fn enter(&self, job: &Job, stat: &Stat) -> DirState {
        if job.parent.is_none() {
            return DirState::Read;
        }
        // the mount first: a directory that is left out may be met again through a bind mount
        if self.options.mounts == Mounts::Stay
            && let Some(root) = &self.roots[job.root as usize]
            && (root.id.volume != stat.id.volume || root.mount != stat.mount)
        {
            return DirState::OtherMount;
        }
        if self.options.leave_out.contains(&stat.id) {
            return DirState::LeftOut;
        }
        match self.options.mounts {
            Mounts::Stay => DirState::Read,
            Mounts::Cross => {
                let shared = self.lock();
                let mut above = shared.dirs[job.number as usize].parent;
                while let Some(number) = above {
                    let node = &shared.dirs[number as usize];
                    if node.id == Some(stat.id) {
                        return DirState::Loop;
                    }
                    above = node.parent;
                }
                DirState::Read
            }
        }
    }

    fn read(
        &self,
        job: &Job,
        dir: &Dir,
        local: &mut V::Local,
        batch: &mut DirBatch,
        children: &mut Vec<NameBuf>,
    ) -> DirState {
        loop {
            let more = match self.fs.read_dir(dir, batch) {
                Ok(more) => more,
                Err(fault) => return DirState::Failed(fault),
            };
            self.resolve_kinds(dir, batch);
            children.extend(
                batch
                    .iter()
                    .filter(|entry| entry.kind == Kind::Directory)
                    .map(|entry| entry.name.to_buf()),
            );
            let visited = Visited {
                number: job.number,
                root: job.root,
                dir,
            };
            let flow = self.visitor.batch(local, visited, batch);
            self.progress.advance(batch.len() as u64);
            if flow.is_break() || self.progress.cancelled() {
                self.lock().stop = true;
                self.wake.notify_all();
                return if more == More::No {
                    DirState::Read
                } else {
                    DirState::NotReached
                };
            }
            if more == More::No {
                return DirState::Read;
            }
        }
    }

    fn resolve_kinds(&self, dir: &Dir, batch: &mut DirBatch) {
        let unknown: Vec<(usize, NameBuf)> = batch
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.kind == Kind::Unknown)
            .map(|(index, entry)| (index, entry.name.to_buf()))
            .collect();
        for (index, name) in unknown {
            if let Ok(stat) = self.fs.stat(At::new(dir, name.name())) {
                batch.set_kind(index, stat.kind);
            }
        }
    }

    fn done(&self, job: &Job, state: DirState, dir: Option<&Dir>, children: &mut Vec<NameBuf>) {
        let mut shared = self.lock();
        shared.dirs[job.number as usize].state = state;
        for name in children.drain(..) {
            let Ok(number) = u32::try_from(shared.dirs.len()) else {
                break;
            };
            shared.dirs.push(DirNode {
                parent: Some(job.number),
                root: job.root,
                name: name.clone(),
                id: None,
                allocated: 0,
                state: DirState::NotReached,
            });
            shared.queue.push(Job {
                parent: dir.cloned(),
                dir: None,
                name,
                number,
                root: job.root,
            });
        }
        shared.active -= 1;
        drop(shared);
        self.wake.notify_all();
    }
}

impl<L> Walked<L> {
    /// The directory's path: the root's own path and the names below it.
    #[must_use]
    pub fn path(&self, roots: &[Root], number: u32) -> PathBuf {
        let root = self.dirs[number as usize].root as usize;
        roots
            .get(root)
            .map_or_else(PathBuf::new, |root| root.path.clone())
            .join(self.relative(number))
    }

    /// The directory's path below its root; empty for a root.
    #[must_use]
    pub fn relative(&self, number: u32) -> PathBuf {
        let mut names = Vec::new();
        let mut at = Some(number);
        while let Some(number) = at {
            let node = &self.dirs[number as usize];
            if node.parent.is_some() {
                names.push(node.name.name());
            }
            at = node.parent;
        }
        let mut path = PathBuf::new();
        for name in names.into_iter().rev().filter_map(Name::to_os) {
            path.push(Path::new(&name));
        }
        path
    }
}

#[cfg(test)]
mod tests;
