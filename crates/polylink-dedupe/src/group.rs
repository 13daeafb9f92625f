//! Which files are the same: by size, by their first block, by all of their content, by their metadata.

use std::collections::BTreeSet;

use polylink_core::{At, Fault, FaultKind, FileFs, FsResult, Metadata, PathError, Progress, Stat};
use rustc_hash::FxHashMap;

use crate::content::{Buffers, Hash, SMALL, changed, hash_start, hash_whole, untouched};
use crate::options::{Options, Part};
use crate::places::Opener;
use crate::pool;
use crate::scan::Scan;

/// A file that may have an equal, and all that is known of it so far.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    file: u32,
    /// Files of different classes differ.
    class: u32,
    place: u64,
}

/// Files with the same content and metadata, in the order of their first names; at least two.
pub(crate) type Alike = Vec<u32>;

/// Files that hold the same and yet are kept apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Apart {
    /// How many files there would be less if nothing kept them apart.
    pub files: u64,
    /// Their length in bytes.
    pub bytes: u64,
    /// Of these, how many differ in permissions or attributes.
    pub mode: u64,
    /// … in owner or group.
    pub owner: u64,
    /// … in the time of their last change.
    pub times: u64,
    /// … in extended attributes.
    pub xattrs: u64,
}

/// What the grouping came to.
#[derive(Default)]
pub(crate) struct Grouped {
    pub(crate) sets: Vec<Alike>,
    pub(crate) apart: Apart,
    pub(crate) problems: Vec<PathError>,
    /// Files that were changed while they were read.
    pub(crate) changed: Vec<u32>,
    /// Files that could not be read.
    pub(crate) unread: Vec<u32>,
    pub(crate) stopped: bool,
}

struct Grouping<'a> {
    fs: &'a dyn FileFs,
    scan: &'a Scan,
    /// The first name of each file.
    first: Vec<u32>,
    options: &'a Options,
    progress: &'a dyn Progress,
    among: Among,
    grouped: Grouped,
}

/// Which files may be the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Among {
    /// All of them, where one could take the names of the other.
    All,
    /// These, wherever they lie.
    These(Vec<u32>),
}

/// Finds the files that are the same.
pub(crate) fn group(
    fs: &dyn FileFs,
    scan: &Scan,
    among: Among,
    options: &Options,
    progress: &dyn Progress,
) -> Grouped {
    let mut first = vec![u32::MAX; scan.files.len()];
    for (number, name) in (0_u32..).zip(&scan.names) {
        let first = &mut first[name.file as usize];
        *first = number.min(*first);
    }
    let mut this = Grouping {
        fs,
        scan,
        first,
        options,
        progress,
        among,
        grouped: Grouped::default(),
    };
    this.run();
    let mut grouped = this.grouped;
    grouped.sets.sort_unstable();
    grouped.changed.sort_unstable();
    grouped.problems.sort_by(|a, b| a.path.cmp(&b.path));
    grouped
}

impl Grouping<'_> {
    fn stat(&self, file: u32) -> &Stat {
        &self.scan.files[file as usize].stat
    }

    fn run(&mut self) {
        let (files, anywhere) = match std::mem::replace(&mut self.among, Among::All) {
            Among::All => ((0_u32..).take(self.scan.files.len()).collect(), false),
            Among::These(files) => (files, true),
        };
        let by_size = classes(files, |&file| {
            let stat = self.stat(file);
            let place = (stat.id.volume, stat.mount);
            (stat.size, (!anywhere).then_some(place))
        });
        let candidates = by_size
            .into_iter()
            .map(|(file, class)| Candidate {
                file,
                class,
                place: 0,
            })
            .collect();
        let Some(starts) = self.read(candidates, "reading first blocks", |file, stat, buffers, _| {
            hash_start(file, stat, buffers)
        }) else {
            return;
        };
        let (small, large): (Vec<_>, Vec<_>) = starts
            .into_iter()
            .partition(|candidate| self.stat(candidate.file).size <= SMALL);
        let Some(large) = self.read(large, "reading whole files", |file, stat, buffers, progress| {
            hash_whole(file, stat, buffers, progress)
        }) else {
            return;
        };
        let mut sets: Vec<Alike> = Vec::new();
        for candidates in [small, large] {
            let mut last = None;
            for candidate in candidates {
                if last != Some(candidate.class) {
                    sets.push(Vec::new());
                    last = Some(candidate.class);
                }
                if let Some(set) = sets.last_mut() {
                    set.push(candidate.file);
                }
            }
        }
        for set in &mut sets {
            set.sort_unstable();
        }
        self.tell_apart(sets);
    }

    /// Reads each candidate in the order in which they lie on the disk, and tells those apart that differ. `None` where
    /// the user stopped it.
    fn read(
        &mut self,
        mut candidates: Vec<Candidate>,
        phase: &'static str,
        hash: impl Fn(&dyn polylink_core::Content, &Stat, &mut Buffers, &dyn Progress) -> FsResult<Hash> + Sync,
    ) -> Option<Vec<Candidate>> {
        candidates.sort_unstable_by_key(|candidate| {
            let id = self.stat(candidate.file).id;
            (id.volume, candidate.place, id.id)
        });
        self.progress.begin(phase, Some(candidates.len() as u64));
        let hashes = pool::each(
            self.options.threads(),
            candidates.len(),
            || (Opener::new(self.fs, &self.scan.places), Buffers::new()),
            |(opener, buffers), item| {
                if self.progress.cancelled() {
                    return Err(FaultKind::Interrupted.into());
                }
                let file = candidates[item].file;
                let hashed = self.with_content(file, opener, |content, stat| {
                    let hash = hash(content, stat, buffers, self.progress)?;
                    if !untouched(stat, &content.stat()?) {
                        return Err(changed());
                    }
                    Ok((hash, content.place().unwrap_or(0)))
                });
                self.progress.advance(1);
                hashed
            },
        );
        self.progress.end();
        if self.progress.cancelled() {
            self.grouped.stopped = true;
            return None;
        }
        let mut read = Vec::with_capacity(candidates.len());
        for (candidate, hashed) in candidates.into_iter().zip(hashes) {
            match hashed {
                Ok((hash, place)) => read.push((Candidate { place, ..candidate }, hash)),
                Err(fault) => self.failed(candidate.file, fault),
            }
        }
        let told = classes(read, |(candidate, hash)| (candidate.class, *hash));
        Some(
            told.into_iter()
                .map(|((candidate, _), class)| Candidate { class, ..candidate })
                .collect(),
        )
    }

    fn with_content<T>(
        &self,
        file: u32,
        opener: &mut Opener<'_>,
        work: impl FnOnce(&dyn polylink_core::Content, &Stat) -> FsResult<T>,
    ) -> FsResult<T> {
        let name = &self.scan.names[self.first[file as usize] as usize];
        let dir = opener.dir(name.dir)?;
        let content = self.fs.open_file(At::new(&dir, name.name.name()))?;
        work(&*content, self.stat(file))
    }

    fn failed(&mut self, file: u32, fault: Fault) {
        match fault.kind() {
            // gone, or another file by now
            FaultKind::Stale | FaultKind::NotFound | FaultKind::SymlinkMet | FaultKind::IsDirectory => {
                self.grouped.changed.push(file);
            }
            _ => {
                self.grouped.unread.push(file);
                let name = &self.scan.names[self.first[file as usize] as usize];
                self.grouped.problems.push(PathError {
                    action: "read",
                    path: self.scan.places.path_of(name.dir, name.name.name()),
                    to: None,
                    fault,
                });
            }
        }
    }

    /// Keeps those apart whose metadata differ in what is not to be ignored.
    fn tell_apart(&mut self, sets: Vec<Alike>) {
        if Part::ALL.iter().all(|part| self.options.ignore.contains(part)) {
            self.grouped.sets = sets;
            return;
        }
        let files: Vec<u32> = sets.iter().flatten().copied().collect();
        self.progress
            .begin("reading attributes", Some(files.len() as u64));
        let metadata = pool::each(
            self.options.threads(),
            files.len(),
            || Opener::new(self.fs, &self.scan.places),
            |opener, item| {
                if self.progress.cancelled() {
                    return Err(FaultKind::Interrupted.into());
                }
                let name = &self.scan.names[self.first[files[item] as usize] as usize];
                let dir = opener.dir(name.dir)?;
                let found = self.fs.metadata(At::new(&dir, name.name.name()));
                self.progress.advance(1);
                found
            },
        );
        self.progress.end();
        if self.progress.cancelled() {
            self.grouped.stopped = true;
            return;
        }
        let mut metadata = metadata.into_iter();
        for set in sets {
            let mut kinds: Vec<(Metadata, Alike)> = Vec::new();
            let mut known: FxHashMap<MetadataKey, usize> = FxHashMap::default();
            for file in set {
                match metadata.next() {
                    Some(Ok(found)) => {
                        let found = compared(found, &self.options.ignore);
                        let kind = *known.entry(key(&found)).or_insert_with(|| {
                            kinds.push((found, Vec::new()));
                            kinds.len() - 1
                        });
                        kinds[kind].1.push(file);
                    }
                    Some(Err(fault)) => self.failed(file, fault),
                    None => {}
                }
            }
            if let [(first, _), others @ ..] = &*kinds {
                for (other, alike) in others {
                    let size = alike.first().map_or(0, |&file| self.stat(file).size);
                    self.grouped.apart.add(first, other, size);
                }
            }
            self.grouped.sets.extend(
                kinds
                    .into_iter()
                    .map(|(_, alike)| alike)
                    .filter(|alike| alike.len() > 1),
            );
        }
    }
}

/// The metadata without what is to be ignored.
pub(crate) fn compared(mut metadata: Metadata, ignore: &BTreeSet<Part>) -> Metadata {
    metadata.accessed = None;
    metadata.created = None;
    for part in ignore {
        match part {
            Part::Mode => (metadata.mode, metadata.attributes) = (None, None),
            Part::Owner => (metadata.owner, metadata.group) = (None, None),
            Part::Times => metadata.modified = 0,
            Part::Xattrs => metadata.extended.clear(),
        }
    }
    metadata
}

/// All of a [`Metadata`] that [`compared`] leaves, as a key.
pub(crate) type MetadataKey = (
    i128,
    [Option<u32>; 4],
    std::collections::BTreeMap<Vec<u8>, Vec<u8>>,
);

pub(crate) fn key(metadata: &Metadata) -> MetadataKey {
    let Metadata {
        modified,
        accessed: _,
        created: _,
        mode,
        owner,
        group,
        attributes,
        extended,
    } = metadata;
    (*modified, [*mode, *owner, *group, *attributes], extended.clone())
}

impl Apart {
    fn add(&mut self, one: &Metadata, other: &Metadata, size: u64) {
        self.files += 1;
        self.bytes = self.bytes.saturating_add(size);
        let differ = |differ: bool| u64::from(differ);
        self.mode += differ((one.mode, one.attributes) != (other.mode, other.attributes));
        self.owner += differ((one.owner, one.group) != (other.owner, other.group));
        self.times += differ(one.modified != other.modified);
        self.xattrs += differ(one.extended != other.extended);
    }
}

/// Sorts items into classes by a key, numbers the classes, and leaves out items that are alone.
fn classes<T, K: Ord>(items: Vec<T>, key: impl Fn(&T) -> K) -> Vec<(T, u32)> {
    let mut keyed: Vec<(K, T)> = items.into_iter().map(|item| (key(&item), item)).collect();
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    let mut out = Vec::new();
    let mut class = 0;
    let mut at = 0;
    let mut sizes = Vec::new();
    while at < keyed.len() {
        let len = keyed[at..]
            .iter()
            .take_while(|(key, _)| *key == keyed[at].0)
            .count();
        sizes.push(len);
        at += len;
    }
    let mut items = keyed.into_iter().map(|(_, item)| item);
    for size in sizes {
        let of_class = items.by_ref().take(size);
        if size > 1 {
            out.extend(of_class.map(|item| (item, class)));
            class += 1;
        } else {
            of_class.for_each(drop);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::classes;

    #[test]
    fn items_that_are_alone_are_left_out() {
        let items = vec![5, 3, 8, 3, 5, 5, 1];
        assert_eq!(
            classes(items, |&item| item),
            [(3, 0), (3, 0), (5, 1), (5, 1), (5, 1)]
        );
        assert_eq!(classes(Vec::<u8>::new(), |&item| item), []);
    }
}
