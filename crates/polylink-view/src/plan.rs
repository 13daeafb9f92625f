//! What an update will do, as plain data: a dry run shows it, the real run executes the very same value.

use std::path::{Path, PathBuf};

use polylink_core::{Dir, Fault, FileId, LinkFs, Name, NameBuf, Stat, VolumeInfo, shown, shown_name};

use crate::diff::birth;
use crate::fallback::{FallRow, Fallback};
use crate::ledger::{Book, Remembered};
use crate::opener::{measure, threads, usable};
use crate::options::Options;
use crate::report::{Failure, Outcome};
use crate::scan::{Sources, join};

/// What [`crate::plan`] found out and means to do.
#[derive(Debug)]
pub struct Plan {
    pub(crate) view: PathBuf,
    pub(crate) options: Options,
    /// The view, where it exists already, and its parent.
    pub(crate) view_dir: Option<Dir>,
    pub(crate) parent: Dir,
    pub(crate) volume: VolumeInfo,
    pub(crate) sources: Sources,
    pub(crate) book: Book,
    pub(crate) changes: Vec<Change>,
    /// Names that the user gave in the view: the one that it had, and theirs.
    pub(crate) renames: Vec<(NameBuf, NameBuf)>,
    pub(crate) notes: Vec<Note>,
    pub(crate) links: Vec<Link>,
    /// Names to make that cannot be hard links.
    pub(crate) falls: Vec<Link>,
    pub(crate) report: Outcome,
    pub(crate) overlaps: Vec<(PathBuf, PathBuf)>,
    /// Numbers of source directories in the ledger, by index in the sources; new ones are given at apply.
    pub(crate) dir_numbers: Vec<Option<u32>>,
}

/// A name to make.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// Index in the sources.
    pub(crate) file: u32,
    /// The view name, where it is not the file's own.
    pub(crate) name: Option<Box<[u8]>>,
    pub(crate) why: Why,
    /// What the file looked like; `None` until somebody looks, right before it is linked.
    pub(crate) look: Option<Look>,
}

/// What the ledger keeps of a file besides its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Look {
    pub(crate) size: u64,
    pub(crate) born: Option<i64>,
}

impl Look {
    pub(crate) fn of(stat: &Stat) -> Self {
        Self {
            size: stat.size,
            born: birth(stat),
        }
    }
}

/// Why a name is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// The file is new in the sources.
    New,
    /// The user deleted the name from the view, and it is made again; or an earlier run was stopped before it.
    Missing,
}

/// A change to names that exist, in the order in which they are made, all before the first new link.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    RemoveTemporary {
        name: NameBuf,
    },
    Remove {
        name: NameBuf,
        id: FileId,
        size: u64,
    },
    DeleteOrphan {
        name: NameBuf,
        id: FileId,
        size: u64,
    },
    MoveOrphan {
        name: NameBuf,
        id: FileId,
        size: u64,
        to: PathBuf,
    },
    DeleteSources {
        name: NameBuf,
        files: Vec<u32>,
    },
    /// Removes what a killed run left of a copy.
    RemovePart {
        name: NameBuf,
        id: FileId,
    },
    /// Removes a symbolic link that leads nowhere.
    RemoveFallback {
        name: NameBuf,
        id: FileId,
        size: u64,
    },
    /// Makes a fallback anew, for its source changed.
    Refresh {
        name: NameBuf,
        row: u32,
        file: u32,
        kind: Fallback,
        source: Stat,
    },
    /// Makes a hard link of a fallback.
    BecomeLink {
        name: NameBuf,
        row: u32,
        file: u32,
        size: u64,
        born: Option<i64>,
    },
    Relink {
        name: NameBuf,
        row: u32,
        file: u32,
        old: FileId,
        old_size: u64,
        old_born: Option<i64>,
        old_version: OldVersion,
        size: u64,
        born: Option<i64>,
    },
}

/// What becomes of the file that a relinked name led to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OldVersion {
    /// It has other names and keeps them.
    HasOtherNames,
    /// This was its last name, and it goes with it.
    Dropped,
    /// It stays in the view as an orphan, under this name.
    KeptAs(NameBuf),
    /// It is moved to this directory.
    MovedTo(PathBuf),
}

/// A change to the ledger alone.
#[derive(Clone, Debug)]
pub(crate) enum Note {
    /// The view name is from now on ours (adopted), or leads to this source name.
    Set {
        name: NameBuf,
        file: u32,
        size: u64,
        born: Option<i64>,
    },
    /// The name leads to the file that a stopped run was about to make it lead to.
    Settle {
        row: u32,
    },
    Forget {
        name: NameBuf,
    },
    ForgetFallback {
        name: NameBuf,
    },
    SetFallback(Box<FallRow>),
    Remember {
        id: u128,
        what: Remembered,
    },
    Unremember {
        id: u128,
    },
}

/// One step of a plan, for people and programs to read.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Step {
    /// Makes the view's directory.
    MakeView(PathBuf),
    /// Removes what a killed run left.
    RemoveTemporary(NameBuf),
    /// Makes a name.
    Link {
        /// The source.
        source: PathBuf,
        /// The view name.
        name: NameBuf,
        /// Why.
        why: Why,
    },
    /// Makes a view name lead to the file that its source path now holds.
    Relink {
        /// The source.
        source: PathBuf,
        /// The view name.
        name: NameBuf,
        /// What becomes of the file that it led to.
        old_version: OldVersion,
    },
    /// Makes a symbolic link or a copy, because no hard link can be there.
    Fallback {
        /// The source.
        source: PathBuf,
        /// The view name.
        name: NameBuf,
        /// What is made.
        kind: Fallback,
    },
    /// Makes a symbolic link or a copy anew, because its source changed.
    Refresh {
        /// The source.
        source: PathBuf,
        /// The view name.
        name: NameBuf,
        /// What is made.
        kind: Fallback,
    },
    /// Makes a hard link of a symbolic link or a copy, because there can be one now.
    BecomeLink {
        /// The source.
        source: PathBuf,
        /// The view name.
        name: NameBuf,
    },
    /// Removes a view name whose file has other names.
    Remove(NameBuf),
    /// Removes the last name of a file, as the user chose.
    DeleteOrphan(NameBuf),
    /// Moves the last name of a file out of the view, as the user chose.
    MoveOrphan {
        /// The view name.
        name: NameBuf,
        /// The directory.
        to: PathBuf,
    },
    /// Deletes source names whose view name the user deleted, as the user chose.
    DeleteSources {
        /// The view name.
        name: NameBuf,
        /// The source names.
        sources: Vec<PathBuf>,
    },
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = |name: &NameBuf| shown_name(name.name());
        match self {
            Self::MakeView(view) => write!(f, "make {}", shown(view)),
            Self::RemoveTemporary(temporary) => write!(f, "clean up {}", name(temporary)),
            Self::Link {
                source,
                name: new,
                why,
            } => {
                let verb = if *why == Why::Missing {
                    "link again"
                } else {
                    "link"
                };
                write!(f, "{verb} {} -> {}", shown(source), name(new))
            }
            Self::Relink {
                source,
                name: view_name,
                old_version,
            } => {
                write!(f, "relink {} -> {}", shown(source), name(view_name))?;
                match old_version {
                    OldVersion::HasOtherNames => Ok(()),
                    OldVersion::Dropped => f.write_str(" (the old version is dropped)"),
                    OldVersion::KeptAs(kept) => write!(f, " (the old version is kept as {})", name(kept)),
                    OldVersion::MovedTo(dir) => write!(f, " (the old version is moved to {})", shown(dir)),
                }
            }
            Self::Fallback {
                source,
                name: new,
                kind,
            } => write!(f, "{} {} -> {}", kind.word(), shown(source), name(new)),
            Self::Refresh {
                source,
                name: new,
                kind,
            } => write!(f, "{} again {} -> {}", kind.word(), shown(source), name(new)),
            Self::BecomeLink { source, name: new } => {
                write!(f, "link instead of a copy {} -> {}", shown(source), name(new))
            }
            Self::Remove(old) => write!(f, "remove {}", name(old)),
            Self::DeleteOrphan(orphan) => write!(f, "delete orphan {}", name(orphan)),
            Self::MoveOrphan { name: orphan, to } => {
                write!(f, "move orphan {} to {}", name(orphan), shown(to))
            }
            Self::DeleteSources {
                name: deleted,
                sources,
            } => {
                let sources: Vec<String> = sources.iter().map(|path| shown(path)).collect();
                write!(
                    f,
                    "delete {} (deleted from the view as {})",
                    sources.join(", "),
                    name(deleted)
                )
            }
        }
    }
}

impl Plan {
    /// The steps, in the order in which they are done.
    pub fn steps(&self) -> impl Iterator<Item = Step> + '_ {
        let make = self.view_dir.is_none().then(|| Step::MakeView(self.view.clone()));
        let changes = self.changes.iter().map(|change| self.step(change));
        let links = self.links.iter().map(|link| self.link_step(link));
        let falls = self.falls.iter().map(|link| self.fall_step(link.file, link));
        make.into_iter().chain(changes).chain(links).chain(falls)
    }

    /// How many steps there are.
    #[must_use]
    pub fn step_count(&self) -> usize {
        usize::from(self.view_dir.is_none()) + self.changes.len() + self.links.len() + self.falls.len()
    }

    /// Looks at the files that are to be linked, as the real run does right before it links them, so that the
    /// forecast knows their bytes. What vanished or changed meanwhile leaves the plan.
    pub fn measure(&mut self, fs: &dyn LinkFs) {
        let unknown: Vec<u32> = self
            .links
            .iter()
            .filter(|link| link.look.is_none())
            .map(|link| link.file)
            .collect();
        let mut stats = measure(fs, &self.sources, &unknown, threads(self.options.threads)).into_iter();
        let (sources, report) = (&self.sources, &mut self.report);
        let (limit, falls_back) = (self.volume.link_limit, self.options.fallback.is_some());
        self.links.retain_mut(|link| {
            if link.look.is_some() {
                return true;
            }
            let wanted = &sources.files[link.file as usize];
            match stats.next().map(|stat| usable(wanted, stat)) {
                Some(Ok(stat)) if falls_back && limit.is_some_and(|limit| stat.links >= limit) => {
                    report.view_bytes += stat.size;
                    report.linked -= 1;
                    report.fallbacks_made += 1;
                    if let Some(kind) = self.options.fallback {
                        *report.fallbacks.of(kind) += 1;
                    }
                    self.falls.push(Link {
                        look: Some(Look::of(&stat)),
                        ..link.clone()
                    });
                    return false;
                }
                Some(Ok(stat)) => {
                    link.look = Some(Look::of(&stat));
                    report.view_bytes += stat.size;
                    return true;
                }
                Some(Err(Some(fault))) => {
                    let path = sources.path(wanted);
                    report.failures.push(Failure {
                        action: "look at",
                        path,
                        to: None,
                        fault,
                    });
                }
                Some(Err(None)) | None => report.left_out.vanished += 1,
            }
            report.linked -= 1;
            report.view_names -= 1;
            false
        });
    }

    /// What the summary will say if every step succeeds. Of the disk it only knows what is free now, and of the
    /// bytes of new files only what [`Plan::measure`] found.
    #[must_use]
    pub fn forecast(&self) -> &Outcome {
        &self.report
    }

    /// Sources that lie in other sources, each with the one it lies in: their files are taken once.
    #[must_use]
    pub fn overlaps(&self) -> &[(PathBuf, PathBuf)] {
        &self.overlaps
    }

    /// The view.
    #[must_use]
    pub fn view(&self) -> &Path {
        &self.view
    }

    pub(crate) fn link_step(&self, link: &Link) -> Step {
        Step::Link {
            source: self.source_path(link.file),
            name: Name::new(self.link_name(link)).to_buf(),
            why: link.why,
        }
    }

    pub(crate) fn fall_step(&self, file: u32, link: &Link) -> Step {
        Step::Fallback {
            source: self.source_path(file),
            name: Name::new(self.link_name(link)).to_buf(),
            kind: self.options.fallback.unwrap_or(Fallback::Copy),
        }
    }

    pub(crate) fn step(&self, change: &Change) -> Step {
        match change {
            Change::RemovePart { name, .. } => Step::RemoveTemporary(name.clone()),
            Change::RemoveFallback { name, .. } => Step::Remove(name.clone()),
            Change::Refresh { name, file, kind, .. } => Step::Refresh {
                source: self.source_path(*file),
                name: name.clone(),
                kind: *kind,
            },
            Change::BecomeLink { name, file, .. } => Step::BecomeLink {
                source: self.source_path(*file),
                name: name.clone(),
            },
            Change::RemoveTemporary { name } => Step::RemoveTemporary(name.clone()),
            Change::Remove { name, .. } => Step::Remove(name.clone()),
            Change::DeleteOrphan { name, .. } => Step::DeleteOrphan(name.clone()),
            Change::MoveOrphan { name, to, .. } => Step::MoveOrphan {
                name: name.clone(),
                to: to.clone(),
            },
            Change::DeleteSources { name, files } => Step::DeleteSources {
                name: name.clone(),
                sources: files.iter().map(|&file| self.source_path(file)).collect(),
            },
            Change::Relink {
                name,
                file,
                old_version,
                ..
            } => Step::Relink {
                source: self.source_path(*file),
                name: name.clone(),
                old_version: old_version.clone(),
            },
        }
    }

    pub(crate) fn link_name<'a>(&'a self, link: &'a Link) -> &'a [u8] {
        link.name
            .as_deref()
            .unwrap_or_else(|| self.sources.name(&self.sources.files[link.file as usize]))
    }

    pub(crate) fn source_path(&self, file: u32) -> PathBuf {
        self.sources.path(&self.sources.files[file as usize])
    }

    pub(crate) fn view_path(&self, name: &[u8]) -> PathBuf {
        join(&self.view, name)
    }

    pub(crate) fn failure(
        &self,
        action: &'static str,
        source: Option<u32>,
        name: &[u8],
        fault: Fault,
    ) -> Failure {
        let view_path = self.view_path(name);
        match source {
            Some(file) => Failure {
                action,
                path: self.source_path(file),
                to: Some(view_path),
                fault,
            },
            None => Failure {
                action,
                path: view_path,
                to: None,
                fault,
            },
        }
    }
}
