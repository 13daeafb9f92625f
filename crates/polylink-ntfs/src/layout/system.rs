//! What `$AttrDef` and `$UpCase:$Info` hold.

use zerocopy::byteorder::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// One entry of `$AttrDef`, which has one for each type of attribute and ends in one of zeros.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Debug)]
#[repr(C)]
pub struct AttributeDefinition {
    /// The type's name, ended by NUL.
    pub name: [U16; 64],
    /// The type.
    pub kind: U32,
    /// 0.
    pub display_rule: U32,
    /// 0.
    pub collation: U32,
    /// 2 indexed, 0x40 always in the record, 0x80 changes are logged where it lies in clusters.
    pub flags: U32,
    /// Bytes of a value at least.
    pub least: U64,
    /// Bytes of a value at most.
    pub most: U64,
}

/// The value of `$UpCase:$Info`, which Windows 8 and later write.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct UpcaseInfo {
    /// Bytes of this structure: 32.
    pub len: U32,
    /// 0.
    pub reserved: U32,
    /// CRC-64 of the table.
    pub crc: U64,
    /// Version of the Windows that the table is from, before the dot.
    pub major: U32,
    /// After the dot.
    pub minor: U32,
    /// Its build.
    pub build: U32,
    /// Its service pack, before the dot.
    pub pack_major: U16,
    /// After the dot.
    pub pack_minor: U16,
}
