//! Names over the model: all of them, each once, with no more looks than are needed.

use std::num::NonZeroUsize;
use std::sync::atomic::AtomicUsize;

use polylink_core::{DirIdLies, MemFs, MemOptions, Silent};

use super::*;
use crate::Mounts;

fn roots(fs: &MemFs, paths: &[&str]) -> Vec<Root> {
    paths
        .iter()
        .map(|path| Root {
            dir: fs.open_dir(path.as_ref()).unwrap(),
            path: path.into(),
        })
        .collect()
}

fn paths(names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(PathBuf::from).collect()
}

fn photos(lies: DirIdLies) -> (MemFs, FileId) {
    let fs = MemFs::with(MemOptions {
        lies,
        ..MemOptions::default()
    });
    let id = fs.create("/tree/2007/02/a.jpg", 10).unwrap();
    for month in 0..12 {
        for file in 0..20 {
            fs.create(format!("/tree/2008/{month:02}/{file}.jpg"), 10)
                .unwrap();
        }
    }
    fs.link_path("/tree/2007/02/a.jpg", "/view/a.jpg").unwrap();
    fs.link_path("/tree/2007/02/a.jpg", "/view/b.jpg").unwrap();
    fs.link_path("/tree/2007/02/a.jpg", "/elsewhere/a.jpg").unwrap();
    (fs, id)
}

#[test]
fn all_names_are_found_whatever_the_ids_are_worth_and_however_roots_overlap() {
    for lies in [DirIdLies::No, DirIdLies::Yes] {
        for given in [
            &["/"][..],
            &["/view", "/tree", "/elsewhere"],
            &["/tree", "/", "/view", "/"],
        ] {
            for threads in [1, 2, 8] {
                let (fs, id) = photos(lies);
                let options = Options {
                    threads: NonZeroUsize::new(threads),
                    ..Options::default()
                };
                let found = find_names(&fs, id, 4, &roots(&fs, given), &options, &Silent);
                assert_eq!(
                    found.names,
                    paths(&[
                        "/elsewhere/a.jpg",
                        "/tree/2007/02/a.jpg",
                        "/view/a.jpg",
                        "/view/b.jpg"
                    ])
                );
                assert!(found.complete && found.unreadable.is_empty());
            }
        }
    }
}

#[test]
fn trusted_ids_need_a_look_at_the_names_found_only() {
    let (fs, id) = photos(DirIdLies::No);
    find_names(&fs, id, 4, &roots(&fs, &["/"]), &Options::default(), &Silent);
    assert_eq!(fs.stat_calls(), 4);
}

struct Count(AtomicUsize);

impl Progress for Count {
    fn advance(&self, steps: u64) {
        self.0
            .fetch_add(usize::try_from(steps).unwrap(), Ordering::Relaxed);
    }
}

#[test]
fn the_search_ends_with_the_last_name() {
    let fs = MemFs::new();
    let id = fs.create("/a/0", 1).unwrap();
    for file in 1..1000 {
        fs.create(format!("/a/{file:04}"), 1).unwrap();
    }
    let count = Count(AtomicUsize::new(0));
    let found = find_names(&fs, id, 1, &roots(&fs, &["/a"]), &Options::default(), &count);
    assert_eq!(found.names, paths(&["/a/0"]));
    assert!(found.complete);
    assert!(count.0.into_inner() < 20);
}

#[test]
fn what_was_not_read_is_said() {
    let (fs, id) = photos(DirIdLies::No);
    fs.deny("/tree/2007/02", true).unwrap();
    let found = find_names(&fs, id, 4, &roots(&fs, &["/"]), &Options::default(), &Silent);
    assert_eq!(found.names.len(), 3);
    assert!(!found.complete);
    assert_eq!(found.unreadable[0].action, "read");
    assert_eq!(found.unreadable[0].path, PathBuf::from("/tree/2007/02"));
    // what cannot hold a name that is missing does not matter
    let found = find_names(&fs, id, 3, &roots(&fs, &["/"]), &Options::default(), &Silent);
    assert!(found.complete);
}

#[test]
fn names_beyond_the_roots_are_missing_from_a_complete_search() {
    let (fs, id) = photos(DirIdLies::No);
    let found = find_names(&fs, id, 4, &roots(&fs, &["/view"]), &Options::default(), &Silent);
    assert_eq!(found.names, paths(&["/view/a.jpg", "/view/b.jpg"]));
    assert!(found.complete);
}

#[test]
fn another_volume_with_the_same_number_is_another_file() {
    let (fs, id) = photos(DirIdLies::No);
    fs.mount("/mnt").unwrap();
    let elsewhere = FileId { volume: 99, ..id };
    let across = Options {
        mounts: Mounts::Cross,
        ..Options::default()
    };
    let found = find_names(&fs, elsewhere, 4, &roots(&fs, &["/"]), &across, &Silent);
    assert!(found.names.is_empty() && found.complete);
    let found = find_names(&fs, id, 5, &roots(&fs, &["/"]), &Options::default(), &Silent);
    assert_eq!(found.other_mounts, paths(&["/mnt"]));
}
