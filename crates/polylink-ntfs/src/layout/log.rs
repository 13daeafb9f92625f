//! The beginning of `$LogFile`: its two restart pages.

use zerocopy::byteorder::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::record::MultiSectorHeader;

/// The header of a restart page.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct RestartPage {
    /// Signature `RSTR`, or `CHKD` after chkdsk, and update sequence.
    pub multi: MultiSectorHeader,
    /// Log sequence number that chkdsk left.
    pub chkdsk_lsn: U64,
    /// Bytes of a page of this kind.
    pub system_page_size: U32,
    /// Bytes of a page of records.
    pub log_page_size: U32,
    /// Where the restart area is.
    pub restart_offset: U16,
    /// Version of the log, after the dot.
    pub minor: U16,
    /// Before the dot.
    pub major: U16,
}

/// The beginning of the restart area.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy, Debug)]
#[repr(C)]
pub struct RestartArea {
    /// The last log sequence number.
    pub current_lsn: U64,
    /// How many clients there are.
    pub log_clients: U16,
    /// First client record that is free; 0xFFFF for none.
    pub client_free_list: U16,
    /// First client record in use; 0xFFFF for none.
    pub client_in_use_list: U16,
    /// 2: the volume was unmounted.
    pub flags: U16,
}
