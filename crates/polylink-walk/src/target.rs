//! Paths that the user gave, as directories and files.

use std::path::{Path, PathBuf};

use polylink_core::{At, Dir, FaultKind, LinkFs, Name, NameBuf, PathError, ResultExt as _};

use crate::Root;

/// One path that the user gave: a directory to be walked, or a file.
#[derive(Clone, Debug)]
pub enum Target {
    /// A directory, with all below it.
    Dir(Root),
    /// One name of a file.
    File {
        /// The directory it lies in.
        dir: Dir,
        /// Its name there.
        name: NameBuf,
        /// The path to show for it.
        path: PathBuf,
    },
}

impl Target {
    /// What stands at `path`. A symbolic link to a directory is that directory; one to a file is the link itself.
    ///
    /// # Errors
    ///
    /// As [`LinkFs::open_dir`], and as [`LinkFs::stat`] where it is no directory.
    pub fn open(fs: &dyn LinkFs, path: impl AsRef<Path>) -> Result<Self, PathError> {
        let path = path.as_ref();
        let fault = match fs.open_dir(path) {
            Ok(dir) => {
                return Ok(Self::Dir(Root {
                    dir,
                    path: path.into(),
                }));
            }
            Err(fault) => fault,
        };
        let (FaultKind::NotDirectory, Some(parent), Some(name)) =
            (fault.kind(), path.parent(), path.file_name())
        else {
            return Err(fault).at("open", path);
        };
        let parent = if parent.as_os_str().is_empty() {
            Path::new(".")
        } else {
            parent
        };
        let dir = fs.open_dir(parent).at("open", parent)?;
        let name = Name::from_os(name);
        fs.stat(At::new(&dir, name)).at("look at", path)?;
        Ok(Self::File {
            dir,
            name: name.to_buf(),
            path: path.into(),
        })
    }

    /// The path to show for it.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Dir(root) => &root.path,
            Self::File { path, .. } => path,
        }
    }
}
