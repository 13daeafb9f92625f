//! Copies as Linux makes them best: blocks shared, by the kernel itself, in a file that has no name until it is whole.

use std::os::fd::{AsRawFd as _, OwnedFd};

use polylink_core::{FsResult, Name};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, copy_file_range, ioctl_ficlone, linkat, openat, syncfs};
use rustix::io::Errno;

use super::super::errno::fault;
use super::super::unix::HostDir;

/// Leaves the time of last reading alone.
pub(crate) const WITHOUT_ATIME: OFlags = OFlags::NOATIME;

/// Returns once everything written to the file system of `dir` is on the disk (syncfs(2)).
pub(crate) fn settle(dir: &HostDir) -> rustix::io::Result<()> {
    syncfs(dir)
}

/// Lets `to` share the blocks of `from`.
pub(crate) fn reflink(to: &OwnedFd, from: &OwnedFd) -> rustix::io::Result<()> {
    ioctl_ficlone(to, from)
}

/// Copies up to `length` bytes at `offset` within the kernel and says how many.
pub(crate) fn copy_range(from: &OwnedFd, to: &OwnedFd, offset: u64, length: u64) -> rustix::io::Result<u64> {
    let (mut source, mut target) = (offset, offset);
    let length = usize::try_from(length).unwrap_or(usize::MAX).min(1 << 30);
    copy_file_range(from, Some(&mut source), to, Some(&mut target), length).map(|n| n as u64)
}

/// A new file in `dir` that has no name, so that nothing of it stays when this process ends; `None` where the file
/// system has none such.
pub(crate) fn nameless(dir: &HostDir) -> FsResult<Option<OwnedFd>> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    match openat(dir, c".", flags, Mode::RUSR | Mode::WUSR) {
        Ok(fd) => Ok(Some(fd)),
        // open(2): EOPNOTSUPP; EISDIR, ENOENT and EINVAL from kernels and file systems that do not know the flag
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::NOENT | Errno::INVAL | Errno::NOSYS) => Ok(None),
        Err(errno) => Err(fault(errno)),
    }
}

/// Gives such a file its name (open(2), `O_TMPFILE`: by way of /proc, which needs no privilege).
pub(crate) fn give_name(file: &OwnedFd, dir: &HostDir, name: Name<'_>) -> rustix::io::Result<()> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    linkat(CWD, path.as_str(), dir, name.bytes(), AtFlags::SYMLINK_FOLLOW)
}
