//! The comparison of sources, view and ledger that makes a plan.

mod matching;

use std::cmp::Ordering;

use polylink_core::{
    At, Dir, Fault, FaultKind, FileId, FsResult, Kind, LinkFs, Name, NameBuf, Stat, VolumeInfo,
};
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use matching::Match;

use crate::ledger::{Book, NO_DIR, Remembered};
use crate::naming::Naming;
use crate::opener::{Opener, in_parallel};
use crate::options::{Appear, Deleted, Options, Orphans, Superseded};
use crate::plan::{Change, Link, Note, OldVersion, Why};
use crate::report::{Failure, Outcome};
use crate::scan::{Sources, ViewNames, join};

const NONE: u32 = u32::MAX;

/// What is compared.
pub(crate) struct Diff<'a> {
    pub(crate) fs: &'a dyn LinkFs,
    pub(crate) view: &'a std::path::Path,
    pub(crate) view_dir: Option<&'a Dir>,
    pub(crate) volume: &'a VolumeInfo,
    pub(crate) sources: &'a Sources,
    pub(crate) names: &'a ViewNames,
    pub(crate) book: &'a Book,
    pub(crate) options: &'a Options,
    /// The view's directory is not the one that the ledger is about: what is missing was not deleted by the user.
    pub(crate) other_view: bool,
    pub(crate) threads: usize,
    pub(crate) dir_numbers: &'a [Option<u32>],
}

/// What comes of it.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) changes: Vec<Change>,
    pub(crate) notes: Vec<Note>,
    pub(crate) links: Vec<Link>,
    pub(crate) report: Outcome,
    /// Names whose deletion in the view would be carried to the sources, and all names there were.
    pub(crate) deletions: usize,
    pub(crate) rows: usize,
}

/// A file's number in the ledger: on most volumes its own; where the files of one tree have several volumes
/// (overlayfs), that too.
pub(crate) fn key(id: FileId, volume: u64) -> u128 {
    if id.volume == volume {
        id.id
    } else {
        id.id ^ (u128::from(id.volume) << 64)
    }
}

impl Diff<'_> {
    fn key(&self, id: FileId) -> u128 {
        key(id, self.volume.volume)
    }

    fn wanted_key(&self, file: u32) -> u128 {
        self.key(self.sources.files[file as usize].id)
    }

    fn entry_name(&self, entry: u32) -> NameBuf {
        Name::new(self.names.name(&self.names.names[entry as usize])).to_buf()
    }

    fn row_name(&self, row: u32) -> NameBuf {
        Name::new(self.book.name(&self.book.rows[row as usize])).to_buf()
    }

    /// Whether the row's source path is that of the wanted name.
    fn same_path(&self, row: u32, file: u32) -> bool {
        let (row, wanted) = (&self.book.rows[row as usize], &self.sources.files[file as usize]);
        self.dir_numbers[wanted.dir as usize] == Some(row.dir)
            && self.book.source_name(row) == self.sources.name(wanted)
    }

    fn order(&self, a: u32, b: u32) -> Ordering {
        self.sources
            .order(&self.sources.files[a as usize], &self.sources.files[b as usize])
    }

    pub(crate) fn run(&self) -> Found {
        let mut found = Found {
            rows: self.book.rows.len(),
            ..Found::default()
        };
        found.report.left_out = self.sources.left_out;
        found.report.unreadable.clone_from(&self.sources.unreadable);
        let mut rows_by_name = FxHashMap::with_capacity_and_hasher(self.book.rows.len(), FxBuildHasher);
        for (index, row) in (0u32..).zip(&self.book.rows) {
            rows_by_name.insert(self.book.name(row), index);
        }
        let mut matched = self.match_up(&rows_by_name, &mut found);
        let mut new: Vec<u32> = Vec::new(); // wanted names that never had one in the view
        let mut missing: Vec<(u32, u32)> = Vec::new(); // wanted names whose row's name is not in the view
        let mut open: Vec<u32> = Vec::new(); // wanted names without a name in the view, so far
        for file in (0u32..).take(self.sources.files.len()) {
            let head = matched.head[&self.wanted_key(file)];
            if self.options.appear == Appear::OncePerFile && head != file {
                found.report.left_out.other_names += 1;
                continue;
            }
            match matched.row_of[file as usize] {
                row if row != NONE && matched.entry_of[row as usize] != NONE => {
                    self.keep(&matched, file, row, &mut found);
                }
                _ => open.push(file),
            }
        }
        open.sort_unstable_by(|&a, &b| self.order(a, b));
        let (adopted, used) = self.find_unknown(&mut matched, &open);
        for file in open {
            match matched.row_of[file as usize] {
                _ if adopted.contains_key(&file) => {}
                NONE => new.push(file),
                row => missing.push((file, row)),
            }
        }
        let mut adopted: Vec<(u32, u32, u32)> = adopted
            .into_iter()
            .map(|(file, entry)| (file, entry, matched.row_of[file as usize]))
            .collect();
        adopted.sort_unstable_by(|a, b| self.order(a.0, b.0));
        self.adopt(&adopted, &mut found);
        self.foreign(&matched, &used, &mut found);
        self.new_names(matched, &rows_by_name, new, missing, &mut found);
        found
    }

    fn temporary(&self, name: &[u8], found: &mut Found) {
        let Some(dir) = self.view_dir else { return };
        match self.fs.stat(At::new(dir, Name::new(name))) {
            Ok(stat) if stat.links > 1 => {
                found.changes.push(Change::RemoveTemporary {
                    name: Name::new(name).to_buf(),
                });
            }
            // the last name of a file is not removed, whatever it looks like
            Ok(_) => found.report.foreign += 1,
            Err(_) => {}
        }
    }

    fn keep(&self, matched: &Match, file: u32, row: u32, found: &mut Found) {
        found.report.kept += 1;
        let known = &self.book.rows[row as usize];
        found.report.view_names += 1;
        found.report.view_bytes += known.size;
        let right = match self.options.appear {
            Appear::EveryName => self.same_path(row, file),
            // any of the file's names will do as the source
            Appear::OncePerFile => self.chain(matched, file).any(|file| self.same_path(row, file)),
        };
        if !right {
            found.notes.push(Note::Set {
                name: self.row_name(row),
                file,
                size: known.size,
                born: known.born,
            });
        }
    }

    fn adopt(&self, adopted: &[(u32, u32, u32)], found: &mut Found) {
        let files: Vec<u32> = adopted.iter().map(|(file, ..)| *file).collect();
        for ((file, entry, row), stat) in adopted.iter().zip(self.measure(&files)) {
            found.report.kept += 1;
            found.report.view_names += 1;
            let name = self.entry_name(*entry);
            if *row == NONE {
                found.report.adopted += 1;
            } else {
                found.report.renamed += 1;
                found.notes.push(Note::Forget {
                    name: self.row_name(*row),
                });
            }
            let (size, born) = stat.map_or((0, None), |stat| (stat.size, birth(&stat)));
            found.report.view_bytes += size;
            found.notes.push(Note::Set {
                name,
                file: *file,
                size,
                born,
            });
        }
    }

    fn foreign(&self, matched: &Match, used: &FxHashSet<u32>, found: &mut Found) {
        found.report.foreign += matched
            .unknown
            .iter()
            .filter(|entry| !used.contains(entry))
            .count() as u64;
    }

    /// Looks at files, by several threads; they should come in path order.
    fn measure(&self, files: &[u32]) -> Vec<FsResult<Stat>> {
        in_parallel(files, self.threads, |stretch| {
            let mut opener = Opener::new(self.fs, self.sources);
            stretch
                .iter()
                .map(|&file| {
                    let wanted = &self.sources.files[file as usize];
                    let dir = opener.open(wanted.dir)?;
                    self.fs.stat(At::new(&dir, Name::new(self.sources.name(wanted))))
                })
                .collect()
        })
    }

    fn new_names(
        &self,
        matched: Match,
        rows_by_name: &FxHashMap<&[u8], u32>,
        new: Vec<u32>,
        missing: Vec<(u32, u32)>,
        found: &mut Found,
    ) {
        let missing_stats = self.measure(&missing.iter().map(|(file, _)| *file).collect::<Vec<_>>());
        let new_stats = self.measure(&new);

        // a row of a file that is gone, by its source path: the path may hold another file now
        let mut by_path: FxHashMap<(u32, &[u8]), u32> = FxHashMap::default();
        for &row in &matched.gone {
            let known = &self.book.rows[row as usize];
            if known.dir != NO_DIR {
                by_path.insert((known.dir, self.book.source_name(known)), row);
            }
        }
        let mut replaced = FxHashSet::default();
        let mut relinks: Vec<(u32, u32, Stat)> = Vec::new();
        let mut links: Vec<(u32, Option<u32>, Why, Stat)> = Vec::new();
        for (&file, stat) in new.iter().zip(new_stats) {
            let Some(stat) = self.usable(file, stat, found) else {
                continue;
            };
            if let Some(remembered) = self.book.remembered.get(&self.wanted_key(file))
                && remembered.born == birth(&stat)
                && self.options.deleted == Deleted::Remember
            {
                found.report.left_out.remembered += 1;
                continue;
            }
            let wanted = &self.sources.files[file as usize];
            let path =
                self.dir_numbers[wanted.dir as usize].map(|number| (number, self.sources.name(wanted)));
            match path.and_then(|path| by_path.get(&path)) {
                Some(&row) if matched.entry_of[row as usize] != NONE => {
                    replaced.insert(row);
                    relinks.push((file, row, stat));
                }
                // the name that this path had in the view is its name again, if it is free
                Some(&row) => links.push((file, Some(row), Why::New, stat)),
                None => links.push((file, None, Why::New, stat)),
            }
        }
        self.missing(&matched, missing, missing_stats, &mut links, found);
        self.forget_remembered(&matched, found);
        let removed = self.gone(&matched, &replaced, found);
        self.name_all(rows_by_name, &matched, &removed, relinks, links, found);
    }

    /// A file that can be linked, or `None` with the reason noted.
    fn usable(&self, file: u32, stat: FsResult<Stat>, found: &mut Found) -> Option<Stat> {
        let wanted = &self.sources.files[file as usize];
        match stat {
            Ok(stat) if stat.id == wanted.id && stat.kind == Kind::File => Some(stat),
            // it came, went or changed while we looked: the next run sees what it is
            Ok(_) => {
                found.report.left_out.vanished += 1;
                None
            }
            Err(fault) if fault.kind() == FaultKind::NotFound => {
                found.report.left_out.vanished += 1;
                None
            }
            Err(fault) => {
                found.report.failures.push(Failure {
                    action: "look at",
                    path: self.sources.path(wanted),
                    to: None,
                    fault,
                });
                None
            }
        }
    }

    /// Names that somebody deleted from the view, or that a stopped run did not come to.
    fn missing(
        &self,
        matched: &Match,
        missing: Vec<(u32, u32)>,
        stats: Vec<FsResult<Stat>>,
        links: &mut Vec<(u32, Option<u32>, Why, Stat)>,
        found: &mut Found,
    ) {
        for ((file, row), stat) in missing.into_iter().zip(stats) {
            let Some(stat) = self.usable(file, stat, found) else {
                continue;
            };
            let known = &self.book.rows[row as usize];
            // the number may have gone to another file meanwhile; then the row speaks of a file that is no more
            let same_file = match (known.born, birth(&stat)) {
                (Some(then), Some(now)) => then == now,
                _ => self.same_path(row, file),
            };
            if !same_file {
                found.notes.push(Note::Forget {
                    name: self.row_name(row),
                });
                links.push((file, None, Why::New, stat));
                continue;
            }
            let pending = known.run > self.book.completed_run;
            match self.options.deleted {
                Deleted::Remember if !pending && !self.other_view => {
                    found.report.left_out.remembered += 1;
                    found.notes.push(Note::Remember {
                        id: known.id,
                        what: Remembered {
                            born: birth(&stat),
                            name: self.book.name(known).to_vec(),
                        },
                    });
                    found.notes.push(Note::Forget {
                        name: self.row_name(row),
                    });
                }
                Deleted::DeleteSource if !pending && !self.other_view => {
                    found.deletions += 1;
                    let files = match self.options.appear {
                        Appear::OncePerFile => self.chain(matched, file).collect(),
                        Appear::EveryName => vec![file],
                    };
                    found.changes.push(Change::DeleteSources {
                        name: self.row_name(row),
                        files,
                    });
                }
                _ => links.push((file, Some(row), Why::Missing, stat)),
            }
        }
    }

    fn forget_remembered(&self, matched: &Match, found: &mut Found) {
        for &id in self.book.remembered.keys() {
            if self.options.deleted != Deleted::Remember || !matched.head.contains_key(&id) {
                found.notes.push(Note::Unremember { id });
            }
        }
    }

    /// Rows whose file is not wanted any more. Returns the entries of the view that will not stand afterwards.
    fn gone(&self, matched: &Match, replaced: &FxHashSet<u32>, found: &mut Found) -> FxHashSet<u32> {
        let mut removed = FxHashSet::default();
        let mut names_of: FxHashMap<u128, u64> = FxHashMap::default();
        if matched
            .gone
            .iter()
            .any(|&row| matched.entry_of[row as usize] != NONE && !replaced.contains(&row))
        {
            for entry in &self.names.names {
                *names_of.entry(self.key(entry.id)).or_default() += 1;
            }
        }
        for &row in &matched.surplus {
            let entry = matched.entry_of[row as usize];
            if entry == NONE {
                found.notes.push(Note::Forget {
                    name: self.row_name(row),
                });
            } else {
                removed.insert(entry);
                let id = self.names.names[entry as usize].id;
                let size = self.book.rows[row as usize].size;
                found.changes.push(Change::Remove {
                    name: self.row_name(row),
                    id,
                    size,
                });
                found.report.removed += 1;
            }
        }
        for &row in &matched.gone {
            if replaced.contains(&row) {
                continue;
            }
            let entry = matched.entry_of[row as usize];
            if entry == NONE {
                found.notes.push(Note::Forget {
                    name: self.row_name(row),
                });
                continue;
            }
            let known = &self.book.rows[row as usize];
            if self.may_exist_unseen(known.dir, self.book.source_name(known)) {
                found.report.held += 1;
                found.report.kept += 1;
                found.report.view_names += 1;
                found.report.view_bytes += known.size;
                continue;
            }
            if self.unwanted(row, entry, &names_of, found) {
                removed.insert(entry);
            }
        }
        removed
    }

    fn may_exist_unseen(&self, dir: u32, name: &[u8]) -> bool {
        if self.sources.unseen.is_empty() {
            return false;
        }
        let Some(path) = self.book.dir_path(dir).and_then(|path| Name::new(path).to_os()) else {
            return false;
        };
        self.sources
            .may_exist_unseen(&join(std::path::Path::new(&path), name))
    }

    /// Decides over a view name whose source is gone; whether it goes.
    fn unwanted(&self, row: u32, entry: u32, names_of: &FxHashMap<u128, u64>, found: &mut Found) -> bool {
        let name = self.row_name(row);
        let known = &self.book.rows[row as usize];
        let id = self.names.names[entry as usize].id;
        let stat = match self.view_dir.map(|dir| self.fs.stat(At::new(dir, name.name()))) {
            Some(Ok(stat)) if stat.id == id => stat,
            Some(Err(fault)) if fault.kind() != FaultKind::NotFound => {
                let path = join(self.view, name.bytes());
                found.report.failures.push(Failure {
                    action: "look at",
                    path,
                    to: None,
                    fault,
                });
                return false;
            }
            _ => return false, // it changed while we looked; the next run sees what it is
        };
        if stat.links > names_of.get(&known.id).copied().unwrap_or(1) {
            found.changes.push(Change::Remove {
                name,
                id,
                size: stat.size,
            });
            found.report.removed += 1;
            return true;
        }
        match &self.options.orphans {
            Orphans::Keep => {
                found.report.orphans.push(name);
                found.report.view_names += 1;
                found.report.view_bytes += stat.size;
                false
            }
            Orphans::Delete => {
                found.report.orphans_deleted += 1;
                found.changes.push(Change::DeleteOrphan {
                    name,
                    id,
                    size: stat.size,
                });
                true
            }
            Orphans::Move(to) => {
                found.report.orphans_moved += 1;
                found.changes.push(Change::MoveOrphan {
                    name,
                    id,
                    size: stat.size,
                    to: to.clone(),
                });
                true
            }
        }
    }

    fn name_all(
        &self,
        rows_by_name: &FxHashMap<&[u8], u32>,
        matched: &Match,
        removed: &FxHashSet<u32>,
        relinks: Vec<(u32, u32, Stat)>,
        mut links: Vec<(u32, Option<u32>, Why, Stat)>,
        found: &mut Found,
    ) {
        if relinks.is_empty() && links.is_empty() {
            return;
        }
        let template = &self.options.template;
        let mut naming = Naming::new(
            self.sources,
            self.names,
            self.book,
            rows_by_name,
            self.volume.names,
            template,
            |entry| !removed.contains(&entry),
        );
        naming.reserve(links.len());
        self.relink_all(&relinks, matched, removed, &mut naming, found);
        // names that were there once come first, so that no new file takes them
        links.sort_by_key(|(_, row, ..)| row.is_none());
        for (file, row, why, stat) in links {
            let again = row
                .map(|row| self.book.name(&self.book.rows[row as usize]))
                .filter(|name| naming.take_exactly(name, file));
            let name = match (again, row) {
                (Some(name), _) => Some(name.into()),
                (None, row) => {
                    if let Some(row) = row
                        && why == Why::Missing
                    {
                        // another file has the name now: the row goes, the file gets another name
                        found.notes.push(Note::Forget {
                            name: self.row_name(row),
                        });
                    }
                    naming.choose(file)
                }
            };
            found.report.linked += 1;
            found.report.view_names += 1;
            found.report.view_bytes += stat.size;
            found.links.push(Link {
                file,
                name,
                why,
                size: stat.size,
                born: birth(&stat),
            });
        }
        found.links.sort_by(|a, b| {
            let file = |link: &Link| &self.sources.files[link.file as usize];
            self.sources.order(file(a), file(b))
        });
    }

    fn relink_all(
        &self,
        relinks: &[(u32, u32, Stat)],
        matched: &Match,
        removed: &FxHashSet<u32>,
        naming: &mut Naming<'_>,
        found: &mut Found,
    ) {
        let Some(dir) = self.view_dir else { return };
        let entry_of = |row: u32| matched.entry_of[row as usize];
        let old_of = |row: u32| self.names.names[entry_of(row) as usize].id;
        // for each old version its names in the view, and how many of them still stand: those that go come off
        let mut names_of: FxHashMap<FileId, (u64, u64)> =
            relinks.iter().map(|(_, row, _)| (old_of(*row), (0, 0))).collect();
        if !relinks.is_empty() {
            for (index, entry) in (0u32..).zip(&self.names.names) {
                if let Some((in_view, staying)) = names_of.get_mut(&entry.id) {
                    *in_view += 1;
                    *staying += u64::from(!removed.contains(&index));
                }
            }
        }
        for (file, row, stat) in relinks {
            let (name, old) = (self.row_name(*row), old_of(*row));
            let old_stat = match self.fs.stat(At::new(dir, name.name())) {
                Ok(stat) if stat.id == old => stat,
                _ => continue, // it changed while we looked; the next run sees what it is
            };
            let (in_view, staying) = names_of.entry(old).or_insert((1, 1));
            *staying = staying.saturating_sub(1);
            let last = old_stat.links <= *in_view && *staying == 0;
            let old_version = if last {
                found.report.superseded += 1;
                self.old_version(&name, *file, &old_stat, naming, found)
            } else {
                OldVersion::HasOtherNames
            };
            found.report.relinked += 1;
            found.report.view_names += 1;
            found.report.view_bytes += stat.size;
            let (size, born) = (stat.size, birth(stat));
            found.changes.push(Change::Relink {
                name,
                file: *file,
                old,
                old_size: old_stat.size,
                old_version,
                size,
                born,
            });
        }
    }

    fn old_version(
        &self,
        name: &NameBuf,
        file: u32,
        old: &Stat,
        naming: &mut Naming<'_>,
        found: &mut Found,
    ) -> OldVersion {
        match (&self.options.superseded, &self.options.orphans) {
            (Superseded::Drop, _) | (Superseded::AsOrphan, Orphans::Delete) => OldVersion::Dropped,
            (Superseded::Move(to), _) | (Superseded::AsOrphan, Orphans::Move(to)) => {
                OldVersion::MovedTo(to.clone())
            }
            (Superseded::AsOrphan, Orphans::Keep) => {
                let kept = NameBuf::from(naming.choose_superseded(name.bytes(), file).into_vec());
                found.report.orphans.push(kept.clone());
                found.report.view_names += 1;
                found.report.view_bytes += old.size;
                OldVersion::KeptAs(kept)
            }
        }
    }
}

/// A file's birth as the ledger keeps it.
pub(crate) fn birth(stat: &Stat) -> Option<i64> {
    stat.born.and_then(|born| i64::try_from(born).ok())
}

/// A fault for what changed between looking and doing.
pub(crate) fn changed() -> Fault {
    FaultKind::Stale.into()
}
