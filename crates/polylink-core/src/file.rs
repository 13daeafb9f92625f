//! Files: identity, kind and the figures that a file system keeps for them.

use std::fmt;

/// The identity of a file: the volume it lives on and its number there.
///
/// On Unix `volume` is `st_dev` and `id` the inode number; on NTFS the MFT reference with its sequence number.
/// Two names with equal `FileId` at one time are names of one file. The numbers may be used again once the file's
/// last name and last handle are gone, and `volume` may differ after a restart: store it only with something that
/// tells the two apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FileId {
    /// The volume, unique among those mounted now.
    pub volume: u64,
    /// The file's number on the volume.
    pub id: u128,
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}:{}", self.volume, self.id)
    }
}

/// What a directory entry points at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link (on Windows also any other name surrogate).
    Symlink,
    /// A device, pipe, socket or the like.
    Special,
    /// The directory does not say; only [`crate::LinkFs::stat`] knows.
    Unknown,
}

/// What the file system tells about one file, as of one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stat {
    /// Which file.
    pub id: FileId,
    /// What it is; never [`Kind::Unknown`].
    pub kind: Kind,
    /// Names of the file, without 8.3 twins.
    pub links: u64,
    /// Length of the data in bytes.
    pub size: u64,
    /// Bytes allocated on the disk.
    pub allocated: u64,
    /// Last change of the data, nanoseconds since 1970 (UTC).
    pub modified: i128,
    /// Last change of data, metadata or names, nanoseconds since 1970 (UTC), where the file system keeps one that nobody
    /// can set: a file with an older one is as it was.
    pub changed: Option<i128>,
    /// Creation time, nanoseconds since 1970 (UTC), where the file system keeps one. It tells a file from a later
    /// one with the same number.
    pub born: Option<i128>,
    /// Owner: the user id on Unix.
    pub owner: Option<u32>,
    /// Permission bits on Unix.
    pub mode: Option<u32>,
    /// The mount the file was reached through, where the system tells: two bind mounts of one volume differ here.
    pub mount: Option<u64>,
}
