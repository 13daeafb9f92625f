//! `polylink dedupe`, on the host.

use std::fs::File;
use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::env::{TestEnv, file};

/// Gives files one time of last change, `seconds` after 2001.
pub(crate) fn dated(env: &TestEnv, seconds: u64, paths: &[&str]) {
    for path in paths {
        let file = File::options().append(true).open(env.path(path)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(978_307_200 + seconds))
            .unwrap();
    }
}

fn copies() -> TestEnv {
    let env = TestEnv::photos();
    env.write("phone/a.jpg", "first");
    env.write("phone/b.jpg", "third");
    dated(
        &env,
        0,
        &["photos/2006/11/a.jpg", "phone/a.jpg", "photos/2007/02/b.jpg"],
    );
    dated(&env, 9, &["phone/b.jpg"]);
    env
}

#[test]
fn copies_become_names_of_one_file() {
    let env = copies();
    let dry = env.ok(["dedupe", "-n", "photos", "phone"]);
    insta::assert_snapshot!(dry.stdout.lines().take(2).collect::<Vec<_>>().join("\n"), @r"
    make 'phone/a.jpg' a name of 'photos/2006/11/a.jpg'
    would be done
    ");
    assert_ne!(
        file(&env.path("phone/a.jpg")).0,
        file(&env.path("photos/2006/11/a.jpg")).0
    );
    let forecast = env.json(["dedupe", "-n", "photos", "phone"]);
    let done = env.json(["dedupe", "photos", "phone"]);
    for field in [
        "moved_names",
        "merged_files",
        "freed_files",
        "freed_bytes",
        "held_files",
        "kept_apart",
        "complete",
    ] {
        assert_eq!(forecast[field], done[field], "{field}");
    }
    assert_eq!(done["schema"], 1);
    assert_eq!(done["moved_names"], 1);
    assert_eq!(done["kept_apart"]["times"], 1);
    assert_eq!(
        forecast["steps"],
        json!([{
            "do": "replace",
            "path": "phone/a.jpg",
            "keep": "photos/2006/11/a.jpg",
            "size": 5
        }])
    );
    assert_eq!(
        file(&env.path("phone/a.jpg")),
        file(&env.path("photos/2006/11/a.jpg"))
    );
    let ignoring = env.json(["dedupe", "--ignore", "times,mode", "photos", "phone"]);
    assert_eq!(ignoring["moved_names"], 1);
    assert_eq!(env.read("phone/b.jpg"), "third");
}

#[test]
fn a_file_with_names_beyond_the_paths_is_not_freed_and_that_is_said() {
    let env = copies();
    env.link("phone/a.jpg", "beyond/a.jpg");
    let run = env.json(["dedupe", "--keep", "first", "photos", "phone"]);
    assert_eq!(
        (&run["freed_files"], &run["held_files"], &run["moved_names"]),
        (&json!(0), &json!(1), &json!(1))
    );
    assert_eq!(env.read("beyond/a.jpg"), "first");
}

#[test]
fn small_files_and_patterns_are_left_alone() {
    let env = copies();
    env.write("photos/empty", "");
    env.write("phone/empty", "");
    let all = ["dedupe", "--ignore", "times", "photos", "phone"];
    let larger = env.json([&all[..], &["-n", "--min-size", "1K"]].concat());
    assert_eq!(
        (&larger["moved_names"], &larger["skipped_by_reason"]["small"]),
        (&json!(0), &json!(7))
    );
    let excluded = env.json([&all[..], &["-n", "--exclude", "b.*"]].concat());
    assert_eq!(
        (
            &excluded["moved_names"],
            &excluded["skipped_by_reason"]["filtered"]
        ),
        (&json!(1), &json!(2))
    );
    let included = env.json([&all[..], &["-n", "--include", "b.jpg"]].concat());
    assert_eq!(included["moved_names"], 1);
    assert_eq!(env.json(all)["moved_names"], 2);
    let empty = env.json([&all[..], &["--min-size", "0"]].concat());
    assert_eq!(empty["moved_names"], 1);
}

#[test]
fn what_cannot_start_says_so() {
    let env = copies();
    let text = env.run(["dedupe", "nowhere"]).failure();
    assert!(
        text.starts_with("exit code 2\nerror: cannot open 'nowhere'"),
        "{text}"
    );
    let text = env.run(["dedupe", "--exclude", "a[", "photos"]).failure();
    assert!(text.starts_with("exit code 2\nerror: the pattern 'a['"), "{text}");
    assert_eq!(env.run(["dedupe", "--min-size", "x", "photos"]).code, 2);
}

#[cfg(unix)]
#[test]
fn pipes_are_not_opened_and_symbolic_links_not_followed() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let env = copies();
    mknodat(CWD, env.path("photos/pipe"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    std::os::unix::fs::symlink("2006/11/a.jpg", env.path("photos/link")).unwrap();
    let run = env.json(["dedupe", "photos", "phone"]);
    assert_eq!(
        (
            &run["skipped_by_reason"]["special"],
            &run["skipped_by_reason"]["symlinks"],
            &run["moved_names"]
        ),
        (&json!(1), &json!(1), &json!(1))
    );
}

#[test]
fn files_in_a_volume_that_nothing_has_mounted_are_merged_and_split_too() {
    let env = copies();
    env.ok(["ntfs", "format", "--size", "16M", "t.img"]);
    env.ok(["ntfs", "put", "-r", "t.img", "photos", "/photos"]);
    env.ok(["ntfs", "put", "-r", "t.img", "phone", "/phone"]);
    let whole = |command: &[&str]| env.json([command, &["--image", "t.img"]].concat());
    let dry = whole(&["dedupe", "-n", "/photos", "/phone"]);
    let done = whole(&["dedupe", "/photos", "/phone"]);
    for run in [dry, done] {
        assert_eq!(
            (&run["moved_names"], &run["freed_files"], &run["complete"]),
            (&json!(1), &json!(1), &json!(true))
        );
    }
    let names = whole(&["names", "/phone/a.jpg"]);
    assert_eq!(names["link_count"], 2);
    let split = whole(&["split", "--tree", "/"]);
    assert_eq!((&split["split_names"], &split["kept"]), (&json!(1), &json!(1)));
    assert_eq!(whole(&["names", "/phone/a.jpg"])["link_count"], 1);
    assert_eq!(env.json(["ntfs", "check", "t.img"])["clean"], true);
}
