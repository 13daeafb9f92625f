//! NTFS volumes that polylink and others write in turns.
//!
//! Our engine does some hundred random operations, then ntfs-3g's mount of the same image does as many, then ours again.
//! A model of the tree is kept in memory. After each turn our audit, our reader, a mount, `ntfsfix` and The Sleuth Kit
//! must find what the model holds: every path, which names are one file, link counts, sizes and content.

mod doers;
mod model;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use self::model::Node;
use super::lab::{Lab, args, ensure, needs};
use super::{Stop, Verdict, ntfs, truth};
use crate::judges::order::say;
use crate::shell;

pub(crate) use self::doers::{build, ours, theirs};
pub(crate) use self::model::{Choice as Choices, Doer, Model, Operation, Outcome};

/// Who makes a volume.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Maker {
    Polylink,
    Mkntfs,
}

/// Who makes the volume, and bytes of a sector, a cluster and a record: mkntfs makes large records for large sectors
/// only.
const SHAPES: [(Maker, u32, u32, u32); 5] = [
    (Maker::Polylink, 512, 4096, 1024),
    (Maker::Polylink, 512, 1024, 4096),
    (Maker::Mkntfs, 512, 4096, 1024),
    (Maker::Mkntfs, 512, 512, 1024),
    (Maker::Mkntfs, 4096, 4096, 4096),
];

/// What is played where no other seed is asked for, so that a change is judged by what it changes.
const USUAL_SEED: u64 = 1;

/// Turns on each volume but the last, and operations in a turn: 13,260 in all.
const TURNS: usize = 6;
const OPERATIONS: usize = 340;

/// Bytes of the volumes.
pub(crate) const SIZE: u64 = 256 << 20;
/// Bytes of the one whose free space is in pieces.
const SMALL: u64 = 96 << 20;
/// Files that leave pieces of one cluster each, and how many: with longer ones the lists of their runs, which move, make
/// stretches of their own.
const GONE: usize = 4;
const PIECES: usize = 1500;
/// Files that are made so that its table grows into them.
const FILES: usize = 1700;

/// Makes a volume of so many bytes.
pub(crate) fn made(
    lab: &Lab,
    (maker, sector, cluster, record): (Maker, u32, u32, u32),
    size: u64,
) -> Verdict<PathBuf> {
    let image = lab.path(&format!("{maker:?}-{sector}-{cluster}-{record}.img"));
    match maker {
        Maker::Polylink => {
            let number = |option: &str, value: u32| format!("--{option}={value}");
            let run = lab.polylink(args([
                &"ntfs",
                &"format",
                &image,
                &format!("--size={size}"),
                &number("sector", sector),
                &number("cluster", cluster),
                &number("record", record),
            ]))?;
            run.exits(&[0])?;
        }
        Maker::Mkntfs => {
            fs::File::create(&image)?.set_len(size)?;
            let mut command = Command::new(needs("mkntfs", "ntfs-3g")?);
            command.args(["-q", "-F", "-s", &sector.to_string(), "-c", &cluster.to_string()]);
            shell::output(command.arg(&image))?;
        }
    }
    Ok(image)
}

/// Chooses the operations of a turn, and does them in the model.
pub(crate) fn turn(
    model: &mut Model,
    choice: &mut Choices,
    (doer, count): (Doer, usize),
    allowed: impl Fn(&Model, &Operation) -> bool,
) -> Vec<(Operation, Outcome)> {
    model.doer = doer;
    choice.look_at(model);
    let mut operations = Vec::with_capacity(count);
    while operations.len() < count {
        let operation = choice.next(model);
        if allowed(model, &operation) {
            let outcome = model.apply(&operation);
            operations.push((operation, outcome));
        }
    }
    operations
}

/// ntfs-3g replaces a name by way of one with 19 units more, and cuts off what is too long: two names stay.
const LONGEST_REPLACED: usize = 255 - 19;

/// POSIX replaces where we refuse: a name that is taken is no test there.
pub(crate) fn posix(model: &Model, operation: &Operation) -> bool {
    match operation {
        Operation::Rename(_, new) => !model.tree.contains_key(new),
        Operation::Replace(_, new) => {
            let name = new.file_name().unwrap_or_default().to_string_lossy();
            name.encode_utf16().count() <= LONGEST_REPLACED
        }
        _ => true,
    }
}

/// Our audit finds nothing at all, but for runs that ntfs3 left where it cut a file to nothing; answers how many.
pub(crate) fn is_clean(lab: &Lab, image: &Path) -> Verdict<usize> {
    let json = lab
        .polylink(args([&"ntfs", &"check", &"--json", &image]))?
        .exits(&[0])?
        .json()?;
    let issues = json["issues"].as_array().map_or(&[][..], Vec::as_slice);
    let further = issues.iter().any(|issue| issue["kind"] != "runs-left");
    ensure(json["clean"] == true && !further, || {
        format!("the audit found {}", json["issues"])
    })?;
    Ok(issues.len())
}

/// A name as somebody lists it.
pub(crate) struct Listed {
    pub(crate) is_directory: bool,
    /// What two names of one file have in common.
    pub(crate) file: u64,
    pub(crate) links: u64,
    pub(crate) size: u64,
}

/// Somebody's list has the names of the model, and says of each what is true.
pub(crate) fn equals(who: &str, model: &Model, listed: &BTreeMap<PathBuf, Listed>) -> Verdict {
    if let Some(path) = listed.keys().find(|path| !model.tree.contains_key(*path)) {
        return ensure(false, || {
            format!("{who} lists '{}', which is gone", path.display())
        });
    }
    let mut ids: BTreeMap<usize, u64> = BTreeMap::new();
    let mut files: BTreeMap<u64, usize> = BTreeMap::new();
    for (path, node) in &model.tree {
        let Some(found) = listed.get(path) else {
            return ensure(false, || format!("{who} does not list '{}'", path.display()));
        };
        let Node::File(file) = *node else {
            ensure(found.is_directory, || {
                format!("'{}' is no directory to {who}", path.display())
            })?;
            continue;
        };
        let wanted = &model.files[file];
        let same = !found.is_directory
            && found.links == wanted.links
            && found.size == wanted.content.len() as u64
            && *ids.entry(file).or_insert(found.file) == found.file
            && *files.entry(found.file).or_insert(file) == file;
        ensure(same, || {
            format!(
                "'{}' has {} names and {} bytes; {who} says: file {}, {} names, {} bytes",
                path.display(),
                wanted.links,
                wanted.content.len(),
                found.file,
                found.links,
                found.size
            )
        })?;
    }
    Ok(())
}

/// Our reader's list.
pub(crate) fn by_us(lab: &Lab, image: &Path) -> Verdict<BTreeMap<PathBuf, Listed>> {
    let entries = ntfs::listed(lab, image)?.into_iter();
    let entries = entries.map(|(path, entry)| {
        let number = |field: &str| entry[field].as_u64().unwrap_or(u64::MAX);
        let file = entry["file_id"]
            .as_str()
            .and_then(|id| id.split('-').next()?.parse().ok());
        let listed = Listed {
            is_directory: entry["kind"] == "directory",
            file: file.unwrap_or(u64::MAX),
            // no name has an 8.3 twin here
            links: number("raw_links"),
            size: number("size"),
        };
        (path, listed)
    });
    Ok(entries.collect())
}

/// A mount's list.
fn by_mount(point: &Path) -> Verdict<BTreeMap<PathBuf, Listed>> {
    let entries = truth::entries(&[point])?.into_iter();
    let entries = entries.filter(|entry| entry.path != point).map(|entry| {
        let path = Path::new("/").join(entry.path.strip_prefix(point).unwrap_or(&entry.path));
        let listed = Listed {
            is_directory: entry.kind == b'd',
            file: entry.inode,
            links: entry.links,
            size: entry.size,
        };
        (path, listed)
    });
    Ok(entries.collect())
}

/// The content of the files that changed, as somebody reads two of their names.
pub(crate) fn content(who: &str, model: &Model, read: impl Fn(&Path) -> Verdict<Vec<u8>>) -> Verdict {
    for (file, names) in model.names_of() {
        if !model.changed.contains(&file) {
            continue;
        }
        for path in names.iter().take(2) {
            let (found, wanted) = (read(path)?, &model.files[file].content);
            let same = found.iter().zip(wanted).take_while(|(a, b)| a == b).count();
            ensure(found == *wanted, || {
                format!(
                    "the content of '{}' differs to {who} from its byte {same} on: {} of {}, not {} of {}",
                    path.display(),
                    found.get(same).map_or("none".to_owned(), u8::to_string),
                    found.len(),
                    wanted.get(same).map_or("none".to_owned(), u8::to_string),
                    wanted.len()
                )
            })?;
        }
    }
    Ok(())
}

/// A path of the volume below a folder of the host.
pub(crate) fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// The most bytes of a name on the host, where the volume takes 255 UTF-16 units.
const LONGEST_HERE: usize = 255;

/// What our reader copies out of the volume is the content of the model.
pub(crate) fn copied(lab: &Lab, image: &Path, model: &Model) -> Verdict {
    let too_long = |path: &Path| path.file_name().is_some_and(|name| name.len() > LONGEST_HERE);
    let left_out = model.tree.keys().filter(|path| too_long(path)).count();
    let out = lab.folder("copied")?;
    let json = lab
        .polylink(args([&"ntfs", &"get", &"--json", &"-r", &image, &"/", &out]))?
        .exits(&[i32::from(left_out > 0)])?
        .json()?;
    let failures = json["failures"].as_array().map_or(0, Vec::len);
    ensure(failures == left_out, || {
        format!(
            "{left_out} names are too long for the host, not {failures}: {}",
            json["failures"]
        )
    })?;
    content("polylink", model, |path| {
        if !too_long(path) {
            return Ok(fs::read(below(&out, path))?);
        }
        let run = lab.polylink(args([&"ntfs", &"cat", &image, &path]))?;
        Ok(run.exits(&[0])?.stdout)
    })?;
    Ok(fs::remove_dir_all(&out)?)
}

/// The names that The Sleuth Kit finds.
///
/// It reads an index block also where the directory's bitmap says that the block is free, so that names which were taken
/// away can be among them, with or without their mark.
pub(crate) fn by_sleuthkit(image: &Path) -> Verdict<BTreeSet<PathBuf>> {
    let mut command = Command::new(needs("fls", "sleuthkit")?);
    let text = shell::output(command.args(["-r", "-p", "-u", "-f", "ntfs"]).arg(image))?;
    let text = String::from_utf8_lossy(&text);
    let names = text.lines().filter_map(|line| {
        // `r/r 64-128-1:\tpath`
        let (head, path) = line.split_once('\t')?;
        let record: u64 = head
            .split_whitespace()
            .last()?
            .split(['-', ':'])
            .next()?
            .parse()
            .ok()?;
        let of_volume = path.starts_with("$Extend") || path.starts_with("$OrphanFiles");
        // where a name was taken away its bytes may stay; `r/-` then says that they lead to no record
        let is_left = head.contains('*') || head.contains("/-");
        (record >= 24 && !of_volume && !is_left).then(|| Path::new("/").join(path))
    });
    Ok(names.collect())
}

/// The Sleuth Kit finds the names of the model, and none that nobody gave.
///
/// Where clusters are larger than index blocks it reads no index block at all, on volumes of mkntfs and ntfs-3g neither,
/// and guesses at the names from the records.
fn lists(image: &Path, model: &Model) -> Verdict {
    let found = by_sleuthkit(image)?;
    let missing = model.tree.keys().find(|path| !found.contains(*path));
    let further = found
        .iter()
        .find(|path| !model.tree.contains_key(*path) && !model.was_given(path));
    ensure((missing, further) == (None, None), || {
        format!("fls misses, or has too much: {missing:?}, {further:?}")
    })
}

/// Bytes of an index block, whatever the clusters.
const INDEX_BLOCK: u32 = 4096;

/// Everybody finds on the volume what the model holds; answers how many files have runs that count for nothing.
pub(crate) fn agrees(
    lab: &Lab,
    image: &Path,
    (_, _, cluster, _): (Maker, u32, u32, u32),
    model: &mut Model,
) -> Verdict<usize> {
    let left = is_clean(lab, image)?;
    equals("polylink", model, &by_us(lab, image)?)?;
    copied(lab, image, model)?;
    let mut command = Command::new(needs("ntfsfix", "ntfs-3g")?);
    let told = shell::output(command.arg("-n").arg(image))?;
    let told = String::from_utf8_lossy(&told).into_owned();
    ensure(told.contains("processed successfully"), || {
        format!("ntfsfix: {told}")
    })?;
    let mut command = Command::new(needs("ntfsinfo", "ntfs-3g")?);
    shell::output(command.arg("-m").arg(image))?;
    // `fls` takes 5 s for one file with a thousand names, so it looks at the end then
    let is_crowded = model.files.iter().any(|file| file.links >= CROWD);
    if cluster <= INDEX_BLOCK && !is_crowded {
        lists(image, model)?;
    }
    let point = lab.path("mounted");
    ntfs::mount(lab, image, &point, "ro")?;
    equals("ntfs-3g", model, &by_mount(&point)?)?;
    content("ntfs-3g", model, |path| Ok(fs::read(below(&point, path))?))?;
    lab.unmount(&point)?;
    model.changed.clear();
    Ok(left)
}

/// Says of a failure when it was found.
pub(crate) fn after(stop: Stop, when: &str) -> Stop {
    match stop {
        Stop::Failed(reason) => Stop::Failed(format!("  after {when}:\n{reason}")),
        Stop::Skipped(reason) => Stop::Skipped(reason),
    }
}

/// How a volume is when the turns begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Start {
    Empty,
    /// Every second cluster of a stretch is free, and hardly anything else; the table is in so many pieces that it has an
    /// attribute list.
    InPieces,
    /// One file has as many names as we give it; ntfs-3g will give it more. Half the turns do, for ntfs-3g takes long
    /// there.
    Full,
}

impl Start {
    fn turns(self) -> usize {
        match self {
            Self::Empty | Self::InPieces => TURNS,
            Self::Full => TURNS / 2,
        }
    }
}

/// Whether ntfs-3g would change content that it made longer itself, of a file with so many names that it has an attribute
/// list.
///
/// It answers EIO then (`Failed to zero space`, seen in 2022.10.3).
fn changes_what_it_grew(model: &Model, operation: &Operation) -> bool {
    let (Operation::Write { path, .. } | Operation::Resize { path, .. }) = operation else {
        return false;
    };
    let by_itself = model
        .grown_by(path)
        .is_some_and(|who| who.contains(&Doer::Ntfs3g));
    by_itself && model.links(path) > 1
}

/// Names of that file at the start, of which the last two are refused, and in how many directories they lie.
const NAMES: usize = 1026;
const AMONG: usize = 5;

/// From this many names of one file on The Sleuth Kit is slow.
const CROWD: u64 = 200;

/// Gives one file as many names as it can have, and is refused two more.
fn crowd(script: &Path, image: &Path, model: &mut Model) -> Verdict {
    let directory = |at: usize| PathBuf::from(format!("/crowd {at}"));
    let first = directory(0).join("1");
    let mut operations: Vec<_> = (0..AMONG)
        .map(|at| Operation::MakeDirectory(directory(at)))
        .collect();
    operations.push(Operation::Create {
        path: first.clone(),
        size: 5000,
        seed: 3,
    });
    let names = (2..=NAMES).map(|at| directory(at % AMONG).join(format!("{at}")));
    operations.extend(names.map(|name| Operation::Link(first.clone(), name)));
    prepare(script, image, model, operations)
}

/// Lets our engine do some operations, each of which must end as in the model.
fn prepare(script: &Path, image: &Path, model: &mut Model, operations: Vec<Operation>) -> Verdict {
    let operations: Vec<_> = operations
        .into_iter()
        .map(|operation| {
            let outcome = model.apply(&operation);
            (operation, outcome)
        })
        .collect();
    ours(script, image, &operations)
}

/// Breaks the free space of a new volume, and then its table, into pieces of one cluster.
fn break_up(lab: &Lab, script: &Path, image: &Path, cluster: u32, model: &mut Model) -> Verdict {
    /// Clusters that stay free beside the pieces, for records and lists.
    const SPARE: u64 = 64;
    const ATTRIBUTE_LIST: u64 = 0x20;
    let json = |list: Vec<std::ffi::OsString>| -> Verdict<serde_json::Value> {
        lab.polylink(list)?.exits(&[0])?.json()
    };
    let step = cluster as usize;
    let grown = |path: String, at: usize| Operation::Write {
        path: path.into(),
        offset: at * step,
        size: step,
        seed: at % 251,
    };
    let create = |path: String, size: usize| Operation::Create {
        path: path.into(),
        size,
        seed: 7,
    };
    let mut operations = Vec::new();
    for pair in 0..GONE {
        let [kept, gone] = ["kept", "gone"].map(|name| format!("/{name}{pair}"));
        operations.extend([create(kept.clone(), 0), create(gone.clone(), 0)]);
        operations.extend((0..PIECES).flat_map(|at| [grown(kept.clone(), at), grown(gone.clone(), at)]));
    }
    prepare(script, image, model, operations)?;
    let info = json(args([&"ntfs", &"info", &"--json", &image]))?;
    let number = |field: &str| info[field].as_u64().unwrap_or(0);
    let free = number("clusters").saturating_sub(number("clusters_used"));
    let rest = free.saturating_sub(SPARE) * u64::from(cluster);
    let mut operations = vec![create("/rest".to_owned(), usize::try_from(rest).unwrap_or(0))];
    operations.extend((0..GONE).map(|pair| Operation::Remove(format!("/gone{pair}").into())));
    prepare(script, image, model, operations)?;
    let mut operations = vec![Operation::MakeDirectory("/files".into())];
    operations.extend((0..FILES).map(|at| create(format!("/files/{at}"), 0)));
    prepare(script, image, model, operations)?;
    let table = json(args([&"ntfs", &"record", &"--json", &image, &"0"]))?;
    let kinds = table["attributes"].as_array().map_or(&[][..], Vec::as_slice);
    ensure(
        kinds.iter().any(|attribute| attribute["kind"] == ATTRIBUTE_LIST),
        || format!("the table has no attribute list: {table}"),
    )
}

/// All turns on one volume; answers the names at the end and how many links were refused for the limit.
fn in_turns(
    lab: &Lab,
    script: &Path,
    shape: (Maker, u32, u32, u32),
    start: Start,
    seed: u64,
) -> Verdict<(usize, usize)> {
    let size = match start {
        Start::Empty | Start::Full => SIZE,
        Start::InPieces => SMALL,
    };
    let image = made(lab, shape, size)?;
    let point = lab.path("mounted");
    let (mut model, mut choice) = (Model::default(), Choices::new(seed));
    match start {
        Start::Empty => {}
        Start::InPieces => break_up(lab, script, &image, shape.2, &mut model)?,
        Start::Full => crowd(script, &image, &mut model)?,
    }
    if start != Start::Empty {
        agrees(lab, &image, shape, &mut model)
            .map_err(|stop| after(stop, &format!("the volume was made {start:?}")))?;
    }
    let mut refused = 0;
    for at in 0..start.turns() {
        if at % 2 == 0 {
            let operations = turn(&mut model, &mut choice, (Doer::Polylink, OPERATIONS), |_, _| true);
            let is_full = |(_, outcome): &&(Operation, Outcome)| *outcome == Outcome::TooManyLinks;
            refused += operations.iter().filter(is_full).count();
            ours(script, &image, &operations)?;
        } else {
            let allowed = |model: &Model, operation: &Operation| {
                posix(model, operation) && !changes_what_it_grew(model, operation)
            };
            let operations = turn(&mut model, &mut choice, (Doer::Ntfs3g, OPERATIONS), allowed);
            ntfs::mount(lab, &image, &point, "rw")?;
            for (operation, outcome) in &operations {
                theirs(&point, operation, *outcome)?;
            }
            lab.unmount(&point)?;
        }
        agrees(lab, &image, shape, &mut model)
            .and_then(|left| {
                ensure(left == 0, || {
                    format!("{left} files have runs that count for nothing")
                })
            })
            .map_err(|stop| after(stop, &format!("turn {at} on {shape:?}, seed {seed}")))?;
    }
    if shape.2 <= INDEX_BLOCK {
        lists(&image, &model).map_err(|stop| after(stop, "the last turn"))?;
    }
    fs::remove_file(&image)?;
    Ok((model.tree.len(), refused))
}

/// ntfs-3g and we change the same volumes in turns.
pub(crate) fn turns(lab: &Lab) -> Verdict {
    let script = build()?;
    let seed = lab.wanted_seed.unwrap_or(USUAL_SEED);
    say!("    --seed {seed}");
    let empty = SHAPES.map(|shape| (shape, Start::Empty));
    let others = [(SHAPES[0], Start::InPieces), (SHAPES[3], Start::Full)];
    for ((shape, start), further) in empty.into_iter().chain(others).zip(0..) {
        let began = std::time::Instant::now();
        let (names, refused) = in_turns(lab, &script, shape, start, seed.wrapping_add(further))?;
        say!(
            "    {shape:?}, {start:?}: {} operations in {} turns, {refused} links refused for the limit, {names} names at the \
             end, {:.1} s",
            start.turns() * OPERATIONS,
            start.turns(),
            began.elapsed().as_secs_f64()
        );
    }
    Ok(())
}
