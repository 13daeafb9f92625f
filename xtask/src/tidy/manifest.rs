//! Rules about the `Cargo.toml` of a package, and about what the binary drags in.

use std::collections::BTreeSet;

use super::rust::PURE;
use super::{Source, Violation};

/// The binary is built from fewer crates than this.
const CLOSURE: usize = 120;

pub(crate) fn check(source: &Source) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut section = String::new();
    let mut licence = false;
    let mut lints = false;
    for (number, line) in source
        .text
        .lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line.trim()))
    {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']).trim().to_owned();
            if section.contains("dependencies.") {
                found.push(source.violation(
                    number,
                    format!("`{line}`"),
                    "write dependencies on one line, as `name.workspace = true`",
                ));
            }
            continue;
        }
        licence |= section == "package" && is(line, "license.workspace", "true");
        lints |= section == "lints" && is(line, "workspace", "true");
        let dependency = section.ends_with("dependencies") && !line.is_empty() && !line.starts_with('#');
        if dependency {
            found.extend(version(source, number, line));
            if section == "dependencies" || section.ends_with(".dependencies") {
                found.extend(purity(source, number, line));
            }
        }
    }
    if !licence {
        found.push(source.violation(1, "no licence", "add `license.workspace = true` to `[package]`"));
    }
    if !lints {
        found.push(source.violation(
            1,
            "not under the workspace's lints",
            "add `[lints]` with `workspace = true`",
        ));
    }
    found
}

fn is(line: &str, key: &str, value: &str) -> bool {
    line.split_once('=')
        .is_some_and(|(left, right)| left.trim() == key && right.trim() == value)
}

/// Rule: versions stand in one place, the workspace.
fn version(source: &Source, number: usize, line: &str) -> Option<Violation> {
    let (name, value) = line.split_once('=')?;
    let flat: String = value.chars().filter(|c| !c.is_whitespace()).collect();
    let shared =
        name.trim().ends_with(".workspace") || flat.contains("workspace=true") || flat.contains("path=");
    (!shared).then(|| {
        source.violation(
            number,
            format!("a version of its own for `{}`", name.trim()),
            "put it into the root's [workspace.dependencies] and write `workspace = true`",
        )
    })
}

/// Rule: crates that see a file system only through `LinkFs` cannot even name another way.
fn purity(source: &Source, number: usize, line: &str) -> Option<Violation> {
    if !PURE.contains(&source.package()) {
        return None;
    }
    let name = line.split(['=', '.']).next()?.trim().trim_matches('"');
    ["polylink-host", "rustix", "libc"].contains(&name).then(|| {
        source.violation(
            number,
            format!("`{name}` in {}", source.package()),
            "go through `LinkFs`; as a dev-dependency it is allowed",
        )
    })
}

/// Rule: the binary's closure, as `cargo tree --prefix none` prints it, stays small.
pub(crate) fn closure(tree: &str) -> Option<Violation> {
    let names: BTreeSet<&str> = tree
        .lines()
        .filter_map(|line| line.split(" (").next())
        .filter(|l| !l.is_empty())
        .collect();
    (names.len() >= CLOSURE).then(|| Violation {
        path: "Cargo.toml".to_owned(),
        line: 1,
        what: format!(
            "polylink-cli is built from {} crates, fewer than {CLOSURE} are allowed",
            names.len()
        ),
        fix: "do without a dependency, or turn off its default features",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        let source = Source {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        check(&source)
            .into_iter()
            .map(|violation| violation.what)
            .collect()
    }

    const GOOD: &str = "[package]\nlicense.workspace = true\n\n[dependencies]\nclap.workspace = true\n\
        redb = { workspace = true }\nother = { path = \"../other\" }\n\n[lints]\nworkspace = true\n";

    #[test]
    fn a_manifest_that_keeps_the_rules_is_left_alone() {
        assert!(found("crates/polylink-cli/Cargo.toml", GOOD).is_empty());
    }

    #[test]
    fn licence_and_lints_come_from_the_workspace() {
        let without = |line: &str| found("crates/polylink-cli/Cargo.toml", &GOOD.replace(line, ""));
        assert_eq!(without("license.workspace = true\n"), ["no licence"]);
        assert_eq!(
            without("[lints]\nworkspace = true\n"),
            ["not under the workspace's lints"]
        );
    }

    #[test]
    fn versions_stand_in_the_workspace() {
        for line in [
            "a = \"1\"",
            "a = { version = \"1\", features = [\"b\"] }",
            "a = { git = \"x\" }",
        ] {
            let text = GOOD.replace("clap.workspace = true", line);
            assert_eq!(
                found("crates/polylink-cli/Cargo.toml", &text),
                ["a version of its own for `a`"],
                "{line}"
            );
        }
        let text = format!("{GOOD}\n[dependencies.a]\nversion = \"1\"\n");
        assert_eq!(found("crates/polylink-cli/Cargo.toml", &text).len(), 1);
        let text = format!("{GOOD}\n[target.'cfg(unix)'.dev-dependencies]\na = \"1\"\n");
        assert_eq!(found("crates/polylink-cli/Cargo.toml", &text).len(), 1);
    }

    #[test]
    fn pure_crates_cannot_name_the_host() {
        let text = GOOD.replace("clap.workspace", "polylink-host.workspace");
        assert_eq!(
            found("crates/polylink-view/Cargo.toml", &text),
            ["`polylink-host` in polylink-view"]
        );
        assert!(found("crates/polylink-cli/Cargo.toml", &text).is_empty());
        let text = format!("{GOOD}\n[dev-dependencies]\nrustix.workspace = true\n");
        assert!(found("crates/polylink-view/Cargo.toml", &text).is_empty());
    }

    #[test]
    fn the_closure_is_counted_once_a_crate() {
        let tree = |count: usize| (0..count).map(|at| format!("a{at} v1.0.0\n")).collect::<String>();
        assert!(closure(&tree(CLOSURE - 1)).is_none());
        assert!(closure(&tree(CLOSURE)).is_some());
        assert!(closure(&format!("{0}{0}", tree(CLOSURE - 1))).is_none());
        assert!(closure(&format!("{}a1 v1.0.0 (*)\n", tree(CLOSURE - 1))).is_none());
    }
}
