//! Doing what a plan says.

use polylink_core::{
    At, Dir, Existing, Fault, FaultKind, FileFs, FileId, FsResult, Kind, Name, PathError, Progress,
    ResultExt as _, Stat, is_part_kind, is_part_name, part_name, remove_part, remove_temporary, replace_if,
};
use polylink_view::{FallRow, Ledger};

use super::{Change, How, Old, Orphans, Outcome, Plan, Touch};
use crate::opener::Opener;
use crate::tree::Tree;
use crate::work::{Halt, Share, share};
use crate::{is_fatal, metadata::unlock};

/// Links that a thread takes at once.
const STRETCH: usize = 256;

/// What became of a link.
enum Made {
    Link,
    /// A symbolic link of its own, for the file system gives symbolic links no further name.
    Symlink,
    /// A special file that cannot have a further name here.
    Special,
    Failed(Fault),
}

/// Executes a plan: changes to existing names first, then directories, then new links, then the directories' metadata.
///
/// Each step checks again that what it was planned for is still so; what is not, is reported and left alone. The next
/// run completes what this one does not.
pub fn apply(fs: &dyn FileFs, plan: &Plan, progress: &dyn Progress) -> Outcome {
    apply_from(fs, plan, None, progress)
}

/// As [`apply`], for a plan that was made with a ledger.
pub fn apply_with(fs: &dyn FileFs, plan: &Plan, ledger: &mut Ledger, progress: &dyn Progress) -> Outcome {
    apply_from(fs, plan, Some(ledger), progress)
}

fn apply_from(fs: &dyn FileFs, plan: &Plan, ledger: Option<&mut Ledger>, progress: &dyn Progress) -> Outcome {
    let forecast = &plan.report;
    let mut run = Run {
        fs,
        plan,
        progress,
        ledger,
        outcome: Outcome {
            kept: forecast.kept,
            fallbacks: plan.standing,
            special: forecast.special,
            extra: forecast.extra,
            held: forecast.held,
            other_mounts: forecast.other_mounts.clone(),
            unreadable: forecast.unreadable.clone(),
            failures: forecast.failures.clone(),
            orphans: forecast.orphans.clone(),
            ..Outcome::default()
        },
    };
    if run.go().is_err() {
        run.outcome.stopped = true;
    }
    run.outcome
}

/// What is to be written down.
#[derive(Default)]
struct Notes {
    known: Vec<FallRow>,
    gone: Vec<Vec<u8>>,
}

/// The run ends here.
pub(super) struct Stopped;

pub(super) struct Run<'a> {
    pub(super) fs: &'a dyn FileFs,
    pub(super) plan: &'a Plan,
    pub(super) progress: &'a dyn Progress,
    pub(super) ledger: Option<&'a mut Ledger>,
    pub(super) outcome: Outcome,
}

impl Run<'_> {
    fn go(&mut self) -> Result<(), Stopped> {
        let plan = self.plan;
        self.announce()?;
        self.changes()?;
        let root = match &plan.dest {
            Some(dest) => dest.root.clone(),
            None => match self.make_root() {
                Ok(root) => root,
                Err(error) => return self.failed(error),
            },
        };
        self.make_dirs(&root)?;
        let refused = self.links(&root)?;
        self.falls(&root, &refused)?;
        self.metadata(&root)
    }

    /// Notes what did not work; ends the run where nothing will.
    pub(super) fn failed(&mut self, error: PathError) -> Result<(), Stopped> {
        if is_fatal(error.fault) {
            return Err(Stopped);
        }
        self.outcome.failures.push(error);
        Ok(())
    }

    pub(super) fn go_on(&self) -> Result<(), Stopped> {
        if self.progress.cancelled() {
            Err(Stopped)
        } else {
            Ok(())
        }
    }

    fn make_root(&mut self) -> Result<Dir, PathError> {
        let dest = &self.plan.dest_path;
        let name = dest.file_name().unwrap_or_default();
        let at = At::new(&self.plan.parent, Name::from_os(name));
        self.fs.make_dir(at).at("make", dest)?;
        self.outcome.dirs_made += 1;
        self.fs.open_child(at).at("open", dest)
    }

    /// Changes to names that exist, and directories that go.
    fn changes(&mut self) -> Result<(), Stopped> {
        let plan = self.plan;
        let Some(dest) = &plan.dest else { return Ok(()) };
        let total = plan.changes.len() + plan.remove_dirs.len();
        if total == 0 {
            return Ok(());
        }
        self.progress.begin("updating", Some(total as u64));
        let mut theirs = Opener::new(self.fs, dest, &dest.root);
        let mut ours = Opener::new(self.fs, &plan.source, &plan.source.root);
        let mut unlocked = None;
        let mut notes = Notes::default();
        let mut stopped = Ok(());
        for change in &plan.changes {
            stopped = self.go_on();
            if stopped.is_err() {
                break;
            }
            let opened = theirs.open(change.dir()).and_then(|dir| {
                if unlocked != Some(change.dir()) {
                    unlock(self.fs, &dir, plan.rights)?;
                    unlocked = Some(change.dir());
                }
                Ok(dir)
            });
            let done = match opened {
                Ok(dir) => self.change(&dir, change, &mut ours, &mut notes)?,
                Err(fault) => Err(fault),
            };
            match done {
                Ok(()) => self.count(dest, change),
                Err(fault) if fault.kind() == FaultKind::NotFound => {} // gone by itself
                Err(fault) => {
                    let error = self.error(change, fault);
                    stopped = self.failed(error);
                    if stopped.is_err() {
                        break;
                    }
                }
            }
            self.progress.advance(1);
        }
        self.note(&notes.known, &notes.gone)?;
        stopped?;
        for &number in &plan.remove_dirs {
            self.go_on()?;
            let node = &dest.dirs[number as usize];
            let removed = theirs.open(node.parent).and_then(|dir| {
                unlock(self.fs, &dir, plan.rights)?;
                self.fs.remove_dir(At::new(&dir, node.name.name()))
            });
            match removed {
                Ok(()) => self.outcome.dirs_removed += 1,
                Err(fault) if fault.kind() == FaultKind::NotFound => {}
                Err(fault) => self.failed(PathError {
                    action: "remove",
                    path: dest.dir_path(number),
                    to: None,
                    fault,
                })?,
            }
            self.progress.advance(1);
        }
        self.progress.end();
        Ok(())
    }

    fn count(&mut self, dest: &Tree, change: &Change) {
        let outcome = &mut self.outcome;
        match change {
            Change::RemoveTemporary { .. } | Change::Rename { .. } => {}
            Change::Remove {
                dir, entry, stranger, ..
            } => {
                outcome.removed += 1;
                if *stranger {
                    outcome.strangers.push(dest.entry_path(*dir, *entry));
                }
            }
            Change::Delete { .. } => outcome.orphans_deleted += 1,
            Change::RemoveFallback { .. } => outcome.removed += 1,
            Change::Relink { old_version, how, .. } => {
                match (how, old_version) {
                    (How::Link, _) => outcome.relinked += 1,
                    (How::Fall(_), Old::Fallback) => outcome.refreshed += 1,
                    (How::Fall(_), _) => outcome.fallbacks_made += 1,
                }
                outcome.orphans_deleted += u64::from(*old_version == Old::Dropped);
            }
        }
    }

    fn error(&self, change: &Change, fault: Fault) -> PathError {
        let plan = self.plan;
        let path = |dir: u32, entry: usize| {
            plan.dest
                .as_ref()
                .map_or_else(|| plan.dest_path.clone(), |dest| dest.entry_path(dir, entry))
        };
        let (action, path, to) = match change {
            Change::RemoveTemporary { dir, entry } => ("clean up", path(*dir, *entry), None),
            Change::Remove { dir, entry, .. } => ("remove", path(*dir, *entry), None),
            Change::RemoveFallback { dir, entry, .. } => ("remove", path(*dir, *entry), None),
            Change::Delete { dir, entry, .. } => ("delete", path(*dir, *entry), None),
            Change::Rename { dir, entry, .. } => ("rename", path(*dir, *entry), None),
            Change::Relink { source, entry, .. } => (
                "relink",
                plan.source.entry_path(*source, *entry),
                Some(plan.counterpart_of(*source, *entry)),
            ),
        };
        PathError {
            action,
            path,
            to,
            fault,
        }
    }

    fn change(
        &mut self,
        dir: &Dir,
        change: &Change,
        ours: &mut Opener<'_>,
        notes: &mut Notes,
    ) -> Result<FsResult<()>, Stopped> {
        match change {
            Change::Relink { .. } => self.relink(dir, change, ours, notes),
            Change::RemoveFallback {
                dir: number, entry, ..
            } => {
                let Some(dest) = &self.plan.dest else {
                    return Ok(Ok(()));
                };
                let key = dest.key(*number, *entry);
                let Some(known) = self.plan.known.get(&key) else {
                    return Ok(Err(FaultKind::Stale.into()));
                };
                let name = dest.name(dest.entry(*entry));
                let removed = self.remove_fallback(dir, *number, name, known);
                Ok(removed.map(|()| notes.gone.push(key)))
            }
            other => Ok(self.remove_or_rename(dir, other)),
        }
    }

    fn remove_or_rename(&self, dir: &Dir, change: &Change) -> FsResult<()> {
        let Some(dest) = &self.plan.dest else {
            return Ok(());
        };
        let at = |entry: usize| At::new(dir, dest.name(dest.entry(entry)));
        let checked = |entry: usize, id: FileId| -> FsResult<Stat> {
            let stat = self.fs.stat(at(entry))?;
            if stat.id == id {
                Ok(stat)
            } else {
                Err(FaultKind::Stale.into())
            }
        };
        match change {
            Change::RemoveTemporary { entry, .. } if is_part_name(at(*entry).name) => {
                if is_part_kind(self.fs.stat(at(*entry))?.kind) {
                    self.fs.unlink(at(*entry))
                } else {
                    Err(FaultKind::Exists.into())
                }
            }
            Change::RemoveTemporary { entry, .. } => remove_temporary(self.fs, at(*entry)),
            Change::Remove { entry, id, .. } => {
                // the last name of a file is not removed, whatever the plan said
                if checked(*entry, *id)?.links < 2 {
                    return Err(FaultKind::Stale.into());
                }
                self.fs.unlink(at(*entry))
            }
            Change::Delete { entry, id, .. } => {
                checked(*entry, *id)?;
                self.fs.unlink(at(*entry))
            }
            Change::Rename { entry, id, to, .. } => {
                checked(*entry, *id)?;
                self.fs
                    .rename(at(*entry), At::new(dir, to.name()), Existing::Keep)
            }
            // these write down what they do
            Change::RemoveFallback { .. } | Change::Relink { .. } => Err(FaultKind::Other.into()),
        }
    }

    /// Sees to it that the old version of a name that is about to change keeps a name, as the plan says; answers whether it
    /// is a symbolic link that was copied.
    fn keep_old(&self, new: At<'_>, old: FileId, old_version: &Old) -> FsResult<bool> {
        let Old::KeptAs(kept) = old_version else {
            return Ok(false);
        };
        let stat = self.fs.stat(new)?;
        if stat.id != old {
            return Err(FaultKind::Stale.into());
        }
        let kept = At::new(new.dir, kept.name());
        match self.fs.link(new, kept) {
            Err(fault) if no_link(fault) && stat.kind == Kind::Symlink => {
                place_symlink(self.fs, new, kept)?;
                Ok(true)
            }
            linked => linked.map(|()| false),
        }
    }

    /// Brings a name in line with its counterpart.
    fn relink(
        &mut self,
        dir: &Dir,
        change: &Change,
        ours: &mut Opener<'_>,
        notes: &mut Notes,
    ) -> Result<FsResult<()>, Stopped> {
        let Change::Relink {
            source,
            entry,
            old,
            old_version,
            how,
            ..
        } = change
        else {
            return Ok(Err(FaultKind::Other.into()));
        };
        let plan = self.plan;
        let from = match ours.open(*source) {
            Ok(from) => from,
            Err(fault) => return Ok(Err(fault)),
        };
        let name = plan.source.name(plan.source.entry(*entry));
        let (existing, new) = (At::new(&from, name), At::new(dir, name));
        let key = plan.source.key(*source, *entry);
        let known = plan.known.get(&key).filter(|_| *old_version == Old::Fallback);
        let copied = match self.keep_old(new, *old, old_version) {
            Ok(copied) => copied,
            Err(fault) => return Ok(Err(fault)),
        };
        let right =
            |last: &Stat| last.id == *old && (copied || *old_version == Old::Dropped || last.links > 1);
        Ok(match (how, known) {
            (How::Fall(kind), known) => {
                let place = (*source, *entry);
                self.replace_with_fallback(place, *kind, (existing, new), known, right)?
                    .map(|made| {
                        *self.outcome.fallbacks.of(made.kind) += 1;
                        notes.known.push(made);
                    })
            }
            (How::Link, Some(known)) => self
                .become_link((*source, *entry), existing, new, known)
                .map(|()| notes.gone.push(key)),
            (How::Link, None) => match replace_if(self.fs, existing, new, right) {
                Err(fault) if no_link(fault) => match self.fs.stat(existing) {
                    Ok(stat) if stat.kind == Kind::Symlink => self.replace_symlink(existing, new, right),
                    Ok(_) => Err(fault),
                    Err(gone) => Err(gone),
                },
                replaced => replaced,
            },
        })
    }

    /// As [`replace_if`], by a symbolic link of its own.
    fn replace_symlink(&self, existing: At<'_>, new: At<'_>, right: impl Fn(&Stat) -> bool) -> FsResult<()> {
        let part = part_name(new.name);
        let part = At::new(new.dir, part.name());
        remove_part(self.fs, new)?;
        copy_symlink(self.fs, existing, part)?;
        let renamed = match self.fs.stat(new) {
            Ok(stat) if right(&stat) => self.fs.rename(part, new, Existing::Replace),
            Ok(_) => Err(FaultKind::Stale.into()),
            Err(fault) => Err(fault),
        };
        if renamed.is_err() {
            self.fs.unlink(part)?;
        }
        renamed
    }

    fn make_dirs(&mut self, root: &Dir) -> Result<(), Stopped> {
        let plan = self.plan;
        let mut opener = Opener::new(self.fs, &plan.source, root);
        for &number in plan.make_dirs.iter().filter(|number| **number != 0) {
            self.go_on()?;
            let node = &plan.source.dirs[number as usize];
            let made = opener.open(node.parent).and_then(|dir| {
                unlock(self.fs, &dir, plan.rights)?;
                self.fs.make_dir(At::new(&dir, node.name.name()))
            });
            match made {
                Ok(()) => self.outcome.dirs_made += 1,
                Err(fault) => self.failed(PathError {
                    action: "make",
                    path: plan.counterpart(number),
                    to: None,
                    fault,
                })?,
            }
        }
        Ok(())
    }

    /// Makes the new names; answers those that a file's limit of names refuses and that get something else.
    fn links(&mut self, root: &Dir) -> Result<Vec<(u32, usize)>, Stopped> {
        let plan = self.plan;
        let jobs: Vec<(u32, &[usize])> = plan
            .links
            .iter()
            .flat_map(|(dir, entries)| entries.chunks(STRETCH).map(|some| (*dir, some)))
            .collect();
        let mut refused = Vec::new();
        if jobs.is_empty() {
            return Ok(refused);
        }
        let new: rustc_hash::FxHashSet<u32> = plan.make_dirs.iter().copied().collect();
        self.progress.begin("linking", Some(plan.report.linked));
        let halt = Halt::default();
        let fs = self.fs;
        let how = Share {
            threads: plan.options.threads,
            progress: self.progress,
            halt: &halt,
        };
        let local = || {
            (
                Opener::new(fs, &plan.source, &plan.source.root),
                Opener::new(fs, &plan.source, root),
            )
        };
        let results = share(&how, jobs.len(), local, |(ours, theirs), job| {
            let (number, entries) = jobs[job];
            let dirs = ours.open(number).and_then(|from| {
                let to = theirs.open(number)?;
                if !new.contains(&number) {
                    unlock(fs, &to, plan.rights)?;
                }
                Ok((from, to))
            });
            let mut odd = Vec::new();
            let mut linked = 0;
            for &at in entries {
                let made = match &dirs {
                    Ok((from, to)) => {
                        let name = plan.source.name(plan.source.entry(at));
                        make(fs, At::new(from, name), At::new(to, name))
                    }
                    Err(fault) => Made::Failed(*fault),
                };
                match made {
                    Made::Link => linked += 1,
                    Made::Failed(fault) if is_fatal(fault) => {
                        halt.call();
                        odd.push((at, Made::Failed(fault)));
                        break;
                    }
                    made => odd.push((at, made)),
                }
            }
            ((number, linked, odd), entries.len() as u64)
        });
        self.progress.end();
        let mut stopped = halt.called();
        for (number, linked, odd) in results {
            self.outcome.linked += linked;
            for (at, made) in odd {
                match made {
                    Made::Link => {}
                    Made::Symlink => self.outcome.symlinks += 1,
                    Made::Special => self.outcome.special += 1,
                    Made::Failed(fault) if fault.kind() == FaultKind::NotFound => self.outcome.vanished += 1,
                    Made::Failed(fault)
                        if fault.kind() == FaultKind::TooManyLinks
                            && plan.options.fallback.is_some()
                            && plan.source.entry(at).kind == Kind::File =>
                    {
                        refused.push((number, at));
                    }
                    Made::Failed(fault) => {
                        let error = PathError {
                            action: "link",
                            path: plan.source.entry_path(number, at),
                            to: Some(plan.counterpart_of(number, at)),
                            fault,
                        };
                        stopped |= self.failed(error).is_err();
                    }
                }
            }
        }
        if stopped { Err(Stopped) } else { Ok(refused) }
    }

    /// The directories' metadata, those below first: what is made in a directory changes its times.
    fn metadata(&mut self, root: &Dir) -> Result<(), Stopped> {
        let plan = self.plan;
        let mut ours = Opener::new(self.fs, &plan.source, &plan.source.root);
        let mut theirs = Opener::new(self.fs, &plan.source, root);
        for &(number, why) in plan.set_dirs.iter().rev() {
            let set = ours
                .open(number)
                .and_then(|dir| self.fs.dir_metadata(&dir))
                .and_then(|metadata| {
                    let dir = theirs.open(number)?;
                    self.fs.set_dir_metadata(&dir, &metadata)
                });
            match set {
                Ok(lost) => {
                    self.outcome.dirs_lost += u64::from(!lost.is_empty());
                    self.outcome.dirs_updated += u64::from(why == Touch::Differs);
                }
                Err(fault) => self.failed(PathError {
                    action: "set the metadata of",
                    path: plan.counterpart(number),
                    to: None,
                    fault,
                })?,
            }
        }
        Ok(())
    }
}

/// Whether a file system says by this that such a file can have no further name.
fn no_link(fault: Fault) -> bool {
    matches!(
        fault.kind(),
        FaultKind::NotPermitted
            | FaultKind::Unsupported
            | FaultKind::AccessDenied
            | FaultKind::SymlinkMet
            | FaultKind::NameInvalid
            | FaultKind::CrossesVolumes
            | FaultKind::Other
    )
}

fn make(fs: &dyn FileFs, existing: At<'_>, new: At<'_>) -> Made {
    let fault = match fs.link(existing, new) {
        Ok(()) => return Made::Link,
        Err(fault) => fault,
    };
    if !no_link(fault) {
        return Made::Failed(fault);
    }
    match fs.stat(existing).map(|stat| stat.kind) {
        Ok(Kind::Symlink) => match place_symlink(fs, existing, new) {
            Ok(()) => Made::Symlink,
            Err(fault) => Made::Failed(fault),
        },
        Ok(Kind::Special) => Made::Special,
        _ => Made::Failed(fault),
    }
}

/// Makes a symbolic link that leads where another does, whole or not at all: its metadata comes before its name.
fn place_symlink(fs: &dyn FileFs, existing: At<'_>, new: At<'_>) -> FsResult<()> {
    let part = part_name(new.name);
    let part = At::new(new.dir, part.name());
    remove_part(fs, new)?;
    let placed = copy_symlink(fs, existing, part).and_then(|()| fs.rename(part, new, Existing::Keep));
    if placed.is_err() {
        remove_part(fs, new)?;
    }
    placed
}

/// Makes a symbolic link that leads where another does.
pub(crate) fn copy_symlink(fs: &dyn FileFs, existing: At<'_>, new: At<'_>) -> FsResult<()> {
    let metadata = fs.metadata(existing)?;
    fs.make_symlink(&fs.read_symlink(existing)?, new)?;
    fs.set_metadata(new, &metadata).map(drop)
}

impl Plan {
    /// Whether last names go.
    #[must_use]
    pub fn deletes_orphans(&self) -> bool {
        self.options.orphans == Orphans::Delete
    }
}
