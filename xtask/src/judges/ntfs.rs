//! NTFS volumes that mkntfs and ntfs-3g made: what polylink reads there without a driver.

mod given;
mod hostile;
mod large;
mod peers;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::lab::{Lab, args, ensure, needs};
use super::truth::{self, Entry};
use super::{Stop, Verdict};
use crate::shell;

pub(crate) use given::given;
pub(crate) use hostile::hostile;
pub(crate) use large::large;

/// Sectors and clusters, each with its own sizes of records and index blocks.
const SHAPES: [(u32, u32); 4] = [(512, 4096), (512, 512), (4096, 4096), (512, 65536)];

/// Formats an image, and mounts it by ntfs-3g to be filled.
fn volume(lab: &Lab, name: &str, sector: u32, cluster: u32) -> Verdict<(PathBuf, PathBuf)> {
    let program = needs("mkntfs", "ntfs-3g")?;
    let image = lab.path(&format!("{name}.img"));
    fs::File::create(&image)?.set_len(256 << 20)?;
    let mut command = Command::new(program);
    command
        .args([
            "-q",
            "-F",
            "-L",
            "judge",
            "-s",
            &sector.to_string(),
            "-c",
            &cluster.to_string(),
        ])
        .arg(&image);
    shell::output(&mut command)?;
    let point = lab.path(name);
    mount(lab, &image, &point, "rw,compression")?;
    Ok((image, point))
}

pub(super) fn mount(lab: &Lab, image: &Path, point: &Path, options: &str) -> Verdict {
    mount_by(lab, "ntfs-3g", image, point, options)
}

/// The same by one of the two programs of the driver: `lowntfs-3g` goes by numbers of files where `ntfs-3g` looks every
/// path up anew, which takes long deep down.
fn mount_by(lab: &Lab, driver: &str, image: &Path, point: &Path, options: &str) -> Verdict {
    if !rustix::process::geteuid().is_root() {
        return Err(Stop::Skipped("needs root to mount file systems".to_owned()));
    }
    if !Path::new("/dev/fuse").exists() {
        return Err(Stop::Skipped("no /dev/fuse".to_owned()));
    }
    fs::create_dir_all(point)?;
    let program = needs(driver, "ntfs-3g")?;
    let mut command = Command::new(program);
    // numbers of files as they are on the volume, and every file but those of the volume itself
    command.args(["-o", options]).arg(image).arg(point);
    shell::output(&mut command)?;
    lab.remember(point);
    Ok(())
}

/// A tree with all that a volume can hold.
fn fill(root: &Path, names: usize, entries: usize) -> Verdict {
    truth::year_tree(&root.join("years"), 400)?;
    let mut deep = root.join("deep");
    for at in 0..60 {
        deep.push(format!("level {at}"));
    }
    fs::create_dir_all(&deep)?;
    fs::write(deep.join("bottom.txt"), "at the bottom")?;
    let many = root.join("many");
    fs::create_dir(&many)?;
    for at in 0..entries {
        fs::write(many.join(format!("entry number {at}.txt")), "")?;
    }
    let linked = root.join("linked");
    fs::create_dir(&linked)?;
    fs::write(linked.join("first"), "x".repeat(5000))?;
    for at in 1..names {
        fs::hard_link(
            linked.join("first"),
            linked.join(format!("a further name of the file, {at}")),
        )?;
    }
    let odd = root.join("odd");
    fs::create_dir(&odd)?;
    for name in [
        "Ünïcödé",
        "日本語 🔥",
        " leading",
        "trailing.",
        "UPPER lower",
        "a'b",
        "con",
        "new\u{7f}line",
    ] {
        fs::write(odd.join(name), name)?;
    }
    fs::write(odd.join("l".repeat(255)), "long")?;
    fs::write(odd.join("empty"), "")?;
    fs::write(odd.join("resident"), "r".repeat(300))?;
    let sparse = fs::File::create(odd.join("sparse"))?;
    sparse.set_len(20 << 20)?;
    std::os::unix::fs::FileExt::write_all_at(&sparse, b"in the middle", 10 << 20)?;
    symlink("resident", odd.join("link"))?;
    compressed(root)?;
    streams(&odd)
}

/// Files that ntfs-3g compresses, since their directory says so.
fn compressed(root: &Path) -> Verdict {
    let dir = root.join("compressed");
    fs::create_dir(&dir)?;
    let setfattr = needs("setfattr", "attr")?;
    // FILE_ATTRIBUTE_COMPRESSED, little-endian
    let mut command = Command::new(setfattr);
    shell::output(
        command
            .args(["-h", "-n", "system.ntfs_attrib", "-v", "0x00080000"])
            .arg(&dir),
    )?;
    fs::write(dir.join("text"), "hello hard links, ".repeat(20_000))?;
    fs::write(dir.join("zeros"), vec![0; 300_000])?;
    let mut noise = Vec::new();
    let mut state = 1_u64;
    while noise.len() < 200_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        noise.extend(state.to_le_bytes());
    }
    fs::write(dir.join("noise"), &noise)?;
    let mixed: Vec<u8> = noise[..70_000].iter().copied().chain(vec![7; 150_000]).collect();
    fs::write(dir.join("mixed"), mixed)?;
    Ok(())
}

/// A named stream, as ntfs-3g offers it through extended attributes.
fn streams(dir: &Path) -> Verdict {
    let setfattr = needs("setfattr", "attr")?;
    fs::write(dir.join("with stream"), "the content")?;
    let mut command = Command::new(setfattr);
    command
        .args(["-n", "user.note", "-v", "said beside it"])
        .arg(dir.join("with stream"));
    shell::output(&mut command)?;
    Ok(())
}

/// What `polylink ntfs ls -R --json` says: path to entry.
pub(super) fn listed(lab: &Lab, image: &Path) -> Verdict<BTreeMap<PathBuf, Value>> {
    let run = lab
        .polylink(args([&"ntfs", &"ls", &"--json", &"-R", &image]))?
        .exits(&[0])?;
    let json = run.json()?;
    let mut found = BTreeMap::new();
    for entry in json["entries"].as_array().cloned().unwrap_or_default() {
        let path = match (&entry["path"], &entry["path"]["hex"]) {
            (Value::String(path), _) => PathBuf::from(path),
            (_, Value::String(hex)) => PathBuf::from(OsStr::from_bytes(&unhex(hex))),
            _ => return Err(Stop::Failed(format!("  an entry without a path: {entry}"))),
        };
        found.insert(path, entry);
    }
    Ok(found)
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| byte * 16 + *digit as u8))
        .collect()
}

/// Every path, kind, id, size, link count and allocated size as ntfs-3g's mount has it.
///
/// Two differences have their reason: ntfs-3g counts the sectors of content that lies in the record, where nothing is
/// allocated; and it shows symbolic links of its own making (Interix), which are system files to everybody else.
fn agrees(lab: &Lab, image: &Path, point: &Path) -> Verdict {
    let ours = listed(lab, image)?;
    let theirs: Vec<Entry> = truth::entries(&[point])?
        .into_iter()
        .filter(|entry| entry.path != point)
        .collect();
    ensure(ours.len() == theirs.len(), || {
        format!("{} names, ntfs-3g has {}", ours.len(), theirs.len())
    })?;
    for entry in &theirs {
        let path = Path::new("/").join(entry.path.strip_prefix(point).unwrap_or(&entry.path));
        let Some(found) = ours.get(&path) else {
            return Err(Stop::Failed(format!("  '{}' is not listed", path.display())));
        };
        let number = |field: &str| found[field].as_u64().unwrap_or(u64::MAX);
        let record = found["file_id"]
            .as_str()
            .and_then(|id| id.split('-').next()?.parse().ok());
        let interix = entry.kind == b'l' && found["kind"] == "file";
        let kind = match entry.kind {
            b'd' => "directory",
            b'l' if !interix => "symlink",
            _ => "file",
        };
        let resident = number("allocated") == 0 && entry.blocks == entry.size.div_ceil(512);
        let is_dir = entry.kind == b'd';
        let same = found["kind"] == kind
            && record == Some(entry.inode)
            && (is_dir || number("links") == entry.links)
            && (is_dir || interix || number("size") == entry.size)
            && (is_dir || interix || resident || number("allocated") == entry.blocks * 512);
        ensure(same, || {
            format!("'{}': ntfs-3g has {entry:?}, polylink {found}", path.display())
        })?;
    }
    Ok(())
}

/// The content of every file, and which names are one file, as ntfs-3g's mount has them.
fn content(lab: &Lab, image: &Path, point: &Path) -> Verdict {
    let out = lab.folder("copied")?;
    fs::remove_dir_all(&out)?;
    fs::create_dir(&out)?;
    lab.polylink(args([&"ntfs", &"get", &"-r", &image, &"/", &out]))?
        .exits(&[0])?;
    let mut groups: BTreeMap<u64, u64> = BTreeMap::new();
    for entry in truth::entries(&[point])?.iter().filter(|entry| entry.is_file()) {
        let copy = out.join(entry.path.strip_prefix(point).unwrap_or(&entry.path));
        ensure(fs::read(&copy)? == fs::read(&entry.path)?, || {
            format!("the content of '{}' differs", entry.path.display())
        })?;
        let inode = std::os::unix::fs::MetadataExt::ino(&fs::metadata(&copy)?);
        let group = *groups.entry(entry.inode).or_insert(inode);
        ensure(group == inode, || {
            format!("'{}' is no hard link any more", copy.display())
        })?;
    }
    Ok(())
}

pub(crate) fn read(lab: &Lab) -> Verdict {
    for (sector, cluster) in SHAPES {
        let name = format!("ntfs-{sector}-{cluster}");
        let (image, point) = volume(lab, &name, sector, cluster)?;
        fill(&point, 300, 2000)?;
        lab.unmount(&point)?;
        mount(lab, &image, &point, "ro")?;
        agrees(lab, &image, &point)?;
        content(lab, &image, &point)?;
        lab.polylink(args([&"ntfs", &"cat", &image, &"/odd/with stream:note"]))?
            .exits(&[0])?
            .says(&["said beside it"])?;
        lab.polylink(args([&"ntfs", &"info", &image]))?
            .exits(&[0])?
            .says(&["NTFS 3.1", "judge"])?;
        lab.polylink(args([&"ntfs", &"record", &image, &"/linked/first"]))?
            .exits(&[0])?
            .says(&["300: 300 names below", "a further name of the file, 299"])?;
        lab.unmount(&point)?;
    }
    Ok(())
}

/// The Sleuth Kit's list of paths, record numbers and sizes.
pub(crate) fn sleuthkit(lab: &Lab) -> Verdict {
    let fls = needs("fls", "sleuthkit")?;
    let (image, point) = volume(lab, "ntfs-fls", 512, 4096)?;
    fill(&point, 100, 500)?;
    lab.unmount(&point)?;
    let mut command = Command::new(fls);
    let text = shell::output(command.args(["-r", "-p", "-u", "-f", "ntfs"]).arg(&image))?;
    let ours = listed(lab, &image)?;
    let mut theirs: BTreeMap<PathBuf, u64> = BTreeMap::new();
    for line in text.split(|&byte| byte == b'\n') {
        // `r/r 64-128-1:\tpath`; a named stream is a line of its own, as `path:stream`
        let Some(tab) = line.iter().position(|&byte| byte == b'\t') else {
            continue;
        };
        let (head, path) = (String::from_utf8_lossy(&line[..tab]), &line[tab + 1..]);
        let record = head
            .split_whitespace()
            .last()
            .and_then(|id| id.split(['-', ':']).next())
            .and_then(|id| id.parse().ok());
        let path = Path::new("/").join(OsStr::from_bytes(path));
        let Some(record) = record else { continue };
        if record < 24 || path.starts_with("/$Extend") || path.starts_with("/$OrphanFiles") {
            continue;
        }
        if path.as_os_str().as_bytes().contains(&b':') {
            continue;
        }
        theirs.insert(path, record);
    }
    ensure(theirs.len() > 600, || {
        format!("fls lists {} names only", theirs.len())
    })?;
    for (path, record) in &theirs {
        let found = ours
            .get(path)
            .and_then(|entry| entry["file_id"].as_str()?.split('-').next()?.parse().ok());
        ensure(found == Some(*record), || {
            format!(
                "'{}' is record {record} to fls, {found:?} to polylink",
                path.display()
            )
        })?;
    }
    for path in ours.keys() {
        // fls shows control characters as '^'
        let plain = !path
            .as_os_str()
            .as_bytes()
            .iter()
            .any(|byte| byte.is_ascii_control());
        ensure(!plain || theirs.contains_key(path), || {
            format!("fls does not list '{}'", path.display())
        })?;
    }
    Ok(())
}
