//! Lists an NTFS image with the `ntfs` crate: path, size, time and link count of every name, record by record.
//!
//! The bench builds this as a program of its own. Blocks that were read stay in memory, for the crate seeks to the first
//! record of the table before each other one.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

use ntfs::structured_values::{NtfsFileName, NtfsFileNamespace, NtfsStandardInformation};
use ntfs::{Ntfs, NtfsAttributeType, NtfsFileFlags};

const BLOCK: u64 = 256 << 10;
const PLACES: usize = 8;

struct Blocks {
    file: File,
    at: u64,
    places: Vec<(u64, Vec<u8>)>,
}

impl Read for Blocks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (block, offset) = (self.at / BLOCK, (self.at % BLOCK) as usize);
        // what was wanted last comes first
        let at = self.places.iter().position(|(held, _)| *held == block);
        self.places[..=at.unwrap_or(PLACES - 1)].rotate_right(1);
        let (held, bytes) = &mut self.places[0];
        if *held != block {
            bytes.resize(BLOCK as usize, 0);
            let len = self.file.read_at(bytes, block * BLOCK)?;
            bytes.truncate(len);
            *held = block;
        }
        let rest = bytes.get(offset..).unwrap_or_default();
        let len = rest.len().min(buffer.len());
        buffer[..len].copy_from_slice(&rest[..len]);
        self.at += len as u64;
        Ok(len)
    }
}

impl Seek for Blocks {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::Current(by) => self.at.wrapping_add_signed(by),
            SeekFrom::End(by) => self.file.metadata()?.len().wrapping_add_signed(by),
        };
        Ok(self.at)
    }
}

struct Row {
    record: u64,
    size: u64,
    modified: u64,
    links: u16,
    names: Vec<(u64, String)>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let image = std::env::args_os().nth(1).ok_or("which image?")?;
    let mut fs = Blocks {
        file: File::open(image)?,
        at: 0,
        places: (0..PLACES).map(|_| (u64::MAX, Vec::new())).collect(),
    };
    let ntfs = Ntfs::new(&mut fs)?;
    let table = ntfs.file(&mut fs, 0)?;
    let data = table.data(&mut fs, "").ok_or("no table")??;
    let records = data.to_attribute()?.value_length() / u64::from(ntfs.file_record_size());
    let mut rows: Vec<Row> = Vec::new();
    for record in 0..records {
        // a record that was never used is an error to the crate
        let Ok(file) = ntfs.file(&mut fs, record) else {
            continue;
        };
        if !file.flags().contains(NtfsFileFlags::IN_USE) {
            continue;
        }
        let mut row = Row {
            record,
            size: 0,
            modified: 0,
            links: file.hard_link_count(),
            names: Vec::new(),
        };
        let mut attributes = file.attributes();
        while let Some(item) = attributes.next(&mut fs) {
            let item = item?;
            let attribute = item.to_attribute()?;
            match attribute.ty()? {
                NtfsAttributeType::StandardInformation => {
                    let info: NtfsStandardInformation = attribute.structured_value(&mut fs)?;
                    row.modified = info.modification_time().nt_timestamp();
                }
                NtfsAttributeType::FileName => {
                    let name: NtfsFileName = attribute.structured_value(&mut fs)?;
                    if name.namespace() != NtfsFileNamespace::Dos {
                        let parent = name.parent_directory_reference().file_record_number();
                        row.names.push((parent, name.name().to_string_lossy()));
                    }
                }
                NtfsAttributeType::Data if attribute.name_length() == 0 => {
                    row.size = attribute.value_length()
                }
                _ => {}
            }
        }
        rows.push(row);
    }
    let mut out = BufWriter::with_capacity(64 << 10, io::stdout().lock());
    for row in &rows {
        for (parent, name) in &row.names {
            let mut path = name.clone();
            let mut above = *parent;
            while above != 5 {
                let Ok(at) = rows.binary_search_by_key(&above, |row| row.record) else {
                    break;
                };
                let Some((parent, name)) = rows[at].names.first() else {
                    break;
                };
                path = format!("{name}/{path}");
                above = *parent;
            }
            writeln!(
                out,
                "{} {} {} {} /{path}",
                row.record, row.links, row.size, row.modified
            )?;
        }
    }
    Ok(out.flush()?)
}
