//! What the system tells of changes, by inotify, ReadDirectoryChangesW or what else it has.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use notify::event::{AccessKind, ModifyKind, RenameMode};
use notify::{
    Config, ErrorKind, Event as Told, EventKind, EventKindMask, RecommendedWatcher, RecursiveMode,
    Watcher as _, WatcherKind,
};
use polylink_view::{Event, Events, NoWatch};

use crate::error::CommandError;

/// News that wait to be read, at most: more of them are an overflow, and everything is read anew.
const QUEUE: usize = 65_536;

/// Listens to directories.
pub(super) struct Listener {
    watcher: RecommendedWatcher,
    news: Receiver<Event>,
    send: SyncSender<Event>,
    lost: Arc<AtomicBool>,
    /// Directories that are watched with all below them, where the system can do that.
    trees: Vec<PathBuf>,
}

/// Whether the system watches a directory alone (inotify), so that each gets a watch of its own, before it is read.
fn each_alone() -> bool {
    RecommendedWatcher::kind() == WatcherKind::Inotify
}

/// Names that come and go, and files that were written: a file that is written to keeps its names, and only copies follow.
fn wanted() -> EventKindMask {
    EventKindMask::CREATE | EventKindMask::REMOVE | EventKindMask::MODIFY_NAME | EventKindMask::ACCESS_CLOSE
}

fn watcher(send: SyncSender<Event>, lost: Arc<AtomicBool>) -> notify::Result<RecommendedWatcher> {
    let hand_over = move |told: notify::Result<Told>| {
        let lose = || lost.store(true, Ordering::Relaxed);
        match told {
            Ok(told) if told.need_rescan() => lose(),
            Ok(told) => {
                for event in events(&told) {
                    if send.try_send(event).is_err() {
                        lose();
                    }
                }
            }
            Err(_) => lose(),
        }
    };
    let config = Config::default()
        .with_follow_symlinks(false)
        .with_event_kinds(wanted());
    RecommendedWatcher::new(hand_over, config)
}

fn events(told: &Told) -> Vec<Event> {
    let paths = told.paths.iter().cloned();
    match (told.kind, told.tracker()) {
        (EventKind::Modify(ModifyKind::Name(RenameMode::From)), Some(number)) => {
            paths.map(|path| Event::MovedFrom(path, number)).collect()
        }
        (EventKind::Modify(ModifyKind::Name(RenameMode::To)), Some(number)) => {
            paths.map(|path| Event::MovedTo(path, number)).collect()
        }
        (EventKind::Access(AccessKind::Close(_)) | EventKind::Modify(_), _) => {
            paths.map(Event::Changed).collect()
        }
        (EventKind::Access(_), _) => Vec::new(),
        _ => paths.map(Event::Changed).collect(),
    }
}

impl Listener {
    pub(super) fn new() -> Result<Self, CommandError> {
        Self::with_queue(QUEUE)
    }

    fn with_queue(queue: usize) -> Result<Self, CommandError> {
        let (send, news) = sync_channel(queue);
        let lost = Arc::new(AtomicBool::new(false));
        let watcher = watcher(send.clone(), Arc::clone(&lost)).map_err(|error| {
            let mut failed = CommandError::cannot_start("the system tells of no changes");
            failed.causes.push(error.to_string());
            match error.kind {
                ErrorKind::MaxFilesWatch => failed.hint(INSTANCES),
                _ => failed,
            }
        })?;
        Ok(Self {
            watcher,
            news,
            send,
            lost,
            trees: Vec::new(),
        })
    }
}

/// What to do where no listener can be made.
const INSTANCES: &str = "on Linux the limit is fs.inotify.max_user_instances: raise it with sysctl";

impl Events for Listener {
    fn watch(&mut self, dir: &Path) -> Result<(), NoWatch> {
        let mode = if each_alone() {
            RecursiveMode::NonRecursive
        } else if self.trees.iter().any(|tree| dir.starts_with(tree)) {
            return Ok(());
        } else {
            RecursiveMode::Recursive
        };
        self.watcher.watch(dir, mode).map_err(|error| match &error.kind {
            ErrorKind::MaxFilesWatch => NoWatch::Limit,
            ErrorKind::PathNotFound => NoWatch::Gone,
            ErrorKind::Io(io) if io.kind() == std::io::ErrorKind::NotFound => NoWatch::Gone,
            _ => NoWatch::Other(error.to_string()),
        })?;
        if mode == RecursiveMode::Recursive {
            self.trees.push(dir.to_path_buf());
        }
        Ok(())
    }

    fn unwatch(&mut self, dir: &Path) {
        self.trees.retain(|tree| tree != dir);
        // OK to ignore: it is not watched, or gone, and its watch with it
        drop(self.watcher.unwatch(dir));
    }

    fn reset(&mut self) {
        // OK to ignore: the old one goes on, and what it does not tell is found on the timer
        if let Ok(new) = watcher(self.send.clone(), Arc::clone(&self.lost)) {
            self.watcher = new;
            self.trees.clear();
        }
        // everything is read anew after this, so what was told before is of no use
        while self.news.try_recv().is_ok() {}
        self.lost.store(false, Ordering::Relaxed);
    }

    fn next(&mut self, timeout: Duration) -> Option<Event> {
        if self.lost.swap(false, Ordering::Relaxed) {
            return Some(Event::Overflow);
        }
        match self.news.recv_timeout(timeout) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                // not reached: we hold a sender ourselves
                std::thread::sleep(timeout);
                None
            }
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::sync::atomic::AtomicUsize;
    use std::time::Instant;

    use polylink_core::{Progress, Silent};
    use polylink_host::HostFs;
    use polylink_view::{Happened, Ledger, Options, Request, Timing, follow, plan};

    use super::*;

    struct Stop(AtomicBool);

    impl Progress for Stop {
        fn cancelled(&self) -> bool {
            self.0.load(Ordering::Relaxed)
        }
    }

    /// The same numbers in every run.
    struct Random(u64);

    impl Random {
        fn below(&mut self, most: u64) -> u64 {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % most
        }
    }

    fn edit(root: &Path, random: &mut Random) {
        const DIRS: [&str; 5] = ["s", "s/a", "s/a/b", "s/c", "v"];
        let mut path = || {
            let dir = DIRS[random.below(5) as usize];
            root.join(dir).join(format!("f{}", random.below(12)))
        };
        let (one, other) = (path(), path());
        // what is impossible does nothing
        match random.below(8) {
            0 | 1 => drop(fs::write(&one, b"x")),
            2 => {
                // saved by rename
                let new = root.join("new");
                if fs::write(&new, b"y").is_ok() {
                    drop(fs::rename(&new, &one));
                }
            }
            3 => drop(fs::remove_file(&one)),
            4 => drop(fs::rename(&one, &other)),
            5 => drop(fs::hard_link(&one, &other)),
            6 => drop(fs::create_dir_all(root.join("s/a/b"))),
            _ if random.below(4) == 0 => {
                let (from, to) = if random.below(2) == 0 {
                    ("s/a", "s/c/a")
                } else {
                    ("s/c/a", "s/a")
                };
                drop(fs::rename(root.join(from), root.join(to)));
            }
            _ => drop(fs::create_dir_all(root.join("s/c"))),
        }
    }

    /// Thousands of edits at full speed, with a queue that loses most of the news: at the end the view is what a fresh
    /// update would make it.
    fn converges(queue: usize, edits: u64) -> usize {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for dir in ["s/a/b", "s/c", "v"] {
            fs::create_dir_all(root.join(dir)).unwrap();
        }
        let host = HostFs::new();
        let request = Request {
            sources: vec![root.join("s")],
            view: root.join("v"),
            options: Options::default(),
        };
        let mut ledger = Ledger::in_memory().unwrap();
        let mut listener = Listener::with_queue(queue).unwrap();
        let stop = Stop(AtomicBool::new(false));
        let (following, overflows) = (AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let wait = |what: &dyn Fn() -> bool| {
                    let until = Instant::now() + Duration::from_secs(60);
                    while !what() && Instant::now() < until {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                };
                wait(&|| following.load(Ordering::Relaxed));
                let mut random = Random(queue as u64);
                for _ in 0..edits {
                    edit(&root, &mut random);
                }
                fs::write(root.join("s/last"), b"").unwrap();
                wait(&|| root.join("v/last").exists());
                // what follows from the last update itself
                std::thread::sleep(Duration::from_millis(300));
                stop.0.store(true, Ordering::Relaxed);
            });
            let tell = &mut |happened: Happened<'_>| match happened {
                Happened::Following { .. } => following.store(true, Ordering::Relaxed),
                Happened::Overflow => {
                    overflows.fetch_add(1, Ordering::Relaxed);
                }
                _ => {}
            };
            follow(
                &host,
                &request,
                &mut ledger,
                &mut listener,
                Timing::default(),
                &stop,
                tell,
            )
            .unwrap();
        });
        assert!(root.join("v/last").exists());
        let rest = plan(&host, &request, &ledger, &Silent).unwrap();
        assert_eq!(rest.steps().collect::<Vec<_>>(), []);
        overflows.into_inner()
    }

    #[test]
    fn thousands_of_edits_with_a_queue_of_four_end_in_the_view_that_a_fresh_update_makes() {
        assert!(converges(4, 4000) > 0, "news were lost");
    }

    #[test]
    fn thousands_of_edits_end_in_the_view_that_a_fresh_update_makes() {
        converges(QUEUE, 4000);
    }
}
