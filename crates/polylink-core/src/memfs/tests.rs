//! The model keeps its own rules.

use super::*;

fn at<'a>(dir: &'a Dir, name: &'a str) -> At<'a> {
    At::new(dir, Name::new(name))
}

#[test]
fn a_link_counts_and_the_last_unlink_frees() {
    let fs = MemFs::new();
    let id = fs.create("/d/a", 5).unwrap();
    let dir = fs.open_dir("/d".as_ref()).unwrap();
    fs.link(at(&dir, "a"), at(&dir, "b")).unwrap();
    assert_eq!(fs.stat(at(&dir, "b")).unwrap().links, 2);
    assert_eq!(
        fs.link(at(&dir, "a"), at(&dir, "b")),
        Err(FaultKind::Exists.into())
    );
    fs.unlink(at(&dir, "a")).unwrap();
    fs.unlink(at(&dir, "b")).unwrap();
    assert_eq!(fs.create("/d/c", 1).unwrap(), id, "the number is used again");
}

#[test]
fn a_rename_of_two_names_of_one_file_leaves_both() {
    let fs = MemFs::new();
    fs.create("/a", 1).unwrap();
    fs.link_path("/a", "/b").unwrap();
    let root = fs.open_dir("/".as_ref()).unwrap();
    fs.rename(at(&root, "a"), at(&root, "b"), Existing::Replace)
        .unwrap();
    assert_eq!(fs.all_names().len(), 2);
}

#[test]
fn a_save_by_rename_makes_another_file() {
    let fs = MemFs::new();
    let old = fs.create("/a", 1).unwrap();
    fs.link_path("/a", "/view/a").unwrap();
    let new = fs.create("/a", 2).unwrap();
    assert_ne!(old, new);
    assert_eq!(fs.all_names()[Path::new("/view/a")].0, old);
}

#[test]
fn batches_give_every_entry_once_and_begin_anew() {
    let fs = MemFs::new();
    for i in 0..20 {
        fs.create(format!("/d/{i:02}"), 1).unwrap();
    }
    let dir = fs.open_dir("/d".as_ref()).unwrap();
    for _ in 0..2 {
        assert_eq!((&fs as &dyn LinkFs).names_in(&dir).unwrap().len(), 20);
    }
}

#[test]
fn the_limits_and_faults_that_tests_ask_for_happen() {
    let fs = MemFs::with(MemOptions {
        link_limit: 2,
        ..MemOptions::default()
    });
    fs.create("/a", 1).unwrap();
    fs.link_path("/a", "/b").unwrap();
    assert_eq!(fs.link_path("/a", "/c"), Err(FaultKind::TooManyLinks.into()));
    fs.mount("/m").unwrap();
    assert_eq!(fs.link_path("/a", "/m/a"), Err(FaultKind::CrossesVolumes.into()));
    fs.mkdir("/d").unwrap();
    fs.deny("/d", true).unwrap();
    let root = fs.open_dir("/".as_ref()).unwrap();
    assert_eq!(
        fs.open_child(at(&root, "d")).unwrap_err().kind(),
        FaultKind::AccessDenied
    );
    fs.stop_after(Some(1));
    fs.unlink(at(&root, "a")).unwrap();
    assert_eq!(fs.unlink(at(&root, "b")), Err(FaultKind::Interrupted.into()));
}
