//! `polylink flat --fallback`, across real file systems.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::env::{TestEnv, other_file_system};

#[test]
fn files_of_another_file_system_are_symbolic_links_or_copies_where_that_is_wanted() {
    let env = TestEnv::photos();
    let Some(other) = other_file_system(&env) else {
        return; // this machine has one file system that can be written
    };
    let source = other.path().canonicalize().unwrap();
    fs::write(source.join("far.jpg"), "far").unwrap();
    let source = source.to_str().unwrap();
    let refused = env.run(["flat", source, "flat"]);
    assert_eq!(refused.code, 2, "{refused}");

    let linked = env.json(["flat", "--fallback", "symlink", "photos", source, "flat"]);
    assert_eq!(
        (&linked["linked"], &linked["fallbacks"]["symlink"]),
        (&3.into(), &1.into())
    );
    assert_eq!(
        fs::read_link(env.path("flat/far.jpg")).unwrap(),
        other.path().canonicalize().unwrap().join("far.jpg")
    );

    let dry = env.ok(["flat", "-n", "--fallback", "copy", "photos", source, "flat"]);
    assert!(dry.stdout.contains("copy again "), "{dry}");
    let copied = env.ok(["flat", "--fallback", "copy", "photos", source, "flat"]);
    assert!(
        copied.stdout.contains("copies") && copied.stdout.contains("refreshed"),
        "{copied}"
    );
    assert_eq!(env.read("flat/far.jpg"), "far");
    fs::write(other.path().join("far.jpg"), "changed").unwrap();
    env.ok(["flat", "--fallback", "copy", "photos", source, "flat"]);
    assert_eq!(env.read("flat/far.jpg"), "changed");
    let again = env.json(["flat", "--fallback", "copy", "photos", source, "flat"]);
    assert_eq!(
        (&again["linked"], &again["fallbacks_refreshed"]),
        (&0.into(), &0.into())
    );

    env.write("flat/far.jpg", "mine");
    let foreign = env.json(["flat", "--fallback", "copy", "photos", source, "flat"]);
    assert_eq!(
        (&foreign["foreign"], &foreign["fallbacks_made"]),
        (&1.into(), &1.into())
    );
    assert_eq!(env.read("flat/far.jpg"), "mine");
}

#[test]
fn a_watched_copy_follows_what_is_written_to_its_source() {
    let env = TestEnv::photos();
    let Some(other) = other_file_system(&env) else {
        return; // this machine has one file system that can be written
    };
    let source = other.path().canonicalize().unwrap();
    fs::write(source.join("far.jpg"), "far").unwrap();
    let args = [
        "flat",
        "--watch",
        "--fallback",
        "copy",
        source.to_str().unwrap(),
        "flat",
    ];
    let mut child = env
        .command(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let wait = |content: &str| {
        let until = Instant::now() + Duration::from_secs(60);
        while fs::read_to_string(env.path("flat/far.jpg")).ok().as_deref() != Some(content)
            && Instant::now() < until
        {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(fs::read_to_string(env.path("flat/far.jpg")).unwrap(), content);
    };
    wait("far");
    // it may not follow yet; then it is found by the comparison after the watches are set
    fs::write(source.join("far.jpg"), "changed").unwrap();
    wait("changed");
    fs::write(source.join("far.jpg"), "again").unwrap();
    wait("again");
    child.kill().unwrap();
    child.wait().unwrap();
}
