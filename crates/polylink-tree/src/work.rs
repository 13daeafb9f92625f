//! Work that several threads share.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use polylink_core::{FileFs, Progress};

/// Whether the threads shall go on: one that meets a fault that ends the run says so to the others.
#[derive(Debug, Default)]
pub(crate) struct Halt(AtomicBool);

impl Halt {
    pub(crate) fn call(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn called(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How many threads to use.
fn threads(wanted: Option<NonZeroUsize>) -> usize {
    wanted
        .or_else(|| std::thread::available_parallelism().ok())
        .map_or(1, NonZeroUsize::get)
        .min(8)
}

/// How many threads to use where each waits for the disk most of the time: those who wait at once wait for one writing.
pub(crate) fn waiting(fs: &dyn FileFs, wanted: Option<NonZeroUsize>) -> Option<NonZeroUsize> {
    match fs.takes_turns() {
        true => NonZeroUsize::new(1),
        false => wanted.or(NonZeroUsize::new(8)),
    }
}

/// How a piece of work is shared.
pub(crate) struct Share<'a> {
    /// Threads wanted.
    pub(crate) threads: Option<NonZeroUsize>,
    /// Told of each job when it is done, and asked whether to go on.
    pub(crate) progress: &'a dyn Progress,
    /// Ends the work early.
    pub(crate) halt: &'a Halt,
}

/// Does the jobs from 0 on, by several threads, each with something of its own; the results in the order of the jobs,
/// those before the halt only. A job answers with its result and the steps that it was.
pub(crate) fn share<L, R: Send>(
    how: &Share<'_>,
    jobs: usize,
    local: impl Fn() -> L + Sync,
    work: impl Fn(&mut L, usize) -> (R, u64) + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut local = local();
        let mut done = Vec::new();
        loop {
            if how.progress.cancelled() {
                how.halt.call();
            }
            let job = next.fetch_add(1, Ordering::Relaxed);
            if how.halt.called() || job >= jobs {
                return done;
            }
            let (result, steps) = work(&mut local, job);
            how.progress.advance(steps);
            done.push((job, result));
        }
    };
    let threads = threads(how.threads).min(jobs).max(1);
    let mut all = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
        let mut all = run();
        for other in others {
            match other.join() {
                Ok(done) => all.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    all.sort_unstable_by_key(|(job, _)| *job);
    all.into_iter().map(|(_, result)| result).collect()
}
