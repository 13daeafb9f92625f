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
use crate::opener::{Opener, threads, usable};
use crate::plan::{Link, Look};

/// Links in the first batch that the ledger writes, and in the later ones: the first is small, so that linking begins
/// at once.
const FIRST_BATCH: usize = 2048;
const BATCH: usize = 16 * 1024;
/// Links that a thread takes at once.
const STRETCH: usize = 256;
/// So many links are looked at one by one afterwards; for more of them the view is read.
const FEW: usize = 64;

/// What became of the links.
#[derive(Debug, Default)]
pub(crate) struct Made {
    /// Links that were not made: their rows go. In order.
    pub(crate) failed: Vec<u32>,
    /// Those of them that get a fallback instead, because no hard link can be there.
    pub(crate) fall_back: Vec<u32>,
    /// The run ends here; the rows of what was not made stay, and the next run makes it.
    pub(crate) stopped: bool,
    /// How many links were tried: those before this one.
    pub(crate) tried: usize,
}

/// Links that a thread takes at once: a stretch of the plan without those that came to nothing when they were looked
/// at.
struct Stretch {
    range: Range<usize>,
    skip: Vec<u32>,
}

#[derive(Default)]
struct Queue {
    ready: VecDeque<Stretch>,
    closed: bool,
    stop: bool,
    tried: usize,
}

struct Work {
    queue: Mutex<Queue>,
    wake: Condvar,
    turns: Option<Turns>,
}

/// Whose turn it is, on a file system where calls wait for each other.
#[derive(Default)]
struct Turns {
    now: Mutex<()>,
    /// Held by who waits longest: nobody has two turns while others wait.
    next: Mutex<()>,
}

impl Turns {
    fn wait(&self) -> MutexGuard<'_, ()> {
        let _next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work {
    /// Returns once this thread may make a stretch of calls, where it must wait for that.
    fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        self.turns.as_ref().map(Turns::wait)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn offer(&self, range: Range<usize>, skipped: &[(u32, Option<Fault>)]) {
        let mut queue = self.lock();
        let mut start = range.start;
        while start < range.end {
            let end = range.end.min(start + STRETCH);
            let among = |&(index, _): &(u32, Option<Fault>)| {
                (start..end).contains(&(index as usize)).then_some(index)
            };
            queue.ready.push_back(Stretch {
                range: start..end,
                skip: skipped.iter().filter_map(among).collect(),
            });
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

    fn take(&self) -> Option<Stretch> {
        let mut queue = self.lock();
        loop {
            if queue.stop {
                return None;
            }
            if let Some(stretch) = queue.ready.pop_front() {
                queue.tried = queue.tried.max(stretch.range.end);
                return Some(stretch);
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

/// What the thread that runs ahead of the links found out.
#[derive(Default)]
struct Ahead {
    /// Sizes of the files, as far as it got.
    sizes: Vec<u64>,
    /// Links that came to nothing when their files were looked at, in order; the fault, where it is one.
    skipped: Vec<(u32, Option<Fault>)>,
}

/// Makes the planned links. Each file is looked at, its row put on the disk, and then its link made, a batch at a time
/// by several threads.
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
        turns: run.fs.takes_turns().then(Turns::default),
    };
    let most = if work.turns.is_some() {
        1
    } else {
        total / STRETCH + 1
    };
    let linkers = (threads(plan.options.threads) - 1).clamp(1, most);
    let mut ahead = Ahead::default();
    let (written, results) = std::thread::scope(|scope| {
        let shared = &*run;
        let running: Vec<_> = (0..linkers)
            .map(|_| scope.spawn(|| link_all(shared, view, &work)))
            .collect();
        let written = {
            let _close = CloseOnPanic(&work);
            write_ahead(shared, ledger, &work, &mut ahead)
        };
        work.close(written.is_err());
        // once everything is written down this thread links as well
        let mut results = vec![link_all(shared, view, &work)];
        for thread in running {
            results.push(
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            );
        }
        (written, results)
    });
    run.progress.end();
    let queue = work.queue.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut made = Made {
        stopped: queue.stop,
        tried: queue.tried,
        ..Made::default()
    };
    // each is (index, action, fault), the fault `None` for what vanished or changed before it was linked
    let skipped = ahead
        .skipped
        .into_iter()
        .filter(|(index, _)| (*index as usize) < made.tried);
    let mut failed: Vec<(u32, &'static str, Option<Fault>)> =
        skipped.map(|(index, fault)| (index, "look at", fault)).collect();
    failed.extend(
        results
            .into_iter()
            .flatten()
            .map(|(index, fault)| (index, "link", Some(fault))),
    );
    failed.sort_unstable_by_key(|(index, ..)| *index);
    let mut names = made.tried as u64;
    let mut bytes: u64 = ahead.sizes[..made.tried].iter().sum();
    for (index, action, fault) in failed {
        let link = &plan.links[index as usize];
        names -= 1;
        bytes -= ahead.sizes[index as usize];
        match fault {
            // its row stays: the next run makes it
            Some(fault) if is_fatal(fault) => {
                made.stopped = true;
                continue;
            }
            None => run.outcome.left_out.vanished += 1,
            Some(fault) if fault.kind() == FaultKind::NotFound => run.outcome.left_out.vanished += 1,
            Some(fault)
                if plan.options.fallback.is_some()
                    && run.files.is_some()
                    && matches!(fault.kind(), FaultKind::TooManyLinks | FaultKind::CrossesVolumes) =>
            {
                made.fall_back.push(index);
            }
            Some(fault) => {
                let failure = plan.failure(action, Some(link.file), plan.link_name(link), fault);
                run.outcome.failures.push(failure);
            }
        }
        made.failed.push(index);
    }
    run.outcome.linked = names;
    run.outcome.view_names += names;
    run.outcome.view_bytes += bytes;
    written.map(|()| made)
}

fn write_ahead(run: &Run<'_>, ledger: &mut Ledger, work: &Work, ahead: &mut Ahead) -> Result<(), Stop> {
    let plan = run.plan;
    let total = plan.links.len();
    let mut opener = Opener::new(run.fs, &plan.sources);
    let mut start = 0;
    let mut size = FIRST_BATCH;
    while start < total {
        if work.lock().stop {
            return Ok(());
        }
        let end = total.min(start + size);
        size = BATCH;
        let mut batch: Vec<(&Link, Look)> = Vec::with_capacity(end - start);
        let first_skipped = ahead.skipped.len();
        let mut turn = None;
        for (index, link) in (start..).zip(&plan.links[start..end]) {
            if (index - start).is_multiple_of(STRETCH) {
                drop(turn.take());
                turn = work.turn();
            }
            let look = match link.look {
                Some(look) => Ok(look),
                None => usable(&plan.sources.files[link.file as usize], opener.look(link.file))
                    .map(|stat| Look::of(&stat)),
            };
            ahead.sizes.push(look.map_or(0, |look| look.size));
            match look {
                Ok(look) => batch.push((link, look)),
                // OK to cast: files are counted in u32 from the walk on
                Err(fault) => ahead.skipped.push((index as u32, fault)),
            }
        }
        drop(turn);
        // in the order of the table, neighbours share pages
        batch.sort_unstable_by(|(a, _), (b, _)| plan.link_name(a).cmp(plan.link_name(b)));
        run.write(ledger, |run, changes| {
            batch.iter().try_for_each(|(link, look)| {
                let name = plan.link_name(link);
                if run.refused.contains(name) {
                    return Ok(());
                }
                run.set_row(changes, name, link.file, look.size, look.born, run.number)
            })
        })?;
        work.offer(start..end, &ahead.skipped[first_skipped..]);
        start = end;
    }
    Ok(())
}

fn link_all(run: &Run<'_>, view: &Dir, work: &Work) -> Vec<(u32, Fault)> {
    let _close = CloseOnPanic(work);
    let plan = run.plan;
    let mut failed = Vec::new();
    let mut opener = Opener::new(run.fs, &plan.sources);
    while let Some(stretch) = work.take() {
        let turn = work.turn();
        let mut done = 0;
        for index in stretch.range {
            // OK to cast: files are counted in u32 from the walk on
            if stretch.skip.contains(&(index as u32)) {
                continue;
            }
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
        drop(turn);
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
    if expected.len() <= FEW {
        for (name, index) in expected {
            let at = At::new(view, Name::new(name));
            // OK to give up on a fault: the link is made, only the second look at it is missing
            if let Ok(stat) = run.fs.stat(at) {
                corrections.extend(correction(run, at, index, (stat.id, stat.kind)));
            }
        }
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
            let Ok((found, _)) = identify(run.fs, view, &entry, batch.ids()) else {
                continue;
            };
            corrections.extend(correction(
                run,
                At::new(view, entry.name),
                index,
                (found, entry.kind),
            ));
        }
        if more == More::No {
            return corrections;
        }
    }
}

/// What to correct of a link that leads to this file.
fn correction(run: &mut Run<'_>, at: At<'_>, link: u32, found: (FileId, Kind)) -> Option<Correction> {
    let plan = run.plan;
    let wanted = plan.sources.files[plan.links[link as usize].file as usize].id;
    if found == (wanted, Kind::File) {
        return None;
    }
    match run.fs.stat(at) {
        Ok(stat) if stat.kind == Kind::File => Some(Correction {
            link,
            stat: Some(stat),
        }),
        // the source had become something else; what we made of it is a further name, and goes again
        Ok(stat) if stat.kind != Kind::Directory && stat.links > 1 && run.fs.unlink(at).is_ok() => {
            run.outcome.left_out.vanished += 1;
            run.outcome.linked = run.outcome.linked.saturating_sub(1);
            run.outcome.view_names = run.outcome.view_names.saturating_sub(1);
            Some(Correction { link, stat: None })
        }
        _ => None,
    }
}
