//! Open directories: how they are opened, and how they are read.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError, RwLock};

use polylink_core::{Dir, DirBatch, DirIds, Fault, FaultKind, FileId, FsResult, Kind, More, Name};
use polylink_nt::NtStatus;
use polylink_nt::name::wtf8_of_units;
use windows_sys::Wdk::Storage::FileSystem::{
    FILE_DIRECTORY_FILE, FILE_OPEN, FILE_OPEN_FOR_BACKUP_INTENT, FileFullDirectoryInformation,
    FileIdBothDirectoryInformation, FileIdExtdDirectoryInformation,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ATTRIBUTE_REPARSE_POINT, FILE_LIST_DIRECTORY, FILE_READ_ATTRIBUTES,
};

use super::call::{File, Open, Restart, aligned, open, u32_at, u64_at, units};
use super::fault::{lacks_class, symlink_met};
use super::path::name_units;
use super::stat::{self, ITSELF, IdForm, open_units};
use super::volume::Device;

/// What stands behind a [`Dir`] here.
#[derive(Debug)]
pub(crate) struct HostDir {
    pub(super) file: File,
    pub(super) volume: u64,
    pub(super) ids: DirIds,
    pub(super) form: IdForm,
    longest_name: usize,
    reader: Reader,
    scan: Mutex<Scan>,
}

impl HostDir {
    /// The units of a name here. NT would refuse one that is too long as one that cannot exist, which says less.
    pub(super) fn units(&self, name: Name<'_>) -> FsResult<Vec<u16>> {
        let units = name_units(name)?;
        if units.len() > self.longest_name {
            let status = Fault::from(NtStatus::OBJECT_NAME_INVALID);
            return Err(Fault::new(FaultKind::NameTooLong, status.code(), status.symbol()));
        }
        Ok(units)
    }

    /// Opens what a name leads to, itself, with these rights.
    pub(super) fn open(&self, name: Name<'_>, access: u32, options: u32) -> FsResult<File> {
        Ok(open_units(&self.file, &self.units(name)?, access, options)?)
    }

    /// The id of an open file of this volume.
    pub(super) fn id(&self, file: &File) -> FsResult<FileId> {
        stat::id(file, self.volume, self.form)
    }
}

/// How far the reading of a directory has come.
///
/// A further reading takes a handle of its own. Windows would begin anew on the same one, but Wine gives what the first
/// reading found, as long as the handle is open.
#[derive(Debug)]
enum Scan {
    /// Never read: the directory's own handle will do.
    New,
    /// Reading by the directory's own handle.
    Own,
    /// Reading by a handle that was opened for it.
    Other(File),
    /// Read to the end, or to an error.
    Over,
}

/// What is known of a volume once a directory of it was opened.
#[derive(Clone, Copy, Debug)]
struct Known {
    reader: Reader,
    ids: DirIds,
    longest_name: usize,
}

/// How directories of a volume are read.
#[derive(Clone, Copy, Debug)]
struct Reader {
    record: Record,
    /// How much one call may give, in bytes.
    at_once: usize,
}

/// A kind of directory record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Record {
    /// FILE_ID_EXTD_DIR_INFORMATION: ids of 128 bits (\[MS-FSCC\] 2.4.20).
    Extended,
    /// FILE_ID_BOTH_DIR_INFORMATION: ids of 64 bits (\[MS-FSCC\] 2.4.19).
    Both,
    /// FILE_FULL_DIR_INFORMATION: no ids (\[MS-FSCC\] 2.4.16).
    Full,
}

/// One entry of a directory, its name as the bytes of UTF-16 units.
#[derive(Clone, Copy, Debug)]
struct Entry<'a> {
    name: &'a [u8],
    kind: Kind,
    id: u128,
}

impl Record {
    const ALL: [Self; 3] = [Self::Extended, Self::Both, Self::Full];

    fn class(self) -> i32 {
        match self {
            Self::Extended => FileIdExtdDirectoryInformation,
            Self::Both => FileIdBothDirectoryInformation,
            Self::Full => FileFullDirectoryInformation,
        }
    }

    /// The entry at the beginning of `bytes`, and where the next one begins, 0 after the last. `None` where it does
    /// not hold together.
    ///
    /// All begin alike: NextEntryOffset u32 at 0, FileAttributes u32 at 56, FileNameLength u32 at 60 in bytes, EaSize
    /// u32 at 64, which is the tag of a reparse point.
    fn parse(self, bytes: &[u8]) -> Option<(Entry<'_>, usize)> {
        let next = usize::try_from(u32_at(bytes, 0)?).ok()?;
        let attributes = u32_at(bytes, 56)?;
        let len = usize::try_from(u32_at(bytes, 60)?).ok()?;
        let ea_size = u32_at(bytes, 64)?;
        let (tag, id, at) = match self {
            // EaSize at 64, ReparsePointTag at 68, FileId at 72, FileName at 88
            Self::Extended => {
                let (low, high) = (u64_at(bytes, 72)?, u64_at(bytes, 80)?);
                (u32_at(bytes, 68)?, u128::from(low) | u128::from(high) << 64, 88)
            }
            // ShortNameLength at 68, ShortName at 70, FileId at 96, FileName at 104
            Self::Both => (ea_size, u64_at(bytes, 96)?.into(), 104),
            Self::Full => (ea_size, 0, 68),
        };
        let name = bytes.get(at..)?.get(..len)?;
        let tag = if attributes & FILE_ATTRIBUTE_REPARSE_POINT == 0 {
            0
        } else {
            tag
        };
        let entry = Entry {
            name,
            kind: stat::kind(attributes, tag),
            id,
        };
        Some((entry, next))
    }
}

/// The entries in what one call gave, `.` and `..` among them.
fn entries(record: Record, bytes: &[u8]) -> impl Iterator<Item = FsResult<Entry<'_>>> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest.take()?;
        let Some((entry, next)) = record.parse(bytes) else {
            return Some(Err(NtStatus::FILE_CORRUPT_ERROR.into()));
        };
        if next != 0 {
            // behind the end there is nothing, which does not parse
            rest = Some(bytes.get(next..).unwrap_or_default());
        }
        Some(Ok(entry))
    })
}

const DOT: &[u8] = &[b'.', 0];
const DOTS: &[u8] = &[b'.', 0, b'.', 0];

/// Local, and over a network, which carries no more than 64 KiB.
const AT_ONCE: usize = 256 * 1024;
const AT_ONCE_REMOTE: usize = 64 * 1024;
/// A batch ends once it holds this many entries.
const BATCH: usize = 8192;
/// How many entries of a directory are looked at to learn whether its ids are those of the files.
const SAMPLES: usize = 16;

/// What is known of the volumes.
#[derive(Debug, Default)]
pub(super) struct Volumes(RwLock<HashMap<u64, Known>>);

impl Volumes {
    fn find(&self, volume: u64) -> Option<Known> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&volume)
            .copied()
    }

    /// Makes a handle of an open directory.
    fn wrap(&self, file: File) -> FsResult<Dir> {
        let (id, form) = stat::first_id(&file)?;
        let known = match self.find(id.volume) {
            Some(known) => known,
            None => {
                let (known, certain) = learn(&file, id, form)?;
                if certain {
                    self.0
                        .write()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert(id.volume, known);
                }
                known
            }
        };
        Ok(Dir::new(HostDir {
            file,
            volume: id.volume,
            ids: known.ids,
            form,
            longest_name: known.longest_name,
            reader: known.reader,
            scan: Mutex::new(Scan::New),
        }))
    }

    /// Opens a directory by a path in NT's form, links followed.
    pub(super) fn open_path(&self, path: &[u16]) -> FsResult<Dir> {
        self.wrap(open(
            None,
            path,
            Open {
                access: ACCESS,
                disposition: FILE_OPEN,
                options: FOLLOWING,
            },
        )?)
    }

    /// Opens a directory in a directory, through no link.
    pub(super) fn open_child(&self, dir: &HostDir, name: Name<'_>) -> FsResult<Dir> {
        let name = dir.units(name)?;
        let mut file = open_units(&dir.file, &name, ACCESS, ITSELF | FILE_DIRECTORY_FILE)?;
        let (attributes, tag) = stat::attributes_and_tag(&file)?;
        if attributes & FILE_ATTRIBUTE_REPARSE_POINT != 0 {
            if stat::kind(attributes, tag) != Kind::Directory {
                return Err(symlink_met());
            }
            // Its names may be kept elsewhere, and whoever brings them is passed over while the reparse point itself
            // is open. What is opened in its place must be the same directory.
            let itself = dir.id(&file)?;
            file = open_units(&dir.file, &name, ACCESS, FOLLOWING)?;
            if dir.id(&file)? != itself {
                return Err(symlink_met());
            }
        }
        self.wrap(file)
    }
}

const ACCESS: u32 = FILE_LIST_DIRECTORY | FILE_READ_ATTRIBUTES;
const FOLLOWING: u32 = FILE_DIRECTORY_FILE | FILE_OPEN_FOR_BACKUP_INTENT;

/// How directories of this volume are read, what their ids are worth, and whether that is certain.
///
/// Ids are trusted on NTFS and ReFS of this machine only, and even there an entry must have the id that its file has:
/// a file system may call itself what it is not.
fn learn(file: &File, dir: FileId, form: IdForm) -> FsResult<(Known, bool)> {
    let device = Device::of(file)?;
    let at_once = if device.remote { AT_ONCE_REMOTE } else { AT_ONCE };
    let mut buffer = vec![0; AT_ONCE_REMOTE + 8];
    let buffer = aligned(&mut buffer);
    let scanned = again(file)?;
    let mut refused = NtStatus::NOT_SUPPORTED;
    for record in Record::ALL {
        let filled = match scanned.query_directory(record.class(), Restart::Yes, buffer) {
            Ok(filled) => filled,
            Err(status) if is_end(status) => 0,
            Err(status) if lacks_class(status) => {
                refused = status;
                continue;
            }
            Err(status) => return Err(status.into()),
        };
        let reader = Reader { record, at_once };
        let (ids, certain) = if record == Record::Full || device.remote || !device.keeps_ids() {
            (DirIds::Untrusted, true)
        } else {
            match sample(file, dir, form, record, &buffer[..filled])? {
                Some(true) => (DirIds::Trusted, true),
                Some(false) => (DirIds::Untrusted, true),
                None => (DirIds::Untrusted, false),
            }
        };
        let known = Known {
            reader,
            ids,
            longest_name: device.longest_name,
        };
        return Ok((known, certain));
    }
    Err(refused.into())
}

/// Whether the first entry that can be opened has the id of its file; of an empty directory, its own entry. `None`
/// where there is nothing to compare.
fn sample(file: &File, dir: FileId, form: IdForm, record: Record, bytes: &[u8]) -> FsResult<Option<bool>> {
    let mut own = None;
    for entry in entries(record, bytes).take(SAMPLES) {
        let entry = entry?;
        if entry.name == DOT {
            own = Some(entry.id == dir.id);
        } else if entry.name != DOTS {
            let name = wtf8_of_units(&units(entry.name));
            let id = name_units(Name::new(&name))
                .and_then(|units| Ok(open_units(file, &units, FILE_READ_ATTRIBUTES, ITSELF)?))
                .and_then(|file| stat::id(&file, dir.volume, form));
            if let Ok(id) = id {
                return Ok(Some(id.id == entry.id));
            }
        }
    }
    Ok(own)
}

/// An empty root directory, which has not even `.`, is no such file.
fn is_end(status: NtStatus) -> bool {
    matches!(status, NtStatus::NO_MORE_FILES | NtStatus::NO_SUCH_FILE)
}

/// Opens a directory once more.
fn again(dir: &File) -> Result<File, NtStatus> {
    open_units(dir, &[], ACCESS, FOLLOWING)
}

pub(super) fn read(dir: &HostDir, batch: &mut DirBatch) -> FsResult<More> {
    batch.start(dir.volume, dir.ids);
    let mut scan = dir.scan.lock().unwrap_or_else(PoisonError::into_inner);
    let mut restart = Restart::No;
    if matches!(*scan, Scan::New | Scan::Over) {
        *scan = match *scan {
            Scan::New => Scan::Own,
            _ => Scan::Other(again(&dir.file)?),
        };
        restart = Restart::Yes;
    }
    let file = match &*scan {
        Scan::Other(file) => file,
        _ => &dir.file,
    };
    let mut buffer = std::mem::take(batch.scratch());
    buffer.resize(dir.reader.at_once + 8, 0);
    let more = fill(file, dir.reader.record, restart, batch, aligned(&mut buffer));
    *batch.scratch() = buffer;
    if !matches!(more, Ok(More::Yes)) {
        *scan = Scan::Over;
    }
    more
}

fn fill(
    file: &File,
    record: Record,
    mut restart: Restart,
    batch: &mut DirBatch,
    buffer: &mut [u8],
) -> FsResult<More> {
    while batch.len() < BATCH {
        let filled = match file.query_directory(record.class(), restart, buffer) {
            Ok(filled) => filled,
            Err(status) if is_end(status) => return Ok(More::No),
            Err(status) => return Err(status.into()),
        };
        restart = Restart::No;
        for entry in entries(record, &buffer[..filled]) {
            let entry = entry?;
            if entry.name != DOT && entry.name != DOTS {
                batch.push(&wtf8_of_units(&units(entry.name)), entry.kind, entry.id);
            }
        }
    }
    Ok(More::Yes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, next: u32, attributes: u32, tag: u32, id: u64) -> Vec<u8> {
        let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut bytes = vec![0; 104];
        bytes[..4].copy_from_slice(&next.to_le_bytes());
        bytes[56..60].copy_from_slice(&attributes.to_le_bytes());
        bytes[60..64].copy_from_slice(&u32::try_from(units.len()).unwrap().to_le_bytes());
        bytes[64..68].copy_from_slice(&tag.to_le_bytes());
        bytes[96..104].copy_from_slice(&id.to_le_bytes());
        bytes.extend(units);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    #[test]
    fn records_follow_each_other_by_their_offsets() {
        let mut bytes = record("a", 112, 0x20, 0, 7);
        bytes.extend(record("bcd", 0, 0x410, 0xA000_0003, 8));
        let found: Vec<_> = entries(Record::Both, &bytes).map(Result::unwrap).collect();
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].name, found[0].kind, found[0].id),
            (&b"a\0"[..], Kind::File, 7)
        );
        assert_eq!(
            (found[1].name, found[1].kind, found[1].id),
            (&b"b\0c\0d\0"[..], Kind::Symlink, 8)
        );
    }

    #[test]
    fn records_that_do_not_hold_together_are_an_error_and_not_an_end() {
        let short_name = {
            let mut bytes = record("a", 0, 0x20, 0, 7);
            bytes[60] = 200;
            bytes
        };
        for bytes in [record("a", 4000, 0x20, 0, 7), short_name, vec![0; 50], Vec::new()] {
            assert!(entries(Record::Both, &bytes).any(|entry| entry.is_err()));
            assert!(entries(Record::Both, &bytes).take(10).count() < 10);
        }
    }

    #[test]
    fn every_kind_of_record_tells_the_same_of_a_directory() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("d")).unwrap();
        for name in ["a", "a longer name", "日本"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let path = super::super::path::to_nt(folder.path()).unwrap();
        let dir = Volumes::default().open_path(&path).unwrap();
        let dir: &HostDir = dir.handle().unwrap();
        let read = |record| {
            let mut batch = DirBatch::new();
            let mut buffer = vec![0; AT_ONCE_REMOTE];
            let file = again(&dir.file).unwrap();
            let more = fill(&file, record, Restart::Yes, &mut batch, aligned(&mut buffer)).unwrap();
            assert_eq!(more, More::No);
            let mut found: Vec<_> = batch
                .iter()
                .map(|entry| (entry.name.to_buf(), entry.kind, entry.id.id))
                .collect();
            found.sort();
            found
        };
        let both = read(Record::Both);
        assert_eq!(both.len(), 4);
        for (name, kind, id) in &both {
            let file = dir.open(name.name(), FILE_READ_ATTRIBUTES, ITSELF).unwrap();
            assert_eq!(dir.id(&file).unwrap().id, *id);
            let is_directory = name.bytes() == b"d";
            assert_eq!(*kind == Kind::Directory, is_directory);
        }
        let full = read(Record::Full);
        let without_ids: Vec<_> = both
            .iter()
            .map(|(name, kind, _)| (name.clone(), *kind, 0))
            .collect();
        assert_eq!(full, without_ids);
        // Windows 7 has none of these
        if dir.reader.record == Record::Extended {
            assert_eq!(read(Record::Extended), both);
        }
    }
}
