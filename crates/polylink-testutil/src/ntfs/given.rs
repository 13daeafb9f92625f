//! Volumes that others made, from the archives that they come in.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder with what an archive holds: files with holes, up to terabytes of them. It is removed with this.
#[derive(Debug)]
pub struct Unpacked(PathBuf);

impl Unpacked {
    /// Unpacks an archive (`.tar.xz`) into a temporary folder.
    ///
    /// # Panics
    ///
    /// Where it cannot be unpacked.
    pub fn new(archive: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder").keep();
        let status = Command::new("tar")
            .arg("-xJSf")
            .arg(archive)
            .arg("-C")
            .arg(&folder)
            .status();
        assert!(status.expect("tar").success(), "{}", archive.display());
        Self(folder)
    }

    /// The files in it, in the order of their paths.
    ///
    /// # Panics
    ///
    /// Where the folder cannot be read.
    pub fn files(&self) -> Vec<PathBuf> {
        files_below(&self.0)
    }
}

impl Drop for Unpacked {
    fn drop(&mut self) {
        // a folder that stays is no reason to fail
        drop(fs::remove_dir_all(&self.0));
    }
}

/// The files below a folder, in the order of their paths.
///
/// # Panics
///
/// Where it cannot be read.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut folders = vec![folder.to_path_buf()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The folder with the archives, as `POLYLINK_IMAGES` has it, where that is set and there is a `tar` to unpack them.
pub fn archives(variable: Option<OsString>) -> Option<PathBuf> {
    let has_tar = Command::new("tar")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    variable.map(PathBuf::from).filter(|_| has_tar)
}
