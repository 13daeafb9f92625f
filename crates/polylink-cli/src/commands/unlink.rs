//! `polylink unlink`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::Args;
use polylink_core::{FaultKind, FileId, Kind, PathError, ResultExt as _, Stat, shown};
use polylink_host::facts;
use serde::Serialize;

use super::flat::Site;
use super::{Context, names};
use crate::args::DryRun;
use crate::error::{CommandError, Outcome};
use crate::format::{count, counted, size};
use crate::image::ChangeOption;
use crate::json::{self, JsonPath};
use crate::place::Place;

/// Remove names, and ask before a file goes with its last one
///
/// Each NAME is removed; the file stays as long as it has another name. Where a NAME is the last one of its file, its
/// data would go with it: then you are asked, unless --yes says so beforehand. All of it is looked at before anything is
/// removed, and each name once more right before it goes.
///
/// With --all-names every name of the files goes, wherever it is: the names are found first, and shown. The one that you
/// gave goes last, so that the same command completes what was cut short. Directories are not removed.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct UnlinkArgs {
    /// The names to remove
    #[arg(required = true, value_name = "NAME")]
    names: Vec<PathBuf>,
    /// Remove every name of these files
    #[arg(long)]
    all_names: bool,
    /// Remove last names without asking
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    dry: DryRun,
    #[command(flatten)]
    image: ChangeOption,
}

const EXAMPLES: &str = "\
Examples:
  polylink unlink ~/all-photos/img_0001.jpg
  polylink unlink -n ~/all-photos/*.jpg              which files would go
  polylink unlink --all-names ~/photos/blurred.jpg   the photo, and each name of it
  polylink unlink --image disk.img /photos/a.jpg     in an NTFS volume that nothing has mounted";

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    command: &'static str,
    dry_run: bool,
    removed: Vec<Removed<'a>>,
    files_gone: u64,
    failures: Vec<Failed<'a>>,
}

#[derive(Serialize)]
struct Removed<'a> {
    path: JsonPath<'a>,
    file_id: String,
    links_left: u64,
}

#[derive(Serialize)]
struct Failed<'a> {
    path: JsonPath<'a>,
    reason: String,
}

/// One name that goes.
struct Step {
    place: Place,
    stat: Stat,
    /// Names that the file has after it.
    left: u64,
}

impl Step {
    fn path(&self) -> &Path {
        self.place.path()
    }

    /// Its data goes with it; a symbolic link has none.
    fn is_last(&self) -> bool {
        self.left == 0 && self.stat.kind != Kind::Symlink
    }
}

pub(super) fn run(context: &Context<'_>, args: &UnlinkArgs) -> Result<Outcome, CommandError> {
    let Some(volume) = args.image.open(args.dry.dry_run)? else {
        return unlink(context, args, Site::host(context));
    };
    let worked = unlink(context, args, Site::new(context, Some(&volume)));
    volume.finish(worked)
}

fn unlink(context: &Context<'_>, args: &UnlinkArgs, site: Site<'_>) -> Result<Outcome, CommandError> {
    let paths = if args.all_names {
        every_name(context, args, site)?
    } else {
        args.names.clone()
    };
    let steps = plan(site, &paths)?;
    if !args.dry.dry_run {
        consent(context, args, &steps)?;
    }
    let failures = if args.dry.dry_run {
        Vec::new()
    } else {
        apply(context, site, &steps)?
    };
    site.close()?;
    report(context, args, &steps, &failures)
}

/// What is removed, with what is left of each file; what cannot be removed is said before anything is.
fn plan(site: Site<'_>, paths: &[PathBuf]) -> Result<Vec<Step>, CommandError> {
    let fs = site.fs();
    let mut going: HashMap<FileId, u64> = HashMap::new();
    let mut steps = Vec::new();
    for path in paths {
        let looked = Place::of(fs, path).and_then(|place| Ok((fs.stat(place.at())?, place)));
        let (stat, place) = looked
            .at("remove", path)
            .map_err(|error: PathError| site.explain(&error).before_start())?;
        if stat.kind == Kind::Directory {
            let text = format!("'{}' is a directory", shown(path));
            return Err(CommandError::cannot_start(text)
                .path(path)
                .hint("this command removes names of files"));
        }
        let gone = going.entry(stat.id).or_default();
        *gone += 1;
        steps.push(Step {
            place,
            stat,
            left: stat.links.saturating_sub(*gone),
        });
    }
    Ok(steps)
}

/// Every name of the files that were named. Where one cannot be found, nothing is removed.
fn every_name(
    context: &Context<'_>,
    args: &UnlinkArgs,
    site: Site<'_>,
) -> Result<Vec<PathBuf>, CommandError> {
    let given: Vec<PathBuf> = args
        .names
        .iter()
        .map(|name| match site.is_volume() {
            true => name.clone(),
            // OK to ignore: the order of the names is all that hangs on it
            false => facts::absolute(name).unwrap_or_else(|_| name.clone()),
        })
        .collect();
    let mut seen: Vec<FileId> = Vec::new();
    let mut all = Vec::new();
    for step in plan(site, &args.names)? {
        if seen.contains(&step.stat.id) {
            continue;
        }
        seen.push(step.stat.id);
        let mut found = if site.is_volume() {
            let names = site.fs().names_of(step.place.at());
            let names = names.at("find the names of", step.path());
            names
                .map_err(|error: PathError| site.explain(&error))?
                .unwrap_or_default()
        } else {
            names::found(context, &step.place, &step.stat)?
        };
        if (found.len() as u64) < step.stat.links {
            return Err(CommandError::cannot_start(format!(
                "only {} of the {} of '{}' were found, and nothing was removed",
                count(found.len() as u64),
                counted(step.stat.links, "name", "names"),
                shown(step.path())
            ))
            .path(step.path())
            .hint("'polylink names' tells where was searched"));
        }
        // the name that was given goes last: where this is cut short, the same command finds the file again
        found.sort_by_key(|name| given.contains(name));
        all.extend(found);
    }
    Ok(all)
}

/// Asks before data goes.
fn consent(context: &Context<'_>, args: &UnlinkArgs, steps: &[Step]) -> Result<(), CommandError> {
    const SHOWN: usize = 8;
    let last: Vec<&Step> = steps.iter().filter(|step| step.is_last()).collect();
    let Some(first) = last.first() else {
        return Ok(());
    };
    if args.yes {
        return Ok(());
    }
    let refusal = match &*last {
        [only] => format!("'{}' is the last name of its file", shown(only.path())),
        _ => format!(
            "{} would go with their last names, '{}' the first of them",
            counted(last.len() as u64, "file", "files"),
            shown(first.path())
        ),
    };
    let error = CommandError::cannot_start(refusal).path(first.path());
    if !context.ui.can_ask() {
        return Err(error.hint("'--yes' removes it, and its data goes with it"));
    }
    let ui = context.ui;
    if args.all_names {
        for step in steps {
            ui.note(&shown(step.path()));
        }
    } else {
        for step in last.iter().take(SHOWN) {
            ui.note(&format!(
                "'{}' is the last name of its file ({})",
                shown(step.path()),
                size(step.stat.size)
            ));
        }
        if last.len() > SHOWN {
            ui.note(&format!("and {} more", last.len() - SHOWN));
        }
    }
    let freed = size(last.iter().map(|step| step.stat.allocated).sum());
    let question = match last.len() {
        1 => format!("Remove it? Its data goes with it, {freed}."),
        n => format!(
            "Remove all {}? Their data goes with them, {freed}.",
            count(n as u64)
        ),
    };
    if ui.ask(&question)? {
        Ok(())
    } else {
        Err(error.hint("nothing was removed"))
    }
}

type Failures = Vec<(usize, CommandError)>;

/// Removes what was planned, each name once more looked at right before.
fn apply(context: &Context<'_>, site: Site<'_>, steps: &[Step]) -> Result<Failures, CommandError> {
    let fs = site.fs();
    let mut failures = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        context.stop.check()?;
        let failed = |fault| {
            let error = PathError {
                action: "remove",
                path: step.path().into(),
                to: None,
                fault,
            };
            site.explain(&error)
        };
        let result = match fs.stat(step.place.at()) {
            Ok(now) if now.id != step.stat.id => {
                Err(failed(FaultKind::Stale.into()).hint("another file has this name now"))
            }
            Ok(now) if now.links <= 1 && !step.is_last() && now.kind != Kind::Symlink => {
                let text = format!(
                    "'{}' became the last name of its file meanwhile",
                    shown(step.path())
                );
                Err(CommandError::failed(text)
                    .path(step.path())
                    .hint("it was left where it is"))
            }
            Ok(_) => fs.unlink(step.place.at()).map_err(failed),
            Err(fault) => Err(failed(fault)),
        };
        if let Err(error) = result {
            if steps.len() == 1 {
                return Err(error);
            }
            failures.push((index, error));
        }
    }
    Ok(failures)
}

fn report(
    context: &Context<'_>,
    args: &UnlinkArgs,
    steps: &[Step],
    failures: &Failures,
) -> Result<Outcome, CommandError> {
    let (ui, dry) = (context.ui, args.dry.dry_run);
    let done = steps
        .iter()
        .enumerate()
        .filter(|(index, _)| failures.iter().all(|(failed, _)| failed != index))
        .map(|(_, step)| step);
    let reason = |error: &CommandError| error.causes.first().unwrap_or(&error.message).clone();
    let outcome = if failures.is_empty() {
        Outcome::Done
    } else {
        Outcome::Partial
    };
    if ui.json() {
        ui.document(&Document {
            schema: json::SCHEMA,
            command: "unlink",
            dry_run: dry,
            files_gone: done.clone().filter(|step| step.is_last()).count() as u64,
            removed: done
                .map(|step| Removed {
                    path: JsonPath(step.path()),
                    file_id: step.stat.id.to_string(),
                    links_left: step.left,
                })
                .collect(),
            failures: failures
                .iter()
                .map(|(index, error)| Failed {
                    path: JsonPath(steps[*index].path()),
                    reason: reason(error),
                })
                .collect(),
        })?;
        return Ok(outcome);
    }
    for step in done {
        let what = if dry { "would remove" } else { "removed" };
        let rest = match (step.left, step.is_last(), dry) {
            (_, true, true) => format!("the last name of its file: {} would go", size(step.stat.size)),
            (_, true, false) => format!("the last name of its file: {} went with it", size(step.stat.size)),
            (0, ..) => "a symbolic link".to_owned(),
            (n, ..) => format!("its file keeps {}", counted(n, "name", "names")),
        };
        ui.report(dry)
            .line(&format!("{what} '{}', {rest}", shown(step.path())))?;
    }
    for (index, error) in failures {
        ui.warn(&format!(
            "'{}' was not removed: {}",
            shown(steps[*index].path()),
            reason(error)
        ));
        for hint in &error.hints {
            ui.hint(hint);
        }
    }
    Ok(outcome)
}
