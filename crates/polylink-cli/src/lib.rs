//! The command line of polylink: the only crate that prints, reads the environment and catches signals.
//!
//! [`main`] is the program. [`command`] describes its arguments, and [`exports`] makes the files that packages ship:
//! manual pages, completions for shells, and the reference `cli.md`.

mod args;
mod codes;
mod commands;
mod error;
mod explain;
mod exports;
mod format;
mod image;
mod json;
mod place;
mod progress;
mod temp;
mod ui;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

pub use exports::exports;

use crate::args::{Cli, Env, Global, When};
use crate::commands::Context;
use crate::error::{CommandError, ErrorKind, Outcome};
use crate::progress::Stop;
use crate::ui::Ui;

/// The arguments of `polylink`, with their help.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs `polylink` with the arguments of this process.
#[must_use]
pub fn main() -> ExitCode {
    let env = Env::read();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return not_parsed(&error, &env),
    };
    let ui = Ui::new(&cli.global, &env);
    let context = Context::new(&ui, env, Stop::on_signals());
    let result = cli.command.run(&context).and_then(|outcome| {
        ui.flush()?;
        Ok(outcome)
    });
    finish(&ui, result, Some(cli.command.name()))
}

fn finish(ui: &Ui, result: Result<Outcome, CommandError>, command: Option<&str>) -> ExitCode {
    match result {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            ui.error(&error, command);
            error.exit_code()
        }
    }
}

/// Help, version, or a command line that makes no sense.
fn not_parsed(error: &clap::Error, env: &Env) -> ExitCode {
    use clap::error::ErrorKind as Clap;
    let global = Global {
        json: std::env::args_os().any(|arg| arg == "--json"),
        quiet: false,
        progress: When::Never,
        color: When::Auto,
    };
    let ui = Ui::new(&global, env);
    match error.kind() {
        Clap::DisplayHelp | Clap::DisplayVersion => match error.print() {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => ExitCode::from(1),
            _ => ExitCode::SUCCESS,
        },
        Clap::DisplayHelpOnMissingArgumentOrSubcommand if !global.json => {
            // OK to ignore: there is nowhere left to say so
            drop(error.print());
            ExitCode::from(2)
        }
        _ => {
            let error = error::from_clap(error);
            debug_assert_eq!(error.kind, ErrorKind::CannotStart);
            ui.error(&error, None);
            error.exit_code()
        }
    }
}
