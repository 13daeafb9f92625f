//! What is known of the volume, a file, and the handle that is asked through.

use super::access::Access;
use super::opens::Opens;
use crate::NtStatus;
use crate::info::{Form, StandardLinkInformation};

/// A file or a directory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// A file; a symbolic link to a file is one too.
    File,
    /// A directory; a junction and a symbolic link to a directory are too.
    Directory,
}

/// Whether a volume can give a file several names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum HardLinks {
    /// It can.
    Supported,
    /// It cannot, and says so: `NOT_SUPPORTED`.
    Unsupported,
    /// It does not know the request: `INVALID_DEVICE_REQUEST`, as FAT32 answers.
    Unknown,
}

/// Whether the system has the extended classes (`…InformationEx`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ExtendedClasses {
    /// Windows 10 from version 1709 for renames and dispositions, from 1809 for links.
    Known,
    /// An older system: `INVALID_INFO_CLASS`.
    Unknown,
}

/// What is known of the volume.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct VolumeFacts {
    /// Nothing can be written to it.
    pub read_only: bool,
    /// Whether it has hard links.
    pub hard_links: HardLinks,
    /// How many names a file can have.
    pub link_limit: u32,
    /// Whether it makes 8.3 names.
    pub short_names: bool,
    /// Whether the system knows the extended classes.
    pub extended: ExtendedClasses,
}

impl VolumeFacts {
    /// A writable NTFS volume as Windows 10 and later mount it: 1,024 names a file (\[MS-FSA\] 2.1.5.15.7), 8.3 names
    /// made.
    pub const NTFS: Self = Self {
        read_only: false,
        hard_links: HardLinks::Supported,
        link_limit: 1024,
        short_names: true,
        extended: ExtendedClasses::Known,
    };

    pub(super) fn knows(&self, form: Form) -> Result<(), NtStatus> {
        match (form, self.extended) {
            (Form::Extended, ExtendedClasses::Unknown) => Err(NtStatus::INVALID_INFO_CLASS),
            _ => Ok(()),
        }
    }

    /// \[MS-FSA\] 2.1.5.15 begins with it, whatever is set.
    pub(super) fn writable(&self) -> Result<(), NtStatus> {
        if self.read_only {
            Err(NtStatus::MEDIA_WRITE_PROTECTED)
        } else {
            Ok(())
        }
    }
}

/// How a name goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Manner {
    /// Only when nobody has the file open by it: with the last handle.
    Classic,
    /// With the handle that asked; other handles stay usable.
    Posix,
}

/// What state a name is in. The state belongs to the link: other names of the file have their own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LinkState {
    /// In its directory, to stay.
    Listed,
    /// In its directory, about to go.
    DeletePending(Manner),
    /// Gone from its directory, while a handle still is open by it. NTFS keeps it in `\$Extend\$Deleted`.
    Parked,
}

/// How many names a file has, 8.3 twins not counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Names {
    /// Names that are [`LinkState::Listed`].
    pub live: u32,
    /// All other names of the file: those about to go, and those parked.
    pub going: u32,
}

impl Names {
    /// One name, to stay.
    pub const ONE: Self = Self { live: 1, going: 0 };

    /// All of them.
    #[must_use]
    pub const fn total(self) -> u32 {
        self.live.saturating_add(self.going)
    }

    /// Whether the file can get one more name: the only place where the limit is looked at.
    ///
    /// All names count until they are really gone. 8.3 twins do not: \[MS-FSA\] has a name and its twin as one link,
    /// while the count in the file record has both.
    ///
    /// # Errors
    ///
    /// `TOO_MANY_LINKS`.
    pub fn room(self, limit: u32) -> Result<(), NtStatus> {
        if self.total() >= limit {
            Err(NtStatus::TOO_MANY_LINKS)
        } else {
            Ok(())
        }
    }

    /// `NumberOfLinks` of `FILE_STANDARD_INFORMATION`, and `nNumberOfLinks` of Win32: names that stay.
    #[must_use]
    pub const fn number_of_links(self) -> u32 {
        self.live
    }

    /// What `FileStandardLinkInformation` answers through a handle.
    ///
    /// Names about to go are in the total and not among the accessible ones.
    #[must_use]
    pub fn standard_link(self, kind: Kind, link: LinkState, stream_pending: bool) -> StandardLinkInformation {
        StandardLinkInformation {
            accessible: self.live,
            total: self.total(),
            delete_pending: delete_pending(self, link, stream_pending),
            directory: kind == Kind::Directory,
        }
    }
}

/// `DeletePending` of `FILE_STANDARD_INFORMATION` through a handle: its own name is about to go or gone, its stream is,
/// or the file has no name left that stays (\[MS-FSA\] 2.1.5.12.27).
#[must_use]
pub fn delete_pending(names: Names, link: LinkState, stream_pending: bool) -> bool {
    link != LinkState::Listed || stream_pending || names.live == 0
}

/// Whether the file is mapped into memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mapping {
    /// It is not.
    None,
    /// As data: a section or a view of it exists.
    Data,
    /// As an image: a program runs from it.
    Image,
}

/// What is known of a file or directory, whatever the name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FileFacts {
    /// What it is.
    pub kind: Kind,
    /// `FILE_ATTRIBUTE_READONLY`.
    pub read_only: bool,
    /// How many names it has.
    pub names: Names,
    /// Whether it is mapped.
    pub mapping: Mapping,
    /// Of a directory: something is in it.
    pub has_entries: bool,
    /// Who has it open, by whatever name and of whatever stream.
    pub opens: Opens,
}

impl FileFacts {
    /// A file with one name that nobody has open.
    pub const FILE: Self = Self {
        kind: Kind::File,
        read_only: false,
        names: Names::ONE,
        mapping: Mapping::None,
        has_entries: false,
        opens: Opens::NONE,
    };

    /// An empty directory that nobody has open.
    pub const DIRECTORY: Self = Self {
        kind: Kind::Directory,
        ..Self::FILE
    };
}

/// What a handle was opened on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stream {
    /// The file's data, or the directory.
    Main,
    /// A named stream.
    Named,
}

/// What is known of the handle that is asked through.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct HandleFacts {
    /// The rights that it was granted.
    pub access: Access,
    /// What it was opened on.
    pub stream: Stream,
    /// The state of the name that it was opened by.
    pub link: LinkState,
    /// That name has an 8.3 twin.
    pub short_name: bool,
    /// It was opened with `DELETE_ON_CLOSE`, and how the name is to go then.
    pub delete_on_close: Option<Manner>,
    /// Names are compared exactly through it (no `OBJ_CASE_INSENSITIVE`, or a case-sensitive directory).
    pub case_sensitive: bool,
    /// The change time was set through it, and stays what it was set to.
    pub keeps_change_time: bool,
    /// It is the volume's root directory, which has no name.
    pub volume_root: bool,
}

impl HandleFacts {
    /// An ordinary handle with these rights, by a name to stay.
    #[must_use]
    pub const fn new(access: Access) -> Self {
        Self {
            access,
            stream: Stream::Main,
            link: LinkState::Listed,
            short_name: false,
            delete_on_close: None,
            case_sensitive: false,
            keeps_change_time: false,
            volume_root: false,
        }
    }
}
