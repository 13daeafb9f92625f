//! What a volume must hold: a tree kept in memory, and random operations on it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::ops::Bound;
use std::path::{Path, PathBuf};

use crate::judges::kill::Random;

/// What a path leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Node {
    Directory,
    File(usize),
}

/// A file: its content, and how many names it has.
#[derive(Clone, Default, Debug)]
pub(crate) struct File {
    pub(crate) content: Vec<u8>,
    pub(crate) links: u64,
    /// Who made it longer without writing it, where anybody did.
    pub(crate) grown: BTreeSet<Doer>,
}

/// One operation; paths are those inside the volume and begin with `/`.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Create {
        path: PathBuf,
        size: usize,
        seed: usize,
    },
    Write {
        path: PathBuf,
        offset: usize,
        size: usize,
        seed: usize,
    },
    Resize {
        path: PathBuf,
        size: usize,
    },
    MakeDirectory(PathBuf),
    Link(PathBuf, PathBuf),
    /// To a name that is free, or to one that makes it fail.
    Rename(PathBuf, PathBuf),
    /// To a name that another file has.
    Replace(PathBuf, PathBuf),
    Remove(PathBuf),
    RemoveDirectory(PathBuf),
}

/// How an operation must end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    Done,
    Exists,
    Missing,
    NotEmpty,
    TooManyLinks,
}

/// Who does the operations of a turn.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub(crate) enum Doer {
    #[default]
    Polylink,
    /// Gives as many names as the count of a record can tell.
    Ntfs3g,
    Ntfs3,
}

impl Doer {
    /// The names that a link may be the last of.
    fn most_links(self) -> u64 {
        match self {
            // NT's limit, which Linux's ntfs3 has as well
            Self::Polylink | Self::Ntfs3 => 1024,
            Self::Ntfs3g => u64::from(u16::MAX),
        }
    }

    /// Whether it looks at the limit before it looks whether the new name is free, as NT does ([MS-FSA] 2.1.5.15.6).
    fn counts_first(self) -> bool {
        self == Self::Polylink
    }
}

/// The content with a seed: the byte at place P is (P + SEED) modulo 251.
pub(crate) fn content(offset: usize, size: usize, seed: usize) -> Vec<u8> {
    (offset..offset + size)
        .map(|place| ((place + seed) % 251) as u8)
        .collect()
}

/// A tree, and what has happened to it.
#[derive(Clone, Default, Debug)]
pub(crate) struct Model {
    pub(crate) tree: BTreeMap<PathBuf, Node>,
    pub(crate) files: Vec<File>,
    /// Who does what is done next.
    pub(crate) doer: Doer,
    /// Files whose content changed since somebody looked.
    pub(crate) changed: BTreeSet<usize>,
    /// Every name that was ever given to a file, without its directory.
    given: BTreeSet<OsString>,
}

impl Model {
    pub(crate) fn names_of(&self) -> BTreeMap<usize, Vec<&Path>> {
        let mut names: BTreeMap<usize, Vec<&Path>> = BTreeMap::new();
        for (path, node) in &self.tree {
            if let Node::File(file) = node {
                names.entry(*file).or_default().push(path);
            }
        }
        names
    }

    fn below(&self, directory: &Path) -> Vec<PathBuf> {
        let paths = self
            .tree
            .range::<Path, _>((Bound::Included(directory), Bound::Unbounded))
            .map(|(path, _)| path);
        let inside = paths.take_while(|path| path.starts_with(directory));
        inside.filter(|path| *path != directory).cloned().collect()
    }

    fn file(&self, path: &Path) -> Option<usize> {
        match self.tree.get(path) {
            Some(Node::File(file)) => Some(*file),
            _ => None,
        }
    }

    /// How many names the file with this one has; 0 for what is no file.
    pub(crate) fn links(&self, path: &Path) -> u64 {
        self.file(path).map_or(0, |file| self.files[file].links)
    }

    /// Who made the file with this name longer without writing it.
    pub(crate) fn grown_by(&self, path: &Path) -> Option<&BTreeSet<Doer>> {
        self.file(path).map(|file| &self.files[file].grown)
    }

    fn add(&mut self, path: &Path, file: usize) {
        self.files[file].links += 1;
        self.given.extend(path.file_name().map(OsStr::to_os_string));
        self.tree.insert(path.to_path_buf(), Node::File(file));
    }

    fn remove(&mut self, path: &Path, file: usize) {
        self.files[file].links -= 1;
        self.tree.remove(path);
    }

    /// Whether a file or a directory had the name at some time, in whichever directory.
    pub(crate) fn was_given(&self, path: &Path) -> bool {
        path.file_name().is_some_and(|name| self.given.contains(name))
    }

    /// Does an operation, or says how it fails.
    pub(crate) fn apply(&mut self, operation: &Operation) -> Outcome {
        let taken = |path: &Path| self.tree.contains_key(path);
        match operation {
            Operation::Create { path, .. } | Operation::MakeDirectory(path) if taken(path) => Outcome::Exists,
            Operation::Create { path, size, seed } => {
                let file = self.files.len();
                self.files.push(File {
                    content: content(0, *size, *seed),
                    links: 0,
                    grown: BTreeSet::new(),
                });
                self.add(path, file);
                self.changed.insert(file);
                Outcome::Done
            }
            Operation::MakeDirectory(path) => {
                self.tree.insert(path.clone(), Node::Directory);
                self.given.extend(path.file_name().map(OsStr::to_os_string));
                Outcome::Done
            }
            Operation::Write {
                path,
                offset,
                size,
                seed,
            } => {
                let Some(file) = self.file(path) else {
                    return Outcome::Missing;
                };
                let bytes = &mut self.files[file].content;
                bytes.resize(bytes.len().max(offset + size), 0);
                bytes[*offset..offset + size].copy_from_slice(&content(*offset, *size, *seed));
                self.changed.insert(file);
                Outcome::Done
            }
            Operation::Resize { path, size } => {
                let Some(file) = self.file(path) else {
                    return Outcome::Missing;
                };
                let bytes = &mut self.files[file].content;
                let is_longer = *size > bytes.len();
                bytes.resize(*size, 0);
                if is_longer {
                    self.files[file].grown.insert(self.doer);
                }
                self.changed.insert(file);
                Outcome::Done
            }
            Operation::Link(existing, new) => {
                let Some(file) = self.file(existing) else {
                    return Outcome::Missing;
                };
                let is_full = self.files[file].links >= self.doer.most_links();
                match (is_full, taken(new)) {
                    (true, true) if self.doer.counts_first() => Outcome::TooManyLinks,
                    (_, true) => Outcome::Exists,
                    (true, false) => Outcome::TooManyLinks,
                    (false, false) => {
                        self.add(new, file);
                        Outcome::Done
                    }
                }
            }
            Operation::Rename(old, new) => self.rename(old, new),
            Operation::Replace(old, new) => match (self.file(old), self.file(new)) {
                (Some(file), Some(victim)) => {
                    self.remove(new, victim);
                    self.remove(old, file);
                    self.add(new, file);
                    Outcome::Done
                }
                _ => Outcome::Missing,
            },
            Operation::Remove(path) => match self.file(path) {
                None => Outcome::Missing,
                Some(file) => {
                    self.remove(path, file);
                    Outcome::Done
                }
            },
            Operation::RemoveDirectory(path) => {
                if !taken(path) {
                    return Outcome::Missing;
                }
                if !self.below(path).is_empty() {
                    return Outcome::NotEmpty;
                }
                self.tree.remove(path);
                Outcome::Done
            }
        }
    }

    fn rename(&mut self, old: &Path, new: &Path) -> Outcome {
        let Some(node) = self.tree.get(old).copied() else {
            return Outcome::Missing;
        };
        if self.tree.contains_key(new) {
            return Outcome::Exists;
        }
        let mut moved = vec![(new.to_path_buf(), node)];
        if node == Node::Directory {
            for path in self.below(old) {
                let below = path.strip_prefix(old).unwrap_or(&path);
                if let Some(node) = self.tree.remove(&path) {
                    moved.push((new.join(below), node));
                }
            }
        }
        self.tree.remove(old);
        self.given.extend(new.file_name().map(OsStr::to_os_string));
        self.tree.extend(moved);
        Outcome::Done
    }
}

/// What many operations in a row do.
#[derive(Debug)]
enum Burst {
    /// New files in one directory.
    Fill(PathBuf),
    /// Names of one file in one directory.
    Names(PathBuf, PathBuf),
    /// Removes names of one directory, whichever.
    Thin(PathBuf),
}

/// Chooses operations.
pub(crate) struct Choice {
    random: Random,
    serial: usize,
    burst: Option<(Burst, usize)>,
    /// Paths to choose from; some are gone by now.
    files: Vec<PathBuf>,
    directories: Vec<PathBuf>,
}

/// Directories do not lie deeper, so that every path is one that the kernel takes.
const DEPTH: usize = 4;

impl Choice {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            serial: 0,
            burst: None,
            files: Vec::new(),
            directories: vec![PathBuf::from("/")],
        }
    }

    /// Takes what is there to choose from later.
    pub(crate) fn look_at(&mut self, model: &Model) {
        self.files.clear();
        self.directories.truncate(1);
        for (path, node) in &model.tree {
            match node {
                Node::Directory => self.directories.push(path.clone()),
                Node::File(_) => self.files.push(path.clone()),
            }
        }
    }

    fn file(&mut self, model: &Model) -> Option<PathBuf> {
        for _ in 0..8 {
            let at = self.random.below(self.files.len());
            let path = self.files.get(at)?;
            if model.file(path).is_some() {
                return Some(path.clone());
            }
            self.files.swap_remove(at);
        }
        None
    }

    fn directory(&mut self, model: &Model) -> PathBuf {
        for _ in 0..8 {
            let at = self.random.below(self.directories.len());
            let path = &self.directories[at];
            if at == 0 || model.tree.get(path) == Some(&Node::Directory) {
                return path.clone();
            }
            self.directories.swap_remove(at);
        }
        PathBuf::from("/")
    }

    /// A name that nothing has, or one that was given before.
    fn name(&mut self) -> String {
        let at = if self.random.below(12) == 0 {
            self.random.below(self.serial)
        } else {
            self.serial += 1;
            self.serial
        };
        // the number decides everything else, so that names are equal or differ in more than case
        match at % 9 {
            0 | 1 => format!("a file with number {at}.txt"),
            2 => format!("Übergröße {at}.däß"),
            3 => format!("n{at}"),
            4 => format!("S{at}.TXT"),
            5 => format!("日本語 {at} 🔥"),
            6 => format!("UPPER lower {at}.tar.gz"),
            7 => {
                let head = format!("long {at} ");
                let rest = 255 - head.len();
                head + &["l", "ö", "Ж"][at / 9 % 3].repeat(rest)
            }
            _ => format!("q{at}{}", "-".repeat(at % 120)),
        }
    }

    fn short(&mut self) -> String {
        self.serial += 1;
        format!("directory {}", self.serial)
    }

    fn new_path(&mut self, model: &Model) -> PathBuf {
        let directory = self.directory(model);
        let path = directory.join(self.name());
        self.files.push(path.clone());
        path
    }

    fn size(&mut self) -> usize {
        match self.random.below(12) {
            0 | 1 => 0,
            2..=6 => self.random.below(600),
            7..=9 => self.random.below(5000),
            10 => self.random.below(40_000),
            _ => self.random.below(200_000),
        }
    }

    fn create(&mut self, path: PathBuf) -> Operation {
        let (size, seed) = (self.size(), self.random.below(251));
        Operation::Create { path, size, seed }
    }

    /// Next of a burst, where one is going on and not at its end.
    fn of_burst(&mut self, model: &Model) -> Option<Operation> {
        let (burst, left) = self.burst.take()?;
        let operation = match &burst {
            Burst::Fill(directory) => {
                let path = directory.join(self.name());
                self.files.push(path.clone());
                let size = self.random.below(40);
                Operation::Create {
                    path,
                    size,
                    seed: left,
                }
            }
            Burst::Names(file, directory) => {
                model.file(file)?;
                let new = directory.join(self.name());
                self.files.push(new.clone());
                Operation::Link(file.clone(), new)
            }
            Burst::Thin(directory) => {
                let at = self.random.below(self.files.len());
                let inside = (at..self.files.len().min(at + 300)).find(|at| {
                    let path = &self.files[*at];
                    path.parent() == Some(directory) && model.file(path).is_some()
                })?;
                Operation::Remove(self.files.swap_remove(inside))
            }
        };
        let alive = match &burst {
            Burst::Fill(directory) | Burst::Names(_, directory) | Burst::Thin(directory) => {
                directory.parent().is_none() || model.tree.get(directory) == Some(&Node::Directory)
            }
        };
        if left > 1 {
            self.burst = Some((burst, left - 1));
        }
        alive.then_some(operation)
    }

    /// The next operation.
    pub(crate) fn next(&mut self, model: &Model) -> Operation {
        if let Some(operation) = self.of_burst(model) {
            return operation;
        }
        if self.random.below(60) == 0 {
            let directory = self.directory(model);
            let burst = match (self.random.below(3), self.file(model)) {
                (0, Some(file)) => Burst::Names(file, directory),
                (1, Some(_)) => Burst::Thin(directory),
                _ => Burst::Fill(directory),
            };
            self.burst = Some((burst, 30 + self.random.below(220)));
        }
        loop {
            if let Some(operation) = self.single(model) {
                return operation;
            }
        }
    }

    fn single(&mut self, model: &Model) -> Option<Operation> {
        let operation = match self.random.below(20) {
            0..=3 => {
                let path = self.new_path(model);
                self.create(path)
            }
            4 => {
                let directory = self.directory(model);
                if directory.components().count() > DEPTH {
                    return None;
                }
                let path = directory.join(self.short());
                self.directories.push(path.clone());
                Operation::MakeDirectory(path)
            }
            5..=8 => Operation::Link(self.file(model)?, self.new_path(model)),
            9 | 10 => {
                let (old, new) = (self.file(model)?, self.new_path(model));
                if old == new {
                    return None;
                }
                Operation::Rename(old, new)
            }
            11 => {
                let old = self.directory(model);
                let into = self.directory(model);
                let mut inside = std::iter::once(old.clone()).chain(model.below(&old));
                let deep = inside.any(|path| path.components().count() > DEPTH - 1);
                // into itself is refused by everybody, each in another way
                if old.parent().is_none() || into.starts_with(&old) || into.components().count() > 2 || deep {
                    return None;
                }
                let new = into.join(self.short());
                self.directories.push(new.clone());
                Operation::Rename(old, new)
            }
            12 => {
                let (old, new) = (self.file(model)?, self.file(model)?);
                // two names of one file: POSIX keeps both
                if model.file(&old) == model.file(&new) {
                    return None;
                }
                Operation::Replace(old, new)
            }
            13..=15 => match self.random.below(20) {
                // mostly nothing has the name
                0 => Operation::Remove(self.new_path(model)),
                _ => Operation::Remove(self.file(model)?),
            },
            16 => {
                let directory = self.directory(model);
                directory.parent()?;
                Operation::RemoveDirectory(directory)
            }
            17 | 18 => {
                let path = self.file(model)?;
                let length = model.files[model.file(&path)?].content.len();
                let offset = match self.random.below(5) {
                    0 => self.random.below(length + 1),
                    1 => length + self.random.below(9000),
                    _ => length,
                };
                let (size, seed) = (1 + self.size(), self.random.below(251));
                Operation::Write {
                    path,
                    offset,
                    size,
                    seed,
                }
            }
            _ => {
                let path = self.file(model)?;
                let size = self.size();
                Operation::Resize { path, size }
            }
        };
        // a name that a directory has on the way to a name that must be free
        match &operation {
            Operation::Create { path: new, .. } | Operation::Link(_, new) | Operation::Rename(_, new) => {
                let parent = new.parent()?;
                let is_there = parent.parent().is_none() || model.tree.get(parent) == Some(&Node::Directory);
                is_there.then_some(operation)
            }
            _ => Some(operation),
        }
    }
}
