//! Directories of a tree opened again, each once as long as they come in path order.

use polylink_core::{At, Dir, FsResult, LinkFs};

use crate::tree::Tree;

/// Opens directories by their numbers in a tree, below a root that need not be the tree's own, through no symbolic
/// link, and keeps the way open.
pub(crate) struct Opener<'a> {
    fs: &'a dyn LinkFs,
    tree: &'a Tree,
    root: Dir,
    way: Vec<(u32, Dir)>,
}

impl<'a> Opener<'a> {
    pub(crate) fn new(fs: &'a dyn LinkFs, tree: &'a Tree, root: &Dir) -> Self {
        Self {
            fs,
            tree,
            root: root.clone(),
            way: Vec::new(),
        }
    }

    pub(crate) fn open(&mut self, number: u32) -> FsResult<Dir> {
        while let Some((above, dir)) = self.way.last() {
            if *above == number {
                return Ok(dir.clone());
            }
            if *above < number && number < self.tree.dirs[*above as usize].end {
                break;
            }
            self.way.pop();
        }
        let (above, mut dir) = match self.way.last() {
            Some((above, dir)) => (*above, dir.clone()),
            None => (0, self.root.clone()),
        };
        let mut missing = Vec::new();
        let mut at = number;
        while at != above {
            missing.push(at);
            at = self.tree.dirs[at as usize].parent;
        }
        for number in missing.into_iter().rev() {
            let name = self.tree.dirs[number as usize].name.name();
            dir = self.fs.open_child(At::new(&dir, name))?;
            self.way.push((number, dir.clone()));
        }
        Ok(dir)
    }
}
