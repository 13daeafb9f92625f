//! Volumes that somebody tampered with: a sound one and a list of edits.
//!
//! An input begins with a byte that chooses one of [`bases`]; each 16 bytes after it are an [`Edit`]. So a small input
//! reaches deep code, and any bytes are an input. Where the first byte is [`RAW`], the rest is the volume itself.
//!
//! | offset | bytes | meaning |
//! |---|---|---|
//! | 0 | 1 | kind: 0 and 1 set bytes under the update sequence, 2 sets bytes as they lie, 3 copies, 4 cuts, modulo 5 |
//! | 1 | 1 | how many bytes are set: 1 to 8 |
//! | 2 | 2 | the place: a record, an index block, a boot sector, modulo their number |
//! | 4 | 4 | offset in the place, modulo its size; for a cut that in the volume |
//! | 8 | 8 | the bytes; for a copy first the place that it comes from |

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, LazyLock};

use polylink_ntfs::layout::attribute::AttributeKind;
use polylink_ntfs::{Device, RecordNumber};

use super::image::encode::{protect, unprotect};
use super::image::{BLOCK, CLUSTER, Content, Image, RECORD, ROOT, SECTOR, put, sample};

/// The first byte of an input whose rest is the volume.
pub const RAW: u8 = 0xFF;
/// Edits of an input that count.
const MOST_EDITS: usize = 64;
const EDIT: usize = 16;

/// A stretch of a volume where much is decided.
#[derive(Clone, Debug)]
pub struct Place {
    /// Where it begins.
    pub start: usize,
    /// Its bytes.
    pub len: usize,
    /// Whether an update sequence protects it.
    pub protected: bool,
    /// Where headers begin in it: of the record, of attributes, of values, of entries.
    pub headers: Vec<usize>,
}

/// A sound volume to begin with.
#[derive(Clone, Debug)]
pub struct Base {
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// What edits are aimed at.
    pub places: Vec<Place>,
}

/// The volumes that inputs begin with: one of everything, the same with a compressed file, its bare table.
pub fn bases() -> &'static [Base] {
    static BASES: LazyLock<Vec<Base>> = LazyLock::new(|| {
        let plain = sample().build();
        let packed = compressed();
        let (bytes, places) = (plain.bytes.clone(), places(&plain));
        let table = plain.record_at(0)..plain.record_at(0) + plain.open().records() as usize * RECORD;
        let in_table = places
            .iter()
            .filter(|place| table.contains(&place.start))
            .map(|place| Place {
                start: place.start - table.start,
                ..place.clone()
            })
            .collect();
        let dump = Base {
            bytes: bytes[table].into(),
            places: in_table,
        };
        vec![
            Base {
                bytes: bytes.into(),
                places,
            },
            Base {
                places: self::places(&packed),
                bytes: packed.bytes.into(),
            },
            dump,
        ]
    });
    &BASES
}

/// The number of the compressed file in the volume with one.
pub const COMPRESSED: u64 = 26;

/// The volume of [`sample`] with `sparse.bin` compressed: three clusters of LZNT1 in a unit of 16.
fn compressed() -> Image {
    let mut builder = sample();
    let mut chunk = vec![0x07, 0xB0, 0x02];
    // a letter, and 4095 more by a reference to it
    chunk.extend([b'x', 0xFC, 0x0F, 0, 0, 0, 0]);
    let mut value = chunk.repeat(7);
    value.resize(3 * CLUSTER, 0);
    let content = Content::Sparse(vec![(0, value)], 30_000);
    let file = builder.file(ROOT, "packed.bin", content);
    let mut image = builder.build();
    for number in [COMPRESSED, file] {
        let at = image.attribute(number, AttributeKind::DATA, 0);
        image.record(number, |record| {
            put(record, at + 12, 0x8001_u16.to_le_bytes());
            record[at + 0x22] = 4;
        });
    }
    image
}

fn places(image: &Image) -> Vec<Place> {
    let volume = image.open();
    let mut places = Vec::new();
    for number in 0..volume.records() {
        let bytes = image.read_record(number);
        let mut headers = vec![0];
        if let Ok(record) = polylink_ntfs::Record::parsed(RecordNumber(number), &bytes) {
            for attribute in record.attributes().flatten() {
                headers.push(attribute.offset());
                if let Some(value) = attribute.resident() {
                    headers
                        .push(attribute.offset() + attribute.record_len() - value.len().next_multiple_of(8));
                }
            }
        }
        places.push(Place {
            start: image.record_at(number),
            len: RECORD,
            protected: true,
            headers,
        });
    }
    let plain = |start: usize, len: usize| Place {
        start,
        len,
        protected: false,
        headers: vec![0, len / 2],
    };
    places.push(plain(0, SECTOR));
    places.push(plain(image.bytes.len() - SECTOR, SECTOR));
    for cluster in [image.mirror, image.bitmap, image.record_bitmap] {
        places.push(plain(cluster as usize * CLUSTER, CLUSTER));
    }
    for (number, kind) in [(31, AttributeKind::ATTRIBUTE_LIST), (2, AttributeKind::DATA)] {
        places.push(plain(image.value_at(number, kind, "").0, CLUSTER));
    }
    for directory in [ROOT, 27, 28] {
        let Ok(file) = volume.file(RecordNumber(directory)) else {
            continue;
        };
        let blocks = file.stream(&volume, AttributeKind::INDEX_ALLOCATION, &polylink_ntfs::I30);
        let Ok(Some(blocks)) = blocks else {
            continue;
        };
        let extents = blocks.runs().map(|runs| runs.extents()).unwrap_or_default();
        for extent in extents {
            let Some(lcn) = extent.lcn else { continue };
            for block in 0..extent.len as usize * CLUSTER / BLOCK {
                places.push(Place {
                    start: lcn.0 as usize * CLUSTER + block * BLOCK,
                    len: BLOCK,
                    protected: true,
                    headers: vec![0, 0x18, 0x40, 0x50],
                });
            }
        }
    }
    places
}

/// One change of a volume.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Edit {
    /// Sets bytes of a place, and puts its update sequence right.
    Set {
        /// Which place.
        place: u16,
        /// Where in it.
        at: u32,
        /// Bytes of the value that count.
        len: u8,
        /// The bytes.
        value: u64,
    },
    /// Sets bytes of a place as they lie on the volume.
    Tear {
        /// Which place.
        place: u16,
        /// Where in it.
        at: u32,
        /// Bytes of the value that count.
        len: u8,
        /// The bytes.
        value: u64,
    },
    /// Puts the bytes of a place over another.
    Copy {
        /// Which place is overwritten.
        place: u16,
        /// By which.
        from: u16,
    },
    /// Ends the volume there.
    Cut {
        /// Its bytes.
        at: u32,
    },
}

impl Edit {
    /// The edit in 16 bytes of an input.
    pub fn encode(self) -> [u8; EDIT] {
        let (kind, len, place, at, value) = match self {
            Self::Set {
                place,
                at,
                len,
                value,
            } => (0, len, place, at, value),
            Self::Tear {
                place,
                at,
                len,
                value,
            } => (2, len, place, at, value),
            Self::Copy { place, from } => (3, 8, place, 0, u64::from(from)),
            Self::Cut { at } => (4, 8, 0, at, 0),
        };
        let mut bytes = [0; EDIT];
        bytes[0] = kind;
        bytes[1] = len.wrapping_sub(1) & 7;
        put(&mut bytes, 2, place.to_le_bytes());
        put(&mut bytes, 4, at.to_le_bytes());
        put(&mut bytes, 8, value.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8; EDIT]) -> Self {
        let [kind, len, place, place_high, at @ .., _, _, _, _, _, _, _, _] = *bytes;
        let [.., v0, v1, v2, v3, v4, v5, v6, v7] = *bytes;
        let (place, at, len) = (
            u16::from_le_bytes([place, place_high]),
            u32::from_le_bytes(at),
            (len & 7) + 1,
        );
        let value = u64::from_le_bytes([v0, v1, v2, v3, v4, v5, v6, v7]);
        match kind % 5 {
            0 | 1 => Self::Set {
                place,
                at,
                len,
                value,
            },
            2 => Self::Tear {
                place,
                at,
                len,
                value,
            },
            3 => Self::Copy {
                place,
                from: u16::from_le_bytes([v0, v1]),
            },
            _ => Self::Cut { at },
        }
    }
}

/// The input that makes these edits to a base.
pub fn input(base: u8, edits: &[Edit]) -> Vec<u8> {
    let mut bytes = vec![base];
    bytes.extend(edits.iter().flat_map(|edit| edit.encode()));
    bytes
}

/// The volume that an input stands for.
pub fn volume_of(input: &[u8]) -> Patched {
    match input.split_first() {
        None => Patched::new(Arc::new([])),
        Some((&RAW, raw)) => Patched::new(raw.into()),
        Some((&base, edits)) => {
            let bases = bases();
            let base = &bases[usize::from(base) % bases.len()];
            let mut device = Patched::new(base.bytes.clone());
            let (edits, _) = edits.as_chunks::<EDIT>();
            for edit in edits.iter().take(MOST_EDITS) {
                device.edit(&base.places, Edit::decode(edit));
            }
            device
        }
    }
}

/// Sectors that lie over the bytes of another volume.
pub struct Patched {
    base: Arc<[u8]>,
    size: usize,
    sectors: BTreeMap<usize, [u8; SECTOR]>,
}

impl Patched {
    /// A device with these bytes.
    pub fn new(base: Arc<[u8]>) -> Self {
        let size = base.len();
        Self {
            base,
            size,
            sectors: BTreeMap::new(),
        }
    }

    /// All its bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.size];
        self.fill(0, &mut bytes);
        bytes
    }

    fn edit(&mut self, places: &[Place], edit: Edit) {
        let place = |number: u16| &places[usize::from(number) % places.len()];
        let (target, is_torn) = match edit {
            Edit::Set { place: number, .. } | Edit::Copy { place: number, .. } => (place(number), false),
            Edit::Tear { place: number, .. } => (place(number), true),
            Edit::Cut { at } => {
                self.size = at as usize % (self.base.len() + 1);
                return;
            }
        };
        let mut block = vec![0; target.len];
        self.fill(target.start, &mut block);
        // where the array itself was moved there is nothing to put right
        let array = usize::from(u16::from_le_bytes([block[4], block[5]]));
        let fits = array >= 8 && array + 2 + block.len() / SECTOR * 2 <= SECTOR - 2;
        let sequence = (target.protected && fits && !is_torn).then(|| unprotect(&mut block));
        match edit {
            Edit::Set { at, len, value, .. } | Edit::Tear { at, len, value, .. } => {
                let at = at as usize % block.len();
                let end = (at + usize::from(len.clamp(1, 8))).min(block.len());
                block[at..end].copy_from_slice(&value.to_le_bytes()[..end - at]);
            }
            Edit::Copy { from, .. } => {
                let source = place(from);
                let len = source.len.min(block.len());
                self.fill(source.start, &mut block[..len]);
                let array = usize::from(u16::from_le_bytes([block[4], block[5]]));
                if source.protected && array + 2 + len / SECTOR * 2 <= SECTOR - 2 {
                    unprotect(&mut block[..len]);
                }
            }
            Edit::Cut { .. } => {}
        }
        let array = usize::from(u16::from_le_bytes([block[4], block[5]]));
        if let Some(sequence) = sequence
            && array + 2 + block.len() / SECTOR * 2 <= SECTOR - 2
        {
            protect(&mut block, sequence);
        }
        self.put(target.start, &block);
    }

    fn put(&mut self, start: usize, block: &[u8]) {
        let first = start / SECTOR;
        let end = start + block.len();
        for sector in first..end.div_ceil(SECTOR) {
            let at = sector * SECTOR;
            let mut bytes = [0; SECTOR];
            let held = SECTOR.min(self.base.len().saturating_sub(at));
            self.fill(at, &mut bytes[..held]);
            let (from, to) = (start.max(at), end.min(at + SECTOR));
            bytes[from - at..to - at].copy_from_slice(&block[from - start..to - start]);
            self.sectors.insert(sector, bytes);
        }
    }

    /// Fills the buffer, which lies within the base, from `start` on.
    fn fill(&self, start: usize, buffer: &mut [u8]) {
        let end = start + buffer.len();
        buffer.copy_from_slice(&self.base[start..end]);
        for (sector, bytes) in self.sectors.range(start / SECTOR..end.div_ceil(SECTOR)) {
            let at = sector * SECTOR;
            let (from, to) = (start.max(at), end.min(at + SECTOR));
            buffer[from - start..to - start].copy_from_slice(&bytes[from - at..to - at]);
        }
    }
}

impl fmt::Debug for Patched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Patched({} bytes, {} sectors)", self.size, self.sectors.len())
    }
}

impl Device for Patched {
    fn size(&self) -> u64 {
        self.size as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > self.size as u64) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.fill(offset as usize, buffer);
        Ok(())
    }

    fn write_at(&self, _: u64, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}
