//! One record of the table by itself.

use zerocopy::FromBytes as _;

use super::issue::{Issue, IssueKind};
use super::names::{self, Key};
use super::states::State;
use super::{Audit, Directory, Part, corrupt, tree};
use crate::fixup;
use crate::index::I30;
use crate::layout::attribute::{AttributeFlags, AttributeKind};
use crate::layout::record::{RecordFlags, RecordHeader};
use crate::record::{Attribute, Body, Record, units};
use crate::units::{FileReference, RecordNumber};

/// Bytes of the header that all versions have; the update sequence follows it, or the record's number does.
const OLD_HEADER: u16 = 0x2A;
/// Bytes of the header since NTFS 3.1, which has the record's number.
const HEADER: u16 = 0x30;
/// The end mark is counted as 8 bytes.
const END_MARK: usize = 8;
/// Records that are reserved and have no names, though the first four of them are in use.
const NAMELESS: std::ops::Range<u64> = 12..24;

/// What the attributes of a file are, as far as it counts which there are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts {
    standard: bool,
    names: u32,
    /// Names without 8.3 twins.
    links: u32,
    /// There are long names with twins, or twins.
    pub(super) twins: bool,
    data: bool,
    index: bool,
    pub(super) list: bool,
}

/// The parts of a directory's index that its record has.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct IndexParts<'a> {
    /// The value of the root, and where in the record it is.
    root: Option<(&'a [u8], u64)>,
    /// Whether there is an index beside that of file names.
    view: bool,
    /// Where the blocks begin on the volume; somewhere, if only there are any.
    blocks: Option<u64>,
}

impl Audit<'_> {
    /// Looks at one record, whose bytes are as they are on disk.
    pub(super) fn record(&self, number: RecordNumber, bytes: &mut [u8], part: &mut Part) {
        let Ok((header, _)) = RecordHeader::read_from_prefix(bytes) else {
            return;
        };
        if header.multi.signature != *b"FILE" {
            self.states.mark(number, State::NO_RECORD);
            return;
        }
        let (sequence, links) = (header.sequence.get(), header.link_count.get());
        let flags = RecordFlags::from_bits_retain(header.flags.get());
        if !flags.contains(RecordFlags::IN_USE) {
            self.states.set(number, State::empty(), sequence, links);
            return;
        }
        part.counts.records = part.counts.records.saturating_add(1);
        let base = Some(FileReference(header.base.get())).filter(|base| base.0 != 0);
        let mut state = State::IN_USE;
        state.set(State::DIRECTORY, flags.contains(RecordFlags::DIRECTORY));
        state.set(State::EXTENSION, base.is_some());
        self.states.set(number, state, sequence, links);
        let whole = self.record_in_use(number, bytes, base, part);
        if !whole {
            part.lost = true;
            self.states.mark(number, State::DAMAGED | State::UNSEEN);
            if let Some(base) = base {
                self.states.mark(base.record(), State::DAMAGED | State::UNSEEN);
            }
        }
    }

    /// Answers whether all of the record could be read.
    fn record_in_use(
        &self,
        number: RecordNumber,
        bytes: &mut [u8],
        base: Option<FileReference>,
        part: &mut Part,
    ) -> bool {
        if let Err(found) = fixup::undo(bytes, *b"FILE") {
            part.issues.push(corrupt::of_record(&found, number));
            return false;
        }
        let Some(record) = header(number, bytes, &mut part.issues) else {
            return false;
        };
        let mut facts = Facts::default();
        let mut index = IndexParts::default();
        let mut link = None;
        let owner = base.unwrap_or(record.reference());
        let spans = part.spans.len();
        let whole = self.attributes(&record, base.is_none(), part, |attribute, part| {
            facts.take(attribute);
            index.take(self, attribute);
            if attribute.kind() == AttributeKind::STANDARD_INFORMATION && base.is_none() {
                part.secure.file(number, attribute);
            }
            part.views.attribute(owner, number, attribute);
            if attribute.kind() == AttributeKind::FILE_NAME
                && let Some(key) = self.name(&record, attribute, owner, part)
                && key.is_link()
            {
                link.get_or_insert(key);
            }
        });
        if let Some(base) = base {
            part.extensions.push((number, base));
            // whose clusters these are is not known before the list is
            let held = part.spans.drain(spans..).map(|span| (number, span));
            part.held_outside.extend(held);
            return whole;
        }
        if !whole {
            return false;
        }
        if record.is_directory() {
            part.counts.directories = part.counts.directories.saturating_add(1);
            if let Some(link) = link {
                part.parents.push((number, link.parent));
            }
        } else {
            part.counts.files = part.counts.files.saturating_add(1);
        }
        if facts.list {
            // what else there is to say of the file, its list's records must be read for
            part.listed.push(number);
        } else {
            self.file(&record, &facts, &mut part.issues);
            if facts.twins {
                let names = record.attributes().flatten();
                let names = names.filter(|attribute| attribute.kind() == AttributeKind::FILE_NAME);
                let keys: Vec<_> = names
                    .filter_map(|name| Key::parse(name.resident()?).ok())
                    .collect();
                names::judge_twins(number, &keys, &mut part.issues);
            }
        }
        self.index(&record, &facts, &index, part);
        true
    }

    /// Looks at a name that a record has, and counts it.
    fn name<'a>(
        &self,
        record: &Record<'_>,
        attribute: &Attribute<'a>,
        owner: FileReference,
        part: &mut Part,
    ) -> Option<Key<'a>> {
        let Body::Resident { value, indexed } = attribute.body() else {
            return None;
        };
        let offset = u64::try_from(attribute.offset()).unwrap_or(u64::MAX);
        let issue = |kind| Issue::new(kind).in_record(record.number()).at(offset);
        if !indexed {
            let kind = IssueKind::IndexedFlag {
                expected: 1,
                found: 0,
            };
            part.issues.push(issue(kind));
        }
        match Key::parse(value) {
            Ok(key) => {
                self.states.add(owner, &key);
                part.counts.names = part.counts.names.saturating_add(1);
                if let Some(kind) = names::judge(&key) {
                    part.issues.push(issue(kind));
                }
                Some(key)
            }
            Err(found) => {
                let kind = IssueKind::ValueDamaged {
                    expected: AttributeKind::FILE_NAME,
                    found,
                };
                part.issues.push(issue(kind));
                // its entry in the directory, wherever that is, must not be called wrong for it
                self.states.mark(owner.record(), State::DAMAGED);
                None
            }
        }
    }

    /// Looks at the attributes of a record one after the other. Answers whether all of them could be read.
    fn attributes<'a>(
        &self,
        record: &Record<'a>,
        is_base: bool,
        part: &mut Part,
        mut each: impl FnMut(&Attribute<'a>, &mut Part),
    ) -> bool {
        let number = record.number();
        let mut ids = Ids::default();
        let mut before: Option<Before<'a>> = None;
        let mut end = usize::from(record.header().first_attribute.get());
        // with a list, which comes before all values, their sizes are those of all their parts
        let mut has_list = !is_base;
        for attribute in record.attributes() {
            let attribute = match attribute {
                Ok(attribute) => attribute,
                Err(found) => {
                    part.issues.push(corrupt::of_record(&found, number));
                    return false;
                }
            };
            let offset = u64::try_from(attribute.offset()).unwrap_or(u64::MAX);
            has_list |= attribute.kind() == AttributeKind::ATTRIBUTE_LIST;
            let mut complain = |kind| part.issues.push(Issue::new(kind).in_record(number).at(offset));
            ids.take(attribute.id(), &mut complain);
            if let Some(before) = &before {
                self.order(before, &attribute, &mut complain);
            }
            place(&attribute, is_base, &mut complain);
            let known = AttributeFlags::COMPRESSED | AttributeFlags::ENCRYPTED | AttributeFlags::SPARSE;
            if !known.contains(attribute.flags()) {
                complain(IssueKind::AttributeFlags {
                    expected: known.bits(),
                    found: attribute.flags().bits(),
                });
            }
            if attribute.kind().name().is_none() {
                complain(IssueKind::AttributeUnknown {
                    expected: "a type that is known",
                    found: attribute.kind(),
                });
            }
            if let Body::NonResident(value) = attribute.body() {
                self.value(number, &attribute, &value, !has_list, part);
            }
            each(&attribute, part);
            end = attribute.offset().saturating_add(attribute.record_len());
            before = Some(Before::of(&attribute));
        }
        let wanted = u32::try_from(end.saturating_add(END_MARK)).unwrap_or(u32::MAX);
        let found = record.header().used.get();
        if found != wanted {
            let kind = IssueKind::RecordUsed {
                expected: wanted,
                found,
            };
            part.issues.push(Issue::new(kind).in_record(number).at(0x18));
        }
        let (next, found) = (ids.next(), record.header().next_attribute_id.get());
        if found < next {
            let kind = IssueKind::NextAttributeId {
                expected: next,
                found,
            };
            part.issues.push(Issue::new(kind).in_record(number).at(0x28));
        }
        true
    }

    /// Two attributes that follow each other.
    fn order(&self, before: &Before<'_>, after: &Attribute<'_>, complain: &mut impl FnMut(IssueKind)) {
        let (kind, last) = (after.kind(), before.kind);
        if last < kind {
            return;
        }
        let order = if last > kind {
            std::cmp::Ordering::Greater
        } else if before.name == after.name_bytes() {
            std::cmp::Ordering::Equal
        } else {
            self.upcase.collate(&units(before.name), &after.name())
        };
        match order {
            std::cmp::Ordering::Less => {}
            std::cmp::Ordering::Greater => complain(IssueKind::AttributeOrder {
                expected: called_so(before.kind, &units(before.name)),
                found: called(after),
            }),
            // only names come by the dozen; a value may be in parts
            std::cmp::Ordering::Equal => {
                if kind != AttributeKind::FILE_NAME && before.is_first && is_first(after) {
                    complain(IssueKind::AttributeTwice {
                        expected: 1,
                        found: 2,
                        kind,
                    });
                }
            }
        }
    }

    /// What a file must have, all its records taken together.
    pub(super) fn file(&self, record: &Record<'_>, facts: &Facts, issues: &mut Vec<Issue>) {
        let number = record.number();
        let mut missing = |expected| {
            let kind = IssueKind::AttributeMissing {
                expected,
                found: "none",
            };
            issues.push(Issue::new(kind).in_record(number));
        };
        if !facts.standard {
            missing(AttributeKind::STANDARD_INFORMATION);
        }
        if facts.names == 0 && !NAMELESS.contains(&number.0) {
            missing(AttributeKind::FILE_NAME);
        }
        let flags = record.flags();
        // the files of $Extend and $Secure have what they have
        let is_plain = !flags
            .intersects(RecordFlags::DIRECTORY | RecordFlags::EXTEND | RecordFlags::VIEW_INDEX)
            && number >= RecordNumber::FIRST_USER;
        if is_plain && !facts.data && !facts.index {
            missing(AttributeKind::DATA);
        }
        if record.is_directory() != facts.index {
            let called = |directory| if directory { "a directory" } else { "no directory" };
            let kind = IssueKind::DirectoryFlag {
                expected: called(facts.index),
                found: called(record.is_directory()),
            };
            issues.push(Issue::new(kind).in_record(number).at(0x16));
        }
        if record.is_directory() && facts.links > 1 {
            let kind = IssueKind::DirectoryLinks {
                expected: 1,
                found: facts.links,
            };
            issues.push(Issue::new(kind).in_record(number));
        }
    }

    /// Looks at a directory without index blocks at once, and puts the others on the list.
    fn index(&self, record: &Record<'_>, facts: &Facts, index: &IndexParts<'_>, part: &mut Part) {
        match index.root {
            Some((root, offset)) if index.blocks.is_none() && !index.view && !facts.list => {
                self.small_index(record.reference(), root, offset, part);
            }
            _ if index.root.is_some() || index.view || record.is_directory() => {
                part.directories.push(Directory {
                    record: record.number(),
                    place: index.blocks.unwrap_or(0),
                });
            }
            _ => {}
        }
    }
}

impl Facts {
    /// Takes one attribute into account.
    pub(super) fn take(&mut self, attribute: &Attribute<'_>) {
        match attribute.kind() {
            AttributeKind::STANDARD_INFORMATION => self.standard = true,
            AttributeKind::ATTRIBUTE_LIST => self.list = true,
            AttributeKind::DATA if attribute.name_bytes().is_empty() => self.data = true,
            AttributeKind::INDEX_ROOT if is_i30(attribute) => self.index = true,
            AttributeKind::FILE_NAME => {
                let namespace = attribute.resident().and_then(|value| value.get(0x41));
                self.names = self.names.saturating_add(1);
                self.links = self
                    .links
                    .saturating_add(u32::from(namespace.is_none_or(|&byte| byte != 2)));
                self.twins |= namespace.is_some_and(|byte| matches!(byte, 1 | 2));
            }
            _ => {}
        }
    }
}

impl<'a> IndexParts<'a> {
    fn take(&mut self, audit: &Audit<'_>, attribute: &Attribute<'a>) {
        match attribute.kind() {
            AttributeKind::INDEX_ROOT if is_i30(attribute) => {
                let offset = tree::value_at(attribute);
                self.root = attribute.resident().map(|value| (value, offset));
            }
            AttributeKind::INDEX_ROOT => self.view = true,
            AttributeKind::INDEX_ALLOCATION => {
                let Body::NonResident(value) = attribute.body() else {
                    return;
                };
                self.blocks = Some(audit.first_cluster(&value));
            }
            _ => {}
        }
    }
}

/// Whether it belongs to the index of file names.
pub(super) fn is_i30(attribute: &Attribute<'_>) -> bool {
    let (units, _) = attribute.name_bytes().as_chunks::<2>();
    units.len() == I30.len()
        && units
            .iter()
            .zip(I30)
            .all(|(unit, wanted)| *unit == wanted.to_le_bytes())
}

/// Whether it holds the beginning of its value.
fn is_first(attribute: &Attribute<'_>) -> bool {
    match attribute.body() {
        Body::Resident { .. } => true,
        Body::NonResident(value) => value.header.lowest_vcn.get() == 0,
    }
}

/// An attribute's type and name, for messages.
pub(super) fn called(attribute: &Attribute<'_>) -> String {
    called_so(attribute.kind(), &attribute.name())
}

fn called_so(kind: AttributeKind, name: &[u16]) -> String {
    if name.is_empty() {
        kind.to_string()
    } else {
        format!("{kind}:{}", super::issue::text(name))
    }
}

/// What is kept of an attribute until the next one was looked at.
#[derive(Clone, Copy, Debug)]
struct Before<'a> {
    kind: AttributeKind,
    name: &'a [u8],
    is_first: bool,
}

impl<'a> Before<'a> {
    fn of(attribute: &Attribute<'a>) -> Self {
        Self {
            kind: attribute.kind(),
            name: attribute.name_bytes(),
            is_first: is_first(attribute),
        }
    }
}

/// Whether an attribute is where its type must be, and as long as it must be.
fn place(attribute: &Attribute<'_>, is_base: bool, complain: &mut impl FnMut(IssueKind)) {
    let kind = attribute.kind();
    let shortest = match kind {
        AttributeKind::STANDARD_INFORMATION => Some((48, "it has less than 48 bytes")),
        AttributeKind::VOLUME_INFORMATION => Some((12, "it has less than 12 bytes")),
        AttributeKind::INDEX_ROOT => Some((32, "it has less than 32 bytes")),
        AttributeKind::FILE_NAME | AttributeKind::VOLUME_NAME => Some((0, "")),
        _ => None,
    };
    match (attribute.body(), shortest) {
        (Body::Resident { value, .. }, Some((shortest, found))) if value.len() < shortest => {
            complain(IssueKind::ValueDamaged {
                expected: kind,
                found,
            });
        }
        (Body::NonResident(_), Some(_)) => complain(IssueKind::AttributePlace {
            expected: "in the record",
            found: "in clusters",
            kind,
        }),
        (Body::Resident { .. }, _) if kind == AttributeKind::INDEX_ALLOCATION => {
            complain(IssueKind::AttributePlace {
                expected: "in clusters",
                found: "in the record",
                kind,
            });
        }
        _ => {}
    }
    if !is_base
        && matches!(
            kind,
            AttributeKind::STANDARD_INFORMATION | AttributeKind::ATTRIBUTE_LIST
        )
    {
        complain(IssueKind::AttributePlace {
            expected: "in the base record",
            found: "in an extension record",
            kind,
        });
    }
}

/// Looks at a record's header; `None` where no attribute can be found by it.
fn header<'a>(number: RecordNumber, bytes: &'a [u8], issues: &mut Vec<Issue>) -> Option<Record<'a>> {
    let (header, _) = RecordHeader::read_from_prefix(bytes).ok()?;
    let mut complain = |offset: u64, kind| issues.push(Issue::new(kind).in_record(number).at(offset));
    let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    if header.allocated.get() != size {
        complain(
            0x1C,
            IssueKind::RecordSize {
                expected: size,
                found: header.allocated.get(),
            },
        );
    }
    if header.sequence.get() == 0 {
        complain(
            0x10,
            IssueKind::SequenceZero {
                expected: "1 or more",
                found: 0,
            },
        );
    }
    let known = RecordFlags::IN_USE | RecordFlags::DIRECTORY | RecordFlags::EXTEND | RecordFlags::VIEW_INDEX;
    if header.flags.get() & !known.bits() != 0 {
        complain(
            0x16,
            IssueKind::RecordFlags {
                expected: known.bits(),
                found: header.flags.get(),
            },
        );
    }
    let sequence_at = header.multi.update_sequence_offset.get();
    let low = u32::try_from(number.0 & u64::from(u32::MAX)).unwrap_or(0);
    if sequence_at >= HEADER && header.number.get() != low {
        complain(
            0x2C,
            IssueKind::RecordNumber {
                expected: low,
                found: header.number.get(),
            },
        );
    }
    let array = header.multi.update_sequence_count.get().saturating_mul(2);
    let first = sequence_at
        .max(OLD_HEADER)
        .saturating_add(array)
        .saturating_add(7)
        & !7;
    let (found, used) = (header.first_attribute.get(), header.used.get());
    if found < first || found % 8 != 0 || u32::from(found) > used.min(size) {
        complain(
            0x14,
            IssueKind::FirstAttribute {
                expected: first,
                found,
            },
        );
        return None;
    }
    if used > size {
        complain(
            0x18,
            IssueKind::RecordUsed {
                expected: size,
                found: used,
            },
        );
        return None;
    }
    Record::parsed(number, bytes).ok()
}

/// The numbers of a record's attributes.
#[derive(Debug, Default)]
struct Ids {
    low: u64,
    high: Vec<u16>,
    last: Option<u16>,
}

impl Ids {
    fn take(&mut self, id: u16, complain: &mut impl FnMut(IssueKind)) {
        let new = if id < 64 {
            let bit = 1_u64 << id;
            let new = self.low & bit == 0;
            self.low |= bit;
            new
        } else {
            let new = !self.high.contains(&id);
            self.high.push(id);
            new
        };
        if !new {
            complain(IssueKind::AttributeId {
                expected: "a number for each",
                found: id,
            });
        }
        self.last = self.last.max(Some(id));
    }

    /// The first number that is free behind all others.
    fn next(&self) -> u16 {
        self.last.map_or(0, |last| last.saturating_add(1))
    }
}
