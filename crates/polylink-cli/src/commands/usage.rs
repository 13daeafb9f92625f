//! `polylink usage`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use polylink_core::{LinkFs, PathError, shown};
use polylink_ntfs::{Catalog, VolumeFs};
use polylink_usage::{Figures, Mounts, Options, SortBy, Target, Usage, usage};
use serde::Serialize;

use super::Context;
use crate::args::Exact;
use crate::codes::native;
use crate::error::{CommandError, Outcome};
use crate::format::{Align, Sizes, Table, count, counted};
use crate::image::{ImageOption, Reading};
use crate::json::{self, JsonPath};
use crate::ui::Style;

/// Show what names, files and directories really occupy, and what deleting them would free
///
/// A file with several names is one file: it counts once in each directory that has one of its names at or below. So
/// what a directory holds ('disk') and what deleting it would give back ('frees') are two figures: files that live on
/// under names elsewhere are not freed.
///
/// The total takes all PATHs as one set: two directories that each free nothing may free everything together. It does
/// not depend on the order of the arguments or on arguments that lie inside each other. Exit code 1 says that part could
/// not be read: the figures are then lower bounds.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct UsageArgs {
    /// Directories and files; with --image the whole volume if none is given
    #[arg(required_unless_present = "image", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Show directories down to this many levels below each PATH
    #[arg(short, long, value_name = "N", default_value_t = 1)]
    depth: usize,
    /// Show the first N rows only
    #[arg(short, long, value_name = "N")]
    top: Option<usize>,
    /// What to sort by: figures with the largest first, paths upwards
    #[arg(short, long, value_name = "BY", default_value = "path")]
    sort: Sort,
    /// Take all PATHs as one set that would be deleted, and show the total only
    #[arg(long)]
    together: bool,
    /// Go into other file systems that are mounted below a PATH
    #[arg(long)]
    cross_mounts: bool,
    #[command(flatten)]
    exact: Exact,
    #[command(flatten)]
    image: ImageOption,
}

const EXAMPLES: &str = "\
Columns:
  disk     allocated bytes, each file counted once
  frees    what deleting this directory alone would give back: files all of whose names lie inside
  shared   disk less frees: files that live on under names elsewhere
  logical  bytes with each name counted, as Explorer and 'ls' show them
  names    names of files
  files    how many files these names lead to

Examples:
  polylink usage photos all-photos              a tree, its flat view, and both together
  polylink usage --together photos all-photos   what deleting both would free
  polylink usage --image disk.img /photos       a directory of a volume that nothing has mounted
  polylink usage -d 3 -s frees -t 20 ~          the 20 directories whose deletion frees most";

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Sort {
    Path,
    Names,
    Files,
    Logical,
    Disk,
    /// What deleting would free
    #[value(alias = "frees")]
    Exclusive,
    Shared,
}

impl From<Sort> for SortBy {
    fn from(sort: Sort) -> Self {
        match sort {
            Sort::Path => Self::Path,
            Sort::Names => Self::Names,
            Sort::Files => Self::Files,
            Sort::Logical => Self::Logical,
            Sort::Disk => Self::Disk,
            Sort::Exclusive => Self::Exclusive,
            Sort::Shared => Self::Shared,
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    command: &'static str,
    complete: bool,
    total: Numbers,
    directories: Vec<Directory<'a>>,
    unreadable: Vec<Unreadable<'a>>,
    not_entered: Vec<JsonPath<'a>>,
}

#[derive(Serialize)]
struct Directory<'a> {
    path: JsonPath<'a>,
    depth: usize,
    complete: bool,
    #[serde(flatten)]
    numbers: Numbers,
}

#[derive(Serialize)]
struct Unreadable<'a> {
    path: JsonPath<'a>,
    reason: String,
}

/// The figures, as programs read them.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Numbers {
    names: u64,
    files: u64,
    logical_bytes: u64,
    disk_bytes: u64,
    exclusive_bytes: u64,
    shared_bytes: u64,
    outside_names: u64,
    directories: u64,
    directory_bytes: u64,
    other: u64,
}

impl From<&Figures> for Numbers {
    fn from(figures: &Figures) -> Self {
        Self {
            names: figures.names,
            files: figures.files,
            logical_bytes: figures.logical_bytes,
            disk_bytes: figures.disk_bytes,
            exclusive_bytes: figures.exclusive_bytes,
            shared_bytes: figures.shared_bytes(),
            outside_names: figures.outside_names,
            directories: figures.directories,
            directory_bytes: figures.directory_bytes,
            other: figures.other,
        }
    }
}

pub(super) fn run(context: &Context<'_>, args: &UsageArgs) -> Result<Outcome, CommandError> {
    let image = args.image.open(context.ui, Reading::AtOnce)?;
    let fs: &dyn LinkFs = match &image {
        Some(image) => image,
        None => &context.fs,
    };
    let whole = [PathBuf::from("/")];
    let paths = if args.paths.is_empty() {
        &whole[..]
    } else {
        &args.paths
    };
    let targets = paths
        .iter()
        .map(|path| {
            Target::open(fs, path).map_err(|error| match &image {
                Some(_) => CommandError::from_path(&error).before_start(),
                None => context.explain(&error).before_start(),
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let options = Options {
        mounts: if args.cross_mounts {
            Mounts::Cross
        } else {
            Mounts::Stay
        },
        ..Options::default()
    };
    let meter = context.meter();
    let mut found = usage(fs, &targets, &options, &meter);
    drop(meter);
    context.stop.check()?;
    let damage = image
        .as_ref()
        .and_then(VolumeFs::catalog)
        .map_or(&[][..], Catalog::damage);
    for corrupt in damage.iter().take(8) {
        context.ui.warn(&corrupt.to_string());
    }
    found.complete &= damage.is_empty();
    if context.ui.json() {
        document(context, args, &found)?;
    } else {
        table(context, args, &found)?;
        notes(context, args, &found);
    }
    Ok(if found.complete {
        Outcome::Done
    } else {
        Outcome::Partial
    })
}

fn rows(args: &UsageArgs, found: &Usage) -> Vec<polylink_usage::Row> {
    if args.together {
        return Vec::new();
    }
    found.rows(Some(args.depth), args.sort.into(), args.top)
}

fn document(context: &Context<'_>, args: &UsageArgs, found: &Usage) -> Result<(), CommandError> {
    let rows = rows(args, found);
    context.ui.document(&Document {
        schema: json::SCHEMA,
        command: "usage",
        complete: found.complete,
        total: Numbers::from(&found.total),
        directories: rows
            .iter()
            .map(|row| Directory {
                path: JsonPath(&row.path),
                depth: row.depth,
                complete: row.complete,
                numbers: Numbers::from(&row.figures),
            })
            .collect(),
        unreadable: found
            .problems
            .iter()
            .map(|PathError { path, fault, .. }| Unreadable {
                path: JsonPath(path),
                reason: native(*fault).to_string(),
            })
            .collect(),
        not_entered: found.other_mounts.iter().map(|path| JsonPath(path)).collect(),
    })
}

pub(super) const COLUMNS: [Align; 7] = [
    Align::Right,
    Align::Right,
    Align::Right,
    Align::Right,
    Align::Right,
    Align::Right,
    Align::Left,
];

pub(super) const HEADINGS: [&str; 7] = ["disk", "frees", "shared", "logical", "names", "files", "path"];

/// The cells of one row.
pub(super) fn cells(figures: &Figures, sizes: Sizes, path: String) -> [String; 7] {
    [
        sizes.show(figures.disk_bytes),
        sizes.show(figures.exclusive_bytes),
        sizes.show(figures.shared_bytes()),
        sizes.show(figures.logical_bytes),
        count(figures.names),
        count(figures.files),
        path,
    ]
}

fn table(context: &Context<'_>, args: &UsageArgs, found: &Usage) -> Result<(), CommandError> {
    let sizes = Sizes::exact(args.exact.bytes);
    let mut table = Table::new(&COLUMNS);
    table.row(HEADINGS);
    for row in rows(args, found) {
        let mut path = shown(&row.path);
        if !row.complete {
            path.push_str("  (at least)");
        }
        table.row(cells(&row.figures, sizes, path));
    }
    let total = if found.complete {
        "total"
    } else {
        "total (at least)"
    };
    table.row(cells(&found.total, sizes, total.into()));
    let text = table.text();
    let (heading, rest) = text.split_once('\n').unwrap_or((&text, ""));
    context.ui.line(&context.ui.paint(Style::Heading, heading))?;
    context.ui.out(rest)
}

fn notes(context: &Context<'_>, args: &UsageArgs, found: &Usage) {
    let (ui, sizes) = (context.ui, Sizes::exact(args.exact.bytes));
    let total = &found.total;
    if total.directories > 0 {
        ui.note(&format!(
            "beside the files: {} in {}{}",
            sizes.show(total.directory_bytes),
            counted(total.directories, "directory", "directories"),
            match total.other {
                0 => String::new(),
                n => format!(
                    "; {}",
                    counted(
                        n,
                        "symbolic link or special file",
                        "symbolic links and special files"
                    )
                ),
            }
        ));
    }
    if total.outside_names > 0 {
        ui.note(&format!(
            "{} of {} seen: the others lie beyond these paths, and keep their files when these go",
            count(total.names),
            counted(total.names + total.outside_names, "name", "names"),
        ));
    }
    for path in &found.other_mounts {
        ui.note(&format!(
            "'{}' is another file system or mount and was not entered (--cross-mounts does)",
            shown(path)
        ));
    }
    for path in &found.repeated {
        ui.note(&format!(
            "'{}' was met before through another mount and counts once",
            shown(path)
        ));
    }
    if found.racing > 0 {
        ui.note(&format!(
            "{} got further names meanwhile",
            counted(found.racing, "file", "files")
        ));
    }
    if found.vanished > 0 {
        ui.note(&format!(
            "{} went away meanwhile",
            counted(found.vanished, "name", "names")
        ));
    }
    context.warn_unreadable(&found.problems);
    if !found.complete {
        ui.warn("part could not be read: every figure is a lower bound");
    }
}
