//! The facts on Windows.

use std::io;
use std::os::windows::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use polylink_core::{Code, Dir, Fault, FsResult, LinkFs as _, PathError, ResultExt as _};
use polylink_nt::NtStatus;

use super::{Attributes, Mount};
use crate::HostFs;
use crate::sys::windows as sys;

pub(super) fn mount_of(path: &Path) -> io::Result<Mount> {
    find_mount(path).map_err(|fault| match fault.code() {
        Code::Win32(code) => io::Error::from_raw_os_error(code.cast_signed()),
        Code::NtStatus(status) => io::Error::from_raw_os_error(NtStatus::new(status).win32().cast_signed()),
        _ => io::Error::other(fault),
    })
}

fn find_mount(path: &Path) -> FsResult<Mount> {
    let file = sys::open_path(path)?;
    let device = sys::Device::of(&file)?;
    let point = sys::volume_path(&sys::final_path(&file)?).map_err(sys::win32_fault)?;
    // a share has no such name, and is its own source
    let shown = sys::plain(&point);
    let source = sys::volume_name(&wide(&shown)).map_or_else(|_| shown.clone(), |name| sys::to_path(&name));
    let mut options = vec![if device.read_only() { "ro" } else { "rw" }];
    if device.remote {
        options.push("remote");
    }
    Ok(Mount {
        point: shown,
        root: PathBuf::from("\\"),
        source: source.to_string_lossy().into_owned(),
        options: options.join(","),
        fs: device.kind,
    })
}

fn wide(path: &Path) -> Vec<u16> {
    path.as_os_str().encode_wide().collect()
}

pub(super) fn attributes(_path: &Path) -> Option<Attributes> {
    None
}

pub(super) fn protected_hardlinks() -> Option<bool> {
    None
}

pub(super) fn user_name(uid: u32) -> Option<String> {
    (sys::user_number() == Some(uid)).then(sys::user_name).flatten()
}

/// The relative identifier of `S-1-0-0`, nobody.
const NOBODY: u32 = 0;

pub(super) fn current_user() -> u32 {
    sys::user_number().unwrap_or(NOBODY)
}

pub(super) fn raise_open_files() {}

pub(super) fn sync(dir: &Dir) -> FsResult<()> {
    HostFs::new().sync(dir)
}

pub(super) fn fault_of(error: &io::Error) -> Option<Fault> {
    error
        .raw_os_error()
        .map(|code| sys::win32_fault(code.cast_unsigned()))
}

pub(super) fn absolute(path: &Path) -> Result<PathBuf, PathError> {
    sys::open_path(path)
        .and_then(|file| sys::final_path(&file))
        .map(|found| sys::plain(&found))
        .map_err(sys::sorted)
        .at("find", path)
}
