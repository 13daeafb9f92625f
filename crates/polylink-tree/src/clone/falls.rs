//! What stands in a clone where no hard link can be: symbolic links and copies, if the user wants that.
//!
//! The rules are those of views, and so is the ledger; only that a clone writes down nothing else. Each record is written
//! before its fallback is made, marked as pending, and again afterwards with what was made.

use std::path::{Path, PathBuf};

use polylink_core::{
    At, Dir, Existing, Fault, FaultKind, FileId, FsResult, Kind, Name, PathError, Stat, part_name,
    remove_part,
};
use polylink_view::{FallRow, Fallback, Mark, Stands, make_fallback, symlink_target};
use rustc_hash::FxHashMap;

use super::apply::{Run, Stopped};
use super::diff::Diff;
use super::{Change, How, Old, Plan};
use crate::is_fatal;
use crate::opener::Opener;
use crate::tree::Tree;
use crate::work::{Halt, Share, share, waiting};

/// A source as it was looked at, its fallback, and what that came to.
type Fallen = (Stat, Stat, Fallback);

/// Fallbacks that are written down at once.
const STRETCH: usize = 256;

/// What the ledger knew, by the paths below the clone.
#[derive(Debug, Default)]
pub(super) struct Known {
    rows: FxHashMap<Vec<u8>, FallRow>,
    /// Records of what is not ours any more.
    pub(super) gone: Vec<Vec<u8>>,
    /// Records that are put right.
    pub(super) settled: Vec<FallRow>,
}

impl Known {
    pub(super) fn new(rows: Vec<FallRow>) -> Self {
        Self {
            rows: rows.into_iter().map(|row| (row.name.clone(), row)).collect(),
            ..Self::default()
        }
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<&FallRow> {
        self.rows.get(key)
    }
}

/// The number of a source file in the ledger: one of another volume does not meet one of the clone's.
fn number(stat: &Stat, apart: bool) -> u128 {
    stat.id.id
        ^ if apart {
            u128::from(stat.id.volume) << 64
        } else {
            0
        }
}

fn row(key: Vec<u8>, kind: Fallback, apart: bool, source: &Stat) -> FallRow {
    FallRow {
        name: key,
        kind,
        pending: true,
        orphan: false,
        apart,
        links: source.links,
        source: Mark::of(source, number(source, apart)),
        own: None,
        dir: 0,
        source_name: Vec::new(),
    }
}

/// What a symbolic link at this place of a clone says.
fn target(source: &Tree, dest: &Path, dir: u32, at: usize, apart: bool) -> Vec<u8> {
    let home = match dir {
        0 => dest.to_path_buf(),
        _ => dest.join(source.relative(dir)),
    };
    symlink_target(&home, &source.entry_path(dir, at), apart)
}

impl Diff<'_> {
    /// Whether a file can have one more name in the clone, as far as that is known.
    fn has_room(&self, stat: &Stat) -> bool {
        let links = self.links_then(stat);
        !self.apart && self.limit.is_none_or(|limit| links < limit)
    }

    /// How many names a file has once what is planned so far is done.
    fn links_then(&self, stat: &Stat) -> u64 {
        let number = |of: &FxHashMap<FileId, u64>| of.get(&stat.id).copied().unwrap_or(0);
        stat.links
            .saturating_sub(number(&self.leaving))
            .saturating_add(number(&self.planned))
    }

    /// Settles a name of the clone that is a fallback; where it is none, says how its counterpart is to be made, `None`
    /// where there is nothing to do.
    pub(super) fn fallback_stands(
        &mut self,
        opener: &mut Opener<'_>,
        sources: &mut Opener<'_>,
        dir: u32,
        (source, entry): (u32, usize),
        stat: &Stat,
    ) -> FsResult<Option<How>> {
        let key = self.source.key(source, entry);
        let fallback = self.request.options.fallback;
        let row = self.known.get(&key).cloned();
        if self.source.entry(entry).kind != Kind::File || (row.is_none() && fallback.is_none()) {
            return Ok(Some(How::Link));
        }
        let from = sources.open(source)?;
        let existing = self
            .fs
            .stat(At::new(&from, self.source.name(self.source.entry(entry))))?;
        let says = target(self.source, &self.request.dest, source, entry, self.apart);
        let name = self.source.name(self.source.entry(entry));
        let there = opener.open(dir)?;
        let row = match row {
            Some(row) => match row.stands(self.fs, &there, name, &says)? {
                // a copy that was the last of its data is not overwritten by what comes to its path later
                Stands::Ours(now) if !row.orphan || row.source == Mark::of(&existing, row.source.id) => {
                    Some(row.as_it_stands(&now))
                }
                _ => {
                    self.known.gone.push(key.clone());
                    None
                }
            },
            None => None,
        };
        let room = self.has_room(&existing);
        let Some(row) = row else {
            let how = match fallback {
                Some(kind) if !room => How::Fall(kind),
                _ => How::Link,
            };
            if how == How::Link {
                *self.planned.entry(existing.id).or_default() += 1;
            }
            return Ok(Some(how));
        };
        self.ours += 1;
        let change = |how| Change::Relink {
            dir,
            source,
            entry,
            old: stat.id,
            old_version: Old::Fallback,
            how,
        };
        if room && (row.apart || self.links_then(&existing) < row.links) {
            *self.planned.entry(existing.id).or_default() += 1;
            self.report.relinked += 1;
            self.touched.insert(source);
            self.changes.push(change(How::Link));
            return Ok(None);
        }
        let wanted = match fallback {
            Some(wanted) => wanted,
            // blocks that could be shared once need not be shareable again
            None if row.kind == Fallback::Symlink => Fallback::Symlink,
            None => Fallback::Copy,
        };
        let right = wanted.is_like(row.kind)
            && if row.kind == Fallback::Symlink {
                self.fs.read_symlink(At::new(&there, name))? == says
            } else {
                let now = Mark::of(&existing, 0);
                (row.source.size, row.source.modified) == (now.size, now.modified)
            };
        if right {
            self.report.kept += 1;
            *self.report.fallbacks.of(row.kind) += 1;
            *self.standing.of(row.kind) += 1;
            if row.pending || row.orphan {
                self.known.settled.push(FallRow {
                    pending: false,
                    orphan: false,
                    own: Some(Mark::of(stat, stat.id.id)),
                    ..row
                });
            }
            return Ok(None);
        }
        self.report.refreshed += 1;
        *self.report.fallbacks.of(wanted) += 1;
        self.touched.insert(source);
        self.changes.push(change(How::Fall(wanted)));
        Ok(None)
    }

    /// Settles a fallback whose counterpart is gone; answers whether it was one. A symbolic link goes, for it leads
    /// nowhere; a copy goes where the source has its file elsewhere, as it was copied, else it is somebody's last data.
    pub(super) fn fallback_without_source(
        &mut self,
        opener: &mut Opener<'_>,
        sources: &mut Opener<'_>,
        (dir, at): (u32, usize),
    ) -> FsResult<bool> {
        let Some(dest) = self.dest else { return Ok(false) };
        let key = dest.key(dir, at);
        let Some(row) = self.known.get(&key).cloned() else {
            return Ok(false);
        };
        let name = dest.name(dest.entry(at));
        let relative = crate::tree::join(&dest.relative(dir), name);
        let home = dest.dir_path(dir);
        let says = symlink_target(&home, &self.request.source.join(relative), self.apart);
        let there = opener.open(dir)?;
        let Stands::Ours(stat) = row.stands(self.fs, &there, name, &says)? else {
            self.known.gone.push(key);
            return Ok(false);
        };
        let row = row.as_it_stands(&stat);
        if row.kind != Fallback::Symlink && !self.is_elsewhere(sources, &row)? {
            if !row.orphan {
                self.known.settled.push(FallRow {
                    pending: false,
                    orphan: true,
                    own: Some(Mark::of(&stat, stat.id.id)),
                    ..row
                });
            }
            return Ok(false);
        }
        self.report.removed += 1;
        self.changes.push(Change::RemoveFallback { dir, entry: at });
        Ok(true)
    }

    /// Whether the source has the file of a copy under another name, unchanged since it was copied.
    fn is_elsewhere(&mut self, sources: &mut Opener<'_>, row: &FallRow) -> FsResult<bool> {
        if self.by_number.is_empty() {
            for (number, dir) in (0u32..).zip(&self.source.dirs) {
                for at in dir.entries.clone() {
                    if let Some(id) = self.source.id(self.source.entry(at)) {
                        self.by_number.insert(id.id, (number, at));
                    }
                }
            }
        }
        let Some(&(dir, at)) = self.by_number.get(&self.id_in_source(row)) else {
            return Ok(false);
        };
        let from = sources.open(dir)?;
        let now = match self
            .fs
            .stat(At::new(&from, self.source.name(self.source.entry(at))))
        {
            Err(fault) if fault.kind() == FaultKind::NotFound => return Ok(false),
            stat => stat?,
        };
        Ok(now.kind == Kind::File && Mark::of(&now, row.source.id) == row.source)
    }

    fn id_in_source(&self, row: &FallRow) -> u128 {
        let volume = self
            .fs
            .stat_dir(&self.source.root)
            .map_or(0, |stat| stat.id.volume);
        row.source.id ^ if row.apart { u128::from(volume) << 64 } else { 0 }
    }

    /// Takes out of the links those that cannot be.
    pub(super) fn find_falls(&mut self) {
        let Some(kind) = self.request.options.fallback else {
            return;
        };
        let mut sources = Opener::new(self.fs, self.source, &self.source.root);
        let links = std::mem::take(&mut self.links);
        for (dir, entries) in links {
            let (mut linked, mut falls) = (Vec::new(), Vec::new());
            for at in entries {
                let entry = self.source.entry(at);
                if self.apart && entry.kind == Kind::Special {
                    self.report.special += 1;
                    continue;
                }
                if self.apart && entry.kind == Kind::Symlink {
                    self.report.symlinks += 1;
                }
                if entry.kind != Kind::File || (self.limit.is_none() && !self.apart) {
                    linked.push(at);
                    continue;
                }
                let looked = sources.open(dir);
                let looked = looked.and_then(|from| self.fs.stat(At::new(&from, self.source.name(entry))));
                match looked {
                    Ok(stat) if !self.has_room(&stat) => {
                        *self.report.fallbacks.of(kind) += 1;
                        self.report.fallbacks_made += 1;
                        falls.push(at);
                    }
                    Ok(stat) => {
                        *self.planned.entry(stat.id).or_default() += 1;
                        linked.push(at);
                    }
                    // making it tells why
                    Err(_) => linked.push(at),
                }
            }
            if !linked.is_empty() {
                self.links.push((dir, linked));
            }
            if !falls.is_empty() {
                self.falls.push((dir, falls));
            }
        }
    }
}

impl Plan {
    fn target(&self, dir: u32, at: usize) -> Vec<u8> {
        target(&self.source, &self.dest_path, dir, at, self.apart)
    }
}

impl Run<'_> {
    /// Writes down; a ledger that cannot be written ends the run, before anything is made that nobody would know again.
    pub(super) fn note(&mut self, known: &[FallRow], gone: &[Vec<u8>]) -> Result<(), Stopped> {
        let Some(ledger) = self.ledger.as_deref_mut() else {
            return Ok(());
        };
        ledger.note_fallbacks(known, gone).map_err(|error| {
            self.outcome.ledger_error = Some(std::sync::Arc::new(error));
            Stopped
        })
    }

    /// Writes ahead which fallbacks are made anew.
    pub(super) fn announce(&mut self) -> Result<(), Stopped> {
        let plan = self.plan;
        let mut ours = Opener::new(self.fs, &plan.source, &plan.source.root);
        let mut rows = plan.known.settled.clone();
        for change in &plan.changes {
            if let Change::Relink {
                source,
                entry,
                old_version: Old::Fallback,
                how: How::Fall(kind),
                ..
            } = change
            {
                let key = plan.source.key(*source, *entry);
                let name = plan.source.name(plan.source.entry(*entry));
                let now = ours
                    .open(*source)
                    .and_then(|dir| self.fs.stat(At::new(&dir, name)));
                // making it tells why it cannot be looked at
                if let (Ok(now), Some(old)) = (now, plan.known.get(&key)) {
                    rows.push(FallRow {
                        own: old.own,
                        ..row(key, *kind, plan.apart, &now)
                    });
                }
            }
        }
        self.note(&rows, &plan.known.gone)
    }

    /// Puts a fallback in the place of a name, if that still leads where it did.
    pub(super) fn replace_with_fallback(
        &mut self,
        (dir, at): (u32, usize),
        kind: Fallback,
        (existing, new): (At<'_>, At<'_>),
        known: Option<&FallRow>,
        right: impl Fn(&Stat) -> bool,
    ) -> Result<FsResult<FallRow>, Stopped> {
        let plan = self.plan;
        let says = plan.target(dir, at);
        let part = part_name(new.name);
        let part = At::new(new.dir, part.name());
        let made = || {
            remove_part(self.fs, new)?;
            let source = self.fs.stat(existing)?;
            let (made, kind) = make_fallback(self.fs, kind, existing, part, &says)?;
            Ok::<_, Fault>(FallRow {
                kind,
                pending: false,
                own: Some(Mark::of(&made, made.id.id)),
                ..row(plan.source.key(dir, at), kind, plan.apart, &source)
            })
        };
        let made = match made() {
            Ok(made) => made,
            Err(fault) => return Ok(Err(fault)),
        };
        let is_right = match known {
            Some(known) => known
                .stands(self.fs, new.dir, new.name, &says)
                .map(|stands| matches!(stands, Stands::Ours(_))),
            None => self.fs.stat(new).map(|stat| right(&stat)),
        };
        if known.is_none() && is_right == Ok(true) {
            // known before it is there: what stood at this name before is not taken for it
            self.note(std::slice::from_ref(&made), &[])?;
        }
        let renamed = match is_right {
            Ok(true) => self.fs.rename(part, new, Existing::Replace),
            Ok(false) => Err(FaultKind::Stale.into()),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = renamed {
            // OK to ignore: the next run removes it
            let _ = self.fs.unlink(part);
            return Ok(Err(fault));
        }
        Ok(Ok(made))
    }

    /// Makes a hard link of a fallback.
    pub(super) fn become_link(
        &self,
        (dir, at): (u32, usize),
        existing: At<'_>,
        new: At<'_>,
        known: &FallRow,
    ) -> FsResult<()> {
        let says = self.plan.target(dir, at);
        polylink_core::replace_if(self.fs, existing, new, |_| {
            let stands = known.stands(self.fs, new.dir, new.name, &says);
            matches!(stands, Ok(Stands::Ours(_)))
        })
    }

    /// Removes a fallback whose counterpart is gone.
    pub(super) fn remove_fallback(
        &self,
        dir: &Dir,
        number: u32,
        name: Name<'_>,
        known: &FallRow,
    ) -> FsResult<()> {
        let Some(dest) = &self.plan.dest else {
            return Ok(());
        };
        let relative = crate::tree::join(&dest.relative(number), name);
        let path: PathBuf = self.plan.source.path.join(relative);
        let says = symlink_target(&dest.dir_path(number), &path, self.plan.apart);
        match known.stands(self.fs, dir, name, &says)? {
            Stands::Ours(_) => self.fs.unlink(At::new(dir, name)),
            Stands::Nothing => Ok(()),
            Stands::Foreign => Err(FaultKind::Stale.into()),
        }
    }

    /// Makes the fallbacks of the plan, and of the links that were refused.
    pub(super) fn falls(&mut self, root: &Dir, refused: &[(u32, usize)]) -> Result<(), Stopped> {
        let plan = self.plan;
        let Some(kind) = plan.options.fallback else {
            return Ok(());
        };
        let planned = plan.falls.iter();
        let mut all: Vec<(u32, usize)> = planned
            .flat_map(|(dir, entries)| entries.iter().map(|at| (*dir, *at)))
            .chain(refused.iter().copied())
            .collect();
        all.sort_unstable();
        if all.is_empty() {
            return Ok(());
        }
        self.progress.begin("copying", Some(all.len() as u64));
        let mut ours = Opener::new(self.fs, &plan.source, &plan.source.root);
        for some in all.chunks(STRETCH) {
            self.go_on()?;
            let mut rows = Vec::new();
            let mut looked = Vec::new();
            for &(dir, at) in some {
                let name = plan.source.name(plan.source.entry(at));
                let stat = ours.open(dir).and_then(|from| self.fs.stat(At::new(&from, name)));
                if let Ok(stat) = &stat {
                    rows.push(row(plan.source.key(dir, at), kind, plan.apart, stat));
                }
                looked.push(stat);
            }
            self.note(&rows, &[])?;
            let (made, halt) = self.make_falls(root, kind, some, &looked);
            let (mut known, mut gone) = (Vec::new(), Vec::new());
            let mut stopped = if halt.called() { Err(Stopped) } else { Ok(()) };
            for (index, made) in made {
                let (dir, at) = some[index];
                let key = plan.source.key(dir, at);
                match made {
                    Ok((stat, made, kind)) => {
                        *self.outcome.fallbacks.of(kind) += 1;
                        self.outcome.fallbacks_made += 1;
                        known.push(FallRow {
                            kind,
                            pending: false,
                            own: Some(Mark::of(&made, made.id.id)),
                            ..row(key, kind, plan.apart, &stat)
                        });
                    }
                    Err(fault) if fault.kind() == FaultKind::NotFound => {
                        self.outcome.vanished += 1;
                        gone.push(key);
                    }
                    Err(fault) => {
                        if !is_fatal(fault) {
                            gone.push(key);
                        }
                        let failed = self.failed(PathError {
                            action: "copy",
                            path: plan.source.entry_path(dir, at),
                            to: Some(plan.counterpart_of(dir, at)),
                            fault,
                        });
                        stopped = stopped.and(failed);
                    }
                }
            }
            self.note(&known, &gone)?;
            stopped?;
        }
        self.progress.end();
        Ok(())
    }

    /// Makes some fallbacks by several threads: each copy is on the disk before it gets its name, so they wait for that
    /// together. What was looked at and what became of it, by index; those before the halt only.
    fn make_falls(
        &self,
        root: &Dir,
        kind: Fallback,
        some: &[(u32, usize)],
        looked: &[FsResult<Stat>],
    ) -> (Vec<(usize, FsResult<Fallen>)>, Halt) {
        let (fs, plan) = (self.fs, self.plan);
        let halt = Halt::default();
        let how = Share {
            threads: waiting(fs, plan.options.threads),
            progress: self.progress,
            halt: &halt,
        };
        let local = || {
            (
                Opener::new(fs, &plan.source, &plan.source.root),
                Opener::new(fs, &plan.source, root),
            )
        };
        let made = share(&how, some.len(), local, |(ours, theirs), index| {
            let (dir, at) = some[index];
            let name = plan.source.name(plan.source.entry(at));
            let made = looked[index].and_then(|stat| {
                let (from, to) = (ours.open(dir)?, theirs.open(dir)?);
                let (from, to) = (At::new(&from, name), At::new(&to, name));
                let (made, kind) = make_fallback(fs, kind, from, to, &plan.target(dir, at))?;
                Ok((stat, made, kind))
            });
            if made.is_err_and(is_fatal) {
                halt.call();
            }
            ((index, made), 1)
        });
        (made, halt)
    }
}
