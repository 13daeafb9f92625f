//! `polylink clone`.

use std::path::PathBuf;

use clap::Args;
use polylink_core::{PathError, shown};
use polylink_tree::clone::{
    Extra, Options, Orphans, Outcome as Done, Plan, Request, Step, apply_with, plan_with,
};
use polylink_view::{Fallback, open_ledger};
use serde::Serialize;

use super::Context;
use super::flat::{self, Failed, FallbackArg, Fallbacks, Site};
use super::trees;
use crate::args::DryRun;
use crate::error::{CommandError, ErrorKind, Outcome};
use crate::format::counted;
use crate::image::ChangeOption;
use crate::json::{self, JsonPath, OwnedPath};

/// Make a tree of hard links beside a tree, and keep it in step
///
/// DEST gets the directories of SOURCE and a hard link for each file in them: no copies, so it takes the room of names
/// and directories only. Two names of one file in SOURCE are two names of that file in DEST. It is what 'cp -al' makes,
/// but it can be run again: then only what is missing is made, a name whose counterpart now is another file is changed
/// in one step, and a name whose counterpart is gone goes if its file has further names.
///
/// A name that is the last one of its file is never removed without being asked: it stays and is reported, and where
/// another file takes its place, it stays beside as 'stem (old).ext'. Directories get the permissions, owner, times and
/// extended attributes of their counterparts; files need nothing, for they are the same files. Symbolic links and
/// special files are linked where the file system can; else symbolic links are made anew, and special files left out.
///
/// DEST is made if it does not exist; it must lie on the same file system as SOURCE unless --fallback says what to make
/// there in place of hard links, and neither in the other. If it
/// holds names and none of them fits, it is no clone, and nothing is changed unless --prune says so. Other file systems
/// below SOURCE are not entered; below what cannot be read nothing is changed. An interrupted run is completed by the
/// next one. With --image both paths are inside a volume. Exit code 1 says that something could not be read or made.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct CloneArgs {
    /// The tree
    source: PathBuf,
    /// The tree of hard links, to make or update
    dest: PathBuf,
    /// Treat DEST as a clone of SOURCE even if none of its names fits
    #[arg(long, conflicts_with = "keep_extra")]
    prune: bool,
    /// Keep names in DEST that have no counterpart in SOURCE
    #[arg(long)]
    keep_extra: bool,
    /// What happens to a name that should go and is the last one of its file
    #[arg(long, value_name = "WHAT", default_value = "keep")]
    orphans: OrphansArg,
    /// What to make where no hard link can be, on another file system or at the link limit: symlink, reflink or copy
    ///
    /// Without it such files fail. Fallbacks are counted, written down beside DEST in .DEST.polylink, and kept right by
    /// later runs: copies follow their sources, and what can be a hard link by then becomes one. A copy that you wrote to
    /// is an old version like any other. Names of one file in SOURCE get a copy each.
    #[arg(long, value_name = "WHAT")]
    fallback: Option<FallbackArg>,
    #[command(flatten)]
    dry: DryRun,
    #[command(flatten)]
    image: ChangeOption,
}

const EXAMPLES: &str = "\
Examples:
  polylink clone ~/photos ~/photos-before      every file has two names then; run it again to bring it up to date
  polylink clone -n ~/photos ~/photos-before   what that would do, step by step
  polylink clone --image disk.img /photos /before   in an NTFS volume that nothing has mounted

A clone guards against deleting and replacing files, not against changing them: both names lead to one file. For that
see 'polylink snapshot'.";

#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum OrphansArg {
    /// It stays and is reported
    Keep,
    /// It is removed, and with it the file
    Delete,
}

pub(super) fn run(context: &Context<'_>, args: &CloneArgs) -> Result<Outcome, CommandError> {
    Site::work(context, &args.image, args.dry.dry_run, |site| {
        update(context, args, site)
    })
}

fn update(context: &Context<'_>, args: &CloneArgs, site: Site<'_>) -> Result<Outcome, CommandError> {
    let fs = site.files();
    let request = Request {
        source: site.directory(&args.source)?,
        dest: site.view(&args.dest)?,
        options: Options {
            extra: match (args.prune, args.keep_extra) {
                (_, true) => Extra::Keep,
                (true, _) => Extra::PruneAnyway,
                _ => Extra::Prune,
            },
            orphans: match args.orphans {
                OrphansArg::Keep => Orphans::Keep,
                OrphansArg::Delete => Orphans::Delete,
            },
            fallback: args.fallback.map(Into::into),
            user: trees::user().filter(|_| !site.is_volume()),
            threads: None,
        },
    };
    let state_dir = context.env.state_dir.as_deref();
    let mut ledger = open_ledger(&site.ledger_of(&request.dest)?, state_dir, args.dry.dry_run)
        .map_err(|problem| site.error(&problem))?;
    let meter = context.meter();
    let plan = plan_with(fs, &request, &ledger, &meter).map_err(|error| trees::error(site, &error))?;
    if args.dry.dry_run {
        drop(meter);
        let outcome = plan.forecast();
        if context.ui.json() {
            document(context, &request, outcome, Some(&plan))?;
        } else {
            for step in plan.steps() {
                context.ui.line(&step.to_string())?;
            }
            summary(context, site, &request, outcome, true)?;
        }
        return Ok(Outcome::of(outcome.is_complete()));
    }
    let outcome = apply_with(fs, &plan, &mut ledger, &meter);
    drop(meter);
    site.close()?;
    if context.ui.json() {
        document(context, &request, &outcome, None)?;
    } else {
        summary(context, site, &request, &outcome, false)?;
    }
    if let Some(problem) = &outcome.ledger_error {
        context.ui.flush()?;
        return Err(CommandError {
            kind: ErrorKind::Failed,
            ..site.error(problem)
        });
    }
    Outcome::of_run(outcome.stopped, outcome.is_complete(), "it completes the clone")
}

fn summary(
    context: &Context<'_>,
    site: Site<'_>,
    request: &Request,
    outcome: &Done,
    dry_run: bool,
) -> Result<(), CommandError> {
    let ui = context.ui;
    let report = ui.report(dry_run);
    report.counts(counts(outcome).map(|(what, number, why)| (what, number, why.to_owned())))?;
    report.line(&format!(
        "{}: {}",
        shown(&request.dest),
        counted(
            outcome.linked
                + outcome.kept
                + outcome.relinked
                + outcome.symlinks
                + outcome.fallbacks_made
                + outcome.refreshed,
            "name as in the source",
            "names as in the source"
        )
    ))?;
    if !outcome.orphans.is_empty() {
        ui.note(&format!(
            "last names of their files, kept: {}; --orphans delete removes them",
            flat::listed(outcome.orphans.iter().map(|path| shown(path)))
        ));
    }
    if !outcome.strangers.is_empty() {
        let names = flat::listed(outcome.strangers.iter().map(|path| shown(path)));
        ui.note(&match dry_run {
            true => format!("names that would go of files that the source has not; the files have names elsewhere: {names}"),
            false => format!("names that went of files that the source has not; the files have names elsewhere: {names}"),
        });
    }
    trees::tell_gaps(
        site,
        context,
        &outcome.other_mounts,
        &outcome.unreadable,
        &outcome.failures,
    );
    Ok(())
}

/// What stands for a hard link.
const IN_PLACE: &str = "in place of hard links, which cannot be there";

/// What is counted, how many, and what that means; zeros only where they tell something.
fn counts(outcome: &Done) -> impl Iterator<Item = (&'static str, u64, &'static str)> {
    let all = [
        ("linked", outcome.linked, ""),
        ("kept", outcome.kept, ""),
        (
            "relinked",
            outcome.relinked,
            "their counterparts are other files now",
        ),
        (
            "removed",
            outcome.removed,
            "gone from the source, other names left",
        ),
        (
            "orphans",
            outcome.orphans.len() as u64,
            "kept: these are the last names of their files",
        ),
        ("symlinks", outcome.fallbacks.symlink, IN_PLACE),
        ("reflinks", outcome.fallbacks.reflink, IN_PLACE),
        ("copies", outcome.fallbacks.copy, IN_PLACE),
        (
            "refreshed",
            outcome.refreshed,
            "of these, because their sources changed",
        ),
        ("orphans deleted", outcome.orphans_deleted, ""),
        ("extra", outcome.extra, "not in the source, kept as you chose"),
        (
            "held",
            outcome.held,
            "kept, for their counterparts could not be seen",
        ),
        ("symbolic links", outcome.symlinks, "made anew"),
        (
            "special files",
            outcome.special,
            "left out: no hard links to them here",
        ),
        ("vanished", outcome.vanished, "while they were to be linked"),
        ("directories made", outcome.dirs_made, ""),
        ("directories removed", outcome.dirs_removed, ""),
        (
            "directories updated",
            outcome.dirs_updated,
            "permissions, owner, times or attributes",
        ),
        (
            "directories not alike",
            outcome.dirs_lost,
            "owner or attributes could not be given in full",
        ),
        (
            "unreadable",
            outcome.unreadable.len() as u64,
            "nothing below was changed",
        ),
        ("failed", outcome.failures.len() as u64, ""),
    ];
    all.into_iter()
        .enumerate()
        .filter(|(at, (_, number, _))| *at < 2 || *number > 0)
        .map(|(_, row)| row)
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    command: &'static str,
    dry_run: bool,
    complete: bool,
    stopped: bool,
    source: JsonPath<'a>,
    dest: JsonPath<'a>,
    linked: u64,
    kept: u64,
    relinked: u64,
    removed: u64,
    orphans: u64,
    orphans_deleted: u64,
    extra: u64,
    held: u64,
    symlinks: u64,
    fallbacks: Fallbacks,
    fallbacks_made: u64,
    fallbacks_refreshed: u64,
    special: u64,
    vanished: u64,
    dirs_made: u64,
    dirs_removed: u64,
    dirs_updated: u64,
    dirs_lost: u64,
    failed: u64,
    unreadable: u64,
    orphan_paths: Vec<OwnedPath>,
    stranger_paths: Vec<OwnedPath>,
    not_entered: Vec<OwnedPath>,
    failures: Vec<Failed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Vec<StepDocument>>,
}

#[derive(Serialize)]
struct StepDocument {
    #[serde(rename = "do")]
    what: &'static str,
    path: OwnedPath,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<OwnedPath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kept_as: Option<OwnedPath>,
}

fn document(
    context: &Context<'_>,
    request: &Request,
    outcome: &Done,
    plan: Option<&Plan>,
) -> Result<(), CommandError> {
    let failures: Vec<&PathError> = outcome.unreadable.iter().chain(&outcome.failures).collect();
    context.ui.document(&Document {
        schema: json::SCHEMA,
        command: "clone",
        dry_run: plan.is_some(),
        complete: outcome.is_complete(),
        stopped: outcome.stopped,
        source: JsonPath(&request.source),
        dest: JsonPath(&request.dest),
        linked: outcome.linked,
        kept: outcome.kept,
        relinked: outcome.relinked,
        removed: outcome.removed,
        orphans: outcome.orphans.len() as u64,
        orphans_deleted: outcome.orphans_deleted,
        extra: outcome.extra,
        held: outcome.held,
        symlinks: outcome.symlinks,
        fallbacks: outcome.fallbacks.into(),
        fallbacks_made: outcome.fallbacks_made,
        fallbacks_refreshed: outcome.refreshed,
        special: outcome.special,
        vanished: outcome.vanished,
        dirs_made: outcome.dirs_made,
        dirs_removed: outcome.dirs_removed,
        dirs_updated: outcome.dirs_updated,
        dirs_lost: outcome.dirs_lost,
        failed: outcome.failures.len() as u64,
        unreadable: outcome.unreadable.len() as u64,
        orphan_paths: outcome.orphans.iter().map(OwnedPath::from).collect(),
        stranger_paths: outcome.strangers.iter().map(OwnedPath::from).collect(),
        not_entered: outcome.other_mounts.iter().map(OwnedPath::from).collect(),
        failures: failures.into_iter().map(Failed::from).collect(),
        steps: plan.map(|plan| plan.steps().map(|step| step_document(&step)).collect()),
    })
}

fn step_document(step: &Step) -> StepDocument {
    use polylink_tree::clone::Old;
    let (what, path, source, kept_as) = match step {
        Step::RemoveTemporary(path) => ("remove_temporary", path, None, None),
        Step::Remove(path) => ("remove", path, None, None),
        Step::Delete(path) => ("delete", path, None, None),
        Step::Rename { path, to } => ("rename", path, None, Some(to)),
        Step::Relink {
            source,
            path,
            old,
            fallback,
        } => (
            fallback.map_or("relink", Fallback::word),
            path,
            Some(source),
            match old {
                Old::KeptAs(name) => Some(name),
                Old::HasOtherNames | Old::Dropped | Old::Fallback => None,
            },
        ),
        Step::Fallback { source, path, kind } => (kind.word(), path, Some(source), None),
        Step::RemoveDir(path) => ("remove_dir", path, None, None),
        Step::MakeDir(path) => ("make_dir", path, None, None),
        Step::Link { source, path } => ("link", path, Some(source), None),
        Step::Symlink(path) => ("symlink", path, None, None),
        Step::Update(path) => ("update", path, None, None),
        _ => {
            return StepDocument {
                what: "other",
                path: OwnedPath::from(&PathBuf::new()),
                source: None,
                kept_as: None,
            };
        }
    };
    StepDocument {
        what,
        path: path.into(),
        source: source.map(OwnedPath::from),
        kept_as: kept_as.map(|name| OwnedPath::from_name(name.name())),
    }
}
