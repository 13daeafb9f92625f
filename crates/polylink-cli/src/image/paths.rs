//! Paths inside a volume.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use polylink_core::{FaultKind, Kind, PathError, ResultExt as _, Stat};
use polylink_ntfs::VolumeFs;

use super::in_volume;
use crate::error::CommandError;
use crate::place;

/// A path below a directory of the volume, whatever the system's separator is.
pub(crate) fn below(dir: &Path, name: &OsStr) -> PathBuf {
    let mut path = dir.as_os_str().to_owned();
    if !path.as_encoded_bytes().ends_with(b"/") {
        path.push("/");
    }
    path.push(name);
    path.into()
}

/// What a path leads to, `None` where there is nothing; links are not followed.
pub(crate) fn look(fs: &VolumeFs, action: &'static str, path: &Path) -> Result<Option<Stat>, CommandError> {
    match place::stat(fs, path) {
        Ok(stat) => Ok(Some(stat)),
        Err(fault) if matches!(fault.kind(), FaultKind::NotFound | FaultKind::NotDirectory) => Ok(None),
        Err(fault) => Err(fault)
            .at(action, path)
            .map_err(|error: PathError| in_volume(&error)),
    }
}

/// Where a name is made: as cp and mv have it, an existing directory is where it is made.
pub(crate) fn target(
    fs: &VolumeFs,
    action: &'static str,
    new: &Path,
    name: Option<&OsStr>,
    itself: Option<Stat>,
) -> Result<PathBuf, CommandError> {
    match look(fs, action, new)? {
        Some(there) if there.kind == Kind::Directory && itself.is_none_or(|file| file.id != there.id) => {
            match name {
                Some(name) => Ok(below(new, name)),
                None => Ok(new.into()),
            }
        }
        _ => Ok(new.into()),
    }
}
