//! The three calls of Windows that make a hard link.
