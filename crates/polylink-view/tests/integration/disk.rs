//! What the tests do to a file system behind polylink's back: the model's own, and a real folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use polylink_core::{FileId, LinkFs, MemFs};
use polylink_host::HostFs;
use tempfile::TempDir;

/// Every name of every file and symbolic link, with the file's id and a number that tells its content.
pub(crate) type Names = BTreeMap<PathBuf, (FileId, u64)>;

/// A file system that a test changes. Paths begin with `/`; a change that is impossible does nothing.
pub(crate) trait Disk {
    fn fs(&self) -> &dyn LinkFs;
    /// Where `/` is for [`LinkFs::open_dir`].
    fn path(&self, path: &str) -> PathBuf;
    fn create(&self, path: &str);
    fn remove(&self, path: &str);
    fn rename(&self, from: &str, to: &str);
    fn link(&self, existing: &str, new: &str);
    fn mkdir(&self, path: &str);
    fn symlink(&self, path: &str);
    fn deny(&self, path: &str, denied: bool);
    fn mount(&self, path: &str);
    /// With paths as the test writes them.
    fn names(&self) -> Names;
    fn mem(&self) -> Option<&MemFs> {
        None
    }
}

impl Disk for MemFs {
    fn fs(&self) -> &dyn LinkFs {
        self
    }

    fn path(&self, path: &str) -> PathBuf {
        path.into()
    }

    fn create(&self, path: &str) {
        let _ = Self::create(self, path, 10);
    }

    fn remove(&self, path: &str) {
        let _ = Self::remove(self, path);
    }

    fn rename(&self, from: &str, to: &str) {
        let _ = self.rename_path(from, to);
    }

    fn link(&self, existing: &str, new: &str) {
        let _ = self.link_path(existing, new);
    }

    fn mkdir(&self, path: &str) {
        let _ = Self::mkdir(self, path);
    }

    fn symlink(&self, path: &str) {
        let _ = Self::symlink(self, path);
    }

    fn deny(&self, path: &str, denied: bool) {
        let _ = Self::deny(self, path, denied);
    }

    fn mount(&self, path: &str) {
        let _ = Self::mount(self, path);
    }

    fn names(&self) -> Names {
        self.all_names()
    }

    fn mem(&self) -> Option<&MemFs> {
        Some(self)
    }
}

/// The file's identity, from the standard library.
#[cfg(unix)]
fn id(_path: &Path, meta: &fs::Metadata) -> FileId {
    use std::os::unix::fs::MetadataExt as _;
    FileId {
        volume: meta.dev(),
        id: meta.ino().into(),
    }
}

/// The file's identity; the standard library does not tell it on Windows.
#[cfg(windows)]
fn id(path: &Path, _meta: &fs::Metadata) -> FileId {
    use polylink_core::{At, Name};
    let fs = HostFs::new();
    let dir = fs.open_dir(path.parent().unwrap()).unwrap();
    let name = Name::from_os(path.file_name().unwrap());
    fs.stat(At::new(&dir, name)).unwrap().id
}

/// How many times slower a real folder is than usual: each call takes Wine a long way.
pub(crate) fn slowness() -> u32 {
    if std::env::var_os("POLYLINK_UNDER_WINE").is_some() {
        8
    } else {
        1
    }
}

/// A real folder.
pub(crate) struct Folder {
    folder: TempDir,
    root: PathBuf,
    fs: HostFs,
    content: AtomicU64,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        Self {
            folder,
            root,
            fs: HostFs::new(),
            content: AtomicU64::new(1),
        }
    }

    fn parent(path: &Path) {
        drop(fs::create_dir_all(path.parent().unwrap()));
    }
}

impl Disk for Folder {
    fn fs(&self) -> &dyn LinkFs {
        &self.fs
    }

    fn path(&self, path: &str) -> PathBuf {
        assert!(self.folder.path().exists());
        self.root.join(path.trim_start_matches('/'))
    }

    fn create(&self, path: &str) {
        let (path, new) = (self.path(path), self.root.join(".new"));
        Self::parent(&path);
        let content = self.content.fetch_add(1, Ordering::Relaxed);
        fs::write(&new, content.to_string()).unwrap();
        if fs::rename(&new, path).is_err() {
            fs::remove_file(new).unwrap();
        }
    }

    fn remove(&self, path: &str) {
        let path = self.path(path);
        if fs::remove_file(&path).is_err() {
            drop(fs::remove_dir_all(path));
        }
    }

    fn rename(&self, from: &str, to: &str) {
        let (from, to) = (self.path(from), self.path(to));
        if from.symlink_metadata().is_ok() && !to.starts_with(&from) {
            Self::parent(&to);
            drop(fs::rename(from, to));
        }
    }

    fn link(&self, existing: &str, new: &str) {
        let (existing, new) = (self.path(existing), self.path(new));
        if existing.is_file() {
            Self::parent(&new);
            drop(fs::hard_link(existing, new));
        }
    }

    fn mkdir(&self, path: &str) {
        drop(fs::create_dir_all(self.path(path)));
    }

    fn symlink(&self, path: &str) {
        let path = self.path(path);
        Self::parent(&path);
        // Windows lets only some users make one
        #[cfg(unix)]
        drop(std::os::unix::fs::symlink("nowhere", path));
        #[cfg(windows)]
        drop(std::os::windows::fs::symlink_file("nowhere", path));
    }

    fn deny(&self, _path: &str, _denied: bool) {}

    fn mount(&self, _path: &str) {}

    fn names(&self) -> Names {
        let mut names = Names::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let meta = path.symlink_metadata().unwrap();
                if meta.is_dir() {
                    folders.push(path);
                    continue;
                }
                let content = if meta.is_file() {
                    fs::read_to_string(&path).unwrap().parse().unwrap()
                } else {
                    0
                };
                let id = id(&path, &meta);
                names.insert(
                    Path::new("/").join(path.strip_prefix(&self.root).unwrap()),
                    (id, content),
                );
            }
        }
        names
    }
}
