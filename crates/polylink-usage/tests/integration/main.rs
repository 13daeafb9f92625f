//! Accounting over the model file system: single cases by hand, and random graphs against a naive count.

mod brute;
mod cases;
mod random;
