//! The indexes of object ids and of reparse points, made anew from the files that have those.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::directory::{IndexName, by_numbers, empty_root};
use super::super::open::Writer;
use super::super::state::State;
use super::super::tree;
use super::Target;
use crate::error::{Error, Result};
use crate::fix::{Step, StepKind};
use crate::units::{FileReference, RecordNumber};
use crate::views::{Key, Listed, View, birth, birth_of_entry};

/// The order of keys that are rows of 32-bit numbers.
const NUMBERS: u32 = 0x13;

impl State {
    /// The entries of an index, each with what the file was born with, as many of them as can be read.
    fn view_entries(&mut self, number: RecordNumber, view: View) -> Result<HashMap<Listed, Vec<u8>>> {
        let mut found = HashMap::new();
        let walked = self
            .directory(number, IndexName::View(view))
            .and_then(|mut index| {
                tree::walk(&mut index, &mut |entry| {
                    if let Some(listed) = Listed::read(view, entry) {
                        found.insert(listed, birth_of_entry(entry).unwrap_or_default());
                    }
                    Ok(())
                })
            });
        match walked {
            Ok(()) | Err(Error::Corrupt(_)) => Ok(found),
            Err(error) => Err(error),
        }
    }

    /// What a file has that belongs into an index, and what it was born with.
    fn viewed(&mut self, base: RecordNumber, view: View) -> Result<Option<(Listed, Option<Vec<u8>>)>> {
        let Target::File { now, .. } = self.target(base)? else {
            return Ok(None);
        };
        let Some(value) = self
            .view_value(base, view)?
            .filter(|value| view.fits(value.len()))
        else {
            return Ok(None);
        };
        let key = view.key(&value, now);
        Ok(key.map(|key| (Listed { key, file: now }, birth(&value))))
    }

    /// Makes one of the indexes anew from these files, and from what it tells of files that cannot be read.
    fn rebuild_view(&mut self, view: View, files: &BTreeSet<RecordNumber>) -> Result<Vec<Step>> {
        let Some(number) = self.view_file(view)? else {
            return Ok(Vec::new());
        };
        let old = self.view_entries(number, view)?;
        // with what each was born with
        let mut new: BTreeMap<Listed, Vec<u8>> = BTreeMap::new();
        let mut taken: HashMap<Key, FileReference> = HashMap::new();
        for base in files {
            let (listed, birth) = match self.viewed(*base, view) {
                Ok(Some(viewed)) => viewed,
                Ok(None) => continue,
                // what the index knows of it stays
                Err(Error::Corrupt(_)) => {
                    let known = old.iter().filter(|(listed, _)| listed.file.record() == *base);
                    new.extend(known.map(|(listed, birth)| (*listed, birth.clone())));
                    continue;
                }
                Err(error) => return Err(error),
            };
            let known = old.get(&listed);
            // the volume's own files need not be in it; of two with one id the one stays that is
            let other = taken.get(&listed.key).copied();
            let other_stays = other.is_some_and(|file| {
                let key = listed.key;
                known.is_none() || old.contains_key(&Listed { key, file })
            });
            if (known.is_none() && *base < RecordNumber::FIRST_SPARE) || other_stays {
                continue;
            }
            if let Some(file) = other {
                let key = listed.key;
                new.remove(&Listed { key, file });
            }
            taken.insert(listed.key, listed.file);
            let birth = birth.or_else(|| known.cloned());
            new.insert(listed, birth.unwrap_or_default());
        }
        for (listed, birth) in old {
            if !taken.contains_key(&listed.key) && self.target(listed.file.record())? == Target::Unknown {
                new.insert(listed, birth);
            }
        }
        let root = empty_root(0, NUMBERS, self.geometry.index, self.geometry.cluster);
        self.empty_index(number, IndexName::View(view), &root)?;
        let mut count = 0_u64;
        for (listed, birth) in new {
            let entry = listed.entry(view, &birth);
            let mut index = self.directory(number, IndexName::View(view))?;
            if tree::insert(&mut index, &entry, &by_numbers)? {
                count = count.saturating_add(1);
            }
        }
        Ok(vec![Step::new(
            StepKind::RebuildIndex,
            number,
            format!("the index {} of {}", view.name(), view.file()),
            "not what the files have",
            format!("made anew from {count} files"),
        )])
    }
}

impl Writer {
    /// The record that has one of the indexes of `$Extend`; `None` where there is none that can be read.
    pub(crate) fn view_file(&self, view: View) -> Result<Option<RecordNumber>> {
        match self.look(|state| state.view_file(view)) {
            Err(Error::Corrupt(_)) => Ok(None),
            outcome => outcome,
        }
    }

    /// Makes the index of object ids, or that of reparse points, anew from the files that have such.
    pub(crate) fn rebuild_view(&self, view: View, files: &BTreeSet<RecordNumber>) -> Result<Vec<Step>> {
        self.mend(|inner| inner.state.rebuild_view(view, files))
    }
}
