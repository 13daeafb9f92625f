//! `LinkFs` by the calls that every Unix has.

pub(crate) mod content;

use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{PoisonError, RwLock};

use polylink_core::{
    At, Dir, DirBatch, DirIds, Existing, Fault, FaultKind, FsResult, LinkFs, More, Stat, VolumeInfo,
};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, fsync, linkat, mkdirat, openat, renameat, unlinkat};

use rustix::io::Errno;

use super::errno::fault;
use super::platform;

/// The file systems that the operating system has mounted.
#[derive(Debug, Default)]
pub struct HostFs {
    /// What directory reads are worth, by volume.
    ids: RwLock<HashMap<u64, DirIds>>,
}

/// What stands behind a [`Dir`] here.
#[derive(Debug)]
pub(crate) struct HostDir {
    pub(crate) fd: OwnedFd,
    pub(crate) volume: u64,
    pub(crate) ids: DirIds,
    /// Whether the next read begins anew.
    pub(crate) at_end: AtomicBool,
    #[cfg(any(not(target_os = "linux"), test))]
    /// What the portable reader keeps between two batches.
    pub(crate) stream: std::sync::Mutex<Option<rustix::fs::Dir>>,
}

impl AsFd for HostDir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

const OPEN: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

impl HostFs {
    /// The host's file systems.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn wrap(&self, fd: OwnedFd) -> FsResult<Dir> {
        let volume = platform::stat_fd(fd.as_fd())?.id.volume;
        let known = self
            .ids
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&volume)
            .copied();
        let ids = match known {
            Some(ids) => ids,
            None => {
                let ids = platform::dir_ids(fd.as_fd())?;
                self.ids
                    .write()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(volume, ids);
                ids
            }
        };
        Ok(Dir::new(HostDir {
            fd,
            volume,
            ids,
            at_end: AtomicBool::new(false),
            #[cfg(any(not(target_os = "linux"), test))]
            stream: std::sync::Mutex::default(),
        }))
    }
}

/// As [`fault`], for a link: ntfs-3g answers ERANGE where the record of the file has no room for one more name.
fn link_fault(errno: Errno) -> Fault {
    let found = fault(errno);
    match errno {
        Errno::RANGE => Fault::new(FaultKind::TooManyLinks, found.code(), found.symbol()),
        _ => found,
    }
}

fn handle(dir: &Dir) -> FsResult<&HostDir> {
    dir.handle()
}

impl LinkFs for HostFs {
    fn open_dir(&self, path: &Path) -> FsResult<Dir> {
        self.wrap(openat(CWD, path, OPEN, Mode::empty()).map_err(fault)?)
    }

    fn open_child(&self, at: At<'_>) -> FsResult<Dir> {
        let flags = OPEN.union(OFlags::NOFOLLOW);
        self.wrap(openat(handle(at.dir)?, at.name.bytes(), flags, Mode::empty()).map_err(fault)?)
    }

    fn read_dir(&self, dir: &Dir, batch: &mut DirBatch) -> FsResult<More> {
        platform::read_dir(handle(dir)?, batch)
    }

    fn stat(&self, at: At<'_>) -> FsResult<Stat> {
        platform::stat_at(handle(at.dir)?.as_fd(), at.name)
    }

    fn stat_dir(&self, dir: &Dir) -> FsResult<Stat> {
        platform::stat_fd(handle(dir)?.as_fd())
    }

    fn link(&self, existing: At<'_>, new: At<'_>) -> FsResult<()> {
        // no AT_SYMLINK_FOLLOW: a link to a symbolic link is a name of the link itself, as on NT
        linkat(
            handle(existing.dir)?,
            existing.name.bytes(),
            handle(new.dir)?,
            new.name.bytes(),
            AtFlags::empty(),
        )
        .map_err(link_fault)
    }

    fn rename(&self, old: At<'_>, new: At<'_>, on: Existing) -> FsResult<()> {
        match on {
            Existing::Replace => renameat(
                handle(old.dir)?,
                old.name.bytes(),
                handle(new.dir)?,
                new.name.bytes(),
            )
            .map_err(fault),
            Existing::Keep => {
                match platform::rename_keep(handle(old.dir)?, old.name, handle(new.dir)?, new.name) {
                    // where the file system cannot refuse to replace, a link can: then both names exist for a moment
                    Err(refused)
                        if matches!(refused.kind(), FaultKind::Unsupported | FaultKind::NameInvalid) =>
                    {
                        self.link(old, new)?;
                        self.unlink(old)
                    }
                    renamed => renamed,
                }
            }
        }
    }

    fn unlink(&self, at: At<'_>) -> FsResult<()> {
        unlinkat(handle(at.dir)?, at.name.bytes(), AtFlags::empty()).map_err(fault)
    }

    fn make_dir(&self, at: At<'_>) -> FsResult<()> {
        mkdirat(handle(at.dir)?, at.name.bytes(), Mode::from_raw_mode(0o777)).map_err(fault)
    }

    fn sync(&self, dir: &Dir) -> FsResult<()> {
        match fsync(handle(dir)?).map_err(fault) {
            // file systems without it (some FUSE ones) say so in these ways; there is nothing more that we can do
            Err(refused) if matches!(refused.kind(), FaultKind::Unsupported | FaultKind::NameInvalid) => {
                Ok(())
            }
            synced => synced,
        }
    }

    fn names_of(&self, at: At<'_>) -> FsResult<Option<Vec<PathBuf>>> {
        platform::names_of(handle(at.dir)?.as_fd(), at.name)
    }

    fn volume(&self, dir: &Dir) -> FsResult<VolumeInfo> {
        platform::volume(handle(dir)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_room_in_the_record_is_a_limit_of_names() {
        assert_eq!(link_fault(Errno::RANGE).kind(), FaultKind::TooManyLinks);
        assert_eq!(link_fault(Errno::RANGE).symbol(), "ERANGE");
        assert_eq!(link_fault(Errno::XDEV), fault(Errno::XDEV));
    }
}
