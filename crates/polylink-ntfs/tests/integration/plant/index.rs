//! Indexes: nodes, blocks, order.

use polylink_ntfs::check::Place;
use polylink_ntfs::layout::attribute::AttributeKind;

use super::plants;
use crate::check::audit;
use polylink_testutil::ntfs::image::{BLOCK, Image, put, sample};

const ROOT: AttributeKind = AttributeKind::INDEX_ROOT;
const BLOCKS: AttributeKind = AttributeKind::INDEX_ALLOCATION;
const BITMAP: AttributeKind = AttributeKind::BITMAP;
/// The directory with index blocks.
const MANY: u64 = 27;
/// Where the value of `$I30` begins in its attribute.
const VALUE: usize = 32;
/// Where a block's node begins, and its first entry.
const NODE: usize = 0x18;
const ENTRY: usize = NODE + 0x28;

/// Changes the root of the index.
fn root(image: &mut Image, edit: impl Fn(&mut [u8])) {
    let at = image.attribute(MANY, ROOT, 0) + VALUE;
    image.record(MANY, |record| edit(&mut record[at..]));
}

/// Changes the first block of the index, a leaf.
fn leaf(image: &mut Image, edit: impl Fn(&mut [u8])) {
    let (at, _) = image.value_at(MANY, BLOCKS, "$I30");
    image.block(at, BLOCK, edit);
}

/// Where the child of a root's last entry is, in its value.
fn last_child(image: &Image) -> usize {
    let record = image.read_record(MANY);
    let at = image.attribute(MANY, ROOT, 0) + VALUE + 16;
    16 + polylink_testutil::ntfs::image::u32_at(&record, at + 4) as usize - 8
}

plants! {
    an_index_of_another_order_is_found: "index-rule",
        "record 27, offset 0x120: the index has 0x10 as its order, not 0x1",
        |image| root(image, |root| root[4] = 0x10);
    an_index_with_blocks_of_no_size_is_found: "index-block-size",
        "record 27, offset 0x120: index blocks are said to have 4097 bytes, not a power of two from 256 to 65536",
        |image| root(image, |root| root[8] = 1);
    a_block_that_was_overwritten_is_found: "block-signature",
        "record 27, block 0 of $I30, offset 0x0: an index block begins with XNDX, not with INDX",
        |image| { let (at, _) = image.value_at(MANY, BLOCKS, "$I30"); image.bytes[at] = b'X' };
    an_entry_that_leads_to_no_block_is_found: "block-missing",
        "record 27, offset 0x130: the index has blocks up to 12 and leads to 400",
        |image| { let at = last_child(image); root(image, |root| put(root, at, 400_u64.to_le_bytes())) };
    a_block_that_says_another_place_is_found: "block-place",
        "record 27, block 0 of $I30, offset 0x0: the index block says it lies at 6, it lies at 0",
        |image| leaf(image, |block| block[0x10] = 6);
    a_block_that_two_entries_lead_to_is_found: "block-twice",
        "record 27, block 10 of $I30, offset 0x18: the index leads to its block 0 a second time, or ever deeper",
        |image| {
            // the last block is the parent of all others
            let (at, _) = image.value_at(MANY, BLOCKS, "$I30");
            image.block(at + 5 * BLOCK, BLOCK, |block| {
                let used = polylink_testutil::ntfs::image::u32_at(block, NODE + 4) as usize;
                put(block, NODE + used - 8, 0_u64.to_le_bytes());
            });
        };
    a_block_that_is_used_and_marked_as_free_is_found: "block-marked-free",
        "record 27, block 0 of $I30, offset 0x0: block 0 of the index is used but marked as free",
        |image| {
            let at = image.attribute(MANY, BITMAP, 0) + VALUE;
            image.record(MANY, |record| record[at] &= !1);
        };
    a_block_that_nothing_leads_to_is_found: "block-unreachable",
        "record 27, block 12 of $I30, offset 0x0: block 12 of the index is marked as used but no entry leads to it",
        |image| {
            let mut builder = sample();
            builder.spare_block(MANY);
            *image = builder.build();
        };
    a_node_that_ends_outside_is_found: "node-bounds",
        "record 27, block 0 of $I30, offset 0x18: the end of the entries is 5000 in a node with 4072 bytes",
        |image| leaf(image, |block| put(block, NODE + 4, 5000_u32.to_le_bytes()));
    a_leaf_that_is_marked_as_a_parent_is_found: "node-flags",
        "record 27, block 0 of $I30, offset 0x18: a node is marked as one with children, by its entries it is a leaf",
        |image| leaf(image, |block| block[NODE + 12] = 1);
    an_entry_that_cannot_be_read_is_found: "index-entry",
        "record 27, block 0 of $I30, offset 0x18: the index entry at 40 of its node is damaged: its length is below 16 or no multiple of 8",
        |image| leaf(image, |block| block[ENTRY + 8] = 3);
    entries_out_of_order_are_found: "index-order",
        "record 27, block 0 of $I30, offset 0xc8: the index has file number 000 of many.txt behind file number 001 of many.txt",
        |image| leaf(image, |block| {
            let len = usize::from(block[ENTRY + 8]);
            block[ENTRY..ENTRY + 2 * len].rotate_left(len);
        });
}

#[test]
fn a_torn_index_block_is_one_issue_and_hides_its_names() {
    let mut image = sample().build();
    let (at, _) = image.value_at(MANY, BLOCKS, "$I30");
    image.bytes[at + 1022] ^= 4;
    let (issues, summary) = audit(&image.open());
    let texts: Vec<_> = issues.iter().map(ToString::to_string).collect();
    let wanted = "record 27, block 0 of $I30, offset 0x0: 512 bytes at 512 end in 0x0005, not in 0x0001: the block was written in part";
    assert_eq!(texts, [wanted]);
    assert!(summary.unchecked > 10, "{summary:?}");
}

#[test]
fn a_directory_with_blocks_and_no_bitmap_is_found() {
    let mut image = sample().build();
    image.remove_attribute(MANY, BITMAP, 0);
    let (issues, _) = audit(&image.open());
    let texts: Vec<_> = issues.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["record 27: there is no $BITMAP"]);
}

/// The same offset means another byte in the record, in each block, and on the volume: an issue says which.
#[test]
fn the_place_of_an_issue_is_what_its_offset_counts_in() {
    let in_block = |vcn| Place::IndexBlock {
        index: "$I30".to_owned(),
        vcn,
    };
    let place = |edit: &dyn Fn(&mut Image)| {
        let mut image = sample().build();
        edit(&mut image);
        let (issues, _) = audit(&image.open());
        let [issue] = &*issues else {
            panic!("{issues:?}");
        };
        (
            issue.record.map(|record| record.0),
            issue.place.clone(),
            issue.offset,
        )
    };
    let at_block = |nth: usize| {
        move |image: &mut Image| {
            let (at, _) = image.value_at(MANY, BLOCKS, "$I30");
            image.block(at + nth * BLOCK, BLOCK, |block| block[NODE + 12] ^= 1);
        }
    };
    assert_eq!(place(&at_block(0)), (Some(MANY), in_block(0), Some(NODE as u64)));
    assert_eq!(place(&at_block(3)), (Some(MANY), in_block(6), Some(NODE as u64)));
    let in_root = |image: &mut Image| root(image, |root| root[16 + 12] ^= 1);
    let node = sample().build().attribute(MANY, ROOT, 0) + VALUE + 16;
    assert_eq!(place(&in_root), (Some(MANY), Place::Record, Some(node as u64)));
    let miscounted = |image: &mut Image| image.record(24, |record| record[0x12] = 9);
    assert_eq!(place(&miscounted), (Some(24), Place::Record, Some(0x12)));
    let copy = |image: &mut Image| {
        let last = image.bytes.len() - 512;
        image.bytes[last + 0x40] ^= 1;
    };
    let (record, on, offset) = place(&copy);
    assert_eq!((record, on), (None, Place::Volume));
    assert_eq!(offset, Some(sample().build().bytes.len() as u64 - 512));
}
