//! What an input may take, and what inputs took.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
#[cfg(not(unix))]
use std::time::Instant;

use crate::MEMORY;

/// What one input may take of each core: two seconds as users have the program, ten times that where nothing is optimized.
const SOON: Duration = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 2 });
/// What all inputs that are looked at together may take beyond what was taken before.
const LITTLE: usize = 64 << 20;
/// Nobody reads more failures.
const MOST_FAILURES: usize = 20;
const MOST_THREADS: usize = 4;

/// Waits until no other test is at work: time and memory are those of the process.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    // a test that failed is none that still runs
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn threads() -> usize {
    thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MOST_THREADS)
}

/// Does something with each of some numbers, in threads, until it answers `false`.
pub(crate) fn in_threads(numbers: Range<u64>, work: &(dyn Fn(u64) -> bool + Sync)) {
    let next = AtomicU64::new(numbers.start);
    thread::scope(|scope| {
        for _ in 0..threads() {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= numbers.end || !work(number) {
                        return;
                    }
                }
            });
        }
    });
}

/// The worst of something, and which input it was.
#[derive(Default)]
struct Worst(Mutex<(u64, String)>);

impl Worst {
    fn offer(&self, value: u64, name: &dyn Fn() -> String) {
        let mut worst = self.0.lock().unwrap();
        if value > worst.0 {
            *worst = (value, name());
        }
    }

    fn into_inner(self) -> (u64, String) {
        self.0.into_inner().unwrap()
    }
}

/// What inputs took.
pub(crate) struct Tally {
    /// Memory in use before the first of them.
    before: usize,
    done: AtomicU64,
    slowest: Worst,
    largest: Worst,
    failures: Mutex<Vec<String>>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            before: MEMORY.current_usage(),
            done: AtomicU64::new(0),
            slowest: Worst::default(),
            largest: Worst::default(),
            failures: Mutex::default(),
        }
    }

    /// Does something that must stay within the limits, and answers how long it took; `None` where it did not.
    pub(crate) fn take(
        &self,
        name: &dyn Fn() -> String,
        told: &dyn Fn() -> String,
        work: &dyn Fn(),
    ) -> Option<Duration> {
        MEMORY.reset_peak_usage();
        let outcome = timed(work);
        let peak = MEMORY.peak_usage().saturating_sub(self.before);
        self.done.fetch_add(1, Ordering::Relaxed);
        let outcome = match outcome {
            Ok(_) if peak > LITTLE => Err(format!("took {peak} bytes of memory")),
            outcome => outcome,
        };
        match outcome {
            Ok(took) => {
                self.slowest.offer(took.as_micros() as u64, name);
                self.largest.offer(peak as u64, name);
                Some(took)
            }
            Err(what) => {
                self.failures.lock().unwrap().push(format!("{what}: {}", told()));
                None
            }
        }
    }

    /// Whether so much failed that more would tell nothing new.
    pub(crate) fn is_lost(&self) -> bool {
        self.failures.lock().unwrap().len() > MOST_FAILURES
    }

    /// Prints the worst, and fails where anything did.
    pub(crate) fn close(self, what: &str, took: Duration) {
        let (slowest, largest) = (self.slowest.into_inner(), self.largest.into_inner());
        println!("{} {what} in {took:.1?}", self.done.into_inner());
        println!("slowest: {} us ({})", slowest.0, slowest.1);
        println!(
            "largest: {} bytes in {} threads ({})",
            largest.0,
            threads(),
            largest.1
        );
        let failures = self.failures.into_inner().unwrap();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
}

/// What this process has computed so far, in all its threads: what other processes do meanwhile does not count.
#[cfg(unix)]
fn computed() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(now).unwrap()
}

/// The same where only the time that passes can be told, which all cores had.
#[cfg(not(unix))]
fn computed() -> Duration {
    static BEGUN: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    BEGUN.elapsed() * u32::try_from(threads()).unwrap_or(1)
}

/// How long something took, were all cores at work for it; what is wrong with it otherwise.
fn timed(work: &dyn Fn()) -> Result<Duration, String> {
    let mut took = Duration::MAX;
    let cores = u32::try_from(threads()).unwrap_or(1);
    // a second try, for a machine whose memory others keep busy
    for _ in 0..2 {
        let begun = computed();
        catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
            format!("panicked: {}", text.unwrap_or_default())
        })?;
        took = took.min(computed().saturating_sub(begun) / cores);
        if took < SOON {
            return Ok(took);
        }
    }
    Err(format!("took {took:?}"))
}
