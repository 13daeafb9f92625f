//! What a snapshot holds, shares, and leaves alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use polylink_core::{Dir, FileId, FsResult, Kind, LinkFs as _, MemFs, MemOptions, Metadata, NameBuf, Silent};
use polylink_tree::Error;
use polylink_tree::snapshot::{Civil, Keep, Outcome, Request, Step, apply, list, plan};

use crate::world::{Seen, look, stat};

/// A calendar in which every second is a day.
fn civil(time: i64) -> Civil {
    Civil {
        year: 0,
        month: 0,
        day: u32::try_from(time).unwrap(),
        hour: 0,
        week: (0, 0),
    }
}

fn no_sync(_: &Dir) -> FsResult<()> {
    Ok(())
}

pub(crate) fn request(number: i64) -> Request<'static> {
    Request {
        source: "/s".into(),
        store: "/store".into(),
        name: format!("n{number:03}").as_str().into(),
        // a time so early that no file of the model is older, so all metadata is compared
        now: number,
        keep: None,
        calendar: &civil,
        sync: &no_sync,
        user: None,
        threads: None,
    }
}

pub(crate) fn take(fs: &MemFs, request: &Request<'_>) -> Outcome {
    let plan = plan(fs, request, &Silent).unwrap();
    let forecast = plan.forecast().clone();
    let outcome = apply(fs, &plan, &Silent);
    assert!(!outcome.stopped, "{:?}", outcome.failures);
    // a dry run says what the real run does, but for limits, which only trying tells
    assert_eq!((&forecast.name, forecast.dirs), (&outcome.name, outcome.dirs));
    let counts = |o: &Outcome| (o.linked, o.copied, o.grouped, o.symlinks);
    if outcome.at_limit == 0 {
        assert_eq!(counts(&forecast), counts(&outcome));
    }
    let names = |o: &Outcome| o.linked + o.copied + o.grouped + o.symlinks;
    assert_eq!(names(&forecast), names(&outcome));
    assert_eq!(forecast.dropped, outcome.dropped);
    outcome
}

fn photos() -> MemFs {
    let fs = MemFs::new();
    fs.create("/s/2006/11/a.jpg", 10).unwrap();
    fs.create("/s/2006/11/b.jpg", 20).unwrap();
    fs.link_path("/s/2006/11/a.jpg", "/s/best/a.jpg").unwrap();
    fs.create("/s/top", 30).unwrap();
    fs.symlink("/s/link").unwrap();
    fs.mkdir("/s/empty").unwrap();
    fs.edit_metadata("/s/2006", |m| (m.mode, m.modified) = (Some(0o750), 77))
        .unwrap();
    fs
}

/// What must be alike in source and snapshot.
type Alike<'a> = BTreeMap<&'a PathBuf, (Kind, &'a Metadata, &'a Vec<u8>)>;

fn alike(seen: &BTreeMap<PathBuf, Seen>) -> Alike<'_> {
    seen.iter()
        .map(|(path, seen)| (path, (seen.stat.kind, &seen.metadata, &seen.content)))
        .collect()
}

/// The names of each file with several.
fn groups(seen: &BTreeMap<PathBuf, Seen>) -> BTreeSet<Vec<&PathBuf>> {
    let mut groups: BTreeMap<FileId, Vec<&PathBuf>> = BTreeMap::new();
    for (path, seen) in seen.iter().filter(|(_, seen)| seen.stat.kind == Kind::File) {
        groups.entry(seen.stat.id).or_default().push(path);
    }
    groups.into_values().filter(|names| names.len() > 1).collect()
}

/// Content, metadata and link groups of a snapshot are those of the source now.
pub(crate) fn assert_whole(fs: &MemFs, name: &str, limit: u64) {
    let source = look(fs, Path::new("/s"));
    let snapshot = look(fs, &Path::new("/store").join(name));
    assert_eq!(alike(&source), alike(&snapshot));
    if limit > 100 {
        assert_eq!(groups(&source), groups(&snapshot));
    }
}

fn names(fs: &MemFs) -> Vec<String> {
    let root = fs.open_dir("/store".as_ref()).unwrap();
    let fs: &dyn polylink_core::LinkFs = fs;
    let names = fs.names_in(&root).unwrap();
    names
        .iter()
        .map(|name| name.name().text().unwrap().to_owned())
        .collect()
}

#[test]
fn the_first_holds_everything_and_shares_nothing_with_the_source() {
    let fs = photos();
    let outcome = take(&fs, &request(1));
    assert_eq!(
        (
            outcome.linked,
            outcome.copied,
            outcome.grouped,
            outcome.symlinks,
            outcome.dirs
        ),
        (0, 3, 1, 1, 5)
    );
    assert_eq!(outcome.copied_bytes, 60);
    assert_whole(&fs, "n001", 65_000);
    assert_eq!(stat(&fs, "/s/top").unwrap().links, 1);
    assert_eq!(names(&fs), [".polylink-snapshots", "n001"]);
}

#[test]
fn what_has_not_changed_is_shared_and_the_rest_copied() {
    let fs = photos();
    take(&fs, &request(1));
    let before = look(&fs, Path::new("/store/n001"));
    fs.rewrite("/s/2006/11/b.jpg", 20, 99).unwrap();
    fs.edit_metadata("/s/top", |m| {
        drop(m.extended.insert(b"user.x".to_vec(), b"1".to_vec()));
    })
    .unwrap();
    fs.remove("/s/best").unwrap();
    let outcome = take(&fs, &request(2));
    assert_eq!((outcome.linked, outcome.copied, outcome.symlinks), (2, 2, 0));
    assert_whole(&fs, "n002", 65_000);
    let shared = |path: &str| {
        stat(&fs, &format!("/store/n001/{path}")).unwrap().id
            == stat(&fs, &format!("/store/n002/{path}")).unwrap().id
    };
    assert!(shared("2006/11/a.jpg") && shared("link"));
    assert!(!shared("2006/11/b.jpg") && !shared("top"));
    assert_eq!(alike(&before), alike(&look(&fs, Path::new("/store/n001"))));
}

#[test]
fn files_that_are_apart_now_do_not_become_one_and_those_that_are_one_do() {
    let fs = photos();
    fs.create_with("/s/x", 5, 1 << 16).unwrap();
    fs.link_path("/s/x", "/s/y").unwrap();
    fs.create_with("/s/v", 6, 2 << 16).unwrap();
    fs.create_with("/s/w", 6, 2 << 16).unwrap();
    for path in ["/s/v", "/s/w", "/s/x"] {
        fs.edit_metadata(path, |m| m.modified = 5).unwrap();
    }
    take(&fs, &request(1));
    // the same bytes and times, but x and y are two files now, and v and w are one
    fs.create_with("/s/y", 5, 1 << 16).unwrap();
    fs.edit_metadata("/s/y", |m| m.modified = 5).unwrap();
    fs.remove("/s/w").unwrap();
    fs.link_path("/s/v", "/s/w").unwrap();
    take(&fs, &request(2));
    assert_whole(&fs, "n002", 65_000);
}

#[test]
fn a_file_at_its_limit_of_names_is_copied_afresh() {
    let fs = MemFs::with(MemOptions {
        link_limit: 3,
        ..MemOptions::default()
    });
    fs.create("/s/a", 1).unwrap();
    let copies: Vec<(u64, u64)> = (1..8)
        .map(|number| {
            let outcome = take(&fs, &request(number));
            (outcome.copied, outcome.at_limit)
        })
        .collect();
    assert_eq!(copies, [(1, 0), (0, 0), (0, 0), (1, 1), (0, 0), (0, 0), (1, 1)]);
    assert_whole(&fs, "n007", 3);
}

#[test]
fn what_could_not_be_read_does_not_look_deleted_to_the_next() {
    let fs = photos();
    take(&fs, &request(1));
    fs.deny("/s/2006", true).unwrap();
    let outcome = take(&fs, &request(2));
    assert_eq!(outcome.unreadable.len(), 1);
    assert!(!outcome.is_whole());
    assert_eq!(names(&fs), [".polylink-snapshots", "n001", "n002-incomplete"]);
    assert!(stat(&fs, "/store/n002-incomplete/2006").is_none());
    fs.deny("/s/2006", false).unwrap();
    let outcome = take(&fs, &request(3));
    assert_eq!((outcome.copied, outcome.linked), (0, 5));
    assert_whole(&fs, "n003", 65_000);
    let listed = list(&fs, Path::new("/store")).unwrap();
    assert_eq!(
        listed
            .iter()
            .map(|snapshot| snapshot.complete)
            .collect::<Vec<_>>(),
        [true, false, true]
    );
}

#[test]
fn old_snapshots_go_by_the_rules_and_foreign_directories_stay() {
    let fs = photos();
    fs.create("/store/n000/mine", 1).unwrap();
    fs.mkdir("/store/n004").unwrap();
    for number in 1..4 {
        take(&fs, &request(number));
    }
    let keep = Request {
        keep: Some(Keep::parse("daily=2").unwrap()),
        ..request(4)
    };
    let plan = plan(&fs, &keep, &Silent).unwrap();
    let dropped: Vec<Step> = plan
        .steps()
        .filter(|step| matches!(step, Step::Drop(_)))
        .collect();
    assert_eq!(dropped, [Step::Drop("n001".into()), Step::Drop("n002".into())]);
    let outcome = take(&fs, &keep);
    assert_eq!(outcome.dropped, ["n001".into(), "n002".into()]);
    // the name was taken by a directory that is not ours
    assert_eq!(
        names(&fs),
        [".polylink-snapshots", "n000", "n003", "n004", "n004-2"]
    );
    assert_whole(&fs, "n004-2", 65_000);
    assert_eq!(list(&fs, Path::new("/store")).unwrap().len(), 2);
}

#[test]
fn what_others_put_into_a_store_stays_however_it_is_called() {
    let fs = photos();
    take(&fs, &request(1));
    let foreign = [
        "/store/.polylink-left-mine/precious",
        "/store/.polylink-gone-mine/precious",
        "/store/.polylink-snapshots/000000000012-mine",
        "/store/.polylink-snapshots/000000000013-other/precious",
    ];
    for (number, path) in (0u64..).zip(foreign) {
        fs.create(path, number + 1).unwrap();
    }
    let keep = Request {
        keep: Some(Keep::parse("last=1").unwrap()),
        ..request(2)
    };
    let outcome = take(&fs, &keep);
    assert_eq!((outcome.dropped.len(), outcome.drop_failures.len()), (1, 0));
    take(&fs, &request(3));
    for path in foreign {
        assert!(stat(&fs, path).is_some(), "{path}");
    }
    assert_whole(&fs, "n003", 65_000);
}

#[test]
fn removing_a_snapshot_follows_no_symbolic_link_and_enters_no_other_volume() {
    let fs = photos();
    take(&fs, &request(1));
    take(&fs, &request(2));
    fs.create("/elsewhere/kept", 1).unwrap();
    fs.symlink("/store/n001/2006/to").unwrap();
    fs.mount("/store/n001/disk").unwrap();
    fs.create("/store/n001/disk/kept", 1).unwrap();
    let keep = Request {
        keep: Some(Keep::parse("last=1").unwrap()),
        ..request(3)
    };
    let plan = plan(&fs, &keep, &Silent).unwrap();
    let outcome = apply(&fs, &plan, &Silent);
    assert_eq!(outcome.drop_failures.len(), 1);
    assert!(outcome.name.is_some());
    assert!(stat(&fs, "/store/.polylink-gone-n001/disk/kept").is_some());
    assert_eq!(list(&fs, Path::new("/store")).unwrap().len(), 1);
}

#[test]
fn the_store_may_lie_in_the_source_and_on_another_volume() {
    let fs = photos();
    let inside = |number| Request {
        store: "/s/empty/store".into(),
        ..request(number)
    };
    take(&fs, &inside(1));
    let outcome = take(&fs, &inside(2));
    assert_eq!((outcome.linked, outcome.copied), (5, 0));
    assert!(stat(&fs, "/s/empty/store/n002/empty/store").is_none());
    let reverse = Request {
        source: "/s/empty/store/n001".into(),
        ..inside(3)
    };
    assert!(matches!(plan(&fs, &reverse, &Silent), Err(Error::Nested { .. })));
    let fs = photos();
    fs.mount("/disk").unwrap();
    let beyond = |number| Request {
        store: "/disk/store".into(),
        ..request(number)
    };
    assert_eq!(take(&fs, &beyond(1)).copied, 3);
    assert_eq!(take(&fs, &beyond(2)).linked, 5);
}

#[test]
fn a_snapshot_that_cannot_be_brought_to_the_disk_gets_no_name() {
    let fs = photos();
    let broken = |_: &Dir| -> FsResult<()> { Err(polylink_core::FaultKind::Io.into()) };
    let failing = Request {
        sync: &broken,
        ..request(1)
    };
    let outcome = apply(&fs, &plan(&fs, &failing, &Silent).unwrap(), &Silent);
    assert!(outcome.stopped && outcome.name.is_none() && !outcome.failures.is_empty());
    assert_eq!(names(&fs), [".polylink-new", ".polylink-snapshots"]);
    // what is there is used: nothing is copied again
    let outcome = take(&fs, &request(2));
    assert_eq!((outcome.copied, outcome.linked), (0, 5));
    assert_whole(&fs, "n002", 65_000);
    assert_eq!(names(&fs), [".polylink-snapshots", "n002"]);
}

#[test]
fn snapshots_of_one_second_and_of_a_clock_that_was_set_back_are_in_the_order_of_their_making() {
    let fs = photos();
    let mut made = Vec::new();
    for (number, name) in [(7, "b"), (7, "b"), (7, "a"), (3, "c")]
        .into_iter()
        .chain((0..9).map(|_| (7, "b")))
    {
        fs.create(format!("/s/new{}", made.len()), 5).unwrap();
        let outcome = take(
            &fs,
            &Request {
                name: name.into(),
                ..request(number)
            },
        );
        // what is new is all that is copied: the last one is what a run compares with
        assert_eq!(
            (outcome.base, outcome.copied > 1),
            (made.last().cloned(), made.is_empty())
        );
        made.extend(outcome.name);
    }
    let listed = |fs: &MemFs| -> Vec<NameBuf> {
        let all = list(fs, Path::new("/store")).unwrap();
        all.into_iter().map(|snapshot| snapshot.name).collect()
    };
    assert_eq!(listed(&fs), made);
    let keep = Request {
        keep: Some(Keep::parse("last=3").unwrap()),
        name: "a".into(),
        ..request(1)
    };
    made.extend(take(&fs, &keep).name);
    assert_eq!(listed(&fs), made[made.len() - 3..]);
}
