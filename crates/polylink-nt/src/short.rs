//! 8.3 names: which are valid, and how they are made.
