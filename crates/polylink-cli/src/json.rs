//! The documents of `--json`: one schema number, paths that need not be text, unknown as null.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use polylink_core::Name;
use serde::{Serialize, Serializer, ser::SerializeMap as _};

/// Fields may be added within a number, not changed or removed.
pub(crate) const SCHEMA: u32 = 1;

/// A path: a string where it is valid Unicode, else `{"hex": "…"}` of its bytes or UTF-16 units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JsonPath<'a>(pub(crate) &'a Path);

impl Serialize for JsonPath<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        bytes(self.0.as_os_str().as_encoded_bytes(), serializer)
    }
}

/// The same for a path or a name that the document owns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct OwnedPath(Vec<u8>);

impl OwnedPath {
    pub(crate) fn from_name(name: Name<'_>) -> Self {
        Self(name.bytes().to_vec())
    }
}

impl From<&PathBuf> for OwnedPath {
    fn from(path: &PathBuf) -> Self {
        Self(path.as_os_str().as_encoded_bytes().to_vec())
    }
}

impl Serialize for OwnedPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        bytes(&self.0, serializer)
    }
}

fn bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return serializer.serialize_str(text);
    }
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry("hex", &hex(bytes))?;
    map.end()
}

/// Two digits for each byte; on Windows, where the bytes are WTF-8, four for each UTF-16 unit.
fn hex(bytes: &[u8]) -> String {
    let units = if cfg!(windows) {
        polylink_nt::name::units_of_wtf8(bytes)
    } else {
        None
    };
    let mut hex = String::with_capacity(bytes.len() * 2);
    // OK to ignore: writing to a string cannot fail
    match units {
        Some(units) => units.iter().for_each(|unit| {
            let _ = write!(hex, "{unit:04x}");
        }),
        None => bytes.iter().for_each(|byte| {
            let _ = write!(hex, "{byte:02x}");
        }),
    }
    hex
}

/// The document as text, ended by a line feed.
pub(crate) fn text<T: Serialize>(document: &T) -> String {
    let mut text = match serde_json::to_string_pretty(document) {
        Ok(text) => text,
        // not reached: our documents have string keys only
        Err(error) => format!("{{\"schema\": {SCHEMA}, \"error\": {{\"message\": \"{error}\"}}}}"),
    };
    text.push('\n');
    text
}

/// The document as one line, for commands that tell of one thing after the other.
pub(crate) fn line<T: Serialize>(document: &T) -> String {
    match serde_json::to_string(document) {
        Ok(text) => text,
        // not reached: our documents have string keys only
        Err(error) => format!("{{\"schema\": {SCHEMA}, \"error\": {{\"message\": \"{error}\"}}}}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_text_is_a_string() {
        assert_eq!(
            serde_json::to_string(&JsonPath(Path::new("a\n\"ü"))).unwrap(),
            r#""a\n\"ü""#
        );
    }

    #[cfg(windows)]
    #[test]
    fn a_path_that_is_not_text_is_hex_of_its_units() {
        use std::os::windows::ffi::OsStringExt as _;
        let path = PathBuf::from(std::ffi::OsString::from_wide(&[0x61, 0xD800, 0x5C, 0x62]));
        assert_eq!(
            serde_json::to_string(&JsonPath(&path)).unwrap(),
            r#"{"hex":"0061d800005c0062"}"#
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_not_text_is_hex() {
        use std::os::unix::ffi::OsStrExt as _;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"a\xff/b"));
        assert_eq!(
            serde_json::to_string(&JsonPath(path)).unwrap(),
            r#"{"hex":"61ff2f62"}"#
        );
    }
}
