//! A power cut at any moment: every state that the device can be in is opened and audited.
//!
//! Between two flushes the device may have taken any of the writes and none. So each stretch between flushes is replayed
//! as every prefix of its writes, as every single one of them missing, and as random choices.

#![allow(
    clippy::print_stdout,
    reason = "people ask how many states there are, and how long they take"
)]

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use polylink_ntfs::check::{Issue, Severity};
use polylink_ntfs::{Catalog, Device, FileReference, MemDevice, Replace, WriteOptions, Writer};

use super::{blank, options, reopened, units};
use crate::check::audit;

mod format;
pub(super) mod random;

#[derive(Clone, Debug)]
pub(super) enum Event {
    Write(u64, Vec<u8>),
    Flush,
}

/// Writes down what reaches the device.
#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) device: Arc<MemDevice>,
    pub(super) events: Mutex<Vec<Event>>,
}

impl Device for Recorder {
    fn size(&self) -> u64 {
        self.device.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.device.read_at(offset, buffer)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.events
            .lock()
            .unwrap()
            .push(Event::Write(offset, data.to_vec()));
        self.device.write_at(offset, data)
    }

    fn flush(&self) -> io::Result<()> {
        self.events.lock().unwrap().push(Event::Flush);
        Ok(())
    }
}

/// What a cut may leave: names that no directory leads to, and space that nobody uses. A directory that moves has both
/// its names for a moment, and the copies of the first records lag behind.
pub(super) const LEAKS: &[&str] = &[
    "volume-dirty",
    "mirror-differs",
    "name-not-indexed",
    "directory-links",
    "parent-missing",
    "base-reference",
    "extension-unlisted",
    "cluster-marked-used",
    "record-marked-used",
    "block-unreachable",
];

/// Paths of each file, by its record and sequence number.
pub(super) fn paths(device: &Arc<MemDevice>) -> BTreeMap<FileReference, Vec<Vec<u8>>> {
    let volume = reopened(device);
    let catalog = Catalog::read(&volume).unwrap();
    let mut found: BTreeMap<FileReference, Vec<Vec<u8>>> = BTreeMap::new();
    let fs = polylink_ntfs::VolumeFs::new(Arc::new(reopened(device)));
    for index in catalog.files() {
        let row = catalog.file(index).unwrap();
        let names = found.entry(row.reference).or_default();
        for name in catalog.names_of(index).filter(polylink_ntfs::NameRow::is_link) {
            // a name counts where a directory leads to it
            if let Some(path) = catalog.path_of(&name)
                && let Ok(text) = std::str::from_utf8(&path)
                && fs
                    .find(std::path::Path::new(text))
                    .is_ok_and(|other| other == row.reference)
            {
                names.push(path);
            }
        }
    }
    found
}

fn random(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

/// Shows the device in every state that a cut may leave it in, and leaves it as it is at the end.
fn subsets(device: &MemDevice, events: &[Event], seed: &mut u64, look: &mut dyn FnMut()) {
    let mut stretch: Vec<(u64, &[u8])> = Vec::new();
    for event in events.iter().chain([&Event::Flush]) {
        if let Event::Write(offset, data) = event {
            stretch.push((*offset, data));
            continue;
        }
        let count = stretch.len();
        let mut with = |chosen: &dyn Fn(usize) -> bool| {
            let mut old = Vec::new();
            for (_, (offset, data)) in stretch.iter().enumerate().filter(|(index, _)| chosen(*index)) {
                let mut before = vec![0; data.len()];
                device.read_at(*offset, &mut before).unwrap();
                old.push((*offset, before));
                device.write_at(*offset, data).unwrap();
            }
            look();
            for (offset, before) in old.into_iter().rev() {
                device.write_at(offset, &before).unwrap();
            }
        };
        for end in 0..=count {
            with(&|index| index < end);
        }
        if count > 1 {
            for one in 0..count {
                with(&|index| index != one);
                with(&|index| index == one);
            }
            for _ in 0..count.min(12) {
                let bits = random(seed);
                with(&|index| bits >> (index % 64) & 1 != 0);
            }
        }
        for (offset, data) in stretch.drain(..) {
            device.write_at(offset, data).unwrap();
        }
    }
}

struct Replay {
    states: u64,
    seed: u64,
}

impl Replay {
    /// Opens and audits the device as a cut left it.
    fn state(
        &mut self,
        what: &str,
        device: &Arc<MemDevice>,
        lasting: &BTreeMap<FileReference, Vec<Vec<u8>>>,
    ) {
        self.states += 1;
        let (issues, _) = audit(&reopened(device));
        for issue in &issues {
            let leak = LEAKS.contains(&issue.kind_name()) || issue.severity() == Severity::Note;
            assert!(leak, "{what}: {issue}");
        }
        // whatever lasts has a name, and those that nobody touched are there
        if self.states.is_multiple_of(7) {
            let now = paths(device);
            for (file, names) in lasting {
                let found = now.get(file);
                assert!(
                    found.is_some_and(|found| !found.is_empty()),
                    "{what}: {file} has no name"
                );
                for name in names {
                    assert!(
                        found.is_some_and(|found| found.contains(name)),
                        "{what}: {file} lost a name"
                    );
                }
            }
        }
        // a repair makes it clean, and that repair may be cut off as well
        if self.states.is_multiple_of(20) {
            let cut = self.states.is_multiple_of(1000);
            super::fix::is_mended(what, &device.bytes(), lasting, cut);
        }
    }

    fn run(
        &mut self,
        what: &str,
        device: &Arc<MemDevice>,
        events: &[Event],
        lasting: &BTreeMap<FileReference, Vec<Vec<u8>>>,
    ) {
        let mut seed = self.seed;
        subsets(device, events, &mut seed, &mut || {
            self.state(what, device, lasting);
        });
        self.seed = seed;
    }
}

/// One step, done between two looks at what lasts.
pub(crate) type Step = (String, Box<dyn Fn(&Arc<Writer>)>);

pub(crate) fn at(writer: &Writer, path: &str) -> FileReference {
    super::find(writer, path).unwrap_or_else(|| panic!("{path}"))
}

fn steps(long: bool) -> Vec<Step> {
    let name = move |index: usize| {
        let text = format!("name {index:03}");
        units(&if long {
            format!("{text}{}", "x".repeat(200))
        } else {
            text
        })
    };
    vec![
        (
            "make directories".to_owned(),
            Box::new(|writer| {
                let root = writer.root().unwrap();
                for directory in ["a", "b", "c"] {
                    writer.make_directory(root, &units(directory)).unwrap();
                }
            }),
        ),
        (
            "make files".to_owned(),
            Box::new(move |writer| {
                let directory = at(writer, "a");
                for index in 0..40 {
                    let file = writer.create_file(directory, &name(index)).unwrap();
                    writer.write(file, &[], 0, &vec![7; index * 300]).unwrap();
                }
            }),
        ),
        (
            "link one file often".to_owned(),
            Box::new(move |writer| {
                let (directory, file) = (
                    at(writer, "b"),
                    writer.look_up(at(writer, "a"), &name(3)).unwrap().unwrap().file,
                );
                for index in 0..40 {
                    writer.link(file, directory, &name(index)).unwrap();
                }
            }),
        ),
        (
            "rename within a directory and beyond".to_owned(),
            Box::new(move |writer| {
                let (a, c) = (at(writer, "a"), at(writer, "c"));
                for index in 10..20 {
                    writer
                        .rename((a, &name(index)), (a, &name(index + 100)), Replace::Never)
                        .unwrap();
                }
                for index in 20..30 {
                    writer
                        .rename((a, &name(index)), (c, &name(index)), Replace::Never)
                        .unwrap();
                }
            }),
        ),
        (
            "rename over another file".to_owned(),
            Box::new(move |writer| {
                let (a, c) = (at(writer, "a"), at(writer, "c"));
                for index in 0..5 {
                    writer
                        .rename((a, &name(index + 110)), (c, &name(index + 20)), Replace::File)
                        .unwrap();
                }
                // over another name of itself, and into other case
                writer
                    .rename(
                        (at(writer, "b"), &name(0)),
                        (at(writer, "b"), &name(1)),
                        Replace::File,
                    )
                    .unwrap();
                let upper: Vec<u16> = name(5)
                    .iter()
                    .map(|unit| char::from_u32(u32::from(*unit)).unwrap().to_ascii_uppercase() as u16)
                    .collect();
                writer.rename((a, &name(5)), (a, &upper), Replace::Never).unwrap();
            }),
        ),
        (
            "move a directory".to_owned(),
            Box::new(|writer| {
                let root = writer.root().unwrap();
                writer
                    .rename(
                        (root, &units("b")),
                        (at(writer, "c"), &units("b")),
                        Replace::Never,
                    )
                    .unwrap();
            }),
        ),
        (
            "remove names".to_owned(),
            Box::new(move |writer| {
                let b = at(writer, "c/b");
                for index in (1..40).rev().step_by(2) {
                    writer.unlink(b, &name(index)).unwrap();
                }
                let a = at(writer, "a");
                for index in 30..40 {
                    writer.unlink(a, &name(index)).unwrap();
                }
            }),
        ),
        (
            "cut and stretch content".to_owned(),
            Box::new(move |writer| {
                let a = at(writer, "a");
                let file = writer.look_up(a, &name(9)).unwrap().unwrap().file;
                writer.set_size(file, &[], 50_000).unwrap();
                writer.write(file, &[], 40_000, b"far away").unwrap();
                writer.refresh(file).unwrap();
                let file = writer.look_up(a, &name(8)).unwrap().unwrap().file;
                writer.set_size(file, &[], 10).unwrap();
                writer.write(file, &units("stream"), 0, &[1; 5000]).unwrap();
            }),
        ),
        (
            "remove a whole tree".to_owned(),
            Box::new(move |writer| {
                let (c, b) = (at(writer, "c"), at(writer, "c/b"));
                for index in 0..40 {
                    if writer.look_up(b, &name(index)).unwrap().is_some() {
                        writer.unlink(b, &name(index)).unwrap();
                    }
                }
                writer.remove_directory(c, &units("b")).unwrap();
            }),
        ),
    ]
}

/// Cuts the power at every write of the steps, of which so many are done before the volume is closed, and answers how
/// many states that were.
pub(crate) fn replay_steps(cluster: u32, record: u32, steps: &[Step], at_once: usize) -> u64 {
    replay_on(&blank(8 << 20, cluster, record), steps, at_once)
}

/// The same on a volume that is there. What is wrong with it from the beginning may be wrong to the end.
pub(super) fn replay_on(device: &Arc<MemDevice>, steps: &[Step], at_once: usize) -> u64 {
    let start = Instant::now();
    let noise: Vec<&str> = audit(&reopened(device)).0.iter().map(Issue::kind_name).collect();
    let mut replay = Replay {
        states: 0,
        seed: 0x9E37_79B9_7F4A_7C15,
    };
    let write_options = WriteOptions {
        coalesce: false,
        ..options()
    };
    for batch in steps.chunks(at_once) {
        let base = Arc::new(MemDevice::new(device.bytes()));
        let before = paths(device);
        let what: Vec<_> = batch.iter().map(|(what, _)| what.as_str()).collect();
        let what = what.join("; ");
        let recorder = Arc::new(Recorder {
            device: device.clone(),
            events: Mutex::new(Vec::new()),
        });
        let writer = Arc::new(Writer::open(recorder.clone(), &write_options).unwrap());
        for (_, step) in batch {
            step(&writer);
        }
        writer.close().unwrap();
        let (mut issues, _) = audit(&reopened(device));
        issues.retain(|issue| !noise.contains(&issue.kind_name()));
        assert_eq!(issues, [], "{what}");
        let after = paths(device);
        // files that are there before and after have a name all the time, and the names that stay are there
        let lasting: BTreeMap<_, _> = before
            .iter()
            .filter_map(|(file, names)| {
                let later = after
                    .get(file)
                    .filter(|later| !later.is_empty() && !names.is_empty())?;
                let names = names
                    .iter()
                    .filter(|name| later.contains(name))
                    .cloned()
                    .collect();
                Some((*file, names))
            })
            .collect();
        let events = recorder.events.lock().unwrap().clone();
        replay.run(&what, &base, &events, &lasting);
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{} states in {seconds:.1} s", replay.states);
    replay.states
}

/// How many states each test goes through at least, those of `nt::crash` too: together 10,000 and more. They are several
/// tests so that several threads run them.
const LEAST: [(&str, u64); 7] = [
    ("short names", 1_000),
    ("long names", 1_100),
    ("small clusters", 1_400),
    ("one batch", 550),
    ("NT's calls", 500),
    ("random, one by one", 4_500),
    ("random, batches", 4_500),
];

pub(crate) fn least(what: &str) -> u64 {
    let found = LEAST.iter().find(|(other, _)| *other == what);
    found.unwrap_or_else(|| panic!("{what}")).1
}

#[test]
fn at_least_ten_thousand_states_are_looked_at() {
    let sum: u64 = LEAST.iter().map(|(_, least)| least).sum();
    assert!(sum >= 10_000, "{sum}");
}

#[test]
fn every_state_after_a_cut_is_sound() {
    for cluster in [4096, 1024] {
        let states = replay_steps(cluster, 1024, &steps(false), 1);
        assert!(states > least("short names"), "{states}");
    }
}

#[test]
fn every_state_with_long_names_is_sound() {
    let states = replay_steps(4096, 4096, &steps(true), 1);
    assert!(states > least("long names"), "{states}");
}

#[test]
fn every_state_with_small_clusters_is_sound() {
    let states = replay_steps(512, 1024, &steps(true), 1);
    assert!(states > least("small clusters"), "{states}");
}

#[test]
fn every_state_of_a_large_batch_is_sound() {
    let states = replay_steps(4096, 1024, &steps(false), usize::MAX);
    assert!(states > least("one batch"), "{states}");
}

#[test]
fn every_state_of_random_operations_is_sound() {
    let mut states = 0;
    for (seed, cluster, record, long) in [(1, 4096, 1024, false), (2, 512, 1024, true)] {
        states += replay_steps(cluster, record, &random::steps(seed, 80, long), 1);
    }
    assert!(states > least("random, one by one"), "{states}");
}

#[test]
fn every_state_of_random_batches_is_sound() {
    let mut states = 0;
    for (seed, cluster, record, long) in [(3, 4096, 1024, true), (4, 1024, 4096, false)] {
        states += replay_steps(cluster, record, &random::steps(seed, 150, long), 9);
    }
    assert!(states > least("random, batches"), "{states}");
}

/// A device that breaks at a write, or at a flush, and stays broken.
#[derive(Debug)]
struct Breaking {
    device: Arc<MemDevice>,
    left: Mutex<u64>,
}

impl Breaking {
    fn step(&self) -> io::Result<()> {
        let mut left = self.left.lock().unwrap();
        match left.checked_sub(1) {
            Some(rest) => {
                *left = rest;
                Ok(())
            }
            None => Err(io::Error::other("the cable is out")),
        }
    }
}

impl Device for Breaking {
    fn size(&self) -> u64 {
        self.device.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.device.read_at(offset, buffer)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.step()?;
        self.device.write_at(offset, data)
    }

    fn flush(&self) -> io::Result<()> {
        self.step()
    }
}

#[test]
fn a_write_that_fails_is_told_and_nothing_more_is_written() {
    let blank = blank(6 << 20, 4096, 1024);
    let mut done = false;
    for left in 0..10_000 {
        let device = Arc::new(MemDevice::new(blank.bytes()));
        let breaking = Arc::new(Breaking {
            device: device.clone(),
            left: Mutex::new(left),
        });
        let write_options = WriteOptions {
            coalesce: false,
            ..options()
        };
        let writer = Writer::open(breaking.clone(), &write_options).unwrap();
        let work = || -> polylink_ntfs::Result<()> {
            let root = writer.root()?;
            let directory = writer.make_directory(root, &units("directory"))?;
            let file = writer.create_file(directory, &units("file"))?;
            writer.write(file, &[], 0, &[1; 5000])?;
            for index in 0..20 {
                writer.link(file, root, &units(&format!("link {index}")))?;
            }
            writer.sync()?;
            writer.rename(
                (root, &units("link 3")),
                (directory, &units("link 4")),
                Replace::Never,
            )?;
            for index in 5..20 {
                writer.unlink(root, &units(&format!("link {index}")))?;
            }
            writer.close()
        };
        let outcome = work();
        let (issues, _) = audit(&reopened(&device));
        for issue in &issues {
            let leak = LEAKS.contains(&issue.kind_name()) || issue.severity() == Severity::Note;
            assert!(leak, "{left}: {issue}");
        }
        if outcome.is_ok() {
            assert_eq!(issues, []);
            done = true;
            break;
        }
        // it stays refused, even when the device is well again
        *breaking.left.lock().unwrap() = u64::MAX;
        let bytes = device.bytes();
        let refused = writer.sync().and_then(|()| {
            let root = writer.root()?;
            writer.create_file(root, &units("later")).map(|_| ())
        });
        assert!(
            matches!(refused, Err(polylink_ntfs::Error::Failed { .. })),
            "{left}: {refused:?}"
        );
        assert!(writer.close().is_err());
        assert_eq!(device.bytes(), bytes);
    }
    assert!(done);
}
