//! Mending: each function here makes one file, one directory or one bitmap agree with the rest of the volume.
//!
//! What is to be done, and in which order, [`crate::fix`] decides. Nothing here writes by itself: all changes go through
//! the classes of a commit, so a power cut in the middle of a repair leaves nothing that the next one cannot mend.

mod anew;
mod entries;
mod headers;
mod names;
mod records;
mod secure;
mod space;
mod twins;
mod values;
mod views;

use polylink_nt::NtStatus;

use super::attributes;
use super::directory::IndexName;
use super::names::found;
use super::open::{Inner, Writer};
use super::state::State;
use super::tree;
use crate::error::{Error, Result};
use crate::fix::Step;
use crate::record::Record;
use crate::units::{FileReference, RecordNumber};

pub(crate) use anew::{Anew, Content, record as new_system_record};
pub(crate) use headers::headed;
pub(crate) use space::Leaks;
pub(crate) use values::Claims;

/// What a reference leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Target {
    /// To nothing: the record is not in use, is a part of another file, or is not there.
    Gone,
    /// To a file, as it is called now.
    File { now: FileReference, is_directory: bool },
    /// To a record that cannot be read.
    Unknown,
}

impl State {
    fn target(&mut self, number: RecordNumber) -> Result<Target> {
        if number.0 >= self.records {
            return Ok(Target::Gone);
        }
        let bytes = match self.record(number) {
            Ok(bytes) => bytes,
            Err(Error::Corrupt(_)) => return Ok(Target::Unknown),
            Err(error) => return Err(error),
        };
        let record = Record::parsed(number, bytes)?;
        if !record.is_in_use() || record.base().is_some() {
            return Ok(Target::Gone);
        }
        Ok(Target::File {
            now: record.reference(),
            is_directory: record.is_directory(),
        })
    }

    /// The base record of the file that a record belongs to.
    ///
    /// # Errors
    ///
    /// Where the record is damaged.
    pub(crate) fn owner(&mut self, number: RecordNumber) -> Result<RecordNumber> {
        let bytes = self.record(number)?;
        let base = Record::parsed(number, bytes)?.base();
        Ok(base.map_or(number, FileReference::record))
    }

    /// Whether a directory is one that entries can be looked for in; with how it is called now.
    fn directory_now(&mut self, number: RecordNumber) -> Result<Option<FileReference>> {
        Ok(match self.target(number)? {
            Target::File {
                now,
                is_directory: true,
            } => Some(now),
            _ => None,
        })
    }

    /// Whether a record may be a directory, and nothing in it can be found.
    fn is_closed(&mut self, number: RecordNumber) -> Result<bool> {
        Ok(match self.target(number)? {
            Target::Unknown => true,
            Target::File {
                is_directory: true, ..
            } => match self
                .directory(number, IndexName::Names)
                .and_then(|mut index| tree::walk(&mut index, &mut |entry| found(entry).map(|_| ())))
            {
                Ok(()) => false,
                Err(Error::Corrupt(_)) => true,
                Err(error) => return Err(error),
            },
            _ => false,
        })
    }

    /// Lets a record count at least, or at most, the names that it has.
    pub(super) fn mend_count(&mut self, base: RecordNumber, raise: bool) -> Result<Vec<Step>> {
        let Target::File { .. } = self.target(base)? else {
            return Ok(Vec::new());
        };
        let names = u16::try_from(self.names(base)?.len()).map_err(|_| NtStatus::TOO_MANY_LINKS)?;
        let count = attributes::raw_links(self.record(base)?);
        if (raise && count >= names) || (!raise && count <= names) || names == 0 {
            return Ok(Vec::new());
        }
        let class = self.base_class;
        attributes::set_raw_links(self.record_mut(base, class)?, names);
        self.hints.remove(&base);
        Ok(vec![Step::count(base, count, names)])
    }
}

impl Writer {
    /// Carries out one step of a repair, and answers what was done.
    ///
    /// # Errors
    ///
    /// As the device says, after which nothing more is written; else as the engine refuses: then nothing was changed.
    fn mend(&self, mut op: impl FnMut(&mut Inner) -> Result<Vec<Step>>) -> Result<Vec<Step>> {
        match self.run(&mut op) {
            Err(Error::Refused(_) | Error::Corrupt(_) | Error::Unsupported(_) | Error::Conflict) => {
                // it is found again by the audit, and said to be left
                Ok(Vec::new())
            }
            outcome => outcome,
        }
    }

    /// Raises the link count of a file to the number of its names, or lowers it.
    pub(crate) fn mend_count(&self, base: RecordNumber, raise: bool) -> Result<Vec<Step>> {
        self.mend(|inner| inner.state.mend_count(base, raise))
    }

    /// Whether a record can be read, and is no file.
    pub(crate) fn is_gone(&self, number: RecordNumber) -> Result<bool> {
        self.look(|state| Ok(state.target(number)? == Target::Gone))
    }

    /// Whether a record may be a directory in which nothing can be found.
    pub(crate) fn is_closed(&self, number: RecordNumber) -> Result<bool> {
        self.look(|state| state.is_closed(number))
    }

    /// The base record of the file that a record belongs to; `None` where that cannot be read.
    pub(crate) fn owner(&self, number: RecordNumber) -> Result<Option<RecordNumber>> {
        match self.look(|state| state.owner(number)) {
            Ok(base) => Ok(Some(base)),
            Err(Error::Corrupt(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
