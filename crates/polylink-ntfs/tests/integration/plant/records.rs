//! Headers of records, update sequences, and attributes.

use polylink_ntfs::layout::attribute::AttributeKind;

use super::plants;
use polylink_testutil::ntfs::image::{put, u32_at};

const DATA: AttributeKind = AttributeKind::DATA;
const NAME: AttributeKind = AttributeKind::FILE_NAME;

plants! {
    a_record_that_was_overwritten_is_found: "record-signature",
        "record 24: the record is marked as used and begins with XILE, not with FILE",
        |image| { let at = image.record_at(24); image.bytes[at] = b'X' };
    an_update_sequence_that_does_not_fit_is_found: "update-sequence",
        "record 24: the update sequence has 3 values at 0x31, the block wants 3 values in its first sector",
        |image| { let at = image.record_at(24) + 4; image.bytes[at] = 0x31 };
    a_sector_of_another_write_is_found: "torn-sector",
        "record 24: 512 bytes at 512 end in 0x0002, not in 0x0001: the block was written in part",
        |image| { let at = image.record_at(24) + 1022; image.bytes[at] = 2 };
    a_record_that_says_another_number_is_found: "record-number",
        "record 24, offset 0x2c: the record says it is record 25",
        |image| image.record(24, |record| record[0x2C] = 25);
    a_record_that_says_another_size_is_found: "record-size",
        "record 24, offset 0x1c: the record says it has 1016 bytes, it has 1024",
        |image| image.record(24, |record| put(record, 0x1C, 1016_u32.to_le_bytes()));
    a_record_that_says_another_end_is_found: "record-used",
        "record 24, offset 0x18: the record says it uses 312 bytes, it uses 304",
        |image| image.record(24, |record| put(record, 0x18, 312_u32.to_le_bytes()));
    a_record_whose_attributes_begin_in_its_header_is_found: "first-attribute",
        "record 24, offset 0x14: the first attribute is said to be at 48, 56 is the first place",
        |image| image.record(24, |record| record[0x14] = 0x30);
    flags_of_a_record_without_a_meaning_are_noted: "record-flags",
        "record 24, offset 0x16: the record has the flags 0x0101, 0x000f are known",
        |image| image.record(24, |record| record[0x17] = 1);
    // the entry for the file has the number that was there before
    a_sequence_number_of_zero_is_found: "sequence-zero",
        "record 24, offset 0x10: the record's sequence number is 0",
        with &["entry-sequence"],
        |image| image.record(24, |record| record[0x10] = 0);
    an_extension_record_without_its_base_record_is_found: "base-reference",
        "record 159, offset 0x20: the record belongs to the file of 4095-1, which is beyond the table",
        |image| image.add_extension(0x1_0000_0000_0FFF);
    an_extension_record_that_nobody_lists_is_found: "extension-unlisted",
        "record 159, offset 0x20: the record belongs to the file of 24-1, whose attribute list does not name it",
        |image| { let base = image.reference(24); image.add_extension(base) };

    an_attribute_with_a_length_that_cannot_be_is_found: "attribute-length",
        "record 24, offset 0x108: an attribute says it has 20 bytes, not a multiple of 8 from 24 on",
        |image| {
            let at = image.attribute(24, DATA, 0);
            image.record(24, |record| record[at + 4] = 20);
        };
    an_attribute_that_leads_out_of_its_record_is_found: "attribute-bounds",
        "record 24, offset 0x108: an attribute ends at 4360, beyond 304",
        |image| {
            let at = image.attribute(24, DATA, 0);
            image.record(24, |record| put(record, at + 4, 4096_u32.to_le_bytes()));
        };
    an_attribute_that_is_neither_here_nor_there_is_found: "resident-flag",
        "record 24, offset 0x108: an attribute is neither resident (0) nor non-resident (1) but 2",
        |image| {
            let at = image.attribute(24, DATA, 0);
            image.record(24, |record| record[at + 8] = 2);
        };
    flags_of_an_attribute_without_a_meaning_are_found: "attribute-flags",
        "record 24, offset 0x108: an attribute has the flags 0x0002, 0xc001 are known",
        |image| {
            let at = image.attribute(24, DATA, 0);
            image.record(24, |record| record[at + 12] = 2);
        };
    attributes_out_of_order_are_found: "attribute-order",
        "record 32, offset 0x158: $DATA stands behind $DATA:more",
        |image| {
            let (one, two) = (image.attribute(32, DATA, 0), image.attribute(32, DATA, 1));
            image.record(32, |record| {
                let end = two + u32_at(record, two + 4) as usize;
                record[one..end].rotate_left(two - one);
            });
        };
    two_attributes_with_one_number_are_found: "attribute-id",
        "record 24, offset 0x108: two attributes have the number 0",
        |image| {
            let at = image.attribute(24, DATA, 0);
            image.record(24, |record| record[at + 14] = 0);
        };
    a_next_number_that_is_taken_is_noted: "next-attribute-id",
        "record 24, offset 0x28: the next attribute is to have the number 1, 3 is the first free one",
        |image| image.record(24, |record| record[0x28] = 1);
    two_attributes_of_one_name_are_found: "attribute-twice",
        "record 32, offset 0x128: there are 2 $DATA of one name, not 1",
        |image| {
            let at = image.attribute(32, DATA, 1);
            image.record(32, |record| record[at + 9] = 0);
        };
    an_attribute_of_a_type_that_is_not_known_is_noted: "attribute-unknown",
        "record 32, offset 0x128: the type of attribute 0xf0 is not known",
        |image| {
            let at = image.attribute(32, DATA, 1);
            image.record(32, |record| record[at] = 0xF0);
        };
    a_file_without_content_is_found: "attribute-missing",
        "record 24: there is no $DATA",
        |image| {
            let at = image.attribute(24, DATA, 0);
            image.record(24, |record| put(record, at, 0x100_u32.to_le_bytes()));
        };
    an_attribute_in_clusters_that_must_not_be_there_is_found: "attribute-place",
        "record 32, offset 0x128: $INDEX_ROOT is in clusters, it must be in the record",
        |image| {
            let at = image.attribute(32, DATA, 1);
            image.record(32, |record| record[at] = 0x90);
        };
    a_value_that_is_too_short_is_found: "value-damaged",
        "record 24, offset 0x38: $STANDARD_INFORMATION is damaged: it has less than 48 bytes",
        |image| image.record(24, |record| record[0x38 + 16] = 40);
    a_name_that_is_not_marked_as_indexed_is_found: "indexed-flag",
        "record 24, offset 0x98: $FILE_NAME is not marked as indexed",
        |image| {
            let at = image.attribute(24, NAME, 0);
            image.record(24, |record| record[at + 22] = 0);
        };
}
