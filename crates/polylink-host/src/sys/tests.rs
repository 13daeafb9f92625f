//! The host against what the system itself says.

use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, symlink};

use polylink_core::{
    At, CaseRule, DirBatch, Existing, FaultKind, FileId, Kind, LinkFs as _, More, Name, Replaced,
    replace_with_link,
};

use crate::HostFs;

fn setup() -> (tempfile::TempDir, HostFs) {
    (tempfile::tempdir().unwrap(), HostFs::new())
}

#[test]
fn a_batch_has_every_name_with_kind_and_id() {
    let (folder, fs) = setup();
    let count = 20_000;
    for i in 0..count {
        std::fs::write(folder.path().join(format!("file with a longer name {i}")), "").unwrap();
    }
    std::fs::create_dir(folder.path().join("d")).unwrap();
    symlink("nowhere", folder.path().join("s")).unwrap();
    let odd = std::ffi::OsStr::from_bytes(b"odd\xff\n");
    std::fs::write(folder.path().join(odd), "").unwrap();
    let dir = fs.open_dir(folder.path()).unwrap();
    for _ in 0..2 {
        let mut batch = DirBatch::new();
        let mut seen = std::collections::BTreeMap::new();
        let mut reads = 0;
        loop {
            let more = fs.read_dir(&dir, &mut batch).unwrap();
            reads += 1;
            for entry in batch.iter() {
                assert!(seen.insert(entry.name.to_buf(), (entry.kind, entry.id)).is_none());
            }
            if more == More::No {
                break;
            }
        }
        assert!(reads > 1, "large directories come in several batches");
        assert_eq!(seen.len(), count + 3);
        for (name, kind) in [
            (&b"d"[..], Kind::Directory),
            (b"s", Kind::Symlink),
            (b"odd\xff\n", Kind::File),
        ] {
            let (found, id) = seen[name];
            assert_eq!(found, kind);
            let path = folder.path().join(std::ffi::OsStr::from_bytes(name));
            let meta = std::fs::symlink_metadata(path).unwrap();
            let expected = FileId {
                volume: meta.dev(),
                id: u128::from(meta.ino()),
            };
            assert_eq!(id, expected);
            assert_eq!(fs.stat(At::new(&dir, Name::new(name))).unwrap().id, expected);
        }
    }
}

#[test]
fn links_renames_and_unlinks_do_what_posix_says() {
    let (folder, fs) = setup();
    std::fs::write(folder.path().join("a"), "data").unwrap();
    std::fs::write(folder.path().join("z"), "other").unwrap();
    symlink("a", folder.path().join("s")).unwrap();
    let dir = fs.open_dir(folder.path()).unwrap();
    let at = |name| At::new(&dir, Name::new(name));
    fs.link(at("a"), at("b")).unwrap();
    assert_eq!(fs.stat(at("b")).unwrap().links, 2);
    assert_eq!(fs.link(at("a"), at("b")).unwrap_err().kind(), FaultKind::Exists);
    fs.link(at("s"), at("s2")).unwrap();
    assert_eq!(
        fs.stat(at("s2")).unwrap().kind,
        Kind::Symlink,
        "the symbolic link itself is linked"
    );
    assert_eq!(
        fs.rename(at("a"), at("z"), Existing::Keep).unwrap_err().kind(),
        FaultKind::Exists
    );
    fs.make_dir(at("d")).unwrap();
    assert_eq!(
        fs.link(at("d"), at("d2")).unwrap_err().kind(),
        FaultKind::NotPermitted
    );
    assert_eq!(fs.unlink(at("d")).unwrap_err().kind(), FaultKind::IsDirectory);
    assert!(
        matches!(replace_with_link(&fs, at("a"), at("z")).unwrap(), Replaced::Replaced(old) if old.links == 1)
    );
    assert_eq!(replace_with_link(&fs, at("a"), at("b")).unwrap(), Replaced::Same);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 6);
    fs.unlink(at("b")).unwrap();
    assert_eq!(fs.stat(at("b")).unwrap_err().kind(), FaultKind::NotFound);
    let long = "x".repeat(256);
    assert_eq!(
        fs.link(at("a"), at(&long)).unwrap_err().kind(),
        FaultKind::NameTooLong
    );
}

#[test]
fn no_directory_is_opened_through_a_symbolic_link() {
    let (folder, fs) = setup();
    std::fs::create_dir(folder.path().join("d")).unwrap();
    symlink("d", folder.path().join("s")).unwrap();
    let dir = fs.open_dir(folder.path()).unwrap();
    assert!(fs.open_child(At::new(&dir, Name::new("d"))).is_ok());
    let fault = fs.open_child(At::new(&dir, Name::new("s"))).unwrap_err();
    assert!(
        matches!(fault.kind(), FaultKind::NotDirectory | FaultKind::SymlinkMet),
        "{fault}"
    );
}

#[test]
fn an_open_directory_stays_the_one_it_was() {
    let (folder, fs) = setup();
    std::fs::create_dir(folder.path().join("d")).unwrap();
    std::fs::write(folder.path().join("d/f"), "").unwrap();
    let dir = fs.open_dir(&folder.path().join("d")).unwrap();
    std::fs::rename(folder.path().join("d"), folder.path().join("e")).unwrap();
    std::fs::create_dir(folder.path().join("d")).unwrap();
    fs.link(At::new(&dir, Name::new("f")), At::new(&dir, Name::new("g")))
        .unwrap();
    assert!(folder.path().join("e/g").exists());
}

#[test]
fn the_volume_tells_space_and_rules() {
    let (folder, fs) = setup();
    let info = fs.volume(&fs.open_dir(folder.path()).unwrap()).unwrap();
    assert_eq!(info.names.max_len, 255);
    assert!(info.free.unwrap() <= info.total.unwrap());
    assert_eq!(info.names.case, CaseRule::Sensitive);
    assert!(!info.read_only);
}
