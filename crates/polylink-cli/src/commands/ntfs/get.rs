//! `polylink ntfs get`.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, FileTimes};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::Args;
use polylink_core::{Name, PathError, ResultExt as _, shown, shown_name};
use polylink_nt::name::{Charset, check, units_of_wtf8};
use polylink_ntfs::layout::attribute::AttributeKind;
use polylink_ntfs::{
    Catalog, FileIndex, FileKind, FileReference, FileRow, NameRow, RecordNumber, Reparse, Unsupported,
    VolumeFs,
};
use serde::Serialize;

use super::text;
use crate::commands::Context;
use crate::error::{CommandError, Outcome};
use crate::format::counted;
use crate::image::{self, ImageArgs};
use crate::json::{self, JsonPath, OwnedPath};

/// Copy files out of a volume, hard links preserved
///
/// PATH is copied into the directory DIR under its own name; with -r a directory with all below it. A file with
/// several names there is copied once, and its further names are hard links again. Nothing that exists is replaced.
///
/// Times of the last change are kept. Rights, named streams and what only NTFS has are not copied; what was left out is
/// counted and said. Encrypted files cannot be copied. Exit code 1 says that something was left out or failed.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct GetArgs {
    #[command(flatten)]
    image: ImageArgs,
    /// What to copy
    path: PathBuf,
    /// The directory to copy into, on this system; it must exist
    dir: PathBuf,
    /// Copy a directory with all below it
    #[arg(short, long)]
    recursive: bool,
}

const EXAMPLES: &str = "\
Examples:
  polylink ntfs get disk.img /docs/report.pdf .
  polylink ntfs get -r disk.img /photos ~/rescued";

#[derive(Default, Serialize)]
struct Tally {
    directories: u64,
    files: u64,
    links: u64,
    symlinks: u64,
    bytes: u64,
    streams_left_out: u64,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    command: &'static str,
    destination: JsonPath<'a>,
    #[serde(flatten)]
    tally: &'a Tally,
    failures: Vec<Failed>,
}

#[derive(Serialize)]
struct Failed {
    path: OwnedPath,
    reason: String,
}

struct Copy<'a> {
    context: &'a Context<'a>,
    fs: &'a VolumeFs,
    catalog: &'a Catalog,
    /// Where the first name of a file with several was copied to.
    copied: HashMap<FileReference, PathBuf>,
    tally: Tally,
    failures: Vec<(Vec<u8>, String)>,
    buffer: Vec<u8>,
}

const AT_ONCE: usize = 1 << 20;
const SHOWN: usize = 8;

pub(super) fn run(context: &Context<'_>, args: &GetArgs) -> Result<Outcome, CommandError> {
    let volume = image::open(context.ui, &args.image.image, args.image.partition.partition)?;
    let fs =
        VolumeFs::with_catalog(volume).map_err(|error| image::failed("read", &args.image.image, &error))?;
    let reference = fs
        .find(&args.path)
        .at("copy", &args.path)
        .map_err(|error: PathError| CommandError::from_path(&error).before_start())?;
    let Some((catalog, index, row)) = fs.catalog().and_then(|catalog| {
        let index = catalog.resolve(reference)?;
        Some((catalog, index, catalog.file(index)?))
    }) else {
        return Err(
            CommandError::cannot_start(format!("'{}' cannot be read", shown(&args.path))).path(&args.path),
        );
    };
    if row.kind == FileKind::Directory && !args.recursive {
        return Err(
            CommandError::cannot_start(format!("'{}' is a directory", shown(&args.path)))
                .path(&args.path)
                .hint("'-r' copies it with all below it"),
        );
    }
    if !args.dir.is_dir() {
        return Err(
            CommandError::cannot_start(format!("'{}' is not a directory", shown(&args.dir)))
                .path(&args.dir)
                .hint("make it first"),
        );
    }
    let mut copy = Copy {
        context,
        fs: &fs,
        catalog,
        copied: HashMap::new(),
        tally: Tally::default(),
        failures: Vec::new(),
        buffer: vec![0; AT_ONCE],
    };
    if row.reference.record() == RecordNumber::ROOT {
        // the root has no name of its own: what is in it is copied
        copy.tree(index, &mut Vec::new(), &args.dir)?;
    } else {
        let name = args.path.file_name().unwrap_or_default();
        let mut path = args.path.as_os_str().as_encoded_bytes().to_vec();
        if let Some(made) = copy.entry(&row, Name::from_os(name).bytes(), &path, &args.dir)? {
            copy.tree(index, &mut path, &made)?;
        }
    }
    copy.report(args)
}

impl Copy<'_> {
    fn fail(&mut self, path: &[u8], reason: impl Into<String>) {
        self.failures.push((path.to_vec(), reason.into()));
    }

    /// Copies what is in a directory, and all below it. Each directory is gone into once, though damage can make a circle
    /// of them or give one several names.
    fn tree(&mut self, directory: FileIndex, path: &mut Vec<u8>, into: &Path) -> Result<(), CommandError> {
        let catalog = self.catalog;
        let children = |directory: FileIndex| {
            let mut children: Vec<NameRow<'_>> =
                catalog.children(directory).filter(NameRow::is_link).collect();
            children.sort_unstable_by(|a, b| a.name.cmp(b.name));
            children.into_iter()
        };
        let mut entered = HashSet::from([directory]);
        let mut way = vec![(children(directory), path.len(), into.to_path_buf())];
        while let Some((left, len, into)) = way.last_mut() {
            path.truncate(*len);
            let Some(child) = left.next() else {
                way.pop();
                continue;
            };
            let Some(row) = catalog.file(child.file) else {
                continue;
            };
            let record = row.reference.record();
            if record == RecordNumber::ROOT || record.is_own_file(child.name) {
                continue;
            }
            path.push(b'/');
            path.extend_from_slice(child.name);
            if row.kind == FileKind::Directory && !entered.insert(child.file) {
                self.fail(path, "the directory was copied under another name already");
                continue;
            }
            if let Some(made) = self.entry(&row, child.name, path, into)? {
                way.push((children(child.file), path.len(), made));
            }
        }
        Ok(())
    }

    /// Copies one name into a directory that was made here, or that the user gave. Answers the directory that it made.
    ///
    /// Only what was made just now is gone into: a name that the volume has twice leads nowhere else.
    fn entry(
        &mut self,
        row: &FileRow,
        name: &[u8],
        path: &[u8],
        into: &Path,
    ) -> Result<Option<PathBuf>, CommandError> {
        self.context.stop.check()?;
        let target = match host_name(name) {
            Ok(name) => into.join(name),
            Err(reason) => {
                self.fail(path, reason);
                return Ok(None);
            }
        };
        match row.kind {
            FileKind::Directory => match fs::create_dir(&target) {
                Ok(()) => {
                    self.tally.directories += 1;
                    return Ok(Some(target));
                }
                Err(error) => self.fail(path, error.to_string()),
            },
            FileKind::Link => self.symlink(row, path, &target),
            FileKind::File => self.file(row, path, &target)?,
        }
        Ok(None)
    }

    fn file(&mut self, row: &FileRow, path: &[u8], target: &Path) -> Result<(), CommandError> {
        if let Some(first) = self.copied.get(&row.reference) {
            match fs::hard_link(first, target) {
                Ok(()) => self.tally.links += 1,
                Err(error) => self.fail(path, error.to_string()),
            }
            return Ok(());
        }
        match self.content(row, target)? {
            Ok(bytes) => {
                self.tally.files += 1;
                self.tally.bytes += bytes;
                if row.links > 1 {
                    self.copied.insert(row.reference, target.into());
                }
            }
            Err(reason) => self.fail(path, reason),
        }
        Ok(())
    }

    /// Copies the content; what is half done is removed again.
    fn content(&mut self, row: &FileRow, target: &Path) -> Result<Result<u64, String>, CommandError> {
        let volume = self.fs.volume();
        let opened = (|| -> Result<_, polylink_ntfs::Error> {
            let file = volume.file(row.reference.record())?;
            if let Some(reparse) = file.stream(volume, AttributeKind::REPARSE_POINT, &[])?
                && Reparse::read(volume, &reparse)? == Reparse::OverlayFilter
            {
                return Err(Unsupported::OverlayFilter.into());
            }
            let streams = file.data_streams()?;
            let stream = file.stream(volume, AttributeKind::DATA, &[])?;
            let named = streams.iter().filter(|(name, _)| !name.is_empty()).count();
            Ok((stream, named as u64))
        })();
        let (stream, named) = match opened {
            Ok(opened) => opened,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let mut out = match File::create_new(target) {
            Ok(out) => out,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let mut offset = 0;
        let done = loop {
            let Some(stream) = &stream else {
                break Ok(());
            };
            if let Err(stopped) = self.context.stop.check() {
                drop(fs::remove_file(target));
                return Err(stopped);
            }
            match volume.read(stream, offset, &mut self.buffer) {
                Ok(0) => break Ok(()),
                Ok(read) => {
                    if let Err(error) = out.write_all(&self.buffer[..read]) {
                        break Err(error.to_string());
                    }
                    offset += read as u64;
                }
                Err(error) => break Err(error.to_string()),
            }
        };
        if let Err(reason) = done {
            // OK to ignore: the failure is told anyway
            drop(fs::remove_file(target));
            return Ok(Err(reason));
        }
        // OK to ignore: a file system without such times keeps its own
        drop(out.set_times(FileTimes::new().set_modified(system_time(row.modified))));
        self.tally.streams_left_out += named;
        Ok(Ok(offset))
    }

    fn symlink(&mut self, row: &FileRow, path: &[u8], target: &Path) {
        let volume = self.fs.volume();
        let found = (|| -> Result<Option<Reparse>, polylink_ntfs::Error> {
            let file = volume.file(row.reference.record())?;
            match file.stream(volume, AttributeKind::REPARSE_POINT, &[])? {
                Some(stream) => Ok(Some(Reparse::read(volume, &stream)?)),
                None => Ok(None),
            }
        })();
        let outcome = match found {
            Ok(Some(Reparse::Symlink {
                target: to,
                relative: true,
                ..
            })) => make_symlink(&to, target).map_err(|error| error.to_string()),
            Ok(Some(Reparse::Symlink { target: to, .. } | Reparse::Junction { target: to, .. })) => {
                Err(format!(
                    "it is a link to '{}', a path of the system that the volume comes from",
                    text::name(&to)
                ))
            }
            Ok(_) => Err("it is no link any more".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        match outcome {
            Ok(()) => self.tally.symlinks += 1,
            Err(reason) => self.fail(path, reason),
        }
    }

    fn report(self, args: &GetArgs) -> Result<Outcome, CommandError> {
        let ui = self.context.ui;
        let complete = self.failures.is_empty() && self.catalog.damage().is_empty();
        if ui.json() {
            ui.document(&Document {
                schema: json::SCHEMA,
                command: "ntfs get",
                destination: JsonPath(&args.dir),
                tally: &self.tally,
                failures: self
                    .failures
                    .into_iter()
                    .map(|(path, reason)| Failed {
                        path: OwnedPath::from_name(Name::new(&path)),
                        reason,
                    })
                    .collect(),
            })?;
        } else {
            let tally = &self.tally;
            ui.report(false).line(&format!(
                "copied {} with {}, and made {}, {} and {}",
                counted(tally.files, "file", "files"),
                counted(tally.bytes, "byte", "bytes"),
                counted(tally.links, "hard link", "hard links"),
                counted(tally.directories, "directory", "directories"),
                counted(tally.symlinks, "symbolic link", "symbolic links"),
            ))?;
            if tally.streams_left_out > 0 {
                ui.note(&format!(
                    "{} left out ('polylink ntfs cat IMG PATH:STREAM' shows one)",
                    counted(tally.streams_left_out, "named stream was", "named streams were")
                ));
            }
            for (path, reason) in self.failures.iter().take(SHOWN) {
                ui.warn(&format!(
                    "'{}' was not copied: {reason}",
                    shown_name(Name::new(path))
                ));
            }
            if self.failures.len() > SHOWN {
                ui.warn(&format!("{} more were not copied", self.failures.len() - SHOWN));
            }
            for corrupt in self.catalog.damage().iter().take(SHOWN) {
                ui.warn(&corrupt.to_string());
            }
        }
        Ok(if complete { Outcome::Done } else { Outcome::Partial })
    }
}

/// A name of the volume as one component of a path here.
fn host_name(name: &[u8]) -> Result<PathBuf, String> {
    // a damaged or hostile volume has names that lead elsewhere
    let charset = if cfg!(windows) {
        Charset::Win32
    } else {
        Charset::Posix
    };
    let units = units_of_wtf8(name).unwrap_or_default();
    check(&units, charset).map_err(|error| format!("the name cannot exist here: {error}"))?;
    match Name::new(name).to_os() {
        Some(name) => Ok(PathBuf::from(name.into_owned())),
        None => Err("the name cannot exist here".to_owned()),
    }
}

fn system_time(time: u64) -> SystemTime {
    const EPOCH: u64 = 116_444_736_000_000_000;
    let span = |ticks: u64| Duration::new(ticks / 10_000_000, (ticks % 10_000_000) as u32 * 100);
    match time.checked_sub(EPOCH) {
        Some(after) => SystemTime::UNIX_EPOCH + span(after),
        None => SystemTime::UNIX_EPOCH - span(EPOCH - time),
    }
}

#[cfg(unix)]
fn make_symlink(to: &[u16], target: &Path) -> io::Result<()> {
    let mut text = polylink_nt::name::wtf8_of_units(to);
    for byte in &mut text {
        if *byte == b'\\' {
            *byte = b'/';
        }
    }
    let to = Name::new(&text).to_os().ok_or(io::ErrorKind::InvalidInput)?;
    std::os::unix::fs::symlink(to, target)
}

#[cfg(windows)]
fn make_symlink(to: &[u16], target: &Path) -> io::Result<()> {
    use std::os::windows::ffi::OsStringExt as _;
    std::os::windows::fs::symlink_file(std::ffi::OsString::from_wide(to), target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_lead_elsewhere_are_refused() {
        for name in ["..", ".", "a/b", "/etc", "a\0b", ""] {
            assert!(host_name(name.as_bytes()).is_err(), "{name:?}");
        }
        assert_eq!(host_name("a.jpg".as_bytes()).unwrap(), PathBuf::from("a.jpg"));
    }

    #[test]
    fn times_before_1970_are_times_too() {
        assert_eq!(system_time(116_444_736_000_000_000), SystemTime::UNIX_EPOCH);
        assert_eq!(
            system_time(0),
            SystemTime::UNIX_EPOCH - Duration::from_secs(11_644_473_600)
        );
    }
}
