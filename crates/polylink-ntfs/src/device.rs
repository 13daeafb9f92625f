//! What a volume lies on: a file, a block device, a part of one, or memory.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

/// Storage with a size that is read and written by offset, from several threads.
///
/// Nothing of it is ever mapped into memory: another program may change or cut it while we read.
pub trait Device: Send + Sync + fmt::Debug {
    /// Bytes in it.
    fn size(&self) -> u64;

    /// Fills `buffer` from `offset`.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` where the range passes the end; else as the system says.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// Writes all of `data` at `offset`. What was written is safe after [`Device::flush`] only.
    ///
    /// # Errors
    ///
    /// `WriteZero` where the range passes the end, `PermissionDenied` for a device opened to be read; else as the
    /// system says. Then any part of `data` may have been written.
    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()>;

    /// Returns once everything written is on stable storage.
    ///
    /// # Errors
    ///
    /// As the system says; then nothing is known of the writes since the last flush.
    fn flush(&self) -> io::Result<()>;
}

impl<D: Device + ?Sized> Device for Arc<D> {
    fn size(&self) -> u64 {
        (**self).size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        (**self).read_at(offset, buffer)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        (**self).write_at(offset, data)
    }

    fn flush(&self) -> io::Result<()> {
        (**self).flush()
    }
}

/// Whether a device may be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// It is only read.
    Read,
    /// It is read and written.
    ReadWrite,
}

/// An image file or a block device.
#[derive(Debug)]
pub struct FileDevice {
    file: File,
    size: u64,
    access: Access,
}

impl FileDevice {
    /// Opens the file or block device at `path`.
    ///
    /// # Errors
    ///
    /// As the system says; `InvalidInput` for what is neither a file nor a block device.
    pub fn open(path: &Path, access: Access) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(access == Access::ReadWrite)
            .open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Self::of(file, access)
    }

    /// Takes a file or block device that is open already.
    ///
    /// # Errors
    ///
    /// Where its size cannot be told.
    pub fn of(mut file: File, access: Access) -> io::Result<Self> {
        // the length in the metadata of a block device is 0; its end tells
        let size = file.seek(SeekFrom::End(0))?;
        Ok(Self { file, size, access })
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(unix)]
fn write_all_at(file: &File, offset: u64, data: &[u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, data, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut offset: u64, mut buffer: &mut [u8]) -> io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                offset = offset.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
                buffer = buffer.get_mut(read..).unwrap_or_default();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(windows)]
fn write_all_at(file: &File, mut offset: u64, mut data: &[u8]) -> io::Result<()> {
    while !data.is_empty() {
        match std::os::windows::fs::FileExt::seek_write(file, data, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                offset = offset.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
                data = data.get(written..).unwrap_or_default();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether `len` bytes at `offset` lie within `size`.
fn within(size: u64, offset: u64, len: usize) -> bool {
    u64::try_from(len)
        .ok()
        .and_then(|len| offset.checked_add(len))
        .is_some_and(|end| end <= size)
}

impl Device for FileDevice {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        if !within(self.size, offset, buffer.len()) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        read_exact_at(&self.file, offset, buffer)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if self.access == Access::Read {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        if !within(self.size, offset, data.len()) {
            return Err(io::ErrorKind::WriteZero.into());
        }
        write_all_at(&self.file, offset, data)
    }

    fn flush(&self) -> io::Result<()> {
        match self.access {
            Access::Read => Ok(()),
            Access::ReadWrite => self.file.sync_data(),
        }
    }
}

/// A device in memory, for tests and for inputs that are no files.
pub struct MemDevice(RwLock<Vec<u8>>);

impl MemDevice {
    /// A device that holds these bytes.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(RwLock::new(bytes))
    }

    /// A copy of its bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for MemDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemDevice({} bytes)", self.size())
    }
}

/// The part of `bytes` that begins at `offset`, where all `len` of it exist.
fn range(offset: u64, len: usize) -> Option<std::ops::Range<usize>> {
    let start = usize::try_from(offset).ok()?;
    Some(start..start.checked_add(len)?)
}

impl Device for MemDevice {
    fn size(&self) -> u64 {
        let bytes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        u64::try_from(bytes.len()).unwrap_or(u64::MAX)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let bytes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let source = range(offset, buffer.len())
            .and_then(|range| bytes.get(range))
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(source);
        Ok(())
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut bytes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let target = range(offset, data.len())
            .and_then(|range| bytes.get_mut(range))
            .ok_or(io::ErrorKind::WriteZero)?;
        target.copy_from_slice(data);
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A part of a device: a partition of a disk.
#[derive(Debug)]
pub struct Slice<D> {
    whole: D,
    start: u64,
    size: u64,
}

impl<D: Device> Slice<D> {
    /// The `size` bytes from `start`, or as many of them as the device has.
    #[must_use]
    pub fn new(whole: D, start: u64, size: u64) -> Self {
        let size = size.min(whole.size().saturating_sub(start));
        Self { whole, start, size }
    }
}

impl<D: Device> Device for Slice<D> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        if !within(self.size, offset, buffer.len()) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.whole.read_at(self.start.saturating_add(offset), buffer)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if !within(self.size, offset, data.len()) {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.whole.write_at(self.start.saturating_add(offset), data)
    }

    fn flush(&self) -> io::Result<()> {
        self.whole.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(device: &dyn Device) {
        assert_eq!(device.size(), 8);
        let mut four = [0; 4];
        device.read_at(2, &mut four).unwrap();
        assert_eq!(&four, b"cdef");
        device.write_at(6, b"XY").unwrap();
        device.flush().unwrap();
        device.read_at(4, &mut four).unwrap();
        assert_eq!(&four, b"efXY");
        assert_eq!(
            device.read_at(5, &mut four).unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
        assert_eq!(
            device.write_at(7, b"ab").unwrap_err().kind(),
            io::ErrorKind::WriteZero
        );
        assert!(device.read_at(u64::MAX, &mut four).is_err());
    }

    #[test]
    fn every_device_reads_writes_and_ends_in_the_same_way() {
        judge(&MemDevice::new(b"abcdefgh".to_vec()));
        judge(&Slice::new(MemDevice::new(b"..abcdefgh...".to_vec()), 2, 8));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image");
        std::fs::write(&path, "abcdefgh").unwrap();
        judge(&FileDevice::open(&path, Access::ReadWrite).unwrap());
        let read_only = FileDevice::open(&path, Access::Read).unwrap();
        assert_eq!(
            read_only.write_at(0, b"a").unwrap_err().kind(),
            io::ErrorKind::PermissionDenied
        );
    }

    #[test]
    fn a_partition_that_leaves_the_disk_is_cut() {
        let slice = Slice::new(MemDevice::new(vec![0; 10]), 8, 100);
        assert_eq!(slice.size(), 2);
        assert_eq!(Slice::new(MemDevice::new(vec![0; 10]), 80, 100).size(), 0);
    }
}
