//! NTFS volumes in memory, and what hostile bytes make of them.

pub mod given;
pub mod hostile;
pub mod image;
pub mod mutate;
pub mod targets;
