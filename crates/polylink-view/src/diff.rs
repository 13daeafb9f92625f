//! The comparison of sources, view and ledger that makes a plan.

mod fallbacks;
mod matching;

use std::cmp::Ordering;

use polylink_core::{
    At, Dir, Fault, FaultKind, FileFs, FileId, FsResult, LinkFs, Name, NameBuf, Stat, VolumeInfo,
};
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use fallbacks::Settled;
use matching::Match;

use crate::ledger::{Book, NO_DIR, Remembered};
use crate::naming::Naming;
use crate::opener::{measure, usable};
use crate::options::{Appear, Deleted, Options, Orphans, Superseded};
use crate::plan::{Change, Link, Look, Note, OldVersion, Why};
use crate::report::{Failure, Outcome};
use crate::scan::{Sources, ViewNames, join};

const NONE: u32 = u32::MAX;

/// What is compared.
pub(crate) struct Diff<'a> {
    pub(crate) fs: &'a dyn LinkFs,
    /// The same, where files can be copied.
    pub(crate) files: Option<&'a dyn FileFs>,
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
    /// Rows that now speak of the file that a stopped run made their names lead to.
    pub(crate) settled: &'a [u32],
}

/// Lets the rows of names that a stopped run was about to relink speak of the file that they lead to. Returns those
/// that were relinked.
pub(crate) fn settle(book: &mut Book, names: &ViewNames, volume: u64) -> Vec<u32> {
    let mut settled = Vec::new();
    if book.relinking.is_empty() {
        return settled;
    }
    let entries: FxHashMap<&[u8], FileId> = names.names.iter().map(|n| (names.name(n), n.id)).collect();
    for (row, (id, born)) in std::mem::take(&mut book.relinking) {
        let found = entries.get(book.name(&book.rows[row as usize]));
        if found.is_some_and(|&found| key(found, volume) == id) {
            let known = &mut book.rows[row as usize];
            (known.id, known.born) = (id, born);
            settled.push(row);
        }
    }
    settled
}

/// What the view names of files that are gone lead to, by row.
type Looks = FxHashMap<u32, FsResult<Stat>>;

/// A file that is to get a name, and the row whose name it should have.
struct Wish {
    file: u32,
    row: Option<u32>,
    why: Why,
    look: Option<Look>,
}

/// What comes of it.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) changes: Vec<Change>,
    pub(crate) notes: Vec<Note>,
    /// Names that the user gave in the view: the one that it had, and theirs.
    pub(crate) renames: Vec<(NameBuf, NameBuf)>,
    pub(crate) links: Vec<Link>,
    /// Names to make that cannot be hard links.
    pub(crate) falls: Vec<Link>,
    pub(crate) report: Outcome,
    /// Names whose deletion in the view would be carried to the sources.
    pub(crate) deletions: usize,
    /// None of the names that the ledger knows is in the view, under whatever name.
    pub(crate) nothing_stands: bool,
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
        let mut found = Found::default();
        found
            .notes
            .extend(self.settled.iter().map(|&row| Note::Settle { row }));
        found.report.left_out = self.sources.left_out;
        found.report.unreadable.clone_from(&self.sources.unreadable);
        found.report.other_mounts.clone_from(&self.sources.other_mounts);
        let mut rows_by_name = FxHashMap::with_capacity_and_hasher(self.book.rows.len(), FxBuildHasher);
        for (index, row) in (0u32..).zip(&self.book.rows) {
            rows_by_name.insert(self.book.name(row), index);
        }
        let mut matched = self.match_up(&rows_by_name, &mut found);
        let settled = self.fallbacks(&matched, &mut found);
        let mut new: Vec<u32> = Vec::new(); // wanted names that never had one in the view
        let mut missing: Vec<(u32, u32)> = Vec::new(); // wanted names whose row's name is not in the view
        let mut open: Vec<u32> = Vec::new(); // wanted names without a name in the view, so far
        for file in (0u32..).take(self.sources.files.len()) {
            let head = matched.head[&self.wanted_key(file)];
            if self.options.appear == Appear::OncePerFile && head != file {
                found.report.left_out.other_names += 1;
                continue;
            }
            if settled.files.contains(&file) {
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
        found.nothing_stands = adopted.is_empty() && matched.entry_of.iter().all(|&entry| entry == NONE);
        self.adopt(&adopted, &mut found);
        let mut used = used;
        used.extend(&settled.entries);
        self.foreign(&matched, &used, &mut found);
        self.new_names(matched, &rows_by_name, new, missing, &settled, &mut found);
        found
    }

    /// Whether this temporary name goes.
    fn temporary(&self, name: &[u8], found: &mut Found) -> bool {
        let Some(dir) = self.view_dir else { return false };
        match self.fs.stat(At::new(dir, Name::new(name))) {
            Ok(stat) if stat.links > 1 => {
                found.changes.push(Change::RemoveTemporary {
                    name: Name::new(name).to_buf(),
                });
                return true;
            }
            // the last name of a file is not removed, whatever it looks like
            Ok(_) => found.report.foreign += 1,
            Err(_) => {}
        }
        false
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
                found.renames.push((self.row_name(*row), name.clone()));
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

    fn measure(&self, files: &[u32]) -> Vec<FsResult<Stat>> {
        measure(self.fs, self.sources, files, self.threads)
    }

    fn new_names(
        &self,
        mut matched: Match,
        rows_by_name: &FxHashMap<&[u8], u32>,
        new: Vec<u32>,
        missing: Vec<(u32, u32)>,
        settled: &Settled,
        found: &mut Found,
    ) {
        let missing_stats = self.measure(&missing.iter().map(|(file, _)| *file).collect::<Vec<_>>());

        // a row of a file that is gone, by its source path: the path may hold another file now
        let mut by_path: FxHashMap<(u32, &[u8]), u32> = FxHashMap::default();
        for &row in &matched.gone {
            let known = &self.book.rows[row as usize];
            if known.dir != NO_DIR {
                by_path.insert((known.dir, self.book.source_name(known)), row);
            }
        }
        let mut looks = Looks::default();
        let mut replaced = FxHashSet::default();
        let mut relinks: Vec<(u32, u32, Stat)> = Vec::new();
        let mut links: Vec<Wish> = Vec::new();
        let by_path = |file: u32| {
            let wanted = &self.sources.files[file as usize];
            let dir = self.dir_numbers[wanted.dir as usize]?;
            by_path.get(&(dir, self.sources.name(wanted))).copied()
        };
        // most new files need no look before they are linked
        let (looked_at, plain): (Vec<u32>, Vec<u32>) = new.into_iter().partition(|&file| {
            by_path(file).is_some() || self.book.remembered.contains_key(&self.wanted_key(file))
        });
        links.extend(plain.into_iter().map(|file| Wish {
            file,
            row: None,
            why: Why::New,
            look: None,
        }));
        for (&file, stat) in looked_at.iter().zip(self.measure(&looked_at)) {
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
            let look = Some(Look::of(&stat));
            match by_path(file) {
                // what cannot be linked cannot take the place of a link: the old name goes as it would without it
                Some(_) if self.must_fall_back(file, &stat) => links.push(Wish {
                    file,
                    row: None,
                    why: Why::New,
                    look,
                }),
                Some(row) if self.is_ours(row, &mut matched, &mut looks, found) => {
                    replaced.insert(row);
                    relinks.push((file, row, stat));
                }
                // the name that this path had in the view is its name again, if it is free
                row => links.push(Wish {
                    file,
                    row,
                    why: Why::New,
                    look,
                }),
            }
        }
        self.missing(&matched, missing, missing_stats, &mut links, found);
        self.forget_remembered(&matched, found);
        let mut removed = self.gone(&mut matched, &mut looks, &replaced, found);
        removed.extend(&settled.leaving);
        let relinks = relinks
            .into_iter()
            .filter_map(|(file, row, stat)| match looks.get(&row) {
                Some(Ok(old)) => Some((file, row, stat, *old)),
                _ => None, // it changed while we looked; the next run sees what it is
            })
            .collect();
        self.name_all(rows_by_name, &removed, relinks, links, settled, found);
    }

    /// A file that can be linked, or `None` with the reason noted.
    fn usable(&self, file: u32, stat: FsResult<Stat>, found: &mut Found) -> Option<Stat> {
        let wanted = &self.sources.files[file as usize];
        match usable(wanted, stat) {
            Ok(stat) => return Some(stat),
            Err(None) => found.report.left_out.vanished += 1,
            Err(Some(fault)) => {
                let path = self.sources.path(wanted);
                found.report.failures.push(Failure {
                    action: "look at",
                    path,
                    to: None,
                    fault,
                });
            }
        }
        None
    }

    /// Names that somebody deleted from the view, or that a stopped run did not come to.
    fn missing(
        &self,
        matched: &Match,
        missing: Vec<(u32, u32)>,
        stats: Vec<FsResult<Stat>>,
        links: &mut Vec<Wish>,
        found: &mut Found,
    ) {
        for ((file, row), stat) in missing.into_iter().zip(stats) {
            let Some(stat) = self.usable(file, stat, found) else {
                continue;
            };
            let look = Some(Look::of(&stat));
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
                links.push(Wish {
                    file,
                    row: None,
                    why: Why::New,
                    look,
                });
                continue;
            }
            // a run that was stopped may have left it out, or taken it away itself
            let pending = self.book.last_run > self.book.completed_run;
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
                _ => links.push(Wish {
                    file,
                    row: Some(row),
                    why: Why::Missing,
                    look,
                }),
            }
        }
    }

    fn forget_remembered(&self, matched: &Match, found: &mut Found) {
        for &id in self.book.remembered.keys() {
            // what was not seen may still be there
            let gone = self.sources.unseen.is_empty() && !matched.head.contains_key(&id);
            if self.options.deleted != Deleted::Remember || gone {
                found.notes.push(Note::Unremember { id });
            }
        }
    }

    /// Rows whose file is not wanted any more. Returns the entries of the view that will not stand afterwards.
    fn gone(
        &self,
        matched: &mut Match,
        looks: &mut Looks,
        replaced: &FxHashSet<u32>,
        found: &mut Found,
    ) -> FxHashSet<u32> {
        let mut removed = matched.temporary.clone();
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
            } else if self.options.appear == Appear::EveryName && self.is_unseen(row) {
                self.hold(row, found);
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
        for row in std::mem::take(&mut matched.gone) {
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
            if self.is_unseen(row) {
                self.hold(row, found);
                continue;
            }
            if !self.is_ours(row, matched, looks, found) {
                found.notes.push(Note::Forget {
                    name: self.row_name(row),
                });
                continue;
            }
            if let Some(look) = looks.get(&row)
                && self.unwanted(row, *look, &names_of, found)
            {
                removed.insert(entry);
            }
        }
        removed
    }

    /// Whether the view name of a file that is gone is the one we made. A file's number may have gone to another
    /// file, and that file may stand under the same name: it is foreign.
    fn is_ours(&self, row: u32, matched: &mut Match, looks: &mut Looks, found: &mut Found) -> bool {
        let entry = matched.entry_of[row as usize];
        let (true, Some(dir)) = (entry != NONE, self.view_dir) else {
            return false;
        };
        let name = self.row_name(row);
        let look = *looks.entry(row).or_insert_with(|| {
            let stat = self.fs.stat(At::new(dir, name.name()))?;
            if stat.id == self.names.names[entry as usize].id {
                Ok(stat)
            } else {
                Err(changed())
            }
        });
        let known = self.book.rows[row as usize].born;
        match look.map(|stat| (known, birth(&stat))) {
            Ok((Some(then), Some(now))) if then != now => {
                matched.entry_of[row as usize] = NONE;
                found.report.foreign += 1;
                false
            }
            _ => true,
        }
    }

    /// Keeps a name whose source path could not be seen.
    fn hold(&self, row: u32, found: &mut Found) {
        found.report.held += 1;
        found.report.kept += 1;
        found.report.view_names += 1;
        found.report.view_bytes += self.book.rows[row as usize].size;
    }

    /// Whether the row's source path may exist although it was not seen.
    fn is_unseen(&self, row: u32) -> bool {
        if self.sources.unseen.is_empty() {
            return false;
        }
        let known = &self.book.rows[row as usize];
        let Some(path) = self
            .book
            .dir_path(known.dir)
            .and_then(|path| Name::new(path).to_os())
        else {
            return false;
        };
        self.sources
            .may_exist_unseen(&join(std::path::Path::new(&path), self.book.source_name(known)))
    }

    /// Decides over a view name whose source is gone; whether it goes.
    fn unwanted(
        &self,
        row: u32,
        look: FsResult<Stat>,
        names_of: &FxHashMap<u128, u64>,
        found: &mut Found,
    ) -> bool {
        let name = self.row_name(row);
        let known = &self.book.rows[row as usize];
        let stat = match look {
            Ok(stat) => stat,
            Err(fault) if !matches!(fault.kind(), FaultKind::NotFound | FaultKind::Stale) => {
                let path = join(self.view, name.bytes());
                found.report.failures.push(Failure {
                    action: "look at",
                    path,
                    to: None,
                    fault,
                });
                return false;
            }
            Err(_) => return false, // it changed while we looked; the next run sees what it is
        };
        let id = stat.id;
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
        removed: &FxHashSet<u32>,
        relinks: Vec<(u32, u32, Stat, Stat)>,
        mut links: Vec<Wish>,
        settled: &Settled,
        found: &mut Found,
    ) {
        if relinks.is_empty() && links.is_empty() && settled.again.is_empty() {
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
        self.relink_all(&relinks, removed, &mut naming, found);
        for (file, name, look, why) in Self::again(settled) {
            let name = naming
                .take_exactly(&name, file)
                .then(|| name.into())
                .or_else(|| naming.choose(file));
            let link = Link {
                file,
                name,
                why,
                look: Some(look),
            };
            self.make(link, found);
        }
        // names that were there once come first, so that no new file takes them
        links.sort_by_key(|wish| wish.row.is_none());
        for Wish { file, row, why, look } in links {
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
            let link = Link {
                file,
                name,
                why,
                look,
            };
            self.make(link, found);
        }
        found.links.sort_by(|a, b| {
            let file = |link: &Link| &self.sources.files[link.file as usize];
            self.sources.order(file(a), file(b))
        });
    }

    fn relink_all(
        &self,
        relinks: &[(u32, u32, Stat, Stat)],
        removed: &FxHashSet<u32>,
        naming: &mut Naming<'_>,
        found: &mut Found,
    ) {
        // for each old version its names in the view, and how many of them still stand: those that go come off
        let mut names_of: FxHashMap<FileId, (u64, u64)> =
            relinks.iter().map(|(.., old)| (old.id, (0, 0))).collect();
        if !relinks.is_empty() {
            for (index, entry) in (0u32..).zip(&self.names.names) {
                if let Some((in_view, staying)) = names_of.get_mut(&entry.id) {
                    *in_view += 1;
                    *staying += u64::from(!removed.contains(&index));
                }
            }
        }
        for (file, row, stat, old) in relinks {
            let name = self.row_name(*row);
            let (in_view, staying) = names_of.entry(old.id).or_insert((1, 1));
            *staying = staying.saturating_sub(1);
            let last = old.links <= *in_view && *staying == 0;
            let old_version = if last {
                found.report.superseded += 1;
                self.old_version(&name, *file, old, naming, found)
            } else {
                OldVersion::HasOtherNames
            };
            found.report.relinked += 1;
            found.report.view_names += 1;
            found.report.view_bytes += stat.size;
            let (size, born) = (stat.size, birth(stat));
            found.changes.push(Change::Relink {
                name,
                row: *row,
                file: *file,
                old: old.id,
                old_size: old.size,
                old_born: birth(old),
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

#[cfg(test)]
mod tests;
