//! Running other programs, and where things are.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, io};

/// Why a task stopped, in one sentence or a short paragraph.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

#[cfg(unix)]
impl From<rustix::io::Errno> for Failure {
    fn from(error: rustix::io::Errno) -> Self {
        Self(error.to_string())
    }
}

/// Names the path in an I/O error, which does not know it.
pub(crate) trait Context<T> {
    fn at(self, path: &Path) -> Result<T>;
}

impl<T, E: fmt::Display> Context<T> for std::result::Result<T, E> {
    fn at(self, path: &Path) -> Result<T> {
        self.map_err(|error| Failure(format!("{}: {error}", path.display())))
    }
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

#[cfg(unix)]
/// The folder that cargo builds into.
pub(crate) fn target_dir() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// The cargo that runs this task.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Runs a program to its end with the terminal's own output.
pub(crate) fn run(command: &mut Command) -> Result {
    let status = command
        .status()
        .map_err(|error| Failure(format!("{}: {error}", shown(command))))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure(format!("{}: {status}", shown(command))))
    }
}

/// Runs a program and hands over what it printed; its standard error becomes part of the failure.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>> {
    let output = command
        .output()
        .map_err(|error| Failure(format!("{}: {error}", shown(command))))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let text = String::from_utf8_lossy(&output.stderr);
    Err(Failure(format!(
        "{}: {}: {}",
        shown(command),
        output.status,
        text.trim()
    )))
}

/// The command line of a program, for messages.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(unix)]
/// Finds a program on PATH or in the folders for administrators, which a plain user's PATH leaves out.
pub(crate) fn which(program: impl AsRef<OsStr>) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let further = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    env::split_paths(&path)
        .chain(further)
        .map(|dir| dir.join(program.as_ref()))
        .find(|file| file.is_file())
}

#[cfg(unix)]
/// Builds the release binary of a package and returns its path.
pub(crate) fn build_release(package: &str, binary: &str) -> Result<PathBuf> {
    run(cargo().args(["build", "--quiet", "--release", "--package", package]))?;
    let path = target_dir().join("release").join(binary);
    if path.is_file() {
        Ok(path)
    } else {
        Err(Failure(format!("no binary at {}", path.display())))
    }
}

#[cfg(unix)]
/// Builds an example of a package in release and returns its path.
pub(crate) fn build_example(package: &str, example: &str) -> Result<PathBuf> {
    run(cargo().args([
        "build",
        "--quiet",
        "--release",
        "--package",
        package,
        "--example",
        example,
    ]))?;
    Ok(target_dir().join("release/examples").join(example))
}
