//! `polylink man`.

use std::path::PathBuf;

use clap::Args;
use polylink_core::shown;
use serde::Serialize;

use super::Context;
use crate::args::DryRun;
use crate::error::{CommandError, Outcome};
use crate::exports;
use crate::json::{self, JsonPath};

/// Write the manual pages into a directory
///
/// One page for polylink and one for each command, in the format of man(1): polylink.1, polylink-flat.1 and so on.
/// Pages of these names that are there already are replaced.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ManArgs {
    /// Where to write them; it must exist
    dir: PathBuf,
    #[command(flatten)]
    dry: DryRun,
}

const EXAMPLES: &str = "\
Examples:
  polylink man ~/.local/share/man/man1    then: man polylink-flat";

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    command: &'static str,
    dry_run: bool,
    pages: Vec<JsonPath<'a>>,
}

pub(super) fn run(context: &Context<'_>, args: &ManArgs) -> Result<Outcome, CommandError> {
    context.open_dir(&args.dir)?;
    let mut written = Vec::new();
    for (path, text) in exports::manual_pages() {
        let path = args.dir.join(path.file_name().unwrap_or_default());
        if !args.dry.dry_run {
            std::fs::write(&path, text).map_err(|error| CommandError::from_io("write", &path, &error))?;
        }
        written.push(path);
    }
    if context.ui.json() {
        context.ui.document(&Document {
            schema: json::SCHEMA,
            command: "man",
            dry_run: args.dry.dry_run,
            pages: written.iter().map(|path| JsonPath(path)).collect(),
        })?;
        return Ok(Outcome::Done);
    }
    for path in &written {
        context.ui.report(args.dry.dry_run).line(&shown(path))?;
    }
    Ok(Outcome::Done)
}
