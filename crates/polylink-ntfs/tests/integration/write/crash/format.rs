//! A power cut while a volume is made where another one was: there is the old one, the new one or none.

use std::sync::{Arc, Mutex};

use polylink_ntfs::{FormatOptions, MemDevice, OpenOptions, Volume, format};

use super::{Recorder, subsets};
use crate::check::audit;
use crate::write::{TIME, blank, open, units};

#[test]
fn a_format_that_is_cut_off_leaves_no_volume_that_is_half_of_two() {
    let old = blank(4 << 20, 4096, 1024);
    let writer = open(&old);
    let root = writer.root().unwrap();
    for index in 0..60 {
        let file = writer
            .create_file(root, &units(&format!("a file of before {index}")))
            .unwrap();
        writer.write(file, &[], 0, &[index; 900]).unwrap();
    }
    writer.close().unwrap();
    let base = Arc::new(MemDevice::new(old.bytes()));
    let recorder = Recorder {
        device: old.clone(),
        events: Mutex::new(Vec::new()),
    };
    let options = FormatOptions {
        cluster: Some(1024),
        serial: Some(0x0BAD_CAFE),
        time: TIME,
        ..FormatOptions::default()
    };
    format(&recorder, &options).unwrap();
    let events = recorder.events.lock().unwrap().clone();
    let (mut states, mut before, mut after, mut none) = (0_u64, 0_u64, 0_u64, 0_u64);
    let mut seed = 5;
    subsets(&base, &events, &mut seed, &mut || {
        states += 1;
        let Ok(volume) = Volume::open(Box::new(base.clone()), &OpenOptions::default()) else {
            none += 1;
            return;
        };
        let serial = volume.geometry().unwrap().serial;
        let (mut issues, summary) = audit(&volume);
        // both boot sectors go together and come together, one of them late: one is enough to find the volume by
        issues.retain(|issue| !["boot-sector", "boot-copy-missing"].contains(&issue.kind_name()));
        assert_eq!(issues, [], "state {states}");
        if serial == 0x0BAD_CAFE {
            assert!(summary.files < 60, "a new volume has no files of the old one");
            after += 1;
        } else {
            assert!(summary.files > 60);
            before += 1;
        }
    });
    println!("format: {states} states: {before} old, {none} none, {after} new");
    assert!(before > 0 && after > 0 && none > 20, "{before} {none} {after}");
}
