//! `polylink usage`.

use crate::env::TestEnv;

const KIB: usize = 1024;

/// Two files of 100 KiB, one of them in the view too, and one with a name beyond both.
fn env() -> TestEnv {
    let env = TestEnv::new();
    env.write("photos/2006/a.jpg", vec![1; 100 * KIB]);
    env.write("photos/2007/b.jpg", vec![2; 100 * KIB]);
    env.write("photos/2007/c.jpg", vec![3; 100 * KIB]);
    env.link("photos/2006/a.jpg", "flat/a.jpg");
    env.link("photos/2007/c.jpg", "elsewhere/c.jpg");
    env
}

#[test]
fn each_file_counts_once_and_what_lives_elsewhere_is_not_freed() {
    let run = env().ok(["usage", "-d", "0", "--bytes", "photos", "flat"]);
    insta::assert_snapshot!(run.stdout, @r"
       disk    frees   shared  logical  names  files  path
    102,400        0  102,400  102,400      1      1  flat
    307,200  102,400  204,800  307,200      3      3  photos
    307,200  204,800  102,400  409,600      4      3  total
    ");
    assert!(
        run.stderr.contains(
            "4 of 5 names seen: the others lie beyond these paths, and keep their files when these go"
        ),
        "{run}"
    );
}

#[test]
fn depth_sorting_and_top_choose_the_rows() {
    let env = env();
    let paths = |args: &[&str]| -> Vec<String> {
        let run = env.ok(["usage"].iter().chain(args));
        run.stdout
            .lines()
            .skip(1)
            .map(|line| line.rsplit("  ").next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        paths(&["photos"]),
        ["photos", "photos/2006", "photos/2007", "total"]
    );
    assert_eq!(paths(&["-d", "0", "photos"]), ["photos", "total"]);
    assert_eq!(
        paths(&["-s", "frees", "-t", "2", "photos"]),
        ["photos", "photos/2007", "total"]
    );
    assert_eq!(paths(&["--together", "photos", "flat"]), ["total"]);
}

#[test]
fn totals_do_not_depend_on_order_or_overlap() {
    let env = env();
    let total = |paths: &[&str]| env.json(["usage"].iter().chain(paths))["total"].clone();
    let wanted = total(&["photos", "flat"]);
    assert_eq!(total(&["flat", "photos"]), wanted);
    assert_eq!(total(&["flat", "photos/2007", "photos", "photos"]), wanted);
    assert_eq!(wanted["files"], 3);
    assert_eq!(wanted["names"], 4);
    assert_eq!(wanted["outside_names"], 1);
    assert_eq!(wanted["exclusive_bytes"], 204_800);
}

#[test]
fn the_document_has_all_figures() {
    let document = env().json(["usage", "-d", "0", "photos"]);
    assert_eq!(document["schema"], 1);
    assert_eq!(document["command"], "usage");
    assert_eq!(document["complete"], true);
    let row = &document["directories"][0];
    assert_eq!((&row["path"], &row["depth"]), (&"photos".into(), &0.into()));
    for figure in [
        "names",
        "files",
        "logical_bytes",
        "disk_bytes",
        "exclusive_bytes",
        "shared_bytes",
        "outside_names",
        "directories",
        "directory_bytes",
        "other",
    ] {
        assert!(
            row[figure].is_u64() && document["total"][figure].is_u64(),
            "{figure}"
        );
    }
    assert_eq!(row["directories"], 3);
}

#[test]
fn a_file_is_an_argument_too() {
    let run = env().ok(["usage", "--bytes", "flat/a.jpg"]);
    assert!(
        run.stdout
            .contains("102,400      0  102,400  102,400      1      1  flat/a.jpg\n"),
        "{run}"
    );
}

#[cfg(unix)] // Windows has other codes
#[test]
fn what_is_missing_stops_it_before_it_starts() {
    insta::assert_snapshot!(env().run(["usage", "photos", "flta"]).failure(), @r"
    exit code 2
    error: cannot open 'flta'
    caused by: there is no such name (ENOENT)
    hint: did you mean 'flat'?
    ");
}
