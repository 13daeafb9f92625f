//! The steps of a plan, for people and programs to read.

use std::path::PathBuf;

use polylink_core::{NameBuf, shown, shown_name};

use super::{Change, Plan, Touch};

/// What becomes of the file that a relinked name led to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Old {
    /// It has other names and keeps them.
    HasOtherNames,
    /// This was its last name, and it goes with it.
    Dropped,
    /// It stays beside, under this name.
    KeptAs(NameBuf),
}

/// One step of a plan. Paths are whole.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Step {
    /// Removes what a killed run left.
    RemoveTemporary(PathBuf),
    /// Removes a name whose counterpart is gone and whose file has further names.
    Remove(PathBuf),
    /// Removes the last name of a file, as the user chose.
    Delete(PathBuf),
    /// Gives the last name of a file that stands where a directory must be another name.
    Rename {
        /// The name.
        path: PathBuf,
        /// Its new name.
        to: NameBuf,
    },
    /// Makes a name lead to the file that its counterpart now leads to.
    Relink {
        /// The source.
        source: PathBuf,
        /// The name in the clone.
        path: PathBuf,
        /// What becomes of the file that it led to.
        old: Old,
    },
    /// Removes a directory that has become empty.
    RemoveDir(PathBuf),
    /// Makes a directory.
    MakeDir(PathBuf),
    /// Makes a name.
    Link {
        /// The source.
        source: PathBuf,
        /// The name in the clone.
        path: PathBuf,
    },
    /// Gives a directory that exists the metadata of its counterpart.
    Update(PathBuf),
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::RemoveTemporary(path) => write!(f, "clean up {}", shown(path)),
            Self::Remove(path) => write!(f, "remove {}", shown(path)),
            Self::Delete(path) => write!(f, "delete the last name {}", shown(path)),
            Self::Rename { path, to } => write!(f, "rename {} to {}", shown(path), shown_name(to.name())),
            Self::Relink { source, path, old } => {
                write!(f, "relink {} to {}", shown(path), shown(source))?;
                match old {
                    Old::HasOtherNames => Ok(()),
                    Old::Dropped => write!(f, ", the last name of the old version goes"),
                    Old::KeptAs(name) => write!(f, ", the old version stays as {}", shown_name(name.name())),
                }
            }
            Self::RemoveDir(path) => write!(f, "remove the directory {}", shown(path)),
            Self::MakeDir(path) => write!(f, "make the directory {}", shown(path)),
            Self::Link { source, path } => write!(f, "link {} to {}", shown(path), shown(source)),
            Self::Update(path) => write!(f, "update the metadata of {}", shown(path)),
        }
    }
}

impl Plan {
    /// What will be done, in the order in which it is done.
    pub fn steps(&self) -> impl Iterator<Item = Step> + '_ {
        let changes = self.changes.iter().filter_map(|change| self.step(change));
        let removed = self.remove_dirs.iter().filter_map(|number| {
            let dest = self.dest.as_ref()?;
            Some(Step::RemoveDir(dest.dir_path(*number)))
        });
        let made = self
            .make_dirs
            .iter()
            .map(|number| Step::MakeDir(self.counterpart(*number)));
        let links = self.links.iter().flat_map(|(dir, entries)| {
            entries.iter().map(|at| Step::Link {
                source: self.source.entry_path(*dir, *at),
                path: self.counterpart_of(*dir, *at),
            })
        });
        let updated = self
            .set_dirs
            .iter()
            .filter(|(_, why)| *why == Touch::Differs)
            .map(|(number, _)| Step::Update(self.counterpart(*number)));
        changes.chain(removed).chain(made).chain(links).chain(updated)
    }

    fn step(&self, change: &Change) -> Option<Step> {
        let dest = self.dest.as_ref()?;
        Some(match change {
            Change::RemoveTemporary { dir, entry } => Step::RemoveTemporary(dest.entry_path(*dir, *entry)),
            Change::Remove { dir, entry, .. } => Step::Remove(dest.entry_path(*dir, *entry)),
            Change::Delete { dir, entry, .. } => Step::Delete(dest.entry_path(*dir, *entry)),
            Change::Rename { dir, entry, to, .. } => Step::Rename {
                path: dest.entry_path(*dir, *entry),
                to: to.clone(),
            },
            Change::Relink {
                source,
                entry,
                old_version,
                ..
            } => Step::Relink {
                source: self.source.entry_path(*source, *entry),
                path: self.counterpart_of(*source, *entry),
                old: old_version.clone(),
            },
        })
    }

    /// The path in the clone of a directory of the source.
    pub(super) fn counterpart(&self, dir: u32) -> PathBuf {
        if dir == 0 {
            return self.dest_path.clone();
        }
        self.dest_path.join(self.source.relative(dir))
    }

    /// The path in the clone of an entry of the source.
    pub(super) fn counterpart_of(&self, dir: u32, at: usize) -> PathBuf {
        crate::tree::join(&self.counterpart(dir), self.source.name(self.source.entry(at)))
    }
}
