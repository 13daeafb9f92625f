//! What the pass over the table knows of files, against what the files say themselves.

use std::path::Path;
use std::sync::Arc;

use polylink_ntfs::layout::attribute::AttributeKind;
use polylink_ntfs::{FileKind, FileRow, RecordNumber, VolumeFs};
use polylink_testutil::ntfs::image::{BLOCK, Builder, CLUSTER, Content, Image, ROOT, sample};

use crate::check::audit;

/// The rows of a file from the catalog and from the file, which must be the same.
fn row(image: &Image, path: &str) -> FileRow {
    let volume = Arc::new(image.open());
    let rows = [
        VolumeFs::new(Arc::clone(&volume)),
        VolumeFs::with_catalog(volume).unwrap(),
    ]
    .map(|fs| {
        let reference = fs.find(Path::new(path)).unwrap();
        match fs.catalog() {
            Some(catalog) => catalog.file(catalog.resolve(reference).unwrap()).unwrap(),
            None => fs.row(reference).unwrap(),
        }
    });
    assert_eq!(rows[0], rows[1], "{path}");
    rows[0]
}

/// The records that a file's attributes of a type are in.
fn records_of(image: &Image, number: u64, kind: AttributeKind) -> Vec<u64> {
    let volume = image.open();
    let file = volume.file(RecordNumber(number)).unwrap();
    file.attributes()
        .flatten()
        .filter(|(_, attribute)| attribute.kind() == kind)
        .map(|(record, _)| record.0)
        .collect()
}

#[test]
fn a_directory_takes_what_its_blocks_take_wherever_their_runs_are() {
    let build = |note: usize| {
        let mut image = Builder::new();
        let directory = image.directory(ROOT, "dir");
        for number in 0..100 {
            let name = format!("file {number:03} of a hundred");
            image.file(directory, &name, Content::Resident(Vec::new()));
        }
        let note = Content::Resident(vec![7; note]);
        image.value(directory, AttributeKind::DATA, "note", note);
        (image.build(), directory)
    };
    let kind = AttributeKind::INDEX_ALLOCATION;
    let (near, directory) = build(0);
    assert_eq!(records_of(&near, directory, kind), [directory]);
    let (far, directory) = build(600);
    assert_ne!(records_of(&far, directory, kind), [directory]);
    assert_eq!(audit(&far.open()).0, []);
    let wanted = row(&near, "/dir").allocated;
    assert!(wanted >= 2 * BLOCK as u64, "{wanted}");
    assert_eq!(row(&far, "/dir").allocated, wanted);
}

#[test]
fn a_link_is_one_wherever_its_target_is() {
    let mut image = Builder::new();
    let link = image.file(ROOT, "link", Content::Resident(Vec::new()));
    image.value(link, AttributeKind::DATA, "note", Content::Resident(vec![7; 500]));
    // a symbolic link to `there`, relative
    let target: Vec<u8> = "there".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut point = Vec::new();
    point.extend(0xA000_000C_u32.to_le_bytes());
    point.extend([12 + 2 * target.len() as u16, 0].map(u16::to_le_bytes).concat());
    let len = target.len() as u16;
    point.extend([0, len, len, len].map(u16::to_le_bytes).concat());
    point.extend(1_u32.to_le_bytes());
    point.extend(target.repeat(2));
    point.resize(500, 0);
    image.value(link, AttributeKind::REPARSE_POINT, "", Content::Resident(point));
    let image = image.build();
    assert_ne!(records_of(&image, link, AttributeKind::REPARSE_POINT), [link]);
    assert_eq!(row(&image, "/link").kind, FileKind::Link);
}

#[test]
fn rows_of_all_kinds_of_files_are_the_same_from_both() {
    let image = sample().build();
    let fs = VolumeFs::with_catalog(Arc::new(image.open())).unwrap();
    let catalog = fs.catalog().unwrap();
    let mut seen = 0;
    for index in catalog.files() {
        let from_table = catalog.file(index).unwrap();
        assert_eq!(fs.row(from_table.reference).unwrap(), from_table);
        seen += 1;
    }
    assert_eq!(seen, catalog.len());
    assert_eq!(row(&image, "/large.bin").allocated, 5 * CLUSTER as u64);
}
