//! The ledger: polylink's record of the names it made in a view, in an embedded database (redb) beside the view.
//!
//! A row says which file a view name was made for, and from which source path. Rows are written *before* their links
//! are made, marked with the number of the run; a run is complete once its last commit says so. So a name whose row
//! belongs to an incomplete run may not exist yet, and a missing name of a complete run was deleted by somebody else.

mod book;
mod place;
mod shadow;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use polylink_core::{Name, NameBuf, Stat};
use redb::backends::InMemoryBackend;
use redb::{
    Builder, Database, DatabaseError, ReadableDatabase as _, ReadableTable as _, StorageBackend as _,
    TableDefinition,
};
use thiserror::Error;

pub(crate) use book::{Book, NO_DIR, Next, Remembered, Row};
pub(crate) use place::is_ledger_name;
pub use place::{ledger_path, open_ledger};

use crate::error::Error;
use crate::fallback::FallRow;

const META: TableDefinition<'_, &str, u128> = TableDefinition::new("meta");
const DIRS: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("directories");
const NAMES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("names");
const FALLBACKS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("fallbacks");
const REMEMBERED: TableDefinition<'_, u128, &[u8]> = TableDefinition::new("remembered");

/// The version of what the tables hold.
const SCHEMA: u128 = 1;
/// Memory for the database's pages.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// What is wrong with a ledger.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LedgerFault {
    /// Another process works on the view.
    #[error("another polylink works on this view")]
    Busy,
    /// It was written by a later version of polylink.
    #[error("it has schema {0}, which this version of polylink does not know")]
    Newer(u128),
    /// It is not a ledger, or is damaged.
    #[error("it is damaged, or is not a ledger of polylink")]
    Damaged(#[source] Box<redb::Error>),
    /// A record in it makes no sense.
    #[error("a record in it is damaged")]
    Record,
    /// Reading or writing it did not work.
    #[error("reading or writing it failed")]
    Io(#[source] io::Error),
    /// A test told it to stop here.
    #[error("stopped by a test")]
    Stopped,
}

impl From<redb::Error> for LedgerFault {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => Self::Busy,
            redb::Error::Io(error) if error.kind() != io::ErrorKind::InvalidData => Self::Io(error),
            other => Self::Damaged(Box::new(other)),
        }
    }
}

macro_rules! from_redb {
    ($($kind:ident),*) => {$(
        impl From<redb::$kind> for LedgerFault {
            fn from(error: redb::$kind) -> Self {
                redb::Error::from(error).into()
            }
        }
    )*};
}
from_redb!(
    DatabaseError,
    TransactionError,
    TableError,
    StorageError,
    CommitError
);

type Result<T> = std::result::Result<T, LedgerFault>;

/// What a ledger says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct LedgerSummary {
    /// The version of what its tables hold.
    pub schema: u128,
    /// Hard links that it knows.
    pub names: u64,
    /// Symbolic links and copies that it knows.
    pub fallbacks: u64,
    /// Files whose names the user deleted from the view, and that stay away.
    pub remembered: u64,
    /// Whether the last update came to its end; what one that did not has left undone is done by the next.
    pub complete: bool,
    /// Whether the directory that has the view's path is the one that it was written for. `None` where there is no such
    /// directory, or it was written for none.
    pub of_view: Option<bool>,
}

/// Refuses tables that another version of polylink reads otherwise.
fn known_schema(meta: &redb::ReadOnlyTable<&'static str, u128>) -> Result<()> {
    match meta.get("schema")?.map(|value| value.value()) {
        Some(SCHEMA) => Ok(()),
        Some(other) => Err(LedgerFault::Newer(other)),
        None => Err(LedgerFault::Record),
    }
}

/// An open ledger. It is locked against other processes until it is dropped.
pub struct Ledger {
    /// `None` where there is none yet.
    db: Option<Database>,
    path: PathBuf,
    beside_view: bool,
    /// Where to make it when there is something to write, the first place that can be written; each with whether it
    /// is beside the view. Empty where it exists, and in a dry run.
    make_at: Vec<(PathBuf, bool)>,
    commits_left: Option<u64>,
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Ledger {
    /// A ledger in memory, for tests and for views on file systems that are themselves in memory.
    ///
    /// # Errors
    ///
    /// [`Error::Ledger`] where the memory does not suffice.
    pub fn in_memory() -> std::result::Result<Self, Error> {
        let path = PathBuf::from("(memory)");
        let made = Builder::new()
            .create_with_backend(InMemoryBackend::new())
            .map_err(LedgerFault::from)
            .and_then(|db| Self::make_tables(&db).map(|()| db));
        match made {
            Ok(db) => Ok(Self {
                db: Some(db),
                path,
                beside_view: true,
                make_at: Vec::new(),
                commits_left: None,
            }),
            Err(error) => Err(Error::Ledger { path, fault: error }),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it lies beside the view, as it should, rather than in the user's state directory.
    #[must_use]
    pub fn is_beside_view(&self) -> bool {
        self.beside_view
    }

    /// For tests: refuses every commit after `n` more.
    #[doc(hidden)]
    pub fn stop_after(&mut self, n: Option<u64>) {
        self.commits_left = n;
    }

    /// For tests: the names that it knows, and the number of the file behind each.
    ///
    /// # Panics
    ///
    /// Where it cannot be read.
    #[doc(hidden)]
    #[must_use]
    pub fn rows(&self) -> Vec<(NameBuf, u128)> {
        let book = self.read().unwrap_or_else(|fault| panic!("{fault}"));
        let name = |row| Name::new(book.name(row)).to_buf();
        book.rows.iter().map(|row| (name(row), row.id)).collect()
    }

    /// What it says of itself; `None` where there is none yet. `view` is the view's directory, where that exists.
    ///
    /// # Errors
    ///
    /// [`Error::Ledger`] where it cannot be read.
    pub fn summary(&self, view: Option<&Stat>) -> std::result::Result<Option<LedgerSummary>, Error> {
        if self.db.is_none() {
            return Ok(None);
        }
        let book = self.read().map_err(|fault| self.named(fault))?;
        let of_view = view.zip(book.view).map(|(view, _)| book.is_of(view));
        Ok(Some(LedgerSummary {
            schema: SCHEMA,
            names: book.rows.len() as u64,
            fallbacks: book.fallbacks.len() as u64,
            remembered: book.remembered.len() as u64,
            complete: book.completed_run == book.last_run,
            of_view,
        }))
    }

    /// What it knows of fallbacks.
    ///
    /// # Errors
    ///
    /// [`Error::Ledger`] where it cannot be read.
    pub fn fallbacks(&self) -> std::result::Result<Vec<FallRow>, Error> {
        self.read()
            .map(|book| book.fallbacks)
            .map_err(|fault| self.named(fault))
    }

    /// Writes down fallbacks and forgets others, all or nothing, and on the disk when this returns.
    ///
    /// # Errors
    ///
    /// [`Error::Ledger`] where it cannot be written.
    pub fn note_fallbacks(&mut self, known: &[FallRow], gone: &[Vec<u8>]) -> std::result::Result<(), Error> {
        if known.is_empty() && gone.is_empty() {
            return Ok(());
        }
        let changed = self.change(|changes| {
            gone.iter().try_for_each(|name| changes.remove_fallback(name))?;
            known.iter().try_for_each(|row| changes.set_fallback(row))
        });
        changed.map_err(|fault| self.named(fault))
    }

    pub(crate) fn named(&self, fault: LedgerFault) -> Error {
        Error::Ledger {
            path: self.path.clone(),
            fault,
        }
    }

    fn open_file(path: &Path) -> Result<Database> {
        shadow::verify(path)?;
        let db = Builder::new().set_cache_size(CACHE_BYTES).open(path)?;
        // a kill while it was made may have left this further name of it, nothing more
        let half_made = place::half_made(path);
        if std::fs::symlink_metadata(&half_made).is_ok() {
            std::fs::remove_file(&half_made).map_err(LedgerFault::Io)?;
        }
        Ok(db)
    }

    /// Makes the file under another name first, so that a kill leaves no half-made ledger under its own.
    fn create_file(path: &Path) -> Result<Database> {
        let new = place::half_made(path);
        let create = || Ok::<_, LedgerFault>(Builder::new().set_cache_size(CACHE_BYTES).create(&new)?);
        let db = match create() {
            Err(LedgerFault::Damaged(_)) => {
                // what a kill left half-made
                std::fs::remove_file(&new).map_err(LedgerFault::Io)?;
                create()?
            }
            created => created?,
        };
        let published = Self::make_tables(&db).and_then(|()| {
            // a link never replaces: somebody else may have made the ledger meanwhile
            match std::fs::hard_link(&new, path) {
                Ok(()) => Ok(()),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(LedgerFault::Busy),
                Err(_) => std::fs::rename(&new, path).map_err(LedgerFault::Io),
            }
        });
        // Windows before 10 (and Wine) keeps a deleted name while a handle that was opened by it is: so it is closed,
        // and opened anew by its own name; who takes it in between has it, and we are told that it is busy
        let db = if cfg!(windows) {
            drop(db);
            None
        } else {
            Some(db)
        };
        // OK to ignore: it is gone already where it was renamed
        drop(std::fs::remove_file(&new));
        published?;
        match db {
            Some(db) => Ok(db),
            None => Ok(Builder::new().set_cache_size(CACHE_BYTES).open(path)?),
        }
    }

    fn make_tables(db: &Database) -> Result<()> {
        let write = db.begin_write()?;
        write.open_table(META)?.insert("schema", SCHEMA)?;
        write.open_table(DIRS)?;
        write.open_table(NAMES)?;
        write.open_table(REMEMBERED)?;
        Ok(write.commit()?)
    }

    /// A copy in memory, for a dry run: even the repair after a kill must not touch the file.
    fn copy_to_memory(path: &Path) -> Result<Database> {
        // the lock tells whether somebody writes to it at this moment
        if let Err(DatabaseError::DatabaseAlreadyOpen) = Builder::new().open_read_only(path) {
            return Err(LedgerFault::Busy);
        }
        let bytes = std::fs::read(path).map_err(LedgerFault::Io)?;
        if bytes.is_empty() {
            return Err(LedgerFault::Record); // redb would make a new one of it
        }
        let memory = InMemoryBackend::new();
        memory.set_len(bytes.len() as u64).map_err(LedgerFault::Io)?;
        memory.write(0, &bytes).map_err(LedgerFault::Io)?;
        Ok(shadow::checking().create_with_backend(memory)?)
    }

    /// Everything in it.
    pub(crate) fn read(&self) -> Result<Book> {
        let mut book = Book::default();
        let Some(db) = &self.db else { return Ok(book) };
        let read = db.begin_read()?;
        let meta = read.open_table(META)?;
        let value = |key: &str| Ok::<_, LedgerFault>(meta.get(key)?.map(|value| value.value()));
        known_schema(&meta)?;
        let run = |value: Option<u128>| u32::try_from(value.unwrap_or(0)).map_err(|_| LedgerFault::Record);
        book.last_run = run(value("last run")?)?;
        book.completed_run = run(value("completed run")?)?;
        book.view = match (value("view id")?, value("view born")?) {
            (Some(id), Some(born)) => Some((id, born.cast_signed())),
            _ => None,
        };
        for entry in read.open_table(DIRS)?.iter()? {
            let (number, path) = entry?;
            book.add_dir(number.value(), path.value());
        }
        for entry in read.open_table(NAMES)?.iter()? {
            let (name, row) = entry?;
            book.add_row(name.value(), row.value())?;
        }
        for entry in read.open_table(REMEMBERED)?.iter()? {
            let (id, value) = entry?;
            book.add_remembered(id.value(), value.value())?;
        }
        match read.open_table(FALLBACKS) {
            Ok(table) => {
                for entry in table.iter()? {
                    let (name, row) = entry?;
                    book.fallbacks.push(book::fallback(name.value(), row.value())?);
                }
            }
            // a ledger of a version that knew none
            Err(redb::TableError::TableDoesNotExist(_)) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(book)
    }

    /// Changes it, all or nothing, and on the disk when this returns.
    pub(crate) fn change(&mut self, changes: impl FnOnce(&mut Changes<'_>) -> Result<()>) -> Result<()> {
        if !self.make_at.is_empty() {
            self.make()?;
        }
        let Some(db) = &self.db else { return Ok(()) };
        match &mut self.commits_left {
            Some(0) => return Err(LedgerFault::Stopped),
            Some(left) => *left -= 1,
            None => {}
        }
        let write = db.begin_write()?;
        {
            let mut open = Changes {
                meta: write.open_table(META)?,
                dirs: write.open_table(DIRS)?,
                names: write.open_table(NAMES)?,
                remembered: write.open_table(REMEMBERED)?,
                fallbacks: write.open_table(FALLBACKS)?,
                buffer: Vec::new(),
            };
            changes(&mut open)?;
        }
        Ok(write.commit()?)
    }
}

/// One transaction.
pub(crate) struct Changes<'a> {
    meta: redb::Table<'a, &'static str, u128>,
    dirs: redb::Table<'a, u32, &'static [u8]>,
    names: redb::Table<'a, &'static [u8], &'static [u8]>,
    remembered: redb::Table<'a, u128, &'static [u8]>,
    fallbacks: redb::Table<'a, &'static [u8], &'static [u8]>,
    buffer: Vec<u8>,
}

impl Changes<'_> {
    pub(crate) fn begin_run(&mut self, run: u32) -> Result<()> {
        self.meta.insert("last run", u128::from(run))?;
        Ok(())
    }

    pub(crate) fn complete_run(&mut self, run: u32) -> Result<()> {
        self.meta.insert("completed run", u128::from(run))?;
        Ok(())
    }

    pub(crate) fn set_view(&mut self, id: u128, born: i128) -> Result<()> {
        self.meta.insert("view id", id)?;
        self.meta.insert("view born", born.cast_unsigned())?;
        Ok(())
    }

    pub(crate) fn set_dir(&mut self, number: u32, path: &[u8]) -> Result<()> {
        self.dirs.insert(number, path)?;
        Ok(())
    }

    pub(crate) fn remove_dir(&mut self, number: u32) -> Result<()> {
        self.dirs.remove(number)?;
        Ok(())
    }

    pub(crate) fn set_row(&mut self, name: &[u8], row: &Row, source_name: &[u8]) -> Result<()> {
        self.put_row(name, row, source_name, None)
    }

    /// Writes ahead that the name will lead to another file; until the row is written again, it may lead to either.
    pub(crate) fn announce(&mut self, name: &[u8], row: &Row, source_name: &[u8], next: Next) -> Result<()> {
        self.put_row(name, row, source_name, Some(next))
    }

    fn put_row(&mut self, name: &[u8], row: &Row, source_name: &[u8], next: Option<Next>) -> Result<()> {
        self.buffer.clear();
        row.encode(name, source_name, next, &mut self.buffer);
        self.names.insert(name, self.buffer.as_slice())?;
        Ok(())
    }

    pub(crate) fn remove_row(&mut self, name: &[u8]) -> Result<()> {
        self.names.remove(name)?;
        Ok(())
    }

    pub(crate) fn set_fallback(&mut self, row: &FallRow) -> Result<()> {
        self.fallbacks
            .insert(row.name.as_slice(), book::encode_fallback(row).as_slice())?;
        Ok(())
    }

    pub(crate) fn remove_fallback(&mut self, name: &[u8]) -> Result<()> {
        self.fallbacks.remove(name)?;
        Ok(())
    }

    pub(crate) fn remember(&mut self, id: u128, what: &Remembered) -> Result<()> {
        self.remembered.insert(id, what.encode().as_slice())?;
        Ok(())
    }

    pub(crate) fn forget(&mut self, id: u128) -> Result<()> {
        self.remembered.remove(id)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
