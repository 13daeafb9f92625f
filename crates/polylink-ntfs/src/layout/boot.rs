//! The boot sector.

use zerocopy::byteorder::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The first 512 bytes of a volume; a copy is in its last sector.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Debug)]
#[repr(C)]
pub struct BootSector {
    /// Jump over the tables.
    pub jump: [u8; 3],
    /// `NTFS    `.
    pub oem_id: [u8; 8],
    /// Bytes a sector.
    pub bytes_per_sector: U16,
    /// Sectors a cluster; above 0x80 the negative logarithm.
    pub sectors_per_cluster: u8,
    /// 0 on NTFS.
    pub reserved_sectors: U16,
    /// 0 on NTFS: FAT's tables, root entries, small sector count.
    pub fat_fields: [u8; 5],
    /// 0xF8 for a hard disk.
    pub media: u8,
    /// 0 on NTFS: sectors of a FAT.
    pub sectors_per_fat: U16,
    /// Geometry for the BIOS.
    pub sectors_per_track: U16,
    /// Geometry for the BIOS.
    pub heads: U16,
    /// Sectors before the volume.
    pub hidden_sectors: U32,
    /// 0 on NTFS: large sector count.
    pub large_sectors: U32,
    /// 0x80 and flags.
    pub drive: U32,
    /// Sectors of the volume, without the one that holds the copy of this sector.
    pub total_sectors: U64,
    /// Where `$MFT` begins.
    pub mft_lcn: U64,
    /// Where `$MFTMirr` begins.
    pub mft_mirror_lcn: U64,
    /// Clusters a record; where negative, the logarithm of its bytes.
    pub clusters_per_record: u8,
    /// 0.
    pub reserved1: [u8; 3],
    /// Clusters an index block; where negative, the logarithm of its bytes.
    pub clusters_per_index: u8,
    /// 0.
    pub reserved2: [u8; 3],
    /// Serial number.
    pub serial: U64,
    /// Not used.
    pub checksum: U32,
    /// Boot code.
    pub code: [u8; 426],
    /// 0xAA55.
    pub signature: U16,
}
