//! What is below a directory, from the catalog, in the order in which it is listed.

use std::collections::HashSet;
use std::vec;

use polylink_ntfs::{Catalog, FileIndex, FileKind, FileRow, NameRow};

use super::LsArgs;

/// A walk down from a directory: each name, and with -R what is below it right behind it.
///
/// Each directory is gone into once, though damage can make a circle of them or give one several names.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    catalog: &'a Catalog,
    args: &'a LsArgs,
    entered: HashSet<FileIndex>,
    /// The directories on the way, each with what is left of it and where its path ends.
    way: Vec<(vec::IntoIter<NameRow<'a>>, usize)>,
    path: Vec<u8>,
}

impl<'a> Walk<'a> {
    /// Begins at a directory, whose path is shown as this.
    pub(super) fn new(catalog: &'a Catalog, args: &'a LsArgs, directory: FileIndex, path: Vec<u8>) -> Self {
        Self {
            catalog,
            args,
            entered: HashSet::from([directory]),
            way: vec![(children(catalog, directory), path.len())],
            path,
        }
    }

    /// The next name and its file; its path is [`Walk::path`].
    pub(super) fn next(&mut self) -> Option<(NameRow<'a>, FileRow)> {
        loop {
            let (left, len) = self.way.last_mut()?;
            self.path.truncate(*len);
            let Some(name) = left.next() else {
                self.way.pop();
                continue;
            };
            let Some(row) = self.catalog.file(name.file) else {
                continue;
            };
            if !self.args.is_listed(row.reference.record(), name.name) {
                continue;
            }
            if self.path.last().is_some_and(|&byte| byte != b'/') {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(name.name);
            let is_entered =
                self.args.recursive && row.kind == FileKind::Directory && self.entered.insert(name.file);
            if is_entered {
                self.way
                    .push((children(self.catalog, name.file), self.path.len()));
            }
            return Some((name, row));
        }
    }

    /// The path of what came last.
    pub(super) fn path(&self) -> &[u8] {
        &self.path
    }
}

fn children(catalog: &Catalog, directory: FileIndex) -> vec::IntoIter<NameRow<'_>> {
    let mut children: Vec<NameRow<'_>> = catalog.children(directory).filter(NameRow::is_link).collect();
    children.sort_unstable_by(|a, b| a.name.cmp(b.name));
    children.into_iter()
}
