//! [`FileFs`]: what the jobs that look into files and make new ones need beyond [`LinkFs`].

use std::collections::BTreeMap;

use crate::error::{Fault, FaultKind};
use crate::file::{Kind, Stat};
use crate::fs::{At, Dir, FsResult, LinkFs};
use crate::name::{Name, NameBuf};
use crate::replace::hash_name;

/// A regular file that is open for reading. It stays the file it was, whatever becomes of its names.
pub trait Content: Send + Sync {
    /// Looks at the file as it is now.
    ///
    /// # Errors
    ///
    /// As the file system says.
    fn stat(&self) -> FsResult<Stat>;

    /// Reads into `buf` from `offset` bytes on and says how many bytes came: 0 only at the end, fewer than asked for
    /// wherever the file system likes.
    ///
    /// # Errors
    ///
    /// As the file system says; [`FaultKind::Interrupted`] is never given.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> FsResult<usize>;

    /// Where on the disk the content begins, in bytes, where the file system tells: files read in this order are read
    /// in one sweep.
    fn place(&self) -> Option<u64>;
}

impl dyn Content + '_ {
    /// Reads until `buf` is full or the file ends, and says how many bytes came.
    ///
    /// # Errors
    ///
    /// As [`Content::read_at`].
    pub fn read_full(&self, offset: u64, buf: &mut [u8]) -> FsResult<usize> {
        let mut done = 0;
        while let Some(rest) = buf.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.read_at(offset.saturating_add(done as u64), rest)? {
                0 => break,
                n => done += n,
            }
        }
        Ok(done)
    }
}

/// All that a file has besides its data and its names, as of one moment. What a file system does not have is `None`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Metadata {
    /// Last change of the data, nanoseconds since 1970 (UTC).
    pub modified: i128,
    /// Last reading, nanoseconds since 1970 (UTC).
    pub accessed: Option<i128>,
    /// Creation, nanoseconds since 1970 (UTC), where it can be set too (NTFS).
    pub created: Option<i128>,
    /// Permission bits of Unix, with set-uid, set-gid and sticky.
    pub mode: Option<u32>,
    /// User id.
    pub owner: Option<u32>,
    /// Group id.
    pub group: Option<u32>,
    /// `FILE_ATTRIBUTE_…` bits of NT that a program can set.
    pub attributes: Option<u32>,
    /// Extended attributes, access lists among them, by their names; of NTFS the alternate data streams by theirs.
    pub extended: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// A part of [`Metadata`] that could not be kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Lost {
    /// User or group: only root gives files away.
    Owner,
    /// Permission bits.
    Mode,
    /// Times.
    Times,
    /// Attributes of NT.
    Attributes,
    /// Extended attributes or access lists.
    Extended,
}

/// Whether a copy may share its blocks with the original until one of them is changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reflink {
    /// Every byte is written anew.
    Never,
    /// Shared where the file system can, else written anew.
    Auto,
    /// Shared, or [`FaultKind::Unsupported`].
    Always,
}

/// How [`FileFs::copy`] works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CopyHow {
    /// Whether blocks may be shared.
    pub reflink: Reflink,
    /// Whether data and metadata must be on the disk before the new name appears: needed where it then takes the place
    /// of the only other copy.
    pub sync: bool,
}

/// What [`FileFs::copy`] did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Copied {
    /// The new file.
    pub stat: Stat,
    /// Whether the blocks are shared with the original.
    pub reflinked: bool,
    /// What could not be kept; empty where the copy is whole.
    pub lost: Vec<Lost>,
}

/// A file system whose files can be read, compared and copied.
///
/// As with [`LinkFs`] every operation is relative to an open directory and follows no symbolic link.
pub trait FileFs: LinkFs {
    /// Opens a regular file for reading.
    ///
    /// # Errors
    ///
    /// [`FaultKind::SymlinkMet`], [`FaultKind::IsDirectory`]; [`FaultKind::Unsupported`] for a special file, which is
    /// not touched (opening a pipe or a device can do things).
    fn open_file(&self, at: At<'_>) -> FsResult<Box<dyn Content>>;

    /// All that belongs to a file of any kind besides its data. Of symbolic links and special files without extended
    /// attributes.
    ///
    /// # Errors
    ///
    /// As the file system says; [`FaultKind::AccessDenied`] where the file cannot be opened for reading.
    fn metadata(&self, at: At<'_>) -> FsResult<Metadata>;

    /// As [`FileFs::metadata`], of an open directory.
    ///
    /// # Errors
    ///
    /// As the file system says.
    fn dir_metadata(&self, dir: &Dir) -> FsResult<Metadata>;

    /// Gives a file of any kind this metadata, as far as it can be given; extended attributes that it has besides go.
    /// The answer tells what could not be.
    ///
    /// # Errors
    ///
    /// As the file system says, where the file itself cannot be reached.
    fn set_metadata(&self, at: At<'_>, to: &Metadata) -> FsResult<Vec<Lost>>;

    /// As [`FileFs::set_metadata`], of an open directory.
    ///
    /// # Errors
    ///
    /// As the file system says.
    fn set_dir_metadata(&self, dir: &Dir, to: &Metadata) -> FsResult<Vec<Lost>>;

    /// Makes `new` the only name of a new file with the data and metadata of `existing`; holes stay holes. `new` appears
    /// when the file is whole, or not at all; it never replaces. A kill may leave [`part_name`] beside it on file systems
    /// that have no files without a name.
    ///
    /// # Errors
    ///
    /// [`FaultKind::Exists`]; [`FaultKind::Stale`] where `existing` changed while it was read; [`FaultKind::NoSpace`];
    /// [`FaultKind::Unsupported`] with [`Reflink::Always`]. After an error there is no new file.
    fn copy(&self, existing: At<'_>, new: At<'_>, how: CopyHow) -> FsResult<Copied>;

    /// Returns once all data written to the volume of `dir` until now is on the disk, so that a power cut cannot take it
    /// back. There is nothing to do where the file system holds no data back, or lets nobody ask for this.
    ///
    /// # Errors
    ///
    /// As the file system says; then it may not be.
    fn settle(&self, dir: &Dir) -> FsResult<()> {
        let _ = dir;
        Ok(())
    }

    /// What a symbolic link leads to, as it is written in it.
    ///
    /// # Errors
    ///
    /// [`FaultKind::NameInvalid`] where it is none.
    fn read_symlink(&self, at: At<'_>) -> FsResult<Vec<u8>>;

    /// Whether symbolic links can be made at all, as far as that is known without trying.
    fn makes_symlinks(&self) -> bool {
        true
    }

    /// Makes a symbolic link.
    ///
    /// # Errors
    ///
    /// [`FaultKind::Exists`]; [`FaultKind::Unsupported`] where there are none.
    fn make_symlink(&self, target: &[u8], new: At<'_>) -> FsResult<()>;

    /// Removes an empty directory.
    ///
    /// # Errors
    ///
    /// [`FaultKind::NotEmpty`], [`FaultKind::NotDirectory`].
    fn remove_dir(&self, at: At<'_>) -> FsResult<()>;
}

const PREFIX: &[u8] = b".polylink-";
const SUFFIX: &[u8] = b".part";

/// The name under which a copy that shall become `name` is written, where files cannot be made without a name. No file
/// but an unfinished copy ever has it as its only name.
#[must_use]
pub fn part_name(name: Name<'_>) -> NameBuf {
    hash_name(PREFIX, name, SUFFIX)
}

/// Whether a name has the form that [`part_name`] gives.
#[must_use]
pub fn is_part_name(name: Name<'_>) -> bool {
    crate::replace::is_hash_name(PREFIX, name, SUFFIX)
}

/// Whether an unfinished copy can be of this kind: a file, or a symbolic link that was made anew.
#[must_use]
pub fn is_part_kind(kind: Kind) -> bool {
    matches!(kind, Kind::File | Kind::Symlink)
}

/// Removes what a killed copy to `new` left, if there is any.
///
/// # Errors
///
/// [`FaultKind::Exists`] where something else than an unfinished copy has that name; else as the file system says.
pub fn remove_part(fs: &dyn LinkFs, new: At<'_>) -> FsResult<()> {
    let name = part_name(new.name);
    let part = At::new(new.dir, name.name());
    match fs.stat(part) {
        Err(fault) if fault.kind() == FaultKind::NotFound => Ok(()),
        Err(fault) => Err(fault),
        Ok(stat) if is_part_kind(stat.kind) => fs.unlink(part),
        Ok(_) => Err(Fault::of(FaultKind::Exists)),
    }
}
