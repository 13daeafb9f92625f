//! `polylink ntfs get`.

use std::fs;
use std::time::{Duration, SystemTime};

use polylink_testutil::ntfs::image::{Builder, Content, ROOT};

use super::{env, env_with};
use crate::env::{TestEnv, file};

fn get(env: &TestEnv, args: &[&str]) -> crate::env::Run {
    env.run(["ntfs", "get", "-r", "disk.img"].iter().chain(args))
}

#[test]
fn names_of_one_file_stay_names_of_one_file() {
    let env = env();
    env.dir("out");
    insta::assert_snapshot!(get(&env, &["/links", "out"]), @r"
    exit code 0
    copied 3 files with 115 bytes, and made 11 hard links, 2 directories and 0 symbolic links
    ");
    assert_eq!(env.names_in("out"), ["links"]);
    assert_eq!(env.names_in("out/links").len(), 14);
    assert_eq!(env.read("out/links/inner/leaf.txt"), "leaf");
    assert_eq!(env.read("out/links/third.txt"), "three names");
    let first = file(&env.path("out/links/a further name of hub, number 00"));
    let last = file(&env.path("out/links/a further name of hub, number 11"));
    assert_eq!(first, last);
    assert_eq!(first.1, 12);
    assert_eq!(file(&env.path("out/links/third.txt")).1, 1);
}

#[test]
fn a_whole_volume_is_copied_with_content_and_times() {
    let env = env();
    env.dir("out");
    insta::assert_snapshot!(get(&env, &["/", "out"]), @r"
    exit code 0
    copied 128 files with 52,764 bytes, and made 14 hard links, 3 directories and 0 symbolic links
    ---
    1 named stream was left out ('polylink ntfs cat IMG PATH:STREAM' shows one)
    ");
    assert_eq!(
        env.names_in("out"),
        [
            "A long name.txt",
            "hub",
            "large.bin",
            "links",
            "many",
            "small.txt",
            "sparse.bin",
            "streams.txt",
            "three.txt"
        ]
    );
    assert_eq!(fs::read(env.path("out/large.bin")).unwrap(), vec![0xAB; 10_000]);
    let sparse = fs::read(env.path("out/sparse.bin")).unwrap();
    assert_eq!((sparse.len(), sparse[4096], sparse[9 * 2048]), (40_000, 1, 2));
    assert_eq!(env.names_in("out/many").len(), 121);
    let three = file(&env.path("out/three.txt"));
    assert_eq!(three.1, 3);
    assert_eq!(file(&env.path("out/many/second name of three.txt")), three);
    let modified = fs::metadata(env.path("out/small.txt"))
        .unwrap()
        .modified()
        .unwrap();
    let wanted = SystemTime::UNIX_EPOCH + Duration::from_secs(1_577_836_800);
    assert_eq!(modified, wanted);
}

#[test]
fn a_file_is_copied_under_the_name_it_was_asked_for() {
    let env = env();
    let document = env.json(["ntfs", "get", "disk.img", "/links/third.txt", "."]);
    assert_eq!(document["command"], "ntfs get");
    assert_eq!((&document["files"], &document["bytes"]), (&1.into(), &11.into()));
    assert_eq!(document["failures"], serde_json::json!([]));
    assert_eq!(env.read("third.txt"), "three names");
}

#[test]
fn nothing_that_exists_is_replaced() {
    let env = env();
    env.write("out/small.txt", "mine");
    env.write("out/three.txt", "mine too");
    env.write("out/links/inner/leaf.txt", "and this");
    let run = get(&env, &["/", "out"]);
    assert_eq!(run.code, 1, "{run}");
    for path in ["/small.txt", "/three.txt", "/links"] {
        let told = format!("warning: '{path}' was not copied: ");
        assert!(run.stderr.contains(&told), "{run}");
    }
    assert_eq!(env.read("out/small.txt"), "mine");
    assert_eq!(env.read("out/three.txt"), "mine too");
    assert_eq!(env.read("out/links/inner/leaf.txt"), "and this");
    assert_eq!(env.names_in("out/links"), ["inner"]);
    assert_eq!(env.read("out/many/second name of three.txt"), "three names");
    // a second run finds all of it there
    let document = env.json(["ntfs", "get", "-r", "disk.img", "/many", "out"]);
    assert_eq!(document["files"], 0);
    assert_eq!(document["failures"].as_array().unwrap().len(), 1);
    assert_eq!(document["failures"][0]["path"], "/many");
}

#[test]
fn names_that_would_lead_elsewhere_are_refused() {
    let mut image = Builder::new();
    let folder = image.directory(ROOT, "folder");
    let text = |text: &str| Content::Resident(text.as_bytes().to_vec());
    image.file(folder, "good", text("good"));
    for name in [".", "..", "../up", "/rooted", "a/b"] {
        image.file(folder, name, text("evil"));
    }
    let up = image.directory(folder, "..\u{0}");
    image.file(up, "inside", text("evil"));
    let env = env_with(&image.build());
    env.dir("out");
    let run = get(&env, &["/folder", "out"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.starts_with("copied 1 file with 4 bytes,"), "{run}");
    assert_eq!(run.stderr.matches("was not copied").count(), 6, "{run}");
    assert_eq!(env.names_in("."), ["disk.img", "out"]);
    assert_eq!(env.names_in("out"), ["folder"]);
    assert_eq!(env.names_in("out/folder"), ["good"]);
}

#[test]
fn what_cannot_begin_is_refused() {
    let env = env();
    insta::assert_snapshot!(env.run(["ntfs", "get", "disk.img", "/links", "."]).failure(), @r"
    exit code 2
    error: '/links' is a directory
    hint: '-r' copies it with all below it
    ");
    insta::assert_snapshot!(get(&env, &["/links", "nowhere"]).failure(), @r"
    exit code 2
    error: 'nowhere' is not a directory
    hint: make it first
    ");
    insta::assert_snapshot!(get(&env, &["/nothing", "."]).failure(), @r"
    exit code 2
    error: cannot copy '/nothing'
    caused by: there is no such name (STATUS_OBJECT_NAME_NOT_FOUND 0xC0000034)
    ");
}
