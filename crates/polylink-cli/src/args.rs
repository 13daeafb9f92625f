//! What every command understands: the options that come with all of them.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, ValueEnum};

use crate::commands::Command;

/// Make hard links, keep flat views of trees, and see what the disk really holds
///
/// A file can have several names: each is a directory entry that points at the same data, and the data goes when its
/// last name goes. polylink makes such names, keeps a single directory with a name for every file of a tree, and tells
/// what the disk really holds and what deleting a directory would give back.
#[derive(Debug, Parser)]
#[command(
    name = "polylink",
    bin_name = "polylink",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = false,
    max_term_width = 110,
    after_long_help = EXAMPLES
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  polylink demo                          the whole story, in a temporary folder
  polylink flat ~/photos ~/all-photos    a single directory with a name for each photo
  polylink usage ~/photos ~/all-photos   what the two hold, and what deleting either would free
  polylink names ~/all-photos/img.jpg    every name of that photo

Exit codes: 0 done; 1 some items failed or differ; 2 usage error or cannot start; 130 interrupted.";

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Print one JSON document instead of text
    ///
    /// The document carries a `schema` number; within a number fields are added, never changed. Sizes are in bytes, a
    /// path is a string when it is valid Unicode and {"hex": "…"} of its bytes when not (on Windows of its UTF-16
    /// units), and what is not known is null. Errors come as a document on the standard error stream.
    #[arg(long, global = true, display_order = 900)]
    pub(crate) json: bool,

    /// Print results and errors only
    ///
    /// What a command that changes something has done is no result: its counts and lines are left out, warnings stay.
    /// What a dry run finds is one, and so is the path of a new snapshot.
    #[arg(short, long, global = true, display_order = 901)]
    pub(crate) quiet: bool,

    /// When to show the progress of long work
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        display_order = 902
    )]
    pub(crate) progress: When,

    /// When to use colour
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        display_order = 903
    )]
    pub(crate) color: When,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum When {
    /// On a terminal
    Auto,
    /// Wherever the output goes
    Always,
    /// Not at all
    Never,
}

/// For commands that change something.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct DryRun {
    /// Show what would be done, and change nothing
    #[arg(short = 'n', long = "dry-run", action = ArgAction::SetTrue)]
    pub(crate) dry_run: bool,
}

/// For commands that show sizes.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Exact {
    /// Show sizes in bytes instead of KiB, MiB, GiB
    #[arg(long = "bytes")]
    pub(crate) bytes: bool,
}

/// What the environment says; read once, here.
#[derive(Clone, Debug)]
pub(crate) struct Env {
    /// `NO_COLOR` is set to something.
    pub(crate) no_color: bool,
    /// `TERM` is `dumb`.
    pub(crate) dumb_terminal: bool,
    /// Where programs keep their state (XDG base directories; on Windows `LOCALAPPDATA`); `None` without a home.
    pub(crate) state_dir: Option<PathBuf>,
    /// Where temporary folders go.
    pub(crate) temp_dir: PathBuf,
}

impl Env {
    pub(crate) fn read() -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let (variable, below_home) = if cfg!(windows) {
            ("LOCALAPPDATA", "AppData\\Local")
        } else {
            ("XDG_STATE_HOME", ".local/state")
        };
        let state = set(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| std::env::home_dir().map(|home| home.join(below_home)));
        Self {
            no_color: set("NO_COLOR").is_some(),
            dumb_terminal: set("TERM").is_some_and(|term| term == "dumb"),
            state_dir: state,
            temp_dir: std::env::temp_dir(),
        }
    }
}
