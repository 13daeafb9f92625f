//! `polylink dedupe`.

mod json;
mod summary;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use polylink_dedupe::{Keep, Options, Part, Target, apply, plan};

pub(super) use summary::{left_alone, reasons};

use super::Context;
use super::flat::{Site, filter};
use crate::args::{DryRun, Exact};
use crate::error::{CommandError, Outcome};
use crate::format::{Sizes, parse_size};
use crate::image::ChangeOption;

/// Make identical files names of one file
///
/// All files below each PATH are looked at, and files that were named. Of those that hold the same one stays, and the
/// names of the others lead to it from then on: their content is on the disk once. Nothing is copied, and no name is
/// missing at any moment. Right before a file loses a name it is compared byte for byte with the file that takes it; a
/// file that changes meanwhile is left alone.
///
/// From then on the names share one file: what is written into it by one name is seen by all. (Editors that save by
/// rename give the name that they save a file of its own.) So do not merge files that programs write into, and do not
/// run this while they do. 'polylink split' is the way back.
///
/// Files stay apart that differ in permissions, owner, group, time of last change, extended attributes or access lists,
/// unless --ignore says that it does not matter: then those of the file that stays count for all its names. Empty files
/// are left alone unless --min-size is 0, and so are symbolic links, special files, and other file systems below a PATH.
/// A file with names beyond the paths is not freed; it is counted apart. Exit code 1 says that something could not be
/// read, changed meanwhile, or failed.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct DedupeArgs {
    /// Directories and files
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Leave smaller files alone; K, M, G may follow the number
    #[arg(long, value_name = "SIZE", default_value = "1", value_parser = parse_size)]
    min_size: u64,
    /// Which of several identical files stays
    #[arg(long, value_name = "WHICH", default_value = "auto")]
    keep: KeepArg,
    /// What may differ; several are separated by commas
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    ignore: Vec<PartArg>,
    /// Take only what matches; may be given several times
    ///
    /// A pattern without a slash is matched against each name of the path, one with a slash against the path below the
    /// PATH; '*' does not match a slash, '**' does. On Windows backslashes separate as well, and case does not matter.
    #[arg(long, value_name = "GLOB")]
    include: Vec<String>,
    /// Leave out what matches; may be given several times
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
    #[command(flatten)]
    dry: DryRun,
    #[command(flatten)]
    exact: Exact,
    #[command(flatten)]
    image: ChangeOption,
}

const EXAMPLES: &str = "\
Examples:
  polylink dedupe -n ~/photos                       which names would lead to which file, and what that frees
  polylink dedupe ~/photos
  polylink dedupe --ignore times ~/photos ~/phone   copies that lost their dates too
  polylink dedupe --keep first ~/photos ~/phone     files below ~/photos stay
  polylink dedupe --include '*.jpg' --min-size 100K ~/photos
  polylink dedupe --image disk.img /photos          in an NTFS volume that nothing has mounted";

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum KeepArg {
    /// The one that lets the most be freed, then the one that moves the fewest names
    Auto,
    /// The one that comes first: PATHs in their order, below each in path order
    First,
    /// The one that was changed longest ago
    Oldest,
    /// The one that was changed last
    Newest,
    /// The one with the most names, wherever they are
    MostLinks,
}

impl From<KeepArg> for Keep {
    fn from(arg: KeepArg) -> Self {
        match arg {
            KeepArg::Auto => Self::Auto,
            KeepArg::First => Self::First,
            KeepArg::Oldest => Self::Oldest,
            KeepArg::Newest => Self::Newest,
            KeepArg::MostLinks => Self::MostLinks,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum PartArg {
    /// Permissions; on NTFS the attributes
    Mode,
    /// User and group
    Owner,
    /// When it was last changed
    Times,
    /// Extended attributes and access lists; on NTFS the alternate data streams
    Xattrs,
}

impl From<PartArg> for Part {
    fn from(arg: PartArg) -> Self {
        match arg {
            PartArg::Mode => Self::Mode,
            PartArg::Owner => Self::Owner,
            PartArg::Times => Self::Times,
            PartArg::Xattrs => Self::Xattrs,
        }
    }
}

pub(super) fn run(context: &Context<'_>, args: &DedupeArgs) -> Result<Outcome, CommandError> {
    Site::work(context, &args.image, args.dry.dry_run, |site| {
        dedupe(context, args, site)
    })
}

fn dedupe(context: &Context<'_>, args: &DedupeArgs, site: Site<'_>) -> Result<Outcome, CommandError> {
    let fs = site.files();
    let targets = args
        .paths
        .iter()
        .map(|path| Target::open(fs, path).map_err(|error| site.explain(&error).before_start()))
        .collect::<Result<Vec<_>, _>>()?;
    let options = Options {
        min_size: args.min_size,
        keep: args.keep.into(),
        ignore: args.ignore.iter().map(|&part| part.into()).collect(),
        filter: filter(site, &args.include, &args.exclude)
            .map_err(|glob| super::flat::error(context, &glob.into()))?,
        ..Options::default()
    };
    let meter = context.meter();
    let plan = plan(fs, &targets, &options, &meter);
    // a plan that broke off says nothing about what there is
    context
        .stop
        .check()
        .map_err(|error| error.hint("nothing was changed"))?;
    let sizes = Sizes::exact(args.exact.bytes);
    let outcome = if args.dry.dry_run {
        drop(meter);
        let outcome = plan.forecast();
        if context.ui.json() {
            json::print(context, &outcome, Some(&plan))?;
        } else {
            for step in plan.steps() {
                context.ui.line(&step.to_string())?;
            }
            summary::print(site, context, &outcome, sizes, true)?;
        }
        outcome
    } else {
        let outcome = apply(fs, plan, &meter);
        drop(meter);
        site.close()?;
        if context.ui.json() {
            json::print(context, &outcome, None)?;
        } else {
            summary::print(site, context, &outcome, sizes, false)?;
        }
        outcome
    };
    Outcome::of_run(outcome.stopped, outcome.is_complete(), "it goes on from here")
}
