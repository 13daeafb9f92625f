//! [`Watched`]: a file system that counts the calls made to it, and lets something happen at one of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use polylink_core::{At, Dir, DirBatch, DirIds, Existing, FsResult, LinkFs, More, NameBuf, Stat, VolumeInfo};

type Event<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Another file system, watched.
pub(crate) struct Watched<'a> {
    fs: &'a dyn LinkFs,
    calls: Mutex<BTreeMap<&'static str, u64>>,
    at: Mutex<Option<(u64, Event<'a>)>>,
    before: Mutex<&'static str>,
    /// Whether directory reads say that their ids cannot be trusted.
    pub(crate) distrust: bool,
}

impl<'a> Watched<'a> {
    pub(crate) fn new(fs: &'a dyn LinkFs) -> Self {
        Self {
            fs,
            calls: Mutex::default(),
            at: Mutex::default(),
            before: Mutex::default(),
            distrust: false,
        }
    }

    /// Lets `event` happen before the call that comes after `calls` others.
    pub(crate) fn at_call(&self, calls: u64, event: impl FnOnce() + Send + 'a) {
        *self.at.lock().unwrap() = Some((calls, Box::new(event)));
    }

    /// Whether the event has yet to happen.
    pub(crate) fn is_waiting(&self) -> bool {
        self.at.lock().unwrap().is_some()
    }

    /// The method before which the event happened.
    pub(crate) fn happened_before(&self) -> &'static str {
        *self.before.lock().unwrap()
    }

    /// Calls of a method so far.
    pub(crate) fn calls(&self, method: &str) -> u64 {
        self.calls.lock().unwrap().get(method).copied().unwrap_or(0)
    }

    /// Calls that change something.
    pub(crate) fn changes(&self) -> u64 {
        ["link", "rename", "unlink", "make_dir"]
            .iter()
            .map(|method| self.calls(method))
            .sum()
    }

    fn note(&self, method: &'static str) {
        *self.calls.lock().unwrap().entry(method).or_default() += 1;
        let mut at = self.at.lock().unwrap();
        match at.as_mut() {
            Some((0, _)) => {
                let event = at.take();
                *self.before.lock().unwrap() = method;
                drop(at);
                if let Some((_, event)) = event {
                    event();
                }
            }
            Some((left, _)) => *left -= 1,
            None => {}
        }
    }
}

impl LinkFs for Watched<'_> {
    fn open_dir(&self, path: &Path) -> FsResult<Dir> {
        self.note("open_dir");
        self.fs.open_dir(path)
    }

    fn open_child(&self, at: At<'_>) -> FsResult<Dir> {
        self.note("open_child");
        self.fs.open_child(at)
    }

    fn read_dir(&self, dir: &Dir, batch: &mut DirBatch) -> FsResult<More> {
        self.note("read_dir");
        let more = self.fs.read_dir(dir, batch)?;
        if self.distrust {
            let entries: Vec<(NameBuf, _, u128)> = batch
                .iter()
                .map(|entry| (entry.name.to_buf(), entry.kind, entry.id.id))
                .collect();
            batch.start(0, DirIds::Untrusted);
            for (name, kind, id) in entries {
                batch.push(name.bytes(), kind, id + 1);
            }
        }
        Ok(more)
    }

    fn stat(&self, at: At<'_>) -> FsResult<Stat> {
        self.note("stat");
        self.fs.stat(at)
    }

    fn stat_dir(&self, dir: &Dir) -> FsResult<Stat> {
        self.note("stat_dir");
        self.fs.stat_dir(dir)
    }

    fn link(&self, existing: At<'_>, new: At<'_>) -> FsResult<()> {
        self.note("link");
        self.fs.link(existing, new)
    }

    fn rename(&self, old: At<'_>, new: At<'_>, on: Existing) -> FsResult<()> {
        self.note("rename");
        self.fs.rename(old, new, on)
    }

    fn unlink(&self, at: At<'_>) -> FsResult<()> {
        self.note("unlink");
        self.fs.unlink(at)
    }

    fn make_dir(&self, at: At<'_>) -> FsResult<()> {
        self.note("make_dir");
        self.fs.make_dir(at)
    }

    fn sync(&self, dir: &Dir) -> FsResult<()> {
        self.note("sync");
        self.fs.sync(dir)
    }

    fn names_of(&self, at: At<'_>) -> FsResult<Option<Vec<PathBuf>>> {
        self.note("names_of");
        self.fs.names_of(at)
    }

    fn volume(&self, dir: &Dir) -> FsResult<VolumeInfo> {
        self.note("volume");
        self.fs.volume(dir)
    }
}
