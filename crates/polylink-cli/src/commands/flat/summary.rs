//! The summary of `polylink flat`, for people.

use std::collections::BTreeMap;
use std::path::Path;

use polylink_core::{NameBuf, PathError, shown_name};
use polylink_view::{LeftOut, Outcome};

use super::engine::Site;
use crate::codes::native;
use crate::commands::Context;
use crate::error::CommandError;
use crate::format::{Sizes, change, count, counted, ratio};

/// What is to be shown.
pub(super) struct Shown<'a> {
    pub(super) outcome: &'a Outcome,
    pub(super) view: &'a Path,
    pub(super) sizes: Sizes,
    pub(super) dry_run: bool,
}

/// How many names and failures are listed before only their number is given.
const LISTED: usize = 8;

pub(super) fn print(site: Site<'_>, context: &Context<'_>, shown: &Shown<'_>) -> Result<(), CommandError> {
    let report = context.ui.report(shown.dry_run);
    let outcome = shown.outcome;
    report.counts(counts(outcome))?;
    report.line(&format!(
        "{}: {}, {}",
        polylink_core::shown(shown.view),
        counted(outcome.view_names, "name", "names"),
        shown.sizes.show(outcome.view_bytes)
    ))?;
    if let Some(disk) = disk(shown) {
        report.line(&disk)?;
    }
    orphans(context, outcome);
    if !outcome.other_mounts.is_empty() {
        context.ui.note(&format!(
            "other file systems below the sources, not entered: {}",
            listed(outcome.other_mounts.iter().map(|path| polylink_core::shown(path)))
        ));
    }
    failures(site, context, outcome);
    Ok(())
}

/// What is counted, how many, and what that means; zeros only where they tell something.
fn counts(outcome: &Outcome) -> Vec<(&'static str, u64, String)> {
    let mut rows = vec![
        ("linked", outcome.linked, String::new()),
        ("kept", outcome.kept, String::new()),
    ];
    let mut row = |what, number, why: &str| {
        if number > 0 {
            rows.push((what, number, why.to_owned()));
        }
    };
    row("renamed", outcome.renamed, "names that you gave in the view");
    row(
        "relinked",
        outcome.relinked,
        "their source path holds another file now",
    );
    row(
        "removed",
        outcome.removed,
        "gone from the sources, other names left",
    );
    row("adopted", outcome.adopted, "links that the ledger did not know");
    row(
        "orphans",
        outcome.orphans.len() as u64,
        "kept: these are the last names of their files",
    );
    for (what, number) in [
        ("symlinks", outcome.fallbacks.symlink),
        ("reflinks", outcome.fallbacks.reflink),
        ("copies", outcome.fallbacks.copy),
    ] {
        row(what, number, "in place of hard links, which cannot be there");
    }
    row(
        "refreshed",
        outcome.refreshed,
        "of these, because their sources changed",
    );
    row("orphans deleted", outcome.orphans_deleted, "");
    row("orphans moved", outcome.orphans_moved, "");
    row(
        "superseded",
        outcome.superseded,
        "old versions of which only the view held a name",
    );
    row(
        "sources deleted",
        outcome.sources_deleted,
        "deleted from the view before",
    );
    row("foreign", outcome.foreign, "not made by polylink, left alone");
    row("held", outcome.held, "kept, for their source could not be seen");
    row("skipped", skipped(&outcome.left_out), &reasons(&outcome.left_out));
    row(
        "unreadable",
        outcome.unreadable.len() as u64,
        "nothing below was removed from the view",
    );
    row("failed", outcome.failures.len() as u64, &by_reason(outcome));
    rows
}

pub(super) fn skipped(left_out: &LeftOut) -> u64 {
    let LeftOut {
        symlinks,
        special,
        filtered,
        other_names,
        own,
        mounts,
        vanished,
        remembered,
    } = *left_out;
    symlinks + special + filtered + other_names + own + mounts + vanished + remembered
}

fn reasons(left_out: &LeftOut) -> String {
    let LeftOut {
        symlinks,
        special,
        filtered,
        other_names,
        own,
        mounts,
        vanished,
        remembered,
    } = *left_out;
    [
        (symlinks, "symbolic link", "symbolic links"),
        (special, "special file", "special files"),
        (filtered, "left out by your patterns", "left out by your patterns"),
        (other_names, "further name of a file", "further names of files"),
        (own, "polylink's own", "polylink's own"),
        (mounts, "other file system", "other file systems"),
        (vanished, "vanished meanwhile", "vanished meanwhile"),
        (
            remembered,
            "deleted from the view by you",
            "deleted from the view by you",
        ),
    ]
    .into_iter()
    .filter(|(number, ..)| *number > 0)
    .map(|(number, one, many)| counted(number, one, many))
    .collect::<Vec<_>>()
    .join(", ")
}

fn by_reason(outcome: &Outcome) -> String {
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    for failure in &outcome.failures {
        *reasons.entry(native(failure.fault).to_string()).or_default() += 1;
    }
    reasons
        .into_iter()
        .map(|(reason, number)| format!("{} {reason}", count(number)))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Free space before and after, and what a link took of it.
fn disk(shown: &Shown<'_>) -> Option<String> {
    let (outcome, sizes) = (shown.outcome, shown.sizes);
    let before = outcome.free_before?;
    let Some(after) = outcome.free_after else {
        return Some(format!("free space: {}", sizes.show(before)));
    };
    let mut text = format!(
        "free space: {} before, {} after ({})",
        sizes.show(before),
        sizes.show(after),
        change(before, after, sizes)
    );
    if let Some(after) = outcome.directory_after {
        let before = outcome.directory_before.unwrap_or(0);
        text.push_str(&format!(
            "; the view's own directory: {} ({}",
            sizes.show(after),
            change(before, after, sizes)
        ));
        if outcome.linked > 0 && after > before {
            #[allow(clippy::cast_precision_loss)] // shown with one decimal
            let grown = (after - before) as f64;
            text.push_str(&format!(", {} bytes a link", ratio(grown, outcome.linked)));
        }
        text.push(')');
    }
    Some(text)
}

fn orphans(context: &Context<'_>, outcome: &Outcome) {
    if outcome.orphans.is_empty() {
        return;
    }
    let mut names: Vec<&NameBuf> = outcome.orphans.iter().collect();
    names.sort_unstable();
    context.ui.note(&format!(
        "orphans, kept because they are the last names of their files: {}; --orphans chooses otherwise",
        listed(names.into_iter().map(|name| shown_name(name.name())))
    ));
}

/// The first few, and how many more.
pub(crate) fn listed(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(LISTED);
    let first: Vec<String> = names.take(LISTED).map(|name| format!("'{name}'")).collect();
    let more = if more > 0 {
        format!(" and {} more", count(more as u64))
    } else {
        String::new()
    };
    format!("{}{more}", first.join(", "))
}

/// One example of each kind of failure, with its explanation.
fn failures(site: Site<'_>, context: &Context<'_>, outcome: &Outcome) {
    let unreadable: Vec<PathError> = outcome
        .unreadable
        .iter()
        .map(|(path, fault)| PathError {
            action: "read",
            path: path.clone(),
            to: None,
            fault: *fault,
        })
        .collect();
    explained(site, context, &unreadable);
    explained(site, context, &outcome.failures);
}

/// The first few errors, each kind of them with what to do about it.
pub(crate) fn explained(site: Site<'_>, context: &Context<'_>, errors: &[PathError]) {
    let mut explained = Vec::new();
    for error in errors.iter().take(LISTED) {
        context.ui.warn(&format!("{error}: {}", native(error.fault)));
        if !explained.contains(&error.fault.kind()) {
            explained.push(error.fault.kind());
            for hint in site.hints(error) {
                context.ui.hint(&hint);
            }
        }
    }
    if errors.len() > LISTED {
        context.ui.warn(&format!(
            "{} more like these (--json lists all)",
            count((errors.len() - LISTED) as u64)
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_left_out_but_for_linked_and_kept() {
        let mut outcome = Outcome {
            kept: 3,
            ..Outcome::default()
        };
        outcome.left_out.symlinks = 2;
        outcome.left_out.filtered = 1;
        assert_eq!(
            counts(&outcome),
            [
                ("linked", 0, String::new()),
                ("kept", 3, String::new()),
                (
                    "skipped",
                    3,
                    "2 symbolic links, 1 left out by your patterns".to_owned()
                ),
            ]
        );
    }
}
