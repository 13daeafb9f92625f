//! Volumes that are made from nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};

use polylink_ntfs::layout::attribute::AttributeKind;
use polylink_ntfs::{
    Case, Device, Error, FormatError, FormatOptions, FormatPlan, Index, LogState, MemDevice, OpenOptions,
    Record, RecordNumber, Version, Volume, VolumeFlags, format,
};
use proptest::prelude::*;

use crate::check::audit;

const MIB: u64 = 1 << 20;
const BLOCK: u64 = 4096;
/// The second of January 2026.
const TIME: u64 = 134_118_720_000_000_000;

/// A device that keeps blocks as they are written, and reads as zeros elsewhere.
#[derive(Debug)]
struct Sparse {
    size: u64,
    blocks: Mutex<BTreeMap<u64, Vec<u8>>>,
}

impl Sparse {
    fn new(size: u64) -> Arc<Self> {
        let blocks = Mutex::new(BTreeMap::new());
        Arc::new(Self { size, blocks })
    }

    /// Bytes that it keeps.
    fn kept(&self) -> u64 {
        self.blocks.lock().unwrap().len() as u64 * BLOCK
    }

    fn within(&self, offset: u64, len: usize) -> bool {
        offset.checked_add(len as u64).is_some_and(|end| end <= self.size)
    }
}

/// Calls `each` with the block, the place in it, and the part of the buffer, for all of `len` bytes.
fn pieces(offset: u64, len: usize, mut each: impl FnMut(u64, usize, std::ops::Range<usize>)) {
    let mut done = 0;
    while done < len {
        let at = offset + done as u64;
        let start = (at % BLOCK) as usize;
        let count = (BLOCK as usize - start).min(len - done);
        each(at / BLOCK, start, done..done + count);
        done += count;
    }
}

impl Device for Sparse {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        if !self.within(offset, buffer.len()) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let blocks = self.blocks.lock().unwrap();
        pieces(offset, buffer.len(), |block, start, part| {
            let part = &mut buffer[part];
            match blocks.get(&block) {
                Some(bytes) => part.copy_from_slice(&bytes[start..start + part.len()]),
                None => part.fill(0),
            }
        });
        Ok(())
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if !self.within(offset, data.len()) {
            return Err(io::ErrorKind::WriteZero.into());
        }
        let mut blocks = self.blocks.lock().unwrap();
        pieces(offset, data.len(), |block, start, part| {
            let bytes = blocks.entry(block).or_insert_with(|| vec![0; BLOCK as usize]);
            bytes[start..start + part.len()].copy_from_slice(&data[part]);
        });
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn options(sector: u32, cluster: Option<u32>, record: Option<u32>) -> FormatOptions {
    FormatOptions {
        sector,
        cluster,
        record,
        label: units("Größe 1"),
        serial: Some(0x1234_5678_9ABC_DEF0),
        time: TIME,
        zeroed: true,
    }
}

/// Opens a volume as a reader would, and looks at everything that a new one has.
fn judge(device: Arc<dyn Device>, plan: &FormatPlan, label: &str) {
    let volume = Volume::open(Box::new(device), &OpenOptions::default()).unwrap();
    let geometry = *plan.geometry();
    assert_eq!(volume.notes(), []);
    assert_eq!(volume.geometry(), Some(&geometry));
    let version = Version { major: 3, minor: 1 };
    assert_eq!(volume.information().unwrap(), (version, VolumeFlags::empty()));
    assert_eq!(volume.label().unwrap(), units(label));
    assert_eq!(volume.log_state().unwrap(), LogState::Empty);
    assert_eq!(volume.clusters_in_use().unwrap(), plan.clusters_used());
    assert_eq!(volume.records(), plan.records());
    assert_eq!(volume.records_in_use().unwrap(), 19);
    assert!(volume.read_upcase().is_ok());

    let (issues, summary) = audit(&volume);
    assert_eq!(issues, [], "{geometry:?}");
    assert!(summary.is_clean());
    // 19 records, four of them without a name
    assert_eq!((summary.records, summary.names, summary.entries), (19, 15, 15));
    assert_eq!(summary.directories, 2);
    // but for the first sectors, all clusters in use belong to a value
    assert_eq!(summary.clusters, plan.clusters_used());

    let root = volume.file(RecordNumber::ROOT).unwrap();
    let index = Index::open(&volume, &root).unwrap();
    let names: Vec<String> = index
        .entries()
        .unwrap()
        .iter()
        .map(|entry| String::from_utf16(&entry.name.name).unwrap())
        .collect();
    let wanted = [
        "$AttrDef", "$BadClus", "$Bitmap", "$Boot", "$Extend", "$LogFile", "$MFT", "$MFTMirr", "$Secure",
        "$UpCase", "$Volume", ".",
    ];
    assert_eq!(names, wanted);
    let found = index.find(&units("$mftmirr"), Case::Ignored).unwrap();
    assert_eq!(found.unwrap().file.record(), RecordNumber::MFT_MIRROR);
}

fn made(size: u64, options: &FormatOptions) -> (Arc<Sparse>, FormatPlan) {
    let device = Sparse::new(size);
    let plan = FormatPlan::new(size, options).unwrap();
    assert_eq!(format(&device, options).unwrap(), *plan.geometry());
    (device, plan)
}

#[test]
fn every_geometry_is_a_sound_volume() {
    for sector in [512, 4096] {
        for shift in 9..=21 {
            for record in [1024, 4096] {
                let cluster = 1 << shift;
                let options = options(sector, Some(cluster), Some(record));
                let plan = FormatPlan::new(64 * MIB, &options);
                if cluster < sector || record < sector {
                    assert!(plan.is_err());
                    continue;
                }
                let (device, plan) = made(64 * MIB, &options);
                assert_eq!(
                    (plan.geometry().cluster, plan.geometry().record),
                    (cluster, record)
                );
                judge(device, &plan, "Größe 1");
            }
        }
    }
}

#[test]
fn the_least_size_is_a_sound_volume_in_every_geometry() {
    for shift in 9..=21 {
        for (sector, record) in [(512, 1024), (512, 4096), (4096, 4096)] {
            if sector > 1 << shift {
                continue;
            }
            let options = options(sector, Some(1 << shift), Some(record));
            let Err(FormatError::TooSmall { least, .. }) = FormatPlan::new(1000, &options) else {
                panic!("1000 bytes");
            };
            let device = MemDevice::new(vec![0; least as usize - 1]);
            let refused = format(&device, &options).unwrap_err();
            assert!(
                matches!(refused, Error::Format(FormatError::TooSmall { .. })),
                "{refused}"
            );
            assert!(device.bytes().iter().all(|&byte| byte == 0));
            let (device, plan) = made(least, &options);
            judge(device, &plan, "Größe 1");
        }
    }
}

#[test]
fn large_volumes_are_sound_and_sparse() {
    let tib = 1 << 40;
    for (size, cluster) in [
        (tib, 4096),
        (16 * tib, 4096),
        (16 * tib + MIB, 8192),
        (64 * tib, 16_384),
    ] {
        let (device, plan) = made(size, &options(512, None, None));
        assert_eq!(plan.geometry().cluster, cluster);
        // the journal and what has no end of zeros
        let kept = device.kept();
        assert!(kept < plan.log_size() + MIB, "{kept}");
        assert_eq!(plan.log_size(), 16 * MIB);
        if size == tib {
            judge(device, &plan, "Größe 1");
        }
    }
}

#[test]
fn what_was_on_the_device_does_not_show() {
    for (size, cluster) in [(6 * MIB + 700, 4096), (8 * MIB, 512), (40 * MIB, 2 << 20)] {
        let options = FormatOptions {
            zeroed: false,
            ..options(512, Some(cluster), None)
        };
        let plan = FormatPlan::new(size, &options).unwrap();
        let device = Arc::new(MemDevice::new(vec![0xA5; size as usize]));
        format(&device, &options).unwrap();
        let bytes = device.bytes();
        judge(device, &plan, "Größe 1");
        // what is in use is the same as on a device of zeros, but for bytes behind the end of values
        let zeroed = FormatOptions {
            zeroed: true,
            ..options.clone()
        };
        let clean = MemDevice::new(vec![0; size as usize]);
        format(&clean, &zeroed).unwrap();
        let used = (plan.clusters_used() * u64::from(cluster)) as usize;
        for (at, (dirty, clean)) in bytes[..used].iter().zip(clean.bytes()).enumerate() {
            assert!(*dirty == clean || clean == 0 && *dirty == 0xA5, "{at:#x}");
        }
        // and the free clusters, but for the edges, were not written
        assert!(
            bytes[used.max(MIB as usize)..(size - MIB) as usize]
                .iter()
                .all(|&byte| byte == 0xA5)
        );
        // behind the copy of the boot sector there may be less than a sector
        let end = (plan.geometry().size + 512) as usize;
        assert!(bytes[end..].iter().all(|&byte| byte == 0));
    }
}

/// A device whose power fails after some writes.
#[derive(Debug)]
struct Failing {
    device: MemDevice,
    left: Mutex<u32>,
}

impl Device for Failing {
    fn size(&self) -> u64 {
        self.device.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.device.read_at(offset, buffer)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut left = self.left.lock().unwrap();
        *left = left.checked_sub(1).ok_or(io::ErrorKind::Other)?;
        self.device.write_at(offset, data)
    }

    fn flush(&self) -> io::Result<()> {
        self.device.flush()
    }
}

#[test]
fn a_format_that_fails_leaves_no_volume_or_a_whole_one() {
    let size = 4 * MIB;
    let old = options(512, None, None);
    let new = FormatOptions {
        zeroed: false,
        label: units("new"),
        ..options(512, Some(512), None)
    };
    let plan = FormatPlan::new(size, &new).unwrap();
    let mut states = BTreeSet::new();
    for writes in 0..1000 {
        let device = MemDevice::new(vec![0; size as usize]);
        format(&device, &old).unwrap();
        let device = Arc::new(Failing {
            device,
            left: Mutex::new(writes),
        });
        let outcome = format(&device, &new);
        let opened = Volume::open(Box::new(device.clone()), &OpenOptions::default());
        let Ok(volume) = opened else {
            assert!(outcome.is_err());
            states.insert("no volume");
            continue;
        };
        if volume.label().unwrap() == units("Größe 1") {
            // the old one, before the first write
            assert_eq!((writes, outcome.is_err()), (0, true));
            states.insert("the old one");
            continue;
        }
        // the new one: only its first boot sector may be missing, and the copy stands in
        let (_, summary) = audit(&volume);
        assert_eq!(
            summary.damage,
            u64::from(outcome.is_err()),
            "after {writes} writes"
        );
        states.insert("the new one");
        if outcome.is_ok() {
            judge(device, &plan, "new");
            assert_eq!(states.len(), 3);
            return;
        }
    }
    panic!("more than 1000 writes");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_size_is_a_sound_volume_or_too_small(
        size in prop_oneof![0_u64..8 * MIB, MIB..200 * MIB, MIB..1 << 36],
        shift in 9_u32..=21,
        sector in prop::sample::select(vec![512_u32, 4096]),
        label in "\\PC{0,16}",
    ) {
        let cluster = (1 << shift).max(sector);
        let mut options = options(sector, Some(cluster), None);
        options.label = units(&label);
        options.label.truncate(32);
        let label = String::from_utf16_lossy(&options.label);
        prop_assume!(units(&label) == options.label);
        match FormatPlan::new(size, &options) {
            Ok(_) => {
                let (device, plan) = made(size, &options);
                judge(device, &plan, &label);
            }
            Err(FormatError::TooSmall { least, .. }) => {
                prop_assert!(size < least);
                let (device, plan) = made(least, &options);
                judge(device, &plan, &label);
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}

/// What a record has, apart from where its clusters are: sequence number, flags, names, and each attribute with whether
/// it lies in clusters.
type Shape = (u16, u16, u16, Vec<(AttributeKind, String, bool)>);

fn shape(volume: &Volume, number: RecordNumber) -> Shape {
    let mut bytes = Vec::new();
    volume.read_record(number, &mut bytes).unwrap();
    let record = Record::parse(number, &mut bytes).unwrap();
    let attributes = record.attributes().map(|attribute| {
        let attribute = attribute.unwrap();
        let name = String::from_utf16(&attribute.name()).unwrap();
        (attribute.kind(), name, attribute.resident().is_none())
    });
    (
        record.sequence(),
        record.flags().bits(),
        record.raw_links(),
        attributes.collect(),
    )
}

fn value(volume: &Volume, number: RecordNumber, kind: AttributeKind, name: &str) -> Vec<u8> {
    let file = volume.file(number).unwrap();
    let stream = file
        .stream(volume, kind, &units(name))
        .unwrap()
        .expect("a stream");
    let mut bytes = vec![0; stream.size() as usize];
    assert_eq!(volume.read(&stream, 0, &mut bytes).unwrap(), bytes.len());
    bytes
}

/// Runs where `POLYLINK_IMAGES` names the folder with the archives.
#[test]
fn it_is_what_windows_makes() {
    let Some(folder) = crate::images::archives() else {
        return;
    };
    let unpacked = tempfile::tempdir().unwrap();
    let archive = folder.join("corrupted/check_only__formatted_on_windows__ntfs.img.tar.xz");
    let tar = std::process::Command::new("tar")
        .arg("-xJSf")
        .arg(archive)
        .arg("-C")
        .arg(unpacked.path())
        .status();
    assert!(tar.unwrap().success());
    let theirs =
        polylink_ntfs::FileDevice::open(&unpacked.path().join("ntfs.img"), polylink_ntfs::Access::Read);
    let theirs = Volume::open(Box::new(theirs.unwrap()), &OpenOptions::default()).unwrap();
    let size = theirs.device().size();
    let (device, _) = made(size, &options(512, None, None));
    let ours = Volume::open(Box::new(device), &OpenOptions::default()).unwrap();
    let (a, b) = (ours.geometry().unwrap(), theirs.geometry().unwrap());
    assert_eq!(
        (a.sector, a.cluster, a.record, a.index, a.clusters, a.size),
        (b.sector, b.cluster, b.record, b.index, b.clusters, b.size)
    );

    for number in (0..27)
        .filter(|number| !(16..24).contains(number))
        .map(RecordNumber)
    {
        let (ours, mut theirs) = (shape(&ours, number), shape(&theirs, number));
        let remove = |attributes: &mut Vec<(AttributeKind, String, bool)>, kind, name: &str| {
            let before = attributes.len();
            attributes.retain(|(found, called, _)| (*found, &**called) != (kind, name));
            assert_eq!(attributes.len() + 1, before, "{number} {kind} {name}");
        };
        match number.0 {
            // Windows' own upgrade left these with a descriptor each; here all have one of $Secure
            7 | 12..16 => remove(&mut theirs.3, AttributeKind::SECURITY_DESCRIPTOR, ""),
            // and has transactions for directories since Vista, which it adds when it mounts a volume
            5 => {
                remove(&mut theirs.3, AttributeKind::SECURITY_DESCRIPTOR, "");
                remove(&mut theirs.3, AttributeKind::LOGGED_UTILITY_STREAM, "$TXF_DATA");
            }
            // nine descriptors instead of three
            9 => {
                remove(&mut theirs.3, AttributeKind::INDEX_ALLOCATION, "$SDH");
                remove(&mut theirs.3, AttributeKind::BITMAP, "$SDH");
            }
            _ => {}
        }
        assert_eq!(ours, theirs, "record {number}");
    }
    let same = |number, kind, name| {
        assert_eq!(
            value(&ours, number, kind, name),
            value(&theirs, number, kind, name),
            "{number} {kind} {name}"
        );
    };
    same(RecordNumber::ATTR_DEF, AttributeKind::DATA, "");
    same(RecordNumber::UPCASE, AttributeKind::DATA, "");
    same(RecordNumber::UPCASE, AttributeKind::DATA, "$Info");
    same(RecordNumber(25), AttributeKind::INDEX_ROOT, "$O");
    same(RecordNumber(26), AttributeKind::INDEX_ROOT, "$R");
    same(RecordNumber::ROOT, AttributeKind::INDEX_ROOT, "$I30");
    same(RecordNumber::ROOT, AttributeKind::BITMAP, "$I30");
    // but for bytes that Windows leaves as they were, and times
    let quotas = |volume: &Volume, name, ignored: &[std::ops::Range<usize>]| {
        let mut bytes = value(volume, RecordNumber(24), AttributeKind::INDEX_ROOT, name);
        for part in ignored {
            bytes[part.clone()].fill(0);
        }
        bytes
    };
    for (name, ignored) in [("$O", &[0x44..0x48, 0..0][..]), ("$Q", &[0x44..0x4C, 0x8C..0x94])] {
        assert_eq!(
            quotas(&ours, name, ignored),
            quotas(&theirs, name, ignored),
            "{name}"
        );
    }
}
