//! Work in batches on several threads, its results in order.

use std::num::NonZero;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

/// Batches that each thread has before it, or behind it, at most.
const WAITING: usize = 2;
/// More threads would wait for whoever fills the batches.
const MOST_THREADS: usize = 4;

/// Fills batches and takes them on this thread, and does the work between on others.
///
/// Each thread gets its batches in turn: so they are taken in the order in which they were filled, and never many wait.
/// `fill` answers whether there was anything left for the batch, which may be one that was taken before. `worker` makes
/// what a thread works with. The first error that `take` answers ends it all.
pub(super) fn in_turns<B, W, E>(
    mut fill: impl FnMut(&mut B) -> bool,
    worker: impl Fn() -> W + Sync,
    mut take: impl FnMut(&B) -> Result<(), E>,
) -> Result<(), E>
where
    B: Default + Send,
    W: FnMut(&mut B),
{
    let threads = thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(MOST_THREADS);
    thread::scope(|scope| {
        let worker = &worker;
        // they end when their batches end, which is when this thread leaves the scope
        let others: Vec<(SyncSender<B>, Receiver<B>)> = (0..threads)
            .map(|_| {
                let (give, given) = mpsc::sync_channel::<B>(WAITING);
                let (done, results) = mpsc::sync_channel(WAITING);
                scope.spawn(move || {
                    let mut work = worker();
                    for mut batch in given {
                        work(&mut batch);
                        if done.send(batch).is_err() {
                            return;
                        }
                    }
                });
                (give, results)
            })
            .collect();
        let mut spare = B::default();
        let (mut given, mut taken, mut more) = (0, 0, true);
        loop {
            while more && given - taken < threads * WAITING {
                let mut batch = std::mem::take(&mut spare);
                // a thread that does not listen any more panicked, and so will the scope
                more = fill(&mut batch) && others[given % threads].0.send(batch).is_ok();
                given += usize::from(more);
            }
            if taken == given {
                return Ok(());
            }
            let Ok(batch) = others[taken % threads].1.recv() else {
                return Ok(());
            };
            take(&batch)?;
            taken += 1;
            spare = batch;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Squares `0..count`, and gives up behind `last`.
    fn squares(count: u64, last: u64) -> (Vec<u64>, Result<(), u64>) {
        let (mut next, mut taken) = (0, Vec::new());
        let outcome = in_turns(
            |number: &mut u64| {
                *number = next;
                next += 1;
                *number < count
            },
            || |number: &mut u64| *number *= *number,
            |&square| {
                taken.push(square);
                if square < last * last { Ok(()) } else { Err(square) }
            },
        );
        (taken, outcome)
    }

    #[test]
    fn results_come_in_order_whatever_the_threads_do() {
        for count in [0, 1, 2, 1000] {
            let (taken, outcome) = squares(count, count);
            assert_eq!(
                taken,
                (0..count).map(|number| number * number).collect::<Vec<_>>()
            );
            assert_eq!(outcome, Ok(()));
        }
    }

    #[test]
    fn an_error_ends_it_and_nothing_hangs() {
        let (taken, outcome) = squares(1_000_000, 7);
        assert_eq!(outcome, Err(49));
        assert_eq!(taken.len(), 8);
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn a_panic_of_a_thread_is_ours() {
        let _ = in_turns(
            |_: &mut u8| true,
            || |_: &mut u8| panic!("this one"),
            |_| Ok::<(), ()>(()),
        );
    }
}
