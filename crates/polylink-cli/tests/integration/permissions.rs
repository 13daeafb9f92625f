//! What a user without rights meets. As root the binary runs as another user (setpriv); without that the tests end.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::PathBuf;
use std::process::Command;

use crate::env::{BINARY, Run, TestEnv};

const NOBODY: u32 = 65_534;

struct User {
    env: TestEnv,
    /// The binary where others can run it, and whether it is run through setpriv.
    binary: PathBuf,
    switched: bool,
    _place: tempfile::TempDir,
}

impl User {
    /// A user that is not root, with a folder of its own; `None` where that cannot be had.
    fn new() -> Option<Self> {
        let env = TestEnv::photos();
        let place = tempfile::tempdir().unwrap();
        let binary = place.path().join("polylink");
        let root = rustix::process::geteuid().is_root();
        if root {
            Command::new("setpriv").arg("--version").output().ok()?;
            // the build directory may be closed to others
            fs::copy(BINARY, &binary).unwrap();
            for path in [place.path(), &env.root(), env.state()] {
                fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
            }
            chown(env.state(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let user = Self {
            binary: if root { binary } else { BINARY.into() },
            env,
            switched: root,
            _place: place,
        };
        user.own(".");
        // somebody else may have closed the way there
        user.can_run().then_some(user)
    }

    fn can_run(&self) -> bool {
        self.run(&["--version"]).code == 0
    }

    /// Makes a path and all below it the user's.
    fn own(&self, relative: &str) {
        if !self.switched {
            return;
        }
        let mut stack = vec![self.env.path(relative)];
        while let Some(path) = stack.pop() {
            chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
            if path.is_dir() {
                stack.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            }
        }
    }

    fn mode(&self, relative: &str, mode: u32) {
        fs::set_permissions(self.env.path(relative), Permissions::from_mode(mode)).unwrap();
    }

    fn run(&self, args: &[&str]) -> Run {
        let command = if self.switched {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"])
                .arg(&self.binary);
            command
        } else {
            Command::new(&self.binary)
        };
        self.env
            .finish(self.env.prepared(command, args).output().unwrap())
    }
}

impl Drop for User {
    fn drop(&mut self) {
        // so that the folder can be removed
        for path in ["photos/2007", "photos", "all", "closed", "."] {
            if self.env.path(path).exists() {
                self.mode(path, 0o755);
            }
        }
    }
}

#[test]
fn part_of_a_source_that_cannot_be_read_is_reported_and_nothing_below_it_goes() {
    let Some(user) = User::new() else { return };
    assert_eq!(user.run(&["flat", "photos", "all"]).code, 0);
    user.mode("photos/2007", 0o000);
    let run = user.run(&["flat", "photos", "all"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.contains("unreadable  1"), "{run}");
    assert!(
        run.stderr
            .contains("warning: cannot read 'ROOT/photos/2007': permission denied (EACCES)"),
        "{run}"
    );
    assert!(run.stderr.contains("hint: 'ROOT/photos/2007' (owner "), "{run}");
    assert!(run.stderr.contains("---------) does not let "), "{run}");
    assert_eq!(user.env.names_in("all").len(), 3);

    let run = user.run(&["usage", "photos"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.contains("total (at least)"), "{run}");
    assert!(run.stderr.contains("every figure is a lower bound"), "{run}");

    user.mode("photos/2007", 0o755);
    user.env.link("photos/2006/11/a.jpg", "closed/a.jpg");
    user.own("closed");
    user.mode("closed", 0o000);
    let run = user.run(&["names", "photos/2006/11/a.jpg", "--in", "."]);
    assert_eq!(run.code, 1, "{run}");
    assert!(
        run.stderr
            .contains("2 of 3 names found; the others lie in what could not be read, or beyond '.'"),
        "{run}"
    );
}

#[test]
fn a_view_that_cannot_be_written_says_which_directory_lacks_what() {
    let Some(user) = User::new() else { return };
    user.env.dir("all");
    user.own("all");
    user.mode("all", 0o555);
    let run = user.run(&["flat", "photos", "all"]);
    assert_ne!(run.code, 0, "{run}");
    assert!(run.stderr.contains("(EACCES)"), "{run}");
    assert!(run.stderr.contains("hint: 'ROOT/all' (owner "), "{run}");
    assert!(run.stderr.contains("r-xr-xr-x) does not let "), "{run}");
    assert!(run.stderr.contains("change names in it (w and x)"), "{run}");
    let run = user.run(&["link", "photos/2007/02/b.jpg", "all"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("does not let "), "{run}");
}

#[test]
fn where_nothing_can_be_written_beside_the_view_the_ledger_goes_elsewhere() {
    let Some(user) = User::new() else { return };
    user.env.dir("closed/all");
    user.own("closed");
    user.env.link("photos/2007/02/b.jpg", "closed/photos/b.jpg");
    user.mode("closed", 0o555);
    let run = user.run(&["flat", "closed/photos", "closed/all"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(
        run.stderr
            .contains("nothing can be written beside the view: its ledger is '"),
        "{run}"
    );
    assert_eq!(user.env.names_in("closed"), ["all", "photos"]);
    let run = user.run(&["flat", "closed/photos", "closed/all"]);
    assert!(run.stdout.contains("kept    1"), "{run}");
    let run = user.run(&["doctor", "closed/photos", "closed/all"]);
    assert!(
        run.stdout.contains("for nothing can be made beside the view"),
        "{run}"
    );
}

#[test]
fn a_directory_that_may_not_be_passed_is_named() {
    let Some(user) = User::new() else { return };
    user.env.write("closed/deep/x", "");
    user.own("closed");
    user.mode("closed", 0o600);
    let run = user.run(&["link", "closed/deep/x", "y"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("hint: 'ROOT/closed' (owner "), "{run}");
    assert!(run.stderr.contains("go through it (x)"), "{run}");
}

#[test]
fn files_of_others_are_protected_against_links() {
    let Some(user) = User::new() else { return };
    let protected = fs::read_to_string("/proc/sys/fs/protected_hardlinks").is_ok_and(|on| on.trim() == "1");
    if !user.switched || !protected {
        return;
    }
    user.env.write("theirs", "");
    user.mode("theirs", 0o644);
    let run = user.run(&["link", "theirs", "mine"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("(EPERM)"), "{run}");
    assert!(run.stderr.contains("fs.protected_hardlinks = 1"), "{run}");
    assert!(run.stderr.contains("'theirs' is owned by root, and "), "{run}");
    assert!(run.stderr.contains("(it is rw-r--r--)"), "{run}");
}
