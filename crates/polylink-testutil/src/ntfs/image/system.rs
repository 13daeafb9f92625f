//! The system files, and the tables that tell of all others.

use std::collections::BTreeMap;

use polylink_nt::upcase::UpcaseTable;
use polylink_ntfs::layout::attribute::AttributeKind;
use polylink_ntfs::layout::boot::BootSector;
use polylink_ntfs::layout::value::VolumeInformation;
use zerocopy::{FromZeros as _, IntoBytes as _};

use super::encode::{self, units};
use super::index::empty_root;
use super::{BOTH, Builder, CLUSTER, Content, EXTEND, FIRST, File, Image, Name, RECORD, ROOT, SECTOR};

/// Clusters of `$Boot`.
const BOOT_CLUSTERS: u64 = 8192 / CLUSTER as u64;
const LOG: usize = 256 << 10;
const MIRRORED: usize = 4;
const DATA: AttributeKind = AttributeKind::DATA;
/// Hidden, and of the system.
const SYSTEM: u32 = 6;

impl Builder {
    pub(super) fn add_system_files(&mut self) {
        self.used[..BOOT_CLUSTERS as usize].fill(true);
        self.room = BOOT_CLUSTERS as usize;
        let clusters = self.used.len() as u64;
        let resident = |value: Vec<u8>| (DATA, Vec::new(), Content::Resident(value));
        let in_clusters = |value: Vec<u8>| (DATA, Vec::new(), Content::Clusters(value));
        let information = VolumeInformation {
            reserved: 0.into(),
            major: 3,
            minor: 1,
            flags: 0.into(),
        };
        let label = units("sample")
            .iter()
            .flat_map(|unit| unit.to_le_bytes())
            .collect();
        let index = |name: &str, collation| {
            let root = empty_root(AttributeKind(0), collation);
            (AttributeKind::INDEX_ROOT, units(name), Content::Resident(root))
        };
        let bad = Content::Sparse(Vec::new(), clusters * CLUSTER as u64);
        let files: [(&str, Vec<_>); 12] = [
            ("$MFT", vec![]),
            ("$MFTMirr", vec![]),
            ("$LogFile", vec![in_clusters(vec![0xFF; LOG])]),
            (
                "$Volume",
                vec![
                    (AttributeKind::VOLUME_NAME, Vec::new(), Content::Resident(label)),
                    (
                        AttributeKind::VOLUME_INFORMATION,
                        Vec::new(),
                        Content::Resident(information.as_bytes().to_vec()),
                    ),
                    resident(Vec::new()),
                ],
            ),
            ("$AttrDef", vec![in_clusters(definitions())]),
            (".", vec![]),
            ("$Bitmap", vec![]),
            ("$Boot", vec![(DATA, Vec::new(), Content::At(0, BOOT_CLUSTERS))]),
            ("$BadClus", vec![resident(Vec::new()), (DATA, units("$Bad"), bad)]),
            (
                "$Secure",
                vec![
                    (DATA, units("$SDS"), Content::Resident(Vec::new())),
                    index("$SDH", 0x12),
                    index("$SII", 0x10),
                ],
            ),
            ("$UpCase", vec![in_clusters(UpcaseTable::windows().to_bytes())]),
            ("$Extend", vec![]),
        ];
        for (number, (name, values)) in (0..).zip(files) {
            let is_directory = matches!(number, ROOT | EXTEND);
            let flags = match number {
                ROOT | EXTEND => 3,
                9 => 9,
                _ => 1,
            };
            let name = Name {
                parent: ROOT,
                namespace: BOTH,
                name: units(name),
            };
            self.files.insert(
                number,
                File {
                    sequence: (number as u16).max(1),
                    flags,
                    attributes: SYSTEM | if is_directory { 0x1000_0000 } else { 0 },
                    names: vec![name],
                    values,
                    spare_block: false,
                },
            );
        }
        for number in 12..16 {
            self.files.insert(
                number,
                File {
                    sequence: number as u16,
                    flags: 1,
                    attributes: SYSTEM,
                    names: Vec::new(),
                    values: vec![resident(Vec::new())],
                    spare_block: false,
                },
            );
        }
    }

    /// Lays down the tables, once all other records are known.
    pub(super) fn finish(mut self, mut records: BTreeMap<u64, Vec<u8>>) -> Image {
        let clusters = self.used.len();
        let count = (self.next as usize).next_multiple_of(8);
        // places first, for each of the tables tells of all others
        let mirror = self.take(MIRRORED * RECORD / CLUSTER);
        let table_clusters = (count * RECORD).div_ceil(CLUSTER);
        let table = self.take(table_clusters);
        let bitmap_clusters = clusters.div_ceil(64).div_ceil(CLUSTER / 8);
        let bitmap = self.take(bitmap_clusters);
        let record_bits = count.div_ceil(64) * 8;
        let record_bitmap = self.take(record_bits.div_ceil(CLUSTER));

        let whole = |first, count: usize| Content::At(first, count as u64);
        let mut lay = |number: u64, values: Vec<(AttributeKind, u64, usize, usize)>| {
            self.files.get_mut(&number).expect("a table").values.clear();
            let mut drafts = self.drafts(number);
            for (kind, first, clusters, size) in values {
                let placed = self.place(&whole(first, clusters));
                drafts.push(encode::Draft::in_clusters(
                    kind,
                    &[],
                    &placed.runs,
                    size as u64,
                    false,
                ));
            }
            drafts.sort_by_key(encode::Draft::key);
            self.lay_down(number, drafts, &mut records);
        };
        let bits = clusters.div_ceil(64) * 8;
        lay(
            0,
            vec![
                (DATA, table, table_clusters, count * RECORD),
                (
                    AttributeKind::BITMAP,
                    record_bitmap,
                    record_bits.div_ceil(CLUSTER),
                    record_bits,
                ),
            ],
        );
        let mirrored = MIRRORED * RECORD;
        lay(1, vec![(DATA, mirror, mirrored / CLUSTER, mirrored)]);
        lay(6, vec![(DATA, bitmap, bitmap_clusters, bits)]);

        let mut used = vec![0_u8; record_bits];
        for number in 0..count as u64 {
            let bytes = match records.get(&number) {
                Some(bytes) => {
                    used[number as usize / 8] |= 1 << (number % 8);
                    bytes.clone()
                }
                None => encode::record(number, 1, 0, 0, 0, &[]),
            };
            // the reserved records are marked as used, though the last eight are not in use
            if number < FIRST {
                used[number as usize / 8] |= 1 << (number % 8);
            }
            let at = table as usize * CLUSTER + number as usize * RECORD;
            self.bytes[at..at + RECORD].copy_from_slice(&bytes);
        }
        self.write(record_bitmap, &used);
        let first = table as usize * CLUSTER;
        let copies = self.bytes[first..first + mirrored].to_vec();
        self.write(mirror, &copies);
        let mut marked = vec![0_u8; bits];
        for (cluster, _) in self.used.iter().enumerate().filter(|(_, used)| **used) {
            marked[cluster / 8] |= 1 << (cluster % 8);
        }
        // there are no clusters behind the last one
        for cluster in clusters..bits * 8 {
            marked[cluster / 8] |= 1 << (cluster % 8);
        }
        self.write(bitmap, &marked);
        let boot = boot_sector(clusters, table, mirror);
        self.bytes[..SECTOR].copy_from_slice(boot.as_bytes());
        let end = self.bytes.len();
        self.bytes[end - SECTOR..].copy_from_slice(boot.as_bytes());
        Image::new(self.bytes, table, mirror, bitmap, record_bitmap)
    }
}

fn boot_sector(clusters: usize, table: u64, mirror: u64) -> BootSector {
    let mut boot = BootSector::new_zeroed();
    boot.jump = [0xEB, 0x52, 0x90];
    boot.oem_id = *b"NTFS    ";
    boot.bytes_per_sector = (SECTOR as u16).into();
    boot.sectors_per_cluster = (CLUSTER / SECTOR) as u8;
    boot.media = 0xF8;
    boot.sectors_per_track = 63.into();
    boot.heads = 255.into();
    boot.drive = 0x0080_0080.into();
    boot.total_sectors = ((clusters * CLUSTER / SECTOR) as u64).into();
    boot.mft_lcn = table.into();
    boot.mft_mirror_lcn = mirror.into();
    // both as negative logarithms: 1024 and 4096 bytes
    boot.clusters_per_record = 0xF6;
    boot.clusters_per_index = 2;
    boot.serial = 0x1234_5678_9ABC_DEF0.into();
    boot.signature = 0xAA55.into();
    boot
}

/// `$AttrDef`: name, type, display rule, collation, flags, least and most bytes of each kind of attribute.
fn definitions() -> Vec<u8> {
    const INDEXED: u32 = 2;
    const RESIDENT: u32 = 0x40;
    const LOGGED: u32 = 0x80;
    let any = u64::MAX;
    let rows = [
        (AttributeKind::STANDARD_INFORMATION, RESIDENT, 48, 72),
        (AttributeKind::ATTRIBUTE_LIST, LOGGED, 0, any),
        (AttributeKind::FILE_NAME, INDEXED | RESIDENT, 68, 578),
        (AttributeKind::OBJECT_ID, RESIDENT, 0, 256),
        (AttributeKind::SECURITY_DESCRIPTOR, LOGGED, 0, any),
        (AttributeKind::VOLUME_NAME, RESIDENT, 2, 256),
        (AttributeKind::VOLUME_INFORMATION, RESIDENT, 12, 12),
        (AttributeKind::DATA, 0, 0, any),
        (AttributeKind::INDEX_ROOT, RESIDENT, 0, any),
        (AttributeKind::INDEX_ALLOCATION, LOGGED, 0, any),
        (AttributeKind::BITMAP, LOGGED, 0, any),
        (AttributeKind::REPARSE_POINT, LOGGED, 0, 16_384),
        (AttributeKind::EA_INFORMATION, RESIDENT, 8, 8),
        (AttributeKind::EA, 0, 0, 65_536),
        (AttributeKind::LOGGED_UTILITY_STREAM, LOGGED, 0, 65_536),
    ];
    let mut bytes = Vec::new();
    for (kind, flags, least, most) in rows {
        let start = bytes.len();
        let name = units(kind.name().expect("a known type"));
        bytes.extend(name.iter().flat_map(|unit| unit.to_le_bytes()));
        bytes.resize(start + 128, 0);
        for word in [kind.0, 0, 0, flags] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        bytes.extend_from_slice(&u64::to_le_bytes(least));
        bytes.extend_from_slice(&u64::to_le_bytes(most));
    }
    bytes.resize(bytes.len() + 160, 0);
    bytes
}
