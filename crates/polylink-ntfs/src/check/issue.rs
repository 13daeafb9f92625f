//! What an audit finds: one kind for each check.

use std::fmt;

use thiserror::Error;

use crate::layout::attribute::AttributeKind;
use crate::units::{FileReference, RecordNumber};

/// How much an issue matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// Worth knowing; the volume is sound.
    Note,
    /// A structure is wrong: drivers may show wrong things, and changes may lose data.
    Damage,
    /// So wrong that the audit, or any driver, cannot go on behind it.
    Fatal,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Damage => "damage",
            Self::Fatal => "fatal",
        })
    }
}

/// What the offset of an [`Issue`] is counted in.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub enum Place {
    /// The volume, from its first byte: the issue is about no record.
    #[default]
    Volume,
    /// The issue's record, from its first byte, the update sequence undone.
    Record,
    /// A block of one of the record's indexes, from the first byte of the block.
    IndexBlock {
        /// The name of the index: `$I30` in a directory.
        index: String,
        /// The block, by the number under which entries lead to it (VCN).
        vcn: u64,
    },
}

impl Place {
    /// Its stable name, for programs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Volume => "volume",
            Self::Record => "record",
            Self::IndexBlock { .. } => "index-block",
        }
    }
}

/// Where in an index something is, as a walk over it knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Spot {
    /// The block, by its VCN; `None` in the root, which lies in the record.
    pub(super) block: Option<u64>,
    /// Bytes from the beginning of the block, or of the record.
    pub(super) offset: u64,
}

impl Spot {
    /// So many bytes further on.
    pub(super) fn behind(self, bytes: u64) -> Self {
        Self {
            offset: self.offset.saturating_add(bytes),
            ..self
        }
    }
}

/// One thing that an audit found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issue {
    /// What it is.
    pub kind: IssueKind,
    /// The record of the Master File Table that it is in or about.
    pub record: Option<RecordNumber>,
    /// In what it is.
    pub place: Place,
    /// Where in `place`, in bytes, where that can be said.
    pub offset: Option<u64>,
}

impl Issue {
    pub(super) fn new(kind: IssueKind) -> Self {
        Self {
            kind,
            record: None,
            place: Place::Volume,
            offset: None,
        }
    }

    pub(super) fn in_record(mut self, record: RecordNumber) -> Self {
        self.record = Some(record);
        self.place = Place::Record;
        self
    }

    /// Says where in an index of the record it is.
    pub(super) fn in_index(mut self, index: &[u16], spot: Spot) -> Self {
        if let Some(vcn) = spot.block {
            let index = text(index);
            self.place = Place::IndexBlock { index, vcn };
        }
        self.at(spot.offset)
    }

    pub(super) fn at(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    /// How much it matters.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.kind.severity()
    }

    /// The stable name of its kind, for programs.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        self.kind.name()
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = "";
        if let Some(record) = self.record {
            write!(f, "record {record}")?;
            before = ", ";
        }
        if let Place::IndexBlock { index, vcn } = &self.place {
            write!(f, "{before}block {vcn} of {index}")?;
            before = ", ";
        }
        if let Some(offset) = self.offset {
            write!(f, "{before}offset {offset:#x}")?;
            before = ", ";
        }
        if !before.is_empty() {
            f.write_str(": ")?;
        }
        self.kind.fmt(f)
    }
}

/// Declares [`IssueKind`] as a table: name for programs, severity, types of both values, further fields, sentence.
macro_rules! kinds {
    ($(
        $(#[$doc:meta])*
        $variant:ident $name:literal $severity:ident ($expected:ty, $found:ty)
        { $($field:ident: $type:ty = $about:literal),* } $text:literal;
    )*) => {
        /// Each thing that an audit looks for, with what the format wants and what is there.
        #[derive(Clone, PartialEq, Eq, Debug, Error)]
        #[non_exhaustive]
        pub enum IssueKind {
            $(
                $(#[$doc])*
                #[error($text)]
                $variant {
                    /// What the format, or the other side, wants.
                    expected: $expected,
                    /// What is there.
                    found: $found,
                    $(#[doc = $about] $field: $type,)*
                },
            )*
        }

        impl IssueKind {
            /// Every kind, by its name for programs.
            pub const ALL: &[(&'static str, Severity)] = &[$(($name, Severity::$severity),)*];

            /// The stable name of the kind, for programs.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $name,)*
                }
            }

            /// How much it matters.
            #[must_use]
            pub fn severity(&self) -> Severity {
                match self {
                    $(Self::$variant { .. } => Severity::$severity,)*
                }
            }

            /// What the format, or the other side, wants.
            #[must_use]
            pub fn expected(&self) -> String {
                match self {
                    $(Self::$variant { expected, .. } => expected.to_string(),)*
                }
            }

            /// What is there.
            #[must_use]
            pub fn found(&self) -> String {
                match self {
                    $(Self::$variant { found, .. } => found.to_string(),)*
                }
            }
        }
    };
}

kinds! {
    // the volume

    /// The first boot sector is damaged; its copy was used.
    BootSector "boot-sector" Damage (&'static str, String) {}
        "the first boot sector cannot be used, its copy can: {found}";
    /// The copy of the boot sector is not the same.
    BootCopy "boot-copy" Damage (u8, u8) { offset: u64 = "Where in the sector they differ first." }
        "the copy of the boot sector differs from the first at byte {offset}: {found:#04x}, not {expected:#04x}";
    /// There is no copy of the boot sector where it belongs.
    BootCopyMissing "boot-copy-missing" Note (u64, &'static str) {}
        "there is no copy of the boot sector at offset {expected:#x}";
    /// The device ends before the volume does.
    VolumeTruncated "volume-truncated" Damage (u64, u64) {}
        "the volume has {expected} bytes, its device {found}";
    /// The first record of the table is damaged; its copy was used.
    FirstRecord "first-record" Damage (&'static str, String) {}
        "the first record of $MFT cannot be used, its copy can: {found}";
    /// A copy of one of the first records is not the same.
    MirrorDiffers "mirror-differs" Damage (u8, u8) {}
        "the copy of the record in $MFTMirr holds {found:#04x} there, the record {expected:#04x}";
    /// The boot sector gives another place for `$MFT` or `$MFTMirr` than the file itself.
    TablePlace "table-place" Damage (u64, u64) {}
        "the boot sector lets the file begin at cluster {expected}, its own runs at {found}";
    /// The table is longer than the device.
    TableSize "table-size" Fatal (u64, u64) {}
        "the table is said to have {found} records, the device has room for {expected}";
    /// A file that no volume can be without cannot be read.
    SystemFile "system-file" Fatal (&'static str, String) {}
        "{expected} cannot be read: {found}";
    /// The volume was not unmounted, or a driver saw damage.
    VolumeDirty "volume-dirty" Note (u16, u16) {}
        "the volume is marked as dirty";
    /// Other flags of the volume that call for something.
    VolumeFlags "volume-flags" Note (u16, u16) {}
        "the volume has the flags {found:#06x}";
    /// The version is none of 1.2, 3.0 and 3.1.
    VolumeVersion "volume-version" Note (&'static str, String) {}
        "the volume has version {found} of NTFS, {expected} are known";
    /// `$UpCase` cannot be used, so Windows' own table stands in.
    Upcase "upcase" Damage (&'static str, String) {}
        "the table of upper cases cannot be used: {found}";
    /// The device does not give some bytes.
    Unreadable "unreadable" Damage (u64, u64) {}
        "the device gives {found} of {expected} bytes";

    // update sequences and headers of records

    /// A record in use does not begin with `FILE`.
    RecordSignature "record-signature" Damage (&'static str, String) {}
        "the record is marked as used and begins with {found}, not with {expected}";
    /// The update sequence does not fit the block.
    UpdateSequence "update-sequence" Damage (String, String) {}
        "the update sequence has {found}, the block wants {expected}";
    /// A sector was written at another time than the rest of its block.
    TornSector "torn-sector" Damage (u16, u16) { sector: u64 = "Which 512 bytes of the block." }
        "512 bytes at {sector} end in {found:#06x}, not in {expected:#06x}: the block was written in part";
    /// The header says another number than the record's place.
    RecordNumber "record-number" Damage (u32, u32) {}
        "the record says it is record {found}";
    /// The header says another size than the volume's records have.
    RecordSize "record-size" Damage (u32, u32) {}
        "the record says it has {found} bytes, it has {expected}";
    /// The header says that the attributes end elsewhere than they do.
    RecordUsed "record-used" Damage (u32, u32) {}
        "the record says it uses {found} bytes, it uses {expected}";
    /// The header says that the attributes begin where they cannot.
    FirstAttribute "first-attribute" Damage (u16, u16) {}
        "the first attribute is said to be at {found}, {expected} is the first place";
    /// Flags without a meaning.
    RecordFlags "record-flags" Note (u16, u16) {}
        "the record has the flags {found:#06x}, {expected:#06x} are known";
    /// A record in use has the sequence number 0.
    SequenceZero "sequence-zero" Damage (&'static str, u16) {}
        "the record's sequence number is 0";
    /// The base record of an extension record is no such record.
    BaseReference "base-reference" Damage (FileReference, String) {}
        "the record belongs to the file of {expected}, which is {found}";
    /// The base record's list does not name the extension record.
    ExtensionUnlisted "extension-unlisted" Damage (FileReference, &'static str) {}
        "the record belongs to the file of {expected}, whose attribute list does not name it";

    // attributes

    /// An attribute's length cannot be.
    AttributeLength "attribute-length" Damage (&'static str, u32) {}
        "an attribute says it has {found} bytes, not {expected}";
    /// A structure leads out of what holds it.
    AttributeBounds "attribute-bounds" Damage (u64, u64) { what: &'static str = "Which structure." }
        "{what} ends at {found}, beyond {expected}";
    /// An attribute is neither resident nor non-resident.
    ResidentFlag "resident-flag" Damage (&'static str, u8) {}
        "an attribute is neither resident (0) nor non-resident (1) but {found}";
    /// Flags of an attribute without a meaning, or a method of compression that nobody knows.
    AttributeFlags "attribute-flags" Damage (u16, u16) {}
        "an attribute has the flags {found:#06x}, {expected:#06x} are known";
    /// Attributes are not in the order of their types and names.
    AttributeOrder "attribute-order" Damage (String, String) {}
        "{found} stands behind {expected}";
    /// Two attributes of a record have one number.
    AttributeId "attribute-id" Damage (&'static str, u16) {}
        "two attributes have the number {found}";
    /// The number for the next attribute is that of one that exists.
    NextAttributeId "next-attribute-id" Note (u16, u16) {}
        "the next attribute is to have the number {found}, {expected} is the first free one";
    /// An attribute stands twice that may stand once only.
    AttributeTwice "attribute-twice" Damage (u32, u32) { kind: AttributeKind = "Its type." }
        "there are {found} {kind} of one name, not {expected}";
    /// A type without a meaning.
    AttributeUnknown "attribute-unknown" Note (&'static str, AttributeKind) {}
        "the type of {found} is not known";
    /// A file lacks an attribute that it must have.
    AttributeMissing "attribute-missing" Damage (AttributeKind, &'static str) {}
        "there is no {expected}";
    /// An attribute lies in clusters that must lie in the record, or the other way round.
    AttributePlace "attribute-place" Damage (&'static str, &'static str) { kind: AttributeKind = "Its type." }
        "{kind} is {found}, it must be {expected}";
    /// The value of an attribute is damaged.
    ValueDamaged "value-damaged" Damage (AttributeKind, &'static str) {}
        "{expected} is damaged: {found}";
    /// A `$FILE_NAME` is not marked as standing in an index.
    IndexedFlag "indexed-flag" Damage (u8, u8) {}
        "$FILE_NAME is not marked as indexed";

    // values in clusters

    /// The runs of a value cannot be taken apart.
    RunsDamaged "runs-damaged" Damage (&'static str, &'static str) {}
        "the runs are damaged: {found}";
    /// A run leads out of the volume.
    RunOutside "run-outside" Damage (u64, u64) {}
        "the runs lead to cluster {found}, the volume has {expected}";
    /// The runs hold more or fewer clusters than the attribute says.
    RunsEnd "runs-end" Damage (u64, u64) {}
        "the runs end before cluster {found} of the value, the attribute says before {expected}";
    /// A value without clusters has runs, which every use of the value must pass over.
    RunsLeft "runs-left" Note (&'static str, &'static str) {}
        "the value has no clusters, and {found} that count for nothing";
    /// A part of a value does not begin where the one before ends.
    RunsGap "runs-gap" Damage (u64, u64) {}
        "a part of the value begins at its cluster {found}, not at {expected}";
    /// The clusters that an attribute says it holds cannot be.
    ClusterRange "cluster-range" Damage (u64, u64) {}
        "an attribute begins at cluster {expected} of its value and ends at {found}";
    /// Initialized bytes, size and allocated bytes of a value fall.
    ValueSizes "value-sizes" Damage (&'static str, String) {}
        "of a value {found} bytes are initialized, its size, allocated: they must not fall";
    /// The allocated bytes are not those of the clusters.
    AllocatedSize "allocated-size" Damage (u64, u64) {}
        "the value is said to have {found} bytes allocated, its runs hold {expected}";
    /// The bytes in clusters of a sparse or compressed value are not those of the clusters.
    TotalAllocated "total-allocated" Damage (u64, u64) {}
        "the value is said to take {found} bytes, its clusters hold {expected}";
    /// Two values, or two parts of one, lie in the same clusters.
    ClusterTwice "cluster-twice" Damage (&'static str, u64) {
        count: u64 = "How many clusters.", owners: String = "The records, as far as they were looked for."
    }
        "{count} clusters from {found} on are used more than once, by records {owners}";
    /// Clusters are used and marked as free: the next file will overwrite them.
    ClusterMarkedFree "cluster-marked-free" Damage (&'static str, u64) { count: u64 = "How many clusters." }
        "{count} clusters from {found} on are used but marked as free";
    /// Clusters are marked as used and nobody uses them.
    ClusterMarkedUsed "cluster-marked-used" Damage (&'static str, u64) { count: u64 = "How many clusters." }
        "{count} clusters from {found} on are marked as used but nobody uses them";
    /// `$Bitmap` or `$MFT:$BITMAP` is too short.
    BitmapSize "bitmap-size" Damage (u64, u64) {}
        "the bitmap has {found} bytes, {expected} are wanted";
    /// A record is in use and marked as free: the next file will overwrite it.
    RecordMarkedFree "record-marked-free" Damage (&'static str, &'static str) {}
        "the record is in use but marked as free in $MFT:$BITMAP";
    /// A record is marked as used and is not in use.
    RecordMarkedUsed "record-marked-used" Damage (&'static str, &'static str) {}
        "the record is not in use but marked as used in $MFT:$BITMAP";

    // attribute lists

    /// An entry of an attribute list cannot be read.
    ListEntry "list-entry" Damage (&'static str, u64) {}
        "entry {found} of the attribute list is damaged";
    /// An attribute list is longer than any driver takes.
    ListSize "list-size" Damage (u64, u64) {}
        "the attribute list has {found} bytes, {expected} are the most";
    /// Entries of an attribute list are out of order.
    ListOrder "list-order" Damage (String, String) {}
        "the attribute list has {found} behind {expected}";
    /// A record that an attribute list names is no part of the file.
    ListRecord "list-record" Damage (FileReference, String) {}
        "the attribute list names the record {expected}, which is {found}";
    /// An entry of an attribute list leads to no attribute.
    ListAttribute "list-attribute" Damage (String, &'static str) {}
        "the attribute list names {expected}, which is not there";
    /// An attribute of an extension record is not in the list.
    AttributeUnlisted "attribute-unlisted" Damage (&'static str, String) {}
        "the attribute list does not name {found}";

    // names

    /// The record counts other names than it has.
    LinkCount "link-count" Damage (u16, u16) {}
        "the link count is {found}, the number of names is {expected}";
    /// A directory has more than one name.
    DirectoryLinks "directory-links" Damage (u32, u32) {}
        "the directory has {found} names, not {expected}";
    /// The number of a namespace has no meaning.
    Namespace "namespace" Damage (&'static str, u8) { name: String = "The name." }
        "the name {name} is in namespace {found}, not {expected}";
    /// A name holds what no name may hold.
    NameUnit "name-unit" Damage (&'static str, String) {}
        "the name {found} holds NUL or a slash";
    /// A name that is said to be an 8.3 name is none.
    ShortName "short-name" Damage (&'static str, String) {}
        "the name {found} is said to be an 8.3 name, and is not";
    /// A long name lacks its 8.3 twin.
    TwinMissing "twin-missing" Damage (&'static str, String) {}
        "the long name {found} has no 8.3 twin in its directory";
    /// An 8.3 twin lacks its long name.
    TwinAlone "twin-alone" Damage (&'static str, String) {}
        "the 8.3 name {found} has no long name in its directory";
    /// A file has several 8.3 twins.
    TwinTwice "twin-twice" Damage (u32, u32) {}
        "the file has {found} 8.3 twins, {expected} is the most";
    /// The directory of a name is not in use, or does not exist.
    ParentMissing "parent-missing" Damage (FileReference, String) { name: String = "The name." }
        "the name {name} is in the directory {expected}, which is {found}";
    /// The directory of a name is no directory.
    ParentNotDirectory "parent-not-directory" Damage (FileReference, &'static str) { name: String = "The name." }
        "the name {name} is in {expected}, which is {found}";
    /// The directory of a name is one that was there before.
    ParentSequence "parent-sequence" Damage (FileReference, FileReference) { name: String = "The name." }
        "the name {name} is in the directory {found}, now that is {expected}";
    /// The record has a name, and its directory has no entry for it.
    NameNotIndexed "name-not-indexed" Damage (FileReference, &'static str) { name: String = "The name." }
        "the directory {expected} has no entry for the name {name}";
    /// A directory has an entry, and its file no such name.
    EntryWithoutName "entry-without-name" Damage (FileReference, &'static str) { name: String = "The name." }
        "the directory has the entry {name} of {expected}, which has no such name";
    /// An entry leads to a record that is not in use, or does not exist.
    EntryTarget "entry-target" Damage (FileReference, &'static str) { name: String = "The name." }
        "the directory has the entry {name} of {expected}, which is {found}";
    /// An entry leads to a file that was there before.
    EntrySequence "entry-sequence" Damage (FileReference, FileReference) { name: String = "The name." }
        "the directory has the entry {name} of {found}, now that is {expected}";
    /// The key of an entry names another directory than the one it is in.
    EntryParent "entry-parent" Damage (FileReference, FileReference) { name: String = "The name." }
        "the entry {name} says it is in the directory {found}, it is in {expected}";
    /// The namespace of a name differs between record and directory.
    NamespaceDiffers "namespace-differs" Damage (u8, u8) { name: String = "The name." }
        "the name {name} is in namespace {expected}, its directory says {found}";
    /// A directory has a name twice.
    EntryTwice "entry-twice" Damage (&'static str, String) {}
        "the directory has the name {found} twice";

    // directories

    /// Directories lie in each other in a circle, away from the root.
    Cycle "cycle" Damage (RecordNumber, FileReference) { count: u64 = "How many directories." }
        "{count} directories lie in each other in a circle by way of {found} and not in the root";
    /// The root directory is no directory, or does not lie in itself.
    Root "root" Fatal (&'static str, String) {}
        "the root is {found}, not {expected}";
    /// A record is a directory by its flags and not by its attributes, or the other way round.
    DirectoryFlag "directory-flag" Damage (&'static str, &'static str) {}
        "the record is marked as {found}, by its attributes it is {expected}";

    // indexes

    /// The root of an index says something that it cannot.
    IndexRule "index-rule" Damage (u32, u32) { what: &'static str = "What." }
        "the index has {found:#x} as its {what}, not {expected:#x}";
    /// Index blocks have a size that cannot be.
    IndexBlockSize "index-block-size" Damage (&'static str, u32) {}
        "index blocks are said to have {found} bytes, not {expected}";
    /// A block that the index uses does not begin with `INDX`.
    BlockSignature "block-signature" Damage (&'static str, String) {}
        "an index block begins with {found}, not with {expected}";
    /// An entry leads to a block that does not exist.
    BlockMissing "block-missing" Damage (u64, u64) {}
        "the index has blocks up to {expected} and leads to {found}";
    /// A block says it is another one.
    BlockPlace "block-place" Damage (u64, u64) {}
        "the index block says it lies at {found}, it lies at {expected}";
    /// A block is reached twice.
    BlockTwice "block-twice" Damage (&'static str, u64) {}
        "the index leads to its block {found} a second time, or ever deeper";
    /// A block is used and marked as free.
    BlockMarkedFree "block-marked-free" Damage (&'static str, u64) {}
        "block {found} of the index is used but marked as free";
    /// A block is marked as used and no entry leads to it.
    BlockUnreachable "block-unreachable" Damage (&'static str, u64) {}
        "block {found} of the index is marked as used but no entry leads to it";
    /// The header of a node leads out of it.
    NodeBounds "node-bounds" Damage (u64, u64) { what: &'static str = "Which field." }
        "{what} is {found} in a node with {expected} bytes";
    /// A node is marked as one with children and has none, or the other way round.
    NodeFlags "node-flags" Damage (&'static str, &'static str) {}
        "a node is marked as {found}, by its entries it is {expected}";
    /// An entry of an index cannot be read.
    IndexEntry "index-entry" Damage (&'static str, &'static str) { entry: u64 = "Where in the node." }
        "the index entry at {entry} of its node is damaged: {found}";
    /// Entries of an index are out of order.
    IndexOrder "index-order" Damage (String, String) {}
        "the index has {found} behind {expected}";

    // security descriptors

    /// Of the two copies of a security descriptor not both are right.
    SecurityCopy "security-copy" Damage (&'static str, &'static str) {
        id: u32 = "The number of the descriptor.", offset: u64 = "Where in `$SDS` its first copy is."
    }
        "of the copies of the security descriptor {id:#x}, at {offset:#x} of $SDS, {found}, not {expected}";
    /// No copy of a security descriptor is sound, and an index leads to it.
    SecurityEntry "security-entry" Damage (&'static str, &'static str) {
        id: u32 = "The number of the descriptor.", offset: u64 = "Where in `$SDS` its first copy should be."
    }
        "there is no sound security descriptor {id:#x} at {offset:#x} of $SDS";
    /// An entry of `$SII` or `$SDH` says something else than the descriptor.
    SecurityIndexEntry "security-index-entry" Damage (String, String) {}
        "the index has the security descriptor {found}, in $SDS there is {expected}";
    /// A security descriptor is in one index only, or in none though files have it.
    SecurityUnindexed "security-unindexed" Damage (&'static str, &'static str) { id: u32 = "The number of the descriptor." }
        "the security descriptor {id:#x} has {found} in {expected}";
    /// Files have a security descriptor that does not exist.
    SecurityId "security-id" Damage (&'static str, String) { count: u64 = "How many files." }
        "{count} files, this one first, have the security descriptor {found}, which $Secure does not have";

    // object ids and reparse points

    /// An entry of `$ObjId:$O` says something else than the file that it leads to.
    ObjectIdEntry "object-id-entry" Damage (&'static str, String) {}
        "the index of object ids has {found}, not {expected}";
    /// A file has an object id, and nothing leads from that to the file.
    ObjectIdUnindexed "object-id-unindexed" Damage (&'static str, String) {}
        "the object id {found} has not {expected}";
    /// A file with an object id is gone, and its entry was left. Nobody finds a file by it, but no other file can get that
    /// id. There are drivers that leave it when they delete a file.
    ObjectIdLeft "object-id-left" Note (&'static str, String) {}
        "the index of object ids has {found}, which is not {expected} any more";
    /// A file has the object id of another one, which alone can be found by it.
    ObjectIdTwice "object-id-twice" Note (FileReference, String) {}
        "the object id {found} is that of the file {expected} too";
    /// An entry of `$Reparse:$R` says something else than the file that it leads to.
    ReparseEntry "reparse-entry" Damage (&'static str, String) {}
        "the index of reparse points has {found}, not {expected}";
    /// A file is a reparse point, and the index of them does not have it.
    ReparseUnindexed "reparse-unindexed" Damage (&'static str, String) {}
        "the reparse point with {found} has not {expected}";
    /// A reparse point is gone, and its entry was left.
    ReparseLeft "reparse-left" Note (&'static str, String) {}
        "the index of reparse points has {found}, which is not {expected} any more";
}

/// A name for messages: what could confuse a terminal is spelt out.
pub(super) fn text(units: &[u16]) -> String {
    String::from_utf16_lossy(units).escape_debug().to_string()
}
