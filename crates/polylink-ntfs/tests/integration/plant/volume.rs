//! Boot sectors, copies, and the files that tell of the volume.

use std::io;
use std::sync::Arc;

use polylink_ntfs::layout::attribute::AttributeKind;
use polylink_ntfs::{Device, MemDevice};

use super::plants;
use crate::check::audit;
use polylink_testutil::ntfs::image::{CLUSTER, Image, RECORD, SECTOR, put, sample};

/// Kinds that are planted by tests of their own.
pub(crate) const MORE: &[&str] = &["unreadable"];

const INFORMATION: AttributeKind = AttributeKind::VOLUME_INFORMATION;
const DATA: AttributeKind = AttributeKind::DATA;

/// Where the copy of the boot sector is.
fn copy(image: &Image) -> usize {
    image.bytes.len() - SECTOR
}

/// Writes size and initialized bytes of a value in clusters.
fn resize(image: &mut Image, record: u64, kind: AttributeKind, size: u64) {
    let at = image.attribute(record, kind, 0);
    image.record(record, |record| {
        put(record, at + 0x30, size.to_le_bytes());
        put(record, at + 0x38, size.to_le_bytes());
    });
}

plants! {
    a_boot_sector_that_cannot_be_used_is_found: "boot-sector",
        "the first boot sector cannot be used, its copy can: the boot sector gives 0x03 sectors a cluster, which is no size up to 2 MiB",
        |image| image.bytes[13] = 3;
    a_copy_of_the_boot_sector_that_differs_is_found: "boot-copy",
        "offset 0x200000: the copy of the boot sector differs from the first at byte 64: 0xf7, not 0xf6",
        |image| { let at = copy(image) + 0x40; image.bytes[at] = 0xF7 };
    a_copy_of_the_boot_sector_that_is_missing_is_noted: "boot-copy-missing",
        "offset 0x200000: there is no copy of the boot sector at offset 0x200000",
        |image| { let at = copy(image); image.bytes[at..].fill(0) };
    a_volume_that_its_device_cuts_is_found: "volume-truncated",
        "the volume has 2097152 bytes, its device 2095104",
        with &["boot-copy-missing"],
        |image| image.bytes.truncate(1023 * CLUSTER);
    a_first_record_that_cannot_be_used_is_found: "first-record",
        "record 0: the first record of $MFT cannot be used, its copy can: sector 0 ends in 0x0000, not in the update sequence number 0x0001: it was written in part (record 0)",
        with &["torn-sector"],
        |image| { let at = image.record_at(0) + 510; image.bytes[at] = 0 };
    a_copy_of_a_record_that_differs_is_found: "mirror-differs",
        "record 1, offset 0x50: the copy of the record in $MFTMirr holds 0x55 there, the record 0x00",
        |image| {
            let at = image.mirror as usize * CLUSTER + RECORD;
            image.block(at, RECORD, |record| record[0x50] = 0x55);
        };
    a_table_that_begins_elsewhere_is_found: "table-place",
        "record 1: the boot sector lets the file begin at cluster 1, its own runs at 227",
        |image| for at in [0, copy(image)] {
            put(&mut image.bytes, at + 0x38, 1_u64.to_le_bytes());
        };
    a_table_that_is_longer_than_the_device_is_found: "table-size",
        "record 0: the table is said to have 4160 records, the device has room for 2048",
        with &["bitmap-size"],
        |image| {
            let at = image.attribute(0, DATA, 0);
            image.record(0, |record| {
                let clusters = 80 + 2000_u64;
                put(record, at + 0x18, (clusters - 1).to_le_bytes());
                for size in [0x28, 0x30, 0x38] {
                    put(record, at + size, (clusters * CLUSTER as u64).to_le_bytes());
                }
                // behind the run that is there, a hole
                put(record, at + 0x44, [0x02, 0xD0, 0x07, 0]);
            });
        };
    a_system_file_that_cannot_be_used_is_found: "system-file",
        "record 1: $MFTMirr cannot be read: it has 1 records",
        |image| resize(image, 1, DATA, 1024);
    a_dirty_volume_is_noted: "volume-dirty",
        "record 3: the volume is marked as dirty",
        |image| {
            let at = image.attribute(3, INFORMATION, 0) + 24;
            image.record(3, |record| record[at + 10] = 1);
        };
    flags_of_the_volume_are_noted: "volume-flags",
        "record 3: the volume has the flags 0x4000",
        |image| {
            let at = image.attribute(3, INFORMATION, 0) + 24;
            image.record(3, |record| record[at + 11] = 0x40);
        };
    a_version_that_is_not_known_is_noted: "volume-version",
        "record 3: the volume has version 4.1 of NTFS, 1.2, 3.0 and 3.1 are known",
        |image| {
            let at = image.attribute(3, INFORMATION, 0) + 24;
            image.record(3, |record| record[at + 8] = 4);
        };
    a_table_of_upper_cases_that_cannot_be_used_is_found: "upcase",
        "record 10: the table of upper cases cannot be used: $DATA is damaged: $UpCase has not 65,536 units (record 10)",
        |image| resize(image, 10, DATA, 131_070);
}

/// A device that fails where one record is.
#[derive(Debug)]
struct Broken {
    device: MemDevice,
    bad: u64,
}

impl Device for Broken {
    fn size(&self) -> u64 {
        self.device.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        if offset <= self.bad && self.bad < offset + buffer.len() as u64 {
            return Err(io::ErrorKind::Other.into());
        }
        self.device.read_at(offset, buffer)
    }

    fn write_at(&self, _: u64, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_record_that_the_device_does_not_give_is_found() {
    let image = sample().build();
    let device = Broken {
        device: MemDevice::new(image.bytes.clone()),
        bad: image.record_at(25) as u64,
    };
    let (issues, summary) = audit(&image.open_on(Arc::new(device)));
    let texts: Vec<_> = issues.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["record 25: the device gives 0 of 1024 bytes"]);
    // its clusters and its name cannot be judged
    assert_eq!(summary.unchecked, 1);
}

#[test]
fn the_limit_of_issues_holds_back_the_rest_but_counts_it() {
    let mut image = sample().build();
    for number in 35..45 {
        image.record(number, |record| record[0x12] = 9);
    }
    let options = polylink_ntfs::check::Options { most_issues: Some(3) };
    let mut seen = 0;
    let summary = polylink_ntfs::check::check(&image.open(), &options, &polylink_core::Silent, &mut |_| {
        seen += 1;
    });
    assert_eq!((seen, summary.unwrap().damage), (3, 10));
}
