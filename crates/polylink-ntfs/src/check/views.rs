//! The indexes of object ids and of reparse points, and the files that have those.

use std::collections::HashSet;

use super::issue::{Issue, IssueKind, Spot};
use super::states::State;
use super::{Audit, Part};
use crate::error::Result;
use crate::file::File;
use crate::index::{Case, Index};
use crate::layout::attribute::AttributeKind;
use crate::record::{Attribute, Body};
use crate::units::{FileReference, RecordNumber};
use crate::views::{Listed, TAG, View};

/// What the pass over records saw that belongs into one of these indexes.
#[derive(Debug, Default)]
pub(super) struct Seen {
    held: Vec<Held>,
}

/// What a file has, and its record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Held {
    view: View,
    listed: Listed,
    /// The record that the attribute is in.
    record: RecordNumber,
    /// The value begins in clusters, and what belongs into the key is not known yet.
    outside: bool,
}

impl Seen {
    /// Takes in an attribute of a file.
    pub(super) fn attribute(&mut self, file: FileReference, record: RecordNumber, attribute: &Attribute<'_>) {
        let Some(view) = View::of_kind(attribute.kind()).filter(|_| attribute.name_bytes().is_empty()) else {
            return;
        };
        let (key, outside) = match attribute.body() {
            // what is no object id is in no index
            Body::Resident { value, .. } => (
                Some(value)
                    .filter(|value| view.fits(value.len()))
                    .and_then(|value| view.key(value, file)),
                false,
            ),
            Body::NonResident(value) if value.header.lowest_vcn.get() == 0 => (Some([0; 16]), true),
            Body::NonResident(_) => (None, true),
        };
        if let Some(key) = key {
            let listed = Listed { key, file };
            self.held.push(Held {
                view,
                listed,
                record,
                outside,
            });
        }
    }

    pub(super) fn take(&mut self, other: Self) {
        self.held.extend(other.held);
    }
}

/// Entries that were met on a walk: those that could be read, and where the others are.
#[derive(Debug, Default)]
pub(super) struct Met {
    listed: Vec<(Listed, Spot)>,
    broken: Vec<Spot>,
}

impl Met {
    pub(super) fn entry(&mut self, view: View, entry: &[u8], spot: Spot) {
        match Listed::read(view, entry) {
            Some(listed) => self.listed.push((listed, spot)),
            None => self.broken.push(spot),
        }
    }
}

/// One of the indexes, as far as it could be read.
struct Walked {
    /// The record that has it.
    number: RecordNumber,
    met: Met,
    whole: bool,
}

impl Audit<'_> {
    /// Looks at both indexes, once everything else was looked at; extension records of no file do not count.
    pub(super) fn views(&self, mut seen: Seen, strays: &HashSet<RecordNumber>, part: &mut Part) {
        seen.held
            .retain(|held| !strays.contains(&held.record) && self.lives(held.listed.file));
        let mut unknown: HashSet<RecordNumber> = HashSet::new();
        for held in seen.held.iter_mut().filter(|held| held.outside) {
            match self.key_outside(held) {
                Some(key) => held.listed.key = key,
                None => {
                    unknown.insert(held.listed.file.record());
                }
            }
        }
        seen.held
            .retain(|held| !unknown.contains(&held.listed.file.record()));
        seen.held.sort_unstable();
        for view in View::ALL {
            let first = seen.held.partition_point(|held| held.view < view);
            let end = seen.held.partition_point(|held| held.view <= view);
            let held = seen.held.get(first..end).unwrap_or_default();
            // what is wrong with $Extend was said where that was looked at; before NTFS 3.0 there is none
            if let Ok(Some(file)) = self.view_file(view) {
                self.view(view, held, &file, &unknown, part);
            }
        }
    }

    /// Whether a reference leads to a file.
    fn lives(&self, file: FileReference) -> bool {
        self.states.seen(file.record()).is_some_and(|seen| {
            let base = State::IN_USE | State::EXTENSION;
            seen.state.intersection(base) == State::IN_USE && seen.sequence == file.sequence()
        })
    }

    /// Whether not everything that a record holds is known.
    fn in_doubt(&self, number: RecordNumber) -> bool {
        self.states
            .seen(number)
            .is_some_and(|seen| seen.state.intersects(State::DAMAGED))
    }

    /// The key for a reparse point whose value lies in clusters.
    fn key_outside(&self, held: &Held) -> Option<crate::views::Key> {
        let file = self.volume.file(held.listed.file.record()).ok()?;
        let stream = file.stream(self.volume, held.view.kind(), &[]).ok()??;
        let mut tag = [0; TAG];
        let read = stream.read(self.volume.device(), 0, &mut tag).ok()?;
        held.view.key(tag.get(..read)?, held.listed.file)
    }

    fn view_file(&self, view: View) -> Result<Option<File>> {
        let extend = self.volume.file(RecordNumber::EXTEND)?;
        if !extend.is_directory() {
            return Ok(None);
        }
        let name: Vec<u16> = view.file().encode_utf16().collect();
        let found = Index::open(self.volume, &extend)?.find(&name, Case::Ignored)?;
        let Some(found) = found else { return Ok(None) };
        let file = self.volume.file(found.file.record())?;
        Ok(Some(file).filter(|file| file.reference() == found.file))
    }

    /// Walks one of the indexes; what is wrong with it itself was said before.
    fn walk_view(&self, view: View, file: &File, part: &mut Part) -> Option<Walked> {
        let number = file.number();
        let root = file.attributes().flatten().find(|(_, attribute)| {
            attribute.kind() == AttributeKind::INDEX_ROOT && attribute.has_name(view.units())
        });
        let Some((_, root)) = root else {
            let kind = IssueKind::AttributeMissing {
                expected: AttributeKind::INDEX_ROOT,
                found: "none",
            };
            part.issues.push(Issue::new(kind).in_record(number));
            return None;
        };
        let mut walk = Part::default();
        let whole = self.entries_of(file, view, &root, &mut walk);
        Some(Walked {
            number,
            met: walk.view,
            whole,
        })
    }

    fn view(&self, view: View, held: &[Held], file: &File, unknown: &HashSet<RecordNumber>, part: &mut Part) {
        let Some(mut walked) = self.walk_view(view, file, part) else {
            return;
        };
        let number = walked.number;
        let here = |kind, spot| Issue::new(kind).in_record(number).in_index(view.units(), spot);
        walked.met.listed.sort_unstable_by_key(|(listed, _)| *listed);
        let of_key = |key| {
            let first = held.partition_point(|held| held.listed.key < key);
            let end = held.partition_point(|held| held.listed.key <= key);
            held.get(first..end).unwrap_or_default()
        };
        for spot in &walked.met.broken {
            let (expected, found) = ("an entry of this index", "something else".to_owned());
            part.issues.push(here(wrong(view, expected, found), *spot));
        }
        for (listed, spot) in &walked.met.listed {
            if held.binary_search_by_key(listed, |held| held.listed).is_ok() {
                continue;
            }
            let record = listed.file.record();
            if self.in_doubt(record) || unknown.contains(&record) {
                part.unchecked = part.unchecked.saturating_add(1);
                continue;
            }
            let found = listed.described(view);
            let kind = match (self.lives(listed.file), of_key(listed.key)) {
                // a driver that does not know of the index deleted the file
                (false, []) => left_behind(view, found),
                (false, _) => wrong(view, "the file that has it", found),
                (true, _) => wrong(view, "what the file has", found),
            };
            part.issues.push(here(kind, *spot));
        }
        for one in held
            .iter()
            .filter(|one| one.listed.file.record() >= RecordNumber::FIRST_SPARE)
        {
            let is_listed = |listed: Listed| {
                walked
                    .met
                    .listed
                    .binary_search_by_key(&listed, |met| met.0)
                    .is_ok()
            };
            if is_listed(one.listed) {
                continue;
            }
            if !walked.whole {
                part.unchecked = part.unchecked.saturating_add(1);
                continue;
            }
            let same = of_key(one.listed.key);
            let chosen = same.iter().find(|other| is_listed(other.listed)).or(same.first());
            let found = one.listed.described(view);
            let kind = match (view, chosen) {
                (View::ObjectIds, Some(chosen)) if chosen != one => IssueKind::ObjectIdTwice {
                    expected: chosen.listed.file,
                    found,
                },
                (View::ObjectIds, _) => IssueKind::ObjectIdUnindexed {
                    expected: "an entry in $O",
                    found,
                },
                (View::ReparsePoints, _) => IssueKind::ReparseUnindexed {
                    expected: "an entry in $R",
                    found,
                },
            };
            part.issues.push(Issue::new(kind).in_record(one.record));
        }
    }
}

fn wrong(view: View, expected: &'static str, found: String) -> IssueKind {
    match view {
        View::ObjectIds => IssueKind::ObjectIdEntry { expected, found },
        View::ReparsePoints => IssueKind::ReparseEntry { expected, found },
    }
}

fn left_behind(view: View, found: String) -> IssueKind {
    let expected = "a file";
    match view {
        View::ObjectIds => IssueKind::ObjectIdLeft { expected, found },
        View::ReparsePoints => IssueKind::ReparseLeft { expected, found },
    }
}
