//! The rows of the table.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::timing::{self, Times};
use super::{peers, tree, trees};
use crate::shell::{self, Context as _, Failure, Result};

/// The trees, and what measures them.
pub(crate) struct Bench {
    pub(super) binary: PathBuf,
    xtask: PathBuf,
    /// Holds `tree`, and for some rows `view` and `clone`.
    set: PathBuf,
    /// The paths of all files, for the bare loop.
    list: PathBuf,
    pub(crate) files: usize,
    pub(crate) runs: usize,
}

type Measure = fn(&Bench) -> Result<Vec<String>>;

pub(crate) const ROWS: [(&str, Measure); 8] = [
    ("flat", flat),
    ("update", update),
    ("watch", watch),
    ("usage", usage),
    ("memory", memory),
    ("names", names),
    ("clone", trees::clone),
    ("snapshot", trees::snapshot),
];

/// A command that is measured: how it is called in the table, how it is started, what goes before and after.
pub(super) struct Runner<'a> {
    pub(super) title: String,
    pub(super) start: Box<dyn Fn() -> Result<Duration> + 'a>,
    reset: Box<dyn Fn() -> Result + 'a>,
    pub(super) times: Times,
    pub(super) missing: Option<String>,
}

impl<'a> Runner<'a> {
    pub(super) fn new(
        title: &str,
        start: impl Fn() -> Result<Duration> + 'a,
        reset: impl Fn() -> Result + 'a,
    ) -> Self {
        Self {
            title: title.to_owned(),
            start: Box::new(start),
            reset: Box::new(reset),
            times: Times::default(),
            missing: None,
        }
    }

    /// A peer's command that leaves nothing behind.
    pub(super) fn reading(title: &str, program: &str, args: &[&str]) -> Runner<'static> {
        let (program, args) = (
            program.to_owned(),
            args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>(),
        );
        let missing = peers::find(&program).is_none().then(|| peers::advice(&program));
        let start = move || {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            timing::time(&mut peers::command(&program, &args)?)
        };
        Runner {
            title: title.to_owned(),
            start: Box::new(start),
            reset: Box::new(|| Ok(())),
            times: Times::default(),
            missing,
        }
    }
}

/// Runs all in alternation: once unmeasured, then `runs` times.
pub(super) fn alternate(runners: &mut [Runner<'_>], runs: usize) -> Result {
    for round in 0..=runs {
        for runner in runners.iter_mut().filter(|runner| runner.missing.is_none()) {
            match (runner.start)() {
                Ok(time) if round > 0 => runner.times.push(time),
                Ok(_) => {}
                Err(Failure(reason)) => {
                    runner.missing = Some(format!("failed: {}", reason.replace('\n', " ")));
                }
            }
            (runner.reset)()?;
        }
    }
    Ok(())
}

/// A line of the table for one peer of a row.
pub(super) fn line(work: &str, ours: &Runner<'_>, peer: &Runner<'_>, bar: Option<f64>) -> String {
    let title = &peer.title;
    if let Some(reason) = ours.missing.as_ref().or(peer.missing.as_ref()) {
        return format!("| {work} | {} | {title} | - | - | - | {reason} |", ours.times);
    }
    let ratio = ours.times.median().as_secs_f64() / peer.times.median().as_secs_f64();
    let digits = if ratio < 0.01 {
        4
    } else {
        2 + usize::from(ratio < 0.1)
    };
    let (bar, met) = match bar {
        Some(bar) => (format!("≤ {bar:.2}"), if ratio <= bar { "yes" } else { "no" }),
        None => ("-".to_owned(), "for comparison"),
    };
    format!(
        "| {work} | {} | {title} | {} | {ratio:.digits$} | {bar} | {met} |",
        ours.times, peer.times
    )
}

pub(super) fn text(path: &Path) -> Result<&str> {
    path.to_str()
        .ok_or_else(|| Failure(format!("{}: not Unicode", path.display())))
}

impl Bench {
    pub(crate) fn new(binary: &Path, xtask: &Path, dir: &Path, files: usize, runs: usize) -> Result<Self> {
        let bench = Self {
            binary: binary.to_path_buf(),
            xtask: xtask.to_path_buf(),
            set: dir.join("set"),
            list: dir.join("list"),
            files,
            runs,
        };
        eprintln!("making {files} files …");
        tree::make(&bench.tree(), files)?;
        let mut paths = Vec::new();
        tree::files(&bench.tree(), &mut paths)?;
        let mut list = Vec::new();
        for path in &paths {
            list.extend_from_slice(path.as_os_str().as_bytes());
            list.push(0);
        }
        fs::write(&bench.list, list).at(&bench.list)?;
        Ok(bench)
    }

    pub(super) fn tree(&self) -> PathBuf {
        self.set.join("tree")
    }

    fn view(&self) -> PathBuf {
        self.set.join("view")
    }

    fn clone_of_tree(&self) -> PathBuf {
        self.set.join("clone")
    }

    fn flat(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(["flat", "--quiet"])
            .arg(self.tree())
            .arg(self.view());
        command
    }

    fn copy(&self) -> Command {
        let mut command = Command::new("cp");
        command.arg("-al").arg(self.tree()).arg(self.clone_of_tree());
        command
    }

    fn bare(&self) -> Command {
        let mut command = Command::new(&self.xtask);
        command.arg("bare-link").arg(&self.list).arg(self.view());
        command
    }

    /// The tree, its view and its clone; made once.
    fn three(&self) -> Result {
        if !self.view().exists() {
            timing::time(&mut self.flat())?;
        }
        if !self.clone_of_tree().exists() {
            timing::time(&mut self.copy())?;
        }
        Ok(())
    }

    /// A place beside the trees.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.set.with_file_name(name)
    }

    /// The tree alone.
    pub(super) fn one(&self) -> Result {
        tree::remove_view(&self.view())?;
        tree::remove(&self.clone_of_tree())
    }
}

fn flat(bench: &Bench) -> Result<Vec<String>> {
    bench.one()?;
    let view = bench.view();
    let clear = || tree::remove_view(&view);
    let bare_loop = || {
        let output = shell::output(&mut bench.bare())?;
        let nanoseconds = String::from_utf8_lossy(&output).trim().parse();
        nanoseconds
            .map(Duration::from_nanos)
            .map_err(|error| Failure(format!("bare-link: {error}")))
    };
    let find = || {
        fs::create_dir(&view).at(&view)?;
        let mut command = Command::new("find");
        command
            .arg(bench.tree())
            .args(["-type", "f", "-exec", "ln", "-t"])
            .arg(&view)
            .args(["{}", "+"]);
        timing::time(&mut command)
    };
    let mut runners = [
        Runner::new("polylink flat", || timing::time(&mut bench.flat()), clear),
        Runner::new("bare `linkat` loop (the loop alone)", bare_loop, clear),
        Runner::new(
            "bare `linkat` loop (whole process)",
            || timing::time(&mut bench.bare()),
            clear,
        ),
        Runner::new("`find -exec ln -t`", find, clear),
        Runner::new(
            "`cp -al`",
            || timing::time(&mut bench.copy()),
            || tree::remove(&bench.clone_of_tree()),
        ),
    ];
    alternate(&mut runners, bench.runs)?;
    let bars = [Some(1.15), None, Some(1.0), Some(1.0)];
    let [ours, peers @ ..] = &runners;
    Ok(peers
        .iter()
        .zip(bars)
        .map(|(peer, bar)| line("first flat view", ours, peer, bar))
        .collect())
}

fn update(bench: &Bench) -> Result<Vec<String>> {
    bench.three()?;
    tree::remove(&bench.clone_of_tree())?;
    let mut runners = [
        Runner::new("polylink flat", || timing::time(&mut bench.flat()), || Ok(())),
        Runner::new(
            "`cp -al`",
            || timing::time(&mut bench.copy()),
            || tree::remove(&bench.clone_of_tree()),
        ),
    ];
    alternate(&mut runners, bench.runs)?;
    let [ours, peer] = &runners;
    Ok(vec![line("update with nothing to do", ours, peer, Some(0.10))])
}

fn usage(bench: &Bench) -> Result<Vec<String>> {
    bench.three()?;
    let set = text(&bench.set)?;
    let ours = || {
        let mut command = Command::new(&bench.binary);
        timing::time(command.args(["usage", "--quiet"]).arg(&bench.set))
    };
    let mut runners = [
        Runner::new("polylink usage", ours, || Ok(())),
        Runner::reading("`du -s`", "du", &["-s", set]),
        Runner::reading("`dua aggregate`", "dua", &["aggregate", set]),
        Runner::reading("`pdu -H`", "pdu", &["-H", set]),
        Runner::reading("`dust -d 1`", "dust", &["-d", "1", set]),
        Runner::reading("`gdu -npc`", "gdu", &["-npc", set]),
    ];
    alternate(&mut runners, bench.runs)?;
    let [ours, peers @ ..] = &runners;
    let fastest = peers
        .iter()
        .filter(|peer| peer.missing.is_none())
        .min_by_key(|peer| peer.times.median())
        .map_or("", |peer| peer.title.as_str());
    let mut lines: Vec<String> = peers
        .iter()
        .map(|peer| {
            line(
                "usage, three names a file",
                ours,
                peer,
                (peer.title == fastest).then_some(0.8),
            )
        })
        .collect();
    lines.push(order(bench)?);
    Ok(lines)
}

pub(super) fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// The same answer whatever the order of the arguments.
fn order(bench: &Bench) -> Result<String> {
    let (tree, view, clone) = (bench.tree(), bench.view(), bench.clone_of_tree());
    let orders = [
        [&tree, &view, &clone],
        [&clone, &tree, &view],
        [&view, &clone, &tree],
    ];
    let mut totals = Vec::new();
    for order in orders.iter().cycle().take(6) {
        let mut command = Command::new(&bench.binary);
        let output = shell::output(command.args(["usage", "--json"]).args(order))?;
        let json: serde_json::Value = serde_json::from_slice(&output).unwrap_or_default();
        totals.push(json["total"].clone());
    }
    let same = totals
        .iter()
        .all(|total| *total == totals[0] && total.is_object());
    let met = if same { "yes" } else { "no" };
    Ok(format!(
        "| usage, order of arguments | six runs | - | - | - | the same answer | {met} |"
    ))
}

fn watch(bench: &Bench) -> Result<Vec<String>> {
    bench.one()?;
    super::watch::measure(&bench.binary, &bench.tree(), &bench.view())
}

fn memory(bench: &Bench) -> Result<Vec<String>> {
    bench.three()?;
    let empty = bench.set.with_file_name("empty");
    fs::create_dir_all(&empty).at(&empty)?;
    let peak = |dir: &Path| {
        let mut most = 0;
        for _ in 0..bench.runs {
            let mut command = Command::new(&bench.binary);
            command.args(["usage", "--quiet"]).arg(dir);
            most = most.max(timing::time_and_memory(&mut command)?.1);
        }
        Ok::<u64, Failure>(most)
    };
    let (base, full) = (peak(&empty)?, peak(&bench.set)?);
    let per_file = full.saturating_sub(base) / bench.files.max(1) as u64;
    Ok(vec![format!(
        "| usage, peak memory | {} | an empty folder | {} | {per_file} bytes a file | ≤ 100 | {} |",
        megabytes(full),
        megabytes(base),
        if per_file <= 100 { "yes" } else { "no" }
    )])
}

fn names(bench: &Bench) -> Result<Vec<String>> {
    bench.three()?;
    let mut paths = Vec::new();
    tree::files(&bench.tree(), &mut paths)?;
    let Some(file) = paths.get(paths.len() / 2) else {
        return Ok(Vec::new());
    };
    let beyond = bench.set.with_file_name("beyond");
    let search = || {
        let mut command = Command::new(&bench.binary);
        // A name that lies beyond the folders leaves the answer incomplete, which is exit code 1 and no failure here.
        time_any(command.arg("names").arg(file).arg("--in").arg(&bench.set))
    };
    let find = || timing::time(Command::new("find").arg(&bench.set).arg("-samefile").arg(file));
    let mut lines = Vec::new();
    for (work, outside, bar) in [
        ("names, one lies beyond: no early stop", true, Some(0.6)),
        ("names, all inside: early stop", false, Some(0.6)),
    ] {
        tree::remove(&beyond)?;
        if outside {
            fs::hard_link(file, &beyond).at(&beyond)?;
        }
        let mut runners = [
            Runner::new("polylink names", search, || Ok(())),
            Runner::new("`find -samefile`", find, || Ok(())),
        ];
        alternate(&mut runners, bench.runs)?;
        let [ours, peer] = &runners;
        lines.push(line(work, ours, peer, bar));
    }
    Ok(lines)
}

fn time_any(command: &mut Command) -> Result<Duration> {
    use std::process::Stdio;
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let start = std::time::Instant::now();
    let status = command.status()?;
    match status.code() {
        Some(0 | 1) => Ok(start.elapsed()),
        _ => Err(Failure(format!("{}: {status}", shell::shown(command)))),
    }
}
