//! `FileFs` by the calls that every Unix has: files opened, described, copied.

use std::collections::BTreeMap;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use polylink_core::{
    At, Content, Copied, CopyHow, Dir, Existing, Fault, FaultKind, FileFs, FsResult, Kind, LinkFs as _, Lost,
    Metadata, Reflink, Stat, part_name, remove_part,
};
use rustix::fs::{
    AtFlags, Gid, Mode, OFlags, RawMode, SeekFrom, Timespec, Timestamps, Uid, chownat, fchmod, fchown, fsync,
    ftruncate, futimens, openat, readlinkat, seek, symlinkat, unlinkat, utimensat,
};
use rustix::io::{Errno, pread, pwrite};

use super::super::errno::fault;
use super::super::platform::{self, Facts};
use super::{HostFs, handle};

/// Bytes that are copied at once where the system does not copy by itself.
const PIECE: usize = 1 << 20;
/// Set-user-id and set-group-id: dangerous on a file that belongs to somebody else than the original does.
const SET_IDS: u32 = 0o6000;

/// A file that is open for reading.
#[derive(Debug)]
struct HostContent {
    fd: OwnedFd,
}

impl Content for HostContent {
    fn stat(&self) -> FsResult<Stat> {
        platform::stat_fd(self.fd.as_fd())
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> FsResult<usize> {
        retried(|| pread(&self.fd, &mut *buf, offset))
    }

    /// No call for it can be made without `unsafe`: inode numbers, which are in the order of the disk on most file
    /// systems when they were made in one go, have to do.
    fn place(&self) -> Option<u64> {
        None
    }
}

fn retried<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> FsResult<T> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            answer => return answer.map_err(fault),
        }
    }
}

/// Opens a regular file, and nothing else, for reading.
fn open(at: At<'_>) -> FsResult<(OwnedFd, Stat)> {
    let dir = handle(at.dir)?;
    // opening a device or a pipe can do things, so it is asked first; that it is still a file is asked again after
    regular(&platform::stat_at(dir.as_fd(), at.name)?)?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = match openat(
        dir,
        at.name.bytes(),
        flags | platform::WITHOUT_ATIME,
        Mode::empty(),
    ) {
        // only the owner may leave the time of last reading alone
        Err(Errno::PERM) => openat(dir, at.name.bytes(), flags, Mode::empty()),
        opened => opened,
    }
    .map_err(fault)?;
    let stat = platform::stat_fd(fd.as_fd())?;
    regular(&stat)?;
    Ok((fd, stat))
}

fn regular(stat: &Stat) -> FsResult<()> {
    match stat.kind {
        Kind::File => Ok(()),
        Kind::Directory => Err(FaultKind::IsDirectory.into()),
        Kind::Symlink => Err(FaultKind::SymlinkMet.into()),
        Kind::Special | Kind::Unknown => Err(FaultKind::Unsupported.into()),
    }
}

/// Opens a file or directory to ask for and set what only an open one has; `None` for what must not be opened.
fn open_any(at: At<'_>) -> FsResult<Option<OwnedFd>> {
    let dir = handle(at.dir)?;
    let more = match platform::stat_at(dir.as_fd(), at.name)?.kind {
        Kind::File => return open(at).map(|(fd, _)| Some(fd)),
        Kind::Directory => OFlags::DIRECTORY,
        _ => return Ok(None),
    };
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | more;
    openat(dir, at.name.bytes(), flags, Mode::empty())
        .map(Some)
        .map_err(fault)
}

fn metadata_of(facts: &Facts, extended: BTreeMap<Vec<u8>, Vec<u8>>) -> Metadata {
    Metadata {
        modified: facts.modified,
        accessed: Some(facts.accessed),
        created: None,
        mode: Some(facts.mode),
        owner: Some(facts.owner),
        group: Some(facts.group),
        attributes: None,
        extended,
    }
}

fn timespec(nanoseconds: i128) -> Option<Timespec> {
    const SECOND: i128 = 1_000_000_000;
    Some(Timespec {
        tv_sec: nanoseconds.div_euclid(SECOND).try_into().ok()?,
        tv_nsec: nanoseconds.rem_euclid(SECOND).try_into().ok()?,
    })
}

fn timestamps(of: &Metadata) -> Option<Timestamps> {
    Some(Timestamps {
        last_access: match of.accessed {
            Some(accessed) => timespec(accessed)?,
            None => Timespec {
                tv_sec: 0,
                tv_nsec: rustix::fs::UTIME_OMIT,
            },
        },
        last_modification: timespec(of.modified)?,
    })
}

/// Who shall own a file that now has `facts`: `None` where that is so already.
fn owners(to: &Metadata, facts: &Facts) -> Option<(Option<Uid>, Option<Gid>)> {
    let user = to.owner.filter(|&user| user != facts.owner).map(Uid::from_raw);
    let group = to.group.filter(|&group| group != facts.group).map(Gid::from_raw);
    (user.is_some() || group.is_some()).then_some((user, group))
}

/// Gives an open file or directory its metadata, and tells what could not be given.
fn give(fd: BorrowedFd<'_>, to: &Metadata) -> FsResult<Vec<Lost>> {
    let mut lost = Vec::new();
    let facts = platform::facts_fd(fd)?;
    if let Some((user, group)) = owners(to, &facts)
        && fchown(fd, user, group).is_err()
    {
        // somebody may give a file to a group of his own all the same
        if let Some(group) = group {
            let _ = fchown(fd, None, Some(group));
        }
        lost.push(Lost::Owner);
    }
    if let Some(mode) = to.mode {
        let mode = match lost.is_empty() {
            true => mode,
            false => mode & !SET_IDS,
        };
        // always set: a change of the owner takes set-user-id away
        let set = raw_mode(mode).is_some_and(|mode| fchmod(fd, mode).is_ok());
        if !set || Some(mode) != to.mode {
            lost.push(Lost::Mode);
        }
    }
    if !platform::set_extended(fd, &to.extended)? {
        lost.push(Lost::Extended);
    }
    if timestamps(to).is_none_or(|times| futimens(fd, &times).is_err()) {
        lost.push(Lost::Times);
    }
    Ok(lost)
}

// the type of modes differs from system to system
#[allow(clippy::unnecessary_fallible_conversions, clippy::useless_conversion)]
fn raw_mode(mode: u32) -> Option<Mode> {
    RawMode::try_from(mode).ok().map(Mode::from_raw_mode)
}

/// Copies all data, holes left out, and says whether the blocks are shared.
fn fill(from: &OwnedFd, to: &OwnedFd, size: u64, reflink: Reflink) -> FsResult<bool> {
    if reflink != Reflink::Never {
        match platform::reflink(to, from) {
            Ok(()) => return Ok(true),
            Err(errno) if reflink == Reflink::Always => {
                let found = fault(errno);
                return Err(Fault::new(FaultKind::Unsupported, found.code(), found.symbol()));
            }
            Err(_) => {}
        }
    }
    let mut offset = 0;
    while offset < size {
        let start = match seek(from, SeekFrom::Data(offset)) {
            Ok(start) => start,
            Err(Errno::NXIO) => break, // only a hole is left
            Err(_) => offset,          // nothing is known of holes here
        };
        let end = seek(from, SeekFrom::Hole(start)).unwrap_or(size).min(size);
        // a file system that contradicts itself must not make this endless
        let end = if end > start { end } else { size };
        copy_range(from, to, start..end, reflink)?;
        offset = end;
    }
    ftruncate(to, size).map_err(fault)?;
    Ok(false)
}

fn copy_range(from: &OwnedFd, to: &OwnedFd, range: std::ops::Range<u64>, reflink: Reflink) -> FsResult<()> {
    let mut offset = range.start;
    // the system's own copy may share blocks, which is not wanted with `Never`
    while reflink != Reflink::Never && offset < range.end {
        match platform::copy_range(from, to, offset, range.end - offset) {
            Ok(0) | Err(_) => break, // it cannot, or not here: by hand, which tells the reason if there is one
            Ok(n) => offset += n,
        }
    }
    let mut buffer = Vec::new();
    while offset < range.end {
        buffer.resize(usize::try_from(range.end - offset).unwrap_or(PIECE).min(PIECE), 0);
        let n = retried(|| pread(from, &mut buffer[..], offset))?;
        if n == 0 {
            return Err(FaultKind::Stale.into()); // shorter than it was
        }
        let mut done = 0;
        while done < n {
            done += retried(|| pwrite(to, &buffer[done..n], offset + done as u64))?;
        }
        offset += n as u64;
    }
    Ok(())
}

impl HostFs {
    /// Fills the new, empty file `to`.
    fn fill_copy(&self, existing: At<'_>, to: &OwnedFd, how: CopyHow) -> FsResult<(bool, Vec<Lost>)> {
        let (from, before) = open(existing)?;
        let facts = platform::facts_fd(from.as_fd())?;
        let metadata = metadata_of(&facts, platform::extended(from.as_fd())?);
        let reflinked = fill(&from, to, before.size, how.reflink)?;
        let lost = give(to.as_fd(), &metadata)?;
        let after = platform::facts_fd(from.as_fd())?;
        let size = platform::stat_fd(from.as_fd())?.size;
        if (after.modified, size) != (facts.modified, before.size) {
            return Err(FaultKind::Stale.into());
        }
        if how.sync {
            fsync(to).map_err(fault)?;
        }
        Ok((reflinked, lost))
    }

    /// A copy that has no name until it is whole; `None` where the file system has no such files.
    fn copy_nameless(&self, existing: At<'_>, new: At<'_>, how: CopyHow) -> FsResult<Option<Copied>> {
        let Some(to) = platform::nameless(handle(new.dir)?)? else {
            return Ok(None);
        };
        let (reflinked, lost) = self.fill_copy(existing, &to, how)?;
        match platform::give_name(&to, handle(new.dir)?, new.name) {
            Err(Errno::EXIST) => return Err(FaultKind::Exists.into()),
            // no /proc here
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            named => named.map_err(fault)?,
        }
        Ok(Some(Copied {
            stat: platform::stat_fd(to.as_fd())?,
            reflinked,
            lost,
        }))
    }

    /// A copy that is made under [`part_name`].
    fn copy_named(&self, existing: At<'_>, new: At<'_>, how: CopyHow) -> FsResult<Copied> {
        remove_part(self, new)?;
        let part = part_name(new.name);
        let part = At::new(new.dir, part.name());
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let to = openat(
            handle(new.dir)?,
            part.name.bytes(),
            flags,
            Mode::RUSR | Mode::WUSR,
        )
        .map_err(fault)?;
        let done = self.fill_copy(existing, &to, how).and_then(|(reflinked, lost)| {
            self.rename(part, new, Existing::Keep)?;
            Ok(Copied {
                stat: platform::stat_fd(to.as_fd())?,
                reflinked,
                lost,
            })
        });
        if done.is_err() {
            // the reason that made it fail is the one to tell
            let _ = self.unlink(part);
        }
        done
    }
}

impl FileFs for HostFs {
    fn open_file(&self, at: At<'_>) -> FsResult<Box<dyn Content>> {
        let (fd, _) = open(at)?;
        Ok(Box::new(HostContent { fd }))
    }

    fn metadata(&self, at: At<'_>) -> FsResult<Metadata> {
        match open_any(at)? {
            Some(fd) => Ok(metadata_of(
                &platform::facts_fd(fd.as_fd())?,
                platform::extended(fd.as_fd())?,
            )),
            None => {
                let facts = platform::facts_at(handle(at.dir)?.as_fd(), at.name)?;
                Ok(metadata_of(&facts, BTreeMap::new()))
            }
        }
    }

    fn dir_metadata(&self, dir: &Dir) -> FsResult<Metadata> {
        let fd = handle(dir)?.as_fd();
        Ok(metadata_of(&platform::facts_fd(fd)?, platform::extended(fd)?))
    }

    fn set_metadata(&self, at: At<'_>, to: &Metadata) -> FsResult<Vec<Lost>> {
        if let Some(fd) = open_any(at)? {
            return give(fd.as_fd(), to);
        }
        let dir = handle(at.dir)?;
        let mut lost = Vec::new();
        let facts = platform::facts_at(dir.as_fd(), at.name)?;
        if let Some((user, group)) = owners(to, &facts)
            && chownat(dir, at.name.bytes(), user, group, AtFlags::SYMLINK_NOFOLLOW).is_err()
        {
            lost.push(Lost::Owner);
        }
        // a symbolic link has no permissions of its own; those of a device or pipe cannot be set without following
        let now = platform::facts_at(dir.as_fd(), at.name)?;
        if platform::stat_at(dir.as_fd(), at.name)?.kind != Kind::Symlink
            && to.mode.is_some_and(|mode| mode != now.mode)
        {
            lost.push(Lost::Mode);
        }
        let set = timestamps(to)
            .is_some_and(|times| utimensat(dir, at.name.bytes(), &times, AtFlags::SYMLINK_NOFOLLOW).is_ok());
        if !set {
            lost.push(Lost::Times);
        }
        Ok(lost)
    }

    fn set_dir_metadata(&self, dir: &Dir, to: &Metadata) -> FsResult<Vec<Lost>> {
        give(handle(dir)?.as_fd(), to)
    }

    fn copy(&self, existing: At<'_>, new: At<'_>, how: CopyHow) -> FsResult<Copied> {
        // a long copy that cannot be named in the end helps nobody
        match platform::stat_at(handle(new.dir)?.as_fd(), new.name) {
            Ok(_) => return Err(FaultKind::Exists.into()),
            Err(missing) if missing.kind() == FaultKind::NotFound => {}
            Err(other) => return Err(other),
        }
        match self.copy_nameless(existing, new, how)? {
            Some(copied) => Ok(copied),
            None => self.copy_named(existing, new, how),
        }
    }

    fn settle(&self, dir: &Dir) -> FsResult<()> {
        platform::settle(handle(dir)?).map_err(fault)
    }

    fn read_symlink(&self, at: At<'_>) -> FsResult<Vec<u8>> {
        readlinkat(handle(at.dir)?, at.name.bytes(), Vec::new())
            .map(|target| target.into_bytes())
            .map_err(fault)
    }

    fn make_symlink(&self, target: &[u8], new: At<'_>) -> FsResult<()> {
        symlinkat(target, handle(new.dir)?, new.name.bytes()).map_err(fault)
    }

    fn remove_dir(&self, at: At<'_>) -> FsResult<()> {
        match unlinkat(handle(at.dir)?, at.name.bytes(), AtFlags::REMOVEDIR) {
            // POSIX lets a system say either
            Err(Errno::EXIST) => Err(FaultKind::NotEmpty.into()),
            removed => removed.map_err(fault),
        }
    }
}

/// Names and values of extended attributes by `list`, `get`: both calls of one open file.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
pub(crate) mod xattr {
    use std::collections::BTreeMap;
    use std::os::fd::BorrowedFd;

    use polylink_core::FsResult;
    use rustix::fs::{
        XattrFlags, fgetxattr, fgetxattr_query, flistxattr, flistxattr_query, fremovexattr, fsetxattr,
    };
    use rustix::io::Errno;

    use super::super::super::errno::fault;

    /// A label that the system gives each new file by its own rules; it is set where it can be and never removed.
    const LABEL: &[u8] = b"security.selinux";

    /// Asks for the length, then for the value, until the two agree.
    fn whole(
        length: impl Fn() -> rustix::io::Result<usize>,
        value: impl Fn(&mut [u8]) -> rustix::io::Result<usize>,
    ) -> rustix::io::Result<Vec<u8>> {
        loop {
            let mut buffer = vec![0; length()?];
            if buffer.is_empty() {
                return Ok(buffer);
            }
            match value(&mut buffer) {
                Err(Errno::RANGE) => {} // it grew meanwhile
                Err(errno) => return Err(errno),
                Ok(n) => {
                    buffer.truncate(n);
                    return Ok(buffer);
                }
            }
        }
    }

    /// The extended attributes of an open file; none where the file system has none.
    pub(crate) fn extended(fd: BorrowedFd<'_>) -> FsResult<BTreeMap<Vec<u8>, Vec<u8>>> {
        let list = match whole(|| flistxattr_query(fd), |buffer| flistxattr(fd, buffer)) {
            Err(Errno::NOTSUP | Errno::NOSYS) => return Ok(BTreeMap::new()),
            list => list.map_err(fault)?,
        };
        let mut found = BTreeMap::new();
        for name in list.split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
            match whole(|| fgetxattr_query(fd, name), |buffer| fgetxattr(fd, name, buffer)) {
                Ok(value) => {
                    found.insert(name.to_vec(), value);
                }
                Err(Errno::NODATA) => {} // removed meanwhile
                Err(errno) => return Err(fault(errno)),
            }
        }
        Ok(found)
    }

    /// Gives an open file these attributes and no others, and says whether that came to be.
    pub(crate) fn set_extended(fd: BorrowedFd<'_>, to: &BTreeMap<Vec<u8>, Vec<u8>>) -> FsResult<bool> {
        let now = extended(fd)?;
        let mut whole = true;
        for name in now
            .keys()
            .filter(|name| !to.contains_key(*name) && *name != LABEL)
        {
            whole &= fremovexattr(fd, name.as_slice()).is_ok();
        }
        for (name, value) in to.iter().filter(|(name, value)| now.get(*name) != Some(value)) {
            whole &= fsetxattr(fd, name.as_slice(), value, XattrFlags::empty()).is_ok();
        }
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};
    use std::path::Path;

    use polylink_core::{LinkFs as _, Name};

    use super::*;

    const COPY: CopyHow = CopyHow {
        reflink: Reflink::Auto,
        sync: true,
    };
    const HOUR: i128 = 3_600_000_000_000;

    struct Folder {
        path: tempfile::TempDir,
        fs: HostFs,
        dir: Dir,
    }

    impl Folder {
        fn new() -> Self {
            let path = tempfile::tempdir().unwrap();
            let fs = HostFs::new();
            let dir = fs.open_dir(path.path()).unwrap();
            Self { path, fs, dir }
        }

        fn at<'a>(&'a self, name: &'a str) -> At<'a> {
            At::new(&self.dir, Name::new(name))
        }

        fn path(&self, name: &str) -> std::path::PathBuf {
            self.path.path().join(name)
        }

        fn names(&self) -> Vec<String> {
            let mut names: Vec<String> = std::fs::read_dir(self.path.path())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }
    }

    type Way = fn(&HostFs, At<'_>, At<'_>, CopyHow) -> FsResult<Copied>;

    /// Each way a copy can be made here.
    const WAYS: [Way; 2] = [
        |fs, from, to, how| fs.copy(from, to, how),
        |fs, from, to, how| fs.copy_named(from, to, how),
    ];

    #[test]
    fn a_copy_is_whole_and_a_file_of_its_own() {
        for way in WAYS {
            let folder = Folder::new();
            let data: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
            std::fs::write(folder.path("a"), &data).unwrap();
            std::fs::set_permissions(folder.path("a"), std::fs::Permissions::from_mode(0o4640)).unwrap();
            let mut wanted = folder.fs.metadata(folder.at("a")).unwrap();
            wanted.modified = -HOUR + 7;
            wanted.accessed = Some(HOUR);
            assert_eq!(folder.fs.set_metadata(folder.at("a"), &wanted).unwrap(), []);
            for reflink in [Reflink::Auto, Reflink::Never] {
                let how = CopyHow { reflink, ..COPY };
                let copied = way(&folder.fs, folder.at("a"), folder.at("b"), how).unwrap();
                assert_eq!((copied.stat.links, copied.stat.size), (1, 3_000_000));
                assert_eq!(copied.lost, []);
                assert_ne!(copied.stat.id, folder.fs.stat(folder.at("a")).unwrap().id);
                let found = folder.fs.metadata(folder.at("b")).unwrap();
                assert_eq!(
                    (found.modified, found.mode, found.owner, found.extended),
                    (
                        wanted.modified,
                        wanted.mode,
                        wanted.owner,
                        wanted.extended.clone()
                    )
                );
                assert_eq!(std::fs::read(folder.path("b")).unwrap(), data);
                assert_eq!(folder.names(), ["a", "b"]);
                folder.fs.unlink(folder.at("b")).unwrap();
            }
        }
    }

    #[test]
    fn a_copy_replaces_nothing_and_leaves_nothing_when_it_fails() {
        for way in WAYS {
            let folder = Folder::new();
            std::fs::write(folder.path("a"), "a").unwrap();
            std::fs::write(folder.path("b"), "b").unwrap();
            std::os::unix::fs::symlink("a", folder.path("l")).unwrap();
            std::fs::create_dir(folder.path("d")).unwrap();
            rustix::fs::mknodat(
                rustix::fs::CWD,
                folder.path("p"),
                rustix::fs::FileType::Fifo,
                Mode::RUSR | Mode::WUSR,
                0,
            )
            .unwrap();
            for (from, to, kind) in [
                ("a", "b", FaultKind::Exists),
                ("l", "n", FaultKind::SymlinkMet),
                ("d", "n", FaultKind::IsDirectory),
                ("p", "n", FaultKind::Unsupported),
                ("m", "n", FaultKind::NotFound),
            ] {
                let failed = way(&folder.fs, folder.at(from), folder.at(to), COPY).unwrap_err();
                assert_eq!(failed.kind(), kind, "{from}");
            }
            assert_eq!(folder.names(), ["a", "b", "d", "l", "p"]);
            assert_eq!(std::fs::read(folder.path("b")).unwrap(), b"b");
        }
    }

    #[test]
    fn holes_stay_holes() {
        for way in WAYS {
            let folder = Folder::new();
            let file = std::fs::File::create(folder.path("a")).unwrap();
            file.write_all_at(b"x", 40 << 20).unwrap();
            file.set_len(80 << 20).unwrap();
            let how = CopyHow {
                reflink: Reflink::Never,
                ..COPY
            };
            way(&folder.fs, folder.at("a"), folder.at("b"), how).unwrap();
            let (a, b) = (folder.path("a"), folder.path("b"));
            let figures = |path: &Path| {
                let m = std::fs::metadata(path).unwrap();
                (m.len(), m.blocks() < 10_000)
            };
            assert_eq!(figures(&a), figures(&b));
            let mut byte = [0];
            let copy = std::fs::File::open(&b).unwrap();
            copy.read_exact_at(&mut byte, 40 << 20).unwrap();
            assert_eq!(&byte, b"x");
        }
    }

    #[test]
    fn what_a_killed_copy_left_goes_with_the_next() {
        let folder = Folder::new();
        std::fs::write(folder.path("a"), "a").unwrap();
        let part = part_name(Name::new("b"));
        std::fs::write(folder.path(part.name().text().unwrap()), "half").unwrap();
        folder
            .fs
            .copy_named(folder.at("a"), folder.at("b"), COPY)
            .unwrap();
        assert_eq!(folder.names(), ["a", "b"]);
    }

    #[test]
    fn reading_goes_to_the_end_and_no_further() {
        let folder = Folder::new();
        std::fs::write(folder.path("a"), "0123456789").unwrap();
        let file = folder.fs.open_file(folder.at("a")).unwrap();
        std::fs::remove_file(folder.path("a")).unwrap();
        let mut buf = [0; 6];
        assert_eq!(file.read_full(7, &mut buf).unwrap(), 3);
        assert_eq!(&buf[..3], b"789");
        assert_eq!(file.read_at(10, &mut buf).unwrap(), 0);
        assert_eq!(file.stat().unwrap().links, 0);
    }

    #[test]
    fn extended_attributes_are_kept_where_there_are_any() {
        let folder = Folder::new();
        std::fs::write(folder.path("a"), "a").unwrap();
        let mut wanted = folder.fs.metadata(folder.at("a")).unwrap();
        wanted.extended.insert(b"user.polylink".to_vec(), vec![0, 1, 255]);
        let lost = folder.fs.set_metadata(folder.at("a"), &wanted).unwrap();
        let file = std::fs::File::open(folder.path("a")).unwrap();
        let flags = rustix::fs::XattrFlags::empty();
        if rustix::fs::fsetxattr(&file, "user.polylink", &[0, 1, 255], flags).is_err() {
            assert_eq!(lost, [Lost::Extended], "the file system has none");
            return;
        }
        assert_eq!(lost, []);
        for (way, name) in WAYS.iter().zip(["b", "c"]) {
            assert_eq!(
                way(&folder.fs, folder.at("a"), folder.at(name), COPY)
                    .unwrap()
                    .lost,
                []
            );
            assert_eq!(
                folder.fs.metadata(folder.at(name)).unwrap().extended,
                wanted.extended
            );
        }
        wanted.extended.clear();
        folder.fs.set_metadata(folder.at("a"), &wanted).unwrap();
        assert_eq!(
            folder.fs.metadata(folder.at("a")).unwrap().extended,
            wanted.extended
        );
    }

    #[test]
    fn directories_and_symbolic_links_have_metadata_too() {
        let folder = Folder::new();
        folder
            .fs
            .make_symlink(b"../nowhere \xff", folder.at("l"))
            .unwrap();
        assert_eq!(
            folder.fs.read_symlink(folder.at("l")).unwrap(),
            b"../nowhere \xff"
        );
        folder.fs.make_dir(folder.at("d")).unwrap();
        for name in ["l", "d"] {
            let mut wanted = folder.fs.metadata(folder.at(name)).unwrap();
            wanted.modified = HOUR;
            assert_eq!(folder.fs.set_metadata(folder.at(name), &wanted).unwrap(), []);
            assert_eq!(folder.fs.stat(folder.at(name)).unwrap().modified, HOUR);
        }
        let d = folder.fs.open_child(folder.at("d")).unwrap();
        let mut wanted = folder.fs.dir_metadata(&d).unwrap();
        wanted.mode = Some(0o750);
        assert_eq!(folder.fs.set_dir_metadata(&d, &wanted).unwrap(), []);
        assert_eq!(folder.fs.stat(folder.at("d")).unwrap().mode, Some(0o750));
        std::fs::write(folder.path("d/f"), "").unwrap();
        let kind = |refused: Fault| refused.kind();
        assert_eq!(
            folder.fs.remove_dir(folder.at("d")).map_err(kind),
            Err(FaultKind::NotEmpty)
        );
        std::fs::remove_file(folder.path("d/f")).unwrap();
        folder.fs.remove_dir(folder.at("d")).unwrap();
        assert_eq!(
            folder.fs.remove_dir(folder.at("l")).map_err(kind),
            Err(FaultKind::NotDirectory)
        );
    }
}
