//! The functions as C calls them.

mod create;
mod hostile;
mod names;
mod native;

use std::ffi::{CString, c_char};
use std::fs;
use std::path::{Path, PathBuf};

use super::error::*;
use super::link::*;

/// A folder to work in, and what C makes of names in it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
    }

    fn dir(&self, name: &str) {
        fs::create_dir(self.path(name)).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn c(&self, name: &str) -> CString {
        c_path(&self.path(name))
    }

    fn w(&self, name: &str) -> Vec<u16> {
        w(self.path(name).to_str().unwrap())
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn c_path(path: &Path) -> CString {
    CString::new(path.as_os_str().as_encoded_bytes()).unwrap()
}

/// Text as UTF-16 with its zero.
fn w(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// CreateHardLinkW: `Err` is the last error.
fn create_w(folder: &Folder, new: &str, existing: &str) -> Result<(), u32> {
    let (new, existing) = (folder.w(new), folder.w(existing));
    // SAFETY: both end with a zero
    truth(unsafe { PolylinkCreateHardLinkW(new.as_ptr(), existing.as_ptr(), std::ptr::null_mut()) })
}

/// CreateHardLinkA.
fn create_a(folder: &Folder, new: &str, existing: &str) -> Result<(), u32> {
    let (new, existing) = (folder.c(new), folder.c(existing));
    // SAFETY: both end with a zero
    truth(unsafe { PolylinkCreateHardLinkA(new.as_ptr(), existing.as_ptr(), std::ptr::null_mut()) })
}

fn truth(result: i32) -> Result<(), u32> {
    match result {
        0 => Err(polylink_last_error()),
        1 => Ok(()),
        other => panic!("{other} is no truth value"),
    }
}

fn link(folder: &Folder, existing: &str, new: &str, flags: u32) -> Result<(), u32> {
    let (existing, new) = (folder.c(existing), folder.c(new));
    // SAFETY: both end with a zero
    zero(unsafe { polylink_link(existing.as_ptr(), new.as_ptr(), flags) })
}

fn zero(result: i32) -> Result<(), u32> {
    match result {
        0 => Ok(()),
        -1 => Err(polylink_last_error()),
        other => panic!("{other} is neither 0 nor -1"),
    }
}

fn message() -> String {
    let mut buffer = vec![0_u8; 2000];
    // SAFETY: there is room for as many bytes as it says
    let length = unsafe { polylink_last_error_message(buffer.as_mut_ptr().cast::<c_char>(), buffer.len()) };
    buffer.truncate(length);
    String::from_utf8(buffer).unwrap()
}
