//! A model file system with what the tests ask of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use polylink_core::{
    At, Dir, DirBatch, FileFs, FileId, Kind, LinkFs, MemFs, Metadata, More, Name, NameBuf, Stat,
};

/// All that stands at a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Seen {
    pub(crate) stat: Stat,
    pub(crate) metadata: Metadata,
    /// Of a file: what it holds. Of a symbolic link: where it leads.
    pub(crate) content: Vec<u8>,
}

/// Every name below a directory, by its path below it, directories too.
pub(crate) fn look(fs: &dyn FileFs, root: &Path) -> BTreeMap<PathBuf, Seen> {
    let mut seen = BTreeMap::new();
    if let Ok(dir) = fs.open_dir(root) {
        look_into(fs, &dir, Path::new(""), &mut seen);
    }
    seen
}

fn entries(fs: &dyn LinkFs, dir: &Dir) -> Vec<NameBuf> {
    let mut batch = DirBatch::new();
    let mut names = Vec::new();
    loop {
        let Ok(more) = fs.read_dir(dir, &mut batch) else {
            return names;
        };
        names.extend(batch.iter().map(|entry| entry.name.to_buf()));
        if more == More::No {
            return names;
        }
    }
}

fn look_into(fs: &dyn FileFs, dir: &Dir, path: &Path, seen: &mut BTreeMap<PathBuf, Seen>) {
    for name in entries(fs, dir) {
        let at = At::new(dir, name.name());
        let path = path.join(name.name().to_os().unwrap());
        let stat = fs.stat(at).unwrap();
        let content = match stat.kind {
            Kind::File => {
                let file = fs.open_file(at).unwrap();
                let mut bytes = vec![0; stat.size as usize];
                let n = file.read_full(0, &mut bytes).unwrap();
                bytes.truncate(n);
                bytes
            }
            Kind::Symlink => fs.read_symlink(at).unwrap(),
            _ => Vec::new(),
        };
        let metadata = match stat.kind {
            Kind::Directory => match fs.open_child(at) {
                Ok(child) => fs.dir_metadata(&child).unwrap(),
                Err(_) => Metadata::default(),
            },
            _ => fs.metadata(at).unwrap(),
        };
        seen.insert(
            path.clone(),
            Seen {
                stat,
                metadata,
                content,
            },
        );
        if stat.kind == Kind::Directory
            && let Ok(child) = fs.open_child(at)
        {
            look_into(fs, &child, &path, seen);
        }
    }
}

/// The names of a tree that are no directories, each with its file.
pub(crate) fn files(fs: &MemFs, root: &str) -> BTreeMap<PathBuf, FileId> {
    fs.all_names()
        .into_iter()
        .filter_map(|(path, (id, _))| Some((path.strip_prefix(root).ok()?.to_path_buf(), id)))
        .collect()
}

/// The content of everything that has a name.
pub(crate) fn contents(fs: &MemFs) -> BTreeSet<u64> {
    fs.all_names().into_values().map(|(_, content)| content).collect()
}

/// A name as it stands in a path.
pub(crate) fn stat(fs: &MemFs, path: &str) -> Option<Stat> {
    let path = Path::new(path);
    let dir = fs.open_dir(path.parent()?).ok()?;
    fs.stat(At::new(&dir, Name::from_os(path.file_name()?))).ok()
}
