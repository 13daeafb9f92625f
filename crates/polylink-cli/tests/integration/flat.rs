//! `polylink flat`: what it does.

use std::collections::BTreeMap;
#[cfg(unix)]
use std::fs;

use crate::env::{TestEnv, file};

/// What each view name holds.
fn view(env: &TestEnv) -> BTreeMap<String, String> {
    env.names_in("all")
        .into_iter()
        .map(|name| {
            let content = env.read(format!("all/{name}"));
            (name, content)
        })
        .collect()
}

fn holds(env: &TestEnv, wanted: &[(&str, &str)]) {
    let wanted: BTreeMap<String, String> = wanted
        .iter()
        .map(|(name, content)| ((*name).to_owned(), (*content).to_owned()))
        .collect();
    assert_eq!(view(env), wanted);
}

/// The lines of the summary that do not depend on the disk.
fn counts(stdout: &str) -> String {
    stdout
        .lines()
        .filter(|line| !line.starts_with("free space"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn a_view_is_made_and_a_second_run_has_nothing_to_do() {
    let env = TestEnv::photos();
    let run = env.ok(["flat", "photos", "all"]);
    insta::assert_snapshot!(counts(&run.stdout), @r"
    done
      linked  3
      kept    0
    ROOT/all: 3 names, 16 B
    ");
    holds(
        &env,
        &[
            ("a.jpg", "first"),
            ("a (2007-02).jpg", "second"),
            ("b.jpg", "third"),
        ],
    );
    assert_eq!(
        file(&env.path("all/b.jpg")),
        file(&env.path("photos/2007/02/b.jpg"))
    );
    let run = env.ok(["flat", "photos", "all"]);
    insta::assert_snapshot!(counts(&run.stdout), @r"
    done
      linked  0
      kept    3
    ROOT/all: 3 names, 16 B
    ");
    assert_eq!(
        env.names_in("."),
        [".all.polylink", "all", "photos"],
        "the ledger is beside the view"
    );
}

#[cfg(unix)]
#[test]
fn symbolic_links_are_left_out_and_counted() {
    let env = TestEnv::photos();
    std::os::unix::fs::symlink("a.jpg", env.path("photos/2007/02/s")).unwrap();
    for _ in 0..2 {
        let run = env.ok(["flat", "photos", "all"]);
        assert!(run.stdout.contains("\n  skipped  1  1 symbolic link\n"), "{run}");
    }
    assert_eq!(env.names_in("all").len(), 3);
}

#[test]
fn a_dry_run_shows_the_steps_and_changes_nothing() {
    let env = TestEnv::photos();
    let run = env.ok(["flat", "-n", "photos", "all"]);
    insta::assert_snapshot!(counts(&run.stdout), @r"
    make ROOT/all
    link ROOT/photos/2006/11/a.jpg -> a.jpg
    link ROOT/photos/2007/02/a.jpg -> a (2007-02).jpg
    link ROOT/photos/2007/02/b.jpg -> b.jpg
    would be done
      linked  3
      kept    0
    ROOT/all: 3 names, 16 B
    ");
    assert_eq!(env.names_in("."), ["photos"]);
}

#[test]
fn an_update_follows_the_sources_and_loses_nothing() {
    let env = TestEnv::photos();
    env.link("photos/2006/11/a.jpg", "photos/2006/12/twin.jpg");
    env.link("photos/2006/11/a.jpg", "elsewhere/a.jpg");
    env.ok(["flat", "photos", "all"]);
    env.write("all/foreign.txt", "mine");
    env.remove("photos/2006/11/a.jpg");
    env.remove("photos/2006/12/twin.jpg");
    env.remove("photos/2007/02/b.jpg");
    env.save_by_rename("photos/2007/02/a.jpg", "new version");
    env.write("photos/2008/01/c.jpg", "came");
    let dry = env.ok(["flat", "-n", "photos", "all"]);
    insta::assert_snapshot!(counts(&dry.stdout), @r"
    remove a.jpg
    relink ROOT/photos/2007/02/a.jpg -> a (2007-02).jpg (the old version is kept as a (2007-02) (superseded).jpg)
    link ROOT/photos/2008/01/c.jpg -> c.jpg
    would be done
      linked      1
      kept        0
      relinked    1  their source path holds another file now
      removed     1  gone from the sources, other names left
      orphans     2  kept: these are the last names of their files
      superseded  1  old versions of which only the view held a name
      foreign     1  not made by polylink, left alone
    ROOT/all: 4 names, 26 B
    ");
    let run = env.ok(["flat", "photos", "all"]);
    assert_eq!(
        counts(&run.stdout).lines().skip(1).collect::<Vec<_>>(),
        counts(&dry.stdout).lines().skip(4).collect::<Vec<_>>(),
        "the real run says what the dry run said"
    );
    assert!(run.stderr.contains("orphans, kept because"), "{run}");
    holds(
        &env,
        &[
            ("a (2007-02).jpg", "new version"),
            ("a (2007-02) (superseded).jpg", "second"),
            ("b.jpg", "third"),
            ("c.jpg", "came"),
            ("foreign.txt", "mine"),
        ],
    );
    assert_eq!(env.read("elsewhere/a.jpg"), "first");
    let again = env.json(["flat", "-n", "photos", "all"]);
    assert_eq!(again["steps"], serde_json::json!([]));
}

#[test]
fn orphans_and_old_versions_go_where_they_are_sent() {
    let env = TestEnv::photos();
    env.ok(["flat", "photos", "all"]);
    env.remove("photos/2007/02/b.jpg");
    env.dir("gone");
    let document = env.json(["flat", "photos", "--orphans", "move:gone", "all"]);
    assert_eq!(
        (&document["orphans"], &document["orphans_moved"]),
        (&0.into(), &1.into())
    );
    assert_eq!(env.read("gone/b.jpg"), "third");
    env.save_by_rename("photos/2006/11/a.jpg", "new");
    env.ok(["flat", "photos", "--superseded", "move:gone", "all"]);
    assert_eq!(
        (env.read("gone/a.jpg"), env.read("all/a.jpg")),
        ("first".into(), "new".into())
    );
    env.remove("photos/2006/11/a.jpg");
    let document = env.json(["flat", "photos", "--orphans", "delete", "all"]);
    assert_eq!(document["orphans_deleted"], 1);
    holds(&env, &[("a (2007-02).jpg", "second")]);
    env.save_by_rename("photos/2007/02/a.jpg", "newer");
    env.ok(["flat", "photos", "--superseded", "drop", "all"]);
    holds(&env, &[("a (2007-02).jpg", "newer")]);
}

#[test]
fn a_name_deleted_from_the_view_is_treated_as_the_user_chose() {
    let env = TestEnv::photos();
    env.ok(["flat", "photos", "all"]);
    env.remove("all/b.jpg");
    env.ok(["flat", "photos", "all"]);
    assert_eq!(env.read("all/b.jpg"), "third");
    env.remove("all/b.jpg");
    for _ in 0..2 {
        env.ok(["flat", "--deleted", "remember", "photos", "all"]);
        assert_eq!(env.names_in("all"), ["a (2007-02).jpg", "a.jpg"]);
    }
    env.remove("all/a.jpg");
    let document = env.json(["flat", "--deleted", "delete-source", "photos", "all"]);
    assert_eq!(document["sources_deleted"], 1);
    assert!(!env.path("photos/2006/11/a.jpg").exists());
}

#[test]
fn patterns_templates_and_every_name_form_the_view() {
    let env = TestEnv::photos();
    env.link("photos/2006/11/a.jpg", "photos/2006/11/twin.jpg");
    env.write("photos/2006/11/notes.txt", "text");
    env.ok([
        "flat",
        "--include",
        "*.jpg",
        "--exclude",
        "2007",
        "--every-name",
        "--name",
        "{parent}-{name}",
        "photos",
        "all",
    ]);
    assert_eq!(env.names_in("all"), ["11-a.jpg", "11-twin.jpg"]);
    let document = env.json(["flat", "-n", "--include", "*.txt", "photos", "other"]);
    assert_eq!(document["linked"], 1);
    assert_eq!(document["skipped_by_reason"]["filtered"], 4);
}

#[test]
fn the_view_may_lie_inside_a_source_and_sources_may_overlap() {
    let env = TestEnv::photos();
    let run = env.ok(["flat", "photos", "photos/2007", "photos/all"]);
    assert!(
        run.stderr
            .contains("'ROOT/photos/2007' lies in 'ROOT/photos': its files are taken once"),
        "{run}"
    );
    for _ in 0..2 {
        assert_eq!(env.names_in("photos/all").len(), 3);
        env.ok(["flat", "photos", "photos/all"]);
    }
}

#[test]
fn a_lost_ledger_is_made_anew_from_what_the_view_holds() {
    let env = TestEnv::photos();
    env.ok(["flat", "photos", "all"]);
    env.remove(".all.polylink");
    let before = view(&env);
    let document = env.json(["flat", "photos", "all"]);
    assert_eq!(
        (&document["linked"], &document["adopted"]),
        (&0.into(), &3.into())
    );
    assert_eq!(view(&env), before);
}

#[test]
fn the_document_has_the_fields_that_are_promised() {
    let env = TestEnv::photos();
    let document = env.json(["flat", "-n", "photos", "all"]);
    for field in [
        "linked",
        "kept",
        "relinked",
        "renamed",
        "removed",
        "orphans",
        "superseded",
        "foreign",
        "skipped",
        "failed",
        "view_names",
        "view_bytes",
        "free_before",
    ] {
        assert!(document[field].is_u64(), "{field}");
    }
    assert_eq!(
        (&document["schema"], &document["command"]),
        (&1.into(), &"flat".into())
    );
    assert_eq!(document["dry_run"], true);
    assert!(document["free_after"].is_null(), "unknown is null");
    assert_eq!(document["failures"], serde_json::json!([]));
    let steps = document["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 4);
    assert_eq!(steps[0]["do"], "make_view");
    assert_eq!(
        steps[1],
        serde_json::json!({
            "do": "link",
            "name": "a.jpg",
            "source": "ROOT/photos/2006/11/a.jpg",
            "again": false
        })
    );
    let document = env.json(["flat", "photos", "all"]);
    assert!(document["free_after"].is_u64() && document.get("steps").is_none());
    assert_eq!(document["dry_run"], false);
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_says_so_and_the_next_one_completes_it() {
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    use rustix::process::{Pid, Signal, kill_process};

    const FILES: usize = 6_000;
    let env = TestEnv::new();
    env.dir("photos");
    for number in 0..FILES {
        fs::write(env.path(format!("photos/{number}")), "").unwrap();
    }
    let child = env
        .command(["flat", "photos", "all"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !env.path("all").exists() && start.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(1));
    }
    // not waited for yet, so its number cannot be another's
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let run = env.finish(child.wait_with_output().unwrap());
    if run.code == 0 {
        return; // it was faster than the signal
    }
    assert_eq!(run.code, 130, "{run}");
    assert!(
        run.stderr
            .ends_with("error: interrupted\nhint: run the same command again: it completes the view\n"),
        "{run}"
    );
    let document = env.json(["flat", "photos", "all"]);
    assert_eq!(document["view_names"], FILES);
    assert_eq!(env.names_in("all").len(), FILES);
    assert_eq!(
        env.json(["flat", "-n", "photos", "all"])["steps"],
        serde_json::json!([])
    );
}
