//! Update sequences: how a block tells whether all its sectors were written together.
//!
//! The last two bytes of each 512 are replaced on disk by a number that grows with every write; what stood there is
//! kept in an array near the block's beginning. The stride is 512 bytes, whatever the sector size is.

use zerocopy::FromBytes as _;

use crate::error::{Corrupt, CorruptKind};
use crate::layout::record::MultiSectorHeader;

/// Bytes that one value of the update sequence protects.
const STRIDE: usize = 512;

/// Puts the true bytes back in place, once the block has this signature and all its sectors fit together.
///
/// # Errors
///
/// Another signature, an array that does not fit the block, a sector of another write. The block is then unchanged.
pub(crate) fn undo(block: &mut [u8], wanted: [u8; 4]) -> Result<(), Corrupt> {
    let outside = || CorruptKind::Outside {
        what: "the block's header",
        end: 8,
        limit: u64::try_from(block.len()).unwrap_or(u64::MAX),
    };
    let (header, _) = MultiSectorHeader::read_from_prefix(block).map_err(|_| outside())?;
    if header.signature != wanted {
        let found = header.signature;
        return Err(CorruptKind::Signature { found, wanted }.into());
    }
    let (offset, count) = (
        header.update_sequence_offset.get(),
        header.update_sequence_count.get(),
    );
    let sectors = block.len().checked_div(STRIDE).unwrap_or(0);
    let shape = CorruptKind::FixupShape {
        offset,
        count,
        block: block.len(),
        wanted: sectors.saturating_add(1),
    };
    let start = usize::from(offset);
    let end = start.saturating_add(usize::from(count).saturating_mul(2));
    let fits = usize::from(count) == sectors.saturating_add(1)
        && sectors > 0
        && start.is_multiple_of(2)
        && start >= size_of::<MultiSectorHeader>()
        // the array lies before the bytes that it protects
        && end <= STRIDE.saturating_sub(2);
    let number: [u8; 2] = match block.get(start..end).and_then(<[u8]>::first_chunk) {
        Some(number) if fits => *number,
        _ => return Err(shape.into()),
    };
    for (sector, bytes) in block.chunks_exact(STRIDE).enumerate() {
        let found = bytes.last_chunk::<2>().copied().unwrap_or_default();
        if found != number {
            return Err(CorruptKind::TornSector {
                sector,
                found: u16::from_le_bytes(found),
                wanted: u16::from_le_bytes(number),
            }
            .into());
        }
    }
    // the array lies within the first stride, whose own end is put back last
    for sector in (0..sectors).rev() {
        let from = start.saturating_add(2).saturating_add(sector.saturating_mul(2));
        let value = block.get(from..).and_then(<[u8]>::first_chunk::<2>).copied();
        let bytes = block.chunks_exact_mut(STRIDE).nth(sector);
        if let (Some(value), Some(place)) = (value, bytes.and_then(<[u8]>::last_chunk_mut::<2>)) {
            *place = value;
        }
    }
    Ok(())
}

/// Protects a block before it is written: the end of each 512 bytes is kept in the array, and the update sequence number,
/// which the array begins with, stands there instead. Does nothing where the array does not fit the block.
pub(crate) fn protect(block: &mut [u8]) {
    let Ok((header, _)) = MultiSectorHeader::read_from_prefix(block) else {
        return;
    };
    let start = usize::from(header.update_sequence_offset.get());
    let sectors = block.len().checked_div(STRIDE).unwrap_or(0);
    let Some(number) = block.get(start..).and_then(<[u8]>::first_chunk::<2>).copied() else {
        return;
    };
    // the array lies within the first stride, and its values are kept before anything else of that changes
    for sector in 0..sectors {
        let from = start.saturating_add(2).saturating_add(sector.saturating_mul(2));
        let bytes = block.chunks_exact_mut(STRIDE).nth(sector);
        let Some(place) = bytes.and_then(<[u8]>::last_chunk_mut::<2>) else {
            return;
        };
        let kept = std::mem::replace(place, number);
        if let Some(value) = block.get_mut(from..).and_then(<[u8]>::first_chunk_mut::<2>) {
            *value = kept;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> Vec<u8> {
        let mut block = vec![0_u8; 1024];
        block[..4].copy_from_slice(b"FILE");
        block[4..8].copy_from_slice(&[0x30, 0, 3, 0]);
        block[0x30..0x36].copy_from_slice(&[7, 0, 0xAA, 0xBB, 0xCC, 0xDD]);
        block[510..512].copy_from_slice(&[7, 0]);
        block[1022..].copy_from_slice(&[7, 0]);
        block
    }

    fn kind(block: &mut [u8]) -> CorruptKind {
        let before = block.to_vec();
        let kind = undo(block, *b"FILE").unwrap_err().kind().clone();
        assert_eq!(block, before, "changed");
        kind
    }

    #[test]
    fn the_true_bytes_come_back() {
        let mut block = block();
        undo(&mut block, *b"FILE").unwrap();
        assert_eq!(
            (&block[510..512], &block[1022..]),
            (&[0xAA, 0xBB][..], &[0xCC, 0xDD][..])
        );
    }

    #[test]
    fn what_is_protected_comes_back() {
        let mut block = block();
        undo(&mut block, *b"FILE").unwrap();
        let plain = block.clone();
        protect(&mut block);
        assert_ne!(block, plain);
        undo(&mut block, *b"FILE").unwrap();
        assert_eq!(block, plain);
    }

    #[test]
    fn a_sector_of_another_write_is_seen() {
        let mut torn = block();
        torn[1022] = 6;
        let wanted = CorruptKind::TornSector {
            sector: 1,
            found: 6,
            wanted: 7,
        };
        assert_eq!(kind(&mut torn), wanted);
    }

    #[test]
    fn other_signatures_and_arrays_are_refused() {
        let mut other = block();
        other[0] = b'B';
        assert!(matches!(
            kind(&mut other),
            CorruptKind::Signature {
                found: [b'B', ..],
                ..
            }
        ));
        for (at, value) in [(6, 2), (6, 4), (4, 0x31), (4, 4), (5, 4)] {
            let mut odd = block();
            odd[at] = value;
            assert!(
                matches!(kind(&mut odd), CorruptKind::FixupShape { .. }),
                "{at} {value}"
            );
        }
        assert!(matches!(kind(&mut [0; 4]), CorruptKind::Outside { .. }));
    }
}
