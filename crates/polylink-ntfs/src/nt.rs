//! NT's calls on a volume.
//!
//! [`NtVolume`] answers as a system that has the volume mounted: files are opened with rights and share modes, and what
//! is done to names is asked for through handles, with the buffers of `NtSetInformationFile`. What is refused, and with
//! which status, is decided by [`polylink_nt::decide`]; here the facts are looked up and the actions carried out.
//!
//! # Names that are about to go
//!
//! A name that was deleted through a handle is there until the last handle by that name closes, and nothing of it is
//! on the volume before. With POSIX semantics it leaves its directory at once, and is kept in `\$Extend\$Deleted`
//! while somebody has the file open by it, as Windows keeps it. What is left there after a power cut goes when the
//! volume is opened again.
//!
//! # Who else is there
//!
//! Handles are known to one [`NtVolume`] only. Whoever changes names through the [`Writer`] or a
//! [`VolumeFs`](crate::VolumeFs) meanwhile is not held up by handles and share modes, and handles by a name that is
//! changed so answer with statuses of names that are not there.
//!
//! ```
//! # use std::sync::Arc;
//! # use polylink_ntfs::{FormatOptions, MemDevice, WriteOptions, Writer, format};
//! use polylink_nt::decide::{Access, OpenOptions, Share};
//! use polylink_nt::info::{Form, InfoClass, Layout, LinkFlags, LinkInformation};
//! use polylink_ntfs::nt::{Disposition, NtVolume};
//!
//! # let device = Arc::new(MemDevice::new(vec![0; 8 << 20]));
//! # format(&*device, &FormatOptions::default()).unwrap();
//! # let writer = Writer::open(device, &WriteOptions::default()).unwrap();
//! let units = |text: &str| -> Vec<u16> { text.encode_utf16().collect() };
//! let volume = NtVolume::new(Arc::new(writer))?;
//! let (all, none) = (Share::all(), OpenOptions::empty());
//! let file = volume.open(None, &units(r"\file"), Access::GENERIC_READ, all, Disposition::Create, none)?;
//! let request = LinkInformation { flags: LinkFlags::empty(), root: None, name: units(r"\second") };
//! let buffer = request.encode(Layout::Bits64, Form::Classic).unwrap();
//! volume.set_information_file(file, InfoClass::Link.number(), &buffer, Layout::Bits64)?;
//! assert_eq!(volume.query_standard_link(file)?.total, 2);
//! volume.close(file)?;
//! # Ok::<(), polylink_nt::NtStatus>(())
//! ```

mod door;
mod facts;
mod open;
mod overwrite;
mod path;
mod query;
mod set;
mod table;

use std::fmt;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use polylink_nt::NtStatus;
use polylink_nt::decide::{Access, Mapping, Notices, UsnReason, VolumeFacts};

use crate::error::Error;
use crate::units::FileReference;
use crate::write::{Times, Writer};

pub use door::Moved;
pub use open::Disposition;
use table::{Numbers, Table};

/// What the caller may do to a file or directory, by its security.
type Rights = Box<dyn Fn(FileReference) -> Access + Send + Sync>;

/// An open file or directory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Handle(u32);

impl Handle {
    /// Its number, as it stands in the `RootDirectory` of a request.
    #[must_use]
    pub fn number(self) -> NonZeroU64 {
        // handles begin at 4
        NonZeroU64::MIN.saturating_add(u64::from(self.0).saturating_sub(1))
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// What a call did besides what it was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Changed {
    /// What those who watch the directories are told.
    pub notices: Notices,
    /// What the change journal says of the file.
    pub usn: UsnReason,
    /// What it says of a file whose name was replaced.
    pub replaced: UsnReason,
}

/// A volume as NT's programs have it.
///
/// Every call can be made from several threads; one is carried out after the other.
pub struct NtVolume {
    writer: Arc<Writer>,
    rights: Rights,
    /// The letter before `:` in paths that begin with `\??\`.
    drive: u16,
    numbers: Arc<Numbers>,
    table: Mutex<Table>,
}

impl fmt::Debug for NtVolume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("NtVolume");
        text.field("table", &*self.table()).finish_non_exhaustive()
    }
}

/// The status of an operation that failed.
fn status(error: Error) -> NtStatus {
    match error {
        Error::Refused(status) => status,
        Error::Corrupt(_) => NtStatus::FILE_CORRUPT_ERROR,
        Error::Unsupported(_) => NtStatus::NOT_SUPPORTED,
        Error::NotWritable(_) => NtStatus::MEDIA_WRITE_PROTECTED,
        Error::Format(_) => NtStatus::INVALID_PARAMETER,
        // STATUS_IO_DEVICE_ERROR
        Error::Device { .. } | Error::Failed { .. } | Error::Conflict => NtStatus::new(0xC000_0185),
    }
}

impl NtVolume {
    /// Mounts a volume as drive `C:`, on which the caller may do anything.
    ///
    /// # Errors
    ///
    /// Where names that a power cut left in `\$Extend\$Deleted` cannot be removed.
    pub fn new(writer: Arc<Writer>) -> Result<Self, NtStatus> {
        Self::mounted(writer, u16::from(b'C'), Arc::new(Numbers::default()))
    }

    /// Mounts another volume in the same system: its handles are known here as those of another device.
    ///
    /// # Errors
    ///
    /// As [`NtVolume::new`].
    pub fn mount(&self, writer: Arc<Writer>, drive: char) -> Result<Self, NtStatus> {
        let mut units = [0; 2];
        let [letter] = drive.encode_utf16(&mut units) else {
            return Err(NtStatus::OBJECT_NAME_INVALID);
        };
        Self::mounted(writer, *letter, self.numbers.clone())
    }

    fn mounted(writer: Arc<Writer>, drive: u16, numbers: Arc<Numbers>) -> Result<Self, NtStatus> {
        for (file, directory, name) in writer.deleted_names().map_err(status)? {
            let removed = if writer.node(file).map_err(status)?.is_directory {
                writer.remove_directory(directory, &name)
            } else {
                writer.unlink(directory, &name).map(|_| ())
            };
            removed.map_err(status)?;
        }
        let facts = VolumeFacts {
            link_limit: writer.max_links(),
            ..VolumeFacts::NTFS
        };
        Ok(Self {
            writer,
            rights: Box::new(|_| Access::ALL),
            drive,
            numbers,
            table: Mutex::new(Table::new(facts)),
        })
    }

    /// Asks for what the caller may do to a file or directory, instead of letting him do anything.
    #[must_use]
    pub fn with_rights(mut self, rights: impl Fn(FileReference) -> Access + Send + Sync + 'static) -> Self {
        self.rights = Box::new(rights);
        self
    }

    /// The volume's writer.
    #[must_use]
    pub fn writer(&self) -> &Arc<Writer> {
        &self.writer
    }

    /// What is known of the volume and its system.
    #[must_use]
    pub fn facts(&self) -> VolumeFacts {
        self.table().facts
    }

    /// Answers as another system would: an older one, or one that has the volume write-protected.
    ///
    /// The limit of names stays below that of the writer.
    pub fn set_facts(&self, facts: VolumeFacts) {
        let link_limit = facts.link_limit.min(self.writer.max_links());
        self.table().facts = VolumeFacts { link_limit, ..facts };
    }

    /// A handle's file is mapped into memory, or no more: a mapped file is not deleted.
    ///
    /// # Errors
    ///
    /// `INVALID_HANDLE`.
    pub fn set_mapping(&self, handle: Handle, mapping: Mapping) -> Result<(), NtStatus> {
        let mut table = self.table();
        let file = table.opened(handle)?.file;
        table.set_mapping(file, mapping);
        Ok(())
    }

    /// Sets times and attributes through a handle. A change time that is set so stays what it was set to, whatever else
    /// is done through the handle.
    ///
    /// # Errors
    ///
    /// `INVALID_HANDLE`; `ACCESS_DENIED` for a handle without the right to write attributes; `MEDIA_WRITE_PROTECTED`.
    pub fn set_times(&self, handle: Handle, times: Times) -> Result<(), NtStatus> {
        let mut table = self.table();
        let opened = table.opened(handle)?;
        if !opened.sharing.access.contains(Access::WRITE_ATTRIBUTES) {
            return Err(NtStatus::ACCESS_DENIED);
        }
        if table.facts.read_only {
            return Err(NtStatus::MEDIA_WRITE_PROTECTED);
        }
        self.writer.set_times(opened.file, times).map_err(status)?;
        if times.changed.is_some() {
            table.opened_mut(handle)?.keeps_change_time = true;
        }
        Ok(())
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // OK after a panic: the table is changed after the volume, a step at a time
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
