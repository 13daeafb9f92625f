//! The same on a real directory.

use std::fs;
use std::path::Path;

use polylink_core::{Dir, FsResult, LinkFs as _, Silent};
use polylink_host::HostFs;
use polylink_tree::{clone, snapshot};

use crate::world::look;

fn tree(root: &Path) {
    for dir in ["2006/11", "2006/12", "empty"] {
        fs::create_dir_all(root.join(dir)).unwrap();
    }
    fs::write(root.join("2006/11/a.jpg"), "a").unwrap();
    fs::write(root.join("2006/12/b.jpg"), "bb").unwrap();
    fs::hard_link(root.join("2006/11/a.jpg"), root.join("best.jpg")).unwrap();
}

fn absolute(dir: &tempfile::TempDir) -> std::path::PathBuf {
    polylink_host::facts::absolute(dir.path()).unwrap()
}

/// Path, kind, time of the last change, content of everything; without the number of names.
fn seen(root: &Path) -> Vec<(std::path::PathBuf, polylink_core::Kind, i128, Vec<u8>)> {
    look(&HostFs::new(), root)
        .into_iter()
        .map(|(path, seen)| (path, seen.stat.kind, seen.stat.modified, seen.content))
        .collect()
}

#[test]
fn a_clone_is_the_same_files_and_follows_its_source() {
    let dir = tempfile::tempdir().unwrap();
    let home = absolute(&dir);
    tree(&home.join("s"));
    let host = HostFs::new();
    let request = clone::Request {
        source: home.join("s"),
        dest: home.join("d"),
        options: clone::Options::default(),
    };
    let run = || clone::apply(&host, &clone::plan(&host, &request, &Silent).unwrap(), &Silent);
    assert_eq!(run().linked, 3);
    assert_eq!(seen(&home.join("s")), seen(&home.join("d")));
    let again = run();
    assert_eq!((again.linked, again.kept, again.dirs_updated), (0, 3, 0));
    fs::rename(home.join("s/2006/12/b.jpg"), home.join("s/c.jpg")).unwrap();
    fs::remove_dir(home.join("s/2006/12")).unwrap();
    let moved = run();
    assert_eq!((moved.linked, moved.removed, moved.dirs_removed), (1, 1, 1));
    assert_eq!(seen(&home.join("s")), seen(&home.join("d")));
}

#[test]
fn a_snapshot_is_a_copy_and_the_next_shares_what_has_not_changed() {
    let dir = tempfile::tempdir().unwrap();
    let home = absolute(&dir);
    tree(&home.join("s"));
    let host = HostFs::new();
    let sync = |dir: &Dir| -> FsResult<()> { HostFs::new().sync(dir) };
    let calendar = |_: i64| -> snapshot::Civil { unreachable!("nothing is dropped") };
    let take = |number: i64| {
        let request = snapshot::Request {
            source: home.join("s"),
            store: home.join("store"),
            name: format!("n{number}").as_str().into(),
            now: number,
            keep: None,
            calendar: &calendar,
            sync: &sync,
            user: None,
            threads: None,
        };
        snapshot::apply(&host, &snapshot::plan(&host, &request, &Silent).unwrap(), &Silent)
    };
    let first = take(1);
    assert_eq!((first.copied, first.grouped), (2, 1), "{:?}", first.failures);
    assert_eq!(seen(&home.join("s")), seen(&home.join("store/n1")));
    fs::write(home.join("s/2006/12/b.jpg"), "changed").unwrap();
    let second = take(2);
    assert_eq!((second.copied, second.linked), (1, 2), "{:?}", second.failures);
    assert_eq!(seen(&home.join("s")), seen(&home.join("store/n2")));
    assert_eq!(fs::read(home.join("store/n1/2006/12/b.jpg")).unwrap(), b"bb");
}
