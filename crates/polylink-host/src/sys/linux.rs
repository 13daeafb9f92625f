//! What Linux does better: `statx`, `getdents64`, `statfs` by kind, casefold flags, names by inode on btrfs.

pub(crate) mod btrfs;
mod case;
mod copy;
mod kinds;

use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use polylink_core::{
    DirBatch, DirIds, FileId, FsResult, Kind, More, Name, NameRules, NameUnit, Stat, VolumeInfo,
};
use rustix::fs::{
    AtFlags, FileType, RawDir, RenameFlags, SeekFrom, StatVfsMountFlags, Statx, StatxFlags, fstatfs,
    fstatvfs, makedev, renameat_with, seek, statx,
};

use super::errno::fault;
use super::unix::HostDir;
pub(crate) use super::unix::content::xattr::{extended, set_extended};
pub(crate) use copy::{WITHOUT_ATIME, copy_range, give_name, nameless, reflink, settle};

const WANTED: StatxFlags = StatxFlags::BASIC_STATS
    .union(StatxFlags::BTIME)
    .union(StatxFlags::MNT_ID);

/// How much of a directory one `getdents64` may give, in bytes.
const READ_AT_ONCE: usize = 256 * 1024;
/// A batch ends once it holds this many entries.
const BATCH: usize = 8192;

pub(crate) fn stat_fd(fd: BorrowedFd<'_>) -> FsResult<Stat> {
    Ok(stat_of(
        &statx(fd, c"", AtFlags::EMPTY_PATH, WANTED).map_err(fault)?,
    ))
}

pub(crate) fn stat_at(dir: BorrowedFd<'_>, name: Name<'_>) -> FsResult<Stat> {
    Ok(stat_of(
        &statx(dir, name.bytes(), AtFlags::SYMLINK_NOFOLLOW, WANTED).map_err(fault)?,
    ))
}

fn stat_of(x: &Statx) -> Stat {
    let has = |flag: StatxFlags| x.stx_mask & flag.bits() != 0;
    Stat {
        id: FileId {
            volume: makedev(x.stx_dev_major, x.stx_dev_minor),
            id: u128::from(x.stx_ino),
        },
        kind: kind_of(FileType::from_raw_mode(u32::from(x.stx_mode))),
        links: u64::from(x.stx_nlink),
        size: x.stx_size,
        // stx_blocks counts 512 bytes whatever the block size is (statx(2))
        allocated: x.stx_blocks.saturating_mul(512),
        modified: time(x.stx_mtime.tv_sec, x.stx_mtime.tv_nsec),
        changed: Some(time(x.stx_ctime.tv_sec, x.stx_ctime.tv_nsec)),
        born: has(StatxFlags::BTIME).then(|| time(x.stx_btime.tv_sec, x.stx_btime.tv_nsec)),
        owner: Some(x.stx_uid),
        mode: Some(u32::from(x.stx_mode & 0o7777)),
        mount: has(StatxFlags::MNT_ID).then_some(x.stx_mnt_id),
    }
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
    Ok(facts_of(
        &statx(fd, c"", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS).map_err(fault)?,
    ))
}

pub(crate) fn facts_at(dir: BorrowedFd<'_>, name: Name<'_>) -> FsResult<Facts> {
    Ok(facts_of(
        &statx(
            dir,
            name.bytes(),
            AtFlags::SYMLINK_NOFOLLOW,
            StatxFlags::BASIC_STATS,
        )
        .map_err(fault)?,
    ))
}

fn facts_of(x: &Statx) -> Facts {
    Facts {
        modified: time(x.stx_mtime.tv_sec, x.stx_mtime.tv_nsec),
        accessed: time(x.stx_atime.tv_sec, x.stx_atime.tv_nsec),
        mode: u32::from(x.stx_mode & 0o7777),
        owner: x.stx_uid,
        group: x.stx_gid,
    }
}

fn time(seconds: i64, nanoseconds: u32) -> i128 {
    i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)
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

pub(crate) fn dir_ids(fd: BorrowedFd<'_>) -> FsResult<DirIds> {
    let kind = kinds::of(fstatfs(fd).map_err(fault)?.f_type);
    Ok(if kind.dir_ids {
        DirIds::Trusted
    } else {
        DirIds::Untrusted
    })
}

pub(crate) fn read_dir(dir: &HostDir, batch: &mut DirBatch) -> FsResult<More> {
    if dir.at_end.swap(false, Ordering::Relaxed) {
        seek(dir, SeekFrom::Start(0)).map_err(fault)?;
    }
    batch.start(dir.volume, dir.ids);
    let mut buffer = std::mem::take(batch.scratch());
    buffer.clear();
    buffer.reserve(READ_AT_ONCE);
    let more = fill(dir, batch, buffer.spare_capacity_mut());
    *batch.scratch() = buffer;
    if let Ok(More::No) = more {
        dir.at_end.store(true, Ordering::Relaxed);
    }
    more
}

fn fill(dir: &HostDir, batch: &mut DirBatch, buffer: &mut [MaybeUninit<u8>]) -> FsResult<More> {
    let mut entries = RawDir::new(dir, buffer);
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(fault)?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            batch.push(name, kind_of(entry.file_type()), u128::from(entry.ino()));
        }
        // only between two system calls is nothing lost by returning
        if batch.len() >= BATCH && entries.is_buffer_empty() {
            return Ok(More::Yes);
        }
    }
    Ok(More::No)
}

pub(crate) fn rename_keep(
    old_dir: &HostDir,
    old: Name<'_>,
    new_dir: &HostDir,
    new: Name<'_>,
) -> FsResult<()> {
    renameat_with(old_dir, old.bytes(), new_dir, new.bytes(), RenameFlags::NOREPLACE).map_err(fault)
}

pub(crate) fn names_of(dir: BorrowedFd<'_>, name: Name<'_>) -> FsResult<Option<Vec<PathBuf>>> {
    match kinds::of(fstatfs(dir).map_err(fault)?.f_type).name {
        "btrfs" => btrfs::names_of(dir, name),
        _ => Ok(None),
    }
}

pub(crate) fn volume(dir: &HostDir) -> FsResult<VolumeInfo> {
    let kind = kinds::of(fstatfs(dir).map_err(fault)?.f_type);
    let space = fstatvfs(dir).map_err(fault)?;
    let bytes = |blocks: u64| blocks.checked_mul(space.f_frsize).filter(|_| space.f_blocks > 0);
    Ok(VolumeInfo {
        volume: dir.volume,
        kind: kinds::display_name(&kind, dir),
        total: bytes(space.f_blocks),
        free: bytes(space.f_bfree),
        available: bytes(space.f_bavail),
        link_limit: kind.link_limit,
        hard_links: kind.hard_links,
        names: NameRules {
            case: case::rule(dir.as_fd(), &kind),
            max_len: usize::try_from(space.f_namemax).unwrap_or(255),
            unit: NameUnit::Bytes,
        },
        dir_ids: dir.ids,
        read_only: space.f_flag.contains(StatVfsMountFlags::RDONLY),
    })
}
