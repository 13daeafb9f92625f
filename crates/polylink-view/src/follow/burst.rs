//! News that belong together.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use polylink_core::Progress;

use super::{Event, Events, Timing};

/// How often to ask whether the user wants to stop.
const TICK: Duration = Duration::from_millis(200);
/// How long to wait for the other half of a move.
const OTHER_HALF: Duration = Duration::from_millis(50);

/// What a burst of news is about.
#[derive(Debug, Default)]
pub(super) struct Burst {
    pub(super) paths: BTreeSet<PathBuf>,
    pub(super) overflow: bool,
    /// Moves of which only the first half has come.
    open: BTreeSet<usize>,
}

impl Burst {
    #[cfg(test)]
    pub(super) fn of(paths: &[String]) -> Self {
        Self {
            paths: paths.iter().map(PathBuf::from).collect(),
            ..Self::default()
        }
    }

    fn add(&mut self, event: Event) {
        match event {
            Event::Changed(path) => {
                self.paths.insert(path);
            }
            Event::MovedFrom(path, number) => {
                self.paths.insert(path);
                self.open.insert(number);
            }
            Event::MovedTo(path, number) => {
                self.paths.insert(path);
                self.open.remove(&number);
            }
            Event::Overflow => self.overflow = true,
        }
    }
}

/// Waits up to `patience` for news, and then for all that come with them: until it is quiet, or for as long as `timing`
/// allows. Both halves of a move belong to one burst, so that a name which was moved is not taken for one that is gone.
pub(super) fn gather(
    events: &mut dyn Events,
    timing: Timing,
    patience: Duration,
    progress: &dyn Progress,
) -> Burst {
    let mut burst = Burst::default();
    let until = Instant::now() + patience;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || progress.cancelled() {
            return burst;
        }
        if let Some(event) = events.next(left.min(TICK)) {
            burst.add(event);
            break;
        }
    }
    let cut = Instant::now() + timing.longest;
    while Instant::now() < cut {
        match events.next(timing.quiet) {
            Some(event) => burst.add(event),
            None => break,
        }
    }
    let cut = Instant::now() + OTHER_HALF;
    while !burst.open.is_empty() && !burst.overflow {
        let left = cut.saturating_duration_since(Instant::now());
        match events.next(left) {
            Some(event) => burst.add(event),
            None => break,
        }
        if left.is_zero() {
            break;
        }
    }
    burst
}
