//! The attributes of a file, in however many records they are.
//!
//! The base record is where a change becomes true: an extension record that the device has is never changed but
//! replaced by a new one, to which the list leads from then on.

use polylink_nt::NtStatus;

use super::FILE_SYSTEM_LIMITATION;
use super::attributes::{self, NoRoom, Part, Sizes};
use super::cache::Class;
use super::lists::entry;
use super::state::State;
use crate::error::{Corrupt, CorruptKind, Error, Result};
use crate::file::ListEntry;
use crate::layout::attribute::{AttributeFlags, AttributeKind};
use crate::layout::record::RecordFlags;
use crate::record::{Attribute, Body};
use crate::runs::RunList;
use crate::units::{FileReference, RecordNumber, Vcn};

/// An attribute of a file: its record and its number there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Held {
    pub(crate) record: RecordNumber,
    pub(crate) id: u16,
}

/// A value of a file, put together from its parts.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) flags: AttributeFlags,
    pub(crate) unit: u8,
    pub(crate) place: ValuePlace,
}

/// Where a value is.
#[derive(Clone, Debug)]
pub(crate) enum ValuePlace {
    /// In a record.
    Record(Vec<u8>),
    /// In clusters.
    Clusters(RunList, Sizes),
}

impl State {
    /// The reference that leads to a record now.
    pub(crate) fn reference(&mut self, number: RecordNumber) -> Result<FileReference> {
        let bytes = self.record(number)?;
        Ok(FileReference::new(number, attributes::sequence(bytes)))
    }

    /// The records of a file, the base record first.
    pub(crate) fn records_of(&mut self, base: RecordNumber) -> Result<Vec<RecordNumber>> {
        let mut records = vec![base];
        if let Some(entries) = self.list_entries(base)? {
            let mut others: Vec<_> = entries.iter().map(|entry| entry.record.record()).collect();
            others.sort_unstable();
            others.dedup();
            records.extend(others.into_iter().filter(|number| *number != base));
        }
        Ok(records)
    }

    /// Visits every attribute of a file until `visit` answers something.
    pub(crate) fn find_attribute<T>(
        &mut self,
        base: RecordNumber,
        visit: &mut dyn FnMut(RecordNumber, &Attribute<'_>) -> Option<T>,
    ) -> Result<Option<T>> {
        for record in self.records_of(base)? {
            let bytes = self.record(record)?;
            for attribute in attributes::attributes(bytes) {
                let attribute = attribute.map_err(|corrupt| corrupt.in_record(record))?;
                if let Some(found) = visit(record, &attribute) {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }

    /// The parts of an attribute, in order.
    pub(crate) fn parts(
        &mut self,
        base: RecordNumber,
        kind: AttributeKind,
        name: &[u16],
    ) -> Result<Vec<Held>> {
        let mut parts = Vec::new();
        let upcase = self.upcase.clone();
        let none: Option<()> = self.find_attribute(base, &mut |record, attribute| {
            let other = attribute.name();
            if attribute.kind() == kind && (other == name || upcase.same(&other, name)) {
                let id = attribute.id();
                parts.push((attributes::lowest(attribute), Held { record, id }));
            }
            None
        })?;
        debug_assert!(none.is_none());
        parts.sort_by_key(|(lowest, _)| *lowest);
        Ok(parts.into_iter().map(|(_, held)| held).collect())
    }

    /// The value of an attribute; `None` where the file has none.
    pub(crate) fn value(
        &mut self,
        base: RecordNumber,
        kind: AttributeKind,
        name: &[u16],
    ) -> Result<Option<Value>> {
        let clusters = self.geometry.clusters;
        let mut found: Option<Value> = None;
        for held in self.parts(base, kind, name)? {
            let bytes = self.record(held.record)?;
            let attribute = attributes::offset_of_id(bytes, held.id)
                .and_then(|at| attributes::attribute_at(bytes, at))
                .and_then(Attribute::parse_one);
            let Some(attribute) = attribute else { continue };
            match (attribute.body(), &mut found) {
                (Body::Resident { value, .. }, _) => {
                    return Ok(Some(Value {
                        flags: attribute.flags(),
                        unit: 0,
                        place: ValuePlace::Record(value.to_vec()),
                    }));
                }
                (Body::NonResident(part), None) => {
                    let sizes = Sizes {
                        allocated: part.header.allocated.get(),
                        size: part.header.size.get(),
                        initialized: part.header.initialized.get(),
                        total: part.total_allocated,
                    };
                    found = Some(Value {
                        flags: attribute.flags(),
                        unit: part.header.compression_unit,
                        place: ValuePlace::Clusters(part.decode(clusters)?, sizes),
                    });
                }
                (Body::NonResident(part), Some(value)) => {
                    let next = part.decode(clusters)?;
                    if let ValuePlace::Clusters(runs, _) = &mut value.place {
                        runs.append(&next)?;
                    }
                }
            }
        }
        Ok(found)
    }

    /// Where an attribute begins in its record.
    fn offset(&mut self, held: Held) -> Result<usize> {
        let bytes = self.record(held.record)?;
        attributes::offset_of_id(bytes, held.id).ok_or_else(|| {
            let kind = AttributeKind(0);
            Corrupt::new(CorruptKind::Missing { kind })
                .in_record(held.record)
                .into()
        })
    }

    // adding

    /// Gives a file one more attribute.
    ///
    /// # Errors
    ///
    /// `DISK_FULL`; where the attribute list would be longer than lists can be.
    pub(crate) fn add_attribute(
        &mut self,
        base: RecordNumber,
        attribute: &[u8],
        class: Class,
    ) -> Result<Held> {
        let upcase = self.upcase.clone();
        let parsed = Attribute::parse_one(attribute).ok_or(NtStatus::INVALID_PARAMETER)?;
        let (kind, name, lowest) = (parsed.kind(), parsed.name(), attributes::lowest(&parsed));
        if self.list(base)?.is_none() {
            let record = self.record_mut(base, class)?;
            if let Ok(id) = attributes::insert(record, &upcase, attribute) {
                return Ok(Held { record: base, id });
            }
            self.make_list(base, class)?;
        }
        let held = if kind == AttributeKind::STANDARD_INFORMATION {
            self.spill(base, attribute.len(), class)?;
            let record = self.record_mut(base, class)?;
            let id =
                attributes::insert(record, &upcase, attribute).map_err(|NoRoom| FILE_SYSTEM_LIMITATION)?;
            Held { record: base, id }
        } else {
            self.add_outside(base, kind, attribute, class)?
        };
        let reference = self.reference(held.record)?;
        let known = self.hints.get(&base).and_then(|hint| hint.names_end);
        let position = match known.filter(|_| kind == AttributeKind::FILE_NAME) {
            Some(position) => position,
            None => self.list_place(base, kind, &name, lowest)?,
        };
        let bytes = entry(kind, &name, lowest, reference, held.id);
        if self.room_of(base)? < bytes.len() && self.list(base)?.is_some_and(|list| list.runs.is_none()) {
            self.spill(base, bytes.len(), class)?;
            // what moved is in the list at the same place
        }
        self.list_splice(base, position, 0, &bytes, class)?;
        if kind == AttributeKind::FILE_NAME {
            let hint = self.hints.entry(base).or_default();
            hint.names_end = Some(position.saturating_add(bytes.len()));
            hint.roomy = Some(held.record).filter(|&record| record != base);
        } else {
            self.hints.remove(&base);
        }
        Ok(held)
    }

    fn room_of(&mut self, record: RecordNumber) -> Result<usize> {
        Ok(attributes::room(self.record(record)?))
    }

    /// Where in the list an attribute belongs: behind those that are the same.
    fn list_place(
        &mut self,
        base: RecordNumber,
        kind: AttributeKind,
        name: &[u16],
        lowest: Vcn,
    ) -> Result<usize> {
        let upcase = self.upcase.clone();
        let entries = self.list_entries(base)?.unwrap_or_default();
        let before = entries.iter().take_while(|other| {
            let key = (other.kind, other.name.as_slice(), other.lowest);
            attributes::order(&upcase, key, (kind, name, lowest)).is_le()
        });
        Ok(before.fold(0, |at, other| {
            let len = entry(other.kind, &other.name, other.lowest, other.record, other.id).len();
            at.saturating_add(len)
        }))
    }

    /// Puts an attribute into the base record if there is room to spare, else into an extension record.
    fn add_outside(
        &mut self,
        base: RecordNumber,
        kind: AttributeKind,
        attribute: &[u8],
        class: Class,
    ) -> Result<Held> {
        /// What is left for the list and for longer runs.
        const SPARE: usize = 96;
        let upcase = self.upcase.clone();
        if kind != AttributeKind::FILE_NAME && self.room_of(base)? >= attribute.len().saturating_add(SPARE) {
            let record = self.record_mut(base, class)?;
            if let Ok(id) = attributes::insert(record, &upcase, attribute) {
                return Ok(Held { record: base, id });
            }
        }
        let roomy = match self.hints.get(&base).and_then(|hint| hint.roomy) {
            Some(roomy) => Some(roomy),
            None => self.last_extension(base)?,
        };
        if let Some(roomy) = roomy
            && self.room_of(roomy)? >= attribute.len()
        {
            let roomy = self.own_extension(base, roomy, class)?;
            let record = self.record_mut(roomy, Class::New)?;
            if let Ok(id) = attributes::insert(record, &upcase, attribute) {
                return Ok(Held { record: roomy, id });
            }
        }
        self.add_in_new_record(base, attribute)
    }

    fn add_in_new_record(&mut self, base: RecordNumber, attribute: &[u8]) -> Result<Held> {
        let upcase = self.upcase.clone();
        let reference = self.reference(base)?;
        let new = self.take_record(Some(reference), RecordFlags::empty())?.record();
        let record = self.record_mut(new, Class::New)?;
        let id = attributes::insert(record, &upcase, attribute).map_err(|NoRoom| FILE_SYSTEM_LIMITATION)?;
        if let Some(hint) = self.hints.get_mut(&base) {
            hint.roomy = Some(new);
        }
        Ok(Held { record: new, id })
    }

    /// The extension record that the last name of the list is in.
    fn last_extension(&mut self, base: RecordNumber) -> Result<Option<RecordNumber>> {
        let entries = self.list_entries(base)?.unwrap_or_default();
        let mut outside = entries.iter().rev().filter(|entry| entry.record.record() != base);
        let names = outside
            .clone()
            .find(|entry| entry.kind == AttributeKind::FILE_NAME);
        Ok(names
            .or_else(|| outside.next())
            .map(|entry| entry.record.record()))
    }

    /// An extension record that may be changed: itself where the device does not lead to it, else a copy that takes its
    /// place in the list.
    pub(crate) fn own_extension(
        &mut self,
        base: RecordNumber,
        extension: RecordNumber,
        class: Class,
    ) -> Result<RecordNumber> {
        if self.is_new(extension) {
            return Ok(extension);
        }
        let reference = self.reference(base)?;
        let old = self.record(extension)?.to_vec();
        let new = self.take_record(Some(reference), RecordFlags::empty())?;
        let record = self.record_mut(new.record(), Class::New)?;
        let sequence = attributes::sequence(record);
        record.copy_from_slice(&old);
        attributes::set_sequence(record, sequence);
        attributes::set_number(record, new.record());
        while let Some((at, len)) =
            self.list_position(base, &|reference, _| reference.record() == extension)?
        {
            let entries = self.list_entries(base)?.unwrap_or_default();
            let found = entries.iter().find(|entry| entry.record.record() == extension);
            let Some(found) = found else { break };
            let bytes = entry(found.kind, &found.name, found.lowest, new, found.id);
            self.list_splice(base, at, len, &bytes, class)?;
        }
        self.pending.extensions.push(extension);
        if let Some(hint) = self.hints.get_mut(&base)
            && hint.roomy == Some(extension)
        {
            hint.roomy = Some(new.record());
        }
        self.directories.retain(|(number, _), _| *number != base);
        Ok(new.record())
    }

    /// Makes an attribute list for a file that had none, and moves names out until it has room.
    fn make_list(&mut self, base: RecordNumber, class: Class) -> Result<()> {
        if base == RecordNumber::MFT {
            return Err(NtStatus::DISK_FULL.into());
        }
        let reference = self.reference(base)?;
        let bytes = self.record(base)?;
        let mut entries: Vec<ListEntry> = attributes::attributes(bytes)
            .flatten()
            .map(|attribute| ListEntry {
                kind: attribute.kind(),
                name: attribute.name(),
                lowest: attributes::lowest(&attribute),
                record: reference,
                id: attribute.id(),
            })
            .collect();
        let list = super::lists::encode(&entries).len();
        // room for the entry of what is to come, too
        let need = Self::list_room(self.record_len(), list.saturating_add(64));
        let mut target: Option<RecordNumber> = None;
        while self.room_of(base)? < need {
            let bytes = self.record(base)?;
            let Some(id) = movable(bytes) else {
                return Err(FILE_SYSTEM_LIMITATION.into());
            };
            let held = self.move_out(base, id, &mut target, class)?;
            let new = self.reference(held.record)?;
            if let Some(found) = entries
                .iter_mut()
                .find(|entry| entry.record == reference && entry.id == id)
            {
                found.record = new;
                found.id = held.id;
            }
        }
        self.insert_list(base, &entries, class)
    }

    /// Moves an attribute of the base record into an extension record of this batch.
    fn move_out(
        &mut self,
        base: RecordNumber,
        id: u16,
        target: &mut Option<RecordNumber>,
        class: Class,
    ) -> Result<Held> {
        let upcase = self.upcase.clone();
        self.directories.retain(|(number, _), _| *number != base);
        let record = self.record_mut(base, class)?;
        let at = attributes::offset_of_id(record, id).unwrap_or(0);
        let attribute = attributes::remove(record, at);
        if let Some(extension) = *target {
            let record = self.record_mut(extension, Class::New)?;
            if let Ok(id) = attributes::insert(record, &upcase, &attribute) {
                return Ok(Held {
                    record: extension,
                    id,
                });
            }
        }
        let held = self.add_in_new_record(base, &attribute)?;
        *target = Some(held.record);
        Ok(held)
    }

    /// Makes room in the base record of a file that has a list.
    fn spill(&mut self, base: RecordNumber, need: usize, class: Class) -> Result<()> {
        let mut target = None;
        if let Some(list) = self.list(base)?
            && list.runs.is_none()
            && self.room_of(base)? < need
            && list.len.saturating_add(24) > Self::list_room(0, list.len)
        {
            self.list_to_clusters(base, &list, class)?;
        }
        while self.room_of(base)? < need {
            let bytes = self.record(base)?;
            let Some(id) = movable(bytes).filter(|_| base != RecordNumber::MFT) else {
                return Err(FILE_SYSTEM_LIMITATION.into());
            };
            let held = self.move_out(base, id, &mut target, class)?;
            let new = self.reference(held.record)?;
            let place = self.list_position(base, &|reference, other| {
                reference.record() == base && other == id
            })?;
            let entries = self.list_entries(base)?.unwrap_or_default();
            let found = entries
                .iter()
                .find(|entry| entry.record.record() == base && entry.id == id);
            if let (Some((at, len)), Some(found)) = (place, found) {
                let bytes = entry(found.kind, &found.name, found.lowest, new, held.id);
                self.list_splice(base, at, len, &bytes, class)?;
            }
        }
        Ok(())
    }

    // removing and replacing

    /// Takes an attribute away, and with the last one of an extension record that record.
    pub(crate) fn remove_attribute(&mut self, base: RecordNumber, held: Held, class: Class) -> Result<()> {
        let place = self.list_position(base, &|reference, id| {
            reference.record() == held.record && id == held.id
        })?;
        self.hints.remove(&base);
        if held.record == base {
            let at = self.offset(held)?;
            attributes::remove(self.record_mut(base, class)?, at);
            if let Some((at, len)) = place {
                self.list_splice(base, at, len, &[], class)?;
            }
            return Ok(());
        }
        if let Some((at, len)) = place {
            self.list_splice(base, at, len, &[], class)?;
        }
        let left = attributes::attributes(self.record(held.record)?).count();
        if left <= 1 {
            if self.is_new(held.record) {
                self.give_record_back(held.record)?;
            } else {
                self.pending.extensions.push(held.record);
            }
            return self.drop_list_if_idle(base, class);
        }
        let extension = self.own_extension(base, held.record, class)?;
        let at = self.offset(Held {
            record: extension,
            id: held.id,
        })?;
        attributes::remove(self.record_mut(extension, Class::New)?, at);
        Ok(())
    }

    /// Gives an attribute another value or other runs; its type, name and place in the value stay.
    pub(crate) fn replace_attribute(
        &mut self,
        base: RecordNumber,
        held: Held,
        attribute: &[u8],
        class: Class,
    ) -> Result<Held> {
        let record = if held.record == base {
            base
        } else {
            self.own_extension(base, held.record, class)?
        };
        let held = Held { record, ..held };
        let at = self.offset(held)?;
        let write_class = if record == base { class } else { Class::New };
        if attributes::replace(self.record_mut(record, write_class)?, at, attribute).is_ok() {
            return Ok(held);
        }
        self.remove_attribute(base, held, class)?;
        self.add_attribute(base, attribute, class)
    }

    /// Gives a value in clusters other runs and sizes, in as many parts as it needs.
    pub(crate) fn set_clusters(&mut self, base: RecordNumber, part: &Part<'_>, class: Class) -> Result<()> {
        let old = self.parts(base, part.kind, part.name)?;
        let whole = attributes::non_resident(part);
        let empty = attributes::new_record(self.record_len(), base, 1, None, RecordFlags::empty());
        let limit = attributes::room(&empty);
        if let [held] = old.as_slice()
            && whole.len() <= limit
        {
            self.replace_attribute(base, *held, &whole, class)?;
            return Ok(());
        }
        for held in old {
            // the numbers of the others may have changed with their record
            let now = self.parts(base, part.kind, part.name)?;
            let held = now.first().copied().unwrap_or(held);
            self.remove_attribute(base, held, class)?;
        }
        if whole.len() <= limit {
            self.add_attribute(base, &whole, class)?;
            return Ok(());
        }
        let room = limit
            .saturating_sub(attributes::non_resident_overhead(part.name))
            .max(64);
        let mut rest = part.runs.clone();
        while !rest.extents().is_empty() {
            let lowest = rest.start();
            let mut here = rest.clone();
            // a pair of runs has at most 17 bytes; most have far fewer
            let mut count = here.extents().len().min(room);
            loop {
                let end = here
                    .extents()
                    .get(count.saturating_sub(1))
                    .map_or(0, |extent| extent.end());
                here = rest.clone();
                here.cut(Vcn(end));
                let len = here.encode().len();
                if len <= room || count <= 1 {
                    rest = rest.cut(Vcn(end));
                    break;
                }
                count = count
                    .saturating_mul(room)
                    .checked_div(len)
                    .unwrap_or(1)
                    .min(count.saturating_sub(1))
                    .max(1);
            }
            let attribute = attributes::non_resident(&Part {
                runs: &here,
                lowest,
                ..*part
            });
            self.add_attribute(base, &attribute, class)?;
        }
        Ok(())
    }

    /// A value that fits into the base record, in the place of whatever the file has of that type and name.
    pub(crate) fn set_resident(
        &mut self,
        base: RecordNumber,
        kind: AttributeKind,
        name: &[u16],
        value: &[u8],
        class: Class,
    ) -> Result<()> {
        let attribute = attributes::resident(kind, name, value);
        let old = self.parts(base, kind, name)?;
        if let [held] = old.as_slice() {
            self.replace_attribute(base, *held, &attribute, class)?;
            return Ok(());
        }
        for held in old {
            let now = self.parts(base, kind, name)?;
            self.remove_attribute(base, now.first().copied().unwrap_or(held), class)?;
        }
        self.add_attribute(base, &attribute, class)?;
        Ok(())
    }

    /// The most bytes that a resident value of a file may have without moving anything.
    pub(crate) fn resident_room(&mut self, base: RecordNumber, name: &[u16]) -> Result<usize> {
        let overhead = attributes::resident(AttributeKind::DATA, name, &[]).len();
        Ok(self.room_of(base)?.saturating_sub(overhead))
    }

    /// Everything that a file holds becomes free, once its base record says that it is gone.
    pub(crate) fn free_file(&mut self, base: RecordNumber) -> Result<()> {
        let clusters = self.geometry.clusters;
        let mut runs: Vec<RunList> = Vec::new();
        let mut damage: Option<Error> = None;
        let none: Option<()> = self.find_attribute(base, &mut |_, attribute| {
            if let Body::NonResident(part) = attribute.body() {
                match part.decode(clusters) {
                    Ok(found) => runs.push(found),
                    Err(corrupt) => damage = Some(corrupt.into()),
                }
            }
            None
        })?;
        debug_assert!(none.is_none());
        if let Some(damage) = damage {
            return Err(damage);
        }
        for runs in &runs {
            self.free_clusters(runs);
        }
        for record in self.records_of(base)? {
            if record != base {
                self.pending.extensions.push(record);
            }
        }
        let record = self.record_mut(base, Class::Removed)?;
        let flags = attributes::flags(record).difference(RecordFlags::IN_USE);
        attributes::set_flags(record, flags);
        let next = attributes::next_sequence(attributes::sequence(record));
        attributes::set_sequence(record, next);
        self.pending.records.push(base);
        self.hints.remove(&base);
        self.directories.retain(|(number, _), _| *number != base);
        Ok(())
    }
}

/// The number of the attribute that leaves a full record first: a name, then data, then the rest. Never the standard
/// information and the list.
fn movable(bytes: &[u8]) -> Option<u16> {
    let rank = |kind: AttributeKind| match kind {
        AttributeKind::STANDARD_INFORMATION | AttributeKind::ATTRIBUTE_LIST => None,
        AttributeKind::FILE_NAME => Some(0),
        AttributeKind::DATA => Some(1),
        AttributeKind::INDEX_ROOT => Some(4),
        AttributeKind::INDEX_ALLOCATION | AttributeKind::BITMAP => Some(3),
        _ => Some(2),
    };
    let mut best: Option<(u8, u16)> = None;
    for attribute in attributes::attributes(bytes).flatten() {
        if let Some(rank) = rank(attribute.kind())
            && best.is_none_or(|(other, _)| rank <= other)
        {
            // the last of a kind, so that those before stay where they are
            best = Some((rank, attribute.id()));
        }
    }
    best.map(|(_, id)| id)
}
