//! A model file system that refuses, or is edited, at the calls that a test chooses.

use std::path::{Path, PathBuf};

use polylink_core::{
    At, Content, Copied, CopyHow, Dir, DirBatch, Existing, FileFs, FsResult, LinkFs, Lost, MemFs, Metadata,
    More, Stat, VolumeInfo,
};

/// A call that a hook is told of before it is made.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call<'a> {
    Link(At<'a>),
    Copy,
    MakeSymlink,
    Rename,
    Unlink,
    MakeDir,
    SetMetadata,
}

/// Says whether the call may be made.
pub(crate) type Hook = Box<dyn Fn(&MemFs, Call<'_>) -> FsResult<()> + Send + Sync>;

pub(crate) struct Hooked<'a> {
    pub(crate) fs: &'a MemFs,
    pub(crate) hook: Hook,
}

impl<'a> Hooked<'a> {
    pub(crate) fn new(
        fs: &'a MemFs,
        hook: impl Fn(&MemFs, Call<'_>) -> FsResult<()> + Send + Sync + 'static,
    ) -> Self {
        let hook = Box::new(hook);
        Self { fs, hook }
    }
}

impl LinkFs for Hooked<'_> {
    fn open_dir(&self, path: &Path) -> FsResult<Dir> {
        self.fs.open_dir(path)
    }
    fn open_child(&self, at: At<'_>) -> FsResult<Dir> {
        self.fs.open_child(at)
    }
    fn read_dir(&self, dir: &Dir, batch: &mut DirBatch) -> FsResult<More> {
        self.fs.read_dir(dir, batch)
    }
    fn stat(&self, at: At<'_>) -> FsResult<Stat> {
        self.fs.stat(at)
    }
    fn stat_dir(&self, dir: &Dir) -> FsResult<Stat> {
        self.fs.stat_dir(dir)
    }
    fn link(&self, existing: At<'_>, new: At<'_>) -> FsResult<()> {
        (self.hook)(self.fs, Call::Link(existing))?;
        self.fs.link(existing, new)
    }
    fn rename(&self, old: At<'_>, new: At<'_>, on: Existing) -> FsResult<()> {
        (self.hook)(self.fs, Call::Rename)?;
        self.fs.rename(old, new, on)
    }
    fn unlink(&self, at: At<'_>) -> FsResult<()> {
        (self.hook)(self.fs, Call::Unlink)?;
        self.fs.unlink(at)
    }
    fn make_dir(&self, at: At<'_>) -> FsResult<()> {
        (self.hook)(self.fs, Call::MakeDir)?;
        self.fs.make_dir(at)
    }
    fn sync(&self, dir: &Dir) -> FsResult<()> {
        self.fs.sync(dir)
    }
    fn names_of(&self, at: At<'_>) -> FsResult<Option<Vec<PathBuf>>> {
        self.fs.names_of(at)
    }
    fn volume(&self, dir: &Dir) -> FsResult<VolumeInfo> {
        self.fs.volume(dir)
    }
}

impl FileFs for Hooked<'_> {
    fn open_file(&self, at: At<'_>) -> FsResult<Box<dyn Content>> {
        self.fs.open_file(at)
    }
    fn metadata(&self, at: At<'_>) -> FsResult<Metadata> {
        self.fs.metadata(at)
    }
    fn dir_metadata(&self, dir: &Dir) -> FsResult<Metadata> {
        self.fs.dir_metadata(dir)
    }
    fn set_metadata(&self, at: At<'_>, to: &Metadata) -> FsResult<Vec<Lost>> {
        (self.hook)(self.fs, Call::SetMetadata)?;
        self.fs.set_metadata(at, to)
    }
    fn set_dir_metadata(&self, dir: &Dir, to: &Metadata) -> FsResult<Vec<Lost>> {
        (self.hook)(self.fs, Call::SetMetadata)?;
        self.fs.set_dir_metadata(dir, to)
    }
    fn copy(&self, existing: At<'_>, new: At<'_>, how: CopyHow) -> FsResult<Copied> {
        (self.hook)(self.fs, Call::Copy)?;
        self.fs.copy(existing, new, how)
    }
    fn read_symlink(&self, at: At<'_>) -> FsResult<Vec<u8>> {
        self.fs.read_symlink(at)
    }
    fn settle(&self, dir: &Dir) -> FsResult<()> {
        self.fs.settle(dir)
    }
    fn makes_symlinks(&self) -> bool {
        self.fs.makes_symlinks()
    }
    fn make_symlink(&self, target: &[u8], new: At<'_>) -> FsResult<()> {
        (self.hook)(self.fs, Call::MakeSymlink)?;
        self.fs.make_symlink(target, new)
    }
    fn remove_dir(&self, at: At<'_>) -> FsResult<()> {
        self.fs.remove_dir(at)
    }
}
