//! The boot sector.

use zerocopy::FromZeros as _;

use super::plan::INDEX;
use crate::layout::boot::BootSector;

/// Bytes of `$Boot`, on every volume: room for boot code, of which there is none but in the first sector.
pub(super) const BYTES: u64 = 8192;

/// What a boot sector tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures {
    pub(super) sector: u32,
    pub(super) cluster: u32,
    pub(super) record: u32,
    /// Sectors, without that of the copy.
    pub(super) sectors: u64,
    pub(super) table: u64,
    pub(super) mirror: u64,
    pub(super) serial: u64,
}

/// What a machine runs that is started from the volume: it says so, waits for a key, and goes on to the next disk.
///
/// ```text
/// 54  31 C0     xor ax, ax
/// 56  8E D8     mov ds, ax
/// 58  FC        cld
/// 59  BE 73 7C  mov si, 7C73h    the text below, at 7C00h where the BIOS puts the sector
/// 5C  AC        lodsb
/// 5D  84 C0     test al, al
/// 5F  74 09     jz 6Ah
/// 61  B4 0E     mov ah, 0Eh      show the character
/// 63  BB 07 00  mov bx, 7
/// 66  CD 10     int 10h
/// 68  EB F2     jmp 5Ch
/// 6A  31 C0     xor ax, ax       wait for a key
/// 6C  CD 16     int 16h
/// 6E  CD 19     int 19h          start again
/// 70  F4        hlt
/// 71  EB FD     jmp 70h
/// ```
const CODE: [u8; 31] = [
    0x31, 0xC0, 0x8E, 0xD8, 0xFC, 0xBE, 0x73, 0x7C, 0xAC, 0x84, 0xC0, 0x74, 0x09, 0xB4, 0x0E, 0xBB, 0x07,
    0x00, 0xCD, 0x10, 0xEB, 0xF2, 0x31, 0xC0, 0xCD, 0x16, 0xCD, 0x19, 0xF4, 0xEB, 0xFD,
];
const TEXT: &[u8] = b"\r\nThere is no operating system on this disk.\r\nPress a key to go on.\r\n\0";

/// The boot sector of a volume.
pub(super) fn sector(figures: &Figures) -> BootSector {
    let Figures {
        sector,
        cluster,
        record,
        ..
    } = *figures;
    let mut boot = BootSector::new_zeroed();
    boot.jump = [0xEB, 0x52, 0x90];
    boot.oem_id = *b"NTFS    ";
    boot.bytes_per_sector = u16::try_from(sector).unwrap_or(0).into();
    // up to 128 as they are, more as the negative logarithm
    boot.sectors_per_cluster = match cluster.checked_div(sector).unwrap_or(0) {
        sectors @ ..=128 => u8::try_from(sectors).unwrap_or(0),
        sectors => negative_logarithm(sectors),
    };
    boot.media = 0xF8;
    // what BIOSes make of any disk that is not tiny
    boot.sectors_per_track = 63.into();
    boot.heads = 255.into();
    boot.drive = 0x0080_0080.into();
    boot.total_sectors = figures.sectors.into();
    boot.mft_lcn = figures.table.into();
    boot.mft_mirror_lcn = figures.mirror.into();
    boot.clusters_per_record = per_block(record, cluster);
    boot.clusters_per_index = per_block(INDEX, cluster);
    boot.serial = figures.serial.into();
    let (code, rest) = boot.code.split_at_mut(CODE.len());
    code.copy_from_slice(&CODE);
    for (place, &byte) in rest.iter_mut().zip(TEXT) {
        *place = byte;
    }
    boot.signature = 0xAA55.into();
    boot
}

/// Clusters of a block, or the negative logarithm of its bytes where it is smaller than one.
fn per_block(block: u32, cluster: u32) -> u8 {
    match block.checked_div(cluster).unwrap_or(0) {
        0 => negative_logarithm(block),
        clusters => u8::try_from(clusters).unwrap_or(0),
    }
}

fn negative_logarithm(power_of_two: u32) -> u8 {
    u8::try_from(power_of_two.trailing_zeros())
        .unwrap_or(0)
        .wrapping_neg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Geometry;

    #[test]
    fn every_size_is_read_back() {
        for sector in [512, 1024, 2048, 4096] {
            for shift in 9..=21 {
                let cluster = 1 << shift;
                for record in [1024, 4096] {
                    if cluster < sector {
                        continue;
                    }
                    let boot = super::sector(&Figures {
                        sector,
                        cluster,
                        record,
                        sectors: 1 << 20,
                        table: 5,
                        mirror: 3,
                        serial: 9,
                    });
                    let geometry = Geometry::of(&boot).unwrap();
                    assert_eq!(
                        (geometry.sector, geometry.cluster, geometry.record, geometry.index),
                        (sector, cluster, record, INDEX)
                    );
                    assert_eq!(
                        (geometry.mft.0, geometry.mft_mirror.0, geometry.serial),
                        (5, 3, 9)
                    );
                }
            }
        }
    }

    #[test]
    fn sectors_of_large_clusters_are_a_negative_logarithm() {
        let figures = |cluster| Figures {
            sector: 512,
            cluster,
            record: 1024,
            sectors: 1 << 20,
            table: 5,
            mirror: 3,
            serial: 9,
        };
        let encoded = |cluster| {
            let boot = sector(&figures(cluster));
            (
                boot.sectors_per_cluster,
                boot.clusters_per_record,
                boot.clusters_per_index,
            )
        };
        assert_eq!(encoded(512), (1, 2, 8));
        assert_eq!(encoded(4096), (8, 0xF6, 1));
        assert_eq!(encoded(65_536), (0x80, 0xF6, 0xF4));
        assert_eq!(encoded(131_072), (0xF8, 0xF6, 0xF4));
        assert_eq!(encoded(2 << 20), (0xF4, 0xF6, 0xF4));
    }

    #[test]
    fn the_text_is_where_the_code_looks_for_it_and_ends() {
        let boot = sector(&Figures {
            sector: 512,
            cluster: 4096,
            record: 1024,
            sectors: 1 << 20,
            table: 5,
            mirror: 3,
            serial: 9,
        });
        let at = usize::from(u16::from_le_bytes([CODE[6], CODE[7]])) - 0x7C00;
        let start = size_of::<BootSector>() - 2 - boot.code.len();
        assert_eq!(start, 0x54);
        assert!(boot.code[at - start..].starts_with(TEXT));
    }
}
