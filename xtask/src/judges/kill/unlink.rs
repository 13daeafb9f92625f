//! Names removed under the knife: none but those that were asked for, and of those any or all.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Patient, Tree, contents, explain, median};
use crate::judges::Verdict;
use crate::judges::lab::{Lab, args, ensure};
use crate::judges::order::say;

const CONTENTS: usize = 120;
/// Directories, each of which has a name for every file.
const FOLDERS: usize = 8;
/// Runs that are not killed: they tell how long one takes.
const UNKILLED: u32 = 15;

/// What is asked for in one round.
struct Wish {
    words: Vec<OsString>,
    /// The names that are to go.
    names: BTreeSet<PathBuf>,
}

/// One file for each number, with a name in each folder, and some with a single one.
fn build(tree: &Path) -> Verdict<Tree> {
    if tree.exists() {
        fs::remove_dir_all(tree)?;
    }
    for folder in 0..FOLDERS {
        fs::create_dir_all(tree.join(folder.to_string()))?;
    }
    for at in 0..CONTENTS {
        let first = tree.join(format!("0/f{at}"));
        fs::write(&first, format!("content {at}"))?;
        if at % 5 == 0 {
            continue;
        }
        for folder in 1..FOLDERS {
            fs::hard_link(&first, tree.join(format!("{folder}/f{at}")))?;
        }
    }
    contents(tree)
}

/// Half of the files: some of their names, all of their names one by one, or by `--all-names`.
fn wish(patient: &mut Patient<'_>, tree: &Tree, round: u32) -> Wish {
    let mut words: Vec<OsString> = args([&"unlink", &"--yes"]);
    let chosen: BTreeSet<usize> = (0..CONTENTS / 2)
        .map(|_| patient.random.below(CONTENTS))
        .collect();
    let is_chosen = |path: &&PathBuf| {
        let number = path
            .file_name()
            .and_then(|name| name.to_str()?.strip_prefix('f')?.parse().ok());
        number.is_some_and(|number: usize| chosen.contains(&number))
    };
    let all: BTreeSet<PathBuf> = tree.keys().filter(is_chosen).cloned().collect();
    match round % 3 {
        0 => {
            words.push("--all-names".into());
            words.extend(
                chosen
                    .iter()
                    .map(|at| patient.source.join(format!("0/f{at}")).into()),
            );
            Wish { words, names: all }
        }
        kind => {
            let names: BTreeSet<PathBuf> = all
                .into_iter()
                .filter(|_| kind == 1 || patient.random.below(2) == 0)
                .collect();
            words.extend(names.iter().map(|name| patient.source.join(name).into()));
            Wish { words, names }
        }
    }
}

/// What is there after a run that was killed, or was not.
fn examine(source: &Path, before: &Tree, wish: &Wish) -> Verdict<BTreeSet<PathBuf>> {
    let now = contents(source)?;
    for (name, content) in before {
        let wanted = wish.names.contains(name);
        ensure(
            now.get(name) == Some(content) || wanted && !now.contains_key(name),
            || {
                format!(
                    "{} holds {:?} instead of {content:?}",
                    name.display(),
                    now.get(name)
                )
            },
        )?;
    }
    let new = now.keys().find(|name| !before.contains_key(*name));
    ensure(new.is_none(), || format!("{new:?} came to be"))?;
    Ok(now.into_keys().filter(|name| wish.names.contains(name)).collect())
}

pub(crate) fn unlink(lab: &Lab) -> Verdict {
    let mut patient = Patient::new(lab)?;
    // every name is looked for on the whole mount, so it is one of its own
    patient.source = lab.ext4()?.join("tree");
    let (mut times, mut halves): ([Vec<Duration>; 3], u32) = Default::default();
    for round in 0..lab.kills + UNKILLED {
        let context = explain(lab.seed, round, "unlink");
        let source = patient.source.clone();
        let before = build(&source)?;
        let wish = wish(&mut patient, &before, round);
        if wish.names.is_empty() {
            continue;
        }
        let kind = (round % 3) as usize;
        if round < UNKILLED {
            let start = Instant::now();
            lab.polylink(&wish.words)?.exits(&[0]).map_err(&context)?;
            times[kind].push(start.elapsed());
        } else {
            patient
                .kill_run(wish.words.clone(), median(times[kind].clone()))
                .map_err(&context)?;
            let left = examine(&source, &before, &wish).map_err(&context)?;
            halves += u32::from(!left.is_empty() && left.len() < wish.names.len());
            // the same command again, with the operands that are still there
            let again: Vec<&OsString> = wish
                .words
                .iter()
                .filter(|word| !Path::new(word).is_absolute() || Path::new(word).exists())
                .collect();
            let operands = again.iter().any(|word| Path::new(word).is_absolute());
            ensure(operands || left.is_empty(), || {
                format!("{left:?} are left of files whose given names are gone")
            })
            .map_err(&context)?;
            if operands {
                lab.polylink(again)?.exits(&[0]).map_err(&context)?;
            }
        }
        let left = examine(&source, &before, &wish).map_err(&context)?;
        ensure(left.is_empty(), || format!("{left:?} were not removed")).map_err(&context)?;
    }
    say!("    {halves} runs were killed between two names");
    patient.tell(median(times.concat()));
    super::enough(&patient)?;
    ensure(halves > 0 || lab.kills < 100, || {
        "no run was killed between two names".to_owned()
    })
}
