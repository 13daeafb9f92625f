//! `polylink ntfs put`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;
use polylink_core::{
    At, Dir, DirBatch, FileId, Kind, LinkFs as _, More, Name, NameBuf, PathError, Progress as _,
    ResultExt as _, Stat, shown, shown_name,
};
use polylink_host::facts;
use polylink_nt::NtStatus;
use polylink_nt::name::{Charset, check, wtf8_of_units};
use polylink_ntfs::{Error, FileReference, Times};
use serde::Serialize;

use super::change::{self, Failed, Spot, refused};
use crate::args::DryRun;
use crate::commands::Context;
use crate::error::{CommandError, Outcome};
use crate::format::counted;
use crate::image::{self, Changing, ImageChangeArgs};
use crate::json::{self, JsonPath};
use crate::place;
use crate::progress::Meter;

/// Copy files into a volume, hard links preserved
///
/// SOURCE is copied to DEST inside the volume; where DEST is an existing directory, into it under its own name. With -r
/// a directory is copied with all below it. A file with several names there is copied once, and its further names are
/// hard links again. Nothing that exists is replaced.
///
/// Times of creation and of the last change are kept. Symbolic links, sockets, pipes and devices are left out and
/// counted; rights are not copied. Exit code 1 says that something failed.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct PutArgs {
    #[command(flatten)]
    image: ImageChangeArgs,
    /// What to copy, on this system
    source: PathBuf,
    /// Where to copy it, inside the volume: a directory that exists, or a name that is free
    dest: PathBuf,
    /// Copy a directory with all below it
    #[arg(short, long)]
    recursive: bool,
    #[command(flatten)]
    dry: DryRun,
}

const EXAMPLES: &str = "\
Examples:
  polylink ntfs put disk.img report.pdf /docs
  polylink ntfs put -r disk.img ~/photos /
  polylink ntfs put -n -r disk.img ~/photos /   whether it fits, and what could not be copied";

#[derive(Default, Serialize)]
struct Tally {
    directories: u64,
    files: u64,
    links: u64,
    bytes: u64,
    symlinks_left_out: u64,
    special_left_out: u64,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    command: &'static str,
    dry_run: bool,
    destination: JsonPath<'a>,
    #[serde(flatten)]
    tally: &'a Tally,
    failures: &'a [Failed],
}

/// What is written at once.
const AT_ONCE: usize = 1 << 20;

struct Copy<'a> {
    context: &'a Context<'a>,
    image: &'a Path,
    volume: &'a Changing,
    dry_run: bool,
    /// The image, where it is a file: it is not copied into itself.
    own: Option<FileId>,
    /// Files with further names that were not met yet.
    copied: HashMap<FileId, (FileReference, u64)>,
    tally: Tally,
    failures: Vec<Failed>,
    buffer: Vec<u8>,
}

/// A directory that is being copied.
struct Level {
    host: PathBuf,
    dir: Dir,
    /// What is left of it, from the end.
    left: Vec<NameBuf>,
    made: FileReference,
    path: PathBuf,
    /// Times to give the directory when it is full; `None` for one that was there.
    times: Option<Times>,
}

pub(super) fn run(context: &Context<'_>, args: &PutArgs) -> Result<Outcome, CommandError> {
    let at_source = |error: PathError| context.explain(&error).before_start();
    let mut source = args.source.clone();
    let mut stat = place::stat(&context.fs, &source)
        .at("read", &source)
        .map_err(at_source)?;
    if stat.kind == Kind::Symlink {
        // one that was named is meant as what it leads to
        source = facts::absolute(&source).map_err(at_source)?;
        stat = place::stat(&context.fs, &source)
            .at("read", &source)
            .map_err(at_source)?;
    }
    if stat.kind == Kind::Directory && !args.recursive {
        return Err(
            CommandError::cannot_start(format!("'{}' is a directory", shown(&args.source)))
                .path(&args.source)
                .hint("'-r' copies it with all below it"),
        );
    }
    if stat.kind == Kind::Special {
        let text = format!("'{}' is neither a file nor a directory", shown(&args.source));
        return Err(CommandError::cannot_start(text).path(&args.source));
    }
    let volume = args.image.open(args.dry.dry_run)?;
    let own = facts::absolute(&args.image.image)
        .ok()
        .and_then(|image| place::stat(&context.fs, &image).ok())
        .filter(|image| image.kind == Kind::File);
    let mut copy = Copy {
        context,
        image: &args.image.image,
        volume: &volume,
        dry_run: args.dry.dry_run,
        own: own.map(|image| image.id),
        copied: HashMap::new(),
        tally: Tally::default(),
        failures: Vec::new(),
        buffer: vec![0; AT_ONCE],
    };
    let meter = context.meter();
    meter.begin("copying", None);
    let worked = copy.all(args, &source, &stat, &meter);
    meter.end();
    drop(meter);
    let Copy { tally, failures, .. } = copy;
    let dest = volume.finish(worked)?;
    report(context, args, &dest, &tally, &failures)
}

fn report(
    context: &Context<'_>,
    args: &PutArgs,
    dest: &Path,
    tally: &Tally,
    failures: &[Failed],
) -> Result<Outcome, CommandError> {
    let (ui, dry) = (context.ui, args.dry.dry_run);
    if ui.json() {
        ui.document(&Document {
            schema: json::SCHEMA,
            command: "ntfs put",
            dry_run: dry,
            destination: JsonPath(dest),
            tally,
            failures,
        })?;
        return Ok(change::outcome(failures));
    }
    let (copied, made) = if dry {
        ("would copy", "make")
    } else {
        ("copied", "made")
    };
    ui.report(dry).line(&format!(
        "{copied} {} with {}, and {made} {} and {}",
        counted(tally.files, "file", "files"),
        counted(tally.bytes, "byte", "bytes"),
        counted(tally.links, "hard link", "hard links"),
        counted(tally.directories, "directory", "directories"),
    ))?;
    if tally.symlinks_left_out + tally.special_left_out > 0 {
        ui.note(&format!(
            "left out: {} and {}",
            counted(tally.symlinks_left_out, "symbolic link", "symbolic links"),
            counted(tally.special_left_out, "special file", "special files"),
        ));
    }
    change::warn_of(context, "copied", failures);
    Ok(change::outcome(failures))
}

impl Copy<'_> {
    /// Copies the operand, and answers where it came to lie.
    fn all(
        &mut self,
        args: &PutArgs,
        source: &Path,
        stat: &Stat,
        meter: &Meter,
    ) -> Result<PathBuf, CommandError> {
        let fs = self.volume.fs();
        let name = args.source.file_name();
        let dest = image::target(fs, "copy to", &args.dest, name, None)?;
        let reached = image::look(fs, "copy to", &dest)?;
        if stat.kind == Kind::Directory && name.is_none() && reached.is_some() {
            // it has no name of its own: what is in it is copied
            let made = fs.find(&dest).at("copy to", &dest);
            let made = made.map_err(|error: PathError| image::in_volume(&error))?;
            let level = self.enter(source, made, &dest, None)?;
            self.tree(level, meter)?;
            return Ok(dest);
        }
        let spot = Spot::of(fs, &dest)
            .at("copy to", &dest)
            .map_err(|error: PathError| image::in_volume(&error).before_start())?;
        if reached.is_some() {
            let taken = Error::Refused(NtStatus::OBJECT_NAME_COLLISION);
            return Err(refused("copy to", &dest, None, &taken)
                .before_start()
                .hint("nothing that exists is replaced: give another name, or remove it first"));
        }
        if stat.kind == Kind::Directory {
            if let Some(made) = self.directory(source, &spot)? {
                let level = self.enter(source, made, &dest, Some(times(stat)))?;
                self.tree(level, meter)?;
            }
        } else {
            self.file(source, stat, &spot, meter)?;
        }
        Ok(dest)
    }

    fn fail(&mut self, host: &Path, reason: impl Into<String>, hint: Option<&str>) {
        self.failures.push(Failed::new(host, reason, hint));
    }

    /// Opens a directory of this system to copy what is in it.
    fn enter(
        &self,
        host: &Path,
        made: FileReference,
        path: &Path,
        times: Option<Times>,
    ) -> Result<Level, CommandError> {
        let fs = &self.context.fs;
        let dir = self.context.open_dir(host)?;
        Self::level(fs, dir, host, made, path, times)
            .at("read", host)
            .map_err(|error| self.context.explain(&error))
    }

    fn level(
        fs: &polylink_host::HostFs,
        dir: Dir,
        host: &Path,
        made: FileReference,
        path: &Path,
        times: Option<Times>,
    ) -> polylink_core::FsResult<Level> {
        let mut left = Vec::new();
        let mut batch = DirBatch::new();
        loop {
            let more = fs.read_dir(&dir, &mut batch)?;
            left.extend(batch.iter().map(|entry| entry.name.to_buf()));
            if more == More::No {
                break;
            }
        }
        left.sort_unstable_by(|a, b| b.bytes().cmp(a.bytes()));
        Ok(Level {
            host: host.into(),
            dir,
            left,
            made,
            path: path.into(),
            times,
        })
    }

    /// Copies what is in a directory, and all below it.
    fn tree(&mut self, first: Level, meter: &Meter) -> Result<(), CommandError> {
        let context = self.context;
        let mut levels = vec![first];
        while let Some(level) = levels.last_mut() {
            context.stop.check()?;
            let Some(name) = level.left.pop() else {
                if let Some(times) = level.times {
                    let made = level.made;
                    self.change(|volume| volume.writer().set_times(made, times))?;
                }
                levels.pop();
                continue;
            };
            let Some(text) = name.name().to_os() else { continue };
            let host = level.host.join(&text);
            let at = At::new(&level.dir, name.name());
            let stat = match context.fs.stat(at) {
                Ok(stat) => stat,
                Err(fault) => {
                    self.fail(&host, fault.to_string(), None);
                    continue;
                }
            };
            let units = match valid(name.name()) {
                Ok(units) => units,
                Err(reason) => {
                    self.fail(&host, reason, Some(RENAME));
                    continue;
                }
            };
            let spot = Spot {
                dir: level.made,
                name: units,
            };
            match stat.kind {
                Kind::Symlink => self.tally.symlinks_left_out += 1,
                Kind::File => self.file(&host, &stat, &spot, meter)?,
                Kind::Directory => {
                    let opened = context.fs.open_child(at);
                    let path = image::below(&level.path, &text);
                    let dir = match opened {
                        Ok(dir) => dir,
                        Err(fault) => {
                            self.fail(&host, fault.to_string(), None);
                            continue;
                        }
                    };
                    let Some(made) = self.directory(&host, &spot)? else {
                        continue;
                    };
                    match Self::level(&context.fs, dir, &host, made, &path, Some(times(&stat))) {
                        Ok(level) => levels.push(level),
                        Err(fault) => self.fail(&host, fault.to_string(), None),
                    }
                }
                _ => self.tally.special_left_out += 1,
            }
        }
        Ok(())
    }

    /// Does something to the volume that must not fail.
    fn change<T>(&self, work: impl FnOnce(&Changing) -> Result<T, Error>) -> Result<T, CommandError> {
        work(self.volume).map_err(|error| image::failed("write", self.image, &error))
    }

    /// Notes why a name could not be made.
    fn refuse(&mut self, host: &Path, spot: &Spot, error: Error) -> Result<(), CommandError> {
        if let Error::Refused(NtStatus::OBJECT_NAME_COLLISION) = &error {
            let found = self.change(|volume| volume.writer().look_up(spot.dir, &spot.name))?;
            if let Some(found) = found.filter(|found| found.name != spot.name) {
                let there = wtf8_of_units(&found.name);
                let reason = format!(
                    "'{}' is there, and on NTFS both are the same name",
                    shown_name(Name::new(&there))
                );
                self.fail(
                    host,
                    reason,
                    Some("rename one of them: case makes no difference on NTFS"),
                );
                return Ok(());
            }
        }
        let hint = match &error {
            Error::Refused(status) => image::advice((*status).into()),
            _ => None,
        };
        let reason = image::failure(self.image, error)?;
        self.fail(host, reason, hint);
        Ok(())
    }

    fn directory(&mut self, host: &Path, spot: &Spot) -> Result<Option<FileReference>, CommandError> {
        match self.volume.writer().make_directory(spot.dir, &spot.name) {
            Ok(made) => {
                self.tally.directories += 1;
                Ok(Some(made))
            }
            Err(error) => self.refuse(host, spot, error).map(|()| None),
        }
    }

    fn file(&mut self, host: &Path, stat: &Stat, spot: &Spot, meter: &Meter) -> Result<(), CommandError> {
        self.context.stop.check()?;
        if self.own == Some(stat.id) {
            self.fail(host, "it is the image itself", None);
            return Ok(());
        }
        let writer = self.volume.writer();
        if let Some((first, left)) = self.copied.get_mut(&stat.id) {
            match writer.link(*first, spot.dir, &spot.name) {
                Ok(()) => {
                    self.tally.links += 1;
                    *left = left.saturating_sub(1);
                    if *left == 0 {
                        self.copied.remove(&stat.id);
                    }
                    meter.advance(1);
                }
                Err(error) => self.refuse(host, spot, error)?,
            }
            return Ok(());
        }
        // before anything is made: what cannot be read leaves nothing
        let mut content = match File::open(host) {
            Ok(content) => content,
            Err(error) => {
                self.fail(host, error.to_string(), None);
                return Ok(());
            }
        };
        let file = match writer.create_file(spot.dir, &spot.name) {
            Ok(file) => file,
            Err(error) => return self.refuse(host, spot, error),
        };
        let undo = |copy: &Self| copy.change(|volume| volume.writer().unlink(spot.dir, &spot.name));
        match self.content(&mut content, file, stat) {
            Ok(bytes) => {
                self.tally.files += 1;
                self.tally.bytes += bytes;
                if stat.links > 1 {
                    self.copied.insert(stat.id, (file, stat.links - 1));
                }
                meter.advance(1);
                Ok(())
            }
            Err(Stopped::Here(reason)) => {
                undo(self)?;
                self.fail(host, reason, None);
                Ok(())
            }
            Err(Stopped::Volume(error)) => {
                if !change::is_final(&error) {
                    undo(self)?;
                }
                self.refuse(host, spot, error)
            }
            Err(Stopped::Wanted(error)) => {
                undo(self)?;
                Err(error)
            }
        }
    }

    /// Copies the content and gives the file its times.
    fn content(&mut self, from: &mut File, file: FileReference, stat: &Stat) -> Result<u64, Stopped> {
        let writer = self.volume.writer();
        // all of it in one piece, where there is such a piece
        writer.set_size(file, &[], stat.size)?;
        let mut offset = 0;
        if self.dry_run {
            offset = stat.size;
        } else {
            loop {
                self.context.stop.check().map_err(Stopped::Wanted)?;
                let read = fill(from, &mut self.buffer).map_err(|error| Stopped::Here(error.to_string()))?;
                if read == 0 {
                    break;
                }
                writer.write(file, &[], offset, &self.buffer[..read])?;
                offset += read as u64;
            }
            if offset < stat.size {
                // it became shorter meanwhile
                writer.set_size(file, &[], offset)?;
            }
        }
        writer.set_times(file, times(stat))?;
        Ok(offset)
    }
}

/// Why a file was not copied.
enum Stopped {
    /// It cannot be read here.
    Here(String),
    /// The volume refuses it.
    Volume(Error),
    /// The user wants to stop.
    Wanted(CommandError),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Volume(error)
    }
}

/// Reads until the buffer is full or there is no more.
fn fill(from: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

const RENAME: &str = "rename it here first: names on NTFS are Unicode, 1 to 255 UTF-16 units, without \" * / : < > ? \\ | and control characters";

/// A name of this system as the volume can have it.
fn valid(name: Name<'_>) -> Result<Vec<u16>, String> {
    let units =
        change::units(name).map_err(|_| "the name is not Unicode, and names on NTFS are".to_owned())?;
    check(&units, Charset::Win32).map_err(|error| error.to_string())?;
    Ok(units)
}

/// When it was made and changed.
fn times(stat: &Stat) -> Times {
    Times {
        created: stat.born.map(nt_time),
        modified: Some(nt_time(stat.modified)),
        ..Times::default()
    }
}

/// Nanoseconds since 1970 as 100 ns since 1601; what is before that is 1601.
fn nt_time(time: i128) -> u64 {
    const EPOCH: i128 = 116_444_736_000_000_000;
    u64::try_from(time.div_euclid(100).saturating_add(EPOCH).max(0)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_count_from_1601() {
        assert_eq!(nt_time(0), 116_444_736_000_000_000);
        assert_eq!(nt_time(-1), 116_444_735_999_999_999);
        assert_eq!(nt_time(100), 116_444_736_000_000_001);
        assert_eq!(nt_time(i128::MIN / 2), 0);
    }

    #[test]
    fn names_that_the_volume_cannot_hold_are_told_with_the_reason() {
        assert_eq!(valid(Name::new("a.jpg")).unwrap().len(), 5);
        for (name, reason) in [
            (&b"a:b"[..], "a name cannot hold ':', which is at place 2"),
            (b"\xFF", "the name is not Unicode, and names on NTFS are"),
            (
                &[b'x'; 256],
                "a name has at most 255 UTF-16 units, and this has 1 more",
            ),
        ] {
            assert_eq!(valid(Name::new(name)).unwrap_err(), reason);
        }
    }
}
