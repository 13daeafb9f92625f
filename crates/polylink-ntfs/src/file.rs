//! A file: its base record, the records that it overflows into, and what their attributes say.

mod names;
mod reparse;

use zerocopy::FromBytes as _;

use crate::error::{Corrupt, CorruptKind, Error, Result};
use crate::layout::attribute::{AttributeFlags, AttributeKind};
use crate::layout::value::{self, AttributeListEntry};
use crate::mft::list_size;
use crate::record::{Attribute, Body, Record, units};
use crate::runs::RunList;
use crate::stream::Stream;
use crate::units::{FileReference, RecordNumber, Vcn};
use crate::volume::Volume;

pub use names::FileName;
pub use reparse::Reparse;

/// One entry of an attribute list: which record holds a part of an attribute.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListEntry {
    /// The attribute's type.
    pub kind: AttributeKind,
    /// Its name.
    pub name: Vec<u16>,
    /// First cluster of the value that this part tells of.
    pub lowest: Vcn,
    /// The record.
    pub record: FileReference,
    /// The attribute's number there.
    pub id: u16,
}

impl ListEntry {
    /// Takes the value of `$ATTRIBUTE_LIST` apart.
    ///
    /// # Errors
    ///
    /// An entry that is cut, or shorter than its own fields.
    pub fn parse_all(value: &[u8]) -> Result<Vec<Self>, Corrupt> {
        list_entries(value)
    }
}

/// Takes the value of `$ATTRIBUTE_LIST` apart.
///
/// # Errors
///
/// An entry that is cut, or shorter than its own fields.
pub(crate) fn list_entries(mut value: &[u8]) -> Result<Vec<ListEntry>, Corrupt> {
    let mut entries = Vec::new();
    while !value.is_empty() {
        let damage = || Corrupt::new(CorruptKind::ListEntry { at: entries.len() });
        let (entry, _) = AttributeListEntry::read_from_prefix(value).map_err(|_| damage())?;
        let len = usize::from(entry.len.get());
        let name_start = usize::from(entry.name_offset);
        let name_end = name_start.saturating_add(usize::from(entry.name_len).saturating_mul(2));
        if len < size_of::<AttributeListEntry>() || len > value.len() || entry.name_len > 0 && name_end > len
        {
            return Err(damage());
        }
        let (bytes, rest) = value.split_at(len);
        let name = match entry.name_len {
            0 => Vec::new(),
            _ => units(bytes.get(name_start..name_end).unwrap_or_default()),
        };
        entries.push(ListEntry {
            kind: AttributeKind(entry.kind.get()),
            name,
            lowest: Vcn(entry.lowest_vcn.get()),
            record: FileReference(entry.record.get()),
            id: entry.id.get(),
        });
        value = rest;
    }
    Ok(entries)
}

/// What `$STANDARD_INFORMATION` says of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StandardInformation {
    /// When the file was made; 100 ns since 1601, as all times here.
    pub created: u64,
    /// When its content changed.
    pub modified: u64,
    /// When its record changed.
    pub changed: u64,
    /// When it was read.
    pub accessed: u64,
    /// `FILE_ATTRIBUTE_…`.
    pub attributes: u32,
    /// Of a directory: names that differ in case only are different there; see [`value::CASE_SENSITIVE`].
    pub case_sensitive: bool,
    /// Which descriptor of `$Secure` it has; since NTFS 3.0.
    pub security_id: Option<u32>,
    /// Its last entry in the change journal; since NTFS 3.0.
    pub usn: Option<u64>,
}

impl StandardInformation {
    /// Takes the value of the attribute apart.
    ///
    /// # Errors
    ///
    /// Where it has less than 48 bytes.
    pub fn parse(value: &[u8]) -> Result<Self, Corrupt> {
        let (old, rest) = value::StandardInformation::read_from_prefix(value).map_err(|_| {
            Corrupt::new(CorruptKind::Value {
                kind: AttributeKind::STANDARD_INFORMATION,
                what: "it has less than 48 bytes",
            })
        })?;
        let new = value::StandardInformation3::read_from_prefix(rest).ok();
        Ok(Self {
            created: old.created.get(),
            modified: old.modified.get(),
            changed: old.changed.get(),
            accessed: old.accessed.get(),
            attributes: old.attributes.get(),
            case_sensitive: is_case_sensitive(&old),
            security_id: new.as_ref().map(|(new, _)| new.security_id.get()),
            usn: new.as_ref().map(|(new, _)| new.usn.get()),
        })
    }
}

/// Whether the flag of case-sensitive directories is set.
pub(crate) fn is_case_sensitive(information: &value::StandardInformation) -> bool {
    information.max_versions.get() == 0 && information.version.get() & value::CASE_SENSITIVE != 0
}

/// A file of a volume: its records, read and checked.
#[derive(Clone, Debug)]
pub struct File {
    base: RecordNumber,
    /// The base record first, then those that its list names, each once.
    records: Vec<(RecordNumber, Vec<u8>)>,
    list: Option<Vec<ListEntry>>,
}

impl File {
    /// Reads the file of a base record.
    ///
    /// # Errors
    ///
    /// Where the record is not in use, is an extension of another file, or one of its records is damaged.
    pub(crate) fn read(volume: &Volume, number: RecordNumber) -> Result<Self> {
        let mut bytes = Vec::new();
        volume.read_record(number, &mut bytes)?;
        Record::parse(number, &mut bytes)?;
        Self::of(volume, number, bytes)
    }

    /// The file of a base record whose update sequence is undone already.
    ///
    /// # Errors
    ///
    /// As [`File::read`].
    pub(crate) fn of(volume: &Volume, number: RecordNumber, bytes: Vec<u8>) -> Result<Self> {
        let inside = |error: Error| error.in_record(number);
        let record = Record::parsed(number, &bytes)?;
        if !record.is_in_use() {
            return Err(inside(CorruptKind::NotInUse.into()));
        }
        if let Some(base) = record.base() {
            return Err(inside(CorruptKind::NotBase { base }.into()));
        }
        let reference = record.reference();
        let mut list = None;
        for attribute in record.attributes() {
            let attribute = attribute?;
            if attribute.kind() == AttributeKind::ATTRIBUTE_LIST {
                let value = list_value(volume, &attribute).map_err(inside)?;
                list = Some(list_entries(&value).map_err(|corrupt| corrupt.in_record(number))?);
            }
        }
        let mut file = Self {
            base: number,
            records: vec![(number, bytes)],
            list: None,
        };
        if let Some(list) = list {
            file.read_extensions(volume, reference, &list)?;
            file.list = Some(list);
        }
        Ok(file)
    }

    fn read_extensions(&mut self, volume: &Volume, base: FileReference, list: &[ListEntry]) -> Result<()> {
        let mut wanted: Vec<FileReference> = list.iter().map(|entry| entry.record).collect();
        wanted.sort_unstable();
        wanted.dedup();
        for reference in wanted {
            let number = reference.record();
            if number == self.base {
                continue;
            }
            let inside = |kind: CorruptKind| Error::from(Corrupt::new(kind).in_record(number));
            let mut bytes = Vec::new();
            volume.read_record(number, &mut bytes)?;
            let record = Record::parse(number, &mut bytes)?;
            if !record.is_in_use() {
                return Err(inside(CorruptKind::NotInUse));
            }
            if !fits(reference, record.sequence()) {
                let found = record.sequence();
                return Err(inside(CorruptKind::Sequence { reference, found }));
            }
            if record.base() != Some(base) {
                let found = record.base().unwrap_or(record.reference());
                return Err(inside(CorruptKind::OtherBase { found, wanted: base }));
            }
            self.records.push((number, bytes));
        }
        Ok(())
    }

    /// The number of its base record.
    #[must_use]
    pub fn number(&self) -> RecordNumber {
        self.base
    }

    /// Its base record.
    #[must_use]
    pub fn base(&self) -> Option<Record<'_>> {
        self.records().next()
    }

    /// Its records, the base record first.
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        // OK to leave out: each was parsed when the file was read
        self.records
            .iter()
            .filter_map(|(number, bytes)| Record::parsed(*number, bytes).ok())
    }

    /// Its attribute list, where it has one.
    #[must_use]
    pub fn list(&self) -> Option<&[ListEntry]> {
        self.list.as_deref()
    }

    /// All its attributes, each with the record that it is in.
    pub fn attributes(&self) -> impl Iterator<Item = Result<(RecordNumber, Attribute<'_>), Corrupt>> {
        self.records().flat_map(|record| {
            record
                .attributes()
                .map(move |attribute| attribute.map(|attribute| (record.number(), attribute)))
        })
    }

    /// Whether it is a directory.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        self.base().is_some_and(|record| record.is_directory())
    }

    /// Whether it is a directory in which names that differ in case only are different. Where its
    /// `$STANDARD_INFORMATION` cannot be read, it is as nearly all are, and is not.
    #[must_use]
    pub fn is_case_sensitive(&self) -> bool {
        self.is_directory()
            && self
                .standard_information()
                .is_ok_and(|information| information.case_sensitive)
    }

    /// The reference that leads to it now.
    #[must_use]
    pub fn reference(&self) -> FileReference {
        self.base()
            .map_or(FileReference::new(self.base, 0), |record| record.reference())
    }

    /// Times and attributes.
    ///
    /// # Errors
    ///
    /// Where there are none, or they are damaged.
    pub fn standard_information(&self) -> Result<StandardInformation> {
        let kind = AttributeKind::STANDARD_INFORMATION;
        for attribute in self.attributes() {
            let (record, attribute) = attribute?;
            if attribute.kind() == kind {
                let value = attribute
                    .resident()
                    .ok_or_else(|| Corrupt::new(CorruptKind::NotResident { kind }).in_record(record))?;
                return Ok(StandardInformation::parse(value).map_err(|corrupt| corrupt.in_record(record))?);
            }
        }
        Err(Corrupt::new(CorruptKind::Missing { kind })
            .in_record(self.base)
            .into())
    }

    /// All its names, 8.3 names included, in the order of its records.
    ///
    /// # Errors
    ///
    /// Where one is damaged.
    pub fn names(&self) -> Result<Vec<FileName>> {
        let mut names = Vec::new();
        for attribute in self.attributes() {
            let (record, attribute) = attribute?;
            if attribute.kind() == AttributeKind::FILE_NAME {
                let kind = AttributeKind::FILE_NAME;
                let value = attribute
                    .resident()
                    .ok_or_else(|| Corrupt::new(CorruptKind::NotResident { kind }).in_record(record))?;
                names.push(FileName::parse(value).map_err(|corrupt| corrupt.in_record(record))?);
            }
        }
        Ok(names)
    }

    /// The value of an attribute by type and name, its parts put together; `None` where it has no such attribute.
    ///
    /// # Errors
    ///
    /// Where a part is damaged or missing.
    pub fn stream(&self, volume: &Volume, kind: AttributeKind, name: &[u16]) -> Result<Option<Stream>> {
        let inside = |error: Error| error.in_record(self.base);
        let mut parts = Vec::new();
        for attribute in self.attributes() {
            let (_, attribute) = attribute?;
            if attribute.kind() != kind || !volume.same_name(&attribute.name(), name) {
                continue;
            }
            match attribute.body() {
                Body::Resident { value, .. } => {
                    return Ok(Some(Stream::resident(value.to_vec(), attribute.flags())));
                }
                Body::NonResident(part) => parts.push((part, attribute.flags())),
            }
        }
        parts.sort_by_key(|(part, _)| part.header.lowest_vcn.get());
        let Some((first, flags)) = parts.first() else {
            return Ok(None);
        };
        let clusters = volume
            .clusters()
            .ok_or_else(|| inside(crate::Unsupported::TableOnly.into()))?;
        let mut runs = RunList::default();
        for (part, _) in &parts {
            let next = part.decode(clusters).map_err(|corrupt| inside(corrupt.into()))?;
            runs.append(&next).map_err(|corrupt| inside(corrupt.into()))?;
        }
        let cluster = volume.cluster_size();
        Ok(Some(
            Stream::in_clusters(first, runs, cluster, *flags).map_err(inside)?,
        ))
    }

    /// The names of its data streams; the empty one is the file's content.
    ///
    /// # Errors
    ///
    /// Where an attribute is damaged.
    pub fn data_streams(&self) -> Result<Vec<(Vec<u16>, AttributeFlags)>> {
        self.values_of(AttributeKind::DATA)
    }

    /// The names of its values of a type, each once, with their flags.
    pub(crate) fn values_of(&self, kind: AttributeKind) -> Result<Vec<(Vec<u16>, AttributeFlags)>> {
        let mut found: Vec<(Vec<u16>, AttributeFlags)> = Vec::new();
        for attribute in self.attributes() {
            let (_, attribute) = attribute?;
            let is_first = match attribute.body() {
                Body::Resident { .. } => true,
                Body::NonResident(part) => part.header.lowest_vcn.get() == 0,
            };
            if attribute.kind() == kind && is_first {
                found.push((attribute.name(), attribute.flags()));
            }
        }
        Ok(found)
    }
}

/// Whether a reference leads to a record with this sequence number; 0 fits any.
pub(crate) fn fits(reference: FileReference, sequence: u16) -> bool {
    reference.sequence() == 0 || reference.sequence() == sequence
}

/// The value of an attribute list, which lies in the base record or in clusters that the base record names.
pub(crate) fn list_value(volume: &Volume, attribute: &Attribute<'_>) -> Result<Vec<u8>> {
    match attribute.body() {
        Body::Resident { value, .. } => Ok(value.to_vec()),
        Body::NonResident(part) => {
            list_size(part.header.size.get())?;
            let clusters = volume.clusters().ok_or(crate::Unsupported::TableOnly)?;
            let runs = part.decode(clusters)?;
            let stream = Stream::in_clusters(&part, runs, volume.cluster_size(), AttributeFlags::empty())?;
            volume.read_all(&stream)
        }
    }
}
