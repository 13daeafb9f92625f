//! Going through the names of a file.

use super::super::names::*;
use super::*;

fn open_in(folder: &Folder, file: &str, dirs: &[&str]) -> Result<*mut polylink_names, u32> {
    let path = folder.c(file);
    let dirs: Vec<CString> = dirs.iter().map(|dir| folder.c(dir)).collect();
    let list: Vec<*const c_char> = dirs.iter().map(|dir| dir.as_ptr()).collect();
    let mut names = std::ptr::null_mut();
    // SAFETY: the path and the directories end with a zero, and there are as many as it says
    let result = unsafe { polylink_names_open_in(path.as_ptr(), list.as_ptr(), list.len(), &raw mut names) };
    zero(result).map(|()| names)
}

fn open(folder: &Folder, file: &str) -> Result<*mut polylink_names, u32> {
    let path = folder.c(file);
    let mut names = std::ptr::null_mut();
    // SAFETY: the path ends with a zero
    zero(unsafe { polylink_names_open(path.as_ptr(), &raw mut names) }).map(|()| names)
}

/// The next name in a buffer of this size, or the error and the length that is needed.
fn next(names: *mut polylink_names, room: usize) -> Result<Vec<u8>, (u32, usize)> {
    let mut buffer = vec![0xAA_u8; room + 4];
    let mut length = room;
    // SAFETY: there is room for `length` bytes
    let result = unsafe { polylink_names_next(names, buffer.as_mut_ptr().cast(), &raw mut length) };
    assert_eq!(&buffer[room..], [0xAA; 4]);
    zero(result).map_err(|code| (code, length))?;
    assert_eq!(buffer[length - 1], 0);
    buffer.truncate(length - 1);
    Ok(buffer)
}

fn next_w(names: *mut polylink_names, room: usize) -> Result<String, (u32, usize)> {
    let mut buffer = vec![0xAAAA_u16; room];
    let mut length = room;
    // SAFETY: there is room for `length` units
    let result = unsafe { polylink_names_next_w(names, buffer.as_mut_ptr(), &raw mut length) };
    zero(result).map_err(|code| (code, length))?;
    assert_eq!(buffer[length - 1], 0);
    Ok(String::from_utf16(&buffer[..length - 1]).unwrap())
}

#[test]
fn each_name_comes_once_and_then_the_end() {
    let folder = Folder::new();
    folder.dir("x");
    folder.dir("y");
    folder.file("x/a", "1");
    link(&folder, "x/a", "x/b", 0).unwrap();
    link(&folder, "x/a", "y/ä", 0).unwrap();
    let names = open_in(&folder, "x/b", &["x", "y"]).unwrap();
    let wanted: Vec<String> = [("x", "a"), ("x", "b"), ("y", "ä")]
        .iter()
        .map(|(dir, name)| folder.path(dir).join(name).to_str().unwrap().to_owned())
        .collect();
    assert_eq!(next(names, 4000).unwrap(), wanted[0].as_bytes());
    assert_eq!(next_w(names, 4000).unwrap(), wanted[1]);
    assert_eq!(next(names, wanted[2].len() + 1).unwrap(), wanted[2].as_bytes());
    assert_eq!(next(names, 4000).unwrap_err().0, 38);
    assert_eq!(next_w(names, 4000).unwrap_err().0, 38);
    assert_eq!(polylink_names_complete(names), 1);
    assert_eq!(polylink_names_close(names), 0);
}

#[test]
fn a_name_that_does_not_fit_tells_its_length_and_comes_again() {
    let folder = Folder::new();
    folder.file("ä", "1");
    let names = open_in(&folder, "ä", &["."]).unwrap();
    let path = folder.path(".").join("ä");
    let path = path.to_str().unwrap();
    for room in [0, 1, path.len()] {
        assert_eq!(next(names, room), Err((234, path.len() + 1)));
    }
    let units = path.encode_utf16().count();
    for room in [0, 1, units] {
        assert_eq!(next_w(names, room), Err((234, units + 1)));
    }
    let mut length = 0;
    // SAFETY: with a length of 0 there need be no buffer
    let result = unsafe { polylink_names_next(names, std::ptr::null_mut(), &raw mut length) };
    assert_eq!((zero(result), length), (Err(234), path.len() + 1));
    assert_eq!(next(names, path.len() + 1).unwrap(), path.as_bytes());
    assert_eq!(polylink_names_close(names), 0);
}

#[test]
fn names_outside_of_the_directories_are_missing_and_that_is_known() {
    let folder = Folder::new();
    folder.dir("x");
    folder.dir("y");
    folder.file("x/a", "1");
    link(&folder, "x/a", "y/b", 0).unwrap();
    let names = open_in(&folder, "x/a", &["y"]).unwrap();
    assert_eq!(polylink_names_complete(names), 0);
    assert_eq!(polylink_names_close(names), 0);
    assert_eq!(open_in(&folder, "x/a", &["x", "absent"]), Err(2));
    assert_eq!(open_in(&folder, "x/a", &[]), Err(87));
    assert_eq!(open_in(&folder, "absent", &["x"]), Err(2));
    assert_eq!(open_in(&folder, "x", &["x"]), Err(5));
}

#[test]
fn without_reading_directories_a_single_name_is_its_own_answer() {
    let folder = Folder::new();
    folder.file("a", "1");
    let names = open(&folder, "a").unwrap();
    assert_eq!(next(names, 4000).unwrap(), folder.c("a").as_bytes());
    assert_eq!(next(names, 4000).unwrap_err().0, 38);
    assert_eq!(polylink_names_complete(names), 1);
    assert_eq!(polylink_names_close(names), 0);
    let path = folder.w("a");
    let mut names = std::ptr::null_mut();
    // SAFETY: the path ends with a zero
    let result = unsafe { polylink_names_open_w(path.as_ptr(), &raw mut names) };
    zero(result).unwrap();
    assert_eq!(polylink_names_close(names), 0);

    link(&folder, "a", "b", 0).unwrap();
    match open(&folder, "a") {
        // btrfs knows, for root
        Ok(names) => {
            assert_eq!(polylink_names_complete(names), 1);
            assert_eq!(polylink_names_close(names), 0);
        }
        Err(code) => assert_eq!(code, 50),
    }
    assert_eq!(open(&folder, "absent"), Err(2));
    assert_eq!(open(&folder, ""), Err(5));
}

#[test]
fn closed_and_foreign_handles_are_errors() {
    let folder = Folder::new();
    folder.file("a", "1");
    let names = open(&folder, "a").unwrap();
    assert_eq!(polylink_names_close(names), 0);
    for names in [names, std::ptr::null_mut(), std::ptr::without_provenance_mut(7)] {
        assert_eq!(next(names, 100).unwrap_err().0, 6);
        assert_eq!(next_w(names, 100).unwrap_err().0, 6);
        assert_eq!(zero(polylink_names_complete(names)), Err(6));
    }
    assert_eq!(zero(polylink_names_close(names)), Err(6));
    assert_eq!(polylink_names_close(std::ptr::null_mut()), 0);
}

#[test]
fn null_is_an_error_wherever_something_is_needed() {
    let folder = Folder::new();
    folder.file("a", "1");
    let path = folder.c("a");
    let wide = folder.w("a");
    let list = [path.as_ptr(), std::ptr::null()];
    let null = std::ptr::null();
    let mut names = std::ptr::null_mut();
    let out = &raw mut names;
    let mut count = 7;
    // SAFETY: whatever is not NULL is as it should be
    unsafe {
        for result in [
            polylink_link_count(null, &raw mut count),
            polylink_link_count(path.as_ptr(), std::ptr::null_mut()),
            polylink_names_open(null, out),
            polylink_names_open(path.as_ptr(), std::ptr::null_mut()),
            polylink_names_open_w(std::ptr::null(), out),
            polylink_names_open_w(wide.as_ptr(), std::ptr::null_mut()),
            polylink_names_open_in(null, list.as_ptr(), 1, out),
            polylink_names_open_in(path.as_ptr(), std::ptr::null(), 1, out),
            polylink_names_open_in(path.as_ptr(), list.as_ptr(), 2, out),
            polylink_names_open_in(path.as_ptr(), list.as_ptr(), 1, std::ptr::null_mut()),
        ] {
            assert_eq!(zero(result), Err(87));
        }
    }
    assert!(names.is_null() && count == 7);
    let names = open(&folder, "a").unwrap();
    let mut buffer = [0_u8; 10];
    // SAFETY: whatever is not NULL is as it should be
    let result = unsafe { polylink_names_next(names, buffer.as_mut_ptr().cast(), std::ptr::null_mut()) };
    assert_eq!(zero(result), Err(87));
    let mut length = 10;
    // SAFETY: the buffer is NULL, whatever the length says
    let result = unsafe { polylink_names_next(names, std::ptr::null_mut(), &raw mut length) };
    assert_eq!(zero(result), Err(87));
    assert_eq!(polylink_names_close(names), 0);
}

#[test]
#[cfg(unix)]
fn a_name_that_is_not_text_comes_as_bytes_only() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = Folder::new();
    let odd = folder.0.path().join(std::ffi::OsStr::from_bytes(b"odd\xff"));
    fs::write(&odd, "1").unwrap();
    let path = c_path(&odd);
    let mut names = std::ptr::null_mut();
    // SAFETY: the path ends with a zero
    zero(unsafe { polylink_names_open(path.as_ptr(), &raw mut names) }).unwrap();
    assert_eq!(next_w(names, 4000).unwrap_err().0, 1113);
    assert_eq!(next(names, 4000).unwrap(), path.as_bytes());
    assert_eq!(polylink_names_close(names), 0);
}

#[test]
fn names_are_counted() {
    let folder = Folder::new();
    folder.file("a", "1");
    folder.dir("dir");
    for wanted in 1..5 {
        let path = folder.c("a");
        let mut count = 0;
        // SAFETY: the path ends with a zero
        zero(unsafe { polylink_link_count(path.as_ptr(), &raw mut count) }).unwrap();
        assert_eq!(count, wanted);
        link(&folder, "a", &format!("b{wanted}"), 0).unwrap();
    }
    let path = folder.c("dir");
    let mut count = 0;
    // SAFETY: the path ends with a zero
    let result = unsafe { polylink_link_count(path.as_ptr(), &raw mut count) };
    assert_eq!(zero(result), Err(5));
}
