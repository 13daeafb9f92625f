//! The three calls of Windows that make a hard link.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use polylink_core::{Existing, Fault, FaultKind, FileId, FsResult};
use polylink_nt::NtStatus;
use polylink_nt::info::{InfoClass, LinkFlags};
use windows_sys::Wdk::Storage::FileSystem::{FILE_CREATE, FILE_DELETE_ON_CLOSE, FILE_OPEN};
use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_PATH_NOT_FOUND};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_ATTRIBUTE_DIRECTORY, FILE_READ_ATTRIBUTES, MOVEFILE_CREATE_HARDLINK,
    MOVEFILE_REPLACE_EXISTING,
};

use super::call::{self, File, Open, open};
use super::change::{REPLACE_AS_POSIX, open_to_link, set_name};
use super::fault::{lacks_class, sorted, win32};
use super::path::{split_nt, to_nt, to_win32, verbatim};
use super::stat::{self, FILE_ITSELF, ITSELF};
use crate::door::Door;

pub(crate) fn through(door: Door, existing: &Path, new: &Path, on: Existing) -> FsResult<()> {
    match door {
        Door::Create => create(existing, new),
        Door::Native => native(existing, new, on),
        Door::Move => by_move(existing, new, on),
    }
    .map_err(sorted)
}

fn create(existing: &Path, new: &Path) -> FsResult<()> {
    call::create_hard_link(&to_win32(new)?, &to_win32(existing)?).map_err(|code| refused(code, existing))
}

/// Win32 says only "access denied" of a directory, which has a better kind.
fn refused(code: u32, existing: &Path) -> Fault {
    let fault = win32(code);
    if code == ERROR_ACCESS_DENIED && is_directory(existing) {
        return Fault::new(FaultKind::IsDirectory, fault.code(), fault.symbol());
    }
    fault
}

fn is_directory(path: &Path) -> bool {
    open_itself(path, FILE_READ_ATTRIBUTES)
        .and_then(|file| Ok(stat::attributes_and_tag(&file)?))
        .is_ok_and(|(attributes, _)| attributes & FILE_ATTRIBUTE_DIRECTORY != 0)
}

fn open_itself(path: &Path, access: u32) -> FsResult<File> {
    Ok(open_nt(&to_nt(path)?, access)?)
}

fn open_nt(path: &[u16], access: u32) -> Result<File, NtStatus> {
    open(
        None,
        path,
        Open {
            access,
            disposition: FILE_OPEN,
            options: ITSELF,
        },
    )
}

/// The new name is given to NT as a whole path, not below an open directory: so its own statuses come in its own order.
fn native(existing: &Path, new: &Path, on: Existing) -> FsResult<()> {
    let (existing, new) = (to_nt(existing)?, to_nt(new)?);
    let file = open_to_link(|access| open_nt(&existing, access))?;
    let classic = |flags| set_name(&file, InfoClass::Link, flags, None, &new);
    match on {
        Existing::Keep => Ok(classic(LinkFlags::empty())?),
        Existing::Replace => match set_name(&file, InfoClass::LinkEx, REPLACE_AS_POSIX, None, &new) {
            Err(status) if lacks_class(status) => Ok(classic(LinkFlags::REPLACE_IF_EXISTS)?),
            linked => Ok(linked?),
        },
    }
}

/// Systems that do not know the flag rename, and with it would destroy what stands at `new`. So first they show what
/// they do with a file of our own.
fn by_move(existing: &Path, new: &Path, on: Existing) -> FsResult<()> {
    id_of(existing)?;
    if !move_links(&to_nt(new)?)? {
        return Err(NtStatus::NOT_SUPPORTED.into());
    }
    link_by_move(existing, new, on)
}

/// The call, and a look at what it did. Where it renamed after all, the name goes back.
fn link_by_move(existing: &Path, new: &Path, on: Existing) -> FsResult<()> {
    let before = id_of(existing)?;
    let flags = MOVEFILE_CREATE_HARDLINK
        | match on {
            Existing::Keep => 0,
            Existing::Replace => MOVEFILE_REPLACE_EXISTING,
        };
    let (from, to) = (to_win32(existing)?, to_win32(new)?);
    call::move_file(&from, &to, flags).map_err(|code| refused(code, existing))?;
    let linked = id_of(new)?;
    if linked != before {
        // somebody took the name as soon as it was there
        return Err(NtStatus::OBJECT_NAME_COLLISION.into());
    }
    match id_of(existing) {
        Ok(_) => Ok(()),
        Err(fault) if fault.kind() == FaultKind::NotFound => {
            call::move_file(&to, &from, 0).map_err(win32)?;
            Err(NtStatus::NOT_SUPPORTED.into())
        }
        Err(fault) => Err(fault),
    }
}

fn id_of(path: &Path) -> FsResult<FileId> {
    Ok(stat::first_id(&open_itself(path, FILE_READ_ATTRIBUTES)?)?.0)
}

/// Tells the names of two probes apart that run at once.
static PROBES: AtomicU32 = AtomicU32::new(0);

/// Whether `MoveFileExW` makes a link in the directory of `new`, where that is not known yet: tried on an empty file
/// that the system deletes when it is closed, whatever becomes of this process.
fn move_links(new: &[u16]) -> FsResult<bool> {
    let Some((parent, _)) = split_nt(new) else {
        return Err(NtStatus::OBJECT_NAME_INVALID.into());
    };
    let number = PROBES.fetch_add(1, Ordering::Relaxed);
    let name = |which: &str| {
        let name = format!("\\.polylink-door-{}-{number}-{which}.tmp", std::process::id());
        [parent, &name.encode_utf16().collect::<Vec<u16>>()].concat()
    };
    let (first, second) = (name("a"), name("b"));
    let create = Open {
        access: DELETE | FILE_READ_ATTRIBUTES,
        disposition: FILE_CREATE,
        options: FILE_ITSELF | FILE_DELETE_ON_CLOSE,
    };
    let file = open(None, &first, create).map_err(|status| match status {
        NtStatus::OBJECT_PATH_NOT_FOUND => win32(ERROR_PATH_NOT_FOUND),
        status => status.into(),
    })?;
    let as_win32 = |path: &[u16]| verbatim(path).ok_or(Fault::from(NtStatus::OBJECT_NAME_INVALID));
    let moved = call::move_file(&as_win32(&first)?, &as_win32(&second)?, MOVEFILE_CREATE_HARDLINK);
    let stays = open_nt(&first, FILE_READ_ATTRIBUTES).is_ok();
    // the second name goes as well: after a rename on Wine, which deletes by the name that a file was opened by
    let delete = Open {
        access: DELETE,
        disposition: FILE_OPEN,
        options: FILE_ITSELF | FILE_DELETE_ON_CLOSE,
    };
    let second = open(None, &second, delete);
    drop((second, file));
    moved.map_err(win32)?;
    Ok(stays)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use polylink_core::Stat;
    use tempfile::TempDir;

    use super::*;

    fn look(path: &Path) -> Stat {
        let file = open_itself(path, FILE_READ_ATTRIBUTES).unwrap();
        let (id, form) = stat::first_id(&file).unwrap();
        stat::stat(&file, id.volume, form).unwrap()
    }

    /// A folder with a file `a`, which is also `a2`.
    fn setup() -> (TempDir, impl Fn(&str) -> PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().to_path_buf();
        std::fs::write(base.join("a"), "data").unwrap();
        std::fs::hard_link(base.join("a"), base.join("a2")).unwrap();
        (folder, move |name| base.join(name))
    }

    #[test]
    fn where_the_move_renames_the_name_goes_back_and_all_is_as_it_was() {
        let (folder, path) = setup();
        let before = look(&path("a"));
        match link_by_move(&path("a"), &path("b"), Existing::Keep) {
            Ok(()) => {
                assert_eq!(look(&path("a")).links, before.links + 1);
                assert_eq!(look(&path("b")).id, before.id);
            }
            Err(fault) => {
                assert_eq!(fault, NtStatus::NOT_SUPPORTED.into());
                assert_eq!(look(&path("a")), before);
                assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
            }
        }
    }

    #[test]
    fn the_probe_tells_what_the_move_does_and_leaves_nothing() {
        let (folder, path) = setup();
        let links = move_links(&to_nt(&path("new")).unwrap()).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        let linked = link_by_move(&path("a"), &path("b"), Existing::Keep);
        assert_eq!(linked.is_ok(), links, "{linked:?}");
    }
}
