//! Names: one component of a path, kept exactly as the file system has it.

use std::borrow::{Borrow, Cow};
use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

/// One directory entry's name, borrowed.
///
/// The bytes are the file system's own on Unix; names made of UTF-16 units (NTFS, Windows) are kept in WTF-8, the
/// superset of UTF-8 that can hold lone surrogates. So every name survives a round trip, text or not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name<'a>(&'a [u8]);

impl<'a> Name<'a> {
    /// Views text or bytes as a name.
    #[must_use]
    pub fn new<B: AsRef<[u8]> + ?Sized>(bytes: &'a B) -> Self {
        Self(bytes.as_ref())
    }

    /// Views a component of a path of this platform as a name.
    #[must_use]
    pub fn from_os(name: &'a OsStr) -> Self {
        Self(name.as_encoded_bytes())
    }

    /// The bytes: the file system's own on Unix, WTF-8 elsewhere.
    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// The name as this platform's string; `None` only on Windows, for bytes that are not WTF-8.
    #[must_use]
    pub fn to_os(self) -> Option<Cow<'a, OsStr>> {
        os::to_os(self.0)
    }

    /// The name as text, where it is text.
    #[must_use]
    pub fn text(self) -> Option<&'a str> {
        std::str::from_utf8(self.0).ok()
    }

    /// An owned copy.
    #[must_use]
    pub fn to_buf(self) -> NameBuf {
        NameBuf(self.0.into())
    }

    /// Stem and extension: the extension is what follows the last dot, unless that dot is the first byte or the last.
    ///
    /// `a.tar.gz` gives `a.tar` and `gz`; `.profile`, `name` and `name.` have no extension.
    #[must_use]
    pub fn split_extension(self) -> (&'a [u8], Option<&'a [u8]>) {
        match self.0.iter().rposition(|&b| b == b'.') {
            Some(dot) if dot > 0 && dot + 1 < self.0.len() => (&self.0[..dot], Some(&self.0[dot + 1..])),
            _ => (self.0, None),
        }
    }
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", shown_name(*self))
    }
}

/// One directory entry's name, owned. See [`Name`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameBuf(Box<[u8]>);

impl NameBuf {
    /// The name, borrowed.
    #[must_use]
    pub fn name(&self) -> Name<'_> {
        Name(&self.0)
    }

    /// The bytes; see [`Name::bytes`].
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Borrow<[u8]> for NameBuf {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for NameBuf {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().into())
    }
}

impl From<Vec<u8>> for NameBuf {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl From<&OsStr> for NameBuf {
    fn from(name: &OsStr) -> Self {
        Name::from_os(name).to_buf()
    }
}

impl fmt::Debug for NameBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name().fmt(f)
    }
}

#[cfg(unix)]
mod os {
    use std::borrow::Cow;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    #[allow(clippy::unnecessary_wraps)] // the Windows half can refuse
    pub(super) fn to_os(bytes: &[u8]) -> Option<Cow<'_, OsStr>> {
        Some(Cow::Borrowed(OsStr::from_bytes(bytes)))
    }
}

#[cfg(windows)]
mod os {
    use std::borrow::Cow;
    use std::ffi::{OsStr, OsString};
    use std::os::windows::ffi::OsStringExt as _;

    use polylink_nt::name::units_of_wtf8;

    pub(super) fn to_os(bytes: &[u8]) -> Option<Cow<'_, OsStr>> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Some(Cow::Borrowed(OsStr::new(text))),
            Err(_) => Some(Cow::Owned(OsString::from_wide(&units_of_wtf8(bytes)?))),
        }
    }
}

/// A path as text for a person: control characters and bytes that are not text are escaped, so nothing in a file's
/// name can steer the terminal.
#[must_use]
pub fn shown(path: &Path) -> String {
    escape(path.as_os_str().as_encoded_bytes())
}

/// A name as text for a person; see [`shown`].
#[must_use]
pub fn shown_name(name: Name<'_>) -> String {
    escape(name.0)
}

fn escape(bytes: &[u8]) -> String {
    use fmt::Write as _;
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\r' => out.push_str("\\r"),
                c if c.is_control() || is_format_control(c) => {
                    // OK to ignore: writing to a string cannot fail
                    let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
                }
                c => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// Characters that reorder or hide the text around them (bidirectional controls, line separators).
fn is_format_control(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_split_at_the_last_dot_that_counts() {
        let split = |s: &'static str| {
            let (stem, ext) = Name::new(s).split_extension();
            (
                std::str::from_utf8(stem).unwrap(),
                ext.map(|e| std::str::from_utf8(e).unwrap()),
            )
        };
        assert_eq!(split("a.jpg"), ("a", Some("jpg")));
        assert_eq!(split("a.tar.gz"), ("a.tar", Some("gz")));
        assert_eq!(split(".profile"), (".profile", None));
        assert_eq!(split("name"), ("name", None));
        assert_eq!(split("name."), ("name.", None));
    }

    #[test]
    fn names_that_are_not_text_survive_and_are_shown_escaped() {
        // on Windows the lone surrogate U+D800, elsewhere any byte
        let (raw, escaped): (&[u8], &str) = if cfg!(windows) {
            (b"a\xed\xa0\x80\n\x1b[31m", "a\\xed\\xa0\\x80\\n\\u{1b}[31m")
        } else {
            (b"a\xff\n\x1b[31m", "a\\xff\\n\\u{1b}[31m")
        };
        let name = Name::new(raw);
        assert_eq!(Name::from_os(&name.to_os().unwrap()).bytes(), raw);
        assert_eq!(shown_name(name), escaped);
        assert_eq!(shown_name(Name::new("a\u{202e}gpj")), "a\\u{202e}gpj");
    }
}
