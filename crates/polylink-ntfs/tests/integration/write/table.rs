//! A Master File Table that lies in very many pieces grows all the same.

use std::sync::Arc;

use polylink_ntfs::layout::attribute::AttributeKind;
use polylink_ntfs::{Device as _, MemDevice, RecordNumber, Writer};

use super::crash::{Step, replay_on};
use super::{blank, find, issues, open, reopened, units};
use crate::check::audit;

/// Every other cluster is marked as used while it lasts, as on a volume that is old and nearly full.
pub(super) struct Fragmented {
    device: Arc<MemDevice>,
    /// Where the bytes of the bitmap lie, and the bits that were set in each.
    planted: Vec<(u64, u8)>,
}

impl Fragmented {
    pub(super) fn new(device: &Arc<MemDevice>) -> Self {
        let volume = reopened(device);
        let geometry = volume.geometry().unwrap();
        let file = volume.file(RecordNumber::BITMAP).unwrap();
        let stream = file.stream(&volume, AttributeKind::DATA, &[]).unwrap().unwrap();
        let runs = stream.runs().unwrap();
        let mut planted = Vec::new();
        for byte in 0..geometry.clusters / 8 {
            let cluster = u64::from(geometry.cluster);
            let extent = runs.find(polylink_ntfs::Vcn(byte / cluster)).unwrap();
            let at = (extent.lcn.unwrap().0 + byte / cluster - extent.vcn.0) * cluster + byte % cluster;
            let mut old = [0];
            device.read_at(at, &mut old).unwrap();
            let bits = 0x55 & !old[0];
            device.write_at(at, &[old[0] | bits]).unwrap();
            planted.push((at, bits));
        }
        Self {
            device: device.clone(),
            planted,
        }
    }

    /// Takes the marks away again.
    pub(super) fn mend(self) {
        for (at, bits) in self.planted {
            let mut old = [0];
            self.device.read_at(at, &mut old).unwrap();
            assert_eq!(old[0] & bits, bits);
            self.device.write_at(at, &[old[0] & !bits]).unwrap();
        }
    }
}

/// Extension records of the table, and pieces that it lies in.
fn parts(device: &Arc<MemDevice>) -> (usize, usize) {
    let volume = reopened(device);
    let file = volume.file(RecordNumber::MFT).unwrap();
    let stream = file.stream(&volume, AttributeKind::DATA, &[]).unwrap().unwrap();
    (file.records().count() - 1, stream.runs().unwrap().extents().len())
}

/// The path of a directory in a tree of them, in which none has more than four: each index lies in its record, for no
/// block of one finds room.
fn path(mut index: usize) -> String {
    let mut parts = Vec::new();
    while index > 0 {
        parts.push(index.to_string());
        index = (index - 1) / 4;
    }
    parts.reverse();
    parts.join("/")
}

/// Makes directories until the table has at least so many extension records and pieces, and removes them.
fn grows(size: u64, cluster: u32, record: u32, directories: usize, wanted: (usize, usize)) {
    let device = blank(size, cluster, record);
    let fragmented = Fragmented::new(&device);
    let mut made = vec![open(&device).root().unwrap()];
    let mut before = 0;
    for _ in 0..8 {
        let writer = open(&device);
        for _ in 0..directories / 8 {
            let index = made.len();
            let parent = made[(index - 1) / 4];
            made.push(writer.make_directory(parent, &units(&index.to_string())).unwrap());
        }
        writer.close().unwrap();
        let (extensions, _) = parts(&device);
        assert!(extensions >= before, "{extensions} after {before}");
        before = extensions;
        let mut issues = issues(&device);
        issues.retain(|issue| !issue.contains("marked as used but nobody uses"));
        assert_eq!(issues, [""; 0]);
    }
    let (extensions, pieces) = parts(&device);
    assert!(
        extensions >= wanted.0 && pieces >= wanted.1,
        "{extensions} {pieces}"
    );
    fragmented.mend();
    assert_eq!(issues(&device), [""; 0]);
    let (_, summary) = audit(&reopened(&device));
    assert_eq!(
        summary.directories,
        directories as u64 / 8 * 8 + 2,
        "those, the root and $Extend"
    );
    // written only where somebody wants to look at it with other tools
    if let Some(place) = std::env::var_os("POLYLINK_SAMPLE_WRITTEN") {
        let name = format!("pieces-{cluster}-{record}.img");
        std::fs::write(std::path::Path::new(&place).with_file_name(name), device.bytes()).unwrap();
    }
    // what the last pieces hold is found and removed like everything else
    let writer = open(&device);
    for (index, directory) in made.iter().enumerate().skip(1).rev() {
        assert_eq!(find(&writer, &path(index)), Some(*directory));
        let parent = made[(index - 1) / 4];
        writer
            .remove_directory(parent, &units(&index.to_string()))
            .unwrap();
    }
    writer.close().unwrap();
    assert_eq!(issues(&device), [""; 0]);
    assert_eq!(parts(&device).0, extensions);
}

#[test]
fn a_table_in_very_many_pieces_grows_with_records_of_1_kib() {
    grows(32 << 20, 1024, 1024, 8000, (25, 7500));
}

#[test]
fn a_table_in_very_many_pieces_grows_with_records_of_4_kib() {
    grows(128 << 20, 4096, 4096, 8000, (6, 7500));
}

#[test]
fn a_table_in_pieces_of_several_records_grows() {
    grows(64 << 20, 4096, 1024, 12_000, (10, 2900));
}

/// Every state that a power cut leaves while the table gets its first list, and while its last part moves on.
#[test]
fn every_state_of_a_growing_table_is_sound() {
    for (cluster, record, begin) in [(1024, 1024, 150), (4096, 1024, 650)] {
        let device = blank(5 << 20, cluster, record);
        let _fragmented = Fragmented::new(&device);
        let make = |from: usize, to: usize| {
            move |writer: &Arc<Writer>| {
                for index in from..to {
                    let parent = find(writer, &path((index - 1) / 4)).unwrap();
                    writer.make_directory(parent, &units(&index.to_string())).unwrap();
                }
            }
        };
        // whoever makes many at once has the table grow in large pieces
        for from in (1..begin).step_by(25) {
            let writer = Arc::new(open(&device));
            make(from, begin.min(from + 25))(&writer);
            writer.close().unwrap();
        }
        assert_eq!(parts(&device).0, 0);
        let count = 50;
        let steps: Vec<Step> = (0..4)
            .map(|step| -> Step {
                let from = begin + step * count;
                ("make directories".to_owned(), Box::new(make(from, from + count)))
            })
            .collect();
        let states = replay_on(&device, &steps, 1);
        assert!(states > 900, "{states}");
        assert!(parts(&device).0 > 0);
    }
}
