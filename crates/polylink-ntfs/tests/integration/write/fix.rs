//! Repair: what a power cut leaves, and what other drivers do, is mended, and nothing that lasts is lost.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use polylink_core::Silent;
use polylink_ntfs::check::Severity;
use polylink_ntfs::fix::{Fixed, Step, StepKind, fix};
use polylink_ntfs::layout::attribute::AttributeKind;
use polylink_ntfs::{Device, FileReference, MemDevice, RecordNumber};
use polylink_testutil::ntfs::image::{Content, ROOT, sample};

use super::crash::{Event, LEAKS, Recorder, paths};
use super::{blank, find, open, options, reopened, units};
use crate::check::audit;

type Paths = BTreeMap<FileReference, Vec<Vec<u8>>>;

/// Mends a device, and answers what was done.
pub(crate) fn mended(device: &Arc<dyn Device>) -> polylink_ntfs::Result<(Vec<Step>, Fixed)> {
    let mut steps = Vec::new();
    let write_options = polylink_ntfs::WriteOptions {
        coalesce: false,
        ..options()
    };
    let fixed = fix(device, &write_options, &Silent, &mut |step| steps.push(step))?;
    Ok((steps, fixed))
}

pub(super) fn told(steps: &[Step]) -> Vec<String> {
    steps.iter().map(ToString::to_string).collect()
}

/// Whatever lasts has a name, and those that nobody touched are there.
fn has_all(what: &str, device: &Arc<MemDevice>, lasting: &Paths, steps: &[Step]) {
    let now = paths(device);
    for (file, names) in lasting {
        let found = now.get(file).filter(|found| !found.is_empty());
        let found = found.unwrap_or_else(|| panic!("{what}: {file} has no name: {:#?}", told(steps)));
        for name in names {
            let text = String::from_utf8_lossy(name);
            assert!(
                found.contains(name),
                "{what}: {file} lost {text}: {:#?}",
                told(steps)
            );
        }
    }
}

fn is_clean(what: &str, device: &Arc<MemDevice>, steps: &[Step]) {
    let (issues, _) = audit(&reopened(device));
    assert_eq!(issues, [], "{what}: {:#?}", told(steps));
}

/// Asserts that a repair makes a volume clean and loses nothing; with `cut`, also where it is cut off itself.
pub(super) fn is_mended(what: &str, bytes: &[u8], lasting: &Paths, cut: bool) {
    let device = Arc::new(MemDevice::new(bytes.to_vec()));
    let before: Paths = paths(&device)
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(file, _)| (file, Vec::new()))
        .collect();
    let recorder = Arc::new(Recorder {
        device: device.clone(),
        events: Mutex::new(Vec::new()),
    });
    let on: Arc<dyn Device> = recorder.clone();
    let (steps, fixed) = mended(&on).unwrap();
    let issues: Vec<_> = fixed.left.iter().map(ToString::to_string).collect();
    assert!(fixed.is_clean(), "{what}: {issues:#?} after {:#?}", told(&steps));
    has_all(what, &device, lasting, &steps);
    has_all(what, &device, &before, &steps);
    if cut {
        // there is nothing left to do, and nothing is done
        let done = device.bytes();
        let again: Arc<dyn Device> = device.clone();
        assert_eq!(mended(&again).unwrap().0, []);
        assert_eq!(device.bytes(), done);
        let events = recorder.events.lock().unwrap();
        every_cut_is_mended(what, bytes, &events, lasting);
    }
}

/// A repair that is cut off at a write, or in whose stretch between two flushes that write is missing, is mended by
/// another one.
fn every_cut_is_mended(what: &str, bytes: &[u8], events: &[Event], lasting: &Paths) {
    let writes = |events: &[Event]| {
        events
            .iter()
            .filter(|event| matches!(event, Event::Write(..)))
            .count()
    };
    let mut start = 0;
    for (end, event) in events.iter().enumerate() {
        let Event::Write(..) = event else {
            start = end + 1;
            continue;
        };
        // every fifth: there are many states that a repair begins from
        if !end.is_multiple_of(5) {
            continue;
        }
        let stretch = events[start..]
            .iter()
            .take_while(|event| matches!(event, Event::Write(..)))
            .count();
        // all before this one; and all of its stretch but this one
        for upto in [end, start + stretch] {
            let device = MemDevice::new(bytes.to_vec());
            for (index, event) in events.iter().enumerate().take(upto) {
                if let Event::Write(offset, data) = event
                    && index != end
                {
                    device.write_at(*offset, data).unwrap();
                }
            }
            let device = Arc::new(device);
            let (issues, _) = audit(&reopened(&device));
            for issue in &issues {
                let leak = LEAKS.contains(&issue.kind_name()) || issue.severity() == Severity::Note;
                assert!(leak, "{what}, repair cut at {end} of {}: {issue}", writes(events));
            }
            let on: Arc<dyn Device> = device.clone();
            let (steps, _) = mended(&on).unwrap();
            is_clean(what, &device, &steps);
            has_all(what, &device, lasting, &steps);
        }
    }
}

pub(super) fn kinds(steps: &[Step]) -> Vec<StepKind> {
    steps.iter().map(|step| step.kind).collect()
}

/// Where a record lies on a new volume, whose table is in one piece.
pub(super) fn place(device: &Arc<MemDevice>, file: FileReference) -> u64 {
    let volume = reopened(device);
    let geometry = volume.geometry().unwrap();
    geometry.mft.0 * u64::from(geometry.cluster) + file.record().0 * u64::from(geometry.record)
}

/// Changes the link count of a record on the device.
fn set_count(device: &Arc<MemDevice>, file: FileReference, count: u16) {
    let at = place(device, file);
    device.write_at(at + 0x12, &count.to_le_bytes()).unwrap();
}

#[test]
fn a_count_below_the_names_is_raised_and_one_above_lowered() {
    for count in [0, 1, 2, 9] {
        let device = blank(6 << 20, 4096, 1024);
        let writer = open(&device);
        let root = writer.root().unwrap();
        let file = writer.create_file(root, &units("first")).unwrap();
        for name in ["second", "third"] {
            writer.link(file, root, &units(name)).unwrap();
        }
        writer.close().unwrap();
        set_count(&device, file, count);
        let on: Arc<dyn Device> = device.clone();
        let (steps, fixed) = mended(&on).unwrap();
        assert!(fixed.is_clean());
        let kind = if count < 3 {
            StepKind::RaiseCount
        } else {
            StepKind::LowerCount
        };
        assert_eq!(kinds(&steps), [kind]);
        assert_eq!(
            steps[0].to_string(),
            format!("record {}: the link count: {count} -> 3", file.record())
        );
        assert_eq!(super::raw_links(&device, file.record()), 3);
        is_clean("count", &device, &steps);
    }
}

/// What a driver leaves that changes the directory first, and whose record never came to the device: two names lead to a
/// file that has one of them and counts one.
#[test]
fn a_name_that_only_the_directory_has_is_given_to_the_file() {
    let mut image = sample().build();
    image.remove_attribute(29, AttributeKind::FILE_NAME, 2);
    image.remove_attribute(29, AttributeKind::FILE_NAME, 1);
    image.record(29, |record| record[0x12] = 1);
    let device = Arc::new(MemDevice::new(image.bytes.clone()));
    let on: Arc<dyn Device> = device.clone();
    let (steps, fixed) = mended(&on).unwrap();
    assert!(fixed.is_clean(), "{:#?}", fixed.left);
    assert_eq!(kinds(&steps), [StepKind::AddName, StepKind::AddName]);
    assert_eq!(super::raw_links(&device, RecordNumber(29)), 3);
    let names = reopened(&device).file(RecordNumber(29)).unwrap().names().unwrap();
    assert_eq!(names.len(), 3);
}

/// Of the first four records there are copies: what cannot be right in one is right in the other.
#[test]
fn a_first_record_that_says_what_cannot_be_is_made_as_its_copy() {
    let device = blank(6 << 20, 4096, 1024);
    let sound = contents(&device);
    let find = |record: u64, kind: u8| {
        let at = place(&device, FileReference::new(RecordNumber(record), 0));
        let mut bytes = vec![0; 1024];
        device.read_at(at, &mut bytes).unwrap();
        let mut offset = usize::from(bytes[0x14]);
        while bytes[offset] != kind {
            offset += usize::from(bytes[offset + 4]);
        }
        at + offset as u64
    };
    for (record, kind, field, value, reason) in [
        (3, 0x70, 24 + 8, 0xFF, "with a version that cannot be"),
        (3, 0x70, 16, 3, "with a version that cannot be"),
        (0, 0x80, 0xC, 1, "with a value that is said to be compressed"),
        (0, 0xB0, 0xC, 1, "with a value that is said to be compressed"),
        (1, 0x80, 0xD, 0x40, "with a value that is said to be compressed"),
    ] {
        let damaged = MemDevice::new(device.bytes());
        damaged.write_at(find(record, kind) + field, &[value]).unwrap();
        assert_eq!(
            mends(damaged.bytes(), &sound),
            [format!(
                "record {record}: the record: {reason} -> as its copy in $MFTMirr"
            )]
        );
    }
}

/// The file of a directory that is gone: its only name leads nowhere.
#[test]
fn a_file_without_a_directory_is_found_again() {
    let device = blank(6 << 20, 4096, 1024);
    let writer = open(&device);
    let root = writer.root().unwrap();
    let directory = writer.make_directory(root, &units("directory")).unwrap();
    let file = writer.create_file(directory, &units("lost.txt")).unwrap();
    writer.write(file, &[], 0, b"content").unwrap();
    writer.close().unwrap();
    // the record of the directory is free, and the root leads to it no longer
    let at = place(&device, directory);
    let mut flags = [0; 2];
    device.read_at(at + 0x16, &mut flags).unwrap();
    flags[0] &= !1;
    device.write_at(at + 0x16, &flags).unwrap();
    let on: Arc<dyn Device> = device.clone();
    let (steps, fixed) = mended(&on).unwrap();
    assert!(fixed.is_clean(), "{:#?} after {:#?}", fixed.left, told(&steps));
    let made = kinds(&steps);
    for kind in [
        StepKind::Rescue,
        StepKind::RemoveName,
        StepKind::RemoveEntry,
        StepKind::FreeRecord,
    ] {
        assert!(made.contains(&kind), "{kind:?}: {:#?}", told(&steps));
    }
    let writer = Arc::new(open(&device));
    assert_eq!(find(&writer, "found.000/lost.txt"), Some(file));
    assert_eq!(find(&writer, "directory"), None);
}

/// A torn block of a directory hides names; the files know them.
#[test]
fn a_torn_index_is_made_anew_with_all_its_names() {
    let device = blank(6 << 20, 4096, 1024);
    let writer = open(&device);
    let root = writer.root().unwrap();
    let directory = writer.make_directory(root, &units("directory")).unwrap();
    let file = writer.create_file(directory, &units("first")).unwrap();
    for index in 0..300 {
        writer
            .link(file, directory, &units(&format!("name {index}")))
            .unwrap();
    }
    writer.close().unwrap();
    let bytes = device.bytes();
    let torn = bytes
        .chunks_exact(4096)
        .rposition(|block| block.starts_with(b"INDX"))
        .unwrap();
    device.write_at(torn as u64 * 4096 + 1022, &[0xAA]).unwrap();
    assert_ne!(super::issues(&device), Vec::<String>::new());
    let on: Arc<dyn Device> = device.clone();
    let (steps, fixed) = mended(&on).unwrap();
    assert!(fixed.is_clean(), "{:#?}", fixed.left);
    assert_eq!(kinds(&steps), [StepKind::RebuildIndex]);
    assert!(
        steps[0].to_string().ends_with("made anew from 301 names"),
        "{}",
        steps[0]
    );
    let writer = open(&device);
    for index in 0..300 {
        assert_eq!(find(&writer, &format!("directory/name {index}")), Some(file));
    }
}

/// What cannot be mended is left as it is, and listed.
#[test]
fn a_torn_record_stays_and_nothing_is_given_back_because_of_it() {
    let mut image = sample().build();
    let at = image.record_at(34) + 1022;
    image.bytes[at] ^= 4;
    let (bitmap, free) = (image.record_bitmap, image.free_record());
    image.flip(bitmap, free);
    let device = Arc::new(MemDevice::new(image.bytes.clone()));
    let on: Arc<dyn Device> = device.clone();
    let (steps, fixed) = mended(&on).unwrap();
    assert_eq!(steps, []);
    let left: Vec<_> = fixed.left.iter().map(|issue| issue.kind_name()).collect();
    assert_eq!(left, ["torn-sector", "record-marked-used"]);
    assert_eq!(device.bytes(), image.bytes);
}

/// Everything that the files of a volume hold but its own, by their paths.
pub(super) fn contents(device: &Arc<MemDevice>) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let volume = reopened(device);
    let mut found = BTreeMap::new();
    for (reference, names) in paths(device) {
        let file = volume.file(reference.record()).unwrap();
        if file.is_directory() || names.is_empty() || reference.record() < RecordNumber::FIRST_SPARE {
            continue;
        }
        let Some(stream) = file.stream(&volume, AttributeKind::DATA, &[]).unwrap() else {
            continue;
        };
        let mut bytes = vec![0; usize::try_from(stream.size()).unwrap()];
        let mut at = 0;
        while at < bytes.len() {
            let read = volume.read(&stream, at as u64, &mut bytes[at..]).unwrap();
            assert!(read > 0);
            at += read;
        }
        for name in names {
            found.insert(name, bytes.clone());
        }
    }
    found
}

/// Mends a damaged volume, of which every path and every byte must be there afterwards as in the sound one, also where the
/// repair is cut off anywhere and begun again; answers the steps in words.
pub(super) fn mends(damaged: Vec<u8>, sound: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<String> {
    let device = Arc::new(MemDevice::new(damaged.clone()));
    let recorder = Arc::new(Recorder {
        device: device.clone(),
        events: Mutex::new(Vec::new()),
    });
    let recorded: Arc<dyn Device> = recorder.clone();
    let (steps, fixed) = mended(&recorded).unwrap();
    let cut = MemDevice::new(damaged);
    for event in recorder.events.lock().unwrap().iter() {
        if let Event::Write(offset, data) = event {
            cut.write_at(*offset, data).unwrap();
            let again = Arc::new(MemDevice::new(cut.bytes()));
            let on: Arc<dyn Device> = again.clone();
            let (more, _) = mended(&on).unwrap();
            is_clean("mended again", &again, &more);
            assert_eq!(&contents(&again), sound);
        }
    }
    assert!(fixed.is_clean(), "{:#?} after {:#?}", fixed.left, told(&steps));
    is_clean("mended", &device, &steps);
    assert_eq!(&contents(&device), sound);
    let done = device.bytes();
    let on: Arc<dyn Device> = device.clone();
    assert_eq!(mended(&on).unwrap().0, []);
    assert_eq!(device.bytes(), done);
    told(&steps)
}

#[test]
fn clusters_that_two_files_have_are_copied_for_one_of_them() {
    let mut builder = sample();
    builder.file(
        ROOT,
        "first.bin",
        Content::Clusters((0..5000).map(|at| at as u8).collect()),
    );
    let sound = builder.build();
    let (_, first) = sound.value_at(155, AttributeKind::DATA, "");
    let mut builder = sample();
    builder.file(
        ROOT,
        "first.bin",
        Content::Clusters((0..5000).map(|at| at as u8).collect()),
    );
    builder.file(ROOT, "second.bin", Content::At(first + 1, 2));
    let image = builder.build();
    let before = contents(&Arc::new(MemDevice::new(image.bytes.clone())));
    let steps = mends(image.bytes.clone(), &before);
    let cluster = first + 1;
    assert_eq!(
        steps,
        [format!(
            "record 156: 2 clusters of $DATA from 0 on: cluster {cluster}, which record 155 has too -> a copy in clusters of its own"
        )]
    );
}

#[test]
fn a_list_is_made_anew_from_the_records_that_belong_to_the_file() {
    let image = sample().build();
    let sound = contents(&Arc::new(MemDevice::new(image.bytes.clone())));
    let (at, _) = image.value_at(31, AttributeKind::ATTRIBUTE_LIST, "");
    for damage in 0..4 {
        let mut damaged = image.clone();
        match damage {
            // the whole list is gone, or an entry of it
            0 => damaged.bytes[at..at + 480].fill(0xEE),
            1 => damaged.bytes[at + 4] = 0,
            // an entry names an attribute that is not there
            2 => damaged.bytes[at + 14 * 32 + 24] = 99,
            _ => damaged.remove_attribute(31, AttributeKind::ATTRIBUTE_LIST, 0),
        }
        let steps = mends(damaged.bytes, &sound);
        let first = steps.first().map(String::as_str).unwrap_or_default();
        assert!(first.contains("the attribute list"), "{damage}: {steps:#?}");
    }
}

#[test]
fn boot_sectors_and_first_records_are_made_as_their_sound_copies() {
    let image = sample().build();
    let sound = contents(&Arc::new(MemDevice::new(image.bytes.clone())));
    let end = image.bytes.len() - 512;
    let mut damaged = image.clone();
    damaged.bytes[13] = 3;
    let steps = mends(damaged.bytes, &sound);
    assert_eq!(steps.len(), 1, "{steps:#?}");
    assert!(steps[0].starts_with("the first boot sector: "), "{steps:#?}");
    // the first one can be used, but does not say where the volume ends, and the copy does
    let mut damaged = image.clone();
    damaged.bytes[0x28..0x30].copy_from_slice(&4080_u64.to_le_bytes());
    assert_eq!(mends(damaged.bytes, &sound).len(), 1);
    let mut damaged = image.clone();
    damaged.bytes[end + 0x40] ^= 1;
    let steps = mends(damaged.bytes, &sound);
    assert_eq!(
        steps,
        ["the copy of the boot sector: 0xf7 at byte 64 -> 0xf6 at byte 64"]
    );
    // of each of the first records
    for number in 0..4 {
        let mut damaged = image.clone();
        let at = damaged.record_at(number);
        damaged.bytes[at + 510] ^= 1;
        let steps = mends(damaged.bytes, &sound);
        assert_eq!(steps.len(), 1, "{steps:#?}");
        assert!(steps[0].contains("as its copy in $MFTMirr"), "{steps:#?}");
    }
}

#[test]
fn a_damaged_record_that_nothing_refers_to_is_freed_and_every_other_stays() {
    let mut image = sample().build();
    let free = image.free_record();
    let sound = contents(&Arc::new(MemDevice::new(image.bytes.clone())));
    let bitmap = image.record_bitmap;
    image.flip(bitmap, free);
    let at = image.record_at(free);
    image.bytes[at + 0x16] = 1;
    image.bytes[at + 1022] ^= 4;
    let steps = mends(image.bytes.clone(), &sound);
    assert_eq!(
        steps,
        [format!(
            "record {free}: the record: damaged, and nothing refers to it -> free"
        )]
    );
}

#[test]
fn long_and_short_names_without_each_other_are_names_by_themselves() {
    let mut builder = sample();
    builder.name(24, ROOT, "a lonely one", 1);
    builder.name(25, 28, "LONELY~1", 2);
    builder.name(30, ROOT, "ALONGN~2.TXT", 2);
    let device = Arc::new(MemDevice::new(builder.build().bytes));
    let on: Arc<dyn Device> = device.clone();
    let (steps, fixed) = mended(&on).unwrap();
    assert!(fixed.is_clean(), "{:#?} after {:#?}", fixed.left, told(&steps));
    assert!(kinds(&steps).iter().all(|kind| *kind == StepKind::CorrectName));
    assert_eq!(steps.len(), 3, "{:#?}", told(&steps));
    let writer = open(&device);
    for (path, record) in [
        ("a lonely one", 24),
        ("links/LONELY~1", 25),
        ("ALONGN~2.TXT", 30),
        ("ALONGN~1.TXT", 30),
        ("A long name.txt", 30),
    ] {
        let found = find(&writer, path).map(FileReference::record);
        assert_eq!(found, Some(RecordNumber(record)), "{path}");
    }
}

#[test]
fn bitmaps_that_are_too_short_are_made_longer_and_what_they_hid_is_kept() {
    let image = sample().build();
    let sound = contents(&Arc::new(MemDevice::new(image.bytes.clone())));
    for (record, kind, size) in [(6, AttributeKind::DATA, 16_u64), (0, AttributeKind::BITMAP, 8)] {
        let mut damaged = image.clone();
        let at = damaged.attribute(record, kind, 0);
        damaged.record(record, |bytes| {
            for field in [0x30, 0x38] {
                bytes[at + field..at + field + 8].copy_from_slice(&size.to_le_bytes());
            }
        });
        let steps = mends(damaged.bytes, &sound);
        assert!(
            steps[0].starts_with(&format!("record {record}: the bitmap: {size} bytes")),
            "{steps:#?}"
        );
    }
}

#[test]
fn the_mark_of_a_dirty_volume_goes_when_it_is_clean() {
    let device = blank(6 << 20, 4096, 1024);
    let writer = open(&device);
    let root = writer.root().unwrap();
    writer.create_file(root, &units("file")).unwrap();
    writer.sync().unwrap();
    drop(writer);
    let on: Arc<dyn Device> = device.clone();
    assert!(polylink_ntfs::Writer::open(on.clone(), &options()).is_err());
    let (steps, _) = mended(&on).unwrap();
    assert_eq!(kinds(&steps), [StepKind::ClearDirty]);
    let writer = open(&device);
    assert!(find(&writer, "file").is_some());
}

/// One field of a record's header, its place in the record and what it is set to.
const HEADERS: &[(&str, usize, &[u8])] = &[
    ("the signature", 0, &[0xFF, 0, 0, 0]),
    ("the update sequence", 4, &[0x2F]),
    ("the update sequence", 6, &[2]),
    ("the place of the first attribute", 0x14, &[0x30]),
    ("the bytes in use", 0x18, &[0x60, 1]),
    ("the size", 0x1C, &[0xFF, 3]),
];

#[test]
fn headers_are_made_as_all_the_rest_of_their_records_says() {
    let image = sample().build();
    let sound = contents(&Arc::new(MemDevice::new(image.bytes.clone())));
    // a file in several records, one of those, a directory
    for number in [24, 31, 27] {
        for (what, field, bytes) in HEADERS {
            let mut damaged = image.clone();
            let at = damaged.record_at(number) + field;
            damaged.bytes[at..at + bytes.len()].copy_from_slice(bytes);
            let steps = mends(damaged.bytes, &sound);
            let wanted = format!("record {number}: {what}: wrong -> as the record has it");
            assert_eq!(steps, [wanted]);
        }
    }
    // a record that says it belongs to another
    let mut damaged = image.clone();
    let at = damaged.record_at(24) + 0x20;
    damaged.bytes[at] = 1;
    let steps = mends(damaged.bytes, &sound);
    assert_eq!(
        steps,
        ["record 24: the record: a part of 1-0 -> a file of its own"]
    );
}

/// Where the update sequence does not tell that all of a record was written at once, its header is believed no more.
#[test]
fn headers_of_torn_records_stay_as_they_are() {
    let mut image = sample().build();
    let at = image.record_at(24);
    image.bytes[at..at + 4].fill(0xFF);
    image.bytes[at + 1022] ^= 4;
    let device = Arc::new(MemDevice::new(image.bytes.clone()));
    let on: Arc<dyn Device> = device.clone();
    let (steps, _) = mended(&on).unwrap();
    assert!(
        steps.iter().all(|step| step.kind != StepKind::CorrectRecord),
        "{:#?}",
        told(&steps)
    );
    let after = device.bytes();
    assert!(after[at..at + 1024] == image.bytes[at..at + 1024]);
}
