//! Programs of others that do the same work.

use std::path::PathBuf;
use std::process::Command;

use crate::shell::{self, Result};

/// A peer from crates.io: package, version, and the name of its program.
const CRATES: [(&str, &str, &str); 3] = [
    ("dua-cli", "2.32.2", "dua"),
    ("parallel-disk-usage", "0.24.0", "pdu"),
    ("du-dust", "1.2.7", "dust"),
];

fn folder() -> PathBuf {
    shell::target_dir().join("peers")
}

/// Installs what is missing of the peers from crates.io, once; without network they are missing from the table.
pub(crate) fn install() -> Result {
    for (package, version, program) in CRATES {
        if find(program).is_some() {
            continue;
        }
        eprintln!("installing {package} {version} …");
        let mut install = shell::cargo();
        install
            .args(["install", "--quiet", "--locked", "--root"])
            .arg(folder())
            .arg(format!("{package}@{version}"));
        if let Err(failure) = shell::run(&mut install) {
            eprintln!("warning: {failure}");
        }
    }
    Ok(())
}

/// A peer's program: from crates.io where it is one of those, else from PATH.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    if CRATES.iter().any(|(_, _, name)| *name == program) {
        let path = folder().join("bin").join(program);
        return path.is_file().then_some(path);
    }
    shell::which(program)
}

/// How to get a peer that is missing.
pub(crate) fn advice(program: &str) -> String {
    match CRATES.iter().find(|(_, _, name)| *name == program) {
        Some((package, version, _)) => format!("peer missing: `cargo install {package}@{version}`"),
        None => format!("peer missing: `apt-get install {program}`"),
    }
}

/// A command of a peer, or how to get it.
pub(crate) fn command(program: &str, args: &[&str]) -> std::result::Result<Command, String> {
    let path = find(program).ok_or_else(|| advice(program))?;
    let mut command = Command::new(path);
    command.args(args);
    Ok(command)
}
