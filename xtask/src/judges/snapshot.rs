//! Snapshots against `rsync -aH --link-dest`: equal trees, and as many files shared.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Verdict;
use super::kill::{Random, edit};
use super::lab::{Lab, args, ensure, needs};
use crate::judges::order::say;
use crate::shell;

/// Trees, and snapshots of each.
const TREES: u64 = 4;
const ROUNDS: usize = 12;

/// All of a name that must be alike; files that are one have one number.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    mode: u32,
    modified: (i64, i64),
    owner: (u32, u32),
    size: u64,
    content: Vec<u8>,
    group: usize,
}

struct Tree {
    seen: BTreeMap<PathBuf, Seen>,
    inodes: BTreeMap<PathBuf, u64>,
}

fn read(root: &Path) -> Verdict<Tree> {
    let mut tree = Tree {
        seen: BTreeMap::new(),
        inodes: BTreeMap::new(),
    };
    let mut groups = BTreeMap::new();
    let mut dirs = vec![PathBuf::new()];
    let mut names: BTreeSet<PathBuf> = BTreeSet::new();
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(root.join(&dir))? {
            let entry = entry?;
            let path = dir.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                dirs.push(path.clone());
            }
            names.insert(path);
        }
    }
    names.insert(PathBuf::new());
    for path in names {
        let whole = root.join(&path);
        let meta = fs::symlink_metadata(&whole)?;
        let next = groups.len();
        let group = *groups.entry(meta.ino()).or_insert(next);
        let content = if meta.is_file() {
            fs::read(&whole)?
        } else if meta.is_symlink() {
            fs::read_link(&whole)?.into_os_string().into_encoded_bytes()
        } else {
            Vec::new()
        };
        if !meta.is_dir() {
            tree.inodes.insert(path.clone(), meta.ino());
        }
        let seen = Seen {
            mode: meta.mode(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            owner: (meta.uid(), meta.gid()),
            size: if meta.is_dir() { 0 } else { meta.size() },
            content,
            group,
        };
        tree.seen.insert(path, seen);
    }
    Ok(tree)
}

/// Files that are those of the snapshot before, at whatever path.
fn shared(before: &Tree, now: &Tree) -> usize {
    let old: BTreeSet<u64> = before.inodes.values().copied().collect();
    let new: BTreeSet<u64> = now.inodes.values().copied().collect();
    old.intersection(&new).count()
}

/// What `edit` does not do: symbolic links, permissions, owners, folders.
fn more(root: &Path, random: &mut Random, round: usize) -> Verdict {
    let files: Vec<PathBuf> = super::truth::listing(root)?.into_keys().collect();
    for _ in 0..4 {
        let path = root.join(&files[random.below(files.len())]);
        match random.below(4) {
            0 => {
                let mode = if random.below(2) == 0 { 0o600 } else { 0o644 };
                fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
            }
            1 => std::os::unix::fs::lchown(&path, Some(random.below(3) as u32), None)?,
            2 => {
                let link = path.with_extension(format!("link{round}"));
                if fs::symlink_metadata(&link).is_err() {
                    symlink(format!("to/{round}"), link)?;
                }
            }
            _ => fs::create_dir_all(root.join(format!("empty/{}", random.below(6))))?,
        }
    }
    Ok(())
}

pub(crate) fn rsync(lab: &Lab) -> Verdict {
    needs("rsync", "rsync")?;
    let mut files = 0;
    for tree in 0..TREES {
        let home = lab.folder(&format!("tree{tree}"))?;
        let (source, ours, theirs) = (home.join("s"), home.join("ours"), home.join("theirs"));
        fs::create_dir_all(&source)?;
        fs::create_dir_all(&theirs)?;
        let mut random = Random::new(lab.seed.wrapping_add(tree));
        let mut serial = tree * 1_000_000;
        for at in 0..220 {
            let dir = source.join(format!("{}/{:02}", 2001 + at % 5, 1 + at / 5 % 12));
            fs::create_dir_all(&dir)?;
            fs::write(dir.join(format!("first_{at}.jpg")), format!("first {at}"))?;
        }
        let mut before: Option<(Tree, Tree)> = None;
        for round in 0..ROUNDS {
            edit(&source, &mut random, &mut serial)?;
            more(&source, &mut random, round)?;
            let name = format!("{round:03}");
            let words = args([&"snapshot", &"--name", &name.as_str(), &source, &ours]);
            lab.polylink(words)?.exits(&[0])?;
            let mut command = Command::new("rsync");
            // nanoseconds count
            command.args(["-aH", "--modify-window=-1"]);
            if round > 0 {
                command.arg(format!("--link-dest=../{:03}", round - 1));
            }
            let mut from = source.clone().into_os_string();
            from.push("/");
            shell::output(command.arg(from).arg(theirs.join(&name)))?;
            let now = (read(&ours.join(&name))?, read(&theirs.join(&name))?);
            let where_ = || format!("tree {tree}, round {round}, --seed {}", lab.seed);
            let live = read(&source)?;
            for (path, seen) in &live.seen {
                for (who, tree) in [("ours", &now.0), ("rsync's", &now.1)] {
                    ensure(tree.seen.get(path) == Some(seen), || {
                        format!(
                            "{}: {who} {} is {:?}, not {seen:?}",
                            where_(),
                            path.display(),
                            tree.seen.get(path)
                        )
                    })?;
                }
            }
            let counts = (live.seen.len(), now.0.seen.len(), now.1.seen.len());
            ensure(counts.0 == counts.1 && counts.0 == counts.2, || {
                format!("{}: names in source, ours, rsync's: {counts:?}", where_())
            })?;
            if let Some((ours, theirs)) = &before {
                let counts = (shared(ours, &now.0), shared(theirs, &now.1));
                ensure(counts.0 == counts.1, || {
                    format!(
                        "{}: files shared with the last snapshot, ours and rsync's: {counts:?}",
                        where_()
                    )
                })?;
                files += counts.0;
            }
            before = Some(now);
        }
    }
    say!(
        "    {TREES} trees, {ROUNDS} snapshots each, {files} times a file shared, --seed {}",
        lab.seed
    );
    Ok(())
}
