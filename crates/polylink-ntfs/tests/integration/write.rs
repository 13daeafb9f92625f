//! Writing: what is done to a volume is there, and every audit is clean.

mod anew;
mod basic;
mod batch;
mod copy;
pub(crate) mod crash;
mod damage;
pub(crate) mod fix;
mod leak;
mod model;
pub(crate) mod secure;
mod speed;
mod table;
pub(crate) mod views;

use std::sync::Arc;

use polylink_ntfs::{
    FileReference, FormatOptions, Geometry, MemDevice, OpenOptions, RecordNumber, Volume, WriteOptions,
    Writer, format,
};

use crate::check::audit;

/// A time long ago: 2001.
pub(crate) const TIME: u64 = 126_000_000_000_000_000;

/// An empty volume in memory.
pub(crate) fn blank(size: u64, cluster: u32, record: u32) -> Arc<MemDevice> {
    let device = Arc::new(MemDevice::new(vec![0; usize::try_from(size).unwrap()]));
    let options = FormatOptions {
        cluster: Some(cluster),
        record: Some(record),
        serial: Some(0x1234_5678_9ABC_DEF0),
        time: TIME,
        zeroed: true,
        ..FormatOptions::default()
    };
    let _: Geometry = format(&*device, &options).unwrap();
    device
}

pub(crate) fn options() -> WriteOptions {
    WriteOptions {
        now: Some(TIME + 10_000_000),
        ..WriteOptions::default()
    }
}

pub(crate) fn open(device: &Arc<MemDevice>) -> Writer {
    Writer::open(device.clone(), &options()).unwrap()
}

pub(crate) fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// The volume as a reader finds it on the device.
pub(crate) fn reopened(device: &Arc<MemDevice>) -> Volume {
    Volume::open(Box::new(device.clone()), &OpenOptions::default()).unwrap()
}

/// Everything that the audit finds on the device, but that it is dirty.
pub(crate) fn issues(device: &Arc<MemDevice>) -> Vec<String> {
    let (issues, _) = audit(&reopened(device));
    issues
        .iter()
        .filter(|issue| issue.kind_name() != "volume-dirty")
        .map(ToString::to_string)
        .collect()
}

/// The record of a name below the root, by its path.
pub(crate) fn find(writer: &Writer, path: &str) -> Option<FileReference> {
    let mut at = writer.root().unwrap();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        at = writer.look_up(at, &units(part)).unwrap()?.file;
    }
    Some(at)
}

/// Records and clusters in use, as the bitmaps have it.
pub(crate) fn used(device: &Arc<MemDevice>) -> (u64, u64) {
    let volume = reopened(device);
    (
        volume.records_in_use().unwrap(),
        volume.clusters_in_use().unwrap(),
    )
}

/// Names of a file as its record counts them.
pub(crate) fn raw_links(device: &Arc<MemDevice>, file: RecordNumber) -> u16 {
    reopened(device).file(file).unwrap().base().unwrap().raw_links()
}
