//! `$Secure`: its descriptors, the indexes that lead to them, and the files that have them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem::{offset_of, size_of};

use super::issue::{Issue, IssueKind, Spot};
use super::{Audit, Part, corrupt};
use crate::error::Error;
use crate::layout::attribute::AttributeKind;
use crate::layout::value::{StandardInformation, StandardInformation3};
use crate::record::Attribute;
use crate::secure::{By, Chosen, Copies, Descriptor, Header, Listed, MOST, SDS, descriptors};
use crate::units::RecordNumber;

/// What the passes over records and indexes saw that has to do with security descriptors.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Numbers that files have, with the first of those files, and how many they are.
    used: HashMap<u32, (RecordNumber, u64)>,
    listed: Vec<(Listed, Spot)>,
    /// Indexes of which not all could be read.
    lost: BTreeSet<By>,
    /// The indexes of `$Secure` were walked.
    walked: bool,
}

impl Seen {
    /// Takes in what a file says of itself.
    pub(super) fn file(&mut self, number: RecordNumber, standard: &Attribute<'_>) {
        const AT: usize = size_of::<StandardInformation>() + offset_of!(StandardInformation3, security_id);
        let id = standard
            .resident()
            .and_then(|value| value.get(AT..)?.first_chunk())
            .map_or(0, |bytes| u32::from_le_bytes(*bytes));
        if id != 0 {
            self.uses(id, number, 1);
        }
    }

    fn uses(&mut self, id: u32, number: RecordNumber, count: u64) {
        let (first, files) = self.used.entry(id).or_insert((number, 0));
        *first = number.min(*first);
        *files = files.saturating_add(count);
    }

    /// Takes in an entry of an index of `$Secure`.
    pub(super) fn entry(&mut self, by: By, entry: &[u8], spot: Spot) {
        self.listed.push((Listed::read(by, entry), spot));
    }

    /// Takes in whether all of an index was seen.
    pub(super) fn index(&mut self, name: &[u16], whole: bool) {
        self.walked = true;
        if let Some(by) = By::of_name(name).filter(|_| !whole) {
            self.lost.insert(by);
        }
    }

    pub(super) fn take(&mut self, other: Self) {
        for (id, (number, count)) in other.used {
            self.uses(id, number, count);
        }
        self.listed.extend(other.listed);
        self.lost.extend(other.lost);
        self.walked |= other.walked;
    }
}

impl Audit<'_> {
    /// Looks at the descriptors, once the records and the indexes were.
    pub(super) fn secure(&self, mut seen: Seen, part: &mut Part) {
        // what is wrong with the record was said where it was looked at; before NTFS 3.0 it is another file's
        let Ok(file) = self.volume.file(RecordNumber::SECURE) else {
            return;
        };
        let stream = match file.stream(self.volume, AttributeKind::DATA, &SDS) {
            Ok(Some(stream)) => stream,
            Ok(None) => {
                if !seen.listed.is_empty() {
                    let kind = IssueKind::AttributeMissing {
                        expected: AttributeKind::DATA,
                        found: "none",
                    };
                    part.issues.push(Issue::new(kind).in_record(RecordNumber::SECURE));
                }
                return;
            }
            Err(_) => return,
        };
        if !seen.walked {
            self.indexes(RecordNumber::SECURE, part);
            seen.take(std::mem::take(&mut part.secure));
        }
        let device = self.volume.device();
        let size = stream.size().min(device.size());
        let found = descriptors(size, &mut |offset, buffer| {
            if self.progress.cancelled() {
                return Ok(());
            }
            match stream.zeros_until(offset) {
                Some(end)
                    if end >= offset.saturating_add(u64::try_from(buffer.len()).unwrap_or(u64::MAX)) => {}
                _ => {
                    stream.read(device, offset, buffer)?;
                }
            }
            Ok(())
        });
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                if let Error::Corrupt(_) | Error::Device { .. } = &error {
                    part.issues
                        .extend(corrupt::of_error(&error, RecordNumber::SECURE));
                }
                return;
            }
        };
        if stream.size() <= MOST && !self.progress.cancelled() {
            Judge::new(found, &seen).run(&mut part.issues);
        }
    }
}

/// What belongs together, and what is said of it.
struct Judge<'s> {
    seen: &'s Seen,
    chosen: Chosen,
}

fn described(header: &Header) -> String {
    let Header {
        offset,
        id,
        hash,
        len,
    } = header;
    format!("{id:#x} at {offset:#x} with {len} bytes and the hash {hash:#010x}")
}

impl<'s> Judge<'s> {
    fn new(found: Vec<Descriptor>, seen: &'s Seen) -> Self {
        let listed: Vec<Listed> = seen.listed.iter().map(|(entry, _)| *entry).collect();
        let chosen = Chosen::new(&found, &listed);
        Self { seen, chosen }
    }

    fn run(&self, issues: &mut Vec<Issue>) {
        let here = |kind| Issue::new(kind).in_record(RecordNumber::SECURE);
        let mut met: BTreeMap<u32, BTreeSet<By>> = BTreeMap::new();
        for (entry, spot) in &self.seen.listed {
            let is_first = met.entry(entry.id).or_default().insert(entry.by);
            if self.chosen.is_wanted(entry) && is_first {
                continue;
            }
            let sound = self.chosen.sound.get(&entry.id);
            let lost = self.chosen.lost.get(&entry.id);
            let kind = IssueKind::SecurityIndexEntry {
                expected: match (sound.map(|sound| &sound.header).or(lost), is_first) {
                    (Some(_), false) => "one of that number".to_owned(),
                    (Some(header), true) => described(header),
                    (None, _) => "none of that number".to_owned(),
                },
                found: match &entry.header {
                    Some(header) if is_first => described(header),
                    Some(_) => format!("{:#x} twice", entry.id),
                    None => format!("{:#x} without its place", entry.id),
                },
            };
            issues.push(here(kind).in_index(entry.by.units(), *spot));
        }
        for header in self.chosen.lost.values() {
            issues.push(here(IssueKind::SecurityEntry {
                expected: "a descriptor with its hash, its number and its place",
                found: "none",
                id: header.id,
                offset: header.offset,
            }));
        }
        // what no index has, and no file, was left there when it was last tidied up
        let wanted = |id: &u32| met.contains_key(id) || self.seen.used.contains_key(id);
        for (id, descriptor) in self.chosen.sound.iter().filter(|(id, _)| wanted(id)) {
            self.copies(descriptor, issues);
            for by in By::ALL.into_iter().filter(|by| !self.seen.lost.contains(by)) {
                if !met.get(id).is_some_and(|met| met.contains(&by)) {
                    issues.push(here(IssueKind::SecurityUnindexed {
                        expected: by.name(),
                        found: "no entry",
                        id: *id,
                    }));
                }
            }
        }
        let known = |id: &u32| self.chosen.sound.contains_key(id) || self.chosen.lost.contains_key(id);
        let missing: BTreeMap<_, _> = self.seen.used.iter().filter(|(id, _)| !known(id)).collect();
        for (id, (first, count)) in missing {
            let kind = IssueKind::SecurityId {
                expected: "one of $Secure",
                found: format!("{id:#x}"),
                count: *count,
            };
            issues.push(Issue::new(kind).in_record(*first));
        }
    }

    fn copies(&self, descriptor: &Descriptor, issues: &mut Vec<Issue>) {
        let found = match descriptor.copies {
            Copies::Both => return,
            Copies::First => "the second is damaged",
            Copies::Second => "the first is damaged",
            Copies::Differ => "the first is another than the second",
        };
        let kind = IssueKind::SecurityCopy {
            expected: "two that are the same",
            found,
            id: descriptor.header.id,
            offset: descriptor.header.offset,
        };
        issues.push(Issue::new(kind).in_record(RecordNumber::SECURE));
    }
}
