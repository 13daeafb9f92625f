//! Paths and names between Rust, Win32 and NT.

use std::ffi::OsString;
use std::os::windows::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use polylink_core::{Fault, FsResult, Name};
use polylink_nt::NtStatus;
use polylink_nt::name::units_of_wtf8;

use super::call;
use super::fault::win32;

const SLASH: u16 = b'\\' as u16;
/// Longer paths are refused or cut by Win32 unless they begin with `\\?\` (a directory must leave room for an 8.3
/// name in it: 248, not 260).
const LONG: usize = 248;

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn strip<'a>(path: &'a [u16], prefix: &str) -> Option<&'a [u16]> {
    path.strip_prefix(units(prefix).as_slice())
}

fn joined(prefix: &str, rest: &[u16]) -> Vec<u16> {
    let mut path = units(prefix);
    path.extend_from_slice(rest);
    path
}

/// A path of the user as NT wants it, `\??\C:\…`: absolute, with the rules of Win32 for slashes, dots and devices
/// applied unless it is already in the form `\\?\…`. No length is too long here.
pub(crate) fn to_nt(path: &Path) -> FsResult<Vec<u16>> {
    let given: Vec<u16> = path.as_os_str().encode_wide().collect();
    if given.is_empty() {
        return Err(NtStatus::OBJECT_PATH_NOT_FOUND.into());
    }
    if let Some(rest) = strip(&given, r"\\?\") {
        return Ok(joined(r"\??\", rest));
    }
    if strip(&given, r"\??\").is_some() {
        return Ok(given);
    }
    let full = call::full_path(&given).map_err(win32)?;
    for prefix in [r"\\?\", r"\\.\"] {
        if let Some(rest) = strip(&full, prefix) {
            return Ok(joined(r"\??\", rest));
        }
    }
    Ok(match strip(&full, r"\\") {
        Some(rest) => joined(r"\??\UNC\", rest),
        None => joined(r"\??\", &full),
    })
}

/// A path of the user for a call of Win32: as it is where it is short, in the form `\\?\…` where it is not.
pub(crate) fn to_win32(path: &Path) -> FsResult<Vec<u16>> {
    let given: Vec<u16> = path.as_os_str().encode_wide().collect();
    if strip(&given, r"\\?\").is_some() || given.is_empty() {
        return Ok(given);
    }
    let full = call::full_path(&given).map_err(win32)?;
    Ok(if full.len() < LONG || strip(&full, r"\\?\").is_some() {
        given
    } else if let Some(rest) = strip(&full, r"\\.\") {
        joined(r"\\?\", rest)
    } else if let Some(rest) = strip(&full, r"\\") {
        joined(r"\\?\UNC\", rest)
    } else {
        joined(r"\\?\", &full)
    })
}

/// A path in NT's form `\??\…` as Win32 takes it unchanged, `\\?\…`; `None` for another path of NT.
pub(crate) fn verbatim(path: &[u16]) -> Option<Vec<u16>> {
    Some(joined(r"\\?\", strip(path, r"\??\")?))
}

/// A path in NT's form, cut before its last component; `None` where it has no two.
pub(crate) fn split_nt(path: &[u16]) -> Option<(&[u16], &[u16])> {
    let slash = path.iter().rposition(|&unit| unit == SLASH)?;
    let (parent, name) = (&path[..slash], &path[slash + 1..]);
    // a volume's root keeps its slash: without it, it would be the volume
    let parent = if parent.last() == Some(&u16::from(b':')) {
        &path[..=slash]
    } else {
        parent
    };
    (!name.is_empty() && parent.len() > 4).then_some((parent, name))
}

/// The units of one name. What NT would take apart or for something else is no name: a stream must not be reached by
/// the name of an entry, nor another directory.
pub(crate) fn name_units(name: Name<'_>) -> FsResult<Vec<u16>> {
    let invalid: Fault = NtStatus::OBJECT_NAME_INVALID.into();
    let units = units_of_wtf8(name.bytes()).ok_or(invalid)?;
    let forbidden = |&unit: &u16| matches!(u8::try_from(unit), Ok(0 | b'\\' | b'/' | b':'));
    let dots = matches!(name.bytes(), b"" | b"." | b"..");
    if dots || units.iter().any(forbidden) {
        Err(invalid)
    } else {
        Ok(units)
    }
}

/// Units as a path.
pub(crate) fn to_path(units: &[u16]) -> PathBuf {
    OsString::from_wide(units).into()
}

/// A path that the system gave in the form `\\?\…`, as people write it; unchanged where only that form means it: where
/// it is long, or has a component that Win32 would change.
pub(crate) fn plain(path: &[u16]) -> PathBuf {
    let short = match strip(path, r"\\?\") {
        None => return to_path(path),
        Some(rest) => match strip(rest, r"UNC\") {
            Some(share) => joined(r"\\", share),
            None if matches!(rest, [letter, colon, ..]
                if is_letter(*letter) && *colon == u16::from(b':')) =>
            {
                rest.to_vec()
            }
            None => return to_path(path),
        },
    };
    let means_the_same = short.len() < LONG
        && short
            .split(|&unit| unit == SLASH)
            .all(|component| !is_changed_by_win32(component));
    to_path(if means_the_same { &short } else { path })
}

fn is_letter(unit: u16) -> bool {
    u8::try_from(unit).is_ok_and(|byte| byte.is_ascii_alphabetic())
}

/// Whether Win32 would read a component as something else: a device, or without its last dots and spaces.
fn is_changed_by_win32(component: &[u16]) -> bool {
    let text = String::from_utf16_lossy(component);
    let stem = text
        .split(['.', ':'])
        .next()
        .unwrap_or_default()
        .trim_end_matches(' ');
    let numbered = |name: &str| {
        stem.get(..3)
            .is_some_and(|start| start.eq_ignore_ascii_case(name))
            && matches!(
                stem.get(3..),
                Some(
                    "0" | "1"
                        | "2"
                        | "3"
                        | "4"
                        | "5"
                        | "6"
                        | "7"
                        | "8"
                        | "9"
                        | "\u{b9}"
                        | "\u{b2}"
                        | "\u{b3}"
                )
            )
    };
    let device = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
        .iter()
        .any(|name| stem.eq_ignore_ascii_case(name));
    device || numbered("COM") || numbered("LPT") || text.ends_with(['.', ' ']) || text.contains('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nt(path: &str) -> String {
        String::from_utf16(&to_nt(path.as_ref()).unwrap()).unwrap()
    }

    #[test]
    fn paths_become_absolute_and_get_nts_prefix() {
        assert_eq!(nt(r"C:\a\b"), r"\??\C:\a\b");
        assert_eq!(nt("C:/a/./x/../b"), r"\??\C:\a\b");
        assert_eq!(nt(r"\\server\share\a"), r"\??\UNC\server\share\a");
        assert_eq!(nt(r"\\?\C:\a. "), r"\??\C:\a. ");
        assert_eq!(nt(r"\\?\UNC\server\share"), r"\??\UNC\server\share");
        assert_eq!(nt(r"C:\a. "), r"\??\C:\a", "Win32 cuts these off");
        let long = format!(r"C:\{}", ["twenty characters..x"; 30].join("\\"));
        assert_eq!(nt(&long), format!(r"\??\{long}"));
        let here = std::env::current_dir().unwrap();
        assert_eq!(nt("x"), format!(r"\??\{}", here.join("x").to_str().unwrap()));
        assert!(to_nt("".as_ref()).is_err());
        assert!(to_nt("a\0b".as_ref()).is_err());
    }

    #[test]
    fn only_long_paths_are_rewritten_for_win32() {
        let win32 = |path: &str| String::from_utf16(&to_win32(path.as_ref()).unwrap()).unwrap();
        assert_eq!(win32(r"C:\a\b"), r"C:\a\b");
        assert_eq!(win32("a"), "a");
        let long = ["twenty characters..x"; 20].join("\\");
        assert_eq!(win32(&format!(r"C:\{long}")), format!(r"\\?\C:\{long}"));
        assert_eq!(win32(&format!(r"\\s\{long}")), format!(r"\\?\UNC\s\{long}"));
        assert_eq!(win32(&format!(r"\\?\C:\{long}")), format!(r"\\?\C:\{long}"));
    }

    #[test]
    fn a_path_of_nt_splits_before_its_last_name() {
        let split = |path: &str| {
            split_nt(&units(path)).map(|(parent, name)| {
                (
                    String::from_utf16(parent).unwrap(),
                    String::from_utf16(name).unwrap(),
                )
            })
        };
        let some = |parent: &str, name: &str| Some((parent.to_owned(), name.to_owned()));
        assert_eq!(split(r"\??\C:\a\b"), some(r"\??\C:\a", "b"));
        assert_eq!(split(r"\??\C:\a"), some(r"\??\C:\", "a"));
        assert_eq!(split(r"\??\C:\"), None);
        assert_eq!(split(r"\??\C:"), None);
    }

    #[test]
    fn what_nt_would_take_apart_is_no_name() {
        for name in [
            &b"a\\b"[..],
            b"a/b",
            b"a:stream",
            b"a\0",
            b".",
            b"..",
            b"",
            b"\xff",
            b"\xED\xA0\xBD\xED\xB4\xA5",
        ] {
            let fault = name_units(Name::new(name)).unwrap_err();
            assert_eq!(fault, NtStatus::OBJECT_NAME_INVALID.into(), "{name:?}");
        }
    }

    #[test]
    fn a_systems_path_is_shown_plainly_where_that_means_the_same() {
        let plain = |path: &str| plain(&units(path)).into_os_string().into_string().unwrap();
        assert_eq!(plain(r"\\?\C:\a\b c"), r"C:\a\b c");
        assert_eq!(plain(r"\\?\C:\"), r"C:\");
        assert_eq!(plain(r"\\?\UNC\server\share\a"), r"\\server\share\a");
        for only in [
            r"\\?\C:\a.",
            r"\\?\C:\a \b",
            r"\\?\C:\nul.txt",
            r"\\?\C:\Com1\a",
            r"\\?\C:\aux",
            r"\\?\Volume{0}\a",
        ] {
            assert_eq!(plain(only), only);
        }
        assert_eq!(plain(r"\\?\C:\comma\console"), r"C:\comma\console");
        let long = format!(r"\\?\C:\{}", "x".repeat(250));
        assert_eq!(plain(&long), long);
    }
}
