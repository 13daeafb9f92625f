//! Trees on the model file system, made, described and looked at.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use polylink_core::{
    At, FileFs, FileId, LinkFs as _, MemFs, MemOptions, Metadata, Name, Silent, Stat, is_part_name,
    is_temporary_name,
};
use polylink_dedupe::{Options, Outcome, Plan, Target, apply, plan};
use proptest::prelude::*;

/// A file, or a further name of one.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    File {
        at: usize,
        size: u64,
        content: u64,
        mode: u32,
        modified: i128,
    },
    Link {
        of: usize,
        at: usize,
    },
}

/// Where the items go; the second to last is another volume, the last is beyond the paths that are looked at.
pub(crate) const DIRS: [&str; 5] = ["/a", "/a/deep", "/b", "/other", "/beyond"];
/// What the tests look at.
pub(crate) const PATHS: [&str; 3] = ["/a", "/b", "/other"];
const NAMES: usize = 5;

fn path(at: usize) -> PathBuf {
    Path::new(DIRS[at / NAMES % DIRS.len()]).join(format!("n{}", at % NAMES))
}

pub(crate) fn items() -> impl Strategy<Value = Vec<Item>> {
    let at = 0..DIRS.len() * NAMES;
    // contents that differ at the end only, at once, and not at all; sizes below and above what is read first
    let file = (
        at.clone(),
        prop_oneof![Just(0_u64), Just(10), Just(300), Just(17_000)],
        prop_oneof![Just(1_u64 << 16), Just((1 << 16) + 1), Just(2 << 16)],
        prop_oneof![3 => Just(0o644_u32), 1 => Just(0o600)],
        prop_oneof![3 => Just(1_i128), 1 => Just(2)],
    )
        .prop_map(|(at, size, content, mode, modified)| Item::File {
            at,
            size,
            content,
            mode,
            modified,
        });
    let link = (at.clone(), at).prop_map(|(of, at)| Item::Link { of, at });
    prop::collection::vec(prop_oneof![2 => file, 1 => link], 1..40)
}

/// Makes the tree. Items that do not go are left out.
pub(crate) fn tree(options: MemOptions, items: &[Item]) -> MemFs {
    let fs = MemFs::with(options);
    for dir in DIRS {
        fs.mkdir(dir).unwrap();
    }
    fs.mount("/other").unwrap();
    for item in items {
        match *item {
            Item::File {
                at,
                size,
                content,
                mode,
                modified,
            } => {
                file(&fs, path(at), size, content, mode, modified);
            }
            Item::Link { of, at } => {
                let _ = fs.link_path(path(of), path(at));
            }
        }
    }
    fs
}

/// A file whose metadata are told.
pub(crate) fn file(fs: &MemFs, path: impl AsRef<Path>, size: u64, content: u64, mode: u32, modified: i128) {
    fs.create_with(&path, size, content).unwrap();
    fs.edit_metadata(&path, |metadata| {
        metadata.mode = Some(mode);
        metadata.modified = modified;
    })
    .unwrap();
}

/// What a test sees of one name.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct View {
    pub(crate) stat: Stat,
    pub(crate) content: u64,
    pub(crate) metadata: Metadata,
}

/// All names but those of polylink's own.
pub(crate) fn view(fs: &MemFs) -> BTreeMap<PathBuf, View> {
    fs.all_names()
        .into_iter()
        .filter(|(path, _)| !is_own(path))
        .map(|(path, (_, content))| {
            let dir = fs.open_dir(path.parent().unwrap()).unwrap();
            let at = At::new(&dir, Name::from_os(path.file_name().unwrap()));
            let stat = fs.stat(at).unwrap();
            let view = View {
                stat,
                // empty files hold the same whatever their number
                content: if stat.size == 0 { 0 } else { content },
                metadata: fs.metadata(at).unwrap(),
            };
            (path, view)
        })
        .collect()
}

pub(crate) fn is_own(path: &Path) -> bool {
    let name = Name::from_os(path.file_name().unwrap());
    is_temporary_name(name) || is_part_name(name)
}

/// Length and content of each name.
pub(crate) fn contents(view: &BTreeMap<PathBuf, View>) -> BTreeMap<PathBuf, (u64, u64)> {
    view.iter()
        .map(|(path, view)| (path.clone(), (view.stat.size, view.content)))
        .collect()
}

pub(crate) fn files(view: &BTreeMap<PathBuf, View>) -> BTreeMap<FileId, View> {
    view.values().map(|view| (view.stat.id, view.clone())).collect()
}

/// Bytes that all files together occupy.
pub(crate) fn disk(view: &BTreeMap<PathBuf, View>) -> u64 {
    files(view).values().map(|view| view.stat.allocated).sum()
}

pub(crate) fn targets(fs: &MemFs, paths: &[&str]) -> Vec<Target> {
    paths.iter().map(|path| Target::open(fs, path).unwrap()).collect()
}

pub(crate) fn planned(fs: &dyn FileFs, targets: &[Target], options: &Options) -> Plan {
    plan(fs, targets, options, &Silent)
}

pub(crate) fn merged(fs: &MemFs, paths: &[&str], options: &Options) -> Outcome {
    apply(fs, planned(fs, &targets(fs, paths), options), &Silent)
}

pub(crate) fn one_thread() -> Options {
    Options {
        threads: NonZeroUsize::new(1),
        ..Options::default()
    }
}
