//! What only Windows itself, on NTFS, can confirm: `cargo test --workspace -- --ignored real_windows`.
//!
//! Each of these states what the documents say, or what follows from them; one that fails has found something out.
//! Those on symbolic links need the developer mode, or an administrator.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use polylink_core::{
    At, Code, DirIds, Existing, Fault, FaultKind, FsResult, HardLinks, Kind, LinkFs as _, Name,
};
use polylink_host::door::{Door, link_through};
use polylink_host::facts;
use polylink_nt::NtStatus;

use crate::env::{Folder, entries};

const SHARE_READ: u32 = 1;
const SHARE_WRITE: u32 = 2;
const SHARE_DELETE: u32 = 4;

fn link(folder: &Folder, door: Door, existing: &str, new: &str, on: Existing) -> FsResult<()> {
    link_through(door, &folder.path(existing), &folder.path(new), on)
}

fn status(status: NtStatus) -> Result<(), Fault> {
    Err(status.into())
}

/// Runs a command of the shell; its output.
fn cmd(folder: &Folder, line: &[&str]) -> String {
    let ran = Command::new("cmd")
        .arg("/c")
        .args(line)
        .current_dir(folder.path(""))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(
        ran.status.success(),
        "{line:?}: {text}{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    text
}

/// Gives a file names until it is refused; how many it has then, and the refusal.
fn fill(folder: &Folder, name: &str) -> (u64, Fault) {
    let refused = (0..5000)
        .find_map(|i| folder.link(name, &format!("n{i}")).err())
        .expect("no limit was met");
    (folder.stat(name).links, refused)
}

fn has_short_name(folder: &Folder) -> bool {
    cmd(folder, &["dir", "/x"]).contains("~1")
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_a_file_without_8_3_twin_has_1024_names_and_every_door_refuses_the_next() {
    let folder = Folder::new();
    folder.file("A.TXT");
    assert!(!has_short_name(&folder));
    let (names, refused) = fill(&folder, "A.TXT");
    assert_eq!(names, 1024);
    assert_eq!(refused, NtStatus::TOO_MANY_LINKS.into());
    assert_eq!(
        link(&folder, Door::Native, "A.TXT", "next", Existing::Keep),
        status(NtStatus::TOO_MANY_LINKS)
    );
    for door in [Door::Create, Door::Move] {
        let refused = link(&folder, door, "A.TXT", "next", Existing::Keep).unwrap_err();
        assert_eq!(refused.code(), Code::Win32(1142), "{door:?}");
        assert_eq!(refused.kind(), FaultKind::TooManyLinks);
    }
    let volume = folder.fs.volume(&folder.dir).unwrap();
    assert_eq!(volume.link_limit, Some(names));
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_the_8_3_twin_is_not_counted_against_the_1024_names() {
    let folder = Folder::new();
    let name = "a name that is not 8.3.text";
    folder.file(name);
    assert!(
        has_short_name(&folder),
        "no 8.3 names are made on this volume: fsutil 8dot3name set C: 0"
    );
    let (names, refused) = fill(&folder, name);
    assert_eq!(refused, NtStatus::TOO_MANY_LINKS.into());
    assert_eq!(names, 1024, "1023 would mean that the twin counts");
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_at_the_limit_even_a_replacing_link_is_refused() {
    let folder = Folder::new();
    folder.file("A.TXT");
    folder.file("victim");
    assert_eq!(fill(&folder, "A.TXT").0, 1024);
    for new in ["victim", "n0"] {
        assert_eq!(
            link(&folder, Door::Native, "A.TXT", new, Existing::Replace),
            status(NtStatus::TOO_MANY_LINKS)
        );
    }
    assert_eq!(folder.read("victim"), "victim");
    assert_eq!(folder.stat("A.TXT").links, 1024);
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_every_name_is_told_wherever_it_is() {
    let folder = Folder::new();
    folder.file("a name that is not 8.3.text");
    folder.fs.make_dir(folder.at("d")).unwrap();
    let dir = folder.fs.open_child(folder.at("d")).unwrap();
    let lone = &b"\xED\xA0\xBDx"[..];
    let existing = folder.at("a name that is not 8.3.text");
    for name in [&b"b"[..], b"dot.", lone] {
        folder.fs.link(existing, At::new(&dir, Name::new(name))).unwrap();
    }
    let base = facts::absolute(&folder.path("")).unwrap();
    let names = folder.fs.names_of(existing).unwrap().expect("NTFS knows them");
    assert_eq!(names.len(), 4, "the 8.3 twin is no name of its own: {names:?}");
    assert!(names.contains(&base.join("a name that is not 8.3.text")));
    assert!(names.contains(&base.join("d").join("b")));
    let verbatim = PathBuf::from(format!(r"\\?\{}\d\dot.", base.display()));
    assert!(names.contains(&verbatim), "{names:?}");
    let lone_path = base.join("d").join(Name::new(lone).to_os().unwrap());
    assert!(names.contains(&lone_path), "{names:?}");
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_a_thousand_names_are_told() {
    let folder = Folder::new();
    folder.file("a");
    for i in 0..1000 {
        folder.link("a", &format!("{i:04} {}", "x".repeat(200))).unwrap();
    }
    assert_eq!(folder.fs.names_of(folder.at("a")).unwrap().unwrap().len(), 1001);
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_the_move_makes_links_and_replaces() {
    let folder = Folder::new();
    folder.file("a");
    folder.file("victim");
    let id = folder.stat("a").id;
    link(&folder, Door::Move, "a", "b", Existing::Keep).unwrap();
    assert_eq!(folder.stat("b").id, id);
    assert_eq!(folder.stat("a").links, 2);
    link(&folder, Door::Move, "a", "victim", Existing::Replace).unwrap();
    assert_eq!(folder.stat("victim").id, id);
    assert_eq!(folder.stat("a").links, 3);
    folder.holds(&["a", "b", "victim"]);
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_the_move_refuses_with_the_codes_of_win32() {
    let folder = Folder::new();
    folder.file("a");
    folder.file("b");
    folder.fs.make_dir(folder.at("d")).unwrap();
    for (existing, new, on, code) in [
        ("a", "b", Existing::Keep, 183),
        ("a", "d", Existing::Replace, 5),
        ("d", "e", Existing::Keep, 5),
        ("a", "missing/e", Existing::Keep, 3),
    ] {
        let refused = link(&folder, Door::Move, existing, new, on).unwrap_err();
        assert_eq!(refused.code(), Code::Win32(code), "{existing} {new}");
    }
    folder.holds(&["a", "b", "d"]);
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_a_file_that_nobody_may_share_is_linked_but_not_by_the_move() {
    let folder = Folder::new();
    folder.file("a");
    let held = OpenOptions::new()
        .read(true)
        .write(true)
        .share_mode(0)
        .open(folder.path("a"))
        .unwrap();
    link(&folder, Door::Create, "a", "b", Existing::Keep).unwrap();
    link(&folder, Door::Native, "a", "c", Existing::Keep).unwrap();
    folder.link("a", "d").unwrap();
    let refused = link(&folder, Door::Move, "a", "e", Existing::Keep).unwrap_err();
    assert_eq!(refused.code(), Code::Win32(32), "it asks for DELETE");
    assert_eq!(folder.stat("a").links, 4);
    drop(held);
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_an_open_file_that_is_replaced_stays_usable_for_its_holder() {
    for replace in [Replace::Link, Replace::Rename] {
        let folder = Folder::new();
        folder.file("new");
        folder.file("victim");
        let mut held = OpenOptions::new()
            .read(true)
            .share_mode(SHARE_READ | SHARE_WRITE | SHARE_DELETE)
            .open(folder.path("victim"))
            .unwrap();
        replace.run(&folder).unwrap();
        assert_eq!(folder.read("victim"), "new");
        let mut old = String::new();
        held.read_to_string(&mut old).unwrap();
        assert_eq!(old, "victim");
    }
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_an_open_file_that_is_not_shared_for_deletion_is_not_replaced() {
    for replace in [Replace::Link, Replace::Rename] {
        let folder = Folder::new();
        folder.file("new");
        folder.file("victim");
        let held = OpenOptions::new()
            .read(true)
            .share_mode(SHARE_READ | SHARE_WRITE)
            .open(folder.path("victim"))
            .unwrap();
        assert_eq!(replace.run(&folder), status(NtStatus::SHARING_VIOLATION));
        assert_eq!(folder.read("new"), "new");
        drop(held);
        assert_eq!(folder.read("victim"), "victim");
    }
}

/// The two ways to replace `victim` by `new`.
#[derive(Clone, Copy, Debug)]
enum Replace {
    Link,
    Rename,
}

impl Replace {
    fn run(self, folder: &Folder) -> FsResult<()> {
        match self {
            Self::Link => link(folder, Door::Native, "new", "victim", Existing::Replace),
            Self::Rename => folder
                .fs
                .rename(folder.at("new"), folder.at("victim"), Existing::Replace),
        }
    }
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_a_name_that_is_removed_is_gone_at_once_although_the_file_is_open() {
    let folder = Folder::new();
    folder.file("a");
    folder.link("a", "b").unwrap();
    let held = OpenOptions::new()
        .read(true)
        .share_mode(SHARE_READ | SHARE_WRITE | SHARE_DELETE)
        .open(folder.path("a"))
        .unwrap();
    folder.fs.unlink(folder.at("a")).unwrap();
    folder.holds(&["b"]);
    folder.link("b", "a").unwrap();
    drop(held);
    folder.holds(&["a", "b"]);
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_a_parent_that_is_missing_is_told_before_a_source_that_is_a_directory() {
    let folder = Folder::new();
    folder.fs.make_dir(folder.at("d")).unwrap();
    // the I/O manager opens the parent before the file system looks at the source
    assert_eq!(
        link(&folder, Door::Native, "d", "missing/x", Existing::Keep),
        status(NtStatus::OBJECT_PATH_NOT_FOUND)
    );
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_a_new_name_below_a_file_is_an_invalid_parameter() {
    let folder = Folder::new();
    folder.file("a");
    folder.file("f");
    assert_eq!(
        link(&folder, Door::Native, "a", "f/x", Existing::Keep),
        status(NtStatus::INVALID_PARAMETER)
    );
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_a_directory_is_not_replaced_and_a_directory_is_no_source() {
    let folder = Folder::new();
    folder.file("a");
    folder.fs.make_dir(folder.at("d")).unwrap();
    let onto = link(&folder, Door::Native, "a", "d", Existing::Replace);
    assert_eq!(onto, status(NtStatus::ACCESS_DENIED));
    let from = link(&folder, Door::Native, "d", "a", Existing::Replace);
    assert_eq!(from, status(NtStatus::FILE_IS_A_DIRECTORY));
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_a_link_over_itself_in_another_case_changes_the_case() {
    let folder = Folder::new();
    folder.file("name");
    link(&folder, Door::Native, "name", "NAME", Existing::Replace).unwrap();
    folder.holds(&["NAME"]);
    assert_eq!(folder.stat("name").links, 1);
    folder
        .fs
        .rename(folder.at("NAME"), folder.at("Name"), Existing::Keep)
        .unwrap();
    folder.holds(&["Name"]);
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_another_name_of_the_file_is_replaced_without_losing_one() {
    let folder = Folder::new();
    folder.file("a");
    folder.link("a", "b").unwrap();
    link(&folder, Door::Native, "a", "b", Existing::Replace).unwrap();
    assert_eq!(folder.stat("a").links, 2);
    folder.holds(&["a", "b"]);
    // a rename, unlike POSIX, takes one
    folder
        .fs
        .rename(folder.at("a"), folder.at("b"), Existing::Replace)
        .unwrap();
    assert_eq!(folder.stat("b").links, 1);
    folder.holds(&["b"]);
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_names_are_any_utf16_units() {
    let folder = Folder::new();
    folder.file("a");
    let fire = "\u{1F525}".repeat(64);
    let names: [&[u8]; 4] = [
        b"\xED\xA0\xBD",
        b"\xED\xB4\xA5",
        b"\xED\xB4\xA5\xED\xA0\xBD",
        fire.as_bytes(),
    ];
    for name in names {
        folder.fs.link(folder.at("a"), folder.at(name)).unwrap();
        assert_eq!(folder.fs.stat(folder.at(name)).unwrap().id, folder.stat("a").id);
        assert!(
            entries(&folder.fs, &folder.dir)
                .iter()
                .any(|entry| entry.0.bytes() == name)
        );
    }
    for name in names {
        folder.fs.unlink(folder.at(name)).unwrap();
    }
    folder.holds(&["a"]);
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_a_link_to_a_symbolic_link_is_a_name_of_that_link() {
    let folder = Folder::new();
    folder.file("target");
    std::os::windows::fs::symlink_file("target", folder.path("s")).unwrap();
    assert_eq!(folder.stat("s").kind, Kind::Symlink);
    for door in Door::ALL {
        link(&folder, door, "s", door.name(), Existing::Keep).unwrap();
        assert_eq!(folder.stat(door.name()).kind, Kind::Symlink, "{door:?}");
    }
    folder.link("s", "z").unwrap();
    assert_eq!(folder.stat("z").id, folder.stat("s").id);
    assert_eq!(folder.stat("s").links, 5);
    assert_eq!(folder.stat("target").links, 1);
    let kinds = entries(&folder.fs, &folder.dir);
    assert_eq!(kinds.iter().filter(|entry| entry.1 == Kind::Symlink).count(), 5);
    folder.fs.unlink(folder.at("s")).unwrap();
    assert_eq!(folder.read("target"), "target");
}

fn assert_is_link_to_directory(folder: &Folder, name: &str) {
    assert_eq!(folder.stat(name).kind, Kind::Symlink);
    let kinds = entries(&folder.fs, &folder.dir);
    let found = kinds
        .iter()
        .find(|entry| entry.0.bytes() == name.as_bytes())
        .unwrap();
    assert_eq!((found.1, found.2), (Kind::Symlink, folder.stat(name).id));
    let opened = folder.fs.open_child(folder.at(name)).map(drop);
    assert_eq!(opened.unwrap_err().kind(), FaultKind::SymlinkMet);
    let followed = folder.fs.open_dir(&folder.path(name)).unwrap();
    assert_eq!(entries(&folder.fs, &followed).len(), 1);
    assert_eq!(folder.link(name, "x"), status(NtStatus::FILE_IS_A_DIRECTORY));
    assert_eq!(
        folder.fs.unlink(folder.at(name)),
        status(NtStatus::FILE_IS_A_DIRECTORY)
    );
}

fn with_directory() -> Folder {
    let folder = Folder::new();
    folder.fs.make_dir(folder.at("d")).unwrap();
    std::fs::write(folder.path("d").join("inside"), "").unwrap();
    folder
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_a_junction_is_a_link_and_not_walked_through() {
    let folder = with_directory();
    cmd(&folder, &["mklink", "/J", "j", "d"]);
    assert_is_link_to_directory(&folder, "j");
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_a_symbolic_link_to_a_directory_is_not_walked_through() {
    let folder = with_directory();
    std::os::windows::fs::symlink_dir("d", folder.path("s")).unwrap();
    assert_is_link_to_directory(&folder, "s");
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_links_below_a_directory_that_was_moved_are_made_where_it_is() {
    let folder = with_directory();
    let dir = folder.fs.open_child(folder.at("d")).unwrap();
    std::fs::rename(folder.path("d"), folder.path("e")).unwrap();
    std::fs::create_dir(folder.path("d")).unwrap();
    let at = |name| At::new(&dir, Name::new(name));
    folder.fs.link(at("inside"), at("new")).unwrap();
    assert!(folder.path("e").join("new").exists());
    assert!(!folder.path("d").join("new").exists());
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_a_directory_can_be_case_sensitive_on_its_own() {
    let folder = Folder::new();
    cmd(
        &folder,
        &["fsutil", "file", "setCaseSensitiveInfo", ".", "enable"],
    );
    let rules = folder.fs.volume(&folder.dir).unwrap().names;
    assert_ne!(rules.key(Name::new("a")), rules.key(Name::new("A")));
    folder.file("a");
    folder.link("a", "A").unwrap();
    folder.holds(&["A", "a"]);
    folder.fs.unlink(folder.at("A")).unwrap();
    folder.holds(&["a"]);
    let kept = folder.fs.rename(folder.at("a"), folder.at("A"), Existing::Keep);
    kept.unwrap();
    folder.holds(&["A"]);
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_ntfs_is_trusted_and_known() {
    let folder = Folder::new();
    let info = folder.fs.volume(&folder.dir).unwrap();
    assert_eq!(info.kind, "NTFS");
    assert_eq!(info.dir_ids, DirIds::Trusted);
    assert_eq!(info.hard_links, HardLinks::Yes);
    let root = facts::mount_of(&folder.path("")).unwrap().point;
    let dir = folder.fs.open_dir(&root).unwrap();
    let listed = entries(&folder.fs, &dir);
    assert!(!listed.is_empty());
    for (name, kind, id) in listed {
        // some at the top of the system's volume cannot be opened by anybody
        if let Ok(stat) = folder.fs.stat(At::new(&dir, name.name())) {
            assert_eq!((stat.kind, stat.id), (kind, id), "{name:?}");
        }
    }
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_two_volumes_are_told_apart_by_every_door() {
    let folder = Folder::new();
    let file = folder.file("a");
    let here = folder.stat("a").id.volume;
    let other = ('C'..='Z')
        .filter_map(|letter| tempfile::tempdir_in(format!(r"{letter}:\")).ok())
        .find(|other| {
            let dir = folder.fs.open_dir(other.path()).unwrap();
            folder.fs.volume(&dir).unwrap().volume != here
        })
        .expect("a second volume is needed, such as one made by diskpart from a vhd file");
    let new = other.path().join("b");
    let code = |door| {
        link_through(door, &file, &new, Existing::Keep)
            .unwrap_err()
            .code()
    };
    assert_eq!(code(Door::Create), Code::Win32(17));
    assert_eq!(
        code(Door::Native),
        Code::NtStatus(NtStatus::NOT_SAME_DEVICE.code())
    );
    assert_eq!(code(Door::Move), Code::Win32(17));
    assert!(!new.exists());
    assert!(Path::new(&file).exists());
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_streams_holes_and_access_lists_go_with_a_copy() {
    use polylink_core::{CopyHow, FileFs as _, Reflink};
    let folder = Folder::new();
    folder.file("a");
    std::fs::write(folder.path("a:beside"), "stream").unwrap();
    cmd(&folder, &["fsutil", "sparse", "setflag", "a"]);
    let file = OpenOptions::new().write(true).open(folder.path("a")).unwrap();
    file.set_len(50 << 20).unwrap();
    drop(file);
    cmd(&folder, &["icacls", "a", "/grant", "Everyone:(R)"]);
    let before = folder.fs.metadata(folder.at("a")).unwrap();
    assert_eq!(before.extended[&b"beside"[..]], b"stream");
    let how = CopyHow {
        reflink: Reflink::Auto,
        sync: true,
    };
    let copied = folder.fs.copy(folder.at("a"), folder.at("b"), how).unwrap();
    assert_eq!(copied.lost, []);
    assert_eq!(copied.stat.size, 50 << 20);
    assert!(copied.stat.allocated < 1 << 20, "{}", copied.stat.allocated);
    let after = folder.fs.metadata(folder.at("b")).unwrap();
    assert_eq!(
        (after.modified, after.attributes, &after.extended),
        (before.modified, before.attributes, &before.extended)
    );
    // and a stream goes again where the metadata has none
    let mut plain = before.clone();
    plain.extended.remove(&b"beside"[..]);
    assert_eq!(folder.fs.set_metadata(folder.at("b"), &plain).unwrap(), []);
    assert!(std::fs::metadata(folder.path("b:beside")).is_err());
}
