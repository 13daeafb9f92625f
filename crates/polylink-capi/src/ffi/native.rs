//! The call below CreateHardLink: NtSetInformationFile with FILE_LINK_INFORMATION.

use std::ffi::{c_char, c_void};
use std::path::Path;
use std::sync::Arc;

use polylink_nt::NtStatus;
use polylink_nt::info::{Form, Layout, LinkInformation};

use super::system::File;
use super::{args, guard};
use crate::failure::Failure;
use crate::registry::Registry;

/// An open file or directory. Made by PolylinkNtOpenFile and polylink_file_open.
///
/// Several threads may use it.
#[allow(non_camel_case_types)] // as C names its types
#[derive(Debug)]
pub struct polylink_file {
    _opaque: (),
}

/// IO_STATUS_BLOCK: what became of a native call. A call that fails leaves it as it was.
#[derive(Clone, Copy, Debug)]
#[allow(non_snake_case)] // as Windows writes it
#[repr(C)]
pub struct PolylinkIoStatusBlock {
    /// The status.
    pub Status: i32,
    /// 0 after a link was made.
    pub Information: usize,
}

/// FILE_LINK_INFORMATION ([MS-FSCC] 2.4.28), for POLYLINK_FILE_LINK_INFORMATION. Its size, with the padding at its end,
/// is the least that a buffer has, however short the name.
#[derive(Clone, Copy, Debug)]
#[allow(non_snake_case)] // as Windows writes it
#[repr(C)]
pub struct PolylinkFileLinkInformation {
    /// BOOLEAN: whether a name that exists is replaced.
    pub ReplaceIfExists: u8,
    /// NULL, or the directory that FileName is relative to.
    pub RootDirectory: *mut polylink_file,
    /// Bytes of FileName, which has no terminating zero.
    pub FileNameLength: u32,
    /// The first unit of the new name; the others follow.
    pub FileName: [u16; 1],
}

/// FILE_LINK_INFORMATION_EX ([MS-FSCC] 2.4.28), for POLYLINK_FILE_LINK_INFORMATION_EX. As the classic structure, but
/// for its flags.
#[derive(Clone, Copy, Debug)]
#[allow(non_snake_case)] // as Windows writes it
#[repr(C)]
pub struct PolylinkFileLinkInformationEx {
    /// POLYLINK_FILE_LINK_REPLACE_IF_EXISTS and the others.
    pub Flags: u32,
    /// NULL, or the directory that FileName is relative to.
    pub RootDirectory: *mut polylink_file,
    /// Bytes of FileName, which has no terminating zero.
    pub FileNameLength: u32,
    /// The first unit of the new name; the others follow.
    pub FileName: [u16; 1],
}

/// FileLinkInformation, with a PolylinkFileLinkInformation.
pub const POLYLINK_FILE_LINK_INFORMATION: u32 = 11;
/// FileLinkInformationEx, with a PolylinkFileLinkInformationEx.
pub const POLYLINK_FILE_LINK_INFORMATION_EX: u32 = 72;
/// A name that exists is replaced.
pub const POLYLINK_FILE_LINK_REPLACE_IF_EXISTS: u32 = 0x1;
/// A replaced file that is open stays usable through its handles, as it always does on Unix.
pub const POLYLINK_FILE_LINK_POSIX_SEMANTICS: u32 = 0x2;
/// A read-only file may be replaced. Unix has no such attribute.
pub const POLYLINK_FILE_LINK_IGNORE_READONLY_ATTRIBUTE: u32 = 0x40;

static OPEN: Registry<File> = Registry::new();

fn find(file: usize, what: &str) -> Result<Arc<File>, Failure> {
    OPEN.find(file)
        .ok_or_else(|| Failure::of(NtStatus::INVALID_HANDLE, what))
}

/// # Safety
///
/// `out` can be written.
unsafe fn open(out: *mut *mut polylink_file, path: &Path) -> Result<(), Failure> {
    let file = OPEN
        .open(File::open(path)?)
        .ok_or_else(|| Failure::of(NtStatus::INSUFFICIENT_RESOURCES, "no more handles"))?;
    // SAFETY: as the caller promises
    unsafe { args::put(out, std::ptr::without_provenance_mut(file)) };
    Ok(())
}

/// Opens a file or a directory, to link it or to link into it, and returns STATUS_SUCCESS or what NtOpenFile would.
///
/// Of a symbolic link the link itself is opened. On Windows `path` is an NT path (`\??\C:\file`) or one as Win32 has
/// it; the handle shares everything and asks for attributes only. On Unix the handle knows the file by its directory,
/// which stays open, and its name there: once the name leads elsewhere, the handle's name counts as deleted. `*file`
/// has to be closed with polylink_file_close; after a failure it is as it was.
///
/// # Safety
///
/// The caller promises that `file` is NULL or can be written, and that `path` is NULL or ends with a zero. Neither need
/// be aligned.
#[allow(non_snake_case)] // as Windows writes it
#[unsafe(no_mangle)]
pub unsafe extern "system" fn PolylinkNtOpenFile(file: *mut *mut polylink_file, path: *const u16) -> i32 {
    guard::nt(|| {
        if file.is_null() {
            return Err(args::null("where the handle should go"));
        }
        // SAFETY: as the caller promises
        let path = unsafe { args::wide_path(path, "the path") }?;
        // SAFETY: not NULL; the caller promises that it can be written
        unsafe { open(file, &path) }
    })
}

/// As PolylinkNtOpenFile, with the path in bytes on Unix and in UTF-8 on Windows.
///
/// # Safety
///
/// The caller promises that `file` is NULL or can be written, and that `path` is NULL or ends with a zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn polylink_file_open(file: *mut *mut polylink_file, path: *const c_char) -> i32 {
    guard::nt(|| {
        if file.is_null() {
            return Err(args::null("where the handle should go"));
        }
        // SAFETY: as the caller promises
        let path = unsafe { args::path(path, "the path") }?;
        // SAFETY: not NULL; the caller promises that it can be written
        unsafe { open(file, &path) }
    })
}

/// Closes a file, and returns STATUS_SUCCESS, or STATUS_INVALID_HANDLE if it is no open handle. Closing NULL does
/// nothing and succeeds.
#[unsafe(no_mangle)]
pub extern "C" fn polylink_file_close(file: *mut polylink_file) -> i32 {
    guard::nt(|| {
        if file.is_null() || OPEN.close(file.addr()).is_some() {
            Ok(())
        } else {
            Err(Failure::of(NtStatus::INVALID_HANDLE, "cannot close the file"))
        }
    })
}

/// Gives an open file a further name: NtSetInformationFile with FILE_LINK_INFORMATION. Returns STATUS_SUCCESS and fills
/// `io_status`; or the status of the failure, which is the last error as well, and leaves it as it was.
///
/// `information` has `length` bytes and is, by `information_class`, a PolylinkFileLinkInformation (11) or a
/// PolylinkFileLinkInformationEx (72), in the layout of this process. Other classes are STATUS_INVALID_INFO_CLASS, a
/// buffer below the size of the structure is STATUS_INFO_LENGTH_MISMATCH, a FileNameLength that is 0, odd or beyond the
/// buffer is STATUS_INVALID_PARAMETER. RootDirectory is NULL or a polylink_file of a directory, never another handle.
///
/// On Windows FileName is as NT has it: absolute (`\??\C:\name`), relative to RootDirectory, or a plain name beside the
/// name that `file` was opened by. On Unix it is likewise a path that begins with '/', one relative to RootDirectory
/// (through no symbolic link), or a plain name; UTF-16 becomes UTF-8, and what has none is STATUS_OBJECT_NAME_INVALID.
///
/// # Safety
///
/// The caller promises that `information` is NULL or leads to `length` bytes, and that `io_status` is NULL or can be
/// written. Neither need be aligned.
#[allow(non_snake_case)] // as Windows writes it
#[unsafe(no_mangle)]
pub unsafe extern "system" fn PolylinkNtSetInformationFile(
    file: *mut polylink_file,
    io_status: *mut PolylinkIoStatusBlock,
    information: *const c_void,
    length: u32,
    information_class: u32,
) -> i32 {
    guard::nt(|| {
        if io_status.is_null() || information.is_null() {
            return Err(args::null("the status block or the information"));
        }
        let form = match information_class {
            POLYLINK_FILE_LINK_INFORMATION => Form::Classic,
            POLYLINK_FILE_LINK_INFORMATION_EX => Form::Extended,
            _ => {
                return Err(Failure::of(
                    NtStatus::INVALID_INFO_CLASS,
                    "cannot set information",
                ));
            }
        };
        // SAFETY: not NULL; the caller promises `length` bytes
        let bytes = unsafe { args::buffer(information.cast::<u8>(), length) }?;
        let request = decode(bytes, form)?;
        let file = find(file.addr(), "cannot link the file")?;
        let root = match request.root {
            Some(handle) => Some(find(
                usize::try_from(handle.get()).unwrap_or(0),
                "cannot link into the root directory",
            )?),
            None => None,
        };
        file.link(&request, root.as_deref(), form)?;
        let done = PolylinkIoStatusBlock {
            Status: 0,
            Information: 0,
        };
        // SAFETY: not NULL; the caller promises that it can be written
        unsafe { args::put(io_status, done) };
        Ok(())
    })
}

fn decode(bytes: &[u8], form: Form) -> Result<LinkInformation, Failure> {
    LinkInformation::decode(bytes, Layout::NATIVE, form)
        .map_err(|status| Failure::of(status, "cannot make a link of the information"))
}
