//! Where ext4 ends: 65,000 names of a file, and a full disk.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};

use super::lab::{Lab, args, ensure};
use super::{Stop, Verdict, truth, unprivileged};

/// Names that ext4 gives a file at most.
const MOST: usize = 65_000;

pub(crate) fn names(lab: &Lab) -> Verdict {
    let disk = lab.ext4()?;
    let (source, view, more) = (disk.join("tree"), disk.join("view"), disk.join("more"));
    fs::create_dir(&source)?;
    fs::create_dir(&more)?;
    let file = source.join("popular.jpg");
    fs::write(&file, "popular")?;
    fs::write(source.join("other.jpg"), "other")?;
    let dir = rustix::fs::open(&more, OFlags::DIRECTORY | OFlags::RDONLY, Mode::empty())?;
    for at in 1..MOST {
        rustix::fs::linkat(CWD, &file, &dir, format!("{at}"), AtFlags::empty())?;
    }

    let new = source.join("one-more.jpg");
    lab.polylink(args([&"link", &file, &new]))?.exits(&[1])?.says(&[
        "EMLINK",
        "popular.jpg",
        "one-more.jpg",
    ])?;
    ensure(!new.exists(), || "a failed link left its name".to_owned())?;
    lab.polylink(args([&"doctor", &file, &more]))?
        .exits(&[1])?
        .says(&["EMLINK", "allows 65,000 names", "link from view to source: works"])?;
    lab.polylink(args([&"flat", &source, &view]))?
        .exits(&[1])?
        .says(&["EMLINK", "popular.jpg"])?;
    let run = lab
        .polylink(args([&"flat", &"--json", &source, &view]))?
        .exits(&[1])?;
    run.number("failed", 1)?;
    run.number("kept", 1)?;
    let failure = run.json()?["failures"][0].clone();
    ensure(
        truth::path_of(&failure["path"]).is_some_and(|path| path.ends_with("popular.jpg")),
        || format!("the failure does not name the file: {failure}"),
    )?;

    // At the limit but one there is room for the name and for nothing temporary beside it.
    fs::remove_file(more.join("1"))?;
    lab.polylink(args([&"flat", &source, &view]))?.exits(&[0])?;
    truth::view_is_right(&[&source], &view)?;
    let all = lab.polylink(args([&"names", &"--json", &file]))?.exits(&[0])?;
    all.number("link_count", MOST as u64)?;
    let json = all.json()?;
    let told = json["names"].as_array().map_or(0, Vec::len);
    ensure(json["complete"] == true && told == MOST, || {
        format!("{told} of {MOST} names found")
    })
}

/// Files that come after the disk is nearly full; their names are long, so that the view's directory must grow.
const LATE: usize = 4_000;

pub(crate) fn full_disk(lab: &Lab) -> Verdict {
    let disk = small(lab)?;
    let (source, view) = (disk.join("tree"), disk.join("view"));
    truth::year_tree(&source, 100)?;
    lab.polylink(args([&"flat", &source, &view]))?.exits(&[0])?;
    let held = truth::view_is_right(&[&source], &view)?;

    long_names(&source)?;
    let files = truth::entries(&[&source])?;
    let filler = disk.join("filler");
    fill(&filler)?;
    let full = fs::metadata(&filler)?.len();

    // With a little more room each time it is the ledger, the view's directory, or both that cannot grow.
    let mut stopped = 0;
    let mut complaints = Vec::new();
    for room in [0, 128 << 10, 512 << 10, 1 << 20, 2 << 20] {
        File::options()
            .write(true)
            .open(&filler)?
            .set_len(full.saturating_sub(room))?;
        let run = lab
            .polylink(args([&"flat", &"--json", &source, &view]))?
            .exits(&[0, 1])?;
        let partly = truth::listing(&view)?;
        ensure(
            truth::entries(&[&source])?
                .iter()
                .map(truth::Entry::id)
                .eq(files.iter().map(truth::Entry::id)),
            || "the source changed on a full disk".to_owned(),
        )?;
        let lost = held
            .iter()
            .filter(|(name, inode)| partly.get(*name) != Some(inode))
            .count();
        ensure(lost == 0, || {
            format!("{lost} names of the view were lost on a full disk")
        })?;
        truth::nothing_left_behind(&view)?;
        if run.code != Some(0) {
            stopped += 1;
            // A run that could not start its work says so without a summary.
            let told = if run.stdout.is_empty() {
                Ok(())
            } else {
                run.number("view_names", partly.len() as u64)
            };
            for verdict in [told, run.says(&["ENOSPC"]).map(drop)] {
                if let Err(Stop::Failed(reason)) = verdict {
                    complaints.push(format!("  with {room} bytes of room:\n{reason}"));
                }
            }
        }
    }
    ensure(stopped > 0, || "the disk was never full".to_owned())?;

    fs::remove_file(&filler)?;
    lab.polylink(args([&"flat", &source, &view]))?.exits(&[0])?;
    let names = truth::view_is_right(&[&source], &view)?;
    let third = lab
        .polylink(args([&"flat", &"--json", &source, &view]))?
        .exits(&[0])?;
    third.number("linked", 0)?;
    third.number("kept", names.len() as u64)?;
    ensure(complaints.is_empty(), || complaints.join("\n"))
}

/// The ledger is on another disk, so it is the view's directory alone that cannot grow.
pub(crate) fn full_directory(lab: &Lab) -> Verdict {
    let disk = small(lab)?;
    let (source, view) = (disk.join("tree"), disk.join("view"));
    long_names(&source)?;
    fs::create_dir(&view)?;
    // Who may not write beside the view has the ledger in the state directory.
    for path in [&source, &view, &lab.path("state")] {
        unprivileged::give(path)?;
    }
    let filler = disk.join("filler");
    fill(&filler)?;

    let run = lab
        .polylink_as_nobody(args([&"flat", &source, &view]))?
        .exits(&[1])?
        .says(&["ENOSPC"])?;
    let partly = truth::listing(&view)?;
    ensure(partly.len() < LATE, || {
        format!("the disk was not full: {}", run.text())
    })?;
    let run = lab
        .polylink_as_nobody(args([&"flat", &"--json", &source, &view]))?
        .exits(&[1])?;
    run.number("view_names", truth::listing(&view)?.len() as u64)?;
    truth::nothing_left_behind(&view)?;

    fs::remove_file(&filler)?;
    lab.polylink_as_nobody(args([&"flat", &source, &view]))?
        .exits(&[0])?;
    let names = truth::view_is_right(&[&source], &view)?;
    ensure(
        partly.iter().all(|(name, inode)| names.get(name) == Some(inode)),
        || "names changed".to_owned(),
    )?;
    let third = lab
        .polylink_as_nobody(args([&"flat", &"--json", &source, &view]))?
        .exits(&[0])?;
    third.number("linked", 0)?;
    third.number("kept", LATE as u64)
}

/// A small ext4 file system with inodes enough.
fn small(lab: &Lab) -> Verdict<PathBuf> {
    lab.image(
        "small",
        48,
        "e2fsprogs",
        &["mkfs.ext4", "-q", "-F", "-b", "1024", "-m", "0", "-N", "9000"],
    )
}

/// Makes empty files whose long names fill a view's directory.
fn long_names(source: &Path) -> Verdict {
    for at in 0..LATE {
        let dir = source.join(format!("late/{:02}", at % 40));
        fs::create_dir_all(&dir)?;
        File::create(dir.join(format!("{at:0>200}")))?;
    }
    Ok(())
}

/// Writes a file until the disk has no room for another block.
fn fill(path: &Path) -> Verdict {
    let mut file = File::create(path)?;
    for size in [1 << 20, 64 << 10, 1 << 10] {
        let block = vec![1_u8; size];
        loop {
            match file.write_all(&block).and_then(|()| file.sync_data()) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::StorageFull => break,
                Err(error) => return Err(Stop::Failed(format!("  {}: {error}", path.display()))),
            }
        }
    }
    Ok(())
}
