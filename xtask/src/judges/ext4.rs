//! ext4: the file system that most people have.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::lab::{Lab, args, ensure, needs};
use super::{Verdict, truth};
use crate::shell;

pub(crate) fn view(lab: &Lab) -> Verdict {
    let disk = lab.ext4()?;
    let (source, view) = (disk.join("tree"), disk.join("view"));
    truth::year_tree(&source, 600)?;
    truth::oddities(&source)?;
    truth::view_and_update(lab, &source, &view)?;
    truth::usage_agrees(lab, &[&source, &view])?;
    truth::usage_agrees(lab, &[&view])?;
    truth::usage_agrees(lab, &[&source])
}

pub(crate) fn immutable(lab: &Lab) -> Verdict {
    needs("chattr", "e2fsprogs")?;
    let disk = lab.ext4()?;
    let (source, view) = (disk.join("tree"), disk.join("view"));
    fs::create_dir(&source)?;
    fs::write(source.join("fixed.jpg"), "fixed")?;
    fs::write(source.join("free.jpg"), "free")?;
    let fixed = source.join("fixed.jpg");
    shell::output(Command::new("chattr").arg("+i").arg(&fixed))?;
    let judged = immutable_cases(lab, &source, &view);
    shell::output(Command::new("chattr").arg("-i").arg(&fixed))?;
    judged?;
    lab.polylink(args([&"flat", &source, &view]))?.exits(&[0])?;
    truth::view_is_right(&[&source], &view).map(drop)
}

fn immutable_cases(lab: &Lab, source: &Path, view: &Path) -> Verdict {
    let (fixed, new) = (source.join("fixed.jpg"), source.join("second.jpg"));
    lab.polylink(args([&"link", &fixed, &new]))?
        .exits(&[1])?
        .says(&["EPERM", "immutable", "fixed.jpg"])?;
    lab.polylink(args([&"flat", &source, &view]))?
        .exits(&[1])?
        .says(&["EPERM", "fixed.jpg"])?;
    let names = truth::listing(view)?;
    ensure(
        names.len() == 1 && names.contains_key(Path::new("free.jpg")),
        || format!("one file cannot be linked and the other should be: {names:?}"),
    )?;
    let doctor = lab
        .polylink(args([&"flat", &"--json", &source, &view]))?
        .exits(&[1])?;
    doctor.number("failed", 1)?;
    doctor.number("kept", 1)
}

pub(crate) fn read_only(lab: &Lab) -> Verdict {
    let disk = lab.ext4()?;
    let (source, view) = (disk.join("tree"), disk.join("view"));
    truth::year_tree(&source, 50)?;
    lab.polylink(args([&"flat", &source, &view]))?.exits(&[0])?;
    fs::write(source.join("late.jpg"), "late")?;
    let before = truth::entries(&[&disk])?;
    remount(&disk, "remount,ro")?;
    let run = lab.polylink(args([&"flat", &source, &view]));
    let link = lab.polylink(args([
        &"link",
        &source.join("late.jpg"),
        &source.join("later.jpg"),
    ]));
    let usage = truth::usage_agrees(lab, &[&source, &view]);
    remount(&disk, "remount,rw")?;
    run?.exits(&[1, 2])?.says(&["EROFS"])?;
    link?.exits(&[1])?.says(&["EROFS", "later.jpg"])?;
    usage?;
    ensure(truth::entries(&[&disk])? == before, || {
        "something changed on a read-only disk".to_owned()
    })?;
    lab.polylink(args([&"flat", &"--json", &source, &view]))?
        .exits(&[0])?
        .number("linked", 1)
}

fn remount(disk: &Path, how: &str) -> Verdict {
    shell::output(Command::new("mount").args(["-o", how]).arg(disk))?;
    Ok(())
}

pub(crate) fn du(lab: &Lab) -> Verdict {
    needs("du", "coreutils")?;
    let disk = lab.ext4()?;
    let (tree, view, clone) = (disk.join("tree"), disk.join("view"), disk.join("clone"));
    truth::year_tree(&tree, 2000)?;
    truth::oddities(&tree)?;
    lab.polylink(args([&"flat", &tree, &view]))?.exits(&[0])?;
    shell::output(Command::new("cp").arg("-al").arg(&tree).arg(&clone))?;
    // A file with a name beyond all three: not exclusive to any set of them.
    fs::hard_link(tree.join("three.elsewhere"), disk.join("beyond"))?;
    truth::usage_agrees(lab, &[&tree, &view, &clone])?;

    for set in [vec![&tree], vec![&view, &clone], vec![&clone, &tree, &view]] {
        let mut words = args([&"usage", &"--json"]);
        words.extend(set.iter().map(|path| path.as_os_str().to_os_string()));
        let json = lab.polylink(&words)?.exits(&[0])?.json()?;
        let figure = |name: &str| json["total"][name].as_u64().unwrap_or(u64::MAX);
        let ours = figure("disk_bytes").saturating_add(figure("directory_bytes"));
        let told = shell::output(Command::new("du").args(["-s", "-c", "--block-size=1"]).args(&set))?;
        let told = String::from_utf8_lossy(&told);
        let total = told
            .lines()
            .last()
            .and_then(|line| line.split('\t').next())
            .and_then(|n| n.parse::<u64>().ok());
        // du also counts symlinks and pipes, which occupy no blocks here.
        ensure(total == Some(ours), || {
            format!("du says {total:?} for {set:?}, usage says {ours}")
        })?;
    }
    Ok(())
}

/// Files of the tree whose system calls are counted; it has far fewer folders.
const COUNTED: usize = 2000;

pub(crate) fn calls(lab: &Lab) -> Verdict {
    needs("strace", "strace")?;
    let disk = lab.ext4()?;
    let (source, view) = (disk.join("tree"), disk.join("view"));
    truth::year_tree(&source, COUNTED)?;
    let first = traced(lab, &source, &view)?;
    // the ledger gets its name by a link too, so that it never replaces another; that one goes by its path
    let links: Vec<&str> = first
        .lines()
        .filter(|line| line.contains(" linkat(") && !line.contains(".view.polylink.new"))
        .collect();
    ensure(links.len() >= COUNTED, || {
        format!("{} calls of linkat for {COUNTED} files", links.len())
    })?;
    let named = links
        .iter()
        .find(|line| line.contains(" linkat(AT_FDCWD") || line.contains(", AT_FDCWD, "));
    ensure(named.is_none(), || {
        format!("a link that is not relative to open directories: {named:?}")
    })?;

    let second = traced(lab, &source, &view)?;
    let looks = second.lines().filter(|line| line.contains("stat")).count();
    ensure(looks * 4 < COUNTED, || {
        format!("{looks} calls of the stat family in an update of {COUNTED} files with nothing to do")
    })?;
    let changes = [" linkat(", " rename", " unlink"];
    let change = second
        .lines()
        .find(|line| changes.iter().any(|call| line.contains(call)));
    ensure(change.is_none(), || {
        format!("an update with nothing to do changed something: {change:?}")
    })
}

/// Makes or updates a view and returns what the kernel was asked.
fn traced(lab: &Lab, source: &Path, view: &Path) -> Verdict<String> {
    let log = lab.path("strace.log");
    let shown = log.to_string_lossy().into_owned();
    let trace = "trace=/^(stat|lstat|fstat|newfstatat|statx|link|linkat|rename.*|unlink|unlinkat)$";
    lab.through(
        &["strace", "-f", "-e", trace, "-o", &shown],
        args([&"flat", &source, &view]),
    )?
    .exits(&[0])?;
    Ok(fs::read_to_string(&log)?)
}
