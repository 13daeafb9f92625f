//! The summary of `polylink dedupe`, for people.

use polylink_dedupe::{Apart, Outcome, Scanned};

use crate::commands::Context;
use crate::commands::flat::{Site, explained, listed};
use crate::error::CommandError;
use crate::format::{Sizes, count, counted};

pub(super) fn print(
    site: Site<'_>,
    context: &Context<'_>,
    outcome: &Outcome,
    sizes: Sizes,
    dry_run: bool,
) -> Result<(), CommandError> {
    let ui = context.ui;
    let report = ui.report(dry_run);
    report.counts(counts(outcome, sizes))?;
    let scanned = &outcome.scanned;
    report.line(&format!(
        "looked at: {} of {}, {}",
        counted(scanned.names, "name", "names"),
        counted(scanned.files, "file", "files"),
        sizes.show(scanned.bytes)
    ))?;
    left_alone(context, &outcome.changed);
    if !outcome.unequal.is_empty() {
        ui.warn(&format!(
            "their hashes are equal and their content is not, they were left alone: {}",
            listed(outcome.unequal.iter().map(|path| polylink_core::shown(path)))
        ));
    }
    if !outcome.other_mounts.is_empty() {
        ui.note(&format!(
            "other file systems below the paths, not entered: {}",
            listed(outcome.other_mounts.iter().map(|path| polylink_core::shown(path)))
        ));
    }
    explained(site, context, &outcome.unreadable);
    explained(site, context, &outcome.failures);
    Ok(())
}

/// Warns of what changed between the look at it and the work.
pub(in crate::commands) fn left_alone(context: &Context<'_>, changed: &[std::path::PathBuf]) {
    if !changed.is_empty() {
        context.ui.warn(&format!(
            "changed meanwhile and left alone: {}",
            listed(changed.iter().map(|path| polylink_core::shown(path)))
        ));
    }
}

/// What is counted, how many, and what that means; zeros only where they tell something.
fn counts(outcome: &Outcome, sizes: Sizes) -> Vec<(&'static str, u64, String)> {
    let mut rows = vec![
        (
            "merged",
            outcome.merged_files,
            format!(
                "{}, {} to another file",
                files_word(outcome.merged_files),
                counted(outcome.moved_names, "name leads", "names lead")
            ),
        ),
        (
            "freed",
            outcome.freed_files,
            files_and(outcome.freed_files, sizes.show(outcome.freed_bytes)),
        ),
    ];
    let mut row = |what, number, why: String| {
        if number > 0 {
            rows.push((what, number, why));
        }
    };
    row(
        "held",
        outcome.held_files,
        format!(
            "{}, freed when their names beyond these paths go",
            files_and(outcome.held_files, sizes.show(outcome.held_bytes))
        ),
    );
    row(
        "at the limit",
        outcome.at_limit,
        "identical, but no file may have so many names".into(),
    );
    row("kept apart", outcome.apart.files, apart(&outcome.apart, sizes));
    row(
        "temporary",
        outcome.temporaries,
        "names that a killed run left, removed".into(),
    );
    row("skipped", skipped(&outcome.scanned), reasons(&outcome.scanned));
    row(
        "changed",
        (outcome.changed.len() + outcome.unequal.len()) as u64,
        "meanwhile, left alone".into(),
    );
    row("unreadable", outcome.unreadable.len() as u64, "left alone".into());
    row("failed", outcome.failures.len() as u64, String::new());
    rows
}

fn files_word(files: u64) -> &'static str {
    if files == 1 { "file" } else { "files" }
}

fn files_and(files: u64, size: String) -> String {
    format!("{}, {size}", files_word(files))
}

/// `files, 3 KiB, identical but for times (2), owner (1); see --ignore`.
fn apart(apart: &Apart, sizes: Sizes) -> String {
    let Apart {
        files,
        bytes,
        mode,
        owner,
        times,
        xattrs,
    } = *apart;
    let parts: Vec<String> = [
        ("mode", mode),
        ("owner", owner),
        ("times", times),
        ("xattrs", xattrs),
    ]
    .into_iter()
    .filter(|(_, number)| *number > 0)
    .map(|(part, number)| format!("{part} ({})", count(number)))
    .collect();
    format!(
        "{}, identical but for {}; see --ignore",
        files_and(files, sizes.show(bytes)),
        parts.join(", ")
    )
}

pub(super) fn skipped(scanned: &Scanned) -> u64 {
    let Scanned {
        symlinks,
        special,
        small,
        filtered,
        own,
        vanished,
        ..
    } = *scanned;
    symlinks + special + small + filtered + own + vanished
}

pub(in crate::commands) fn reasons(scanned: &Scanned) -> String {
    let Scanned {
        symlinks,
        special,
        small,
        filtered,
        own,
        vanished,
        ..
    } = *scanned;
    [
        (symlinks, "symbolic link", "symbolic links"),
        (special, "special file", "special files"),
        (
            small,
            "empty or smaller than asked for",
            "empty or smaller than asked for",
        ),
        (filtered, "left out by your patterns", "left out by your patterns"),
        (own, "polylink's own", "polylink's own"),
        (vanished, "vanished meanwhile", "vanished meanwhile"),
    ]
    .into_iter()
    .filter(|(number, ..)| *number > 0)
    .map(|(number, one, many)| counted(number, one, many))
    .collect::<Vec<_>>()
    .join(", ")
}
