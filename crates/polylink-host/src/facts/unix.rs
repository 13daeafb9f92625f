//! The facts on Unix.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::{Path, PathBuf};

use polylink_core::{Dir, Fault, FsResult, PathError, ResultExt as _};
use rustix::fs::{CWD, Mode, OFlags, openat};

use super::{Attributes, Mount};
use crate::sys::{HostDir, fault};

pub(super) fn mount_of(path: &Path) -> io::Result<Mount> {
    let fd = openat(CWD, path, path_only(), Mode::empty())?;
    mount::of(fd.as_fd())
}

#[cfg(target_os = "linux")]
pub(crate) fn mount_of_fd(dir: &HostDir) -> io::Result<Mount> {
    mount::of(dir.as_fd())
}

#[cfg(target_os = "linux")]
fn path_only() -> OFlags {
    OFlags::PATH | OFlags::CLOEXEC
}

#[cfg(not(target_os = "linux"))]
fn path_only() -> OFlags {
    OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC
}

#[cfg(not(target_os = "linux"))]
mod mount {
    use super::*;

    pub(super) fn of(_fd: BorrowedFd<'_>) -> io::Result<Mount> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(target_os = "linux")]
mod mount {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use rustix::fs::{AtFlags, StatxFlags, statx};

    use super::{BorrowedFd, Mount, PathBuf, io};

    pub(super) fn of(fd: BorrowedFd<'_>) -> io::Result<Mount> {
        let id = statx(fd, c"", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID)?.stx_mnt_id;
        let table = std::fs::read("/proc/self/mountinfo")?;
        table
            .split(|&byte| byte == b'\n')
            .filter_map(parse)
            .find_map(|(found, mount)| (found == id).then_some(mount))
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
    pub(super) fn parse(line: &[u8]) -> Option<(u64, Mount)> {
        let mut fields = line.split(|&byte| byte == b' ');
        let id = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
        let (root, point) = (fields.nth(2)?, fields.next()?);
        let own = fields.next()?;
        let mut fields = fields.skip_while(|field| *field != b"-").skip(1);
        let text = |bytes: &[u8]| String::from_utf8_lossy(&unescape(bytes)).into_owned();
        let path = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(&unescape(bytes)));
        let fs = text(fields.next()?);
        let source = text(fields.next()?);
        let options = format!("{},{}", text(own), text(fields.next().unwrap_or_default()));
        Some((
            id,
            Mount {
                point: path(point),
                fs,
                root: path(root),
                source,
                options,
            },
        ))
    }

    /// Space, tab, newline and backslash stand as `\040` and so on.
    fn unescape(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let [first, tail @ ..] = rest {
            if let (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) = (first, tail) {
                out.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                rest = after;
            } else {
                out.push(*first);
                rest = tail;
            }
        }
        out
    }

    #[cfg(test)]
    mod tests {
        use std::path::Path;

        use super::*;

        #[test]
        fn a_line_of_the_table_is_read_with_its_escapes() {
            let line =
                b"36 35 98:0 /sub /mnt\\040two rw,noatime master:1 - ext3 /dev/root rw,errors=continue";
            let (id, mount) = parse(line).unwrap();
            assert_eq!(id, 36);
            assert_eq!(mount.point, Path::new("/mnt two"));
            assert_eq!(mount.root, Path::new("/sub"));
            assert_eq!((mount.fs.as_str(), mount.source.as_str()), ("ext3", "/dev/root"));
            assert_eq!(mount.options, "rw,noatime,rw,errors=continue");
            assert!(parse(b"nonsense").is_none());
        }

        #[test]
        fn the_mount_of_a_temporary_folder_holds_it() {
            let folder = tempfile::tempdir().unwrap();
            let mount = super::super::mount_of(folder.path()).unwrap();
            assert!(folder.path().canonicalize().unwrap().starts_with(&mount.point));
        }
    }
}

#[cfg(target_os = "linux")]
pub(super) fn attributes(path: &Path) -> Option<Attributes> {
    use rustix::fs::{IFlags, ioctl_getflags};
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let flags = ioctl_getflags(openat(CWD, path, flags, Mode::empty()).ok()?).ok()?;
    Some(Attributes {
        immutable: flags.contains(IFlags::IMMUTABLE),
        append_only: flags.contains(IFlags::APPEND),
        hands_project_down: flags.contains(IFlags::PROJECT_INHERIT),
    })
}

#[cfg(not(target_os = "linux"))]
pub(super) fn attributes(_path: &Path) -> Option<Attributes> {
    None
}

pub(super) fn protected_hardlinks() -> Option<bool> {
    let setting = std::fs::read_to_string("/proc/sys/fs/protected_hardlinks").ok()?;
    Some(setting.trim() != "0")
}

pub(super) fn user_name(uid: u32) -> Option<String> {
    let table = std::fs::read_to_string("/etc/passwd").ok()?;
    table.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

pub(super) fn current_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

pub(super) fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // OK to ignore: then there are fewer, and a directory that cannot be opened is reported
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    );
}

pub(super) fn sync(dir: &Dir) -> FsResult<()> {
    let dir: &HostDir = dir.handle()?;
    #[cfg(target_os = "linux")]
    {
        rustix::fs::syncfs(dir).map_err(fault)
    }
    #[cfg(not(target_os = "linux"))]
    {
        rustix::fs::fsync(dir).map_err(fault)
    }
}

pub(super) fn fault_of(error: &io::Error) -> Option<Fault> {
    rustix::io::Errno::from_io_error(error).map(fault)
}

pub(super) fn absolute(path: &Path) -> Result<PathBuf, PathError> {
    std::fs::canonicalize(path)
        .map_err(|error| {
            let errno = rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::IO);
            fault(errno)
        })
        .at("find", path)
}
