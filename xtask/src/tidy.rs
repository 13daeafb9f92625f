//! `cargo xtask tidy`: the rules of this repository that a program can check.
//!
//! Every check is a function from text to violations, so that its test can show it a sentence that breaks the rule:
//! a check that never fires is worse than none. This file finds the files and prints; the rules are in the modules.

mod licences;
mod manifest;
mod repo;
mod rust;
mod text;

use std::path::{Path, PathBuf};
use std::{fmt, fs};

use crate::shell::{self, Context as _, Failure, Result};

/// One broken rule: where, what, and how to mend it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) what: String,
    pub(crate) fix: &'static str,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.what, self.fix)
    }
}

/// A text file of the repository, with its path below the root written with `/`.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    /// The package that the file belongs to: `polylink-view` or `xtask`.
    pub(crate) fn package(&self) -> &str {
        let mut parts = self.path.split('/');
        match parts.next() {
            Some("crates") => parts.next().unwrap_or(""),
            Some(first) => first,
            None => "",
        }
    }

    /// The path inside the package: `src/lib.rs`.
    pub(crate) fn inside(&self) -> &str {
        let rest = self.path.strip_prefix("crates/").unwrap_or(&self.path);
        rest.split_once('/').map_or("", |(_, inside)| inside)
    }

    pub(crate) fn violation(&self, line: usize, what: impl Into<String>, fix: &'static str) -> Violation {
        Violation {
            path: self.path.clone(),
            line,
            what: what.into(),
            fix,
        }
    }
}

pub(crate) fn run() -> Result {
    let root = shell::root();
    let mut violations = Vec::new();
    let mut all = Vec::new();
    let mut real_windows = Vec::new();
    for top in ["crates", "xtask"] {
        collect(&root, &root.join(top), &mut all)?;
    }
    all.sort();
    for path in &all {
        let is_rust = path.ends_with(".rs");
        if !is_rust && !path.ends_with("/Cargo.toml") {
            continue;
        }
        let file = root.join(path);
        let text = fs::read_to_string(&file).at(&file)?;
        let source = Source {
            path: path.clone(),
            text,
        };
        if is_rust {
            violations.extend(rust::check(&source));
            let tests = repo::tests_for_windows(&source);
            real_windows.extend(tests.into_iter().map(|(line, name)| (path.clone(), line, name)));
        } else {
            violations.extend(manifest::check(&source));
        }
    }
    violations.extend(repo::test_layout(&all, |path| {
        fs::read_to_string(root.join(path)).unwrap_or_default()
    }));
    violations.extend(repo::documents(
        |path| fs::read_to_string(root.join(path)).ok(),
        |dir| fs::read_dir(root.join(dir)).map_or(0, |entries| entries.flatten().count()),
    ));
    let limits = fs::read_to_string(root.join("docs/limits.md")).unwrap_or_default();
    violations.extend(repo::real_windows(&real_windows, &limits));
    let tree = shell::output(shell::cargo().args([
        "tree",
        "--package",
        "polylink-cli",
        "--edges",
        "normal",
        "--prefix",
        "none",
    ]))?;
    violations.extend(manifest::closure(&String::from_utf8_lossy(&tree)));
    // what builds it as well: build scripts and macros leave their work in it
    let tree = shell::output(shell::cargo().args([
        "tree",
        "--package",
        "polylink-cli",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--format",
        licences::FORMAT,
    ]))?;
    let deny = root.join("deny.toml");
    let allowed = licences::Allowed::read(&fs::read_to_string(&deny).at(&deny)?);
    violations.extend(licences::check(&String::from_utf8_lossy(&tree), &allowed));

    for violation in &violations {
        println!("{violation}");
    }
    match violations.len() {
        0 => {
            println!("tidy: {} files, every rule kept", all.len());
            Ok(())
        }
        count => Err(Failure(format!("tidy: {count} rules broken"))),
    }
}

fn collect(root: &Path, dir: &Path, found: &mut Vec<String>) -> Result {
    let Ok(entries) = fs::read_dir(dir) else {
        return Ok(());
    };
    for entry in entries {
        let entry = entry.at(dir)?;
        let path: PathBuf = entry.path();
        let kind = entry.file_type().at(&path)?;
        if kind.is_dir() {
            if entry.file_name() != "target" {
                collect(root, &path, found)?;
            }
        } else if kind.is_file()
            && let Ok(below) = path.strip_prefix(root)
            && let Some(text) = below.to_str()
        {
            found.push(text.replace('\\', "/"));
        }
    }
    Ok(())
}
