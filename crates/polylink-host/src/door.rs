//! The calls by which a system makes a hard link.
//!
//! NT has three that end in one operation: `CreateHardLink`, which is the usual one; the native
//! `NtSetInformationFile` below it, which can also replace; and `MoveFileEx` with `MOVEFILE_CREATE_HARDLINK`, since a
//! rename is asked for with the same structure as a link. Unix has one, `link`.

use std::path::Path;

use polylink_core::{Existing, FsResult};

/// A call that makes a hard link.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Door {
    /// `CreateHardLinkW` on Windows, `linkat` on Unix. Never replaces.
    Create,
    /// `NtSetInformationFile` with FILE_LINK_INFORMATION; errors carry the NTSTATUS. Windows only.
    Native,
    /// `MoveFileExW` with MOVEFILE_CREATE_HARDLINK. Windows only, and not on what passes for Windows but renames.
    Move,
}

impl Door {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Create, Self::Native, Self::Move];

    /// What it is called on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Native => "native",
            Self::Move => "move",
        }
    }

    /// Whether this system has it at all. [`Door::Move`] may still answer that it is not supported.
    #[must_use]
    pub const fn exists_here(self) -> bool {
        cfg!(windows) || matches!(self, Self::Create)
    }

    /// Whether it can replace a name that exists.
    #[must_use]
    pub const fn can_replace(self) -> bool {
        !matches!(self, Self::Create)
    }
}

/// Gives the file at `existing` the further name `new`, by this call. Of a symbolic link the link itself gets the name.
///
/// Paths may be of any length, on Windows too. What stood at `new` is replaced at once with [`Existing::Replace`]: no
/// moment is without that name.
///
/// # Errors
///
/// As the call says: [`Door::Native`] with an NTSTATUS, the others with a code of Win32 or an errno.
/// [`Unsupported`](polylink_core::FaultKind::Unsupported) where the system has no such door, where the door cannot
/// replace, and, with STATUS_NOT_SUPPORTED, where `MoveFileEx` does not make links but renames; everything is then as it
/// was.
pub fn link_through(door: Door, existing: &Path, new: &Path, on: Existing) -> FsResult<()> {
    if !door.exists_here() || on == Existing::Replace && !door.can_replace() {
        return Err(unsupported());
    }
    through(door, existing, new, on)
}

#[cfg(unix)]
fn unsupported() -> polylink_core::Fault {
    polylink_core::FaultKind::Unsupported.into()
}

#[cfg(windows)]
fn unsupported() -> polylink_core::Fault {
    polylink_nt::NtStatus::NOT_SUPPORTED.into()
}

#[cfg(unix)]
fn through(_door: Door, existing: &Path, new: &Path, _on: Existing) -> FsResult<()> {
    use rustix::fs::{AtFlags, CWD, linkat};
    linkat(CWD, existing, CWD, new, AtFlags::empty()).map_err(crate::sys::fault)
}

#[cfg(windows)]
use crate::sys::door::through;

#[cfg(all(test, unix))]
mod tests {
    use polylink_core::FaultKind;

    use super::*;

    #[test]
    fn unix_has_one_door_and_it_does_not_replace() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("a"), "data").unwrap();
        link_through(Door::Create, &path("a"), &path("b"), Existing::Keep).unwrap();
        assert_eq!(std::fs::read(path("b")).unwrap(), b"data");
        let taken = link_through(Door::Create, &path("a"), &path("b"), Existing::Keep);
        assert_eq!(taken.unwrap_err().kind(), FaultKind::Exists);
        for (door, on) in [
            (Door::Create, Existing::Replace),
            (Door::Native, Existing::Keep),
            (Door::Move, Existing::Keep),
        ] {
            let refused = link_through(door, &path("a"), &path("c"), on).unwrap_err();
            assert_eq!(refused.kind(), FaultKind::Unsupported, "{door:?}");
            assert!(!path("c").exists());
        }
    }
}
