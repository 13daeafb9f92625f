//! An open file, as far as a Unix can have one that is linked by name.

use std::path::{Path, PathBuf};

use polylink_core::{Dir, FaultKind, FileId, Kind, LinkFs, shown};
use polylink_host::HostFs;
use polylink_nt::decide::Root;
use polylink_nt::info::{Form, LinkInformation};

use super::{Source, Target, Wish, add_name, tried};
use crate::failure::Failure;
use crate::place::{self, Place, Spot};
use crate::text;

/// An open file or directory of the host.
#[derive(Debug)]
pub(crate) struct File {
    fs: HostFs,
    opened: Opened,
}

impl File {
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let fs = HostFs::new();
        let opened = Opened::by_path(&fs, path)?;
        Ok(Self { fs, opened })
    }

    /// NtSetInformationFile with a link's information; the root directory is taken out of it already.
    pub(crate) fn link(
        &self,
        request: &LinkInformation,
        root: Option<&Self>,
        form: Form,
    ) -> Result<(), Failure> {
        let root = root.map(|root| &root.opened);
        self.opened.link(&self.fs, request, root, form)
    }
}

/// What was opened, whatever the file system.
#[derive(Debug)]
pub(super) struct Opened {
    /// As it was opened, for messages.
    path: PathBuf,
    what: What,
}

#[derive(Debug)]
enum What {
    Directory(Dir),
    /// A file by its name: no handle leads from a file to a further name of it.
    Name(Spot, FileId),
}

impl Opened {
    pub(super) fn by_path(fs: &dyn LinkFs, path: &Path) -> Result<Self, Failure> {
        let tried = format!("cannot open '{}'", shown(path));
        let failed = |fault| Failure::fault(fault, &tried);
        let what = match place::find(fs, path).map_err(|no_place| no_place.failure(&tried))? {
            Place::Directory(dir) => What::Directory(dir),
            Place::Name(spot) => {
                let stat = fs.stat(spot.at()).map_err(failed)?;
                match stat.kind {
                    Kind::Directory => What::Directory(fs.open_child(spot.at()).map_err(failed)?),
                    _ => What::Name(spot, stat.id),
                }
            }
        };
        Ok(Self {
            path: path.to_path_buf(),
            what,
        })
    }

    /// What the handle leads to now.
    fn source(&self, fs: &dyn LinkFs, tried: &str) -> Result<Source, Failure> {
        let What::Name(spot, id) = &self.what else {
            return Ok(Source::Directory);
        };
        match fs.stat(spot.at()) {
            Ok(stat) if stat.id == *id => Ok(Source::Name(spot.clone(), Box::new(stat))),
            Ok(_) => Ok(Source::Gone),
            Err(fault) if fault.kind() == FaultKind::NotFound => Ok(Source::Gone),
            Err(fault) => Err(Failure::fault(fault, tried)),
        }
    }

    pub(super) fn link(
        &self,
        fs: &dyn LinkFs,
        request: &LinkInformation,
        root: Option<&Self>,
        form: Form,
    ) -> Result<(), Failure> {
        let shown_name = PathBuf::from(String::from_utf16_lossy(&request.name));
        let tried = tried(&self.path, &shown_name);
        let source = self.source(fs, &tried)?;
        let target = self.target(fs, &request.name, root);
        let wish = Wish {
            form,
            flags: request.flags,
            tried: &tried,
        };
        add_name(fs, &source, &target, &wish)
    }

    fn target(&self, fs: &dyn LinkFs, name: &[u16], root: Option<&Self>) -> Target {
        let given = match root {
            Some(_) => Root::Given,
            None => Root::None,
        };
        let Ok(path) = text::path_of_units(name) else {
            return Target::impossible(given);
        };
        let bytes = text::bytes_of_path(&path);
        match (root, &self.what) {
            (Some(root), _) => match &root.what {
                What::Directory(dir) => Target::rooted(fs, Some(dir), bytes),
                What::Name(..) => Target::rooted(fs, None, bytes),
            },
            (None, _) if bytes.first() == Some(&b'/') => {
                if bytes.contains(&0) {
                    return Target::impossible(given);
                }
                Target::by_path(fs, &path)
            }
            (None, What::Name(spot, _)) => Target::beside(fs, &spot.dir, bytes),
            // a directory is refused whatever the name
            (None, What::Directory(dir)) => Target::beside(fs, dir, bytes),
        }
    }
}
