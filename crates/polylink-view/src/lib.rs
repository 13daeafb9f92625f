//! A flat view: a single directory with a name for each file of a tree, kept in step with it by hard links.
//!
//! [`plan`] compares sources, view and [`Ledger`] and says what to do; [`apply`] does it. A dry run shows the very
//! [`Plan`] that the real run executes.
//!
//! ```
//! use std::path::Path;
//!
//! use polylink_core::{MemFs, Silent};
//! use polylink_view::{Ledger, Options, Request, apply, plan};
//!
//! let fs = MemFs::new();
//! fs.create("/photos/2006/11/a.jpg", 1000).unwrap();
//! fs.create("/photos/2007/02/a.jpg", 2000).unwrap();
//! let request =
//!     Request { sources: vec!["/photos".into()], view: "/flat".into(), options: Options::default() };
//! let mut ledger = Ledger::in_memory().unwrap();
//! let update = plan(&fs, &request, &ledger, &Silent).unwrap();
//! let outcome = apply(&fs, update, &mut ledger, &Silent);
//! assert_eq!(outcome.linked, 2);
//! assert!(fs.all_names().contains_key(Path::new("/flat/a (2007-02).jpg")));
//! ```
//!
//! # Guarantees
//!
//! A name that polylink did not make is never touched. A file's last name is removed only where the options say so.
//! Nothing is removed below what could not be read. A run that is killed at any instant is completed by the next one,
//! and no temporary name stays. Names that exist never change because others come or go.
//!
//! # Errors
//!
//! [`Error`] where nothing can be done at all; what goes wrong with single files is in [`Outcome::failures`].
//!
//! # Limits
//!
//! POSIX cannot remove a name only if it is not the last one, nor replace a name only if it still leads where it did:
//! the check and the change are two calls, a few microseconds apart.

mod apply;
mod diff;
mod error;
mod fallback;
mod follow;
mod ledger;
mod links;
mod naming;
mod opener;
mod options;
mod plan;
mod report;
mod scan;
mod template;

use std::path::Path;

use polylink_core::{
    At, Dir, Fault, FaultKind, FileFs, FileId, HardLinks, Kind, LinkFs, Name, Progress, ResultExt as _, Stat,
    VolumeInfo,
};
use polylink_walk::{Mounts, Options as WalkOptions, Root};

pub use polylink_walk::{BadGlob, Case, Filter};

pub use apply::{apply, apply_with};
pub use error::Error;
pub use fallback::{FallRow, Fallback, Fallbacks, Mark, Stands, make_fallback, symlink_target};
pub use follow::{Event, Events, Happened, NoWatch, Timing, follow};
pub use ledger::{Ledger, LedgerFault, LedgerSummary, ledger_path, open_ledger};
pub use options::{Appear, Deleted, Options, Orphans, Request, Superseded};
pub use plan::{OldVersion, Plan, Step, Why};
pub use report::{Failure, Outcome};
pub use scan::LeftOut;
pub use template::{FIELDS as TEMPLATE_FIELDS, Template};

use diff::{Diff, settle};
use ledger::Book;
use scan::{Sources, ViewNames};

/// Where the view is, or will be.
struct Place {
    parent: Dir,
    dir: Option<(Dir, Stat)>,
    /// Of the view's directory, or of its parent where there is none yet.
    volume: VolumeInfo,
    mount: Option<u64>,
}

/// Compares sources, view and ledger. Changes nothing.
///
/// # Errors
///
/// [`Error`] where the view cannot be made from these sources at all.
pub fn plan(
    fs: &dyn LinkFs,
    request: &Request,
    ledger: &Ledger,
    progress: &dyn Progress,
) -> Result<Plan, Error> {
    plan_either(fs, None, request, ledger, progress)
}

/// As [`plan`], where files can be copied as well: [`Options::fallback`] needs that, and so does keeping the fallbacks of
/// earlier updates right. Without it they are left as they are.
///
/// # Errors
///
/// As [`plan`].
pub fn plan_with(
    fs: &dyn FileFs,
    request: &Request,
    ledger: &Ledger,
    progress: &dyn Progress,
) -> Result<Plan, Error> {
    plan_either(fs, Some(fs), request, ledger, progress)
}

fn plan_either(
    fs: &dyn LinkFs,
    files: Option<&dyn FileFs>,
    request: &Request,
    ledger: &Ledger,
    progress: &dyn Progress,
) -> Result<Plan, Error> {
    let place = find_view(fs, &request.view)?;
    let (roots, apart, overlaps, leave_out) = open_sources(fs, request, &place)?;
    let walk_options = WalkOptions {
        threads: request.options.threads,
        mounts: Mounts::Stay,
        leave_out,
    };
    progress.begin("reading", None);
    // the ledger is read in this thread, whose heap grows in larger steps, while others walk the sources and the view
    let (book, names, sources) = std::thread::scope(|scope| {
        let sources =
            scope.spawn(|| Sources::read(fs, roots, &request.options.filter, &walk_options, progress));
        let names = scope.spawn(|| {
            place
                .dir
                .as_ref()
                .map_or(Ok(ViewNames::default()), |(dir, _)| ViewNames::read(fs, dir))
        });
        let book = ledger.read();
        (book, join(names), join(sources))
    });
    progress.end();
    let mut sources = sources.ok_or(Error::Cancelled)?;
    sources.apart = apart;
    let names = names.at("read", &request.view)?;
    let book = book.map_err(|fault| ledger.named(fault))?;
    compare(fs, files, request, place, overlaps, sources, &names, book)
}

/// Makes a plan of what is known of sources, view and ledger.
#[allow(clippy::too_many_arguments)] // all that there is
fn compare(
    fs: &dyn LinkFs,
    files: Option<&dyn FileFs>,
    request: &Request,
    place: Place,
    overlaps: Overlaps,
    sources: Sources,
    names: &ViewNames,
    mut book: Book,
) -> Result<Plan, Error> {
    let settled = settle(&mut book, names, place.volume.volume);
    let other_view = !place.dir.as_ref().is_some_and(|(_, stat)| book.is_of(stat));
    let dir_numbers: Vec<Option<u32>> = sources
        .dirs
        .iter()
        .map(|dir| book.dir_number(dir.path.as_os_str().as_encoded_bytes()))
        .collect();
    let diff = Diff {
        fs,
        files,
        view: &request.view,
        view_dir: place.dir.as_ref().map(|(dir, _)| dir),
        volume: &place.volume,
        sources: &sources,
        names,
        book: &book,
        options: &request.options,
        other_view,
        threads: opener::threads(request.options.threads),
        dir_numbers: &dir_numbers,
        settled: &settled,
    };
    let mut found = diff.run();
    if found.deletions > 1 && found.nothing_stands {
        return Err(Error::EveryNameGone {
            view: request.view.clone(),
            names: book.rows.len(),
        });
    }
    found.report.sources_deleted = found.deletions as u64;
    found.report.free_before = place.volume.free;
    found.report.directory_before = place.dir.as_ref().map(|(_, stat)| stat.allocated);
    Ok(Plan {
        view: request.view.clone(),
        options: request.options.clone(),
        view_dir: place.dir.map(|(dir, _)| dir),
        parent: place.parent,
        volume: place.volume,
        sources,
        book,
        changes: found.changes,
        renames: found.renames,
        notes: found.notes,
        links: found.links,
        falls: found.falls,
        report: found.report,
        overlaps,
        dir_numbers,
    })
}

fn join<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn find_view(fs: &dyn LinkFs, view: &Path) -> Result<Place, Error> {
    let (Some(above), Some(name)) = (view.parent(), view.file_name()) else {
        return Err(Error::ViewIsNotDirectory(view.to_path_buf()));
    };
    let parent = fs.open_dir(above).at("open", above)?;
    let at = At::new(&parent, Name::from_os(name));
    let dir = match fs.open_child(at) {
        Ok(dir) => {
            let stat = fs.stat_dir(&dir).at("look at", view)?;
            Some((dir, stat))
        }
        Err(fault) if fault.kind() == FaultKind::NotFound => None,
        Err(fault) => match fs.stat(at) {
            Ok(stat) if stat.kind != Kind::Directory => {
                return Err(Error::ViewIsNotDirectory(view.to_path_buf()));
            }
            _ => return Err(fault).at("open", view).map_err(Error::from),
        },
    };
    let here = dir.as_ref().map_or(&parent, |(dir, _)| dir);
    let volume = fs.volume(here).at("look at", view)?;
    if volume.hard_links == HardLinks::No {
        return Err(Error::NoHardLinks {
            view: view.to_path_buf(),
            kind: volume.kind,
        });
    }
    let mount = match &dir {
        Some((_, stat)) => stat.mount,
        None => fs.stat_dir(&parent).at("look at", above)?.mount,
    };
    Ok(Place {
        parent,
        dir,
        volume,
        mount,
    })
}

/// Sources that lie in other sources, each with the one it lies in.
type Overlaps = Vec<(std::path::PathBuf, std::path::PathBuf)>;

/// The sources, which of them lie on another file system than the view, which in other sources, and all directories that the walk does not enter: view and sources.
type Opened = (Vec<Root>, Vec<bool>, Overlaps, Vec<FileId>);

fn open_sources(fs: &dyn LinkFs, request: &Request, place: &Place) -> Result<Opened, Error> {
    if request.sources.is_empty() {
        return Err(Error::NoSource);
    }
    let view_id = place.dir.as_ref().map(|(_, stat)| stat.id);
    let mut leave_out: Vec<_> = view_id.into_iter().collect();
    let mut roots: Vec<(Root, bool)> = Vec::new();
    let mut overlaps = Vec::new();
    let mut seen: Vec<(FileId, &Path)> = Vec::new();
    for path in &request.sources {
        let dir = fs.open_dir(path).at("open", path)?;
        let stat = fs.stat_dir(&dir).at("look at", path)?;
        if path.starts_with(&request.view) || Some(stat.id) == view_id {
            return Err(Error::SourceInsideView {
                source_dir: path.clone(),
                view: request.view.clone(),
            });
        }
        let apart = stat.id.volume != place.volume.volume || stat.mount != place.mount;
        if apart && request.options.fallback.is_none() {
            return Err(Error::OtherVolume {
                source_dir: path.clone(),
                view: request.view.clone(),
            });
        }
        if let Some((_, first)) = seen.iter().find(|(id, _)| *id == stat.id) {
            overlaps.push((path.clone(), first.to_path_buf()));
            continue;
        }
        seen.push((stat.id, path));
        // a source below another one is walked on its own, so its files are met once
        leave_out.push(stat.id);
        let root = Root {
            dir,
            path: path.clone(),
        };
        roots.push((root, apart));
    }
    for (_, inner) in &seen {
        if let Some((_, outer)) = seen
            .iter()
            .find(|(_, outer)| inner != outer && inner.starts_with(outer))
        {
            overlaps.push((inner.to_path_buf(), outer.to_path_buf()));
        }
    }
    // the order in which they were given must not matter
    roots.sort_by(|a, b| a.0.path.cmp(&b.0.path));
    let (roots, apart) = roots.into_iter().unzip();
    Ok((roots, apart, overlaps, leave_out))
}

/// A fault that stops the whole run rather than one step.
fn is_fatal(fault: Fault) -> bool {
    fault.kind() == FaultKind::Interrupted
}
