//! How large everything is, and where it goes.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use polylink_nt::upcase;
use thiserror::Error;

use super::FormatOptions;
use super::{boot, files, security};
use crate::error::Result;
use crate::geometry::Geometry;

/// Why a volume cannot be made as it was asked for. Nothing was written.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum FormatError {
    /// Sectors of this size are not made.
    #[error("sectors of {found} bytes are not possible: it must be 512, 1024, 2048 or 4096")]
    SectorSize {
        /// What was asked for.
        found: u32,
    },
    /// Clusters of this size are not possible.
    #[error("clusters of {found} bytes are not possible: it must be a power of two from {sector} to 2097152")]
    ClusterSize {
        /// What was asked for.
        found: u32,
        /// Bytes of a sector.
        sector: u32,
    },
    /// Records of this size are not made.
    #[error(
        "records of {found} bytes are not possible: it must be 1024 or 4096, and not below a sector of {sector}"
    )]
    RecordSize {
        /// What was asked for.
        found: u32,
        /// Bytes of a sector.
        sector: u32,
    },
    /// There is no room for the system files.
    #[error("{size} bytes are too few: a volume with clusters of {cluster} bytes needs {least} at least")]
    TooSmall {
        /// Bytes of the device.
        size: u64,
        /// Bytes that are needed.
        least: u64,
        /// Bytes of a cluster.
        cluster: u32,
    },
    /// There are more clusters than 32 bits can number, which is what Windows does.
    #[error("{size} bytes are too many: a volume with clusters of {cluster} bytes has {most} at most")]
    TooLarge {
        /// Bytes of the device.
        size: u64,
        /// Bytes that such a volume can have.
        most: u64,
        /// Bytes of a cluster.
        cluster: u32,
    },
    /// The label is longer than Windows takes.
    #[error("the label has {units} units of UTF-16, {most} are the most", most = LABEL)]
    LabelLength {
        /// How many it has.
        units: usize,
    },
    /// The label holds a control character.
    #[error("the label holds the control character U+{unit:04X}")]
    LabelUnit {
        /// The character.
        unit: u16,
    },
    /// A structure has no room where it belongs. No volume is known to lead to this.
    #[error("a structure of the volume has no room where it belongs")]
    Misfit,
}

/// Units of a label at most.
const LABEL: usize = 32;
/// No volume is smaller, whatever would fit.
const SMALLEST: u64 = 1 << 20;
const LARGEST_CLUSTER: u32 = 2 << 20;
const CLUSTER: u32 = 4096;
/// Bytes of an index block, on every volume.
pub(super) const INDEX: u32 = 4096;
/// Clusters are numbered in 32 bits by Windows.
const MOST_CLUSTERS: u64 = 0xFFFF_FFFF;
/// `$MFTMirr` has so many records, or a cluster of them.
const MIRRORED: u64 = 4;

/// Where the bytes of a value are, and how many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Area {
    /// First cluster.
    pub(super) first: u64,
    /// Clusters.
    pub(super) clusters: u64,
    /// Bytes.
    pub(super) size: u64,
}

/// Every value that lies in clusters. They follow each other in this order, without gaps, from cluster 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Areas<T> {
    pub(super) boot: T,
    pub(super) mirror: T,
    pub(super) definitions: T,
    pub(super) upcase: T,
    pub(super) root: T,
    pub(super) descriptors: T,
    pub(super) record_bitmap: T,
    pub(super) log: T,
    pub(super) bitmap: T,
    pub(super) table: T,
}

impl<T> Areas<T> {
    fn map<U>(self, mut each: impl FnMut(T) -> U) -> Areas<U> {
        // in the order of the volume
        Areas {
            boot: each(self.boot),
            mirror: each(self.mirror),
            definitions: each(self.definitions),
            upcase: each(self.upcase),
            root: each(self.root),
            descriptors: each(self.descriptors),
            record_bitmap: each(self.record_bitmap),
            log: each(self.log),
            bitmap: each(self.bitmap),
            table: each(self.table),
        }
    }
}

/// A volume as it will be made: every choice taken, nothing written yet.
#[derive(Clone, Debug)]
pub struct FormatPlan {
    geometry: Geometry,
    pub(super) options: FormatOptions,
    pub(super) areas: Areas<Area>,
    /// Records of the table, used or not.
    pub(super) records: u64,
    used: u64,
}

/// The sizes that everything else follows from.
#[derive(Clone, Copy, Debug)]
struct Shape {
    sector: u32,
    cluster: u32,
    record: u32,
}

impl Shape {
    fn of(size: u64, options: &FormatOptions) -> Result<Self, FormatError> {
        let sector = options.sector;
        if !sector.is_power_of_two() || !(512..=4096).contains(&sector) {
            return Err(FormatError::SectorSize { found: sector });
        }
        let record = options.record.unwrap_or(if sector > 1024 { 4096 } else { 1024 });
        if !matches!(record, 1024 | 4096) || record < sector {
            return Err(FormatError::RecordSize {
                found: record,
                sector,
            });
        }
        let cluster = match options.cluster {
            Some(found) => {
                if !found.is_power_of_two() || !(sector..=LARGEST_CLUSTER).contains(&found) {
                    return Err(FormatError::ClusterSize { found, sector });
                }
                found
            }
            None => default_cluster(size, sector),
        };
        Ok(Self {
            sector,
            cluster,
            record,
        })
    }

    /// Whole clusters of a device, whose last sector is the copy of the boot sector.
    fn clusters(self, size: u64) -> u64 {
        let sector = u64::from(self.sector);
        let sectors = size.checked_div(sector).unwrap_or(0).saturating_sub(1);
        let bytes = sectors.saturating_mul(sector);
        bytes.checked_div(u64::from(self.cluster)).unwrap_or(0)
    }

    fn in_clusters(self, bytes: u64) -> u64 {
        bytes.div_ceil(u64::from(self.cluster))
    }

    /// Records that the table begins with: as many as fill its clusters.
    fn records(self, size: u64) -> u64 {
        let least = if size < 4 << 20 { 32 } else { 64 };
        least.max(self.a_cluster_of_records())
    }

    fn a_cluster_of_records(self) -> u64 {
        u64::from(self.cluster.checked_div(self.record).unwrap_or(0))
    }

    /// Bytes of each value.
    fn sizes(self, size: u64) -> Areas<u64> {
        let record = u64::from(self.record);
        let records = self.records(size);
        Areas {
            boot: boot::BYTES,
            mirror: MIRRORED.max(self.a_cluster_of_records()).saturating_mul(record),
            definitions: files::DEFINITIONS,
            upcase: u64::try_from(upcase::BYTES).unwrap_or(u64::MAX),
            root: u64::from(INDEX),
            descriptors: security::SDS_BYTES,
            record_bitmap: bitmap_size(records),
            log: log_size(size).next_multiple_of(u64::from(self.cluster)),
            bitmap: bitmap_size(self.clusters(size)),
            table: records.saturating_mul(record),
        }
    }

    /// Clusters that everything takes on a device of this size.
    fn wanted(self, size: u64) -> u64 {
        let mut wanted = 0_u64;
        self.sizes(size).map(|bytes| {
            wanted = wanted.saturating_add(self.in_clusters(bytes));
        });
        wanted
    }

    /// The size from which on everything fits. What is wanted grows by far less than the device does.
    fn least(self) -> u64 {
        let mut least = SMALLEST;
        loop {
            let bytes = self.wanted(least).saturating_mul(u64::from(self.cluster));
            let wanted = bytes.saturating_add(u64::from(self.sector));
            if wanted <= least {
                return least;
            }
            least = wanted;
        }
    }
}

/// Bytes of a bitmap, in whole words of 64 bits.
fn bitmap_size(bits: u64) -> u64 {
    bits.div_ceil(64).saturating_mul(8)
}

/// Windows' default: 4 KiB as long as 32 bits number the clusters, else the least that they do.
fn default_cluster(size: u64, sector: u32) -> u32 {
    let mut cluster = CLUSTER.max(sector);
    let fits = |cluster: u32| {
        Shape {
            sector,
            cluster,
            record: CLUSTER,
        }
        .clusters(size)
            <= MOST_CLUSTERS
    };
    while cluster < LARGEST_CLUSTER && !fits(cluster) {
        cluster = cluster.saturating_mul(2);
    }
    cluster
}

/// Bytes of the journal: an eighth of a small volume, 2 MiB from 16 MiB on, a 512th of a large one, 16 MiB at most.
///
/// All of it is really there, in bytes of 0xFF, which every driver takes for a journal that holds nothing; so its size
/// is most of what a new volume costs in time and room. Windows gives up to 64 MiB, and works with 2 MiB.
fn log_size(size: u64) -> u64 {
    const LEAST: u64 = 256 << 10;
    const MOST: u64 = 16 << 20;
    let small = (size / 8).min(2 << 20);
    let bytes = small.max(size / 512).clamp(LEAST, MOST);
    bytes & !0xFFFF
}

impl FormatPlan {
    /// Decides how a device of `size` bytes will be laid out.
    ///
    /// # Errors
    ///
    /// Where the size and the options do not go together.
    pub fn new(size: u64, options: &FormatOptions) -> Result<Self, FormatError> {
        let shape = Shape::of(size, options)?;
        let label = &options.label;
        if label.len() > LABEL {
            return Err(FormatError::LabelLength { units: label.len() });
        }
        if let Some(&unit) = label.iter().find(|&&unit| unit < 0x20) {
            return Err(FormatError::LabelUnit { unit });
        }
        let clusters = shape.clusters(size);
        let cluster = shape.cluster;
        if clusters > MOST_CLUSTERS {
            let most = MOST_CLUSTERS.saturating_mul(u64::from(cluster));
            return Err(FormatError::TooLarge { size, most, cluster });
        }
        let used = shape.wanted(size);
        if size < SMALLEST || used > clusters {
            let least = shape.least();
            return Err(FormatError::TooSmall { size, least, cluster });
        }
        let mut next = 0_u64;
        let areas = shape.sizes(size).map(|size| {
            let first = next;
            let clusters = shape.in_clusters(size);
            next = next.saturating_add(clusters);
            Area {
                first,
                clusters,
                size,
            }
        });
        let mut options = options.clone();
        options
            .serial
            .get_or_insert_with(|| RandomState::new().build_hasher().finish());
        let sectors = size
            .checked_div(u64::from(shape.sector))
            .unwrap_or(0)
            .saturating_sub(1);
        let boot = boot::sector(&boot::Figures {
            sector: shape.sector,
            cluster,
            record: shape.record,
            sectors,
            table: areas.table.first,
            mirror: areas.mirror.first,
            serial: options.serial.unwrap_or(0),
        });
        // what a reader will make of it, and no other figures
        let geometry = Geometry::of(&boot).map_err(|_| FormatError::Misfit)?;
        Ok(Self {
            geometry,
            options,
            areas,
            records: shape.records(size),
            used,
        })
    }

    /// How the volume will be divided.
    #[must_use]
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// Bytes of the journal.
    #[must_use]
    pub fn log_size(&self) -> u64 {
        self.areas.log.size
    }

    /// Clusters that the system files take.
    #[must_use]
    pub fn clusters_used(&self) -> u64 {
        self.used
    }

    /// Records that the table begins with, used or not.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIB: u64 = 1 << 40;

    fn plan(size: u64, change: impl FnOnce(&mut FormatOptions)) -> Result<FormatPlan, FormatError> {
        let mut options = FormatOptions::default();
        change(&mut options);
        FormatPlan::new(size, &options)
    }

    #[test]
    fn clusters_grow_with_the_volume_as_windows_has_it() {
        let cluster = |size| plan(size, |_| ()).unwrap().geometry().cluster;
        assert_eq!(cluster(1 << 20), 4096);
        assert_eq!(cluster(TIB), 4096);
        assert_eq!(cluster(16 * TIB), 4096);
        assert_eq!(cluster(16 * TIB + 8192), 8192);
        assert_eq!(cluster(32 * TIB), 8192);
        assert_eq!(cluster(256 * TIB), 65_536);
        assert_eq!(cluster(8192 * TIB), 2 << 20);
        assert!(matches!(
            plan(8193 * TIB, |_| ()),
            Err(FormatError::TooLarge {
                cluster: 2_097_152,
                ..
            })
        ));
    }

    #[test]
    fn records_are_not_smaller_than_sectors() {
        let record = |sector, record| {
            plan(64 << 20, |options| {
                options.sector = sector;
                options.record = record;
            })
            .map(|plan| plan.geometry().record)
        };
        assert_eq!(record(512, None), Ok(1024));
        assert_eq!(record(1024, None), Ok(1024));
        assert_eq!(record(2048, None), Ok(4096));
        assert_eq!(record(4096, None), Ok(4096));
        assert_eq!(record(512, Some(4096)), Ok(4096));
        for (sector, found) in [(4096, 1024), (512, 2048), (512, 512)] {
            assert_eq!(
                record(sector, Some(found)),
                Err(FormatError::RecordSize { found, sector })
            );
        }
    }

    #[test]
    fn each_option_that_cannot_be_is_named() {
        for found in [0, 256, 513, 8192] {
            let refused = plan(64 << 20, |options| options.sector = found).unwrap_err();
            assert_eq!(refused, FormatError::SectorSize { found });
        }
        for found in [0, 256, 1000, 4 << 20] {
            let refused = plan(64 << 20, |options| options.cluster = Some(found)).unwrap_err();
            assert_eq!(refused, FormatError::ClusterSize { found, sector: 512 });
        }
        let refused = plan(64 << 20, |options| options.label = vec![0x41; 33]).unwrap_err();
        assert_eq!(refused, FormatError::LabelLength { units: 33 });
        let refused = plan(64 << 20, |options| options.label = vec![0x41, 9]).unwrap_err();
        assert_eq!(refused, FormatError::LabelUnit { unit: 9 });
        let refused = plan(1 << 40, |options| options.cluster = Some(512)).map(|_| ());
        assert_eq!(refused, Ok(()));
        let refused = plan(4 << 40, |options| options.cluster = Some(512)).unwrap_err();
        assert!(matches!(refused, FormatError::TooLarge { cluster: 512, .. }));
    }

    #[test]
    fn the_least_size_that_is_named_is_enough_and_one_sector_less_is_not() {
        for shift in 9..=21 {
            for record in [1024, 4096] {
                let made = |size| {
                    plan(size, |options| {
                        options.cluster = Some(1 << shift);
                        options.record = Some(record);
                    })
                };
                let Err(FormatError::TooSmall { least, .. }) = made(0) else {
                    panic!("a volume of no bytes");
                };
                assert!(made(least).is_ok(), "{shift} {least}");
                let below = made(least - 512);
                assert!(
                    matches!(below, Err(FormatError::TooSmall { .. })),
                    "{shift} {least}"
                );
            }
        }
    }

    #[test]
    fn the_journal_follows_the_size() {
        let log = |size| plan(size, |_| ()).unwrap().log_size();
        assert_eq!(log(1 << 20), 256 << 10);
        assert_eq!(log(8 << 20), 1 << 20);
        assert_eq!(log(16 << 20), 2 << 20);
        assert_eq!(log(1 << 30), 2 << 20);
        assert_eq!(log(2 << 30), 4 << 20);
        assert_eq!(log(TIB), 16 << 20);
    }

    #[test]
    fn serial_numbers_are_random_unless_one_is_given() {
        let serial = |given| {
            let plan = plan(1 << 20, |options| options.serial = given).unwrap();
            plan.geometry().serial
        };
        assert_eq!(serial(Some(7)), 7);
        assert_ne!(serial(None), serial(None));
    }
}
