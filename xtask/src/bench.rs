//! `cargo xtask bench`: the release binary against its peers, side by side.
//!
//! Ours and each peer run in alternation on the same warm tree, because a machine is never equally busy twice; what is
//! compared are medians. Views and clones are removed between the runs and outside the measured time.

pub(crate) mod bare_fill;
pub(crate) mod bare_link;
pub(crate) mod bare_read;
mod dedupe;
mod million;
mod ntfs;
mod ntfs_write;
mod peers;
mod rows;
mod timing;
mod tree;
mod trees;
mod watch;

use std::fs;
use std::path::PathBuf;

use self::rows::Bench;
use crate::shell::{self, Context as _, Result};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Files of the tree [default: 100000, with --million and on the NTFS image 1000000]
    #[arg(long)]
    files: Option<usize>,
    /// Measure one million files instead: time and peak memory of first build, update and usage
    #[arg(long)]
    million: bool,
    /// Measure only the rows whose name contains this: flat, update, watch, usage, memory, names, clone, snapshot,
    /// dedupe, ntfs, ntfs-write
    #[arg(long, value_name = "ROW")]
    only: Option<String>,
    /// Measured runs of each command, after one that is not measured
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Where to make the trees, by default a folder below cargo's target folder
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Measure this binary instead of building the release binary
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Install the peers from crates.io and stop
    #[arg(long)]
    install_peers: bool,
}

pub(crate) fn run(args: &Args) -> Result {
    if args.install_peers {
        return peers::install(|_| true);
    }
    let binary = match &args.binary {
        Some(binary) => std::path::absolute(binary)?,
        None => shell::build_release("polylink-cli", "polylink")?,
    };
    let base = args.dir.clone().unwrap_or_else(shell::target_dir);
    fs::create_dir_all(&base).at(&base)?;
    let dir = tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(&base)
        .at(&base)?;
    if args.million {
        return million::run(&binary, dir.path(), args.files.unwrap_or(1_000_000));
    }
    let xtask = shell::build_release("xtask", "xtask")?;
    let (files, runs) = (args.files.unwrap_or(100_000), args.runs.max(1));
    let wanted = |name: &str| args.only.as_deref().is_none_or(|only| name.contains(only));
    peers::install(wanted)?;
    let mut table = Vec::new();
    let rows: Vec<_> = rows::ROWS.iter().filter(|(name, _)| wanted(name)).collect();
    if !rows.is_empty() {
        let bench = Bench::new(&binary, &xtask, dir.path(), files, runs)?;
        for (name, measure) in rows {
            eprintln!("measuring {name} …");
            table.extend(measure(&bench)?);
        }
        println!("A tree of {files} files.");
    }
    if wanted("dedupe") {
        eprintln!("measuring dedupe …");
        table.extend(dedupe::measure(&binary, dir.path(), files, runs)?);
    }
    if wanted("ntfs") {
        eprintln!("measuring ntfs …");
        let images = args.dir.clone().unwrap_or_else(|| base.join("bench"));
        let files = args.files.unwrap_or(1_000_000);
        table.extend(ntfs::measure(&binary, &xtask, &images, files, runs)?);
    }
    if wanted("ntfs-write") {
        eprintln!("measuring ntfs-write …");
        table.extend(ntfs_write::measure(&binary, &xtask, dir.path(), runs)?);
    }
    println!("{runs} runs each, warm cache; median [shortest, longest]\n");
    println!("| work | ours | peer | peer's | ratio | bar | met |\n|---|---|---|---|---|---|---|");
    for line in &table {
        println!("{line}");
    }
    Ok(())
}
