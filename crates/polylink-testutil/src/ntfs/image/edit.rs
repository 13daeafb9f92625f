//! Finished volumes, and how damage is planted in them.

use std::fmt;
use std::sync::Arc;

use polylink_ntfs::layout::attribute::AttributeKind;
use polylink_ntfs::{Device, MemDevice, OpenOptions, RecordNumber, Volume};

use super::encode::{protect, unprotect};
use super::{CLUSTER, RECORD};

/// A volume in memory.
#[derive(Clone)]
pub struct Image {
    /// All of it.
    pub bytes: Vec<u8>,
    /// The first cluster of `$MFT`.
    pub table: u64,
    /// The first cluster of `$MFTMirr`.
    pub mirror: u64,
    /// The first cluster of `$Bitmap`.
    pub bitmap: u64,
    /// The first cluster of the bitmap of records.
    pub record_bitmap: u64,
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Image({} bytes)", self.bytes.len())
    }
}

impl Image {
    pub(super) fn new(bytes: Vec<u8>, table: u64, mirror: u64, bitmap: u64, record_bitmap: u64) -> Self {
        Self {
            bytes,
            table,
            mirror,
            bitmap,
            record_bitmap,
        }
    }

    /// Opens it as it is now.
    pub fn open(&self) -> Volume {
        let device = MemDevice::new(self.bytes.clone());
        Volume::open(Box::new(device), &OpenOptions::default()).expect("a volume that can be opened")
    }

    /// Opens it on a device that a test keeps.
    pub fn open_on<D: Device + 'static>(&self, device: Arc<D>) -> Volume {
        Volume::open(Box::new(device), &OpenOptions::default()).expect("a volume that can be opened")
    }

    /// Where a record is on the volume.
    pub fn record_at(&self, number: u64) -> usize {
        self.table as usize * CLUSTER + number as usize * RECORD
    }

    /// Changes a record, its update sequence undone, and that of its copy in `$MFTMirr`.
    pub fn record(&mut self, number: u64, edit: impl Fn(&mut [u8])) {
        let at = self.record_at(number);
        self.block(at, RECORD, &edit);
        if number < 4 {
            let at = self.mirror as usize * CLUSTER + number as usize * RECORD;
            self.block(at, RECORD, &edit);
        }
    }

    /// Changes a protected block.
    pub fn block(&mut self, at: usize, len: usize, edit: impl Fn(&mut [u8])) {
        let block = &mut self.bytes[at..at + len];
        let sequence = unprotect(block);
        edit(block);
        protect(block, sequence);
    }

    /// A record's bytes, its update sequence undone.
    pub fn read_record(&self, number: u64) -> Vec<u8> {
        let at = self.record_at(number);
        let mut bytes = self.bytes[at..at + RECORD].to_vec();
        unprotect(&mut bytes);
        bytes
    }

    /// Where in a record its `nth` attribute of a type is.
    pub fn attribute(&self, number: u64, kind: AttributeKind, nth: usize) -> usize {
        let bytes = self.read_record(number);
        let record = polylink_ntfs::Record::parsed(RecordNumber(number), &bytes).expect("a record");
        record
            .attributes()
            .map(|attribute| attribute.expect("an attribute"))
            .filter(|attribute| attribute.kind() == kind)
            .nth(nth)
            .expect("so many attributes")
            .offset()
    }

    /// Where the bytes of a value in clusters begin on the volume, and its first cluster.
    pub fn value_at(&self, number: u64, kind: AttributeKind, name: &str) -> (usize, u64) {
        let volume = self.open();
        let name: Vec<u16> = name.encode_utf16().collect();
        let file = volume.file(RecordNumber(number)).expect("a file");
        let stream = file
            .stream(&volume, kind, &name)
            .expect("a value")
            .expect("a value");
        let runs = stream.runs().expect("a value in clusters");
        let first = runs.extents()[0].lcn.expect("no hole").0;
        (first as usize * CLUSTER, first)
    }

    /// A record that is not in use.
    pub fn free_record(&self) -> u64 {
        let volume = self.open();
        let last = volume.records() - 1;
        assert_eq!(self.read_record(last)[0x16], 0, "the last record is in use");
        last
    }

    /// Makes a record without attributes, in use and marked so, that belongs to the file of another.
    pub fn add_extension(&mut self, base: u64) {
        let number = self.free_record();
        let at = self.record_at(number);
        let bytes = super::encode::record(number, 1, 1, 0, base, &[]);
        self.bytes[at..at + RECORD].copy_from_slice(&bytes);
        self.flip(self.record_bitmap, number);
    }

    /// Takes an attribute out of a record.
    pub fn remove_attribute(&mut self, number: u64, kind: AttributeKind, nth: usize) {
        let at = self.attribute(number, kind, nth);
        self.record(number, |record| {
            let len = u32_at(record, at + 4) as usize;
            record.copy_within(at + len.., at);
            let used = u32_at(record, 0x18) - len as u32;
            put(record, 0x18, used.to_le_bytes());
        });
    }

    /// The reference that leads to a record.
    pub fn reference(&self, number: u64) -> u64 {
        let record = self.read_record(number);
        number | u64::from(u16::from_le_bytes([record[0x10], record[0x11]])) << 48
    }

    /// Flips a bit of a bitmap that begins at a cluster.
    pub fn flip(&mut self, bitmap: u64, bit: u64) {
        self.bytes[bitmap as usize * CLUSTER + bit as usize / 8] ^= 1 << (bit % 8);
    }
}

/// Writes a number in its little-endian bytes.
pub fn put<const N: usize>(bytes: &mut [u8], at: usize, value: [u8; N]) {
    bytes[at..at + N].copy_from_slice(&value);
}

/// The little-endian number there.
pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let (bytes, _) = bytes[at..]
        .split_first_chunk::<4>()
        .map(|(a, b)| (*a, b))
        .expect("4 bytes");
    u32::from_le_bytes(bytes)
}
