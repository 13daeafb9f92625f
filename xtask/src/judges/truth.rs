//! What is on the disk, as `find` says, and how polylink's answers compare.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::lab::{Lab, args, ensure};
use super::{Stop, Verdict};
use crate::shell;

/// One directory entry, as `find -printf` tells it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) path: PathBuf,
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) kind: u8,
    pub(crate) links: u64,
    pub(crate) size: u64,
    pub(crate) blocks: u64,
}

impl Entry {
    pub(crate) fn is_file(&self) -> bool {
        self.kind == b'f'
    }

    pub(crate) fn id(&self) -> (u64, u64) {
        (self.device, self.inode)
    }
}

/// Every entry below the paths, the paths themselves included; other file systems are not crossed.
pub(crate) fn entries(paths: &[&Path]) -> Verdict<Vec<Entry>> {
    let mut command = Command::new("find");
    command
        .args(paths)
        .args(["-xdev", "-printf", "%D %i %y %n %s %b %p\\0"]);
    let output = shell::output(&mut command)?;
    let mut found = Vec::new();
    for record in output
        .split(|&byte| byte == 0)
        .filter(|record| !record.is_empty())
    {
        let mut parts = record.splitn(7, |&byte| byte == b' ');
        let mut next = || parts.next().unwrap_or_default();
        let number = |bytes: &[u8]| {
            std::str::from_utf8(bytes)
                .ok()
                .and_then(|text| text.parse::<u64>().ok())
        };
        let (device, inode, kind) = (number(next()), number(next()), next().first().copied());
        let (links, size, blocks, path) = (number(next()), number(next()), number(next()), next());
        let (Some(device), Some(inode), Some(kind), Some(links), Some(size), Some(blocks)) =
            (device, inode, kind, links, size, blocks)
        else {
            return Err(Stop::Failed(format!(
                "  find printed `{}`",
                String::from_utf8_lossy(record)
            )));
        };
        let path = PathBuf::from(OsStr::from_bytes(path));
        found.push(Entry {
            path,
            device,
            inode,
            kind,
            links,
            size,
            blocks,
        });
    }
    Ok(found)
}

/// The regular files of one directory: name to inode number.
pub(crate) fn listing(dir: &Path) -> Verdict<BTreeMap<PathBuf, u64>> {
    let mut names = BTreeMap::new();
    for entry in entries(&[dir])? {
        if entry.is_file() {
            names.insert(
                entry.path.strip_prefix(dir).unwrap_or(&entry.path).to_path_buf(),
                entry.inode,
            );
        }
    }
    Ok(names)
}

/// Makes a YEAR/MONTH tree of `count` small files, a few of which have the same name in different folders.
pub(crate) fn year_tree(root: &Path, count: usize) -> Verdict {
    for at in 0..count {
        let dir = root.join(format!("{}/{:02}", 2001 + at % 5, 1 + at / 5 % 12));
        fs::create_dir_all(&dir)?;
        let name = if at % 10 == 0 {
            format!("title{}.jpg", at % 70)
        } else {
            format!("img_{at:05}.jpg")
        };
        let path = dir.join(name);
        let path = if path.exists() {
            dir.join(format!("again_{at}.jpg"))
        } else {
            path
        };
        fs::write(path, format!("{at} ").repeat(1 + at % 900))?;
    }
    Ok(())
}

/// Adds what real trees also hold: strange names, several names of one file, a symlink, a pipe, an empty folder.
pub(crate) fn oddities(root: &Path) -> Verdict {
    let dir = root.join("odd");
    fs::create_dir_all(dir.join("empty"))?;
    let names: [&[u8]; 6] = [
        b"new\nline",
        b"tab\tand \x1b[31mcolour",
        b"latin-\xe9\xff.txt",
        b" leading",
        b"-n",
        &[b'l'; 255],
    ];
    for name in names {
        fs::write(dir.join(OsStr::from_bytes(name)), name)?;
    }
    fs::write(dir.join("three"), "three names")?;
    fs::hard_link(dir.join("three"), dir.join("three-again"))?;
    fs::hard_link(dir.join("three"), root.join("three.elsewhere"))?;
    symlink("three", dir.join("symlink"))?;
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        dir.join("pipe"),
        rustix::fs::Mode::from_raw_mode(0o600),
    )?;
    Ok(())
}

/// Judges that a view holds each file of the sources exactly once and nothing but names of them.
pub(crate) fn view_is_right(sources: &[&Path], view: &Path) -> Verdict<BTreeMap<PathBuf, u64>> {
    let wanted: BTreeSet<u64> = entries(sources)?
        .iter()
        .filter(|e| e.is_file())
        .map(|e| e.inode)
        .collect();
    let names = listing(view)?;
    let held: BTreeSet<u64> = names.values().copied().collect();
    let missing: Vec<_> = wanted.difference(&held).collect();
    let beyond: Vec<_> = names
        .iter()
        .filter(|(_, inode)| !wanted.contains(inode))
        .collect();
    ensure(missing.is_empty(), || {
        format!("files without a name in the view, by inode: {missing:?}")
    })?;
    ensure(beyond.is_empty(), || {
        format!("names in the view of no source file: {beyond:?}")
    })?;
    ensure(names.len() == held.len(), || {
        format!(
            "{} names for {} files: some file has two names in the view",
            names.len(),
            held.len()
        )
    })?;
    nothing_left_behind(view)?;
    Ok(names)
}

/// Judges that no temporary name is in the view and nothing but the ledger beside it.
pub(crate) fn nothing_left_behind(view: &Path) -> Verdict {
    for entry in fs::read_dir(view)? {
        let name = entry?.file_name();
        let text = name.to_string_lossy();
        let ours = text.starts_with(".polylink") || text.ends_with(".tmp");
        ensure(!ours, || format!("a temporary name stays in the view: {text}"))?;
    }
    let Some(parent) = view.parent() else {
        return Ok(());
    };
    for entry in fs::read_dir(parent)? {
        let name = entry?.file_name();
        let text = name.to_string_lossy();
        let view_of_ledger = text
            .strip_prefix('.')
            .and_then(|rest| rest.strip_suffix(".polylink"));
        let is_ledger = view_of_ledger.is_some_and(|view| parent.join(view).is_dir());
        let ours = text.starts_with('.') && text.contains("polylink") && !is_ledger;
        ensure(!ours, || format!("something stays beside the view: {text}"))?;
    }
    Ok(())
}

/// Judges a view from its dry run to an update with nothing to do; returns how many files it holds.
pub(crate) fn view_and_update(lab: &Lab, source: &Path, view: &Path) -> Verdict<u64> {
    let files: BTreeSet<_> = entries(&[source])?
        .into_iter()
        .filter(Entry::is_file)
        .map(|e| e.id())
        .collect();
    let count = files.len() as u64;

    let before = entries(&[source])?;
    let dry = lab
        .polylink(args([&"flat", &"--json", &"--dry-run", &source, &view]))?
        .exits(&[0])?;
    dry.number("linked", count)?;
    ensure(!view.exists() || listing(view)?.is_empty(), || {
        "a dry run made names".to_owned()
    })?;
    ensure(entries(&[source])? == before, || {
        "a dry run changed the source".to_owned()
    })?;

    let first = lab
        .polylink(args([&"flat", &"--json", &source, &view]))?
        .exits(&[0])?;
    first.number("linked", count)?;
    first.number("failed", 0)?;
    first.number("view_names", count)?;
    let names = view_is_right(&[source], view)?;

    let second = lab
        .polylink(args([&"flat", &"--json", &source, &view]))?
        .exits(&[0])?;
    for field in [
        "linked", "relinked", "renamed", "removed", "orphans", "foreign", "failed",
    ] {
        second.number(field, 0)?;
    }
    second.number("kept", count)?;
    let again = view_is_right(&[source], view)?;
    ensure(names == again, || {
        "an update with nothing to do changed names".to_owned()
    })?;

    // One name fewer, one file more, one saved by rename: the names of all others stay.
    let Some(gone) = before.iter().find(|e| e.is_file() && e.links == 1) else {
        return Ok(count);
    };
    let saved = before.iter().filter(|e| e.is_file() && e.links == 1).nth(1);
    fs::remove_file(&gone.path)?;
    fs::write(source.join("one more.jpg"), "one more")?;
    if let Some(saved) = saved {
        let temporary = saved.path.with_file_name("saving");
        fs::write(&temporary, "saved by rename")?;
        fs::rename(&temporary, &saved.path)?;
    }
    let third = lab
        .polylink(args([&"flat", &"--json", &source, &view]))?
        .exits(&[0])?;
    third.number("linked", 1)?;
    third.number("relinked", u64::from(saved.is_some()))?;
    let orphans = third.json()?["orphans"].as_u64();
    ensure(orphans.is_some_and(|count| count >= 1), || {
        format!("no orphan is reported: {}", third.text())
    })?;
    let after = listing(view)?;
    for lost in [Some(gone), saved].into_iter().flatten() {
        ensure(after.values().any(|&inode| inode == lost.inode), || {
            format!(
                "the view held the last name of {}, and the file is gone",
                lost.path.display()
            )
        })?;
    }
    let changed = names
        .iter()
        .filter(|(name, inode)| after.get(*name) != Some(inode))
        .count();
    ensure(changed <= 1, || {
        format!("{changed} names of the view changed, 1 was expected")
    })?;
    Ok(count)
}

/// The figures of `usage` for one set of entries.
#[derive(Debug, Default, PartialEq, Eq)]
struct Figures {
    names: u64,
    files: u64,
    logical_bytes: u64,
    disk_bytes: u64,
    exclusive_bytes: u64,
    shared_bytes: u64,
    outside_names: u64,
    directories: u64,
    directory_bytes: u64,
    other: u64,
}

/// How many names of each file were scanned.
fn names_of_files(entries: &[Entry]) -> BTreeMap<(u64, u64), u64> {
    let mut names = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.is_file()) {
        *names.entry(entry.id()).or_insert(0) += 1;
    }
    names
}

/// Counts a set of entries by hand; each directory entry is there once, and `scanned` tells of all that was scanned.
fn count<'a>(entries: impl Iterator<Item = &'a Entry>, scanned: &BTreeMap<(u64, u64), u64>) -> Figures {
    let mut figures = Figures::default();
    let mut seen: BTreeMap<(u64, u64), (u64, &Entry)> = BTreeMap::new();
    for entry in entries {
        match entry.kind {
            b'f' => {
                figures.names += 1;
                figures.logical_bytes += entry.size;
                seen.entry(entry.id()).or_insert((0, entry)).0 += 1;
            }
            b'd' => {
                figures.directories += 1;
                figures.directory_bytes += entry.blocks * 512;
            }
            _ => figures.other += 1,
        }
    }
    figures.files = seen.len() as u64;
    for (id, (names, entry)) in &seen {
        let bytes = entry.blocks * 512;
        figures.disk_bytes += bytes;
        *(if *names == entry.links {
            &mut figures.exclusive_bytes
        } else {
            &mut figures.shared_bytes
        }) += bytes;
        figures.outside_names += entry.links - scanned.get(id).copied().unwrap_or(0);
    }
    figures
}

fn told(value: &Value) -> Verdict<Figures> {
    let get = |field: &str| {
        value[field]
            .as_u64()
            .ok_or_else(|| Stop::Failed(format!("  usage --json has no number `{field}`: {value}")))
    };
    Ok(Figures {
        names: get("names")?,
        files: get("files")?,
        logical_bytes: get("logical_bytes")?,
        disk_bytes: get("disk_bytes")?,
        exclusive_bytes: get("exclusive_bytes")?,
        shared_bytes: get("shared_bytes")?,
        outside_names: get("outside_names")?,
        directories: get("directories")?,
        directory_bytes: get("directory_bytes")?,
        other: get("other")?,
    })
}

/// A path of the JSON output: a string, or the hex of its bytes.
pub(crate) fn path_of(value: &Value) -> Option<PathBuf> {
    if let Some(text) = value.as_str() {
        return Some(PathBuf::from(text));
    }
    let hex = value["hex"].as_str()?;
    let digits: Option<Vec<u8>> = (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok())
        .collect();
    Some(PathBuf::from(OsStr::from_bytes(&digits?)))
}

/// Judges `usage` of the paths, which must not overlap, by a count over what `find` prints.
pub(crate) fn usage_agrees(lab: &Lab, paths: &[&Path]) -> Verdict {
    let entries = entries(paths)?;
    let mut words = args([&"usage", &"--json", &"--depth", &"3"]);
    words.extend(paths.iter().map(|path| path.as_os_str().to_os_string()));
    let run = lab.polylink(&words)?.exits(&[0])?;
    let json = run.json()?;
    ensure(json["complete"] == true, || {
        format!("usage says it is not complete: {}", run.text())
    })?;
    let total = told(&json["total"])?;
    let scanned = names_of_files(&entries);
    let expected = count(entries.iter(), &scanned);
    ensure(total == expected, || {
        format!("usage's total differs from find's\n    find: {expected:?}\n    ours: {total:?}")
    })?;

    let directories = json["directories"].as_array().cloned().unwrap_or_default();
    ensure(directories.len() >= paths.len(), || {
        format!("usage tells {} directories", directories.len())
    })?;
    for directory in &directories {
        let Some(path) = path_of(&directory["path"]) else {
            return Err(Stop::Failed(format!("  a directory without a path: {directory}")));
        };
        let expected = count(
            entries.iter().filter(|entry| entry.path.starts_with(&path)),
            &scanned,
        );
        let ours = told(directory)?;
        ensure(ours == expected, || {
            format!(
                "usage of {} differs from find's\n    find: {expected:?}\n    ours: {ours:?}",
                path.display()
            )
        })?;
    }

    let mut turned = args([&"usage", &"--json", &"--depth", &"3"]);
    turned.extend(paths.iter().rev().map(|path| path.as_os_str().to_os_string()));
    turned.extend(paths.first().map(|path| path.as_os_str().to_os_string()));
    // A folder inside one that is scanned already counts no second time.
    let inner = entries.iter().filter(|entry| entry.kind == b'd').nth(1);
    turned.extend(inner.map(|entry| entry.path.as_os_str().to_os_string()));
    let again = lab.polylink(&turned)?.exits(&[0])?.json()?;
    let same = told(&again["total"])? == expected;
    ensure(same, || {
        format!("usage's total depends on the order or overlap of its arguments: {again}")
    })
}
