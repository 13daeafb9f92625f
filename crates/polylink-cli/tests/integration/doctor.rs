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
        "what the ledger says ",
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

/// What doctor says of the ledger, and whether links work with it.
fn ledger(env: &TestEnv) -> (String, i32) {
    let run = env.run(["doctor", "-n", "photos", "all"]);
    let line = run
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("what the ledger says"));
    (line.expect("a line about it").trim().to_owned(), run.code)
}

#[test]
fn the_ledger_is_read_and_left_as_it_is() {
    let env = TestEnv::photos();
    assert_eq!(ledger(&env), ("none yet: the first update makes it".into(), 0));
    let document = env.json(["doctor", "photos", "all"]);
    assert_eq!(
        (
            &document["ledger_state"]["exists"],
            &document["ledger_state"]["usable"]
        ),
        (&false.into(), &true.into())
    );
    env.ok(["flat", "photos", "all"]);
    let before = std::fs::read(env.path(".all.polylink")).unwrap();
    assert_eq!(ledger(&env), ("sound, version 1, 3 names".into(), 0));
    let state = &env.json(["doctor", "photos", "all"])["ledger_state"];
    assert_eq!(state["names"], 3);
    assert_eq!(
        (&state["complete"], &state["of_this_view"]),
        (&true.into(), &true.into())
    );

    // another directory takes the view's place
    std::fs::rename(env.path("all"), env.path("moved")).unwrap();
    assert_eq!(ledger(&env).0, "sound, version 1, 3 names");
    env.dir("all");
    let (line, code) = ledger(&env);
    assert!(line.contains("written for another directory"), "{line}");
    assert_eq!(code, 0);
    assert!(
        std::fs::read(env.path(".all.polylink")).unwrap() == before,
        "it was written to"
    );
}

#[test]
fn a_ledger_that_cannot_be_used_is_explained() {
    let env = TestEnv::photos();
    env.ok(["flat", "photos", "all"]);
    let whole = std::fs::read(env.path(".all.polylink")).unwrap();
    std::fs::write(env.path(".all.polylink"), &whole[..whole.len() / 2]).unwrap();
    let (line, code) = ledger(&env);
    assert!(line.starts_with("cannot be used: it is damaged"), "{line}");
    assert!(line.contains("move 'ROOT/.all.polylink' away"), "{line}");
    assert_eq!(code, 1);
    let run = env.run(["--json", "doctor", "photos", "all"]);
    assert_eq!(run.code, 1, "{run}");
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        (&document["works"], &document["ledger_state"]["usable"]),
        (&true.into(), &false.into())
    );
    assert!(
        document["ledger_state"]["hints"][0]
            .as_str()
            .unwrap()
            .starts_with("move ")
    );
    // what doctor says helps
    let refused = env.run(["flat", "photos", "all"]);
    assert_eq!(refused.code, 2, "{refused}");
    std::fs::rename(env.path(".all.polylink"), env.path("away")).unwrap();
    assert!(env.ok(["flat", "photos", "all"]).stdout.contains('3'));
    assert_eq!(ledger(&env), ("sound, version 1, 3 names".into(), 0));
}
