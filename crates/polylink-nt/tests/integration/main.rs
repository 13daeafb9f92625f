//! NT's rules, row by row.

mod status;
