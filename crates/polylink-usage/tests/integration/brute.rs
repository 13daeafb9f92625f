//! The naive count: every figure of every directory by going through all names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use polylink_core::{FileId, MemFs};
use polylink_usage::{Figures, Target};

/// A tree as it was made: enough to count it by hand.
#[derive(Default, Debug)]
pub(crate) struct World {
    pub(crate) dirs: BTreeSet<PathBuf>,
    pub(crate) mounts: BTreeSet<PathBuf>,
    pub(crate) denied: BTreeSet<PathBuf>,
    /// Names of regular files.
    pub(crate) names: BTreeMap<PathBuf, FileId>,
    pub(crate) sizes: BTreeMap<FileId, u64>,
    pub(crate) symlinks: BTreeSet<PathBuf>,
}

/// What the arguments come to.
#[derive(Default, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) total: (Figures, bool),
    /// By path, with depth and completeness.
    pub(crate) rows: Vec<(PathBuf, usize, Figures, bool)>,
    pub(crate) unreadable: BTreeSet<PathBuf>,
}

fn allocated(size: u64) -> u64 {
    size.div_ceil(4096) * 4096
}

impl World {
    fn links(&self, id: FileId) -> u64 {
        self.names.values().filter(|other| **other == id).count() as u64
    }

    /// Whether a walk that begins in `top` reads the directory `dir`, or at least tries to.
    fn reaches(&self, top: &Path, dir: &Path) -> bool {
        dir.starts_with(top)
            && dir.ancestors().take_while(|above| *above != top).all(|below| {
                let parent = below.parent().unwrap();
                !self.denied.contains(parent) && !self.mounts.contains(below)
            })
    }

    /// Whether a walk that begins in `top` meets this name.
    fn meets(&self, top: &Path, name: &Path) -> bool {
        let parent = name.parent().unwrap();
        self.reaches(top, parent) && !self.denied.contains(parent)
    }

    /// The figures of what lies below any of `tops`, or is one of `singles`, when `seen` are all names of the scan.
    fn figures(&self, tops: &[&Path], singles: &[&Path], seen: &BTreeSet<&PathBuf>) -> (Figures, bool) {
        let inside = |path: &PathBuf| {
            tops.iter().any(|top| self.meets(top, path)) || singles.contains(&path.as_path())
        };
        let names: Vec<(&PathBuf, FileId)> = (self.names.iter())
            .filter(|(path, _)| inside(path))
            .map(|(path, id)| (path, *id))
            .collect();
        let files: BTreeSet<FileId> = names.iter().map(|(_, id)| *id).collect();
        let dirs: Vec<&PathBuf> = (self.dirs.iter())
            .filter(|dir| tops.iter().any(|top| self.reaches(top, dir)))
            .collect();
        let mut figures = Figures {
            names: names.len() as u64,
            files: files.len() as u64,
            logical_bytes: names.iter().map(|(_, id)| self.sizes[id]).sum(),
            directories: dirs.len() as u64,
            other: self.symlinks.iter().filter(|path| inside(path)).count() as u64,
            ..Figures::default()
        };
        for id in files {
            let here = names.iter().filter(|(_, other)| *other == id).count() as u64;
            let met = seen.iter().filter(|path| self.names[**path] == id).count() as u64;
            figures.disk_bytes += allocated(self.sizes[&id]);
            figures.outside_names += self.links(id) - met;
            if here == self.links(id) {
                figures.exclusive_bytes += allocated(self.sizes[&id]);
            }
        }
        let complete = !dirs.iter().any(|dir| self.denied.contains(*dir));
        (figures, complete)
    }

    /// The answer for these directories and names as arguments.
    pub(crate) fn count(&self, tops: &[PathBuf], singles: &[PathBuf]) -> Answer {
        let tops: Vec<&Path> = tops.iter().map(PathBuf::as_path).collect();
        let singles: Vec<&Path> = singles.iter().map(PathBuf::as_path).collect();
        let seen: BTreeSet<&PathBuf> = (self.names.keys())
            .filter(|path| tops.iter().any(|top| self.meets(top, path)) || singles.contains(&path.as_path()))
            .collect();
        let mut rows = Vec::new();
        for dir in &self.dirs {
            let nearest = (tops.iter())
                .filter(|top| self.reaches(top, dir))
                .max_by_key(|top| top.components().count());
            if let Some(top) = nearest {
                let (figures, complete) = self.figures(&[dir], &[], &seen);
                let depth = dir.components().count() - top.components().count();
                rows.push((dir.clone(), depth, figures, complete));
            }
        }
        for single in singles.iter().collect::<BTreeSet<_>>() {
            let (figures, complete) = self.figures(&[], &[single], &seen);
            rows.push((single.to_path_buf(), 0, figures, complete));
        }
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        let unreadable = (self.denied.iter())
            .filter(|dir| tops.iter().any(|top| self.reaches(top, dir)))
            .cloned()
            .collect();
        Answer {
            total: self.figures(&tops, &singles, &seen),
            rows,
            unreadable,
        }
    }
}

/// What [`polylink_usage::usage`] answers, in the same form.
pub(crate) fn answer(usage: &polylink_usage::Usage) -> Answer {
    Answer {
        total: (usage.total, usage.complete),
        rows: (usage.rows(None, polylink_usage::SortBy::Path, None).into_iter())
            .map(|row| (row.path, row.depth, row.figures, row.complete))
            .collect(),
        unreadable: usage.problems.iter().map(|error| error.path.clone()).collect(),
    }
}

/// The arguments as a user gives them.
pub(crate) fn targets<'a>(fs: &MemFs, paths: impl IntoIterator<Item = &'a PathBuf>) -> Vec<Target> {
    paths
        .into_iter()
        .map(|path| Target::open(fs, path).unwrap())
        .collect()
}
