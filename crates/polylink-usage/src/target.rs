//! What is to be accounted for, and the same with every repetition taken out.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use polylink_core::{At, FileId, FsResult, LinkFs, Stat};
use polylink_walk::{Root, Target};

/// The arguments by path, each directory and each name once.
pub(crate) struct Arguments {
    /// Distinct directories.
    pub(crate) roots: Vec<Root>,
    /// Which of `roots` a directory is.
    pub(crate) root_ids: HashMap<FileId, u32>,
    /// Further paths under which directories were given.
    pub(crate) aliases: Vec<(PathBuf, u32)>,
    /// Names of files.
    pub(crate) files: Vec<FileArgument>,
}

/// A name that was given as an argument.
pub(crate) struct FileArgument {
    pub(crate) path: PathBuf,
    /// The directory it lies in, where that can be told.
    pub(crate) dir: Option<FileId>,
    pub(crate) stat: FsResult<Stat>,
    /// Whether it is a name that no argument before it is.
    pub(crate) first: bool,
}

impl Arguments {
    pub(crate) fn new(fs: &dyn LinkFs, targets: &[Target]) -> Self {
        let mut sorted: Vec<&Target> = targets.iter().collect();
        sorted.sort_by(|a, b| a.path().cmp(b.path()));
        let mut this = Self {
            roots: Vec::new(),
            root_ids: HashMap::new(),
            aliases: Vec::new(),
            files: Vec::new(),
        };
        let mut names = HashSet::new();
        for target in sorted {
            match target {
                Target::Dir(root) => this.add_dir(fs, root),
                Target::File { dir, name, path } => {
                    let id = fs.stat_dir(dir).ok().map(|stat| stat.id);
                    let key = match fs.volume(dir) {
                        Ok(volume) => volume.names.key(name.name()).into_owned(),
                        Err(_) => name.bytes().to_vec(),
                    };
                    let first = names.insert((id, key));
                    if first || this.files.last().is_none_or(|last| last.path != *path) {
                        this.files.push(FileArgument {
                            path: path.clone(),
                            dir: id,
                            stat: fs.stat(At::new(dir, name.name())),
                            first,
                        });
                    }
                }
            }
        }
        this
    }

    fn add_dir(&mut self, fs: &dyn LinkFs, root: &Root) {
        let Ok(number) = u32::try_from(self.roots.len()) else {
            return;
        };
        // what cannot be looked at now is read as if it were apart; the walk then reports it
        if let Ok(stat) = fs.stat_dir(&root.dir) {
            if let Some(known) = self.root_ids.get(&stat.id) {
                let shown = |(path, of): &(PathBuf, u32)| of == known && *path == root.path;
                if self.roots[*known as usize].path != root.path && !self.aliases.iter().any(shown) {
                    self.aliases.push((root.path.clone(), *known));
                }
                return;
            }
            self.root_ids.insert(stat.id, number);
        }
        self.roots.push(root.clone());
    }
}
