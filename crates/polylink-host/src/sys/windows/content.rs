//! `FileFs` by the calls of NT: files opened, described, copied.

mod reparse;

use std::collections::BTreeMap;

use polylink_core::{
    At, Content, Copied, CopyHow, Dir, Fault, FaultKind, FileFs, FsResult, Kind, LinkFs as _, Lost, Metadata,
    Name, Reflink, Stat, part_name, remove_part,
};
use polylink_nt::NtStatus;
use polylink_nt::info::{DispositionFlags, InfoClass, LinkFlags};
use polylink_nt::name::{units_of_wtf8, wtf8_of_units};
use windows_sys::Wdk::Storage::FileSystem::{
    FILE_CREATE, FILE_DIRECTORY_FILE, FILE_NON_DIRECTORY_FILE, FILE_OPEN, FILE_OPEN_FOR_BACKUP_INTENT,
    FILE_OVERWRITE_IF, FileBasicInformation, FileEndOfFileInformation, FileStreamInformation,
};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_ATTRIBUTE_ARCHIVE, FILE_ATTRIBUTE_HIDDEN, FILE_ATTRIBUTE_NORMAL,
    FILE_ATTRIBUTE_NOT_CONTENT_INDEXED, FILE_ATTRIBUTE_OFFLINE, FILE_ATTRIBUTE_READONLY,
    FILE_ATTRIBUTE_REPARSE_POINT, FILE_ATTRIBUTE_SPARSE_FILE, FILE_ATTRIBUTE_SYSTEM,
    FILE_ATTRIBUTE_TEMPORARY, FILE_READ_ATTRIBUTES, FILE_READ_DATA, FILE_WRITE_ATTRIBUTES, FILE_WRITE_DATA,
    READ_CONTROL, WRITE_DAC,
};
use windows_sys::Win32::System::Ioctl::{FSCTL_QUERY_ALLOCATED_RANGES, FSCTL_SET_SPARSE};

use super::call::{Aligned, File, Open, aligned, open, u32_at, units};
use super::change::{dispose, set_name};
use super::dir::HostDir;
use super::fault::{lacks_class, sorted, symlink_met};
use super::stat::{self, ATTRIBUTES, FILE_ITSELF, ITSELF, IdForm};
use super::{HostFs, handle};

/// Bytes that are copied at once.
const PIECE: usize = 1 << 20;
/// All streams of a file together may have so many bytes to be held as metadata.
const MOST_STREAM_BYTES: u64 = 64 << 20;
/// Attributes that programs set (\[MS-FSCC\] 2.6). The others tell how the file is stored.
const SETTABLE: u32 = FILE_ATTRIBUTE_READONLY
    | FILE_ATTRIBUTE_HIDDEN
    | FILE_ATTRIBUTE_SYSTEM
    | FILE_ATTRIBUTE_ARCHIVE
    | FILE_ATTRIBUTE_TEMPORARY
    | FILE_ATTRIBUTE_OFFLINE
    | FILE_ATTRIBUTE_NOT_CONTENT_INDEXED;
/// Where [`Metadata::extended`] has the access list, as a descriptor. No stream has this name: a colon cannot be in one.
const ACCESS_LIST: &[u8] = b":$DACL";

/// A file that is open for reading.
#[derive(Debug)]
struct HostContent {
    file: File,
    volume: u64,
    form: IdForm,
}

impl Content for HostContent {
    fn stat(&self) -> FsResult<Stat> {
        stat::stat(&self.file, self.volume, self.form).map_err(sorted)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> FsResult<usize> {
        Ok(self
            .file
            .read(offset, buf)
            .map_err(|status| sorted(status.into()))?)
    }

    /// File ids count up as files are made, which has to do.
    fn place(&self) -> Option<u64> {
        None
    }
}

const READ: u32 = FILE_READ_DATA | FILE_READ_ATTRIBUTES | READ_CONTROL;

/// Opens a regular file, and nothing else, with these rights.
fn open_file(dir: &HostDir, name: Name<'_>, access: u32) -> FsResult<File> {
    let file = dir.open(name, access, FILE_ITSELF)?;
    let (attributes, tag) = stat::attributes_and_tag(&file)?;
    match stat::kind(attributes, tag) {
        Kind::File => {}
        Kind::Directory => return Err(NtStatus::FILE_IS_A_DIRECTORY.into()),
        Kind::Symlink => return Err(symlink_met()),
        Kind::Special | Kind::Unknown => return Err(FaultKind::Unsupported.into()),
    }
    if attributes & FILE_ATTRIBUTE_REPARSE_POINT == 0 {
        return Ok(file);
    }
    // Its data may be kept elsewhere, and whoever brings it is passed over while the reparse point itself is open. What
    // is opened in its place must be the same file.
    let whole = dir.open(
        name,
        access,
        FILE_NON_DIRECTORY_FILE | FILE_OPEN_FOR_BACKUP_INTENT,
    )?;
    if dir.id(&whole)? != dir.id(&file)? {
        return Err(symlink_met());
    }
    Ok(whole)
}

/// FILE_STREAM_INFORMATION: NextEntryOffset u32 at 0, StreamNameLength u32 at 4 in bytes, StreamSize u64 at 8, the name
/// at 24 as `:name:$DATA` (\[MS-FSCC\] 2.4.49). The names between the colons; the file's own content has none.
fn stream_names(bytes: &[u8]) -> FsResult<Vec<Vec<u16>>> {
    let mut names = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let damaged = || Fault::from(NtStatus::FILE_CORRUPT_ERROR);
        let next = u32_at(rest, 0).ok_or_else(damaged)? as usize;
        let len = u32_at(rest, 4).ok_or_else(damaged)? as usize;
        let name = units(
            rest.get(24..)
                .and_then(|name| name.get(..len))
                .ok_or_else(damaged)?,
        );
        let colon = u16::from(b':');
        let mut parts = name.split(|&unit| unit == colon).skip(1);
        let (stream, kind) = (parts.next(), parts.next());
        if let (Some(stream), Some(kind)) = (stream, kind)
            && !stream.is_empty()
            && String::from_utf16_lossy(kind) == "$DATA"
        {
            names.push(stream.to_vec());
        }
        if next == 0 {
            break;
        }
        rest = rest.get(next..).ok_or_else(damaged)?;
    }
    Ok(names)
}

/// The named streams of an open file; none where the file system has no such thing.
fn streams(file: &File) -> FsResult<Vec<Vec<u16>>> {
    let mut room = 4096;
    loop {
        let mut buffer = vec![0; room + 8];
        let buffer = aligned(&mut buffer);
        let len = buffer.len();
        match file.query(FileStreamInformation, buffer) {
            Ok(filled) if filled < len => return stream_names(&buffer[..filled]),
            Ok(_) | Err(NtStatus::BUFFER_OVERFLOW | NtStatus::BUFFER_TOO_SMALL) if room < 1 << 24 => {
                room *= 4
            }
            Ok(_) => return Err(FaultKind::Unsupported.into()),
            Err(status) if lacks_class(status) => return Ok(Vec::new()),
            Err(status) => return Err(status.into()),
        }
    }
}

/// Opens a named stream of an open file.
fn open_stream(file: &File, name: &[u16], access: u32, disposition: u32) -> Result<File, NtStatus> {
    let mut path = vec![u16::from(b':')];
    path.extend_from_slice(name);
    let how = Open {
        access,
        disposition,
        options: FILE_NON_DIRECTORY_FILE,
    };
    open(Some(file), &path, how)
}

fn write_all(to: &File, mut offset: u64, mut bytes: &[u8]) -> Result<(), NtStatus> {
    while !bytes.is_empty() {
        match to.write(offset, bytes)? {
            0 => return Err(NtStatus::DISK_FULL),
            n => {
                offset += n as u64;
                bytes = &bytes[n..];
            }
        }
    }
    Ok(())
}

/// Copies bytes from one open file to another.
fn copy_range(from: &File, to: &File, start: u64, end: u64) -> FsResult<()> {
    let left = usize::try_from(end.saturating_sub(start)).unwrap_or(PIECE);
    let mut buffer = vec![0; left.min(PIECE)];
    let mut offset = start;
    while offset < end {
        let want = usize::try_from(end - offset).unwrap_or(PIECE).min(buffer.len());
        let n = from.read(offset, &mut buffer[..want])?;
        if n == 0 {
            return Err(FaultKind::Stale.into()); // shorter than it was
        }
        write_all(to, offset, &buffer[..n])?;
        offset += n as u64;
    }
    Ok(())
}

fn size_of_file(file: &File) -> Result<u64, NtStatus> {
    Ok(stat::standard(file)?.u64(8))
}

/// What of a sparse file is no hole; all of it where the file system does not say.
fn allocated_ranges(file: &File, size: u64) -> Vec<(u64, u64)> {
    let mut ranges = Vec::new();
    let mut start = 0;
    while start < size {
        // FILE_ALLOCATED_RANGE_BUFFER: FileOffset u64 at 0, Length u64 at 8 ([MS-FSCC] 2.3.50); the answer is a list
        // of them
        let mut query = Aligned::<16>::new();
        query.0[..8].copy_from_slice(&start.to_le_bytes());
        query.0[8..].copy_from_slice(&(size - start).to_le_bytes());
        let mut answer = Aligned::<4096>::new();
        let Ok(filled) = file.control(FSCTL_QUERY_ALLOCATED_RANGES, &query.0, &mut answer.0) else {
            return vec![(0, size)];
        };
        let before = start;
        for at in (0..filled).step_by(16) {
            let (from, len) = (answer.u64(at), answer.u64(at + 8));
            let end = from.saturating_add(len).min(size);
            if from < start || end <= from {
                return vec![(0, size)];
            }
            ranges.push((from, end));
            start = end;
        }
        if start == before {
            break; // only a hole is left
        }
    }
    ranges
}

/// Copies all data; holes stay holes where the target's file system has them.
fn fill(from: &File, to: &File, size: u64, attributes: u32) -> FsResult<()> {
    let sparse =
        attributes & FILE_ATTRIBUTE_SPARSE_FILE != 0 && to.control(FSCTL_SET_SPARSE, &[], &mut []).is_ok();
    let ranges = match sparse {
        true => allocated_ranges(from, size),
        false => vec![(0, size)],
    };
    to.set(FileEndOfFileInformation, &size.to_le_bytes())?;
    for (start, end) in ranges {
        copy_range(from, to, start, end)?;
    }
    Ok(())
}

/// Times and attributes as [`stat::basic`] gives them; 0 leaves one as it is.
fn basic_of(to: &Metadata) -> (Aligned<40>, Vec<Lost>) {
    let mut info = Aligned::<40>::new();
    let mut lost = Vec::new();
    let times = [to.created, to.accessed, Some(to.modified)];
    let mut told = true;
    for (at, time) in [0, 8, 16].into_iter().zip(times) {
        let Some(time) = time else { continue };
        // 0 and the numbers above mean something else
        let given = filetime(time).filter(|&given| given > 0 && given < u64::MAX >> 1);
        told &= given.is_some() && time.rem_euclid(100) == 0;
        info.0[at..at + 8].copy_from_slice(&given.unwrap_or(0).to_le_bytes());
    }
    if !told {
        lost.push(Lost::Times);
    }
    if let Some(attributes) = to.attributes {
        if attributes & !SETTABLE != 0 {
            lost.push(Lost::Attributes);
        }
        let set = match attributes & SETTABLE {
            0 => FILE_ATTRIBUTE_NORMAL,
            set => set,
        };
        info.0[ATTRIBUTES..ATTRIBUTES + 4].copy_from_slice(&set.to_le_bytes());
    }
    (info, lost)
}

/// Nanoseconds since 1970 as 100 ns since 1601.
fn filetime(nanoseconds: i128) -> Option<u64> {
    const EPOCH: i128 = 116_444_736_000_000_000;
    u64::try_from(nanoseconds.div_euclid(100) + EPOCH).ok()
}

fn describe(file: &File, kind: Kind) -> FsResult<Metadata> {
    let basic = stat::basic(file)?;
    let mut extended = BTreeMap::new();
    if kind != Kind::Symlink {
        let mut room = MOST_STREAM_BYTES;
        for name in streams(file)? {
            let stream = open_stream(file, &name, FILE_READ_DATA | FILE_READ_ATTRIBUTES, FILE_OPEN)?;
            let size = size_of_file(&stream)?;
            room = room.checked_sub(size).ok_or(FaultKind::Unsupported)?;
            let mut value = vec![0; usize::try_from(size).unwrap_or(0)];
            let mut done = 0;
            while done < value.len() {
                match stream.read(done as u64, &mut value[done..])? {
                    0 => return Err(FaultKind::Stale.into()),
                    n => done += n,
                }
            }
            extended.insert(wtf8_of_units(&name), value);
        }
        match file.access_list() {
            Ok(list) => {
                extended.insert(ACCESS_LIST.to_vec(), list);
            }
            Err(status) if lacks_class(status) => {} // FAT
            Err(status) => return Err(status.into()),
        }
    }
    Ok(Metadata {
        modified: stat::time(basic.u64(16)),
        accessed: Some(stat::time(basic.u64(8))),
        created: Some(stat::time(basic.u64(0))),
        mode: None,
        owner: None,
        group: None,
        attributes: Some(basic.u32(ATTRIBUTES) & SETTABLE),
        extended,
    })
}

/// Gives an open file its streams and its access list, and answers whether all could be given.
fn give_extended(file: &File, now: &BTreeMap<Vec<u8>, Vec<u8>>, to: &BTreeMap<Vec<u8>, Vec<u8>>) -> bool {
    let mut all = true;
    for name in now.keys().filter(|name| !to.contains_key(*name)) {
        if name.as_slice() == ACCESS_LIST {
            continue; // whoever gives none means the one that is there
        }
        all &= units_of_wtf8(name)
            .and_then(|name| open_stream(file, &name, DELETE, FILE_OPEN).ok())
            .is_some_and(|stream| dispose(&stream, DispositionFlags::DELETE).is_ok());
    }
    for (name, value) in to {
        if name.as_slice() == ACCESS_LIST || now.get(name) == Some(value) {
            continue;
        }
        let odd = |unit: &u16| matches!(*unit, 0 | 0x2F | 0x3A | 0x5C);
        let name = units_of_wtf8(name).filter(|name| !name.is_empty() && !name.iter().any(odd));
        all &= name
            .and_then(|name| open_stream(file, &name, FILE_WRITE_DATA, FILE_OVERWRITE_IF).ok())
            .is_some_and(|stream| write_all(&stream, 0, value).is_ok());
    }
    if let Some(list) = to.get(ACCESS_LIST)
        && now.get(ACCESS_LIST) != Some(list)
    {
        // the system may keep it in another form; then it is told as lost rather than believed
        all &= file.set_access_list(list).is_ok() && file.access_list().is_ok_and(|given| given == *list);
    }
    all
}

/// Gives what a name leads to its metadata.
fn give(dir: &HostDir, name: Option<Name<'_>>, to: &Metadata) -> FsResult<Vec<Lost>> {
    let units = match name {
        Some(name) => dir.units(name)?,
        None => Vec::new(),
    };
    let open = |access| stat::open_units(&dir.file, &units, access, ITSELF);
    let rights = FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES | READ_CONTROL;
    let file = match open(rights | WRITE_DAC) {
        Err(NtStatus::ACCESS_DENIED) => open(rights)?,
        opened => opened?,
    };
    let (attributes, tag) = stat::attributes_and_tag(&file)?;
    let kind = stat::kind(attributes, tag);
    let (mut info, mut lost) = basic_of(to);
    if to.owner.is_some() || to.group.is_some() {
        lost.push(Lost::Owner);
    }
    if to.mode.is_some() {
        lost.push(Lost::Mode);
    }
    if kind != Kind::Symlink {
        let now = describe(&file, kind)?;
        if now.extended != to.extended {
            let before = stat::basic(&file)?;
            if attributes & FILE_ATTRIBUTE_READONLY != 0 {
                // streams of such a file cannot be written; what follows gives the attribute back
                let mut writable = Aligned::<40>::new();
                let set = (attributes & SETTABLE & !FILE_ATTRIBUTE_READONLY) | FILE_ATTRIBUTE_NORMAL;
                writable.0[ATTRIBUTES..ATTRIBUTES + 4].copy_from_slice(&set.to_le_bytes());
                file.set(FileBasicInformation, &writable.0)?;
                if info.u32(ATTRIBUTES) == 0 {
                    info.0[ATTRIBUTES..ATTRIBUTES + 4].copy_from_slice(&before.u32(ATTRIBUTES).to_le_bytes());
                }
            }
            if !give_extended(&file, &now.extended, &to.extended) {
                lost.push(Lost::Extended);
            }
        }
    }
    if !set_basic(&file, &info)? && !lost.contains(&Lost::Times) {
        lost.push(Lost::Times);
    }
    lost.sort_unstable();
    Ok(lost)
}

/// Sets times and attributes, and answers whether the times are those that were given: FAT rounds them, and others have
/// no creation time of their own.
fn set_basic(file: &File, info: &Aligned<40>) -> Result<bool, NtStatus> {
    file.set(FileBasicInformation, &info.0)?;
    let given = stat::basic(file)?;
    let same = |at: usize| info.u64(at) == 0 || info.u64(at) == given.u64(at);
    Ok(same(0) && same(8) && same(16))
}

impl HostFs {
    fn copy_file(&self, existing: At<'_>, new: At<'_>, how: CopyHow) -> FsResult<Copied> {
        let (from_dir, to_dir) = (handle(existing.dir)?, handle(new.dir)?);
        let from = open_file(from_dir, existing.name, READ)?;
        if how.reflink == Reflink::Always {
            return Err(FaultKind::Unsupported.into());
        }
        match self.stat(new) {
            Ok(_) => return Err(NtStatus::OBJECT_NAME_COLLISION.into()),
            Err(missing) if missing.kind() == FaultKind::NotFound => {}
            Err(other) => return Err(other),
        }
        remove_part(self, new)?;
        let part = part_name(new.name);
        let rights = FILE_READ_DATA
            | FILE_WRITE_DATA
            | FILE_READ_ATTRIBUTES
            | FILE_WRITE_ATTRIBUTES
            | READ_CONTROL
            | WRITE_DAC
            | DELETE;
        let create = Open {
            access: rights,
            disposition: FILE_CREATE,
            options: FILE_NON_DIRECTORY_FILE,
        };
        let to = open(Some(&to_dir.file), &to_dir.units(part.name())?, create)?;
        let done = fill_copy(&from, &to, how).and_then(|lost| {
            let units = to_dir.units(new.name)?;
            set_name(
                &to,
                InfoClass::Rename,
                LinkFlags::empty(),
                Some(&to_dir.file),
                &units,
            )?;
            Ok(Copied {
                stat: stat::stat(&to, to_dir.volume, to_dir.form)?,
                reflinked: false,
                lost,
            })
        });
        if done.is_err() {
            // the reason that made it fail is the one to tell; a read-only file does not let itself be deleted
            let mut plain = Aligned::<40>::new();
            plain.0[ATTRIBUTES..ATTRIBUTES + 4].copy_from_slice(&FILE_ATTRIBUTE_NORMAL.to_le_bytes());
            let _ = file_gone(&to, &plain);
        }
        done
    }
}

fn file_gone(file: &File, plain: &Aligned<40>) -> Result<(), NtStatus> {
    file.set(FileBasicInformation, &plain.0)?;
    dispose(file, DispositionFlags::DELETE)
}

/// Fills the new, empty file `to`.
fn fill_copy(from: &File, to: &File, how: CopyHow) -> FsResult<Vec<Lost>> {
    let before = stat::basic(from)?;
    let size = size_of_file(from)?;
    fill(from, to, size, before.u32(ATTRIBUTES))?;
    for name in streams(from)? {
        let source = open_stream(from, &name, FILE_READ_DATA | FILE_READ_ATTRIBUTES, FILE_OPEN)?;
        let target = open_stream(
            to,
            &name,
            FILE_WRITE_DATA | FILE_READ_ATTRIBUTES,
            FILE_OVERWRITE_IF,
        )?;
        copy_range(&source, &target, 0, size_of_file(&source)?)?;
    }
    let mut lost = Vec::new();
    match (from.access_list(), to.access_list()) {
        (Ok(list), Ok(inherited)) if list == inherited => {}
        (Ok(list), _) => {
            if to.set_access_list(&list).is_err() || to.access_list() != Ok(list) {
                lost.push(Lost::Extended);
            }
        }
        (Err(status), _) if lacks_class(status) => {}
        (Err(status), _) => return Err(status.into()),
    }
    // times and attributes last: whatever is written changes them
    let mut info = before;
    let attributes = match before.u32(ATTRIBUTES) & SETTABLE {
        0 => FILE_ATTRIBUTE_NORMAL,
        set => set,
    };
    info.0[ATTRIBUTES..ATTRIBUTES + 4].copy_from_slice(&attributes.to_le_bytes());
    info.0[24..32].fill(0); // the time of the record's own change is now
    if !set_basic(to, &info)? {
        lost.push(Lost::Times);
    }
    let after = stat::basic(from)?;
    if (after.u64(16), size_of_file(from)?) != (before.u64(16), size) {
        return Err(FaultKind::Stale.into());
    }
    if how.sync {
        to.flush()?;
    }
    Ok(lost)
}

fn remove_dir(dir: &HostDir, name: Name<'_>) -> FsResult<()> {
    let file = dir.open(name, DELETE | FILE_READ_ATTRIBUTES, ITSELF | FILE_DIRECTORY_FILE)?;
    let (attributes, tag) = stat::attributes_and_tag(&file)?;
    if stat::kind(attributes, tag) != Kind::Directory {
        return Err(NtStatus::NOT_A_DIRECTORY.into());
    }
    let as_posix = DispositionFlags::DELETE
        | DispositionFlags::POSIX_SEMANTICS
        | DispositionFlags::IGNORE_READONLY_ATTRIBUTE;
    match dispose(&file, as_posix) {
        Err(status) if lacks_class(status) => Ok(dispose(&file, DispositionFlags::DELETE)?),
        disposed => Ok(disposed?),
    }
}

impl FileFs for HostFs {
    fn open_file(&self, at: At<'_>) -> FsResult<Box<dyn Content>> {
        let dir = handle(at.dir)?;
        let file = open_file(dir, at.name, FILE_READ_DATA | FILE_READ_ATTRIBUTES).map_err(sorted)?;
        Ok(Box::new(HostContent {
            file,
            volume: dir.volume,
            form: dir.form,
        }))
    }

    fn metadata(&self, at: At<'_>) -> FsResult<Metadata> {
        let read = |dir: &HostDir| {
            let file = dir.open(at.name, FILE_READ_ATTRIBUTES | READ_CONTROL, ITSELF)?;
            let (attributes, tag) = stat::attributes_and_tag(&file)?;
            describe(&file, stat::kind(attributes, tag))
        };
        read(handle(at.dir)?).map_err(sorted)
    }

    fn dir_metadata(&self, dir: &Dir) -> FsResult<Metadata> {
        let read = |dir: &HostDir| {
            // the handle itself has no right to read the access list
            let file = stat::open_units(&dir.file, &[], FILE_READ_ATTRIBUTES | READ_CONTROL, ITSELF)?;
            describe(&file, Kind::Directory)
        };
        read(handle(dir)?).map_err(sorted)
    }

    fn set_metadata(&self, at: At<'_>, to: &Metadata) -> FsResult<Vec<Lost>> {
        give(handle(at.dir)?, Some(at.name), to).map_err(sorted)
    }

    fn set_dir_metadata(&self, dir: &Dir, to: &Metadata) -> FsResult<Vec<Lost>> {
        give(handle(dir)?, None, to).map_err(sorted)
    }

    fn copy(&self, existing: At<'_>, new: At<'_>, how: CopyHow) -> FsResult<Copied> {
        self.copy_file(existing, new, how).map_err(sorted)
    }

    fn read_symlink(&self, at: At<'_>) -> FsResult<Vec<u8>> {
        reparse::target(handle(at.dir)?, at.name).map_err(sorted)
    }

    /// [`FaultKind::Unsupported`]: it takes a privilege that few users have, and a link to a directory is made otherwise
    /// than one to a file.
    fn make_symlink(&self, _target: &[u8], new: At<'_>) -> FsResult<()> {
        match self.stat(new) {
            Ok(_) => Err(NtStatus::OBJECT_NAME_COLLISION.into()),
            Err(missing) if missing.kind() == FaultKind::NotFound => Err(FaultKind::Unsupported.into()),
            Err(other) => Err(other),
        }
    }

    fn remove_dir(&self, at: At<'_>) -> FsResult<()> {
        remove_dir(handle(at.dir)?, at.name).map_err(sorted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_1601_and_0_is_none() {
        assert_eq!(filetime(0), Some(116_444_736_000_000_000));
        assert_eq!(stat::time(filetime(1_234_567_800).unwrap()), 1_234_567_800);
        let metadata = Metadata {
            modified: -11_644_473_600_000_000_000,
            ..Metadata::default()
        };
        assert_eq!(basic_of(&metadata).1, [Lost::Times]);
    }

    #[test]
    fn streams_are_named_between_colons() {
        let entry = |name: &str, next: u32| {
            let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let mut bytes = next.to_le_bytes().to_vec();
            bytes.extend(u32::try_from(name.len()).unwrap().to_le_bytes());
            bytes.extend([0; 16]);
            bytes.extend(name);
            bytes.resize(bytes.len().next_multiple_of(8).max(next as usize), 0);
            bytes
        };
        let bytes = [
            entry("::$DATA", 64),
            entry(":a b:$DATA", 64),
            entry(":x:$OTHER", 0),
        ]
        .concat();
        assert_eq!(
            stream_names(&bytes).unwrap(),
            ["a b".encode_utf16().collect::<Vec<_>>()]
        );
        assert!(stream_names(&bytes[..70]).is_err());
        assert_eq!(stream_names(&[]).unwrap(), Vec::<Vec<u16>>::new());
    }
}
