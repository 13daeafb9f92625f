//! The least that a flat view can cost: `linkat` for each name, relative to open directories, and nothing else.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::fs::{AtFlags, CWD, Mode, OFlags};

use crate::shell::{Context as _, Failure, Result};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// A file of paths, each ended by a zero byte, folder by folder
    list: PathBuf,
    /// The directory to make and fill
    view: PathBuf,
}

/// Links every name of the list and prints the nanoseconds that the loop took, without reading the list.
pub(crate) fn run(args: &Args) -> Result {
    let list = fs::read(&args.list).at(&args.list)?;
    let names: Vec<(&Path, &OsStr)> = list
        .split(|&byte| byte == 0)
        .filter_map(|path| {
            let path = Path::new(OsStr::from_bytes(path));
            Some((path.parent()?, path.file_name()?))
        })
        .collect();
    let start = Instant::now();
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
    fs::create_dir(&args.view).at(&args.view)?;
    let view = rustix::fs::open(&args.view, flags, Mode::empty()).at(&args.view)?;
    let mut open = None;
    for (dir, name) in names {
        let handle = match &open {
            Some((path, handle)) if *path == dir => handle,
            _ => {
                let handle = rustix::fs::openat(CWD, dir, flags, Mode::empty()).at(dir)?;
                &open.insert((dir, handle)).1
            }
        };
        rustix::fs::linkat(handle, name, &view, name, AtFlags::empty())
            .map_err(|error| Failure(format!("{}: {error}", dir.join(name).display())))?;
    }
    println!("{}", start.elapsed().as_nanos());
    Ok(())
}
