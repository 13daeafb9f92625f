//! btrfs: subvolumes that look like folders, and a file system that knows a file's names.

use std::fs;
use std::process::Command;

use super::lab::{Lab, args, ensure, needs};
use super::{Verdict, truth};
use crate::shell;

fn disk(lab: &Lab) -> Verdict<std::path::PathBuf> {
    lab.image("btrfs", 256, "btrfs-progs", &["mkfs.btrfs", "-q", "-f"])
}

pub(crate) fn view(lab: &Lab) -> Verdict {
    let disk = disk(lab)?;
    let (source, view) = (disk.join("tree"), disk.join("view"));
    truth::year_tree(&source, 500)?;
    truth::oddities(&source)?;
    // Space on btrfs is assigned when data is written out; what `find` and polylink say is settled after that.
    settle(&disk)?;
    truth::view_and_update(lab, &source, &view)?;
    settle(&disk)?;
    truth::usage_agrees(lab, &[&source, &view])
}

fn settle(disk: &std::path::Path) -> Verdict {
    shell::output(Command::new("sync").arg("-f").arg(disk))?;
    Ok(())
}

pub(crate) fn subvolumes(lab: &Lab) -> Verdict {
    needs("btrfs", "btrfs-progs")?;
    let disk = disk(lab)?;
    let (one, two) = (disk.join("one"), disk.join("two"));
    for subvolume in [&one, &two] {
        shell::output(Command::new("btrfs").args(["subvolume", "create"]).arg(subvolume))?;
    }
    let source = one.join("tree");
    truth::year_tree(&source, 100)?;
    // The same inode numbers in both subvolumes: only with the volume are they an identity.
    truth::year_tree(&two.join("tree"), 100)?;
    settle(&disk)?;

    let Some(file) = truth::entries(&[&source])?
        .into_iter()
        .find(truth::Entry::is_file)
    else {
        return Ok(());
    };
    let new = two.join("linked.jpg");
    lab.polylink(args([&"link", &file.path, &new]))?
        .exits(&[1])?
        .says(&["EXDEV", "linked.jpg"])?;
    ensure(!new.exists(), || "a failed link left its name".to_owned())?;
    lab.polylink(args([&"doctor", &source, &two]))?
        .exits(&[1])?
        .says(&["EXDEV", "subvolume"])?;
    lab.polylink(args([&"flat", &source, &two.join("view")]))?
        .exits(&[1, 2])?
        .says(&["EXDEV"])?;
    lab.polylink(args([&"doctor", &source, &one]))?.exits(&[0])?;
    truth::view_and_update(lab, &source, &one.join("view"))?;

    settle(&disk)?;
    let run = lab
        .polylink(args([&"usage", &"--json", &one.join("tree"), &two.join("tree")]))?
        .exits(&[0])?;
    let files = truth::entries(&[&one.join("tree"), &two.join("tree")])?
        .iter()
        .filter(|e| e.is_file())
        .count();
    ensure(run.json()?["total"]["files"] == files as u64, || {
        format!(
            "{files} files in two subvolumes with equal inode numbers, usage says {}",
            run.text()
        )
    })
}

pub(crate) fn names(lab: &Lab) -> Verdict {
    let disk = disk(lab)?;
    for at in 0..300 {
        let dir = disk.join(format!("folder{at}"));
        fs::create_dir(&dir)?;
        fs::write(dir.join("file"), "")?;
    }
    let file = disk.join("folder0/file");
    let mut expected = vec![
        file.clone(),
        disk.join("at the top"),
        disk.join("folder299/deep/deeper/name"),
    ];
    fs::create_dir_all(disk.join("folder299/deep/deeper"))?;
    expected.extend((0..40).map(|at| disk.join(format!("folder{}/name{at}", at * 7))));
    for name in &expected[1..] {
        fs::hard_link(&file, name)?;
    }
    expected.sort();
    settle(&disk)?;

    let run = lab.polylink(args([&"names", &"--json", &file]))?.exits(&[0])?;
    run.number("link_count", expected.len() as u64)?;
    let json = run.json()?;
    let mut told: Vec<_> = json["names"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(truth::path_of)
        .collect();
    told.sort();
    ensure(json["complete"] == true, || {
        format!("names says it is not complete: {json}")
    })?;
    ensure(told == expected, || {
        format!("expected {expected:?}, got {told:?}")
    })?;

    needs("strace", "strace")?;
    let log = lab.path("strace.log");
    let log_text = log.to_string_lossy().into_owned();
    lab.through(
        &["strace", "-f", "-e", "trace=getdents64,ioctl", "-o", &log_text],
        args([&"names", &file]),
    )?
    .exits(&[0])?;
    let calls = fs::read_to_string(&log)?;
    let reads = calls.lines().filter(|line| line.contains("getdents64(")).count();
    ensure(reads < 10, || {
        format!("{reads} directory reads to learn names that btrfs can tell")
    })
}
