//! `polylink check`.

use std::path::PathBuf;

use clap::Args;
use polylink_core::{PathError, shown};
use polylink_dedupe::{Check, CheckOptions, Checked, CopyOf, Kept, Outcome as Relinked, Part, apply, check};
use polylink_walk::Root;
use serde::Serialize;

use super::Context;
use super::dedupe::PartArg;
use super::flat::{Failed, Site, explained, listed};
use crate::args::{DryRun, Exact};
use crate::error::{CommandError, Outcome};
use crate::format::{Align, Sizes, Table, count, counted};
use crate::image::ChangeOption;
use crate::json::{self, OwnedPath};
use crate::ui::Style;

/// Tell which names of a view are links to a tree's files, and which are copies
///
/// Every name below VIEW is compared with the files below each SOURCE. It is linked where it is a name of one of them; a
/// copy where it is another file that holds the same; or neither. Files of a SOURCE that have neither a name nor a copy in
/// the view are missing. VIEW may be any directory: one that 'polylink flat' keeps, a clone, or a folder that some program
/// filled. No ledger is needed, and none is read.
///
/// Only files of equal size are read. They are told apart by a hash of their content.
///
/// With --relink copies become links: each is compared byte for byte with its source, and its name then leads to that file,
/// without a moment in which it is missing. What the source's file does not have goes with the copy; so a copy that differs
/// in permissions, owner, group, time of last change, extended attributes or access lists stays, unless --ignore says that it
/// does not matter. What is missing is made by 'polylink flat'.
///
/// Exit code 1 says that there are copies, or that something is missing or could not be read; after --relink, that some of
/// that is still so.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct CheckArgs {
    /// The directories whose files the view should hold
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<PathBuf>,
    /// The directory to look through
    #[arg(value_name = "VIEW")]
    view: PathBuf,
    /// Make links of the copies
    #[arg(long)]
    relink: bool,
    /// In what a copy may differ from its source; several are separated by commas
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    ignore: Vec<PartArg>,
    #[command(flatten)]
    dry: DryRun,
    #[command(flatten)]
    exact: Exact,
    #[command(flatten)]
    image: ChangeOption,
}

const EXAMPLES: &str = "\
Examples:
  polylink check ~/photos ~/all-photos                     are they links, or did something copy them?
  polylink check --relink -n ~/photos ~/all-photos         which copies would become links
  polylink check --relink --ignore times ~/photos ~/all-photos
  polylink check --image disk.img /photos /all             in an NTFS volume that nothing has mounted";

#[derive(Serialize)]
struct Document {
    schema: u32,
    command: &'static str,
    dry_run: bool,
    complete: bool,
    source_files: u64,
    view_names: u64,
    linked: u64,
    copies: Vec<CopyDocument>,
    copy_bytes: u64,
    neither: Vec<OwnedPath>,
    missing: Vec<OwnedPath>,
    relinked: Option<u64>,
    freed_bytes: Option<u64>,
    changed: Vec<OwnedPath>,
    not_entered: Vec<OwnedPath>,
    failures: Vec<Failed>,
}

#[derive(Serialize)]
struct CopyDocument {
    path: OwnedPath,
    source: OwnedPath,
    size: u64,
    kept: Option<&'static str>,
    differs: Vec<&'static str>,
}

pub(super) fn run(context: &Context<'_>, args: &CheckArgs) -> Result<Outcome, CommandError> {
    // looking changes nothing, whatever the volume is like
    let dry = args.dry.dry_run || !args.relink;
    let Some(volume) = args.image.open(dry)? else {
        return compare(context, args, Site::host(context));
    };
    let worked = compare(context, args, Site::new(context, Some(&volume)));
    volume.finish(worked)
}

fn compare(context: &Context<'_>, args: &CheckArgs, site: Site<'_>) -> Result<Outcome, CommandError> {
    let fs = site.files();
    let root = |path: &PathBuf| -> Result<Root, CommandError> {
        let explain = |fault| {
            let error = PathError {
                action: "read",
                path: path.clone(),
                to: None,
                fault,
            };
            site.explain(&error).before_start()
        };
        Ok(Root {
            dir: fs.open_dir(path).map_err(explain)?,
            path: path.clone(),
        })
    };
    let sources = args.sources.iter().map(root).collect::<Result<Vec<_>, _>>()?;
    let view = root(&args.view)?;
    for source in &sources {
        if fs
            .stat_dir(&source.dir)
            .is_ok_and(|one| fs.stat_dir(&view.dir).is_ok_and(|other| one.id == other.id))
        {
            let text = format!("'{}' is the source itself", shown(&args.view));
            return Err(CommandError::cannot_start(text)
                .path(&args.view)
                .hint("give the directory that holds links to the source's files"));
        }
    }
    let options = CheckOptions {
        ignore: args.ignore.iter().map(|&part| part.into()).collect(),
        ..CheckOptions::default()
    };
    let meter = context.meter();
    let Check { found, relink } = check(fs, &sources, &view, &options, &meter);
    context
        .stop
        .check()
        .map_err(|error| error.hint("nothing was changed"))?;
    let relinked = match (args.relink, args.dry.dry_run) {
        (false, _) => None,
        (true, true) => Some(relink.forecast()),
        (true, false) => {
            let relinked = apply(fs, relink, &meter);
            site.close()?;
            Some(relinked)
        }
    };
    drop(meter);
    if context.ui.json() {
        context.ui.document(&document(args, &found, relinked.as_ref()))?;
    } else {
        print(context, site, args, &found, relinked.as_ref())?;
    }
    if relinked.as_ref().is_some_and(|relinked| relinked.stopped) {
        return Err(CommandError::interrupted().hint("run the same command again: it goes on from here"));
    }
    Ok(match outcome_is_good(&found, relinked.as_ref()) {
        true => Outcome::Done,
        false => Outcome::Partial,
    })
}

/// Whether no copy is left, nothing is missing, and all could be read and done.
fn outcome_is_good(found: &Checked, relinked: Option<&Relinked>) -> bool {
    match relinked {
        None => found.is_in_step(),
        Some(relinked) => {
            found.is_complete()
                && found.missing.is_empty()
                && relinked.is_complete()
                && relinked.at_limit == 0
                && relinked.moved_names == found.copies.len() as u64
        }
    }
}

fn part_word(part: Part) -> &'static str {
    match part {
        Part::Mode => "mode",
        Part::Owner => "owner",
        Part::Times => "times",
        Part::Xattrs => "xattrs",
    }
}

fn kept_word(kept: &Kept) -> &'static str {
    match kept {
        Kept::Differs(_) => "differs",
        Kept::OtherVolume => "other_volume",
        Kept::NoLinks => "no_links",
        Kept::AtLimit => "at_limit",
    }
}

fn differs(copy: &CopyOf) -> Vec<&'static str> {
    match &copy.kept {
        Some(Kept::Differs(parts)) => parts.iter().map(|&part| part_word(part)).collect(),
        _ => Vec::new(),
    }
}

fn document(args: &CheckArgs, found: &Checked, relinked: Option<&Relinked>) -> Document {
    let paths = |paths: &[PathBuf]| paths.iter().map(OwnedPath::from).collect();
    let (failed, changed): (&[PathError], &[PathBuf]) = match relinked {
        Some(relinked) => (&relinked.failures, &relinked.changed),
        None => (&[], &[]),
    };
    Document {
        schema: json::SCHEMA,
        command: "check",
        dry_run: args.dry.dry_run,
        complete: found.is_complete() && relinked.is_none_or(Relinked::is_complete),
        source_files: found.source_files,
        view_names: found.view_names,
        linked: found.linked,
        copies: found
            .copies
            .iter()
            .map(|copy| CopyDocument {
                path: (&copy.path).into(),
                source: (&copy.source).into(),
                size: copy.size,
                kept: copy.kept.as_ref().map(kept_word),
                differs: differs(copy),
            })
            .collect(),
        copy_bytes: found.copy_bytes,
        neither: paths(&found.neither),
        missing: paths(&found.missing),
        relinked: relinked.map(|relinked| relinked.moved_names),
        freed_bytes: relinked.map(|relinked| relinked.freed_bytes),
        changed: found.changed.iter().chain(changed).map(OwnedPath::from).collect(),
        not_entered: paths(&found.other_mounts),
        failures: found.unreadable.iter().chain(failed).map(Failed::from).collect(),
    }
}

/// What one copy is, and what keeps it.
fn copy_line(copy: &CopyOf, sizes: Sizes) -> String {
    let why = match &copy.kept {
        None => String::new(),
        Some(Kept::Differs(_)) => format!("; it differs in {}", differs(copy).join(", ")),
        Some(Kept::OtherVolume) => "; it lies on another file system or mount".to_owned(),
        Some(Kept::NoLinks) => "; there are no hard links here".to_owned(),
        Some(Kept::AtLimit) => "; that file has as many names as it can have".to_owned(),
    };
    let (path, source) = (shown(&copy.path), shown(&copy.source));
    format!(
        "copy: '{path}' holds the same as '{source}', {}{why}",
        sizes.show(copy.size)
    )
}

fn print(
    context: &Context<'_>,
    site: Site<'_>,
    args: &CheckArgs,
    found: &Checked,
    relinked: Option<&Relinked>,
) -> Result<(), CommandError> {
    let ui = context.ui;
    let sizes = Sizes::exact(args.exact.bytes);
    for copy in &found.copies {
        ui.line(&copy_line(copy, sizes))?;
    }
    for path in &found.neither {
        ui.line(&format!("neither: '{}'", shown(path)))?;
    }
    for path in &found.missing {
        ui.line(&format!("missing: '{}'", shown(path)))?;
    }
    let heading = format!(
        "{} in '{}', {} in the source",
        counted(found.view_names, "name", "names"),
        shown(&args.view),
        counted(found.source_files, "file", "files"),
    );
    ui.line(&ui.paint(Style::Heading, &heading))?;
    let mut table = Table::new(&[Align::Left, Align::Right, Align::Left]).indent(2);
    for (what, number, why) in counts(args, found, relinked, sizes) {
        table.row([what.to_owned(), count(number), why]);
    }
    ui.out(&table.text())?;
    if !found.changed.is_empty() {
        let changed = listed(found.changed.iter().map(|path| shown(path)));
        ui.warn(&format!("changed meanwhile, nothing is said of them: {changed}"));
    }
    if !found.other_mounts.is_empty() {
        let mounts = listed(found.other_mounts.iter().map(|path| shown(path)));
        ui.note(&format!(
            "other file systems below the paths, not entered: {mounts}"
        ));
    }
    explained(site, context, &found.unreadable);
    if let Some(relinked) = relinked {
        let left = relinked.changed.iter().chain(&relinked.unequal);
        let left: Vec<String> = left.map(|path| shown(path)).collect();
        if !left.is_empty() {
            ui.warn(&format!(
                "not the same any more, left alone: {}",
                listed(left.into_iter())
            ));
        }
        explained(site, context, &relinked.failures);
    }
    hints(context, args, found, relinked);
    Ok(())
}

/// What is counted, how many, and what that means.
fn counts(
    args: &CheckArgs,
    found: &Checked,
    relinked: Option<&Relinked>,
    sizes: Sizes,
) -> Vec<(&'static str, u64, String)> {
    let copies = found.copies.len() as u64;
    let mut rows = vec![("linked", found.linked, "names of the source's files".to_owned())];
    let why = match copies {
        0 => String::new(),
        _ => format!("holding the same, {} of their own", sizes.show(found.copy_bytes)),
    };
    rows.push(("copies", copies, why));
    rows.push(("neither", found.neither.len() as u64, String::new()));
    let why = "files of the source without a name here";
    rows.push(("missing", found.missing.len() as u64, why.to_owned()));
    if let Some(relinked) = relinked {
        let (what, freed) = match args.dry.dry_run {
            true => ("would be relinked", "would be freed"),
            false => ("relinked", "freed"),
        };
        let why = format!("copies, {} {freed}", sizes.show(relinked.freed_bytes));
        rows.push((what, relinked.moved_names, why));
        if relinked.held_files > 0 {
            let why = format!(
                "{}, freed when their other names go",
                sizes.show(relinked.held_bytes)
            );
            rows.push(("held", relinked.held_files, why));
        }
    }
    let unread = (found.unreadable.len() + found.changed.len()) as u64;
    if unread > 0 {
        rows.push((
            "unknown",
            unread,
            "could not be read, or changed meanwhile".to_owned(),
        ));
    }
    rows
}

fn hints(context: &Context<'_>, args: &CheckArgs, found: &Checked, relinked: Option<&Relinked>) {
    let ui = context.ui;
    let ready = found.copies.iter().filter(|copy| copy.kept.is_none()).count();
    if ready > 0 && relinked.is_none() {
        ui.hint("'--relink' makes links of the copies; '--relink -n' shows which");
    }
    let mut parts: Vec<&str> = found.copies.iter().flat_map(differs).collect();
    parts.sort_unstable();
    parts.dedup();
    if !parts.is_empty() && (args.relink || ready == 0) {
        ui.hint(&format!(
            "'--ignore {}' lets the source's count for the copies too",
            parts.join(",")
        ));
    }
    if !found.missing.is_empty() {
        ui.hint("'polylink flat SOURCE VIEW' makes the names that are missing");
    }
}
