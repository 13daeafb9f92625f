//! [`FileFs`] on a volume: files of an image read, compared and copied.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use polylink_core::{
    At, Content, Copied, CopyHow, Dir, FaultKind, FileFs, FsResult, Kind, Lost, Metadata, Reflink, Stat,
};
use polylink_nt::NtStatus;
use polylink_nt::name::{units_of_wtf8, wtf8_of_units};

use super::{OpenDir, VolumeFs, fault, unix_time};
use crate::file::File;
use crate::layout::attribute::AttributeKind;
use crate::stream::Stream;
use crate::units::FileReference;
use crate::write::{SETTABLE, Times};

/// All named streams of a file together may have so many bytes to be held as metadata.
const MOST_STREAM_BYTES: u64 = 64 << 20;
/// Units of a stream's name.
const LONGEST_STREAM_NAME: usize = 255;
/// Where [`Metadata::extended`] has which descriptor of `$Secure` a file has, with the serial number of the volume
/// where that means anything. No stream has this name: a colon cannot be in one.
const SECURITY: &[u8] = b":$SECURITY_ID";

/// A file of a volume that is open for reading. On a volume that is being written each read looks where the content
/// is now; a file whose last name went is refused then, since its clusters may be another file's.
struct OpenFile {
    fs: VolumeFs,
    reference: FileReference,
    /// The content, where nobody changes it.
    stream: Option<Stream>,
}

impl OpenFile {
    fn stream(&self) -> FsResult<Option<Stream>> {
        let file = self.fs.file(self.reference)?;
        content_of(&self.fs, &file)
    }
}

impl Content for OpenFile {
    fn stat(&self) -> FsResult<Stat> {
        self.fs.keep_up()?;
        self.fs.stat_of(self.reference)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> FsResult<usize> {
        let now = match &self.fs.writer {
            Some(_) => self.stream()?,
            None => None,
        };
        match now.as_ref().or(self.stream.as_ref()) {
            Some(stream) => self.fs.volume.read(stream, offset, buf).map_err(fault),
            None => Ok(0),
        }
    }

    fn place(&self) -> Option<u64> {
        let now = match &self.fs.writer {
            Some(_) => self.stream().ok()?,
            None => None,
        };
        let extents = now.as_ref().or(self.stream.as_ref())?.runs()?.extents();
        let first = extents.iter().find_map(|extent| extent.lcn)?;
        first.0.checked_mul(u64::from(self.fs.volume.cluster_size()))
    }
}

/// The content of a regular file; `None` where it has no attribute for it, which is as good as empty.
fn content_of(fs: &VolumeFs, file: &File) -> FsResult<Option<Stream>> {
    let volume = &fs.volume;
    if file.is_directory() {
        return Err(NtStatus::FILE_IS_A_DIRECTORY.into());
    }
    let kind = AttributeKind::REPARSE_POINT;
    if file.stream(volume, kind, &[]).map_err(fault)?.is_some() {
        // whatever a filter of Windows keeps in its own way: what lies in the stream is not what programs read
        return Err(FaultKind::Unsupported.into());
    }
    let stream = file.stream(volume, AttributeKind::DATA, &[]).map_err(fault)?;
    if let Some(stream) = &stream {
        // encrypted content is refused here, before anybody takes the file for one that can be read
        stream.read(volume.device(), 0, &mut [0]).map_err(fault)?;
    }
    Ok(stream)
}

/// Nanoseconds since 1970 as 100 ns since 1601; `None` where NTFS has no such time.
fn nt_time(nanoseconds: i128) -> Option<u64> {
    const EPOCH: i128 = 116_444_736_000_000_000;
    u64::try_from(nanoseconds.div_euclid(100).saturating_add(EPOCH)).ok()
}

/// Whether two times are one where 100 ns are the smallest step.
fn is_exact(nanoseconds: i128) -> bool {
    nanoseconds.rem_euclid(100) == 0
}

impl VolumeFs {
    /// The same volume, asked itself.
    fn uncatalogued(&self) -> Self {
        Self {
            volume: Arc::clone(&self.volume),
            catalog: None,
            free: OnceLock::new(),
            writer: self.writer.clone(),
        }
    }

    fn metadata_of(&self, reference: FileReference) -> FsResult<Metadata> {
        let file = self.file(reference)?;
        let information = file.standard_information().map_err(fault)?;
        let mut extended = BTreeMap::new();
        if self.stat_of(reference)?.kind != Kind::Symlink {
            let mut room = MOST_STREAM_BYTES;
            for (name, _) in file.data_streams().map_err(fault)? {
                if name.is_empty() {
                    continue;
                }
                let stream = file.stream(&self.volume, AttributeKind::DATA, &name);
                let Some(stream) = stream.map_err(fault)? else {
                    continue;
                };
                room = room.checked_sub(stream.size()).ok_or(FaultKind::Unsupported)?;
                let value = stream
                    .read_all(self.volume.device(), MOST_STREAM_BYTES)
                    .map_err(fault)?;
                extended.insert(wtf8_of_units(&name), value);
            }
            if let Some(id) = information.security_id {
                extended.insert(SECURITY.to_vec(), self.security(id));
            }
        }
        Ok(Metadata {
            modified: unix_time(information.modified),
            accessed: Some(unix_time(information.accessed)),
            created: Some(unix_time(information.created)),
            mode: None,
            owner: None,
            group: None,
            attributes: Some(information.attributes & SETTABLE),
            extended,
        })
    }

    /// What stands under [`SECURITY`]: the number means something on this volume only.
    fn security(&self, id: u32) -> Vec<u8> {
        let serial = self.volume.geometry().map_or(0, |geometry| geometry.serial);
        let mut value = serial.to_le_bytes().to_vec();
        value.extend_from_slice(&id.to_le_bytes());
        value
    }

    fn set_metadata_of(&self, reference: FileReference, to: &Metadata) -> FsResult<Vec<Lost>> {
        let writer = self.writer()?;
        let now = self.metadata_of(reference)?;
        let mut lost = Vec::new();
        if to.owner.is_some() || to.group.is_some() {
            lost.push(Lost::Owner);
        }
        if to.mode.is_some() {
            lost.push(Lost::Mode);
        }
        let mut extended = true;
        for name in now
            .extended
            .keys()
            .filter(|name| !to.extended.contains_key(*name))
        {
            if name.as_slice() != SECURITY {
                extended &= self.remove_stream(reference, name);
            }
        }
        for (name, value) in &to.extended {
            if now.extended.get(name) == Some(value) {
                continue;
            }
            if name.as_slice() == SECURITY {
                extended &= self.set_security(reference, value);
            } else {
                extended &= self.put_stream(reference, name, value);
            }
        }
        if !extended {
            lost.push(Lost::Extended);
        }
        let times = [Some(to.modified), to.accessed, to.created];
        let [modified, accessed, created] = times.map(|time| time.and_then(nt_time));
        let given = [modified, accessed, created];
        let told = times
            .iter()
            .zip(given)
            .all(|(wanted, given)| wanted.is_none_or(|wanted| given.is_some() && is_exact(wanted)));
        if !told {
            lost.push(Lost::Times);
        }
        let stored = self
            .file(reference)?
            .standard_information()
            .map_err(fault)?
            .attributes;
        let attributes = to.attributes.map(|wanted| stored & !SETTABLE | wanted & SETTABLE);
        if to.attributes.is_some_and(|wanted| wanted & !SETTABLE != 0) {
            lost.push(Lost::Attributes);
        }
        let times = Times {
            created,
            modified,
            changed: None,
            accessed,
            attributes,
        };
        writer.set_times(reference, times).map_err(fault)?;
        Ok(lost)
    }

    /// Takes a stream away, and answers whether that could be done.
    fn remove_stream(&self, file: FileReference, name: &[u8]) -> bool {
        let (Ok(writer), Some(name)) = (self.writer(), units_of_wtf8(name)) else {
            return false;
        };
        writer.remove_stream(file, &name).is_ok()
    }

    /// Gives a stream this value, and answers whether that could be done.
    fn put_stream(&self, file: FileReference, name: &[u8], value: &[u8]) -> bool {
        let (Ok(writer), Some(units)) = (self.writer(), units_of_wtf8(name)) else {
            return false;
        };
        // MS-FSCC 2.1.5.3: any units but these
        let odd = |unit: &u16| matches!(unit, 0 | 0x2F | 0x3A | 0x5C);
        if units.is_empty() || units.len() > LONGEST_STREAM_NAME || units.iter().any(odd) {
            return false;
        }
        let size = u64::try_from(value.len()).unwrap_or(u64::MAX);
        writer.write(file, &units, 0, value).is_ok() && writer.set_size(file, &units, size).is_ok()
    }

    /// Gives a file the descriptor that another file of this volume has, and answers whether that could be done.
    fn set_security(&self, file: FileReference, value: &[u8]) -> bool {
        let id = value
            .last_chunk::<4>()
            .map(|id| u32::from_le_bytes(*id))
            .filter(|&id| self.security(id) == value);
        match (self.writer(), id) {
            (Ok(writer), Some(id)) => writer.set_security_id(file, id).is_ok(),
            _ => false,
        }
    }
}

impl FileFs for VolumeFs {
    fn open_file(&self, at: At<'_>) -> FsResult<Box<dyn Content>> {
        let reference = self.at(at)?;
        if self.stat_of(reference)?.kind == Kind::Symlink {
            return Err(FaultKind::SymlinkMet.into());
        }
        let file = self.file(reference)?;
        let stream = content_of(self, &file)?;
        Ok(Box::new(OpenFile {
            fs: self.uncatalogued(),
            reference: file.reference(),
            stream,
        }))
    }

    fn metadata(&self, at: At<'_>) -> FsResult<Metadata> {
        self.metadata_of(self.at(at)?)
    }

    fn dir_metadata(&self, dir: &Dir) -> FsResult<Metadata> {
        self.metadata_of(dir.handle::<OpenDir>()?.reference)
    }

    fn set_metadata(&self, at: At<'_>, to: &Metadata) -> FsResult<Vec<Lost>> {
        self.set_metadata_of(self.at(at)?, to)
    }

    fn set_dir_metadata(&self, dir: &Dir, to: &Metadata) -> FsResult<Vec<Lost>> {
        self.set_metadata_of(dir.handle::<OpenDir>()?.reference, to)
    }

    /// The copy and its name are one change: a commit brings both to the device or neither, content and records before
    /// the name, so there is nothing more to do for [`CopyHow::sync`].
    fn copy(&self, existing: At<'_>, new: At<'_>, how: CopyHow) -> FsResult<Copied> {
        let writer = self.writer()?;
        let source = self.at(existing)?;
        if self.stat_of(source)?.kind == Kind::Symlink {
            return Err(FaultKind::SymlinkMet.into());
        }
        if how.reflink == Reflink::Always {
            return Err(FaultKind::Unsupported.into());
        }
        let (parent, name) = self.place(&new)?;
        let copy = writer.copy_file(source, parent, &name).map_err(fault)?;
        // its record may be a new one of the table
        self.keep_up()?;
        Ok(Copied {
            stat: self.stat_of(copy)?,
            reflinked: false,
            lost: Vec::new(),
        })
    }

    fn read_symlink(&self, at: At<'_>) -> FsResult<Vec<u8>> {
        match self.target(self.at(at)?).map_err(fault)? {
            Some(target) => Ok(wtf8_of_units(&target)),
            None => Err(FaultKind::NameInvalid.into()),
        }
    }

    fn makes_symlinks(&self) -> bool {
        false
    }

    /// [`FaultKind::Unsupported`]: reparse points are not written.
    fn make_symlink(&self, _target: &[u8], new: At<'_>) -> FsResult<()> {
        self.writer()?;
        match self.at(new) {
            Ok(_) => Err(FaultKind::Exists.into()),
            Err(missing) if missing.kind() == FaultKind::NotFound => Err(FaultKind::Unsupported.into()),
            Err(other) => Err(other),
        }
    }

    fn remove_dir(&self, at: At<'_>) -> FsResult<()> {
        let writer = self.writer()?;
        let (parent, name) = self.place(&at)?;
        writer.remove_directory(parent, &name).map_err(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_back_and_forth_in_steps_of_100_ns() {
        for time in [0, 100, -100, 1_700_000_000_123_456_700] {
            assert_eq!(unix_time(nt_time(time).unwrap()), time);
            assert!(is_exact(time) && !is_exact(time + 1));
        }
        assert_eq!(nt_time(-20_000_000_000_000_000_000), None);
    }
}
