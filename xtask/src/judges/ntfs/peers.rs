//! What others say of a volume, name by name, and where polylink says something else.
//!
//! A difference has a reason that is known here, and is counted by it, or it is an error. Which files a reason is for is
//! decided by what they are, never by their names alone.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::lab::{Lab, args, needs};
use super::super::truth::{self, Entry};
use super::super::{Stop, Verdict};
use super::listed;
use crate::judges::order::say;
use crate::shell;

/// One name as polylink lists it.
#[derive(Clone, Debug)]
pub(super) struct Ours {
    pub(super) record: u64,
    pub(super) kind: String,
    pub(super) links: u64,
    pub(super) raw_links: u64,
    pub(super) size: u64,
    allocated: u64,
}

pub(super) type Names = BTreeMap<PathBuf, Ours>;

/// Every name of a volume.
pub(super) fn ours(lab: &Lab, image: &Path) -> Verdict<Names> {
    let entries = listed(lab, image)?.into_iter();
    entries
        .map(|(path, entry)| {
            let number = |field: &str| entry[field].as_u64();
            let record = entry["file_id"]
                .as_str()
                .and_then(|id| id.split('-').next()?.parse().ok());
            let read = || {
                Some(Ours {
                    record: record?,
                    kind: entry["kind"].as_str()?.to_owned(),
                    links: number("links")?,
                    raw_links: number("raw_links")?,
                    size: number("size")?,
                    allocated: number("allocated")?,
                })
            };
            let ours =
                read().ok_or_else(|| Stop::Failed(format!("  an entry that lacks something: {entry}")))?;
            Ok((path, ours))
        })
        .collect()
}

/// The differences from one peer.
#[derive(Debug, Default)]
pub(super) struct Differences {
    /// How many names, by reason.
    known: BTreeMap<&'static str, u64>,
    unknown: Vec<String>,
}

impl Differences {
    pub(super) fn explain(&mut self, reason: &'static str) {
        *self.known.entry(reason).or_default() += 1;
    }

    pub(super) fn add(&mut self, line: String) {
        self.unknown.push(line);
    }

    /// Takes in those of one of several volumes.
    pub(super) fn take(&mut self, other: Self, volume: &str) {
        for (reason, count) in other.known {
            *self.known.entry(reason).or_default() += count;
        }
        let lines = other.unknown.into_iter();
        self.unknown.extend(lines.map(|line| format!("{volume}: {line}")));
    }

    /// Prints what agrees and what is explained, and fails with the rest.
    pub(super) fn close(self, peer: &str, what: &str, compared: usize) -> Verdict {
        say!(
            "    {peer}: {what} of {compared} names compared, {} differ without a reason",
            self.unknown.len()
        );
        for (reason, count) in &self.known {
            say!("        {count} differ: {reason}");
        }
        if self.unknown.is_empty() {
            return Ok(());
        }
        let more = self.unknown.len().saturating_sub(30);
        let mut lines = self.unknown;
        lines.truncate(30);
        if more > 0 {
            lines.push(format!("and {more} more"));
        }
        Err(Stop::Failed(format!(
            "  {peer} and polylink differ:\n  {}",
            lines.join("\n  ")
        )))
    }
}

/// What [`from_ntfs_3g`] compares.
pub(super) const BY_NTFS_3G: &str = "path, kind, id, size, links and allocated bytes";
/// What [`from_sleuth_kit`] compares.
pub(super) const BY_SLEUTH_KIT: &str = "path, id, size and links";

/// Holds a volume against ntfs-3g's mount of it.
pub(super) fn ntfs_3g(ours: &Names, point: &Path) -> Verdict {
    from_ntfs_3g(ours, point)?.close("ntfs-3g", BY_NTFS_3G, ours.len())
}

/// ntfs-3g's mount: paths, kinds, ids, sizes, link counts, allocated bytes.
pub(super) fn from_ntfs_3g(ours: &Names, point: &Path) -> Verdict<Differences> {
    let mut differences = Differences::default();
    let theirs = truth::entries(&[point])?;
    let mut seen = BTreeSet::new();
    for entry in theirs.iter().filter(|entry| entry.path != point) {
        let path = Path::new("/").join(entry.path.strip_prefix(point).unwrap_or(&entry.path));
        match ours.get(&path) {
            Some(found) => by_ntfs_3g(&path, found, entry, &mut differences),
            None => differences.add(format!("'{}' is not listed", path.display())),
        }
        seen.insert(path);
    }
    for path in ours.keys().filter(|path| !seen.contains(*path)) {
        differences.add(format!("'{}' is not in the mount", path.display()));
    }
    Ok(differences)
}

fn by_ntfs_3g(path: &Path, found: &Ours, entry: &Entry, differences: &mut Differences) {
    let mut wrong = Vec::new();
    let is_directory = entry.kind == b'd';
    // its own symbolic links and devices are system files to everybody else
    let interix = !matches!(entry.kind, b'd' | b'f') && found.kind == "file";
    let kind = match entry.kind {
        b'd' => "directory",
        b'l' if !interix => "symlink",
        _ => "file",
    };
    if found.kind != kind {
        wrong.push("kind");
    }
    if found.record != entry.inode {
        wrong.push("id");
    }
    if is_directory {
        if entry.links != found.links {
            wrong.push("links");
        }
    } else if entry.links != found.raw_links {
        wrong.push("raw links");
    } else if found.links != found.raw_links {
        differences.explain(
            "ntfs-3g counts an 8.3 name as a link; polylink's `raw_links` does, its `links` does not",
        );
    }
    let allocated = entry.blocks * 512;
    if is_directory {
        if (entry.size, allocated) != (found.size, found.allocated) {
            differences.explain(
                "ntfs-3g gives a directory the size of its index; polylink counts it as allocated only",
            );
        }
    } else if interix {
        differences.explain("a symbolic link or device of ntfs-3g's own is a system file on the volume");
    } else if kind == "symlink" {
        differences
            .explain("ntfs-3g gives a link the length of its target; polylink that of the (empty) content");
    } else {
        if found.size != entry.size {
            wrong.push("size");
        }
        let resident = found.allocated == 0 && entry.blocks == entry.size.div_ceil(512);
        if resident && entry.size > 0 {
            differences.explain(
                "ntfs-3g counts sectors for content that lies in the record, where none are allocated",
            );
        } else if found.allocated != allocated {
            wrong.push("allocated");
        }
    }
    if !wrong.is_empty() {
        let wrong = wrong.join(", ");
        differences.add(format!(
            "{wrong} of '{}': ntfs-3g has {entry:?}, polylink {found:?}",
            path.display()
        ));
    }
}

/// What The Sleuth Kit says of one name, or of one stream of a file.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    /// Record, type and number of the attribute, as `icat` takes them.
    pub(super) address: String,
    record: u64,
    size: u64,
}

/// What `fls` lists, by path as it prints it.
pub(super) type Fls = BTreeMap<Vec<u8>, Vec<Listed>>;

/// Files of the volume itself, which neither side lists. Records from 16 to 23 are kept free by those who format, but
/// Windows takes them for files where it repairs a volume.
const FIRST_USER: u64 = 16;

/// The list of `fls`: its form of each path, and what it says of it; names whose form is the same stand together.
pub(super) fn fls(image: &Path) -> Verdict<Fls> {
    let program = needs("fls", "sleuthkit")?;
    let mut command = Command::new(program);
    let text = shell::output(command.args(["-r", "-p", "-u", "-l", "-f", "ntfs"]).arg(image))?;
    let mut names: BTreeMap<Vec<u8>, Vec<Listed>> = BTreeMap::new();
    for line in text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        // `r/r 64-128-1:`, path, four times, size, owner, group, separated by tabs
        let parts: Vec<&[u8]> = line.split(|&byte| byte == b'\t').collect();
        let told = || Stop::Failed(format!("  fls printed `{}`", String::from_utf8_lossy(line)));
        let [head, path, .., size, _, _] = parts[..] else {
            return Err(told());
        };
        let head = String::from_utf8_lossy(head);
        // what it finds of deleted files
        if head.contains('*') {
            continue;
        }
        let address = head
            .split_whitespace()
            .last()
            .unwrap_or_default()
            .trim_end_matches(':');
        let record = address.split('-').next().and_then(|record| record.parse().ok());
        let size = String::from_utf8_lossy(size).parse().ok();
        let (Some(record), Some(size)) = (record, size) else {
            return Err(told());
        };
        if record < FIRST_USER || path.starts_with(b"$Extend/") || path.starts_with(b"$OrphanFiles") {
            continue;
        }
        let listed = Listed {
            address: address.to_owned(),
            record,
            size,
        };
        names.entry([b"/", path].concat()).or_default().push(listed);
    }
    Ok(names)
}

/// Link counts and sizes by record, as `ils` has them.
fn ils(image: &Path) -> Verdict<BTreeMap<u64, (u64, u64)>> {
    let program = needs("ils", "sleuthkit")?;
    let mut command = Command::new(program);
    let text = shell::output(command.args(["-e", "-f", "ntfs"]).arg(image))?;
    let text = String::from_utf8_lossy(&text);
    let mut rows = text.lines().skip_while(|line| !line.starts_with("st_ino|"));
    let columns: Vec<&str> = rows.next().unwrap_or_default().split('|').collect();
    let column = |name: &str| {
        columns
            .iter()
            .position(|column| *column == name)
            .ok_or_else(|| Stop::Failed(format!("  ils has no column {name}")))
    };
    let (record, links, size) = (column("st_ino")?, column("st_nlink")?, column("st_size")?);
    let mut found = BTreeMap::new();
    for row in rows {
        let fields: Vec<&str> = row.split('|').collect();
        let number = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
        if let (Some(record), Some(links), Some(size)) = (number(record), number(links), number(size)) {
            found.insert(record, (links, size));
        }
    }
    Ok(found)
}

/// A path as `fls` prints it: `^` for control characters, and for a unit that is half a character, a first half together
/// with the unit behind it.
fn as_fls_prints(path: &Path) -> Vec<u8> {
    let bytes = path.as_os_str().as_bytes();
    let mut printed = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        // halves in WTF-8
        let (shown, len) = match (byte, bytes.get(at + 1)) {
            (0xED, Some(0xA0..0xB0)) => (b'^', 4),
            (0xED, Some(0xB0..)) => (b'^', 3),
            (..0x20, _) => (b'^', 1),
            _ => (byte, 1),
        };
        printed.push(shown);
        at += len;
    }
    printed
}

/// It goes no deeper.
const FLS_DEPTH: usize = 128;
/// Bytes to which it cuts a name that it has no room for.
const FLS_CUT: usize = 256;

/// Holds a volume against what The Sleuth Kit says of it.
pub(super) fn sleuth_kit(ours: &Names, listed: &Fls, image: &Path) -> Verdict {
    from_sleuth_kit(ours, listed, image)?.close("The Sleuth Kit", BY_SLEUTH_KIT, ours.len())
}

/// The Sleuth Kit: paths, record numbers and sizes by `fls`, link counts and again sizes by `ils`.
pub(super) fn from_sleuth_kit(ours: &Names, listed: &Fls, image: &Path) -> Verdict<Differences> {
    let mut differences = Differences::default();
    let inodes = ils(image)?;
    let volume = fs::metadata(image)?.len();
    let mut shown: BTreeMap<Vec<u8>, Vec<(&PathBuf, &Ours)>> = BTreeMap::new();
    for (path, found) in ours {
        let printed = as_fls_prints(path);
        if printed != path.as_os_str().as_bytes() {
            differences.explain("fls prints `^` for control characters and halves of characters");
        }
        shown.entry(printed).or_default().push((path, found));
    }
    for (printed, names) in &shown {
        let theirs = listed.get(printed).map(Vec::as_slice).unwrap_or_default();
        for (path, found) in names {
            if found.kind == "file" && found.size > volume {
                differences.explain(
                    "The Sleuth Kit does not read a file that is longer, by its holes, than the volume",
                );
                continue;
            }
            let named = theirs.iter().find(|listed| listed.record == found.record);
            by_sleuth_kit(path, found, named, inodes.get(&found.record), &mut differences);
        }
    }
    for (printed, names) in listed {
        let is_stream = |record: u64| {
            let colon = printed.iter().rposition(|&byte| byte == b':');
            // those of a directory stand before its entries, and once more among them
            let file = colon.map(|colon| printed[..colon].strip_suffix(b"/.").unwrap_or(&printed[..colon]));
            let file = file.and_then(|file| shown.get(file));
            file.is_some_and(|file| file.iter().any(|(_, found)| found.record == record))
        };
        let own = shown.get(printed).map(Vec::as_slice).unwrap_or_default();
        for listed in names {
            let known = own.iter().any(|(_, found)| found.record == listed.record);
            let is_cut = || {
                let mut long = shown
                    .range(printed.clone()..)
                    .take_while(|(name, _)| name.starts_with(printed));
                printed.len() > FLS_CUT
                    && long.any(|(_, names)| names.iter().any(|(_, found)| found.record == listed.record))
            };
            let is_left_over = || {
                let slash = printed.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
                let parents = shown
                    .get(&printed[..slash])
                    .map(Vec::as_slice)
                    .unwrap_or_default();
                parents
                    .iter()
                    .any(|(_, parent)| has_no_block(image, parent.record))
            };
            if !known && is_cut() {
                differences.explain("fls lists a name of more than 512 bytes a second time, cut to 256");
            } else if !known && is_stream(listed.record) {
                differences.explain("fls lists a named stream as a name of its own");
            } else if !known && is_left_over() {
                differences.explain(
                    "fls lists what is left in a block of an index whose bitmap says that no block is in use",
                );
            } else if !known {
                let path = String::from_utf8_lossy(printed);
                differences.add(format!(
                    "'{path}' is record {} to fls, and not listed",
                    listed.record
                ));
            }
        }
    }
    Ok(differences)
}

/// Whether no block of a directory's index is in use, going by the index's own bitmap (`$BITMAP`, type 176).
fn has_no_block(image: &Path, directory: u64) -> bool {
    icat(image, &format!("{directory}-176"))
        .is_ok_and(|bitmap| !bitmap.is_empty() && bitmap.iter().all(|&byte| byte == 0))
}

fn by_sleuth_kit(
    path: &Path,
    found: &Ours,
    listed: Option<&Listed>,
    inode: Option<&(u64, u64)>,
    differences: &mut Differences,
) {
    let is_file = found.kind == "file";
    let told = || format!("'{}' (polylink: {found:?})", path.display());
    match listed {
        None if path.components().count() > FLS_DEPTH => {
            differences.explain("fls goes down 128 directories and no further");
        }
        None => differences.add(format!("fls does not list {}", told())),
        Some(listed) if is_file && listed.size != found.size => {
            differences.add(format!("fls has {listed:?} for {}", told()));
        }
        Some(_) => {}
    }
    match inode {
        Some((links, _)) if *links != found.raw_links => {
            differences.add(format!("ils has {links} links for {}", told()));
        }
        Some((_, size)) if is_file && *size != found.size => {
            differences.add(format!("ils has {size} bytes for {}", told()));
        }
        Some(_) if found.links != found.raw_links => {
            differences.explain("ils counts 8.3 names as well, as the record does: polylink's `raw_links`");
        }
        Some(_) => {}
        None => differences.add(format!("ils does not have {}", told())),
    }
}

/// Content by `polylink ntfs cat`, of a file or of a stream (`PATH:STREAM`).
pub(super) fn content(lab: &Lab, image: &Path, path: &OsStr) -> Verdict<Vec<u8>> {
    let words: Vec<OsString> = args([&"ntfs", &"cat", &image, &path]);
    Ok(lab.polylink(words)?.exits(&[0])?.stdout)
}

/// Content by `icat`.
pub(super) fn icat(image: &Path, address: &str) -> Verdict<Vec<u8>> {
    let program = needs("icat", "sleuthkit")?;
    let mut command = Command::new(program);
    Ok(shell::output(
        command.args(["-f", "ntfs"]).arg(image).arg(address),
    )?)
}

/// A number that `istat` prints behind a label.
pub(super) fn istat(image: &Path, record: u64, label: &str) -> Verdict<u64> {
    let program = needs("istat", "sleuthkit")?;
    let mut command = Command::new(program);
    let text = shell::output(command.args(["-f", "ntfs"]).arg(image).arg(record.to_string()))?;
    let text = String::from_utf8_lossy(&text);
    let number = text
        .lines()
        .find_map(|line| line.strip_prefix(label)?.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| {
        Stop::Failed(format!(
            "  istat says nothing of `{label}` for record {record}:\n{text}"
        ))
    })
}

/// The crate `ntfs`: paths, ids, sizes, counts and content, by a test of `polylink-ntfs` that both read the image in.
pub(super) fn crate_ntfs(image: &Path) -> Verdict {
    let mut command = shell::cargo();
    command
        .args([
            "test",
            "--quiet",
            "--release",
            "--package",
            "polylink-ntfs",
            "--test",
            "integration",
        ])
        .args([
            "--",
            "--exact",
            "--nocapture",
            "crate_ntfs::the_crate_sees_what_we_see_on_a_chosen_image",
        ])
        .env("POLYLINK_NTFS_IMAGE", image);
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("crate ntfs: "))
        .collect();
    if !output.status.success() || figures.is_empty() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(Stop::Failed(format!(
            "  {}:\n{text}\n{errors}",
            shell::shown(&command)
        )));
    }
    for line in figures {
        say!("    {line}");
    }
    Ok(())
}
