//! `polylink ntfs format`.

use std::fs;

use serde_json::json;

use crate::env::TestEnv;

fn format(env: &TestEnv, args: &[&str]) -> crate::env::Run {
    env.run(["ntfs", "format", "disk.img"].iter().chain(args))
}

#[test]
fn an_image_is_made_and_is_sound() {
    let env = TestEnv::new();
    let args = [
        "--size",
        "100M",
        "--label",
        "photos",
        "--serial",
        "1234567890abcdef",
    ];
    let made = format(&env, &args);
    assert_eq!(made.code, 0, "{made}");
    assert_eq!(fs::metadata(env.path("disk.img")).unwrap().len(), 100 << 20);
    insta::assert_snapshot!(env.ok(["ntfs", "info", "disk.img"]), @r"
    exit code 0
    version      NTFS 3.1
    label        photos
    serial       1234567890ABCDEF (shown by Windows as 90AB-CDEF)
    size         100 MiB (104,857,088 bytes)
    sector       512 bytes
    cluster      4,096 bytes; 25,599 of them, 632 in use
    index block  4,096 bytes
    $MFT         from cluster 616
    $MFTMirr     from cluster 2
    record       1,024 bytes; 64 of them, 19 in use
    flags        none
    journal      empty
    hibernated   no
    ");
    insta::assert_snapshot!(env.ok(["ntfs", "check", "disk.img"]), @r"
    exit code 0
    clean: 17 files and 2 directories with 15 names in 19 records, and 15 entries in directories
    ");
    assert_eq!(env.ok(["ntfs", "ls", "disk.img"]).stdout, "");
}

#[test]
fn the_dry_run_says_what_would_be_and_makes_nothing() {
    let env = TestEnv::new();
    let args = ["-n", "--size", "1T", "--label", "photos", "--serial", "7"];
    insta::assert_snapshot!(format(&env, &args), @r"
    exit code 0
    version  NTFS 3.1
    label    photos
    serial   0000000000000007 (shown by Windows as 0000-0007)
    size     1.0 TiB (1,099,511,627,776 bytes)
    sector   512 bytes
    cluster  4,096 bytes; 268,435,455 of them, 12,407 in use
    record   1,024 bytes; 64 of them
    journal  16.0 MiB
    'disk.img' would be made so
    ");
    assert!(!env.path("disk.img").exists());
}

#[test]
fn the_document_has_each_figure() {
    let env = TestEnv::new();
    let args = [
        "ntfs",
        "format",
        "disk.img",
        "--size",
        "8M",
        "--cluster",
        "64K",
        "--record",
        "4K",
        "--serial",
        "7",
    ];
    let mut document = env.json(args);
    let fields = document.as_object_mut().unwrap();
    assert!(fields.remove("microseconds").unwrap().as_u64().is_some());
    let taken = fields.remove("disk_bytes").unwrap();
    assert_eq!(taken.is_u64(), cfg!(unix));
    assert_eq!(
        document,
        json!({
            "schema": 1,
            "command": "ntfs format",
            "dry_run": false,
            "image": "disk.img",
            "replaced": null,
            "version": "3.1",
            "label": "",
            "serial": "0000000000000007",
            "sector_bytes": 512,
            "cluster_bytes": 65_536,
            "record_bytes": 4096,
            "index_block_bytes": 4096,
            "image_bytes": 8_388_608,
            "volume_bytes": 8_388_096,
            "clusters": 127,
            "clusters_used": 33,
            "records": 64,
            "mft_cluster": 29,
            "mft_mirror_cluster": 1,
            "log_bytes": 1_048_576,
        })
    );
}

#[test]
fn what_exists_is_named_and_kept_unless_forced() {
    let env = TestEnv::new();
    assert_eq!(format(&env, &["--size", "4M", "--label", "old"]).code, 0);
    let before = fs::read(env.path("disk.img")).unwrap();
    insta::assert_snapshot!(format(&env, &["--label", "new"]).failure(), @r"
    exit code 2
    error: 'disk.img' exists: it holds an NTFS volume labelled 'old' of 4.0 MiB
    hint: --force overwrites it, and all that it holds is lost
    ");
    assert_eq!(fs::read(env.path("disk.img")).unwrap(), before);

    let args = [
        "ntfs", "format", "disk.img", "--force", "--label", "new", "--size", "6M",
    ];
    assert_eq!(
        env.json(args)["replaced"],
        "it holds an NTFS volume labelled 'old' of 4.0 MiB"
    );
    assert_eq!(env.json(["ntfs", "info", "disk.img"])["label"], "new");
    assert_eq!(fs::metadata(env.path("disk.img")).unwrap().len(), 6 << 20);
    // the size that it has is kept where no other one is given
    assert_eq!(format(&env, &["--force"]).code, 0);
    assert_eq!(fs::metadata(env.path("disk.img")).unwrap().len(), 6 << 20);
    assert_eq!(env.json(["ntfs", "check", "disk.img"])["clean"], true);
}

#[test]
fn other_things_are_named_too() {
    let env = TestEnv::new();
    let said = |content: &[u8]| {
        env.write("disk.img", content);
        let run = format(&env, &["--size", "4M"]);
        assert_eq!(run.code, 2);
        assert_eq!(fs::read(env.path("disk.img")).unwrap(), content);
        let text = run.stderr.lines().next().unwrap_or_default().to_owned();
        text.strip_prefix("error: 'disk.img' exists: ")
            .expect("a reason")
            .to_owned()
    };
    assert_eq!(said(b""), "it is empty");
    assert_eq!(
        said(&[0; 70_000]),
        "it holds 70,000 bytes, the first of them zeros"
    );
    assert_eq!(said(b"some text\n"), "it holds 10 B (10 bytes) of something else");
    let mut ext4 = vec![0; 8192];
    ext4[0x438..0x43A].copy_from_slice(&[0x53, 0xEF]);
    assert_eq!(said(&ext4), "it holds an ext2, ext3 or ext4 file system");
    let mut exfat = vec![0; 8192];
    exfat[3..11].copy_from_slice(b"EXFAT   ");
    assert_eq!(said(&exfat), "it is exFAT");
}

#[test]
fn what_cannot_be_made_is_refused_and_leaves_nothing() {
    let env = TestEnv::new();
    insta::assert_snapshot!(format(&env, &[]).failure(), @r"
    exit code 2
    error: 'disk.img' does not exist, and nothing says how large it is to be
    hint: give --size, as in --size 10G
    ");
    insta::assert_snapshot!(format(&env, &["--size", "100K"]).failure(), @r"
    exit code 2
    error: cannot format 'disk.img'
    caused by: 102400 bytes are too few: a volume with clusters of 4096 bytes needs 1048576 at least
    hint: another --size or another --cluster may go
    ");
    insta::assert_snapshot!(format(&env, &["--size", "8M", "--cluster", "2M"]).failure(), @r"
    exit code 2
    error: cannot format 'disk.img'
    caused by: 8388608 bytes are too few: a volume with clusters of 2097152 bytes needs 20972032 at least
    hint: another --size or another --cluster may go
    ");
    insta::assert_snapshot!(format(&env, &["--size", "8M", "--cluster", "5000"]).failure(), @r"
    exit code 2
    error: cannot format 'disk.img'
    caused by: clusters of 5000 bytes are not possible: it must be a power of two from 512 to 2097152
    ");
    insta::assert_snapshot!(format(&env, &["--size", "8M", "--sector", "4K", "--record", "1K"]).failure(), @r"
    exit code 2
    error: cannot format 'disk.img'
    caused by: records of 1024 bytes are not possible: it must be 1024 or 4096, and not below a sector of 4096
    ");
    let long = "x".repeat(33);
    insta::assert_snapshot!(format(&env, &["--size", "8M", "--label", &long]).failure(), @r"
    exit code 2
    error: cannot format 'disk.img'
    caused by: the label has 33 units of UTF-16, 32 are the most
    ");
    insta::assert_snapshot!(format(&env, &["--size", "8X"]).failure(), @r"
    exit code 2
    error: invalid value '8X' for '--size <SIZE>': 'X' is none of K, M, G, T, P and E
    hint: '--help' explains the options and gives examples
    ");
    insta::assert_snapshot!(format(&env, &["--size", "8M", "--serial", "nine"]).failure(), @r"
    exit code 2
    error: invalid value 'nine' for '--serial <HEX>': a serial number has 1 to 16 hexadecimal digits
    hint: '--help' explains the options and gives examples
    ");
    assert!(!env.path("disk.img").exists());
    env.dir("folder");
    let run = env.run(["ntfs", "format", "folder", "--size", "8M", "--force"]);
    assert_eq!(run.code, 2);
}

#[cfg(unix)]
#[test]
fn an_image_is_sparse() {
    use std::os::unix::fs::MetadataExt as _;

    let env = TestEnv::new();
    assert_eq!(format(&env, &["--size", "64G"]).code, 0);
    let metadata = fs::metadata(env.path("disk.img")).unwrap();
    assert_eq!(metadata.len(), 64 << 30);
    // the journal has 16 MiB
    assert!(metadata.blocks() * 512 < 18 << 20, "{} blocks", metadata.blocks());
}
