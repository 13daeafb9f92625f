//! `polylink split`, on the host.

use serde_json::json;

use crate::dedupe::dated;
use crate::env::{TestEnv, file};

fn shared() -> TestEnv {
    let env = TestEnv::photos();
    dated(&env, 5, &["photos/2006/11/a.jpg"]);
    env.link("photos/2006/11/a.jpg", "all/a.jpg");
    env.link("photos/2006/11/a.jpg", "all/again.jpg");
    env
}

#[test]
fn a_name_gets_a_file_of_its_own_and_the_others_stay_together() {
    let env = shared();
    let dry = env.ok(["split", "-n", "all/a.jpg"]);
    insta::assert_snapshot!(dry, @r"
    exit code 0
    split off 'all/a.jpg', 5 B
    would be done
      split  1  name has a file of its own, 5 B
    ");
    assert_eq!(file(&env.path("all/a.jpg")).1, 3);
    let run = env.json(["split", "all/a.jpg"]);
    assert_eq!((&run["split_names"], &run["complete"]), (&json!(1), &json!(true)));
    assert_eq!(env.read("all/a.jpg"), "first");
    assert_eq!(
        (file(&env.path("all/a.jpg")).1, file(&env.path("all/again.jpg")).1),
        (1, 2)
    );
    let modified = |path| env.path(path).metadata().unwrap().modified().unwrap();
    assert_eq!(modified("all/a.jpg"), modified("all/again.jpg"));
    assert_eq!(env.names_in("all"), ["a.jpg", "again.jpg"]);
    let again = env.json(["split", "all/a.jpg"]);
    assert_eq!((&again["split_names"], &again["alone"]), (&json!(0), &json!(1)));
}

#[test]
fn a_tree_is_split_whole_and_the_last_name_keeps_the_file() {
    let env = shared();
    let run = env.json(["split", "--tree", "all", "--tree", "photos"]);
    assert_eq!(
        (&run["split_names"], &run["kept"], &run["alone"]),
        (&json!(2), &json!(1), &json!(2))
    );
    for path in ["all/a.jpg", "all/again.jpg", "photos/2006/11/a.jpg"] {
        assert_eq!(file(&env.path(path)).1, 1);
        assert_eq!(env.read(path), "first");
    }
}

#[test]
fn what_is_no_file_is_refused() {
    let env = shared();
    insta::assert_snapshot!(env.run(["split", "all"]).failure(), @r"
    exit code 2
    error: 'all' is a directory
    hint: --tree splits all names below it
    ");
    assert_eq!(env.run(["split"]).code, 2);
    let text = env.run(["split", "all/none.jpg"]).failure();
    assert!(
        text.starts_with("exit code 2\nerror: cannot split 'all/none.jpg'"),
        "{text}"
    );
}

#[cfg(unix)]
#[test]
fn an_unfinished_copy_of_a_killed_run_is_removed() {
    let env = shared();
    env.write("all/.polylink-0123456789abcdef.part", "half");
    let run = env.json(["split", "--tree", "all"]);
    assert_eq!((&run["leftovers"], &run["split_names"]), (&json!(1), &json!(2)));
    assert_eq!(env.names_in("all"), ["a.jpg", "again.jpg"]);
}
