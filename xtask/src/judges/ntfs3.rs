//! NTFS volumes that polylink and Linux's own driver, ntfs3, write in turns.
//!
//! Our engine edits several volumes. Then a small Linux starts in QEMU, with this very program in its memory: it mounts
//! each volume by ntfs3, looks at all of it, edits it, mounts it anew and looks again. Then everybody here must find what
//! the model holds, our engine edits once more, and so on.
//!
//! What is done follows from the seed alone, so both sides keep the model by themselves, and the machine's console has
//! only to tell how it ended.

mod guest;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use self::guest::Guest;
use super::lab::{Lab, ensure};
use super::ntfs_write::{
    Choices, Doer, Listed, Maker, Model, Operation, Outcome, SIZE, after, agrees, below, build, content,
    equals, made, ours, posix, theirs, turn,
};
use super::{Stop, Verdict};
use crate::judges::order::say;
use crate::shell::{self, Failure, Result};

/// Who makes the volume, and bytes of a sector, a cluster and a record.
type Shape = (Maker, u32, u32, u32);

///
/// No cluster is smaller than a page of memory. Where a record or an index block lies in several buffers of the kernel,
/// ntfs3 (`ntfs_write_bh`, seen in Linux 6.12) hands the first one to the disk before it has put there what the fix-up
/// took out of the others, and does not write it again: two bytes at the end of a sector are lost now and then, which
/// our audit finds as damage.
const SHAPES: [Shape; 4] = [
    (Maker::Polylink, 512, 4096, 1024),
    (Maker::Polylink, 512, 4096, 4096),
    (Maker::Polylink, 512, 65536, 1024),
    (Maker::Mkntfs, 512, 4096, 1024),
];

/// The longest name that ntfs3 gives on a volume with records of 4 KiB, in UTF-16 units.
///
/// A directory there can hold so much in its record that this and one long name more do not fit into the one index
/// block of 4 KiB that they move to. ntfs3 (`indx_insert_into_root`, seen in Linux 6.12) notices too late, answers
/// EINVAL, and leaves a directory that it cannot read any more.
const LONGEST_IN_LARGE_RECORDS: usize = 100;

/// Starts of the machine, and operations of a turn on one volume: 10,000 in all, since our turns are one more.
const STARTS: usize = 2;
const OPERATIONS: usize = 500;

/// What is played where no other seed is asked for: the faults of ntfs3 are not ours to find, and those that are known
/// here may not be all.
const USUAL_SEED: u64 = 1;

/// What the machine says last where ntfs3 found and did everything as it must be.
const ALL_DONE: &str = "ntfs3 and the model agree";

/// What a volume must hold, and what comes next.
struct Story {
    shape: Shape,
    model: Model,
    choice: Choices,
}

impl Story {
    fn all(seed: u64) -> Vec<Self> {
        let stories = SHAPES.into_iter().zip(0..).map(|(shape, further)| Self {
            shape,
            model: Model::default(),
            choice: Choices::new(seed.wrapping_add(further)),
        });
        stories.collect()
    }

    fn our_turn(&mut self) -> Vec<(Operation, Outcome)> {
        turn(
            &mut self.model,
            &mut self.choice,
            (Doer::Polylink, OPERATIONS),
            |_, _| true,
        )
    }

    fn their_turn(&mut self) -> Vec<(Operation, Outcome)> {
        let has_large_records = self.shape.3 > 1024;
        let allowed = |model: &Model, operation: &Operation| {
            let is_too_much = gives_long_name(operation) || has_many_names(model, operation);
            posix(model, operation)
                && !(has_large_records && is_too_much)
                && !changes_what_was_grown(model, operation)
        };
        turn(
            &mut self.model,
            &mut self.choice,
            (Doer::Ntfs3, OPERATIONS),
            allowed,
        )
    }
}

/// The most names of a file that ntfs3 changes on a volume with records of 4 KiB.
///
/// Where a record is full ntfs3 (`ni_create_attr_list`, seen in Linux 6.12) moves seven attributes at most out of it to
/// make room for the list, which is too few where names are many and short; it answers EINVAL and changes nothing.
const MOST_IN_LARGE_RECORDS: u64 = 12;

/// Whether a file has more names than ntfs3 can handle where records are large.
fn has_many_names(model: &Model, operation: &Operation) -> bool {
    let (Operation::Link(path, _)
    | Operation::Rename(path, _)
    | Operation::Replace(path, _)
    | Operation::Write { path, .. }
    | Operation::Resize { path, .. }) = operation
    else {
        return false;
    };
    model.links(path) > MOST_IN_LARGE_RECORDS
}

/// Whether a file is changed that was made longer without being written.
///
/// ntfs3 (seen in Linux 6.12) loses bytes then. Written, it has the new length and keeps the old length of what is
/// initialized (44 of 1,645 bytes, by `istat`), so that the rest reads as zeros after the next mount. Made shorter, a
/// file of 28 bytes that had been in its record, then 2,580 and then 569 bytes long, was all zeros.
fn changes_what_was_grown(model: &Model, operation: &Operation) -> bool {
    matches!(operation, Operation::Write { path, .. } | Operation::Resize { path, .. } if model.grown_by(path).is_some_and(|who| !who.is_empty()))
}

/// Whether a name comes into a directory that is too long for ntfs3 where records are large.
fn gives_long_name(operation: &Operation) -> bool {
    let (Operation::Create { path: new, .. }
    | Operation::MakeDirectory(new)
    | Operation::Link(_, new)
    | Operation::Rename(_, new)
    | Operation::Replace(_, new)) = operation
    else {
        return false;
    };
    let name = new.file_name().unwrap_or_default().to_string_lossy();
    name.encode_utf16().count() > LONGEST_IN_LARGE_RECORDS
}

/// ntfs3 and we change the same volumes in turns.
pub(crate) fn turns(lab: &Lab) -> Verdict {
    let guest = Guest::new(lab)?;
    let script = build()?;
    let seed = lab.wanted_seed.unwrap_or(USUAL_SEED);
    say!("    --seed {seed}");
    say!("    {}", guest.told());
    let mut volumes = Vec::new();
    for story in Story::all(seed) {
        volumes.push((made(lab, story.shape, SIZE)?, story));
    }
    let mut left = 0;
    for at in 0..=STARTS {
        let start = Instant::now();
        for (image, story) in &mut volumes {
            let operations = story.our_turn();
            let when = format!("our turn {at} on {:?}", story.shape);
            ours(&script, image, &operations)
                .and_then(|()| agrees(lab, image, story.shape, &mut story.model))
                .map_err(|stop| after(stop, &when))?;
        }
        let by_us = start.elapsed().as_secs_f64();
        if at == STARTS {
            say!("    our turn {at}: {by_us:.1} s");
            break;
        }
        let start = Instant::now();
        let images: Vec<&Path> = volumes.iter().map(|(image, _)| &**image).collect();
        let console = guest.run(
            lab,
            &["--seed", &seed.to_string(), "--start", &at.to_string()],
            &images,
        )?;
        ensure(console.contains(ALL_DONE), || {
            format!("turn {at} of ntfs3: the machine's console says\n{console}")
        })?;
        let in_machine = start.elapsed().as_secs_f64();
        for (image, story) in &mut volumes {
            story.their_turn();
            let when = format!("ntfs3's turn {at} on {:?}", story.shape);
            left += agrees(lab, image, story.shape, &mut story.model).map_err(|stop| after(stop, &when))?;
        }
        let both = start.elapsed().as_secs_f64();
        say!("    turn {at}: ours {by_us:.1} s, ntfs3's {both:.1} s, {in_machine:.1} s of it in the machine");
    }
    say!("    ntfs3 left runs that count for nothing in {left} files, which it had cut to nothing");
    for (image, story) in &volumes {
        say!(
            "    {:?}: {} names at the end",
            story.shape,
            story.model.tree.len()
        );
        fs::remove_file(image)?;
    }
    Ok(())
}

/// The program inside the machine: which turn is ntfs3's.
#[derive(clap::Args)]
pub(crate) struct Inside {
    #[arg(long)]
    seed: u64,
    #[arg(long)]
    start: usize,
}

/// Where the machine mounts a volume.
const POINT: &str = "/mnt";

/// The list of a mounted volume.
fn walked(dir: &Path, found: &mut BTreeMap<PathBuf, Listed>) -> Verdict {
    let at = |path: &Path, error: std::io::Error| Stop::Failed(format!("  {}: {error}", path.display()));
    for entry in fs::read_dir(dir).map_err(|error| at(dir, error))? {
        let path = entry.map_err(|error| at(dir, error))?.path();
        let metadata = fs::symlink_metadata(&path).map_err(|error| at(&path, error))?;
        let listed = Listed {
            is_directory: metadata.is_dir(),
            file: metadata.ino(),
            links: metadata.nlink(),
            size: metadata.len(),
        };
        found.insert(
            Path::new("/").join(path.strip_prefix(POINT).unwrap_or(&path)),
            listed,
        );
        if metadata.is_dir() {
            walked(&path, found)?;
        }
    }
    Ok(())
}

/// What ntfs3 shows is what the model holds.
fn shows(model: &mut Model) -> Verdict {
    let mut found = BTreeMap::new();
    walked(Path::new(POINT), &mut found)?;
    equals("ntfs3", model, &found)?;
    content("ntfs3", model, |path| {
        Ok(fs::read(below(Path::new(POINT), path))?)
    })?;
    model.changed.clear();
    Ok(())
}

fn mount(device: &str, options: &str) -> Verdict {
    let mut command = Command::new("mount");
    command.args(["-t", "ntfs3", "-o", options, device, POINT]);
    Ok(shell::output(&mut command).map(drop)?)
}

fn unmount() -> Verdict {
    Ok(shell::output(Command::new("umount").arg(POINT)).map(drop)?)
}

impl Inside {
    /// Looks at each volume by ntfs3, lets it do its turn there, and looks again.
    pub(crate) fn run(&self) -> Result {
        let mut failed = Vec::new();
        for (mut story, letter) in Story::all(self.seed).into_iter().zip('a'..) {
            if let Err(Stop::Failed(reason) | Stop::Skipped(reason)) =
                self.turn(&mut story, &format!("/dev/vd{letter}"))
            {
                failed.push(format!("{:?}:\n{reason}", story.shape));
                // what could not be done may be in the way of nothing else
                drop(unmount());
            }
        }
        if failed.is_empty() {
            say!("{ALL_DONE}");
            return Ok(());
        }
        Err(Failure(failed.join("\n")))
    }

    fn turn(&self, story: &mut Story, device: &str) -> Verdict {
        for _ in 0..self.start {
            story.our_turn();
            story.their_turn();
            story.model.changed.clear();
        }
        story.our_turn();
        mount(device, "ro")?;
        shows(&mut story.model).map_err(|stop| after(stop, "our turn"))?;
        unmount()?;
        mount(device, "rw")?;
        for (operation, outcome) in &story.their_turn() {
            theirs(Path::new(POINT), operation, *outcome)?;
        }
        unmount()?;
        mount(device, "ro")?;
        shows(&mut story.model).map_err(|stop| after(stop, "ntfs3's own turn"))?;
        unmount()
    }
}
