//! [`MemFs`]: a file system in memory, the model of what [`LinkFs`] means.

mod content;
mod state;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::state::{Body, Node, ROOT, State, VOLUME, parts, split};
use crate::content::Metadata;
use crate::error::FaultKind;
use crate::file::{FileId, Kind, Stat};
use crate::fs::{At, Dir, DirBatch, Existing, FsResult, LinkFs, More};
use crate::name::Name;
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
    /// Whether copies can share their blocks.
    pub reflinks: bool,
}

impl Default for MemOptions {
    fn default() -> Self {
        Self {
            link_limit: 65_000,
            names: NameRules::POSIX,
            lies: DirIdLies::No,
            reuse_ids: true,
            batch: 7,
            reflinks: false,
        }
    }
}

/// A file system in memory.
///
/// Besides [`LinkFs`] it has what tests need: files made and saved, directories that cannot be read, ids that lie,
/// and a [`MemFs::stop_after`] that plays a kill at any step.
#[derive(Debug)]
pub struct MemFs {
    options: MemOptions,
    state: Arc<Mutex<State>>,
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
            changed: 0,
            denied: false,
            metadata: Metadata::default(),
            body: Body::Dir(BTreeMap::new()),
        };
        Self {
            options,
            state: Arc::new(Mutex::new(State {
                nodes: HashMap::from([(ROOT, root)]),
                free: BTreeSet::new(),
                next_id: ROOT + 1,
                next_volume: VOLUME + 1,
                clock: 1,
                next_content: 1,
                mutations_left: None,
                stats: 0,
            })),
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
        self.create_with(path, size, content << 16)
    }

    /// As [`MemFs::create`], with the content that is told by a number: files of one size and one number hold the same
    /// bytes. Numbers that differ in their lower 16 bits only stand for content that differs in its last bytes only.
    ///
    /// # Errors
    ///
    /// As [`MemFs::create`].
    pub fn create_with(&self, path: impl AsRef<Path>, size: u64, content: u64) -> FsResult<FileId> {
        self.put(path.as_ref(), Body::File { size, content })
    }

    /// Writes other content into a file where it stands: all its names show it.
    ///
    /// # Errors
    ///
    /// [`FaultKind::NotFound`]; [`FaultKind::IsDirectory`] where there is no file.
    pub fn rewrite(&self, path: impl AsRef<Path>, size: u64, content: u64) -> FsResult<()> {
        let mut state = self.lock();
        let id = state.walk(path.as_ref(), &self.options)?;
        state.clock += 1;
        let now = state.clock;
        let node = state.node_mut(id)?;
        match &mut node.body {
            body @ Body::File { .. } => *body = Body::File { size, content },
            _ => return Err(FaultKind::IsDirectory.into()),
        }
        node.metadata.modified = now;
        node.changed = now;
        Ok(())
    }

    /// The metadata of a file, to be changed at will.
    ///
    /// # Errors
    ///
    /// [`FaultKind::NotFound`].
    pub fn edit_metadata(&self, path: impl AsRef<Path>, edit: impl FnOnce(&mut Metadata)) -> FsResult<()> {
        let mut state = self.lock();
        let id = state.walk(path.as_ref(), &self.options)?;
        edit(&mut state.node_mut(id)?.metadata);
        state.touch(id)
    }

    /// Makes a symbolic link.
    ///
    /// # Errors
    ///
    /// As [`MemFs::create`].
    pub fn symlink(&self, path: impl AsRef<Path>) -> FsResult<FileId> {
        self.put(path.as_ref(), Body::Symlink { target: Vec::new() })
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
                        body: Body::Symlink { .. },
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
                body: Body::Symlink { .. },
                ..
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

    fn sync(&self, dir: &Dir) -> FsResult<()> {
        let state = self.lock();
        state.node(id_of(dir)?)?;
        match state.mutations_left {
            Some(0) => Err(FaultKind::Interrupted.into()),
            _ => Ok(()),
        }
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
mod tests;
