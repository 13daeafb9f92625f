//! Operations in no order, chosen beforehand: every kind that a writer can do, and what views and copies of trees do.

use std::path::Path;
use std::sync::Arc;

use polylink_core::{At, Existing, LinkFs as _, Name};
use polylink_ntfs::{FileReference, Replace, Times, VolumeFs, Writer};

use super::{Step, at};
use crate::write::{TIME, units};

/// Numbers that are the same each time.
pub(in crate::write) struct Random(pub(in crate::write) u64);

impl Random {
    pub(in crate::write) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }
}

/// A name, by the directory that it is in. No name is ever given twice, so that none can be gone and there again.
type Place = (&'static str, String);

#[derive(Clone, Debug)]
enum Op {
    Create(Place, usize),
    Link(Place, Place),
    Rename(Place, Place),
    Replace(Place, Place),
    Unlink(Place),
    Write(Place, u64, usize),
    Resize(Place, u64),
    Stream(Place, usize),
    RemoveStream(Place),
    Times(Place),
    ShortName(Place, String),
    MakeDirectory(Place),
    RemoveDirectory(Place),
    /// As a view replaces a name: a link under another name first, which is then renamed over it.
    ViewReplaces(Place, Place, Place),
}

const DIRECTORIES: [&str; 3] = ["", "one", "two"];

/// What the operations before have left.
#[derive(Default)]
struct Known {
    /// Each with the number of its file.
    names: Vec<(Place, usize)>,
    directories: Vec<Place>,
    streams: Vec<usize>,
    made: usize,
    files: usize,
}

impl Known {
    fn fresh(&mut self, random: &mut Random, long: bool) -> Place {
        self.made += 1;
        let tail = if long {
            "x".repeat(random.below(200))
        } else {
            String::new()
        };
        let name = format!("a name {:04}{tail}", self.made);
        (DIRECTORIES[random.below(DIRECTORIES.len())], name)
    }

    fn next(&mut self, random: &mut Random, long: bool) -> Op {
        let fresh = self.fresh(random, long);
        if self.names.len() < 6 {
            return self.create(fresh, random);
        }
        let chosen = random.below(self.names.len());
        let (place, file) = self.names[chosen].clone();
        match random.below(18) {
            0..3 => self.create(fresh, random),
            3..6 => {
                self.names.push((fresh.clone(), file));
                Op::Link(place, fresh)
            }
            6..8 => {
                self.names[chosen].0 = fresh.clone();
                Op::Rename(place, fresh)
            }
            kind @ 8..11 => {
                let others: Vec<usize> = (0..self.names.len())
                    .filter(|&other| self.names[other].1 != file)
                    .collect();
                let Some(&other) = others.get(random.below(others.len().max(1))) else {
                    return self.create(fresh, random);
                };
                let target = self.names[other].0.clone();
                self.names[other].1 = file;
                if kind == 8 {
                    return Op::ViewReplaces(place, fresh, target);
                }
                self.names.remove(chosen);
                Op::Replace(place, target)
            }
            11..13 => {
                self.names.remove(chosen);
                Op::Unlink(place)
            }
            13 => Op::Write(place, random.below(20_000) as u64, random.below(9_000)),
            14 => Op::Resize(place, random.below(30_000) as u64),
            15 => {
                if let Some(at) = self.streams.iter().position(|&other| other == file) {
                    self.streams.remove(at);
                    return Op::RemoveStream(place);
                }
                self.streams.push(file);
                Op::Stream(place, 1 + random.below(6_000))
            }
            16 => match random.below(3) {
                0 => Op::Times(place),
                1 => {
                    self.made += 1;
                    Op::ShortName(place, format!("S{}~1", self.made))
                }
                _ => Op::Times(place),
            },
            _ => match self.directories.pop() {
                Some(directory) => Op::RemoveDirectory(directory),
                None => {
                    self.directories.push(fresh.clone());
                    Op::MakeDirectory(fresh)
                }
            },
        }
    }

    fn create(&mut self, fresh: Place, random: &mut Random) -> Op {
        self.names.push((fresh.clone(), self.files));
        self.files += 1;
        Op::Create(fresh, random.below(3_000))
    }
}

fn file(writer: &Writer, (directory, name): &Place) -> FileReference {
    let directory = at(writer, directory);
    let entry = writer.look_up(directory, &units(name)).unwrap();
    entry.unwrap_or_else(|| panic!("{name}")).file
}

fn done(writer: &Arc<Writer>, op: &Op) -> polylink_ntfs::Result<()> {
    let directory = |place: &Place| at(writer, place.0);
    match op {
        Op::Create(place, len) => {
            let file = writer.create_file(directory(place), &units(&place.1))?;
            writer.write(file, &[], 0, &vec![7; *len])?;
            writer.refresh(file)
        }
        Op::Link(from, to) => writer.link(file(writer, from), directory(to), &units(&to.1)),
        Op::Rename(from, to) | Op::Replace(from, to) => {
            let replace = match op {
                Op::Replace(..) => Replace::File,
                _ => Replace::Never,
            };
            let (old, new) = (units(&from.1), units(&to.1));
            writer.rename((directory(from), &old), (directory(to), &new), replace)
        }
        Op::Unlink(place) => writer.unlink(directory(place), &units(&place.1)).map(drop),
        Op::Write(place, offset, len) => {
            let file = file(writer, place);
            writer.write(file, &[], *offset, &vec![9; *len])?;
            writer.refresh(file)
        }
        Op::Resize(place, size) => {
            let file = file(writer, place);
            writer.set_size(file, &[], *size)?;
            writer.refresh(file)
        }
        Op::Stream(place, len) => writer.write(file(writer, place), &units("stream"), 0, &vec![3; *len]),
        Op::RemoveStream(place) => writer.remove_stream(file(writer, place), &units("stream")),
        Op::Times(place) => {
            let times = Times {
                modified: Some(TIME + 77),
                ..Times::default()
            };
            writer.set_times(file(writer, place), times)
        }
        Op::ShortName(place, short) => {
            writer.set_short_name(directory(place), &units(&place.1), Some(&units(short)))
        }
        Op::MakeDirectory(place) => writer
            .make_directory(directory(place), &units(&place.1))
            .map(drop),
        Op::RemoveDirectory(place) => writer.remove_directory(directory(place), &units(&place.1)),
        Op::ViewReplaces(source, other, target) => {
            let fs = VolumeFs::writing(writer.clone())?;
            let open = |place: &Place| fs.open_dir(&Path::new("/").join(place.0)).unwrap();
            let (from, to) = (open(source), open(target));
            let other = Name::new(other.1.as_bytes());
            fs.link(
                At::new(&from, Name::new(source.1.as_bytes())),
                At::new(&to, other),
            )
            .unwrap();
            let target = At::new(&to, Name::new(target.1.as_bytes()));
            fs.rename(At::new(&to, other), target, Existing::Replace).unwrap();
            Ok(())
        }
    }
}

/// So many operations, the first of which makes the directories.
pub(super) fn steps(seed: u64, count: usize, long: bool) -> Vec<Step> {
    let mut random = Random(seed);
    let mut known = Known::default();
    let mut steps: Vec<Step> = vec![(
        "make directories".to_owned(),
        Box::new(|writer| {
            let root = writer.root().unwrap();
            for directory in &DIRECTORIES[1..] {
                writer.make_directory(root, &units(directory)).unwrap();
            }
        }),
    )];
    for index in 0..count {
        let op = known.next(&mut random, long);
        let what = format!("seed {seed}, operation {index}: {op:?}");
        let run = move |writer: &Arc<Writer>| match done(writer, &op) {
            Ok(()) => {}
            // a name that has one already, or that is one
            Err(polylink_ntfs::Error::Refused(_)) if matches!(op, Op::ShortName(..)) => {}
            Err(error) => panic!("{op:?}: {error}"),
        };
        steps.push((what, Box::new(run)));
    }
    steps
}
