//! NTFS without a driver.
//!
//! Reads a volume, a disk or partition image, a block device or a bare `$MFT`. Every byte may lie: the engine answers
//! with data or with an [`Error`] that says what is wrong and where; it never panics, never loops for ever, and never
//! allocates what the volume's size does not justify.
//!
//! # Concepts
//!
//! A file is a *record* of the Master File Table ([`RecordNumber`]). Its attributes hold everything: times, names,
//! data. A *name* is a `$FILE_NAME` attribute of the record together with an entry in the index of the directory that
//! it names; the record counts its names. That is all there is to a hard link.
//!
//! # Errors
//!
//! Three things are kept apart: the volume is damaged ([`Error::Corrupt`]), it is sound but beyond us
//! ([`Error::Unsupported`]), the device failed ([`Error::Device`]).

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::indexing_slicing,
        clippy::unwrap_used
    )
)]

mod catalog;
pub mod check;
mod circle;
mod device;
mod error;
mod file;
pub mod fix;
mod fixup;
mod format;
mod fs;
mod geometry;
mod index;
pub mod layout;
mod lznt1;
mod mft;
pub mod nt;
mod partition;
mod record;
mod runs;
mod secure;
mod state;
mod stream;
mod units;
mod views;
mod volume;
mod write;

pub use catalog::{Catalog, FileIndex, FileKind, FileRow, NameRow};
pub use device::{Access, Device, FileDevice, MemDevice, Slice};
pub use error::{Corrupt, Error, NotWritable, Result, Unsupported};
pub use file::{File, FileName, ListEntry, Reparse, StandardInformation};
pub use format::{FormatError, FormatOptions, FormatPlan, format};
pub use fs::VolumeFs;
pub use geometry::Geometry;
pub use index::{Case, Entry, I30, Index};
pub use lznt1::{Lznt1Error, decompress};
pub use partition::{Partition, PartitionTable, partitions};
pub use record::{Attribute, Attributes, Body, NonResident, Record};
pub use runs::{Extent, RunList};
pub use state::{Hibernation, LogState};
pub use stream::Stream;
pub use units::{FileReference, Lcn, RecordNumber, Vcn};
pub use volume::{Note, OpenOptions, Version, Volume, VolumeFlags};
pub use write::{DirectoryEntry, LINK_LIMIT, Replace, Times, Unlinked, WriteOptions, Writer};
