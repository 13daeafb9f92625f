//! A directory of a million names that loses nine in ten of them: its blocks stay at least half full, measured in the
//! image itself, our audit is clean, and ntfs-3g lists what is left.

use std::collections::HashSet;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::lab::{Lab, args, ensure};
use super::ntfs_write::is_clean;
use super::{Stop, Verdict, ntfs};
use crate::shell;

const NAMES: usize = 1_000_000;
const LEFT: usize = NAMES / 10;

fn name(number: usize) -> String {
    format!("img_{number:07}.jpg")
}

/// All numbers below a limit in no order; the same for the same seed.
fn shuffled(limit: usize, mut seed: u64) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..limit).collect();
    for at in (1..limit).rev() {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        numbers.swap(at, (seed % (at as u64 + 1)) as usize);
    }
    numbers
}

/// Our engine does what the lines say, all of which must be possible.
fn does(lab: &Lab, script: &Path, image: &Path, lines: String) -> Verdict {
    let (text, answers) = (lab.path("million.script"), lab.path("million.answers"));
    fs::write(&text, lines)?;
    let mut command = Command::new(script);
    command
        .arg(image)
        .stdin(File::open(&text)?)
        .stdout(File::create(&answers)?);
    shell::run(&mut command)?;
    let answers = fs::read_to_string(&answers)?;
    match answers.lines().find(|answer| *answer != "ok") {
        None => Ok(()),
        Some(answer) => Err(Stop::Failed(format!("  our engine answers {answer}"))),
    }
}

/// The runs of an attribute of a record: where each begins and how long it is, in clusters.
fn runs(record: &Value, kind: u64) -> Vec<(u64, u64)> {
    let attributes = record["attributes"].as_array().into_iter().flatten();
    attributes
        .filter(|attribute| attribute["kind"] == kind)
        .flat_map(|attribute| attribute["runs"].as_array().into_iter().flatten())
        .filter_map(|run| Some((run["lcn"].as_u64()?, run["clusters"].as_u64()?)))
        .collect()
}

fn read(image: &File, runs: &[(u64, u64)], cluster: u64) -> Verdict<Vec<u8>> {
    let mut bytes = Vec::new();
    for (start, len) in runs {
        let mut part = vec![0; (len * cluster) as usize];
        image.read_exact_at(&mut part, start * cluster)?;
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

/// Bytes of the longest entry: its header, a `$FILE_NAME`, the name, the place of a child.
const LONGEST: u64 = (16 + 66 + 2 * 15_u64).next_multiple_of(8) + 8;

/// Ensures that every block of a directory is at least half full but for one entry, as its own header says, and all of
/// them together half, read from the image without our engine; answers how many are in use.
///
/// Up to `edges` blocks may be shorter: a name behind all others may have one by itself at the end of its level.
fn half_full_blocks(lab: &Lab, image: &Path, directory: &str, edges: usize) -> Verdict<usize> {
    const INDEX_ALLOCATION: u64 = 0xA0;
    const BITMAP: u64 = 0xB0;
    const BLOCK: usize = 4096;
    let json = |of: &[&str]| -> Verdict<Value> {
        let mut list = args([&"ntfs", &of[0], &"--json", &image]);
        list.extend(of[1..].iter().map(Into::into));
        lab.polylink(list)?.exits(&[0])?.json()
    };
    let cluster = json(&["info"])?["cluster_bytes"].as_u64();
    let cluster = cluster.ok_or_else(|| "no size of clusters".to_owned())?;
    let record = json(&["record", directory])?;
    let file = File::open(image)?;
    let blocks = read(&file, &runs(&record, INDEX_ALLOCATION), cluster)?;
    // of so many blocks it lies in clusters
    let bitmap = read(&file, &runs(&record, BITMAP), cluster)?;
    let (mut count, mut short, mut bytes, mut room) = (0, 0, 0, 0);
    for (index, block) in blocks.chunks_exact(BLOCK).enumerate() {
        let is_used = bitmap
            .get(index / 8)
            .is_some_and(|byte| byte >> (index % 8) & 1 == 1);
        if !is_used {
            continue;
        }
        ensure(block.starts_with(b"INDX"), || format!("block {index} is none"))?;
        let field = |at: usize| {
            let bytes: [u8; 4] = block[at..at + 4].try_into().unwrap_or_default();
            u64::from(u32::from_le_bytes(bytes))
        };
        // the header of the node: where its entries begin, where they end, where they may end
        let (first, used, allocated) = (field(0x18), field(0x1C), field(0x20));
        ensure(first <= used && used <= allocated, || format!("block {index}"))?;
        count += 1;
        bytes += used - first;
        room += allocated - first;
        short += usize::from((used - first + LONGEST) * 2 < allocated - first);
    }
    println!(
        "    {count} blocks, {} % full, {short} less than half by more than an entry",
        bytes * 100 / room.max(1)
    );
    ensure(short <= edges, || {
        format!("{short} blocks are less than half full by more than an entry")
    })?;
    ensure(count > 0 && bytes * 2 >= room, || {
        format!("the blocks are less than half full: {bytes} of {room} bytes")
    })?;
    Ok(count)
}

pub(crate) fn half_full(lab: &Lab) -> Verdict {
    let script = shell::build_example("polylink-ntfs", "script")?;
    let image = lab.path("million.img");
    lab.polylink(args([&"ntfs", &"format", &image, &"--size=4G"]))?
        .exits(&[0])?;
    let mut lines = String::from("mkdir\t/directory\n");
    for number in shuffled(NAMES, 0x9E37_79B9) {
        lines.push_str(&format!("create\t/directory/{}\t0\t0\n", name(number)));
    }
    does(lab, &script, &image, lines)?;
    is_clean(lab, &image)?;
    let full = half_full_blocks(lab, &image, "/directory", 3)?;
    let numbers = shuffled(NAMES, 0x2545_F491);
    let (gone, left) = numbers.split_at(NAMES - LEFT);
    let lines = gone
        .iter()
        .map(|number| format!("rm\t/directory/{}\n", name(*number)));
    does(lab, &script, &image, lines.collect())?;
    is_clean(lab, &image)?;
    let thin = half_full_blocks(lab, &image, "/directory", 0)?;
    ensure(thin * 6 < full, || {
        format!("{thin} blocks are left of {full}, though nine names in ten are gone")
    })?;
    let point = lab.path("mounted");
    ntfs::mount(lab, &image, &point, "ro")?;
    let mut listed = HashSet::with_capacity(LEFT);
    for entry in fs::read_dir(point.join("directory"))? {
        listed.insert(entry?.file_name().to_string_lossy().into_owned());
    }
    lab.unmount(&point)?;
    ensure(
        listed.len() == LEFT && left.iter().all(|number| listed.contains(&name(*number))),
        || {
            format!(
                "ntfs-3g lists {} names, not the {LEFT} that are left",
                listed.len()
            )
        },
    )
}
