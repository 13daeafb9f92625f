//! `polylink link`.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};

use crate::env::{TestEnv, other_file_system};

fn env() -> TestEnv {
    let env = TestEnv::new();
    env.write("a/x", "one");
    env.write("b/y", "two");
    env
}

fn inode(env: &TestEnv, path: &str) -> u64 {
    fs::symlink_metadata(env.path(path)).unwrap().ino()
}

#[test]
fn a_file_gets_one_more_name() {
    let env = env();
    insta::assert_snapshot!(env.ok(["link", "a/x", "b/z"]), @r"
    exit code 0
    linked 'b/z' to 'a/x', which has 2 names
    ");
    assert_eq!(inode(&env, "a/x"), inode(&env, "b/z"));
}

#[test]
fn a_directory_is_where_the_name_is_made() {
    let env = env();
    env.ok(["link", "a/x", "b"]);
    assert_eq!(inode(&env, "a/x"), inode(&env, "b/x"));
    env.ok(["link", "a/x", "."]);
    assert_eq!(inode(&env, "a/x"), inode(&env, "x"));
}

#[test]
fn a_name_that_is_taken_is_refused() {
    let env = env();
    insta::assert_snapshot!(env.run(["link", "a/x", "b/y"]).failure(), @r"
    exit code 1
    error: cannot link 'a/x' to 'b/y'
    caused by: the name is taken (EEXIST)
    hint: '--replace' puts the link in its place, without a moment in which the name is gone; the file it names now has no other name and would go
    ");
    assert_eq!(env.read("b/y"), "two");
    env.link("a/x", "b/x");
    insta::assert_snapshot!(env.run(["link", "a/x", "b/x"]).failure(), @r"
    exit code 1
    error: cannot link 'a/x' to 'b/x'
    caused by: the name is taken (EEXIST)
    hint: both are names of one file already: there is nothing to do
    ");
}

#[test]
fn replacing_says_what_becomes_of_the_old_file() {
    let env = env();
    insta::assert_snapshot!(env.ok(["link", "-n", "--replace", "a/x", "b/y"]), @r"
    exit code 0
    would replace 'b/y' by a link to 'a/x'
    the file it names now has no other name: its data would go
    ");
    assert_eq!(env.read("b/y"), "two");
    env.link("b/y", "b/keep");
    insta::assert_snapshot!(env.ok(["link", "--replace", "a/x", "b/y"]), @r"
    exit code 0
    replaced 'b/y' by a link to 'a/x', which has 2 names
    the file it named keeps 1 other name
    ");
    insta::assert_snapshot!(env.ok(["link", "--replace", "a/x", "b/y"]), @r"
    exit code 0
    'b/y' is a name of 'a/x' already
    ");
    assert_eq!(
        (env.read("b/y"), env.read("b/keep")),
        ("one".into(), "two".into())
    );
    assert_eq!(env.names_in("b"), ["keep", "y"], "no temporary name stays");
    insta::assert_snapshot!(env.ok(["link", "--replace", "a/x", "b/keep"]), @r"
    exit code 0
    replaced 'b/keep' by a link to 'a/x', which has 3 names
    the file it named had no other name: its data is gone
    ");
}

#[test]
fn a_directory_is_neither_linked_nor_replaced() {
    let env = env();
    insta::assert_snapshot!(env.run(["link", "a", "c"]).failure(), @r"
    exit code 1
    error: cannot link 'a' to 'c'
    caused by: operation not permitted (EPERM)
    hint: hard links to directories do not exist: link the files in it
    hint: 'polylink flat a VIEW' makes a directory with a name for each file below it
    ");
    env.dir("b/x");
    insta::assert_snapshot!(env.run(["link", "--replace", "a/x", "b"]).failure(), @r"
    exit code 1
    error: cannot link 'a/x' to 'b/x'
    caused by: it is a directory (EISDIR)
    hint: a link never takes the place of a directory
    ");
    let dry = env.run(["link", "-n", "--replace", "a/x", "b"]).failure();
    assert_eq!(dry, env.run(["link", "--replace", "a/x", "b"]).failure());
}

#[test]
fn what_is_missing_is_named_with_what_is_like_it() {
    let env = env();
    env.dir("Pictures");
    insta::assert_snapshot!(env.run(["link", "a/z", "b/z"]).failure(), @r"
    exit code 1
    error: cannot link 'a/z' to 'b/z'
    caused by: there is no such name (ENOENT)
    hint: 'a' has no 'z'
    ");
    insta::assert_snapshot!(env.run(["link", "a/x", "pictrues/z"]).failure(), @r"
    exit code 1
    error: cannot link 'a/x' to 'pictrues/z'
    caused by: there is no such name (ENOENT)
    hint: did you mean 'Pictures'?
    ");
    insta::assert_snapshot!(env.run(["link", "a/x", "b/y/z"]).failure(), @r"
    exit code 1
    error: cannot link 'a/x' to 'b/y/z'
    caused by: it is not a directory (ENOTDIR)
    hint: 'b/y' is not a directory
    ");
    insta::assert_snapshot!(env.run(["link", "a/x", "c/"]).failure(), @r"
    exit code 1
    error: cannot link 'a/x' to 'c/'
    caused by: there is no such name (ENOENT)
    hint: a name that ends in a separator is a directory, and there is none
    ");
    assert_eq!(env.run(["link", "a/x/", "c"]).code, 1);
    assert_eq!(env.run(["link", "", "c"]).code, 2);
    assert_eq!(env.run(["link", "a/x", ""]).code, 2);
}

#[test]
fn a_name_of_256_bytes_is_too_long() {
    let env = env();
    let long = "n".repeat(255);
    env.ok(["link", "a/x", &long]);
    let run = env.run(["link", "a/x", &format!("{long}n")]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("(ENAMETOOLONG)"), "{run}");
    assert!(run.stderr.contains("hint: the name has 256 bytes, "), "{run}");
    assert_eq!(env.run(["link", "-n", "a/x", &format!("{long}n")]).code, 1);
}

#[test]
fn a_symbolic_link_is_linked_itself_unless_followed() {
    let env = env();
    symlink("x", env.path("a/s")).unwrap();
    env.ok(["link", "a/s", "itself"]);
    assert!(env.path("itself").is_symlink());
    env.ok(["link", "--follow", "a/s", "target"]);
    assert_eq!(inode(&env, "target"), inode(&env, "a/x"));
    symlink("nowhere", env.path("a/broken")).unwrap();
    assert_eq!(env.run(["link", "--follow", "a/broken", "t"]).code, 1);
}

#[test]
fn the_windows_doors_are_for_windows() {
    insta::assert_snapshot!(env().run(["link", "a/x", "z", "--via", "move"]).failure(), @r"
    exit code 2
    error: '--via native' and '--via move' exist on Windows only
    hint: '--via create' is the only call there is here, and what '--via auto' takes
    ");
}

#[test]
fn another_file_system_is_named_on_both_sides() {
    let env = env();
    let Some(other) = other_file_system(&env) else {
        return;
    };
    let new = other.path().join("z");
    for args in [vec!["link"], vec!["link", "-n"], vec!["link", "--replace"]] {
        let run = env.run(args.into_iter().chain(["a/x", new.to_str().unwrap()]));
        assert_eq!(run.code, 1, "{run}");
        assert!(run.stderr.contains("(EXDEV)"), "{run}");
        assert!(run.stderr.contains("hint: 'a/x' is on "), "{run}");
        assert!(run.stderr.contains("mounted at "), "{run}");
    }
}

#[test]
fn the_documents_say_what_was_done() {
    let env = env();
    let document = env.json(["link", "a/x", "b"]);
    assert_eq!(document["schema"], 1);
    assert_eq!(document["command"], "link");
    assert_eq!(document["done"], "linked");
    assert_eq!(document["new"], "b/x");
    assert_eq!(document["link_count"], 2);
    assert!(document["replaced"].is_null());
    let document = env.json(["link", "-n", "--replace", "a/x", "b/y"]);
    assert_eq!(document["dry_run"], true);
    assert_eq!(document["done"], "replaced");
    assert_eq!(document["replaced"]["links_left"], 0);
    assert!(document["link_count"].is_null());

    let run = env.run(["link", "a/x", "b/y", "--json"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    let document: serde_json::Value = serde_json::from_str(&run.stderr).unwrap();
    assert_eq!(document["command"], "link");
    assert_eq!(document["error"]["symbol"], "EEXIST");
    assert_eq!(document["error"]["errno"], 17);
    assert!(document["error"]["status"].is_null());
    assert_eq!(document["error"]["paths"], serde_json::json!(["a/x", "b/y"]));
    assert_eq!(document["error"]["hints"].as_array().unwrap().len(), 1);
}
