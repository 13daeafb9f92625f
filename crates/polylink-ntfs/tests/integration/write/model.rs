//! Random changes to a volume and to the model in memory: the same results, the same names, after every step.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use polylink_core::{
    At, Dir, DirBatch, Existing, FaultKind, FileId, FsResult, Kind, LinkFs, MemFs, MemOptions, More, Name,
    NameRules,
};
use polylink_ntfs::{MemDevice, Volume, VolumeFs, WriteOptions, Writer};
use proptest::prelude::*;

use super::{blank, issues, options, reopened};

const LIMIT: u32 = 6;

#[derive(Clone, Debug)]
enum Op {
    Create(usize, usize),
    MakeDir(usize, usize),
    Link(usize, usize, usize, usize),
    Rename(usize, usize, usize, usize, bool),
    Unlink(usize, usize),
    Write(usize, usize, usize),
    Sync,
    Reopen,
}

fn name(index: usize) -> String {
    match index {
        0..8 => format!("name{index}"),
        // the same but for case
        8..12 => format!("NAME{}", index - 8),
        12 => "x".repeat(255),
        13 => "y".repeat(200),
        _ => format!("a longer name, number {index}, with an ending.text"),
    }
}

const NAMES: usize = 24;
const DIRS: usize = 5;

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let dir = || 0..DIRS;
    let name = || 0..NAMES;
    let op = prop_oneof![
        4 => (dir(), name()).prop_map(|(d, n)| Op::Create(d, n)),
        1 => (dir(), name()).prop_map(|(d, n)| Op::MakeDir(d, n)),
        6 => (dir(), name(), dir(), name()).prop_map(|(a, b, c, d)| Op::Link(a, b, c, d)),
        4 => (dir(), name(), dir(), name(), any::<bool>()).prop_map(|(a, b, c, d, e)| Op::Rename(a, b, c, d, e)),
        4 => (dir(), name()).prop_map(|(d, n)| Op::Unlink(d, n)),
        1 => (dir(), name(), 0_usize..9000).prop_map(|(d, n, s)| Op::Write(d, n, s)),
        1 => Just(Op::Sync),
        1 => Just(Op::Reopen),
    ];
    prop::collection::vec(op, 1..120)
}

fn dir_path(index: usize) -> PathBuf {
    match index {
        0 => PathBuf::from("/"),
        1 => PathBuf::from("/d1"),
        2 => PathBuf::from("/d2"),
        3 => PathBuf::from("/d1/d3"),
        _ => PathBuf::from("/d1/d3/d4"),
    }
}

/// All names with what they lead to, how many names that has, and which others lead there.
fn tree(fs: &dyn LinkFs) -> BTreeMap<PathBuf, (Kind, u64, PathBuf)> {
    let mut found = BTreeMap::new();
    let mut first: BTreeMap<FileId, PathBuf> = BTreeMap::new();
    let mut stack = vec![PathBuf::from("/")];
    let mut batch = DirBatch::new();
    while let Some(path) = stack.pop() {
        let dir = fs.open_dir(&path).unwrap();
        let mut names = Vec::new();
        loop {
            let more = fs.read_dir(&dir, &mut batch).unwrap();
            names.extend(batch.iter().map(|entry| entry.name.bytes().to_vec()));
            if more == More::No {
                break;
            }
        }
        names.sort();
        for name in names {
            let stat = fs.stat(At::new(&dir, Name::new(&name))).unwrap();
            let child = path.join(std::str::from_utf8(&name).unwrap());
            let group = first.entry(stat.id).or_insert_with(|| child.clone()).clone();
            if stat.kind == Kind::Directory {
                stack.push(child.clone());
            }
            let links = if stat.kind == Kind::Directory {
                0
            } else {
                stat.links
            };
            found.insert(child, (stat.kind, links, group));
        }
    }
    found
}

struct Pair {
    model: MemFs,
    device: Arc<MemDevice>,
    writer: Arc<Writer>,
    fs: VolumeFs,
    reopen_always: bool,
}

fn write_options() -> WriteOptions {
    WriteOptions {
        max_links: LIMIT,
        ..options()
    }
}

impl Pair {
    fn new(cluster: u32, record: u32, reopen_always: bool) -> Self {
        let device = blank(6 << 20, cluster, record);
        let writer = Arc::new(Writer::open(device.clone(), &write_options()).unwrap());
        let fs = VolumeFs::writing(writer.clone()).unwrap();
        let pair = Self {
            model: MemFs::with(MemOptions {
                link_limit: u64::from(LIMIT),
                names: NameRules::NT,
                ..MemOptions::default()
            }),
            device,
            writer,
            fs,
            reopen_always,
        };
        for index in 1..DIRS {
            let path = dir_path(index);
            let (parent, name) = (
                path.parent().unwrap(),
                path.file_name().unwrap().to_str().unwrap(),
            );
            for fs in [&pair.model as &dyn LinkFs, &pair.fs] {
                let dir = fs.open_dir(parent).unwrap();
                fs.make_dir(At::new(&dir, Name::new(name))).unwrap();
            }
        }
        pair
    }

    fn reopen(&mut self) {
        self.writer.close().unwrap();
        self.writer = Arc::new(Writer::open(self.device.clone(), &write_options()).unwrap());
        self.fs = VolumeFs::writing(self.writer.clone()).unwrap();
    }

    /// Does the same to both, and compares what they answer.
    fn both<T>(&self, what: &Op, each: impl Fn(&dyn LinkFs) -> FsResult<T>) -> bool {
        let model = each(&self.model).map(|_| ()).map_err(|fault| match fault.kind() {
            // what POSIX says of a link to a directory
            FaultKind::NotPermitted => FaultKind::IsDirectory,
            kind => kind,
        });
        let volume = each(&self.fs).map(|_| ()).map_err(|fault| fault.kind());
        assert_eq!(volume, model, "{what:?}");
        model.is_ok()
    }

    fn lookup(&self, fs: &dyn LinkFs, dir: usize, name_index: usize) -> Option<(FileId, Kind)> {
        let dir = fs.open_dir(&dir_path(dir)).ok()?;
        let name = name(name_index);
        let stat = fs.stat(At::new(&dir, Name::new(&name))).ok()?;
        Some((stat.id, stat.kind))
    }

    fn step(&mut self, op: &Op) {
        let dirs = |fs: &dyn LinkFs, a: usize, b: usize| -> FsResult<(Dir, Dir)> {
            Ok((fs.open_dir(&dir_path(a))?, fs.open_dir(&dir_path(b))?))
        };
        match *op {
            Op::Create(dir, index) => {
                // only where neither has the name
                let there = self.lookup(&self.model, dir, index).is_some();
                let path = dir_path(dir);
                let Ok(parent) = self.fs.find(&path) else {
                    assert!(self.model.open_dir(&path).is_err());
                    return;
                };
                let units: Vec<u16> = name(index).encode_utf16().collect();
                let made = self.writer.create_file(parent, &units);
                assert_eq!(made.is_err(), there, "{op:?}: {made:?}");
                if !there {
                    self.model.create(path.join(name(index)), 0).unwrap();
                }
            }
            Op::MakeDir(dir, index) => {
                self.both(op, |fs| {
                    let dir = fs.open_dir(&dir_path(dir))?;
                    fs.make_dir(At::new(&dir, Name::new(&name(index))))
                });
            }
            Op::Link(a, from, b, to) => {
                self.both(op, |fs| {
                    let (a, b) = dirs(fs, a, b)?;
                    fs.link(
                        At::new(&a, Name::new(&name(from))),
                        At::new(&b, Name::new(&name(to))),
                    )
                });
            }
            Op::Rename(a, from, b, to, replace) => {
                // POSIX leaves both names of one file, and takes an empty directory's place; NT does neither
                let (old, new) = (self.lookup(&self.model, a, from), self.lookup(&self.model, b, to));
                if let (Some((old, kind)), Some((new, other))) = (old, new)
                    && (old == new || kind == Kind::Directory || other == Kind::Directory)
                {
                    return;
                }
                if old.is_some_and(|(_, kind)| kind == Kind::Directory) && a != b {
                    // into itself perhaps: each says no in its own way
                    return;
                }
                let on = if replace {
                    Existing::Replace
                } else {
                    Existing::Keep
                };
                self.both(op, |fs| {
                    let (a, b) = dirs(fs, a, b)?;
                    fs.rename(
                        At::new(&a, Name::new(&name(from))),
                        At::new(&b, Name::new(&name(to))),
                        on,
                    )
                });
            }
            Op::Unlink(dir, index) => {
                self.both(op, |fs| {
                    let dir = fs.open_dir(&dir_path(dir))?;
                    fs.unlink(At::new(&dir, Name::new(&name(index))))
                });
            }
            Op::Write(dir, index, size) => {
                if let Some((id, Kind::File)) = self.lookup(&self.fs, dir, index) {
                    let file = polylink_ntfs::FileReference(u64::try_from(id.id).unwrap());
                    self.writer.write(file, &[], 0, &vec![0x5A; size]).unwrap();
                    self.writer.refresh(file).unwrap();
                }
            }
            Op::Sync => {
                self.writer.sync().unwrap();
                assert_eq!(issues(&self.device), [""; 0]);
            }
            Op::Reopen => self.reopen(),
        }
        if self.reopen_always {
            self.reopen();
        }
    }

    fn compare(&self, op: &Op) {
        assert_eq!(tree(&self.fs), tree(&self.model), "{op:?}");
    }

    fn end(self) {
        self.writer.close().unwrap();
        assert_eq!(issues(&self.device), [""; 0]);
        let volume: Arc<Volume> = Arc::new(reopened(&self.device));
        assert_eq!(tree(&VolumeFs::new(volume.clone())), tree(&self.model));
        assert_eq!(tree(&VolumeFs::with_catalog(volume).unwrap()), tree(&self.model));
    }
}

fn run(ops: &[Op], cluster: u32, record: u32, reopen_always: bool) {
    let mut pair = Pair::new(cluster, record, reopen_always);
    for op in ops {
        pair.step(op);
        pair.compare(op);
    }
    pair.end();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_volume_does_what_the_model_does(ops in ops(), small in any::<bool>(), large in any::<bool>()) {
        run(&ops, if small { 512 } else { 4096 }, if large { 4096 } else { 1024 }, false);
    }

    #[test]
    fn a_volume_that_is_opened_anew_each_time_does_so_too(ops in ops()) {
        run(&ops[..ops.len().min(50)], 4096, 1024, true);
    }
}
