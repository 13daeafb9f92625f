//! Making a volume: the system files and an empty root directory.
//!
//! All that a volume begins with lies side by side from its first cluster on, the table last, so that it can grow in
//! place: boot sector, copies of the first records, definitions of attributes, upper cases, root directory, security
//! descriptors, the table's bitmap, journal, bitmap of clusters, table. Only the copy of the boot sector lies at the end.
//!
//! The version is 3.1. Windows' own format writes 1.2 and leaves it to the first mount to upgrade the volume, for which
//! no other driver is made; what that upgrade adds (`$Secure`'s descriptors, `$Extend` and what is in it, numbers in
//! records) is written here at once.

mod boot;
mod encode;
mod files;
mod out;
mod plan;
mod security;

use crate::device::Device;
use crate::error::Result;
use crate::geometry::Geometry;

pub use plan::{FormatError, FormatPlan};

/// How a volume is made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FormatOptions {
    /// Bytes a sector: a power of two from 512 to 4096, and that of the device.
    pub sector: u32,
    /// Bytes a cluster: a power of two from one sector to 2 MiB. `None` for Windows' choice: 4096 up to 16 TiB, above
    /// the least that numbers the clusters in 32 bits.
    pub cluster: Option<u32>,
    /// Bytes of a record: 1024 or 4096, not below a sector. `None` for 1024, or 4096 where sectors are larger.
    pub record: Option<u32>,
    /// The label: at most 32 units, none of them a control character.
    pub label: Vec<u16>,
    /// The serial number; `None` for a random one.
    pub serial: Option<u64>,
    /// When everything was made: 100 ns since 1601.
    pub time: u64,
    /// The device is known to read as zeros. Then no zeros are written, and a sparse file stays so. Else those that
    /// the structures need are, and what another file system would be known by is overwritten.
    pub zeroed: bool,
}

impl Default for FormatOptions {
    fn default() -> Self {
        Self {
            sector: 512,
            cluster: None,
            record: None,
            label: Vec::new(),
            serial: None,
            time: 0,
            zeroed: false,
        }
    }
}

/// Makes an empty volume that fills the device, whatever was on it.
///
/// On a device that is not known to be zeros, both boot sectors are cleared before anything else and written again when
/// all the rest is on stable storage, with flushes between: a format that was interrupted leaves no volume, not one
/// that is half the old and half the new. On one that is, nothing was there before, and it is left to the caller
/// whether to flush.
///
/// # Errors
///
/// [`FormatError`] where the device and the options do not go together; then nothing was written. As the device says.
pub fn format(device: &dyn Device, options: &FormatOptions) -> Result<Geometry> {
    let plan = FormatPlan::new(device.size(), options)?;
    plan.write(device)?;
    Ok(*plan.geometry())
}
