//! `cargo xtask exports`: writes man pages, completions and the CLI reference anew.
//!
//! The test that guards these files also knows how to write them, so this task runs that test and asks it to.

use crate::shell::{self, Result};

pub(crate) fn run() -> Result {
    shell::run(
        shell::cargo()
            .args([
                "test",
                "--quiet",
                "--package",
                "polylink-cli",
                "--test",
                "integration",
                "exports",
                "--",
            ])
            .env("POLYLINK_BLESS", "1"),
    )
}
