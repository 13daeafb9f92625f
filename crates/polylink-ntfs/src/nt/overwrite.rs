//! Opening what is there so that its content goes: `FILE_SUPERSEDE`, `FILE_OVERWRITE` and `FILE_OVERWRITE_IF`.

use polylink_nt::NtStatus;
use polylink_nt::decide::{Access, Kind, Mapping, OpenFacts, OpenOptions, OpenRequest};

use super::open::Disposition;
use super::table::{Opened, Table};
use super::{NtVolume, status};
use crate::units::RecordNumber;
use crate::write::{SETTABLE, Times};

/// `FILE_ATTRIBUTE_…`
const HIDDEN: u32 = 0x2;
const SYSTEM: u32 = 0x4;
const ARCHIVE: u32 = 0x20;

impl Disposition {
    /// The attributes that the content is to have, where an open by it takes away the content that is there.
    fn overwrites(self) -> Option<u32> {
        match self {
            Self::Open | Self::Create | Self::OpenIf => None,
            Self::Overwrite(attributes) | Self::OverwriteIf(attributes) | Self::Supersede(attributes) => {
                Some(attributes)
            }
        }
    }

    /// What the caller must be allowed to do, beside what it asks for: to put a file in the place of another, to delete
    /// that; to overwrite one, to write it (\[MS-FSA\] 2.1.5.1.2.1).
    fn needs(self) -> Access {
        match self {
            Self::Open | Self::Create | Self::OpenIf => Access::empty(),
            Self::Overwrite(_) | Self::OverwriteIf(_) => Access::WRITE_DATA,
            Self::Supersede(_) => Access::DELETE,
        }
    }

    /// What is wrong with a request whatever the name leads to.
    ///
    /// # Errors
    ///
    /// `INVALID_PARAMETER` where a directory is to be overwritten (\[MS-FSA\] 2.1.5.1).
    pub(super) fn check(self, request: &OpenRequest) -> Result<(), NtStatus> {
        if self.overwrites().is_some() && request.options.contains(OpenOptions::DIRECTORY_FILE) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        Ok(())
    }

    /// The request by which rights and share modes are looked at, for a file that is there.
    pub(super) fn widened(self, request: &OpenRequest) -> OpenRequest {
        let mut wide = *request;
        if !request.access.is_empty() {
            wide.access |= self.needs();
        }
        wide
    }

    /// The rights that a handle keeps of those that it was opened with.
    pub(super) fn narrowed(self, asked: Access, granted: Access) -> Access {
        if asked.contains(Access::MAXIMUM_ALLOWED) {
            return granted;
        }
        granted.difference(self.needs().difference(asked.mapped()))
    }

    /// Whether what is there may be overwritten.
    ///
    /// # Errors
    ///
    /// `OBJECT_NAME_COLLISION` for a directory, for the root `ACCESS_DENIED` (\[MS-FSA\] 2.1.5.1.2, where a directory is
    /// found and the disposition is neither `FILE_OPEN` nor `FILE_OPEN_IF`); `ACCESS_DENIED` for a file that is read-only, or hidden or of the system where the new content is not to be; `USER_MAPPED_FILE`;
    /// `MEDIA_WRITE_PROTECTED`.
    pub(super) fn permits(
        self,
        facts: &OpenFacts,
        found: u32,
        (file, main): (RecordNumber, bool),
    ) -> Result<(), NtStatus> {
        let Some(given) = self.overwrites() else {
            return Ok(());
        };
        if main && facts.file.kind == Kind::Directory {
            return Err(match file {
                RecordNumber::ROOT => NtStatus::ACCESS_DENIED,
                _ => NtStatus::OBJECT_NAME_COLLISION,
            });
        }
        let kept = (HIDDEN | SYSTEM) & found & !given;
        if facts.file.read_only || (main && kept != 0) {
            return Err(NtStatus::ACCESS_DENIED);
        }
        if facts.file.mapping != Mapping::None {
            return Err(NtStatus::USER_MAPPED_FILE);
        }
        if facts.volume.read_only {
            return Err(NtStatus::MEDIA_WRITE_PROTECTED);
        }
        Ok(())
    }

    /// The attributes that a file has afterwards: of one that takes the place of another its own, else both.
    fn attributes(self, found: u32) -> u32 {
        let given = self.overwrites().unwrap_or(0) & SETTABLE | ARCHIVE;
        match self {
            Self::Supersede(_) => found & !SETTABLE | given,
            _ => found | given,
        }
    }
}

impl NtVolume {
    /// Takes the content away that an opened file has. Its names and its number stay; of its named streams those stay
    /// that somebody has open.
    ///
    /// That the other named streams go is what Windows does where a file's own content is overwritten ([WinFsp #27],
    /// [Notepad++ #8451]).
    ///
    /// [WinFsp #27]: https://github.com/winfsp/winfsp/issues/27
    /// [Notepad++ #8451]: https://github.com/notepad-plus-plus/notepad-plus-plus/issues/8451
    pub(super) fn overwrite(
        &self,
        table: &Table,
        opened: &Opened,
        disposition: Disposition,
    ) -> Result<(), NtStatus> {
        if disposition.overwrites().is_none() {
            return Ok(());
        }
        let found = self.writer.node(opened.file).map_err(status)?.attributes;
        let attributes = opened.stream.is_empty().then(|| disposition.attributes(found));
        let in_use = |stream: &[u16]| table.stream_opens(opened.file, stream).any();
        self.writer
            .overwrite(opened.file, &opened.stream, attributes, &in_use)
            .map_err(status)
    }

    /// Gives a file that was just made the attributes that it is to have.
    pub(super) fn dress(&self, opened: &Opened, disposition: Disposition) -> Result<(), NtStatus> {
        let given = disposition.overwrites().unwrap_or(0) & SETTABLE;
        if given & !ARCHIVE == 0 {
            return Ok(());
        }
        let times = Times {
            attributes: Some(given | ARCHIVE),
            ..Times::default()
        };
        self.writer.set_times(opened.file, times).map_err(status)
    }
}
