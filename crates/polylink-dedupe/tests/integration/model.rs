//! Random trees against a model that compares everything with everything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use polylink_core::{DirIdLies, FileId, MemOptions};
use polylink_dedupe::{Keep, Options, Part};
use proptest::prelude::*;

use crate::world::{PATHS, View, contents, disk, files, items, merged, planned, targets, tree, view};

/// What the naive model says of a run without a link limit.
#[derive(PartialEq, Debug, Default)]
struct Expected {
    moved_names: u64,
    freed_files: u64,
    freed_bytes: u64,
    held_bytes: u64,
    sets: u64,
}

fn inside(path: &std::path::Path) -> bool {
    PATHS.iter().any(|dir| path.starts_with(dir))
}

fn same(one: &View, other: &View, ignore: &BTreeSet<Part>) -> bool {
    let ignored = |part| ignore.contains(&part);
    one.stat.id.volume == other.stat.id.volume
        && (one.stat.size, one.content) == (other.stat.size, other.content)
        && (ignored(Part::Mode) || one.metadata.mode == other.metadata.mode)
        && (ignored(Part::Times) || one.metadata.modified == other.metadata.modified)
        && (ignored(Part::Xattrs) || one.metadata.extended == other.metadata.extended)
}

fn expected(before: &BTreeMap<PathBuf, View>, options: &Options) -> Expected {
    let mut names: BTreeMap<FileId, u64> = BTreeMap::new();
    for (_, view) in before.iter().filter(|(path, _)| inside(path)) {
        *names.entry(view.stat.id).or_default() += 1;
    }
    let all: Vec<View> = files(before)
        .into_values()
        .filter(|file| names.contains_key(&file.stat.id) && file.stat.size >= options.min_size)
        .collect();
    let mut taken = BTreeSet::new();
    let mut expected = Expected::default();
    for one in &all {
        let set: Vec<&View> = all
            .iter()
            .filter(|other| same(one, other, &options.ignore) && !taken.contains(&other.stat.id))
            .collect();
        if set.len() < 2 || taken.contains(&one.stat.id) {
            continue;
        }
        taken.extend(set.iter().map(|file| file.stat.id));
        expected.sets += 1;
        let elsewhere = |file: &View| file.stat.links - names[&file.stat.id];
        // tried one by one: the one whose staying frees most (of empty files too, which have no bytes), among those the
        // one that moves fewest names
        let staying = |keep: &View| {
            let mut outcome = Expected::default();
            for file in set.iter().filter(|file| file.stat.id != keep.stat.id) {
                outcome.moved_names += names[&file.stat.id];
                match elsewhere(file) {
                    0 => {
                        outcome.freed_files += 1;
                        outcome.freed_bytes += file.stat.allocated;
                    }
                    _ => outcome.held_bytes += file.stat.allocated,
                }
            }
            outcome
        };
        let best = set
            .iter()
            .map(|keep| staying(keep))
            .max_by_key(|outcome| {
                let fewest = std::cmp::Reverse(outcome.moved_names);
                (outcome.freed_bytes, outcome.freed_files, fewest)
            })
            .unwrap();
        expected.moved_names += best.moved_names;
        expected.freed_files += best.freed_files;
        expected.freed_bytes += best.freed_bytes;
        expected.held_bytes += best.held_bytes;
    }
    expected
}

fn options() -> impl Strategy<Value = Options> {
    let keep = prop_oneof![
        4 => Just(Keep::Auto),
        1 => Just(Keep::First),
        1 => Just(Keep::Oldest),
        1 => Just(Keep::Newest),
        1 => Just(Keep::MostLinks)
    ];
    let ignore = prop::sample::subsequence(Part::ALL.to_vec(), 0..=Part::ALL.len());
    (keep, ignore, 0_u64..3).prop_map(|(keep, ignore, min)| Options {
        keep,
        ignore: ignore.into_iter().collect(),
        min_size: [0, 1, 20][min as usize],
        ..Options::default()
    })
}

proptest! {
    // under Wine each call takes its time, and the model's file system is the same there
    #![proptest_config(ProptestConfig { cases: if cfg!(windows) { 60 } else { 400 }, ..ProptestConfig::default() })]

    #[test]
    fn contents_stay_freed_bytes_are_right_and_a_second_run_does_nothing(
        items in items(),
        options in options(),
        lies in any::<bool>(),
        limit in prop_oneof![3 => Just(65_000_u64), 1 => 2_u64..5],
    ) {
        let lies = if lies { DirIdLies::Yes } else { DirIdLies::No };
        let fs = tree(MemOptions { lies, link_limit: limit, ..MemOptions::default() }, &items);
        let before = view(&fs);
        let forecast = planned(&fs, &targets(&fs, &PATHS), &options).forecast();
        prop_assert_eq!(&view(&fs), &before, "a plan changes nothing");
        let outcome = merged(&fs, &PATHS, &options);
        let after = view(&fs);

        // a dry run equals the real run
        prop_assert_eq!(&forecast, &outcome.clone());
        prop_assert!(outcome.is_complete(), "{:?}", outcome);
        // every path holds what it held, and no other path is there
        prop_assert_eq!(contents(&before), contents(&after));
        for (path, was) in &before {
            let is = &after[path];
            prop_assert_eq!(was.stat.id.volume, is.stat.id.volume);
            prop_assert!(same(was, is, &options.ignore), "{:?}", path);
            if !inside(path) {
                prop_assert_eq!(was.stat.id, is.stat.id, "{:?} is beyond the paths", path);
            }
        }
        // what the system says is free now is what the run said
        prop_assert_eq!(disk(&before) - disk(&after), outcome.freed_bytes);
        prop_assert!(after.values().all(|view| view.stat.links <= limit));
        if limit == 65_000 && options.keep == Keep::Auto {
            let expected = expected(&before, &options);
            let got = Expected {
                moved_names: outcome.moved_names,
                freed_files: outcome.freed_files,
                freed_bytes: outcome.freed_bytes,
                held_bytes: outcome.held_bytes,
                sets: outcome.sets,
            };
            prop_assert_eq!(got, expected);
        }
        if limit == 65_000 {
            let again = merged(&fs, &PATHS, &options);
            prop_assert_eq!((again.moved_names, again.sets), (0, 0));
        }
    }
}
