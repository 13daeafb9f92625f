//! Random trees, edits and kills: a clone that is updated equals one that is made anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use polylink_core::{DirIdLies, FaultKind, Kind, MemFs, MemOptions, Silent};
use polylink_tree::clone::{Extra, Options, Outcome, apply, plan};
use proptest::prelude::*;

use crate::clone::{request, run_with};
use crate::world::{contents, files, look};

/// What somebody does to a tree; paths are few, so that they meet.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    Create(PathBuf),
    Rewrite(PathBuf),
    Link(PathBuf, PathBuf),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    Symlink(PathBuf),
    Mkdir(PathBuf),
    Chmod(PathBuf, u32),
}

pub(crate) fn path(root: &'static str) -> impl Strategy<Value = PathBuf> {
    let part = prop::sample::select(&["a", "b", "c.txt", "d"][..]);
    prop::collection::vec(part, 1..4).prop_map(move |parts| {
        parts
            .into_iter()
            .fold(PathBuf::from(root), |path, part| path.join(part))
    })
}

pub(crate) fn edit(root: &'static str) -> impl Strategy<Value = Edit> {
    prop_oneof![
        4 => path(root).prop_map(Edit::Create),
        1 => path(root).prop_map(Edit::Rewrite),
        3 => (path(root), path(root)).prop_map(|(a, b)| Edit::Link(a, b)),
        2 => (path(root), path(root)).prop_map(|(a, b)| Edit::Rename(a, b)),
        2 => path(root).prop_map(Edit::Remove),
        1 => path(root).prop_map(Edit::Symlink),
        1 => path(root).prop_map(Edit::Mkdir),
        1 => (path(root), 0u32..8).prop_map(|(path, mode)| Edit::Chmod(path, mode)),
    ]
}

/// Does it, if it can be done; a path that leads through a file cannot be made.
pub(crate) fn perform(fs: &MemFs, edit: &Edit) {
    let done = match edit {
        Edit::Create(path) => fs.create(path, 10).map(drop),
        Edit::Rewrite(path) => fs.rewrite(path, 11, fs.stat_calls()),
        Edit::Link(from, to) => fs.link_path(from, to),
        Edit::Rename(from, to) => fs.rename_path(from, to),
        Edit::Remove(path) => fs.remove(path),
        Edit::Symlink(path) => fs.symlink(path).map(drop),
        Edit::Mkdir(path) => fs.mkdir(path),
        Edit::Chmod(path, mode) => fs.edit_metadata(path, |m| m.mode = Some(*mode)),
    };
    // OK to ignore: an edit that makes no sense is none
    let _ = done;
}

pub(crate) fn options() -> impl Strategy<Value = MemOptions> {
    (
        any::<bool>(),
        any::<bool>(),
        prop::sample::select(&[4, 65_000][..]),
    )
        .prop_map(|(lies, reuse_ids, link_limit)| MemOptions {
            lies: if lies { DirIdLies::Yes } else { DirIdLies::No },
            reuse_ids,
            link_limit,
            batch: 3,
            ..MemOptions::default()
        })
}

const ANYWAY: Options = Options {
    extra: Extra::PruneAnyway,
    orphans: polylink_tree::clone::Orphans::Keep,
    user: None,
    fallback: None,
    threads: None,
};

/// The clone equals its source but for the orphans, and its directories have their counterparts' metadata.
fn assert_fits(fs: &MemFs, orphans: &[PathBuf], missing: &[PathBuf]) {
    let orphans: BTreeSet<&Path> = orphans
        .iter()
        .map(|path| path.strip_prefix("/d").unwrap())
        .collect();
    let mut source = files(fs, "/s");
    source.retain(|path, _| !missing.contains(&Path::new("/d").join(path)));
    let mut dest = files(fs, "/d");
    dest.retain(|path, _| !orphans.contains(path.as_path()));
    let (ours, theirs) = (look(fs, Path::new("/s")), look(fs, Path::new("/d")));
    // symbolic links that lead to the same place are as good as one
    let alike = |path: &PathBuf| {
        let (ours, theirs) = (ours.get(path), theirs.get(path));
        ours.zip(theirs).is_some_and(|(a, b)| {
            a.stat.kind == Kind::Symlink && b.stat.kind == Kind::Symlink && a.content == b.content
        })
    };
    source.retain(|path, _| !alike(path));
    dest.retain(|path, _| !alike(path));
    assert_eq!(source, dest);
    for (path, seen) in ours.iter().filter(|(path, _)| !alike(path)) {
        if !missing.contains(&Path::new("/d").join(path)) {
            assert_eq!(seen.metadata, theirs[path].metadata, "{}", path.display());
        }
    }
    for path in theirs.keys().filter(|path| !ours.contains_key(*path)) {
        assert!(
            orphans.iter().any(|orphan| orphan.starts_with(path)),
            "{}",
            path.display()
        );
    }
}

/// Names that could not be made: at the link limit, and where a directory stands that holds last names.
fn missing(outcome: &Outcome) -> Vec<PathBuf> {
    let kinds = [FaultKind::TooManyLinks, FaultKind::IsDirectory];
    let failures = outcome.failures.iter();
    failures
        .filter(|failure| failure.action == "link" && kinds.contains(&failure.fault.kind()))
        .filter_map(|failure| failure.to.clone())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn an_updated_clone_fits_and_nothing_is_lost(
        options in options(),
        first in prop::collection::vec(edit("/s"), 1..30),
        rounds in prop::collection::vec(prop::collection::vec(prop_oneof![3 => edit("/s"), 1 => edit("/d")], 1..12), 1..4),
    ) {
        let fs = MemFs::with(options);
        fs.mkdir("/s").unwrap();
        first.iter().for_each(|edit| perform(&fs, edit));
        for edits in std::iter::once(Vec::new()).chain(rounds) {
            edits.iter().for_each(|edit| perform(&fs, edit));
            fs.mkdir("/s").unwrap();
            let before = contents(&fs);
            let plan = plan(&fs, &request(ANYWAY), &Silent).unwrap();
            let outcome = apply(&fs, &plan, &Silent);
            prop_assert_eq!(contents(&fs), before);
            let missing = missing(&outcome);
            if missing.len() == outcome.failures.len() {
                assert_fits(&fs, &outcome.orphans, &missing);
            } else {
                // a name that should lead to a file at its limit was to be changed
                prop_assert!(options.link_limit == 4, "{:?}", outcome.failures);
            }
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn stopped_at_any_step_nothing_is_lost_and_the_next_run_completes(
        first in prop::collection::vec(edit("/s"), 1..15),
        later in prop::collection::vec(prop_oneof![3 => edit("/s"), 1 => edit("/d")], 1..12),
    ) {
        for steps in 0.. {
            let fs = MemFs::new();
            fs.mkdir("/s").unwrap();
            first.iter().for_each(|edit| perform(&fs, edit));
            run_with(&fs, ANYWAY);
            later.iter().for_each(|edit| perform(&fs, edit));
            fs.mkdir("/s").unwrap();
            let before = contents(&fs);
            let stopped = plan(&fs, &request(ANYWAY), &Silent).unwrap();
            fs.stop_after(Some(steps));
            let outcome = apply(&fs, &stopped, &Silent);
            prop_assert_eq!(&contents(&fs), &before);
            fs.stop_after(None);
            let again = run_with(&fs, ANYWAY);
            prop_assert_eq!(contents(&fs), before);
            assert_fits(&fs, &again.orphans, &missing(&again));
            if !outcome.stopped {
                break;
            }
        }
    }
}
