//! `polylink flat`.

mod engine;
mod json;
mod summary;
mod watch;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use polylink_core::{DirBatch, shown};
use polylink_host::facts;
use polylink_view::{
    Appear, BadGlob, Case, Deleted, Fallback, Filter, Options, Orphans, Request, Superseded, Template,
    ledger_path,
};

use super::Context;
use crate::args::{DryRun, Exact};
use crate::error::{CommandError, Outcome};
use crate::format::{self, Sizes};
use crate::image::ChangeOption;
use crate::place;

pub(super) use engine::{Opened, Site, error, request};
pub(super) use json::{Failed, Fallbacks};
pub(super) use summary::{explained, listed};

/// Make or update a flat view: one directory with a name for every file of the sources
///
/// VIEW gets a hard link for each regular file below each SOURCE: no copies, so it takes the room of names only. Run
/// again, it brings the view up to date. VIEW is made if it does not exist; it must lie on the same file system as the
/// sources, and may lie inside one of them.
///
/// Each file appears under its own name. Where two files have the same name, the first keeps it and others become
/// 'stem (2007-02).ext', from the folders that tell them apart. Names in the view stay as they are when others come or
/// go. What polylink made is written down in a ledger beside the view ('.VIEW.polylink'); names that it did not make are
/// never touched. With --image all paths are inside a volume, and the ledger lies beside the image
/// ('.IMG.VIEW.polylink').
///
/// An update follows the sources: new files are linked; a name whose file left the sources goes if the file has other
/// names, and stays as an orphan if it is the last one; a file saved by rename is linked anew; a renamed source keeps its
/// view name; a name that you gave in the view is kept. What cannot be read is reported, and nothing below it is
/// removed. An interrupted run is completed by the next one.
///
/// Symbolic links and special files are left out, and other file systems below a source are not entered. Exit code 1
/// says that some files could not be linked or read.
#[derive(Debug, Args)]
#[command(override_usage = "polylink flat [OPTIONS] <SOURCE>... <VIEW>", after_long_help = EXAMPLES)]
pub(crate) struct FlatArgs {
    /// Directories whose files go into the view, and last the view: the directory to make or update
    // one list, so that options may stand between the paths
    #[arg(required = true, num_args = 1.., value_name = "SOURCE... VIEW")]
    paths: Vec<PathBuf>,
    /// Take only what matches; may be given several times
    ///
    /// A pattern without a slash is matched against each name of the path, one with a slash against the path below the
    /// source; '*' does not match a slash, '**' does. On Windows backslashes separate as well, and case does not matter.
    #[arg(long, value_name = "GLOB")]
    include: Vec<String>,
    /// Leave out what matches; may be given several times
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
    /// Let a file with several names in the sources appear once for each of them
    #[arg(long)]
    every_name: bool,
    /// Form the names in this way
    ///
    /// Fields, each in braces: name (the file's own name), stem and ext (its two parts), parent (the folder it lies in),
    /// path (all folders below the source), n (a number), id (the file's number).
    #[arg(long, value_name = "TEMPLATE")]
    name: Option<String>,
    /// What happens to a view name that is the last one of its file: keep, delete, or move:DIR
    #[arg(long, value_name = "WHAT", default_value = "keep", value_parser = orphans)]
    orphans: Orphans,
    /// What happens to the old version of a file saved by rename, where the view held its last name: drop, or move:DIR
    /// [default: as for orphans]
    #[arg(long, value_name = "WHAT", value_parser = superseded)]
    superseded: Option<Superseded>,
    /// What happens when you deleted a name from the view and its file is still in the sources
    #[arg(long, value_name = "WHAT", default_value = "restore")]
    deleted: DeletedArg,
    /// What to make where no hard link can be, on another file system or at the link limit: symlink, reflink or copy
    ///
    /// Without it such files fail. Fallbacks are counted, written down, and kept right by later updates: copies follow
    /// their sources, and what can be a hard link by then becomes one. A copy that you wrote to is left alone.
    #[arg(long, value_name = "WHAT")]
    fallback: Option<FallbackArg>,
    /// Go on following sources and view, until Ctrl-C or SIGTERM
    ///
    /// After the first update each change is linked within a moment. Everything is compared anew at the start, when the
    /// system lost news of changes, and now and then (--rescan). With --json one event a line.
    #[arg(long, conflicts_with_all = ["dry_run", "image"])]
    watch: bool,
    /// With --watch: compare everything anew after this time, such as 30s, 10m or 1h
    #[arg(long, value_name = "TIME", default_value = "10m", requires = "watch", value_parser = format::parse_duration)]
    rescan: Duration,
    #[command(flatten)]
    dry: DryRun,
    #[command(flatten)]
    exact: Exact,
    #[command(flatten)]
    image: ChangeOption,
}

const EXAMPLES: &str = "\
Examples:
  polylink flat ~/photos ~/all-photos
  polylink flat -n ~/photos ~/all-photos                       what that would do, step by step
  polylink flat --include '*.jpg' ~/photos ~/scans ~/pictures  two sources, photos only
  polylink flat --name '{parent} {name}' ~/photos ~/by-month   '02 img_0001.jpg'
  polylink flat --orphans move:$HOME/gone ~/photos ~/all-photos
  polylink flat --watch ~/photos ~/all-photos                  keep following, until Ctrl-C
  polylink flat --image disk.img /photos /all-photos            in an NTFS volume that nothing has mounted";

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum DeletedArg {
    /// The name is made again
    Restore,
    /// The name stays away for as long as the file exists
    Remember,
    /// The file is deleted from the sources too
    DeleteSource,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum FallbackArg {
    /// A symbolic link: it leads nowhere once its source is gone
    Symlink,
    /// A copy that shares its blocks with the source, or nothing where the file system cannot do that
    Reflink,
    /// A copy; blocks are shared where the file system can do that
    Copy,
}

impl From<FallbackArg> for Fallback {
    fn from(arg: FallbackArg) -> Self {
        match arg {
            FallbackArg::Symlink => Self::Symlink,
            FallbackArg::Reflink => Self::Reflink,
            FallbackArg::Copy => Self::Copy,
        }
    }
}

impl From<DeletedArg> for Deleted {
    fn from(arg: DeletedArg) -> Self {
        match arg {
            DeletedArg::Restore => Self::Restore,
            DeletedArg::Remember => Self::Remember,
            DeletedArg::DeleteSource => Self::DeleteSource,
        }
    }
}

fn orphans(text: &str) -> Result<Orphans, String> {
    match (text, text.strip_prefix("move:")) {
        ("keep", _) => Ok(Orphans::Keep),
        ("delete", _) => Ok(Orphans::Delete),
        (_, Some(dir)) if !dir.is_empty() => Ok(Orphans::Move(dir.into())),
        _ => Err("it is 'keep', 'delete', or 'move:DIR'".into()),
    }
}

fn superseded(text: &str) -> Result<Superseded, String> {
    match (text, text.strip_prefix("move:")) {
        ("drop", _) => Ok(Superseded::Drop),
        (_, Some(dir)) if !dir.is_empty() => Ok(Superseded::Move(dir.into())),
        _ => Err("it is 'drop', or 'move:DIR'".into()),
    }
}

pub(super) fn run(context: &Context<'_>, args: &FlatArgs) -> Result<Outcome, CommandError> {
    let (view, sources) = match args.paths.split_last() {
        Some((view, sources)) if !sources.is_empty() => (view, sources),
        _ => {
            return Err(CommandError::cannot_start("the view is missing").hint(
                "usage: polylink flat [OPTIONS] <SOURCE>... <VIEW>: what exists first, the view last",
            ));
        }
    };
    let Some(volume) = args.image.open(args.dry.dry_run)? else {
        return update(context, args, Site::host(context), sources, view);
    };
    let worked = update(context, args, Site::new(context, Some(&volume)), sources, view);
    volume.end(worked)
}

fn update(
    context: &Context<'_>,
    args: &FlatArgs,
    site: Site<'_>,
    sources: &[PathBuf],
    view: &Path,
) -> Result<Outcome, CommandError> {
    let request = request(site, sources, view, options(context, site, args)?)?;
    refuse_swapped(site, &request)?;
    let mut opened = Opened::open(site, &request, args.dry.dry_run)?;
    if args.watch {
        return watch::run(context, site, &mut opened, args);
    }
    let meter = context.meter();
    let mut plan = opened.plan(&meter)?;
    for (inner, outer) in plan.overlaps() {
        context.ui.note(&format!(
            "'{}' lies in '{}': its files are taken once",
            shown(inner),
            shown(outer)
        ));
    }
    let sizes = Sizes::exact(args.exact.bytes);
    if args.dry.dry_run {
        plan.measure(site.fs());
        drop(meter);
        let outcome = plan.forecast();
        if context.ui.json() {
            json::print(context, true, outcome, Some(&plan))?;
        } else {
            for step in plan.steps() {
                context.ui.line(&step.to_string())?;
            }
            summary::print(
                site,
                context,
                &summary::Shown {
                    outcome,
                    view: &request.view,
                    sizes,
                    dry_run: true,
                },
            )?;
        }
        return Ok(Outcome::of(outcome.is_complete()));
    }
    let outcome = opened.apply(plan, &meter);
    drop(meter);
    site.close()?;
    if context.ui.json() {
        json::print(context, false, &outcome, None)?;
    } else {
        summary::print(
            site,
            context,
            &summary::Shown {
                outcome: &outcome,
                view: &request.view,
                sizes,
                dry_run: false,
            },
        )?;
        opened.note_ledger();
    }
    if let Some(ledger_error) = &outcome.ledger_error {
        context.ui.flush()?;
        return Err(CommandError {
            kind: crate::error::ErrorKind::Failed,
            ..site.error(ledger_error)
        });
    }
    Outcome::of_run(outcome.stopped, outcome.is_complete(), "it completes the view")
}

fn options(context: &Context<'_>, site: Site<'_>, args: &FlatArgs) -> Result<Options, CommandError> {
    let bad = |problem| error(context, &problem);
    Ok(Options {
        filter: filter(site, &args.include, &args.exclude).map_err(|glob| bad(glob.into()))?,
        appear: if args.every_name {
            Appear::EveryName
        } else {
            Appear::OncePerFile
        },
        template: match &args.name {
            Some(text) => Template::parse(text).map_err(bad)?,
            None => Template::default(),
        },
        orphans: match &args.orphans {
            Orphans::Move(dir) => Orphans::Move(site.directory(dir)?),
            other => other.clone(),
        },
        superseded: match &args.superseded {
            Some(Superseded::Move(dir)) => Superseded::Move(site.directory(dir)?),
            Some(other) => other.clone(),
            None => Superseded::AsOrphan,
        },
        deleted: args.deleted.into(),
        fallback: args.fallback.map(Fallback::from),
        threads: None,
    })
}

/// Patterns are written as the system writes its paths and names; in a volume case makes no difference, as on Windows.
pub(super) fn filter(site: Site<'_>, include: &[String], exclude: &[String]) -> Result<Filter, BadGlob> {
    if cfg!(windows) || site.is_volume() {
        let slashed = |globs: &[String]| -> Vec<String> {
            let glob = |glob: &String| {
                if cfg!(windows) {
                    glob.replace('\\', "/")
                } else {
                    glob.clone()
                }
            };
            globs.iter().map(glob).collect()
        };
        Filter::with_case(&slashed(include), &slashed(exclude), Case::Ignored)
    } else {
        Filter::new(include, exclude)
    }
}

/// A view given as the source of a tree that is there already: the arguments are the other way round, and the tree
/// would get a second name for each of its files.
fn refuse_swapped(site: Site<'_>, request: &Request) -> Result<(), CommandError> {
    let is_view = |dir: &Path| -> Result<bool, CommandError> {
        Ok(ledger_path(&site.ledger_of(dir)?).symlink_metadata().is_ok())
    };
    let holds_something = || {
        let (fs, mut batch) = (site.fs(), DirBatch::new());
        let dir = fs.open_dir(&request.view);
        let read = dir.and_then(|dir| fs.read_dir(&dir, &mut batch));
        read.is_ok() && !batch.is_empty()
    };
    if is_view(&request.view)? || !holds_something() {
        return Ok(());
    }
    for source in &request.sources {
        if is_view(source)? {
            return Err(CommandError::cannot_start(format!(
                "'{}' is a view, and '{}' is not: the arguments are the other way round",
                shown(source),
                shown(&request.view)
            ))
            .path(source)
            .path(&request.view)
            .hint("what exists comes first, the view last: polylink flat SOURCE... VIEW")
            .hint("for a view of a view, give a directory that is empty or not there yet"));
        }
    }
    Ok(())
}

/// The view's absolute path on the host; it need not exist yet.
fn view_path(context: &Context<'_>, view: &Path) -> Result<PathBuf, CommandError> {
    let started = |error: polylink_core::PathError| context.explain(&error).before_start();
    if place::is_dir(view) {
        return facts::absolute(view).map_err(started);
    }
    let (Some(name), Err(_)) = (view.file_name(), view.symlink_metadata()) else {
        return Err(
            CommandError::cannot_start(format!("'{}' is not a directory", shown(view)))
                .path(view)
                .hint("give a directory that is free for this, or a name that is not taken"),
        );
    };
    Ok(facts::absolute(place::parent(view)).map_err(started)?.join(name))
}
