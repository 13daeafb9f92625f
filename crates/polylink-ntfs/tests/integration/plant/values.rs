//! Values in clusters, bitmaps, and attribute lists.

use polylink_ntfs::layout::attribute::AttributeKind;

use super::plants;
use polylink_testutil::ntfs::image::{CLUSTER, Content, Image, ROOT, put, sample};

const DATA: AttributeKind = AttributeKind::DATA;
const LIST: AttributeKind = AttributeKind::ATTRIBUTE_LIST;
/// `large.bin`, whose value has 5 clusters.
const LARGE: u64 = 25;
/// `hub`, which has a list.
const HUB: u64 = 31;

/// Writes a field of an attribute.
fn field<const N: usize>(image: &mut Image, record: u64, kind: AttributeKind, offset: usize, value: [u8; N]) {
    let at = image.attribute(record, kind, 0) + offset;
    image.record(record, |record| put(record, at, value));
}

/// Takes the 5 clusters of `large.bin` away, as Linux's ntfs3 does it: its runs stay.
pub(crate) fn cut_to_nothing(image: &mut Image) {
    let first = (image.value_at(LARGE, DATA, "").0 / CLUSTER) as u64;
    let bitmap = image.bitmap;
    for cluster in first..first + 5 {
        image.flip(bitmap, cluster);
    }
    for size in [0x38, 0x30, 0x28] {
        field(image, LARGE, DATA, size, 0_u64.to_le_bytes());
    }
    field(image, LARGE, DATA, 0x18, u64::MAX.to_le_bytes());
}

/// Where the attribute list of `hub` is, whose entries have 32 bytes each.
fn list(image: &Image) -> usize {
    image.value_at(HUB, LIST, "").0
}

plants! {
    runs_that_cannot_be_read_are_found: "runs-damaged",
        "record 25, offset 0x108: the runs are damaged: a length is not above zero",
        |image| field(image, LARGE, DATA, 0x41, [0]);
    a_run_that_leads_out_of_the_volume_is_found: "run-outside",
        "record 25, offset 0x108: the runs lead to cluster 28877, the volume has 1024",
        |image| field(image, LARGE, DATA, 0x43, [0x70]);
    runs_that_end_early_are_found: "runs-end",
        "record 25, offset 0x108: the runs end before cluster 5 of the value, the attribute says before 6",
        |image| field(image, LARGE, DATA, 0x18, 5_u64.to_le_bytes());
    runs_of_a_value_without_clusters_are_noted: "runs-left",
        "record 25, offset 0x108: the value has no clusters, and runs that count for nothing",
        |image| cut_to_nothing(image);
    a_value_whose_beginning_is_missing_is_found: "runs-gap",
        "record 25, offset 0x108: a part of the value begins at its cluster 1, not at 0",
        |image| {
            field(image, LARGE, DATA, 0x10, 1_u64.to_le_bytes());
            field(image, LARGE, DATA, 0x18, 5_u64.to_le_bytes());
        };
    a_value_that_ends_before_it_begins_is_found: "cluster-range",
        "record 25, offset 0x108: an attribute begins at cluster 9 of its value and ends at 4",
        |image| field(image, LARGE, DATA, 0x10, 9_u64.to_le_bytes());
    a_value_with_more_written_than_there_is_is_found: "value-sizes",
        "record 25, offset 0x108: of a value 10001, 10000, 10240 bytes are initialized, its size, allocated: they must not fall",
        |image| field(image, LARGE, DATA, 0x38, 10_001_u64.to_le_bytes());
    allocated_bytes_that_are_not_those_of_the_runs_are_found: "allocated-size",
        "record 25, offset 0x108: the value is said to have 12288 bytes allocated, its runs hold 10240",
        |image| field(image, LARGE, DATA, 0x28, 12_288_u64.to_le_bytes());
    bytes_of_a_sparse_value_that_are_not_those_of_its_clusters_are_found: "total-allocated",
        "record 26, offset 0x108: the value is said to take 2048 bytes, its clusters hold 6144",
        |image| field(image, 26, DATA, 0x40, 2048_u64.to_le_bytes());
    clusters_that_two_files_have_are_found: "cluster-twice",
        "2 clusters from 1 on are used more than once, by records 7, 155",
        |image| {
            let mut builder = sample();
            builder.file(ROOT, "thief.bin", Content::At(1, 2));
            *image = builder.build();
        };
    clusters_that_are_used_and_marked_as_free_are_found: "cluster-marked-free",
        "record 6: 2 clusters from 230 on are used but marked as free",
        |image| {
            let (bitmap, table) = (image.bitmap, image.table);
            image.flip(bitmap, table + 1);
            image.flip(bitmap, table + 2);
        };
    clusters_that_are_marked_and_not_used_are_found: "cluster-marked-used",
        "record 6: 1 clusters from 1000 on are marked as used but nobody uses them",
        |image| { let bitmap = image.bitmap; image.flip(bitmap, 1000) };
    a_bitmap_that_is_too_short_is_found: "bitmap-size",
        "record 6: the bitmap has 120 bytes, 128 are wanted",
        |image| {
            field(image, 6, DATA, 0x38, 120_u64.to_le_bytes());
            field(image, 6, DATA, 0x30, 120_u64.to_le_bytes());
        };
    a_record_that_is_in_use_and_marked_as_free_is_found: "record-marked-free",
        "record 24: the record is in use but marked as free in $MFT:$BITMAP",
        |image| { let bitmap = image.record_bitmap; image.flip(bitmap, 24) };
    a_record_that_is_marked_and_not_in_use_is_found: "record-marked-used",
        "record 159: the record is not in use but marked as used in $MFT:$BITMAP",
        |image| { let (bitmap, free) = (image.record_bitmap, image.free_record()); image.flip(bitmap, free) };

    an_entry_of_a_list_that_cannot_be_read_is_found: "list-entry",
        "record 31, offset 0x98: entry 1 of the attribute list is damaged",
        |image| { let at = list(image) + 32; image.bytes[at + 4] = 0 };
    a_list_that_is_too_long_is_found: "list-size",
        "record 31: the attribute list has 300000 bytes, 262144 are the most",
        |image| for size in [0x28, 0x30, 0x38] {
            field(image, HUB, LIST, size, 300_000_u64.to_le_bytes());
        };
    a_list_out_of_order_is_found: "list-order",
        "record 31: the attribute list has $STANDARD_INFORMATION behind $FILE_NAME",
        |image| { let at = list(image); image.bytes[at..at + 64].rotate_left(32) };
    a_list_that_names_a_record_of_others_is_found: "list-record",
        "record 31: the attribute list names the record 24-0, which is a file of its own",
        with &["attribute-unlisted"],
        |image| { let at = list(image) + 14 * 32 + 16; put(&mut image.bytes, at, 24_u64.to_le_bytes()) };
    a_list_that_names_an_attribute_that_is_not_there_is_found: "list-attribute",
        "record 31: the attribute list names $DATA in record 31, which is not there",
        with &["attribute-unlisted"],
        |image| { let at = list(image) + 14 * 32 + 24; image.bytes[at] = 99 };
    an_attribute_that_the_list_does_not_name_is_found: "attribute-unlisted",
        "record 31, offset 0x320: the attribute list does not name $DATA",
        |image| {
            field(image, HUB, LIST, 0x38, (14 * 32_u64).to_le_bytes());
            field(image, HUB, LIST, 0x30, (14 * 32_u64).to_le_bytes());
        };
}

/// An attribute that is missing from a list hides nothing; a list that leads astray hides names.
#[test]
fn names_behind_a_list_that_leads_astray_are_not_called_wrong() {
    let mut image = sample().build();
    let at = list(&image) + 4;
    image.bytes[at] = 0;
    let (issues, summary) = crate::check::audit(&image.open());
    assert_eq!(issues.len(), 1, "{issues:?}");
    assert_eq!(summary.names, 158);
}

#[test]
fn fragments_and_lists_of_runs_are_sound() {
    let mut builder = polylink_testutil::ntfs::image::Builder::with_clusters(4096);
    for index in 0..3 {
        let name = format!("fragments {index}");
        builder.file(ROOT, &name, Content::Fragments(100));
    }
    let image = builder.build();
    let (issues, summary) = crate::check::audit(&image.open());
    assert_eq!(issues, []);
    assert!(summary.clusters > 300 && image.bytes.len() > 4096 * CLUSTER);
}

/// The clusters that such runs led to are of another file by now: none of them is written, read or freed.
#[test]
fn a_value_whose_runs_lead_nowhere_any_more_is_written_anew() {
    use crate::write::{issues, open, units};

    let mut image = sample().build();
    cut_to_nothing(&mut image);
    let device = std::sync::Arc::new(polylink_ntfs::MemDevice::new(image.bytes));
    let writer = open(&device);
    let root = writer.root().unwrap();
    let (name, other) = (units("large.bin"), units("other.bin"));
    let file = writer.look_up(root, &name).unwrap().unwrap().file;
    let made = writer.create_file(root, &other).unwrap();
    writer.write(made, &[], 0, &[7; 3 * CLUSTER]).unwrap();
    writer.sync().unwrap();
    let left = "record 25, offset 0x108: the value has no clusters, and runs that count for nothing";
    assert_eq!(issues(&device), [left]);
    writer.write(file, &[], 0, &[9; 2 * CLUSTER]).unwrap();
    writer.sync().unwrap();
    assert_eq!(issues(&device), [""; 0]);
    let replace = polylink_ntfs::Replace::File;
    writer.rename((root, &other), (root, &name), replace).unwrap();
    writer.close().unwrap();
    assert_eq!(issues(&device), [""; 0]);
}
