//! Files read, described and copied through `FileFs`.

use std::sync::{Arc, Mutex};

use polylink_core::{At, CopyHow, FaultKind, FileFs as _, LinkFs as _, Name, Reflink};
use polylink_ntfs::layout::attribute::{AttributeFlags, AttributeKind};
use polylink_ntfs::{MemDevice, VolumeFs, WriteOptions, Writer};
use polylink_testutil::files::{Ground, bytes, checks};
use polylink_testutil::ntfs::hostile::bases;

use super::crash::{Event, Recorder};
use super::{blank, find, issues, open, reopened, units, used};

const MIB: u64 = 1 << 20;
const PLAIN: CopyHow = CopyHow {
    reflink: Reflink::Auto,
    sync: false,
};

fn put(writer: &Writer, name: &str, bytes: &[u8]) {
    let file = writer.create_file(writer.root().unwrap(), &units(name)).unwrap();
    writer.write(file, &[], 0, bytes).unwrap();
    writer.refresh(file).unwrap();
}

#[test]
fn a_volume_keeps_what_is_promised() {
    for (cluster, record) in [(4096, 1024), (512, 1024), (65536, 4096)] {
        for (what, check) in checks() {
            let device = blank(48 * MIB, cluster, record);
            let writer = Arc::new(open(&device));
            let fs = VolumeFs::writing(writer.clone()).unwrap();
            check(&Ground {
                fs: &fs,
                dir: fs.open_dir("/".as_ref()).unwrap(),
                make: &|name, len, content| put(&writer, name, &bytes(len, content)),
            });
            writer.close().unwrap();
            assert_eq!(issues(&device), [""; 0], "{what}");
        }
    }
}

#[test]
fn holes_and_what_was_never_written_stay_so_and_streams_go_with_the_copy() {
    let device = blank(64 * MIB, 4096, 1024);
    let writer = Arc::new(open(&device));
    let root = writer.root().unwrap();
    let file = writer.create_file(root, &units("a")).unwrap();
    // 20 MiB, of which two pieces are ever written
    writer.write(file, &[], 5 * MIB, &bytes(100_000, 1)).unwrap();
    writer.set_size(file, &[], 20 * MIB).unwrap();
    writer.write(file, &units("stream"), 0, b"beside").unwrap();
    writer.write(file, &units("long"), 0, &bytes(300_000, 2)).unwrap();
    writer.write(file, &units("empty"), 0, b"").unwrap();
    writer.refresh(file).unwrap();
    let fs = VolumeFs::writing(writer.clone()).unwrap();
    let dir = fs.open_dir("/".as_ref()).unwrap();
    let at = |name| At::new(&dir, Name::new(name));
    let copied = fs.copy(at("a"), at("b"), PLAIN).unwrap();
    assert_eq!(copied.stat.size, 20 * MIB);
    let metadata = fs.metadata(at("b")).unwrap();
    assert_eq!(metadata.extended[&b"stream"[..]], b"beside");
    assert_eq!(metadata.extended[&b"long"[..]], bytes(300_000, 2));
    assert_eq!(metadata.extended[&b"empty"[..]], b"");
    assert_eq!(metadata, fs.metadata(at("a")).unwrap());
    writer.close().unwrap();
    assert_eq!(issues(&device), [""; 0]);
    let volume = reopened(&device);
    let read = |name: &str| {
        let record = find(&writer, name).unwrap().record();
        let file = volume.file(record).unwrap();
        let stream = file.stream(&volume, AttributeKind::DATA, &[]).unwrap().unwrap();
        let mut bytes = vec![1; usize::try_from(20 * MIB).unwrap()];
        assert_eq!(volume.read(&stream, 0, &mut bytes).unwrap(), bytes.len());
        bytes
    };
    assert_eq!(read("a"), read("b"));
}

#[test]
fn a_name_is_there_with_the_whole_copy_or_not_at_all() {
    // a volume without room for the copy: nothing is left, and nothing is taken
    let device = blank(16 * MIB, 4096, 1024);
    let writer = Arc::new(open(&device));
    put(&writer, "a", &bytes(9 * MIB, 1));
    writer.sync().unwrap();
    let before = used(&device);
    let fs = VolumeFs::writing(writer.clone()).unwrap();
    let dir = fs.open_dir("/".as_ref()).unwrap();
    let at = |name| At::new(&dir, Name::new(name));
    let refused = fs.copy(at("a"), at("b"), PLAIN).unwrap_err();
    assert_eq!(refused.kind(), FaultKind::NoSpace);
    assert_eq!(find(&writer, "b"), None);
    writer.close().unwrap();
    assert_eq!(used(&device), before);
    assert_eq!(issues(&device), [""; 0]);
}

#[test]
fn a_read_only_volume_is_read_and_nothing_else() {
    let device = blank(16 * MIB, 4096, 1024);
    let writer = open(&device);
    put(&writer, "a", &bytes(50_000, 1));
    writer.close().unwrap();
    for catalog in [false, true] {
        let volume = Arc::new(reopened(&device));
        let fs = match catalog {
            true => VolumeFs::with_catalog(volume).unwrap(),
            false => VolumeFs::new(volume),
        };
        let dir = fs.open_dir("/".as_ref()).unwrap();
        let at = |name| At::new(&dir, Name::new(name));
        let file = fs.open_file(at("a")).unwrap();
        let mut found = vec![0; 50_000];
        assert_eq!(file.read_full(0, &mut found).unwrap(), 50_000);
        assert_eq!(found, bytes(50_000, 1));
        assert!(
            file.place()
                .is_some_and(|place| place > 0 && place.is_multiple_of(4096))
        );
        assert_eq!(fs.metadata(at("a")).unwrap().attributes, Some(0x20));
        let metadata = fs.metadata(at("a")).unwrap();
        for refused in [
            fs.copy(at("a"), at("b"), PLAIN).map(drop),
            fs.set_metadata(at("a"), &metadata).map(drop),
            fs.make_symlink(b"a", at("b")),
            fs.remove_dir(at("a")),
        ] {
            assert_eq!(refused.unwrap_err().kind(), FaultKind::ReadOnly);
        }
    }
}

/// Copies of what this engine does not write itself: holes, LZNT1, long runs.
#[test]
fn every_file_of_the_volumes_with_one_of_everything_is_copied_to_the_byte() {
    for base in bases().iter().take(2) {
        let device = Arc::new(MemDevice::new(base.bytes.to_vec()));
        let sound = issues(&device);
        let writer = Writer::open(device.clone(), &WriteOptions::default()).unwrap();
        let copied = copy_all(&device, Arc::new(writer));
        assert!(copied > 5, "{copied}");
        assert_eq!(issues(&device), sound);
    }
}

fn copy_all(device: &Arc<MemDevice>, writer: Arc<Writer>) -> usize {
    let catalog = polylink_ntfs::Catalog::read(&reopened(device)).unwrap();
    let volume = reopened(device);
    let root = writer.root().unwrap();
    let Ok(folder) = writer.make_directory(root, &units("polylink copies")) else {
        return 0;
    };
    let mut copied = Vec::new();
    for record in 24..volume.records().min(2000) {
        let Some(row) = catalog
            .find(polylink_ntfs::RecordNumber(record))
            .and_then(|index| catalog.file(index))
        else {
            continue;
        };
        if row.kind != polylink_ntfs::FileKind::File || row.size > 4 * MIB || row.links == 0 {
            continue;
        }
        let name = units(&format!("copy {record}"));
        if let Ok(copy) = writer.copy_file(row.reference, folder, &name) {
            copied.push((row.reference, copy));
        }
    }
    writer.close().unwrap();
    let volume = reopened(device);
    for (source, copy) in &copied {
        let [source, copy] = [source, copy].map(|file| volume.file(file.record()).unwrap());
        let streams = |file: &polylink_ntfs::File| {
            let mut found = Vec::new();
            for (name, _) in file.data_streams().unwrap() {
                let stream = file.stream(&volume, AttributeKind::DATA, &name).unwrap().unwrap();
                let mut bytes = vec![1; usize::try_from(stream.size()).unwrap()];
                volume.read(&stream, 0, &mut bytes).unwrap();
                // what is compressed there is plain here
                let packed = stream.flags().intersects(AttributeFlags::COMPRESSION_MASK);
                let allocated = (!packed).then(|| stream.allocated());
                found.push((name, bytes, allocated));
            }
            found.sort();
            found
        };
        let (source_streams, copy_streams) = (streams(&source), streams(&copy));
        assert_eq!(source_streams.len(), copy_streams.len());
        for (old, new) in source_streams.iter().zip(&copy_streams) {
            assert!(old.0 == new.0 && old.1 == new.1, "{:?}", source.number());
            // holes stay holes; only what was compressed takes more
            assert!(old.2.is_none() || old.2 == new.2, "{:?}", source.number());
        }
        let [a, b] = [&source, &copy].map(|file| file.standard_information().unwrap());
        assert_eq!(
            (a.modified, a.created, a.security_id),
            (b.modified, b.created, b.security_id)
        );
    }
    copied.len()
}

/// Between two flushes the device may have taken any of the writes and none: every prefix of them, and all but one.
#[test]
fn whenever_the_power_goes_a_copy_is_there_whole_or_not_at_all() {
    let device = blank(16 * MIB, 4096, 1024);
    let writer = open(&device);
    put(&writer, "a", &bytes(150_000, 1));
    let file = find(&writer, "a").unwrap();
    writer.write(file, &units("beside"), 0, &bytes(9_000, 2)).unwrap();
    writer.close().unwrap();
    let before = device.bytes();
    let recorder = Arc::new(Recorder {
        device: Arc::new(MemDevice::new(before.clone())),
        events: Mutex::new(Vec::new()),
    });
    let writer = Arc::new(Writer::open(recorder.clone(), &super::options()).unwrap());
    let fs = VolumeFs::writing(writer.clone()).unwrap();
    let dir = fs.open_dir("/".as_ref()).unwrap();
    let at = |name| At::new(&dir, Name::new(name));
    fs.copy(at("a"), at("b"), PLAIN).unwrap();
    writer.close().unwrap();
    let wanted = fs.metadata(at("a")).unwrap();

    let events = recorder.events.lock().unwrap().clone();
    let mut settled = before;
    let (mut absent, mut whole) = (0, 0);
    for stretch in events.split(|event| matches!(event, Event::Flush)) {
        let writes: Vec<(u64, &[u8])> = stretch
            .iter()
            .filter_map(|event| match event {
                Event::Write(offset, data) => Some((*offset, data.as_slice())),
                Event::Flush => None,
            })
            .collect();
        let apply = |chosen: &dyn Fn(usize) -> bool| {
            let mut state = settled.clone();
            for (_, (offset, data)) in writes.iter().enumerate().filter(|(index, _)| chosen(*index)) {
                let start = usize::try_from(*offset).unwrap();
                state[start..start + data.len()].copy_from_slice(data);
            }
            state
        };
        for cut in 0..=writes.len() {
            for state in [apply(&|index| index < cut), apply(&|index| index != cut)] {
                let volume = reopened(&Arc::new(MemDevice::new(state)));
                let fs = VolumeFs::new(Arc::new(volume));
                let dir = fs.open_dir("/".as_ref()).unwrap();
                let whole_file = |name| {
                    let at = At::new(&dir, Name::new(name));
                    let mut found = vec![0; 150_001];
                    let read = fs.open_file(at).unwrap().read_full(0, &mut found).unwrap();
                    assert!(read == 150_000 && found[..read] == bytes(150_000, 1), "{name}");
                    assert_eq!(fs.metadata(at).unwrap(), wanted, "{name}");
                };
                whole_file("a");
                match fs.stat(At::new(&dir, Name::new("b"))) {
                    Ok(_) => {
                        whole_file("b");
                        whole += 1;
                    }
                    Err(missing) => {
                        assert_eq!(missing.kind(), FaultKind::NotFound);
                        absent += 1;
                    }
                }
            }
        }
        settled = apply(&|_| true);
    }
    assert!(absent > 4 && whole > 2, "{absent} {whole}");
}
