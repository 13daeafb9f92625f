//! Changes to a volume.
//!
//! There is no journal: what keeps the volume sound whatever happens is the order in which blocks are written. Changes
//! are gathered in memory as a batch, and a commit brings them to the device in classes, each of which is flushed before
//! the next: what is taken, what is new, records that count their new names, directories that lead to them; then
//! directories without the names that go, records that no longer count them, and last what is free by that. So a record
//! never counts fewer names than directories lead to, and every file has a name at every moment. The design is told in
//! `docs/design/0007-writing-ntfs.md`.

mod attributes;
mod bits;
mod bytes;
mod cache;
mod commit;
mod content;
mod copy;
mod directory;
mod exchange;
mod files;
mod lists;
mod names;
mod open;
mod operations;
mod repair;
mod state;
mod table;
pub(crate) mod tree;

use polylink_nt::NtStatus;

pub(crate) use cache::write_bytes;
pub(crate) use copy::SETTABLE;
pub(crate) use exchange::{Exchange, Over, Place};
pub use open::{WriteOptions, Writer};
pub(crate) use open::{is_quiet, may_be_mended};
pub use operations::{Entry as DirectoryEntry, Replace, Times, Unlinked};
pub(crate) use repair::{Anew, Claims, Content, Leaks, headed, new_system_record};

/// `STATUS_FILE_SYSTEM_LIMITATION`: a structure would become larger than it can be.
pub(crate) const FILE_SYSTEM_LIMITATION: NtStatus = NtStatus::new(0xC000_0427);
/// Names that one file can have, 8.3 twins not counted: what Windows makes (\[MS-FSA\] 2.1.5.15.7).
pub const LINK_LIMIT: u32 = 1024;
