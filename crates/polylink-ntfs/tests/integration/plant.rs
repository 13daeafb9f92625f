//! Damage of each kind, planted in a sound volume: the audit must find it, and nothing else.

mod index;
mod names;
mod records;
mod values;
mod volume;

use std::sync::Arc;

use polylink_ntfs::check::IssueKind;
use polylink_ntfs::{Device, Error, MemDevice};

use crate::check::audit;
use polylink_testutil::ntfs::image::Image;

/// Asserts that an audit finds this issue, in these words, and besides it issues of the `others` only.
pub(crate) fn judge(image: &Image, kind: &str, words: &str, others: &[&str]) {
    let (issues, summary) = audit(&image.open());
    let texts: Vec<_> = issues.iter().map(ToString::to_string).collect();
    let mut kinds: Vec<_> = issues.iter().map(|issue| issue.kind_name()).collect();
    let mut wanted: Vec<_> = others.iter().copied().chain([kind]).collect();
    kinds.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(kinds, wanted, "{texts:#?}");
    let issue = issues
        .iter()
        .find(|issue| issue.kind_name() == kind)
        .expect("found");
    assert_eq!(issue.to_string(), words);
    assert_ne!(issue.kind.expected(), issue.kind.found());
    assert!(summary.complete);
    is_mended(image, kind);
}

/// Kinds of damage, as they are planted here, that a repair mends.
const MENDED: &[&str] = &[
    "first-attribute",
    "record-signature",
    "record-size",
    "record-used",
    "update-sequence",
    "attribute-unlisted",
    "bitmap-size",
    "boot-copy",
    "boot-sector",
    "cluster-twice",
    "first-record",
    "root",
    "upcase",
    "list-attribute",
    "list-entry",
    "list-order",
    "list-record",
    "list-size",
    "namespace",
    "sequence-zero",
    "short-name",
    "table-place",
    "twin-alone",
    "twin-missing",
    "twin-twice",
    "block-marked-free",
    "block-missing",
    "block-place",
    "block-signature",
    "block-twice",
    "block-unreachable",
    "cluster-marked-free",
    "cluster-marked-used",
    "cycle",
    "directory-flag",
    "directory-links",
    "entry-parent",
    "entry-sequence",
    "entry-target",
    "entry-twice",
    "entry-without-name",
    "index-block-size",
    "index-entry",
    "index-order",
    "index-rule",
    "link-count",
    "mirror-differs",
    "name-not-indexed",
    "namespace-differs",
    "node-bounds",
    "node-flags",
    "parent-missing",
    "parent-not-directory",
    "parent-sequence",
    "record-marked-free",
    "record-marked-used",
    "base-reference",
    "extension-unlisted",
];

/// Asserts that a repair mends what it is said to mend, and of everything else makes nothing worse.
fn is_mended(image: &Image, kind: &str) {
    let before = audit(&image.open()).1;
    let device = Arc::new(MemDevice::new(image.bytes.clone()));
    let on: Arc<dyn Device> = device.clone();
    let (steps, fixed) = match crate::write::fix::mended(&on) {
        Ok(done) => done,
        Err(error @ (Error::NotWritable(_) | Error::Corrupt(_))) => {
            assert!(!MENDED.contains(&kind), "{kind}: {error}");
            assert_eq!(device.bytes(), image.bytes, "{kind}: {error}");
            return;
        }
        Err(error) => panic!("{kind}: {error}"),
    };
    let left: Vec<_> = fixed.left.iter().map(ToString::to_string).collect();
    let told: Vec<_> = steps.iter().map(ToString::to_string).collect();
    let clean = before.is_clean() || MENDED.contains(&kind);
    assert_eq!(fixed.is_clean(), clean, "{kind}: {left:#?} after {told:#?}");
    assert!(
        fixed.summary.damage <= before.damage,
        "{kind}: {left:#?} after {told:#?}"
    );
    // no file is lost, and no directory
    assert!(fixed.summary.files + fixed.summary.directories >= before.files + before.directories);
}

/// Declares one test for each kind of damage: its name, the kind, the words, the kinds that cannot be avoided beside
/// it, and how it is planted in the volume of [`polylink_testutil::ntfs::image::sample`].
macro_rules! plants {
    ($($test:ident: $kind:literal, $words:literal, $(with $others:expr,)? |$image:ident| $plant:expr;)*) => {
        pub(crate) const KINDS: &[&str] = &[$($kind),*];
        $(
            #[test]
            fn $test() {
                let mut made = polylink_testutil::ntfs::image::sample().build();
                let $image = &mut made;
                $plant;
                let others: Option<&[&str]> = None$(.or(Some($others)))?;
                crate::plant::judge(&made, $kind, $words, others.unwrap_or_default());
            }
        )*
    };
}
pub(crate) use plants;

#[test]
fn each_kind_of_issue_is_planted() {
    let planted: Vec<&str> = [
        volume::KINDS,
        volume::MORE,
        records::KINDS,
        values::KINDS,
        names::KINDS,
        index::KINDS,
        crate::write::secure::KINDS,
        crate::write::views::KINDS,
    ]
    .concat();
    let missing: Vec<_> = IssueKind::ALL
        .iter()
        .filter(|(name, _)| !planted.contains(name))
        .collect();
    assert!(missing.is_empty(), "no test plants {missing:?}");
}
