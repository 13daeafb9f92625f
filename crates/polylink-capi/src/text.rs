//! Names between C and the system: bytes as they are on Unix, UTF-16 on Windows.

use std::path::{Path, PathBuf};

use polylink_core::Name;
use polylink_nt::NtStatus;

use crate::failure::Failure;
use crate::status;

/// The path that bytes stand for: any on Unix; on Windows UTF-8, or WTF-8 where it has lone surrogates.
pub(crate) fn path_of_bytes(bytes: &[u8]) -> Result<PathBuf, Failure> {
    match Name::new(bytes).to_os() {
        Some(path) => Ok(PathBuf::from(path.into_owned())),
        None => Err(Failure::of(
            NtStatus::OBJECT_NAME_INVALID,
            "the path is not UTF-8",
        )),
    }
}

/// The bytes of a path: the system's own on Unix, WTF-8 on Windows.
pub(crate) fn bytes_of_path(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

/// The path that UTF-16 stands for. On Unix that is its UTF-8, which lone surrogates have not.
pub(crate) fn path_of_units(units: &[u16]) -> Result<PathBuf, Failure> {
    system::path_of_units(units)
        .ok_or_else(|| Failure::of(NtStatus::OBJECT_NAME_INVALID, "the path is not UTF-16"))
}

/// A path in UTF-16, which bytes that are not text have not.
pub(crate) fn units_of_path(path: &Path) -> Result<Vec<u16>, Failure> {
    system::units_of_path(path).ok_or_else(|| {
        let path = polylink_core::shown(path);
        Failure::of(
            status::UNMAPPABLE_CHARACTER,
            &format!("cannot give '{path}' in UTF-16"),
        )
    })
}

#[cfg(unix)]
mod system {
    use std::path::{Path, PathBuf};

    pub(super) fn path_of_units(units: &[u16]) -> Option<PathBuf> {
        String::from_utf16(units).ok().map(PathBuf::from)
    }

    pub(super) fn units_of_path(path: &Path) -> Option<Vec<u16>> {
        path.to_str().map(|text| text.encode_utf16().collect())
    }
}

#[cfg(windows)]
mod system {
    use std::ffi::OsString;
    use std::os::windows::ffi::{OsStrExt as _, OsStringExt as _};
    use std::path::{Path, PathBuf};

    #[allow(clippy::unnecessary_wraps)] // the Unix half can refuse
    pub(super) fn path_of_units(units: &[u16]) -> Option<PathBuf> {
        Some(OsString::from_wide(units).into())
    }

    #[allow(clippy::unnecessary_wraps)] // the Unix half can refuse
    pub(super) fn units_of_path(path: &Path) -> Option<Vec<u16>> {
        Some(path.as_os_str().encode_wide().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_the_same_path_in_both_forms() {
        let text = "ä/日本/🔥";
        let units: Vec<u16> = text.encode_utf16().collect();
        let path = path_of_units(&units).unwrap();
        assert_eq!(path, path_of_bytes(text.as_bytes()).unwrap());
        assert_eq!(bytes_of_path(&path), text.as_bytes());
        assert_eq!(units_of_path(&path).unwrap(), units);
    }

    #[test]
    #[cfg(unix)]
    fn what_has_no_form_on_the_other_side_is_refused() {
        assert_eq!(path_of_units(&[0x61, 0xD800]).unwrap_err().win32, 123);
        let path = path_of_bytes(b"a\xff").unwrap();
        assert_eq!(bytes_of_path(&path), b"a\xff");
        assert_eq!(units_of_path(&path).unwrap_err().win32, 1113);
    }

    #[test]
    #[cfg(windows)]
    fn lone_surrogates_survive_in_both_forms() {
        let path = path_of_units(&[0x61, 0xD800]).unwrap();
        assert_eq!(bytes_of_path(&path), b"a\xed\xa0\x80");
        assert_eq!(path_of_bytes(b"a\xed\xa0\x80").unwrap(), path);
        assert_eq!(units_of_path(&path).unwrap(), [0x61, 0xD800]);
        assert_eq!(path_of_bytes(b"a\xff").unwrap_err().win32, 123);
    }
}
