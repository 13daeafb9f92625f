//! A further name for a file: `FileLinkInformation` and `FileLinkInformationEx`.

use super::effects::{FileAction, NoticeName, Notices, NotifyFilter, Updates, UsnReason};
use super::facts::{FileFacts, HandleFacts, HardLinks, Kind, LinkState, Stream, VolumeFacts};
use super::new_name::{NewName, Reach, Root};
use super::parent::{ParentFacts, ParentLookup};
use super::victim::{Relation, Removal, Replacer, Spelling, TargetFacts, replace};
use crate::NtStatus;
use crate::info::{Form, LinkFlags};

/// Who asks, which decides when the destination's directory is opened.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Origin {
    /// A program on the same machine: the I/O manager opens the directory before the file system sees the request, so
    /// what is wrong with the directory comes before what is wrong with the file.
    ///
    /// Microsoft describes both stages ("Set File Information Processing"; \[MS-FSA\] 2.1.5.15.7); which status wins
    /// where both have one is an inference, for no public test has both faults at once.
    Local,
    /// A server on behalf of its client: the order of \[MS-FSA\], in which the file system opens the directory.
    Remote,
}

/// A request for one more name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LinkRequest<'a> {
    /// The class that it came by.
    pub form: Form,
    /// What to do with a name that exists. Classic: of all flags only `REPLACE_IF_EXISTS` is looked at.
    pub flags: LinkFlags,
    /// The name.
    pub name: NewName<'a>,
    /// Who asks.
    pub origin: Origin,
}

impl<'a> LinkRequest<'a> {
    /// A local request of the classic class.
    #[must_use]
    pub const fn classic(name: NewName<'a>, flags: LinkFlags) -> Self {
        Self {
            form: Form::Classic,
            flags,
            name,
            origin: Origin::Local,
        }
    }

    /// A local request of the extended class.
    #[must_use]
    pub const fn extended(name: NewName<'a>, flags: LinkFlags) -> Self {
        Self {
            form: Form::Extended,
            flags,
            name,
            origin: Origin::Local,
        }
    }

    /// The flags that count.
    pub(super) fn effective(&self) -> LinkFlags {
        match self.form {
            Form::Classic => self.flags & LinkFlags::REPLACE_IF_EXISTS,
            Form::Extended => self.flags,
        }
    }
}

/// What is known when a file is to get one more name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LinkFacts {
    /// The volume of the file.
    pub volume: VolumeFacts,
    /// The handle that is asked through.
    pub handle: HandleFacts,
    /// The file that it was opened on.
    pub source: FileFacts,
    /// The directory of the new name; for [`Reach::Beside`] that of the handle's own name.
    pub parent: ParentLookup,
    /// What stands there under that name: looked up among long and 8.3 names, by the handle's case rule.
    pub target: Option<TargetFacts>,
}

/// What a link changes among the names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LinkChange {
    /// Nothing: the name stands there already, as the handle's own.
    Nothing,
    /// The handle's own name gets another spelling, and loses its 8.3 twin.
    Respell,
    /// The name is added, without an 8.3 twin.
    Add,
    /// Another file's name goes, then the name is added.
    Replace(Removal),
    /// Another name of the same file goes and comes back, spelled as requested and without an 8.3 twin: as many names
    /// as before.
    Renew,
}

/// What a link does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LinkAction {
    /// To the names.
    pub change: LinkChange,
    /// To times and attributes.
    pub updates: Updates,
    /// To those who watch the directory.
    pub notices: Notices,
    /// To the journal, about the file that is linked.
    ///
    /// The text of \[MS-FSA\] has no record for a name that is added; \[MS-FSCC\] defines the reason as "added or
    /// removed". Chosen: the definition.
    pub usn: UsnReason,
}

/// Decides a link (\[MS-FSA\] 2.1.5.15.7, with the stage of the I/O manager before it).
///
/// The handle needs no right at all. `POSIX_SEMANTICS` without `REPLACE_IF_EXISTS` means nothing (\[MS-FSCC\] 2.4.28.2
/// defines it for both together), and the flags of storage reserves change nothing among names.
///
/// # Errors
///
/// In this order; a local request has what is marked with L before the rest, if its name has a path or a root:
///
/// 1. `INVALID_INFO_CLASS`: the system does not know the extended class
/// 2. `INVALID_PARAMETER`: no name, or a root directory and a name that begins with `\` (or, remote, a root directory)
/// 3. L: what opening the directory came to: `OBJECT_PATH_NOT_FOUND`, `INVALID_PARAMETER` below a file,
///    `DELETE_PENDING`, `ACCESS_DENIED`, `SHARING_VIOLATION`, `NOT_SAME_DEVICE`
/// 4. `MEDIA_WRITE_PROTECTED`
/// 5. `NOT_SUPPORTED`: flags that do not exist (chosen: as a disposition answers), or that a link has not
/// 6. `INVALID_PARAMETER`: the handle is of a named stream
/// 7. `FILE_IS_A_DIRECTORY`
/// 8. `NOT_SUPPORTED` or `INVALID_DEVICE_REQUEST`: the volume has no hard links
/// 9. `ACCESS_DENIED`: the handle's own name is about to go
/// 10. `OBJECT_NAME_INVALID`
/// 11. `TOO_MANY_LINKS`: also where a name would be replaced
/// 12. a plain name: `OBJECT_NAME_INVALID` for one with a `\`, `ACCESS_DENIED` without the right to add files; remote:
///     as 3
/// 13. `OBJECT_NAME_COLLISION`: the name stands there and is not to be replaced
/// 14. what protects the other file: `ACCESS_DENIED` for a directory, a read-only file, one that the caller may not
///     delete, that is open or mapped; `DELETE_PENDING`; `SHARING_VIOLATION` for POSIX semantics
pub fn link(request: &LinkRequest<'_>, facts: &LinkFacts) -> Result<LinkAction, NtStatus> {
    facts.volume.knows(request.form)?;
    request.name.is_there()?;
    request.name.fits_root()?;
    if request.origin == Origin::Remote && request.name.root == Root::Given {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let early = opened_early(request.origin, &request.name, &facts.parent, Kind::File)?;

    facts.volume.writable()?;
    let flags = request.effective();
    if !(LinkFlags::all() - LinkFlags::SUPPRESS_PIN_STATE_INHERITANCE).contains(flags) {
        return Err(NtStatus::NOT_SUPPORTED);
    }
    if facts.handle.stream == Stream::Named {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if facts.source.kind == Kind::Directory {
        return Err(NtStatus::FILE_IS_A_DIRECTORY);
    }
    match facts.volume.hard_links {
        HardLinks::Supported => {}
        HardLinks::Unsupported => return Err(NtStatus::NOT_SUPPORTED),
        HardLinks::Unknown => return Err(NtStatus::INVALID_DEVICE_REQUEST),
    }
    if facts.handle.link != LinkState::Listed {
        return Err(NtStatus::ACCESS_DENIED);
    }
    request.name.is_valid()?;
    facts.source.names.room(facts.volume.link_limit)?;

    let parent = match (early, request.origin) {
        (Some(parent), _) => parent,
        (None, Origin::Remote) => facts.parent.open(Kind::File, Origin::Remote)?,
        (None, Origin::Local) => {
            request.name.is_plain()?;
            let parent = facts.parent.found()?;
            parent.may_add(Kind::File)?;
            parent
        }
    };
    let change = change(flags, parent, facts.target.as_ref())?;
    Ok(consequences(change, facts))
}

/// The stage of the I/O manager: opens the directory where the request comes from the same machine and its name leads
/// somewhere; else `None`.
pub(super) fn opened_early<'f>(
    origin: Origin,
    name: &NewName<'_>,
    parent: &'f ParentLookup,
    kind: Kind,
) -> Result<Option<&'f ParentFacts>, NtStatus> {
    match (origin, name.reach()) {
        (Origin::Remote, _) | (_, Reach::Beside) => Ok(None),
        (Origin::Local, Reach::Absolute | Reach::Rooted) => parent.open(kind, origin).map(Some),
    }
}

fn change(
    flags: LinkFlags,
    parent: &ParentFacts,
    target: Option<&TargetFacts>,
) -> Result<LinkChange, NtStatus> {
    let Some(target) = target else {
        return Ok(LinkChange::Add);
    };
    if !flags.contains(LinkFlags::REPLACE_IF_EXISTS) {
        return Err(NtStatus::OBJECT_NAME_COLLISION);
    }
    match (target.relation, target.spelling) {
        (Relation::SameLink, Spelling::Exact) => Ok(LinkChange::Nothing),
        (Relation::SameLink, Spelling::OtherCase) => Ok(LinkChange::Respell),
        // Chosen: a name that is about to go is not brought back by replacing it
        (Relation::SameFile, _) if target.link != LinkState::Listed => Err(NtStatus::DELETE_PENDING),
        (Relation::SameFile, _) => Ok(LinkChange::Renew),
        (Relation::OtherFile, _) => replace(target, Replacer::Link, flags, parent).map(LinkChange::Replace),
    }
}

fn consequences(change: LinkChange, facts: &LinkFacts) -> LinkAction {
    let mut action = LinkAction {
        change,
        updates: Updates::empty(),
        notices: Notices::default(),
        usn: UsnReason::empty(),
    };
    if change == LinkChange::Nothing {
        return action;
    }
    action.usn = UsnReason::HARD_LINK_CHANGE;
    action.updates = Updates::DESTINATION_TIMES | Updates::ARCHIVE | Updates::DUPLICATED_INFORMATION;
    if !facts.handle.keeps_change_time {
        action.updates |= Updates::CHANGE_TIME;
    }
    let notices = &mut action.notices;
    match facts.target.map(|target| target.spelling) {
        None => notices.push(FileAction::Added, NotifyFilter::FILE_NAME, NoticeName::New),
        Some(Spelling::Exact) => {
            notices.push(FileAction::Modified, NotifyFilter::OTHER_FILE, NoticeName::New);
        }
        Some(Spelling::OtherCase) => {
            notices.push(FileAction::Removed, NotifyFilter::FILE_NAME, NoticeName::Replaced);
            notices.push(FileAction::Added, NotifyFilter::FILE_NAME, NoticeName::New);
        }
    }
    action
}
