//! What `LinkFs` promises, wherever it runs.

use polylink_core::{At, DirIds, Existing, FaultKind, Kind, LinkFs as _, Name, Replaced, replace_with_link};
use polylink_host::door::{Door, link_through};
use polylink_host::facts;

use crate::env::{Folder, entries};

#[test]
fn a_link_is_a_further_name_of_the_same_file() {
    let folder = Folder::new();
    folder.file("a");
    let before = folder.stat("a");
    assert_eq!((before.links, before.size, before.kind), (1, 1, Kind::File));
    folder.link("a", "b").unwrap();
    assert_eq!(folder.stat("a").links, 2);
    assert_eq!(folder.stat("b").links, 2);
    assert_eq!(folder.stat("b").id, before.id);
    assert_eq!(folder.read("b"), "a");
    folder.holds(&["a", "b"]);
}

#[test]
fn a_link_replaces_nothing() {
    let folder = Folder::new();
    folder.file("a");
    folder.file("b");
    folder.fs.make_dir(folder.at("d")).unwrap();
    for taken in ["a", "b", "d"] {
        assert_eq!(
            folder.link("a", taken).unwrap_err().kind(),
            FaultKind::Exists,
            "{taken}"
        );
    }
    assert_eq!(folder.read("b"), "b");
    assert_eq!(folder.stat("a").links, 1);
}

#[test]
fn what_is_missing_is_not_found() {
    let folder = Folder::new();
    let missing = folder.at("missing");
    let kind = |fault: polylink_core::Fault| fault.kind();
    assert_eq!(
        folder.link("missing", "b").map_err(kind),
        Err(FaultKind::NotFound)
    );
    assert_eq!(
        folder.fs.stat(missing).map(drop).map_err(kind),
        Err(FaultKind::NotFound)
    );
    assert_eq!(folder.fs.unlink(missing).map_err(kind), Err(FaultKind::NotFound));
    assert_eq!(
        folder.fs.open_child(missing).map(drop).map_err(kind),
        Err(FaultKind::NotFound)
    );
    let renamed = folder.fs.rename(missing, folder.at("b"), Existing::Replace);
    assert_eq!(renamed.map_err(kind), Err(FaultKind::NotFound));
    for path in ["missing", "missing/below"] {
        let opened = folder.fs.open_dir(&folder.path(path));
        assert_eq!(opened.map(drop).map_err(kind), Err(FaultKind::NotFound));
    }
    folder.holds(&[]);
}

#[test]
fn a_directory_has_one_name() {
    let folder = Folder::new();
    folder.fs.make_dir(folder.at("d")).unwrap();
    assert!(matches!(
        folder.link("d", "e").unwrap_err().kind(),
        FaultKind::IsDirectory | FaultKind::NotPermitted
    ));
    assert!(matches!(
        folder.fs.unlink(folder.at("d")).unwrap_err().kind(),
        FaultKind::IsDirectory | FaultKind::NotPermitted
    ));
    assert_eq!(
        folder.fs.make_dir(folder.at("d")).unwrap_err().kind(),
        FaultKind::Exists
    );
    folder.holds(&["d"]);
}

#[test]
fn a_rename_replaces_only_when_told_to() {
    let folder = Folder::new();
    folder.file("a");
    folder.file("b");
    let (a, b) = (folder.at("a"), folder.at("b"));
    let id = folder.stat("a").id;
    let kept = folder.fs.rename(a, b, Existing::Keep);
    assert_eq!(kept.unwrap_err().kind(), FaultKind::Exists);
    assert_eq!((folder.read("a"), folder.read("b")), ("a".into(), "b".into()));
    folder.fs.rename(a, b, Existing::Replace).unwrap();
    assert_eq!(folder.stat("b").id, id);
    assert_eq!(folder.read("b"), "a");
    folder.holds(&["b"]);
    folder.fs.rename(b, folder.at("c"), Existing::Keep).unwrap();
    folder.holds(&["c"]);
}

#[test]
fn a_rename_that_must_keep_does_not_take_a_name_from_the_very_file() {
    let folder = Folder::new();
    folder.file("a");
    folder.link("a", "b").unwrap();
    let renamed = folder.fs.rename(folder.at("a"), folder.at("b"), Existing::Keep);
    assert_eq!(renamed.unwrap_err().kind(), FaultKind::Exists);
    folder.holds(&["a", "b"]);
    assert_eq!(folder.stat("a").links, 2);
}

#[test]
fn a_rename_reaches_into_another_directory() {
    let folder = Folder::new();
    folder.file("a");
    folder.fs.make_dir(folder.at("d")).unwrap();
    let dir = folder.fs.open_child(folder.at("d")).unwrap();
    let inside = At::new(&dir, Name::new("x"));
    folder.fs.link(folder.at("a"), inside).unwrap();
    assert_eq!(folder.stat("a").links, 2);
    folder.fs.unlink(inside).unwrap();
    folder
        .fs
        .rename(folder.at("a"), inside, Existing::Replace)
        .unwrap();
    folder.holds(&["d"]);
    assert_eq!(std::fs::read(folder.path("d").join("x")).unwrap(), b"a");
}

#[test]
fn an_unlink_leaves_the_other_names() {
    let folder = Folder::new();
    folder.file("a");
    folder.link("a", "b").unwrap();
    folder.fs.unlink(folder.at("a")).unwrap();
    folder.holds(&["b"]);
    assert_eq!(folder.stat("b").links, 1);
    assert_eq!(folder.read("b"), "a");
    folder.fs.unlink(folder.at("b")).unwrap();
    folder.holds(&[]);
}

#[test]
fn a_name_is_replaced_by_a_link_without_a_temporary_name_left() {
    let folder = Folder::new();
    folder.file("a");
    folder.file("b");
    let (a, b) = (folder.at("a"), folder.at("b"));
    let old = folder.stat("b");
    assert_eq!(
        replace_with_link(&folder.fs, a, b).unwrap(),
        Replaced::Replaced(old)
    );
    assert_eq!(replace_with_link(&folder.fs, a, b).unwrap(), Replaced::Same);
    assert_eq!(folder.stat("b").id, folder.stat("a").id);
    folder.holds(&["a", "b"]);
}

#[test]
fn a_large_directory_is_read_again_and_again_with_the_ids_of_its_files() {
    let folder = Folder::new();
    let names: Vec<String> = (0..1200)
        .map(|i| format!("a file with a longer name than most {i:05}"))
        .collect();
    for name in &names {
        folder.file(name);
    }
    folder.fs.make_dir(folder.at("d")).unwrap();
    let ids = folder.fs.volume(&folder.dir).unwrap().dir_ids;
    for _ in 0..2 {
        let mut found = entries(&folder.fs, &folder.dir);
        found.sort();
        assert_eq!(found.len(), names.len() + 1);
        for ((found, kind, id), name) in found.iter().zip(&names) {
            assert_eq!(found.bytes(), name.as_bytes());
            assert_eq!(*kind, Kind::File);
            if ids == DirIds::Trusted {
                assert_eq!(*id, folder.stat(name).id);
            }
        }
        assert_eq!(found[names.len()].1, Kind::Directory);
    }
}

#[test]
fn an_empty_directory_has_no_entries_and_new_ones_show_up() {
    let folder = Folder::new();
    folder.holds(&[]);
    folder.holds(&[]);
    folder.file("a");
    folder.holds(&["a"]);
}

/// The shortest path that is too long for every old limit of Windows.
fn deep(folder: &Folder) -> std::path::PathBuf {
    let mut path = folder.path("deep");
    std::fs::create_dir(&path).unwrap();
    while path.as_os_str().len() < 400 {
        path.push("a directory with a long name, one of many");
        std::fs::create_dir(&path).unwrap();
    }
    path
}

#[test]
fn paths_of_any_length_are_opened() {
    let folder = Folder::new();
    let deep = deep(&folder);
    std::fs::write(deep.join("a"), "far down").unwrap();
    let dir = folder.fs.open_dir(&deep).unwrap();
    let at = |name| At::new(&dir, Name::new(name));
    folder.fs.link(at("a"), at("b")).unwrap();
    assert_eq!(folder.fs.stat(at("b")).unwrap().links, 2);
    link_through(Door::Create, &deep.join("a"), &deep.join("c"), Existing::Keep).unwrap();
    assert_eq!(folder.fs.stat(at("c")).unwrap().links, 3);
    let absolute = facts::absolute(&deep).unwrap();
    assert_eq!(
        entries(&folder.fs, &folder.fs.open_dir(&absolute).unwrap()).len(),
        3
    );
}

#[test]
fn an_open_directory_stays_the_one_it_was() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("d")).unwrap();
    std::fs::write(folder.path("d").join("f"), "").unwrap();
    let dir = folder.fs.open_dir(&folder.path("d")).unwrap();
    std::fs::rename(folder.path("d"), folder.path("e")).unwrap();
    std::fs::create_dir(folder.path("d")).unwrap();
    let at = |name| At::new(&dir, Name::new(name));
    match folder.fs.link(at("f"), at("g")) {
        // Wine refuses what is below a directory that was moved
        Err(fault) if cfg!(windows) => assert_eq!(fault.symbol(), "STATUS_OBJECT_TYPE_MISMATCH"),
        linked => {
            linked.unwrap();
            assert!(folder.path("e").join("g").exists());
        }
    }
    assert!(!folder.path("d").join("g").exists());
}

#[test]
fn figures_are_those_of_the_file() {
    let folder = Folder::new();
    std::fs::write(folder.path("a"), vec![7; 100_000]).unwrap();
    let stat = folder.stat("a");
    assert_eq!(stat.size, 100_000);
    assert!(stat.allocated >= 4096, "{}", stat.allocated);
    let modified = std::fs::metadata(folder.path("a"))
        .unwrap()
        .modified()
        .unwrap()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let difference = stat.modified - i128::try_from(modified.as_nanos()).unwrap();
    assert!(difference.abs() < 1_000_000, "{difference}");
    assert_eq!(
        folder.stat("a").id.volume,
        folder.fs.stat_dir(&folder.dir).unwrap().id.volume
    );
    assert_eq!(folder.fs.stat_dir(&folder.dir).unwrap().kind, Kind::Directory);
}

#[test]
fn the_volume_tells_space_and_rules() {
    let folder = Folder::new();
    let info = folder.fs.volume(&folder.dir).unwrap();
    assert_eq!(info.volume, folder.fs.stat_dir(&folder.dir).unwrap().id.volume);
    assert!(info.available.unwrap() <= info.total.unwrap());
    assert!(info.free.unwrap() <= info.total.unwrap());
    assert!(info.total.unwrap() > 0);
    assert!(info.names.max_len >= 143, "eCryptfs has the least");
    assert!(!info.read_only);
    assert!(!info.kind.is_empty());
}

#[test]
fn names_reach_the_disk_on_request() {
    let folder = Folder::new();
    folder.file("a");
    folder.link("a", "b").unwrap();
    folder.fs.sync(&folder.dir).unwrap();
    facts::sync(&folder.dir).unwrap();
}

#[test]
fn all_names_of_a_file_are_told_or_none() {
    let folder = Folder::new();
    folder.file("a");
    folder.link("a", "b").unwrap();
    folder.fs.make_dir(folder.at("d")).unwrap();
    let dir = folder.fs.open_child(folder.at("d")).unwrap();
    folder
        .fs
        .link(folder.at("a"), At::new(&dir, Name::new("c")))
        .unwrap();
    // `None` is right where only a search can tell
    if let Some(names) = folder.fs.names_of(folder.at("b")).unwrap() {
        let base = facts::absolute(&folder.path("")).unwrap();
        let mut expected = [base.join("a"), base.join("b"), base.join("d").join("c")];
        expected.sort();
        let mut names = names;
        names.sort();
        assert_eq!(names, expected);
    }
}

#[test]
fn faults_of_the_standard_library_have_their_kind() {
    let folder = Folder::new();
    let error = std::fs::read(folder.path("missing")).unwrap_err();
    assert_eq!(facts::fault_of(&error).unwrap().kind(), FaultKind::NotFound);
    assert!(facts::fault_of(&std::io::Error::other("ours")).is_none());
    let missing = facts::absolute(&folder.path("missing")).unwrap_err();
    assert_eq!(missing.fault.kind(), FaultKind::NotFound);
    assert_eq!(missing.path, folder.path("missing"));
}
