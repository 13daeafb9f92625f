//! Lines for the screen: what makes them, one by one or many at once.

use polylink_ntfs::{Catalog, FileKind, FileRow, NameRow, VolumeFs};

use super::turns::in_turns;
use super::walk::Walk;
use super::{Line, LsArgs, short_of, target};
use crate::commands::Context;
use crate::commands::ntfs::text;
use crate::error::CommandError;

/// Makes lines one by one.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    args: &'a LsArgs,
    times: text::ShortTimes,
}

impl<'a> Lines<'a> {
    pub(super) fn new(args: &'a LsArgs) -> Self {
        Self {
            args,
            times: text::ShortTimes::default(),
        }
    }

    /// Appends a line.
    pub(super) fn push(&mut self, text: &mut Vec<u8>, line: &Line<'_>) {
        if self.args.long {
            let row = &line.row;
            text.push(match row.kind {
                FileKind::File => b'-',
                FileKind::Directory if row.case_sensitive => b'D',
                FileKind::Directory => b'd',
                FileKind::Link => b'l',
            });
            for (number, width) in [(u64::from(row.links), 4), (row.size, 14), (row.allocated, 14)] {
                text.push(b' ');
                text::push_number(text, number, width, b' ');
            }
            text.push(b' ');
            self.times.push(text, row.modified);
            text.push(b' ');
            text::push_file_id(text, row.reference, 12);
            text.extend_from_slice(b"  ");
        }
        text::push_name(text, line.path);
        if self.args.long {
            if let Some(short) = &line.short {
                text.extend_from_slice(b"  (");
                text::push_name(text, short);
                text.push(b')');
            }
            if let Some(target) = &line.target {
                text.extend_from_slice(b" -> ");
                text::push_name(text, target);
            }
        }
        text.push(b'\n');
    }
}

/// Names that a thread makes lines of at once.
const BATCH: usize = 1024;
/// Bytes that their paths have together, but for the last: damage can make paths of any length.
const PATHS: usize = 256 << 10;
/// Some names, and in the end their lines.
#[derive(Debug, Default)]
struct Batch<'a> {
    /// The paths of all names, one behind the other.
    paths: Vec<u8>,
    /// Each with the end of its path.
    names: Vec<(usize, NameRow<'a>, FileRow)>,
    text: Vec<u8>,
}

impl<'a> Batch<'a> {
    /// Takes the next names; `false` where there are none.
    fn fill(&mut self, walk: &mut Walk<'a>) -> bool {
        self.paths.clear();
        self.names.clear();
        while self.names.len() < BATCH
            && self.paths.len() < PATHS
            && let Some((name, row)) = walk.next()
        {
            self.paths.extend_from_slice(walk.path());
            self.names.push((self.paths.len(), name, row));
        }
        !self.names.is_empty()
    }

    fn make_lines(&mut self, fs: &VolumeFs, catalog: &Catalog, lines: &mut Lines<'_>) {
        self.text.clear();
        let mut start = 0;
        for &(end, ref name, row) in &self.names {
            let line = Line {
                path: &self.paths[start..end],
                short: short_of(catalog, name, &row),
                row,
                target: target(fs, &row),
            };
            lines.push(&mut self.text, &line);
            start = end;
        }
    }
}

/// Prints a line for all that is met on a walk.
pub(super) fn print<'a>(
    context: &Context<'_>,
    args: &LsArgs,
    fs: &VolumeFs,
    catalog: &'a Catalog,
    walk: &mut Walk<'a>,
) -> Result<(), CommandError> {
    in_turns(
        |batch: &mut Batch<'a>| batch.fill(walk),
        || {
            let mut lines = Lines::new(args);
            move |batch: &mut Batch<'a>| batch.make_lines(fs, catalog, &mut lines)
        },
        |batch| {
            context.stop.check()?;
            context.ui.raw(&batch.text)
        },
    )
}
