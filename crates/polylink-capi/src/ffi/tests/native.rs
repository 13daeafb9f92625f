//! NtSetInformationFile.

use polylink_nt::NtStatus;
use polylink_nt::info::{Form, Layout, LinkFlags, LinkInformation};

use super::super::native::*;
use super::*;

const UNTOUCHED: i32 = 0x5EAD_BEEF;

pub(super) fn open(folder: &Folder, name: &str) -> Result<*mut polylink_file, NtStatus> {
    let path = folder.w(name);
    let mut file = std::ptr::null_mut();
    // SAFETY: the path ends with a zero
    status(unsafe { PolylinkNtOpenFile(&raw mut file, path.as_ptr()) }).map(|()| file)
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

/// A link by either class; both have to answer alike.
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
    link_by(file, NONE, null(), "n").unwrap();
    link_by(file, NONE, root, "r").unwrap();
    link_by(file, NONE, root, "deep/ä日本🔥").unwrap();
    link_by(file, NONE, null(), folder.path("absolute").to_str().unwrap()).unwrap();
    link_ex(file, NONE, null(), "ex").unwrap();
    for name in ["n", "dir/r", "dir/deep/ä日本🔥", "absolute", "ex"] {
        assert_eq!(folder.read(name), "data", "{name}");
    }
    status(polylink_file_close(file)).unwrap();
    status(polylink_file_close(root)).unwrap();
}

#[test]
fn a_name_that_exists_is_replaced_only_if_so_asked() {
    let folder = Folder::new();
    folder.file("a", "one");
    folder.file("b", "two");
    folder.dir("dir");
    let file = open(&folder, "a").unwrap();
    for link in [link_by, link_ex] {
        folder.file("victim", "three");
        assert_eq!(
            link(file, NONE, null(), "victim"),
            Err(NtStatus::OBJECT_NAME_COLLISION)
        );
        assert_eq!(folder.read("victim"), "three");
        link(file, REPLACE, null(), "victim").unwrap();
        assert_eq!(folder.read("victim"), "one");
        link(file, REPLACE, null(), "victim").unwrap();
        assert_eq!(
            link(file, NONE, null(), "a"),
            Err(NtStatus::OBJECT_NAME_COLLISION)
        );
        link(file, REPLACE, null(), "a").unwrap();
        assert_eq!(
            link(file, NONE, null(), "dir"),
            Err(NtStatus::OBJECT_NAME_COLLISION)
        );
        assert_eq!(link(file, REPLACE, null(), "dir"), Err(NtStatus::ACCESS_DENIED));
        fs::remove_file(folder.path("victim")).unwrap();
    }
    folder.file("victim", "three");
    let posix = REPLACE | LinkFlags::POSIX_SEMANTICS | LinkFlags::IGNORE_READONLY_ATTRIBUTE;
    link_ex(file, posix, null(), "victim").unwrap();
    assert_eq!(folder.read("victim"), "one");
    assert_eq!(
        link_ex(file, LinkFlags::from_bits_retain(0x8000), null(), "new"),
        Err(NtStatus::NOT_SUPPORTED)
    );
    assert_eq!(folder.names(), ["a", "b", "dir", "victim"]);
    status(polylink_file_close(file)).unwrap();
}

#[test]
fn a_directory_is_never_linked() {
    let folder = Folder::new();
    folder.file("a", "one");
    folder.dir("dir");
    let dir = open(&folder, "dir").unwrap();
    let refused = Err(NtStatus::FILE_IS_A_DIRECTORY);
    for (flags, name) in [
        (NONE, "new"),
        (NONE, "a"),
        (REPLACE, "a"),
        (NONE, "dir"),
        (REPLACE, "dir"),
    ] {
        assert_eq!(link_by(dir, flags, dir, name), refused);
        let path = folder.path(name);
        assert_eq!(link_ex(dir, flags, null(), path.to_str().unwrap()), refused);
    }
    assert_eq!(link_by(dir, NONE, null(), "new"), refused);
    assert_eq!(folder.names(), ["a", "dir"]);
    status(polylink_file_close(dir)).unwrap();
}

#[test]
fn names_that_cannot_be_and_directories_that_are_not_there() {
    let folder = Folder::new();
    folder.file("a", "one");
    folder.file("b", "two");
    folder.dir("dir");
    let file = open(&folder, "a").unwrap();
    let other = open(&folder, "b").unwrap();
    let root = open(&folder, "dir").unwrap();
    let long = "n".repeat(256);
    for name in ["with/slash", "..", ".", "nul\0", long.as_str()] {
        assert_eq!(
            link_by(file, NONE, null(), name),
            Err(NtStatus::OBJECT_NAME_INVALID),
            "{name}"
        );
    }
    for name in ["..", "x\0", "slash/"] {
        let status = link_by(file, NONE, root, name).unwrap_err();
        let missing = name == "slash/";
        let wanted = if missing {
            NtStatus::OBJECT_PATH_NOT_FOUND
        } else {
            NtStatus::OBJECT_NAME_INVALID
        };
        assert_eq!(status, wanted, "{name}");
    }
    assert_eq!(link_by(file, NONE, root, "/x"), Err(NtStatus::INVALID_PARAMETER));
    assert_eq!(
        link_by(file, NONE, root, "absent/x"),
        Err(NtStatus::OBJECT_PATH_NOT_FOUND)
    );
    assert_eq!(
        link_by(file, NONE, root, "../x"),
        Err(NtStatus::OBJECT_NAME_INVALID)
    );
    // a file for a root directory: the name would be below a file
    assert_eq!(link_by(file, NONE, other, "x"), Err(NtStatus::INVALID_PARAMETER));
    let below = folder.path("b/x");
    assert_eq!(
        link_by(file, NONE, null(), below.to_str().unwrap()),
        Err(NtStatus::INVALID_PARAMETER)
    );
    let missing = folder.path("absent/x");
    assert_eq!(
        link_by(file, NONE, null(), missing.to_str().unwrap()),
        Err(NtStatus::OBJECT_PATH_NOT_FOUND)
    );
    let mut bytes = information(Form::Classic, NONE, null(), "xy");
    let at = bytes.len() - 4;
    bytes[at..at + 2].copy_from_slice(&0xDC00_u16.to_le_bytes());
    assert_eq!(
        set(file, &bytes, bytes.len() as u32, 11),
        Err(NtStatus::OBJECT_NAME_INVALID)
    );
    assert_eq!(folder.names(), ["a", "b", "dir"]);
    for handle in [file, other, root] {
        status(polylink_file_close(handle)).unwrap();
    }
}

#[test]
fn once_its_name_is_gone_a_handle_makes_no_other() {
    let folder = Folder::new();
    folder.file("a", "one");
    folder.file("b", "two");
    let file = open(&folder, "a").unwrap();
    link_by(file, NONE, null(), "c").unwrap();
    fs::remove_file(folder.path("a")).unwrap();
    assert_eq!(link_by(file, NONE, null(), "d"), Err(NtStatus::ACCESS_DENIED));
    fs::rename(folder.path("b"), folder.path("a")).unwrap();
    assert_eq!(link_by(file, REPLACE, null(), "c"), Err(NtStatus::ACCESS_DENIED));
    assert_eq!(folder.read("c"), "one");
    status(polylink_file_close(file)).unwrap();
}

#[test]
fn opening_says_what_nt_open_file_says() {
    let folder = Folder::new();
    folder.file("a", "one");
    assert_eq!(open(&folder, "absent"), Err(NtStatus::OBJECT_NAME_NOT_FOUND));
    assert_eq!(open(&folder, "absent/a"), Err(NtStatus::OBJECT_PATH_NOT_FOUND));
    assert_eq!(open(&folder, "a/b"), Err(NtStatus::OBJECT_PATH_NOT_FOUND));
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
    assert_eq!(link_by(file, NONE, null(), "b"), closed);
    status(polylink_file_close(null())).unwrap();
}
