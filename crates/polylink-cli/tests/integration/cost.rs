//! `polylink cost`.

use crate::env::TestEnv;

#[test]
fn two_experiments_are_made_and_nothing_stays() {
    let env = TestEnv::new();
    let run = env.ok(["cost", "--links", "30", "--files", "500"]);
    assert!(
        run.stdout
            .contains("\none file of 3,212,078 bytes, 30 further names\n"),
        "{run}"
    );
    assert!(
        run.stdout.contains("\na tree of 500 files and its flat view\n"),
        "{run}"
    );
    assert!(run.stdout.contains("  free space "), "{run}");
    // Wine does not say what a directory takes
    assert!(cfg!(windows) || run.stdout.contains("  directory "), "{run}");
    assert!(env.names_in(".").is_empty());
}

#[test]
fn the_document_has_both_experiments() {
    let env = TestEnv::new();
    let document = env.json(["cost", "--links", "30", "--files", "500", "."]);
    assert_eq!(
        (&document["schema"], &document["command"]),
        (&1.into(), &"cost".into())
    );
    let experiments = document["experiments"].as_array().unwrap();
    assert_eq!(experiments.len(), 2);
    assert_eq!(
        (&experiments[0]["files"], &experiments[0]["links"]),
        (&1.into(), &30.into())
    );
    assert_eq!(
        (&experiments[1]["files"], &experiments[1]["links"]),
        (&500.into(), &500.into())
    );
    for experiment in experiments {
        assert!(experiment["free_before"].is_u64() && experiment["free_after"].is_u64());
        assert!(experiment["bytes_per_link"].is_f64());
    }
    assert!(env.names_in(".").is_empty());
}

#[test]
fn a_dry_run_says_what_would_be_measured() {
    let env = TestEnv::new();
    let document = env.json(["cost", "-n", "--files", "7"]);
    assert_eq!(document["dry_run"], true);
    assert_eq!(document["experiments"][1]["files"], 7);
    assert!(document["experiments"][0]["free_before"].is_null());
}

#[test]
fn a_directory_that_is_missing_stops_it() {
    let env = TestEnv::new();
    assert_eq!(env.run(["cost", "nowhere"]).code, 2);
    assert_eq!(env.run(["cost", "--links", "0"]).code, 2);
}

#[test]
fn on_a_volume_each_byte_is_accounted_for() {
    let env = TestEnv::new();
    let document = env.json(["cost", "--image", "disk.img"]);
    let experiments = document["experiments"].as_array().unwrap();
    for (experiment, (links, windows)) in experiments.iter().zip([(1023, 552_960), (2212, 1_556_480)]) {
        let number = |key: &str| experiment[key].as_i64().unwrap();
        assert_eq!((number("links"), number("windows_bytes")), (links, windows));
        let taken = number("free_before") - number("free_after");
        let parts = experiment["parts"].as_array().unwrap();
        let told: i64 = parts.iter().map(|part| part["bytes"].as_i64().unwrap()).sum();
        assert_eq!(told, taken);
        assert!(
            parts
                .iter()
                .all(|part| part["what"] != "held by nothing that the table tells of"),
            "{experiment}"
        );
        assert!(
            taken > 0 && taken <= windows,
            "no more than Windows: {experiment}"
        );
    }
    crate::ntfs_write::is_clean(&env);
    let again = env.run(["cost", "--image", "disk.img"]);
    assert_eq!(again.code, 2, "{again}");
    assert!(again.stderr.contains("give a name that is free"), "{again}");
}

#[test]
fn a_dry_run_makes_no_volume() {
    let env = TestEnv::new();
    let run = env.ok([
        "cost", "-n", "--image", "disk.img", "--files", "100", "--links", "7",
    ]);
    assert!(
        run.stdout
            .contains("\none file of 3,212,078 bytes, 7 further names\n"),
        "{run}"
    );
    assert!(
        run.stdout
            .contains("\na tree of 100 files, 108 links in one directory\n"),
        "{run}"
    );
    assert!(env.names_in(".").is_empty());
}

#[test]
fn the_link_limit_of_a_volume_ends_the_first_experiment() {
    let env = TestEnv::new();
    let run = env.ok(["cost", "--image", "disk.img", "--files", "1", "--links", "2000"]);
    assert!(
        run.stdout
            .contains("\none file of 3,212,078 bytes, 1,023 further names\n"),
        "{run}"
    );
    assert!(run.stdout.contains("STATUS_TOO_MANY_LINKS"), "{run}");
}
