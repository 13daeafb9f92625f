//! What is mended before the volume can be opened to be written: its boot sectors, and the first records of the table,
//! of each of which there is a copy.

use std::mem::offset_of;
use std::sync::Arc;

use zerocopy::FromBytes as _;

use super::{Step, StepKind};
use crate::device::Device;
use crate::error::{Error, NotWritable, Result};
use crate::fixup;
use crate::geometry::Geometry;
use crate::layout::attribute::AttributeKind;
use crate::layout::boot::BootSector;
use crate::layout::read_bytes;
use crate::layout::record::RecordHeader;
use crate::layout::value::VolumeInformation;
use crate::record::{Body, Record};
use crate::runs::RunList;
use crate::units::RecordNumber;
use crate::volume::{Note, OpenOptions, Volume};
use crate::write::{WriteOptions, may_be_mended, write_bytes};

/// `$MFTMirr` has at least so many records.
const MIRRORED: u64 = 4;

/// Bytes of the table of upper cases.
pub(super) const UPCASE_LEN: u64 = 0x2_0000;
/// The versions of NTFS that are written.
const VERSIONS: [(u8, u8); 3] = [(1, 2), (3, 0), (3, 1)];

/// Mends what is in the way of opening the volume.
///
/// # Errors
///
/// [`crate::NotWritable`] where it must not be written at all; as the device says.
pub(super) fn start(
    device: &Arc<dyn Device>,
    options: &WriteOptions,
    report: &mut dyn FnMut(Step),
) -> Result<()> {
    let volume = open(device)?;
    let Some(geometry) = volume.geometry().copied() else {
        return Ok(());
    };
    match may_be_mended(&volume, options) {
        Err(Error::NotWritable(NotWritable::Version { .. } | NotWritable::Flags { .. }))
            if has_better_copy(device, &geometry)? => {}
        permitted => permitted?,
    }
    for note in volume.notes() {
        match note {
            Note::BackupBootSector { reason } => boot_from_copy(device, &geometry, reason, report)?,
            Note::MirrorRecord { reason } => {
                let copy = copy_of(device, &geometry, RecordNumber::MFT)?;
                put_record(device, &geometry, RecordNumber::MFT, &copy)?;
                report(first_record(RecordNumber::MFT, reason));
            }
            _ => {}
        }
    }
    first_records(device, &geometry, report)?;
    boot_sectors(device, report)?;
    super::anew::records(device, options, report)
}

pub(super) fn open(device: &Arc<dyn Device>) -> Result<Volume> {
    Volume::open(Box::new(Arc::clone(device)), &OpenOptions::default())
}

pub(super) fn flush(device: &Arc<dyn Device>) -> Result<()> {
    device.flush().map_err(|source| Error::Device {
        action: "flush",
        offset: 0,
        len: device.size(),
        source,
    })
}

/// The bytes of a boot sector as it stands somewhere; `None` where there is nothing that has NTFS' name.
fn boot_at(device: &Arc<dyn Device>, offset: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0; size_of::<BootSector>()];
    read_bytes(&**device, offset, &mut bytes).ok()?;
    let (boot, _) = BootSector::read_from_prefix(&bytes).ok()?;
    (boot.oem_id == *b"NTFS    ").then_some(bytes)
}

/// What a boot sector says, if it can be used.
fn geometry_of(bytes: &[u8]) -> Option<Geometry> {
    let (boot, _) = BootSector::read_from_prefix(bytes).ok()?;
    Geometry::of(&boot)
        .ok()
        .filter(|_| boot.signature.get() == 0xAA55)
}

/// The copy of the boot sector and where it is: behind the volume, which is nearly always the device's last sector.
fn boot_copy(device: &Arc<dyn Device>, geometry: &Geometry) -> Option<(u64, Vec<u8>)> {
    let last = device.size().checked_sub(u64::from(geometry.sector));
    let mut places = [Some(geometry.size), last].into_iter().flatten();
    places.find_map(|place| Some((place, boot_at(device, place)?)))
}

fn boot_from_copy(
    device: &Arc<dyn Device>,
    geometry: &Geometry,
    reason: &str,
    report: &mut dyn FnMut(Step),
) -> Result<()> {
    let copy = boot_copy(device, geometry).filter(|(_, copy)| geometry_of(copy).as_ref() == Some(geometry));
    if let Some((_, bytes)) = copy {
        write_bytes(&**device, 0, &bytes)?;
        flush(device)?;
        let what = "the first boot sector".to_owned();
        report(Step::volume(StepKind::CopyBoot, what, reason, "as its copy"));
    }
    Ok(())
}

/// Makes both boot sectors the same, and lets them lead to where `$MFTMirr` is.
fn boot_sectors(device: &Arc<dyn Device>, report: &mut dyn FnMut(Step)) -> Result<()> {
    let volume = open(device)?;
    let Some(geometry) = volume.geometry().copied() else {
        return Ok(());
    };
    let Some(first) = boot_at(device, 0).filter(|first| geometry_of(first).is_some()) else {
        return Ok(());
    };
    let copy = boot_copy(device, &geometry);
    // the one that says it ends where the copy is, where only one does
    let ends = |bytes: &[u8], place: u64| geometry_of(bytes).is_some_and(|found| found.size == place);
    let mut right = match &copy {
        Some((place, copy)) if ends(copy, *place) && !ends(&first, *place) => copy.clone(),
        _ => first.clone(),
    };
    if let Some(place) = mirror_place(&volume) {
        let at = offset_of!(BootSector, mft_mirror_lcn);
        if let Some(field) = right.get_mut(at..at.saturating_add(8)) {
            field.copy_from_slice(&place.to_le_bytes());
        }
    }
    let mut put = |offset: u64, old: &[u8], called: &str| -> Result<()> {
        if old == right {
            return Ok(());
        }
        let differs = old.iter().zip(&right).position(|(old, right)| old != right);
        let differs = differs.unwrap_or(0);
        let byte = |bytes: &[u8]| {
            format!(
                "{:#04x} at byte {differs}",
                bytes.get(differs).copied().unwrap_or(0)
            )
        };
        let (before, after) = (byte(old), byte(&right));
        write_bytes(&**device, offset, &right)?;
        flush(device)?;
        report(Step::volume(
            StepKind::CopyBoot,
            called.to_owned(),
            &before,
            &after,
        ));
        Ok(())
    };
    // one after the other, so that one of them is always sound
    put(0, &first, "the first boot sector")?;
    if let Some((place, copy)) = copy {
        put(place, &copy, "the copy of the boot sector")?;
    }
    Ok(())
}

/// Where `$MFTMirr` begins, by its own runs.
fn mirror_place(volume: &Volume) -> Option<u64> {
    let file = volume.file(RecordNumber::MFT_MIRROR).ok()?;
    let stream = file.stream(volume, AttributeKind::DATA, &[]).ok()??;
    Some(stream.runs()?.extents().first()?.lcn?.0)
}

pub(super) fn offset_in(geometry: &Geometry, begin: u64, number: RecordNumber) -> u64 {
    let inside = number.0.saturating_mul(u64::from(geometry.record));
    begin
        .saturating_mul(u64::from(geometry.cluster))
        .saturating_add(inside)
}

pub(super) fn read_record(device: &Arc<dyn Device>, geometry: &Geometry, offset: u64) -> Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(geometry.record).unwrap_or(0)];
    read_bytes(&**device, offset, &mut bytes)?;
    Ok(bytes)
}

/// The copy of one of the first records, as it lies on the device.
fn copy_of(device: &Arc<dyn Device>, geometry: &Geometry, number: RecordNumber) -> Result<Vec<u8>> {
    // where the boot sector is wrong about it, the record of $MFTMirr is not
    let begin = match number {
        RecordNumber::MFT => geometry.mft_mirror.0,
        _ => mirror_place(&open(device)?).unwrap_or(geometry.mft_mirror.0),
    };
    read_record(device, geometry, offset_in(geometry, begin, number))
}

pub(super) fn put_record(
    device: &Arc<dyn Device>,
    geometry: &Geometry,
    number: RecordNumber,
    bytes: &[u8],
) -> Result<()> {
    write_bytes(&**device, offset_in(geometry, geometry.mft.0, number), bytes)?;
    flush(device)
}

fn first_record(number: RecordNumber, reason: &str) -> Step {
    let what = "the record".to_owned();
    Step::new(
        StepKind::CopyRecord,
        number,
        what,
        reason,
        "as its copy in $MFTMirr",
    )
}

/// Whether the record of `$Volume` cannot be right, and its copy can.
fn has_better_copy(device: &Arc<dyn Device>, geometry: &Geometry) -> Result<bool> {
    let number = RecordNumber::VOLUME;
    let bytes = read_record(device, geometry, offset_in(geometry, geometry.mft.0, number))?;
    let copy = copy_of(device, geometry, number)?;
    Ok(judge(&bytes, number, geometry).is_err() && judge(&copy, number, geometry).is_ok())
}

/// Puts the copy of a first record in its place, where that cannot be right and the copy can.
fn first_records(device: &Arc<dyn Device>, geometry: &Geometry, report: &mut dyn FnMut(Step)) -> Result<()> {
    for number in (0..MIRRORED).map(RecordNumber) {
        let bytes = read_record(device, geometry, offset_in(geometry, geometry.mft.0, number))?;
        let reason = match judge(&bytes, number, geometry) {
            Err(reason) => reason,
            Ok(()) if number == RecordNumber::MFT && leads_astray(device, geometry, &bytes)? => {
                "with a table that is elsewhere"
            }
            Ok(()) => continue,
        };
        let Ok(copy) = copy_of(device, geometry, number) else {
            continue;
        };
        if judge(&copy, number, geometry).is_ok() {
            put_record(device, geometry, number, &copy)?;
            report(first_record(number, reason));
        }
    }
    Ok(())
}

/// Whether the copy of the table's own record leads to records where this one does not.
fn leads_astray(device: &Arc<dyn Device>, geometry: &Geometry, first: &[u8]) -> Result<bool> {
    let Ok(copy) = copy_of(device, geometry, RecordNumber::MFT) else {
        return Ok(false);
    };
    let (Some(here), Some(there)) = (table_of(first, geometry), table_of(&copy, geometry)) else {
        return Ok(false);
    };
    if here == there {
        return Ok(false);
    }
    Ok(records_in(device, geometry, &here)? < records_in(device, geometry, &there)?)
}

/// The runs of the table, as far as its first record has them.
fn table_of(record: &[u8], geometry: &Geometry) -> Option<RunList> {
    judge(record, RecordNumber::MFT, geometry).ok()?;
    let mut bytes = record.to_vec();
    fixup::undo(&mut bytes, *b"FILE").ok()?;
    let record = Record::parsed(RecordNumber::MFT, &bytes).ok()?;
    record
        .attributes()
        .flatten()
        .find_map(|attribute| match attribute.body() {
            Body::NonResident(part) if attribute.kind() == AttributeKind::DATA => {
                part.decode(geometry.clusters).ok()
            }
            _ => None,
        })
}

/// How many clusters of a table begin with a record of the number that belongs there.
fn records_in(device: &Arc<dyn Device>, geometry: &Geometry, table: &RunList) -> Result<u64> {
    let mut count = 0_u64;
    let step = u64::from(geometry.record.max(geometry.cluster));
    for extent in table.extents() {
        let Some(lcn) = extent.lcn else { continue };
        let len = extent.len.saturating_mul(u64::from(geometry.cluster));
        let begin = lcn.0.saturating_mul(u64::from(geometry.cluster));
        let first = extent.vcn.0.saturating_mul(u64::from(geometry.cluster));
        let mut at = 0;
        while at < len {
            let mut head = [0; size_of::<RecordHeader>()];
            let place = begin.saturating_add(at);
            if place.saturating_add(step) <= device.size() {
                read_bytes(&**device, place, &mut head)?;
            }
            let number = first.saturating_add(at).checked_div(u64::from(geometry.record));
            if let Ok(header) = RecordHeader::read_from_bytes(&head)
                && header.multi.signature == *b"FILE"
                && Some(u64::from(header.number.get())) == number
            {
                count = count.saturating_add(1);
            }
            at = at.saturating_add(step);
        }
    }
    Ok(count)
}

/// Whether bytes can be one of the first records; else why not.
pub(super) fn judge(
    bytes: &[u8],
    number: RecordNumber,
    geometry: &Geometry,
) -> std::result::Result<(), &'static str> {
    let mut bytes = bytes.to_vec();
    fixup::undo(&mut bytes, *b"FILE").map_err(|_| "damaged")?;
    let record = Record::parsed(number, &bytes).map_err(|_| "damaged")?;
    if !record.is_in_use() {
        return Err("not in use");
    }
    if record.base().is_some() {
        return Err("said to be a part of another file");
    }
    if record.sequence() == 0 {
        return Err("without a sequence number");
    }
    // then what lies elsewhere counts too
    let has_list = record
        .attributes()
        .flatten()
        .any(|attribute| attribute.kind() == AttributeKind::ATTRIBUTE_LIST);
    let mut kinds = Vec::new();
    for attribute in record.attributes() {
        let attribute = attribute.map_err(|_| "damaged")?;
        let is_table = number <= RecordNumber::MFT_MIRROR && attribute.kind() == AttributeKind::DATA;
        if let Body::Resident { .. } = attribute.body()
            && is_table
        {
            return Err("with a table that lies in it");
        }
        let holds_all = [RecordNumber::BITMAP, RecordNumber::UPCASE].contains(&number)
            && attribute.kind() == AttributeKind::DATA
            && attribute.name_bytes().is_empty();
        if let Body::Resident { .. } = attribute.body()
            && holds_all
        {
            return Err("with a value that lies in it");
        }
        if let Body::NonResident(part) = attribute.body() {
            let runs = part
                .decode(geometry.clusters)
                .map_err(|_| "with runs that cannot be")?;
            let room = runs.end().0.saturating_mul(u64::from(geometry.cluster));
            // what else a directory holds may be compressed
            if !attribute.flags().is_empty() && (number.0 < MIRRORED || holds_all) {
                return Err("with a value that is said to be compressed");
            }
            if holds_all && runs.extents().iter().any(|extent| extent.lcn.is_none()) {
                return Err("with a value that has holes");
            }
            let is_whole = part.header.lowest_vcn.get() == 0 && !has_list;
            if number == RecordNumber::UPCASE && holds_all && is_whole && part.header.size.get() != UPCASE_LEN
            {
                return Err("with a table of another length");
            }
            if holds_all && is_whole && part.header.initialized.get() < part.header.size.get() {
                return Err("with a value that was not written");
            }
            if is_whole && part.header.size.get() > room {
                return Err("with a value that is longer than its runs");
            }
        }
        if attribute.kind() == AttributeKind::VOLUME_INFORMATION {
            let information = attribute.resident().map(VolumeInformation::read_from_prefix);
            let Some(Ok((information, _))) = information else {
                return Err("with a version that cannot be");
            };
            if !VERSIONS.contains(&(information.major, information.minor)) {
                return Err("with a version that cannot be");
            }
        }
        kinds.push(attribute.kind());
    }
    let known = AttributeKind::STANDARD_INFORMATION..=AttributeKind::LOGGED_UTILITY_STREAM;
    if !kinds.is_sorted() || kinds.iter().any(|kind| !known.contains(kind)) {
        return Err("with attributes that cannot be");
    }
    for (kind, reason) in [
        (
            AttributeKind::STANDARD_INFORMATION,
            "without $STANDARD_INFORMATION",
        ),
        (AttributeKind::FILE_NAME, "without its name"),
    ] {
        if !kinds.contains(&kind) && !has_list {
            return Err(reason);
        }
    }
    let content = match number {
        RecordNumber::VOLUME => AttributeKind::VOLUME_INFORMATION,
        RecordNumber::ROOT | RecordNumber::EXTEND => AttributeKind::INDEX_ROOT,
        _ => AttributeKind::DATA,
    };
    if !kinds.contains(&content) && (number.0 < MIRRORED || !has_list) {
        return Err("without its content");
    }
    Ok(())
}
