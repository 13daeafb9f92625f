//! What following keeps in memory.

use std::num::NonZeroUsize;

use polylink_core::{MemFs, MemOptions, Silent};

use super::*;
use crate::options::{Options, Orphans};

/// Watches whatever it is told to, and has no news: the test hands bursts over itself.
#[derive(Default)]
struct Ears(FxHashSet<PathBuf>);

impl Events for Ears {
    fn watch(&mut self, dir: &Path) -> Result<(), NoWatch> {
        self.0.insert(dir.to_path_buf());
        Ok(())
    }

    fn unwatch(&mut self, dir: &Path) {
        self.0.remove(dir);
    }

    fn reset(&mut self) {
        self.0.clear();
    }

    fn next(&mut self, _timeout: Duration) -> Option<Event> {
        None
    }
}

/// Everything that could grow, counted.
fn held(follower: &Follower<'_>, ears: &Ears) -> Vec<(&'static str, usize)> {
    let known = follower.known.as_ref().expect("an update was made");
    let mut held = known.sources.held();
    held.extend(known.names.held());
    held.extend(known.book.held());
    held.extend([
        ("directories by path", known.by_path.len()),
        ("view and sources", known.places.len()),
        ("watched", follower.watched.len()),
        ("watches", ears.0.len()),
        ("not watched", follower.deaf.len()),
        ("orphans", follower.orphans.len()),
    ]);
    held
}

/// Nearly thirty thousand changes, each with names and directories that never were before: when all of that is gone,
/// nothing of it is left in memory, and nothing in the ledger.
#[test]
fn what_is_held_does_not_grow_with_what_has_been() {
    const CYCLES: u32 = 4_000;
    let fs = MemFs::with(MemOptions::default());
    for dir in ["/s/stays", "/t"] {
        fs.mkdir(dir).unwrap();
    }
    fs.create("/s/stays/one", 1).unwrap();
    let request = Request {
        sources: vec!["/s".into(), "/t".into()],
        view: "/v".into(),
        options: Options {
            orphans: Orphans::Delete,
            threads: NonZeroUsize::new(1),
            ..Options::default()
        },
    };
    let mut ledger = Ledger::in_memory().unwrap();
    let mut ears = Ears::default();
    let (mut told, mut linked) = (0u32, 0u32);
    let tell = &mut |happened: Happened<'_>| match happened {
        Happened::Done(Step::Link { .. }) => linked += 1,
        Happened::Failed(_) | Happened::CannotUpdate(_) | Happened::NotWatched { .. } => told += 1,
        _ => {}
    };
    let mut follower = Follower::new(&fs, &request, &mut ledger, &Silent);
    assert_eq!(follower.reconcile(&mut ears, tell).unwrap(), Next::Wait);
    let mut update = |follower: &mut Follower<'_>, ears: &mut Ears, paths: &[String]| {
        let burst = Burst::of(paths);
        assert_eq!(follower.update(&burst, ears, tell).unwrap(), Next::Wait);
    };
    let (mut first, mut most) = (Vec::new(), 0);
    for number in 0..CYCLES {
        let (dir, moved) = (format!("/s/dir{number}"), format!("/t/moved{number}"));
        fs.create(format!("{dir}/below/file{number}"), 1).unwrap();
        update(&mut follower, &mut ears, std::slice::from_ref(&dir));
        most = most.max(ears.0.len());
        fs.rename_path(&dir, &moved).unwrap();
        update(&mut follower, &mut ears, &[dir, moved.clone()]);
        for path in [
            format!("{moved}/below/file{number}"),
            format!("{moved}/below"),
            moved.clone(),
        ] {
            fs.remove(path).unwrap();
        }
        update(&mut follower, &mut ears, &[moved, format!("/v/file{number}")]);
        // a directory of the ledger goes with the change after the one that its last name went with
        if number == 1 {
            first = held(&follower, &ears);
        }
    }
    let last = held(&follower, &ears);
    assert_eq!(first, last, "after {CYCLES} cycles");
    assert_eq!(
        most, 6,
        "the sources, the view, and three directories below the sources"
    );
    drop(follower);
    assert_eq!((linked, told), (CYCLES + 1, 0));
    assert_eq!(ledger.rows().len(), 1);
}
