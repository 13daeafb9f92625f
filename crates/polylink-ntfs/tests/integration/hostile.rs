//! Any bytes at all: the audit answers, soon, and with little memory.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use polylink_core::Silent;
use polylink_ntfs::check::{Options, check};
use polylink_ntfs::layout::attribute::AttributeKind;
use polylink_ntfs::{Device, MemDevice, OpenOptions, RecordNumber, RunList, Vcn, Volume, VolumeFs};
use proptest::prelude::*;

use polylink_testutil::ntfs::hostile::RAW;
use polylink_testutil::ntfs::image::{BLOCK, CLUSTER, Content, Image, RECORD, ROOT, put, sample, u32_at};
use polylink_testutil::ntfs::targets::TARGETS;

const SOON: Duration = Duration::from_secs(2);

/// Opens these bytes and audits what they are, if they are something.
fn survive(bytes: Vec<u8>) {
    let begun = Instant::now();
    if let Ok(volume) = Volume::open(Box::new(MemDevice::new(bytes)), &OpenOptions::default()) {
        let mut words = 0;
        let summary = check(&volume, &Options::default(), &Silent, &mut |issue| {
            words += issue.to_string().len() + issue.kind.expected().len() + issue.kind.found().len();
        });
        assert!(summary.is_err() || summary.is_ok_and(|summary| summary.complete));
    }
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

/// The places where most is decided: records, the boot sector, index blocks, the list.
fn places(image: &Image) -> Vec<(usize, usize)> {
    let mut places: Vec<_> = (0..36).map(|number| (image.record_at(number), RECORD)).collect();
    places.push((0, 512));
    for (record, kind, name) in [
        (27, 0xA0, "$I30"),
        (28, 0xA0, "$I30"),
        (5, 0xA0, "$I30"),
        (31, 0x20, ""),
    ] {
        let kind = AttributeKind(kind);
        places.push((image.value_at(record, kind, name).0, CLUSTER));
    }
    places
}

#[test]
fn every_cut_of_a_volume_is_survived() {
    let bytes = sample().build().bytes;
    // each cluster, and each byte of the first sector
    let cuts = (0..512).chain((512..bytes.len()).step_by(CLUSTER * 3 + 7));
    for cut in cuts {
        survive(bytes[..cut].to_vec());
    }
}

/// Puts mapping pairs and a size into the nth attribute of a type that lies in clusters.
fn set_runs(image: &mut Image, number: u64, kind: AttributeKind, pairs: &[u8], size: u64) {
    let at = image.attribute(number, kind, 0);
    let end = RunList::decode(pairs, Vcn(0), u64::MAX).expect("runs").end().0;
    image.record(number, |record| {
        put(record, at + 0x18, (end - 1).to_le_bytes());
        let runs = at + usize::from(u16::from_le_bytes([record[at + 0x20], record[at + 0x21]]));
        // the ending zero is not needed where the attribute ends
        let room = at + u32_at(record, at + 4) as usize - runs;
        let pairs = &pairs[..room.min(pairs.len())];
        assert_eq!(
            RunList::decode(pairs, Vcn(0), u64::MAX).expect("runs").end().0,
            end
        );
        record[runs..runs + pairs.len()].copy_from_slice(pairs);
        for field in [0x28, 0x30, 0x38] {
            put(record, at + field, size.to_le_bytes());
        }
    });
}

/// Opens the volume, and does all that hostile bytes must survive.
fn survive_all(image: &Image) {
    let mut input = vec![RAW];
    input.extend_from_slice(&image.bytes);
    for target in TARGETS.iter().filter(|target| target.is_volume) {
        let begun = Instant::now();
        (target.run)(&input);
        assert!(begun.elapsed() < SOON, "{}: {:?}", target.name, begun.elapsed());
    }
}

/// Counts the bytes that are read of a device.
#[derive(Debug)]
struct Counted {
    device: MemDevice,
    read: Arc<AtomicU64>,
}

impl Device for Counted {
    fn size(&self) -> u64 {
        self.device.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.read.fetch_add(buffer.len() as u64, Ordering::Relaxed);
        self.device.read_at(offset, buffer)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.device.write_at(offset, data)
    }

    fn flush(&self) -> io::Result<()> {
        self.device.flush()
    }
}

/// Opens a volume, and counts the bytes that are read of it from then on.
fn counted(image: Image) -> (Volume, Arc<AtomicU64>) {
    let read = Arc::new(AtomicU64::new(0));
    let device = Counted {
        device: MemDevice::new(image.bytes),
        read: read.clone(),
    };
    let volume = Volume::open(Box::new(device), &OpenOptions::default()).expect("a volume");
    read.store(0, Ordering::Relaxed);
    (volume, read)
}

#[test]
fn a_name_in_a_circle_of_directories_is_not_followed_again_and_again() {
    let mut builder = sample();
    let one = builder.directory(ROOT, "one");
    let other = builder.directory(one, "other");
    let file = builder.file(other, "file", Content::Resident(Vec::new()));
    builder.move_to(one, other);
    let (volume, read) = counted(builder.build());
    let volume = Arc::new(volume);
    let reference = volume.file(RecordNumber(file)).expect("a file").reference();
    let fs = VolumeFs::with_catalog(volume.clone()).expect("a catalog");
    let paths = fs.paths_of(reference).expect("names");
    assert!(paths.is_empty(), "{paths:?}");
    read.store(0, Ordering::Relaxed);
    let paths = VolumeFs::new(volume).paths_of(reference).expect("names");
    assert!(paths.is_empty(), "{paths:?}");
    let read = read.load(Ordering::Relaxed);
    assert!(read < 20 * RECORD as u64, "{read} bytes");
}

#[test]
fn a_table_of_upper_cases_that_cannot_be_used_is_read_once() {
    let mut image = sample().build();
    let at = image.attribute(10, AttributeKind::DATA, 0);
    // a unit less than there must be
    image.record(10, |record| {
        for field in [0x30, 0x38] {
            put(record, at + field, 131_070_u64.to_le_bytes());
        }
    });
    let (volume, read) = counted(image);
    assert!(volume.read_upcase().is_err());
    for _ in 0..10 {
        assert_eq!(volume.upcase().upcased(&[0x61]), [0x41]);
    }
    let read = read.load(Ordering::Relaxed);
    assert!(read < 3 * 131_072, "{read} bytes");
}

/// A hole of 2^50 clusters: a size in one byte, a length in seven.
const HUGE_HOLE: [u8; 9] = [0x07, 0, 0, 0, 0, 0, 0, 0x04, 0];

#[test]
fn index_blocks_in_an_endless_hole_take_no_memory() {
    let mut image = sample().build();
    set_runs(
        &mut image,
        27,
        AttributeKind::INDEX_ALLOCATION,
        &HUGE_HOLE,
        1 << 60,
    );
    survive_all(&image);
}

/// Fills an index block with as many names as it has room for, each of one letter, that all lead to one other block.
fn lead_to(image: &mut Image, at: usize, vcn: u64) {
    image.block(at, BLOCK, |block| {
        let node = 0x18;
        let first = node + u32_at(block, node) as usize;
        let room = node + u32_at(block, node + 8) as usize;
        let entry = block[first..first + 16 + 68].to_vec();
        let mut next = first;
        while next + 96 + 24 <= room {
            block[next..next + 84].copy_from_slice(&entry);
            // 96 bytes with a key of 68 and a child; the name is one letter
            put(block, next + 8, 96_u16.to_le_bytes());
            put(block, next + 10, 68_u16.to_le_bytes());
            put(block, next + 12, 1_u32.to_le_bytes());
            block[next + 16 + 64] = 1;
            put(block, next + 16 + 66, u16::to_le_bytes(0x66));
            put(block, next + 88, vcn.to_le_bytes());
            next += 96;
        }
        block[next..next + 24].fill(0);
        put(block, next + 8, 24_u16.to_le_bytes());
        put(block, next + 12, 3_u32.to_le_bytes());
        put(block, next + 16, vcn.to_le_bytes());
        put(block, node + 4, ((next + 24 - node) as u32).to_le_bytes());
        block[node + 12] = 1;
    });
}

#[test]
fn names_that_all_lead_to_the_same_block_are_looked_for_once() {
    let mut image = sample().build();
    let (at, _) = image.value_at(27, AttributeKind::INDEX_ALLOCATION, "$I30");
    lead_to(&mut image, at, 0);
    survive_all(&image);
}

#[test]
fn a_volume_of_any_size_with_a_bitmap_of_holes_is_counted_soon() {
    let mut image = sample().build();
    put(&mut image.bytes, 0x28, (1_u64 << 50).to_le_bytes());
    set_runs(&mut image, 6, AttributeKind::DATA, &HUGE_HOLE, 1 << 45);
    let clusters = image.open().geometry().expect("a volume").clusters;
    assert_eq!(clusters, 1 << 48, "not taken from the copy of the boot sector");
    survive_all(&image);
}

#[test]
fn a_table_with_an_endless_hole_has_no_more_records_than_the_device() {
    let mut image = sample().build();
    set_runs(&mut image, 0, AttributeKind::DATA, &HUGE_HOLE, 1 << 60);
    survive_all(&image);
    assert!(image.open().records() <= (image.bytes.len() / RECORD) as u64);
}

/// The index must be made anew, for none of its blocks can be found, and what is left of the old one is looked through.
#[test]
fn an_index_in_an_endless_hole_is_made_anew_soon() {
    let mut image = sample().build();
    set_runs(
        &mut image,
        27,
        AttributeKind::INDEX_ALLOCATION,
        &HUGE_HOLE,
        1 << 60,
    );
    let device = Arc::new(MemDevice::new(image.bytes.clone()));
    let on: Arc<dyn Device> = device.clone();
    let begun = Instant::now();
    let (steps, fixed) = crate::write::fix::mended(&on).unwrap();
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert!(fixed.is_clean(), "{:#?} after {steps:#?}", fixed.left);
    let told: Vec<_> = steps.iter().map(ToString::to_string).collect();
    assert!(
        told.iter().any(|step| step.contains("made anew from")),
        "{told:#?}"
    );
}

#[test]
fn every_short_cut_of_a_volume_is_survived() {
    let image = sample().build();
    let bytes = &image.bytes;
    for cut in (0..4096).step_by(7).chain((4096..bytes.len()).step_by(512 * 37)) {
        let input = [&[RAW][..], &bytes[..cut]].concat();
        polylink_testutil::ntfs::targets::index(&input);
        polylink_testutil::ntfs::targets::attribute_list(&input);
    }
}

proptest! {
    /// Fields take values at their limits more often than any others.
    #[test]
    fn changed_bytes_are_survived(
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(), prop_oneof![
                Just(0_u64), Just(u64::MAX), Just(1), Just(0xFFFF), Just(0x7FFF_FFFF_FFFF_FFFF), any::<u64>(),
            ], prop::sample::select(vec![1_usize, 2, 4, 8])),
            1..8,
        ),
    ) {
        let mut image = sample().build();
        let places = places(&image);
        for (place, at, value, len) in changes {
            let (start, size) = *place.get(&places);
            let at = at.index(size - 8);
            let edit = |block: &mut [u8]| block[at..at + len].copy_from_slice(&value.to_le_bytes()[..len]);
            // the update sequence stays right, or nothing behind it would be looked at
            let is_sound = image.bytes[start + 4..start + 8] == [0x30, 0, 3, 0];
            if size == RECORD && is_sound && at >= 8 {
                image.block(start, size, edit);
            } else {
                edit(&mut image.bytes[start..start + size]);
            }
        }
        survive(image.bytes);
    }
}
