//! Doing what a plan says.

use polylink_core::{
    At, Dir, Existing, FaultKind, FileFs, FileId, FsResult, HardLinks, Kind, LinkFs, Name, NameBuf,
    PathError, Progress, ResultExt as _, Stat, remove_temporary, replace_if, temporary_name,
};
use rustc_hash::FxHashSet;

use crate::diff::{birth, changed, key};
use crate::error::Error;
use crate::fallback::{self, FallRow, Fallbacks};
use crate::is_fatal;
use crate::ledger::{Changes, Ledger, LedgerFault, NO_DIR, Row};
use crate::links::{self, Made};
use crate::opener::{Opener, usable};
use crate::plan::{Change, Note, OldVersion, Plan, Step};
use crate::report::{Failure, Outcome};

/// Executes a plan: changes to existing names first, then new links, then a look at what came of it.
///
/// Each step checks again that what it was planned for is still so; what is not, is reported and left alone. The
/// ledger is written ahead of the names, so the next run completes what this one does not.
pub fn apply(fs: &dyn LinkFs, plan: Plan, ledger: &mut Ledger, progress: &dyn Progress) -> Outcome {
    execute(fs, None, &plan, ledger, progress).0
}

/// As [`apply`], for plans of [`crate::plan_with`].
pub fn apply_with(fs: &dyn FileFs, plan: Plan, ledger: &mut Ledger, progress: &dyn Progress) -> Outcome {
    execute(fs, Some(fs), &plan, ledger, progress).0
}

/// As [`apply`], and says which steps were done.
pub(crate) fn execute(
    fs: &dyn LinkFs,
    files: Option<&dyn FileFs>,
    plan: &Plan,
    ledger: &mut Ledger,
    progress: &dyn Progress,
) -> (Outcome, Done) {
    Run::new(fs, files, plan, progress).go(ledger)
}

/// The steps of a plan that were done, by their places in it.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) changes: Vec<usize>,
    pub(crate) links: Vec<u32>,
    /// Fallbacks, as what they were made.
    pub(crate) falls: Vec<Step>,
}

pub(crate) struct Run<'a> {
    pub(crate) fs: &'a dyn LinkFs,
    pub(crate) files: Option<&'a dyn FileFs>,
    pub(crate) plan: &'a Plan,
    pub(crate) progress: &'a dyn Progress,
    pub(crate) number: u32,
    pub(crate) outcome: Outcome,
    /// Ledger numbers of the source directories.
    pub(crate) dir_numbers: Vec<u32>,
    new_dirs: Vec<(u32, Vec<u8>)>,
    /// Names that should have gone and stand: their rows stay, and nothing else gets the name.
    pub(crate) refused: FxHashSet<Vec<u8>>,
    /// How many changes were made or refused: those before this one.
    handled: usize,
    pub(crate) done: Done,
}

/// The fallbacks that are there before any is made.
fn without(mut all: Fallbacks, plan: &Plan) -> Fallbacks {
    if let Some(kind) = plan.options.fallback {
        let number = all.of(kind);
        *number = number.saturating_sub(plan.falls.len() as u64);
    }
    all
}

/// Why a run ends early.
pub(crate) enum Stop {
    Ledger(Error),
    Interrupted,
}

impl<'a> Run<'a> {
    fn new(
        fs: &'a dyn LinkFs,
        files: Option<&'a dyn FileFs>,
        plan: &'a Plan,
        progress: &'a dyn Progress,
    ) -> Self {
        let forecast = &plan.report;
        let outcome = Outcome {
            kept: forecast.kept,
            renamed: forecast.renamed,
            adopted: forecast.adopted,
            orphans: Vec::new(),
            foreign: forecast.foreign,
            held: forecast.held,
            // without those that are to be made
            fallbacks: without(forecast.fallbacks, plan),
            left_out: forecast.left_out,
            unreadable: forecast.unreadable.clone(),
            other_mounts: forecast.other_mounts.clone(),
            failures: forecast.failures.clone(),
            free_before: forecast.free_before,
            directory_before: forecast.directory_before,
            // without the new links, which count when they are made
            view_names: forecast
                .view_names
                .saturating_sub((plan.links.len() + plan.falls.len()) as u64),
            view_bytes: forecast.view_bytes.saturating_sub(
                plan.links
                    .iter()
                    .chain(&plan.falls)
                    .filter_map(|link| link.look)
                    .map(|look| look.size)
                    .sum(),
            ),
            ..Outcome::default()
        };
        let mut next = plan.book.next_dir();
        let mut new_dirs = Vec::new();
        let dir_numbers = plan
            .dir_numbers
            .iter()
            .zip(&plan.sources.dirs)
            .map(|(number, dir)| {
                number.unwrap_or_else(|| {
                    new_dirs.push((next, dir.path.as_os_str().as_encoded_bytes().to_vec()));
                    next += 1;
                    next - 1
                })
            })
            .collect();
        let number = plan.book.last_run.saturating_add(1);
        Self {
            fs,
            files,
            plan,
            progress,
            number,
            outcome,
            dir_numbers,
            new_dirs,
            refused: FxHashSet::default(),
            handled: 0,
            done: Done::default(),
        }
    }

    fn go(mut self, ledger: &mut Ledger) -> (Outcome, Done) {
        let orphans_before = self.planned_orphans();
        self.outcome.orphans = orphans_before;
        match self.steps(ledger) {
            Ok(()) => {}
            Err(Stop::Interrupted) => self.outcome.stopped = true,
            Err(Stop::Ledger(error)) => self.outcome.ledger_error = Some(error),
        }
        for change in &self.plan.changes[self.handled..] {
            self.not_done(change);
        }
        (self.outcome, self.done)
    }

    /// Orphans that were there before this run made any.
    fn planned_orphans(&self) -> Vec<NameBuf> {
        let made: Vec<&NameBuf> = self
            .plan
            .changes
            .iter()
            .filter_map(|change| match change {
                Change::Relink {
                    old_version: OldVersion::KeptAs(kept),
                    ..
                } => Some(kept),
                _ => None,
            })
            .collect();
        self.plan
            .report
            .orphans
            .iter()
            .filter(|name| !made.contains(name))
            .cloned()
            .collect()
    }

    fn steps(&mut self, ledger: &mut Ledger) -> Result<(), Stop> {
        let plan = self.plan;
        if let Err(failure) = self.probe() {
            self.outcome.failures.push(failure);
            return Ok(());
        }
        let view = match self.open_view() {
            Ok(view) => view,
            Err(error) => {
                self.outcome.failures.push(error);
                return Ok(());
            }
        };
        let unfinished = plan.book.completed_run < plan.book.last_run;
        let view_stat = self.fs.stat_dir(&view).ok();
        let new_view = view_stat.and_then(|stat| {
            let known = (stat.id.id, stat.born.unwrap_or_default());
            (plan.book.view != Some(known)).then_some(known)
        });
        let something = plan.step_count() > 0 || !plan.notes.is_empty() || unfinished || new_view.is_some();
        if something {
            self.write(ledger, |run, changes| {
                changes.begin_run(run.number)?;
                if let Some((id, born)) = new_view {
                    changes.set_view(id, born)?;
                }
                run.write_notes(changes)
            })?;
            self.changes(&view, ledger)?;
            let mut made = links::make(self, &view, ledger)?;
            fallback::make(self, &view, ledger, &mut made)?;
            self.finish(&view, ledger, &made)?;
        }
        self.outcome.free_after = self.fs.volume(&view).ok().and_then(|volume| volume.free);
        self.outcome.directory_after = self.fs.stat_dir(&view).ok().map(|stat| stat.allocated);
        Ok(())
    }

    /// Where nobody knows whether there are hard links at all, makes one and removes it again before anything else is
    /// made: on a file system without them nothing is left behind.
    fn probe(&self) -> Result<(), PathError> {
        let plan = self.plan;
        let Some(first) = plan.links.first() else {
            return Ok(());
        };
        if plan.volume.hard_links != HardLinks::Unknown || !plan.book.rows.is_empty() {
            return Ok(());
        }
        let name = temporary_name(Name::new(plan.link_name(first)));
        let at = At::new(plan.view_dir.as_ref().unwrap_or(&plan.parent), name.name());
        let file = &plan.sources.files[first.file as usize];
        let linked = Opener::new(self.fs, &plan.sources)
            .open(file.dir)
            .and_then(|dir| {
                self.fs
                    .link(At::new(&dir, Name::new(plan.sources.name(file))), at)
            });
        match linked {
            Ok(()) => self.fs.unlink(at).at("clean up", plan.view_path(name.bytes())),
            Err(fault) if matches!(fault.kind(), FaultKind::NotPermitted | FaultKind::Unsupported) => {
                Err(plan.failure("link", Some(first.file), plan.link_name(first), fault))
            }
            // what a killed run left; that it could be made tells enough
            Err(fault) if fault.kind() == FaultKind::Exists => {
                remove_temporary(self.fs, at).at("clean up", plan.view_path(name.bytes()))
            }
            Err(_) => Ok(()), // it says nothing about hard links; the links themselves will tell
        }
    }

    fn open_view(&self) -> Result<Dir, PathError> {
        if let Some(dir) = &self.plan.view_dir {
            return Ok(dir.clone());
        }
        let at = At::new(
            &self.plan.parent,
            Name::from_os(self.plan.view.file_name().unwrap_or_default()),
        );
        match self.fs.make_dir(at) {
            Err(fault) if fault.kind() != FaultKind::Exists => Err(fault).at("make", &self.plan.view),
            _ => self.fs.open_child(at).at("open", &self.plan.view),
        }
    }

    pub(crate) fn write(
        &self,
        ledger: &mut Ledger,
        changes: impl FnOnce(&Self, &mut Changes<'_>) -> Result<(), LedgerFault>,
    ) -> Result<(), Stop> {
        ledger
            .change(|open| changes(self, open))
            .map_err(|fault| Stop::Ledger(ledger.named(fault)))
    }

    /// Everything that concerns the ledger alone, and the rows of orphans that get a name of their own.
    fn write_notes(&self, changes: &mut Changes<'_>) -> Result<(), LedgerFault> {
        let plan = self.plan;
        // else a ledger would know every directory that ever was
        for number in plan.book.idle_dirs(&plan.dir_numbers) {
            changes.remove_dir(number)?;
        }
        for (number, path) in &self.new_dirs {
            changes.set_dir(*number, path)?;
        }
        for note in &plan.notes {
            if let Note::Settle { row } = note {
                let row = &plan.book.rows[*row as usize];
                changes.set_row(plan.book.name(row), row, plan.book.source_name(row))?;
            }
        }
        for note in &plan.notes {
            match note {
                Note::Forget { name } => changes.remove_row(name.bytes())?,
                Note::Remember { id, what } => changes.remember(*id, what)?,
                Note::Unremember { id } => changes.forget(*id)?,
                Note::ForgetFallback { name } => changes.remove_fallback(name.bytes())?,
                Note::Settle { .. } | Note::Set { .. } | Note::SetFallback(_) => {}
            }
        }
        // after the rows that go: a name may leave one file and be that of another
        for note in &plan.notes {
            if let Note::Set {
                name,
                file,
                size,
                born,
            } = note
            {
                self.set_row(changes, name.bytes(), *file, *size, *born, plan.book.last_run)?;
            }
        }
        for note in &plan.notes {
            if let Note::SetFallback(row) = note {
                changes.set_fallback(row)?;
            }
        }
        self.announce_fallbacks(changes)?;
        for change in &plan.changes {
            let Change::Relink {
                name,
                row,
                file,
                old_version,
                old,
                old_size,
                old_born,
                born,
                ..
            } = change
            else {
                continue;
            };
            let row = &plan.book.rows[*row as usize];
            let next = key(plan.sources.files[*file as usize].id, plan.volume.volume);
            changes.announce(name.bytes(), row, plan.book.source_name(row), (next, *born))?;
            if let OldVersion::KeptAs(kept) = old_version {
                let id = key(*old, plan.volume.volume);
                let row = Row::new(id, *old_born, *old_size, self.number, NO_DIR);
                changes.set_row(kept.bytes(), &row, b"")?;
            }
        }
        Ok(())
    }

    pub(crate) fn set_row(
        &self,
        changes: &mut Changes<'_>,
        name: &[u8],
        file: u32,
        size: u64,
        born: Option<i64>,
        run: u32,
    ) -> Result<(), LedgerFault> {
        let wanted = &self.plan.sources.files[file as usize];
        let id = key(wanted.id, self.plan.volume.volume);
        let row = Row::new(id, born, size, run, self.dir_numbers[wanted.dir as usize]);
        changes.set_row(name, &row, self.plan.sources.name(wanted))
    }

    /// Changes to names that exist, and then to their rows.
    fn changes(&mut self, view: &Dir, ledger: &mut Ledger) -> Result<(), Stop> {
        let plan = self.plan;
        if plan.changes.is_empty() {
            return Ok(());
        }
        self.progress.begin("updating", Some(plan.changes.len() as u64));
        let mut done: Vec<&Change> = Vec::new();
        let mut opener = Opener::new(self.fs, &plan.sources);
        let mut stop = None;
        let mut refreshed: Vec<FallRow> = Vec::new();
        for change in &plan.changes {
            if self.progress.cancelled() {
                stop = Some(Stop::Interrupted);
                break;
            }
            let (result, action, source) = self.change(view, change, &mut opener, &mut refreshed);
            match result {
                Ok(()) => {
                    self.done.changes.push(self.handled);
                    done.push(change);
                }
                Err(fault) if is_fatal(fault) => {
                    stop = Some(Stop::Interrupted);
                    break;
                }
                Err(fault) => {
                    if self.source_is_gone(change, &mut opener) {
                        self.outcome.left_out.vanished += 1;
                    } else {
                        let failure = plan.failure(action, source, change_name(change).bytes(), fault);
                        self.outcome.failures.push(failure);
                    }
                    self.not_done(change);
                    self.refused.insert(change_name(change).bytes().to_vec());
                }
            }
            self.handled += 1;
            self.progress.advance(1);
        }
        self.progress.end();
        for change in &done {
            self.count(change);
        }
        // before their rows go: a name that a power cut brings back must still be known as ours
        self.sync(view)?;
        self.write(ledger, |run, changes| {
            for change in &done {
                match change {
                    Change::Relink {
                        name,
                        file,
                        size,
                        born,
                        ..
                    } => {
                        run.set_row(changes, name.bytes(), *file, *size, *born, run.number)?;
                    }
                    Change::BecomeLink {
                        name,
                        file,
                        size,
                        born,
                        ..
                    } => {
                        changes.remove_fallback(name.bytes())?;
                        run.set_row(changes, name.bytes(), *file, *size, *born, run.number)?;
                    }
                    Change::RemoveTemporary { .. } | Change::RemovePart { .. } | Change::Refresh { .. } => {}
                    other => {
                        changes.remove_row(change_name(other).bytes())?;
                        changes.remove_fallback(change_name(other).bytes())?;
                    }
                }
            }
            refreshed.iter().try_for_each(|row| changes.set_fallback(row))
        })?;
        stop.map_or(Ok(()), Err)
    }

    /// Whether the file that a name was to lead to went or changed meanwhile: that is no failure, and the next run sees what
    /// there is.
    fn source_is_gone(&self, change: &Change, opener: &mut Opener<'_>) -> bool {
        let (Change::Relink { file, .. } | Change::BecomeLink { file, .. } | Change::Refresh { file, .. }) =
            change
        else {
            return false;
        };
        let wanted = &self.plan.sources.files[*file as usize];
        matches!(usable(wanted, opener.look(*file)), Err(None))
    }

    fn count(&mut self, change: &Change) {
        let outcome = &mut self.outcome;
        match change {
            Change::RemoveTemporary { .. } | Change::RemovePart { .. } => {}
            Change::Remove { .. } | Change::RemoveFallback { .. } => outcome.removed += 1,
            Change::Refresh { .. } => outcome.refreshed += 1,
            Change::BecomeLink { .. } => outcome.relinked += 1,
            Change::DeleteOrphan { .. } => outcome.orphans_deleted += 1,
            Change::MoveOrphan { .. } => outcome.orphans_moved += 1,
            Change::DeleteSources { .. } => outcome.sources_deleted += 1,
            Change::Relink { old_version, .. } => {
                outcome.relinked += 1;
                outcome.superseded += u64::from(*old_version != OldVersion::HasOtherNames);
                if let OldVersion::KeptAs(kept) = old_version {
                    outcome.orphans.push(kept.clone());
                }
            }
        }
    }

    /// Corrects what the forecast said of the view's names.
    fn not_done(&mut self, change: &Change) {
        let outcome = &mut self.outcome;
        match change {
            Change::Remove { size, .. }
            | Change::RemoveFallback { size, .. }
            | Change::DeleteOrphan { size, .. }
            | Change::MoveOrphan { size, .. } => {
                outcome.view_names += 1;
                outcome.view_bytes += size;
            }
            Change::Relink {
                size,
                old_size,
                old_version,
                ..
            } => {
                outcome.view_bytes = (outcome.view_bytes + old_size).saturating_sub(*size);
                if let OldVersion::KeptAs(_) = old_version {
                    outcome.view_names = outcome.view_names.saturating_sub(1);
                    outcome.view_bytes = outcome.view_bytes.saturating_sub(*old_size);
                }
            }
            Change::RemoveTemporary { .. }
            | Change::RemovePart { .. }
            | Change::Refresh { .. }
            | Change::BecomeLink { .. }
            | Change::DeleteSources { .. } => {}
        }
    }

    fn change(
        &self,
        view: &Dir,
        change: &Change,
        opener: &mut Opener<'_>,
        refreshed: &mut Vec<FallRow>,
    ) -> (FsResult<()>, &'static str, Option<u32>) {
        let at = |name: &'_ NameBuf| -> FsResult<Stat> { self.fs.stat(At::new(view, name.name())) };
        match change {
            Change::RemoveTemporary { name } => (
                remove_temporary(self.fs, At::new(view, name.name())),
                "clean up",
                None,
            ),
            Change::RemovePart { name, id } | Change::RemoveFallback { name, id, .. } => {
                let result = at(name).and_then(|stat| {
                    if stat.id != *id {
                        return Err(changed());
                    }
                    self.fs.unlink(At::new(view, name.name()))
                });
                (gone_is_fine(result), "remove", None)
            }
            Change::Refresh { file, .. } => {
                let result = self.refresh(view, change, opener).map(|row| refreshed.push(row));
                (result, "copy", Some(*file))
            }
            Change::BecomeLink { name, row, file, .. } => (
                self.become_link(view, name, *row, *file, opener),
                "link",
                Some(*file),
            ),
            Change::Remove { name, id, .. } => {
                let result = at(name).and_then(|stat| {
                    // the last name of a file is not removed, whatever the plan said
                    if stat.id != *id || stat.links < 2 {
                        return Err(changed());
                    }
                    self.fs.unlink(At::new(view, name.name()))
                });
                (gone_is_fine(result), "remove", None)
            }
            Change::DeleteOrphan { name, id, .. } => {
                let result = at(name).and_then(|stat| {
                    if stat.id != *id {
                        return Err(changed());
                    }
                    self.fs.unlink(At::new(view, name.name()))
                });
                (gone_is_fine(result), "delete", None)
            }
            Change::MoveOrphan { name, id, to, .. } => {
                let result = self.fs.open_dir(to).and_then(|to| {
                    gone_is_fine(at(name).and_then(|stat| {
                        if stat.id != *id {
                            return Err(changed());
                        }
                        self.free_name(&to, name, |new| {
                            self.fs.rename(At::new(view, name.name()), new, Existing::Keep)
                        })
                    }))
                });
                (result, "move", None)
            }
            Change::DeleteSources { files, .. } => {
                let result = files
                    .iter()
                    .try_for_each(|&file| self.delete_source(file, opener));
                (result, "delete", files.first().copied())
            }
            Change::Relink {
                name,
                file,
                old,
                old_version,
                ..
            } => (
                self.relink(view, name, *file, *old, old_version, opener),
                "relink",
                Some(*file),
            ),
        }
    }

    fn delete_source(&self, file: u32, opener: &mut Opener<'_>) -> FsResult<()> {
        let wanted = &self.plan.sources.files[file as usize];
        let dir = opener.open(wanted.dir)?;
        let at = At::new(&dir, Name::new(self.plan.sources.name(wanted)));
        gone_is_fine(self.fs.stat(at).and_then(|stat| {
            if stat.id != wanted.id {
                return Err(changed());
            }
            self.fs.unlink(at)
        }))
    }

    fn relink(
        &self,
        view: &Dir,
        name: &NameBuf,
        file: u32,
        old: FileId,
        old_version: &OldVersion,
        opener: &mut Opener<'_>,
    ) -> FsResult<()> {
        let wanted = &self.plan.sources.files[file as usize];
        let dir = opener.open(wanted.dir)?;
        let source = At::new(&dir, Name::new(self.plan.sources.name(wanted)));
        let target = At::new(view, name.name());
        let stat = self.fs.stat(target)?;
        let now = self.fs.stat(source)?;
        if stat.id != old || now.id != wanted.id || now.kind != Kind::File {
            return Err(changed());
        }
        match old_version {
            OldVersion::Dropped => {}
            // the old version's other names may have gone since: then this one stays until the next run decides
            OldVersion::HasOtherNames if stat.links < 2 => return Err(changed()),
            OldVersion::HasOtherNames => {}
            OldVersion::KeptAs(kept) => {
                let kept = At::new(view, kept.name());
                match self.fs.link(target, kept) {
                    Err(fault)
                        if fault.kind() == FaultKind::Exists
                            && self.fs.stat(kept).is_ok_and(|found| found.id == old) => {}
                    linked => linked?,
                }
            }
            OldVersion::MovedTo(to) => {
                let to = self.fs.open_dir(to)?;
                self.free_name(&to, name, |new| self.fs.link(target, new))?;
            }
        }
        replace_if(self.fs, source, target, |last| {
            last.id == old && (*old_version == OldVersion::Dropped || last.links > 1)
        })
    }

    /// Tries `name`, then `name (2)` and so on, in another directory until one is free.
    fn free_name(&self, dir: &Dir, name: &NameBuf, attempt: impl Fn(At<'_>) -> FsResult<()>) -> FsResult<()> {
        let rules = self.fs.volume(dir)?.names;
        let mut tried = attempt(At::new(dir, name.name()));
        for number in 2u32.. {
            match tried {
                Err(fault) if fault.kind() == FaultKind::Exists => {
                    let numbered = rules.with_label(name.bytes(), number.to_string().as_bytes());
                    tried = attempt(At::new(dir, Name::new(&numbered)));
                }
                other => return other,
            }
        }
        tried
    }

    /// Looks at what the links came to, and closes the run in the ledger.
    fn finish(&mut self, view: &Dir, ledger: &mut Ledger, made: &Made) -> Result<(), Stop> {
        let corrections = links::verify(self, view, made);
        let taken_back: Vec<u32> = corrections
            .iter()
            .filter(|correction| correction.stat.is_none())
            .map(|correction| correction.link)
            .collect();
        // OK to cast: files are counted in u32 from the walk on
        self.done.links = (0..made.tried as u32)
            .filter(|index| made.failed.binary_search(index).is_err() && !taken_back.contains(index))
            .collect();
        let plan = self.plan;
        // a name that the ledger calls made must not be gone after a power cut: it would look deleted by the user
        let durable = self.sync(view)?;
        let complete = !made.stopped && durable;
        self.write(ledger, |run, changes| {
            for &index in &made.failed {
                let name = plan.link_name(&plan.links[index as usize]);
                if !run.refused.contains(name) {
                    changes.remove_row(name)?;
                }
            }
            for correction in &corrections {
                let link = &plan.links[correction.link as usize];
                let name = plan.link_name(link);
                match &correction.stat {
                    Some(stat) => {
                        let file = &plan.sources.files[link.file as usize];
                        let id = key(stat.id, plan.volume.volume);
                        let number = run.dir_numbers[file.dir as usize];
                        let row = Row::new(id, birth(stat), stat.size, run.number, number);
                        changes.set_row(name, &row, plan.sources.name(file))?;
                    }
                    None => changes.remove_row(name)?,
                }
            }
            if complete {
                changes.complete_run(run.number)
            } else {
                Ok(())
            }
        })?;
        if made.stopped {
            Err(Stop::Interrupted)
        } else {
            Ok(())
        }
    }

    /// Waits until the view's names are on the disk; whether they are.
    fn sync(&mut self, view: &Dir) -> Result<bool, Stop> {
        match self.fs.sync(view) {
            Ok(()) => Ok(true),
            Err(fault) if is_fatal(fault) => Err(Stop::Interrupted),
            Err(fault) => {
                let path = self.plan.view.clone();
                self.outcome.failures.push(Failure {
                    action: "sync",
                    path,
                    to: None,
                    fault,
                });
                Ok(false)
            }
        }
    }
}

fn change_name(change: &Change) -> &NameBuf {
    match change {
        Change::RemoveTemporary { name }
        | Change::Remove { name, .. }
        | Change::DeleteOrphan { name, .. }
        | Change::MoveOrphan { name, .. }
        | Change::DeleteSources { name, .. }
        | Change::RemovePart { name, .. }
        | Change::RemoveFallback { name, .. }
        | Change::Refresh { name, .. }
        | Change::BecomeLink { name, .. }
        | Change::Relink { name, .. } => name,
    }
}

fn gone_is_fine(result: FsResult<()>) -> FsResult<()> {
    match result {
        Err(fault) if fault.kind() == FaultKind::NotFound => Ok(()),
        other => other,
    }
}
