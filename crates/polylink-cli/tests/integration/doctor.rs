//! `polylink doctor`.

use crate::env::{TestEnv, other_file_system};

#[test]
fn both_directions_are_tried_and_nothing_stays() {
    let env = TestEnv::photos();
    env.dir("all");
    let run = env.ok(["doctor", "photos", "all"]);
    assert!(
        run.stdout
            .starts_with("link from source to view: works\nlink from view to source: works\n"),
        "{run}"
    );
    for line in [
        "file system ",
        "most names of one file ",
        "longest name ",
        "upper and lower case ",
        "free space ",
        "file ids in directories ",
        "fs.protected_hardlinks ",
        "ledger of the view ",
    ] {
        assert!(
            run.stdout.lines().any(|found| found.starts_with(line)),
            "{line}: {run}"
        );
    }
    assert!(run.stdout.contains("'ROOT/.all.polylink'"), "{run}");
    assert_eq!(env.names_in("."), ["all", "photos"]);
    assert!(env.names_in("all").is_empty());
    assert_eq!(env.names_in("photos"), ["2006", "2007"]);
}

#[test]
fn what_is_not_there_is_said() {
    let env = TestEnv::new();
    env.dir("empty");
    let run = env.ok(["doctor", "empty", "all"]);
    assert!(
        run.stdout
            .contains("'all' does not exist yet: '.' was looked at instead"),
        "{run}"
    );
    assert!(
        run.stdout
            .contains("'empty' has no file to try with: only the other direction was tried"),
        "{run}"
    );
    assert_eq!(env.names_in("."), ["empty"]);
}

#[test]
fn a_dry_run_makes_no_link() {
    let env = TestEnv::photos();
    let run = env.ok(["doctor", "-n", "photos", "all"]);
    assert!(
        !run.stdout.contains("works") && run.stdout.contains("longest name"),
        "{run}"
    );
    let document = env.json(["doctor", "-n", "photos", "all"]);
    assert!(document["works"].is_null());
}

#[test]
fn operands_that_cannot_be_looked_at_stop_it() {
    let env = TestEnv::photos();
    env.write("file", "");
    insta::assert_snapshot!(env.run(["doctor", "photo", "all"]).failure(), @r"
    exit code 2
    error: cannot look at 'photo'
    caused by: there is no such name (ENOENT)
    hint: did you mean 'photos'?
    ");
    insta::assert_snapshot!(env.run(["doctor", "photos", "file"]).failure(), @r"
    exit code 2
    error: 'file' is not a directory
    hint: a view is a directory; give one, or a name that is free
    ");
    assert_eq!(env.run(["doctor", "photos", "no/where"]).code, 2);
}

#[test]
fn another_file_system_is_explained() {
    let env = TestEnv::photos();
    let Some(other) = other_file_system(&env) else {
        return;
    };
    let run = env.run(["doctor", "photos", other.path().to_str().unwrap()]);
    assert_eq!(run.code, 1, "{run}");
    assert!(
        run.stdout.contains("link from source to view: refused\n"),
        "{run}"
    );
    assert!(
        run.stdout.contains("link from view to source: refused\n"),
        "{run}"
    );
    assert!(run.stdout.contains("(EXDEV)"), "{run}");
    assert!(run.stdout.contains("source: file system"), "{run}");
    assert!(run.stdout.contains("view: file system"), "{run}");
    assert_eq!(std::fs::read_dir(other.path()).unwrap().count(), 0);
    let document = env.json(["doctor", "photos", other.path().to_str().unwrap()]);
    assert_eq!(document["works"], false);
    assert_eq!(document["tests"][0]["errno"], "EXDEV");
    assert_eq!(document["limits"].as_array().unwrap().len(), 2);
}

#[test]
fn the_document_has_tests_and_limits() {
    let env = TestEnv::photos();
    let document = env.json(["doctor", "photos", "all"]);
    assert_eq!(
        (&document["schema"], &document["command"]),
        (&1.into(), &"doctor".into())
    );
    assert_eq!(document["works"], true);
    assert_eq!(document["tests"].as_array().unwrap().len(), 2);
    assert_eq!(document["limits"][0]["name_limit"], 255);
    assert_eq!(document["ledger"], "ROOT/.all.polylink");
}
