//! One rule, one test.

use std::path::{Path, PathBuf};

use polylink_core::{FaultKind, MemFs, MemOptions, Silent};
use polylink_dedupe::{Keep, Options, Part, Step, apply};
use polylink_walk::Filter;

use crate::world::{file, merged, planned, targets, view};

const A: u64 = 1 << 16;

fn plain(fs: &MemFs, path: &str) {
    file(fs, path, 100, A, 0o644, 1);
}

fn same_file(fs: &MemFs, one: &str, other: &str) -> bool {
    let names = fs.all_names();
    names[Path::new(one)].0 == names[Path::new(other)].0
}

#[test]
fn each_part_of_the_metadata_keeps_files_apart_until_it_is_ignored() {
    type Edit = fn(&mut polylink_core::Metadata);
    let edits: [(Part, Edit); 6] = [
        (Part::Mode, |m| m.mode = Some(0o600)),
        (Part::Mode, |m| m.attributes = Some(2)),
        (Part::Owner, |m| m.owner = Some(7)),
        (Part::Owner, |m| m.group = Some(7)),
        (Part::Times, |m| m.modified = 7),
        (Part::Xattrs, |m| {
            m.extended.insert(b"user.x".to_vec(), b"y".to_vec());
        }),
    ];
    for (part, edit) in edits {
        let fs = MemFs::new();
        plain(&fs, "/t/a");
        plain(&fs, "/t/b");
        fs.edit_metadata("/t/b", edit).unwrap();
        let outcome = merged(&fs, &["/t"], &Options::default());
        assert_eq!((outcome.moved_names, outcome.apart.files), (0, 1), "{part:?}");
        assert_eq!(outcome.apart.bytes, 100);
        let apart = outcome.apart;
        let told = [apart.mode, apart.owner, apart.times, apart.xattrs];
        let which = Part::ALL.iter().position(|known| *known == part).unwrap();
        assert!(
            told.iter()
                .enumerate()
                .all(|(at, &n)| n == u64::from(at == which)),
            "{told:?}"
        );
        let others: Options = Options {
            ignore: Part::ALL.into_iter().filter(|other| *other != part).collect(),
            ..Options::default()
        };
        assert_eq!(merged(&fs, &["/t"], &others).moved_names, 0, "{part:?}");
        let ignoring = Options {
            ignore: [part].into(),
            ..Options::default()
        };
        assert_eq!(merged(&fs, &["/t"], &ignoring).moved_names, 1, "{part:?}");
        assert!(same_file(&fs, "/t/a", "/t/b"));
    }
}

#[test]
fn the_user_chooses_which_file_stays() {
    let chosen = |keep| {
        let fs = MemFs::new();
        for (path, modified) in [("/t/b", 5), ("/t/c", 1), ("/s/a", 9), ("/s/d", 3)] {
            file(&fs, path, 100, A, 0o644, modified);
        }
        fs.link_path("/s/d", "/beyond/d").unwrap();
        fs.link_path("/s/d", "/beyond/e").unwrap();
        fs.link_path("/t/b", "/t/b2").unwrap();
        let options = Options {
            keep,
            ignore: [Part::Times].into(),
            ..Options::default()
        };
        let plan = planned(&fs, &targets(&fs, &["/t", "/s"]), &options);
        let keeps: Vec<PathBuf> = plan
            .steps()
            .filter_map(|step| match step {
                Step::Replace { keep, .. } => Some(keep),
                Step::RemoveTemporary(_) => None,
            })
            .collect();
        assert!(keeps.iter().all(|keep| *keep == keeps[0]));
        keeps[0].file_name().unwrap().to_str().unwrap().to_owned()
    };
    assert_eq!(chosen(Keep::First), "b", "the first argument's first name");
    assert_eq!(chosen(Keep::Oldest), "c");
    assert_eq!(chosen(Keep::Newest), "a");
    assert_eq!(chosen(Keep::MostLinks), "d");
    assert_eq!(chosen(Keep::Auto), "d", "its names beyond keep it anyway");
}

#[test]
fn whole_link_groups_are_merged_in_one_run_and_the_larger_one_stays() {
    let fs = MemFs::new();
    plain(&fs, "/t/a1");
    for name in ["/t/b1", "/t/b2", "/t/b3"] {
        if name == "/t/b1" {
            plain(&fs, name);
        } else {
            fs.link_path("/t/b1", name).unwrap();
        }
    }
    fs.link_path("/t/a1", "/t/a2").unwrap();
    let outcome = merged(&fs, &["/t"], &Options::default());
    assert_eq!((outcome.moved_names, outcome.freed_files), (2, 1));
    assert_eq!(view(&fs)[Path::new("/t/a2")].stat.links, 5);
}

#[test]
fn at_the_link_limit_another_file_is_begun() {
    let fs = MemFs::with(MemOptions {
        link_limit: 128,
        ..MemOptions::default()
    });
    for number in 0..300 {
        plain(&fs, &format!("/t/{number:03}"));
    }
    let outcome = merged(&fs, &["/t"], &Options::default());
    // two of 128 are left as head-room
    assert_eq!((outcome.moved_names, outcome.at_limit), (297, 2));
    assert!(outcome.is_complete(), "{outcome:?}");
    let most = view(&fs).values().map(|view| view.stat.links).max();
    assert_eq!(most, Some(126));
    let again = merged(&fs, &["/t"], &Options::default());
    assert_eq!((again.moved_names, again.at_limit), (0, 2));
    let fewer = Options {
        max_links: Some(10),
        ..Options::default()
    };
    assert_eq!(merged(&fs, &["/t"], &fewer).moved_names, 0);
}

#[test]
fn what_cannot_be_read_is_told_and_left_alone() {
    let fs = MemFs::new();
    for path in ["/t/a", "/t/b", "/t/c", "/t/closed/d"] {
        plain(&fs, path);
    }
    fs.deny("/t/b", true).unwrap();
    fs.deny("/t/closed", true).unwrap();
    let outcome = merged(&fs, &["/t"], &Options::default());
    assert_eq!(outcome.moved_names, 1);
    let told: Vec<_> = outcome
        .unreadable
        .iter()
        .map(|error| (error.path.to_str().unwrap().to_owned(), error.fault.kind()))
        .collect();
    let path = |text: &str| text.replace('/', std::path::MAIN_SEPARATOR_STR);
    let told: Vec<_> = told
        .iter()
        .map(|(text, kind)| (path(text.trim_start_matches('/')), *kind))
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|(_, kind)| *kind == FaultKind::AccessDenied));
    assert!(!outcome.is_complete());
}

#[test]
fn symbolic_links_small_files_ledgers_and_patterns_are_left_out_and_counted() {
    let fs = MemFs::new();
    for path in ["/t/a", "/t/b", "/t/.view.polylink", "/t/skip/c", "/t/d.txt"] {
        plain(&fs, path);
    }
    fs.create_with("/t/empty", 0, A).unwrap();
    fs.symlink("/t/link").unwrap();
    let options = Options {
        filter: Filter::new(&[] as &[&str], &["skip", "*.txt"]).unwrap(),
        ..Options::default()
    };
    let outcome = merged(&fs, &["/t"], &options);
    assert_eq!(outcome.moved_names, 1);
    let scanned = outcome.scanned;
    assert_eq!((scanned.symlinks, scanned.small, scanned.own), (1, 1, 1));
    assert_eq!((scanned.names, scanned.files, scanned.filtered), (2, 2, 1));
}

#[test]
fn arguments_that_repeat_or_contain_each_other_count_once() {
    let fs = MemFs::new();
    plain(&fs, "/t/d/a");
    plain(&fs, "/t/b");
    let outcome = merged(&fs, &["/t/d", "/t", "/t/d/a", "/t/b", "/t"], &Options::default());
    assert_eq!((outcome.scanned.names, outcome.moved_names), (2, 1));
    let fs = MemFs::new();
    plain(&fs, "/t/a");
    plain(&fs, "/t/b");
    let outcome = merged(&fs, &["/t/a", "/t/b", "/t/a"], &Options::default());
    assert_eq!((outcome.scanned.names, outcome.moved_names), (2, 1));
}

#[test]
fn files_of_one_size_and_one_beginning_cost_a_read_each() {
    const FILES: u64 = 100_000;
    let fs = MemFs::with(MemOptions {
        batch: 1000,
        ..MemOptions::default()
    });
    for number in 0..FILES {
        // equal but for the last bytes; every tenth has an equal
        let content = if number % 10 == 0 { number + 1 } else { number };
        let path = format!("/t/{}/{number}", number / 1000);
        file(
            &fs,
            path,
            64,
            (content / 50_000) * 7 + A + content % 50_000,
            0o644,
            1,
        );
    }
    let before = fs.stat_calls();
    let plan = planned(&fs, &targets(&fs, &["/t"]), &Options::default());
    assert_eq!(fs.stat_calls() - before, FILES, "one look at each file");
    let outcome = apply(&fs, plan, &Silent);
    assert!(outcome.freed_files >= FILES / 10, "{outcome:?}");
    assert!(outcome.is_complete(), "{outcome:?}");
}
