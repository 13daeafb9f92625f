//! What is on a file or device that is about to be overwritten, as far as its first bytes tell.

use std::path::Path;

use polylink_ntfs::{
    Access, Device, Error, FileDevice, OpenOptions, PartitionTable, Unsupported, Volume, partitions,
};

use crate::commands::ntfs::text;
use crate::format::{count, counted, size};

/// Names of file systems: where each stands, and whose it is.
const SIGNATURES: &[(u64, &[u8], &str)] = &[
    (0x438, &[0x53, 0xEF], "an ext2, ext3 or ext4 file system"),
    (0, b"XFSB", "an xfs file system"),
    (0x1_0040, b"_BHRfS_M", "a btrfs file system"),
    (0x8001, b"CD001", "an ISO 9660 image"),
    (0, b"LUKS\xBA\xBE", "an encrypted volume (LUKS)"),
    (0x218, b"LVM2 001", "a physical volume of LVM"),
    (0xFF6, b"SWAPSPACE2", "swap space"),
    (0, b"hsqs", "a squashfs file system"),
    (0, b"QFI\xFB", "a qcow2 image of a disk"),
];

/// A sentence without a full stop, as `it holds …`.
pub(super) fn told(path: &Path) -> String {
    let device = match FileDevice::open(path, Access::Read) {
        Ok(device) => device,
        Err(error) => return format!("it cannot be read ({error})"),
    };
    let bytes = device.size();
    if bytes == 0 {
        return "it is empty".to_owned();
    }
    if let Some((_, _, what)) = SIGNATURES
        .iter()
        .find(|(at, wanted, _)| holds(&device, *at, wanted))
    {
        return format!("it holds {what}");
    }
    if is_zero(&device) {
        return format!(
            "it holds {}, the first of them zeros",
            counted(bytes, "byte", "bytes")
        );
    }
    let parts = match partitions(&device) {
        (PartitionTable::None, _) => None,
        (_, parts) => Some(parts.len()),
    };
    if let Some(parts) = parts {
        let parts = counted(parts as u64, "partition", "partitions");
        return format!("it holds a disk with {parts}");
    }
    match Volume::open(Box::new(device), &OpenOptions::default()) {
        Ok(volume) => ntfs(&volume),
        Err(Error::Unsupported(Unsupported::NotNtfs { found })) if found.starts_with("it ") => found,
        Err(Error::Corrupt(_)) => "it holds a damaged NTFS volume".to_owned(),
        Err(_) => format!(
            "it holds {} ({} bytes) of something else",
            size(bytes),
            count(bytes)
        ),
    }
}

/// The same once it is gone.
pub(super) fn past(told: &str) -> String {
    let verbs = [
        ("it holds", "it held"),
        ("it is", "it was"),
        ("it looks", "it looked"),
        ("it cannot", "it could not"),
    ];
    verbs
        .iter()
        .find_map(|(now, before)| Some(format!("{before}{}", told.strip_prefix(now)?)))
        .unwrap_or_else(|| told.to_owned())
}

fn ntfs(volume: &Volume) -> String {
    let Some(geometry) = volume.geometry() else {
        return "it holds a Master File Table".to_owned();
    };
    let label = match volume.label() {
        Ok(label) if !label.is_empty() => format!("labelled '{}'", text::name(&label)),
        _ => "without a label".to_owned(),
    };
    format!("it holds an NTFS volume {label} of {}", size(geometry.size))
}

fn holds(device: &dyn Device, at: u64, wanted: &[u8]) -> bool {
    let mut found = vec![0; wanted.len()];
    device.read_at(at, &mut found).is_ok() && found == wanted
}

/// Whether the first 64 KiB, or all there is, are zeros.
fn is_zero(device: &dyn Device) -> bool {
    let count = usize::try_from(device.size()).unwrap_or(usize::MAX).min(64 << 10);
    let mut found = vec![0; count];
    device.read_at(0, &mut found).is_ok() && found.iter().all(|&byte| byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_is_told_in_the_past() {
        assert_eq!(past("it holds swap space"), "it held swap space");
        assert_eq!(past("it is empty"), "it was empty");
        assert_eq!(past("it looks like FAT"), "it looked like FAT");
    }
}
