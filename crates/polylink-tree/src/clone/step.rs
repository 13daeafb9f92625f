//! The steps of a plan, for people and programs to read.

use std::path::PathBuf;

use polylink_core::{Kind, NameBuf, shown, shown_name};
use polylink_view::Fallback;

use super::{Change, How, Plan, Touch};

/// What becomes of the file that a relinked name led to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Old {
    /// It has other names and keeps them.
    HasOtherNames,
    /// This was its last name, and it goes with it.
    Dropped,
    /// It is a symbolic link or a copy that stood for the counterpart.
    Fallback,
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
        /// What it becomes, where no hard link can be.
        fallback: Option<Fallback>,
    },
    /// Makes a symbolic link or a copy, because no hard link can be.
    Fallback {
        /// The source.
        source: PathBuf,
        /// The name in the clone.
        path: PathBuf,
        /// What is made.
        kind: Fallback,
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
    /// Makes a symbolic link that says what its counterpart says.
    Symlink(PathBuf),
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
            Self::Fallback { source, path, kind } => {
                write!(f, "{} {} to {}", kind.word(), shown(source), shown(path))
            }
            Self::Relink {
                source,
                path,
                old,
                fallback,
            } => {
                match fallback {
                    None => write!(f, "relink {} to {}", shown(path), shown(source))?,
                    Some(kind) => write!(f, "{} {} to {}", kind.word(), shown(source), shown(path))?,
                }
                match (old, fallback) {
                    (Old::Fallback, None) => return f.write_str(", which can be a hard link now"),
                    (Old::Fallback, Some(_)) => return f.write_str(" anew"),
                    _ => {}
                }
                match old {
                    Old::Fallback => Ok(()),
                    Old::HasOtherNames => Ok(()),
                    Old::Dropped => write!(f, ", the last name of the old version goes"),
                    Old::KeptAs(name) => write!(f, ", the old version stays as {}", shown_name(name.name())),
                }
            }
            Self::RemoveDir(path) => write!(f, "remove the directory {}", shown(path)),
            Self::MakeDir(path) => write!(f, "make the directory {}", shown(path)),
            Self::Link { source, path } => write!(f, "link {} to {}", shown(path), shown(source)),
            Self::Symlink(path) => write!(f, "make the symbolic link {}", shown(path)),
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
            entries.iter().map(|at| {
                let path = self.counterpart_of(*dir, *at);
                if self.apart && self.source.entry(*at).kind == Kind::Symlink {
                    return Step::Symlink(path);
                }
                Step::Link {
                    source: self.source.entry_path(*dir, *at),
                    path,
                }
            })
        });
        let falls = self.falls.iter().flat_map(move |(dir, entries)| {
            let kind = self.options.fallback;
            entries.iter().filter_map(move |at| {
                Some(Step::Fallback {
                    source: self.source.entry_path(*dir, *at),
                    path: self.counterpart_of(*dir, *at),
                    kind: kind?,
                })
            })
        });
        let updated = self
            .set_dirs
            .iter()
            .filter(|(_, why)| *why == Touch::Differs)
            .map(|(number, _)| Step::Update(self.counterpart(*number)));
        changes
            .chain(removed)
            .chain(made)
            .chain(links)
            .chain(falls)
            .chain(updated)
    }

    fn step(&self, change: &Change) -> Option<Step> {
        let dest = self.dest.as_ref()?;
        Some(match change {
            Change::RemoveTemporary { dir, entry } => Step::RemoveTemporary(dest.entry_path(*dir, *entry)),
            Change::Remove { dir, entry, .. } => Step::Remove(dest.entry_path(*dir, *entry)),
            Change::RemoveFallback { dir, entry, .. } => Step::Remove(dest.entry_path(*dir, *entry)),
            Change::Delete { dir, entry, .. } => Step::Delete(dest.entry_path(*dir, *entry)),
            Change::Rename { dir, entry, to, .. } => Step::Rename {
                path: dest.entry_path(*dir, *entry),
                to: to.clone(),
            },
            Change::Relink {
                source,
                entry,
                old_version,
                how,
                ..
            } => Step::Relink {
                source: self.source.entry_path(*source, *entry),
                path: self.counterpart_of(*source, *entry),
                old: old_version.clone(),
                fallback: match how {
                    How::Link => None,
                    How::Fall(kind) => Some(*kind),
                },
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
