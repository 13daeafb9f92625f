//! Values of attributes.

use zerocopy::byteorder::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The value of `$STANDARD_INFORMATION`, as it was before NTFS 3.0.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct StandardInformation {
    /// When the file was made; 100 ns since 1601, as all times here.
    pub created: U64,
    /// When the content changed.
    pub modified: U64,
    /// When the record changed.
    pub changed: U64,
    /// When it was read.
    pub accessed: U64,
    /// `FILE_ATTRIBUTE_…`.
    pub attributes: U32,
    /// Most versions; not used, and 0.
    pub max_versions: U32,
    /// Version; since Windows 10 flags, among them [`CASE_SENSITIVE`].
    pub version: U32,
    /// Class; not used.
    pub class_id: U32,
}

/// In `version` of a directory's [`StandardInformation`], where `max_versions` is 0: names that differ in case only are
/// different there (`FILE_CS_FLAG_CASE_SENSITIVE_DIR`, since Windows 10, version 1803).
///
/// Microsoft does not publish where the flag is kept. Two others found the same place: [keramics], "The standard
/// information attribute" (0 as the most versions, version number 1), and [dfir_ntfs], `is_case_sensitive` in
/// `Attributes.py` (the lowest bit of the 32 at offset 40; the bits above it have other meanings).
///
/// [keramics]: https://keramics.github.io/ntfs.html
/// [dfir_ntfs]: https://github.com/msuhanov/dfir_ntfs
pub const CASE_SENSITIVE: u32 = 1;

/// What NTFS 3.0 added to it.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct StandardInformation3 {
    /// Who is charged for it.
    pub owner_id: U32,
    /// Which descriptor of `$Secure` it has.
    pub security_id: U32,
    /// Bytes charged.
    pub quota: U64,
    /// Its last entry in the change journal.
    pub usn: U64,
}

/// The value of `$FILE_NAME`, and the key of an index entry; the name follows.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct FileName {
    /// The directory that the name is in.
    pub parent: U64,
    /// When the file was made.
    pub created: U64,
    /// When the content changed.
    pub modified: U64,
    /// When the record changed.
    pub changed: U64,
    /// When it was read.
    pub accessed: U64,
    /// Bytes that its data takes.
    pub allocated: U64,
    /// Bytes of its data.
    pub size: U64,
    /// `FILE_ATTRIBUTE_…`, with 0x10000000 for a directory.
    pub attributes: U32,
    /// Bytes of extended attributes, or the reparse tag.
    pub ea_or_tag: U32,
    /// Units of the name.
    pub name_len: u8,
    /// 0 POSIX, 1 Win32, 2 DOS, 3 Win32 and DOS.
    pub namespace: u8,
}

/// One entry of `$ATTRIBUTE_LIST`; the attribute's name follows.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct AttributeListEntry {
    /// The attribute's type.
    pub kind: U32,
    /// Bytes of the entry, a multiple of 8.
    pub len: U16,
    /// Units of the attribute's name.
    pub name_len: u8,
    /// Where the name is.
    pub name_offset: u8,
    /// First cluster that this part of the attribute holds.
    pub lowest_vcn: U64,
    /// The record that it is in.
    pub record: U64,
    /// Its number there.
    pub id: U16,
}

/// The value of `$VOLUME_INFORMATION`.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct VolumeInformation {
    /// 0.
    pub reserved: U64,
    /// Version of NTFS, before the dot.
    pub major: u8,
    /// After the dot.
    pub minor: u8,
    /// Flags; 1 is dirty.
    pub flags: U16,
}

/// The beginning of `$REPARSE_POINT`.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct ReparsePoint {
    /// What it is for (\[MS-FSCC\] 2.1.2.1).
    pub tag: U32,
    /// Bytes that follow this header.
    pub data_len: U16,
    /// 0.
    pub reserved: U16,
}

/// What a symbolic link or a junction has after [`ReparsePoint`] (\[MS-FSCC\] 2.1.2.4, 2.1.2.5).
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct ReparseNames {
    /// Where the path that is followed begins, counted from the end of the header.
    pub substitute_offset: U16,
    /// Its bytes.
    pub substitute_len: U16,
    /// Where the path for people begins.
    pub print_offset: U16,
    /// Its bytes.
    pub print_len: U16,
}
