//! Hostile bytes, many of them: the fuzz targets as `cargo test` runs them, in a release build.

use std::process::Command;

use super::super::lab::{Lab, ensure};
use super::super::{Stop, Verdict};
use crate::judges::order::say;
use crate::shell;

/// As many as take about a minute.
const INPUTS: u64 = 200_000;

/// Runs the mutations, the prefixes and the volumes of others within their limits, and prints what they took.
pub(crate) fn hostile(_lab: &Lab) -> Verdict {
    let mut command: Command = shell::cargo();
    command
        .args([
            "test",
            "--quiet",
            "--release",
            "--package",
            "polylink-ntfs",
            "--test",
            "fuzz",
        ])
        .args(["--", "--nocapture"])
        .env("POLYLINK_FUZZ", INPUTS.to_string());
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(Stop::Failed(format!(
            "  {}:\n{text}\n{errors}",
            shell::shown(&command)
        )));
    }
    let told = [
        "inputs in",
        "images, ",
        "runs",
        "slowest:",
        "largest:",
        "skipped:",
    ];
    let figures: Vec<&str> = text
        .lines()
        .filter(|line| told.iter().any(|word| line.contains(word)))
        .collect();
    for line in &figures {
        say!("    {line}");
    }
    let inputs = figures
        .iter()
        .find(|line| line.ends_with("inputs") || line.contains("inputs in"));
    let count = inputs.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    ensure(count >= Some(INPUTS), || {
        format!("{count:?} inputs were looked at, not {INPUTS}")
    })
}
