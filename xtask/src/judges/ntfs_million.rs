//! A directory of a million names that loses nine in ten of them: its blocks stay at least half full, measured in the
//! image itself, our audit is clean, and ntfs-3g lists what is left.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::lab::{Lab, args, ensure};
use super::ntfs_write::is_clean;
use super::{Stop, Verdict, ntfs};
use crate::judges::order::say;
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

/// What is in a block of an index: its first name, and the blocks below it.
struct Node {
    first: Vec<u16>,
    children: Vec<usize>,
}

impl Node {
    fn of(entries: &[u8]) -> Verdict<Self> {
        let number = |at: usize, len: usize| {
            let bytes = entries.get(at..at + len).unwrap_or_default();
            bytes
                .iter()
                .rev()
                .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte)) as usize
        };
        let (mut first, mut children, mut at) = (None, Vec::new(), 0);
        loop {
            let (len, flags) = (number(at + 8, 2), number(at + 12, 2));
            ensure(len >= 16 && at + len <= entries.len(), || {
                format!("an entry at {at} has {len} bytes")
            })?;
            if flags & 1 != 0 {
                children.push(number(at + len - 8, 8));
            }
            if flags & 2 != 0 {
                return Ok(Self {
                    first: first.unwrap_or_default(),
                    children,
                });
            }
            if first.is_none() {
                let (name, units) = (at + 16 + 66, number(at + 16 + 64, 1));
                first = Some((0..units).map(|unit| number(name + 2 * unit, 2) as u16).collect());
            }
            at += len;
        }
    }
}

/// The last block of each level of a tree, whose blocks are known by their numbers: the names have one case.
fn last_of_levels(nodes: &BTreeMap<usize, Node>) -> Verdict<Vec<usize>> {
    let mut last: BTreeMap<usize, (&[u16], usize)> = BTreeMap::new();
    for (&index, node) in nodes {
        let (mut level, mut below) = (0, node);
        while let Some(child) = below.children.first() {
            level += 1;
            ensure(level < 64, || format!("block {index} is in a circle"))?;
            below = nodes
                .get(child)
                .ok_or_else(|| format!("block {child} is not in use, and something leads to it"))?;
        }
        // by the first name below it
        let best = last.entry(level).or_insert((&below.first, index));
        *best = (*best).max((&below.first, index));
    }
    Ok(last.into_values().map(|(_, index)| index).collect())
}

/// Bytes of the longest entry: its header, a `$FILE_NAME`, the name, the place of a child.
const LONGEST: u64 = (16 + 66 + 2 * 15_u64).next_multiple_of(8) + 8;

/// Ensures that every block of a directory is at least half full but for one entry, as its own header says, and all of
/// them together half, read from the image without our engine; answers how many are in use.
///
/// The last block of each level may be shorter: a name behind all others may have one by itself there.
fn half_full_blocks(lab: &Lab, image: &Path, directory: &str) -> Verdict<usize> {
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
    let (mut count, mut bytes, mut room) = (0, 0, 0);
    let mut short = Vec::new();
    let mut nodes: BTreeMap<usize, Node> = BTreeMap::new();
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
        if (used - first + LONGEST) * 2 < allocated - first {
            short.push(index);
        }
        let entries = block.get(0x18 + first as usize..0x18 + used as usize);
        nodes.insert(index, Node::of(entries.unwrap_or_default())?);
    }
    let edges = last_of_levels(&nodes)?;
    let all = short.len();
    short.retain(|index| !edges.contains(index));
    say!(
        "    {count} blocks, {} % full, {} less than half by more than an entry, and {} at the end of their level",
        bytes * 100 / room.max(1),
        short.len(),
        all - short.len()
    );
    ensure(short.is_empty(), || {
        format!("the blocks {short:?} are less than half full by more than an entry")
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
    let full = half_full_blocks(lab, &image, "/directory")?;
    let numbers = shuffled(NAMES, 0x2545_F491);
    let (gone, left) = numbers.split_at(NAMES - LEFT);
    let lines = gone
        .iter()
        .map(|number| format!("rm\t/directory/{}\n", name(*number)));
    does(lab, &script, &image, lines.collect())?;
    is_clean(lab, &image)?;
    let thin = half_full_blocks(lab, &image, "/directory")?;
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
