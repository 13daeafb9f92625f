//! Indexes of directories, built as a whole from their sorted entries.

use polylink_nt::upcase::UpcaseTable;
use polylink_ntfs::layout::attribute::AttributeKind;
use polylink_ntfs::layout::index::{IndexBlock, IndexEntry, IndexHeader, IndexRoot};
use polylink_ntfs::layout::record::MultiSectorHeader;
use polylink_ntfs::{FileReference, I30};
use zerocopy::IntoBytes as _;

use super::encode::{padded, protect};
use super::{BLOCK, Builder, CLUSTER, Content};

/// Bytes of entries that a root may have. Small, so that directories soon have blocks.
const ROOT_ROOM: usize = 400;
/// Where the entries of a block begin, counted from the node's header: behind the update sequence.
const BLOCK_ENTRIES: usize = 0x28;
/// Bytes of entries that a block has room for.
const BLOCK_ROOM: usize = BLOCK - 0x18 - BLOCK_ENTRIES;
const PER_BLOCK: u64 = (BLOCK / CLUSTER) as u64;

/// An entry: its file, its key, and the block below it.
struct Item {
    file: FileReference,
    key: Vec<u8>,
    child: Option<u64>,
}

impl Item {
    fn len(&self) -> usize {
        padded(size_of::<IndexEntry>() + self.key.len()) + if self.child.is_some() { 8 } else { 0 }
    }

    fn push(&self, bytes: &mut Vec<u8>) {
        push_entry(bytes, self.file.0, &self.key, self.child, 0);
    }
}

fn push_entry(bytes: &mut Vec<u8>, file: u64, key: &[u8], child: Option<u64>, flags: u16) {
    let start = bytes.len();
    let len = padded(size_of::<IndexEntry>() + key.len()) + if child.is_some() { 8 } else { 0 };
    let header = IndexEntry {
        reference: file.into(),
        len: (len as u16).into(),
        key_len: (key.len() as u16).into(),
        flags: (flags | u16::from(child.is_some())).into(),
        reserved: 0.into(),
    };
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(key);
    bytes.resize(start + len, 0);
    if let Some(child) = child {
        let at = bytes.len() - 8;
        bytes[at..].copy_from_slice(&child.to_le_bytes());
    }
}

/// A node's entries, ended by one that may lead on.
fn entries(items: &[Item], last: Option<u64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for item in items {
        item.push(&mut bytes);
    }
    push_entry(&mut bytes, 0, &[], last, 2);
    bytes
}

fn header(first: usize, used: usize, allocated: usize, has_children: bool) -> IndexHeader {
    IndexHeader {
        first_entry: (first as u32).into(),
        used: ((first + used) as u32).into(),
        allocated: (allocated as u32).into(),
        flags: u8::from(has_children),
        reserved: [0; 3],
    }
}

/// The value of `$INDEX_ROOT`.
pub(crate) fn root(kind: AttributeKind, collation: u32, entries: &[u8], has_children: bool) -> Vec<u8> {
    let root = IndexRoot {
        indexed_kind: kind.0.into(),
        collation: collation.into(),
        block_size: (BLOCK as u32).into(),
        clusters_per_block: PER_BLOCK as u8,
        reserved: [0; 3],
    };
    let header = header(16, entries.len(), 16 + entries.len(), has_children);
    [root.as_bytes(), header.as_bytes(), entries].concat()
}

/// The root of an index without entries.
pub(crate) fn empty_root(kind: AttributeKind, collation: u32) -> Vec<u8> {
    root(kind, collation, &entries(&[], None), false)
}

fn block(vcn: u64, entries: &[u8], has_children: bool) -> Vec<u8> {
    let start = IndexBlock {
        multi: MultiSectorHeader {
            signature: *b"INDX",
            update_sequence_offset: 0x28.into(),
            update_sequence_count: (BLOCK as u16 / 512 + 1).into(),
        },
        lsn: 0.into(),
        vcn: vcn.into(),
    };
    let header = header(BLOCK_ENTRIES, entries.len(), BLOCK - 0x18, has_children);
    let mut bytes = [start.as_bytes(), header.as_bytes()].concat();
    bytes.resize(0x18 + BLOCK_ENTRIES, 0);
    bytes.extend_from_slice(entries);
    bytes.resize(BLOCK, 0);
    protect(&mut bytes, 1);
    bytes
}

impl Builder {
    /// Gives every directory its index.
    pub(super) fn build_indexes(&mut self) {
        let mut all: std::collections::BTreeMap<u64, Vec<(Vec<u16>, Item)>> = self
            .files
            .iter()
            .filter(|(_, file)| file.flags & 2 != 0)
            .map(|(number, _)| (*number, Vec::new()))
            .collect();
        for (&number, file) in &self.files {
            for name in &file.names {
                let item = Item {
                    file: self.reference(number),
                    key: self.file_name(name, file, (0, 0)),
                    child: None,
                };
                let directory = all.get_mut(&name.parent).expect("a directory");
                directory.push((name.name.clone(), item));
            }
        }
        let upcase = UpcaseTable::windows();
        for (directory, mut items) in all {
            items.sort_by(|(a, _), (b, _)| upcase.collate_exact(a, b));
            let items = items.into_iter().map(|(_, item)| item).collect();
            self.build_index(directory, items);
        }
    }

    fn build_index(&mut self, directory: u64, mut items: Vec<Item>) {
        let mut blocks: Vec<Vec<u8>> = Vec::new();
        let mut last = None;
        // each level is cut into blocks, and the entries at the cuts become the level above
        while entries(&items, last).len() > ROOT_ROOM {
            let has_children = last.is_some();
            let mut above = Vec::new();
            let mut here: Vec<Item> = Vec::new();
            let mut len = 0;
            for item in items {
                if len + item.len() + 24 > BLOCK_ROOM {
                    let vcn = blocks.len() as u64 * PER_BLOCK;
                    blocks.push(block(vcn, &entries(&here, item.child), has_children));
                    here.clear();
                    len = 0;
                    above.push(Item {
                        child: Some(vcn),
                        ..item
                    });
                } else {
                    len += item.len();
                    here.push(item);
                }
            }
            let vcn = blocks.len() as u64 * PER_BLOCK;
            blocks.push(block(vcn, &entries(&here, last), has_children));
            last = Some(vcn);
            items = above;
        }
        let value = root(
            AttributeKind::FILE_NAME,
            1,
            &entries(&items, last),
            last.is_some(),
        );
        let file = self.files.get_mut(&directory).expect("a directory");
        if file.spare_block {
            let vcn = blocks.len() as u64 * PER_BLOCK;
            blocks.push(block(vcn, &entries(&[], None), false));
        }
        let name = I30.to_vec();
        let root = Content::Resident(value);
        file.values.push((AttributeKind::INDEX_ROOT, name.clone(), root));
        if !blocks.is_empty() {
            let mut bitmap = vec![0; blocks.len().div_ceil(64) * 8];
            for block in 0..blocks.len() {
                bitmap[block / 8] |= 1 << (block % 8);
            }
            let bitmap = if bitmap.len() > 64 {
                Content::Clusters(bitmap)
            } else {
                Content::Resident(bitmap)
            };
            let blocks = Content::Clusters(blocks.concat());
            file.values
                .push((AttributeKind::INDEX_ALLOCATION, name.clone(), blocks));
            file.values.push((AttributeKind::BITMAP, name, bitmap));
        }
    }
}
