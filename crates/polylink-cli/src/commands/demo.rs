//! `polylink demo`.
use super::Context;
use crate::error::{CommandError, Outcome};
use clap::Args;
/// Demo
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {}
pub(super) fn run(_context: &Context<'_>, _args: &DemoArgs) -> Result<Outcome, CommandError> {
    Ok(Outcome::Done)
}
