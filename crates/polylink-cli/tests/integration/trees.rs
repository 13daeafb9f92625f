//! `polylink clone` and `polylink snapshot`.

use crate::env::{TestEnv, file};

/// The name of the snapshot in a document.
fn name(stdout: &str) -> String {
    let document: serde_json::Value = serde_json::from_str(stdout).unwrap();
    document["name"].as_str().unwrap().to_owned()
}

#[test]
fn a_clone_is_made_updated_and_left_alone_when_it_is_none() {
    let env = TestEnv::photos();
    let run = env.ok(["clone", "photos", "clone"]);
    insta::assert_snapshot!(run.stdout, @r"
    done
      linked            3
      kept              0
      directories made  5
    ROOT/clone: 3 names as in the source
    ");
    assert_eq!(
        file(&env.path("clone/2007/02/b.jpg")),
        file(&env.path("photos/2007/02/b.jpg"))
    );
    env.save_by_rename("photos/2007/02/b.jpg", "saved");
    let run = env.ok(["clone", "photos", "clone"]);
    assert!(run.stdout.contains("\n  relinked  1  their"), "{run}");
    assert_eq!(env.read("clone/2007/02/b.jpg"), "saved");
    assert_eq!(env.read("clone/2007/02/b (old).jpg"), "third");
    env.write("other/a", "x");
    env.write("other/b", "x");
    let run = env.run(["clone", "photos", "other"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("does not look like a clone"), "{run}");
    assert_eq!(env.names_in("other"), ["a", "b"]);
    env.ok(["clone", "--keep-extra", "photos/2006", "photos-2006"]);
    let run = env.run(["clone", "photos", "photos/inside"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("lie one in the other"), "{run}");
    assert!(run.stderr.contains("hint: give a directory beside"), "{run}");
}

#[test]
fn a_link_of_the_users_own_in_a_clone_is_named_when_it_goes() {
    let env = TestEnv::photos();
    env.ok(["clone", "photos", "clone"]);
    env.write("mine", "x");
    env.ok(["link", "mine", "clone/mine"]);
    for (args, says) in [
        (
            ["clone", "-n", "photos", "clone"].as_slice(),
            "names that would go of files",
        ),
        (&["clone", "photos", "clone"], "names that went of files"),
    ] {
        let run = env.ok(args);
        assert!(run.stderr.contains(says), "{run}");
        assert!(run.stderr.contains("mine"), "{run}");
    }
    assert_eq!(env.read("mine"), "x");
    assert_eq!(env.names_in("clone"), ["2006", "2007"]);
}

#[test]
fn the_dry_run_of_a_clone_changes_nothing_and_tells_its_steps() {
    let env = TestEnv::photos();
    let run = env.ok(["clone", "--json", "-n", "photos", "clone"]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["linked"], 3);
    assert_eq!(document["steps"].as_array().unwrap().len(), 8);
    assert_eq!(env.names_in("."), ["photos"]);
}

#[test]
fn snapshots_share_what_has_not_changed_and_old_ones_go() {
    let env = TestEnv::photos();
    let first = name(&env.ok(["snapshot", "--json", "photos", "store"]).stdout);
    env.save_by_rename("photos/2007/02/b.jpg", "saved");
    let run = env.ok(["snapshot", "--json", "--name", "second", "photos", "store"]);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&document["linked"], &document["copied"]), (&2.into(), &1.into()));
    assert_eq!(document["base"], first.as_str());
    let path = |name: &str, file: &str| env.path(format!("store/{name}/2007/02/{file}"));
    assert_eq!(file(&path(&first, "a.jpg")), file(&path("second", "a.jpg")));
    assert_ne!(
        file(&path("second", "a.jpg")),
        file(&env.path("photos/2007/02/a.jpg"))
    );
    assert_eq!(env.read(format!("store/{first}/2007/02/b.jpg")), "third");
    assert_eq!(env.read("store/second/2007/02/b.jpg"), "saved");
    let run = env.ok(["snapshot", "--list", "store"]);
    assert_eq!(run.stdout.lines().count(), 2, "{run}");
    let run = env.ok([
        "snapshot", "--keep", "last=1", "--name", "third", "photos", "store",
    ]);
    assert!(run.stdout.contains("\n  dropped  2"), "{run}");
    assert_eq!(env.names_in("store"), [".polylink-snapshots", "third"]);
}

#[test]
fn what_dropping_a_snapshot_frees_is_told_by_usage() {
    let env = TestEnv::photos();
    env.ok(["snapshot", "--name", "a", "photos", "store"]);
    env.write("photos/2007/02/b.jpg", "changed");
    env.ok(["snapshot", "--name", "b", "photos", "store"]);
    let frees = |paths: &[&str]| {
        let mut args = vec!["usage", "--json", "--together"];
        args.extend(paths);
        let run = env.ok(args);
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let total = &document["total"];
        (
            total["files"].as_u64().unwrap(),
            total["outside_names"].as_u64().unwrap(),
        )
    };
    // alone it would free the one version that nothing else has
    assert_eq!(frees(&["store/a"]), (3, 2));
    assert_eq!(frees(&["store/a", "store/b"]), (4, 0));
}

#[test]
fn arguments_of_snapshots_that_make_no_sense_are_refused() {
    let env = TestEnv::photos();
    for (args, says) in [
        (vec!["snapshot", "photos"], "the store is missing"),
        (
            vec!["snapshot", "--keep", "minutely=3", "photos", "store"],
            "none of last, hourly",
        ),
        (
            vec!["snapshot", "--name", "a/b", "photos", "store"],
            "cannot be the name of a snapshot",
        ),
        (
            vec!["snapshot", "--name", "", "photos", "store"],
            "cannot be the name of a snapshot",
        ),
        (
            vec!["snapshot", "--list", "photos", "store"],
            "takes the store only",
        ),
        (vec!["snapshot", "photos/2006", "photos"], "lie one in the other"),
    ] {
        let run = env.run(&args);
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.contains(says), "{run}");
    }
    assert_eq!(env.names_in("."), ["photos"]);
}

#[cfg(unix)]
#[test]
fn of_two_runs_in_one_store_the_second_is_told() {
    let env = TestEnv::photos();
    env.ok(["snapshot", "photos", "store"]);
    let lock = std::fs::File::open(env.path("store/.polylink-snapshots/lock")).unwrap();
    lock.lock().unwrap();
    let run = env.run(["snapshot", "photos", "store"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("another polylink is working"), "{run}");
}

#[test]
fn a_clone_inside_a_volume_is_sound() {
    let env = TestEnv::photos();
    env.ok(["ntfs", "format", "--size", "16M", "d.img"]);
    env.ok(["ntfs", "put", "-r", "d.img", "photos", "/"]);
    let dry = env.ok(["clone", "-n", "--image", "d.img", "/photos", "/clone"]);
    assert!(dry.stdout.contains("linked            3"), "{dry}");
    for (linked, kept) in [(3, 0), (0, 3)] {
        let run = env.ok(["clone", "--json", "--image", "d.img", "/photos", "/clone"]);
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(
            (&document["linked"], &document["kept"]),
            (&linked.into(), &kept.into())
        );
    }
    let run = env.ok(["ntfs", "check", "d.img"]);
    assert!(run.stdout.contains("clean"), "{run}");
}

#[test]
fn snapshots_inside_a_volume_share_go_and_leave_it_sound() {
    let env = TestEnv::photos();
    env.ok(["ntfs", "format", "--size", "16M", "d.img"]);
    env.ok(["ntfs", "put", "-r", "d.img", "photos", "/"]);
    let take = |more: &[&str], name: &str| {
        let mut args = vec!["snapshot", "--json", "--image", "d.img", "--name", name];
        args.extend(more);
        args.extend(["/photos", "/store"]);
        let run = env.ok(args);
        serde_json::from_str::<serde_json::Value>(&run.stdout).unwrap()
    };
    let before = std::fs::read(env.path("d.img")).unwrap();
    let dry = take(&["-n"], "a");
    assert_eq!((&dry["copied"], &dry["linked"]), (&3.into(), &0.into()));
    assert!(before == std::fs::read(env.path("d.img")).unwrap());
    let first = take(&[], "a");
    assert_eq!((&first["copied"], &first["linked"]), (&3.into(), &0.into()));
    env.ok(["ntfs", "rm", "d.img", "/photos/2007/02/b.jpg"]);
    let second = take(&[], "b");
    assert_eq!((&second["copied"], &second["linked"]), (&0.into(), &2.into()));
    let run = env.ok(["ntfs", "cat", "d.img", "/store/a/2007/02/b.jpg"]);
    assert_eq!(run.stdout, "third");
    let listed = env
        .ok(["snapshot", "--list", "--image", "d.img", "/store"])
        .stdout;
    let listed: Vec<&str> = listed
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(listed, ["a", "b"]);
    let third = take(&["--keep", "last=1"], "c");
    assert_eq!(third["dropped"], serde_json::json!(["a", "b"]));
    let run = env.ok(["ntfs", "check", "d.img"]);
    assert!(run.stdout.contains("clean"), "{run}");
    let run = env.run(["snapshot", "--list", "--image", "d.img", "/nowhere"]);
    assert_eq!(run.code, 2, "{run}");
    let run = env.run([
        "snapshot", "--image", "d.img", "--name", "a?", "/photos", "/store",
    ]);
    assert!(run.stderr.contains("cannot be the name of a snapshot"), "{run}");
}

#[test]
fn a_clone_with_fallbacks_counts_them_keeps_them_right_and_makes_links_of_them() {
    let env = TestEnv::photos();
    env.ok(["ntfs", "format", "--size", "16M", "d.img"]);
    env.ok(["ntfs", "put", "-r", "d.img", "photos", "/"]);
    env.ok([
        "link",
        "--image",
        "d.img",
        "/photos/2007/02/b.jpg",
        "/photos/second",
    ]);
    let clone = |more: &[&str], limit: &str| {
        let mut args = vec!["clone", "--json", "--image", "d.img", "--max-links", limit];
        args.extend(more);
        args.extend(["/photos", "/clone"]);
        let run = env.run(args);
        (
            run.code,
            serde_json::from_str::<serde_json::Value>(&run.stdout).unwrap(),
        )
    };
    let (code, document) = clone(&[], "2");
    assert_eq!(
        (code, &document["failed"], &document["linked"]),
        (1, &2.into(), &2.into())
    );
    let copy = ["--fallback", "copy"];
    let (code, dry) = clone(&["--fallback", "copy", "-n"], "2");
    assert_eq!(
        (code, &dry["fallbacks_made"], &dry["kept"]),
        (0, &2.into(), &2.into())
    );
    assert_eq!(dry["steps"][0]["do"], "copy");
    let (code, made) = clone(&copy, "2");
    assert_eq!(
        (code, &made["fallbacks_made"], &made["fallbacks"]),
        (0, &2.into(), &dry["fallbacks"])
    );
    assert_eq!(made["fallbacks"]["copy"], 2);
    let (_, again) = clone(&copy, "2");
    assert_eq!(
        (&again["kept"], &again["fallbacks"]["copy"]),
        (&4.into(), &2.into())
    );
    // a link to one of them takes its limit away
    env.ok(["ntfs", "rm", "d.img", "/photos/second"]);
    let (_, linked) = clone(&copy, "2");
    assert_eq!((&linked["relinked"], &linked["removed"]), (&1.into(), &1.into()));
    assert_eq!(linked["fallbacks"]["copy"], 0);
    let run = env.ok(["ntfs", "check", "d.img"]);
    assert!(run.stdout.contains("clean"), "{run}");
}
