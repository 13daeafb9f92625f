//! `cargo xtask bench`: the release binary against its peers, side by side.
//!
//! Ours and each peer run in alternation on the same warm tree, because a machine is never equally busy twice; what is
//! compared are medians. Views and clones are removed between the runs and outside the measured time.

pub(crate) mod bare_link;
mod million;
mod peers;
mod rows;
mod timing;
mod tree;

use std::fs;
use std::path::PathBuf;

use self::rows::Bench;
use crate::shell::{self, Context as _, Result};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Files of the tree [default: 100000, with --million 1000000]
    #[arg(long)]
    files: Option<usize>,
    /// Measure one million files instead: time and peak memory of first build, update and usage
    #[arg(long)]
    million: bool,
    /// Measure only the rows whose name contains this: flat, update, usage, memory, names
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
        return peers::install();
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
    peers::install()?;
    let bench = Bench::new(
        &binary,
        &xtask,
        dir.path(),
        args.files.unwrap_or(100_000),
        args.runs.max(1),
    )?;
    let wanted = |name: &str| args.only.as_deref().is_none_or(|only| name.contains(only));
    let mut table = Vec::new();
    for (name, measure) in rows::ROWS {
        if wanted(name) {
            eprintln!("measuring {name} …");
            table.extend(measure(&bench)?);
        }
    }
    println!(
        "{} files, {} runs each, warm cache; median [shortest, longest]\n",
        bench.files, bench.runs
    );
    println!("| work | ours | peer | peer's | ratio | bar | met |\n|---|---|---|---|---|---|---|");
    for line in &table {
        println!("{line}");
    }
    Ok(())
}
