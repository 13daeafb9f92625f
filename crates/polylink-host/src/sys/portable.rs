//! What every Unix has, for those without code of their own. On Linux it is compiled for its tests only.

#[cfg(not(target_vendor = "apple"))]
use std::collections::BTreeMap;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use polylink_core::{
    CaseRule, DirBatch, DirIds, FileId, FsResult, HardLinks, Kind, More, Name, NameRules, NameUnit, Stat,
    VolumeInfo,
};
use rustix::fs::{AtFlags, Dir, FileType, OFlags, fstat, fstatvfs, statat};
use rustix::io::Errno;

use super::errno::fault;
use super::unix::HostDir;

const BATCH: usize = 8192;

pub(crate) fn stat_fd(fd: BorrowedFd<'_>) -> FsResult<Stat> {
    Ok(stat_of(&fstat(fd).map_err(fault)?))
}

pub(crate) fn stat_at(dir: BorrowedFd<'_>, name: Name<'_>) -> FsResult<Stat> {
    Ok(stat_of(
        &statat(dir, name.bytes(), AtFlags::SYMLINK_NOFOLLOW).map_err(fault)?,
    ))
}

// the types of these fields differ from system to system
#[allow(clippy::unnecessary_cast, clippy::cast_lossless, clippy::useless_conversion)]
fn stat_of(s: &rustix::fs::Stat) -> Stat {
    Stat {
        id: FileId {
            volume: s.st_dev as u64,
            id: u128::from(s.st_ino as u64),
        },
        kind: kind_of(FileType::from_raw_mode(s.st_mode)),
        links: s.st_nlink as u64,
        size: s.st_size as u64,
        allocated: (s.st_blocks as u64).saturating_mul(512),
        modified: i128::from(s.st_mtime as i64) * 1_000_000_000 + i128::from(s.st_mtime_nsec as i64),
        changed: Some(i128::from(s.st_ctime as i64) * 1_000_000_000 + i128::from(s.st_ctime_nsec as i64)),
        born: None,
        owner: Some(s.st_uid),
        mode: Some(u32::from(s.st_mode) & 0o7777),
        mount: None,
    }
}

fn kind_of(kind: FileType) -> Kind {
    match kind {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Directory,
        FileType::Symlink => Kind::Symlink,
        FileType::Unknown => Kind::Unknown,
        _ => Kind::Special,
    }
}

// nothing is known of the file system here, so its directories are not believed
#[allow(clippy::unnecessary_wraps)]
pub(crate) fn dir_ids(_fd: BorrowedFd<'_>) -> FsResult<DirIds> {
    Ok(DirIds::Untrusted)
}

pub(crate) fn read_dir(dir: &HostDir, batch: &mut DirBatch) -> FsResult<More> {
    batch.start(dir.volume, dir.ids);
    let mut stream = dir.stream.lock().unwrap_or_else(PoisonError::into_inner);
    let entries = match &mut *stream {
        Some(entries) => entries,
        None => stream.insert(Dir::read_from(dir).map_err(fault)?),
    };
    for entry in entries.by_ref() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(errno) => {
                *stream = None;
                return Err(fault(errno));
            }
        };
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            batch.push(name, kind_of(entry.file_type()), u128::from(entry.ino()));
        }
        if batch.len() >= BATCH {
            return Ok(More::Yes);
        }
    }
    *stream = None;
    dir.at_end.store(true, Ordering::Relaxed);
    Ok(More::No)
}

/// What a [`Stat`] does not tell of a file's inode.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub(crate) modified: i128,
    pub(crate) accessed: i128,
    pub(crate) mode: u32,
    pub(crate) owner: u32,
    pub(crate) group: u32,
}

pub(crate) fn facts_fd(fd: BorrowedFd<'_>) -> FsResult<Facts> {
    Ok(facts_of(&fstat(fd).map_err(fault)?))
}

pub(crate) fn facts_at(dir: BorrowedFd<'_>, name: Name<'_>) -> FsResult<Facts> {
    Ok(facts_of(
        &statat(dir, name.bytes(), AtFlags::SYMLINK_NOFOLLOW).map_err(fault)?,
    ))
}

// the types of these fields differ from system to system
#[allow(clippy::unnecessary_cast, clippy::cast_lossless, clippy::useless_conversion)]
fn facts_of(s: &rustix::fs::Stat) -> Facts {
    let time = |seconds: i64, nanoseconds: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
    Facts {
        modified: time(s.st_mtime as i64, s.st_mtime_nsec as i64),
        accessed: time(s.st_atime as i64, s.st_atime_nsec as i64),
        mode: u32::from(s.st_mode) & 0o7777,
        owner: s.st_uid,
        group: s.st_gid,
    }
}

/// Leaves the time of last reading alone: no such flag is common to all.
pub(crate) const WITHOUT_ATIME: OFlags = OFlags::empty();

/// Asks for everything written to any file system to be brought to the disk; POSIX lets it return before.
#[allow(clippy::unnecessary_wraps)]
pub(crate) fn settle(_dir: &HostDir) -> rustix::io::Result<()> {
    rustix::fs::sync();
    Ok(())
}

pub(crate) fn reflink(_to: &OwnedFd, _from: &OwnedFd) -> rustix::io::Result<()> {
    Err(Errno::OPNOTSUPP)
}

pub(crate) fn copy_range(_: &OwnedFd, _: &OwnedFd, _offset: u64, _length: u64) -> rustix::io::Result<u64> {
    Err(Errno::OPNOTSUPP)
}

#[allow(clippy::unnecessary_wraps)]
pub(crate) fn nameless(_dir: &HostDir) -> FsResult<Option<OwnedFd>> {
    Ok(None)
}

pub(crate) fn give_name(_: &OwnedFd, _: &HostDir, _: Name<'_>) -> rustix::io::Result<()> {
    Err(Errno::OPNOTSUPP)
}

#[cfg(target_vendor = "apple")]
pub(crate) use super::unix::content::xattr::{extended, set_extended};

/// No call for extended attributes is common to these systems, so they are not seen.
#[cfg(not(target_vendor = "apple"))]
#[allow(clippy::unnecessary_wraps)]
pub(crate) fn extended(_: BorrowedFd<'_>) -> FsResult<BTreeMap<Vec<u8>, Vec<u8>>> {
    Ok(BTreeMap::new())
}

#[cfg(not(target_vendor = "apple"))]
#[allow(clippy::unnecessary_wraps)]
pub(crate) fn set_extended(_: BorrowedFd<'_>, to: &BTreeMap<Vec<u8>, Vec<u8>>) -> FsResult<bool> {
    Ok(to.is_empty())
}

pub(crate) fn rename_keep(_: &HostDir, _: Name<'_>, _: &HostDir, _: Name<'_>) -> FsResult<()> {
    Err(fault(Errno::OPNOTSUPP))
}

#[allow(clippy::unnecessary_wraps)]
pub(crate) fn names_of(_dir: BorrowedFd<'_>, _name: Name<'_>) -> FsResult<Option<Vec<PathBuf>>> {
    Ok(None)
}

// the types of these fields differ from system to system
#[allow(clippy::unnecessary_cast)]
pub(crate) fn volume(dir: &HostDir) -> FsResult<VolumeInfo> {
    let space = fstatvfs(dir).map_err(fault)?;
    let bytes = |blocks: u64| {
        blocks
            .checked_mul(space.f_frsize as u64)
            .filter(|_| space.f_blocks > 0)
    };
    Ok(VolumeInfo {
        volume: dir.volume,
        kind: "unknown".to_owned(),
        total: bytes(space.f_blocks as u64),
        free: bytes(space.f_bfree as u64),
        available: bytes(space.f_bavail as u64),
        link_limit: None,
        hard_links: HardLinks::Unknown,
        names: NameRules {
            case: CaseRule::Sensitive,
            max_len: usize::try_from(space.f_namemax).unwrap_or(255),
            unit: NameUnit::Bytes,
        },
        dir_ids: dir.ids,
        read_only: false,
    })
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use polylink_core::{At, FaultKind, LinkFs as _};

    use super::*;
    use crate::HostFs;

    #[test]
    fn the_portable_code_agrees_with_the_systems_own() {
        let folder = tempfile::tempdir().unwrap();
        for i in 0..10 {
            std::fs::write(folder.path().join(format!("f{i}")), "data").unwrap();
        }
        let fs = HostFs::new();
        let dir = fs.open_dir(folder.path()).unwrap();
        let handle = dir.handle::<HostDir>().unwrap();
        let name = Name::new("f3");
        let ours = stat_at(handle.as_fd(), name).unwrap();
        let systems = fs.stat(At::new(&dir, name)).unwrap();
        assert_eq!(
            ours,
            Stat {
                born: None,
                mount: None,
                ..systems
            }
        );
        assert_eq!(stat_fd(handle.as_fd()).unwrap().id, fs.stat_dir(&dir).unwrap().id);
        assert_eq!(dir_ids(handle.as_fd()).unwrap(), DirIds::Untrusted);
        assert_eq!(names_of(handle.as_fd(), name).unwrap(), None);
        for _ in 0..2 {
            let mut batch = DirBatch::new();
            assert_eq!(read_dir(handle, &mut batch).unwrap(), More::No);
            assert_eq!(batch.len(), 10);
            assert!(
                batch
                    .iter()
                    .any(|entry| entry.id == systems.id && entry.kind == Kind::File)
            );
        }
        let facts = facts_at(handle.as_fd(), name).unwrap();
        let file = std::fs::File::open(folder.path().join("f3")).unwrap();
        let same = facts_fd(file.as_fd()).unwrap();
        let theirs = super::super::linux::facts_fd(file.as_fd()).unwrap();
        for one in [facts, same] {
            assert_eq!(
                (one.modified, one.mode, one.owner, one.group),
                (theirs.modified, theirs.mode, theirs.owner, theirs.group)
            );
            assert_eq!(one.accessed, theirs.accessed);
        }
        assert_eq!(volume(handle).unwrap().total, fs.volume(&dir).unwrap().total);
        assert_eq!(
            rename_keep(handle, name, handle, name).unwrap_err().kind(),
            FaultKind::Unsupported
        );
        // what these systems have no call for is said, never done by half
        let fd = OwnedFd::from(file);
        assert_eq!(WITHOUT_ATIME, OFlags::empty());
        assert_eq!(settle(handle), Ok(()));
        assert_eq!(reflink(&fd, &fd), Err(Errno::OPNOTSUPP));
        assert_eq!(copy_range(&fd, &fd, 0, 1), Err(Errno::OPNOTSUPP));
        assert_eq!(give_name(&fd, handle, name), Err(Errno::OPNOTSUPP));
        assert!(nameless(handle).unwrap().is_none());
        assert_eq!(extended(fd.as_fd()).unwrap(), BTreeMap::new());
        assert!(set_extended(fd.as_fd(), &BTreeMap::new()).unwrap());
        assert!(!set_extended(fd.as_fd(), &BTreeMap::from([(vec![1], vec![])])).unwrap());
    }
}
