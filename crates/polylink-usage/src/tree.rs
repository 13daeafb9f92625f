//! The directories that were read as one tree in path order, under a top that stands for everything together.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use polylink_core::{FileId, Name};
use polylink_walk::{DirNode, DirState, Mounts, Walked};

use crate::scan::gone;
use crate::target::Arguments;

/// The top's rank, and the parent of every root.
pub(crate) const TOP: u32 = 0;

/// Directories have a *number*, from the walk, and a *rank*: 1 for the first in path order, a directory always before
/// those below it.
pub(crate) struct Tree {
    /// By number. The first of them are the arguments.
    pub(crate) dirs: Vec<DirNode>,
    /// The paths of the arguments.
    pub(crate) roots: Vec<PathBuf>,
    /// By number.
    ranks: Vec<u32>,
    /// By rank; the first is void.
    numbers: Vec<u32>,
    /// By rank.
    pub(crate) parents: Vec<u32>,
    /// By rank: whether the directory and the names in it count.
    pub(crate) present: Vec<bool>,
    /// Directories that were met a second time through another mount, by rank.
    pub(crate) repeated: Vec<u32>,
}

impl Tree {
    /// `left_out` are the directories that the caller did not want, besides those that are arguments themselves.
    pub(crate) fn new(
        dirs: Vec<DirNode>,
        arguments: &Arguments,
        left_out: &HashSet<FileId>,
        mounts: Mounts,
    ) -> Self {
        let mut walked = Walked::<()> {
            locals: Vec::new(),
            dirs,
            stopped: false,
        };
        let repeated = graft(&mut walked, arguments, left_out);
        let mut ranks = walked.ranks();
        for rank in &mut ranks {
            *rank += 1;
        }
        let dirs = walked.dirs;
        let mut numbers = vec![0; dirs.len() + 1];
        let mut parents = vec![TOP; dirs.len() + 1];
        let mut present = vec![true; dirs.len() + 1];
        for (number, (rank, node)) in (0u32..).zip(ranks.iter().zip(&dirs)) {
            let rank = *rank as usize;
            numbers[rank] = number;
            parents[rank] = node.parent.map_or(TOP, |parent| ranks[parent as usize]);
            present[rank] = match node.state {
                DirState::Read | DirState::NotReached => true,
                DirState::Failed(fault) => (number as usize) < arguments.roots.len() || !gone(fault),
                DirState::OtherMount | DirState::LeftOut | DirState::Loop => false,
            };
        }
        let mut tree = Self {
            repeated: repeated.iter().map(|number| ranks[*number as usize]).collect(),
            roots: arguments.roots.iter().map(|root| root.path.clone()).collect(),
            dirs,
            ranks,
            numbers,
            parents,
            present,
        };
        if mounts == Mounts::Cross {
            tree.leave_out_repeated();
        }
        tree
    }

    /// How many ranks there are, the top's included.
    pub(crate) fn len(&self) -> usize {
        self.parents.len()
    }

    /// The rank of a directory, if it counts.
    pub(crate) fn rank(&self, number: u32) -> Option<u32> {
        let rank = self.ranks[number as usize];
        self.present[rank as usize].then_some(rank)
    }

    /// The rank of an argument.
    pub(crate) fn root_rank(&self, root: u32) -> u32 {
        self.ranks[root as usize]
    }

    /// Whether a directory is an argument.
    pub(crate) fn is_root(&self, rank: u32) -> bool {
        rank != TOP && (self.numbers[rank as usize] as usize) < self.roots.len()
    }

    /// A directory's path: that of the argument it lies below most closely, and the names from there.
    pub(crate) fn path(&self, rank: u32) -> PathBuf {
        self.path_by_number(self.numbers[rank as usize])
    }

    /// The same for a directory that may not count.
    pub(crate) fn path_by_number(&self, number: u32) -> PathBuf {
        let mut names = Vec::new();
        let mut at = number;
        while let Some(parent) = self.dirs[at as usize]
            .parent
            .filter(|_| at as usize >= self.roots.len())
        {
            names.push(self.dirs[at as usize].name.name());
            at = parent;
        }
        let mut path = self.roots.get(at as usize).cloned().unwrap_or_default();
        for name in names.into_iter().rev().filter_map(Name::to_os) {
            path.push(&*name);
        }
        path
    }

    /// The path of a name in a directory.
    pub(crate) fn path_of(&self, number: u32, name: Name<'_>) -> PathBuf {
        let dir = self.path_by_number(number);
        match name.to_os() {
            Some(name) => dir.join(&*name),
            None => dir,
        }
    }

    /// Of directories that were read several times, through several mounts, keeps the first.
    fn leave_out_repeated(&mut self) {
        let mut seen = HashSet::new();
        let mut repeated = Vec::new();
        for failed in [false, true] {
            for rank in 1..self.len() {
                let node = &self.dirs[self.numbers[rank] as usize];
                let matches = self.present[rank] && failed == matches!(node.state, DirState::Failed(_));
                if matches && node.id.is_some_and(|id| !seen.insert(id)) {
                    self.present[rank] = false;
                    repeated.push(u32::try_from(rank).unwrap_or(TOP));
                }
            }
        }
        let covered: HashSet<u32> = repeated.iter().copied().collect();
        repeated.retain(|rank| !covered.contains(&self.parents[*rank as usize]));
        self.repeated.extend(repeated);
        self.repeated.sort_unstable();
    }
}

/// Puts each argument that was met below another one in its place there. The walk did not enter it from above, so its
/// directories were read once, as those of the argument. Gives back the other places where it was met, if any.
fn graft(walked: &mut Walked<()>, arguments: &Arguments, left_out: &HashSet<FileId>) -> Vec<u32> {
    let mut places: HashMap<u32, Vec<u32>> = HashMap::new();
    for (number, node) in (0u32..).zip(&walked.dirs) {
        if node.state == DirState::LeftOut
            && let Some(id) = node.id.filter(|id| !left_out.contains(id))
            && let Some(root) = arguments.root_ids.get(&id)
        {
            places.entry(*root).or_default().push(number);
        }
    }
    let mut repeated = Vec::new();
    let ranks = if places.values().any(|numbers| numbers.len() > 1) {
        walked.ranks()
    } else {
        Vec::new()
    };
    let mut places: Vec<(u32, Vec<u32>)> = places.into_iter().collect();
    places.sort_unstable();
    for (root, mut numbers) in places {
        numbers.sort_by_key(|number| ranks.get(*number as usize));
        let mut free = true;
        for number in numbers {
            if free && !lies_below(&walked.dirs, number, root) {
                let (parent, name) = {
                    let place = &walked.dirs[number as usize];
                    (place.parent, place.name.clone())
                };
                let node = &mut walked.dirs[root as usize];
                node.parent = parent;
                node.name = name;
                free = false;
            } else {
                repeated.push(number);
            }
        }
    }
    repeated
}

/// Whether `number` lies below `root`, so that grafting would close a ring: mounts can do that.
fn lies_below(dirs: &[DirNode], number: u32, root: u32) -> bool {
    let mut at = Some(number);
    while let Some(number) = at {
        if number == root {
            return true;
        }
        at = dirs[number as usize].parent;
    }
    false
}
