//! Which clusters are used: a bitmap that takes memory where clusters are used in part.
//!
//! A block stands for 32,768 clusters and takes 4 KiB, or nothing where none or all of them are used. So a volume of
//! 1 TiB with clusters of 4 KiB takes 32 MiB at most, one of 16 TiB 512 MiB, and a device with holes what is in it.

use std::collections::BTreeMap;

/// Clusters that a block stands for.
const BLOCK: u64 = 32_768;
const WORDS: usize = 512;

#[derive(Debug)]
enum Block {
    Full,
    Bits { bits: Box<[u64; WORDS]>, used: u32 },
}

/// Clusters side by side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    pub(super) first: u64,
    pub(super) count: u64,
}

impl Span {
    pub(super) fn end(&self) -> u64 {
        self.first.saturating_add(self.count)
    }
}

/// The clusters that are used.
#[derive(Debug, Default)]
pub(super) struct Clusters {
    blocks: BTreeMap<u64, Block>,
    /// Clusters that were marked twice, as far as room was left for them.
    twice: Vec<Span>,
    used: u64,
    /// Clusters that were marked, each time counted.
    marked: u64,
}

/// Spans that are kept of clusters used twice. Behind that, a volume is beyond a list.
const MOST_TWICE: usize = 65_536;

impl Clusters {
    /// Marks clusters as used; those that are used already are kept as such.
    pub(super) fn mark(&mut self, span: Span) {
        self.marked = self.marked.saturating_add(span.count);
        let mut first = span.first;
        while first < span.end() {
            let block = first / BLOCK;
            let start = block.saturating_mul(BLOCK);
            let end = span.end().min(start.saturating_add(BLOCK));
            self.mark_in(
                block,
                start,
                Span {
                    first,
                    count: end.saturating_sub(first),
                },
            );
            first = end;
        }
    }

    fn mark_in(&mut self, number: u64, start: u64, span: Span) {
        let block = match self.blocks.entry(number) {
            std::collections::btree_map::Entry::Vacant(vacant) if span.count == BLOCK => {
                vacant.insert(Block::Full);
                self.used = self.used.saturating_add(BLOCK);
                return;
            }
            entry => entry.or_insert_with(|| Block::Bits {
                bits: Box::new([0; WORDS]),
                used: 0,
            }),
        };
        let Block::Bits { bits, used } = block else {
            push(&mut self.twice, span);
            return;
        };
        let mut at = span.first.saturating_sub(start);
        let end = at.saturating_add(span.count);
        while at < end {
            let Some(word) = usize::try_from(at / 64).ok().and_then(|word| bits.get_mut(word)) else {
                return;
            };
            let base = at & !63;
            let upper = end.min(base.saturating_add(64));
            let wanted = mask(at.saturating_sub(base), upper.saturating_sub(base));
            let both = *word & wanted;
            if both != 0 {
                for run in spans(both) {
                    push(
                        &mut self.twice,
                        Span {
                            first: start.saturating_add(base).saturating_add(run.first),
                            count: run.count,
                        },
                    );
                }
            }
            let new = (wanted & !*word).count_ones();
            *used = used.saturating_add(new);
            self.used = self.used.saturating_add(u64::from(new));
            *word |= wanted;
            at = upper;
        }
        if u64::from(*used) == BLOCK {
            *block = Block::Full;
        }
    }

    /// 64 clusters from `64 * index` on, as bits.
    pub(super) fn word(&self, index: u64) -> u64 {
        match self.blocks.get(&(index / 512)) {
            None => 0,
            Some(Block::Full) => u64::MAX,
            Some(Block::Bits { bits, .. }) => usize::try_from(index % 512)
                .ok()
                .and_then(|at| bits.get(at))
                .copied()
                .unwrap_or(0),
        }
    }

    /// The clusters that were marked twice, in the order of the volume, each once.
    pub(super) fn twice(&self) -> Vec<Span> {
        let mut all = self.twice.clone();
        all.sort_unstable_by_key(|span| span.first);
        let mut merged: Vec<Span> = Vec::new();
        for span in all {
            match merged.last_mut() {
                Some(last) if span.first <= last.end() => {
                    let end = last.end().max(span.end());
                    last.count = end.saturating_sub(last.first);
                }
                _ => merged.push(span),
            }
        }
        merged
    }

    /// How many clusters are used.
    pub(super) fn used(&self) -> u64 {
        self.used
    }

    /// How many clusters were marked, each time counted.
    pub(super) fn marked(&self) -> u64 {
        self.marked
    }
}

/// Adds a span to a list, joined with the last one where they touch; a full list stays as it is.
fn push(list: &mut Vec<Span>, span: Span) {
    let has_room = list.len() < MOST_TWICE;
    match list.last_mut() {
        Some(last) if last.end() == span.first => last.count = last.count.saturating_add(span.count),
        _ if has_room => list.push(span),
        _ => {}
    }
}

/// Bits `from..to` of a word.
fn mask(from: u64, to: u64) -> u64 {
    let below = |bits: u64| match bits {
        64.. => u64::MAX,
        _ => (1_u64 << bits).wrapping_sub(1),
    };
    below(to) & !below(from)
}

/// The runs of ones in a word.
pub(super) fn spans(mut word: u64) -> impl Iterator<Item = Span> {
    std::iter::from_fn(move || {
        if word == 0 {
            return None;
        }
        let first = u64::from(word.trailing_zeros());
        let count = u64::from((word >> first).trailing_ones());
        word &= !mask(first, first.saturating_add(count));
        Some(Span { first, count })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(first: u64, count: u64) -> Span {
        Span { first, count }
    }

    #[test]
    fn clusters_that_are_marked_twice_are_told() {
        let mut clusters = Clusters::default();
        clusters.mark(span(10, 100_000));
        assert_eq!(clusters.twice(), []);
        clusters.mark(span(100_000, 5));
        clusters.mark(span(5, 7));
        clusters.mark(span(100_005, 10));
        // some of the first, before and behind a border of blocks
        clusters.mark(span(32_760, 16));
        assert_eq!(
            clusters.twice(),
            [span(10, 2), span(32_760, 16), span(100_000, 10)]
        );
        assert_eq!(clusters.used(), 100_010);
    }

    #[test]
    fn a_block_that_is_full_takes_no_memory_and_still_answers() {
        let mut clusters = Clusters::default();
        clusters.mark(span(0, BLOCK - 1));
        assert_eq!(clusters.word(511), u64::MAX >> 1);
        clusters.mark(span(BLOCK - 1, 1));
        assert!(matches!(clusters.blocks.get(&0), Some(Block::Full)));
        assert_eq!((clusters.word(511), clusters.word(512)), (u64::MAX, 0));
        clusters.mark(span(BLOCK * 7, BLOCK));
        assert_eq!(clusters.word(512 * 7), u64::MAX);
        assert_eq!(clusters.used(), BLOCK * 2);
    }

    #[test]
    fn runs_of_ones_are_spans() {
        let found: Vec<_> = spans(0b1110_0101).collect();
        assert_eq!(found, [span(0, 1), span(2, 1), span(5, 3)]);
        assert_eq!(spans(u64::MAX).collect::<Vec<_>>(), [span(0, 64)]);
        assert_eq!(spans(0).count(), 0);
    }
}
