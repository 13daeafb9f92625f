//! `polylink ntfs mv`.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::Args;
use polylink_core::{FsResult, Kind, Name, PathError, ResultExt as _, Stat, shown};
use polylink_nt::NtStatus;
use polylink_nt::name::wtf8_of_units;
use polylink_ntfs::Replace;
use serde::Serialize;

use super::change::{Spot, refused};
use crate::args::DryRun;
use crate::commands::Context;
use crate::error::{CommandError, Outcome};
use crate::format::counted;
use crate::image::{self, Changing, ImageChangeArgs, in_volume};
use crate::json::{self, JsonPath};

/// Rename a file or a directory in a volume, or move it
///
/// Where NEW is an existing directory, OLD goes into it under its own name. The file keeps its other names; only this
/// one changes. A NEW that exists is refused, or with --replace loses its name to OLD in one step: at no moment does
/// the file have no name, whatever happens meanwhile.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct MvArgs {
    #[command(flatten)]
    image: ImageChangeArgs,
    /// The name that exists
    old: PathBuf,
    /// The name to give it, or the directory to move it into
    new: PathBuf,
    /// Let OLD take the place of another file's name, atomically
    ///
    /// If that was the other file's last name, its data goes with it; a dry run says so.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    dry: DryRun,
}

const EXAMPLES: &str = "\
Examples:
  polylink ntfs mv disk.img /photos/img_1.jpg /photos/beach.jpg
  polylink ntfs mv disk.img /photos/2007 /archive
  polylink ntfs mv -n --replace disk.img /new.txt /old.txt   what that would do";

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    command: &'static str,
    dry_run: bool,
    old: JsonPath<'a>,
    new: JsonPath<'a>,
    file_id: String,
    replaced: Option<Replaced>,
}

#[derive(Serialize)]
struct Replaced {
    file_id: String,
    links_left: u64,
}

pub(super) fn run(context: &Context<'_>, args: &MvArgs) -> Result<Outcome, CommandError> {
    let volume = args.image.open(args.dry.dry_run)?;
    let worked = rename(args, &volume);
    let (new, file, victim) = volume.finish(worked)?;
    let replaced = victim.map(|victim| Replaced {
        file_id: victim.id.to_string(),
        links_left: victim.links.saturating_sub(1),
    });
    let (dry, ui) = (args.dry.dry_run, context.ui);
    if ui.json() {
        ui.document(&Document {
            schema: json::SCHEMA,
            command: "ntfs mv",
            dry_run: dry,
            old: JsonPath(&args.old),
            new: JsonPath(&new),
            file_id: file.id.to_string(),
            replaced,
        })?;
        return Ok(Outcome::Done);
    }
    let done = if dry { "would rename" } else { "renamed" };
    ui.report(dry)
        .line(&format!("{done} '{}' to '{}'", shown(&args.old), shown(&new)))?;
    if let Some(victim) = replaced {
        ui.report(dry).line(&match (victim.links_left, dry) {
            (0, true) => "the file that has this name now has no other: its data would go".to_owned(),
            (0, false) => "the file that had this name had no other: its data is gone".to_owned(),
            (n, true) => format!(
                "the file that has this name now would keep {}",
                counted(n, "other name", "other names")
            ),
            (n, false) => format!(
                "the file that had this name keeps {}",
                counted(n, "other name", "other names")
            ),
        })?;
    }
    Ok(Outcome::Done)
}

fn rename(args: &MvArgs, volume: &Changing) -> Result<(PathBuf, Stat, Option<Stat>), CommandError> {
    let fs = volume.fs();
    let missing = NtStatus::OBJECT_NAME_NOT_FOUND.into();
    let Some(file) = image::look(fs, "rename", &args.old)? else {
        return Err(refused("rename", &args.old, None, &missing));
    };
    let Some(name) = args.old.file_name() else {
        return Err(CommandError::cannot_start("the root directory has no name to change").path(&args.old));
    };
    let between = |result: FsResult<Spot>, new: &Path| {
        result
            .between("rename", &args.old, new)
            .map_err(|error: PathError| in_volume(&error))
    };
    let from = between(Spot::of(fs, &args.old), &args.new)?;
    let name = as_it_stands(volume, &from, name);
    let new = image::target(fs, "rename", &args.new, Some(&name), Some(file))?;
    let to = between(Spot::of(fs, &new), &new)?;
    let there = image::look(fs, "rename", &new)?.filter(|there| there.id != file.id);
    let replace = if args.replace {
        Replace::File
    } else {
        Replace::Never
    };
    let renamed = volume
        .writer()
        .rename((from.dir, &from.name), (to.dir, &to.name), replace);
    renamed.map_err(|error| {
        let failed = refused("rename", &args.old, Some(&new), &error);
        match there {
            Some(there) if there.kind == Kind::Directory => failed.hint("a directory is never replaced"),
            None if file.kind == Kind::Directory && new.starts_with(&args.old) => {
                failed.hint("a directory cannot go into itself")
            }
            Some(_) if !args.replace => failed.hint("--replace lets it take the place of what is there"),
            _ => failed,
        }
    })?;
    Ok((new, file, there))
}

/// The name as the directory has it, where it was given in other case: a move changes the directory only.
fn as_it_stands(volume: &Changing, from: &Spot, given: &OsStr) -> OsString {
    let stands = volume.writer().look_up(from.dir, &from.name).ok().flatten();
    let stands = stands.map(|entry| wtf8_of_units(&entry.name));
    let stands = stands.as_deref().and_then(|name| Name::new(name).to_os());
    match stands {
        // an 8.3 name stands for a longer one, and is nothing to keep
        Some(stands) if stands.to_string_lossy().to_lowercase() == given.to_string_lossy().to_lowercase() => {
            stands.into_owned()
        }
        _ => given.to_owned(),
    }
}
