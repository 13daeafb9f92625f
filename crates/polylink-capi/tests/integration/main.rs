//! What can be judged from outside of the library.

#[cfg(unix)]
mod header;
