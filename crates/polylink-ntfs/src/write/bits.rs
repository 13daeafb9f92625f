//! Bitmaps: which clusters, which records are in use.

use polylink_nt::NtStatus;

use super::bytes::{size, wide};
use super::cache::{Cache, Class, Location};
use crate::error::{CorruptKind, Result};
use crate::runs::RunList;

/// A bitmap that lies in clusters. Bits are read and changed in the cache's blocks.
#[derive(Clone, Debug)]
pub(crate) struct Bits {
    runs: RunList,
    cluster: u32,
    /// How many bits mean something.
    count: u64,
    /// Where the search for a free bit begins.
    cursor: u64,
    /// No bit below this one is ever taken.
    floor: u64,
    /// No row of free bits is longer than this, as far as rows that begin at multiples of `granule` go: who wants more
    /// need not look through everything each time.
    longest: Option<Longest>,
}

#[derive(Clone, Copy, Debug)]
struct Longest {
    granule: u64,
    len: u64,
}

/// Free bits side by side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Free {
    pub(crate) start: u64,
    pub(crate) len: u64,
}

impl Bits {
    /// A bitmap of which no bit below `floor` is ever taken.
    pub(crate) fn new(runs: RunList, cluster: u32, count: u64, floor: u64) -> Self {
        Self {
            runs,
            cluster,
            count,
            cursor: floor,
            floor,
            longest: None,
        }
    }

    /// The bitmap was made longer.
    pub(crate) fn grow(&mut self, runs: RunList, count: u64) {
        self.runs = runs;
        self.count = count;
        self.longest = None;
    }

    /// Bits may be free again that were taken: what was written of them since was taken back.
    pub(crate) fn was_rolled_back(&mut self) {
        self.longest = None;
    }

    /// The next search begins no later than here.
    pub(crate) fn lower_cursor(&mut self, cursor: u64) {
        self.cursor = self.cursor.min(cursor).max(self.floor);
    }

    pub(crate) fn set_cursor(&mut self, cursor: u64) {
        self.cursor = cursor;
    }

    /// Bytes of a block of it.
    fn page(&self) -> u64 {
        u64::from(self.cluster.min(4096))
    }

    fn location(&self, page: u64) -> Result<Location> {
        let offset = page.saturating_mul(self.page());
        Location::in_runs(&self.runs, self.cluster, offset, size(self.page())).ok_or_else(|| {
            CorruptKind::ValueSize {
                found: offset,
                limit: self.runs.end().0.saturating_mul(u64::from(self.cluster)),
            }
            .into()
        })
    }

    fn bits_of_page(&self) -> u64 {
        self.page().saturating_mul(8)
    }

    /// The first free bits side by side from `from` on, before `end`: as soon as there are `want` of them that begin at
    /// a multiple of `granule`; else the most that there are. `None` where there are none.
    pub(crate) fn find(
        &self,
        cache: &mut Cache,
        from: u64,
        end: u64,
        want: u64,
        granule: u64,
    ) -> Result<Option<Free>> {
        let end = end.min(self.count);
        let per_page = self.bits_of_page().max(1);
        let granule = granule.max(1);
        let (mut best, mut start): (Option<Free>, Option<u64>) = (None, None);
        let usable = |start: u64, end: u64| {
            let start = start.next_multiple_of(granule);
            let len = end.saturating_sub(start);
            let len = len.saturating_sub(len.checked_rem(granule).unwrap_or(0));
            Free { start, len }
        };
        let mut at = from;
        while at < end {
            let page = at.checked_div(per_page).unwrap_or(0);
            let first = page.saturating_mul(per_page);
            let bytes = cache.read(&self.location(page)?, None)?;
            let page_end = first.saturating_add(per_page).min(end);
            while at < page_end {
                let begin = match start {
                    Some(begin) => begin,
                    None => {
                        at = next(bytes, first, at..page_end, Bit::Free);
                        if at == page_end {
                            break;
                        }
                        *start.insert(at)
                    }
                };
                // no further than what is wanted
                let enough = begin.next_multiple_of(granule).saturating_add(want);
                let until = page_end.min(enough.max(at.saturating_add(1)));
                at = next(bytes, first, at..until, Bit::Used);
                let found = usable(begin, at);
                if found.len >= want {
                    return Ok(Some(Free { len: want, ..found }));
                }
                if at < until {
                    best = longer(best, found);
                    start = None;
                }
            }
        }
        if let Some(from) = start {
            best = longer(best, usable(from, at.min(end)));
        }
        Ok(best.filter(|found| found.len > 0))
    }

    /// Takes `want` bits, or the longest row of fewer that there is; the search begins at `near`, else behind what was
    /// taken last.
    ///
    /// # Errors
    ///
    /// `DISK_FULL` where none is free.
    pub(crate) fn take(
        &mut self,
        cache: &mut Cache,
        near: Option<u64>,
        want: u64,
        granule: u64,
    ) -> Result<Free> {
        // right behind what is there already, if only some of it
        if let Some(near) = near {
            let end = near.saturating_add(want);
            if let Some(found) = self.find(cache, near, end, want, granule)?
                && found.start == near
            {
                self.set(cache, found, true, Class::Allocate)?;
                self.cursor = self.cursor.max(found.start.saturating_add(found.len));
                return Ok(found);
            }
        }
        let cursor = if self.cursor < self.count {
            self.cursor
        } else {
            self.floor
        };
        let longest = self.longest.filter(|longest| longest.granule == granule);
        let limit = longest.map_or(want, |longest| longest.len.min(want));
        if limit == 0 {
            return Err(NtStatus::DISK_FULL.into());
        }
        let mut found = self.find(cache, cursor, self.count, limit, granule)?;
        if found.is_none_or(|found| found.len < limit) {
            if cursor > self.floor {
                let other = self.find(cache, self.floor, self.count, limit, granule)?;
                found = match (found, other) {
                    (Some(a), Some(b)) if b.len > a.len => Some(b),
                    (found, other) => found.or(other),
                };
            }
            let len = found.map_or(0, |found| found.len);
            if len < limit {
                self.longest = Some(Longest { granule, len });
            }
        }
        let found = found.ok_or(NtStatus::DISK_FULL)?;
        self.set(cache, found, true, Class::Allocate)?;
        self.cursor = found.start.saturating_add(found.len);
        Ok(found)
    }

    /// Marks bits as used or free.
    pub(crate) fn set(&mut self, cache: &mut Cache, bits: Free, used: bool, class: Class) -> Result<()> {
        self.mark(cache, bits, used, class)?;
        if let Some(longest) = self.longest
            && !used
        {
            let row = self.row_around(cache, bits, longest.len)?;
            let len = longest.len.max(row);
            self.longest = Some(Longest { len, ..longest });
        }
        Ok(())
    }

    /// How long the row of free bits is that some lie in, where the rows on both sides of them have no more than `most`.
    fn row_around(&self, cache: &mut Cache, bits: Free, most: u64) -> Result<u64> {
        let end = bits.start.saturating_add(bits.len);
        let behind = self.find(cache, end, end.saturating_add(most), most.max(1), 1)?;
        let behind = behind
            .filter(|found| found.start == end)
            .map_or(0, |found| found.len);
        let low = bits.start.saturating_sub(most).max(self.floor);
        let per_page = self.bits_of_page().max(1);
        let mut at = bits.start;
        while at > low {
            let page = at.saturating_sub(1).checked_div(per_page).unwrap_or(0);
            let first = page.saturating_mul(per_page);
            let bytes = cache.read(&self.location(page)?, None)?;
            let from = first.max(low);
            let used_until = behind_last_used(bytes, first, from..at);
            at = used_until;
            if used_until > from {
                break;
            }
        }
        let before = bits.start.saturating_sub(at);
        Ok(before.saturating_add(bits.len).saturating_add(behind))
    }

    fn mark(&self, cache: &mut Cache, bits: Free, used: bool, class: Class) -> Result<()> {
        let per_page = self.bits_of_page().max(1);
        let end = bits.start.saturating_add(bits.len);
        let mut at = bits.start;
        while at < end {
            let page = at.checked_div(per_page).unwrap_or(0);
            let first = page.saturating_mul(per_page);
            let location = self.location(page)?;
            let page_end = first.saturating_add(per_page).min(end);
            let bytes = cache.write(&location, None, class)?;
            while at < page_end {
                let inside = at.saturating_sub(first);
                let whole = inside & 7 == 0 && page_end.saturating_sub(at) >= 8;
                let mask = if whole {
                    u8::MAX
                } else {
                    1_u8.rotate_left(u32::try_from(inside & 7).unwrap_or(0))
                };
                if let Some(byte) = bytes.get_mut(size(inside >> 3)) {
                    *byte = if used { *byte | mask } else { *byte & !mask };
                }
                at = at.saturating_add(if whole { 8 } else { 1 });
            }
        }
        Ok(())
    }

    /// How many bits are free.
    pub(crate) fn free(&self, cache: &mut Cache) -> Result<u64> {
        let per_page = self.bits_of_page().max(1);
        let mut used = 0_u64;
        let mut at = 0_u64;
        while at < self.count {
            let page = at.checked_div(per_page).unwrap_or(0);
            let here = per_page.min(self.count.saturating_sub(at));
            let bytes = cache.read(&self.location(page)?, None)?;
            let whole = size(here >> 3);
            for byte in bytes.iter().take(whole) {
                used = used.saturating_add(u64::from(byte.count_ones()));
            }
            let rest = u32::try_from(here & 7).unwrap_or(0);
            let mask = 1_u8.checked_shl(rest).unwrap_or(0).wrapping_sub(1);
            let last = bytes.get(whole).copied().unwrap_or(0) & mask;
            used = used.saturating_add(u64::from(last.count_ones()));
            at = at.saturating_add(per_page);
        }
        Ok(self.count.saturating_sub(used))
    }
}

/// What a bit says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bit {
    Free,
    Used,
}

/// The first bit of a range that says so, or the end of the range. `bytes` begin with the bit `first`; what is behind
/// them is in use.
fn next(bytes: &[u8], first: u64, range: std::ops::Range<u64>, wanted: Bit) -> u64 {
    let mut at = range.start.saturating_sub(first);
    let end = range.end.saturating_sub(first);
    while at < end {
        let word = bytes.get(size(at >> 6 << 3)..).and_then(<[u8]>::first_chunk);
        let used = word.map_or(u64::MAX, |word| u64::from_le_bytes(*word));
        let said = match wanted {
            Bit::Used => used,
            Bit::Free => !used,
        };
        // from `at` on
        let rest = said.checked_shr(u32::try_from(at & 63).unwrap_or(0)).unwrap_or(0);
        if rest != 0 {
            at = at.saturating_add(u64::from(rest.trailing_zeros()));
            break;
        }
        at = (at | 63).saturating_add(1);
    }
    first.saturating_add(at.min(end))
}

/// Behind the last bit of a range that is in use, or the start of the range; as [`next`].
fn behind_last_used(bytes: &[u8], first: u64, range: std::ops::Range<u64>) -> u64 {
    let start = range.start.saturating_sub(first);
    let mut at = range.end.saturating_sub(first);
    while at > start {
        let last = at.saturating_sub(1);
        let word = bytes.get(size(last >> 6 << 3)..).and_then(<[u8]>::first_chunk);
        let used = word.map_or(u64::MAX, |word| u64::from_le_bytes(*word));
        // up to `last`
        let above = u32::try_from(63_u64.saturating_sub(last & 63)).unwrap_or(0);
        let rest = used.checked_shl(above).unwrap_or(0);
        if rest != 0 {
            at = at.saturating_sub(u64::from(rest.leading_zeros()));
            break;
        }
        at = last & !63;
    }
    first.saturating_add(at.max(start))
}

fn longer(best: Option<Free>, other: Free) -> Option<Free> {
    match best {
        Some(best) if best.len >= other.len => Some(best),
        _ => Some(other).filter(|other| other.len > 0).or(best),
    }
}

/// Sets or clears a bit.
pub(crate) fn set_bit(bytes: &mut [u8], index: u64, used: bool) {
    let mask = 1_u8.rotate_left(u32::try_from(index & 7).unwrap_or(0));
    if let Some(byte) = bytes.get_mut(size(index >> 3)) {
        *byte = if used { *byte | mask } else { *byte & !mask };
    }
}

/// The first bit below `count` that is not set.
pub(crate) fn first_free(bytes: &[u8], count: u64) -> Option<u64> {
    let (at, byte) = bytes.iter().enumerate().find(|(_, byte)| **byte != u8::MAX)?;
    let index = wide(at)
        .checked_mul(8)?
        .checked_add(u64::from(byte.trailing_ones()))?;
    (index < count).then_some(index)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::device::MemDevice;
    use crate::units::Vcn;

    fn bits(count: u64) -> (Cache, Bits) {
        let cache = Cache::new(Arc::new(MemDevice::new(vec![0; 1 << 16])));
        // 16 clusters of 512 bytes at 20, then 16 at 2
        let runs = RunList::decode(&[0x11, 16, 20, 0x11, 16, 0xEE, 0], Vcn(0), 100).unwrap();
        (cache, Bits::new(runs, 512, count, 0))
    }

    #[test]
    fn rows_are_found_across_pages_and_pieces() {
        let (mut cache, mut bits) = bits(100_000);
        let first = bits.take(&mut cache, None, 70_000, 1).unwrap();
        assert_eq!(
            first,
            Free {
                start: 0,
                len: 70_000
            }
        );
        assert_eq!(bits.free(&mut cache).unwrap(), 30_000);
        let rest = bits.take(&mut cache, None, 70_000, 1).unwrap();
        assert_eq!(
            rest,
            Free {
                start: 70_000,
                len: 30_000
            }
        );
        assert!(bits.take(&mut cache, None, 1, 1).is_err());
        let hole = Free { start: 9, len: 12 };
        bits.set(&mut cache, hole, false, Class::Allocate).unwrap();
        // 9 to 20 hold no eight that begin at a multiple of eight
        assert!(bits.take(&mut cache, None, 8, 8).is_err());
        assert_eq!(
            bits.take(&mut cache, None, 8, 4).unwrap(),
            Free { start: 12, len: 8 }
        );
    }

    /// What [`Bits::find`] answers, bit by bit.
    fn find_plainly(used: &[bool], from: u64, end: u64, want: u64, granule: u64) -> Option<Free> {
        let mut best: Option<Free> = None;
        let mut at = from;
        let end = end.min(used.len() as u64);
        while at < end {
            let until = (at..end).find(|bit| used[*bit as usize]).unwrap_or(end);
            let start = at.next_multiple_of(granule);
            let len = until.saturating_sub(start) / granule * granule;
            if len >= want {
                return Some(Free { start, len: want });
            }
            if len > best.map_or(0, |best| best.len) {
                best = Some(Free { start, len });
            }
            at = until + 1;
        }
        best
    }

    /// What [`Bits::take`] takes, looking through everything each time.
    #[derive(Debug)]
    struct Plain {
        used: Vec<bool>,
        cursor: u64,
        floor: u64,
    }

    impl Plain {
        fn take(&mut self, near: Option<u64>, want: u64, granule: u64) -> Option<Free> {
            let count = self.used.len() as u64;
            if let Some(near) = near {
                let found = find_plainly(&self.used, near, near + want, want, granule);
                if let Some(found) = found.filter(|found| found.start == near) {
                    self.cursor = self.cursor.max(found.start + found.len);
                    return Some(self.mark(found, true));
                }
            }
            let cursor = if self.cursor < count {
                self.cursor
            } else {
                self.floor
            };
            let behind = find_plainly(&self.used, cursor, count, want, granule);
            let all = find_plainly(&self.used, self.floor, count, want, granule);
            let found = match (behind, all) {
                (Some(behind), Some(all)) if all.len > behind.len => all,
                (Some(behind), _) => behind,
                (None, all) => all?,
            };
            self.cursor = found.start + found.len;
            Some(self.mark(found, true))
        }

        fn mark(&mut self, bits: Free, used: bool) -> Free {
            for bit in bits.start..bits.start + bits.len {
                self.used[bit as usize] = used;
            }
            bits
        }
    }

    proptest! {
        #[test]
        fn rows_are_those_that_looking_at_every_bit_finds(
            used in prop::collection::vec(prop::bool::weighted(0.4), 1..9000),
            holes in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..600), 0..6),
            questions in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1_u64..700, 0_u32..5), 1..30),
        ) {
            let mut used = used;
            for (at, len) in holes {
                let at = at.index(used.len());
                let end = used.len().min(at + len);
                used[at..end].fill(false);
            }
            let (mut cache, mut bits) = bits(used.len() as u64);
            for (at, _) in used.iter().enumerate().filter(|(_, used)| **used) {
                let bit = Free { start: at as u64, len: 1 };
                bits.set(&mut cache, bit, true, Class::Allocate).unwrap();
            }
            for (from, end, want, granule) in questions {
                let (from, end) = (from.index(used.len()) as u64, end.index(used.len() + 9) as u64);
                let found = bits.find(&mut cache, from, end, want, 1 << granule).unwrap();
                prop_assert_eq!(found, find_plainly(&used, from, end, want, 1 << granule));
            }
        }

        /// Full, fragmented and emptied again: what is known of the longest row never hides one.
        #[test]
        fn what_is_taken_is_what_looking_through_everything_takes(
            floor in 0_u64..90,
            steps in prop::collection::vec((0_u8..8, 1_u64..40, prop::option::weighted(0.2, 0_u64..9000), 0_u32..3), 1..300),
        ) {
            let count = 6000;
            let (mut cache, mut bits) = bits(count);
            bits = Bits::new(bits.runs, bits.cluster, count, floor);
            let mut plain = Plain { used: vec![false; count as usize], cursor: floor, floor };
            // every third bit, and rows of up to eight
            for start in (0..count - 9).step_by(11) {
                let row = Free { start, len: 3 + start % 8 };
                bits.set(&mut cache, row, true, Class::Allocate).unwrap();
                plain.mark(row, true);
            }
            cache.keep();
            let mut held: Vec<Free> = Vec::new();
            for (what, want, near, granule) in steps {
                let granule = 1 << granule;
                let want = want.next_multiple_of(granule);
                match what {
                    0 if !held.is_empty() => {
                        let free = held.swap_remove(want as usize % held.len());
                        bits.set(&mut cache, free, false, Class::Allocate).unwrap();
                        plain.mark(free, false);
                        cache.keep();
                    }
                    1 => {
                        // taken, and taken back with the operation
                        let cursor = bits.cursor;
                        let taken = bits.take(&mut cache, near, want, granule).ok();
                        let wanted = plain.take(near, want, granule);
                        prop_assert_eq!(taken, wanted);
                        cache.roll_back();
                        bits.was_rolled_back();
                        bits.cursor = cursor;
                        plain.cursor = cursor;
                        if let Some(taken) = taken {
                            plain.mark(taken, false);
                        }
                    }
                    _ => {
                        let taken = bits.take(&mut cache, near, want, granule).ok();
                        prop_assert_eq!(taken, plain.take(near, want, granule));
                        held.extend(taken);
                        cache.keep();
                    }
                }
                prop_assert_eq!(bits.cursor, plain.cursor);
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_was_free_and_is_taken_no_more(
            steps in prop::collection::vec((any::<bool>(), 1_u64..300, prop::option::of(0_u64..5000), 0_u32..4), 1..60),
        ) {
            let count = 5000;
            let (mut cache, mut bits) = bits(count);
            let mut model = vec![false; 5000];
            let mut held: Vec<Free> = Vec::new();
            for (take, want, near, granule) in steps {
                let granule = 1 << granule;
                if take || held.is_empty() {
                    let want = want.next_multiple_of(granule);
                    match bits.take(&mut cache, near, want, granule) {
                        Ok(found) => {
                            prop_assert!(found.len > 0 && found.len <= want && found.len % granule == 0);
                            prop_assert!(found.start % granule == 0);
                            for bit in found.start..found.start + found.len {
                                prop_assert!(!std::mem::replace(&mut model[bit as usize], true));
                            }
                            held.push(found);
                        }
                        Err(_) => {
                            let free = model.chunks_exact(granule as usize).any(|chunk| !chunk.contains(&true));
                            prop_assert!(!free);
                        }
                    }
                } else {
                    let free = held.swap_remove(want as usize % held.len());
                    bits.set(&mut cache, free, false, Class::Allocate).unwrap();
                    for bit in free.start..free.start + free.len {
                        model[bit as usize] = false;
                    }
                }
                let free = model.iter().filter(|used| !**used).count() as u64;
                prop_assert_eq!(bits.free(&mut cache).unwrap(), free);
            }
        }
    }
}
