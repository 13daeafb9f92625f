//! Opening and closing.

use polylink_nt::NtStatus;
use polylink_nt::decide::{
    self, Access, CloseFacts, FileFacts, LinkEnd, LinkState, Lookup, OpenAction, OpenFacts, OpenOptions,
    OpenRequest, Share, Sharing, Stream, TrailingBackslash, Updates,
};
use polylink_nt::name::{Charset, Made, StreamPath, check, split_stream};

use super::facts::Walk;
use super::path::{BACKSLASH, split};
use super::table::{LinkId, Opened, Table};
use super::{Changed, Handle, NtVolume, status};
use crate::units::FileReference;
use crate::write::Exchange;

/// What an open does where the name is there, and where it is not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Disposition {
    /// `FILE_OPEN`: it must be there.
    Open,
    /// `FILE_CREATE`: it must not be there, and is made.
    Create,
    /// `FILE_OPEN_IF`: it is made where it is not there.
    OpenIf,
    /// `FILE_OVERWRITE`: it must be there, and loses its content; with attributes (`FILE_ATTRIBUTE_…`) that it gets
    /// beside those that it has.
    Overwrite(u32),
    /// `FILE_OVERWRITE_IF`: it loses its content, or is made where it is not there.
    OverwriteIf(u32),
    /// `FILE_SUPERSEDE`: a new content takes the place of what is there, with attributes of its own, or it is made.
    Supersede(u32),
}

/// What a path leads to.
enum Spot {
    /// A file or directory that is there.
    Found {
        file: FileReference,
        /// The directory and the name; `None` for the root.
        link: Option<(FileReference, Vec<u16>)>,
        stream: Vec<u16>,
        facts: Box<OpenFacts>,
    },
    /// Nothing, in a directory that is there.
    Free { parent: FileReference, name: Vec<u16> },
    /// What looking came to otherwise.
    Not(Lookup),
}

impl NtVolume {
    /// Opens a file, a directory, or a named stream (`file:stream`); with a disposition that says so it makes a file,
    /// or with `DIRECTORY_FILE` a directory.
    ///
    /// The path is absolute (`\dir\name`, `\??\C:\dir\name`), or relative to the directory of a handle. Names are
    /// compared without case, except in directories that have case-sensitive names. A reparse point is opened itself
    /// with `OPEN_REPARSE_POINT`, and not followed without it.
    ///
    /// # Errors
    ///
    /// As [`decide::open`] says; `OBJECT_NAME_COLLISION` for [`Disposition::Create`] of what is there, and for a directory
    /// that is to be overwritten, with `DIRECTORY_FILE` `INVALID_PARAMETER`; `ACCESS_DENIED` to overwrite the root, or a
    /// file that is read-only, or is hidden or of the system and is to be so no longer; `USER_MAPPED_FILE` for one that is mapped;
    /// `IO_REPARSE_TAG_NOT_HANDLED` for a path through a reparse point; `OBJECT_PATH_SYNTAX_BAD` for a relative path
    /// without a handle; `INVALID_PARAMETER` for an absolute one with it.
    pub fn open(
        &self,
        root: Option<Handle>,
        path: &[u16],
        access: Access,
        share: Share,
        disposition: Disposition,
        options: OpenOptions,
    ) -> Result<Handle, NtStatus> {
        let request = OpenRequest::new(access, share, options);
        self.open_with(root, path, request, disposition, false)
    }

    /// [`NtVolume::open`] for a program that compares names exactly (without `OBJ_CASE_INSENSITIVE`): so are the names
    /// of links and renames through the handle.
    ///
    /// # Errors
    ///
    /// As [`NtVolume::open`].
    pub fn open_exact(
        &self,
        root: Option<Handle>,
        path: &[u16],
        access: Access,
        share: Share,
        disposition: Disposition,
        options: OpenOptions,
    ) -> Result<Handle, NtStatus> {
        let request = OpenRequest::new(access, share, options);
        self.open_with(root, path, request, disposition, true)
    }

    pub(super) fn open_with(
        &self,
        root: Option<Handle>,
        path: &[u16],
        mut request: OpenRequest,
        disposition: Disposition,
        exact: bool,
    ) -> Result<Handle, NtStatus> {
        disposition.check(&request)?;
        let mut table = self.table();
        let spot = self.spot(&table, root, path, exact)?;
        if matches!(path, [_, .., BACKSLASH]) {
            request.trailing_backslash = TrailingBackslash::Present;
        }
        let asked = request.access;
        let mut made = false;
        let (file, link, stream, lookup) = match spot {
            Spot::Found {
                file,
                link,
                stream,
                facts,
            } => {
                if !stream.is_empty() {
                    request.stream = Stream::Named;
                }
                if disposition == Disposition::Create && facts.link == LinkState::Listed {
                    return Err(NtStatus::OBJECT_NAME_COLLISION);
                }
                request = disposition.widened(&request);
                (file, link, stream, Lookup::Found(*facts))
            }
            Spot::Free { parent, name }
                if !matches!(disposition, Disposition::Open | Disposition::Overwrite(_)) =>
            {
                made = true;
                let (file, lookup) = self.create(&table, parent, &name, &request)?;
                (file, Some((parent, name)), Vec::new(), lookup)
            }
            Spot::Free { .. } => return Err(refused(&request, &Lookup::Missing)),
            Spot::Not(lookup) => return Err(refused(&request, &lookup)),
        };
        let (mut granted, delete_on_close) = match decide::open(&request, &lookup)? {
            OpenAction::Open {
                granted,
                delete_on_close,
            } => (granted, delete_on_close),
            OpenAction::Follow => return Err(NtStatus::IO_REPARSE_TAG_NOT_HANDLED),
        };
        if let Lookup::Found(facts) = &lookup
            && !made
        {
            let found = self.writer.node(file).map_err(status)?.attributes;
            disposition.permits(facts, found, (file.record(), stream.is_empty()))?;
            granted.access = disposition.narrowed(asked, granted.access);
        }
        let case_sensitive = match &link {
            Some((parent, _)) => exact || self.writer.is_case_sensitive(*parent).map_err(status)?,
            None => exact,
        };
        let link = link.map(|(parent, name)| table.know(file, parent, &name));
        let opened = Opened {
            file,
            link,
            sharing: granted,
            stream,
            delete_on_close,
            posix_deleter: false,
            case_sensitive,
            keeps_change_time: false,
        };
        if made {
            self.dress(&opened, disposition)?;
        } else {
            self.overwrite(&table, &opened, disposition)?;
        }
        let handle = Handle(self.numbers.take());
        table.open(handle, opened);
        Ok(handle)
    }

    /// Makes what is not there, if an open of it would be granted.
    fn create(
        &self,
        table: &Table,
        parent: FileReference,
        name: &[u16],
        request: &OpenRequest,
    ) -> Result<(FileReference, Lookup), NtStatus> {
        let directory = request.options.contains(OpenOptions::DIRECTORY_FILE);
        let (facts, right) = if directory {
            (FileFacts::DIRECTORY, Access::ADD_SUBDIRECTORY)
        } else {
            (FileFacts::FILE, Access::ADD_FILE)
        };
        // whoever makes a file may do anything to it
        let lookup = Lookup::Found(OpenFacts {
            volume: table.facts,
            ..OpenFacts::new(facts)
        });
        decide::open(request, &lookup)?;
        if table.facts.read_only {
            return Err(NtStatus::MEDIA_WRITE_PROTECTED);
        }
        if table.state_of_file(parent) != LinkState::Listed {
            return Err(NtStatus::DELETE_PENDING);
        }
        if !(self.rights)(parent).contains(right) {
            return Err(NtStatus::ACCESS_DENIED);
        }
        let made = if directory {
            self.writer.make_directory(parent, name)
        } else {
            self.writer.create_file(parent, name)
        };
        Ok((made.map_err(status)?, lookup))
    }

    fn spot(&self, table: &Table, root: Option<Handle>, path: &[u16], exact: bool) -> Result<Spot, NtStatus> {
        let (start, path) = match root {
            Some(_) if path.first() == Some(&BACKSLASH) => return Err(NtStatus::INVALID_PARAMETER),
            Some(root) => (table.opened(root)?.clone(), path),
            None if path.first() != Some(&BACKSLASH) => return Err(NtStatus::OBJECT_PATH_SYNTAX_BAD),
            None => {
                let Some(path) = self.here(path) else {
                    return Ok(Spot::Not(Lookup::PathMissing));
                };
                let root = Opened {
                    file: self.writer.root().map_err(status)?,
                    link: None,
                    sharing: Sharing::default(),
                    stream: Vec::new(),
                    delete_on_close: None,
                    posix_deleter: false,
                    case_sensitive: false,
                    keeps_change_time: false,
                };
                (root, path)
            }
        };
        let trimmed = path.strip_suffix(&[BACKSLASH]).unwrap_or(path);
        if trimmed.is_empty() {
            // what the path begins at: the root, or what the handle was opened on
            let link = match start.link {
                Some(id) => {
                    let link = table.link(id)?;
                    Some((link.parent, link.name.clone()))
                }
                None => None,
            };
            return self.found(table, start.file, link, start.stream);
        }
        let (directory, last) = split(trimmed);
        let parent = match self.walk(table, start.file, directory) {
            Ok(Walk::Directory(parent)) => parent,
            Ok(Walk::Missing | Walk::File) => return Ok(Spot::Not(Lookup::PathMissing)),
            Ok(Walk::DeletePending) => return Ok(Spot::Not(Lookup::PathDeletePending)),
            Ok(Walk::InvalidName) => return Ok(Spot::Not(Lookup::InvalidName)),
            Err(status) => return Ok(Spot::Not(Lookup::Failed(status))),
        };
        let Ok(parts) = split_stream(last) else {
            return Ok(Spot::Not(Lookup::InvalidName));
        };
        let stream = parts.stream.unwrap_or_default();
        // of what a name can stand for, only data is opened by name
        let unnamed = StreamPath {
            stream: Some(&[]),
            ..parts
        };
        let wrong_kind = unnamed.is_other_stream();
        if check(parts.file, Charset::Win32).is_err() || wrong_kind {
            return Ok(Spot::Not(Lookup::InvalidName));
        }
        let place = self.writer.place(parent, parts.file).map_err(status)?;
        let Some(place) = place.filter(|place| !exact || place.spelled == parts.file) else {
            if !stream.is_empty() {
                return Ok(Spot::Not(Lookup::Missing));
            }
            let name = parts.file.to_vec();
            return Ok(Spot::Free { parent, name });
        };
        let stream = if stream.is_empty() {
            Vec::new()
        } else {
            match self.writer.stream_name(place.file, stream).map_err(status)? {
                Some(stream) => stream,
                None => return Ok(Spot::Not(Lookup::Missing)),
            }
        };
        self.found(table, place.file, Some((parent, place.name)), stream)
    }

    fn found(
        &self,
        table: &Table,
        file: FileReference,
        link: Option<(FileReference, Vec<u16>)>,
        stream: Vec<u16>,
    ) -> Result<Spot, NtStatus> {
        let parent = link.as_ref().map_or(file, |(parent, _)| *parent);
        let state = link.as_ref().map(|(parent, name)| table.state_of(*parent, name));
        let facts = Box::new(OpenFacts {
            volume: table.facts,
            file: self.file_facts(table, file)?,
            stream_opens: table.stream_opens(file, &stream),
            main_opens: table.stream_opens(file, &[]),
            link: state.unwrap_or(LinkState::Listed),
            reparse_point: self.is_reparse_point(file)?,
            rights: (self.rights)(file),
            parent_rights: (self.rights)(parent),
        });
        Ok(Spot::Found {
            file,
            link,
            stream,
            facts,
        })
    }

    /// Closes a handle: with the last one by it goes a name that is about to go.
    ///
    /// # Errors
    ///
    /// `INVALID_HANDLE`; where a name cannot be removed from the volume. The handle is closed all the same.
    pub fn close(&self, handle: Handle) -> Result<Changed, NtStatus> {
        let mut table = self.table();
        let opened = table.opened(handle)?.clone();
        let facts = self.close_facts(&table, handle, &opened);
        let closed = facts.and_then(|facts| self.close_with(&mut table, &opened, &facts));
        table.close(handle);
        self.numbers.give_back(handle.0);
        closed
    }

    fn close_facts(&self, table: &Table, handle: Handle, opened: &Opened) -> Result<CloseFacts, NtStatus> {
        let by_name = match opened.link {
            Some(link) => table.link(link)?.handles,
            None => 0,
        };
        Ok(CloseFacts {
            handle: self.handle_facts(table, handle)?,
            posix_deleter: opened.posix_deleter,
            file: self.file_facts(table, opened.file)?,
            other_handles_by_name: by_name.saturating_sub(1),
            stream: Self::stream_facts(table, opened),
        })
    }

    fn close_with(
        &self,
        table: &mut Table,
        opened: &Opened,
        facts: &CloseFacts,
    ) -> Result<Changed, NtStatus> {
        let action = decide::close(facts);
        if action.stream_removed {
            let key = (opened.file.0, opened.stream.clone());
            table.pending_streams.remove(&key);
            // with the file go all its streams
            if action.link != LinkEnd::FileFreed {
                self.writer
                    .remove_stream(opened.file, &opened.stream)
                    .map_err(status)?;
            }
        }
        let changed = Changed {
            notices: action.notices,
            usn: action.usn,
            ..Changed::default()
        };
        let Some(id) = opened.link else {
            return Ok(changed);
        };
        let link = table.link(id)?.clone();
        match action.link {
            LinkEnd::Stays => {}
            LinkEnd::BecomesPending(manner) => table.set_state(id, LinkState::DeletePending(manner)),
            LinkEnd::Parked => self.park(table, id)?,
            LinkEnd::Removed | LinkEnd::FileFreed => {
                let node = self.writer.node(opened.file).map_err(status)?;
                let removed = if node.is_directory {
                    self.writer.remove_directory(link.parent, &link.name)
                } else {
                    self.writer.unlink(link.parent, &link.name).map(|_| ())
                };
                removed.map_err(status)?;
            }
        }
        if action.updates.contains(Updates::DUPLICATED_INFORMATION) && !table.facts.read_only {
            self.writer
                .refresh_name(link.parent, &link.name)
                .map_err(status)?;
        }
        Ok(changed)
    }

    /// A name leaves its directory, and is kept for the handles by it.
    fn park(&self, table: &mut Table, id: LinkId) -> Result<(), NtStatus> {
        let link = table.link(id)?.clone();
        let directory = self.writer.deleted_directory().map_err(status)?;
        let name = id.parked(link.file);
        let change = Exchange {
            file: link.file,
            to: (directory, &name),
            made: Made::ByCreateOrRename,
            exact: false,
            over: None,
            from: Some((link.parent, &link.name)),
            updates: Updates::SOURCE_TIMES | Updates::CHANGE_TIME,
        };
        self.writer.exchange(&change).map_err(status)?;
        table.moved(id, directory, &name);
        table.set_state(id, LinkState::Parked);
        Ok(())
    }
}

/// The status of an open that finds nothing.
fn refused(request: &OpenRequest, lookup: &Lookup) -> NtStatus {
    match decide::open(request, lookup) {
        Err(status) => status,
        // nothing that was not found is opened
        Ok(_) => NtStatus::OBJECT_NAME_NOT_FOUND,
    }
}
