//! The indexes of `$Extend\$ObjId` and `$Extend\$Reparse`: which file has an object id, and which ones are reparse points.
//!
//! `$O` has an entry for each `$OBJECT_ID`: the id is the key, the data is the file and three further ids, those that the
//! file was born with. `$R` has one for each `$REPARSE_POINT`: the key is the tag and the file, and there is no data. The
//! files say what belongs into both, but for the ids of birth: drivers keep those in the index, and not all of them in the
//! file as well.
//!
//! Sources: "New Technologies File System (NTFS)" by Joachim Metz, sections on `$ObjId` and `$Reparse`; NTFS documentation
//! by Richard Russon, "$ObjId", "$Reparse"; volumes that Windows and ntfs-3g wrote.

use std::fmt;

use zerocopy::FromBytes as _;
use zerocopy::IntoBytes as _;

use crate::layout::attribute::AttributeKind;
use crate::layout::security::ViewEntry;
use crate::units::FileReference;

/// Which of the indexes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum View {
    /// `$ObjId:$O`.
    ObjectIds,
    /// `$Reparse:$R`.
    ReparsePoints,
}

/// What an index is sorted by: an object id, or a tag and a file, then zeros.
pub(crate) type Key = [u8; 16];

/// Bytes of an object id.
const ID: usize = 16;
/// Bytes of a tag.
pub(crate) const TAG: usize = 4;
/// Bytes of the ids that stand behind the file.
const BIRTH: usize = 48;
/// Bytes of a file.
const FILE: usize = 8;

impl View {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::ObjectIds, Self::ReparsePoints];

    /// The one that is made of attributes of a type.
    pub(crate) fn of_kind(kind: AttributeKind) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.kind() == kind)
    }

    /// The attribute that each entry stands for.
    pub(crate) fn kind(self) -> AttributeKind {
        match self {
            Self::ObjectIds => AttributeKind::OBJECT_ID,
            Self::ReparsePoints => AttributeKind::REPARSE_POINT,
        }
    }

    /// The file in `$Extend` that has it.
    pub(crate) fn file(self) -> &'static str {
        match self {
            Self::ObjectIds => "$ObjId",
            Self::ReparsePoints => "$Reparse",
        }
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ObjectIds => "$O",
            Self::ReparsePoints => "$R",
        }
    }

    /// Its name.
    pub(crate) fn units(self) -> &'static [u16] {
        match self {
            Self::ObjectIds => &[0x24, 0x4F],
            Self::ReparsePoints => &[0x24, 0x52],
        }
    }

    /// Bytes of a key.
    pub(crate) fn key_len(self) -> usize {
        match self {
            Self::ObjectIds => ID,
            Self::ReparsePoints => TAG.saturating_add(FILE),
        }
    }

    /// Whether the value of an attribute has a length that it can have: an object id stands alone, or with those that its
    /// file was born with.
    pub(crate) fn fits(self, len: usize) -> bool {
        match self {
            Self::ObjectIds => len == ID || len == ID.saturating_add(BIRTH),
            Self::ReparsePoints => len >= TAG,
        }
    }

    /// The key for what a file has: for the beginning of the value of its attribute. `None` where that is too short.
    pub(crate) fn key(self, value: &[u8], file: FileReference) -> Option<Key> {
        let mut key = [0; ID];
        match self {
            Self::ObjectIds => key.copy_from_slice(value.get(..ID)?),
            Self::ReparsePoints => {
                key.get_mut(..TAG)?.copy_from_slice(value.get(..TAG)?);
                let place = key.get_mut(TAG..TAG.saturating_add(FILE))?;
                place.copy_from_slice(&file.0.to_le_bytes());
            }
        }
        Some(key)
    }
}

/// An entry of one of the indexes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Listed {
    pub(crate) key: Key,
    pub(crate) file: FileReference,
}

impl Listed {
    /// Reads an entry, its own header first; `None` where it is none of this index.
    pub(crate) fn read(view: View, entry: &[u8]) -> Option<Self> {
        let (key, data) = parts(entry)?;
        if key.len() != view.key_len() {
            return None;
        }
        let file = match view {
            View::ObjectIds => data.first_chunk()?,
            View::ReparsePoints => key.get(TAG..)?.first_chunk()?,
        };
        let mut padded = [0; ID];
        padded.get_mut(..key.len())?.copy_from_slice(key);
        Some(Self {
            key: padded,
            file: FileReference(u64::from_le_bytes(*file)),
        })
    }

    /// As an entry: of an object id with what it was born with, which zeros stand for where it is not known.
    pub(crate) fn entry(&self, view: View, birth: &[u8]) -> Vec<u8> {
        let key = self.key.get(..view.key_len()).unwrap_or_default();
        let data = match view {
            View::ObjectIds => {
                let mut data = [self.file.0.as_bytes(), birth].concat();
                data.resize(FILE.saturating_add(BIRTH), 0);
                data
            }
            View::ReparsePoints => Vec::new(),
        };
        entry(key, &data, &[])
    }

    /// In words, for messages.
    pub(crate) fn described(&self, view: View) -> String {
        let Self { key, file } = self;
        match view {
            View::ObjectIds => format!("{} of the file {file}", Id(key)),
            View::ReparsePoints => {
                let tag = key.first_chunk().map_or(0, |tag| u32::from_le_bytes(*tag));
                format!("the tag {tag:#010x} of the file {file}")
            }
        }
    }
}

/// What an object id of a file was born with, by the file's own attribute or by an entry.
pub(crate) fn birth(value: &[u8]) -> Option<Vec<u8>> {
    value.get(ID..ID.saturating_add(BIRTH)).map(<[u8]>::to_vec)
}

/// The same of an entry of `$O`.
pub(crate) fn birth_of_entry(entry: &[u8]) -> Option<Vec<u8>> {
    let (_, data) = parts(entry)?;
    data.get(FILE..FILE.saturating_add(BIRTH)).map(<[u8]>::to_vec)
}

/// An object id as people write it.
struct Id<'k>(&'k Key);

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g, h, i, rest @ ..] = self.0;
        let first = u32::from_le_bytes([*a, *b, *c, *d]);
        let (second, third) = (u16::from_le_bytes([*e, *g]), u16::from_le_bytes([*h, *i]));
        write!(f, "{first:08x}-{second:04x}-{third:04x}-")?;
        for (at, byte) in rest.iter().enumerate() {
            write!(f, "{}{byte:02x}", if at == 2 { "-" } else { "" })?;
        }
        Ok(())
    }
}

/// An entry of an index that is no directory, without the place of a child; `tail` is what it is filled up with.
pub(crate) fn entry(key: &[u8], data: &[u8], tail: &[u8]) -> Vec<u8> {
    // OK to saturate: all of these are below 100
    let short = |len: usize| u16::try_from(len).unwrap_or(u16::MAX).into();
    let data_at = size_of::<ViewEntry>().saturating_add(key.len());
    let len = data_at.saturating_add(data.len()).next_multiple_of(8);
    let view = ViewEntry {
        data_offset: short(data_at),
        data_len: short(data.len()),
        reserved: 0.into(),
        len: short(len),
        key_len: short(key.len()),
        flags: 0.into(),
        reserved2: 0.into(),
    };
    let mut bytes = [view.as_bytes(), key, data, tail].concat();
    bytes.resize(len, 0);
    bytes
}

/// The key and the data of an entry of an index that is no directory; what leads out of it is empty.
pub(crate) fn parts(entry: &[u8]) -> Option<(&[u8], &[u8])> {
    let (view, key) = ViewEntry::read_from_prefix(entry).ok()?;
    let at = usize::from(view.data_offset.get());
    let data = at..at.saturating_add(usize::from(view.data_len.get()));
    let key = key.get(..usize::from(view.key_len.get()));
    Some((key.unwrap_or_default(), entry.get(data).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::RecordNumber;

    const FILE: FileReference = FileReference::new(RecordNumber(70), 3);

    #[test]
    fn entries_are_as_windows_makes_them() {
        let id: Key = *b"0123456789abcdef";
        let key = View::ObjectIds.key(&id, FILE).unwrap();
        let listed = Listed { key, file: FILE };
        let bytes = listed.entry(View::ObjectIds, &[7; 48]);
        assert_eq!(bytes.len(), 0x58);
        assert_eq!(
            bytes[..16],
            [0x20, 0, 0x38, 0, 0, 0, 0, 0, 0x58, 0, 0x10, 0, 0, 0, 0, 0]
        );
        assert_eq!((&bytes[16..32], bytes[32]), (&id[..], 70));
        assert_eq!(Listed::read(View::ObjectIds, &bytes), Some(listed));
        assert_eq!(birth_of_entry(&bytes), Some(vec![7; 48]));
        assert_eq!(
            listed.described(View::ObjectIds),
            "33323130-3534-3736-3839-616263646566 of the file 70-3"
        );

        let key = View::ReparsePoints.key(&[0x0C, 0, 0, 0xA0, 9], FILE).unwrap();
        let listed = Listed { key, file: FILE };
        let bytes = listed.entry(View::ReparsePoints, &[]);
        assert_eq!(bytes[..12], [0x1C, 0, 0, 0, 0, 0, 0, 0, 0x20, 0, 0x0C, 0]);
        assert_eq!(bytes.len(), 0x20);
        assert_eq!(Listed::read(View::ReparsePoints, &bytes), Some(listed));
        assert_eq!(
            listed.described(View::ReparsePoints),
            "the tag 0xa000000c of the file 70-3"
        );
    }

    #[test]
    fn what_is_too_short_is_no_entry() {
        let listed = Listed {
            key: [1; 16],
            file: FILE,
        };
        let whole = listed.entry(View::ObjectIds, &[]);
        for len in 0..40 {
            assert_eq!(Listed::read(View::ObjectIds, &whole[..len]), None, "{len}");
        }
        assert_eq!(Listed::read(View::ReparsePoints, &whole), None);
        assert_eq!(View::ReparsePoints.key(&[1, 2, 3], FILE), None);
        assert_eq!(birth(&[0; 63]), None);
    }
}
