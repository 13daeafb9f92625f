//! `$Secure`: damaged copies of descriptors, and indexes that are made anew.

use std::collections::BTreeSet;

use super::super::attributes::Sizes;
use super::super::bytes::wide;
use super::super::cache::Location;
use super::super::directory::{IndexName, by_numbers, empty_root};
use super::super::files::ValuePlace;
use super::super::names::refuse_special;
use super::super::open::Writer;
use super::super::state::State;
use super::super::tree;
use crate::error::{Corrupt, CorruptKind, Error, Result};
use crate::fix::{Step, StepKind};
use crate::layout::attribute::AttributeKind;
use crate::runs::RunList;
use crate::secure::{By, Chosen, Copies, Descriptor, HALF, Listed, MOST, SDS, descriptors};
use crate::units::RecordNumber;

const SECURE: RecordNumber = RecordNumber::SECURE;

impl State {
    /// Where the descriptors lie, and how many bytes of that were written.
    fn descriptor_runs(&mut self) -> Result<(RunList, u64)> {
        let kind = AttributeKind::DATA;
        let inside = |kind: CorruptKind| Error::from(Corrupt::new(kind).in_record(SECURE));
        let value = self
            .value(SECURE, kind, &SDS)?
            .ok_or_else(|| inside(CorruptKind::Missing { kind }))?;
        refuse_special(value.flags)?;
        match value.place {
            ValuePlace::Clusters(
                runs,
                Sizes {
                    size, initialized, ..
                },
            ) => {
                let limit = self.cache.device().size().min(MOST);
                let found = size.min(initialized);
                if size > limit {
                    return Err(inside(CorruptKind::ValueSize { found: size, limit }));
                }
                Ok((runs, found))
            }
            ValuePlace::Record(value) => Err(inside(CorruptKind::ValueSize {
                found: wide(value.len()),
                limit: HALF,
            })),
        }
    }

    fn read_descriptors(&self, runs: &RunList, offset: u64, bytes: &mut [u8]) -> Result<()> {
        let len = bytes.len();
        let location = Location::in_runs(runs, self.geometry.cluster, offset, len);
        let location = location.ok_or(CorruptKind::ValueSize {
            found: offset.saturating_add(wide(len)),
            limit: runs.end().0.saturating_mul(u64::from(self.geometry.cluster)),
        })?;
        let mut rest = bytes;
        for (place, len) in location.pieces() {
            let (part, after) = rest.split_at_mut_checked(len).unwrap_or_default();
            self.cache
                .read_through(place, part)
                .map_err(|source| Error::Device {
                    action: "read",
                    offset: place,
                    len: wide(len),
                    source,
                })?;
            rest = after;
        }
        Ok(())
    }

    fn descriptors(&self, runs: &RunList, size: u64) -> Result<Vec<Descriptor>> {
        descriptors(size, &mut |offset, buffer| {
            self.read_descriptors(runs, offset, buffer)
        })
    }

    /// Makes damaged copies of some descriptors, by their places and numbers, as the sound copies are.
    fn mend_descriptors(&mut self, wanted: &BTreeSet<(u64, u32)>) -> Result<Vec<Step>> {
        let (runs, size) = self.descriptor_runs()?;
        let mut steps = Vec::new();
        for Descriptor { header, copies } in self.descriptors(&runs, size)? {
            let copy = header.offset.saturating_add(HALF);
            let (from, to, what, after) = match copies {
                Copies::First => (header.offset, copy, "second", "first"),
                Copies::Second => (copy, header.offset, "first", "second"),
                Copies::Both | Copies::Differ => continue,
            };
            let end = to.saturating_add(u64::from(header.len));
            // of two with other numbers at one place one is wanted, or nobody knows which
            let mut there = wanted.range((header.offset, 0)..=(header.offset, u32::MAX));
            let is_wanted = there.next() == Some(&(header.offset, header.id)) && there.next().is_none();
            if !is_wanted || end > size {
                continue;
            }
            let mut bytes = vec![0; usize::try_from(header.len).unwrap_or(0)];
            self.read_descriptors(&runs, from, &mut bytes)?;
            self.write_runs(&runs, to, &bytes)?;
            steps.push(Step::new(
                StepKind::CopyDescriptor,
                SECURE,
                format!("the {what} copy of the security descriptor {:#x}", header.id),
                "damaged",
                format!("as the {after}"),
            ));
        }
        Ok(steps)
    }

    /// The entries of an index of descriptors, as many of them as can be read.
    fn listed(&mut self, by: By, found: &mut Vec<Listed>) -> Result<()> {
        let walked = self
            .directory(SECURE, IndexName::Descriptors(by))
            .and_then(|mut index| {
                tree::walk(&mut index, &mut |entry| {
                    found.push(Listed::read(by, entry));
                    Ok(())
                })
            });
        match walked {
            Ok(()) | Err(Error::Corrupt(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Makes both indexes of descriptors anew.
    fn rebuild_secure(&mut self) -> Result<Vec<Step>> {
        let (runs, size) = self.descriptor_runs()?;
        let found = self.descriptors(&runs, size)?;
        let mut listed = Vec::new();
        for by in By::ALL {
            self.listed(by, &mut listed)?;
        }
        let chosen = Chosen::new(&found, &listed);
        let mut steps = Vec::new();
        for by in By::ALL {
            let name = IndexName::Descriptors(by);
            let collation = match by {
                By::Number => 0x10,
                By::Hash => 0x12,
            };
            let root = empty_root(0, collation, self.geometry.index, self.geometry.cluster);
            self.empty_index(SECURE, name, &root)?;
            let mut count = 0_u64;
            for header in chosen.entries(by) {
                let mut index = self.directory(SECURE, name)?;
                if tree::insert(&mut index, &header.entry(by), &by_numbers)? {
                    count = count.saturating_add(1);
                }
            }
            steps.push(Step::new(
                StepKind::RebuildIndex,
                SECURE,
                format!("the index {} of the security descriptors", by.name()),
                "not what $SDS holds",
                format!("made anew from {count} descriptors"),
            ));
        }
        Ok(steps)
    }
}

impl Writer {
    /// Makes damaged copies of some security descriptors, by their places in `$SDS` and their numbers, as the sound copies
    /// are.
    pub(crate) fn mend_descriptors(&self, wanted: &BTreeSet<(u64, u32)>) -> Result<Vec<Step>> {
        self.mend(|inner| inner.state.mend_descriptors(wanted))
    }

    /// Makes the indexes of security descriptors anew from the descriptors.
    pub(crate) fn rebuild_secure(&self) -> Result<Vec<Step>> {
        self.mend(|inner| inner.state.rebuild_secure())
    }
}
