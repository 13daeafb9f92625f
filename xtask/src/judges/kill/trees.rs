//! The same for clones and snapshots.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Patient, edit, enough, explain, median, nothing_lost};
use crate::judges::Verdict;
use crate::judges::lab::{Lab, args, ensure};
use crate::judges::truth;

/// How many runs tell how long one takes.
const UNKILLED: u32 = 5;

/// Runs to the end, or to a random instant; how long it took to the end.
pub(super) fn run(
    patient: &mut Patient<'_>,
    words: Vec<OsString>,
    kill: Option<Duration>,
) -> Verdict<Duration> {
    let start = Instant::now();
    match kill {
        Some(usual) => patient.kill_run(words, usual)?,
        None => drop(patient.lab.polylink(words)?.exits(&[0])?),
    }
    Ok(start.elapsed())
}

/// A clone that is killed while it is brought up to date holds all that it should after the next run, and no file that
/// had a name has none.
pub(crate) fn clone(lab: &Lab) -> Verdict {
    let mut patient = Patient::new(lab)?;
    let clone = lab.path("home").join("clone");
    let words = args([&"clone", &patient.source, &clone]);
    let mut times = Vec::new();
    let mut held = BTreeSet::new();
    let mut serial = 0;
    run(&mut patient, words.clone(), None)?;
    for round in 0..lab.kills + UNKILLED {
        let context = explain(lab.seed, round, "clones");
        let source = patient.source.clone();
        let overwritten = edit(&source, &mut patient.random, &mut serial).map_err(&context)?;
        held.retain(|content| !overwritten.contains(content));
        if round >= UNKILLED {
            run(&mut patient, words.clone(), Some(median(times.clone()))).map_err(&context)?;
            nothing_lost(&held, &all(&[&source, &clone])?).map_err(&context)?;
        }
        let time = run(&mut patient, words.clone(), None).map_err(&context)?;
        if round < UNKILLED {
            times.push(time);
        }
        let now = all(&[&source, &clone])?;
        nothing_lost(&held, &now).map_err(&context)?;
        held = now;
        fits(&source, &clone).map_err(&context)?;
        truth::nothing_left_behind(&clone).map_err(&context)?;
    }
    patient.tell(median(times));
    enough(&patient)
}

/// The content of every file below some folders.
fn all(dirs: &[&Path]) -> Verdict<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for dir in dirs {
        found.extend(super::contents(dir)?.into_values());
    }
    Ok(found)
}

/// Every name of the source leads to the same file in the clone; what the clone has besides are last names.
fn fits(source: &Path, clone: &Path) -> Verdict {
    let (ours, theirs) = (truth::listing(source)?, truth::listing(clone)?);
    for (name, inode) in &ours {
        ensure(theirs.get(name) == Some(inode), || {
            format!("{} is not the same file in the clone", name.display())
        })?;
    }
    for (name, inode) in theirs.iter().filter(|(name, _)| !ours.contains_key(*name)) {
        let names = theirs.values().filter(|other| *other == inode).count();
        let links = fs::symlink_metadata(clone.join(name))?.nlink();
        ensure(links == 1 && names == 1, || {
            format!(
                "{} has no counterpart, and its file has {links} names",
                name.display()
            )
        })?;
    }
    Ok(())
}

/// All of a snapshot that must never change: file, time of the last change, permissions, content.
type Frozen = BTreeMap<PathBuf, (u64, i64, i64, u32, String)>;

fn frozen(dir: &Path) -> Verdict<Frozen> {
    let mut found = Frozen::new();
    for (name, content) in super::contents(dir)? {
        let meta = fs::symlink_metadata(dir.join(&name))?;
        found.insert(
            name,
            (meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.mode(), content),
        );
    }
    Ok(found)
}

/// The visible names in the store.
fn snapshots(store: &Path) -> Verdict<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(store)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.insert(name);
        }
    }
    Ok(names)
}

/// A snapshot is whole or has no name, wherever the run is killed; earlier ones never change, and the next run completes.
pub(crate) fn snapshot(lab: &Lab) -> Verdict {
    let mut patient = Patient::new(lab)?;
    let store = lab.path("home").join("store");
    let source = patient.source.clone();
    let words = |name: &str| {
        args([
            &"snapshot",
            &"--keep",
            &"last=3",
            &"--name",
            &name,
            &source,
            &store,
        ])
    };
    let mut times = Vec::new();
    let mut serial = 0;
    let mut known: BTreeMap<String, Frozen> = BTreeMap::new();
    for round in 0..lab.kills + UNKILLED {
        let context = explain(lab.seed, round, "snapshots");
        edit(&source, &mut patient.random, &mut serial).map_err(&context)?;
        let now = super::contents(&source)?;
        if round >= UNKILLED {
            let name = format!("killed{round:04}");
            run(&mut patient, words(&name), Some(median(times.clone()))).map_err(&context)?;
            examine(&store, &mut known, &now).map_err(&context)?;
        }
        let name = format!("whole{round:04}");
        let time = run(&mut patient, words(&name), None).map_err(&context)?;
        if round < UNKILLED {
            times.push(time);
        }
        examine(&store, &mut known, &now).map_err(&context)?;
        ensure(known.contains_key(&name), || format!("no snapshot {name}")).map_err(&context)?;
        ensure(known.len() <= 3, || format!("{} snapshots stay", known.len())).map_err(&context)?;
        let hidden: Vec<OsString> = fs::read_dir(&store)?
            .flatten()
            .map(|entry| entry.file_name())
            .filter(|name| name.to_string_lossy().starts_with('.') && name != ".polylink-snapshots")
            .collect();
        ensure(hidden.is_empty(), || format!("left behind: {hidden:?}")).map_err(&context)?;
    }
    patient.tell(median(times));
    enough(&patient)
}

/// Snapshots that were there are as they were; new ones hold the source.
fn examine(store: &Path, known: &mut BTreeMap<String, Frozen>, now: &super::Tree) -> Verdict {
    let names = if store.exists() {
        snapshots(store)?
    } else {
        BTreeSet::new()
    };
    known.retain(|name, _| names.contains(name));
    for name in names {
        let found = frozen(&store.join(&name))?;
        match known.get(&name) {
            Some(was) => ensure(*was == found, || format!("the snapshot {name} has changed"))?,
            None => {
                let held: super::Tree = found
                    .iter()
                    .map(|(path, (.., content))| (path.clone(), content.clone()))
                    .collect();
                ensure(held == *now, || format!("the snapshot {name} is not the source"))?;
                known.insert(name, found);
            }
        }
    }
    Ok(())
}
