//! Identical files merged and split off again, under the knife.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use super::edits::Random;
use super::{Knife, Tree, contents, explain, median};
use crate::judges::lab::{Lab, args, ensure};
use crate::judges::order::say;
use crate::judges::{Verdict, truth};

/// How many different contents there are for merging, and for splitting, where each copy is brought to the disk.
const MERGED: usize = 60;
const SPLIT: usize = 10;
/// Directories, each of which has a name for every content.
const FOLDERS: usize = 4;

/// A tree that a command is killed on.
struct Subject<'a> {
    lab: &'a Lab,
    tree: PathBuf,
    words: Vec<OsString>,
    contents: usize,
    random: Random,
    knife: Knife,
    rounds: u32,
}

/// Whether names of one content are those of one file or of several.
#[derive(Clone, Copy)]
enum Start {
    /// A file in each folder; the first has a second name.
    Apart,
    /// One file with a name in each folder.
    Together,
}

impl<'a> Subject<'a> {
    fn new(lab: &'a Lab, words: &[&str], contents: usize) -> Verdict<Self> {
        let tree = lab.folder("home")?.join("tree");
        let mut words: Vec<OsString> = words.iter().map(OsString::from).collect();
        words.push(tree.clone().into());
        Ok(Self {
            lab,
            tree,
            words,
            contents,
            random: Random::new(lab.seed),
            knife: Knife::NEW,
            rounds: lab.kills,
        })
    }

    /// Makes the tree anew and says what its names hold.
    fn build(&self, start: Start) -> Verdict<Tree> {
        if self.tree.exists() {
            fs::remove_dir_all(&self.tree)?;
        }
        for folder in 0..FOLDERS {
            fs::create_dir_all(self.tree.join(folder.to_string()))?;
        }
        let path = |folder: usize, at: usize| self.tree.join(format!("{folder}/f{at}"));
        for at in 0..self.contents {
            // some are read whole in one go, some are not
            let content = format!("content {at} ").repeat(if at % 4 == 0 { 3000 } else { 3 });
            for folder in 0..FOLDERS {
                let path_of = path(folder, at);
                match start {
                    Start::Together if folder > 0 => fs::hard_link(path(0, at), path_of)?,
                    _ => {
                        fs::write(&path_of, &content)?;
                        let file = File::options().append(true).open(&path_of)?;
                        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000))?;
                    }
                }
            }
            if matches!(start, Start::Apart) {
                fs::hard_link(path(0, at), self.tree.join(format!("0/second{at}")))?;
            }
        }
        contents(&self.tree)
    }

    fn complete(&self) -> Verdict<Duration> {
        let start = Instant::now();
        self.lab.polylink(self.words.clone())?.exits(&[0])?;
        Ok(start.elapsed())
    }

    fn usual(&self, start: Start) -> Verdict<Duration> {
        let mut times = Vec::new();
        for _ in 0..5 {
            self.build(start)?;
            times.push(self.complete()?);
        }
        Ok(median(times))
    }

    fn kill(&mut self, usual: Duration) -> Verdict {
        let mut command = self.lab.command();
        command.args(&self.words);
        self.knife.strike(command, usual, &mut self.random)
    }

    /// Judges that every name is there and holds what it held; says how many temporary names there are besides.
    fn nothing_lost(&self, before: &Tree) -> Verdict<usize> {
        let mut now = contents(&self.tree)?;
        let all = now.len();
        now.retain(|path, _| {
            !path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(".polylink-"))
        });
        ensure(now == *before, || {
            let lost = before
                .iter()
                .find(|(path, content)| now.get(*path) != Some(content));
            format!("{lost:?} is not what it was, or names came to be")
        })?;
        Ok(all - now.len())
    }

    fn rounds(&mut self, start: Start, files: usize, field: &str) -> Verdict {
        let usual = self.usual(start)?;
        let mut left_behind = 0;
        for round in 1..=self.rounds {
            let context = explain(self.lab.seed, round, "kills");
            let before = self.build(start)?;
            self.kill(usual).map_err(&context)?;
            left_behind += self.nothing_lost(&before).map_err(&context)?;
            self.complete().map_err(&context)?;
            let stays = self.nothing_lost(&before).map_err(&context)?;
            ensure(stays == 0, || "a temporary name stays".to_owned()).map_err(&context)?;
            let inodes: BTreeSet<u64> = truth::listing(&self.tree)?.into_values().collect();
            ensure(inodes.len() == files, || {
                format!("{} files instead of {files}", inodes.len())
            })
            .map_err(&context)?;
            if round % 10 == 0 {
                let words = [self.words.clone(), args([&"--json"])].concat();
                let again = self.lab.polylink(words)?.exits(&[0]).map_err(&context)?;
                again.number(field, 0).map_err(&context)?;
            }
        }
        let (killed, rounds, usual) = (self.knife.killed, self.rounds, usual.as_secs_f64() * 1e3);
        say!(
            "    {killed} of {rounds} runs killed before their end, {left_behind} temporary names met after them, \
             a run takes {usual:.0} ms, --seed {}",
            self.lab.seed
        );
        ensure(killed * 4 >= rounds, || {
            format!("only {killed} of {rounds} runs were killed before their end")
        })
    }
}

pub(crate) fn dedupe(lab: &Lab) -> Verdict {
    Subject::new(lab, &["dedupe"], MERGED)?.rounds(Start::Apart, MERGED, "moved_names")
}

pub(crate) fn split(lab: &Lab) -> Verdict {
    let files = SPLIT * FOLDERS;
    Subject::new(lab, &["split", "--tree"], SPLIT)?.rounds(Start::Together, files, "split_names")
}
