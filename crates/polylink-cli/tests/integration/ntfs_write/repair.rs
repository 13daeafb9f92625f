//! `polylink ntfs check --fix`.

use std::fs;

use serde_json::json;

use super::refusals::with_journal;
use crate::env::TestEnv;
use polylink_testutil::ntfs::image::sample;

/// A volume with a file that has three names and counts one.
fn miscounted() -> TestEnv {
    let mut image = sample().build();
    image.record(29, |record| record[0x12] = 1);
    let env = TestEnv::new();
    env.write("disk.img", image.bytes);
    env
}

#[test]
fn a_dry_run_shows_what_would_be_done_and_changes_nothing() {
    let env = miscounted();
    let before = fs::read(env.path("disk.img")).unwrap();
    insta::assert_snapshot!(env.run(["ntfs", "check", "--fix", "-n", "disk.img"]), @r"
    exit code 0
    to fix: record 29: the link count: 1 -> 3 [raise-count]
    1 step would be taken; clean: 142 files and 5 directories with 158 names in 149 records, and 158 entries in directories
    ");
    assert_eq!(fs::read(env.path("disk.img")).unwrap(), before);
    assert_eq!(env.run(["ntfs", "check", "-n", "disk.img"]).code, 2);
}

#[test]
fn a_repair_says_what_it_did_and_audits_again() {
    let env = miscounted();
    insta::assert_snapshot!(env.run(["ntfs", "check", "--fix", "disk.img"]), @r"
    exit code 0
    fixed: record 29: the link count: 1 -> 3 [raise-count]
    1 step taken; clean: 142 files and 5 directories with 158 names in 149 records, and 158 entries in directories
    ");
    let mended = fs::read(env.path("disk.img")).unwrap();
    let document = env.json(["ntfs", "check", "--fix", "disk.img"]);
    assert_eq!(document["clean"], true);
    assert_eq!(
        (&document["dry_run"], &document["fixed"]),
        (&json!(false), &json!([]))
    );
    assert_eq!(fs::read(env.path("disk.img")).unwrap(), mended);
    let document = env.json(["ntfs", "check", "disk.img"]);
    assert_eq!(document["clean"], true);
    assert_eq!(document.get("fixed"), None);
}

#[test]
fn programs_get_each_step() {
    let env = miscounted();
    let document = env.json(["ntfs", "check", "--fix", "-n", "disk.img"]);
    assert_eq!(document["dry_run"], true);
    assert_eq!(
        document["fixed"],
        json!([{
            "kind": "raise-count",
            "record": 29,
            "what": "the link count",
            "before": "1",
            "after": "3",
        }])
    );
}

#[test]
fn what_cannot_be_mended_is_listed() {
    let mut image = sample().build();
    let at = image.record_at(34) + 1022;
    image.bytes[at] ^= 4;
    let env = TestEnv::new();
    env.write("disk.img", &image.bytes);
    let run = env.run(["ntfs", "check", "--fix", "disk.img"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.contains("[torn-sector]"), "{run}");
    assert!(run.stdout.contains("nothing to repair; 1 issue: "), "{run}");
    assert_eq!(fs::read(env.path("disk.img")).unwrap(), image.bytes);
}

#[test]
fn a_volume_whose_journal_holds_work_is_not_repaired() {
    let env = with_journal(0);
    let before = fs::read(env.path("disk.img")).unwrap();
    let run = env.run(["ntfs", "check", "--fix", "disk.img"]);
    insta::assert_snapshot!(run.failure(), @r"
    exit code 2
    error: cannot repair 'disk.img'
    caused by: the journal of the volume holds work that was not finished
    hint: mount it where it was used last, or on any Windows, and unmount it: that finishes the work
    ");
    assert_eq!(env.run(["ntfs", "check", "--fix", "-n", "disk.img"]).code, 2);
    assert_eq!(fs::read(env.path("disk.img")).unwrap(), before);
}
