//! Programs of others that do the same work.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::shell::{self, Context as _, Result};

/// A peer from crates.io: package, version, and the name of its program.
const CRATES: [(&str, &str, &str); 4] = [
    ("dua-cli", "2.32.2", "dua"),
    ("parallel-disk-usage", "0.24.0", "pdu"),
    ("du-dust", "1.2.7", "dust"),
    ("mft", "0.9.1", "mft_dump"),
];

/// The program that lists an image with the `ntfs` crate, which brings none: it is built from this.
pub(crate) const NTFS_CRATE: &str = "ntfs-crate";
const NTFS_CRATE_MAIN: &str = include_str!("peers/ntfs_crate.rs");
const NTFS_CRATE_MANIFEST: &str = r#"[package]
name = "ntfs-crate"
version = "0.4.0"
edition = "2024"

[dependencies]
ntfs = "=0.4.0"

[profile.release]
lto = "thin"

[workspace]
"#;

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
    if find(NTFS_CRATE).is_none()
        && let Err(failure) = install_ntfs_crate()
    {
        eprintln!("warning: {failure}");
    }
    Ok(())
}

fn install_ntfs_crate() -> Result {
    eprintln!("installing a program that uses ntfs 0.4.0 …");
    let package = folder().join(NTFS_CRATE);
    let (source, manifest) = (package.join("src"), package.join("Cargo.toml"));
    fs::create_dir_all(&source).at(&source)?;
    fs::write(&manifest, NTFS_CRATE_MANIFEST).at(&manifest)?;
    let main = source.join("main.rs");
    fs::write(&main, NTFS_CRATE_MAIN).at(&main)?;
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
    if program == NTFS_CRATE || CRATES.iter().any(|(_, _, name)| *name == program) {
        let path = folder().join("bin").join(program);
        return path.is_file().then_some(path);
    }
    shell::which(program)
}

/// How to get a peer that is missing.
pub(crate) fn advice(program: &str) -> String {
    match CRATES.iter().find(|(_, _, name)| *name == program) {
        Some((package, version, _)) => format!("peer missing: `cargo install {package}@{version}`"),
        None if program == NTFS_CRATE => "peer missing: it could not be built".to_owned(),
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
