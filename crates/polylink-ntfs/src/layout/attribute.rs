//! Attribute records.

use bitflags::bitflags;
use zerocopy::byteorder::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// `ATTRIBUTE_RECORD_HEADER`: what resident and non-resident attributes share.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct AttributeHeader {
    /// Its type, such as 0x30 for `$FILE_NAME`; 0xFFFFFFFF ends the list.
    pub kind: U32,
    /// Bytes of the attribute record, a multiple of 8.
    pub len: U32,
    /// 1 where the value lies in clusters of its own.
    pub non_resident: u8,
    /// Units of the name.
    pub name_len: u8,
    /// Where the name is.
    pub name_offset: U16,
    /// [`AttributeFlags`].
    pub flags: U16,
    /// Its number in the record.
    pub id: U16,
}

/// What follows in a resident attribute.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct ResidentHeader {
    /// Bytes of the value.
    pub value_len: U32,
    /// Where the value is.
    pub value_offset: U16,
    /// 1 where the value stands in an index, as each `$FILE_NAME` does.
    pub indexed: u8,
    /// 0.
    pub reserved: u8,
}

/// What follows in a non-resident attribute.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct NonResidentHeader {
    /// First cluster of the value that these runs hold.
    pub lowest_vcn: U64,
    /// Last one, included; -1 where there is none.
    pub highest_vcn: U64,
    /// Where the runs (mapping pairs) are.
    pub runs_offset: U16,
    /// The logarithm of the compression unit in clusters; 0 where the value is not compressed.
    pub compression_unit: u8,
    /// 0.
    pub reserved: [u8; 5],
    /// Bytes that the clusters hold; of the whole value, in its first part only.
    pub allocated: U64,
    /// Bytes of the value.
    pub size: U64,
    /// Bytes of it that were written; what follows reads as zeros.
    pub initialized: U64,
}

/// What follows that where the value is sparse or compressed.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct CompressedHeader {
    /// Bytes that the clusters in use hold.
    pub total_allocated: U64,
}

bitflags! {
    /// Flags of an attribute.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct AttributeFlags: u16 {
        /// Compressed by LZNT1.
        const COMPRESSED = 1;
        /// The bits in which a method of compression stands.
        const COMPRESSION_MASK = 0xFF;
        /// Encrypted by EFS.
        const ENCRYPTED = 0x4000;
        /// With holes.
        const SPARSE = 0x8000;
        const _ = !0;
    }
}

/// The types of attributes (`ATTRIBUTE_TYPE_CODE`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttributeKind(pub u32);

impl AttributeKind {
    /// `$STANDARD_INFORMATION`: times, attributes, owner.
    pub const STANDARD_INFORMATION: Self = Self(0x10);
    /// `$ATTRIBUTE_LIST`: where the attributes of a file with several records are.
    pub const ATTRIBUTE_LIST: Self = Self(0x20);
    /// `$FILE_NAME`: one name of the file.
    pub const FILE_NAME: Self = Self(0x30);
    /// `$OBJECT_ID`.
    pub const OBJECT_ID: Self = Self(0x40);
    /// `$SECURITY_DESCRIPTOR`: before NTFS 3.0.
    pub const SECURITY_DESCRIPTOR: Self = Self(0x50);
    /// `$VOLUME_NAME`: the label.
    pub const VOLUME_NAME: Self = Self(0x60);
    /// `$VOLUME_INFORMATION`: version and flags.
    pub const VOLUME_INFORMATION: Self = Self(0x70);
    /// `$DATA`: the content, or a named stream.
    pub const DATA: Self = Self(0x80);
    /// `$INDEX_ROOT`: the root node of an index.
    pub const INDEX_ROOT: Self = Self(0x90);
    /// `$INDEX_ALLOCATION`: the other nodes.
    pub const INDEX_ALLOCATION: Self = Self(0xA0);
    /// `$BITMAP`: which nodes, or which records, are in use.
    pub const BITMAP: Self = Self(0xB0);
    /// `$REPARSE_POINT`: symbolic link, junction, or data of a filter.
    pub const REPARSE_POINT: Self = Self(0xC0);
    /// `$EA_INFORMATION`.
    pub const EA_INFORMATION: Self = Self(0xD0);
    /// `$EA`: extended attributes.
    pub const EA: Self = Self(0xE0);
    /// `$LOGGED_UTILITY_STREAM`: among others the keys of EFS.
    pub const LOGGED_UTILITY_STREAM: Self = Self(0x100);
    /// The end of a record's attributes.
    pub const END: Self = Self(0xFFFF_FFFF);

    /// Its name, where it is known.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::STANDARD_INFORMATION => "$STANDARD_INFORMATION",
            Self::ATTRIBUTE_LIST => "$ATTRIBUTE_LIST",
            Self::FILE_NAME => "$FILE_NAME",
            Self::OBJECT_ID => "$OBJECT_ID",
            Self::SECURITY_DESCRIPTOR => "$SECURITY_DESCRIPTOR",
            Self::VOLUME_NAME => "$VOLUME_NAME",
            Self::VOLUME_INFORMATION => "$VOLUME_INFORMATION",
            Self::DATA => "$DATA",
            Self::INDEX_ROOT => "$INDEX_ROOT",
            Self::INDEX_ALLOCATION => "$INDEX_ALLOCATION",
            Self::BITMAP => "$BITMAP",
            Self::REPARSE_POINT => "$REPARSE_POINT",
            Self::EA_INFORMATION => "$EA_INFORMATION",
            Self::EA => "$EA",
            Self::LOGGED_UTILITY_STREAM => "$LOGGED_UTILITY_STREAM",
            _ => return None,
        })
    }
}

impl core::fmt::Display for AttributeKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "attribute {:#x}", self.0),
        }
    }
}

impl core::fmt::Debug for AttributeKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(self, f)
    }
}
