//! How a library tells of long work, and is told to stop.

/// Told of long work by the library that does it. Every method has a default that does nothing.
pub trait Progress: Send + Sync {
    /// A phase of the work begins; `total` counts its steps where that is known.
    fn begin(&self, phase: &'static str, total: Option<u64>) {
        let _ = (phase, total);
    }

    /// `steps` more are done. May be called from several threads at once.
    fn advance(&self, steps: u64) {
        let _ = steps;
    }

    /// The phase is over.
    fn end(&self) {}

    /// Whether the user wants the work to stop. It then stops at the next safe point, everything done so far kept.
    fn cancelled(&self) -> bool {
        false
    }
}

/// Shows nothing and never stops.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {}
