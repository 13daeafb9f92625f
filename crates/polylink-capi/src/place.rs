//! Where a path leads: a name in an open directory, or a directory itself.

use std::path::{Path, is_separator};

use polylink_core::{At, Dir, Fault, FaultKind, FsResult, Kind, LinkFs, Name, NameBuf, Stat, shown};
use polylink_nt::NtStatus;

use crate::failure::{Failure, status_of};

/// What a path means before anything is looked up by its last name.
#[cfg_attr(
    windows,
    allow(
        dead_code,
        reason = "Windows links by path and handle, and opens no directory for it"
    )
)]
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// A name in a directory, whether it exists or not.
    Name(Spot),
    /// The directory itself: the path ends with `.`, `..` or a separator behind a directory, or is a root.
    Directory(Dir),
}

/// A name in an open directory.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    pub(crate) dir: Dir,
    pub(crate) name: NameBuf,
}

impl Spot {
    pub(crate) fn at(&self) -> At<'_> {
        At::new(&self.dir, self.name.name())
    }

    /// What stands there now, `None` where nothing does.
    pub(crate) fn look(&self, fs: &dyn LinkFs) -> FsResult<Option<Stat>> {
        match fs.stat(self.at()) {
            Err(fault) if fault.kind() == FaultKind::NotFound => Ok(None),
            stat => stat.map(Some),
        }
    }
}

/// Why a path leads nowhere.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NoPlace {
    /// The path is empty.
    Empty,
    /// The directory in which the last name should stand is not there.
    NoParent(Fault),
    /// A file stands where that directory should be, or above it.
    BelowFile(Fault),
    /// A separator behind the last name, which is not that of a directory.
    FileAsDirectory,
    /// The system refused for another reason.
    Refused(Fault),
}

impl NoPlace {
    /// What the system said, where it was asked.
    #[cfg(unix)]
    pub(crate) fn fault(self) -> Option<Fault> {
        match self {
            Self::Empty | Self::FileAsDirectory => None,
            Self::NoParent(fault) | Self::BelowFile(fault) | Self::Refused(fault) => Some(fault),
        }
    }

    /// The failure of opening a file by this path (\[MS-FSA\] 2.1.5.1: an intermediate that is missing or no directory
    /// is `OBJECT_PATH_NOT_FOUND`, a separator behind a file `OBJECT_NAME_INVALID`).
    pub(crate) fn failure(self, tried: &str) -> Failure {
        match self {
            Self::Empty => Failure::of(NtStatus::OBJECT_PATH_NOT_FOUND, tried),
            Self::FileAsDirectory => Failure::of(NtStatus::OBJECT_NAME_INVALID, tried),
            Self::NoParent(fault) | Self::BelowFile(fault) => {
                Failure::as_status(NtStatus::OBJECT_PATH_NOT_FOUND, fault, tried)
            }
            // only a path can be too long before its last name is looked at
            Self::Refused(fault) if fault.kind() == FaultKind::NameTooLong => {
                Failure::as_status(NtStatus::NAME_TOO_LONG, fault, tried)
            }
            Self::Refused(fault) => Failure::as_status(status_of(fault.kind()), fault, tried),
        }
    }
}

/// Opens the directory that the last name of `path` stands in.
pub(crate) fn find(fs: &dyn LinkFs, path: &Path) -> Result<Place, NoPlace> {
    let bytes = path.as_os_str().as_encoded_bytes();
    let separator = |byte: &u8| is_separator(char::from(*byte));
    let Some(last) = bytes.last() else {
        return Err(NoPlace::Empty);
    };
    let tail = bytes.rsplit(separator).find(|part| !part.is_empty());
    let Some(name) = path
        .file_name()
        .filter(|_| !matches!(tail, None | Some(b"." | b"..")))
    else {
        return Ok(Place::Directory(open_parent(fs, path)?));
    };
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let spot = Spot {
        dir: open_parent(fs, parent)?,
        name: Name::from_os(name).to_buf(),
    };
    if !separator(last) {
        return Ok(Place::Name(spot));
    }
    match spot.look(fs) {
        Ok(None) => Err(NoPlace::FileAsDirectory),
        // a symbolic link followed by a separator stands for what it leads to
        Ok(Some(stat)) if matches!(stat.kind, Kind::Directory | Kind::Symlink) => match fs.open_dir(path) {
            Ok(dir) => Ok(Place::Directory(dir)),
            Err(fault) if matches!(fault.kind(), FaultKind::NotDirectory | FaultKind::NotFound) => {
                Err(NoPlace::FileAsDirectory)
            }
            Err(fault) => Err(NoPlace::Refused(fault)),
        },
        Ok(Some(_)) => Err(NoPlace::FileAsDirectory),
        Err(fault) => Err(NoPlace::Refused(fault)),
    }
}

fn open_parent(fs: &dyn LinkFs, path: &Path) -> Result<Dir, NoPlace> {
    fs.open_dir(path).map_err(|fault| match fault.kind() {
        FaultKind::NotFound => NoPlace::NoParent(fault),
        FaultKind::NotDirectory => NoPlace::BelowFile(fault),
        _ => NoPlace::Refused(fault),
    })
}

/// The file behind a path, which has to exist: its spot and what is known of it.
pub(crate) fn existing_file(fs: &dyn LinkFs, path: &Path, action: &str) -> Result<(Spot, Stat), Failure> {
    let tried = format!("cannot {action} '{}'", shown(path));
    let spot = match find(fs, path).map_err(|no_place| no_place.failure(&tried))? {
        Place::Name(spot) => spot,
        Place::Directory(_) => return Err(Failure::of(NtStatus::FILE_IS_A_DIRECTORY, &tried)),
    };
    let stat = fs
        .stat(spot.at())
        .map_err(|fault| Failure::fault(fault, &tried))?;
    if stat.kind == Kind::Directory {
        return Err(Failure::of(NtStatus::FILE_IS_A_DIRECTORY, &tried));
    }
    Ok((spot, stat))
}

#[cfg(test)]
mod tests {
    use polylink_core::MemFs;

    use super::*;

    fn fs() -> MemFs {
        let fs = MemFs::new();
        fs.mkdir("/dir").unwrap();
        fs.create("/dir/file", 1).unwrap();
        fs
    }

    fn failure(path: &str) -> (u32, i32) {
        let failure = find(&fs(), Path::new(path)).unwrap_err().failure("x");
        (failure.win32, failure.errno)
    }

    #[test]
    fn a_name_needs_its_directory_and_nothing_else() {
        for path in ["/dir/file", "/dir/absent", "//dir//file", "/dir/./file"] {
            assert!(
                matches!(find(&fs(), Path::new(path)), Ok(Place::Name(_))),
                "{path}"
            );
        }
    }

    #[test]
    fn a_directory_is_itself_where_the_path_says_so() {
        for path in ["/", "//", "/dir/", "/dir/.", "/dir/./", "/."] {
            assert!(
                matches!(find(&fs(), Path::new(path)), Ok(Place::Directory(_))),
                "{path}"
            );
        }
    }

    #[test]
    fn paths_that_lead_nowhere_say_why_as_nt_does() {
        assert_eq!(failure("").0, 3);
        assert_eq!(failure("/absent/file"), (3, 2));
        assert_eq!(failure("/dir/file/below"), (3, 20));
        assert_eq!(failure("/dir/file/").0, 123);
        assert_eq!(failure("/dir/absent/").0, 123);
    }

    #[test]
    fn a_file_that_has_to_exist_is_no_directory() {
        let fs = fs();
        let look = |path| existing_file(&fs, Path::new(path), "look at");
        assert_eq!(look("/dir/file").unwrap().1.links, 1);
        assert_eq!(
            look("/dir").unwrap_err().status,
            Some(NtStatus::FILE_IS_A_DIRECTORY)
        );
        assert_eq!(look("/").unwrap_err().status, Some(NtStatus::FILE_IS_A_DIRECTORY));
        assert_eq!(
            look("/dir/absent").unwrap_err().message,
            "cannot look at '/dir/absent': there is no such name (ENOENT)"
        );
    }
}
