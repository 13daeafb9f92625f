//! Random cases: the same each time, unless new ones are asked for.

use proptest::test_runner::{Config, RngSeed};

/// The usual run judges a change, always by the same cases; `PROPTEST_CASES=N` looks for new ones.
pub(crate) fn cases() -> Config {
    let mut config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 500;
        config.rng_seed = RngSeed::Fixed(20_261_121);
    }
    config
}
