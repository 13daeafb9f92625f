//! Ways that lead back to where they were.

use crate::units::RecordNumber;

/// Notices that a way from record to record goes in a circle (Brent's algorithm): one record is remembered, and another
/// one each time the way has doubled. So a circle is known after three times its length and that of the way to it,
/// whatever it is that ends the way otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circle {
    kept: Option<RecordNumber>,
    steps: u32,
    /// Steps after which another record is remembered.
    until: u32,
}

impl Circle {
    /// A way that has not begun.
    pub(crate) fn new() -> Self {
        Self {
            kept: None,
            steps: 0,
            until: 1,
        }
    }

    /// Goes on to a record; `true` where the way was there before and will be again.
    pub(crate) fn closes_at(&mut self, record: RecordNumber) -> bool {
        if self.kept == Some(record) {
            return true;
        }
        self.steps = self.steps.saturating_add(1);
        if self.steps == self.until {
            self.kept = Some(record);
            self.steps = 0;
            self.until = self.until.saturating_mul(2);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps until a way is known to be a circle, that first goes straight on and then round and round.
    fn known_after(straight: u64, round: u64) -> Option<u64> {
        let mut circle = Circle::new();
        (0..10_000).find(|&step| {
            let at = if step < straight {
                step
            } else {
                straight + (step - straight) % round
            };
            circle.closes_at(RecordNumber(at))
        })
    }

    #[test]
    fn every_circle_is_known_soon_and_nothing_else_is_called_one() {
        for straight in 0..70 {
            for round in 1..70 {
                let steps = known_after(straight, round).unwrap();
                assert!(steps >= straight + round, "{straight} {round} {steps}");
                assert!(steps <= 3 * (straight + round), "{straight} {round} {steps}");
            }
        }
        let mut circle = Circle::new();
        assert!(!(0..100_000).any(|record| circle.closes_at(RecordNumber(record))));
    }
}
