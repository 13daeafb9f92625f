//! What a volume can do and which rules its names follow.

use std::borrow::Cow;

use polylink_nt::name::{units_of_wtf8, wtf8_of_units};
use polylink_nt::upcase::UpcaseTable;
use unicode_normalization::UnicodeNormalization as _;

use crate::name::Name;

/// Whether two names that differ only in case can stand in one directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CaseRule {
    /// They can: names are compared byte by byte.
    Sensitive,
    /// They cannot: names are compared by Unicode's full case folding of their canonical decomposition, as the
    /// casefold directories of ext4 and f2fs do. Bytes that are not text are compared as they are.
    Folded,
    /// They cannot: names are compared unit by unit through NT's default upper-case table, as NTFS and Windows do
    /// ([`polylink_nt::upcase::UpcaseTable`]). Bytes that are not WTF-8 are compared as they are.
    Upcased,
}

/// The most of a label that is worth more than the extension.
const LEAST_LABEL: usize = 16;

/// In what a name's length is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NameUnit {
    /// Bytes, as on Unix.
    Bytes,
    /// UTF-16 units, as on NTFS.
    Utf16,
}

/// The rules for names in one directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NameRules {
    /// When two names are the same.
    pub case: CaseRule,
    /// Longest name, counted in `unit`.
    pub max_len: usize,
    /// What `max_len` counts.
    pub unit: NameUnit,
}

impl NameRules {
    /// Unix: byte by byte, 255 bytes.
    pub const POSIX: Self = Self {
        case: CaseRule::Sensitive,
        max_len: 255,
        unit: NameUnit::Bytes,
    };

    /// Windows and NTFS: by NT's upper-case table, 255 UTF-16 units.
    pub const NT: Self = Self {
        case: CaseRule::Upcased,
        max_len: 255,
        unit: NameUnit::Utf16,
    };

    /// The key under which two names that cannot stand side by side are equal.
    #[must_use]
    pub fn key<'a>(&self, name: Name<'a>) -> Cow<'a, [u8]> {
        match (self.case, name.text()) {
            (CaseRule::Folded, Some(text)) if text.is_ascii() => {
                if text.bytes().any(|b| b.is_ascii_uppercase()) {
                    Cow::Owned(text.to_ascii_lowercase().into_bytes())
                } else {
                    Cow::Borrowed(name.bytes())
                }
            }
            (CaseRule::Folded, Some(text)) => {
                let folded: String = caseless::default_case_fold_str(&text.nfd().collect::<String>())
                    .nfd()
                    .collect();
                Cow::Owned(folded.into_bytes())
            }
            (CaseRule::Upcased, _) => upcased(name.bytes()),
            _ => Cow::Borrowed(name.bytes()),
        }
    }

    /// Length of a name in this volume's unit.
    #[must_use]
    pub fn len(&self, name: &[u8]) -> usize {
        match self.unit {
            NameUnit::Bytes => name.len(),
            // WTF-8: one unit for each lead byte, two where it starts a four-byte sequence
            NameUnit::Utf16 => name
                .iter()
                .map(|&b| usize::from(b & 0xC0 != 0x80) + usize::from(b >= 0xF0))
                .sum(),
        }
    }

    /// `stem (label).ext`, cut at the stem so that it fits; a label that leaves no room for the extension is cut as well.
    #[must_use]
    pub fn with_label(&self, name: &[u8], label: &[u8]) -> Vec<u8> {
        let (stem, ext) = Name::new(name).split_extension();
        let ext = ext.map_or_else(Vec::new, |ext| [b".", ext].concat());
        let room = self.max_len.saturating_sub(1 + b" ()".len() + self.len(&ext));
        let label = if room >= self.len(label).min(LEAST_LABEL) {
            self.cut(label, room)
        } else {
            label
        };
        self.joined(stem, &[b" (", label, b")", &ext].concat())
    }

    /// A stem and what follows it, cut at the stem where it is too long. A tail that leaves no room for the stem (an
    /// extension of 250 bytes) is cut itself.
    #[must_use]
    pub fn joined(&self, stem: &[u8], tail: &[u8]) -> Vec<u8> {
        let tail = self.cut(tail, self.max_len.saturating_sub(1));
        let room = self.max_len.saturating_sub(self.len(tail));
        [self.cut(stem, room), tail].concat()
    }

    /// The longest start of `bytes` that fits into `room` and does not split a character.
    fn cut<'a>(&self, bytes: &'a [u8], room: usize) -> &'a [u8] {
        let mut end = bytes.len();
        while end > 0 && (self.len(&bytes[..end]) > room || bytes.get(end).is_some_and(|b| b & 0xC0 == 0x80))
        {
            end -= 1;
        }
        &bytes[..end]
    }

    /// Whether a name is short enough.
    #[must_use]
    pub fn fits(&self, name: &[u8]) -> bool {
        self.len(name) <= self.max_len
    }
}

/// A name in NT's upper case.
fn upcased(name: &[u8]) -> Cow<'_, [u8]> {
    if name.is_ascii() {
        // the table changes the 26 letters of ASCII and nothing else there
        return if name.iter().any(u8::is_ascii_lowercase) {
            Cow::Owned(name.to_ascii_uppercase())
        } else {
            Cow::Borrowed(name)
        };
    }
    let Some(units) = units_of_wtf8(name) else {
        return Cow::Borrowed(name);
    };
    let upper = UpcaseTable::windows().upcased(&units);
    if upper == units {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(wtf8_of_units(&upper))
    }
}

/// Whether the file ids that a directory read gives are those that `stat` gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DirIds {
    /// They are: no `stat` is needed to know which file a name points at.
    Trusted,
    /// They may differ (overlayfs, network and FUSE file systems): identity needs a `stat` for each name.
    Untrusted,
}

/// Whether a volume has hard links, as far as its kind tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HardLinks {
    /// It has.
    Yes,
    /// It has not (FAT, exFAT).
    No,
    /// Only trying tells.
    Unknown,
}

/// What is known of the volume that a directory lies on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VolumeInfo {
    /// The volume, as in [`crate::FileId::volume`].
    pub volume: u64,
    /// The file system's name, such as `ext4`.
    pub kind: String,
    /// Size in bytes.
    pub total: Option<u64>,
    /// Bytes not in use.
    pub free: Option<u64>,
    /// Bytes that this user may still fill.
    pub available: Option<u64>,
    /// Most names that one file can have; `None` where it is not known.
    pub link_limit: Option<u64>,
    /// Whether there are hard links at all.
    pub hard_links: HardLinks,
    /// The rules for names in this directory.
    pub names: NameRules,
    /// What directory reads are worth here.
    pub dir_ids: DirIds,
    /// Whether it is mounted read-only.
    pub read_only: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_names_meet_and_sensitive_names_do_not() {
        let folded = NameRules {
            case: CaseRule::Folded,
            ..NameRules::POSIX
        };
        for (a, b) in [
            ("A.JPG", "a.jpg"),
            ("STRASSE", "straße"),
            ("\u{c5}", "a\u{30a}"),
            ("Ω", "ω"),
        ] {
            assert_eq!(folded.key(Name::new(a)), folded.key(Name::new(b)), "{a} {b}");
            assert_ne!(
                NameRules::POSIX.key(Name::new(a)),
                NameRules::POSIX.key(Name::new(b))
            );
        }
        assert_ne!(folded.key(Name::new(b"A\xff")), folded.key(Name::new(b"a\xff")));
    }

    #[test]
    fn names_of_nt_meet_by_its_upper_case_and_by_nothing_more() {
        let key = |name: &[u8]| NameRules::NT.key(Name::new(name)).into_owned();
        for (a, b) in [
            ("readme.TXT", "README.txt"),
            ("Größe", "gRÖßE"),
            ("Ω", "ω"),
            ("ÿ", "Ÿ"),
            ("🔥a", "🔥A"),
        ] {
            assert_eq!(key(a.as_bytes()), key(b.as_bytes()), "{a} {b}");
        }
        for (a, b) in [
            ("straße", "STRASSE"),
            ("I", "ı"),
            ("i", "İ"),
            ("ς", "Σ"),
            ("\u{c5}", "A\u{30a}"),
            ("𐐀", "𐐨"),
            ("a", "b"),
        ] {
            assert_ne!(key(a.as_bytes()), key(b.as_bytes()), "{a} {b}");
        }
    }

    #[test]
    fn names_of_nt_that_are_no_text_have_keys_too() {
        let key = |name: &[u8]| NameRules::NT.key(Name::new(name)).into_owned();
        // a lone surrogate is kept, and case counts nothing beside it
        assert_eq!(key(b"\xED\xA0\xBDa"), b"\xED\xA0\xBDA");
        assert_eq!(key(b"a\xED\xB4\xA5"), key(b"A\xED\xB4\xA5"));
        // no WTF-8: as it is
        assert_eq!(key(b"a\xFF"), b"a\xFF");
        assert_ne!(key(b"a\xFF"), key(b"A\xFF"));
    }

    #[test]
    fn keys_of_names_in_upper_case_are_the_names() {
        for name in ["README.TXT", "12-34", "GRÖßE", "日本"] {
            assert!(
                matches!(NameRules::NT.key(Name::new(name)), Cow::Borrowed(key) if key == name.as_bytes())
            );
        }
    }

    #[test]
    fn lengths_count_bytes_or_utf16_units() {
        let ntfs = NameRules {
            unit: NameUnit::Utf16,
            ..NameRules::POSIX
        };
        for text in ["abc", "äöü", "日本", "a🔥b"] {
            assert_eq!(ntfs.len(text.as_bytes()), text.encode_utf16().count());
            assert_eq!(NameRules::POSIX.len(text.as_bytes()), text.len());
        }
    }
}
