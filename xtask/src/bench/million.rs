//! One million files: time and peak memory.

use std::path::Path;
use std::process::Command;

use super::{timing, tree};
use crate::shell::Result;

pub(crate) fn run(binary: &Path, dir: &Path, count: usize) -> Result {
    let (source, view) = (dir.join("tree"), dir.join("view"));
    eprintln!("making {count} files …");
    tree::make(&source, count)?;
    println!("{count} files, one run each, warm cache\n");
    println!("| work | time | peak memory | bytes a file |\n|---|---|---|---|");
    let flat = || {
        let mut command = Command::new(binary);
        command.args(["flat", "--quiet"]).args([&source, &view]);
        command
    };
    let usage = || {
        let mut command = Command::new(binary);
        command.args(["usage", "--quiet"]).args([&source, &view]);
        command
    };
    for (work, command) in [
        ("first flat view", &flat as &dyn Fn() -> Command),
        ("update with nothing to do", &flat),
        ("usage", &usage),
    ] {
        let (time, memory) = timing::time_and_memory(&mut command())?;
        let (seconds, megabytes) = (time.as_secs_f64(), memory as f64 / 1e6);
        println!(
            "| {work} | {seconds:.2} s | {megabytes:.1} MB | {} |",
            memory / count as u64
        );
    }
    Ok(())
}
