//! Object ids and reparse points: their indexes are compared with the files, and made anew from them.

use std::sync::Arc;

use polylink_ntfs::fix::StepKind;
use polylink_ntfs::{Device, FileReference, MemDevice, RecordNumber};

use super::fix::{contents, kinds, mended, mends, place, told};
use super::{blank, find, issues, open, units};

/// The kinds of issues that are planted here.
pub(crate) const KINDS: &[&str] = &[
    "object-id-entry",
    "object-id-left",
    "object-id-twice",
    "object-id-unindexed",
    "reparse-entry",
    "reparse-left",
    "reparse-unindexed",
];

const OBJECT_ID: u8 = 0x40;
const REPARSE_POINT: u8 = 0xC0;
/// That of a symbolic link.
const TAG: [u8; 4] = [0x0C, 0, 0, 0xA0];

/// Changes a record of 1 KiB on the device, its update sequence undone.
fn change(device: &Arc<MemDevice>, file: FileReference, edit: impl FnOnce(&mut [u8])) {
    let at = place(device, file);
    let mut bytes = vec![0; 1024];
    device.read_at(at, &mut bytes).unwrap();
    let array = usize::from(bytes[4]);
    let ends = [510, 1022];
    for (index, end) in ends.into_iter().enumerate() {
        bytes.copy_within(array + 2 + 2 * index..array + 4 + 2 * index, end);
    }
    edit(&mut bytes);
    for (index, end) in ends.into_iter().enumerate() {
        bytes.copy_within(end..end + 2, array + 2 + 2 * index);
        bytes.copy_within(array..array + 2, end);
    }
    device.write_at(at, &bytes).unwrap();
}

fn number(bytes: &[u8], at: usize) -> usize {
    u16::from_le_bytes([bytes[at], bytes[at + 1]]).into()
}

/// Adds an attribute to a record, where its type belongs.
fn add(device: &Arc<MemDevice>, file: FileReference, kind: u8, value: &[u8]) {
    change(device, file, |record| {
        let mut at = number(record, 0x14);
        while record[at] < kind {
            at += number(record, at + 4);
        }
        let used = number(record, 0x18);
        let len = (24 + value.len()).next_multiple_of(8);
        record.copy_within(at..used, at + len);
        let new = &mut record[at..at + len];
        new.fill(0);
        new[0] = kind;
        new[4..6].copy_from_slice(&(len as u16).to_le_bytes());
        new[0x10..0x12].copy_from_slice(&(value.len() as u16).to_le_bytes());
        new[0x14] = 24;
        new[24..24 + value.len()].copy_from_slice(value);
        let id = number(record, 0x28) as u16;
        record[at + 0xE..at + 0x10].copy_from_slice(&id.to_le_bytes());
        record[0x28..0x2A].copy_from_slice(&(id + 1).to_le_bytes());
        record[0x18..0x1A].copy_from_slice(&((used + len) as u16).to_le_bytes());
    });
}

/// The object id of the file with this number, and what it was born with.
fn id(number: u8) -> Vec<u8> {
    [[number; 16], [0xB1; 16], [0xB2; 16], [0xB3; 16]].concat()
}

fn reparse(number: u8) -> Vec<u8> {
    [&TAG[..], &[8, 0, 0, 0], &[number; 8]].concat()
}

/// A volume with some files, none of which has anything special.
fn plain(count: usize) -> (Arc<MemDevice>, Vec<FileReference>) {
    let device = blank(6 << 20, 4096, 1024);
    let writer = open(&device);
    let root = writer.root().unwrap();
    let files = (0..count)
        .map(|number| {
            let file = writer
                .create_file(root, &units(&format!("file {number}")))
                .unwrap();
            writer.write(file, &[], 0, &[number as u8; 40]).unwrap();
            file
        })
        .collect();
    writer.close().unwrap();
    (device, files)
}

/// Lets files have an object id each, and the second half of them a reparse point each; the indexes do not know of them.
fn unindexed(count: usize) -> (Arc<MemDevice>, Vec<FileReference>) {
    let (device, files) = plain(count);
    for (number, file) in files.iter().enumerate() {
        add(&device, *file, OBJECT_ID, &id(number as u8 + 1));
        if number >= count / 2 {
            add(&device, *file, REPARSE_POINT, &reparse(number as u8));
        }
    }
    (device, files)
}

/// The same volume, with indexes that a repair made.
fn indexed(count: usize) -> (Arc<MemDevice>, Vec<FileReference>) {
    let (device, files) = unindexed(count);
    let on: Arc<dyn Device> = device.clone();
    let (steps, fixed) = mended(&on).unwrap();
    assert!(fixed.is_clean(), "{:#?} after {:#?}", fixed.left, told(&steps));
    assert_eq!(kinds(&steps), [StepKind::RebuildIndex, StepKind::RebuildIndex]);
    (device, files)
}

fn view(device: &Arc<MemDevice>, name: &str) -> FileReference {
    find(&open(device), &format!("$Extend/{name}")).unwrap()
}

/// Where in the record of an index these bytes are.
fn entry(device: &Arc<MemDevice>, name: &str, key: &[u8]) -> u64 {
    let at = place(device, view(device, name));
    let mut record = vec![0; 1024];
    device.read_at(at, &mut record).unwrap();
    let found = record.windows(key.len()).position(|window| window == key);
    at + found.expect("the index has it") as u64
}

#[test]
fn what_no_index_knows_of_is_found_and_put_into_it() {
    let (device, files) = unindexed(4);
    let sound = contents(&device);
    let ids = (1..5).map(|number| {
        let file = files[number - 1];
        let [a, b] = [format!("{number:02}").repeat(4), format!("{number:02}").repeat(2)];
        let last = format!("{number:02}").repeat(6);
        format!(
            "record {}: the object id {a}-{b}-{b}-{b}-{last} of the file {file} has not an entry in $O",
            file.record()
        )
    });
    let points = files[2..].iter().map(|file| {
        format!(
            "record {}: the reparse point with the tag 0xa000000c of the file {file} has not an entry in $R",
            file.record()
        )
    });
    assert_eq!(issues(&device), ids.chain(points).collect::<Vec<_>>());
    let [object_ids, points] = ["$ObjId", "$Reparse"].map(|name| view(&device, name).record());
    assert_eq!(
        mends(device.bytes(), &sound),
        [
            format!(
                "record {object_ids}: the index $O of $ObjId: not what the files have -> made anew from 4 files"
            ),
            format!(
                "record {points}: the index $R of $Reparse: not what the files have -> made anew from 2 files"
            ),
        ]
    );
    let (device, _) = indexed(4);
    // with what each was born with
    entry(
        &device,
        "$ObjId",
        &[&files[1].0.to_le_bytes()[..], &id(2)[16..]].concat(),
    );
    entry(
        &device,
        "$Reparse",
        &[&TAG[..], &files[3].0.to_le_bytes()].concat(),
    );
}

/// A file that goes takes its entries along; without that, the audit would find them.
#[test]
fn a_file_that_goes_is_in_no_index() {
    let (device, _) = indexed(4);
    let writer = open(&device);
    let root = writer.root().unwrap();
    for number in [1, 3] {
        writer.unlink(root, &units(&format!("file {number}"))).unwrap();
    }
    writer.close().unwrap();
    assert_eq!(issues(&device), Vec::<String>::new());
}

#[test]
fn an_entry_that_leads_to_another_file_is_made_anew() {
    let (sound, files) = indexed(4);
    let names = contents(&sound);
    let (first, second) = (files[0].0.to_le_bytes(), files[1].0.to_le_bytes());
    let damaged = Arc::new(MemDevice::new(sound.bytes()));
    let at = entry(&damaged, "$ObjId", &[&first[..], &[0xB1; 16]].concat());
    damaged.write_at(at, &second).unwrap();
    let found = issues(&damaged);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found[0].ends_with(&format!(
            "the index of object ids has 01010101-0101-0101-0101-010101010101 of the file {}, not what the file has",
            files[1]
        )),
        "{found:#?}"
    );
    assert!(found[1].ends_with(&format!("of the file {} has not an entry in $O", files[0])));
    let steps = mends(damaged.bytes(), &names);
    assert_eq!(steps.len(), 1, "{steps:#?}");
    let on: Arc<dyn Device> = damaged.clone();
    mended(&on).unwrap();
    let whole = [&[1; 16], &first[..], &id(1)[16..]].concat();
    entry(&damaged, "$ObjId", &whole);

    // another tag than the file has
    let damaged = Arc::new(MemDevice::new(sound.bytes()));
    let key = [&TAG[..], &files[2].0.to_le_bytes()].concat();
    let at = entry(&damaged, "$Reparse", &key);
    damaged.write_at(at, &[3]).unwrap();
    let found = issues(&damaged);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found[0].ends_with(&format!(
            "the index of reparse points has the tag 0xa0000003 of the file {}, not what the file has",
            files[2]
        )),
        "{found:#?}"
    );
    let steps = mends(damaged.bytes(), &names);
    assert_eq!(steps.len(), 1, "{steps:#?}");
}

/// Drivers that do not know of the indexes leave the entries of files that they delete.
#[test]
fn what_a_deleted_file_left_is_a_note_and_goes_with_the_next_repair_of_its_index() {
    let (device, files) = indexed(4);
    for file in [files[0], files[3]] {
        // in the place of its file there is another one now
        change(&device, file, |record| {
            let kind = if file == files[0] {
                OBJECT_ID
            } else {
                REPARSE_POINT
            };
            let mut at = number(record, 0x14);
            while record[at] != kind {
                at += number(record, at + 4);
            }
            let len = number(record, at + 4);
            let used = number(record, 0x18);
            record.copy_within(at + len..used, at);
            record[0x18..0x1A].copy_from_slice(&((used - len) as u16).to_le_bytes());
        });
    }
    let later = |file: FileReference| FileReference::new(file.record(), file.sequence() + 1);
    let ids = entry(
        &device,
        "$ObjId",
        &[&files[0].0.to_le_bytes()[..], &[0xB1; 16]].concat(),
    );
    device.write_at(ids, &later(files[0]).0.to_le_bytes()).unwrap();
    let points = entry(&device, "$Reparse", &files[3].0.to_le_bytes());
    device.write_at(points, &later(files[3]).0.to_le_bytes()).unwrap();
    let found = issues(&device);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found[0].ends_with(&format!(
            "the index of object ids has 01010101-0101-0101-0101-010101010101 of the file {}, which is not a file any more",
            later(files[0])
        )),
        "{found:#?}"
    );
    assert!(
        found[1].ends_with(&format!(
            "the index of reparse points has the tag 0xa000000c of the file {}, which is not a file any more",
            later(files[3])
        )),
        "{found:#?}"
    );
    let on: Arc<dyn Device> = device.clone();
    let before = device.bytes();
    let (steps, fixed) = mended(&on).unwrap();
    assert!(steps.is_empty() && fixed.is_clean());
    assert_eq!(device.bytes(), before);
    add(&device, files[0], OBJECT_ID, &id(9));
    let (steps, fixed) = mended(&on).unwrap();
    assert_eq!(kinds(&steps), [StepKind::RebuildIndex]);
    assert!(fixed.is_clean());
    let found = issues(&device);
    assert_eq!(found.len(), 1, "{found:#?}");
}

/// Of two files with one object id only one can be found by it: the one that the index knew.
#[test]
fn of_two_files_with_one_id_the_one_in_the_index_stays_there() {
    let (device, files) = plain(3);
    add(&device, files[1], OBJECT_ID, &id(7));
    let on: Arc<dyn Device> = device.clone();
    assert_eq!(mended(&on).unwrap().0.len(), 1);
    add(&device, files[0], OBJECT_ID, &id(7)[..16]);
    let note = format!(
        "record {}: the object id 07070707-0707-0707-0707-070707070707 of the file {} is that of the file {} too",
        files[0].record(),
        files[0],
        files[1]
    );
    assert_eq!(issues(&device), [note.as_str()]);
    // a third one lets the index be made anew
    add(&device, files[2], OBJECT_ID, &id(8));
    let (steps, fixed) = mended(&on).unwrap();
    assert!(fixed.is_clean(), "{:#?}", fixed.left);
    assert!(
        steps[0].to_string().ends_with("made anew from 2 files"),
        "{steps:#?}"
    );
    assert_eq!(issues(&device), [note]);
}

#[test]
fn indexes_with_blocks_are_made_anew_when_one_is_torn() {
    let (device, _) = indexed(120);
    let sound = contents(&device);
    let volume = super::reopened(&device);
    let cluster = u64::from(volume.geometry().unwrap().cluster);
    for (file, name) in [("$ObjId", "$O"), ("$Reparse", "$R")] {
        let index = volume.file(view(&device, file).record()).unwrap();
        let kind = polylink_ntfs::layout::attribute::AttributeKind::INDEX_ALLOCATION;
        let Some(stream) = index.stream(&volume, kind, &units(name)).unwrap() else {
            assert_eq!(name, "$R");
            continue;
        };
        let start = stream.runs().unwrap().extents()[0].lcn.unwrap().0 * cluster;
        let damaged = Arc::new(MemDevice::new(device.bytes()));
        let mut byte = [0];
        damaged.read_at(start + 1022, &mut byte).unwrap();
        damaged.write_at(start + 1022, &[byte[0] ^ 1]).unwrap();
        assert_eq!(issues(&damaged).len(), 1);
        let steps = mends(damaged.bytes(), &sound);
        assert_eq!(steps.len(), 1, "{steps:#?}");
        assert!(
            steps[0].contains(&format!("the index {name} of {file}")),
            "{steps:#?}"
        );
        assert!(steps[0].ends_with(if name == "$O" { " 120 files" } else { " 60 files" }));
    }
}

/// What an index says of a file that cannot be read is not called wrong, and not lost.
#[test]
fn entries_of_files_that_cannot_be_read_are_kept() {
    let (device, files) = indexed(4);
    // a byte in the middle of a sector's end: the record is torn
    device
        .write_at(place(&device, files[3]) + 510, &[0xEE, 0xEE])
        .unwrap();
    let on: Arc<dyn Device> = device.clone();
    add(&device, files[0], REPARSE_POINT, &reparse(1));
    let (steps, _) = mended(&on).unwrap();
    assert!(
        kinds(&steps).contains(&StepKind::RebuildIndex),
        "{:#?}",
        told(&steps)
    );
    let found = issues(&device);
    assert!(
        !found.iter().any(|issue| issue.contains("index of")),
        "{found:#?}"
    );
    entry(
        &device,
        "$Reparse",
        &[&TAG[..], &files[3].0.to_le_bytes()].concat(),
    );
    assert!(files[3].record() >= RecordNumber::FIRST_USER);
}
