//! From arguments to a plan and its outcome; `polylink demo` goes the same way.

use std::path::{Path, PathBuf};

use polylink_core::{Fault, FaultKind, PathError, shown};
use polylink_host::facts;
use polylink_view::{
    Error, Ledger, LedgerFault, Options, Outcome, Plan, Request, TEMPLATE_FIELDS, open_ledger,
};

use super::view_path;
use crate::codes;
use crate::commands::Context;
use crate::error::{CommandError, ErrorKind};
use crate::explain;
use crate::progress::Meter;

/// A view with its ledger, ready for one update.
pub(crate) struct Opened<'a> {
    request: &'a Request,
    ledger: Ledger,
}

/// What to make of the paths that the user gave.
pub(crate) fn request(
    context: &Context<'_>,
    sources: &[PathBuf],
    view: &Path,
    options: Options,
) -> Result<Request, CommandError> {
    let sources = sources
        .iter()
        .map(|source| {
            context.open_dir(source)?;
            facts::absolute(source).map_err(|error| context.explain(&error).before_start())
        })
        .collect::<Result<_, _>>()?;
    Ok(Request {
        sources,
        view: view_path(context, view)?,
        options,
    })
}

impl<'a> Opened<'a> {
    pub(crate) fn open(
        context: &Context<'_>,
        request: &'a Request,
        dry_run: bool,
    ) -> Result<Self, CommandError> {
        let ledger = open_ledger(&request.view, context.env.state_dir.as_deref(), dry_run)
            .map_err(|problem| error(context, &problem))?;
        Ok(Self { request, ledger })
    }

    pub(crate) fn plan(&self, context: &Context<'_>, meter: &Meter) -> Result<Plan, CommandError> {
        polylink_view::plan(&context.fs, self.request, &self.ledger, meter)
            .map_err(|problem| error(context, &problem))
    }

    pub(crate) fn apply(&mut self, context: &Context<'_>, plan: Plan, meter: &Meter) -> Outcome {
        polylink_view::apply(&context.fs, plan, &mut self.ledger, meter)
    }

    /// Says where the ledger is, where that is not beside the view.
    pub(crate) fn note_ledger(&self, context: &Context<'_>) {
        if !self.ledger.is_beside_view() {
            context.ui.note(&format!(
                "nothing can be written beside the view: its ledger is '{}'",
                shown(self.ledger.path())
            ));
        }
    }
}

/// Why a view cannot be made at all, with what to do about it.
pub(crate) fn error(context: &Context<'_>, error: &Error) -> CommandError {
    let plain = || {
        let mut failed = CommandError::from_error(error);
        failed.kind = ErrorKind::CannotStart;
        failed
    };
    match error {
        Error::Path(error) => context.explain(error).before_start(),
        Error::Cancelled => CommandError::interrupted().hint("nothing was changed"),
        Error::NoSource => plain(),
        Error::SourceInsideView { source_dir, view } => plain()
            .path(source_dir)
            .path(view)
            .hint("a view holds nothing but names of files: choose a directory of its own for it"),
        Error::ViewIsNotDirectory(view) => plain()
            .path(view)
            .hint("a view is a directory of its own: give one, or a name that is free"),
        Error::OtherVolume { source_dir, view } => {
            let fault = Fault::of(FaultKind::CrossesVolumes);
            let link = PathError {
                action: "link",
                path: source_dir.clone(),
                to: Some(view.clone()),
                fault,
            };
            CommandError {
                causes: vec![codes::native(fault).to_string()],
                fault: Some(Box::new(fault)),
                ..plain()
            }
            .path(source_dir)
            .path(view)
            .hints(explain::hints(&context.fs, &link))
        }
        Error::NoHardLinks { view, kind } => plain().path(view).hint(explain::no_hard_links(kind)),
        Error::Glob { .. } => plain().hint("quote patterns for the shell; '*' stands for any part of a name, '**' for folders, '[ab]' and '{a,b}' for choices"),
        Error::Template { .. } => plain().hint(format!("the fields are {TEMPLATE_FIELDS}; '{{{{' and '}}}}' stand for braces")),
        Error::Ledger { path, fault } => {
            let failed = plain().path(path).hints(ledger_hints(path, fault));
            let Some(fault) = failed.fault.as_deref().copied() else { return failed };
            let write = PathError { action: "write", path: path.clone(), to: None, fault };
            failed.hints(explain::hints(&context.fs, &write))
        }
        Error::EveryNameGone { .. } => plain()
            .hint("if the view was emptied by mistake, run once with '--deleted restore': it makes all names again")
            .hint("if all files shall really go, delete them from the sources"),
        _ => plain(),
    }
}

fn ledger_hints(path: &Path, fault: &LedgerFault) -> Vec<String> {
    match fault {
        LedgerFault::Busy => vec!["wait for the other one to end, then run the command again".into()],
        LedgerFault::Newer(_) => {
            vec!["use the version of polylink that wrote it, or a later one".into()]
        }
        LedgerFault::Damaged(_) | LedgerFault::Record => vec![format!(
            "move '{}' away and run the command again: without a ledger the names in the view are recognized by the files that they lead to",
            shown(path)
        )],
        _ => Vec::new(),
    }
}
