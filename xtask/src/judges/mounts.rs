//! Other file systems, and file systems in and over each other.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::lab::{Lab, args, ensure, needs};
use super::{Stop, Verdict, truth};
use crate::shell;

/// A first view, an update with nothing to do, and usage, in a folder of any file system.
fn view_in(lab: &Lab, disk: &Path) -> Verdict {
    let (source, view) = (disk.join("tree"), disk.join("view"));
    truth::year_tree(&source, 500)?;
    truth::oddities(&source)?;
    truth::view_and_update(lab, &source, &view)?;
    truth::usage_agrees(lab, &[&source, &view])?;
    truth::usage_agrees(lab, &[&view])
}

pub(crate) fn xfs(lab: &Lab) -> Verdict {
    // mkfs.xfs makes nothing smaller than 300 MB.
    let disk = lab.image("xfs", 400, "xfsprogs", &["mkfs.xfs", "-q", "-f"])?;
    view_in(lab, &disk)
}

pub(crate) fn tmpfs(lab: &Lab) -> Verdict {
    let disk = lab.path("tmpfs");
    lab.mount(&["-t", "tmpfs", "tmpfs"].map(OsStr::new), &disk)?;
    view_in(lab, &disk)
}

/// Lower and upper layer on two file systems: there overlayfs gives other inode numbers in directories than in `stat`.
pub(crate) fn overlay(lab: &Lab) -> Verdict {
    let lower = lab.ext4()?.join("lower");
    let disk = lab.path("tmpfs");
    lab.mount(&["-t", "tmpfs", "tmpfs"].map(OsStr::new), &disk)?;
    let (upper, work) = (disk.join("upper"), disk.join("work"));
    for dir in [&lower, &upper, &work] {
        fs::create_dir(dir)?;
    }
    truth::year_tree(&lower.join("tree"), 300)?;
    truth::oddities(&upper.join("tree"))?;
    fs::create_dir_all(upper.join("tree/2001/01"))?;
    fs::write(upper.join("tree/2001/01/upper.jpg"), "upper")?;
    let point = lab.path("overlay");
    let options = format!(
        "lowerdir={},upperdir={},workdir={}",
        lower.display(),
        upper.display(),
        work.display()
    );
    lab.mount(
        &["-t", "overlay", "-o", &options, "overlay"].map(OsStr::new),
        &point,
    )
    .map_err(|stop| match stop {
        Stop::Failed(reason) if reason.contains("unknown filesystem") => {
            Stop::Skipped("no overlayfs".to_owned())
        }
        other => other,
    })?;
    let (source, view) = (point.join("tree"), point.join("view"));
    overlay_view(lab, &source, &view)?;
    truth::usage_agrees(lab, &[&source, &view])
}

/// Linking a file of the lower layer copies it up, which gives it another inode number: what `find` said before the
/// first run does not count, what it says afterwards does.
fn overlay_view(lab: &Lab, source: &Path, view: &Path) -> Verdict {
    let first = lab
        .polylink(args([&"flat", &"--json", &source, &view]))?
        .exits(&[0])?;
    first.number("failed", 0)?;
    let names = truth::view_is_right(&[source], view)?;
    first.number("linked", names.len() as u64)?;
    let second = lab
        .polylink(args([&"flat", &"--json", &source, &view]))?
        .exits(&[0])?;
    for field in [
        "linked", "relinked", "renamed", "removed", "orphans", "foreign", "failed",
    ] {
        second.number(field, 0)?;
    }
    let again = truth::view_is_right(&[source], view)?;
    ensure(names == again, || {
        "an update with nothing to do changed names".to_owned()
    })?;
    fs::write(source.join("late.jpg"), "late")?;
    let third = lab
        .polylink(args([&"flat", &"--json", &source, &view]))?
        .exits(&[0])?;
    third.number("linked", 1)?;
    third.number("kept", names.len() as u64)?;
    truth::view_is_right(&[source], view).map(drop)
}

pub(crate) fn below(lab: &Lab) -> Verdict {
    let disk = lab.ext4()?;
    let (source, view) = (disk.join("tree"), disk.join("view"));
    truth::year_tree(&source, 200)?;
    let sub = source.join("2001");
    lab.polylink(args([&"flat", &source, &view]))?.exits(&[0])?;
    let names = truth::view_is_right(&[&source], &view)?;

    lab.mount(&["-t", "tmpfs", "tmpfs"].map(OsStr::new), &sub)?;
    fs::write(sub.join("of another file system.jpg"), "other")?;
    let run = lab
        .polylink(args([&"flat", &"--json", &source, &view]))?
        .exits(&[0, 1])?;
    run.number("removed", 0)?;
    run.number("linked", 0)?;
    let json = run.json()?;
    let counted = json["skipped"].as_u64().unwrap_or(0) + json["failed"].as_u64().unwrap_or(0);
    ensure(counted > 0, || {
        format!("a file system that was not crossed is not counted: {json}")
    })?;
    let during = truth::listing(&view)?;
    ensure(during == names, || {
        "names of files below a mount were changed while it hid them".to_owned()
    })?;
    lab.polylink(args([&"flat", &source, &view]))?
        .exits(&[0, 1])?
        .says(&["file system"])?;
    lab.unmount(&sub)?;

    let after = lab
        .polylink(args([&"flat", &"--json", &source, &view]))?
        .exits(&[0])?;
    after.number("linked", 0)?;
    after.number("kept", names.len() as u64)?;
    ensure(truth::view_is_right(&[&source], &view)? == names, || {
        "the view changed".to_owned()
    })
}

pub(crate) fn bind(lab: &Lab) -> Verdict {
    let disk = lab.ext4()?;
    let (source, bound) = (disk.join("tree"), disk.join("bound"));
    truth::year_tree(&source, 100)?;
    lab.mount(&["--bind".as_ref(), source.join("2001").as_os_str()], &bound)?;
    let Some(file) = truth::entries(&[&bound])?.into_iter().find(truth::Entry::is_file) else {
        return Err(Stop::Failed("no file in the bound folder".to_owned()));
    };
    let new = source.join("linked.jpg");
    lab.polylink(args([&"link", &file.path, &new]))?
        .exits(&[1])?
        .says(&["EXDEV", "linked.jpg"])?;
    ensure(!new.exists(), || "a failed link left its name".to_owned())?;
    let view = disk.join("view");
    fs::create_dir(&view)?;
    let before = truth::entries(&[&disk])?;
    lab.polylink(args([&"doctor", &bound, &view]))?
        .exits(&[1])?
        .says(&["EXDEV", "bind"])?;
    lab.polylink(args([&"flat", &bound, &view]))?
        .exits(&[1, 2])?
        .says(&["EXDEV"])?;
    ensure(truth::listing(&view)?.is_empty(), || {
        "names appeared in the view".to_owned()
    })?;
    lab.polylink(args([&"doctor", &source, &view]))?.exits(&[0])?;
    let names = |entries: Vec<truth::Entry>| {
        entries
            .into_iter()
            .filter(|e| !e.path.ends_with(".view.polylink"))
            .map(|e| e.path)
            .collect::<Vec<_>>()
    };
    ensure(names(truth::entries(&[&disk])?) == names(before), || {
        "doctor left something behind".to_owned()
    })
}

pub(crate) fn vfat(lab: &Lab) -> Verdict {
    let image = lab.formatted("vfat", 32, "dosfstools", &["mkfs.vfat", "-F", "16"])?;
    let disk = lab.path("vfat");
    if lab
        .mount(
            &[
                "-t".as_ref(),
                "vfat".as_ref(),
                "-o".as_ref(),
                "loop".as_ref(),
                image.as_os_str(),
            ],
            &disk,
        )
        .is_err()
    {
        // A kernel without vfat: a FUSE file system that refuses links just so.
        needs("fusefat", "fusefat")?;
        shell::output(Command::new("fusefat").args(["-o", "rw+"]).arg(&image).arg(&disk))?;
        lab.remember(&disk);
    }
    let (source, view) = (disk.join("tree"), disk.join("view"));
    fs::create_dir(&source)?;
    fs::write(source.join("a.txt"), "a")?;
    fs::write(source.join("b.txt"), "b")?;
    let before = names_below(&disk)?;
    let new = source.join("c.txt");
    lab.polylink(args([&"link", &source.join("a.txt"), &new]))?
        .exits(&[1])?
        .says(&["hard links", "c.txt"])?;
    lab.polylink(args([&"flat", &source, &view]))?
        .exits(&[1, 2])?
        .says(&["hard links"])?;
    lab.polylink(args([&"doctor", &source, &source]))?
        .exits(&[1, 2])?
        .says(&["hard links"])?;
    let after = names_below(&disk)?;
    let left: Vec<_> = after
        .iter()
        .filter(|path| !before.contains(path) && **path != view)
        .collect();
    ensure(left.is_empty(), || format!("left behind: {left:?}"))?;
    ensure(fs::read(source.join("a.txt"))? == b"a", || {
        "a source file changed".to_owned()
    })
}

fn names_below(dir: &Path) -> Verdict<Vec<std::path::PathBuf>> {
    Ok(truth::entries(&[dir])?
        .into_iter()
        .map(|entry| entry.path)
        .collect())
}
