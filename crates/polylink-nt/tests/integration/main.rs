//! NT's rules, row by row.

mod info;
mod info_links;
mod name;
mod name_short;
mod name_upcase;
mod random;
mod status;
