//! What to do so that a clone fits its source again.

use polylink_core::{
    At, Dir, Fault, FaultKind, FileFs, FileId, FsResult, Kind, Name, NameBuf, NameRules, PathError, Stat,
    VolumeInfo, is_part_kind, is_part_name, is_temporary_name,
};
use polylink_view::Fallbacks;
use polylink_walk::DirState;
use rustc_hash::{FxHashMap, FxHashSet};

use super::falls::Known;
use super::{Change, Extra, How, Old, Orphans, Outcome, Plan, Request, Touch};
use crate::error::Error;
use crate::metadata::Rights;
use crate::opener::Opener;
use crate::tree::{Entry, NONE, Tree, join};

/// Why a name of the clone cannot stay as it is.
#[derive(Clone, Copy)]
pub(super) enum Reason {
    /// It has no counterpart, or one of another kind.
    Gone,
    /// Its counterpart is a directory.
    InTheWay,
    /// Its counterpart leads to another file: the source's directory and entry.
    Other(u32, usize),
}

/// Where the clone is, or will be.
pub(super) struct Place<'a> {
    pub(super) parent: Dir,
    /// The source is on another file system, or there are no hard links at all.
    pub(super) apart: bool,
    pub(super) volume: &'a VolumeInfo,
}

pub(super) struct Diff<'a> {
    pub(super) fs: &'a dyn FileFs,
    rules: &'a NameRules,
    pub(super) source: &'a Tree,
    pub(super) dest: Option<&'a Tree>,
    pub(super) request: &'a Request,
    pub(super) apart: bool,
    /// Most names of a file.
    pub(super) limit: Option<u64>,
    pub(super) known: Known,
    /// Fallbacks that are as they were made.
    pub(super) ours: u64,
    pub(super) standing: Fallbacks,
    /// How many names each file is about to get.
    pub(super) planned: FxHashMap<FileId, u64>,
    /// How many names each file loses before.
    pub(super) leaving: FxHashMap<FileId, u64>,
    /// One name of each file of the source; filled when it is asked for.
    pub(super) by_number: FxHashMap<u128, (u32, usize)>,
    pub(super) falls: Vec<(u32, Vec<usize>)>,
    /// The counterpart of each directory of the source.
    partner: Vec<u32>,
    /// The counterpart of each directory of the clone.
    back: Vec<u32>,
    /// Names of the clone to look at: directory, entry, why.
    suspects: Vec<(u32, usize, Reason)>,
    /// Directories of the clone that go if they become empty.
    doomed: Vec<u32>,
    pub(super) changes: Vec<Change>,
    make_dirs: Vec<u32>,
    pub(super) links: Vec<(u32, Vec<usize>)>,
    /// Directories of the clone where a file must be: the source's directory and entry, the directory.
    in_the_way: Vec<(u32, usize, u32)>,
    /// Directories of the source in whose counterparts names change.
    pub(super) touched: FxHashSet<u32>,
    /// Directories of the clone in which something stays that should go.
    occupied: FxHashSet<u32>,
    pub(super) report: Outcome,
}

pub(super) fn diff(
    fs: &dyn FileFs,
    request: &Request,
    source: Tree,
    dest: Option<Tree>,
    known: Known,
    place: Place<'_>,
) -> Result<Plan, Error> {
    let rights = Rights::of(request.options.user);
    let mut diff = Diff {
        fs,
        rules: &place.volume.names,
        source: &source,
        dest: dest.as_ref(),
        request,
        apart: place.apart,
        limit: place.volume.link_limit,
        known,
        ours: 0,
        standing: Fallbacks::default(),
        planned: FxHashMap::default(),
        leaving: FxHashMap::default(),
        by_number: FxHashMap::default(),
        falls: Vec::new(),
        partner: vec![NONE; source.dirs.len()],
        back: vec![NONE; dest.as_ref().map_or(0, |dest| dest.dirs.len())],
        suspects: Vec::new(),
        doomed: Vec::new(),
        changes: Vec::new(),
        make_dirs: Vec::new(),
        links: Vec::new(),
        in_the_way: Vec::new(),
        touched: FxHashSet::default(),
        occupied: FxHashSet::default(),
        report: Outcome::default(),
    };
    diff.pair();
    diff.judge();
    diff.find_strangers();
    let report = &diff.report;
    let taken = report.relinked
        + report.fallbacks_made
        + report.removed
        + report.orphans_deleted
        + report.orphans.len() as u64;
    if let Some(tree) = diff.dest
        && request.options.extra != Extra::PruneAnyway
        && report.kept == 0
        && diff.ours == 0
        && taken > 1
    {
        return Err(Error::NotAClone {
            source_dir: request.source.clone(),
            dest: request.dest.clone(),
            names: tree.len(),
        });
    }
    let remove_dirs = diff.empty_dirs();
    diff.leave_blocked(&remove_dirs);
    diff.find_falls();
    let set_dirs = diff.metadata(rights, &remove_dirs);
    let Diff {
        changes,
        make_dirs,
        links,
        falls,
        known,
        standing,
        mut report,
        ..
    } = diff;
    let gaps = source.gaps();
    report.unreadable = gaps.unreadable;
    report.other_mounts = gaps.other_mounts;
    report.failures.extend(source.faults.iter().cloned());
    report.dirs_made = make_dirs.len() as u64;
    report.dirs_removed = remove_dirs.len() as u64;
    report.linked = links.iter().map(|(_, entries)| entries.len() as u64).sum();
    // where there can be no links at all they are made anew
    report.linked -= report.symlinks;
    Ok(Plan {
        options: request.options,
        rights,
        source,
        apart: place.apart,
        known,
        standing,
        dest_path: request.dest.clone(),
        parent: place.parent,
        dest,
        changes,
        remove_dirs,
        make_dirs,
        links,
        falls,
        set_dirs,
        report,
    })
}

impl Diff<'_> {
    /// Walks both trees side by side.
    fn pair(&mut self) {
        if self.dest.is_some() {
            self.partner[0] = 0;
            self.back[0] = 0;
        } else {
            self.make_dirs.push(0);
        }
        let mut number = 0;
        while (number as usize) < self.source.dirs.len() {
            let dir = &self.source.dirs[number as usize];
            let partner = self.partner[number as usize];
            match (dir.state, partner) {
                (DirState::Read, _) if self.closed(partner).is_none() => {
                    self.pair_entries(number, partner);
                    number += 1;
                }
                (DirState::Read, _) => {
                    // the counterpart cannot be seen: nothing below can be made
                    let fault = self.closed(partner).unwrap_or(Fault::of(FaultKind::Other));
                    self.report.failures.push(PathError {
                        action: "read",
                        path: join(&self.request.dest, Name::new("")).join(self.source.relative(number)),
                        to: None,
                        fault,
                    });
                    number = dir.end;
                }
                (_, partner) => {
                    if let Some(dest) = self.dest.filter(|_| partner != NONE) {
                        let below = partner..dest.dirs[partner as usize].end;
                        for at in below {
                            self.report.held += dest.dirs[at as usize]
                                .entries
                                .clone()
                                .filter(|at| dest.entry(*at).kind != Kind::Directory)
                                .count() as u64;
                        }
                    }
                    number = dir.end;
                }
            }
        }
    }

    /// Why a directory of the clone cannot be used; `None` where it can, or is not there yet.
    fn closed(&self, partner: u32) -> Option<Fault> {
        let dest = self.dest.filter(|_| partner != NONE)?;
        match dest.dirs[partner as usize].state {
            DirState::Read => None,
            DirState::Failed(fault) => Some(fault),
            _ => Some(Fault::of(FaultKind::CrossesVolumes)),
        }
    }

    fn pair_entries(&mut self, number: u32, partner: u32) {
        let source = self.source;
        let mut links = Vec::new();
        let mut theirs = match self.dest {
            Some(dest) if partner != NONE => dest.dirs[partner as usize].entries.clone(),
            _ => 0..0,
        }
        .peekable();
        for at in source.dirs[number as usize].entries.clone() {
            let ours = source.entry(at);
            let mut found = None;
            if let Some(dest) = self.dest {
                while let Some(other) =
                    theirs.next_if(|other| dest.name(dest.entry(*other)) < source.name(ours))
                {
                    self.extra(partner, other);
                }
                found = theirs.next_if(|other| dest.name(dest.entry(*other)) == source.name(ours));
            }
            match (
                ours.kind,
                found.and_then(|other| self.dest.map(|dest| (other, dest.entry(other)))),
            ) {
                (Kind::Directory, found) => self.directory(number, partner, ours, found),
                (_, None) => {
                    if source.id(ours).is_some() {
                        links.push(at);
                    }
                }
                (_, Some((other, theirs))) => match (source.id(ours), self.id(theirs)) {
                    (Some(ours), Some(theirs)) if ours == theirs => self.report.kept += 1,
                    (None, _) => {} // told already
                    _ if theirs.kind == Kind::Directory => {
                        self.extra(partner, other);
                        self.in_the_way.push((number, at, theirs.child));
                        links.push(at);
                    }
                    _ => self.suspects.push((partner, other, Reason::Other(number, at))),
                },
            }
        }
        for other in theirs {
            self.extra(partner, other);
        }
        if !links.is_empty() {
            self.touched.insert(number);
            self.links.push((number, links));
        }
    }

    fn id(&self, entry: &Entry) -> Option<FileId> {
        self.dest.and_then(|dest| dest.id(entry))
    }

    fn directory(&mut self, number: u32, partner: u32, ours: &Entry, found: Option<(usize, &Entry)>) {
        if ours.child == NONE {
            return;
        }
        if let Some((_, theirs)) = found
            && theirs.kind == Kind::Directory
            && theirs.child != NONE
        {
            self.partner[ours.child as usize] = theirs.child;
            self.back[theirs.child as usize] = ours.child;
            return;
        }
        if let Some((other, _)) = found {
            self.suspects.push((partner, other, Reason::InTheWay));
        }
        // what cannot be seen is not made: an empty directory would say that there is nothing
        if self.source.dirs[ours.child as usize].state == DirState::Read {
            self.make_dirs.push(ours.child);
            self.touched.insert(number);
        }
    }

    /// A name of the clone without a counterpart.
    fn extra(&mut self, dir: u32, at: usize) {
        let Some(dest) = self.dest else { return };
        let entry = dest.entry(at);
        if entry.kind != Kind::Directory {
            self.suspects.push((dir, at, Reason::Gone));
            return;
        }
        if entry.child == NONE {
            return;
        }
        for number in entry.child..dest.dirs[entry.child as usize].end {
            if dest.dirs[number as usize].state == DirState::Read {
                self.doomed.push(number);
            } else {
                self.occupied.insert(dest.dirs[number as usize].parent);
            }
            for at in dest.dirs[number as usize].entries.clone() {
                if dest.entry(at).kind != Kind::Directory {
                    self.suspects.push((number, at, Reason::Gone));
                }
            }
        }
    }

    /// Looks at the names that cannot stay as they are, in path order, and decides.
    fn judge(&mut self) {
        let Some(dest) = self.dest else { return };
        let mut suspects = std::mem::take(&mut self.suspects);
        suspects.sort_unstable_by_key(|(dir, at, _)| (*dir, *at));
        let mut opener = Opener::new(self.fs, dest, &dest.root);
        let mut sources = Opener::new(self.fs, self.source, &self.source.root);
        // names that a file still has, once those that go before are gone
        let mut links: FxHashMap<FileId, u64> = FxHashMap::default();
        let mut new_names: FxHashSet<(u32, Vec<u8>)> = FxHashSet::default();
        for (dir, at, reason) in suspects {
            let name = dest.name(dest.entry(at));
            let gone = matches!(reason, Reason::Gone);
            let (temporary, part) = (gone && is_temporary_name(name), gone && is_part_name(name));
            let left = temporary || part;
            if let (Reason::Gone, Extra::Keep, false) = (reason, self.request.options.extra, left) {
                self.report.extra += 1;
                self.occupied.insert(dir);
                continue;
            }
            let stat = match opener.open(dir).and_then(|dir| self.fs.stat(At::new(&dir, name))) {
                Ok(stat) => stat,
                Err(fault) if fault.kind() == FaultKind::NotFound => continue,
                Err(fault) => {
                    self.fault("look at", dir, at, fault);
                    continue;
                }
            };
            if temporary && stat.links > 1 || part && is_part_kind(stat.kind) {
                *links.entry(stat.id).or_insert(stat.links) -= 1;
                *self.leaving.entry(stat.id).or_default() += 1;
                self.changes.push(Change::RemoveTemporary { dir, entry: at });
                continue;
            }
            if let Reason::Other(source, entry) = reason
                && stat.kind == Kind::Symlink
                && self.source.entry(entry).kind == Kind::Symlink
                && self.same_symlink(&mut sources, &mut opener, (source, entry), (dir, at)) == Ok(true)
            {
                self.report.kept += 1;
                continue;
            }
            let mut how = How::Link;
            let settled = match reason {
                Reason::Other(source, entry) => self
                    .fallback_stands(&mut opener, &mut sources, dir, (source, entry), &stat)
                    .map(|made| match made {
                        Some(made) => {
                            how = made;
                            false
                        }
                        None => true,
                    }),
                _ => self.fallback_without_source(&mut opener, &mut sources, (dir, at)),
            };
            match settled {
                Ok(false) => {}
                Ok(true) => continue,
                Err(fault) if fault.kind() == FaultKind::NotFound => continue,
                Err(fault) => {
                    self.fault("look at", dir, at, fault);
                    continue;
                }
            }
            self.decide((dir, at), (reason, how), &stat, &mut links, &mut new_names);
        }
    }

    fn decide(
        &mut self,
        (dir, at): (u32, usize),
        (reason, how): (Reason, How),
        stat: &Stat,
        left: &mut FxHashMap<FileId, u64>,
        new_names: &mut FxHashSet<(u32, Vec<u8>)>,
    ) {
        let Some(dest) = self.dest else { return };
        let id = stat.id;
        let left = left.entry(id).or_insert(stat.links);
        let last = *left < 2;
        let keeps = self.request.options.orphans == Orphans::Keep;
        if !last {
            *left -= 1;
            *self.leaving.entry(id).or_default() += 1;
        }
        let mut spare = || self.spare_name(dir, dest.name(dest.entry(at)), new_names);
        let change = match reason {
            Reason::Gone | Reason::InTheWay if !last => {
                self.report.removed += 1;
                Change::Remove {
                    dir,
                    entry: at,
                    id,
                    stranger: false,
                }
            }
            Reason::Gone if keeps => {
                self.report.orphans.push(dest.entry_path(dir, at));
                self.occupied.insert(dir);
                return;
            }
            Reason::InTheWay if keeps => {
                let to = spare();
                self.report.orphans.push(join(&dest.dir_path(dir), to.name()));
                Change::Rename {
                    dir,
                    entry: at,
                    id,
                    to,
                }
            }
            Reason::Gone | Reason::InTheWay => {
                self.report.orphans_deleted += 1;
                Change::Delete { dir, entry: at, id }
            }
            Reason::Other(source, entry) => {
                let old_version = match (last, keeps) {
                    (false, _) => Old::HasOtherNames,
                    (true, true) => {
                        let to = spare();
                        self.report.orphans.push(join(&dest.dir_path(dir), to.name()));
                        Old::KeptAs(to)
                    }
                    (true, false) => {
                        self.report.orphans_deleted += 1;
                        Old::Dropped
                    }
                };
                match how {
                    How::Link => self.report.relinked += 1,
                    How::Fall(kind) => {
                        self.report.fallbacks_made += 1;
                        *self.report.fallbacks.of(kind) += 1;
                    }
                }
                self.touched.insert(source);
                Change::Relink {
                    how,
                    dir,
                    source,
                    entry,
                    old: id,
                    old_version,
                }
            }
        };
        self.changes.push(change);
    }

    /// Of the names that go, those whose files the source does not have.
    fn find_strangers(&mut self) {
        let Some(dest) = self.dest.filter(|_| self.report.removed > 0) else {
            return;
        };
        let source = self.source;
        let known: FxHashSet<FileId> = (0..source.len())
            .filter_map(|at| source.id(source.entry(at)))
            .collect();
        for change in &mut self.changes {
            if let Change::Remove {
                dir,
                entry,
                id,
                stranger,
            } = change
                && !known.contains(id)
            {
                *stranger = true;
                self.report.strangers.push(dest.entry_path(*dir, *entry));
            }
        }
    }

    fn same_symlink(
        &self,
        sources: &mut Opener<'_>,
        opener: &mut Opener<'_>,
        (source, entry): (u32, usize),
        (dir, at): (u32, usize),
    ) -> FsResult<bool> {
        let Some(dest) = self.dest else { return Ok(false) };
        let (ours, theirs) = (sources.open(source)?, opener.open(dir)?);
        let ours = At::new(&ours, self.source.name(self.source.entry(entry)));
        let theirs = At::new(&theirs, dest.name(dest.entry(at)));
        Ok(self.fs.read_symlink(ours)? == self.fs.read_symlink(theirs)?)
    }

    /// A name for an old version that neither tree has in this directory.
    fn spare_name(&self, dir: u32, name: Name<'_>, taken: &mut FxHashSet<(u32, Vec<u8>)>) -> NameBuf {
        let counterpart = self.back[dir as usize];
        let mut candidate = self.rules.with_label(name.bytes(), b"old");
        for number in 2u32.. {
            let new = Name::new(&candidate);
            let free = self.dest.is_none_or(|dest| dest.find(dir, new).is_none())
                && (counterpart == NONE || self.source.find(counterpart, new).is_none())
                && taken.insert((dir, self.rules.key(new).into_owned()));
            if free {
                break;
            }
            candidate = self
                .rules
                .with_label(name.bytes(), format!("old {number}").as_bytes());
        }
        candidate.into()
    }

    fn fault(&mut self, action: &'static str, dir: u32, at: usize, fault: Fault) {
        self.occupied.insert(dir);
        let Some(dest) = self.dest else { return };
        self.report.failures.push(PathError {
            action,
            path: dest.entry_path(dir, at),
            to: None,
            fault,
        });
    }

    /// The directories that will be empty, those below first.
    fn empty_dirs(&mut self) -> Vec<u32> {
        let Some(dest) = self.dest else {
            return Vec::new();
        };
        if self.request.options.extra == Extra::Keep {
            self.doomed.clear();
        }
        self.doomed.sort_unstable();
        let mut empty = Vec::new();
        for number in self.doomed.drain(..).rev() {
            if self.occupied.contains(&number) {
                self.occupied.insert(dest.dirs[number as usize].parent);
            } else {
                empty.push(number);
            }
        }
        empty
    }

    /// Leaves out links whose places stay occupied by directories.
    fn leave_blocked(&mut self, removed: &[u32]) {
        for (dir, at, child) in std::mem::take(&mut self.in_the_way) {
            if removed.contains(&child) {
                continue;
            }
            for (_, entries) in self.links.iter_mut().filter(|(number, _)| *number == dir) {
                entries.retain(|entry| *entry != at);
            }
            let relative = join(
                &self.source.relative(dir),
                self.source.name(self.source.entry(at)),
            );
            self.report.failures.push(PathError {
                action: "link",
                path: self.source.entry_path(dir, at),
                to: Some(self.request.dest.join(relative)),
                fault: FaultKind::IsDirectory.into(),
            });
        }
    }

    /// The directories of the source whose counterparts are new, change, or have other metadata.
    fn metadata(&mut self, rights: Rights, removed: &[u32]) -> Vec<(u32, Touch)> {
        // whatever goes from a directory, or comes into it, changes its times
        for change in &self.changes {
            self.touched.insert(self.back[change.dir() as usize]);
        }
        for number in removed {
            if let Some(dest) = self.dest {
                self.touched
                    .insert(self.back[dest.dirs[*number as usize].parent as usize]);
            }
        }
        let new: FxHashSet<u32> = self.make_dirs.iter().copied().collect();
        let mut set = Vec::new();
        let mut openers = self.dest.map(|dest| {
            (
                Opener::new(self.fs, self.source, &self.source.root),
                Opener::new(self.fs, dest, &dest.root),
            )
        });
        for number in 0..self.source.dirs.len() {
            // OK to cast: directories are counted in u32 from the walk on
            let (partner, number) = (self.partner[number], number as u32);
            if new.contains(&number) {
                set.push((number, Touch::New));
                continue;
            }
            let unseen = self.source.dirs[number as usize].state != DirState::Read;
            if partner == NONE || unseen || self.closed(partner).is_some() {
                continue; // told already
            }
            let Some((ours, theirs)) = &mut openers else {
                continue;
            };
            let ours = ours.open(number).and_then(|dir| self.fs.dir_metadata(&dir));
            let theirs = theirs.open(partner).and_then(|dir| self.fs.dir_metadata(&dir));
            match (ours, theirs) {
                // whatever comes or goes changes its times, and they are set in any case
                _ if self.touched.contains(&number) => set.push((number, Touch::Inside)),
                (Ok(ours), Ok(theirs)) if rights.agree(&ours, &theirs) => {}
                // where one cannot be looked at, setting it tells why
                _ => {
                    self.report.dirs_updated += 1;
                    set.push((number, Touch::Differs));
                }
            }
        }
        set
    }
}
