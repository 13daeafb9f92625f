//! Links made to see whether they can be made, and removed again.

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};

use polylink_core::{At, DirBatch, Kind, LinkFs as _, More, Name, NameBuf, PathError, ResultExt as _, shown};

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
        Ok(file) => trials.push(link(
            context,
            "link from view to source",
            &file.0,
            &sides.source_dir.join(&test_name),
        )?),
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
    let made = fs.link(from.at(), to.at());
    if made.is_ok() {
        fs.unlink(to.at())
            .at("remove the test link", new)
            .map_err(|error| context.explain(&error))?;
    }
    let error = made.between("link", existing, new).err();
    Ok(Trial {
        title,
        existing: existing.into(),
        new: new.into(),
        hints: error
            .as_ref()
            .map(|error| explain::hints(fs, error))
            .unwrap_or_default(),
        error,
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
