//! Single records: what they say of themselves, and those that are damaged and that nothing refers to.

use std::collections::BTreeSet;
use std::mem::offset_of;

use super::super::attributes;
use super::super::bytes::{get_u16, put};
use super::super::cache::Class;
use super::super::directory::{IndexName, empty_directory};
use super::super::files::{Held, ValuePlace};
use super::super::names::found;
use super::super::open::Writer;
use super::super::state::{FILE, State};
use super::super::tree;
use super::Target;
use crate::error::{Error, Result};
use crate::file::FileName;
use crate::fix::{Step, StepKind, called};
use crate::index::I30;
use crate::layout::attribute::AttributeKind;
use crate::layout::index::IndexRoot;
use crate::layout::record::{RecordFlags, RecordHeader};
use crate::record::Record;
use crate::units::{RecordNumber, Vcn};

impl State {
    /// Gives a record a sequence number that has none.
    fn number_record(&mut self, number: RecordNumber, sequence: u16) -> Result<Vec<Step>> {
        if attributes::sequence(self.record(number)?) != 0 || sequence == 0 {
            return Ok(Vec::new());
        }
        let class = self.base_class;
        attributes::set_sequence(self.record_mut(number, class)?, sequence);
        let what = "the sequence number".to_owned();
        Ok(vec![Step::new(
            StepKind::CorrectRecord,
            number,
            what,
            "0",
            sequence.to_string(),
        )])
    }

    /// Lets a record say that it is a directory where it has an index of names, and that it is none where it has content
    /// instead.
    fn mend_directory_flag(&mut self, number: RecordNumber) -> Result<Vec<Step>> {
        let has_index = !self.parts(number, AttributeKind::INDEX_ROOT, &I30)?.is_empty();
        let has_data = !self.parts(number, AttributeKind::DATA, &[])?.is_empty();
        let flags = attributes::flags(self.record(number)?);
        let is_directory = flags.contains(RecordFlags::DIRECTORY);
        if has_index == has_data || has_index == is_directory {
            return Ok(Vec::new());
        }
        let class = self.base_class;
        let mut right = flags;
        right.set(RecordFlags::DIRECTORY, has_index);
        attributes::set_flags(self.record_mut(number, class)?, right);
        self.hints.remove(&number);
        let called = |directory| if directory { "a directory" } else { "no directory" };
        Ok(vec![Step::new(
            StepKind::CorrectRecord,
            number,
            "what the record is said to be".to_owned(),
            called(is_directory),
            called(has_index),
        )])
    }

    /// Takes names out of a file that cannot be read. The directory that has the entry gives the name back; a file
    /// that no directory leads to comes where such files go.
    ///
    /// The record goes on counting it: until then there are entries that the file has no name for.
    fn drop_broken_names(&mut self, base: RecordNumber) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        loop {
            // the numbers of the others may change with each that goes
            let broken = self.find_attribute(base, &mut |record, attribute| {
                let is_broken = attribute.kind() == AttributeKind::FILE_NAME
                    && attribute
                        .resident()
                        .is_some_and(|value| FileName::parse(value).is_err());
                is_broken.then_some(Held {
                    record,
                    id: attribute.id(),
                })
            })?;
            let Some(held) = broken else {
                return Ok(steps);
            };
            self.remove_attribute(base, held, Class::Removed)?;
            steps.push(Step::new(
                StepKind::RemoveName,
                base,
                format!("the name {} of the record {}", held.id, held.record),
                "damaged",
                "removed; a directory may know it",
            ));
        }
    }

    /// Lets the root of a directory's index say that it holds names in their order: it can say nothing else.
    fn mend_rules(&mut self, number: RecordNumber) -> Result<Vec<Step>> {
        const RULES: usize = offset_of!(IndexRoot, block_size);
        let right = empty_directory(self.geometry.index, self.geometry.cluster);
        let Some(held) = self
            .parts(number, AttributeKind::INDEX_ROOT, &I30)?
            .first()
            .copied()
        else {
            return Ok(Vec::new());
        };
        let value = self.value(number, AttributeKind::INDEX_ROOT, &I30)?;
        let Some(ValuePlace::Record(mut root)) = value.map(|value| value.place) else {
            return Ok(Vec::new());
        };
        let (Some(rules), Some(right)) = (root.get_mut(..RULES), right.get(..RULES)) else {
            return Ok(Vec::new());
        };
        if rules == right {
            return Ok(Vec::new());
        }
        rules.copy_from_slice(right);
        let attribute = attributes::resident(AttributeKind::INDEX_ROOT, &I30, &root);
        self.replace_attribute(number, held, &attribute, Class::Directory)?;
        self.directories.remove(&(number, IndexName::Names));
        Ok(vec![Step::new(
            StepKind::CorrectRecord,
            number,
            "what the index is said to hold".to_owned(),
            "something else",
            "names, in their order",
        )])
    }

    /// Lets the parts of a directory's index have its name again, where they have another and are the only ones.
    fn name_index(&mut self, number: RecordNumber) -> Result<Vec<Step>> {
        let Target::File {
            is_directory: true, ..
        } = self.target(number)?
        else {
            return Ok(Vec::new());
        };
        let mut steps = self.mend_rules(number)?;
        for kind in [
            AttributeKind::INDEX_ROOT,
            AttributeKind::INDEX_ALLOCATION,
            AttributeKind::BITMAP,
        ] {
            let mut found = Vec::new();
            let none: Option<()> = self.find_attribute(number, &mut |record, attribute| {
                if attribute.kind() == kind {
                    let lowest = attributes::lowest(attribute);
                    found.push((record, attribute.name_place(), attribute.name(), lowest));
                }
                None
            })?;
            debug_assert!(none.is_none());
            let [(record, Some(place), name, Vcn(0))] = found.as_slice() else {
                continue;
            };
            // a name of another length is in the way of everything
            if *name == I30 || name.len() != I30.len() || *record != number {
                continue;
            }
            let units: Vec<u8> = I30.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            put(self.record_mut(number, Class::Directory)?, *place, &units);
            self.directories.remove(&(number, IndexName::Names));
            self.hints.remove(&number);
            steps.push(Step::new(
                StepKind::CorrectRecord,
                number,
                format!("the name of {kind}"),
                called(name),
                "$I30",
            ));
        }
        Ok(steps)
    }

    /// Those of some damaged records that no entry of a directory, no list and no extension record refers to.
    ///
    /// # Errors
    ///
    /// Where something else cannot be read: then nobody knows.
    fn unreferenced(&mut self, damaged: &BTreeSet<RecordNumber>) -> Result<BTreeSet<RecordNumber>> {
        let mut left = damaged.clone();
        for number in (0..self.records).map(RecordNumber) {
            if damaged.contains(&number) {
                continue;
            }
            let bytes = match self.record(number) {
                Ok(bytes) => bytes,
                // a record that was never used need not be one
                Err(Error::Corrupt(_)) => continue,
                Err(error) => return Err(error),
            };
            let record = Record::parsed(number, bytes)?;
            if !record.is_in_use() {
                continue;
            }
            if let Some(base) = record.base() {
                left.remove(&base.record());
                continue;
            }
            for entry in self.list_entries(number)?.unwrap_or_default() {
                left.remove(&entry.record.record());
            }
            // whatever it says of itself
            if !self.parts(number, AttributeKind::INDEX_ROOT, &I30)?.is_empty() {
                let mut index = self.directory(number, IndexName::Names)?;
                tree::walk(&mut index, &mut |entry| {
                    left.remove(&found(entry)?.file.record());
                    Ok(())
                })?;
            }
        }
        Ok(left)
    }

    /// Makes a record that cannot be read one that is not in use.
    fn free_damaged(&mut self, number: RecordNumber) -> Result<Vec<Step>> {
        if number < RecordNumber::FIRST_USER || self.record(number).is_ok() {
            return Ok(Vec::new());
        }
        let location = self.locate(number)?;
        let mut raw = vec![0; self.record_len()];
        let place = location.key();
        self.cache
            .read_through(place, &mut raw)
            .map_err(|source| Error::Device {
                action: "read",
                offset: place,
                len: u64::from(self.geometry.record),
                source,
            })?;
        let sequence = get_u16(&raw, offset_of!(RecordHeader, sequence));
        let next = attributes::next_sequence(sequence);
        let empty = attributes::new_record(self.record_len(), number, next, None, RecordFlags::empty());
        self.cache.create(&location, FILE, empty, Class::Removed);
        self.pending.records.push(number);
        let what = "the record".to_owned();
        let before = "damaged, and nothing refers to it";
        Ok(vec![Step::new(
            StepKind::FreeRecord,
            number,
            what,
            before,
            "free",
        )])
    }
}

impl Writer {
    /// Gives a record a sequence number that has none.
    pub(crate) fn number_record(&self, number: RecordNumber, sequence: u16) -> Result<Vec<Step>> {
        self.mend(|inner| inner.state.number_record(number, sequence))
    }

    /// Lets a record say whether it is a directory, by what it holds.
    pub(crate) fn mend_directory_flag(&self, number: RecordNumber) -> Result<Vec<Step>> {
        self.mend(|inner| inner.state.mend_directory_flag(number))
    }

    /// Takes names out of a file that cannot be read.
    pub(crate) fn drop_broken_names(&self, base: RecordNumber) -> Result<Vec<Step>> {
        self.mend(|inner| inner.state.drop_broken_names(base))
    }

    /// Lets the parts of a directory's index have its name.
    pub(crate) fn name_index(&self, number: RecordNumber) -> Result<Vec<Step>> {
        self.mend(|inner| inner.state.name_index(number))
    }

    /// Frees those of some damaged records that nothing refers to.
    pub(crate) fn free_damaged(&self, damaged: &BTreeSet<RecordNumber>) -> Result<Vec<Step>> {
        let unreferenced = match self.look(|state| state.unreferenced(damaged)) {
            Ok(unreferenced) => unreferenced,
            Err(Error::Corrupt(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut steps = Vec::new();
        for number in unreferenced {
            steps.extend(self.mend(|inner| inner.state.free_damaged(number))?);
        }
        Ok(steps)
    }
}
