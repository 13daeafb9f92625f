//! What happens in the demo: updates that are timed, changes to the tree, and a check that trusts nobody.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use polylink_core::{At, Dir, DirBatch, FileId, Kind, LinkFs as _, More, NameBuf, ResultExt as _};
use polylink_usage::Usage;
use polylink_view::{Outcome, Request};

use crate::commands::flat::{Opened, Site};
use crate::commands::{Context, sample};
use crate::error::CommandError;
use crate::progress::Meter;

/// The disk at one moment.
pub(super) struct Disk {
    pub(super) free: Option<u64>,
    pub(super) usage: Usage,
}

/// An update and how long it took.
pub(super) struct Timed {
    pub(super) outcome: Outcome,
    pub(super) time: Duration,
}

/// How many files changed in which way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub(super) came: u64,
    pub(super) went: u64,
    pub(super) renamed: u64,
    pub(super) saved: u64,
}

pub(super) fn timed<T>(
    work: impl FnOnce() -> Result<T, CommandError>,
) -> Result<(T, Duration), CommandError> {
    let start = Instant::now();
    let result = work()?;
    Ok((result, start.elapsed()))
}

/// One update, as `polylink flat` does it.
pub(super) fn update(
    context: &Context<'_>,
    site: Site<'_>,
    request: &Request,
    meter: &Meter,
) -> Result<Timed, CommandError> {
    let (outcome, time) = timed(|| {
        let mut opened = Opened::open(site, request, false)?;
        let plan = opened.plan(meter)?;
        Ok(opened.apply(plan, meter))
    })?;
    context.stop.check()?;
    if let Some(failure) = outcome.failures.first() {
        return Err(site.explain(failure));
    }
    if let Some(error) = &outcome.ledger_error {
        return Err(site.error(error));
    }
    Ok(Timed { outcome, time })
}

/// Files come, go, are renamed and are saved by rename: one in a hundred or two hundred.
pub(super) fn change(tree: &Path, files: usize) -> Result<Change, CommandError> {
    let io = |action: &'static str, path: &Path| {
        let path = path.to_path_buf();
        move |error: std::io::Error| CommandError::from_io(action, &path, &error)
    };
    let path = |index: usize| {
        sample::month_dir(tree, sample::month_of(index, files))
            .join(sample::file_name(index, sample::Naming::SomeTwice))
    };
    let (mut went, mut renamed, mut saved) = (0, 0, 0);
    for index in (0..files).skip(1).step_by(50) {
        let old = path(index);
        match index / 50 % 4 {
            0 => {
                std::fs::remove_file(&old).map_err(io("remove", &old))?;
                went += 1;
            }
            1 => {
                std::fs::rename(&old, old.with_file_name(format!("holiday {index}.jpg")))
                    .map_err(io("rename", &old))?;
                renamed += 1;
            }
            2 => {
                let new = old.with_extension("new");
                sample::write_file(&new, index + 1, sample::file_size(index + 1))
                    .map_err(io("write", &new))?;
                std::fs::rename(&new, &old).map_err(io("rename", &new))?;
                saved += 1;
            }
            _ => {}
        }
    }
    let came = files.div_ceil(100);
    let last = sample::month_dir(tree, sample::YEARS * sample::MONTHS - 1);
    for index in 0..came {
        let new = last.join(format!("new_{index:05}.jpg"));
        sample::write_file(&new, files + index, sample::file_size(files + index))
            .map_err(io("write", &new))?;
    }
    Ok(Change {
        came: came as u64,
        went,
        renamed,
        saved,
    })
}

/// How many view names carry the folders that tell them apart.
pub(super) fn names_with_label(view: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(view) else {
        return 0;
    };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().contains(" ("))
        .count() as u64
}

/// What a look at both directories found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verified {
    /// Files in the tree.
    pub(super) files: u64,
    /// Those that do not have exactly one name in the view.
    pub(super) wrong: u64,
    /// Names in the view that lead to no file of the tree.
    pub(super) beside: u64,
}

impl Verified {
    pub(super) fn holds(&self) -> bool {
        self.wrong == 0
    }
}

/// Reads tree and view, by `stat` for every name, and compares.
pub(super) fn verify(context: &Context<'_>, tree: &Path, view: &Path) -> Result<Verified, CommandError> {
    let mut names: HashMap<FileId, u64> = HashMap::new();
    let mut dirs: Vec<PathBuf> = vec![tree.into()];
    while let Some(path) = dirs.pop() {
        each_entry(context, &path, |kind, id, name| match kind {
            Kind::Directory => dirs.extend(name.name().to_os().map(|name| path.join(name))),
            _ => {
                names.insert(id, 0);
            }
        })?;
    }
    let mut beside = 0;
    each_entry(context, view, |_, id, _| match names.get_mut(&id) {
        Some(number) => *number += 1,
        None => beside += 1,
    })?;
    Ok(Verified {
        files: names.len() as u64,
        wrong: names.values().filter(|number| **number != 1).count() as u64,
        beside,
    })
}

fn each_entry(
    context: &Context<'_>,
    path: &Path,
    mut take: impl FnMut(Kind, FileId, NameBuf),
) -> Result<(), CommandError> {
    let dir: Dir = context.open_dir(path)?;
    let mut batch = DirBatch::new();
    let failed = |error| context.explain(&error);
    loop {
        context.stop.check()?;
        let more = context
            .fs
            .read_dir(&dir, &mut batch)
            .at("read", path)
            .map_err(failed)?;
        for entry in batch.iter() {
            let stat = context
                .fs
                .stat(At::new(&dir, entry.name))
                .at("look at", path)
                .map_err(failed)?;
            take(stat.kind, stat.id, entry.name.to_buf());
        }
        if more == More::No {
            return Ok(());
        }
    }
}
