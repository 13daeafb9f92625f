//! What stands in a view where no hard link can be: a symbolic link or a copy, if the user wants that.
//!
//! Fallbacks have a table of their own in the ledger. Each record is written before its fallback is made, marked as
//! pending, and again afterwards with what was made, so that the next run knows its own work from that of others.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};

use polylink_core::{
    At, CopyHow, Dir, Existing, Fault, FaultKind, FileFs, FsResult, Kind, LinkFs, Name, NameBuf, Reflink,
    Stat, part_name, temporary_name,
};

use crate::apply::{Run, Stop};
use crate::diff::{birth, changed};
use crate::is_fatal;
use crate::ledger::{Changes, Ledger, LedgerFault};
use crate::links::Made;
use crate::opener::{Opener, in_stretches, usable};
use crate::plan::{Change, Link, Plan, Step};
use crate::scan::Sources;

/// Fallbacks that are written down at once.
const STRETCH: usize = 256;
/// Threads for copies, each of which waits for the disk: those who wait at once wait for one writing.
const WAITING: usize = 8;

/// What to make where a hard link cannot be: the file lies on another file system, or has as many names as it can have.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fallback {
    /// A symbolic link to the source.
    Symlink,
    /// A copy that shares its blocks with the source, or nothing.
    Reflink,
    /// A copy, which shares blocks where that can be.
    Copy,
}

impl Fallback {
    /// What it is called in messages and documents.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Symlink => "symlink",
            Self::Reflink => "reflink",
            Self::Copy => "copy",
        }
    }

    /// Whether two are of one sort: both symbolic links, or both copies.
    #[must_use]
    pub fn is_like(self, other: Self) -> bool {
        (self == Self::Symlink) == (other == Self::Symlink)
    }
}

/// How many names of a view are no hard links, by what they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Fallbacks {
    /// Symbolic links.
    pub symlink: u64,
    /// Copies that shared their blocks with the source when they were made.
    pub reflink: u64,
    /// Copies with blocks of their own.
    pub copy: u64,
}

impl Fallbacks {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.symlink + self.reflink + self.copy
    }

    /// The number of one kind.
    pub fn of(&mut self, kind: Fallback) -> &mut u64 {
        match kind {
            Fallback::Symlink => &mut self.symlink,
            Fallback::Reflink => &mut self.reflink,
            Fallback::Copy => &mut self.copy,
        }
    }
}

/// A file as the ledger knows it again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mark {
    /// Its number.
    pub id: u128,
    /// When it was made, nanoseconds since 1970, where that is known.
    pub born: Option<i64>,
    /// Bytes.
    pub size: u64,
    /// When its data was last changed, nanoseconds since 1970.
    pub modified: i64,
}

impl Mark {
    /// What there is to know of a file that goes by this number.
    #[must_use]
    pub fn of(stat: &Stat, id: u128) -> Self {
        Self {
            id,
            born: birth(stat),
            size: stat.size,
            modified: modified(stat),
        }
    }
}

/// When the data was last changed, as the ledger keeps it: nanoseconds since 1970.
pub(crate) fn modified(stat: &Stat) -> i64 {
    i64::try_from(stat.modified).unwrap_or(i64::MAX)
}

/// What the ledger knows of one fallback.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FallRow {
    /// Its name in the view; of a clone, the path below it, with `/` between the names.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: Fallback,
    /// It is about to be made, or made anew.
    pub pending: bool,
    /// A copy whose source is gone.
    pub orphan: bool,
    /// The source lay on another file system: where it does not any more, that file system is gone.
    pub apart: bool,
    /// Names that the source had when it could not be linked.
    pub links: u64,
    /// The source as it was when the fallback was made.
    pub source: Mark,
    /// The fallback itself; nothing while it is made for the first time.
    pub own: Option<Mark>,
    /// The source directory's number; 0 for a clone, whose paths are those of its source.
    pub dir: u32,
    /// The name in the source; empty for a clone.
    pub source_name: Vec<u8>,
}

/// What stands where a fallback should.
#[derive(Debug)]
pub enum Stands {
    /// No name.
    Nothing,
    /// Ours, as it was made.
    Ours(Stat),
    /// Somebody else's.
    Foreign,
}

impl FallRow {
    /// Whether what stands at its name is it. A copy that was changed is not: it holds what somebody wrote. `target` is
    /// what a symbolic link there would say.
    ///
    /// # Errors
    ///
    /// As the file system says.
    pub fn stands(&self, files: &dyn FileFs, view: &Dir, name: Name<'_>, target: &[u8]) -> FsResult<Stands> {
        let at = At::new(view, name);
        let stat = match files.stat(at) {
            Ok(stat) => stat,
            Err(fault) if fault.kind() == FaultKind::NotFound => return Ok(Stands::Nothing),
            Err(fault) => return Err(fault),
        };
        let now = Mark::of(&stat, stat.id.id);
        let same_file = self
            .own
            .is_some_and(|own| own.id == now.id && own.born == now.born);
        let ours = match stat.kind {
            Kind::Symlink => same_file || files.read_symlink(at)? == target,
            Kind::File => {
                let as_made = same_file && self.own.is_some_and(|own| own == now);
                // made, but not yet written down: a copy has the time of its source
                let just_made = self.pending
                    && self.kind != Fallback::Symlink
                    && stat.links == 1
                    && (now.size, now.modified) == (self.source.size, self.source.modified);
                as_made || just_made
            }
            _ => false,
        };
        Ok(if ours { Stands::Ours(stat) } else { Stands::Foreign })
    }

    /// The record of what [`stands`](Self::stands) found to be ours: a stopped run may have announced something else, and
    /// this is what was there before, of a source that was as this is.
    #[must_use]
    pub fn as_it_stands(&self, stat: &Stat) -> Self {
        let now = Mark::of(stat, stat.id.id);
        let kind = match (stat.kind, self.kind) {
            (Kind::Symlink, _) => Fallback::Symlink,
            (_, Fallback::Symlink) => Fallback::Copy,
            (_, kind) => kind,
        };
        let mut row = Self { kind, ..self.clone() };
        if self.pending && self.own == Some(now) && kind != Fallback::Symlink {
            (row.source.size, row.source.modified) = (now.size, now.modified);
        }
        row
    }
}

/// What a symbolic link in the view says: the source's absolute path where it lies on another file system, else the way
/// from the view, which stays right when both are moved together.
pub(crate) fn target(plan_view: &std::path::Path, sources: &Sources, file: u32) -> Vec<u8> {
    let path = sources.path(&sources.files[file as usize]);
    symlink_target(plan_view, &path, sources.is_apart(file))
}

/// What a symbolic link in the directory `from` says that leads to `to`, both absolute: the way there, or, where the two
/// are `apart` on file systems of their own, the path.
#[must_use]
pub fn symlink_target(from: &std::path::Path, to: &std::path::Path, apart: bool) -> Vec<u8> {
    if apart {
        return to.as_os_str().as_encoded_bytes().to_vec();
    }
    let (from, to): (Vec<_>, Vec<_>) = (from.components().collect(), to.components().collect());
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let mut parts: Vec<&[u8]> = vec![b".."; from.len() - common];
    parts.extend(
        to[common..]
            .iter()
            .map(|part| part.as_os_str().as_encoded_bytes()),
    );
    parts.join(&b'/')
}

/// Makes a fallback at a free name.
fn make_at(
    files: &dyn FileFs,
    plan: &Plan,
    kind: Fallback,
    file: u32,
    source: At<'_>,
    new: At<'_>,
) -> FsResult<(Stat, Fallback)> {
    make_fallback(files, kind, source, new, &target(&plan.view, &plan.sources, file))
}

/// Makes a fallback at a free name: a symbolic link that says `target`, or a copy, which is on the disk before its name
/// appears. The answer tells what it came to: a copy that shares its blocks counts as a reflink.
///
/// # Errors
///
/// As [`FileFs::make_symlink`] and [`FileFs::copy`].
pub fn make_fallback(
    files: &dyn FileFs,
    kind: Fallback,
    source: At<'_>,
    new: At<'_>,
    target: &[u8],
) -> FsResult<(Stat, Fallback)> {
    let reflink = match kind {
        Fallback::Symlink => {
            files.make_symlink(target, new)?;
            return files.stat(new).map(|stat| (stat, kind));
        }
        Fallback::Reflink => Reflink::Always,
        Fallback::Copy => Reflink::Auto,
    };
    let copied = files.copy(source, new, CopyHow { reflink, sync: true })?;
    let made = if copied.reflinked {
        Fallback::Reflink
    } else {
        Fallback::Copy
    };
    Ok((copied.stat, made))
}

/// Removes what a killed run left of a copy to this name.
fn clear(fs: &dyn LinkFs, at: At<'_>) -> FsResult<()> {
    let part = part_name(at.name);
    for name in [at.name, part.name()] {
        match fs.unlink(At::new(at.dir, name)) {
            Err(fault) if fault.kind() != FaultKind::NotFound => return Err(fault),
            _ => {}
        }
    }
    Ok(())
}

impl Run<'_> {
    fn fall_row(&self, name: &[u8], file: u32, kind: Fallback, source: &Stat) -> FallRow {
        let plan = self.plan;
        let wanted = &plan.sources.files[file as usize];
        FallRow {
            name: name.to_vec(),
            kind,
            pending: true,
            orphan: false,
            apart: plan.sources.is_apart(file),
            links: source.links,
            source: Mark::of(source, crate::diff::key(source.id, plan.volume.volume)),
            own: None,
            dir: self.dir_numbers[wanted.dir as usize],
            source_name: plan.sources.name(wanted).to_vec(),
        }
    }

    /// Writes ahead which fallbacks are about to be made anew.
    pub(crate) fn announce_fallbacks(&self, changes: &mut Changes<'_>) -> Result<(), LedgerFault> {
        for change in &self.plan.changes {
            if let Change::Refresh {
                name,
                row,
                file,
                kind,
                source,
            } = change
            {
                let old = &self.plan.book.fallbacks[*row as usize];
                changes.set_fallback(&FallRow {
                    own: old.own,
                    ..self.fall_row(name.bytes(), *file, *kind, source)
                })?;
            }
        }
        Ok(())
    }

    /// Makes a fallback anew and puts it in the place of the old one; the record to write then.
    pub(crate) fn refresh(&self, view: &Dir, change: &Change, opener: &mut Opener<'_>) -> FsResult<FallRow> {
        let Change::Refresh {
            name,
            row,
            file,
            kind,
            source,
        } = change
        else {
            return Err(changed());
        };
        let files = self.files.ok_or(Fault::of(FaultKind::Unsupported))?;
        let plan = self.plan;
        let old = &plan.book.fallbacks[*row as usize];
        let wanted = &plan.sources.files[*file as usize];
        let dir = opener.open(wanted.dir)?;
        let from = At::new(&dir, Name::new(plan.sources.name(wanted)));
        let temporary = temporary_name(name.name());
        let temporary = At::new(view, temporary.name());
        clear(self.fs, temporary)?;
        let (made, made_kind) = make_at(files, plan, *kind, *file, from, temporary)?;
        let is_target = target(&plan.view, &plan.sources, *file);
        let replaced = match old.stands(files, view, name.name(), &is_target) {
            Ok(Stands::Ours(_)) => self
                .fs
                .rename(temporary, At::new(view, name.name()), Existing::Replace),
            Ok(_) => Err(changed()),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = replaced {
            clear(self.fs, temporary)?;
            return Err(fault);
        }
        Ok(FallRow {
            kind: made_kind,
            pending: false,
            own: Some(Mark::of(&made, made.id.id)),
            ..self.fall_row(name.bytes(), *file, *kind, source)
        })
    }

    /// Makes a hard link of a fallback.
    pub(crate) fn become_link(
        &self,
        view: &Dir,
        name: &NameBuf,
        row: u32,
        file: u32,
        opener: &mut Opener<'_>,
    ) -> FsResult<()> {
        let files = self.files.ok_or(Fault::of(FaultKind::Unsupported))?;
        let plan = self.plan;
        let wanted = &plan.sources.files[file as usize];
        let dir = opener.open(wanted.dir)?;
        let from = At::new(&dir, Name::new(plan.sources.name(wanted)));
        let is_target = target(&plan.view, &plan.sources, file);
        let old = &plan.book.fallbacks[row as usize];
        let mut standing = Ok(Stands::Foreign);
        polylink_core::replace_if(self.fs, from, At::new(view, name.name()), |_| {
            standing = old.stands(files, view, name.name(), &is_target);
            matches!(standing, Ok(Stands::Ours(_)))
        })
    }
}

/// Makes the fallbacks of the plan, and of the links that the file system refused.
pub(crate) fn make(run: &mut Run<'_>, view: &Dir, ledger: &mut Ledger, made: &mut Made) -> Result<(), Stop> {
    let plan = run.plan;
    let (Some(files), Some(kind)) = (run.files, plan.options.fallback) else {
        return Ok(());
    };
    let refused: Vec<&Link> = made
        .fall_back
        .iter()
        .map(|&index| &plan.links[index as usize])
        .collect();
    let links: Vec<&Link> = plan.falls.iter().chain(refused).collect();
    if links.is_empty() || made.stopped {
        return Ok(());
    }
    run.progress.begin("copying", Some(links.len() as u64));
    let mut opener = Opener::new(run.fs, &plan.sources);
    for links in links.chunks(STRETCH) {
        if run.progress.cancelled() {
            made.stopped = true;
        }
        if made.stopped {
            break;
        }
        let mut ready = Vec::new();
        for link in links {
            let name = plan.link_name(link);
            let wanted = &plan.sources.files[link.file as usize];
            match usable(wanted, opener.look(link.file)) {
                Ok(source) => {
                    let row = run.fall_row(name, link.file, kind, &source);
                    ready.push(Ready { link, source, row });
                }
                Err(None) => run.outcome.left_out.vanished += 1,
                Err(Some(fault)) => {
                    let failure = plan.failure("look at", Some(link.file), name, fault);
                    run.outcome.failures.push(failure);
                }
            }
        }
        run.write(ledger, |_, changes| {
            ready
                .iter()
                .try_for_each(|ready| changes.set_fallback(&ready.row))
        })?;
        let results = make_some(run, files, view, kind, &ready);
        let (mut known, mut gone) = (Vec::new(), Vec::new());
        for (Ready { link, source, row }, result) in ready.into_iter().zip(results) {
            let name = plan.link_name(link);
            match result {
                // its row stays: the next run makes it
                None => made.stopped = true,
                Some(Err(fault)) if is_fatal(fault) => made.stopped = true,
                Some(Ok((stat, kind))) => {
                    *run.outcome.fallbacks.of(kind) += 1;
                    run.outcome.fallbacks_made += 1;
                    run.outcome.view_names += 1;
                    run.outcome.view_bytes += source.size;
                    run.done.falls.push(Step::Fallback {
                        source: plan.source_path(link.file),
                        name: Name::new(name).to_buf(),
                        kind,
                    });
                    known.push(FallRow {
                        kind,
                        pending: false,
                        own: Some(Mark::of(&stat, stat.id.id)),
                        ..row
                    });
                }
                Some(Err(fault)) => {
                    gone.push(name);
                    let action = if kind == Fallback::Symlink {
                        "link symbolically"
                    } else {
                        "copy"
                    };
                    let failure = plan.failure(action, Some(link.file), name, fault);
                    run.outcome.failures.push(failure);
                }
            }
        }
        run.write(ledger, |_, changes| {
            known.iter().try_for_each(|row| changes.set_fallback(row))?;
            gone.iter().try_for_each(|name| changes.remove_fallback(name))
        })?;
    }
    run.progress.end();
    Ok(())
}

/// A fallback to make, whose row is written.
struct Ready<'a> {
    link: &'a Link,
    source: Stat,
    row: FallRow,
}

/// Makes some fallbacks by several threads: each copy is on the disk before it gets its name, so they wait for that
/// together. `None` for those that the run did not come to.
fn make_some(
    run: &Run<'_>,
    files: &dyn FileFs,
    view: &Dir,
    kind: Fallback,
    some: &[Ready<'_>],
) -> Vec<Option<FsResult<(Stat, Fallback)>>> {
    let plan = run.plan;
    let halt = AtomicBool::new(false);
    let threads = match run.fs.takes_turns() {
        true => 1,
        false => plan.options.threads.map_or(WAITING, NonZeroUsize::get),
    };
    in_stretches(some, threads, |some| {
        let mut opener = Opener::new(run.fs, &plan.sources);
        let make = |ready: &Ready<'_>| {
            if run.progress.cancelled() || halt.load(Ordering::Relaxed) {
                return None;
            }
            let (name, file) = (plan.link_name(ready.link), ready.link.file);
            let wanted = &plan.sources.files[file as usize];
            let made = opener.open(wanted.dir).and_then(|dir| {
                let from = At::new(&dir, Name::new(plan.sources.name(wanted)));
                make_at(files, plan, kind, file, from, At::new(view, Name::new(name)))
            });
            if made.is_err_and(is_fatal) {
                halt.store(true, Ordering::Relaxed);
            }
            run.progress.advance(1);
            Some(made)
        };
        some.iter().map(make).collect()
    })
}
