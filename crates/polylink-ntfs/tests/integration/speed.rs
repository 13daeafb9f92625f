//! How long an audit takes, beside a plain read of the table.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use polylink_ntfs::{Access, FileDevice, OpenOptions, Volume};

use crate::check::audit;
use polylink_testutil::ntfs::image::{Builder, CLUSTER, Content, Image, POSIX, RECORD, ROOT};

/// A volume with `files` files, in directories of a thousand; one in ten has a second name.
fn volume(files: u64) -> Image {
    let room = files as usize * (RECORD + 300) / CLUSTER;
    let mut builder = Builder::with_clusters(4096 + room);
    let mut directory = ROOT;
    for index in 0..files {
        if index % 1000 == 0 {
            directory = builder.directory(ROOT, &format!("directory {index:07}"));
        }
        let content = Content::Resident(vec![b'x'; index as usize % 100]);
        let file = builder.file(
            directory,
            &format!("a file with the number {index:07}.txt"),
            content,
        );
        if index % 10 == 0 {
            builder.name(file, directory, &format!("again {index:07}"), POSIX);
        }
    }
    builder.build()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

/// Reads the table from its first byte to its last, and does nothing with it.
fn read_table(path: &Path, start: u64, len: u64) -> Duration {
    let file = File::open(path).unwrap();
    let mut buffer = vec![0; 1 << 20];
    let begun = Instant::now();
    let mut offset = start;
    while offset < start + len {
        let part = buffer.len().min((start + len - offset) as usize);
        file.read_exact_at(&mut buffer[..part], offset).unwrap();
        offset += part as u64;
    }
    begun.elapsed()
}

/// Run with `cargo test --release -- --ignored a_million --nocapture`; the figures are for people, for they depend on
/// what else the machine does.
#[test]
#[ignore = "takes 4 GB of memory and 1.4 GB of disk"]
fn an_audit_of_a_million_records_is_clean_and_timed_beside_a_read_of_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("million.img");
    let image = volume(1_000_000);
    let (start, len) = (image.record_at(0) as u64, 1_001_100 * RECORD as u64);
    std::fs::write(&path, &image.bytes).unwrap();
    drop(image);
    let (mut reads, mut audits) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        reads.push(read_table(&path, start, len));
        let device = FileDevice::open(&path, Access::Read).unwrap();
        let volume = Volume::open(Box::new(device), &OpenOptions::default()).unwrap();
        let begun = Instant::now();
        let (issues, summary) = audit(&volume);
        audits.push(begun.elapsed());
        assert_eq!((issues.len(), summary.names), (0, 1_101_012));
    }
    let (read, audit) = (median(reads), median(audits));
    #[expect(clippy::print_stderr)] // what the test is for
    {
        eprintln!("read {read:.3} s, audit {audit:.3} s, {:.2} times", audit / read);
    }
}
