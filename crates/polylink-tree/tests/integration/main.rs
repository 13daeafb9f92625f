//! Clones and snapshots as users meet them: on the model file system, and on a real directory.

mod clone;
mod clone_falls;
mod clone_random;
mod clone_refused;
mod disk;
mod hooked;
mod races;
mod snapshot;
mod snapshot_random;
mod volume;
mod world;
