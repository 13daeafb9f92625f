//! The audit on volumes that others made and broke.
//!
//! Runs where `POLYLINK_IMAGES` names the folder with the archives and `tar` is there. The archives hold files with
//! holes, up to terabytes of them, and are unpacked into a folder that is removed afterwards.

#![allow(clippy::print_stderr)] // a test that does nothing says so

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use polylink_ntfs::check::Severity;
use polylink_ntfs::{Access, Device, FileDevice, MemDevice, OpenOptions, Volume};
use polylink_testutil::ntfs::given::{self, Unpacked};

use crate::check::audit;

/// An archive, and all that an audit must find in its image above a note: the kinds and how many of each.
type Row = (&'static str, &'static [(&'static str, usize)]);

/// Volumes in which something is wrong. Where one field was broken on purpose, the first kind is that field, and the
/// others follow from it.
const BROKEN: &[Row] = &[
    (
        "created_manually__bs_bytes_per_sector__ntfs.img",
        &[("boot-sector", 1)],
    ),
    (
        "created_manually__bs_filesystem_siganture__ntfs.img",
        &[("boot-sector", 1)],
    ),
    (
        "created_manually__bs_index_record_size__ntfs.img",
        &[("boot-sector", 1)],
    ),
    (
        "created_manually__bs_mft_cluster_number__ntfs.img",
        &[("boot-sector", 1)],
    ),
    (
        "created_manually__bs_mft_record_size__ntfs.img",
        &[("boot-sector", 1)],
    ),
    // that place is in the volume, so the boot sector can be used; its copy and $MFTMirr itself say another
    (
        "created_manually__bs_mftmirror_cluster_number__ntfs.img",
        &[("boot-copy", 1), ("table-place", 1)],
    ),
    (
        "created_manually__bs_sector_per_cluster__ntfs.img",
        &[("boot-sector", 1)],
    ),
    (
        "created_manually__bs_sector_signature__ntfs.img",
        &[("boot-sector", 1)],
    ),
    (
        "created_manually__bs_total_sectors__ntfs.img",
        &[("boot-sector", 1)],
    ),
    // records 65 and 72: types; 66: length; 67: residence; 69: flags; 70 and 74: the names of index roots; 73: length.
    // In 68 the flags of the record were broken, so that it is free; it is marked as free, and has no entry
    (
        "created_manually__mft_attr_bad_fields__ntfs.img",
        &[
            ("attribute-order", 2),
            ("attribute-length", 1),
            ("attribute-bounds", 2),
            ("attribute-flags", 1),
            ("directory-flag", 2),
            ("attribute-missing", 2),
        ],
    ),
    (
        "created_manually__mft_bitmap_unset_mft_in_use_2__ntfs.img",
        &[("record-marked-free", 1), ("name-not-indexed", 1)],
    ),
    (
        "created_manually__mft_bitmap_unset_mft_in_use__ntfs.img",
        &[("record-marked-free", 1)],
    ),
    // record 0 says it belongs to record 1: so nothing can be found by it, and record 1 has a name too many
    (
        "created_manually__mft_file_bad_base_mft_record__ntfs.img",
        &[
            ("base-reference", 1),
            ("attribute-place", 1),
            ("system-file", 2),
            ("mirror-differs", 1),
            ("link-count", 1),
            ("entry-target", 1),
            ("name-not-indexed", 1),
        ],
    ),
    (
        "created_manually__mft_file_bad_fixup_value_count__ntfs.img",
        &[("update-sequence", 1), ("first-record", 1)],
    ),
    (
        "created_manually__mft_file_bad_fixup_value_offset__ntfs.img",
        &[("update-sequence", 1), ("first-record", 1)],
    ),
    (
        "created_manually__mft_file_bad_link_count__ntfs.img",
        &[("link-count", 1)],
    ),
    (
        "created_manually__mft_file_bad_sequence_number__ntfs.img",
        &[("sequence-zero", 1), ("entry-sequence", 1)],
    ),
    // these four were made from one volume, in which 29 extension records are in use that no list names; the first
    // two hold nothing else
    (
        "created_manually__mft_file_corrupt_attrlist__ntfs.img",
        &[("extension-unlisted", 29)],
    ),
    (
        "created_manually__mft_file_missing_attrlist__ntfs.img",
        &[("extension-unlisted", 29)],
    ),
    (
        "created_manually__mft_file_missing_bitmap_attr__ntfs.img",
        &[
            ("system-file", 1),
            ("attribute-order", 1),
            ("mirror-differs", 1),
            ("extension-unlisted", 29),
        ],
    ),
    (
        "created_manually__mft_file_missing_data_attr__ntfs.img",
        &[
            ("first-record", 1),
            ("attribute-order", 1),
            ("mirror-differs", 1),
            ("extension-unlisted", 29),
        ],
    ),
    (
        "created_manually__mft_file_missing_filename_attr__ntfs.img",
        &[
            ("attribute-missing", 1),
            ("attribute-order", 1),
            ("mirror-differs", 1),
            ("link-count", 1),
            ("entry-without-name", 1),
        ],
    ),
    // record 65: type and length; 66: clusters and number; 67: place of the runs; 68 and 69: sizes; 72: allocated bytes
    (
        "created_manually__mft_non_attr_bad_fields__ntfs.img",
        &[
            ("attribute-length", 1),
            ("runs-end", 1),
            ("attribute-id", 1),
            ("attribute-bounds", 1),
            ("value-sizes", 2),
            ("allocated-size", 1),
        ],
    ),
    // record 65: signature; 66 and 67: update sequence; 68: sequence number; 69: link count; 70: first attribute;
    // 71: flags; 72: bytes in use; 73: size; 74: base record, whose name then counts for record 1; 75, a note: next
    // number
    (
        "created_manually__mft_record_bad_fields__ntfs.img",
        &[
            ("record-signature", 1),
            ("update-sequence", 2),
            ("sequence-zero", 1),
            ("entry-sequence", 1),
            ("link-count", 2),
            ("first-attribute", 1),
            ("directory-flag", 1),
            ("attribute-bounds", 1),
            ("record-size", 1),
            ("base-reference", 1),
            ("attribute-place", 1),
            ("name-not-indexed", 1),
            ("entry-target", 1),
        ],
    ),
    // what chkdsk repaired: an entry of the root with a length that cannot be
    (
        "generated_during_use__entry_length_corrupted__ntfs.img",
        &[("index-entry", 1)],
    ),
    // directories without names, which chkdsk put into found.000, and an entry that leads nowhere
    (
        "generated_during_use__lostfound_corrupted2__ntfs.img",
        &[("attribute-missing", 208), ("entry-target", 1)],
    ),
    // a directory that lies in itself, and files that are marked as free
    (
        "generated_during_use__lostfound_corrupted__ntfs.img",
        &[
            ("cycle", 1),
            ("record-marked-free", 35),
            ("cluster-marked-free", 244),
            ("list-entry", 3),
            ("entry-without-name", 1),
            ("name-not-indexed", 7),
        ],
    ),
];

/// Volumes that are sound: nothing above a note may be found.
pub(crate) const SOUND: &[&str] = &[
    "check_only__1k_cluster_fsck_error__ntfs.img",
    "check_only__block_overflow_hole_file__ntfs.img",
    "check_only__formatted_on_windows__ntfs.img",
    "check_only__orphaned_inode_cant_repair__ntfs.img",
    "ntfs_default.img",
    // what chkdsk left behind
    "generated_during_use__entry_length_corrupted__windows_repaired.img",
    "generated_during_use__lostfound_corrupted2__windows_repaired.img",
    "generated_during_use__lostfound_corrupted__windows_repaired.img",
];

/// Tables without a volume.
const TABLES: &[Row] = &[
    ("hardlink-small.mft", &[]),
    // a real table, with records that contradict themselves and that Windows would not have left so. Record 0 ends at
    // cluster 298 and holds 314, which is what its sizes say; record 202 has no end mark; record 519 says it uses 64
    // bytes more than it does; record 605 says it is record 43, and its runs do not fit
    (
        "hardlinks.mft",
        &[
            ("runs-end", 2),
            ("attribute-bounds", 1),
            ("record-used", 1),
            ("record-number", 1),
        ],
    ),
];

/// The folder with the archives, where the tests can run.
pub(crate) fn archives() -> Option<PathBuf> {
    let folder = given::archives(std::env::var_os("POLYLINK_IMAGES"));
    if folder.is_none() {
        eprintln!("skipped: POLYLINK_IMAGES does not name the folder with the archives, or there is no tar");
    }
    folder
}

/// How many issues of each kind above a note there are in an image.
fn damage(path: &Path) -> BTreeMap<&'static str, usize> {
    let device = FileDevice::open(path, Access::Read).expect("an image");
    let volume = Volume::open(Box::new(device), &OpenOptions::default()).expect("a volume");
    let (issues, summary) = audit(&volume);
    assert!(summary.complete);
    let mut counts = BTreeMap::new();
    for issue in issues.iter().filter(|issue| issue.severity() > Severity::Note) {
        *counts.entry(issue.kind_name()).or_default() += 1;
    }
    counts
}

fn judge((name, expected): &(&str, &[(&'static str, usize)]), path: &Path) {
    assert_eq!(damage(path), expected.iter().copied().collect(), "{name}");
}

#[test]
fn what_is_wrong_with_volumes_of_others_is_found() {
    let Some(folder) = archives() else { return };
    for row in BROKEN {
        let unpacked = Unpacked::new(&folder.join("corrupted").join(format!("{}.tar.xz", row.0)));
        for path in unpacked.files() {
            judge(row, &path);
        }
    }
}

/// The volumes in which one field was broken, and that a repair does not make clean: with the kinds that are left. The
/// guide has the same table.
const NOT_MENDED: &[(&str, &[&str])] = &[
    (
        "mft_attr_bad_fields",
        &[
            "attribute-bounds",
            "attribute-flags",
            "attribute-length",
            "attribute-missing",
            "attribute-order",
            "directory-flag",
        ],
    ),
    (
        "mft_non_attr_bad_fields",
        &[
            "allocated-size",
            "attribute-bounds",
            "attribute-id",
            "attribute-length",
            "runs-end",
            "value-sizes",
        ],
    ),
];

#[test]
fn volumes_of_others_are_mended_as_far_as_the_guide_says() {
    let Some(folder) = archives() else { return };
    let mut mended = 0;
    for (name, _) in BROKEN {
        let Some(what) = name.strip_prefix("created_manually__") else {
            continue;
        };
        let what = what.trim_end_matches("__ntfs.img");
        let unpacked = Unpacked::new(&folder.join("corrupted").join(format!("{name}.tar.xz")));
        for path in unpacked.files() {
            let device: Arc<dyn Device> = Arc::new(MemDevice::new(fs::read(path).expect("an image")));
            let (steps, fixed) = crate::write::fix::mended(&device).expect("a volume that can be mended");
            let issues = fixed
                .left
                .iter()
                .filter(|issue| issue.severity() > Severity::Note);
            let left: BTreeSet<&str> = issues.map(polylink_ntfs::check::Issue::kind_name).collect();
            let left: Vec<&str> = left.into_iter().collect();
            let known = NOT_MENDED.iter().find(|(name, _)| *name == what);
            let known = known.map(|(_, kinds)| *kinds).unwrap_or_default();
            let told: Vec<_> = steps.iter().map(ToString::to_string).collect();
            assert_eq!(left, known, "{what}: {told:#?}");
            mended += 1;
        }
    }
    assert_eq!(mended, 24);
}

#[test]
fn sound_volumes_of_others_are_clean() {
    let Some(folder) = archives() else { return };
    let archives = SOUND.iter().map(|name| format!("corrupted/{name}.tar.xz"));
    let mut images = 0;
    for name in archives.chain(["seeds.tar.xz".to_owned()]) {
        for path in Unpacked::new(&folder.join(&name)).files() {
            judge(&(&name, &[]), &path);
            // a repair has nothing to do, where it may look at all; a sparse image of terabytes is not read into memory
            let bytes = fs::metadata(&path).expect("an image").len();
            if bytes <= 256 << 20 {
                let bytes = fs::read(&path).expect("an image");
                let device = Arc::new(MemDevice::new(bytes.clone()));
                let on: Arc<dyn Device> = device.clone();
                let done = crate::write::fix::mended(&on).map(|(steps, _)| steps);
                let told: Vec<_> = done.iter().flatten().map(ToString::to_string).collect();
                let dirty = told == ["the volume: marked as dirty -> not marked as dirty"];
                assert!(told.is_empty() || dirty, "{name}: {told:#?}");
                assert!(dirty || device.bytes() == bytes, "{name}: something was written");
            }
            images += 1;
        }
    }
    assert_eq!(images, SOUND.len() + 34);
}

#[test]
fn tables_of_others_are_what_they_are() {
    let Some(folder) = archives() else { return };
    for row in TABLES {
        judge(row, &folder.join("windows").join(row.0));
    }
}

#[test]
fn no_archive_is_left_out() {
    let Some(folder) = archives() else { return };
    for entry in fs::read_dir(folder.join("corrupted")).expect("a folder") {
        let name = entry
            .expect("an entry")
            .file_name()
            .into_string()
            .expect("a plain name");
        let name = name.trim_end_matches(".tar.xz");
        let known = SOUND.contains(&name) || BROKEN.iter().any(|(archive, _)| *archive == name);
        assert!(known, "{name} is not in the tables");
    }
}
