//! The trees that are measured.

use std::fs;
use std::path::{Path, PathBuf};

use crate::shell::{Context as _, Result};

/// Makes twenty years of twelve months with `count` files of a few hundred bytes; no two have the same name.
///
/// # Errors
///
/// Where the disk refuses.
pub(crate) fn make(root: &Path, count: usize) -> Result {
    let months = 20 * 12;
    for month in 0..months {
        let dir = root.join(format!("{}/{:02}", 2001 + month / 12, 1 + month % 12));
        fs::create_dir_all(&dir).at(&dir)?;
        let (first, end) = (count * month / months, count * (month + 1) / months);
        for at in first..end {
            let file = dir.join(format!(
                "img_{}{:02}_{at:07}.jpg",
                2001 + month / 12,
                1 + month % 12
            ));
            fs::write(&file, vec![b'x'; 200 + at % 300]).at(&file)?;
        }
    }
    Ok(())
}

/// Every file below a folder, folder by folder, in the order in which the directories hold them.
pub(crate) fn files(dir: &Path, found: &mut Vec<PathBuf>) -> Result {
    let mut below = Vec::new();
    for entry in fs::read_dir(dir).at(dir)? {
        let entry = entry.at(dir)?;
        if entry.file_type().at(dir)?.is_dir() {
            below.push(entry.path());
        } else {
            found.push(entry.path());
        }
    }
    below.sort();
    below.iter().try_for_each(|dir| files(dir, found))
}

/// Removes what a run made.
pub(crate) fn remove(path: &Path) -> Result {
    if path.is_dir() {
        fs::remove_dir_all(path).at(path)?;
    } else if path.exists() {
        fs::remove_file(path).at(path)?;
    }
    Ok(())
}

/// Removes a view and its ledger.
pub(crate) fn remove_view(view: &Path) -> Result {
    remove(view)?;
    let name = view.file_name().unwrap_or_default().to_string_lossy();
    remove(&view.with_file_name(format!(".{name}.polylink")))
}
