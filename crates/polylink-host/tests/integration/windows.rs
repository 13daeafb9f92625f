//! What Windows adds to the contract. All of it also holds on Wine.

use std::path::Path;

use polylink_core::{At, Existing, Fault, FaultKind, Kind, LinkFs as _, Name, NameUnit};
use polylink_host::facts;
use polylink_nt::NtStatus;

use crate::env::{Folder, entries};

fn status(status: NtStatus) -> Fault {
    status.into()
}

fn set_read_only(path: &Path) {
    let mut permissions = std::fs::metadata(path).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(path, permissions).unwrap();
}

fn is_read_only(path: &Path) -> bool {
    std::fs::metadata(path).unwrap().permissions().readonly()
}

#[test]
fn refusals_carry_the_status_of_nt() {
    let folder = Folder::new();
    folder.file("a");
    folder.file("b");
    folder.fs.make_dir(folder.at("d")).unwrap();
    for (existing, new, expected) in [
        ("a", "b", NtStatus::OBJECT_NAME_COLLISION),
        ("a", "d", NtStatus::OBJECT_NAME_COLLISION),
        ("d", "e", NtStatus::FILE_IS_A_DIRECTORY),
        ("d", "b", NtStatus::FILE_IS_A_DIRECTORY),
        ("missing", "e", NtStatus::OBJECT_NAME_NOT_FOUND),
    ] {
        assert_eq!(
            folder.link(existing, new),
            Err(status(expected)),
            "{existing} {new}"
        );
    }
    assert_eq!(
        folder.fs.unlink(folder.at("d")),
        Err(status(NtStatus::FILE_IS_A_DIRECTORY))
    );
    assert_eq!(
        folder.fs.open_child(folder.at("a")).map(drop),
        Err(status(NtStatus::NOT_A_DIRECTORY))
    );
    assert_eq!(
        folder.fs.open_dir(&folder.path("a")).map(drop),
        Err(status(NtStatus::NOT_A_DIRECTORY))
    );
    assert_eq!(
        folder.fs.open_dir(&folder.path("missing/below")).map(drop),
        Err(status(NtStatus::OBJECT_PATH_NOT_FOUND))
    );
    folder.holds(&["a", "b", "d"]);
}

#[test]
fn a_name_reaches_neither_a_stream_nor_another_directory() {
    let folder = Folder::new();
    folder.file("a");
    folder.file("other");
    folder.fs.make_dir(folder.at("d")).unwrap();
    std::fs::write(folder.path("d").join("inside"), "").unwrap();
    let invalid = Err(status(NtStatus::OBJECT_NAME_INVALID));
    for name in [
        "a:stream",
        "a::$DATA",
        "d\\inside",
        "d/inside",
        "..",
        ".",
        "",
        "a\0",
        "*",
        "o?her",
        "a<",
        "a>",
        "a|",
        "a\"",
        "a\u{1}",
    ] {
        let at = folder.at(name);
        assert_eq!(folder.fs.stat(at).map(drop), invalid, "stat {name:?}");
        assert_eq!(folder.link("a", name), invalid, "link to {name:?}");
        assert_eq!(folder.link(name, "new"), invalid, "link from {name:?}");
        assert_eq!(folder.fs.unlink(at), invalid, "unlink {name:?}");
        assert_eq!(folder.fs.open_child(at).map(drop), invalid, "open {name:?}");
        assert_eq!(folder.fs.make_dir(at), invalid, "make {name:?}");
        for on in [Existing::Keep, Existing::Replace] {
            assert_eq!(
                folder.fs.rename(folder.at("a"), at, on),
                invalid,
                "rename {name:?}"
            );
        }
    }
    folder.holds(&["a", "d", "other"]);
    assert_eq!(folder.stat("a").links, 1);
}

#[test]
fn names_that_win32_would_change_are_kept() {
    let folder = Folder::new();
    folder.file("a");
    let names = ["COM1", "a.", "b ", "c...", "con", "d. .", "nul.txt", "é", "日本"];
    for name in names {
        folder.link("a", name).unwrap();
    }
    for (i, name) in names.iter().enumerate() {
        assert_eq!(folder.stat(name).id, folder.stat("a").id, "{name}");
        assert_eq!(folder.stat(name).links, 10 - i as u64);
        folder.fs.unlink(folder.at(name)).unwrap();
    }
    folder.holds(&["a"]);
}

#[test]
fn a_name_has_255_units_and_not_more() {
    let folder = Folder::new();
    folder.file("a");
    let longest = "x".repeat(255);
    folder.link("a", &longest).unwrap();
    assert_eq!(folder.stat(&longest).links, 2);
    let refused = folder.link("a", &"x".repeat(256)).unwrap_err();
    assert_eq!(refused.kind(), FaultKind::NameTooLong);
    assert_eq!(refused.symbol(), "STATUS_OBJECT_NAME_INVALID");
    assert!(folder.fs.stat(folder.at(&"x".repeat(256))).is_err());
}

#[test]
fn a_read_only_file_loses_a_name_and_stays_read_only_on_the_others() {
    let folder = Folder::new();
    folder.file("a");
    folder.link("a", "b").unwrap();
    set_read_only(&folder.path("a"));
    folder.fs.unlink(folder.at("a")).unwrap();
    folder.holds(&["b"]);
    assert!(is_read_only(&folder.path("b")));
    folder.fs.unlink(folder.at("b")).unwrap();
    folder.holds(&[]);
}

#[test]
fn a_read_only_file_is_replaced_and_stays_read_only_on_its_other_name() {
    let folder = Folder::new();
    folder.file("new");
    folder.file("a");
    folder.link("a", "b").unwrap();
    set_read_only(&folder.path("a"));
    folder
        .fs
        .rename(folder.at("new"), folder.at("a"), Existing::Replace)
        .unwrap();
    assert_eq!((folder.read("a"), folder.read("b")), ("new".into(), "a".into()));
    assert!(is_read_only(&folder.path("b")));
    assert!(!is_read_only(&folder.path("a")));
    // so that the folder can be removed
    folder.fs.unlink(folder.at("b")).unwrap();
}

#[test]
fn a_read_only_file_gets_further_names() {
    let folder = Folder::new();
    folder.file("a");
    set_read_only(&folder.path("a"));
    folder.link("a", "b").unwrap();
    assert_eq!(folder.stat("b").links, 2);
    for name in ["a", "b"] {
        folder.fs.unlink(folder.at(name)).unwrap();
    }
}

#[test]
fn names_that_differ_in_case_are_one() {
    let folder = Folder::new();
    folder.file("name");
    assert_eq!(
        folder.link("name", "NAME"),
        Err(status(NtStatus::OBJECT_NAME_COLLISION))
    );
    assert_eq!(folder.stat("NAME").id, folder.stat("name").id);
    // and to write a name in another case is no clash with itself
    folder
        .fs
        .rename(folder.at("name"), folder.at("Name"), Existing::Keep)
        .unwrap();
    assert_eq!(folder.names().len(), 1);
    assert_eq!(folder.stat("nAmE").links, 1);
}

#[test]
fn paths_are_understood_in_every_form() {
    let folder = Folder::new();
    folder.file("a");
    folder.fs.make_dir(folder.at("d")).unwrap();
    let absolute = facts::absolute(&folder.path("")).unwrap();
    let text = absolute.to_str().unwrap();
    assert!(!text.starts_with(r"\\?\"), "{text}");
    let below_root = &text[2..];
    for form in [
        text.to_owned(),
        text.replace('\\', "/"),
        format!(r"\\?\{text}"),
        format!(r"\??\{text}"),
        format!(r"\\.\{text}"),
        format!(r"{text}\"),
        format!(r"{text}\d\..\.\"),
        below_root.to_owned(),
    ] {
        // without a drive it means the current one
        let drive = std::env::current_dir().unwrap();
        if form == below_root && !drive.to_str().unwrap().starts_with(&text[..2]) {
            continue;
        }
        let dir = folder.fs.open_dir(form.as_ref()).unwrap();
        assert_eq!(entries(&folder.fs, &dir).len(), 2, "{form}");
    }
    assert_eq!(
        facts::absolute(format!(r"\\?\{text}").as_ref()).unwrap(),
        absolute
    );
    assert_eq!(
        facts::absolute(&folder.path("d/../a")).unwrap(),
        absolute.join("a")
    );
}

#[test]
fn the_volume_is_one_of_nt() {
    let folder = Folder::new();
    let info = folder.fs.volume(&folder.dir).unwrap();
    assert_eq!(info.names.unit, NameUnit::Utf16);
    assert_eq!(info.names.max_len, 255);
    assert_eq!(info.names, polylink_core::NameRules::NT);
    assert_eq!(info.link_limit, (info.kind == "NTFS").then_some(1024));
    let mount = facts::mount_of(&folder.path("")).unwrap();
    assert_eq!(mount.fs, info.kind);
    assert_eq!(mount.root, Path::new(r"\"));
    assert!(
        facts::absolute(&folder.path(""))
            .unwrap()
            .starts_with(&mount.point)
    );
    assert!(mount.source.starts_with(r"\\?\Volume{"), "{}", mount.source);
    assert_eq!(mount.options, "rw");
    let missing = facts::mount_of(&folder.path("missing")).unwrap_err();
    assert_eq!(missing.kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn the_user_has_a_number_and_a_name() {
    let me = facts::current_user();
    assert_ne!(me, 0);
    assert!(!facts::user_name(me).unwrap().is_empty());
    assert_eq!(facts::user_name(me + 1), None);
    assert_eq!(facts::protected_hardlinks(), None);
    assert_eq!(facts::attributes(&Folder::new().file("a")), None);
}

#[test]
fn the_only_name_of_a_file_is_told_everywhere() {
    let folder = Folder::new();
    folder.file("b");
    let absolute = facts::absolute(&folder.path("")).unwrap();
    let names = folder.fs.names_of(folder.at("b")).unwrap().unwrap();
    assert_eq!(names, [absolute.join("b")]);
}

#[test]
fn a_path_without_end_finds_its_only_name_too() {
    let folder = Folder::new();
    let name = "a directory with a long name, one of many";
    let mut dir = folder.dir.clone();
    for _ in 0..12 {
        folder.fs.make_dir(At::new(&dir, Name::new(name))).unwrap();
        dir = folder.fs.open_child(At::new(&dir, Name::new(name))).unwrap();
    }
    let path = (0..12).fold(folder.path(""), |path, _| path.join(name));
    std::fs::write(path.join("a"), "").unwrap();
    let names = folder
        .fs
        .names_of(At::new(&dir, Name::new("a")))
        .unwrap()
        .unwrap();
    let [only] = names.as_slice() else {
        panic!("{names:?}");
    };
    assert!(only.as_os_str().len() > 480);
    assert!(
        only.to_str().unwrap().starts_with(r"\\?\"),
        "only this form means it"
    );
    assert_eq!(std::fs::metadata(only).unwrap().len(), 0);
    let stat = folder.fs.stat(At::new(&dir, Name::new("a"))).unwrap();
    assert_eq!(stat.kind, Kind::File);
}
