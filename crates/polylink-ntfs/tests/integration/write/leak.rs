//! What comes and goes a hundred thousand times leaves nothing behind, and a directory that loses most of its names
//! keeps blocks that are half full.

use std::sync::Arc;

use polylink_ntfs::layout::attribute::AttributeKind;
use polylink_ntfs::{FileReference, MemDevice, RecordNumber, Volume, Writer};

use super::{blank, issues, open, reopened, units, used};

/// `$I30`.
const NAMES: [u16; 4] = [0x24, 0x49, 0x33, 0x30];

/// Numbers in no order, the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    fn shuffle<T>(&mut self, values: &mut [T]) {
        for at in (1..values.len()).rev() {
            values.swap(at, self.below(at + 1));
        }
    }
}

fn value(volume: &Volume, file: RecordNumber, kind: AttributeKind, name: &[u16]) -> Vec<u8> {
    let file = volume.file(file).unwrap();
    let Some(stream) = file.stream(volume, kind, name).unwrap() else {
        return Vec::new();
    };
    let mut bytes = vec![0; usize::try_from(stream.size()).unwrap()];
    let read = volume.read(&stream, 0, &mut bytes).unwrap();
    assert_eq!(read, bytes.len());
    bytes
}

/// `$Bitmap`, and the bitmap of the Master File Table.
fn bitmaps(device: &Arc<MemDevice>) -> [Vec<u8>; 2] {
    let volume = reopened(device);
    [
        value(&volume, RecordNumber::BITMAP, AttributeKind::DATA, &[]),
        value(&volume, RecordNumber::MFT, AttributeKind::BITMAP, &[]),
    ]
}

/// Makes `count` files and removes them again, not more than `window` at once, in no order. Some have content, in the
/// record or outside, and some a second name.
fn come_and_go(writer: &Writer, parent: FileReference, count: u32, window: usize, random: &mut Random) {
    let mut alive: Vec<u32> = Vec::with_capacity(window);
    let name = |index: u32| units(&format!("comes and goes {index}"));
    let other = |index: u32| units(&format!("its other name {index}"));
    let remove = |index: u32| {
        if index.is_multiple_of(8) {
            assert!(!writer.unlink(parent, &other(index)).unwrap().last);
        }
        assert!(writer.unlink(parent, &name(index)).unwrap().last);
    };
    for index in 0..count {
        if alive.len() == window {
            // a few hundred at a time: names that are there again before the commit make it come early
            for _ in 0..window / 2 {
                remove(alive.swap_remove(random.below(alive.len())));
            }
            writer.sync().unwrap();
        }
        let file = writer.create_file(parent, &name(index)).unwrap();
        if index.is_multiple_of(16) {
            let len = random.below(9_000);
            writer.write(file, &[], 0, &vec![7; len]).unwrap();
        }
        if index.is_multiple_of(8) {
            writer.link(file, parent, &other(index)).unwrap();
        }
        alive.push(index);
    }
    random.shuffle(&mut alive);
    alive.into_iter().for_each(remove);
}

#[test]
fn a_hundred_thousand_files_that_come_and_go_leave_the_bitmaps_as_they_were() {
    const WINDOW: usize = 1_000;
    let device = blank(32 << 20, 4096, 1024);
    let mut random = Random(1);
    let round = |count: u32, random: &mut Random| {
        let writer = open(&device);
        let root = writer.root().unwrap();
        let parent = writer.make_directory(root, &units("parent")).unwrap();
        come_and_go(&writer, parent, count, WINDOW, random);
        writer.remove_directory(root, &units("parent")).unwrap();
        writer.close().unwrap();
    };
    // the table grows to what so many files at once need, and stays so
    round(2 * WINDOW as u32, &mut random);
    let before = (bitmaps(&device), used(&device));
    round(100_000, &mut random);
    assert_eq!(issues(&device), [""; 0]);
    assert!(
        (bitmaps(&device), used(&device)) == before,
        "a bit is left behind"
    );
}

/// How full the blocks of a directory are: blocks in use, those of them that lack more of a half than an entry of
/// `longest` bytes, bytes of entries, room.
fn fullness(
    device: &Arc<MemDevice>,
    directory: RecordNumber,
    longest: usize,
) -> (usize, usize, usize, usize) {
    let volume = reopened(device);
    let blocks = value(&volume, directory, AttributeKind::INDEX_ALLOCATION, &NAMES);
    let bitmap = value(&volume, directory, AttributeKind::BITMAP, &NAMES);
    let (mut count, mut short, mut bytes, mut room) = (0, 0, 0, 0);
    for (index, block) in blocks.chunks_exact(4096).enumerate() {
        if bitmap[index / 8] >> (index % 8) & 1 == 0 {
            continue;
        }
        assert_eq!(block[..4], *b"INDX");
        let field = |at: usize| u32::from_le_bytes(*block[at..].first_chunk().unwrap()) as usize;
        let (first, used, allocated) = (field(0x18), field(0x1C), field(0x20));
        count += 1;
        bytes += used - first;
        room += allocated - first;
        short += usize::from((used - first + longest) * 2 < allocated - first);
    }
    (count, short, bytes, room)
}

#[test]
fn a_directory_that_loses_nine_names_in_ten_keeps_its_blocks_half_full() {
    const NAMES: usize = 100_000;
    let device = blank(192 << 20, 4096, 1024);
    let writer = open(&device);
    let root = writer.root().unwrap();
    let directory = writer.make_directory(root, &units("directory")).unwrap();
    let mut random = Random(3);
    let mut numbers: Vec<usize> = (0..NAMES).collect();
    random.shuffle(&mut numbers);
    let name = |number: usize| units(&format!("img_{number:07}.jpg"));
    for &number in &numbers {
        writer.create_file(directory, &name(number)).unwrap();
    }
    writer.close().unwrap();
    // 16 bytes, the key, the place of a child
    let longest = (16 + 66 + 2 * 15_usize).next_multiple_of(8) + 8;
    let (full, short, bytes, room) = fullness(&device, directory.record(), longest);
    // a name behind all others may have one by itself at the end of its level
    assert!(short <= 2, "{short} of {full}");
    assert!(bytes * 2 >= room, "{bytes} of {room}");
    random.shuffle(&mut numbers);
    let (gone, left) = numbers.split_at(NAMES / 10 * 9);
    for &number in gone {
        writer.unlink(directory, &name(number)).unwrap();
    }
    writer.close().unwrap();
    assert_eq!(issues(&device), [""; 0]);
    let (thin, short, bytes, room) = fullness(&device, directory.record(), longest);
    assert_eq!(short, 0, "of {thin}");
    assert!(bytes * 2 >= room, "{bytes} of {room}");
    assert!(thin * 6 < full, "{thin} blocks of {full}");
    for &number in left {
        assert!(writer.look_up(directory, &name(number)).unwrap().is_some());
    }
}
