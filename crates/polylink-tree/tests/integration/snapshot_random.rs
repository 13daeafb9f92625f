//! Random trees, edits and kills: a snapshot holds what the source held, and earlier ones never change.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use polylink_core::{FileId, Kind, LinkFs as _, MemFs, Metadata, Silent};
use polylink_tree::snapshot::{Keep, Request, apply, list, plan};
use proptest::prelude::*;

use crate::clone_random::{edit, options, perform};
use crate::snapshot::{assert_whole, request, take};
use crate::world::look;

/// All of a snapshot that must never change.
type Frozen = BTreeMap<PathBuf, (Kind, FileId, Metadata, Vec<u8>)>;

fn frozen(fs: &MemFs, name: &str) -> Frozen {
    look(fs, &Path::new("/store").join(name))
        .into_iter()
        .map(|(path, seen)| (path, (seen.stat.kind, seen.stat.id, seen.metadata, seen.content)))
        .collect()
}

/// How many names of the source could be shared with a snapshot: those with a file there that is alike, each file of the
/// snapshot for one file of the source.
fn shareable(fs: &MemFs, last: &Frozen) -> u64 {
    let source = look(fs, Path::new("/s"));
    let mut claims: BTreeMap<FileId, FileId> = BTreeMap::new();
    let mut shared: BTreeMap<FileId, bool> = BTreeMap::new();
    let files = || {
        source
            .iter()
            .filter(|(_, seen)| seen.stat.kind != Kind::Directory)
    };
    for (path, seen) in files() {
        let alike = last.get(path).filter(|(kind, _, metadata, content)| {
            (*kind, metadata) == (seen.stat.kind, &seen.metadata) && *content == seen.content
        });
        let fits =
            alike.is_some_and(|(_, old, ..)| *claims.entry(*old).or_insert(seen.stat.id) == seen.stat.id);
        if seen.stat.kind == Kind::File {
            *shared.entry(seen.stat.id).or_default() |= fits;
        }
    }
    // of symbolic links each name is looked at alone
    let mut links: BTreeMap<FileId, FileId> = BTreeMap::new();
    files()
        .filter(|(path, seen)| match seen.stat.kind {
            Kind::File => shared[&seen.stat.id],
            _ => last.get(*path).is_some_and(|(kind, old, metadata, content)| {
                (*kind, metadata) == (seen.stat.kind, &seen.metadata)
                    && *content == seen.content
                    && *links.entry(*old).or_insert(seen.stat.id) == seen.stat.id
            }),
        })
        .count() as u64
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn a_snapshot_is_the_source_and_earlier_ones_stay_as_they_are(
        options in options(),
        other_volume in any::<bool>(),
        first in prop::collection::vec(edit("/s"), 1..25),
        rounds in prop::collection::vec(prop::collection::vec(edit("/s"), 0..8), 1..5),
    ) {
        let fs = MemFs::with(options);
        fs.mkdir("/s").unwrap();
        if other_volume {
            fs.mount("/store").unwrap();
        }
        first.iter().for_each(|edit| perform(&fs, edit));
        let mut before: Vec<(String, Frozen)> = Vec::new();
        for (number, edits) in std::iter::once(&Vec::new()).chain(&rounds).enumerate() {
            edits.iter().for_each(|edit| perform(&fs, edit));
            fs.mkdir("/s").unwrap();
            let could = before.last().map_or(0, |(_, last)| shareable(&fs, last));
            let outcome = take(&fs, &request(number as i64));
            prop_assert!(outcome.is_whole(), "{:?}", outcome.failures);
            let name = outcome.name.unwrap().name().text().unwrap().to_owned();
            assert_whole(&fs, &name, options.link_limit);
            if options.link_limit > 100 {
                prop_assert_eq!(outcome.linked, could);
            }
            for (name, was) in &before {
                prop_assert_eq!(&frozen(&fs, name), was);
            }
            let now = frozen(&fs, &name);
            before.push((name, now));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, ..ProptestConfig::default() })]

    #[test]
    fn stopped_at_any_step_no_half_made_one_has_a_name_and_the_next_run_completes(
        first in prop::collection::vec(edit("/s"), 1..12),
        later in prop::collection::vec(edit("/s"), 1..8),
    ) {
        for steps in 0.. {
            let fs = MemFs::new();
            fs.mkdir("/s").unwrap();
            first.iter().for_each(|edit| perform(&fs, edit));
            take(&fs, &request(1));
            let oldest = frozen(&fs, "n001");
            later.iter().for_each(|edit| perform(&fs, edit));
            fs.mkdir("/s").unwrap();
            take(&fs, &request(2));
            let older = frozen(&fs, "n002");
            let keep = |number| Request { keep: Some(Keep::parse("last=2").unwrap()), ..request(number) };
            let stopped = plan(&fs, &keep(3), &Silent).unwrap();
            fs.stop_after(Some(steps));
            let outcome = apply(&fs, &stopped, &Silent);
            fs.stop_after(None);
            let listed = list(&fs, Path::new("/store")).unwrap();
            for snapshot in &listed {
                let name = snapshot.name.name().text().unwrap();
                match name {
                    "n001" => prop_assert_eq!(&frozen(&fs, name), &oldest),
                    "n002" => prop_assert_eq!(&frozen(&fs, name), &older),
                    _ => assert_whole(&fs, name, 65_000),
                }
            }
            prop_assert!(listed.iter().any(|snapshot| snapshot.name.bytes() == b"n002"));
            take(&fs, &keep(4));
            assert_whole(&fs, "n004", 65_000);
            let root = fs.open_dir("/store".as_ref()).unwrap();
            let lower: &dyn polylink_core::LinkFs = &fs;
            let names = lower.names_in(&root).unwrap();
            // the records, the new one and one before: nothing half made, nothing half removed
            prop_assert_eq!(names.len(), 3, "{:?}", names);
            if !outcome.stopped {
                break;
            }
        }
    }
}
