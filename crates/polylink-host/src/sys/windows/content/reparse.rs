//! What symbolic links and junctions lead to.

use polylink_core::{FaultKind, FsResult, Name};
use polylink_nt::NtStatus;
use polylink_nt::name::wtf8_of_units;
use windows_sys::Win32::Storage::FileSystem::FILE_READ_ATTRIBUTES;
use windows_sys::Win32::System::Ioctl::FSCTL_GET_REPARSE_POINT;

use super::super::call::{Aligned, u32_at, units};
use super::super::dir::HostDir;
use super::super::stat::ITSELF;

const SYMLINK: u32 = 0xA000_000C;
const JUNCTION: u32 = 0xA000_0003;
/// MAXIMUM_REPARSE_DATA_BUFFER_SIZE.
const LONGEST: usize = 16 << 10;

pub(super) fn target(dir: &HostDir, name: Name<'_>) -> FsResult<Vec<u8>> {
    let file = dir.open(name, FILE_READ_ATTRIBUTES, ITSELF)?;
    let mut data = Aligned::<LONGEST>::new();
    let filled = match file.control(FSCTL_GET_REPARSE_POINT, &[], &mut data.0) {
        Err(status) if is_none(status) => return Err(FaultKind::NameInvalid.into()),
        filled => filled?,
    };
    match parse(&data.0[..filled]) {
        Some(path) => Ok(wtf8_of_units(&path)),
        None => Err(FaultKind::NameInvalid.into()),
    }
}

/// No reparse point, or a file system without them.
fn is_none(status: NtStatus) -> bool {
    status == NtStatus::NOT_A_REPARSE_POINT || super::lacks_class(status)
}

/// REPARSE_DATA_BUFFER: ReparseTag u32 at 0; of both kinds SubstituteNameOffset u16 at 8, SubstituteNameLength at 10,
/// PrintNameOffset at 12, PrintNameLength at 14, in bytes; the names from 20 on for a symbolic link, from 16 on for a
/// junction (\[MS-FSCC\] 2.1.2.4 and 2.1.2.5). The name for people, or where there is none the other.
fn parse(data: &[u8]) -> Option<Vec<u16>> {
    let names = match u32_at(data, 0)? {
        SYMLINK => 20,
        JUNCTION => 16,
        _ => return None,
    };
    let field = |at: usize| Some(usize::from(u16::from_le_bytes(*data.get(at..)?.first_chunk()?)));
    let name = |at: usize| {
        let (offset, len) = (field(at)?, field(at + 2)?);
        Some(units(data.get(names + offset..)?.get(..len)?))
    };
    let (substitute, print) = (name(8)?, name(12)?);
    Some(if print.is_empty() { substitute } else { print })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(tag: u32, header: usize, substitute: &str, print: &str) -> Vec<u8> {
        let bytes = |text: &str| {
            text.encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<u8>>()
        };
        let (substitute, print) = (bytes(substitute), bytes(print));
        let mut data = vec![0; header];
        data[..4].copy_from_slice(&tag.to_le_bytes());
        let fields = [0, substitute.len(), substitute.len(), print.len()];
        for (index, field) in fields.into_iter().enumerate() {
            data[8 + index * 2..10 + index * 2].copy_from_slice(&u16::try_from(field).unwrap().to_le_bytes());
        }
        data.extend(substitute);
        data.extend(print);
        data
    }

    #[test]
    fn links_lead_where_they_say() {
        let shown = |data: &[u8]| parse(data).map(|path| String::from_utf16(&path).unwrap());
        let symlink = link(SYMLINK, 20, r"\??\C:\a", r"C:\a");
        assert_eq!(shown(&symlink).as_deref(), Some(r"C:\a"));
        let junction = link(JUNCTION, 16, r"\??\C:\b", "");
        assert_eq!(shown(&junction).as_deref(), Some(r"\??\C:\b"));
        assert_eq!(shown(&link(0x8000_0017, 20, "a", "b")), None);
        for len in 0..symlink.len() {
            assert_eq!(shown(&symlink[..len]), None, "{len}");
        }
    }
}
