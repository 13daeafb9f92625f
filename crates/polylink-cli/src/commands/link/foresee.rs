//! What a link would come to, found out without making it.

use std::path::Path;

use polylink_core::{Existing, Fault, FaultKind, FsResult, HardLinks, Kind, LinkFs, Name, Replaced, Stat};
use polylink_nt::NtStatus;
use polylink_nt::decide::{self, Access, LinkRequest, NewName, ParentFacts, ParentLookup, Root};
use polylink_nt::info::LinkFlags;

use crate::place::{self, Place};

/// By the rules of Unix: refuses what can be known to fail.
pub(super) fn posix(fs: &dyn LinkFs, file: &Stat, new: &Place, on: Existing) -> Result<Replaced, Fault> {
    let foreseen = match fs.stat(new.at()) {
        Ok(there) if on == Existing::Replace && there.kind == Kind::Directory => {
            return Err(FaultKind::IsDirectory.into());
        }
        Ok(there) if on == Existing::Replace && there.id == file.id => return Ok(Replaced::Same),
        Ok(there) if on == Existing::Replace => Replaced::Replaced(there),
        Ok(_) => return Err(FaultKind::Exists.into()),
        Err(fault) if fault.kind() == FaultKind::NotFound => Replaced::Linked,
        Err(fault) => return Err(fault),
    };
    let dir = fs.stat_dir(new.dir())?;
    if dir.id.volume != file.id.volume || (dir.mount != file.mount) {
        return Err(FaultKind::CrossesVolumes.into());
    }
    let volume = fs.volume(new.dir())?;
    if volume.read_only {
        return Err(FaultKind::ReadOnly.into());
    }
    if volume.link_limit.is_some_and(|limit| file.links >= limit) {
        return Err(FaultKind::TooManyLinks.into());
    }
    if !volume.names.fits(new.name().bytes()) {
        return Err(FaultKind::NameTooLong.into());
    }
    Ok(foreseen)
}

/// By the rules of NT. Who has what open, and which rights are missing, only trying tells.
pub(super) fn nt(
    fs: &dyn LinkFs,
    existing: &Path,
    new: &Path,
    on: Existing,
) -> Result<(Stat, Replaced), Fault> {
    // NT takes a name with a separator at its end for that of a directory
    let misnamed = |path| place::wants_dir(path) && !place::is_dir(path);
    let from = match Place::of(fs, existing) {
        Err(fault) if matches!(fault.kind(), FaultKind::NotFound | FaultKind::NotDirectory) => {
            return Err(NtStatus::OBJECT_PATH_NOT_FOUND.into());
        }
        from => from?,
    };
    let file = fs.stat(from.at())?;
    if misnamed(existing) || misnamed(new) {
        return Err(NtStatus::OBJECT_NAME_INVALID.into());
    }
    let (parent, there) = match Place::of(fs, new) {
        Ok(to) => (ParentLookup::Found(parent(fs, &to, &file)?), found(fs, &to)?),
        Err(fault) if fault.kind() == FaultKind::NotFound => (ParentLookup::Missing, None),
        Err(fault) if fault.kind() == FaultKind::NotDirectory => (below(fs, place::parent(new)), None),
        Err(fault) => return Err(fault),
    };
    let name = new.file_name().map(Name::from_os);
    let units = name.and_then(|name| polylink_nt::name::units_of_wtf8(name.bytes()));
    let flags = match on {
        Existing::Keep => LinkFlags::empty(),
        Existing::Replace => LinkFlags::REPLACE_IF_EXISTS,
    };
    let units = units.unwrap_or_default();
    let request = LinkRequest::classic(NewName::new(&units, Root::Given), flags);
    let facts = decide::LinkFacts {
        volume: volume(fs, &from)?,
        handle: decide::HandleFacts::new(Access::READ_ATTRIBUTES),
        source: facts_of(&file, existing),
        parent,
        target: there.map(|there| decide::TargetFacts::new(relation(&file, &there), facts_of(&there, new))),
    };
    decide::link(&request, &facts)?;
    let replaced = match there {
        None => Replaced::Linked,
        Some(there) if there.id == file.id => Replaced::Same,
        Some(there) => Replaced::Replaced(there),
    };
    Ok((file, replaced))
}

fn found(fs: &dyn LinkFs, place: &Place) -> FsResult<Option<Stat>> {
    match fs.stat(place.at()) {
        Ok(there) => Ok(Some(there)),
        // a name that cannot exist cannot stand there; the rules say so in their own order
        Err(fault)
            if matches!(
                fault.kind(),
                FaultKind::NotFound | FaultKind::NameInvalid | FaultKind::NameTooLong
            ) =>
        {
            Ok(None)
        }
        Err(fault) => Err(fault),
    }
}

fn below(fs: &dyn LinkFs, dir: &Path) -> ParentLookup {
    match place::stat(fs, dir) {
        Ok(stat) if stat.kind != Kind::Directory => ParentLookup::BelowFile,
        _ => ParentLookup::Missing,
    }
}

fn parent(fs: &dyn LinkFs, to: &Place, file: &Stat) -> FsResult<ParentFacts> {
    let mut facts = ParentFacts::new(Access::ALL);
    if fs.stat_dir(to.dir())?.id.volume != file.id.volume {
        facts.volume = decide::Volume::Other;
    }
    Ok(facts)
}

fn volume(fs: &dyn LinkFs, place: &Place) -> FsResult<decide::VolumeFacts> {
    let known = fs.volume(place.dir())?;
    Ok(decide::VolumeFacts {
        read_only: known.read_only,
        hard_links: match known.hard_links {
            HardLinks::No => decide::HardLinks::Unsupported,
            HardLinks::Yes | HardLinks::Unknown => decide::HardLinks::Supported,
        },
        link_limit: known
            .link_limit
            .map_or(u32::MAX, |limit| u32::try_from(limit).unwrap_or(u32::MAX)),
        ..decide::VolumeFacts::NTFS
    })
}

fn facts_of(stat: &Stat, path: &Path) -> decide::FileFacts {
    decide::FileFacts {
        kind: match stat.kind {
            Kind::Directory => decide::Kind::Directory,
            _ => decide::Kind::File,
        },
        read_only: place::is_read_only(path),
        names: decide::Names {
            live: u32::try_from(stat.links).unwrap_or(u32::MAX),
            going: 0,
        },
        ..decide::FileFacts::FILE
    }
}

fn relation(file: &Stat, there: &Stat) -> decide::Relation {
    if file.id == there.id {
        decide::Relation::SameFile
    } else {
        decide::Relation::OtherFile
    }
}

#[cfg(test)]
mod tests {
    use polylink_core::{MemFs, MemOptions};

    use super::*;

    fn disk() -> MemFs {
        let fs = MemFs::with(MemOptions {
            link_limit: 3,
            ..MemOptions::default()
        });
        fs.create("/a/file", 1).unwrap();
        fs.create("/a/other", 1).unwrap();
        fs.link_path("/a/file", "/a/twin").unwrap();
        fs.mkdir("/a/dir").unwrap();
        fs.mkdir("/b").unwrap();
        fs.mount("/mnt").unwrap();
        fs
    }

    fn status(existing: &str, new: &str, on: Existing) -> String {
        match nt(&disk(), existing.as_ref(), new.as_ref(), on) {
            Ok((_, done)) => match done {
                Replaced::Linked => "linked".into(),
                Replaced::Replaced(_) => "replaced".into(),
                Replaced::Same => "same".into(),
            },
            Err(fault) => fault.symbol().trim_start_matches("STATUS_").into(),
        }
    }

    #[test]
    fn a_dry_run_answers_as_nt_would() {
        for (existing, new, kept, replaced) in [
            ("/a/file", "/b/new", "linked", "linked"),
            ("/a/file", "/a/other", "OBJECT_NAME_COLLISION", "replaced"),
            ("/a/file", "/a/twin", "OBJECT_NAME_COLLISION", "same"),
            ("/a/file", "/a/dir", "OBJECT_NAME_COLLISION", "ACCESS_DENIED"),
            ("/a/dir", "/b/new", "FILE_IS_A_DIRECTORY", "FILE_IS_A_DIRECTORY"),
            ("/a/dir", "/a/other", "FILE_IS_A_DIRECTORY", "FILE_IS_A_DIRECTORY"),
            (
                "/x/file",
                "/b/new",
                "OBJECT_PATH_NOT_FOUND",
                "OBJECT_PATH_NOT_FOUND",
            ),
            (
                "/a/file",
                "/x/new",
                "OBJECT_PATH_NOT_FOUND",
                "OBJECT_PATH_NOT_FOUND",
            ),
            (
                "/a/file",
                "/a/other/new",
                "INVALID_PARAMETER",
                "INVALID_PARAMETER",
            ),
            ("/a/file", "/mnt/new", "NOT_SAME_DEVICE", "NOT_SAME_DEVICE"),
            ("/a/file", "/b/a:b", "OBJECT_NAME_INVALID", "OBJECT_NAME_INVALID"),
        ] {
            assert_eq!(status(existing, new, Existing::Keep), kept, "{existing} {new}");
            assert_eq!(
                status(existing, new, Existing::Replace),
                replaced,
                "{existing} {new}"
            );
        }
    }

    #[test]
    fn the_limit_of_names_is_looked_at_before_the_name() {
        let fs = disk();
        fs.link_path("/a/file", "/a/third").unwrap();
        let fault = nt(&fs, "/a/file".as_ref(), "/a/other".as_ref(), Existing::Keep).unwrap_err();
        assert_eq!(fault.symbol(), "STATUS_TOO_MANY_LINKS");
    }
}
