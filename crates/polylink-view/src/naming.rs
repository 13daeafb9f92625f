//! Which name a file gets in the view.

use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};

use polylink_core::{Name, NameRules};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::ledger::Book;
use crate::scan::{Sources, ViewNames};
use crate::template::{Subject, Template, fitting, fitting_number};

/// Who has a name.
#[derive(Clone, Copy, Debug)]
enum Holder {
    /// An entry of the view: its index.
    View(u32),
    /// A file that got it in this run: its index in the sources.
    New(u32),
}

/// The names that are taken, under the view's own rule of when two names are the same.
pub(crate) struct Naming<'a> {
    sources: &'a Sources,
    view: &'a ViewNames,
    book: &'a Book,
    rows: &'a FxHashMap<&'a [u8], u32>,
    rules: NameRules,
    template: &'a Template,
    taken: FxHashMap<Cow<'a, [u8]>, Holder>,
    /// Names that go in this run.
    leaving: FxHashSet<&'a [u8]>,
    /// Where to go on counting for a name that is often taken.
    counters: FxHashMap<Vec<u8>, u32>,
}

impl<'a> Naming<'a> {
    /// `stays` tells which entries of the view still stand after this run.
    pub(crate) fn new(
        sources: &'a Sources,
        view: &'a ViewNames,
        book: &'a Book,
        rows: &'a FxHashMap<&'a [u8], u32>,
        rules: NameRules,
        template: &'a Template,
        stays: impl Fn(u32) -> bool,
    ) -> Self {
        let mut taken = FxHashMap::with_capacity_and_hasher(view.names.len(), rustc_hash::FxBuildHasher);
        let mut leaving = FxHashSet::default();
        for (index, entry) in (0u32..).zip(&view.names) {
            let name = view.name(entry);
            if stays(index) {
                taken.insert(rules.key(Name::new(name)), Holder::View(index));
            } else {
                leaving.insert(name);
            }
        }
        Self {
            sources,
            view,
            book,
            rows,
            rules,
            template,
            taken,
            leaving,
            counters: FxHashMap::default(),
        }
    }

    pub(crate) fn reserve(&mut self, names: usize) {
        self.taken.reserve(names);
    }

    fn take(&mut self, name: &[u8], holder: Holder) -> bool {
        let key = self.rules.key(Name::new(name));
        if self.taken.contains_key(&*key) {
            return false;
        }
        self.taken.insert(Cow::Owned(key.into_owned()), holder);
        true
    }

    /// Takes exactly this name for the file, if it is free.
    pub(crate) fn take_exactly(&mut self, name: &[u8], file: u32) -> bool {
        self.take(name, Holder::New(file))
    }

    /// The name for a file: `None` where it is the file's own.
    pub(crate) fn choose(&mut self, file: u32) -> Option<Box<[u8]>> {
        let sources: &'a Sources = self.sources;
        let wanted = &sources.files[file as usize];
        let own = sources.name(wanted);
        if self.template.is_plain() && self.rules.fits(own) {
            let key = self.rules.key(Name::new(own));
            if let std::collections::hash_map::Entry::Vacant(free) = self.taken.entry(key) {
                free.insert(Holder::New(file));
                return None;
            }
        }
        let dir = sources.dir(wanted);
        let folders = dir.folders.as_slice();
        let subject = Subject {
            name: Name::new(own),
            folders,
            id: wanted.id,
        };
        if self.template.has_number() {
            let unnumbered = self.template.fill(&subject, 0).into_owned();
            let template = self.template;
            let rules = self.rules;
            return Some(self.count(unnumbered, 1, Holder::New(file), |number| {
                fitting_number(template.fill(&subject, number), number, &rules)
            }));
        }
        let plain = fitting(self.template.fill(&subject, 1), &self.rules).into_owned();
        if self.take(&plain, Holder::New(file)) {
            return Some(plain.into());
        }
        let holder_dir = self.holder_dir(&plain);
        let label = telling_folders(&dir.path, holder_dir.as_deref(), folders);
        Some(self.labelled(&plain, &label, Holder::New(file)))
    }

    /// A free name for the old version of a file, which keeps its data under a name of its own. Its row is written
    /// while the names that go in this run still stand, so it is none of theirs.
    pub(crate) fn choose_superseded(&mut self, name: &[u8], file: u32) -> Box<[u8]> {
        loop {
            let chosen = self.labelled(name, b"superseded", Holder::New(file));
            if !self.leaving.contains(&*chosen) {
                return chosen;
            }
        }
    }

    fn labelled(&mut self, plain: &[u8], label: &[u8], holder: Holder) -> Box<[u8]> {
        let candidate = if label.is_empty() {
            plain.to_vec()
        } else {
            self.rules.with_label(plain, label)
        };
        if self.take(&candidate, holder) {
            return candidate.into();
        }
        let rules = self.rules;
        let base = candidate.clone();
        self.count(base, 2, holder, |number| {
            rules.with_label(&candidate, number.to_string().as_bytes())
        })
    }

    /// The first free name in a numbered series; it is remembered how far the series is used up.
    fn count(
        &mut self,
        series: Vec<u8>,
        from: u32,
        holder: Holder,
        name: impl Fn(u32) -> Vec<u8>,
    ) -> Box<[u8]> {
        let mut number = self.counters.get(&series).copied().unwrap_or(from);
        loop {
            let candidate = name(number);
            number = number.saturating_add(1);
            if self.take(&candidate, holder) {
                self.counters.insert(series, number);
                return candidate.into();
            }
        }
    }

    /// The source directory of the file that has a name, where it is known.
    fn holder_dir(&self, name: &[u8]) -> Option<PathBuf> {
        match *self.taken.get(&*self.rules.key(Name::new(name)))? {
            Holder::New(file) => Some(self.sources.dir(&self.sources.files[file as usize]).path.clone()),
            Holder::View(index) => {
                let row = *self.rows.get(self.view.name(&self.view.names[index as usize]))?;
                let path = self.book.dir_path(self.book.rows[row as usize].dir)?;
                Name::new(path).to_os().map(|path| PathBuf::from(&*path))
            }
        }
    }
}

/// The folders that tell a file from the one that has the name: from the first that differs, and at least two where
/// the file lies that deep, joined by hyphens: `2007-02`.
fn telling_folders(dir: &Path, holder: Option<&Path>, below_source: &[u8]) -> Vec<u8> {
    let names = |path: &'_ Path| -> Vec<Vec<u8>> {
        path.components()
            .filter_map(|component| match component {
                Component::Normal(name) => Some(name.as_encoded_bytes().to_vec()),
                _ => None,
            })
            .collect()
    };
    let own = names(dir);
    let depth = if below_source.is_empty() {
        0
    } else {
        below_source.split(|&b| b == b'/').count()
    };
    let source = own.len().saturating_sub(depth);
    let common = match holder {
        Some(holder) => own
            .iter()
            .zip(names(holder))
            .take_while(|(a, b)| **a == *b)
            .count(),
        None => source,
    };
    let two = own.len().saturating_sub(2).max(source);
    let from = common.min(two).min(own.len().saturating_sub(1));
    own.get(from..).unwrap_or_default().join(&b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_begins_where_the_folders_differ_and_has_two_where_it_can() {
        let label = |dir: &str, holder: Option<&str>, below: &str| {
            String::from_utf8(telling_folders(
                dir.as_ref(),
                holder.map(Path::new),
                below.as_bytes(),
            ))
            .unwrap()
        };
        assert_eq!(label("/p/2007/02", Some("/p/2006/11"), "2007/02"), "2007-02");
        assert_eq!(label("/p/2007/02", Some("/p/2007/01"), "2007/02"), "2007-02");
        assert_eq!(label("/p/a/b/c/d", Some("/p/x"), "a/b/c/d"), "a-b-c-d");
        assert_eq!(label("/p/a/b/c/d", Some("/p/a/b/c/e"), "a/b/c/d"), "c-d");
        assert_eq!(label("/p/a/b", None, "a/b"), "a-b");
        assert_eq!(label("/p", None, ""), "p");
        assert_eq!(label("/q", Some("/p"), ""), "q");
        assert_eq!(label("/p/a", Some("/p/a/b"), "a"), "a");
    }
}
