//! What is asked through a handle: names, and how many there are.

use polylink_nt::NtStatus;
use polylink_nt::decide::{Access, Manner};
use polylink_nt::info::{
    Direction, InfoClass, LinkEntry, LinksInformation, LinksReply, StandardLinkInformation,
};

use super::path::BACKSLASH;
use super::{Handle, NtVolume, status};
use crate::units::{FileReference, RecordNumber};

impl NtVolume {
    /// Every name of the file (`FileHardLinkInformation`), in the order of its record: those that are about to go too,
    /// and those that are kept for handles only.
    ///
    /// # Errors
    ///
    /// `INVALID_HANDLE`; where the file's records are damaged.
    pub fn query_links(&self, handle: Handle) -> Result<Vec<LinkEntry>, NtStatus> {
        let table = self.table();
        let file = table.opened(handle)?.file;
        let names = self.writer.names_of(file).map_err(status)?;
        let entries = names.into_iter().map(|name| LinkEntry {
            parent: name.parent.0,
            name: name.name,
        });
        Ok(entries.collect())
    }

    /// How many names the file has (`FileStandardLinkInformation`).
    ///
    /// # Errors
    ///
    /// As [`NtVolume::query_links`].
    pub fn query_standard_link(&self, handle: Handle) -> Result<StandardLinkInformation, NtStatus> {
        let table = self.table();
        let opened = table.opened(handle)?;
        let facts = self.file_facts(&table, opened.file)?;
        let link = Self::link_state(&table, opened)?;
        let pending = Self::stream_facts(&table, opened).delete_pending;
        Ok(facts.names.standard_link(facts.kind, link, pending))
    }

    /// `NumberOfLinks` of `FileStandardInformation`, which is `nNumberOfLinks` of Win32: names that stay.
    ///
    /// # Errors
    ///
    /// As [`NtVolume::query_links`].
    pub fn number_of_links(&self, handle: Handle) -> Result<u32, NtStatus> {
        let table = self.table();
        let facts = self.file_facts(&table, table.opened(handle)?.file)?;
        Ok(facts.names.number_of_links())
    }

    /// `NtQueryInformationFile` for [`InfoClass`] 46 and 54: writes the structure into a buffer.
    ///
    /// The reply has the bytes that were written and those that all would take. `BUFFER_OVERFLOW` is no error here: the
    /// buffer holds as many names as there was room for.
    ///
    /// # Errors
    ///
    /// `INVALID_INFO_CLASS`; `INFO_LENGTH_MISMATCH` for a buffer that cannot hold the structure; as
    /// [`NtVolume::query_links`].
    pub fn query_information_file(
        &self,
        handle: Handle,
        class: u32,
        buffer: &mut [u8],
    ) -> Result<LinksReply, NtStatus> {
        match InfoClass::from_number(class, Direction::Query)? {
            InfoClass::HardLink => {
                let reply = LinksInformation::encode_into(&self.query_links(handle)?, buffer);
                match reply.status {
                    NtStatus::INFO_LENGTH_MISMATCH => Err(reply.status),
                    _ => Ok(reply),
                }
            }
            InfoClass::StandardLink => {
                let written = self.query_standard_link(handle)?.encode_into(buffer)?;
                Ok(LinksReply {
                    status: NtStatus::SUCCESS,
                    written,
                    needed: StandardLinkInformation::LEN,
                    entries: 0,
                })
            }
            _ => Err(NtStatus::INVALID_INFO_CLASS),
        }
    }

    /// The path, from the volume's root, of the name that a handle was opened by (`FileNameInformation`).
    ///
    /// # Errors
    ///
    /// As [`NtVolume::query_links`].
    pub fn query_name(&self, handle: Handle) -> Result<Vec<u16>, NtStatus> {
        let table = self.table();
        match table.opened(handle)?.link {
            None => Ok(vec![BACKSLASH]),
            Some(link) => {
                let link = table.link(link)?;
                self.path_of(link.parent, &link.name)
            }
        }
    }

    /// The path of a name in a directory, as the entries of [`NtVolume::query_links`] have it.
    ///
    /// # Errors
    ///
    /// Where a directory on the way is damaged, or lies in itself.
    pub fn path_of(&self, parent: FileReference, name: &[u16]) -> Result<Vec<u16>, NtStatus> {
        /// No path is deeper than what its 32,767 units can say.
        const DEEPEST: usize = 16_384;
        let mut parts = vec![name.to_vec()];
        let mut at = parent;
        while at.record() != RecordNumber::ROOT {
            let names = self.writer.names_of(at).map_err(status)?;
            let above = names.into_iter().next().ok_or(NtStatus::FILE_DELETED)?;
            parts.push(above.name);
            if parts.len() > DEEPEST {
                return Err(NtStatus::FILE_CORRUPT_ERROR);
            }
            at = above.parent;
        }
        let path = parts
            .iter()
            .rev()
            .flat_map(|part| std::iter::once(&BACKSLASH).chain(part));
        Ok(path.copied().collect())
    }

    /// The file that a handle was opened on.
    ///
    /// # Errors
    ///
    /// `INVALID_HANDLE`.
    pub fn file(&self, handle: Handle) -> Result<FileReference, NtStatus> {
        Ok(self.table().opened(handle)?.file)
    }

    /// The rights that a handle was granted.
    ///
    /// # Errors
    ///
    /// `INVALID_HANDLE`.
    pub fn granted(&self, handle: Handle) -> Result<Access, NtStatus> {
        Ok(self.table().opened(handle)?.sharing.access)
    }

    /// How the name goes when the handle closes; `None` where it stays.
    ///
    /// # Errors
    ///
    /// `INVALID_HANDLE`.
    pub fn delete_on_close(&self, handle: Handle) -> Result<Option<Manner>, NtStatus> {
        Ok(self.table().opened(handle)?.delete_on_close)
    }
}
