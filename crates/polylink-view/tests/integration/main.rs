//! Flat views as users meet them: on the model file system, and on a real directory.

mod calls;
mod disk;
mod fallback;
mod follow;
mod judge;
mod kill;
mod policies;
mod races;
mod random;
mod table;
mod wrapper;
