//! Bits and copies: what is used is marked so, what nobody uses is given back, copies are as what they are copies of.

use super::super::attributes;
use super::super::bits::Free;
use super::super::cache::Class;
use super::super::directory::IndexName;
use super::super::open::Writer;
use super::super::state::State;
use super::Target;
use crate::error::{Error, Result};
use crate::fix::{Step, StepKind};
use crate::layout::attribute::AttributeKind;
use crate::record::Record;
use crate::secure::By;
use crate::units::RecordNumber;
use crate::views::View;

/// What is marked as used, or said to be in use, and belongs to nobody.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leaks {
    /// First cluster, and how many.
    pub(crate) clusters: Vec<(u64, u64)>,
    /// Records that are not in use.
    pub(crate) records: Vec<RecordNumber>,
    /// Extension records that no file knows of.
    pub(crate) extensions: Vec<RecordNumber>,
    /// Blocks of an index, by directory, name of the index, and place.
    pub(crate) blocks: Vec<(RecordNumber, String, u64)>,
}

impl Leaks {
    /// Whether there is nothing to give back.
    pub(crate) fn is_empty(&self) -> bool {
        self.clusters.is_empty()
            && self.records.is_empty()
            && self.extensions.is_empty()
            && self.blocks.is_empty()
    }
}

fn clusters_text(first: u64, count: u64) -> String {
    match count {
        1 => format!("cluster {first}"),
        count => format!("{count} clusters from {first} on"),
    }
}

impl State {
    /// Whether an extension record holds what a file cannot be without, and its file has not: then it is no leak.
    fn is_needed(&mut self, number: RecordNumber) -> Result<bool> {
        let bytes = self.record(number)?;
        let record = Record::parsed(number, bytes)?;
        let Some(base) = record.base() else {
            return Ok(true);
        };
        let kinds: Vec<AttributeKind> = record
            .attributes()
            .flatten()
            .filter(|attribute| {
                let content = attribute.kind() == AttributeKind::DATA && attribute.name().is_empty();
                content || attribute.kind() == AttributeKind::INDEX_ROOT
            })
            .map(|attribute| attribute.kind())
            .collect();
        let sound = self.target(base.record())?;
        let Target::File { now, .. } = sound else {
            // nobody is left who could read it; what cannot be read may be
            return Ok(sound == Target::Unknown);
        };
        if now != base || kinds.is_empty() {
            return Ok(false);
        }
        let mut missing = kinds;
        let none: Option<()> = self.find_attribute(base.record(), &mut |_, attribute| {
            missing.retain(|kind| *kind != attribute.kind());
            None
        })?;
        debug_assert!(none.is_none());
        Ok(!missing.is_empty())
    }

    /// Gives back what belongs to nobody, at the end of the next commit.
    fn free_leaks(&mut self, leaks: &Leaks) -> Result<Vec<Step>> {
        let (used, free) = ("marked as used, and nobody uses it", "free");
        let mut steps = Vec::new();
        for &number in &leaks.extensions {
            match self.is_needed(number) {
                Ok(false) => {}
                Ok(true) | Err(Error::Corrupt(_)) => continue,
                Err(error) => return Err(error),
            }
            self.pending.extensions.push(number);
            steps.push(Step::new(
                StepKind::FreeRecord,
                number,
                "the extension record".to_owned(),
                "no file knows of it",
                free,
            ));
        }
        for &number in &leaks.records {
            if self.target(number)? == Target::Gone {
                self.pending.records.push(number);
                let what = "the record".to_owned();
                steps.push(Step::new(StepKind::FreeRecord, number, what, used, free));
            }
        }
        for (number, index, block) in &leaks.blocks {
            let name = match index.as_str() {
                "$I30" => IndexName::Names,
                "$O" => IndexName::View(View::ObjectIds),
                "$R" => IndexName::View(View::ReparsePoints),
                "$SII" => IndexName::Descriptors(By::Number),
                "$SDH" => IndexName::Descriptors(By::Hash),
                _ => continue,
            };
            match self.directory(*number, name) {
                Ok(directory) if directory.has_block(*block) => {}
                Ok(_) | Err(Error::Corrupt(_)) => continue,
                Err(error) => return Err(error),
            }
            self.pending.blocks.push((*number, name, *block));
            let what = format!("block {block} of the index {index}");
            steps.push(Step::new(StepKind::FreeBlock, *number, what, used, free));
        }
        for &(start, len) in &leaks.clusters {
            self.pending.clusters.push(Free { start, len });
            let what = clusters_text(start, len);
            steps.push(Step::volume(StepKind::FreeClusters, what, used, free));
        }
        Ok(steps)
    }

    /// Writes one of the first records again, and its copy with it.
    fn copy_record(&mut self, number: RecordNumber) -> Result<Vec<Step>> {
        if number.0 >= self.mirror.1 {
            return Ok(Vec::new());
        }
        self.record_mut(number, Class::Allocate)?;
        let what = "the copy of the record in $MFTMirr".to_owned();
        Ok(vec![Step::new(
            StepKind::CopyRecord,
            number,
            what,
            "not the same",
            "the same",
        )])
    }

    /// Marks a record as used that is in use.
    fn mark_record(&mut self, number: RecordNumber) -> Result<Vec<Step>> {
        let in_use = attributes::flags(self.record(number)?);
        if !in_use.contains(crate::layout::record::RecordFlags::IN_USE) {
            return Ok(Vec::new());
        }
        let bit = Free {
            start: number.0,
            len: 1,
        };
        self.record_bits
            .set(&mut self.cache, bit, true, Class::Allocate)?;
        let what = "the record".to_owned();
        Ok(vec![Step::new(
            StepKind::MarkUsed,
            number,
            what,
            "in use, and marked as free",
            "marked as used",
        )])
    }
}

impl Writer {
    /// Marks clusters as used, before anything is taken from what is free.
    pub(crate) fn mark_clusters(&self, spans: &[(u64, u64)]) -> Result<Vec<Step>> {
        let mut inner = self.lock();
        inner.mark_before_start(spans)?;
        Ok(spans
            .iter()
            .map(|&(first, count)| {
                let what = clusters_text(first, count);
                let before = "used, and marked as free";
                Step::volume(StepKind::MarkUsed, what, before, "marked as used")
            })
            .collect())
    }

    /// Marks a record as used.
    pub(crate) fn mark_record(&self, number: RecordNumber) -> Result<Vec<Step>> {
        self.mend(|inner| inner.state.mark_record(number))
    }

    /// Gives back what belongs to nobody.
    pub(crate) fn free_leaks(&self, leaks: &Leaks) -> Result<Vec<Step>> {
        if leaks.is_empty() {
            // not even the mark is written that the volume is changed
            return Ok(Vec::new());
        }
        self.mend(|inner| inner.state.free_leaks(leaks))
    }

    /// Makes the copy of one of the first records as the record is.
    pub(crate) fn copy_record(&self, number: RecordNumber) -> Result<Vec<Step>> {
        self.mend(|inner| inner.state.copy_record(number))
    }
}
