//! Merging identical files, against those that do it by hard links too.
//!
//! Each run works on a copy of its own, made and synced outside the measured time.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::rows::{Runner, alternate, line};
use super::{peers, timing, tree};
use crate::shell::{Context as _, Failure, Result};

/// What is copied of the machine's own files: programs, libraries, documents, pictures, many of them small.
const REAL: &str = "/usr";
/// Bytes of these; every second file is there twice.
const REAL_BYTES: u64 = 800 << 20;
/// No peer may take longer, in seconds.
const PATIENCE: &str = "120";

struct Subject {
    master: PathBuf,
    work: PathBuf,
    binary: PathBuf,
}

/// Measures the real mix and the adversarial set.
pub(crate) fn measure(binary: &Path, dir: &Path, files: usize, runs: usize) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for (what, make) in [
        ("dedupe, real mix", real as fn(&Path, usize) -> Result),
        ("dedupe, equal sizes and starts", adversarial),
    ] {
        let subject = Subject {
            master: dir.join("dedupe-master"),
            work: dir.join("dedupe-work"),
            binary: binary.to_path_buf(),
        };
        eprintln!("making the tree of \"{what}\" …");
        make(&subject.master, files)?;
        lines.extend(subject.rows(what, runs)?);
        tree::remove(&subject.master)?;
    }
    Ok(lines)
}

/// Files of the system, every second of them twice. Hidden ones, which some peers skip, are left out.
fn real(root: &Path, _files: usize) -> Result {
    let mut all = Vec::new();
    regular(Path::new(REAL), &mut all)?;
    // a file in so many, so that all parts of the system are there
    let bytes: u64 = all.iter().map(|(_, size)| size).sum();
    let every = bytes / REAL_BYTES + 1;
    let mut taken = 0;
    for (at, (path, size)) in all.iter().enumerate() {
        if !(at as u64).is_multiple_of(every) || taken > REAL_BYTES {
            continue;
        }
        taken += size;
        let below = path.strip_prefix("/").unwrap_or(path);
        copy(path, &root.join("one").join(below))?;
        if (at as u64 / every).is_multiple_of(2) {
            copy(path, &root.join("two").join(below))?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).at(parent)?;
    }
    fs::copy(from, to).at(to)?;
    let modified = from.metadata().and_then(|data| data.modified()).at(from)?;
    let file = File::options().append(true).open(to).at(to)?;
    file.set_modified(modified).at(to)
}

fn regular(dir: &Path, found: &mut Vec<(PathBuf, u64)>) -> Result {
    let mut entries = fs::read_dir(dir)
        .at(dir)?
        .collect::<std::io::Result<Vec<_>>>()
        .at(dir)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let data = entry.metadata().at(dir)?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if data.is_dir() && !hidden {
            regular(&entry.path(), found)?;
        } else if data.is_file() && !hidden && data.len() > 0 && data.len() < 64 << 20 {
            found.push((entry.path(), data.len()));
        }
    }
    Ok(())
}

/// Files of 520 bytes that differ in their last 8 only; every tenth is there twice.
fn adversarial(root: &Path, files: usize) -> Result {
    let mut content = vec![b'='; 520];
    for at in 0..files {
        let dir = root.join(format!("{:03}", at / 1000));
        if at % 1000 == 0 {
            fs::create_dir_all(&dir).at(&dir)?;
        }
        let number = if at % 10 == 9 { at - 1 } else { at };
        content[512..].copy_from_slice(&(number as u64).to_le_bytes());
        let path = dir.join(format!("f{at}"));
        fs::write(&path, &content).at(&path)?;
    }
    Ok(())
}

impl Subject {
    /// A fresh copy, on the disk.
    fn fresh(&self) -> Result {
        tree::remove(&self.work)?;
        timing::time(Command::new("cp").arg("-a").arg(&self.master).arg(&self.work))?;
        rustix::fs::sync();
        Ok(())
    }

    fn command(&self, program: &str) -> Result<Command> {
        let work = self.work.to_str().unwrap_or_default().to_owned();
        let peer = |name: &str| {
            peers::find(name)
                .map(|path| path.to_string_lossy().into_owned())
                .ok_or_else(|| Failure(peers::advice(name)))
        };
        let mut command = Command::new("timeout");
        command.arg(PATIENCE);
        match program {
            "polylink" => command.arg(&self.binary).args([
                "dedupe",
                "--quiet",
                "--ignore",
                "mode,owner,times,xattrs",
                &work,
            ]),
            "fclones" => command.args([
                "sh",
                "-c",
                r#""$0" group --hidden --no-ignore "$1" | "$0" link"#,
                &peer("fclones")?,
                &work,
            ]),
            "jdupes" => command.args([&peer("jdupes")?, "-q", "-r", "-L", &work]),
            "rdfind" => command.args([
                &peer("rdfind")?,
                "-makehardlinks",
                "true",
                "-makeresultsfile",
                "false",
                &work,
            ]),
            _ => command.args([&peer("hardlink")?, "-c", "-q", &work]),
        };
        Ok(command)
    }

    fn rows(&self, what: &str, runs: usize) -> Result<Vec<String>> {
        const PROGRAMS: [&str; 5] = ["polylink", "fclones", "jdupes", "rdfind", "hardlink"];
        let mut runners: Vec<Runner<'_>> = PROGRAMS
            .into_iter()
            .map(|program| {
                let start = move || {
                    self.fresh()?;
                    timing::time(&mut self.command(program)?)
                };
                let title = if program == "hardlink" {
                    "util-linux `hardlink -c`".to_owned()
                } else {
                    format!("`{program}`")
                };
                Runner::new(&title, start, || Ok(()))
            })
            .collect();
        alternate(&mut runners, runs)?;
        let [ours, peers @ ..] = &*runners else {
            return Ok(Vec::new());
        };
        let fastest = peers[..2]
            .iter()
            .filter(|peer| peer.missing.is_none())
            .min_by_key(|peer| peer.times.median())
            .map_or("", |peer| peer.title.as_str());
        let mut lines: Vec<String> = peers
            .iter()
            .map(|peer| line(what, ours, peer, (peer.title == fastest).then_some(0.8)))
            .collect();
        let mut memory = Vec::new();
        for (program, runner) in PROGRAMS.into_iter().zip(&runners) {
            if runner.missing.is_some() {
                continue;
            }
            self.fresh()?;
            let (_, bytes) = timing::time_and_memory(&mut self.command(program)?)?;
            memory.push(format!(
                "{program} {:.1} MB, {} files left",
                bytes as f64 / 1e6,
                self.files_left()?
            ));
        }
        tree::remove(&self.work)?;
        lines.push(format!(
            "| {what}, peak memory | {} | - | - | - | - | for comparison |",
            memory.join("; ")
        ));
        Ok(lines)
    }

    fn files_left(&self) -> Result<usize> {
        let mut paths = Vec::new();
        tree::files(&self.work, &mut paths)?;
        let mut inodes = BTreeSet::new();
        for path in &paths {
            inodes.insert(path.symlink_metadata().at(path)?.ino());
        }
        Ok(inodes.len())
    }
}
