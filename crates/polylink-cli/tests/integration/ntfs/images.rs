//! Where a volume may lie, and what may be wrong with it before anything in it is asked for.

use polylink_testutil::ntfs::image::{CLUSTER, RECORD, put, sample};

use super::env_with;
use crate::env::TestEnv;

const SECTOR: usize = 512;

/// A partition: its type for an MBR, its first sector, and what is in it.
type Part<'a> = (u8, usize, &'a [u8]);

fn disk(parts: &[Part<'_>]) -> Vec<u8> {
    let ends = parts.iter().map(|(_, start, bytes)| start * SECTOR + bytes.len());
    let mut disk = vec![0; ends.max().unwrap_or(0) + 64 * SECTOR];
    for (_, start, bytes) in parts {
        disk[start * SECTOR..start * SECTOR + bytes.len()].copy_from_slice(bytes);
    }
    put(&mut disk, 510, [0x55, 0xAA]);
    disk
}

fn mbr(parts: &[Part<'_>]) -> Vec<u8> {
    let mut disk = disk(parts);
    for (slot, (kind, start, bytes)) in parts.iter().enumerate() {
        let entry = 446 + slot * 16;
        disk[entry + 4] = *kind;
        put(&mut disk, entry + 8, (*start as u32).to_le_bytes());
        put(
            &mut disk,
            entry + 12,
            ((bytes.len() / SECTOR) as u32).to_le_bytes(),
        );
    }
    disk
}

fn gpt(parts: &[Part<'_>]) -> Vec<u8> {
    let mut disk = disk(parts);
    disk[446 + 4] = 0xEE;
    put(&mut disk, 446 + 8, 1_u32.to_le_bytes());
    put(&mut disk, 446 + 12, u32::MAX.to_le_bytes());
    put(&mut disk, SECTOR, *b"EFI PART");
    put(&mut disk, SECTOR + 72, 2_u64.to_le_bytes());
    put(&mut disk, SECTOR + 80, 128_u32.to_le_bytes());
    put(&mut disk, SECTOR + 84, 128_u32.to_le_bytes());
    for (slot, (_, start, bytes)) in parts.iter().enumerate() {
        let entry = 2 * SECTOR + slot * 128;
        let last = start + bytes.len() / SECTOR - 1;
        disk[entry] = 1;
        put(&mut disk, entry + 32, (*start as u64).to_le_bytes());
        put(&mut disk, entry + 40, (last as u64).to_le_bytes());
    }
    disk
}

fn env_of(bytes: &[u8]) -> TestEnv {
    let env = TestEnv::new();
    env.write("disk.img", bytes);
    env
}

const FAT: u8 = 0x0C;
const NTFS: u8 = 7;

#[test]
fn the_one_ntfs_partition_of_a_disk_is_found() {
    let volume = sample().build().bytes;
    let other = vec![0; 64 * SECTOR];
    let parts: [Part<'_>; 2] = [(FAT, 64, &other), (NTFS, 200, &volume)];
    for disk in [mbr(&parts), gpt(&parts)] {
        let env = env_of(&disk);
        assert_eq!(env.ok(["ntfs", "cat", "disk.img", "/small.txt"]).stdout, "hello");
        let clean = env.ok(["ntfs", "check", "disk.img", "--partition", "2"]);
        assert!(clean.stdout.starts_with("clean: "), "{clean}");
        assert_eq!(
            env.ok(["names", "--image", "disk.img", "/links/inner/leaf.txt"])
                .stdout,
            "/links/inner/leaf.txt\n"
        );
    }
}

#[test]
fn of_several_ntfs_partitions_one_must_be_chosen() {
    let volume = sample().build().bytes;
    let other = vec![0; 64 * SECTOR];
    let parts: [Part<'_>; 3] = [(FAT, 64, &other), (NTFS, 200, &volume), (NTFS, 5000, &volume)];
    for disk in [mbr(&parts), gpt(&parts)] {
        let env = env_of(&disk);
        insta::allow_duplicates! {
            insta::assert_snapshot!(env.run(["ntfs", "ls", "disk.img"]).failure(), @r"
            exit code 2
            error: 'disk.img' has several NTFS partitions
            hint: choose by --partition: 1 (not NTFS, 32.0 KiB), 2 (NTFS, 2.0 MiB), 3 (NTFS, 2.0 MiB)
            ");
            insta::assert_snapshot!(env.run(["usage", "--image", "disk.img", "--partition", "4"]).failure(), @r"
            exit code 2
            error: 'disk.img' has no partition 4
            hint: choose by --partition: 1 (not NTFS, 32.0 KiB), 2 (NTFS, 2.0 MiB), 3 (NTFS, 2.0 MiB)
            ");
            insta::assert_snapshot!(env.run(["ntfs", "ls", "disk.img", "--partition", "1"]).failure(), @r"
            exit code 2
            error: cannot read 'disk.img'
            caused by: there is no NTFS volume here (its first sector does not have NTFS' name)
            hint: choose by --partition: 1 (not NTFS, 32.0 KiB), 2 (NTFS, 2.0 MiB), 3 (NTFS, 2.0 MiB)
            ");
        }
        for number in ["2", "3"] {
            let run = env.ok(["ntfs", "cat", "--partition", number, "disk.img", "/small.txt"]);
            assert_eq!(run.stdout, "hello");
        }
    }
}

#[test]
fn a_disk_without_ntfs_is_refused_with_what_it_has() {
    let other = vec![0; 64 * SECTOR];
    let env = env_of(&mbr(&[(FAT, 64, &other)]));
    insta::assert_snapshot!(env.run(["ntfs", "info", "disk.img"]).failure(), @r"
    exit code 2
    error: 'disk.img' has no NTFS partition
    hint: it has 1 (not NTFS, 32.0 KiB)
    ");
}

#[test]
fn a_volume_that_fills_the_image_has_no_partitions() {
    let env = env_of(&sample().build().bytes);
    insta::assert_snapshot!(env.run(["ntfs", "ls", "disk.img", "--partition", "1"]).failure(), @r"
    exit code 2
    error: 'disk.img' has no partition 1: it has no partition table
    hint: leave out --partition: the volume fills the image
    ");
    let run = env.run(["names", "--partition", "1", "a"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("--image"), "{run}");
}

#[test]
fn what_is_no_volume_is_refused() {
    insta::assert_snapshot!(env_of(&[0; 100_000]).run(["ntfs", "ls", "disk.img"]).failure(), @r"
    exit code 2
    error: cannot read 'disk.img'
    caused by: there is no NTFS volume here (its first sector does not have NTFS' name)
    hint: it is neither an NTFS volume nor a disk with one: 'file' may tell what it is
    ");
    insta::assert_snapshot!(env_of(b"hello\n").run(["names", "--image", "disk.img", "a"]).failure(), @r"
    exit code 2
    error: 'disk.img' is no NTFS volume: it has 6 bytes
    ");
    insta::assert_snapshot!(env_of(b"").run(["usage", "--image", "disk.img"]).failure(), @r"
    exit code 2
    error: 'disk.img' is no NTFS volume: it has 0 bytes
    ");
    let run = TestEnv::new().run(["ntfs", "check", "disk.img"]);
    assert!(
        run.failure()
            .starts_with("exit code 2\nerror: cannot open 'disk.img'\n"),
        "{run}"
    );
}

#[test]
fn the_copy_of_a_broken_boot_sector_is_used_and_that_is_said() {
    let mut image = sample().build();
    // bytes per sector
    put(&mut image.bytes, 0x0B, 771_u16.to_le_bytes());
    let env = env_with(&image);
    insta::assert_snapshot!(env.ok(["ntfs", "cat", "disk.img", "/small.txt"]), @r"
    exit code 0
    hello
    ---
    warning: the boot sector cannot be used, its copy at the end of the volume is: the boot sector gives 771 bytes a sector, not a power of two from 256 to 4096
    ");
    let run = env.run(["ntfs", "check", "disk.img"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.contains(" [boot-sector]\n"), "{run}");
}

#[test]
fn of_a_truncated_image_what_is_there_is_read_and_the_rest_is_said() {
    let mut image = sample().build();
    // within the table, so that the last records are missing
    image.bytes.truncate(300 * CLUSTER);
    let env = env_with(&image);
    insta::assert_snapshot!(env.ok(["ntfs", "cat", "disk.img", "/small.txt"]), @r"
    exit code 0
    hello
    ---
    warning: the volume has 2,097,152 bytes, the image only 614,400: what lies beyond cannot be read
    ");
    let run = env.run(["ntfs", "ls", "-R", "disk.img", "/links/inner"]);
    assert_eq!(run.code, 1, "{run}");
    assert_eq!(run.stdout, "/links/inner/leaf.txt\n");
    assert!(
        run.stderr
            .ends_with("warning: 18 records could not be read: what they hold may be missing here\n"),
        "{run}"
    );
    let run = env.run(["usage", "--image", "disk.img", "/many"]);
    assert_eq!(run.code, 1, "{run}");
    let run = env.run(["ntfs", "check", "disk.img"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.contains(" [volume-truncated]\n"), "{run}");

    image.bytes.truncate(100 * CLUSTER);
    let run = env_with(&image).run(["ntfs", "ls", "disk.img"]);
    insta::assert_snapshot!(run.failure(), @r"
    exit code 2
    error: cannot read 'disk.img'
    caused by: cannot read 1024 bytes at offset 0x72800
    caused by: unexpected end of file
    ");
}

/// The table of [`sample`], cut out of the volume.
fn table() -> TestEnv {
    let image = sample().build();
    let volume = image.open();
    let start = image.record_at(0);
    let end = start + volume.records() as usize * RECORD;
    env_of(&image.bytes[start..end])
}

#[test]
fn a_bare_table_has_names_and_small_files() {
    let env = table();
    insta::assert_snapshot!(env.ok(["ntfs", "info", "disk.img"]), @r"
    exit code 0
    version  NTFS 3.1
    label    sample
    record   1,024 bytes; 160 of them, 149 in use
    flags    none
    ");
    insta::assert_snapshot!(env.ok(["ntfs", "ls", "-l", "disk.img"]), @r"
    exit code 0
    -    1              0              0 2020-01-01 00:00:00         30-1  /A long name.txt  (ALONGN~1.TXT)
    -   13            100           2048 2020-01-01 00:00:00         31-2  /hub
    -    1          10000          10240 2020-01-01 00:00:00         25-2  /large.bin
    d    1              0           4096 2020-01-01 00:00:00         28-2  /links
    d    1              0          24576 2020-01-01 00:00:00         27-1  /many
    -    1              5              0 2020-01-01 00:00:00         24-1  /small.txt
    -    1          40000           6144 2020-01-01 00:00:00         26-3  /sparse.bin
    -    1              4              0 2020-01-01 00:00:00         32-3  /streams.txt
    -    3             11              0 2020-01-01 00:00:00         29-3  /three.txt
    ");
    assert_eq!(
        env.ok(["ntfs", "ls", "-R", "disk.img"]).stdout.lines().count(),
        142 + 3
    );
    assert_eq!(env.ok(["ntfs", "cat", "disk.img", "/small.txt"]).stdout, "hello");
    let by_path = env.ok(["ntfs", "record", "disk.img", "/three.txt"]).stdout;
    assert_eq!(env.ok(["ntfs", "record", "disk.img", "29"]).stdout, by_path);
    insta::assert_snapshot!(env.ok(["names", "--image", "disk.img", "/three.txt"]), @r"
    exit code 0
    /links/third.txt
    /many/second name of three.txt
    /three.txt
    ");
    let links = env.json(["usage", "--image", "disk.img", "/links"]);
    assert_eq!(
        (&links["total"]["files"], &links["total"]["outside_names"]),
        (&3.into(), &3.into())
    );
    let run = env.ok(["ntfs", "check", "disk.img"]);
    assert!(run.stdout.starts_with("clean: "), "{run}");
}

#[test]
fn a_bare_table_has_no_content_of_large_files() {
    let run = table().run(["ntfs", "cat", "disk.img", "/large.bin"]);
    insta::assert_snapshot!(run.failure(), @r"
    exit code 1
    error: cannot read '/large.bin'
    caused by: only the table is here, and the value lies outside it
    ");
}
