//! Following for long: what the process holds does not grow with what has happened.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Follower, Scene, wait};
use crate::judges::Verdict;
use crate::judges::kill::Random;
use crate::judges::lab::{Lab, ensure};
use crate::judges::order::say;

/// Directories and files that stay, as kinds of places; each file is another one again and again.
const DIRS: usize = 20;
const FILES: usize = 400;
/// Directories that come, are moved about, and go.
const PASSING: usize = 15;
/// Figures are taken so often in a run, and printed.
const FIGURES: u32 = 12;
/// Growth that is none: pages of the heap and of the ledger that come and go.
const MARGIN: u64 = 4 << 20;

/// What the process holds at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Holds {
    resident: u64,
    handles: usize,
    watches: usize,
    ledger: u64,
}

fn holds(process: u32, ledger: &Path) -> Verdict<Holds> {
    let proc = PathBuf::from(format!("/proc/{process}"));
    let status = fs::read_to_string(proc.join("status"))?;
    let resident = status.lines().find_map(|line| {
        line.strip_prefix("VmRSS:")?
            .trim()
            .strip_suffix(" kB")?
            .parse::<u64>()
            .ok()
    });
    let (mut handles, mut watches) = (0, 0);
    for entry in fs::read_dir(proc.join("fdinfo"))? {
        handles += 1;
        // one that was closed since has none
        let text = fs::read_to_string(entry?.path()).unwrap_or_default();
        watches += text.lines().filter(|line| line.starts_with("inotify wd")).count();
    }
    Ok(Holds {
        resident: resident.ok_or("no VmRSS in /proc".to_owned())? << 10,
        handles,
        watches,
        ledger: fs::metadata(ledger)?.len(),
    })
}

/// What is edited: the places of files and passing directories as they are now.
struct Tree {
    root: PathBuf,
    random: Random,
    files: Vec<PathBuf>,
    passing: Vec<PathBuf>,
    serial: u64,
}

impl Tree {
    fn dir(&mut self) -> PathBuf {
        self.root.join(format!("dir {}", self.random.below(DIRS)))
    }

    /// One edit; each new name is one that never was before.
    fn edit(&mut self) -> Verdict {
        self.serial += 1;
        let (serial, dir) = (self.serial, self.dir());
        let at = self.random.below(self.files.len());
        match self.random.below(6) {
            0 => {
                fs::remove_file(&self.files[at])?;
                self.files[at] = dir.join(format!("new {serial}"));
                fs::write(&self.files[at], "new")?;
            }
            1 => {
                let to = dir.join(format!("renamed {serial}"));
                fs::rename(&self.files[at], &to)?;
                self.files[at] = to;
            }
            2 => {
                let saved = self.files[at].with_file_name("saving");
                fs::write(&saved, "saved")?;
                fs::rename(saved, &self.files[at])?;
            }
            3 => {
                let new = dir.join(format!("passing {serial}"));
                fs::create_dir(&new)?;
                fs::write(new.join(format!("in {serial}")), "passing")?;
                self.passing.push(new);
                if self.passing.len() > PASSING {
                    fs::remove_dir_all(self.passing.remove(0))?;
                }
            }
            4 if !self.passing.is_empty() => {
                let which = self.random.below(self.passing.len());
                let to = dir.join(format!("moved {serial}"));
                fs::rename(&self.passing[which], &to)?;
                self.passing[which] = to;
            }
            _ => fs::write(&self.files[at], "written")?,
        }
        Ok(())
    }
}

/// Edits at full speed and in pauses; at the end all that is held is what was held early on, and the view is right.
pub(crate) fn steady(lab: &Lab) -> Verdict {
    let home = lab.folder("home")?;
    let mut scene = Scene::new(lab, &home, &["--orphans", "delete"])?;
    scene.source = home.join("busy");
    let mut tree = Tree {
        root: scene.source.clone(),
        random: Random::new(lab.seed),
        files: Vec::new(),
        passing: Vec::new(),
        serial: 0,
    };
    for at in 0..FILES {
        let dir = tree.root.join(format!("dir {}", at % DIRS));
        fs::create_dir_all(&dir)?;
        tree.files.push(dir.join(format!("first {at}")));
        fs::write(&tree.files[at], "first")?;
    }
    let follower = scene.follow()?;
    let ledger = home.join(".view.polylink");
    let duration = Duration::from_secs(lab.seconds);
    let (start, mut early, mut figures) = (Instant::now(), None, 0);
    while start.elapsed() < duration {
        if start.elapsed() >= duration * figures / FIGURES {
            let now = quiet(&follower, &mut tree, &ledger)?;
            let Holds {
                resident,
                handles,
                watches,
                ledger,
            } = now;
            say!(
                "    {:5.0} s, {:7} edits: {} KiB resident, {handles} handles, {watches} watches, ledger of {} KiB",
                start.elapsed().as_secs_f64(),
                tree.serial,
                resident >> 10,
                ledger >> 10,
            );
            figures += 1;
            // the first figures are of a process that has not done everything yet
            if figures == 1 + FIGURES / 4 {
                early = Some(now);
            }
        }
        for _ in 0..tree.random.below(40) {
            tree.edit()?;
        }
        // what it tells of is not read, and must not be what grows
        while follower.told.try_recv().is_ok() {}
        std::thread::sleep(Duration::from_millis(tree.random.below(150) as u64));
    }
    let late = quiet(&follower, &mut tree, &ledger)?;
    let early = early.unwrap_or(late);
    say!(
        "    --seed {}: {} edits, at the end {late:?}",
        lab.seed,
        tree.serial
    );
    ensure(late.resident <= early.resident + MARGIN, || {
        format!("{early:?} became {late:?}")
    })?;
    ensure(late.handles <= early.handles, || {
        format!("{early:?} became {late:?}")
    })?;
    ensure(late.ledger <= early.ledger + MARGIN, || {
        format!("{early:?} became {late:?}")
    })?;
    scene.ends(follower)
}

/// What is held while nothing happens: a file that is new is in the view, and as many directories are watched as there are.
fn quiet(follower: &Follower, tree: &mut Tree, ledger: &Path) -> Verdict<Holds> {
    let view = tree.root.with_file_name("view");
    let last = tree.root.join(format!("quiet {}", tree.serial));
    fs::write(&last, "quiet")?;
    let name = view.join(last.file_name().unwrap_or_default());
    wait("the newest file is in the view", || name.exists())?;
    fs::remove_file(&last)?;
    wait("it is gone from the view", || !name.exists())?;
    // the source, the view, and what is below the source
    let wanted = 2 + DIRS + tree.passing.len();
    let process = follower.child.id();
    wait("each directory is watched once, and nothing else", || {
        holds(process, ledger).is_ok_and(|now| now.watches == wanted)
    })?;
    // handles of the last comparison are closed
    std::thread::sleep(Duration::from_millis(300));
    holds(process, ledger)
}
