//! What stands where a name is to be, and whether it may go.

use super::access::Access;
use super::effects::UsnReason;
use super::facts::{FileFacts, Kind, LinkState, Manner, Mapping};
use super::opens::Sharing;
use super::parent::ParentFacts;
use crate::NtStatus;
use crate::info::LinkFlags;

/// Whose the name is that stands there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Relation {
    /// The very name that the handle was opened by, or its 8.3 twin.
    SameLink,
    /// Another name of the same file.
    SameFile,
    /// A name of another file.
    OtherFile,
}

/// Whether what stands there is spelled as the request spells it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Spelling {
    /// Unit by unit.
    Exact,
    /// In other case.
    OtherCase,
}

/// What is known of the name that stands there: found by its long or by its 8.3 name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TargetFacts {
    /// Whose it is.
    pub relation: Relation,
    /// Whether the name that was found (the long one or the 8.3 twin) is spelled alike.
    pub spelling: Spelling,
    /// The file that it leads to.
    pub file: FileFacts,
    /// The state of the name.
    pub link: LinkState,
    /// How many handles were opened by this name.
    pub handles_by_name: u32,
    /// What the caller may do to the file, by the file's own security alone.
    pub rights: Access,
}

impl TargetFacts {
    /// A file's name, spelled alike, that nobody has open and that the caller may do anything to.
    #[must_use]
    pub const fn new(relation: Relation, file: FileFacts) -> Self {
        Self {
            relation,
            spelling: Spelling::Exact,
            file,
            link: LinkState::Listed,
            handles_by_name: 0,
            rights: Access::ALL,
        }
    }
}

/// What becomes of a name that is replaced.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fate {
    /// It goes; the file keeps other names.
    NameRemoved,
    /// It goes from the directory, and is [`LinkState::Parked`] until the last handle by it closes.
    Parked,
    /// It goes, and the file with it: nobody has it open.
    FileFreed,
}

/// How a name that is replaced goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Removal {
    /// In which manner.
    pub manner: Manner,
    /// What becomes of it.
    pub fate: Fate,
    /// What the journal says of the file that it led to.
    pub usn: UsnReason,
}

/// Who wants to replace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Replacer {
    Link,
    Rename(Kind),
}

/// Whether another file's name may be replaced.
///
/// The order is that of a rename (\[MS-FSA\] 2.1.5.15.12); the text of a link (2.1.5.15.7) has no check at all, while
/// NTFS makes the same ones (Wine's tests on Windows and those of the btrfs driver). Chosen, for no source tells:
/// whether a directory has entries comes before who has it open; a mapped file is only in the way where the name is its
/// last, as for a disposition.
pub(super) fn replace(
    target: &TargetFacts,
    by: Replacer,
    flags: LinkFlags,
    parent: &ParentFacts,
) -> Result<Removal, NtStatus> {
    let file = &target.file;
    let manner = if flags.contains(LinkFlags::POSIX_SEMANTICS) {
        Manner::Posix
    } else {
        Manner::Classic
    };
    let directories = by == Replacer::Rename(Kind::Directory) && manner == Manner::Posix;
    if file.kind == Kind::Directory && !directories {
        return Err(NtStatus::ACCESS_DENIED);
    }
    let may_ignore = flags.contains(LinkFlags::IGNORE_READONLY_ATTRIBUTE)
        && target.rights.contains(Access::WRITE_ATTRIBUTES);
    if file.read_only && !may_ignore {
        return Err(NtStatus::ACCESS_DENIED);
    }
    if target.link != LinkState::Listed {
        return Err(NtStatus::DELETE_PENDING);
    }
    if !target.rights.contains(Access::DELETE) && !parent.rights.contains(Access::DELETE_CHILD) {
        return Err(NtStatus::ACCESS_DENIED);
    }
    if file.kind == Kind::Directory && file.has_entries {
        return Err(NtStatus::DIRECTORY_NOT_EMPTY);
    }
    match manner {
        Manner::Posix => file.opens.check(Sharing::with_all(Access::DELETE))?,
        Manner::Classic if file.opens.any() => return Err(NtStatus::ACCESS_DENIED),
        Manner::Classic => {}
    }
    if file.mapping != Mapping::None && file.names.live <= 1 {
        return Err(NtStatus::ACCESS_DENIED);
    }
    let others = file.names.total() > 1;
    let (fate, usn) = match (target.handles_by_name, others) {
        (0, false) => (Fate::FileFreed, UsnReason::FILE_DELETE | UsnReason::CLOSE),
        (0, true) => (Fate::NameRemoved, UsnReason::HARD_LINK_CHANGE | UsnReason::CLOSE),
        (_, true) => (Fate::Parked, UsnReason::HARD_LINK_CHANGE),
        // the record of its deletion comes with its last handle
        (_, false) => (Fate::Parked, UsnReason::empty()),
    };
    Ok(Removal { manner, fate, usn })
}
