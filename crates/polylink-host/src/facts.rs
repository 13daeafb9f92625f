//! What a person needs to know when an operation is refused: mounts, owners, attributes, the system's settings.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as platform;
#[cfg(windows)]
use windows as platform;

use std::io;
use std::path::{Path, PathBuf};

use polylink_core::{Dir, Fault, FsResult, PathError};

/// One line of the mount table (proc(5), `mountinfo`); on Windows a volume and where it is mounted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mount {
    /// Where it is mounted: on Windows a drive such as `C:\`, a folder, or a share.
    pub point: PathBuf,
    /// The file system's type, such as `ext4`, `fuse.mergerfs` or `NTFS`.
    pub fs: String,
    /// The directory of the file system that stands at the mount point: not `/` for a bind mount or a subvolume.
    pub root: PathBuf,
    /// The device or other source: on Windows the volume's own name `\\?\Volume{…}\`, or the share.
    pub source: String,
    /// The options of the mount and of the file system, separated by commas. On Windows `ro` or `rw`, and `remote`.
    pub options: String,
}

/// Attributes that refuse links whatever the permissions say (chattr(1), xfs_quota(8)).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attributes {
    /// The file cannot be changed in any way, further names included.
    pub immutable: bool,
    /// The file can only grow.
    pub append_only: bool,
    /// Of a directory: what is made in it gets its project, so that quotas count it there; the names of files of other
    /// projects are refused (`EXDEV`).
    pub hands_project_down: bool,
}

/// The mount that a path is reached through, symbolic links followed.
///
/// # Errors
///
/// As opening the path does; `Unsupported` where the system has no such table.
pub fn mount_of(path: &Path) -> io::Result<Mount> {
    platform::mount_of(path)
}

/// The attributes of a file; `None` where the file system has none or they cannot be read, and on Windows, where no
/// attribute refuses links.
#[must_use]
pub fn attributes(path: &Path) -> Option<Attributes> {
    platform::attributes(path)
}

/// Whether `fs.protected_hardlinks` is on: one must then own a file, or be able to read and write it, to link it
/// (proc(5)). `None` where the system has no such setting.
#[must_use]
pub fn protected_hardlinks() -> Option<bool> {
    platform::protected_hardlinks()
}

/// The name of a user: on Unix as the local user table has it, on Windows of the current one only.
#[must_use]
pub fn user_name(uid: u32) -> Option<String> {
    platform::user_name(uid)
}

/// The user that this process acts as: on Windows the last part of the security identifier, 500 for the administrator.
#[must_use]
pub fn current_user() -> u32 {
    platform::current_user()
}

/// Lets this process open as many files as the system allows it; deep trees need a handle for each level. On Windows
/// there is no such limit.
pub fn raise_open_files() {
    platform::raise_open_files();
}

/// Writes all that waits in memory for the directory's file system to the disk, so that free space can be measured. On
/// Windows, where that takes an administrator, it is the directory's own.
///
/// # Errors
///
/// As the file system says.
pub fn sync(dir: &Dir) -> FsResult<()> {
    platform::sync(dir)
}

/// The fault behind an error of the standard library, where the system gave a number.
#[must_use]
pub fn fault_of(error: &io::Error) -> Option<Fault> {
    platform::fault_of(error)
}

/// The absolute path without symbolic links, `.` and `..`. On Windows without `\\?\` in front where it is short and
/// means the same without.
///
/// # Errors
///
/// As the file system says, with the path.
pub fn absolute(path: &Path) -> Result<PathBuf, PathError> {
    platform::absolute(path)
}

#[cfg(target_os = "linux")]
pub(crate) use unix::mount_of_fd;
