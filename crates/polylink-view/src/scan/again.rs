//! A second look at single names, so that a change of one file does not cost a walk of the whole tree.
//!
//! Whatever cannot be answered exactly by a look at the names alone (a mount, something unreadable, a directory that is
//! another one by now) is answered by [`Again::Whole`]: walk everything.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use polylink_core::{
    At, CaseRule, Dir, DirBatch, FaultKind, FileId, Kind, LinkFs, Name, NameBuf, Progress, Stat,
    is_part_name, is_temporary_name, open_beneath,
};
use polylink_walk::{DirState, Filter, Options as WalkOptions, Root, Visited, Visitor, identify, walk};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{DirUse, SourceDir, Sources, ViewNames, Wanted, below, join};

use crate::ledger::is_ledger_name;

/// How often a new directory is read again because there were directories in it that nobody watched yet.
const MOST_READS: usize = 8;

/// Whether a look at single names was enough.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Again {
    /// What is known is what there is.
    Done,
    /// Only a walk of everything tells.
    Whole,
}

/// What a second look needs to know.
pub(crate) struct LookAgain<'a> {
    pub(crate) fs: &'a dyn LinkFs,
    pub(crate) filter: &'a Filter,
    /// The rules of when two names are the same: where case counts nothing, news may spell a name in another way than
    /// the directory does, so directories are read.
    pub(crate) case: CaseRule,
    pub(crate) walk: &'a WalkOptions,
    pub(crate) progress: &'a dyn Progress,
}

/// Told of directories that come and go, before a new one is read.
pub(crate) trait Watches {
    fn came(&mut self, dir: &Path);
    fn went(&mut self, dir: &Path);
    fn knows(&self, dir: &Path) -> bool;
}

/// A name found again.
struct Fresh {
    dir: u32,
    name: Vec<u8>,
    id: FileId,
}

/// Names to look at, by the numbers of their directories.
struct Work {
    names: Vec<(u32, Vec<u8>)>,
    /// Those that are known, and that a read of their directory did not find.
    absent: BTreeSet<(u32, Vec<u8>)>,
}

/// What a second look has found so far.
#[derive(Default)]
struct Found {
    /// Names whose files are not what they were.
    touched: FxHashSet<(u32, Vec<u8>)>,
    files: Vec<Fresh>,
    /// Directories that are gone, or are other ones by now, with all below.
    gone: FxHashSet<PathBuf>,
    dirs: Vec<SourceDir>,
}

impl Sources {
    /// The number of each directory by its path.
    pub(crate) fn by_path(&self) -> FxHashMap<PathBuf, u32> {
        let mut by_path = FxHashMap::default();
        for (number, dir) in (0u32..).zip(&self.dirs) {
            // a source in another one is met twice, and read once
            if dir.state == DirUse::Open || !by_path.contains_key(&dir.path) {
                by_path.insert(dir.path.clone(), number);
            }
        }
        by_path
    }

    /// Looks at these paths anew.
    pub(crate) fn look_again(
        &mut self,
        look: &LookAgain<'_>,
        by_path: &mut FxHashMap<PathBuf, u32>,
        paths: &BTreeSet<PathBuf>,
        watches: &mut dyn Watches,
    ) -> Again {
        let Some(Work {
            names: mut work,
            absent,
        }) = self.work(look, by_path, paths)
        else {
            return Again::Whole;
        };
        let mut found = Found::default();
        for (number, name) in absent {
            if self.forget(by_path, number, &name, &mut found, watches) == Again::Whole {
                return Again::Whole;
            }
        }
        let mut seen: BTreeSet<(u32, Vec<u8>)> = work.iter().cloned().collect();
        // directories before what is below them
        work.sort_by_key(|(dir, _)| std::cmp::Reverse(self.dirs[*dir as usize].path.components().count()));
        while let Some((number, name)) = work.pop() {
            let known = &self.dirs[number as usize];
            if known.path.ancestors().any(|above| found.gone.contains(above)) {
                continue; // it was read anew, as a part of one above
            }
            let dir = match self.open_again(look.fs, number) {
                Some(Ok(dir)) => dir,
                // it is gone, or another one: its own name tells, in the directory above
                Some(Err(above)) => {
                    let Some(&parent) = by_path.get(above.parent().unwrap_or(&above)) else {
                        return Again::Whole;
                    };
                    let own = above.file_name().map(|name| Name::from_os(name).bytes().to_vec());
                    if let Some(own) = own
                        && seen.insert((parent, own.clone()))
                    {
                        work.push((parent, own));
                    }
                    continue;
                }
                None => return Again::Whole,
            };
            if self.look_at(look, by_path, &dir, number, &name, &mut found, watches) == Again::Whole {
                return Again::Whole;
            }
        }
        self.take(found, by_path);
        Again::Done
    }

    /// The names to look at, by directory. `None` where a source itself is concerned.
    fn work(
        &self,
        look: &LookAgain<'_>,
        by_path: &FxHashMap<PathBuf, u32>,
        paths: &BTreeSet<PathBuf>,
    ) -> Option<Work> {
        let mut work: BTreeSet<(u32, Vec<u8>)> = BTreeSet::new();
        let mut whole: BTreeSet<u32> = BTreeSet::new();
        for path in paths {
            if by_path
                .get(path)
                .is_some_and(|&dir| self.dirs[dir as usize].folders.is_empty())
            {
                return None;
            }
            if path
                .file_name()
                .is_some_and(|name| own(Name::from_os(name).bytes()))
            {
                continue;
            }
            let (Some(dir), Some(name)) = (path.parent().and_then(|dir| by_path.get(dir)), path.file_name())
            else {
                continue; // not ours, or below something that is new itself
            };
            if self.dirs[*dir as usize].state != DirUse::Open {
                continue;
            }
            if look.case == CaseRule::Sensitive {
                work.insert((*dir, Name::from_os(name).bytes().to_vec()));
            } else {
                whole.insert(*dir);
            }
        }
        let mut absent: BTreeSet<(u32, Vec<u8>)> = BTreeSet::new();
        if !whole.is_empty() {
            for file in self.files.iter().filter(|file| whole.contains(&file.dir)) {
                absent.insert((file.dir, self.name(file).to_vec()));
            }
            for dir in self.dirs.iter().filter(|dir| !dir.folders.is_empty()) {
                let above = dir.path.parent().and_then(|above| by_path.get(above));
                if let (Some(above), Some(name)) = (above, dir.path.file_name())
                    && whole.contains(above)
                {
                    absent.insert((*above, Name::from_os(name).bytes().to_vec()));
                }
            }
            for number in whole {
                let Some(Ok(dir)) = self.open_again(look.fs, number) else {
                    return None;
                };
                for name in look.fs.names_in(&dir).ok()? {
                    absent.remove(&(number, name.bytes().to_vec()));
                    work.insert((number, name.bytes().to_vec()));
                }
            }
        }
        Some(Work {
            names: work.into_iter().collect(),
            absent,
        })
    }

    /// Opens a directory that is known. `Some(Err(path))` where what stands at its path is not it, `None` where it cannot
    /// be told.
    fn open_again(&self, fs: &dyn LinkFs, number: u32) -> Option<Result<Dir, PathBuf>> {
        let known = &self.dirs[number as usize];
        let root = &self.roots[known.root as usize].dir;
        let below = Name::new(&known.folders);
        let folders = below.to_os()?;
        let other = || {
            if known.folders.is_empty() {
                None // a source that is another directory now
            } else {
                Some(Err(known.path.clone()))
            }
        };
        match open_beneath(fs, root, Path::new(&*folders)) {
            Ok(dir) => {
                if fs.stat_dir(&dir).ok().map(|stat| stat.id) == known.id {
                    Some(Ok(dir))
                } else {
                    other()
                }
            }
            Err(fault)
                if matches!(
                    fault.kind(),
                    FaultKind::NotFound | FaultKind::NotDirectory | FaultKind::SymlinkMet
                ) =>
            {
                other()
            }
            Err(_) => None,
        }
    }

    #[allow(clippy::too_many_arguments)] // one call
    fn look_at(
        &self,
        look: &LookAgain<'_>,
        by_path: &FxHashMap<PathBuf, u32>,
        dir: &Dir,
        number: u32,
        name: &[u8],
        found: &mut Found,
        watches: &mut dyn Watches,
    ) -> Again {
        let known = &self.dirs[number as usize];
        let path = join(&known.path, name);
        let at = At::new(dir, Name::new(name));
        let stat = match look.fs.stat(at) {
            Ok(stat) => Some(stat),
            Err(fault) if fault.kind() == FaultKind::NotFound => None,
            Err(_) => return Again::Whole,
        };
        if self.forget(by_path, number, name, found, watches) == Again::Whole {
            return Again::Whole;
        }
        match stat {
            Some(stat) if stat.kind == Kind::File => {
                if own(name) || !takes(look.filter, known, name) {
                    return Again::Done;
                }
                found.files.push(Fresh {
                    dir: number,
                    name: name.to_vec(),
                    id: stat.id,
                });
                Again::Done
            }
            Some(stat) if stat.kind == Kind::Directory => {
                let mut folders = Vec::new();
                below(&mut folders, &known.folders, name);
                if look.filter.leaves_out_directory(&folders) {
                    return Again::Done;
                }
                self.look_below(look, at, &stat, known, &folders, &path, found, watches)
            }
            _ => Again::Done,
        }
    }

    /// Lets go of what was known of a name.
    fn forget(
        &self,
        by_path: &FxHashMap<PathBuf, u32>,
        number: u32,
        name: &[u8],
        found: &mut Found,
        watches: &mut dyn Watches,
    ) -> Again {
        let path = join(&self.dirs[number as usize].path, name);
        if self.unseen.contains(&path) {
            return Again::Whole; // it was a mount or could not be read: everything that hangs on it is looked at anew
        }
        if let Some(&old) = by_path.get(&path) {
            match self.dirs[old as usize].state {
                DirUse::Open | DirUse::Excluded => {
                    watches.went(&path);
                    found.gone.insert(path);
                }
                DirUse::Closed => return Again::Whole,
            }
        }
        found.touched.insert((number, name.to_vec()));
        Again::Done
    }

    /// Reads a directory that is new, or came back, with all below it.
    #[allow(clippy::too_many_arguments)] // one call
    fn look_below(
        &self,
        look: &LookAgain<'_>,
        at: At<'_>,
        stat: &Stat,
        above: &SourceDir,
        folders: &[u8],
        path: &Path,
        found: &mut Found,
        watches: &mut dyn Watches,
    ) -> Again {
        let same_mount = look
            .fs
            .stat_dir(at.dir)
            .is_ok_and(|dir| dir.id.volume == stat.id.volume && dir.mount == stat.mount);
        if !same_mount || look.walk.leave_out.contains(&stat.id) {
            return Again::Whole;
        }
        let dir = match look.fs.open_child(at) {
            Ok(dir) => dir,
            // it came and went: there is more news to come
            Err(fault) if fault.kind() == FaultKind::NotFound => return Again::Done,
            Err(_) => return Again::Whole,
        };
        if found.dirs.iter().any(|dir| dir.path.starts_with(path)) {
            return Again::Whole;
        }
        watches.went(path); // what was known of this path is another directory's, or was moved about
        watches.came(path);
        let roots = [Root {
            dir,
            path: path.to_path_buf(),
        }];
        // each read tells of directories that are watched from then on, and what came into them before is in the next
        for _ in 0..MOST_READS {
            let mut new = Subtree::default();
            let walked = walk(look.fs, &roots, look.walk, &Gather { fs: look.fs }, look.progress);
            if walked.stopped {
                return Again::Whole;
            }
            let mut numbers: Vec<Option<u32>> = Vec::with_capacity(walked.dirs.len());
            for node in &walked.dirs {
                let (folders, path) = match node.parent.map(|parent| numbers[parent as usize]) {
                    None => (folders.to_vec(), path.to_path_buf()),
                    Some(None) => {
                        numbers.push(None); // below something that the filter leaves out
                        continue;
                    }
                    Some(Some(parent)) => {
                        let parent = &new.dirs[parent as usize];
                        let mut folders = Vec::new();
                        below(&mut folders, &parent.folders, node.name.bytes());
                        let path = join(&parent.path, node.name.bytes());
                        if look.filter.leaves_out_directory(&folders) {
                            numbers.push(None);
                            continue;
                        }
                        (folders, path)
                    }
                };
                match node.state {
                    DirState::Read => {}
                    DirState::Failed(fault) if fault.kind() == FaultKind::NotFound => {
                        numbers.push(None);
                        continue;
                    }
                    _ => return Again::Whole,
                }
                if !watches.knows(&path) {
                    watches.came(&path);
                    new.unheard = true;
                }
                // OK to cast: directories are counted in u32 from the walk on
                numbers.push(Some(new.dirs.len() as u32));
                new.dirs.push(SourceDir {
                    root: above.root,
                    folders,
                    path,
                    id: node.id,
                    state: DirUse::Open,
                    rank: 0,
                });
            }
            if walked.locals.iter().any(|local| local.unclear) {
                return Again::Whole;
            }
            if new.unheard {
                continue;
            }
            // OK to cast: directories are counted in u32 from the walk on
            let base = (self.dirs.len() + found.dirs.len()) as u32;
            for (dir, name, id) in walked.locals.into_iter().flat_map(|local| local.files) {
                let Some(number) = numbers[dir as usize] else {
                    continue;
                };
                if takes(look.filter, &new.dirs[number as usize], name.bytes()) {
                    found.files.push(Fresh {
                        dir: base + number,
                        name: name.bytes().to_vec(),
                        id,
                    });
                }
            }
            found.dirs.append(&mut new.dirs);
            return Again::Done;
        }
        Again::Whole
    }

    /// Puts what was found in the place of what was known.
    fn take(&mut self, found: Found, by_path: &mut FxHashMap<PathBuf, u32>) {
        let old = self.dirs.len();
        let structural = !found.gone.is_empty() || !found.dirs.is_empty();
        let (mut files, mut dead) = (std::mem::take(&mut self.files), 0);
        let concerned: FxHashSet<u32> = found.touched.iter().map(|(dir, _)| *dir).collect();
        let mut key = (0, Vec::new());
        files.retain(|file| {
            if !concerned.contains(&file.dir) {
                return true;
            }
            key.0 = file.dir;
            key.1.clear();
            key.1.extend_from_slice(self.name(file));
            let stays = !found.touched.contains(&key);
            dead += if stays { 0 } else { usize::from(file.len) };
            stays
        });
        self.dirs.extend(found.dirs);
        if structural {
            let gone = found.gone;
            let stays: Vec<bool> = self
                .dirs
                .iter()
                .enumerate()
                .map(|(number, dir)| number >= old || !dir.path.ancestors().any(|above| gone.contains(above)))
                .collect();
            files.retain(|file| {
                let stays = stays[file.dir as usize];
                dead += if stays { 0 } else { usize::from(file.len) };
                stays
            });
            self.files = files;
            for fresh in found.files.iter().filter(|fresh| stays[fresh.dir as usize]) {
                self.add(fresh);
            }
            self.arrange(&stays);
            *by_path = self.by_path();
        } else {
            self.files = files;
            for fresh in &found.files {
                self.add(fresh);
            }
        }
        self.dead += dead;
        if self.dead > self.names.len() / 2 {
            self.pack();
        }
    }

    fn add(&mut self, fresh: &Fresh) {
        let start = self.names.len() as u64;
        self.names.extend_from_slice(&fresh.name);
        // OK to cast: no file system has names of 64 KiB (DirBatch::push)
        self.files.push(Wanted {
            id: fresh.id,
            dir: fresh.dir,
            start,
            len: fresh.name.len() as u16,
        });
    }

    /// Takes the directories that do not stay out and puts the others in path order.
    fn arrange(&mut self, stays: &[bool]) {
        let mut order: Vec<u32> = (0u32..)
            .take(self.dirs.len())
            .filter(|&dir| stays[dir as usize])
            .collect();
        order.sort_by(|&a, &b| {
            let (a, b) = (&self.dirs[a as usize], &self.dirs[b as usize]);
            a.root.cmp(&b.root).then_with(|| {
                a.folders
                    .split(|&byte| byte == b'/')
                    .cmp(b.folders.split(|&byte| byte == b'/'))
            })
        });
        let mut number = vec![u32::MAX; self.dirs.len()];
        let mut old: Vec<Option<SourceDir>> = std::mem::take(&mut self.dirs).into_iter().map(Some).collect();
        for (rank, &dir) in (0u32..).zip(&order) {
            number[dir as usize] = rank;
            if let Some(dir) = old[dir as usize].take() {
                self.dirs.push(SourceDir { rank, ..dir });
            }
        }
        for file in &mut self.files {
            file.dir = number[file.dir as usize];
        }
    }

    /// Forgets the bytes of names that are gone.
    fn pack(&mut self) {
        let mut names = Vec::with_capacity(self.names.len().saturating_sub(self.dead));
        let mut files = std::mem::take(&mut self.files);
        for file in &mut files {
            let start = names.len() as u64;
            names.extend_from_slice(self.name(file));
            file.start = start;
        }
        (self.names, self.files, self.dead) = (names, files, 0);
    }
}

/// A directory that is new, with all below it.
#[derive(Default)]
struct Subtree {
    dirs: Vec<SourceDir>,
    /// There were directories in it that nobody watched.
    unheard: bool,
}

/// Whether a file's name is polylink's own.
fn own(name: &[u8]) -> bool {
    name.starts_with(b".")
        && (is_ledger_name(name) || is_temporary_name(Name::new(name)) || is_part_name(Name::new(name)))
}

fn takes(filter: &Filter, dir: &SourceDir, name: &[u8]) -> bool {
    if filter.is_empty() {
        return true;
    }
    let mut path = Vec::new();
    below(&mut path, &dir.folders, name);
    filter.takes_file(&path)
}

#[derive(Default)]
struct Gathered {
    files: Vec<(u32, NameBuf, FileId)>,
    /// Something could not be looked at.
    unclear: bool,
}

struct Gather<'a> {
    fs: &'a dyn LinkFs,
}

impl Visitor for Gather<'_> {
    type Local = Gathered;

    fn local(&self) -> Gathered {
        Gathered::default()
    }

    fn batch(&self, local: &mut Gathered, dir: Visited<'_>, batch: &DirBatch) -> ControlFlow<()> {
        for entry in batch.iter() {
            match entry.kind {
                Kind::File if own(entry.name.bytes()) => {}
                Kind::File => match identify(self.fs, dir.dir, &entry, batch.ids()) {
                    Ok((id, _)) => local.files.push((dir.number, entry.name.to_buf(), id)),
                    Err(fault) if fault.kind() == FaultKind::NotFound => {}
                    Err(_) => local.unclear = true,
                },
                Kind::Unknown => match self.fs.stat(At::new(dir.dir, entry.name)) {
                    Err(fault) if fault.kind() == FaultKind::NotFound => {}
                    _ => local.unclear = true,
                },
                _ => {}
            }
        }
        ControlFlow::Continue(())
    }
}

impl ViewNames {
    /// Whether one of these names leads elsewhere than it did: then the view is read anew.
    pub(crate) fn differ(&self, fs: &dyn LinkFs, view: &Dir, touched: &FxHashSet<Vec<u8>>) -> bool {
        let mut known: FxHashMap<&[u8], (FileId, Kind)> = FxHashMap::default();
        for entry in &self.names {
            let name = self.name(entry);
            if touched.contains(name) {
                known.insert(name, (entry.id, entry.kind));
            }
        }
        touched.iter().any(|name| {
            let now = match fs.stat(At::new(view, Name::new(name))) {
                Ok(stat) => Some((stat.id, stat.kind)),
                Err(fault) if fault.kind() == FaultKind::NotFound => None,
                Err(_) => return true,
            };
            now != known.get(name.as_slice()).copied()
        })
    }
}
