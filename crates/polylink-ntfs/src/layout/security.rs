//! `$Secure` and `$Extend/$Quota`: security descriptors, and the entries of indexes that are no directories.
//!
//! Sources: "New Technologies File System (NTFS)" by Joachim Metz, sections on `$Secure` and `$Quota`; \[MS-DTYP\] 2.4
//! for descriptors; volumes that Windows formatted.

use zerocopy::byteorder::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// What stands before each descriptor in `$Secure:$SDS`, and what the entries of `$SDH` and `$SII` have as data.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct DescriptorHeader {
    /// Hash of the descriptor.
    pub hash: U32,
    /// Its number, as `$STANDARD_INFORMATION` has it.
    pub id: U32,
    /// Where in `$SDS` this header is.
    pub offset: U64,
    /// Bytes of the header and the descriptor.
    pub len: U32,
}

/// The key of an entry of `$SDH`.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct DescriptorKey {
    /// Hash of the descriptor.
    pub hash: U32,
    /// Its number.
    pub id: U32,
}

/// One entry of an index that is no directory, followed by its key and its data: as an
/// [`IndexEntry`](super::index::IndexEntry), with the place of the data instead of a file.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct ViewEntry {
    /// Where the data is, counted from the entry.
    pub data_offset: U16,
    /// Bytes of the data.
    pub data_len: U16,
    /// 0.
    pub reserved: U32,
    /// Bytes of the entry, a multiple of 8.
    pub len: U16,
    /// Bytes of the key.
    pub key_len: U16,
    /// [`EntryFlags`](super::index::EntryFlags).
    pub flags: U16,
    /// 0.
    pub reserved2: U16,
}

/// The data of an entry of `$Quota:$Q`, followed by the owner's SID where the entry is not that of the defaults.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct QuotaEntry {
    /// 2.
    pub version: U32,
    /// 1: the defaults hold.
    pub flags: U32,
    /// Bytes charged.
    pub used: U64,
    /// When the entry changed; 100 ns since 1601.
    pub changed: U64,
    /// Bytes from which on there is a warning; -1 for none.
    pub threshold: U64,
    /// Bytes that may be charged; -1 for any.
    pub limit: U64,
    /// When the limit was passed.
    pub exceeded: U64,
}

/// The beginning of a self-relative `SECURITY_DESCRIPTOR`.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct SecurityDescriptor {
    /// 1.
    pub revision: u8,
    /// 0.
    pub reserved: u8,
    /// 0x8000 self-relative, 4 with a list of who may do what.
    pub control: U16,
    /// Where the owner's SID is.
    pub owner: U32,
    /// Where the group's SID is.
    pub group: U32,
    /// Where the list of what is logged is; 0 for none.
    pub sacl: U32,
    /// Where the list of who may do what is.
    pub dacl: U32,
}

/// The beginning of an access control list.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct Acl {
    /// 2.
    pub revision: u8,
    /// 0.
    pub reserved: u8,
    /// Bytes of the list with its entries.
    pub len: U16,
    /// Entries.
    pub count: U16,
    /// 0.
    pub reserved2: U16,
}

/// One entry of the list, followed by the SID of whom it is about.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct Ace {
    /// 0: it allows.
    pub kind: u8,
    /// 1 for files below, 2 for directories below.
    pub flags: u8,
    /// Bytes of the entry with its SID.
    pub len: U16,
    /// What it allows.
    pub mask: U32,
}
