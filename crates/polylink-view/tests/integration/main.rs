//! Flat views as users meet them: on the model file system, and on a real directory.

mod disk;
mod judge;
mod kill;
mod policies;
mod random;
mod table;
