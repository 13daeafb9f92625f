//! Replacing a name by a further name of another file, without a moment in which the name is gone.

use crate::error::FaultKind;
use crate::file::{Kind, Stat};
use crate::fs::{At, Existing, FsResult, LinkFs};
use crate::name::{Name, NameBuf};

/// What [`replace_with_link`] did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Replaced {
    /// The name was free: a plain link.
    Linked,
    /// The name led to this other file, as it was just before. With one link that was its last name.
    Replaced(Stat),
    /// The name already led to this file: nothing to do.
    Same,
}

const PREFIX: &[u8] = b".polylink-";
const SUFFIX: &[u8] = b".tmp";
/// A killed run leaves one temporary name; only where its file was then saved again each time are there several.
const MOST_LAST_NAMES: usize = 16;

/// FNV-1a, 64 bits: a hash for names on the disk, which must be the same in every version.
#[must_use]
pub fn stable_hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The temporary name beside `name` through which it is replaced. It is always the same one, so that a run that was
/// killed leaves nothing that the next one does not know.
#[must_use]
pub fn temporary_name(name: Name<'_>) -> NameBuf {
    hash_name(PREFIX, name, SUFFIX)
}

/// Whether a name has the form that [`temporary_name`] gives.
#[must_use]
pub fn is_temporary_name(name: Name<'_>) -> bool {
    is_hash_name(PREFIX, name, SUFFIX)
}

/// A name made of another name's hash, which spreads names well enough that two of one directory do not meet.
pub(crate) fn hash_name(prefix: &[u8], name: Name<'_>, suffix: &[u8]) -> NameBuf {
    let mut bytes = prefix.to_vec();
    bytes.extend_from_slice(format!("{:016x}", stable_hash(name.bytes())).as_bytes());
    bytes.extend_from_slice(suffix);
    bytes.into()
}

/// Whether a name has the form that [`hash_name`] gives.
pub(crate) fn is_hash_name(prefix: &[u8], name: Name<'_>, suffix: &[u8]) -> bool {
    name.bytes()
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_suffix(suffix))
        .is_some_and(|hash| hash.len() == 16 && hash.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}

/// Removes a temporary name that a killed run left, but never a file's last name.
///
/// # Errors
///
/// [`FaultKind::Exists`] where the name is the last of its file, or not that of a file; else as the file system says.
pub fn remove_temporary(fs: &dyn LinkFs, at: At<'_>) -> FsResult<()> {
    let stat = match fs.stat(at) {
        Err(fault) if fault.kind() == FaultKind::NotFound => return Ok(()),
        stat => stat?,
    };
    if stat.kind == Kind::Directory || stat.links < 2 {
        return Err(FaultKind::Exists.into());
    }
    fs.unlink(at)
}

/// Makes `new` a name of the file behind `existing`, whatever file it led to before: a link to a temporary name in the
/// same directory, a rename over `new`, and no temporary name afterwards.
///
/// # Errors
///
/// [`FaultKind::IsDirectory`] where `new` is a directory; else as [`LinkFs::link`] and [`LinkFs::rename`]. After an
/// error `new` leads where it led before.
pub fn replace_with_link(fs: &dyn LinkFs, existing: At<'_>, new: At<'_>) -> FsResult<Replaced> {
    match fs.link(existing, new) {
        Ok(()) => return Ok(Replaced::Linked),
        Err(fault) if fault.kind() == FaultKind::Exists => {}
        Err(fault) => return Err(fault),
    }
    let victim = fs.stat(new)?;
    if victim.kind == Kind::Directory {
        return Err(FaultKind::IsDirectory.into());
    }
    if fs.stat(existing)?.id == victim.id {
        return Ok(Replaced::Same);
    }
    replace_if(fs, existing, new, |_| true)?;
    Ok(Replaced::Replaced(victim))
}

/// Makes `new`, which exists, a name of the file behind `existing`, if `is_right` says so of the file that it leads
/// to: the question is put immediately before the name changes.
///
/// # Errors
///
/// [`FaultKind::Stale`] where `is_right` says no; else as [`replace_with_link`]. After an error `new` leads where it
/// led before.
pub fn replace_if(
    fs: &dyn LinkFs,
    existing: At<'_>,
    new: At<'_>,
    is_right: impl FnOnce(&Stat) -> bool,
) -> FsResult<()> {
    replace(fs, existing, new, |_, victim| Ok(is_right(&fs.stat(victim)?)))
}

/// As [`replace_if`], with the question put about both files: the one that takes the name over, which has its further
/// name by then, and the one that the name leads to.
///
/// # Errors
///
/// As [`replace_if`].
pub fn replace_if_both(
    fs: &dyn LinkFs,
    existing: At<'_>,
    new: At<'_>,
    is_right: impl FnOnce(&Stat, &Stat) -> bool,
) -> FsResult<()> {
    replace(fs, existing, new, |heir, victim| {
        Ok(is_right(&fs.stat(heir)?, &fs.stat(victim)?))
    })
}

fn replace(
    fs: &dyn LinkFs,
    existing: At<'_>,
    new: At<'_>,
    is_right: impl FnOnce(At<'_>, At<'_>) -> FsResult<bool>,
) -> FsResult<()> {
    let temporary = link_temporary(fs, existing, new)?;
    let temporary = At::new(new.dir, temporary.name());
    let renamed = match is_right(temporary, new) {
        Ok(true) => fs.rename(temporary, new, Existing::Replace),
        Ok(false) => Err(FaultKind::Stale.into()),
        Err(fault) => Err(fault),
    };
    // POSIX leaves both names where they came to be of one file meanwhile; after a failure it is there as well
    let removed = match fs.unlink(temporary) {
        Err(fault) if fault.kind() == FaultKind::NotFound => Ok(()),
        removed => removed,
    };
    renamed.and(removed)
}

/// Makes a temporary name beside `new`: the usual one, or, where that is the last name of some file and stays, the
/// usual one of that name.
fn link_temporary(fs: &dyn LinkFs, existing: At<'_>, new: At<'_>) -> FsResult<NameBuf> {
    let mut name = temporary_name(new.name);
    for _ in 0..MOST_LAST_NAMES {
        let at = At::new(new.dir, name.name());
        match fs.link(existing, at) {
            Err(fault) if fault.kind() == FaultKind::Exists => match remove_temporary(fs, at) {
                Err(fault) if fault.kind() == FaultKind::Exists => name = temporary_name(name.name()),
                removed => {
                    removed?;
                    return fs.link(existing, at).map(|()| name);
                }
            },
            linked => return linked.map(|()| name),
        }
    }
    Err(FaultKind::Exists.into())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::memfs::MemFs;

    fn setup() -> MemFs {
        let fs = MemFs::new();
        fs.create("/a", 1).unwrap();
        fs.create("/b", 2).unwrap();
        fs.link_path("/b", "/keep").unwrap();
        fs
    }

    #[test]
    fn the_name_leads_to_the_other_file_and_no_temporary_name_stays() {
        let fs = setup();
        let root = fs.open_dir("/".as_ref()).unwrap();
        let at = |name| At::new(&root, Name::new(name));
        assert!(
            matches!(replace_with_link(&fs, at("a"), at("b")).unwrap(), Replaced::Replaced(s) if s.links == 2)
        );
        assert_eq!(replace_with_link(&fs, at("a"), at("b")).unwrap(), Replaced::Same);
        assert_eq!(
            replace_with_link(&fs, at("a"), at("c")).unwrap(),
            Replaced::Linked
        );
        let names = fs.all_names();
        assert_eq!(names.len(), 4);
        assert_eq!(names[Path::new("/a")], names[Path::new("/b")]);
    }

    #[test]
    fn stopped_at_any_step_the_name_stays_and_the_next_run_leaves_no_temporary_name() {
        for steps in 0..4 {
            let fs = setup();
            let root = fs.open_dir("/".as_ref()).unwrap();
            let at = |name| At::new(&root, Name::new(name));
            fs.stop_after(Some(steps));
            let _ = replace_with_link(&fs, at("a"), at("b"));
            assert!(fs.all_names().contains_key(Path::new("/b")), "after {steps}");
            fs.stop_after(None);
            replace_with_link(&fs, at("a"), at("b")).unwrap();
            assert_eq!(fs.all_names().len(), 3, "after {steps}");
        }
    }

    #[test]
    fn a_foreign_file_under_the_temporary_name_is_not_touched() {
        let fs = setup();
        let temporary = temporary_name(Name::new("b"));
        assert!(is_temporary_name(temporary.name()) && !is_temporary_name(Name::new(".polylink-x.tmp")));
        fs.create(Path::new("/").join(temporary.name().to_os().unwrap()), 3)
            .unwrap();
        let root = fs.open_dir("/".as_ref()).unwrap();
        let at = |name| At::new(&root, Name::new(name));
        let foreign = fs.all_names()[&Path::new("/").join(temporary.name().to_os().unwrap())];
        assert!(matches!(
            replace_with_link(&fs, at("a"), at("b")),
            Ok(Replaced::Replaced(_))
        ));
        let names = fs.all_names();
        assert_eq!(names.len(), 4, "{names:?}");
        assert_eq!(
            names[&Path::new("/").join(temporary.name().to_os().unwrap())],
            foreign
        );
        assert_eq!(names[Path::new("/b")], names[Path::new("/a")]);
    }
}
