//! Wine: the Windows half, built by Debian's toolchain and run on Linux.
//!
//! What Wine does differently from Windows, and what only a real Windows confirms, is written in the tests
//! themselves, by name: `real_windows_…`.

mod story;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use super::lab::{Lab, ensure};
use super::{Stop, Verdict};
use crate::judges::order::say;
use crate::shell;
use crate::windows::{Executable, Target, Toolchain, Wine};

pub(crate) use story::told as cli;

/// The packages whose tests run under Wine.
const PACKAGES: [&str; 9] = [
    "polylink-nt",
    "polylink-core",
    "polylink-host",
    "polylink-walk",
    "polylink-usage",
    "polylink-view",
    "polylink-dedupe",
    "polylink-tree",
    "polylink-cli",
];

fn toolchain() -> Verdict<Toolchain> {
    Toolchain::find().map_err(Stop::Skipped)
}

fn wine() -> Verdict<Wine> {
    let wine = Wine::find().map_err(Stop::Skipped)?;
    wine.start()?;
    Ok(wine)
}

/// Both targets build.
pub(crate) fn build(_lab: &Lab) -> Verdict {
    let toolchain = toolchain()?;
    for target in [Target::Win10, Target::Win7] {
        toolchain.polylink(target)?;
    }
    Ok(())
}

/// The tests of the crates pass.
pub(crate) fn tests(_lab: &Lab) -> Verdict {
    let (toolchain, wine) = (toolchain()?, wine()?);
    let mut command = toolchain.cargo("test", Target::Win7);
    command.arg("--no-run");
    for package in PACKAGES {
        command.args(["--package", package]);
    }
    let start = Instant::now();
    let programs = toolchain.build(&mut command)?;
    say!("    built in {:.1} s", start.elapsed().as_secs_f64());
    let mut failures = String::new();
    let mut ran: BTreeMap<String, Tally> = BTreeMap::new();
    // the binary itself is among what was built
    for program in programs.iter().filter(|found| !is_binary(&found.path)) {
        let package = program.package.file_name().unwrap_or_default();
        let start = Instant::now();
        match run_tests(&wine, program) {
            Ok(mut tally) => {
                tally.took = start.elapsed();
                ran.entry(package.to_string_lossy().into_owned())
                    .or_default()
                    .add(&tally);
            }
            Err(text) => failures.push_str(&text),
        }
    }
    for (package, tally) in &ran {
        say!(
            "    {package}: {} passed in {:.1} s, {} left out",
            tally.passed,
            tally.took.as_secs_f64(),
            tally.left_out.len()
        );
        for name in &tally.left_out {
            say!("        {name}");
        }
    }
    ensure(failures.is_empty(), || failures.trim_start().to_owned())?;
    let silent = PACKAGES
        .iter()
        .find(|package| ran.get(**package).is_none_or(|tally| tally.passed == 0));
    ensure(silent.is_none(), || {
        format!("no test of {} ran", silent.unwrap_or(&""))
    })
}

fn is_binary(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem == "polylink")
}

/// How the tests of a package went.
#[derive(Default, PartialEq, Eq, Debug)]
struct Tally {
    passed: u64,
    left_out: Vec<String>,
    took: Duration,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.left_out.extend_from_slice(&other.left_out);
        self.took += other.took;
    }
}

fn run_tests(wine: &Wine, program: &Executable) -> Result<Tally, String> {
    let mut command = wine.command(&program.path, [""; 0]);
    // as cargo does it
    command.current_dir(&program.package);
    let line = shell::shown(&command);
    let output = command.output().map_err(|error| format!("{line}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match tally(&text) {
        Some(tally) if output.status.success() => Ok(tally),
        _ => Err(format!(
            "\n  {line}: {}\n{text}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

/// Reads what the test harness prints; `None` where it did not come to its end.
fn tally(text: &str) -> Option<Tally> {
    let mut tally = Tally::default();
    for line in text.lines() {
        let Some(test) = line.strip_prefix("test ") else {
            continue;
        };
        match test.split_once(" ... ") {
            Some((_, "ok")) => tally.passed += 1,
            Some((name, ignored)) if ignored.starts_with("ignored") => {
                tally.left_out.push(format!("{name}: {ignored}"));
            }
            _ => {}
        }
    }
    text.contains("\ntest result: ok.").then_some(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_ended_is_counted_and_one_that_broke_off_is_not() {
        let text = "\nrunning 3 tests\ntest a::b ... ok\ntest c ... ignored, only there\ntest d ... ok\n\n\
            test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
        let expected = Tally {
            passed: 2,
            left_out: vec!["c: ignored, only there".to_owned()],
            took: Duration::ZERO,
        };
        assert_eq!(tally(text), Some(expected));
        assert_eq!(tally("\nrunning 3 tests\ntest a::b ... ok\n"), None);
        assert_eq!(
            tally("\ntest a ... FAILED\n\ntest result: FAILED. 0 passed"),
            None
        );
    }
}
