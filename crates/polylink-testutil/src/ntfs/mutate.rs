//! Inputs for [`super::targets`], made from a seed: the same seed makes the same input.

use super::hostile::{Edit, bases, input};
use super::targets::Target;

/// Values at which programs err.
const ODD: [u64; 20] = [
    0,
    1,
    2,
    7,
    8,
    0x7F,
    0x80,
    0xFF,
    0x100,
    0x200,
    0x400,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFF_FFFF,
    0x8000_0000,
    0xFFFF_FFFF,
    0x7FFF_FFFF_FFFF_FFFF,
    0x8000_0000_0000_0000,
    u64::MAX,
];

/// A source of numbers that look random (splitmix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The source that begins with this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ word >> 31
    }

    /// A number below `end`; 0 where that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.word().checked_rem(end as u64).unwrap_or(0) as usize
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn odd(&mut self) -> u64 {
        match self.below(4) {
            0 => self.word(),
            // near the size of something
            1 => self.below(5000) as u64,
            _ => self.pick(&ODD),
        }
    }
}

/// The input of a target with this number.
pub fn mutated(target: &Target, seeds: &[Vec<u8>], number: u64) -> Vec<u8> {
    let mut random = Random::new(number.wrapping_mul(0x2545_F491_4F6C_DD1D) ^ target.name.len() as u64);
    let seed = match seeds.len() {
        0 => Vec::new(),
        count => seeds[random.below(count)].clone(),
    };
    if target.is_volume && random.below(8) != 0 {
        return tampered(&mut random, seed);
    }
    changed(&mut random, seed)
}

/// The seed with further edits; a seed that is a volume in the raw is left alone.
fn tampered(random: &mut Random, seed: Vec<u8>) -> Vec<u8> {
    let base = match random.below(8) {
        0..4 => 0,
        4..7 => 1,
        _ => 2,
    };
    let places = &bases()[usize::from(base)].places;
    let mut edits = Vec::new();
    for _ in 0..=random.below(6) {
        // system files and those that the sample speaks of, or anything
        let place = match random.below(4) {
            0 => random.below(places.len()),
            1 => places.len() - 1 - random.below(places.len().min(24)),
            _ => random.below(36),
        };
        let header = random.pick(&places[place].headers);
        let at = match random.below(3) {
            0 => random.below(places[place].len),
            1 => header + random.below(0x20),
            _ => header + random.below(0x60),
        } as u32;
        let (place, len, value) = (place as u16, random.pick(&[1, 1, 2, 2, 4, 4, 8]), random.odd());
        edits.push(match random.below(40) {
            0 => Edit::Tear {
                place,
                at,
                len,
                value,
            },
            1 => Edit::Copy {
                place,
                from: random.below(places.len()) as u16,
            },
            2 if random.below(3) == 0 => Edit::Cut {
                at: random.word() as u32,
            },
            _ => Edit::Set {
                place,
                at,
                len,
                value,
            },
        });
    }
    let new = input(base, &edits);
    match seed.first() {
        Some(&old) if old == base => [&seed[..], &new[1..]].concat(),
        _ => new,
    }
}

/// The seed with some of its bytes changed, whatever they mean.
fn changed(random: &mut Random, mut bytes: Vec<u8>) -> Vec<u8> {
    for _ in 0..=random.below(8) {
        let at = random.below(bytes.len());
        match random.below(8) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            1 if !bytes.is_empty() => bytes[at] = random.odd() as u8,
            2 | 3 => {
                let len = random.pick(&[2_usize, 4, 8]).min(bytes.len() - at);
                let value = random.odd().to_le_bytes();
                bytes[at..at + len].copy_from_slice(&value[..len]);
            }
            4 => {
                let from = random.below(bytes.len());
                let len = random.below(32).min(bytes.len() - at.max(from));
                bytes.copy_within(from..from + len, at);
            }
            5 => bytes.truncate(at),
            6 => {
                let more = random.below(16);
                let new: Vec<u8> = (0..more).map(|_| random.odd() as u8).collect();
                bytes.splice(at..at, new);
            }
            _ => {
                let more = random.below(24);
                bytes.extend((0..more).map(|_| random.word() as u8));
            }
        }
    }
    bytes
}
