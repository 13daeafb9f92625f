//! The boot sector and its copy, the first records and theirs, and `$Volume`.

use zerocopy::FromBytes as _;

use super::issue::{Issue, IssueKind};
use super::{Audit, Part, corrupt};
use crate::error::Error;
use crate::fixup;
use crate::geometry::Geometry;
use crate::layout::attribute::AttributeKind;
use crate::layout::boot::BootSector;
use crate::layout::read_bytes;
use crate::layout::record::MultiSectorHeader;
use crate::stream::Stream;
use crate::units::RecordNumber;
use crate::volume::{Note, Version, VolumeFlags};

/// Bytes of a boot sector that say something; behind them there are zeros or other code.
const BOOT: usize = size_of::<BootSector>();
/// `$MFTMirr` has at least so many records.
const MIRRORED: u64 = 4;

impl Audit<'_> {
    /// What was noticed when the volume was opened.
    pub(super) fn notes(&self, part: &mut Part) {
        for note in self.volume.notes() {
            let (kind, record) = match note.clone() {
                Note::BackupBootSector { reason } => {
                    let expected = "a boot sector";
                    let kind = IssueKind::BootSector {
                        expected,
                        found: reason,
                    };
                    (kind, None)
                }
                Note::MirrorRecord { reason } => {
                    let expected = "the record of $MFT";
                    let kind = IssueKind::FirstRecord {
                        expected,
                        found: reason,
                    };
                    (kind, Some(RecordNumber::MFT))
                }
                Note::Truncated { volume, device } => {
                    let kind = IssueKind::VolumeTruncated {
                        expected: volume,
                        found: device,
                    };
                    (kind, None)
                }
                Note::DefaultUpcase { reason } => {
                    let expected = "65,536 units";
                    let kind = IssueKind::Upcase {
                        expected,
                        found: reason,
                    };
                    (kind, Some(RecordNumber::UPCASE))
                }
            };
            let issue = Issue::new(kind);
            part.issues.push(match record {
                Some(record) => issue.in_record(record),
                None => issue,
            });
        }
    }

    /// The boot sector against its copy in the volume's last sector.
    pub(super) fn boot_copy(&self, geometry: &Geometry, part: &mut Part) {
        if self.has_note(|note| matches!(note, Note::BackupBootSector { .. })) {
            return;
        }
        let device = self.volume.device();
        let mut first = [0; BOOT];
        if read_bytes(device, 0, &mut first).is_err() {
            return;
        }
        // where the boot sector gives a wrong size, the device's last sector has the copy that gives the right one
        let last = device.size().checked_sub(u64::from(geometry.sector));
        let places = [Some(geometry.size), last];
        for offset in places.into_iter().flatten() {
            let mut copy = [0; BOOT];
            if read_bytes(device, offset, &mut copy).is_err() || copy.get(3..11) != first.get(3..11) {
                continue;
            }
            let differs = first.iter().zip(copy).position(|(first, copy)| *first != copy);
            if let Some(at) = differs {
                let byte = |sector: &[u8]| sector.get(at).copied().unwrap_or(0);
                let kind = IssueKind::BootCopy {
                    expected: byte(&first),
                    found: byte(&copy),
                    offset: u64::try_from(at).unwrap_or(0),
                };
                part.issues.push(Issue::new(kind).at(offset));
            }
            return;
        }
        let kind = IssueKind::BootCopyMissing {
            expected: geometry.size,
            found: "no boot sector",
        };
        part.issues.push(Issue::new(kind).at(geometry.size));
    }

    fn has_note(&self, is: impl Fn(&Note) -> bool) -> bool {
        self.volume.notes().iter().any(is)
    }

    /// The value of a system file that the audit needs; its absence is told.
    pub(super) fn system(
        &self,
        record: RecordNumber,
        kind: AttributeKind,
        what: &'static str,
        part: &mut Part,
    ) -> Option<Stream> {
        let stream = self
            .volume
            .file(record)
            .and_then(|file| file.stream(self.volume, kind, &[]));
        let found = match stream {
            Ok(Some(stream)) => return Some(stream),
            Ok(None) => format!("there is no {kind} in it"),
            // a dump has no clusters
            Err(Error::Unsupported(_)) => return None,
            // that was said where the record was looked at
            Err(_) if self.is_damaged(record) => return None,
            Err(error) => error.to_string(),
        };
        let kind = IssueKind::SystemFile {
            expected: what,
            found,
        };
        part.issues.push(Issue::new(kind).in_record(record));
        None
    }

    /// Where the tables begin by the boot sector, and by their own runs.
    fn place(&self, record: RecordNumber, stream: &Stream, expected: u64, part: &mut Part) {
        let first = stream.runs().and_then(|runs| runs.extents().first()?.lcn);
        let found = first.map_or(0, |lcn| lcn.0);
        if found != expected {
            let kind = IssueKind::TablePlace { expected, found };
            part.issues.push(Issue::new(kind).in_record(record));
        }
    }

    /// The first records against their copies.
    pub(super) fn mirror(&self, geometry: &Geometry, part: &mut Part) {
        let data = AttributeKind::DATA;
        if !self.has_note(|note| matches!(note, Note::MirrorRecord { .. }))
            && let Some(table) = self.system(RecordNumber::MFT, data, "$MFT", part)
        {
            self.place(RecordNumber::MFT, &table, geometry.mft.0, part);
        }
        let Some(mirror) = self.system(RecordNumber::MFT_MIRROR, data, "$MFTMirr", part) else {
            return;
        };
        self.place(RecordNumber::MFT_MIRROR, &mirror, geometry.mft_mirror.0, part);
        let size = u64::from(geometry.record);
        let records = mirror
            .size()
            .checked_div(size)
            .unwrap_or(0)
            .min(self.states.len());
        if records < MIRRORED.min(self.states.len()) {
            let kind = IssueKind::SystemFile {
                expected: "$MFTMirr",
                found: format!("it has {records} records"),
            };
            part.issues
                .push(Issue::new(kind).in_record(RecordNumber::MFT_MIRROR));
        }
        // a cluster's records, and no cluster has more of them than this
        for number in (0..records.min(8192)).map(RecordNumber) {
            let mut record = Vec::new();
            let mut copy = vec![0; usize::try_from(size).unwrap_or(0)];
            let offset = number.0.saturating_mul(size);
            let read = self.volume.read_record(number, &mut record).is_ok()
                && self.volume.read(&mirror, offset, &mut copy).is_ok();
            // a record that is damaged itself was told of
            if !read || fixup::undo(&mut record, *b"FILE").is_err() {
                continue;
            }
            // a copy that cannot be undone differs where it stands as it is
            let _ = fixup::undo(&mut copy, *b"FILE");
            if let Some(at) = difference(&record, &copy) {
                let byte = |bytes: &[u8]| bytes.get(at).copied().unwrap_or(0);
                let kind = IssueKind::MirrorDiffers {
                    expected: byte(&record),
                    found: byte(&copy),
                };
                let at = u64::try_from(at).unwrap_or(0);
                part.issues.push(Issue::new(kind).in_record(number).at(at));
            }
        }
    }

    /// Version and flags.
    pub(super) fn volume_file(&self, part: &mut Part) {
        let record = RecordNumber::VOLUME;
        let (version, flags) = match self.volume.information() {
            Ok(found) => found,
            Err(error) => {
                part.issues.extend(corrupt::of_error(&error, record));
                return;
            }
        };
        let mut note = |kind| part.issues.push(Issue::new(kind).in_record(record));
        let known = [(1, 2), (3, 0), (3, 1)].map(|(major, minor)| Version { major, minor });
        if !known.contains(&version) {
            note(IssueKind::VolumeVersion {
                expected: "1.2, 3.0 and 3.1",
                found: format!("{}.{}", version.major, version.minor),
            });
        }
        if flags.contains(VolumeFlags::DIRTY) {
            note(IssueKind::VolumeDirty {
                expected: 0,
                found: flags.bits(),
            });
        }
        let harmless = VolumeFlags::DIRTY | VolumeFlags::NO_SHORT_NAMES;
        if !flags.difference(harmless).is_empty() {
            note(IssueKind::VolumeFlags {
                expected: 0,
                found: flags.bits(),
            });
        }
    }

    /// The table of upper cases; what it is sorted by, when it cannot be used.
    pub(super) fn upcase_file(&self, part: &mut Part) {
        match self.volume.read_upcase() {
            Ok(_) | Err(Error::Unsupported(_)) => {}
            Err(error) => {
                let kind = IssueKind::Upcase {
                    expected: "65,536 units",
                    found: error.to_string(),
                };
                part.issues.push(Issue::new(kind).in_record(RecordNumber::UPCASE));
            }
        }
    }
}

/// Where two records differ, their update sequences apart: those count writes.
fn difference(record: &[u8], copy: &[u8]) -> Option<usize> {
    let (header, _) = MultiSectorHeader::read_from_prefix(record).ok()?;
    let start = usize::from(header.update_sequence_offset.get());
    let count = usize::from(header.update_sequence_count.get());
    let array = start..start.saturating_add(count.saturating_mul(2));
    record
        .iter()
        .zip(copy)
        .enumerate()
        .position(|(at, (record, copy))| record != copy && !array.contains(&at))
}
