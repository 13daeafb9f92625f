//! Merging and splitting on the model file system.

mod check;
mod edits;
mod model;
mod split;
mod stops;
mod table;
mod world;
