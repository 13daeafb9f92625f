//! Files that change while they are worked with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use polylink_core::{
    At, Content, Copied, CopyHow, Dir, DirBatch, Existing, FileFs, FsResult, LinkFs, Lost, MemFs, Metadata,
    More, Silent, Stat, VolumeInfo,
};
use polylink_dedupe::{SplitOptions, Target, apply, apply_split, plan, plan_split};

use crate::world::{contents, file, one_thread, view};

type Edit = fn(&MemFs);
type Contents = BTreeMap<PathBuf, (u64, u64)>;

/// A file system on which somebody else edits a file right before a chosen call.
///
/// A rename is never chosen, nor the second of the two looks before it: between the last look at a file and the rename
/// there is a gap that nothing closes.
struct Meddled {
    fs: MemFs,
    /// Every file seems to hold zeros.
    blank: AtomicBool,
    /// Looks since the last link was made.
    looks: AtomicU64,
    calls: AtomicU64,
    at: u64,
    edit: Edit,
    /// What each name held right after the edit.
    then: Mutex<Option<Contents>>,
}

impl Meddled {
    fn call(&self) -> &MemFs {
        if self.calls.fetch_add(1, Ordering::Relaxed) == self.at {
            (self.edit)(&self.fs);
            *self.then.lock().unwrap() = Some(contents(&view(&self.fs)));
        }
        &self.fs
    }
}

struct Shared(Arc<Meddled>);

struct Open {
    content: Box<dyn Content>,
    fs: Arc<Meddled>,
}

impl Content for Open {
    fn stat(&self) -> FsResult<Stat> {
        self.fs.call();
        self.content.stat()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> FsResult<usize> {
        self.fs.call();
        let read = self.content.read_at(offset, buf)?;
        if self.fs.blank.load(Ordering::Relaxed) {
            buf[..read].fill(0);
        }
        Ok(read)
    }

    fn place(&self) -> Option<u64> {
        self.content.place()
    }
}

impl LinkFs for Shared {
    fn open_dir(&self, path: &Path) -> FsResult<Dir> {
        self.0.call().open_dir(path)
    }
    fn open_child(&self, at: At<'_>) -> FsResult<Dir> {
        self.0.call().open_child(at)
    }
    fn read_dir(&self, dir: &Dir, batch: &mut DirBatch) -> FsResult<More> {
        self.0.call().read_dir(dir, batch)
    }
    fn stat(&self, at: At<'_>) -> FsResult<Stat> {
        match self.0.looks.fetch_add(1, Ordering::Relaxed) {
            1 => self.0.fs.stat(at),
            _ => self.0.call().stat(at),
        }
    }
    fn stat_dir(&self, dir: &Dir) -> FsResult<Stat> {
        self.0.call().stat_dir(dir)
    }
    fn link(&self, existing: At<'_>, new: At<'_>) -> FsResult<()> {
        let linked = self.0.call().link(existing, new);
        self.0.looks.store(0, Ordering::Relaxed);
        linked
    }
    fn rename(&self, old: At<'_>, new: At<'_>, on: Existing) -> FsResult<()> {
        self.0.fs.rename(old, new, on)
    }
    fn unlink(&self, at: At<'_>) -> FsResult<()> {
        self.0.call().unlink(at)
    }
    fn make_dir(&self, at: At<'_>) -> FsResult<()> {
        self.0.call().make_dir(at)
    }
    fn sync(&self, dir: &Dir) -> FsResult<()> {
        self.0.call().sync(dir)
    }
    fn names_of(&self, at: At<'_>) -> FsResult<Option<Vec<PathBuf>>> {
        self.0.call().names_of(at)
    }
    fn volume(&self, dir: &Dir) -> FsResult<VolumeInfo> {
        self.0.call().volume(dir)
    }
}

impl FileFs for Shared {
    fn open_file(&self, at: At<'_>) -> FsResult<Box<dyn Content>> {
        Ok(Box::new(Open {
            content: self.0.call().open_file(at)?,
            fs: Arc::clone(&self.0),
        }))
    }
    fn metadata(&self, at: At<'_>) -> FsResult<Metadata> {
        self.0.call().metadata(at)
    }
    fn dir_metadata(&self, dir: &Dir) -> FsResult<Metadata> {
        self.0.call().dir_metadata(dir)
    }
    fn set_metadata(&self, at: At<'_>, to: &Metadata) -> FsResult<Vec<Lost>> {
        self.0.call().set_metadata(at, to)
    }
    fn set_dir_metadata(&self, dir: &Dir, to: &Metadata) -> FsResult<Vec<Lost>> {
        self.0.call().set_dir_metadata(dir, to)
    }
    fn copy(&self, existing: At<'_>, new: At<'_>, how: CopyHow) -> FsResult<Copied> {
        self.0.call().copy(existing, new, how)
    }
    fn read_symlink(&self, at: At<'_>) -> FsResult<Vec<u8>> {
        self.0.call().read_symlink(at)
    }
    fn make_symlink(&self, target: &[u8], new: At<'_>) -> FsResult<()> {
        self.0.call().make_symlink(target, new)
    }
    fn remove_dir(&self, at: At<'_>) -> FsResult<()> {
        self.0.call().remove_dir(at)
    }
}

const NEW: u64 = 9 << 16;

/// What somebody else does: to the file that stays or to one that goes, in place or by a rename over the name.
const EDITS: [(&str, Edit); 6] = [
    ("written to the first", |fs| {
        fs.rewrite("/t/a", 20_000, NEW).unwrap();
    }),
    ("written to the last", |fs| {
        fs.rewrite("/t/c", 20_000, NEW).unwrap();
    }),
    ("the last gets longer", |fs| {
        fs.rewrite("/t/c", 20_001, 1 << 16).unwrap();
    }),
    ("the first saved by rename", |fs| {
        fs.create_with("/t/a", 20_000, NEW).unwrap();
    }),
    ("the last saved by rename", |fs| {
        fs.create_with("/t/c", 20_000, NEW).unwrap();
    }),
    ("two names swapped", |fs| {
        fs.create_with("/t/x", 20_000, NEW).unwrap();
        fs.rename_path("/t/a", "/t/y").unwrap();
        fs.rename_path("/t/x", "/t/a").unwrap();
    }),
];

fn setup() -> MemFs {
    let fs = MemFs::new();
    for path in ["/t/a", "/t/b", "/t/c"] {
        file(&fs, path, 20_000, 1 << 16, 0o644, 0);
    }
    fs.link_path("/t/a", "/t/a2").unwrap();
    fs.link_path("/t/c", "/t/c2").unwrap();
    fs
}

/// Does `work` once for each call that an edit can come before, and sees to it that every name holds what it held right
/// after the edit.
fn meddle(least: u64, work: impl Fn(&dyn FileFs, &[Target])) {
    for (what, edit) in EDITS {
        let mut at = 0;
        loop {
            let meddled = Arc::new(Meddled {
                fs: setup(),
                blank: AtomicBool::new(false),
                looks: AtomicU64::new(2),
                calls: AtomicU64::new(0),
                at,
                edit,
                then: Mutex::new(None),
            });
            let fs = Shared(Arc::clone(&meddled));
            let targets = [Target::open(&meddled.fs, "/t").unwrap()];
            work(&fs, &targets);
            let Some(then) = meddled.then.lock().unwrap().take() else {
                assert!(at >= least, "{what}: only {at} calls");
                break;
            };
            assert_eq!(contents(&view(&meddled.fs)), then, "{what} before call {at}");
            at += 1;
        }
    }
}

#[test]
fn a_file_that_changes_at_any_call_of_a_merge_keeps_its_change() {
    meddle(50, |fs, targets| {
        let plan = plan(fs, targets, &one_thread(), &Silent);
        apply(fs, plan, &Silent);
    });
}

#[test]
fn a_file_that_changes_at_any_call_of_a_split_keeps_its_change() {
    meddle(15, |fs, targets| {
        let plan = plan_split(fs, targets, &SplitOptions::default(), &Silent);
        apply_split(fs, plan, &Silent);
    });
}

#[test]
fn equal_hashes_are_not_enough() {
    let meddled = Arc::new(Meddled {
        fs: setup(),
        blank: AtomicBool::new(true),
        looks: AtomicU64::new(2),
        calls: AtomicU64::new(0),
        at: u64::MAX,
        edit: |_| {},
        then: Mutex::new(None),
    });
    file(&meddled.fs, "/t/b", 20_000, NEW, 0o644, 0);
    let before = view(&meddled.fs);
    let fs = Shared(Arc::clone(&meddled));
    let targets = [Target::open(&meddled.fs, "/t").unwrap()];
    let plan = plan(&fs, &targets, &one_thread(), &Silent);
    assert_eq!(plan.forecast().merged_files, 2, "they look alike");
    meddled.blank.store(false, Ordering::Relaxed);
    let outcome = apply(&fs, plan, &Silent);
    let b = Path::new("/t").join("b");
    assert_eq!((outcome.merged_files, &*outcome.unequal), (1, &[b.clone()][..]));
    assert_eq!(view(&meddled.fs)[&b], before[&b]);
}
