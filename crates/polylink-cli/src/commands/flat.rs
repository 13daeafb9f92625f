//! `polylink flat`.
use super::Context;
use crate::error::{CommandError, Outcome};
use clap::Args;
/// Flat
#[derive(Debug, Args)]
pub(crate) struct FlatArgs {}
pub(super) fn run(_context: &Context<'_>, _args: &FlatArgs) -> Result<Outcome, CommandError> {
    Ok(Outcome::Done)
}
