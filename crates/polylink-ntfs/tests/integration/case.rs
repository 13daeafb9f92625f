//! Directories in which case counts, and those in which it does not.

use std::path::Path;
use std::sync::Arc;

use polylink_core::{CaseRule, LinkFs};
use polylink_ntfs::layout::attribute::AttributeKind;
use polylink_ntfs::{Case, Index, RecordNumber, VolumeFs};
use polylink_testutil::ntfs::image::{Builder, Content, Image, ROOT, put};

use crate::check::audit;

/// Where the flags lie in `$STANDARD_INFORMATION`: the attribute's header, then the field.
const FLAGS: usize = 24 + 0x28;

/// The directory `dir` with `Name`, `NAME` and `name`, each with its own name as content, and with `Other`.
fn built() -> (Image, u64) {
    let mut image = Builder::new();
    let directory = image.directory(ROOT, "dir");
    for name in ["Name", "NAME", "name", "Other"] {
        image.file(directory, name, Content::Resident(name.as_bytes().to_vec()));
    }
    (image.build(), directory)
}

/// Marks a directory as Windows does, or with other flags.
fn mark(image: &mut Image, directory: u64, flags: u32) {
    let at = image.attribute(directory, AttributeKind::STANDARD_INFORMATION, 0) + FLAGS;
    image.record(directory, |record| put(record, at, flags.to_le_bytes()));
}

/// What a path leads to, read by both ways, which must agree: its content, or why there is none.
fn found(image: &Image, path: &str) -> String {
    let answers = [false, true].map(|at_once| {
        let volume = Arc::new(image.open());
        let fs = match at_once {
            true => VolumeFs::with_catalog(volume).unwrap(),
            false => VolumeFs::new(volume),
        };
        let reference = match fs.find(Path::new(path)) {
            Ok(reference) => reference,
            Err(fault) => return fault.symbol().to_owned(),
        };
        let file = fs.volume().file(reference.record()).unwrap();
        let stream = file.stream(fs.volume(), AttributeKind::DATA, &[]).unwrap();
        String::from_utf8(stream.unwrap().resident_value().unwrap().to_vec()).unwrap()
    });
    assert_eq!(answers[0], answers[1], "{path}");
    answers[0].clone()
}

#[test]
fn case_counts_in_a_directory_that_is_marked() {
    let (mut image, directory) = built();
    mark(&mut image, directory, 1);
    for name in ["Name", "NAME", "name", "Other"] {
        assert_eq!(found(&image, &format!("/dir/{name}")), name);
    }
    for other in ["nAME", "other", "OTHER"] {
        assert_eq!(
            found(&image, &format!("/dir/{other}")),
            "STATUS_OBJECT_NAME_NOT_FOUND"
        );
    }
    // the root is not marked
    assert_eq!(found(&image, "/DIR/Name"), "Name");
    assert_eq!(audit(&image.open()).0, []);
}

#[test]
fn case_does_not_count_in_a_directory_that_is_not_marked() {
    let (image, _) = built();
    for name in ["Name", "NAME", "name"] {
        assert_eq!(found(&image, &format!("/dir/{name}")), name);
    }
    assert_eq!(found(&image, "/dir/OTHER"), "Other");
    assert_eq!(found(&image, "/dir/nAME"), "NAME");
    assert_eq!(audit(&image.open()).0, []);
}

#[test]
fn the_mark_is_one_bit_beside_others_and_no_version() {
    let (mut image, directory) = built();
    let number = RecordNumber(directory);
    let marked = |image: &Image| image.open().file(number).unwrap().is_case_sensitive();
    // tags of known folders and of reserves
    for (flags, wanted) in [(0, false), (1, true), (0x20E, false), (0x20F, true)] {
        mark(&mut image, directory, flags);
        assert_eq!(marked(&image), wanted, "{flags:#x}");
    }
    // the first version of five
    let versions = image.attribute(directory, AttributeKind::STANDARD_INFORMATION, 0) + 24 + 0x24;
    mark(&mut image, directory, 1);
    image.record(directory, |record| put(record, versions, 5_u32.to_le_bytes()));
    assert!(!marked(&image));
    // what is no directory has no names
    let file = directory + 1;
    mark(&mut image, file, 1);
    assert!(!image.open().file(RecordNumber(file)).unwrap().is_case_sensitive());
}

#[test]
fn the_rule_of_each_directory_is_told() {
    let (mut image, directory) = built();
    mark(&mut image, directory, 1);
    let volume = image.open();
    let case = |number| {
        let file = volume.file(RecordNumber(number)).unwrap();
        Index::open(&volume, &file).unwrap().case()
    };
    assert_eq!((case(directory), case(ROOT)), (Case::Minded, Case::Ignored));
    for at_once in [false, true] {
        let volume = Arc::new(image.open());
        let fs = match at_once {
            true => VolumeFs::with_catalog(volume).unwrap(),
            false => VolumeFs::new(volume),
        };
        let rule = |path: &str| {
            let dir = fs.open_dir(Path::new(path)).unwrap();
            LinkFs::volume(&fs, &dir).unwrap().names.case
        };
        assert_eq!(
            (rule("/dir"), rule("/")),
            (CaseRule::Sensitive, CaseRule::Upcased)
        );
        let row = |path: &str| fs.row(fs.find(Path::new(path)).unwrap()).unwrap().case_sensitive;
        assert_eq!((row("/dir"), row("/"), row("/dir/Name")), (true, false, false));
    }
}

/// Names that differ in case only follow each other by their units, whether the directory is marked or not.
#[test]
fn the_order_of_names_that_differ_in_case_is_judged() {
    let (mut image, directory) = built();
    mark(&mut image, directory, 1);
    let root = image.attribute(directory, AttributeKind::INDEX_ROOT, 0) + 32;
    image.record(directory, |record| {
        let first = root + 32;
        let len = usize::from(record[first + 8]);
        record[first..first + 2 * len].rotate_left(len);
    });
    let (issues, _) = audit(&image.open());
    let texts: Vec<_> = issues.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].ends_with("the index has NAME behind Name"), "{texts:?}");
    assert_eq!(issues[0].kind_name(), "index-order");
}
