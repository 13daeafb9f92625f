//! What people and programs do to a tree between two updates.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::Verdict;
use crate::judges::truth;

/// A small random generator (SplitMix64), so that a seed is enough to see a failure again.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not zero.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap_or(0)
    }

    /// A number from 0 to 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).unwrap_or(0)) / f64::from(u32::MAX)
    }
}

/// What a file holds: no part of it, and nothing of its length with a hole in it, is such a text.
pub(super) fn text(word: &str, number: impl std::fmt::Display, padding: usize) -> String {
    format!("{word} {number}{}.", "-".repeat(padding))
}

/// Whether this is all that [`text`] gave.
pub(super) fn is_whole(content: &str) -> bool {
    let Some((word, rest)) = content.split_once(' ') else {
        return false;
    };
    let number = rest.find(['-', '.']).map_or(rest, |end| &rest[..end]);
    let padding = content.len().saturating_sub(text(word, number, 0).len());
    number.parse::<u64>().is_ok() && content == text(word, number, padding)
}

/// Edits the tree in five to thirty places and returns the contents that files lost by being written to; `serial`
/// makes every content unique.
pub(crate) fn edit(root: &Path, random: &mut Random, serial: &mut u64) -> Verdict<BTreeSet<String>> {
    let mut overwritten = BTreeSet::new();
    let listing = truth::listing(root)?.into_keys();
    let mut files: Vec<PathBuf> = listing.map(|name| root.join(name)).collect();
    for _ in 0..5 + random.below(26) {
        *serial += 1;
        let content = text("later", *serial, 0);
        let dir = root.join(format!("{}/{:02}", 2001 + random.below(5), 1 + random.below(12)));
        fs::create_dir_all(&dir)?;
        // Names collide often, also with names that were there before.
        let fresh = dir.join(format!("img_{}.jpg", random.below(60)));
        if files.is_empty() {
            fs::write(&fresh, content)?;
            files.push(fresh);
            continue;
        }
        let at = random.below(files.len());
        let file = &files[at];
        match random.below(8) {
            0 | 1 if !fresh.exists() => {
                fs::write(&fresh, content)?;
                files.push(fresh);
            }
            2 if files.len() > 200 => {
                fs::remove_file(file)?;
                files.swap_remove(at);
            }
            3 if !fresh.exists() => {
                fs::rename(file, &fresh)?;
                files[at] = fresh;
            }
            4 => {
                let temporary = file.with_file_name("saving");
                fs::write(&temporary, content)?;
                fs::rename(&temporary, file)?;
            }
            // The same file with another content, under all of its names.
            5 => {
                overwritten.insert(fs::read_to_string(file)?);
                fs::write(file, content)?;
            }
            6 if !fresh.exists() => {
                fs::hard_link(file, &fresh)?;
                files.push(fresh);
            }
            _ => {}
        }
    }
    Ok(overwritten)
}
