//! What NT tells of one file.

use std::path::Path;

use polylink_core::{FileId, FsResult, Kind, Stat};
use polylink_nt::NtStatus;
use windows_sys::Wdk::Storage::FileSystem::{
    FILE_NON_DIRECTORY_FILE, FILE_OPEN, FILE_OPEN_FOR_BACKUP_INTENT, FILE_OPEN_REPARSE_POINT,
    FileAttributeTagInformation, FileBasicInformation, FileFsVolumeInformation, FileIdInformation,
    FileInternalInformation, FileStandardInformation,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ATTRIBUTE_DEVICE, FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_REPARSE_POINT, FILE_READ_ATTRIBUTES,
};

use super::call::{Aligned, File, Open, open};
use super::fault::lacks_class;
use super::path::to_nt;

/// Of the directory or file itself, never of what a reparse point leads to.
pub(super) const ITSELF: u32 = FILE_OPEN_REPARSE_POINT | FILE_OPEN_FOR_BACKUP_INTENT;
/// The same, and no directory.
pub(super) const FILE_ITSELF: u32 = ITSELF | FILE_NON_DIRECTORY_FILE;

/// How file ids are asked for on a volume. One volume has one way, or its ids could not be compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum IdForm {
    /// FILE_ID_INFORMATION: 128 bits, and 64 for the volume (Windows 8 and later).
    Wide,
    /// FILE_INTERNAL_INFORMATION: 64 bits; the volume's serial number of 32 bits stands in the volume's information.
    Narrow,
}

/// Opens a path of the user, links followed, to look at it.
pub(crate) fn open_path(path: &Path) -> FsResult<File> {
    let how = Open {
        access: FILE_READ_ATTRIBUTES,
        disposition: FILE_OPEN,
        options: FILE_OPEN_FOR_BACKUP_INTENT,
    };
    Ok(open(None, &to_nt(path)?, how)?)
}

/// Opens the name `name`, known to be one name, in a directory.
pub(super) fn open_units(dir: &File, name: &[u16], access: u32, options: u32) -> Result<File, NtStatus> {
    open(
        Some(dir),
        name,
        Open {
            access,
            disposition: FILE_OPEN,
            options,
        },
    )
}

/// The id of an open file, by the first form that its file system has.
pub(super) fn first_id(file: &File) -> FsResult<(FileId, IdForm)> {
    match wide_id(file) {
        Ok(id) => Ok((id, IdForm::Wide)),
        Err(status) if lacks_class(status) => {
            let mut volume = Aligned::<256>::new();
            // VolumeCreationTime: 8, VolumeSerialNumber: 4, and the label, which may be cut ([MS-FSCC] 2.5.9)
            match file.query_volume(FileFsVolumeInformation, &mut volume.0) {
                Ok(_) | Err(NtStatus::BUFFER_OVERFLOW) => {}
                Err(status) => return Err(status.into()),
            }
            let id = FileId {
                volume: volume.u32(8).into(),
                id: narrow_id(file)?,
            };
            Ok((id, IdForm::Narrow))
        }
        Err(status) => Err(status.into()),
    }
}

/// The id of an open file on a volume that is known.
pub(super) fn id(file: &File, volume: u64, form: IdForm) -> FsResult<FileId> {
    match form {
        IdForm::Wide => Ok(wide_id(file)?),
        IdForm::Narrow => Ok(FileId {
            volume,
            id: narrow_id(file)?,
        }),
    }
}

/// FILE_ID_INFORMATION: VolumeSerialNumber u64 at 0, FileId 128 bits at 8 (\[MS-FSCC\] 2.4.26).
fn wide_id(file: &File) -> Result<FileId, NtStatus> {
    let mut info = Aligned::<24>::new();
    file.query(FileIdInformation, &mut info.0)?;
    Ok(FileId {
        volume: info.u64(0),
        id: u128::from(info.u64(8)) | u128::from(info.u64(16)) << 64,
    })
}

/// FILE_INTERNAL_INFORMATION: IndexNumber u64 at 0 (\[MS-FSCC\] 2.4.27).
fn narrow_id(file: &File) -> FsResult<u128> {
    let mut info = Aligned::<8>::new();
    file.query(FileInternalInformation, &mut info.0)?;
    Ok(info.u64(0).into())
}

/// Times and attributes of an open file, as bytes that can be set again.
///
/// FILE_BASIC_INFORMATION: CreationTime 0, LastAccessTime 8, LastWriteTime 16, ChangeTime 24, each u64, and
/// FileAttributes u32 at 32 (\[MS-FSCC\] 2.4.7).
pub(super) fn basic(file: &File) -> Result<Aligned<40>, NtStatus> {
    let mut info = Aligned::<40>::new();
    file.query(FileBasicInformation, &mut info.0)?;
    Ok(info)
}

/// Where the attributes stand in what [`basic`] gives.
pub(super) const ATTRIBUTES: usize = 32;

/// FILE_STANDARD_INFORMATION: AllocationSize u64 at 0, EndOfFile u64 at 8, NumberOfLinks u32 at 16 (\[MS-FSCC\] 2.4.47).
pub(super) fn standard(file: &File) -> Result<Aligned<24>, NtStatus> {
    let mut info = Aligned::<24>::new();
    file.query(FileStandardInformation, &mut info.0)?;
    Ok(info)
}

/// How many names an open file has.
pub(super) fn links(file: &File) -> Result<u64, NtStatus> {
    Ok(standard(file)?.u32(16).into())
}

/// FILE_ATTRIBUTE_TAG_INFORMATION: FileAttributes u32 at 0, ReparseTag u32 at 4 (\[MS-FSCC\] 2.4.6).
pub(super) fn attributes_and_tag(file: &File) -> Result<(u32, u32), NtStatus> {
    let mut info = Aligned::<8>::new();
    file.query(FileAttributeTagInformation, &mut info.0)?;
    Ok((info.u32(0), info.u32(4)))
}

pub(super) fn stat(file: &File, volume: u64, form: IdForm) -> FsResult<Stat> {
    let basic = basic(file)?;
    let standard = standard(file)?;
    let attributes = basic.u32(ATTRIBUTES);
    let tag = if attributes & FILE_ATTRIBUTE_REPARSE_POINT == 0 {
        0
    } else {
        attributes_and_tag(file)?.1
    };
    Ok(Stat {
        id: id(file, volume, form)?,
        kind: kind(attributes, tag),
        links: standard.u32(16).into(),
        size: standard.u64(8),
        allocated: standard.u64(0),
        modified: time(basic.u64(16)),
        // a program may set NT's ChangeTime
        changed: None,
        // Any program may set a creation time, and a name that is used again within seconds gives it to the next file
        // (tunnelling, [MS-FSA]): it does not tell two files apart. The id does: NTFS counts up with each use of a
        // record.
        born: None,
        owner: None,
        mode: None,
        mount: None,
    })
}

/// 100 nanoseconds since 1601, as NT counts, in nanoseconds since 1970.
pub(super) fn time(filetime: u64) -> i128 {
    const SECONDS_1601_TO_1970: i128 = 11_644_473_600;
    i128::from(filetime) * 100 - SECONDS_1601_TO_1970 * 1_000_000_000
}

/// Set in the tags of reparse points that stand for another place (\[MS-FSCC\] 2.1.2.1, the N bit).
const NAME_SURROGATE: u32 = 0x2000_0000;
/// Sockets, pipes and devices of WSL (\[MS-FSCC\] 2.1.2.1).
const AF_UNIX: u32 = 0x8000_0023;
const LX_FIFO: u32 = 0x8000_0024;
const LX_CHR: u32 = 0x8000_0025;
const LX_BLK: u32 = 0x8000_0026;

/// What a file is. Reparse points that only store their data elsewhere (deduplicated, compressed, in the cloud) are
/// the files and directories that they seem to be.
pub(super) fn kind(attributes: u32, tag: u32) -> Kind {
    let reparse = attributes & FILE_ATTRIBUTE_REPARSE_POINT != 0;
    if reparse && tag & NAME_SURROGATE != 0 {
        Kind::Symlink
    } else if attributes & FILE_ATTRIBUTE_DEVICE != 0
        || reparse && matches!(tag, AF_UNIX | LX_FIFO | LX_CHR | LX_BLK)
    {
        Kind::Special
    } else if attributes & FILE_ATTRIBUTE_DIRECTORY != 0 {
        Kind::Directory
    } else {
        Kind::File
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_count_from_1970() {
        assert_eq!(time(116_444_736_000_000_000), 0);
        assert_eq!(time(116_444_736_000_000_001), 100);
        assert_eq!(time(0), -11_644_473_600_000_000_000);
    }

    #[test]
    fn name_surrogates_are_links_and_other_reparse_points_are_what_they_seem() {
        let (reparse, directory) = (FILE_ATTRIBUTE_REPARSE_POINT, FILE_ATTRIBUTE_DIRECTORY);
        let symlink = 0xA000_000C;
        let junction = 0xA000_0003;
        let dedup = 0x8000_0013;
        let cloud = 0x9000_001A;
        assert_eq!(kind(reparse, symlink), Kind::Symlink);
        assert_eq!(kind(reparse | directory, junction), Kind::Symlink);
        assert_eq!(kind(reparse, dedup), Kind::File);
        assert_eq!(kind(reparse | directory, cloud), Kind::Directory);
        assert_eq!(kind(reparse, AF_UNIX), Kind::Special);
        assert_eq!(
            kind(directory, symlink),
            Kind::Directory,
            "a tag without the attribute"
        );
    }
}
