//! The system's calls: what Unix systems share, what Linux does better, and NT's.

#[cfg(unix)]
mod errno;
#[cfg(target_os = "linux")]
pub(crate) mod linux;
#[cfg(all(unix, any(not(target_os = "linux"), test)))]
mod portable;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
pub(crate) mod windows;

#[cfg(target_os = "linux")]
use linux as platform;
#[cfg(all(unix, not(target_os = "linux")))]
use portable as platform;

#[cfg(unix)]
pub(crate) use errno::fault;
#[cfg(unix)]
pub(crate) use unix::HostDir;
#[cfg(unix)]
pub use unix::HostFs;
#[cfg(windows)]
pub use windows::HostFs;
#[cfg(windows)]
pub(crate) use windows::door;

#[cfg(all(test, unix))]
mod tests;
