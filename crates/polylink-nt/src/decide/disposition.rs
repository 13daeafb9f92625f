//! To delete, or not: `FileDispositionInformation` and `FileDispositionInformationEx`.

use super::access::Access;
use super::facts::{FileFacts, HandleFacts, Kind, LinkState, Manner, Mapping, Stream, VolumeFacts};
use crate::NtStatus;
use crate::info::{DispositionFlags, Form};

/// A request to delete the name that a handle was opened by, or not to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DispositionRequest {
    /// The class that it came by.
    pub form: Form,
    /// What to do. Classic: of all flags only `DELETE` is looked at.
    pub flags: DispositionFlags,
}

/// What is known when a name is to be deleted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DispositionFacts {
    /// The volume.
    pub volume: VolumeFacts,
    /// The handle that is asked through.
    pub handle: HandleFacts,
    /// The file or directory that it was opened on.
    pub file: FileFacts,
}

/// What a disposition is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Scope {
    /// The link: the name that the handle was opened by. Its state is shared by all handles by that name.
    Link,
    /// The named stream that the handle was opened on.
    Stream,
}

/// What is to become of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mark {
    /// It goes, in this manner. For [`Manner::Posix`] remember the handle: the name goes when that one closes.
    Delete(Manner),
    /// It stays.
    Keep,
}

/// What a disposition does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DispositionAction {
    /// What it is about.
    pub scope: Scope,
    /// To the state of the link or stream now; `None`: nothing.
    pub now: Option<Mark>,
    /// To what the handle does when it closes; `None`: nothing.
    pub on_close: Option<Mark>,
}

/// Decides a disposition (\[MS-FSA\] 2.1.5.15.3 and 2.1.5.15.4).
///
/// What deletes the file's last name is refused while the file is mapped; what deletes one of several is not, unless
/// `FORCE_IMAGE_SECTION_CHECK` asks for it and it is mapped as an image (the btrfs driver's tests that also run on
/// NTFS; that a data mapping follows the same rule is chosen).
///
/// `ON_CLOSE` is about what the handle does when it closes, and only for a handle opened with `DELETE_ON_CLOSE`. Keeping
/// through it also clears what was set before, as \[MS-FSA\] has it; through any other handle it clears only that
/// (chosen).
///
/// # Errors
///
/// In this order:
///
/// 1. `INVALID_INFO_CLASS`: the system does not know the extended class
/// 2. `ACCESS_DENIED`: a handle without the right to delete. The I/O manager sees to it before the file system, for the
///    class is one that it knows the right of
/// 3. `MEDIA_WRITE_PROTECTED`
/// 4. `NOT_SUPPORTED`: flags that do not exist
/// 5. `FILE_DELETED`: the name is gone already, by POSIX semantics
/// 6. to delete: `CANNOT_DELETE` for the volume's root (as Microsoft's published FAT driver answers); `NOT_SUPPORTED`
///    for `ON_CLOSE` through a handle without `DELETE_ON_CLOSE`; `CANNOT_DELETE` for a read-only file, unless
///    `IGNORE_READONLY_ATTRIBUTE` is given and the handle may write attributes; `DIRECTORY_NOT_EMPTY`; `CANNOT_DELETE`
///    for a mapped file
pub fn disposition(
    request: &DispositionRequest,
    facts: &DispositionFacts,
) -> Result<DispositionAction, NtStatus> {
    let handle = &facts.handle;
    facts.volume.knows(request.form)?;
    if !handle.access.contains(Access::DELETE) {
        return Err(NtStatus::ACCESS_DENIED);
    }
    facts.volume.writable()?;
    let flags = match request.form {
        Form::Classic => request.flags & DispositionFlags::DELETE,
        Form::Extended => request.flags,
    };
    if !DispositionFlags::all().contains(flags) {
        return Err(NtStatus::NOT_SUPPORTED);
    }
    if handle.link == LinkState::Parked {
        return Err(NtStatus::FILE_DELETED);
    }
    let scope = match handle.stream {
        Stream::Main => Scope::Link,
        Stream::Named => Scope::Stream,
    };
    let on_close = flags.contains(DispositionFlags::ON_CLOSE) && handle.delete_on_close.is_some();
    if !flags.contains(DispositionFlags::DELETE) {
        return Ok(DispositionAction {
            scope,
            now: Some(Mark::Keep),
            on_close: on_close.then_some(Mark::Keep),
        });
    }
    may_delete(flags, scope, facts)?;
    let manner = if flags.contains(DispositionFlags::POSIX_SEMANTICS) {
        Manner::Posix
    } else {
        Manner::Classic
    };
    let mark = Some(Mark::Delete(manner));
    Ok(DispositionAction {
        scope,
        now: if on_close { None } else { mark },
        on_close: if on_close { mark } else { None },
    })
}

fn may_delete(flags: DispositionFlags, scope: Scope, facts: &DispositionFacts) -> Result<(), NtStatus> {
    let handle = &facts.handle;
    let file = &facts.file;
    if handle.volume_root {
        return Err(NtStatus::CANNOT_DELETE);
    }
    if flags.contains(DispositionFlags::ON_CLOSE) && handle.delete_on_close.is_none() {
        return Err(NtStatus::NOT_SUPPORTED);
    }
    let may_ignore = flags.contains(DispositionFlags::IGNORE_READONLY_ATTRIBUTE)
        && handle.access.contains(Access::WRITE_ATTRIBUTES);
    if file.read_only && !may_ignore {
        return Err(NtStatus::CANNOT_DELETE);
    }
    if scope == Scope::Stream {
        return Ok(());
    }
    if file.kind == Kind::Directory && file.has_entries {
        return Err(NtStatus::DIRECTORY_NOT_EMPTY);
    }
    let own = u32::from(handle.link == LinkState::Listed);
    let last_name = file.names.live.saturating_sub(own) == 0;
    let forced =
        flags.contains(DispositionFlags::FORCE_IMAGE_SECTION_CHECK) && file.mapping == Mapping::Image;
    if (last_name && file.mapping != Mapping::None) || forced {
        return Err(NtStatus::CANNOT_DELETE);
    }
    Ok(())
}
