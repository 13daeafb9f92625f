//! A source that changes at any call of a clone or a snapshot.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use polylink_core::{FileFs, MemFs, Silent};
use polylink_tree::clone::{Options, apply, plan};
use polylink_tree::snapshot;

use crate::clone::request;
use crate::hooked::Hooked;
use crate::snapshot::{assert_whole, request as snapshot_request};
use crate::world::{contents, files};

type Edit = fn(&MemFs);

/// What somebody else does meanwhile.
const EDITS: [(&str, Edit); 6] = [
    ("written in place", |fs| fs.rewrite("/s/a/1", 7, 1000).unwrap()),
    ("saved by rename", |fs| {
        fs.create_with("/s/a/1", 8, 1001).unwrap();
    }),
    ("a name gone", |fs| fs.remove("/s/a/2").unwrap()),
    ("a directory gone", |fs| fs.remove("/s/b").unwrap()),
    ("a directory in the place of a file", |fs| {
        fs.remove("/s/a/1").unwrap();
        fs.create_with("/s/a/1/inside", 9, 1002).unwrap();
    }),
    ("two directories swapped", |fs| {
        fs.rename_path("/s/a", "/s/x").unwrap();
        fs.rename_path("/s/b", "/s/a").unwrap();
        fs.rename_path("/s/x", "/s/b").unwrap();
    }),
];

fn tree() -> MemFs {
    let fs = MemFs::new();
    for (number, path) in (1u64..).zip(["/s/a/1", "/s/a/2", "/s/b/1", "/s/b/3", "/s/top"]) {
        fs.create_with(path, 5, number << 16).unwrap();
    }
    fs.link_path("/s/a/2", "/s/b/2").unwrap();
    fs
}

/// Does `work` once for each change that the edit can come before.
fn meddle(work: impl Fn(&dyn FileFs), prepare: impl Fn(&MemFs), look: impl Fn(&MemFs, &str, &BTreeSet<u64>)) {
    for (what, edit) in EDITS {
        for at in 0.. {
            let fs = tree();
            prepare(&fs);
            let calls = Arc::new(AtomicU64::new(0));
            let counted = Arc::clone(&calls);
            let hooked = Hooked::new(&fs, move |fs, _| {
                if counted.fetch_add(1, Ordering::Relaxed) == at {
                    edit(fs);
                }
                Ok(())
            });
            work(&hooked);
            if calls.load(Ordering::Relaxed) <= at {
                assert!(at > 5, "{what}: only {at} calls");
                break;
            }
            let what = format!("{what} before call {at}");
            look(&fs, &what, &contents(&fs));
        }
    }
}

fn clone(fs: &dyn FileFs) -> bool {
    let options = Options {
        threads: std::num::NonZeroUsize::new(1),
        ..Options::default()
    };
    apply(fs, &plan(fs, &request(options), &Silent).unwrap(), &Silent).is_complete()
}

#[test]
fn a_source_that_changes_while_it_is_cloned_loses_nothing_and_the_next_run_follows() {
    let later = |fs: &MemFs| {
        fs.create_with("/s/a/1", 6, 900 << 16).unwrap();
        fs.create_with("/s/new/1", 6, 901 << 16).unwrap();
        fs.remove("/s/b/3").unwrap();
    };
    let look = |fs: &MemFs, what: &str, before: &BTreeSet<u64>| {
        // of the old versions the clone had the last names
        for old in [1u64 << 16, 4 << 16] {
            assert!(before.contains(&old), "{what}");
        }
        assert!(clone(fs), "{what}");
        assert_eq!(&contents(fs), before, "{what}");
        let dest = files(fs, "/d");
        for (path, id) in files(fs, "/s") {
            assert_eq!(dest.get(&path), Some(&id), "{what}: {}", path.display());
        }
    };
    meddle(
        |fs| {
            clone(fs);
        },
        |fs| {
            clone(fs);
            later(fs);
        },
        look,
    );
}

#[test]
fn a_source_that_changes_while_a_snapshot_is_made_leaves_earlier_ones_alone() {
    let take = |fs: &dyn FileFs, number: i64| {
        let request = snapshot::Request {
            threads: std::num::NonZeroUsize::new(1),
            ..snapshot_request(number)
        };
        snapshot::apply(fs, &snapshot::plan(fs, &request, &Silent).unwrap(), &Silent)
    };
    let first = |fs: &MemFs| files(fs, "/store/n001");
    meddle(
        |fs| {
            let outcome = take(fs, 2);
            // what is missing is told
            assert!(outcome.name.is_none() || outcome.is_whole() || !outcome.failures.is_empty());
        },
        |fs| {
            take(fs, 1);
        },
        |fs, what, _| {
            let old: BTreeSet<u64> = fs
                .all_names()
                .into_iter()
                .filter(|(path, _)| path.starts_with(Path::new("/store/n001")))
                .map(|(_, (_, content))| content)
                .collect();
            assert_eq!(first(fs).len(), 6, "{what}");
            assert_eq!(old, (1u64..6).map(|number| number << 16).collect(), "{what}");
            let outcome = take(fs, 3);
            assert!(outcome.is_whole(), "{what}: {:?}", outcome.failures);
            assert_whole(fs, "n003", 65_000);
        },
    );
}
