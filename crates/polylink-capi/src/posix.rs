//! NT's rules over the file systems of a Unix.
//!
//! First the facts are gathered, by looking at the file and at where the new name would stand; then
//! [`polylink_nt::decide`] says what becomes of the request; only then is anything done, and what the system refuses
//! even so gets the status that NT has for the same reason.

mod file;
mod target;

use std::path::{Path, PathBuf};

use polylink_core::{
    Existing, Fault, FaultKind, HardLinks, Kind, LinkFs, Stat, VolumeInfo, replace_with_link, shown,
};
use polylink_host::HostFs;
use polylink_nt::NtStatus;
use polylink_nt::decide::{
    self, Access, FileFacts, HandleFacts, LinkChange, LinkFacts, LinkRequest, LinkState, Manner, Names,
    VolumeFacts,
};
use polylink_nt::info::{Form, LinkFlags};

use self::target::Target;
use crate::failure::{Failure, status_of};
use crate::place::{self, Place, Spot};
use crate::text;

pub(crate) use file::File;

/// Only Windows has an error of its own besides.
pub(crate) fn set_last_error(_win32: u32) {}

/// There is no code page on Unix: bytes are what they are.
pub(crate) fn path_of_ansi(bytes: &[u8]) -> Result<PathBuf, Failure> {
    text::path_of_bytes(bytes)
}

/// CreateHardLink.
pub(crate) fn create_hard_link(existing: &Path, new: &Path) -> Result<(), Failure> {
    link(existing, new, Existing::Keep)
}

/// The same, which may replace.
pub(crate) fn link(existing: &Path, new: &Path, on: Existing) -> Result<(), Failure> {
    link_by_path(&HostFs::new(), existing, new, on)
}

fn link_by_path(fs: &dyn LinkFs, existing: &Path, new: &Path, on: Existing) -> Result<(), Failure> {
    let tried = tried(existing, new);
    // Win32 makes NT paths of both before it opens anything
    if existing.as_os_str().is_empty() || new.as_os_str().is_empty() {
        return Err(Failure::of(NtStatus::OBJECT_PATH_NOT_FOUND, &tried));
    }
    let source = match place::find(fs, existing).map_err(|no_place| no_place.failure(&tried))? {
        Place::Directory(_) => Source::Directory,
        Place::Name(spot) => {
            let stat = fs
                .stat(spot.at())
                .map_err(|fault| Failure::fault(fault, &tried))?;
            Source::of(spot, stat)
        }
    };
    let flags = match on {
        Existing::Keep => LinkFlags::empty(),
        Existing::Replace => LinkFlags::REPLACE_IF_EXISTS,
    };
    let wish = Wish {
        form: Form::Classic,
        flags,
        tried: &tried,
    };
    add_name(fs, &source, &Target::by_path(fs, new), &wish)
}

fn tried(existing: &Path, new: &Path) -> String {
    format!("cannot link '{}' to '{}'", shown(existing), shown(new))
}

/// What is to get a further name.
enum Source {
    /// A file, or a symbolic link, by one of its names.
    Name(Spot, Box<Stat>),
    /// A directory.
    Directory,
    /// A file whose name is gone, or leads elsewhere.
    Gone,
}

impl Source {
    fn of(spot: Spot, stat: Stat) -> Self {
        if stat.kind == Kind::Directory {
            Self::Directory
        } else {
            Self::Name(spot, Box::new(stat))
        }
    }
}

/// How it is to get it.
struct Wish<'a> {
    form: Form,
    flags: LinkFlags,
    /// The beginning of the message, should it come to nothing.
    tried: &'a str,
}

/// Asks the rules, and does what they say.
fn add_name(fs: &dyn LinkFs, source: &Source, target: &Target, wish: &Wish<'_>) -> Result<(), Failure> {
    let facts = facts(fs, source, target).map_err(|fault| Failure::fault(fault, wish.tried))?;
    let request = LinkRequest {
        form: wish.form,
        flags: wish.flags,
        name: target.name(),
        origin: decide::Origin::Local,
    };
    let change = match decide::link(&request, &facts) {
        Ok(action) => action.change,
        Err(status) => return Err(target.refused(status, wish.tried)),
    };
    let (Source::Name(existing, _), Some(new)) = (source, &target.spot) else {
        // without a name there is nothing to link, and a place without a name is an existing directory
        return Err(Failure::of(NtStatus::ACCESS_DENIED, wish.tried));
    };
    let done = match change {
        // both are names of the file already, and POSIX keeps one spelling a name
        LinkChange::Nothing | LinkChange::Respell | LinkChange::Renew => Ok(()),
        LinkChange::Add => fs.link(existing.at(), new.at()),
        LinkChange::Replace(_) => replace_with_link(fs, existing.at(), new.at()).map(drop),
    };
    done.map_err(|fault| refused_in_the_act(fault, wish.tried))
}

/// What the system refuses although no rule does.
fn refused_in_the_act(fault: Fault, tried: &str) -> Failure {
    match fault.kind() {
        // the only directory that can be in the way now is one that came to stand at the name meanwhile
        FaultKind::IsDirectory => Failure::as_status(NtStatus::ACCESS_DENIED, fault, tried),
        kind => Failure::as_status(status_of(kind), fault, tried),
    }
}

fn facts(fs: &dyn LinkFs, source: &Source, target: &Target) -> Result<LinkFacts, Fault> {
    let dir = match (source, &target.spot) {
        (_, Some(spot)) | (Source::Name(spot, _), None) => Some(&spot.dir),
        _ => None,
    };
    let volume = dir.map(|dir| fs.volume(dir)).transpose()?;
    let mut handle = HandleFacts::new(Access::SYNCHRONIZE);
    let (file, id) = match source {
        Source::Name(_, stat) => (file_facts(stat), Some(stat.id)),
        Source::Directory => (FileFacts::DIRECTORY, None),
        Source::Gone => {
            handle.link = LinkState::DeletePending(Manner::Posix);
            (FileFacts::FILE, None)
        }
    };
    Ok(LinkFacts {
        volume: volume.as_ref().map_or(VolumeFacts::NTFS, volume_facts),
        handle,
        source: file,
        parent: target.parent(id),
        target: target.stands(id),
    })
}

/// A volume as the rules see it; where only trying tells whether there are hard links, it is tried.
fn volume_facts(volume: &VolumeInfo) -> VolumeFacts {
    VolumeFacts {
        read_only: volume.read_only,
        hard_links: match volume.hard_links {
            HardLinks::No => decide::HardLinks::Unsupported,
            HardLinks::Yes | HardLinks::Unknown => decide::HardLinks::Supported,
        },
        link_limit: volume
            .link_limit
            .map_or(u32::MAX, |limit| u32::try_from(limit).unwrap_or(u32::MAX)),
        short_names: false,
        ..VolumeFacts::NTFS
    }
}

/// A file as the rules see it. Who may do what, and who has it open, the system judges when it is done.
fn file_facts(stat: &Stat) -> FileFacts {
    let base = match stat.kind {
        Kind::Directory => FileFacts::DIRECTORY,
        _ => FileFacts::FILE,
    };
    FileFacts {
        names: Names {
            live: u32::try_from(stat.links).unwrap_or(u32::MAX),
            going: 0,
        },
        ..base
    }
}

#[cfg(test)]
mod tests;
