//! NT's rules, row by row.

mod info;
mod info_links;
mod random;
mod status;
