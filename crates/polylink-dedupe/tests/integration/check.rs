//! What a view holds, against a model that compares everything with everything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use polylink_core::{DirIdLies, FileFs, LinkFs as _, MemFs, MemOptions, Silent};
use polylink_dedupe::{Check, CheckOptions, Kept, Part, apply, check};
use polylink_walk::Root;
use proptest::prelude::*;

use crate::world::{View, contents, disk, file, is_own, items, tree, view};

/// The first two are the sources, the third the view; `/a/deep` lies in a source, `/other` is another volume.
const SOURCES: [&str; 2] = ["/a", "/other"];
const VIEW: &str = "/b";

fn root(fs: &MemFs, path: &str) -> Root {
    Root {
        dir: fs.open_dir(path.as_ref()).unwrap(),
        path: path.into(),
    }
}

fn checked(fs: &MemFs, sources: &[&str], view: &str, options: &CheckOptions) -> Check {
    let sources: Vec<Root> = sources.iter().map(|path| root(fs, path)).collect();
    check(fs as &dyn FileFs, &sources, &root(fs, view), options, &Silent)
}

fn is_source(path: &Path) -> bool {
    SOURCES.iter().any(|source| path.starts_with(source))
}

fn same_content(one: &View, other: &View) -> bool {
    (one.stat.size, one.content) == (other.stat.size, other.content)
}

fn paths<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> BTreeSet<PathBuf> {
    paths.into_iter().cloned().collect()
}

fn options() -> impl Strategy<Value = CheckOptions> {
    prop::sample::subsequence(Part::ALL.to_vec(), 0..=Part::ALL.len()).prop_map(|ignore| CheckOptions {
        ignore: ignore.into_iter().collect(),
        ..CheckOptions::default()
    })
}

fn differs(one: &View, other: &View, ignore: &BTreeSet<Part>) -> bool {
    let (one, other) = (&one.metadata, &other.metadata);
    let asked = |part| !ignore.contains(&part);
    asked(Part::Mode) && one.mode != other.mode
        || asked(Part::Times) && one.modified != other.modified
        || asked(Part::Xattrs) && one.extended != other.extended
}

proptest! {
    // under Wine each call takes its time, and the model's file system is the same there
    #![proptest_config(ProptestConfig { cases: if cfg!(windows) { 60 } else { 400 }, ..ProptestConfig::default() })]

    #[test]
    fn every_name_is_what_the_model_says_and_relinking_loses_nothing(
        items in items(),
        options in options(),
        lies in any::<bool>(),
        limit in prop_oneof![3 => Just(65_000_u64), 1 => 2_u64..5],
    ) {
        let lies = if lies { DirIdLies::Yes } else { DirIdLies::No };
        let fs = tree(MemOptions { lies, link_limit: limit, ..MemOptions::default() }, &items);
        let before = view(&fs);
        let found = checked(&fs, &SOURCES, VIEW, &options);
        prop_assert_eq!(&view(&fs), &before, "checking changes nothing");
        prop_assert!(found.found.is_complete());

        let sources: BTreeMap<&PathBuf, &View> = before.iter().filter(|(path, _)| is_source(path)).collect();
        let names: BTreeMap<&PathBuf, &View> = before.iter().filter(|(path, _)| path.starts_with(VIEW)).collect();
        let of_source = |view: &View| sources.values().any(|source| source.stat.id == view.stat.id);
        let linked = names.values().filter(|name| of_source(name)).count() as u64;
        prop_assert_eq!(found.found.linked, linked);
        prop_assert_eq!(found.found.view_names, names.len() as u64);
        // what is not empty is a copy where any file of the sources holds the same
        let copies = paths(found.found.copies.iter().map(|copy| &copy.path));
        for (path, name) in &names {
            let equal = sources.values().any(|source| same_content(source, name));
            if name.stat.size > 0 {
                prop_assert_eq!(copies.contains(*path), !of_source(name) && equal, "{:?}", path);
            }
            let neither = found.found.neither.contains(path);
            prop_assert_eq!(neither, !of_source(name) && !copies.contains(*path), "{:?}", path);
        }
        let mut stands_for = BTreeSet::new();
        for copy in &found.found.copies {
            let (mine, theirs) = (&before[&copy.path], &before[&copy.source]);
            prop_assert!(is_source(&copy.source) && same_content(mine, theirs), "{:?}", copy);
            stands_for.insert(theirs.stat.id);
            match &copy.kept {
                None => prop_assert!(!differs(mine, theirs, &options.ignore)),
                Some(Kept::Differs(_)) => prop_assert!(differs(mine, theirs, &options.ignore)),
                Some(Kept::OtherVolume) => prop_assert!(mine.stat.id.volume != theirs.stat.id.volume),
                Some(Kept::AtLimit) => prop_assert!(limit < 5),
                Some(Kept::NoLinks) => prop_assert!(false, "there are links here"),
            }
        }
        // a file of the sources is missing that has neither a name nor a copy that was laid against it
        for source in sources.values() {
            let named = names.values().any(|name| name.stat.id == source.stat.id);
            let missing = found.found.missing.iter().any(|path| before[path].stat.id == source.stat.id);
            prop_assert_eq!(missing, !named && !stands_for.contains(&source.stat.id));
        }

        let relinkable = found.found.copies.iter().filter(|copy| copy.kept.is_none()).count() as u64;
        let forecast = found.relink.forecast();
        prop_assert_eq!(forecast.moved_names, relinkable);
        let copies_before = found.found.copies.clone();
        let outcome = apply(&fs, found.relink, &Silent);
        prop_assert_eq!(&outcome, &forecast, "a dry run equals the real run");
        let after = view(&fs);
        prop_assert_eq!(contents(&before), contents(&after));
        prop_assert_eq!(disk(&before) - disk(&after), outcome.freed_bytes);
        for (path, was) in &before {
            let is = &after[path];
            match copies_before.iter().find(|copy| copy.path == *path && copy.kept.is_none()) {
                Some(copy) => prop_assert_eq!(is.stat.id, before[&copy.source].stat.id),
                None => prop_assert_eq!(is.stat.id, was.stat.id, "{:?} is left alone", path),
            }
        }
        let again = checked(&fs, &SOURCES, VIEW, &options);
        if limit == 65_000 {
            prop_assert_eq!(again.relink.forecast().moved_names, 0);
        }
        prop_assert_eq!(again.found.linked, linked + relinkable);
    }
}

#[test]
fn equal_files_of_the_sources_are_laid_against_names_of_their_own() {
    let fs = MemFs::new();
    for path in ["/s/1/x", "/s/2/y", "/s/3/z", "/v/y", "/v/other"] {
        file(&fs, path, 100, 1 << 16, 0o644, 1);
    }
    let found = checked(&fs, &["/s"], "/v", &CheckOptions::default()).found;
    let pairs: Vec<(&Path, &Path)> = found
        .copies
        .iter()
        .map(|copy| (copy.path.as_path(), copy.source.as_path()))
        .collect();
    let path = Path::new;
    assert_eq!(
        pairs,
        [(path("/v/other"), path("/s/1/x")), (path("/v/y"), path("/s/2/y"))]
    );
    assert_eq!(found.missing, [path("/s/3/z")]);
    assert!(!found.is_in_step());
}

#[test]
fn a_view_inside_its_source_is_not_taken_for_a_part_of_it() {
    let fs = MemFs::new();
    file(&fs, "/s/a", 100, 1 << 16, 0o644, 1);
    file(&fs, "/s/view/b", 100, 1 << 16, 0o644, 1);
    file(&fs, "/s/view/c", 100, 2 << 16, 0o644, 1);
    fs.link_path("/s/a", "/s/view/a").unwrap();
    let found = checked(&fs, &["/s"], "/s/view", &CheckOptions::default()).found;
    assert_eq!((found.source_files, found.view_names, found.linked), (1, 3, 1));
    assert_eq!(found.copies.len(), 1);
    assert_eq!(found.neither, [Path::new("/s/view/c")]);
    assert_eq!(found.missing, [""; 0].map(PathBuf::from));
}

#[test]
fn what_cannot_be_read_is_neither_missing_nor_foreign() {
    let fs = MemFs::new();
    file(&fs, "/s/a", 100, 1 << 16, 0o644, 1);
    file(&fs, "/v/b", 100, 2 << 16, 0o644, 1);
    fs.deny("/v/b", true).unwrap();
    let found = checked(&fs, &["/s"], "/v", &CheckOptions::default()).found;
    assert_eq!(found.neither, [""; 0].map(PathBuf::from));
    assert_eq!(found.unreadable.len(), 1);
    assert!(!found.is_complete() && !found.is_in_step());
}

#[test]
fn relinking_that_is_stopped_anywhere_loses_nothing_and_the_next_run_completes_it() {
    let setup = || {
        let fs = MemFs::new();
        for number in 0..4_u64 {
            for dir in ["/s", "/v"] {
                file(&fs, format!("{dir}/f{number}"), 20_000, number << 16, 0o644, 1);
            }
            fs.link_path(format!("/v/f{number}"), format!("/v/g{number}"))
                .unwrap();
        }
        fs
    };
    let mut steps = 0;
    loop {
        let fs = setup();
        let before = contents(&view(&fs));
        let relink = checked(&fs, &["/s"], "/v", &CheckOptions::default()).relink;
        fs.stop_after(Some(steps));
        let stopped = apply(&fs, relink, &Silent);
        fs.stop_after(None);
        assert_eq!(contents(&view(&fs)), before, "stopped after {steps}");
        let relink = checked(&fs, &["/s"], "/v", &CheckOptions::default()).relink;
        apply(&fs, relink, &Silent);
        assert_eq!(contents(&view(&fs)), before, "stopped after {steps}");
        assert!(
            !fs.all_names().keys().any(|path| is_own(path)),
            "stopped after {steps}"
        );
        let again = checked(&fs, &["/s"], "/v", &CheckOptions::default()).found;
        assert_eq!(
            (again.linked, again.copies.len()),
            (8, 0),
            "stopped after {steps}"
        );
        if stopped.is_complete() {
            break;
        }
        steps += 1;
    }
    // a link and a rename for each of eight names
    assert!(steps >= 16, "{steps}");
}

/// Equal files in great number, under one name in as many folders, and under names that have nothing in common.
#[test]
fn thousands_of_equal_files_each_get_one_of_their_own() {
    for shared in [true, false] {
        let fs = MemFs::new();
        for number in 0..1_500_i128 {
            let name = if shared {
                "x".to_owned()
            } else {
                format!("view{number}")
            };
            file(&fs, format!("/s/{number}/x"), 100, 1 << 16, 0o644, number);
            file(
                &fs,
                format!("/v/{}/{name}", 9_000 - number),
                100,
                1 << 16,
                0o644,
                number,
            );
        }
        let found = checked(&fs, &["/s"], "/v", &CheckOptions::default()).found;
        assert_eq!((found.copies.len(), found.missing.len()), (1_500, 0));
        let sources: BTreeSet<&PathBuf> = found.copies.iter().map(|copy| &copy.source).collect();
        assert_eq!(sources.len(), 1_500, "each has a file of its own");
    }
}
