//! From arguments to a plan and its outcome; `polylink demo` goes the same way.

use std::path::{Path, PathBuf};

use polylink_core::{Fault, FaultKind, FileFs, Kind, LinkFs, PathError, Progress, ResultExt as _, shown};
use polylink_host::facts;
use polylink_ntfs::RecordNumber;
use polylink_view::{
    Error, Events, Happened, Ledger, LedgerFault, Options, Outcome, Plan, Request, TEMPLATE_FIELDS, Timing,
    open_ledger,
};

use super::view_path;
use crate::codes;
use crate::commands::Context;
use crate::error::{CommandError, ErrorKind};
use crate::explain;
use crate::image::{self, ChangeOption, Changing};
use crate::place;
use crate::progress::Meter;

/// Where a view is made: on the host's file systems, or in a volume that nothing has mounted.
#[derive(Clone, Copy)]
pub(crate) struct Site<'a> {
    context: &'a Context<'a>,
    volume: Option<&'a Changing>,
}

impl<'a> Site<'a> {
    pub(crate) fn host(context: &'a Context<'a>) -> Self {
        Self {
            context,
            volume: None,
        }
    }

    pub(crate) fn new(context: &'a Context<'a>, volume: Option<&'a Changing>) -> Self {
        Self { context, volume }
    }

    /// Works on the host's file systems, or in the volume that the user named, which is closed afterwards.
    pub(crate) fn work(
        context: &Context<'_>,
        image: &ChangeOption,
        dry_run: bool,
        work: impl FnOnce(Site<'_>) -> Result<crate::error::Outcome, CommandError>,
    ) -> Result<crate::error::Outcome, CommandError> {
        let Some(volume) = image.open(dry_run)? else {
            return work(Site::host(context));
        };
        let worked = work(Site::new(context, Some(&volume)));
        volume.end(worked)
    }

    pub(crate) fn fs(self) -> &'a dyn LinkFs {
        match self.volume {
            Some(volume) => volume.fs(),
            None => &self.context.fs,
        }
    }

    /// The same, for work that reads and copies files.
    pub(crate) fn files(self) -> &'a dyn FileFs {
        match self.volume {
            Some(volume) => volume.fs(),
            None => &self.context.fs,
        }
    }

    /// The error of one path with its explanation.
    pub(crate) fn explain(self, error: &PathError) -> CommandError {
        match self.volume {
            Some(_) => image::in_volume(error),
            None => self.context.explain(error),
        }
    }

    /// What to do about it.
    pub(crate) fn hints(self, error: &PathError) -> Vec<String> {
        match self.volume {
            Some(_) => image::in_volume(error).hints,
            None => explain::hints(&self.context.fs, error),
        }
    }

    /// Why a view cannot be made at all, with what to do about it.
    pub(crate) fn error(self, problem: &Error) -> CommandError {
        match (self.volume, problem) {
            (Some(_), Error::Path(error)) => image::in_volume(error).before_start(),
            _ => error(self.context, problem),
        }
    }

    /// A directory that the user named, by its absolute path; it must be there.
    pub(crate) fn directory(self, path: &Path) -> Result<PathBuf, CommandError> {
        let started = |error: PathError| self.explain(&error).before_start();
        let Some(volume) = self.volume else {
            self.context.open_dir(path)?;
            return facts::absolute(path).map_err(started);
        };
        let fs = volume.fs();
        fs.open_dir(path).at("read", path).map_err(started)?;
        let found = fs.find(path).at("read", path).map_err(started)?;
        if found.record() == RecordNumber::ROOT {
            return Ok("/".into());
        }
        // as the volume writes it, so that one directory has one path
        let paths = fs.paths_of(found).at("read", path).map_err(started)?;
        Ok(paths.into_iter().next().unwrap_or_else(|| path.into()))
    }

    /// The view's absolute path; it need not exist yet.
    pub(crate) fn view(self, view: &Path) -> Result<PathBuf, CommandError> {
        if self.volume.is_none() {
            return view_path(self.context, view);
        }
        let not_a_directory = || {
            CommandError::cannot_start(format!("'{}' is not a directory", shown(view)))
                .path(view)
                .hint("give a directory that is free for this, or a name that is not taken")
        };
        match place::stat(self.fs(), view) {
            Ok(stat) if stat.kind == Kind::Directory => self.directory(view),
            Ok(_) => Err(not_a_directory()),
            Err(_) => match view.file_name() {
                Some(name) => Ok(image::below(&self.directory(place::parent(view))?, name)),
                None => Err(not_a_directory()),
            },
        }
    }

    /// What to call the view when its ledger is looked for on the host.
    pub(crate) fn ledger_of(self, view: &Path) -> Result<PathBuf, CommandError> {
        match self.volume {
            Some(volume) => volume.beside(view, self.context.env.state_dir.as_deref()),
            None => Ok(view.into()),
        }
    }

    pub(crate) fn is_volume(self) -> bool {
        self.volume.is_some()
    }

    /// Brings everything to the device.
    pub(crate) fn close(self) -> Result<(), CommandError> {
        match self.volume {
            Some(volume) => volume.close(),
            None => Ok(()),
        }
    }
}

/// A view with its ledger, ready for one update.
pub(crate) struct Opened<'a> {
    site: Site<'a>,
    request: &'a Request,
    ledger: Ledger,
}

/// What to make of the paths that the user gave.
pub(crate) fn request(
    site: Site<'_>,
    sources: &[PathBuf],
    view: &Path,
    options: Options,
) -> Result<Request, CommandError> {
    let sources = sources
        .iter()
        .map(|source| site.directory(source))
        .collect::<Result<_, _>>()?;
    Ok(Request {
        sources,
        view: site.view(view)?,
        options,
    })
}

impl<'a> Opened<'a> {
    pub(crate) fn open(site: Site<'a>, request: &'a Request, dry_run: bool) -> Result<Self, CommandError> {
        let state_dir = site.context.env.state_dir.as_deref();
        let ledger = open_ledger(&site.ledger_of(&request.view)?, state_dir, dry_run)
            .map_err(|problem| site.error(&problem))?;
        Ok(Self {
            site,
            request,
            ledger,
        })
    }

    pub(crate) fn plan(&self, meter: &Meter) -> Result<Plan, CommandError> {
        polylink_view::plan_with(self.site.files(), self.request, &self.ledger, meter)
            .map_err(|problem| self.site.error(&problem))
    }

    pub(crate) fn apply(&mut self, plan: Plan, meter: &Meter) -> Outcome {
        polylink_view::apply_with(self.site.files(), plan, &mut self.ledger, meter)
    }

    pub(super) fn request(&self) -> &'a Request {
        self.request
    }

    /// Follows sources and view until the user stops it.
    pub(super) fn follow(
        &mut self,
        events: &mut dyn Events,
        timing: Timing,
        progress: &dyn Progress,
        tell: &mut dyn FnMut(Happened<'_>),
    ) -> Result<(), CommandError> {
        let (fs, request) = (self.site.files(), self.request);
        polylink_view::follow(fs, request, &mut self.ledger, events, timing, progress, tell)
            .map_err(|problem| self.site.error(&problem))
    }

    /// Says where the ledger is, where that is not beside the view.
    pub(crate) fn note_ledger(&self) {
        if !self.ledger.is_beside_view() {
            let beside = if self.site.volume.is_some() {
                "image"
            } else {
                "view"
            };
            self.site.context.ui.note(&format!(
                "nothing can be written beside the {beside}: its ledger is '{}'",
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
            .hint("give a directory that is free for this, or a name that is not taken"),
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
            .hint("'--fallback copy', 'reflink' or 'symlink' puts those in the place of links that cannot be")
        }
        Error::NoHardLinks { view, kind } => plain().path(view).hint(explain::no_hard_links(kind)),
        Error::Glob(_) => plain().hint("quote patterns for the shell; '*' stands for any part of a name, '**' for folders, '[ab]' and '{a,b}' for choices"),
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
