//! `NtSetInformationFile`: links, renames and dispositions.

use polylink_nt::NtStatus;
use polylink_nt::decide::{
    self, DispositionFacts, DispositionRequest, Fate, LinkChange, LinkFacts, LinkRequest, LinkState, Manner,
    Mark, NewName, Origin, Removal, RenameChange, RenameFacts, Root, Scope, ShortName, Spelling, Updates,
    UsnReason,
};
use polylink_nt::info::{Direction, DispositionInformation, InfoClass, Layout, LinkInformation};
use polylink_nt::name::Made;
use polylink_nt::short;

use super::facts::Target;
use super::table::{LinkId, Table};
use super::{Changed, Handle, NtVolume, status};
use crate::units::FileReference;
use crate::write::{Exchange, Over, Place};

impl NtVolume {
    /// Sets information through a handle: [`InfoClass`] 10, 11, 13, 64, 65 and 72, with the bytes of the structure.
    ///
    /// `RootDirectory` is the number of a handle ([`Handle::number`]). `layout` is that of the program that asks.
    ///
    /// # Errors
    ///
    /// `INVALID_INFO_CLASS` for another class; what is wrong with the buffer; as [`decide::link`], [`decide::rename`]
    /// and [`decide::disposition`] say.
    pub fn set_information_file(
        &self,
        handle: Handle,
        class: u32,
        buffer: &[u8],
        layout: Layout,
    ) -> Result<Changed, NtStatus> {
        let class = InfoClass::from_number(class, Direction::Set)?;
        let form = class.form().ok_or(NtStatus::INVALID_INFO_CLASS)?;
        match class {
            InfoClass::Disposition | InfoClass::DispositionEx => {
                let flags = DispositionInformation::decode(buffer, form)?.flags;
                self.set_disposition(handle, &DispositionRequest { form, flags })
            }
            _ => {
                let information = LinkInformation::decode(buffer, layout, form)?;
                self.set_name(handle, class, &information, Origin::Local)
            }
        }
    }

    /// Links or renames: what [`NtVolume::set_information_file`] does, after its buffer was read; `origin` says whether
    /// a server asks for its client.
    ///
    /// # Errors
    ///
    /// As [`NtVolume::set_information_file`].
    pub fn set_name(
        &self,
        handle: Handle,
        class: InfoClass,
        information: &LinkInformation,
        origin: Origin,
    ) -> Result<Changed, NtStatus> {
        let form = class.form().ok_or(NtStatus::INVALID_INFO_CLASS)?;
        let root = information.root.map(std::num::NonZeroU64::get);
        let name = NewName::new(
            &information.name,
            if root.is_some() { Root::Given } else { Root::None },
        );
        let request = LinkRequest {
            form,
            flags: information.flags,
            name,
            origin,
        };
        let mut table = self.table();
        table.opened(handle)?;
        let (parent, directory) = self.destination(&table, handle, root, &name)?;
        let target = self.target(&table, handle, directory, name.last())?;
        let to = (directory, name.last());
        match class {
            InfoClass::Link | InfoClass::LinkEx => {
                let facts = LinkFacts {
                    volume: table.facts,
                    handle: self.handle_facts(&table, handle)?,
                    source: self.file_facts(&table, table.opened(handle)?.file)?,
                    parent,
                    target: target.as_ref().map(|target| target.facts),
                };
                let action = decide::link(&request, &facts)?;
                self.link(
                    &mut table,
                    handle,
                    to,
                    target.as_ref(),
                    (action.change, action.updates),
                )?;
                let replaced = match action.change {
                    LinkChange::Replace(removal) => removal.usn,
                    _ => UsnReason::empty(),
                };
                Ok(Changed {
                    notices: action.notices,
                    usn: action.usn,
                    replaced,
                })
            }
            InfoClass::Rename | InfoClass::RenameEx => {
                let file = table.opened(handle)?.file;
                let facts = RenameFacts {
                    volume: table.facts,
                    handle: self.handle_facts(&table, handle)?,
                    source: self.file_facts(&table, file)?,
                    open_below: self.open_below(&table, file)?,
                    parent,
                    target: target.as_ref().map(|target| target.facts),
                };
                let action = decide::rename(&request, &facts)?;
                self.rename(
                    &mut table,
                    handle,
                    to,
                    target.as_ref(),
                    (action.change, action.updates),
                )?;
                if let (ShortName::Make, Some(directory)) = (action.short_name, directory) {
                    self.make_short_name(directory, name.last())?;
                }
                let replaced = match action.change {
                    RenameChange::Move {
                        replaces: Some(removal),
                    } => removal.usn,
                    _ => UsnReason::empty(),
                };
                Ok(Changed {
                    notices: action.notices,
                    usn: action.usn,
                    replaced,
                })
            }
            _ => Err(NtStatus::INVALID_INFO_CLASS),
        }
    }

    fn link(
        &self,
        table: &mut Table,
        handle: Handle,
        (directory, name): (Option<FileReference>, &[u16]),
        target: Option<&Target>,
        (change, updates): (LinkChange, Updates),
    ) -> Result<(), NtStatus> {
        if change == LinkChange::Nothing {
            return Ok(());
        }
        let directory = directory.ok_or(NtStatus::OBJECT_PATH_NOT_FOUND)?;
        let opened = table.opened(handle)?.clone();
        let exchange = Exchange {
            file: opened.file,
            to: (directory, name),
            made: Made::ByLink,
            exact: opened.case_sensitive,
            over: None,
            from: None,
            updates,
        };
        match (change, target) {
            (LinkChange::Respell | LinkChange::Renew, Some(target)) => {
                self.respell(table, exchange, &target.place)
            }
            (LinkChange::Replace(removal), Some(target)) => {
                self.replace(table, exchange, &target.place, removal)
            }
            _ => self.writer.exchange(&exchange).map_err(status),
        }
    }

    fn rename(
        &self,
        table: &mut Table,
        handle: Handle,
        (directory, name): (Option<FileReference>, &[u16]),
        target: Option<&Target>,
        (change, updates): (RenameChange, Updates),
    ) -> Result<(), NtStatus> {
        if change == RenameChange::Nothing {
            return Ok(());
        }
        let directory = directory.ok_or(NtStatus::OBJECT_PATH_NOT_FOUND)?;
        let opened = table.opened(handle)?.clone();
        let id = opened.link.ok_or(NtStatus::INVALID_PARAMETER)?;
        let own = table.link(id)?.clone();
        let mut exchange = Exchange {
            file: opened.file,
            to: (directory, name),
            made: Made::ByCreateOrRename,
            exact: opened.case_sensitive,
            over: None,
            from: None,
            updates,
        };
        match (change, target) {
            (RenameChange::Respell, Some(target)) => self.respell(table, exchange, &target.place),
            (RenameChange::Merge { spelling }, Some(target)) => {
                let into = table.know(opened.file, directory, &target.place.name);
                exchange.from = Some((own.parent, &own.name));
                if spelling == Spelling::Exact {
                    exchange.over = Some(Over::Kept);
                    self.writer.exchange(&exchange).map_err(status)?;
                } else {
                    exchange.over = Some(Over::Respelled);
                    self.writer.exchange(&exchange).map_err(status)?;
                    table.moved(into, directory, name);
                }
                table.merge(id, into);
                Ok(())
            }
            (change, target) => {
                exchange.from = Some((own.parent, &own.name));
                match (change, target) {
                    (
                        RenameChange::Move {
                            replaces: Some(removal),
                        },
                        Some(target),
                    ) => {
                        self.replace(table, exchange, &target.place, removal)?;
                    }
                    _ => self.writer.exchange(&exchange).map_err(status)?,
                }
                table.moved(id, directory, name);
                Ok(())
            }
        }
    }

    /// One of the file's own names gets another spelling, and loses its 8.3 twin.
    fn respell(&self, table: &mut Table, exchange: Exchange<'_>, place: &Place) -> Result<(), NtStatus> {
        let (directory, name) = exchange.to;
        let change = if place.is_twin() {
            // the twin's entry is in the way of the name that is to be: it goes first, and for good
            self.writer
                .set_short_name(directory, &place.name, None)
                .map_err(status)?;
            self.writer.sync().map_err(status)?;
            Exchange {
                from: Some((directory, &place.name)),
                ..exchange
            }
        } else {
            Exchange {
                over: Some(Over::Respelled),
                ..exchange
            }
        };
        self.writer.exchange(&change).map_err(status)?;
        if let Some((id, _)) = table.find_link(directory, &place.name) {
            table.moved(id, directory, name);
        }
        Ok(())
    }

    /// Another file's name goes, in the manner that was decided, and the new one is there in its stead.
    fn replace(
        &self,
        table: &mut Table,
        exchange: Exchange<'_>,
        place: &Place,
        removal: Removal,
    ) -> Result<(), NtStatus> {
        let (directory, _) = exchange.to;
        let link: Option<LinkId> = table.find_link(directory, &place.name).map(|(id, _)| id);
        match (removal.fate, link) {
            (Fate::Parked, Some(id)) => {
                let deleted = self.writer.deleted_directory().map_err(status)?;
                let name = id.parked(place.file);
                let change = Exchange {
                    over: Some(Over::Parked {
                        directory: deleted,
                        name: name.clone(),
                    }),
                    ..exchange
                };
                self.writer.exchange(&change).map_err(status)?;
                table.moved(id, deleted, &name);
                table.set_state(id, LinkState::Parked);
                Ok(())
            }
            _ => {
                let change = Exchange {
                    over: Some(Over::Removed),
                    ..exchange
                };
                self.writer.exchange(&change).map_err(status)
            }
        }
    }

    /// The 8.3 twin of a name that was renamed.
    fn make_short_name(&self, directory: FileReference, name: &[u16]) -> Result<(), NtStatus> {
        // the old twin is gone then, and a file has one at most
        self.writer.sync().map_err(status)?;
        let mut failed = None;
        let taken = |short: &[u16]| match self.writer.place(directory, short) {
            Ok(place) => place.is_some_and(|place| place.name != name),
            Err(error) => {
                failed = Some(status(error));
                false
            }
        };
        let made = short::generate(name, &self.writer.upcase(), taken);
        if let Some(status) = failed {
            return Err(status);
        }
        match made {
            Some(twin) => self
                .writer
                .set_short_name(directory, name, Some(&twin))
                .map_err(status),
            None => Err(crate::write::FILE_SYSTEM_LIMITATION),
        }
    }

    /// Says whether the name that a handle was opened by is to go, or the named stream; what
    /// [`NtVolume::set_information_file`] does, after its buffer was read.
    ///
    /// # Errors
    ///
    /// As [`decide::disposition`] says; `INVALID_HANDLE`.
    pub fn set_disposition(&self, handle: Handle, request: &DispositionRequest) -> Result<Changed, NtStatus> {
        let mut table = self.table();
        let opened = table.opened(handle)?.clone();
        let facts = DispositionFacts {
            volume: table.facts,
            handle: self.handle_facts(&table, handle)?,
            file: self.file_facts(&table, opened.file)?,
        };
        let action = decide::disposition(request, &facts)?;
        if let Some(mark) = action.on_close {
            table.opened_mut(handle)?.delete_on_close = match mark {
                Mark::Delete(manner) => Some(manner),
                Mark::Keep => None,
            };
        }
        match (action.scope, action.now) {
            (_, None) => {}
            (Scope::Link, Some(mark)) => {
                if let Some(id) = opened.link {
                    mark_link(&mut table, handle, id, mark)?;
                }
            }
            (Scope::Stream, Some(mark)) => {
                let key = (opened.file.0, opened.stream);
                match mark {
                    Mark::Delete(_) => table.pending_streams.insert(key),
                    Mark::Keep => table.pending_streams.remove(&key),
                };
            }
        }
        Ok(Changed::default())
    }
}

fn mark_link(table: &mut Table, handle: Handle, id: LinkId, mark: Mark) -> Result<(), NtStatus> {
    match mark {
        Mark::Delete(manner) => {
            table.set_state(id, LinkState::DeletePending(manner));
            table.opened_mut(handle)?.posix_deleter = manner == Manner::Posix;
        }
        Mark::Keep => {
            table.set_state(id, LinkState::Listed);
            for opened in table.handles_by_mut(id) {
                opened.posix_deleter = false;
            }
        }
    }
    Ok(())
}
