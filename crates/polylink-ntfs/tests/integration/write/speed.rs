//! How long things take: for people, not for a test. `cargo test --release -p polylink-ntfs --test integration -- --ignored
//! --nocapture speed_of_writing`

#![allow(clippy::print_stdout, reason = "people read it")]

use std::sync::Arc;
use std::time::Instant;

use polylink_ntfs::{Access, FileDevice, FormatOptions, WriteOptions, Writer, format};

use super::{TIME, units};

#[test]
#[ignore = "prints times, proves nothing"]
fn speed_of_writing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("volume.img");
    let make = || {
        std::fs::write(&path, []).unwrap();
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(2 << 30).unwrap();
        let device = Arc::new(FileDevice::open(&path, Access::ReadWrite).unwrap());
        let options = FormatOptions {
            time: TIME,
            zeroed: true,
            ..FormatOptions::default()
        };
        format(&*device, &options).unwrap();
        let options = WriteOptions {
            max_links: 20_000,
            ..WriteOptions::default()
        };
        Writer::open(device, &options).unwrap()
    };
    for count in [1_023, 8_000] {
        let writer = make();
        let root = writer.root().unwrap();
        let file = writer.create_file(root, &units("the file")).unwrap();
        let before = writer.free_bytes().unwrap();
        let start = Instant::now();
        for index in 0..count {
            writer
                .link(file, root, &units(&format!("name {index:05}")))
                .unwrap();
        }
        writer.close().unwrap();
        let took = start.elapsed();
        let bytes = before - writer.free_bytes().unwrap();
        println!(
            "{count} names of one file: {took:?}, {} bytes each",
            bytes / count
        );
    }
    let writer = make();
    let root = writer.root().unwrap();
    let start = Instant::now();
    let mut files = Vec::new();
    for index in 0..100_000_u32 {
        files.push(
            writer
                .create_file(root, &units(&format!("file {index:06}.dat")))
                .unwrap(),
        );
    }
    writer.close().unwrap();
    println!("100,000 files in one directory: {:?}", start.elapsed());
    let flat = writer.make_directory(root, &units("flat")).unwrap();
    let before = writer.free_bytes().unwrap();
    let start = Instant::now();
    for (index, file) in files.iter().enumerate() {
        writer
            .link(*file, flat, &units(&format!("file {index:06}.dat")))
            .unwrap();
    }
    writer.close().unwrap();
    let bytes = before - writer.free_bytes().unwrap();
    println!(
        "100,000 links in one directory: {:?}, {} bytes each",
        start.elapsed(),
        bytes / 100_000
    );
    let start = Instant::now();
    for index in 0..100_000_u32 {
        writer
            .unlink(root, &units(&format!("file {index:06}.dat")))
            .unwrap();
    }
    writer.close().unwrap();
    println!("100,000 names taken away: {:?}", start.elapsed());
}
