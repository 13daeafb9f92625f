//! The commands, one file each.

mod check;
mod clone;
mod completions;
mod cost;
mod dedupe;
mod demo;
mod doctor;
mod flat;
mod link;
mod man;
mod names;
mod ntfs;
mod sample;
mod snapshot;
mod split;
mod trees;
mod unlink;
mod usage;

use std::path::Path;

use clap::Subcommand;
use polylink_core::{Dir, LinkFs as _, PathError, ResultExt as _};
use polylink_host::HostFs;
use polylink_walk::Root;

use crate::args::Env;
use crate::codes;
use crate::error::{CommandError, Outcome};
use crate::explain;
use crate::progress::{Meter, Stop};
use crate::ui::Ui;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(demo::DemoArgs),
    Link(link::LinkArgs),
    Unlink(unlink::UnlinkArgs),
    Flat(flat::FlatArgs),
    Dedupe(dedupe::DedupeArgs),
    Split(split::SplitArgs),
    Clone(clone::CloneArgs),
    Snapshot(snapshot::SnapshotArgs),
    Usage(usage::UsageArgs),
    Names(names::NamesArgs),
    Check(check::CheckArgs),
    Doctor(doctor::DoctorArgs),
    Cost(cost::CostArgs),
    Ntfs(ntfs::NtfsArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

impl Command {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Demo(_) => "demo",
            Self::Link(_) => "link",
            Self::Unlink(_) => "unlink",
            Self::Flat(_) => "flat",
            Self::Dedupe(_) => "dedupe",
            Self::Split(_) => "split",
            Self::Clone(_) => "clone",
            Self::Snapshot(_) => "snapshot",
            Self::Usage(_) => "usage",
            Self::Names(_) => "names",
            Self::Check(_) => "check",
            Self::Doctor(_) => "doctor",
            Self::Cost(_) => "cost",
            Self::Ntfs(args) => args.name(),
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
        }
    }

    pub(crate) fn run(&self, context: &Context<'_>) -> Result<Outcome, CommandError> {
        polylink_host::facts::raise_open_files();
        match self {
            Self::Demo(args) => demo::run(context, args),
            Self::Link(args) => link::run(context, args),
            Self::Unlink(args) => unlink::run(context, args),
            Self::Flat(args) => flat::run(context, args),
            Self::Dedupe(args) => dedupe::run(context, args),
            Self::Split(args) => split::run(context, args),
            Self::Clone(args) => clone::run(context, args),
            Self::Snapshot(args) => snapshot::run(context, args),
            Self::Usage(args) => usage::run(context, args),
            Self::Names(args) => names::run(context, args),
            Self::Check(args) => check::run(context, args),
            Self::Doctor(args) => doctor::run(context, args),
            Self::Cost(args) => cost::run(context, args),
            Self::Ntfs(args) => ntfs::run(context, args),
            Self::Completions(args) => completions::run(context, args),
            Self::Man(args) => man::run(context, args),
        }
    }
}

/// What a command works with.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) ui: &'a Ui,
    pub(crate) env: Env,
    pub(crate) stop: Stop,
    pub(crate) fs: HostFs,
}

impl<'a> Context<'a> {
    pub(crate) fn new(ui: &'a Ui, env: Env, stop: Stop) -> Self {
        Self {
            ui,
            env,
            stop,
            fs: HostFs::new(),
        }
    }

    /// Shows progress until it is dropped.
    pub(crate) fn meter(&self) -> Meter {
        Meter::new(&self.stop, self.ui.progress())
    }

    /// The error with its explanation.
    pub(crate) fn explain(&self, error: &PathError) -> CommandError {
        explain::explained(&self.fs, error)
    }

    /// Opens a directory that the user named; without it the command cannot start.
    pub(crate) fn open_dir(&self, path: &Path) -> Result<Dir, CommandError> {
        self.fs
            .open_dir(path)
            .at("read", path)
            .map_err(|error| self.explain(&error).before_start())
    }

    /// The same, as a root for a walk.
    pub(crate) fn root(&self, path: &Path) -> Result<Root, CommandError> {
        Ok(Root {
            dir: self.open_dir(path)?,
            path: path.into(),
        })
    }

    /// Warns of what could not be read: the first of it by name.
    pub(crate) fn warn_unreadable(&self, errors: &[PathError]) {
        const SHOWN: usize = 8;
        for error in errors.iter().take(SHOWN) {
            self.ui.warn(&format!("{error}: {}", codes::native(error.fault)));
        }
        if errors.len() > SHOWN {
            self.ui.warn(&format!(
                "{} more could not be read",
                crate::format::count((errors.len() - SHOWN) as u64)
            ));
        }
    }
}
