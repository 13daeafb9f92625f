//! What the threads of the walk gather.

use std::ops::ControlFlow;

use polylink_core::{At, DirBatch, DirEntry, DirIds, Fault, FaultKind, FileId, Kind, LinkFs, NameBuf, Stat};
use polylink_walk::{Mounts, Visited, Visitor};

use crate::files::{Files, Handle, LastSpace, push_tight};

/// What a directory holds itself, without its files of several names.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Own {
    pub(crate) dir: u32,
    pub(crate) names: u64,
    pub(crate) files: u64,
    pub(crate) logical: u64,
    pub(crate) disk: u64,
    pub(crate) other: u64,
}

/// A name whose file could not be looked at. Where its id is known, another name may have told about the file.
pub(crate) struct Blind {
    pub(crate) dir: u32,
    pub(crate) name: NameBuf,
    pub(crate) id: Option<FileId>,
    pub(crate) fault: Fault,
}

/// What one thread gathers: four bytes for each name of a file of several names, and a little for each directory.
#[derive(Default)]
pub(crate) struct Local {
    pub(crate) own: Vec<Own>,
    /// Directories with the number of those of `files` that they hold.
    pub(crate) runs: Vec<(u32, u32)>,
    pub(crate) files: Vec<Handle>,
    pub(crate) blind: Vec<Blind>,
    /// Names of files on which something else is mounted.
    pub(crate) covered: Vec<(u32, NameBuf)>,
    pub(crate) vanished: u64,
    last: LastSpace,
}

pub(crate) struct Scan<'a> {
    pub(crate) fs: &'a dyn LinkFs,
    pub(crate) mounts: Mounts,
    pub(crate) files: &'a Files,
}

/// Whether something went away between being listed and being looked at, which is no failure.
pub(crate) fn gone(fault: Fault) -> bool {
    matches!(fault.kind(), FaultKind::NotFound | FaultKind::Stale)
}

enum Met {
    /// The only name of its file.
    Single(Stat),
    /// A name of a file that has several.
    Several(Handle),
    Other,
    Vanished,
    Covered,
    Blind(Option<FileId>, Fault),
}

impl Visitor for Scan<'_> {
    type Local = Local;

    fn local(&self) -> Local {
        Local::default()
    }

    fn batch(&self, local: &mut Local, dir: Visited<'_>, batch: &DirBatch) -> ControlFlow<()> {
        let mut own = match local.own.pop_if(|own| own.dir == dir.number) {
            Some(own) => own,
            None => Own {
                dir: dir.number,
                ..Own::default()
            },
        };
        let mut run = 0;
        for entry in batch.iter() {
            let met = match entry.kind {
                Kind::Directory => continue,
                Kind::Symlink | Kind::Special => Met::Other,
                Kind::File | Kind::Unknown => self.meet(&mut local.last, dir, &entry, batch.ids()),
            };
            match met {
                Met::Single(stat) => {
                    own.names += 1;
                    own.files += 1;
                    own.logical = own.logical.saturating_add(stat.size);
                    own.disk = own.disk.wrapping_add(stat.allocated);
                }
                Met::Several(handle) => {
                    push_tight(&mut local.files, handle);
                    run += 1;
                }
                Met::Other => own.other += 1,
                Met::Vanished => local.vanished += 1,
                Met::Covered => local.covered.push((dir.number, entry.name.to_buf())),
                Met::Blind(id, fault) => {
                    local.blind.push(Blind {
                        dir: dir.number,
                        name: entry.name.to_buf(),
                        id,
                        fault,
                    });
                }
            }
        }
        push_tight(&mut local.own, own);
        if run > 0 {
            push_tight(&mut local.runs, (dir.number, run));
        }
        ControlFlow::Continue(())
    }
}

impl Scan<'_> {
    fn meet(&self, last: &mut LastSpace, dir: Visited<'_>, entry: &DirEntry<'_>, ids: DirIds) -> Met {
        let trusted = ids == DirIds::Trusted;
        if trusted && let Some(handle) = self.files.find(self.files.key(entry.id, last)) {
            return Met::Several(handle);
        }
        let stat = match self.fs.stat(At::new(dir.dir, entry.name)) {
            Ok(stat) => stat,
            Err(fault) if gone(fault) => return Met::Vanished,
            Err(fault) => return Met::Blind(trusted.then_some(entry.id), fault),
        };
        // overlayfs has files of other volumes in its directories, and its ids are not trusted
        if trusted && self.mounts == Mounts::Stay && stat.id.volume != entry.id.volume {
            return Met::Covered;
        }
        match stat.kind {
            Kind::Symlink | Kind::Special => Met::Other,
            // something else stood there when the directory was read
            Kind::Directory | Kind::Unknown => Met::Vanished,
            Kind::File => match stat.links {
                0 => Met::Vanished,
                1 => Met::Single(stat),
                _ => match self.files.meet(self.files.key(stat.id, last), &stat) {
                    Some(handle) => Met::Several(handle),
                    None => Met::Blind(None, Fault::of(FaultKind::Unsupported)),
                },
            },
        }
    }
}
