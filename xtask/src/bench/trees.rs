//! Clones against `cp -al`, snapshots against `rsync -aH --link-dest`.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::rows::{Bench, Runner, alternate, line, megabytes};
use super::{timing, tree};
use crate::shell::{self, Context as _, Result};

/// One file in so many is saved anew before each snapshot.
const EDITED: usize = 100;

/// Brings what others wrote to the disk, so that no measured program does it for them.
fn settle(dir: &Path) -> Result {
    shell::output(Command::new("sync").arg("-f").arg(dir)).map(drop)
}

pub(super) fn clone(bench: &Bench) -> Result<Vec<String>> {
    bench.one()?;
    let (ours_at, theirs_at) = (bench.beside("clone-ours"), bench.beside("clone-theirs"));
    let ours = || {
        let mut command = Command::new(&bench.binary);
        command.args(["clone", "--quiet"]).arg(bench.tree()).arg(&ours_at);
        command
    };
    let theirs = || {
        let mut command = Command::new("cp");
        command.arg("-al").arg(bench.tree()).arg(&theirs_at);
        command
    };
    let fresh = |dir: &Path, mut command: Command| {
        tree::remove(dir)?;
        settle(&bench.tree())?;
        timing::time(&mut command)
    };
    let mut lines = Vec::new();
    let mut runners = [
        Runner::new("polylink clone", || fresh(&ours_at, ours()), || Ok(())),
        Runner::new("`cp -al`", || fresh(&theirs_at, theirs()), || Ok(())),
    ];
    alternate(&mut runners, bench.runs)?;
    let [mine, peer] = &runners;
    lines.push(line("clone", mine, peer, Some(1.0)));
    let mut runners = [
        Runner::new("polylink clone", || timing::time(&mut ours()), || Ok(())),
        Runner::new("`cp -al`", || fresh(&theirs_at, theirs()), || Ok(())),
    ];
    alternate(&mut runners, bench.runs)?;
    let [mine, peer] = &runners;
    lines.push(line("clone with nothing to do", mine, peer, Some(0.1)));
    tree::remove(&theirs_at)?;
    let idle = timing::time_and_memory(&mut ours())?.1;
    tree::remove(&ours_at)?;
    let first = timing::time_and_memory(&mut ours())?.1;
    let peer = timing::time_and_memory(&mut theirs())?.1;
    tree::remove(&theirs_at)?;
    tree::remove(&ours_at)?;
    lines.push(format!(
        "| clone, peak memory | {}, {} with nothing to do | `cp -al` | {} | - | - | for comparison |",
        megabytes(first),
        megabytes(idle),
        megabytes(peer)
    ));
    Ok(lines)
}

/// Saves one file in a hundred anew, others each time.
fn save_some(files: &[PathBuf], round: usize) -> Result {
    for file in files.iter().skip(round % EDITED).step_by(EDITED) {
        let new = file.with_extension("new");
        fs::write(&new, format!("saved in round {round}")).at(&new)?;
        fs::rename(&new, file).at(file)?;
    }
    Ok(())
}

pub(super) fn snapshot(bench: &Bench) -> Result<Vec<String>> {
    bench.one()?;
    let (ours_at, theirs_at) = (bench.beside("store-ours"), bench.beside("store-theirs"));
    fs::create_dir_all(&theirs_at).at(&theirs_at)?;
    let mut files = Vec::new();
    tree::files(&bench.tree(), &mut files)?;
    let source = {
        let mut source = bench.tree().into_os_string();
        source.push("/");
        source
    };
    let rsync = |number: usize| {
        let mut command = Command::new("rsync");
        command.arg("-aH");
        if let Some(last) = number.checked_sub(1) {
            command.arg(format!("--link-dest=../{last}"));
        }
        command.arg(&source).arg(theirs_at.join(number.to_string()));
        command
    };
    let ours = || {
        let mut command = Command::new(&bench.binary);
        command
            .args(["snapshot", "--quiet"])
            .arg(bench.tree())
            .arg(&ours_at);
        command
    };
    timing::time(&mut ours())?;
    timing::time(&mut rsync(0))?;
    let round = Cell::new(0);
    let mut runners = [
        Runner::new(
            "polylink snapshot",
            || {
                round.set(round.get() + 1);
                save_some(&files, round.get())?;
                settle(&bench.tree())?;
                timing::time(&mut ours())
            },
            || Ok(()),
        ),
        Runner::new(
            "`rsync -aH --link-dest`",
            || {
                settle(&bench.tree())?;
                timing::time(&mut rsync(round.get()))
            },
            || Ok(()),
        ),
    ];
    alternate(&mut runners, bench.runs)?;
    let [mine, peer] = &runners;
    let mut lines = vec![line("snapshot, 1 % of the files changed", mine, peer, Some(0.8))];
    save_some(&files, round.get() + 1)?;
    let first = timing::time_and_memory(&mut ours())?.1;
    let peer = timing::time_and_memory(&mut rsync(round.get() + 1))?.1;
    lines.push(format!(
        "| snapshot, peak memory | {} | `rsync`, the largest of its processes | {} | - | - | for comparison |",
        megabytes(first),
        megabytes(peer)
    ));
    tree::remove(&ours_at)?;
    tree::remove(&theirs_at)?;
    Ok(lines)
}
