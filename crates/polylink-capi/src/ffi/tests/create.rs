//! CreateHardLink, and the form of `ln`.

use polylink_nt::NtStatus;

use super::*;

type Form = fn(&Folder, &str, &str) -> Result<(), u32>;
const FORMS: [Form; 2] = [create_w, create_a];

#[test]
fn a_file_gets_a_further_name() {
    for create in FORMS {
        let folder = Folder::new();
        folder.file("a", "data");
        // not every code page of Windows has them all
        let new = if cfg!(unix) { "b ä 日本" } else { "b c" };
        create(&folder, new, "a").unwrap();
        assert_eq!(folder.read(new), "data");
        assert_eq!(folder.names(), ["a", new]);
    }
}

#[test]
#[cfg(unix)]
fn what_is_refused_has_the_code_of_create_hard_link_and_changes_nothing() {
    let folder = Folder::new();
    folder.file("file", "data");
    folder.file("other", "more");
    folder.dir("dir");
    let long = "n".repeat(256);
    for (new, existing, code) in [
        ("other", "file", 183),
        ("dir", "file", 183),
        ("file", "file", 183),
        ("new", "dir", 5),
        ("other", "dir", 5),
        ("dir", "dir", 5),
        ("new", "absent", 2),
        ("new", "absent/file", 3),
        ("new", "file/below", 3),
        ("absent/new", "file", 3),
        ("other/new", "file", 87),
        // what is wrong with the file comes before what is wrong with its new name
        ("absent/new", "absent", 2),
        ("other", "absent", 2),
        // and opening the new name's directory before looking at what the file is
        ("absent/new", "dir", 3),
        ("new/", "file", 123),
        ("new", "file/", 123),
        ("dir/", "file", 183),
        ("dir/.", "file", 183),
        (long.as_str(), "file", 123),
        ("new", long.as_str(), 123),
        (long.as_str(), "dir", 5),
    ] {
        for create in FORMS {
            assert_eq!(create(&folder, new, existing), Err(code), "{existing} -> {new}");
        }
    }
    assert_eq!(folder.names(), ["dir", "file", "other"]);
    assert_eq!(folder.read("other"), "more");
}

#[test]
#[cfg(unix)]
fn null_comes_first_then_security_attributes_then_empty_paths() {
    let folder = Folder::new();
    folder.file("a", "data");
    let (a, b, empty) = (folder.w("a"), folder.w("b"), [0_u16]);
    let null = std::ptr::null();
    let mut attributes = 0_u32;
    let given = (&raw mut attributes).cast();
    let none = std::ptr::null_mut();
    for (new, existing, security, code) in [
        (null, a.as_ptr(), none, 87),
        (b.as_ptr(), null, none, 87),
        (null, null, given, 87),
        (b.as_ptr(), a.as_ptr(), given, 87),
        (empty.as_ptr(), empty.as_ptr(), given, 87),
        (empty.as_ptr(), a.as_ptr(), none, 3),
        (b.as_ptr(), empty.as_ptr(), none, 3),
    ] {
        // SAFETY: each is NULL or ends with a zero
        let result = unsafe { PolylinkCreateHardLinkW(new, existing, security) };
        assert_eq!(truth(result), Err(code));
        assert_eq!(polylink_status_to_win32(polylink_last_error_status()), code);
    }
    assert_eq!(folder.names(), ["a"]);
}

#[test]
#[cfg(unix)]
fn utf16_need_not_be_aligned_and_has_to_be_text() {
    let folder = Folder::new();
    folder.file("a", "data");
    let bytes = |units: &[u16]| -> Vec<u8> {
        let units = units.iter().flat_map(|unit| unit.to_le_bytes());
        std::iter::once(0).chain(units).collect()
    };
    let (new, existing) = (bytes(&folder.w("b")), bytes(&folder.w("a")));
    // SAFETY: both end with a zero unit, and begin behind the first byte
    let result = unsafe {
        PolylinkCreateHardLinkW(
            new.as_ptr().add(1).cast(),
            existing.as_ptr().add(1).cast(),
            std::ptr::null_mut(),
        )
    };
    truth(result).unwrap();
    assert_eq!(folder.read("b"), "data");

    let mut lone = folder.w("c");
    *lone.iter_mut().rev().nth(1).unwrap() = 0xD800;
    let existing = folder.w("a");
    // SAFETY: both end with a zero
    let result = unsafe { PolylinkCreateHardLinkW(lone.as_ptr(), existing.as_ptr(), std::ptr::null_mut()) };
    assert_eq!(truth(result), Err(123));
}

#[test]
#[cfg(unix)]
fn bytes_that_are_not_text_stay_as_they_are() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = Folder::new();
    folder.file("a", "data");
    let mut name = folder.c("").into_bytes();
    name.extend_from_slice(b"b\xff\xfe");
    let name = CString::new(name).unwrap();
    let existing = folder.c("a");
    // SAFETY: both end with a zero
    let result = unsafe { PolylinkCreateHardLinkA(name.as_ptr(), existing.as_ptr(), std::ptr::null_mut()) };
    truth(result).unwrap();
    assert!(
        folder
            .0
            .path()
            .join(std::ffi::OsStr::from_bytes(b"b\xff\xfe"))
            .exists()
    );
}

#[test]
#[cfg(unix)]
fn a_symbolic_link_gets_the_name_itself() {
    let folder = Folder::new();
    folder.file("file", "data");
    std::os::unix::fs::symlink("file", folder.path("link")).unwrap();
    std::os::unix::fs::symlink("absent", folder.path("dangling")).unwrap();
    std::os::unix::fs::symlink(".", folder.path("dir")).unwrap();
    for name in ["link", "dangling", "dir"] {
        create_a(&folder, &format!("{name} 2"), name).unwrap();
        let made = fs::read_link(folder.path(&format!("{name} 2"))).unwrap();
        assert_eq!(made, fs::read_link(folder.path(name)).unwrap());
    }
    assert_eq!(create_a(&folder, "dangling", "file"), Err(183));
    // with a separator behind it, it is what it leads to
    assert_eq!(create_a(&folder, "new", "dir/"), Err(5));
    assert_eq!(create_a(&folder, "new", "link/"), Err(123));
    std::os::unix::fs::symlink("circle", folder.path("circle")).unwrap();
    assert_eq!(create_a(&folder, "circle/new", "file"), Err(1921));
}

#[test]
fn as_ln_has_it_the_existing_name_comes_first_and_a_flag_replaces() {
    let folder = Folder::new();
    folder.file("a", "one");
    folder.file("b", "two");
    folder.dir("dir");
    link(&folder, "a", "c", 0).unwrap();
    assert_eq!(folder.read("c"), "one");
    assert_eq!(link(&folder, "a", "b", 0), Err(183));
    assert_eq!(folder.read("b"), "two");
    link(&folder, "a", "b", POLYLINK_REPLACE).unwrap();
    assert_eq!(folder.read("b"), "one");
    link(&folder, "a", "b", POLYLINK_REPLACE).unwrap();
    link(&folder, "a", "a", POLYLINK_REPLACE).unwrap();
    link(&folder, "a", "new", POLYLINK_REPLACE).unwrap();
    assert_eq!(folder.names(), ["a", "b", "c", "dir", "new"]);
    assert_eq!(link(&folder, "a", "dir", POLYLINK_REPLACE), Err(5));
    assert_eq!(
        polylink_last_error_status().cast_unsigned(),
        NtStatus::ACCESS_DENIED.code()
    );
    assert_eq!(link(&folder, "dir", "x", POLYLINK_REPLACE), Err(5));
    assert_eq!(
        polylink_last_error_status().cast_unsigned(),
        NtStatus::FILE_IS_A_DIRECTORY.code()
    );
    assert_eq!(link(&folder, "a", "x", 2), Err(87));
    assert_eq!(link(&folder, "a", "x", u32::MAX), Err(87));
    assert_eq!(folder.names(), ["a", "b", "c", "dir", "new"]);
}

#[test]
fn in_utf16_it_is_the_same() {
    let folder = Folder::new();
    folder.file("a", "one");
    folder.file("b", "two");
    let (a, b) = (folder.w("a"), folder.w("b"));
    // SAFETY: both end with a zero
    let link = |flags| zero(unsafe { polylink_link_w(a.as_ptr(), b.as_ptr(), flags) });
    assert_eq!(link(0), Err(183));
    assert_eq!(link(POLYLINK_REPLACE), Ok(()));
    assert_eq!(folder.read("b"), "one");
}

#[test]
#[cfg(unix)]
fn the_last_error_has_every_form_of_the_reason() {
    let folder = Folder::new();
    folder.file("a", "one");
    folder.file("b", "two");
    assert_eq!(link(&folder, "a", "b", 0), Err(183));
    assert_eq!(polylink_last_error(), 183);
    assert_eq!(polylink_last_error_status().cast_unsigned(), 0xC000_0035);
    assert_eq!(polylink_last_error_errno(), crate::errno::number("EEXIST"));
    let text = message();
    assert!(
        text.starts_with("cannot link '") && text.contains("b': the name is taken"),
        "{text}"
    );
    assert!(!text.ends_with('.'));

    // a name that is too long has NT's status, and the errno that the system gave
    assert_eq!(link(&folder, "a", &"n".repeat(256), 0), Err(123));
    assert_eq!(polylink_last_error_errno(), crate::errno::number("ENAMETOOLONG"));
    assert_eq!(link(&folder, "a", "b/c", 0), Err(87));
    assert_eq!(polylink_last_error_errno(), crate::errno::number("ENOTDIR"));
    let path = "d/".repeat(3000) + "x";
    assert_eq!(link(&folder, "a", &path, 0), Err(206));
    assert_eq!(polylink_last_error_errno(), crate::errno::number("ENAMETOOLONG"));
}

#[test]
fn success_leaves_the_last_error_as_it_was() {
    let folder = Folder::new();
    folder.file("a", "one");
    assert_eq!(link(&folder, "absent", "b", 0), Err(2));
    let before = message();
    link(&folder, "a", "b", 0).unwrap();
    create_w(&folder, "c", "a").unwrap();
    assert_eq!((polylink_last_error(), message()), (2, before));
}

#[test]
fn each_thread_has_its_own_last_error() {
    let folder = Folder::new();
    folder.file("a", "one");
    assert_eq!(link(&folder, "absent", "b", 0), Err(2));
    std::thread::scope(|scope| {
        scope
            .spawn(|| {
                assert_eq!((polylink_last_error(), message()), (0, String::new()));
                assert_eq!(link(&folder, "a", "a", 0), Err(183));
                assert_eq!(polylink_last_error(), 183);
            })
            .join()
            .unwrap();
    });
    assert_eq!(polylink_last_error(), 2);
}

#[test]
fn a_message_is_cut_between_characters_and_tells_its_whole_length() {
    let folder = Folder::new();
    assert_eq!(link(&folder, "ä", "ö", 0), Err(2));
    let whole = message();
    for size in 0..whole.len() + 3 {
        let mut buffer = vec![b'#'; size + 2];
        // SAFETY: there is room for `size` bytes and more
        let length = unsafe { polylink_last_error_message(buffer.as_mut_ptr().cast(), size) };
        assert_eq!(length, whole.len());
        assert!(buffer[size..].iter().all(|&byte| byte == b'#'), "{size}");
        if size > 0 {
            let end = buffer.iter().position(|&byte| byte == 0).unwrap();
            let text = std::str::from_utf8(&buffer[..end]).unwrap();
            assert!(whole.starts_with(text) && end < size && end + 4 > size.min(whole.len()));
        }
    }
}

#[test]
fn a_status_has_a_name_a_text_and_numbers() {
    for status in crate::status::all() {
        let code = status.code().cast_signed();
        // SAFETY: it is a string of the library
        let name = unsafe { crate::ffi::args::bytes(polylink_status_name(code)) };
        assert_eq!(name, crate::status::name(status).map(str::as_bytes));
        // SAFETY: it is a string of the library
        let text = unsafe { crate::ffi::args::bytes(polylink_status_text(code)) };
        assert_eq!(text, Some(crate::status::text(status).as_bytes()));
        assert_eq!(polylink_status_to_win32(code), crate::status::win32(status));
        assert_eq!(polylink_status_to_errno(code), crate::status::errno(status));
    }
    assert!(polylink_status_name(-1).is_null());
    // SAFETY: it is a string of the library
    let version = unsafe { crate::ffi::args::bytes(polylink_version()) };
    assert_eq!(version, Some(env!("CARGO_PKG_VERSION").as_bytes()));
}
