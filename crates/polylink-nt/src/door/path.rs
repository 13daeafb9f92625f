//! What kind of path somebody passed to Win32.

use crate::NtStatus;
use crate::decide::TrailingBackslash;
use crate::name::is_dos_device;

/// The longest path that Win32 takes without `\\?\`, in UTF-16 units with the NUL at its end.
pub const MAX_PATH: usize = 260;

const BACKSLASH: u16 = b'\\' as u16;
const COLON: u16 = b':' as u16;
const DOT: u16 = b'.' as u16;
const QUESTION: u16 = b'?' as u16;

/// Whether a program and its system take paths of [`MAX_PATH`] and more.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum LongPaths {
    /// Only behind `\\?\`.
    #[default]
    Verbatim,
    /// Anywhere (Windows 10 from version 1607, for programs whose manifest says so).
    Anywhere,
}

/// From where a path leads (Windows API, "Naming Files, Paths, and Namespaces"; the kinds are those of
/// `RtlDetermineDosPathNameType_U`, with `\\?\` told apart).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PathKind {
    /// `name`, `dir\name`, and the empty path.
    Relative,
    /// `C:name`: from that drive's current directory.
    DriveRelative,
    /// `C:\name`.
    DriveAbsolute,
    /// `\name`: from the root of the current drive.
    Rooted,
    /// `\\server\share\name`.
    Unc,
    /// `\\.\name`.
    Device,
    /// `\\?\C:\name`: taken as it is.
    Verbatim,
}

/// From where a path leads. `/` separates as `\` does, but not in front of a verbatim path.
#[must_use]
pub fn path_kind(path: &[u16]) -> PathKind {
    let separator = |at: usize| path.get(at).copied().is_some_and(is_separator);
    match path {
        [BACKSLASH, BACKSLASH, QUESTION, BACKSLASH, ..] => PathKind::Verbatim,
        [_, _, DOT | QUESTION, rest @ ..]
            if separator(0) && separator(1) && rest.first().is_none_or(|unit| is_separator(*unit)) =>
        {
            PathKind::Device
        }
        [_, ..] if separator(0) && separator(1) => PathKind::Unc,
        [_, ..] if separator(0) => PathKind::Rooted,
        [_, COLON, ..] if separator(2) => PathKind::DriveAbsolute,
        [_, COLON, ..] => PathKind::DriveRelative,
        _ => PathKind::Relative,
    }
}

/// Whether Win32 takes the path for a device, such as `C:\dir\nul.txt` and `\\.\NUL`.
#[must_use]
pub fn is_device(path: &[u16]) -> bool {
    let last = match path.iter().rposition(|unit| is_separator(*unit)) {
        Some(at) => &path[at + 1..],
        None => path,
    };
    match path_kind(path) {
        PathKind::Verbatim | PathKind::Unc => false,
        PathKind::Device => path.get(4..).is_some_and(is_dos_device),
        PathKind::DriveRelative => last.get(2..).is_some_and(is_dos_device) || is_dos_device(last),
        PathKind::Relative | PathKind::DriveAbsolute | PathKind::Rooted => is_dos_device(last),
    }
}

/// A path of which NT's form can be made.
///
/// # Errors
///
/// `OBJECT_PATH_NOT_FOUND` for none (NULL), for an empty one or one of spaces, and for one that is too long.
pub(super) fn convertible(path: Option<&[u16]>, long_paths: LongPaths) -> Result<&[u16], NtStatus> {
    let path = path.ok_or(NtStatus::OBJECT_PATH_NOT_FOUND)?;
    let blank = path.iter().all(|unit| *unit == u16::from(b' '));
    let limited = long_paths == LongPaths::Verbatim && path_kind(path) != PathKind::Verbatim;
    if blank || (limited && path.len() >= MAX_PATH) {
        return Err(NtStatus::OBJECT_PATH_NOT_FOUND);
    }
    Ok(path)
}

/// How the path ends.
pub(super) fn trailing_backslash(path: &[u16]) -> TrailingBackslash {
    match path.last() {
        Some(unit) if is_separator(*unit) => TrailingBackslash::Present,
        _ => TrailingBackslash::Absent,
    }
}

fn is_separator(unit: u16) -> bool {
    unit == BACKSLASH || unit == u16::from(b'/')
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn units(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn each_kind_of_path_is_told_by_its_start() {
        let kinds = [
            ("", PathKind::Relative),
            ("name", PathKind::Relative),
            (r"dir\name", PathKind::Relative),
            ("C:", PathKind::DriveRelative),
            ("C:name", PathKind::DriveRelative),
            (r"C:\", PathKind::DriveAbsolute),
            ("C:/name", PathKind::DriveAbsolute),
            (r"\name", PathKind::Rooted),
            ("/name", PathKind::Rooted),
            (r"\", PathKind::Rooted),
            (r"\\", PathKind::Unc),
            (r"\\server\share", PathKind::Unc),
            ("//server/share", PathKind::Unc),
            (r"\\?server\share", PathKind::Unc),
            (r"\\.\NUL", PathKind::Device),
            (r"\\.", PathKind::Device),
            ("//?/C:/name", PathKind::Device),
            (r"\\?\C:\name", PathKind::Verbatim),
            (r"\\?\UNC\server\share", PathKind::Verbatim),
        ];
        for (path, kind) in kinds {
            assert_eq!(path_kind(&units(path)), kind, "{path}");
        }
    }

    #[test]
    fn a_device_is_known_by_its_last_component() {
        for path in [
            "NUL",
            "nul.txt",
            r"C:\dir\CON",
            "C:AUX",
            r"\\.\NUL",
            "dir/com1",
            "LPT1:",
        ] {
            assert!(is_device(&units(path)), "{path}");
        }
        let names = [
            "NULL",
            r"NUL\name",
            r"\\?\C:\NUL",
            r"\\server\share\NUL",
            r"\\.\C:\dir\NUL",
            "",
            "C:",
        ];
        for path in names {
            assert!(!is_device(&units(path)), "{path}");
        }
    }

    #[test]
    fn a_path_of_260_units_with_its_nul_is_the_longest() {
        let longest = units(&"x".repeat(259));
        let longer = units(&"x".repeat(260));
        assert!(convertible(Some(&longest), LongPaths::Verbatim).is_ok());
        let refused = convertible(Some(&longer), LongPaths::Verbatim);
        assert_eq!(refused, Err(NtStatus::OBJECT_PATH_NOT_FOUND));
        assert!(convertible(Some(&longer), LongPaths::Anywhere).is_ok());
        let verbatim = units(&std::format!(r"\\?\C:\{}", "x".repeat(300)));
        assert!(convertible(Some(&verbatim), LongPaths::Verbatim).is_ok());
    }
}
