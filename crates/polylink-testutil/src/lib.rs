//! What the tests of several crates share. Nothing here is part of the product.
//!
//! What is made here is made of nothing but code, so that no binary file lies in the tree, and where something random
//! is made the same seed makes the same.

// a test looks at what it asked for
#![allow(clippy::must_use_candidate)]

pub mod files;
pub mod ntfs;
