//! Every name of a file, by asking NT.

use std::path::PathBuf;

use polylink_core::{Fault, FaultKind, FileId, FsResult, Name};
use polylink_nt::NtStatus;
use polylink_nt::info::{InfoClass, LinksInformation};
use windows_sys::Wdk::Storage::FileSystem::FILE_OPEN;
use windows_sys::Win32::Foundation::{ERROR_HANDLE_EOF, ERROR_INVALID_PARAMETER, ERROR_MORE_DATA};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_NAME_NORMALIZED, FILE_NAME_OPENED, FILE_READ_ATTRIBUTES, VOLUME_NAME_DOS, VOLUME_NAME_GUID,
};

use super::call::{self, File, Names, Open, aligned, open, u32_at};
use super::change::open_by_id;
use super::dir::HostDir;
use super::fault::{lacks_class, win32};
use super::path::{plain, to_nt, verbatim};
use super::stat::{self, ITSELF};

/// No file has so many names that they need more.
const MOST_BYTES: usize = 256 * 1024 * 1024;

/// The path of an open file, in the form `\\?\…`: with a drive letter or mount point, or else the volume's own name.
pub(crate) fn final_path(file: &File) -> Result<Vec<u16>, Fault> {
    let forms = [VOLUME_NAME_DOS, VOLUME_NAME_GUID];
    let kinds = [FILE_NAME_NORMALIZED, FILE_NAME_OPENED];
    let mut refused = 0;
    for form in forms {
        for kind in kinds {
            match file.final_path(form | kind) {
                Ok(path) => return Ok(path),
                Err(code) => refused = code,
            }
        }
    }
    // Wine has no room there for more than MAX_PATH units, but gives the same path, in NT's form, as the object's name.
    // On Windows that name begins with the device, and nothing is refused for its length.
    match file.object_name() {
        Ok(name) if refused == ERROR_MORE_DATA => verbatim(&name).ok_or(win32(refused)),
        _ => Err(win32(refused)),
    }
}

/// Every name, or `None` where the system does not say, or does not say all of them: those in directories that one may
/// not pass through are kept from us.
pub(super) fn names_of(dir: &HostDir, name: Name<'_>) -> FsResult<Option<Vec<PathBuf>>> {
    let file = dir.open(name, FILE_READ_ATTRIBUTES, ITSELF)?;
    let id = dir.id(&file)?;
    let own = final_path(&file)?;
    if stat::links(&file)? == 1 {
        return Ok(leads_to(&own, dir, id).then(|| vec![plain(&own)]));
    }
    let asked = match ask_win32(&own) {
        Ok(names) => Some(names),
        Err(fault) if is_not_offered(fault) => ask_nt(dir, &file)?,
        Err(fault) => return Err(fault),
    };
    let Some(mut names) = asked else {
        return Ok(None);
    };
    names.sort();
    names.dedup();
    names.retain(|path| leads_to(path, dir, id));
    let links = stat::links(&file)?;
    Ok((names.len() as u64 == links).then(|| names.iter().map(|path| plain(path)).collect()))
}

fn is_not_offered(fault: Fault) -> bool {
    // the statuses of `lacks_class`, as Win32 tells them
    fault.kind() == FaultKind::Unsupported || fault == win32(ERROR_INVALID_PARAMETER)
}

/// `FindFirstFileNameW`: names are relative to the volume, and begin with `\`.
fn ask_win32(path: &[u16]) -> FsResult<Vec<Vec<u16>>> {
    let mut root = call::volume_path(path).map_err(win32)?;
    if root.last() == Some(&u16::from(b'\\')) {
        root.pop();
    }
    let absolute = |name: Vec<u16>| [root.as_slice(), name.as_slice()].concat();
    let (search, first) = Names::first(path).map_err(win32)?;
    let mut names = vec![absolute(first)];
    loop {
        match search.next() {
            Ok(name) => names.push(absolute(name)),
            Err(ERROR_HANDLE_EOF) => return Ok(names),
            Err(code) => return Err(win32(code)),
        }
    }
}

/// `FileHardLinkInformation`: names with the ids of their directories.
fn ask_nt(dir: &HostDir, file: &File) -> FsResult<Option<Vec<Vec<u16>>>> {
    let Some(links) = links_information(file)? else {
        return Ok(None);
    };
    let mut names = Vec::new();
    for entry in links.entries {
        // where the directory cannot be opened or has no path, the name is missing, which the count shows
        let parent = open_by_id(&dir.file, entry.parent, FILE_READ_ATTRIBUTES)
            .map_err(Fault::from)
            .and_then(|parent| final_path(&parent));
        if let Ok(mut path) = parent {
            if path.last() != Some(&u16::from(b'\\')) {
                path.push(u16::from(b'\\'));
            }
            path.extend(entry.name);
            names.push(path);
        }
    }
    Ok(Some(names))
}

fn links_information(file: &File) -> FsResult<Option<LinksInformation>> {
    let mut size = 64 * 1024;
    loop {
        let mut buffer = vec![0; size + 8];
        let buffer = aligned(&mut buffer);
        match file.query(InfoClass::HardLink.number().cast_signed(), buffer) {
            Ok(filled) => {
                return match LinksInformation::decode(&buffer[..filled]) {
                    Ok(links) => Ok(Some(links)),
                    Err(_) => Err(NtStatus::FILE_CORRUPT_ERROR.into()),
                };
            }
            // what was filled begins with how much is needed; a name may come in between
            Err(NtStatus::BUFFER_OVERFLOW) if size < MOST_BYTES => {
                let needed = u32_at(buffer, 0).unwrap_or(0) as usize;
                size = needed.max(size * 2).min(MOST_BYTES);
            }
            Err(status) if lacks_class(status) => return Ok(None),
            Err(status) => return Err(status.into()),
        }
    }
}

/// Whether a path, as the system gave it, still leads to the file.
fn leads_to(path: &[u16], dir: &HostDir, id: FileId) -> bool {
    let how = Open {
        access: FILE_READ_ATTRIBUTES,
        disposition: FILE_OPEN,
        options: ITSELF,
    };
    to_nt(&super::path::to_path(path))
        .ok()
        .and_then(|path| open(None, &path, how).ok())
        .and_then(|file| dir.id(&file).ok())
        .is_some_and(|found| found == id)
}

#[cfg(test)]
mod tests {
    use polylink_core::{At, LinkFs as _};

    use super::*;
    use crate::HostFs;

    #[test]
    #[ignore = "only a real Windows confirms it"]
    fn real_windows_nt_tells_the_same_names_as_win32() {
        let folder = tempfile::tempdir().unwrap();
        let fs = HostFs::new();
        let dir = fs.open_dir(folder.path()).unwrap();
        let at = |name| At::new(&dir, Name::new(name));
        std::fs::write(folder.path().join("a name that is not 8.3.text"), "").unwrap();
        fs.make_dir(at("d")).unwrap();
        let below = fs.open_child(at("d")).unwrap();
        for i in 0..500 {
            let name = format!("{i:04} {}", "x".repeat(200));
            let new = At::new(&below, Name::new(&name));
            fs.link(at("a name that is not 8.3.text"), new).unwrap();
        }
        let handle: &HostDir = dir.handle().unwrap();
        let name = Name::new("a name that is not 8.3.text");
        let file = handle.open(name, FILE_READ_ATTRIBUTES, ITSELF).unwrap();
        let mut by_win32 = ask_win32(&final_path(&file).unwrap()).unwrap();
        let mut by_nt = ask_nt(handle, &file).unwrap().expect("NTFS has the class");
        by_win32.sort();
        by_nt.sort();
        assert_eq!(by_nt, by_win32);
        assert_eq!(by_nt.len(), 501);
    }
}
