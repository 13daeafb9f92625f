//! Where a judge works: a temporary folder, the binary, file systems that vanish with it.

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Stop, Verdict};
use crate::shell;

/// No command of a judge takes longer; one that does has hung.
const PATIENCE: &str = "120";

/// The user that owns nothing.
pub(crate) const NOBODY: u32 = 65534;

/// A temporary folder with a copy of the binary, a state folder of its own, and the file systems mounted for it.
pub(crate) struct Lab {
    // Mounts go before the folder that holds their mount points; fields are dropped in this order.
    mounts: RefCell<Vec<Mount>>,
    dir: tempfile::TempDir,
    pub(crate) seed: u64,
    /// The seed that was asked for, for judges that else play the same each time.
    pub(crate) wanted_seed: Option<u64>,
    pub(crate) kills: u32,
    /// How long a judge that takes its time takes.
    pub(crate) seconds: u64,
}

/// A mount that is undone when it goes.
struct Mount {
    point: PathBuf,
}

impl Drop for Mount {
    fn drop(&mut self) {
        // A busy file system is tried again: a FUSE helper or a killed child may need a moment to let go.
        for _ in 0..20 {
            if !is_mounted(&self.point) || quiet(Command::new("umount").arg(&self.point)) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        if !quiet(Command::new("umount").arg("-l").arg(&self.point)) {
            eprintln!("warning: {} stays mounted", self.point.display());
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // Last mounted, first gone.
        while let Some(mount) = self.mounts.get_mut().pop() {
            drop(mount);
        }
    }
}

fn quiet(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn is_mounted(point: &Path) -> bool {
    quiet(Command::new("mountpoint").arg("-q").arg(point))
}

/// What a run of a program left: its exit code and output.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) line: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl Run {
    /// Both outputs as text.
    pub(crate) fn text(&self) -> String {
        format!(
            "{}{}",
            String::from_utf8_lossy(&self.stdout),
            String::from_utf8_lossy(&self.stderr)
        )
    }

    fn story(&self) -> String {
        let mut text = self.text();
        if text.len() > 3000 {
            let end = (0..=3000)
                .rev()
                .find(|&at| text.is_char_boundary(at))
                .unwrap_or(0);
            text.truncate(end);
            text.push_str(" …");
        }
        format!(
            "    command: {}\n    exit code: {:?}\n    output: {}",
            self.line,
            self.code,
            text.trim_end()
        )
    }

    /// Fails unless the exit code is one of `codes`.
    pub(crate) fn exits(self, codes: &[i32]) -> Verdict<Self> {
        if self.code.is_some_and(|code| codes.contains(&code)) {
            return Ok(self);
        }
        Err(Stop::Failed(format!(
            "  expected exit code {codes:?}\n{}",
            self.story()
        )))
    }

    /// Fails unless the output has each of `words`.
    pub(crate) fn says(self, words: &[&str]) -> Verdict<Self> {
        let text = self.text();
        match words.iter().find(|word| !text.contains(**word)) {
            None => Ok(self),
            Some(word) => Err(Stop::Failed(format!(
                "  expected the output to say `{word}`\n{}",
                self.story()
            ))),
        }
    }

    /// The JSON document on standard output.
    pub(crate) fn json(&self) -> Verdict<Value> {
        serde_json::from_slice(&self.stdout)
            .map_err(|error| Stop::Failed(format!("  expected one JSON document: {error}\n{}", self.story())))
    }

    /// Fails unless a number in the JSON document is as expected.
    pub(crate) fn number(&self, field: &str, expected: u64) -> Verdict {
        let json = self.json()?;
        if json[field].as_u64() == Some(expected) {
            return Ok(());
        }
        Err(Stop::Failed(format!(
            "  expected {field} = {expected}, got {}\n{}",
            json[field],
            self.story()
        )))
    }
}

/// Fails with a sentence unless `truth` holds.
pub(crate) fn ensure(truth: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if truth {
        Ok(())
    } else {
        Err(Stop::Failed(format!("  {}", otherwise())))
    }
}

/// Skips the judge unless the program is installed.
pub(crate) fn needs(program: &str, package: &str) -> Verdict<PathBuf> {
    shell::which(program).ok_or_else(|| Stop::Skipped(format!("no `{program}`: install Debian's {package}")))
}

impl Lab {
    pub(crate) fn new(binary: &Path, seed: Option<u64>, kills: u32, seconds: u64) -> Verdict<Self> {
        let dir = tempfile::Builder::new().prefix("polylink-judges-").tempdir()?;
        // Other users run the binary from here and work below it.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755))?;
        fs::copy(binary, dir.path().join("polylink"))?;
        fs::create_dir(dir.path().join("state"))?;
        let wanted_seed = seed;
        let seed = seed.unwrap_or_else(|| {
            let now = std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap_or_default();
            now.as_secs() ^ u64::from(now.subsec_nanos())
        });
        Ok(Self {
            mounts: RefCell::new(Vec::new()),
            dir,
            seed,
            wanted_seed,
            kills,
            seconds,
        })
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    /// Makes a folder of the lab.
    pub(crate) fn folder(&self, name: &str) -> Verdict<PathBuf> {
        let path = self.path(name);
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// A run of polylink that is not started yet; its environment is the lab's own.
    pub(crate) fn command(&self) -> Command {
        self.in_environment(Command::new(self.path("polylink")))
    }

    fn in_environment(&self, mut command: Command) -> Command {
        command
            .env("HOME", self.path("state"))
            .env("XDG_STATE_HOME", self.path("state"))
            .env("NO_COLOR", "1");
        command.current_dir(self.dir.path()).stdin(Stdio::null());
        command
    }

    /// Runs polylink to its end.
    pub(crate) fn polylink(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Verdict<Run> {
        self.through(&[], args)
    }

    /// Runs polylink as the user that owns nothing.
    pub(crate) fn polylink_as_nobody(
        &self,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Verdict<Run> {
        needs("setpriv", "util-linux")?;
        let id = NOBODY.to_string();
        self.through(
            &["setpriv", "--reuid", &id, "--regid", &id, "--clear-groups", "--"],
            args,
        )
    }

    /// Runs polylink through another program: `strace`, `setpriv`.
    pub(crate) fn through(
        &self,
        prefix: &[&str],
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Verdict<Run> {
        let mut command = self.in_environment(Command::new("timeout"));
        command
            .args(["-k", "5", PATIENCE])
            .args(prefix)
            .arg(self.path("polylink"))
            .args(args);
        let line = shell::shown(&command);
        let output = command.output().map_err(|error| format!("  {line}: {error}"))?;
        Ok(Run {
            line,
            code: output.status.code(),
            stdout: output.stdout,
            stderr: output.stderr,
        })
    }

    /// Mounts with `mount`'s own arguments; the mount point is made and is the last of them.
    pub(crate) fn mount(&self, args: &[&OsStr], point: &Path) -> Verdict {
        if !rustix::process::geteuid().is_root() {
            return Err(Stop::Skipped("needs root to mount file systems".to_owned()));
        }
        fs::create_dir_all(point)?;
        let mut command = Command::new("mount");
        shell::output(command.args(args).arg(point))?;
        self.remember(point);
        Ok(())
    }

    /// Undoes a mount when the lab goes.
    pub(crate) fn remember(&self, point: &Path) {
        self.mounts.borrow_mut().push(Mount {
            point: point.to_path_buf(),
        });
    }

    /// Undoes a mount now.
    pub(crate) fn unmount(&self, point: &Path) -> Verdict {
        let mut mounts = self.mounts.borrow_mut();
        if let Some(at) = mounts.iter().rposition(|mount| mount.point == point) {
            drop(mounts.remove(at));
        }
        ensure(!is_mounted(point), || {
            format!("{} cannot be unmounted", point.display())
        })
    }

    /// Mounts memory at a folder of the lab: nothing waits for a disk there, and SIGKILL does not ask for one.
    pub(crate) fn memory(&self, name: &str) -> Verdict<PathBuf> {
        let point = self.path(name);
        let words = ["-t", "tmpfs", "-o", "size=1g", "tmpfs"].map(OsStr::new);
        self.mount(&words, &point)?;
        Ok(point)
    }

    /// Makes an image, lets `mkfs` fill it, and mounts it; `mkfs` is the program and its arguments without the image.
    pub(crate) fn image(&self, name: &str, megabytes: u64, package: &str, mkfs: &[&str]) -> Verdict<PathBuf> {
        let image = self.formatted(name, megabytes, package, mkfs)?;
        if !Path::new("/dev/loop-control").exists() {
            return Err(Stop::Skipped("no loop devices".to_owned()));
        }
        let point = self.path(name);
        self.mount(&["-o".as_ref(), "loop".as_ref(), image.as_os_str()], &point)?;
        Ok(point)
    }

    /// Makes an image and lets `mkfs` fill it.
    pub(crate) fn formatted(
        &self,
        name: &str,
        megabytes: u64,
        package: &str,
        mkfs: &[&str],
    ) -> Verdict<PathBuf> {
        let image = self.path(&format!("{name}.img"));
        fs::File::create(&image)?.set_len(megabytes << 20)?;
        let program = needs(mkfs[0], package)?;
        shell::output(Command::new(program).args(&mkfs[1..]).arg(&image))?;
        Ok(image)
    }

    /// An ext4 image, mounted.
    pub(crate) fn ext4(&self) -> Verdict<PathBuf> {
        self.image("ext4", 256, "e2fsprogs", &["mkfs.ext4", "-q", "-F"])
    }
}

/// The arguments of a command, of different kinds of string.
pub(crate) fn args<const N: usize>(words: [&dyn AsRef<OsStr>; N]) -> Vec<OsString> {
    words.iter().map(|word| word.as_ref().to_os_string()).collect()
}
