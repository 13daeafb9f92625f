//! The functions that C calls, by which `include/polylink.h` is made.
//!
//! They do nothing but take C's arguments apart and put the results where C wants them; what happens in between is in
//! the other modules. `unsafe` is here and nowhere else in this crate.

#![allow(
    unsafe_code,
    reason = "C hands over pointers, and only it can promise what they lead to"
)]

mod args;
pub mod error;
mod guard;
pub mod link;
pub mod names;
pub mod native;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use crate::posix as system;
#[cfg(windows)]
use windows as system;

#[cfg(test)]
mod tests;
