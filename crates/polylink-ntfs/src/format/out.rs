//! Writing, with or without the zeros.

use crate::device::Device;
use crate::error::{Error, Result};

/// Bytes that are looked at together, and not written where they are zeros: no file system keeps smaller holes.
const HOLE: usize = 4096;
/// Bytes that are written at once.
const AT_ONCE: usize = 1 << 20;

/// A device that is being formatted.
#[derive(Debug)]
pub(super) struct Out<'d> {
    pub(super) device: &'d dyn Device,
    /// It reads as zeros wherever nothing was written.
    pub(super) zeroed: bool,
}

impl Out<'_> {
    /// Writes these bytes, without the zeros where those are there already.
    pub(super) fn write(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        if !self.zeroed {
            return self.put(offset, bytes);
        }
        let mut from = 0_usize;
        while let Some(rest) = bytes.get(from..).filter(|rest| !rest.is_empty()) {
            let is_zero = |block: &[u8]| block.iter().all(|&byte| byte == 0);
            let zeros = leading(rest, is_zero);
            from = from.saturating_add(zeros);
            let rest = bytes.get(from..).unwrap_or_default();
            let data = leading(rest, |block| !is_zero(block));
            let at = offset.saturating_add(u64::try_from(from).unwrap_or(u64::MAX));
            self.put(at, rest.get(..data).unwrap_or_default())?;
            from = from.saturating_add(data);
        }
        Ok(())
    }

    /// Writes zeros, unless they are there already.
    pub(super) fn zeros(&self, offset: u64, len: u64) -> Result<()> {
        if self.zeroed {
            return Ok(());
        }
        self.fill(offset, len, 0)
    }

    /// Writes one byte again and again.
    pub(super) fn fill(&self, offset: u64, len: u64, byte: u8) -> Result<()> {
        let most = usize::try_from(len).unwrap_or(usize::MAX).min(AT_ONCE);
        let piece = vec![byte; most];
        let (mut at, end) = (offset, offset.saturating_add(len));
        while at < end {
            let left = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX);
            let now = piece.get(..left.min(most)).unwrap_or_default();
            self.put(at, now)?;
            at = at.saturating_add(u64::try_from(now.len()).unwrap_or(u64::MAX));
        }
        Ok(())
    }

    fn put(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let failed = |source| Error::Device {
            action: "write",
            offset,
            len: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            source,
        };
        self.device.write_at(offset, bytes).map_err(failed)
    }

    /// Returns once all that was written is on stable storage.
    pub(super) fn flush(&self) -> Result<()> {
        let failed = |source| Error::Device {
            action: "flush",
            offset: 0,
            len: self.device.size(),
            source,
        };
        self.device.flush().map_err(failed)
    }
}

/// Bytes at the beginning whose blocks are all so.
fn leading(bytes: &[u8], is: impl Fn(&[u8]) -> bool) -> usize {
    bytes
        .chunks(HOLE)
        .take_while(|block| is(block))
        .fold(0, |sum, block| sum.saturating_add(block.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::MemDevice;

    #[test]
    fn zeros_are_written_only_where_something_else_may_be() {
        let mut data = vec![0; 5 * HOLE + 7];
        data[HOLE] = 1;
        data[4 * HOLE - 1] = 2;
        data[5 * HOLE + 6] = 3;
        let written = |zeroed, before| {
            let device = MemDevice::new(vec![before; data.len() + 10]);
            let out = Out {
                device: &device,
                zeroed,
            };
            out.write(5, &data).unwrap();
            out.zeros(0, 5).unwrap();
            device.bytes()
        };
        let mut whole = [vec![0; 5], data.clone()].concat();
        whole.resize(data.len() + 10, 9);
        assert_eq!(written(false, 9), whole);
        let mut sparse = whole.clone();
        for hole in [
            0..5 + HOLE,
            5 + 2 * HOLE..5 + 3 * HOLE,
            5 + 4 * HOLE..5 + 5 * HOLE,
        ] {
            sparse[hole].fill(9);
        }
        assert_eq!(written(true, 9), sparse);
    }

    #[test]
    fn more_is_filled_than_is_written_at_once() {
        let device = MemDevice::new(vec![0; 2 * AT_ONCE + 100]);
        let out = Out {
            device: &device,
            zeroed: true,
        };
        out.fill(50, 2 * AT_ONCE as u64 + 7, 0xFF).unwrap();
        let bytes = device.bytes();
        assert_eq!((bytes[49], bytes[50]), (0, 0xFF));
        assert_eq!((bytes[2 * AT_ONCE + 56], bytes[2 * AT_ONCE + 57]), (0xFF, 0));
        assert!(out.fill(60, 2 * AT_ONCE as u64 + 41, 1).is_err());
    }
}
