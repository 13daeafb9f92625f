//! What stands in a clone where no hard link can be.

use std::path::{Path, PathBuf};

use polylink_core::{FileId, MemFs, MemOptions, Silent};
use polylink_tree::clone::{Options, Orphans, Outcome, apply_with, plan_with};
use polylink_view::{Fallback, Fallbacks, Ledger};

use crate::clone::request;
use crate::world::{contents, files, look, stat};

fn copies(kind: Fallback) -> Options {
    Options {
        fallback: Some(kind),
        ..Options::default()
    }
}

fn run_with(fs: &MemFs, ledger: &mut Ledger, options: Options) -> Outcome {
    let plan = plan_with(fs, &request(options), ledger, &Silent).unwrap();
    let steps = plan.steps().count();
    let forecast = plan.forecast();
    let linked = (forecast.linked, forecast.relinked, forecast.symlinks);
    let numbers = (
        forecast.kept,
        forecast.removed,
        forecast.refreshed,
        forecast.fallbacks_made,
    );
    let (orphans, total) = (forecast.orphans.clone(), forecast.fallbacks.total());
    let outcome = apply_with(fs, &plan, ledger, &Silent);
    assert!(!outcome.stopped && outcome.ledger_error.is_none());
    // a dry run says what the real run does
    assert_eq!(linked, (outcome.linked, outcome.relinked, outcome.symlinks));
    assert_eq!(
        numbers,
        (
            outcome.kept,
            outcome.removed,
            outcome.refreshed,
            outcome.fallbacks_made
        )
    );
    assert_eq!(
        (orphans, total),
        (outcome.orphans.clone(), outcome.fallbacks.total())
    );
    let changes = outcome.linked + outcome.relinked + outcome.removed + outcome.refreshed;
    assert!(steps as u64 >= changes + outcome.fallbacks_made);
    outcome
}

fn run(fs: &MemFs, ledger: &mut Ledger) -> Outcome {
    run_with(fs, ledger, copies(Fallback::Copy))
}

/// Source and clone have the same names with the same content.
fn assert_alike(fs: &MemFs) {
    let content = |root: &str| -> Vec<(PathBuf, Vec<u8>)> {
        look(fs, Path::new(root))
            .into_iter()
            .map(|(path, seen)| (path, seen.content))
            .collect()
    };
    assert_eq!(content("/s"), content("/d"));
}

fn id(fs: &MemFs, path: &str) -> FileId {
    stat(fs, path).unwrap().id
}

/// A file at its limit of names, and one that is not.
fn limited() -> MemFs {
    let fs = MemFs::with(MemOptions {
        link_limit: 2,
        ..MemOptions::default()
    });
    fs.create("/s/a", 10).unwrap();
    fs.link_path("/s/a", "/s/b").unwrap();
    fs.create("/s/c", 20).unwrap();
    fs
}

fn apart() -> MemFs {
    let fs = MemFs::new();
    fs.create("/s/2006/a", 10).unwrap();
    fs.create("/s/2007/b", 20).unwrap();
    fs.symlink("/s/l").unwrap();
    fs.mount("/d").unwrap();
    fs
}

#[test]
fn at_the_limit_a_copy_stands_follows_its_source_and_becomes_a_link() {
    let (fs, mut ledger) = (limited(), Ledger::in_memory().unwrap());
    let outcome = run(&fs, &mut ledger);
    assert_eq!((outcome.linked, outcome.fallbacks_made), (1, 2));
    assert_eq!(outcome.fallbacks.copy, 2);
    assert_alike(&fs);
    fs.stop_after(Some(0));
    let again = run(&fs, &mut ledger);
    assert_eq!((again.kept, again.fallbacks.copy, again.refreshed), (3, 2, 0));
    fs.stop_after(None);
    fs.rewrite("/s/a", 11, 77).unwrap();
    // also without the option what there is is kept right
    let changed = run_with(&fs, &mut ledger, Options::default());
    assert_eq!((changed.refreshed, changed.fallbacks.copy), (2, 2));
    assert_alike(&fs);
    fs.remove("/s/b").unwrap();
    let linked = run(&fs, &mut ledger);
    assert_eq!((linked.relinked, linked.removed, linked.orphans.len()), (1, 1, 0));
    assert_eq!(linked.fallbacks, Fallbacks::default());
    assert_eq!(files(&fs, "/s"), files(&fs, "/d"));
    assert!(ledger.fallbacks().unwrap().is_empty());
}

#[test]
fn a_copy_that_somebody_wrote_to_stays_as_an_old_version() {
    let (fs, mut ledger) = (limited(), Ledger::in_memory().unwrap());
    run(&fs, &mut ledger);
    fs.rewrite("/d/a", 12, 99).unwrap();
    let before = contents(&fs);
    fs.rewrite("/s/a", 11, 77).unwrap();
    let outcome = run(&fs, &mut ledger);
    assert_eq!(outcome.orphans, [Path::new("/d/a (old)")]);
    assert!(
        before
            .iter()
            .filter(|content| contents(&fs).contains(*content))
            .count()
            >= before.len() - 1
    );
    assert!(contents(&fs).contains(&99));
    fs.remove("/d/a (old)").unwrap();
    assert_alike(&fs);
}

#[test]
fn a_whole_clone_on_another_file_system_follows_its_source() {
    let (fs, mut ledger) = (apart(), Ledger::in_memory().unwrap());
    let outcome = run(&fs, &mut ledger);
    assert_eq!((outcome.fallbacks.copy, outcome.symlinks), (2, 1));
    assert!(outcome.is_complete(), "{:?}", outcome.failures);
    assert_alike(&fs);
    let first = id(&fs, "/d/2007/b");
    let again = run(&fs, &mut ledger);
    assert_eq!((again.kept, again.fallbacks_made, again.refreshed), (3, 0, 0));
    assert_eq!(id(&fs, "/d/2007/b"), first);
    // moved in the source: the copy follows, and no orphan is left
    fs.rename_path("/s/2006/a", "/s/2007/a").unwrap();
    let moved = run(&fs, &mut ledger);
    assert_eq!(
        (moved.fallbacks_made, moved.removed, moved.orphans.len()),
        (1, 1, 0)
    );
    // gone from the source: the copy is the last there is
    fs.remove("/s/2007/a").unwrap();
    let gone = run(&fs, &mut ledger);
    assert_eq!(gone.orphans, [Path::new("/d/2007/a")]);
    let delete = Options {
        orphans: Orphans::Delete,
        ..copies(Fallback::Copy)
    };
    assert_eq!(run_with(&fs, &mut ledger, delete).orphans_deleted, 1);
}

#[test]
fn a_copy_that_is_the_last_of_its_data_stays_when_another_file_comes_to_its_path() {
    let (fs, mut ledger) = (apart(), Ledger::in_memory().unwrap());
    run(&fs, &mut ledger);
    fs.remove("/s/2006/a").unwrap();
    assert_eq!(run(&fs, &mut ledger).orphans, [Path::new("/d/2006/a")]);
    fs.create("/s/2006/a", 30).unwrap();
    let before = contents(&fs);
    let outcome = run(&fs, &mut ledger);
    assert_eq!(outcome.orphans, [Path::new("/d/2006/a (old)")]);
    assert_eq!(contents(&fs), before);
    fs.remove("/d/2006/a (old)").unwrap();
    assert_alike(&fs);
    assert_eq!(run(&fs, &mut ledger).kept, 3);
}

#[test]
fn an_unmounted_source_takes_nothing_away() {
    let (fs, mut ledger) = (apart(), Ledger::in_memory().unwrap());
    run(&fs, &mut ledger);
    fs.remove("/s/2006").unwrap();
    fs.remove("/s/2007").unwrap();
    fs.remove("/s/l").unwrap();
    let before = files(&fs, "/d");
    for orphans in [Orphans::Keep, Orphans::Delete] {
        let options = Options {
            orphans,
            ..copies(Fallback::Copy)
        };
        assert!(plan_with(&fs, &request(options), &ledger, &Silent).is_err());
    }
    assert_eq!(files(&fs, "/d"), before);
}

#[test]
fn symbolic_links_lead_to_the_source_and_go_with_it() {
    let (fs, mut ledger) = (limited(), Ledger::in_memory().unwrap());
    let symlinks = copies(Fallback::Symlink);
    let outcome = run_with(&fs, &mut ledger, symlinks);
    assert_eq!((outcome.linked, outcome.fallbacks.symlink), (1, 2));
    assert_eq!(look(&fs, Path::new("/d"))[Path::new("a")].content, b"../s/a");
    let again = run_with(&fs, &mut ledger, symlinks);
    assert_eq!((again.kept, again.refreshed), (3, 0));
    let copied = run(&fs, &mut ledger);
    assert_eq!((copied.refreshed, copied.fallbacks.copy), (2, 2));
    assert_alike(&fs);
    run_with(&fs, &mut ledger, symlinks);
    fs.remove("/s/a").unwrap();
    fs.remove("/s/b").unwrap();
    let gone = run_with(&fs, &mut ledger, symlinks);
    assert_eq!((gone.removed, gone.orphans.len()), (2, 0));
    assert_eq!(files(&fs, "/s"), files(&fs, "/d"));
}

#[test]
fn without_the_ledger_copies_are_old_versions_and_nothing_is_lost() {
    let (fs, mut ledger) = (limited(), Ledger::in_memory().unwrap());
    run(&fs, &mut ledger);
    fs.rewrite("/s/a", 11, 77).unwrap();
    let before = contents(&fs);
    let mut lost = Ledger::in_memory().unwrap();
    let outcome = run(&fs, &mut lost);
    assert_eq!(outcome.orphans.len(), 2, "{:?}", outcome.orphans);
    assert_eq!(contents(&fs), before);
}

/// Stopped after so many changes or commits, the next run completes, and what somebody wrote is there still.
fn stopped(fs: impl Fn() -> MemFs, later: impl Fn(&MemFs), kind: Fallback) {
    for of_ledger in [false, true] {
        for steps in 0.. {
            let (fs, mut ledger) = (fs(), Ledger::in_memory().unwrap());
            run_with(&fs, &mut ledger, copies(kind));
            fs.rewrite("/d/mine", 5, 1234)
                .or_else(|_| fs.create_with("/d/mine", 5, 1234).map(drop))
                .unwrap();
            later(&fs);
            let before = contents(&fs);
            let plan = plan_with(&fs, &request(copies(kind)), &ledger, &Silent).unwrap();
            match of_ledger {
                true => ledger.stop_after(Some(steps)),
                false => fs.stop_after(Some(steps)),
            }
            let outcome = apply_with(&fs, &plan, &mut ledger, &Silent);
            fs.stop_after(None);
            ledger.stop_after(None);
            let again = run_with(&fs, &mut ledger, copies(kind));
            assert!(again.is_complete(), "after {steps}: {:?}", again.failures);
            // everything the source has, and what somebody wrote; copies of what changed may go
            let now = contents(&fs);
            assert!(now.contains(&1234) && files(&fs, "/s").len() <= before.len());
            for orphan in again.orphans {
                fs.remove(orphan).unwrap();
            }
            let (ours, theirs) = (look(&fs, Path::new("/s")), look(&fs, Path::new("/d")));
            assert_eq!(
                ours.keys().collect::<Vec<_>>(),
                theirs.keys().collect::<Vec<_>>(),
                "after {steps}"
            );
            if kind == Fallback::Copy {
                assert_alike(&fs);
            }
            let plan = plan_with(&fs, &request(copies(kind)), &ledger, &Silent).unwrap();
            let steps_left: Vec<String> = plan.steps().map(|step| step.to_string()).collect();
            let last = run_with(&fs, &mut ledger, copies(kind));
            let changes = last.linked + last.relinked + last.removed + last.refreshed + last.fallbacks_made;
            assert_eq!(
                (changes, last.orphans.len()),
                (0, 0),
                "after {steps}: {steps_left:?} {of_ledger} {kind:?}"
            );
            if !outcome.stopped && outcome.ledger_error.is_none() {
                assert!(steps > 0);
                break;
            }
        }
    }
}

#[test]
fn stopped_at_any_step_on_another_file_system_the_next_run_completes() {
    stopped(
        apart,
        |fs| {
            fs.rewrite("/s/2006/a", 11, 77).unwrap();
            fs.create("/s/2007/b", 21).unwrap(); // saved by rename
            fs.create("/s/2008/new", 3).unwrap();
        },
        Fallback::Copy,
    );
}

#[test]
fn stopped_at_any_step_at_the_limit_the_next_run_completes() {
    for kind in [Fallback::Copy, Fallback::Symlink] {
        stopped(
            limited,
            |fs| {
                fs.rewrite("/s/a", 11, 77).unwrap();
                fs.create("/s/c", 21).unwrap(); // saved by rename, and then linked to its limit
                fs.link_path("/s/c", "/s/d").unwrap();
            },
            kind,
        );
        stopped(limited, |fs| fs.remove("/s/b").unwrap(), kind);
    }
}

/// A clone of one kind, and a run that announced the other kind and came no further.
fn announced(from: Fallback, to: Fallback) -> (MemFs, Ledger) {
    let (fs, mut ledger) = (apart(), Ledger::in_memory().unwrap());
    run_with(&fs, &mut ledger, copies(from));
    let plan = plan_with(&fs, &request(copies(to)), &ledger, &Silent).unwrap();
    fs.stop_after(Some(0));
    assert_eq!(apply_with(&fs, &plan, &mut ledger, &Silent).refreshed, 0);
    fs.stop_after(None);
    (fs, ledger)
}

#[test]
fn what_a_stopped_run_was_about_to_replace_is_what_it_was() {
    let (copy, symlink) = (Fallback::Copy, Fallback::Symlink);
    for (from, to) in [(copy, symlink), (symlink, copy)] {
        for next in [from, to] {
            let (fs, mut ledger) = announced(from, to);
            let outcome = run_with(&fs, &mut ledger, copies(next));
            assert!(outcome.is_complete(), "{:?}", outcome.failures);
            let number = if next == from { 0 } else { 2 };
            assert_eq!(outcome.refreshed, number, "{from:?} {to:?} {next:?}");
            assert_eq!(*outcome.fallbacks.clone().of(next), 2);
        }
    }
    // the last of its data is kept, and a symbolic link that leads nowhere is not
    let (fs, mut ledger) = announced(copy, symlink);
    let before = contents(&fs);
    fs.remove("/s/2006/a").unwrap();
    let outcome = run_with(&fs, &mut ledger, copies(symlink));
    assert_eq!(
        (outcome.removed, &*outcome.orphans),
        (0, &["/d/2006/a".into()][..])
    );
    assert_eq!(contents(&fs), before);
    let (fs, mut ledger) = announced(symlink, copy);
    fs.remove("/s/2006/a").unwrap();
    let outcome = run(&fs, &mut ledger);
    assert_eq!((outcome.removed, outcome.orphans.len()), (1, 0));
}

#[test]
fn a_copy_of_an_old_version_is_not_taken_for_one_of_the_new_because_that_was_announced() {
    let (fs, mut ledger) = (apart(), Ledger::in_memory().unwrap());
    run(&fs, &mut ledger);
    fs.rewrite("/s/2006/a", 11, 77).unwrap();
    let plan = plan_with(&fs, &request(copies(Fallback::Copy)), &ledger, &Silent).unwrap();
    fs.stop_after(Some(0));
    apply_with(&fs, &plan, &mut ledger, &Silent);
    fs.stop_after(None);
    // away while a run looks, and back
    fs.mkdir("/elsewhere").unwrap();
    fs.rename_path("/s/2006/a", "/elsewhere/a").unwrap();
    assert_eq!(run(&fs, &mut ledger).orphans, [Path::new("/d/2006/a")]);
    fs.rename_path("/elsewhere/a", "/s/2006/a").unwrap();
    let outcome = run(&fs, &mut ledger);
    for orphan in outcome.orphans {
        fs.remove(orphan).unwrap();
    }
    assert_alike(&fs);
}
