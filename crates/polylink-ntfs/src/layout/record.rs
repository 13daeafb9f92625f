//! Blocks with an update sequence: FILE records, INDX blocks.

use bitflags::bitflags;
use zerocopy::byteorder::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The beginning of every block that is protected by an update sequence.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct MultiSectorHeader {
    /// `FILE`, `INDX`, `RSTR`, `RCRD`, or what chkdsk left: `BAAD`, `CHKD`, `HOLE`.
    pub signature: [u8; 4],
    /// Where the update sequence array is.
    pub update_sequence_offset: U16,
    /// Its values: the number itself and one for each 512 bytes.
    pub update_sequence_count: U16,
}

/// `FILE_RECORD_SEGMENT_HEADER`.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct RecordHeader {
    /// Signature and update sequence.
    pub multi: MultiSectorHeader,
    /// Log sequence number of the last change.
    pub lsn: U64,
    /// How often the record was used.
    pub sequence: U16,
    /// Names of the file, 8.3 names included; in base records only.
    pub link_count: U16,
    /// Where the first attribute begins.
    pub first_attribute: U16,
    /// [`RecordFlags`].
    pub flags: U16,
    /// Bytes in use, the end mark included.
    pub used: U32,
    /// Bytes of the record.
    pub allocated: U32,
    /// The base record where this is an extension record, else 0.
    pub base: U64,
    /// The number that the next attribute gets.
    pub next_attribute_id: U16,
    /// Alignment; since NTFS 3.1.
    pub reserved: U16,
    /// The record's own number; since NTFS 3.1.
    pub number: U32,
}

bitflags! {
    /// Flags of a record.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct RecordFlags: u16 {
        /// It holds a file, or a part of one.
        const IN_USE = 1;
        /// The file is a directory.
        const DIRECTORY = 2;
        /// The file lies in `$Extend`.
        const EXTEND = 4;
        /// The file has an index other than that of file names.
        const VIEW_INDEX = 8;
        const _ = !0;
    }
}
