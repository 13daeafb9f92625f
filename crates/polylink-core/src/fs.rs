//! [`LinkFs`]: all that polylink's jobs know of a file system.

use std::any::Any;
use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::error::{Fault, FaultKind};
use crate::file::{FileId, Kind, Stat};
use crate::name::{Name, NameBuf};
use crate::volume::{DirIds, VolumeInfo};

/// What a [`LinkFs`] answers.
pub type FsResult<T> = Result<T, Fault>;

/// An open directory. It stays the directory it was, wherever its names move; dropping the last clone closes it.
#[derive(Clone)]
pub struct Dir(Arc<dyn Any + Send + Sync>);

impl Dir {
    /// Wraps what a file system needs to know its directory again.
    pub fn new<T: Any + Send + Sync>(handle: T) -> Self {
        Self(Arc::new(handle))
    }

    /// What [`Dir::new`] was given.
    ///
    /// # Errors
    ///
    /// [`FaultKind::Stale`] where the handle belongs to another file system.
    pub fn handle<T: Any>(&self) -> FsResult<&T> {
        self.0.downcast_ref().ok_or(Fault::of(FaultKind::Stale))
    }
}

impl fmt::Debug for Dir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dir(..)")
    }
}

/// A name in an open directory.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// The directory.
    pub dir: &'a Dir,
    /// The name in it: one component, neither `.` nor `..`.
    pub name: Name<'a>,
}

impl<'a> At<'a> {
    /// The name `name` in `dir`.
    #[must_use]
    pub fn new(dir: &'a Dir, name: Name<'a>) -> Self {
        Self { dir, name }
    }
}

/// What a rename does with a name that is already there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Existing {
    /// Refuses with [`FaultKind::Exists`].
    Keep,
    /// Takes its place, atomically.
    Replace,
}

/// Whether a directory read has come to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum More {
    /// There are entries left: call again.
    Yes,
    /// This was the last batch; the next call begins anew.
    No,
}

/// One entry of a directory read.
#[derive(Clone, Copy, Debug)]
pub struct DirEntry<'a> {
    /// Its name.
    pub name: Name<'a>,
    /// What it is; [`Kind::Unknown`] where the directory does not say.
    pub kind: Kind,
    /// The file, as the directory has it; worth what [`DirBatch::ids`] says. The entry of a mounted directory has the
    /// id of the directory below the mount.
    pub id: FileId,
}

/// Many entries of one directory, packed: a name costs its bytes and 32 more.
#[derive(Debug)]
pub struct DirBatch {
    names: Vec<u8>,
    entries: Vec<Packed>,
    volume: u64,
    ids: DirIds,
    scratch: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Packed {
    id: u128,
    end: u32,
    len: u16,
    kind: Kind,
}

impl DirBatch {
    /// An empty batch; use it again for the next directory.
    #[must_use]
    pub fn new() -> Self {
        Self {
            names: Vec::new(),
            entries: Vec::new(),
            volume: 0,
            ids: DirIds::Untrusted,
            scratch: Vec::new(),
        }
    }

    /// For a file system: forgets the entries and says which volume the next ones are of and what their ids are worth.
    pub fn start(&mut self, volume: u64, ids: DirIds) {
        self.names.clear();
        self.entries.clear();
        self.volume = volume;
        self.ids = ids;
    }

    /// For a file system: adds an entry. `.` and `..` do not belong here. Names of 64 KiB and more do not exist.
    pub fn push(&mut self, name: &[u8], kind: Kind, id: u128) {
        let (Ok(len), Ok(end)) = (
            u16::try_from(name.len()),
            u32::try_from(self.names.len() + name.len()),
        ) else {
            return;
        };
        self.names.extend_from_slice(name);
        self.entries.push(Packed { id, end, len, kind });
    }

    /// For a file system: a buffer that is kept from one read to the next.
    pub fn scratch(&mut self) -> &mut Vec<u8> {
        &mut self.scratch
    }

    /// What the ids are worth.
    #[must_use]
    pub fn ids(&self) -> DirIds {
        self.ids
    }

    /// How many entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Says what the entry at `index` is, where the directory did not.
    pub fn set_kind(&mut self, index: usize, kind: Kind) {
        if let Some(entry) = self.entries.get_mut(index) {
            entry.kind = kind;
        }
    }

    /// The entries, in the order of the directory.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = DirEntry<'_>> + '_ {
        self.entries.iter().map(|e| {
            // OK as arithmetic: `push` made `end` and `len` from this very buffer
            let end = e.end as usize;
            DirEntry {
                name: Name::new(&self.names[end - usize::from(e.len)..end]),
                kind: e.kind,
                id: FileId {
                    volume: self.volume,
                    id: e.id,
                },
            }
        })
    }
}

impl Default for DirBatch {
    fn default() -> Self {
        Self::new()
    }
}

/// A file system with hard links, reduced to what links, views and accounting need.
///
/// Every operation is relative to an open directory, so a directory that is swapped for another while we work cannot
/// redirect it; nothing but [`LinkFs::open_dir`] follows a symbolic link. All methods may be called from several
/// threads, but one directory handle is read by one thread at a time.
pub trait LinkFs: Send + Sync {
    /// Opens a directory by a path that the user gave, symbolic links followed.
    ///
    /// # Errors
    ///
    /// As the file system says: not found, no directory, no permission.
    fn open_dir(&self, path: &Path) -> FsResult<Dir>;

    /// Opens a directory in an open directory; never through a symbolic link.
    ///
    /// # Errors
    ///
    /// [`FaultKind::NotDirectory`] or [`FaultKind::SymlinkMet`] where something else stands there by now.
    fn open_child(&self, at: At<'_>) -> FsResult<Dir>;

    /// Fills `batch` with the next entries: name, kind and file id as the directory holds them. An empty batch may
    /// come with [`More::Yes`].
    ///
    /// # Errors
    ///
    /// As the file system says; the directory's remaining entries are then unknown, not absent.
    fn read_dir(&self, dir: &Dir, batch: &mut DirBatch) -> FsResult<More>;

    /// Looks at what a name points at; of a symbolic link, the link itself.
    ///
    /// # Errors
    ///
    /// [`FaultKind::NotFound`] where there is no such name.
    fn stat(&self, at: At<'_>) -> FsResult<Stat>;

    /// Looks at an open directory.
    ///
    /// # Errors
    ///
    /// As the file system says.
    fn stat_dir(&self, dir: &Dir) -> FsResult<Stat>;

    /// Gives the file behind `existing` (of a symbolic link: the link itself) the further name `new`; never replaces.
    ///
    /// # Errors
    ///
    /// [`FaultKind::Exists`], [`FaultKind::CrossesVolumes`], [`FaultKind::TooManyLinks`], and for a directory
    /// [`FaultKind::NotPermitted`] or [`FaultKind::IsDirectory`].
    fn link(&self, existing: At<'_>, new: At<'_>) -> FsResult<()>;

    /// Moves a name. Where both are names of one file, POSIX lets this succeed and leaves both: compare ids first.
    ///
    /// # Errors
    ///
    /// [`FaultKind::Exists`] with [`Existing::Keep`]; [`FaultKind::CrossesVolumes`].
    fn rename(&self, old: At<'_>, new: At<'_>, on: Existing) -> FsResult<()>;

    /// Removes the name of a file; not of a directory.
    ///
    /// # Errors
    ///
    /// [`FaultKind::IsDirectory`] or [`FaultKind::NotPermitted`] for a directory.
    fn unlink(&self, at: At<'_>) -> FsResult<()>;

    /// Makes an empty directory.
    ///
    /// # Errors
    ///
    /// [`FaultKind::Exists`] where the name is taken.
    fn make_dir(&self, at: At<'_>) -> FsResult<()>;

    /// Returns once the names in a directory are on the disk: a power cut cannot take them back.
    ///
    /// # Errors
    ///
    /// As the file system says; then they may not be.
    fn sync(&self, dir: &Dir) -> FsResult<()>;

    /// Every name of the file behind `at`, as absolute paths, where the file system can say so without a scan.
    ///
    /// # Errors
    ///
    /// As the file system says. `Ok(None)` where only a scan can tell.
    fn names_of(&self, at: At<'_>) -> FsResult<Option<Vec<PathBuf>>>;

    /// What is known of the volume that `dir` lies on, and the rules for names in `dir`.
    ///
    /// # Errors
    ///
    /// As the file system says.
    fn volume(&self, dir: &Dir) -> FsResult<VolumeInfo>;

    /// Whether calls wait for each other, so that several threads which make them get in each other's way: then it is
    /// better that each makes a good many before the next one does.
    fn takes_turns(&self) -> bool {
        false
    }
}

/// Opens the directory at `relative` below `root`, one component at a time, through no symbolic link.
///
/// # Errors
///
/// As [`LinkFs::open_child`]; [`FaultKind::NameInvalid`] where a component is not a plain name.
pub fn open_beneath(fs: &dyn LinkFs, root: &Dir, relative: &Path) -> FsResult<Dir> {
    let mut dir = root.clone();
    for component in relative.components() {
        match component {
            Component::Normal(name) => dir = fs.open_child(At::new(&dir, Name::from_os(name)))?,
            Component::CurDir => {}
            _ => return Err(FaultKind::NameInvalid.into()),
        }
    }
    Ok(dir)
}

impl dyn LinkFs + '_ {
    /// All names in a directory, for directories known to be small.
    ///
    /// # Errors
    ///
    /// As [`LinkFs::read_dir`].
    pub fn names_in(&self, dir: &Dir) -> FsResult<Vec<NameBuf>> {
        let mut batch = DirBatch::new();
        let mut names = Vec::new();
        loop {
            let more = self.read_dir(dir, &mut batch)?;
            names.extend(batch.iter().map(|e| e.name.to_buf()));
            if more == More::No {
                return Ok(names);
            }
        }
    }
}
