//! Doing what was planned.

use std::cell::Cell;

use polylink_core::{
    At, Content, Fault, FaultKind, FileFs, FsResult, LinkFs, PathError, Progress, ResultExt as _, Stat,
    remove_temporary, replace_if_both,
};

use crate::content::{Buffers, changed, same_bytes, unchanged, untouched};
use crate::outcome::Outcome;
use crate::places::Opener;
use crate::plan::{Heir, Plan, Set, Spot, Victim};
use crate::pool;

/// Does what was planned.
///
/// Each file is looked at again, and compared byte for byte with the one that takes its names, right before its names
/// go to that. A name is replaced by a temporary link and a rename, so there is no moment without it.
pub fn apply(fs: &dyn FileFs, plan: Plan, progress: &dyn Progress) -> Outcome {
    let mut outcome = plan.found.clone();
    let mut opener = Opener::new(fs, &plan.places);
    for spot in &plan.leftovers {
        let removed = opener
            .dir(spot.dir)
            .and_then(|dir| remove_temporary(fs, At::new(&dir, spot.name.name())));
        match removed {
            Ok(()) => outcome.temporaries += 1,
            // it is the last name of its file by now
            Err(fault) if fault.kind() == FaultKind::Exists => {}
            Err(fault) => outcome.failures.push(PathError {
                action: "remove",
                path: plan.path(spot),
                to: None,
                fault,
            }),
        }
    }
    if let Err(problem) = settle(fs, &plan, &mut opener) {
        outcome.failures.push(problem);
        return outcome;
    }
    let names = plan
        .sets
        .iter()
        .flat_map(|set| &set.victims)
        .map(|victim| victim.moves.len() as u64)
        .sum();
    progress.begin("merging", Some(names));
    let parts = pool::each(
        plan.threads,
        plan.sets.len(),
        || (Opener::new(fs, &plan.places), Buffers::new()),
        |(opener, buffers), item| {
            let mut worker = Worker {
                fs,
                plan: &plan,
                progress,
                opener,
                buffers,
                outcome: Outcome::default(),
            };
            worker.set(&plan.sets[item]);
            worker.outcome
        },
    );
    progress.end();
    for part in parts {
        outcome.add(part);
    }
    outcome
}

/// Data that was written so long ago is on the disk: systems hold it back for half a minute or so.
const SETTLED: i128 = 600 * 1_000_000_000;

/// Sees to it that the content of files that stay is on the disk before files go that hold the same. Otherwise a power
/// cut could leave names of a new file whose data was still in memory, in place of an old one that was safe.
fn settle(fs: &dyn FileFs, plan: &Plan, opener: &mut Opener<'_>) -> Result<(), PathError> {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(i128::MAX, |time| {
            i128::try_from(time.as_nanos()).unwrap_or(i128::MAX)
        });
    let may_be_in_memory = |stat: &Stat| {
        stat.changed
            .is_none_or(|changed| now.saturating_sub(changed) < SETTLED)
    };
    let mut done = Vec::new();
    for set in &plan.sets {
        for heir in &set.heirs {
            let older =
                |victim: &Victim| victim.stat.changed.is_none() || victim.stat.changed < heir.stat.changed;
            let volume = heir.stat.id.volume;
            if done.contains(&volume)
                || !may_be_in_memory(&heir.stat)
                || !(heir.stat.changed.is_none() || set.victims.iter().any(older))
            {
                continue;
            }
            opener
                .dir(heir.spot.dir)
                .and_then(|dir| fs.settle(&dir))
                .at("write back what belongs to", plan.path(&heir.spot))?;
            done.push(volume);
        }
    }
    Ok(())
}

struct Worker<'a, 'b> {
    fs: &'a dyn FileFs,
    plan: &'a Plan,
    progress: &'a dyn Progress,
    opener: &'b mut Opener<'a>,
    buffers: &'b mut Buffers,
    outcome: Outcome,
}

/// A file that stays, while its set is worked on.
struct Staying {
    heir: Heir,
    content: Option<Box<dyn Content>>,
    /// Where names go that it has no room for: the file system knew better than the plan how many it may have.
    instead: Option<usize>,
}

/// What became of one name.
enum Moved {
    Yes {
        last: bool,
    },
    /// The file that it should get has as many names as it can have.
    Full,
}

impl Worker<'_, '_> {
    fn set(&mut self, set: &Set) {
        let mut staying: Vec<Staying> = set
            .heirs
            .iter()
            .map(|heir| Staying {
                heir: heir.clone(),
                content: None,
                instead: None,
            })
            .collect();
        for victim in &set.victims {
            if self.progress.cancelled() {
                self.outcome.stopped = true;
                return;
            }
            self.victim(victim, &mut staying);
            self.progress.advance(victim.moves.len() as u64);
        }
    }

    fn victim(&mut self, victim: &Victim, staying: &mut Vec<Staying>) {
        let mut compared = None;
        let mut last = false;
        let mut seen = victim.stat;
        for (number, moved) in victim.moves.iter().enumerate() {
            let heir = follow(staying, moved.heir);
            if compared != Some(heir) {
                match self.compare(&seen, &moved.spot, &mut staying[heir]) {
                    Ok(true) => compared = Some(heir),
                    Ok(false) => {
                        let path = self.plan.path(&moved.spot);
                        return self.outcome.unequal.push(path);
                    }
                    Err(fault) => return self.failed(fault, &moved.spot, &staying[heir].heir.spot),
                }
            }
            let replaced = self.replace(&seen, &moved.spot, &staying[heir].heir);
            // both have got or lost a name by now
            (seen.changed, staying[heir].heir.stat.changed) = (None, None);
            match replaced {
                Ok(Moved::Yes { last: it }) => {
                    self.outcome.moved_names += 1;
                    last = it;
                }
                Ok(Moved::Full) => {
                    // this file stays, and takes the names that come after it
                    staying[heir].instead = Some(staying.len());
                    staying.push(Staying {
                        heir: Heir {
                            stat: seen,
                            spot: victim.moves[number].spot.clone(),
                        },
                        content: None,
                        instead: None,
                    });
                    return self.outcome.at_limit += 1;
                }
                Err(fault) => return self.failed(fault, &moved.spot, &staying[heir].heir.spot),
            }
        }
        self.outcome.count_merged(&victim.stat, last);
    }

    /// Whether the two files hold the same, neither of them changed since they were found and while they were read.
    fn compare(&mut self, victim: &Stat, spot: &Spot, staying: &mut Staying) -> FsResult<bool> {
        let one = self.open(spot)?;
        let other = match &mut staying.content {
            Some(content) => content,
            none => none.insert(self.open(&staying.heir.spot)?),
        };
        let before = (one.stat()?, other.stat()?);
        if !untouched(victim, &before.0) || !untouched(&staying.heir.stat, &before.1) {
            return Err(changed());
        }
        let same = same_bytes(&*one, &**other, victim.size, self.buffers, self.progress)?;
        if !untouched(&before.0, &one.stat()?) || !untouched(&before.1, &other.stat()?) {
            return Err(changed());
        }
        Ok(same)
    }

    fn open(&mut self, spot: &Spot) -> FsResult<Box<dyn Content>> {
        let dir = self.opener.dir(spot.dir)?;
        self.fs.open_file(At::new(&dir, spot.name.name()))
    }

    fn replace(&mut self, victim: &Stat, spot: &Spot, heir: &Heir) -> FsResult<Moved> {
        let from = self.opener.dir(heir.spot.dir)?;
        let to = self.opener.dir(spot.dir)?;
        let last = Cell::new(false);
        let fs: &dyn LinkFs = self.fs;
        let replaced = replace_if_both(
            fs,
            At::new(&from, heir.spot.name.name()),
            At::new(&to, spot.name.name()),
            |new, old| {
                last.set(old.links == 1);
                unchanged(&heir.stat, new) && untouched(victim, old)
            },
        );
        match replaced {
            Ok(()) => Ok(Moved::Yes { last: last.get() }),
            Err(fault) if fault.kind() == FaultKind::TooManyLinks => Ok(Moved::Full),
            Err(fault) => Err(fault),
        }
    }

    fn failed(&mut self, fault: Fault, spot: &Spot, heir: &Spot) {
        let path = self.plan.path(spot);
        match fault.kind() {
            FaultKind::Interrupted if self.progress.cancelled() => self.outcome.stopped = true,
            FaultKind::Stale | FaultKind::NotFound | FaultKind::SymlinkMet | FaultKind::IsDirectory => {
                self.outcome.changed.push(path);
            }
            _ => self.outcome.failures.push(PathError {
                action: "link",
                path: self.plan.path(heir),
                to: Some(path),
                fault,
            }),
        }
    }
}

fn follow(staying: &[Staying], mut heir: usize) -> usize {
    while let Some(instead) = staying[heir].instead {
        heir = instead;
    }
    heir
}
