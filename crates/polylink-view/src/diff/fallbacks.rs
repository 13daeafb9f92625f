//! The fallbacks that the ledger knows: what stands, what is out of date, what can be a link by now.

use polylink_core::{
    At, Dir, FileFs, FileId, FsResult, Kind, Name, NameBuf, PathError, Stat, is_part_name, is_temporary_name,
    temporary_name,
};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Diff, Found, NONE, matching::Match};
use crate::fallback::{FallRow, Fallback, Mark, Stands, modified, target};
use crate::ledger::Remembered;
use crate::opener::Opener;
use crate::options::{Appear, Deleted, Orphans};
use crate::plan::{Change, Link, Look, Note, Why};
use crate::scan::join;

/// What the fallbacks take out of the comparison of links.
#[derive(Default)]
pub(super) struct Settled {
    /// Wanted names that have a fallback.
    pub(super) files: FxHashSet<u32>,
    /// Entries of the view that are fallbacks, or parts of some.
    pub(super) entries: FxHashSet<u32>,
    /// Those of them that go.
    pub(super) leaving: FxHashSet<u32>,
    /// Fallbacks that are missing and are made again: the file and the name that it should have.
    pub(super) again: Vec<(u32, Vec<u8>, Look)>,
}

impl Diff<'_> {
    pub(super) fn fallbacks(&self, matched: &Match, found: &mut Found) -> Settled {
        let mut settled = Settled::default();
        let (Some(files), Some(view)) = (self.files, self.view_dir) else {
            self.hold_fallbacks(&mut settled, found);
            return settled;
        };
        self.half_made(&mut settled, found);
        if self.book.fallbacks.is_empty() {
            return settled;
        }
        let mut entries: FxHashMap<&[u8], u32> = FxHashMap::default();
        let mut own_ids: FxHashMap<u128, u32> = FxHashMap::default();
        for (index, entry) in (0u32..).zip(&self.names.names) {
            entries.insert(self.names.name(entry), index);
            own_ids.insert(entry.id.id, index);
        }
        let mut by_path: FxHashMap<(u32, &[u8]), u32> = FxHashMap::default();
        for (index, wanted) in (0u32..).zip(&self.sources.files) {
            if let Some(dir) = self.dir_numbers[wanted.dir as usize] {
                by_path.insert((dir, self.sources.name(wanted)), index);
            }
        }
        let mut missing: Vec<(u32, NameBuf, Option<u32>)> = Vec::new();
        for (number, row) in (0u32..).zip(&self.book.fallbacks) {
            let name = NameBuf::from(row.name.clone());
            let by_path = by_path.get(&(row.dir, row.source_name.as_slice())).copied();
            // a number may have gone to another file, which has another birth
            let same_file = |&file: &u32| {
                self.look(file).is_ok_and(|now| {
                    let now = Mark::of(&now, row.source.id);
                    now.born == row.source.born && (now.born.is_some() || now == row.source)
                })
            };
            let by_id = || matched.head.get(&row.source.id).copied().filter(same_file);
            let file = match self.options.appear {
                // a copy that holds the last of what its source was does not follow another file
                _ if row.orphan => by_id(),
                Appear::EveryName => by_path.or_else(by_id),
                Appear::OncePerFile => by_id().or(by_path),
            };
            let is_target = file
                .map(|file| target(self.view, self.sources, file))
                .unwrap_or_default();
            let stands = match row.stands(files, view, name.name(), &is_target) {
                Ok(stands) => stands,
                Err(fault) => {
                    let path = join(self.view, name.bytes());
                    found.report.failures.push(PathError {
                        action: "look at",
                        path,
                        to: None,
                        fault,
                    });
                    self.keep_fallback(row, entries.get(name.bytes()), file, &mut settled, matched, found);
                    continue;
                }
            };
            let mut entry = entries.get(name.bytes()).copied();
            let (mut stands, mut name) = (stands, name);
            let renamed;
            let mut row = row;
            if !matches!(stands, Stands::Ours(_))
                && let Some((new, stat)) = self.renamed(row, files, view, &own_ids, &is_target)
            {
                let new_name = self.entry_name(new);
                found.report.renamed += 1;
                found.renames.push((name.clone(), new_name.clone()));
                found.notes.push(Note::ForgetFallback { name });
                renamed = FallRow {
                    name: new_name.bytes().to_vec(),
                    ..row.clone()
                };
                found.notes.push(Note::SetFallback(Box::new(renamed.clone())));
                (row, name, entry, stands) = (&renamed, new_name, Some(new), Stands::Ours(stat));
            }
            match stands {
                Stands::Foreign => found.notes.push(Note::ForgetFallback { name }),
                Stands::Nothing => missing.push((number, name, file)),
                Stands::Ours(stat) => {
                    let Some(entry) = entry else { continue };
                    let row = &row.as_it_stands(&stat);
                    settled.entries.insert(entry);
                    match file {
                        Some(file) if self.has_name(file, &settled, matched) => {
                            found.report.removed += 1;
                            settled.leaving.insert(entry);
                            let (id, size) = (stat.id, row.source.size);
                            found.changes.push(Change::RemoveFallback { name, id, size });
                        }
                        Some(file) => {
                            let at = (number, row, name, file);
                            self.check_fallback(at, &stat, (files, view), &mut settled, matched, found);
                        }
                        None => self.gone_fallback(row, name, entry, &stat, &mut settled, found),
                    }
                }
            }
        }
        // after those that stand: a file that has one needs no other
        for (number, name, file) in missing {
            let row = &self.book.fallbacks[number as usize];
            match file {
                Some(file) if !self.has_name(file, &settled, matched) => {
                    self.missing_fallback(row, name, file, &mut settled, matched, found);
                }
                _ => found.notes.push(Note::ForgetFallback { name }),
            }
        }
        settled
    }

    /// The entry of the view that the user made of a fallback by renaming it.
    fn renamed(
        &self,
        row: &FallRow,
        files: &dyn FileFs,
        view: &Dir,
        own_ids: &FxHashMap<u128, u32>,
        target: &[u8],
    ) -> Option<(u32, Stat)> {
        let entry = *own_ids.get(&row.own?.id)?;
        let name = Name::new(self.names.name(&self.names.names[entry as usize]));
        if is_temporary_name(name)
            || self
                .book
                .fallbacks
                .iter()
                .any(|other| other.name == name.bytes() && other.own == row.own)
        {
            return None;
        }
        match row.stands(files, view, name, target) {
            Ok(Stands::Ours(stat)) => Some((entry, stat)),
            _ => None,
        }
    }

    /// Without a way to look into them they stay as they are.
    fn hold_fallbacks(&self, settled: &mut Settled, found: &mut Found) {
        if self.book.fallbacks.is_empty() {
            return;
        }
        let rows: FxHashMap<&[u8], &FallRow> = self
            .book
            .fallbacks
            .iter()
            .map(|row| (row.name.as_slice(), row))
            .collect();
        let ids: FxHashSet<u128> = self.book.fallbacks.iter().map(|row| row.source.id).collect();
        for (index, entry) in (0u32..).zip(&self.names.names) {
            if let Some(row) = rows.get(self.names.name(entry)) {
                settled.entries.insert(index);
                self.count_fallback(row, found);
                found.report.held += 1;
            }
        }
        let of_ours = |&file: &u32| ids.contains(&self.wanted_key(file));
        settled
            .files
            .extend((0u32..).take(self.sources.files.len()).filter(of_ours));
    }

    /// Whether the file has a name in the view already, so that this one is too many.
    fn has_name(&self, file: u32, settled: &Settled, matched: &Match) -> bool {
        let stands = |file: u32| {
            let row = matched.row_of[file as usize];
            row != NONE && matched.entry_of[row as usize] != NONE
        };
        let linked = match self.options.appear {
            Appear::EveryName => stands(file),
            Appear::OncePerFile => self
                .chain(matched, matched.head[&self.wanted_key(file)])
                .any(stands),
        };
        linked || settled.files.contains(&file)
    }

    fn count_fallback(&self, row: &FallRow, found: &mut Found) {
        found.report.kept += 1;
        found.report.view_names += 1;
        found.report.view_bytes += row.source.size;
        *found.report.fallbacks.of(row.kind) += 1;
    }

    /// The file has a name in the view, and none of its others needs one unless each gets its own.
    fn settle_file(&self, file: u32, settled: &mut Settled, matched: &Match, found: &mut Found) {
        let files: Vec<u32> = match self.options.appear {
            Appear::EveryName => vec![file],
            Appear::OncePerFile => {
                let head = matched.head[&self.wanted_key(file)];
                self.chain(matched, head).collect()
            }
        };
        for file in files {
            let row = matched.row_of[file as usize];
            // a run that was stopped between a refused link and its fallback
            if row != NONE && matched.entry_of[row as usize] == NONE {
                found.notes.push(Note::Forget {
                    name: self.row_name(row),
                });
            }
            settled.files.insert(file);
        }
    }

    fn keep_fallback(
        &self,
        row: &FallRow,
        entry: Option<&u32>,
        file: Option<u32>,
        settled: &mut Settled,
        matched: &Match,
        found: &mut Found,
    ) {
        settled.entries.extend(entry.copied());
        self.count_fallback(row, found);
        if let Some(file) = file {
            self.settle_file(file, settled, matched, found);
        }
    }

    /// What a killed run left of copies.
    fn half_made(&self, settled: &mut Settled, found: &mut Found) {
        let mut temporary: Option<FxHashSet<NameBuf>> = None;
        for (index, entry) in (0u32..).zip(&self.names.names) {
            let name = self.names.name(entry);
            if !name.starts_with(b".") || !matches!(entry.kind, Kind::File | Kind::Symlink) {
                continue;
            }
            let mut of_a_row = || {
                temporary
                    .get_or_insert_with(|| {
                        let rows = self.book.fallbacks.iter().filter(|row| row.pending);
                        rows.map(|row| temporary_name(Name::new(&row.name))).collect()
                    })
                    .contains(&NameBuf::from(name.to_vec()))
            };
            let ours = (entry.kind == Kind::File && is_part_name(Name::new(name)))
                || (is_temporary_name(Name::new(name)) && of_a_row());
            if ours {
                settled.entries.insert(index);
                settled.leaving.insert(index);
                found.changes.push(Change::RemovePart {
                    name: NameBuf::from(name.to_vec()),
                    id: entry.id,
                });
            }
        }
    }

    fn check_fallback(
        &self,
        (number, row, name, file): (u32, &FallRow, NameBuf, u32),
        stands: &Stat,
        (files, view): (&dyn FileFs, &Dir),
        settled: &mut Settled,
        matched: &Match,
        found: &mut Found,
    ) {
        let Some(source) = self.usable(file, self.look(file), found) else {
            self.keep_fallback(row, None, Some(file), settled, matched, found);
            return;
        };
        self.settle_file(file, settled, matched, found);
        found.report.view_names += 1;
        found.report.view_bytes += source.size;
        let limit = self.volume.link_limit.is_some_and(|limit| source.links >= limit);
        if !self.sources.is_apart(file) && !limit && (row.apart || source.links < row.links) {
            found.report.relinked += 1;
            found.changes.push(Change::BecomeLink {
                name,
                row: number,
                file,
                size: source.size,
                born: super::birth(&source),
            });
            return;
        }
        let wanted = self.options.fallback.unwrap_or(row.kind);
        let is_symlink = |kind| kind == Fallback::Symlink;
        let at = At::new(view, name.name());
        let right = is_symlink(wanted) == is_symlink(row.kind)
            && if is_symlink(row.kind) {
                files
                    .read_symlink(at)
                    .is_ok_and(|now| now == target(self.view, self.sources, file))
            } else {
                (row.source.size, row.source.modified) == (source.size, modified(&source))
                    && source.kind == Kind::File
            };
        *found.report.fallbacks.of(if right { row.kind } else { wanted }) += 1;
        if !right {
            found.report.refreshed += 1;
            found.changes.push(Change::Refresh {
                name,
                row: number,
                file,
                kind: if is_symlink(wanted) == is_symlink(row.kind) && !is_symlink(wanted) {
                    self.options.fallback.unwrap_or(Fallback::Copy)
                } else {
                    wanted
                },
                source,
            });
            return;
        }
        found.report.kept += 1;
        let known = FallRow {
            pending: false,
            orphan: false,
            source: Mark::of(&source, self.wanted_key(file)),
            own: Some(Mark::of(stands, stands.id.id)),
            dir: self.dir_numbers[self.sources.files[file as usize].dir as usize].unwrap_or(row.dir),
            source_name: self.sources.name(&self.sources.files[file as usize]).to_vec(),
            apart: self.sources.is_apart(file),
            ..row.clone()
        };
        if known != *row {
            found.notes.push(Note::SetFallback(Box::new(known)));
        }
    }

    /// Somebody deleted it, or a stopped run did not come to it.
    fn missing_fallback(
        &self,
        row: &FallRow,
        name: NameBuf,
        file: u32,
        settled: &mut Settled,
        matched: &Match,
        found: &mut Found,
    ) {
        let Some(source) = self.usable(file, self.look(file), found) else {
            self.settle_file(file, settled, matched, found);
            return;
        };
        let pending = row.pending || self.book.last_run > self.book.completed_run || self.other_view;
        match self.options.deleted {
            Deleted::Remember if !pending => {
                self.settle_file(file, settled, matched, found);
                found.report.left_out.remembered += 1;
                found.notes.push(Note::Remember {
                    id: self.wanted_key(file),
                    what: Remembered {
                        born: super::birth(&source),
                        name: row.name.clone(),
                    },
                });
                found.notes.push(Note::ForgetFallback { name });
            }
            Deleted::DeleteSource if !pending => {
                self.settle_file(file, settled, matched, found);
                found.deletions += 1;
                found.changes.push(Change::DeleteSources {
                    name,
                    files: vec![file],
                });
            }
            _ => {
                self.settle_file(file, settled, matched, found);
                found.notes.push(Note::ForgetFallback { name });
                settled.again.push((file, row.name.clone(), Look::of(&source)));
            }
        }
    }

    /// Its source is gone: a symbolic link leads nowhere and goes, a copy holds the last data.
    fn gone_fallback(
        &self,
        row: &FallRow,
        name: NameBuf,
        entry: u32,
        stands: &Stat,
        settled: &mut Settled,
        found: &mut Found,
    ) {
        if self.is_unseen_fallback(row) {
            found.report.held += 1;
            self.count_fallback(row, found);
            return;
        }
        let id: FileId = stands.id;
        let size = row.source.size;
        if row.kind == Fallback::Symlink {
            found.report.removed += 1;
            settled.leaving.insert(entry);
            found.changes.push(Change::RemoveFallback { name, id, size });
            return;
        }
        match &self.options.orphans {
            Orphans::Keep => {
                *found.report.fallbacks.of(row.kind) += 1;
                if !row.orphan {
                    found.notes.push(Note::SetFallback(Box::new(FallRow {
                        orphan: true,
                        pending: false,
                        own: Some(Mark::of(stands, stands.id.id)),
                        ..row.clone()
                    })));
                }
                found.report.orphans.push(name);
                found.report.view_names += 1;
                found.report.view_bytes += stands.size;
            }
            Orphans::Delete => {
                found.report.orphans_deleted += 1;
                settled.leaving.insert(entry);
                found.changes.push(Change::DeleteOrphan { name, id, size });
            }
            Orphans::Move(to) => {
                found.report.orphans_moved += 1;
                settled.leaving.insert(entry);
                let to = to.clone();
                found.changes.push(Change::MoveOrphan { name, id, size, to });
            }
        }
    }

    /// Whether the source may be there although it was not seen: below something unreadable, or on a file system that was
    /// another one than the view's and is not mounted now.
    fn is_unseen_fallback(&self, row: &FallRow) -> bool {
        let Some(dir) = self
            .book
            .dir_path(row.dir)
            .and_then(|path| Name::new(path).to_os())
        else {
            return false;
        };
        let path = join(std::path::Path::new(&dir), &row.source_name);
        let root = self
            .sources
            .dirs
            .iter()
            .find(|dir| dir.folders.is_empty() && path.starts_with(&dir.path));
        let unmounted = row.apart && root.is_some_and(|root| !self.sources.apart[root.root as usize]);
        unmounted || self.sources.may_exist_unseen(&path)
    }

    /// A name to make: a link, or a fallback where there can be none.
    pub(super) fn make(&self, link: Link, found: &mut Found) {
        found.report.view_names += 1;
        found.report.view_bytes += link.look.map_or(0, |look| look.size);
        match self.options.fallback {
            Some(kind) if self.sources.is_apart(link.file) => {
                *found.report.fallbacks.of(kind) += 1;
                found.report.fallbacks_made += 1;
                found.falls.push(link);
            }
            _ => {
                found.report.linked += 1;
                found.links.push(link);
            }
        }
    }

    /// Whether this file cannot be linked, as far as is known before it is tried.
    pub(super) fn must_fall_back(&self, file: u32, stat: &Stat) -> bool {
        self.options.fallback.is_some()
            && (self.sources.is_apart(file)
                || self.volume.link_limit.is_some_and(|limit| stat.links >= limit))
    }

    fn look(&self, file: u32) -> FsResult<Stat> {
        Opener::new(self.fs, self.sources).look(file)
    }

    /// Fallbacks that are made again, as wishes.
    pub(super) fn again(settled: &Settled) -> impl Iterator<Item = (u32, Vec<u8>, Look, Why)> + '_ {
        settled
            .again
            .iter()
            .map(|(file, name, look)| (*file, name.clone(), *look, Why::Missing))
    }
}
