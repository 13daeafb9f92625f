//! Indexes of directories that are damaged, and directories that are beyond repair.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::super::Step;
use super::Round;
use crate::check::{Issue, IssueKind, Place, Severity};
use crate::error::{Error, Result};
use crate::file::FileName;
use crate::index::Index;
use crate::layout::attribute::AttributeKind;
use crate::units::{FileReference, RecordNumber};
use crate::views::View;
use crate::volume::{OpenOptions, Volume};

/// Damage to records that hides names: where the old index cannot be looked through, it is not made anew from the others,
/// for it may hold the last trace.
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

/// Whether an issue is damage to an index.
pub(super) fn is_of_index(issue: &Issue) -> bool {
    let kind = issue.kind_name();
    let lacks_bitmap = matches!(
        issue.kind,
        IssueKind::AttributeMissing {
            expected: AttributeKind::BITMAP | AttributeKind::INDEX_ALLOCATION,
            ..
        }
    );
    let in_block = matches!(issue.place, Place::IndexBlock { .. });
    INDEX.contains(&kind) || lacks_bitmap || (in_block && BLOCK.contains(&kind))
}

impl Round<'_> {
    /// Directories whose index is damaged.
    pub(super) fn damaged(&self) -> BTreeSet<RecordNumber> {
        self.issues
            .iter()
            .filter(|issue| match &issue.place {
                Place::IndexBlock { index, .. } => index == "$I30",
                Place::Volume | Place::Record => true,
            })
            .filter(|issue| is_of_index(issue))
            .filter_map(|issue| issue.record)
            .collect()
    }

    /// Indexes that are damaged are made anew from the names of files, and from what they still tell of files that
    /// cannot be read.
    pub(super) fn rebuild(&self) -> Result<Vec<Step>> {
        let directories = self.damaged();
        if directories.is_empty() {
            return Ok(Vec::new());
        }
        let mut steps = Vec::new();
        for directory in &directories {
            steps.extend(self.writer.name_index(*directory)?);
        }
        if !steps.is_empty() {
            return Ok(steps);
        }
        let hidden = self.issues.iter().any(|issue| {
            let in_record = !matches!(issue.place, Place::IndexBlock { .. });
            in_record && HIDING.contains(&issue.kind_name())
        });
        let mut names = self.names_in(&directories)?;
        for directory in directories {
            let names = names.remove(&directory).unwrap_or_default();
            let kept = match self.kept(directory, &names) {
                Ok(kept) => kept,
                Err(Error::Corrupt(_) | Error::Unsupported(_)) if hidden => continue,
                Err(Error::Corrupt(_) | Error::Unsupported(_)) => Vec::new(),
                Err(error) => return Err(error),
            };
            steps.extend(self.writer.rebuild(directory, &names, &kept)?);
        }
        Ok(steps)
    }

    /// What a damaged index tells of names that no file has: their files cannot be read, or lost them.
    fn kept(
        &self,
        number: RecordNumber,
        names: &[(FileReference, FileName)],
    ) -> Result<Vec<(FileReference, Vec<u8>)>> {
        let known: HashSet<&[u16]> = names.iter().map(|(_, name)| name.name.as_slice()).collect();
        let volume = Volume::open(Box::new(Arc::clone(self.device)), &OpenOptions::default())?;
        let directory = volume.file(number)?;
        let index = Index::open(&volume, &directory)?;
        let mut kept = BTreeMap::new();
        for (file, key) in index.leftovers()? {
            let Ok(name) = FileName::parse(&key) else { continue };
            if name.parent != directory.reference() || known.contains(name.name.as_slice()) {
                continue;
            }
            let lasts = match volume.file(file.record()) {
                // one that has all the names it counts lacks none
                Ok(found) => {
                    let counted = found.base().map_or(0, |base| usize::from(base.raw_links()));
                    let complete = found.names().is_ok_and(|names| names.len() >= counted.max(1));
                    found.reference() == file && !complete
                }
                // a record that cannot be read may be that file
                Err(Error::Corrupt(_)) => !self.writer.is_gone(file.record())?,
                Err(error) => return Err(error),
            };
            if lasts {
                kept.insert(name.name, (file, key));
            }
        }
        Ok(kept.into_values().collect())
    }

    /// Indexes of object ids and of reparse points that are damaged, or say something else than the files.
    pub(super) fn views(&self) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        for view in View::ALL {
            let Some(number) = self.writer.view_file(view)? else {
                continue;
            };
            let is_concerned = |issue: &Issue| match (&issue.kind, view) {
                (IssueKind::ObjectIdEntry { .. } | IssueKind::ObjectIdUnindexed { .. }, View::ObjectIds)
                | (
                    IssueKind::ReparseEntry { .. } | IssueKind::ReparseUnindexed { .. },
                    View::ReparsePoints,
                ) => true,
                (
                    IssueKind::AttributeMissing {
                        expected: AttributeKind::INDEX_ROOT,
                        ..
                    },
                    _,
                ) => issue.record == Some(number),
                _ => issue.record == Some(number) && is_of_index(issue),
            };
            if self.issues.iter().any(is_concerned) {
                let files = self.files_with(view.kind())?;
                steps.extend(self.writer.rebuild_view(view, &files)?);
            }
        }
        Ok(steps)
    }

    /// Files that have an unnamed attribute of a type.
    fn files_with(&self, kind: AttributeKind) -> Result<BTreeSet<RecordNumber>> {
        let strays: HashSet<RecordNumber> = self.strays().collect();
        let mut files = BTreeSet::new();
        self.each_record(&mut |record| {
            let mut attributes = record.attributes().flatten();
            let has =
                attributes.any(|attribute| attribute.kind() == kind && attribute.name_bytes().is_empty());
            if has && !strays.contains(&record.number()) {
                files.insert(record.base().map_or(record.number(), FileReference::record));
            }
        })?;
        Ok(files)
    }

    /// Files that can be reached no more because their directory is beyond repair get a name where they can.
    pub(super) fn rescue(&self) -> Result<Vec<Step>> {
        let mut closed = BTreeSet::new();
        for issue in self
            .issues
            .iter()
            .filter(|issue| issue.severity() != Severity::Note)
        {
            let parent = match &issue.kind {
                // of a record that is not one any more, and marked as free, nothing else is said
                IssueKind::ParentMissing { expected, .. } => Some(expected.record()),
                _ => None,
            };
            for record in issue.record.into_iter().chain(parent) {
                let base = self.writer.owner(record)?.unwrap_or(record);
                if !closed.contains(&base) && self.writer.is_closed(base)? {
                    closed.insert(base);
                }
            }
        }
        if closed.is_empty() {
            return Ok(Vec::new());
        }
        let files: BTreeSet<RecordNumber> = self
            .names_in(&closed)?
            .into_values()
            .flatten()
            .map(|(file, _)| file.record())
            .collect();
        let mut steps = Vec::new();
        for file in files {
            steps.extend(self.writer.rescue(file)?);
        }
        Ok(steps)
    }

    /// The names that files have in some directories.
    pub(super) fn names_in(
        &self,
        directories: &BTreeSet<RecordNumber>,
    ) -> Result<HashMap<RecordNumber, Vec<(FileReference, FileName)>>> {
        let strays: HashSet<RecordNumber> = self.strays().collect();
        let mut names: HashMap<RecordNumber, Vec<(FileReference, FileName)>> = HashMap::new();
        // the audit found none in use that cannot be read
        self.each_record(&mut |record| {
            if strays.contains(&record.number()) {
                return;
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
        })?;
        Ok(names)
    }
}
