//! LZNT1, the compression of NTFS (\[MS-XCA\] 2.5).

use thiserror::Error;

/// Bytes that one chunk holds when it is taken apart.
const CHUNK: usize = 4096;

/// Why compressed data cannot be taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum Lznt1Error {
    /// A chunk is longer than what is left.
    #[error("a chunk at {at} is cut")]
    Cut {
        /// Where it begins, in the compressed bytes.
        at: usize,
    },
    /// A chunk's header is not that of LZNT1.
    #[error("the chunk at {at} begins with {found:#06x}")]
    Header {
        /// Where it begins.
        at: usize,
        /// Its header.
        found: u16,
    },
    /// A reference leads before the chunk, or a chunk grows beyond its 4096 bytes.
    #[error("a reference at {at} leads out of its chunk")]
    Reference {
        /// Where it is.
        at: usize,
    },
}

/// Takes LZNT1 data apart into `out`, and answers how many bytes it gave; the rest of `out` is left alone.
///
/// Ends at a header of zero, at the end of `data`, or when `out` is full. Chunks that give less than 4096 bytes are
/// filled up with zeros where another follows.
///
/// # Errors
///
/// Where the data is damaged; `out` then holds what was read until there.
pub fn decompress(data: &[u8], out: &mut [u8]) -> Result<usize, Lznt1Error> {
    let mut at = 0_usize;
    let mut done = 0_usize;
    let mut used = 0_usize;
    while let Some(&[low, high]) = data.get(at..at.saturating_add(2)) {
        let header = u16::from_le_bytes([low, high]);
        if header == 0 {
            break;
        }
        if done >= out.len() {
            break;
        }
        if header & 0x7000 != 0x3000 {
            return Err(Lznt1Error::Header { at, found: header });
        }
        let start = at.saturating_add(2);
        let end = start
            .saturating_add(usize::from(header & 0x0FFF))
            .saturating_add(1);
        let body = data.get(start..end).ok_or(Lznt1Error::Cut { at })?;
        let limit = done.saturating_add(CHUNK).min(out.len());
        let Some(target) = out.get_mut(done..limit) else {
            break;
        };
        let given = if header & 0x8000 == 0 {
            let given = body.len().min(target.len());
            // OK as ranges: `given` is the shorter of both
            if let (Some(target), Some(body)) = (target.get_mut(..given), body.get(..given)) {
                target.copy_from_slice(body);
            }
            given
        } else {
            chunk(body, target).map_err(|inside| Lznt1Error::Reference {
                at: start.saturating_add(inside),
            })?
        };
        if let Some(rest) = target.get_mut(given..) {
            rest.fill(0);
        }
        used = done.saturating_add(given);
        done = limit;
        at = end;
    }
    Ok(used)
}

/// Takes one compressed chunk apart; the error is the offset of the reference that cannot be.
fn chunk(body: &[u8], out: &mut [u8]) -> Result<usize, usize> {
    let mut at = 0_usize;
    let mut done = 0_usize;
    while let Some(&flags) = body.get(at) {
        at = at.saturating_add(1);
        for bit in 0..8_u32 {
            let Some(&byte) = body.get(at) else {
                return Ok(done);
            };
            if done >= out.len() {
                return Ok(done);
            }
            if flags >> bit & 1 == 0 {
                if let Some(place) = out.get_mut(done) {
                    *place = byte;
                }
                done = done.saturating_add(1);
                at = at.saturating_add(1);
                continue;
            }
            let &[low, high] = body
                .get(at..at.saturating_add(2))
                .and_then(|two| two.first_chunk())
                .ok_or(at)?;
            let token = u16::from_le_bytes([low, high]);
            let len_bits = len_bits(done);
            let distance = usize::from(token >> len_bits).saturating_add(1);
            let mask = (1_u16 << len_bits).wrapping_sub(1);
            let len = usize::from(token & mask).saturating_add(3);
            let from = done.checked_sub(distance).ok_or(at)?;
            let end = done.saturating_add(len).min(out.len());
            // byte by byte: the source may reach into what this very reference writes
            for (source, target) in (from..).zip(done..end) {
                let byte = out.get(source).copied().unwrap_or(0);
                if let Some(place) = out.get_mut(target) {
                    *place = byte;
                }
            }
            done = end;
            at = at.saturating_add(2);
        }
    }
    Ok(done)
}

/// How many bits of a reference are its length: the more was given, the more the distance needs.
fn len_bits(done: usize) -> u32 {
    // 12 where up to 16 bytes were given, 11 up to 32, and so on; at least 4
    let before = done.saturating_sub(1);
    let distance_bits = usize::BITS.saturating_sub(before.leading_zeros()).max(4);
    16_u32.saturating_sub(distance_bits).max(4)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_example_of_the_specification_is_taken_apart() {
        // [MS-XCA] 3.3
        let data = [
            0x38, 0xB0, 0x88, 0x46, 0x23, 0x20, 0x00, 0x20, 0x47, 0x20, 0x41, 0x00, 0x10, 0xA2, 0x47, 0x01,
            0xA0, 0x45, 0x20, 0x44, 0x00, 0x08, 0x45, 0x01, 0x50, 0x79, 0x00, 0xC0, 0x45, 0x20, 0x05, 0x24,
            0x13, 0x88, 0x05, 0xB4, 0x02, 0x4A, 0x44, 0xEF, 0x03, 0x58, 0x02, 0x8C, 0x09, 0x16, 0x01, 0x48,
            0x45, 0x00, 0xBE, 0x00, 0x9E, 0x00, 0x04, 0x01, 0x18, 0x90, 0x00,
        ];
        let text = "F# F# G A A G F# E D D E F# F# E E F# F# G A A G F# E D D E F# E D D E E F# D E F# G F# D E F# G \
                    F# E D E A F# F# G A A G F# E D D E F# E D D\0";
        let mut out = vec![0xFF; 4096];
        let given = decompress(&data, &mut out).unwrap();
        assert_eq!(std::str::from_utf8(&out[..given]).unwrap(), text);
    }

    #[test]
    fn a_chunk_that_is_not_compressed_is_taken_as_it_is() {
        let mut data = vec![0x02, 0x30];
        data.extend(b"abc");
        let mut out = [0xFF; 5];
        assert_eq!(decompress(&data, &mut out), Ok(3));
        assert_eq!(&out, b"abc\0\0");
    }

    #[test]
    fn damage_is_an_error_with_its_place() {
        let mut out = [0; 8192];
        assert_eq!(
            decompress(&[0x05, 0xB0, 0], &mut out),
            Err(Lznt1Error::Cut { at: 0 })
        );
        assert_eq!(
            decompress(&[0x00, 0x10, 0], &mut out),
            Err(Lznt1Error::Header { at: 0, found: 0x1000 })
        );
        assert_eq!(
            decompress(&[0x02, 0xB0, 0x01, 0x00, 0x00], &mut out),
            Err(Lznt1Error::Reference { at: 3 })
        );
    }

    #[test]
    fn the_distance_takes_over_bits_from_the_length() {
        let wanted = [
            (0, 12),
            (1, 12),
            (16, 12),
            (17, 11),
            (32, 11),
            (33, 10),
            (2048, 5),
            (2049, 4),
            (4095, 4),
        ];
        for (done, bits) in wanted {
            assert_eq!(len_bits(done), bits, "{done}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_data_or_an_error(data in prop::collection::vec(any::<u8>(), 0..5000), size in 0_usize..20_000) {
            let mut out = vec![0; size];
            if let Ok(given) = decompress(&data, &mut out) {
                prop_assert!(given <= size);
            }
        }
    }
}
