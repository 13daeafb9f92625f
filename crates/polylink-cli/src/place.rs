//! Paths that the user gave, as names in open directories.

use std::path::{Path, PathBuf};

use polylink_core::{At, Dir, FaultKind, FsResult, LinkFs, Name, NameBuf, Stat};

/// A name in an open directory, and the path to show for it.
#[derive(Debug)]
pub(crate) struct Place {
    dir: Dir,
    name: NameBuf,
    path: PathBuf,
}

impl Place {
    /// Opens the directory that `path` lies in; what the name points at need not exist.
    ///
    /// # Errors
    ///
    /// As [`LinkFs::open_dir`]; [`FaultKind::NotFound`] for an empty path.
    pub(crate) fn of(fs: &dyn LinkFs, path: &Path) -> FsResult<Self> {
        if path.as_os_str().is_empty() {
            return Err(FaultKind::NotFound.into());
        }
        let name = path.file_name().ok_or(FaultKind::IsDirectory)?;
        Ok(Self {
            dir: fs.open_dir(parent(path))?,
            name: NameBuf::from(name),
            path: path.into(),
        })
    }

    pub(crate) fn at(&self) -> At<'_> {
        At::new(&self.dir, self.name.name())
    }

    pub(crate) fn dir(&self) -> &Dir {
        &self.dir
    }

    pub(crate) fn name(&self) -> Name<'_> {
        self.name.name()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// The directory that a path lies in; `.` where the path is one name.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        // `/` and `..` have no parent of their own
        None => path,
        _ => Path::new("."),
    }
}

/// Looks at what a path points at; of a symbolic link, the link itself.
///
/// # Errors
///
/// As [`LinkFs::open_dir`] and [`LinkFs::stat`].
pub(crate) fn stat(fs: &dyn LinkFs, path: &Path) -> FsResult<Stat> {
    match path.file_name() {
        Some(_) => {
            let place = Place::of(fs, path)?;
            fs.stat(place.at())
        }
        None => fs.stat_dir(&fs.open_dir(path)?),
    }
}

/// Whether a directory stands at `path`, symbolic links followed.
pub(crate) fn is_dir(path: &Path) -> bool {
    path.is_dir()
}

/// Whether the path is written with a separator at its end, which only a directory may have.
pub(crate) fn wants_dir(path: &Path) -> bool {
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.ends_with(b"/") || (cfg!(windows) && bytes.ends_with(b"\\"))
}

/// Whether the file carries the attribute that protects it from being replaced and deleted; of a symbolic link, the
/// link. Only Windows has it: on Unix a file's permissions say nothing about its names.
pub(crate) fn is_read_only(path: &Path) -> bool {
    cfg!(windows)
        && path
            .symlink_metadata()
            .is_ok_and(|meta| meta.permissions().readonly())
}
