//! `polylink flat --watch`.

mod listener;
mod tell;

use std::sync::atomic::{AtomicBool, Ordering};

use polylink_core::Progress;
use polylink_view::{Happened, Timing};

use super::FlatArgs;
use super::engine::{Opened, Site};
use crate::commands::Context;
use crate::error::{CommandError, Outcome};
use crate::format::Sizes;
use crate::progress::{Meter, Stop};

use listener::Listener;
use tell::Teller;

/// Progress of the first update; later ones are short and told of when they are done.
struct Watching<'a> {
    meter: Meter,
    stop: &'a Stop,
    /// From now on nothing is shown.
    following: AtomicBool,
    /// Nobody reads what is told.
    unheard: AtomicBool,
}

impl Watching<'_> {
    fn shown(&self) -> bool {
        !self.following.load(Ordering::Relaxed)
    }
}

impl Progress for Watching<'_> {
    fn begin(&self, phase: &'static str, total: Option<u64>) {
        if self.shown() {
            self.meter.begin(phase, total);
        }
    }

    fn advance(&self, steps: u64) {
        if self.shown() {
            self.meter.advance(steps);
        }
    }

    fn end(&self) {
        if self.shown() {
            self.meter.end();
        }
    }

    fn cancelled(&self) -> bool {
        self.stop.wanted() || self.unheard.load(Ordering::Relaxed)
    }
}

pub(super) fn run(
    context: &Context<'_>,
    site: Site<'_>,
    opened: &mut Opened<'_>,
    args: &FlatArgs,
) -> Result<Outcome, CommandError> {
    let mut listener = Listener::new()?;
    let timing = Timing {
        rescan: args.rescan,
        ..Timing::default()
    };
    let watching = Watching {
        meter: context.meter(),
        stop: &context.stop,
        following: AtomicBool::new(false),
        unheard: AtomicBool::new(false),
    };
    let view = &opened.request().view;
    let mut teller = Teller::new(context, site, view, Sizes::exact(args.exact.bytes));
    let mut failed = None;
    let followed = opened.follow(&mut listener, timing, &watching, &mut |happened| {
        if matches!(happened, Happened::Following { .. }) {
            watching.following.store(true, Ordering::Relaxed);
        }
        if failed.is_none()
            && let Err(error) = teller.tell(&happened)
        {
            failed = Some(error);
            watching.unheard.store(true, Ordering::Relaxed);
        }
    });
    if let Some(error) = failed {
        return Err(error);
    }
    followed?;
    opened.note_ledger();
    // a signal is how it is meant to end
    Ok(Outcome::Done)
}
