//! Whether somebody else still has work on a volume: its journal, and a Windows that sleeps on it.

use zerocopy::FromBytes as _;

use crate::error::{Error, Result, Unsupported};
use crate::file::FileName;
use crate::fixup;
use crate::index::{Case, Index};
use crate::layout::attribute::AttributeKind;
use crate::layout::log::{RestartArea, RestartPage};
use crate::record::Record;
use crate::stream::Stream;
use crate::units::{FileReference, RecordNumber};
use crate::volume::Volume;

/// What the journal, `$LogFile`, says.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum LogState {
    /// It holds nothing: every byte is 0xFF, as format and ntfs-3g leave it.
    Empty,
    /// It was closed: nothing is to be redone.
    Clean {
        /// Its version, before the dot: 1 or, since Windows 8, 2.
        major: u16,
        /// After the dot.
        minor: u16,
    },
    /// It holds work that was not finished: whoever mounts the volume redoes it.
    Active {
        /// Its version, before the dot.
        major: u16,
        /// After the dot.
        minor: u16,
    },
    /// Neither of its restart pages can be read.
    Damaged {
        /// What is wrong with the first.
        reason: String,
    },
}

/// Whether a Windows sleeps on the volume (`hiberfil.sys`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hibernation {
    /// There is no such file, or it was never used.
    None,
    /// It woke up: the file holds nothing that is needed.
    Woken,
    /// It sleeps, after hibernation or a shutdown with Fast Startup, and keeps parts of the volume in its memory.
    Asleep,
}

const HIBERFIL: &str = "hiberfil.sys";
const PAGE_SIZES: [usize; 2] = [4096, 8192];
const NO_CLIENT: u16 = 0xFFFF;
const VOLUME_IS_CLEAN: u16 = 2;
const START: usize = 16 << 10;

impl Volume {
    /// What the journal says.
    ///
    /// # Errors
    ///
    /// Where `$LogFile` itself cannot be read.
    pub fn log_state(&self) -> Result<LogState> {
        let file = self.file(RecordNumber::LOG_FILE)?;
        let Some(stream) = file.stream(self, AttributeKind::DATA, &[])? else {
            let reason = "there is no $LogFile".to_owned();
            return Ok(LogState::Damaged { reason });
        };
        let mut start = vec![0; START];
        let len = self.read(&stream, 0, &mut start)?;
        start.truncate(len);
        if start.iter().all(|&byte| byte == 0xFF) {
            return Ok(LogState::Empty);
        }
        // both restart pages say the same but for the last change; the one with the higher number counts
        let mut best: Option<(u64, LogState)> = None;
        let mut reason = None;
        for size in PAGE_SIZES {
            for page in start.chunks_exact(size).take(2) {
                match restart(page) {
                    Ok((lsn, state)) if best.as_ref().is_none_or(|(other, _)| lsn > *other) => {
                        best = Some((lsn, state));
                    }
                    Ok(_) => {}
                    Err(what) => {
                        reason.get_or_insert(what);
                    }
                }
            }
        }
        Ok(match best {
            Some((_, state)) => state,
            None => LogState::Damaged {
                reason: reason.unwrap_or_else(|| "it is too short".to_owned()),
            },
        })
    }

    /// Whether a Windows sleeps on the volume.
    ///
    /// # Errors
    ///
    /// Where the root directory or the file cannot be read.
    pub fn hibernation(&self) -> Result<Hibernation> {
        let root = self.file(RecordNumber::ROOT)?;
        let name: Vec<u16> = HIBERFIL.encode_utf16().collect();
        match Index::open(self, &root)?.find(&name, Case::Ignored)? {
            Some(entry) => self.hibernation_in(entry.file.record()),
            None => Ok(Hibernation::None),
        }
    }

    /// The same where the root directory cannot be read: the file knows its name itself.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read.
    pub(crate) fn hibernation_by_records(&self) -> Result<Hibernation> {
        let mut bytes = Vec::new();
        for number in (0..self.records()).map(RecordNumber) {
            self.read_record(number, &mut bytes)?;
            let Ok(record) = Record::parse(number, &mut bytes) else {
                continue;
            };
            let is_named = record
                .attributes()
                .flatten()
                .filter(|attribute| attribute.kind() == AttributeKind::FILE_NAME)
                .filter_map(|attribute| FileName::parse(attribute.resident()?).ok())
                .any(|name| {
                    name.parent.record() == RecordNumber::ROOT
                        && String::from_utf16_lossy(&name.name).eq_ignore_ascii_case(HIBERFIL)
                });
            if record.is_in_use() && is_named {
                let file = record.base().map_or(number, FileReference::record);
                return self.hibernation_in(file);
            }
        }
        Ok(Hibernation::None)
    }

    /// What `hiberfil.sys` says.
    fn hibernation_in(&self, number: RecordNumber) -> Result<Hibernation> {
        let file = self.file(number)?;
        let stream: Option<Stream> = match file.stream(self, AttributeKind::DATA, &[]) {
            Err(Error::Unsupported(Unsupported::TableOnly)) => None,
            found => found?,
        };
        let mut signature = [0; 4];
        if let Some(stream) = stream {
            self.read(&stream, 0, &mut signature)?;
        }
        Ok(match &signature.map(|byte| byte.to_ascii_lowercase()) {
            b"hibr" => Hibernation::Asleep,
            b"wake" => Hibernation::Woken,
            _ => Hibernation::None,
        })
    }
}

/// The last log sequence number and the state that a restart page tells.
fn restart(page: &[u8]) -> Result<(u64, LogState), String> {
    let mut page = page.to_vec();
    let signature: [u8; 4] = page.first_chunk().copied().unwrap_or_default();
    if signature != *b"RSTR" && signature != *b"CHKD" {
        return Err(format!("a restart page begins with {}", signature.escape_ascii()));
    }
    fixup::undo(&mut page, signature).map_err(|corrupt| corrupt.to_string())?;
    let (header, _) = RestartPage::read_from_prefix(&page).map_err(|_| "a restart page is cut".to_owned())?;
    let area = page
        .get(usize::from(header.restart_offset.get())..)
        .and_then(|area| RestartArea::read_from_prefix(area).ok());
    let (area, _) = area.ok_or_else(|| "a restart page has no restart area".to_owned())?;
    let (major, minor) = (header.major.get(), header.minor.get());
    let clean = area.client_in_use_list.get() == NO_CLIENT || area.flags.get() & VOLUME_IS_CLEAN != 0;
    let state = if clean {
        LogState::Clean { major, minor }
    } else {
        LogState::Active { major, minor }
    };
    Ok((area.current_lsn.get(), state))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(in_use: u16, flags: u16) -> Vec<u8> {
        let mut page = vec![0; 4096];
        page[..4].copy_from_slice(b"RSTR");
        page[4..8].copy_from_slice(&[0x1E, 0, 9, 0]);
        page[24..30].copy_from_slice(&[0x30, 0, 1, 0, 1, 0]);
        page[0x30..0x38].copy_from_slice(&77_u64.to_le_bytes());
        page[0x3C..0x3E].copy_from_slice(&in_use.to_le_bytes());
        page[0x3E..0x40].copy_from_slice(&flags.to_le_bytes());
        page
    }

    #[test]
    fn a_journal_is_clean_without_clients_or_with_the_flag() {
        let state = |in_use, flags| restart(&page(in_use, flags)).unwrap();
        assert_eq!(state(NO_CLIENT, 0), (77, LogState::Clean { major: 1, minor: 1 }));
        assert_eq!(
            state(0, VOLUME_IS_CLEAN),
            (77, LogState::Clean { major: 1, minor: 1 })
        );
        assert_eq!(state(0, 0), (77, LogState::Active { major: 1, minor: 1 }));
        let error = restart(&[b"RCRD".as_slice(), &[0; 4092]].concat()).unwrap_err();
        assert_eq!(error, "a restart page begins with RCRD");
        let error = restart(&[0; 4096]).unwrap_err();
        assert_eq!(error, r"a restart page begins with \x00\x00\x00\x00");
        assert!(restart(b"RSTR").is_err());
    }
}
