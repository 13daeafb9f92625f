//! The walk over the model: everything once, whatever the threads do.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use polylink_core::{DirIdLies, MemFs, MemOptions, Silent};

use super::*;

struct Collect;

impl Visitor for Collect {
    type Local = Vec<(u32, NameBuf, Kind)>;

    fn local(&self) -> Self::Local {
        Vec::new()
    }

    fn batch(&self, local: &mut Self::Local, dir: Visited<'_>, batch: &DirBatch) -> ControlFlow<()> {
        local.extend(
            batch
                .iter()
                .map(|entry| (dir.number, entry.name.to_buf(), entry.kind)),
        );
        ControlFlow::Continue(())
    }
}

fn roots(fs: &MemFs, paths: &[&str]) -> Vec<Root> {
    paths
        .iter()
        .map(|path| Root {
            dir: fs.open_dir(path.as_ref()).unwrap(),
            path: path.into(),
        })
        .collect()
}

fn tree() -> MemFs {
    let fs = MemFs::new();
    for year in 0..5 {
        for month in 0..12 {
            for file in 0..9 {
                fs.create(format!("/t/{year}/{month:02}/{file}.jpg"), 10).unwrap();
            }
        }
    }
    fs
}

#[test]
fn every_entry_is_seen_once_with_any_number_of_threads() {
    let fs = tree();
    for threads in [1, 2, 8] {
        let roots = roots(&fs, &["/t"]);
        let options = Options {
            threads: NonZeroUsize::new(threads),
            ..Options::default()
        };
        let walked = walk(&fs, &roots, &options, &Collect, &Silent);
        let mut seen = BTreeMap::new();
        for (number, name, kind) in walked.locals.iter().flatten() {
            let path = walked.path(&roots, *number).join(name.name().to_os().unwrap());
            assert_eq!(seen.insert(path, *kind), None);
        }
        assert_eq!(seen.len(), 5 + 5 * 12 + 5 * 12 * 9);
        assert_eq!(walked.dirs.len(), 1 + 5 + 60);
        assert!(!walked.stopped);
    }
}

#[test]
fn ranks_put_directories_in_path_order() {
    let fs = tree();
    let roots = roots(&fs, &["/t"]);
    let walked = walk(&fs, &roots, &Options::default(), &Collect, &Silent);
    let ranks = walked.ranks();
    let mut by_rank: Vec<(u32, PathBuf)> = (0u32..)
        .zip(&ranks)
        .map(|(n, r)| (*r, walked.relative(n)))
        .collect();
    by_rank.sort();
    let paths: Vec<&PathBuf> = by_rank.iter().map(|(_, path)| path).collect();
    assert!(paths.is_sorted());
}

#[test]
fn what_is_not_read_says_why() {
    let fs = tree();
    fs.deny("/t/1", true).unwrap();
    fs.mount("/t/2/mounted").unwrap();
    fs.create("/t/2/mounted/x", 1).unwrap();
    let leave_out = vec![fs.stat_dir(&fs.open_dir("/t/3".as_ref()).unwrap()).unwrap().id];
    let roots = roots(&fs, &["/t"]);
    let options = Options {
        leave_out,
        ..Options::default()
    };
    let walked = walk(&fs, &roots, &options, &Collect, &Silent);
    let state = |path: &str| {
        let number = (0u32..).find(|n| walked.relative(*n) == Path::new(path)).unwrap();
        walked.dirs[number as usize].state
    };
    assert_eq!(state("1"), DirState::Failed(FaultKind::AccessDenied.into()));
    assert_eq!(state("2/mounted"), DirState::OtherMount);
    assert_eq!(state("3"), DirState::LeftOut);
    assert_eq!(state("4"), DirState::Read);
    let crossed = walk(
        &fs,
        &roots,
        &Options {
            mounts: Mounts::Cross,
            ..Options::default()
        },
        &Collect,
        &Silent,
    );
    assert!(
        crossed
            .locals
            .iter()
            .flatten()
            .any(|(_, name, _)| name.bytes() == b"x")
    );
}

#[test]
fn identities_come_from_stat_where_the_directory_lies() {
    let fs = MemFs::with(MemOptions {
        lies: DirIdLies::Yes,
        ..MemOptions::default()
    });
    let id = fs.create("/a", 1).unwrap();
    let dir = fs.open_dir("/".as_ref()).unwrap();
    let mut batch = DirBatch::new();
    fs.read_dir(&dir, &mut batch).unwrap();
    let entry = batch.iter().next().unwrap();
    assert_ne!(entry.id, id);
    assert_eq!(identify(&fs, &dir, &entry, batch.ids()).unwrap().0, id);
}

struct StopAtFirst(AtomicBool);

impl Visitor for StopAtFirst {
    type Local = ();

    fn local(&self) {}

    fn batch(&self, (): &mut (), _: Visited<'_>, _: &DirBatch) -> ControlFlow<()> {
        self.0.store(true, Ordering::SeqCst);
        ControlFlow::Break(())
    }
}

#[test]
fn a_visitor_can_end_the_walk_and_a_panic_does_not_hang_it() {
    struct Panic;
    impl Visitor for Panic {
        type Local = ();
        fn local(&self) {}
        fn batch(&self, (): &mut (), _: Visited<'_>, _: &DirBatch) -> ControlFlow<()> {
            panic!("as asked");
        }
    }
    let fs = tree();
    let roots = roots(&fs, &["/t"]);
    let visitor = StopAtFirst(AtomicBool::new(false));
    let walked = walk(&fs, &roots, &Options::default(), &visitor, &Silent);
    assert!(walked.stopped && visitor.0.load(Ordering::SeqCst));
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        walk(&fs, &roots, &Options::default(), &Panic, &Silent)
    }));
    assert!(caught.is_err());
}
