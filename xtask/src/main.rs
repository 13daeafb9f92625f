//! Developer tasks of polylink, run as `cargo xtask TASK`.
//!
//! This is a tool for the people who work on polylink, not a part of it: it may print, read the environment, run
//! other programs and mount file systems. It knows the product only from outside, by its binary, so that it builds
//! whatever state the product's crates are in and judges what a user would see.

#![allow(clippy::print_stdout, clippy::print_stderr)]

#[cfg(unix)]
mod bench;
mod ci;
mod exports;
#[cfg(unix)]
mod judges;
mod shell;
mod tidy;
#[cfg(unix)]
mod windows;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "Developer tasks of polylink"
)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run what CI runs of Rust: formatting, clippy, docs, tests, tidy
    Ci,
    /// Check the rules of this repository that a program can check
    Tidy,
    /// Let file systems and tools that others wrote judge the release binary (needs root)
    #[cfg(unix)]
    Judges(judges::Args),
    /// Measure the release binary against its peers and print a table
    #[cfg(unix)]
    Bench(bench::Args),
    /// The same, on Linux only: they mount file systems and compare with Unix tools
    #[cfg(not(unix))]
    #[command(name = "judges", alias = "bench")]
    NotHere(NotHere),
    /// Write the generated files under exports/ anew
    Exports,
    /// Be the other side of the judge `ntfs3-qemu`, in its machine: let ntfs3 do one turn on each of its volumes
    #[cfg(unix)]
    #[command(hide = true)]
    Inside(judges::Inside),
    /// Link every name of a list into a directory and do nothing else: the least that a flat view can cost
    #[cfg(unix)]
    #[command(hide = true)]
    BareLink(bench::bare_link::Args),
    /// Make many names in a directory and do nothing else: the least that they cost through a mount
    #[cfg(unix)]
    #[command(hide = true)]
    BareFill(bench::bare_fill::Args),
    /// Read runs of an image and do nothing else: the least that a pass over a table can cost
    #[cfg(unix)]
    #[command(hide = true)]
    BareRead(bench::bare_read::Args),
}

#[cfg(not(unix))]
#[derive(clap::Args)]
struct NotHere {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _args: Vec<String>,
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::Ci => ci::run(),
        Task::Tidy => tidy::run(),
        #[cfg(unix)]
        Task::Judges(args) => judges::run(&args),
        #[cfg(unix)]
        Task::Bench(args) => bench::run(&args),
        #[cfg(not(unix))]
        Task::NotHere(_) => Err(shell::Failure(
            "judges and benchmarks need Linux; here, `cargo test --workspace -- --include-ignored` judges"
                .to_owned(),
        )),
        Task::Exports => exports::run(),
        #[cfg(unix)]
        Task::Inside(args) => args.run(),
        #[cfg(unix)]
        Task::BareLink(args) => bench::bare_link::run(&args),
        #[cfg(unix)]
        Task::BareFill(args) => bench::bare_fill::run(&args),
        #[cfg(unix)]
        Task::BareRead(args) => bench::bare_read::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
