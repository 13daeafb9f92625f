//! Small volumes, made from scratch in memory with the engine's own structures.
//!
//! What [`Builder`] makes is valid: the audit calls it clean, and so do ntfs-3g's tools. Files are laid down in the
//! order in which they were added, so the same calls make the same bytes.

mod edit;
pub(crate) mod encode;
mod index;
mod system;

use std::collections::BTreeMap;

use polylink_ntfs::layout::attribute::AttributeKind;
use polylink_ntfs::layout::value::AttributeListEntry;
use polylink_ntfs::{FileReference, RecordNumber, RunList};
use zerocopy::IntoBytes as _;

use encode::{Draft, padded, units};

pub use edit::{Image, put, u32_at};

/// Bytes of a sector.
pub const SECTOR: usize = 512;
/// Bytes of a cluster.
pub const CLUSTER: usize = 2048;
/// Bytes of a record.
pub const RECORD: usize = 1024;
/// Bytes of an index block: two clusters.
pub const BLOCK: usize = 4096;

/// The root directory.
pub const ROOT: u64 = 5;
/// `$Extend`, a directory.
pub const EXTEND: u64 = 11;
/// The first record that a builder gives to a file.
pub const FIRST: u64 = 24;

/// The namespace of any name.
pub const POSIX: u8 = 0;
/// The namespace of a long name that has an 8.3 twin.
pub const WIN32: u8 = 1;
/// The namespace of an 8.3 twin.
pub const DOS: u8 = 2;
/// The namespace of a name that is its own 8.3 name.
pub const BOTH: u8 = 3;

/// Bytes of a value and where they are kept.
#[derive(Clone, Debug)]
pub enum Content {
    /// In the record.
    Resident(Vec<u8>),
    /// In clusters, side by side.
    Clusters(Vec<u8>),
    /// In clusters, each piece at its cluster of the value, with holes between; and the size.
    Sparse(Vec<(u64, Vec<u8>)>, u64),
    /// In so many fragments, one cluster each, with a cluster of another file between any two.
    Fragments(u64),
    /// At clusters that are taken already: the first and how many.
    At(u64, u64),
}

#[derive(Clone, Debug)]
struct Name {
    parent: u64,
    namespace: u8,
    name: Vec<u16>,
}

#[derive(Clone, Debug, Default)]
struct File {
    sequence: u16,
    flags: u16,
    attributes: u32,
    names: Vec<Name>,
    values: Vec<(AttributeKind, Vec<u16>, Content)>,
    spare_block: bool,
}

/// A volume in the making.
#[derive(Debug)]
pub struct Builder {
    files: BTreeMap<u64, File>,
    next: u64,
    bytes: Vec<u8>,
    used: Vec<bool>,
    room: usize,
}

/// Where the bytes of a value went.
struct Placed {
    runs: RunList,
    size: u64,
    sparse: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// A volume of 2 MiB with the system files and nothing else.
    pub fn new() -> Self {
        Self::with_clusters(1024)
    }

    /// A volume with so many clusters.
    pub fn with_clusters(clusters: usize) -> Self {
        let mut builder = Self {
            files: BTreeMap::new(),
            next: FIRST,
            bytes: vec![0; clusters * CLUSTER + SECTOR],
            used: vec![false; clusters],
            room: 0,
        };
        builder.add_system_files();
        builder
    }

    /// Adds a directory.
    pub fn directory(&mut self, parent: u64, name: &str) -> u64 {
        let directory = File {
            flags: 3,
            attributes: 0x1000_0000,
            ..File::default()
        };
        self.add(directory, parent, name)
    }

    /// Adds a file.
    pub fn file(&mut self, parent: u64, name: &str, content: Content) -> u64 {
        let file = File {
            flags: 1,
            attributes: 0x20,
            values: vec![(AttributeKind::DATA, Vec::new(), content)],
            ..File::default()
        };
        self.add(file, parent, name)
    }

    fn add(&mut self, mut file: File, parent: u64, name: &str) -> u64 {
        let number = self.next;
        self.next += 1;
        file.sequence = 1 + (number % 3) as u16;
        self.files.insert(number, file);
        let name_units = units(name);
        let is_short = polylink_nt::short::is_short(&name_units);
        self.name(number, parent, name, if is_short { BOTH } else { POSIX });
        number
    }

    /// The next file or directory is made in this record.
    pub fn go_on_at(&mut self, record: u64) {
        assert!(!self.files.contains_key(&record), "the record is in use");
        self.next = record;
    }

    /// Gives a file a further name.
    pub fn name(&mut self, file: u64, parent: u64, name: &str, namespace: u8) {
        let name = Name {
            parent,
            namespace,
            name: units(name),
        };
        self.files.get_mut(&file).expect("a file").names.push(name);
    }

    /// Makes the file's first name a long one with this 8.3 twin.
    pub fn twin(&mut self, file: u64, twin: &str) {
        let names = &mut self.files.get_mut(&file).expect("a file").names;
        names[0].namespace = WIN32;
        let parent = names[0].parent;
        self.name(file, parent, twin, DOS);
    }

    /// Moves a file's first name to another directory.
    pub fn move_to(&mut self, file: u64, parent: u64) {
        self.files.get_mut(&file).expect("a file").names[0].parent = parent;
    }

    /// Gives the index of a directory one more block, which is marked as used and that nothing leads to.
    pub fn spare_block(&mut self, directory: u64) {
        self.files.get_mut(&directory).expect("a directory").spare_block = true;
    }

    /// Gives a file a named stream, or another attribute.
    pub fn value(&mut self, file: u64, kind: AttributeKind, name: &str, content: Content) {
        let file = self.files.get_mut(&file).expect("a file");
        file.values.push((kind, units(name), content));
    }

    fn reference(&self, number: u64) -> FileReference {
        FileReference::new(RecordNumber(number), self.files[&number].sequence)
    }

    /// Lays the volume down.
    pub fn build(mut self) -> Image {
        self.build_indexes();
        let numbers: Vec<u64> = self.files.keys().copied().collect();
        let mut records: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        // the tables tell of themselves, so they come last
        for &number in numbers.iter().filter(|&&number| !matches!(number, 0 | 1 | 6)) {
            let drafts = self.drafts(number);
            self.lay_down(number, drafts, &mut records);
        }
        self.finish(records)
    }

    /// The attributes of a file, its values laid down in clusters.
    fn drafts(&mut self, number: u64) -> Vec<Draft> {
        let file = self.files[&number].clone();
        let mut drafts = vec![Draft::standard_information(file.attributes & 0xFFFF)];
        let mut size = (0, 0);
        for (kind, name, content) in &file.values {
            let draft = match content {
                Content::Resident(value) => Draft::resident(*kind, name, value.clone()),
                content => {
                    let placed = self.place(content);
                    Draft::in_clusters(*kind, name, &placed.runs, placed.size, placed.sparse)
                }
            };
            if *kind == AttributeKind::DATA && name.is_empty() {
                size = draft.sizes();
            }
            drafts.push(draft);
        }
        for name in &file.names {
            let value = self.file_name(name, &file, size);
            drafts.push(Draft::file_name(value));
        }
        drafts.sort_by_key(Draft::key);
        drafts
    }

    /// The value of a `$FILE_NAME`, which is the key of its index entry as well.
    fn file_name(&self, name: &Name, file: &File, (size, allocated): (u64, u64)) -> Vec<u8> {
        let parent = self.reference(name.parent);
        encode::file_name(
            parent,
            file.attributes,
            &name.name,
            name.namespace,
            size,
            allocated,
        )
    }

    /// Puts attributes into a record, and into extension records what has no room.
    fn lay_down(&mut self, number: u64, mut drafts: Vec<Draft>, records: &mut BTreeMap<u64, Vec<u8>>) {
        let (flags, sequence, links) = {
            let file = &self.files[&number];
            (file.flags, file.sequence, file.names.len() as u16)
        };
        let own = self.reference(number);
        let length = |drafts: &[Draft]| drafts.iter().map(Draft::len).sum::<usize>();
        let mut moved: Vec<Draft> = Vec::new();
        // names go first, but not below one; then values
        while length(&drafts) + list_len(drafts.len() + moved.len(), moved.is_empty()) > encode::room() {
            let at = drafts
                .iter()
                .rposition(|draft| draft.kind() == AttributeKind::FILE_NAME);
            let at = at.filter(|&at| at > 1).unwrap_or(drafts.len() - 1);
            moved.push(drafts.remove(at));
        }
        for (id, draft) in drafts.iter_mut().enumerate() {
            draft.set_id(id as u16);
        }
        let mut entries: Vec<(Draft, FileReference)> =
            drafts.iter().map(|draft| (draft.clone(), own)).collect();
        moved.reverse();
        while !moved.is_empty() {
            let mut here: Vec<Draft> = Vec::new();
            while let Some(next) = moved.first() {
                if length(&here) + next.len() > encode::room() {
                    break;
                }
                let mut draft = moved.remove(0);
                draft.set_id(here.len() as u16);
                here.push(draft);
            }
            let extension = self.next;
            self.next += 1;
            let reference = FileReference::new(RecordNumber(extension), 1);
            entries.extend(here.iter().map(|draft| (draft.clone(), reference)));
            records.insert(extension, encode::record(extension, 1, 1, 0, own.0, &here));
        }
        if entries.iter().any(|(_, reference)| *reference != own) {
            entries.sort_by_key(|(draft, reference)| (draft.key(), *reference));
            let value: Vec<u8> = entries
                .iter()
                .flat_map(|(draft, reference)| list_entry(draft, *reference))
                .collect();
            // most of the room is the names'
            let mut list = if value.len() > 256 {
                let placed = self.place(&Content::Clusters(value));
                Draft::in_clusters(
                    AttributeKind::ATTRIBUTE_LIST,
                    &[],
                    &placed.runs,
                    placed.size,
                    false,
                )
            } else {
                Draft::resident(AttributeKind::ATTRIBUTE_LIST, &[], value)
            };
            list.set_id(drafts.len() as u16);
            drafts.insert(1, list);
        }
        records.insert(number, encode::record(number, sequence, flags, links, 0, &drafts));
    }

    /// The next clusters that are free.
    fn take(&mut self, count: usize) -> u64 {
        while self.used[self.room..self.room + count].contains(&true) {
            self.room += 1;
        }
        let first = self.room;
        self.used[first..first + count].fill(true);
        self.room += count;
        first as u64
    }

    fn write(&mut self, cluster: u64, bytes: &[u8]) {
        let start = cluster as usize * CLUSTER;
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
    }

    fn place(&mut self, content: &Content) -> Placed {
        let mut pairs: Vec<(Option<u64>, u64)> = Vec::new();
        let mut sparse = false;
        let size = match content {
            Content::Resident(_) => unreachable!("it lies in the record"),
            Content::Clusters(bytes) => {
                let count = bytes.len().div_ceil(CLUSTER);
                if count > 0 {
                    let first = self.take(count);
                    self.write(first, bytes);
                    pairs.push((Some(first), count as u64));
                }
                bytes.len() as u64
            }
            Content::Sparse(pieces, size) => {
                sparse = true;
                let mut vcn = 0;
                for (start, bytes) in pieces {
                    if *start > vcn {
                        pairs.push((None, start - vcn));
                    }
                    let count = bytes.len().div_ceil(CLUSTER);
                    let first = self.take(count);
                    self.write(first, bytes);
                    pairs.push((Some(first), count as u64));
                    vcn = start + count as u64;
                }
                let end = size.div_ceil(CLUSTER as u64);
                if end > vcn {
                    pairs.push((None, end - vcn));
                }
                *size
            }
            Content::Fragments(count) => {
                for _ in 0..*count {
                    let first = self.take(1);
                    self.room += 1;
                    pairs.push((Some(first), 1));
                }
                // the gaps are for whoever comes next
                self.room -= 2 * *count as usize;
                count * CLUSTER as u64
            }
            Content::At(first, count) => {
                pairs.push((Some(*first), *count));
                count * CLUSTER as u64
            }
        };
        let runs = encode::runs(&pairs);
        Placed { runs, size, sparse }
    }
}

/// Bytes that the attribute list takes in the record.
fn list_len(entries: usize, is_needless: bool) -> usize {
    match entries * 32 {
        _ if is_needless => 0,
        len @ ..=256 => 24 + len,
        _ => 64 + 16,
    }
}

fn list_entry(draft: &Draft, record: FileReference) -> Vec<u8> {
    let name = draft.name();
    let len = padded(size_of::<AttributeListEntry>() + name.len() * 2);
    let header = AttributeListEntry {
        kind: draft.kind().0.into(),
        len: (len as u16).into(),
        name_len: name.len() as u8,
        name_offset: 26,
        lowest_vcn: 0.into(),
        record: record.0.into(),
        id: draft.id().into(),
    };
    let mut entry = header.as_bytes().to_vec();
    entry.extend(name.iter().flat_map(|unit| unit.to_le_bytes()));
    entry.resize(len, 0);
    entry
}

/// A volume with one of everything.
///
/// | record | what |
/// |---|---|
/// | 24 | `small.txt`, in its record |
/// | 25 | `large.bin`, in clusters |
/// | 26 | `sparse.bin`, with holes |
/// | 27 | `many`, a directory with index blocks |
/// | 28 | `links`, a directory |
/// | 29 | `three.txt`, with two more names in `many` and `links` |
/// | 30 | `A long name.txt` with its twin `ALONGN~1.TXT` |
/// | 31 | `hub`, with 12 names more in `links`: so with an attribute list and extension records |
/// | 32 | `streams.txt`, with the stream `more` |
/// | 33 | `inner`, a directory in `links`, with the file 34 in it |
/// | 35… | the 120 files of `many` |
pub fn sample() -> Builder {
    let mut image = Builder::new();
    image.file(ROOT, "small.txt", Content::Resident(b"hello".to_vec()));
    image.file(ROOT, "large.bin", Content::Clusters(vec![0xAB; 10_000]));
    let pieces = vec![(2, vec![1; 3000]), (9, vec![2; 100])];
    image.file(ROOT, "sparse.bin", Content::Sparse(pieces, 40_000));
    let many = image.directory(ROOT, "many");
    let links = image.directory(ROOT, "links");
    let three = image.file(ROOT, "three.txt", Content::Resident(b"three names".to_vec()));
    image.name(three, many, "second name of three.txt", POSIX);
    image.name(three, links, "third.txt", POSIX);
    let long = image.file(ROOT, "A long name.txt", Content::Resident(Vec::new()));
    image.twin(long, "ALONGN~1.TXT");
    let hub = image.file(ROOT, "hub", Content::Clusters(vec![3; 100]));
    for index in 0..12 {
        image.name(
            hub,
            links,
            &format!("a further name of hub, number {index:02}"),
            POSIX,
        );
    }
    let streams = image.file(ROOT, "streams.txt", Content::Resident(b"main".to_vec()));
    let more = Content::Clusters(vec![4; 5000]);
    image.value(streams, AttributeKind::DATA, "more", more);
    let inner = image.directory(links, "inner");
    image.file(inner, "leaf.txt", Content::Resident(b"leaf".to_vec()));
    for index in 0..120 {
        let name = format!("file number {index:03} of many.txt");
        image.file(many, &name, Content::Resident(vec![b'x'; index % 50]));
    }
    image
}
