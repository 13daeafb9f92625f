//! `polylink ntfs`, and `names` and `usage` with `--image`, on volumes made in memory.

mod format;
mod get;
mod images;

use polylink_ntfs::layout::attribute::AttributeKind;
use polylink_testutil::ntfs::image::{BLOCK, Builder, Content, Image, ROOT, put, sample};
use serde_json::json;

use crate::env::TestEnv;

/// A folder with the volume of [`sample`] as `disk.img`.
fn env() -> TestEnv {
    env_with(&sample().build())
}

fn env_with(image: &Image) -> TestEnv {
    let env = TestEnv::new();
    env.write("disk.img", &image.bytes);
    env
}

/// A volume on which the record of `three.txt` counts fewer names than it has.
fn miscounted() -> Image {
    let mut image = sample().build();
    image.record(29, |record| put(record, 0x12, 1_u16.to_le_bytes()));
    image
}

#[test]
fn info_shows_layout_and_state() {
    insta::assert_snapshot!(env().ok(["ntfs", "info", "disk.img"]), @r"
    exit code 0
    version      NTFS 3.1
    label        sample
    serial       123456789ABCDEF0 (shown by Windows as 9ABC-DEF0)
    size         2.0 MiB (2,097,152 bytes)
    sector       512 bytes
    cluster      2,048 bytes; 1,024 of them, 311 in use
    index block  4,096 bytes
    $MFT         from cluster 229
    $MFTMirr     from cluster 227
    record       1,024 bytes; 160 of them, 157 in use
    flags        none
    journal      empty
    hibernated   no
    ");
}

#[test]
fn the_document_of_info_has_each_figure_as_a_number() {
    let document = env().json(["ntfs", "info", "disk.img"]);
    assert_eq!(
        document,
        json!({
            "schema": 1,
            "command": "ntfs info",
            "image": "disk.img",
            "version": "3.1",
            "label": "sample",
            "serial": "123456789ABCDEF0",
            "sector_bytes": 512,
            "cluster_bytes": 2048,
            "record_bytes": 1024,
            "index_block_bytes": 4096,
            "volume_bytes": 2_097_152,
            "clusters": 1024,
            "clusters_used": 311,
            "records": 160,
            "records_used": 157,
            "mft_cluster": 229,
            "mft_mirror_cluster": 227,
            "flags": [],
            "log": "empty",
            "hibernated": false,
            "notes": [],
        })
    );
}

#[test]
fn ls_shows_the_names_of_a_directory() {
    let env = env();
    let names =
        "A long name.txt\nhub\nlarge.bin\nlinks\nmany\nsmall.txt\nsparse.bin\nstreams.txt\nthree.txt\n";
    assert_eq!(env.ok(["ntfs", "ls", "disk.img"]).stdout, names);
    assert_eq!(env.ok(["ntfs", "ls", "disk.img", "/"]).stdout, names);
    assert_eq!(
        env.ok(["ntfs", "ls", "disk.img", "/links/inner"]).stdout,
        "leaf.txt\n"
    );
    // as NTFS compares names, and from the root without a separator too
    assert_eq!(
        env.ok(["ntfs", "ls", "disk.img", "LINKS/Inner"]).stdout,
        "leaf.txt\n"
    );
    assert_eq!(
        env.ok(["ntfs", "ls", "disk.img", "/many"]).stdout.lines().count(),
        121
    );
    assert_eq!(
        env.ok(["ntfs", "ls", "disk.img", "/small.txt"]).stdout,
        "/small.txt\n"
    );
}

#[test]
fn ls_long_shows_links_without_8_3_names_and_the_file_id() {
    insta::assert_snapshot!(env().ok(["ntfs", "ls", "-l", "disk.img"]), @r"
    exit code 0
    -    1              0              0 2020-01-01 00:00:00         30-1  A long name.txt  (ALONGN~1.TXT)
    -   13            100           2048 2020-01-01 00:00:00         31-2  hub
    -    1          10000          10240 2020-01-01 00:00:00         25-2  large.bin
    d    1              0           4096 2020-01-01 00:00:00         28-2  links
    d    1              0          24576 2020-01-01 00:00:00         27-1  many
    -    1              5              0 2020-01-01 00:00:00         24-1  small.txt
    -    1          40000           6144 2020-01-01 00:00:00         26-3  sparse.bin
    -    1              4              0 2020-01-01 00:00:00         32-3  streams.txt
    -    3             11              0 2020-01-01 00:00:00         29-3  three.txt
    ");
}

#[test]
fn ls_recursive_shows_each_name_with_its_path() {
    insta::assert_snapshot!(env().ok(["ntfs", "ls", "-lR", "disk.img", "/links"]), @r"
    exit code 0
    -   13            100           2048 2020-01-01 00:00:00         31-2  /links/a further name of hub, number 00
    -   13            100           2048 2020-01-01 00:00:00         31-2  /links/a further name of hub, number 01
    -   13            100           2048 2020-01-01 00:00:00         31-2  /links/a further name of hub, number 02
    -   13            100           2048 2020-01-01 00:00:00         31-2  /links/a further name of hub, number 03
    -   13            100           2048 2020-01-01 00:00:00         31-2  /links/a further name of hub, number 04
    -   13            100           2048 2020-01-01 00:00:00         31-2  /links/a further name of hub, number 05
    -   13            100           2048 2020-01-01 00:00:00         31-2  /links/a further name of hub, number 06
    -   13            100           2048 2020-01-01 00:00:00         31-2  /links/a further name of hub, number 07
    -   13            100           2048 2020-01-01 00:00:00         31-2  /links/a further name of hub, number 08
    -   13            100           2048 2020-01-01 00:00:00         31-2  /links/a further name of hub, number 09
    -   13            100           2048 2020-01-01 00:00:00         31-2  /links/a further name of hub, number 10
    -   13            100           2048 2020-01-01 00:00:00         31-2  /links/a further name of hub, number 11
    d    1              0              0 2020-01-01 00:00:00         33-1  /links/inner
    -    1              4              0 2020-01-01 00:00:00         34-2  /links/inner/leaf.txt
    -    3             11              0 2020-01-01 00:00:00         29-3  /links/third.txt
    ");
    let whole = env().ok(["ntfs", "ls", "-R", "disk.img"]);
    assert_eq!(whole.stdout.lines().count(), 142 + 3, "{whole}");
}

#[test]
fn ls_says_the_same_of_a_directory_from_its_index_and_from_the_table() {
    let env = env();
    let entries = |args: &[&str]| {
        let document = env.json(["ntfs", "ls", "disk.img"].iter().chain(args));
        let entries = document["entries"].as_array().unwrap().clone();
        entries
            .into_iter()
            .map(|entry| (entry["path"].as_str().unwrap().to_owned(), entry))
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    let from_table = entries(&["-R", "-a"]);
    let mut directories = vec!["/".to_owned()];
    let mut seen = 0;
    while let Some(directory) = directories.pop() {
        for (path, entry) in entries(&["-a", &directory]) {
            assert_eq!(from_table.get(&path), Some(&entry), "{path}");
            seen += 1;
            if entry["kind"] == "directory" {
                directories.push(path);
            }
        }
    }
    assert_eq!(seen, from_table.len());
}

#[test]
fn the_files_of_ntfs_itself_are_listed_when_asked_for() {
    let env = env();
    let names = env.ok(["ntfs", "ls", "-a", "disk.img"]).stdout;
    for name in ["$MFT", "$Bitmap", "$Extend", "$UpCase"] {
        assert!(names.lines().any(|line| line == name), "{name}: {names}");
    }
    assert_eq!(names.lines().count(), 9 + 11);
    // and found without being asked for
    let labels = env.ok(["ntfs", "record", "disk.img", "/$Volume"]).stdout;
    assert!(labels.starts_with("record 3: a file\n"), "{labels}");
    assert_eq!(env.ok(["ntfs", "ls", "disk.img", "/$Extend"]).stdout, "");
}

#[test]
fn the_document_of_ls_has_paths_ids_and_counts() {
    let document = env().json(["ntfs", "ls", "disk.img", "/"]);
    assert_eq!(document["schema"], 1);
    assert_eq!(document["command"], "ntfs ls");
    assert_eq!(document["complete"], true);
    assert_eq!(
        document["entries"][0],
        json!({
            "path": "/A long name.txt",
            "kind": "file",
            "case_sensitive": false,
            "file_id": "30-1",
            "links": 1,
            "raw_links": 2,
            "size": 0,
            "allocated": 0,
            "modified": "2020-01-01T00:00:00.0000000Z",
            "short_name": "ALONGN~1.TXT",
            "target": null,
        })
    );
}

#[test]
fn cat_writes_content_of_each_kind() {
    let env = env();
    let cat = |path: &str| env.ok(["ntfs", "cat", "disk.img", path]).stdout;
    assert_eq!(cat("/small.txt"), "hello");
    assert_eq!(cat("links/inner/leaf.txt"), "leaf");
    assert_eq!(cat("/hub"), "\u{3}".repeat(100));
    assert_eq!(cat("/alongn~1.txt"), "");
    let sparse = cat("/sparse.bin").into_bytes();
    assert_eq!(sparse.len(), 40_000);
    assert_eq!(sparse[4095..4097], [0, 1]);
    assert_eq!(sparse.iter().filter(|&&byte| byte == 1).count(), 3000);
    assert_eq!(sparse.iter().filter(|&&byte| byte == 2).count(), 100);
}

#[test]
fn cat_writes_the_stream_behind_a_colon() {
    let env = env();
    let cat = |path: &str| env.ok(["ntfs", "cat", "disk.img", path]).stdout;
    assert_eq!(cat("/streams.txt"), "main");
    assert_eq!(cat("/streams.txt:more"), "\u{4}".repeat(5000));
    assert_eq!(cat("/streams.txt:more:$DATA"), "\u{4}".repeat(5000));
    insta::assert_snapshot!(env.run(["ntfs", "cat", "disk.img", "/streams.txt:mor"]).failure(), @r"
    exit code 2
    error: '/streams.txt:mor' has no such stream
    hint: it has 'more'
    ");
    insta::assert_snapshot!(env.run(["ntfs", "cat", "disk.img", "/links:more"]).failure(), @r"
    exit code 2
    error: '/links:more' has no such stream
    ");
}

#[test]
fn cat_refuses_directories_and_what_is_missing() {
    let env = env();
    insta::assert_snapshot!(env.run(["ntfs", "cat", "disk.img", "/links"]).failure(), @r"
    exit code 2
    error: cannot read '/links'
    caused by: the file is a directory (STATUS_FILE_IS_A_DIRECTORY 0xC00000BA)
    hint: 'polylink ntfs ls disk.img /links' lists it
    ");
    insta::assert_snapshot!(env.run(["ntfs", "cat", "disk.img", "/smal.txt"]).failure(), @r"
    exit code 2
    error: cannot read '/smal.txt'
    caused by: there is no such name (STATUS_OBJECT_NAME_NOT_FOUND 0xC0000034)
    ");
    insta::assert_snapshot!(env.run(["ntfs", "cat", "disk.img", "/link/a"]).failure(), @r"
    exit code 2
    error: cannot read '/link/a'
    caused by: a directory on the way to the name does not exist (STATUS_OBJECT_PATH_NOT_FOUND 0xC000003A)
    ");
    insta::assert_snapshot!(env.run(["ntfs", "cat", "disk.img", "/small.txt/a"]).failure(), @r"
    exit code 2
    error: cannot read '/small.txt/a'
    caused by: the file is not a directory (STATUS_NOT_A_DIRECTORY 0xC0000103)
    ");
}

#[test]
fn record_shows_what_a_hard_link_is() {
    let env = env();
    let run = env.ok(["ntfs", "record", "disk.img", "/many/second name of three.txt"]);
    insta::assert_snapshot!(run, @r"
    exit code 0
    record 29: a file
      used        568 of 1,024 bytes
      sequence    3: how often the record was used for another file
      journal     log sequence number 0
      link count  3: 3 names below

    names: each is an entry in a directory that leads to this record
      /three.txt                      a name that is 8.3 itself (Win32 and DOS)  in record 5
      /many/second name of three.txt  a name (POSIX)                             in record 27
      /links/third.txt                a name (POSIX)                             in record 28

    attributes
      $STANDARD_INFORMATION: 72 bytes in the record
          created 2020-01-01T00:00:00.0000000Z
          modified 2020-01-01T00:00:00.0000000Z
          record changed 2020-01-01T00:00:00.0000000Z
          accessed 2020-01-01T00:00:00.0000000Z
          attributes: archive
      $FILE_NAME: 84 bytes in the record
          'three.txt', a name that is 8.3 itself (Win32 and DOS), in record 5-5
      $FILE_NAME: 114 bytes in the record
          'second name of three.txt', a name (POSIX), in record 27-1
      $FILE_NAME: 84 bytes in the record
          'third.txt', a name (POSIX), in record 28-2
      $DATA: 11 bytes in the record
    ");
    for name in ["29", "/three.txt", "links/third.txt"] {
        assert_eq!(env.ok(["ntfs", "record", "disk.img", name]).stdout, run.stdout);
    }
}

#[test]
fn record_tells_the_count_on_disk_from_that_of_links() {
    let run = env().ok(["ntfs", "record", "disk.img", "30"]);
    assert!(
        run.stdout
            .contains("  link count  2: 1 name and 1 8.3 name below\n"),
        "{run}"
    );
    let run = env_with(&miscounted()).ok(["ntfs", "record", "disk.img", "29"]);
    assert!(
        run.stdout
            .contains("  link count  1, but there are 3 names below: the count is wrong\n"),
        "{run}"
    );
}

#[test]
fn record_collects_what_a_file_has_in_further_records() {
    let env = env();
    let document = env.json(["ntfs", "record", "disk.img", "/hub"]);
    assert_eq!(document["record"], 31);
    assert_eq!(
        (&document["links"], &document["raw_links"]),
        (&13.into(), &13.into())
    );
    assert_eq!(document["names"].as_array().unwrap().len(), 13);
    assert_eq!(document["names"][0]["path"], "/hub");
    assert_eq!(document["names"][0]["parent"], "5-5");
    assert_eq!(document["names"][0]["namespace"], 3);
    let attributes = document["attributes"].as_array().unwrap();
    let further = attributes
        .iter()
        .find(|attribute| attribute["record"] != 31)
        .expect("an attribute in another record");
    let data = attributes
        .iter()
        .find(|attribute| attribute["kind_name"] == "$DATA")
        .unwrap();
    assert_eq!((&data["size"], &data["allocated"]), (&100.into(), &2048.into()));
    assert_eq!(data["runs"][0]["clusters"], 1);
    let further = further["record"].to_string();
    let run = env.ok(["ntfs", "record", "disk.img", &further]);
    assert!(
        run.stdout.starts_with(&format!(
            "record {further}: holds a part of the file of record 31\n"
        )),
        "{run}"
    );
}

#[test]
fn record_shows_records_that_are_free_and_refuses_those_beyond_the_table() {
    let env = env();
    let run = env.ok(["ntfs", "record", "disk.img", "159"]);
    assert!(run.stdout.starts_with("record 159: not in use\n"), "{run}");
    insta::assert_snapshot!(env.run(["ntfs", "record", "disk.img", "160"]).failure(), @r"
    exit code 2
    error: cannot read '160'
    caused by: the table has 160 records (record 160)
    hint: they are numbered from 0 to 159
    ");
    insta::assert_snapshot!(env.run(["ntfs", "record", "disk.img", "/nothing"]).failure(), @r"
    exit code 2
    error: cannot look at '/nothing'
    caused by: there is no such name (STATUS_OBJECT_NAME_NOT_FOUND 0xC0000034)
    ");
}

#[test]
fn check_finds_nothing_wrong_with_a_sound_volume() {
    let env = env();
    insta::assert_snapshot!(env.ok(["ntfs", "check", "disk.img"]), @r"
    exit code 0
    clean: 142 files and 5 directories with 158 names in 149 records, and 158 entries in directories
    ");
    let document = env.json(["ntfs", "check", "disk.img"]);
    assert_eq!(document["clean"], true);
    assert_eq!(document["complete"], true);
    assert_eq!(document["issues"], json!([]));
}

#[test]
fn check_finds_a_wrong_link_count() {
    let env = env_with(&miscounted());
    insta::assert_snapshot!(env.run(["ntfs", "check", "disk.img"]), @r"
    exit code 1
    damage: record 29, offset 0x12: the link count is 1, the number of names is 3 [link-count]
    1 issue: 142 files and 5 directories with 158 names in 149 records, and 158 entries in directories
    ");
    let document = env.json(["ntfs", "check", "disk.img"]);
    assert_eq!(
        (&document["clean"], &document["damage"]),
        (&false.into(), &1.into())
    );
    assert_eq!(
        document["issues"],
        json!([{
            "kind": "link-count",
            "severity": "damage",
            "record": 29,
            "where": "record",
            "index": null,
            "block": null,
            "offset": 18,
            "expected": "3",
            "found": "1",
            "message": "record 29, offset 0x12: the link count is 1, the number of names is 3",
        }])
    );
    insta::assert_snapshot!(env.run(["ntfs", "check", "--most", "0", "disk.img"]), @r"
    exit code 1
    1 issue: 142 files and 5 directories with 158 names in 149 records, and 158 entries in directories
    ");
}

#[test]
fn check_says_in_which_block_of_an_index_something_is() {
    let mut image = sample().build();
    // the first entry of a leaf of `many` loses its length
    let (at, _) = image.value_at(27, AttributeKind::INDEX_ALLOCATION, "$I30");
    image.block(at + 3 * BLOCK, BLOCK, |block| block[0x18 + 0x28 + 8] = 3);
    let env = env_with(&image);
    let document = env.json(["ntfs", "check", "disk.img"]);
    let issue = &document["issues"][0];
    assert_eq!(issue["kind"], "index-entry");
    assert_eq!(
        (&issue["where"], &issue["record"], &issue["index"]),
        (&"index-block".into(), &27.into(), &"$I30".into())
    );
    assert_eq!((&issue["block"], &issue["offset"]), (&6.into(), &0x18.into()));
    let run = env.run(["ntfs", "check", "disk.img"]);
    let words =
        "damage: record 27, block 6 of $I30, offset 0x18: the index entry at 40 of its node is damaged";
    assert!(run.stdout.starts_with(words), "{run}");
}

/// A volume with the directory `Work`, marked as case-sensitive, in which are `Read.me` and `READ.ME`.
fn case_sensitive() -> TestEnv {
    let mut image = Builder::new();
    let work = image.directory(ROOT, "Work");
    for name in ["Read.me", "READ.ME"] {
        image.file(work, name, Content::Resident(name.into()));
    }
    let mut image = image.build();
    let flags = image.attribute(work, AttributeKind::STANDARD_INFORMATION, 0) + 24 + 0x28;
    image.record(work, |record| record[flags] = 1);
    env_with(&image)
}

#[test]
fn in_a_case_sensitive_directory_case_counts() {
    let env = case_sensitive();
    for name in ["Read.me", "READ.ME"] {
        let path = format!("/WORK/{name}");
        assert_eq!(env.ok(["ntfs", "cat", "disk.img", &path]).stdout, name);
        let names = env.ok(["names", "--image", "disk.img", &path]).stdout;
        assert_eq!(names, format!("/Work/{name}\n"));
    }
    insta::assert_snapshot!(env.run(["ntfs", "cat", "disk.img", "/Work/read.me"]).failure(), @r"
    exit code 2
    error: cannot read '/Work/read.me'
    caused by: there is no such name (STATUS_OBJECT_NAME_NOT_FOUND 0xC0000034)
    ");
    let clean = env.ok(["ntfs", "check", "disk.img"]);
    assert!(clean.stdout.starts_with("clean: "), "{clean}");
}

#[test]
fn a_case_sensitive_directory_is_shown_as_one() {
    let env = case_sensitive();
    for args in [&["-l"][..], &["-lR"]] {
        let run = env.ok(["ntfs", "ls", "disk.img"].iter().chain(args));
        assert!(run.stdout.starts_with("D    1 "), "{run}");
        let document = env.json(["ntfs", "ls", "disk.img"].iter().chain(args));
        assert_eq!(document["entries"][0]["case_sensitive"], true, "{document}");
    }
    let run = env.ok(["ntfs", "record", "disk.img", "/work"]);
    let words = "\n      case-sensitive: names in it that differ in case only are different\n";
    assert!(run.stdout.contains(words), "{run}");
    let marked = |path| env.json(["ntfs", "record", "disk.img", path])["case_sensitive"].clone();
    assert_eq!((marked("/Work"), marked("/")), (true.into(), false.into()));
}

#[test]
fn names_are_found_on_a_volume_without_a_search() {
    let env = env();
    insta::assert_snapshot!(env.ok(["names", "--image", "disk.img", "/three.txt"]), @r"
    exit code 0
    /links/third.txt
    /many/second name of three.txt
    /three.txt
    ");
    insta::assert_snapshot!(env.ok(["names", "--image", "disk.img", "alongn~1.txt"]), @r"
    exit code 0
    /A long name.txt
    ");
    let document = env.json(["names", "--image", "disk.img", "/hub"]);
    assert_eq!(document["link_count"], 13);
    assert_eq!(document["complete"], true);
    assert_eq!(document["names"].as_array().unwrap().len(), 13);
    let run = env.run(["names", "--image", "disk.img", "/three.txt", "--in", "links"]);
    insta::assert_snapshot!(run, @r"
    exit code 1
    links/third.txt
    ---
    warning: 1 of 3 names found; the others lie beyond 'links'
    ");
    insta::assert_snapshot!(env.run(["names", "--image", "disk.img", "/links"]).failure(), @r"
    exit code 2
    error: '/links' is a directory
    hint: a directory has one name; this command looks for the names of a file
    ");
    insta::assert_snapshot!(env.run(["names", "--image", "disk.img", "/nothing"]).failure(), @r"
    exit code 2
    error: cannot look at '/nothing'
    caused by: there is no such name (STATUS_OBJECT_NAME_NOT_FOUND 0xC0000034)
    ");
}

#[test]
fn usage_counts_a_volume_and_a_directory_of_it() {
    let env = env();
    insta::assert_snapshot!(env.ok(["usage", "--image", "disk.img", "--bytes"]), @r"
    exit code 0
      disk   frees  shared  logical  names  files  path
    24,576  24,576       0   53,986    142    128  /
     2,048       0   2,048    1,215     14      3  /links
         0       0       0    2,651    121    121  /many
    24,576  24,576       0   53,986    142    128  total
    ---
    beside the files: 32,768 in 4 directories
    ");
    insta::assert_snapshot!(env.ok(["usage", "--image", "disk.img", "--bytes", "/links"]), @r"
    exit code 0
     disk  frees  shared  logical  names  files  path
    2,048      0   2,048    1,215     14      3  /links
        0      0       0        4      1      1  /links/inner
    2,048      0   2,048    1,215     14      3  total
    ---
    beside the files: 4,096 in 2 directories
    14 of 17 names seen: the others lie beyond these paths, and keep their files when these go
    ");
    let document = env.json(["usage", "--image", "disk.img", "-d", "0"]);
    let total = &document["total"];
    assert_eq!((&total["names"], &total["files"]), (&142.into(), &128.into()));
    assert_eq!(total["disk_bytes"], total["exclusive_bytes"]);
    assert_eq!(total["outside_names"], 0);
    assert_eq!(document["directories"][0]["path"], "/");
    let links = env.json(["usage", "--image", "disk.img", "/links"]);
    assert_eq!(links["total"]["outside_names"], 3);
    assert_eq!(links["total"]["exclusive_bytes"], 0);
}
