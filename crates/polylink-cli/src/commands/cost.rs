//! `polylink cost`.

mod volume;

use std::path::{Path, PathBuf};

use clap::Args;
use polylink_core::{
    At, Dir, Fault, FaultKind, HardLinks, LinkFs as _, Name, Progress as _, ResultExt as _, shown,
};
use polylink_host::facts;
use serde::Serialize;

use super::{Context, sample};
use crate::args::DryRun;
use crate::codes::native;
use crate::error::{CommandError, Outcome};
use crate::explain;
use crate::format::{count, counted, ratio, size};
use crate::json::{self, JsonPath};
use crate::progress::Meter;
use crate::temp::TempFolder;
use crate::ui::Style;

/// The file of the first experiment: a photo.
const PHOTO: usize = 3_212_078;
/// What NTFS allows beyond the first name, so that the figures can be compared.
const FURTHER_NAMES: u64 = 1023;

/// Measure what a hard link costs here
///
/// Two experiments in a temporary folder inside DIR, which is removed afterwards: one file is given many further names,
/// and a YEAR/MONTH tree of files is given a flat view. Before and after each, all is written to the disk, and the free
/// space and the size of the directories are read. Nothing is estimated: the free space tells what the disk lost, others
/// who write to it included; the directories tell what the names themselves took, to the byte.
///
/// With --image the experiments are made on a new NTFS volume of 2 GiB in IMG, which stays there: 2,034 files with
/// 1,109,324,978 bytes, and 2,212 links to them in one directory. Nobody else writes to it, so the table says where each
/// byte went, beside what Windows took for the same.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct CostArgs {
    /// Where to measure: any directory of the file system in question
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Further names for the one file [default: 1,023, or what the file system allows]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    links: Option<u64>,
    /// Files in the tree [default: 2034]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    files: Option<u32>,
    /// Measure on a new NTFS volume in this file, which must not exist
    #[arg(long, value_name = "IMG", conflicts_with = "dir", help_heading = "Images")]
    image: Option<PathBuf>,
    #[command(flatten)]
    dry: DryRun,
}

const EXAMPLES: &str = "\
Examples:
  polylink cost                     on the file system of this directory
  polylink cost --links 64999 /mnt  to the limit of ext4
  polylink cost --files 100000 ~    a large view
  polylink cost --image disk.img    on NTFS, without a driver";

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    command: &'static str,
    dry_run: bool,
    dir: JsonPath<'a>,
    file_system: &'a str,
    link_limit: Option<u64>,
    experiments: Vec<Experiment>,
}

#[derive(Clone, Debug, Serialize)]
struct Experiment {
    title: String,
    files: u64,
    links: u64,
    free_before: Option<u64>,
    free_after: Option<u64>,
    bytes_per_link: Option<f64>,
    directory_before: Option<u64>,
    directory_after: Option<u64>,
    directory_bytes_per_link: Option<f64>,
    available_after: Option<u64>,
    links_to_fill: Option<u64>,
    limit_reached: bool,
}

/// What can be read off the disk at one moment.
#[derive(Clone, Copy, Debug)]
struct Reading {
    free: Option<u64>,
    available: Option<u64>,
    directory: u64,
}

/// Files in the tree, where nobody says how many.
const FILES: u32 = 2034;

pub(super) fn run(context: &Context<'_>, args: &CostArgs) -> Result<Outcome, CommandError> {
    if let Some(image) = &args.image {
        return volume::run(context, args, image);
    }
    let files = args.files.unwrap_or(FILES);
    let dir = context.open_dir(&args.dir)?;
    let volume = context.fs.volume(&dir).at("look at", &args.dir)?;
    if volume.hard_links == HardLinks::No {
        return Err(CommandError::cannot_start(format!(
            "links cost nothing in '{}', for there are none",
            shown(&args.dir)
        ))
        .hint(explain::no_hard_links(&volume.kind)));
    }
    let most = volume.link_limit.map(|limit| limit.saturating_sub(1));
    let wanted = args.links.unwrap_or(FURTHER_NAMES);
    let links = most.map_or(wanted, |most| wanted.min(most));
    if !context.ui.json() {
        heading(context, args, &volume.kind, volume.link_limit)?;
    }
    let mut experiments = Vec::new();
    if args.dry.dry_run {
        experiments.push(planned(one_file_title(links), 1, links));
        experiments.push(planned(tree_title(files), u64::from(files), u64::from(files)));
    } else {
        let folder = TempFolder::new(&args.dir, ".polylink-cost")?;
        let meter = context.meter();
        experiments.push(one_file(context, &folder, links, &meter)?);
        experiments.push(tree(context, &folder, files, &meter)?);
        drop(meter);
        folder.remove()?;
    }
    if links < wanted && args.links.is_some() {
        context.ui.note(&format!(
            "{} further names are all that {} allows: {} were asked for",
            count(links),
            volume.kind,
            count(wanted)
        ));
    }
    if context.ui.json() {
        context.ui.document(&Document {
            schema: json::SCHEMA,
            command: "cost",
            dry_run: args.dry.dry_run,
            dir: JsonPath(&args.dir),
            file_system: &volume.kind,
            link_limit: volume.link_limit,
            experiments,
        })?;
        return Ok(Outcome::Done);
    }
    for experiment in &experiments {
        show(context, experiment)?;
    }
    if !args.dry.dry_run {
        let told = experiments
            .iter()
            .any(|experiment| experiment.directory_after.is_some());
        context.ui.note(&format!(
            "the free space is that of the whole disk: whoever else writes to it blurs the figure; {}",
            if told {
                "the directories are exact"
            } else {
                "what directories take is not told by this file system"
            }
        ));
    }
    Ok(Outcome::Done)
}

fn heading(
    context: &Context<'_>,
    args: &CostArgs,
    kind: &str,
    limit: Option<u64>,
) -> Result<(), CommandError> {
    let place = match facts::mount_of(&args.dir) {
        Ok(mount) => explain::described(&mount),
        Err(_) => kind.to_owned(),
    };
    let limit = limit.map_or_else(
        || "no known limit of names".to_owned(),
        |limit| format!("a file has at most {} here", counted(limit, "name", "names")),
    );
    context.ui.line_now(&format!("{place}; {limit}"))
}

fn one_file_title(links: u64) -> String {
    format!(
        "one file of {} bytes, {}",
        count(PHOTO as u64),
        counted(links, "further name", "further names")
    )
}

fn tree_title(files: u32) -> String {
    format!(
        "a tree of {} and its flat view",
        counted(u64::from(files), "file", "files")
    )
}

fn planned(title: String, files: u64, links: u64) -> Experiment {
    Experiment {
        title,
        files,
        links,
        free_before: None,
        free_after: None,
        bytes_per_link: None,
        directory_before: None,
        directory_after: None,
        directory_bytes_per_link: None,
        available_after: None,
        links_to_fill: None,
        limit_reached: false,
    }
}

fn one_file(
    context: &Context<'_>,
    folder: &TempFolder,
    links: u64,
    meter: &Meter,
) -> Result<Experiment, CommandError> {
    let path = folder.path().join("one");
    make_dir(&path)?;
    let file = path.join("photo.jpg");
    sample::write_file(&file, 1, PHOTO).map_err(|error| CommandError::from_io("write", &file, &error))?;
    let dir = context.open_dir(&path)?;
    let before = read(context, &dir, Some(&dir))?;
    meter.begin("linking", Some(links));
    let mut made = 0;
    while made < links {
        if meter.cancelled() {
            return Err(CommandError::interrupted());
        }
        let name = format!("photo_{:05}.jpg", made + 1);
        let linked = context.fs.link(
            At::new(&dir, Name::new("photo.jpg")),
            At::new(&dir, Name::new(&name)),
        );
        match linked {
            Ok(()) => made += 1,
            Err(fault) if fault.kind() == FaultKind::TooManyLinks && made > 0 => break,
            Err(fault) => {
                let failed = Err(fault).between("link", &file, path.join(name));
                return failed.map_err(|error| context.explain(&error));
            }
        }
        meter.advance(1);
    }
    meter.end();
    let after = read(context, &dir, Some(&dir))?;
    let mut experiment = measured(one_file_title(made), 1, made, before, after);
    experiment.limit_reached = made < links;
    Ok(experiment)
}

fn tree(
    context: &Context<'_>,
    folder: &TempFolder,
    files: u32,
    meter: &Meter,
) -> Result<Experiment, CommandError> {
    let count = files as usize;
    let root = folder.path().join("tree");
    sample::make_tree(&root, count, sample::Naming::Unique, meter)?;
    let holder = context.open_dir(folder.path())?;
    let before = read(context, &holder, None)?;
    let view_path = folder.path().join("view");
    make_dir(&view_path)?;
    let view = context.open_dir(&view_path)?;
    meter.begin("linking", Some(u64::from(files)));
    let mut month: Option<(usize, Dir)> = None;
    for index in 0..count {
        if meter.cancelled() {
            return Err(CommandError::interrupted());
        }
        let number = sample::month_of(index, count);
        let dir = match &month {
            Some((known, dir)) if *known == number => dir.clone(),
            _ => context.open_dir(&sample::month_dir(&root, number))?,
        };
        let name = sample::file_name(index, sample::Naming::Unique);
        let at = |dir| At::new(dir, Name::new(&name));
        context
            .fs
            .link(at(&dir), at(&view))
            .between(
                "link",
                sample::month_dir(&root, number).join(&name),
                view_path.join(&name),
            )
            .map_err(|error| context.explain(&error))?;
        month = Some((number, dir));
        meter.advance(1);
    }
    meter.end();
    let after = read(context, &holder, Some(&view))?;
    Ok(measured(
        tree_title(files),
        u64::from(files),
        u64::from(files),
        before,
        after,
    ))
}

fn make_dir(path: &Path) -> Result<(), CommandError> {
    std::fs::create_dir(path).map_err(|error| CommandError::from_io("make", path, &error))
}

/// Writes everything to the disk, and looks; a directory that is not there yet takes nothing.
fn read(context: &Context<'_>, on: &Dir, directory: Option<&Dir>) -> Result<Reading, CommandError> {
    let failed = |fault| CommandError::from_error(&fault);
    facts::sync(on).map_err(failed)?;
    let volume = context.fs.volume(on).map_err(failed)?;
    let directory = match directory {
        Some(dir) => context.fs.stat_dir(dir).map_err(failed)?.allocated,
        None => 0,
    };
    Ok(Reading {
        free: volume.free,
        available: volume.available,
        directory,
    })
}

fn measured(title: String, files: u64, links: u64, before: Reading, after: Reading) -> Experiment {
    // OK as casts: differences of the free space, shown with one decimal
    #[allow(clippy::cast_precision_loss)]
    let per_link = |before: u64, after: u64| (after as f64 - before as f64) / links.max(1) as f64;
    let lost = before
        .free
        .zip(after.free)
        .map(|(before, after)| per_link(after, before));
    // btrfs and tmpfs keep names elsewhere and call their directories empty: that is not known, not nothing
    let told = after.directory > 0;
    let grown = told.then(|| per_link(before.directory, after.directory));
    let each = grown
        .filter(|grown| *grown > 0.0)
        .or(lost)
        .filter(|each| *each > 0.0);
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss
    )]
    let links_to_fill = after
        .available
        .zip(each)
        .map(|(available, each)| (available as f64 / each) as u64);
    Experiment {
        title,
        files,
        links,
        free_before: before.free,
        free_after: after.free,
        bytes_per_link: lost,
        directory_before: told.then_some(before.directory),
        directory_after: told.then_some(after.directory),
        directory_bytes_per_link: grown,
        available_after: after.available,
        links_to_fill,
        limit_reached: false,
    }
}

fn show(context: &Context<'_>, experiment: &Experiment) -> Result<(), CommandError> {
    let ui = context.ui;
    ui.line("")?;
    ui.line(&ui.paint(Style::Heading, &experiment.title))?;
    if experiment.limit_reached {
        let refusal = native(Fault::of(FaultKind::TooManyLinks));
        ui.line(&format!(
            "  this is the limit: the file system refused the next name ({})",
            refusal.symbol()
        ))?;
    }
    let mut table = crate::format::Table::new(&[
        crate::format::Align::Left,
        crate::format::Align::Right,
        crate::format::Align::Left,
        crate::format::Align::Right,
        crate::format::Align::Right,
        crate::format::Align::Right,
    ])
    .indent(2);
    let mut row = |what: &str, before: u64, after: u64, taken: i128| {
        let sign = if taken < 0 { "-" } else { "" };
        #[allow(clippy::cast_precision_loss)] // shown with one decimal
        let each = ratio(taken as f64, experiment.links);
        table.row([
            what.to_owned(),
            count(before),
            "->".into(),
            count(after),
            format!("{sign}{} bytes", count(taken.unsigned_abs())),
            format!("{each} a link"),
        ]);
    };
    if let Some((before, after)) = experiment.free_before.zip(experiment.free_after) {
        row(
            "free space",
            before,
            after,
            i128::from(before) - i128::from(after),
        );
    }
    if let Some((before, after)) = experiment.directory_before.zip(experiment.directory_after) {
        row("directory", before, after, i128::from(after) - i128::from(before));
    }
    ui.out(&table.text())?;
    if let (Some(fill), Some(free)) = (experiment.links_to_fill, experiment.available_after) {
        ui.line(&format!(
            "  {} such links would fill the {} that are left",
            count(fill),
            size(free)
        ))?;
    }
    Ok(())
}
