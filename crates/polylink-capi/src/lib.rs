//! polylink from C.
