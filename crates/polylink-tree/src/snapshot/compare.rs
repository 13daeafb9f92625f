//! Which files are as they were in an earlier snapshot.

use std::num::NonZeroUsize;

use polylink_core::{At, FaultKind, FileFs, FsResult, Kind, PathError, Progress, Stat};
use polylink_walk::DirState;

use super::{Base, Found};
use crate::metadata::Rights;
use crate::opener::Opener;
use crate::tree::{NONE, Tree};
use crate::work::{Halt, Share, share};

/// Files that a thread looks at at once.
const STRETCH: usize = 512;
/// Clocks of file systems lag behind the system's by a tick, and some count two seconds at once.
const SLACK: i128 = 3_000_000_000;
/// Bytes that are compared at once.
const PIECE: usize = 256 * 1024;

/// What somebody saw who looked at an entry of the source.
#[derive(Debug)]
pub(super) enum Look {
    /// A directory, or something told elsewhere.
    Nothing,
    /// A device, pipe or socket.
    Special,
    /// It is not there any more.
    Vanished,
    /// It cannot be looked at.
    Failed(PathError),
    /// It is as this file is.
    Same(Found),
    /// It is new, or has changed.
    Fresh,
}

/// What is compared with what.
pub(super) struct Find<'a> {
    pub(super) fs: &'a dyn FileFs,
    pub(super) source: &'a Tree,
    pub(super) bases: &'a [Base],
    pub(super) rights: Rights,
    pub(super) threads: Option<NonZeroUsize>,
}

/// The directory that an entry lies in.
pub(super) fn dir_of(tree: &Tree, at: usize) -> u32 {
    let dir = tree.dirs.partition_point(|dir| dir.entries.end <= at);
    // OK to cast: directories are counted in u32 from the walk on
    dir as u32
}

/// Looks at every entry of the source; `None` where the user wanted it to stop.
pub(super) fn look(find: &Find<'_>, progress: &dyn Progress) -> Option<Vec<Look>> {
    let source = find.source;
    let mut jobs = Vec::new();
    for (number, dir) in (0u32..).zip(&source.dirs) {
        let mut start = dir.entries.start;
        while start < dir.entries.end {
            let end = dir.entries.end.min(start + STRETCH);
            jobs.push((number, start..end));
            start = end;
        }
    }
    progress.begin("comparing", Some(source.len() as u64));
    let halt = Halt::default();
    let how = Share {
        threads: find.threads,
        progress,
        halt: &halt,
    };
    let local = || {
        let source = Opener::new(find.fs, source, &source.root);
        let bases = find.bases.iter();
        let bases: Vec<_> = bases
            .map(|base| Opener::new(find.fs, &base.tree, &base.tree.root))
            .collect();
        (source, bases)
    };
    let looks = share(&how, jobs.len(), local, |(ours, theirs), job| {
        let (dir, range) = &jobs[job];
        let steps = range.len() as u64;
        let looks: Vec<Look> = range.clone().map(|at| find.one(*dir, at, ours, theirs)).collect();
        (looks, steps)
    });
    progress.end();
    if halt.called() {
        return None;
    }
    Some(looks.into_iter().flatten().collect())
}

impl Find<'_> {
    fn one(&self, dir: u32, at: usize, ours: &mut Opener<'_>, theirs: &mut [Opener<'_>]) -> Look {
        let entry = self.source.entry(at);
        match entry.kind {
            Kind::Special => return Look::Special,
            Kind::File | Kind::Symlink if self.source.id(entry).is_some() => {}
            _ => return Look::Nothing,
        }
        match self.compare(dir, at, ours, theirs) {
            Ok(Some(found)) => Look::Same(found),
            Ok(None) => Look::Fresh,
            Err(fault) if fault.kind() == FaultKind::NotFound => Look::Vanished,
            Err(fault) => Look::Failed(PathError {
                action: "look at",
                path: self.source.entry_path(dir, at),
                to: None,
                fault,
            }),
        }
    }

    fn compare(
        &self,
        dir: u32,
        at: usize,
        ours: &mut Opener<'_>,
        theirs: &mut [Opener<'_>],
    ) -> FsResult<Option<Found>> {
        let name = self.source.name(self.source.entry(at));
        let mut stat = None;
        let from = ours.open(dir)?;
        let existing = At::new(&from, name);
        for ((number, base), theirs) in (0u32..).zip(self.bases).zip(theirs) {
            let partner = base.partner[dir as usize];
            if partner == NONE || base.tree.dirs[partner as usize].state != DirState::Read {
                continue;
            }
            let Some(found) = base.tree.find(partner, name) else {
                continue;
            };
            let old = base.tree.entry(found);
            if old.kind != self.source.entry(at).kind || base.tree.id(old).is_none() {
                continue;
            }
            let stat = match stat {
                Some(stat) => stat,
                None => *stat.insert(self.fs.stat(existing)?),
            };
            // OK to give up on a fault of the store: then the file is copied
            let same = theirs.open(partner).and_then(|to| {
                let old = At::new(&to, base.tree.name(old));
                self.same(existing, &stat, old, base)
            });
            if same == Ok(true) {
                return Ok(Some(Found {
                    base: number,
                    dir: partner,
                    at: found,
                }));
            }
        }
        Ok(None)
    }

    /// Whether a file is as one in the store: size, time of the last change, permissions, owner, and then the other
    /// metadata, unless nothing at all has changed since that snapshot was begun.
    fn same(&self, existing: At<'_>, stat: &Stat, old: At<'_>, base: &Base) -> FsResult<bool> {
        let was = self.fs.stat(old)?;
        let taken_over = self.rights.taken_over(stat.owner, was.owner);
        if stat.kind != was.kind
            || stat.size != was.size
            || stat.modified != was.modified
            || !(taken_over || stat.owner == was.owner)
        {
            return Ok(false);
        }
        if !self.rights.modes_agree(stat.mode, was.mode, taken_over) {
            return Ok(false);
        }
        if stat.kind == Kind::Symlink {
            return Ok(self.fs.read_symlink(existing)? == self.fs.read_symlink(old)?);
        }
        match (base.begun, stat.changed) {
            (Some(begun), Some(changed)) if changed < begun - SLACK => Ok(true),
            (begun, _) => {
                let metadata = self.fs.metadata(existing)?;
                Ok(self.rights.agree(&metadata, &self.fs.metadata(old)?)
                    && (begun.is_some() || self.same_content(existing, old)?))
            }
        }
    }

    /// A stopped run may have left a file whose bytes had not reached the disk.
    fn same_content(&self, a: At<'_>, b: At<'_>) -> FsResult<bool> {
        let (a, b) = (self.fs.open_file(a)?, self.fs.open_file(b)?);
        let (mut ours, mut theirs) = (vec![0; PIECE], vec![0; PIECE]);
        let mut offset = 0;
        loop {
            let n = a.read_full(offset, &mut ours)?;
            if b.read_full(offset, &mut theirs)? != n || ours[..n] != theirs[..n] {
                return Ok(false);
            }
            if n < PIECE {
                return Ok(true);
            }
            offset += n as u64;
        }
    }
}
