//! `polylink completions`.

use clap::Args;
use clap_complete::Shell;

use super::Context;
use crate::error::{CommandError, Outcome};
use crate::exports;

/// Print completions for a shell
///
/// They complete commands, options and their values. Packages install them; by hand, put the output where the shell
/// looks for it.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  polylink completions bash > ~/.local/share/bash-completion/completions/polylink
  polylink completions zsh > ~/.zfunc/_polylink
  polylink completions fish > ~/.config/fish/completions/polylink.fish";

pub(super) fn run(context: &Context<'_>, args: &CompletionsArgs) -> Result<Outcome, CommandError> {
    context.ui.raw(&exports::completion(args.shell))?;
    Ok(Outcome::Done)
}
