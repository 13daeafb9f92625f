//! The way back: names that share a file get a copy each.

use std::path::PathBuf;

use polylink_core::{
    At, CopyHow, Existing, FaultKind, FileFs, FsResult, Lost, PathError, Progress, Reflink, Stat, part_name,
    remove_part,
};
use polylink_walk::{Filter, Options as WalkOptions, Target};

use crate::content::{changed, unchanged, untouched};
use crate::places::{Opener, Places};
use crate::plan::Spot;
use crate::scan::{Scanned, scan};

/// What becomes of a name whose copy cannot have all that belongs to the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Loss {
    /// It stays as it is.
    #[default]
    Refused,
    /// It gets the copy all the same, and that is counted.
    Allowed,
}

/// How names are split off.
#[derive(Clone, Debug)]
pub struct SplitOptions {
    /// Whether copies may share blocks with the original.
    pub reflink: Reflink,
    /// What becomes of copies that are not whole.
    pub loss: Loss,
    /// Which names below the directories are taken; those that were given themselves always are.
    pub filter: Filter,
}

impl Default for SplitOptions {
    fn default() -> Self {
        Self {
            reflink: Reflink::Auto,
            loss: Loss::Refused,
            filter: Filter::default(),
        }
    }
}

/// One name that gets a file of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SplitStep {
    /// The name.
    pub path: PathBuf,
    /// Length of its file in bytes.
    pub size: u64,
}

#[derive(Debug)]
struct Copying {
    spot: Spot,
    stat: Stat,
}

/// What a run does.
#[derive(Debug)]
pub struct SplitPlan {
    steps: Vec<Copying>,
    leftovers: Vec<Spot>,
    places: Places,
    options: SplitOptions,
    found: SplitOutcome,
}

/// What a run came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SplitOutcome {
    /// What was met.
    pub scanned: Scanned,
    /// Names that have a file of their own now.
    pub split_names: u64,
    /// Length of those files in bytes.
    pub split_bytes: u64,
    /// How many of them share their blocks with the original until one of the two is changed.
    pub reflinked: u64,
    /// Names whose file had no other name: left as they are.
    pub alone: u64,
    /// Names that kept the original, for all other names of it got copies.
    pub kept: u64,
    /// Unfinished copies of a killed run that were removed.
    pub leftovers: u64,
    /// Names with a copy that lacks something, where that was allowed.
    pub lossy: u64,
    /// Names left as they are because their copy would lack something.
    pub refused: Vec<(PathBuf, Vec<Lost>)>,
    /// Names that changed while this was at work and were left as they are.
    pub changed: Vec<PathBuf>,
    /// What could not be read.
    pub unreadable: Vec<PathError>,
    /// Names that could not be split off.
    pub failures: Vec<PathError>,
    /// Whether the user stopped it: all that was done until then is whole.
    pub stopped: bool,
}

impl SplitOutcome {
    /// Whether everything could be read and done.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.refused.is_empty()
            && self.changed.is_empty()
            && self.unreadable.is_empty()
            && self.failures.is_empty()
            && !self.stopped
    }
}

impl SplitPlan {
    /// The names that get a file of their own, in order.
    pub fn steps(&self) -> impl Iterator<Item = SplitStep> + '_ {
        self.steps.iter().map(|step| SplitStep {
            path: self.path(&step.spot),
            size: step.stat.size,
        })
    }

    /// What the run will have done if nothing comes in its way. Whether blocks can be shared only trying tells.
    #[must_use]
    pub fn forecast(&self) -> SplitOutcome {
        let mut outcome = self.found.clone();
        outcome.leftovers = self.leftovers.len() as u64;
        outcome.split_names = self.steps.len() as u64;
        outcome.split_bytes = self.steps.iter().map(|step| step.stat.size).sum();
        outcome
    }

    fn path(&self, spot: &Spot) -> PathBuf {
        self.places.path_of(spot.dir, spot.name.name())
    }
}

/// Finds out which names share a file. Nothing is changed.
///
/// Where all names of a file are given, the last of them keeps it and the others get copies; where it has names beyond
/// those, each that is given gets a copy.
pub fn plan_split(
    fs: &dyn FileFs,
    targets: &[Target],
    options: &SplitOptions,
    progress: &dyn Progress,
) -> SplitPlan {
    progress.begin("reading directories", None);
    let scan = scan(fs, targets, 0, &options.filter, &WalkOptions::default(), progress);
    progress.end();
    let mut found = SplitOutcome {
        scanned: scan.counts,
        unreadable: scan.problems,
        stopped: scan.stopped,
        ..SplitOutcome::default()
    };
    let mut left = vec![0_u64; scan.files.len()];
    for name in &scan.names {
        left[name.file as usize] += 1;
    }
    for (left, file) in left.iter_mut().zip(&scan.files) {
        let beyond = file.stat.links.saturating_sub(file.temporary) > *left;
        // as many copies as there are names, but for the one that keeps the file
        *left -= u64::from(!beyond && *left > 0);
    }
    let mut steps = Vec::new();
    for name in scan.names {
        let file = name.file as usize;
        let stat = scan.files[file].stat;
        if stat.links - scan.files[file].temporary.min(stat.links) < 2 {
            found.alone += 1;
        } else if left[file] == 0 {
            found.kept += 1;
        } else {
            left[file] -= 1;
            steps.push(Copying {
                spot: Spot {
                    dir: name.dir,
                    name: name.name,
                },
                stat,
            });
        }
    }
    let spot = |(dir, name)| Spot { dir, name };
    SplitPlan {
        steps,
        leftovers: scan.parts.into_iter().map(spot).collect(),
        places: scan.places,
        options: options.clone(),
        found,
    }
}

/// Does what was planned.
///
/// The copy is made beside the name, whole and on the disk, and takes its place by a rename if the name still leads to
/// the same, unchanged file. So the name leads to the old file or to the new one at every instant.
pub fn apply_split(fs: &dyn FileFs, plan: SplitPlan, progress: &dyn Progress) -> SplitOutcome {
    let mut outcome = plan.found.clone();
    let mut opener = Opener::new(fs, &plan.places);
    for spot in &plan.leftovers {
        match opener
            .dir(spot.dir)
            .and_then(|dir| fs.unlink(At::new(&dir, spot.name.name())))
        {
            Ok(()) => outcome.leftovers += 1,
            Err(fault) if fault.kind() == FaultKind::NotFound => {}
            Err(fault) => outcome.failures.push(PathError {
                action: "remove",
                path: plan.path(spot),
                to: None,
                fault,
            }),
        }
    }
    progress.begin("copying", Some(plan.steps.len() as u64));
    for step in &plan.steps {
        if progress.cancelled() {
            outcome.stopped = true;
            break;
        }
        let split = opener.dir(step.spot.dir).and_then(|dir| {
            split(
                fs,
                At::new(&dir, step.spot.name.name()),
                &step.stat,
                &plan.options,
            )
        });
        match split {
            Ok(Split::Done { reflinked, whole }) => {
                outcome.split_names += 1;
                outcome.split_bytes += step.stat.size;
                outcome.reflinked += u64::from(reflinked);
                outcome.lossy += u64::from(!whole);
            }
            Ok(Split::Alone) => outcome.alone += 1,
            Ok(Split::Refused(lost)) => outcome.refused.push((plan.path(&step.spot), lost)),
            Err(fault) if matches!(fault.kind(), FaultKind::Stale | FaultKind::NotFound) => {
                outcome.changed.push(plan.path(&step.spot));
            }
            Err(fault) => outcome.failures.push(PathError {
                action: "copy",
                path: plan.path(&step.spot),
                to: None,
                fault,
            }),
        }
        progress.advance(1);
    }
    progress.end();
    outcome
}

enum Split {
    Done { reflinked: bool, whole: bool },
    Alone,
    Refused(Vec<Lost>),
}

/// Gives one name a file of its own.
fn split(fs: &dyn FileFs, at: At<'_>, seen: &Stat, options: &SplitOptions) -> FsResult<Split> {
    let name = part_name(at.name);
    let part = At::new(at.dir, name.name());
    // what a killed run left: the copy, or the copy of which it was made where files cannot be without a name
    remove_part(fs, at)?;
    remove_part(fs, part)?;
    let now = fs.stat(at)?;
    if !unchanged(seen, &now) {
        return Err(changed());
    }
    if now.links < 2 {
        return Ok(Split::Alone);
    }
    let how = CopyHow {
        reflink: options.reflink,
        sync: true,
    };
    let copied = fs.copy(at, part, how)?;
    let whole = copied.lost.is_empty();
    let moved = if !whole && options.loss == Loss::Refused {
        Ok(false)
    } else if untouched(&now, &fs.stat(at)?) {
        fs.rename(part, at, Existing::Replace).map(|()| true)
    } else {
        Err(changed())
    };
    match moved {
        Ok(true) => Ok(Split::Done {
            reflinked: copied.reflinked,
            whole,
        }),
        Ok(false) => {
            fs.unlink(part)?;
            Ok(Split::Refused(copied.lost))
        }
        Err(fault) => {
            // the reason that made it fail is the one to tell; the next run removes what stays
            let _ = fs.unlink(part);
            Err(fault)
        }
    }
}
