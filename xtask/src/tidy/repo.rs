//! Rules about which files there are.

use super::text::{self, has_word};
use super::{Source, Violation};

/// The two commands that the README opens with.
const COMMANDS: [&str; 2] = ["cargo run --release -- demo", "cargo test --workspace"];

/// Files without which the repository is not whole.
const FILES: [&str; 6] = [
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
];

/// Folders that hold something.
const FOLDERS: [(&str, &str); 2] = [
    ("exports", "run `cargo xtask exports`"),
    ("docs/guide", "write a page for each job that people have"),
];

fn violation(path: &str, what: impl Into<String>, fix: &'static str) -> Violation {
    Violation {
        path: path.to_owned(),
        line: 1,
        what: what.into(),
        fix,
    }
}

/// Rule: documents and licences are there; `read` gives a file's text, `count` the number of entries of a folder.
pub(crate) fn documents(
    read: impl Fn(&str) -> Option<String>,
    count: impl Fn(&str) -> usize,
) -> Vec<Violation> {
    let mut found = Vec::new();
    for path in FILES {
        if read(path).is_none_or(|text| text.trim().is_empty()) {
            found.push(violation(path, "missing or empty", "write it"));
        }
    }
    let readme = read("README.md").unwrap_or_default();
    for command in COMMANDS {
        if !readme.contains(command) {
            found.push(violation(
                "README.md",
                format!("does not say `{command}`"),
                "it is the first thing to try",
            ));
        }
    }
    for (path, fix) in FOLDERS {
        if count(path) == 0 {
            found.push(violation(path, "an empty folder", fix));
        }
    }
    found
}

/// Rule: one integration binary a crate, `tests/integration/main.rs`, which names every file beside it.
pub(crate) fn test_layout(paths: &[String], read: impl Fn(&str) -> String) -> Vec<Violation> {
    let mut found = Vec::new();
    for path in paths.iter().filter(|path| path.ends_with(".rs")) {
        let Some((package, inside)) = path.split_once("/tests/") else {
            continue;
        };
        if package.contains("/src") {
            continue;
        }
        let parts: Vec<&str> = inside.split('/').collect();
        match parts[..] {
            [_] => found.push(violation(
                path,
                "an integration binary of its own",
                "move it to `tests/integration/` and name it in `main.rs`: every further binary is linked anew",
            )),
            ["integration", "main.rs"] => {}
            ["integration", file] => {
                let main = format!("{package}/tests/integration/main.rs");
                let module = file.strip_suffix(".rs").unwrap_or(file);
                if !read(&main).lines().any(|line| has_word(line, &format!("mod {module};"))) {
                    found.push(violation(path, "a test file that nothing runs", "add it to `main.rs` as `mod NAME;`"));
                }
            }
            // the peak of memory is that of a process, so hostile inputs have one of their own
            ["fuzz", "main.rs"] => {}
            [_, "main.rs"] => {
                found.push(violation(path, "a second integration binary", "one a crate: `tests/integration/main.rs`"));
            }
            _ => {}
        }
    }
    found
}

/// How the tests begin that only a real Windows can pass.
const REAL_WINDOWS: &str = "real_windows_";
/// Where each of them is listed, without that beginning.
const LIMITS: &str = "docs/limits.md";

/// The tests of a source that only a real Windows can pass: line, and name without its beginning.
pub(crate) fn tests_for_windows(source: &Source) -> Vec<(usize, String)> {
    let code = text::layers(&source.text).code;
    let lines = code.lines().zip(1..);
    lines
        .filter_map(|(line, number)| {
            let (_, rest) = line.split_once(&format!("fn {REAL_WINDOWS}"))?;
            let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
            Some((number, name.to_owned()))
        })
        .collect()
}

/// Rule: what only a real Windows can confirm is listed for whoever has one; `tests` are each source's own.
pub(crate) fn real_windows(tests: &[(String, usize, String)], limits: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, line, name) in tests {
        if !limits.contains(&format!("`{name}`")) {
            found.push(Violation {
                path: path.clone(),
                line: *line,
                what: format!("`{REAL_WINDOWS}{name}` is not in {LIMITS}"),
                fix: "name it in the table under \"Windows\", with what it answers",
            });
        }
    }
    // the table itself: from its head to the line that is none of it
    let rows = limits
        .lines()
        .enumerate()
        .skip_while(|(_, line)| !(line.starts_with('|') && line.contains(REAL_WINDOWS)))
        .skip(2)
        .take_while(|(_, line)| line.starts_with('|'));
    for (at, row) in rows {
        let cell = row
            .trim_end()
            .trim_end_matches('|')
            .rsplit('|')
            .next()
            .unwrap_or("");
        for name in cell.split('`').skip(1).step_by(2) {
            if !tests.iter().any(|(_, _, test)| test == name) {
                found.push(Violation {
                    path: LIMITS.to_owned(),
                    line: at + 1,
                    what: format!("there is no test `{REAL_WINDOWS}{name}`"),
                    fix: "write it as the test is called, without the beginning, or take it out",
                });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(path: &str) -> Option<String> {
        Some(if path == "README.md" {
            COMMANDS.join("\n")
        } else {
            "text".to_owned()
        })
    }

    #[test]
    fn a_whole_repository_is_left_alone() {
        assert!(documents(whole, |_| 1).is_empty());
    }

    #[test]
    fn each_missing_document_is_named() {
        for missing in FILES {
            let found = documents(|path| whole(path).filter(|_| path != missing), |_| 1);
            assert!(
                found
                    .iter()
                    .any(|v| v.path == missing && v.what == "missing or empty"),
                "{missing}"
            );
        }
        assert_eq!(
            documents(|path| whole(path).map(|text| text.replace("demo", "")), |_| 1).len(),
            1
        );
        for (empty, _) in FOLDERS {
            assert_eq!(
                documents(whole, |path| usize::from(path != empty)).len(),
                1,
                "{empty}"
            );
        }
    }

    fn layout(paths: &[&str], main: &str) -> usize {
        let paths: Vec<String> = paths.iter().map(|&path| path.to_owned()).collect();
        test_layout(&paths, |_| main.to_owned()).len()
    }

    #[test]
    fn one_integration_binary_that_runs_every_file() {
        assert_eq!(
            layout(
                &[
                    "crates/a/tests/integration/main.rs",
                    "crates/a/tests/integration/b.rs"
                ],
                "mod b;"
            ),
            0
        );
        assert_eq!(layout(&["crates/a/tests/integration/b.rs"], "mod c;"), 1);
        assert_eq!(layout(&["crates/a/tests/b.rs"], ""), 1);
        assert_eq!(layout(&["crates/a/tests/other/main.rs"], ""), 1);
        assert_eq!(layout(&["crates/a/src/plan/tests/b.rs"], ""), 0);
        assert_eq!(layout(&["crates/a/tests/integration/b/c.rs"], "mod b;"), 0);
    }

    #[test]
    fn tests_of_a_real_windows_are_found_in_code_alone() {
        let source = Source {
            path: "crates/a/tests/integration/b.rs".to_owned(),
            text: "#[test]\nfn real_windows_one() {}\n// fn real_windows_two()\nlet a = \"fn real_windows_three()\";\n\
                   pub fn real_windows_four<T>() {}\n"
                .to_owned(),
        };
        let found = tests_for_windows(&source);
        assert_eq!(found, [(2, "one".to_owned()), (5, "four".to_owned())]);
    }

    #[test]
    fn tests_of_a_real_windows_are_listed_and_no_others() {
        let table = |rows: &str| {
            format!(
                "text `one`\n\n| row | test `real_windows_\u{2026}` |\n|---|---|\n{rows}\n\n| `x` | `three` |\n"
            )
        };
        let told = |tests: &[&str], limits: &str| {
            let test = |name: &&str| ("a.rs".to_owned(), 7, (*name).to_owned());
            let tests: Vec<_> = tests.iter().map(test).collect();
            let found = real_windows(&tests, limits);
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let both = table("| `what` | `one`, `two` |");
        assert!(told(&["one", "two"], &both).is_empty());
        let missing = told(&["one", "two", "on"], &both);
        assert_eq!(missing.len(), 1, "{missing:?}");
        assert!(
            missing[0].starts_with("a.rs:7: `real_windows_on` is not in docs/limits.md"),
            "{missing:?}"
        );
        let stale = told(&["one"], &both);
        assert_eq!(stale.len(), 1, "{stale:?}");
        assert!(
            stale[0].starts_with("docs/limits.md:5: there is no test `real_windows_two`"),
            "{stale:?}"
        );
        assert_eq!(told(&["one"], "").len(), 1);
    }
}
