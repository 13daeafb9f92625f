//! How a volume is divided: sectors, clusters, records, index blocks.

use crate::error::{Corrupt, CorruptKind, Error, Result, Unsupported};
use crate::layout::boot::BootSector;
use crate::units::{Lcn, RecordNumber};

/// The checked figures of a boot sector.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Geometry {
    /// Bytes a sector: a power of two from 256 to 4096.
    pub sector: u32,
    /// Bytes a cluster: a power of two from one sector to 2 MiB.
    pub cluster: u32,
    /// Bytes of a record of the Master File Table: a power of two.
    pub record: u32,
    /// Bytes of an index block, as the boot sector has it: a power of two.
    pub index: u32,
    /// Whole clusters of the volume.
    pub clusters: u64,
    /// Bytes of the volume, without the sector of the backup boot sector.
    pub size: u64,
    /// Where `$MFT` begins.
    pub mft: Lcn,
    /// Where `$MFTMirr` begins.
    pub mft_mirror: Lcn,
    /// Serial number.
    pub serial: u64,
}

const MIN_SECTOR: u32 = 256;
const MAX_SECTOR: u32 = 4096;
const MAX_CLUSTER: u32 = 2 << 20;
const MIN_BLOCK: u32 = 256;
const MAX_BLOCK: u32 = 64 << 10;

impl Geometry {
    /// Checks a boot sector.
    ///
    /// # Errors
    ///
    /// [`Unsupported::NotNtfs`] where it is another file system's; [`Error::Corrupt`] with the figure that cannot be.
    pub fn of(boot: &BootSector) -> Result<Self> {
        if boot.oem_id != *b"NTFS    " {
            return Err(Unsupported::NotNtfs { found: other(boot) }.into());
        }
        let found = boot.bytes_per_sector.get();
        let sector = u32::from(found);
        if !sector.is_power_of_two() || !(MIN_SECTOR..=MAX_SECTOR).contains(&sector) {
            return Err(CorruptKind::SectorSize { found }.into());
        }
        let cluster = cluster_size(sector, boot.sectors_per_cluster)?;
        let record = block_size(cluster, boot.clusters_per_record).ok_or(CorruptKind::RecordSize {
            found: boot.clusters_per_record,
        })?;
        let index = block_size(cluster, boot.clusters_per_index).ok_or(CorruptKind::IndexSize {
            found: boot.clusters_per_index,
        })?;
        let size = boot.total_sectors.get().checked_mul(u64::from(sector));
        let size = size.filter(|&size| size > 0).ok_or(CorruptKind::NoSectors)?;
        let geometry = Self {
            sector,
            cluster,
            record,
            index,
            clusters: size.checked_div(u64::from(cluster)).unwrap_or(0),
            size,
            mft: Lcn(boot.mft_lcn.get()),
            mft_mirror: Lcn(boot.mft_mirror_lcn.get()),
            serial: boot.serial.get(),
        };
        geometry.inside("$MFT", geometry.mft)?;
        geometry.inside("$MFTMirr", geometry.mft_mirror)?;
        Ok(geometry)
    }

    fn inside(&self, what: &'static str, found: Lcn) -> Result<(), Corrupt> {
        if found.0 == 0 || found.0 >= self.clusters {
            let clusters = self.clusters;
            return Err(CorruptKind::TableOutside {
                what,
                found,
                clusters,
            }
            .into());
        }
        Ok(())
    }

    /// Where a cluster begins, in bytes; `None` beyond what 64 bits hold.
    #[must_use]
    pub fn offset_of(&self, lcn: Lcn) -> Option<u64> {
        lcn.0.checked_mul(u64::from(self.cluster))
    }

    /// Where a record begins in the value of `$MFT`, in bytes.
    #[must_use]
    pub fn offset_in_mft(&self, record: RecordNumber) -> Option<u64> {
        record.0.checked_mul(u64::from(self.record))
    }

    /// Clusters that hold so many bytes.
    #[must_use]
    pub fn clusters_for(&self, bytes: u64) -> u64 {
        bytes.div_ceil(u64::from(self.cluster))
    }

    /// Bytes of an index block's unit of place: a cluster, or 512 bytes where the block is smaller than a cluster.
    #[must_use]
    pub fn index_unit(&self, block: u32) -> u32 {
        if block < self.cluster { 512 } else { self.cluster }
    }
}

fn cluster_size(sector: u32, found: u8) -> Result<u32> {
    let sectors = match found {
        0 => None,
        // a power of two up to 64 KiB clusters; above, the negative logarithm
        1..=0x80 => Some(u32::from(found)).filter(|count| count.is_power_of_two()),
        _ => 1_u32.checked_shl(u32::from(found.wrapping_neg())),
    };
    sectors
        .and_then(|sectors| sectors.checked_mul(sector))
        .filter(|&size| size <= MAX_CLUSTER)
        .ok_or_else(|| Error::from(CorruptKind::ClusterSize { found }))
}

/// Bytes of a block given in clusters, or as a negative logarithm.
fn block_size(cluster: u32, found: u8) -> Option<u32> {
    let size = if found < 0x80 {
        cluster.checked_mul(u32::from(found))
    } else {
        1_u32.checked_shl(u32::from(found.wrapping_neg()))
    };
    size.filter(|size| size.is_power_of_two() && (MIN_BLOCK..=MAX_BLOCK).contains(size))
}

/// What the boot sector is instead, as far as its name tells.
fn other(boot: &BootSector) -> String {
    if boot.oem_id.starts_with(b"EXFAT") {
        return "it is exFAT".to_owned();
    }
    if boot.oem_id.starts_with(b"ReFS") || boot.jump == [0; 3] && boot.oem_id.starts_with(b"ReFS") {
        return "it is ReFS".to_owned();
    }
    if boot.oem_id == *b"-FVE-FS-" {
        return "it is encrypted by BitLocker".to_owned();
    }
    if boot.signature.get() == 0xAA55 && boot.fat_fields != [0; 5] {
        return "it looks like FAT".to_owned();
    }
    "its first sector does not have NTFS' name".to_owned()
}

#[cfg(test)]
mod tests {
    use zerocopy::FromZeros as _;

    use super::*;

    fn boot(sector: u16, per_cluster: u8, record: u8, index: u8) -> BootSector {
        let mut boot = BootSector::new_zeroed();
        boot.oem_id = *b"NTFS    ";
        boot.bytes_per_sector = sector.into();
        boot.sectors_per_cluster = per_cluster;
        boot.clusters_per_record = record;
        boot.clusters_per_index = index;
        boot.total_sectors = 1_000_000.into();
        boot.mft_lcn = 4.into();
        boot.mft_mirror_lcn = 2.into();
        boot
    }

    fn corrupt(boot: &BootSector) -> CorruptKind {
        match Geometry::of(boot) {
            Err(Error::Corrupt(corrupt)) => corrupt.kind().clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn sizes_are_counts_or_negative_logarithms() {
        let sizes = |b: &BootSector| {
            let g = Geometry::of(b).unwrap();
            (g.cluster, g.record, g.index)
        };
        assert_eq!(sizes(&boot(512, 8, 0xF6, 1)), (4096, 1024, 4096));
        assert_eq!(sizes(&boot(512, 2, 1, 4)), (1024, 1024, 4096));
        assert_eq!(sizes(&boot(4096, 1, 1, 0xF4)), (4096, 4096, 4096));
        assert_eq!(sizes(&boot(512, 0xF4, 0xF6, 0xF4)), (2 << 20, 1024, 4096));
        assert_eq!(sizes(&boot(256, 2, 0xF5, 0xF7)), (512, 2048, 512));
    }

    #[test]
    fn each_figure_that_cannot_be_is_named() {
        assert_eq!(
            corrupt(&boot(513, 8, 0xF6, 1)),
            CorruptKind::SectorSize { found: 513 }
        );
        assert_eq!(
            corrupt(&boot(128, 8, 0xF6, 1)),
            CorruptKind::SectorSize { found: 128 }
        );
        assert_eq!(
            corrupt(&boot(512, 0, 0xF6, 1)),
            CorruptKind::ClusterSize { found: 0 }
        );
        assert_eq!(
            corrupt(&boot(512, 3, 0xF6, 1)),
            CorruptKind::ClusterSize { found: 3 }
        );
        assert_eq!(
            corrupt(&boot(512, 0xF3, 0xF6, 1)),
            CorruptKind::ClusterSize { found: 0xF3 }
        );
        assert_eq!(corrupt(&boot(512, 8, 0, 1)), CorruptKind::RecordSize { found: 0 });
        assert_eq!(
            corrupt(&boot(512, 8, 0x80, 1)),
            CorruptKind::RecordSize { found: 0x80 }
        );
        assert_eq!(
            corrupt(&boot(512, 8, 0xF6, 3)),
            CorruptKind::IndexSize { found: 3 }
        );
        let mut empty = boot(512, 8, 0xF6, 1);
        empty.total_sectors = 0.into();
        assert_eq!(corrupt(&empty), CorruptKind::NoSectors);
        let mut far = boot(512, 8, 0xF6, 1);
        far.mft_lcn = 125_000.into();
        let found = Lcn(125_000);
        assert_eq!(
            corrupt(&far),
            CorruptKind::TableOutside {
                what: "$MFT",
                found,
                clusters: 125_000
            }
        );
    }

    #[test]
    fn another_file_system_is_named_and_not_called_damaged() {
        let mut fat = boot(512, 8, 0xF6, 1);
        fat.oem_id = *b"EXFAT   ";
        let error = Geometry::of(&fat).unwrap_err();
        assert_eq!(error.to_string(), "there is no NTFS volume here (it is exFAT)");
    }

    #[test]
    fn index_places_count_sectors_where_blocks_are_smaller_than_clusters() {
        let geometry = Geometry::of(&boot(512, 128, 0xF6, 0xF4)).unwrap();
        assert_eq!(geometry.index_unit(4096), 512);
        assert_eq!(geometry.index_unit(65536), 65536);
    }
}
