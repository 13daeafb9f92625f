//! Cases by hand: what a user asks, and what goes wrong.

use std::num::NonZeroUsize;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use polylink_core::{
    At, Dir, DirBatch, DirIdLies, Existing, Fault, FaultKind, FsResult, Kind, LinkFs, MemFs, MemOptions,
    More, Name, Progress, Silent, Stat, VolumeInfo,
};
use polylink_usage::{Figures, Mounts, Options, SortBy, Target, Usage, usage};

const KB: u64 = 4096;

fn open(fs: &dyn LinkFs, paths: &[&str]) -> Vec<Target> {
    paths.iter().map(|path| Target::open(fs, path).unwrap()).collect()
}

fn of(fs: &dyn LinkFs, paths: &[&str]) -> Usage {
    usage(fs, &open(fs, paths), &Options::default(), &Silent)
}

fn figures(usage: &Usage, path: &str) -> Figures {
    usage
        .rows(None, SortBy::Path, None)
        .into_iter()
        .find(|row| row.path == Path::new(path))
        .unwrap_or_else(|| panic!("no row {path}"))
        .figures
}

/// A tree, its view and its clone: 12 files with three names each, and one with a single name.
fn story(lies: DirIdLies) -> MemFs {
    let fs = MemFs::with(MemOptions {
        lies,
        ..MemOptions::default()
    });
    for month in 0..4 {
        for file in 0..3 {
            let path = format!("/tree/{month}/{month}{file}.jpg");
            fs.create(&path, 5000).unwrap();
            fs.link_path(&path, format!("/view/{month}{file}.jpg")).unwrap();
            fs.link_path(&path, format!("/clone/{month}/{month}{file}.jpg"))
                .unwrap();
        }
    }
    fs.create("/tree/notes.txt", 1).unwrap();
    fs
}

#[test]
fn a_set_frees_what_its_parts_do_not() {
    let fs = story(DirIdLies::No);
    let all = of(&fs, &["/tree", "/view", "/clone"]);
    assert_eq!(
        all.total,
        Figures {
            names: 37,
            files: 13,
            logical_bytes: 36 * 5000 + 1,
            disk_bytes: 12 * 2 * KB + KB,
            exclusive_bytes: 12 * 2 * KB + KB,
            outside_names: 0,
            directories: 11,
            directory_bytes: 0,
            other: 0,
        }
    );
    assert_eq!(figures(&all, "/tree").exclusive_bytes, KB);
    assert_eq!(figures(&all, "/tree").shared_bytes(), 12 * 2 * KB);
    assert_eq!(figures(&all, "/view").exclusive_bytes, 0);
    let two = of(&fs, &["/tree", "/view"]);
    assert_eq!((two.total.exclusive_bytes, two.total.outside_names), (KB, 12));
}

#[test]
fn one_look_at_each_file_is_enough_where_ids_can_be_trusted() {
    let fs = story(DirIdLies::No);
    let targets = open(&fs, &["/tree", "/view", "/clone"]);
    let before = fs.stat_calls();
    let options = Options {
        threads: NonZeroUsize::new(1),
        ..Options::default()
    };
    let trusted = usage(&fs, &targets, &options, &Silent).total;
    assert_eq!(fs.stat_calls() - before, 13);

    let fs = story(DirIdLies::Yes);
    let targets = open(&fs, &["/tree", "/view", "/clone"]);
    let before = fs.stat_calls();
    assert_eq!(usage(&fs, &targets, &options, &Silent).total, trusted);
    assert_eq!(fs.stat_calls() - before, 37);
}

#[test]
fn arguments_in_each_other_are_read_once_and_all_reported() {
    let fs = story(DirIdLies::No);
    let plain = of(&fs, &["/"]);
    for paths in [
        &["/", "/tree"][..],
        &["/tree", "/"],
        &["/tree/1", "/tree", "/", "/view"],
        &["/", "/"],
    ] {
        let nested = of(&fs, paths);
        assert_eq!(nested.total, plain.total, "{paths:?}");
        for path in ["/", "/tree", "/tree/1", "/view"] {
            assert_eq!(
                figures(&nested, path),
                figures(&plain, path),
                "{path} of {paths:?}"
            );
        }
        assert_eq!(
            nested.rows(None, SortBy::Path, None).len(),
            plain.rows(None, SortBy::Path, None).len()
        );
    }
    let depths: Vec<(PathBuf, usize)> = (of(&fs, &["/tree/1", "/tree"]).rows(None, SortBy::Path, None))
        .into_iter()
        .map(|row| (row.path, row.depth))
        .collect();
    let expected = [
        ("/tree", 0),
        ("/tree/0", 1),
        ("/tree/1", 0),
        ("/tree/2", 1),
        ("/tree/3", 1),
    ];
    assert!(
        depths
            .iter()
            .map(|(path, depth)| (path.as_path(), *depth))
            .eq(expected.map(|(path, depth)| (Path::new(path), depth)))
    );
}

#[test]
fn one_directory_under_two_paths_is_shown_under_both() {
    let fs = story(DirIdLies::No);
    let once = of(&fs, &["/tree"]);
    let twice = of(&fs, &["/tree", "/./tree/", "tree"]);
    assert_eq!(once.total, twice.total);
    assert_eq!(figures(&twice, "tree"), figures(&twice, "/tree"));
    assert_eq!(twice.rows(Some(0), SortBy::Path, None).len(), 2);
}

#[test]
fn names_of_files_can_be_arguments() {
    let fs = story(DirIdLies::No);
    fs.symlink("/tree/link").unwrap();
    let alone = of(&fs, &["/tree/0/00.jpg"]);
    let one = Figures {
        names: 1,
        files: 1,
        logical_bytes: 5000,
        disk_bytes: 2 * KB,
        exclusive_bytes: 0,
        outside_names: 2,
        ..Figures::default()
    };
    assert_eq!(alone.total, one);
    assert_eq!(alone.rows(None, SortBy::Path, None)[0].kind, Kind::File);

    let set = of(
        &fs,
        &["/tree/0/00.jpg", "/view/00.jpg", "/clone/0/00.jpg", "/tree/link"],
    );
    assert_eq!((set.total.names, set.total.files, set.total.other), (3, 1, 1));
    assert_eq!(set.total.exclusive_bytes, 2 * KB);
    assert_eq!(figures(&set, "/view/00.jpg").exclusive_bytes, 0);

    // inside a directory that is an argument too, it counts once
    let tree = of(&fs, &["/tree"]).total;
    let both = of(&fs, &["/tree", "/tree/0/00.jpg", "/tree/notes.txt", "/tree/link"]);
    assert_eq!(both.total, tree);
    assert_eq!(figures(&both, "/tree/notes.txt").exclusive_bytes, KB);
    assert_eq!(figures(&both, "/tree/0/00.jpg"), one);
    assert_eq!(figures(&both, "/tree/link").other, 1);
}

#[test]
fn what_cannot_be_read_makes_the_answer_a_lower_bound_where_it_matters() {
    let fs = story(DirIdLies::No);
    fs.deny("/tree/2", true).unwrap();
    let found = of(&fs, &["/tree", "/view"]);
    assert!(!found.complete);
    assert_eq!(found.problems[0].action, "read");
    assert_eq!(found.problems[0].path, Path::new("/tree/2"));
    assert_eq!(found.problems[0].fault.kind(), FaultKind::AccessDenied);
    let complete: Vec<(PathBuf, bool)> = (found.rows(None, SortBy::Path, None).into_iter())
        .map(|row| (row.path, row.complete))
        .collect();
    for (path, complete) in complete {
        assert_eq!(
            complete,
            path != Path::new("/tree") && path != Path::new("/tree/2"),
            "{path:?}"
        );
    }
}

#[test]
fn an_argument_that_cannot_be_read_is_said() {
    let fs = story(DirIdLies::No);
    let targets = open(&fs, &["/tree", "/view"]);
    fs.deny("/view", true).unwrap();
    let found = usage(&fs, &targets, &Options::default(), &Silent);
    assert_eq!((found.total.names, found.complete), (13, false));
    assert_eq!(found.problems[0].to_string(), "cannot read '/view'");
    let rows = found.rows(Some(0), SortBy::Path, None);
    assert_eq!((rows[0].complete, rows[1].complete), (true, false));
}

#[test]
fn other_mounts_are_named_and_crossed_on_request() {
    let fs = MemFs::new();
    fs.create("/a/file", 1).unwrap();
    fs.mount("/a/mnt").unwrap();
    fs.create("/a/mnt/file", 1).unwrap();
    let stay = of(&fs, &["/a"]);
    assert_eq!((stay.total.names, stay.total.directories), (1, 1));
    assert_eq!(stay.other_mounts, [PathBuf::from("/a/mnt")]);
    assert!(stay.complete);

    // as an argument it is no part of what it is mounted on, but of the total
    let both = of(&fs, &["/a", "/a/mnt"]);
    assert_eq!((both.total.names, figures(&both, "/a").names), (2, 1));
    assert!(both.other_mounts.is_empty());

    let cross = Options {
        mounts: Mounts::Cross,
        ..Options::default()
    };
    for paths in [&["/a"][..], &["/a", "/a/mnt"], &["/a/mnt", "/a"]] {
        let crossed = usage(&fs, &open(&fs, paths), &cross, &Silent);
        assert_eq!(
            (crossed.total.names, figures(&crossed, "/a").names),
            (2, 2),
            "{paths:?}"
        );
    }
}

#[test]
fn what_is_left_out_does_not_count() {
    let fs = story(DirIdLies::No);
    let view = fs.stat_dir(&fs.open_dir("/view".as_ref()).unwrap()).unwrap().id;
    let options = Options {
        leave_out: vec![view],
        ..Options::default()
    };
    let without = usage(&fs, &open(&fs, &["/", "/tree"]), &options, &Silent);
    assert_eq!((without.total.names, without.total.outside_names), (25, 12));
    assert!(without.complete);
}

#[test]
fn nothing_is_nothing() {
    let fs = MemFs::new();
    let nothing = usage(&fs, &[], &Options::default(), &Silent);
    assert_eq!(nothing.total, Figures::default());
    assert!(nothing.complete && nothing.rows(None, SortBy::Disk, Some(3)).is_empty());
    let error = Target::open(&fs, "/missing").unwrap_err();
    assert_eq!(error.to_string(), "cannot open '/missing'");
}

#[test]
fn cancelled_work_is_a_lower_bound() {
    struct Cancel(AtomicBool);
    impl Progress for Cancel {
        fn advance(&self, _: u64) {
            self.0.store(true, Ordering::Relaxed);
        }
        fn cancelled(&self) -> bool {
            self.0.load(Ordering::Relaxed)
        }
    }
    let fs = story(DirIdLies::No);
    let found = usage(
        &fs,
        &open(&fs, &["/"]),
        &Options::default(),
        &Cancel(AtomicBool::new(false)),
    );
    assert!(found.stopped && !found.complete);
}

/// A [`MemFs`] on which looking at a name may fail, or changes the world first.
struct Odd<'a> {
    inner: &'a MemFs,
    odd: Box<dyn Fn(At<'_>) -> FsResult<()> + Send + Sync + 'a>,
    links: Option<u64>,
}

impl Deref for Odd<'_> {
    type Target = MemFs;
    fn deref(&self) -> &MemFs {
        self.inner
    }
}

impl LinkFs for Odd<'_> {
    fn open_dir(&self, path: &Path) -> FsResult<Dir> {
        self.inner.open_dir(path)
    }
    fn open_child(&self, at: At<'_>) -> FsResult<Dir> {
        self.inner.open_child(at)
    }
    fn read_dir(&self, dir: &Dir, batch: &mut DirBatch) -> FsResult<More> {
        self.inner.read_dir(dir, batch)
    }
    fn stat(&self, at: At<'_>) -> FsResult<Stat> {
        (self.odd)(at)?;
        let stat = self.inner.stat(at)?;
        Ok(Stat {
            links: self.links.unwrap_or(stat.links),
            ..stat
        })
    }
    fn stat_dir(&self, dir: &Dir) -> FsResult<Stat> {
        self.inner.stat_dir(dir)
    }
    fn link(&self, existing: At<'_>, new: At<'_>) -> FsResult<()> {
        self.inner.link(existing, new)
    }
    fn rename(&self, old: At<'_>, new: At<'_>, on: Existing) -> FsResult<()> {
        self.inner.rename(old, new, on)
    }
    fn unlink(&self, at: At<'_>) -> FsResult<()> {
        self.inner.unlink(at)
    }
    fn make_dir(&self, at: At<'_>) -> FsResult<()> {
        self.inner.make_dir(at)
    }
    fn sync(&self, dir: &Dir) -> FsResult<()> {
        self.inner.sync(dir)
    }
    fn names_of(&self, at: At<'_>) -> FsResult<Option<Vec<PathBuf>>> {
        self.inner.names_of(at)
    }
    fn volume(&self, dir: &Dir) -> FsResult<VolumeInfo> {
        self.inner.volume(dir)
    }
}

#[test]
fn names_that_vanish_are_counted_and_no_failure() {
    let inner = MemFs::new();
    inner.create("/d/a", 1).unwrap();
    inner.create("/d/b", 1).unwrap();
    let fs = Odd {
        inner: &inner,
        odd: Box::new(|at| {
            if at.name == Name::new("a") && inner.remove("/d/a").is_err() {
                return Err(FaultKind::NotFound.into());
            }
            Ok(())
        }),
        links: None,
    };
    let found = of(&fs, &["/d"]);
    assert_eq!((found.total.names, found.vanished), (1, 1));
    assert!(found.complete && found.problems.is_empty());
}

#[test]
fn more_names_than_links_are_a_race_and_no_panic() {
    let fs = story(DirIdLies::No);
    let fs = Odd {
        inner: &fs,
        odd: Box::new(|_| Ok(())),
        links: Some(2),
    };
    let found = of(&fs, &["/tree/0", "/view", "/clone/0"]);
    assert_eq!(found.racing, 3);
    assert_eq!(found.total.exclusive_bytes, 0);
    assert_eq!(found.total.names, 3 + 12 + 3);
    let gone = Odd {
        inner: fs.inner,
        odd: Box::new(|_| Ok(())),
        links: Some(0),
    };
    assert_eq!(of(&gone, &["/tree"]).vanished, 13);
}

#[test]
fn a_name_that_cannot_be_looked_at_may_be_known_by_another() {
    let inner = MemFs::new();
    inner.create("/a/x", 10).unwrap();
    inner.link_path("/a/x", "/b/x").unwrap();
    inner.create("/a/y", 10).unwrap();
    let shut = AtomicU64::new(0);
    let fs = Odd {
        inner: &inner,
        odd: Box::new(|at| {
            let a = inner.open_dir("/a".as_ref())?;
            if inner.stat_dir(at.dir)?.id == inner.stat_dir(&a)?.id {
                shut.fetch_add(1, Ordering::Relaxed);
                return Err(Fault::of(FaultKind::AccessDenied));
            }
            Ok(())
        }),
        links: None,
    };
    for paths in [&["/a", "/b"][..], &["/b", "/a"], &["/"]] {
        for threads in [1, 4] {
            let options = Options {
                threads: NonZeroUsize::new(threads),
                ..Options::default()
            };
            let found = usage(&fs, &open(&fs, paths), &options, &Silent);
            assert_eq!((found.total.names, found.total.exclusive_bytes), (2, KB));
            let errors: Vec<_> = found
                .problems
                .iter()
                .map(|e| (e.action, e.path.as_path()))
                .collect();
            assert_eq!(errors, [("look at", Path::new("/a/y"))]);
            assert!(!found.complete);
        }
    }
    assert!(shut.load(Ordering::Relaxed) > 0);
}
