//! Random trees, link graphs, overlapping arguments, orders and threads: always the naive count.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use polylink_core::{DirIdLies, FaultKind, MemFs, MemOptions, Silent};
use polylink_usage::{Options, SortBy, usage};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::brute::{World, answer, targets};

#[derive(Clone, Debug)]
enum Act {
    Mkdir(Index, u8),
    Create(Index, u8, u64),
    Link(Index, Index, u8),
    Symlink(Index, u8),
    Remove(Index),
    Deny(Index),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (any::<Index>(), 0..4u8).prop_map(|(at, name)| Act::Mkdir(at, name)),
        5 => (any::<Index>(), 0..9u8, 0..20_000u64).prop_map(|(at, name, size)| Act::Create(at, name, size)),
        8 => (any::<Index>(), any::<Index>(), 0..9u8).prop_map(|(file, at, name)| Act::Link(file, at, name)),
        1 => (any::<Index>(), 0..9u8).prop_map(|(at, name)| Act::Symlink(at, name)),
        1 => any::<Index>().prop_map(Act::Remove),
        1 => any::<Index>().prop_map(Act::Deny),
    ]
}

/// Makes the tree, in the model and in the books.
fn build(acts: &[Act], lies: DirIdLies, link_limit: u64, denials: bool) -> (MemFs, World) {
    let fs = MemFs::with(MemOptions {
        lies,
        link_limit,
        batch: 3,
        ..MemOptions::default()
    });
    let mut world = World::default();
    for dir in ["/", "/a", "/a/x", "/b", "/m"] {
        if dir != "/" {
            fs.mkdir(dir).unwrap();
        }
        world.dirs.insert(dir.into());
    }
    fs.mount("/m").unwrap();
    world.mounts.insert("/m".into());
    let dirs = |world: &World| world.dirs.iter().cloned().collect::<Vec<PathBuf>>();
    for act in acts {
        match act {
            Act::Mkdir(at, name) => {
                let path = at.get(&dirs(&world)).join(format!("d{name}"));
                if path.components().count() < 6 {
                    fs.mkdir(&path).unwrap();
                    world.dirs.insert(path);
                }
            }
            Act::Create(at, name, size) => {
                let path = at.get(&dirs(&world)).join(format!("f{name}"));
                let id = fs.create(&path, *size).unwrap();
                // the number of a file that is gone may serve again
                world.names.insert(path, id);
                world.sizes.insert(id, *size);
            }
            Act::Link(file, at, name) => {
                let names: Vec<PathBuf> = world.names.keys().cloned().collect();
                if names.is_empty() {
                    continue;
                }
                let (old, new) = (file.get(&names), at.get(&dirs(&world)).join(format!("f{name}")));
                match fs.link_path(old, &new) {
                    Ok(()) => {
                        let id = world.names[old];
                        world.names.insert(new, id);
                    }
                    Err(fault) => assert!(matches!(
                        fault.kind(),
                        FaultKind::Exists | FaultKind::CrossesVolumes | FaultKind::TooManyLinks
                    )),
                }
            }
            Act::Symlink(at, name) => {
                let path = at.get(&dirs(&world)).join(format!("s{name}"));
                fs.symlink(&path).unwrap();
                world.symlinks.insert(path);
            }
            Act::Remove(file) => {
                let names: Vec<PathBuf> = world.names.keys().cloned().collect();
                if !names.is_empty() {
                    fs.remove(file.get(&names)).unwrap();
                    world.names.remove(file.get(&names));
                }
            }
            Act::Deny(at) => {
                // of a mount that cannot be opened nobody knows that it is one
                let dir = at.get(&dirs(&world)).clone();
                if denials && !world.mounts.contains(&dir) {
                    world.denied.insert(dir);
                }
            }
        }
    }
    for dir in &world.denied {
        fs.deny(dir, true).unwrap();
    }
    (fs, world)
}

fn options(threads: usize) -> Options {
    Options {
        threads: NonZeroUsize::new(threads),
        ..Options::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn usage_equals_the_naive_count(
        acts in prop::collection::vec(act(), 0..90),
        tops in prop::collection::vec(any::<Index>(), 0..5),
        singles in prop::collection::vec(any::<Index>(), 0..3),
        lies in prop_oneof![Just(DirIdLies::No), Just(DirIdLies::Yes)],
        link_limit in 2..9u64,
        denials in any::<bool>(),
        threads in 1..5usize,
    ) {
        let (fs, world) = build(&acts, lies, link_limit, denials);
        let dirs: Vec<PathBuf> = world.dirs.iter().cloned().collect();
        let names: Vec<PathBuf> = world.names.keys().chain(&world.symlinks).cloned().collect();
        // nobody can open a directory that refuses to be read; the model can
        let tops: Vec<PathBuf> = (tops.iter().map(|at| at.get(&dirs).clone()))
            .filter(|dir| !world.denied.contains(dir))
            .collect();
        let singles: Vec<PathBuf> = if names.is_empty() {
            Vec::new()
        } else {
            singles.iter().map(|at| at.get(&names).clone()).collect()
        };
        let expected = world.count(&tops, &singles);
        let given: Vec<&PathBuf> = singles.iter().chain(&tops).collect();
        let found = usage(&fs, &targets(&fs, given.iter().copied()), &options(threads), &Silent);
        prop_assert_eq!(answer(&found), expected);
        prop_assert_eq!((found.racing, found.vanished, found.stopped), (0, 0, false));

        // the order of the arguments, and how often they are given, do not matter
        let again = given.iter().rev().chain(&given).copied();
        let again = usage(&fs, &targets(&fs, again), &options(2), &Silent);
        prop_assert_eq!(answer(&again), answer(&found));
        prop_assert_eq!(&again.other_mounts, &found.other_mounts);
    }

    #[test]
    fn rows_are_the_first_of_all_rows_in_any_order(
        acts in prop::collection::vec(act(), 0..60),
        depth in prop::option::of(0..4usize),
        top in prop::option::of(0..9usize),
        sort in prop::sample::select(vec![
            SortBy::Path, SortBy::Names, SortBy::Files, SortBy::Logical, SortBy::Disk, SortBy::Exclusive,
            SortBy::Shared,
        ]),
    ) {
        let (fs, _) = build(&acts, DirIdLies::No, 9, false);
        let paths = ["/", "/a/x", "/a"].map(PathBuf::from);
        let found = usage(&fs, &targets(&fs, &paths), &options(2), &Silent);
        let mut all = found.rows(None, SortBy::Path, None);
        all.retain(|row| depth.is_none_or(|depth| row.depth <= depth));
        all.sort_by_key(|row| std::cmp::Reverse(match sort {
            SortBy::Path => 0,
            SortBy::Names => row.figures.names,
            SortBy::Files => row.figures.files,
            SortBy::Logical => row.figures.logical_bytes,
            SortBy::Disk => row.figures.disk_bytes,
            SortBy::Exclusive => row.figures.exclusive_bytes,
            SortBy::Shared => row.figures.shared_bytes(),
        }));
        all.truncate(top.unwrap_or(usize::MAX));
        prop_assert_eq!(found.rows(depth, sort, top), all);
    }
}
