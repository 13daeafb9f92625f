//! A folder to work in.

use std::path::PathBuf;

use polylink_core::{At, Dir, DirBatch, Fault, Kind, LinkFs as _, More, Name, NameBuf, Stat};
use polylink_host::HostFs;
use tempfile::TempDir;

/// A temporary folder, open as a directory.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) fs: HostFs,
    pub(crate) dir: Dir,
    folder: TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fs = HostFs::new();
        Self {
            dir: fs.open_dir(folder.path()).unwrap(),
            fs,
            folder,
        }
    }

    /// A new file, whose data is its name.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        std::fs::write(self.path(name), name).unwrap();
        self.path(name)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn at<'a, N: AsRef<[u8]> + ?Sized>(&'a self, name: &'a N) -> At<'a> {
        At::new(&self.dir, Name::new(name))
    }

    pub(crate) fn stat(&self, name: &str) -> Stat {
        self.fs.stat(self.at(name)).unwrap()
    }

    pub(crate) fn link(&self, existing: &str, new: &str) -> Result<(), Fault> {
        self.fs.link(self.at(existing), self.at(new))
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names in the folder, in order.
    pub(crate) fn names(&self) -> Vec<NameBuf> {
        let mut names: Vec<_> = entries(&self.fs, &self.dir)
            .into_iter()
            .map(|entry| entry.0)
            .collect();
        names.sort();
        names
    }

    /// Asserts that the folder has these names, which are in order.
    pub(crate) fn holds(&self, names: &[&str]) {
        let names: Vec<NameBuf> = names.iter().map(|&name| name.into()).collect();
        assert_eq!(self.names(), names);
    }
}

/// Every entry of a directory.
pub(crate) fn entries(fs: &HostFs, dir: &Dir) -> Vec<(NameBuf, Kind, polylink_core::FileId)> {
    let mut batch = DirBatch::new();
    let mut found = Vec::new();
    loop {
        let more = fs.read_dir(dir, &mut batch).unwrap();
        found.extend(
            batch
                .iter()
                .map(|entry| (entry.name.to_buf(), entry.kind, entry.id)),
        );
        if more == More::No {
            return found;
        }
    }
}
