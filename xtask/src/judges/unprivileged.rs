//! Runs by a user who may not do everything.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use super::lab::{Lab, NOBODY, args, ensure};
use super::{Stop, Verdict, truth};

/// A folder that belongs to nobody.
fn own(lab: &Lab, name: &str) -> Verdict<PathBuf> {
    if !rustix::process::geteuid().is_root() {
        return Err(Stop::Skipped("needs root to become another user".to_owned()));
    }
    let path = lab.folder(name)?;
    give(&path)?;
    give(&lab.path("state"))?;
    Ok(path)
}

/// Gives a folder and all below it to nobody.
pub(crate) fn give(path: &Path) -> Verdict {
    for entry in truth::entries(&[path])? {
        chown(&entry.path, Some(NOBODY), Some(NOBODY))?;
    }
    Ok(())
}

fn mode(path: &Path, bits: u32) -> Verdict {
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(bits))?)
}

pub(crate) fn unreadable(lab: &Lab) -> Verdict {
    let home = own(lab, "home")?;
    let (source, view) = (home.join("tree"), home.join("view"));
    truth::year_tree(&source, 200)?;
    give(&source)?;
    lab.polylink_as_nobody(args([&"flat", &source, &view]))?
        .exits(&[0])?;
    let names = truth::view_is_right(&[&source], &view)?;

    let closed = source.join("2003");
    chown(&closed, Some(0), Some(0))?;
    mode(&closed, 0o700)?;
    let run = lab
        .polylink_as_nobody(args([&"flat", &source, &view]))?
        .exits(&[1])?;
    run.says(&["EACCES", "2003"])?;
    ensure(truth::listing(&view)? == names, || {
        "names of files that could not be seen were changed".to_owned()
    })?;
    let json = lab
        .polylink_as_nobody(args([&"flat", &"--json", &source, &view]))?
        .exits(&[1])?;
    json.number("removed", 0)?;
    json.number("linked", 0)?;

    // Usage of a tree with a closed part is a lower bound and says so.
    let usage = lab
        .polylink_as_nobody(args([&"usage", &"--json", &source]))?
        .exits(&[1])?;
    ensure(usage.json()?["complete"] == false, || {
        format!("an incomplete usage says: {}", usage.text())
    })?;
    // A closed file can be linked by its owner and be counted by anyone.
    let Some(file) = names.keys().next() else {
        return Ok(());
    };
    mode(&view.join(file), 0o000)?;

    mode(&closed, 0o755)?;
    let after = lab
        .polylink_as_nobody(args([&"flat", &"--json", &source, &view]))?
        .exits(&[0])?;
    after.number("linked", 0)?;
    after.number("kept", names.len() as u64)
}

/// Sets a kernel setting for as long as it lives.
pub(crate) struct Sysctl {
    path: &'static str,
    before: String,
}

impl Sysctl {
    pub(crate) fn set(path: &'static str, value: &str) -> Verdict<Self> {
        let before = fs::read_to_string(path).map_err(|error| Stop::Skipped(format!("{path}: {error}")))?;
        if before.trim() != value {
            fs::write(path, value).map_err(|error| Stop::Skipped(format!("{path}: {error}")))?;
        }
        Ok(Self { path, before })
    }
}

impl Drop for Sysctl {
    fn drop(&mut self) {
        if let Err(error) = fs::write(self.path, self.before.trim()) {
            eprintln!("warning: {}: {error}", self.path);
        }
    }
}

pub(crate) fn protected(lab: &Lab) -> Verdict {
    let home = own(lab, "home")?;
    let _setting = Sysctl::set("/proc/sys/fs/protected_hardlinks", "1")?;
    let (source, view) = (home.join("tree"), home.join("view"));
    fs::create_dir(&source)?;
    fs::write(source.join("mine.jpg"), "mine")?;
    fs::write(source.join("theirs.jpg"), "theirs")?;
    give(&source)?;
    let theirs = source.join("theirs.jpg");
    chown(&theirs, Some(0), Some(0))?;
    mode(&theirs, 0o600)?;

    let new = home.join("new.jpg");
    let run = lab
        .polylink_as_nobody(args([&"link", &theirs, &new]))?
        .exits(&[1])?;
    run.says(&["EPERM", "protected_hardlinks", "root", "theirs.jpg", "new.jpg"])?;
    ensure(!new.exists(), || "a failed link left its name".to_owned())?;
    let run = lab
        .polylink_as_nobody(args([&"flat", &source, &view]))?
        .exits(&[1])?;
    run.says(&["EPERM", "protected_hardlinks", "theirs.jpg"])?;
    let names = truth::listing(&view)?;
    ensure(
        names.len() == 1 && names.contains_key(Path::new("mine.jpg")),
        || format!("the user's own file should be in the view alone: {names:?}"),
    )?;
    chown(&theirs, Some(NOBODY), Some(NOBODY))?;
    lab.polylink_as_nobody(args([&"flat", &"--json", &source, &view]))?
        .exits(&[0])?
        .number("linked", 1)
}

pub(crate) fn ledger(lab: &Lab) -> Verdict {
    let home = own(lab, "home")?;
    let (source, view) = (home.join("tree"), home.join("view"));
    truth::year_tree(&source, 100)?;
    fs::create_dir(&view)?;
    give(&home)?;
    chown(&home, Some(0), Some(0))?;
    mode(&home, 0o755)?;

    let run = lab
        .polylink_as_nobody(args([&"flat", &source, &view]))?
        .exits(&[0])?;
    let state = lab.path("state");
    let stderr = String::from_utf8_lossy(&run.stderr).into_owned();
    ensure(run.text().contains(&*state.to_string_lossy()), || {
        format!(
            "the ledger stands in {}, and nothing says so: {stderr}",
            state.display()
        )
    })?;
    ensure(!home.join(".view.polylink").exists(), || {
        "a ledger beside the view, where nobody may write".to_owned()
    })?;
    let kept = truth::entries(&[&state])?
        .iter()
        .filter(|entry| entry.is_file())
        .count();
    ensure(kept > 0, || format!("no ledger below {}", state.display()))?;
    let names = truth::view_is_right(&[&source], &view)?;

    let second = lab
        .polylink_as_nobody(args([&"flat", &"--json", &source, &view]))?
        .exits(&[0])?;
    second.number("linked", 0)?;
    second.number("kept", names.len() as u64)?;
    // Only the ledger can tell that a name whose source went was polylink's own and not somebody else's.
    let Some(gone) = truth::entries(&[&source])?
        .into_iter()
        .find(truth::Entry::is_file)
    else {
        return Ok(());
    };
    fs::remove_file(&gone.path)?;
    let third = lab
        .polylink_as_nobody(args([&"flat", &"--json", &source, &view]))?
        .exits(&[0])?;
    third.number("orphans", 1)?;
    third.number("foreign", 0)
}
