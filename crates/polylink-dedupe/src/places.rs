//! The directories that names lie in, opened when they are needed.

use std::path::PathBuf;

use polylink_core::{At, Dir, FileFs, FsResult, Name, NameBuf};
use rustc_hash::FxHashMap;

/// Directories that one thread holds open at most.
const OPEN: usize = 64;

/// Where a directory is: below another one, or open already.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) parent: Option<u32>,
    pub(crate) name: NameBuf,
    /// Of a directory without a parent.
    pub(crate) root: Option<(Dir, PathBuf)>,
    /// Its place in the order in which the user gave his paths.
    pub(crate) order: u64,
}

/// All directories, by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places(pub(crate) Vec<Place>);

impl Places {
    /// The directory's path, to be shown.
    pub(crate) fn path(&self, number: u32) -> PathBuf {
        let mut names: Vec<Name<'_>> = Vec::new();
        let mut at = number;
        let mut path = loop {
            let place = &self.0[at as usize];
            match place.parent {
                Some(parent) => {
                    names.push(place.name.name());
                    at = parent;
                }
                None => {
                    break place
                        .root
                        .as_ref()
                        .map_or_else(PathBuf::new, |(_, path)| path.clone());
                }
            }
        };
        for name in names.into_iter().rev().filter_map(Name::to_os) {
            path.push(&*name);
        }
        path
    }

    /// Which of the paths that the user gave a directory lies below.
    pub(crate) fn argument(&self, number: u32) -> usize {
        // the upper half, as `scan::order` has it
        (self.0[number as usize].order >> 32) as usize
    }

    /// The path of a name in it.
    pub(crate) fn path_of(&self, number: u32, name: Name<'_>) -> PathBuf {
        let path = self.path(number);
        match name.to_os() {
            // a file in the current directory is shown as it was given
            Some(name) if path.as_os_str() == "." => PathBuf::from(&*name),
            Some(name) => path.join(&*name),
            None => path,
        }
    }
}

/// Opens directories, and keeps the last ones open.
pub(crate) struct Opener<'a> {
    fs: &'a dyn FileFs,
    places: &'a Places,
    open: FxHashMap<u32, Dir>,
}

impl<'a> Opener<'a> {
    pub(crate) fn new(fs: &'a dyn FileFs, places: &'a Places) -> Self {
        Self {
            fs,
            places,
            open: FxHashMap::default(),
        }
    }

    /// The directory of this number, reached through no symbolic link.
    pub(crate) fn dir(&mut self, number: u32) -> FsResult<Dir> {
        let mut missing = Vec::new();
        let mut at = number;
        let mut dir = loop {
            if let Some(dir) = self.open.get(&at) {
                break dir.clone();
            }
            let place = &self.places.0[at as usize];
            match (place.parent, &place.root) {
                (Some(parent), _) => {
                    missing.push(at);
                    at = parent;
                }
                (None, Some((dir, _))) => break dir.clone(),
                (None, None) => return Err(polylink_core::FaultKind::NotFound.into()),
            }
        };
        for number in missing.into_iter().rev() {
            let name = &self.places.0[number as usize].name;
            dir = self.fs.open_child(At::new(&dir, name.name()))?;
            if self.open.len() >= OPEN {
                self.open.clear();
            }
            self.open.insert(number, dir.clone());
        }
        Ok(dir)
    }
}
