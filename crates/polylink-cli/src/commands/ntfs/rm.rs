//! `polylink ntfs rm`.

use std::path::{Path, PathBuf};

use clap::Args;
use polylink_core::{
    DirBatch, Kind, LinkFs as _, More, NameBuf, PathError, Progress as _, ResultExt as _, shown,
};
use polylink_nt::NtStatus;
use polylink_ntfs::{Error, FileReference, RecordNumber};
use serde::Serialize;

use super::change::{self, Failed, Spot};
use crate::args::DryRun;
use crate::commands::Context;
use crate::error::{CommandError, Outcome};
use crate::format::counted;
use crate::image::{self, Changing, ImageChangeArgs, in_volume};
use crate::json;
use crate::progress::Meter;

/// Remove names, and with -r whole directories, from a volume
///
/// A file goes with its last name; how many went is said. Nothing is asked: a dry run tells first. All operands are
/// looked at before anything is removed. Exit code 1 says that something could not be removed.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct RmArgs {
    #[command(flatten)]
    image: ImageChangeArgs,
    /// The names to remove
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Remove directories with all below them
    #[arg(short, long)]
    recursive: bool,
    #[command(flatten)]
    dry: DryRun,
}

const EXAMPLES: &str = "\
Examples:
  polylink ntfs rm disk.img /photos/img_1.jpg
  polylink ntfs rm -n -r disk.img /photos/2007   how many files would go with that
  polylink ntfs rm -r disk.img /photos/2007";

#[derive(Serialize)]
struct Document {
    schema: u32,
    command: &'static str,
    dry_run: bool,
    #[serde(flatten)]
    tally: Tally,
    failures: Vec<Failed>,
}

#[derive(Default, Serialize)]
struct Tally {
    names: u64,
    directories: u64,
    files_gone: u64,
}

pub(super) fn run(context: &Context<'_>, args: &RmArgs) -> Result<Outcome, CommandError> {
    let volume = args.image.open(args.dry.dry_run)?;
    let worked = look_first(args, &volume).and_then(|()| remove_all(context, args, &volume));
    let Removed { tally, failures } = volume.finish(worked)?;
    let outcome = change::outcome(&failures);
    let (ui, dry) = (context.ui, args.dry.dry_run);
    if ui.json() {
        ui.document(&Document {
            schema: json::SCHEMA,
            command: "ntfs rm",
            dry_run: dry,
            tally,
            failures,
        })?;
        return Ok(outcome);
    }
    ui.report(dry).line(&format!(
        "{} {} and {}",
        if dry { "would remove" } else { "removed" },
        counted(tally.names, "name", "names"),
        counted(tally.directories, "directory", "directories"),
    ))?;
    ui.report(dry).line(&match (tally.files_gone, dry) {
        (0, true) => "no file would go: each has a name elsewhere".to_owned(),
        (0, false) => "no file is gone: each has a name elsewhere".to_owned(),
        (n, true) => format!("{} would go with the last name", counted(n, "file", "files")),
        (1, false) => "1 file is gone with its last name".to_owned(),
        (n, false) => format!("{} are gone with their last names", counted(n, "file", "files")),
    })?;
    change::warn_of(context, "removed", &failures);
    Ok(outcome)
}

/// What can be known to fail is said before anything is removed.
fn look_first(args: &RmArgs, volume: &Changing) -> Result<(), CommandError> {
    let fs = volume.fs();
    for path in &args.paths {
        let refuse = |text: String| CommandError::cannot_start(text).path(path);
        let found = fs
            .find(path)
            .at("remove", path)
            .map_err(|error: PathError| in_volume(&error).before_start())?;
        if found.record() == RecordNumber::ROOT {
            return Err(refuse("the root directory cannot be removed".to_owned())
                .hint("'polylink ntfs format --force' makes an empty volume"));
        }
        if found.record() < RecordNumber::FIRST_SPARE {
            return Err(refuse(format!("'{}' belongs to the volume itself", shown(path))));
        }
        let stat = image::look(fs, "remove", path)?;
        if stat.is_some_and(|stat| stat.kind == Kind::Directory) && !args.recursive {
            return Err(
                refuse(format!("'{}' is a directory", shown(path))).hint("'-r' removes it with all below it")
            );
        }
    }
    Ok(())
}

/// What a run came to.
struct Removed {
    tally: Tally,
    failures: Vec<Failed>,
}

struct Removing<'a> {
    context: &'a Context<'a>,
    image: &'a Path,
    volume: &'a Changing,
    tally: Tally,
    failures: Vec<Failed>,
}

fn remove_all<'a>(
    context: &'a Context<'a>,
    args: &'a RmArgs,
    volume: &'a Changing,
) -> Result<Removed, CommandError> {
    let mut removing = Removing {
        context,
        image: &args.image.image,
        volume,
        tally: Tally::default(),
        failures: Vec::new(),
    };
    let meter = context.meter();
    meter.begin("removing", None);
    for path in &args.paths {
        let spot = Spot::of(volume.fs(), path).at("remove", path);
        let spot = spot.map_err(|error: PathError| in_volume(&error))?;
        match image::look(volume.fs(), "remove", path)? {
            Some(stat) if stat.kind == Kind::Directory => removing.tree(path, spot, &meter)?,
            Some(_) => {
                removing.name(path, &spot, &meter)?;
            }
            // it went with another operand
            None => removing.fail(path, NtStatus::OBJECT_NAME_NOT_FOUND.into())?,
        }
    }
    meter.end();
    Ok(Removed {
        tally: removing.tally,
        failures: removing.failures,
    })
}

/// A directory that is being emptied.
struct Level {
    path: PathBuf,
    spot: Spot,
    left: Vec<(NameBuf, Kind)>,
    /// The directory itself.
    dir: FileReference,
    /// Something in it could not be removed.
    stays: bool,
}

impl Removing<'_> {
    fn fail(&mut self, path: &Path, error: Error) -> Result<(), CommandError> {
        let hint = match &error {
            Error::Refused(status) => image::advice((*status).into()),
            _ => None,
        };
        let reason = image::failure(self.image, error)?;
        self.failures.push(Failed::new(path, reason, hint));
        Ok(())
    }

    /// Removes a name that is no directory's; answers whether it is gone.
    fn name(&mut self, path: &Path, spot: &Spot, meter: &Meter) -> Result<bool, CommandError> {
        self.context.stop.check()?;
        let writer = self.volume.writer();
        match writer.unlink(spot.dir, &spot.name) {
            Ok(unlinked) => {
                self.tally.names += 1;
                self.tally.files_gone += u64::from(unlinked.last);
            }
            // a link to a directory: an empty directory itself
            Err(Error::Refused(NtStatus::FILE_IS_A_DIRECTORY)) => {
                match writer.remove_directory(spot.dir, &spot.name) {
                    Ok(()) => self.tally.names += 1,
                    Err(error) => return self.fail(path, error).map(|()| false),
                }
            }
            Err(error) => return self.fail(path, error).map(|()| false),
        }
        meter.advance(1);
        Ok(true)
    }

    fn enter(&self, path: PathBuf, spot: Spot) -> Result<Level, PathError> {
        let fs = self.volume.fs();
        let open = || {
            let dir = fs.open_dir(&path)?;
            let reference = fs.find(&path)?;
            let mut left = Vec::new();
            let mut batch = DirBatch::new();
            loop {
                let more = fs.read_dir(&dir, &mut batch)?;
                left.extend(batch.iter().map(|entry| (entry.name.to_buf(), entry.kind)));
                if more == More::No {
                    return Ok((reference, left));
                }
            }
        };
        let (dir, left) = open().at("read", &path)?;
        Ok(Level {
            path,
            spot,
            left,
            dir,
            stays: false,
        })
    }

    /// Removes a directory with all below it, each directory after what is in it.
    fn tree(&mut self, path: &Path, spot: Spot, meter: &Meter) -> Result<(), CommandError> {
        let first = self.enter(path.into(), spot).map_err(|error| in_volume(&error))?;
        let mut levels = vec![first];
        while let Some(level) = levels.last_mut() {
            if let Some((name, kind)) = level.left.pop() {
                let Some(text) = name.name().to_os() else {
                    // unpaired surrogates cannot stand in a path of this system, and need not
                    level.stays = true;
                    let path = level.path.clone();
                    self.fail(&path, NtStatus::OBJECT_NAME_INVALID.into())?;
                    continue;
                };
                let path = image::below(&level.path, &text);
                let spot = match change::units(name.name()) {
                    Ok(name) => Spot { dir: level.dir, name },
                    Err(fault) => {
                        level.stays = true;
                        self.failures.push(Failed::new(&path, fault.to_string(), None));
                        continue;
                    }
                };
                if kind == Kind::Directory {
                    match self.enter(path.clone(), spot) {
                        Ok(below) => levels.push(below),
                        Err(error) => {
                            self.failures
                                .push(Failed::new(&path, error.fault.to_string(), None));
                            if let Some(level) = levels.last_mut() {
                                level.stays = true;
                            }
                        }
                    }
                } else if !self.name(&path, &spot, meter)?
                    && let Some(level) = levels.last_mut()
                {
                    level.stays = true;
                }
                continue;
            }
            let Some(level) = levels.pop() else { break };
            let gone = !level.stays && self.directory(&level, meter)?;
            if let Some(above) = levels.last_mut() {
                above.stays |= !gone;
            }
        }
        Ok(())
    }

    fn directory(&mut self, level: &Level, meter: &Meter) -> Result<bool, CommandError> {
        self.context.stop.check()?;
        let writer = self.volume.writer();
        match writer.remove_directory(level.spot.dir, &level.spot.name) {
            Ok(()) => {
                self.tally.directories += 1;
                meter.advance(1);
                Ok(true)
            }
            Err(error) => self.fail(&level.path, error).map(|()| false),
        }
    }
}
