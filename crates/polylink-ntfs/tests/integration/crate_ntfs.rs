//! Agreement with the crate `ntfs`: paths, record numbers, sizes, link counts and content.
//!
//! Both walk from the root directory through the indexes. What they see differently is listed in [`EXPLAINED`] with the
//! reason, and a line there that explains nothing is an error too. `POLYLINK_NTFS_IMAGE` names a further image, as the
//! judge `ntfs-large` makes one.

#![allow(clippy::print_stdout)] // what was compared on an image of somebody's choice

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};

use ntfs::structured_values::NtfsFileNamespace;
use ntfs::{Ntfs, NtfsError, NtfsReadSeek as _};
use polylink_ntfs::layout::attribute::AttributeKind;
use polylink_ntfs::{Access, FileDevice, Index, OpenOptions, RecordNumber, Volume};
use polylink_testutil::ntfs::given::Unpacked;
use polylink_testutil::ntfs::image::sample;

use crate::images::{SOUND, archives};

/// An image (none: all of them), how a difference in it begins, and why there is one.
type Explained = (&'static str, &'static str, &'static str);

const EXPLAINED: &[Explained] = &[
    (
        "",
        "/$Boot: ",
        "the crate takes a run at cluster 0, where only $Boot begins, for a hole",
    ),
    (
        "chosen",
        "/compressed/",
        "the crate gives compressed bytes as they lie on the volume",
    ),
    (REPAIRED, "/fsracer.00/11/10/7/6/5: 140-3 ", CONTINUED),
    (REPAIRED, "/fsracer.00/15/14/13/12/11/9: 830-3 ", CONTINUED),
    (REPAIRED, "/fsracer.00/9/8/0/19: 371-5 ", CONTINUED),
    (
        "seeds.tar.xz/syz_mount_image_ntfs_0.img",
        "they cannot open it: The sector size is 256 bytes",
        SMALL_SECTORS,
    ),
    (
        "seeds.tar.xz/syz_mount_image_ntfs_1.img",
        "they cannot open it: The sector size is 256 bytes",
        SMALL_SECTORS,
    ),
];
const REPAIRED: &str =
    "corrupted/generated_during_use__lostfound_corrupted2__windows_repaired.img.tar.xz/windows_repaired.img";
const CONTINUED: &str =
    "where $DATA begins in the file's own record and goes on in others, the crate gives what goes on first";
const SMALL_SECTORS: &str = "the crate knows sectors from 512 bytes only";

/// Of larger content the beginning and the end are compared.
const WHOLE: u64 = 4 << 20;
const PIECE: usize = 256 << 10;
const ROOT: u64 = 5;

/// What is behind a path: record and sequence number, whether it is a directory, names as the record counts them, size,
/// and pieces of the content.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Row {
    record: u64,
    sequence: u16,
    is_directory: bool,
    raw_links: u16,
    size: u64,
    content: Vec<u8>,
}

/// A walk: what was found, and what could not be read, by path.
#[derive(Default)]
struct Tree {
    rows: BTreeMap<String, Row>,
    failures: BTreeMap<String, String>,
}

/// Where content of a size is compared: offset and length.
fn pieces(size: u64) -> Vec<(u64, usize)> {
    if size <= WHOLE {
        return vec![(0, usize::try_from(size).unwrap())];
    }
    vec![(0, PIECE), (size - PIECE as u64, PIECE)]
}

/// A name of a directory, and where it leads.
type Child = (Vec<u16>, u64, u16);

/// What one of the two sees of a record; `None` for the children of what is no directory.
struct Look {
    children: Option<Vec<Child>>,
    raw_links: u16,
    size: u64,
    content: Vec<u8>,
}

impl Tree {
    /// Walks from the root, given how to list a directory and how to read a file.
    fn walk<E: ToString>(mut look: impl FnMut(u64) -> Result<Look, E>) -> Self {
        let mut tree = Self::default();
        let mut way = vec![(String::new(), ROOT, 0)];
        // a thousand names of one file need one look
        let mut files: HashMap<u64, String> = HashMap::new();
        while let Some((path, record, sequence)) = way.pop() {
            let known = files.get(&record).and_then(|path| tree.rows.get(path));
            if let Some(row) = known.cloned() {
                tree.rows.insert(path, Row { sequence, ..row });
                continue;
            }
            let found = match look(record) {
                Ok(found) => found,
                Err(error) => {
                    tree.failures.insert(path, error.to_string());
                    continue;
                }
            };
            let row = Row {
                record,
                sequence,
                is_directory: found.children.is_some(),
                raw_links: found.raw_links,
                size: found.size,
                content: found.content,
            };
            for (name, child, sequence) in found.children.into_iter().flatten() {
                // the root is in itself
                if child != ROOT {
                    let name: String = char::decode_utf16(name)
                        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
                        .collect();
                    way.push((format!("{path}/{name}"), child, sequence));
                }
            }
            if !row.is_directory {
                files.insert(record, path.clone());
            }
            tree.rows.insert(path, row);
        }
        tree
    }

    fn ours(volume: &Volume) -> Self {
        Self::walk(|record| -> polylink_ntfs::Result<_> {
            let file = volume.file(RecordNumber(record))?;
            let children = if file.is_directory() {
                let entries = Index::open(volume, &file)?.entries()?;
                let links = entries.into_iter().filter(|entry| entry.name.is_link());
                Some(
                    links
                        .map(|entry| {
                            let to = entry.file;
                            (entry.name.name, to.record().0, to.sequence())
                        })
                        .collect(),
                )
            } else {
                None
            };
            let mut look = Look {
                children,
                raw_links: file.base().map_or(0, |record| record.raw_links()),
                size: 0,
                content: Vec::new(),
            };
            let Some(stream) = file.stream(volume, AttributeKind::DATA, &[])? else {
                return Ok(look);
            };
            for (offset, len) in pieces(stream.size()) {
                let mut piece = vec![0; len];
                let mut done = 0;
                while done < len {
                    let read = volume.read(&stream, offset + done as u64, &mut piece[done..])?;
                    assert_ne!(read, 0);
                    done += read;
                }
                look.content.extend(piece);
            }
            look.size = stream.size();
            Ok(look)
        })
    }

    fn theirs<R: Read + Seek>(device: &mut R) -> Result<Self, NtfsError> {
        let ntfs = Ntfs::new(device)?;
        Ok(Self::walk(|record| -> Result<_, NtfsError> {
            let file = ntfs.file(device, record)?;
            let mut children = None;
            if file.is_directory() {
                let index = file.directory_index(device)?;
                let mut entries = index.entries();
                let mut found = Vec::new();
                while let Some(entry) = entries.next(device) {
                    let entry = entry?;
                    let Some(key) = entry.key() else { continue };
                    let key = key?;
                    if key.namespace() != NtfsFileNamespace::Dos {
                        let name = key.name().u16_iter().collect();
                        let to = entry.file_reference();
                        found.push((name, to.file_record_number(), to.sequence_number()));
                    }
                }
                children = Some(found);
            }
            let mut look = Look {
                children,
                raw_links: file.hard_link_count(),
                size: 0,
                content: Vec::new(),
            };
            let Some(item) = file.data(device, "") else {
                return Ok(look);
            };
            let item = item?;
            let mut value = item.to_attribute()?.value(device)?;
            look.size = value.len();
            for (offset, len) in pieces(look.size) {
                let mut piece = vec![0; len];
                value.seek(device, SeekFrom::Start(offset))?;
                value.read_exact(device, &mut piece)?;
                look.content.extend(piece);
            }
            Ok(look)
        }))
    }

    /// What the two see differently, a line each.
    fn differences(&self, theirs: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        for (path, error) in &self.failures {
            lines.push(format!("{path}: we cannot read it: {error}"));
        }
        for (path, error) in &theirs.failures {
            lines.push(format!("{path}: they cannot read it: {error}"));
        }
        for (path, row) in &self.rows {
            match theirs.rows.get(path) {
                Some(other) if other == row => {}
                Some(other) => {
                    let what = |row: &Row| {
                        let start: Vec<_> = row.content.iter().take(8).collect();
                        format!(
                            "{}-{} directory {} links {} size {} content {start:02x?}…",
                            row.record, row.sequence, row.is_directory, row.raw_links, row.size
                        )
                    };
                    lines.push(format!("{path}: {}, they say {}", what(row), what(other)));
                }
                None if theirs.failures.contains_key(path) => {}
                None => lines.push(format!("{path}: they do not see it")),
            }
        }
        for path in theirs.rows.keys() {
            if !self.rows.contains_key(path) && !self.failures.contains_key(path) {
                lines.push(format!("{path}: we do not see it"));
            }
        }
        lines
    }
}

/// Those of the differences that nothing explains; which explanations were needed is marked.
fn unexplained(image: &str, differences: &[String], needed: &mut [bool]) -> Vec<String> {
    let mut unknown = Vec::new();
    for line in differences {
        let known = EXPLAINED
            .iter()
            .position(|(of, start, _)| (*of == image || of.is_empty()) && line.starts_with(start));
        match known {
            Some(index) => needed[index] = true,
            None => unknown.push(format!("{image}: {line}")),
        }
    }
    unknown
}

#[test]
fn the_crate_sees_what_we_see_on_the_sample() {
    let image = sample().build();
    let ours = Tree::ours(&image.open());
    let theirs = Tree::theirs(&mut Cursor::new(&image.bytes)).unwrap();
    // the root, 11 system files beside it, 142 names of files and 3 directories
    assert_eq!(ours.rows.len(), 1 + 11 + 142 + 3);
    let mut needed = [false; EXPLAINED.len()];
    let unknown = unexplained("sample", &ours.differences(&theirs), &mut needed);
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[test]
fn the_crate_sees_what_we_see_on_volumes_of_others() {
    let Some(folder) = archives() else { return };
    let archives = SOUND.iter().map(|name| format!("corrupted/{name}.tar.xz"));
    let (mut images, mut paths) = (0, 0);
    let mut needed = [false; EXPLAINED.len()];
    let mut unknown = Vec::new();
    for name in archives.chain(["seeds.tar.xz".to_owned()]) {
        for path in Unpacked::new(&folder.join(&name)).files() {
            let device = FileDevice::open(&path, Access::Read).unwrap();
            let volume = Volume::open(Box::new(device), &OpenOptions::default()).unwrap();
            let ours = Tree::ours(&volume);
            let image = format!("{}/{}", name, path.file_name().unwrap().display());
            let differences = match Tree::theirs(&mut BufReader::new(File::open(&path).unwrap())) {
                Ok(theirs) => ours.differences(&theirs),
                Err(error) => vec![format!("they cannot open it: {error}")],
            };
            unknown.extend(unexplained(&image, &differences, &mut needed));
            images += 1;
            paths += ours.rows.len();
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
    let here = |(of, _, _): &&Explained| *of != "chosen";
    for ((image, start, reason), needed) in EXPLAINED.iter().zip(needed).filter(|(of, _)| here(of)) {
        assert!(needed, "{image}: nothing begins with '{start}' ({reason})");
    }
    assert_eq!(images, SOUND.len() + 34);
    assert!(paths > 1000, "{paths}");
}

#[test]
fn the_crate_sees_what_we_see_on_a_chosen_image() {
    let Some(path) = std::env::var_os("POLYLINK_NTFS_IMAGE") else {
        println!("skipped: POLYLINK_NTFS_IMAGE does not name an image");
        return;
    };
    let device = FileDevice::open(path.as_ref(), Access::Read).unwrap();
    let ours = Tree::ours(&Volume::open(Box::new(device), &OpenOptions::default()).unwrap());
    let theirs = Tree::theirs(&mut BufReader::new(File::open(&path).unwrap())).unwrap();
    let differences = ours.differences(&theirs);
    let mut needed = [false; EXPLAINED.len()];
    let unknown = unexplained("chosen", &differences, &mut needed);
    println!(
        "crate ntfs: path, id, size, links and content of {} names compared, {} differ without a reason",
        ours.rows.len(),
        unknown.len()
    );
    for ((_, start, reason), _) in EXPLAINED.iter().zip(needed).filter(|(_, needed)| *needed) {
        println!("crate ntfs:     {start}{reason}");
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}
