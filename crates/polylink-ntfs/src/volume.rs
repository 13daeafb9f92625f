//! An open volume.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use bitflags::bitflags;
use polylink_nt::upcase::UpcaseTable;
use zerocopy::FromBytes as _;

use crate::device::Device;
use crate::error::{Corrupt, CorruptKind, Error, Result, Unsupported};
use crate::file::File;
use crate::geometry::Geometry;
use crate::layout::attribute::AttributeKind;
use crate::layout::boot::BootSector;
use crate::layout::record::{RecordFlags, RecordHeader};
use crate::layout::{read, read_bytes, value};
use crate::mft::Table;
use crate::record::{Record, units};
use crate::stream::Stream;
use crate::units::RecordNumber;

/// How a volume is opened.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// The device holds a bare `$MFT` and nothing else. Found out by itself where the first bytes tell.
    pub dump: bool,
}

/// What was noticed while a volume was opened: it can be read, but not all is well.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Note {
    /// The boot sector is damaged; its copy at the end of the volume was used.
    BackupBootSector {
        /// What is wrong with the first one.
        reason: String,
    },
    /// The first record of `$MFT` is damaged; its copy in `$MFTMirr` was used.
    MirrorRecord {
        /// What is wrong with the first one.
        reason: String,
    },
    /// The device ends before the volume does.
    Truncated {
        /// Bytes of the volume.
        volume: u64,
        /// Bytes of the device.
        device: u64,
    },
    /// `$UpCase` cannot be read; Windows' own table is used instead.
    DefaultUpcase {
        /// What is wrong with it.
        reason: String,
    },
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BackupBootSector { reason } => write!(f, "the boot sector cannot be used: {reason}"),
            Self::MirrorRecord { reason } => write!(f, "the first record of $MFT cannot be used: {reason}"),
            Self::Truncated { volume, device } => {
                write!(f, "the volume has {volume} bytes, what it lies on has {device}")
            }
            Self::DefaultUpcase { reason } => write!(f, "$UpCase cannot be used: {reason}"),
        }
    }
}

/// The version of NTFS that a volume has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Version {
    /// Before the dot.
    pub major: u8,
    /// After the dot.
    pub minor: u8,
}

bitflags! {
    /// The flags of `$VOLUME_INFORMATION`.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct VolumeFlags: u16 {
        /// It was not unmounted, or damage was seen: chkdsk runs at the next start.
        const DIRTY = 0x0001;
        /// The journal is to be resized.
        const RESIZE_LOG_FILE = 0x0002;
        /// The volume is to be upgraded when it is mounted.
        const UPGRADE_ON_MOUNT = 0x0004;
        /// It was mounted by Windows NT 4.
        const MOUNTED_ON_NT4 = 0x0008;
        /// The change journal is being deleted.
        const DELETE_USN_UNDERWAY = 0x0010;
        /// Object ids are to be repaired.
        const REPAIR_OBJECT_ID = 0x0020;
        /// Seen on volumes without 8.3 names.
        const NO_SHORT_NAMES = 0x0080;
        /// chkdsk is at work.
        const CHKDSK_UNDERWAY = 0x4000;
        /// chkdsk changed the volume.
        const MODIFIED_BY_CHKDSK = 0x8000;
        const _ = !0;
    }
}

/// An NTFS volume, or the table of one.
#[derive(Debug)]
pub struct Volume {
    device: Box<dyn Device>,
    /// `None` for a dump of the table.
    geometry: Option<Geometry>,
    table: RwLock<Arc<Table>>,
    notes: Vec<Note>,
    /// `None` where it cannot be read.
    upcase: OnceLock<Option<UpcaseTable>>,
}

/// No value that is read as a whole, but for the table, is longer.
const VALUE_LIMIT: u64 = 1 << 20;

impl Volume {
    /// Opens the volume that begins with the device's first byte.
    ///
    /// # Errors
    ///
    /// [`Unsupported::NotNtfs`] where it is something else; where neither boot sector, or neither first record of the
    /// table, can be used.
    pub fn open(device: Box<dyn Device>, options: &OpenOptions) -> Result<Self> {
        let mut start = [0; 4];
        let is_table = read_bytes(&*device, 0, &mut start).is_ok() && start == *b"FILE";
        if options.dump || is_table {
            return Self::open_dump(device);
        }
        let mut notes = Vec::new();
        let geometry = open_boot(&*device, &mut notes)?;
        if device.size() < geometry.size {
            notes.push(Note::Truncated {
                volume: geometry.size,
                device: device.size(),
            });
        }
        let table = open_table(&*device, &geometry, &mut notes)?;
        Ok(Self {
            device,
            geometry: Some(geometry),
            table: RwLock::new(Arc::new(table)),
            notes,
            upcase: OnceLock::new(),
        })
    }

    fn open_dump(device: Box<dyn Device>) -> Result<Self> {
        let header: RecordHeader = read(&*device, 0)?;
        let record = header.allocated.get();
        if header.multi.signature != *b"FILE" || !record.is_power_of_two() || !(512..=65536).contains(&record)
        {
            let found = "its first bytes are no record of a Master File Table".to_owned();
            return Err(Unsupported::NotNtfs { found }.into());
        }
        let table = Table::of_dump(&*device, record);
        Ok(Self {
            device,
            geometry: None,
            table: RwLock::new(Arc::new(table)),
            notes: Vec::new(),
            upcase: OnceLock::new(),
        })
    }

    /// What was noticed when it was opened.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// How it is divided; `None` for a dump of the table.
    #[must_use]
    pub fn geometry(&self) -> Option<&Geometry> {
        self.geometry.as_ref()
    }

    /// Records in the table, used or not.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.table().records()
    }

    /// Bytes of a record.
    #[must_use]
    pub fn record_size(&self) -> u32 {
        self.table().record_size()
    }

    /// What it lies on.
    #[must_use]
    pub fn device(&self) -> &dyn Device {
        &*self.device
    }

    pub(crate) fn table(&self) -> Arc<Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks again where the records are: a writer made the table longer.
    pub(crate) fn refresh(&self) -> Result<()> {
        if let Some(geometry) = &self.geometry {
            let table = open_table(&*self.device, geometry, &mut Vec::new())?;
            *self.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
        }
        Ok(())
    }

    pub(crate) fn clusters(&self) -> Option<u64> {
        self.geometry.map(|geometry| geometry.clusters)
    }

    pub(crate) fn cluster_size(&self) -> u32 {
        self.geometry.map_or(0, |geometry| geometry.cluster)
    }

    /// Reads the bytes of a record as they are on disk, its update sequence not undone.
    ///
    /// # Errors
    ///
    /// Where the table has no such record, or as the device says.
    pub fn read_record(&self, number: RecordNumber, buffer: &mut Vec<u8>) -> Result<()> {
        self.table().read(&*self.device, number, buffer)
    }

    /// Reads the file of a base record.
    ///
    /// # Errors
    ///
    /// Where the record is not in use, belongs to another file, or is damaged.
    pub fn file(&self, number: RecordNumber) -> Result<File> {
        File::read(self, number)
    }

    /// Reads a part of a value; see [`Stream::read`].
    ///
    /// # Errors
    ///
    /// As [`Stream::read`].
    pub fn read(&self, stream: &Stream, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        stream.read(&*self.device, offset, buffer)
    }

    pub(crate) fn read_all(&self, stream: &Stream) -> Result<Vec<u8>> {
        stream.read_all(&*self.device, VALUE_LIMIT)
    }

    /// The table of upper cases by which its names are compared: its own, else Windows'.
    #[must_use]
    pub fn upcase(&self) -> &UpcaseTable {
        let own = self.upcase.get_or_init(|| self.read_upcase().ok());
        own.as_ref().unwrap_or_else(|| UpcaseTable::windows())
    }

    /// Lets names be compared by Windows' table, whatever the volume has: that is known to be none.
    pub(crate) fn compare_as_windows(&self) {
        // OK to ignore: where somebody compared names before, that stays
        self.upcase.get_or_init(|| None);
    }

    /// Reads `$UpCase`.
    ///
    /// # Errors
    ///
    /// Where it cannot be read or has not 65,536 units.
    pub fn read_upcase(&self) -> Result<UpcaseTable> {
        let file = self.file(RecordNumber::UPCASE)?;
        let kind = AttributeKind::DATA;
        let missing = || Corrupt::new(CorruptKind::Missing { kind }).in_record(RecordNumber::UPCASE);
        let stream = file.stream(self, kind, &[])?.ok_or_else(missing)?;
        let bytes = self.read_all(&stream)?;
        UpcaseTable::from_bytes(&bytes).map_err(|_| {
            let what = "$UpCase has not 65,536 units";
            Corrupt::new(CorruptKind::Value { kind, what })
                .in_record(RecordNumber::UPCASE)
                .into()
        })
    }

    /// Whether two names of attributes are the same. These are short and nearly always empty.
    pub(crate) fn same_name(&self, a: &[u16], b: &[u16]) -> bool {
        a == b || a.len() == b.len() && UpcaseTable::windows().same(a, b)
    }

    /// Version and flags.
    ///
    /// # Errors
    ///
    /// Where `$Volume` is damaged.
    pub fn information(&self) -> Result<(Version, VolumeFlags)> {
        let kind = AttributeKind::VOLUME_INFORMATION;
        let value = self.value_of(RecordNumber::VOLUME, kind)?;
        let (found, _) = value::VolumeInformation::read_from_prefix(&value).map_err(|_| {
            let what = "it has less than 12 bytes";
            Corrupt::new(CorruptKind::Value { kind, what }).in_record(RecordNumber::VOLUME)
        })?;
        let version = Version {
            major: found.major,
            minor: found.minor,
        };
        Ok((version, VolumeFlags::from_bits_retain(found.flags.get())))
    }

    /// The label; empty where it has none.
    ///
    /// # Errors
    ///
    /// Where `$Volume` is damaged.
    pub fn label(&self) -> Result<Vec<u16>> {
        match self.value_of(RecordNumber::VOLUME, AttributeKind::VOLUME_NAME) {
            Ok(value) => Ok(units(&value)),
            Err(Error::Corrupt(corrupt)) if corrupt.is_missing() => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Clusters that `$Bitmap` marks as in use.
    ///
    /// # Errors
    ///
    /// Where `$Bitmap` is damaged.
    pub fn clusters_in_use(&self) -> Result<u64> {
        let kind = AttributeKind::DATA;
        let missing = || Corrupt::new(CorruptKind::Missing { kind }).in_record(RecordNumber::BITMAP);
        let clusters = self.clusters().ok_or(Unsupported::TableOnly)?;
        let file = self.file(RecordNumber::BITMAP)?;
        let stream = file.stream(self, kind, &[])?.ok_or_else(missing)?;
        self.bits_set(&stream, clusters)
    }

    /// Records that the bitmap of `$MFT` marks as in use; in a dump, which has no bitmap, those that say so themselves,
    /// records that hold further parts of files included.
    ///
    /// # Errors
    ///
    /// Where the bitmap, or the dump, cannot be read.
    pub fn records_in_use(&self) -> Result<u64> {
        let kind = AttributeKind::BITMAP;
        if self.geometry.is_none() {
            return self.records_that_say_so();
        }
        let missing = || Corrupt::new(CorruptKind::Missing { kind }).in_record(RecordNumber::MFT);
        let stream = self
            .file(RecordNumber::MFT)?
            .stream(self, kind, &[])?
            .ok_or_else(missing)?;
        self.bits_set(&stream, self.records())
    }

    /// Records in use by their own flag, which lies where no update sequence changes it.
    fn records_that_say_so(&self) -> Result<u64> {
        const AT_ONCE: u64 = 1024;
        let size = usize::try_from(self.record_size()).unwrap_or(0).max(1);
        let (mut buffer, mut used, mut first) = (Vec::new(), 0_u64, 0);
        while first < self.records() {
            let end = first.saturating_add(AT_ONCE).min(self.records());
            let count = usize::try_from(end.saturating_sub(first)).unwrap_or(0);
            buffer.resize(size.saturating_mul(count), 0);
            self.table()
                .read_bytes(&*self.device, RecordNumber(first), &mut buffer)?;
            for bytes in buffer.chunks_exact(size) {
                let says_so = RecordHeader::read_from_prefix(bytes).is_ok_and(|(header, _)| {
                    let flags = RecordFlags::from_bits_retain(header.flags.get());
                    header.multi.signature == *b"FILE" && flags.contains(RecordFlags::IN_USE)
                });
                used = used.saturating_add(u64::from(says_so));
            }
            first = end;
        }
        Ok(used)
    }

    /// How many of the first `count` bits of a bitmap are set.
    fn bits_set(&self, stream: &Stream, count: u64) -> Result<u64> {
        const AT_ONCE: usize = 1 << 20;
        let mut buffer = vec![0; AT_ONCE];
        let (mut used, mut offset) = (0_u64, 0_u64);
        // what the last byte has beyond them is set, and does not count
        let mut left = count;
        while left > 0 {
            if let Some(end) = stream.zeros_until(offset).filter(|&end| end > offset) {
                left = left.saturating_sub(end.saturating_sub(offset).saturating_mul(8));
                offset = end;
                continue;
            }
            let read = self.read(stream, offset, &mut buffer)?;
            if read == 0 {
                break;
            }
            for byte in buffer.iter().take(read) {
                let bits = u32::try_from(left.min(8)).unwrap_or(8);
                let mask = u8::MAX.checked_shr(8_u32.saturating_sub(bits)).unwrap_or(0);
                used = used.saturating_add(u64::from((byte & mask).count_ones()));
                left = left.saturating_sub(u64::from(bits));
            }
            offset = offset.saturating_add(u64::try_from(read).unwrap_or(0));
        }
        Ok(used)
    }

    fn value_of(&self, record: RecordNumber, kind: AttributeKind) -> Result<Vec<u8>> {
        let file = self.file(record)?;
        let stream = file.stream(self, kind, &[])?;
        let stream = stream.ok_or_else(|| Corrupt::new(CorruptKind::Missing { kind }).in_record(record))?;
        self.read_all(&stream)
    }
}

/// The geometry from the boot sector, else from its copy.
fn open_boot(device: &dyn Device, notes: &mut Vec<Note>) -> Result<Geometry> {
    let first = read::<BootSector>(device, 0).and_then(|boot| checked(&boot));
    let error = match first {
        Ok(geometry) => return Ok(geometry),
        Err(error @ Error::Device { .. }) => return Err(error),
        Err(error) => error,
    };
    // the copy is in the last sector; before Windows NT 4 it was in the middle
    let last = [512, 1024, 2048, 4096, 256].map(|sector| device.size().checked_sub(sector));
    let middle = device.size().checked_div(2).map(|half| half & !511);
    for offset in last.into_iter().chain([middle]).flatten() {
        if let Ok(geometry) = read::<BootSector>(device, offset).and_then(|boot| checked(&boot)) {
            notes.push(Note::BackupBootSector {
                reason: error.to_string(),
            });
            return Ok(geometry);
        }
    }
    Err(error)
}

fn checked(boot: &BootSector) -> Result<Geometry> {
    let geometry = Geometry::of(boot)?;
    match boot.signature.get() {
        0xAA55 => Ok(geometry),
        found => Err(CorruptKind::BootSignature { found }.into()),
    }
}

/// The table from its first record, else from the copy of that.
fn open_table(device: &dyn Device, geometry: &Geometry, notes: &mut Vec<Note>) -> Result<Table> {
    let from = |lcn| -> Result<Table> {
        let offset = geometry.offset_of(lcn).unwrap_or(u64::MAX);
        let mut bytes = vec![0; usize::try_from(geometry.record).unwrap_or(0)];
        read_bytes(device, offset, &mut bytes)?;
        let record = Record::parse(RecordNumber::MFT, &mut bytes)?;
        Table::of_volume(device, geometry, &record).map_err(|error| error.in_record(RecordNumber::MFT))
    };
    let error = match from(geometry.mft) {
        Ok(table) => return Ok(table),
        Err(error) => error,
    };
    match from(geometry.mft_mirror) {
        Ok(table) => {
            notes.push(Note::MirrorRecord {
                reason: error.to_string(),
            });
            Ok(table)
        }
        Err(_) => Err(error),
    }
}
