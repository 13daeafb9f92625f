//! A folder of its own for each test, and the binary run in it.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use polylink_core::{At, FileId, LinkFs as _, Name};
use polylink_host::HostFs;
use tempfile::TempDir;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_polylink");

/// A temporary folder in which the binary runs, with a state directory and nothing of the user's environment.
pub(crate) struct TestEnv {
    folder: TempDir,
    state: TempDir,
}

/// What a run printed, and its exit code. In its text the folder is called ROOT.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl TestEnv {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::Builder::new()
                .prefix("polylink-test")
                .tempdir()
                .unwrap(),
            state: tempfile::tempdir().unwrap(),
        }
    }

    /// A tree with two files of one name, and one that has a second name.
    pub(crate) fn photos() -> Self {
        let env = Self::new();
        env.write("photos/2006/11/a.jpg", "first");
        env.write("photos/2007/02/a.jpg", "second");
        env.write("photos/2007/02/b.jpg", "third");
        env
    }

    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root().join(relative)
    }

    pub(crate) fn root(&self) -> PathBuf {
        let root = self.folder.path().canonicalize().unwrap();
        // as the program shows it
        match root.to_str().unwrap().strip_prefix(r"\\?\") {
            Some(plain) => plain.into(),
            None => root,
        }
    }

    #[cfg(unix)]
    pub(crate) fn state(&self) -> &Path {
        self.state.path()
    }

    /// Makes a file and the folders above it.
    pub(crate) fn write(&self, relative: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Saves a file as editors do: a new file is renamed over the old one.
    pub(crate) fn save_by_rename(&self, relative: &str, content: &str) {
        let new = self.write(format!("{relative}.new"), content);
        fs::rename(new, self.path(relative)).unwrap();
    }

    pub(crate) fn dir(&self, relative: impl AsRef<Path>) {
        fs::create_dir_all(self.path(relative)).unwrap();
    }

    pub(crate) fn link(&self, existing: &str, new: &str) {
        fs::create_dir_all(self.path(new).parent().unwrap()).unwrap();
        fs::hard_link(self.path(existing), self.path(new)).unwrap();
    }

    pub(crate) fn remove(&self, relative: &str) {
        fs::remove_file(self.path(relative)).unwrap();
    }

    pub(crate) fn read(&self, relative: impl AsRef<Path>) -> String {
        fs::read_to_string(self.path(relative)).unwrap()
    }

    /// The names in a directory, sorted, in a form that can be compared.
    pub(crate) fn names_in(&self, relative: impl AsRef<Path>) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path(relative))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        self.prepared(Command::new(BINARY), args)
    }

    pub(crate) fn prepared<S: AsRef<OsStr>>(
        &self,
        mut command: Command,
        args: impl IntoIterator<Item = S>,
    ) -> Command {
        command
            .args(args)
            .current_dir(self.folder.path())
            .env("XDG_STATE_HOME", self.state.path())
            .env("HOME", self.state.path())
            .env("LOCALAPPDATA", self.state.path())
            .env("TMPDIR", self.folder.path())
            .env("TMP", self.folder.path())
            .env_remove("NO_COLOR")
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Run {
        self.finish(self.command(args).output().unwrap())
    }

    /// Runs what must succeed.
    pub(crate) fn ok<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Run {
        let run = self.run(args);
        assert_eq!(run.code, 0, "{run}");
        run
    }

    /// Runs with `--json` and reads the document.
    pub(crate) fn json<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> serde_json::Value {
        let mut command = self.command(args);
        let run = self.finish(command.arg("--json").output().unwrap());
        assert!(run.stderr.is_empty(), "{run}");
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}\n{run}"))
    }

    pub(crate) fn finish(&self, output: Output) -> Run {
        let root = self.root();
        let text = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).expect("the output is text");
            if cfg!(windows) {
                slashed(&text).replace(&slashed(root.to_str().unwrap()), "ROOT")
            } else {
                text.replace(root.to_str().unwrap(), "ROOT")
            }
        };
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

/// What Windows prints, with slashes in its paths: so one expectation serves all systems.
fn slashed(text: &str) -> String {
    if text.starts_with('{') {
        text.replace(r"\\", "/")
    } else {
        text.replace('\\', "/")
    }
}

impl Run {
    /// The exit code and the errors, for failures.
    pub(crate) fn failure(&self) -> String {
        assert!(self.stdout.is_empty(), "{self}");
        format!("{}", FailureText(self))
    }
}

struct FailureText<'a>(&'a Run);

impl fmt::Display for FailureText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit code {}\n{}", self.0.code, self.0.stderr.trim_end())
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit code {}\n{}", self.code, self.stdout.trim_end())?;
        if !self.stderr.is_empty() {
            write!(f, "\n---\n{}", self.stderr.trim_end())?;
        }
        Ok(())
    }
}

/// The file behind a path, and how many names it has.
pub(crate) fn file(path: &Path) -> (FileId, u64) {
    let fs = HostFs::new();
    let dir = fs.open_dir(path.parent().unwrap()).unwrap();
    let name = Name::from_os(path.file_name().unwrap());
    let stat = fs.stat(At::new(&dir, name)).unwrap();
    (stat.id, stat.links)
}

/// A directory on another file system than the test's folder, if there is one that can be written.
#[cfg(unix)]
pub(crate) fn other_file_system(env: &TestEnv) -> Option<TempDir> {
    use std::os::unix::fs::MetadataExt as _;
    let device = |path: &Path| fs::metadata(path).map(|data| data.dev()).ok();
    let here = device(&env.root());
    [
        Path::new("/dev/shm"),
        Path::new("/run"),
        Path::new(env!("CARGO_MANIFEST_DIR")),
    ]
    .into_iter()
    .filter(|path| device(path).is_some_and(|device| Some(device) != here))
    .find_map(|path| tempfile::tempdir_in(path).ok())
}
