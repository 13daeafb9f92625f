//! `polylink link`.

mod foresee;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use polylink_core::{
    Existing, Fault, FaultKind, Kind, LinkFs as _, PathError, Replaced, ResultExt as _, Stat,
    replace_with_link, shown,
};
use polylink_host::door::{Door, link_through};
use polylink_host::facts;
use polylink_nt::NtStatus;
use polylink_ntfs::VolumeFs;
use serde::Serialize;

use super::Context;
use crate::args::DryRun;
use crate::error::{CommandError, Outcome};
use crate::format::counted;
use crate::image::{self, ChangeOption, Changing};
use crate::json::{self, JsonPath};
use crate::place::{self, Place};

/// Give a file one more name
///
/// Makes NEW a name of the file that EXISTING names: a hard link. Both are then equal, neither is a copy, and the file
/// stays until its last name goes. NEW may be a directory: the new name is then made in it, with the last part of
/// EXISTING.
///
/// A symbolic link EXISTING is linked itself; --follow links what it points at. A NEW that exists is refused, or with
/// --replace replaced in one step: at no moment is there no file under that name. Directories cannot be linked, and a
/// link never leads from one file system to another.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct LinkArgs {
    /// The name that exists
    existing: PathBuf,
    /// The name to make, or the directory to make it in
    new: PathBuf,
    /// Let NEW take the place of another file's name, atomically
    ///
    /// If that was the other file's last name, its data goes with it; a dry run says so.
    #[arg(long)]
    replace: bool,
    /// Link what a symbolic link points at, not the symbolic link itself
    #[arg(long)]
    follow: bool,
    /// Which of the system's calls makes the link
    #[arg(long, value_name = "CALL", default_value = "auto")]
    via: Via,
    #[command(flatten)]
    dry: DryRun,
    #[command(flatten)]
    image: ChangeOption,
}

const EXAMPLES: &str = "\
Examples:
  polylink link report.pdf archive/2007-report.pdf
  polylink link report.pdf archive/                 the same name in another directory
  polylink link --replace new.pdf report.pdf        report.pdf leads to the new file, without a gap
  polylink link -n --replace new.pdf report.pdf     what that would do
  polylink link --image disk.img /docs/a.pdf /b.pdf  in an NTFS volume that nothing has mounted";

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Via {
    /// The usual one here: create, and on Windows native with --replace
    Auto,
    /// link(2) on Unix, CreateHardLink on Windows
    Create,
    /// NtSetInformationFile with FileLinkInformation (Windows)
    Native,
    /// MoveFileEx with MOVEFILE_CREATE_HARDLINK (Windows)
    Move,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    command: &'static str,
    dry_run: bool,
    existing: JsonPath<'a>,
    new: JsonPath<'a>,
    done: &'static str,
    file_id: String,
    link_count: Option<u64>,
    replaced: Option<ReplacedFile>,
}

#[derive(Serialize)]
struct ReplacedFile {
    file_id: String,
    links_left: u64,
}

pub(super) fn run(context: &Context<'_>, args: &LinkArgs) -> Result<Outcome, CommandError> {
    let existing = if args.replace {
        Existing::Replace
    } else {
        Existing::Keep
    };
    if let Some(volume) = args.image.open(args.dry.dry_run)? {
        return in_volume(context, args, volume, existing);
    }
    let door = args.via.door(existing)?;
    if cfg!(windows) {
        by_door(context, args, door, existing)
    } else {
        by_handles(context, args, existing)
    }
}

impl Via {
    /// The call that is meant; what cannot be meant is said before anything is touched.
    fn door(self, on: Existing) -> Result<Door, CommandError> {
        let door = match (self, on) {
            (Self::Auto, Existing::Replace) if Door::Native.exists_here() => Door::Native,
            (Self::Auto | Self::Create, _) => Door::Create,
            (Self::Native, _) => Door::Native,
            (Self::Move, _) => Door::Move,
        };
        if !door.exists_here() {
            return Err(
                CommandError::cannot_start("'--via native' and '--via move' exist on Windows only")
                    .hint("'--via create' is the only call there is here, and what '--via auto' takes"),
            );
        }
        // on Unix a link never replaces either, and a rename does that; on Windows the calls themselves were chosen
        if cfg!(windows) && on == Existing::Replace && !door.can_replace() {
            return Err(CommandError::cannot_start(
                "'--via create' cannot replace: CreateHardLink never does",
            )
            .hint("'--via native' can, and is what '--via auto' takes with '--replace'"));
        }
        Ok(door)
    }
}

/// With directories held open, and by the rules of Unix.
fn by_handles(context: &Context<'_>, args: &LinkArgs, on: Existing) -> Result<Outcome, CommandError> {
    let fs = &context.fs;
    let existing_path = existing_path(&args.existing, args.follow).map_err(|e| context.explain(&e))?;
    let new_path = new_path(&existing_path, &args.new)?;
    let failed = |error: PathError| context.explain(&error);
    let between = |fault: Fault| between(args, &new_path, fault);
    if place::wants_dir(&new_path) {
        return Err(failed(between(FaultKind::NotFound.into())).hint(ENDS_IN_SEPARATOR));
    }
    let existing = Place::of(fs, &existing_path).map_err(|fault| failed(between(fault)))?;
    let new = Place::of(fs, &new_path).map_err(|fault| failed(between(fault)))?;
    let file = fs.stat(existing.at()).map_err(|fault| failed(between(fault)))?;
    if file.kind == Kind::Directory {
        return Err(failed(between(FaultKind::NotPermitted.into())));
    }
    let done = match on {
        _ if args.dry.dry_run => foresee::posix(fs, &file, &new, on),
        Existing::Replace => replace_with_link(fs, existing.at(), new.at()),
        Existing::Keep => fs.link(existing.at(), new.at()).map(|()| Replaced::Linked),
    }
    .map_err(|fault| failed(between(fault)))?;
    let links = if args.dry.dry_run {
        None
    } else {
        fs.stat(new.at()).ok().map(|stat| stat.links)
    };
    report(
        context,
        args,
        &Report {
            file,
            new: new_path,
            done,
            links,
        },
    )
}

/// Through one of NT's doors: what is refused, and in which order, is left to it.
fn by_door(
    context: &Context<'_>,
    args: &LinkArgs,
    door: Door,
    on: Existing,
) -> Result<Outcome, CommandError> {
    let fs = &context.fs;
    let existing = if args.follow || args.existing.file_name().is_none() {
        facts::absolute(&args.existing).map_err(|error| context.explain(&error))?
    } else {
        args.existing.clone()
    };
    let new = new_path(&existing, &args.new)?;
    let failed = |fault: Fault| {
        let refusal = between(args, &new, fault);
        if door == Door::Move && fault.kind() == FaultKind::Unsupported {
            return CommandError::from(refusal).hint(MOVES);
        }
        let failed = context.explain(&refusal);
        if place::wants_dir(&new) {
            failed.hint(ENDS_IN_SEPARATOR)
        } else {
            failed
        }
    };
    if args.dry.dry_run {
        let (file, done) = foresee::nt(fs, &existing, &new, on).map_err(failed)?;
        let links = None;
        return report(
            context,
            args,
            &Report {
                file,
                new,
                done,
                links,
            },
        );
    }
    // the native door ignores the attribute where the system lets it, for views must; who asks for one link is told
    if on == Existing::Replace && place::is_read_only(&new) {
        foresee::nt(fs, &existing, &new, on).map_err(failed)?;
    }
    let victim = match on {
        Existing::Replace => place::stat(fs, &new).ok(),
        Existing::Keep => None,
    };
    link_through(door, &existing, &new, on).map_err(failed)?;
    let file = place::stat(fs, &new).map_err(failed)?;
    let done = match victim {
        None => Replaced::Linked,
        Some(victim) if victim.id == file.id => Replaced::Same,
        Some(victim) => Replaced::Replaced(victim),
    };
    let links = Some(file.links);
    report(
        context,
        args,
        &Report {
            file,
            new,
            done,
            links,
        },
    )
}

/// In a volume that nothing has mounted. The doors are calls of a system, and there is none: they are all the same here.
fn in_volume(
    context: &Context<'_>,
    args: &LinkArgs,
    volume: Changing,
    on: Existing,
) -> Result<Outcome, CommandError> {
    let worked = link_in_volume(args, volume.fs(), on);
    report(context, args, &volume.finish(worked)?)
}

fn link_in_volume(args: &LinkArgs, fs: &VolumeFs, on: Existing) -> Result<Report, CommandError> {
    if args.follow {
        return Err(
            CommandError::cannot_start("symbolic links are not followed inside a volume")
                .hint("'polylink ntfs record' shows where one leads"),
        );
    }
    let new = image::target(fs, "link", &args.new, args.existing.file_name(), None)?;
    let failed = |fault: Fault| image::in_volume(&between(args, &new, fault));
    let from = Place::of(fs, &args.existing).map_err(failed)?;
    let to = Place::of(fs, &new).map_err(failed)?;
    let file = fs.stat(from.at()).map_err(failed)?;
    if file.kind == Kind::Directory {
        return Err(failed(NtStatus::FILE_IS_A_DIRECTORY.into()));
    }
    let done = match on {
        Existing::Replace => replace_with_link(fs, from.at(), to.at()),
        Existing::Keep => fs.link(from.at(), to.at()).map(|()| Replaced::Linked),
    };
    let done = done.map_err(|fault| match (fault.kind(), on) {
        (FaultKind::Exists, Existing::Keep) => {
            failed(fault).hint("--replace lets the new name take the place of what is there")
        }
        _ => failed(fault),
    })?;
    let links = if args.dry.dry_run {
        None
    } else {
        fs.stat(to.at()).ok().map(|stat| stat.links)
    };
    Ok(Report {
        file,
        new,
        done,
        links,
    })
}

const ENDS_IN_SEPARATOR: &str = "a name that ends in a separator is a directory, and there is none";
const MOVES: &str = "MoveFileEx renames here where it should link (as Wine's does): nothing was changed; '--via create' and \
     '--via native' make the link";

fn between(args: &LinkArgs, new: &Path, fault: Fault) -> PathError {
    PathError {
        action: "link",
        path: args.existing.clone(),
        to: Some(new.into()),
        fault,
    }
}

struct Report {
    file: Stat,
    new: PathBuf,
    done: Replaced,
    links: Option<u64>,
}

fn report(context: &Context<'_>, args: &LinkArgs, report: &Report) -> Result<Outcome, CommandError> {
    let (dry, ui) = (args.dry.dry_run, context.ui);
    let replaced = match report.done {
        Replaced::Replaced(victim) => Some(ReplacedFile {
            file_id: victim.id.to_string(),
            links_left: victim.links.saturating_sub(1),
        }),
        _ => None,
    };
    if ui.json() {
        ui.document(&Document {
            schema: json::SCHEMA,
            command: "link",
            dry_run: dry,
            existing: JsonPath(&args.existing),
            new: JsonPath(&report.new),
            done: match report.done {
                Replaced::Linked => "linked",
                Replaced::Replaced(_) => "replaced",
                Replaced::Same => "nothing",
            },
            file_id: report.file.id.to_string(),
            link_count: report.links,
            replaced,
        })?;
        return Ok(Outcome::Done);
    }
    let (new, existing) = (shown(&report.new), shown(&args.existing));
    let names = report.links.map_or_else(String::new, |n| {
        format!(", which has {}", counted(n, "name", "names"))
    });
    let line = match (report.done, dry) {
        (Replaced::Same, _) => format!("'{new}' is a name of '{existing}' already"),
        (Replaced::Linked, true) => format!("would link '{new}' to '{existing}'"),
        (Replaced::Linked, false) => format!("linked '{new}' to '{existing}'{names}"),
        (Replaced::Replaced(_), true) => format!("would replace '{new}' by a link to '{existing}'"),
        (Replaced::Replaced(_), false) => format!("replaced '{new}' by a link to '{existing}'{names}"),
    };
    ui.report(dry).line(&line)?;
    if let Some(victim) = &replaced {
        let fate = match (victim.links_left, dry) {
            (0, true) => "the file it names now has no other name: its data would go".into(),
            (0, false) => "the file it named had no other name: its data is gone".into(),
            (n, true) => format!(
                "the file it names now would keep {}",
                counted(n, "other name", "other names")
            ),
            (n, false) => format!(
                "the file it named keeps {}",
                counted(n, "other name", "other names")
            ),
        };
        ui.report(dry).line(&fate)?;
    }
    Ok(Outcome::Done)
}

fn existing_path(path: &Path, follow: bool) -> Result<PathBuf, PathError> {
    if follow || path.file_name().is_none() {
        return facts::absolute(path);
    }
    if place::wants_dir(path) && !place::is_dir(path) {
        return Err(Fault::of(FaultKind::NotDirectory)).at("link", path);
    }
    Ok(path.into())
}

/// As ln(1) has it: an existing directory is where the name is made.
fn new_path(existing: &Path, new: &Path) -> Result<PathBuf, CommandError> {
    if !place::is_dir(new) {
        return Ok(new.into());
    }
    match existing.file_name() {
        Some(name) => Ok(new.join(name)),
        None => Err(CommandError::cannot_start(format!(
            "'{}' has no name that could be used in '{}'",
            shown(existing),
            shown(new)
        ))
        .hint("give the new name in full")),
    }
}
