//! The steps of a plan, for people and programs to read.

use std::path::PathBuf;

use polylink_core::{NameBuf, shown, shown_name};

use super::{Make, Plan, compare::dir_of};

/// One step of a plan.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Step {
    /// Makes the snapshot.
    Make(NameBuf),
    /// Makes a name that leads to the file of an earlier snapshot: it has not changed.
    Link(PathBuf),
    /// Copies a file that is new or has changed.
    Copy(PathBuf),
    /// Makes a further name of a file that is copied.
    Group(PathBuf),
    /// Makes a symbolic link anew.
    Symlink(PathBuf),
    /// Removes an old snapshot.
    Drop(NameBuf),
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Make(name) => write!(f, "make {}", shown_name(name.name())),
            Self::Link(path) => write!(f, "link {}", shown(path)),
            Self::Copy(path) => write!(f, "copy {}", shown(path)),
            Self::Group(path) => write!(f, "link {}, a further name of a copied file", shown(path)),
            Self::Symlink(path) => write!(f, "make the symbolic link {}", shown(path)),
            Self::Drop(name) => write!(f, "drop {}", shown_name(name.name())),
        }
    }
}

impl Plan<'_> {
    /// What will be done; paths are those of the source.
    pub fn steps(&self) -> impl Iterator<Item = Step> + '_ {
        let leaders: std::collections::HashSet<usize> = self
            .groups
            .iter()
            .filter_map(|group| Some(group.names.first()?.1))
            .collect();
        let linked: std::collections::HashSet<usize> = self
            .groups
            .iter()
            .filter(|group| group.from.is_some())
            .flat_map(|group| group.names.iter().map(|(_, at)| *at))
            .collect();
        let made = self.report.name.iter().cloned().map(Step::Make);
        let names = self.makes.iter().enumerate().filter_map(move |(at, make)| {
            let path = || self.source.entry_path(dir_of(&self.source, at), at);
            Some(match make {
                Make::Nothing => return None,
                Make::Link(_) => Step::Link(path()),
                Make::Copy => Step::Copy(path()),
                Make::Symlink => Step::Symlink(path()),
                Make::Group if linked.contains(&at) => Step::Link(path()),
                Make::Group if leaders.contains(&at) => Step::Copy(path()),
                Make::Group => Step::Group(path()),
            })
        });
        let dropped = self
            .drops
            .iter()
            .map(|snapshot| Step::Drop(snapshot.name.clone()));
        made.chain(names).chain(dropped)
    }
}
