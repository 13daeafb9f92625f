//! Doing what a plan says.

use std::ops::Range;

use polylink_core::{
    At, CopyHow, Dir, Fault, FaultKind, FileFs, FsResult, Name, NameBuf, PathError, Progress, Reflink,
    ResultExt as _,
};
use polylink_walk::DirState;

use super::store::{self, NEW, Store};
use super::{Found, Group, Make, Outcome, Plan, Snapshot, drops, ends};
use crate::clone::copy_symlink;
use crate::opener::Opener;
use crate::work::{Halt, Share, share};

/// Names that a thread makes at once, and groups.
const STRETCH: usize = 256;
const GROUPS: usize = 32;
/// How often a file that changes while it is copied is tried again.
const TRIES: usize = 3;

const COPY: CopyHow = CopyHow {
    reflink: Reflink::Auto,
    sync: false, // all at once, before the snapshot gets its name
};

/// What a thread made.
#[derive(Default)]
struct Done {
    linked: u64,
    copied: u64,
    copied_bytes: u64,
    reflinked: u64,
    grouped: u64,
    symlinks: u64,
    at_limit: u64,
    vanished: u64,
    lost: u64,
    failures: Vec<PathError>,
    ended: bool,
}

/// Executes a plan: everything is made under a name of its own, brought to the disk, and then gets its name in one step.
pub fn apply(fs: &dyn FileFs, plan: &Plan<'_>, progress: &dyn Progress) -> Outcome {
    let forecast = &plan.report;
    let mut run = Run {
        fs,
        plan,
        progress,
        outcome: Outcome {
            base: forecast.base.clone(),
            special: forecast.special,
            symlinks_left_out: forecast.symlinks_left_out,
            vanished: forecast.vanished,
            other_mounts: forecast.other_mounts.clone(),
            unreadable: forecast.unreadable.clone(),
            failures: forecast.failures.clone(),
            ..Outcome::default()
        },
    };
    if let Err(error) = run.go() {
        run.outcome.stopped = true;
        if error.fault.kind() != FaultKind::Interrupted {
            run.outcome.failures.push(error);
        }
    }
    run.outcome
}

struct Run<'a> {
    fs: &'a dyn FileFs,
    plan: &'a Plan<'a>,
    progress: &'a dyn Progress,
    outcome: Outcome,
}

impl Run<'_> {
    fn go(&mut self) -> Result<(), PathError> {
        let (plan, fs) = (self.plan, self.fs);
        let path = &plan.request.store;
        Store::prepare(fs, path)?;
        let missing = || Fault::of(FaultKind::NotFound);
        let mut store = Store::open(fs, path)?.ok_or_else(missing).at("open", path)?;
        store.tidy(fs, plan.rights, self.progress).at("clean up", path)?;
        let new = At::new(&store.dir, Name::new(NEW));
        fs.make_dir(new).at("make", path.join(NEW))?;
        let root = fs.open_child(new).at("open", path.join(NEW))?;
        self.make_dirs(&root)?;
        self.make_names(&root)?;
        self.metadata(&root)?;
        self.progress.begin("writing to the disk", None);
        (plan.request.sync)(&root).at("sync", path.join(NEW))?;
        self.progress.end();
        let complete = self.outcome.is_whole();
        let mut name = store
            .free_name(fs, plan.request.name.name())
            .at("look at", path)?;
        if !complete {
            name = store::incomplete(name.name());
        }
        let snapshot = Snapshot {
            name: name.clone(),
            time: plan.request.now,
            number: store.next_number(),
            complete,
        };
        store
            .name_new(fs, snapshot)
            .at("name", crate::tree::join(path, name.name()))?;
        self.outcome.name = Some(name);
        self.drop_old(&mut store)
    }

    /// What is dropped is decided again: the new snapshot may have turned out incomplete.
    fn drop_old(&mut self, store: &mut Store) -> Result<(), PathError> {
        let (plan, fs) = (self.plan, self.fs);
        let path = &plan.request.store;
        self.progress.begin("removing", None);
        for snapshot in drops(&store.snapshots, &plan.request) {
            match store.remove(fs, &snapshot, plan.rights, self.progress) {
                Ok(()) => self.outcome.dropped.push(snapshot.name),
                Err(fault) if fault.kind() == FaultKind::Interrupted => return Err(fault).at("remove", path),
                Err(fault) => self.outcome.drop_failures.push(PathError {
                    action: "remove",
                    path: crate::tree::join(path, snapshot.name.name()),
                    to: None,
                    fault,
                }),
            }
        }
        let left = store.remove_left(fs, plan.rights, self.progress);
        self.progress.end();
        left.at("clean up", path)
    }

    fn make_dirs(&mut self, root: &Dir) -> Result<(), PathError> {
        let source = &self.plan.source;
        let mut opener = Opener::new(self.fs, source, root);
        self.outcome.dirs = 1;
        for (number, node) in (0u32..).zip(&source.dirs).skip(1) {
            // what cannot be seen is not made: an empty directory would say that there is nothing
            if node.state != DirState::Read {
                continue;
            }
            if self.progress.cancelled() {
                return Err(Fault::of(FaultKind::Interrupted)).at("make", &source.path);
            }
            let above = opener.open(node.parent);
            above
                .and_then(|dir| self.fs.make_dir(At::new(&dir, node.name.name())))
                .at("make the copy of", source.dir_path(number))?;
            self.outcome.dirs += 1;
        }
        Ok(())
    }

    fn make_names(&mut self, root: &Dir) -> Result<(), PathError> {
        let plan = self.plan;
        let mut jobs: Vec<Job<'_>> = Vec::new();
        for (number, dir) in (0u32..).zip(&plan.source.dirs) {
            let mut start = dir.entries.start;
            while start < dir.entries.end {
                let end = dir.entries.end.min(start + STRETCH);
                jobs.push(Job::Names(number, start..end));
                start = end;
            }
        }
        jobs.extend(plan.groups.chunks(GROUPS).map(Job::Groups));
        self.progress
            .begin("copying and linking", Some(plan.makes.len() as u64));
        let halt = Halt::default();
        let fs = self.fs;
        let how = Share {
            threads: plan.request.threads,
            progress: self.progress,
            halt: &halt,
        };
        let local = || Worker {
            fs,
            plan,
            source: Opener::new(fs, &plan.source, &plan.source.root),
            new: Opener::new(fs, &plan.source, root),
            bases: plan
                .bases
                .iter()
                .map(|base| Opener::new(fs, &base.tree, &base.tree.root))
                .collect(),
            done: Done::default(),
        };
        let results = share(&how, jobs.len(), local, |worker, job| {
            let steps = match &jobs[job] {
                Job::Names(dir, range) => {
                    worker.names(*dir, range.clone());
                    range.clone().filter(|at| plan.makes[*at] != Make::Group).count()
                }
                Job::Groups(groups) => {
                    groups.iter().for_each(|group| worker.group(group));
                    groups.iter().map(|group| group.names.len()).sum()
                }
            };
            let done = std::mem::take(&mut worker.done);
            if done.ended {
                halt.call();
            }
            (done, steps as u64)
        });
        self.progress.end();
        let outcome = &mut self.outcome;
        let mut last = None;
        for done in results {
            outcome.linked += done.linked;
            outcome.copied += done.copied;
            outcome.copied_bytes += done.copied_bytes;
            outcome.reflinked += done.reflinked;
            outcome.grouped += done.grouped;
            outcome.symlinks += done.symlinks;
            outcome.at_limit += done.at_limit;
            outcome.vanished += done.vanished;
            outcome.lost += done.lost;
            for failure in done.failures {
                if ends(failure.fault.kind()) {
                    last = Some(failure);
                } else {
                    outcome.failures.push(failure);
                }
            }
        }
        match last {
            Some(failure) => Err(failure),
            None if halt.called() => Err(Fault::of(FaultKind::Interrupted)).at("copy", &plan.source.path),
            None => Ok(()),
        }
    }

    /// The directories' metadata, those below first: what is made in a directory changes its times.
    fn metadata(&mut self, root: &Dir) -> Result<(), PathError> {
        let source = &self.plan.source;
        let mut ours = Opener::new(self.fs, source, &source.root);
        let mut new = Opener::new(self.fs, source, root);
        for number in (0..source.dirs.len()).rev() {
            if source.dirs[number].state != DirState::Read {
                continue;
            }
            // OK to cast: directories are counted in u32 from the walk on
            let number = number as u32;
            let set = ours.open(number).and_then(|dir| self.fs.dir_metadata(&dir));
            let set = set.and_then(|metadata| self.fs.set_dir_metadata(&new.open(number)?, &metadata));
            match set {
                Ok(lost) => self.outcome.lost += u64::from(!lost.is_empty()),
                Err(fault) if fault.kind() == FaultKind::NotFound => self.outcome.vanished += 1,
                Err(fault) => {
                    let error = PathError {
                        action: "copy the metadata of",
                        path: source.dir_path(number),
                        to: None,
                        fault,
                    };
                    if ends(fault.kind()) {
                        return Err(error);
                    }
                    self.outcome.failures.push(error);
                }
            }
        }
        Ok(())
    }
}

/// What a thread takes at once.
enum Job<'a> {
    Names(u32, Range<usize>),
    Groups(&'a [Group]),
}

/// One thread's open directories, and what it made.
struct Worker<'a> {
    fs: &'a dyn FileFs,
    plan: &'a Plan<'a>,
    source: Opener<'a>,
    new: Opener<'a>,
    bases: Vec<Opener<'a>>,
    done: Done,
}

/// How a name came to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Came {
    Linked,
    Copied,
}

impl Worker<'_> {
    fn names(&mut self, dir: u32, range: Range<usize>) {
        for at in range {
            if self.done.ended {
                return;
            }
            let made = match self.plan.makes[at] {
                Make::Nothing | Make::Group => continue,
                Make::Link(found) => self.link(dir, at, found).map(|came| {
                    self.done.linked += u64::from(came == Came::Linked);
                }),
                Make::Copy => self.copy(dir, at),
                Make::Symlink => self.symlink(dir, at),
            };
            self.judge(dir, at, made);
        }
    }

    /// Counts what did not work.
    fn judge(&mut self, dir: u32, at: usize, made: FsResult<()>) -> bool {
        match made {
            Ok(()) => return true,
            Err(fault) if fault.kind() == FaultKind::NotFound => self.done.vanished += 1,
            Err(fault) => {
                self.done.ended |= ends(fault.kind());
                self.done.failures.push(PathError {
                    action: "copy",
                    path: self.plan.source.entry_path(dir, at),
                    // it is the store's disk that may be full
                    to: Some(self.plan.request.store.clone()),
                    fault,
                });
            }
        }
        false
    }

    fn name(&self, at: usize) -> Name<'_> {
        self.plan.source.name(self.plan.source.entry(at))
    }

    /// Makes a further name of a file of a base; a copy where that cannot have one more, or is gone.
    fn link(&mut self, dir: u32, at: usize, found: Found) -> FsResult<Came> {
        let tree = &self.plan.bases[found.base as usize].tree;
        let new = self.new.open(dir)?;
        let old = self.bases[found.base as usize].open(found.dir);
        let name = self.plan.source.name(self.plan.source.entry(at));
        let linked = old.and_then(|old| {
            let existing = At::new(&old, tree.name(tree.entry(found.at)));
            self.fs.link(existing, At::new(&new, name))
        });
        match linked {
            Ok(()) => Ok(Came::Linked),
            Err(fault) if fault.kind() == FaultKind::TooManyLinks => {
                self.done.at_limit += 1;
                self.anew(dir, at).map(|()| Came::Copied)
            }
            Err(fault) if fault.kind() == FaultKind::NotFound => self.anew(dir, at).map(|()| Came::Copied),
            // symbolic links have no further names on every file system
            Err(fault)
                if self.plan.source.entry(at).kind == polylink_core::Kind::Symlink && !ends(fault.kind()) =>
            {
                self.symlink(dir, at).map(|()| Came::Copied)
            }
            Err(fault) => Err(fault),
        }
    }

    fn anew(&mut self, dir: u32, at: usize) -> FsResult<()> {
        match self.plan.source.entry(at).kind {
            polylink_core::Kind::Symlink => self.symlink(dir, at),
            _ => self.copy(dir, at),
        }
    }

    fn copy(&mut self, dir: u32, at: usize) -> FsResult<()> {
        let (from, to) = (self.source.open(dir)?, self.new.open(dir)?);
        let (existing, new) = (At::new(&from, self.name(at)), At::new(&to, self.name(at)));
        let mut tries = 1;
        let copied = loop {
            match self.fs.copy(existing, new, COPY) {
                Err(fault) if fault.kind() == FaultKind::Stale && tries < TRIES => tries += 1,
                copied => break copied?,
            }
        };
        self.done.copied += 1;
        self.done.copied_bytes += copied.stat.size;
        self.done.reflinked += u64::from(copied.reflinked);
        self.done.lost += u64::from(!copied.lost.is_empty());
        Ok(())
    }

    fn symlink(&mut self, dir: u32, at: usize) -> FsResult<()> {
        let (from, to) = (self.source.open(dir)?, self.new.open(dir)?);
        copy_symlink(
            self.fs,
            At::new(&from, self.name(at)),
            At::new(&to, self.name(at)),
        )?;
        self.done.symlinks += 1;
        Ok(())
    }

    /// Makes the names of one file names of one file.
    fn group(&mut self, group: &Group) {
        let mut leader: Option<(Dir, NameBuf, Came)> = None;
        for &(dir, at) in &group.names {
            if self.done.ended {
                return;
            }
            let made = self.group_name(group, &mut leader, dir, at);
            self.judge(dir, at, made);
        }
    }

    fn group_name(
        &mut self,
        group: &Group,
        leader: &mut Option<(Dir, NameBuf, Came)>,
        dir: u32,
        at: usize,
    ) -> FsResult<()> {
        let from = self.source.open(dir)?;
        if self.fs.stat(At::new(&from, self.name(at)))?.id != group.id {
            // another file by now
            return self.copy(dir, at);
        }
        let new = self.new.open(dir)?;
        if let Some((lead, name, came)) = leader {
            let linked = self
                .fs
                .link(At::new(lead, name.name()), At::new(&new, self.name(at)));
            match linked {
                Ok(()) if *came == Came::Linked => self.done.linked += 1,
                Ok(()) => self.done.grouped += 1,
                Err(fault) if fault.kind() == FaultKind::TooManyLinks => {
                    self.done.at_limit += 1;
                    self.copy(dir, at)?;
                    *leader = Some((new, self.name(at).to_buf(), Came::Copied));
                }
                Err(fault) => return Err(fault),
            }
            return Ok(());
        }
        let came = match group.from {
            Some(found) => self.link(dir, at, found)?,
            None => {
                self.copy(dir, at)?;
                Came::Copied
            }
        };
        self.done.linked += u64::from(came == Came::Linked);
        *leader = Some((new, self.name(at).to_buf(), came));
        Ok(())
    }
}
