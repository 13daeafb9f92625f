//! Gathering the facts of a call.

use polylink_nt::NtStatus;
use polylink_nt::decide::{
    FileFacts, HandleFacts, Kind, LinkState, Names, NewName, ParentFacts, ParentLookup, Reach, Relation,
    Spelling, Stream, StreamFacts, TargetFacts, Volume,
};
use polylink_nt::name::{Charset, check};

use super::path::components;
use super::table::{LinkId, Opened, Table};
use super::{Handle, NtVolume, status};
use crate::units::FileReference;
use crate::write::Place;

/// `FILE_ATTRIBUTE_READONLY`.
const READ_ONLY: u32 = 0x1;
/// `FILE_ATTRIBUTE_REPARSE_POINT`.
const REPARSE_POINT: u32 = 0x400;

/// What walking along a path came to.
pub(super) enum Walk {
    Directory(FileReference),
    Missing,
    /// The last component is a file.
    File,
    DeletePending,
    InvalidName,
}

/// What stands in a directory under a name, and what is known of it.
pub(super) struct Target {
    pub(super) place: Place,
    pub(super) facts: TargetFacts,
}

impl NtVolume {
    pub(super) fn file_facts(&self, table: &Table, file: FileReference) -> Result<FileFacts, NtStatus> {
        let node = self.writer.node(file).map_err(status)?;
        let going = table.going(file);
        Ok(FileFacts {
            kind: if node.is_directory {
                Kind::Directory
            } else {
                Kind::File
            },
            read_only: node.attributes & READ_ONLY != 0,
            names: Names {
                live: node.names.saturating_sub(going),
                going,
            },
            mapping: table.mapping(file),
            has_entries: node.is_directory && self.writer.has_entries(file).map_err(status)?,
            opens: table.opens(file),
        })
    }

    /// Whether a file or directory is a reparse point, and whether it is a directory.
    pub(super) fn is_reparse_point(&self, file: FileReference) -> Result<bool, NtStatus> {
        let node = self.writer.node(file).map_err(status)?;
        Ok(node.attributes & REPARSE_POINT != 0)
    }

    pub(super) fn link_state(table: &Table, opened: &Opened) -> Result<LinkState, NtStatus> {
        match opened.link {
            Some(link) => Ok(table.link(link)?.state),
            None => Ok(LinkState::Listed),
        }
    }

    /// The name that a handle was opened by: its directory, and whether it has an 8.3 twin.
    fn own(&self, table: &Table, opened: &Opened) -> Result<(FileReference, bool), NtStatus> {
        let Some(link) = opened.link else {
            return Ok((self.writer.root().map_err(status)?, false));
        };
        let link = table.link(link)?;
        let place = self.writer.place(link.parent, &link.name).map_err(status)?;
        Ok((link.parent, place.is_some_and(|place| place.has_twin)))
    }

    pub(super) fn handle_facts(&self, table: &Table, handle: Handle) -> Result<HandleFacts, NtStatus> {
        let opened = table.opened(handle)?;
        Ok(HandleFacts {
            access: opened.sharing.access,
            stream: if opened.stream.is_empty() {
                Stream::Main
            } else {
                Stream::Named
            },
            link: Self::link_state(table, opened)?,
            short_name: self.own(table, opened)?.1,
            delete_on_close: opened.delete_on_close,
            case_sensitive: opened.case_sensitive,
            keeps_change_time: opened.keeps_change_time,
            volume_root: opened.link.is_none(),
        })
    }

    /// The stream of a handle, with the handle itself not among the others.
    pub(super) fn stream_facts(table: &Table, opened: &Opened) -> StreamFacts {
        if opened.stream.is_empty() {
            return StreamFacts::default();
        }
        let handles = table.stream_opens(opened.file, &opened.stream).handles();
        let key = (opened.file.0, opened.stream.clone());
        StreamFacts {
            delete_pending: table.pending_streams.contains(&key),
            other_handles: handles.saturating_sub(1),
        }
    }

    /// Goes along a path from a directory.
    pub(super) fn walk(&self, table: &Table, from: FileReference, path: &[u16]) -> Result<Walk, NtStatus> {
        let mut at = from;
        let mut below_file = !self.writer.node(at).map_err(status)?.is_directory;
        for component in components(path) {
            if below_file {
                return Ok(Walk::Missing);
            }
            if check(component, Charset::Win32).is_err() {
                return Ok(Walk::InvalidName);
            }
            let Some(place) = self.writer.place(at, component).map_err(status)? else {
                return Ok(Walk::Missing);
            };
            if table.state_of(at, &place.name) != LinkState::Listed {
                return Ok(Walk::DeletePending);
            }
            if self.is_reparse_point(place.file)? {
                return Err(NtStatus::IO_REPARSE_TAG_NOT_HANDLED);
            }
            at = place.file;
            below_file = !self.writer.node(at).map_err(status)?.is_directory;
        }
        Ok(if below_file {
            Walk::File
        } else {
            Walk::Directory(at)
        })
    }

    /// The directory that a new name leads to; `None` where it leads to none.
    pub(super) fn destination(
        &self,
        table: &Table,
        handle: Handle,
        root: Option<u64>,
        name: &NewName<'_>,
    ) -> Result<(ParentLookup, Option<FileReference>), NtStatus> {
        let source = table.opened(handle)?;
        let (own, _) = self.own(table, source)?;
        let walked = match (name.reach(), root) {
            (Reach::Beside, _) => Ok(Walk::Directory(own)),
            (Reach::Absolute, _) => match self.here(name.directory()) {
                Some(path) => self.walk(table, self.writer.root().map_err(status)?, path),
                None => return Ok((ParentLookup::OtherVolume, None)),
            },
            (Reach::Rooted, root) => {
                let number = root.and_then(|root| u32::try_from(root).ok()).unwrap_or(0);
                match table.opened(Handle(number)) {
                    Ok(root) => self.walk(table, root.file, name.directory()),
                    Err(_) if self.numbers.is_used(number) => return Ok((ParentLookup::OtherVolume, None)),
                    Err(status) => return Ok((ParentLookup::Failed(status), None)),
                }
            }
        };
        let parent = match walked {
            Ok(Walk::Directory(parent)) => parent,
            Ok(Walk::Missing) => return Ok((ParentLookup::Missing, None)),
            Ok(Walk::File) => return Ok((ParentLookup::BelowFile, None)),
            Ok(Walk::DeletePending) => return Ok((ParentLookup::DeletePending, None)),
            Ok(Walk::InvalidName) => return Ok((ParentLookup::InvalidName, None)),
            Err(status) => return Ok((ParentLookup::Failed(status), None)),
        };
        let facts = ParentFacts {
            volume: Volume::Same,
            rights: (self.rights)(parent),
            opens: table.opens(parent),
            link: table.state_of_file(parent),
            same_directory: parent.record() == own.record(),
            inside_source: self.writer.lies_in(parent, source.file).map_err(status)?,
        };
        Ok((ParentLookup::Found(facts), Some(parent)))
    }

    /// Whether anything below a directory is open.
    pub(super) fn open_below(&self, table: &Table, directory: FileReference) -> Result<bool, NtStatus> {
        if !self.writer.node(directory).map_err(status)?.is_directory {
            return Ok(false);
        }
        for opened in table.handles().filter(|opened| opened.file != directory) {
            if let Some(link) = opened.link
                && self
                    .writer
                    .lies_in(table.link(link)?.parent, directory)
                    .map_err(status)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What stands in a directory under a name.
    pub(super) fn target(
        &self,
        table: &Table,
        handle: Handle,
        parent: Option<FileReference>,
        name: &[u16],
    ) -> Result<Option<Target>, NtStatus> {
        let Some(parent) = parent.filter(|_| !name.is_empty()) else {
            return Ok(None);
        };
        let source = table.opened(handle)?;
        let found = self.writer.place(parent, name).map_err(status)?;
        let found = found.filter(|place| !source.case_sensitive || place.spelled == name);
        let Some(place) = found else {
            return Ok(None);
        };
        let link: Option<(LinkId, _)> = table.find_link(parent, &place.name);
        let relation = if place.file.record() != source.file.record() {
            Relation::OtherFile
        } else if link.is_some_and(|(id, _)| source.link == Some(id)) {
            Relation::SameLink
        } else {
            Relation::SameFile
        };
        let facts = TargetFacts {
            relation,
            spelling: if place.spelled == name {
                Spelling::Exact
            } else {
                Spelling::OtherCase
            },
            file: self.file_facts(table, place.file)?,
            link: link.map_or(LinkState::Listed, |(_, link)| link.state),
            handles_by_name: link.map_or(0, |(_, link)| link.handles),
            rights: (self.rights)(place.file),
        };
        Ok(Some(Target { place, facts }))
    }
}
