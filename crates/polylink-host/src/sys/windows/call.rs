//! The system's calls, each behind a safe function: all the unsafe code of the Windows half.
//!
//! Paths and names are UTF-16 units without a final NUL; a unit 0 in one is refused, since the calls would stop there.

#![allow(unsafe_code)]

use std::ffi::c_void;
use std::mem::transmute;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle, RawHandle};
use std::ptr::{null, null_mut};
use std::sync::OnceLock;

use polylink_nt::NtStatus;
use windows_sys::Wdk::Foundation::{NtQueryObject, OBJECT_ATTRIBUTES};
use windows_sys::Wdk::Storage::FileSystem as wdk;
use windows_sys::Wdk::System::SystemServices::RtlValidRelativeSecurityDescriptor;
use windows_sys::Win32::Foundation::{
    ERROR_CALL_NOT_IMPLEMENTED, ERROR_INVALID_NAME, ERROR_MORE_DATA, GetLastError, HANDLE,
    INVALID_HANDLE_VALUE, NTSTATUS, OBJ_CASE_INSENSITIVE, RtlNtStatusToDosError, UNICODE_STRING,
};
use windows_sys::Win32::Security::{
    DACL_SECURITY_INFORMATION, GetSidSubAuthority, GetSidSubAuthorityCount, GetTokenInformation, TOKEN_QUERY,
    TOKEN_USER, TokenUser,
};
use windows_sys::Win32::Storage::FileSystem as win32;
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};
use windows_sys::Win32::System::WindowsProgramming::GetUserNameW;

/// `ObjectNameInformation` (ntifs.h).
const OBJECT_NAME_INFORMATION_CLASS: i32 = 1;

/// A code of Win32.
pub(crate) type Win32Error = u32;

/// A file or directory that [`open`] opened, and nobody else: so it is open for synchronous calls, and whatever is
/// asked of it is over when the call returns.
#[derive(Debug)]
pub(crate) struct File(OwnedHandle);

/// How to open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    /// The rights asked for; SYNCHRONIZE is always among them.
    pub(super) access: u32,
    /// FILE_OPEN or FILE_CREATE.
    pub(super) disposition: u32,
    /// Options of `NtCreateFile`; FILE_SYNCHRONOUS_IO_NONALERT is always among them.
    pub(super) options: u32,
}

/// Bytes that the system may fill with structures: aligned as the widest of their fields.
#[repr(C, align(8))]
#[derive(Clone, Copy, Debug)]
pub(super) struct Aligned<const N: usize>(pub(super) [u8; N]);

impl<const N: usize> Aligned<N> {
    pub(super) const fn new() -> Self {
        Self([0; N])
    }

    /// The 32 bits at `at`.
    pub(super) fn u32(&self, at: usize) -> u32 {
        u32_at(&self.0, at).unwrap_or(0)
    }

    /// The 64 bits at `at`.
    pub(super) fn u64(&self, at: usize) -> u64 {
        u64_at(&self.0, at).unwrap_or(0)
    }
}

/// The 32 bits at `at`, where there are so many.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

/// The 64 bits at `at`, where there are so many.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().copied().map(u64::from_le_bytes)
}

/// The UTF-16 units in `bytes`.
pub(super) fn units(bytes: &[u8]) -> Vec<u16> {
    bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect()
}

/// The part of `bytes` that starts where the system can put structures.
pub(super) fn aligned(bytes: &mut [u8]) -> &mut [u8] {
    let skip = bytes.as_ptr().align_offset(8).min(bytes.len());
    &mut bytes[skip..]
}

fn done(status: NTSTATUS) -> Result<(), NtStatus> {
    let status = NtStatus::new(status.cast_unsigned());
    if status.is_success() { Ok(()) } else { Err(status) }
}

fn win32(success: i32) -> Result<(), Win32Error> {
    if success == 0 { Err(last_error()) } else { Ok(()) }
}

fn last_error() -> Win32Error {
    // SAFETY: it reads a number of this thread, and needs nothing.
    unsafe { GetLastError() }
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Opens the file `name`: below the directory `root`, or, without one, by its whole path in NT's form. An empty name
/// opens `root` itself anew.
pub(super) fn open(root: Option<&File>, name: &[u16], how: Open) -> Result<File, NtStatus> {
    let Some(bytes) = name
        .len()
        .checked_mul(2)
        .and_then(|bytes| u16::try_from(bytes).ok())
    else {
        return Err(NtStatus::NAME_TOO_LONG);
    };
    let name = UNICODE_STRING {
        Length: bytes,
        MaximumLength: bytes,
        Buffer: name.as_ptr().cast_mut(),
    };
    let attributes = OBJECT_ATTRIBUTES {
        Length: length(size_of::<OBJECT_ATTRIBUTES>()),
        RootDirectory: root.map_or(null_mut(), File::raw),
        ObjectName: &raw const name,
        Attributes: OBJ_CASE_INSENSITIVE,
        SecurityDescriptor: null(),
        SecurityQualityOfService: null(),
    };
    let mut handle: HANDLE = null_mut();
    let mut answer = IO_STATUS_BLOCK::default();
    // SAFETY: `attributes` and the `name` it points at live until the call returns, and are only read (the system
    // writes to no object name); `Length` is that of the buffer. `handle` and `answer` are ours to be written. The
    // null pointers are allowed for what they stand: no allocation size, no extended attributes.
    let status = unsafe {
        wdk::NtCreateFile(
            &raw mut handle,
            how.access | win32::SYNCHRONIZE,
            &raw const attributes,
            &raw mut answer,
            null(),
            win32::FILE_ATTRIBUTE_NORMAL,
            win32::FILE_SHARE_READ | win32::FILE_SHARE_WRITE | win32::FILE_SHARE_DELETE,
            how.disposition,
            how.options | wdk::FILE_SYNCHRONOUS_IO_NONALERT,
            null(),
            0,
        )
    };
    done(status)?;
    // SAFETY: the call succeeded, so `handle` is open, and nobody else knows it.
    Ok(File(unsafe { OwnedHandle::from_raw_handle(handle as RawHandle) }))
}

impl File {
    fn raw(&self) -> HANDLE {
        self.0.as_raw_handle() as HANDLE
    }

    /// The handle as a number, for structures that hold one.
    pub(super) fn number(&self) -> u64 {
        self.raw() as usize as u64
    }

    /// `NtQueryInformationFile`: how many bytes were filled.
    pub(super) fn query(&self, class: i32, buffer: &mut [u8]) -> Result<usize, NtStatus> {
        let mut answer = IO_STATUS_BLOCK::default();
        // SAFETY: the system writes at most `length` bytes to `buffer`, which is ours, and only until the call
        // returns, since the file is open for synchronous calls.
        let status = unsafe {
            wdk::NtQueryInformationFile(
                self.raw(),
                &raw mut answer,
                buffer.as_mut_ptr().cast::<c_void>(),
                length(buffer.len()),
                class,
            )
        };
        done(status)?;
        Ok(answer.Information.min(buffer.len()))
    }

    /// `NtQueryVolumeInformationFile`: how many bytes were filled.
    pub(super) fn query_volume(&self, class: i32, buffer: &mut [u8]) -> Result<usize, NtStatus> {
        let mut answer = IO_STATUS_BLOCK::default();
        // SAFETY: as in `query`.
        let status = unsafe {
            wdk::NtQueryVolumeInformationFile(
                self.raw(),
                &raw mut answer,
                buffer.as_mut_ptr().cast::<c_void>(),
                length(buffer.len()),
                class,
            )
        };
        done(status)?;
        Ok(answer.Information.min(buffer.len()))
    }

    /// `NtQueryDirectoryFile` for all names: how many bytes were filled.
    pub(super) fn query_directory(
        &self,
        class: i32,
        restart: Restart,
        buffer: &mut [u8],
    ) -> Result<usize, NtStatus> {
        let mut answer = IO_STATUS_BLOCK::default();
        // SAFETY: as in `query`; without an event, a routine to call or a pattern.
        let status = unsafe {
            wdk::NtQueryDirectoryFile(
                self.raw(),
                null_mut(),
                None,
                null(),
                &raw mut answer,
                buffer.as_mut_ptr().cast::<c_void>(),
                length(buffer.len()),
                class,
                false,
                null(),
                restart == Restart::Yes,
            )
        };
        done(status)?;
        Ok(answer.Information.min(buffer.len()))
    }

    /// `NtSetInformationFile`.
    pub(super) fn set(&self, class: i32, information: &[u8]) -> Result<(), NtStatus> {
        let mut room = vec![0; information.len() + 8];
        let bytes = &mut aligned(&mut room)[..information.len()];
        bytes.copy_from_slice(information);
        let mut answer = IO_STATUS_BLOCK::default();
        // SAFETY: the system reads `length` bytes of `bytes` until the call returns.
        done(unsafe {
            wdk::NtSetInformationFile(
                self.raw(),
                &raw mut answer,
                bytes.as_ptr().cast::<c_void>(),
                length(bytes.len()),
                class,
            )
        })
    }

    /// `NtReadFile`: how many bytes came, 0 behind the end.
    pub(super) fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, NtStatus> {
        let mut answer = IO_STATUS_BLOCK::default();
        let Ok(offset) = i64::try_from(offset) else {
            return Ok(0);
        };
        // SAFETY: as in `query`; `offset` is only read. Without an event, a routine to call or a key.
        let status = unsafe {
            wdk::NtReadFile(
                self.raw(),
                null_mut(),
                None,
                null(),
                &raw mut answer,
                buffer.as_mut_ptr().cast::<c_void>(),
                length(buffer.len()),
                &raw const offset,
                null(),
            )
        };
        match done(status) {
            Err(NtStatus::END_OF_FILE) => Ok(0),
            Err(status) => Err(status),
            Ok(()) => Ok(answer.Information.min(buffer.len())),
        }
    }

    /// `NtWriteFile`: how many bytes went.
    pub(super) fn write(&self, offset: u64, bytes: &[u8]) -> Result<usize, NtStatus> {
        let mut answer = IO_STATUS_BLOCK::default();
        let offset = i64::try_from(offset).map_err(|_| NtStatus::INVALID_PARAMETER)?;
        // SAFETY: the system reads at most `length` bytes of `bytes`, and `offset`, until the call returns. Without an
        // event, a routine to call or a key.
        done(unsafe {
            wdk::NtWriteFile(
                self.raw(),
                null_mut(),
                None,
                null(),
                &raw mut answer,
                bytes.as_ptr().cast::<c_void>(),
                length(bytes.len()),
                &raw const offset,
                null(),
            )
        })?;
        Ok(answer.Information.min(bytes.len()))
    }

    /// `NtFsControlFile`: how many bytes of `output` were filled. A buffer that was too small for all counts as filled.
    pub(super) fn control(&self, code: u32, input: &[u8], output: &mut [u8]) -> Result<usize, NtStatus> {
        let mut answer = IO_STATUS_BLOCK::default();
        // SAFETY: the system reads at most the first length of bytes of `input` and writes at most the second to
        // `output`, both ours, and only until the call returns. Without an event or a routine to call.
        let status = unsafe {
            wdk::NtFsControlFile(
                self.raw(),
                null_mut(),
                None,
                null(),
                &raw mut answer,
                code,
                input.as_ptr().cast::<c_void>(),
                length(input.len()),
                output.as_mut_ptr().cast::<c_void>(),
                length(output.len()),
            )
        };
        match done(status) {
            Ok(()) | Err(NtStatus::BUFFER_OVERFLOW) => Ok(answer.Information.min(output.len())),
            Err(status) => Err(status),
        }
    }

    /// `NtQuerySecurityObject` for the access list: a descriptor as one piece of bytes.
    pub(super) fn access_list(&self) -> Result<Vec<u8>, NtStatus> {
        let mut buffer = vec![0_u64; 32];
        loop {
            let mut needed = 0;
            let room = length(buffer.len() * 8);
            // SAFETY: the system writes at most `room` bytes to `buffer`, which is aligned for a descriptor, and the
            // length to `needed`.
            let status = unsafe {
                wdk::NtQuerySecurityObject(
                    self.raw(),
                    DACL_SECURITY_INFORMATION,
                    buffer.as_mut_ptr().cast::<c_void>(),
                    room,
                    &raw mut needed,
                )
            };
            match done(status) {
                Err(NtStatus::BUFFER_TOO_SMALL) if needed > room => {
                    buffer.resize(needed.div_ceil(8) as usize, 0);
                }
                Err(status) => return Err(status),
                Ok(()) => {
                    let bytes = buffer.iter().flat_map(|word| word.to_le_bytes());
                    return Ok(bytes.take(needed.min(room) as usize).collect());
                }
            }
        }
    }

    /// `NtSetSecurityObject` for the access list, of a descriptor that [`File::access_list`] gave, on whatever system.
    pub(super) fn set_access_list(&self, descriptor: &[u8]) -> Result<(), NtStatus> {
        // a zeroed tail, so that no field that the system looks at lies behind the buffer
        let mut buffer = vec![0_u64; descriptor.len().div_ceil(8) + 8];
        for (word, bytes) in buffer.iter_mut().zip(descriptor.chunks(8)) {
            let mut whole = [0; 8];
            whole[..bytes.len()].copy_from_slice(bytes);
            *word = u64::from_le_bytes(whole);
        }
        let len = length(descriptor.len());
        // SAFETY: `buffer` is aligned and longer than `len`, and the system only reads it.
        let valid = unsafe {
            RtlValidRelativeSecurityDescriptor(
                buffer.as_mut_ptr().cast::<c_void>(),
                len,
                DACL_SECURITY_INFORMATION,
            )
        };
        if !valid {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        // SAFETY: the descriptor was found valid within its length, and the system only reads it.
        done(unsafe {
            wdk::NtSetSecurityObject(
                self.raw(),
                DACL_SECURITY_INFORMATION,
                buffer.as_mut_ptr().cast::<c_void>(),
            )
        })
    }

    /// `NtFlushBuffersFile`.
    pub(super) fn flush(&self) -> Result<(), NtStatus> {
        let mut answer = IO_STATUS_BLOCK::default();
        // SAFETY: only `answer` is written, until the call returns.
        done(unsafe { wdk::NtFlushBuffersFile(self.raw(), &raw mut answer) })
    }

    /// `NtQueryObject` for the name by which the system knows it: a path from the root of NT's names.
    pub(super) fn object_name(&self) -> Result<Vec<u16>, NtStatus> {
        // UNICODE_STRING: Length u16, MaximumLength u16, and a pointer to the text, which lies behind it
        const HEADER: usize = size_of::<UNICODE_STRING>();
        let mut buffer = vec![0; HEADER + usize::from(u16::MAX) + 9];
        let buffer = aligned(&mut buffer);
        // SAFETY: the system writes at most `length` bytes to `buffer`; nobody asks how many.
        done(unsafe {
            NtQueryObject(
                self.raw(),
                OBJECT_NAME_INFORMATION_CLASS,
                buffer.as_mut_ptr().cast::<c_void>(),
                length(buffer.len()),
                null_mut(),
            )
        })?;
        let len = usize::from(u16::from_le_bytes([buffer[0], buffer[1]]));
        Ok(units(buffer[HEADER..].get(..len).unwrap_or_default()))
    }

    /// `GetFinalPathNameByHandleW`.
    pub(super) fn final_path(&self, flags: u32) -> Result<Vec<u16>, Win32Error> {
        grown(|buffer| {
            // SAFETY: at most `length` units are written to `buffer`.
            unsafe {
                win32::GetFinalPathNameByHandleW(self.raw(), buffer.as_mut_ptr(), length(buffer.len()), flags)
            }
        })
    }
}

/// Whether a directory read begins anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Restart {
    Yes,
    No,
}

/// The answer of a call that returns the units it wrote, or those it needs if they are more than `buffer` holds, or 0.
fn grown(mut call: impl FnMut(&mut [u16]) -> u32) -> Result<Vec<u16>, Win32Error> {
    let mut buffer = vec![0; 512];
    loop {
        let units = call(&mut buffer) as usize;
        match units {
            0 => return Err(last_error()),
            units if units < buffer.len() => {
                buffer.truncate(units);
                return Ok(buffer);
            }
            // where it is exactly the length, the final NUL has no place
            units => buffer.resize(units + 1, 0),
        }
    }
}

/// A copy with a final NUL; refused where there is one inside.
fn terminated(text: &[u16]) -> Result<Vec<u16>, Win32Error> {
    if text.contains(&0) {
        return Err(ERROR_INVALID_NAME);
    }
    let mut owned = Vec::with_capacity(text.len() + 1);
    owned.extend_from_slice(text);
    owned.push(0);
    Ok(owned)
}

fn until_nul(mut buffer: Vec<u16>) -> Vec<u16> {
    let end = buffer.iter().position(|&unit| unit == 0).unwrap_or(buffer.len());
    buffer.truncate(end);
    buffer
}

/// `RtlNtStatusToDosError`: the code of Win32 for a status.
pub(super) fn win32_of(status: NtStatus) -> Win32Error {
    // SAFETY: it looks a number up, and needs nothing.
    unsafe { RtlNtStatusToDosError(status.code().cast_signed()) }
}

/// `GetFullPathNameW`.
pub(super) fn full_path(path: &[u16]) -> Result<Vec<u16>, Win32Error> {
    let path = terminated(path)?;
    grown(|buffer| {
        // SAFETY: `path` ends with a NUL; at most `length` units are written to `buffer`; nobody asks for the part.
        unsafe {
            win32::GetFullPathNameW(
                path.as_ptr(),
                length(buffer.len()),
                buffer.as_mut_ptr(),
                null_mut(),
            )
        }
    })
}

/// `GetVolumePathNameW`: where the volume of a path is mounted.
pub(crate) fn volume_path(path: &[u16]) -> Result<Vec<u16>, Win32Error> {
    let path = terminated(path)?;
    // no longer than the path itself, or its full form
    let mut buffer = vec![0; path.len().max(512) + 1];
    // SAFETY: `path` ends with a NUL; at most `length` units are written to `buffer`.
    win32(unsafe { win32::GetVolumePathNameW(path.as_ptr(), buffer.as_mut_ptr(), length(buffer.len())) })?;
    Ok(until_nul(buffer))
}

/// `GetVolumeNameForVolumeMountPointW`: the volume's own name, `\\?\Volume{…}\`.
pub(crate) fn volume_name(point: &[u16]) -> Result<Vec<u16>, Win32Error> {
    let point = terminated(point)?;
    let mut buffer = vec![0; 64];
    // SAFETY: `point` ends with a NUL; at most `length` units are written to `buffer`.
    win32(unsafe {
        win32::GetVolumeNameForVolumeMountPointW(point.as_ptr(), buffer.as_mut_ptr(), length(buffer.len()))
    })?;
    Ok(until_nul(buffer))
}

/// `CreateHardLinkW`.
pub(super) fn create_hard_link(new: &[u16], existing: &[u16]) -> Result<(), Win32Error> {
    let (new, existing) = (terminated(new)?, terminated(existing)?);
    // SAFETY: both end with a NUL; the third argument must be null.
    win32(unsafe { win32::CreateHardLinkW(new.as_ptr(), existing.as_ptr(), null()) })
}

/// `MoveFileExW`.
pub(super) fn move_file(existing: &[u16], new: &[u16], flags: u32) -> Result<(), Win32Error> {
    let (existing, new) = (terminated(existing)?, terminated(new)?);
    // SAFETY: both end with a NUL.
    win32(unsafe { win32::MoveFileExW(existing.as_ptr(), new.as_ptr(), flags) })
}

type FindFirst = unsafe extern "system" fn(*const u16, u32, *mut u32, *mut u16) -> HANDLE;
type FindNext = unsafe extern "system" fn(HANDLE, *mut u32, *mut u16) -> i32;

/// `FindFirstFileNameW` and `FindNextFileNameW`, which Wine lacks: a program that needed them to start would not.
#[derive(Clone, Copy, Debug)]
struct Finders {
    first: FindFirst,
    next: FindNext,
}

impl Finders {
    fn load() -> Option<Self> {
        static LOADED: OnceLock<Option<Finders>> = OnceLock::new();
        *LOADED.get_or_init(|| {
            // SAFETY: both names end with a NUL; kernel32 is in every process and never unloaded, so what is found in
            // it stays. The types are those of the documented functions of these names.
            unsafe {
                let kernel32 = GetModuleHandleW(windows_sys::w!("kernel32.dll"));
                let first = GetProcAddress(kernel32, windows_sys::s!("FindFirstFileNameW"))?;
                let next = GetProcAddress(kernel32, windows_sys::s!("FindNextFileNameW"))?;
                Some(Self {
                    first: transmute::<unsafe extern "system" fn() -> isize, FindFirst>(first),
                    next: transmute::<unsafe extern "system" fn() -> isize, FindNext>(next),
                })
            }
        })
    }
}

/// The names of a file, one after the other: `FindFirstFileNameW` and its like.
#[derive(Debug)]
pub(super) struct Names {
    search: HANDLE,
    finders: Finders,
}

impl Drop for Names {
    fn drop(&mut self) {
        // SAFETY: `search` is that of a search which succeeded, and nobody else closes it. OK to ignore: it only reads.
        unsafe { win32::FindClose(self.search) };
    }
}

impl Names {
    /// Begins, with the first name.
    pub(super) fn first(path: &[u16]) -> Result<(Self, Vec<u16>), Win32Error> {
        let finders = Finders::load().ok_or(ERROR_CALL_NOT_IMPLEMENTED)?;
        let path = terminated(path)?;
        let mut search = INVALID_HANDLE_VALUE;
        let name = Self::name(|len, buffer| {
            // SAFETY: `path` ends with a NUL; at most `*len` units are written to `buffer`.
            search = unsafe { (finders.first)(path.as_ptr(), 0, len, buffer.as_mut_ptr()) };
            search != INVALID_HANDLE_VALUE
        })?;
        Ok((Self { search, finders }, name))
    }

    /// The next name; the error ERROR_HANDLE_EOF after the last.
    pub(super) fn next(&self) -> Result<Vec<u16>, Win32Error> {
        Self::name(|len, buffer| {
            // SAFETY: the search is open; at most `*len` units are written to `buffer`.
            unsafe { (self.finders.next)(self.search, len, buffer.as_mut_ptr()) != 0 }
        })
    }

    /// Calls with a length that is that of the buffer, until the name fits.
    fn name(mut call: impl FnMut(&mut u32, &mut [u16]) -> bool) -> Result<Vec<u16>, Win32Error> {
        let mut buffer = vec![0; 512];
        loop {
            let mut len = length(buffer.len());
            if call(&mut len, &mut buffer) {
                return Ok(until_nul(buffer));
            }
            match last_error() {
                ERROR_MORE_DATA if len as usize > buffer.len() => buffer.resize(len as usize, 0),
                error => return Err(error),
            }
        }
    }
}

/// The last part of the identifier of the user that this process acts as.
pub(crate) fn user_number() -> Option<u32> {
    let mut token: HANDLE = null_mut();
    // SAFETY: the process's own handle needs no closing; `token` is ours to be written.
    win32(unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) }).ok()?;
    // SAFETY: the call succeeded, so `token` is open, and nobody else knows it.
    let token = unsafe { OwnedHandle::from_raw_handle(token as RawHandle) };
    let mut buffer = Aligned::<256>::new();
    let mut len = 0;
    // SAFETY: at most `length` bytes are written to `buffer`.
    win32(unsafe {
        GetTokenInformation(
            token.as_raw_handle() as HANDLE,
            TokenUser,
            buffer.0.as_mut_ptr().cast::<c_void>(),
            length(buffer.0.len()),
            &raw mut len,
        )
    })
    .ok()?;
    // SAFETY: the buffer now begins with a TOKEN_USER, for which it is long and aligned enough, and whose identifier
    // lies in the same buffer, which stays; the index is below the count that is read first.
    unsafe {
        let sid = (*buffer.0.as_ptr().cast::<TOKEN_USER>()).User.Sid;
        let last = u32::from(*GetSidSubAuthorityCount(sid)).checked_sub(1)?;
        Some(*GetSidSubAuthority(sid, last))
    }
}

/// The name of the user that this process acts as.
pub(crate) fn user_name() -> Option<String> {
    let mut buffer = vec![0; 512];
    let mut len = length(buffer.len());
    // SAFETY: at most `len` units are written to `buffer`.
    win32(unsafe { GetUserNameW(buffer.as_mut_ptr(), &raw mut len) })
        .ok()
        .map(|()| String::from_utf16_lossy(&until_nul(buffer)))
}
