//! The audit on sound volumes.

use polylink_core::Silent;
use polylink_ntfs::Volume;
use polylink_ntfs::check::{Issue, Options, Summary, check};

use polylink_testutil::ntfs::image::sample;

/// Audits a volume, and answers all that was found.
pub(crate) fn audit(volume: &Volume) -> (Vec<Issue>, Summary) {
    let mut issues = Vec::new();
    let summary = check(volume, &Options::default(), &Silent, &mut |issue| {
        issues.push(issue);
    });
    (issues, summary.expect("an audit that comes to its end"))
}

#[test]
fn a_sound_volume_is_clean() {
    let image = sample().build();
    if let Some(path) = std::env::var_os("POLYLINK_SAMPLE") {
        std::fs::write(path, &image.bytes).unwrap();
    }
    let (issues, summary) = audit(&image.open());
    assert_eq!(issues, []);
    assert!(summary.is_clean());
}
