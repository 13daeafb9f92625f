//! Damage of no kind that anybody thought of: a repair never loses a file that it did not hit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use polylink_ntfs::layout::attribute::AttributeKind;
use polylink_ntfs::{Device, FileReference, MemDevice, RecordNumber};

use super::crash::paths;
use super::crash::random::Random;
use super::fix::mended;
use super::{blank, open, reopened, units};

/// What is known of a file.
struct Known {
    /// The records that it lies in, its base record first.
    records: Vec<RecordNumber>,
    /// The directories of its names.
    parents: Vec<FileReference>,
    /// Its streams, by their names.
    streams: BTreeMap<Vec<u16>, Vec<u8>>,
}

/// A volume with a bit of everything, deterministic.
fn sound(record: u32) -> Arc<MemDevice> {
    let device = blank(6 << 20, 1024, record);
    let writer = open(&device);
    let root = writer.root().unwrap();
    let mut at = root;
    for directory in 0..4 {
        at = writer
            .make_directory(
                if directory == 2 { root } else { at },
                &units(&format!("directory {directory}")),
            )
            .unwrap();
        let mut first = None;
        for index in 0..30_usize {
            let file = writer
                .create_file(at, &units(&format!("file {index} of {directory}")))
                .unwrap();
            let size = [0, 17, 300, 1500, 5000][index % 5];
            let bytes: Vec<u8> = (0..size)
                .map(|at| (at * 31 + index * 7 + directory) as u8)
                .collect();
            writer.write(file, &[], 0, &bytes).unwrap();
            if index % 7 == 0 {
                writer
                    .write(file, &units("stream"), 0, &[index as u8; 900])
                    .unwrap();
            }
            let first = *first.get_or_insert(file);
            // as many names as need further records
            writer
                .link(
                    first,
                    root,
                    &units(&format!("further name {index} of {directory}")),
                )
                .unwrap();
        }
    }
    writer.close().unwrap();
    device
}

fn read(device: &Arc<MemDevice>, reference: FileReference) -> Option<Known> {
    let volume = reopened(device);
    let file = volume.file(reference.record()).ok()?;
    if file.reference() != reference {
        return None;
    }
    let mut streams = BTreeMap::new();
    if !file.is_directory() {
        for (name, _) in file.data_streams().ok()? {
            let stream = file.stream(&volume, AttributeKind::DATA, &name).ok()??;
            let mut bytes = vec![0; usize::try_from(stream.size()).ok()?];
            let mut at = 0;
            while at < bytes.len() {
                let read = volume.read(&stream, at as u64, &mut bytes[at..]).ok()?;
                if read == 0 {
                    return None;
                }
                at += read;
            }
            streams.insert(name, bytes);
        }
    }
    let mut records: Vec<_> = file.records().map(|record| record.number()).collect();
    records.sort();
    Some(Known {
        records,
        parents: file.names().ok()?.iter().map(|name| name.parent).collect(),
        streams,
    })
}

fn all(device: &Arc<MemDevice>) -> BTreeMap<FileReference, Known> {
    paths(device)
        .into_keys()
        .filter(|reference| reference.record() >= RecordNumber::FIRST_SPARE)
        .filter_map(|reference| Some((reference, read(device, reference)?)))
        .collect()
}

/// Something that is not the content of a file.
#[derive(Debug)]
struct Damageable {
    start: usize,
    len: usize,
    /// The record that it is.
    record: Option<RecordNumber>,
}

/// Of these there is no copy: they are made anew where every other record can be read, so they are hit alone.
const ALONE: [RecordNumber; 4] = [
    RecordNumber::ROOT,
    RecordNumber::BITMAP,
    RecordNumber::UPCASE,
    RecordNumber::EXTEND,
];

/// Records, blocks of indexes, and bitmaps; those that matter much several times.
fn places(device: &Arc<MemDevice>, known: &BTreeMap<FileReference, Known>) -> Vec<Damageable> {
    let volume = reopened(device);
    let geometry = *volume.geometry().unwrap();
    let bytes = |clusters: u64| usize::try_from(clusters * u64::from(geometry.cluster)).unwrap();
    let mut places = Vec::new();
    let mut value = |number: RecordNumber, kind: AttributeKind, name: &str, times: usize| {
        let file = volume.file(number).unwrap();
        let stream = file.stream(&volume, kind, &units(name)).unwrap();
        let runs = stream
            .and_then(|stream| stream.runs().cloned())
            .unwrap_or_default();
        for extent in runs.extents() {
            let (start, len) = (bytes(extent.lcn.unwrap().0), bytes(extent.len));
            places.extend((0..times).map(|_| Damageable {
                start,
                len,
                record: None,
            }));
        }
    };
    for reference in known.keys() {
        value(reference.record(), AttributeKind::INDEX_ALLOCATION, "$I30", 6);
    }
    value(RecordNumber::ROOT, AttributeKind::INDEX_ALLOCATION, "$I30", 12);
    value(RecordNumber::BITMAP, AttributeKind::DATA, "", 8);
    value(RecordNumber::MFT, AttributeKind::BITMAP, "", 8);
    value(RecordNumber::MFT_MIRROR, AttributeKind::DATA, "", 4);
    let len = usize::try_from(geometry.record).unwrap();
    let numbers = (0..16)
        .map(RecordNumber)
        .filter(|number| !ALONE.contains(number))
        .chain(known.values().flat_map(|known| known.records.iter().copied()));
    for number in numbers {
        places.push(Damageable {
            start: bytes(geometry.mft.0) + usize::try_from(number.0).unwrap() * len,
            len,
            record: Some(number),
        });
    }
    places
}

/// The records that stand alone.
fn alone(device: &Arc<MemDevice>) -> Vec<Damageable> {
    let volume = reopened(device);
    let geometry = volume.geometry().unwrap();
    let len = usize::try_from(geometry.record).unwrap();
    let begin = usize::try_from(geometry.mft.0 * u64::from(geometry.cluster)).unwrap();
    let place = |number: RecordNumber| Damageable {
        start: begin + usize::try_from(number.0).unwrap() * len,
        len,
        record: Some(number),
    };
    ALONE.map(place).into_iter().collect()
}

/// Damages a volume at random places; answers which records were hit, and how, in words.
fn damage(
    bytes: &mut [u8],
    places: &[Damageable],
    random: &mut Random,
) -> (BTreeSet<RecordNumber>, Vec<String>) {
    let (mut hit, mut told) = (BTreeSet::new(), Vec::new());
    let few = if places.len() == ALONE.len() { 1 } else { 3 };
    for _ in 0..=random.below(few) {
        let place = &places[random.below(places.len())];
        hit.extend(place.record);
        // the fields of a record are in its first half mostly
        let within = if place.record.is_some() && random.below(3) > 0 {
            place.len / 2
        } else {
            place.len
        };
        let at = random.below(within);
        let how = random.below(6);
        let bytes = &mut bytes[place.start..][..place.len];
        match how {
            // a bit, a byte, a field of anything, of zeros or of ones, a sector that was never written
            0 => bytes[at] ^= 1 << random.below(8),
            1 | 2 => bytes[at] = random.below(256) as u8,
            3 => bytes[at..]
                .iter_mut()
                .take(8)
                .for_each(|byte| *byte = random.below(256) as u8),
            4 => {
                let value = if random.below(2) == 0 { 0 } else { 0xFF };
                bytes[at..].iter_mut().take(4).for_each(|byte| *byte = value);
            }
            _ => bytes[at / 512 * 512..][..512].fill(0),
        }
        told.push(format!("{place:?}: byte {at}, way {how}"));
    }
    (hit, told)
}

/// Damages and mends a volume; answers what is wrong then.
fn wrong(
    sound: &[u8],
    known: &BTreeMap<FileReference, Known>,
    places: &[Damageable],
    seed: u64,
) -> Vec<String> {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut bytes = sound.to_vec();
    let (hit, mut told) = damage(&mut bytes, places, &mut random);
    let device = Arc::new(MemDevice::new(bytes));
    let on: Arc<dyn Device> = device.clone();
    let mut bad = Vec::new();
    let (steps, left) = match mended(&on) {
        Ok((steps, fixed)) => (steps, fixed.left),
        Err(error) => return vec![format!("seed {seed}: {told:?}: refused: {error}")],
    };
    let after = paths(&device);
    for (reference, known) in known {
        if known.records.iter().any(|record| hit.contains(record)) {
            continue;
        }
        let Some(now) = read(&device, *reference) else {
            bad.push(format!("{reference} is gone"));
            continue;
        };
        if now.streams != known.streams {
            bad.push(format!("{reference} has other content"));
        }
        // a name in a directory that is gone may be gone with it
        let lasting = known
            .parents
            .iter()
            .filter(|parent| !hit.contains(&parent.record()));
        if now.parents.len() < lasting.count() {
            bad.push(format!("{reference} lost a name"));
        }
        if after.get(reference).is_none_or(Vec::is_empty) {
            bad.push(format!("no directory leads to {reference}"));
        }
    }
    match mended(&on) {
        Ok((more, _)) if more.is_empty() => {}
        Ok((more, _)) => bad.push(format!("a second repair has something to do: {more:#?}")),
        Err(error) => bad.push(format!("a second repair: {error}")),
    }
    if !bad.is_empty() {
        told.extend(steps.iter().map(ToString::to_string));
        told.extend(left.iter().map(|issue| format!("left: {issue}")));
        bad.push(format!("seed {seed}: {told:#?}"));
    }
    bad
}

/// Cases that once came to a bad end.
const ONCE: [u64; 6] = [10_758, 12_002, 12_656, 20_620, 40_456, 41_222];
/// The same, of records that stand alone.
const ONCE_ALONE: [u64; 4] = [21_700, 60_600, 61_192, 72_252];

/// What is hit may be lost; every other file is there afterwards with all its content, and a directory leads to it.
///
/// `POLYLINK_DAMAGE=FIRST:COUNT` looks for new cases.
#[test]
fn a_repair_after_any_damage_keeps_all_that_was_not_hit() {
    let chosen = std::env::var("POLYLINK_DAMAGE").unwrap_or_else(|_| "1:250".to_owned());
    let (first, count) = chosen.split_once(':').unwrap();
    let first: u64 = first.parse().unwrap();
    let end = first + count.parse::<u64>().unwrap();
    let mut failures = Vec::new();
    for record in [1024, 4096] {
        let device = sound(record);
        let known = all(&device);
        assert!(known.len() > 120);
        let (places, alone) = (places(&device, &known), alone(&device));
        let bytes = device.bytes();
        let cases = (first..end).chain(ONCE).map(|seed| (&places, seed));
        let seeds = (first..end).step_by(4).chain(ONCE_ALONE);
        for (places, seed) in cases.chain(seeds.map(|seed| (&alone, seed))) {
            let wrong = wrong(&bytes, &known, places, seed);
            if !wrong.is_empty() {
                failures.push(format!("records of {record} bytes: {wrong:#?}"));
            }
        }
    }
    assert!(failures.is_empty(), "{} fail: {failures:#?}", failures.len());
}
