//! Clones on another file system, whose names are copies and symbolic links, killed while these are made and kept right.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::edits::{is_whole, text};
use super::fallback::{copies, orphans};
use super::trees::run;
use super::{Patient, contents, edit, enough, explain, median};
use crate::judges::Verdict;
use crate::judges::lab::{Lab, args, ensure};
use crate::judges::order::say;
use crate::{judges::truth, shell};

/// Files at first; there are more and more of them.
const FILES: usize = 120;
/// Bytes of a file that is written anew each time: copying it takes several steps.
const LARGE: usize = 3 << 19;
/// After so many rounds a clone is made from nothing beside the other, and the user clears the orphans away.
const FRESH: u32 = 50;
/// Runs that are not killed: they tell how long one takes.
const UNKILLED: u32 = 7;
/// After so many rounds another kind stands in.
const SAME_KIND: u32 = 8;

/// On another file system copies have blocks of their own; in another subvolume they share them.
pub(crate) fn clone_fallback(lab: &Lab) -> Verdict {
    lab.memory("home")?;
    let far = lab.memory("memory")?;
    let mut patient = Patient::of(lab, FILES)?;
    // the rest is fewer: btrfs takes its time for each of them
    let last = lab.kills / 5 * 4;
    keep_right(&mut patient, &far.join("clone"), ["copy", "symlink"], 0..last)?;
    let btrfs = lab.image("memory/btrfs", 256, "btrfs-progs", &["mkfs.btrfs", "-q", "-f"])?;
    let near = btrfs.join("near");
    shell::output(Command::new("btrfs").args(["subvolume", "create"]).arg(&near))?;
    patient.move_source(btrfs.join("tree"))?;
    keep_right(
        &mut patient,
        &near.join("clone"),
        ["reflink", "copy"],
        last..lab.kills,
    )?;
    enough(&patient)
}

/// Kills a run of each round, and judges what there is then, and what the next run makes of it.
fn keep_right(
    patient: &mut Patient<'_>,
    clone: &Path,
    kinds: [&str; 2],
    rounds: std::ops::Range<u32>,
) -> Verdict {
    let source = patient.source.clone();
    let (mut serial, mut most_orphans) = (u64::from(rounds.start) << 32, 0);
    // how long runs of each kind take that are not killed, the very first left out
    let mut times = [Vec::new(), Vec::new()];
    let (mut before, mut had) = (contents(&source)?, BTreeSet::new());
    for round in rounds.start..rounds.end + UNKILLED {
        let killed = round - rounds.start >= UNKILLED;
        let other = if killed { round / SAME_KIND % 2 } else { round % 2 } as usize;
        let kind = kinds[other];
        let context = explain(patient.lab.seed, round, kind);
        let words = |clone: &Path| -> Vec<OsString> {
            args([&"clone", &"--json", &"--fallback", &kind, &source, &clone])
        };
        let mut overwritten = edit(&source, &mut patient.random, &mut serial).map_err(&context)?;
        overwritten.extend(rewrite_large(&source, &mut serial)?);
        let after = contents(&source)?;
        let was = untouched(&source, &after)?;
        let orphans = orphans(&before, &after, &overwritten, had);
        most_orphans = most_orphans.max(orphans.len());
        if killed {
            run(patient, words(clone), Some(median(times[other].clone()))).map_err(&context)?;
            examine(clone, &orphans).map_err(&context)?;
        }
        let time = run(patient, words(clone), None).map_err(&context)?;
        if !killed && round > rounds.start {
            times[other].push(time);
        }
        let seen = Seen::of(clone)?;
        had = seen.held();
        all_there(&orphans, &had).map_err(&context)?;
        seen.fits(&after, kind).map_err(&context)?;
        let again = patient
            .lab
            .polylink(words(clone))?
            .exits(&[0])
            .map_err(&context)?;
        for field in [
            "linked",
            "relinked",
            "removed",
            "fallbacks_made",
            "fallbacks_refreshed",
            "dirs_updated",
        ] {
            again.number(field, 0).map_err(&context)?;
        }
        if round % FRESH == 0 {
            ensure(Seen::of(clone)? == seen, || {
                "a run with nothing to do changed something".to_owned()
            })
            .map_err(&context)?;
            let fresh = clone.with_file_name("fresh");
            run(patient, words(&fresh), None).map_err(&context)?;
            let beyond = seen.beyond(&Seen::of(&fresh)?).map_err(&context)?;
            for name in beyond {
                fs::remove_file(clone.join(name))?;
            }
            had = copies(clone)?;
            fs::remove_dir_all(&fresh)?;
            fs::remove_file(fresh.with_file_name(".fresh.polylink"))?;
        }
        ensure(untouched(&source, &after)? == was, || {
            "the source changed".to_owned()
        })
        .map_err(&context)?;
        before = after;
    }
    patient.tell(median(times.concat()));
    say!("    {most_orphans} copies at most were the last of their data");
    ensure(most_orphans > 0 || patient.lab.kills < 100, || {
        "no copy was ever the last of its data".to_owned()
    })
}

/// Writes the large file anew, in place or as a new one; what it held, where that is gone.
fn rewrite_large(source: &Path, serial: &mut u64) -> Verdict<Option<String>> {
    *serial += 1;
    let (path, new) = (source.join("large.bin"), source.join("large.new"));
    let held = fs::read_to_string(&path).ok();
    let content = text("later", *serial, LARGE);
    if serial.is_multiple_of(2) {
        fs::write(&path, content)?;
    } else {
        fs::write(&new, content)?;
        fs::rename(&new, &path)?;
    }
    Ok(held)
}

/// The files of a tree and when anything of them was last changed.
fn untouched(source: &Path, tree: &super::Tree) -> Verdict<Vec<(u64, i64, i64)>> {
    let mut files = Vec::new();
    for name in tree.keys() {
        let meta = fs::symlink_metadata(source.join(name))?;
        files.push((meta.ino(), meta.ctime(), meta.ctime_nsec()));
    }
    Ok(files)
}

/// What holds at every instant: each file that has its name is whole, and what was the last of its data is there.
fn examine(clone: &Path, orphans: &BTreeSet<String>) -> Verdict {
    let mut held = BTreeSet::new();
    if clone.exists() {
        for (name, content) in contents(clone)? {
            if is_ours(&name) {
                continue;
            }
            ensure(is_whole(&content), || {
                format!("{} is half a file", name.display())
            })?;
            held.insert(content);
        }
    }
    all_there(orphans, &held)
}

fn all_there(orphans: &BTreeSet<String>, held: &BTreeSet<String>) -> Verdict {
    let lost: Vec<_> = orphans.difference(held).collect();
    ensure(lost.is_empty(), || {
        format!("copies that were the last of their data are gone: {lost:?}")
    })
}

/// Whether a name is one that only a run in progress has.
fn is_ours(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with(".polylink"))
}

/// An entry of a clone.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Entry {
    Dir {
        mode: u32,
        modified: (i64, i64),
    },
    File {
        mode: u32,
        modified: (i64, i64),
        links: u64,
        content: String,
    },
    Symlink {
        target: PathBuf,
    },
}

/// Everything below a clone, by path.
#[derive(PartialEq, Eq)]
struct Seen(BTreeMap<PathBuf, Entry>);

impl Seen {
    fn of(dir: &Path) -> Verdict<Self> {
        let mut found = BTreeMap::new();
        for entry in truth::entries(&[dir])? {
            let meta = fs::symlink_metadata(&entry.path)?;
            let (mode, modified) = (meta.mode(), (meta.mtime(), meta.mtime_nsec()));
            let seen = if meta.is_dir() {
                Entry::Dir { mode, modified }
            } else if meta.is_symlink() {
                Entry::Symlink {
                    target: fs::read_link(&entry.path)?,
                }
            } else {
                let content = fs::read_to_string(&entry.path)?;
                Entry::File {
                    mode,
                    modified,
                    links: meta.nlink(),
                    content,
                }
            };
            found.insert(
                entry.path.strip_prefix(dir).unwrap_or(&entry.path).to_path_buf(),
                seen,
            );
        }
        Ok(Self(found))
    }

    /// What the files hold.
    fn held(&self) -> BTreeSet<String> {
        let files = self.0.values().filter_map(|entry| match entry {
            Entry::File { content, .. } => Some(content.clone()),
            Entry::Dir { .. } | Entry::Symlink { .. } => None,
        });
        files.collect()
    }

    /// Judges that each file of the source has its counterpart, of the right kind, and that what there is besides is the
    /// last of its data.
    fn fits(&self, source: &super::Tree, kind: &str) -> Verdict {
        for (name, content) in source {
            let right = match self.0.get(name) {
                Some(Entry::File {
                    links: 1,
                    content: held,
                    ..
                }) => kind != "symlink" && held == content,
                Some(Entry::Symlink { target }) => {
                    kind == "symlink" && fs::read_to_string(target)? == *content
                }
                _ => false,
            };
            ensure(right, || format!("{} is not as in the source", name.display()))?;
        }
        let held: BTreeSet<&String> = source.values().collect();
        for (name, entry) in self.0.iter().filter(|(name, _)| !source.contains_key(*name)) {
            let right = match entry {
                Entry::Dir { .. } => true,
                Entry::File { content, .. } => !is_ours(name) && !held.contains(content),
                Entry::Symlink { .. } => false,
            };
            ensure(right, || format!("{} has no business there", name.display()))?;
        }
        Ok(())
    }

    /// Judges that everything is as in a clone made from nothing; the files that are not in that one.
    fn beyond(&self, fresh: &Self) -> Verdict<Vec<PathBuf>> {
        for (name, entry) in &fresh.0 {
            let ours = self.0.get(name);
            ensure(ours == Some(entry), || {
                format!("{} is {ours:?}, in a fresh clone {entry:?}", name.display())
            })?;
        }
        let beyond = self.0.iter().filter(|(name, _)| !fresh.0.contains_key(*name));
        Ok(beyond
            .filter(|(_, entry)| matches!(entry, Entry::File { .. }))
            .map(|(name, _)| name.clone())
            .collect())
    }
}
