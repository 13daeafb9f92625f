//! Records of which there is only one, destroyed in every way: they are made anew, and no file is lost.

use std::sync::Arc;

use polylink_ntfs::fix::StepKind;
use polylink_ntfs::layout::attribute::AttributeKind;
use polylink_ntfs::{Device, FileReference, MemDevice, RecordNumber};

use super::fix::{contents, kinds, mended, mends, place, told};
use super::{blank, issues, open, raw_links, reopened, units};
use crate::check::audit;

/// A volume with directories, among them one with blocks, and files of all sizes.
fn sound(cluster: u32, record: u32) -> Arc<MemDevice> {
    let device = blank(8 << 20, cluster, record);
    let writer = open(&device);
    let root = writer.root().unwrap();
    let inner = writer.make_directory(root, &units("a directory")).unwrap();
    for number in 0..60_usize {
        for (directory, called) in [(root, "file"), (inner, "inner")] {
            let file = writer
                .create_file(directory, &units(&format!("{called} {number}")))
                .unwrap();
            let bytes = vec![number as u8; [0, 20, 900, 9000][number % 4]];
            writer.write(file, &[], 0, &bytes).unwrap();
        }
    }
    writer.close().unwrap();
    device
}

fn at(device: &Arc<MemDevice>, record: RecordNumber) -> u64 {
    place(device, FileReference::new(record, 0))
}

/// Ways in which a record is destroyed: its place, and what comes there.
fn ways(len: usize) -> Vec<(usize, Vec<u8>)> {
    vec![
        (0, vec![0; len]),
        (0, vec![0xE5; len]),
        // one sector, and the other
        (0, vec![0; 512]),
        (512, vec![0; 512]),
        // the end of the first sector, as a write leaves it that was cut off
        (510, vec![0xAB, 0xCD]),
        // it is not in use
        (0x16, vec![0]),
    ]
}

#[test]
fn each_record_that_stands_alone_is_made_anew() {
    for (cluster, record) in [(4096, 1024), (1024, 4096), (512, 1024)] {
        let device = sound(cluster, record);
        let names = contents(&device);
        for (number, name) in [
            (RecordNumber::ROOT, "."),
            (RecordNumber::BITMAP, "$Bitmap"),
            (RecordNumber::UPCASE, "$UpCase"),
            (RecordNumber::EXTEND, "$Extend"),
        ] {
            for (offset, bytes) in ways(record as usize) {
                let what = format!("{name}, {} bytes at {offset}, clusters of {cluster}", bytes.len());
                let damaged = Arc::new(MemDevice::new(device.bytes()));
                damaged
                    .write_at(at(&device, number) + offset as u64, &bytes)
                    .unwrap();
                let on: Arc<dyn Device> = damaged.clone();
                let (steps, fixed) = mended(&on).unwrap_or_else(|error| panic!("{what}: {error}"));
                assert!(
                    fixed.is_clean(),
                    "{what}: {:#?} after {:#?}",
                    fixed.left,
                    told(&steps)
                );
                assert_eq!(
                    steps[0].kind,
                    StepKind::RebuildRecord,
                    "{what}: {:#?}",
                    told(&steps)
                );
                assert_eq!(steps[0].record, Some(number));
                assert_eq!(contents(&damaged), names, "{what}");
                assert_eq!(issues(&damaged), Vec::<String>::new(), "{what}");
                assert_eq!(raw_links(&damaged, number), 1);
                assert!(mended(&on).unwrap().0.is_empty(), "{what}");
                // it can be written again
                let writer = open(&damaged);
                let root = writer.root().unwrap();
                let file = writer.create_file(root, &units("new")).unwrap();
                writer.write(file, &[], 0, &[1; 50_000]).unwrap();
                writer.close().unwrap();
                assert_eq!(issues(&damaged), Vec::<String>::new(), "{what}");
            }
        }
    }
}

/// A repair that is cut off at each write is mended by the next one, and nothing is lost.
#[test]
fn a_record_that_is_being_made_anew_may_be_cut_off() {
    let device = blank(6 << 20, 4096, 1024);
    let writer = open(&device);
    let root = writer.root().unwrap();
    for name in ["one", "two", "three"] {
        let file = writer.create_file(root, &units(name)).unwrap();
        writer.write(file, &[], 0, &[7; 5000]).unwrap();
    }
    writer.close().unwrap();
    let names = contents(&device);
    for number in [
        RecordNumber::ROOT,
        RecordNumber::BITMAP,
        RecordNumber::UPCASE,
        RecordNumber::EXTEND,
    ] {
        let damaged = MemDevice::new(device.bytes());
        damaged.write_at(at(&device, number), &[0; 1024]).unwrap();
        let steps = mends(damaged.bytes(), &names);
        assert!(steps[0].contains("made anew"), "{steps:#?}");
    }
}

/// All of them at once.
#[test]
fn all_records_that_stand_alone_may_be_lost_together() {
    let device = sound(4096, 1024);
    let names = contents(&device);
    for number in [
        RecordNumber::ROOT,
        RecordNumber::BITMAP,
        RecordNumber::UPCASE,
        RecordNumber::EXTEND,
    ] {
        device.write_at(at(&device, number), &[0; 1024]).unwrap();
    }
    let on: Arc<dyn Device> = device.clone();
    let (steps, fixed) = mended(&on).unwrap();
    assert!(fixed.is_clean(), "{:#?} after {:#?}", fixed.left, told(&steps));
    assert_eq!(contents(&device), names);
}

/// Both copies of the record of `$Volume`.
#[test]
fn a_volume_without_its_own_record_gets_one_and_is_looked_at_whole() {
    let device = sound(4096, 1024);
    let names = contents(&device);
    let volume = reopened(&device);
    let mirror = volume.geometry().unwrap().mft_mirror.0 * 4096;
    drop(volume);
    let damaged = Arc::new(MemDevice::new(device.bytes()));
    damaged.write_at(mirror + 3 * 1024, &[0; 1024]).unwrap();
    damaged
        .write_at(at(&device, RecordNumber::VOLUME), &[0; 1024])
        .unwrap();
    let steps = mends(damaged.bytes(), &names);
    assert_eq!(steps[0], "record 3: the record of $Volume: damaged -> made anew");
    let on: Arc<dyn Device> = damaged.clone();
    let (steps, _) = mended(&on).unwrap();
    assert_eq!(kinds(&steps).last(), Some(&StepKind::ClearDirty));
    let (version, flags) = reopened(&damaged).information().unwrap();
    assert_eq!((version.major, version.minor, flags.bits()), (3, 1, 0));
}

/// What another record says that cannot be read, nobody knows: its clusters are not given away.
#[test]
fn nothing_is_made_anew_where_another_record_cannot_be_read() {
    let device = sound(4096, 1024);
    let other = device.clone();
    let place = at(&device, RecordNumber(40));
    other.write_at(place + 510, &[0xAB, 0xCD]).unwrap();
    for number in [RecordNumber::BITMAP, RecordNumber::UPCASE, RecordNumber::ROOT] {
        let damaged = Arc::new(MemDevice::new(other.bytes()));
        damaged.write_at(at(&device, number), &[0; 1024]).unwrap();
        let on: Arc<dyn Device> = damaged.clone();
        if let Ok((steps, _)) = mended(&on) {
            assert!(
                !kinds(&steps).contains(&StepKind::RebuildRecord),
                "{:#?}",
                told(&steps)
            );
        }
    }
}

/// Names in an order that is not that of Windows' table: the volume had another one, and that is lost.
#[test]
fn the_table_of_upper_cases_is_not_made_where_a_directory_has_another_order() {
    let device = blank(6 << 20, 4096, 1024);
    let volume = reopened(&device);
    let file = volume.file(RecordNumber::UPCASE).unwrap();
    let stream = file.stream(&volume, AttributeKind::DATA, &[]).unwrap().unwrap();
    let lcn = stream.runs().unwrap().extents()[0].lcn.unwrap().0;
    drop(volume);
    // by this table, ä comes before a
    for unit in [0xE4, 0xC4] {
        let at = lcn * 4096 + 2 * unit;
        device.write_at(at, &[0x30, 0]).unwrap();
    }
    let writer = open(&device);
    let root = writer.root().unwrap();
    let directory = writer.make_directory(root, &units("d")).unwrap();
    for name in ["a", "ä"] {
        writer.create_file(directory, &units(name)).unwrap();
    }
    writer.close().unwrap();
    assert!(audit(&reopened(&device)).1.is_clean());
    device
        .write_at(at(&device, RecordNumber::UPCASE), &[0; 1024])
        .unwrap();
    let before = device.bytes();
    let on: Arc<dyn Device> = device.clone();
    assert!(mended(&on).is_err());
    assert!(device.bytes() == before, "something was written");
}

/// Runs of `$UpCase` that lead to something else: no directory is put into the order of that.
#[test]
fn a_table_of_upper_cases_that_is_none_is_not_believed() {
    let device = sound(4096, 1024);
    let names = contents(&device);
    let volume = reopened(&device);
    let file = volume.file(RecordNumber::UPCASE).unwrap();
    let stream = file.stream(&volume, AttributeKind::DATA, &[]).unwrap().unwrap();
    let lcn = stream.runs().unwrap().extents()[0].lcn.unwrap().0;
    drop(volume);
    device.write_at(lcn * 4096, &[0x5A; 0x2_0000]).unwrap();
    let steps = mends(device.bytes(), &names);
    assert_eq!(
        steps[0],
        "record 10: the record of $UpCase: with a table that is none of upper cases -> made anew"
    );
    assert!(
        !steps
            .iter()
            .any(|step| step.contains("the index of the directory")),
        "{steps:#?}"
    );
}
