//! The commands that work on files of their own: they leave the disk as it was.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::lab::{Lab, args, ensure};
use super::{Verdict, truth};
use crate::shell;

/// The demo tells its story in this time.
const PATIENCE: Duration = Duration::from_secs(15);

fn paths(disk: &std::path::Path) -> Verdict<Vec<PathBuf>> {
    Ok(truth::entries(&[disk])?
        .into_iter()
        .map(|entry| entry.path)
        .collect())
}

pub(crate) fn cost(lab: &Lab) -> Verdict {
    let disk = lab.ext4()?;
    let before = paths(&disk)?;
    let run = lab.polylink(args([&"cost", &"--json", &disk]))?.exits(&[0])?;
    ensure(paths(&disk)? == before, || {
        "cost left something behind".to_owned()
    })?;
    let json = run.json()?;
    let experiments = json["experiments"].as_array().cloned().unwrap_or_default();
    ensure(experiments.len() == 2, || {
        format!("two experiments were expected: {json}")
    })?;
    for experiment in experiments {
        let number = |field: &str| experiment[field].as_u64();
        let (Some(links), Some(free), Some(left)) =
            (number("links"), number("free_before"), number("free_after"))
        else {
            return Err(format!("  an experiment without figures: {experiment}").into());
        };
        // A name of ext4 takes a dozen bytes at least, and no link takes a block of its own.
        let taken = free.saturating_sub(left);
        ensure(links >= 1000, || {
            format!("few links for an experiment: {experiment}")
        })?;
        ensure((links * 8..links * 4096).contains(&taken), || {
            format!("{links} links are said to take {taken} bytes: {experiment}")
        })?;
    }
    Ok(())
}

pub(crate) fn demo(lab: &Lab) -> Verdict {
    let disk = lab.ext4()?;
    let before = paths(&disk)?;
    let start = Instant::now();
    let mut command = lab.command();
    command.args(["demo", "--files", "5000"]).env("TMPDIR", &disk);
    let output = shell::output(&mut command)?;
    let time = start.elapsed();
    ensure(time < PATIENCE, || {
        format!("the demo took {:.0} s", time.as_secs_f64())
    })?;
    ensure(!output.is_empty(), || "the demo said nothing".to_owned())?;
    ensure(paths(&disk)? == before, || {
        "the demo left something behind".to_owned()
    })
}
