//! `polylink ntfs mkdir`.

use std::path::{Path, PathBuf};

use clap::Args;
use polylink_core::{Kind, PathError, ResultExt as _, shown};
use polylink_nt::NtStatus;
use serde::Serialize;

use super::change::{self, Failed, Spot, is_final, refused};
use crate::args::DryRun;
use crate::commands::Context;
use crate::error::{CommandError, Outcome};
use crate::image::{self, Changing, ImageChangeArgs, in_volume};
use crate::json::{self, JsonPath};

/// Make directories in a volume
///
/// Nothing needs to be mounted. Exit code 1 says that a directory could not be made.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct MkdirArgs {
    #[command(flatten)]
    image: ImageChangeArgs,
    /// The directories to make
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Make the directories above as well, and take what is there already
    #[arg(short, long)]
    parents: bool,
    #[command(flatten)]
    dry: DryRun,
}

const EXAMPLES: &str = "\
Examples:
  polylink ntfs mkdir disk.img /photos
  polylink ntfs mkdir -p disk.img /photos/2007/02";

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    command: &'static str,
    dry_run: bool,
    made: Vec<JsonPath<'a>>,
    failures: Vec<Failed>,
}

pub(super) fn run(context: &Context<'_>, args: &MkdirArgs) -> Result<Outcome, CommandError> {
    let volume = args.image.open(args.dry.dry_run)?;
    let worked = make_all(context, args, &volume);
    let (made, failures) = volume.finish(worked)?;
    let ui = context.ui;
    if ui.json() {
        ui.document(&Document {
            schema: json::SCHEMA,
            command: "ntfs mkdir",
            dry_run: args.dry.dry_run,
            made: made.iter().map(|path| JsonPath(path)).collect(),
            failures: failures.clone(),
        })?;
    } else {
        let done = if args.dry.dry_run { "would make" } else { "made" };
        for path in &made {
            ui.report(args.dry.dry_run)
                .line(&format!("{done} '{}'", shown(path)))?;
        }
        change::warn_of(context, "made", &failures);
    }
    Ok(change::outcome(&failures))
}

type Done = (Vec<PathBuf>, Vec<Failed>);

fn make_all(context: &Context<'_>, args: &MkdirArgs, volume: &Changing) -> Result<Done, CommandError> {
    let (mut made, mut failures) = (Vec::new(), Vec::new());
    for path in &args.paths {
        context.stop.check()?;
        let result = if args.parents {
            with_parents(volume, path, &mut made)
        } else {
            make(volume, path).map(|()| made.push(path.clone()))
        };
        match result {
            Ok(()) => {}
            // what was asked for alone fails as a whole
            Err((error, stop)) if stop || args.paths.len() == 1 => return Err(error),
            Err((error, _)) => failures.push(Failed::new(
                path,
                error.causes.first().cloned().unwrap_or(error.message),
                error.hints.first().map(String::as_str),
            )),
        }
    }
    Ok((made, failures))
}

/// An error, and whether it ends the work.
type Refusal = (CommandError, bool);

fn make(volume: &Changing, path: &Path) -> Result<(), Refusal> {
    let spot = Spot::of(volume.fs(), path)
        .at("make", path)
        .map_err(|error: PathError| (in_volume(&error), false))?;
    match volume.writer().make_directory(spot.dir, &spot.name) {
        Ok(_) => Ok(()),
        Err(error) => Err((refused("make", path, None, &error), is_final(&error))),
    }
}

fn with_parents(volume: &Changing, path: &Path, made: &mut Vec<PathBuf>) -> Result<(), Refusal> {
    let mut above: Vec<&Path> = path
        .ancestors()
        .filter(|path| path.file_name().is_some())
        .collect();
    above.reverse();
    for dir in above {
        match image::look(volume.fs(), "make", dir).map_err(|error| (error, false))? {
            Some(there) if there.kind == Kind::Directory => {}
            Some(_) => {
                let error = NtStatus::OBJECT_NAME_COLLISION.into();
                return Err((refused("make", dir, None, &error), false));
            }
            None => {
                make(volume, dir)?;
                made.push(dir.into());
            }
        }
    }
    Ok(())
}
