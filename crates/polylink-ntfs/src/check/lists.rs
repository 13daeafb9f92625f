//! Files with an attribute list: what the list says against what its records hold.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::issue::{Issue, IssueKind, text};
use super::names::{self, Key};
use super::record::{Facts, called};
use super::states::State;
use super::value::Sizes;
use super::{Audit, Part, corrupt};
use crate::file::{ListEntry, fits, list_entries, list_value};
use crate::layout::attribute::AttributeKind;
use crate::record::{Attribute, Body, NonResident, Record};
use crate::runs::RunList;
use crate::units::{FileReference, RecordNumber, Vcn};

/// One part of a value in clusters: which attribute, where, and what it says.
type ValuePart<'a> = (RecordNumber, Attribute<'a>, NonResident<'a>);

impl Audit<'_> {
    /// Looks at a file that has an attribute list.
    pub(super) fn listed(&self, number: RecordNumber, part: &mut Part) {
        if self.list_of(number, part).is_none() {
            part.lost = true;
            // a list that cannot be followed hides names, and parts of an index
            self.states.mark(number, State::DAMAGED | State::UNSEEN);
        }
    }

    /// `None` where the list cannot be read, which then was said.
    fn list_of(&self, number: RecordNumber, part: &mut Part) -> Option<()> {
        let mut bytes = Vec::new();
        let record = self.parsed(number, &mut bytes).ok()?;
        let list = record
            .attributes()
            .flatten()
            .find(|attribute| attribute.kind() == AttributeKind::ATTRIBUTE_LIST)?;
        let value = match list_value(self.volume, &list) {
            Ok(value) => value,
            Err(error) => {
                part.issues.extend(corrupt::of_error(&error, number));
                return None;
            }
        };
        let entries = match list_entries(&value) {
            Ok(entries) => entries,
            Err(found) => {
                let offset = u64::try_from(list.offset()).unwrap_or(u64::MAX);
                let issue = Issue::new(corrupt::kind_of(&found)).in_record(number);
                part.issues.push(issue.at(offset));
                return None;
            }
        };
        self.list_order(number, &entries, part);
        let mut buffers = Vec::new();
        let whole = self.read_extensions(record.reference(), &entries, &mut buffers, part);
        // OK to leave out: each was parsed when it was read
        let extensions = buffers
            .iter()
            .filter_map(|(number, bytes)| Record::parsed(*number, bytes).ok());
        let records: Vec<_> = std::iter::once(record).chain(extensions).collect();
        self.list_against_records(number, &entries, &records, part);
        self.values_of(&records, part);
        if whole {
            self.facts_of(&records, part);
        } else {
            part.lost = true;
            self.states.mark(number, State::DAMAGED | State::UNSEEN);
        }
        Some(())
    }

    /// Reads a record.
    pub(super) fn parsed<'b>(
        &self,
        number: RecordNumber,
        bytes: &'b mut Vec<u8>,
    ) -> crate::Result<Record<'b>> {
        self.volume.read_record(number, bytes)?;
        Ok(Record::parse(number, bytes)?)
    }

    /// Entries must rise by type, name and first cluster.
    fn list_order(&self, number: RecordNumber, entries: &[ListEntry], part: &mut Part) {
        for (before, after) in entries.iter().zip(entries.iter().skip(1)) {
            let order = before
                .kind
                .cmp(&after.kind)
                .then_with(|| self.upcase.collate(&before.name, &after.name))
                .then_with(|| before.lowest.cmp(&after.lowest));
            if order == Ordering::Greater {
                let kind = IssueKind::ListOrder {
                    expected: entry_text(before),
                    found: entry_text(after),
                };
                part.issues.push(Issue::new(kind).in_record(number));
            }
        }
    }

    /// Reads the records that a list names. Answers whether all of them are parts of the file.
    fn read_extensions(
        &self,
        base: FileReference,
        entries: &[ListEntry],
        buffers: &mut Vec<(RecordNumber, Vec<u8>)>,
        part: &mut Part,
    ) -> bool {
        let mut wanted: Vec<_> = entries.iter().map(|entry| entry.record).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut whole = true;
        for reference in wanted {
            let number = reference.record();
            if number == base.record() {
                continue;
            }
            let mut bytes = Vec::new();
            let found = match self.parsed(number, &mut bytes) {
                Ok(record) if !record.is_in_use() => "not in use".to_owned(),
                Ok(record) if !fits(reference, record.sequence()) => record.reference().to_string(),
                Ok(record) if record.base() != Some(base) => match record.base() {
                    Some(base) => format!("a part of {base}"),
                    None => "a file of its own".to_owned(),
                },
                Ok(_) => {
                    self.states.mark(number, State::LISTED);
                    buffers.push((number, bytes));
                    continue;
                }
                Err(_) if number.0 >= self.states.len() => "beyond the table".to_owned(),
                // that was said where the record was looked at
                Err(_) if self.is_damaged(number) => {
                    whole = false;
                    continue;
                }
                Err(_) => "no record".to_owned(),
            };
            whole = false;
            let kind = IssueKind::ListRecord {
                expected: reference,
                found,
            };
            part.issues.push(Issue::new(kind).in_record(base.record()));
        }
        whole
    }

    pub(super) fn is_damaged(&self, number: RecordNumber) -> bool {
        let seen = self.states.seen(number);
        seen.is_some_and(|seen| seen.state.contains(State::DAMAGED))
    }

    /// Each entry must lead to an attribute, and each attribute must have an entry.
    fn list_against_records(
        &self,
        number: RecordNumber,
        entries: &[ListEntry],
        records: &[Record<'_>],
        part: &mut Part,
    ) {
        let mut attributes: HashMap<(RecordNumber, u16), Attribute<'_>> = HashMap::new();
        for record in records {
            for attribute in record.attributes().flatten() {
                if attribute.kind() != AttributeKind::ATTRIBUTE_LIST {
                    attributes.insert((record.number(), attribute.id()), attribute);
                }
            }
        }
        for entry in entries {
            let at = (entry.record.record(), entry.id);
            let fits = attributes.get(&at).is_some_and(|attribute| {
                attribute.kind() == entry.kind
                    && lowest(attribute) == entry.lowest
                    && self.volume.same_name(&attribute.name(), &entry.name)
            });
            if fits {
                attributes.remove(&at);
            } else if records.iter().any(|record| record.number() == at.0) {
                let kind = IssueKind::ListAttribute {
                    expected: format!("{} in record {}", entry_text(entry), at.0),
                    found: "no such attribute",
                };
                part.issues.push(Issue::new(kind).in_record(number));
            }
        }
        let mut left: Vec<_> = attributes.into_iter().collect();
        left.sort_unstable_by_key(|(at, _)| *at);
        for ((record, _), attribute) in left {
            let kind = IssueKind::AttributeUnlisted {
                expected: "an entry for each attribute",
                found: called(&attribute),
            };
            let offset = u64::try_from(attribute.offset()).unwrap_or(u64::MAX);
            part.issues.push(Issue::new(kind).in_record(record).at(offset));
        }
    }

    /// Puts the parts of each value together.
    fn values_of(&self, records: &[Record<'_>], part: &mut Part) {
        let mut values: HashMap<(AttributeKind, Vec<u16>), Vec<ValuePart<'_>>> = HashMap::new();
        for record in records {
            for attribute in record.attributes().flatten() {
                if let Body::NonResident(value) = attribute.body()
                    && attribute.kind() != AttributeKind::ATTRIBUTE_LIST
                {
                    let name = self.upcase.upcased(&attribute.name());
                    let parts = values.entry((attribute.kind(), name)).or_default();
                    parts.push((record.number(), attribute, value));
                }
            }
        }
        let mut values: Vec<_> = values.into_values().collect();
        for parts in &mut values {
            parts.sort_by_key(|(_, _, value)| value.header.lowest_vcn.get());
        }
        // a map has no order; what is reported has
        values.sort_by_key(|parts| {
            let first = parts.first();
            first.map(|(record, attribute, _)| (attribute.kind(), *record, attribute.offset()))
        });
        for parts in &values {
            self.parts(parts, part);
        }
    }

    fn parts(&self, parts: &[ValuePart<'_>], part: &mut Part) {
        let mut end = 0_u64;
        let mut held = 0_u64;
        for (record, attribute, value) in parts {
            let lowest = value.header.lowest_vcn.get();
            let Ok(runs) = RunList::decode(value.runs, Vcn(lowest), self.limit) else {
                return;
            };
            if lowest != end {
                let kind = IssueKind::RunsGap {
                    expected: end,
                    found: lowest,
                };
                let offset = u64::try_from(attribute.offset()).unwrap_or(u64::MAX);
                part.issues.push(Issue::new(kind).in_record(*record).at(offset));
                return;
            }
            end = runs.end().0.max(lowest);
            held = held.saturating_add(runs.allocated());
        }
        if let Some((record, attribute, value)) = parts.first()
            && self.cluster != 0
        {
            let offset = u64::try_from(attribute.offset()).unwrap_or(u64::MAX);
            Sizes::of(attribute, value).judge(end, held, self.cluster, |kind| {
                part.issues.push(Issue::new(kind).in_record(*record).at(offset));
            });
        }
    }

    /// What the file must have.
    fn facts_of(&self, records: &[Record<'_>], part: &mut Part) {
        let mut facts = Facts::default();
        let mut keys = Vec::new();
        for attribute in records.iter().flat_map(Record::attributes).flatten() {
            facts.take(&attribute);
            if attribute.kind() == AttributeKind::FILE_NAME {
                keys.extend(attribute.resident().and_then(|value| Key::parse(value).ok()));
            }
        }
        if let Some(base) = records.first() {
            self.file(base, &facts, &mut part.issues);
            if facts.twins {
                names::judge_twins(base.number(), &keys, &mut part.issues);
            }
        }
    }

    /// Looks at the base record of each extension record, once all lists were read. Answers whether the list of a file
    /// that is there does not name it.
    pub(super) fn extension(&self, number: RecordNumber, base: FileReference, part: &mut Part) -> bool {
        let listed = self.states.seen(number);
        if listed.is_none_or(|seen| seen.state.contains(State::LISTED)) {
            return false;
        }
        let kind = match self.states.seen(base.record()) {
            None => base_kind(base, "beyond the table".to_owned()),
            Some(seen) if !seen.state.contains(State::IN_USE) => base_kind(base, "not in use".to_owned()),
            Some(seen) if seen.state.contains(State::EXTENSION) => {
                base_kind(base, "a part of another file".to_owned())
            }
            Some(seen) if seen.sequence != base.sequence() => {
                let now = FileReference::new(base.record(), seen.sequence);
                base_kind(base, now.to_string())
            }
            // its list could not be read
            Some(seen) if seen.state.contains(State::DAMAGED) => return false,
            Some(_) => IssueKind::ExtensionUnlisted {
                expected: base,
                found: "not named",
            },
        };
        let unlisted = matches!(kind, IssueKind::ExtensionUnlisted { .. });
        part.issues.push(Issue::new(kind).in_record(number).at(0x20));
        unlisted
    }

    /// Extension records that the list of their base record does not name. Where the file counts no more names than it
    /// has without theirs, or has all of a value without the part of it that they tell of, they are none of it: a power
    /// cut came before the list. Else the list is what is wrong.
    pub(super) fn are_strays(&self, base: FileReference, numbers: &[RecordNumber]) -> bool {
        let mut names = 0_u16;
        self.names_outside(numbers, &mut |_| names = names.saturating_add(1));
        let seen = self.states.seen(base.record());
        let strays = if names > 0 {
            seen.is_some_and(|seen| seen.names.checked_sub(names).is_some_and(|own| own == seen.links))
        } else {
            self.is_whole_without(base, numbers)
        };
        if strays {
            self.names_outside(numbers, &mut |key| self.states.withdraw(base, key));
        }
        strays
    }

    /// Whether a file has all of the values that some records tell of a part of.
    fn is_whole_without(&self, base: FileReference, numbers: &[RecordNumber]) -> bool {
        let Ok(file) = self.volume.file(base.record()) else {
            return false;
        };
        let has = |attribute: &Attribute<'_>| {
            if matches!(attribute.body(), Body::Resident { .. }) {
                return true;
            }
            let own = file.stream(self.volume, attribute.kind(), &attribute.name());
            let Ok(Some(own)) = own else { return false };
            let end = own.runs().map_or(0, |runs| runs.end().0);
            end.saturating_mul(u64::from(self.cluster)) >= own.size()
        };
        numbers.iter().all(|&number| {
            let mut bytes = Vec::new();
            self.parsed(number, &mut bytes)
                .is_ok_and(|record| record.attributes().flatten().all(|attribute| has(&attribute)))
        })
    }

    fn names_outside(&self, numbers: &[RecordNumber], visit: &mut dyn FnMut(&Key<'_>)) {
        for &number in numbers {
            let mut bytes = Vec::new();
            let Ok(record) = self.parsed(number, &mut bytes) else {
                continue;
            };
            for attribute in record.attributes().flatten() {
                if attribute.kind() == AttributeKind::FILE_NAME
                    && let Some(key) = attribute.resident().and_then(|value| Key::parse(value).ok())
                {
                    visit(&key);
                }
            }
        }
    }
}

fn base_kind(expected: FileReference, found: String) -> IssueKind {
    IssueKind::BaseReference { expected, found }
}

fn lowest(attribute: &Attribute<'_>) -> Vcn {
    match attribute.body() {
        Body::Resident { .. } => Vcn(0),
        Body::NonResident(value) => Vcn(value.header.lowest_vcn.get()),
    }
}

/// An entry for messages.
fn entry_text(entry: &ListEntry) -> String {
    let mut called = entry.kind.to_string();
    if !entry.name.is_empty() {
        called = format!("{called}:{}", text(&entry.name));
    }
    if entry.lowest.0 > 0 {
        called = format!("{called} from cluster {}", entry.lowest.0);
    }
    called
}
