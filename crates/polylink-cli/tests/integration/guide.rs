//! The console blocks of the guide and the README, run.

use std::path::Path;

#[test]
fn what_the_guide_shows_is_what_happens() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let cases = trycmd::TestCases::new();
    let mut pages = 0;
    for page in [root.join("README.md")]
        .into_iter()
        .chain(
            std::fs::read_dir(root.join("docs/guide"))
                .into_iter()
                .flatten()
                .map(|entry| entry.unwrap().path()),
        )
        .filter(|path| path.extension().is_some_and(|extension| extension == "md") && path.is_file())
    {
        cases.case(page);
        pages += 1;
    }
    if pages > 0 {
        cases.register_bin("polylink", Path::new(env!("CARGO_BIN_EXE_polylink")));
        cases.run();
    }
}
