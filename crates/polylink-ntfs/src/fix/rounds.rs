//! Which class of steps has its turn, and what it is about.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use polylink_core::Progress;

use super::{Step, audit};
use crate::check::{Issue, IssueKind, Place, Severity, Summary};
use crate::device::Device;
use crate::error::Result;
use crate::file::FileName;
use crate::layout::attribute::AttributeKind;
use crate::record::Record;
use crate::units::{FileReference, RecordNumber};
use crate::volume::{OpenOptions, Volume};
use crate::write::{Leaks, Writer};

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
];

/// Damage to records that hides names: an index is not made anew from the others, for it may hold the last trace.
const HIDING: &[&str] = &[
    "unreadable",
    "torn-sector",
    "update-sequence",
    "record-signature",
    "first-attribute",
    "attribute-length",
    "attribute-bounds",
    "resident-flag",
    "value-damaged",
    "list-entry",
    "list-size",
    "list-record",
    "list-attribute",
    "attribute-unlisted",
    "table-size",
    "system-file",
];

/// Damage to an index that is mended by making it anew.
const INDEX: &[&str] = &[
    "index-rule",
    "index-block-size",
    "index-entry",
    "index-order",
    "entry-twice",
    "block-signature",
    "block-missing",
    "block-place",
    "block-twice",
    "block-marked-free",
    "node-bounds",
    "node-flags",
];

/// Damage that is one to an index where it is in one of its blocks.
const BLOCK: &[&str] = &["unreadable", "torn-sector", "update-sequence"];

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
        let steps = turn(&Round::new(device, writer, &issues)?)?;
        writer.sync()?;
        // what is done a second time does not help
        let fresh = steps.iter().filter(|step| !done.contains(*step)).count();
        for step in steps {
            done.insert(step.clone());
            report(step);
        }
        if fresh == 0 {
            return audit(device, progress);
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

/// Carries out the first class that has anything to do.
fn turn<'r>(round: &Round<'r>) -> Result<Vec<Step>> {
    let classes: [Class<'r>; 9] = [
        Round::mark,
        Round::add_names,
        Round::add_entries,
        Round::rebuild,
        Round::drop_names,
        Round::drop_entries,
        Round::lower,
        Round::give_back,
        Round::copy,
    ];
    for class in classes {
        let steps = class(round)?;
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

    fn add_names(&self) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        for (directory, files) in &self.entries {
            steps.extend(self.writer.mend_entries(*directory, files)?);
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

    /// Directories whose index is damaged.
    fn damaged(&self) -> BTreeSet<RecordNumber> {
        self.issues
            .iter()
            .filter(|issue| {
                let in_block = match &issue.place {
                    Place::IndexBlock { index, .. } if index == "$I30" => true,
                    Place::IndexBlock { .. } => return false,
                    Place::Volume | Place::Record => false,
                };
                let kind = issue.kind_name();
                let lacks_bitmap = matches!(
                    issue.kind,
                    IssueKind::AttributeMissing {
                        expected: AttributeKind::BITMAP | AttributeKind::INDEX_ALLOCATION,
                        ..
                    }
                );
                INDEX.contains(&kind) || lacks_bitmap || (in_block && BLOCK.contains(&kind))
            })
            .filter_map(|issue| issue.record)
            .collect()
    }

    fn rebuild(&self) -> Result<Vec<Step>> {
        let directories = self.damaged();
        let hidden = self.issues.iter().any(|issue| {
            let in_record = !matches!(issue.place, Place::IndexBlock { .. });
            in_record && HIDING.contains(&issue.kind_name())
        });
        if directories.is_empty() || hidden {
            return Ok(Vec::new());
        }
        let mut names = self.names_in(&directories)?;
        let mut steps = Vec::new();
        for directory in directories {
            let names = names.remove(&directory).unwrap_or_default();
            steps.extend(self.writer.rebuild(directory, &names)?);
        }
        Ok(steps)
    }

    /// The names that files have in some directories.
    fn names_in(
        &self,
        directories: &BTreeSet<RecordNumber>,
    ) -> Result<HashMap<RecordNumber, Vec<(FileReference, FileName)>>> {
        let strays: HashSet<RecordNumber> = self.strays().collect();
        let volume = Volume::open(Box::new(Arc::clone(self.device)), &OpenOptions::default())?;
        let mut names: HashMap<RecordNumber, Vec<(FileReference, FileName)>> = HashMap::new();
        let mut bytes = Vec::new();
        for number in (0..volume.records()).map(RecordNumber) {
            if strays.contains(&number) {
                continue;
            }
            volume.read_record(number, &mut bytes)?;
            let Ok(record) = Record::parse(number, &mut bytes) else {
                // not in use: the audit found no other that cannot be read
                continue;
            };
            if !record.is_in_use() {
                continue;
            }
            let file = record.base().unwrap_or(record.reference());
            for attribute in record.attributes().flatten() {
                if attribute.kind() == AttributeKind::FILE_NAME
                    && let Some(Ok(name)) = attribute.resident().map(FileName::parse)
                    && directories.contains(&name.parent.record())
                {
                    names.entry(name.parent.record()).or_default().push((file, name));
                }
            }
        }
        Ok(names)
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
