//! From where a path leads, and what Win32 makes of one.

use polylink_nt::door::{PathKind, path_kind};
use polylink_nt::name::trimmed_by_win32;

use super::NtVolume;

pub(super) const BACKSLASH: u16 = 0x5C;
const SLASH: u16 = 0x2F;
const COLON: u16 = 0x3A;

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// The parts of a path between its backslashes.
pub(super) fn components(path: &[u16]) -> impl Iterator<Item = &[u16]> {
    path.split(|unit| *unit == BACKSLASH)
        .filter(|component| !component.is_empty())
}

/// The path without its last component, and that.
pub(super) fn split(path: &[u16]) -> (&[u16], &[u16]) {
    match path.iter().rposition(|unit| *unit == BACKSLASH) {
        Some(at) => {
            let (directory, last) = path.split_at(at);
            (directory, last.get(1..).unwrap_or_default())
        }
        None => (&[], path),
    }
}

impl NtVolume {
    /// The path from the volume's root of an absolute NT path; `None` where it is on another device.
    ///
    /// A path that begins with `\??\` names a device; any other begins at the root of this volume.
    pub(super) fn here<'a>(&self, path: &'a [u16]) -> Option<&'a [u16]> {
        let dos_devices: &[u16] = &[BACKSLASH, 0x3F, 0x3F, BACKSLASH];
        let Some(rest) = path.strip_prefix(dos_devices) else {
            return Some(path);
        };
        match rest {
            [letter, COLON, rest @ ..] if rest.first().is_none_or(|unit| *unit == BACKSLASH) => {
                let upcase = self.writer.upcase();
                upcase.same(&[*letter], &[self.drive]).then_some(rest)
            }
            _ => None,
        }
    }

    /// NT's form of a path that was passed to Win32. There is no current directory: what is relative begins at the
    /// root.
    pub(super) fn nt_path(&self, path: &[u16]) -> Vec<u16> {
        let drive = vec![self.drive, COLON];
        let (root, rest) = match path_kind(path) {
            PathKind::Verbatim => {
                let rest = path.get(4..).unwrap_or_default();
                return [units(r"\??\"), rest.to_vec()].concat();
            }
            PathKind::Device => (Vec::new(), path.get(4..).unwrap_or_default()),
            PathKind::Unc => (units("UNC"), path.get(2..).unwrap_or_default()),
            PathKind::DriveAbsolute | PathKind::DriveRelative => {
                let (drive, rest) = path.split_at_checked(2).unwrap_or((path, &[]));
                (drive.to_vec(), rest)
            }
            PathKind::Rooted | PathKind::Relative => (drive, path),
        };
        let separators = |unit: &u16| *unit == BACKSLASH || *unit == SLASH;
        let mut parts: Vec<&[u16]> = Vec::new();
        for part in rest.split(separators) {
            let dots = part.iter().all(|unit| *unit == u16::from(b'.'));
            match part.len() {
                0 => {}
                1 if dots => {}
                2 if dots => {
                    parts.pop();
                }
                _ => parts.push(trimmed_by_win32(part)),
            }
        }
        let mut nt = [units(r"\??\"), root].concat();
        for part in parts {
            if nt.last() != Some(&BACKSLASH) {
                nt.push(BACKSLASH);
            }
            nt.extend_from_slice(part);
        }
        if rest.last().is_some_and(separators) {
            nt.push(BACKSLASH);
        }
        nt
    }
}
