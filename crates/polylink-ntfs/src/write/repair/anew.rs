//! Records of the volume's own files, made of nothing but what is known of them.

use polylink_nt::name::Namespace;
use polylink_nt::upcase::UpcaseTable;
use zerocopy::FromBytes as _;

use super::super::attributes::{self, Part, Sizes};
use super::super::directory::empty_directory;
use super::super::names::file_name;
use super::super::state::Facts;
use crate::file::FileName;
use crate::fixup;
use crate::geometry::Geometry;
use crate::index::I30;
use crate::layout::attribute::{AttributeFlags, AttributeKind};
use crate::layout::record::RecordFlags;
use crate::layout::value::StandardInformation;
use crate::runs::RunList;
use crate::units::{FileReference, Vcn};

/// What a record is made of.
#[derive(Debug)]
pub(crate) struct Anew<'a> {
    /// What it is, and with which sequence number.
    pub(crate) file: FileReference,
    /// The directory that it is in.
    pub(crate) parent: FileReference,
    pub(crate) name: &'a str,
    /// The value of its `$STANDARD_INFORMATION`.
    pub(crate) information: &'a [u8],
    /// Further values that lie in the record.
    pub(crate) values: &'a [(AttributeKind, Vec<u8>)],
    pub(crate) content: Content<'a>,
}

/// What a file holds.
#[derive(Debug)]
pub(crate) enum Content<'a> {
    /// An index without entries.
    Directory,
    /// So many bytes in clusters.
    Clusters(&'a RunList, u64),
    Nothing,
}

/// A record as it is to lie on the device; `None` where all of it has no room in one.
pub(crate) fn record(geometry: &Geometry, anew: &Anew<'_>) -> Option<Vec<u8>> {
    let (information, _) = StandardInformation::read_from_prefix(anew.information).ok()?;
    let (mut flags, mut size, mut allocated) = (RecordFlags::IN_USE, 0, 0);
    let mut shown = information.attributes.get();
    let content = match anew.content {
        Content::Directory => {
            flags |= RecordFlags::DIRECTORY;
            shown |= FileName::DIRECTORY;
            let root = empty_directory(geometry.index, geometry.cluster);
            attributes::resident(AttributeKind::INDEX_ROOT, &I30, &root)
        }
        Content::Clusters(runs, bytes) => {
            size = bytes;
            allocated = runs.end().0.checked_mul(u64::from(geometry.cluster))?;
            attributes::non_resident(&Part {
                kind: AttributeKind::DATA,
                name: &[],
                flags: AttributeFlags::empty(),
                unit: 0,
                runs,
                lowest: Vcn(0),
                sizes: Sizes {
                    allocated,
                    size,
                    initialized: size,
                    total: None,
                },
            })
        }
        Content::Nothing => attributes::resident(AttributeKind::DATA, &[], &[]),
    };
    let facts = Facts {
        created: information.created.get(),
        modified: information.modified.get(),
        changed: information.changed.get(),
        accessed: information.accessed.get(),
        allocated,
        size,
        attributes: shown,
        ea_or_tag: 0,
    };
    let name: Vec<u16> = anew.name.encode_utf16().collect();
    let name = file_name(anew.parent, &facts, &name, Namespace::Win32AndDos);
    let len = usize::try_from(geometry.record).ok()?;
    let mut bytes = attributes::new_record(len, anew.file.record(), anew.file.sequence(), None, flags);
    attributes::set_raw_links(&mut bytes, 1);
    let values = anew.values.iter().map(|(kind, value)| (*kind, value.as_slice()));
    for (kind, value) in values.chain([
        (AttributeKind::STANDARD_INFORMATION, anew.information),
        (AttributeKind::FILE_NAME, name.as_slice()),
    ]) {
        let attribute = attributes::resident(kind, &[], value);
        attributes::insert(&mut bytes, UpcaseTable::windows(), &attribute).ok()?;
    }
    attributes::insert(&mut bytes, UpcaseTable::windows(), &content).ok()?;
    fixup::protect(&mut bytes);
    Some(bytes)
}
