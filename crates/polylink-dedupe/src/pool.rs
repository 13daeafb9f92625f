//! Work on many items by several threads, with the answers in the order of the items.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Items that a thread takes at once.
const TAKEN: usize = 16;

/// Answers `work` for each number below `count`. Each thread makes itself a `tool` first.
pub(crate) fn each<W, T: Send>(
    threads: usize,
    count: usize,
    tool: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, usize) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    // a few large items must not all fall to one thread
    let taken = TAKEN.min(count / (threads.max(1) * 8)).max(1);
    let run = || {
        let mut tool = tool();
        let mut done = Vec::new();
        loop {
            let from = next.fetch_add(taken, Ordering::Relaxed);
            if from >= count {
                return done;
            }
            for item in from..count.min(from + taken) {
                done.push((item, work(&mut tool, item)));
            }
        }
    };
    let parts = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(count)).map(|_| scope.spawn(run)).collect();
        let mut parts = vec![run()];
        for other in others {
            match other.join() {
                Ok(part) => parts.push(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        parts
    });
    let mut all: Vec<(usize, T)> = parts.into_iter().flatten().collect();
    all.sort_unstable_by_key(|(item, _)| *item);
    all.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_the_order_of_the_items() {
        for threads in [1, 2, 7] {
            for count in [0, 1, 5, 1000] {
                let squares = each(threads, count, || (), |(), item| item * item);
                assert!(squares.into_iter().eq((0..count).map(|item| item * item)));
            }
        }
    }
}
