//! What is done with hostile bytes. Each target takes any bytes at all, and panics only where the engine is wrong.
//!
//! They run over seeds and mutations under `cargo test`, and under cargo-fuzz from the folder `fuzz`.

use std::path::Path;
use std::sync::Arc;

use polylink_core::{At, LinkFs, Silent};
use polylink_nt::name::units_of_wtf8;
use polylink_ntfs::check::{Options, check as audit};
use polylink_ntfs::layout::attribute::AttributeKind;
use polylink_ntfs::{
    Case, Catalog, Device, File, Index, ListEntry, OpenOptions, RecordNumber, RunList, Stream, Vcn, Volume,
    VolumeFs, decompress, partitions,
};

use super::hostile::volume_of;

/// A target: its name, what it does with an input, and its share of a thousand inputs.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// As in `fuzz/seeds` and `fuzz/fuzz_targets`.
    pub name: &'static str,
    /// What it does.
    pub run: fn(&[u8]),
    /// Whether its inputs are volumes; see [`super::hostile`].
    pub is_volume: bool,
    /// How many of a thousand inputs it gets: those that read whole volumes cost a hundred times the others.
    pub share: u64,
}

/// All targets.
pub const TARGETS: [Target; 6] = [
    target("open", open, true, 35),
    target("check", check, true, 60),
    target("index", index, true, 130),
    target("attribute_list", attribute_list, true, 200),
    target("runs", runs, false, 325),
    target("lznt1", lznt1, false, 250),
];

const fn target(name: &'static str, run: fn(&[u8]), is_volume: bool, share: u64) -> Target {
    Target {
        name,
        run,
        is_volume,
        share,
    }
}

/// Records of a volume that are looked at one by one.
const MOST_RECORDS: u64 = 256;
/// What is read of either end of a value.
const ENDS: u64 = 64 << 10;
/// What is read of either end where files are read whole.
const LONG: u64 = 16 << 20;

/// A device that is opened several times.
pub type Shared = Arc<dyn Device>;

/// What is done with a volume, wherever it lies.
pub type OnVolume = fn(&Shared);

/// All that is done with volumes, by name.
pub const ON_VOLUMES: [(&str, OnVolume); 4] = [
    ("open", open_on),
    ("check", check_on),
    ("index", index_on),
    ("attribute_list", attribute_list_on),
];

fn opened(device: &Shared) -> Option<Volume> {
    Volume::open(Box::new(device.clone()), &OpenOptions::default()).ok()
}

fn device_of(input: &[u8]) -> Shared {
    Arc::new(volume_of(input))
}

/// Opens a volume and reads all that there is: what it says of itself, files by the catalog and by the root
/// directory, both ends of every value.
///
/// # Panics
///
/// Where what was read cannot be.
pub fn open(input: &[u8]) {
    open_on(&device_of(input));
}

fn open_on(device: &Shared) {
    let _partitions = partitions(device);
    let Some(volume) = opened(device) else {
        return;
    };
    let text: usize = volume.notes().iter().map(|note| format!("{note:?}").len()).sum();
    assert!(text < 1 << 20, "{text} bytes of notes");
    let _information = (volume.information(), volume.label());
    let _states = (volume.log_state(), volume.hibernation());
    let _used = (volume.clusters_in_use(), volume.records_in_use());
    let _upcase = volume.upcase();
    for number in 0..volume.records().min(MOST_RECORDS) {
        if let Ok(file) = volume.file(RecordNumber(number)) {
            whole_file(&volume, &file);
        }
    }
    let volume = Arc::new(volume);
    if let Ok(fs) = VolumeFs::with_catalog(volume.clone()) {
        if let Some(catalog) = fs.catalog() {
            whole_catalog(&volume, catalog);
        }
        listing(&fs);
    }
    listing(&VolumeFs::new(volume));
}

fn whole_catalog(volume: &Volume, catalog: &Catalog) {
    assert!(catalog.len() as u64 <= volume.records());
    let mut links = 0;
    for index in catalog.files() {
        let row = catalog.file(index).expect("a file that the catalog named");
        assert!(row.reference.record().0 < volume.records());
        assert_eq!(catalog.find(row.reference.record()), Some(index));
        for name in catalog.names_of(index) {
            links += 1;
            assert!(units_of_wtf8(name.name).is_some(), "{:02x?}", name.name);
            if let Some(path) = catalog.path_of(&name) {
                assert!(path.ends_with(name.name));
            }
        }
        for child in catalog.children(index).take(1000) {
            assert!(catalog.file(child.file).is_some());
        }
    }
    assert!(links <= catalog.name_count(), "{links}");
    for corrupt in catalog.damage().iter().take(100) {
        assert!(!corrupt.to_string().is_empty());
    }
}

fn listing(fs: &VolumeFs) {
    let Ok(root) = LinkFs::open_dir(fs, Path::new("/")) else {
        return;
    };
    let names = (fs as &dyn LinkFs).names_in(&root).unwrap_or_default();
    for name in names.iter().take(64) {
        let at = At::new(&root, name.name());
        let _stat = fs.stat(at);
        let _names = fs.names_of(at);
        let _child = fs
            .open_child(at)
            .and_then(|dir| (fs as &dyn LinkFs).names_in(&dir));
    }
    let _deep = fs.find(Path::new("/links/inner/leaf.txt"));
    for entry in fs.catalog().into_iter().flat_map(Catalog::files).take(64) {
        let row = fs.catalog().and_then(|catalog| catalog.file(entry));
        if let Some(row) = row {
            let _row = (fs.row(row.reference), fs.target(row.reference));
            let _paths = fs.paths_of(row.reference);
        }
    }
}

/// Reads every file of a volume: what its data streams hold, but for holes; of longer values 16 MiB at either end.
/// Answers how many bytes that were.
///
/// # Panics
///
/// Where a value ends before its size.
pub fn read_files(device: &Shared) -> u64 {
    let Some(volume) = opened(device) else {
        return 0;
    };
    let Ok(catalog) = Catalog::read(&volume) else {
        return 0;
    };
    let mut bytes = 0;
    for index in catalog.files() {
        let row = catalog.file(index).expect("a file that the catalog named");
        let Ok(file) = volume.file(row.reference.record()) else {
            continue;
        };
        for (name, _) in file.data_streams().unwrap_or_default() {
            if let Ok(Some(stream)) = file.stream(&volume, AttributeKind::DATA, &name) {
                bytes += whole_stream(&volume, &stream);
            }
        }
    }
    bytes
}

/// Reads what a value holds at either end, but for holes, to the first error.
fn whole_stream(volume: &Volume, stream: &Stream) -> u64 {
    let cluster = volume
        .geometry()
        .map_or(1, |geometry| u64::from(geometry.cluster));
    let mut buffer = vec![0; 1 << 20];
    let (mut offset, mut bytes) = (0, 0);
    let last = stream.size().saturating_sub(LONG).max(LONG);
    while offset < stream.size() {
        if (LONG..last).contains(&offset) {
            offset = last;
        }
        let extent = stream.runs().and_then(|runs| runs.find(Vcn(offset / cluster)));
        if let Some(hole) = extent.filter(|extent| extent.lcn.is_none()) {
            offset = hole.end().saturating_mul(cluster);
            continue;
        }
        let Ok(read) = volume.read(stream, offset, &mut buffer) else {
            break;
        };
        assert!(read > 0, "nothing at {offset} of {}", stream.size());
        offset += read as u64;
        bytes += read as u64;
    }
    bytes
}

fn whole_file(volume: &Volume, file: &File) {
    let _information = file.standard_information();
    for name in file.names().unwrap_or_default() {
        assert!(name.name.len() <= 255);
    }
    let mut kinds = Vec::new();
    for attribute in file.attributes() {
        let Ok((_, attribute)) = attribute else { break };
        kinds.push((attribute.kind(), attribute.name()));
    }
    kinds.dedup();
    for (kind, name) in kinds.into_iter().take(64) {
        if let Ok(Some(stream)) = file.stream(volume, kind, &name) {
            both_ends(volume, &stream);
        }
    }
    let _names = file.data_streams();
}

fn both_ends(volume: &Volume, stream: &Stream) {
    let size = stream.size();
    let mut buffer = vec![0; ENDS as usize];
    for offset in [0, size.saturating_sub(ENDS), size, u64::MAX] {
        if let Ok(read) = volume.read(stream, offset, &mut buffer) {
            assert_eq!(read as u64, size.saturating_sub(offset).min(ENDS));
        }
    }
    let (Some(runs), Some(geometry)) = (stream.runs(), volume.geometry()) else {
        return;
    };
    assert!(size <= runs.end().0.saturating_mul(u64::from(geometry.cluster)));
    whole_runs(runs, geometry.clusters);
}

/// Audits a volume.
///
/// # Panics
///
/// Where an audit does not come to its end, or an issue has no words.
pub fn check(input: &[u8]) {
    check_on(&device_of(input));
}

fn check_on(device: &Shared) {
    let Some(volume) = opened(device) else {
        return;
    };
    let mut issues = 0_u64;
    let summary = audit(&volume, &Options::default(), &Silent, &mut |issue| {
        issues += 1;
        if issues < 1000 {
            assert!(!issue.to_string().is_empty());
            let _values = (issue.kind.expected(), issue.kind.found());
        }
    });
    if let Ok(summary) = summary {
        assert!(summary.complete);
        assert_eq!(issues, summary.notes + summary.damage + summary.fatal);
    }
}

/// Walks the indexes of directories, and finds in them what the walk met.
///
/// # Panics
///
/// Where the index loses a name.
pub fn index(input: &[u8]) {
    index_on(&device_of(input));
}

fn index_on(device: &Shared) {
    let Some(volume) = opened(device) else {
        return;
    };
    for number in [5, 11, 27, 28, 33] {
        let Ok(file) = volume.file(RecordNumber(number)) else {
            continue;
        };
        let Ok(index) = Index::open(&volume, &file) else {
            continue;
        };
        assert!(index.block_size().is_power_of_two());
        let mut names = Vec::new();
        let walked = index.walk(&mut |entry| names.push(entry.name.name));
        if let Err(error) = walked {
            assert!(!error.to_string().is_empty());
        }
        let sought = names.iter().step_by(names.len() / 4 + 1).map(Vec::as_slice);
        for name in sought.chain([&[][..], &[0x66][..], &[0xFFFF; 255][..]]) {
            for case in [Case::Ignored, Case::Minded] {
                if let Ok(Some(entry)) = index.find(name, case) {
                    assert!(volume.upcase().same(&entry.name.name, name));
                    assert!(case == Case::Ignored || entry.name.name == name);
                }
            }
        }
    }
}

/// Takes the bytes as the value of an attribute list, and then as a volume whose file with such a list is read.
///
/// # Panics
///
/// Where more entries come out than there is room for.
pub fn attribute_list(input: &[u8]) {
    if let Ok(entries) = ListEntry::parse_all(input) {
        assert!(entries.len() <= input.len() / 26);
    }
    attribute_list_on(&device_of(input));
}

fn attribute_list_on(device: &Shared) {
    let Some(volume) = opened(device) else {
        return;
    };
    for number in [31, 0, 5] {
        if let Ok(file) = volume.file(RecordNumber(number)) {
            assert!(file.records().count() > 0);
            whole_file(&volume, &file);
        }
    }
}

/// Takes the bytes as mapping pairs; the first two say where they begin and how large the volume is.
///
/// # Panics
///
/// Where runs overlap, leave the volume, or are others after they were encoded.
pub fn runs(input: &[u8]) {
    let [lowest, clusters, pairs @ ..] = input else {
        return;
    };
    let lowest = Vcn(1_u64.checked_shl(u32::from(*lowest)).unwrap_or(0));
    let clusters = 1_u64.checked_shl(u32::from(*clusters)).unwrap_or(u64::MAX);
    if let Ok(runs) = RunList::decode(pairs, lowest, clusters) {
        if !runs.extents().is_empty() {
            assert_eq!(runs.start(), lowest);
        }
        whole_runs(&runs, clusters);
    }
}

fn whole_runs(runs: &RunList, clusters: u64) {
    let mut end = runs.start().0;
    for extent in runs.extents() {
        assert_eq!(extent.vcn.0, end);
        assert!(extent.len > 0);
        end = extent.end();
        if let Some(lcn) = extent.lcn {
            assert!(lcn.0.checked_add(extent.len).is_some_and(|end| end <= clusters));
        }
        assert_eq!(runs.find(extent.vcn), Some(extent));
        assert_eq!(runs.find(Vcn(end - 1)), Some(extent));
    }
    assert_eq!(runs.end().0, if runs.extents().is_empty() { 0 } else { end });
    assert_eq!(runs.find(Vcn(end)), None);
    let again = RunList::decode(&runs.encode(), runs.start(), clusters).expect("runs that were sound");
    assert_eq!(again.extents(), runs.extents());
}

/// Takes the bytes as LZNT1; the first two are the size of what comes out.
///
/// # Panics
///
/// Where more comes out, or something else into less room.
pub fn lznt1(input: &[u8]) {
    let [low, high, data @ ..] = input else {
        return;
    };
    let mut out = vec![0xA5; usize::from(u16::from_le_bytes([*low, *high]))];
    if let Ok(given) = decompress(data, &mut out) {
        assert!(given <= out.len());
        let mut less = vec![0xA5; out.len() / 2];
        let half = decompress(data, &mut less).expect("less of what was sound");
        assert!(half <= given);
        assert_eq!(less[..half], out[..half]);
    }
}
