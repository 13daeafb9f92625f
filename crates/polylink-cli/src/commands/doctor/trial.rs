//! Links made to see whether they can be made, and removed again.

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};

use polylink_core::{
    At, DirBatch, Kind, LinkFs as _, More, Name, NameBuf, PathError, ResultExt as _, Stat, shown,
};

use polylink_host::facts;

use super::Sides;
use crate::commands::Context;
use crate::error::CommandError;
use crate::explain;
use crate::place::{self, Place};

/// How many entries are read in search of a file to try with.
const ENTRIES: usize = 100_000;

/// One link that was tried.
pub(super) struct Trial {
    pub(super) title: &'static str,
    pub(super) existing: PathBuf,
    pub(super) new: PathBuf,
    pub(super) error: Option<PathError>,
    pub(super) hints: Vec<String>,
    /// What the file system says of a file that has one name more; `None` where there was no link to look at.
    pub(super) seen: Option<Seen>,
}

/// What a file system says of a file right after a link to it was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Seen {
    /// Both names have one file id.
    pub(super) one_file: bool,
    /// There is one name more than before.
    pub(super) counted: bool,
}

impl Seen {
    fn of(before: &Stat, existing: &Stat, new: &Stat) -> Self {
        Self {
            one_file: existing.id == new.id,
            // more than one more may be somebody else's work
            counted: existing.links > before.links && new.links > before.links,
        }
    }

    /// What follows from a lie, for people.
    fn hints(self, kind: &str) -> Vec<String> {
        let mut hints = Vec::new();
        if !self.one_file {
            hints.push(format!(
                "{kind} gives the two names different file ids, so nobody can see here that they are one file: views, usage \
                 and dedupe would take them for two"
            ));
        }
        if !self.counted {
            hints.push(format!(
                "{kind} does not count the new name, so nobody can see here which name is the last of a file: polylink \
                 keeps what may be one, and 'usage' cannot tell what a deletion frees"
            ));
        }
        if !hints.is_empty() {
            hints.push(
                "run polylink where the files are: on the server, or on the file system below".to_owned(),
            );
        }
        hints
    }
}

impl Trial {
    /// Whether links can be made, and be known again.
    pub(super) fn works(&self) -> bool {
        self.error.is_none() && self.seen.is_none_or(|seen| seen.one_file)
    }
}

/// A file of our own, removed when dropped.
struct TestFile(PathBuf);

impl TestFile {
    fn new(dir: &Path, name: &str) -> std::io::Result<Self> {
        let path = dir.join(name);
        File::create_new(&path).map(|_| Self(path))
    }
}

impl Drop for TestFile {
    fn drop(&mut self) {
        // OK to ignore: it was there a moment ago, and is empty
        drop(std::fs::remove_file(&self.0));
    }
}

/// From the source to the view, and back.
pub(super) fn both(
    context: &Context<'_>,
    sides: &Sides,
    notes: &mut Vec<String>,
) -> Result<Vec<Trial>, CommandError> {
    let mut trials = Vec::new();
    let test_name = format!(".polylink-doctor-{}", std::process::id());
    match file_to_try(context, sides)? {
        Some(file) => trials.push(link(
            context,
            "link from source to view",
            &file,
            &sides.view_dir.join(&test_name),
        )?),
        None => notes.push(format!(
            "'{}' has no file to try with: only the other direction was tried",
            shown(&sides.source)
        )),
    }
    context.stop.check()?;
    match TestFile::new(&sides.view_dir, &format!("{test_name}-file")) {
        Ok(file) => {
            notes.extend(other_owner(context, &file.0, &sides.view_dir));
            trials.push(link(
                context,
                "link from view to source",
                &file.0,
                &sides.source_dir.join(&test_name),
            )?);
        }
        Err(error) => notes.push(format!(
            "no file can be made in '{}' ({error}): links from there were not tried",
            shown(&sides.view_dir)
        )),
    }
    if trials.is_empty() {
        return Err(
            CommandError::cannot_start("there is no file that a link could be tried with")
                .hint("name a file, or a directory that has one, as SOURCE"),
        );
    }
    Ok(trials)
}

/// What is to be said where a file that we made a moment ago is not ours.
fn other_owner(context: &Context<'_>, file: &Path, dir: &Path) -> Option<String> {
    let owner = place::stat(&context.fs, file).ok()?.owner?;
    let me = facts::current_user();
    (owner != me).then(|| {
        format!(
            "what {} makes in '{}' belongs to {}, not to {}: the mount or its server makes owners up (options 'uid=', \
             'noowner', root squashing), so who owns a file, and whether 'fs.protected_hardlinks' lets it be linked, is \
             decided by that",
            explain::user(me),
            shown(dir),
            explain::user(owner),
            explain::user(me)
        )
    })
}

fn link(
    context: &Context<'_>,
    title: &'static str,
    existing: &Path,
    new: &Path,
) -> Result<Trial, CommandError> {
    let fs = &context.fs;
    let open = |path: &Path| {
        Place::of(fs, path)
            .at("open", path)
            .map_err(|error| context.explain(&error).before_start())
    };
    let (from, to) = (open(existing)?, open(new)?);
    let before = fs.stat(from.at());
    let made = fs.link(from.at(), to.at());
    let mut seen = None;
    if made.is_ok() {
        if let (Ok(before), Ok(existing), Ok(new)) = (before, fs.stat(from.at()), fs.stat(to.at())) {
            seen = Some(Seen::of(&before, &existing, &new));
        }
        fs.unlink(to.at())
            .at("remove the test link", new)
            .map_err(|error| context.explain(&error))?;
    }
    let error = made.between("link", existing, new).err();
    let hints = match (&error, seen) {
        (Some(error), _) => explain::hints(fs, error),
        (None, Some(seen)) => {
            let kind = fs
                .volume(to.dir())
                .map_or_else(|_| "it".to_owned(), |volume| volume.kind);
            seen.hints(&kind)
        }
        (None, None) => Vec::new(),
    };
    Ok(Trial {
        title,
        existing: existing.into(),
        new: new.into(),
        hints,
        error,
        seen,
    })
}

/// The source itself, or the first file in or below it.
fn file_to_try(context: &Context<'_>, sides: &Sides) -> Result<Option<PathBuf>, CommandError> {
    if !place::is_dir(&sides.source) {
        return Ok(Some(sides.source.clone()));
    }
    let fs = &context.fs;
    let mut batch = DirBatch::new();
    let mut left = ENTRIES;
    let mut queue = VecDeque::from([(context.open_dir(&sides.source)?, sides.source.clone())]);
    while let Some((dir, path)) = queue.pop_front() {
        context.stop.check()?;
        let mut children: Vec<NameBuf> = Vec::new();
        while let Ok(more) = fs.read_dir(&dir, &mut batch) {
            for entry in batch.iter() {
                let kind = match entry.kind {
                    Kind::Unknown => fs
                        .stat(At::new(&dir, entry.name))
                        .map_or(Kind::Unknown, |stat| stat.kind),
                    kind => kind,
                };
                match (kind, entry.name.to_os()) {
                    (Kind::File, Some(name)) => return Ok(Some(path.join(name))),
                    (Kind::Directory, _) => children.push(entry.name.to_buf()),
                    _ => {}
                }
            }
            left = left.saturating_sub(batch.len());
            if more == More::No || left == 0 {
                break;
            }
        }
        let child = |name: &NameBuf| {
            let at = At::new(&dir, name.name());
            Some((fs.open_child(at).ok()?, path.join(Name::to_os(name.name())?)))
        };
        // a bound on what is open at one time
        if left > 0 && queue.len() < 500 {
            queue.extend(children.iter().take(100).filter_map(child));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use polylink_core::MemFs;

    use super::*;

    #[test]
    fn a_file_system_that_lies_about_a_link_is_found_out() {
        let fs = MemFs::new();
        fs.create("/a", 1).unwrap();
        fs.create("/other", 1).unwrap();
        let dir = fs.open_dir("/".as_ref()).unwrap();
        let stat = |name| fs.stat(At::new(&dir, Name::new(name))).unwrap();
        let before = stat("a");
        fs.link_path("/a", "/b").unwrap();
        let honest = Seen::of(&before, &stat("a"), &stat("b"));
        assert!(honest.one_file && honest.counted && honest.hints("ext4").is_empty());
        let uncounted = Seen::of(&before, &before, &before);
        assert!(uncounted.one_file && !uncounted.counted);
        assert_eq!(uncounted.hints("fuse.x").len(), 2);
        let two_files = Seen::of(&before, &before, &stat("other"));
        assert!(!two_files.one_file);
        assert_eq!(two_files.hints("fuse.x").len(), 3);
    }
}
