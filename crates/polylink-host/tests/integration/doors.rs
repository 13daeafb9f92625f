//! The three calls of Windows that make a hard link. What holds for a door on Windows holds on Wine, but for the move.

use std::path::PathBuf;

use polylink_core::{Code, Existing, Fault, FaultKind, FsResult, LinkFs as _};
use polylink_host::door::{Door, link_through};
use polylink_nt::NtStatus;

use crate::env::Folder;

fn link(folder: &Folder, door: Door, existing: &str, new: &str, on: Existing) -> FsResult<()> {
    link_through(door, &folder.path(existing), &folder.path(new), on)
}

fn win32(fault: Fault) -> (FaultKind, Code) {
    (fault.kind(), fault.code())
}

#[test]
fn create_and_native_make_a_further_name() {
    for door in [Door::Create, Door::Native] {
        let folder = Folder::new();
        folder.file("a");
        assert!(door.exists_here());
        link(&folder, door, "a", "b", Existing::Keep).unwrap();
        assert_eq!(folder.stat("b").links, 2, "{door:?}");
        assert_eq!(folder.stat("b").id, folder.stat("a").id);
        folder.holds(&["a", "b"]);
    }
}

#[test]
fn create_refuses_with_the_codes_of_win32() {
    let folder = Folder::new();
    folder.file("a");
    folder.file("b");
    folder.fs.make_dir(folder.at("d")).unwrap();
    for (existing, new, kind, code) in [
        ("a", "b", FaultKind::Exists, 183),
        ("a", "d", FaultKind::Exists, 183),
        ("a", "a", FaultKind::Exists, 183),
        ("d", "e", FaultKind::IsDirectory, 5),
        ("missing", "e", FaultKind::NotFound, 2),
        ("a", "missing/e", FaultKind::NotFound, 3),
        ("missing/a", "e", FaultKind::NotFound, 3),
        ("a", "e*", FaultKind::NameInvalid, 123),
    ] {
        let fault = link(&folder, Door::Create, existing, new, Existing::Keep).unwrap_err();
        assert_eq!(win32(fault), (kind, Code::Win32(code)), "{existing} {new}");
        assert!(fault.symbol().starts_with("ERROR_"));
    }
    folder.holds(&["a", "b", "d"]);
    assert_eq!(folder.stat("a").links, 1);
}

#[test]
fn native_refuses_with_the_statuses_of_nt() {
    let folder = Folder::new();
    folder.file("a");
    folder.file("b");
    folder.fs.make_dir(folder.at("d")).unwrap();
    for (existing, new, status) in [
        ("a", "b", NtStatus::OBJECT_NAME_COLLISION),
        ("a", "d", NtStatus::OBJECT_NAME_COLLISION),
        ("a", "a", NtStatus::OBJECT_NAME_COLLISION),
        ("d", "e", NtStatus::FILE_IS_A_DIRECTORY),
        ("d", "b", NtStatus::FILE_IS_A_DIRECTORY),
        ("missing", "e", NtStatus::OBJECT_NAME_NOT_FOUND),
        ("a", "missing/e", NtStatus::OBJECT_PATH_NOT_FOUND),
        ("missing/a", "e", NtStatus::OBJECT_PATH_NOT_FOUND),
        ("a", "e*", NtStatus::OBJECT_NAME_INVALID),
    ] {
        let fault = link(&folder, Door::Native, existing, new, Existing::Keep).unwrap_err();
        assert_eq!(fault, status.into(), "{existing} {new}");
    }
    folder.holds(&["a", "b", "d"]);
    assert_eq!(folder.stat("a").links, 1);
}

#[test]
fn native_replaces_a_file_but_not_a_directory() {
    let folder = Folder::new();
    folder.file("a");
    folder.file("b");
    folder.fs.make_dir(folder.at("d")).unwrap();
    link(&folder, Door::Native, "a", "b", Existing::Replace).unwrap();
    assert_eq!(folder.stat("b").id, folder.stat("a").id);
    assert_eq!(folder.stat("a").links, 2);
    link(&folder, Door::Native, "a", "a", Existing::Replace).unwrap();
    assert_eq!(folder.stat("a").links, 2);
    link(&folder, Door::Native, "a", "new", Existing::Replace).unwrap();
    assert_eq!(folder.stat("a").links, 3);
    let onto_directory = link(&folder, Door::Native, "a", "d", Existing::Replace).unwrap_err();
    assert!(
        matches!(
            onto_directory.symbol(),
            "STATUS_ACCESS_DENIED" | "STATUS_FILE_IS_A_DIRECTORY"
        ),
        "{onto_directory}"
    );
    let directory = link(&folder, Door::Native, "d", "b", Existing::Replace).unwrap_err();
    assert_eq!(directory, NtStatus::FILE_IS_A_DIRECTORY.into());
    folder.holds(&["a", "b", "d", "new"]);
}

#[test]
fn create_never_replaces() {
    let folder = Folder::new();
    folder.file("a");
    folder.file("b");
    assert!(!Door::Create.can_replace());
    let refused = link(&folder, Door::Create, "a", "b", Existing::Replace).unwrap_err();
    assert_eq!(refused, NtStatus::NOT_SUPPORTED.into());
    assert_eq!(folder.read("b"), "b");
    assert_eq!(folder.stat("a").links, 1);
}

#[test]
fn a_move_makes_a_link_or_leaves_everything_as_it_was() {
    for on in [Existing::Keep, Existing::Replace] {
        let folder = Folder::new();
        folder.file("a");
        folder.link("a", "a2").unwrap();
        folder.file("victim");
        let (before, victim) = (folder.stat("a"), folder.stat("victim"));
        let new = if on == Existing::Keep { "new" } else { "victim" };
        match link(&folder, Door::Move, "a", new, on) {
            Ok(()) => {
                assert_eq!(folder.stat("a").links, 3);
                assert_eq!(folder.stat(new).id, before.id);
            }
            Err(fault) => {
                assert_eq!(fault, NtStatus::NOT_SUPPORTED.into());
                assert_eq!(folder.stat("a"), before, "id, times and links");
                assert_eq!(folder.stat("victim"), victim);
                assert_eq!(folder.read("victim"), "victim");
                folder.holds(&["a", "a2", "victim"]);
            }
        }
    }
}

#[test]
fn a_move_of_what_is_missing_says_so() {
    let folder = Folder::new();
    folder.file("a");
    for (existing, new) in [("missing", "b"), ("a", "missing/b")] {
        let fault = link(&folder, Door::Move, existing, new, Existing::Keep).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::NotFound);
    }
    folder.holds(&["a"]);
}

#[test]
fn a_move_of_a_directory_leaves_it_where_it_is() {
    let folder = Folder::new();
    folder.fs.make_dir(folder.at("d")).unwrap();
    let refused = link(&folder, Door::Move, "d", "e", Existing::Keep).unwrap_err();
    assert!(
        matches!(refused.kind(), FaultKind::IsDirectory | FaultKind::Unsupported),
        "{refused}"
    );
    folder.holds(&["d"]);
}

#[test]
fn paths_are_of_any_length_for_every_door() {
    let folder = Folder::new();
    let mut deep: PathBuf = folder.path("deep");
    std::fs::create_dir(&deep).unwrap();
    while deep.as_os_str().len() < 400 {
        deep.push("a directory with a long name, one of many");
        std::fs::create_dir(&deep).unwrap();
    }
    std::fs::write(deep.join("a"), "").unwrap();
    for door in Door::ALL {
        let new = deep.join(door.name());
        match link_through(door, &deep.join("a"), &new, Existing::Keep) {
            Err(fault) if door == Door::Move => assert_eq!(fault, NtStatus::NOT_SUPPORTED.into()),
            linked => {
                linked.unwrap();
                assert!(new.exists(), "{door:?}");
            }
        }
    }
    let taken = link_through(
        Door::Create,
        &deep.join("a"),
        &deep.join("create"),
        Existing::Keep,
    );
    assert_eq!(win32(taken.unwrap_err()), (FaultKind::Exists, Code::Win32(183)));
}

#[test]
fn paths_that_are_none_are_refused_by_every_door() {
    let folder = Folder::new();
    folder.file("a");
    for door in Door::ALL {
        for (existing, new) in [("", "b"), ("a", ""), ("a\0b", "b"), ("a", "b\0c")] {
            let path = |name: &str| {
                if name.is_empty() {
                    PathBuf::new()
                } else {
                    folder.path(name)
                }
            };
            let refused = link_through(door, &path(existing), &path(new), Existing::Keep).unwrap_err();
            assert!(
                matches!(refused.kind(), FaultKind::NotFound | FaultKind::NameInvalid),
                "{door:?} {existing:?} {new:?}: {refused}"
            );
        }
    }
    folder.holds(&["a"]);
}
