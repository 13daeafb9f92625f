//! What is told of a file: from all its records, or from its only one.

use polylink_nt::NtStatus;

use super::VolumeFs;
use crate::catalog::{FileKind, FileRow};
use crate::error::Result;
use crate::file::{File, FileName, Reparse, StandardInformation, fits};
use crate::layout::attribute::AttributeKind;
use crate::record::{Body, Record};
use crate::stream::Stream;
use crate::units::FileReference;
use crate::volume::Volume;

impl VolumeFs {
    /// What the catalog holds of a file, read from the file itself.
    ///
    /// # Errors
    ///
    /// `FILE_DELETED` where the reference leads to an earlier file; where the file is damaged.
    pub fn row(&self, reference: FileReference) -> Result<FileRow> {
        Ok(self.read_row(reference)?.0)
    }

    /// The row, and the bytes that named streams take.
    pub(super) fn read_row(&self, reference: FileReference) -> Result<(FileRow, u64)> {
        self.row_of(reference, &self.volume.file(reference.record())?)
    }

    pub(super) fn row_of(&self, reference: FileReference, file: &File) -> Result<(FileRow, u64)> {
        let volume = &*self.volume;
        if !fits(reference, file.reference().sequence()) {
            return Err(NtStatus::FILE_DELETED.into());
        }
        let times = file.standard_information()?;
        let names = file.names()?;
        let (mut size, mut allocated, mut streams) = (0, 0, 0_u64);
        for (name, _) in file.data_streams()? {
            let Some(stream) = file.stream(volume, AttributeKind::DATA, &name)? else {
                continue;
            };
            if name.is_empty() {
                (size, allocated) = (stream.size(), stream.allocated());
            } else {
                streams = streams.saturating_add(stream.allocated());
            }
        }
        // of a directory, what its entries take
        for (name, _) in file.values_of(AttributeKind::INDEX_ALLOCATION)? {
            if let Some(blocks) = file.stream(volume, AttributeKind::INDEX_ALLOCATION, &name)? {
                allocated = allocated.saturating_add(blocks.allocated());
            }
        }
        let links = names.iter().filter(|name| name.is_link()).count();
        let row = FileRow {
            reference: file.reference(),
            kind: self.kind_of(file)?,
            case_sensitive: file.is_case_sensitive(),
            links: u16::try_from(links).unwrap_or(u16::MAX),
            raw_links: file.base().map_or(0, |record| record.raw_links()),
            size,
            allocated,
            modified: times.modified,
            created: times.created,
        };
        Ok((row, streams))
    }

    fn kind_of(&self, file: &File) -> Result<FileKind> {
        if let Some(stream) = file.stream(&self.volume, AttributeKind::REPARSE_POINT, &[])?
            && let Reparse::Symlink { .. } | Reparse::Junction { .. } = Reparse::read(&self.volume, &stream)?
        {
            return Ok(FileKind::Link);
        }
        Ok(if file.is_directory() {
            FileKind::Directory
        } else {
            FileKind::File
        })
    }
}

/// The row of a file as nearly all are: one record, one value, no link. `None` for all others, and where anything is not
/// as it should be.
pub(super) fn plain(volume: &Volume, reference: FileReference, bytes: &[u8]) -> Option<FileRow> {
    let record = Record::parsed(reference.record(), bytes).ok()?;
    let is_plain = record.is_in_use() && !record.is_directory() && record.base().is_none();
    if !is_plain || !fits(reference, record.sequence()) {
        return None;
    }
    let (mut times, mut content, mut links) = (None, None, 0_u16);
    for attribute in record.attributes() {
        let attribute = attribute.ok()?;
        match (attribute.kind(), attribute.body()) {
            (AttributeKind::STANDARD_INFORMATION, Body::Resident { value, .. }) if times.is_none() => {
                times = Some(StandardInformation::parse(value).ok()?);
            }
            (AttributeKind::FILE_NAME, Body::Resident { value, .. }) => {
                let name = FileName::parse(value).ok()?;
                links = links.saturating_add(u16::from(name.is_link()));
            }
            (AttributeKind::DATA, body) if content.is_none() && attribute.name_bytes().is_empty() => {
                content = Some(match body {
                    Body::Resident { value, .. } => (u64::try_from(value.len()).ok()?, 0),
                    Body::NonResident(part) if part.header.lowest_vcn.get() == 0 => {
                        let runs = part.decode(volume.clusters()?).ok()?;
                        let cluster = volume.cluster_size();
                        let stream = Stream::in_clusters(&part, runs, cluster, attribute.flags()).ok()?;
                        (stream.size(), stream.allocated())
                    }
                    Body::NonResident(_) => return None,
                });
            }
            (
                AttributeKind::STANDARD_INFORMATION
                | AttributeKind::FILE_NAME
                | AttributeKind::DATA
                | AttributeKind::ATTRIBUTE_LIST
                | AttributeKind::INDEX_ALLOCATION
                | AttributeKind::REPARSE_POINT,
                _,
            ) => return None,
            _ => {}
        }
    }
    let (times, (size, allocated)) = (times?, content?);
    Some(FileRow {
        reference: record.reference(),
        kind: FileKind::File,
        case_sensitive: false,
        links,
        raw_links: record.raw_links(),
        size,
        allocated,
        modified: times.modified,
        created: times.created,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use polylink_core::{At, LinkFs as _, Name};

    use super::*;
    use crate::device::MemDevice;
    use crate::format::{FormatOptions, format};
    use crate::write::{WriteOptions, Writer};

    /// One record or several, content in the record or in clusters, further streams and names: both ways of looking
    /// tell the same.
    #[test]
    fn the_only_record_of_a_file_tells_what_all_of_them_tell() {
        let units = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
        let device = Arc::new(MemDevice::new(vec![0; 8 << 20]));
        format(&*device, &FormatOptions::default()).unwrap();
        let writer = Arc::new(Writer::open(device, &WriteOptions::default()).unwrap());
        let root = writer.root().unwrap();
        let made = |name: &str, len: usize| {
            let file = writer.create_file(root, &units(name)).unwrap();
            writer.write(file, &[], 0, &vec![7; len]).unwrap();
            file
        };
        let (small, large) = (made("small.txt", 300), made("large.txt", 30_000));
        let (streams, many) = (made("streams.txt", 10), made("many names.txt", 5_000));
        made("nothing", 0);
        writer.write(streams, &units("more"), 0, &[1; 9_000]).unwrap();
        for (file, count) in [(small, 1), (large, 2), (many, 30)] {
            for number in 0..count {
                let name = units(&format!("{} {number}", file.record().0));
                writer.link(file, root, &name).unwrap();
            }
        }
        let fs = VolumeFs::writing(writer.clone()).unwrap();
        let dir = fs.open_dir("/".as_ref()).unwrap();
        let mut plain_ones = Vec::new();
        for name in [
            "small.txt",
            "large.txt",
            "streams.txt",
            "many names.txt",
            "nothing",
        ] {
            let found = writer.look_at(root, &units(name)).unwrap().unwrap();
            let reference = found.entry.file;
            let (whole, of_streams) = fs.read_row(reference).unwrap();
            if let Some(row) = plain(fs.volume(), reference, &found.record) {
                assert_eq!((row, 0), (whole, of_streams), "{name}");
                plain_ones.push(name);
            }
            let stat = fs.stat(At::new(&dir, Name::new(name.as_bytes()))).unwrap();
            assert_eq!(stat, fs.stat_of(reference).unwrap(), "{name}");
        }
        assert_eq!(plain_ones, ["small.txt", "large.txt", "nothing"]);
        writer
            .unlink(root, &units(&format!("{} 0", large.record().0)))
            .unwrap();
        let stat = fs.stat(At::new(&dir, Name::new(b"large.txt"))).unwrap();
        assert_eq!((stat.links, stat.size), (2, 30_000));
    }
}
