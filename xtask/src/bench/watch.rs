//! How long a change waits for its link while `polylink flat --watch` follows.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::timing::Times;
use super::tree;
use crate::shell::{Context as _, Failure, Result};

/// Changes that are measured.
const CHANGES: usize = 100;
/// The bar of the design, from the making of a file to its link.
const BAR: Duration = Duration::from_millis(100);

/// Makes files below `source` one after the other, and waits for each in `view`.
pub(super) fn measure(binary: &Path, source: &Path, view: &Path) -> Result<Vec<String>> {
    tree::remove_view(view)?;
    let mut command = Command::new(binary);
    command
        .args(["--json", "flat", "--watch"])
        .arg(source)
        .arg(view)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let followed = (|| {
        let lines = child.stdout.take().map(|out| BufReader::new(out).lines());
        let mut lines = lines.into_iter().flatten();
        let following = lines.any(|line| line.is_ok_and(|line| line.contains("\"event\":\"following\"")));
        if !following {
            return Err(Failure("it never followed".to_owned()));
        }
        let dir = first_folder(source)?;
        let mut times = Times::default();
        let mut met = 0;
        for number in 0..CHANGES {
            let name = format!("change {number}.jpg");
            let start = Instant::now();
            fs::write(dir.join(&name), b"x").at(&dir)?;
            while view.join(&name).symlink_metadata().is_err() {
                if start.elapsed() > Duration::from_secs(20) {
                    return Err(Failure(format!("'{name}' was never linked")));
                }
                std::thread::sleep(Duration::from_micros(200));
            }
            let time = start.elapsed();
            met += usize::from(time <= BAR);
            times.push(time);
            std::thread::sleep(Duration::from_millis(150));
        }
        Ok(vec![format!(
            "| watch, a new file until its link, {CHANGES} times | {times} | - | - | - | ≤ {} ms | {met} of {CHANGES} |",
            BAR.as_millis()
        )])
    })();
    child.kill()?;
    child.wait()?;
    tree::remove_view(view)?;
    followed
}

/// The first folder that holds files, from the top.
fn first_folder(dir: &Path) -> Result<std::path::PathBuf> {
    let mut below: Vec<_> = fs::read_dir(dir)
        .at(dir)?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    below.sort();
    match below.first() {
        Some(first) if first.is_dir() => first_folder(first),
        _ => Ok(dir.to_path_buf()),
    }
}
