//! Reading an NTFS image with one million files.

use std::cell::Cell;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::rows::{Runner, alternate, line, text};
use super::{peers, timing};
use crate::shell::{self, Context as _, Failure, Result};

const YEARS: usize = 20;
const FOLDERS: usize = 50;
/// Bytes that a listing may take at most.
const MEMORY: u64 = 100_000_000;
const LISTING_MEMORY: &str = "listing, peak memory";
const FIND: &str = "`find -printf` on an ntfs-3g mount, once";

struct Image<'a> {
    binary: &'a Path,
    xtask: &'a Path,
    path: PathBuf,
    /// A copy of its table, for the peer that reads nothing else.
    table: PathBuf,
    files: usize,
    runs: usize,
}

/// Lists and audits an image of `files` files. The image is made once and stays in `dir`.
pub(crate) fn measure(
    binary: &Path,
    xtask: &Path,
    dir: &Path,
    files: usize,
    runs: usize,
) -> Result<Vec<String>> {
    fs::create_dir_all(dir).at(dir)?;
    let image = Image {
        binary,
        xtask,
        path: dir.join(format!("ntfs-{files}.img")),
        table: dir.join(format!("ntfs-{files}.mft")),
        files,
        runs,
    };
    if !image.path.exists() {
        eprintln!("making an image of {files} files …");
        let part = image.path.with_extension("part");
        let made = make(&part, files).and_then(|()| fs::rename(&part, &image.path).at(&part));
        if let Err(Failure(reason)) = made {
            return Ok(vec![format!("| NTFS image | - | - | - | - | - | {reason} |")]);
        }
    }
    if !image.table.exists() {
        let mut cat = image.polylink("cat", &[]);
        cat.arg("/$MFT")
            .stdout(File::create(&image.table).at(&image.table)?);
        shell::run(&mut cat)?;
    }
    let mut lines = image.listing()?;
    lines.extend(image.audit()?);
    Ok(lines)
}

/// Formats an image and fills it through ntfs-3g.
fn make(image: &Path, files: usize) -> Result {
    let bytes = (files as u64 * 2048 + (64 << 20)).next_multiple_of(1 << 20) * 2;
    File::create(image).at(image)?.set_len(bytes).at(image)?;
    let program = |name: &str| shell::which(name).ok_or_else(|| Failure(peers::advice("ntfs-3g")));
    let mut format = Command::new(program("mkntfs")?);
    shell::output(format.args(["-q", "-F", "-L", "million"]).arg(image))?;
    let mount = Mount::new(image, "rw")?;
    let per_folder = files.div_ceil(YEARS * FOLDERS);
    for folder in 0..YEARS * FOLDERS {
        let dir = mount
            .point
            .path()
            .join(format!("{}/{:02}", 2000 + folder / FOLDERS, folder % FOLDERS));
        fs::create_dir_all(&dir).at(&dir)?;
        for file in (folder * per_folder..files).take(per_folder) {
            let path = dir.join(format!("img_{file:07}.jpg"));
            File::create(&path).at(&path)?;
        }
    }
    Ok(())
}

/// An ntfs-3g mount that is undone when it goes.
struct Mount {
    point: tempfile::TempDir,
}

impl Mount {
    fn new(image: &Path, how: &str) -> Result<Self> {
        let point = tempfile::tempdir()?;
        let program = shell::which("ntfs-3g").ok_or_else(|| Failure(peers::advice("ntfs-3g")))?;
        shell::output(
            Command::new(program)
                .args(["-o", how])
                .arg(image)
                .arg(point.path()),
        )?;
        Ok(Self { point })
    }

    /// The most memory that the driver has held by now, in bytes.
    fn driver_memory(&self) -> Result<u64> {
        let point = self.point.path().as_os_str().as_encoded_bytes();
        let mut most = 0;
        for entry in fs::read_dir("/proc")? {
            let entry = entry?;
            // a process may end meanwhile
            let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            if words.split(|&byte| byte == 0).any(|word| word == point) {
                most = most.max(timing::peak(&entry.file_name().to_string_lossy()));
            }
        }
        Ok(most)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let done = Command::new("umount").arg(self.point.path()).status();
        if !done.is_ok_and(|status| status.success()) {
            eprintln!("warning: {} stays mounted", self.point.path().display());
        }
    }
}

impl Image<'_> {
    fn polylink(&self, task: &str, options: &[&str]) -> Command {
        let mut command = Command::new(self.binary);
        command.args(["ntfs", task]).args(options).arg(&self.path);
        command
    }

    fn listing(&self) -> Result<Vec<String>> {
        let work = format!("listing {} files of an NTFS image", self.files);
        let image = text(&self.path)?;
        let commands: [(&str, &str, &[&str]); 3] = [
            (
                "`mft_dump -o csv` of the table",
                "mft_dump",
                &["-o", "csv", text(&self.table)?],
            ),
            ("`ntfs` crate, record by record", peers::NTFS_CRATE, &[image]),
            ("`fls -r -p -l`", "fls", &["-r", "-p", "-l", "-f", "ntfs", image]),
        ];
        let find_memory = Cell::new(0);
        let mut runners = vec![Runner::new(
            "polylink ntfs ls -lR",
            || timing::time(&mut self.polylink("ls", &["-lR"])),
            || Ok(()),
        )];
        for (title, program, args) in commands {
            runners.push(Runner::reading(title, program, args));
        }
        alternate(&mut runners, self.runs)?;
        let mut find = Runner::new(FIND, || self.find(&find_memory), || Ok(()));
        match (find.start)() {
            Ok(time) => find.times.push(time),
            Err(Failure(reason)) => find.missing = Some(reason),
        }
        runners.push(find);
        let [ours, peers @ ..] = runners.as_slice() else {
            return Ok(Vec::new());
        };
        let fastest = peers
            .iter()
            .filter(|peer| peer.missing.is_none())
            .min_by_key(|peer| peer.times.median())
            .map_or("", |peer| peer.title.as_str());
        let mut lines: Vec<String> = peers
            .iter()
            .map(|peer| line(&work, ours, peer, (peer.title == fastest).then_some(0.3)))
            .collect();
        let (_, own) = timing::time_and_memory(&mut self.polylink("ls", &["-lR"]))?;
        for (title, program, args) in commands {
            if let Ok(mut peer) = peers::command(program, args) {
                let (_, memory) = timing::time_and_memory(&mut peer)?;
                lines.push(memory_line(LISTING_MEMORY, own, title, memory, Some(MEMORY)));
            }
        }
        if find_memory.get() > 0 {
            let memory = find_memory.get();
            lines.push(memory_line(LISTING_MEMORY, own, FIND, memory, Some(MEMORY)));
        }
        Ok(lines)
    }

    /// The time of `find`; `memory` becomes what it and the driver held.
    fn find(&self, memory: &Cell<u64>) -> Result<Duration> {
        let mount = Mount::new(&self.path, "ro")?;
        let mut find = Command::new("find");
        find.arg(mount.point.path()).args(["-printf", "%p %s %t %n\n"]);
        let (time, own) = timing::time_and_memory(&mut find)?;
        memory.set(own + mount.driver_memory()?);
        Ok(time)
    }

    fn audit(&self) -> Result<Vec<String>> {
        let work = format!("link-count audit of {} records", self.files);
        let runs = self.table_runs()?;
        let bare = || {
            let mut command = Command::new(self.xtask);
            command.arg("bare-read").arg(&self.path).args(&runs);
            command
        };
        let check = || self.polylink("check", &[]);
        let title = "the table read from start to end, and nothing else";
        let mut runners = [
            Runner::new("polylink ntfs check", || timing::time(&mut check()), || Ok(())),
            Runner::new(title, || timing::time(&mut bare()), || Ok(())),
        ];
        alternate(&mut runners, self.runs)?;
        let [ours, peer] = &runners;
        let (_, own) = timing::time_and_memory(&mut check())?;
        let (_, memory) = timing::time_and_memory(&mut bare())?;
        Ok(vec![
            line(&work, ours, peer, Some(2.0)),
            memory_line("audit, peak memory", own, title, memory, None),
        ])
    }

    /// Where the table lies, as `bare-read` wants it.
    fn table_runs(&self) -> Result<Vec<String>> {
        let json = |mut command: Command| -> Result<Value> {
            let output = shell::output(command.stderr(Stdio::null()))?;
            serde_json::from_slice(&output).map_err(|error| Failure(error.to_string()))
        };
        let info = json(self.polylink("info", &["--json"]))?;
        let mut record = self.polylink("record", &["--json"]);
        record.arg("0");
        let record = json(record)?;
        let cluster = info["cluster_bytes"].as_u64();
        let cluster = cluster.ok_or_else(|| Failure("no size of clusters".to_owned()))?;
        let data = record["attributes"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|attribute| attribute["kind"] == 128);
        Ok(data
            .flat_map(|attribute| attribute["runs"].as_array().into_iter().flatten())
            .filter_map(|run| Some((run["lcn"].as_u64()?, run["clusters"].as_u64()?)))
            .map(|(start, len)| format!("{}+{}", start * cluster, len * cluster))
            .collect())
    }
}

fn memory_line(work: &str, ours: u64, title: &str, peer: u64, bar: Option<u64>) -> String {
    let megabytes = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    let (bar, met) = match bar {
        Some(bar) => (
            format!("≤ {}", megabytes(bar)),
            if ours <= bar { "yes" } else { "no" },
        ),
        None => ("-".to_owned(), "for comparison"),
    };
    format!(
        "| {work} | {} | {title} | {} | {:.2} | {bar} | {met} |",
        megabytes(ours),
        megabytes(peer),
        ours as f64 / peer as f64
    )
}
