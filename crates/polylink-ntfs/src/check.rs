//! The audit: whether a volume is what it says it is. It changes nothing.
//!
//! What drivers do not look at counts here as well: the link count of each record against its `$FILE_NAME`s, and those
//! against the entries of directories, in both directions. Everything is compared once; where two sides agree, nothing
//! but a sum of them is kept, so the audit takes 16 bytes for each record of the table and a bit for each cluster
//! (fewer where clusters side by side are all free or all used), and never the text of names.
//!
//! 1. The boot sector, its copy, `$Volume`, `$UpCase`.
//! 2. The table from its first record to its last, by several threads: headers, update sequences, attributes, runs,
//!    names, and the indexes that lie in their records.
//! 3. Files with an attribute list; then the indexes with blocks of their own, in the order in which those lie on the
//!    volume.
//! 4. `$Secure`: its descriptors against its indexes, and against the numbers that files have; the indexes of object ids
//!    and of reparse points against the files that have those.
//! 5. Bitmaps, copies of records, circles, clusters that are used twice.
//! 6. Where names and entries do not agree, both are looked at again, for the files concerned alone.
//!
//! One damage is one issue: what cannot be known behind it (the entries in a torn index block, say) is counted in
//! [`Summary::unchecked`] and not called wrong.

mod bitmaps;
mod boot;
mod clusters;
mod corrupt;
mod graph;
mod issue;
mod lists;
mod names;
mod parallel;
mod record;
mod scan;
mod secure;
mod states;
mod tree;
mod value;
mod views;

use polylink_core::Progress;
use polylink_nt::upcase::UpcaseTable;

use crate::error::Result;
use crate::units::{FileReference, RecordNumber};
use crate::volume::Volume;
use clusters::Span;
use states::States;

pub use issue::{Issue, IssueKind, Place, Severity};

/// How a volume is audited.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Issues that are reported at most; further ones are counted only. `None` for all.
    pub most_issues: Option<u64>,
}

/// What an audit came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    /// Records in use, extension records included.
    pub records: u64,
    /// Files that are no directories, system files included.
    pub files: u64,
    /// Directories.
    pub directories: u64,
    /// `$FILE_NAME`s, 8.3 names included.
    pub names: u64,
    /// Entries of directories that were met.
    pub entries: u64,
    /// Clusters that values lie in.
    pub clusters: u64,
    /// Issues that are worth knowing.
    pub notes: u64,
    /// Issues that are damage.
    pub damage: u64,
    /// Issues that ended a part of the audit.
    pub fatal: u64,
    /// Names and entries of which nobody can say whether they agree, for one side is damaged.
    pub unchecked: u64,
    /// Whether the audit came to its end, and was not cancelled.
    pub complete: bool,
}

impl Summary {
    /// Whether nothing was found but notes.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.complete && self.damage == 0 && self.fatal == 0
    }
}

/// Audits a volume.
///
/// Issues come in an order that does not depend on the threads. Of a dump of the table, what lies in clusters cannot be
/// looked at.
///
/// # Errors
///
/// As the device says, where nothing can be read at all; whatever is wrong with the volume is an [`Issue`].
pub fn check(
    volume: &Volume,
    options: &Options,
    progress: &dyn Progress,
    report: &mut dyn FnMut(Issue),
) -> Result<Summary> {
    let mut outcome = Outcome {
        summary: Summary::default(),
        left: options.most_issues.unwrap_or(u64::MAX),
        report,
    };
    scan::run(&Audit::new(volume, progress, &mut outcome), &mut outcome);
    outcome.summary.complete = !progress.cancelled();
    Ok(outcome.summary)
}

/// What every part of the audit knows.
struct Audit<'v> {
    volume: &'v Volume,
    progress: &'v dyn Progress,
    upcase: &'v UpcaseTable,
    states: States,
    /// Clusters that runs may lead to.
    limit: u64,
    /// Clusters that the device really has.
    device_clusters: u64,
    /// Bytes of a cluster; 0 in a dump.
    cluster: u32,
}

impl std::fmt::Debug for Audit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Audit").finish_non_exhaustive()
    }
}

/// No volume has more clusters, and runs that lead further are damaged even in a dump.
const MOST_CLUSTERS: u64 = 1 << 54;

impl<'v> Audit<'v> {
    fn new(volume: &'v Volume, progress: &'v dyn Progress, outcome: &mut Outcome<'_>) -> Self {
        let record = u64::from(volume.record_size());
        // runs that lead to the same clusters again and again must not make a table of any length
        let room = volume.device().size().checked_div(record).unwrap_or(0);
        let records = volume.records().min(room);
        if volume.table().claimed() > room {
            let kind = IssueKind::TableSize {
                expected: room,
                found: volume.table().claimed(),
            };
            outcome.take_issue(Issue::new(kind).in_record(RecordNumber::MFT));
        }
        let geometry = volume.geometry();
        Self {
            volume,
            progress,
            upcase: volume.upcase(),
            states: States::new(records),
            limit: geometry.map_or(MOST_CLUSTERS, |geometry| geometry.clusters),
            device_clusters: geometry.map_or(0, |geometry| {
                let cluster = u64::from(geometry.cluster);
                let held = volume.device().size().checked_div(cluster).unwrap_or(0);
                geometry.clusters.min(held)
            }),
            cluster: geometry.map_or(0, |geometry| geometry.cluster),
        }
    }
}

/// A directory that is looked at once the table was read.
#[derive(Clone, Copy, Debug)]
struct Directory {
    record: RecordNumber,
    /// Where its index begins on the volume.
    place: u64,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    records: u64,
    files: u64,
    directories: u64,
    names: u64,
    entries: u64,
}

/// What one piece of the work came to.
#[derive(Debug, Default)]
struct Part {
    issues: Vec<Issue>,
    counts: Counts,
    unchecked: u64,
    /// There are records whose clusters are not known.
    lost: bool,
    /// Clusters that values lie in.
    spans: Vec<Span>,
    /// The same of extension records, with their numbers.
    held_outside: Vec<(RecordNumber, Span)>,
    directories: Vec<Directory>,
    /// Base records with an attribute list.
    listed: Vec<RecordNumber>,
    /// What each directory says it lies in.
    parents: Vec<(RecordNumber, FileReference)>,
    /// Extension records and what they say is their base record.
    extensions: Vec<(RecordNumber, FileReference)>,
    /// What has to do with security descriptors.
    secure: secure::Seen,
    /// What belongs into the indexes of object ids and reparse points.
    views: views::Seen,
    /// Entries of one of those indexes.
    view: views::Met,
}

/// Where everything comes together.
struct Outcome<'r> {
    summary: Summary,
    left: u64,
    report: &'r mut dyn FnMut(Issue),
}

impl Outcome<'_> {
    fn take_issue(&mut self, issue: Issue) {
        let count = match issue.severity() {
            Severity::Note => &mut self.summary.notes,
            Severity::Damage => &mut self.summary.damage,
            Severity::Fatal => &mut self.summary.fatal,
        };
        *count = count.saturating_add(1);
        if self.left > 0 {
            self.left = self.left.saturating_sub(1);
            (self.report)(issue);
        }
    }

    /// Takes issues and counts of a part; the rest of it stays.
    fn take(&mut self, part: &mut Part) {
        let counts = std::mem::take(&mut part.counts);
        let summary = &mut self.summary;
        for (sum, more) in [
            (&mut summary.records, counts.records),
            (&mut summary.files, counts.files),
            (&mut summary.directories, counts.directories),
            (&mut summary.names, counts.names),
            (&mut summary.entries, counts.entries),
            (&mut summary.unchecked, std::mem::take(&mut part.unchecked)),
        ] {
            *sum = sum.saturating_add(more);
        }
        for issue in part.issues.drain(..) {
            self.take_issue(issue);
        }
    }
}
