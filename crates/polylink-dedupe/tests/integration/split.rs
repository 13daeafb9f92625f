//! Names become files of their own again.

use std::path::Path;

use polylink_core::{MemFs, MemOptions, Silent};
use polylink_dedupe::{Options, SplitOptions, SplitOutcome, apply_split, plan_split};
use proptest::prelude::*;

use crate::world::{PATHS, contents, file, items, merged, targets, tree, view};

fn split(fs: &MemFs, paths: &[&str]) -> SplitOutcome {
    let plan = plan_split(fs, &targets(fs, paths), &SplitOptions::default(), &Silent);
    let forecast = plan.forecast();
    let outcome = apply_split(fs, plan, &Silent);
    assert_eq!(
        forecast,
        SplitOutcome {
            reflinked: 0,
            ..outcome.clone()
        }
    );
    outcome
}

fn shared() -> MemFs {
    let fs = MemFs::new();
    file(&fs, "/t/a", 100, 1 << 16, 0o640, 5);
    fs.link_path("/t/a", "/t/b").unwrap();
    fs.link_path("/t/a", "/t/c").unwrap();
    fs
}

#[test]
fn a_name_gets_a_file_of_its_own_with_all_metadata() {
    let fs = shared();
    let before = view(&fs);
    let outcome = split(&fs, &["/t/b"]);
    assert_eq!((outcome.split_names, outcome.split_bytes), (1, 100));
    let after = view(&fs);
    assert_eq!(contents(&before), contents(&after));
    let (a, b) = (&after[Path::new("/t/a")], &after[Path::new("/t/b")]);
    assert_eq!((a.stat.links, b.stat.links), (2, 1));
    assert_eq!(a.metadata, b.metadata);
}

#[test]
fn the_last_name_keeps_the_file_where_all_are_given() {
    let fs = shared();
    let original = view(&fs)[Path::new("/t/c")].stat.id;
    let outcome = split(&fs, &["/t"]);
    assert_eq!((outcome.split_names, outcome.kept, outcome.alone), (2, 1, 0));
    let after = view(&fs);
    assert_eq!(after[Path::new("/t/c")].stat.id, original);
    assert!(after.values().all(|view| view.stat.links == 1));
    let again = split(&fs, &["/t"]);
    assert_eq!((again.split_names, again.alone), (0, 3));
}

#[test]
fn every_name_gets_a_copy_where_there_are_names_beyond() {
    let fs = shared();
    fs.link_path("/t/a", "/beyond/d").unwrap();
    let original = view(&fs)[Path::new("/t/c")].stat.id;
    let outcome = split(&fs, &["/t"]);
    assert_eq!((outcome.split_names, outcome.kept), (3, 0));
    let after = view(&fs);
    assert_eq!(after[Path::new("/beyond/d")].stat.id, original);
    assert!(after.values().all(|view| view.stat.links == 1));
}

#[test]
fn blocks_are_shared_where_the_file_system_can() {
    let fs = MemFs::with(MemOptions {
        reflinks: true,
        ..MemOptions::default()
    });
    file(&fs, "/t/a", 100, 1 << 16, 0o640, 5);
    fs.link_path("/t/a", "/t/b").unwrap();
    assert_eq!(split(&fs, &["/t"]).reflinked, 1);
}

proptest! {
    // under Wine each call takes its time, and the model's file system is the same there
    #![proptest_config(ProptestConfig { cases: if cfg!(windows) { 40 } else { 200 }, ..ProptestConfig::default() })]

    #[test]
    fn splitting_undoes_merging(items in items()) {
        let fs = tree(MemOptions::default(), &items);
        let before = view(&fs);
        let options = Options { min_size: 0, ..Options::default() };
        merged(&fs, &PATHS, &options);
        let outcome = split(&fs, &PATHS);
        prop_assert!(outcome.is_complete(), "{:?}", outcome);
        let after = view(&fs);
        prop_assert_eq!(contents(&before), contents(&after));
        for (path, is) in &after {
            let was = &before[path];
            prop_assert_eq!(&was.metadata, &is.metadata);
            if PATHS.iter().any(|dir| path.starts_with(dir)) {
                prop_assert_eq!(is.stat.links, 1, "{:?}", path);
            } else {
                prop_assert_eq!(was.stat.id, is.stat.id);
            }
        }
    }
}
