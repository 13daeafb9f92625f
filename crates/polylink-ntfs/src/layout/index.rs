//! Indexes: B+ trees of directory entries.

use bitflags::bitflags;
use zerocopy::byteorder::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::record::MultiSectorHeader;

/// The value of `$INDEX_ROOT`, followed by an [`IndexHeader`].
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct IndexRoot {
    /// The type of the indexed attribute: 0x30 in a directory.
    pub indexed_kind: U32,
    /// The order: 1 for file names.
    pub collation: U32,
    /// Bytes of an index block.
    pub block_size: U32,
    /// Clusters of an index block, or its 512-byte units where it is smaller than a cluster.
    pub clusters_per_block: u8,
    /// 0.
    pub reserved: [u8; 3],
}

/// One node's list of entries.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct IndexHeader {
    /// Where the first entry begins, counted from this header.
    pub first_entry: U32,
    /// Where the entries end, counted from this header.
    pub used: U32,
    /// Bytes that the entries may take, counted from this header.
    pub allocated: U32,
    /// 1 where the node has children.
    pub flags: u8,
    /// 0.
    pub reserved: [u8; 3],
}

/// The beginning of a block of `$INDEX_ALLOCATION`, followed by an [`IndexHeader`].
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct IndexBlock {
    /// Signature `INDX` and update sequence.
    pub multi: MultiSectorHeader,
    /// Log sequence number of the last change.
    pub lsn: U64,
    /// Its own place in the index.
    pub vcn: U64,
}

/// One entry, followed by its key and, at its end, by the place of its child.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct IndexEntry {
    /// The file, in a directory.
    pub reference: U64,
    /// Bytes of the entry, a multiple of 8.
    pub len: U16,
    /// Bytes of the key.
    pub key_len: U16,
    /// [`EntryFlags`].
    pub flags: U16,
    /// 0.
    pub reserved: U16,
}

bitflags! {
    /// Flags of an index entry.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct EntryFlags: u16 {
        /// Smaller entries are below it: its last 8 bytes are the child's place.
        const HAS_CHILD = 1;
        /// It has no key and ends the node.
        const END = 2;
        const _ = !0;
    }
}
