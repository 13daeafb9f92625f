//! [`LinkFs`] on a volume: views, usage and searches run on an image as they do on a mounted file system.

mod content;
mod paths;
mod rows;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use polylink_core::{
    At, CaseRule, Dir, DirBatch, DirIds, Existing, Fault, FaultKind, FileId, FsResult, HardLinks, Kind,
    LinkFs, More, NameRules, Stat, VolumeInfo,
};
use polylink_nt::NtStatus;
use polylink_nt::name::{units_of_wtf8, wtf8_of_units};

use crate::catalog::{Catalog, FileIndex, FileKind, FileRow, NameRow};
use crate::circle::Circle;
use crate::error::{Error, Result};
use crate::file::{File, FileName, Reparse, fits};
use crate::index::{Entry, Index};
use crate::layout::attribute::AttributeKind;
use crate::units::{FileReference, RecordNumber};
use crate::volume::{OpenOptions, Volume};
use crate::write::{DirectoryEntry, LINK_LIMIT, Replace, Writer};

/// `FILE_ATTRIBUTE_REPARSE_POINT`.
const REPARSE: u32 = 0x400;
/// Entries in a batch.
const BATCH: usize = 8192;

/// A volume as a file system, to be read.
///
/// With a [`Catalog`] everything is answered from memory, which is what whoever visits most of the volume wants;
/// without one each question reads what it needs. Names without a directory that leads to them do not appear, nor do
/// the system files in the root directory; 8.3 names are no names of their own.
#[derive(Debug)]
pub struct VolumeFs {
    volume: Arc<Volume>,
    catalog: Option<Catalog>,
    free: OnceLock<Option<u64>>,
    writer: Option<Arc<Writing>>,
}

/// Whoever changes the volume while it is read.
#[derive(Debug)]
struct Writing {
    writer: Arc<Writer>,
    /// How often the table had grown when it was last looked for.
    generation: AtomicU64,
}

/// What stands behind a [`Dir`] here.
#[derive(Debug)]
struct OpenDir {
    reference: FileReference,
    /// Entries that are still to be handed over; `None` before the first batch.
    pending: Mutex<Option<Vec<Found>>>,
    /// With a catalog: its names, once one is asked for. The catalog has no order by name.
    names: OnceLock<HashMap<Vec<u8>, FileReference>>,
}

/// One entry of a directory, wherever it came from.
#[derive(Debug)]
struct Found {
    name: Vec<u8>,
    reference: FileReference,
    kind: Kind,
}

fn fault(error: Error) -> Fault {
    Fault::from(&error)
}

impl VolumeFs {
    /// Reads from the volume what is asked for.
    #[must_use]
    pub fn new(volume: Arc<Volume>) -> Self {
        Self {
            volume,
            catalog: None,
            free: OnceLock::new(),
            writer: None,
        }
    }

    /// A volume that is changed through this file system. What is done is seen at once, and safe after
    /// [`LinkFs::sync`]; whoever is done calls [`Writer::close`].
    ///
    /// # Errors
    ///
    /// As [`Volume::open`].
    pub fn writing(writer: Arc<Writer>) -> Result<Self> {
        let volume = Volume::open(Box::new(writer.clone()), &OpenOptions::default())?;
        let generation = AtomicU64::new(writer.generation());
        Ok(Self {
            writer: Some(Arc::new(Writing { writer, generation })),
            ..Self::new(Arc::new(volume))
        })
    }

    /// Sees to it that records which are new can be read.
    fn keep_up(&self) -> FsResult<()> {
        if let Some(Writing { writer, generation }) = self.writer.as_deref() {
            let now = writer.generation();
            if generation.swap(now, Ordering::Relaxed) != now {
                self.volume.refresh().map_err(fault)?;
            }
        }
        Ok(())
    }

    fn writer(&self) -> FsResult<&Writer> {
        let writing = self.writer.as_ref().ok_or(NtStatus::MEDIA_WRITE_PROTECTED)?;
        Ok(&writing.writer)
    }

    /// Whether a name of a file is gone that its record still has.
    fn is_gone(&self, directory: FileReference, name: &[u16]) -> bool {
        let writing = self.writer.as_ref();
        writing.is_some_and(|writing| writing.writer.is_hidden(directory.record(), name))
    }

    /// Whether another file has a name in the place of this one, and the record still has it.
    fn is_replaced(&self, file: FileReference, name: &FileName) -> bool {
        let writing = self.writer.as_ref();
        writing.is_some_and(|writing| writing.writer.is_replaced(file.record(), name))
    }

    /// Names of a file that are gone and that its record still has.
    fn leaving(&self, file: FileReference) -> u64 {
        let writing = self.writer.as_ref();
        writing.map_or(0, |writing| u64::from(writing.writer.leaving(file.record())))
    }

    /// A directory and a name in it, as the writer wants them.
    fn place(&self, at: &At<'_>) -> FsResult<(FileReference, Vec<u16>)> {
        let dir: &OpenDir = at.dir.handle()?;
        let name = units_of_wtf8(at.name.bytes()).ok_or(NtStatus::OBJECT_NAME_INVALID)?;
        Ok((dir.reference, name))
    }

    /// Reads the whole table first, and answers from memory.
    ///
    /// # Errors
    ///
    /// As [`Catalog::read`].
    pub fn with_catalog(volume: Arc<Volume>) -> Result<Self> {
        let catalog = Catalog::read(&volume)?;
        Ok(Self {
            catalog: Some(catalog),
            ..Self::new(volume)
        })
    }

    /// The volume.
    #[must_use]
    pub fn volume(&self) -> &Volume {
        &self.volume
    }

    /// The catalog, where it has one.
    #[must_use]
    pub fn catalog(&self) -> Option<&Catalog> {
        self.catalog.as_ref()
    }

    /// The file that a path inside the volume leads to, system files as well; `/` separates, links are not followed.
    /// Names are compared by the rule of each directory: case counts in those that are marked as case-sensitive.
    ///
    /// # Errors
    ///
    /// `OBJECT_PATH_NOT_FOUND` where a directory on the way is missing or none, `OBJECT_NAME_NOT_FOUND` for the last.
    pub fn find(&self, path: &Path) -> FsResult<FileReference> {
        let mut at = self.root()?;
        let mut parts = paths::components(path)?.into_iter().peekable();
        while let Some(name) = parts.next() {
            let entry = self.entry(at, &name);
            at = match entry {
                Err(missing) if missing.kind() == FaultKind::NotFound && parts.peek().is_some() => {
                    return Err(NtStatus::OBJECT_PATH_NOT_FOUND.into());
                }
                found => found?.reference,
            };
        }
        Ok(at)
    }

    fn root(&self) -> FsResult<FileReference> {
        let record = match &self.catalog {
            Some(catalog) => catalog
                .find(RecordNumber::ROOT)
                .and_then(|index| catalog.file(index))
                .map(|row| row.reference),
            None => None,
        };
        match record {
            Some(reference) => Ok(reference),
            None => Ok(self.volume.file(RecordNumber::ROOT).map_err(fault)?.reference()),
        }
    }

    fn id(&self, reference: FileReference) -> FileId {
        FileId {
            volume: self.volume.geometry().map_or(0, |geometry| geometry.serial),
            id: u128::from(reference.0),
        }
    }

    /// The file behind a reference, read and its sequence number compared.
    fn file(&self, reference: FileReference) -> FsResult<File> {
        self.keep_up()?;
        let file = self.volume.file(reference.record()).map_err(fault)?;
        if !fits(reference, file.reference().sequence()) {
            return Err(NtStatus::FILE_DELETED.into());
        }
        Ok(file)
    }

    fn index_of(catalog: &Catalog, reference: FileReference) -> FsResult<(FileIndex, FileRow)> {
        catalog
            .resolve(reference)
            .and_then(|index| Some((index, catalog.file(index)?)))
            .ok_or_else(|| NtStatus::FILE_DELETED.into())
    }

    /// Whether names in a directory are different that differ in case only.
    fn minds_case(&self, directory: FileReference) -> FsResult<bool> {
        Ok(match &self.catalog {
            Some(catalog) => Self::index_of(catalog, directory)?.1.case_sensitive,
            None => self.file(directory)?.is_case_sensitive(),
        })
    }

    /// The entry of a name in a directory, where it is to be seen.
    fn child(&self, directory: FileReference, name: &[u8]) -> FsResult<Found> {
        let found = self.entry(directory, name)?;
        if directory.record() == RecordNumber::ROOT && is_system(&found) {
            return Err(NtStatus::OBJECT_NAME_NOT_FOUND.into());
        }
        Ok(found)
    }

    /// The entry of a name in a directory.
    fn entry(&self, directory: FileReference, name: &[u8]) -> FsResult<Found> {
        let missing = || Fault::from(NtStatus::OBJECT_NAME_NOT_FOUND);
        let units = units_of_wtf8(name).ok_or_else(|| Fault::from(NtStatus::OBJECT_NAME_INVALID))?;
        match &self.catalog {
            Some(catalog) => {
                let (index, row) = Self::index_of(catalog, directory)?;
                if row.kind != FileKind::Directory {
                    return Err(NtStatus::NOT_A_DIRECTORY.into());
                }
                let minds_case = row.case_sensitive;
                let upcase = self.volume.upcase();
                let mut best: Option<(Vec<u16>, NameRow<'_>)> = None;
                for row in catalog.children(index) {
                    if row.name == name {
                        best = Some((Vec::new(), row));
                        break;
                    }
                    if minds_case {
                        continue;
                    }
                    // of several, the one that comes first in the index
                    let other = units_of_wtf8(row.name).filter(|other| upcase.same(other, &units));
                    if let Some(other) = other
                        && best.as_ref().is_none_or(|(first, _)| other < *first)
                    {
                        best = Some((other, row));
                    }
                }
                let (_, row) = best.ok_or_else(missing)?;
                found_in_catalog(catalog, &row).ok_or_else(missing)
            }
            None if self.writer.is_some() => {
                // it has most of what is asked for in memory
                let entry = self.writer()?.look_up(directory, &units).map_err(fault)?;
                let entry = entry.ok_or_else(missing)?;
                let is_directory = entry.is_directory;
                Ok(Found {
                    name: wtf8_of_units(&entry.name),
                    reference: entry.file,
                    // of links only the file knows
                    kind: if is_directory {
                        Kind::Directory
                    } else {
                        Kind::Unknown
                    },
                })
            }
            None => {
                let file = self.file(directory)?;
                if !file.is_directory() {
                    return Err(NtStatus::NOT_A_DIRECTORY.into());
                }
                let index = Index::open(&self.volume, &file).map_err(fault)?;
                let entry = index
                    .find(&units, index.case())
                    .map_err(fault)?
                    .ok_or_else(missing)?;
                Ok(found_in_index(entry))
            }
        }
    }

    fn entries(&self, directory: FileReference) -> FsResult<Vec<Found>> {
        let mut found = Vec::new();
        match &self.catalog {
            Some(catalog) => {
                let (index, _) = Self::index_of(catalog, directory)?;
                found.extend(
                    catalog
                        .children(index)
                        .filter(NameRow::is_link)
                        .filter_map(|row| found_in_catalog(catalog, &row)),
                );
            }
            None => {
                let file = self.file(directory)?;
                let index = Index::open(&self.volume, &file).map_err(fault)?;
                let gone = match &self.writer {
                    Some(writing) => writing.writer.hidden_in(directory.record()),
                    None => HashSet::new(),
                };
                index
                    .walk(&mut |entry| {
                        if entry.name.is_link() && !gone.contains(&entry.name.name) {
                            found.push(found_in_index(entry));
                        }
                    })
                    .map_err(fault)?;
            }
        }
        if directory.record() == RecordNumber::ROOT {
            found.retain(|entry| !is_system(entry));
        }
        Ok(found)
    }

    fn stat_of(&self, reference: FileReference) -> FsResult<Stat> {
        if let Some(catalog) = &self.catalog {
            let (index, row) = Self::index_of(catalog, reference)?;
            return Ok(Stat {
                id: self.id(row.reference),
                kind: kind_of_row(row.kind),
                links: u64::from(row.links),
                size: row.size,
                allocated: row.allocated.saturating_add(catalog.streams_allocated(index)),
                modified: unix_time(row.modified),
                changed: None, // a program may set it
                born: Some(unix_time(row.created)),
                owner: None,
                mode: None,
                mount: None,
            });
        }
        let (row, streams) = self.read_row(reference).map_err(fault)?;
        Ok(self.stat_of_row(&row, streams, self.leaving(row.reference)))
    }

    fn stat_of_row(&self, row: &FileRow, streams: u64, leaving: u64) -> Stat {
        Stat {
            id: self.id(row.reference),
            kind: kind_of_row(row.kind),
            links: u64::from(row.links).saturating_sub(leaving),
            size: row.size,
            allocated: row.allocated.saturating_add(streams),
            modified: unix_time(row.modified),
            changed: None,
            born: Some(unix_time(row.created)),
            owner: None,
            mode: None,
            mount: None,
        }
    }

    /// The file of a name, as the writer has it in memory.
    fn stat_by(&self, writer: &Writer, at: &At<'_>) -> FsResult<Stat> {
        let (directory, name) = self.place(at)?;
        let found = writer.look_at(directory, &name).map_err(fault)?;
        let found = found.filter(|found| !is_volumes_own(directory, &found.entry));
        let found = found.ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?;
        let reference = found.entry.file;
        if found.record.is_empty() {
            return self.stat_of(reference);
        }
        let (row, streams) = match rows::plain(&self.volume, reference, &found.record) {
            Some(row) => (row, 0),
            None => File::of(&self.volume, reference.record(), found.record)
                .and_then(|file| self.row_of(reference, &file))
                .map_err(fault)?,
        };
        Ok(self.stat_of_row(&row, streams, u64::from(found.leaving)))
    }

    /// What a symbolic link or a junction leads to, as it is written there; `None` for what is no link.
    ///
    /// # Errors
    ///
    /// Where the file or its reparse point is damaged.
    pub fn target(&self, reference: FileReference) -> Result<Option<Vec<u16>>> {
        let file = self.volume.file(reference.record())?;
        let Some(stream) = file.stream(&self.volume, AttributeKind::REPARSE_POINT, &[])? else {
            return Ok(None);
        };
        Ok(match Reparse::read(&self.volume, &stream)? {
            Reparse::Symlink { target, print, .. } | Reparse::Junction { target, print } => {
                Some(if print.is_empty() { target } else { print })
            }
            _ => None,
        })
    }

    fn open(&self, reference: FileReference) -> FsResult<Dir> {
        let stat = self.stat_of(reference)?;
        match stat.kind {
            Kind::Directory => Ok(Dir::new(OpenDir {
                reference,
                pending: Mutex::new(None),
                names: OnceLock::new(),
            })),
            Kind::Symlink => Err(FaultKind::SymlinkMet.into()),
            _ => Err(NtStatus::NOT_A_DIRECTORY.into()),
        }
    }

    fn at(&self, at: At<'_>) -> FsResult<FileReference> {
        let dir: &OpenDir = at.dir.handle()?;
        let name = at.name.bytes();
        if self.catalog.is_some() {
            let names = match dir.names.get() {
                Some(names) => names,
                None => {
                    let entries = self.entries(dir.reference)?.into_iter();
                    let names = entries.map(|entry| (entry.name, entry.reference)).collect();
                    dir.names.get_or_init(|| names)
                }
            };
            if let Some(&reference) = names.get(name) {
                return Ok(reference);
            }
        }
        // in other case, or an 8.3 name
        Ok(self.child(dir.reference, name)?.reference)
    }

    /// The absolute paths of a file's names, 8.3 names not counted; of a directory its one.
    ///
    /// # Errors
    ///
    /// Where one of the directories above cannot be read.
    pub fn paths_of(&self, reference: FileReference) -> FsResult<Vec<PathBuf>> {
        if let Some(catalog) = &self.catalog {
            let (index, _) = Self::index_of(catalog, reference)?;
            let mut paths = Vec::new();
            for row in catalog.names_of(index).filter(NameRow::is_link) {
                // a name that no directory leads to is no name
                if let Some(path) = catalog.path_of(&row) {
                    paths.push(paths::path(&path)?);
                }
            }
            return Ok(paths);
        }
        let file = self.file(reference)?;
        let mut found = Vec::new();
        for name in file.names().map_err(fault)?.iter().filter(|name| name.is_link()) {
            if self.is_gone(name.parent, &name.name) || self.is_replaced(reference, name) {
                continue;
            }
            if let Some(path) = self.path_of(name)? {
                found.push(paths::path(&path)?);
            }
        }
        Ok(found)
    }

    fn path_of(&self, name: &FileName) -> FsResult<Option<Vec<u8>>> {
        let mut parts = vec![wtf8_of_units(&name.name)];
        let mut parent = name.parent;
        let mut circle = Circle::new();
        for _ in 0..paths::DEEPEST {
            if circle.closes_at(parent.record()) {
                return Ok(None);
            }
            let directory = match self.file(parent) {
                Ok(directory) => directory,
                Err(fault) if fault.symbol() == "STATUS_FILE_DELETED" => return Ok(None),
                Err(fault) => return Err(fault),
            };
            if parent.record() == RecordNumber::ROOT {
                let mut path = Vec::new();
                for part in parts.iter().rev() {
                    path.push(b'/');
                    path.extend_from_slice(part);
                }
                return Ok(Some(path));
            }
            let names = directory.names().map_err(fault)?;
            let above = names
                .into_iter()
                .find(|name| name.is_link() && !self.is_gone(name.parent, &name.name));
            let Some(above) = above else {
                return Ok(None);
            };
            parts.push(wtf8_of_units(&above.name));
            parent = above.parent;
        }
        Ok(None)
    }

    /// Bytes not in use, as `$Bitmap` has it; `None` where that cannot be read.
    fn free_bytes(&self) -> Option<u64> {
        *self.free.get_or_init(|| {
            let geometry = self.volume.geometry()?;
            let used = self.volume.clusters_in_use().ok()?;
            geometry
                .clusters
                .checked_sub(used)?
                .checked_mul(u64::from(geometry.cluster))
        })
    }
}

impl LinkFs for VolumeFs {
    fn open_dir(&self, path: &Path) -> FsResult<Dir> {
        self.open(self.find(path)?)
    }

    fn open_child(&self, at: At<'_>) -> FsResult<Dir> {
        self.open(self.at(at)?)
    }

    fn read_dir(&self, dir: &Dir, batch: &mut DirBatch) -> FsResult<More> {
        let open: &OpenDir = dir.handle()?;
        let mut pending = open.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entries = match pending.take() {
            Some(entries) => entries,
            None => {
                let mut entries = self.entries(open.reference)?;
                // handed over from the end
                entries.reverse();
                entries
            }
        };
        batch.start(self.id(open.reference).volume, DirIds::Trusted);
        let rest = entries.len().saturating_sub(BATCH);
        for entry in entries.drain(rest..).rev() {
            batch.push(&entry.name, entry.kind, u128::from(entry.reference.0));
        }
        if entries.is_empty() {
            return Ok(More::No);
        }
        *pending = Some(entries);
        Ok(More::Yes)
    }

    fn stat(&self, at: At<'_>) -> FsResult<Stat> {
        match self.writer.as_deref() {
            // under one lock, from what it has in memory
            Some(writing) => self.stat_by(&writing.writer, &at),
            None => self.stat_of(self.at(at)?),
        }
    }

    fn stat_dir(&self, dir: &Dir) -> FsResult<Stat> {
        self.stat_of(dir.handle::<OpenDir>()?.reference)
    }

    fn link(&self, existing: At<'_>, new: At<'_>) -> FsResult<()> {
        let writer = self.writer()?;
        let (directory, old_name) = self.place(&existing)?;
        let (parent, name) = match self.place(&new) {
            Ok(place) => place,
            // what is wrong with the existing name comes first
            Err(fault) => return self.at(existing).and(Err(fault)),
        };
        writer
            .link_named((directory, &old_name), (parent, &name), |entry| {
                is_volumes_own(directory, entry)
            })
            .map_err(fault)
    }

    fn rename(&self, old: At<'_>, new: At<'_>, on: Existing) -> FsResult<()> {
        let writer = self.writer()?;
        let (old_parent, old_name) = self.place(&old)?;
        let (new_parent, new_name) = self.place(&new)?;
        let replace = match on {
            Existing::Keep => Replace::Never,
            Existing::Replace => Replace::File,
        };
        writer
            .rename((old_parent, &old_name), (new_parent, &new_name), replace)
            .map_err(fault)
    }

    fn unlink(&self, at: At<'_>) -> FsResult<()> {
        let writer = self.writer()?;
        let (parent, name) = self.place(&at)?;
        writer.unlink(parent, &name).map(|_| ()).map_err(fault)
    }

    fn make_dir(&self, at: At<'_>) -> FsResult<()> {
        let writer = self.writer()?;
        let (parent, name) = self.place(&at)?;
        writer.make_directory(parent, &name).map(|_| ()).map_err(fault)
    }

    fn sync(&self, _dir: &Dir) -> FsResult<()> {
        match &self.writer {
            Some(writing) => writing.writer.sync().map_err(fault),
            None => Ok(()),
        }
    }

    fn names_of(&self, at: At<'_>) -> FsResult<Option<Vec<PathBuf>>> {
        self.paths_of(self.at(at)?).map(Some)
    }

    fn volume(&self, dir: &Dir) -> FsResult<VolumeInfo> {
        let names = if self.minds_case(dir.handle::<OpenDir>()?.reference)? {
            NameRules {
                case: CaseRule::Sensitive,
                ..NameRules::NT
            }
        } else {
            NameRules::NT
        };
        let geometry = self.volume.geometry();
        let free = match &self.writer {
            Some(writing) => Some(writing.writer.free_bytes().map_err(fault)?),
            None => self.free_bytes(),
        };
        Ok(VolumeInfo {
            volume: geometry.map_or(0, |geometry| geometry.serial),
            kind: "NTFS".to_owned(),
            total: geometry.map(|geometry| geometry.size),
            free,
            available: free,
            link_limit: Some(match &self.writer {
                Some(writing) => u64::from(writing.writer.max_links()),
                None => u64::from(LINK_LIMIT),
            }),
            hard_links: HardLinks::Yes,
            names,
            dir_ids: DirIds::Trusted,
            read_only: self.writer.is_none(),
        })
    }

    fn takes_turns(&self) -> bool {
        self.writer.is_some()
    }
}

/// The files that make up the volume itself, which nobody lists: those of the reserved records, but for the root.
fn is_system(entry: &Found) -> bool {
    let record = entry.reference.record();
    record.is_own_file(&entry.name) || record == RecordNumber::ROOT
}

/// Whether an entry of a directory leads to one of those files.
fn is_volumes_own(directory: FileReference, entry: &DirectoryEntry) -> bool {
    directory.record() == RecordNumber::ROOT
        && is_system(&Found {
            name: wtf8_of_units(&entry.name),
            reference: entry.file,
            kind: Kind::Unknown,
        })
}

fn found_in_catalog(catalog: &Catalog, row: &NameRow<'_>) -> Option<Found> {
    let file = catalog.file(row.file)?;
    Some(Found {
        name: row.name.to_vec(),
        reference: file.reference,
        kind: kind_of_row(file.kind),
    })
}

fn found_in_index(entry: Entry) -> Found {
    let (attributes, tag) = (entry.name.attributes, entry.name.ea_or_tag);
    let kind = if attributes & REPARSE != 0 && Reparse::is_link_tag(tag) {
        Kind::Symlink
    } else if attributes & REPARSE != 0 && tag == 0 {
        // the tag was not written here: only the file knows
        Kind::Unknown
    } else if attributes & FileName::DIRECTORY != 0 {
        Kind::Directory
    } else {
        Kind::File
    };
    Found {
        name: wtf8_of_units(&entry.name.name),
        reference: entry.file,
        kind,
    }
}

fn kind_of_row(kind: FileKind) -> Kind {
    match kind {
        FileKind::File => Kind::File,
        FileKind::Directory => Kind::Directory,
        FileKind::Link => Kind::Symlink,
    }
}

/// 100 ns since 1601 as nanoseconds since 1970.
#[must_use]
pub(crate) fn unix_time(time: u64) -> i128 {
    /// 1970, in 100 ns since 1601.
    const EPOCH: i128 = 116_444_736_000_000_000;
    i128::from(time).saturating_sub(EPOCH).saturating_mul(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_count_from_1601() {
        assert_eq!(unix_time(116_444_736_000_000_000), 0);
        assert_eq!(unix_time(116_444_736_000_000_001), 100);
        assert_eq!(unix_time(0), -11_644_473_600_000_000_000);
    }

    #[test]
    fn names_of_the_volume_itself_are_not_listed() {
        let entry = |record, name: &str| Found {
            name: name.into(),
            reference: FileReference::new(RecordNumber(record), 1),
            kind: Kind::File,
        };
        assert!(is_system(&entry(0, "$MFT")));
        assert!(is_system(&entry(5, ".")));
        assert!(!is_system(&entry(64, "$MFT")));
    }
}
