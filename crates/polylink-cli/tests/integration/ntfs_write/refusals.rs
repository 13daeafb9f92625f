//! What is not written, why, and what to do: exit code 2, and the image is as it was.

use std::fs;

use polylink_ntfs::layout::attribute::AttributeKind;
use polylink_ntfs::{MemDevice, OpenOptions, RecordNumber, Volume};

use super::{blank, env, listed, ntfs};
use crate::env::{Run, TestEnv};

/// The place of a system file's clusters in the image.
fn place_of(image: &[u8], record: RecordNumber, kind: AttributeKind) -> usize {
    let volume = Volume::open(Box::new(MemDevice::new(image.to_vec())), &OpenOptions::default()).unwrap();
    let cluster = u64::from(volume.geometry().unwrap().cluster);
    let stream = volume
        .file(record)
        .unwrap()
        .stream(&volume, kind, &[])
        .unwrap()
        .unwrap();
    let lcn = stream.runs().unwrap().extents()[0].lcn.unwrap();
    usize::try_from(lcn.0 * cluster).unwrap()
}

/// The value of `$VOLUME_INFORMATION`: its version at 8, its flags at 10.
fn volume_information(image: &[u8]) -> usize {
    let record = place_of(image, RecordNumber::MFT, AttributeKind::DATA) + 3 * 1024;
    let word = |at: usize| usize::from(u16::from_le_bytes([image[at], image[at + 1]]));
    let mut at = record + word(record + 0x14);
    while image[at] != 0x70 {
        at += word(at + 4);
    }
    at + word(at + 0x14)
}

fn damaged(damage: impl FnOnce(&mut Vec<u8>)) -> TestEnv {
    let env = env();
    let mut image = fs::read(env.path("disk.img")).unwrap();
    damage(&mut image);
    env.write("disk.img", image);
    env
}

fn with_flags(flags: u16) -> TestEnv {
    damaged(|image| {
        let at = volume_information(image) + 10;
        image[at..at + 2].copy_from_slice(&flags.to_le_bytes());
    })
}

/// A volume whose journal begins with this restart page.
pub(super) fn with_journal(client_in_use: u16) -> TestEnv {
    damaged(|image| {
        let at = place_of(image, RecordNumber::LOG_FILE, AttributeKind::DATA);
        let page = &mut image[at..at + 4096];
        page.fill(0);
        page[..4].copy_from_slice(b"RSTR");
        page[4..8].copy_from_slice(&[0x1E, 0, 9, 0]);
        page[24..30].copy_from_slice(&[0x30, 0, 1, 0, 1, 0]);
        page[0x3C..0x3E].copy_from_slice(&client_in_use.to_le_bytes());
    })
}

/// Each command that writes refuses the volume in the same words, and changes nothing.
fn refused(env: &TestEnv) -> Run {
    let before = fs::read(env.path("disk.img")).unwrap();
    let run = ntfs(env, &["mkdir", "disk.img", "/a"]);
    env.write("file", "x");
    for other in [
        &["ntfs", "mkdir", "-n", "disk.img", "/a"][..],
        &["ntfs", "put", "disk.img", "file", "/"],
        &["ntfs", "mv", "disk.img", "/a", "/b"],
        &["ntfs", "rm", "disk.img", "/a"],
        &["link", "--image", "disk.img", "/a", "/b"],
        &["flat", "--image", "disk.img", "/a", "/b"],
    ] {
        assert_eq!(env.run(other).to_string(), run.to_string(), "{other:?}");
    }
    assert!(
        fs::read(env.path("disk.img")).unwrap() == before,
        "nothing was written"
    );
    assert_eq!(run.code, 2, "{run}");
    run
}

/// `--force` writes all the same.
fn is_forced(env: &TestEnv) {
    env.ok(["ntfs", "mkdir", "--force", "disk.img", "/a"]);
    assert!(listed(env).contains(&"/a/".to_owned()));
}

/// `--force` changes nothing about the refusal.
fn is_never_forced(env: &TestEnv) {
    let before = fs::read(env.path("disk.img")).unwrap();
    assert_eq!(ntfs(env, &["mkdir", "--force", "disk.img", "/a"]).code, 2);
    assert!(fs::read(env.path("disk.img")).unwrap() == before);
}

#[test]
fn a_dirty_volume() {
    let env = with_flags(1);
    insta::assert_snapshot!(refused(&env).failure(), @r"
    exit code 2
    error: cannot write 'disk.img'
    caused by: the volume is marked as dirty
    hint: 'polylink ntfs check --fix' repairs it and takes the mark away, as 'chkdsk /f' on Windows does
    hint: --force writes all the same and leaves the mark: do that only where the check finds no damage
    ");
    is_forced(&env);
    // the mark is not ours to take away
    assert!(env.run(["ntfs", "check", "disk.img"]).stdout.contains("dirty"));
    assert_eq!(ntfs(&env, &["mkdir", "disk.img", "/b"]).code, 2);
}

#[test]
fn an_active_journal() {
    let env = with_journal(0);
    insta::assert_snapshot!(refused(&env).failure(), @r"
    exit code 2
    error: cannot write 'disk.img'
    caused by: the journal of the volume holds work that was not finished
    hint: mount it where it was used last, or on any Windows, and unmount it: that finishes the work
    hint: --force drops that work: then 'polylink ntfs check' tells what it left behind
    ");
    is_forced(&env);
    env.ok(["ntfs", "mkdir", "disk.img", "/b"]);
}

#[test]
fn a_journal_that_was_closed_is_emptied() {
    let env = with_journal(0xFFFF);
    env.ok(["ntfs", "mkdir", "disk.img", "/a"]);
    let info = env.ok(["ntfs", "info", "disk.img"]).stdout;
    assert!(info.contains("journal      empty"), "{info}");
}

#[test]
fn a_damaged_journal() {
    let env = damaged(|image| {
        let at = place_of(image, RecordNumber::LOG_FILE, AttributeKind::DATA);
        image[at..at + 16].fill(b'x');
    });
    insta::assert_snapshot!(refused(&env).failure(), @r"
    exit code 2
    error: cannot write 'disk.img'
    caused by: the journal of the volume is damaged: a restart page begins with xxxx
    hint: 'chkdsk /f' on Windows makes the journal anew
    hint: --force drops what the journal holds: do that only where 'polylink ntfs check' finds no damage
    ");
    is_forced(&env);
}

#[test]
fn a_hibernated_windows() {
    let env = env();
    env.write("hiberfil.sys", [&b"HIBR"[..], &[0; 5000]].concat());
    env.ok(["ntfs", "put", "disk.img", "hiberfil.sys", "/"]);
    insta::assert_snapshot!(refused(&env).failure(), @r"
    exit code 2
    error: cannot write 'disk.img'
    caused by: a hibernated Windows has the volume in its memory
    hint: start that Windows and shut it down fully: 'shutdown /s /f /t 0', or hold Shift while choosing 'Shut down'
    hint: fast startup hibernates at every shutdown: 'powercfg /h off' ends that
    ");
    is_never_forced(&env);
}

#[test]
fn flags_of_unfinished_work() {
    let env = with_flags(2);
    insta::assert_snapshot!(refused(&env).failure(), @r"
    exit code 2
    error: cannot write 'disk.img'
    caused by: the volume has the flags 0x0002: work on it is not finished, or they are not known
    hint: let Windows mount the volume, or run 'chkdsk /f' on it: that finishes the work which the flags stand for
    ");
    is_never_forced(&env);
}

#[test]
fn another_version() {
    let env = damaged(|image| {
        let at = volume_information(image) + 8;
        image[at..at + 2].copy_from_slice(&[4, 0]);
    });
    insta::assert_snapshot!(refused(&env).failure(), @r"
    exit code 2
    error: cannot write 'disk.img'
    caused by: NTFS version 4.0 is read, and not written
    hint: it is newer than what polylink knows: a later polylink may write it
    ");
    is_never_forced(&env);
}

#[test]
fn a_damaged_boot_sector() {
    let env = damaged(|image| image[510] = 0);
    insta::assert_snapshot!(refused(&env).failure(), @r"
    exit code 2
    error: cannot write 'disk.img'
    caused by: the volume is damaged: the boot sector cannot be used: the boot sector ends in 0xaa00, not in 0xaa55
    hint: 'polylink ntfs check' tells what is damaged; 'chkdsk /f' on Windows repairs it
    hint: get what you need with 'polylink ntfs get' first: reading goes on as long as it can
    ");
    is_never_forced(&env);
}

#[test]
fn a_bare_table() {
    let env = damaged(|image| {
        let at = place_of(image, RecordNumber::MFT, AttributeKind::DATA);
        *image = image[at..at + 64 * 1024].to_vec();
    });
    insta::assert_snapshot!(refused(&env).failure(), @r"
    exit code 2
    error: cannot write 'disk.img'
    caused by: there is only the Master File Table of a volume here
    hint: give the volume itself: a bare $MFT can be read, and holds no directories to change
    ");
    is_never_forced(&env);
}

#[test]
fn what_is_no_volume() {
    let env = damaged(|image| image[..4096].fill(0));
    let volume = env.path("other.img");
    let geometry = blank(&volume);
    assert_eq!(geometry.cluster, 4096);
    let mut image = fs::read(env.path("disk.img")).unwrap();
    let len = image.len();
    // the copy of the boot sector as well
    image[len - 4096..].fill(0);
    env.write("disk.img", image);
    insta::assert_snapshot!(refused(&env).failure(), @r"
    exit code 2
    error: cannot read 'disk.img'
    caused by: there is no NTFS volume here (its first sector does not have NTFS' name)
    hint: it is neither an NTFS volume nor a disk with one: 'file' may tell what it is
    ");
    env.write("disk.img", "short");
    insta::assert_snapshot!(refused(&env).failure(), @r"
    exit code 2
    error: 'disk.img' is no NTFS volume: it has 5 bytes
    ");
}

#[test]
fn what_is_not_there_or_is_no_file() {
    let env = TestEnv::new();
    let run = ntfs(&env, &["mkdir", "disk.img", "/a"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.starts_with("error: cannot open 'disk.img'"), "{run}");
    env.dir("disk.img");
    let run = ntfs(&env, &["mkdir", "disk.img", "/a"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.starts_with("error: cannot open 'disk.img'"), "{run}");
}

#[test]
fn a_volume_that_somebody_else_writes() {
    let env = env();
    let held = fs::File::options()
        .read(true)
        .write(true)
        .open(env.path("disk.img"))
        .unwrap();
    held.lock().unwrap();
    let run = ntfs(&env, &["mkdir", "disk.img", "/a"]);
    insta::assert_snapshot!(run.failure(), @r"
    exit code 2
    error: somebody else is writing 'disk.img'
    hint: wait for the other one to end, then run the command again
    ");
    drop(held);
    env.ok(["ntfs", "mkdir", "disk.img", "/a"]);
}

#[test]
fn a_partition_of_a_disk_is_written_and_nothing_else_on_it() {
    let env = env();
    let volume = fs::read(env.path("disk.img")).unwrap();
    let sectors = volume.len() / 512;
    let mut disk = vec![0xEE; 1 << 20];
    disk[..512].fill(0);
    for (slot, start) in [(0, 2048_usize), (1, 2048 + sectors)] {
        let entry = &mut disk[446 + slot * 16..][..16];
        entry[4] = 7;
        entry[8..12].copy_from_slice(&u32::try_from(start).unwrap().to_le_bytes());
        entry[12..16].copy_from_slice(&u32::try_from(sectors).unwrap().to_le_bytes());
    }
    disk[510..512].copy_from_slice(&[0x55, 0xAA]);
    disk.extend_from_slice(&volume);
    disk.extend_from_slice(&volume);
    env.write("disk.img", &disk);
    let run = ntfs(&env, &["mkdir", "disk.img", "/a"]);
    insta::assert_snapshot!(run.failure(), @r"
    exit code 2
    error: 'disk.img' has several NTFS partitions
    hint: choose by --partition: 1 (NTFS, 16.0 MiB), 2 (NTFS, 16.0 MiB)
    ");
    env.ok(["ntfs", "mkdir", "--partition", "2", "disk.img", "/a"]);
    let list = |partition| {
        env.ok(["ntfs", "ls", "--partition", partition, "disk.img"])
            .stdout
    };
    assert_eq!((list("1"), list("2")), (String::new(), "a\n".to_owned()));
    let after = fs::read(env.path("disk.img")).unwrap();
    let second = (1 << 20) + volume.len();
    assert!(after[..second] == disk[..second]);
    assert_eq!(after.len(), disk.len());
}
