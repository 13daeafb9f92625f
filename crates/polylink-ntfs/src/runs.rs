//! Runs: which clusters hold an attribute's value (mapping pairs).

use crate::error::{Corrupt, CorruptKind};
use crate::units::{Lcn, Vcn};

/// Clusters of a value that lie side by side on the volume, or a hole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extent {
    /// Its first cluster in the value.
    pub vcn: Vcn,
    /// Its first cluster on the volume; `None` for a hole, which reads as zeros.
    pub lcn: Option<Lcn>,
    /// How many clusters.
    pub len: u64,
}

impl Extent {
    /// The first cluster of the value after it.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.vcn.0.saturating_add(self.len)
    }
}

/// The extents of a value, or of a part of it, without a gap, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RunList {
    extents: Vec<Extent>,
}

impl RunList {
    /// Takes mapping pairs apart; they begin at cluster `lowest` of the value.
    ///
    /// Each pair is a byte with two sizes, then a length and a signed distance from the extent before. Ends at a zero
    /// byte or at the end of `bytes`. `clusters` is how many the volume has.
    ///
    /// # Errors
    ///
    /// A size above 8, a length of zero or below, an extent that ends outside the volume, a cut pair.
    pub fn decode(bytes: &[u8], lowest: Vcn, clusters: u64) -> Result<Self, Corrupt> {
        let mut extents: Vec<Extent> = Vec::new();
        let mut at = 0_usize;
        let mut vcn = lowest.0;
        let mut lcn = 0_i64;
        while let Some(&sizes) = bytes.get(at) {
            if sizes == 0 {
                break;
            }
            let damage = |what| Corrupt::new(CorruptKind::Runs { at, what });
            let (len_size, distance_size) = (usize::from(sizes & 15), usize::from(sizes >> 4));
            let len_at = at.saturating_add(1);
            let distance_at = len_at.saturating_add(len_size);
            let next = distance_at.saturating_add(distance_size);
            let len = bytes
                .get(len_at..distance_at)
                .and_then(signed)
                .ok_or_else(|| damage("a length has more bytes than there are"))?;
            let len = u64::try_from(len)
                .ok()
                .filter(|&len| len > 0)
                .ok_or_else(|| damage("a length is not above zero"))?;
            let place = if distance_size == 0 {
                None
            } else {
                let distance = bytes
                    .get(distance_at..next)
                    .and_then(signed)
                    .ok_or_else(|| damage("a distance has more bytes than there are"))?;
                lcn = lcn
                    .checked_add(distance)
                    .ok_or_else(|| damage("a distance leads out of all numbers"))?;
                let first =
                    u64::try_from(lcn).map_err(|_| damage("a distance leads below the first cluster"))?;
                if first.checked_add(len).is_none_or(|end| end > clusters) {
                    let found = Lcn(first.saturating_add(len));
                    return Err(CorruptKind::RunOutside { found, clusters }.into());
                }
                Some(Lcn(first))
            };
            extents.push(Extent {
                vcn: Vcn(vcn),
                lcn: place,
                len,
            });
            vcn = vcn
                .checked_add(len)
                // as a signed number on disk, and times the cluster size a byte offset
                .filter(|&end| end < 1 << 55)
                .ok_or_else(|| damage("the lengths lead out of all numbers"))?;
            at = next;
        }
        Ok(Self { extents })
    }

    /// The extents, which must follow each other without a gap.
    pub(crate) fn from_extents(extents: Vec<Extent>) -> Self {
        Self { extents }
    }

    /// Adds extents that follow; where the first touches the last one on the volume, it is joined to it.
    pub(crate) fn extend(&mut self, next: &Self) {
        for extent in &next.extents {
            let joined = self
                .extents
                .last_mut()
                .filter(|last| match (last.lcn, extent.lcn) {
                    (Some(a), Some(b)) => a.0.saturating_add(last.len) == b.0,
                    (None, None) => true,
                    _ => false,
                });
            match joined {
                Some(last) => last.len = last.len.saturating_add(extent.len),
                None => self.extents.push(*extent),
            }
        }
    }

    /// Cuts the runs before cluster `end` of the value, and answers what was cut off.
    pub(crate) fn cut(&mut self, end: Vcn) -> Self {
        let mut rest = Vec::new();
        self.extents.retain_mut(|extent| {
            if extent.end() <= end.0 {
                return true;
            }
            let keep = end.0.saturating_sub(extent.vcn.0);
            rest.push(Extent {
                vcn: Vcn(extent.vcn.0.saturating_add(keep)),
                lcn: extent.lcn.map(|lcn| Lcn(lcn.0.saturating_add(keep))),
                len: extent.len.saturating_sub(keep),
            });
            extent.len = keep;
            keep > 0
        });
        Self { extents: rest }
    }

    /// Encodes the extents as mapping pairs, the ending zero byte included.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut before = 0_i64;
        for extent in &self.extents {
            let len = i64::try_from(extent.len).unwrap_or(i64::MAX);
            let len_size = size_of_signed(len);
            match extent.lcn.map(|lcn| i64::try_from(lcn.0).unwrap_or(i64::MAX)) {
                None => {
                    bytes.push(len_size);
                    push_signed(&mut bytes, len, len_size);
                }
                Some(lcn) => {
                    let distance = lcn.wrapping_sub(before);
                    let distance_size = size_of_signed(distance);
                    bytes.push(len_size | distance_size << 4);
                    push_signed(&mut bytes, len, len_size);
                    push_signed(&mut bytes, distance, distance_size);
                    before = lcn;
                }
            }
        }
        bytes.push(0);
        bytes
    }

    /// The extents.
    #[must_use]
    pub fn extents(&self) -> &[Extent] {
        &self.extents
    }

    /// First cluster of the value that it holds; 0 where it is empty.
    #[must_use]
    pub fn start(&self) -> Vcn {
        self.extents.first().map_or(Vcn(0), |extent| extent.vcn)
    }

    /// First cluster of the value after it; 0 where it is empty.
    #[must_use]
    pub fn end(&self) -> Vcn {
        Vcn(self.extents.last().map_or(0, Extent::end))
    }

    /// Clusters on the volume, holes not counted.
    #[must_use]
    pub fn allocated(&self) -> u64 {
        self.extents
            .iter()
            .filter(|extent| extent.lcn.is_some())
            .fold(0, |sum, extent| sum.saturating_add(extent.len))
    }

    /// Adds the extents that follow, from the next part of the attribute; sides that touch on the volume are joined.
    ///
    /// # Errors
    ///
    /// Where the part does not begin where this one ends.
    pub fn append(&mut self, next: &Self) -> Result<(), Corrupt> {
        let wanted = self.end();
        let Some(first) = next.extents.first() else {
            return Ok(());
        };
        if !self.extents.is_empty() && first.vcn != wanted {
            let found = first.vcn;
            return Err(CorruptKind::RunsStart { found, wanted }.into());
        }
        self.extents.extend_from_slice(&next.extents);
        Ok(())
    }

    /// The extent that holds a cluster of the value.
    #[must_use]
    pub fn find(&self, vcn: Vcn) -> Option<&Extent> {
        let after = self.extents.partition_point(|extent| extent.vcn <= vcn);
        let extent = self.extents.get(after.checked_sub(1)?)?;
        (vcn.0 < extent.end()).then_some(extent)
    }
}

/// A little-endian number of up to 8 bytes with its sign in the last one; `None` for none or more.
fn signed(bytes: &[u8]) -> Option<i64> {
    let (last, _) = bytes.split_last()?;
    let fill = if last & 0x80 == 0 { 0 } else { 0xFF };
    let mut whole = [fill; 8];
    whole.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(i64::from_le_bytes(whole))
}

/// Bytes that a number needs with its sign.
fn size_of_signed(value: i64) -> u8 {
    (1..8)
        .find(|&size: &u8| {
            let bits = u32::from(size).saturating_mul(8).saturating_sub(1);
            let top = value >> bits;
            top == 0 || top == -1
        })
        .unwrap_or(8)
}

fn push_signed(bytes: &mut Vec<u8>, value: i64, size: u8) {
    bytes.extend(value.to_le_bytes().iter().take(usize::from(size)));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kind(bytes: &[u8]) -> CorruptKind {
        RunList::decode(bytes, Vcn(0), 1000).unwrap_err().kind().clone()
    }

    #[test]
    fn pairs_are_lengths_and_distances_from_the_extent_before() {
        // 24 clusters at 86, a hole of 5, 3 clusters 6 before
        let runs = RunList::decode(&[0x11, 24, 86, 0x01, 5, 0x11, 3, 0xFA, 0, 0xFF], Vcn(10), 1000).unwrap();
        let extent = |vcn, lcn: Option<u64>, len| Extent {
            vcn: Vcn(vcn),
            lcn: lcn.map(Lcn),
            len,
        };
        assert_eq!(
            runs.extents(),
            [
                extent(10, Some(86), 24),
                extent(34, None, 5),
                extent(39, Some(80), 3)
            ]
        );
        assert_eq!(
            (runs.start(), runs.end(), runs.allocated()),
            (Vcn(10), Vcn(42), 27)
        );
        assert_eq!(runs.find(Vcn(38)).unwrap().lcn, None);
        assert_eq!(runs.find(Vcn(9)), None);
        assert_eq!(runs.find(Vcn(42)), None);
    }

    #[test]
    fn damage_in_the_runs_is_named_with_its_place() {
        let runs = |at, what| CorruptKind::Runs { at, what };
        assert_eq!(
            kind(&[0x11, 1, 5, 0x11, 0, 5]),
            runs(3, "a length is not above zero")
        );
        assert_eq!(kind(&[0x11, 0xFF, 5]), runs(0, "a length is not above zero"));
        assert_eq!(
            kind(&[0x13, 1]),
            runs(0, "a length has more bytes than there are")
        );
        assert_eq!(
            kind(&[0x10, 1]),
            runs(0, "a length has more bytes than there are")
        );
        assert_eq!(
            kind(&[0x21, 1, 5]),
            runs(0, "a distance has more bytes than there are")
        );
        assert_eq!(
            kind(&[0x11, 1, 0xFF]),
            runs(0, "a distance leads below the first cluster")
        );
        assert_eq!(
            kind(&[0x19, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
            runs(0, "a length has more bytes than there are")
        );
        let out = CorruptKind::RunOutside {
            found: Lcn(1001),
            clusters: 1000,
        };
        assert_eq!(kind(&[0x21, 1, 0xE8, 0x03]), out);
        let far = [0x08, 0, 0, 0, 0, 0, 0, 0, 0x7F];
        assert_eq!(kind(&far), runs(0, "the lengths lead out of all numbers"));
    }

    #[test]
    fn parts_are_joined_where_they_meet() {
        let mut first = RunList::decode(&[0x11, 2, 10], Vcn(0), 100).unwrap();
        first
            .append(&RunList::decode(&[0x11, 3, 50], Vcn(2), 100).unwrap())
            .unwrap();
        assert_eq!(first.end(), Vcn(5));
        let gap = RunList::decode(&[0x11, 3, 50], Vcn(6), 100).unwrap();
        assert_eq!(
            first.append(&gap).unwrap_err().kind(),
            &CorruptKind::RunsStart {
                found: Vcn(6),
                wanted: Vcn(5)
            }
        );
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(parts in prop::collection::vec((prop::option::of(0_u64..1 << 40), 1_u64..1 << 30), 0..50)) {
            let mut extents = Vec::new();
            let mut vcn = 7;
            for (lcn, len) in parts {
                extents.push(Extent { vcn: Vcn(vcn), lcn: lcn.map(Lcn), len });
                vcn += len;
            }
            let runs = RunList { extents };
            prop_assert_eq!(RunList::decode(&runs.encode(), Vcn(7), 1 << 41).unwrap(), runs);
        }

        #[test]
        fn any_bytes_are_runs_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(runs) = RunList::decode(&bytes, Vcn(0), 1 << 40) {
                let again = RunList::decode(&runs.encode(), Vcn(0), 1 << 40).unwrap();
                prop_assert_eq!(again, runs);
            }
        }
    }
}
