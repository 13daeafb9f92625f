//! What can be judged from outside of the library.

mod header;
