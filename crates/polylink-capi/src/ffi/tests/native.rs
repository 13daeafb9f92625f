//! NtSetInformationFile.

use polylink_nt::NtStatus;
use polylink_nt::info::{Form, Layout, LinkFlags, LinkInformation};

use super::super::native::*;
use super::*;

const UNTOUCHED: i32 = 0x5EAD_BEEF;

/// An open handle. It closes itself before the folder goes, also where a test fails.
#[derive(PartialEq, Debug)]
pub(super) struct Open(pub(super) *mut polylink_file);

impl Drop for Open {
    fn drop(&mut self) {
        // OK to ignore: a test may have closed it
        let _ = polylink_file_close(self.0);
    }
}

pub(super) fn open(folder: &Folder, name: &str) -> Result<Open, NtStatus> {
    let path = folder.w(name);
    let mut file = std::ptr::null_mut();
    // SAFETY: the path ends with a zero
    status(unsafe { PolylinkNtOpenFile(&raw mut file, path.as_ptr()) }).map(|()| Open(file))
}

fn status(code: i32) -> Result<(), NtStatus> {
    match NtStatus::new(code.cast_unsigned()) {
        NtStatus::SUCCESS => Ok(()),
        status => {
            assert_eq!(polylink_last_error_status(), code);
            assert_eq!(polylink_last_error(), crate::status::win32(status));
            Err(status)
        }
    }
}

/// A call with bytes as they are; the status block is filled or left alone.
pub(super) fn set(file: *mut polylink_file, bytes: &[u8], length: u32, class: u32) -> Result<(), NtStatus> {
    let mut block = PolylinkIoStatusBlock {
        Status: UNTOUCHED,
        Information: 77,
    };
    // SAFETY: of the bytes no more are read than there are: callers pass longer lengths only where they are refused
    let code =
        unsafe { PolylinkNtSetInformationFile(file, &raw mut block, bytes.as_ptr().cast(), length, class) };
    match code {
        0 => assert_eq!((block.Status, block.Information), (0, 0)),
        _ => assert_eq!((block.Status, block.Information), (UNTOUCHED, 77)),
    }
    status(code)
}

fn information(form: Form, flags: LinkFlags, root: *mut polylink_file, name: &str) -> Vec<u8> {
    LinkInformation {
        flags,
        root: std::num::NonZeroU64::new(root.addr() as u64),
        name: name.encode_utf16().collect(),
    }
    .encode(Layout::NATIVE, form)
    .unwrap()
}

/// A link by the classic class.
fn link_by(
    file: *mut polylink_file,
    flags: LinkFlags,
    root: *mut polylink_file,
    name: &str,
) -> Result<(), NtStatus> {
    let bytes = information(Form::Classic, flags, root, name);
    set(
        file,
        &bytes,
        bytes.len().try_into().unwrap(),
        POLYLINK_FILE_LINK_INFORMATION,
    )
}

#[cfg(unix)]
fn link_ex(
    file: *mut polylink_file,
    flags: LinkFlags,
    root: *mut polylink_file,
    name: &str,
) -> Result<(), NtStatus> {
    let bytes = information(Form::Extended, flags, root, name);
    set(
        file,
        &bytes,
        bytes.len().try_into().unwrap(),
        POLYLINK_FILE_LINK_INFORMATION_EX,
    )
}

const NONE: LinkFlags = LinkFlags::empty();
const REPLACE: LinkFlags = LinkFlags::REPLACE_IF_EXISTS;

/// The name of a file in the folder, for a request without a root directory.
fn near(folder: &Folder, name: &str) -> String {
    if cfg!(windows) {
        // Wine has no plain names
        format!(r"\??\{}", folder.path(name).display())
    } else {
        name.to_owned()
    }
}

/// The same as an absolute path.
fn absolute(folder: &Folder, name: &str) -> String {
    let prefix = if cfg!(windows) { r"\??\" } else { "" };
    format!("{prefix}{}", folder.path(name).display())
}

fn null() -> *mut polylink_file {
    std::ptr::null_mut()
}

#[test]
fn structures_are_laid_out_as_nt_has_them() {
    let wide = cfg!(target_pointer_width = "64");
    assert_eq!(
        size_of::<PolylinkFileLinkInformation>(),
        if wide { 24 } else { 16 }
    );
    assert_eq!(
        size_of::<PolylinkFileLinkInformationEx>(),
        if wide { 24 } else { 16 }
    );
    assert_eq!(
        std::mem::offset_of!(PolylinkFileLinkInformation, FileName),
        if wide { 20 } else { 12 }
    );
    assert_eq!(
        std::mem::offset_of!(PolylinkFileLinkInformationEx, RootDirectory),
        if wide { 8 } else { 4 }
    );
    assert_eq!(size_of::<PolylinkIoStatusBlock>(), 2 * size_of::<usize>());
}

#[test]
fn the_new_name_is_beside_the_old_one_below_a_root_or_anywhere() {
    let folder = Folder::new();
    folder.file("a", "data");
    folder.dir("dir");
    folder.dir("dir/deep");
    let file = open(&folder, "a").unwrap();
    let root = open(&folder, "dir").unwrap();
    let deep = if cfg!(windows) {
        r"deep\ä日本🔥"
    } else {
        "deep/ä日本🔥"
    };
    link_by(file.0, NONE, null(), &near(&folder, "n")).unwrap();
    link_by(file.0, NONE, root.0, "r").unwrap();
    link_by(file.0, NONE, root.0, deep).unwrap();
    link_by(file.0, NONE, null(), &absolute(&folder, "absolute")).unwrap();
    for name in ["n", "dir/r", "dir/deep/ä日本🔥", "absolute"] {
        assert_eq!(folder.read(name), "data", "{name}");
    }
}

#[test]
fn a_name_that_exists_is_replaced_only_if_so_asked() {
    let folder = Folder::new();
    folder.file("a", "one");
    folder.file("victim", "three");
    folder.dir("dir");
    let file = open(&folder, "a").unwrap();
    let link = |flags, name| link_by(file.0, flags, null(), &near(&folder, name));
    assert_eq!(link(NONE, "victim"), Err(NtStatus::OBJECT_NAME_COLLISION));
    assert_eq!(folder.read("victim"), "three");
    link(REPLACE, "victim").unwrap();
    assert_eq!(folder.read("victim"), "one");
    link(REPLACE, "victim").unwrap();
    assert_eq!(link(NONE, "a"), Err(NtStatus::OBJECT_NAME_COLLISION));
    link(REPLACE, "a").unwrap();
    assert_eq!(link(NONE, "dir"), Err(NtStatus::OBJECT_NAME_COLLISION));
    assert_eq!(link(REPLACE, "dir"), Err(NtStatus::ACCESS_DENIED));
    assert_eq!(folder.names(), ["a", "dir", "victim"]);
}

/// Not every Windows knows the class, nor does Wine.
#[test]
#[cfg(unix)]
fn the_extended_class_does_the_same_and_has_further_flags() {
    let folder = Folder::new();
    folder.file("a", "one");
    folder.file("victim", "three");
    folder.dir("dir");
    let file = open(&folder, "a").unwrap();
    let link = |flags, name| link_ex(file.0, flags, null(), name);
    assert_eq!(link(NONE, "victim"), Err(NtStatus::OBJECT_NAME_COLLISION));
    assert_eq!(link(REPLACE, "dir"), Err(NtStatus::ACCESS_DENIED));
    assert_eq!(
        link(LinkFlags::from_bits_retain(0x8000), "new"),
        Err(NtStatus::NOT_SUPPORTED)
    );
    let posix = REPLACE | LinkFlags::POSIX_SEMANTICS | LinkFlags::IGNORE_READONLY_ATTRIBUTE;
    link(posix, "victim").unwrap();
    assert_eq!(folder.read("victim"), "one");
    link(NONE, "new").unwrap();
    assert_eq!(folder.names(), ["a", "dir", "new", "victim"]);
    let dir = open(&folder, "dir").unwrap();
    assert_eq!(
        link_ex(dir.0, posix, null(), "new"),
        Err(NtStatus::FILE_IS_A_DIRECTORY)
    );
}

#[test]
fn a_directory_is_never_linked() {
    let folder = Folder::new();
    folder.file("a", "one");
    folder.dir("dir");
    let dir = open(&folder, "dir").unwrap();
    for (flags, name) in [
        (NONE, "new"),
        (NONE, "a"),
        (REPLACE, "a"),
        (NONE, "dir"),
        (REPLACE, "dir"),
    ] {
        let path = absolute(&folder, name);
        assert_eq!(
            link_by(dir.0, flags, null(), &path),
            Err(NtStatus::FILE_IS_A_DIRECTORY),
            "{name}"
        );
    }
    assert_eq!(
        link_by(dir.0, NONE, dir.0, "new"),
        Err(NtStatus::FILE_IS_A_DIRECTORY)
    );
    assert_eq!(folder.names(), ["a", "dir"]);
}

#[test]
#[cfg(unix)]
fn names_that_cannot_be_and_directories_that_are_not_there() {
    use NtStatus as S;
    let folder = Folder::new();
    folder.file("a", "one");
    folder.file("b", "two");
    folder.dir("dir");
    let file = open(&folder, "a").unwrap();
    let other = open(&folder, "b").unwrap();
    let root = open(&folder, "dir").unwrap();
    let (below, missing) = (absolute(&folder, "b/x"), absolute(&folder, "absent/x"));
    let (long, empty) = ("n".repeat(256), null());
    for (root, name, wanted) in [
        (empty, "with/slash", S::OBJECT_NAME_INVALID),
        (empty, "..", S::OBJECT_NAME_INVALID),
        (empty, ".", S::OBJECT_NAME_INVALID),
        (empty, "nul\0", S::OBJECT_NAME_INVALID),
        (empty, long.as_str(), S::OBJECT_NAME_INVALID),
        (empty, missing.as_str(), S::OBJECT_PATH_NOT_FOUND),
        (empty, below.as_str(), S::INVALID_PARAMETER),
        (empty, "/nul\0", S::OBJECT_NAME_INVALID),
        (root.0, "..", S::OBJECT_NAME_INVALID),
        (root.0, "x\0", S::OBJECT_NAME_INVALID),
        (root.0, "../x", S::OBJECT_NAME_INVALID),
        (root.0, "absent/", S::OBJECT_PATH_NOT_FOUND),
        (root.0, "absent/x", S::OBJECT_PATH_NOT_FOUND),
        (root.0, "/x", S::INVALID_PARAMETER),
        // a file for a root directory: the name would be below a file
        (other.0, "x", S::INVALID_PARAMETER),
    ] {
        assert_eq!(link_by(file.0, NONE, root, name), Err(wanted), "{name:?}");
    }
    let mut bytes = information(Form::Classic, NONE, null(), "xy");
    let at = bytes.len() - 4;
    bytes[at..at + 2].copy_from_slice(&0xDC00_u16.to_le_bytes());
    assert_eq!(
        set(file.0, &bytes, bytes.len() as u32, 11),
        Err(S::OBJECT_NAME_INVALID)
    );
    assert_eq!(folder.names(), ["a", "b", "dir"]);
}

/// On Windows the handle is the file's, whatever becomes of its names.
#[test]
#[cfg(unix)]
fn once_its_name_is_gone_a_handle_makes_no_other() {
    let folder = Folder::new();
    folder.file("a", "one");
    folder.file("b", "two");
    let file = open(&folder, "a").unwrap();
    link_by(file.0, NONE, null(), "c").unwrap();
    fs::remove_file(folder.path("a")).unwrap();
    assert_eq!(link_by(file.0, NONE, null(), "d"), Err(NtStatus::ACCESS_DENIED));
    fs::rename(folder.path("b"), folder.path("a")).unwrap();
    assert_eq!(
        link_by(file.0, REPLACE, null(), "c"),
        Err(NtStatus::ACCESS_DENIED)
    );
    assert_eq!(folder.read("c"), "one");
}

#[test]
fn opening_says_what_nt_open_file_says() {
    let folder = Folder::new();
    folder.file("a", "one");
    assert_eq!(
        open(&folder, "absent").unwrap_err(),
        NtStatus::OBJECT_NAME_NOT_FOUND
    );
    assert_eq!(
        open(&folder, "absent/a").unwrap_err(),
        NtStatus::OBJECT_PATH_NOT_FOUND
    );
    let path = folder.c("a");
    let mut file = std::ptr::without_provenance_mut(3);
    // SAFETY: whatever is not NULL is as it should be
    unsafe {
        let refused = Err(NtStatus::INVALID_PARAMETER);
        assert_eq!(
            status(polylink_file_open(&raw mut file, std::ptr::null())),
            refused
        );
        assert_eq!(
            status(polylink_file_open(std::ptr::null_mut(), path.as_ptr())),
            refused
        );
        assert_eq!(
            status(PolylinkNtOpenFile(&raw mut file, std::ptr::null())),
            refused
        );
        assert_eq!(
            status(PolylinkNtOpenFile(std::ptr::null_mut(), std::ptr::null())),
            refused
        );
        assert_eq!(file.addr(), 3);
        status(polylink_file_open(&raw mut file, path.as_ptr())).unwrap();
    }
    status(polylink_file_close(file)).unwrap();
    let closed = Err(NtStatus::INVALID_HANDLE);
    assert_eq!(status(polylink_file_close(file)), closed);
    assert_eq!(link_by(file, NONE, null(), &near(&folder, "b")), closed);
    status(polylink_file_close(null())).unwrap();
}
