//! Whether a directory tells names apart that differ only in case.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;

use polylink_core::{CaseRule, Name};
use rustix::fs::{CWD, IFlags, Mode, OFlags, RawDir, ioctl_getflags, openat, readlinkat};

use super::kinds::FsKind;
use super::stat_at;

/// `FS_CASEFOLD_FL` (linux/fs.h): set on directories of ext4, f2fs and tmpfs that fold case.
const CASEFOLD: u32 = 0x4000_0000;
/// How many entries the probe looks at.
const PROBE: usize = 64;

/// The rule of one directory: by its casefold flag where the kernel's own file systems have one, else by looking
/// whether an existing name is also found in other case.
pub(super) fn rule(dir: BorrowedFd<'_>, kind: &FsKind) -> CaseRule {
    if ioctl_getflags(dir).is_ok_and(|flags: IFlags| flags.bits() & CASEFOLD != 0) {
        return CaseRule::Folded;
    }
    // these compare byte by byte unless the flag is set
    if kind.dir_ids || kind.name == "overlay" {
        return CaseRule::Sensitive;
    }
    match probe_entries(dir).or_else(|| probe_own_name(dir)) {
        Some(true) => CaseRule::Folded,
        _ => CaseRule::Sensitive,
    }
}

fn probe_entries(dir: BorrowedFd<'_>) -> Option<bool> {
    // a handle of its own, so that nobody's read is disturbed
    let own = openat(
        dir,
        c".",
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .ok()?;
    let mut buffer = [MaybeUninit::uninit(); 8192];
    let mut entries = RawDir::new(&own, &mut buffer);
    let mut seen = 0;
    while let Some(Ok(entry)) = entries.next() {
        seen += 1;
        if let Some(answer) = same_in_other_case(dir, entry.file_name().to_bytes()) {
            return Some(answer);
        }
        if seen == PROBE {
            break;
        }
    }
    None
}

fn probe_own_name(dir: BorrowedFd<'_>) -> Option<bool> {
    let path = super::btrfs::path_of(dir)?;
    let name = path.file_name()?;
    let parent = openat(
        CWD,
        path.parent()?,
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    );
    same_in_other_case(parent.ok()?.as_fd(), name.as_bytes())
}

fn same_in_other_case(dir: BorrowedFd<'_>, name: &[u8]) -> Option<bool> {
    let other: Vec<u8> = name
        .iter()
        .map(|b| {
            if b.is_ascii_lowercase() {
                b.to_ascii_uppercase()
            } else {
                b.to_ascii_lowercase()
            }
        })
        .collect();
    if other == name {
        return None;
    }
    let stat = stat_at(dir, Name::new(name)).ok()?;
    Some(stat_at(dir, Name::new(&other)).is_ok_and(|found| found.id == stat.id))
}

/// The path of an open directory.
pub(super) fn fd_path(dir: BorrowedFd<'_>) -> Option<std::path::PathBuf> {
    use std::os::fd::AsRawFd as _;
    let link = readlinkat(CWD, format!("/proc/self/fd/{}", dir.as_raw_fd()), Vec::new()).ok()?;
    let path = std::path::PathBuf::from(std::ffi::OsStr::from_bytes(link.to_bytes()));
    path.is_absolute().then_some(path)
}
