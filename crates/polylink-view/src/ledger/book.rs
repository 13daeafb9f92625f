//! The ledger's content in memory, and how a row is written.

use polylink_core::Stat;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{LedgerFault, Result};
use crate::fallback::{FallRow, Fallback, Mark};

/// No source path is known: the row of an orphan that got a name of its own.
pub(crate) const NO_DIR: u32 = u32::MAX;
const NO_BIRTH: i64 = i64::MIN;
/// flags, run, id, born, size, directory.
const FIXED: usize = 1 + 4 + 16 + 8 + 8 + 4;
const SAME_NAME: u8 = 1;
/// The row goes on with the id and birth of the file that the name is about to lead to.
const RELINKING: u8 = 2;
const RELINK: usize = 16 + 8;

/// The file that a name is about to lead to: its number and birth.
pub(crate) type Next = (u128, Option<i64>);

/// A stretch of the arena.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    start: u32,
    len: u16,
}

/// What the ledger knows of one view name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) id: u128,
    /// Birth of the file, nanoseconds since 1970, where the file system has it.
    pub(crate) born: Option<i64>,
    /// Size when the row was written.
    pub(crate) size: u64,
    /// The run that wrote it.
    pub(crate) run: u32,
    /// The source directory's number, or [`NO_DIR`].
    pub(crate) dir: u32,
    name: Span,
    source_name: Span,
}

impl Row {
    pub(crate) fn new(id: u128, born: Option<i64>, size: u64, run: u32, dir: u32) -> Self {
        Self {
            id,
            born,
            size,
            run,
            dir,
            name: Span::default(),
            source_name: Span::default(),
        }
    }

    pub(super) fn encode(&self, name: &[u8], source_name: &[u8], next: Option<Next>, out: &mut Vec<u8>) {
        let same = name == source_name;
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        out.push(flag(same, SAME_NAME) | flag(next.is_some(), RELINKING));
        out.extend(self.run.to_le_bytes());
        out.extend(self.id.to_le_bytes());
        out.extend(self.born.unwrap_or(NO_BIRTH).to_le_bytes());
        out.extend(self.size.to_le_bytes());
        out.extend(self.dir.to_le_bytes());
        if let Some((id, born)) = next {
            out.extend(id.to_le_bytes());
            out.extend(born.unwrap_or(NO_BIRTH).to_le_bytes());
        }
        if !same {
            out.extend_from_slice(source_name);
        }
    }
}

/// A file whose name the user deleted from the view, and which stays away.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Remembered {
    pub(crate) born: Option<i64>,
    pub(crate) name: Vec<u8>,
}

impl Remembered {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = self.born.unwrap_or(NO_BIRTH).to_le_bytes().to_vec();
        out.extend_from_slice(&self.name);
        out
    }
}

/// The ledger's content.
#[derive(Debug, Default)]
pub(crate) struct Book {
    arena: Vec<u8>,
    /// In the order of their names.
    pub(crate) rows: Vec<Row>,
    /// Rows whose names were about to lead to another file when a run was stopped.
    pub(crate) relinking: Vec<(u32, Next)>,
    dirs: FxHashMap<u32, Vec<u8>>,
    by_path: FxHashMap<Vec<u8>, u32>,
    next_dir: u32,
    pub(crate) remembered: FxHashMap<u128, Remembered>,
    /// Names that are no hard links, in the order of their names.
    pub(crate) fallbacks: Vec<FallRow>,
    pub(crate) last_run: u32,
    pub(crate) completed_run: u32,
    /// The view directory's own number and birth.
    pub(crate) view: Option<(u128, i128)>,
}

impl Book {
    pub(super) fn add_dir(&mut self, number: u32, path: &[u8]) {
        self.next_dir = self.next_dir.max(number.saturating_add(1));
        self.dirs.insert(number, path.to_vec());
        self.by_path.insert(path.to_vec(), number);
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<Span> {
        let start = u32::try_from(self.arena.len()).map_err(|_| LedgerFault::Record)?;
        let len = u16::try_from(bytes.len()).map_err(|_| LedgerFault::Record)?;
        self.arena.extend_from_slice(bytes);
        Ok(Span { start, len })
    }

    pub(super) fn add_row(&mut self, name: &[u8], bytes: &[u8]) -> Result<()> {
        let (fixed, mut rest) = bytes.split_at_checked(FIXED).ok_or(LedgerFault::Record)?;
        let mut at = 0;
        let mut take = |n: usize| {
            at += n;
            &fixed[at - n..at]
        };
        let flags = take(1)[0];
        let run = le(take(4), u32::from_le_bytes)?;
        let id = le(take(16), u128::from_le_bytes)?;
        let born = le(take(8), i64::from_le_bytes)?;
        let size = le(take(8), u64::from_le_bytes)?;
        let dir = le(take(4), u32::from_le_bytes)?;
        if flags & RELINKING != 0 {
            let (next, after) = rest.split_at_checked(RELINK).ok_or(LedgerFault::Record)?;
            let next_born = le(&next[16..], i64::from_le_bytes)?;
            let next = le(&next[..16], u128::from_le_bytes)?;
            let row = u32::try_from(self.rows.len()).map_err(|_| LedgerFault::Record)?;
            self.relinking
                .push((row, (next, (next_born != NO_BIRTH).then_some(next_born))));
            rest = after;
        }
        let name = self.keep(name)?;
        let source_name = if flags & SAME_NAME != 0 {
            name
        } else {
            self.keep(rest)?
        };
        let born = (born != NO_BIRTH).then_some(born);
        self.rows.push(Row {
            id,
            born,
            size,
            run,
            dir,
            name,
            source_name,
        });
        Ok(())
    }

    pub(super) fn add_remembered(&mut self, id: u128, bytes: &[u8]) -> Result<()> {
        let (born, name) = bytes.split_first_chunk::<8>().ok_or(LedgerFault::Record)?;
        let born = i64::from_le_bytes(*born);
        let born = (born != NO_BIRTH).then_some(born);
        self.remembered.insert(
            id,
            Remembered {
                born,
                name: name.to_vec(),
            },
        );
        Ok(())
    }

    pub(crate) fn name(&self, row: &Row) -> &[u8] {
        self.span(row.name)
    }

    pub(crate) fn source_name(&self, row: &Row) -> &[u8] {
        self.span(row.source_name)
    }

    fn span(&self, span: Span) -> &[u8] {
        &self.arena[span.start as usize..][..usize::from(span.len)]
    }

    /// The path of a source directory.
    pub(crate) fn dir_path(&self, number: u32) -> Option<&[u8]> {
        self.dirs.get(&number).map(Vec::as_slice)
    }

    /// The number of a source directory, if it has one.
    pub(crate) fn dir_number(&self, path: &[u8]) -> Option<u32> {
        self.by_path.get(path).copied()
    }

    /// Numbers of directories that nothing hangs on: they are not among `sources`, and no row leads to them. In order.
    pub(crate) fn idle_dirs(&self, sources: &[Option<u32>]) -> Vec<u32> {
        let mut used: FxHashSet<u32> = sources.iter().flatten().copied().collect();
        if used.len() == self.dirs.len() {
            return Vec::new();
        }
        used.extend(self.rows.iter().map(|row| row.dir));
        used.extend(self.fallbacks.iter().map(|row| row.dir));
        let mut idle: Vec<u32> = self
            .dirs
            .keys()
            .copied()
            .filter(|number| !used.contains(number))
            .collect();
        idle.sort_unstable();
        idle
    }

    /// Whether it was written for this directory.
    pub(crate) fn is_of(&self, view: &Stat) -> bool {
        self.view
            .is_some_and(|(id, born)| view.id.id == id && view.born.unwrap_or(born) == born)
    }

    /// How much it holds, for the test that nothing of it grows without end.
    #[cfg(test)]
    pub(crate) fn held(&self) -> Vec<(&'static str, usize)> {
        vec![
            ("bytes of rows", self.arena.len()),
            ("rows", self.rows.len()),
            ("relinking", self.relinking.len()),
            ("directories", self.dirs.len()),
            ("directories of the ledger by path", self.by_path.len()),
            ("remembered", self.remembered.len()),
            ("fallbacks", self.fallbacks.len()),
        ]
    }

    /// The next number without a directory.
    pub(crate) fn next_dir(&self) -> u32 {
        self.next_dir
    }
}

const PENDING: u8 = 1;
const APART: u8 = 2;
const MADE: u8 = 4;
const ORPHAN: u8 = 8;
/// id, born, size, modified.
const MARK: usize = 16 + 8 + 8 + 8;
/// kind, flags, links, two files, directory.
const FALLBACK: usize = 1 + 1 + 8 + 2 * MARK + 4;

pub(super) fn encode_fallback(row: &FallRow) -> Vec<u8> {
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    let kind = match row.kind {
        Fallback::Symlink => 1,
        Fallback::Reflink => 2,
        Fallback::Copy => 3,
    };
    let flags = flag(row.pending, PENDING)
        | flag(row.apart, APART)
        | flag(row.own.is_some(), MADE)
        | flag(row.orphan, ORPHAN);
    let mut out = vec![kind, flags];
    out.extend(row.links.to_le_bytes());
    for mark in [row.source, row.own.unwrap_or_default()] {
        out.extend(mark.id.to_le_bytes());
        out.extend(mark.born.unwrap_or(NO_BIRTH).to_le_bytes());
        out.extend(mark.size.to_le_bytes());
        out.extend(mark.modified.to_le_bytes());
    }
    out.extend(row.dir.to_le_bytes());
    out.extend_from_slice(&row.source_name);
    out
}

pub(super) fn fallback(name: &[u8], bytes: &[u8]) -> Result<FallRow> {
    let (fixed, source_name) = bytes.split_at_checked(FALLBACK).ok_or(LedgerFault::Record)?;
    let mut at = 0;
    let mut take = |n: usize| {
        at += n;
        &fixed[at - n..at]
    };
    let kind = match take(1)[0] {
        1 => Fallback::Symlink,
        2 => Fallback::Reflink,
        3 => Fallback::Copy,
        _ => return Err(LedgerFault::Record),
    };
    let flags = take(1)[0];
    let links = le(take(8), u64::from_le_bytes)?;
    let mut mark = || {
        let id = le(take(16), u128::from_le_bytes)?;
        let born = le(take(8), i64::from_le_bytes)?;
        Ok::<_, LedgerFault>(Mark {
            id,
            born: (born != NO_BIRTH).then_some(born),
            size: le(take(8), u64::from_le_bytes)?,
            modified: le(take(8), i64::from_le_bytes)?,
        })
    };
    let (source, own) = (mark()?, mark()?);
    let dir = le(take(4), u32::from_le_bytes)?;
    Ok(FallRow {
        name: name.to_vec(),
        kind,
        pending: flags & PENDING != 0,
        orphan: flags & ORPHAN != 0,
        apart: flags & APART != 0,
        links,
        source,
        own: (flags & MADE != 0).then_some(own),
        dir,
        source_name: source_name.to_vec(),
    })
}

fn le<const N: usize, T>(bytes: &[u8], read: fn([u8; N]) -> T) -> Result<T> {
    bytes.try_into().map(read).map_err(|_| LedgerFault::Record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_survives_writing_and_reading_and_a_short_one_is_an_error() {
        let row = Row::new(7 << 80, Some(-5), 123, 9, 4);
        let nexts = [None, Some((8 << 90, Some(6))), Some((8, None))];
        let names = [&b"a.jpg"[..], b"other"];
        for (source_name, next) in names.into_iter().flat_map(|name| nexts.map(|next| (name, next))) {
            let mut bytes = Vec::new();
            row.encode(b"a.jpg", source_name, next, &mut bytes);
            let mut book = Book::default();
            book.add_row(b"a.jpg", &bytes).unwrap();
            assert_eq!(
                book.relinking,
                next.map(|next| (0, next)).into_iter().collect::<Vec<_>>()
            );
            let read = book.rows[0];
            assert_eq!(
                (read.id, read.born, read.size, read.run, read.dir),
                (7 << 80, Some(-5), 123, 9, 4)
            );
            assert_eq!(
                (book.name(&read), book.source_name(&read)),
                (&b"a.jpg"[..], source_name)
            );
            assert!(book.add_row(b"a", &bytes[..FIXED - 1]).is_err());
        }
    }
}
