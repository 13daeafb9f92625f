//! `$FILE_NAME`: one name of a file, in its record and again in the index of its directory.

use polylink_nt::name::Namespace;
use zerocopy::FromBytes as _;

use crate::error::{Corrupt, CorruptKind};
use crate::layout::attribute::AttributeKind;
use crate::layout::value;
use crate::record::units;
use crate::units::FileReference;

/// One name of a file, with what was known of the file when the name was last written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileName {
    /// The directory that the name is in.
    pub parent: FileReference,
    /// When the file was made; 100 ns since 1601, as all times here.
    pub created: u64,
    /// When its content changed.
    pub modified: u64,
    /// When its record changed.
    pub changed: u64,
    /// When it was read.
    pub accessed: u64,
    /// Bytes that its data takes.
    pub allocated: u64,
    /// Bytes of its data.
    pub size: u64,
    /// `FILE_ATTRIBUTE_…`, with 0x10000000 for a directory.
    pub attributes: u32,
    /// Bytes of extended attributes, or the reparse tag.
    pub ea_or_tag: u32,
    /// Which rules the name follows; `None` for a number that has no meaning.
    pub namespace: Option<Namespace>,
    /// The namespace's number.
    pub namespace_byte: u8,
    /// The name.
    pub name: Vec<u16>,
}

impl FileName {
    /// In the attributes of a `$FILE_NAME`: the file is a directory.
    pub const DIRECTORY: u32 = 0x1000_0000;

    /// Takes the value of the attribute, or the key of an index entry, apart.
    ///
    /// # Errors
    ///
    /// Where it is shorter than the name that it should hold, or has no name.
    pub fn parse(bytes: &[u8]) -> Result<Self, Corrupt> {
        let damage = |what| {
            Corrupt::new(CorruptKind::Value {
                kind: AttributeKind::FILE_NAME,
                what,
            })
        };
        let (fixed, rest) =
            value::FileName::read_from_prefix(bytes).map_err(|_| damage("it has less than 66 bytes"))?;
        let len = usize::from(fixed.name_len).saturating_mul(2);
        let name = rest
            .get(..len)
            .ok_or_else(|| damage("its name is longer than the value"))?;
        if name.is_empty() {
            return Err(damage("its name is empty"));
        }
        Ok(Self {
            parent: FileReference(fixed.parent.get()),
            created: fixed.created.get(),
            modified: fixed.modified.get(),
            changed: fixed.changed.get(),
            accessed: fixed.accessed.get(),
            allocated: fixed.allocated.get(),
            size: fixed.size.get(),
            attributes: fixed.attributes.get(),
            ea_or_tag: fixed.ea_or_tag.get(),
            namespace: Namespace::from_byte(fixed.namespace),
            namespace_byte: fixed.namespace,
            name: units(name),
        })
    }

    /// Whether it counts as a name for people: 8.3 names beside a long one do not.
    #[must_use]
    pub fn is_link(&self) -> bool {
        self.namespace.is_none_or(Namespace::is_link)
    }
}
