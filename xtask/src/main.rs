//! Developer tasks of polylink, run as `cargo xtask TASK`.
//!
//! This is a tool for the people who work on polylink, not a part of it: it may print, read the environment, run
//! other programs and mount file systems. It knows the product only from outside, by its binary, so that it builds
//! whatever state the product's crates are in and judges what a user would see.

#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod ci;
mod exports;
mod judges;
mod shell;
mod tidy;

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
    Judges(judges::Args),
    /// Measure the release binary against its peers and print a table
    Bench(bench::Args),
    /// Write the generated files under exports/ anew
    Exports,
    /// Link every name of a list into a directory and do nothing else: the least that a flat view can cost
    #[command(hide = true)]
    BareLink(bench::bare_link::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::Ci => ci::run(),
        Task::Tidy => tidy::run(),
        Task::Judges(args) => judges::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::Exports => exports::run(),
        Task::BareLink(args) => bench::bare_link::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
