//! The host through its public interface: what holds everywhere, and what Windows adds.

mod contract;
mod env;
mod files;

#[cfg(windows)]
mod doors;
#[cfg(windows)]
mod real_windows;
#[cfg(windows)]
mod windows;
