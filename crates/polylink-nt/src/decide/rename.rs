//! Another name instead of the one that a handle was opened by: `FileRenameInformation` and `FileRenameInformationEx`.

use super::access::Access;
use super::effects::{FileAction, NoticeName, Notices, NotifyFilter, Updates, UsnReason};
use super::facts::{FileFacts, HandleFacts, Kind, LinkState, Stream, VolumeFacts};
use super::link::{LinkRequest, Origin, opened_early};
use super::new_name::Root;
use super::parent::{ParentFacts, ParentLookup};
use super::victim::{Relation, Removal, Replacer, Spelling, TargetFacts, replace};
use crate::NtStatus;
use crate::info::LinkFlags;

/// A request for another name: the same structure as that of a link.
pub type RenameRequest<'a> = LinkRequest<'a>;

/// What is known when a file or directory is to get another name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RenameFacts {
    /// The volume of the file.
    pub volume: VolumeFacts,
    /// The handle that is asked through.
    pub handle: HandleFacts,
    /// The file or directory that it was opened on.
    pub source: FileFacts,
    /// Of a directory: somebody has something below it open.
    pub open_below: bool,
    /// The directory of the new name; for a plain name that of the handle's own name.
    pub parent: ParentLookup,
    /// What stands there under that name: looked up among long and 8.3 names, by the handle's case rule.
    pub target: Option<TargetFacts>,
}

/// What a rename changes among the names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RenameChange {
    /// Nothing: that is its name.
    Nothing,
    /// The handle's own name gets another spelling.
    Respell,
    /// The handle's own name goes, and the new one comes in its place.
    Move {
        /// What goes before: another file's name.
        replaces: Option<Removal>,
    },
    /// The new name is another name of the same file: the handle's own name goes, that one stays and becomes the
    /// handle's. One name less.
    Merge {
        /// Whether the name that stays is spelled as the request spells it; else it gets that spelling.
        spelling: Spelling,
    },
}

/// Whether the new name gets an 8.3 twin.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ShortName {
    /// It gets none; one that stands there stays.
    None,
    /// It gets one, for the old name had one.
    Make,
}

/// What a rename does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RenameAction {
    /// To the names.
    pub change: RenameChange,
    /// To the twin of the new name.
    pub short_name: ShortName,
    /// To times and attributes.
    pub updates: Updates,
    /// To those who watch the directories.
    pub notices: Notices,
    /// To the journal, about the file that is renamed.
    pub usn: UsnReason,
}

/// Decides a rename (\[MS-FSA\] 2.1.5.15.12, with the stage of the I/O manager before it).
///
/// A name that stands there is another one of the same file: that succeeds even where nothing may be replaced. So does
/// renaming to the own name, where a link has a collision.
///
/// Names that went are not remembered for those that come within 15 seconds (name tunnelling), which a volume may do
/// or not.
///
/// # Errors
///
/// In this order; a local request has what is marked with L before the rest, if its name has a path or a root:
///
/// 1. `INVALID_INFO_CLASS`: the system does not know the extended class
/// 2. `ACCESS_DENIED`: a handle without the right to delete
/// 3. `INVALID_PARAMETER`: no name, or a root directory and a name that begins with `\` (or, remote, a root directory
///    at all)
/// 4. L: what opening the directory came to, as for a link
/// 5. `MEDIA_WRITE_PROTECTED`
/// 6. `NOT_SUPPORTED`: flags that do not exist (chosen: as a disposition answers)
/// 7. `INVALID_PARAMETER`: the volume's root (as Microsoft's published FAT driver answers)
/// 8. remote: as 4; a plain name: `OBJECT_NAME_INVALID` for one with a `\`
/// 9. `NOT_SUPPORTED`: a name that begins with `:`. A stream's name is not decided here
/// 10. `INVALID_PARAMETER`: a handle of a named stream (chosen: as for a link)
/// 11. `ACCESS_DENIED`: the handle's own name is about to go
/// 12. `ACCESS_DENIED`: a directory below which something is open, or that would come to lie below itself (where the
///     destination is what is open)
/// 13. `OBJECT_NAME_INVALID`
/// 14. `OBJECT_NAME_COLLISION`: another file's name stands there and is not to be replaced
/// 15. what protects the other file, as for a link; but a directory may replace a file, and with POSIX semantics an
///     empty directory, else `DIRECTORY_NOT_EMPTY`
/// 16. `ACCESS_DENIED`: no right to add to the directory of a plain name
pub fn rename(request: &RenameRequest<'_>, facts: &RenameFacts) -> Result<RenameAction, NtStatus> {
    let kind = facts.source.kind;
    facts.volume.knows(request.form)?;
    if !facts.handle.access.contains(Access::DELETE) {
        return Err(NtStatus::ACCESS_DENIED);
    }
    request.name.is_there()?;
    request.name.fits_root()?;
    if request.origin == Origin::Remote && request.name.root == Root::Given {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let early = opened_early(request.origin, &request.name, &facts.parent, kind)?;

    facts.volume.writable()?;
    let flags = request.effective();
    if !LinkFlags::all().contains(flags) {
        return Err(NtStatus::NOT_SUPPORTED);
    }
    if facts.handle.volume_root {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let parent = match (early, request.origin) {
        (Some(parent), _) => parent,
        (None, Origin::Remote) => facts.parent.open(kind, Origin::Remote)?,
        (None, Origin::Local) => {
            request.name.is_plain()?;
            facts.parent.found()?
        }
    };
    if request.name.names_stream() {
        return Err(NtStatus::NOT_SUPPORTED);
    }
    if facts.handle.stream == Stream::Named {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if facts.handle.link != LinkState::Listed {
        return Err(NtStatus::ACCESS_DENIED);
    }
    if kind == Kind::Directory && (facts.open_below || parent.inside_source) {
        return Err(NtStatus::ACCESS_DENIED);
    }
    request.name.is_valid()?;
    let change = change(flags, kind, parent, facts.target.as_ref())?;
    let adds = !matches!(
        change,
        RenameChange::Nothing
            | RenameChange::Merge {
                spelling: Spelling::Exact
            }
    );
    if adds {
        parent.may_add(kind)?;
    }
    Ok(consequences(change, adds, parent, facts))
}

fn change(
    flags: LinkFlags,
    kind: Kind,
    parent: &ParentFacts,
    target: Option<&TargetFacts>,
) -> Result<RenameChange, NtStatus> {
    let Some(target) = target else {
        return Ok(RenameChange::Move { replaces: None });
    };
    match (target.relation, target.spelling) {
        (Relation::SameLink, Spelling::Exact) => Ok(RenameChange::Nothing),
        (Relation::SameLink, Spelling::OtherCase) => Ok(RenameChange::Respell),
        // Chosen: a name that is about to go is not made the file's only one
        (Relation::SameFile, _) if target.link != LinkState::Listed => Err(NtStatus::DELETE_PENDING),
        (Relation::SameFile, spelling) => Ok(RenameChange::Merge { spelling }),
        (Relation::OtherFile, _) if !flags.contains(LinkFlags::REPLACE_IF_EXISTS) => {
            Err(NtStatus::OBJECT_NAME_COLLISION)
        }
        (Relation::OtherFile, _) => {
            let replaces = Some(replace(target, Replacer::Rename(kind), flags, parent)?);
            Ok(RenameChange::Move { replaces })
        }
    }
}

fn consequences(change: RenameChange, adds: bool, parent: &ParentFacts, facts: &RenameFacts) -> RenameAction {
    let mut action = RenameAction {
        change,
        short_name: ShortName::None,
        updates: Updates::empty(),
        notices: Notices::default(),
        usn: UsnReason::empty(),
    };
    if change == RenameChange::Nothing {
        return action;
    }
    action.usn = UsnReason::RENAME_OLD_NAME | UsnReason::RENAME_NEW_NAME;
    if matches!(change, RenameChange::Merge { .. }) {
        action.usn |= UsnReason::HARD_LINK_CHANGE | UsnReason::CLOSE;
    }
    // The text has no exception for a change time that was set through the handle
    action.updates = Updates::SOURCE_TIMES | Updates::CHANGE_TIME;
    if facts.source.kind == Kind::File {
        action.updates |= Updates::ARCHIVE;
    }
    if adds {
        action.updates |= Updates::DUPLICATED_INFORMATION;
        if !parent.same_directory {
            action.updates |= Updates::DESTINATION_TIMES;
        }
        if facts.volume.short_names && facts.handle.short_name && !facts.handle.case_sensitive {
            action.short_name = ShortName::Make;
        }
    }
    tell(&mut action.notices, change, parent, facts);
    action
}

/// The notices of \[MS-FSA\] 2.1.5.15.12.
fn tell(notices: &mut Notices, change: RenameChange, parent: &ParentFacts, facts: &RenameFacts) {
    let filter_of = |kind| match kind {
        Kind::File => NotifyFilter::FILE_NAME,
        Kind::Directory => NotifyFilter::DIR_NAME,
    };
    let filter = filter_of(facts.source.kind);
    // Of a target that is the handle's own name nothing is told but its new spelling
    let target = facts
        .target
        .filter(|target| target.relation != Relation::SameLink);
    let same_spelling = target.is_some_and(|target| target.spelling == Spelling::Exact);
    if let Some(target) = target
        && !same_spelling
    {
        notices.push(
            FileAction::Removed,
            filter_of(target.file.kind),
            NoticeName::Replaced,
        );
    }
    let (old, new) = if parent.same_directory && !same_spelling {
        (FileAction::RenamedOldName, FileAction::RenamedNewName)
    } else {
        (FileAction::Removed, FileAction::Added)
    };
    notices.push(old, filter, NoticeName::Old);
    match change {
        RenameChange::Nothing
        | RenameChange::Merge {
            spelling: Spelling::Exact,
        } => {}
        RenameChange::Move { replaces: Some(_) } if same_spelling => {
            notices.push(FileAction::Modified, NotifyFilter::OTHER_FILE, NoticeName::New);
        }
        RenameChange::Respell | RenameChange::Move { .. } | RenameChange::Merge { .. } => {
            notices.push(new, filter, NoticeName::New);
        }
    }
}
