//! Tests of the engine as others see it, on volumes made by [`polylink_testutil::ntfs::image`].

mod case;
mod catalog;
mod check;
mod crate_ntfs;
mod format;
mod hostile;
mod images;
mod nt;
mod plant;
#[cfg(unix)]
mod speed;
mod write;

// the rows of NT's rules ask for them here
use nt::{random, world};
