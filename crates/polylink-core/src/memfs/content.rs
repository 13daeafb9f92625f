//! Files of a [`MemFs`] read, compared and copied.

use std::sync::{Arc, Mutex, PoisonError};

use super::state::{Body, State};
use super::{MemFs, id_of};
use crate::content::{Content, Copied, CopyHow, FileFs, Lost, Metadata, Reflink};
use crate::error::FaultKind;
use crate::file::{Kind, Stat};
use crate::fs::{At, Dir, FsResult};

/// The bytes in which numbers that share all but their lower 16 bits differ.
const TAIL: u64 = 8;

/// The content that a number stands for, at one place of a file of `size` bytes.
fn byte_at(content: u64, size: u64, offset: u64) -> u8 {
    let from_end = size.saturating_sub(offset);
    let seed = if from_end <= TAIL { content } else { content >> 16 };
    // splitmix64: neighbouring numbers give unlike bytes
    let mut x = seed
        .wrapping_add(offset / 8)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 31)).to_le_bytes()[(offset % 8) as usize]
}

/// An open file: it reads the file as it is now, even when its last name is gone.
struct MemContent {
    state: Arc<Mutex<State>>,
    id: u64,
    born: i128,
    last: Stat,
    content: u64,
}

impl MemContent {
    /// Length and content now; as it was last where the file has no name any more.
    fn now(&self) -> (Stat, u64) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.node(self.id) {
            Ok(node) if node.born == self.born => match (&node.body, state.stat(self.id)) {
                (Body::File { content, .. }, Ok(stat)) => (stat, *content),
                _ => (self.last, self.content),
            },
            _ => (
                Stat {
                    links: 0,
                    ..self.last
                },
                self.content,
            ),
        }
    }
}

impl Content for MemContent {
    fn stat(&self) -> FsResult<Stat> {
        Ok(self.now().0)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> FsResult<usize> {
        let (stat, content) = self.now();
        let end = stat.size.min(offset.saturating_add(buf.len() as u64));
        let mut done = 0;
        for (place, byte) in (offset..end).zip(buf.iter_mut()) {
            *byte = byte_at(content, stat.size, place);
            done += 1;
        }
        Ok(done)
    }

    fn place(&self) -> Option<u64> {
        Some(self.id)
    }
}

impl FileFs for MemFs {
    fn open_file(&self, at: At<'_>) -> FsResult<Box<dyn Content>> {
        let state = self.lock();
        let id = state.need(id_of(at.dir)?, at.name, &self.options)?;
        let node = state.node(id)?;
        match node.body {
            _ if node.denied => Err(FaultKind::AccessDenied.into()),
            Body::File { content, .. } => Ok(Box::new(MemContent {
                state: Arc::clone(&self.state),
                id,
                born: node.born,
                last: state.stat(id)?,
                content,
            })),
            Body::Symlink { .. } => Err(FaultKind::SymlinkMet.into()),
            Body::Dir(_) => Err(FaultKind::IsDirectory.into()),
        }
    }

    fn metadata(&self, at: At<'_>) -> FsResult<Metadata> {
        let state = self.lock();
        let id = state.need(id_of(at.dir)?, at.name, &self.options)?;
        Ok(state.node(id)?.metadata.clone())
    }

    fn dir_metadata(&self, dir: &Dir) -> FsResult<Metadata> {
        Ok(self.lock().node(id_of(dir)?)?.metadata.clone())
    }

    fn set_metadata(&self, at: At<'_>, to: &Metadata) -> FsResult<Vec<Lost>> {
        let mut state = self.lock();
        let id = state.need(id_of(at.dir)?, at.name, &self.options)?;
        state.count_mutation()?;
        state.node_mut(id)?.metadata = to.clone();
        state.touch(id)?;
        Ok(Vec::new())
    }

    fn set_dir_metadata(&self, dir: &Dir, to: &Metadata) -> FsResult<Vec<Lost>> {
        let mut state = self.lock();
        let id = id_of(dir)?;
        state.node(id)?;
        state.count_mutation()?;
        state.node_mut(id)?.metadata = to.clone();
        state.touch(id)?;
        Ok(Vec::new())
    }

    fn copy(&self, existing: At<'_>, new: At<'_>, how: CopyHow) -> FsResult<Copied> {
        let mut state = self.lock();
        let id = state.need(id_of(existing.dir)?, existing.name, &self.options)?;
        let node = state.node(id)?.clone();
        match node.body {
            _ if node.denied => return Err(FaultKind::AccessDenied.into()),
            Body::File { .. } => {}
            Body::Symlink { .. } => return Err(FaultKind::SymlinkMet.into()),
            Body::Dir(_) => return Err(FaultKind::IsDirectory.into()),
        }
        let dir = id_of(new.dir)?;
        let volume = state.node(dir)?.volume;
        let reflinked = self.options.reflinks && volume == node.volume && how.reflink != Reflink::Never;
        if how.reflink == Reflink::Always && !reflinked {
            return Err(FaultKind::Unsupported.into());
        }
        if state.find(dir, new.name, &self.options)?.is_some() {
            return Err(FaultKind::Exists.into());
        }
        state.count_mutation()?;
        let copy = state.add(dir, new.name, node.body, volume, &self.options)?;
        state.node_mut(copy)?.metadata = node.metadata;
        Ok(Copied {
            stat: state.stat(copy)?,
            reflinked,
            lost: Vec::new(),
        })
    }

    fn read_symlink(&self, at: At<'_>) -> FsResult<Vec<u8>> {
        let state = self.lock();
        let id = state.need(id_of(at.dir)?, at.name, &self.options)?;
        match &state.node(id)?.body {
            Body::Symlink { target } => Ok(target.clone()),
            _ => Err(FaultKind::NameInvalid.into()),
        }
    }

    fn make_symlink(&self, target: &[u8], new: At<'_>) -> FsResult<()> {
        let mut state = self.lock();
        let dir = id_of(new.dir)?;
        if state.find(dir, new.name, &self.options)?.is_some() {
            return Err(FaultKind::Exists.into());
        }
        state.count_mutation()?;
        let volume = state.node(dir)?.volume;
        let target = target.to_vec();
        state.add(dir, new.name, Body::Symlink { target }, volume, &self.options)?;
        Ok(())
    }

    fn remove_dir(&self, at: At<'_>) -> FsResult<()> {
        let mut state = self.lock();
        let dir = id_of(at.dir)?;
        let id = state.need(dir, at.name, &self.options)?;
        if state.node(id)?.kind() != Kind::Directory {
            return Err(FaultKind::NotDirectory.into());
        }
        if !state.entries(id)?.is_empty() {
            return Err(FaultKind::NotEmpty.into());
        }
        state.count_mutation()?;
        state.drop_name(dir, at.name, &self.options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::LinkFs as _;
    use crate::name::Name;

    const ANYHOW: CopyHow = CopyHow {
        reflink: Reflink::Auto,
        sync: false,
    };

    fn bytes(fs: &MemFs, name: &str) -> Vec<u8> {
        let root = fs.open_dir("/".as_ref()).unwrap();
        let file = fs.open_file(At::new(&root, Name::new(name))).unwrap();
        let mut buf = vec![0; 100];
        let n = file.read_full(0, &mut buf).unwrap();
        buf.truncate(n);
        buf
    }

    #[test]
    fn equal_numbers_are_equal_content_and_near_ones_differ_at_the_end() {
        let fs = MemFs::new();
        fs.create_with("/a", 50, 7 << 16).unwrap();
        fs.create_with("/b", 50, 7 << 16).unwrap();
        fs.create_with("/c", 50, (7 << 16) + 1).unwrap();
        assert_eq!(bytes(&fs, "a").len(), 50);
        assert_eq!(bytes(&fs, "a"), bytes(&fs, "b"));
        assert_eq!(bytes(&fs, "a")[..42], bytes(&fs, "c")[..42]);
        assert_ne!(bytes(&fs, "a"), bytes(&fs, "c"));
    }

    #[test]
    fn a_copy_has_content_and_metadata_and_a_life_of_its_own() {
        let fs = MemFs::new();
        fs.create("/a", 50).unwrap();
        fs.edit_metadata("/a", |m| m.mode = Some(0o640)).unwrap();
        let root = fs.open_dir("/".as_ref()).unwrap();
        let (a, b) = (At::new(&root, Name::new("a")), At::new(&root, Name::new("b")));
        let copied = fs.copy(a, b, ANYHOW).unwrap();
        assert_ne!(copied.stat.id, fs.stat(a).unwrap().id);
        assert_eq!(fs.metadata(a), fs.metadata(b));
        assert_eq!(bytes(&fs, "a"), bytes(&fs, "b"));
        fs.rewrite("/a", 50, 1).unwrap();
        assert_ne!(bytes(&fs, "a"), bytes(&fs, "b"));
        assert_eq!(fs.copy(a, b, ANYHOW).unwrap_err().kind(), FaultKind::Exists);
    }

    #[test]
    fn an_open_file_stays_that_file_when_its_name_goes_to_another() {
        let fs = MemFs::new();
        fs.create("/a", 50).unwrap();
        let before = bytes(&fs, "a");
        let root = fs.open_dir("/".as_ref()).unwrap();
        let file = fs.open_file(At::new(&root, Name::new("a"))).unwrap();
        fs.create("/a", 60).unwrap();
        let mut buf = vec![0; 100];
        let n = file.read_full(0, &mut buf).unwrap();
        assert_eq!(buf[..n], before);
        assert_eq!(file.stat().unwrap().links, 0);
    }

    #[test]
    fn symbolic_links_and_directories() {
        let fs = MemFs::new();
        let root = fs.open_dir("/".as_ref()).unwrap();
        let (l, d) = (At::new(&root, Name::new("l")), At::new(&root, Name::new("d")));
        fs.make_symlink(b"../x", l).unwrap();
        assert_eq!(fs.read_symlink(l).unwrap(), b"../x");
        assert_eq!(
            fs.open_file(l).map(|_| ()).unwrap_err().kind(),
            FaultKind::SymlinkMet
        );
        fs.make_dir(d).unwrap();
        fs.create("/d/f", 1).unwrap();
        assert_eq!(fs.remove_dir(d).unwrap_err().kind(), FaultKind::NotEmpty);
        fs.remove("/d/f").unwrap();
        fs.remove_dir(d).unwrap();
        assert_eq!(fs.stat(d).unwrap_err().kind(), FaultKind::NotFound);
        assert_eq!(fs.remove_dir(l).unwrap_err().kind(), FaultKind::NotDirectory);
    }
}
