//! The answer: totals, and rows on demand.

use std::cmp::Reverse;
use std::path::PathBuf;

use polylink_core::{Kind, PathError};

use crate::figures::{Figures, SortBy};
use crate::tree::Tree;

/// What [`crate::usage`] found.
#[derive(Default)]
pub struct Usage {
    /// All arguments together, as one set.
    pub total: Figures,
    /// Whether everything was read. Otherwise every figure is a lower bound.
    pub complete: bool,
    /// What could not be read, by path.
    pub problems: Vec<PathError>,
    /// Other file systems and mounts that begin below the arguments and were not entered, by path.
    pub other_mounts: Vec<PathBuf>,
    /// Directories that were met a second time, through another mount, and were not counted again.
    pub repeated: Vec<PathBuf>,
    /// Names that went away while they were read.
    pub vanished: u64,
    /// Files of which more names were met than they had when they were looked at: somebody is making links.
    pub racing: u64,
    /// Whether the work was cancelled.
    pub stopped: bool,
    pub(crate) tree: Option<Tree>,
    pub(crate) figures: Vec<Figures>,
    pub(crate) incomplete: Vec<bool>,
    pub(crate) aliases: Vec<(PathBuf, u32)>,
    pub(crate) files: Vec<Row>,
}

impl std::fmt::Debug for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Usage")
            .field("total", &self.total)
            .field("complete", &self.complete)
            .field("problems", &self.problems)
            .finish_non_exhaustive()
    }
}

/// One directory, or one file that was given as an argument.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Its path: that of the argument it lies below most closely, and the names from there.
    pub path: PathBuf,
    /// How far below that argument it lies; 0 for an argument.
    pub depth: usize,
    /// [`Kind::Directory`], or what a file argument is ([`Kind::Unknown`] if it could not be looked at).
    pub kind: Kind,
    /// What it comes to.
    pub figures: Figures,
    /// Whether everything at or below was read. Otherwise its figures are lower bounds.
    pub complete: bool,
}

/// A row that is not made yet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Pick {
    Dir(u32),
    Alias(usize),
    File(usize),
}

impl Usage {
    /// The directories down to `depth` below the arguments, and the arguments that are files; of these the first `top`
    /// in the order of `sort`.
    ///
    /// Each directory stands there once, under the argument that it lies below most closely; a directory that was given
    /// under several paths under each of them. Paths are made for the rows asked for only.
    #[must_use]
    pub fn rows(&self, depth: Option<usize>, sort: SortBy, top: Option<usize>) -> Vec<Row> {
        let Some(tree) = &self.tree else {
            return Vec::new();
        };
        let depths = depths(tree);
        let wanted = |at: usize| depth.is_none_or(|most| at <= most);
        let mut picks: Vec<(Reverse<u64>, Pick)> = (1u32..)
            .zip(&depths[1..])
            .filter(|(rank, depth)| tree.present[*rank as usize] && wanted(**depth as usize))
            .map(|(rank, _)| (self.key(sort, rank), Pick::Dir(rank)))
            .collect();
        picks.extend(
            (self.aliases.iter().enumerate())
                .map(|(index, (_, rank))| (self.key(sort, *rank), Pick::Alias(index))),
        );
        picks.extend(
            (self.files.iter().enumerate())
                .map(|(index, row)| (Reverse(sort.figure(&row.figures)), Pick::File(index))),
        );
        let top = top.unwrap_or(picks.len());
        if sort != SortBy::Path && top < picks.len() {
            picks.sort_unstable();
            picks.truncate(top);
        }
        let mut rows: Vec<Row> = picks
            .into_iter()
            .map(|(_, pick)| match pick {
                Pick::Dir(rank) => self.row(rank, tree.path(rank), depths[rank as usize] as usize),
                Pick::Alias(index) => self.row(self.aliases[index].1, self.aliases[index].0.clone(), 0),
                Pick::File(index) => self.files[index].clone(),
            })
            .collect();
        rows.sort_by(|a, b| {
            (sort.figure(&b.figures).cmp(&sort.figure(&a.figures))).then_with(|| a.path.cmp(&b.path))
        });
        rows.truncate(top);
        rows
    }

    fn key(&self, sort: SortBy, rank: u32) -> Reverse<u64> {
        Reverse(sort.figure(&self.figures[rank as usize]))
    }

    fn row(&self, rank: u32, path: PathBuf, depth: usize) -> Row {
        Row {
            path,
            depth,
            kind: Kind::Directory,
            figures: self.figures[rank as usize],
            complete: !self.incomplete[rank as usize],
        }
    }
}

/// By rank, how far below its argument each directory lies.
fn depths(tree: &Tree) -> Vec<u32> {
    let mut depths = vec![0; tree.len()];
    for rank in 1..tree.len() {
        // OK to unwrap: ranks are `u32`
        let number = u32::try_from(rank).unwrap_or_default();
        if !tree.is_root(number) {
            depths[rank] = depths[tree.parents[rank] as usize] + 1;
        }
    }
    depths
}
