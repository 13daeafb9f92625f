//! A device that is never written: what is written to it stays in memory, for dry runs.

use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use polylink_ntfs::Device;

/// Bytes that are kept together.
const BLOCK: usize = 4096;

type Blocks = HashMap<u64, Box<[u8]>>;

/// Reads as what is below it, but for what was written.
#[derive(Debug)]
pub(super) struct Overlay {
    below: Arc<dyn Device>,
    blocks: Mutex<Blocks>,
}

/// The part of a block that a transfer meets.
struct Part {
    block: u64,
    /// In the block.
    inner: Range<usize>,
    /// In the transfer.
    outer: Range<usize>,
}

fn parts(offset: u64, len: usize) -> impl Iterator<Item = Part> {
    let mut done = 0;
    std::iter::from_fn(move || {
        if done >= len {
            return None;
        }
        let at = offset + done as u64;
        let start = (at % BLOCK as u64) as usize;
        let take = (BLOCK - start).min(len - done);
        let part = Part {
            block: at / BLOCK as u64,
            inner: start..start + take,
            outer: done..done + take,
        };
        done += take;
        Some(part)
    })
}

impl Overlay {
    pub(super) fn new(below: Arc<dyn Device>) -> Self {
        Self {
            below,
            blocks: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Blocks> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A block as the device below has it; beyond its end there are zeros.
    fn read_block(&self, block: u64) -> io::Result<Box<[u8]>> {
        let mut bytes = vec![0; BLOCK].into_boxed_slice();
        let start = block * BLOCK as u64;
        let there = self.below.size().saturating_sub(start).min(BLOCK as u64) as usize;
        self.below.read_at(start, &mut bytes[..there])?;
        Ok(bytes)
    }

    fn is_within(&self, offset: u64, len: usize) -> bool {
        offset
            .checked_add(len as u64)
            .is_some_and(|end| end <= self.size())
    }
}

impl Device for Overlay {
    fn size(&self) -> u64 {
        self.below.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.below.read_at(offset, buffer)?;
        let blocks = self.lock();
        for part in parts(offset, buffer.len()) {
            if let Some(block) = blocks.get(&part.block) {
                buffer[part.outer].copy_from_slice(&block[part.inner]);
            }
        }
        Ok(())
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if !self.is_within(offset, data.len()) {
            return Err(io::ErrorKind::WriteZero.into());
        }
        let mut blocks = self.lock();
        for part in parts(offset, data.len()) {
            let block = match blocks.get_mut(&part.block) {
                Some(block) => block,
                None => {
                    let block = self.read_block(part.block)?;
                    blocks.entry(part.block).or_insert(block)
                }
            };
            block[part.inner].copy_from_slice(&data[part.outer]);
        }
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use polylink_ntfs::MemDevice;

    use super::*;

    #[test]
    fn what_is_written_is_read_and_the_device_below_stays_as_it_was() {
        let below = Arc::new(MemDevice::new((0..10_000).map(|at| at as u8).collect()));
        let before = below.bytes();
        let overlay = Overlay::new(below.clone());
        let mut wanted = before.clone();
        for (offset, len) in [(0, 1), (4000, 200), (4095, 4098), (9000, 1000), (9999, 1)] {
            overlay.write_at(offset as u64, &vec![0xEE; len]).unwrap();
            wanted[offset..offset + len].fill(0xEE);
        }
        let mut all = vec![0; 10_000];
        overlay.read_at(0, &mut all).unwrap();
        assert_eq!(all, wanted);
        let mut part = vec![0; 300];
        overlay.read_at(3900, &mut part).unwrap();
        assert_eq!(part, wanted[3900..4200]);
        assert_eq!(below.bytes(), before);
        assert!(overlay.write_at(9999, &[1, 2]).is_err());
        assert!(overlay.read_at(9999, &mut [0; 2]).is_err());
    }
}
