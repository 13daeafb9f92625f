//! `polylink doctor`.

mod facts;
mod ledger;
mod remarks;
mod trial;

use std::path::{Path, PathBuf};

use clap::Args;
use polylink_core::shown;
use serde::Serialize;

use super::Context;
use crate::args::DryRun;
use crate::codes::native;
use crate::error::{CommandError, Outcome};
use crate::format::{Align, Table};
use crate::json::{self, JsonPath};
use crate::place;
use crate::ui::Style;

use facts::Facts;
use trial::Trial;

/// Find out whether a view can be made, by making a link and removing it again
///
/// Makes a link from a file in SOURCE to VIEW and one the other way, removes both, and explains what is refused: another
/// file system, a bind mount, a subvolume, a protected or immutable file, a limit, a file system without links. A file
/// system that makes the link and then does not know it again, or does not count it, is told too, and what else is odd
/// about it: that it is on another machine, that it lies in layers, that its owners are made up. Then shows the limits in
/// force there, and whether the ledger of the view is sound and of a version that is known. VIEW need not exist: its parent is tried then. Test names begin with
/// '.polylink-doctor-' and do not stay; nothing else is changed.
///
/// Exit code 0 says that links work, 1 that they do not, or that the ledger cannot be used.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct DoctorArgs {
    /// A directory with files, or a file
    source: PathBuf,
    /// The directory in which names would be made
    view: PathBuf,
    #[command(flatten)]
    dry: DryRun,
}

const EXAMPLES: &str = "\
Examples:
  polylink doctor ~/photos ~/all-photos
  polylink doctor ~/photos /media/usb     says why that cannot work
  polylink doctor -n ~/photos /media/usb  the limits only: no test link";

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    command: &'static str,
    dry_run: bool,
    works: Option<bool>,
    source: JsonPath<'a>,
    view: JsonPath<'a>,
    tests: Vec<TestDocument<'a>>,
    limits: Vec<facts::LimitsDocument<'a>>,
    remarks: &'a [String],
    protected_hardlinks: Option<bool>,
    ledger: JsonPath<'a>,
    ledger_state: ledger::LedgerDocument<'a>,
}

#[derive(Serialize)]
struct TestDocument<'a> {
    title: &'static str,
    existing: JsonPath<'a>,
    new: JsonPath<'a>,
    works: bool,
    errno: Option<&'static str>,
    reason: Option<String>,
    one_file: Option<bool>,
    counted: Option<bool>,
    hints: &'a [String],
}

/// Where the two sides are.
pub(super) struct Sides {
    /// As given, a directory or a file.
    source: PathBuf,
    /// The directory on the source's side.
    source_dir: PathBuf,
    /// As given.
    view: PathBuf,
    /// The view, or its parent where it does not exist yet.
    view_dir: PathBuf,
    view_exists: bool,
}

pub(super) fn run(context: &Context<'_>, args: &DoctorArgs) -> Result<Outcome, CommandError> {
    let sides = sides(context, args)?;
    let facts = Facts::gather(context, &sides, args.dry.dry_run)?;
    let mut notes = Vec::new();
    if !sides.view_exists {
        notes.push(format!(
            "'{}' does not exist yet: '{}' was looked at instead",
            shown(&sides.view),
            shown(&sides.view_dir)
        ));
    }
    let trials = if args.dry.dry_run {
        Vec::new()
    } else {
        trial::both(context, &sides, &mut notes)?
    };
    let works = trials.iter().all(Trial::works);
    let remarks = facts.remarks();
    if context.ui.json() {
        document(context, args, &facts, &trials, &remarks)?;
    } else {
        text(context, &facts, &trials, &notes, &remarks)?;
    }
    Ok(if works && facts.ledger().usable() {
        Outcome::Done
    } else {
        Outcome::Partial
    })
}

fn sides(context: &Context<'_>, args: &DoctorArgs) -> Result<Sides, CommandError> {
    let source_dir = if place::is_dir(&args.source) {
        args.source.clone()
    } else {
        place::stat(&context.fs, &args.source)
            .map_err(|fault| unfound("look at", &args.source, fault))
            .map_err(|error| context.explain(&error).before_start())?;
        place::parent(&args.source).into()
    };
    context.open_dir(&source_dir)?;
    let view_exists = place::is_dir(&args.view);
    if !view_exists && args.view.symlink_metadata().is_ok() {
        return Err(
            CommandError::cannot_start(format!("'{}' is not a directory", shown(&args.view)))
                .path(&args.view)
                .hint("a view is a directory; give one, or a name that is free"),
        );
    }
    let view_dir = if view_exists {
        args.view.clone()
    } else {
        place::parent(&args.view).into()
    };
    context.open_dir(&view_dir)?;
    Ok(Sides {
        source: args.source.clone(),
        source_dir,
        view: args.view.clone(),
        view_dir,
        view_exists,
    })
}

fn unfound(action: &'static str, path: &Path, fault: polylink_core::Fault) -> polylink_core::PathError {
    polylink_core::PathError {
        action,
        path: path.into(),
        to: None,
        fault,
    }
}

fn document(
    context: &Context<'_>,
    args: &DoctorArgs,
    facts: &Facts,
    trials: &[Trial],
    remarks: &[String],
) -> Result<(), CommandError> {
    context.ui.document(&Document {
        schema: json::SCHEMA,
        command: "doctor",
        dry_run: args.dry.dry_run,
        works: (!args.dry.dry_run).then(|| trials.iter().all(Trial::works)),
        source: JsonPath(&args.source),
        view: JsonPath(&args.view),
        tests: trials
            .iter()
            .map(|trial| TestDocument {
                title: trial.title,
                existing: JsonPath(&trial.existing),
                new: JsonPath(&trial.new),
                works: trial.works(),
                errno: trial.error.as_ref().map(|error| native(error.fault).symbol()),
                reason: trial.error.as_ref().map(|error| native(error.fault).to_string()),
                one_file: trial.seen.map(|seen| seen.one_file),
                counted: trial.seen.map(|seen| seen.counted),
                hints: &trial.hints,
            })
            .collect(),
        limits: facts.documents(),
        remarks,
        protected_hardlinks: polylink_host::facts::protected_hardlinks(),
        ledger: JsonPath(facts.ledger().path()),
        ledger_state: facts.ledger().document(),
    })
}

fn text(
    context: &Context<'_>,
    facts: &Facts,
    trials: &[Trial],
    notes: &[String],
    remarks: &[String],
) -> Result<(), CommandError> {
    let ui = context.ui;
    for trial in trials {
        match &trial.error {
            None => {
                let answer = match trial.seen {
                    Some(seen) if !seen.one_file => ui.paint(Style::Bad, "made, and not to be known again"),
                    Some(seen) if !seen.counted => ui.paint(Style::Warning, "works, but is not counted"),
                    _ => ui.paint(Style::Good, "works"),
                };
                ui.line(&format!("{}: {answer}", trial.title))?;
            }
            Some(error) => {
                ui.line(&format!("{}: {}", trial.title, ui.paint(Style::Bad, "refused")))?;
                ui.line(&format!("  {error}: {}", native(error.fault)))?;
            }
        }
        for hint in &trial.hints {
            ui.line(&format!("  {hint}"))?;
        }
    }
    for note in notes.iter().chain(remarks) {
        ui.line(note)?;
    }
    if !(trials.is_empty() && notes.is_empty() && remarks.is_empty()) {
        ui.line("")?;
    }
    let mut table = Table::new(&[Align::Left, Align::Left]);
    for (what, value) in facts.lines() {
        table.row([what, value]);
    }
    ui.out(&table.text())
}
