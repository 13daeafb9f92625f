//! One large volume with all that ntfs-3g can make, against three others: ntfs-3g itself, The Sleuth Kit, the crate
//! `ntfs`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::lab::{Lab, args, ensure, needs};
use super::super::{Stop, Verdict};
use super::peers::{self, Fls, Names};
use super::{compressed, mount};
use crate::judges::order::say;
use crate::shell;

/// Entries of the large directory.
const ENTRIES: usize = 100_000;
/// Every so manieth of them is not empty.
const WITH_CONTENT: usize = 2000;
/// Names of each file that has many.
const NAMES: usize = 1000;
const LEVELS: usize = 200;

pub(crate) fn large(lab: &Lab) -> Verdict {
    let image = lab.path("large.img");
    fs::File::create(&image)?.set_len(1 << 30)?;
    let mut command = Command::new(needs("mkntfs", "ntfs-3g")?);
    shell::output(command.args(["-q", "-Q", "-F", "-L", "large"]).arg(&image))?;
    let point = lab.path("large");
    mount(lab, &image, &point, "rw,compression,streams_interface=windows")?;
    fill(&point)?;
    lab.unmount(&point)?;
    let names = peers::ours(lab, &image)?;
    ensure(names.len() > ENTRIES + 2 * NAMES + LEVELS, || {
        format!("{} names only", names.len())
    })?;
    mount(lab, &image, &point, "ro,streams_interface=windows")?;
    peers::ntfs_3g(&names, &point)?;
    let listed = peers::fls(&image)?;
    contents(lab, &image, &point, &names, &listed)?;
    lab.unmount(&point)?;
    peers::sleuth_kit(&names, &listed, &image)?;
    let run = lab.polylink(args([&"ntfs", &"check", &image]))?.exits(&[0])?;
    say!("    check: {}", run.text().lines().last().unwrap_or_default());
    peers::crate_ntfs(&image)
}

fn fill(root: &Path) -> Verdict {
    let big = root.join("big");
    fs::create_dir(&big)?;
    for at in 0..ENTRIES {
        let mut file = fs::File::create(big.join(format!("entry {at:06}.txt")))?;
        if at % WITH_CONTENT == 0 {
            write!(file, "the content of entry {at}")?;
        }
    }
    // with the length of the names: The Sleuth Kit takes long where they fill many records
    for (dir, len) in [("linked", 10), ("linked again", 30)] {
        let dir = root.join(dir);
        fs::create_dir(&dir)?;
        fs::write(dir.join("first"), "x".repeat(5000))?;
        for at in 1..NAMES {
            fs::hard_link(dir.join("first"), dir.join(format!("{at:0len$}")))?;
        }
    }
    let mut deep = root.join("deep");
    for at in 0..LEVELS {
        deep.push(format!("level {at}"));
        fs::create_dir_all(&deep)?;
        if at % 40 == 39 {
            fs::write(deep.join("here.txt"), format!("at level {at}"))?;
        }
    }
    odd_names(&root.join("odd"))?;
    kinds(&root.join("kinds"))?;
    compressed(root)
}

/// Names that few programs expect.
fn odd_names(dir: &Path) -> Verdict {
    fs::create_dir(dir)?;
    let long = "l".repeat(255);
    let wide = "日".repeat(255);
    let wider = format!("{}x", "🔥".repeat(127));
    let names: [&[u8]; 27] = [
        "Ünïcödé".as_bytes(),
        "日本語 🔥".as_bytes(),
        "e\u{301} and \u{e9}".as_bytes(),
        "\u{202e}txt.exe".as_bytes(),
        long.as_bytes(),
        wide.as_bytes(),
        wider.as_bytes(),
        b" leading",
        b"trailing space ",
        b"trailing dot.",
        b"...",
        b"con",
        b"nul.txt",
        b"back\\slash",
        b"quote\" star* question? less< more> pipe|",
        b"\x01\x1f control",
        b"tab\there",
        b"new\nline",
        b"\x1b[31mcolour",
        b"delete\x7f",
        // half a character, in WTF-8, as NTFS may hold it
        b"high \xed\xa0\xbd alone",
        b"low \xed\xb4\xa5 alone",
        b"Case",
        b"case",
        b"CASE",
        b"-n",
        b"$MFT",
    ];
    for (at, name) in names.iter().enumerate() {
        fs::write(
            dir.join(OsStr::from_bytes(name)),
            format!("content of odd name {at}"),
        )?;
    }
    Ok(())
}

/// Kinds of files, and of content.
fn kinds(dir: &Path) -> Verdict {
    fs::create_dir(dir)?;
    fs::write(dir.join("empty"), "")?;
    fs::write(dir.join("resident"), "r".repeat(300))?;
    fs::write(dir.join("one cluster"), "c".repeat(4096))?;
    let sparse = fs::File::create(dir.join("sparse"))?;
    sparse.set_len(40 << 20)?;
    sparse.write_all_at(b"in the middle", 10 << 20)?;
    sparse.write_all_at(b"and later", (30 << 20) + 77)?;
    fs::File::create(dir.join("only a hole"))?.set_len(5 << 20)?;
    fs::write(dir.join("streams"), "the content")?;
    for (stream, len) in [("small", 20), ("large", 70_000), ("日本", 5)] {
        fs::write(dir.join(format!("streams:{stream}")), "s".repeat(len))?;
    }
    fs::create_dir(dir.join("directory with stream"))?;
    fs::write(dir.join("directory with stream:note"), "beside the entries")?;
    fs::write(dir.join("a name with a twin.text"), "two names, one link")?;
    attribute(
        &dir.join("a name with a twin.text"),
        "system.ntfs_dos_name",
        b"ANAMEW~1.TEX",
    )?;
    symlink("resident", dir.join("link of ntfs-3g"))?;
    fs::create_dir(dir.join("target"))?;
    fs::create_dir(dir.join("junction"))?;
    attribute(
        &dir.join("junction"),
        "system.ntfs_reparse_data",
        &reparse(JUNCTION, r"\??\C:\kinds\target", r"C:\kinds\target"),
    )?;
    fs::write(dir.join("symlink"), "")?;
    attribute(
        &dir.join("symlink"),
        "system.ntfs_reparse_data",
        &reparse(SYMLINK, "resident", "resident"),
    )
}

/// Sets an extended attribute, through which ntfs-3g gives way to what is on the volume.
fn attribute(path: &Path, name: &str, value: &[u8]) -> Verdict {
    let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut command = Command::new(needs("setfattr", "attr")?);
    shell::output(
        command
            .args(["-h", "-n", name, "-v", &format!("0x{hex}")])
            .arg(path),
    )?;
    Ok(())
}

const JUNCTION: u32 = 0xA000_0003;
const SYMLINK: u32 = 0xA000_000C;

/// A reparse point: tag, length, where both paths are, the flag of a relative link, the paths.
fn reparse(tag: u32, target: &str, print: &str) -> Vec<u8> {
    let units = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let (target, print) = (units(target), units(print));
    let zero = [0, 0];
    let mut data = Vec::new();
    let ends = if tag == JUNCTION { 2 } else { 0 };
    for field in [0, target.len(), target.len() + ends, print.len()] {
        data.extend((field as u16).to_le_bytes());
    }
    if tag == SYMLINK {
        data.extend(1_u32.to_le_bytes());
    }
    data.extend([&target, &zero[..ends], &print, &zero[..ends]].concat());
    let mut whole = tag.to_le_bytes().to_vec();
    whole.extend((data.len() as u32).to_le_bytes());
    whole.extend(data);
    whole
}

/// The content of every file that is not empty, each once, and of every stream: as ntfs-3g and `icat` have it.
fn contents(lab: &Lab, image: &Path, point: &Path, names: &Names, listed: &Fls) -> Verdict {
    let mut done = std::collections::BTreeSet::new();
    let mut files: Vec<(OsString, u64)> = Vec::new();
    for (path, found) in names {
        if found.kind == "file" && found.size > 0 && done.insert(found.record) {
            files.push((path.clone().into_os_string(), found.record));
        }
    }
    for stream in [
        "streams:small",
        "streams:large",
        "streams:日本",
        "directory with stream:note",
    ] {
        let path = PathBuf::from("/kinds").join(stream);
        files.push((path.into_os_string(), 0));
    }
    let (mut by_mount, mut by_icat) = (0, 0);
    for (path, record) in &files {
        let shown = path.to_string_lossy().into_owned();
        let ours = peers::content(lab, image, path)?;
        let mounted = point.join(Path::new(path).strip_prefix("/").unwrap_or(Path::new(path)));
        // its own links it follows; there they are what they are
        if !fs::symlink_metadata(&mounted).is_ok_and(|about| about.is_symlink()) {
            ensure(fs::read(&mounted)? == ours, || {
                format!("ntfs-3g reads something else from '{shown}'")
            })?;
            by_mount += 1;
        }
        let address = match record {
            0 => listed
                .get(path.as_bytes())
                .and_then(|found| Some(found.first()?.address.clone())),
            record => Some(record.to_string()),
        };
        let address = address.ok_or_else(|| Stop::Failed(format!("  fls does not list '{shown}'")))?;
        ensure(peers::icat(image, &address)? == ours, || {
            format!("icat reads something else from '{shown}'")
        })?;
        by_icat += 1;
    }
    say!("    content: {by_mount} files and streams equal ntfs-3g's, {by_icat} icat's");
    for (path, found) in names.iter().filter(|(_, found)| found.raw_links != 1) {
        // one name of each is enough
        if done.remove(&found.record) {
            let links = peers::istat(image, found.record, "Links: ")?;
            ensure(links == found.raw_links, || {
                format!(
                    "istat has {links} links for '{}', polylink {found:?}",
                    path.display()
                )
            })?;
        }
    }
    Ok(())
}
