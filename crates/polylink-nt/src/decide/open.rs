//! Opening a name that exists.

use super::access::{Access, OpenOptions, Share};
use super::facts::{FileFacts, Kind, LinkState, Manner, Mapping, Stream, VolumeFacts};
use super::opens::{Opens, Sharing};
use crate::NtStatus;

/// Whether the path ends in `\`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TrailingBackslash {
    /// It does not.
    Absent,
    /// It does: a directory is meant.
    Present,
}

/// A request to open.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct OpenRequest {
    /// The rights that are wanted; generic ones may be among them.
    pub access: Access,
    /// What others may do meanwhile.
    pub share: Share,
    /// How to open.
    pub options: OpenOptions,
    /// What stream is wanted.
    pub stream: Stream,
    /// How the path ends.
    pub trailing_backslash: TrailingBackslash,
}

impl OpenRequest {
    /// An open of the file's data or the directory.
    #[must_use]
    pub const fn new(access: Access, share: Share, options: OpenOptions) -> Self {
        Self {
            access,
            share,
            options,
            stream: Stream::Main,
            trailing_backslash: TrailingBackslash::Absent,
        }
    }
}

/// What is known of the name and what it leads to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct OpenFacts {
    /// The volume.
    pub volume: VolumeFacts,
    /// The file, with its opens of all streams.
    pub file: FileFacts,
    /// The opens of the stream that is wanted.
    pub stream_opens: Opens,
    /// The opens of the file's data or of the directory.
    pub main_opens: Opens,
    /// The state of the name.
    pub link: LinkState,
    /// It is a reparse point.
    pub reparse_point: bool,
    /// What the caller may do to the file, by the file's own security.
    pub rights: Access,
    /// What the caller may do to the directory that the name is in.
    pub parent_rights: Access,
}

impl OpenFacts {
    /// A file or directory of which only one stream is open, if any, and to which the caller may do anything.
    #[must_use]
    pub const fn new(file: FileFacts) -> Self {
        Self {
            volume: VolumeFacts::NTFS,
            file,
            stream_opens: file.opens,
            main_opens: file.opens,
            link: LinkState::Listed,
            reparse_point: false,
            rights: Access::ALL,
            parent_rights: Access::ALL,
        }
    }
}

/// What looking for the name came to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Lookup {
    /// It is there.
    Found(OpenFacts),
    /// The directory is there, the name is not: `OBJECT_NAME_NOT_FOUND`.
    Missing,
    /// A component on the way is missing or no directory: `OBJECT_PATH_NOT_FOUND`.
    PathMissing,
    /// A component on the way is about to be deleted: `DELETE_PENDING`.
    PathDeletePending,
    /// A component cannot exist: `OBJECT_NAME_INVALID`.
    InvalidName,
    /// Looking failed with this status.
    Failed(NtStatus),
}

/// What an open does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OpenAction {
    /// A handle is made.
    Open {
        /// With these rights, for `MAXIMUM_ALLOWED` all there are; to be added to the opens.
        granted: Sharing,
        /// How the name goes when it closes, if it goes.
        delete_on_close: Option<Manner>,
    },
    /// `STATUS_REPARSE`: the reparse point says where to go on.
    Follow,
}

/// Decides an open of a name that exists (\[MS-FSA\] 2.1.5.1 and 2.1.5.1.2).
///
/// # Errors
///
/// In this order:
///
/// 1. `INVALID_PARAMETER`: `DELETE_ON_CLOSE` without the right to delete, a synchronous handle without `SYNCHRONIZE` or
///    of both kinds, a directory's open without cache or in order, no cache with `APPEND_DATA`
/// 2. `ACCESS_DENIED`: no right wanted, or one that does not exist
/// 3. `INVALID_PARAMETER`: wanted as a directory and as none
/// 4. `OBJECT_NAME_INVALID`: a `\` at the end of what must not be a directory
/// 5. what looking came to: `OBJECT_NAME_INVALID`, `OBJECT_PATH_NOT_FOUND`, `DELETE_PENDING`, `OBJECT_NAME_NOT_FOUND`
/// 6. `DELETE_PENDING`: before all that rights and share modes have to say (Wine's tests on Windows)
/// 7. `NOT_A_DIRECTORY`, `FILE_IS_A_DIRECTORY`, then `OBJECT_NAME_INVALID` for a file with a `\` at the end
/// 8. `ACCESS_DENIED`: a read-only file for writing
/// 9. `CANNOT_DELETE`: a read-only file or volume with `DELETE_ON_CLOSE`
/// 10. `ACCESS_DENIED`: rights that the caller has not. `DELETE` is also had from `DELETE_CHILD` on the directory,
///     `READ_ATTRIBUTES` from `LIST_DIRECTORY`
/// 11. `SHARING_VIOLATION`
/// 12. of a file that is mapped as an image: `CANNOT_DELETE` with `DELETE_ON_CLOSE` (if it is the last name),
///     `SHARING_VIOLATION` for writing (as Microsoft's published FAT driver does)
pub fn open(request: &OpenRequest, lookup: &Lookup) -> Result<OpenAction, NtStatus> {
    let options = request.options;
    let access = request.access.mapped();
    check_request(request, access)?;
    let facts = match lookup {
        Lookup::Found(facts) => facts,
        Lookup::Missing => return Err(NtStatus::OBJECT_NAME_NOT_FOUND),
        Lookup::PathMissing => return Err(NtStatus::OBJECT_PATH_NOT_FOUND),
        Lookup::PathDeletePending => return Err(NtStatus::DELETE_PENDING),
        Lookup::InvalidName => return Err(NtStatus::OBJECT_NAME_INVALID),
        Lookup::Failed(status) => return Err(*status),
    };
    if facts.link != LinkState::Listed {
        return Err(NtStatus::DELETE_PENDING);
    }
    check_kind(request, facts)?;
    if facts.reparse_point && !options.contains(OpenOptions::OPEN_REPARSE_POINT) {
        return Ok(OpenAction::Follow);
    }
    let granted = Sharing {
        access: grant(access, options, facts)?,
        share: request.share,
    };
    // Deleting a file's main stream deletes them all, so opens of every stream count ([MS-FSA] 2.1.5.1.2.1)
    facts.main_opens.shared_by(granted)?;
    if request.stream == Stream::Main {
        facts.file.opens.share_deletion(granted)?;
    }
    facts.stream_opens.check(granted)?;
    let deletes = options.contains(OpenOptions::DELETE_ON_CLOSE);
    if facts.file.mapping == Mapping::Image && request.stream == Stream::Main {
        if deletes && facts.file.names.live <= 1 {
            return Err(NtStatus::CANNOT_DELETE);
        }
        if granted.access.contains(Access::WRITE_DATA) {
            return Err(NtStatus::SHARING_VIOLATION);
        }
    }
    Ok(OpenAction::Open {
        granted,
        delete_on_close: deletes.then_some(Manner::Classic),
    })
}

/// What is wrong whatever the name leads to.
fn check_request(request: &OpenRequest, access: Access) -> Result<(), NtStatus> {
    let options = request.options;
    let synchronous = OpenOptions::SYNCHRONOUS_IO_ALERT | OpenOptions::SYNCHRONOUS_IO_NONALERT;
    let both = OpenOptions::DIRECTORY_FILE | OpenOptions::NON_DIRECTORY_FILE;
    let not_for_directories = OpenOptions::NO_INTERMEDIATE_BUFFERING | OpenOptions::SEQUENTIAL_ONLY;
    let directory_only = options.intersection(both) == OpenOptions::DIRECTORY_FILE;
    let wrong = [
        options.intersects(synchronous) && !access.contains(Access::SYNCHRONIZE),
        options.contains(OpenOptions::DELETE_ON_CLOSE) && !access.contains(Access::DELETE),
        options.contains(synchronous),
        directory_only && options.intersects(not_for_directories),
        options.contains(OpenOptions::NO_INTERMEDIATE_BUFFERING) && access.contains(Access::APPEND_DATA),
    ];
    if wrong.contains(&true) {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    if access.is_empty() || access.bits() & Access::RESERVED != 0 {
        return Err(NtStatus::ACCESS_DENIED);
    }
    if options.contains(both) {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let backslash = request.trailing_backslash == TrailingBackslash::Present;
    if backslash && options.contains(OpenOptions::NON_DIRECTORY_FILE) {
        return Err(NtStatus::OBJECT_NAME_INVALID);
    }
    Ok(())
}

/// Whether it is what the options want.
fn check_kind(request: &OpenRequest, facts: &OpenFacts) -> Result<(), NtStatus> {
    let options = request.options;
    let wants_directory = options.contains(OpenOptions::DIRECTORY_FILE);
    match (facts.file.kind, request.stream) {
        (_, Stream::Named) if wants_directory => Err(NtStatus::NOT_A_DIRECTORY),
        (Kind::File, _) if wants_directory => Err(NtStatus::NOT_A_DIRECTORY),
        (Kind::Directory, Stream::Main) if options.contains(OpenOptions::NON_DIRECTORY_FILE) => {
            Err(NtStatus::FILE_IS_A_DIRECTORY)
        }
        (Kind::File, _) | (_, Stream::Named) if request.trailing_backslash == TrailingBackslash::Present => {
            Err(NtStatus::OBJECT_NAME_INVALID)
        }
        _ => Ok(()),
    }
}

/// The rights that a handle gets (\[MS-FSA\] 2.1.5.1.2.1).
fn grant(access: Access, options: OpenOptions, facts: &OpenFacts) -> Result<Access, NtStatus> {
    let writes = Access::WRITE_DATA | Access::APPEND_DATA;
    if facts.file.kind == Kind::File && facts.file.read_only && access.intersects(writes) {
        return Err(NtStatus::ACCESS_DENIED);
    }
    let protected = facts.file.read_only || facts.volume.read_only;
    if protected && options.contains(OpenOptions::DELETE_ON_CLOSE) {
        return Err(NtStatus::CANNOT_DELETE);
    }
    let mut rights = facts.rights;
    if facts.parent_rights.contains(Access::DELETE_CHILD) {
        rights |= Access::DELETE;
    }
    if facts.parent_rights.contains(Access::LIST_DIRECTORY) {
        rights |= Access::READ_ATTRIBUTES;
    }
    let named = access - Access::MAXIMUM_ALLOWED;
    let granted = if access.contains(Access::MAXIMUM_ALLOWED) {
        if protected {
            rights -= writes | Access::DELETE_CHILD;
        }
        named | (rights & Access::ALL)
    } else {
        named
    };
    if rights.contains(named) {
        Ok(granted)
    } else {
        Err(NtStatus::ACCESS_DENIED)
    }
}
