//! What NT tells of a volume.

use polylink_core::{CaseRule, FsResult, HardLinks, NameRules, NameUnit, VolumeInfo};
use polylink_nt::NtStatus;
use windows_sys::Wdk::Storage::FileSystem::{
    FileCaseSensitiveInformation, FileFsAttributeInformation, FileFsDeviceInformation,
    FileFsFullSizeInformation,
};
use windows_sys::Wdk::System::SystemServices::FILE_REMOTE_DEVICE;
use windows_sys::Win32::System::SystemServices::{
    FILE_CS_FLAG_CASE_SENSITIVE_DIR, FILE_READ_ONLY_VOLUME, FILE_SUPPORTS_HARD_LINKS,
};

use super::call::{Aligned, File, units};
use super::dir::HostDir;

/// The names that one file can have on NTFS (\[MS-FSA\] 2.1.5.15.7: 1,024 links).
const NTFS_NAMES: u64 = 1024;
/// Where the system does not say: as on NTFS.
const LONGEST_NAME: usize = 255;

/// What a file lies on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Device {
    /// The file system's name, such as `NTFS`.
    pub(crate) kind: String,
    /// Its attributes (\[MS-FSCC\] 2.5.1).
    pub(crate) attributes: u32,
    /// The longest name, in UTF-16 units.
    pub(crate) longest_name: usize,
    /// Whether it is on another machine.
    pub(crate) remote: bool,
}

impl Device {
    pub(crate) fn of(file: &File) -> FsResult<Self> {
        // FileSystemAttributes u32 at 0, MaximumComponentNameLength at 4, FileSystemNameLength at 8 in bytes, the name
        let mut info = Aligned::<544>::new();
        match file.query_volume(FileFsAttributeInformation, &mut info.0) {
            Ok(_) | Err(NtStatus::BUFFER_OVERFLOW) => {}
            Err(status) => return Err(status.into()),
        }
        let name = &info.0[12..];
        let name = &name[..name.len().min(info.u32(8) as usize)];
        // DeviceType u32 at 0, Characteristics u32 at 4 ([MS-FSCC] 2.5.10)
        let mut device = Aligned::<8>::new();
        file.query_volume(FileFsDeviceInformation, &mut device.0)?;
        Ok(Self {
            kind: String::from_utf16_lossy(&units(name)),
            attributes: info.u32(0),
            longest_name: match info.u32(4) as usize {
                0 => LONGEST_NAME,
                units => units,
            },
            remote: device.u32(4) & FILE_REMOTE_DEVICE != 0,
        })
    }

    /// Whether a file keeps its id for as long as it exists, and directories hold it.
    pub(super) fn keeps_ids(&self) -> bool {
        matches!(self.kind.as_str(), "NTFS" | "ReFS")
    }

    pub(crate) fn read_only(&self) -> bool {
        self.attributes & FILE_READ_ONLY_VOLUME != 0
    }

    fn hard_links(&self) -> HardLinks {
        // the attribute exists since Windows 7; without it nobody knows, but where they cannot be
        if self.attributes & FILE_SUPPORTS_HARD_LINKS != 0 {
            HardLinks::Yes
        } else if matches!(
            self.kind.as_str(),
            "FAT" | "FAT12" | "FAT16" | "FAT32" | "exFAT" | "CDFS"
        ) {
            HardLinks::No
        } else {
            HardLinks::Unknown
        }
    }
}

pub(super) fn volume(dir: &HostDir) -> FsResult<VolumeInfo> {
    let device = Device::of(&dir.file)?;
    // TotalAllocationUnits 0, CallerAvailable 8, ActualAvailable 16, each u64; SectorsPerAllocationUnit u32 at 24,
    // BytesPerSector u32 at 28 ([MS-FSCC] 2.5.4)
    let mut space = Aligned::<32>::new();
    dir.file.query_volume(FileFsFullSizeInformation, &mut space.0)?;
    let unit = u64::from(space.u32(24)) * u64::from(space.u32(28));
    let bytes = |at| space.u64(at).checked_mul(unit).filter(|_| space.u64(0) > 0);
    Ok(VolumeInfo {
        volume: dir.volume,
        total: bytes(0),
        free: bytes(16),
        available: bytes(8),
        link_limit: (device.kind == "NTFS").then_some(NTFS_NAMES),
        hard_links: device.hard_links(),
        names: NameRules {
            case: case_rule(&dir.file),
            max_len: device.longest_name,
            unit: NameUnit::Utf16,
        },
        dir_ids: dir.ids,
        read_only: device.read_only(),
        kind: device.kind,
    })
}

/// The rule of this directory: one can be made case-sensitive on its own (FILE_CASE_SENSITIVE_INFORMATION, since
/// Windows 10). Where the system does not know that, none is.
pub(super) fn case_rule(dir: &File) -> CaseRule {
    let mut flags = Aligned::<4>::new();
    match dir.query(FileCaseSensitiveInformation, &mut flags.0) {
        Ok(_) if flags.u32(0) & FILE_CS_FLAG_CASE_SENSITIVE_DIR != 0 => CaseRule::Sensitive,
        _ => CaseRule::Upcased,
    }
}
