//! `polylink snapshot`.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use polylink_core::{Dir, FileFs, LinkFs as _, NameBuf, PathError, ResultExt as _, shown, shown_name};
use polylink_host::facts;
use polylink_tree::snapshot::{
    Civil, Keep, Outcome as Done, Plan, Request, Snapshot, Step, apply, check_name, list, plan, prepare,
};
use serde::Serialize;

use super::Context;
use super::flat::{self, Failed, Site};
use super::trees;
use crate::args::{DryRun, Exact};
use crate::error::{CommandError, Outcome};
use crate::format::{Align, Sizes, Table};
use crate::image::{self, ChangeOption};
use crate::json::{self, JsonPath, OwnedPath};

/// Keep dated copies of a tree that share every file that has not changed
///
/// Each run makes one directory in STORE, named for the local time: 2026-11-21T21-00-00. It holds everything as it is in
/// SOURCE. Files that are as they were in the last snapshot are hard links to it and take the room of a name; new and
/// changed ones are copied, with shared blocks where the file system can. What an earlier snapshot holds never changes.
///
/// A file counts as unchanged if size, time of its last change, permissions, owner and extended attributes are those of
/// the last snapshot. Names of one file in SOURCE are names of one file in the snapshot. Special files (devices, pipes,
/// sockets) are left out and counted, other file systems below SOURCE are not entered, and neither is STORE.
///
/// A snapshot is made under a hidden name, written to the disk, and gets its name in one step when it is whole. What an
/// interrupted run left is used by the next one and then removed. If something could not be read, the snapshot is kept
/// with '-incomplete' at the end of its name, and the exit code is 1; later runs still compare with the last complete one
/// as well, so what could not be read does not look deleted.
///
/// With --keep, old snapshots that no rule asks for are removed afterwards. The newest, and the newest complete one,
/// always stay; what this command did not make is never touched. 'polylink usage --together STORE/A STORE/B' says what
/// removing snapshots would free.
///
/// With --image both paths are inside an NTFS volume. Copies keep times, attributes, access rights and named streams
/// there, which are what NTFS has in place of permissions and owner; symbolic links and junctions that are new or have
/// changed are left out and counted, for they cannot be made without a driver.
#[derive(Debug, Args)]
#[command(
    override_usage = "polylink snapshot [OPTIONS] <SOURCE> <STORE>\n       polylink snapshot --list <STORE>",
    after_long_help = EXAMPLES
)]
pub(crate) struct SnapshotArgs {
    /// The tree, and the directory of its snapshots
    #[arg(required = true, num_args = 1..=2, value_name = "SOURCE STORE")]
    paths: Vec<PathBuf>,
    /// List the snapshots in STORE, and make none
    #[arg(long, conflicts_with_all = ["keep", "name", "dry_run"])]
    list: bool,
    /// Which snapshots stay: last=N, hourly=N, daily=N, weekly=N, monthly=N, yearly=N, joined by commas
    ///
    /// daily=7 keeps the newest of each day, for the last seven days that have one; the rules add up. Hours, days and so
    /// on are those of the local time; weeks begin on Monday. Without --keep all stay.
    #[arg(long, value_name = "RULES", value_parser = Keep::parse)]
    keep: Option<Keep>,
    /// Name the snapshot in this way: fields as in 'date', such as %Y-%m-%d
    ///
    /// Where the name is taken, it gets a number.
    #[arg(long, value_name = "FORMAT", default_value = "%Y-%m-%dT%H-%M-%S")]
    name: String,
    #[command(flatten)]
    dry: DryRun,
    #[command(flatten)]
    exact: Exact,
    #[command(flatten)]
    image: ChangeOption,
}

const EXAMPLES: &str = "\
Examples:
  polylink snapshot ~/photos /backup/photos
  polylink snapshot --keep daily=7,weekly=4,monthly=12 ~/photos /backup/photos
  polylink snapshot -n ~/photos /backup/photos      what that would copy and link
  polylink snapshot --list /backup/photos
  polylink snapshot --image disk.img /photos /backup   in an NTFS volume that nothing has mounted
  polylink usage -d 1 /backup/photos                what each snapshot holds, and what removing it alone would free";

pub(super) fn run(context: &Context<'_>, args: &SnapshotArgs) -> Result<Outcome, CommandError> {
    match (args.list, args.paths.as_slice()) {
        (true, [store]) => show_list(context, args, store),
        (false, [source, store]) => {
            let dry_run = args.dry.dry_run;
            Site::work(context, &args.image, dry_run, |site| {
                make(context, args, site, source, store)
            })
        }
        (true, _) => Err(CommandError::cannot_start("--list takes the store only")
            .hint("usage: polylink snapshot --list <STORE>")),
        (false, _) => Err(CommandError::cannot_start("the store is missing")
            .hint("usage: polylink snapshot [OPTIONS] <SOURCE> <STORE>")),
    }
}

fn local(time: i64) -> Option<Zoned> {
    Some(Timestamp::from_second(time).ok()?.to_zoned(TimeZone::system()))
}

fn civil(time: i64) -> Civil {
    let zoned = local(time).unwrap_or_default();
    let week = zoned.date().iso_week_date();
    let number = |n: i8| u32::try_from(n).unwrap_or(0);
    Civil {
        year: zoned.year().into(),
        month: number(zoned.month()),
        day: number(zoned.day()),
        hour: number(zoned.hour()),
        week: (week.year().into(), number(week.week())),
    }
}

/// Keeps other runs out of a store until it is dropped.
fn lock(fs: &dyn FileFs, context: &Context<'_>, store: &Path) -> Result<File, CommandError> {
    let path = prepare(fs, store)
        .map_err(|error| trees::error(Site::host(context), &error))?
        .join("lock");
    let failed = |error: &std::io::Error| CommandError::from_io("lock", &path, error).before_start();
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| failed(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(CommandError::cannot_start(format!(
            "another polylink is working in '{}'",
            shown(store)
        ))
        .path(store)
        .hint("wait until it has ended")),
        Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => Ok(file),
        Err(TryLockError::Error(error)) => Err(failed(&error)),
    }
}

fn make(
    context: &Context<'_>,
    args: &SnapshotArgs,
    site: Site<'_>,
    source: &Path,
    store: &Path,
) -> Result<Outcome, CommandError> {
    let fs = site.files();
    let now = Timestamp::now();
    let zoned = now.to_zoned(TimeZone::system());
    let name = jiff::fmt::strtime::format(&args.name, &zoned).map_err(|error| {
        let mut failed = CommandError::cannot_start(format!("'{}' is no format for names", args.name));
        failed.causes.push(error.to_string());
        failed
    })?;
    let name = NameBuf::from(name.as_str());
    let failed = |error| trees::error(site, &error);
    check_name(&name).map_err(failed)?;
    let in_volume = site.is_volume();
    let sync = |dir: &Dir| match in_volume {
        true => fs.sync(dir),
        false => facts::sync(dir),
    };
    let request = Request {
        source: site.directory(source)?,
        store: site.view(store)?,
        name,
        now: now.as_second(),
        keep: args.keep,
        calendar: &civil,
        sync: &sync,
        user: trees::user().filter(|_| !in_volume),
        threads: None,
    };
    let sizes = Sizes::exact(args.exact.bytes);
    if args.dry.dry_run {
        let meter = context.meter();
        let plan = plan(fs, &request, &meter).map_err(failed)?;
        drop(meter);
        let outcome = plan.forecast();
        if context.ui.json() {
            document(context, &request, outcome, Some(&plan))?;
        } else {
            for step in plan.steps() {
                context.ui.line(&step.to_string())?;
            }
            summary(context, site, &request, outcome, Shown { sizes, dry_run: true })?;
        }
        return Ok(code(outcome));
    }
    if request.source.starts_with(&request.store) {
        return Err(failed(polylink_tree::Error::Nested {
            source_dir: request.source.clone(),
            dest: request.store.clone(),
        }));
    }
    // who writes a volume has it alone
    let held = match in_volume {
        true => None,
        false => Some(lock(fs, context, &request.store)?),
    };
    let meter = context.meter();
    let plan = plan(fs, &request, &meter).map_err(failed)?;
    let outcome = apply(fs, &plan, &meter);
    drop(meter);
    site.close()?;
    drop(held);
    if context.ui.json() {
        document(context, &request, &outcome, None)?;
    } else {
        summary(
            context,
            site,
            &request,
            &outcome,
            Shown {
                sizes,
                dry_run: false,
            },
        )?;
    }
    if outcome.stopped && outcome.failures.is_empty() {
        return Err(CommandError::interrupted()
            .hint("run the same command again: it uses what is there, and removes what it does not need"));
    }
    Ok(code(&outcome))
}

fn code(outcome: &Done) -> Outcome {
    Outcome::of(outcome.is_whole() && outcome.drop_failures.is_empty())
}

#[derive(Clone, Copy)]
struct Shown {
    sizes: Sizes,
    dry_run: bool,
}

fn summary(
    context: &Context<'_>,
    site: Site<'_>,
    request: &Request<'_>,
    outcome: &Done,
    how: Shown,
) -> Result<(), CommandError> {
    let ui = context.ui;
    let copied = match how.dry_run {
        true => "new or changed".to_owned(),
        false => format!("new or changed, {}", how.sizes.show(outcome.copied_bytes)),
    };
    let why = |text: &str| text.to_owned();
    let all = [
        (
            "linked",
            outcome.linked,
            why("unchanged, shared with earlier snapshots"),
        ),
        ("copied", outcome.copied, copied),
        ("further names", outcome.grouped, why("of copied files")),
        (
            "shared blocks",
            outcome.reflinked,
            why("copies that share their blocks with the source"),
        ),
        (
            "at the limit",
            outcome.at_limit,
            why("copied because a file had as many names as it can have"),
        ),
        ("symbolic links", outcome.symlinks, why("made anew")),
        (
            "symbolic links",
            outcome.symlinks_left_out,
            why("left out: none can be made here"),
        ),
        ("special files", outcome.special, why("left out")),
        ("vanished", outcome.vanished, why("while they were to be copied")),
        (
            "not alike",
            outcome.lost,
            why("owner or attributes could not be given in full"),
        ),
        ("dropped", outcome.dropped.len() as u64, why("old snapshots")),
        (
            "unreadable",
            outcome.unreadable.len() as u64,
            why("missing in the snapshot"),
        ),
        (
            "failed",
            (outcome.failures.len() + outcome.drop_failures.len()) as u64,
            String::new(),
        ),
    ];
    let told = all.into_iter().enumerate();
    let told = told.filter(|(at, (_, number, _))| *at < 2 || *number > 0);
    ui.report(how.dry_run).counts(told.map(|(_, row)| row))?;
    let store = &request.store;
    match &outcome.name {
        Some(name) => {
            let path = name
                .name()
                .to_os()
                .map_or_else(|| store.clone(), |name| store.join(name));
            ui.line(&shown(&path))?;
        }
        None => ui.note(&format!(
            "the snapshot was not finished; what is there helps the next run: {}",
            shown(store)
        )),
    }
    if !outcome.dropped.is_empty() {
        let names = outcome.dropped.iter().map(|name| shown_name(name.name()));
        ui.note(&format!("old snapshots dropped: {}", flat::listed(names)));
    }
    trees::tell_gaps(
        site,
        context,
        &outcome.other_mounts,
        &outcome.unreadable,
        &outcome.failures,
    );
    trees::tell_gaps(site, context, &[], &[], &outcome.drop_failures);
    Ok(())
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    command: &'static str,
    dry_run: bool,
    complete: bool,
    stopped: bool,
    source: JsonPath<'a>,
    store: JsonPath<'a>,
    name: Option<OwnedPath>,
    base: Option<OwnedPath>,
    linked: u64,
    copied: u64,
    copied_bytes: Option<u64>,
    reflinked: Option<u64>,
    grouped: u64,
    at_limit: u64,
    symlinks: u64,
    symlinks_left_out: u64,
    special: u64,
    vanished: u64,
    directories: u64,
    lost: u64,
    dropped: Vec<OwnedPath>,
    failed: u64,
    unreadable: u64,
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
}

fn document(
    context: &Context<'_>,
    request: &Request<'_>,
    outcome: &Done,
    plan: Option<&Plan<'_>>,
) -> Result<(), CommandError> {
    let failures: Vec<&PathError> = outcome
        .unreadable
        .iter()
        .chain(&outcome.failures)
        .chain(&outcome.drop_failures)
        .collect();
    let name = |name: &NameBuf| OwnedPath::from_name(name.name());
    let done = plan.is_none();
    context.ui.document(&Document {
        schema: json::SCHEMA,
        command: "snapshot",
        dry_run: plan.is_some(),
        complete: outcome.is_whole(),
        stopped: outcome.stopped,
        source: JsonPath(&request.source),
        store: JsonPath(&request.store),
        name: outcome.name.as_ref().map(name),
        base: outcome.base.as_ref().map(name),
        linked: outcome.linked,
        copied: outcome.copied,
        copied_bytes: done.then_some(outcome.copied_bytes),
        reflinked: done.then_some(outcome.reflinked),
        grouped: outcome.grouped,
        at_limit: outcome.at_limit,
        symlinks: outcome.symlinks,
        symlinks_left_out: outcome.symlinks_left_out,
        special: outcome.special,
        vanished: outcome.vanished,
        directories: outcome.dirs,
        lost: outcome.lost,
        dropped: outcome.dropped.iter().map(name).collect(),
        failed: (outcome.failures.len() + outcome.drop_failures.len()) as u64,
        unreadable: outcome.unreadable.len() as u64,
        not_entered: outcome.other_mounts.iter().map(OwnedPath::from).collect(),
        failures: failures.into_iter().map(Failed::from).collect(),
        steps: plan.map(|plan| plan.steps().map(|step| step_document(&step)).collect()),
    })
}

fn step_document(step: &Step) -> StepDocument {
    let name = |name: &NameBuf| OwnedPath::from_name(name.name());
    let (what, path) = match step {
        Step::Make(made) => ("make", name(made)),
        Step::Link(path) => ("link", path.into()),
        Step::Copy(path) => ("copy", path.into()),
        Step::Group(path) => ("group", path.into()),
        Step::Symlink(path) => ("symlink", path.into()),
        Step::Drop(dropped) => ("drop", name(dropped)),
        _ => ("other", OwnedPath::from(&PathBuf::new())),
    };
    StepDocument { what, path }
}

#[derive(Serialize)]
struct ListDocument<'a> {
    schema: u32,
    command: &'static str,
    store: JsonPath<'a>,
    snapshots: Vec<ListedSnapshot>,
}

#[derive(Serialize)]
struct ListedSnapshot {
    name: OwnedPath,
    /// Seconds since 1970 (UTC).
    time: i64,
    complete: bool,
}

fn show_list(context: &Context<'_>, args: &SnapshotArgs, store: &Path) -> Result<Outcome, CommandError> {
    let (store, snapshots) = match &args.image.image {
        // it is only read, so a volume that must not be written will do
        Some(image) => {
            let fs = image::file_system(image, image::open(context.ui, image, args.image.partition)?)?;
            let cannot = |error: &PathError| image::in_volume(error).before_start();
            fs.open_dir(store)
                .at("read", store)
                .map_err(|error| cannot(&error))?;
            let snapshots = list(&fs, store).map_err(|error| match &error {
                polylink_tree::Error::Path(error) => cannot(error),
                other => trees::error(Site::host(context), other),
            })?;
            (store.to_path_buf(), snapshots)
        }
        None => {
            let store = Site::host(context).directory(store)?;
            let snapshots = list(&context.fs, &store);
            let snapshots = snapshots.map_err(|error| trees::error(Site::host(context), &error))?;
            (store, snapshots)
        }
    };
    if context.ui.json() {
        context.ui.document(&ListDocument {
            schema: json::SCHEMA,
            command: "snapshot",
            store: JsonPath(&store),
            snapshots: snapshots
                .iter()
                .map(|snapshot| ListedSnapshot {
                    name: OwnedPath::from_name(snapshot.name.name()),
                    time: snapshot.time,
                    complete: snapshot.complete,
                })
                .collect(),
        })?;
        return Ok(Outcome::Done);
    }
    let mut table = Table::new(&[Align::Left, Align::Left, Align::Left]);
    for Snapshot {
        name, time, complete, ..
    } in &snapshots
    {
        let when = local(*time).map_or_else(String::new, |zoned| {
            zoned.strftime("%Y-%m-%d %H:%M:%S").to_string()
        });
        let state = if *complete { "complete" } else { "incomplete" };
        table.row([shown_name(name.name()), when, state.to_owned()]);
    }
    context.ui.out(&table.text())?;
    Ok(Outcome::Done)
}
