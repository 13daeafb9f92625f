//! Looking at a ledger's file without changing it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::backends::FileBackend;
use redb::{BackendError, Builder, ReadableDatabase as _, StorageBackend};

use super::{CACHE_BYTES, LedgerFault, META, Result, known_schema};

/// What is written is kept in pieces of this length.
const BLOCK: usize = 4096;

/// Reads every page of a ledger that something uses, and compares it with its checksum. The file is locked meanwhile, and
/// stays as it is.
///
/// The database itself trusts a file that was closed in good order, and breaks off in the middle of the work where
/// something else has written to it since.
///
/// # Errors
///
/// [`LedgerFault::Busy`], [`LedgerFault::Damaged`], [`LedgerFault::Newer`], and [`LedgerFault::Record`] where the file is
/// empty.
pub(super) fn verify(path: &Path) -> Result<()> {
    // the lock that is taken wants a file that can be written, as the work itself does
    let file = File::options()
        .read(true)
        .write(true)
        .open(path)
        .map_err(LedgerFault::Io)?;
    let len = file.metadata().map_err(LedgerFault::Io)?.len();
    if len == 0 {
        return Err(LedgerFault::Record); // a new one would be made of it
    }
    let shadow = Shadow {
        file: FileBackend::new(file)?,
        written: Mutex::new(Written {
            blocks: BTreeMap::new(),
            len,
            left: len,
        }),
    };
    let db = checking().create_with_backend(shadow)?;
    known_schema(&db.begin_read()?.open_table(META)?)
}

/// Opens databases with each page compared with its checksum.
pub(super) fn checking() -> Builder {
    let mut builder = Builder::new();
    builder
        .set_cache_size(CACHE_BYTES)
        .set_check_integrity_on_open(true);
    builder
}

/// A file, and what would have been written to it.
#[derive(Debug)]
struct Shadow {
    file: FileBackend,
    written: Mutex<Written>,
}

#[derive(Debug)]
struct Written {
    /// Pieces that differ from the file, by their places.
    blocks: BTreeMap<u64, Box<[u8; BLOCK]>>,
    len: u64,
    /// So much of the file was never cut off.
    left: u64,
}

impl Shadow {
    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the file has there, and zeros where it has nothing.
    fn below(&self, left: u64, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let there = usize::try_from(left.saturating_sub(offset)).unwrap_or(usize::MAX);
        let (from_file, rest) = out.split_at_mut(there.min(out.len()));
        rest.fill(0);
        if from_file.is_empty() {
            return Ok(());
        }
        self.file.read(offset, from_file)
    }
}

/// The blocks that a stretch touches: the place of each, and where it and the stretch have each other's bytes.
fn pieces(offset: u64, len: usize) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        if done == len {
            return None;
        }
        let at = offset + done as u64;
        // OK to cast: less than a block
        let within = (at % BLOCK as u64) as usize;
        let end = len.min(done + BLOCK - within);
        let piece = (at / BLOCK as u64, within, done..end);
        done = end;
        Some(piece)
    })
}

impl StorageBackend for Shadow {
    fn len(&self) -> io::Result<u64> {
        Ok(self.written().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let written = self.written();
        if offset
            .checked_add(out.len() as u64)
            .is_none_or(|end| end > written.len)
        {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.below(written.left, offset, out)?;
        for (block, within, range) in pieces(offset, out.len()) {
            if let Some(block) = written.blocks.get(&block) {
                let len = range.len();
                out[range].copy_from_slice(&block[within..within + len]);
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut written = self.written();
        (written.len, written.left) = (len, written.left.min(len));
        drop(written.blocks.split_off(&len.div_ceil(BLOCK as u64)));
        let (last, within) = (len / BLOCK as u64, (len % BLOCK as u64) as usize);
        if let Some(block) = written.blocks.get_mut(&last) {
            block[within..].fill(0);
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut written = self.written();
        let left = written.left;
        for (number, within, range) in pieces(offset, data.len()) {
            let len = range.len();
            let block = match written.blocks.entry(number) {
                std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::btree_map::Entry::Vacant(entry) => {
                    let mut block = Box::new([0; BLOCK]);
                    self.below(left, number * BLOCK as u64, &mut block[..])?;
                    entry.insert(block)
                }
            };
            block[within..within + len].copy_from_slice(&data[range]);
        }
        written.len = written.len.max(offset + data.len() as u64);
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> std::result::Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> std::result::Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> std::result::Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_the_file_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let content: Vec<u8> = (0..10_000u32).map(|at| (at % 251) as u8).collect();
        std::fs::write(&path, &content).unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        let shadow = Shadow {
            file: FileBackend::new(file).unwrap(),
            written: Mutex::new(Written {
                blocks: BTreeMap::new(),
                len: 10_000,
                left: 10_000,
            }),
        };
        let mut model = content.clone();
        // a little of everything, over the borders of blocks and of the file
        let steps: [(u64, usize); 6] = [
            (4000, 200),
            (0, 1),
            (9990, 10),
            (4096, 4096),
            (12_000, 5000),
            (3, 9000),
        ];
        for (step, (offset, len)) in (1u8..).zip(steps) {
            shadow.write(offset, &vec![step; len]).unwrap();
            let (start, end) = (offset as usize, offset as usize + len);
            model.resize(model.len().max(end), 0);
            model[start..end].fill(step);
            let cut = if step == 3 { 5000 } else { model.len() };
            shadow.set_len(cut as u64).unwrap();
            model.truncate(cut);
            let mut read = vec![0; model.len()];
            shadow.read(0, &mut read).unwrap();
            assert!(read == model, "step {step}");
            assert_eq!(shadow.len().unwrap(), model.len() as u64);
        }
        assert!(shadow.read(model.len() as u64 - 1, &mut [0; 2]).is_err());
        assert!(
            std::fs::read(&path).unwrap() == content,
            "the file was written to"
        );
    }
}
