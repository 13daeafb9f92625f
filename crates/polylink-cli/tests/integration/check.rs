//! `polylink check`, on the host and in a volume.

use std::fs::{File, FileTimes};
use std::time::{Duration, UNIX_EPOCH};

use crate::env::{TestEnv, file};

/// A view with a link, a copy, a file of its own, and one name too few.
fn photos() -> TestEnv {
    let env = TestEnv::photos();
    env.link("photos/2007/02/b.jpg", "all/b.jpg");
    env.write("all/a.jpg", "second");
    env.write("all/own.jpg", "something");
    for path in ["photos/2006/11/a.jpg", "photos/2007/02/a.jpg", "all/a.jpg"] {
        set_time(&env, path, 1_000_000_000);
    }
    env
}

fn set_time(env: &TestEnv, path: &str, seconds: u64) {
    let time = UNIX_EPOCH + Duration::from_secs(seconds);
    let file = File::options().write(true).open(env.path(path)).unwrap();
    file.set_times(FileTimes::new().set_modified(time)).unwrap();
}

#[test]
fn links_copies_and_what_is_neither_are_told_apart() {
    let env = photos();
    let run = env.run(["check", "--bytes", "photos", "all"]);
    assert_eq!(run.code, 1);
    let text = without_allocated(&run.stdout);
    insta::assert_snapshot!(text, @r"
    copy: 'all/a.jpg' holds the same as 'photos/2007/02/a.jpg', 6
    neither: 'all/own.jpg'
    missing: 'photos/2006/11/a.jpg'
    3 names in 'all', 3 files in the source
      linked   1  names of the source's files
      copies   1  holding the same, N of their own
      neither  1
      missing  1  files of the source without a name here
    ");
    insta::assert_snapshot!(run.stderr, @r"
    hint: '--relink' makes links of the copies; '--relink -n' shows which
    hint: 'polylink flat SOURCE VIEW' makes the names that are missing
    ");
    assert_eq!(file(&env.path("all/a.jpg")).1, 1, "looking changes nothing");
}

/// The bytes that a small file occupies, which every file system says in its own way, as N.
fn without_allocated(text: &str) -> String {
    let line = |line: &str| match line.split_once("holding the same, ") {
        Some((before, after)) => {
            let rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == ',');
            format!("{before}holding the same, N{rest}\n")
        }
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[test]
fn copies_become_links_and_nothing_else_changes() {
    let env = photos();
    let dry = env.json(["check", "--relink", "-n", "photos", "all"]);
    assert_eq!(dry["relinked"], 1);
    assert_eq!(file(&env.path("all/a.jpg")).1, 1);
    let done = env.json(["check", "--relink", "photos", "all"]);
    assert_eq!(done["relinked"], 1);
    assert_eq!(done["copies"][0]["kept"], serde_json::Value::Null);
    assert_eq!(
        file(&env.path("all/a.jpg")),
        file(&env.path("photos/2007/02/a.jpg"))
    );
    assert_eq!(env.read("all/own.jpg"), "something");
    assert_eq!(env.names_in("all"), ["a.jpg", "b.jpg", "own.jpg"]);
    // one is still missing; after that, all is in step
    assert_eq!(env.run(["check", "photos", "all"]).code, 1);
    env.remove("photos/2006/11/a.jpg");
    let good = env.json(["check", "photos", "all"]);
    assert_eq!(
        (good["linked"].as_u64(), good["schema"].as_u64()),
        (Some(2), Some(1))
    );
    assert_eq!(good["complete"], true);
    env.ok(["check", "photos", "all"]);
}

#[test]
fn a_copy_that_would_lose_something_stays_unless_told() {
    let env = photos();
    set_time(&env, "all/a.jpg", 1_100_000_000);
    let run = env.run(["check", "--relink", "photos", "all"]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("6 B; it differs in times"), "{}", run.stdout);
    assert!(run.stderr.contains("--ignore times"), "{}", run.stderr);
    assert_eq!(file(&env.path("all/a.jpg")).1, 1);
    let told = env.json(["check", "--relink", "--ignore", "times", "photos", "all"]);
    assert_eq!(told["relinked"], 1);
    assert_eq!(file(&env.path("all/a.jpg")).1, 2);
}

#[test]
fn the_source_itself_is_no_view_of_it() {
    let env = photos();
    let run = env.run(["check", "photos", "photos"]);
    insta::assert_snapshot!(run.failure(), @r"
    exit code 2
    error: 'photos' is the source itself
    hint: give the directory that holds links to the source's files
    ");
    assert_eq!(env.run(["check", "photos", "missing"]).code, 2);
}

#[test]
fn in_a_volume_copies_become_links_too() {
    let env = TestEnv::new();
    env.ok(["ntfs", "format", "--size", "16M", "disk.img"]);
    env.write("photos/a.jpg", "one and the same");
    env.ok(["ntfs", "put", "-r", "disk.img", "photos", "/photos"]);
    env.ok(["ntfs", "put", "-r", "disk.img", "photos", "/all"]);
    let image = |rest: &[&str]| {
        let mut args = vec!["check", "--image", "disk.img"];
        args.extend_from_slice(rest);
        args.extend(["/photos", "/all"]);
        env.json(args)
    };
    let looked = image(&[]);
    assert_eq!(
        (
            looked["linked"].as_u64(),
            looked["copies"].as_array().map(Vec::len)
        ),
        (Some(0), Some(1))
    );
    assert_eq!(image(&["--relink", "-n", "--ignore", "times"])["relinked"], 1);
    assert_eq!(image(&["--ignore", "times"])["linked"], 0, "nothing was changed");
    assert_eq!(image(&["--relink", "--ignore", "times"])["relinked"], 1);
    assert_eq!(image(&[])["linked"], 1);
    env.ok(["ntfs", "check", "disk.img"]);
}
