//! Which directory lacks which permission.

use std::path::Path;

use polylink_core::shown;
use polylink_host::facts;

use super::user;
use crate::place;

/// A path and what was to be done with it.
#[derive(Debug)]
pub(super) struct Need<'a> {
    pub(super) path: &'a Path,
    /// Whether its directory was to be changed.
    pub(super) change: bool,
}

/// Names the first directory on the way that refuses, and says what it lacks.
pub(super) fn hints<'a>(needs: impl Iterator<Item = Need<'a>>) -> Vec<String> {
    let mut hints: Vec<String> = Vec::new();
    for need in needs {
        if let Some(hint) = blocked(&need)
            && !hints.contains(&hint)
        {
            hints.push(hint);
        }
    }
    hints
}

fn blocked(need: &Need<'_>) -> Option<String> {
    let path = std::path::absolute(need.path).ok()?;
    let mut above: Vec<&Path> = path.ancestors().collect();
    above.reverse();
    for pair in above.windows(2) {
        if let Err(error) = std::fs::metadata(pair[1])
            && error.kind() == std::io::ErrorKind::PermissionDenied
        {
            return Some(lacks(pair[0], "go through it (x)"));
        }
    }
    let parent = place::parent(&path);
    if need.change && !may_write(parent) {
        return Some(lacks(parent, "change names in it (w and x)"));
    }
    if std::fs::read_dir(&path).is_err_and(|e| e.kind() == std::io::ErrorKind::PermissionDenied) {
        return Some(lacks(&path, "read it (r)"));
    }
    if std::fs::read_dir(parent).is_err_and(|e| e.kind() == std::io::ErrorKind::PermissionDenied) {
        return Some(lacks(parent, "read it (r)"));
    }
    None
}

fn lacks(dir: &Path, what: &str) -> String {
    format!(
        "'{}'{} does not let {} {what}",
        shown(dir),
        whose(dir).map_or_else(String::new, |whose| format!(" ({whose})")),
        user(facts::current_user())
    )
}

/// `owner root, rwxr-x---`.
#[cfg(unix)]
fn whose(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let data = std::fs::metadata(path).ok()?;
    Some(format!(
        "owner {}, {}",
        user(data.uid()),
        permissions(data.mode())
    ))
}

#[cfg(not(unix))]
fn whose(_path: &Path) -> Option<String> {
    None
}

/// Whether the owner's, the group's or the others' bits let us write; where that is not known, yes.
#[cfg(unix)]
fn may_write(dir: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let me = facts::current_user();
    match std::fs::metadata(dir) {
        Ok(_) if me == 0 => true,
        Ok(data) if data.uid() == me => data.mode() & 0o300 == 0o300,
        Ok(data) => data.mode() & 0o003 == 0o003 || data.mode() & 0o030 == 0o030,
        Err(_) => true,
    }
}

#[cfg(not(unix))]
fn may_write(_dir: &Path) -> bool {
    true
}

/// In a directory with the sticky bit one removes only what one owns.
#[cfg(unix)]
pub(super) fn sticky(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let parent = place::parent(path);
    let data = std::fs::metadata(parent).ok()?;
    (data.mode() & 0o1000 != 0).then(|| {
        format!(
            "'{}' has the sticky bit: only the owner of a file may remove or rename it there",
            shown(parent)
        )
    })
}

#[cfg(not(unix))]
pub(super) fn sticky(_path: &Path) -> Option<String> {
    None
}

/// `rwxr-x---`.
pub(crate) fn permissions(mode: u32) -> String {
    (0..9)
        .map(|bit| match mode & (0o400 >> bit) {
            0 => '-',
            _ => ['r', 'w', 'x'][bit % 3],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_read_as_ls_shows_them() {
        assert_eq!(permissions(0o100_750), "rwxr-x---");
        assert_eq!(permissions(0o644), "rw-r--r--");
    }
}
