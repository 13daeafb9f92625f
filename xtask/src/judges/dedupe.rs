//! Identical files merged and split on ext4: what is freed as the kernel counts it, and a file that refuses.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use super::lab::{Lab, args, ensure, needs};
use super::{Verdict, truth};
use crate::shell;

/// Three files of each of forty contents; of every fourth content one has a name beyond the tree.
fn fill(tree: &Path, beyond: &Path) -> Verdict {
    fs::create_dir_all(beyond)?;
    for at in 0..40 {
        for copy in 0..3 {
            let dir = tree.join(copy.to_string());
            fs::create_dir_all(&dir)?;
            let path = dir.join(format!("f{at}"));
            fs::write(&path, format!("content {at} ").repeat(1 + at * at * 5))?;
            let file = File::options().append(true).open(&path)?;
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000))?;
            if at % 4 == 0 && copy == 1 {
                fs::hard_link(&path, beyond.join(format!("f{at}")))?;
            }
        }
    }
    Ok(())
}

/// Bytes that the files below these folders occupy, each once.
fn disk(paths: &[&Path]) -> Verdict<u64> {
    let files: BTreeMap<_, u64> = truth::entries(paths)?
        .into_iter()
        .filter(truth::Entry::is_file)
        .map(|entry| (entry.id(), entry.blocks * 512))
        .collect();
    Ok(files.values().sum())
}

pub(crate) fn ext4(lab: &Lab) -> Verdict {
    needs("chattr", "e2fsprogs")?;
    let disk_dir = lab.ext4()?;
    let (tree, beyond) = (disk_dir.join("tree"), disk_dir.join("beyond"));
    fill(&tree, &beyond)?;
    // blocks are counted when they are allocated
    rustix::fs::sync();
    let fixed = tree.join("2/f7");
    shell::output(Command::new("chattr").arg("+i").arg(&fixed))?;
    let before = disk(&[&tree, &beyond])?;
    let judged = merged(lab, &tree, &beyond, before);
    shell::output(Command::new("chattr").arg("-i").arg(&fixed))?;
    judged?;
    // the last file is merged once it can be
    lab.polylink(args([&"dedupe", &"--json", &tree]))?
        .exits(&[0])?
        .number("moved_names", 1)?;
    let split = lab
        .polylink(args([&"split", &"--json", &"--tree", &tree]))?
        .exits(&[0])?;
    // ten contents have a name beyond, so all three names get copies; of the others one keeps the file
    split.number("split_names", 10 * 3 + 30 * 2)?;
    let alone = truth::entries(&[&tree])?
        .into_iter()
        .filter(truth::Entry::is_file)
        .all(|entry| entry.links == 1);
    ensure(alone, || "names still share a file".to_owned())?;
    truth::nothing_left_behind(&tree.join("0"))
}

fn merged(lab: &Lab, tree: &Path, beyond: &Path, before: u64) -> Verdict {
    let run = lab.polylink(args([&"dedupe", &"--json", &tree]))?.exits(&[1])?;
    // an immutable file keeps its name, and can get none either
    run.number("failed", 1)?;
    run.number("held_files", 0)?;
    let freed = before - disk(&[tree, beyond])?;
    run.number("freed_bytes", freed)?;
    run.number("freed_files", 79)?;
    lab.polylink(args([&"dedupe", &tree]))?
        .exits(&[1])?
        .says(&["EPERM", "immutable", "f7"])?;
    Ok(())
}
