//! What no caller should do, and what must not happen even so.

use std::ptr::{null, null_mut};

use polylink_nt::NtStatus;

use super::super::guard::tests::arm;
use super::super::names::*;
use super::super::native::*;
use super::native::{open, set};
use super::*;

/// FILE_LINK_INFORMATION with a name that is relative to a root directory, and a length that need not be the name's.
fn bytes(root: usize, length: u32, name: &[u16]) -> Vec<u8> {
    let root_at = size_of::<usize>();
    let (length_at, name_at) = (2 * root_at, 2 * root_at + 4);
    let mut bytes = vec![0_u8; name_at];
    bytes[root_at..length_at].copy_from_slice(&root.to_le_bytes());
    bytes[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
    bytes.extend(name.iter().flat_map(|unit| unit.to_le_bytes()));
    bytes
}

#[test]
fn a_buffer_shorter_than_the_structure_is_refused_even_if_the_name_would_fit() {
    let folder = Folder::new();
    folder.file("a", "one");
    let file = open(&folder, "a").unwrap();
    let root = open(&folder, ".").unwrap();
    let least = size_of::<PolylinkFileLinkInformation>();
    let mut information = bytes(root.0.addr(), 2, &[u16::from(b'n')]);
    assert!(information.len() < least);
    information.resize(least, 0);
    for length in 0..least {
        for class in [11, 72] {
            let refused = set(file.0, &information, length.try_into().unwrap(), class);
            assert_eq!(refused, Err(NtStatus::INFO_LENGTH_MISMATCH), "{length}");
        }
    }
    set(file.0, &information, least.try_into().unwrap(), 11).unwrap();
    assert_eq!(folder.names(), ["a", "n"]);
}

#[test]
fn lengths_of_names_that_lie_are_refused() {
    let folder = Folder::new();
    folder.file("a", "one");
    let file = open(&folder, "a").unwrap();
    let root = open(&folder, ".").unwrap();
    let name: Vec<u16> = "name".encode_utf16().collect();
    for length in [
        0,
        1,
        3,
        7,
        9,
        10,
        0x7FFF_FFFE,
        0x8000_0000,
        0xFFFF_FFFE,
        0xFFFF_FFFF,
    ] {
        let information = bytes(root.0.addr(), length, &name);
        let refused = set(file.0, &information, information.len().try_into().unwrap(), 11);
        assert_eq!(refused, Err(NtStatus::INVALID_PARAMETER), "{length:#x}");
    }
    // what lies behind the name is not looked at, and the structure may be anywhere
    let mut information = vec![0xEE_u8];
    information.extend(bytes(root.0.addr(), 4, &name));
    let mut block = PolylinkIoStatusBlock {
        Status: 1,
        Information: 1,
    };
    let length = u32::try_from(information.len() - 1).unwrap();
    // SAFETY: behind the first byte there are `length` bytes
    let code = unsafe {
        let at = information.as_ptr().add(1).cast();
        PolylinkNtSetInformationFile(file.0, &raw mut block, at, length, 11)
    };
    assert_eq!(code, 0);
    assert_eq!(folder.names(), ["a", "na"]);
}

#[test]
fn only_two_classes_are_for_links() {
    let folder = Folder::new();
    folder.file("a", "one");
    let file = open(&folder, "a").unwrap();
    let information = bytes(0, 8, &"name".encode_utf16().collect::<Vec<_>>());
    let length = information.len().try_into().unwrap();
    for class in (0..200)
        .chain([u32::MAX])
        .filter(|class| ![11, 72].contains(class))
    {
        assert_eq!(
            set(file.0, &information, length, class),
            Err(NtStatus::INVALID_INFO_CLASS),
            "{class}"
        );
    }
    // SAFETY: the information is NULL, or the block is
    unsafe {
        let mut block = PolylinkIoStatusBlock {
            Status: 1,
            Information: 1,
        };
        for code in [
            PolylinkNtSetInformationFile(file.0, &raw mut block, null(), length, 11),
            PolylinkNtSetInformationFile(file.0, null_mut(), information.as_ptr().cast(), length, 11),
        ] {
            assert_eq!(code.cast_unsigned(), NtStatus::INVALID_PARAMETER.code());
        }
        assert_eq!((block.Status, block.Information), (1, 1));
    }
}

#[test]
fn a_root_that_is_no_handle_is_refused_and_not_followed() {
    let folder = Folder::new();
    folder.file("a", "one");
    folder.dir("dir");
    let file = open(&folder, "a").unwrap();
    let dir = open(&folder, "dir").unwrap();
    assert_eq!(polylink_file_close(dir.0), 0);
    for root in [dir.0.addr(), 1, 8, usize::MAX, (&raw const folder).addr()] {
        let information = bytes(root, 8, &"name".encode_utf16().collect::<Vec<_>>());
        let length = information.len().try_into().unwrap();
        assert_eq!(
            set(file.0, &information, length, 11),
            Err(NtStatus::INVALID_HANDLE),
            "{root:#x}"
        );
    }
}

/// Calls with arguments that are right, and what each returns if polylink itself fails.
#[test]
fn a_fault_in_polylink_itself_never_unwinds_into_c() {
    let folder = Folder::new();
    folder.file("a", "one");
    let (a, wide) = (folder.c("a"), folder.w("a"));
    let (new, new_wide) = (folder.c("b"), folder.w("b"));
    let file = open(&folder, "a").unwrap();
    let information = bytes(0, 2, &[u16::from(b'n'), 0]);
    let mut block = PolylinkIoStatusBlock {
        Status: 1,
        Information: 1,
    };
    let mut opened = null_mut();
    let mut names = null_mut();
    let mut count = 0;
    let mut length = 0;
    let failed = |result: i64, otherwise: i64| {
        assert_eq!(result, otherwise);
        assert_eq!(polylink_last_error(), 31);
        assert_eq!(polylink_last_error_status().cast_unsigned(), 0xC000_0001);
        assert!(message().starts_with("polylink failed"), "{}", message());
        assert_eq!(link(&folder, "absent", "b", 0), Err(2)); // another last error in between
        arm();
    };
    let native = i64::from(0xC000_0001_u32.cast_signed());
    arm();
    // SAFETY: all arguments are as they should be
    unsafe {
        failed(
            PolylinkCreateHardLinkW(new_wide.as_ptr(), wide.as_ptr(), null_mut()).into(),
            0,
        );
        failed(
            PolylinkCreateHardLinkA(new.as_ptr(), a.as_ptr(), null_mut()).into(),
            0,
        );
        failed(polylink_link(a.as_ptr(), new.as_ptr(), 0).into(), -1);
        failed(polylink_link_w(wide.as_ptr(), new_wide.as_ptr(), 0).into(), -1);
        failed(PolylinkNtOpenFile(&raw mut opened, wide.as_ptr()).into(), native);
        failed(polylink_file_open(&raw mut opened, a.as_ptr()).into(), native);
        let at = information.as_ptr().cast();
        let size = information.len().try_into().unwrap();
        failed(
            PolylinkNtSetInformationFile(file.0, &raw mut block, at, size, 11).into(),
            native,
        );
        failed(polylink_file_close(file.0).into(), native);
        failed(polylink_link_count(a.as_ptr(), &raw mut count).into(), -1);
        failed(polylink_names_open(a.as_ptr(), &raw mut names).into(), -1);
        failed(polylink_names_open_w(wide.as_ptr(), &raw mut names).into(), -1);
        failed(
            polylink_names_open_in(a.as_ptr(), [a.as_ptr()].as_ptr(), 1, &raw mut names).into(),
            -1,
        );
        failed(
            polylink_names_next(null_mut(), null_mut(), &raw mut length).into(),
            -1,
        );
        failed(
            polylink_names_next_w(null_mut(), null_mut(), &raw mut length).into(),
            -1,
        );
        failed(polylink_names_complete(null_mut()).into(), -1);
        failed(polylink_names_close(null_mut()).into(), -1);
    }
    // the last call was armed and not made: these have no failure of their own
    assert_eq!(polylink_last_error(), 0);
    arm();
    assert_eq!(polylink_last_error_status(), 0);
    arm();
    assert_eq!(polylink_last_error_errno(), 0);
    arm();
    // SAFETY: there is no room, and it says so
    assert_eq!(unsafe { polylink_last_error_message(null_mut(), 0) }, 0);
    arm();
    assert_eq!(polylink_status_to_win32(0), 317);
    arm();
    assert_eq!(polylink_status_to_errno(0), 5);
    arm();
    assert!(polylink_status_name(0).is_null());
    arm();
    assert!(!polylink_status_text(0).is_null());
    assert_eq!(folder.names(), ["a"]);
    assert_eq!((block.Status, block.Information, count), (1, 1, 0));
    assert!(opened.is_null() && names.is_null());
}

#[test]
fn handles_may_be_used_and_closed_by_many_threads_at_once() {
    let folder = Folder::new();
    folder.file("a", "one");
    let opened = open(&folder, "a").unwrap();
    let root = open(&folder, ".").unwrap();
    let (file, root) = (opened.0.addr(), root.0.addr());
    let made = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let made = &made;
            scope.spawn(move || {
                let file = std::ptr::without_provenance_mut(file);
                for round in 0..20 {
                    let name: Vec<u16> = format!("t{thread}-{round:02}").encode_utf16().collect();
                    let information = bytes(root, u32::try_from(2 * name.len()).unwrap(), &name);
                    match set(file, &information, information.len().try_into().unwrap(), 11) {
                        Ok(()) => made.fetch_add(1, std::sync::atomic::Ordering::Relaxed),
                        Err(status) => {
                            assert_eq!(status, NtStatus::INVALID_HANDLE);
                            continue;
                        }
                    };
                    if thread == 0 && round == 10 {
                        assert_eq!(polylink_file_close(file), 0);
                    }
                }
            });
        }
    });
    let made = made.into_inner();
    assert!(made >= 11);
    assert_eq!(folder.names().len(), made + 1);
}
