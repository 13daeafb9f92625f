//! Security descriptors: damage to them and to their indexes is found, and mended where one copy is sound.

use std::sync::Arc;

use polylink_ntfs::check::Place;
use polylink_ntfs::fix::StepKind;
use polylink_ntfs::layout::attribute::AttributeKind;
use polylink_ntfs::{Device, FileReference, MemDevice, RecordNumber};
use proptest::collection::vec;
use proptest::prelude::*;

use super::fix::{contents, kinds, mended, mends, place, told};
use super::{blank, issues, open, reopened, units};
use crate::check::audit;

/// The kinds of issues that are planted here.
pub(crate) const KINDS: &[&str] = &[
    "security-copy",
    "security-entry",
    "security-id",
    "security-index-entry",
    "security-unindexed",
];

const SECURE: FileReference = FileReference::new(RecordNumber::SECURE, 9);
/// Where the copies of the descriptors are.
const HALF: usize = 0x4_0000;
/// Where in a new record the number of the descriptor is.
const ID: u64 = 0x38 + 0x18 + 0x34;

/// Where a stream of `$Secure` lies on a device: in one piece.
fn stream(device: &Arc<MemDevice>, kind: AttributeKind, name: &str) -> std::ops::Range<usize> {
    let volume = reopened(device);
    let file = volume.file(RecordNumber::SECURE).unwrap();
    let stream = file.stream(&volume, kind, &units(name)).unwrap().unwrap();
    let cluster = volume.geometry().unwrap().cluster as usize;
    let [extent] = stream.runs().unwrap().extents() else {
        panic!("in pieces");
    };
    let start = extent.lcn.unwrap().0 as usize * cluster;
    start..start + stream.size() as usize
}

/// Where on the device an attribute of `$Secure` begins.
fn attribute(device: &Arc<MemDevice>, kind: AttributeKind, name: &str) -> u64 {
    let volume = reopened(device);
    let file = volume.file(RecordNumber::SECURE).unwrap();
    let mut attributes = file.attributes().flatten().map(|(_, attribute)| attribute);
    let found = attributes.find(|attribute| attribute.kind() == kind && attribute.name() == units(name));
    place(device, SECURE) + found.unwrap().offset() as u64
}

fn descriptors(device: &Arc<MemDevice>) -> Vec<u8> {
    device.bytes()[stream(device, AttributeKind::DATA, "$SDS")].to_vec()
}

/// Changes one byte.
fn flip(device: &Arc<MemDevice>, at: usize) {
    let mut byte = [0];
    device.read_at(at as u64, &mut byte).unwrap();
    device.write_at(at as u64, &[byte[0] ^ 0x10]).unwrap();
}

/// A volume with some files of users, whose descriptor is 0x101.
fn small() -> Arc<MemDevice> {
    let device = blank(6 << 20, 4096, 1024);
    let writer = open(&device);
    let root = writer.root().unwrap();
    for name in ["one", "two"] {
        let file = writer.create_file(root, &units(name)).unwrap();
        writer.write(file, &[], 0, name.as_bytes()).unwrap();
    }
    writer.close().unwrap();
    device
}

fn hash(descriptor: &[u8]) -> u32 {
    descriptor.chunks_exact(4).fold(0_u32, |hash, word| {
        let word = u32::from_le_bytes(word.try_into().unwrap());
        hash.rotate_left(3).wrapping_add(word)
    })
}

/// A volume on which 36 files have a descriptor each; `fix` made the indexes, which have blocks.
fn large() -> Arc<MemDevice> {
    const COUNT: u32 = 36;
    /// What the descriptors take on a new volume, and the most that they can without another cluster.
    const USED: usize = 0x16C;
    const ROOM: usize = 0x1000;
    let device = small();
    let writer = open(&device);
    let root = writer.root().unwrap();
    let mut held = descriptors(&device)[..USED].to_vec();
    let mut files = Vec::new();
    for number in 0..COUNT {
        let file = writer
            .create_file(root, &units(&format!("file {number}")))
            .unwrap();
        files.push(file);
        held.resize(held.len().next_multiple_of(16), 0);
        // everyone's, but for the numbers at its end
        let mut body = held[0x80 + 20..0x80 + 20 + 68].to_vec();
        body.extend((number.wrapping_mul(0x9e37_79b1)).to_le_bytes());
        let offset = held.len() as u64;
        held.extend(hash(&body).to_le_bytes());
        held.extend((0x200 + number).to_le_bytes());
        held.extend(offset.to_le_bytes());
        held.extend((20 + body.len() as u32).to_le_bytes());
        held.extend(body);
    }
    writer.close().unwrap();
    assert!(held.len() <= ROOM);
    let at = stream(&device, AttributeKind::DATA, "$SDS").start;
    for copy in [0, HALF] {
        device.write_at((at + copy) as u64, &held).unwrap();
    }
    // size, and how much of it was written
    let attribute = attribute(&device, AttributeKind::DATA, "$SDS");
    for field in [0x30, 0x38] {
        let size = (HALF + ROOM) as u64;
        device.write_at(attribute + field, &size.to_le_bytes()).unwrap();
    }
    for (number, file) in files.iter().enumerate() {
        let id = 0x200 + number as u32;
        device
            .write_at(place(&device, *file) + ID, &id.to_le_bytes())
            .unwrap();
    }
    let found = issues(&device);
    assert_eq!(found.len(), 2 * COUNT as usize, "{found:#?}");
    assert_eq!(
        found[0],
        "record 9: the security descriptor 0x200 has no entry in $SII"
    );
    let on: Arc<dyn Device> = device.clone();
    let (steps, fixed) = mended(&on).unwrap();
    assert!(fixed.is_clean(), "{:#?}", fixed.left);
    assert_eq!(kinds(&steps), [StepKind::RebuildIndex, StepKind::RebuildIndex]);
    assert_eq!(
        steps[0].to_string(),
        "record 9: the index $SII of the security descriptors: not what $SDS holds -> made anew from 39 descriptors"
    );
    device
}

/// Asserts that damage is found in these words, and mended in these steps, without a descriptor being lost, also where
/// the repair is cut off.
fn is_mended(device: &Arc<MemDevice>, damage: &dyn Fn(&Arc<MemDevice>), words: &[&str], steps: &[&str]) {
    let sound = (descriptors(device), contents(device));
    let damaged = Arc::new(MemDevice::new(device.bytes()));
    damage(&damaged);
    assert_eq!(issues(&damaged), words);
    let done = mends(damaged.bytes(), &sound.1);
    assert_eq!(done, steps);
    let on: Arc<dyn Device> = damaged.clone();
    mended(&on).unwrap();
    assert_eq!(descriptors(&damaged), sound.0);
}

const REBUILT: [&str; 2] = [
    "record 9: the index $SII of the security descriptors: not what $SDS holds -> made anew from 3 descriptors",
    "record 9: the index $SDH of the security descriptors: not what $SDS holds -> made anew from 3 descriptors",
];

#[test]
fn a_damaged_copy_is_made_as_the_sound_one() {
    let device = small();
    let at = stream(&device, AttributeKind::DATA, "$SDS").start;
    // in the descriptor, and in each field of its header
    for inside in [0x30, 0, 4, 8, 16] {
        is_mended(
            &device,
            &|device| flip(device, at + 0x80 + inside),
            &[
                "record 9: of the copies of the security descriptor 0x101, at 0x80 of $SDS, the first is damaged, not two that are the same",
            ],
            &["record 9: the first copy of the security descriptor 0x101: damaged -> as the second"],
        );
        is_mended(
            &device,
            &|device| flip(device, at + HALF + 0x80 + inside),
            &[
                "record 9: of the copies of the security descriptor 0x101, at 0x80 of $SDS, the second is damaged, not two that are the same",
            ],
            &["record 9: the second copy of the security descriptor 0x101: damaged -> as the first"],
        );
    }
}

/// Where on the device the first entry of an index is that lies in the record.
fn first_entry(device: &Arc<MemDevice>, name: &str) -> usize {
    // its header and its name, its own header, that of the node
    attribute(device, AttributeKind::INDEX_ROOT, name) as usize + 32 + 16 + 16
}

#[test]
fn entries_of_indexes_that_are_wrong_are_made_anew() {
    let device = small();
    let sound = contents(&device);
    // the offset that an entry of $SII says, and its key; the hash that an entry of $SDH says; its number
    for (name, inside, words) in [
        (
            "$SII",
            20 + 8,
            [
                "has the security descriptor 0x100 at 0x10 with",
                "there is 0x100 at 0x0 with",
            ],
        ),
        (
            "$SII",
            16,
            [
                "has the security descriptor 0x100 at 0x0 with",
                "in $SDS there is none of that number",
            ],
        ),
        (
            "$SDH",
            24,
            ["has the security descriptor 0x", ", in $SDS there is 0x"],
        ),
        (
            "$SDH",
            24 + 4,
            ["has the security descriptor 0x", ", in $SDS there is 0x"],
        ),
    ] {
        let damaged = Arc::new(MemDevice::new(device.bytes()));
        flip(&damaged, first_entry(&device, name) + inside);
        let (found, _) = audit(&reopened(&damaged));
        let text: Vec<_> = found.iter().map(ToString::to_string).collect();
        let at = found
            .iter()
            .position(|issue| issue.kind_name() == "security-index-entry");
        let at = at.unwrap_or_else(|| panic!("{name} {inside}: {text:#?}"));
        assert!(words.iter().all(|words| text[at].contains(words)), "{text:#?}");
        assert_eq!(mends(damaged.bytes(), &sound), REBUILT);
        let on: Arc<dyn Device> = damaged.clone();
        mended(&on).unwrap();
        assert_eq!(descriptors(&damaged), descriptors(&device));
    }
}

/// An index that lost an entry.
#[test]
fn entries_that_are_missing_are_made_anew() {
    let device = large();
    let blocks = stream(&device, AttributeKind::INDEX_ALLOCATION, "$SII");
    let bytes = device.bytes();
    let block = &bytes[blocks.start..blocks.start + 4096];
    let (first, used) = (
        24 + block[24] as usize,
        24 + u16::from_le_bytes([block[28], block[29]]) as usize,
    );
    let len = usize::from(block[first + 8]);
    let id = u32::from_le_bytes(block[first + 16..first + 20].try_into().unwrap());
    let before = descriptors(&device);
    let rest = block[first + len..used].to_vec();
    device.write_at((blocks.start + first) as u64, &rest).unwrap();
    let shorter = u16::try_from(used - 24 - len).unwrap();
    device
        .write_at((blocks.start + 28) as u64, &shorter.to_le_bytes())
        .unwrap();
    // the words of the update sequence that were moved belong at the ends of sectors
    let found = issues(&device);
    assert!(!found.is_empty());
    let sound = contents(&device);
    let steps = mends(device.bytes(), &sound);
    assert_eq!(steps.len(), 2, "{steps:#?}");
    assert!(steps[0].ends_with("made anew from 39 descriptors"), "{steps:#?}");
    assert!(id >= 0x100);
    assert_eq!(descriptors(&device), before);
}

#[test]
fn torn_blocks_of_both_indexes_are_made_anew() {
    let device = large();
    let sound = (descriptors(&device), contents(&device));
    for (name, other) in [("$SII", 1022), ("$SDH", 510)] {
        let damaged = Arc::new(MemDevice::new(device.bytes()));
        let blocks = stream(&device, AttributeKind::INDEX_ALLOCATION, name);
        flip(&damaged, blocks.start + other);
        let (found, _) = audit(&reopened(&damaged));
        let [issue] = &*found else { panic!("{found:#?}") };
        assert_eq!(issue.kind_name(), "torn-sector");
        assert!(matches!(&issue.place, Place::IndexBlock { index, .. } if index == name));
        let steps = mends(damaged.bytes(), &sound.1);
        assert_eq!(steps.len(), 2, "{steps:#?}");
        assert!(steps[1].ends_with("made anew from 39 descriptors"), "{steps:#?}");
        let on: Arc<dyn Device> = damaged.clone();
        mended(&on).unwrap();
        assert_eq!(descriptors(&damaged), sound.0);
    }
}

#[test]
fn what_has_no_sound_copy_is_listed_and_left_as_it_is() {
    let device = small();
    let at = stream(&device, AttributeKind::DATA, "$SDS").start;
    for copy in [0, HALF] {
        flip(&device, at + copy + 0x80 + 0x30);
    }
    let before = device.bytes();
    let words = ["record 9: there is no sound security descriptor 0x101 at 0x80 of $SDS"];
    assert_eq!(issues(&device), words);
    let on: Arc<dyn Device> = device.clone();
    let (steps, fixed) = mended(&on).unwrap();
    assert_eq!((steps, fixed.summary.damage), (Vec::new(), 1));
    assert!(device.bytes() == before, "something was written");
    // the indexes are damaged as well: what they know of it is kept
    let entry = first_entry(&device, "$SII");
    flip(&device, entry + 20 + 8);
    let (steps, fixed) = mended(&on).unwrap();
    assert_eq!(told(&steps), REBUILT);
    assert_eq!(fixed.summary.damage, 1);
    assert_eq!(issues(&device), words);
}

#[test]
fn files_with_a_descriptor_that_does_not_exist_are_listed() {
    let device = small();
    let writer = open(&device);
    let root = writer.root().unwrap();
    let files: Vec<_> = ["three", "four"]
        .map(|name| writer.create_file(root, &units(name)).unwrap())
        .to_vec();
    writer.close().unwrap();
    for file in &files {
        let at = place(&device, *file) + ID;
        device.write_at(at, &0x1234_u32.to_le_bytes()).unwrap();
    }
    let before = device.bytes();
    let first = files[0].record();
    let words = format!(
        "record {first}: 2 files, this one first, have the security descriptor 0x1234, which $Secure does not have"
    );
    assert_eq!(issues(&device), [words]);
    let on: Arc<dyn Device> = device.clone();
    let (steps, fixed) = mended(&on).unwrap();
    assert_eq!((steps, fixed.summary.damage), (Vec::new(), 1));
    assert!(device.bytes() == before, "something was written");
}

/// The number of a descriptor is damaged in the one copy that is left: only the indexes know it, and keep it.
#[test]
fn a_number_that_only_the_indexes_know_is_kept() {
    let device = small();
    let at = stream(&device, AttributeKind::DATA, "$SDS").start;
    flip(&device, at + 0x80 + 0x30);
    flip(&device, at + HALF + 0x80 + 4);
    let words = ["record 9: there is no sound security descriptor 0x101 at 0x80 of $SDS"];
    assert_eq!(issues(&device), words);
    let entry = first_entry(&device, "$SII");
    flip(&device, entry + 20 + 8);
    let on: Arc<dyn Device> = device.clone();
    let (steps, _) = mended(&on).unwrap();
    assert_eq!(told(&steps), REBUILT);
    assert_eq!(issues(&device), words);
}

/// What nobody has any more may be there in one copy, or in none of the indexes.
#[test]
fn remains_of_descriptors_are_nothing_wrong() {
    let device = small();
    let at = stream(&device, AttributeKind::DATA, "$SDS").start;
    let mut body = vec![7; 40];
    let mut remains = hash(&body).to_le_bytes().to_vec();
    remains.extend(0x900_u32.to_le_bytes());
    remains.extend(0x1000_u64.to_le_bytes());
    remains.extend(60_u32.to_le_bytes());
    remains.append(&mut body);
    device.write_at(at as u64 + 0x1000, &remains).unwrap();
    assert_eq!(issues(&device), Vec::<String>::new());
}

/// Which descriptors, of 0x100 to 0x102, are whole in one copy at least.
fn whole(device: &Arc<MemDevice>, sound: &[u8], at: usize) -> Vec<bool> {
    let bytes = device.bytes();
    let places = [0..0x78, 0x80..0xE4, 0xF0..0x16C];
    let is_whole = |place: std::ops::Range<usize>| {
        [0, HALF].into_iter().any(|copy| {
            let here = at + copy + place.start..at + copy + place.end;
            bytes[here] == sound[place.clone()]
        })
    };
    places.map(is_whole).to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_damaged_no_descriptor_with_a_sound_copy_is_lost(
        flips in vec((0_usize..0x180, any::<bool>(), any::<u8>()), 0..6),
        record in vec((0x38_usize..1024, any::<u8>()), 0..4),
    ) {
        let device = small();
        let at = stream(&device, AttributeKind::DATA, "$SDS").start;
        let sound = descriptors(&device);
        for (place, second, byte) in flips {
            let at = at + place + if second { HALF } else { 0 };
            device.write_at(at as u64, &[byte]).unwrap();
        }
        let base = place(&device, SECURE);
        for (place, byte) in record {
            device.write_at(base + place as u64, &[byte]).unwrap();
        }
        let before = whole(&device, &sound, at);
        let damage = audit(&reopened(&device)).1.damage;
        let on: Arc<dyn Device> = device.clone();
        if let Ok((steps, fixed)) = mended(&on) {
            for (before, after) in before.iter().zip(whole(&device, &sound, at)) {
                prop_assert!(!before || after, "{:#?}", told(&steps));
            }
            prop_assert!(fixed.summary.damage <= damage, "{:#?}", told(&steps));
        }
    }
}
