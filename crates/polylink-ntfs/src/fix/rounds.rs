//! Which class of steps has its turn, and what it is about.

mod indexes;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use polylink_core::Progress;

use super::{Step, audit};
use crate::check::{Issue, IssueKind, Place, Severity, Summary};
use crate::device::Device;
use crate::error::Result;
use crate::layout::attribute::AttributeKind;
use crate::record::Record;
use crate::units::{FileReference, RecordNumber};
use crate::volume::{OpenOptions, Volume};
use crate::write::{Claims, Leaks, Writer};
use indexes::is_of_index;

/// Audits at most: each class of steps takes one or two, and what one step uncovers some more.
const ROUNDS: usize = 32;

/// What belongs to nobody, and what has nothing to do with who owns what.
const HARMLESS: &[&str] = &[
    "base-reference",
    "extension-unlisted",
    "cluster-marked-used",
    "record-marked-used",
    "block-unreachable",
    "mirror-differs",
    "boot-copy",
    "namespace",
    "name-unit",
    "short-name",
    "twin-missing",
    "twin-alone",
    "twin-twice",
    "indexed-flag",
    "attribute-order",
    "list-order",
    // which file has which name
    "link-count",
    "directory-links",
    "name-not-indexed",
    "namespace-differs",
    "parent-missing",
    "parent-not-directory",
    "parent-sequence",
    // which file has which descriptor
    "security-copy",
    "security-entry",
    "security-id",
    "security-index-entry",
    "security-unindexed",
    // what leads to files beside their names
    "object-id-entry",
    "object-id-unindexed",
    "reparse-entry",
    "reparse-unindexed",
];

/// Audits and mends until nothing more can be mended; answers the last audit.
pub(super) fn run(
    device: &Arc<dyn Device>,
    writer: &Writer,
    progress: &dyn Progress,
    report: &mut dyn FnMut(Step),
) -> Result<(Summary, Vec<Issue>)> {
    let mut done: HashSet<Step> = HashSet::new();
    let mut rounds = 0_usize;
    loop {
        let (summary, issues) = audit(device, progress)?;
        rounds = rounds.saturating_add(1);
        if !summary.complete
            || rounds > ROUNDS
            || issues.iter().all(|issue| issue.severity() == Severity::Note)
        {
            return Ok((summary, issues));
        }
        let steps = turn(&Round::new(device, writer, &issues)?, &done)?;
        writer.sync()?;
        if steps.is_empty() {
            return audit(device, progress);
        }
        for step in steps {
            done.insert(step.clone());
            report(step);
        }
    }
}

/// What the audit found, as the classes want it.
struct Round<'r> {
    device: &'r Arc<dyn Device>,
    writer: &'r Writer,
    issues: &'r [Issue],
    /// Files whose names are in question.
    files: BTreeSet<RecordNumber>,
    /// Directories in a circle.
    circles: BTreeSet<RecordNumber>,
    /// Directories whose entries are in question, with the files that those lead to.
    entries: BTreeMap<RecordNumber, BTreeSet<FileReference>>,
}

/// The steps of one class.
type Class<'r> = fn(&Round<'r>) -> Result<Vec<Step>>;

/// Carries out the first class that has anything to do that was not `done` before: what is done a second time does not
/// help.
fn turn<'r>(round: &Round<'r>, done: &HashSet<Step>) -> Result<Vec<Step>> {
    let classes: [Class<'r>; 19] = [
        Round::records,
        Round::lengthen,
        Round::mark,
        Round::number,
        Round::lists,
        Round::share,
        Round::add_names,
        Round::add_entries,
        Round::rebuild,
        Round::descriptors,
        Round::views,
        Round::drop_names,
        Round::drop_entries,
        Round::lower,
        Round::namespaces,
        Round::free_damaged,
        Round::rescue,
        Round::give_back,
        Round::copy,
    ];
    for class in classes {
        let mut steps = class(round)?;
        steps.retain(|step| !done.contains(step));
        if !steps.is_empty() {
            return Ok(steps);
        }
    }
    Ok(Vec::new())
}

impl<'r> Round<'r> {
    fn new(device: &'r Arc<dyn Device>, writer: &'r Writer, issues: &'r [Issue]) -> Result<Self> {
        let mut round = Self {
            device,
            writer,
            issues,
            files: BTreeSet::new(),
            circles: BTreeSet::new(),
            entries: BTreeMap::new(),
        };
        for issue in issues {
            let Some(record) = issue.record else { continue };
            match &issue.kind {
                IssueKind::NameNotIndexed { .. }
                | IssueKind::ParentMissing { .. }
                | IssueKind::ParentNotDirectory { .. }
                | IssueKind::ParentSequence { .. }
                | IssueKind::NamespaceDiffers { .. }
                | IssueKind::DirectoryLinks { .. }
                | IssueKind::AttributeMissing {
                    expected: AttributeKind::FILE_NAME,
                    ..
                } => {
                    round.files.extend(writer.owner(record)?);
                }
                IssueKind::Cycle { found, .. } => {
                    round.circles.insert(found.record());
                }
                IssueKind::EntryWithoutName { expected: file, .. }
                | IssueKind::EntryTarget { expected: file, .. }
                | IssueKind::EntrySequence { found: file, .. } => {
                    round.entries.entry(record).or_default().insert(*file);
                }
                IssueKind::EntryParent { .. } => {
                    round.entries.entry(record).or_default();
                }
                _ => {}
            }
        }
        Ok(round)
    }

    fn counts(&self, raise: bool) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        for issue in self.issues {
            if let (IssueKind::LinkCount { expected, found }, Some(record)) = (&issue.kind, issue.record)
                && (found < expected) == raise
            {
                steps.extend(self.writer.mend_count(record, raise)?);
            }
        }
        Ok(steps)
    }

    /// What is used is marked so, and counted.
    fn mark(&self) -> Result<Vec<Step>> {
        let spans: Vec<(u64, u64)> = self
            .issues
            .iter()
            .filter_map(|issue| match issue.kind {
                IssueKind::ClusterMarkedFree { found, count, .. } => Some((found, count)),
                _ => None,
            })
            .collect();
        let mut steps = Vec::new();
        if !spans.is_empty() {
            steps.extend(self.writer.mark_clusters(&spans)?);
        }
        for issue in self.issues {
            if let (IssueKind::RecordMarkedFree { .. }, Some(record)) = (&issue.kind, issue.record) {
                steps.extend(self.writer.mark_record(record)?);
            }
        }
        steps.extend(self.counts(true)?);
        Ok(steps)
    }

    /// Records whose headers say something else than all the rest of them.
    fn records(&self) -> Result<Vec<Step>> {
        let mut headers = BTreeSet::new();
        let mut bases = BTreeSet::new();
        let mut names = BTreeSet::new();
        for issue in self.issues {
            let (Some(record), Place::Record) = (issue.record, &issue.place) else {
                continue;
            };
            match &issue.kind {
                IssueKind::RecordSignature { .. }
                | IssueKind::UpdateSequence { .. }
                | IssueKind::FirstAttribute { .. }
                | IssueKind::RecordSize { .. }
                | IssueKind::RecordUsed { .. }
                | IssueKind::AttributeBounds { .. }
                | IssueKind::AttributeLength { .. } => {
                    headers.insert(record);
                }
                IssueKind::AttributePlace {
                    kind: AttributeKind::STANDARD_INFORMATION,
                    ..
                } => {
                    bases.insert(record);
                }
                IssueKind::ValueDamaged {
                    expected: AttributeKind::FILE_NAME,
                    ..
                } => {
                    names.extend(self.writer.owner(record)?);
                }
                _ => {}
            }
        }
        let mut steps = Vec::new();
        for record in headers {
            steps.extend(self.writer.mend_header(record)?);
        }
        for record in bases {
            steps.extend(self.writer.mend_base(record)?);
        }
        for file in names {
            steps.extend(self.writer.drop_broken_names(file)?);
        }
        Ok(steps)
    }

    /// Bitmaps that do not tell of everything.
    fn lengthen(&self) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        if self
            .issues
            .iter()
            .any(|issue| issue.severity() == Severity::Fatal)
        {
            // nobody knows how much there is to tell of
            return Ok(steps);
        }
        for issue in self.issues {
            if let (IssueKind::BitmapSize { .. }, Some(record)) = (&issue.kind, issue.record) {
                steps.extend(self.writer.lengthen_bitmap(record)?);
            }
        }
        Ok(steps)
    }

    /// Records without a sequence number get the one that their entries know them by; directories say that they are some.
    fn number(&self) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        for issue in self.issues {
            if let (IssueKind::DirectoryFlag { .. }, Some(record)) = (&issue.kind, issue.record)
                && let Some(base) = self.writer.owner(record)?
            {
                steps.extend(self.writer.name_index(base)?);
                steps.extend(self.writer.mend_directory_flag(base)?);
            }
            if let (IssueKind::SequenceZero { .. }, Some(record)) = (&issue.kind, issue.record) {
                let known = self.issues.iter().find_map(|other| match other.kind {
                    IssueKind::EntrySequence { found, .. } if found.record() == record => {
                        Some(found.sequence())
                    }
                    _ => None,
                });
                steps.extend(self.writer.number_record(record, known.unwrap_or(1).max(1))?);
            }
        }
        Ok(steps)
    }

    /// Lists that do not name what belongs to the file.
    fn lists(&self) -> Result<Vec<Step>> {
        let mut bases: BTreeMap<RecordNumber, Vec<RecordNumber>> = BTreeMap::new();
        for issue in self.issues {
            let Some(record) = issue.record else { continue };
            match &issue.kind {
                IssueKind::ListEntry { .. }
                | IssueKind::ListSize { .. }
                | IssueKind::ListOrder { .. }
                | IssueKind::ListRecord { .. }
                | IssueKind::ListAttribute { .. }
                | IssueKind::AttributeUnlisted { .. } => {
                    if let Some(base) = self.writer.owner(record)? {
                        bases.entry(base).or_default();
                    }
                }
                IssueKind::ExtensionUnlisted { expected, .. } => {
                    bases.entry(expected.record()).or_default();
                }
                _ => {}
            }
        }
        // that of the table itself is needed to read any other
        bases.remove(&RecordNumber::MFT);
        if bases.is_empty() {
            return Ok(Vec::new());
        }
        self.each_record(&mut |record| {
            if let Some(base) = record.base()
                && let Some(extensions) = bases.get_mut(&base.record())
            {
                extensions.push(record.number());
            }
        })?;
        let mut steps = Vec::new();
        for (base, extensions) in bases {
            steps.extend(self.writer.rebuild_list(base, &extensions)?);
        }
        Ok(steps)
    }

    /// Clusters that two values have: all but the first get copies.
    fn share(&self) -> Result<Vec<Step>> {
        let spans: Vec<(u64, u64)> = self
            .issues
            .iter()
            .filter_map(|issue| match issue.kind {
                IssueKind::ClusterTwice { found, count, .. } => Some((found, count)),
                _ => None,
            })
            .collect();
        if spans.is_empty() {
            return Ok(Vec::new());
        }
        let strays: HashSet<RecordNumber> = self.strays().collect();
        let mut claims = Claims::new(&spans);
        let clusters = self.writer.geometry().clusters;
        self.each_record(&mut |record| {
            if !strays.contains(&record.number()) {
                claims.collect(record, clusters);
            }
        })?;
        let mut steps = Vec::new();
        for shared in claims.shared() {
            steps.extend(self.writer.unshare(&shared)?);
        }
        Ok(steps)
    }

    /// 8.3 names without the name that they belong to, and the other way round.
    fn namespaces(&self) -> Result<Vec<Step>> {
        let mut files = BTreeSet::new();
        for issue in self.issues {
            if let IssueKind::TwinMissing { .. }
            | IssueKind::TwinAlone { .. }
            | IssueKind::TwinTwice { .. }
            | IssueKind::ShortName { .. }
            | IssueKind::Namespace { .. } = &issue.kind
                && let Some(record) = issue.record
            {
                files.extend(self.writer.owner(record)?);
            }
        }
        let mut steps = Vec::new();
        for file in files {
            steps.extend(self.writer.mend_namespaces(file)?);
        }
        Ok(steps)
    }

    /// Records that cannot be read, and that nothing refers to.
    fn free_damaged(&self) -> Result<Vec<Step>> {
        let damaged: BTreeSet<RecordNumber> = self
            .issues
            .iter()
            .filter(|issue| issue.place == Place::Record)
            .filter(|issue| {
                let kind = issue.kind_name();
                ["torn-sector", "update-sequence", "record-signature"].contains(&kind)
            })
            .filter_map(|issue| issue.record)
            .collect();
        if damaged.is_empty() {
            return Ok(Vec::new());
        }
        self.writer.free_damaged(&damaged)
    }

    /// Visits every record that is in use and can be read.
    fn each_record(&self, visit: &mut dyn FnMut(&Record<'_>)) -> Result<()> {
        let volume = Volume::open(Box::new(Arc::clone(self.device)), &OpenOptions::default())?;
        let mut bytes = Vec::new();
        for number in (0..volume.records()).map(RecordNumber) {
            volume.read_record(number, &mut bytes)?;
            if let Ok(record) = Record::parse(number, &mut bytes)
                && record.is_in_use()
            {
                visit(&record);
            }
        }
        Ok(())
    }

    fn add_names(&self) -> Result<Vec<Step>> {
        let directories: BTreeSet<RecordNumber> = self.entries.keys().copied().collect();
        if directories.is_empty() {
            return Ok(Vec::new());
        }
        let mut names = self.names_in(&directories)?;
        // what a damaged index says is looked at when it is made anew
        let damaged = self.damaged();
        let mut steps = Vec::new();
        for (directory, files) in self
            .entries
            .iter()
            .filter(|(directory, _)| !damaged.contains(directory))
        {
            let held = names.remove(directory).unwrap_or_default();
            steps.extend(self.writer.mend_entries(*directory, files, &held)?);
        }
        Ok(steps)
    }

    fn add_entries(&self) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        for file in &self.files {
            steps.extend(self.writer.mend_names(*file, false)?);
        }
        for directory in self.circles.difference(&self.files) {
            steps.extend(self.writer.mend_names(*directory, true)?);
        }
        Ok(steps)
    }

    fn drop_names(&self) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        for file in &self.files {
            steps.extend(self.writer.drop_names(*file)?);
        }
        Ok(steps)
    }

    fn drop_entries(&self) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        for (directory, files) in &self.entries {
            steps.extend(self.writer.drop_entries(*directory, files)?);
        }
        Ok(steps)
    }

    fn lower(&self) -> Result<Vec<Step>> {
        self.counts(false)
    }

    /// Security descriptors that lost a copy, and their indexes.
    fn descriptors(&self) -> Result<Vec<Step>> {
        let wanted: BTreeSet<(u64, u32)> = self
            .issues
            .iter()
            .filter_map(|issue| match issue.kind {
                IssueKind::SecurityCopy { offset, id, .. } => Some((offset, id)),
                _ => None,
            })
            .collect();
        let steps = if wanted.is_empty() {
            Vec::new()
        } else {
            self.writer.mend_descriptors(&wanted)?
        };
        if !steps.is_empty() {
            return Ok(steps);
        }
        let is_concerned = |issue: &Issue| match &issue.kind {
            IssueKind::SecurityIndexEntry { .. } | IssueKind::SecurityUnindexed { .. } => true,
            _ => issue.record == Some(RecordNumber::SECURE) && is_of_index(issue),
        };
        if self.issues.iter().any(is_concerned) {
            return self.writer.rebuild_secure();
        }
        Ok(Vec::new())
    }

    /// Extension records that no file knows of.
    fn strays(&self) -> impl Iterator<Item = RecordNumber> + '_ {
        self.issues.iter().filter_map(|issue| {
            let stray = matches!(
                issue.kind,
                IssueKind::BaseReference { .. } | IssueKind::ExtensionUnlisted { .. }
            );
            issue.record.filter(|_| stray)
        })
    }

    fn give_back(&self) -> Result<Vec<Step>> {
        let doubt = self
            .issues
            .iter()
            .any(|issue| issue.severity() != Severity::Note && !HARMLESS.contains(&issue.kind_name()));
        if doubt {
            return Ok(Vec::new());
        }
        let mut leaks = Leaks {
            extensions: self.strays().collect(),
            ..Leaks::default()
        };
        for issue in self.issues {
            match (&issue.kind, issue.record, &issue.place) {
                (IssueKind::ClusterMarkedUsed { found, count, .. }, ..) => {
                    leaks.clusters.push((*found, *count));
                }
                (IssueKind::RecordMarkedUsed { .. }, Some(record), _) => leaks.records.push(record),
                (IssueKind::BlockUnreachable { .. }, Some(record), Place::IndexBlock { index, vcn }) => {
                    leaks.blocks.push((record, index.clone(), *vcn));
                }
                _ => {}
            }
        }
        // a part of a file that nobody knows of may lie in clusters that nobody knows of
        let mut first = leaks.clone();
        first.clusters.clear();
        let steps = self.writer.free_leaks(&first)?;
        if !steps.is_empty() {
            return Ok(steps);
        }
        if !leaks.extensions.is_empty() {
            return Ok(Vec::new());
        }
        self.writer.free_leaks(&Leaks {
            clusters: leaks.clusters,
            ..Leaks::default()
        })
    }

    fn copy(&self) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        for issue in self.issues {
            if let (IssueKind::MirrorDiffers { .. }, Some(record)) = (&issue.kind, issue.record) {
                steps.extend(self.writer.copy_record(record)?);
            }
        }
        Ok(steps)
    }
}
