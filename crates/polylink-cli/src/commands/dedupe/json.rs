//! The document of `polylink dedupe --json`.

use polylink_dedupe::{Apart, Outcome, Plan, Scanned, Step};
use serde::Serialize;

use crate::commands::Context;
use crate::commands::flat::Failed;
use crate::error::CommandError;
use crate::json::{self, OwnedPath};

#[derive(Serialize)]
struct Document {
    schema: u32,
    command: &'static str,
    dry_run: bool,
    complete: bool,
    stopped: bool,
    names: u64,
    files: u64,
    bytes: u64,
    sets: u64,
    moved_names: u64,
    merged_files: u64,
    freed_files: u64,
    freed_bytes: u64,
    held_files: u64,
    held_bytes: u64,
    at_limit: u64,
    kept_apart: KeptApart,
    temporaries: u64,
    skipped: u64,
    skipped_by_reason: Skipped,
    changed: Vec<OwnedPath>,
    unequal: Vec<OwnedPath>,
    not_entered: Vec<OwnedPath>,
    unreadable: u64,
    failed: u64,
    failures: Vec<Failed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Vec<StepDocument>>,
}

#[derive(Serialize)]
struct KeptApart {
    files: u64,
    bytes: u64,
    mode: u64,
    owner: u64,
    times: u64,
    xattrs: u64,
}

#[derive(Serialize)]
struct Skipped {
    symlinks: u64,
    special: u64,
    small: u64,
    filtered: u64,
    own: u64,
    vanished: u64,
}

#[derive(Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum StepDocument {
    RemoveTemporary {
        path: OwnedPath,
    },
    Replace {
        path: OwnedPath,
        keep: OwnedPath,
        size: u64,
    },
}

/// Prints what was done, or, with a plan, what would be.
pub(super) fn print(
    context: &Context<'_>,
    outcome: &Outcome,
    plan: Option<&Plan>,
) -> Result<(), CommandError> {
    let Apart {
        files,
        bytes,
        mode,
        owner,
        times,
        xattrs,
    } = outcome.apart;
    let Scanned {
        symlinks,
        special,
        small,
        filtered,
        own,
        vanished,
        ..
    } = outcome.scanned;
    context.ui.document(&Document {
        schema: json::SCHEMA,
        command: "dedupe",
        dry_run: plan.is_some(),
        complete: outcome.is_complete(),
        stopped: outcome.stopped,
        names: outcome.scanned.names,
        files: outcome.scanned.files,
        bytes: outcome.scanned.bytes,
        sets: outcome.sets,
        moved_names: outcome.moved_names,
        merged_files: outcome.merged_files,
        freed_files: outcome.freed_files,
        freed_bytes: outcome.freed_bytes,
        held_files: outcome.held_files,
        held_bytes: outcome.held_bytes,
        at_limit: outcome.at_limit,
        kept_apart: KeptApart {
            files,
            bytes,
            mode,
            owner,
            times,
            xattrs,
        },
        temporaries: outcome.temporaries,
        skipped: super::summary::skipped(&outcome.scanned),
        skipped_by_reason: Skipped {
            symlinks,
            special,
            small,
            filtered,
            own,
            vanished,
        },
        changed: outcome.changed.iter().map(OwnedPath::from).collect(),
        unequal: outcome.unequal.iter().map(OwnedPath::from).collect(),
        not_entered: outcome.other_mounts.iter().map(OwnedPath::from).collect(),
        unreadable: outcome.unreadable.len() as u64,
        failed: outcome.failures.len() as u64,
        failures: outcome
            .unreadable
            .iter()
            .chain(&outcome.failures)
            .map(Failed::from)
            .collect(),
        steps: plan.map(|plan| plan.steps().map(step).collect()),
    })
}

fn step(step: Step) -> StepDocument {
    match step {
        Step::RemoveTemporary(path) => StepDocument::RemoveTemporary { path: (&path).into() },
        Step::Replace { path, keep, size } => StepDocument::Replace {
            path: (&path).into(),
            keep: (&keep).into(),
            size,
        },
    }
}
