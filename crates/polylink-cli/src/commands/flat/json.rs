//! The document of `polylink flat --json`.

use polylink_core::{Fault, NameBuf, PathError};
use polylink_view::{LeftOut, OldVersion, Outcome, Plan, Step, Why};
use serde::Serialize;

use crate::codes::{self, Codes};
use crate::commands::Context;
use crate::error::CommandError;
use crate::json::{self, OwnedPath};

#[derive(Serialize)]
struct Document {
    schema: u32,
    command: &'static str,
    dry_run: bool,
    complete: bool,
    stopped: bool,
    linked: u64,
    kept: u64,
    relinked: u64,
    renamed: u64,
    adopted: u64,
    removed: u64,
    orphans: u64,
    fallbacks: Fallbacks,
    fallbacks_made: u64,
    fallbacks_refreshed: u64,
    orphans_deleted: u64,
    orphans_moved: u64,
    superseded: u64,
    sources_deleted: u64,
    foreign: u64,
    held: u64,
    skipped: u64,
    skipped_by_reason: Skipped,
    failed: u64,
    unreadable: u64,
    view_names: u64,
    view_bytes: u64,
    free_before: Option<u64>,
    free_after: Option<u64>,
    directory_before: Option<u64>,
    directory_after: Option<u64>,
    orphan_names: Vec<OwnedPath>,
    not_entered: Vec<OwnedPath>,
    failures: Vec<Failed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Vec<StepDocument>>,
}

/// Names in the view that are no hard links.
#[derive(Serialize)]
pub(in crate::commands) struct Fallbacks {
    symlink: u64,
    reflink: u64,
    copy: u64,
}

impl From<polylink_view::Fallbacks> for Fallbacks {
    fn from(fallbacks: polylink_view::Fallbacks) -> Self {
        let polylink_view::Fallbacks {
            symlink,
            reflink,
            copy,
        } = fallbacks;
        Self {
            symlink,
            reflink,
            copy,
        }
    }
}

#[derive(Serialize)]
struct Skipped {
    symlinks: u64,
    special: u64,
    filtered: u64,
    other_names: u64,
    own: u64,
    mounts: u64,
    vanished: u64,
    remembered: u64,
}

/// What did not work, with all that is known of it.
#[derive(Serialize)]
pub(crate) struct Failed {
    action: &'static str,
    path: OwnedPath,
    to: Option<OwnedPath>,
    #[serde(flatten)]
    codes: Codes,
    reason: String,
}

#[derive(Serialize, Default)]
struct StepDocument {
    #[serde(rename = "do")]
    what: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<OwnedPath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<OwnedPath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sources: Option<Vec<OwnedPath>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<OwnedPath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    again: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_version: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kept_as: Option<OwnedPath>,
}

pub(super) fn print(
    context: &Context<'_>,
    dry_run: bool,
    outcome: &Outcome,
    plan: Option<&Plan>,
) -> Result<(), CommandError> {
    let mut failures: Vec<Failed> = outcome
        .unreadable
        .iter()
        .map(|(path, fault)| failed("read", path.into(), None, *fault))
        .collect();
    failures.extend(outcome.failures.iter().map(Failed::from));
    let mut orphans: Vec<&NameBuf> = outcome.orphans.iter().collect();
    orphans.sort_unstable();
    context.ui.document(&Document {
        schema: json::SCHEMA,
        command: "flat",
        dry_run,
        complete: outcome.is_complete(),
        stopped: outcome.stopped,
        linked: outcome.linked,
        kept: outcome.kept,
        relinked: outcome.relinked,
        renamed: outcome.renamed,
        adopted: outcome.adopted,
        removed: outcome.removed,
        orphans: outcome.orphans.len() as u64,
        fallbacks: outcome.fallbacks.into(),
        fallbacks_made: outcome.fallbacks_made,
        fallbacks_refreshed: outcome.refreshed,
        orphans_deleted: outcome.orphans_deleted,
        orphans_moved: outcome.orphans_moved,
        superseded: outcome.superseded,
        sources_deleted: outcome.sources_deleted,
        foreign: outcome.foreign,
        held: outcome.held,
        skipped: super::summary::skipped(&outcome.left_out),
        skipped_by_reason: skipped(&outcome.left_out),
        failed: outcome.failures.len() as u64,
        unreadable: outcome.unreadable.len() as u64,
        view_names: outcome.view_names,
        view_bytes: outcome.view_bytes,
        free_before: outcome.free_before,
        free_after: outcome.free_after,
        directory_before: outcome.directory_before,
        directory_after: outcome.directory_after,
        orphan_names: orphans.into_iter().map(name).collect(),
        not_entered: outcome.other_mounts.iter().map(OwnedPath::from).collect(),
        failures,
        steps: plan.map(|plan| plan.steps().map(step).collect()),
    })
}

fn name(name: &NameBuf) -> OwnedPath {
    OwnedPath::from_name(name.name())
}

fn skipped(left_out: &LeftOut) -> Skipped {
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
    Skipped {
        symlinks,
        special,
        filtered,
        other_names,
        own,
        mounts,
        vanished,
        remembered,
    }
}

fn failed(action: &'static str, path: OwnedPath, to: Option<OwnedPath>, fault: Fault) -> Failed {
    Failed {
        action,
        path,
        to,
        codes: Codes::of(fault),
        reason: codes::native(fault).to_string(),
    }
}

impl From<&PathError> for Failed {
    fn from(failure: &PathError) -> Self {
        let to = failure.to.as_ref().map(OwnedPath::from);
        failed(failure.action, (&failure.path).into(), to, failure.fault)
    }
}

fn step(step: Step) -> StepDocument {
    let empty = StepDocument::default();
    match step {
        Step::MakeView(path) => StepDocument {
            what: "make_view",
            to: Some((&path).into()),
            ..empty
        },
        Step::RemoveTemporary(temporary) => StepDocument {
            what: "remove_temporary",
            name: Some(name(&temporary)),
            ..empty
        },
        Step::Link {
            source,
            name: new,
            why,
        } => StepDocument {
            what: "link",
            name: Some(name(&new)),
            source: Some((&source).into()),
            again: Some(why == Why::Missing),
            ..empty
        },
        Step::Relink {
            source,
            name: view_name,
            old_version,
        } => StepDocument {
            what: "relink",
            name: Some(name(&view_name)),
            source: Some((&source).into()),
            old_version: Some(match &old_version {
                OldVersion::HasOtherNames => "has_other_names",
                OldVersion::Dropped => "dropped",
                OldVersion::KeptAs(_) => "kept",
                OldVersion::MovedTo(_) => "moved",
            }),
            kept_as: match &old_version {
                OldVersion::KeptAs(kept) => Some(name(kept)),
                _ => None,
            },
            to: match &old_version {
                OldVersion::MovedTo(dir) => Some(dir.into()),
                _ => None,
            },
            ..empty
        },
        Step::Fallback {
            source,
            name: new,
            kind,
        } => StepDocument {
            what: kind.word(),
            name: Some(name(&new)),
            source: Some((&source).into()),
            again: Some(false),
            ..empty
        },
        Step::Refresh {
            source,
            name: new,
            kind,
        } => StepDocument {
            what: kind.word(),
            name: Some(name(&new)),
            source: Some((&source).into()),
            again: Some(true),
            ..empty
        },
        Step::BecomeLink { source, name: new } => StepDocument {
            what: "become_link",
            name: Some(name(&new)),
            source: Some((&source).into()),
            ..empty
        },
        Step::Remove(old) => StepDocument {
            what: "remove",
            name: Some(name(&old)),
            ..empty
        },
        Step::DeleteOrphan(orphan) => StepDocument {
            what: "delete_orphan",
            name: Some(name(&orphan)),
            ..empty
        },
        Step::MoveOrphan { name: orphan, to } => StepDocument {
            what: "move_orphan",
            name: Some(name(&orphan)),
            to: Some((&to).into()),
            ..empty
        },
        Step::DeleteSources {
            name: deleted,
            sources,
        } => StepDocument {
            what: "delete_sources",
            name: Some(name(&deleted)),
            sources: Some(sources.iter().map(OwnedPath::from).collect()),
            ..empty
        },
        _ => StepDocument {
            what: "other",
            ..empty
        },
    }
}
