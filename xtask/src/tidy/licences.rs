//! The licences and the sources of what the binary is built from: two rules of `deny.toml`, for machines without cargo-deny.

use std::collections::BTreeSet;

use super::Violation;

/// How `cargo tree` is to print a crate.
pub(crate) const FORMAT: &str = "{p}|{l}";

/// The licences that `deny.toml` allows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Allowed {
    licences: Vec<String>,
}

impl Allowed {
    /// Reads the list behind `allow`. Exceptions for single crates are for such as only tests use, which are not judged
    /// here.
    pub(crate) fn read(deny: &str) -> Self {
        Self {
            licences: list(deny, "allow"),
        }
    }

    /// Whether one may go by this licence, an expression of SPDX with `OR`, `AND`, `WITH` and parentheses; `/` is an old
    /// form of `OR`.
    fn permits(&self, expression: &str) -> bool {
        let spaced = expression
            .replace('(', " ( ")
            .replace(')', " ) ")
            .replace('/', " OR ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let mut at = 0;
        self.any(&words, &mut at) == Some(true) && at == words.len()
    }

    fn any(&self, words: &[&str], at: &mut usize) -> Option<bool> {
        let mut one = self.all(words, at)?;
        while words.get(*at) == Some(&"OR") {
            *at += 1;
            one |= self.all(words, at)?;
        }
        Some(one)
    }

    fn all(&self, words: &[&str], at: &mut usize) -> Option<bool> {
        let mut every = self.single(words, at)?;
        while words.get(*at) == Some(&"AND") {
            *at += 1;
            every &= self.single(words, at)?;
        }
        Some(every)
    }

    fn single(&self, words: &[&str], at: &mut usize) -> Option<bool> {
        let word = *words.get(*at)?;
        *at += 1;
        if word == "(" {
            let inner = self.any(words, at)?;
            let closed = words.get(*at) == Some(&")");
            *at += 1;
            return closed.then_some(inner);
        }
        let mut name = word.to_owned();
        if words.get(*at) == Some(&"WITH") {
            name = format!("{word} WITH {}", words.get(*at + 1)?);
            *at += 2;
        }
        Some(self.licences.contains(&name))
    }
}

/// The strings of a list in a TOML file, which begins with `key = [` on a line of its own.
fn list(toml: &str, key: &str) -> Vec<String> {
    let start = format!("{key} = [");
    let Some((_, rest)) = toml
        .match_indices(&start)
        .map(|(at, _)| toml.split_at(at))
        .find(|(before, _)| before.is_empty() || before.ends_with('\n'))
    else {
        return Vec::new();
    };
    let inside = rest[start.len()..].split(']').next().unwrap_or_default();
    inside.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Rule: each crate has a licence that is allowed, and comes from the registry; `tree` is what `cargo tree` prints with
/// [`FORMAT`]. Our own crates are those with a path.
pub(crate) fn check(tree: &str, allowed: &Allowed) -> Vec<Violation> {
    let lines: BTreeSet<&str> = tree
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .filter(|line| !line.is_empty())
        .collect();
    let mut found = Vec::new();
    let mut tell = |what: String, fix| {
        found.push(Violation {
            path: "Cargo.toml".to_owned(),
            line: 1,
            what,
            fix,
        });
    };
    for line in lines {
        let (package, licence) = line.split_once('|').unwrap_or((line, ""));
        let mut parts = package.split(" (");
        let name = parts.next().unwrap_or_default();
        let sources: Vec<&str> = parts.filter(|part| *part != "proc-macro)").collect();
        if sources.iter().any(|source| source.contains("://")) {
            tell(
                format!("{name} comes from {}", sources.join(" (").trim_end_matches(')')),
                "take it from crates.io",
            );
        } else if sources.is_empty() && !allowed.permits(licence) {
            tell(
                format!("{name} has the licence `{licence}`, which deny.toml does not allow"),
                "do without it, or allow the licence with a reason in the commit",
            );
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENY: &str = "[licenses]\n# not allow = [\"GPL-3.0\"]\nallow = [\n    \"MIT\",\n    \"Unicode-3.0\",\n    \
        \"Apache-2.0 WITH LLVM-exception\",\n]\nexceptions = [{ allow = [\"MPL-2.0\"], crate = \"cbindgen\" }]\n";

    #[test]
    fn the_list_of_deny_is_read() {
        let allowed = Allowed::read(DENY);
        assert_eq!(
            allowed.licences,
            ["MIT", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"]
        );
        let ours = Allowed::read(include_str!("../../../deny.toml"));
        assert!(ours.permits("MIT OR Apache-2.0") && !ours.permits("GPL-3.0"));
    }

    #[test]
    fn expressions_mean_what_spdx_says() {
        let allowed = Allowed::read(DENY);
        for licence in [
            "MIT",
            "MIT OR GPL-3.0",
            "GPL-3.0/MIT",
            "MIT AND Unicode-3.0",
            "(GPL-3.0 OR MIT) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
        ] {
            assert!(allowed.permits(licence), "{licence}");
        }
        for licence in [
            "",
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "Apache-2.0",
            "MIT WITH exception",
            "(MIT",
            "MIT)",
            "MIT OR",
            "GPL-3.0 OR (MIT AND GPL-3.0)",
        ] {
            assert!(!allowed.permits(licence), "{licence}");
        }
    }

    #[test]
    fn a_crate_with_another_licence_or_from_elsewhere_is_told() {
        let tree = "ours v1.0.0 (/home/polylink)|none\ngood v1.0.0|MIT\ngood v1.0.0|MIT (*)\n\
            macros v1.0.0 (proc-macro)|MIT\nbad v2.0.0|GPL-3.0\nbad v2.0.0|GPL-3.0 (*)\nbare v3.0.0|\n\
            far v4.0.0 (https://far.example/x?branch=main#1234)|MIT\nworse v5.0.0 (proc-macro)|GPL-3.0\n";
        let found: Vec<String> = check(tree, &Allowed::read(DENY))
            .into_iter()
            .map(|violation| violation.what)
            .collect();
        assert_eq!(
            found,
            [
                "bad v2.0.0 has the licence `GPL-3.0`, which deny.toml does not allow",
                "bare v3.0.0 has the licence ``, which deny.toml does not allow",
                "far v4.0.0 comes from https://far.example/x?branch=main#1234",
                "worse v5.0.0 has the licence `GPL-3.0`, which deny.toml does not allow",
            ]
        );
    }
}
