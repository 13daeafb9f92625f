//! Repair: what the audit finds is mended, in an order that loses nothing.
//!
//! The audit runs, what it found is mended as far as one of the classes below goes, and it runs again, until it finds
//! nothing more that can be mended. The first class that finds anything to do is the one whose turn it is:
//!
//! Before that, boot sectors and first records that are damaged are made as their sound copies, for without them nothing
//! else can be found. Records of the volume's own files that cannot be right and have no copy are made anew, where every
//! other record can be read.
//!
//! 1. Headers of records become what all the rest of their records says, where that leaves no choice. Names that cannot be
//!    read go, to come back from their directories.
//! 2. Bitmaps are as long as they have to be; what is used and marked as free is marked as used; link counts that are too
//!    low are raised. From here on no driver can overwrite or delete what is still there.
//! 3. Sequence numbers of 0 become those that entries know; what has an index of names is said to be a directory.
//!    Attribute lists are made anew; of clusters that two values have, all but the first get copies.
//! 4. Files get the names that directories lead to them by, unless another file has that name; directories get entries for
//!    the names of files; a file that no directory leads to gets a name in `/found.000`.
//! 5. Indexes that are damaged are made anew from the names of files, and from those of their old entries whose files
//!    cannot be read. Of security descriptors with one sound copy the other is made as that; then their
//!    indexes, where those are damaged, are made anew from the descriptors; those of object ids and of reparse points are
//!    from the files that have such.
//! 6. Names and entries that lead nowhere are taken away, from files that have another name; link counts that are too
//!    high are lowered.
//! 7. Long names and 8.3 names without each other become names by themselves.
//! 8. Damaged records that nothing refers to are freed. Files whose directories are all beyond repair get a name in
//!    `/found.000`. What is marked as used and belongs to nobody is given back, once
//!    nothing else is wrong with the volume: what cannot be mended may hold it.
//! 9. The copies of the first records are made as those are, and the mark that the volume is dirty goes.
//!
//! All of it is written as every other change is, so a power cut leaves what the next repair mends. What it would do,
//! a repair tells when it is let loose on a device that keeps in memory what is written to it.

mod anew;
mod rounds;
mod start;

use std::fmt;
use std::sync::Arc;

use polylink_core::Progress;

use crate::check::{Issue, Options, Summary, check};
use crate::device::Device;
use crate::error::Result;
use crate::units::RecordNumber;
use crate::volume::{OpenOptions, Volume};
use crate::write::{WriteOptions, Writer};

/// What kind of step a repair took.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum StepKind {
    /// A cluster or a record is marked as used.
    MarkUsed,
    /// A link count is raised to the number of names.
    RaiseCount,
    /// A file has a name that a directory leads to it by.
    AddName,
    /// A directory leads to a name of a file.
    AddEntry,
    /// An entry says what is true of its file.
    CorrectEntry,
    /// A name says what is true of its directory.
    CorrectName,
    /// A file that no directory led to has a name in `/found.000`.
    Rescue,
    /// The index of a directory, or one of security descriptors, object ids or reparse points, is made anew.
    RebuildIndex,
    /// A name that leads nowhere is taken from a file that has another.
    RemoveName,
    /// An entry that leads nowhere is taken out of a directory.
    RemoveEntry,
    /// A link count is lowered to the number of names.
    LowerCount,
    /// A record that belongs to nobody is free.
    FreeRecord,
    /// Clusters that belong to nobody are free.
    FreeClusters,
    /// A block of an index that nothing leads to is free.
    FreeBlock,
    /// One of the first records and its copy are the same.
    CopyRecord,
    /// The boot sector and its copy are the same, and lead to where the table's copy is.
    CopyBoot,
    /// A record says of itself what the rest of the volume says of it.
    CorrectRecord,
    /// An attribute list is made anew from the records that belong to the file.
    RebuildList,
    /// A value has clusters of its own where it shared some with another.
    CopyClusters,
    /// A damaged copy of a security descriptor is as the sound one.
    CopyDescriptor,
    /// A record of which there is only one, and which cannot be right, is made anew.
    RebuildRecord,
    /// A bitmap is as long as it has to be.
    LengthenBitmap,
    /// The volume is no longer marked as dirty.
    ClearDirty,
}

impl StepKind {
    /// Its stable name, for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MarkUsed => "mark-used",
            Self::RaiseCount => "raise-count",
            Self::AddName => "add-name",
            Self::AddEntry => "add-entry",
            Self::CorrectEntry => "correct-entry",
            Self::CorrectName => "correct-name",
            Self::Rescue => "rescue",
            Self::RebuildIndex => "rebuild-index",
            Self::RemoveName => "remove-name",
            Self::RemoveEntry => "remove-entry",
            Self::LowerCount => "lower-count",
            Self::FreeRecord => "free-record",
            Self::FreeClusters => "free-clusters",
            Self::FreeBlock => "free-block",
            Self::CopyRecord => "copy-record",
            Self::CopyBoot => "copy-boot",
            Self::CorrectRecord => "correct-record",
            Self::RebuildList => "rebuild-list",
            Self::CopyClusters => "copy-clusters",
            Self::CopyDescriptor => "copy-descriptor",
            Self::RebuildRecord => "rebuild-record",
            Self::LengthenBitmap => "lengthen-bitmap",
            Self::ClearDirty => "clear-dirty",
        }
    }
}

/// One thing that a repair did.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Step {
    /// What kind of thing.
    pub kind: StepKind,
    /// The record that it was done to; `None` for the volume as a whole.
    pub record: Option<RecordNumber>,
    /// What was changed.
    pub what: String,
    /// How it was.
    pub before: String,
    /// How it is now.
    pub after: String,
}

impl Step {
    pub(crate) fn new(
        kind: StepKind,
        record: RecordNumber,
        what: String,
        before: impl Into<String>,
        after: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            record: Some(record),
            what,
            before: before.into(),
            after: after.into(),
        }
    }

    pub(crate) fn volume(kind: StepKind, what: String, before: &str, after: &str) -> Self {
        Self {
            kind,
            record: None,
            what,
            before: before.to_owned(),
            after: after.to_owned(),
        }
    }

    pub(crate) fn count(record: RecordNumber, before: u16, after: u16) -> Self {
        let kind = if after > before {
            StepKind::RaiseCount
        } else {
            StepKind::LowerCount
        };
        let what = "the link count".to_owned();
        Self::new(kind, record, what, before.to_string(), after.to_string())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(record) = self.record {
            write!(f, "record {record}: ")?;
        }
        write!(f, "{}: {} -> {}", self.what, self.before, self.after)
    }
}

/// What a repair came to.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// Things that were done.
    pub steps: u64,
    /// What the audit found at the end: what could not be mended, and notes.
    pub left: Vec<Issue>,
    /// What that audit came to.
    pub summary: Summary,
}

impl Fixed {
    /// Whether nothing but notes is left.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.summary.is_clean()
    }
}

/// A name for messages: what could confuse a terminal is spelt out.
pub(crate) fn called(units: &[u16]) -> String {
    String::from_utf16_lossy(units).escape_debug().to_string()
}

/// Mends a volume. Each step is reported once it is safe on the device.
///
/// A volume that is marked as dirty is what this is for; where it is clean at the end, the mark goes. On a volume that
/// needs nothing, nothing is written.
///
/// # Errors
///
/// [`crate::NotWritable`] for a volume whose journal holds work, that a Windows sleeps on, or that has flags that are not
/// known; as the device says.
pub fn fix(
    device: &Arc<dyn Device>,
    options: &WriteOptions,
    progress: &dyn Progress,
    report: &mut dyn FnMut(Step),
) -> Result<Fixed> {
    let mut steps = 0_u64;
    let mut take = |step: Step| {
        steps = steps.saturating_add(1);
        report(step);
    };
    start::start(device, options, &mut take)?;
    let writer = Writer::open_to_fix(Arc::clone(device), options)?;
    let (mut summary, mut left) = rounds::run(device, &writer, progress, &mut take)?;
    if writer.finish_fix(summary.is_clean())? {
        let what = "the volume".to_owned();
        let (before, after) = ("marked as dirty", "not marked as dirty");
        take(Step::volume(StepKind::ClearDirty, what, before, after));
    }
    if steps > 0 {
        // our own mark was there until now
        (summary, left) = audit(device, progress)?;
    }
    Ok(Fixed { steps, left, summary })
}

/// Audits what is on the device.
fn audit(device: &Arc<dyn Device>, progress: &dyn Progress) -> Result<(Summary, Vec<Issue>)> {
    let volume = Volume::open(Box::new(Arc::clone(device)), &OpenOptions::default())?;
    let mut issues = Vec::new();
    let summary = check(&volume, &Options::default(), progress, &mut |issue| {
        issues.push(issue);
    })?;
    Ok((summary, issues))
}
