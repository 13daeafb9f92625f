//! What [`FileFs`] promises, as checks that run over every file system: the model, the host's, a volume.

use std::fmt;

use polylink_core::{
    At, CopyHow, Dir, Existing, Fault, FaultKind, FileFs, Kind, LinkFs, Lost, Metadata, Name, Reflink,
    is_part_name, part_name, remove_part,
};

/// A file system with an empty directory to work in.
pub struct Ground<'a> {
    /// The file system.
    pub fs: &'a dyn FileFs,
    /// The directory.
    pub dir: Dir,
    /// Makes a file in the directory: name, bytes, and the number that its content goes by. Files of one length and one
    /// number hold the same bytes, those of other numbers others.
    pub make: &'a dyn Fn(&str, u64, u64),
}

impl fmt::Debug for Ground<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ground(..)")
    }
}

/// Bytes that a number stands for, for file systems that keep what is written into them.
pub fn bytes(len: u64, content: u64) -> Vec<u8> {
    let mut x = content.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..len)
        .map(|_| {
            // xorshift64
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            x.to_le_bytes()[3]
        })
        .collect()
}

const PLAIN: CopyHow = CopyHow {
    reflink: Reflink::Auto,
    sync: false,
};

/// A check, with what it says.
pub type Check = (&'static str, fn(&Ground<'_>));

/// Every check. Each wants a ground of its own.
pub fn checks() -> Vec<Check> {
    vec![
        ("a file is read in any pieces", read_in_pieces),
        ("an open file stays the one it was", stays_open),
        ("only regular files are opened", only_files),
        ("a copy has all of the original but its names", copies),
        ("a copy replaces nothing", replaces_nothing),
        ("a copy shares blocks when it must, or is refused", reflinks),
        ("what a killed copy left is in nobody's way", leftovers),
        ("metadata is given, and what cannot be is told", gives_metadata),
        ("directories have metadata too", directories),
        ("only empty directories are removed", removes_directories),
        ("symbolic links are made and read, or refused", symlinks),
    ]
}

impl Ground<'_> {
    fn at<'a>(&'a self, name: &'a str) -> At<'a> {
        At::new(&self.dir, Name::new(name))
    }

    fn content(&self, name: &str) -> Vec<u8> {
        let file = self.fs.open_file(self.at(name)).unwrap();
        let len = usize::try_from(file.stat().unwrap().size).unwrap();
        let mut bytes = vec![0; len + 1];
        let read = file.read_full(0, &mut bytes).unwrap();
        assert_eq!(read, len, "{name}");
        bytes.truncate(len);
        bytes
    }

    fn metadata(&self, name: &str) -> Metadata {
        // reading is not what is asked about
        Metadata {
            accessed: None,
            ..self.exactly(name)
        }
    }

    /// Metadata, but for the creation time where Wine has none of its own.
    fn exactly(&self, name: &str) -> Metadata {
        forgiven(self.fs.metadata(self.at(name)).unwrap())
    }

    /// Gives a file its metadata, all of which the file system keeps.
    #[track_caller]
    fn give(&self, name: &str, to: &Metadata) {
        kept(&self.fs.set_metadata(self.at(name), to).unwrap());
    }

    fn names(&self) -> Vec<String> {
        let fs: &dyn LinkFs = self.fs;
        // a directory handle is read from where it stands, so every list takes a handle of its own
        let names = fs.names_in(&self.dir).unwrap();
        let mut names: Vec<String> = names
            .iter()
            .map(|name| name.name().text().unwrap().to_owned())
            .collect();
        names.sort();
        names
    }
}

/// Whether what Wine alone does differently is forgiven: Unix lets nobody set creation times.
fn is_wine() -> bool {
    std::env::var_os("POLYLINK_UNDER_WINE").is_some()
}

fn forgiven(mut metadata: Metadata) -> Metadata {
    metadata.created = metadata.created.filter(|_| !is_wine());
    metadata
}

#[track_caller]
fn kept(lost: &[Lost]) {
    let lost: Vec<Lost> = lost
        .iter()
        .copied()
        .filter(|lost| !(is_wine() && *lost == Lost::Times))
        .collect();
    assert_eq!(lost, []);
}

#[track_caller]
fn refused<T>(answer: Result<T, Fault>, kind: FaultKind) {
    match answer {
        Ok(_) => panic!("not refused, {kind:?} expected"),
        Err(fault) => assert_eq!(fault.kind(), kind, "{fault}"),
    }
}

fn read_in_pieces(ground: &Ground<'_>) {
    for (name, len) in [("none", 0), ("few", 100), ("some", 10_000), ("many", 3_000_000)] {
        (ground.make)(name, len, 7);
        let whole = ground.content(name);
        assert_eq!(whole.len() as u64, len);
        let file = ground.fs.open_file(ground.at(name)).unwrap();
        for offset in [0, 1, 99, 4095, 4097, 1_000_003, len] {
            let mut piece = vec![0; 1000];
            let read = file.read_full(offset, &mut piece).unwrap();
            let start = usize::try_from(offset).unwrap().min(whole.len());
            let end = (start + 1000).min(whole.len());
            assert_eq!(&piece[..read], &whole[start..end], "{name} from {offset}");
        }
        assert_eq!(file.read_at(len + 1_000_000, &mut [0; 9]).unwrap(), 0);
        assert_eq!(file.read_at(0, &mut []).unwrap(), 0);
    }
    (ground.make)("equal", 10_000, 7);
    (ground.make)("other", 10_000, 8 << 16);
    assert_eq!(ground.content("some"), ground.content("equal"));
    assert_ne!(ground.content("some"), ground.content("other"));
}

fn stays_open(ground: &Ground<'_>) {
    (ground.make)("a", 10_000, 1);
    (ground.make)("b", 500, 2 << 16);
    ground.fs.link(ground.at("a"), ground.at("kept")).unwrap();
    let file = ground.fs.open_file(ground.at("a")).unwrap();
    let (before, id) = (ground.content("a"), file.stat().unwrap().id);
    // Windows before 10 lets nobody replace what is open
    let links = match ground
        .fs
        .rename(ground.at("b"), ground.at("a"), Existing::Replace)
    {
        Err(fault) if cfg!(windows) => {
            assert!(
                matches!(fault.kind(), FaultKind::AccessDenied | FaultKind::Busy),
                "{fault}"
            );
            assert_eq!(ground.content("b").len(), 500);
            2
        }
        renamed => {
            renamed.unwrap();
            assert_eq!(ground.content("a").len(), 500);
            1
        }
    };
    let stat = file.stat().unwrap();
    assert_eq!((stat.id, stat.links, stat.size), (id, links, 10_000));
    let mut bytes = vec![0; 10_000];
    assert_eq!(file.read_full(0, &mut bytes).unwrap(), 10_000);
    assert_eq!(bytes, before);
}

fn only_files(ground: &Ground<'_>) {
    ground.fs.make_dir(ground.at("d")).unwrap();
    refused(ground.fs.open_file(ground.at("d")), FaultKind::IsDirectory);
    refused(ground.fs.open_file(ground.at("missing")), FaultKind::NotFound);
    refused(ground.fs.metadata(ground.at("missing")), FaultKind::NotFound);
    refused(
        ground.fs.copy(ground.at("d"), ground.at("e"), PLAIN),
        FaultKind::IsDirectory,
    );
    refused(
        ground.fs.copy(ground.at("missing"), ground.at("e"), PLAIN),
        FaultKind::NotFound,
    );
    assert_eq!(ground.names(), ["d"]);
}

fn copies(ground: &Ground<'_>) {
    for (index, len) in [0_u64, 1, 700, 70_000, 3_000_001].into_iter().enumerate() {
        let (name, copy) = (format!("file {index}"), format!("copy {index}"));
        (ground.make)(&name, len, index as u64 + 10);
        ground
            .fs
            .link(ground.at(&name), ground.at(&format!("link {index}")))
            .unwrap();
        let mut wanted = ground.fs.metadata(ground.at(&name)).unwrap();
        wanted.modified = 1_000_000_000_123_456_700 + index as i128 * 100;
        ground.give(&name, &wanted);
        let before = ground.fs.stat(ground.at(&name)).unwrap();
        let how = CopyHow {
            sync: index % 2 == 0,
            ..PLAIN
        };
        let copied = ground.fs.copy(ground.at(&name), ground.at(&copy), how).unwrap();
        kept(&copied.lost);
        assert_eq!(ground.fs.stat(ground.at(&copy)).unwrap(), copied.stat);
        assert_ne!(copied.stat.id, before.id);
        assert_eq!((copied.stat.links, copied.stat.size), (1, len));
        assert_eq!(ground.content(&copy), ground.content(&name));
        assert_eq!(ground.metadata(&copy), ground.metadata(&name));
        assert_eq!(ground.metadata(&name).modified, wanted.modified);
        let after = ground.fs.stat(ground.at(&name)).unwrap();
        assert_eq!(
            (after.id, after.links, after.modified),
            (before.id, 2, before.modified)
        );
    }
    assert_eq!(ground.names().len(), 15);
}

fn replaces_nothing(ground: &Ground<'_>) {
    (ground.make)("a", 5000, 1);
    (ground.make)("b", 5000, 2 << 16);
    ground.fs.make_dir(ground.at("d")).unwrap();
    let (a, b) = (ground.content("a"), ground.content("b"));
    for taken in ["a", "b", "d"] {
        refused(
            ground.fs.copy(ground.at("a"), ground.at(taken), PLAIN),
            FaultKind::Exists,
        );
    }
    assert_eq!((ground.content("a"), ground.content("b")), (a, b));
    assert_eq!(ground.names(), ["a", "b", "d"]);
}

fn reflinks(ground: &Ground<'_>) {
    (ground.make)("a", 70_000, 1);
    let how = CopyHow {
        reflink: Reflink::Always,
        sync: false,
    };
    match ground.fs.copy(ground.at("a"), ground.at("b"), how) {
        Ok(copied) => {
            assert!(copied.reflinked);
            assert_eq!(ground.content("a"), ground.content("b"));
        }
        Err(fault) => {
            assert_eq!(fault.kind(), FaultKind::Unsupported, "{fault}");
            assert_eq!(ground.names(), ["a"]);
        }
    }
    let how = CopyHow {
        reflink: Reflink::Never,
        sync: true,
    };
    assert!(
        !ground
            .fs
            .copy(ground.at("a"), ground.at("c"), how)
            .unwrap()
            .reflinked
    );
    assert_eq!(ground.content("a"), ground.content("c"));
}

fn leftovers(ground: &Ground<'_>) {
    (ground.make)("a", 5000, 1);
    let part = part_name(Name::new("b"));
    let part = part.name().text().unwrap();
    (ground.make)(part, 10, 2 << 16);
    ground.fs.copy(ground.at("a"), ground.at("b"), PLAIN).unwrap();
    assert_eq!(ground.content("a"), ground.content("b"));
    remove_part(ground.fs, ground.at("b")).unwrap();
    remove_part(ground.fs, ground.at("b")).unwrap();
    assert_eq!(ground.names(), ["a", "b"]);
    assert!(!ground.names().iter().any(|name| is_part_name(Name::new(name))));
}

fn gives_metadata(ground: &Ground<'_>) {
    (ground.make)("a", 5000, 1);
    let plain = ground.fs.metadata(ground.at("a")).unwrap();
    let mut wanted = plain.clone();
    wanted.modified = 1_111_111_111_111_111_100;
    wanted.accessed = plain.accessed.map(|_| 1_222_222_222_222_222_200);
    wanted.created = plain.created.map(|_| 1_000_000_000_000_000_000);
    wanted
        .extended
        .insert(b"user.polylink".to_vec(), b"value".to_vec());
    // FILE_ATTRIBUTE_HIDDEN and _ARCHIVE
    wanted.attributes = plain.attributes.map(|_| 0x22);
    let mut lost = ground.fs.set_metadata(ground.at("a"), &wanted).unwrap();
    lost.retain(|lost| !(is_wine() && *lost == Lost::Times));
    let mut expected = forgiven(wanted.clone());
    match lost.as_slice() {
        [] => {}
        [Lost::Extended] => expected.extended.clone_from(&plain.extended),
        lost => panic!("{lost:?}"),
    }
    assert_eq!(ground.exactly("a"), expected);
    assert_eq!(ground.fs.stat(ground.at("a")).unwrap().modified, wanted.modified);
    // and all of it goes with a copy
    ground.fs.copy(ground.at("a"), ground.at("b"), PLAIN).unwrap();
    expected.accessed = None;
    assert_eq!(ground.metadata("b"), expected);
    // back to what it was; other values shorter and longer than before
    if lost.is_empty() {
        for value in [&b""[..], b"v", &[7; 2000]] {
            wanted.extended.insert(b"user.polylink".to_vec(), value.to_vec());
            ground.give("a", &wanted);
            assert_eq!(ground.exactly("a"), forgiven(wanted.clone()));
        }
    }
    ground.give("a", &plain);
    assert_eq!(ground.exactly("a"), forgiven(plain.clone()));
    // what this file system does not have is told, not dropped
    let mut foreign = plain.clone();
    foreign.mode = Some(plain.mode.unwrap_or(0o640));
    foreign.owner = Some(plain.owner.unwrap_or(1000));
    let lost = ground.fs.set_metadata(ground.at("a"), &foreign).unwrap();
    assert_eq!(
        lost.contains(&Lost::Mode),
        plain.mode.is_none() && !is_model(&plain)
    );
    assert_eq!(
        lost.contains(&Lost::Owner),
        plain.owner.is_none() && !is_model(&plain)
    );
}

/// The model keeps whatever it is given.
fn is_model(metadata: &Metadata) -> bool {
    metadata.mode.is_none() && metadata.attributes.is_none()
}

fn directories(ground: &Ground<'_>) {
    ground.fs.make_dir(ground.at("d")).unwrap();
    let dir = ground.fs.open_child(ground.at("d")).unwrap();
    let mut wanted = ground.fs.dir_metadata(&dir).unwrap();
    wanted.modified = 1_111_111_111_111_111_100;
    kept(&ground.fs.set_dir_metadata(&dir, &wanted).unwrap());
    let found = ground.fs.dir_metadata(&dir).unwrap();
    assert_eq!(
        (found.modified, &found.extended),
        (wanted.modified, &wanted.extended)
    );
    assert_eq!(ground.metadata("d").modified, wanted.modified);
    assert_eq!(ground.fs.stat(ground.at("d")).unwrap().kind, Kind::Directory);
}

fn removes_directories(ground: &Ground<'_>) {
    ground.fs.make_dir(ground.at("d")).unwrap();
    (ground.make)("f", 5, 1);
    let dir = ground.fs.open_child(ground.at("d")).unwrap();
    ground
        .fs
        .link(ground.at("f"), At::new(&dir, Name::new("in")))
        .unwrap();
    refused(ground.fs.remove_dir(ground.at("d")), FaultKind::NotEmpty);
    refused(ground.fs.remove_dir(ground.at("f")), FaultKind::NotDirectory);
    refused(ground.fs.remove_dir(ground.at("missing")), FaultKind::NotFound);
    assert_eq!(ground.fs.stat(ground.at("f")).unwrap().links, 2);
    ground.fs.unlink(At::new(&dir, Name::new("in"))).unwrap();
    drop(dir);
    ground.fs.remove_dir(ground.at("d")).unwrap();
    assert_eq!(ground.names(), ["f"]);
}

fn symlinks(ground: &Ground<'_>) {
    (ground.make)("f", 5, 1);
    refused(ground.fs.read_symlink(ground.at("f")), FaultKind::NameInvalid);
    refused(ground.fs.make_symlink(b"x", ground.at("f")), FaultKind::Exists);
    match ground.fs.make_symlink(b"../some where", ground.at("s")) {
        Ok(()) => {
            assert_eq!(ground.fs.read_symlink(ground.at("s")).unwrap(), b"../some where");
            assert_eq!(ground.fs.stat(ground.at("s")).unwrap().kind, Kind::Symlink);
            refused(ground.fs.open_file(ground.at("s")), FaultKind::SymlinkMet);
            refused(
                ground.fs.copy(ground.at("s"), ground.at("t"), PLAIN),
                FaultKind::SymlinkMet,
            );
            refused(ground.fs.remove_dir(ground.at("s")), FaultKind::NotDirectory);
        }
        Err(fault) => {
            assert_eq!(fault.kind(), FaultKind::Unsupported, "{fault}");
            assert_eq!(ground.names(), ["f"]);
        }
    }
}

#[cfg(test)]
mod tests {
    use polylink_core::MemFs;

    use super::*;

    #[test]
    fn the_model_keeps_what_is_promised() {
        for (_, check) in checks() {
            let fs = MemFs::new();
            fs.mkdir("/d").unwrap();
            check(&Ground {
                fs: &fs,
                dir: fs.open_dir("/d".as_ref()).unwrap(),
                make: &|name, len, content| {
                    fs.create_with(format!("/d/{name}"), len, content).unwrap();
                },
            });
        }
    }
}
