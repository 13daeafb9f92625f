//! The system files: their records, the root directory, and what lies in clusters.

use polylink_nt::upcase::UpcaseTable;
use zerocopy::FromZeros as _;
use zerocopy::IntoBytes as _;

use super::boot;
use super::encode::{self, Draft, Order, RecordFields, Runs, bytes_of, units};
use super::out::Out;
use super::plan::{Area, FormatError, FormatPlan};
use super::security::{self, ADMINISTRATORS, Security};
use crate::device::Device;
use crate::error::Result;
use crate::layout::attribute::AttributeKind;
use crate::layout::record::RecordFlags;
use crate::layout::security::QuotaEntry;
use crate::layout::system::{AttributeDefinition, UpcaseInfo};
use crate::layout::value::{FileName, StandardInformation, StandardInformation3, VolumeInformation};
use crate::units::{FileReference, RecordNumber};

/// Bytes of `$AttrDef`: an entry for each type, and one that ends them.
pub(super) const DEFINITIONS: u64 = 16 * 160;

const DATA: AttributeKind = AttributeKind::DATA;
const INDEX_ROOT: AttributeKind = AttributeKind::INDEX_ROOT;

/// `FILE_ATTRIBUTE_HIDDEN` and `FILE_ATTRIBUTE_SYSTEM`.
const HIDDEN_SYSTEM: u32 = 6;
/// In `$FILE_NAME` only: it is a directory.
const DIRECTORY: u32 = 0x1000_0000;
/// It has an index other than that of file names.
const VIEW: u32 = 0x2000_0000;

/// Names of the volume's own files are 8.3 names; those below `$Extend` are in no namespace.
const WIN32_AND_DOS: u8 = 3;
const POSIX: u8 = 0;

/// The records in which there is a file after a format; the rest of the table is free.
const QUOTA: RecordNumber = RecordNumber(24);
const OBJECT_IDS: RecordNumber = RecordNumber(25);
const REPARSE_POINTS: RecordNumber = RecordNumber(26);
/// In use without names, for versions of NTFS that never came.
const NAMELESS: std::ops::Range<u64> = 12..16;
/// Not in use and not given to files.
const RESERVED: std::ops::Range<u64> = 16..24;

/// What a volume has from its table of upper cases: the Windows that it is from, and its checksum.
const UPCASE_BUILD: (u32, u32, u32) = (10, 0, 19041);
const UPCASE_CRC: u64 = 0xDADC_7E77_6B1B_690C;

/// One file of the volume's own.
#[derive(Debug)]
struct SystemFile {
    number: RecordNumber,
    name: &'static str,
    parent: RecordNumber,
    security: Security,
    /// Where its content lies; `None` for files without a value in clusters.
    content: Option<Area>,
    flags: RecordFlags,
}

/// The reference to one of the first records: those below 24 have their own number as sequence number, but 1 for 0.
fn reference(number: RecordNumber) -> FileReference {
    let sequence = match number {
        RecordNumber(0) => 1,
        RecordNumber(number @ 1..24) => u16::try_from(number).unwrap_or(1),
        _ => 1,
    };
    FileReference::new(number, sequence)
}

impl SystemFile {
    fn attributes(&self) -> u32 {
        let is_view = self.flags.contains(RecordFlags::VIEW_INDEX);
        HIDDEN_SYSTEM | if is_view { VIEW } else { 0 }
    }

    /// Its `$FILE_NAME`, which is the key of its entry too.
    fn key(&self, plan: &FormatPlan) -> Vec<u8> {
        let time = plan.options.time;
        let is_directory = self.flags.contains(RecordFlags::DIRECTORY);
        let cluster = u64::from(plan.geometry().cluster);
        let name = units(self.name);
        let fixed = FileName {
            parent: reference(self.parent).0.into(),
            created: time.into(),
            modified: time.into(),
            changed: time.into(),
            accessed: time.into(),
            allocated: self
                .content
                .map_or(0, |area| area.clusters.saturating_mul(cluster))
                .into(),
            size: self.content.map_or(0, |area| area.size).into(),
            attributes: (self.attributes() | if is_directory { DIRECTORY } else { 0 }).into(),
            ea_or_tag: 0.into(),
            // names of system files are short
            name_len: u8::try_from(name.len()).unwrap_or(u8::MAX),
            namespace: if self.parent == RecordNumber::EXTEND {
                POSIX
            } else {
                WIN32_AND_DOS
            },
        };
        [fixed.as_bytes(), &bytes_of(&name)].concat()
    }

    fn entry(&self, plan: &FormatPlan) -> Result<Vec<u8>, FormatError> {
        encode::directory_entry(reference(self.number), &self.key(plan))
    }

    /// Its record, with these attributes behind times and name.
    fn record(&self, plan: &FormatPlan, values: Vec<Draft>) -> Result<Vec<u8>, FormatError> {
        let mut drafts = vec![
            standard_information(plan, self.attributes(), self.security)?,
            Draft::resident(AttributeKind::FILE_NAME, "", &self.key(plan))?,
        ];
        drafts.extend(values);
        let fields = RecordFields {
            reference: reference(self.number),
            flags: self.flags | RecordFlags::IN_USE,
            links: 1,
            size: plan.geometry().record,
        };
        encode::record(fields, drafts)
    }
}

fn standard_information(
    plan: &FormatPlan,
    attributes: u32,
    security: Security,
) -> Result<Draft, FormatError> {
    let time = plan.options.time;
    let old = StandardInformation {
        created: time.into(),
        modified: time.into(),
        changed: time.into(),
        accessed: time.into(),
        attributes: attributes.into(),
        max_versions: 0.into(),
        version: 0.into(),
        class_id: 0.into(),
    };
    let new = StandardInformation3 {
        owner_id: 0.into(),
        security_id: security.id().into(),
        quota: 0.into(),
        usn: 0.into(),
    };
    let value = [old.as_bytes(), new.as_bytes()].concat();
    Draft::resident(AttributeKind::STANDARD_INFORMATION, "", &value)
}

impl FormatPlan {
    /// Makes the volume on a device of the size that was planned for.
    ///
    /// # Errors
    ///
    /// As the device says; then the device holds no volume.
    pub fn write(&self, device: &dyn Device) -> Result<()> {
        let out = Out {
            device,
            zeroed: self.options.zeroed,
        };
        let geometry = self.geometry();
        let (start, size) = (0, device.size());
        if !out.zeroed {
            // whatever another file system would be known by lies in the first or in the last of them
            const EDGE: u64 = 1 << 20;
            let edge = EDGE.min(size);
            out.zeros(start, edge)?;
            out.zeros(size.saturating_sub(edge), edge)?;
            out.flush()?;
        }
        self.write_values(&out)?;
        self.write_table(&out)?;
        if !out.zeroed {
            out.flush()?;
        }
        let boot = self.boot_sector();
        out.write(geometry.size, boot.as_bytes())?;
        out.write(start, boot.as_bytes())?;
        if !out.zeroed {
            out.flush()?;
        }
        Ok(())
    }

    fn boot_sector(&self) -> crate::layout::boot::BootSector {
        let geometry = self.geometry();
        boot::sector(&boot::Figures {
            sector: geometry.sector,
            cluster: geometry.cluster,
            record: geometry.record,
            sectors: geometry.size.checked_div(u64::from(geometry.sector)).unwrap_or(0),
            table: geometry.mft.0,
            mirror: geometry.mft_mirror.0,
            serial: geometry.serial,
        })
    }

    fn offset_of(&self, area: Area) -> u64 {
        area.first.saturating_mul(u64::from(self.geometry().cluster))
    }

    /// Everything that lies in clusters, but for the table and its copy.
    fn write_values(&self, out: &Out<'_>) -> Result<()> {
        let areas = &self.areas;
        out.write(self.offset_of(areas.definitions), &definitions())?;
        out.write(self.offset_of(areas.upcase), &UpcaseTable::windows().to_bytes())?;
        let entries = self
            .root_files()
            .iter()
            .map(|file| file.entry(self))
            .collect::<Result<Vec<_>, _>>()?;
        out.write(self.offset_of(areas.root), &encode::index_block(&entries)?)?;

        let secure = security::secure();
        let descriptors = self.offset_of(areas.descriptors);
        let copy = descriptors.saturating_add(security::SDS_COPY);
        out.zeros(descriptors, areas.descriptors.size)?;
        out.write(descriptors, &secure.descriptors)?;
        out.write(copy, &secure.descriptors)?;

        let records = self.record_bitmap();
        out.write(self.offset_of(areas.record_bitmap), &records)?;
        let log = areas.log;
        out.fill(self.offset_of(log), log.size, 0xFF)?;
        self.write_bitmap(out)
    }

    /// Which records are in use.
    fn record_bitmap(&self) -> Vec<u8> {
        let count = usize::try_from(self.areas.record_bitmap.size).unwrap_or(0);
        let mut bits = vec![0_u8; count];
        let used = (0..NAMELESS.end).chain([QUOTA, OBJECT_IDS, REPARSE_POINTS].map(|record| record.0));
        for record in used {
            let byte = usize::try_from(record / 8).ok().and_then(|at| bits.get_mut(at));
            if let Some(byte) = byte {
                *byte |= 1_u8 << (record % 8);
            }
        }
        bits
    }

    /// Which clusters are in use: the first ones, and those that are not there.
    fn write_bitmap(&self, out: &Out<'_>) -> Result<()> {
        let area = self.areas.bitmap;
        let (used, clusters) = (self.clusters_used(), self.geometry().clusters);
        let word = |index: u64| {
            let first = index.saturating_mul(64);
            let word = below(used.saturating_sub(first)) | !below(clusters.saturating_sub(first));
            word.to_le_bytes()
        };
        let words = area.size / 8;
        let head = used.div_ceil(64).min(words);
        let bytes: Vec<u8> = (0..head).flat_map(word).collect();
        let offset = self.offset_of(area);
        out.write(offset, &bytes)?;
        if head < words {
            let last = words.saturating_sub(1);
            let (from, to) = (head.saturating_mul(8), last.saturating_mul(8));
            out.zeros(offset.saturating_add(from), to.saturating_sub(from))?;
            out.write(offset.saturating_add(to), &word(last))?;
        }
        Ok(())
    }

    /// The table and the copy of its first records.
    fn write_table(&self, out: &Out<'_>) -> Result<()> {
        let mut table = self.records_in_use()?.concat();
        let used = u64::try_from(table.len()).unwrap_or(u64::MAX);
        let size = u64::from(self.geometry().record);
        let next = used.checked_div(size).unwrap_or(0);
        for number in next..self.records() {
            table.extend(self.free(RecordNumber(number))?);
        }
        let mirrored = usize::try_from(self.areas.mirror.size).unwrap_or(usize::MAX);
        let copies = table.get(..mirrored).ok_or(FormatError::Misfit)?;
        out.write(self.offset_of(self.areas.mirror), copies)?;
        out.write(self.offset_of(self.areas.table), &table)
    }

    /// A record for a file to come.
    fn free(&self, number: RecordNumber) -> Result<Vec<u8>, FormatError> {
        let fields = RecordFields {
            reference: reference(number),
            flags: RecordFlags::empty(),
            links: 0,
            size: self.geometry().record,
        };
        encode::record(fields, Vec::new())
    }

    /// A record that is in use and has no name.
    fn nameless(&self, number: RecordNumber) -> Result<Vec<u8>, FormatError> {
        let fields = RecordFields {
            reference: reference(number),
            flags: RecordFlags::IN_USE,
            links: 0,
            size: self.geometry().record,
        };
        let drafts = vec![
            standard_information(self, HIDDEN_SYSTEM, Security::SystemWrite)?,
            Draft::resident(DATA, "", &[])?,
        ];
        encode::record(fields, drafts)
    }

    /// The files in the root directory, in the order of their names.
    fn root_files(&self) -> [SystemFile; 12] {
        let areas = &self.areas;
        let (read, write) = (Security::SystemRead, Security::SystemWrite);
        let in_root = |number, name, security, content, flags| SystemFile {
            number,
            name,
            parent: RecordNumber::ROOT,
            security,
            content,
            flags,
        };
        let plain = |number, name, security, area: Area| {
            in_root(number, name, security, Some(area), RecordFlags::empty())
        };
        let empty = RecordFlags::empty();
        let directory = RecordFlags::DIRECTORY;
        [
            plain(RecordNumber::ATTR_DEF, "$AttrDef", read, areas.definitions),
            in_root(RecordNumber::BAD_CLUSTERS, "$BadClus", read, None, empty),
            plain(RecordNumber::BITMAP, "$Bitmap", read, areas.bitmap),
            plain(RecordNumber::BOOT, "$Boot", read, areas.boot),
            in_root(RecordNumber::EXTEND, "$Extend", write, None, directory),
            plain(RecordNumber::LOG_FILE, "$LogFile", read, areas.log),
            plain(RecordNumber::MFT, "$MFT", read, areas.table),
            plain(RecordNumber::MFT_MIRROR, "$MFTMirr", read, areas.mirror),
            in_root(
                RecordNumber::SECURE,
                "$Secure",
                write,
                None,
                RecordFlags::VIEW_INDEX,
            ),
            plain(RecordNumber::UPCASE, "$UpCase", read, areas.upcase),
            in_root(RecordNumber::VOLUME, "$Volume", write, None, empty),
            in_root(RecordNumber::ROOT, ".", Security::Everyone, None, directory),
        ]
    }

    /// The files in `$Extend`, in the order of their names.
    fn extend_files() -> [SystemFile; 3] {
        let file = |number, name| SystemFile {
            number,
            name,
            parent: RecordNumber::EXTEND,
            security: Security::SystemWrite,
            content: None,
            flags: RecordFlags::EXTEND | RecordFlags::VIEW_INDEX,
        };
        [
            file(OBJECT_IDS, "$ObjId"),
            file(QUOTA, "$Quota"),
            file(REPARSE_POINTS, "$Reparse"),
        ]
    }

    /// The records up to the last that is in use, from the first on.
    fn records_in_use(&self) -> Result<Vec<Vec<u8>>, FormatError> {
        let named = self.root_files().into_iter().chain(Self::extend_files());
        let mut all: Vec<(RecordNumber, Vec<u8>)> = named
            .map(|file| Ok((file.number, file.record(self, self.values(&file)?)?)))
            .collect::<Result<_, FormatError>>()?;
        for number in NAMELESS.map(RecordNumber) {
            all.push((number, self.nameless(number)?));
        }
        for number in RESERVED.map(RecordNumber) {
            all.push((number, self.free(number)?));
        }
        all.sort_by_key(|(number, _)| *number);
        Ok(all.into_iter().map(|(_, record)| record).collect())
    }

    /// What a file has behind times and name, in the order of the record.
    fn values(&self, file: &SystemFile) -> Result<Vec<Draft>, FormatError> {
        let cluster = self.geometry().cluster;
        let areas = &self.areas;
        let stored =
            |kind, name, area: Area| Draft::in_clusters(kind, name, Runs::At(area), area.size, cluster);
        let index = |name, order, entries: &[Vec<u8>]| {
            let value = encode::index_root(order, entries, None, cluster)?;
            Draft::resident(INDEX_ROOT, name, &value)
        };
        Ok(match file.number {
            RecordNumber::MFT => vec![
                stored(DATA, "", areas.table)?,
                stored(AttributeKind::BITMAP, "", areas.record_bitmap)?,
            ],
            RecordNumber::VOLUME => {
                let information = VolumeInformation {
                    reserved: 0.into(),
                    major: 3,
                    minor: 1,
                    flags: 0.into(),
                };
                vec![
                    Draft::resident(AttributeKind::VOLUME_NAME, "", &bytes_of(&self.options.label))?,
                    Draft::resident(AttributeKind::VOLUME_INFORMATION, "", information.as_bytes())?,
                    Draft::resident(DATA, "", &[])?,
                ]
            }
            RecordNumber::ROOT => {
                let value = encode::index_root(Order::Names, &[], Some(0), cluster)?;
                vec![
                    Draft::resident(INDEX_ROOT, "$I30", &value)?,
                    stored(AttributeKind::INDEX_ALLOCATION, "$I30", areas.root)?,
                    Draft::resident(AttributeKind::BITMAP, "$I30", &1_u64.to_le_bytes())?,
                ]
            }
            RecordNumber::BAD_CLUSTERS => {
                let clusters = self.geometry().clusters;
                let size = clusters.saturating_mul(u64::from(cluster));
                vec![
                    Draft::resident(DATA, "", &[])?,
                    Draft::in_clusters(DATA, "$Bad", Runs::Hole { clusters }, size, cluster)?,
                ]
            }
            RecordNumber::SECURE => {
                let secure = security::secure();
                vec![
                    stored(DATA, "$SDS", areas.descriptors)?,
                    index("$SDH", Order::Hash, &secure.by_hash)?,
                    index("$SII", Order::Number, &secure.by_id)?,
                ]
            }
            RecordNumber::UPCASE => vec![
                stored(DATA, "", areas.upcase)?,
                Draft::resident(DATA, "$Info", upcase_info().as_bytes())?,
            ],
            RecordNumber::EXTEND => {
                let entries = Self::extend_files().map(|file| file.entry(self));
                let entries = entries.into_iter().collect::<Result<Vec<_>, _>>()?;
                vec![index("$I30", Order::Names, &entries)?]
            }
            QUOTA => {
                let quotas = quotas(self.options.time)?;
                vec![
                    index("$O", Order::Sid, &quotas.by_owner)?,
                    index("$Q", Order::Number, &quotas.by_id)?,
                ]
            }
            OBJECT_IDS => vec![index("$O", Order::Numbers, &[])?],
            REPARSE_POINTS => vec![index("$R", Order::Numbers, &[])?],
            _ => match file.content {
                Some(area) => vec![stored(DATA, "", area)?],
                None => Vec::new(),
            },
        })
    }
}

/// The lowest `bits` bits.
fn below(bits: u64) -> u64 {
    match bits {
        64.. => u64::MAX,
        _ => (1_u64 << bits).wrapping_sub(1),
    }
}

fn upcase_info() -> UpcaseInfo {
    let (major, minor, build) = UPCASE_BUILD;
    UpcaseInfo {
        len: u32::try_from(size_of::<UpcaseInfo>()).unwrap_or(0).into(),
        reserved: 0.into(),
        crc: UPCASE_CRC.into(),
        major: major.into(),
        minor: minor.into(),
        build: build.into(),
        pack_major: 0.into(),
        pack_minor: 0.into(),
    }
}

/// What `$Quota` holds.
#[derive(Debug)]
struct Quotas {
    /// The entries of `$O`.
    by_owner: Vec<Vec<u8>>,
    /// The entries of `$Q`.
    by_id: Vec<Vec<u8>>,
}

/// Nobody is charged for anything: the entries for the defaults and for the administrators.
fn quotas(time: u64) -> Result<Quotas, FormatError> {
    const DEFAULTS: u32 = 1;
    const FIRST_OWNER: u32 = 0x100;
    let entry = QuotaEntry {
        version: 2.into(),
        flags: 1.into(),
        used: 0.into(),
        changed: time.into(),
        threshold: u64::MAX.into(),
        limit: u64::MAX.into(),
        exceeded: 0.into(),
    };
    let owned = [entry.as_bytes(), ADMINISTRATORS].concat();
    let by_owner = vec![encode::view_entry(
        ADMINISTRATORS,
        &FIRST_OWNER.to_le_bytes(),
        &[],
    )?];
    let by_id = vec![
        encode::view_entry(&DEFAULTS.to_le_bytes(), entry.as_bytes(), &[])?,
        encode::view_entry(&FIRST_OWNER.to_le_bytes(), &owned, &[])?,
    ];
    Ok(Quotas { by_owner, by_id })
}

/// `$AttrDef`: each kind of attribute with its flags and the least and most bytes of a value, as Windows has them.
fn definitions() -> Vec<u8> {
    const INDEXED: u32 = 2;
    const RESIDENT: u32 = 0x40;
    const LOGGED: u32 = 0x80;
    const ANY: u64 = u64::MAX;
    let rows = [
        (AttributeKind::STANDARD_INFORMATION, RESIDENT, 48, 72),
        (AttributeKind::ATTRIBUTE_LIST, LOGGED, 0, ANY),
        (AttributeKind::FILE_NAME, RESIDENT | INDEXED, 68, 578),
        (AttributeKind::OBJECT_ID, RESIDENT, 0, 256),
        (AttributeKind::SECURITY_DESCRIPTOR, LOGGED, 0, ANY),
        (AttributeKind::VOLUME_NAME, RESIDENT, 2, 256),
        (AttributeKind::VOLUME_INFORMATION, RESIDENT, 12, 12),
        (AttributeKind::DATA, 0, 0, ANY),
        (AttributeKind::INDEX_ROOT, RESIDENT, 0, ANY),
        (AttributeKind::INDEX_ALLOCATION, LOGGED, 0, ANY),
        (AttributeKind::BITMAP, LOGGED, 0, ANY),
        (AttributeKind::REPARSE_POINT, LOGGED, 0, 16_384),
        (AttributeKind::EA_INFORMATION, RESIDENT, 8, 8),
        (AttributeKind::EA, 0, 0, 65_536),
        (AttributeKind::LOGGED_UTILITY_STREAM, LOGGED, 0, 65_536),
    ];
    let mut bytes = Vec::new();
    for (kind, flags, least, most) in rows {
        let mut row = AttributeDefinition::new_zeroed();
        for (place, unit) in row.name.iter_mut().zip(units(kind.name().unwrap_or_default())) {
            *place = unit.into();
        }
        row.kind = kind.0.into();
        row.flags = flags.into();
        row.least = least.into();
        row.most = most.into();
        bytes.extend_from_slice(row.as_bytes());
    }
    bytes.extend_from_slice(AttributeDefinition::new_zeroed().as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::FormatOptions;

    #[test]
    fn the_checksum_is_that_of_the_table_that_is_written() {
        assert_eq!(UPCASE_CRC, UpcaseTable::windows().crc());
    }

    #[test]
    fn the_definitions_are_as_long_as_their_file() {
        assert_eq!(definitions().len() as u64, DEFINITIONS);
    }

    #[test]
    fn entries_are_in_the_order_of_names() {
        let plan = FormatPlan::new(8 << 20, &FormatOptions::default()).unwrap();
        let names = |files: &[SystemFile]| files.iter().map(|file| units(file.name)).collect::<Vec<_>>();
        for mut names in [names(&plan.root_files()), names(&FormatPlan::extend_files())] {
            let written = names.clone();
            names.sort_by(|a, b| UpcaseTable::windows().collate(a, b));
            assert_eq!(written, names);
        }
    }

    #[test]
    fn bits_below_a_bound() {
        assert_eq!(
            (below(0), below(3), below(64), below(70)),
            (0, 7, u64::MAX, u64::MAX)
        );
    }
}
