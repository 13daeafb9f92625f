//! `LinkFs` by the calls of NT: every operation is relative to an open directory, as `linkat` and its like are on Unix.
//!
//! `call` holds all that is unsafe; what lies above it is safe code over bytes. Nothing here uses a call that Windows 7
//! lacks: newer classes of information are tried, and the older ones where the system does not know them.

mod call;
mod change;
mod content;
mod dir;
pub(crate) mod door;
mod fault;
mod names;
mod path;
mod stat;
mod volume;

use std::path::{Path, PathBuf};

use polylink_core::{At, Dir, DirBatch, Existing, FsResult, LinkFs, More, Stat, VolumeInfo};
use windows_sys::Win32::Storage::FileSystem::FILE_READ_ATTRIBUTES;

pub(crate) use call::{user_name, user_number, volume_name, volume_path};
pub(crate) use dir::HostDir;
pub(crate) use fault::{sorted, win32 as win32_fault};
pub(crate) use names::final_path;
pub(crate) use path::{plain, to_path};
pub(crate) use stat::open_path;
pub(crate) use volume::Device;

/// The file systems that the operating system has mounted.
#[derive(Debug, Default)]
pub struct HostFs {
    volumes: dir::Volumes,
}

impl HostFs {
    /// The host's file systems.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

fn handle(dir: &Dir) -> FsResult<&HostDir> {
    dir.handle()
}

impl LinkFs for HostFs {
    fn open_dir(&self, path: &Path) -> FsResult<Dir> {
        path::to_nt(path)
            .and_then(|path| self.volumes.open_path(&path))
            .map_err(sorted)
    }

    fn open_child(&self, at: At<'_>) -> FsResult<Dir> {
        self.volumes.open_child(handle(at.dir)?, at.name).map_err(sorted)
    }

    fn read_dir(&self, dir: &Dir, batch: &mut DirBatch) -> FsResult<More> {
        dir::read(handle(dir)?, batch).map_err(sorted)
    }

    fn stat(&self, at: At<'_>) -> FsResult<Stat> {
        let dir = handle(at.dir)?;
        dir.open(at.name, FILE_READ_ATTRIBUTES, stat::ITSELF)
            .and_then(|file| stat::stat(&file, dir.volume, dir.form))
            .map_err(sorted)
    }

    fn stat_dir(&self, dir: &Dir) -> FsResult<Stat> {
        let dir = handle(dir)?;
        stat::stat(&dir.file, dir.volume, dir.form).map_err(sorted)
    }

    fn link(&self, existing: At<'_>, new: At<'_>) -> FsResult<()> {
        change::link(handle(existing.dir)?, existing.name, handle(new.dir)?, new.name).map_err(sorted)
    }

    fn rename(&self, old: At<'_>, new: At<'_>, on: Existing) -> FsResult<()> {
        change::rename(handle(old.dir)?, old.name, handle(new.dir)?, new.name, on).map_err(sorted)
    }

    fn unlink(&self, at: At<'_>) -> FsResult<()> {
        change::unlink(handle(at.dir)?, at.name).map_err(sorted)
    }

    fn make_dir(&self, at: At<'_>) -> FsResult<()> {
        change::make_dir(handle(at.dir)?, at.name).map_err(sorted)
    }

    fn sync(&self, dir: &Dir) -> FsResult<()> {
        change::sync(handle(dir)?).map_err(sorted)
    }

    fn names_of(&self, at: At<'_>) -> FsResult<Option<Vec<PathBuf>>> {
        names::names_of(handle(at.dir)?, at.name).map_err(sorted)
    }

    fn volume(&self, dir: &Dir) -> FsResult<VolumeInfo> {
        volume::volume(handle(dir)?).map_err(sorted)
    }
}
