//! Progress on long work: a bar on a terminal, lines where the output goes elsewhere and progress is asked for.

use std::fmt;
use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use polylink_core::Progress;

use crate::args::When;
use crate::error::CommandError;
use crate::format::{count, duration};
use crate::ui;

/// Nothing is shown for work that is over sooner.
const DELAY_MS: u64 = 250;
/// 30 times a second at most.
const REDRAW_MS: u64 = 34;
/// Lines, where there is no terminal to redraw.
const LINE_MS: u64 = 1000;

/// Whether the user wants the work to stop: SIGINT (Ctrl-C) or SIGTERM came, on Windows Ctrl-C or Ctrl-Break.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// A flag that the signals set from now on. Where they cannot be caught they end the process, as ever.
    pub(crate) fn on_signals() -> Self {
        let stop = Self::default();
        #[cfg(unix)]
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            // OK to ignore: the default action of the signal stays then
            drop(signal_hook::flag::register(signal, Arc::clone(&stop.0)));
        }
        #[cfg(windows)]
        {
            let flag = Arc::clone(&stop.0);
            // signals of the C runtime are no way there: Wine's crashes where signal-hook asks for the handler before
            // OK to ignore: Ctrl-C ends the process then, as ever
            drop(ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed)));
        }
        stop
    }

    pub(crate) fn wanted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// # Errors
    ///
    /// [`CommandError::interrupted`] where the user wants to stop.
    pub(crate) fn check(&self) -> Result<(), CommandError> {
        if self.wanted() {
            Err(CommandError::interrupted())
        } else {
            Ok(())
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    Hidden,
    Bar,
    Lines,
}

struct State {
    bar: Option<ProgressBar>,
    phase: &'static str,
    total: Option<u64>,
    since: Instant,
}

/// Shows the progress of one command. It vanishes from the terminal when dropped.
pub(crate) struct Meter {
    stop: Stop,
    mode: Mode,
    started: Instant,
    done: AtomicU64,
    next_draw: AtomicU64,
    state: Mutex<State>,
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Meter({:?})", self.mode)
    }
}

impl Meter {
    pub(crate) fn new(stop: &Stop, when: When) -> Self {
        let mode = match (when, std::io::stderr().is_terminal()) {
            (When::Never, _) | (When::Auto, false) => Mode::Hidden,
            (_, true) => Mode::Bar,
            (When::Always, false) => Mode::Lines,
        };
        let started = Instant::now();
        Self {
            stop: stop.clone(),
            mode,
            started,
            done: AtomicU64::new(0),
            next_draw: AtomicU64::new(DELAY_MS),
            state: Mutex::new(State {
                bar: None,
                phase: "",
                total: None,
                since: started,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn draw(&self) {
        let mut state = self.lock();
        let done = self.done.load(Ordering::Relaxed);
        let text = text(done, state.total, state.since.elapsed());
        match self.mode {
            Mode::Hidden => {}
            Mode::Lines => ui::err(&format!("{}: {text}\n", state.phase)),
            Mode::Bar => match &state.bar {
                Some(bar) => {
                    bar.set_message(text);
                    bar.set_position(done);
                }
                None => state.bar = Some(new_bar(state.phase, state.total, done, text)),
            },
        }
    }
}

/// `12,000 of 40,000, 25,000/s, 1.1 s left`.
fn text(done: u64, total: Option<u64>, time: Duration) -> String {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
    let rate = u128::from(done) * 1_000_000 / u128::from(micros);
    let mut text = match total {
        Some(total) => format!("{} of {}", count(done), count(total)),
        None => count(done),
    };
    if time >= Duration::from_millis(20) {
        text.push_str(&format!(", {}/s", count(rate)));
    }
    if let Some(left) = total.and_then(|total| total.checked_sub(done))
        && left > 0
        && rate > 0
    {
        let millis = u64::try_from(u128::from(left) * 1000 / rate).unwrap_or(u64::MAX);
        text.push_str(&format!(", {} left", duration(Duration::from_millis(millis))));
    }
    text
}

/// A bar that has all it shows before it shows anything.
fn new_bar(phase: &'static str, total: Option<u64>, done: u64, text: String) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
    restyle(&bar, phase, total);
    bar.set_message(text);
    bar.set_position(done);
    bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(30));
    bar.tick();
    bar
}

fn restyle(bar: &ProgressBar, phase: &'static str, total: Option<u64>) {
    let template = match total {
        Some(_) => "{prefix} [{bar:24}] {msg}",
        None => "{prefix} {spinner} {msg}",
    };
    let style = ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    bar.set_style(style);
    bar.set_prefix(phase);
}

impl Progress for Meter {
    fn begin(&self, phase: &'static str, total: Option<u64>) {
        let mut state = self.lock();
        self.done.store(0, Ordering::Relaxed);
        state.phase = phase;
        state.total = total;
        state.since = Instant::now();
        if let Some(bar) = &state.bar {
            bar.set_message("");
            match total {
                Some(total) => bar.set_length(total),
                None => bar.unset_length(),
            }
            restyle(bar, phase, total);
            bar.set_position(0);
        }
    }

    fn advance(&self, steps: u64) {
        self.done.fetch_add(steps, Ordering::Relaxed);
        if self.mode == Mode::Hidden {
            return;
        }
        let now = self.elapsed_ms();
        let due = self.next_draw.load(Ordering::Relaxed);
        let pause = if self.mode == Mode::Lines {
            LINE_MS
        } else {
            REDRAW_MS
        };
        if now >= due
            && self
                .next_draw
                .compare_exchange(due, now + pause, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        {
            self.draw();
        }
    }

    fn end(&self) {
        if self.mode == Mode::Lines {
            self.draw();
        }
    }

    fn cancelled(&self) -> bool {
        self.stop.wanted()
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some(bar) = self.lock().bar.take() {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_count_rate_and_what_is_left() {
        assert_eq!(
            text(12_000, Some(40_000), Duration::from_millis(500)),
            "12,000 of 40,000, 24,000/s, 1.1 s left"
        );
        assert_eq!(text(7, None, Duration::ZERO), "7");
        assert_eq!(text(10, Some(10), Duration::from_secs(1)), "10 of 10, 10/s");
    }

    #[test]
    fn a_stop_is_seen_by_the_work() {
        let stop = Stop::default();
        let meter = Meter::new(&stop, When::Never);
        meter.begin("reading", None);
        meter.advance(3);
        assert!(!meter.cancelled());
        stop.0.store(true, Ordering::Relaxed);
        assert!(meter.cancelled() && stop.check().is_err());
    }
}
