//! The entries of one directory: those whose files do not know of them, and an index that is made anew.

use std::collections::BTreeSet;

use polylink_nt::name::Namespace;

use super::super::cache::Class;
use super::super::directory::{IndexName, by_exact_name, empty_directory, name_entry};
use super::super::files::ValuePlace;
use super::super::names::{Found, file_name, found, probe};
use super::super::open::Writer;
use super::super::state::{Facts, State};
use super::super::tree;
use super::Target;
use crate::error::{Error, Result};
use crate::file::FileName;
use crate::fix::{Step, StepKind, called};
use crate::layout::attribute::AttributeKind;
use crate::units::{FileReference, RecordNumber};

impl State {
    /// The entries of a directory that lead to some files, or that say they are in another directory; as many of them
    /// as can be read.
    fn entries_for(
        &mut self,
        directory: FileReference,
        files: &BTreeSet<FileReference>,
    ) -> Result<Vec<Found>> {
        let mut entries = Vec::new();
        let mut index = self.directory(directory.record(), IndexName::Names)?;
        let walked = tree::walk(&mut index, &mut |entry| {
            let found = found(entry)?;
            if files.contains(&found.file) || found.name.parent != directory {
                entries.push(found);
            }
            Ok(())
        });
        match walked {
            Ok(()) | Err(Error::Corrupt(_)) => Ok(entries),
            Err(error) => Err(error),
        }
    }

    /// Whether a file may get the name that an entry says.
    fn may_have(
        &mut self,
        file: FileReference,
        is_directory: bool,
        found: &Found,
        limit: u32,
    ) -> Result<bool> {
        if file.record() < RecordNumber::FIRST_SPARE {
            // one of the volume's own files that lost its name
            let own = file
                .record()
                .is_own_file(&String::from_utf16_lossy(&found.name.name).into_bytes());
            return Ok(own && self.names(file.record())?.is_empty());
        }
        if is_directory {
            return Ok(self.names(file.record())?.is_empty());
        }
        Ok(!found.name.is_link() || self.link_counts(file.record())?.1 < limit)
    }

    /// Gives files the names that a directory's entries say they have, unless another file has it (`held`: the names that
    /// files have in the directory), and corrects entries.
    fn mend_entries(
        &mut self,
        number: RecordNumber,
        files: &BTreeSet<FileReference>,
        held: &[(FileReference, FileName)],
        limit: u32,
    ) -> Result<Vec<Step>> {
        let Some(directory) = self.directory_now(number)? else {
            return Ok(Vec::new());
        };
        let mut steps = Vec::new();
        for found in self.entries_for(directory, files)? {
            let Target::File { now, is_directory } = self.target(found.file.record())? else {
                continue;
            };
            let name = &found.name.name;
            let what = format!("the name {} in {directory}", called(name));
            let namespace = found.name.namespace.unwrap_or(Namespace::Posix);
            if self.holds(now.record(), number, name)? {
                if found.name.parent == directory && found.file == now {
                    continue;
                }
                let facts = self.facts(now.record())?;
                let key = file_name(directory, &facts, name, namespace);
                self.redirect(number, &found, now, &key)?;
                let before = format!("its entry says {} in {}", found.file, found.name.parent);
                steps.push(Step::new(
                    StepKind::CorrectEntry,
                    now.record(),
                    what,
                    before,
                    format!("{now} in {directory}"),
                ));
                continue;
            }
            // an entry that says one file, and a file that says it has the name: the file is to be believed, and its
            // entry comes back to it
            let others = held
                .iter()
                .any(|(file, other)| *file != now && other.parent == directory && other.name == *name);
            if others || now != found.file || !self.may_have(now, is_directory, &found, limit)? {
                continue;
            }
            let key = self.hold_name(now, directory, name, namespace, u32::MAX)?;
            if found.name.parent != directory {
                self.redirect(number, &found, now, &key)?;
            }
            steps.push(Step::new(
                StepKind::AddName,
                now.record(),
                what,
                "the directory has it, the file does not",
                "the file has and counts it",
            ));
        }
        Ok(steps)
    }

    /// Takes entries out of a directory that lead to nothing, or to a file that cannot have the name.
    fn drop_entries(
        &mut self,
        number: RecordNumber,
        files: &BTreeSet<FileReference>,
        limit: u32,
    ) -> Result<Vec<Step>> {
        let Some(directory) = self.directory_now(number)? else {
            return Ok(Vec::new());
        };
        let mut steps = Vec::new();
        for found in self.entries_for(directory, files)? {
            let name = &found.name.name;
            let why = match self.target(found.file.record())? {
                Target::Unknown => continue,
                Target::Gone => "it leads to no file",
                Target::File { now, is_directory } => {
                    if self.holds(now.record(), number, name)? {
                        continue;
                    }
                    if now != found.file {
                        "the file that it leads to is gone"
                    } else if now.record() < RecordNumber::FIRST_SPARE {
                        // nobody but the volume itself makes these
                        continue;
                    } else if is_directory {
                        "the directory that it leads to has another name"
                    } else if !self.may_have(now, is_directory, &found, limit)? {
                        "the file that it leads to has all the names that a file may have"
                    } else {
                        continue;
                    }
                }
            };
            let upcase = self.upcase.clone();
            let order = |a: &[u8], b: &[u8]| by_exact_name(&upcase, a, b);
            let mut index = self.directory(number, IndexName::Names)?;
            let removed = tree::remove(&mut index, &probe(name), &order)?;
            if removed.is_some() {
                steps.push(Step::new(
                    StepKind::RemoveEntry,
                    number,
                    format!("the entry {} for {}", called(name), found.file),
                    why,
                    "removed",
                ));
            }
        }
        Ok(steps)
    }

    /// Gives a file an empty index in place of one that it has.
    pub(super) fn empty_index(&mut self, number: RecordNumber, index: IndexName, root: &[u8]) -> Result<()> {
        let name = index.units();
        for kind in [AttributeKind::INDEX_ALLOCATION, AttributeKind::BITMAP] {
            let old = self.value(number, kind, name)?;
            if let Some(ValuePlace::Clusters(runs, _)) = old.map(|value| value.place) {
                self.free_clusters(&runs);
            }
        }
        for kind in [AttributeKind::INDEX_ALLOCATION, AttributeKind::BITMAP] {
            // the numbers of the others may change with each that goes
            while let Some(held) = self.parts(number, kind, name)?.first().copied() {
                self.remove_attribute(number, held, Class::Directory)?;
            }
        }
        self.set_resident(number, AttributeKind::INDEX_ROOT, name, root, Class::Directory)?;
        self.directories.remove(&(number, index));
        Ok(())
    }

    /// Makes the index of a directory anew.
    fn rebuild(
        &mut self,
        number: RecordNumber,
        names: &[(FileReference, FileName)],
        kept: &[(FileReference, Vec<u8>)],
    ) -> Result<Vec<Step>> {
        let Some(directory) = self.directory_now(number)? else {
            return Ok(Vec::new());
        };
        let root = empty_directory(self.geometry.index, self.geometry.cluster);
        self.empty_index(number, IndexName::Names, &root)?;
        let upcase = self.upcase.clone();
        let mut entries = Vec::with_capacity(names.len());
        for (file, name) in names.iter().filter(|(_, name)| name.parent == directory) {
            let namespace = name.namespace.unwrap_or(Namespace::Posix);
            let facts = match self.facts(file.record()) {
                // what is wrong with the file must not keep it from being found
                Err(Error::Corrupt(_)) => Facts {
                    created: name.created,
                    modified: name.modified,
                    changed: name.changed,
                    accessed: name.accessed,
                    allocated: name.allocated,
                    size: name.size,
                    attributes: name.attributes,
                    ea_or_tag: name.ea_or_tag,
                },
                facts => facts?,
            };
            let key = file_name(directory, &facts, &name.name, namespace);
            entries.push((key, *file));
        }
        entries.extend(kept.iter().map(|(file, key)| (key.clone(), *file)));
        entries.sort_by(|(a, _), (b, _)| by_exact_name(&upcase, a, b));
        let mut count = 0_u64;
        for (key, file) in entries {
            let entry = name_entry(file, &key);
            let mut index = self.directory(number, IndexName::Names)?;
            // of two files with one name the second is found again by the audit, and gets a place of its own
            if tree::insert(&mut index, &entry, &|a, b| by_exact_name(&upcase, a, b))? {
                count = count.saturating_add(1);
            }
        }
        Ok(vec![Step::new(
            StepKind::RebuildIndex,
            number,
            "the index of the directory".to_owned(),
            "damaged",
            format!("made anew from {count} names"),
        )])
    }
}

impl Writer {
    /// Gives files the names that a directory leads to them by, of which `held` are those that files know of.
    pub(crate) fn mend_entries(
        &self,
        directory: RecordNumber,
        files: &BTreeSet<FileReference>,
        held: &[(FileReference, FileName)],
    ) -> Result<Vec<Step>> {
        self.mend(|inner| {
            let limit = inner.options.max_links;
            inner.state.mend_entries(directory, files, held, limit)
        })
    }

    /// Takes entries out of a directory that lead nowhere.
    pub(crate) fn drop_entries(
        &self,
        directory: RecordNumber,
        files: &BTreeSet<FileReference>,
    ) -> Result<Vec<Step>> {
        self.mend(|inner| {
            let limit = inner.options.max_links;
            inner.state.drop_entries(directory, files, limit)
        })
    }

    /// Makes the index of a directory anew, from the names that files have in it, and from entries that are `kept`.
    pub(crate) fn rebuild(
        &self,
        directory: RecordNumber,
        names: &[(FileReference, FileName)],
        kept: &[(FileReference, Vec<u8>)],
    ) -> Result<Vec<Step>> {
        self.mend(|inner| inner.state.rebuild(directory, names, kept))
    }
}
