//! Rules about one Rust source file.

use super::text::{self, has_word};
use super::{Source, Violation};

/// No file is longer than this: a page that a reader can hold in mind.
pub(crate) const LINES: usize = 800;

/// The only places that may be `unsafe`, as beginnings of paths: Windows' system calls, the pointers that C hands over,
/// and what docs/design/0001 gives the reason for.
const UNSAFE: [&str; 3] = [
    "crates/polylink-capi/src/ffi",
    "crates/polylink-host/src/sys/windows",
    "crates/polylink-host/src/sys/linux/btrfs.rs",
];

/// Crates that see a file system only through `LinkFs`.
pub(crate) const PURE: [&str; 5] = [
    "polylink-view",
    "polylink-usage",
    "polylink-dedupe",
    "polylink-tree",
    "polylink-walk",
];

pub(crate) fn check(source: &Source) -> Vec<Violation> {
    let layers = text::layers(&source.text);
    let code = text::without_tests(&layers.code);
    let mut found = Vec::new();
    found.extend(length(source));
    found.extend(crate_docs(source));
    found.extend(module_file(source));
    for (number, line) in layers.code.lines().enumerate().map(|(at, line)| (at + 1, line)) {
        found.extend(unsafe_code(source, number, line));
        found.extend(leftover(source, number, line));
        found.extend(silent_ignore(source, number, line));
    }
    for (number, line) in layers
        .comments
        .lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line))
    {
        found.extend(open_end(source, number, line));
    }
    for (number, line) in code.lines().enumerate().map(|(at, line)| (at + 1, line)) {
        found.extend(talking(source, number, line));
        found.extend(direct_access(source, number, line));
        found.extend(platform(source, number, line));
    }
    found
}

fn length(source: &Source) -> Option<Violation> {
    let lines = source.text.lines().count();
    (lines > LINES).then(|| {
        source.violation(
            LINES + 1,
            format!("{lines} lines, {LINES} are allowed"),
            "split it: one concept a file",
        )
    })
}

fn crate_docs(source: &Source) -> Option<Violation> {
    let is_root = source.inside() == "src/lib.rs";
    (is_root && !source.text.starts_with("//!")).then(|| {
        source.violation(
            1,
            "a crate without documentation",
            "begin the file with `//! what it is`",
        )
    })
}

fn module_file(source: &Source) -> Option<Violation> {
    source.path.ends_with("/mod.rs").then(|| {
        source.violation(
            1,
            "a `mod.rs`",
            "name it after the module: `foo.rs` beside the folder `foo/`",
        )
    })
}

/// Rule: `unsafe` lives in the Windows system calls and nowhere else.
fn unsafe_code(source: &Source, number: usize, line: &str) -> Option<Violation> {
    let allowed = UNSAFE.iter().any(|home| source.path.starts_with(home));
    (!allowed && has_word(line, "unsafe")).then(|| {
        source.violation(
            number,
            "`unsafe`",
            "use rustix or the standard library; only polylink-host/src/sys/windows may be unsafe",
        )
    })
}

/// Rule: nothing that its author meant to take out again.
fn leftover(source: &Source, number: usize, line: &str) -> Option<Violation> {
    let word = ["todo!", "unimplemented!", "dbg!"]
        .into_iter()
        .find(|word| has_word(line, word))?;
    Some(source.violation(
        number,
        format!("`{word}`"),
        "finish the code, or return an error that says what is missing",
    ))
}

/// Rule: a test that is left out says why.
fn silent_ignore(source: &Source, number: usize, line: &str) -> Option<Violation> {
    line.contains("#[ignore]").then(|| {
        source.violation(
            number,
            "a test left out without a reason",
            "write `#[ignore = \"why\"]` or run it",
        )
    })
}

/// Rule: an open end names its issue.
fn open_end(source: &Source, number: usize, line: &str) -> Option<Violation> {
    let word = [concat!("TO", "DO"), concat!("FIX", "ME")]
        .into_iter()
        .find(|word| has_word(line, word))?;
    let after = line.split_once(word).map_or("", |(_, after)| after);
    let named = after
        .split('#')
        .skip(1)
        .any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    (!named).then(|| {
        source.violation(
            number,
            format!("`{word}` without an issue"),
            "add its number, as `(#12)`",
        )
    })
}

/// Rule: only polylink-cli prints and reads the environment.
fn talking(source: &Source, number: usize, line: &str) -> Option<Violation> {
    let free = ["polylink-cli", "polylink-testutil", "xtask"].contains(&source.package());
    if free || !is_product(source) {
        return None;
    }
    let word = ["print!", "println!", "eprint!", "eprintln!", "env::", "std::env"]
        .into_iter()
        .find(|w| has_word(line, w))?;
    Some(source.violation(
        number,
        format!("`{word}` in a library"),
        "return a value or report through a trait; only polylink-cli prints and reads the environment",
    ))
}

/// Rule: views, usage, dedupe and the walk see a file system only through `LinkFs`.
fn direct_access(source: &Source, number: usize, line: &str) -> Option<Violation> {
    if !PURE.contains(&source.package()) || !is_product(source) {
        return None;
    }
    let word = ["std::fs", "rustix", "libc", "polylink_host"]
        .into_iter()
        .find(|word| has_word(line, word))?;
    // the ledger's own file lies on the host even where the view is on an image (docs/design/0003-ledger.md)
    if word == "std::fs" && source.path.starts_with("crates/polylink-view/src/ledger") {
        return None;
    }
    Some(source.violation(
        number,
        format!("`{word}` in {}", source.package()),
        "go through `LinkFs`, so that the same code runs on the host, on an image and on `MemFs`",
    ))
}

/// Rule: what differs between systems is in polylink-host.
fn platform(source: &Source, number: usize, line: &str) -> Option<Violation> {
    let allowed = source.package() == "polylink-host" || !is_product(source);
    (!allowed && line.contains("target_os")).then(|| {
        source.violation(
            number,
            "`target_os` outside polylink-host",
            "move what differs into polylink-host/src/sys",
        )
    })
}

/// Whether the file is part of what users run: not an integration test, a bench, or the file of a test module.
fn is_product(source: &Source) -> bool {
    source.inside().starts_with("src/")
        && !source.inside().ends_with("tests.rs")
        && !source.inside().contains("/tests/")
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
            .map(|violation| format!("{}: {}", violation.line, violation.what))
            .collect()
    }

    const VIEW: &str = "crates/polylink-view/src/plan.rs";

    #[test]
    fn printing_is_for_the_command_line_alone() {
        for line in [
            "println!(\"a\")",
            "eprint!(\"a\")",
            "let a = std::env::args();",
            "env::var(\"HOME\")",
        ] {
            let text = format!("fn a() {{\n    {line};\n}}\n");
            assert_eq!(found(VIEW, &text).len(), 1, "{line}");
            assert!(found(VIEW, &text)[0].starts_with("2: "), "{line}");
            assert!(found("crates/polylink-cli/src/ui.rs", &text).is_empty(), "{line}");
            assert!(found("xtask/src/main.rs", &text).is_empty(), "{line}");
            assert!(
                found("crates/polylink-view/tests/integration/a.rs", &text).is_empty(),
                "{line}"
            );
        }
        assert!(found(VIEW, "const A: &str = env!(\"CARGO_PKG_VERSION\");").is_empty());
        assert!(found(VIEW, "// println!(\"a\")").is_empty());
    }

    #[test]
    fn pure_crates_do_not_touch_the_host() {
        for line in [
            "use std::fs;",
            "use rustix::fs::Dir;",
            "libc::stat()",
            "use polylink_host::HostFs;",
        ] {
            assert_eq!(found(VIEW, line).len(), 1, "{line}");
            assert!(
                found("crates/polylink-host/src/unix.rs", line).is_empty(),
                "{line}"
            );
            assert!(
                found("crates/polylink-view/src/plan/tests.rs", line).is_empty(),
                "{line}"
            );
            assert!(
                found(VIEW, &format!("#[cfg(test)]\nmod tests {{\n {line}\n}}")).is_empty(),
                "{line}"
            );
        }
    }

    #[test]
    fn systems_differ_only_in_the_host_crate() {
        let text = "#[cfg(target_os = \"linux\")]\nfn a() {}";
        assert_eq!(found(VIEW, text), ["1: `target_os` outside polylink-host"]);
        assert_eq!(
            found(VIEW, "#[cfg(any(unix, target_os = \"a\"))]\nfn a() {}").len(),
            1
        );
        assert!(found("crates/polylink-host/src/sys/linux.rs", text).is_empty());
    }

    #[test]
    fn unsafe_code_has_one_home() {
        for line in ["unsafe { a() }", "unsafe fn a() {}", "unsafe impl Send for A {}"] {
            assert_eq!(found(VIEW, line).len(), 1, "{line}");
            assert_eq!(
                found("crates/polylink-host/src/sys/linux.rs", line).len(),
                1,
                "{line}"
            );
            assert!(
                found("crates/polylink-host/src/sys/windows/link.rs", line).is_empty(),
                "{line}"
            );
        }
        assert!(found(VIEW, "#![forbid(unsafe_code)]").is_empty());
        assert!(found(VIEW, "// nothing unsafe here").is_empty());
    }

    #[test]
    fn files_end_before_they_tire() {
        assert!(found(VIEW, &"fn a() {}\n".repeat(LINES)).is_empty());
        assert_eq!(
            found(VIEW, &"fn a() {}\n".repeat(LINES + 1)),
            ["801: 801 lines, 800 are allowed"]
        );
    }

    #[test]
    fn crates_begin_with_what_they_are() {
        assert_eq!(found("crates/polylink-view/src/lib.rs", "mod a;").len(), 1);
        assert!(found("crates/polylink-view/src/lib.rs", "//! Flat views.\nmod a;").is_empty());
    }

    #[test]
    fn nothing_unfinished_without_a_reason() {
        assert_eq!(found(VIEW, "fn a() { todo!() }").len(), 1);
        assert_eq!(found(VIEW, "fn a() { unimplemented!(\"b\") }").len(), 1);
        assert_eq!(found(VIEW, "fn a() { dbg!(1); }").len(), 1);
        assert_eq!(found(VIEW, "#[ignore]\nfn a() {}").len(), 1);
        assert!(found(VIEW, "#[ignore = \"needs a disk\"]\nfn a() {}").is_empty());
        for word in [concat!("TO", "DO"), concat!("FIX", "ME")] {
            assert_eq!(found(VIEW, &format!("// {word}: later")).len(), 1, "{word}");
            assert!(
                found(VIEW, &format!("// {word}(#12): later")).is_empty(),
                "{word}"
            );
        }
    }

    #[test]
    fn modules_are_named_after_themselves() {
        assert_eq!(
            found("crates/polylink-view/src/plan/mod.rs", "fn a() {}").len(),
            1
        );
        assert!(found("crates/polylink-view/src/plan.rs", "fn a() {}").is_empty());
    }
}
