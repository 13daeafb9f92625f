//! Partition tables: MBR, and GPT (UEFI Specification 2.10, section 5.3).

use zerocopy::byteorder::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The first sector of a disk, or of a logical partition.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Debug)]
#[repr(C)]
pub struct Mbr {
    /// Boot code.
    pub code: [u8; 446],
    /// The four entries.
    pub entries: [MbrEntry; 4],
    /// 0xAA55.
    pub signature: U16,
}

/// One entry of an MBR.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct MbrEntry {
    /// 0x80 where it is booted from, else 0.
    pub status: u8,
    /// Cylinder, head and sector of the first sector; not used.
    pub first_chs: [u8; 3],
    /// Type: 0 for an unused entry, 7 for NTFS and exFAT.
    pub kind: u8,
    /// The same of the last sector.
    pub last_chs: [u8; 3],
    /// First sector.
    pub start: U32,
    /// Sectors.
    pub count: U32,
}

/// The header of a GPT, in sector 1 and in the last.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Debug)]
#[repr(C)]
pub struct GptHeader {
    /// `EFI PART`.
    pub signature: [u8; 8],
    /// 1.0.
    pub revision: U32,
    /// Bytes in this header.
    pub header_size: U32,
    /// CRC-32 of the header.
    pub header_crc: U32,
    /// 0.
    pub reserved: U32,
    /// Where this header is, in sectors.
    pub this_lba: U64,
    /// Where the other one is.
    pub other_lba: U64,
    /// First sector that partitions may use.
    pub first_usable: U64,
    /// Last sector that partitions may use.
    pub last_usable: U64,
    /// The disk's GUID.
    pub disk_guid: [u8; 16],
    /// Where the entries begin.
    pub entries_lba: U64,
    /// How many there are.
    pub entry_count: U32,
    /// Bytes of each.
    pub entry_size: U32,
    /// CRC-32 of the entries.
    pub entries_crc: U32,
}

/// One partition of a GPT.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Debug)]
#[repr(C)]
pub struct GptEntry {
    /// GUID of its type; zero for an unused entry.
    pub kind: [u8; 16],
    /// Its own GUID.
    pub guid: [u8; 16],
    /// First sector.
    pub first_lba: U64,
    /// Last sector, included.
    pub last_lba: U64,
    /// Attributes.
    pub attributes: U64,
    /// Name, ended by NUL where it is shorter.
    pub name: [U16; 36],
}
