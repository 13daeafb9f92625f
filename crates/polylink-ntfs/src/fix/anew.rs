//! Records of which there is only one: those of the root directory, of `$Bitmap`, of `$UpCase` and of `$Extend`; and that
//! of `$Volume`, where its copy is lost too. Without them nothing can be written.
//!
//! What they hold, all the rest of the volume says: which clusters are used, which files lie in the directory. So a
//! record that cannot be right is made anew, with nothing in it, and the classes of the repair fill the directories. That
//! is done only where every other record that is in use can be read: else nobody knows which clusters belong to it, and
//! an entry that is lost may be the last trace of it.
//!
//! What it needs of clusters is written before the record that leads there, each with a flush behind it.

use std::collections::BTreeMap;
use std::sync::Arc;

use polylink_core::Silent;
use polylink_nt::upcase::UpcaseTable;
use zerocopy::IntoBytes as _;

use super::start::{UPCASE_LEN, flush, judge, offset_in, open, put_record, read_record};
use super::{Step, StepKind};
use crate::check::{Options, check};
use crate::device::Device;
use crate::error::{NotWritable, Result};
use crate::file::FileName;
use crate::fixup;
use crate::geometry::Geometry;
use crate::layout::attribute::AttributeKind;
use crate::layout::record::RecordFlags;
use crate::layout::value::VolumeInformation;
use crate::record::{Body, Record};
use crate::runs::{Extent, RunList};
use crate::units::{FileReference, Lcn, RecordNumber, Vcn};
use crate::volume::{Volume, VolumeFlags};
use crate::write::{Anew, Content, WriteOptions, headed, is_quiet, new_system_record, write_bytes};

/// In the order in which they need each other.
const ONLY: [(RecordNumber, &str); 5] = [
    (RecordNumber::VOLUME, "$Volume"),
    (RecordNumber::BITMAP, "$Bitmap"),
    (RecordNumber::UPCASE, "$UpCase"),
    (RecordNumber::ROOT, "."),
    (RecordNumber::EXTEND, "$Extend"),
];

/// Where in `$STANDARD_INFORMATION` the number of the security descriptor is.
const SECURITY: std::ops::Range<usize> = 52..56;

/// Makes the records anew that cannot be right and of which there is no copy.
pub(super) fn records(
    device: &Arc<dyn Device>,
    options: &WriteOptions,
    report: &mut dyn FnMut(Step),
) -> Result<()> {
    let volume = open(device)?;
    let Some(geometry) = volume.geometry().copied() else {
        return Ok(());
    };
    let mut wrong: BTreeMap<RecordNumber, (&'static str, Vec<u8>)> = BTreeMap::new();
    for (number, name) in ONLY {
        let place = offset_in(&geometry, geometry.mft.0, number);
        let mut raw = read_record(device, &geometry, place)?;
        let judged = judge(&raw, number, &geometry)
            .and_then(|()| is_called(&raw, number, name))
            .and_then(|()| leads_to_letters(&volume, number));
        let Err(reason) = judged else { continue };
        let mut held = vec![0; raw.len()];
        let table = volume.table();
        if table.read_bytes(&**device, number, &mut held).is_err() || held != raw {
            // the table begins with a piece that is shorter
            return Ok(());
        }
        if let Some((mut record, fields)) = headed(number, &raw) {
            fixup::protect(&mut record);
            if judge(&record, number, &geometry).is_ok() {
                is_quiet(&volume, options)?;
                put_record(device, &geometry, number, &record)?;
                report(Step::new(
                    StepKind::CorrectRecord,
                    number,
                    fields.join(", "),
                    reason,
                    "as the rest of the record says",
                ));
                continue;
            }
        }
        // what can be read of it may serve
        if fixup::undo(&mut raw, *b"FILE").is_err() {
            raw.clear();
        }
        wrong.insert(number, (reason, raw));
    }
    if wrong.is_empty() {
        return Ok(());
    }
    // directories would be put into an order that is none
    let no_table = |reason: &str| -> Result<()> {
        if leads_to_letters(&volume, RecordNumber::UPCASE).is_ok() {
            return Ok(());
        }
        let reason = format!("$UpCase ({reason}) cannot be read, nor be made anew");
        Err(NotWritable::Damaged { reason }.into())
    };
    let Some(survey) = Survey::of(&volume, &geometry, &|number| wrong.contains_key(&number))? else {
        return match wrong.get(&RecordNumber::UPCASE) {
            Some((reason, _)) => no_table(reason),
            None => Ok(()),
        };
    };
    is_quiet(&volume, options)?;
    let mut maker = Maker {
        device,
        geometry,
        survey,
        root_lasts: !wrong.contains_key(&RecordNumber::ROOT),
        bitmap_lasts: !wrong.contains_key(&RecordNumber::BITMAP),
    };
    for (number, name) in ONLY {
        let Some((reason, raw)) = wrong.get(&number) else {
            continue;
        };
        if maker.make(number, name, raw)? {
            let what = format!("the record of {name}");
            report(Step::new(
                StepKind::RebuildRecord,
                number,
                what,
                *reason,
                "made anew",
            ));
        } else if number == RecordNumber::UPCASE {
            no_table(reason)?;
        }
    }
    Ok(())
}

/// Whether a record has the name that belongs to it, in the root; else why not.
fn is_called(raw: &[u8], number: RecordNumber, name: &str) -> std::result::Result<(), &'static str> {
    let mut bytes = raw.to_vec();
    fixup::undo(&mut bytes, *b"FILE").map_err(|_| "damaged")?;
    let record = Record::parsed(number, &bytes).map_err(|_| "damaged")?;
    let mut names = Vec::new();
    for attribute in record.attributes().flatten() {
        match attribute.kind() {
            // it may be elsewhere
            AttributeKind::ATTRIBUTE_LIST => return Ok(()),
            AttributeKind::FILE_NAME => names.extend(attribute.resident().map(FileName::parse)),
            _ => {}
        }
    }
    let is_own = names.iter().flatten().any(|found| {
        found.parent.record() == RecordNumber::ROOT && String::from_utf16_lossy(&found.name) == name
    });
    if is_own { Ok(()) } else { Err("without its name") }
}

/// Whether `$UpCase` leads to a table in which the letters of ASCII, and nothing else there, have upper cases; else why not.
///
/// By another table every directory would be in another order.
fn leads_to_letters(volume: &Volume, number: RecordNumber) -> std::result::Result<(), &'static str> {
    if number != RecordNumber::UPCASE {
        return Ok(());
    }
    let table = volume
        .read_upcase()
        .map_err(|_| "with a table that cannot be read")?;
    let windows = UpcaseTable::windows();
    if (0..0x80).all(|unit| table.upcase(unit) == windows.upcase(unit)) {
        Ok(())
    } else {
        Err("with a table that is none of upper cases")
    }
}

/// What all other records say.
struct Survey {
    /// A bit for each cluster that something lies in.
    claimed: Vec<u64>,
    /// By which sequence numbers files know their directory, and how many of them.
    known: BTreeMap<RecordNumber, BTreeMap<u16, u64>>,
    /// Which security descriptors files in the root have.
    security: BTreeMap<[u8; 4], u64>,
    /// What the first of the volume's own files says of itself.
    information: Vec<u8>,
    /// `$Secure` and `$Extend` are there, which came with NTFS 3.0.
    version3: bool,
}

impl Survey {
    /// `None` where not every record can be read.
    fn of(
        volume: &Volume,
        geometry: &Geometry,
        is_wrong: &dyn Fn(RecordNumber) -> bool,
    ) -> Result<Option<Self>> {
        let words = usize::try_from(geometry.clusters.div_ceil(64)).unwrap_or(0);
        let mut survey = Self {
            claimed: vec![0; words],
            known: BTreeMap::new(),
            security: BTreeMap::new(),
            information: Vec::new(),
            version3: false,
        };
        let Ok(bits) = record_bits(volume) else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        for number in (0..volume.records()).map(RecordNumber) {
            if is_wrong(number) {
                continue;
            }
            volume.read_record(number, &mut bytes)?;
            let in_use = bytes.get(0x16).is_some_and(|flags| flags & 1 != 0);
            if !bytes.starts_with(b"FILE") {
                if !is_set(&bits, number.0) {
                    continue;
                }
                return Ok(None);
            }
            if !in_use && !is_set(&bits, number.0) {
                continue;
            }
            let Ok(record) = Record::parse(number, &mut bytes) else {
                return Ok(None);
            };
            if !record.is_in_use() {
                // it is marked as used: whatever it was, its clusters are not given away here
                survey.spare(&record, geometry);
            } else if survey.take(&record, geometry, is_wrong).is_none() {
                return Ok(None);
            }
        }
        Ok(Some(survey))
    }

    fn take(
        &mut self,
        record: &Record<'_>,
        geometry: &Geometry,
        is_wrong: &dyn Fn(RecordNumber) -> bool,
    ) -> Option<()> {
        // what lies outside of a record that is lost cannot be put together again
        if record.base().is_some_and(|base| is_wrong(base.record())) {
            return None;
        }
        let (mut in_root, mut information) = (false, None);
        for attribute in record.attributes() {
            let attribute = attribute.ok()?;
            match attribute.body() {
                Body::NonResident(part) => {
                    self.claim_runs(&part.decode(geometry.clusters).ok()?);
                }
                Body::Resident { value, .. } if attribute.kind() == AttributeKind::FILE_NAME => {
                    let parent = FileName::parse(value).ok()?.parent;
                    in_root |= parent.record() == RecordNumber::ROOT;
                    let known = self.known.entry(parent.record()).or_default();
                    let count = known.entry(parent.sequence()).or_default();
                    *count = count.saturating_add(1);
                }
                Body::Resident { value, .. } if attribute.kind() == AttributeKind::STANDARD_INFORMATION => {
                    information = Some(value);
                }
                Body::Resident { .. } => {}
            }
        }
        if let Some(information) = information {
            let own = record.number() < RecordNumber::FIRST_SPARE;
            if own && self.information.is_empty() {
                self.information = information.to_vec();
            }
            if let Some(id) = information.get(SECURITY).and_then(|id| id.first_chunk())
                && in_root
                && !own
            {
                let count = self.security.entry(*id).or_default();
                *count = count.saturating_add(1);
            }
        }
        self.version3 |=
            record.number() == RecordNumber::SECURE && record.flags().contains(RecordFlags::VIEW_INDEX);
        Some(())
    }

    /// Claims the clusters of a record that is not in use, as far as they can be read.
    fn spare(&mut self, record: &Record<'_>, geometry: &Geometry) {
        for attribute in record.attributes().flatten() {
            if let Body::NonResident(part) = attribute.body()
                && let Ok(runs) = part.decode(geometry.clusters)
            {
                self.claim_runs(&runs);
            }
        }
    }

    fn claim_runs(&mut self, runs: &RunList) {
        for extent in runs.extents() {
            if let Some(lcn) = extent.lcn {
                self.claim(lcn.0, extent.len);
            }
        }
    }

    fn claim(&mut self, first: u64, count: u64) {
        for cluster in first..first.saturating_add(count) {
            let word = usize::try_from(cluster / 64).ok();
            if let Some(word) = word.and_then(|at| self.claimed.get_mut(at)) {
                *word |= 1 << (cluster % 64);
            }
        }
    }

    fn is_claimed(&self, cluster: u64) -> bool {
        let word = usize::try_from(cluster / 64).ok();
        word.and_then(|at| self.claimed.get(at))
            .is_none_or(|word| word >> (cluster % 64) & 1 != 0)
    }

    /// The reference that most files know a directory by; `None` where none knows it.
    fn reference(&self, number: RecordNumber) -> Option<FileReference> {
        let known = self.known.get(&number)?;
        let (sequence, _) = known.iter().max_by_key(|(_, count)| **count)?;
        Some(FileReference::new(number, *sequence))
    }
}

fn is_set(bits: &[u8], at: u64) -> bool {
    let byte = usize::try_from(at / 8).ok().and_then(|byte| bits.get(byte));
    byte.is_some_and(|byte| byte >> (at % 8) & 1 != 0)
}

fn record_bits(volume: &Volume) -> Result<Vec<u8>> {
    bits_of(volume, RecordNumber::MFT, AttributeKind::BITMAP)
}

fn bits_of(volume: &Volume, number: RecordNumber, kind: AttributeKind) -> Result<Vec<u8>> {
    let stream = volume.file(number)?.stream(volume, kind, &[])?;
    stream.map_or(Ok(Vec::new()), |stream| volume.read_all(&stream))
}

/// Makes one record after the other.
struct Maker<'d> {
    device: &'d Arc<dyn Device>,
    geometry: Geometry,
    survey: Survey,
    /// The record of the root is as it was.
    root_lasts: bool,
    /// That of `$Bitmap` is.
    bitmap_lasts: bool,
}

impl Maker<'_> {
    /// Answers whether the record was made.
    fn make(&mut self, number: RecordNumber, name: &str, raw: &[u8]) -> Result<bool> {
        let own = FileReference::new(number, u16::try_from(number.0).unwrap_or(1).max(1));
        let (kept, mut information) = rest_of(number, raw);
        if information.is_empty() {
            information.clone_from(&self.survey.information);
            let most = self.survey.security.iter().max_by_key(|(_, count)| **count);
            if let Some((id, _)) = most.filter(|_| number == RecordNumber::ROOT)
                && let Some(field) = information.get_mut(SECURITY)
            {
                field.copy_from_slice(id);
            }
        }
        let root = if self.root_lasts {
            open(self.device)?.file(RecordNumber::ROOT)?.reference()
        } else {
            let plain = FileReference::new(RecordNumber::ROOT, 5);
            self.survey.reference(RecordNumber::ROOT).unwrap_or(plain)
        };
        let mut values: Vec<(AttributeKind, Vec<u8>)> = kept;
        let mut anew = Anew {
            file: own,
            parent: root,
            name,
            information: &information,
            values: &[],
            content: Content::Nothing,
        };
        let runs;
        match number {
            RecordNumber::ROOT => {
                anew.file = root;
                anew.content = Content::Directory;
            }
            RecordNumber::EXTEND => {
                // before NTFS 3.0 there is none
                let Some(file) = self.survey.reference(number) else {
                    return Ok(false);
                };
                anew.file = file;
                anew.content = Content::Directory;
            }
            RecordNumber::BITMAP => {
                let size = self.geometry.clusters.div_ceil(8).next_multiple_of(8);
                let Some(found) = self.room(size, &|_| true) else {
                    return Ok(false);
                };
                self.survey.claim_runs(&found);
                self.fill(&found, &self.bitmap(size))?;
                runs = found;
                anew.content = Content::Clusters(&runs, size);
            }
            RecordNumber::UPCASE => {
                let Some(found) = self.upcase()? else {
                    return Ok(false);
                };
                self.survey.claim_runs(&found);
                self.fill(&found, &UpcaseTable::windows().to_bytes())?;
                runs = found;
                anew.content = Content::Clusters(&runs, UPCASE_LEN);
            }
            _ => {
                if !self.survey.version3 {
                    return Ok(false);
                }
                // nobody knows whether it was clean
                let information = VolumeInformation {
                    reserved: 0.into(),
                    major: 3,
                    minor: 1,
                    flags: VolumeFlags::DIRTY.bits().into(),
                };
                let kind = AttributeKind::VOLUME_INFORMATION;
                values.push((kind, information.as_bytes().to_vec()));
            }
        }
        anew.values = &values;
        let Some(record) = new_system_record(&self.geometry, &anew) else {
            return Ok(false);
        };
        put_record(self.device, &self.geometry, number, &record)?;
        self.root_lasts |= number == RecordNumber::ROOT;
        self.bitmap_lasts |= number == RecordNumber::BITMAP;
        Ok(true)
    }

    /// Room for the table of upper cases, where no directory is in another order than by Windows' own.
    fn upcase(&self) -> Result<Option<RunList>> {
        if !self.bitmap_lasts {
            return Ok(None);
        }
        let volume = open(self.device)?;
        volume.compare_as_windows();
        let mut other_order = false;
        check(&volume, &Options::default(), &Silent, &mut |issue| {
            other_order |= ["index-order", "entry-twice"].contains(&issue.kind_name());
        })?;
        let Ok(bits) = bits_of(&volume, RecordNumber::BITMAP, AttributeKind::DATA) else {
            return Ok(None);
        };
        let is_free = |cluster| !is_set(&bits, cluster);
        Ok(self.room(UPCASE_LEN, &is_free).filter(|_| !other_order))
    }

    /// The first row of clusters for so many bytes in which nothing lies.
    fn room(&self, bytes: u64, is_free: &dyn Fn(u64) -> bool) -> Option<RunList> {
        let count = bytes.div_ceil(u64::from(self.geometry.cluster));
        let mut first = 1_u64;
        // the boot sector and its copy are the first and the last
        for cluster in 1..self.geometry.clusters.saturating_sub(1) {
            if self.survey.is_claimed(cluster) || !is_free(cluster) {
                first = cluster.saturating_add(1);
            } else if cluster.saturating_sub(first).saturating_add(1) == count {
                return Some(RunList::from_extents(vec![Extent {
                    vcn: Vcn(0),
                    lcn: Some(Lcn(first)),
                    len: count,
                }]));
            }
        }
        None
    }

    /// The bits of all clusters; what is behind the last one counts as used.
    fn bitmap(&self, size: u64) -> Vec<u8> {
        let mut bits: Vec<u8> = self
            .survey
            .claimed
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect();
        bits.resize(usize::try_from(size).unwrap_or(0), 0);
        for cluster in self.geometry.clusters..size.saturating_mul(8) {
            let byte = usize::try_from(cluster / 8).ok();
            if let Some(byte) = byte.and_then(|at| bits.get_mut(at)) {
                *byte |= 1 << (cluster % 8);
            }
        }
        bits
    }

    /// Writes what lies in clusters, with zeros up to the end of the last one.
    fn fill(&self, runs: &RunList, bytes: &[u8]) -> Result<()> {
        let cluster = usize::try_from(self.geometry.cluster).unwrap_or(1);
        let mut bytes = bytes.to_vec();
        bytes.resize(bytes.len().next_multiple_of(cluster), 0);
        if let Some(lcn) = runs.extents().first().and_then(|extent| extent.lcn) {
            let place = lcn.0.saturating_mul(u64::from(self.geometry.cluster));
            write_bytes(&**self.device, place, &bytes)?;
        }
        flush(self.device)
    }
}

/// What can be read of a record that is lost, and is as good as it was: values that lie in it, and its
/// `$STANDARD_INFORMATION`.
fn rest_of(number: RecordNumber, raw: &[u8]) -> (Vec<(AttributeKind, Vec<u8>)>, Vec<u8>) {
    const KEPT: [AttributeKind; 3] = [
        AttributeKind::OBJECT_ID,
        AttributeKind::SECURITY_DESCRIPTOR,
        AttributeKind::VOLUME_NAME,
    ];
    const OLD: usize = 48;
    const NEW: usize = 72;
    let (mut values, mut information) = (Vec::new(), Vec::new());
    let Ok(record) = Record::parsed(number, raw) else {
        return (values, information);
    };
    for attribute in record.attributes() {
        let Ok(attribute) = attribute else { break };
        let Some(value) = attribute.resident().filter(|_| attribute.name_bytes().is_empty()) else {
            continue;
        };
        let kind = attribute.kind();
        if kind == AttributeKind::STANDARD_INFORMATION && [OLD, NEW].contains(&value.len()) {
            information = value.to_vec();
        } else if KEPT.contains(&kind) && !values.iter().any(|(other, _)| *other == kind) {
            values.push((kind, value.to_vec()));
        }
    }
    (values, information)
}
