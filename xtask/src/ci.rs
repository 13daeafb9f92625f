//! `cargo xtask ci`: the part of `.ci/run` that needs neither root nor Debian packages.

use std::process::Command;
use std::time::Instant;

use crate::shell::{self, Result};
use crate::tidy;

pub(crate) fn run() -> Result {
    step("formatting", shell::cargo().args(["fmt", "--all", "--check"]))?;
    step(
        "clippy",
        shell::cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    )?;
    step(
        "documentation",
        shell::cargo()
            .args(["doc", "--no-deps", "--workspace"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    step("tests", shell::cargo().args(["test", "--workspace"]))?;
    println!("== tidy");
    tidy::run()
}

fn step(title: &str, command: &mut Command) -> Result {
    println!("== {title}");
    let start = Instant::now();
    shell::run(command)?;
    println!("== {title}: {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}
