//! Volumes that are changed without a driver: `polylink ntfs put|mkdir|mv|rm`, and `--image` of `link` and `flat`.

mod refusals;
mod repair;
mod views;

use std::fs;
use std::path::Path;

use polylink_ntfs::{Access, FileDevice, FormatOptions, Geometry, format};
use serde_json::json;

use crate::env::{Run, TestEnv, file};

/// A new volume of 16 MiB with clusters of 4 KiB.
pub(crate) fn blank(path: &Path) -> Geometry {
    let image = fs::File::create_new(path).unwrap();
    image.set_len(16 << 20).unwrap();
    drop(image);
    let options = FormatOptions {
        serial: Some(0x1234_5678_9ABC_DEF0),
        time: 132_223_104_000_000_000,
        zeroed: true,
        ..FormatOptions::default()
    };
    format(&FileDevice::open(path, Access::ReadWrite).unwrap(), &options).unwrap()
}

/// A folder with an empty volume as `disk.img`.
pub(crate) fn env() -> TestEnv {
    let env = TestEnv::new();
    blank(&env.path("disk.img"));
    env
}

/// The same with a tree on it: two files of one name, and one that has three names.
fn photos() -> TestEnv {
    let env = env();
    env.write("photos/2006/11/a.jpg", "first");
    env.write("photos/2007/02/a.jpg", "second");
    env.write("photos/2007/02/b.jpg", "third");
    env.link("photos/2007/02/b.jpg", "photos/2006/best.jpg");
    env.link("photos/2007/02/b.jpg", "photos/b.jpg");
    let run = env.ok(["ntfs", "put", "-r", "disk.img", "photos", "/"]);
    assert!(run.stderr.is_empty(), "{run}");
    env
}

/// Every name on the volume, with its link count and size.
pub(crate) fn listed(env: &TestEnv) -> Vec<String> {
    let document = env.json(["ntfs", "ls", "-lR", "disk.img"]);
    let entries = document["entries"].as_array().unwrap();
    let mut listed: Vec<String> = entries
        .iter()
        .map(|entry| {
            let path = entry["path"].as_str().unwrap();
            match entry["kind"].as_str() {
                Some("directory") => format!("{path}/"),
                _ => format!("{path} {} {}", entry["links"], entry["size"]),
            }
        })
        .collect();
    listed.sort();
    listed
}

/// The audit finds nothing, and the volume is not marked.
pub(crate) fn is_clean(env: &TestEnv) {
    let run = env.ok(["ntfs", "check", "disk.img"]);
    assert!(run.stdout.starts_with("clean: "), "{run}");
}

fn ntfs(env: &TestEnv, args: &[&str]) -> Run {
    env.run([&["ntfs"], args].concat())
}

#[test]
fn a_tree_is_copied_in_with_its_hard_links_and_comes_out_as_it_was() {
    let env = photos();
    assert_eq!(
        listed(&env),
        [
            "/photos/",
            "/photos/2006/",
            "/photos/2006/11/",
            "/photos/2006/11/a.jpg 1 5",
            "/photos/2006/best.jpg 3 5",
            "/photos/2007/",
            "/photos/2007/02/",
            "/photos/2007/02/a.jpg 1 6",
            "/photos/2007/02/b.jpg 3 5",
            "/photos/b.jpg 3 5",
        ]
    );
    is_clean(&env);
    env.dir("out");
    env.ok(["ntfs", "get", "-r", "disk.img", "/photos", "out"]);
    assert_eq!(env.read("out/photos/2007/02/a.jpg"), "second");
    let best = file(&env.path("out/photos/2006/best.jpg"));
    assert_eq!((best.1, best), (3, file(&env.path("out/photos/b.jpg"))));
}

#[test]
fn put_tells_what_it_copied() {
    let env = env();
    env.write("photos/a.jpg", "first");
    env.link("photos/a.jpg", "photos/more/b.jpg");
    insta::assert_snapshot!(ntfs(&env, &["put", "-n", "-r", "disk.img", "photos", "/"]), @r"
    exit code 0
    would copy 1 file with 5 bytes, and make 1 hard link and 2 directories
    ");
    assert!(listed(&env).is_empty(), "a dry run changes nothing");
    let before = fs::read(env.path("disk.img")).unwrap();
    insta::assert_snapshot!(ntfs(&env, &["put", "-r", "disk.img", "photos", "/"]), @r"
    exit code 0
    copied 1 file with 5 bytes, and made 1 hard link and 2 directories
    ");
    assert_ne!(fs::read(env.path("disk.img")).unwrap(), before);
    assert_eq!(
        env.json(["ntfs", "put", "disk.img", "photos/a.jpg", "/other.jpg"]),
        json!({
            "schema": 1, "command": "ntfs put", "dry_run": false, "destination": "/other.jpg",
            "directories": 0, "files": 1, "links": 0, "bytes": 5, "symlinks_left_out": 0, "special_left_out": 0,
            "failures": [],
        })
    );
}

#[test]
fn content_of_every_size_and_times_are_kept() {
    let env = env();
    let bytes = |len: usize| -> Vec<u8> { (0..len).map(|at| (at * 7 + at / 251) as u8).collect() };
    let sizes = [0, 1, 700, 4096, 4097, 1 << 20, (1 << 20) + 1, 3_000_000];
    for size in sizes {
        env.write(format!("files/{size}"), bytes(size));
    }
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let small = fs::File::options()
        .write(true)
        .open(env.path("files/700"))
        .unwrap();
    small.set_modified(old).unwrap();
    drop(small);
    env.ok(["ntfs", "put", "-r", "disk.img", "files", "/"]);
    is_clean(&env);
    env.dir("out");
    env.ok(["ntfs", "get", "-r", "disk.img", "/files", "out"]);
    for size in sizes {
        assert_eq!(
            fs::read(env.path(format!("out/files/{size}"))).unwrap(),
            bytes(size),
            "{size}"
        );
    }
    let modified = |path: &str| fs::metadata(env.path(path)).unwrap().modified().unwrap();
    assert_eq!(modified("out/files/700"), old);
}

#[test]
fn put_replaces_nothing_and_says_what_cannot_begin() {
    let env = photos();
    env.write("a.jpg", "mine");
    insta::assert_snapshot!(ntfs(&env, &["put", "disk.img", "a.jpg", "/photos/2006/11"]).failure(), @r"
    exit code 2
    error: cannot copy to '/photos/2006/11/a.jpg'
    caused by: the name is taken (STATUS_OBJECT_NAME_COLLISION 0xC0000035)
    hint: nothing that exists is replaced: give another name, or remove it first
    ");
    insta::assert_snapshot!(ntfs(&env, &["put", "disk.img", "photos", "/"]).failure(), @r"
    exit code 2
    error: 'photos' is a directory
    hint: '-r' copies it with all below it
    ");
    insta::assert_snapshot!(ntfs(&env, &["put", "disk.img", "a.jpg", "/nowhere/a.jpg"]).failure(), @r"
    exit code 2
    error: cannot copy to '/nowhere/a.jpg'
    caused by: a directory on the way to the name does not exist (STATUS_OBJECT_PATH_NOT_FOUND 0xC000003A)
    hint: 'polylink ntfs ls' shows what is there; paths begin at the root of the volume
    ");
    // Windows has its own code for that
    if cfg!(unix) {
        insta::assert_snapshot!(ntfs(&env, &["put", "disk.img", "nothing", "/"]).failure(), @r"
        exit code 2
        error: cannot read 'nothing'
        caused by: there is no such name (ENOENT)
        hint: this directory has no 'nothing'
        ");
    }
    is_clean(&env);
}

#[cfg(unix)]
#[test]
fn what_ntfs_cannot_hold_is_told_and_the_rest_is_copied() {
    let env = env();
    for name in ["plain", "a:b", "case", "CASE"] {
        env.write(format!("tree/{name}"), "x");
    }
    std::os::unix::fs::symlink("plain", env.path("tree/symlink")).unwrap();
    insta::assert_snapshot!(ntfs(&env, &["put", "-r", "disk.img", "tree", "/"]), @r#"
    exit code 1
    copied 2 files with 2 bytes, and made 0 hard links and 1 directory
    ---
    left out: 1 symbolic link and 0 special files
    warning: 'tree/a:b' was not copied: a name cannot hold ':', which is at place 2
    warning: 'tree/case' was not copied: 'CASE' is there, and on NTFS both are the same name
    hint: rename it here first: names on NTFS are Unicode, 1 to 255 UTF-16 units, without " * / : < > ? \ | and control characters
    hint: rename one of them: case makes no difference on NTFS
    "#);
    assert_eq!(listed(&env), ["/tree/", "/tree/CASE 1 1", "/tree/plain 1 1"]);
    is_clean(&env);
}

#[test]
fn a_file_that_does_not_fit_leaves_nothing_behind() {
    let env = env();
    env.write("tree/a", vec![1; 10_000_000]);
    env.write("tree/b", vec![2; 10_000_000]);
    env.write("tree/c", "small");
    for dry in [&["-n"][..], &[]] {
        let run = ntfs(&env, &[&["put", "-r", "disk.img", "tree", "/"], dry].concat());
        assert_eq!(run.code, 1, "{run}");
        assert!(run.stderr.contains("'tree/b' was not copied: "), "{run}");
        assert!(run.stderr.contains("STATUS_DISK_FULL"), "{run}");
    }
    assert_eq!(listed(&env), ["/tree/", "/tree/a 1 10000000", "/tree/c 1 5"]);
    is_clean(&env);
}

#[test]
fn the_image_is_not_copied_into_itself() {
    let env = env();
    env.write("a", "x");
    let run = ntfs(&env, &["put", "-r", "disk.img", ".", "/"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("it is the image itself"), "{run}");
    assert_eq!(listed(&env), ["/a 1 1"]);
}

#[test]
fn directories_are_made_with_those_above_them() {
    let env = env();
    insta::assert_snapshot!(ntfs(&env, &["mkdir", "disk.img", "/a", "/a/b"]), @r"
    exit code 0
    made '/a'
    made '/a/b'
    ");
    insta::assert_snapshot!(ntfs(&env, &["mkdir", "-p", "disk.img", "/a/b/c/d", "/a"]), @r"
    exit code 0
    made '/a/b/c'
    made '/a/b/c/d'
    ");
    insta::assert_snapshot!(ntfs(&env, &["mkdir", "disk.img", "/A"]).failure(), @r"
    exit code 1
    error: cannot make '/A'
    caused by: the name is taken (STATUS_OBJECT_NAME_COLLISION 0xC0000035)
    ");
    insta::assert_snapshot!(ntfs(&env, &["mkdir", "disk.img", "/x/y"]).failure(), @r"
    exit code 1
    error: cannot make '/x/y'
    caused by: a directory on the way to the name does not exist (STATUS_OBJECT_PATH_NOT_FOUND 0xC000003A)
    hint: 'polylink ntfs ls' shows what is there; paths begin at the root of the volume
    ");
    let told = ntfs(&env, &["mkdir", "disk.img", "/a", "/e:f", "/g"]);
    // on Windows the tests write every backslash as a slash
    if cfg!(unix) {
        insta::assert_snapshot!(told, @r#"
        exit code 1
        made '/g'
        ---
        warning: '/a' was not made: the name is taken (STATUS_OBJECT_NAME_COLLISION 0xC0000035)
        warning: '/e:f' was not made: the name cannot exist (STATUS_OBJECT_NAME_INVALID 0xC0000033)
        hint: names on NTFS have 1 to 255 UTF-16 units, and none of " * / : < > ? \ | or control characters
        "#);
    }
    insta::assert_snapshot!(ntfs(&env, &["mkdir", "-n", "disk.img", "/h"]), @r"
    exit code 0
    would make '/h'
    ");
    assert_eq!(listed(&env), ["/a/", "/a/b/", "/a/b/c/", "/a/b/c/d/", "/g/"]);
    is_clean(&env);
}

#[test]
fn names_are_changed_and_moved() {
    let env = photos();
    insta::assert_snapshot!(ntfs(&env, &["mv", "disk.img", "/photos/b.jpg", "/photos/B.jpg"]), @r"
    exit code 0
    renamed '/photos/b.jpg' to '/photos/B.jpg'
    ");
    insta::assert_snapshot!(ntfs(&env, &["mv", "disk.img", "/photos/2006", "/photos/2007"]), @r"
    exit code 0
    renamed '/photos/2006' to '/photos/2007/2006'
    ");
    insta::assert_snapshot!(ntfs(&env, &["mv", "disk.img", "/photos", "/photos/2007"]).failure(), @r"
    exit code 1
    error: cannot rename '/photos' to '/photos/2007/photos'
    caused by: access is denied (STATUS_ACCESS_DENIED 0xC0000022)
    hint: a directory cannot go into itself
    ");
    insta::assert_snapshot!(ntfs(&env, &["mv", "disk.img", "/nothing", "/x"]).failure(), @r"
    exit code 1
    error: cannot rename '/nothing'
    caused by: there is no such name (STATUS_OBJECT_NAME_NOT_FOUND 0xC0000034)
    hint: 'polylink ntfs ls' shows what is there; paths begin at the root of the volume
    ");
    insta::assert_snapshot!(ntfs(&env, &["mv", "disk.img", "/", "/x"]).failure(), @r"
    exit code 2
    error: the root directory has no name to change
    ");
    assert_eq!(
        listed(&env),
        [
            "/photos/",
            "/photos/2007/",
            "/photos/2007/02/",
            "/photos/2007/02/a.jpg 1 6",
            "/photos/2007/02/b.jpg 3 5",
            "/photos/2007/2006/",
            "/photos/2007/2006/11/",
            "/photos/2007/2006/11/a.jpg 1 5",
            "/photos/2007/2006/best.jpg 3 5",
            "/photos/B.jpg 3 5",
        ]
    );
    is_clean(&env);
}

#[test]
fn a_name_given_in_other_case_stays_as_it_stands() {
    let env = photos();
    let run = env.ok(["ntfs", "mv", "disk.img", "/PHOTOS/B.JPG", "/Photos/2006"]);
    assert_eq!(run.stdout, "renamed '/PHOTOS/B.JPG' to '/Photos/2006/b.jpg'\n");
    assert!(listed(&env).contains(&"/photos/2006/b.jpg 3 5".to_owned()));
    is_clean(&env);
}

#[test]
fn a_name_is_replaced_only_where_that_is_asked_for() {
    let env = photos();
    let (new, old) = ("/photos/2006/11/a.jpg", "/photos/2007/02/a.jpg");
    insta::assert_snapshot!(ntfs(&env, &["mv", "disk.img", new, old]).failure(), @r"
    exit code 1
    error: cannot rename '/photos/2006/11/a.jpg' to '/photos/2007/02/a.jpg'
    caused by: the name is taken (STATUS_OBJECT_NAME_COLLISION 0xC0000035)
    hint: --replace lets it take the place of what is there
    ");
    insta::assert_snapshot!(ntfs(&env, &["mv", "-n", "--replace", "disk.img", new, old]), @r"
    exit code 0
    would rename '/photos/2006/11/a.jpg' to '/photos/2007/02/a.jpg'
    the file that has this name now has no other: its data would go
    ");
    assert_eq!(env.ok(["ntfs", "cat", "disk.img", old]).stdout, "second");
    insta::assert_snapshot!(ntfs(&env, &["mv", "--replace", "disk.img", new, old]), @r"
    exit code 0
    renamed '/photos/2006/11/a.jpg' to '/photos/2007/02/a.jpg'
    the file that had this name had no other: its data is gone
    ");
    insta::assert_snapshot!(ntfs(&env, &["mv", "--replace", "disk.img", old, "/photos/b.jpg"]), @r"
    exit code 0
    renamed '/photos/2007/02/a.jpg' to '/photos/b.jpg'
    the file that had this name keeps 2 other names
    ");
    assert_eq!(
        env.ok(["ntfs", "cat", "disk.img", "/photos/b.jpg"]).stdout,
        "first"
    );
    is_clean(&env);
}

#[test]
fn removing_tells_how_many_files_go() {
    let env = photos();
    insta::assert_snapshot!(ntfs(&env, &["rm", "disk.img", "/photos/2007"]).failure(), @r"
    exit code 2
    error: '/photos/2007' is a directory
    hint: '-r' removes it with all below it
    ");
    insta::assert_snapshot!(ntfs(&env, &["rm", "disk.img", "/photos/b.jpg", "/nothing"]).failure(), @r"
    exit code 2
    error: cannot remove '/nothing'
    caused by: there is no such name (STATUS_OBJECT_NAME_NOT_FOUND 0xC0000034)
    hint: 'polylink ntfs ls' shows what is there; paths begin at the root of the volume
    ");
    insta::assert_snapshot!(ntfs(&env, &["rm", "disk.img", "/$MFT"]).failure(), @r"
    exit code 2
    error: '/$MFT' belongs to the volume itself
    ");
    insta::assert_snapshot!(ntfs(&env, &["rm", "-r", "disk.img", "/"]).failure(), @r"
    exit code 2
    error: the root directory cannot be removed
    hint: 'polylink ntfs format --force' makes an empty volume
    ");
    assert_eq!(listed(&env).len(), 10, "nothing was removed");
    insta::assert_snapshot!(ntfs(&env, &["rm", "disk.img", "/photos/b.jpg"]), @r"
    exit code 0
    removed 1 name and 0 directories
    no file is gone: each has a name elsewhere
    ");
    insta::assert_snapshot!(ntfs(&env, &["rm", "-n", "-r", "disk.img", "/photos/2006"]), @r"
    exit code 0
    would remove 2 names and 2 directories
    1 file would go with the last name
    ");
    insta::assert_snapshot!(ntfs(&env, &["rm", "-r", "disk.img", "/photos"]), @r"
    exit code 0
    removed 4 names and 5 directories
    3 files are gone with their last names
    ");
    assert!(listed(&env).is_empty());
    is_clean(&env);
    env.dir("many");
    for number in 0..1500 {
        env.write(format!("many/file number {number:04}"), "x");
    }
    env.ok(["ntfs", "put", "-r", "disk.img", "many", "/"]);
    let document = env.json(["ntfs", "rm", "-r", "disk.img", "/many"]);
    assert_eq!(
        (&document["names"], &document["files_gone"]),
        (&json!(1500), &json!(1500))
    );
    is_clean(&env);
}

#[test]
fn a_file_has_1024_names_unless_more_are_asked_for() {
    let env = env();
    env.write("tree/0000", "x");
    for number in 1..1026 {
        env.link("tree/0000", &format!("tree/{number:04}"));
    }
    let run = ntfs(&env, &["put", "-r", "disk.img", "tree", "/"]);
    insta::assert_snapshot!(run, @r"
    exit code 1
    copied 1 file with 1 byte, and made 1,023 hard links and 1 directory
    ---
    warning: 'tree/1024' was not copied: the file has as many names as it can have (STATUS_TOO_MANY_LINKS 0xC0000265)
    warning: 'tree/1025' was not copied: the file has as many names as it can have (STATUS_TOO_MANY_LINKS 0xC0000265)
    hint: 1,024 names are all that Windows makes; --max-links raises the limit for volumes that other drivers share
    ");
    assert!(listed(&env).contains(&"/tree/1023 1024 1".to_owned()));
    is_clean(&env);
    env.ok([
        "ntfs",
        "put",
        "-r",
        "--max-links",
        "2000",
        "disk.img",
        "tree",
        "/more",
    ]);
    assert!(listed(&env).contains(&"/more/1025 1026 1".to_owned()));
    is_clean(&env);
}
