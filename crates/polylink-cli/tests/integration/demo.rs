//! `polylink demo`.

use crate::env::TestEnv;

#[test]
fn the_story_is_told_and_nothing_stays() {
    let env = TestEnv::new();
    let run = env.ok(["demo", "--files", "2000"]);
    for text in [
        "2,000 files in 240 folders",
        "2,000 names linked in ",
        "What the disk says",
        "What deleting would free",
        "  linked       20  the new files",
        "  relinked     10  saved by rename",
        "  orphans      20  what went",
        "with nothing to do: 2,010 names compared in ",
        "Checked: each of the 2,010 files of the tree has one name in the view, and the view holds 20 besides",
        "2,000 files in 'disk.img', a new volume of 83.5 MiB, made in ",
        "polylink flat --image disk.img /photos /all-photos",
        "A link costs ",
        "names in 2,",
        "Removed it all again in ",
    ] {
        assert!(run.stdout.contains(text), "{text}: {run}");
    }
    assert!(run.stdout.lines().count() < 60, "two screens");
    assert!(env.names_in(".").is_empty());
}

#[test]
fn the_document_has_the_figures() {
    let env = TestEnv::new();
    env.dir("here");
    let document = env.json(["demo", "--files", "500", "--in", "here"]);
    assert_eq!(
        (&document["schema"], &document["files"]),
        (&1.into(), &500.into())
    );
    assert_eq!(document["verified"], true);
    let volume = &document["volume"];
    assert_eq!((&volume["linked"], &volume["clean"]), (&500.into(), &true.into()));
    assert!(volume["bytes_per_link"].as_f64().is_some_and(|bytes| bytes > 0.0));
    let view = &document["view"];
    assert_eq!(view["linked"], 500);
    assert_eq!(view["disk_before"], view["disk_after"]);
    assert_eq!(
        view["logical_after"].as_u64(),
        view["logical_before"].as_u64().map(|bytes| bytes * 2)
    );
    assert_eq!(
        (&view["deleting_view_frees"], &view["deleting_tree_frees"]),
        (&0.into(), &0.into())
    );
    assert_eq!(view["deleting_both_frees"], view["disk_after"]);
    assert!(env.names_in("here").is_empty());
}

#[test]
fn one_file_is_a_story_too() {
    let env = TestEnv::new();
    assert!(
        env.ok(["demo", "--files", "1"])
            .stdout
            .contains("1 name linked in ")
    );
    assert_eq!(env.run(["demo", "--files", "0"]).code, 2);
    assert_eq!(env.run(["demo", "--in", "nowhere"]).code, 2);
    assert!(
        env.ok(["demo", "-n"])
            .stdout
            .starts_with("would make 40,000 files")
    );
}

#[cfg(unix)]
#[test]
fn an_interrupted_demo_cleans_up() {
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    use rustix::process::{Pid, Signal, kill_process};

    let env = TestEnv::new();
    env.dir("here");
    let child = env
        .command(["demo", "--files", "1000000", "--in", "here"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while env.names_in("here").is_empty() && start.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(5));
    }
    // twice, as timeout(1) does
    for _ in 0..2 {
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    }
    let run = env.finish(child.wait_with_output().unwrap());
    assert_eq!(run.code, 130, "{run}");
    assert_eq!(run.stderr, "error: interrupted\n");
    assert!(env.names_in("here").is_empty());
}
