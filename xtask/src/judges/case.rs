//! A file system for which `a.jpg` and `A.JPG` are one name.

use std::fs;
use std::process::Command;

use super::lab::{Lab, args, ensure, needs};
use super::{Stop, Verdict, truth};
use crate::shell;

pub(crate) fn insensitive(lab: &Lab) -> Verdict {
    needs("lowntfs-3g", "ntfs-3g")?;
    let image = lab.formatted("ntfs", 64, "ntfs-3g", &["mkntfs", "-q", "-F", "-f"])?;
    if !std::path::Path::new("/dev/fuse").exists() {
        return Err(Stop::Skipped("no /dev/fuse".to_owned()));
    }
    let disk = lab.folder("ntfs")?;
    shell::output(
        Command::new("lowntfs-3g")
            .args(["-o", "ignore_case"])
            .arg(&image)
            .arg(&disk),
    )?;
    lab.remember(&disk);
    let (source, view) = (disk.join("tree"), disk.join("view"));
    for (dir, name) in [
        ("one", "a.jpg"),
        ("two", "A.JPG"),
        ("three", "A.jpg"),
        ("four", "\u{c9}t\u{e9}.jpg"),
    ] {
        fs::create_dir_all(source.join(dir))?;
        fs::write(source.join(dir).join(name), dir)?;
    }
    fs::create_dir_all(source.join("five"))?;
    fs::write(source.join("five/\u{e9}t\u{e9}.JPG"), "five")?;
    ensure(source.join("ONE/A.JPG").exists(), || {
        "this mount minds case".to_owned()
    })?;

    lab.polylink(args([&"flat", &"--json", &source, &view]))?
        .exits(&[0])?
        .number("linked", 5)?;
    let names = truth::view_is_right(&[&source], &view)?;
    let second = lab
        .polylink(args([&"flat", &"--json", &source, &view]))?
        .exits(&[0])?;
    for field in ["linked", "relinked", "renamed", "removed", "failed"] {
        second.number(field, 0)?;
    }
    ensure(truth::view_is_right(&[&source], &view)? == names, || {
        "the second update changed names".to_owned()
    })?;

    // This mount shows every name in lower case, so here the view spells each name in another way than it was given.
    // An update may take that for a renaming by the user and note it, once; on the disk it changes nothing.
    let upper = disk.join("upper");
    let template =
        |view: &std::path::Path| args([&"flat", &"--json", &"--name", &"{stem}.JPG", &source, &view]);
    lab.polylink(template(&upper))?.exits(&[0])?.number("linked", 5)?;
    let names = truth::view_is_right(&[&source], &upper)?;
    for fields in [
        &["linked", "relinked", "removed", "failed"][..],
        &["linked", "relinked", "renamed", "removed"],
    ] {
        let again = lab.polylink(template(&upper))?.exits(&[0])?;
        for field in fields {
            again.number(field, 0)?;
        }
        ensure(truth::view_is_right(&[&source], &upper)? == names, || {
            "an update changed names".to_owned()
        })?;
    }
    Ok(())
}
