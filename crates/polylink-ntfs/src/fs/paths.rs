//! Paths inside a volume: `/` separates, whatever the host's paths look like.

use std::path::{Path, PathBuf};

use polylink_core::{FsResult, Name};
use polylink_nt::NtStatus;

/// A path has at most 32,767 units, so at most half as many components.
pub(super) const DEEPEST: usize = 16_384;

/// The names on the way from the root, in WTF-8. `.` and empty ones are left out, `..` goes up and stops at the root.
///
/// # Errors
///
/// `OBJECT_NAME_INVALID` where a component is not WTF-8 (on Unix, paths are any bytes).
pub(super) fn components(path: &Path) -> FsResult<Vec<Vec<u8>>> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    let bytes = path.as_os_str().as_encoded_bytes();
    let separates = |byte: &u8| *byte == b'/' || cfg!(windows) && *byte == b'\\';
    for part in bytes.split(separates) {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop();
            }
            part if polylink_nt::name::units_of_wtf8(part).is_none() => {
                return Err(NtStatus::OBJECT_NAME_INVALID.into());
            }
            part => parts.push(part.to_vec()),
        }
    }
    Ok(parts)
}

/// A path for the host's tools, from WTF-8.
pub(super) fn path(bytes: &[u8]) -> FsResult<PathBuf> {
    match Name::new(bytes).to_os() {
        Some(text) => Ok(PathBuf::from(text.into_owned())),
        None => Err(NtStatus::OBJECT_NAME_INVALID.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_begin_at_the_root_however_they_are_written() {
        let parts = |path: &str| {
            let parts = components(Path::new(path)).unwrap();
            parts
                .into_iter()
                .map(|part| String::from_utf8(part).unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(parts("/a/b"), ["a", "b"]);
        assert_eq!(parts("a//./b/"), ["a", "b"]);
        assert_eq!(parts("/a/../../b"), ["b"]);
        assert!(parts("/").is_empty());
    }
}
