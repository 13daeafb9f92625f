//! Whole volumes: those of others, sound and broken, and one that ends too early, wherever that may be.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use polylink_ntfs::{Access, FileDevice, Slice};
use polylink_testutil::ntfs::given::{Unpacked, archives, files_below};
use polylink_testutil::ntfs::hostile::Patched;
use polylink_testutil::ntfs::image::{SECTOR, sample};
use polylink_testutil::ntfs::targets::{ON_VOLUMES, Shared, read_files};

use crate::limits::{Tally, alone, in_threads};
use crate::{BY_DEFAULT, wanted};

/// Of so many prefixes one is looked at, where nobody asks for more than the usual tests.
const FEW: u64 = 41;

/// Opens, lists and audits a volume, and reads its files; answers the bytes in them.
fn everything(tally: &Tally, name: &dyn Fn() -> String, device: &Shared) -> u64 {
    for (target, run) in ON_VOLUMES {
        let name = || format!("{target} of {}", name());
        tally.take(&name, &name, &|| run(device));
    }
    let read = AtomicU64::new(0);
    let name = || format!("files of {}", name());
    tally.take(&name, &name, &|| {
        read.store(read_files(device), Ordering::Relaxed);
    });
    read.into_inner()
}

fn everything_in(tally: &Tally, path: &Path) -> u64 {
    let device = FileDevice::open(path, Access::Read).expect("an image");
    let device: Shared = Arc::new(device);
    everything(tally, &|| path.display().to_string(), &device)
}

#[test]
fn volumes_of_others_are_read_within_the_limits() {
    let _turn = alone();
    let Some(folder) = archives(std::env::var_os("POLYLINK_IMAGES")) else {
        println!("skipped: POLYLINK_IMAGES does not name the folder with the archives, or there is no tar");
        return;
    };
    let tally = Tally::new();
    let begun = Instant::now();
    let (mut images, mut bytes) = (0_u64, 0);
    for path in files_below(&folder) {
        let name = path.to_string_lossy();
        if name.ends_with(".tar.xz") {
            for path in Unpacked::new(&path).files() {
                images += 1;
                bytes += everything_in(&tally, &path);
            }
        } else if name.ends_with(".mft") {
            images += 1;
            bytes += everything_in(&tally, &path);
        }
    }
    println!("{images} images, {bytes} bytes in files");
    tally.close("runs", begun.elapsed());
    assert!(images > 60, "{images} images");
    assert!(bytes > 64 << 20, "{bytes} bytes in files");
}

#[test]
fn prefixes_of_a_volume_are_read_within_the_limits() {
    let _turn = alone();
    let bytes: Arc<[u8]> = sample().build().bytes.into();
    let sectors = (bytes.len() / SECTOR) as u64;
    let step = if wanted().end > BY_DEFAULT { 1 } else { FEW };
    let tally = Tally::new();
    let begun = Instant::now();
    // at each border of sectors, and at some byte behind it
    in_threads(0..2 * sectors.div_ceil(step), &|number| {
        let sector = number / 2 * step * SECTOR as u64;
        let inside = 1 + (number * 0x9E37) % (SECTOR as u64 - 1);
        let len = sector + number % 2 * inside;
        let whole = Patched::new(bytes.clone());
        let device: Shared = Arc::new(Slice::new(whole, 0, len));
        everything(&tally, &|| format!("the first {len} bytes"), &device);
        !tally.is_lost()
    });
    tally.close("runs on prefixes", begun.elapsed());
}
