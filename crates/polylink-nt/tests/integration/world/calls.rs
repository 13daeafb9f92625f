//! The native calls: ask, then do.

use polylink_nt::NtStatus;
use polylink_nt::decide::{
    self, Access, CloseFacts, DispositionFacts, DispositionRequest, Fate, LinkChange, LinkEnd, LinkFacts,
    LinkRequest, LinkState, Manner, Mark, NewName, OpenAction, OpenOptions, OpenRequest, Origin, Removal,
    RenameChange, RenameFacts, Root, Scope, Share, ShortName, Spelling, Stream, TrailingBackslash, Updates,
    UsnReason,
};
use polylink_nt::info::{DispositionFlags, Form, LinkFlags};
use polylink_nt::short;

use super::{DELETED, FileId, Handle, Link, LinkId, Opened, Outcome, World, units, upcase};

/// Flags that a row passes: through the classic class or the extended one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flags {
    pub(crate) form: Form,
    pub(crate) flags: LinkFlags,
}

/// The classic class with `ReplaceIfExists` FALSE.
pub(crate) const R0: Flags = Flags {
    form: Form::Classic,
    flags: LinkFlags::empty(),
};
/// The classic class with `ReplaceIfExists` TRUE.
pub(crate) const R1: Flags = Flags {
    form: Form::Classic,
    flags: LinkFlags::REPLACE_IF_EXISTS,
};

/// The extended class with these flags.
pub(crate) const fn ex(flags: LinkFlags) -> Flags {
    Flags {
        form: Form::Extended,
        flags,
    }
}

/// A new name as a row has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) path: &'a [u16],
    pub(crate) root: Option<Handle>,
    pub(crate) origin: Origin,
}

/// Which of the two requests of one structure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Request {
    Link,
    Rename,
}

impl World {
    /// Opens a path; `file:stream` opens a stream.
    pub(crate) fn open(
        &mut self,
        path: &str,
        access: Access,
        share: Share,
        options: OpenOptions,
    ) -> Result<Handle, NtStatus> {
        let (path, stream) = match path.rsplit_once(':') {
            Some((path, stream)) if !stream.contains('\\') => (path, Some(stream)),
            _ => (path, None),
        };
        let path = units(path);
        let request = OpenRequest {
            stream: if stream.is_some() {
                Stream::Named
            } else {
                Stream::Main
            },
            trailing_backslash: match path.as_slice() {
                [_, .., 0x5C] => TrailingBackslash::Present,
                _ => TrailingBackslash::Absent,
            },
            ..OpenRequest::new(access, share, options)
        };
        self.open_with(&path, stream, &request)
    }

    pub(super) fn open_with(
        &mut self,
        path: &[u16],
        stream: Option<&str>,
        request: &OpenRequest,
    ) -> Result<Handle, NtStatus> {
        let (lookup, found) = self.lookup(path, stream);
        match decide::open(request, &lookup)? {
            OpenAction::Open {
                granted,
                delete_on_close,
            } => {
                let (file, link) = found.expect("only what was found is opened");
                self.handles.push(Some(Opened {
                    file,
                    link,
                    sharing: granted,
                    stream: stream.map(str::to_owned),
                    delete_on_close,
                    posix_deleter: false,
                    case_sensitive: false,
                    keeps_change_time: false,
                }));
                Ok(Handle(self.handles.len() - 1))
            }
            // what a reparse point leads to is not in this world
            OpenAction::Follow => Err(NtStatus::IO_REPARSE_TAG_NOT_HANDLED),
        }
    }

    /// Links to an absolute path.
    pub(crate) fn link(&mut self, handle: Handle, path: &str, flags: Flags) -> Outcome {
        self.ask(Request::Link, handle, absolute(&units(path)), flags)
    }

    /// Renames to an absolute path.
    pub(crate) fn rename(&mut self, handle: Handle, path: &str, flags: Flags) -> Outcome {
        self.ask(Request::Rename, handle, absolute(&units(path)), flags)
    }

    /// Either of the two.
    pub(crate) fn ask(&mut self, what: Request, handle: Handle, target: Target<'_>, flags: Flags) -> Outcome {
        let before = self.state();
        let outcome = self.decide(what, handle, target, flags);
        if outcome.is_err() {
            assert_eq!(self.state(), before, "a refused request changes nothing");
        }
        outcome
    }

    fn decide(&mut self, what: Request, handle: Handle, target: Target<'_>, flags: Flags) -> Outcome {
        let root = if target.root.is_some() {
            Root::Given
        } else {
            Root::None
        };
        let name = NewName::new(target.path, root);
        let request = LinkRequest {
            form: flags.form,
            flags: flags.flags,
            name,
            origin: target.origin,
        };
        let (parent, directory) = self.destination(handle, target.root, &name);
        let found = self.target(handle, directory, name.last());
        let source = self.file_facts(self.opened(handle).file);
        match what {
            Request::Link => {
                let facts = LinkFacts {
                    volume: self.volume,
                    handle: self.handle_facts(handle),
                    source,
                    parent,
                    target: found.map(|(_, facts)| facts),
                };
                let action = decide::link(&request, &facts)?;
                self.begin(action.usn, action.notices.iter());
                let directory = directory.expect("an allowed link has a directory");
                let link = self.apply_link(
                    handle,
                    action.change,
                    directory,
                    name.last(),
                    found.map(|(id, _)| id),
                );
                self.update(handle, action.updates, link, directory, directory);
            }
            Request::Rename => {
                let facts = RenameFacts {
                    volume: self.volume,
                    handle: self.handle_facts(handle),
                    source,
                    open_below: self.open_below(self.opened(handle).file),
                    parent,
                    target: found.map(|(_, facts)| facts),
                };
                let action = decide::rename(&request, &facts)?;
                self.begin(action.usn, action.notices.iter());
                let directory = directory.expect("an allowed rename has a directory");
                let own = self.own_link(handle);
                let from = self.links[own].parent;
                let link = self.apply_rename(
                    handle,
                    action.change,
                    action.short_name,
                    directory,
                    name.last(),
                    found.map(|(id, _)| id),
                );
                self.update(handle, action.updates, link, directory, from);
            }
        }
        Ok(())
    }

    fn begin(&mut self, usn: UsnReason, notices: impl Iterator<Item = decide::Notice>) {
        self.clock += 1;
        self.usn = usn;
        self.victim_usn = UsnReason::empty();
        self.notices = notices.collect();
    }

    fn own_link(&self, handle: Handle) -> LinkId {
        self.opened(handle).link.expect("only the root has no name")
    }

    fn apply_link(
        &mut self,
        handle: Handle,
        change: LinkChange,
        parent: FileId,
        name: &[u16],
        target: Option<LinkId>,
    ) -> LinkId {
        let there = || target.expect("the name stands there");
        match change {
            LinkChange::Nothing => return self.own_link(handle),
            LinkChange::Respell | LinkChange::Renew => {
                self.links[there()].name = name.to_vec();
                self.links[there()].short = None;
                return there();
            }
            LinkChange::Add => assert_eq!(target, None, "an added name is new"),
            LinkChange::Replace(removal) => self.remove(there(), removal),
        }
        self.links.push(Link {
            file: self.opened(handle).file,
            parent,
            name: name.to_vec(),
            short: None,
            state: LinkState::Listed,
            refreshed: 0,
            exists: true,
        });
        self.links.len() - 1
    }

    fn apply_rename(
        &mut self,
        handle: Handle,
        change: RenameChange,
        short_name: ShortName,
        parent: FileId,
        name: &[u16],
        target: Option<LinkId>,
    ) -> LinkId {
        let own = self.own_link(handle);
        let there = || target.expect("the name stands there");
        let renamed = match change {
            RenameChange::Nothing => return own,
            RenameChange::Merge { spelling } => {
                self.links[own].exists = false;
                for opened in self.handles.iter_mut().flatten() {
                    if opened.link == Some(own) {
                        opened.link = Some(there());
                    }
                }
                if spelling == Spelling::Exact {
                    return there();
                }
                there()
            }
            RenameChange::Respell => own,
            RenameChange::Move { replaces } => {
                match replaces {
                    Some(removal) => self.remove(there(), removal),
                    None => assert_eq!(target, None, "a name that nothing is removed for is new"),
                }
                self.links[own].parent = parent;
                self.links[own].short = None;
                own
            }
        };
        self.links[renamed].name = name.to_vec();
        if short_name == ShortName::Make {
            self.links[renamed].short = None;
            let taken = |short: &[u16]| {
                self.find(parent, short, false)
                    .is_some_and(|link| link != renamed)
            };
            let made = short::generate(name, upcase(), taken);
            self.links[renamed].short = made;
        }
        renamed
    }

    fn remove(&mut self, link: LinkId, removal: Removal) {
        self.victim_usn = removal.usn;
        match removal.fate {
            Fate::NameRemoved => self.links[link].exists = false,
            Fate::Parked => self.park(link),
            Fate::FileFreed => self.free(link),
        }
    }

    fn park(&mut self, link: LinkId) {
        assert!(self.handles_by(link) > 0, "a parked name has a handle");
        let id = self.links[link].file;
        self.links[link].state = LinkState::Parked;
        self.links[link].parent = DELETED;
        self.links[link].name = units(&format!("{id:016X}{link:08X}"));
        self.links[link].short = None;
    }

    fn free(&mut self, link: LinkId) {
        let file = self.links[link].file;
        self.links[link].exists = false;
        assert_eq!(
            self.links_of_file(file).count(),
            0,
            "a file that goes has no name"
        );
        assert!(
            !self.all_opened().any(|opened| opened.file == file),
            "nobody has it open"
        );
        self.files[file].exists = false;
    }

    fn update(&mut self, handle: Handle, updates: Updates, link: LinkId, to: FileId, from: FileId) {
        let now = self.clock;
        let file = self.opened(handle).file;
        if updates.contains(Updates::DESTINATION_TIMES) {
            self.files[to].entries_changed = now;
        }
        if updates.contains(Updates::SOURCE_TIMES) {
            self.files[from].entries_changed = now;
        }
        if updates.contains(Updates::CHANGE_TIME) {
            self.files[file].changed = now;
        }
        if updates.contains(Updates::ARCHIVE) {
            self.files[file].archive = true;
        }
        if updates.contains(Updates::DUPLICATED_INFORMATION) {
            self.links[link].refreshed = now;
        }
    }

    /// The classic disposition: delete, or do not.
    pub(crate) fn dispose(&mut self, handle: Handle, delete: bool) -> Outcome {
        let flags = if delete {
            DispositionFlags::DELETE
        } else {
            DispositionFlags::empty()
        };
        self.set_disposition(
            handle,
            &DispositionRequest {
                form: Form::Classic,
                flags,
            },
        )
    }

    /// The extended disposition.
    pub(crate) fn dispose_ex(&mut self, handle: Handle, flags: DispositionFlags) -> Outcome {
        self.set_disposition(
            handle,
            &DispositionRequest {
                form: Form::Extended,
                flags,
            },
        )
    }

    pub(crate) fn set_disposition(&mut self, handle: Handle, request: &DispositionRequest) -> Outcome {
        let facts = DispositionFacts {
            volume: self.volume,
            handle: self.handle_facts(handle),
            file: self.file_facts(self.opened(handle).file),
        };
        let action = decide::disposition(request, &facts)?;
        if let Some(mark) = action.on_close {
            self.opened_mut(handle).delete_on_close = match mark {
                Mark::Delete(manner) => Some(manner),
                Mark::Keep => None,
            };
        }
        match (action.scope, action.now) {
            (_, None) => {}
            (Scope::Link, Some(mark)) => self.mark_link(handle, mark),
            (Scope::Stream, Some(mark)) => {
                let opened = self.opened(handle);
                let key = (opened.file, opened.stream.clone().expect("a handle of a stream"));
                match mark {
                    Mark::Delete(_) => self.pending_streams.insert(key),
                    Mark::Keep => self.pending_streams.remove(&key),
                };
            }
        }
        Ok(())
    }

    fn mark_link(&mut self, handle: Handle, mark: Mark) {
        let link = self.own_link(handle);
        match mark {
            Mark::Delete(manner) => {
                self.links[link].state = LinkState::DeletePending(manner);
                self.opened_mut(handle).posix_deleter = manner == Manner::Posix;
            }
            Mark::Keep => {
                self.links[link].state = LinkState::Listed;
                for opened in self.handles.iter_mut().flatten() {
                    if opened.link == Some(link) {
                        opened.posix_deleter = false;
                    }
                }
            }
        }
    }

    /// Closes a handle.
    pub(crate) fn close(&mut self, handle: Handle) {
        let opened = self.opened(handle).clone();
        let facts = CloseFacts {
            handle: self.handle_facts(handle),
            posix_deleter: opened.posix_deleter,
            file: self.file_facts(opened.file),
            other_handles_by_name: opened
                .link
                .map_or(0, |link| self.handles_by(link).saturating_sub(1)),
            stream: self.stream_facts(&opened),
        };
        let action = decide::close(&facts);
        self.handles[handle.0] = None;
        self.begin(action.usn, action.notices.iter());
        if action.stream_removed {
            let key = (opened.file, opened.stream.expect("a handle of a stream"));
            self.streams.remove(&key);
            self.pending_streams.remove(&key);
        }
        let Some(link) = opened.link else {
            assert_eq!(action.link, LinkEnd::Stays, "the root has no name that could go");
            return;
        };
        match action.link {
            LinkEnd::Stays => {}
            LinkEnd::BecomesPending(manner) => self.links[link].state = LinkState::DeletePending(manner),
            LinkEnd::Parked => self.park(link),
            LinkEnd::Removed => {
                self.links[link].exists = false;
                assert_ne!(
                    self.links_of_file(opened.file).count(),
                    0,
                    "the file keeps a name"
                );
            }
            LinkEnd::FileFreed => self.free(link),
        }
        if action.updates.contains(Updates::DUPLICATED_INFORMATION) {
            self.links[link].refreshed = self.clock;
        }
    }

    /// Whether a file has a named stream.
    pub(crate) fn has_stream(&self, path: &str, stream: &str) -> bool {
        self.streams.contains(&(self.file_at(path), stream.to_owned()))
    }
}

/// A local request's absolute path.
pub(crate) fn absolute(path: &[u16]) -> Target<'_> {
    Target {
        path,
        root: None,
        origin: Origin::Local,
    }
}
