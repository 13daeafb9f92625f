//! NT's rules, row by row.

mod decide_random;
mod info;
mod info_links;
mod name;
mod name_short;
mod name_upcase;
mod order;
mod random;
mod rows_2;
mod rows_3;
mod rows_4;
mod rows_5_1;
mod rows_5_2;
mod rows_5_3;
mod rows_5_4;
mod rows_5_5;
mod rows_9;
mod rows_open;
mod status;
mod world;
mod world_random;
