//! The real calls.

use std::ffi::c_void;
use std::num::NonZeroU64;
use std::os::windows::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::path::{Path, PathBuf};
use std::ptr::{null, null_mut};

use polylink_core::{Existing, shown};
use polylink_host::door::{Door, link_through};
use polylink_nt::NtStatus;
use polylink_nt::info::{Form, InfoClass, Layout, LinkInformation};
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Wdk::Storage::FileSystem as wdk;
use windows_sys::Win32::Foundation::{HANDLE, OBJ_CASE_INSENSITIVE, SetLastError, UNICODE_STRING};
use windows_sys::Win32::Globalization::{CP_ACP, MB_ERR_INVALID_CHARS, MultiByteToWideChar};
use windows_sys::Win32::Storage::FileSystem as win32;
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

use crate::failure::Failure;
use crate::text;

/// Sets what `GetLastError` says on this thread.
pub(super) fn set_last_error(code: u32) {
    // SAFETY: it takes any number and touches nothing but the thread's own
    unsafe { SetLastError(code) };
}

/// The path that bytes in the ANSI code page stand for.
pub(super) fn path_of_ansi(bytes: &[u8]) -> Result<PathBuf, Failure> {
    if bytes.is_empty() {
        return Ok(PathBuf::new());
    }
    let invalid = || {
        Failure::of(
            NtStatus::OBJECT_NAME_INVALID,
            "the path is not in the ANSI code page",
        )
    };
    let length = i32::try_from(bytes.len()).map_err(|_| invalid())?;
    // no code page has more units than bytes
    let mut units = vec![0_u16; bytes.len()];
    // SAFETY: `length` bytes are read, and at most as many units are written, which is what `units` has room for
    let written = unsafe {
        MultiByteToWideChar(
            CP_ACP,
            MB_ERR_INVALID_CHARS,
            bytes.as_ptr(),
            length,
            units.as_mut_ptr(),
            length,
        )
    };
    match usize::try_from(written) {
        Ok(written @ 1..) => text::path_of_units(units.get(..written).unwrap_or_default()),
        _ => Err(invalid()),
    }
}

/// CreateHardLink. Paths that are too long for it are put into the form that is not.
pub(super) fn create_hard_link(existing: &Path, new: &Path) -> Result<(), Failure> {
    through(Door::Create, existing, new, Existing::Keep)
}

/// The same; what may replace is the native call.
pub(super) fn link(existing: &Path, new: &Path, on: Existing) -> Result<(), Failure> {
    let door = match on {
        Existing::Keep => Door::Create,
        Existing::Replace => Door::Native,
    };
    through(door, existing, new, on)
}

fn through(door: Door, existing: &Path, new: &Path, on: Existing) -> Result<(), Failure> {
    link_through(door, existing, new, on).map_err(|fault| {
        let tried = format!("cannot link '{}' to '{}'", shown(existing), shown(new));
        Failure::fault(fault, &tried)
    })
}

/// An open file or directory.
#[derive(Debug)]
pub(super) struct File(OwnedHandle);

impl File {
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let failed = |status| Failure::of(status, &format!("cannot open '{}'", shown(path)));
        let nt = nt_path(path).map_err(failed)?;
        // a link wants the right to write attributes; a directory that is linked into may do without
        let reading = win32::FILE_READ_ATTRIBUTES;
        match Self::open_for(&nt, reading | win32::FILE_WRITE_ATTRIBUTES) {
            Err(NtStatus::ACCESS_DENIED | NtStatus::MEDIA_WRITE_PROTECTED) => Self::open_for(&nt, reading),
            opened => opened,
        }
        .map_err(failed)
    }

    fn open_for(path: &[u16], access: u32) -> Result<Self, NtStatus> {
        let bytes = path
            .len()
            .checked_mul(2)
            .and_then(|bytes| u16::try_from(bytes).ok())
            .ok_or(NtStatus::NAME_TOO_LONG)?;
        let name = UNICODE_STRING {
            Length: bytes,
            MaximumLength: bytes,
            Buffer: path.as_ptr().cast_mut(),
        };
        let attributes = OBJECT_ATTRIBUTES {
            Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
            RootDirectory: null_mut(),
            ObjectName: &raw const name,
            Attributes: OBJ_CASE_INSENSITIVE,
            SecurityDescriptor: null(),
            SecurityQualityOfService: null(),
        };
        let mut handle: HANDLE = null_mut();
        let mut block = IO_STATUS_BLOCK::default();
        // SAFETY: the structures, and the path that they lead to, outlive the call, which is synchronous
        let status = unsafe {
            wdk::NtOpenFile(
                &raw mut handle,
                access | win32::SYNCHRONIZE,
                &raw const attributes,
                &raw mut block,
                win32::FILE_SHARE_READ | win32::FILE_SHARE_WRITE | win32::FILE_SHARE_DELETE,
                wdk::FILE_OPEN_REPARSE_POINT
                    | wdk::FILE_OPEN_FOR_BACKUP_INTENT
                    | wdk::FILE_SYNCHRONOUS_IO_NONALERT,
            )
        };
        done(status)?;
        // SAFETY: the call succeeded, so the handle is open and nobody else's
        Ok(Self(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }

    /// NtSetInformationFile with a link's information, in which the root directory becomes the system's own handle.
    pub(super) fn link(
        &self,
        request: &LinkInformation,
        root: Option<&Self>,
        form: Form,
    ) -> Result<(), Failure> {
        let failed = |status| {
            let name = PathBuf::from(std::ffi::OsString::from_wide(&request.name));
            Failure::of(status, &format!("cannot link the file to '{}'", shown(&name)))
        };
        let real = LinkInformation {
            root: root.and_then(|root| NonZeroU64::new(root.0.as_raw_handle().addr() as u64)),
            ..request.clone()
        };
        let class = match form {
            Form::Classic => InfoClass::Link,
            Form::Extended => InfoClass::LinkEx,
        };
        let bytes = real
            .encode(Layout::NATIVE, form)
            .map_err(|error| failed(error.status()))?;
        self.set(class, &bytes).map_err(failed)
    }

    fn set(&self, class: InfoClass, bytes: &[u8]) -> Result<(), NtStatus> {
        let length = u32::try_from(bytes.len()).map_err(|_| NtStatus::INVALID_PARAMETER)?;
        let class = i32::try_from(class.number()).map_err(|_| NtStatus::INVALID_INFO_CLASS)?;
        // the system wants the structure where its handle is aligned
        let mut aligned = vec![0_u64; bytes.len().div_ceil(8)];
        for (to, from) in aligned.iter_mut().zip(bytes.chunks(8)) {
            let mut word = [0; 8];
            word[..from.len()].copy_from_slice(from);
            *to = u64::from_le_bytes(word);
        }
        let mut block = IO_STATUS_BLOCK::default();
        // SAFETY: `aligned` has `length` bytes or more and is only read; the handle is open; the call is synchronous,
        // so `block` outlives it
        let status = unsafe {
            wdk::NtSetInformationFile(
                self.0.as_raw_handle(),
                &raw mut block,
                aligned.as_ptr().cast::<c_void>(),
                length,
                class,
            )
        };
        done(status)
    }
}

fn done(status: i32) -> Result<(), NtStatus> {
    let status = NtStatus::new(status.cast_unsigned());
    if status.is_success() { Ok(()) } else { Err(status) }
}

/// A path as NT has it: `\??\…` as it is, anything else by the rules of Win32.
fn nt_path(path: &Path) -> Result<Vec<u16>, NtStatus> {
    let units = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
    let given: Vec<u16> = path.as_os_str().encode_wide().collect();
    if given.is_empty() {
        return Err(NtStatus::OBJECT_PATH_NOT_FOUND);
    }
    if given.starts_with(&units(r"\??\")) {
        return Ok(given);
    }
    let full = std::path::absolute(path).map_err(|_| NtStatus::OBJECT_PATH_SYNTAX_BAD)?;
    let full: Vec<u16> = full.as_os_str().encode_wide().collect();
    for (win32, nt) in [(r"\\?\", r"\??\"), (r"\\.\", r"\??\"), (r"\\", r"\??\UNC\")] {
        if let Some(rest) = full.strip_prefix(units(win32).as_slice()) {
            return Ok([units(nt).as_slice(), rest].concat());
        }
    }
    Ok([units(r"\??\").as_slice(), &full].concat())
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::Foundation::RtlNtStatusToDosError;

    use super::*;

    #[test]
    fn paths_of_win32_become_those_of_nt() {
        for (path, wanted) in [
            (r"C:\a\b", r"\??\C:\a\b"),
            (r"C:\a\.\c\..\b", r"\??\C:\a\b"),
            (r"C:/a/b", r"\??\C:\a\b"),
            (r"\\?\C:\a", r"\??\C:\a"),
            (r"\\server\share\a", r"\??\UNC\server\share\a"),
            (r"\??\C:\a", r"\??\C:\a"),
        ] {
            let made = nt_path(Path::new(path)).unwrap();
            assert_eq!(String::from_utf16(&made).unwrap(), wanted);
        }
        assert_eq!(nt_path(Path::new("")), Err(NtStatus::OBJECT_PATH_NOT_FOUND));
    }

    #[test]
    fn the_system_makes_the_same_win32_codes_of_statuses() {
        for status in crate::status::all() {
            // SAFETY: it takes any number
            let theirs = unsafe { RtlNtStatusToDosError(status.code().cast_signed()) };
            assert_eq!(crate::status::win32(status), theirs, "{status:?}");
        }
    }

    #[test]
    fn ascii_is_the_same_in_every_code_page() {
        assert_eq!(path_of_ansi(b"C:\\a.jpg").unwrap(), Path::new(r"C:\a.jpg"));
        assert_eq!(path_of_ansi(b"").unwrap(), Path::new(""));
    }
}
