//! Bringing a batch to the device.

use polylink_nt::NtStatus;

use super::attributes;
use super::bits::Free;
use super::cache::Class;
use super::state::{Pending, State};
use crate::error::{Error, Result};
use crate::layout::record::RecordFlags;

/// Blocks that are kept in memory for the next batch, in bytes.
pub(super) const KEPT: usize = 64 << 20;

impl State {
    /// Whether a commit has anything to do.
    pub(crate) fn is_clean(&self) -> bool {
        self.cache.is_clean() && self.removals.is_empty() && self.pending.is_empty()
    }

    /// Brings everything to the device: first what is added, then what goes, then what is free by that.
    ///
    /// # Errors
    ///
    /// As the device says: then nothing more may be written, for what the device holds is sound, and what this holds is
    /// not what the device holds. `DISK_FULL` or damage where a name could not be taken away: it is there again, and
    /// everything else is done.
    pub(crate) fn commit(&mut self) -> Result<()> {
        self.cache.keep();
        self.write_classes()?;
        let mut outcome = Ok(());
        if !self.removals.is_empty() {
            self.base_class = Class::Removed;
            let gone = self.apply_removals(&mut outcome);
            self.base_class = Class::Base;
            gone?;
            self.write_classes()?;
        }
        self.release()?;
        self.directory_moved = false;
        self.cache.keep();
        self.cache.shrink(KEPT);
        outcome
    }

    fn write_classes(&mut self) -> Result<()> {
        for class in Class::ALL {
            if class < Class::Extension {
                self.cache.commit_class(class)?;
            }
        }
        Ok(())
    }

    fn apply_removals(&mut self, outcome: &mut Result<()>) -> Result<()> {
        for removal in std::mem::take(&mut self.removals) {
            self.unhide(&removal);
            let mut released = false;
            loop {
                self.begin();
                let Err(error) = self.remove_now(&removal) else {
                    break;
                };
                self.roll_back();
                match error {
                    Error::Conflict if self.want_records => match self.grow_table() {
                        Ok(()) => {}
                        Err(error @ Error::Refused(_)) => {
                            *outcome = Err(error);
                            break;
                        }
                        Err(error) => return Err(error),
                    },
                    // a directory that lost a name of its own before it loses entries
                    Error::Conflict if !self.cache.is_clean() => self.write_classes()?,
                    // what the names before gave back may be enough
                    Error::Refused(NtStatus::DISK_FULL) if !released => {
                        released = true;
                        self.write_classes()?;
                        self.release()?;
                    }
                    error @ (Error::Refused(_) | Error::Corrupt(_) | Error::Unsupported(_)) => {
                        *outcome = Err(error);
                        break;
                    }
                    error => return Err(error),
                }
            }
            self.cache.keep();
        }
        Ok(())
    }

    /// Makes free what nothing leads to any more.
    fn release(&mut self) -> Result<()> {
        let mut pending = std::mem::take(&mut self.pending);
        for number in std::mem::take(&mut pending.extensions) {
            let record = self.record_mut(number, Class::Extension)?;
            let flags = attributes::flags(record).difference(RecordFlags::IN_USE);
            attributes::set_flags(record, flags);
            let next = attributes::next_sequence(attributes::sequence(record));
            attributes::set_sequence(record, next);
            pending.records.push(number);
        }
        self.cache.commit_class(Class::Extension)?;
        let Pending {
            clusters,
            records,
            blocks,
            ..
        } = pending;
        for free in &clusters {
            self.clusters.set(&mut self.cache, *free, false, Class::Free)?;
            let cluster = u64::from(self.geometry.cluster);
            self.cache.discard(
                free.start.saturating_mul(cluster),
                free.len.saturating_mul(cluster),
            );
        }
        let first = records.iter().map(|number| number.0).min();
        for number in records {
            let bit = Free {
                start: number.0,
                len: 1,
            };
            self.record_bits.set(&mut self.cache, bit, false, Class::Free)?;
        }
        if let Some(first) = first {
            // the table stays short where records come and go
            self.record_bits.lower_cursor(first);
        }
        for (number, name, block) in blocks {
            // the directory itself may be gone
            let in_use = attributes::flags(self.record(number)?).contains(RecordFlags::IN_USE);
            if in_use {
                self.directory(number, name)?.clear_block(block)?;
            }
        }
        self.cache.commit_class(Class::Free)
    }
}
