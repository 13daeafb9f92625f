//! What is marked as used against what is used.

use super::clusters::{Clusters, Span, spans};
use super::issue::{Issue, IssueKind};
use super::states::State;
use super::{Audit, Outcome, Part};
use crate::layout::attribute::AttributeKind;
use crate::stream::Stream;
use crate::units::RecordNumber;

/// Bytes of a bitmap that are looked at together.
const WINDOW: usize = 8 << 10;

impl Audit<'_> {
    /// `$MFT:$BITMAP` against the records.
    pub(super) fn record_bitmap(&self, part: &mut Part, outcome: &mut Outcome<'_>) {
        let Some(bitmap) = self.system(RecordNumber::MFT, AttributeKind::BITMAP, "$MFT:$BITMAP", part) else {
            return;
        };
        let records = self.states.len();
        self.size(&bitmap, records.div_ceil(8), RecordNumber::MFT, part);
        self.words(&bitmap, RecordNumber::MFT, part, outcome, |index, word, part| {
            let first = index.saturating_mul(64);
            for bit in 0..64_u64 {
                let number = RecordNumber(first.saturating_add(bit));
                if let Some(seen) = self.states.seen(number) {
                    let marked = word >> bit & 1 != 0;
                    self.record_bit(number, seen.state, marked, part);
                }
            }
        });
    }

    fn record_bit(&self, number: RecordNumber, state: State, marked: bool, part: &mut Part) {
        let used = state.contains(State::IN_USE);
        let (free, in_use) = ("marked as free", "marked as used");
        let kind = if marked && state.contains(State::NO_RECORD) {
            // what it held is lost: its clusters, and whether its names are those in directories
            part.lost = true;
            self.states.mark(number, State::DAMAGED);
            let mut bytes = Vec::new();
            let begins = self
                .volume
                .read_record(number, &mut bytes)
                .ok()
                .and_then(|()| bytes.first_chunk::<4>().copied());
            IssueKind::RecordSignature {
                expected: "FILE",
                found: super::corrupt::signature(begins.unwrap_or_default()),
            }
        } else if used && !marked {
            IssueKind::RecordMarkedFree {
                expected: in_use,
                found: free,
            }
        } else if marked && !used {
            // those in front of the first user's record are set aside
            if number < RecordNumber::FIRST_USER {
                return;
            }
            IssueKind::RecordMarkedUsed {
                expected: free,
                found: in_use,
            }
        } else {
            return;
        };
        part.issues.push(Issue::new(kind).in_record(number));
    }

    /// `$Bitmap` against the clusters that values lie in.
    pub(super) fn cluster_bitmap(
        &self,
        clusters: &Clusters,
        lost: bool,
        part: &mut Part,
        outcome: &mut Outcome<'_>,
    ) {
        let Some(bitmap) = self.system(RecordNumber::BITMAP, AttributeKind::DATA, "$Bitmap", part) else {
            return;
        };
        self.size(&bitmap, self.limit.div_ceil(8), RecordNumber::BITMAP, part);
        let mut free = Open::default();
        let mut leaked = Open::default();
        let limit = self.device_clusters;
        self.words(
            &bitmap,
            RecordNumber::BITMAP,
            part,
            outcome,
            |index, word, part| {
                let first = index.saturating_mul(64);
                let inside = match limit.saturating_sub(first) {
                    0 => 0,
                    count @ 1..64 => (1_u64 << count).wrapping_sub(1),
                    _ => u64::MAX,
                };
                let used = clusters.word(index) & inside;
                for span in spans(used & !word) {
                    free.push(shifted(span, first), part, marked_free);
                }
                if !lost {
                    for span in spans(word & !used & inside) {
                        leaked.push(shifted(span, first), part, marked_used);
                    }
                }
            },
        );
        free.close(part, marked_free);
        leaked.close(part, marked_used);
    }

    fn size(&self, bitmap: &Stream, expected: u64, record: RecordNumber, part: &mut Part) {
        let found = bitmap.size();
        if found < expected {
            let kind = IssueKind::BitmapSize { expected, found };
            part.issues.push(Issue::new(kind).in_record(record));
        }
    }

    /// Hands over a bitmap in words of 64 bits, as far as it can matter. Issues do not gather.
    fn words(
        &self,
        bitmap: &Stream,
        record: RecordNumber,
        part: &mut Part,
        outcome: &mut Outcome<'_>,
        mut each: impl FnMut(u64, u64, &mut Part),
    ) {
        let matters = self.states.len().max(self.device_clusters).div_ceil(8);
        let size = bitmap.size().min(matters.next_multiple_of(8));
        let mut buffer = vec![0; WINDOW];
        let mut offset = 0_u64;
        while offset < size && !self.progress.cancelled() {
            let left = usize::try_from(size.saturating_sub(offset)).unwrap_or(usize::MAX);
            let window = buffer.get_mut(..left.min(WINDOW)).unwrap_or_default();
            if let Err(error) = self.volume.read(bitmap, offset, window) {
                part.issues.extend(super::corrupt::of_error(&error, record));
                return;
            }
            for (index, bytes) in (offset / 8..).zip(window.chunks(8)) {
                let mut word = [0; 8];
                if let Some(part) = word.get_mut(..bytes.len()) {
                    part.copy_from_slice(bytes);
                }
                each(index, u64::from_le_bytes(word), part);
            }
            outcome.take(part);
            offset = offset.saturating_add(u64::try_from(window.len()).unwrap_or(u64::MAX));
        }
    }
}

fn shifted(span: Span, by: u64) -> Span {
    Span {
        first: span.first.saturating_add(by),
        count: span.count,
    }
}

fn marked_free(span: Span) -> IssueKind {
    IssueKind::ClusterMarkedFree {
        expected: "marked as used",
        found: span.first,
        count: span.count,
    }
}

fn marked_used(span: Span) -> IssueKind {
    IssueKind::ClusterMarkedUsed {
        expected: "marked as free",
        found: span.first,
        count: span.count,
    }
}

/// A span that may go on in the next word.
#[derive(Debug, Default)]
struct Open(Option<Span>);

impl Open {
    fn push(&mut self, span: Span, part: &mut Part, kind: fn(Span) -> IssueKind) {
        match &mut self.0 {
            Some(open) if open.end() == span.first => open.count = open.count.saturating_add(span.count),
            _ => {
                self.close(part, kind);
                self.0 = Some(span);
            }
        }
    }

    fn close(&mut self, part: &mut Part, kind: fn(Span) -> IssueKind) {
        if let Some(span) = self.0.take() {
            part.issues
                .push(Issue::new(kind(span)).in_record(RecordNumber::BITMAP));
        }
    }
}
