//! The system's calls: what Unix systems share, and what Linux does better.

mod errno;
#[cfg(target_os = "linux")]
pub(crate) mod linux;
#[cfg(any(not(target_os = "linux"), test))]
mod portable;
mod unix;

#[cfg(target_os = "linux")]
use linux as platform;
#[cfg(not(target_os = "linux"))]
use portable as platform;

pub(crate) use errno::fault;
pub(crate) use unix::HostDir;
pub use unix::HostFs;

#[cfg(test)]
mod tests;
