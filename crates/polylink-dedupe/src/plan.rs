//! What is to be done, as plain data.

use std::cmp::Reverse;
use std::fmt;
use std::path::PathBuf;

use polylink_core::{
    FaultKind, FileFs, FsResult, HardLinks, NameBuf, PathError, Progress, ResultExt as _, Stat, shown,
};
use polylink_walk::{Options as WalkOptions, Target};
use rustc_hash::FxHashMap;

use crate::group::{Alike, Among, Grouped, group};
use crate::options::{Keep, Options};
use crate::outcome::Outcome;
use crate::places::{Opener, Places};
use crate::scan::{Scan, scan};

/// A name in one of the directories.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    pub(crate) dir: u32,
    pub(crate) name: NameBuf,
}

/// A file that stays, by the name that further names are made from.
#[derive(Clone, Debug)]
pub(crate) struct Heir {
    pub(crate) stat: Stat,
    pub(crate) spot: Spot,
}

/// A name that changes its file, and the number of the file that it gets.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    pub(crate) spot: Spot,
    pub(crate) heir: usize,
}

/// A file whose names all go to others.
#[derive(Clone, Debug)]
pub(crate) struct Victim {
    pub(crate) stat: Stat,
    pub(crate) moves: Vec<Move>,
    /// Names that it has beyond the paths: they keep it.
    pub(crate) elsewhere: u64,
}

/// Identical files: those that stay (one, unless there are more names than one file may have) and those that go.
#[derive(Clone, Debug)]
pub(crate) struct Set {
    pub(crate) heirs: Vec<Heir>,
    pub(crate) victims: Vec<Victim>,
}

/// What a run does: first all of it is found out, then it is shown or done.
#[derive(Debug)]
pub struct Plan {
    pub(crate) sets: Vec<Set>,
    pub(crate) leftovers: Vec<Spot>,
    pub(crate) places: Places,
    pub(crate) threads: usize,
    /// What is known before anything is done.
    pub(crate) found: Outcome,
}

/// One change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// A link that a killed run left goes; its file has other names.
    RemoveTemporary(PathBuf),
    /// A name leads to another file with the same content from now on.
    Replace {
        /// The name.
        path: PathBuf,
        /// A name of the file that it then leads to.
        keep: PathBuf,
        /// Length of both files in bytes.
        size: u64,
    },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RemoveTemporary(path) => write!(f, "remove the temporary name '{}'", shown(path)),
            Self::Replace { path, keep, .. } => {
                write!(f, "make '{}' a name of '{}'", shown(path), shown(keep))
            }
        }
    }
}

impl Plan {
    /// The changes, in the order in which one thread makes them.
    pub fn steps(&self) -> impl Iterator<Item = Step> + '_ {
        let leftovers = self
            .leftovers
            .iter()
            .map(|spot| Step::RemoveTemporary(self.path(spot)));
        let replacements = self.sets.iter().flat_map(move |set| {
            set.victims.iter().flat_map(move |victim| {
                victim.moves.iter().map(move |moved| Step::Replace {
                    path: self.path(&moved.spot),
                    keep: self.path(&set.heirs[moved.heir].spot),
                    size: victim.stat.size,
                })
            })
        });
        leftovers.chain(replacements)
    }

    /// What the run will have done if nothing comes in its way.
    #[must_use]
    pub fn forecast(&self) -> Outcome {
        let mut outcome = self.found.clone();
        outcome.temporaries = self.leftovers.len() as u64;
        for victim in self.sets.iter().flat_map(|set| &set.victims) {
            outcome.moved_names += victim.moves.len() as u64;
            outcome.count_merged(&victim.stat, victim.elsewhere == 0);
        }
        outcome
    }

    pub(crate) fn path(&self, spot: &Spot) -> PathBuf {
        self.places.path_of(spot.dir, spot.name.name())
    }
}

/// Finds out what there is and what is to be done. Nothing is changed.
///
/// What could not be read is in the outcome; the phases of `progress` count entries and files.
pub fn plan(fs: &dyn FileFs, targets: &[Target], options: &Options, progress: &dyn Progress) -> Plan {
    let walk = WalkOptions {
        threads: options.threads,
        ..WalkOptions::default()
    };
    progress.begin("reading directories", None);
    let mut scan = scan(fs, targets, options.min_size, &options.filter, &walk, progress);
    progress.end();
    let grouped = if scan.stopped {
        Grouped {
            stopped: true,
            ..Grouped::default()
        }
    } else {
        group(fs, &scan, Among::All, options, progress)
    };
    let mut found = Outcome {
        scanned: scan.counts,
        apart: grouped.apart,
        unreadable: std::mem::take(&mut scan.problems),
        other_mounts: std::mem::take(&mut scan.other_mounts),
        stopped: grouped.stopped,
        ..Outcome::default()
    };
    found.unreadable.extend(grouped.problems);
    let names = names_of(&scan, &grouped.changed, &grouped.sets);
    found.changed = grouped
        .changed
        .iter()
        .filter_map(|file| names.get(file)?.first())
        .map(|&name| path(&scan, name))
        .collect();
    let mut planner = Planner {
        fs,
        scan: &scan,
        names,
        options,
        most: FxHashMap::default(),
        found,
    };
    let sets = grouped
        .sets
        .iter()
        .filter_map(|alike| planner.set(alike))
        .collect();
    let found = planner.found;
    Plan {
        sets,
        leftovers: scan
            .leftovers
            .iter()
            .map(|(dir, name)| Spot {
                dir: *dir,
                name: name.clone(),
            })
            .collect(),
        threads: options.threads(),
        found,
        places: scan.places,
    }
}

fn path(scan: &Scan, name: u32) -> PathBuf {
    let name = &scan.names[name as usize];
    scan.places.path_of(name.dir, name.name.name())
}

/// The names of those files that something is done or said about, in order.
fn names_of(scan: &Scan, changed: &[u32], sets: &[Alike]) -> FxHashMap<u32, Vec<u32>> {
    let mut names: FxHashMap<u32, Vec<u32>> = changed
        .iter()
        .chain(sets.iter().flatten())
        .map(|&file| (file, Vec::new()))
        .collect();
    for (number, name) in (0_u32..).zip(&scan.names) {
        if let Some(of_file) = names.get_mut(&name.file) {
            of_file.push(number);
        }
    }
    names
}

struct Planner<'a> {
    fs: &'a dyn FileFs,
    scan: &'a Scan,
    names: FxHashMap<u32, Vec<u32>>,
    options: &'a Options,
    /// Most names of a file by volume and mount; `None` where there are no hard links.
    most: FxHashMap<(u64, Option<u64>), Option<u64>>,
    found: Outcome,
}

/// One of several identical files.
struct Member<'a> {
    file: u32,
    stat: Stat,
    names: &'a [u32],
    /// All its names but temporary ones.
    links: u64,
}

impl Member<'_> {
    fn elsewhere(&self) -> u64 {
        self.links.saturating_sub(self.names.len() as u64)
    }
}

impl Planner<'_> {
    /// What becomes of identical files; `None` where nothing does.
    fn set(&mut self, alike: &Alike) -> Option<Set> {
        let names = std::mem::take(&mut self.names);
        let mut members: Vec<Member<'_>> = alike
            .iter()
            .filter_map(|file| {
                let seen = &self.scan.files[*file as usize];
                Some(Member {
                    file: *file,
                    stat: seen.settled(),
                    names: names.get(file)?,
                    links: seen.links(),
                })
            })
            .collect();
        let set = self.merge(&mut members);
        drop(members);
        self.names = names;
        set
    }

    fn merge(&mut self, members: &mut [Member<'_>]) -> Option<Set> {
        let most = self.most_links(members.first()?)?;
        self.found.sets += 1;
        sort(members, self.options.keep);
        let staying = staying(members, most);
        self.found.at_limit += staying.saturating_sub(1) as u64;
        let (heirs, victims) = members.split_at_mut(staying);
        if victims.is_empty() {
            return None;
        }
        victims.sort_by_key(|victim| victim.file);
        let mut room: Vec<u64> = heirs.iter().map(|heir| most.saturating_sub(heir.links)).collect();
        let mut heir = 0;
        let victims = victims
            .iter()
            .map(|victim| Victim {
                stat: victim.stat,
                elsewhere: victim.elsewhere(),
                moves: victim
                    .names
                    .iter()
                    .map(|&name| {
                        while room[heir] == 0 && heir + 1 < room.len() {
                            heir += 1;
                        }
                        room[heir] = room[heir].saturating_sub(1);
                        Move {
                            spot: self.spot(name),
                            heir,
                        }
                    })
                    .collect(),
            })
            .collect();
        Some(Set {
            heirs: heirs
                .iter()
                .filter_map(|heir| {
                    Some(Heir {
                        stat: heir.stat,
                        spot: self.spot(*heir.names.first()?),
                    })
                })
                .collect(),
            victims,
        })
    }

    fn spot(&self, name: u32) -> Spot {
        let name = &self.scan.names[name as usize];
        Spot {
            dir: name.dir,
            name: name.name.clone(),
        }
    }

    /// Most names that this file may get; `None`, said once for each volume, where there are no hard links.
    fn most_links(&mut self, member: &Member<'_>) -> Option<u64> {
        let key = (member.stat.id.volume, member.stat.mount);
        if let Some(known) = self.most.get(&key) {
            return *known;
        }
        let name = *member.names.first()?;
        let dir = self.scan.names[name as usize].dir;
        let most = self
            .ask_volume(dir)
            .at("make links in", self.scan.places.path(dir));
        let most = match most {
            Ok(most) => Some(most),
            Err(problem) => {
                self.problem(problem);
                None
            }
        };
        self.most.insert(key, most);
        most
    }

    fn ask_volume(&self, dir: u32) -> FsResult<u64> {
        let volume = self
            .fs
            .volume(&Opener::new(self.fs, &self.scan.places).dir(dir)?)?;
        if volume.hard_links == HardLinks::No {
            return Err(FaultKind::Unsupported.into());
        }
        Ok(self.options.most_links(volume.link_limit))
    }

    fn problem(&mut self, problem: PathError) {
        self.found.failures.push(problem);
    }
}

/// Puts those first that shall stay.
fn sort(members: &mut [Member<'_>], keep: Keep) {
    members.sort_by_key(|member| {
        let (names, links) = (member.names.len() as u64, member.links);
        // by these, then by the first name
        let wish: (i128, Reverse<u64>, Reverse<u64>) = match keep {
            Keep::Auto => (
                i128::from(member.elsewhere() == 0),
                Reverse(names),
                Reverse(links),
            ),
            Keep::First => (0, Reverse(0), Reverse(0)),
            Keep::Oldest => (member.stat.modified, Reverse(0), Reverse(0)),
            Keep::Newest => (member.stat.modified.saturating_neg(), Reverse(0), Reverse(0)),
            Keep::MostLinks => (0, Reverse(links), Reverse(names)),
        };
        (wish, member.file)
    });
}

/// How many of them have to stay so that the others' names find room.
fn staying(members: &[Member<'_>], most: u64) -> usize {
    let mut homeless: u64 = members.iter().map(|member| member.names.len() as u64).sum();
    let mut room: u64 = 0;
    for (number, member) in members.iter().enumerate() {
        homeless -= member.names.len() as u64;
        room = room.saturating_add(most.saturating_sub(member.links));
        if room >= homeless {
            return number + 1;
        }
    }
    members.len()
}
