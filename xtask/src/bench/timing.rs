//! Time and memory of programs.

use std::fmt;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::shell::{self, Failure, Result};

/// The times of one command.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(time);
        self.0.sort();
    }

    pub(crate) fn median(&self) -> Duration {
        match (self.0.get(self.0.len() / 2), self.0.len() % 2) {
            (Some(&middle), 1) => middle,
            (Some(&middle), _) => (middle + self.0[self.0.len() / 2 - 1]) / 2,
            (None, _) => Duration::ZERO,
        }
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let shown = |time: Duration| {
            if ms(time) < 10.0 {
                format!("{:.2}", ms(time))
            } else {
                format!("{:.0}", ms(time))
            }
        };
        let (Some(&first), Some(&last)) = (self.0.first(), self.0.last()) else {
            return f.write_str("-");
        };
        write!(
            f,
            "{} ms [{}, {}]",
            shown(self.median()),
            shown(first),
            shown(last)
        )
    }
}

/// Runs a program whose output nobody reads; the time from its start to its end.
pub(crate) fn time(command: &mut Command) -> Result<Duration> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let start = Instant::now();
    let output = command
        .output()
        .map_err(|error| Failure(format!("{}: {error}", shell::shown(command))))?;
    let time = start.elapsed();
    if output.status.success() {
        return Ok(time);
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let text = text.lines().take(5).collect::<Vec<_>>().join("\n");
    Err(Failure(format!(
        "{}: {}\n{text}",
        shell::shown(command),
        output.status
    )))
}

/// Runs a program; its time and the most memory that it held at once, in bytes.
///
/// GNU time is asked where it is installed; elsewhere the kernel's high-water mark is read every millisecond, and
/// what a program takes in its last millisecond is missed.
pub(crate) fn time_and_memory(command: &mut Command) -> Result<(Duration, u64)> {
    let Some(gnu) = shell::which("time") else {
        return sampled(command);
    };
    let report = tempfile::NamedTempFile::new()?;
    let mut timed = Command::new(gnu);
    timed
        .args(["-f", "%M", "-o"])
        .arg(report.path())
        .arg(command.get_program())
        .args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => timed.env(key, value),
            None => timed.env_remove(key),
        };
    }
    let time = time(&mut timed)?;
    let text = fs::read_to_string(report.path())?;
    let kilobytes = text
        .lines()
        .last()
        .and_then(|line| line.trim().parse::<u64>().ok());
    kilobytes
        .map(|kb| (time, kb * 1024))
        .ok_or_else(|| Failure(format!("GNU time said `{text}`")))
}

fn sampled(command: &mut Command) -> Result<(Duration, u64)> {
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut most = 0;
    loop {
        if let Some(ended) = child.try_wait()? {
            let text = shell::shown(command);
            return if ended.success() {
                Ok((start.elapsed(), most))
            } else {
                Err(Failure(format!("{text}: {ended}")))
            };
        }
        most = most.max(peak(&child.id().to_string()));
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The most memory that a process has held at once by now, in bytes; 0 where there is none of this number.
pub(crate) fn peak(process: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_is_that_of_the_process_asked_for() {
        let held = vec![1_u8; 16 << 20];
        assert!(peak("self") >= held.len() as u64);
        assert_eq!(peak("none"), 0);
    }

    #[test]
    fn medians_are_of_the_sorted_times() {
        let mut times = Times::default();
        for ms in [30, 10, 20] {
            times.push(Duration::from_millis(ms));
        }
        assert_eq!(times.median(), Duration::from_millis(20));
        times.push(Duration::from_millis(40));
        assert_eq!(times.median(), Duration::from_millis(25));
        assert_eq!(times.to_string(), "25 ms [10, 40]");
    }
}
