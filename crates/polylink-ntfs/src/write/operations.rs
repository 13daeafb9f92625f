//! What can be done to files and names.

use std::collections::HashSet;
use std::mem::offset_of;

use polylink_nt::NtStatus;
use polylink_nt::name::{Charset, Made, check};

use super::attributes;
use super::cache::Class;
use super::names::{Found, put_fields};
use super::open::{Inner, Writer};
use super::state::{Removal, State};
use crate::error::{Error, Result};
use crate::file::{FileName, fits};
use crate::layout::record::RecordFlags;
use crate::layout::value::StandardInformation;
use crate::units::{FileReference, RecordNumber};

/// `FILE_ATTRIBUTE_ARCHIVE`: what a new file has.
const ARCHIVE: u32 = 0x20;

/// An entry of a directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The file.
    pub file: FileReference,
    /// The name as it is written there.
    pub name: Vec<u16>,
    /// The file is a directory.
    pub is_directory: bool,
}

/// An entry of a directory, with what tells of its file.
#[derive(Clone, Debug)]
pub(crate) struct LookedAt {
    pub(crate) entry: Entry,
    /// The base record of the file, its update sequence undone; empty where it is damaged.
    pub(crate) record: Vec<u8>,
    /// How many names are gone that the record still has.
    pub(crate) leaving: u32,
}

/// What a rename does where the new name is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Replace {
    /// It fails.
    Never,
    /// The file that has the name loses it.
    File,
}

/// What taking a name away did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unlinked {
    /// The file that had the name.
    pub file: FileReference,
    /// It was the last one: the file is gone.
    pub last: bool,
}

impl State {
    /// A directory that things may be done in.
    pub(super) fn open_directory(&mut self, reference: FileReference) -> Result<FileReference> {
        let number = reference.record();
        let bytes = self.record(number)?;
        let (flags, sequence) = (attributes::flags(bytes), attributes::sequence(bytes));
        if !flags.contains(RecordFlags::IN_USE) || !fits(reference, sequence) {
            return Err(NtStatus::FILE_DELETED.into());
        }
        if !flags.contains(RecordFlags::DIRECTORY) {
            return Err(NtStatus::NOT_A_DIRECTORY.into());
        }
        if number < RecordNumber::FIRST_SPARE && number != RecordNumber::ROOT {
            return Err(NtStatus::ACCESS_DENIED.into());
        }
        if number != RecordNumber::ROOT && self.link_counts(number)?.0 == 0 {
            return Err(NtStatus::DELETE_PENDING.into());
        }
        Ok(FileReference::new(number, sequence))
    }

    /// A file, or a directory, that things may be done to.
    pub(super) fn open_file(&mut self, reference: FileReference) -> Result<(FileReference, bool)> {
        let number = reference.record();
        let bytes = self.record(number)?;
        let (flags, sequence) = (attributes::flags(bytes), attributes::sequence(bytes));
        let is_base = crate::record::Record::parsed(number, bytes)?.base().is_none();
        if !flags.contains(RecordFlags::IN_USE) || !fits(reference, sequence) || !is_base {
            return Err(NtStatus::FILE_DELETED.into());
        }
        if number < RecordNumber::FIRST_SPARE {
            return Err(NtStatus::ACCESS_DENIED.into());
        }
        self.learn(number)?;
        if self.link_counts(number)?.0 == 0 {
            return Err(NtStatus::FILE_DELETED.into());
        }
        let file = FileReference::new(number, sequence);
        Ok((file, flags.contains(RecordFlags::DIRECTORY)))
    }

    /// The times of a directory whose entries change.
    pub(super) fn touch_directory(&mut self, number: RecordNumber, now: u64) -> Result<()> {
        // as its index is written, so that it is written once
        let bytes = self.record_mut(number, self.directory_class())?;
        put_fields(
            bytes,
            &[
                (offset_of!(StandardInformation, modified), now),
                (offset_of!(StandardInformation, changed), now),
            ],
        );
        Ok(())
    }

    fn directory_class(&self) -> Class {
        Class::Directory
    }

    pub(super) fn touch_file(&mut self, number: RecordNumber, now: u64) -> Result<()> {
        self.set_information(number, &[(offset_of!(StandardInformation, changed), now)])
    }

    /// The entry of a name in a directory that is in use.
    fn entry(&mut self, directory: FileReference, name: &[u16]) -> Result<Option<Entry>> {
        let bytes = self.record(directory.record())?;
        let (flags, sequence) = (attributes::flags(bytes), attributes::sequence(bytes));
        if !flags.contains(RecordFlags::IN_USE) || !fits(directory, sequence) {
            return Err(NtStatus::FILE_DELETED.into());
        }
        if !flags.contains(RecordFlags::DIRECTORY) {
            return Err(NtStatus::NOT_A_DIRECTORY.into());
        }
        if let Some(entry) = self.seen.find(directory.record(), name) {
            return Ok(Some(entry.clone()));
        }
        Ok(self.look_up(directory.record(), name)?.map(|found| Entry {
            file: found.file,
            is_directory: is_directory(&found),
            name: found.name.name,
        }))
    }

    pub(super) fn find(&mut self, directory: RecordNumber, name: &[u16]) -> Result<Found> {
        self.look_up(directory, name)?
            .ok_or_else(|| NtStatus::OBJECT_NAME_NOT_FOUND.into())
    }
}

fn valid(name: &[u16]) -> Result<()> {
    check(name, Charset::Win32).map_err(|error| Error::from(error.status()))
}

fn is_directory(found: &Found) -> bool {
    found.name.attributes & FileName::DIRECTORY != 0
}

impl Inner {
    pub(super) fn create(
        &mut self,
        parent: FileReference,
        name: &[u16],
        directory: bool,
        attributes: u32,
    ) -> Result<FileReference> {
        let now = self.now();
        let state = &mut self.state;
        let parent = state.open_directory(parent)?;
        let file = state.new_file(parent, directory, attributes, now)?;
        let namespace = state.namespace_for(file.record(), name, Made::ByCreateOrRename)?;
        state.add_name(file, parent, name, namespace, u32::MAX)?;
        state.touch_directory(parent.record(), now)?;
        Ok(file)
    }

    fn link(&mut self, file: FileReference, parent: FileReference, name: &[u16]) -> Result<()> {
        let (now, limit) = (self.now(), self.options.max_links);
        let state = &mut self.state;
        let (file, directory) = state.open_file(file)?;
        if directory {
            return Err(NtStatus::FILE_IS_A_DIRECTORY.into());
        }
        let parent = state.open_directory(parent)?;
        let namespace = state.namespace_for(file.record(), name, Made::ByLink)?;
        state.add_name(file, parent, name, namespace, limit)?;
        state.touch_file(file.record(), now)?;
        state.touch_directory(parent.record(), now)
    }

    fn unlink(&mut self, parent: FileReference, name: &[u16], directory: bool) -> Result<Unlinked> {
        let now = self.now();
        let state = &mut self.state;
        let parent = state.open_directory(parent)?;
        let found = state.find(parent.record(), name)?;
        let (file, is_directory) = state.open_file(found.file)?;
        if is_directory && !directory {
            return Err(NtStatus::FILE_IS_A_DIRECTORY.into());
        }
        if directory && !is_directory {
            return Err(NtStatus::NOT_A_DIRECTORY.into());
        }
        if is_directory && !state.is_empty(file.record())? {
            return Err(NtStatus::DIRECTORY_NOT_EMPTY.into());
        }
        let name = state.long_name(parent.record(), &found)?;
        let last = state.link_counts(file.record())?.0 <= 1;
        state.remove_later(Removal {
            directory: parent.record(),
            file,
            name,
            replaced: false,
            namespace: None,
        });
        if !last {
            state.touch_file(file.record(), now)?;
        }
        state.touch_directory(parent.record(), now)?;
        Ok(Unlinked { file, last })
    }

    fn rename(
        &mut self,
        from: (FileReference, &[u16]),
        to: (FileReference, &[u16]),
        replace: Replace,
    ) -> Result<()> {
        let now = self.now();
        let state = &mut self.state;
        let old_parent = state.open_directory(from.0)?;
        let new_parent = state.open_directory(to.0)?;
        let found = state.find(old_parent.record(), from.1)?;
        let (file, is_directory) = state.open_file(found.file)?;
        let old_name = state.long_name(old_parent.record(), &found)?;
        if is_directory {
            if state.lies_in(new_parent.record(), file.record())? {
                return Err(NtStatus::ACCESS_DENIED.into());
            }
            if state.directory_moved {
                // two at once could lie in each other for a moment
                return Err(Error::Conflict);
            }
        }
        let same_parent = old_parent.record() == new_parent.record();
        if same_parent && old_name == to.1 {
            return Ok(());
        }
        let namespace = state.namespace_for(file.record(), to.1, Made::ByCreateOrRename)?;
        let taken = state.look_up_any(new_parent.record(), to.1)?;
        let hidden = |state: &Self, found: &Found| {
            let key = (new_parent.record(), found.name.name.clone());
            state.state.hidden.contains(&key)
        };
        let mut own = None;
        match taken {
            None => {
                self.state.add_name(file, new_parent, to.1, namespace, u32::MAX)?;
            }
            Some(taken) if hidden(self, &taken) => return Err(Error::Conflict),
            Some(taken) => {
                let state = &mut self.state;
                let victim = taken.file;
                let itself = victim.record() == file.record();
                // its own twin, or its own name in other case, is in nobody's way
                let is_self = itself && same_parent && (taken.name.name == old_name || !taken.name.is_link());
                if is_self && !taken.name.is_link() {
                    return Err(NtStatus::OBJECT_NAME_COLLISION.into());
                }
                if !is_self {
                    if replace == Replace::Never {
                        return Err(NtStatus::OBJECT_NAME_COLLISION.into());
                    }
                    if is_directory || self::is_directory(&taken) {
                        return Err(NtStatus::ACCESS_DENIED.into());
                    }
                    if !taken.name.is_link() {
                        // the short name of another file: with it goes its long one
                        return Err(NtStatus::OBJECT_NAME_COLLISION.into());
                    }
                }
                if itself && !is_self && taken.name.name == to.1 {
                    // both are names of the file: the old one goes
                } else {
                    let key = state.hold_name(file, new_parent, to.1, namespace, u32::MAX)?;
                    state.redirect(new_parent.record(), &taken, file, &key)?;
                    let removal = Removal {
                        directory: new_parent.record(),
                        file: victim,
                        name: taken.name.name.clone(),
                        replaced: true,
                        namespace: None,
                    };
                    state.open_file(victim)?;
                    state.remove_later(removal);
                    if is_self {
                        own = Some(());
                    } else if !itself {
                        state.touch_file(victim.record(), now)?;
                    }
                }
            }
        }
        let state = &mut self.state;
        if own.is_none() {
            state.remove_later(Removal {
                directory: old_parent.record(),
                file,
                name: old_name,
                replaced: false,
                namespace: None,
            });
        }
        state.touch_file(file.record(), now)?;
        state.touch_directory(old_parent.record(), now)?;
        state.touch_directory(new_parent.record(), now)?;
        state.directory_moved |= is_directory;
        Ok(())
    }
}

impl State {
    /// The name that an entry stands for: of an 8.3 twin the long one.
    pub(super) fn long_name(&mut self, directory: RecordNumber, found: &Found) -> Result<Vec<u16>> {
        if found.name.is_link() {
            return Ok(found.name.name.clone());
        }
        let names = self.names(found.file.record())?;
        let long = names.into_iter().map(|(_, name)| name).find(|name| {
            name.parent.record() == directory && name.namespace == Some(polylink_nt::name::Namespace::Win32)
        });
        Ok(long.map_or_else(|| found.name.name.clone(), |name| name.name))
    }
}

impl Writer {
    /// The root directory.
    ///
    /// # Errors
    ///
    /// Where its record is damaged.
    pub fn root(&self) -> Result<FileReference> {
        self.look(|state| state.reference(RecordNumber::ROOT))
    }

    /// The entry of a name in a directory; 8.3 names are found as well.
    ///
    /// # Errors
    ///
    /// `NOT_A_DIRECTORY`, `FILE_DELETED`; where the index is damaged.
    pub fn look_up(&self, directory: FileReference, name: &[u16]) -> Result<Option<Entry>> {
        self.look(|state| state.entry(directory, name))
    }

    /// The entry of a name in a directory, with the base record of its file, its update sequence undone, and how many
    /// names are gone that the record still has. Where the record is damaged there is none.
    ///
    /// # Errors
    ///
    /// As [`Writer::look_up`].
    pub(crate) fn look_at(&self, directory: FileReference, name: &[u16]) -> Result<Option<LookedAt>> {
        self.look(|state| {
            let Some(entry) = state.entry(directory, name)? else {
                return Ok(None);
            };
            // names that are about to go may come back in other ways
            if state.hidden.is_empty() && state.removals.is_empty() && entry.name == name {
                state.seen.add(directory.record(), &entry);
            }
            let number = entry.file.record();
            let record = match state.record(number) {
                Ok(bytes) => bytes.to_vec(),
                Err(Error::Corrupt(_)) => Vec::new(),
                Err(error) => return Err(error),
            };
            let leaving = state.leaving.get(&number).copied().unwrap_or(0);
            Ok(Some(LookedAt {
                entry,
                record,
                leaving,
            }))
        })
    }

    /// Names of a file that everybody sees, 8.3 twins not counted.
    ///
    /// # Errors
    ///
    /// Where its records are damaged.
    pub fn links(&self, file: FileReference) -> Result<u32> {
        self.look(|state| Ok(state.link_counts(file.record())?.0))
    }

    /// Whether a name that the device still has in a directory is gone.
    pub(crate) fn is_hidden(&self, directory: RecordNumber, name: &[u16]) -> bool {
        self.lock().state.hidden.contains(&(directory, name.to_vec()))
    }

    /// The names in a directory that are gone, and that the device still has.
    pub(crate) fn hidden_in(&self, directory: RecordNumber) -> HashSet<Vec<u16>> {
        let inner = self.lock();
        let hidden = inner.state.hidden.iter();
        hidden
            .filter(|(number, _)| *number == directory)
            .map(|(_, name)| name.clone())
            .collect()
    }

    /// Whether a name of a file is one that another file has taken, and that its record still has.
    pub(crate) fn is_replaced(&self, file: RecordNumber, name: &FileName) -> bool {
        let inner = self.lock();
        inner.state.leaving.contains_key(&file)
            && inner.state.removals.iter().any(|removal| {
                removal.replaced
                    && removal.file.record() == file
                    && removal.directory == name.parent.record()
                    && removal.name == name.name
            })
    }

    /// How many names of a file are gone that its record still has.
    pub(crate) fn leaving(&self, file: RecordNumber) -> u32 {
        self.lock().state.leaving.get(&file).copied().unwrap_or(0)
    }

    /// Makes an empty file.
    ///
    /// # Errors
    ///
    /// `OBJECT_NAME_COLLISION`, `OBJECT_NAME_INVALID`, `DISK_FULL`, `NOT_A_DIRECTORY`, `ACCESS_DENIED` among the
    /// volume's own files.
    pub fn create_file(&self, parent: FileReference, name: &[u16]) -> Result<FileReference> {
        valid(name)?;
        self.run(|inner| inner.create(parent, name, false, ARCHIVE))
    }

    /// Makes an empty directory.
    ///
    /// # Errors
    ///
    /// As [`Writer::create_file`].
    pub fn make_directory(&self, parent: FileReference, name: &[u16]) -> Result<FileReference> {
        valid(name)?;
        self.run(|inner| inner.create(parent, name, true, 0))
    }

    /// Gives a file one more name.
    ///
    /// # Errors
    ///
    /// `FILE_IS_A_DIRECTORY`, `TOO_MANY_LINKS`, and as [`Writer::create_file`].
    pub fn link(&self, file: FileReference, parent: FileReference, name: &[u16]) -> Result<()> {
        valid(name)?;
        self.run(|inner| inner.link(file, parent, name))
    }

    /// Gives the file that a name in a directory leads to one more name: `from` and `to` are directories and names in
    /// them. Files of the volume itself are not there.
    ///
    /// # Errors
    ///
    /// `OBJECT_NAME_NOT_FOUND`, and as [`Writer::look_up`] and [`Writer::link`].
    pub(crate) fn link_named(
        &self,
        from: (FileReference, &[u16]),
        to: (FileReference, &[u16]),
        is_hidden: impl FnOnce(&Entry) -> bool,
    ) -> Result<()> {
        let mut inner = self.lock_sound()?;
        let entry = inner.state.entry(from.0, from.1)?;
        let entry = entry.filter(|entry| !is_hidden(entry));
        let file = entry.ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?.file;
        valid(to.1)?;
        inner.state.seen.only_more = true;
        let linked = inner.run(&mut |inner| inner.link(file, to.0, to.1));
        inner.state.seen.only_more = false;
        linked
    }

    /// Takes a name of a file away, and with its last name the file.
    ///
    /// # Errors
    ///
    /// `OBJECT_NAME_NOT_FOUND`, `FILE_IS_A_DIRECTORY`, `ACCESS_DENIED` for the volume's own files.
    pub fn unlink(&self, parent: FileReference, name: &[u16]) -> Result<Unlinked> {
        self.run(|inner| inner.unlink(parent, name, false))
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    ///
    /// `DIRECTORY_NOT_EMPTY`, `NOT_A_DIRECTORY`, and as [`Writer::unlink`].
    pub fn remove_directory(&self, parent: FileReference, name: &[u16]) -> Result<()> {
        self.run(|inner| inner.unlink(parent, name, true)).map(|_| ())
    }

    /// Gives a file another name in the place of one: `from` and `to` are directories and names in them.
    ///
    /// # Errors
    ///
    /// `OBJECT_NAME_COLLISION` where the name is taken and not to be replaced; `ACCESS_DENIED` where it is a
    /// directory's, or a directory would lie in itself; and as [`Writer::link`] and [`Writer::unlink`].
    pub fn rename(
        &self,
        from: (FileReference, &[u16]),
        to: (FileReference, &[u16]),
        replace: Replace,
    ) -> Result<()> {
        valid(to.1)?;
        self.run(|inner| inner.rename(from, to, replace))
    }

    /// Writes a part of a file's content, or of a named stream, which grows where that is needed.
    ///
    /// # Errors
    ///
    /// `DISK_FULL`; `FILE_IS_A_DIRECTORY`; [`crate::Unsupported`] for compressed and encrypted content.
    pub fn write(&self, file: FileReference, stream: &[u16], offset: u64, bytes: &[u8]) -> Result<()> {
        self.run(|inner| {
            let now = inner.now();
            let file = inner.content_of(file, stream)?;
            inner.state.write_stream(file, stream, offset, bytes)?;
            inner.content_changed(file, now)
        })
    }

    /// Gives a file's content, or a named stream, another size: what is added reads as zeros.
    ///
    /// # Errors
    ///
    /// As [`Writer::write`].
    pub fn set_size(&self, file: FileReference, stream: &[u16], size: u64) -> Result<()> {
        self.run(|inner| {
            let now = inner.now();
            let file = inner.content_of(file, stream)?;
            inner.state.resize(file, stream, size)?;
            inner.content_changed(file, now)
        })
    }

    /// Says in the directories what is true of a file's size and times now, as a driver does when a file is closed.
    ///
    /// # Errors
    ///
    /// Where a directory is damaged.
    pub fn refresh(&self, file: FileReference) -> Result<()> {
        self.run(|inner| {
            let (file, _) = inner.state.open_file(file)?;
            inner.state.refresh_entries(file.record())
        })
    }

    /// Sets times (100 ns since 1601) and attributes (`FILE_ATTRIBUTE_…`) of a file; `None` leaves one as it is.
    ///
    /// # Errors
    ///
    /// Where the file is gone or damaged.
    pub fn set_times(&self, file: FileReference, times: Times) -> Result<()> {
        self.run(|inner| {
            let (file, _) = inner.state.open_file(file)?;
            let fields = [
                (offset_of!(StandardInformation, created), times.created),
                (offset_of!(StandardInformation, modified), times.modified),
                (offset_of!(StandardInformation, changed), times.changed),
                (offset_of!(StandardInformation, accessed), times.accessed),
            ];
            let fields: Vec<(usize, u64)> = fields
                .into_iter()
                .filter_map(|(offset, time)| Some((offset, time?)))
                .collect();
            let number = file.record();
            inner.state.set_information(number, &fields)?;
            if let Some(attributes) = times.attributes {
                let mut value = inner.state.standard_information(number)?;
                let field = offset_of!(StandardInformation, attributes);
                super::bytes::put_u32(&mut value, field, attributes);
                inner.state.put_information(number, &value)?;
            }
            if let Some(hint) = inner.state.hints.get_mut(&number) {
                hint.facts = None;
            }
            inner.state.refresh_entries(number)
        })
    }
}

/// Times and attributes to be set; see [`Writer::set_times`].
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Times {
    /// When the file was made.
    pub created: Option<u64>,
    /// When its content changed.
    pub modified: Option<u64>,
    /// When its record changed.
    pub changed: Option<u64>,
    /// When it was read.
    pub accessed: Option<u64>,
    /// `FILE_ATTRIBUTE_…`.
    pub attributes: Option<u32>,
}

impl Inner {
    pub(super) fn content_of(&mut self, file: FileReference, stream: &[u16]) -> Result<RecordNumber> {
        let (file, directory) = self.state.open_file(file)?;
        if directory && stream.is_empty() {
            return Err(NtStatus::FILE_IS_A_DIRECTORY.into());
        }
        Ok(file.record())
    }

    pub(super) fn content_changed(&mut self, file: RecordNumber, now: u64) -> Result<()> {
        self.state.set_information(
            file,
            &[
                (offset_of!(StandardInformation, modified), now),
                (offset_of!(StandardInformation, changed), now),
            ],
        )
    }
}
