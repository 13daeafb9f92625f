//! Headers of records: what is wrong in one is made as all else in the record says, where that leaves no choice.

use std::mem::offset_of;

use super::super::attributes;
use super::super::bytes::{aligned, get_u16, get_u32, narrow, put, put_u16, put_u32, put_u64, short, size};
use super::super::cache::Class;
use super::super::open::Writer;
use super::super::state::{FILE, State};
use super::Target;
use crate::error::{Error, Result};
use crate::fix::{Step, StepKind};
use crate::fixup;
use crate::layout::attribute::AttributeKind;
use crate::layout::record::{MultiSectorHeader, RecordHeader};
use crate::record::Record;
use crate::units::{FileReference, RecordNumber};

/// The end mark is counted as 8 bytes.
const END_MARK: usize = 8;

/// A record with the header that its content asks for, its update sequence undone, and which fields were wrong; `None`
/// where none is, or where more than its header is wrong.
///
/// What tells that it is a record and which: its number, and the update sequence, which must stand at the end of every
/// 512 bytes; attributes one behind the other up to the mark that ends them; and in a base record those that every file
/// has.
pub(crate) fn headed(number: RecordNumber, raw: &[u8]) -> Option<(Vec<u8>, Vec<&'static str>)> {
    let mut record = raw.to_vec();
    let array = size_of::<RecordHeader>();
    let count = (raw.len() >> 9).saturating_add(1);
    let start = aligned(array.saturating_add(count.saturating_mul(2)));
    let is_own = u64::from(get_u32(raw, offset_of!(RecordHeader, number))) == number.0;
    if !is_own || get_u16(raw, array) == 0 || get_u16(raw, offset_of!(RecordHeader, sequence)) == 0 {
        return None;
    }
    let mut wrong = Vec::new();
    if !raw.starts_with(b"FILE") {
        put(&mut record, 0, b"FILE");
        wrong.push("the signature");
    }
    let sequence = [
        (offset_of!(MultiSectorHeader, update_sequence_offset), array),
        (offset_of!(MultiSectorHeader, update_sequence_count), count),
    ];
    if sequence
        .iter()
        .any(|(field, value)| usize::from(get_u16(raw, *field)) != *value)
    {
        for (field, value) in sequence {
            put_u16(&mut record, field, short(value));
        }
        wrong.push("the update sequence");
    }
    fixup::undo(&mut record, *b"FILE").ok()?;
    let field = offset_of!(RecordHeader, first_attribute);
    let said = usize::from(get_u16(&record, field));
    // others may leave room before it
    let end = match end_of(&record, said).filter(|_| said >= start && said.is_multiple_of(8)) {
        Some(end) => end,
        None => {
            let end = end_of(&record, start)?;
            put_u16(&mut record, field, short(start));
            wrong.push("the place of the first attribute");
            end
        }
    };
    for (field, value, name) in [
        (offset_of!(RecordHeader, used), end, "the bytes in use"),
        (offset_of!(RecordHeader, allocated), raw.len(), "the size"),
    ] {
        if size(get_u32(&record, field)) != value {
            put_u32(&mut record, field, narrow(value));
            wrong.push(name);
        }
    }
    let parsed = Record::parsed(number, &record).ok()?;
    let mut kinds = Vec::new();
    for attribute in parsed.attributes() {
        kinds.push(attribute.ok()?.kind());
    }
    let is_whole = kinds.is_sorted()
        && (parsed.base().is_some()
            || [AttributeKind::STANDARD_INFORMATION, AttributeKind::FILE_NAME]
                .iter()
                .all(|kind| kinds.contains(kind)));
    (parsed.is_in_use() && is_whole && !wrong.is_empty()).then_some((record, wrong))
}

/// Where the attributes end, their mark counted.
fn end_of(record: &[u8], start: usize) -> Option<usize> {
    const SHORTEST: usize = 24;
    let mut at = start;
    loop {
        if record.get(at..at.checked_add(END_MARK)?)?.first_chunk()? == &AttributeKind::END.0.to_le_bytes() {
            return at.checked_add(END_MARK);
        }
        let len = size(get_u32(record, at.checked_add(4)?));
        if len < SHORTEST || !len.is_multiple_of(8) {
            return None;
        }
        at = at.checked_add(len)?;
    }
}

fn corrected(number: RecordNumber, what: &str, before: &str, after: &str) -> Vec<Step> {
    let what = what.to_owned();
    vec![Step::new(StepKind::CorrectRecord, number, what, before, after)]
}

impl State {
    fn class_of(&self, is_directory: bool) -> Class {
        if is_directory {
            Class::Directory
        } else {
            self.base_class
        }
    }

    /// Makes the header of a record as its content says.
    fn mend_header(&mut self, number: RecordNumber) -> Result<Vec<Step>> {
        // the first ones have copies
        if number.0 < self.mirror.1 || number.0 >= self.records {
            return Ok(Vec::new());
        }
        let location = self.locate(number)?;
        let mut raw = vec![0; self.record_len()];
        let mut rest = raw.as_mut_slice();
        for (place, len) in location.pieces() {
            let (part, after) = rest.split_at_mut_checked(len).unwrap_or_default();
            self.cache
                .read_through(place, part)
                .map_err(|source| Error::Device {
                    action: "read",
                    offset: place,
                    len: u64::from(self.geometry.record),
                    source,
                })?;
            rest = after;
        }
        let Some((record, wrong)) = headed(number, &raw) else {
            return Ok(Vec::new());
        };
        let is_directory = Record::parsed(number, &record)?.is_directory();
        let class = self.class_of(is_directory);
        self.cache.create(&location, FILE, record, class);
        self.hints.remove(&number);
        self.directories.retain(|(base, _), _| *base != number);
        Ok(corrected(
            number,
            &wrong.join(", "),
            "wrong",
            "as the record has it",
        ))
    }

    /// Lets a record be a file of its own that says it belongs to another, and has what only a base record has.
    fn mend_base(&mut self, number: RecordNumber) -> Result<Vec<Step>> {
        let has = |record: &Record<'_>, kind| {
            let mut attributes = record.attributes().flatten();
            attributes.any(|attribute| attribute.kind() == kind)
        };
        let record = Record::parsed(number, self.record(number)?)?;
        let Some(base) = record.base().filter(|_| record.is_in_use()) else {
            return Ok(Vec::new());
        };
        let is_file =
            has(&record, AttributeKind::STANDARD_INFORMATION) && has(&record, AttributeKind::FILE_NAME);
        let is_directory = record.is_directory();
        let class = self.class_of(is_directory);
        if !is_file || self.needs(base, number)? {
            return Ok(Vec::new());
        }
        let field = offset_of!(RecordHeader, base);
        put_u64(self.record_mut(number, class)?, field, 0);
        self.hints.remove(&number);
        let (before, after) = (format!("a part of {base}"), "a file of its own");
        Ok(corrected(number, "the record", &before, after))
    }

    /// Whether a file may be without what a record has that says it belongs to it.
    fn needs(&mut self, base: FileReference, number: RecordNumber) -> Result<bool> {
        match self.target(base.record())? {
            Target::Gone => return Ok(false),
            Target::Unknown => return Ok(true),
            Target::File { .. } => {}
        }
        let entries = self.list_entries(base.record())?.unwrap_or_default();
        let named = entries.iter().any(|entry| entry.record.record() == number);
        let own = attributes::attributes(self.record(base.record())?)
            .flatten()
            .any(|attribute| attribute.kind() == AttributeKind::STANDARD_INFORMATION);
        Ok(named || !own)
    }
}

impl Writer {
    /// Makes the header of a record as its content says, where that leaves no choice.
    pub(crate) fn mend_header(&self, number: RecordNumber) -> Result<Vec<Step>> {
        self.mend(|inner| inner.state.mend_header(number))
    }

    /// Lets a record be a file of its own that only says that it is a part of another one.
    pub(crate) fn mend_base(&self, number: RecordNumber) -> Result<Vec<Step>> {
        self.mend(|inner| inner.state.mend_base(number))
    }
}
