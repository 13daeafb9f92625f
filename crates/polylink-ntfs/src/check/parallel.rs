//! Work in pieces on several threads, its results in order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

const MOST_THREADS: u64 = 8;
/// Results that may wait to be taken, for each thread.
const WAITING: usize = 4;

/// Does the pieces `0..count` on several threads, and hands their results over in order, on this one.
///
/// So what is reported does not depend on the threads. Each thread has a scratch value of its own.
pub(super) fn in_order<S, T: Send>(
    count: u64,
    scratch: impl Fn() -> S + Sync,
    work: impl Fn(u64, &mut S) -> T + Sync,
    mut take: impl FnMut(T),
) {
    let threads = thread::available_parallelism()
        .map_or(1, |threads| u64::try_from(threads.get()).unwrap_or(1))
        .min(MOST_THREADS)
        .min(count);
    if threads <= 1 {
        let mut own = scratch();
        for piece in 0..count {
            take(work(piece, &mut own));
        }
        return;
    }
    let next = AtomicU64::new(0);
    let room = usize::try_from(threads).unwrap_or(1).saturating_mul(WAITING);
    let (send, receive) = mpsc::sync_channel(room);
    thread::scope(|scope| {
        for _ in 0..threads {
            let send = send.clone();
            let (next, scratch, work) = (&next, &scratch, &work);
            scope.spawn(move || {
                let mut own = scratch();
                loop {
                    let piece = next.fetch_add(1, Ordering::Relaxed);
                    if piece >= count || send.send((piece, work(piece, &mut own))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        let mut wanted = 0_u64;
        let mut early = BTreeMap::new();
        for (piece, result) in receive {
            early.insert(piece, result);
            while let Some(result) = early.remove(&wanted) {
                take(result);
                wanted = wanted.saturating_add(1);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_whatever_the_threads_do() {
        for count in [0, 1, 2, 1000] {
            let mut taken = Vec::new();
            in_order(count, || 0_u64, |piece, _| piece * 2, |result| taken.push(result));
            assert_eq!(taken, (0..count).map(|piece| piece * 2).collect::<Vec<_>>());
        }
    }
}
