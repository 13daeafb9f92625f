//! The names of a file by asking btrfs: `BTRFS_IOC_INO_PATHS`.
//!
//! The one place outside the Windows code with `unsafe`: no safe wrapper of this call keeps names that are not text
//! or tells when some are missing (docs/design/0001-unsafe-in-btrfs.md).

use std::ffi::OsStr;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use polylink_core::{FsResult, Name};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::ioctl::{Opcode, Updater, ioctl, opcode};

pub(super) use super::case::fd_path as path_of;
use super::{stat_at, stat_fd};

/// `struct btrfs_ioctl_ino_path_args` (linux/btrfs.h).
#[repr(C)]
struct InoPathArgs {
    inum: u64,
    size: u64,
    reserved: [u64; 4],
    fspath: u64,
}

const INO_PATHS: Opcode = opcode::read_write::<InoPathArgs>(0x94, 35);

/// The kernel gives no more than this many bytes, whatever is asked (fs/btrfs/ioctl.c, `btrfs_ioctl_ino_to_path`).
const ANSWER_BYTES: usize = 4096;
/// `struct btrfs_data_container`: `bytes_left, bytes_missing, elem_cnt, elem_missed: u32`, then `val[]: u64`.
const VALUES: usize = 16;
/// The inode number of a subvolume's top directory, `BTRFS_FIRST_FREE_OBJECTID`.
const TOP: u128 = 256;

/// Every name of the file, or `None` where the file system will not tell (no privilege, more names than fit one
/// answer, a subvolume whose top is not visible here) or where what it tells is not all that the link count promises.
pub(super) fn names_of(dir: BorrowedFd<'_>, name: Name<'_>) -> FsResult<Option<Vec<PathBuf>>> {
    let stat = stat_at(dir, name)?;
    let (Some(top), Ok(inode)) = (
        path_of(dir).and_then(|path| subvolume_top(&path)),
        u64::try_from(stat.id.id),
    ) else {
        return Ok(None);
    };
    let Some(relative) = ask(dir, inode) else {
        return Ok(None);
    };
    let mut names: Vec<PathBuf> = relative.into_iter().map(|path| top.join(path)).collect();
    names.sort();
    names.dedup();
    names.retain(|path| {
        let (Some(parent), Some(last)) = (path.parent(), path.file_name()) else {
            return false;
        };
        openat(
            CWD,
            parent,
            OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .ok()
        .and_then(|parent| stat_at(std::os::fd::AsFd::as_fd(&parent), Name::from_os(last)).ok())
        .is_some_and(|found| found.id == stat.id)
    });
    Ok((names.len() as u64 == stat.links).then_some(names))
}

fn subvolume_top(path: &Path) -> Option<PathBuf> {
    path.ancestors()
        .find(|dir| {
            openat(
                CWD,
                *dir,
                OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
                Mode::empty(),
            )
            .ok()
            .and_then(|fd| stat_fd(std::os::fd::AsFd::as_fd(&fd)).ok())
            .is_some_and(|stat| stat.id.id == TOP)
        })
        .map(Path::to_path_buf)
}

#[allow(unsafe_code)]
fn ask(dir: BorrowedFd<'_>, inode: u64) -> Option<Vec<PathBuf>> {
    let mut answer = vec![0_u8; ANSWER_BYTES];
    let mut args = InoPathArgs {
        inum: inode,
        size: ANSWER_BYTES as u64,
        reserved: [0; 4],
        fspath: answer.as_mut_ptr() as u64,
    };
    // SAFETY: INO_PATHS reads and writes one `InoPathArgs`, whose layout is the kernel's, and writes at most `size`
    // bytes at `fspath`, which is the buffer `answer` of just that size, alive and not otherwise used until it returns.
    unsafe { ioctl(dir, Updater::<INO_PATHS, InoPathArgs>::new(&mut args)) }.ok()?;
    parse(&answer)
}

/// The paths in a `btrfs_data_container`; `None` where it lacks some or does not hold together.
#[allow(clippy::host_endian_bytes)] // a kernel structure in memory, not bytes on a disk
fn parse(answer: &[u8]) -> Option<Vec<PathBuf>> {
    let u32_at = |at: usize| answer.get(at..)?.first_chunk().copied().map(u32::from_ne_bytes);
    let (count, missed) = (u32_at(8)?, u32_at(12)?);
    if missed != 0 {
        return None;
    }
    let values = answer.get(VALUES..)?;
    (0..usize::try_from(count).ok()?)
        .map(|index| {
            let offset = values
                .get(index.checked_mul(8)?..)?
                .first_chunk()
                .copied()
                .map(u64::from_ne_bytes)?;
            let path = values.get(usize::try_from(offset).ok()?..)?;
            let end = path.iter().position(|&byte| byte == 0)?;
            Some(PathBuf::from(OsStr::from_bytes(&path[..end])))
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::host_endian_bytes)]
mod tests {
    use super::*;

    fn container(count: u32, missed: u32, offsets: &[u64], tail: &[u8]) -> Vec<u8> {
        let mut bytes = [0_u32, 0, count, missed]
            .iter()
            .flat_map(|n| n.to_ne_bytes())
            .collect::<Vec<u8>>();
        bytes.extend(offsets.iter().flat_map(|n| n.to_ne_bytes()));
        bytes.extend(tail);
        bytes
    }

    #[test]
    fn an_answer_gives_its_paths_and_a_broken_one_none() {
        let good = container(2, 0, &[16, 20], b"a/b\0\xff\0");
        assert_eq!(
            parse(&good).unwrap(),
            [Path::new("a/b"), Path::new(OsStr::from_bytes(b"\xff"))]
        );
        assert_eq!(
            parse(&container(2, 1, &[16, 20], b"a/b\0c\0")),
            None,
            "some are missing"
        );
        assert_eq!(
            parse(&container(1, 0, &[900], b"a\0")),
            None,
            "an offset past the end"
        );
        assert_eq!(parse(&container(9, 0, &[], b"")), None, "more paths than bytes");
        assert_eq!(parse(&container(1, 0, &[8], b"a")), None, "no end");
        assert_eq!(parse(b"short"), None);
    }
}
