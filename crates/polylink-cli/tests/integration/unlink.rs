//! `polylink unlink`, on the host and in a volume.

use serde_json::json;

use crate::env::{TestEnv, file};

fn photos() -> TestEnv {
    let env = TestEnv::photos();
    env.link("photos/2006/11/a.jpg", "all/a.jpg");
    env.link("photos/2006/11/a.jpg", "all/again.jpg");
    env
}

#[test]
fn a_name_goes_and_the_file_stays() {
    let env = photos();
    insta::assert_snapshot!(env.ok(["unlink", "-n", "all/a.jpg", "all/again.jpg"]), @r"
    exit code 0
    would remove 'all/a.jpg', its file keeps 2 names
    would remove 'all/again.jpg', its file keeps 1 name
    ");
    assert_eq!(file(&env.path("all/a.jpg")).1, 3);
    insta::assert_snapshot!(env.ok(["unlink", "all/a.jpg"]), @r"
    exit code 0
    removed 'all/a.jpg', its file keeps 2 names
    ");
    assert_eq!(file(&env.path("photos/2006/11/a.jpg")).1, 2);
    assert_eq!(env.names_in("all"), ["again.jpg"]);
}

#[test]
fn a_last_name_goes_only_where_that_is_said() {
    let env = photos();
    let last = ["unlink", "photos/2007/02/b.jpg"];
    insta::assert_snapshot!(env.run(last).failure(), @r"
    exit code 2
    error: 'photos/2007/02/b.jpg' is the last name of its file
    hint: '--yes' removes it, and its data goes with it
    ");
    // the last of three that are named together is the last one too
    let three = ["unlink", "all/a.jpg", "all/again.jpg", "photos/2006/11/a.jpg"];
    insta::assert_snapshot!(env.run(three).failure(), @r"
    exit code 2
    error: 'photos/2006/11/a.jpg' is the last name of its file
    hint: '--yes' removes it, and its data goes with it
    ");
    assert_eq!(file(&env.path("all/a.jpg")).1, 3, "nothing was removed");
    insta::assert_snapshot!(env.ok([&three[..], &["-n"]].concat()), @r"
    exit code 0
    would remove 'all/a.jpg', its file keeps 2 names
    would remove 'all/again.jpg', its file keeps 1 name
    would remove 'photos/2006/11/a.jpg', the last name of its file: 5 B would go
    ");
    insta::assert_snapshot!(env.ok([&last[..], &["--yes"]].concat()), @r"
    exit code 0
    removed 'photos/2007/02/b.jpg', the last name of its file: 5 B went with it
    ");
    insta::assert_snapshot!(env.ok([&three[..], &["--yes"]].concat()), @r"
    exit code 0
    removed 'all/a.jpg', its file keeps 2 names
    removed 'all/again.jpg', its file keeps 1 name
    removed 'photos/2006/11/a.jpg', the last name of its file: 5 B went with it
    ");
    assert!(env.names_in("all").is_empty());
}

#[test]
fn what_cannot_begin_removes_nothing() {
    let env = photos();
    let run = env.run(["unlink", "all/a.jpg", "nothing"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.starts_with("error: cannot remove 'nothing'"), "{run}");
    insta::assert_snapshot!(env.run(["unlink", "all/a.jpg", "photos"]).failure(), @r"
    exit code 2
    error: 'photos' is a directory
    hint: this command removes names of files
    ");
    assert_eq!(file(&env.path("all/a.jpg")).1, 3);
}

#[test]
fn the_document_has_each_name() {
    let env = photos();
    let mut document = env.json(["unlink", "all/a.jpg"]);
    document["removed"][0]["file_id"] = json!("id");
    assert_eq!(
        document,
        json!({
            "schema": 1, "command": "unlink", "dry_run": false, "files_gone": 0,
            "removed": [{"path": "all/a.jpg", "file_id": "id", "links_left": 2}], "failures": [],
        })
    );
}

#[test]
fn in_a_volume_names_and_files_go_alike() {
    let env = photos();
    crate::ntfs_write::blank(&env.path("disk.img"));
    env.ok(["ntfs", "put", "-r", "disk.img", "photos", "/"]);
    env.ok(["link", "--image", "disk.img", "/photos/2006/11/a.jpg", "/a.jpg"]);
    let unlink = |args: &[&str]| env.run([&["unlink", "--image", "disk.img"], args].concat());
    insta::assert_snapshot!(unlink(&["/photos/2007/02/b.jpg"]).failure(), @r"
    exit code 2
    error: '/photos/2007/02/b.jpg' is the last name of its file
    hint: '--yes' removes it, and its data goes with it
    ");
    insta::assert_snapshot!(unlink(&["-n", "--all-names", "/a.jpg"]), @r"
    exit code 0
    would remove '/photos/2006/11/a.jpg', its file keeps 1 name
    would remove '/a.jpg', the last name of its file: 5 B would go
    ");
    // the name that was given goes last, so that the same command completes a run that was cut short
    insta::assert_snapshot!(unlink(&["-n", "--all-names", "/photos/2006/11/a.jpg"]), @r"
    exit code 0
    would remove '/a.jpg', its file keeps 1 name
    would remove '/photos/2006/11/a.jpg', the last name of its file: 5 B would go
    ");
    insta::assert_snapshot!(unlink(&["/A.jpg"]), @r"
    exit code 0
    removed '/A.jpg', its file keeps 1 name
    ");
    insta::assert_snapshot!(unlink(&["--yes", "/photos/2006/11/a.jpg", "/photos/2007/02/b.jpg"]), @r"
    exit code 0
    removed '/photos/2006/11/a.jpg', the last name of its file: 5 B went with it
    removed '/photos/2007/02/b.jpg', the last name of its file: 5 B went with it
    ");
    insta::assert_snapshot!(unlink(&["/nothing"]).failure(), @r"
    exit code 2
    error: cannot remove '/nothing'
    caused by: there is no such name (STATUS_OBJECT_NAME_NOT_FOUND 0xC0000034)
    hint: 'polylink ntfs ls' shows what is there; paths begin at the root of the volume
    ");
    env.ok(["link", "--image", "disk.img", "/photos/2007/02/a.jpg", "/b.jpg"]);
    insta::assert_snapshot!(unlink(&["--all-names", "/b.jpg"]).failure(), @r"
    exit code 2
    error: '/b.jpg' is the last name of its file
    hint: '--yes' removes it, and its data goes with it
    ");
    insta::assert_snapshot!(unlink(&["--all-names", "-y", "/b.jpg"]), @r"
    exit code 0
    removed '/photos/2007/02/a.jpg', its file keeps 1 name
    removed '/b.jpg', the last name of its file: 6 B went with it
    ");
    crate::ntfs_write::is_clean(&env);
}
