//! Snapshots inside an NTFS volume that nothing has mounted.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use polylink_core::{At, Dir, FileId, FsResult, Kind, LinkFs, Name, Silent};
use polylink_ntfs::fix::fix;
use polylink_ntfs::{Device, FormatOptions, MemDevice, VolumeFs, WriteOptions, Writer, format};
use polylink_tree::snapshot::{Civil, Keep, Outcome, Request, apply, list, plan};

use crate::world::{Seen, look};

/// Takes no more writes after so many; who writes does not learn of it, as when the power goes.
#[derive(Debug)]
struct Cut {
    device: Arc<MemDevice>,
    left: AtomicU64,
}

impl Device for Cut {
    fn size(&self) -> u64 {
        self.device.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.device.read_at(offset, buffer)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let one_less = |left: u64| left.checked_sub(1);
        match self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
        {
            Ok(_) => self.device.write_at(offset, data),
            Err(_) => Ok(()),
        }
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

fn civil(time: i64) -> Civil {
    Civil {
        year: 0,
        month: 0,
        day: u32::try_from(time).unwrap(),
        hour: 0,
        week: (0, 0),
    }
}

/// The volume as a file system, and who writes it.
struct Open {
    fs: VolumeFs,
    writer: Arc<Writer>,
}

fn open(device: Arc<dyn Device>, max_links: u32) -> Open {
    let options = WriteOptions {
        max_links,
        force: true,
        ..WriteOptions::default()
    };
    let writer = Arc::new(Writer::open(device, &options).unwrap());
    let fs = VolumeFs::writing(Arc::clone(&writer)).unwrap();
    Open { fs, writer }
}

impl Open {
    fn write(&self, dir: &str, name: &str, content: &[u8]) {
        let parent = self.fs.find(dir.as_ref()).unwrap();
        let name: Vec<u16> = name.encode_utf16().collect();
        let path = Path::new(dir).join(String::from_utf16(&name).unwrap());
        let file = match self.fs.find(&path) {
            Ok(file) => file,
            Err(_) => self.writer.create_file(parent, &name).unwrap(),
        };
        self.writer.write(file, &[], 0, content).unwrap();
        self.writer
            .set_size(file, &[], u64::try_from(content.len()).unwrap())
            .unwrap();
        self.writer.refresh(file).unwrap();
    }

    fn stream(&self, path: &str, name: &str, content: &[u8]) {
        let file = self.fs.find(path.as_ref()).unwrap();
        let name: Vec<u16> = name.encode_utf16().collect();
        self.writer.write(file, &name, 0, content).unwrap();
    }

    fn take(&self, number: i64, keep: Option<&str>) -> Outcome {
        let sync = |dir: &Dir| -> FsResult<()> { self.fs.sync(dir) };
        let request = Request {
            source: "/s".into(),
            store: "/store".into(),
            name: format!("n{number}").as_str().into(),
            now: number,
            keep: keep.map(|rules| Keep::parse(rules).unwrap()),
            calendar: &civil,
            sync: &sync,
            user: None,
            threads: None,
        };
        apply(&self.fs, &plan(&self.fs, &request, &Silent).unwrap(), &Silent)
    }

    fn names(&self) -> Vec<String> {
        let fs: &dyn LinkFs = &self.fs;
        let root = fs.open_dir("/store".as_ref()).unwrap();
        let names = fs.names_in(&root).unwrap();
        names
            .iter()
            .map(|name| name.name().text().unwrap().to_owned())
            .collect()
    }
}

fn photos() -> Arc<MemDevice> {
    let device = Arc::new(MemDevice::new(vec![0; 8 << 20]));
    let options = FormatOptions {
        zeroed: true,
        serial: Some(0x1234_5678_9ABC_DEF0),
        ..FormatOptions::default()
    };
    let _: polylink_ntfs::Geometry = format(&*device, &options).unwrap();
    let open = open(device.clone(), 1024);
    let root = open.writer.root().unwrap();
    let units = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
    let source = open.writer.make_directory(root, &units("s")).unwrap();
    open.writer.make_directory(source, &units("2006")).unwrap();
    open.write("/s/2006", "a.jpg", b"first");
    open.write("/s/2006", "B.jpg", &[7; 9000]);
    open.write("/s", "top", b"third");
    let file = open.fs.find("/s/2006/a.jpg".as_ref()).unwrap();
    open.writer.link(file, source, &units("best.jpg")).unwrap();
    open.stream("/s/top", "note", b"beside");
    open.writer.close().unwrap();
    device
}

/// What must be alike in the source and a snapshot of it.
type Whole = (
    BTreeMap<PathBuf, (Kind, i128, Vec<u8>, BTreeMap<Vec<u8>, Vec<u8>>)>,
    BTreeSet<Vec<PathBuf>>,
);

fn whole(fs: &VolumeFs, root: &str) -> Whole {
    let seen = look(fs, Path::new(root));
    let mut groups: BTreeMap<FileId, Vec<PathBuf>> = BTreeMap::new();
    for (path, seen) in seen.iter().filter(|(_, seen)| seen.stat.kind == Kind::File) {
        groups.entry(seen.stat.id).or_default().push(path.clone());
    }
    let alike = |seen: Seen| {
        let metadata = seen.metadata;
        (seen.stat.kind, metadata.modified, seen.content, metadata.extended)
    };
    (
        seen.into_iter().map(|(path, seen)| (path, alike(seen))).collect(),
        groups.into_values().filter(|names| names.len() > 1).collect(),
    )
}

#[test]
fn a_snapshot_holds_all_that_ntfs_keeps_and_the_next_shares_it() {
    let device = photos();
    let volume = open(device, 1024);
    let source = whole(&volume.fs, "/s");
    let outcome = volume.take(1, None);
    assert_eq!((outcome.copied, outcome.grouped, outcome.lost), (3, 1, 0));
    assert!(outcome.is_whole(), "{:?}", outcome.failures);
    assert_eq!(whole(&volume.fs, "/store/n1"), source);
    volume.write("/s/2006", "B.jpg", b"changed");
    // a stream beside the content is a change as well
    volume.stream("/s/top", "note", b"BESIDE");
    let outcome = volume.take(2, None);
    assert_eq!((outcome.copied, outcome.linked), (2, 2));
    assert_eq!(whole(&volume.fs, "/store/n1"), source);
    assert_eq!(whole(&volume.fs, "/store/n2"), whole(&volume.fs, "/s"));
    let outcome = volume.take(3, Some("last=1"));
    assert_eq!(outcome.dropped.len(), 2, "{:?}", outcome.drop_failures);
    assert_eq!(volume.names(), [".polylink-snapshots", "n3"]);
    assert_eq!(whole(&volume.fs, "/store/n3"), whole(&volume.fs, "/s"));
    volume.writer.close().unwrap();
}

#[test]
fn at_the_limit_of_names_a_file_of_a_volume_is_copied_afresh() {
    let volume = open(photos(), 3);
    let at_limit: Vec<u64> = (1..5)
        .map(|number| {
            let outcome = volume.take(number, None);
            assert!(outcome.is_whole(), "{:?}", outcome.failures);
            assert_eq!(
                whole(&volume.fs, &format!("/store/n{number}")).0,
                whole(&volume.fs, "/s").0
            );
            outcome.at_limit
        })
        .collect();
    assert!(
        at_limit[0] == 0 && at_limit[1..].iter().sum::<u64>() > 2,
        "{at_limit:?}"
    );
}

#[test]
fn what_is_no_text_is_in_the_snapshot_under_its_own_name() {
    let volume = open(photos(), 1024);
    let source = volume.fs.find("/s".as_ref()).unwrap();
    let odd = [0x61, 0xD800, 0x62, 0x3042];
    volume.writer.create_file(source, &odd).unwrap();
    assert!(volume.take(1, None).is_whole());
    let dir = volume.fs.open_dir("/store/n1".as_ref()).unwrap();
    let name = polylink_nt::name::wtf8_of_units(&odd);
    assert!(volume.fs.stat(At::new(&dir, Name::new(&name))).is_ok());
}

#[test]
fn after_a_power_cut_at_any_write_snapshots_are_whole_or_not_there() {
    let before = photos();
    {
        let volume = open(before.clone(), 1024);
        assert!(volume.take(1, None).is_whole());
        assert!(volume.take(2, None).is_whole());
        volume.write("/s/2006", "B.jpg", b"changed");
        volume.writer.close().unwrap();
    }
    let (old, now) = {
        let volume = open(before.clone(), 1024);
        (whole(&volume.fs, "/store/n1"), whole(&volume.fs, "/s"))
    };
    let mut named = [0u64; 2];
    for left in 0.. {
        let device = Arc::new(MemDevice::new(before.bytes()));
        let cut = Arc::new(Cut {
            device: device.clone(),
            left: AtomicU64::new(left),
        });
        let volume = open(cut.clone(), 1024);
        let outcome = volume.take(3, Some("last=2"));
        assert!(outcome.is_whole(), "{:?}", outcome.failures);
        volume.writer.close().unwrap();
        let volume = open(device.clone(), 1024);
        let listed = list(&volume.fs, Path::new("/store")).unwrap();
        for snapshot in &listed {
            let name = snapshot.name.name().text().unwrap();
            let expected = if name == "n3" { &now } else { &old };
            let found = whole(&volume.fs, &format!("/store/{name}"));
            assert!(found == *expected, "{name} after {left} writes");
        }
        let third = listed.iter().any(|snapshot| snapshot.name.bytes() == b"n3");
        named[usize::from(third)] += 1;
        assert!(third || listed.len() == 2, "after {left} writes");
        assert!(whole(&volume.fs, "/s") == now, "after {left} writes");
        drop(volume);
        let device: Arc<dyn Device> = device;
        let fixed = fix(&device, &WriteOptions::default(), &Silent, &mut |_| {}).unwrap();
        assert!(fixed.is_clean(), "after {left} writes");
        let volume = open(device, 1024);
        let again = volume.take(4, Some("last=2"));
        assert!(again.is_whole(), "after {left} writes: {:?}", again.failures);
        assert!(whole(&volume.fs, "/store/n4") == now, "after {left} writes");
        assert_eq!(
            volume.names().len(),
            3,
            "after {left} writes: {:?}",
            volume.names()
        );
        if cut.left.load(Ordering::SeqCst) > 0 {
            break;
        }
    }
    assert!(named[0] > 3 && named[1] > 3, "{named:?}");
}
