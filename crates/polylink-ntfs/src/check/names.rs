//! Names: one by one, in pairs of a long name and its 8.3 twin, and against the entries of directories.

use std::collections::HashMap;

use polylink_nt::name::Namespace;
use zerocopy::FromBytes as _;

use super::issue::{Issue, IssueKind, Spot, text};
use super::states::{Seen, State};
use super::{Audit, Part};
use crate::index::I30;
use crate::layout::value;
use crate::record::units;
use crate::units::{FileReference, RecordNumber};

/// What tells one name from another, be it in a record or in a directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Key<'a> {
    pub(super) parent: FileReference,
    pub(super) namespace: u8,
    /// UTF-16, little-endian.
    pub(super) name: &'a [u8],
}

impl<'a> Key<'a> {
    /// Takes the value of a `$FILE_NAME`, or the key of an index entry, apart.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, &'static str> {
        let (fixed, rest) =
            value::FileName::ref_from_prefix(bytes).map_err(|_| "it has less than 66 bytes")?;
        let name = rest
            .get(..usize::from(fixed.name_len).saturating_mul(2))
            .ok_or("its name is longer than the value")?;
        if name.is_empty() {
            return Err("its name is empty");
        }
        Ok(Self {
            parent: FileReference(fixed.parent.get()),
            namespace: fixed.namespace,
            name,
        })
    }

    pub(super) fn text(&self) -> String {
        text(&units(self.name))
    }

    fn is(&self, namespace: Namespace) -> bool {
        self.namespace == namespace.byte()
    }

    /// Whether it is a name of its own, not an 8.3 twin.
    pub(super) fn is_link(&self) -> bool {
        !self.is(Namespace::Dos)
    }

    pub(super) fn owned(&self) -> OwnedKey {
        OwnedKey {
            parent: self.parent,
            namespace: self.namespace,
            name: self.name.into(),
        }
    }
}

/// A [`Key`] that outlives its record.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct OwnedKey {
    pub(super) parent: FileReference,
    pub(super) namespace: u8,
    pub(super) name: Box<[u8]>,
}

impl OwnedKey {
    pub(super) fn key(&self) -> Key<'_> {
        Key {
            parent: self.parent,
            namespace: self.namespace,
            name: &self.name,
        }
    }
}

/// Looks at one `$FILE_NAME` by itself; answers what is wrong with it.
pub(super) fn judge(key: &Key<'_>) -> Option<IssueKind> {
    let Some(namespace) = Namespace::from_byte(key.namespace) else {
        return Some(IssueKind::Namespace {
            expected: "one of 0 to 3",
            found: key.namespace,
            name: key.text(),
        });
    };
    let (pairs, _) = key.name.as_chunks::<2>();
    // without a way out of the loop: there is nearly never a reason, and so many units are looked at together
    let reserved = |pair: [u8; 2]| pair == [0, 0] || pair == [b'/', 0];
    if pairs.iter().fold(false, |bad, &pair| bad | reserved(pair)) {
        return Some(IssueKind::NameUnit {
            expected: "neither NUL nor a slash",
            found: key.text(),
        });
    }
    let is_short = matches!(namespace, Namespace::Dos | Namespace::Win32AndDos);
    (is_short && !could_be_short(&units(key.name))).then(|| IssueKind::ShortName {
        expected: "8 units, a dot, 3 units",
        found: key.text(),
    })
}

/// Whether a name has the shape of an 8.3 name. Its characters are those of a code page that nobody knows here.
fn could_be_short(name: &[u16]) -> bool {
    const DOT: u16 = 0x2E;
    // the root's own name
    if name == [DOT] {
        return true;
    }
    let mut parts = name.splitn(2, |&unit| unit == DOT);
    let stem = parts.next().unwrap_or_default();
    let extension = parts.next().unwrap_or_default();
    (1..=8).contains(&stem.len()) && extension.len() <= 3 && !extension.contains(&DOT)
}

/// Looks at the long names and 8.3 twins of a file, which must be in pairs.
pub(super) fn judge_twins(record: RecordNumber, keys: &[Key<'_>], issues: &mut Vec<Issue>) {
    let of = |namespace| keys.iter().filter(move |key| key.is(namespace));
    let lonely = |key: &&Key<'_>, partner| !of(partner).any(|other| other.parent == key.parent);
    for key in of(Namespace::Win32).filter(|key| lonely(key, Namespace::Dos)) {
        let kind = IssueKind::TwinMissing {
            expected: "an 8.3 twin",
            found: key.text(),
        };
        issues.push(Issue::new(kind).in_record(record));
    }
    for key in of(Namespace::Dos).filter(|key| lonely(key, Namespace::Win32)) {
        let kind = IssueKind::TwinAlone {
            expected: "a long name",
            found: key.text(),
        };
        issues.push(Issue::new(kind).in_record(record));
    }
    let twins = u32::try_from(of(Namespace::Dos).count()).unwrap_or(u32::MAX);
    if twins > 1 {
        let kind = IssueKind::TwinTwice {
            expected: 1,
            found: twins,
        };
        issues.push(Issue::new(kind).in_record(record));
    }
}

/// An entry of a directory, kept because its file's names and entries do not agree.
#[derive(Clone, Debug)]
pub(super) struct SeenEntry {
    pub(super) file: FileReference,
    /// The directory stands for the parent that the key says.
    pub(super) key: OwnedKey,
    pub(super) spot: Spot,
}

impl SeenEntry {
    fn issue(&self, kind: IssueKind) -> Issue {
        Issue::new(kind)
            .in_record(self.key.parent.record())
            .in_index(&I30, self.spot)
    }
}

/// A name of a record, kept for the same reason.
#[derive(Clone, Debug)]
pub(super) struct SeenName {
    /// The record that the name is in: the base record or an extension record.
    pub(super) record: RecordNumber,
    pub(super) offset: u64,
    pub(super) key: OwnedKey,
}

/// The names of one file and the entries for it.
#[derive(Debug, Default)]
pub(super) struct Dispute {
    pub(super) names: Vec<SeenName>,
    pub(super) entries: Vec<SeenEntry>,
}

impl Dispute {
    /// Takes out each name with its entry, as far as `same` holds, and hands the pairs over.
    fn pair(
        &mut self,
        mut same: impl FnMut(&SeenName, &SeenEntry) -> bool,
        mut each: impl FnMut(SeenName, SeenEntry),
    ) {
        let mut left = Vec::new();
        for entry in std::mem::take(&mut self.entries) {
            match self.names.iter().position(|name| same(name, &entry)) {
                Some(at) => each(self.names.swap_remove(at), entry),
                None => left.push(entry),
            }
        }
        self.entries = left;
    }

    /// Takes out what agrees in every point: most of it, in a file with many names.
    fn agree(&mut self, own: FileReference) {
        let mut names: HashMap<OwnedKey, Vec<SeenName>> = HashMap::new();
        for name in std::mem::take(&mut self.names) {
            names.entry(name.key.clone()).or_default().push(name);
        }
        self.entries
            .retain(|entry| entry.file != own || names.get_mut(&entry.key).and_then(Vec::pop).is_none());
        self.names = names.into_values().flatten().collect();
        self.names.sort_by_key(|name| (name.record, name.offset));
    }
}

impl Audit<'_> {
    /// Says in detail how the names of a record and the entries for it differ.
    pub(super) fn settle(&self, record: RecordNumber, mut dispute: Dispute, part: &mut Part) {
        let Some(seen) = self.states.seen(record) else {
            return;
        };
        let own = FileReference::new(record, seen.sequence);
        if seen.state.contains(State::DAMAGED) {
            let count = dispute.entries.len().max(dispute.names.len());
            part.unchecked = part.unchecked.saturating_add(u64::try_from(count).unwrap_or(0));
            return;
        }
        if !seen.state.contains(State::IN_USE) || seen.state.contains(State::EXTENSION) {
            for entry in &dispute.entries {
                part.issues.push(target(entry, &seen));
            }
            return;
        }
        dispute.agree(own);
        let issues = &mut part.issues;
        let same_name = |a: &SeenName, b: &SeenEntry| a.key.name == b.key.name;
        dispute.pair(
            |name, entry| entry.file != own && name.key == entry.key,
            |_, entry| issues.push(sequence(&entry, own)),
        );
        dispute.pair(
            |name, entry| {
                let same = name.key.namespace == entry.key.namespace && same_name(name, entry);
                same && name.key.parent.record() == entry.key.parent.record()
            },
            |name, entry| {
                let kind = IssueKind::ParentSequence {
                    expected: entry.key.parent,
                    found: name.key.parent,
                    name: name.key.key().text(),
                };
                issues.push(Issue::new(kind).in_record(name.record).at(name.offset));
                if entry.file != own {
                    issues.push(sequence(&entry, own));
                }
            },
        );
        dispute.pair(
            |name, entry| name.key.parent == entry.key.parent && same_name(name, entry),
            |name, entry| {
                let kind = IssueKind::NamespaceDiffers {
                    expected: name.key.namespace,
                    found: entry.key.namespace,
                    name: name.key.key().text(),
                };
                issues.push(Issue::new(kind).in_record(name.record).at(name.offset));
                if entry.file != own {
                    issues.push(sequence(&entry, own));
                }
            },
        );
        for entry in &dispute.entries {
            if entry.file != own {
                issues.push(sequence(entry, own));
                continue;
            }
            let kind = IssueKind::EntryWithoutName {
                expected: entry.file,
                found: "no such name",
                name: entry.key.key().text(),
            };
            issues.push(entry.issue(kind));
        }
        for name in &dispute.names {
            match self.lost(name) {
                Some(issue) => part.issues.push(issue),
                None => part.unchecked = part.unchecked.saturating_add(1),
            }
        }
    }

    /// Why no entry leads to a name; `None` where the directory could not be read as a whole.
    fn lost(&self, name: &SeenName) -> Option<Issue> {
        let parent = name.key.parent;
        let called = name.key.key().text();
        let seen = self.states.seen(parent.record());
        let kind = match seen {
            Some(seen) if seen.state.contains(State::DAMAGED) => return None,
            Some(seen) if seen.state.contains(State::IN_USE) => {
                let now = FileReference::new(parent.record(), seen.sequence);
                if !seen.state.contains(State::DIRECTORY) {
                    IssueKind::ParentNotDirectory {
                        expected: parent,
                        found: "no directory",
                        name: called,
                    }
                } else if now != parent {
                    IssueKind::ParentSequence {
                        expected: now,
                        found: parent,
                        name: called,
                    }
                } else if seen.state.contains(State::UNSEEN) {
                    return None;
                } else {
                    IssueKind::NameNotIndexed {
                        expected: parent,
                        found: "no entry",
                        name: called,
                    }
                }
            }
            _ => IssueKind::ParentMissing {
                expected: parent,
                found: if seen.is_some() {
                    "not in use".to_owned()
                } else {
                    "beyond the table".to_owned()
                },
                name: called,
            },
        };
        Some(Issue::new(kind).in_record(name.record).at(name.offset))
    }
}

/// An entry for what is no file.
fn target(entry: &SeenEntry, seen: &Seen) -> Issue {
    let kind = IssueKind::EntryTarget {
        expected: entry.file,
        found: if seen.state.contains(State::EXTENSION) {
            "a part of another file"
        } else {
            "not in use"
        },
        name: entry.key.key().text(),
    };
    entry.issue(kind)
}

fn sequence(entry: &SeenEntry, own: FileReference) -> Issue {
    let kind = IssueKind::EntrySequence {
        expected: own,
        found: entry.file,
        name: entry.key.key().text(),
    };
    entry.issue(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_by_its_shape() {
        let short = |name: &str| could_be_short(&name.encode_utf16().collect::<Vec<_>>());
        for name in ["a", "ABCDEFGH.TXT", "ÄÖÜ~1.D", ".", "$MFTMirr"] {
            assert!(short(name), "{name}");
        }
        for name in ["ABCDEFGHI", "A.LONG", ".bashrc", "a.b.c", ""] {
            assert!(!short(name), "{name}");
        }
    }
}
