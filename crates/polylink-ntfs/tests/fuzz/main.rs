//! Hostile bytes: seeds and mutations of them through every target, each with little time and memory.
//!
//! A binary of its own, since the memory of a whole process is what counts. `POLYLINK_FUZZ` is how many inputs there
//! are; they are the same in every run.

#![allow(clippy::print_stdout)] // the figures are what a long run is for

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;
use polylink_testutil::ntfs::hostile::bases;
use polylink_testutil::ntfs::mutate::mutated;
use polylink_testutil::ntfs::targets::{TARGETS, Target};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What one input may take.
const SOON: Duration = Duration::from_secs(2);
/// What all inputs that are looked at together may take beyond what was taken before.
const LITTLE: usize = 64 << 20;
const BY_DEFAULT: u64 = 1500;

/// The worst of something, and which input it was.
#[derive(Default)]
struct Worst(Mutex<(u64, String)>);

impl Worst {
    fn offer(&self, value: u64, name: impl FnOnce() -> String) {
        let mut worst = self.0.lock().unwrap();
        if value > worst.0 {
            *worst = (value, name());
        }
    }
}

fn seeds(target: &Target) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/seeds")
        .join(target.name);
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Runs one input, and answers how long it took; what is wrong with it otherwise.
fn run(target: &Target, input: &[u8]) -> Result<Duration, String> {
    let mut took = Duration::MAX;
    // a second try, for a machine that was busy with other things
    for _ in 0..2 {
        let begun = Instant::now();
        catch_unwind(AssertUnwindSafe(|| (target.run)(input))).map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            format!("panicked: {}", text.unwrap_or_default())
        })?;
        took = took.min(begun.elapsed());
        if took < SOON {
            return Ok(took);
        }
    }
    Err(format!("took {took:?}"))
}

#[test]
fn fuzz_targets_survive_seeds_and_mutations() {
    let count = match std::env::var("POLYLINK_FUZZ") {
        Ok(count) => count.parse().expect("POLYLINK_FUZZ is a number of inputs"),
        Err(_) => BY_DEFAULT,
    };
    let seeds: Vec<_> = TARGETS.iter().map(seeds).collect();
    let _made = bases();
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let (slowest, largest) = (Worst::default(), Worst::default());
    let failures = Mutex::new(Vec::new());
    let spent = TARGETS.map(|_| AtomicU64::new(0));
    let one = |at: usize, input: &[u8], name: &dyn Fn() -> String| {
        let target = &TARGETS[at];
        MEMORY.reset_peak_usage();
        let outcome = run(target, input);
        let peak = MEMORY.peak_usage().saturating_sub(before);
        done.fetch_add(1, Ordering::Relaxed);
        let outcome = match outcome {
            Ok(_) if peak > LITTLE => Err(format!("took {peak} bytes of memory")),
            outcome => outcome,
        };
        match outcome {
            Ok(took) => {
                let micros = took.as_micros() as u64;
                spent[at].fetch_add(micros, Ordering::Relaxed);
                slowest.offer(micros, name);
                largest.offer(peak as u64, name);
            }
            Err(what) => {
                let mut failures = failures.lock().unwrap();
                failures.push(format!("{} {what}\n  {input:02x?}", name()));
                // nobody reads more
                if failures.len() > 20 {
                    next.store(u64::MAX / 2, Ordering::Relaxed);
                }
            }
        }
    };
    for (at, seeds) in seeds.iter().enumerate() {
        for (number, seed) in seeds.iter().enumerate() {
            one(at, seed, &|| format!("{} seed {number}", TARGETS[at].name));
        }
    }
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return;
            }
            let mut share = number % 1000;
            let at = TARGETS.iter().position(|target| {
                let mine = share < target.share;
                share = share.saturating_sub(target.share);
                mine
            });
            let at = at.expect("shares of a thousand");
            let input = mutated(&TARGETS[at], &seeds[at], number);
            one(at, &input, &|| format!("{} {number}", TARGETS[at].name));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(4);
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let (slowest, largest) = (slowest.0.into_inner().unwrap(), largest.0.into_inner().unwrap());
    println!("{} inputs in {:.1?}", done.into_inner(), begun.elapsed());
    println!("slowest: {} us ({})", slowest.0, slowest.1);
    println!(
        "largest: {} bytes in {threads} threads ({})",
        largest.0, largest.1
    );
    for (target, spent) in TARGETS.iter().zip(spent) {
        println!("{}: {:.1} s", target.name, spent.into_inner() as f64 / 1e6);
    }
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
