//! Names in records against entries of directories.

use polylink_ntfs::layout::attribute::AttributeKind;

use super::plants;
use crate::check::audit;
use polylink_testutil::ntfs::image::{
    BOTH, Builder, Content, DOS, Image, POSIX, ROOT, WIN32, put, sample, u32_at,
};

const NAME: AttributeKind = AttributeKind::FILE_NAME;
const INDEX: AttributeKind = AttributeKind::INDEX_ROOT;
const SMALL: u64 = 24;
const LINKS: u64 = 28;
const THREE: u64 = 29;
const LONG: u64 = 30;
/// The directory whose only entry is [`LEAF`], and lies in its record.
const INNER: u64 = 33;
const LEAF: u64 = 34;
/// Where a value begins in its attribute, where that has no name; where one does that is called `$I30`.
const VALUE: usize = 24;
const INDEX_VALUE: usize = 32;
/// Where the first entry is in an index root, and where its key is in it.
const ENTRY: usize = INDEX_VALUE + 32;
const KEY: usize = ENTRY + 16;

/// Changes the volume before it is laid down.
fn rebuilt(image: &mut Image, change: impl FnOnce(&mut Builder)) {
    let mut builder = sample();
    change(&mut builder);
    *image = builder.build();
}

/// Writes the parent of the first name of `leaf.txt`.
fn set_parent(image: &mut Image, parent: u64) {
    let at = image.attribute(LEAF, NAME, 0) + VALUE;
    image.record(LEAF, |record| put(record, at, parent.to_le_bytes()));
}

plants! {
    a_link_count_that_is_wrong_is_found: "link-count",
        "record 29, offset 0x12: the link count is 2, the number of names is 3",
        |image| image.record(THREE, |record| record[0x12] = 2);
    a_directory_with_two_names_is_found: "directory-links",
        "record 33: the directory has 2 names, not 1",
        |image| rebuilt(image, |builder| builder.name(INNER, ROOT, "another door", POSIX));
    a_namespace_without_a_meaning_is_found: "namespace",
        "record 24, offset 0x108: the name odd is in namespace 7, not one of 0 to 3",
        |image| rebuilt(image, |builder| builder.name(SMALL, ROOT, "odd", 7));
    a_name_with_a_slash_is_found: "name-unit",
        "record 24, offset 0x108: the name a/b holds NUL or a slash",
        |image| rebuilt(image, |builder| builder.name(SMALL, ROOT, "a/b", POSIX));
    a_short_name_that_is_long_is_found: "short-name",
        "record 24, offset 0x108: the name by no means short is said to be an 8.3 name, and is not",
        |image| rebuilt(image, |builder| builder.name(SMALL, ROOT, "by no means short", BOTH));
    a_long_name_without_its_twin_is_found: "twin-missing",
        "record 24: the long name a lonely one has no 8.3 twin in its directory",
        |image| rebuilt(image, |builder| builder.name(SMALL, ROOT, "a lonely one", WIN32));
    a_twin_without_its_long_name_is_found: "twin-alone",
        "record 24: the 8.3 name LONELY~1 has no long name in its directory",
        |image| rebuilt(image, |builder| builder.name(SMALL, LINKS, "LONELY~1", DOS));
    a_file_with_two_twins_is_found: "twin-twice",
        "record 30: the file has 2 8.3 twins, 1 is the most",
        |image| rebuilt(image, |builder| builder.name(LONG, ROOT, "ALONGN~2.TXT", DOS));
    a_name_in_a_directory_that_is_gone_is_found: "parent-missing",
        "record 34, offset 0x98: the name leaf.txt is in the directory 159-0, which is not in use",
        with &["entry-without-name"],
        |image| { let gone = image.free_record(); set_parent(image, gone) };
    a_name_in_a_file_is_found: "parent-not-directory",
        "record 34, offset 0x98: the name leaf.txt is in 24-1, which is no directory",
        with &["entry-without-name"],
        |image| { let file = image.reference(SMALL); set_parent(image, file) };
    a_name_in_a_directory_of_before_is_found: "parent-sequence",
        "record 34, offset 0x98: the name leaf.txt is in the directory 33-2, now that is 33-1",
        |image| { let before = image.reference(INNER) + (1 << 48); set_parent(image, before) };
    a_name_that_no_directory_has_is_found: "name-not-indexed",
        "record 34, offset 0x98: the directory 33-1 has no entry for the name leaf.txt",
        |image| {
            let at = image.attribute(INNER, INDEX, 0);
            image.record(INNER, |record| {
                let entry = at + ENTRY;
                let len = usize::from(record[entry + 8]);
                record.copy_within(entry + len..entry + len + 16, entry);
                let used = u32_at(record, at + INDEX_VALUE + 20) - len as u32;
                put(record, at + INDEX_VALUE + 20, used.to_le_bytes());
            });
        };
    an_entry_for_a_name_that_its_file_does_not_have_is_found: "entry-without-name",
        "record 28, block 0 of $I30, offset 0x7c0: the directory has the entry third.txt of 29-3, which has no such name",
        |image| {
            image.remove_attribute(THREE, NAME, 2);
            image.record(THREE, |record| record[0x12] = 2);
        };
    an_entry_for_a_file_that_is_gone_is_found: "entry-target",
        "record 33, offset 0x140: the directory has the entry leaf.txt of 34-2, which is not in use",
        |image| {
            image.record(LEAF, |record| record[0x16] = 0);
            let bitmap = image.record_bitmap;
            image.flip(bitmap, LEAF);
        };
    an_entry_for_a_file_of_before_is_found: "entry-sequence",
        "record 33, offset 0x140: the directory has the entry leaf.txt of 34-9, now that is 34-2",
        |image| {
            let at = image.attribute(INNER, INDEX, 0) + ENTRY;
            image.record(INNER, |record| record[at + 6] = 9);
        };
    an_entry_that_says_another_directory_is_found: "entry-parent",
        "record 33, offset 0x140: the entry leaf.txt says it is in the directory 5-5, it is in 33-1",
        |image| {
            let at = image.attribute(INNER, INDEX, 0) + KEY;
            image.record(INNER, |record| put(record, at, 0x5_0000_0000_0005_u64.to_le_bytes()));
        };
    an_entry_of_another_namespace_is_found: "namespace-differs",
        "record 34, offset 0x98: the name leaf.txt is in namespace 3, its directory says 0",
        |image| {
            let at = image.attribute(INNER, INDEX, 0) + KEY + 65;
            image.record(INNER, |record| record[at] = 0);
        };
    a_name_that_is_there_twice_is_found: "entry-twice",
        "record 5, block 0 of $I30, offset 0x7a0: the directory has the name small.txt twice",
        |image| rebuilt(image, |builder| {
            builder.file(ROOT, "small.txt", Content::Resident(Vec::new()));
        });
    directories_in_a_circle_are_found: "cycle",
        "record 28: 2 directories lie in each other in a circle by way of 33-1 and not in the root",
        |image| rebuilt(image, |builder| builder.move_to(LINKS, INNER));
    a_root_that_cannot_be_read_is_found: "root",
        "record 5: the root is damaged, not a directory",
        with &["torn-sector"],
        |image| { let at = image.record_at(ROOT) + 1022; image.bytes[at] = 2 };
    a_directory_that_is_not_marked_as_one_is_found: "directory-flag",
        "record 33, offset 0x16: the record is marked as no directory, by its attributes it is a directory",
        |image| image.record(INNER, |record| record[0x16] = 1);
}

/// The damage that made this crate: the usual checkers call it clean, and removing a name then loses the others.
#[test]
fn every_wrong_count_of_three_names_is_found() {
    for count in [0, 1, 2, 4, 9, 255] {
        let mut image = sample().build();
        image.record(THREE, |record| record[0x12] = count);
        let (issues, _) = audit(&image.open());
        let found: Vec<_> = issues
            .iter()
            .map(|issue| (issue.kind.expected(), issue.kind.found()))
            .collect();
        assert_eq!(found, [("3".to_owned(), count.to_string())]);
    }
}

#[test]
fn the_count_of_a_file_with_extension_records_takes_all_its_names_in() {
    let mut image = sample().build();
    image.record(31, |record| record[0x12] = 8);
    let (issues, _) = audit(&image.open());
    let texts: Vec<_> = issues.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        ["record 31, offset 0x12: the link count is 8, the number of names is 13"]
    );
}
