//! The binary as its users meet it: words, documents and exit codes.

mod cli;
mod cost;
mod demo;
mod doctor;
mod env;
mod exports;
mod flat;
mod flat_errors;
mod guide;
mod link;
mod names;
mod odd_names;
mod permissions;
mod usage;
