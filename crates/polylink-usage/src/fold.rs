//! From what was gathered to the figures of every directory.
//!
//! A file that has names in several directories counts once in each directory that has one of them at or below. With
//! directories in path order this takes additions and subtractions only: the file is added where each of its names
//! lies, and taken back where each two neighbours in that order come together; then everything is summed upwards. It is
//! exclusive from where its first and its last name come together.

use std::collections::HashSet;

use polylink_core::{Kind, PathError, Stat};
use polylink_walk::DirState;

use crate::figures::Figures;
use crate::files::{Group, Handle, Records};
use crate::report::{Row, Usage};
use crate::scan::Local;
use crate::target::Arguments;
use crate::tree::{TOP, Tree};

/// Everything that was gathered.
pub(crate) struct Gathered {
    pub(crate) tree: Tree,
    pub(crate) locals: Vec<Local>,
    pub(crate) arguments: Arguments,
    /// For each [`Arguments::files`] its file, if that has several names.
    pub(crate) handles: Vec<Option<Handle>>,
    pub(crate) records: Records,
    pub(crate) stopped: bool,
}

/// Names by file, as the ranks of the directories they lie in.
struct Names {
    starts: Vec<usize>,
    ranks: Vec<u32>,
}

impl Names {
    fn seen(&self, file: usize) -> usize {
        self.starts[file + 1] - self.starts[file]
    }
}

pub(crate) fn fold(gathered: Gathered) -> Usage {
    let Gathered {
        tree,
        mut locals,
        arguments,
        handles,
        records,
        stopped,
    } = gathered;
    let leaves = Leaves::new(&tree, &arguments);
    let len = tree.len() + leaves.len();
    let mut figures = vec![Figures::default(); len];
    let mut incomplete = vec![false; len];
    incomplete[TOP as usize] = stopped;

    let mut usage = Usage {
        problems: Vec::new(),
        other_mounts: Vec::new(),
        repeated: tree.repeated.iter().map(|rank| tree.path(*rank)).collect(),
        vanished: locals.iter().map(|local| local.vanished).sum(),
        ..Usage::default()
    };
    directories(&tree, &arguments, &mut figures, &mut incomplete, &mut usage);
    for local in &mut locals {
        gathered_names(&tree, local, &mut figures, &mut incomplete, &mut usage);
    }
    for (index, (file, handle)) in arguments.files.iter().zip(&handles).enumerate() {
        let leaf = leaves.rank(index);
        match (&file.stat, leaf) {
            (Ok(stat), Some(leaf)) if handle.is_none() => figures[leaf as usize] = alone(stat),
            (Ok(_), _) => {}
            (Err(fault), leaf) => {
                incomplete[leaf.unwrap_or(TOP) as usize] = true;
                usage.problems.push(PathError {
                    action: "look at",
                    path: file.path.clone(),
                    to: None,
                    fault: *fault,
                });
            }
        }
    }

    let extra: Vec<(Handle, u32)> = handles
        .iter()
        .enumerate()
        .filter_map(|(index, handle)| Some(((*handle)?, leaves.rank(index)?)))
        .collect();
    let parent = |rank: u32| tree.parents.get(rank as usize).copied().unwrap_or(TOP);
    let mut seen = vec![0; handles.len()];
    for group in records.groups() {
        let mut names = by_file(&tree, &locals, &extra, &group);
        for (seen, handle) in seen.iter_mut().zip(&handles) {
            if let Some(file) = handle.and_then(|handle| group.number(handle)) {
                *seen = names.seen(file);
            }
        }
        usage.racing += files(&group, &mut names, parent, &mut figures);
    }
    for rank in (1..len).rev() {
        let up = tree.parents.get(rank).copied().unwrap_or(TOP) as usize;
        let below = figures[rank];
        figures[up].add(&below);
        incomplete[up] |= incomplete[rank];
    }

    usage.files = arguments
        .files
        .iter()
        .zip(handles.iter().zip(&seen))
        .map(|(file, (handle, seen))| Row {
            path: file.path.clone(),
            depth: 0,
            kind: file.stat.as_ref().map_or(Kind::Unknown, |stat| stat.kind),
            figures: match (&file.stat, handle) {
                (Ok(_), Some(handle)) => one_name(&records, *handle, *seen),
                (Ok(stat), None) => alone(stat),
                (Err(_), _) => Figures::default(),
            },
            complete: file.stat.is_ok(),
        })
        .collect();
    usage
        .problems
        .sort_by(|a, b| (&a.path, a.action).cmp(&(&b.path, b.action)));
    usage.problems.dedup();
    usage.other_mounts.sort_unstable();
    usage.total = figures[TOP as usize];
    usage.complete = !incomplete[TOP as usize];
    usage.stopped = stopped;
    usage.aliases = arguments
        .aliases
        .iter()
        .map(|(path, root)| (path.clone(), tree.root_rank(*root)))
        .collect();
    usage.figures = figures;
    usage.incomplete = incomplete;
    usage.tree = Some(tree);
    usage
}

/// Names given as arguments in directories that were not read: each is like a directory of its own.
struct Leaves(Vec<Option<u32>>);

impl Leaves {
    fn new(tree: &Tree, arguments: &Arguments) -> Self {
        if arguments.files.is_empty() {
            return Self(Vec::new());
        }
        let read: HashSet<_> = (0u32..)
            .zip(&tree.dirs)
            .filter(|(number, _)| tree.rank(*number).is_some())
            .filter_map(|(_, node)| node.id)
            .collect();
        let mut next = tree.len();
        let mut ranks = Vec::with_capacity(arguments.files.len());
        for file in &arguments.files {
            let apart = file.first && !file.dir.is_some_and(|dir| read.contains(&dir));
            let rank = u32::try_from(next).ok().filter(|_| apart);
            next += usize::from(rank.is_some());
            ranks.push(rank);
        }
        Self(ranks)
    }

    fn len(&self) -> usize {
        self.0.iter().flatten().count()
    }

    fn rank(&self, file: usize) -> Option<u32> {
        self.0.get(file).copied().flatten()
    }
}

fn directories(
    tree: &Tree,
    arguments: &Arguments,
    figures: &mut [Figures],
    incomplete: &mut [bool],
    usage: &mut Usage,
) {
    for (number, node) in (0u32..).zip(&tree.dirs) {
        let Some(rank) = tree.rank(number) else {
            match node.state {
                DirState::OtherMount if node.id.is_none_or(|id| !arguments.root_ids.contains_key(&id)) => {
                    usage.other_mounts.push(tree.path_by_number(number));
                }
                DirState::Failed(_) => usage.vanished += 1,
                _ => {}
            }
            continue;
        };
        let own = &mut figures[rank as usize];
        own.directories = 1;
        own.directory_bytes = node.allocated;
        match node.state {
            DirState::Failed(fault) => {
                incomplete[rank as usize] = true;
                usage.problems.push(PathError {
                    action: "read",
                    path: tree.path(rank),
                    to: None,
                    fault,
                });
            }
            DirState::NotReached => incomplete[rank as usize] = true,
            _ => {}
        }
    }
}

/// Takes over everything of a thread but the files of several names.
fn gathered_names(
    tree: &Tree,
    local: &mut Local,
    figures: &mut [Figures],
    incomplete: &mut [bool],
    usage: &mut Usage,
) {
    for own in std::mem::take(&mut local.own) {
        let Some(rank) = tree.rank(own.dir) else { continue };
        figures[rank as usize].add(&Figures {
            names: own.names,
            files: own.files,
            logical_bytes: own.logical,
            disk_bytes: own.disk,
            exclusive_bytes: own.disk,
            other: own.other,
            ..Figures::default()
        });
    }
    for blind in std::mem::take(&mut local.blind) {
        let Some(rank) = tree.rank(blind.dir) else {
            continue;
        };
        incomplete[rank as usize] = true;
        usage.problems.push(PathError {
            action: "look at",
            path: tree.path_of(blind.dir, blind.name.name()),
            to: None,
            fault: blind.fault,
        });
    }
    for (dir, name) in std::mem::take(&mut local.covered) {
        usage.other_mounts.push(tree.path_of(dir, name.name()));
    }
}

/// A file whose only name this is, or something that is no file.
fn alone(stat: &Stat) -> Figures {
    if stat.kind == Kind::File {
        Figures {
            names: 1,
            files: 1,
            logical_bytes: stat.size,
            disk_bytes: stat.allocated,
            exclusive_bytes: stat.allocated,
            ..Figures::default()
        }
    } else {
        Figures {
            other: 1,
            ..Figures::default()
        }
    }
}

/// One name of a file that has several, of which `seen` were met.
fn one_name(records: &Records, handle: Handle, seen: usize) -> Figures {
    let Some(record) = records.of(handle) else {
        return Figures::default();
    };
    Figures {
        names: 1,
        files: 1,
        logical_bytes: record.size,
        disk_bytes: record.allocated,
        outside_names: u64::from(record.links).saturating_sub(seen.max(1) as u64),
        ..Figures::default()
    }
}

/// Sorts the names of a group of files by file: counts them, then puts each in its place.
fn by_file(tree: &Tree, locals: &[Local], extra: &[(Handle, u32)], group: &Group<'_>) -> Names {
    let each = |take: &mut dyn FnMut(usize, u32)| {
        for local in locals {
            let mut rest = local.files.as_slice();
            for (dir, count) in &local.runs {
                let (run, after) = rest.split_at((*count as usize).min(rest.len()));
                rest = after;
                if let Some(rank) = tree.rank(*dir) {
                    run.iter()
                        .filter_map(|handle| group.number(*handle))
                        .for_each(|file| take(file, rank));
                }
            }
        }
        for (handle, rank) in extra {
            if let Some(file) = group.number(*handle) {
                take(file, *rank);
            }
        }
    };
    let mut starts = vec![0; group.len() + 1];
    each(&mut |file, _| starts[file] += 1);
    // each start is first the end of its file's names, and moves down as they are put in
    let mut end = 0;
    for start in &mut starts {
        end += *start;
        *start = end;
    }
    let mut ranks = vec![TOP; end];
    each(&mut |file, rank| {
        starts[file] -= 1;
        ranks[starts[file]] = rank;
    });
    Names { starts, ranks }
}

/// Counts each file of several names where it belongs; gives back how many had more names than links.
fn files(group: &Group<'_>, names: &mut Names, parent: impl Fn(u32) -> u32, figures: &mut [Figures]) -> u64 {
    let mut racing = 0;
    let common = |mut a: u32, mut b: u32| {
        while a != b {
            if a < b {
                b = parent(b);
            } else {
                a = parent(a);
            }
        }
        a as usize
    };
    for (file, record) in group.iter().enumerate() {
        let ranks = &mut names.ranks[names.starts[file]..names.starts[file + 1]];
        ranks.sort_unstable();
        let (Some(first), Some(last)) = (ranks.first(), ranks.last()) else {
            continue;
        };
        let (links, seen) = (u64::from(record.links), ranks.len() as u64);
        let outside = links.saturating_sub(seen);
        racing += u64::from(seen > links);
        if seen == links {
            let top = &mut figures[common(*first, *last)];
            top.exclusive_bytes = top.exclusive_bytes.wrapping_add(record.allocated);
        }
        let mut before = None;
        for rank in ranks {
            let at = &mut figures[*rank as usize];
            at.names += 1;
            at.logical_bytes = at.logical_bytes.saturating_add(record.size);
            if before != Some(*rank) {
                at.add_file(record.allocated, outside);
                if let Some(before) = before {
                    figures[common(before, *rank)].take_file(record.allocated, outside);
                }
                before = Some(*rank);
            }
        }
    }
    racing
}
