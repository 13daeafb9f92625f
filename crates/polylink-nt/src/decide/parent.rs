//! The directory that a name is to come to.

use super::access::{Access, Share};
use super::facts::{Kind, LinkState};
use super::link::Origin;
use super::opens::{Opens, Sharing};
use crate::NtStatus;

/// Whether two places are on the same volume.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Volume {
    /// They are.
    Same,
    /// They are not.
    Other,
}

/// What is known of the directory that the name is to come to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ParentFacts {
    /// Whether it is on the volume of the file.
    pub volume: Volume,
    /// What the caller may do to it.
    pub rights: Access,
    /// Who has it open.
    pub opens: Opens,
    /// The state of its own name.
    pub link: LinkState,
    /// It is the directory of the name that the handle was opened by.
    pub same_directory: bool,
    /// It is the directory that is to be renamed, or lies below it.
    pub inside_source: bool,
}

impl ParentFacts {
    /// An ordinary directory on the same volume, another one than that of the old name.
    #[must_use]
    pub const fn new(rights: Access) -> Self {
        Self {
            volume: Volume::Same,
            rights,
            opens: Opens::NONE,
            link: LinkState::Listed,
            same_directory: false,
            inside_source: false,
        }
    }
}

/// What looking for the directory came to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ParentLookup {
    /// It is there.
    Found(ParentFacts),
    /// It is not, or a component on the way is missing or no directory: `OBJECT_PATH_NOT_FOUND`.
    Missing,
    /// There is a file in its place, as `a` in `a\b`: `INVALID_PARAMETER`.
    ///
    /// The open of a target's directory has this status of its own; asserted by the btrfs driver's tests that also run
    /// on NTFS, for a rename.
    BelowFile,
    /// A component on the way is about to be deleted: `DELETE_PENDING`.
    DeletePending,
    /// A component on the way cannot exist: `OBJECT_NAME_INVALID`.
    InvalidName,
    /// It is on another device, and nothing more is known: `NOT_SAME_DEVICE`.
    OtherVolume,
    /// Looking failed with this status.
    Failed(NtStatus),
}

impl ParentLookup {
    /// The facts, or the status of the open that failed.
    pub(super) fn found(&self) -> Result<&ParentFacts, NtStatus> {
        match self {
            Self::Found(facts) => Ok(facts),
            Self::Missing => Err(NtStatus::OBJECT_PATH_NOT_FOUND),
            Self::BelowFile => Err(NtStatus::INVALID_PARAMETER),
            Self::DeletePending => Err(NtStatus::DELETE_PENDING),
            Self::InvalidName => Err(NtStatus::OBJECT_NAME_INVALID),
            Self::OtherVolume => Err(NtStatus::NOT_SAME_DEVICE),
            Self::Failed(status) => Err(*status),
        }
    }

    /// Opens the directory to add a name of something of this kind to it, as the I/O manager does it for local callers
    /// and the file system for remote ones.
    ///
    /// The I/O manager shares reading and writing: who holds the directory with the right to delete is in the way. The
    /// file system shares deleting as well (\[MS-FSA\] 2.1.5.15.7; up to Windows 11 and Server 2022 it did not either).
    pub(super) fn open(&self, kind: Kind, origin: Origin) -> Result<&ParentFacts, NtStatus> {
        let parent = self.found()?;
        if parent.link != LinkState::Listed {
            return Err(NtStatus::DELETE_PENDING);
        }
        parent.may_add(kind)?;
        let share = match origin {
            Origin::Local => Share::READ | Share::WRITE,
            Origin::Remote => Share::all(),
        };
        let access = right_to_add(kind) | Access::SYNCHRONIZE;
        parent.opens.check(Sharing { access, share })?;
        match parent.volume {
            Volume::Same => Ok(parent),
            Volume::Other => Err(NtStatus::NOT_SAME_DEVICE),
        }
    }
}

impl ParentFacts {
    pub(super) fn may_add(&self, kind: Kind) -> Result<(), NtStatus> {
        if self.rights.contains(right_to_add(kind)) {
            Ok(())
        } else {
            Err(NtStatus::ACCESS_DENIED)
        }
    }
}

fn right_to_add(kind: Kind) -> Access {
    match kind {
        Kind::File => Access::ADD_FILE,
        Kind::Directory => Access::ADD_SUBDIRECTORY,
    }
}
