//! Temporary folders that go away with all that is in them, however the command ends.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::CommandError;

/// A folder of our own; removed when dropped.
#[derive(Debug)]
pub(crate) struct TempFolder {
    path: PathBuf,
}

impl TempFolder {
    /// Makes an empty folder in `parent`, with a name that nobody else has.
    ///
    /// # Errors
    ///
    /// Where the folder cannot be made: the command cannot start.
    pub(crate) fn new(parent: &Path, prefix: &str) -> Result<Self, CommandError> {
        let pid = std::process::id();
        for attempt in 0..100 {
            let path = parent.join(format!("{prefix}-{pid}-{attempt}"));
            match make(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(
                        CommandError::from_io("make a temporary folder in", parent, &error).before_start(),
                    );
                }
            }
        }
        Err(CommandError::cannot_start("every name for a temporary folder is taken").path(parent))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the folder now, and says whether that worked.
    ///
    /// # Errors
    ///
    /// As the file system says; what is left is named.
    pub(crate) fn remove(self) -> Result<(), CommandError> {
        let removed = std::fs::remove_dir_all(&self.path)
            .map_err(|error| CommandError::from_io("remove the temporary folder", &self.path, &error));
        std::mem::forget(self);
        removed
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        // OK to ignore: the command already ends with another error
        drop(std::fs::remove_dir_all(&self.path));
    }
}

#[cfg(unix)]
fn make(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make(path: &Path) -> io::Result<()> {
    std::fs::create_dir(path)
}
