//! What NT's calls need beyond the plain operations: one change of names with all that goes with it, 8.3 twins, named
//! streams that go, and the directory of names that are kept for handles only.

use std::mem::offset_of;
use std::sync::Arc;

use polylink_nt::NtStatus;
use polylink_nt::decide::Updates;
use polylink_nt::name::{Made, Namespace};
use polylink_nt::short::is_short;
use polylink_nt::upcase::UpcaseTable;

use super::attributes;
use super::bytes::{get_u32, put, put_u32};
use super::cache::Class;
use super::directory::{IndexName, by_exact_name, by_name, name_entry};
use super::names::{Found, file_name, found, probe};
use super::open::{Inner, Writer};
use super::state::{Removal, State};
use super::tree;
use crate::error::{Error, Result};
use crate::file::{FileName, fits};
use crate::layout::attribute::AttributeKind;
use crate::layout::index::IndexEntry;
use crate::layout::record::RecordFlags;
use crate::layout::value::StandardInformation;
use crate::units::{FileReference, RecordNumber};

/// `FILE_ATTRIBUTE_HIDDEN` and `FILE_ATTRIBUTE_SYSTEM`.
const HIDDEN_SYSTEM: u32 = 0x6;
/// `FILE_ATTRIBUTE_ARCHIVE`.
const ARCHIVE: u32 = 0x20;
/// Where NTFS keeps names that are gone while somebody has the file open by them: in `$Extend`.
const DELETED: &str = "$Deleted";

/// What is known of a file or directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Node {
    pub(crate) is_directory: bool,
    /// `FILE_ATTRIBUTE_…`.
    pub(crate) attributes: u32,
    /// Names that everybody sees, 8.3 twins not counted.
    pub(crate) names: u32,
}

/// A name that was found in a directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) file: FileReference,
    /// The name as the directory spells it: a long one, or an 8.3 twin.
    pub(crate) spelled: Vec<u16>,
    /// The long name that it stands for.
    pub(crate) name: Vec<u16>,
    /// That name has an 8.3 twin.
    pub(crate) has_twin: bool,
}

impl Place {
    /// It was found by its 8.3 twin.
    pub(crate) fn is_twin(&self) -> bool {
        self.spelled != self.name
    }
}

/// What becomes of the name that stands where another is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Over {
    /// It goes, and with its last name the file.
    Removed,
    /// It moves to another directory under another name.
    Parked {
        directory: FileReference,
        name: Vec<u16>,
    },
    /// It is one of the file's own, and gets the new spelling.
    Respelled,
    /// It is one of the file's own, and stays as it is.
    Kept,
}

/// One change of names, done as a whole or not at all.
#[derive(Clone, Debug)]
pub(crate) struct Exchange<'a> {
    pub(crate) file: FileReference,
    /// The name that is to be: the directory, and the name in it.
    pub(crate) to: (FileReference, &'a [u16]),
    pub(crate) made: Made,
    /// Names that differ in case only are different.
    pub(crate) exact: bool,
    /// What becomes of what stands there; `None` where nothing does.
    pub(crate) over: Option<Over>,
    /// A name of the file that goes.
    pub(crate) from: Option<(FileReference, &'a [u16])>,
    pub(crate) updates: Updates,
}

impl State {
    fn node(&mut self, file: FileReference) -> Result<Node> {
        let number = file.record();
        let bytes = self.record(number)?;
        let (flags, sequence) = (attributes::flags(bytes), attributes::sequence(bytes));
        if !flags.contains(RecordFlags::IN_USE) || !fits(file, sequence) {
            return Err(NtStatus::FILE_DELETED.into());
        }
        let information = self.standard_information(number)?;
        Ok(Node {
            is_directory: flags.contains(RecordFlags::DIRECTORY),
            attributes: get_u32(&information, offset_of!(StandardInformation, attributes)),
            names: self.link_counts(number)?.0,
        })
    }

    fn place(&mut self, directory: FileReference, name: &[u16]) -> Result<Option<Place>> {
        let Some(found) = self.look_up(directory.record(), name)? else {
            return Ok(None);
        };
        let long = self.long_name(directory.record(), &found)?;
        Ok(Some(Place {
            file: found.file,
            has_twin: matches!(found.name.namespace, Some(Namespace::Win32 | Namespace::Dos)),
            spelled: found.name.name,
            name: long,
        }))
    }

    /// Adds an entry for a name that the record has; with `exact` beside names in other case.
    fn enter(&mut self, file: FileReference, parent: FileReference, key: &[u8], exact: bool) -> Result<()> {
        let upcase = self.upcase.clone();
        let sensitive = exact || self.is_case_sensitive(parent.record())?;
        let entry = name_entry(file, key);
        let mut index = self.directory(parent.record(), IndexName::Names)?;
        let added = if sensitive {
            tree::insert(&mut index, &entry, &|a, b| by_exact_name(&upcase, a, b))?
        } else {
            tree::insert(&mut index, &entry, &|a, b| by_name(&upcase, a, b))?
        };
        if added {
            return Ok(());
        }
        Err(Error::Conflict)
    }

    /// Gives an entry and its file's name another spelling or namespace; both names are of one file.
    fn respell(
        &mut self,
        file: FileReference,
        parent: FileReference,
        old: &Found,
        name: &[u16],
        namespace: Namespace,
    ) -> Result<()> {
        if old.name.name == name && old.name.namespace == Some(namespace) {
            return Ok(());
        }
        let key = self.hold_name(file, parent, name, namespace, u32::MAX)?;
        self.redirect(parent.record(), old, file, &key)?;
        self.remove_later(Removal {
            directory: parent.record(),
            file,
            name: old.name.name.clone(),
            replaced: true,
            namespace: old.name.namespace,
        });
        Ok(())
    }

    /// What a change brings up to date of the file itself.
    fn update_file(&mut self, base: RecordNumber, updates: Updates, now: u64) -> Result<()> {
        if updates.contains(Updates::CHANGE_TIME) {
            self.touch_file(base, now)?;
        }
        if updates.contains(Updates::ARCHIVE) {
            let mut value = self.standard_information(base)?;
            let field = offset_of!(StandardInformation, attributes);
            let attributes = get_u32(&value, field);
            put_u32(&mut value, field, attributes | ARCHIVE);
            self.put_information(base, &value)?;
        }
        if let Some(hint) = self.hints.get_mut(&base) {
            hint.facts = None;
        }
        Ok(())
    }

    /// The times of last write, last access and change of a directory whose entries change.
    fn update_directory(&mut self, number: RecordNumber, now: u64) -> Result<()> {
        self.touch_directory(number, now)?;
        self.set_information(number, &[(offset_of!(StandardInformation, accessed), now)])
    }

    /// The entry of a name, and its key as it should be.
    fn stale(&mut self, directory: RecordNumber, name: &[u16]) -> Result<Option<(Found, Vec<u8>)>> {
        let Some(found) = self.look_up_any(directory, name)? else {
            return Ok(None);
        };
        let base = found.file.record();
        if let Some(hint) = self.hints.get_mut(&base) {
            hint.facts = None;
        }
        let facts = self.facts(base)?;
        let namespace = found.name.namespace.unwrap_or(Namespace::Posix);
        let fresh = file_name(found.name.parent, &facts, &found.name.name, namespace);
        let stale = found.key != fresh && found.key.len() == fresh.len();
        Ok(stale.then_some((found, fresh)))
    }
}

impl Inner {
    fn exchange(&mut self, change: &Exchange<'_>) -> Result<()> {
        let now = self.now();
        let state = &mut self.state;
        let (file, is_directory) = state.open_file(change.file)?;
        let (to, name) = (state.open_directory(change.to.0)?, change.to.1);
        let from = match change.from {
            Some((directory, name)) => Some((state.open_directory(directory)?, name)),
            None => None,
        };
        let moves = (is_directory && from.is_some()) || matches!(change.over, Some(Over::Parked { .. }));
        if moves && state.directory_moved {
            // two at once could lie in each other for a moment
            return Err(Error::Conflict);
        }
        state.update_file(file.record(), change.updates, now)?;
        let namespace = state.namespace_for(file.record(), name, change.made)?;
        let taken = state.look_up_any(to.record(), name)?;
        let taken = taken.filter(|taken| !change.exact || taken.name.name == name);
        if let Some(taken) = &taken {
            let long = state.long_name(to.record(), taken)?;
            if state.hidden.contains(&(to.record(), long)) {
                return Err(Error::Conflict);
            }
        }
        match (taken, &change.over) {
            (None, None) => {
                let key = state.hold_name(file, to, name, namespace, u32::MAX)?;
                state.enter(file, to, &key, change.exact)?;
            }
            // somebody else was here since the facts were looked up
            (None, Some(_)) => return Err(NtStatus::OBJECT_NAME_NOT_FOUND.into()),
            (Some(_), None) => return Err(NtStatus::OBJECT_NAME_COLLISION.into()),
            (Some(_), Some(Over::Kept)) => {}
            (Some(taken), Some(Over::Respelled)) => state.respell(file, to, &taken, name, namespace)?,
            (Some(taken), Some(over)) => {
                let (victim, _) = state.open_file(taken.file)?;
                let long = state.long_name(to.record(), &taken)?;
                if let Over::Parked { directory, name } = over {
                    let directory = state.open_directory(*directory)?;
                    state.add_name(victim, directory, name, Namespace::Posix, u32::MAX)?;
                }
                let key = state.hold_name(file, to, name, namespace, u32::MAX)?;
                state.redirect(to.record(), &taken, file, &key)?;
                state.remove_later(Removal {
                    directory: to.record(),
                    file: victim,
                    name: long,
                    // found by its twin: the entry of the long name is still there
                    replaced: taken.name.is_link(),
                    namespace: None,
                });
                state.touch_file(victim.record(), now)?;
            }
        }
        if let Some((directory, name)) = from {
            state.remove_later(Removal {
                directory: directory.record(),
                file,
                name: name.to_vec(),
                replaced: false,
                namespace: None,
            });
        }
        if change.updates.contains(Updates::DESTINATION_TIMES) {
            state.update_directory(to.record(), now)?;
        }
        if let Some((directory, _)) = from.filter(|_| change.updates.contains(Updates::SOURCE_TIMES)) {
            state.update_directory(directory.record(), now)?;
        } else if change.updates.contains(Updates::SOURCE_TIMES) {
            state.update_directory(to.record(), now)?;
        }
        state.directory_moved |= moves;
        Ok(())
    }

    fn deleted_directory(&mut self) -> Result<FileReference> {
        let now = self.now();
        let state = &mut self.state;
        let name: Vec<u16> = DELETED.encode_utf16().collect();
        if !attributes::flags(state.record(RecordNumber::EXTEND)?).contains(RecordFlags::DIRECTORY) {
            // NTFS before 3.0
            return Err(NtStatus::NOT_SUPPORTED.into());
        }
        if let Some(found) = state.look_up(RecordNumber::EXTEND, &name)? {
            return Ok(found.file);
        }
        let extend = state.reference(RecordNumber::EXTEND)?;
        let file = state.new_file(extend, true, HIDDEN_SYSTEM, now)?;
        let namespace = state.namespace_for(file.record(), &name, Made::ByCreateOrRename)?;
        state.add_name(file, extend, &name, namespace, u32::MAX)?;
        state.touch_directory(RecordNumber::EXTEND, now)?;
        Ok(file)
    }

    fn set_short_name(&mut self, parent: FileReference, name: &[u16], short: Option<&[u16]>) -> Result<()> {
        let state = &mut self.state;
        let parent = state.open_directory(parent)?;
        let found = state.find(parent.record(), name)?;
        let (file, _) = state.open_file(found.file)?;
        if !found.name.is_link() {
            return Err(NtStatus::INVALID_PARAMETER.into());
        }
        let has_twin = found.name.namespace == Some(Namespace::Win32);
        match short {
            None if has_twin => state.respell(file, parent, &found, &found.name.name, Namespace::Posix),
            None => Ok(()),
            Some(short) => {
                let (_, held) = state.link_counts(file.record())?;
                let twins =
                    u32::from(attributes::raw_links(state.record(file.record())?)).saturating_sub(held);
                if has_twin || twins > 0 || state.look_up_any(parent.record(), short)?.is_some() {
                    return Err(NtStatus::OBJECT_NAME_COLLISION.into());
                }
                if !is_short(short) {
                    return Err(NtStatus::OBJECT_NAME_INVALID.into());
                }
                state.respell(file, parent, &found, &found.name.name, Namespace::Win32)?;
                state.add_name(file, parent, short, Namespace::Dos, u32::MAX)
            }
        }
    }
}

impl Writer {
    /// What is known of a file or directory.
    pub(crate) fn node(&self, file: FileReference) -> Result<Node> {
        self.look(|state| state.node(file))
    }

    /// What a name in a directory leads to: by its long or its 8.3 name, exactly spelled names first.
    pub(crate) fn place(&self, directory: FileReference, name: &[u16]) -> Result<Option<Place>> {
        self.look(|state| state.place(directory, name))
    }

    /// Whether names that differ in case only are different in a directory.
    pub(crate) fn is_case_sensitive(&self, directory: FileReference) -> Result<bool> {
        self.look(|state| state.is_case_sensitive(directory.record()))
    }

    /// Whether a directory has entries that anybody sees.
    pub(crate) fn has_entries(&self, directory: FileReference) -> Result<bool> {
        self.look(|state| Ok(!state.is_empty(directory.record())?))
    }

    /// Whether a directory lies in another, or is it.
    pub(crate) fn lies_in(&self, directory: FileReference, above: FileReference) -> Result<bool> {
        self.look(|state| state.lies_in(directory.record(), above.record()))
    }

    /// The names of a file that everybody sees, 8.3 twins not among them.
    pub(crate) fn names_of(&self, file: FileReference) -> Result<Vec<FileName>> {
        self.look(|state| {
            let names = state.names(file.record())?;
            let removals = &state.removals;
            let leaves = |name: &FileName| {
                removals.iter().any(|removal| {
                    removal.file.record() == file.record()
                        && removal.directory == name.parent.record()
                        && removal.name == name.name
                        && (removal.namespace.is_none() || removal.namespace == name.namespace)
                })
            };
            let names = names.into_iter().map(|(_, name)| name);
            Ok(names.filter(|name| name.is_link() && !leaves(name)).collect())
        })
    }

    /// The names in the directory of names that are kept for handles only; none where there is no such directory.
    pub(crate) fn deleted_names(&self) -> Result<Vec<(FileReference, FileReference, Vec<u16>)>> {
        self.look(|state| {
            let name: Vec<u16> = DELETED.encode_utf16().collect();
            let extend = attributes::flags(state.record(RecordNumber::EXTEND)?);
            if !extend.contains(RecordFlags::DIRECTORY) {
                return Ok(Vec::new());
            }
            let Some(deleted) = state.look_up(RecordNumber::EXTEND, &name)? else {
                return Ok(Vec::new());
            };
            let mut names = Vec::new();
            let mut index = state.directory(deleted.file.record(), IndexName::Names)?;
            tree::walk(&mut index, &mut |entry| {
                let entry = found(entry)?;
                if entry.name.is_link() {
                    names.push((entry.file, deleted.file, entry.name.name));
                }
                Ok(())
            })?;
            Ok(names)
        })
    }

    /// The directory of names that are kept for handles only: `$Extend\$Deleted`, made where it is not there.
    pub(crate) fn deleted_directory(&self) -> Result<FileReference> {
        self.run(Inner::deleted_directory)
    }

    /// Carries out one change of names.
    pub(crate) fn exchange(&self, change: &Exchange<'_>) -> Result<()> {
        self.run(|inner| inner.exchange(change))
    }

    /// Says in the entry of one name what is true of its file now, if it says anything else.
    pub(crate) fn refresh_name(&self, directory: FileReference, name: &[u16]) -> Result<()> {
        let number = directory.record();
        if self.look(|state| state.stale(number, name))?.is_none() {
            return Ok(());
        }
        self.run(|inner| {
            let state = &mut inner.state;
            let Some((old, fresh)) = state.stale(number, name)? else {
                return Ok(());
            };
            let upcase = state.upcase.clone();
            let mut index = state.directory(number, IndexName::Names)?;
            tree::update(
                &mut index,
                &probe(&old.name.name),
                &|a, b| by_exact_name(&upcase, a, b),
                &mut |entry| put(entry, size_of::<IndexEntry>(), &fresh),
            )?;
            Ok(())
        })
    }

    /// How names are compared.
    pub(crate) fn upcase(&self) -> Arc<UpcaseTable> {
        self.lock().state.upcase.clone()
    }

    /// Gives a name its 8.3 twin, or takes it away.
    ///
    /// # Errors
    ///
    /// `OBJECT_NAME_NOT_FOUND`; `OBJECT_NAME_COLLISION` where the file has a twin already or the name is taken;
    /// `OBJECT_NAME_INVALID` for one that is no 8.3 name.
    pub fn set_short_name(&self, parent: FileReference, name: &[u16], short: Option<&[u16]>) -> Result<()> {
        self.run(|inner| inner.set_short_name(parent, name, short))
    }

    /// The name of a stream as the file spells it; `None` where the file has no such stream.
    pub(crate) fn stream_name(&self, file: FileReference, stream: &[u16]) -> Result<Option<Vec<u16>>> {
        self.look(|state| {
            let upcase = state.upcase.clone();
            state.find_attribute(file.record(), &mut |_, attribute| {
                let name = attribute.name();
                let same = attribute.kind() == AttributeKind::DATA && upcase.same(&name, stream);
                same.then_some(name)
            })
        })
    }

    /// Takes the content of a file, or of a named stream, away; with the file's own content go its named streams, but
    /// those that are `in_use`, and it gets `attributes` (`FILE_ATTRIBUTE_…`).
    pub(crate) fn overwrite(
        &self,
        file: FileReference,
        stream: &[u16],
        attributes: Option<u32>,
        in_use: &dyn Fn(&[u16]) -> bool,
    ) -> Result<()> {
        self.run(|inner| {
            let now = inner.now();
            let base = inner.content_of(file, stream)?;
            let state = &mut inner.state;
            state.resize(base, stream, 0)?;
            if let Some(attributes) = attributes {
                let mut named: Vec<Vec<u16>> = Vec::new();
                let none: Option<()> = state.find_attribute(base, &mut |_, attribute| {
                    let name = attribute.name();
                    if attribute.kind() == AttributeKind::DATA && !name.is_empty() && !in_use(&name) {
                        named.push(name);
                    }
                    None
                })?;
                debug_assert!(none.is_none());
                for name in named {
                    state.resize(base, &name, 0)?;
                    while let Some(held) = state.parts(base, AttributeKind::DATA, &name)?.first().copied() {
                        state.remove_attribute(base, held, Class::Base)?;
                    }
                }
                let mut value = state.standard_information(base)?;
                let field = std::mem::offset_of!(StandardInformation, attributes);
                put_u32(&mut value, field, attributes);
                state.put_information(base, &value)?;
                if let Some(hint) = state.hints.get_mut(&base) {
                    hint.facts = None;
                }
            }
            inner.content_changed(base, now)?;
            inner.state.refresh_entries(base)
        })
    }

    /// Takes a named stream away from a file.
    ///
    /// # Errors
    ///
    /// `OBJECT_NAME_NOT_FOUND`; `INVALID_PARAMETER` for the file's own content; [`crate::Unsupported`] for a compressed
    /// or encrypted stream.
    pub fn remove_stream(&self, file: FileReference, stream: &[u16]) -> Result<()> {
        if stream.is_empty() {
            return Err(NtStatus::INVALID_PARAMETER.into());
        }
        self.run(|inner| {
            let now = inner.now();
            let base = inner.content_of(file, stream)?;
            let state = &mut inner.state;
            if state.parts(base, AttributeKind::DATA, stream)?.is_empty() {
                return Err(NtStatus::OBJECT_NAME_NOT_FOUND.into());
            }
            state.resize(base, stream, 0)?;
            while let Some(held) = state.parts(base, AttributeKind::DATA, stream)?.first().copied() {
                state.remove_attribute(base, held, Class::Base)?;
            }
            inner.content_changed(base, now)
        })
    }
}
