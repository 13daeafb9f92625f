//! Removing a whole tree that polylink made.

use polylink_core::{
    At, Dir, DirBatch, FaultKind, FileFs, FsResult, Kind, More, Name, NameBuf, Progress, Stat,
};

use crate::metadata::{Rights, unlock};

/// A directory on the way down.
struct Level {
    dir: Dir,
    name: NameBuf,
    below: Vec<NameBuf>,
}

/// Removes a directory with all that is in it; follows no symbolic link and enters no other file system.
///
/// # Errors
///
/// As the file system says; [`FaultKind::Busy`] where another file system is mounted inside,
/// [`FaultKind::Interrupted`] where the user wanted it to stop. What was removed by then is gone.
pub(crate) fn remove_tree(
    fs: &dyn FileFs,
    at: At<'_>,
    rights: Rights,
    progress: &dyn Progress,
) -> FsResult<()> {
    let home = fs.stat_dir(at.dir)?;
    let top = Level {
        dir: at.dir.clone(),
        name: NameBuf::from(""),
        below: vec![at.name.to_buf()],
    };
    let mut way = vec![top];
    while let Some(level) = way.last_mut() {
        if progress.cancelled() {
            return Err(FaultKind::Interrupted.into());
        }
        if let Some(name) = level.below.pop() {
            let (dir, below) = match empty(fs, At::new(&level.dir, name.name()), rights, &home, progress) {
                // somebody else was faster
                Err(fault) if fault.kind() == FaultKind::NotFound => continue,
                opened => opened?,
            };
            way.push(Level { dir, name, below });
            continue;
        }
        let Some(done) = way.pop() else { break };
        if let Some(above) = way.last() {
            match fs.remove_dir(At::new(&above.dir, done.name.name())) {
                Err(fault) if fault.kind() == FaultKind::NotFound => {}
                removed => removed?,
            }
        }
    }
    Ok(())
}

/// Removes all names in a directory that are no directories; the open directory and those in it.
fn empty(
    fs: &dyn FileFs,
    at: At<'_>,
    rights: Rights,
    home: &Stat,
    progress: &dyn Progress,
) -> FsResult<(Dir, Vec<NameBuf>)> {
    let dir = match fs.open_child(at) {
        Err(fault) if fault.kind() == FaultKind::AccessDenied => {
            let stat = fs.stat(at)?;
            let mut metadata = fs.metadata(at).unwrap_or_default();
            metadata.modified = stat.modified;
            metadata.mode = stat.mode.map(|mode| mode | 0o700);
            fs.set_metadata(at, &metadata)?;
            fs.open_child(at)?
        }
        opened => opened?,
    };
    let stat = fs.stat_dir(&dir)?;
    if stat.id.volume != home.id.volume || stat.mount != home.mount {
        return Err(FaultKind::Busy.into());
    }
    unlock(fs, &dir, rights)?;
    let mut names: Vec<(NameBuf, Kind)> = Vec::new();
    let mut batch = DirBatch::new();
    loop {
        let more = fs.read_dir(&dir, &mut batch)?;
        names.extend(batch.iter().map(|entry| (entry.name.to_buf(), entry.kind)));
        if more == More::No {
            break;
        }
    }
    let mut below = Vec::new();
    for (name, kind) in names {
        let at = At::new(&dir, name.name());
        let kind = match kind {
            Kind::Unknown => fs.stat(at).map_or(Kind::File, |stat| stat.kind),
            kind => kind,
        };
        if kind == Kind::Directory {
            below.push(name);
            continue;
        }
        if progress.cancelled() {
            return Err(FaultKind::Interrupted.into());
        }
        match fs.unlink(at) {
            Err(fault) if fault.kind() == FaultKind::NotFound => {}
            removed => removed?,
        }
        progress.advance(1);
    }
    Ok((dir, below))
}

/// Whether a directory of this name is there; never through a symbolic link.
pub(crate) fn is_dir(fs: &dyn FileFs, dir: &Dir, name: Name<'_>) -> FsResult<bool> {
    match fs.stat(At::new(dir, name)) {
        Ok(stat) => Ok(stat.kind == Kind::Directory),
        Err(fault) if fault.kind() == FaultKind::NotFound => Ok(false),
        Err(fault) => Err(fault),
    }
}
