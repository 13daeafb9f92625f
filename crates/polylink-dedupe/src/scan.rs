//! What there is below the paths: files, each with the names that it has there.

use std::ops::ControlFlow;
use std::path::PathBuf;

use polylink_core::{
    At, DirBatch, DirIds, FaultKind, FileFs, FileId, Kind, Name, NameBuf, PathError, Progress,
    ResultExt as _, Stat, is_part_name, is_temporary_name,
};
use polylink_walk::{
    DirNode, DirState, Filter, Options as WalkOptions, Target, Visited, Visitor, Walked, walk,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::places::{Place, Places};

/// A file as it was when it was met.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) stat: Stat,
    /// Links to it that a run which was killed left: they go before anything else.
    pub(crate) temporary: u64,
}

impl Seen {
    /// The file as a run finds it that has removed those temporary names, which changes it.
    pub(crate) fn settled(&self) -> Stat {
        Stat {
            changed: self.stat.changed.filter(|_| self.temporary == 0),
            ..self.stat
        }
    }

    /// All its names but temporary ones.
    pub(crate) fn links(&self) -> u64 {
        self.stat.links.saturating_sub(self.temporary)
    }
}

/// One name of a file.
#[derive(Clone, Debug)]
pub(crate) struct NameOf {
    /// Which of [`Scan::files`].
    pub(crate) file: u32,
    /// Which of [`Scan::places`] it lies in.
    pub(crate) dir: u32,
    pub(crate) name: NameBuf,
}

/// What was met, in numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Scanned {
    /// Names of files that were taken.
    pub names: u64,
    /// Files that they lead to.
    pub files: u64,
    /// Length of these files in bytes, each counted once.
    pub bytes: u64,
    /// Directories that were read.
    pub directories: u64,
    /// Symbolic links, which are not followed.
    pub symlinks: u64,
    /// Devices, pipes, sockets, which are not touched.
    pub special: u64,
    /// Names of files that are smaller than asked for.
    pub small: u64,
    /// Names left out by patterns.
    pub filtered: u64,
    /// Names of polylink's own.
    pub own: u64,
    /// Names that went away meanwhile.
    pub vanished: u64,
}

/// What a scan found.
pub(crate) struct Scan {
    pub(crate) places: Places,
    pub(crate) files: Vec<Seen>,
    pub(crate) names: Vec<NameOf>,
    /// Directory and name of links that a killed run left.
    pub(crate) leftovers: Vec<(u32, NameBuf)>,
    /// Directory and name of unfinished copies.
    pub(crate) parts: Vec<(u32, NameBuf)>,
    pub(crate) counts: Scanned,
    pub(crate) other_mounts: Vec<PathBuf>,
    pub(crate) problems: Vec<PathError>,
    pub(crate) stopped: bool,
}

/// The same file by two mounts cannot get names from one to the other.
type Key = (FileId, Option<u64>);

#[derive(Default)]
struct Local {
    files: FxHashMap<Key, u32>,
    /// Where directories tell ids: the mount is that of the directory then.
    known: FxHashMap<(FileId, u32), u32>,
    seen: Vec<Seen>,
    names: Vec<NameOf>,
    leftovers: Vec<(u32, NameBuf, u32)>,
    parts: Vec<(u32, NameBuf)>,
    counts: Scanned,
    problems: Vec<(u32, NameBuf, polylink_core::Fault)>,
}

impl Local {
    fn file(&mut self, stat: Stat) -> u32 {
        let new = self.seen.len() as u32;
        // a file of one name is not met again
        let file = if stat.links > 1 {
            *self.files.entry((stat.id, stat.mount)).or_insert(new)
        } else {
            new
        };
        if file == new {
            self.seen.push(Seen { stat, temporary: 0 });
        }
        file
    }
}

struct Gather<'a> {
    fs: &'a dyn FileFs,
    min_size: u64,
}

impl Visitor for Gather<'_> {
    type Local = Local;

    fn local(&self) -> Local {
        Local::default()
    }

    fn batch(&self, local: &mut Local, dir: Visited<'_>, batch: &DirBatch) -> ControlFlow<()> {
        let trusted = batch.ids() == DirIds::Trusted;
        for entry in batch.iter() {
            match entry.kind {
                Kind::Directory => continue,
                Kind::Symlink => {
                    local.counts.symlinks += 1;
                    continue;
                }
                Kind::Special => {
                    local.counts.special += 1;
                    continue;
                }
                Kind::File | Kind::Unknown => {}
            }
            if is_ledger_name(entry.name) || is_part_name(entry.name) {
                local.counts.own += 1;
                if entry.kind == Kind::File && is_part_name(entry.name) {
                    local.parts.push((dir.number, entry.name.to_buf()));
                }
                continue;
            }
            let temporary = is_temporary_name(entry.name);
            // below one root everything is on one mount
            if let Some(&file) = local.known.get(&(entry.id, dir.root))
                && trusted
                && !temporary
            {
                local.names.push(NameOf {
                    file,
                    dir: dir.number,
                    name: entry.name.to_buf(),
                });
                continue;
            }
            let stat = match self.fs.stat(At::new(dir.dir, entry.name)) {
                Ok(stat) => stat,
                Err(fault) if matches!(fault.kind(), FaultKind::NotFound | FaultKind::Stale) => {
                    local.counts.vanished += 1;
                    continue;
                }
                Err(fault) => {
                    local.problems.push((dir.number, entry.name.to_buf(), fault));
                    continue;
                }
            };
            match stat.kind {
                Kind::File => {}
                Kind::Symlink => {
                    local.counts.symlinks += 1;
                    continue;
                }
                Kind::Special => {
                    local.counts.special += 1;
                    continue;
                }
                Kind::Directory | Kind::Unknown => {
                    local.counts.vanished += 1;
                    continue;
                }
            }
            // a file of another volume under a name of this one is mounted there, and cannot get names here
            if temporary {
                local.counts.own += 1;
                if stat.links > 1 {
                    let file = local.file(stat);
                    local.leftovers.push((dir.number, entry.name.to_buf(), file));
                }
                continue;
            }
            if stat.size < self.min_size {
                local.counts.small += 1;
                continue;
            }
            let file = local.file(stat);
            if trusted && stat.links > 1 {
                local.known.insert((entry.id, dir.root), file);
            }
            local.names.push(NameOf {
                file,
                dir: dir.number,
                name: entry.name.to_buf(),
            });
        }
        ControlFlow::Continue(())
    }
}

/// Whether a name is that of the ledger of a view: two that are equal today are written apart tomorrow.
fn is_ledger_name(name: Name<'_>) -> bool {
    let bytes = name.bytes();
    bytes.starts_with(b".") && (bytes.ends_with(b".polylink") || bytes.ends_with(b".polylink.new"))
}

/// Reads all that the user named.
pub(crate) fn scan(
    fs: &dyn FileFs,
    targets: &[Target],
    min_size: u64,
    filter: &Filter,
    options: &WalkOptions,
    progress: &dyn Progress,
) -> Scan {
    let (mut roots, mut arguments) = (Vec::new(), Vec::new());
    for (number, target) in targets.iter().enumerate() {
        if let Target::Dir(root) = target {
            roots.push(root.clone());
            arguments.push(number);
        }
    }
    let walked = walk(fs, &roots, options, &Gather { fs, min_size }, progress);
    let mut scan = Scan {
        places: places(&walked, &roots, &arguments),
        files: Vec::new(),
        names: Vec::new(),
        leftovers: Vec::new(),
        parts: Vec::new(),
        counts: Scanned::default(),
        other_mounts: Vec::new(),
        problems: Vec::new(),
        stopped: walked.stopped,
    };
    let folders = folders(&walked);
    let repeated = repeated(&walked, &scan.places);
    let mut excluded = vec![false; walked.dirs.len()];
    for (number, node) in (0_u32..).zip(&walked.dirs) {
        let at = number as usize;
        if let Some(parent) = node.parent {
            excluded[at] = excluded[parent as usize]
                || (!filter.is_empty() && filter.leaves_out_directory(&folders[at]));
        }
        if excluded[at] || repeated[at] {
            continue;
        }
        match node.state {
            DirState::Read => scan.counts.directories += 1,
            DirState::LeftOut | DirState::Loop => {}
            DirState::OtherMount => scan.other_mounts.push(scan.places.path(number)),
            DirState::NotReached => {}
            DirState::Failed(fault) if node.parent.is_some() && fault.kind() == FaultKind::NotFound => {}
            DirState::Failed(fault) => scan.problems.push(PathError {
                action: "read",
                path: scan.places.path(number),
                to: None,
                fault,
            }),
        }
    }
    let mut files = FxHashMap::default();
    for local in walked.locals {
        scan.merge(local, &mut files, filter, &folders, |dir| {
            excluded[dir as usize] || repeated[dir as usize]
        });
    }
    scan.add_arguments(fs, targets, min_size, &walked.dirs, &mut files);
    scan.finish();
    scan
}

/// The directories of a walk, those below each argument in path order.
fn places<L>(walked: &Walked<L>, roots: &[polylink_walk::Root], arguments: &[usize]) -> Places {
    let ranks = walked.ranks();
    Places(
        walked
            .dirs
            .iter()
            .zip(ranks)
            .map(|(node, rank)| Place {
                parent: node.parent,
                name: node.name.clone(),
                root: match node.parent {
                    Some(_) => None,
                    None => roots
                        .get(node.root as usize)
                        .map(|root| (root.dir.clone(), root.path.clone())),
                },
                order: order(arguments.get(node.root as usize).copied().unwrap_or(0), rank),
            })
            .collect(),
    )
}

/// Arguments in the order in which they were given, directories below them by their rank.
fn order(argument: usize, rank: u32) -> u64 {
    (argument as u64) << 32 | u64::from(rank)
}

/// The names of the folders from its root to each directory, joined by slashes.
fn folders<L>(walked: &Walked<L>) -> Vec<Vec<u8>> {
    let mut folders: Vec<Vec<u8>> = Vec::with_capacity(walked.dirs.len());
    for node in &walked.dirs {
        // a parent has a smaller number than its children
        let path = match node.parent {
            Some(parent) => below(&folders[parent as usize], node.name.name()),
            None => Vec::new(),
        };
        folders.push(path);
    }
    folders
}

fn below(folders: &[u8], name: Name<'_>) -> Vec<u8> {
    let mut path = folders.to_vec();
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name.bytes());
    path
}

/// Directories that were met before: arguments that lie in each other, mounts of one directory in two places.
fn repeated<L>(walked: &Walked<L>, places: &Places) -> Vec<bool> {
    let mut first: FxHashMap<FileId, u32> = FxHashMap::default();
    for (number, node) in (0_u32..).zip(&walked.dirs) {
        if let (Some(id), DirState::Read) = (node.id, node.state) {
            let known = first.entry(id).or_insert(number);
            if places.0[number as usize].order < places.0[*known as usize].order {
                *known = number;
            }
        }
    }
    (0_u32..)
        .zip(&walked.dirs)
        .map(|(number, node)| {
            node.id
                .and_then(|id| first.get(&id))
                .is_some_and(|&known| known != number && node.state == DirState::Read)
        })
        .collect()
}

impl Scan {
    fn merge(
        &mut self,
        local: Local,
        files: &mut FxHashMap<Key, u32>,
        filter: &Filter,
        folders: &[Vec<u8>],
        out: impl Fn(u32) -> bool,
    ) {
        let Scanned {
            symlinks,
            special,
            small,
            own,
            vanished,
            ..
        } = local.counts;
        self.counts.symlinks += symlinks;
        self.counts.special += special;
        self.counts.small += small;
        self.counts.own += own;
        self.counts.vanished += vanished;
        let mut numbers = Vec::with_capacity(local.seen.len());
        for seen in local.seen {
            numbers.push(self.file(seen, files));
        }
        for (dir, name, file) in local.leftovers {
            if !out(dir) {
                self.files[numbers[file as usize] as usize].temporary += 1;
                self.leftovers.push((dir, name));
            }
        }
        self.parts
            .extend(local.parts.into_iter().filter(|(dir, _)| !out(*dir)));
        for (dir, name, fault) in local.problems {
            if !out(dir) {
                self.problems.push(PathError {
                    action: "look at",
                    path: self.places.path_of(dir, name.name()),
                    to: None,
                    fault,
                });
            }
        }
        for name in local.names {
            if out(name.dir) {
                continue;
            }
            if !filter.is_empty() && !filter.takes_file(&below(&folders[name.dir as usize], name.name.name()))
            {
                self.counts.filtered += 1;
                continue;
            }
            self.names.push(NameOf {
                file: numbers[name.file as usize],
                ..name
            });
        }
    }

    fn file(&mut self, seen: Seen, files: &mut FxHashMap<Key, u32>) -> u32 {
        let new = self.files.len() as u32;
        let file = if seen.stat.links > 1 {
            *files.entry((seen.stat.id, seen.stat.mount)).or_insert(new)
        } else {
            new
        };
        if file == new {
            self.files.push(seen);
        }
        file
    }

    /// Adds the files that were named themselves, each name once.
    fn add_arguments(
        &mut self,
        fs: &dyn FileFs,
        targets: &[Target],
        min_size: u64,
        dirs: &[DirNode],
        files: &mut FxHashMap<Key, u32>,
    ) {
        if !targets.iter().any(|target| matches!(target, Target::File { .. })) {
            return;
        }
        let mut met: FxHashSet<(FileId, NameBuf)> = self
            .names
            .iter()
            .filter_map(|name| Some((dirs[name.dir as usize].id?, name.name.clone())))
            .collect();
        for (number, target) in targets.iter().enumerate() {
            let Target::File { dir, name, path } = target else {
                continue;
            };
            let looked = fs
                .stat(At::new(dir, name.name()))
                .and_then(|stat| Ok((stat, fs.stat_dir(dir)?.id)));
            let (stat, dir_id) = match looked.at("look at", path) {
                Ok(looked) => looked,
                Err(problem) => {
                    self.problems.push(problem);
                    continue;
                }
            };
            match stat.kind {
                Kind::Symlink => self.counts.symlinks += 1,
                Kind::Special => self.counts.special += 1,
                Kind::Directory | Kind::Unknown => self.counts.vanished += 1,
                Kind::File if stat.size < min_size => self.counts.small += 1,
                Kind::File => {
                    if !met.insert((dir_id, name.clone())) {
                        continue;
                    }
                    let file = self.file(Seen { stat, temporary: 0 }, files);
                    let parent = match path.parent() {
                        Some(parent) if !parent.as_os_str().is_empty() => parent.into(),
                        _ => PathBuf::from("."),
                    };
                    self.names.push(NameOf {
                        file,
                        dir: self.places.0.len() as u32,
                        name: name.clone(),
                    });
                    self.places.0.push(Place {
                        parent: None,
                        name: NameBuf::from(""),
                        root: Some((dir.clone(), parent)),
                        order: order(number, 0),
                    });
                }
            }
        }
    }

    /// Puts all into an order that does not depend on the threads, and forgets files without a name here.
    fn finish(&mut self) {
        let places = &self.places.0;
        let by_order = |a: &(u32, &NameBuf), b: &(u32, &NameBuf)| {
            (places[a.0 as usize].order, a.1).cmp(&(places[b.0 as usize].order, b.1))
        };
        self.names
            .sort_unstable_by(|a, b| by_order(&(a.dir, &a.name), &(b.dir, &b.name)));
        self.parts
            .sort_unstable_by(|a, b| by_order(&(a.0, &a.1), &(b.0, &b.1)));
        self.leftovers
            .sort_unstable_by(|a, b| by_order(&(a.0, &a.1), &(b.0, &b.1)));
        self.problems.sort_by(|a, b| a.path.cmp(&b.path));
        self.other_mounts.sort();
        // files in the order of their first names, those without a name here last
        let mut numbers = vec![u32::MAX; self.files.len()];
        let mut next = 0;
        for name in &mut self.names {
            let number = &mut numbers[name.file as usize];
            if *number == u32::MAX {
                *number = next;
                next += 1;
            }
            name.file = *number;
        }
        let named = next;
        for number in numbers.iter_mut().filter(|number| **number == u32::MAX) {
            *number = next;
            next += 1;
        }
        for at in 0..numbers.len() {
            while numbers[at] as usize != at {
                let to = numbers[at] as usize;
                self.files.swap(at, to);
                numbers.swap(at, to);
            }
        }
        self.files.truncate(named as usize);
        self.counts.names = self.names.len() as u64;
        self.counts.files = self.files.len() as u64;
        self.counts.bytes = self
            .files
            .iter()
            .fold(0, |sum, file| sum.saturating_add(file.stat.size));
    }
}
