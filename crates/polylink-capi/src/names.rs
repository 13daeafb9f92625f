//! Every name of a file, for C to go through one by one.

use std::path::{Path, PathBuf};

use polylink_core::{LinkFs, Silent, shown};
use polylink_nt::NtStatus;
use polylink_walk::{Options, Root, find_names};

use crate::failure::Failure;
use crate::place;

/// The names that were found, and how far C has come with them.
#[derive(Debug)]
pub(crate) struct Names {
    names: Vec<PathBuf>,
    at: usize,
    pub(crate) completeness: Completeness,
}

/// Whether there can be further names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Completeness {
    /// These are all names of the file.
    All,
    /// There are others, outside of what was searched or where nothing could be read.
    Some,
}

impl Names {
    /// The name that C has not had yet.
    pub(crate) fn current(&self) -> Result<&Path, Failure> {
        self.names
            .get(self.at)
            .map(PathBuf::as_path)
            .ok_or_else(|| Failure::of(NtStatus::END_OF_FILE, "there are no more names"))
    }

    /// Goes on to the one behind it.
    pub(crate) fn advance(&mut self) {
        self.at = self.at.saturating_add(1);
    }
}

/// How many names the file has.
pub(crate) fn count(fs: &dyn LinkFs, path: &Path) -> Result<u64, Failure> {
    place::existing_file(fs, path, "count the names of").map(|(_, stat)| stat.links)
}

/// All names of a file, where the file system knows them or there is but one.
pub(crate) fn of(fs: &dyn LinkFs, path: &Path) -> Result<Names, Failure> {
    let (spot, stat) = place::existing_file(fs, path, "find the names of")?;
    let tried = || format!("cannot find the names of '{}'", shown(path));
    let known = fs
        .names_of(spot.at())
        .map_err(|fault| Failure::fault(fault, &tried()))?;
    let names = match known {
        Some(names) => names,
        // the name in hand is the only one
        None if stat.links == 1 => {
            vec![
                std::path::absolute(path)
                    .map_err(|_| Failure::of(NtStatus::OBJECT_PATH_INVALID, &tried()))?,
            ]
        }
        None => return Err(Failure::of(NtStatus::NOT_SUPPORTED, &tried())),
    };
    Ok(Names {
        names,
        at: 0,
        completeness: Completeness::All,
    })
}

/// The names of a file below some directories, which are read.
pub(crate) fn within(fs: &dyn LinkFs, path: &Path, dirs: &[PathBuf]) -> Result<Names, Failure> {
    let (_, stat) = place::existing_file(fs, path, "find the names of")?;
    let roots = dirs
        .iter()
        .map(|dir| match fs.open_dir(dir) {
            Ok(open) => Ok(Root {
                dir: open,
                path: dir.clone(),
            }),
            Err(fault) => Err(Failure::fault(fault, &format!("cannot read '{}'", shown(dir)))),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let found = find_names(fs, stat.id, stat.links, &roots, &Options::default(), &Silent);
    let all = u64::try_from(found.names.len()).is_ok_and(|found| found >= stat.links);
    Ok(Names {
        names: found.names,
        at: 0,
        completeness: if all {
            Completeness::All
        } else {
            Completeness::Some
        },
    })
}

#[cfg(test)]
mod tests {
    use polylink_core::MemFs;

    use super::*;

    fn fs() -> MemFs {
        let fs = MemFs::new();
        for dir in ["/a", "/b", "/c"] {
            fs.mkdir(dir).unwrap();
        }
        fs.create("/a/file", 1).unwrap();
        fs.link_path("/a/file", "/b/file").unwrap();
        fs.link_path("/a/file", "/c/file").unwrap();
        fs.create("/a/single", 1).unwrap();
        fs
    }

    fn all(mut names: Names) -> Vec<PathBuf> {
        let mut list = Vec::new();
        while let Ok(name) = names.current() {
            list.push(name.to_path_buf());
            names.advance();
        }
        assert_eq!(names.current().unwrap_err().win32, 38);
        list
    }

    #[test]
    fn below_the_directories_given_each_name_is_found_once_and_a_missing_one_is_known_to_be_missing() {
        let fs = fs();
        let found = within(
            &fs,
            Path::new("/a/file"),
            &["/a".into(), "/b".into(), "/b".into()],
        )
        .unwrap();
        assert_eq!(found.completeness, Completeness::Some);
        assert_eq!(all(found), [Path::new("/a/file"), Path::new("/b/file")]);
        let found = within(&fs, Path::new("/b/file"), &["/".into()]).unwrap();
        assert_eq!(found.completeness, Completeness::All);
        assert_eq!(all(found).len(), 3);
        assert_eq!(
            within(&fs, Path::new("/b/file"), &["/absent".into()])
                .unwrap_err()
                .win32,
            2
        );
    }

    #[test]
    fn counts_are_of_files_that_exist() {
        assert_eq!(count(&fs(), Path::new("/b/file")).unwrap(), 3);
        assert_eq!(count(&fs(), Path::new("/b/absent")).unwrap_err().win32, 2);
        assert_eq!(count(&fs(), Path::new("/b")).unwrap_err().win32, 5);
    }
}
