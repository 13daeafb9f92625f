//! `polylink demo`.

mod story;
mod volume;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use polylink_core::{LinkFs as _, PathError, ResultExt as _, shown};
use polylink_usage::{Figures, Target, Usage, usage};
use polylink_view::Request;
use serde::Serialize;

use super::flat::{Site, request};
use super::{Context, sample};
use crate::args::DryRun;
use crate::error::{CommandError, Outcome};
use crate::format::{Align, Sizes, Table, change, count, counted, duration, ratio, size};
use crate::json;
use crate::temp::TempFolder;
use crate::ui::Style;

use story::{Change, Disk, Timed};

/// Show the whole story in a temporary folder: a tree, its flat view, and what both cost
///
/// Makes a YEAR/MONTH tree of real files, links them all into one flat directory, shows the disk before and after, what
/// a link costs, what counting by names would claim against what the disk holds, and what deleting the view or the tree
/// would free. Then files come, go, are renamed and saved by rename, and the view is updated and checked. Last the same
/// is done on an NTFS volume in a temporary image, without a driver. Everything is removed again. Takes some seconds and, for 40,000 files, about 300 MiB for as long as it runs.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct DemoArgs {
    /// How many files the tree has
    #[arg(long, value_name = "N", default_value_t = 40_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    files: u32,
    /// Where to make the temporary folder [default: the system's place for temporary files]
    #[arg(long = "in", value_name = "DIR")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    dry: DryRun,
}

const EXAMPLES: &str = "\
Examples:
  polylink demo
  polylink demo --files 1000
  polylink demo --in /media/disk   on another file system";

#[derive(Serialize)]
struct Document {
    schema: u32,
    command: &'static str,
    dry_run: bool,
    files: u64,
    view: Option<ViewDocument>,
    update: Option<UpdateDocument>,
    verified: Option<bool>,
    volume: Option<volume::Document>,
}

#[derive(Serialize)]
struct ViewDocument {
    linked: u64,
    seconds: f64,
    logical_before: u64,
    logical_after: u64,
    disk_before: u64,
    disk_after: u64,
    free_before: Option<u64>,
    free_after: Option<u64>,
    directory_bytes_per_link: f64,
    deleting_view_frees: u64,
    deleting_tree_frees: u64,
    deleting_both_frees: u64,
}

#[derive(Serialize)]
struct UpdateDocument {
    linked: u64,
    relinked: u64,
    removed: u64,
    orphans: u64,
    superseded: u64,
    kept: u64,
    seconds: f64,
    seconds_without_changes: f64,
}

/// What the first view came to.
struct First {
    files: u64,
    made_in: Duration,
    before: Disk,
    view: Timed,
    after: Disk,
    tree_alone: Figures,
    view_alone: Figures,
    twice: u64,
}

/// What the update came to.
struct Second {
    changes: Change,
    update: Timed,
    nothing: Timed,
}

pub(super) fn run(context: &Context<'_>, args: &DemoArgs) -> Result<Outcome, CommandError> {
    let parent = args.dir.as_ref().unwrap_or(&context.env.temp_dir);
    context.open_dir(parent)?;
    if args.dry.dry_run {
        return dry_run(context, args, parent);
    }
    let folder = TempFolder::new(parent, "polylink-demo")?;
    let outcome = tell(context, args, &folder);
    // its Drop would do, but says nothing
    match outcome {
        Ok(outcome) => {
            let took = story::timed(|| folder.remove())?;
            if !context.ui.json() {
                context
                    .ui
                    .line(&format!("Removed it all again in {}.", duration(took.1)))?;
            }
            Ok(outcome)
        }
        Err(error) => Err(error),
    }
}

fn dry_run(
    context: &Context<'_>,
    args: &DemoArgs,
    parent: &std::path::Path,
) -> Result<Outcome, CommandError> {
    if context.ui.json() {
        context.ui.document(&Document {
            schema: json::SCHEMA,
            command: "demo",
            dry_run: true,
            files: u64::from(args.files),
            view: None,
            update: None,
            verified: None,
            volume: None,
        })?;
    } else {
        context.ui.line(&format!(
            "would make {} in a temporary folder in '{}', link them into a flat view, change some, update the view, do the same on an NTFS volume, and remove it all",
            counted(u64::from(args.files), "file", "files"),
            shown(parent)
        ))?;
    }
    Ok(Outcome::Done)
}

fn tell(context: &Context<'_>, args: &DemoArgs, folder: &TempFolder) -> Result<Outcome, CommandError> {
    let files = args.files as usize;
    let tree = folder.path().join("photos");
    let view = folder.path().join("all-photos");
    let first = first(context, files, &tree, &view)?;
    let talk = !context.ui.json();
    if talk {
        tell_first(context, folder, &first)?;
    }
    let request = request(
        Site::host(context),
        std::slice::from_ref(&tree),
        &view,
        polylink_view::Options::default(),
    )?;
    let second = second(context, files, &tree, &request)?;
    if talk {
        tell_second(context, &second)?;
    }
    let verified = story::verify(context, &tree, &view)?;
    if talk {
        tell_verified(context, &verified)?;
    }
    let on_volume = volume::run(context, folder, files)?;
    if talk {
        on_volume.tell(context)?;
    } else {
        document(context, &first, &second, verified.holds(), &on_volume)?;
    }
    Ok(if verified.holds() && on_volume.holds() {
        Outcome::Done
    } else {
        Outcome::Partial
    })
}

/// Makes the tree and its view, and looks at the disk around it.
fn first(
    context: &Context<'_>,
    files: usize,
    tree: &std::path::Path,
    view: &std::path::Path,
) -> Result<First, CommandError> {
    let meter = context.meter();
    let (made, made_in) = story::timed(|| sample::make_tree(tree, files, sample::Naming::SomeTwice, &meter))?;
    debug_assert!(made > 0);
    let before = disk(context, &[tree])?;
    let request = request(
        Site::host(context),
        &[tree.to_path_buf()],
        view,
        polylink_view::Options::default(),
    )?;
    let linked = story::update(context, Site::host(context), &request, &meter)?;
    let after = disk(context, &[tree, view])?;
    drop(meter);
    context.stop.check()?;
    let rows = after.usage.rows(Some(0), polylink_usage::SortBy::Path, None);
    let alone = |path: &std::path::Path| {
        rows.iter()
            .find(|row| row.path == path)
            .map(|row| row.figures)
            .unwrap_or_default()
    };
    Ok(First {
        files: files as u64,
        made_in,
        twice: story::names_with_label(view),
        tree_alone: alone(tree),
        view_alone: alone(view),
        before,
        view: linked,
        after,
    })
}

/// The disk as the file system accounts for it now. What waits in memory is allocated already where that is done late
/// (ext4, xfs), so nothing has to be written out first: `polylink cost` does that, and takes its time.
fn disk(context: &Context<'_>, paths: &[&std::path::Path]) -> Result<Disk, CommandError> {
    let failed = |error: PathError| context.explain(&error);
    let dir = context.open_dir(paths[0])?;
    let free = context
        .fs
        .volume(&dir)
        .at("look at", paths[0])
        .map_err(failed)?
        .free;
    let targets = paths
        .iter()
        .map(|path| Target::open(&context.fs, path).map_err(failed))
        .collect::<Result<Vec<_>, _>>()?;
    let usage: Usage = usage(
        &context.fs,
        &targets,
        &polylink_usage::Options::default(),
        &polylink_core::Silent,
    );
    Ok(Disk { free, usage })
}

fn second(
    context: &Context<'_>,
    files: usize,
    tree: &std::path::Path,
    request: &Request,
) -> Result<Second, CommandError> {
    let meter = context.meter();
    let changes = story::change(tree, files)?;
    let update = story::update(context, Site::host(context), request, &meter)?;
    let nothing = story::update(context, Site::host(context), request, &meter)?;
    Ok(Second {
        changes,
        update,
        nothing,
    })
}

fn tell_first(context: &Context<'_>, folder: &TempFolder, first: &First) -> Result<(), CommandError> {
    let ui = context.ui;
    let heading = |text: &str| ui.line(&format!("\n{}", ui.paint(Style::Heading, text)));
    let human = Sizes::Human;
    ui.line(&format!(
        "{} in {} folders, as photos/YEAR/MONTH/img_NNNNN.jpg, made in {}",
        counted(first.files, "file", "files"),
        sample::YEARS * sample::MONTHS,
        duration(first.made_in)
    ))?;
    ui.line(&format!("below '{}'.", shown(folder.path())))?;
    ui.line("Some program works on a single directory only. So each file gets a further name in one:")?;
    heading("polylink flat photos all-photos")?;
    ui.line(&format!(
        "{} linked in {}, {} each. {}",
        counted(first.view.outcome.linked, "name", "names"),
        duration(first.view.time),
        micros(first.view.time, first.view.outcome.linked),
        match first.twice {
            0 => String::new(),
            n => format!(
                "{} taken already and became like 'img_00001 (2007-02).jpg'.",
                if n == 1 {
                    "1 name was".into()
                } else {
                    format!("{} names were", count(n))
                }
            ),
        }
    ))?;
    heading("What the disk says")?;
    let mut table =
        Table::new(&[Align::Left, Align::Right, Align::Right, Align::Right, Align::Left]).indent(2);
    let (before, after) = (&first.before.usage.total, &first.after.usage.total);
    table.row(["", "before", "after", "", ""]);
    table.row([
        "names of files".to_owned(),
        count(before.names),
        count(after.names),
        format!("+{}", count(after.names.saturating_sub(before.names))),
    ]);
    table.row([
        "files".to_owned(),
        count(before.files),
        count(after.files),
        count(after.files.saturating_sub(before.files)),
    ]);
    let mut bytes = |what: &str, before: u64, after: u64, note: &str| {
        table.row([
            what.to_owned(),
            size(before),
            size(after),
            change(before, after, human),
            note.to_owned(),
        ]);
    };
    bytes(
        "claimed",
        before.logical_bytes,
        after.logical_bytes,
        "each name counted, as Explorer does",
    );
    bytes(
        "files on disk",
        before.disk_bytes,
        after.disk_bytes,
        "each file counted once",
    );
    bytes(
        "directories on disk",
        before.directory_bytes,
        after.directory_bytes,
        "here are the names",
    );
    if let Some((free_before, free_after)) = first.before.free.zip(first.after.free) {
        bytes(
            "free space",
            free_before,
            free_after,
            "as measured, the whole disk",
        );
    }
    ui.out(&table.text())?;
    let copies = size(before.disk_bytes);
    if per_link(first) > 0.0 {
        let each = ratio(per_link(first), 1);
        ui.line(&format!(
            "A link costs {each} bytes here. Copies would have cost {copies}."
        ))?;
    } else {
        ui.line(&format!(
            "This file system does not say what names take. Copies would have cost {copies}."
        ))?;
    }
    heading("What deleting would free")?;
    let mut table = Table::new(&[Align::Left, Align::Right, Align::Left]).indent(2);
    let frees = |figures: &Figures| size(figures.exclusive_bytes);
    table.row([
        "the view".to_owned(),
        frees(&first.view_alone),
        "its files keep their names in the tree".into(),
    ]);
    table.row([
        "the tree".to_owned(),
        frees(&first.tree_alone),
        "its files keep their names in the view".into(),
    ]);
    table.row([
        "both".to_owned(),
        frees(after),
        "the last names of all files".into(),
    ]);
    ui.out(&table.text())?;
    ui.flush()
}

/// Bytes by which the directories grew, for each link.
fn per_link(first: &First) -> f64 {
    let grown = first
        .after
        .usage
        .total
        .directory_bytes
        .saturating_sub(first.before.usage.total.directory_bytes);
    #[allow(clippy::cast_precision_loss)] // shown with one decimal
    {
        grown as f64 / first.view.outcome.linked.max(1) as f64
    }
}

fn micros(time: Duration, parts: u64) -> String {
    #[allow(clippy::cast_precision_loss)] // shown with one decimal
    let micros = time.as_micros() as f64;
    format!("{} microseconds", ratio(micros, parts.max(1)))
}

fn tell_second(context: &Context<'_>, second: &Second) -> Result<(), CommandError> {
    let ui = context.ui;
    let Change {
        came,
        went,
        renamed,
        saved,
    } = second.changes;
    ui.line(&format!(
        "\n{}",
        ui.paint(Style::Heading, "Then the tree changes")
    ))?;
    ui.line(&format!(
        "{} came, {} went, {} renamed, {} saved by rename (as editors do).",
        counted(came, "file", "files"),
        count(went),
        count(renamed),
        count(saved)
    ))?;
    ui.line(&format!(
        "\n{}",
        ui.paint(Style::Heading, "polylink flat photos all-photos")
    ))?;
    let outcome = &second.update.outcome;
    let mut table = Table::new(&[Align::Left, Align::Right, Align::Left]).indent(2);
    for (what, number, note) in [
        ("linked", outcome.linked, "the new files"),
        (
            "relinked",
            outcome.relinked,
            "saved by rename: the name leads to the new version",
        ),
        (
            "kept",
            outcome.kept,
            "the renamed ones too: names in the view stay",
        ),
        (
            "orphans",
            outcome.orphans.len() as u64,
            "what went, and old versions: the view had the last name, so nothing is lost",
        ),
    ] {
        table.row([what.to_owned(), count(number), note.to_owned()]);
    }
    ui.out(&table.text())?;
    ui.line(&format!(
        "Updated in {}. Once more, with nothing to do: {} names compared in {}.",
        duration(second.update.time),
        count(second.nothing.outcome.kept),
        duration(second.nothing.time)
    ))?;
    ui.flush()
}

fn tell_verified(context: &Context<'_>, verified: &story::Verified) -> Result<(), CommandError> {
    let ui = context.ui;
    if verified.holds() {
        ui.line(&format!(
            "\n{} each of the {} files of the tree has one name in the view, and the view holds {} besides: the orphans.",
            ui.paint(Style::Good, "Checked:"),
            count(verified.files),
            count(verified.beside)
        ))
    } else {
        ui.line(&format!(
            "\n{} {} of the {} files of the tree have no name in the view, or several.",
            ui.paint(Style::Bad, "Wrong:"),
            count(verified.wrong),
            count(verified.files)
        ))
    }
}

fn document(
    context: &Context<'_>,
    first: &First,
    second: &Second,
    verified: bool,
    on_volume: &volume::OnVolume,
) -> Result<(), CommandError> {
    let (before, after) = (&first.before.usage.total, &first.after.usage.total);
    let outcome = &second.update.outcome;
    context.ui.document(&Document {
        schema: json::SCHEMA,
        command: "demo",
        dry_run: false,
        files: first.files,
        view: Some(ViewDocument {
            linked: first.view.outcome.linked,
            seconds: first.view.time.as_secs_f64(),
            logical_before: before.logical_bytes,
            logical_after: after.logical_bytes,
            disk_before: before.disk_bytes,
            disk_after: after.disk_bytes,
            free_before: first.before.free,
            free_after: first.after.free,
            directory_bytes_per_link: per_link(first),
            deleting_view_frees: first.view_alone.exclusive_bytes,
            deleting_tree_frees: first.tree_alone.exclusive_bytes,
            deleting_both_frees: after.exclusive_bytes,
        }),
        update: Some(UpdateDocument {
            linked: outcome.linked,
            relinked: outcome.relinked,
            removed: outcome.removed,
            orphans: outcome.orphans.len() as u64,
            superseded: outcome.superseded,
            kept: outcome.kept,
            seconds: second.update.time.as_secs_f64(),
            seconds_without_changes: second.nothing.time.as_secs_f64(),
        }),
        verified: Some(verified),
        volume: Some(on_volume.document()),
    })
}
