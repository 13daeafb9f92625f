//! The structures on disk, under their documented names. Offsets live here and nowhere else.
//!
//! Fields are little-endian and unaligned. Nothing is checked here: what a field says is a claim. Sources: the NTFS
//! documentation of the Linux-NTFS project, "New Technologies File System (NTFS)" by Joachim Metz, \[MS-FSCC\].

pub mod attribute;
pub mod boot;
pub mod index;
pub mod log;
pub mod partition;
pub mod record;
pub mod security;
pub mod system;
pub mod value;

use zerocopy::{FromBytes, IntoBytes};

use crate::device::Device;
use crate::error::{Error, Result};

/// Reads one structure from a device.
pub(crate) fn read<T: FromBytes + IntoBytes>(device: &dyn Device, offset: u64) -> Result<T> {
    let mut value = T::new_zeroed();
    read_bytes(device, offset, value.as_mut_bytes())?;
    Ok(value)
}

/// Fills a buffer from a device.
pub(crate) fn read_bytes(device: &dyn Device, offset: u64, buffer: &mut [u8]) -> Result<()> {
    device.read_at(offset, buffer).map_err(|source| Error::Device {
        action: "read",
        offset,
        len: u64::try_from(buffer.len()).unwrap_or(u64::MAX),
        source,
    })
}
