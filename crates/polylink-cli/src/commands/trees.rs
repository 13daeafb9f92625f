//! What clones and snapshots have in common.

use std::path::PathBuf;

use polylink_core::{PathError, shown};
use polylink_host::facts;
use polylink_tree::Error;

use super::Context;
use super::flat::{self, Site};
use crate::error::CommandError;

/// The user, where the system has user ids.
pub(super) fn user() -> Option<u32> {
    cfg!(unix).then(facts::current_user)
}

/// Why the work cannot begin, with what to do about it.
pub(super) fn error(site: Site<'_>, problem: &Error) -> CommandError {
    let failed = CommandError::from_error(problem).before_start();
    match problem {
        Error::Ledger(error) => site.error(error),
        Error::Path(error) => site.explain(error).before_start(),
        Error::Cancelled => CommandError::interrupted(),
        Error::OtherVolume { source_dir, dest } => {
            let error = PathError {
                action: "link",
                path: source_dir.clone(),
                to: Some(dest.clone()),
                fault: polylink_core::Fault::of(polylink_core::FaultKind::CrossesVolumes),
            };
            let mut failed = failed.path(source_dir).path(dest);
            failed.fault = Some(Box::new(error.fault));
            failed.causes.push(error.fault.to_string());
            failed
                .hints(site.hints(&error))
                .hint("--fallback copy copies what cannot be linked, and so does 'polylink snapshot'")
        }
        Error::NotAClone { source_dir, dest, .. } => failed
            .path(source_dir)
            .path(dest)
            .hint("give a directory that is empty or not there yet, or --keep-extra with one of your own")
            .hint("--prune makes it a clone all the same: names whose files have further names go"),
        Error::Nested { source_dir, dest } => failed.path(source_dir).path(dest).hint(format!(
            "give a directory beside '{}', neither in it nor above it",
            shown(source_dir)
        )),
        Error::NotDirectory(path) => failed.path(path),
        _ => failed,
    }
}

/// What was not seen, and what did not work.
pub(super) fn tell_gaps(
    site: Site<'_>,
    context: &Context<'_>,
    other_mounts: &[PathBuf],
    unreadable: &[PathError],
    failures: &[PathError],
) {
    if !other_mounts.is_empty() {
        context.ui.note(&format!(
            "other file systems below the source, not entered: {}",
            flat::listed(other_mounts.iter().map(|path| shown(path)))
        ));
    }
    flat::explained(site, context, unreadable);
    flat::explained(site, context, failures);
}
