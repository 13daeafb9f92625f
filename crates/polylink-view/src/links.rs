//! Making the new links: the ledger runs ahead in one thread, others link what it has written down.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use polylink_core::{At, Dir, DirBatch, Fault, FaultKind, FileId, Kind, More, Name, Stat};
use polylink_walk::identify;
use rustc_hash::FxHashMap;

use crate::apply::{Run, Stop};
use crate::diff::changed;
use crate::is_fatal;
use crate::ledger::Ledger;
use crate::opener::{Opener, threads};

/// Links in the first batch that the ledger writes, and in the later ones: the first is small, so that linking begins
/// at once.
const FIRST_BATCH: usize = 2048;
const BATCH: usize = 16 * 1024;
/// Links that a thread takes at once.
const STRETCH: usize = 256;

/// What became of the links.
#[derive(Debug, Default)]
pub(crate) struct Made {
    /// Links that were not made: their rows go. In order.
    pub(crate) failed: Vec<u32>,
    /// The run ends here; the rows of what was not made stay, and the next run makes it.
    pub(crate) stopped: bool,
    /// How many links were tried: those before this one.
    pub(crate) tried: usize,
}

#[derive(Default)]
struct Queue {
    ready: VecDeque<Range<usize>>,
    closed: bool,
    stop: bool,
    tried: usize,
}

struct Work {
    queue: Mutex<Queue>,
    wake: Condvar,
}

impl Work {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn offer(&self, range: Range<usize>) {
        let mut queue = self.lock();
        let mut start = range.start;
        while start < range.end {
            let end = range.end.min(start + STRETCH);
            queue.ready.push_back(start..end);
            start = end;
        }
        drop(queue);
        self.wake.notify_all();
    }

    fn close(&self, stop: bool) {
        let mut queue = self.lock();
        queue.closed = true;
        queue.stop |= stop;
        drop(queue);
        self.wake.notify_all();
    }

    fn take(&self) -> Option<Range<usize>> {
        let mut queue = self.lock();
        loop {
            if queue.stop {
                return None;
            }
            if let Some(range) = queue.ready.pop_front() {
                queue.tried = queue.tried.max(range.end);
                return Some(range);
            }
            if queue.closed {
                return None;
            }
            queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Lets the other threads end when one leaves by a panic.
struct CloseOnPanic<'a>(&'a Work);

impl Drop for CloseOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.close(true);
        }
    }
}

/// Makes the planned links. Rows are on the disk before their links are made.
pub(crate) fn make(run: &mut Run<'_>, view: &Dir, ledger: &mut Ledger) -> Result<Made, Stop> {
    let plan = run.plan;
    let total = plan.links.len();
    if total == 0 {
        return Ok(Made::default());
    }
    run.progress.begin("linking", Some(total as u64));
    let work = Work {
        queue: Mutex::new(Queue::default()),
        wake: Condvar::new(),
    };
    let linkers = threads(plan.options.threads).min(total / STRETCH + 1);
    let (written, results) = std::thread::scope(|scope| {
        let shared = &*run;
        let running: Vec<_> = (0..linkers)
            .map(|_| scope.spawn(|| link_all(shared, view, &work)))
            .collect();
        let written = {
            let _close = CloseOnPanic(&work);
            write_ahead(shared, ledger, &work)
        };
        work.close(written.is_err());
        let results: Vec<Vec<(u32, Fault)>> = running
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect();
        (written, results)
    });
    run.progress.end();
    let mut failed: Vec<(u32, Fault)> = results.into_iter().flatten().collect();
    failed.sort_unstable_by_key(|(index, _)| *index);
    let queue = work.queue.into_inner().unwrap_or_else(PoisonError::into_inner);
    let stopped = queue.stop;
    let mut made = Made {
        stopped,
        tried: queue.tried,
        ..Made::default()
    };
    let mut failed_bytes = 0;
    let mut not_made = total - made.tried;
    for (index, fault) in failed {
        let link = &plan.links[index as usize];
        failed_bytes += link.size;
        not_made += 1;
        if is_fatal(fault) {
            made.stopped = true;
            continue; // its row stays: the next run makes it
        }
        made.failed.push(index);
        if fault.kind() == FaultKind::NotFound {
            run.outcome.left_out.vanished += 1;
        } else {
            let failure = plan.failure("link", Some(link.file), plan.link_name(link), fault);
            run.outcome.failures.push(failure);
        }
    }
    // what was not reached is not in the view either
    failed_bytes += plan.links[made.tried..].iter().map(|link| link.size).sum::<u64>();
    run.outcome.linked = (total - not_made) as u64;
    run.outcome.view_names = run.outcome.view_names.saturating_sub(not_made as u64);
    run.outcome.view_bytes = run.outcome.view_bytes.saturating_sub(failed_bytes);
    written.map(|()| made)
}

fn write_ahead(run: &Run<'_>, ledger: &mut Ledger, work: &Work) -> Result<(), Stop> {
    let plan = run.plan;
    let total = plan.links.len();
    let mut start = 0;
    let mut size = FIRST_BATCH;
    while start < total {
        if work.lock().stop {
            return Ok(());
        }
        let end = total.min(start + size);
        size = BATCH;
        let mut batch: Vec<_> = plan.links[start..end].iter().collect();
        // in the order of the table, neighbours share pages
        batch.sort_unstable_by(|a, b| plan.link_name(a).cmp(plan.link_name(b)));
        run.write(ledger, |run, changes| {
            batch.iter().try_for_each(|link| {
                let (name, size) = (plan.link_name(link), link.size);
                if run.refused.contains(name) {
                    return Ok(());
                }
                run.set_row(changes, name, link.file, size, link.born, run.number)
            })
        })?;
        work.offer(start..end);
        start = end;
    }
    Ok(())
}

fn link_all(run: &Run<'_>, view: &Dir, work: &Work) -> Vec<(u32, Fault)> {
    let _close = CloseOnPanic(work);
    let plan = run.plan;
    let mut failed = Vec::new();
    let mut opener = Opener::new(run.fs, &plan.sources);
    while let Some(range) = work.take() {
        let mut done = 0;
        for index in range {
            let link = &plan.links[index];
            let wanted = &plan.sources.files[link.file as usize];
            let result = opener.open(wanted.dir).and_then(|dir| {
                let existing = At::new(&dir, Name::new(plan.sources.name(wanted)));
                let new = At::new(view, Name::new(plan.link_name(link)));
                run.fs.link(existing, new).map_err(|fault| match fault.kind() {
                    // the source is there: it is the view's directory that is gone
                    FaultKind::NotFound if run.fs.stat(existing).is_ok() => changed(),
                    _ => fault,
                })
            });
            done += 1;
            if let Err(fault) = result {
                // OK to cast: files are counted in u32 from the walk on
                failed.push((index as u32, fault));
                if is_fatal(fault) {
                    work.close(true);
                }
            }
        }
        run.progress.advance(done);
        if run.progress.cancelled() {
            work.close(true);
        }
    }
    failed
}

/// A link that did not come to what was planned.
#[derive(Debug)]
pub(crate) struct Correction {
    /// Index in the plan's links.
    pub(crate) link: u32,
    /// What the name leads to instead; `None` where it was taken back.
    pub(crate) stat: Option<Stat>,
}

/// Compares the view with what was planned, by one more read of the directory: a source that changed between the
/// look and the link is found here, and so is a file that got another number by being linked (overlayfs).
pub(crate) fn verify(run: &mut Run<'_>, view: &Dir, made: &Made) -> Vec<Correction> {
    let plan = run.plan;
    let mut expected: FxHashMap<&[u8], u32> = FxHashMap::default();
    expected.reserve(made.tried);
    for (index, link) in (0u32..).zip(&plan.links[..made.tried]) {
        if made.failed.binary_search(&index).is_err() {
            expected.insert(plan.link_name(link), index);
        }
    }
    let mut corrections = Vec::new();
    if expected.is_empty() {
        return corrections;
    }
    let mut batch = DirBatch::new();
    loop {
        // OK to give up on a fault: the links are made, only the second look at them is missing
        let Ok(more) = run.fs.read_dir(view, &mut batch) else {
            return corrections;
        };
        for entry in batch.iter() {
            let Some(&index) = expected.get(entry.name.bytes()) else {
                continue;
            };
            let wanted: FileId = plan.sources.files[plan.links[index as usize].file as usize].id;
            let Ok((found, _)) = identify(run.fs, view, &entry, batch.ids()) else {
                continue;
            };
            if found == wanted && entry.kind == Kind::File {
                continue;
            }
            let at = At::new(view, entry.name);
            match run.fs.stat(at) {
                Ok(stat) if stat.kind == Kind::File => {
                    corrections.push(Correction {
                        link: index,
                        stat: Some(stat),
                    });
                }
                // the source had become something else; what we made of it is a further name, and goes again
                Ok(stat) if stat.kind != Kind::Directory && stat.links > 1 && run.fs.unlink(at).is_ok() => {
                    corrections.push(Correction {
                        link: index,
                        stat: None,
                    });
                    run.outcome.left_out.vanished += 1;
                    run.outcome.linked = run.outcome.linked.saturating_sub(1);
                    run.outcome.view_names = run.outcome.view_names.saturating_sub(1);
                }
                _ => {}
            }
        }
        if more == More::No {
            return corrections;
        }
    }
}
