//! `polylink names`.

use crate::env::TestEnv;

fn env() -> TestEnv {
    let env = TestEnv::photos();
    env.link("photos/2006/11/a.jpg", "flat/a.jpg");
    env.link("photos/2006/11/a.jpg", "elsewhere/c.jpg");
    env
}

#[test]
fn all_names_are_found_in_the_given_directories() {
    insta::assert_snapshot!(env().ok(["names", "flat/a.jpg", "--in", "."]), @r"
    exit code 0
    ./elsewhere/c.jpg
    ./flat/a.jpg
    ./photos/2006/11/a.jpg
    ");
}

#[test]
fn names_that_lie_elsewhere_are_missed_and_that_is_said() {
    insta::assert_snapshot!(env().run(["names", "flat/a.jpg", "--in", "flat", "--in", "photos"]), @r"
    exit code 1
    flat/a.jpg
    photos/2006/11/a.jpg
    ---
    warning: 2 of 3 names found; the others lie beyond 'flat' and 'photos'
    ");
}

#[test]
fn a_file_with_one_name_has_that() {
    let env = TestEnv::new();
    env.write("only", "");
    insta::assert_snapshot!(env.ok(["names", "only", "--in", "."]), @r"
    exit code 0
    ./only
    ");
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_looked_for_itself() {
    let env = env();
    std::os::unix::fs::symlink("a.jpg", env.path("flat/s")).unwrap();
    assert_eq!(env.ok(["names", "flat/s", "--in", "."]).stdout, "./flat/s\n");
}

#[cfg(unix)] // Windows has other codes
#[test]
fn what_is_missing_or_a_directory_cannot_be_looked_for() {
    let env = env();
    insta::assert_snapshot!(env.run(["names", "flat/b.jpg"]).failure(), @r"
    exit code 2
    error: cannot look at 'flat/b.jpg'
    caused by: there is no such name (ENOENT)
    hint: did you mean 'flat/a.jpg'?
    ");
    insta::assert_snapshot!(env.run(["names", "flat"]).failure(), @r"
    exit code 2
    error: 'flat' is a directory
    hint: a directory has one name; this command looks for the names of a file
    ");
    insta::assert_snapshot!(env.run(["names", "flat/a.jpg", "--in", "photo"]).failure(), @r"
    exit code 2
    error: cannot read 'photo'
    caused by: there is no such name (ENOENT)
    hint: did you mean 'photos'?
    ");
}

#[test]
fn the_document_has_count_and_names() {
    let env = env();
    let document = env.json(["names", "flat/a.jpg", "--in", "flat"]);
    assert_eq!(document["command"], "names");
    assert_eq!(document["link_count"], 3);
    assert_eq!(document["complete"], false);
    assert_eq!(document["names"], serde_json::json!(["flat/a.jpg"]));
    assert_eq!(document["unreadable"], serde_json::json!([]));
    let document = env.json(["names", "flat/a.jpg", "--in", "."]);
    assert_eq!(document["complete"], true);
    assert_eq!(document["names"].as_array().unwrap().len(), 3);
}
