//! What a missing name may have been meant to be.

use std::path::{Path, PathBuf};

use polylink_core::shown;

/// The first part of a path that is not there: the directory that lacks it, and the name.
#[derive(Debug)]
pub(super) struct Missing {
    dir: PathBuf,
    name: std::ffi::OsString,
}

/// Finds where a path ends to exist; `None` where all of it is there.
pub(super) fn missing_part(path: &Path) -> Option<Missing> {
    let mut above: Vec<&Path> = path.ancestors().filter(|p| !p.as_os_str().is_empty()).collect();
    above.reverse();
    let gone = above.into_iter().find(|part| part.symlink_metadata().is_err())?;
    let dir = match gone.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.into(),
        _ => PathBuf::from("."),
    };
    Some(Missing {
        dir,
        name: gone.file_name()?.to_owned(),
    })
}

/// Says what is missing where, and what there is instead.
pub(super) fn hints(missing: &Missing) -> Vec<String> {
    let mut hints = Vec::new();
    let place = if missing.dir == Path::new(".") {
        "this directory".to_owned()
    } else {
        format!("'{}'", shown(&missing.dir))
    };
    match closest(missing) {
        Some(close) => hints.push(format!("did you mean '{}'?", shown(&close))),
        None => hints.push(format!("{place} has no '{}'", shown(Path::new(&missing.name)))),
    }
    hints
}

fn closest(missing: &Missing) -> Option<PathBuf> {
    let entries = std::fs::read_dir(&missing.dir).ok()?;
    let wanted: Vec<char> = missing
        .name
        .to_string_lossy()
        .to_lowercase()
        .chars()
        .take(100)
        .collect();
    let most = (wanted.len() / 4).clamp(1, 3);
    let mut best: Option<(usize, String, PathBuf)> = None;
    // a bound, so that a hint is never slow
    for entry in entries.take(20_000).flatten() {
        let name = entry.file_name();
        let text = name.to_string_lossy().into_owned();
        let candidate: Vec<char> = text.to_lowercase().chars().collect();
        if candidate.len().abs_diff(wanted.len()) > most {
            continue;
        }
        let far = distance(&wanted, &candidate);
        if far <= most && far < wanted.len() && best.as_ref().is_none_or(|(d, t, _)| (far, &text) < (*d, t)) {
            let path = if missing.dir == Path::new(".") {
                PathBuf::from(name)
            } else {
                missing.dir.join(name)
            };
            best = Some((far, text, path));
        }
    }
    best.map(|(_, _, path)| path)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one into the other.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = match (i, j) {
                (0, n) | (n, 0) => n,
                _ => {
                    let cost = usize::from(a[i - 1] != b[j - 1]);
                    let mut best = (rows[i - 1][j - 1] + cost)
                        .min(rows[i - 1][j] + 1)
                        .min(rows[i][j - 1] + 1);
                    if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                        best = best.min(rows[i - 2][j - 2] + 1);
                    }
                    best
                }
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_edits_and_swaps() {
        let far = |a: &str, b: &str| distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        assert_eq!(far("photos", "photos"), 0);
        assert_eq!(far("photos", "phtoos"), 1);
        assert_eq!(far("photos", "photo"), 1);
        assert_eq!(far("", "abc"), 3);
    }

    #[test]
    fn a_misspelt_directory_is_found() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("Photos")).unwrap();
        std::fs::create_dir(folder.path().join("music")).unwrap();
        let missing = missing_part(&folder.path().join("phtos/2007/a.jpg")).unwrap();
        assert_eq!(closest(&missing), Some(folder.path().join("Photos")));
        let missing = missing_part(&folder.path().join("nothing like it")).unwrap();
        assert!(hints(&missing)[0].contains("has no 'nothing like it'"));
        assert!(missing_part(folder.path()).is_none());
    }
}
