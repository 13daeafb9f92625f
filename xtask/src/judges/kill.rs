//! SIGKILL at random instants: what a power cut or an impatient user does.
//!
//! Every file's content is unique, so contents stand for files: an inode number may come back for another file, a
//! content does not.

mod apart;
mod edits;
mod fallback;
mod merge;
mod relink;
mod trees;
mod unlink;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) use self::apart::clone_fallback;
pub(crate) use self::edits::Random;
pub(crate) use self::edits::edit;
pub(crate) use self::fallback::fallback;
pub(crate) use self::merge::{dedupe, split};
pub(crate) use self::relink::relink;
pub(crate) use self::trees::{clone, snapshot};
pub(crate) use self::unlink::unlink;
use super::lab::{Lab, args, ensure};
use super::{Stop, Verdict, truth};
use crate::judges::order::say;

/// Files of the tree: enough that a run has many instants, few enough that hundreds of runs take seconds.
const FILES: usize = 400;

/// Name below the source to content.
pub(crate) type Tree = BTreeMap<PathBuf, String>;

/// A source and its view under the knife.
struct Patient<'a> {
    lab: &'a Lab,
    source: PathBuf,
    view: PathBuf,
    random: Random,
    knife: Knife,
}

/// Kills runs at random instants.
#[derive(Debug)]
struct Knife {
    /// How many of the kills came before the run had ended.
    killed: u32,
    /// How much longer a run takes now than it did at the beginning, as far as the kills tell: other judges may run beside
    /// this one, or have ended.
    stretch: f64,
}

impl Knife {
    const NEW: Self = Self {
        killed: 0,
        stretch: 1.0,
    };

    /// Starts a run and kills it at an instant chosen evenly from a little more than it takes, which is as long as
    /// `usual` says, or as earlier kills have shown: five of six are to come before the end.
    fn strike(&mut self, mut command: Command, usual: Duration, random: &mut Random) -> Verdict {
        let instant = usual.mul_f64(1.2 * self.stretch * random.fraction());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        std::thread::sleep(instant);
        // A run that has ended is a zombie until it is waited for, so the signal cannot hit another process.
        child.kill()?;
        let status = child.wait()?;
        let was_killed = status.signal().is_some();
        self.killed += u32::from(was_killed);
        self.stretch *= if was_killed { 1.02 } else { 0.9 };
        ensure(was_killed || status.code() == Some(0), || {
            format!("a run ended with {status}")
        })
    }
}

impl<'a> Patient<'a> {
    fn new(lab: &'a Lab) -> Verdict<Self> {
        Self::of(lab, FILES)
    }

    fn of(lab: &'a Lab, files: usize) -> Verdict<Self> {
        let home = lab.folder("home")?;
        let patient = Self {
            lab,
            source: home.join("tree"),
            view: home.join("view"),
            random: Random::new(lab.seed),
            knife: Knife::NEW,
        };
        for at in 0..files {
            let dir = patient
                .source
                .join(format!("{}/{:02}", 2001 + at % 5, 1 + at / 5 % 12));
            fs::create_dir_all(&dir)?;
            // Every fourth name occurs in several folders.
            let name = if at % 4 == 0 {
                format!("img_{}.jpg", at % 40)
            } else {
                format!("img_{at}.jpg")
            };
            let name = if dir.join(&name).exists() {
                format!("other_{at}.jpg")
            } else {
                name
            };
            fs::write(dir.join(name), edits::text("first", at, 0))?;
        }
        Ok(patient)
    }

    /// Moves the source to another file system.
    fn move_source(&mut self, to: PathBuf) -> Verdict {
        crate::shell::output(Command::new("cp").arg("-a").arg(&self.source).arg(&to))?;
        fs::remove_dir_all(&self.source)?;
        self.source = to;
        Ok(())
    }

    fn words(&self) -> Vec<OsString> {
        args([&"flat", &self.source, &self.view])
    }

    /// Runs to the end; the time it took.
    fn complete(&self) -> Verdict<Duration> {
        let start = Instant::now();
        self.lab.polylink(self.words())?.exits(&[0])?;
        Ok(start.elapsed())
    }

    /// Starts a run and kills it.
    fn kill(&mut self, usual: Duration) -> Verdict {
        self.kill_run(self.words(), usual)
    }

    fn kill_run(&mut self, words: Vec<OsString>, usual: Duration) -> Verdict {
        let mut command = self.lab.command();
        command.args(words);
        self.knife.strike(command, usual, &mut self.random)
    }

    fn clear(&self) -> Verdict {
        for path in [&self.view, &self.view.with_file_name(".view.polylink")] {
            if path.is_dir() {
                fs::remove_dir_all(path)?;
            } else if path.exists() {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// The source and the view, and what holds of them whatever happened before.
    fn examine(&self) -> Verdict<(Tree, BTreeSet<String>)> {
        let source = contents(&self.source)?;
        let mut held = BTreeSet::new();
        for (name, content) in contents(&self.view)? {
            ensure(held.insert(content.clone()), || {
                format!("the view has a second name for `{content}`: {}", name.display())
            })?;
        }
        if let Some((path, content)) = source.iter().find(|(_, content)| !held.contains(*content)) {
            return Err(Stop::Failed(format!(
                "  `{content}` of {} has no name in the view",
                path.display()
            )));
        }
        let inodes: BTreeSet<u64> = truth::listing(&self.source)?.into_values().collect();
        let names: BTreeSet<u64> = truth::listing(&self.view)?.into_values().collect();
        ensure(inodes.is_subset(&names), || {
            "the view holds a copy, not the file".to_owned()
        })?;
        truth::nothing_left_behind(&self.view)?;
        let beside: BTreeSet<OsString> = fs::read_dir(self.lab.path("home"))?
            .flatten()
            .map(|entry| entry.file_name())
            .collect();
        let allowed: BTreeSet<OsString> = [".view.polylink", "tree", "view"].map(OsString::from).into();
        ensure(beside == allowed, || format!("beside the view: {beside:?}"))?;
        Ok((source, held))
    }

    fn tell(&self, usual: Duration) {
        let (killed, kills) = (self.knife.killed, self.lab.kills);
        let (seed, usual) = (self.lab.seed, usual.as_secs_f64() * 1e3);
        say!(
            "    {killed} of {kills} runs killed before their end, a run takes {usual:.0} ms, --seed {seed}"
        );
    }
}

/// Says in which round a judge failed, and how to see it again.
fn explain(seed: u64, round: u32, what: &str) -> impl Fn(Stop) -> Stop + use<> {
    let text = format!("round {round} of {what}, --seed {seed}");
    move |stop| match stop {
        Stop::Failed(reason) => Stop::Failed(format!("  {text}:\n{reason}")),
        skipped @ Stop::Skipped(_) => skipped,
    }
}

/// Every name below a folder and what its file holds.
fn contents(dir: &Path) -> Verdict<Tree> {
    let mut tree = Tree::new();
    for name in truth::listing(dir)?.into_keys() {
        let content = String::from_utf8_lossy(&fs::read(dir.join(&name))?).into_owned();
        tree.insert(name, content);
    }
    Ok(tree)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

pub(crate) fn first_build(lab: &Lab) -> Verdict {
    let mut patient = Patient::new(lab)?;
    let mut times = Vec::new();
    for _ in 0..5 {
        patient.clear()?;
        times.push(patient.complete()?);
    }
    let usual = median(times);
    let (before, _) = patient.examine()?;
    for round in 1..=lab.kills {
        let context = explain(lab.seed, round, "a first build");
        patient.clear()?;
        patient.kill(usual).map_err(&context)?;
        patient.complete().map_err(&context)?;
        let (after, held) = patient.examine().map_err(&context)?;
        ensure(after == before, || "the source changed".to_owned()).map_err(&context)?;
        ensure(held.len() == FILES, || {
            format!("{} files in the view of {FILES}", held.len())
        })
        .map_err(&context)?;
    }
    patient.tell(usual);
    enough(&patient)
}

pub(crate) fn update(lab: &Lab) -> Verdict {
    let mut patient = Patient::new(lab)?;
    patient.complete()?;
    let mut times = Vec::new();
    let (_, mut held) = patient.examine()?;
    let mut serial = 0;
    for round in 0..=lab.kills + 4 {
        let context = explain(lab.seed, round, "updates");
        let overwritten = edit(&patient.source, &mut patient.random, &mut serial).map_err(&context)?;
        held.retain(|content| !overwritten.contains(content));
        if round < 5 {
            // The first rounds are not killed: they tell how long an update takes.
            times.push(patient.complete().map_err(&context)?);
        } else {
            patient.kill(median(times.clone())).map_err(&context)?;
            patient.complete().map_err(&context)?;
        }
        let (_, now) = patient.examine().map_err(&context)?;
        nothing_lost(&held, &now).map_err(&context)?;
        let again = lab.polylink(args([&"flat", &"--json", &patient.source, &patient.view]))?;
        let again = again.exits(&[0]).map_err(&context)?;
        for field in ["linked", "relinked", "renamed", "removed"] {
            again.number(field, 0).map_err(&context)?;
        }
        held = now;
    }
    patient.tell(median(times));
    enough(&patient)
}

/// Killed while it follows, and while edits go on.
pub(crate) fn watch(lab: &Lab) -> Verdict {
    /// A little more than it takes to start, and then some of following.
    const LONGEST: Duration = Duration::from_millis(90);
    let mut patient = Patient::new(lab)?;
    patient.complete()?;
    let (_, mut held) = patient.examine()?;
    let mut serial = 0;
    for round in 1..=lab.kills {
        let context = explain(lab.seed, round, "following");
        let instant = LONGEST.mul_f64(patient.random.fraction());
        let mut command = lab.command();
        command.args(patient.words()).arg("--watch");
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let (edited, status) = std::thread::scope(|scope| {
            let killed = scope.spawn(|| {
                std::thread::sleep(instant);
                child.kill()?;
                child.wait()
            });
            let edited = edit(&patient.source, &mut patient.random, &mut serial);
            (edited, killed.join())
        });
        let overwritten = edited.map_err(&context)?;
        let status = status.map_err(|_| Stop::Failed("the killing thread panicked".to_owned()))??;
        patient.knife.killed += u32::from(status.signal().is_some());
        ensure(status.signal().is_some(), || {
            format!("following ended with {status}")
        })
        .map_err(&context)?;
        held.retain(|content| !overwritten.contains(content));
        patient.complete().map_err(&context)?;
        let (_, now) = patient.examine().map_err(&context)?;
        nothing_lost(&held, &now).map_err(&context)?;
        held = now;
    }
    patient.tell(LONGEST);
    enough(&patient)
}

/// Judges that whatever had a name in the source or the view still has one in the view.
///
/// That goes for files deleted from the source, for old versions after a save by rename, and for those that the view
/// alone had kept before.
fn nothing_lost(before: &BTreeSet<String>, now: &BTreeSet<String>) -> Verdict {
    let lost: Vec<_> = before.difference(now).collect();
    ensure(lost.is_empty(), || {
        format!("files that had a name and have none any more: {lost:?}")
    })
}

/// A kill judge that hit nothing has judged nothing.
fn enough(patient: &Patient<'_>) -> Verdict {
    ensure(patient.knife.killed * 4 >= patient.lab.kills, || {
        format!(
            "only {} of {} runs were killed before their end",
            patient.knife.killed, patient.lab.kills
        )
    })
}
