//! `polylink doctor`: each thing that stands in the way of a link is brought about, and must be explained.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::lab::{Lab, NOBODY, args, ensure, needs};
use super::{Stop, Verdict, truth};
use crate::shell;

/// A source with one file, and an empty view, in a folder of any file system.
fn sides(disk: &Path) -> Verdict<(PathBuf, PathBuf)> {
    let (source, view) = (disk.join("tree"), disk.join("view"));
    fs::create_dir_all(&source)?;
    fs::create_dir_all(&view)?;
    fs::write(source.join("a.jpg"), "a")?;
    Ok((source, view))
}

/// Lets doctor look, and asks for its exit code, its words, and that nothing stays.
fn told(lab: &Lab, source: &Path, view: &Path, code: i32, words: &[&str]) -> Verdict {
    lab.polylink(args([&"doctor", &source, &view]))?
        .exits(&[code])?
        .says(words)?;
    let json = lab
        .polylink(args([&"doctor", &"--json", &source, &view]))?
        .exits(&[code])?
        .json()?;
    ensure(json["works"] == (code == 0), || {
        format!("the document says otherwise: {json}")
    })?;
    for dir in [source, view] {
        let stays = fs::read_dir(dir)?
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with(".polylink"));
        ensure(!stays, || format!("something stays in {}", dir.display()))?;
    }
    Ok(())
}

/// Sets an attribute for as long as it lives.
struct Attribute<'a> {
    path: &'a Path,
    off: &'static str,
}

impl<'a> Attribute<'a> {
    fn set(path: &'a Path, on: &'static str, off: &'static str) -> Verdict<Self> {
        shell::output(Command::new("chattr").arg(on).arg(path))?;
        Ok(Self { path, off })
    }
}

impl Drop for Attribute<'_> {
    fn drop(&mut self) {
        if let Err(error) = shell::output(Command::new("chattr").arg(self.off).arg(self.path)) {
            eprintln!("warning: {}: {error}", self.path.display());
        }
    }
}

pub(crate) fn attributes(lab: &Lab) -> Verdict {
    needs("chattr", "e2fsprogs")?;
    let disk = lab.ext4()?;
    let (source, view) = sides(&disk)?;
    told(lab, &source, &view, 0, &["works"])?;
    let file = source.join("a.jpg");
    for (path, on, off, words) in [
        (&file, "+i", "-i", ["EPERM", "is immutable", "chattr -i"]),
        (&file, "+a", "-a", ["EPERM", "is append-only", "chattr -a"]),
        (&view, "+i", "-i", ["EPERM", "is immutable", "directory"]),
    ] {
        let _set = Attribute::set(path, on, off)?;
        told(lab, &source, &view, 1, &words)?;
    }
    told(lab, &source, &view, 0, &["works"])
}

pub(crate) fn read_only(lab: &Lab) -> Verdict {
    let disk = lab.ext4()?;
    let (source, view) = sides(&disk)?;
    let remount = |options: &str| {
        let mut command = Command::new("mount");
        shell::output(command.arg("-o").arg(options).arg(&disk)).map(drop)
    };
    remount("remount,ro")?;
    let judged = told(
        lab,
        &source,
        &view,
        1,
        &["EROFS", "is mounted read-only", "remount,rw", "writing"],
    );
    remount("remount,rw")?;
    judged
}

pub(crate) fn overlay(lab: &Lab) -> Verdict {
    let disk = lab.path("tmpfs");
    lab.mount(&["-t", "tmpfs", "tmpfs"].map(OsStr::new), &disk)?;
    let dirs = ["lower", "upper", "work"].map(|name| disk.join(name));
    for dir in &dirs {
        fs::create_dir(dir)?;
    }
    sides(&dirs[0])?;
    let [lower, upper, work] = dirs.each_ref().map(|dir| dir.display());
    let options = format!("lowerdir={lower},upperdir={upper},workdir={work}");
    let point = lab.path("overlay");
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
    told(
        lab,
        &source,
        &view,
        0,
        &["works", "lies in layers", "not trusted"],
    )
}

/// SFTP knows neither link counts nor file ids, and sshfs makes some up: a network file system that lies about both.
pub(crate) fn sshfs(lab: &Lab) -> Verdict {
    needs("sshfs", "sshfs")?;
    let server = Path::new("/usr/lib/openssh/sftp-server");
    if !server.exists() {
        return Err(Stop::Skipped(format!(
            "no {}: install Debian's openssh-sftp-server",
            server.display()
        )));
    }
    let disk = lab.folder("served")?;
    sides(&disk)?;
    // the server itself in the place of the connection to it
    let connection = lab.path("connection");
    fs::write(&connection, format!("#!/bin/sh\nexec {}\n", server.display()))?;
    fs::set_permissions(&connection, fs::Permissions::from_mode(0o755))?;
    let point = lab.folder("sshfs")?;
    shell::output(
        Command::new("sshfs")
            .arg("-o")
            .arg(format!("ssh_command={}", connection.display()))
            .arg(format!("server:{}", disk.display()))
            .arg(&point),
    )?;
    lab.remember(&point);
    let (source, view) = (point.join("tree"), point.join("view"));
    let run = lab.polylink(args([&"doctor", &source, &view]))?;
    run.says(&["is on another machine", "does not count the new name"])?;
    let json = lab
        .polylink(args([&"doctor", &"--json", &source, &view]))?
        .json()?;
    let test = &json["tests"][0];
    ensure(test["counted"] == false, || {
        format!("the lie was not seen: {json}")
    })?;
    // what it says of the ids must be what `stat` says
    let (a, b) = (source.join("a.jpg"), source.join("b.jpg"));
    fs::hard_link(&a, &b)?;
    let ids: Vec<_> = truth::entries(&[&source])?
        .iter()
        .filter(|entry| entry.is_file())
        .map(truth::Entry::id)
        .collect();
    let one_file = ids.len() == 2 && ids[0] == ids[1];
    ensure(test["one_file"] == one_file, || {
        format!("`find` says of one file: {one_file}; doctor: {json}")
    })
}

/// A file system without owners: who makes a file there does not own it.
pub(crate) fn ownerless(lab: &Lab) -> Verdict {
    needs("ntfs-3g", "ntfs-3g")?;
    let image = lab.formatted("ntfs", 16, "ntfs-3g", &["mkntfs", "-q", "-F"])?;
    let point = lab.folder("ntfs")?;
    shell::output(
        Command::new("ntfs-3g")
            .args(["-o", &format!("uid={NOBODY},gid={NOBODY}")])
            .args([&image, &point]),
    )?;
    lab.remember(&point);
    let (source, view) = sides(&point)?;
    told(lab, &source, &view, 0, &["works", "belongs to", "not to"])
}

pub(crate) fn protected(lab: &Lab) -> Verdict {
    let _setting = super::unprivileged::Sysctl::set("/proc/sys/fs/protected_hardlinks", "1")?;
    let home = lab.folder("home")?;
    let (source, view) = sides(&home)?;
    super::unprivileged::give(&home)?;
    let theirs = source.join("a.jpg");
    chown(&theirs, Some(0), Some(0))?;
    fs::set_permissions(&theirs, fs::Permissions::from_mode(0o600))?;
    lab.polylink_as_nobody(args([&"doctor", &source, &view]))?
        .exits(&[1])?
        .says(&[
            "EPERM",
            "protected_hardlinks",
            "link from view to source: works",
            "root",
        ])?;
    chown(&theirs, Some(NOBODY), Some(NOBODY))?;
    lab.polylink_as_nobody(args([&"doctor", &source, &view]))?
        .exits(&[0])
        .map(drop)
}
