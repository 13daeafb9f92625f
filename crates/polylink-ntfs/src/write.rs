//! Changes to a volume.

#[cfg_attr(not(test), expect(dead_code, reason = "the operations on directories that call it follow"))]
pub(crate) mod tree;
