//! Sample trees: `YEAR/MONTH/file.ext`, as photo collections are kept.

use std::fs::File;
use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::{Path, PathBuf};

use polylink_core::Progress;
use polylink_ntfs::{FileReference, Writer};

use crate::error::CommandError;

pub(super) const YEARS: usize = 20;
pub(super) const MONTHS: usize = 12;
const FIRST_YEAR: usize = 2006;

/// How a sample file is named.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Naming {
    /// No two files have the same name.
    Unique,
    /// The camera starts counting anew now and then: one file in forty has the name of another one, elsewhere.
    SomeTwice,
}

/// `root/2006/01`, counted through the months from 0.
pub(super) fn month_dir(root: &Path, month: usize) -> PathBuf {
    let month = month % (YEARS * MONTHS);
    root.join(format!(
        "{}/{:02}",
        FIRST_YEAR + month / MONTHS,
        month % MONTHS + 1
    ))
}

/// The month that file `index` of `files` lies in: they are spread evenly, in order.
pub(super) fn month_of(index: usize, files: usize) -> usize {
    index * YEARS * MONTHS / files.max(1)
}

pub(super) fn file_name(index: usize, naming: Naming) -> String {
    let number = match naming {
        Naming::SomeTwice if index.is_multiple_of(40) => index / 40 % 50,
        _ => index + 100,
    };
    format!("img_{number:05}.jpg")
}

/// Bytes of file `index`: between a few hundred and some thousands, the same in every run.
pub(super) fn file_size(index: usize) -> usize {
    // Knuth's multiplicative hash: spreads, and is the same everywhere
    let mixed = (index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    300 + usize::try_from(mixed % 6000).unwrap_or(0)
}

/// Makes the directories and `files` files below `root`; returns the bytes written.
pub(super) fn make_tree(
    root: &Path,
    files: usize,
    naming: Naming,
    progress: &dyn Progress,
) -> Result<u64, CommandError> {
    for month in 0..YEARS * MONTHS {
        let dir = month_dir(root, month);
        std::fs::create_dir_all(&dir).map_err(|error| CommandError::from_io("make", &dir, &error))?;
    }
    progress.begin("making files", Some(files as u64));
    let threads = std::thread::available_parallelism()
        .map_or(1, NonZeroUsize::get)
        .clamp(1, 8);
    let part = files.div_ceil(threads).max(1);
    let made: Result<u64, CommandError> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..files)
            .step_by(part)
            .map(|from| {
                let indices = from..(from + part).min(files);
                scope.spawn(move || make_files(root, files, indices, naming, progress))
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .sum()
    });
    progress.end();
    made
}

/// Makes the same tree in a directory of an NTFS volume; answers the files in their order. Their content is not
/// written and reads as zeros. Ends early where the user wants it to.
pub(super) fn make_tree_in(
    writer: &Writer,
    root: FileReference,
    files: usize,
    naming: Naming,
    size: impl Fn(usize) -> u64,
    progress: &dyn Progress,
) -> polylink_ntfs::Result<Vec<FileReference>> {
    let units = |name: &str| name.encode_utf16().collect::<Vec<u16>>();
    let mut months = Vec::with_capacity(YEARS * MONTHS);
    for year in 0..YEARS {
        let name = units(&format!("{}", FIRST_YEAR + year));
        let year = writer.make_directory(root, &name)?;
        for month in 1..=MONTHS {
            months.push(writer.make_directory(year, &units(&format!("{month:02}")))?);
        }
    }
    progress.begin("making files", Some(files as u64));
    let mut made = Vec::with_capacity(files);
    for index in 0..files {
        if progress.cancelled() {
            break;
        }
        let month = months[month_of(index, files) % months.len()];
        let file = writer.create_file(month, &units(&file_name(index, naming)))?;
        writer.set_size(file, &[], size(index))?;
        writer.refresh(file)?;
        made.push(file);
        progress.advance(1);
    }
    progress.end();
    Ok(made)
}

fn make_files(
    root: &Path,
    files: usize,
    indices: Range<usize>,
    naming: Naming,
    progress: &dyn Progress,
) -> Result<u64, CommandError> {
    let mut bytes = 0;
    for index in indices {
        if progress.cancelled() {
            return Err(CommandError::interrupted());
        }
        let path = month_dir(root, month_of(index, files)).join(file_name(index, naming));
        let size = file_size(index);
        write_file(&path, index, size).map_err(|error| CommandError::from_io("write", &path, &error))?;
        bytes += size as u64;
        progress.advance(1);
    }
    Ok(bytes)
}

/// A new file of `size` bytes that differ from those of other files and do not compress to nothing.
pub(super) fn write_file(path: &Path, seed: usize, size: usize) -> io::Result<()> {
    const BLOCK: usize = 16 * 1024;
    let mut block = [0_u8; BLOCK];
    let mut state = (seed as u64) ^ 0x2545_F491_4F6C_DD1D;
    for chunk in block[..size.min(BLOCK)].chunks_mut(8) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        chunk.copy_from_slice(&state.to_le_bytes()[..chunk.len()]);
    }
    let mut file = File::create_new(path)?;
    let mut left = size;
    while left > 0 {
        let now = left.min(BLOCK);
        file.write_all(&block[..now])?;
        left -= now;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use polylink_core::Silent;

    use super::*;

    #[test]
    fn every_file_is_made_and_some_names_stand_twice() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = make_tree(folder.path(), 5000, Naming::SomeTwice, &Silent).unwrap();
        let mut names = HashSet::new();
        let (mut files, mut found) = (0, 0);
        for month in 0..YEARS * MONTHS {
            for entry in std::fs::read_dir(month_dir(folder.path(), month)).unwrap() {
                let entry = entry.unwrap();
                files += 1;
                found += entry.metadata().unwrap().len();
                names.insert(entry.file_name());
            }
        }
        assert_eq!((files, found), (5000, bytes));
        assert!(names.len() < 5000 && names.len() > 4800, "{}", names.len());
    }
}
