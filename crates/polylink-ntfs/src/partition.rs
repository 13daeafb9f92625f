//! Where the volumes on a disk begin: MBR and GPT.
//!
//! Sources: the MBR as documented for DOS and its extended partitions; UEFI Specification 2.10, section 5.3 (GPT).

use crate::device::Device;
use crate::layout::partition::{GptEntry, GptHeader, Mbr, MbrEntry};
use crate::layout::read;

/// How the disk is divided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PartitionTable {
    /// Not at all: the volume is all there is.
    None,
    /// By a master boot record.
    Mbr,
    /// By a GUID partition table.
    Gpt,
}

/// One partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partition {
    /// Its number, from 1, as partition tools count them; logical partitions of an MBR begin at 5.
    pub number: u32,
    /// Where it begins, in bytes.
    pub start: u64,
    /// Bytes in it.
    pub size: u64,
    /// Its name, where the table has names.
    pub name: String,
    /// Whether its boot sector is that of NTFS.
    pub is_ntfs: bool,
}

/// An MBR names at most so many logical partitions here; the chain can be a circle.
const MOST_LOGICAL: u32 = 128;
/// A GPT has 128 entries; more are allowed, but not without end.
const MOST_ENTRIES: u32 = 1024;

/// The partitions of a disk, in the order of its table.
///
/// A table that cannot be read or contradicts itself has no partitions: whether the whole is a volume is the next
/// question.
#[must_use]
pub fn partitions(disk: &dyn Device) -> (PartitionTable, Vec<Partition>) {
    for sector in [512, 4096] {
        if let Some(found) = gpt(disk, sector) {
            return (PartitionTable::Gpt, found);
        }
    }
    match mbr(disk) {
        Some(found) if !found.is_empty() => (PartitionTable::Mbr, found),
        _ => (PartitionTable::None, Vec::new()),
    }
}

/// Whether a volume's boot sector has NTFS' name.
pub(crate) fn is_ntfs(disk: &dyn Device, start: u64) -> bool {
    let mut boot = [0; 16];
    disk.read_at(start, &mut boot).is_ok() && boot.get(3..11) == Some(b"NTFS    ")
}

fn partition(disk: &dyn Device, number: u32, start: u64, size: u64, name: String) -> Partition {
    Partition {
        number,
        start,
        size,
        name,
        is_ntfs: is_ntfs(disk, start),
    }
}

fn gpt(disk: &dyn Device, sector: u64) -> Option<Vec<Partition>> {
    let header: GptHeader = read(disk, sector).ok()?;
    let size = u64::from(header.entry_size.get());
    if header.signature != *b"EFI PART" || !(128..=4096).contains(&size) {
        return None;
    }
    let count = header.entry_count.get().min(MOST_ENTRIES);
    let mut found = Vec::new();
    for index in 0..count {
        let at = header
            .entries_lba
            .get()
            .checked_mul(sector)?
            .checked_add(u64::from(index).checked_mul(size)?)?;
        let Ok(entry) = read::<GptEntry>(disk, at) else {
            break;
        };
        let (first, last) = (entry.first_lba.get(), entry.last_lba.get());
        if entry.kind == [0; 16] || first > last {
            continue;
        }
        let units: Vec<u16> = entry
            .name
            .iter()
            .map(|unit| unit.get())
            .take_while(|&unit| unit != 0)
            .collect();
        let name = String::from_utf16_lossy(&units);
        let start = first.checked_mul(sector)?;
        let size = last.checked_sub(first)?.checked_add(1)?.checked_mul(sector)?;
        found.push(partition(disk, index.saturating_add(1), start, size, name));
    }
    Some(found)
}

const SECTOR: u64 = 512;
const EXTENDED: [u8; 3] = [0x05, 0x0F, 0x85];

fn mbr(disk: &dyn Device) -> Option<Vec<Partition>> {
    let table: Mbr = read(disk, 0).ok()?;
    if table.signature.get() != 0xAA55
        || is_ntfs(disk, 0)
        || !table.entries.iter().all(MbrEntry::is_plausible)
    {
        return None;
    }
    let mut found = Vec::new();
    for (number, entry) in (1..).zip(&table.entries) {
        let start = u64::from(entry.start.get());
        if EXTENDED.contains(&entry.kind) {
            logical(disk, start, &mut found);
        } else if let Some((start, size)) = entry.bytes(0) {
            found.push(partition(disk, number, start, size, String::new()));
        }
    }
    found.sort_by_key(|partition| partition.number);
    Some(found)
}

/// Follows the chain of boot records in an extended partition, which begins at sector `first`.
fn logical(disk: &dyn Device, first: u64, found: &mut Vec<Partition>) {
    let mut at = first;
    for number in 5..5_u32.saturating_add(MOST_LOGICAL) {
        let Some(table) = at
            .checked_mul(SECTOR)
            .and_then(|offset| read::<Mbr>(disk, offset).ok())
        else {
            return;
        };
        if table.signature.get() != 0xAA55 {
            return;
        }
        let [entry, next, ..] = &table.entries;
        if let Some((start, size)) = entry.bytes(at) {
            found.push(partition(disk, number, start, size, String::new()));
        }
        if !EXTENDED.contains(&next.kind) || next.start.get() == 0 {
            return;
        }
        at = first.saturating_add(u64::from(next.start.get()));
    }
}

impl MbrEntry {
    /// What looks like a table but is a boot sector's code says nonsense here.
    fn is_plausible(&self) -> bool {
        self.status & 0x7F == 0
    }

    /// Start and size in bytes, where the entry is used; its start is counted from sector `base`.
    fn bytes(&self, base: u64) -> Option<(u64, u64)> {
        let (start, count) = (u64::from(self.start.get()), u64::from(self.count.get()));
        if self.kind == 0 || count == 0 {
            return None;
        }
        Some((
            base.checked_add(start)?.checked_mul(SECTOR)?,
            count.checked_mul(SECTOR)?,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::MemDevice;

    fn disk(sectors: usize) -> Vec<u8> {
        let mut bytes = vec![0; sectors * 512];
        bytes[510..512].copy_from_slice(&[0x55, 0xAA]);
        bytes
    }

    fn entry(bytes: &mut [u8], sector: usize, slot: usize, kind: u8, start: u32, count: u32) {
        let at = sector * 512 + 446 + slot * 16;
        bytes[at + 4] = kind;
        bytes[at + 8..at + 12].copy_from_slice(&start.to_le_bytes());
        bytes[at + 12..at + 16].copy_from_slice(&count.to_le_bytes());
        bytes[sector * 512 + 510..sector * 512 + 512].copy_from_slice(&[0x55, 0xAA]);
    }

    fn shape(bytes: Vec<u8>) -> (PartitionTable, Vec<(u32, u64, u64, bool)>) {
        let (table, found) = partitions(&MemDevice::new(bytes));
        (
            table,
            found
                .into_iter()
                .map(|p| (p.number, p.start / 512, p.size / 512, p.is_ntfs))
                .collect(),
        )
    }

    #[test]
    fn primary_and_logical_partitions_are_numbered_as_tools_do() {
        let mut bytes = disk(64);
        entry(&mut bytes, 0, 0, 7, 2, 4);
        entry(&mut bytes, 0, 1, 5, 10, 40);
        entry(&mut bytes, 0, 2, 0x83, 50, 5);
        entry(&mut bytes, 10, 0, 7, 1, 9);
        entry(&mut bytes, 10, 1, 5, 12, 20);
        entry(&mut bytes, 22, 0, 7, 2, 3);
        bytes[2 * 512 + 3..2 * 512 + 11].copy_from_slice(b"NTFS    ");
        assert_eq!(
            shape(bytes),
            (
                PartitionTable::Mbr,
                vec![
                    (1, 2, 4, true),
                    (3, 50, 5, false),
                    (5, 11, 9, false),
                    (6, 24, 3, false)
                ]
            )
        );
    }

    #[test]
    fn a_chain_of_boot_records_that_is_a_circle_ends() {
        let mut bytes = disk(64);
        entry(&mut bytes, 0, 0, 0x0F, 10, 40);
        entry(&mut bytes, 10, 0, 7, 1, 9);
        entry(&mut bytes, 10, 1, 5, 10, 20);
        entry(&mut bytes, 20, 0, 7, 1, 9);
        entry(&mut bytes, 20, 1, 5, 10, 20);
        assert_eq!(shape(bytes).1.len(), 128);
    }

    #[test]
    fn a_gpt_is_read_with_its_names_in_either_sector_size() {
        for sector in [512, 4096] {
            let mut bytes = vec![0; 64 * 4096];
            bytes[sector..sector + 8].copy_from_slice(b"EFI PART");
            let header = &mut bytes[sector..sector + 92];
            header[72..80].copy_from_slice(&2_u64.to_le_bytes());
            header[80..84].copy_from_slice(&4_u32.to_le_bytes());
            header[84..88].copy_from_slice(&128_u32.to_le_bytes());
            let at = 2 * sector + 128;
            bytes[at] = 1;
            bytes[at + 32..at + 40].copy_from_slice(&6_u64.to_le_bytes());
            bytes[at + 40..at + 48].copy_from_slice(&7_u64.to_le_bytes());
            bytes[at + 56] = b'x';
            let (table, found) = partitions(&MemDevice::new(bytes));
            assert_eq!(table, PartitionTable::Gpt);
            let start = 6 * u64::try_from(sector).unwrap();
            let wanted = Partition {
                number: 2,
                start,
                size: start / 3,
                name: "x".to_owned(),
                is_ntfs: false,
            };
            assert_eq!(found, [wanted]);
        }
    }

    #[test]
    fn a_boot_sector_of_ntfs_is_no_partition_table() {
        let mut bytes = disk(4);
        bytes[3..11].copy_from_slice(b"NTFS    ");
        entry(&mut bytes, 0, 0, 7, 2, 4);
        assert_eq!(shape(bytes), (PartitionTable::None, Vec::new()));
        assert_eq!(shape(vec![0; 100]), (PartitionTable::None, Vec::new()));
    }
}
