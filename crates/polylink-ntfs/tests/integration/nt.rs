//! NT's calls on a volume. Every row of NT's rules that `polylink-nt` tests on a model in memory is carried out here on a
//! volume: the rows are the same files, the world that they ask is another one. After each row the volume is audited,
//! twice: as it is, and after it was mounted again.

mod crash;
mod more;
pub(crate) mod random;
pub(crate) mod world;

#[path = "../../../polylink-nt/tests/integration/rows_2.rs"]
mod rows_2;
#[path = "../../../polylink-nt/tests/integration/rows_3.rs"]
mod rows_3;
#[path = "../../../polylink-nt/tests/integration/rows_4.rs"]
mod rows_4;
#[path = "../../../polylink-nt/tests/integration/rows_5_1.rs"]
mod rows_5_1;
#[path = "../../../polylink-nt/tests/integration/rows_5_2.rs"]
mod rows_5_2;
#[path = "../../../polylink-nt/tests/integration/rows_5_3.rs"]
mod rows_5_3;
#[path = "../../../polylink-nt/tests/integration/rows_5_4.rs"]
mod rows_5_4;
#[path = "../../../polylink-nt/tests/integration/rows_5_5.rs"]
mod rows_5_5;
#[path = "../../../polylink-nt/tests/integration/rows_9.rs"]
mod rows_9;
#[path = "../../../polylink-nt/tests/integration/rows_open.rs"]
mod rows_open;
#[path = "../../../polylink-nt/tests/integration/world_random.rs"]
mod world_random;
