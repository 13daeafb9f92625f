//! Where the new name would stand, as the rules see it.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use polylink_core::{Dir, Fault, FaultKind, FileId, Kind, LinkFs, Name, Stat, open_beneath};
use polylink_nt::NtStatus;
use polylink_nt::decide::{Access, NewName, ParentFacts, ParentLookup, Relation, Root, TargetFacts, Volume};

use super::file_facts;
use crate::failure::{Failure, status_of};
use crate::place::{self, NoPlace, Place, Spot};

/// What the rules are told of a name. They know NTFS's rule for names, while here the file system's own one counts: so
/// they get a name in its place that is valid or not, as the real one is.
const VALID: u16 = b'n' as u16;
const INVALID: u16 = b'*' as u16;
const BACKSLASH: u16 = b'\\' as u16;

/// The place of a new name.
pub(super) struct Target {
    /// The name in its directory, where that is there.
    pub(super) spot: Option<Spot>,
    /// The volume of that directory.
    volume: Option<u64>,
    parent: Parent,
    /// What stands there.
    stat: Option<Stat>,
    stand_in: &'static [u16],
    root: Root,
    /// Why it is as it is, in the system's own words.
    fault: Option<Fault>,
}

enum Parent {
    Found,
    Missing,
    BelowFile,
    Failed(NtStatus),
}

impl Target {
    fn new(stand_in: &'static [u16], root: Root, parent: Parent) -> Self {
        Self {
            spot: None,
            volume: None,
            parent,
            stat: None,
            stand_in,
            root,
            fault: None,
        }
    }

    /// By a path of its own.
    pub(super) fn by_path(fs: &dyn LinkFs, path: &Path) -> Self {
        let absolute = |parent| Self::new(&[BACKSLASH, VALID], Root::None, parent);
        match place::find(fs, path) {
            Ok(Place::Name(spot)) => absolute(Parent::Found).look(fs, spot),
            Ok(Place::Directory(dir)) => absolute(Parent::Found).directory(fs, &dir),
            Err(NoPlace::FileAsDirectory) => Self::new(&[BACKSLASH, INVALID], Root::None, Parent::Found),
            Err(no_place) => {
                let parent = match no_place {
                    NoPlace::NoParent(_) => Parent::Missing,
                    NoPlace::BelowFile(_) => Parent::BelowFile,
                    _ => Parent::Failed(no_place.failure("").status.unwrap_or(crate::status::UNSUCCESSFUL)),
                };
                Self {
                    fault: no_place.fault(),
                    ..absolute(parent)
                }
            }
        }
    }

    /// By a plain name in a directory.
    pub(super) fn beside(fs: &dyn LinkFs, dir: &Dir, name: &[u8]) -> Self {
        if name.contains(&b'/') {
            return Self::new(&[VALID, BACKSLASH, VALID], Root::None, Parent::Found);
        }
        if is_no_name(name) {
            return Self::new(&[INVALID], Root::None, Parent::Found);
        }
        Self::new(&[VALID], Root::None, Parent::Found).look(fs, spot(dir, name))
    }

    /// By a path that is relative to a directory; `None` where a file was given for it.
    pub(super) fn rooted(fs: &dyn LinkFs, root: Option<&Dir>, path: &[u8]) -> Self {
        let rooted = |stand_in, parent| Self::new(stand_in, Root::Given, parent);
        if path.first() == Some(&b'/') {
            return rooted(&[BACKSLASH, VALID], Parent::Found);
        }
        let Some(root) = root else {
            return rooted(&[VALID], Parent::BelowFile);
        };
        let (way, name) = match path.iter().rposition(|byte| *byte == b'/') {
            Some(at) => (&path[..at], &path[at + 1..]),
            None => (&path[..0], path),
        };
        let way = Path::new(std::ffi::OsStr::from_bytes(way));
        let dir = match open_beneath(fs, root, way) {
            Ok(dir) => dir,
            Err(fault) => {
                let parent = match fault.kind() {
                    FaultKind::NotFound => Parent::Missing,
                    FaultKind::NotDirectory => Parent::BelowFile,
                    kind => Parent::Failed(status_of(kind)),
                };
                return Self {
                    fault: Some(fault),
                    ..rooted(&[VALID], parent)
                };
            }
        };
        if is_no_name(name) {
            return rooted(&[INVALID], Parent::Found);
        }
        rooted(&[VALID], Parent::Found).look(fs, spot(&dir, name))
    }

    /// By a name that cannot be one on this system.
    pub(super) fn impossible(root: Root) -> Self {
        Self::new(&[INVALID], root, Parent::Found)
    }

    fn look(mut self, fs: &dyn LinkFs, spot: Spot) -> Self {
        match fs.stat_dir(&spot.dir) {
            Ok(stat) => self.volume = Some(stat.id.volume),
            Err(fault) => return self.failed(fault),
        }
        match spot.look(fs) {
            Ok(stat) => self.stat = stat,
            Err(fault) if matches!(fault.kind(), FaultKind::NameTooLong | FaultKind::NameInvalid) => {
                self.stand_in = match self.stand_in {
                    [BACKSLASH, _] => &[BACKSLASH, INVALID],
                    _ => &[INVALID],
                };
                self.fault = Some(fault);
            }
            Err(fault) => return self.failed(fault),
        }
        self.spot = Some(spot);
        self
    }

    fn directory(mut self, fs: &dyn LinkFs, dir: &Dir) -> Self {
        match fs.stat_dir(dir) {
            Ok(stat) => {
                self.volume = Some(stat.id.volume);
                self.stat = Some(stat);
                self
            }
            Err(fault) => self.failed(fault),
        }
    }

    fn failed(mut self, fault: Fault) -> Self {
        self.parent = Parent::Failed(status_of(fault.kind()));
        self.fault = Some(fault);
        self
    }

    /// The name as the rules are to see it.
    pub(super) fn name(&self) -> NewName<'static> {
        NewName::new(self.stand_in, self.root)
    }

    /// What looking for the directory came to, for a file with this identity.
    pub(super) fn parent(&self, source: Option<FileId>) -> ParentLookup {
        match self.parent {
            Parent::Missing => ParentLookup::Missing,
            Parent::BelowFile => ParentLookup::BelowFile,
            Parent::Failed(status) => ParentLookup::Failed(status),
            Parent::Found => {
                let mut facts = ParentFacts::new(Access::ALL);
                if let (Some(source), Some(volume)) = (source, self.volume)
                    && source.volume != volume
                {
                    facts.volume = Volume::Other;
                }
                ParentLookup::Found(facts)
            }
        }
    }

    /// What stands there, for a file with this identity.
    pub(super) fn stands(&self, source: Option<FileId>) -> Option<TargetFacts> {
        let stat = self.stat.as_ref()?;
        let same = stat.kind != Kind::Directory && source == Some(stat.id);
        let relation = if same {
            Relation::SameFile
        } else {
            Relation::OtherFile
        };
        Some(TargetFacts::new(relation, file_facts(stat)))
    }

    /// The failure for a status that the rules gave: with the system's own errno, where it is for that reason.
    pub(super) fn refused(&self, status: NtStatus, tried: &str) -> Failure {
        let here = match self.parent {
            Parent::Found => NtStatus::OBJECT_NAME_INVALID,
            Parent::Missing => NtStatus::OBJECT_PATH_NOT_FOUND,
            Parent::BelowFile => NtStatus::INVALID_PARAMETER,
            Parent::Failed(status) => status,
        };
        match self.fault {
            Some(fault) if status == here => Failure::as_status(status, fault, tried),
            _ => Failure::of(status, tried),
        }
    }
}

fn spot(dir: &Dir, name: &[u8]) -> Spot {
    Spot {
        dir: dir.clone(),
        name: Name::new(name).to_buf(),
    }
}

fn is_no_name(name: &[u8]) -> bool {
    matches!(name, b"" | b"." | b"..") || name.contains(&0)
}
