//! Following changes: `polylink flat --watch`.
//!
//! What happens is told by [`Events`]; what to do about it is decided by the same comparison as in any other update, over
//! what is known from the last one. Only names that the news is about are looked at again. Everything is read anew at the
//! start, on a timer, when news were lost, and wherever a look at single names cannot tell everything.

mod burst;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use polylink_core::{FileFs, FileId, Name, NameBuf, Progress, ResultExt as _};
use polylink_walk::{Mounts, Options as WalkOptions};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::apply::{Done, execute};
use crate::error::Error;
use crate::ledger::{Book, Ledger};
use crate::options::Request;
use crate::plan::{Plan, Step};
use crate::report::{Failure, Outcome};
use crate::scan::{Again, DirUse, LookAgain, Sources, ViewNames, Watches};
use crate::{compare, find_view, open_sources};

use burst::{Burst, gather};

/// While new directories turn up that nobody watched, everything is read again so often at most, one after the other.
const MOST_ROUNDS: usize = 8;
/// After so many names at once reading everything is cheaper than looking at each.
const MANY: usize = 10_000;

/// News of a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Something came, went or changed at this path.
    Changed(PathBuf),
    /// A name left this path; what has the same number tells where it went, if that is watched.
    MovedFrom(PathBuf, usize),
    /// A name came to this path.
    MovedTo(PathBuf, usize),
    /// News were lost.
    Overflow,
}

/// Why a directory cannot be watched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoWatch {
    /// The system watches no more directories for this user.
    Limit,
    /// It is not there any more.
    Gone,
    /// Another reason.
    Other(String),
}

/// Where news of changes come from.
pub trait Events {
    /// Watches the names in a directory. What is below it is watched by calls of its own.
    ///
    /// # Errors
    ///
    /// [`NoWatch`] where it is not watched now.
    fn watch(&mut self, dir: &Path) -> Result<(), NoWatch>;

    /// Ends a watch, if there is one.
    fn unwatch(&mut self, dir: &Path);

    /// Ends all watches: news were lost, so nobody knows which of them still stand.
    fn reset(&mut self);

    /// The next news, if there are any within `timeout`.
    fn next(&mut self, timeout: Duration) -> Option<Event>;
}

/// How long to wait for what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timing {
    /// News belong together while there is less than this between them.
    pub quiet: Duration,
    /// After this, news are acted upon even where more come.
    pub longest: Duration,
    /// Everything is read anew after this.
    pub rescan: Duration,
    /// After an update that could not be made, the next attempt.
    pub retry: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            quiet: Duration::from_millis(10),
            longest: Duration::from_millis(40),
            rescan: Duration::from_mins(10),
            retry: Duration::from_secs(5),
        }
    }
}

/// What [`follow`] tells of.
#[derive(Debug)]
#[non_exhaustive]
pub enum Happened<'a> {
    /// A step was done.
    Done(Step),
    /// The user renamed a view name.
    Renamed {
        /// The name that it had.
        from: &'a NameBuf,
        /// The name that it has.
        to: &'a NameBuf,
    },
    /// A view name is now the last name of its file.
    Orphan(&'a NameBuf),
    /// Something did not work.
    Failed(&'a Failure),
    /// Everything was read and compared.
    Reconciled(&'a Outcome),
    /// The first update is done, and from now on changes are followed.
    Following {
        /// Directories that are watched.
        watches: usize,
    },
    /// News were lost; everything is read anew.
    Overflow,
    /// A directory cannot be watched: changes in it are found on the timer only. Told of once until it works again.
    NotWatched {
        /// The directory.
        dir: &'a Path,
        /// Why.
        why: NoWatch,
    },
    /// No update can be made, for the moment: nothing was changed, and it is tried again. Told of once.
    CannotUpdate(&'a Error),
}

/// What is known from the last update.
struct Known {
    sources: Sources,
    names: ViewNames,
    book: Book,
    by_path: FxHashMap<PathBuf, u32>,
    /// Whether all of this was compared. The names in the view are read after an update, and may be news already.
    compared: bool,
    /// The view and the sources: where one of them is another directory by now, everything is read anew.
    places: Vec<FileId>,
}

struct Follower<'a> {
    fs: &'a dyn FileFs,
    request: &'a Request,
    ledger: &'a mut Ledger,
    progress: &'a dyn Progress,
    known: Option<Known>,
    watched: FxHashSet<PathBuf>,
    /// Directories that cannot be watched, of which the user was told.
    deaf: FxHashSet<PathBuf>,
    /// The system watches no more.
    limited: bool,
    orphans: FxHashSet<NameBuf>,
    failing: bool,
}

/// Whether the user wants it to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Next {
    Wait,
    Retry,
    End,
}

/// Makes or updates the view and goes on following sources and view until `progress` says that the user wants to stop.
/// `tell` is told of everything that is done.
///
/// # Errors
///
/// [`Error`] where the first update cannot be made, or the ledger cannot be written; later the work goes on, and is tried
/// again. [`Error::Cancelled`] where the user stopped the first update.
pub fn follow(
    fs: &dyn FileFs,
    request: &Request,
    ledger: &mut Ledger,
    events: &mut dyn Events,
    timing: Timing,
    progress: &dyn Progress,
    tell: &mut dyn FnMut(Happened<'_>),
) -> Result<(), Error> {
    let mut follower = Follower::new(fs, request, ledger, progress);
    if follower.reconcile(events, tell)? == Next::End {
        return Err(Error::Cancelled);
    }
    tell(Happened::Following {
        watches: follower.watched.len(),
    });
    let mut whole_at = Instant::now() + timing.rescan;
    while !progress.cancelled() {
        let left = whole_at.saturating_duration_since(Instant::now());
        let burst = gather(events, timing, left, progress);
        let next = if burst.overflow {
            tell(Happened::Overflow);
            follower.forget_watches(events);
            follower.whole(events, tell)?
        } else if Instant::now() >= whole_at {
            follower.limited = false;
            follower.forget_touched(&burst, events);
            follower.whole(events, tell)?
        } else if burst.paths.is_empty() {
            Next::Wait
        } else if follower.failing || !follower.deaf.is_empty() || burst.paths.len() > MANY {
            // where not everything is heard, a name that went from here may have gone to where nobody listens
            follower.forget_touched(&burst, events);
            follower.whole(events, tell)?
        } else {
            match follower.update(&burst, events, tell) {
                Ok(next) => next,
                Err(error) => follower.failed(error, events, tell)?,
            }
        };
        match next {
            Next::End => break,
            Next::Retry => whole_at = Instant::now() + timing.retry,
            Next::Wait if Instant::now() >= whole_at => {
                whole_at = Instant::now() + timing.rescan;
            }
            Next::Wait => {}
        }
    }
    Ok(())
}

impl<'a> Follower<'a> {
    fn new(
        fs: &'a dyn FileFs,
        request: &'a Request,
        ledger: &'a mut Ledger,
        progress: &'a dyn Progress,
    ) -> Self {
        Self {
            fs,
            request,
            ledger,
            progress,
            known: None,
            watched: FxHashSet::default(),
            deaf: FxHashSet::default(),
            limited: false,
            orphans: FxHashSet::default(),
            failing: false,
        }
    }

    /// Everything anew, after the first time: what cannot be done now is tried again.
    fn whole(&mut self, events: &mut dyn Events, tell: &mut dyn FnMut(Happened<'_>)) -> Result<Next, Error> {
        match self.reconcile(events, tell) {
            Ok(next) => {
                self.failing &= next == Next::Retry;
                Ok(next)
            }
            Err(error) => self.failed(error, events, tell),
        }
    }

    /// Nobody knows which watches still stand: all of them are set anew.
    fn forget_watches(&mut self, events: &mut dyn Events) {
        events.reset();
        self.watched.clear();
        self.limited = false;
    }

    /// A directory that the news is about may be another one by now, under the same path: its watch ended with the old
    /// one, and so did those below it. All of them are set anew.
    fn forget_touched(&mut self, burst: &Burst, events: &mut dyn Events) {
        self.watched.retain(|dir| {
            let stays = !dir.ancestors().any(|above| burst.paths.contains(above));
            if !stays {
                events.unwatch(dir);
            }
            stays
        });
    }

    /// As [`Follower::whole`], where the view or a source is another directory than before.
    fn begin_again(
        &mut self,
        events: &mut dyn Events,
        tell: &mut dyn FnMut(Happened<'_>),
    ) -> Result<Next, Error> {
        self.forget_watches(events);
        self.whole(events, tell)
    }

    fn failed(
        &mut self,
        error: Error,
        events: &mut dyn Events,
        tell: &mut dyn FnMut(Happened<'_>),
    ) -> Result<Next, Error> {
        match error {
            Error::Cancelled => Ok(Next::End),
            error @ Error::Ledger { .. } => Err(error),
            error => {
                if !self.failing {
                    tell(Happened::CannotUpdate(&error));
                }
                self.failing = true;
                self.known = None;
                self.forget_watches(events);
                Ok(Next::Retry)
            }
        }
    }

    /// Reads and compares everything, as often as directories turn up that nobody watched while they were read.
    fn reconcile(
        &mut self,
        events: &mut dyn Events,
        tell: &mut dyn FnMut(Happened<'_>),
    ) -> Result<Next, Error> {
        self.known = None;
        for _ in 0..MOST_ROUNDS {
            let plan = crate::plan_with(self.fs, self.request, self.ledger, self.progress)?;
            if self.carry_out(plan, Reading::Everything, tell)? == Next::End {
                return Ok(Next::End);
            }
            if !self.watch_all(events, tell) {
                return Ok(Next::Wait);
            }
        }
        Ok(Next::Retry)
    }

    /// Watches every directory that is known. Whether one of them was not watched before, so that it must be read again.
    fn watch_all(&mut self, events: &mut dyn Events, tell: &mut dyn FnMut(Happened<'_>)) -> bool {
        let Some(known) = &self.known else { return false };
        let mut wanted: FxHashSet<PathBuf> = known
            .sources
            .dirs
            .iter()
            .filter(|dir| dir.state == DirUse::Open)
            .map(|dir| dir.path.clone())
            .collect();
        wanted.insert(self.request.view.clone());
        self.watched.retain(|dir| {
            let stays = wanted.contains(dir);
            if !stays {
                events.unwatch(dir);
            }
            stays
        });
        self.deaf
            .retain(|dir| wanted.contains(dir) && !self.watched.contains(dir));
        let mut new = false;
        let mut missing: Vec<PathBuf> = wanted.difference(&self.watched).cloned().collect();
        missing.sort_unstable();
        for dir in missing {
            let mut watching = Watching {
                events: &mut *events,
                watched: &mut self.watched,
                limited: &mut self.limited,
                refused: Vec::new(),
            };
            watching.came(&dir);
            let refused = std::mem::take(&mut watching.refused);
            new |= self.watched.contains(&dir);
            self.tell_deaf(refused, tell);
        }
        new
    }

    /// Looks at what a burst of news is about, and acts upon it.
    fn update(
        &mut self,
        burst: &Burst,
        events: &mut dyn Events,
        tell: &mut dyn FnMut(Happened<'_>),
    ) -> Result<Next, Error> {
        let request = self.request;
        let Some(mut known) = self.known.take() else {
            self.forget_touched(burst, events);
            return self.whole(events, tell);
        };
        let place = find_view(self.fs, &request.view)?;
        let (roots, _, overlaps, leave_out) = open_sources(self.fs, request, &place)?;
        let Some((view, _)) = place.dir.as_ref().filter(|_| leave_out == known.places) else {
            return self.begin_again(events, tell);
        };
        known.sources.roots = roots;
        let walk = WalkOptions {
            threads: request.options.threads,
            mounts: Mounts::Stay,
            leave_out,
        };
        let case = place.volume.names.case;
        let (mut in_view, mut in_sources) = (FxHashSet::default(), BTreeSet::new());
        for path in &burst.paths {
            if *path == request.view || request.sources.contains(path) {
                return self.begin_again(events, tell);
            }
            match path.file_name() {
                Some(name) if path.parent() == Some(&request.view) => {
                    in_view.insert(Name::from_os(name).bytes().to_vec());
                }
                _ => {
                    in_sources.insert(path.clone());
                }
            }
        }
        let look = LookAgain {
            fs: self.fs,
            filter: &request.options.filter,
            case,
            walk: &walk,
            progress: self.progress,
        };
        let mut watching = Watching {
            events: &mut *events,
            watched: &mut self.watched,
            limited: &mut self.limited,
            refused: Vec::new(),
        };
        let again = known
            .sources
            .look_again(&look, &mut known.by_path, &in_sources, &mut watching);
        let refused = std::mem::take(&mut watching.refused);
        self.tell_deaf(refused, tell);
        if again == Again::Whole {
            self.forget_touched(burst, events);
            return self.whole(events, tell);
        }
        let view_changed = !in_view.is_empty()
            && (case != polylink_core::CaseRule::Sensitive || known.names.differ(self.fs, view, &in_view));
        if view_changed {
            known.names = ViewNames::read(self.fs, view).at("read", &request.view)?;
        } else if in_sources.is_empty() && known.compared {
            // it is as it was
            known.sources.roots.clear();
            self.known = Some(known);
            return Ok(Next::Wait);
        }
        let places = known.places;
        let plan = compare(
            self.fs,
            Some(self.fs),
            request,
            place,
            overlaps,
            known.sources,
            &known.names,
            known.book,
        )?;
        let kept = Reading::Changes {
            names: known.names,
            by_path: known.by_path,
            places,
        };
        self.carry_out(plan, kept, tell)
    }

    /// Does what the plan says, tells of it, and keeps what is known now.
    fn carry_out(
        &mut self,
        plan: Plan,
        reading: Reading,
        tell: &mut dyn FnMut(Happened<'_>),
    ) -> Result<Next, Error> {
        let idle = plan.step_count() == 0 && plan.notes.is_empty();
        let (mut outcome, done) = execute(self.fs, Some(self.fs), &plan, self.ledger, self.progress);
        self.tell_of(&plan, &outcome, &done, tell);
        if let Some(error) = outcome.ledger_error.take() {
            return Err(error);
        }
        if outcome.stopped {
            return Ok(Next::End);
        }
        let request = self.request;
        let place = find_view(self.fs, &request.view)?;
        let Some((view, _)) = &place.dir else {
            return Ok(Next::Retry); // it could not be made, or is gone again
        };
        let (_, _, _, now) = open_sources(self.fs, request, &place)?;
        let mut roots = plan.sources.dirs.iter().filter(|dir| dir.folders.is_empty());
        if !roots.all(|root| root.id.is_some_and(|id| now.contains(&id))) {
            return Ok(Next::Retry); // a source was swapped for another while it was read
        }
        let read = || ViewNames::read(self.fs, view).at("read", &request.view);
        let (names, by_path, compared, places) = match reading {
            Reading::Everything => {
                tell(Happened::Reconciled(&outcome));
                (read()?, plan.sources.by_path(), false, now)
            }
            Reading::Changes {
                names,
                by_path,
                places,
            } => (if idle { names } else { read()? }, by_path, idle, places),
        };
        let book = if idle && outcome.is_complete() {
            plan.book
        } else {
            self.ledger.read().map_err(|fault| self.ledger.named(fault))?
        };
        let mut sources = plan.sources;
        // open directories would keep the user from unmounting them
        sources.roots.clear();
        self.known = Some(Known {
            sources,
            names,
            book,
            by_path,
            compared,
            places,
        });
        Ok(Next::Wait)
    }

    /// Tells once of each directory that cannot be watched, and of the system's limit once.
    fn tell_deaf(&mut self, refused: Vec<(PathBuf, NoWatch)>, tell: &mut dyn FnMut(Happened<'_>)) {
        for (dir, why) in refused {
            if self.deaf.insert(dir.clone()) {
                tell(Happened::NotWatched { dir: &dir, why });
            }
        }
    }

    fn tell_of(&mut self, plan: &Plan, outcome: &Outcome, done: &Done, tell: &mut dyn FnMut(Happened<'_>)) {
        for &change in &done.changes {
            tell(Happened::Done(plan.step(&plan.changes[change])));
        }
        for &link in &done.links {
            tell(Happened::Done(plan.link_step(&plan.links[link as usize])));
        }
        for step in &done.falls {
            tell(Happened::Done(step.clone()));
        }
        for (from, to) in &plan.renames {
            tell(Happened::Renamed { from, to });
        }
        for orphan in &outcome.orphans {
            if !self.orphans.contains(orphan) {
                tell(Happened::Orphan(orphan));
            }
        }
        self.orphans = outcome.orphans.iter().cloned().collect();
        for failure in &outcome.failures {
            tell(Happened::Failed(failure));
        }
    }
}

/// How much was read for an update.
enum Reading {
    Everything,
    Changes {
        names: ViewNames,
        by_path: FxHashMap<PathBuf, u32>,
        places: Vec<FileId>,
    },
}

/// The watches, while directories are read.
struct Watching<'a> {
    events: &'a mut dyn Events,
    watched: &'a mut FxHashSet<PathBuf>,
    limited: &'a mut bool,
    refused: Vec<(PathBuf, NoWatch)>,
}

impl Watches for Watching<'_> {
    fn came(&mut self, dir: &Path) {
        if *self.limited {
            return;
        }
        match self.events.watch(dir) {
            Ok(()) => {
                self.watched.insert(dir.to_path_buf());
            }
            Err(NoWatch::Gone) => {}
            Err(why) => {
                *self.limited |= why == NoWatch::Limit;
                self.refused.push((dir.to_path_buf(), why));
            }
        }
    }

    fn went(&mut self, dir: &Path) {
        let events = &mut self.events;
        self.watched.retain(|watched| {
            let stays = !watched.starts_with(dir);
            if !stays {
                events.unwatch(watched);
            }
            stays
        });
    }

    fn knows(&self, dir: &Path) -> bool {
        // what cannot be watched is not read again and again for it
        *self.limited || self.watched.contains(dir)
    }
}

#[cfg(test)]
mod tests;
