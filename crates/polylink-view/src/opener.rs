//! Source directories opened again, each once as long as they come in path order.

use std::num::NonZeroUsize;

use polylink_core::{At, Dir, Fault, FaultKind, FsResult, Kind, LinkFs, Name, NameBuf, Stat};

use crate::scan::{Sources, Wanted};

/// Opens source directories by their paths below the roots, through no symbolic link, and keeps the way open.
pub(crate) struct Opener<'a> {
    fs: &'a dyn LinkFs,
    sources: &'a Sources,
    root: u32,
    way: Vec<(NameBuf, Dir)>,
    last: Option<(u32, Dir)>,
}

impl<'a> Opener<'a> {
    pub(crate) fn new(fs: &'a dyn LinkFs, sources: &'a Sources) -> Self {
        Self {
            fs,
            sources,
            root: u32::MAX,
            way: Vec::new(),
            last: None,
        }
    }

    pub(crate) fn open(&mut self, number: u32) -> FsResult<Dir> {
        if let Some((last, dir)) = &self.last
            && *last == number
        {
            return Ok(dir.clone());
        }
        let wanted = &self.sources.dirs[number as usize];
        if self.root != wanted.root {
            self.way.clear();
            self.root = wanted.root;
        }
        let mut dir = self.sources.roots[wanted.root as usize].dir.clone();
        let mut depth = 0;
        for name in wanted
            .folders
            .split(|&byte| byte == b'/')
            .filter(|name| !name.is_empty())
        {
            let name = Name::new(name);
            match self.way.get(depth) {
                Some((known, open)) if known.name() == name => dir = open.clone(),
                _ => {
                    self.way.truncate(depth);
                    dir = self.fs.open_child(At::new(&dir, name))?;
                    self.way.push((name.to_buf(), dir.clone()));
                }
            }
            depth += 1;
        }
        self.way.truncate(depth);
        self.last = Some((number, dir.clone()));
        Ok(dir)
    }

    /// Looks at a file: its index in the sources.
    pub(crate) fn look(&mut self, file: u32) -> FsResult<Stat> {
        let wanted = &self.sources.files[file as usize];
        let dir = self.open(wanted.dir)?;
        self.fs.stat(At::new(&dir, Name::new(self.sources.name(wanted))))
    }
}

/// How many threads to use.
pub(crate) fn threads(wanted: Option<NonZeroUsize>) -> usize {
    wanted
        .or_else(|| std::thread::available_parallelism().ok())
        .map_or(1, NonZeroUsize::get)
        .min(8)
}

/// Does something for every item, in contiguous stretches by several threads, results in the order of the items.
pub(crate) fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&[T]) -> Vec<R> + Sync,
) -> Vec<R> {
    in_stretches(items, threads.min(items.len() / 256 + 1), work)
}

/// As [`in_parallel`], with so many threads for few items too.
pub(crate) fn in_stretches<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&[T]) -> Vec<R> + Sync,
) -> Vec<R> {
    if threads <= 1 || items.len() <= 1 {
        return work(items);
    }
    let stretch = items.len().div_ceil(threads);
    std::thread::scope(|scope| {
        let running: Vec<_> = items
            .chunks(stretch)
            .map(|chunk| scope.spawn(|| work(chunk)))
            .collect();
        running
            .into_iter()
            .flat_map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    })
}

/// Looks at files, by several threads; they should come in path order.
pub(crate) fn measure(
    fs: &dyn LinkFs,
    sources: &Sources,
    files: &[u32],
    threads: usize,
) -> Vec<FsResult<Stat>> {
    in_parallel(files, threads, |stretch| {
        let mut opener = Opener::new(fs, sources);
        stretch.iter().map(|&file| opener.look(file)).collect()
    })
}

/// Whether a file can be linked: `Err(None)` where it came, went or changed while we looked, and the next run sees
/// what it is.
pub(crate) fn usable(wanted: &Wanted, stat: FsResult<Stat>) -> Result<Stat, Option<Fault>> {
    match stat {
        Ok(stat) if stat.id == wanted.id && stat.kind == Kind::File => Ok(stat),
        Ok(_) => Err(None),
        Err(fault) if fault.kind() == FaultKind::NotFound => Err(None),
        Err(fault) => Err(Some(fault)),
    }
}
