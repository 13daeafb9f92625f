//! Programs of others that do the same work.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::shell::{self, Context as _, Result};

/// A peer from crates.io: the row that it is for, its package, version, and the name of its program.
const CRATES: [(&str, &str, &str, &str); 5] = [
    ("usage", "dua-cli", "2.32.2", "dua"),
    ("usage", "parallel-disk-usage", "0.24.0", "pdu"),
    ("usage", "du-dust", "1.2.7", "dust"),
    ("ntfs", "mft", "0.9.1", "mft_dump"),
    ("dedupe", "fclones", "0.35.0", "fclones"),
];

/// The program that lists an image with the `ntfs` crate, which brings none: it is built from this.
pub(crate) const NTFS_CRATE: &str = "ntfs-crate";
/// The program that adds names to an image with the crate `rust-fs-ntfs`.
pub(crate) const FS_NTFS_CRATE: &str = "fs-ntfs-crate";

/// A peer that is a library: the row that it is for, the name of its program here, the program, the crate and its version.
const OWN: [(&str, &str, &str, &str, &str); 2] = [
    (
        "ntfs",
        NTFS_CRATE,
        include_str!("peers/ntfs_crate.rs"),
        "ntfs",
        "0.4.0",
    ),
    (
        "ntfs-write",
        FS_NTFS_CRATE,
        include_str!("peers/fs_ntfs_crate.rs"),
        "rust-fs-ntfs",
        "0.10.2",
    ),
];

fn folder() -> PathBuf {
    shell::target_dir().join("peers")
}

/// Installs what is missing of the peers from crates.io for the wanted rows, once; without network they are missing from
/// the table.
pub(crate) fn install(wanted: impl Fn(&str) -> bool) -> Result {
    for (row, package, version, program) in CRATES {
        if !wanted(row) || find(program).is_some() {
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
    for (row, program, source, library, version) in OWN {
        if wanted(row)
            && find(program).is_none()
            && let Err(failure) = install_own(program, source, library, version)
        {
            eprintln!("warning: {failure}");
        }
    }
    Ok(())
}

fn install_own(program: &str, main: &str, library: &str, version: &str) -> Result {
    eprintln!("installing a program that uses {library} {version} …");
    let package = folder().join(program);
    let (source, manifest) = (package.join("src"), package.join("Cargo.toml"));
    fs::create_dir_all(&source).at(&source)?;
    let text = format!(
        "[package]\nname = \"{program}\"\nversion = \"{version}\"\nedition = \"2024\"\n\n\
         [dependencies]\n{library} = \"={version}\"\n\n[profile.release]\nlto = \"thin\"\n\n[workspace]\n"
    );
    fs::write(&manifest, text).at(&manifest)?;
    let path = source.join("main.rs");
    fs::write(&path, main).at(&path)?;
    let mut install = shell::cargo();
    install
        .args(["install", "--quiet", "--root"])
        .arg(folder())
        .arg("--path")
        .arg(&package);
    shell::run(&mut install)
}

/// A peer's program: from crates.io where it is one of those, else from PATH.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    if is_own(program) || CRATES.iter().any(|(.., name)| *name == program) {
        let path = folder().join("bin").join(program);
        return path.is_file().then_some(path);
    }
    shell::which(program)
}

fn is_own(program: &str) -> bool {
    OWN.iter().any(|(_, name, ..)| *name == program)
}

/// How to get a peer that is missing.
pub(crate) fn advice(program: &str) -> String {
    match CRATES.iter().find(|(.., name)| *name == program) {
        Some((_, package, version, _)) => format!("peer missing: `cargo install {package}@{version}`"),
        None if is_own(program) => "peer missing: it could not be built".to_owned(),
        None if program == "fls" => "peer missing: `apt-get install sleuthkit`".to_owned(),
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
