//! `polylink ntfs check`.

use clap::Args;
use polylink_ntfs::WriteOptions;
use polylink_ntfs::check::{Issue, Options, Place, Severity, Summary, check};
use polylink_ntfs::fix::{Step, fix};
use serde::Serialize;

use crate::commands::Context;
use crate::error::{CommandError, Outcome};
use crate::format::counted;
use crate::image::{self, ImageArgs, Mending};
use crate::json;
use crate::ui::Style;

/// Audit a volume: link counts, names, directories, bitmaps; repair it with --fix
///
/// For each file the link count is held against its names, and those against the entries of directories, in both
/// directions. Indexes must be in order, bitmaps must agree with what is reachable, no cluster may be used twice, no
/// directory may lead into itself.
///
/// A note is worth knowing and does no harm; damage is wrong; what is fatal ended a part of the audit. Exit code 0 says
/// that there is neither damage nor anything fatal, 1 that there is. Nothing is changed without --fix.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    image: ImageArgs,
    /// Show so many issues at most; all are counted
    #[arg(long, value_name = "N")]
    most: Option<u64>,
    /// Repair what is damaged, say each thing that is done, and audit again
    ///
    /// Link counts are raised and what is used is marked so before anything else. Files get the names and directories the
    /// entries that they lack; a file that no directory leads to comes into /found.000; damaged indexes are made anew;
    /// what leads nowhere goes, and what belongs to nobody becomes free, last. What cannot be mended is listed.
    #[arg(long)]
    fix: bool,
    /// Show what --fix would do, and what would be left, and change nothing
    #[arg(short = 'n', long = "dry-run", requires = "fix")]
    dry_run: bool,
}

const EXAMPLES: &str = "\
Examples:
  polylink ntfs check disk.img
  polylink ntfs check --partition 2 /dev/sdb
  polylink ntfs check --fix -n disk.img
  polylink ntfs check --fix disk.img
  polylink ntfs check --json disk.img";

#[derive(Serialize)]
struct Document {
    schema: u32,
    command: &'static str,
    clean: bool,
    complete: bool,
    records: u64,
    files: u64,
    directories: u64,
    names: u64,
    entries: u64,
    notes: u64,
    damage: u64,
    fatal: u64,
    unchecked: u64,
    issues: Vec<Entry>,
    /// With `--fix` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    dry_run: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed: Option<Vec<FixedStep>>,
}

/// One thing that a repair did.
#[derive(Serialize)]
struct FixedStep {
    kind: &'static str,
    record: Option<u64>,
    what: String,
    before: String,
    after: String,
}

#[derive(Serialize)]
struct Entry {
    kind: &'static str,
    severity: &'static str,
    record: Option<u64>,
    /// What `offset` is counted in.
    #[serde(rename = "where")]
    place: &'static str,
    index: Option<String>,
    block: Option<u64>,
    offset: Option<u64>,
    expected: String,
    found: String,
    message: String,
}

pub(super) fn run(context: &Context<'_>, args: &CheckArgs) -> Result<Outcome, CommandError> {
    if args.fix {
        return mend(context, args);
    }
    let image = &args.image.image;
    let volume = image::open(context.ui, image, args.image.partition.partition)?;
    let options = Options {
        most_issues: args.most,
    };
    let ui = context.ui;
    let (json, mut entries, mut failed) = (ui.json(), Vec::new(), Ok(()));
    let meter = context.meter();
    let summary = check(&volume, &options, &meter, &mut |issue| {
        if json {
            entries.push(entry(&issue));
        } else if failed.is_ok() {
            failed = line(context, &issue);
        }
    })
    .map_err(|error| image::failed("audit", image, &error))?;
    drop(meter);
    failed?;
    context.stop.check()?;
    if json {
        ui.document(&document(&summary, entries, None))?;
    } else {
        ui.line(&told(&summary))?;
    }
    Ok(if summary.is_clean() {
        Outcome::Done
    } else {
        Outcome::Partial
    })
}

fn mend(context: &Context<'_>, args: &CheckArgs) -> Result<Outcome, CommandError> {
    let ui = context.ui;
    let mending = Mending::open(&args.image.image, args.image.partition, args.dry_run)?;
    let (json, mut steps, mut failed) = (ui.json(), Vec::new(), Ok(()));
    let meter = context.meter();
    let fixed = fix(mending.device(), &WriteOptions::default(), &meter, &mut |step| {
        if json {
            steps.push(fixed_step(step));
        } else if failed.is_ok() {
            failed = step_line(context, &step, args.dry_run);
        }
    })
    .map_err(|error| mending.cannot(&error))?;
    drop(meter);
    failed?;
    context.stop.check()?;
    let most = args.most.and_then(|most| usize::try_from(most).ok());
    let shown = fixed.left.iter().take(most.unwrap_or(usize::MAX));
    if json {
        let issues = shown.map(entry).collect();
        let done = Some((args.dry_run, steps));
        ui.document(&document(&fixed.summary, issues, done))?;
    } else {
        for issue in shown {
            line(context, issue)?;
        }
        let done = match (fixed.steps, args.dry_run) {
            (0, _) => "nothing to repair".to_owned(),
            (steps, true) => format!("{} would be taken", counted(steps, "step", "steps")),
            (steps, false) => format!("{} taken", counted(steps, "step", "steps")),
        };
        ui.report(args.dry_run)
            .line(&format!("{done}; {}", told(&fixed.summary)))?;
    }
    Ok(if fixed.is_clean() {
        Outcome::Done
    } else {
        Outcome::Partial
    })
}

fn step_line(context: &Context<'_>, step: &Step, dry_run: bool) -> Result<(), CommandError> {
    let word = if dry_run { "to fix" } else { "fixed" };
    let word = context.ui.paint(Style::Good, word);
    let report = context.ui.report(dry_run);
    report.line(&format!("{word}: {step} [{}]", step.kind.name()))
}

fn fixed_step(step: Step) -> FixedStep {
    FixedStep {
        kind: step.kind.name(),
        record: step.record.map(|record| record.0),
        what: step.what,
        before: step.before,
        after: step.after,
    }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Damage => "damage",
        Severity::Fatal => "fatal",
    }
}

fn line(context: &Context<'_>, issue: &Issue) -> Result<(), CommandError> {
    let style = match issue.severity() {
        Severity::Note => Style::Heading,
        Severity::Damage => Style::Warning,
        Severity::Fatal => Style::Bad,
    };
    let word = context.ui.paint(style, word(issue.severity()));
    context
        .ui
        .line(&format!("{word}: {issue} [{}]", issue.kind_name()))
}

fn entry(issue: &Issue) -> Entry {
    let (index, block) = match &issue.place {
        Place::IndexBlock { index, vcn } => (Some(index.clone()), Some(*vcn)),
        _ => (None, None),
    };
    Entry {
        kind: issue.kind_name(),
        severity: word(issue.severity()),
        record: issue.record.map(|record| record.0),
        place: issue.place.name(),
        index,
        block,
        offset: issue.offset,
        expected: issue.kind.expected(),
        found: issue.kind.found(),
        message: issue.to_string(),
    }
}

fn document(summary: &Summary, issues: Vec<Entry>, fixed: Option<(bool, Vec<FixedStep>)>) -> Document {
    let (dry_run, fixed) = fixed.unzip();
    Document {
        schema: json::SCHEMA,
        command: "ntfs check",
        clean: summary.is_clean(),
        complete: summary.complete,
        records: summary.records,
        files: summary.files,
        directories: summary.directories,
        names: summary.names,
        entries: summary.entries,
        notes: summary.notes,
        damage: summary.damage,
        fatal: summary.fatal,
        unchecked: summary.unchecked,
        issues,
        dry_run,
        fixed,
    }
}

fn told(summary: &Summary) -> String {
    let what = format!(
        "{} and {} with {} in {}, and {} in directories",
        counted(summary.files, "file", "files"),
        counted(summary.directories, "directory", "directories"),
        counted(summary.names, "name", "names"),
        counted(summary.records, "record", "records"),
        counted(summary.entries, "entry", "entries"),
    );
    let wrong = summary.damage + summary.fatal;
    let mut text = if summary.is_clean() {
        format!("clean: {what}")
    } else {
        format!("{}: {what}", counted(wrong, "issue", "issues"))
    };
    if summary.notes > 0 {
        text.push_str(&format!("; {}", counted(summary.notes, "note", "notes")));
    }
    if summary.unchecked > 0 {
        text.push_str(&format!(
            "; of {} nobody can say whether they are right",
            counted(summary.unchecked, "name or entry", "names and entries")
        ));
    }
    text
}
