//! Which names in the sources, rows of the ledger and entries of the view belong together.

use std::collections::hash_map::Entry;

use polylink_core::{Kind, Name, is_temporary_name};
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use super::{Diff, Found, NONE};
use crate::ledger::Row;
use crate::options::{Appear, Deleted};

/// Which wanted names and ledger rows belong together.
pub(super) struct Match {
    /// First wanted name of each file, in path order.
    pub(super) head: FxHashMap<u128, u32>,
    /// The next wanted name of the same file.
    pub(super) next: Vec<u32>,
    /// For each wanted name its row.
    pub(super) row_of: Vec<u32>,
    /// For each row the entry of the view that bears its name and leads to its file.
    pub(super) entry_of: Vec<u32>,
    /// Rows whose file is not wanted any more.
    pub(super) gone: Vec<u32>,
    /// Rows of files that have another row already.
    pub(super) surplus: Vec<u32>,
    /// Entries of the view that no row speaks of.
    pub(super) unknown: Vec<u32>,
    /// Entries of the view that a killed run left, and that go.
    pub(super) temporary: FxHashSet<u32>,
}

impl Diff<'_> {
    /// The names of one file, from the first in path order.
    pub(super) fn chain<'m>(&self, matched: &'m Match, head: u32) -> impl Iterator<Item = u32> + 'm {
        std::iter::successors(Some(head), |&file| {
            Some(matched.next[file as usize]).filter(|&next| next != NONE)
        })
    }

    pub(super) fn match_up(&self, rows_by_name: &FxHashMap<&[u8], u32>, found: &mut Found) -> Match {
        let files = self.sources.files.len();
        let mut head: FxHashMap<u128, u32> = FxHashMap::with_capacity_and_hasher(files, FxBuildHasher);
        let mut next = vec![NONE; files];
        let mut several: Vec<u128> = Vec::new();
        for (index, wanted) in (0u32..).zip(&self.sources.files) {
            let key = self.key(wanted.id);
            match head.entry(key) {
                Entry::Vacant(free) => {
                    free.insert(index);
                }
                Entry::Occupied(mut first) => {
                    let first = first.get_mut();
                    if next[*first as usize] == NONE {
                        several.push(key);
                    }
                    next[index as usize] = *first;
                    *first = index;
                }
            }
        }
        // the names of one file in path order, whatever the threads did
        for key in several {
            let Some(first) = head.get_mut(&key) else { continue };
            let mut chain: Vec<u32> = std::iter::successors(Some(*first), |&at| {
                Some(next[at as usize]).filter(|&at| at != NONE)
            })
            .collect();
            chain.sort_unstable_by(|&a, &b| self.order(a, b));
            *first = chain[0];
            for pair in chain.windows(2) {
                next[pair[0] as usize] = pair[1];
            }
            next[chain[chain.len() - 1] as usize] = NONE;
        }
        let mut matched = Match {
            head,
            next,
            row_of: vec![NONE; files],
            entry_of: vec![NONE; self.book.rows.len()],
            gone: Vec::new(),
            surplus: Vec::new(),
            unknown: Vec::new(),
            temporary: FxHashSet::default(),
        };
        for (index, entry) in (0u32..).zip(&self.names.names) {
            let name = self.names.name(entry);
            match rows_by_name.get(name) {
                Some(&row)
                    if entry.kind == Kind::File && self.book.rows[row as usize].id == self.key(entry.id) =>
                {
                    matched.entry_of[row as usize] = index;
                }
                _ if entry.kind == Kind::File && is_temporary_name(Name::new(name)) => {
                    if self.temporary(name, found) {
                        matched.temporary.insert(index);
                    }
                }
                _ => matched.unknown.push(index),
            }
        }
        self.match_rows(&mut matched);
        matched
    }

    fn match_rows(&self, matched: &mut Match) {
        if self.options.appear == Appear::OncePerFile {
            for (index, row) in (0u32..).zip(&self.book.rows) {
                let Some(&head) = matched.head.get(&row.id) else {
                    matched.gone.push(index);
                    continue;
                };
                let current = matched.row_of[head as usize];
                let better = current == NONE
                    || (matched.entry_of[current as usize] == NONE
                        && matched.entry_of[index as usize] != NONE);
                if better {
                    matched.row_of[head as usize] = index;
                }
                let loser = if better { current } else { index };
                if loser != NONE {
                    matched.surplus.push(loser);
                }
            }
            return;
        }
        // every name: first the rows that stand for exactly this path, then those in the view, then the others
        let mut by_path: FxHashMap<(u32, &[u8]), u32> = FxHashMap::default();
        for (index, wanted) in (0u32..).zip(&self.sources.files) {
            if let Some(dir) = self.dir_numbers[wanted.dir as usize] {
                by_path.insert((dir, self.sources.name(wanted)), index);
            }
        }
        let mut left: Vec<u32> = Vec::new();
        for (index, row) in (0u32..).zip(&self.book.rows) {
            if !matched.head.contains_key(&row.id) {
                matched.gone.push(index);
                continue;
            }
            let exact = by_path.get(&(row.dir, self.book.source_name(row))).copied();
            match exact {
                Some(file) if self.wanted_key(file) == row.id && matched.row_of[file as usize] == NONE => {
                    matched.row_of[file as usize] = index;
                }
                _ => left.push(index),
            }
        }
        left.sort_by_key(|&row| (matched.entry_of[row as usize] == NONE, row));
        // where to look on for a name of the file that has no row yet
        let mut free_from: FxHashMap<u128, u32> = FxHashMap::default();
        for row in left {
            let id = self.book.rows[row as usize].id;
            let at = free_from.entry(id).or_insert_with(|| matched.head[&id]);
            while *at != NONE && matched.row_of[*at as usize] != NONE {
                *at = matched.next[*at as usize];
            }
            match *at {
                NONE => matched.surplus.push(row),
                file => matched.row_of[file as usize] = row,
            }
        }
        if self.options.deleted == Deleted::Restore {
            Self::prefer_standing(matched, &self.book.rows);
        }
    }

    /// A name that stands in the view is worth more than one that would have to be made again: it gets the place of one
    /// that is missing, so that it stays as it is.
    fn prefer_standing(matched: &mut Match, rows: &[Row]) {
        let mut missing_from: FxHashMap<u128, u32> = FxHashMap::default();
        for surplus in &mut matched.surplus {
            if matched.entry_of[*surplus as usize] == NONE {
                continue;
            }
            let id = rows[*surplus as usize].id;
            let at = missing_from.entry(id).or_insert_with(|| matched.head[&id]);
            // every place of a file with a surplus row is taken
            while *at != NONE && matched.entry_of[matched.row_of[*at as usize] as usize] != NONE {
                *at = matched.next[*at as usize];
            }
            if *at != NONE {
                std::mem::swap(surplus, &mut matched.row_of[*at as usize]);
            }
        }
    }

    /// Entries of the view that no row speaks of, but that lead to a wanted file without a name: the user renamed it
    /// there, or a run was stopped, or the ledger was lost. Gives the entry for each such wanted name, and all those.
    pub(super) fn find_unknown(
        &self,
        matched: &mut Match,
        open: &[u32],
    ) -> (FxHashMap<u32, u32>, FxHashSet<u32>) {
        let names = self.names;
        let name = |entry: u32| names.name(&names.names[entry as usize]);
        matched.unknown.sort_unstable_by(|&a, &b| name(a).cmp(name(b)));
        let mut by_id: FxHashMap<u128, (usize, Vec<u32>)> = FxHashMap::default();
        let mut by_name: FxHashMap<&[u8], u32> = FxHashMap::default();
        for &entry in &matched.unknown {
            let view_name = &names.names[entry as usize];
            if view_name.kind == Kind::File && matched.head.contains_key(&self.key(view_name.id)) {
                by_id.entry(self.key(view_name.id)).or_default().1.push(entry);
                by_name.insert(name(entry), entry);
            }
        }
        let (mut adopted, mut used) = (FxHashMap::default(), FxHashSet::default());
        if by_id.is_empty() {
            return (adopted, used);
        }
        // a file's own name first, so that nobody else takes it
        for &file in open {
            let wanted = &self.sources.files[file as usize];
            if let Some(&entry) = by_name.get(self.sources.name(wanted))
                && names.names[entry as usize].id == wanted.id
                && used.insert(entry)
            {
                adopted.insert(file, entry);
            }
        }
        for &file in open {
            let Some((from, entries)) = by_id.get_mut(&self.wanted_key(file)) else {
                continue;
            };
            if adopted.contains_key(&file) {
                continue;
            }
            while let Some(&entry) = entries.get(*from) {
                *from += 1;
                if used.insert(entry) {
                    adopted.insert(file, entry);
                    break;
                }
            }
        }
        (adopted, used)
    }
}
