//! Block devices and image files, opened to be overwritten as a whole.

use std::fs::File;
use std::io;
use std::path::Path;

/// What a path leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DiskKind {
    /// A file.
    File,
    /// A block device: a disk, a partition, a loop device.
    BlockDevice,
}

/// Which of both a path leads to, symbolic links followed.
///
/// # Errors
///
/// As the system says; `IsADirectory` for directories, `InvalidInput` for sockets and the like.
pub fn kind_of(path: &Path) -> io::Result<DiskKind> {
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if metadata.is_file() {
        return Ok(DiskKind::File);
    }
    #[cfg(unix)]
    if std::os::unix::fs::FileTypeExt::is_block_device(&metadata.file_type()) {
        return Ok(DiskKind::BlockDevice);
    }
    Err(io::ErrorKind::InvalidInput.into())
}

/// Opens a block device to be read and written, with nobody else on it: the system refuses (`ResourceBusy`) while it is
/// mounted or part of something else. That is so on Linux; elsewhere it is opened as any file.
///
/// # Errors
///
/// As the system says.
pub fn open_exclusively(path: &Path) -> io::Result<File> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, Mode, OFlags, openat};
        let flags = OFlags::RDWR | OFlags::EXCL | OFlags::CLOEXEC;
        Ok(openat(CWD, path, flags, Mode::empty())?.into())
    }
    #[cfg(not(target_os = "linux"))]
    {
        File::options().read(true).write(true).open(path)
    }
}

/// Bytes of the sectors that a block device is addressed by; `None` where it is none, or the system cannot be asked.
#[must_use]
pub fn sector_size(device: &File) -> Option<u32> {
    #[cfg(target_os = "linux")]
    {
        rustix::fs::ioctl_blksszget(device).ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = device;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_from_directories() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image");
        std::fs::write(&path, "x").unwrap();
        assert_eq!(kind_of(&path).unwrap(), DiskKind::File);
        let kind = |path: &Path| kind_of(path).unwrap_err().kind();
        assert_eq!(kind(folder.path()), io::ErrorKind::IsADirectory);
        assert_eq!(kind(&folder.path().join("none")), io::ErrorKind::NotFound);
        assert_eq!(sector_size(&File::open(&path).unwrap()), None);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_neither_file_nor_block_device_is_refused() {
        let kind = kind_of(Path::new("/dev/null")).unwrap_err().kind();
        assert_eq!(kind, io::ErrorKind::InvalidInput);
    }
}
