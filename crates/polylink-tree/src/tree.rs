//! A tree as one walk saw it: directories in path order, the entries of each by name.

use std::num::NonZeroUsize;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};

use polylink_core::{
    Dir, DirBatch, DirIds, Fault, FaultKind, FileId, Kind, LinkFs, Name, NameBuf, PathError, Progress,
};
use polylink_walk::{DirState, Mounts, Options as WalkOptions, Root, Visited, Visitor, identify, walk};

/// Stands for no directory.
pub(crate) const NONE: u32 = u32::MAX;
/// Stands for a file that could not be looked at.
const UNKNOWN: u128 = u128::MAX;

/// A directory of a [`Tree`].
#[derive(Debug)]
pub(crate) struct TreeDir {
    /// The directory it lies in; [`NONE`] for the root.
    pub(crate) parent: u32,
    /// Its name in there; empty for the root.
    pub(crate) name: NameBuf,
    /// The directories below it are those from the next number up to this one.
    pub(crate) end: u32,
    /// Its entries, as indexes.
    pub(crate) entries: Range<usize>,
    /// What became of it.
    pub(crate) state: DirState,
}

/// A name in a [`Tree`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    name: usize,
    len: u16,
    /// What it points at.
    pub(crate) kind: Kind,
    id: u128,
    /// The directory behind it; [`NONE`] where it is not one.
    pub(crate) child: u32,
}

/// What one walk saw of a tree.
#[derive(Debug)]
pub(crate) struct Tree {
    /// The open root.
    pub(crate) root: Dir,
    /// Its path, for reports.
    pub(crate) path: PathBuf,
    /// The volume that all of it lies on.
    volume: u64,
    /// Every directory in path order: one before those below it, siblings by the bytes of their names.
    pub(crate) dirs: Vec<TreeDir>,
    entries: Vec<Entry>,
    names: Vec<u8>,
    /// Files that could not be looked at.
    pub(crate) faults: Vec<PathError>,
}

/// What one thread gathers.
#[derive(Default)]
struct Gathered {
    names: Vec<u8>,
    /// Directory and entry, the name counted from the start of `names`.
    items: Vec<(u32, Entry)>,
    faults: Vec<(u32, NameBuf, Fault)>,
}

struct Gatherer<'a> {
    fs: &'a dyn LinkFs,
}

impl Visitor for Gatherer<'_> {
    type Local = Gathered;

    fn local(&self) -> Gathered {
        Gathered::default()
    }

    fn batch(&self, local: &mut Gathered, dir: Visited<'_>, batch: &DirBatch) -> ControlFlow<()> {
        for entry in batch.iter() {
            let id = match (entry.kind, batch.ids()) {
                (Kind::Unknown, _) => continue, // it vanished
                // directories are told apart by their place; the entry of a mounted one has another's number
                (Kind::Directory, _) | (_, DirIds::Trusted) => entry.id.id,
                (_, ids) => match identify(self.fs, dir.dir, &entry, ids) {
                    Ok((id, _)) => id.id,
                    Err(fault) if fault.kind() == FaultKind::NotFound => continue,
                    Err(fault) => {
                        local.faults.push((dir.number, entry.name.to_buf(), fault));
                        UNKNOWN
                    }
                },
            };
            let bytes = entry.name.bytes();
            let item = Entry {
                name: local.names.len(),
                // OK to cast: a batch holds no longer names
                len: bytes.len() as u16,
                kind: entry.kind,
                id,
                child: NONE,
            };
            local.names.extend_from_slice(bytes);
            local.items.push((dir.number, item));
        }
        ControlFlow::Continue(())
    }
}

/// Which tree to read.
pub(crate) struct Wanted<'a> {
    /// Its open root.
    pub(crate) root: Dir,
    /// The path of the root, for reports.
    pub(crate) path: &'a Path,
    /// Directories that are not entered.
    pub(crate) leave_out: Vec<FileId>,
    /// Threads; by default as many as the machine has, at most eight.
    pub(crate) threads: Option<NonZeroUsize>,
}

impl Tree {
    /// Reads all of it but other file systems; `None` where the user wanted it to stop.
    pub(crate) fn read(fs: &dyn LinkFs, wanted: Wanted<'_>, progress: &dyn Progress) -> Option<Self> {
        let volume = fs.stat_dir(&wanted.root).map_or(0, |stat| stat.id.volume);
        let roots = [Root {
            dir: wanted.root,
            path: wanted.path.to_path_buf(),
        }];
        let options = WalkOptions {
            threads: wanted.threads,
            mounts: Mounts::Stay,
            leave_out: wanted.leave_out,
        };
        let walked = walk(fs, &roots, &options, &Gatherer { fs }, progress);
        if walked.stopped || progress.cancelled() {
            return None;
        }
        let ranks = walked.ranks();
        let mut faults: Vec<PathError> = Vec::new();
        for (number, name, fault) in walked.locals.iter().flat_map(|local| &local.faults) {
            faults.push(PathError {
                action: "look at",
                path: join(&walked.path(&roots, *number), name.name()),
                to: None,
                fault: *fault,
            });
        }
        faults.sort_by(|a, b| a.path.cmp(&b.path));
        let [root] = roots;
        let mut tree = Self {
            root: root.dir,
            path: root.path,
            volume,
            dirs: Vec::with_capacity(walked.dirs.len()),
            entries: Vec::new(),
            names: Vec::new(),
            faults,
        };
        let mut by_rank: Vec<u32> = vec![0; ranks.len()];
        for (number, &rank) in (0u32..).zip(&ranks) {
            by_rank[rank as usize] = number;
        }
        for &number in &by_rank {
            let node = &walked.dirs[number as usize];
            tree.dirs.push(TreeDir {
                parent: node.parent.map_or(NONE, |parent| ranks[parent as usize]),
                name: node.name.clone(),
                end: 0,
                entries: 0..0,
                state: node.state,
            });
        }
        tree.close_subtrees();
        tree.sort_in(walked.locals, &ranks);
        tree.find_children();
        Some(tree)
    }

    /// Each directory's subtree is a stretch of the path order.
    fn close_subtrees(&mut self) {
        for number in (0..self.dirs.len()).rev() {
            // OK to cast: directories are counted in u32 from the walk on
            let end = self.dirs[number].end.max(number as u32 + 1);
            self.dirs[number].end = end;
            let parent = self.dirs[number].parent;
            if let Some(parent) = self.dirs.get_mut(parent as usize) {
                parent.end = parent.end.max(end);
            }
        }
    }

    /// Puts the entries of all threads into the order of directories and names.
    fn sort_in(&mut self, locals: Vec<Gathered>, ranks: &[u32]) {
        let mut starts = vec![0; self.dirs.len() + 1];
        for (number, _) in locals.iter().flat_map(|local| &local.items) {
            starts[ranks[*number as usize] as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        for (dir, range) in self.dirs.iter_mut().zip(starts.windows(2)) {
            dir.entries = range[0]..range[1];
        }
        let total = starts.last().copied().unwrap_or(0);
        let empty = Entry {
            name: 0,
            len: 0,
            kind: Kind::Unknown,
            id: UNKNOWN,
            child: NONE,
        };
        self.entries = vec![empty; total];
        for local in locals {
            let base = self.names.len();
            self.names.extend_from_slice(&local.names);
            for (number, mut entry) in local.items {
                let next = &mut starts[ranks[number as usize] as usize];
                entry.name += base;
                self.entries[*next] = entry;
                *next += 1;
            }
        }
        let names = &self.names;
        for dir in &self.dirs {
            self.entries[dir.entries.clone()].sort_unstable_by(|a, b| {
                names[a.name..a.name + usize::from(a.len)].cmp(&names[b.name..b.name + usize::from(b.len)])
            });
        }
    }

    fn find_children(&mut self) {
        for number in 1..self.dirs.len() {
            let dir = &self.dirs[number];
            if let Some(at) = self.find(dir.parent, dir.name.name()) {
                // OK to cast: directories are counted in u32 from the walk on
                self.entries[at].child = number as u32;
            }
        }
    }

    /// The entry of this name in a directory.
    pub(crate) fn find(&self, dir: u32, name: Name<'_>) -> Option<usize> {
        let range = self.dirs[dir as usize].entries.clone();
        let found = self.entries[range.clone()].binary_search_by(|entry| self.name(entry).cmp(&name));
        found.ok().map(|at| range.start + at)
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// An entry by its index.
    pub(crate) fn entry(&self, at: usize) -> &Entry {
        &self.entries[at]
    }

    /// The name of an entry of this tree.
    pub(crate) fn name(&self, entry: &Entry) -> Name<'_> {
        Name::new(&self.names[entry.name..entry.name + usize::from(entry.len)])
    }

    /// The file behind an entry that is no directory; `None` where it could not be looked at.
    pub(crate) fn id(&self, entry: &Entry) -> Option<FileId> {
        (entry.id != UNKNOWN).then_some(FileId {
            volume: self.volume,
            id: entry.id,
        })
    }

    /// A directory's path below the root.
    pub(crate) fn relative(&self, dir: u32) -> PathBuf {
        let mut names = Vec::new();
        let mut at = dir;
        while let Some(node) = self.dirs.get(at as usize).filter(|node| node.parent != NONE) {
            names.push(node.name.name());
            at = node.parent;
        }
        names
            .into_iter()
            .rev()
            .fold(PathBuf::new(), |path, name| join(&path, name))
    }

    /// A directory's path.
    pub(crate) fn dir_path(&self, dir: u32) -> PathBuf {
        if dir == 0 {
            return self.path.clone();
        }
        self.path.join(self.relative(dir))
    }

    /// The path of an entry of the directory `dir`.
    pub(crate) fn entry_path(&self, dir: u32, at: usize) -> PathBuf {
        join(&self.dir_path(dir), self.name(self.entry(at)))
    }

    /// A name's path below the root as bytes, with `/` between the names: the same on every system.
    pub(crate) fn key(&self, dir: u32, at: usize) -> Vec<u8> {
        let mut names = vec![self.name(self.entry(at)).bytes()];
        let mut above = dir;
        while let Some(node) = self.dirs.get(above as usize).filter(|node| node.parent != NONE) {
            names.push(node.name.bytes());
            above = node.parent;
        }
        names.reverse();
        names.join(&b'/')
    }

    /// Directories that could not be read, and those where another file system begins.
    pub(crate) fn gaps(&self) -> Gaps {
        let mut gaps = Gaps::default();
        for (number, dir) in (0u32..).zip(&self.dirs) {
            match dir.state {
                DirState::Failed(fault) => gaps.unreadable.push(PathError {
                    action: "read",
                    path: self.dir_path(number),
                    to: None,
                    fault,
                }),
                DirState::OtherMount => gaps.other_mounts.push(self.dir_path(number)),
                _ => {}
            }
        }
        gaps
    }
}

/// Parts of a tree that were not seen.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    pub(crate) unreadable: Vec<PathError>,
    pub(crate) other_mounts: Vec<PathBuf>,
}

/// A path with one more name; a name that is no path of this platform is left out, for it is only shown.
pub(crate) fn join(dir: &Path, name: Name<'_>) -> PathBuf {
    name.to_os()
        .map_or_else(|| dir.to_path_buf(), |name| dir.join(name))
}
