//! `polylink flat`: what it refuses.

use crate::env::{TestEnv, other_file_system};

#[test]
fn a_source_that_is_missing_or_a_file() {
    let env = TestEnv::photos();
    insta::assert_snapshot!(env.run(["flat", "photo", "all"]).failure(), @r"
    exit code 2
    error: cannot read 'photo'
    caused by: there is no such name (ENOENT)
    hint: did you mean 'photos'?
    ");
    insta::assert_snapshot!(env.run(["flat", "photos/2007/02/b.jpg", "all"]).failure(), @r"
    exit code 2
    error: cannot read 'photos/2007/02/b.jpg'
    caused by: it is not a directory (ENOTDIR)
    hint: 'photos/2007/02/b.jpg' is not a directory
    ");
    assert_eq!(env.names_in("."), ["photos"], "nothing is made");
}

#[test]
fn a_view_that_is_a_file_or_has_no_folder_to_be_in() {
    let env = TestEnv::photos();
    env.write("file", "");
    insta::assert_snapshot!(env.run(["flat", "photos", "file"]).failure(), @r"
    exit code 2
    error: 'file' is not a directory
    hint: give a directory that is free for this, or a name that is not taken
    ");
    std::os::unix::fs::symlink("nowhere", env.path("broken")).unwrap();
    assert_eq!(env.run(["flat", "photos", "broken"]).code, 2);
    insta::assert_snapshot!(env.run(["flat", "photos", "no/all"]).failure(), @r"
    exit code 2
    error: cannot find 'no'
    caused by: there is no such name (ENOENT)
    hint: this directory has no 'no'
    ");
}

#[test]
fn a_source_inside_the_view() {
    let env = TestEnv::photos();
    insta::assert_snapshot!(env.run(["flat", "photos/2007", "photos"]).failure(), @r"
    exit code 2
    error: the source 'ROOT/photos/2007' is inside the view 'ROOT/photos'
    hint: a view holds nothing but names of files: choose a directory of its own for it
    ");
    assert_eq!(env.run(["flat", "photos", "photos"]).code, 2);
    assert_eq!(
        env.names_in("."),
        ["photos"],
        "no ledger stays of a view that cannot be"
    );
}

#[test]
fn a_view_as_the_source_of_its_own_tree() {
    let env = TestEnv::photos();
    assert_eq!(env.run(["flat", "photos", "all"]).code, 0);
    let before = env.names_in("photos");
    insta::assert_snapshot!(env.run(["flat", "all", "photos"]).failure(), @r"
    exit code 2
    error: 'ROOT/all' is a view, and 'ROOT/photos' is not: the arguments are the other way round
    hint: what exists comes first, the view last: polylink flat SOURCE... VIEW
    hint: for a view of a view, give a directory that is empty or not there yet
    ");
    assert_eq!(env.names_in("photos"), before);
    assert_eq!(
        env.run(["flat", "all", "second"]).code,
        0,
        "a view of a view is fine"
    );
}

#[test]
fn templates_and_patterns_that_make_no_sense() {
    let env = TestEnv::photos();
    for (args, message) in [
        (
            ["--name", "{nmae}"],
            "error: the name template '{nmae}' cannot be used: ",
        ),
        (
            ["--name", "a/b"],
            "error: the name template 'a/b' cannot be used: ",
        ),
        (
            ["--include", "[a"],
            "error: the pattern '[a' cannot be understood: ",
        ),
        (
            ["--exclude", "{a"],
            "error: the pattern '{a' cannot be understood: ",
        ),
        (
            ["--orphans", "burn"],
            "error: invalid value 'burn' for '--orphans <WHAT>': it is 'keep', 'delete', or 'move:DIR'",
        ),
        (["--orphans", "move:nowhere"], "error: cannot read 'nowhere'"),
        (
            ["--superseded", "keep"],
            "error: invalid value 'keep' for '--superseded <WHAT>': it is 'drop', or 'move:DIR'",
        ),
        (
            ["--deleted", "restor"],
            "error: invalid value 'restor' for '--deleted <WHAT>'",
        ),
    ] {
        let run = env.run(["flat"].into_iter().chain(args).chain(["photos", "all"]));
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.starts_with(message), "{run}");
        assert!(run.stderr.contains("hint: "), "{run}");
        assert_eq!(env.names_in("."), ["photos"]);
    }
    assert!(
        env.run(["flat", "--name", "{nmae}", "photos", "all"])
            .stderr
            .contains("{name} {stem} {ext}")
    );
}

#[test]
fn a_view_on_another_file_system() {
    let env = TestEnv::photos();
    let Some(other) = other_file_system(&env) else {
        return;
    };
    let run = env.run(["flat", "photos", other.path().join("all").to_str().unwrap()]);
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr.contains("are on different file systems or mounts"),
        "{run}"
    );
    assert!(
        run.stderr
            .contains("caused by: a hard link cannot lead to another file system or mount (EXDEV)"),
        "{run}"
    );
    assert!(run.stderr.contains("hint: 'ROOT/photos' is on "), "{run}");
    assert!(run.stderr.contains("hint: '--fallback copy', "), "{run}");
    assert_eq!(
        std::fs::read_dir(other.path()).unwrap().count(),
        0,
        "nothing stays"
    );
}

#[test]
fn a_ledger_that_is_none() {
    let env = TestEnv::photos();
    env.write(".all.polylink", "something else");
    let run = env.run(["flat", "photos", "all"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr
            .starts_with("error: the ledger 'ROOT/.all.polylink' cannot be used\ncaused by: "),
        "{run}"
    );
    assert!(
        run.stderr.contains("hint: move 'ROOT/.all.polylink' away"),
        "{run}"
    );
    assert_eq!(env.read(".all.polylink"), "something else");
}

#[test]
fn a_view_that_was_emptied_does_not_delete_its_sources() {
    let env = TestEnv::photos();
    env.ok(["flat", "photos", "all"]);
    for name in env.names_in("all") {
        env.remove(&format!("all/{name}"));
    }
    let run = env.run(["flat", "--deleted", "delete-source", "photos", "all"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr.contains("hint: if the view was emptied by mistake"),
        "{run}"
    );
    assert_eq!(env.read("photos/2007/02/b.jpg"), "third");
}

#[test]
fn errors_come_as_documents_too() {
    let env = TestEnv::photos();
    let run = env.run(["flat", "--json", "photo", "all"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    let document: serde_json::Value = serde_json::from_str(&run.stderr).unwrap();
    assert_eq!(document["command"], "flat");
    assert_eq!(document["error"]["symbol"], "ENOENT");
    assert_eq!(document["error"]["paths"], serde_json::json!(["photo"]));
}
