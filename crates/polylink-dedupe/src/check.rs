//! Which names of a view lead to files of its sources, which hold copies of them, and which neither.

use std::borrow::Borrow;
use std::collections::{BTreeSet, VecDeque};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use polylink_core::{At, FaultKind, FileFs, HardLinks, Metadata, PathError, Progress};
use polylink_walk::{Options as WalkOptions, Root, Target};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::group::{Among, MetadataKey, compared, group, key};
use crate::options::{Options, Part};
use crate::outcome::Outcome;
use crate::places::Opener;
use crate::plan::{Heir, Move, Plan, Set, Spot, Victim};
use crate::scan::{Scan, Scanned, scan};

/// How to check, and what a copy may lose when it becomes a link.
#[derive(Clone, Debug, Default)]
pub struct CheckOptions {
    /// Parts of the metadata in which a copy may differ from its source: the source's then count for all names.
    pub ignore: BTreeSet<Part>,
    /// Threads; by default as many as the machine has, at most eight.
    pub threads: Option<NonZeroUsize>,
}

/// A name in the view that holds the same as a file of the sources, and is none of its names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CopyOf {
    /// The name in the view.
    pub path: PathBuf,
    /// The first name of the source's file.
    pub source: PathBuf,
    /// Length of both in bytes.
    pub size: u64,
    /// What keeps it from becoming a link; `None` where nothing does.
    pub kept: Option<Kept>,
}

/// Why a copy is left as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kept {
    /// Its metadata differ, in these parts, and that is not to be ignored.
    Differs(Vec<Part>),
    /// It lies on another volume or mount.
    OtherVolume,
    /// There are no hard links here.
    NoLinks,
    /// The source's file has as many names as it can have.
    AtLimit,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Checked {
    /// What was met in sources and view together.
    pub scanned: Scanned,
    /// Files of the sources.
    pub source_files: u64,
    /// Names in the view.
    pub view_names: u64,
    /// Names in the view that lead to files of the sources.
    pub linked: u64,
    /// Names in the view that hold copies of them, in path order.
    pub copies: Vec<CopyOf>,
    /// What these copies occupy, each file counted once, in bytes.
    pub copy_bytes: u64,
    /// Names in the view that are neither, in path order.
    pub neither: Vec<PathBuf>,
    /// Files of the sources that have neither a name nor a copy in the view, by their first names, in path order.
    pub missing: Vec<PathBuf>,
    /// What could not be read: where it lies in the view, something may be missing less; where in the sources, more.
    pub unreadable: Vec<PathError>,
    /// Files that were changed while they were read; nothing is said of them.
    pub changed: Vec<PathBuf>,
    /// Other file systems below the paths, which were not entered.
    pub other_mounts: Vec<PathBuf>,
    /// Whether the user stopped it; then nothing of this is whole.
    pub stopped: bool,
}

impl Checked {
    /// Whether everything was read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.unreadable.is_empty() && self.changed.is_empty() && !self.stopped
    }

    /// Whether every file of the sources has its name in the view, and no name there holds a copy.
    #[must_use]
    pub fn is_in_step(&self) -> bool {
        self.copies.is_empty() && self.missing.is_empty() && self.is_complete()
    }
}

/// What was found, and what would make links of the copies.
#[derive(Debug)]
pub struct Check {
    /// What was found.
    pub found: Checked,
    /// Makes links of those copies that nothing keeps from it; [`crate::apply`] does it.
    pub relink: Plan,
}

/// Which side a file has names on.
#[derive(Clone, Copy, Default, Debug)]
struct Sides {
    source: bool,
    view: bool,
}

/// Compares a view with its sources, which need have no ledger. Nothing is changed.
///
/// Copies are found by size and by a hash of their content; whoever makes links of them compares all bytes first. Each
/// copy is laid against a source's file of its own as long as there is one: of the same name where that can be, else the
/// first in path order, so that equal files of the sources are not taken for one.
pub fn check(
    fs: &dyn FileFs,
    sources: &[Root],
    view: &Root,
    options: &CheckOptions,
    progress: &dyn Progress,
) -> Check {
    let walk = WalkOptions {
        threads: options.threads,
        leave_out: fs.stat_dir(&view.dir).map(|stat| stat.id).into_iter().collect(),
        ..WalkOptions::default()
    };
    let mut targets: Vec<Target> = sources.iter().cloned().map(Target::Dir).collect();
    targets.push(Target::Dir(view.clone()));
    let common = Options {
        min_size: 0,
        ignore: Part::ALL.into_iter().collect(),
        threads: options.threads,
        ..Options::default()
    };
    progress.begin("reading directories", None);
    let mut scan = scan(fs, &targets, 0, &common.filter, &walk, progress);
    progress.end();
    let mut found = Checked {
        scanned: scan.counts,
        unreadable: std::mem::take(&mut scan.problems),
        other_mounts: std::mem::take(&mut scan.other_mounts),
        stopped: scan.stopped,
        ..Checked::default()
    };
    let in_view = |dir: u32| scan.places.argument(dir) == sources.len();
    let mut sides = vec![Sides::default(); scan.files.len()];
    for name in &scan.names {
        let side = &mut sides[name.file as usize];
        match in_view(name.dir) {
            true => side.view = true,
            false => side.source = true,
        }
    }
    let mut matching = Matching::new(fs, &scan, &sides, options);
    if !found.stopped {
        let grouped = group(fs, &scan, Among::These(matching.candidates()), &common, progress);
        found.stopped = grouped.stopped;
        found.unreadable.extend(grouped.problems);
        matching.unknown.extend(grouped.changed.iter().copied());
        matching.unknown.extend(grouped.unread);
        found.changed = grouped.changed.iter().map(|&file| matching.path(file)).collect();
        if !found.stopped {
            matching.pair(grouped.sets, &mut found);
        }
    }
    let sets = matching.sets(&mut found);
    matching.tell(&in_view, &mut found);
    let leftovers = scan.leftovers.iter().filter(|(dir, _)| in_view(*dir));
    let leftovers = leftovers.map(|(dir, name)| Spot {
        dir: *dir,
        name: name.clone(),
    });
    let relink = Plan {
        sets,
        leftovers: leftovers.collect(),
        threads: common.threads(),
        found: Outcome {
            scanned: scan.counts,
            ..Outcome::default()
        },
        places: scan.places,
    };
    Check { found, relink }
}

/// A copy in the view and the file of the sources that it is laid against.
#[derive(Clone, Debug)]
struct Pair {
    source: u32,
    kept: Option<Kept>,
}

struct Matching<'a> {
    fs: &'a dyn FileFs,
    scan: &'a Scan,
    sides: &'a [Sides],
    options: &'a CheckOptions,
    /// The names of each file, in order, as indices of [`Scan::names`].
    names: Vec<Vec<u32>>,
    /// By the copy's file.
    pairs: FxHashMap<u32, Pair>,
    /// Files of the sources that a copy in the view stands for.
    served: FxHashSet<u32>,
    /// Files of which nothing is known.
    unknown: FxHashSet<u32>,
}

impl<'a> Matching<'a> {
    fn new(fs: &'a dyn FileFs, scan: &'a Scan, sides: &'a [Sides], options: &'a CheckOptions) -> Self {
        let mut names = vec![Vec::new(); scan.files.len()];
        for (number, name) in (0_u32..).zip(&scan.names) {
            names[name.file as usize].push(number);
        }
        Self {
            fs,
            scan,
            sides,
            options,
            names,
            pairs: FxHashMap::default(),
            served: FxHashSet::default(),
            unknown: FxHashSet::default(),
        }
    }

    /// Files of those lengths that both sides have; what is empty needs no reading, but has no content to be known by.
    fn candidates(&self) -> Vec<u32> {
        let mut sizes: FxHashMap<u64, Sides> = FxHashMap::default();
        for (seen, sides) in self.scan.files.iter().zip(self.sides) {
            let of_size = sizes.entry(seen.stat.size).or_default();
            of_size.source |= sides.source;
            of_size.view |= !sides.source;
        }
        let wanted = |size: &u64| sizes.get(size).is_some_and(|sides| sides.source && sides.view);
        (0_u32..)
            .zip(&self.scan.files)
            .filter(|(_, seen)| wanted(&seen.stat.size))
            .map(|(file, _)| file)
            .collect()
    }

    fn spot(&self, name: u32) -> Spot {
        let name = &self.scan.names[name as usize];
        Spot {
            dir: name.dir,
            name: name.name.clone(),
        }
    }

    fn path_of(&self, name: u32) -> PathBuf {
        let name = &self.scan.names[name as usize];
        self.scan.places.path_of(name.dir, name.name.name())
    }

    /// The first name of a file.
    fn path(&self, file: u32) -> PathBuf {
        let first = self.names[file as usize].first();
        first.map_or_else(PathBuf::new, |&name| self.path_of(name))
    }

    /// Lays each copy of a set of equal files against a file of the sources.
    fn pair(&mut self, sets: Vec<Vec<u32>>, found: &mut Checked) {
        let mut opener = Opener::new(self.fs, &self.scan.places);
        for set in sets {
            let sides = self.sides;
            let (sources, copies): (Vec<u32>, Vec<u32>) =
                set.into_iter().partition(|&file| sides[file as usize].source);
            if sources.is_empty() || copies.is_empty() {
                continue;
            }
            let mut metadata = FxHashMap::default();
            for &file in sources.iter().chain(&copies) {
                match self.metadata(file, &mut opener) {
                    Ok(known) => {
                        metadata.insert(file, known);
                    }
                    Err(problem) => {
                        found.unreadable.push(problem);
                        self.unknown.insert(file);
                    }
                }
            }
            let mut pool = Pool::new(self, &sources, &metadata);
            let mut alone = Vec::new();
            for copy in copies {
                if !self.lay_by_name(copy, &mut pool, &metadata) {
                    alone.push(copy);
                }
            }
            for copy in alone {
                // what is empty holds the same as everything that is empty: only its name tells what it is a copy of
                if self.scan.files[copy as usize].stat.size > 0 {
                    self.lay_anywhere(copy, &mut pool, &metadata);
                }
            }
        }
    }

    /// Lays a copy against a file of the sources that shares a name with it and has none in the view yet.
    fn lay_by_name(&mut self, copy: u32, pool: &mut Pool<'a>, metadata: &FxHashMap<u32, Metadata>) -> bool {
        let scan = self.scan;
        for &number in &self.names[copy as usize] {
            let name = scan.names[number as usize].name.name();
            let best = pool
                .by_name
                .get_mut(name.bytes())
                .and_then(|queue| self.best(copy, &window(self, queue), metadata));
            if let Some((source, kept)) = best {
                self.served.insert(source);
                self.pairs.insert(copy, Pair { source, kept });
                return true;
            }
        }
        false
    }

    /// Lays a copy against a file of the sources: one that has neither a name nor a copy in the view yet if there is
    /// one, and among those one with the same metadata.
    fn lay_anywhere(&mut self, copy: u32, pool: &mut Pool<'a>, metadata: &FxHashMap<u32, Metadata>) {
        let Some(mine) = metadata.get(&copy) else {
            return;
        };
        let equal = self.equality(copy, mine);
        let best = pool
            .by_equality
            .get_mut(&equal)
            .and_then(|queue| self.best(copy, &window(self, queue), metadata))
            .or_else(|| self.best(copy, &window(self, &mut pool.free), metadata))
            .or_else(|| self.best(copy, &Vec::from_iter(pool.first.get(&equal).copied()), metadata))
            .or_else(|| self.best(copy, pool.all.get(..WINDOW.min(pool.all.len()))?, metadata));
        if let Some((source, kept)) = best {
            self.served.insert(source);
            self.pairs.insert(copy, Pair { source, kept });
        }
    }

    /// Of a few files of the sources the one that the copy fits best, and what keeps it from becoming its link.
    fn best<S: Borrow<u32>>(
        &self,
        copy: u32,
        sources: &[S],
        metadata: &FxHashMap<u32, Metadata>,
    ) -> Option<(u32, Option<Kept>)> {
        let mine = metadata.get(&copy)?;
        sources
            .iter()
            .map(|source| *source.borrow())
            .filter_map(|source| Some((source, self.kept(copy, source, mine, metadata.get(&source)?))))
            .min_by_key(|(source, kept)| {
                let effort = match kept {
                    None => 0,
                    Some(Kept::Differs(parts)) => parts.len(),
                    Some(_) => Part::ALL.len() + 1,
                };
                (effort, *source)
            })
    }

    /// What two files have in common of which one can take the names of the other.
    fn equality(&self, file: u32, metadata: &Metadata) -> Equality {
        let stat = self.scan.files[file as usize].stat;
        let compared = compared(metadata.clone(), &self.options.ignore);
        (stat.id.volume, stat.mount, key(&compared))
    }

    /// Whether a file of the sources has its name in the view, or a copy there that stands for it.
    fn is_named(&self, source: u32) -> bool {
        self.sides[source as usize].view || self.served.contains(&source)
    }

    fn kept(&self, copy: u32, source: u32, mine: &Metadata, theirs: &Metadata) -> Option<Kept> {
        let [copy, source] = [copy, source].map(|file| self.scan.files[file as usize].stat);
        if (copy.id.volume, copy.mount) != (source.id.volume, source.mount) {
            return Some(Kept::OtherVolume);
        }
        let mut parts = differing(mine, theirs);
        parts.retain(|part| !self.options.ignore.contains(part));
        (!parts.is_empty()).then_some(Kept::Differs(parts))
    }

    fn metadata(&self, file: u32, opener: &mut Opener<'_>) -> Result<Metadata, PathError> {
        let Some(&first) = self.names[file as usize].first() else {
            return Ok(Metadata::default());
        };
        let name = &self.scan.names[first as usize];
        opener
            .dir(name.dir)
            .and_then(|dir| self.fs.metadata(At::new(&dir, name.name.name())))
            .map_err(|fault| PathError {
                action: "read",
                path: self.path_of(first),
                to: None,
                fault,
            })
    }

    /// What makes links of the copies, as far as the volumes let a file have so many names.
    fn sets(&mut self, found: &mut Checked) -> Vec<Set> {
        let mut by_source: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
        for (&copy, pair) in self.pairs.iter().filter(|(_, pair)| pair.kept.is_none()) {
            by_source.entry(pair.source).or_default().push(copy);
        }
        let mut sources: Vec<(u32, Vec<u32>)> = by_source.into_iter().collect();
        sources.sort_unstable();
        let mut sets = Vec::new();
        for (source, mut copies) in sources {
            copies.sort_unstable();
            let seen = &self.scan.files[source as usize];
            let Some(&first) = self.names[source as usize].first() else {
                continue;
            };
            let most = match self.most_links(first) {
                Ok(most) => most,
                Err(problem) => {
                    let refused = problem.fault.kind() == FaultKind::Unsupported;
                    if !refused {
                        found.unreadable.push(problem);
                    }
                    self.keep(&copies, &Kept::NoLinks);
                    continue;
                }
            };
            let mut room = most.saturating_sub(seen.links());
            let mut victims = Vec::new();
            for copy in copies {
                let names = &self.names[copy as usize];
                let Some(left) = room.checked_sub(names.len() as u64) else {
                    self.keep(&[copy], &Kept::AtLimit);
                    continue;
                };
                room = left;
                let of_copy = &self.scan.files[copy as usize];
                victims.push(Victim {
                    stat: of_copy.settled(),
                    elsewhere: of_copy.links().saturating_sub(names.len() as u64),
                    moves: names
                        .iter()
                        .map(|&name| Move {
                            spot: self.spot(name),
                            heir: 0,
                        })
                        .collect(),
                });
            }
            if !victims.is_empty() {
                sets.push(Set {
                    heirs: vec![Heir {
                        stat: seen.settled(),
                        spot: self.spot(first),
                    }],
                    victims,
                });
            }
        }
        sets
    }

    fn keep(&mut self, copies: &[u32], why: &Kept) {
        for copy in copies {
            if let Some(pair) = self.pairs.get_mut(copy) {
                pair.kept = Some(why.clone());
            }
        }
    }

    /// Most names that the file behind this one may get.
    fn most_links(&self, name: u32) -> Result<u64, PathError> {
        let dir = self.scan.names[name as usize].dir;
        let asked = Opener::new(self.fs, &self.scan.places)
            .dir(dir)
            .and_then(|dir| self.fs.volume(&dir));
        match asked {
            Ok(volume) if volume.hard_links == HardLinks::No => Err(FaultKind::Unsupported.into()),
            Ok(volume) => Ok(volume.link_limit.unwrap_or(u64::MAX)),
            Err(fault) => Err(fault),
        }
        .map_err(|fault| PathError {
            action: "make links in",
            path: self.scan.places.path(dir),
            to: None,
            fault,
        })
    }

    /// Says of each file what it is.
    fn tell(&self, in_view: &dyn Fn(u32) -> bool, found: &mut Checked) {
        for (file, (seen, sides)) in (0_u32..).zip(self.scan.files.iter().zip(self.sides)) {
            if sides.source {
                found.source_files += 1;
                if !self.is_named(file) && !self.unknown.contains(&file) && !found.stopped {
                    found.missing.push(self.path(file));
                }
            }
            let pair = self.pairs.get(&file);
            if pair.is_some() {
                found.copy_bytes = found.copy_bytes.saturating_add(seen.stat.allocated);
            }
            for &name in &self.names[file as usize] {
                if !in_view(self.scan.names[name as usize].dir) {
                    continue;
                }
                found.view_names += 1;
                match pair {
                    _ if sides.source => found.linked += 1,
                    Some(pair) => found.copies.push(CopyOf {
                        path: self.path_of(name),
                        source: self.path(pair.source),
                        size: seen.stat.size,
                        kept: pair.kept.clone(),
                    }),
                    None if self.unknown.contains(&file) || found.stopped => {}
                    None => found.neither.push(self.path_of(name)),
                }
            }
        }
        found.copies.sort_by(|a, b| a.path.cmp(&b.path));
        found.neither.sort();
        found.missing.sort();
    }
}

/// Files of the sources that are looked at to find the one that a copy fits best: many files may hold the same, and each
/// copy looks at few of them.
const WINDOW: usize = 64;

/// Volume, mount and metadata but for what is to be ignored.
type Equality = (u64, Option<u64>, MetadataKey);

/// Equal files of the sources, in ways to find those that have no name in the view yet.
struct Pool<'a> {
    all: Vec<u32>,
    free: VecDeque<u32>,
    by_name: FxHashMap<&'a [u8], VecDeque<u32>>,
    by_equality: FxHashMap<Equality, VecDeque<u32>>,
    /// The first of those, named or not.
    first: FxHashMap<Equality, u32>,
}

impl<'a> Pool<'a> {
    fn new(matching: &Matching<'a>, sources: &[u32], metadata: &FxHashMap<u32, Metadata>) -> Self {
        let mut pool = Self {
            all: sources.to_vec(),
            free: VecDeque::new(),
            by_name: FxHashMap::default(),
            by_equality: FxHashMap::default(),
            first: FxHashMap::default(),
        };
        for &source in sources {
            let Some(known) = metadata.get(&source) else {
                continue;
            };
            let equality = matching.equality(source, known);
            pool.first.entry(equality.clone()).or_insert(source);
            if matching.is_named(source) {
                continue;
            }
            pool.free.push_back(source);
            pool.by_equality.entry(equality).or_default().push_back(source);
            for &name in &matching.names[source as usize] {
                let name = matching.scan.names[name as usize].name.name();
                pool.by_name.entry(name.bytes()).or_default().push_back(source);
            }
        }
        pool
    }
}

/// The first files of a queue that have no name in the view yet; those that have got one meanwhile leave it.
fn window(matching: &Matching<'_>, queue: &mut VecDeque<u32>) -> Vec<u32> {
    let mut at = 0;
    while let Some(&source) = queue.get(at).filter(|_| at < WINDOW) {
        if matching.is_named(source) {
            queue.remove(at);
        } else {
            at += 1;
        }
    }
    queue.iter().take(at).copied().collect()
}

/// The parts in which two files differ.
fn differing(one: &Metadata, other: &Metadata) -> Vec<Part> {
    Part::ALL
        .into_iter()
        .filter(|part| match part {
            Part::Mode => (one.mode, one.attributes) != (other.mode, other.attributes),
            Part::Owner => (one.owner, one.group) != (other.owner, other.group),
            Part::Times => one.modified != other.modified,
            Part::Xattrs => one.extended != other.extended,
        })
        .collect()
}
