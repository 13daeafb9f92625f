//! Who edits a volume: our engine by its script, others through a mount.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::model::{Operation, Outcome, content};
use crate::judges::{Stop, Verdict};
use crate::shell;

/// The program of `crates/polylink-ntfs/examples/script.rs`.
pub(crate) fn build() -> Verdict<PathBuf> {
    Ok(shell::build_example("polylink-ntfs", "script")?)
}

/// A line of a script.
fn line(operation: &Operation) -> String {
    let path = |path: &Path| path.to_string_lossy().into_owned();
    match operation {
        Operation::Create { path: at, size, seed } => format!("create\t{}\t{size}\t{seed}", path(at)),
        Operation::Write {
            path: at,
            offset,
            size,
            seed,
        } => format!("write\t{}\t{offset}\t{size}\t{seed}", path(at)),
        Operation::Resize { path: at, size } => format!("resize\t{}\t{size}", path(at)),
        Operation::MakeDirectory(at) => format!("mkdir\t{}", path(at)),
        Operation::Link(existing, new) => format!("link\t{}\t{}", path(existing), path(new)),
        Operation::Rename(old, new) => format!("mv\t{}\t{}", path(old), path(new)),
        Operation::Replace(old, new) => format!("replace\t{}\t{}", path(old), path(new)),
        Operation::Remove(at) => format!("rm\t{}", path(at)),
        Operation::RemoveDirectory(at) => format!("rmdir\t{}", path(at)),
    }
}

/// Our engine does the operations, a few batches of them; each must end as the model says.
pub(crate) fn ours(script: &Path, image: &Path, operations: &[(Operation, Outcome)]) -> Verdict {
    let mut text = String::new();
    for (at, (operation, _)) in operations.iter().enumerate() {
        text.push_str(&line(operation));
        text.push('\n');
        if at % 97 == 96 {
            text.push_str("sync\n");
        }
    }
    let mut command = Command::new(script);
    command.arg(image);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let writing = child.stdin.take().map(|mut stdin| {
        let text = text.clone();
        std::thread::spawn(move || stdin.write_all(text.as_bytes()))
    });
    let output = child.wait_with_output()?;
    if let Some(Ok(Err(error))) = writing.map(std::thread::JoinHandle::join) {
        return Err(Stop::Failed(format!(
            "  the script cannot be handed over: {error}"
        )));
    }
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Stop::Failed(format!("  script: {}: {told}", output.status)));
    }
    let answers = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut answers = answers.lines();
    let wanted = operations.iter().map(|(operation, outcome)| (operation, outcome));
    let mut wanted = wanted.into_iter();
    for line in text.lines() {
        let answer = answers.next().unwrap_or("nothing");
        let expected = if line == "sync" {
            "ok"
        } else {
            match wanted.next().map(|(_, outcome)| outcome) {
                Some(Outcome::Exists) => "STATUS_OBJECT_NAME_COLLISION",
                Some(Outcome::Missing) => "STATUS_OBJECT_NAME_NOT_FOUND",
                Some(Outcome::NotEmpty) => "STATUS_DIRECTORY_NOT_EMPTY",
                Some(Outcome::TooManyLinks) => "STATUS_TOO_MANY_LINKS",
                Some(Outcome::Done) | None => "ok",
            }
        };
        if answer != expected {
            return Err(Stop::Failed(format!(
                "  our engine answers `{answer}`, not `{expected}`, to `{line}`"
            )));
        }
    }
    Ok(())
}

/// One operation through a mount.
fn done(root: &Path, operation: &Operation) -> io::Result<()> {
    let at = |path: &Path| root.join(path.strip_prefix("/").unwrap_or(path));
    match operation {
        Operation::Create { path, size, seed } => {
            fs::File::create_new(at(path))?.write_all(&content(0, *size, *seed))
        }
        Operation::Write {
            path,
            offset,
            size,
            seed,
        } => {
            let file = fs::OpenOptions::new().write(true).open(at(path))?;
            file.write_all_at(&content(*offset, *size, *seed), *offset as u64)
        }
        Operation::Resize { path, size } => {
            let file = fs::OpenOptions::new().write(true).open(at(path))?;
            file.set_len(*size as u64)
        }
        Operation::MakeDirectory(path) => fs::create_dir(at(path)),
        Operation::Link(existing, new) => fs::hard_link(at(existing), at(new)),
        Operation::Rename(old, new) | Operation::Replace(old, new) => fs::rename(at(old), at(new)),
        Operation::Remove(path) => fs::remove_file(at(path)),
        Operation::RemoveDirectory(path) => fs::remove_dir(at(path)),
    }
}

/// A mounted driver of others does an operation, which must end as the model says.
pub(crate) fn theirs(root: &Path, operation: &Operation, outcome: Outcome) -> Verdict {
    let result = done(root, operation);
    let kind = result.as_ref().err().map(io::Error::kind);
    let expected = match outcome {
        Outcome::Done => None,
        Outcome::Exists => Some(io::ErrorKind::AlreadyExists),
        Outcome::Missing => Some(io::ErrorKind::NotFound),
        Outcome::NotEmpty => Some(io::ErrorKind::DirectoryNotEmpty),
        Outcome::TooManyLinks => Some(io::ErrorKind::TooManyLinks),
    };
    if kind == expected {
        return Ok(());
    }
    Err(Stop::Failed(format!(
        "  the mount answers {result:?}, not {outcome:?}, to {operation:?}"
    )))
}
