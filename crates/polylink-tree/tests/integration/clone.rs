//! Each thing that a clone finds, and what it does.

use std::path::Path;

use polylink_core::{FaultKind, MemFs, MemOptions, Silent};
use polylink_tree::Error;
use polylink_tree::clone::{Extra, Options, Orphans, Outcome, Request, Step, apply, plan};

use crate::world::{contents, files, look, stat};

pub(crate) fn request(options: Options) -> Request {
    Request {
        source: "/s".into(),
        dest: "/d".into(),
        options,
    }
}

pub(crate) fn run_with(fs: &MemFs, options: Options) -> Outcome {
    let plan = plan(fs, &request(options), &Silent).unwrap();
    let forecast = plan.forecast().clone();
    let outcome = apply(fs, &plan, &Silent);
    assert!(!outcome.stopped);
    // a dry run says what the real run does
    assert_eq!(
        forecast.linked,
        outcome.linked + outcome.symlinks + outcome.special
    );
    assert_eq!(
        (
            forecast.kept,
            forecast.relinked,
            forecast.removed,
            forecast.orphans,
            forecast.dirs_made,
            forecast.strangers,
        ),
        (
            outcome.kept,
            outcome.relinked,
            outcome.removed,
            outcome.orphans.clone(),
            outcome.dirs_made,
            outcome.strangers.clone(),
        )
    );
    assert_eq!(
        (
            forecast.dirs_removed,
            forecast.dirs_updated,
            forecast.orphans_deleted
        ),
        (
            outcome.dirs_removed,
            outcome.dirs_updated,
            outcome.orphans_deleted
        )
    );
    outcome
}

fn run(fs: &MemFs) -> Outcome {
    run_with(fs, Options::default())
}

fn photos() -> MemFs {
    let fs = MemFs::new();
    fs.create("/s/2006/11/a.jpg", 10).unwrap();
    fs.create("/s/2006/11/b.jpg", 20).unwrap();
    fs.link_path("/s/2006/11/a.jpg", "/s/best/a.jpg").unwrap();
    fs.create("/s/top", 30).unwrap();
    fs.symlink("/s/link").unwrap();
    fs.mkdir("/s/empty").unwrap();
    fs
}

fn assert_same(fs: &MemFs) {
    assert_eq!(files(fs, "/s"), files(fs, "/d"));
    let (source, dest) = (look(fs, Path::new("/s")), look(fs, Path::new("/d")));
    assert_eq!(source.keys().collect::<Vec<_>>(), dest.keys().collect::<Vec<_>>());
    for (path, seen) in &source {
        assert_eq!(seen.metadata, dest[path].metadata, "{}", path.display());
    }
}

#[test]
fn every_name_gets_a_counterpart_and_groups_stay_groups() {
    let fs = photos();
    fs.edit_metadata("/s/2006", |m| (m.mode, m.modified) = (Some(0o750), 77))
        .unwrap();
    fs.edit_metadata("/s", |m| m.modified = 78).unwrap();
    let outcome = run(&fs);
    assert_eq!((outcome.linked, outcome.kept, outcome.dirs_made), (5, 0, 5));
    assert!(outcome.is_complete());
    assert_same(&fs);
    assert_eq!(stat(&fs, "/d/best/a.jpg").unwrap().links, 4);
}

#[test]
fn a_second_run_finds_nothing_to_do_and_writes_nothing() {
    let fs = photos();
    run(&fs);
    let stats = fs.stat_calls();
    fs.stop_after(Some(0));
    let outcome = run(&fs);
    assert_eq!(
        (outcome.linked, outcome.kept, outcome.removed, outcome.relinked),
        (0, 5, 0, 0)
    );
    assert_eq!(outcome.dirs_updated, 0);
    // nor does it look at a single file
    assert_eq!(fs.stat_calls(), stats);
}

#[test]
fn what_is_new_moved_saved_or_gone_is_followed() {
    let fs = photos();
    run(&fs);
    fs.create("/s/2006/12/new.jpg", 5).unwrap();
    fs.rename_path("/s/top", "/s/empty/top").unwrap();
    fs.create("/s/2006/11/b.jpg", 21).unwrap(); // saved by rename
    fs.remove("/s/best").unwrap();
    let before = contents(&fs);
    let outcome = run(&fs);
    assert_eq!((outcome.linked, outcome.relinked, outcome.removed), (2, 1, 2));
    assert_eq!(outcome.dirs_removed, 1);
    assert_eq!(outcome.orphans, [Path::new("/d/2006/11/b (old).jpg")]);
    assert_eq!(contents(&fs), before);
    let again = run(&fs);
    assert_eq!((again.linked, again.removed, again.relinked), (0, 0, 0));
    assert_eq!(again.orphans, [Path::new("/d/2006/11/b (old).jpg")]);
    fs.remove("/d/2006/11/b (old).jpg").unwrap();
    assert_same(&fs);
}

#[test]
fn a_last_name_stays_until_its_removal_is_asked_for() {
    let fs = photos();
    run(&fs);
    fs.remove("/s/2006/11/b.jpg").unwrap();
    fs.create("/d/2006/11/mine.txt", 3).unwrap();
    let outcome = run(&fs);
    assert_eq!(outcome.removed, 0);
    assert_eq!(
        outcome.orphans,
        [Path::new("/d/2006/11/b.jpg"), Path::new("/d/2006/11/mine.txt")]
    );
    let delete = Options {
        orphans: Orphans::Delete,
        ..Options::default()
    };
    assert_eq!(run_with(&fs, delete).orphans_deleted, 2);
    assert_same(&fs);
}

#[test]
fn a_link_that_somebody_made_in_the_clone_goes_and_is_named_and_its_file_stays() {
    let fs = photos();
    run(&fs);
    fs.create("/elsewhere/mine", 8).unwrap();
    fs.link_path("/elsewhere/mine", "/d/2006/mine").unwrap();
    // of these the source has the file under another name
    fs.link_path("/s/top", "/d/2006/top too").unwrap();
    let before = contents(&fs);
    let outcome = run(&fs);
    assert_eq!(outcome.removed, 2);
    assert_eq!(outcome.strangers, [Path::new("/d/2006/mine")]);
    assert!(stat(&fs, "/elsewhere/mine").is_some());
    assert_eq!(contents(&fs), before);
}

#[test]
fn of_two_names_that_go_and_are_a_files_last_one_stays() {
    let fs = photos();
    run(&fs);
    fs.remove("/s/best").unwrap();
    fs.remove("/s/2006/11/a.jpg").unwrap();
    let outcome = run(&fs);
    assert_eq!(outcome.removed, 1);
    assert_eq!(outcome.orphans, [Path::new("/d/best/a.jpg")]);
}

#[test]
fn files_and_directories_that_change_places() {
    let fs = photos();
    run(&fs);
    fs.remove("/s/top").unwrap();
    fs.create("/s/top/now.txt", 3).unwrap();
    fs.remove("/s/best").unwrap();
    fs.create("/s/best", 4).unwrap();
    let outcome = run(&fs);
    // the file that stood where a directory must be was the last name of its file
    assert_eq!(outcome.orphans, [Path::new("/d/top (old)")]);
    assert!(outcome.is_complete(), "{:?}", outcome.failures);
    fs.remove("/d/top (old)").unwrap();
    assert_same(&fs);
}

#[test]
fn a_directory_that_is_no_clone_is_left_alone() {
    let fs = photos();
    for path in ["/s/top", "/s/2006/11/a.jpg", "/s/2006/11/b.jpg"] {
        fs.link_path(path, Path::new("/d").join(Path::new(path).file_name().unwrap()))
            .unwrap();
    }
    fs.rename_path("/d/top", "/d/other").unwrap();
    let before = fs.all_names();
    assert!(matches!(
        plan(&fs, &request(Options::default()), &Silent),
        Err(Error::NotAClone { names: 3, .. })
    ));
    assert_eq!(fs.all_names(), before);
    let keep = Options {
        extra: Extra::Keep,
        ..Options::default()
    };
    let outcome = run_with(&fs, keep);
    assert_eq!((outcome.linked, outcome.extra, outcome.removed), (5, 3, 0));
    let anyway = Options {
        extra: Extra::PruneAnyway,
        ..Options::default()
    };
    assert_eq!(run_with(&fs, anyway).removed, 3);
    assert_same(&fs);
}

#[test]
fn an_empty_source_does_not_empty_the_clone() {
    let fs = photos();
    run(&fs);
    fs.link_path("/s/top", "/elsewhere/top").unwrap();
    fs.link_path("/s/best/a.jpg", "/elsewhere/a").unwrap();
    fs.remove("/s").unwrap();
    fs.mkdir("/s").unwrap();
    assert!(matches!(
        plan(&fs, &request(Options::default()), &Silent),
        Err(Error::NotAClone { .. })
    ));
}

#[test]
fn below_what_cannot_be_read_nothing_changes() {
    let fs = photos();
    run(&fs);
    let before = files(&fs, "/d");
    fs.deny("/s/2006/11", true).unwrap();
    let outcome = run(&fs);
    assert_eq!(outcome.unreadable.len(), 1);
    assert_eq!((outcome.held, outcome.removed), (2, 0));
    assert!(!outcome.is_complete());
    assert_eq!(files(&fs, "/d"), before);
    // what was never there is not made as an empty directory either
    fs.remove("/d").unwrap();
    run(&fs);
    assert!(stat(&fs, "/d/2006").is_some() && stat(&fs, "/d/2006/11").is_none());
}

#[test]
fn other_file_systems_are_said_and_not_entered() {
    let fs = photos();
    fs.mount("/s/disk").unwrap();
    fs.create("/s/disk/x", 1).unwrap();
    let outcome = run(&fs);
    assert_eq!(outcome.other_mounts, [Path::new("/s/disk")]);
    assert!(outcome.is_complete() && stat(&fs, "/d/disk").is_none());
}

#[test]
fn one_inside_the_other_or_on_another_volume_is_refused() {
    let fs = photos();
    let nested = |source: &str, dest: &str| {
        let request = Request {
            source: source.into(),
            dest: dest.into(),
            options: Options::default(),
        };
        plan(&fs, &request, &Silent).unwrap_err()
    };
    assert!(matches!(nested("/s", "/s/2006/clone"), Error::Nested { .. }));
    assert!(matches!(nested("/s/2006", "/s"), Error::Nested { .. }));
    assert!(matches!(nested("/s", "/s"), Error::Nested { .. }));
    assert!(matches!(nested("/s", "/s/top"), Error::Nested { .. }));
    fs.mount("/disk").unwrap();
    assert!(matches!(nested("/s", "/disk/d"), Error::OtherVolume { .. }));
    fs.create("/file", 1).unwrap();
    assert!(matches!(nested("/s", "/file"), Error::NotDirectory(_)));
}

#[test]
fn at_the_link_limit_the_file_is_told_and_the_others_are_made() {
    let fs = MemFs::with(MemOptions {
        link_limit: 2,
        ..MemOptions::default()
    });
    fs.create("/s/a", 1).unwrap();
    fs.link_path("/s/a", "/s/b").unwrap();
    fs.create("/s/c", 1).unwrap();
    let plan = plan(&fs, &request(Options::default()), &Silent).unwrap();
    let outcome = apply(&fs, &plan, &Silent);
    assert_eq!((outcome.linked, outcome.failures.len()), (1, 2));
    assert_eq!(outcome.failures[0].fault.kind(), FaultKind::TooManyLinks);
}

#[test]
fn steps_name_what_is_done_in_its_order() {
    let fs = photos();
    run(&fs);
    fs.remove("/s/best").unwrap();
    fs.create("/s/top", 1).unwrap();
    fs.create("/s/new/file", 1).unwrap();
    fs.edit_metadata("/s/empty", |m| m.mode = Some(0o700)).unwrap();
    let plan = plan(&fs, &request(Options::default()), &Silent).unwrap();
    // Windows parts folders by backslashes
    let shown = plan.steps().map(|step| step.to_string().replace('\\', "/"));
    let steps: Vec<String> = shown.collect();
    assert_eq!(
        steps,
        [
            "relink /d/top to /s/top, the old version stays as top (old)",
            "remove /d/best/a.jpg",
            "remove the directory /d/best",
            "make the directory /d/new",
            "link /d/new/file to /s/new/file",
            "update the metadata of /d/empty",
        ]
    );
    assert!(plan.steps().all(|step| !matches!(step, Step::Delete(_))));
}
