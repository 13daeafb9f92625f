//! Hostile bytes: seeds and mutations of them through every target, volumes of others, volumes that end too early; each
//! with little time and memory.
//!
//! A binary of its own, since the memory of a whole process is what counts. `POLYLINK_FUZZ` is how many inputs there
//! are, or which, as `FIRST..END`; they are the same in every run.

#![allow(clippy::print_stdout)] // the figures are what a long run is for

mod limits;
mod volumes;

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;
use polylink_testutil::ntfs::hostile::bases;
use polylink_testutil::ntfs::mutate::mutated;
use polylink_testutil::ntfs::targets::{TARGETS, Target};

use crate::limits::{Tally, alone, in_threads};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const BY_DEFAULT: u64 = 1500;

/// The inputs that are wanted, by number.
fn wanted() -> Range<u64> {
    let number = |text: &str| {
        text.parse()
            .expect("POLYLINK_FUZZ is a number of inputs, or FIRST..END")
    };
    match std::env::var("POLYLINK_FUZZ") {
        Ok(text) => match text.split_once("..") {
            Some((first, end)) => number(first)..number(end),
            None => 0..number(&text),
        },
        Err(_) => 0..BY_DEFAULT,
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

#[test]
fn fuzz_targets_survive_seeds_and_mutations() {
    let _turn = alone();
    let wanted = wanted();
    let seeds: Vec<_> = TARGETS.iter().map(seeds).collect();
    let _made = bases();
    let tally = Tally::new();
    let spent = TARGETS.map(|_| AtomicU64::new(0));
    let begun = Instant::now();
    let one = |at: usize, input: &[u8], name: &dyn Fn() -> String| {
        let told = || format!("{}\n  {input:02x?}", name());
        let took = tally.take(name, &told, &|| (TARGETS[at].run)(input));
        let micros = took.unwrap_or_default().as_micros() as u64;
        spent[at].fetch_add(micros, Ordering::Relaxed);
    };
    for (at, seeds) in seeds.iter().enumerate() {
        for (number, seed) in seeds.iter().enumerate() {
            one(at, seed, &|| format!("{} seed {number}", TARGETS[at].name));
        }
    }
    in_threads(wanted, &|number| {
        let mut share = number % 1000;
        let at = TARGETS.iter().position(|target| {
            let mine = share < target.share;
            share = share.saturating_sub(target.share);
            mine
        });
        let at = at.expect("shares of a thousand");
        let input = mutated(&TARGETS[at], &seeds[at], number);
        one(at, &input, &|| format!("{} {number}", TARGETS[at].name));
        !tally.is_lost()
    });
    for (target, spent) in TARGETS.iter().zip(spent) {
        let spent = Duration::from_micros(spent.into_inner());
        println!("{}: {:.1} s", target.name, spent.as_secs_f64());
    }
    tally.close("inputs", begun.elapsed());
}
