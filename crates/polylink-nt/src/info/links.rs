//! FILE_LINKS_INFORMATION and FILE_STANDARD_LINK_INFORMATION: the names of a file, and how many there are.
//!
//! Neither holds a handle or a pointer, so both are the same for 32-bit and 64-bit programs.

use alloc::vec::Vec;
use core::fmt;

use super::bytes::{put, put_units, u32_at, u64_at, units};
use crate::NtStatus;

/// Bytes before the first entry: `BytesNeeded` and `EntriesReturned`.
const HEADER: usize = 8;
/// Bytes of an entry before its name.
const ENTRY: usize = 20;
/// Entries start at multiples of this.
const ALIGN: usize = 8;
// offsets in an entry
const PARENT: usize = 8;
const NAME_LENGTH: usize = 16;

/// One name of a file (`FILE_LINK_ENTRY_INFORMATION`).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct LinkEntry {
    /// The file id of the directory that the name is in.
    pub parent: u64,
    /// The name in that directory.
    pub name: Vec<u16>,
}

/// Every name of a file, or as many as there was room for (`FILE_LINKS_INFORMATION`, \[MS-FSCC\]
/// FileHardLinkInformation).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct LinksInformation {
    /// Bytes that all names take, returned or not.
    pub bytes_needed: u32,
    /// The names that were returned.
    pub entries: Vec<LinkEntry>,
}

/// What became of encoding names into a caller's buffer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LinksReply {
    /// `SUCCESS`; `BUFFER_OVERFLOW` where names are left out; `INFO_LENGTH_MISMATCH`, and the buffer as it was, where it
    /// cannot even hold the two counts before the names.
    pub status: NtStatus,
    /// Bytes written: `IO_STATUS_BLOCK.Information`.
    pub written: usize,
    /// Bytes that all names take.
    pub needed: usize,
    /// Names written.
    pub entries: usize,
}

/// Why bytes are no [`LinksInformation`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum LinksError {
    /// They end before the two counts do.
    NoHeader,
    /// An entry, or its name, goes beyond the end.
    Truncated {
        /// Where the entry starts.
        offset: usize,
    },
    /// An entry leads into itself, or to a place that is no multiple of 8.
    BadOffset {
        /// Where the entry starts.
        offset: usize,
        /// Its `NextEntryOffset`.
        next: u32,
    },
    /// There are fewer or more entries than the count says.
    WrongCount {
        /// `EntriesReturned`.
        announced: u32,
        /// Entries up to the one where that shows.
        found: usize,
    },
}

impl fmt::Display for LinksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHeader => f.write_str("the list of names ends before its counts do"),
            Self::Truncated { offset } => {
                write!(f, "the name at byte {offset} goes beyond the end of the list")
            }
            Self::BadOffset { offset, next } => {
                write!(
                    f,
                    "the name at byte {offset} says that the next is {next} bytes on, which cannot be"
                )
            }
            Self::WrongCount { announced, found } => {
                write!(f, "the list announces {announced} names and holds {found}")
            }
        }
    }
}

impl core::error::Error for LinksError {}

const fn aligned(at: usize) -> usize {
    at.next_multiple_of(ALIGN)
}

impl LinksInformation {
    /// Bytes that these names take: what `BytesNeeded` says.
    pub fn needed<'a>(names: impl IntoIterator<Item = &'a LinkEntry>) -> usize {
        names
            .into_iter()
            .fold(HEADER, |end, entry| aligned(end) + ENTRY + 2 * entry.name.len())
    }

    /// Writes names into the buffer of a call.
    ///
    /// Only whole entries are written, in the order of `names` up to the first that does not fit; each starts at a
    /// multiple of 8 bytes, and nothing follows the last. `FileNameLength` counts characters here, not bytes.
    ///
    /// That a buffer of 8 bytes is enough not to be refused follows the text of \[MS-FSCC\]; Windows may want the 32 of
    /// the whole structure.
    pub fn encode_into(names: &[LinkEntry], buffer: &mut [u8]) -> LinksReply {
        let needed = Self::needed(names);
        let mut reply = LinksReply {
            status: NtStatus::INFO_LENGTH_MISMATCH,
            written: 0,
            needed,
            entries: 0,
        };
        if buffer.len() < HEADER {
            return reply;
        }
        let mut end = HEADER;
        let mut last = None;
        for entry in names {
            let start = aligned(end);
            let entry_end = start + ENTRY + 2 * entry.name.len();
            let Some(bytes) = buffer.get_mut(end..entry_end) else {
                break;
            };
            bytes.fill(0);
            if let Some(last) = last {
                put(buffer, last, low_u32(start - last));
            }
            put(buffer, start + PARENT, entry.parent.to_le_bytes());
            put(buffer, start + NAME_LENGTH, low_u32(entry.name.len()));
            put_units(buffer, start + ENTRY, &entry.name);
            last = Some(start);
            end = entry_end;
            reply.entries += 1;
        }
        put(buffer, 0, low_u32(needed));
        put(buffer, 4, low_u32(reply.entries));
        reply.written = end;
        reply.status = if reply.entries == names.len() {
            NtStatus::SUCCESS
        } else {
            NtStatus::BUFFER_OVERFLOW
        };
        reply
    }

    /// Reads the bytes that a query returned: as many as `IO_STATUS_BLOCK.Information` says.
    ///
    /// # Errors
    ///
    /// [`LinksError`]; whatever the bytes are, this ends, and takes no more memory than they do.
    pub fn decode(bytes: &[u8]) -> Result<Self, LinksError> {
        let (Some(bytes_needed), Some(announced)) = (u32_at(bytes, 0), u32_at(bytes, 4)) else {
            return Err(LinksError::NoHeader);
        };
        let mut entries = Vec::new();
        let mut offset = HEADER;
        let mut more = announced != 0;
        while more {
            if entries.len() >= announced as usize {
                return Err(LinksError::WrongCount {
                    announced,
                    found: entries.len() + 1,
                });
            }
            let truncated = LinksError::Truncated { offset };
            let entry = &bytes[offset..];
            let (Some(next), Some(parent), Some(len)) = (
                u32_at(entry, 0),
                u64_at(entry, PARENT),
                u32_at(entry, NAME_LENGTH),
            ) else {
                return Err(truncated);
            };
            let name_bytes = (len as usize).checked_mul(2);
            let name = name_bytes
                .and_then(|len| entry[ENTRY..].get(..len))
                .ok_or(truncated)?;
            entries.push(LinkEntry {
                parent,
                name: units(name).collect(),
            });
            let own_len = ENTRY + name.len();
            let step = next as usize;
            more = step != 0;
            if more && (step < own_len || !step.is_multiple_of(ALIGN)) {
                return Err(LinksError::BadOffset { offset, next });
            }
            // each step goes past a whole entry, so this ends; beyond the bytes there is no further entry
            if more && step > entry.len() {
                return Err(truncated);
            }
            offset += step;
        }
        if entries.len() != announced as usize {
            return Err(LinksError::WrongCount {
                announced,
                found: entries.len(),
            });
        }
        Ok(Self {
            bytes_needed,
            entries,
        })
    }
}

/// A 32-bit field. All that is written lies in a caller's buffer, whose length NT holds in 32 bits.
fn low_u32(value: usize) -> [u8; 4] {
    u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes()
}

/// How many names a file has (`FILE_STANDARD_LINK_INFORMATION`, \[MS-FSCC\] FileStandardLinkInformation).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct StandardLinkInformation {
    /// Names that are not about to be deleted.
    pub accessible: u32,
    /// Names, with those.
    pub total: u32,
    /// Whether the name that the handle was opened by is about to be deleted.
    pub delete_pending: bool,
    /// Whether the file is a directory.
    pub directory: bool,
}

impl StandardLinkInformation {
    /// `sizeof` the structure: two counts, two BOOLEANs, two bytes of padding.
    pub const LEN: usize = 12;

    /// Its bytes.
    #[must_use]
    pub fn encode(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        put(&mut bytes, 0, self.accessible.to_le_bytes());
        put(&mut bytes, 4, self.total.to_le_bytes());
        put(
            &mut bytes,
            8,
            [u8::from(self.delete_pending), u8::from(self.directory)],
        );
        bytes
    }

    /// Writes its bytes into the buffer of a call and tells how many.
    ///
    /// # Errors
    ///
    /// `INFO_LENGTH_MISMATCH` for a buffer that is shorter than the structure, padding and all.
    pub fn encode_into(self, buffer: &mut [u8]) -> Result<usize, NtStatus> {
        let place = buffer.first_chunk_mut().ok_or(NtStatus::INFO_LENGTH_MISMATCH)?;
        *place = self.encode();
        Ok(Self::LEN)
    }

    /// Reads the bytes that a query returned.
    ///
    /// # Errors
    ///
    /// `INFO_LENGTH_MISMATCH` for fewer than the structure has.
    pub fn decode(bytes: &[u8]) -> Result<Self, NtStatus> {
        let bytes: &[u8; Self::LEN] = bytes.first_chunk().ok_or(NtStatus::INFO_LENGTH_MISMATCH)?;
        let [a0, a1, a2, a3, t0, t1, t2, t3, delete_pending, directory, ..] = *bytes;
        Ok(Self {
            accessible: u32::from_le_bytes([a0, a1, a2, a3]),
            total: u32::from_le_bytes([t0, t1, t2, t3]),
            delete_pending: delete_pending != 0,
            directory: directory != 0,
        })
    }
}
