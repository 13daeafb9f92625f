//! `polylink names`.

use std::path::{Path, PathBuf};

use clap::Args;
use polylink_core::{FileId, Kind, LinkFs, PathError, ResultExt as _, Stat, shown};
use polylink_host::facts;
use polylink_walk::{Options, find_names};
use serde::Serialize;

use super::Context;
use crate::error::{CommandError, Outcome};
use crate::format::{count, counted};
use crate::image::{ImageOption, Reading};
use crate::json::{self, JsonPath};
use crate::place::Place;

/// Find every name of a file
///
/// Prints the path of each name that leads to the same file as FILE. The file system knows how many there are, so the
/// search stops with the last one. It reads the directories of the mount that FILE lies on, or those given with --in;
/// btrfs, NTFS on Windows, and volumes given by --image are asked and need no search. A symbolic link FILE is looked
/// for itself, not what it points at.
///
/// Exit code 1 says that not all names were found.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct NamesArgs {
    /// A name of the file
    file: PathBuf,
    /// Search below this directory only; may be given several times
    #[arg(long = "in", value_name = "DIR", num_args = 1)]
    roots: Vec<PathBuf>,
    /// End each name with a zero byte instead of a line feed, and escape nothing
    ///
    /// For programs such as 'xargs -0'; otherwise control characters and what is not text are shown escaped.
    #[arg(short = '0', long)]
    null: bool,
    #[command(flatten)]
    image: ImageOption,
}

const EXAMPLES: &str = "\
Examples:
  polylink names all-photos/img_0001.jpg
  polylink names all-photos/img_0001.jpg --in ~/photos --in ~/backup
  polylink names --image disk.img /photos/img_0001.jpg
  polylink names -0 all-photos/img_0001.jpg | xargs -0 ls -l";

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    command: &'static str,
    file_id: String,
    link_count: u64,
    complete: bool,
    names: Vec<JsonPath<'a>>,
    unreadable: Vec<JsonPath<'a>>,
    searched: Option<Vec<JsonPath<'a>>>,
}

/// What a search came to.
struct Search {
    names: Vec<PathBuf>,
    unreadable: Vec<PathError>,
    other_mounts: Vec<PathBuf>,
    /// Where was searched; `None` where the file system answered.
    searched: Option<Vec<PathBuf>>,
}

pub(super) fn run(context: &Context<'_>, args: &NamesArgs) -> Result<Outcome, CommandError> {
    let image = args.image.open(context.ui, Reading::AsAsked)?;
    let fs: &dyn LinkFs = match &image {
        Some(image) => image,
        None => &context.fs,
    };
    let found = Place::of(fs, &args.file).and_then(|place| Ok((fs.stat(place.at())?, place)));
    let (stat, place) = found.at("look at", &args.file).map_err(|error| match &image {
        Some(_) => CommandError::from_path(&error).before_start(),
        None => context.explain(&error).before_start(),
    })?;
    if stat.kind == Kind::Directory {
        return Err(
            CommandError::cannot_start(format!("'{}' is a directory", shown(&args.file)))
                .path(&args.file)
                .hint("a directory has one name; this command looks for the names of a file"),
        );
    }
    let search = match asked(context, fs, args, &place)? {
        Some(search) => search,
        None => searched(context, args, &place, stat.id, stat.links)?,
    };
    context.stop.check()?;
    let complete = search.names.len() as u64 >= stat.links;
    if context.ui.json() {
        context.ui.document(&Document {
            schema: json::SCHEMA,
            command: "names",
            file_id: stat.id.to_string(),
            link_count: stat.links,
            complete,
            names: search.names.iter().map(|path| JsonPath(path)).collect(),
            unreadable: search
                .unreadable
                .iter()
                .map(|error| JsonPath(&error.path))
                .collect(),
            searched: search
                .searched
                .as_ref()
                .map(|roots| roots.iter().map(|path| JsonPath(path)).collect()),
        })?;
    } else {
        for name in &search.names {
            if args.null {
                context.ui.raw(name.as_os_str().as_encoded_bytes())?;
                context.ui.raw(b"\0")?;
            } else {
                context.ui.line(&shown(name))?;
            }
        }
        if !complete {
            missing(context, &search, stat.links);
        }
    }
    Ok(if complete { Outcome::Done } else { Outcome::Partial })
}

/// Asks the file system, where it can say without a search.
fn asked(
    context: &Context<'_>,
    fs: &dyn LinkFs,
    args: &NamesArgs,
    place: &Place,
) -> Result<Option<Search>, CommandError> {
    let mut names = match fs.names_of(place.at()) {
        Ok(Some(names)) => names,
        // a volume always knows
        Err(fault) if args.image.image.is_some() => {
            let error = Err::<(), _>(fault).at("find the names of", &args.file);
            return error
                .map(|()| None)
                .map_err(|error: PathError| CommandError::from_path(&error));
        }
        // a refusal (btrfs tells root only) is no failure: then we search
        _ => return Ok(None),
    };
    if !args.roots.is_empty() {
        let roots: Vec<PathBuf> = args
            .roots
            .iter()
            .map(|root| match &args.image.image {
                Some(_) => Ok(Path::new("/").join(root)),
                None => facts::absolute(root).map_err(|error| context.explain(&error).before_start()),
            })
            .collect::<Result<_, _>>()?;
        // shown below the directories as they were given, as a search shows them
        names = names
            .iter()
            .filter_map(|name| {
                let mut given = args.roots.iter().zip(&roots);
                given.find_map(|(root, absolute)| Some(root.join(name.strip_prefix(absolute).ok()?)))
            })
            .collect();
    }
    names.sort_unstable();
    Ok(Some(Search {
        names,
        unreadable: Vec::new(),
        other_mounts: Vec::new(),
        searched: (!args.roots.is_empty()).then(|| args.roots.clone()),
    }))
}

fn searched(
    context: &Context<'_>,
    args: &NamesArgs,
    place: &Place,
    id: FileId,
    links: u64,
) -> Result<Search, CommandError> {
    let paths = if args.roots.is_empty() {
        vec![default_root(context, place.path())?]
    } else {
        args.roots.clone()
    };
    let roots = paths
        .iter()
        .map(|path| context.root(path))
        .collect::<Result<Vec<_>, _>>()?;
    let meter = context.meter();
    let found = find_names(&context.fs, id, links, &roots, &Options::default(), &meter);
    Ok(Search {
        names: found.names,
        unreadable: found.unreadable,
        other_mounts: found.other_mounts,
        searched: Some(paths),
    })
}

/// Every name of a file that can be found: the file system is asked, else its mount is searched.
pub(super) fn found(context: &Context<'_>, place: &Place, stat: &Stat) -> Result<Vec<PathBuf>, CommandError> {
    // a refusal (btrfs tells root only) is no failure: then we search
    if let Ok(Some(names)) = context.fs.names_of(place.at())
        && names.len() as u64 >= stat.links
    {
        return Ok(names);
    }
    let root = default_root(context, place.path())?;
    let roots = [context.root(&root)?];
    let meter = context.meter();
    let found = find_names(
        &context.fs,
        stat.id,
        stat.links,
        &roots,
        &Options::default(),
        &meter,
    );
    context.stop.check()?;
    let mut names = found.names;
    names.sort_unstable();
    Ok(names)
}

/// The mount that the file lies on.
fn default_root(context: &Context<'_>, file: &Path) -> Result<PathBuf, CommandError> {
    let dir = crate::place::parent(file);
    match facts::mount_of(dir) {
        Ok(mount) => Ok(mount.point),
        Err(error) => {
            context
                .ui
                .note(&format!("the mount of '{}' is not known: {error}", shown(file)));
            facts::absolute(dir).map_err(|error| context.explain(&error).before_start())
        }
    }
}

fn missing(context: &Context<'_>, search: &Search, links: u64) {
    let ui = context.ui;
    context.warn_unreadable(&search.unreadable);
    let wheres = match &search.searched {
        None => "what the file system told".to_owned(),
        Some(roots) => roots
            .iter()
            .map(|root| format!("'{}'", shown(root)))
            .collect::<Vec<_>>()
            .join(" and "),
    };
    let rest = if search.unreadable.is_empty() {
        "lie"
    } else {
        "lie in what could not be read, or"
    };
    ui.warn(&format!(
        "{} of {} found; the others {rest} beyond {wheres}",
        count(search.names.len() as u64),
        counted(links, "name", "names"),
    ));
    if !search.other_mounts.is_empty() {
        let mounts: Vec<String> = search
            .other_mounts
            .iter()
            .take(5)
            .map(|m| format!("'{}'", shown(m)))
            .collect();
        let more = if search.other_mounts.len() > 5 {
            " and others"
        } else {
            ""
        };
        ui.note(&format!(
            "not entered, for a file system is mounted there: {}{more}",
            mounts.join(", ")
        ));
    }
}
