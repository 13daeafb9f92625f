//! `polylink split`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use polylink_core::{Dir, Kind, Lost, PathError, Reflink, ResultExt as _, shown};
use polylink_dedupe::{Loss, SplitOptions, SplitOutcome, SplitPlan, Target, apply_split, plan_split};
use serde::Serialize;

use super::Context;
use super::dedupe::left_alone;
use super::flat::{Failed, Site, explained, listed};
use crate::args::{DryRun, Exact};
use crate::error::{CommandError, Outcome};
use crate::format::Sizes;
use crate::image::ChangeOption;
use crate::json::{self, OwnedPath};
use crate::place::Place;

/// Give names that share a file a file each, the way back from hard links
///
/// Each NAME gets a copy of its own, with permissions, owner, times, extended attributes and access lists; where the file
/// system can, the copy shares its blocks with the original until one of the two is changed. The other names of the file
/// stay together. A name whose file has no other is left as it is.
///
/// With --tree every name below the directories is split off. Where all names of a file are given, or lie below the
/// directories, the last of them keeps the file and the others get copies; where it has names beyond those, each of them
/// gets a copy.
///
/// The copy is made beside the name and takes its place in one step, when it is whole and on the disk and the name still
/// leads to the same, unchanged file. A copy that would lack something, such as an owner that only root can give, is not
/// made, unless --lossy allows it. Exit code 1 says that something was left as it was.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct SplitArgs {
    /// Names that get a file of their own
    #[arg(required_unless_present = "tree", value_name = "NAME")]
    names: Vec<PathBuf>,
    /// Split off every name below this directory; may be given several times
    #[arg(long, value_name = "DIR")]
    tree: Vec<PathBuf>,
    /// Whether copies share blocks with the original
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    reflink: ReflinkArg,
    /// Make copies too that lack something of the original, and count them
    #[arg(long)]
    lossy: bool,
    #[command(flatten)]
    dry: DryRun,
    #[command(flatten)]
    exact: Exact,
    #[command(flatten)]
    image: ChangeOption,
}

const EXAMPLES: &str = "\
Examples:
  polylink split ~/all-photos/img_0001.jpg   to edit this one and leave the others as they are
  polylink split -n --tree ~/photos          what splitting the whole tree would take
  polylink split --tree ~/photos";

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum ReflinkArg {
    /// Where the file system can
    Auto,
    /// Or the name is left as it is
    Always,
    /// Every byte is written anew
    Never,
}

impl From<ReflinkArg> for Reflink {
    fn from(arg: ReflinkArg) -> Self {
        match arg {
            ReflinkArg::Auto => Self::Auto,
            ReflinkArg::Always => Self::Always,
            ReflinkArg::Never => Self::Never,
        }
    }
}

#[derive(Serialize)]
struct Document {
    schema: u32,
    command: &'static str,
    dry_run: bool,
    complete: bool,
    stopped: bool,
    split_names: u64,
    split_bytes: u64,
    reflinked: Option<u64>,
    alone: u64,
    kept: u64,
    leftovers: u64,
    lossy: Option<u64>,
    refused: Vec<Refused>,
    changed: Vec<OwnedPath>,
    failures: Vec<Failed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Vec<StepDocument>>,
}

#[derive(Serialize)]
struct Refused {
    path: OwnedPath,
    lost: Vec<&'static str>,
}

#[derive(Serialize)]
struct StepDocument {
    path: OwnedPath,
    size: u64,
}

pub(super) fn run(context: &Context<'_>, args: &SplitArgs) -> Result<Outcome, CommandError> {
    Site::work(context, &args.image, args.dry.dry_run, |site| {
        split(context, args, site)
    })
}

fn split(context: &Context<'_>, args: &SplitArgs, site: Site<'_>) -> Result<Outcome, CommandError> {
    let fs = site.files();
    let mut dirs = Vec::new();
    let mut targets = Vec::new();
    for path in &args.names {
        targets.push(named(site, path, &mut dirs)?);
    }
    for path in &args.tree {
        let dir = fs
            .open_dir(path)
            .at("read", path)
            .map_err(|error: PathError| site.explain(&error).before_start())?;
        targets.push(Target::Dir(polylink_walk::Root {
            dir,
            path: path.clone(),
        }));
    }
    let options = SplitOptions {
        reflink: args.reflink.into(),
        loss: if args.lossy { Loss::Allowed } else { Loss::Refused },
        ..SplitOptions::default()
    };
    let meter = context.meter();
    let plan = plan_split(fs, &targets, &options, &meter);
    context
        .stop
        .check()
        .map_err(|error| error.hint("nothing was changed"))?;
    let sizes = Sizes::exact(args.exact.bytes);
    let outcome = if args.dry.dry_run {
        drop(meter);
        let outcome = plan.forecast();
        if context.ui.json() {
            document(context, &outcome, Some(&plan))?;
        } else {
            for step in plan.steps() {
                let text = format!("split off '{}', {}", shown(&step.path), sizes.show(step.size));
                context.ui.line(&text)?;
            }
            summary(site, context, &outcome, sizes, true)?;
        }
        outcome
    } else {
        let outcome = apply_split(fs, plan, &meter);
        drop(meter);
        site.close()?;
        if context.ui.json() {
            document(context, &outcome, None)?;
        } else {
            summary(site, context, &outcome, sizes, false)?;
        }
        outcome
    };
    Outcome::of_run(outcome.stopped, outcome.is_complete(), "it goes on from here")
}

/// A name that the user gave, which is that of a file. Names of one directory share its handle.
fn named(site: Site<'_>, path: &Path, dirs: &mut Vec<(PathBuf, Dir)>) -> Result<Target, CommandError> {
    let fs = site.files();
    let started = |error: PathError| site.explain(&error).before_start();
    let place = Place::of(fs, path).at("split", path).map_err(started)?;
    let stat = fs.stat(place.at()).at("split", path).map_err(started)?;
    let refused = |what: &str| CommandError::cannot_start(format!("'{}' is {what}", shown(path))).path(path);
    match stat.kind {
        Kind::File => {}
        Kind::Directory => return Err(refused("a directory").hint("--tree splits all names below it")),
        Kind::Symlink => return Err(refused("a symbolic link").hint("give the file that it leads to")),
        Kind::Special | Kind::Unknown => return Err(refused("no regular file")),
    }
    let parent = crate::place::parent(path);
    let dir = match dirs.iter().find(|(known, _)| known == parent) {
        Some((_, dir)) => dir.clone(),
        None => {
            dirs.push((parent.into(), place.dir().clone()));
            place.dir().clone()
        }
    };
    Ok(Target::File {
        dir,
        name: place.name().to_buf(),
        path: path.into(),
    })
}

fn lost_word(lost: Lost) -> &'static str {
    match lost {
        Lost::Owner => "owner",
        Lost::Mode => "mode",
        Lost::Times => "times",
        Lost::Attributes => "attributes",
        Lost::Extended => "xattrs",
    }
}

fn document(
    context: &Context<'_>,
    outcome: &SplitOutcome,
    plan: Option<&SplitPlan>,
) -> Result<(), CommandError> {
    // a dry run cannot know these
    let done = |number: u64| plan.is_none().then_some(number);
    context.ui.document(&Document {
        schema: json::SCHEMA,
        command: "split",
        dry_run: plan.is_some(),
        complete: outcome.is_complete(),
        stopped: outcome.stopped,
        split_names: outcome.split_names,
        split_bytes: outcome.split_bytes,
        reflinked: done(outcome.reflinked),
        alone: outcome.alone,
        kept: outcome.kept,
        leftovers: outcome.leftovers,
        lossy: done(outcome.lossy),
        refused: outcome
            .refused
            .iter()
            .map(|(path, lost)| Refused {
                path: path.into(),
                lost: lost.iter().map(|&lost| lost_word(lost)).collect(),
            })
            .collect(),
        changed: outcome.changed.iter().map(OwnedPath::from).collect(),
        failures: outcome
            .unreadable
            .iter()
            .chain(&outcome.failures)
            .map(Failed::from)
            .collect(),
        steps: plan.map(|plan| {
            plan.steps()
                .map(|step| StepDocument {
                    path: (&step.path).into(),
                    size: step.size,
                })
                .collect()
        }),
    })
}

fn summary(
    site: Site<'_>,
    context: &Context<'_>,
    outcome: &SplitOutcome,
    sizes: Sizes,
    dry_run: bool,
) -> Result<(), CommandError> {
    let ui = context.ui;
    let files = if outcome.split_names == 1 {
        "name has a file of its own"
    } else {
        "names have files of their own"
    };
    let mut rows = vec![(
        "split",
        outcome.split_names,
        format!("{files}, {}", sizes.show(outcome.split_bytes)),
    )];
    let mut row = |what, number: u64, why: String| {
        if number > 0 {
            rows.push((what, number, why));
        }
    };
    row(
        "reflinked",
        outcome.reflinked,
        "share their blocks until they are changed".into(),
    );
    row("kept", outcome.kept, "the file is theirs alone now".into());
    row(
        "alone",
        outcome.alone,
        "have no other name, left as they are".into(),
    );
    row("lossy", outcome.lossy, "lack something of the original".into());
    row(
        "refused",
        outcome.refused.len() as u64,
        "their copy would lack something".into(),
    );
    row(
        "leftovers",
        outcome.leftovers,
        "unfinished copies of a killed run, removed".into(),
    );
    row(
        "changed",
        outcome.changed.len() as u64,
        "meanwhile, left alone".into(),
    );
    row("unreadable", outcome.unreadable.len() as u64, "left alone".into());
    row("failed", outcome.failures.len() as u64, String::new());
    let reasons = super::dedupe::reasons(&outcome.scanned);
    let scanned = &outcome.scanned;
    row(
        "skipped",
        scanned.symlinks + scanned.special + scanned.own + scanned.vanished,
        reasons,
    );
    ui.report(dry_run).counts(rows)?;
    if !outcome.refused.is_empty() {
        let mut lost: Vec<&str> = outcome
            .refused
            .iter()
            .flat_map(|(_, lost)| lost.iter().map(|&lost| lost_word(lost)))
            .collect();
        lost.sort_unstable();
        lost.dedup();
        ui.warn(&format!(
            "left as they are, for a copy would lack {}: {}",
            lost.join(", "),
            listed(outcome.refused.iter().map(|(path, _)| shown(path)))
        ));
        ui.hint(
            "root can keep all of it, where the file system can; '--lossy' makes such copies all the same",
        );
    }
    left_alone(context, &outcome.changed);
    explained(site, context, &outcome.unreadable);
    explained(site, context, &outcome.failures);
    Ok(())
}
