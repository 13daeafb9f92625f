//! [`MemFs`]: a file system in memory, the model of what [`LinkFs`] means.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::FaultKind;
use crate::file::{FileId, Kind, Stat};
use crate::fs::{At, Dir, DirBatch, Existing, FsResult, LinkFs, More};
use crate::name::{Name, NameBuf};
use crate::volume::{DirIds, HardLinks, NameRules, VolumeInfo};

/// Whether directory reads tell the truth about file ids.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DirIdLies {
    /// They do, and say so.
    No,
    /// They give wrong numbers, and say that they cannot be trusted (as overlayfs may).
    Yes,
}

/// How a [`MemFs`] behaves.
#[derive(Clone, Copy, Debug)]
pub struct MemOptions {
    /// Most names of one file.
    pub link_limit: u64,
    /// The rules for names.
    pub names: NameRules,
    /// Whether directory reads lie about ids.
    pub lies: DirIdLies,
    /// Whether the number of a file that is gone goes to the next new file, as most file systems do.
    pub reuse_ids: bool,
    /// Entries in one batch of a directory read.
    pub batch: usize,
}

impl Default for MemOptions {
    fn default() -> Self {
        Self {
            link_limit: 65_000,
            names: NameRules::POSIX,
            lies: DirIdLies::No,
            reuse_ids: true,
            batch: 7,
        }
    }
}

const ROOT: u64 = 2;
const VOLUME: u64 = 1;

#[derive(Clone, Debug)]
struct Node {
    volume: u64,
    links: u64,
    born: i128,
    /// Denies reading the directory.
    denied: bool,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    File { size: u64, content: u64 },
    Symlink,
    Dir(BTreeMap<Vec<u8>, (NameBuf, u64)>),
}

impl Node {
    fn kind(&self) -> Kind {
        match self.body {
            Body::File { .. } => Kind::File,
            Body::Symlink => Kind::Symlink,
            Body::Dir(_) => Kind::Directory,
        }
    }
}

#[derive(Debug)]
struct State {
    nodes: HashMap<u64, Node>,
    free: BTreeSet<u64>,
    next_id: u64,
    next_volume: u64,
    clock: i128,
    next_content: u64,
    mutations_left: Option<u64>,
    stats: u64,
}

/// A file system in memory.
///
/// Besides [`LinkFs`] it has what tests need: files made and saved, directories that cannot be read, ids that lie,
/// and a [`MemFs::stop_after`] that plays a kill at any step.
#[derive(Debug)]
pub struct MemFs {
    options: MemOptions,
    state: Mutex<State>,
}

#[derive(Debug)]
struct MemDir {
    id: u64,
    read_to: Mutex<Option<Vec<u8>>>,
}

impl MemFs {
    /// An empty file system that behaves like a Unix one.
    #[must_use]
    pub fn new() -> Self {
        Self::with(MemOptions::default())
    }

    /// An empty file system that behaves as told.
    #[must_use]
    pub fn with(options: MemOptions) -> Self {
        let root = Node {
            volume: VOLUME,
            links: 1,
            born: 0,
            denied: false,
            body: Body::Dir(BTreeMap::new()),
        };
        Self {
            options,
            state: Mutex::new(State {
                nodes: HashMap::from([(ROOT, root)]),
                free: BTreeSet::new(),
                next_id: ROOT + 1,
                next_volume: VOLUME + 1,
                clock: 1,
                next_content: 1,
                mutations_left: None,
                stats: 0,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets `n` more changes through [`LinkFs`] succeed and refuses all after them with
    /// [`FaultKind::Interrupted`]; `None` lifts it.
    pub fn stop_after(&self, n: Option<u64>) {
        self.lock().mutations_left = n;
    }

    /// How many calls of [`LinkFs::stat`] there were.
    #[must_use]
    pub fn stat_calls(&self) -> u64 {
        self.lock().stats
    }

    /// Makes a directory and those above it.
    ///
    /// # Errors
    ///
    /// [`FaultKind::NotDirectory`] where a file stands in the way.
    pub fn mkdir(&self, path: impl AsRef<Path>) -> FsResult<()> {
        let mut state = self.lock();
        let mut dir = ROOT;
        for name in parts(path.as_ref())? {
            dir = match state.find(dir, name, &self.options)? {
                Some(id) => id,
                None => {
                    let volume = state.node(dir)?.volume;
                    state.add(dir, name, Body::Dir(BTreeMap::new()), volume, &self.options)?
                }
            };
        }
        Ok(())
    }

    /// Makes a directory that begins another volume, as a mount does.
    ///
    /// # Errors
    ///
    /// As [`MemFs::mkdir`].
    pub fn mount(&self, path: impl AsRef<Path>) -> FsResult<()> {
        self.mkdir(&path)?;
        let mut state = self.lock();
        let id = state.walk(path.as_ref(), &self.options)?;
        let volume = state.next_volume;
        state.next_volume += 1;
        state.node_mut(id)?.volume = volume;
        Ok(())
    }

    /// Makes a new file with new content, or saves it by rename where the name is taken: the name then points at a
    /// new file, and the old one lives on under its other names. Directories above it are made.
    ///
    /// # Errors
    ///
    /// [`FaultKind::IsDirectory`] where a directory stands there.
    pub fn create(&self, path: impl AsRef<Path>, size: u64) -> FsResult<FileId> {
        let content = {
            let mut state = self.lock();
            state.next_content += 1;
            state.next_content
        };
        self.put(path.as_ref(), Body::File { size, content })
    }

    /// Makes a symbolic link.
    ///
    /// # Errors
    ///
    /// As [`MemFs::create`].
    pub fn symlink(&self, path: impl AsRef<Path>) -> FsResult<FileId> {
        self.put(path.as_ref(), Body::Symlink)
    }

    fn put(&self, path: &Path, body: Body) -> FsResult<FileId> {
        let (parent, name) = split(path)?;
        self.mkdir(parent)?;
        let mut state = self.lock();
        let dir = state.walk(parent, &self.options)?;
        let volume = state.node(dir)?.volume;
        // the new file exists before the old name goes, as with save-by-rename: so it cannot get the old one's number
        let old = state.find(dir, name, &self.options)?;
        if let Some(old) = old
            && state.node(old)?.kind() == Kind::Directory
        {
            return Err(FaultKind::IsDirectory.into());
        }
        let temp = Name::new("\0new");
        let id = state.add(dir, temp, body, volume, &self.options)?;
        if old.is_some() {
            state.drop_name(dir, name, &self.options)?;
        }
        state.take(dir, temp, &self.options)?;
        state.insert(dir, name, id, &self.options)?;
        Ok(FileId {
            volume,
            id: u128::from(id),
        })
    }

    /// Removes a name: of a file, or of a directory with all that is in it.
    ///
    /// # Errors
    ///
    /// [`FaultKind::NotFound`].
    pub fn remove(&self, path: impl AsRef<Path>) -> FsResult<()> {
        let (parent, name) = split(path.as_ref())?;
        let mut state = self.lock();
        let dir = state.walk(parent, &self.options)?;
        state.remove_tree(dir, name, &self.options)
    }

    /// Moves a name, of a file or a directory; a file in the way is replaced. Directories above it are made.
    ///
    /// # Errors
    ///
    /// [`FaultKind::NotFound`]; [`FaultKind::IsDirectory`] for a directory in the way or a move below itself.
    pub fn rename_path(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> FsResult<()> {
        let (from_parent, from_name) = split(from.as_ref())?;
        let (to_parent, to_name) = split(to.as_ref())?;
        if to.as_ref().starts_with(from.as_ref()) {
            return Err(FaultKind::IsDirectory.into());
        }
        self.mkdir(to_parent)?;
        let mut state = self.lock();
        let from_dir = state.walk(from_parent, &self.options)?;
        let to_dir = state.walk(to_parent, &self.options)?;
        state.move_name(
            from_dir,
            from_name,
            to_dir,
            to_name,
            Existing::Replace,
            &self.options,
        )
    }

    /// Gives a file a further name; directories above it are made.
    ///
    /// # Errors
    ///
    /// As [`LinkFs::link`].
    pub fn link_path(&self, existing: impl AsRef<Path>, new: impl AsRef<Path>) -> FsResult<()> {
        let (parent, name) = split(new.as_ref())?;
        self.mkdir(parent)?;
        let mut state = self.lock();
        let id = state.walk(existing.as_ref(), &self.options)?;
        let dir = state.walk(parent, &self.options)?;
        state.link(id, dir, name, &self.options)
    }

    /// Says whether a directory refuses to be read.
    ///
    /// # Errors
    ///
    /// [`FaultKind::NotFound`].
    pub fn deny(&self, path: impl AsRef<Path>, denied: bool) -> FsResult<()> {
        let mut state = self.lock();
        let id = state.walk(path.as_ref(), &self.options)?;
        state.node_mut(id)?.denied = denied;
        Ok(())
    }

    /// Every name of every file and symbolic link, with the file's id and what it holds: a number that no other
    /// content has.
    #[must_use]
    pub fn all_names(&self) -> BTreeMap<PathBuf, (FileId, u64)> {
        let state = self.lock();
        let mut out = BTreeMap::new();
        let mut stack = vec![(ROOT, PathBuf::from("/"))];
        while let Some((dir, path)) = stack.pop() {
            let Some(Node {
                body: Body::Dir(entries),
                ..
            }) = state.nodes.get(&dir)
            else {
                continue;
            };
            for (name, id) in entries.values() {
                let Some(os) = name.name().to_os() else { continue };
                let path = path.join(os);
                match state.nodes.get(id) {
                    Some(Node {
                        body: Body::File { content, .. },
                        volume,
                        ..
                    }) => {
                        out.insert(
                            path,
                            (
                                FileId {
                                    volume: *volume,
                                    id: u128::from(*id),
                                },
                                *content,
                            ),
                        );
                    }
                    Some(Node {
                        body: Body::Symlink,
                        volume,
                        ..
                    }) => {
                        out.insert(
                            path,
                            (
                                FileId {
                                    volume: *volume,
                                    id: u128::from(*id),
                                },
                                0,
                            ),
                        );
                    }
                    _ => stack.push((*id, path)),
                }
            }
        }
        out
    }
}

impl Default for MemFs {
    fn default() -> Self {
        Self::new()
    }
}

fn parts(path: &Path) -> FsResult<Vec<Name<'_>>> {
    path.components()
        .filter(|c| !matches!(c, Component::RootDir | Component::CurDir | Component::Prefix(_)))
        .map(|c| match c {
            Component::Normal(name) => Ok(Name::from_os(name)),
            _ => Err(FaultKind::NameInvalid.into()),
        })
        .collect()
}

fn split(path: &Path) -> FsResult<(&Path, Name<'_>)> {
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => Ok((parent, Name::from_os(name))),
        _ => Err(FaultKind::NameInvalid.into()),
    }
}

impl State {
    fn node(&self, id: u64) -> FsResult<&Node> {
        self.nodes.get(&id).ok_or(FaultKind::Stale.into())
    }

    fn node_mut(&mut self, id: u64) -> FsResult<&mut Node> {
        self.nodes.get_mut(&id).ok_or(FaultKind::Stale.into())
    }

    fn entries(&self, dir: u64) -> FsResult<&BTreeMap<Vec<u8>, (NameBuf, u64)>> {
        match &self.node(dir)?.body {
            Body::Dir(entries) => Ok(entries),
            _ => Err(FaultKind::NotDirectory.into()),
        }
    }

    fn entries_mut(&mut self, dir: u64) -> FsResult<&mut BTreeMap<Vec<u8>, (NameBuf, u64)>> {
        match &mut self.node_mut(dir)?.body {
            Body::Dir(entries) => Ok(entries),
            _ => Err(FaultKind::NotDirectory.into()),
        }
    }

    fn find(&self, dir: u64, name: Name<'_>, options: &MemOptions) -> FsResult<Option<u64>> {
        Ok(self
            .entries(dir)?
            .get(&*options.names.key(name))
            .map(|(_, id)| *id))
    }

    fn need(&self, dir: u64, name: Name<'_>, options: &MemOptions) -> FsResult<u64> {
        self.find(dir, name, options)?.ok_or(FaultKind::NotFound.into())
    }

    fn walk(&self, path: &Path, options: &MemOptions) -> FsResult<u64> {
        parts(path)?
            .into_iter()
            .try_fold(ROOT, |dir, name| self.need(dir, name, options))
    }

    fn insert(&mut self, dir: u64, name: Name<'_>, id: u64, options: &MemOptions) -> FsResult<()> {
        if name.bytes().is_empty() || name.bytes().contains(&b'/') {
            return Err(FaultKind::NameInvalid.into());
        }
        if !options.names.fits(name.bytes()) {
            return Err(FaultKind::NameTooLong.into());
        }
        let key = options.names.key(name).into_owned();
        let entries = self.entries_mut(dir)?;
        if entries.contains_key(&key) {
            return Err(FaultKind::Exists.into());
        }
        entries.insert(key, (name.to_buf(), id));
        Ok(())
    }

    fn add(
        &mut self,
        dir: u64,
        name: Name<'_>,
        body: Body,
        volume: u64,
        options: &MemOptions,
    ) -> FsResult<u64> {
        let id = match self.free.first().copied().filter(|_| options.reuse_ids) {
            Some(id) => id,
            None => self.next_id,
        };
        self.insert(dir, name, id, options)?;
        if !self.free.remove(&id) {
            self.next_id += 1;
        }
        self.clock += 1;
        self.nodes.insert(
            id,
            Node {
                volume,
                links: 1,
                born: self.clock,
                denied: false,
                body,
            },
        );
        Ok(id)
    }

    fn take(&mut self, dir: u64, name: Name<'_>, options: &MemOptions) -> FsResult<u64> {
        let key = options.names.key(name).into_owned();
        self.entries_mut(dir)?
            .remove(&key)
            .map(|(_, id)| id)
            .ok_or(FaultKind::NotFound.into())
    }

    fn drop_name(&mut self, dir: u64, name: Name<'_>, options: &MemOptions) -> FsResult<()> {
        let id = self.take(dir, name, options)?;
        let node = self.node_mut(id)?;
        node.links -= 1;
        if node.links == 0 {
            self.nodes.remove(&id);
            self.free.insert(id);
        }
        Ok(())
    }

    fn remove_tree(&mut self, dir: u64, name: Name<'_>, options: &MemOptions) -> FsResult<()> {
        let id = self.need(dir, name, options)?;
        if let Body::Dir(entries) = &self.node(id)?.body {
            let names: Vec<NameBuf> = entries.values().map(|(name, _)| name.clone()).collect();
            for child in names {
                self.remove_tree(id, child.name(), options)?;
            }
        }
        self.drop_name(dir, name, options)
    }

    fn link(&mut self, id: u64, dir: u64, name: Name<'_>, options: &MemOptions) -> FsResult<()> {
        let (node_volume, kind, links) = {
            let node = self.node(id)?;
            (node.volume, node.kind(), node.links)
        };
        if kind == Kind::Directory {
            return Err(FaultKind::NotPermitted.into());
        }
        if self.find(dir, name, options)?.is_some() {
            return Err(FaultKind::Exists.into());
        }
        if node_volume != self.node(dir)?.volume {
            return Err(FaultKind::CrossesVolumes.into());
        }
        if links >= options.link_limit {
            return Err(FaultKind::TooManyLinks.into());
        }
        self.insert(dir, name, id, options)?;
        self.node_mut(id)?.links += 1;
        Ok(())
    }

    fn move_name(
        &mut self,
        from_dir: u64,
        from: Name<'_>,
        to_dir: u64,
        to: Name<'_>,
        on: Existing,
        options: &MemOptions,
    ) -> FsResult<()> {
        let id = self.need(from_dir, from, options)?;
        let same_entry = from_dir == to_dir && options.names.key(from) == options.names.key(to);
        if let Some(victim) = self.find(to_dir, to, options)?.filter(|_| !same_entry) {
            if on == Existing::Keep {
                return Err(FaultKind::Exists.into());
            }
            if victim == id {
                return Ok(()); // as POSIX has it: both names stay
            }
            if self.node(victim)?.kind() == Kind::Directory {
                return Err(FaultKind::IsDirectory.into());
            }
        }
        if self.node(id)?.kind() == Kind::Directory && to_dir == id {
            return Err(FaultKind::NameInvalid.into());
        }
        if self.node(id)?.volume != self.node(to_dir)?.volume {
            return Err(FaultKind::CrossesVolumes.into());
        }
        if !options.names.fits(to.bytes()) {
            return Err(FaultKind::NameTooLong.into());
        }
        self.take(from_dir, from, options)?;
        if self.find(to_dir, to, options)?.is_some() {
            self.drop_name(to_dir, to, options)?;
        }
        self.insert(to_dir, to, id, options)
    }

    fn count_mutation(&mut self) -> FsResult<()> {
        match &mut self.mutations_left {
            Some(0) => Err(FaultKind::Interrupted.into()),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn stat(&self, id: u64) -> FsResult<Stat> {
        let node = self.node(id)?;
        let size = match node.body {
            Body::File { size, .. } => size,
            _ => 0,
        };
        Ok(Stat {
            id: FileId {
                volume: node.volume,
                id: u128::from(id),
            },
            kind: node.kind(),
            links: node.links,
            size,
            allocated: size.div_ceil(4096) * 4096,
            modified: node.born,
            born: Some(node.born),
            owner: None,
            mode: None,
            mount: Some(node.volume),
        })
    }
}

fn id_of(dir: &Dir) -> FsResult<u64> {
    Ok(dir.handle::<MemDir>()?.id)
}

impl LinkFs for MemFs {
    fn open_dir(&self, path: &Path) -> FsResult<Dir> {
        let state = self.lock();
        let id = state.walk(path, &self.options)?;
        state.entries(id)?;
        Ok(Dir::new(MemDir {
            id,
            read_to: Mutex::new(None),
        }))
    }

    fn open_child(&self, at: At<'_>) -> FsResult<Dir> {
        let state = self.lock();
        let id = state.need(id_of(at.dir)?, at.name, &self.options)?;
        match state.node(id)? {
            node if node.denied => Err(FaultKind::AccessDenied.into()),
            Node {
                body: Body::Dir(_), ..
            } => Ok(Dir::new(MemDir {
                id,
                read_to: Mutex::new(None),
            })),
            Node {
                body: Body::Symlink, ..
            } => Err(FaultKind::SymlinkMet.into()),
            Node { .. } => Err(FaultKind::NotDirectory.into()),
        }
    }

    fn read_dir(&self, dir: &Dir, batch: &mut DirBatch) -> FsResult<More> {
        let handle = dir.handle::<MemDir>()?;
        let state = self.lock();
        let node = state.node(handle.id)?;
        if node.denied {
            return Err(FaultKind::AccessDenied.into());
        }
        let lies = self.options.lies == DirIdLies::Yes;
        batch.start(
            node.volume,
            if lies { DirIds::Untrusted } else { DirIds::Trusted },
        );
        let mut position = handle.read_to.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = state.entries(handle.id)?;
        let after = position.take();
        let rest = entries
            .iter()
            .filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after));
        let mut rest = rest.peekable();
        for (key, (name, id)) in rest.by_ref().take(self.options.batch) {
            *position = Some(key.clone());
            let kind = state.node(*id)?.kind();
            batch.push(name.bytes(), kind, u128::from(*id) + u128::from(lies) * 1_000_000);
        }
        if rest.peek().is_some() {
            Ok(More::Yes)
        } else {
            *position = None;
            Ok(More::No)
        }
    }

    fn stat(&self, at: At<'_>) -> FsResult<Stat> {
        let mut state = self.lock();
        state.stats += 1;
        state.stat(state.need(id_of(at.dir)?, at.name, &self.options)?)
    }

    fn stat_dir(&self, dir: &Dir) -> FsResult<Stat> {
        self.lock().stat(id_of(dir)?)
    }

    fn link(&self, existing: At<'_>, new: At<'_>) -> FsResult<()> {
        let mut state = self.lock();
        let id = state.need(id_of(existing.dir)?, existing.name, &self.options)?;
        state.count_mutation()?;
        state.link(id, id_of(new.dir)?, new.name, &self.options)
    }

    fn rename(&self, old: At<'_>, new: At<'_>, on: Existing) -> FsResult<()> {
        let mut state = self.lock();
        state.count_mutation()?;
        state.move_name(
            id_of(old.dir)?,
            old.name,
            id_of(new.dir)?,
            new.name,
            on,
            &self.options,
        )
    }

    fn unlink(&self, at: At<'_>) -> FsResult<()> {
        let mut state = self.lock();
        let dir = id_of(at.dir)?;
        let id = state.need(dir, at.name, &self.options)?;
        if state.node(id)?.kind() == Kind::Directory {
            return Err(FaultKind::IsDirectory.into());
        }
        state.count_mutation()?;
        state.drop_name(dir, at.name, &self.options)
    }

    fn make_dir(&self, at: At<'_>) -> FsResult<()> {
        let mut state = self.lock();
        let dir = id_of(at.dir)?;
        if state.find(dir, at.name, &self.options)?.is_some() {
            return Err(FaultKind::Exists.into());
        }
        state.count_mutation()?;
        let volume = state.node(dir)?.volume;
        state.add(dir, at.name, Body::Dir(BTreeMap::new()), volume, &self.options)?;
        Ok(())
    }

    fn names_of(&self, _at: At<'_>) -> FsResult<Option<Vec<PathBuf>>> {
        Ok(None)
    }

    fn volume(&self, dir: &Dir) -> FsResult<VolumeInfo> {
        let state = self.lock();
        Ok(VolumeInfo {
            volume: state.node(id_of(dir)?)?.volume,
            kind: "memory".into(),
            total: None,
            free: None,
            available: None,
            link_limit: Some(self.options.link_limit),
            hard_links: HardLinks::Yes,
            names: self.options.names,
            dir_ids: match self.options.lies {
                DirIdLies::No => DirIds::Trusted,
                DirIdLies::Yes => DirIds::Untrusted,
            },
            read_only: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at<'a>(dir: &'a Dir, name: &'a str) -> At<'a> {
        At::new(dir, Name::new(name))
    }

    #[test]
    fn a_link_counts_and_the_last_unlink_frees() {
        let fs = MemFs::new();
        let id = fs.create("/d/a", 5).unwrap();
        let dir = fs.open_dir("/d".as_ref()).unwrap();
        fs.link(at(&dir, "a"), at(&dir, "b")).unwrap();
        assert_eq!(fs.stat(at(&dir, "b")).unwrap().links, 2);
        assert_eq!(
            fs.link(at(&dir, "a"), at(&dir, "b")),
            Err(FaultKind::Exists.into())
        );
        fs.unlink(at(&dir, "a")).unwrap();
        fs.unlink(at(&dir, "b")).unwrap();
        assert_eq!(fs.create("/d/c", 1).unwrap(), id, "the number is used again");
    }

    #[test]
    fn a_rename_of_two_names_of_one_file_leaves_both() {
        let fs = MemFs::new();
        fs.create("/a", 1).unwrap();
        fs.link_path("/a", "/b").unwrap();
        let root = fs.open_dir("/".as_ref()).unwrap();
        fs.rename(at(&root, "a"), at(&root, "b"), Existing::Replace)
            .unwrap();
        assert_eq!(fs.all_names().len(), 2);
    }

    #[test]
    fn a_save_by_rename_makes_another_file() {
        let fs = MemFs::new();
        let old = fs.create("/a", 1).unwrap();
        fs.link_path("/a", "/view/a").unwrap();
        let new = fs.create("/a", 2).unwrap();
        assert_ne!(old, new);
        assert_eq!(fs.all_names()[Path::new("/view/a")].0, old);
    }

    #[test]
    fn batches_give_every_entry_once_and_begin_anew() {
        let fs = MemFs::new();
        for i in 0..20 {
            fs.create(format!("/d/{i:02}"), 1).unwrap();
        }
        let dir = fs.open_dir("/d".as_ref()).unwrap();
        for _ in 0..2 {
            assert_eq!((&fs as &dyn LinkFs).names_in(&dir).unwrap().len(), 20);
        }
    }

    #[test]
    fn the_limits_and_faults_that_tests_ask_for_happen() {
        let fs = MemFs::with(MemOptions {
            link_limit: 2,
            ..MemOptions::default()
        });
        fs.create("/a", 1).unwrap();
        fs.link_path("/a", "/b").unwrap();
        assert_eq!(fs.link_path("/a", "/c"), Err(FaultKind::TooManyLinks.into()));
        fs.mount("/m").unwrap();
        assert_eq!(fs.link_path("/a", "/m/a"), Err(FaultKind::CrossesVolumes.into()));
        fs.mkdir("/d").unwrap();
        fs.deny("/d", true).unwrap();
        let root = fs.open_dir("/".as_ref()).unwrap();
        assert_eq!(
            fs.open_child(at(&root, "d")).unwrap_err().kind(),
            FaultKind::AccessDenied
        );
        fs.stop_after(Some(1));
        fs.unlink(at(&root, "a")).unwrap();
        assert_eq!(fs.unlink(at(&root, "b")), Err(FaultKind::Interrupted.into()));
    }
}
