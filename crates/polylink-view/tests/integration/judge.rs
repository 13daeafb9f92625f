//! [`World`]: a disk, a view and its ledger, and what must be true of them after every update.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use polylink_core::{FaultKind, FileId, NameBuf, Silent, is_temporary_name};
use polylink_view::{Appear, Deleted, Error, Ledger, Options, Outcome, Plan, Request, Step, apply, plan};

use crate::disk::{Disk, Names};

/// A disk with a view on it.
pub(crate) struct World<D> {
    pub(crate) disk: D,
    pub(crate) ledger: Ledger,
    pub(crate) sources: Vec<String>,
    pub(crate) view: String,
    pub(crate) options: Options,
    /// Names that polylink made or took over, with the content they led to.
    owned: BTreeMap<PathBuf, u64>,
    denied: BTreeSet<String>,
    mounts: BTreeSet<String>,
}

/// The figures of a summary that a forecast must have right.
pub(crate) fn figures(outcome: &Outcome) -> (Vec<u64>, Vec<NameBuf>) {
    let figures = vec![
        outcome.linked,
        outcome.kept,
        outcome.relinked,
        outcome.renamed,
        outcome.adopted,
        outcome.removed,
        outcome.orphans_deleted,
        outcome.orphans_moved,
        outcome.superseded,
        outcome.sources_deleted,
        outcome.foreign,
        outcome.held,
        outcome.view_names,
        outcome.view_bytes,
    ];
    let mut orphans = outcome.orphans.clone();
    orphans.sort();
    (figures, orphans)
}

pub(crate) fn steps(plan: &Plan) -> Vec<Step> {
    plan.steps().collect()
}

impl<D: Disk> World<D> {
    pub(crate) fn new(disk: D) -> Self {
        for dir in ["/s", "/t", "/o"] {
            disk.mkdir(dir);
        }
        Self {
            disk,
            ledger: Ledger::in_memory().unwrap(),
            sources: vec!["/s".into()],
            view: "/v".into(),
            options: Options {
                threads: NonZeroUsize::new(1),
                ..Options::default()
            },
            owned: BTreeMap::new(),
            denied: BTreeSet::new(),
            mounts: BTreeSet::new(),
        }
    }

    pub(crate) fn lose_ledger(&mut self) {
        self.ledger = Ledger::in_memory().unwrap();
        self.owned.clear();
    }

    pub(crate) fn deny(&mut self, path: &str, denied: bool) {
        self.disk.deny(path, denied);
        if denied {
            self.denied.insert(path.into());
        } else {
            self.denied.remove(path);
        }
    }

    pub(crate) fn mount(&mut self, path: &str) {
        self.disk.mount(path);
        self.mounts.insert(path.into());
    }

    /// Whether something that cannot be seen lies at or below `path`.
    pub(crate) fn hides_below(&self, path: &str) -> bool {
        self.denied
            .iter()
            .chain(&self.mounts)
            .any(|hidden| Path::new(hidden).starts_with(path))
    }

    pub(crate) fn is_dir(&self, path: &str) -> bool {
        self.disk.fs().open_dir(&self.disk.path(path)).is_ok()
    }

    /// Whether a directory could be made at `path`.
    pub(crate) fn is_dir_or_free(&self, path: &str) -> bool {
        let names = self.disk.names();
        Path::new(path).ancestors().all(|path| !names.contains_key(path))
    }

    /// Forgets of denials and mounts those that were removed.
    pub(crate) fn forget_hidden(&mut self) {
        let (mut denied, mut mounts) = (self.denied.clone(), self.mounts.clone());
        denied.retain(|dir| self.is_dir(dir));
        mounts.retain(|dir| self.is_dir(dir));
        (self.denied, self.mounts) = (denied, mounts);
    }

    pub(crate) fn request(&self) -> Request {
        Request {
            sources: self.sources.iter().map(|path| self.disk.path(path)).collect(),
            view: self.disk.path(&self.view),
            options: self.options.clone(),
        }
    }

    pub(crate) fn plan(&self) -> Result<Plan, Error> {
        plan(self.disk.fs(), &self.request(), &self.ledger, &Silent)
    }

    /// One update, without a look at it.
    pub(crate) fn run(&mut self) -> Outcome {
        let plan = self.plan().unwrap();
        apply(self.disk.fs(), plan, &mut self.ledger, &Silent)
    }

    /// The view's own names and the content behind each.
    pub(crate) fn in_view(&self) -> BTreeMap<String, u64> {
        self.disk
            .names()
            .into_iter()
            .filter(|(path, _)| path.parent() == Some(Path::new(&self.view)))
            .map(|(path, (_, content))| (path.file_name().unwrap().to_string_lossy().into_owned(), content))
            .collect()
    }

    pub(crate) fn content(&self, path: &str) -> u64 {
        self.disk
            .names()
            .get(Path::new(path))
            .unwrap_or_else(|| panic!("{path} is gone"))
            .1
    }

    fn is_view_name(&self, path: &Path) -> bool {
        path.parent() == Some(Path::new(&self.view))
    }

    /// Whether a walk of the sources sees this name.
    fn is_seen(&self, path: &Path) -> bool {
        if path.starts_with(&self.view) {
            return false;
        }
        let Some(root) = self
            .sources
            .iter()
            .map(Path::new)
            .filter(|root| path.starts_with(root))
            .max_by_key(|root| root.components().count())
        else {
            return false;
        };
        path.ancestors()
            .skip(1)
            .take_while(|dir| dir.starts_with(root))
            .all(|dir| {
                // as the test writes paths, whatever separates them here
                let named = dir.to_str().unwrap().replace('\\', "/");
                !self.denied.contains(&*named) && (!self.mounts.contains(&*named) || dir == root)
            })
    }

    /// How many names in the view each file should have.
    fn wanted(&self, names: &Names) -> BTreeMap<FileId, usize> {
        let mut wanted = BTreeMap::new();
        for (path, (id, content)) in names {
            if *content != 0 && self.is_seen(path) {
                *wanted.entry(*id).or_insert(0) += 1;
            }
        }
        if self.options.appear == Appear::OncePerFile {
            wanted.values_mut().for_each(|count| *count = 1);
        }
        wanted
    }

    /// The ledger's rows: view path and file number.
    pub(crate) fn rows(&self) -> BTreeMap<PathBuf, u128> {
        self.ledger
            .rows()
            .into_iter()
            .map(|(name, id)| {
                let name = name.name().to_os().unwrap().into_owned();
                (Path::new(&self.view).join(name), id)
            })
            .collect()
    }

    /// The names that polylink made and that are as it left them.
    fn standing(&self, names: &Names) -> BTreeMap<PathBuf, (FileId, u64)> {
        self.owned
            .iter()
            .filter_map(|(path, content)| {
                let found = names.get(path)?;
                (found.1 == *content).then(|| (path.clone(), *found))
            })
            .collect()
    }

    /// What no update may ever do, killed or not: lose content, touch a foreign name, change a source.
    fn check_safe(&self, before: &Names, rows: &BTreeMap<PathBuf, u128>, after: &Names) {
        let contents =
            |names: &Names| -> BTreeSet<u64> { names.values().map(|(_, content)| *content).collect() };
        let (had, has) = (contents(before), contents(after));
        assert!(
            had.is_subset(&has),
            "lost {:?}",
            had.difference(&has).collect::<Vec<_>>()
        );
        let standing = self.standing(before);
        for (path, found) in before {
            if self.is_view_name(path) {
                let name = path.file_name().unwrap();
                let temporary = is_temporary_name(polylink_core::Name::from_os(name));
                if standing.contains_key(path) || temporary {
                    continue;
                }
                // made by the user just as we had made it, name and file alike: the ledger cannot tell it from its own.
                // Its content still has a name, as was checked above
                let looks_ours = rows.get(path) == Some(&found.0.id);
                if looks_ours {
                    continue;
                }
            }
            assert_eq!(after.get(path), Some(found), "{path:?} is not ours");
        }
        for path in after.keys() {
            assert!(
                self.is_view_name(path) || before.contains_key(path),
                "{path:?} appeared outside the view"
            );
        }
    }

    /// An update that is killed: the `files`-th change of the file system and the `commits`-th of the ledger fail, and
    /// all after them.
    pub(crate) fn killed_update(&mut self, files: Option<u64>, commits: Option<u64>) {
        let (before, rows) = (self.disk.names(), self.rows());
        let Ok(plan) = self.plan() else { return };
        self.disk.mem().unwrap().stop_after(files);
        self.ledger.stop_after(commits);
        apply(self.disk.fs(), plan, &mut self.ledger, &Silent);
        self.disk.mem().unwrap().stop_after(None);
        self.ledger.stop_after(None);
        let after = self.disk.names();
        self.check_safe(&before, &rows, &after);
        let mut owned: BTreeMap<PathBuf, u64> = self
            .standing(&before)
            .into_iter()
            // what it removed is not ours any more, even if the user makes the same name again
            .filter(|(path, found)| after.get(path) == Some(found))
            .map(|(path, (_, content))| (path, content))
            .collect();
        for (path, found) in &after {
            let name = path.file_name().unwrap();
            if self.is_view_name(path)
                && before.get(path) != Some(found)
                && !is_temporary_name(polylink_core::Name::from_os(name))
            {
                owned.insert(path.clone(), found.1);
            }
        }
        // names that it took over are ours if the ledger says so now; what it said before may be about another file
        let new_rows = self
            .rows()
            .into_iter()
            .filter(|(path, id)| rows.get(path) != Some(id));
        for (path, id) in new_rows {
            if let Some(found) = after.get(&path).filter(|found| found.0.id == id) {
                owned.insert(path, found.1);
            }
        }
        self.owned = owned;
    }

    /// A full update, and everything that must be true after it.
    pub(crate) fn update(&mut self) -> Outcome {
        let (before, rows) = (self.disk.names(), self.rows());
        let first = match self.plan() {
            Ok(plan) => plan,
            Err(Error::Path(_) | Error::OtherVolume { .. }) if self.sources.len() > 1 => {
                self.sources.truncate(1); // the directory went, or is a mount
                return self.update();
            }
            Err(error) => panic!("{error}"),
        };
        let mut second = self.plan().unwrap();
        assert_eq!(steps(&first), steps(&second), "two plans in a row differ");
        second.measure(self.disk.fs()); // as a dry run does; the real run looks at new files as it links them
        assert_eq!(steps(&first), steps(&second), "a look changes the plan");
        assert_eq!(self.disk.names(), before, "a plan changes nothing");
        let forecast = figures(second.forecast());
        drop(second);
        let planned = steps(&first);
        let outcome = apply(self.disk.fs(), first, &mut self.ledger, &Silent);
        let after = self.disk.names();
        self.check_safe(&before, &rows, &after);
        for failure in &outcome.failures {
            assert_eq!(
                failure.fault.kind(),
                FaultKind::TooManyLinks,
                "{failure} in {planned:?}"
            );
        }
        assert!(!outcome.stopped && outcome.ledger_error.is_none());
        let rows = self.check_rows(&before, &after, &outcome, &planned);
        if outcome.failures.is_empty() {
            assert_eq!(figures(&outcome), forecast, "the forecast of {planned:?}");
            assert_eq!(outcome.view_names, rows as u64);
        }
        self.check_settled(&outcome);
        outcome
    }

    /// An update under a policy that lets data go: only what the policy speaks of goes.
    pub(crate) fn update_by_policy(&mut self) {
        let before = self.disk.names();
        let standing = self.standing(&before);
        let rows = self.rows();
        let mut first = match self.plan() {
            Ok(plan) => plan,
            Err(Error::EveryNameGone { .. }) => {
                self.options.deleted = Deleted::Restore;
                return self.update_by_policy();
            }
            Err(Error::Path(_) | Error::OtherVolume { .. }) if self.sources.len() > 1 => {
                self.sources.truncate(1);
                return self.update_by_policy();
            }
            Err(error) => panic!("{error}"),
        };
        first.measure(self.disk.fs());
        let (planned, forecast) = (steps(&first), figures(first.forecast()));
        let outcome = apply(self.disk.fs(), first, &mut self.ledger, &Silent);
        let after = self.disk.names();
        for failure in &outcome.failures {
            // the source that a deletion took may have been the other name of one that was to go: it stays
            let kind = failure.fault.kind();
            // and a new file that was to get its name finds it taken
            let stays = self.options.deleted == Deleted::DeleteSource
                && matches!(kind, FaultKind::Stale | FaultKind::Exists);
            assert!(
                stays || kind == FaultKind::TooManyLinks,
                "{failure} in {planned:?}"
            );
        }
        if outcome.failures.is_empty() {
            assert_eq!(figures(&outcome), forecast, "the forecast of {planned:?}");
            let again = steps(&self.plan().unwrap());
            assert_eq!(again, [], "after {planned:?}");
        }
        for (path, found) in &before {
            let stays = after.get(path) == Some(found);
            if self.is_view_name(path) {
                let temporary = is_temporary_name(polylink_core::Name::from_os(path.file_name().unwrap()));
                let looks_ours = standing.contains_key(path) || rows.get(path) == Some(&found.0.id);
                assert!(
                    stays || temporary || looks_ours,
                    "{path:?} is not ours: {planned:?}"
                );
            } else {
                let deletes = self.options.deleted == Deleted::DeleteSource && self.is_seen(path);
                assert!(stays || deletes, "{path:?} is no name in the view: {planned:?}");
            }
        }
        let rows = self.rows();
        self.owned = after
            .iter()
            .filter(|(path, found)| rows.get(*path) == Some(&found.0.id))
            .map(|(path, found)| (path.clone(), found.1))
            .collect();
    }

    fn check_rows(&mut self, before: &Names, after: &Names, outcome: &Outcome, planned: &[Step]) -> usize {
        let wanted = self.wanted(before);
        let standing = self.standing(before);
        let rows = self.rows();
        let failures = !outcome.failures.is_empty();
        let hidden = !self.denied.is_empty() || !self.mounts.is_empty();
        let mut ours: BTreeMap<FileId, usize> = BTreeMap::new();
        let mut owned = BTreeMap::new();
        let mut unwanted = 0;
        let orphans: BTreeSet<PathBuf> = outcome
            .orphans
            .iter()
            .map(|name| Path::new(&self.view).join(name.name().to_os().unwrap()))
            .collect();
        for (path, id) in &rows {
            let Some(found) = after.get(path).filter(|found| found.0.id == *id) else {
                assert!(
                    failures,
                    "the ledger speaks of {path:?}, which is not there: {planned:?}"
                );
                continue;
            };
            owned.insert(path.clone(), found.1);
            *ours.entry(found.0).or_default() += 1;
            if !wanted.contains_key(&found.0) && !orphans.contains(path) {
                unwanted += 1;
            }
        }
        if !failures {
            // of a file with several names one may be held beside those that are wanted
            let every = self.options.appear == Appear::EveryName && unwanted < outcome.held;
            assert!(unwanted == outcome.held || every, "held: {planned:?}");
        }
        assert!(hidden || outcome.held == 0);
        for orphan in &orphans {
            assert!(owned.contains_key(orphan), "{orphan:?} is no name of ours");
        }
        for (id, count) in &wanted {
            let has = ours.get(id).copied().unwrap_or(0);
            let right = has == *count || (failures && has < *count);
            let held = hidden && self.options.appear == Appear::EveryName && has > *count;
            assert!(
                right || held,
                "{id} has {has} of {count} names: {planned:?}\nbefore {before:#?}"
            );
        }
        for (path, found) in after {
            if !self.is_view_name(path) {
                continue;
            }
            let name = path.file_name().unwrap();
            let last = after.values().filter(|other| other.0 == found.0).count() == 1;
            assert!(
                last || !is_temporary_name(polylink_core::Name::from_os(name)),
                "{path:?} stays"
            );
            if before.get(path) != Some(found) {
                assert!(
                    owned.contains_key(path),
                    "{path:?} was made and is not in the ledger"
                );
            }
        }
        for (path, found) in &standing {
            assert!(
                owned.contains_key(path) || after.get(path) != Some(found),
                "{path:?} was ours and is foreign now: {planned:?}"
            );
        }
        // names of files that are still wanted stay as they were, unless there were too many
        let had = |content: u64| self.owned.values().filter(|other| **other == content).count();
        for (path, found) in &standing {
            let enough = wanted.get(&found.0).copied().unwrap_or(0);
            if had(found.1) <= enough {
                assert_eq!(after.get(path), Some(found), "{path:?} changed");
            }
        }
        let dir = self.disk.fs().open_dir(&self.disk.path(&self.view)).unwrap();
        let entries = self.disk.fs().names_in(&dir).unwrap().len();
        assert_eq!(
            entries as u64,
            owned.len() as u64 + outcome.foreign,
            "foreign: {planned:?}"
        );
        self.owned = owned;
        rows.len()
    }

    fn check_settled(&mut self, outcome: &Outcome) {
        let names = self.disk.names();
        let stats = self.disk.mem().map(polylink_core::MemFs::stat_calls);
        let again = self.plan().unwrap();
        if outcome.failures.is_empty() {
            assert_eq!(steps(&again), [], "a second update has something to do");
            let looks = self.disk.mem().map(|mem| mem.stat_calls() - stats.unwrap_or(0));
            let dir = self.disk.fs().open_dir(&self.disk.path(&self.view)).unwrap();
            let trusted = self.disk.fs().volume(&dir).unwrap().dir_ids == polylink_core::DirIds::Trusted;
            let temporary = names
                .keys()
                .filter(|path| is_temporary_name(polylink_core::Name::from_os(path.file_name().unwrap())))
                .count();
            assert!(
                looks.is_none_or(|looks| !trusted || looks <= (outcome.orphans.len() + temporary) as u64),
                "{looks:?} calls of stat with {} orphans",
                outcome.orphans.len()
            );
        }
        let failed = !outcome.failures.is_empty();
        let outcome = apply(self.disk.fs(), again, &mut self.ledger, &Silent);
        // what could not be linked may be tried under another name the next time
        assert!(
            failed || self.disk.names() == names,
            "a second update changes something"
        );
        assert!(failed || outcome.linked + outcome.removed + outcome.relinked == 0);
        self.check_safe(&names, &self.rows(), &self.disk.names());
        if failed {
            let rows = self.rows();
            let ours = |(path, found): &(&PathBuf, &(FileId, u64))| rows.get(*path) == Some(&found.0.id);
            self.owned = self
                .disk
                .names()
                .iter()
                .filter(ours)
                .map(|(path, found)| (path.clone(), found.1))
                .collect();
        }
    }
}
