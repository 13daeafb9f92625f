//! The least that many new names in a directory can cost through a mount: one call each, relative to an open directory.

use std::path::PathBuf;

use rustix::fs::{AtFlags, CWD, Mode, OFlags};

use crate::shell::{Context as _, Failure, Result};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The directory that gets the names
    dir: PathBuf,
    /// How many
    count: usize,
    /// The names are further ones of this file; without it, each is a new empty file
    #[arg(long)]
    of: Option<PathBuf>,
}

/// A name as every contestant gives it.
pub(super) fn name(index: usize) -> String {
    format!("name {index:07}")
}

/// Makes the names and does nothing else.
pub(crate) fn run(args: &Args) -> Result {
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
    let dir = rustix::fs::open(&args.dir, flags, Mode::empty()).at(&args.dir)?;
    for index in 0..args.count {
        let name = name(index);
        let made = match &args.of {
            Some(file) => rustix::fs::linkat(CWD, file, &dir, &name, AtFlags::empty()),
            None => {
                let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
                rustix::fs::openat(&dir, &name, flags, Mode::from_raw_mode(0o644)).map(drop)
            }
        };
        made.map_err(|error| Failure(format!("{name}: {error}")))?;
    }
    Ok(())
}
