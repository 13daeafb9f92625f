//! Dated snapshots of a tree that share what has not changed.

mod apply;
mod compare;
mod keep;
mod step;
mod store;

use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use polylink_core::{
    Dir, FaultKind, FileFs, FileId, FsResult, Kind, NameBuf, PathError, Progress, ResultExt as _,
};
use polylink_walk::DirState;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::error::Error;
use crate::metadata::Rights;
use crate::tree::{NONE, Tree, Wanted};

use compare::{Find, Look};
use store::Store;

pub use apply::apply;
pub use keep::{Calendar, Civil, Keep};
pub use step::Step;

/// A finished snapshot in a store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// Its name in the store.
    pub name: NameBuf,
    /// When it was begun: seconds since 1970 (UTC).
    pub time: i64,
    /// The order in which those of one store were made, whatever their names say and the clock said.
    pub number: u32,
    /// Whether everything is in it; one that lacks something says so in its name.
    pub complete: bool,
}

impl Snapshot {
    /// By this they are sorted. Stores of earlier versions have no numbers.
    fn order(&self) -> (u32, i64, &NameBuf) {
        (self.number, self.time, &self.name)
    }
}

/// What to make a snapshot of, and where.
#[derive(Clone)]
pub struct Request<'a> {
    /// The source, absolute and free of symbolic links.
    pub source: PathBuf,
    /// The directory of the snapshots, absolute; it need not exist yet, its parent must.
    pub store: PathBuf,
    /// The name of the new snapshot; where it is taken, it gets a number.
    pub name: NameBuf,
    /// Seconds since 1970 (UTC).
    pub now: i64,
    /// Which snapshots stay; all where it is `None`.
    pub keep: Option<Keep>,
    /// The calendar for that.
    pub calendar: Calendar<'a>,
    /// Brings all that was written to a directory's file system to the disk.
    pub sync: &'a (dyn Fn(&Dir) -> FsResult<()> + Sync),
    /// The user who makes it, where the system has user ids.
    pub user: Option<u32>,
    /// Threads; by default as many as the machine has, at most eight.
    pub threads: Option<NonZeroUsize>,
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({:?}, {:?}, {:?})", self.source, self.store, self.name)
    }
}

/// The summary of a snapshot, forecast or done.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The snapshot; `None` where it was not finished.
    pub name: Option<NameBuf>,
    /// The snapshot whose unchanged files are shared; `None` where this is the first.
    pub base: Option<NameBuf>,
    /// Names that lead to files of earlier snapshots: unchanged ones.
    pub linked: u64,
    /// Files that were copied: new and changed ones. Further names of them count as `grouped`.
    pub copied: u64,
    /// Their bytes.
    pub copied_bytes: u64,
    /// How many of them share their blocks with the source.
    pub reflinked: u64,
    /// Names that lead to a file that has another name in this snapshot, as in the source.
    pub grouped: u64,
    /// Symbolic links made anew.
    pub symlinks: u64,
    /// Symbolic links where none can be made: left out.
    pub symlinks_left_out: u64,
    /// Files copied although they have not changed, or apart from their further names, because the file in the store has
    /// as many names as it can have; among `copied` and `symlinks`.
    pub at_limit: u64,
    /// Special files (devices, pipes, sockets): left out.
    pub special: u64,
    /// Files that vanished meanwhile.
    pub vanished: u64,
    /// Directories made.
    pub dirs: u64,
    /// Copies and directories whose owner or other metadata could not be given in full.
    pub lost: u64,
    /// Snapshots that were removed.
    pub dropped: Vec<NameBuf>,
    /// Directories where another file system begins: not entered.
    pub other_mounts: Vec<PathBuf>,
    /// Parts of the source that could not be read: they are missing.
    pub unreadable: Vec<PathError>,
    /// What did not work.
    pub failures: Vec<PathError>,
    /// What did not work when old snapshots were removed: the next run goes on.
    pub drop_failures: Vec<PathError>,
    /// The user stopped it, or the disk is full; the next run uses what is there.
    pub stopped: bool,
}

impl Outcome {
    /// Whether everything of the source is in the snapshot.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.failures.is_empty() && self.unreadable.is_empty() && !self.stopped
    }
}

/// An earlier tree whose files may be shared.
#[derive(Debug)]
pub(crate) struct Base {
    tree: Tree,
    /// The counterpart of each directory of the source.
    partner: Vec<u32>,
    /// When it was begun, in nanoseconds since 1970; `None` for what a stopped run left, whose content is not believed.
    begun: Option<i128>,
}

/// A file of a base.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Found {
    base: u32,
    dir: u32,
    at: usize,
}

/// How a name of the snapshot is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Make {
    /// Not at all: a directory, or what cannot be copied.
    Nothing,
    /// As a further name of this unchanged file.
    Link(Found),
    /// By copying.
    Copy,
    /// As a symbolic link of its own.
    Symlink,
    /// With the other names of its file.
    Group,
}

/// The names of one file in the source, in path order.
#[derive(Debug)]
pub(crate) struct Group {
    id: FileId,
    names: Vec<(u32, usize)>,
    from: Option<Found>,
}

/// What [`plan`] found out and means to do.
#[derive(Debug)]
pub struct Plan<'a> {
    request: Request<'a>,
    rights: Rights,
    source: Tree,
    bases: Vec<Base>,
    /// By entry of the source.
    makes: Vec<Make>,
    groups: Vec<Group>,
    drops: Vec<Snapshot>,
    report: Outcome,
}

impl Plan<'_> {
    /// What will become of it if nothing goes wrong.
    #[must_use]
    pub fn forecast(&self) -> &Outcome {
        &self.report
    }
}

/// The snapshots in a store, in the order in which they were made; none where there is no store.
///
/// # Errors
///
/// Where the store cannot be read.
pub fn list(fs: &dyn FileFs, store: &Path) -> Result<Vec<Snapshot>, Error> {
    Ok(Store::open(fs, store)?.map_or_else(Vec::new, |store| store.snapshots))
}

/// Makes a store and the directory of its records, where they are missing, and gives the path of that: somebody who
/// wants to keep other runs out can put a lock there.
///
/// # Errors
///
/// Where they cannot be made.
pub fn prepare(fs: &dyn FileFs, store: &Path) -> Result<PathBuf, Error> {
    Store::prepare(fs, store)?;
    Ok(store.join(store::RECORDS))
}

/// Whether a name can be that of a snapshot.
///
/// # Errors
///
/// [`Error::Name`] where it cannot.
pub fn check_name(name: &NameBuf) -> Result<(), Error> {
    store::check_name(name.name())
}

/// Compares a source with the last snapshot. Changes nothing.
///
/// # Errors
///
/// [`Error`] where a snapshot cannot be made at all.
pub fn plan<'a>(fs: &dyn FileFs, request: &Request<'a>, progress: &dyn Progress) -> Result<Plan<'a>, Error> {
    check_name(&request.name)?;
    let source = &request.source;
    if source.starts_with(&request.store) {
        return Err(Error::Nested {
            source_dir: source.clone(),
            dest: request.store.clone(),
        });
    }
    let rights = Rights::of(request.user);
    let root = fs.open_dir(source).at("open", source)?;
    let store = Store::open(fs, &request.store)?;
    let store_id = match &store {
        Some(store) => Some(fs.stat_dir(&store.dir).at("look at", &request.store)?.id),
        None => None,
    };
    if store_id.is_some() && store_id == fs.stat_dir(&root).ok().map(|stat| stat.id) {
        return Err(Error::Nested {
            source_dir: source.clone(),
            dest: request.store.clone(),
        });
    }
    progress.begin("reading", None);
    let read = |root: Dir, path: &Path, leave_out: Vec<FileId>| {
        let wanted = Wanted {
            root,
            path,
            leave_out,
            threads: request.threads,
        };
        Tree::read(fs, wanted, progress).ok_or(Error::Cancelled)
    };
    let tree = read(root, source, store_id.into_iter().collect())?;
    let gaps = tree.gaps();
    if let Some(gap) = gaps.unreadable.iter().find(|gap| gap.path == *source) {
        return Err(gap.clone().into());
    }
    let mut bases = Vec::new();
    if let Some(store) = &store {
        for (name, begun) in base_names(store) {
            let path = crate::tree::join(&request.store, name.name());
            let at = polylink_core::At::new(&store.dir, name.name());
            let dir = fs.open_child(at).at("open", &path)?;
            let base = read(dir, &path, Vec::new())?;
            bases.push(Base {
                partner: partners(&tree, &base),
                tree: base,
                begun,
            });
        }
    }
    progress.end();
    let looks = compare::look(
        &Find {
            fs,
            source: &tree,
            bases: &bases,
            rights,
            threads: request.threads,
        },
        progress,
    )
    .ok_or(Error::Cancelled)?;
    let mut report = Outcome {
        base: store
            .as_ref()
            .and_then(|store| store.snapshots.last())
            .map(|base| base.name.clone()),
        unreadable: gaps.unreadable,
        other_mounts: gaps.other_mounts,
        failures: tree.faults.clone(),
        dirs: tree.dirs.iter().filter(|dir| dir.state == DirState::Read).count() as u64,
        ..Outcome::default()
    };
    let (makes, groups) = decide(&tree, &bases, looks, fs.makes_symlinks(), &mut report);
    let name = match &store {
        Some(store) => store
            .free_name(fs, request.name.name())
            .at("look at", &request.store)?,
        None => request.name.clone(),
    };
    let number = store.as_ref().map_or(1, Store::next_number);
    let mut all = store.map_or_else(Vec::new, |store| store.snapshots);
    all.push(Snapshot {
        name: name.clone(),
        time: request.now,
        number,
        complete: report.is_whole(),
    });
    let drops = drops(&all, request);
    report.dropped = drops.iter().map(|snapshot| snapshot.name.clone()).collect();
    report.name = Some(match report.is_whole() {
        true => name,
        false => store::incomplete(name.name()),
    });
    Ok(Plan {
        request: request.clone(),
        rights,
        source: tree,
        bases,
        makes,
        groups,
        drops,
        report,
    })
}

/// Which of the snapshots go by the user's rules.
fn drops(all: &[Snapshot], request: &Request<'_>) -> Vec<Snapshot> {
    let Some(keep) = &request.keep else {
        return Vec::new();
    };
    let dropped = keep::dropped(all, keep, request.calendar);
    dropped.into_iter().map(|at| all[at].clone()).collect()
}

/// The trees whose files may be shared: the last snapshot, the last complete one, and what stopped runs left.
fn base_names(store: &Store) -> Vec<(NameBuf, Option<i128>)> {
    let begun = |snapshot: &Snapshot| Some(i128::from(snapshot.time) * 1_000_000_000);
    let mut names = Vec::new();
    if let Some(last) = store.snapshots.last() {
        names.push((last.name.clone(), begun(last)));
        if let Some(complete) = store.snapshots.iter().rfind(|snapshot| snapshot.complete)
            && complete != last
        {
            names.push((complete.name.clone(), begun(complete)));
        }
    }
    names.extend(store.left.iter().rev().map(|left| (left.clone(), None)));
    names
}

/// The counterpart in `base` of each directory of `source`.
fn partners(source: &Tree, base: &Tree) -> Vec<u32> {
    let mut partner = vec![NONE; source.dirs.len()];
    partner[0] = 0;
    for number in 1..source.dirs.len() {
        let dir = &source.dirs[number];
        let above = partner[dir.parent as usize];
        if above == NONE {
            continue;
        }
        if let Some(at) = base.find(above, dir.name.name()) {
            partner[number] = base.entry(at).child;
        }
    }
    partner
}

/// How each name is made. A file of a base may stand for one file of the source only, else files that are apart in the
/// source would be one in the snapshot; in path order, so that it depends on the trees alone.
fn decide(
    source: &Tree,
    bases: &[Base],
    looks: Vec<Look>,
    symlinks: bool,
    report: &mut Outcome,
) -> (Vec<Make>, Vec<Group>) {
    let mut seen: FxHashSet<FileId> = FxHashSet::default();
    let mut several: FxHashMap<FileId, u32> = FxHashMap::default();
    for at in 0..source.len() {
        let entry = source.entry(at);
        if entry.kind == Kind::File
            && let Some(id) = source.id(entry)
            && !seen.insert(id)
        {
            several.insert(id, NONE);
        }
    }
    drop(seen);
    let mut makes = Vec::with_capacity(source.len());
    let mut groups: Vec<Group> = Vec::new();
    let mut claims: FxHashMap<FileId, Option<FileId>> = FxHashMap::default();
    for (at, look) in looks.into_iter().enumerate() {
        let entry = source.entry(at);
        let id = source.id(entry);
        let mut claimed = |found: Found| {
            let base = &bases[found.base as usize].tree;
            let old = base.id(base.entry(found.at));
            old.is_some_and(|old| *claims.entry(old).or_insert(id) == id)
        };
        let found = match look {
            Look::Nothing => {
                makes.push(Make::Nothing);
                continue;
            }
            Look::Special => {
                report.special += 1;
                makes.push(Make::Nothing);
                continue;
            }
            Look::Vanished => {
                report.vanished += 1;
                makes.push(Make::Nothing);
                continue;
            }
            Look::Failed(error) => {
                report.failures.push(error);
                makes.push(Make::Nothing);
                continue;
            }
            Look::Same(found) => Some(found).filter(|found| claimed(*found)),
            Look::Fresh => None,
        };
        let dir = compare::dir_of(source, at);
        let group = id.and_then(|id| Some((id, several.get_mut(&id)?)));
        let make = match (group, found) {
            (Some((id, number)), found) => {
                if *number == NONE {
                    // OK to cast: there are no more groups than entries
                    *number = groups.len() as u32;
                    groups.push(Group {
                        id,
                        names: Vec::new(),
                        from: None,
                    });
                }
                let group = &mut groups[*number as usize];
                group.names.push((dir, at));
                group.from = group.from.or(found);
                Make::Group
            }
            (None, Some(found)) => Make::Link(found),
            (None, None) if entry.kind == Kind::Symlink && symlinks => Make::Symlink,
            (None, None) if entry.kind == Kind::Symlink => {
                report.symlinks_left_out += 1;
                Make::Nothing
            }
            (None, None) => Make::Copy,
        };
        match make {
            Make::Link(_) => report.linked += 1,
            Make::Copy => report.copied += 1,
            Make::Symlink => report.symlinks += 1,
            Make::Group | Make::Nothing => {}
        }
        makes.push(make);
    }
    for group in &groups {
        let names = group.names.len() as u64;
        match group.from {
            Some(_) => report.linked += names,
            None => {
                report.copied += 1;
                report.grouped += names - 1;
            }
        }
    }
    (makes, groups)
}

/// Whether a fault ends the run: everything after it would meet the same.
fn ends(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::Interrupted | FaultKind::NoSpace | FaultKind::ReadOnly
    )
}
