//! What a [`super::MemFs`] holds: nodes, names and counts.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Component, Path};

use super::MemOptions;
use crate::content::Metadata;
use crate::error::FaultKind;
use crate::file::{FileId, Kind, Stat};
use crate::fs::{Existing, FsResult};
use crate::name::{Name, NameBuf};

pub(super) const ROOT: u64 = 2;
pub(super) const VOLUME: u64 = 1;

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) volume: u64,
    pub(super) links: u64,
    pub(super) born: i128,
    pub(super) changed: i128,
    /// Denies reading the directory.
    pub(super) denied: bool,
    pub(super) metadata: Metadata,
    pub(super) body: Body,
}

#[derive(Clone, Debug)]
pub(super) enum Body {
    File { size: u64, content: u64 },
    Symlink { target: Vec<u8> },
    Dir(BTreeMap<Vec<u8>, (NameBuf, u64)>),
}

impl Node {
    pub(super) fn kind(&self) -> Kind {
        match self.body {
            Body::File { .. } => Kind::File,
            Body::Symlink { .. } => Kind::Symlink,
            Body::Dir(_) => Kind::Directory,
        }
    }
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) nodes: HashMap<u64, Node>,
    pub(super) free: BTreeSet<u64>,
    pub(super) next_id: u64,
    pub(super) next_volume: u64,
    pub(super) clock: i128,
    pub(super) next_content: u64,
    pub(super) mutations_left: Option<u64>,
    pub(super) stats: u64,
}

pub(super) fn parts(path: &Path) -> FsResult<Vec<Name<'_>>> {
    path.components()
        .filter(|c| !matches!(c, Component::RootDir | Component::CurDir | Component::Prefix(_)))
        .map(|c| match c {
            Component::Normal(name) => Ok(Name::from_os(name)),
            _ => Err(FaultKind::NameInvalid.into()),
        })
        .collect()
}

pub(super) fn split(path: &Path) -> FsResult<(&Path, Name<'_>)> {
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => Ok((parent, Name::from_os(name))),
        _ => Err(FaultKind::NameInvalid.into()),
    }
}

impl State {
    pub(super) fn node(&self, id: u64) -> FsResult<&Node> {
        self.nodes.get(&id).ok_or(FaultKind::Stale.into())
    }

    pub(super) fn node_mut(&mut self, id: u64) -> FsResult<&mut Node> {
        self.nodes.get_mut(&id).ok_or(FaultKind::Stale.into())
    }

    pub(super) fn entries(&self, dir: u64) -> FsResult<&BTreeMap<Vec<u8>, (NameBuf, u64)>> {
        match &self.node(dir)?.body {
            Body::Dir(entries) => Ok(entries),
            _ => Err(FaultKind::NotDirectory.into()),
        }
    }

    pub(super) fn entries_mut(&mut self, dir: u64) -> FsResult<&mut BTreeMap<Vec<u8>, (NameBuf, u64)>> {
        match &mut self.node_mut(dir)?.body {
            Body::Dir(entries) => Ok(entries),
            _ => Err(FaultKind::NotDirectory.into()),
        }
    }

    pub(super) fn find(&self, dir: u64, name: Name<'_>, options: &MemOptions) -> FsResult<Option<u64>> {
        Ok(self
            .entries(dir)?
            .get(&*options.names.key(name))
            .map(|(_, id)| *id))
    }

    pub(super) fn need(&self, dir: u64, name: Name<'_>, options: &MemOptions) -> FsResult<u64> {
        self.find(dir, name, options)?.ok_or(FaultKind::NotFound.into())
    }

    pub(super) fn walk(&self, path: &Path, options: &MemOptions) -> FsResult<u64> {
        parts(path)?
            .into_iter()
            .try_fold(ROOT, |dir, name| self.need(dir, name, options))
    }

    pub(super) fn insert(&mut self, dir: u64, name: Name<'_>, id: u64, options: &MemOptions) -> FsResult<()> {
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

    pub(super) fn add(
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
                changed: self.clock,
                denied: false,
                metadata: Metadata {
                    modified: self.clock,
                    ..Metadata::default()
                },
                body,
            },
        );
        Ok(id)
    }

    pub(super) fn take(&mut self, dir: u64, name: Name<'_>, options: &MemOptions) -> FsResult<u64> {
        let key = options.names.key(name).into_owned();
        self.entries_mut(dir)?
            .remove(&key)
            .map(|(_, id)| id)
            .ok_or(FaultKind::NotFound.into())
    }

    pub(super) fn drop_name(&mut self, dir: u64, name: Name<'_>, options: &MemOptions) -> FsResult<()> {
        let id = self.take(dir, name, options)?;
        let node = self.node_mut(id)?;
        node.links -= 1;
        if node.links == 0 {
            self.nodes.remove(&id);
            self.free.insert(id);
            return Ok(());
        }
        self.touch(id)
    }

    pub(super) fn remove_tree(&mut self, dir: u64, name: Name<'_>, options: &MemOptions) -> FsResult<()> {
        let id = self.need(dir, name, options)?;
        if let Body::Dir(entries) = &self.node(id)?.body {
            let names: Vec<NameBuf> = entries.values().map(|(name, _)| name.clone()).collect();
            for child in names {
                self.remove_tree(id, child.name(), options)?;
            }
        }
        self.drop_name(dir, name, options)
    }

    pub(super) fn link(&mut self, id: u64, dir: u64, name: Name<'_>, options: &MemOptions) -> FsResult<()> {
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
        self.touch(id)
    }

    pub(super) fn move_name(
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
        self.insert(to_dir, to, id, options)?;
        self.touch(id)
    }

    /// Gives a file the time of now as that of its last change.
    pub(super) fn touch(&mut self, id: u64) -> FsResult<()> {
        self.clock += 1;
        let now = self.clock;
        self.node_mut(id)?.changed = now;
        Ok(())
    }

    pub(super) fn count_mutation(&mut self) -> FsResult<()> {
        match &mut self.mutations_left {
            Some(0) => Err(FaultKind::Interrupted.into()),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    pub(super) fn stat(&self, id: u64) -> FsResult<Stat> {
        let node = self.node(id)?;
        let size = match &node.body {
            Body::File { size, .. } => *size,
            Body::Symlink { target } => target.len() as u64,
            Body::Dir(_) => 0,
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
            modified: node.metadata.modified,
            changed: Some(node.changed),
            born: Some(node.born),
            owner: node.metadata.owner,
            mode: node.metadata.mode,
            mount: Some(node.volume),
        })
    }
}
