//! Names: adding one to a file and a directory, and taking one away.

use std::mem::offset_of;

use polylink_nt::NtStatus;
use polylink_nt::name::{Made, Namespace};
use zerocopy::{FromBytes as _, IntoBytes as _};

use super::attributes;
use super::bytes::{put, put_u64, wide};
use super::cache::Class;
use super::directory::{IndexName, by_exact_name, by_name, by_numbers, name_entry};
use super::files::{Held, ValuePlace};
use super::state::{Facts, Removal, State};
use super::tree;
use crate::error::{Corrupt, CorruptKind, Error, Result};
use crate::file::{FileName, is_case_sensitive};
use crate::layout::attribute::{AttributeFlags, AttributeKind};
use crate::layout::index::IndexEntry;
use crate::layout::record::RecordFlags;
use crate::layout::value;
use crate::record::Body;
use crate::units::{FileReference, RecordNumber};
use crate::views::{TAG, View};

/// An entry of a directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Found {
    pub(crate) file: FileReference,
    pub(crate) name: FileName,
    /// The bytes of its key.
    pub(crate) key: Vec<u8>,
}

/// Writes fields of the standard information in a record.
pub(super) fn put_fields(record: &mut [u8], fields: &[(usize, u64)]) {
    if let Some((at, len)) = information_in(record)
        && let Some(value) = record.get_mut(at..at.saturating_add(len))
    {
        for (offset, field) in fields {
            put_u64(value, *offset, *field);
        }
    }
}

/// Puts a name behind what is there.
fn put_units(bytes: &mut Vec<u8>, name: &[u16]) {
    for unit in name {
        bytes.extend_from_slice(&unit.to_le_bytes());
    }
}

/// The value of a `$FILE_NAME`.
pub(crate) fn file_name(parent: FileReference, facts: &Facts, name: &[u16], namespace: Namespace) -> Vec<u8> {
    let mut fixed = value::FileName {
        parent: parent.0.into(),
        created: facts.created.into(),
        modified: facts.modified.into(),
        changed: facts.changed.into(),
        accessed: facts.accessed.into(),
        allocated: facts.allocated.into(),
        size: facts.size.into(),
        attributes: facts.attributes.into(),
        ea_or_tag: facts.ea_or_tag.into(),
        name_len: u8::try_from(name.len()).unwrap_or(u8::MAX),
        namespace: namespace.byte(),
    };
    fixed.name_len = u8::try_from(name.len()).unwrap_or(u8::MAX);
    let mut bytes =
        Vec::with_capacity(size_of::<value::FileName>().saturating_add(name.len().saturating_mul(2)));
    bytes.extend_from_slice(fixed.as_bytes());
    put_units(&mut bytes, name);
    bytes
}

/// The key that a name is looked for by: only its name counts.
pub(crate) fn probe(name: &[u16]) -> Vec<u8> {
    let fixed = [0; size_of::<value::FileName>()];
    let mut bytes = Vec::with_capacity(fixed.len().saturating_add(name.len().saturating_mul(2)));
    bytes.extend_from_slice(&fixed);
    put_units(&mut bytes, name);
    bytes
}

pub(super) fn found(entry: &[u8]) -> Result<Found> {
    let (header, rest) = IndexEntry::read_from_prefix(entry).map_err(|_| {
        let what = "it is shorter than its header";
        Error::from(CorruptKind::IndexEntry { offset: 0, what })
    })?;
    let key = rest.get(..usize::from(header.key_len.get())).unwrap_or_default();
    Ok(Found {
        file: FileReference(header.reference.get()),
        name: FileName::parse(key)?,
        key: key.to_vec(),
    })
}

impl State {
    /// The standard information of a file, as it lies in its base record.
    pub(crate) fn standard_information(&mut self, base: RecordNumber) -> Result<Vec<u8>> {
        let kind = AttributeKind::STANDARD_INFORMATION;
        let bytes = self.record(base)?;
        let value = attributes::attributes(bytes)
            .flatten()
            .find(|attribute| attribute.kind() == kind)
            .and_then(|attribute| attribute.resident().map(<[u8]>::to_vec));
        value.ok_or_else(|| Corrupt::new(CorruptKind::Missing { kind }).in_record(base).into())
    }

    /// Writes fields of the standard information.
    pub(crate) fn set_information(&mut self, base: RecordNumber, fields: &[(usize, u64)]) -> Result<()> {
        put_fields(self.record_touch(base)?, fields);
        Ok(())
    }

    /// Writes the standard information, whose length stays.
    pub(crate) fn put_information(&mut self, base: RecordNumber, value: &[u8]) -> Result<()> {
        let kind = AttributeKind::STANDARD_INFORMATION;
        let bytes = self.record_touch(base)?;
        let place = attributes::attributes(bytes)
            .flatten()
            .find(|attribute| attribute.kind() == kind)
            .map(|attribute| attribute.offset());
        let attribute = attributes::resident(kind, &[], value);
        if let Some(at) = place {
            // the length is as before, so there is room
            attributes::replace(bytes, at, &attribute)
                .map_err(|attributes::NoRoom| Error::from(NtStatus::DISK_FULL))?;
        }
        Ok(())
    }

    /// Whether names that differ in case only are different in a directory.
    pub(crate) fn is_case_sensitive(&mut self, directory: RecordNumber) -> Result<bool> {
        let bytes = self.record(directory)?;
        let value = information_in(bytes)
            .and_then(|(at, _)| bytes.get(at..))
            .unwrap_or_default();
        let parsed = value::StandardInformation::read_from_prefix(value);
        Ok(parsed.is_ok_and(|(information, _)| is_case_sensitive(&information)))
    }

    /// What the names of a file repeat of it.
    pub(crate) fn facts(&mut self, base: RecordNumber) -> Result<Facts> {
        if let Some(facts) = self.hints.get(&base).and_then(|hint| hint.facts) {
            return Ok(facts);
        }
        let value = self.standard_information(base)?;
        let (information, _) = value::StandardInformation::read_from_prefix(&value).map_err(|_| {
            let what = "it has less than 48 bytes";
            let kind = AttributeKind::STANDARD_INFORMATION;
            Error::from(Corrupt::new(CorruptKind::Value { kind, what }).in_record(base))
        })?;
        let is_directory = attributes::flags(self.record(base)?).contains(RecordFlags::DIRECTORY);
        let (mut size, mut allocated) = (0, 0);
        let mut attributes = information.attributes.get();
        if is_directory {
            attributes |= FileName::DIRECTORY;
        } else if let Some(value) = self.value(base, AttributeKind::DATA, &[])? {
            match value.place {
                ValuePlace::Record(value) => {
                    size = wide(value.len());
                    allocated = wide(value.len().next_multiple_of(8));
                }
                ValuePlace::Clusters(_, sizes) => {
                    size = sizes.size;
                    allocated = sizes.total.unwrap_or(sizes.allocated);
                }
            }
        }
        let mut ea_or_tag = 0;
        if let Some(value) = self.value(base, AttributeKind::REPARSE_POINT, &[])?
            && let ValuePlace::Record(value) = value.place
        {
            ea_or_tag = super::bytes::get_u32(&value, 0);
        }
        let facts = Facts {
            created: information.created.get(),
            modified: information.modified.get(),
            changed: information.changed.get(),
            accessed: information.accessed.get(),
            allocated,
            size,
            attributes,
            ea_or_tag,
        };
        self.hints.entry(base).or_default().facts = Some(facts);
        Ok(facts)
    }

    /// Finds out in one go what one more name asks of a file, where all of it lies in one record. Where it does not, or
    /// something is wrong with it, whoever asks for each part looks closer.
    pub(crate) fn learn(&mut self, base: RecordNumber) -> Result<()> {
        let known = self.hints.get(&base);
        if known.is_some_and(|hint| hint.facts.is_some() && hint.twins.is_some()) {
            return Ok(());
        }
        let clusters = self.geometry.clusters;
        if let Some((facts, twins)) = told_by(self.record(base)?, clusters) {
            let hint = self.hints.entry(base).or_default();
            hint.facts.get_or_insert(facts);
            hint.twins.get_or_insert(twins);
        }
        Ok(())
    }

    /// The names of a file, each with where it is held.
    pub(crate) fn names(&mut self, base: RecordNumber) -> Result<Vec<(Held, FileName)>> {
        let mut names = Vec::new();
        let mut damage = None;
        let none: Option<()> = self.find_attribute(base, &mut |record, attribute| {
            if attribute.kind() == AttributeKind::FILE_NAME {
                let id = attribute.id();
                match attribute.resident().map(FileName::parse) {
                    Some(Ok(name)) => names.push((Held { record, id }, name)),
                    Some(Err(corrupt)) => damage = Some(corrupt.in_record(record)),
                    None => {}
                }
            }
            None
        })?;
        debug_assert!(none.is_none());
        match damage {
            Some(corrupt) => Err(corrupt.into()),
            None => Ok(names),
        }
    }

    /// How many of a file's names are 8.3 twins.
    fn twins(&mut self, base: RecordNumber) -> Result<u16> {
        if let Some(twins) = self.hints.get(&base).and_then(|hint| hint.twins) {
            return Ok(twins);
        }
        let names = self.names(base)?;
        let twins = names.iter().filter(|(_, name)| !name.is_link()).count();
        let twins = u16::try_from(twins).unwrap_or(u16::MAX);
        self.hints.entry(base).or_default().twins = Some(twins);
        Ok(twins)
    }

    /// Names of a file that everybody sees, and those that the record still has: 8.3 twins not counted.
    pub(crate) fn link_counts(&mut self, base: RecordNumber) -> Result<(u32, u32)> {
        let twins = self.twins(base)?;
        let raw = attributes::raw_links(self.record(base)?);
        let held = u32::from(raw.saturating_sub(twins));
        let leaving = self.leaving.get(&base).copied().unwrap_or(0);
        Ok((held.saturating_sub(leaving), held))
    }

    // looking up

    /// The entry of a name in a directory, that nobody is to see included: the same in every unit first.
    pub(crate) fn look_up_any(&mut self, directory: RecordNumber, name: &[u16]) -> Result<Option<Found>> {
        let upcase = self.upcase.clone();
        let sensitive = self.is_case_sensitive(directory)?;
        let key = probe(name);
        let mut index = self.directory(directory, IndexName::Names)?;
        let exact = tree::find(&mut index, &key, &|a, b| by_exact_name(&upcase, a, b))?;
        let entry = match exact {
            Some(entry) => Some(entry),
            None if sensitive => None,
            None => tree::find(&mut index, &key, &|a, b| by_name(&upcase, a, b))?,
        };
        entry.as_deref().map(found).transpose()
    }

    /// The entry of a name in a directory.
    pub(crate) fn look_up(&mut self, directory: RecordNumber, name: &[u16]) -> Result<Option<Found>> {
        let Some(found) = self.look_up_any(directory, name)? else {
            return Ok(None);
        };
        if self.hidden.is_empty() {
            return Ok(Some(found));
        }
        // an 8.3 twin goes with its long name
        let long = self.long_name(directory, &found)?;
        Ok(Some(found).filter(|_| !self.hidden.contains(&(directory, long))))
    }

    /// Whether a directory has no entries that anybody sees.
    pub(crate) fn is_empty(&mut self, directory: RecordNumber) -> Result<bool> {
        let hidden: Vec<Vec<u16>> = self
            .hidden
            .iter()
            .filter(|(number, _)| *number == directory)
            .map(|(_, name)| name.clone())
            .collect();
        let mut index = self.directory(directory, IndexName::Names)?;
        if hidden.is_empty() {
            return tree::is_empty(&mut index);
        }
        let mut left = false;
        tree::walk(&mut index, &mut |entry| {
            let name = found(entry)?.name;
            // the twin of a name that is gone goes with it
            left |= name.is_link() && !hidden.contains(&name.name);
            Ok(())
        })?;
        Ok(!left)
    }

    // adding

    /// Gives a file one more name: first the record counts it, then the directory leads to it.
    ///
    /// # Errors
    ///
    /// `TOO_MANY_LINKS`, `OBJECT_NAME_COLLISION`, `DISK_FULL`.
    pub(crate) fn add_name(
        &mut self,
        file: FileReference,
        parent: FileReference,
        name: &[u16],
        namespace: Namespace,
        limit: u32,
    ) -> Result<()> {
        let base = file.record();
        let key = self.hold_name(file, parent, name, namespace, limit)?;
        let upcase = self.upcase.clone();
        let sensitive = self.is_case_sensitive(parent.record())?;
        let entry = name_entry(FileReference::new(base, file.sequence()), &key);
        let mut index = self.directory(parent.record(), IndexName::Names)?;
        let added = if sensitive {
            tree::insert(&mut index, &entry, &|a, b| by_exact_name(&upcase, a, b))?
        } else {
            tree::insert(&mut index, &entry, &|a, b| by_name(&upcase, a, b))?
        };
        if added {
            return Ok(());
        }
        match self.look_up(parent.record(), name)? {
            Some(_) => Err(NtStatus::OBJECT_NAME_COLLISION.into()),
            // the name that is there is on its way out
            None => Err(Error::Conflict),
        }
    }

    /// Puts a `$FILE_NAME` into the record of a file and counts it; answers its value.
    pub(crate) fn hold_name(
        &mut self,
        file: FileReference,
        parent: FileReference,
        name: &[u16],
        namespace: Namespace,
        limit: u32,
    ) -> Result<Vec<u8>> {
        let base = file.record();
        let facts = self.facts(base)?;
        let (seen, held) = self.link_counts(base)?;
        if seen >= limit || held >= u32::from(u16::MAX).saturating_sub(2) {
            return Err(NtStatus::TOO_MANY_LINKS.into());
        }
        if held >= limit {
            // names that are on their way out still count
            return Err(Error::Conflict);
        }
        let key = file_name(parent, &facts, name, namespace);
        let attribute = attributes::resident(AttributeKind::FILE_NAME, &[], &key);
        let class = self.base_class;
        self.add_attribute(base, &attribute, class)?;
        let record = self.record_mut(base, class)?;
        let raw = attributes::raw_links(record).saturating_add(1);
        attributes::set_raw_links(record, raw);
        if !namespace.is_link() {
            let hint = self.hints.entry(base).or_default();
            hint.twins = hint.twins.map(|twins| twins.saturating_add(1));
        }
        Ok(key)
    }

    /// The namespace of a new name.
    pub(crate) fn namespace_for(
        &mut self,
        base: RecordNumber,
        name: &[u16],
        made: Made,
    ) -> Result<Namespace> {
        // of several names only one may be its own 8.3 name
        let has_short = matches!(made, Made::ByCreateOrRename) && self.link_counts(base)?.1 > 1;
        Ok(if has_short {
            Namespace::Posix
        } else {
            Namespace::for_new(name, made)
        })
    }

    /// Lets the entry of a name lead to another file, whose record has the name already.
    pub(crate) fn redirect(
        &mut self,
        directory: RecordNumber,
        old: &Found,
        file: FileReference,
        key: &[u8],
    ) -> Result<()> {
        let upcase = self.upcase.clone();
        let mut index = self.directory(directory, IndexName::Names)?;
        let changed = tree::update(
            &mut index,
            &old.key,
            &|a, b| by_exact_name(&upcase, a, b),
            &mut |entry| {
                put_u64(entry, offset_of!(IndexEntry, reference), file.0);
                put(entry, size_of::<IndexEntry>(), key);
            },
        )?;
        if !changed {
            return Err(NtStatus::OBJECT_NAME_NOT_FOUND.into());
        }
        Ok(())
    }

    // taking away

    /// Takes a name off the volume: first the directory no longer leads to it, then the record no longer counts it. With
    /// the last name goes the file.
    pub(crate) fn remove_now(&mut self, removal: &Removal) -> Result<()> {
        let base = removal.file.record();
        let directory = removal.directory;
        let names = self.names(base)?;
        let wanted = |name: &FileName| {
            let same = name.parent.record() == directory && name.name == removal.name;
            same && (removal.namespace.is_none() || name.namespace == removal.namespace)
        };
        let Some((_, name)) = names.iter().find(|(_, name)| wanted(name)).cloned() else {
            return Ok(());
        };
        let twin = names
            .iter()
            .find(|(_, other)| {
                name.namespace == Some(Namespace::Win32)
                    && other.namespace == Some(Namespace::Dos)
                    && other.parent.record() == directory
            })
            .cloned();
        let mut gone = vec![name.name.clone()];
        if removal.replaced {
            gone.clear();
        }
        gone.extend(twin.iter().map(|(_, twin)| twin.name.clone()));
        self.remove_entries(directory, base, &gone)?;
        let leaving: Vec<FileName> = std::iter::once(name).chain(twin.map(|(_, twin)| twin)).collect();
        let raw = attributes::raw_links(self.record(base)?);
        let left = usize::from(raw).saturating_sub(leaving.len());
        if left == 0 || names.len() <= leaving.len() {
            self.remove_from_views(base)?;
            // the last name stays in the record, for whoever wants to bring the file back
            let record = self.record_mut(base, Class::Removed)?;
            attributes::set_raw_links(record, 0);
            return self.free_file(base);
        }
        for name in leaving {
            // the record that holds it may have become another since
            let names = self.names(base)?;
            let held = names.iter().find(|(_, other)| *other == name);
            if let Some((held, _)) = held {
                self.remove_attribute(base, *held, Class::Removed)?;
            }
        }
        let record = self.record_mut(base, Class::Removed)?;
        attributes::set_raw_links(record, u16::try_from(left).unwrap_or(u16::MAX));
        Ok(())
    }

    /// Takes entries of a file out of a directory.
    fn remove_entries(
        &mut self,
        directory: RecordNumber,
        base: RecordNumber,
        names: &[Vec<u16>],
    ) -> Result<()> {
        let upcase = self.upcase.clone();
        for name in names {
            let key = probe(name);
            let mut index = self.directory(directory, IndexName::Names)?;
            let order = |a: &[u8], b: &[u8]| by_exact_name(&upcase, a, b);
            // another file may have taken the name
            let entry = tree::find(&mut index, &key, &order)?;
            if let Some(entry) = entry
                && found(&entry)?.file.record() == base
            {
                tree::remove(&mut index, &key, &order)?;
            }
        }
        Ok(())
    }

    /// The beginning of what a file has that belongs into one of the indexes of `$Extend`, or all of it.
    pub(crate) fn view_value(&mut self, base: RecordNumber, view: View) -> Result<Option<Vec<u8>>> {
        let value = self.value(base, view.kind(), &[])?;
        Ok(match value.map(|value| value.place) {
            Some(ValuePlace::Record(value)) => Some(value),
            Some(ValuePlace::Clusters(runs, _)) => {
                let mut tag = vec![0; TAG];
                let location = super::cache::Location::in_runs(&runs, self.geometry.cluster, 0, TAG);
                if let Some(location) = location {
                    crate::layout::read_bytes(self.cache.device(), location.key(), &mut tag)?;
                }
                Some(tag)
            }
            None => None,
        })
    }

    /// Takes a file that goes out of the indexes of object ids and reparse points.
    fn remove_from_views(&mut self, base: RecordNumber) -> Result<()> {
        for view in View::ALL {
            let Some(value) = self.view_value(base, view)? else {
                continue;
            };
            let file = self.reference(base)?;
            if let Some(key) = view.key(&value, file)
                && let Some(number) = self.view_file(view)?
            {
                let mut index = self.directory(number, IndexName::View(view))?;
                let key = key.get(..view.key_len()).unwrap_or_default();
                tree::remove(&mut index, key, &by_numbers)?;
            }
        }
        Ok(())
    }

    /// The record that has one of the indexes of `$Extend`.
    pub(crate) fn view_file(&mut self, view: View) -> Result<Option<RecordNumber>> {
        let extend = self.record(RecordNumber::EXTEND);
        if !extend.is_ok_and(|bytes| attributes::flags(bytes).contains(RecordFlags::DIRECTORY)) {
            return Ok(None);
        }
        let units: Vec<u16> = view.file().encode_utf16().collect();
        let found = self.look_up_any(RecordNumber::EXTEND, &units)?;
        Ok(found.map(|found| found.file.record()))
    }

    /// Whether a directory lies in another, or is it.
    pub(crate) fn lies_in(&mut self, mut directory: RecordNumber, above: RecordNumber) -> Result<bool> {
        /// No path is deeper than what its 32,767 units can say.
        const DEEPEST: usize = 16_384;
        for _ in 0..DEEPEST {
            if directory == above {
                return Ok(true);
            }
            if directory == RecordNumber::ROOT {
                return Ok(false);
            }
            let names = self.names(directory)?;
            let Some((_, name)) = names.last() else {
                return Ok(false);
            };
            directory = name.parent.record();
        }
        Ok(true)
    }

    /// An empty file or directory that no directory leads to yet.
    pub(crate) fn new_file(
        &mut self,
        parent: FileReference,
        is_directory: bool,
        attributes: u32,
        now: u64,
    ) -> Result<FileReference> {
        let flags = if is_directory {
            RecordFlags::DIRECTORY
        } else {
            RecordFlags::empty()
        };
        let above = self.standard_information(parent.record())?;
        let file = self.take_record(None, flags)?;
        let information = value::StandardInformation {
            created: now.into(),
            modified: now.into(),
            changed: now.into(),
            accessed: now.into(),
            attributes: attributes.into(),
            max_versions: 0.into(),
            version: 0.into(),
            class_id: 0.into(),
        };
        let mut bytes = information.as_bytes().to_vec();
        let old = size_of::<value::StandardInformation>();
        if self.version3
            && let Ok((inherited, _)) =
                value::StandardInformation3::read_from_prefix(above.get(old..).unwrap_or_default())
        {
            // the directory's descriptor in $Secure serves what is made in it
            let extended = value::StandardInformation3 {
                owner_id: 0.into(),
                security_id: inherited.security_id,
                quota: 0.into(),
                usn: 0.into(),
            };
            bytes.extend_from_slice(extended.as_bytes());
        }
        let number = file.record();
        let attribute = attributes::resident(AttributeKind::STANDARD_INFORMATION, &[], &bytes);
        self.add_attribute(number, &attribute, Class::Base)?;
        let content = if is_directory {
            let root = super::directory::empty_directory(self.geometry.index, self.geometry.cluster);
            attributes::resident(AttributeKind::INDEX_ROOT, &crate::index::I30, &root)
        } else {
            attributes::resident(AttributeKind::DATA, &[], &[])
        };
        self.add_attribute(number, &content, Class::Base)?;
        let is_directory = if is_directory { FileName::DIRECTORY } else { 0 };
        let facts = Facts {
            created: now,
            modified: now,
            changed: now,
            accessed: now,
            allocated: 0,
            size: 0,
            attributes: attributes | is_directory,
            ea_or_tag: 0,
        };
        let hint = super::state::Hint {
            facts: Some(facts),
            twins: Some(0),
            ..super::state::Hint::default()
        };
        self.hints.insert(number, hint);
        Ok(file)
    }

    /// Says in the entries of a file's names what is true of it now.
    pub(crate) fn refresh_entries(&mut self, base: RecordNumber) -> Result<()> {
        if let Some(hint) = self.hints.get_mut(&base) {
            hint.facts = None;
        }
        let facts = self.facts(base)?;
        let upcase = self.upcase.clone();
        for (_, name) in self.names(base)? {
            let key = probe(&name.name);
            let parent = name.parent.record();
            if !self.hidden.is_empty() && self.hidden.contains(&(parent, name.name.clone())) {
                continue;
            }
            let namespace = name.namespace.unwrap_or(Namespace::Posix);
            let fresh = file_name(name.parent, &facts, &name.name, namespace);
            let mut index = self.directory(parent, IndexName::Names)?;
            tree::update(
                &mut index,
                &key,
                &|a, b| by_exact_name(&upcase, a, b),
                &mut |entry| {
                    // another file may have taken a name that this one still holds
                    let of_file = found(entry).is_ok_and(|entry| entry.file.record() == base);
                    let same = super::bytes::get_u16(entry, offset_of!(IndexEntry, key_len));
                    if of_file && usize::from(same) == fresh.len() {
                        put(entry, size_of::<IndexEntry>(), &fresh);
                    }
                },
            )?;
        }
        Ok(())
    }
}

/// What the only record of a file that is no directory tells of it, and how many of its names are 8.3 twins; `None` where
/// it has further records, or its attributes are not as they should be.
fn told_by(bytes: &[u8], clusters: u64) -> Option<(Facts, u16)> {
    if attributes::flags(bytes).contains(RecordFlags::DIRECTORY) {
        return None;
    }
    let mut information = None;
    let mut sizes = None;
    let mut tag = None;
    let mut twins = 0_u16;
    for attribute in attributes::attributes(bytes) {
        let attribute = attribute.ok()?;
        let is_unnamed = attribute.name_bytes().is_empty();
        match (attribute.kind(), attribute.body()) {
            (AttributeKind::ATTRIBUTE_LIST, _) => return None,
            (AttributeKind::STANDARD_INFORMATION, Body::Resident { value, .. }) if information.is_none() => {
                information = Some(value::StandardInformation::read_from_prefix(value).ok()?.0);
            }
            (AttributeKind::FILE_NAME, Body::Resident { value, .. }) => {
                let name = FileName::parse(value).ok()?;
                twins = twins.saturating_add(u16::from(!name.is_link()));
            }
            (AttributeKind::DATA, body) if is_unnamed => {
                if sizes.is_some() {
                    return None;
                }
                sizes = Some(match body {
                    Body::Resident { value, .. } => {
                        (wide(value.len()), wide(value.len().next_multiple_of(8)))
                    }
                    Body::NonResident(part) => {
                        part.decode(clusters).ok()?;
                        let allocated = part.total_allocated.unwrap_or(part.header.allocated.get());
                        (part.header.size.get(), allocated)
                    }
                });
            }
            (AttributeKind::REPARSE_POINT, Body::Resident { value, .. }) if is_unnamed => {
                tag.get_or_insert(super::bytes::get_u32(value, 0));
            }
            (AttributeKind::STANDARD_INFORMATION | AttributeKind::FILE_NAME, _)
            | (AttributeKind::REPARSE_POINT, Body::NonResident(_)) => return None,
            _ => {}
        }
    }
    let information = information?;
    let (size, allocated) = sizes.unwrap_or_default();
    let facts = Facts {
        created: information.created.get(),
        modified: information.modified.get(),
        changed: information.changed.get(),
        accessed: information.accessed.get(),
        allocated,
        size,
        attributes: information.attributes.get(),
        ea_or_tag: tag.unwrap_or(0),
    };
    Some((facts, twins))
}

/// Where the value of the standard information lies in a record, and its length.
fn information_in(bytes: &[u8]) -> Option<(usize, usize)> {
    let attribute = attributes::attributes(bytes)
        .flatten()
        .find(|attribute| attribute.kind() == AttributeKind::STANDARD_INFORMATION)?;
    let value = attribute.resident()?;
    let at = attributes::value_offset(bytes, attribute.offset())?;
    Some((at, value.len()))
}

/// What an attribute's flags say that this engine does not write.
pub(crate) fn refuse_special(flags: AttributeFlags) -> Result<()> {
    if flags.contains(AttributeFlags::ENCRYPTED) {
        return Err(crate::Unsupported::Encrypted.into());
    }
    if flags.intersects(AttributeFlags::COMPRESSION_MASK) {
        return Err(crate::Unsupported::Compression {
            flags: flags.bits(),
            unit: 4,
        }
        .into());
    }
    Ok(())
}
