//! The least that a pass over a Master File Table can cost: its runs, read from the first to the last.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use crate::shell::{Context as _, Failure, Result};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The image
    image: PathBuf,
    /// Where each run begins and how long it is, in bytes: START+LENGTH
    runs: Vec<String>,
}

/// Bytes that are read at once: as many as the audit reads.
const CHUNK: u64 = 256 << 10;

/// Reads the runs and does nothing with them.
pub(crate) fn run(args: &Args) -> Result {
    let file = File::open(&args.image).at(&args.image)?;
    let mut buffer = vec![0; CHUNK as usize];
    for run in &args.runs {
        let parts = run.split_once('+').and_then(|(start, len)| {
            let start: u64 = start.parse().ok()?;
            Some((start, len.parse::<u64>().ok()?))
        });
        let (start, len) = parts.ok_or_else(|| Failure(format!("`{run}` is no run")))?;
        let mut done = 0;
        while done < len {
            let part = &mut buffer[..CHUNK.min(len - done) as usize];
            file.read_exact_at(part, start + done).at(&args.image)?;
            done += part.len() as u64;
        }
    }
    Ok(())
}
