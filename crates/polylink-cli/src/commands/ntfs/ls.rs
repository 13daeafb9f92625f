//! `polylink ntfs ls`.

mod lines;
mod turns;
mod walk;

use std::path::{Path, PathBuf};

use clap::Args;
use polylink_core::{Name, PathError, ResultExt as _};
use polylink_nt::name::{Namespace, wtf8_of_units};
use polylink_ntfs::{
    Catalog, FileKind, FileName, FileReference, FileRow, Index, NameRow, RecordNumber, Reparse, VolumeFs,
};
use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq as _, Serializer as _};

use self::lines::Lines;
use self::walk::Walk;
use super::text;
use crate::commands::Context;
use crate::error::{CommandError, Outcome};
use crate::format::counted;
use crate::image::{self, ImageArgs};
use crate::json::{self, OwnedPath};

/// List a directory of a volume, or everything on it
///
/// With -R every name below PATH is listed with its path, from one pass over the Master File Table: no directory is
/// read, so even names that an index lost are found as long as their directory stands. 8.3 names are shown beside the
/// long ones (-l), and are no names of their own: they do not count in 'links'.
///
/// Exit code 1 says that part of the volume could not be read.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct LsArgs {
    #[command(flatten)]
    image: ImageArgs,
    /// The directory, or a file
    #[arg(default_value = "/")]
    path: PathBuf,
    /// Show kind, links, size, allocated bytes, time of the last change and file id as well
    #[arg(short, long)]
    long: bool,
    /// List everything below PATH
    #[arg(short = 'R', long)]
    recursive: bool,
    /// List the files of NTFS itself as well: $MFT, $Bitmap and the others
    #[arg(short, long)]
    all: bool,
}

impl LsArgs {
    fn is_listed(&self, record: RecordNumber, name: &[u8]) -> bool {
        if record == RecordNumber::ROOT {
            return false;
        }
        self.all || !record.is_own_file(name)
    }
}

const EXAMPLES: &str = "\
Columns of -l:
  kind       - file, d directory, D case-sensitive directory, l symbolic link or junction
  links      names of the file, 8.3 names not counted
  size       bytes of the content
  allocated  bytes that the content takes outside the file's record: 0 for small files, which lie in it
  modified   last change of the content (UTC)
  file id    record number and sequence number: equal for all names of one file
  name       and its 8.3 twin, where it has one; what a link leads to

Examples:
  polylink ntfs ls -l disk.img /photos/2007
  polylink ntfs ls -lR disk.img
  polylink ntfs ls --json -R disk.img /photos";

/// One line.
struct Line<'a> {
    path: &'a [u8],
    short: Option<Vec<u8>>,
    row: FileRow,
    /// What a link leads to.
    target: Option<Vec<u8>>,
}

/// What a link leads to, where that can be read; only links are looked at.
fn target(fs: &VolumeFs, row: &FileRow) -> Option<Vec<u8>> {
    if row.kind != FileKind::Link {
        return None;
    }
    fs.target(row.reference)
        .ok()
        .flatten()
        .map(|target| wtf8_of_units(&target))
}

pub(super) fn run(context: &Context<'_>, args: &LsArgs) -> Result<Outcome, CommandError> {
    let volume = image::open(context.ui, &args.image.image, args.image.partition.partition)?;
    let start = |error: PathError| CommandError::from_path(&error).before_start();
    let list = List { context, args };
    // a dump of the table has no directories to read
    if args.recursive || volume.geometry().is_none() {
        let fs = VolumeFs::with_catalog(volume)
            .map_err(|error| image::failed("read", &args.image.image, &error))?;
        let reference = fs.find(&args.path).at("list", &args.path).map_err(start)?;
        return list.all_at_once(&fs, reference);
    }
    let fs = VolumeFs::new(volume);
    let reference = fs.find(&args.path).at("list", &args.path).map_err(start)?;
    list.one_directory(&fs, reference)
}

/// What gives the lines, one after the other.
type Fill<'f> = &'f mut dyn FnMut(&mut dyn Sink) -> Result<(), CommandError>;

struct List<'a> {
    context: &'a Context<'a>,
    args: &'a LsArgs,
}

/// Where lines go: to the screen, or into the document.
trait Sink {
    fn line(&mut self, line: &Line<'_>) -> Result<(), CommandError>;
}

struct Screen<'a> {
    context: &'a Context<'a>,
    lines: Lines<'a>,
    text: Vec<u8>,
}

impl Sink for Screen<'_> {
    fn line(&mut self, line: &Line<'_>) -> Result<(), CommandError> {
        self.text.clear();
        self.lines.push(&mut self.text, line);
        self.context.ui.raw(&self.text)
    }
}

#[derive(Serialize)]
struct Entry {
    path: OwnedPath,
    kind: &'static str,
    case_sensitive: bool,
    file_id: String,
    links: u16,
    raw_links: u16,
    size: u64,
    allocated: u64,
    modified: String,
    short_name: Option<OwnedPath>,
    target: Option<OwnedPath>,
}

impl Entry {
    fn of(line: &Line<'_>) -> Self {
        let row = &line.row;
        Self {
            path: OwnedPath::from_name(Name::new(line.path)),
            kind: match row.kind {
                FileKind::File => "file",
                FileKind::Directory => "directory",
                FileKind::Link => "symlink",
            },
            case_sensitive: row.case_sensitive,
            file_id: row.reference.to_string(),
            links: row.links,
            raw_links: row.raw_links,
            size: row.size,
            allocated: row.allocated,
            modified: text::time(row.modified),
            short_name: line
                .short
                .as_ref()
                .map(|name| OwnedPath::from_name(Name::new(name))),
            target: line
                .target
                .as_ref()
                .map(|path| OwnedPath::from_name(Name::new(path))),
        }
    }
}

impl List<'_> {
    /// Writes the document around entries that are never all in memory.
    fn document(&self, complete: bool, fill: Fill<'_>) -> Result<(), CommandError> {
        /// Entries on their way into the document.
        struct Elements<'s, S>(&'s mut S, &'s List<'s>);
        impl<S: serde::ser::SerializeSeq> Sink for Elements<'_, S> {
            fn line(&mut self, line: &Line<'_>) -> Result<(), CommandError> {
                let failed = |_| CommandError::failed("cannot write the results");
                self.0.serialize_element(&Entry::of(line)).map_err(failed)?;
                self.1.context.stop.check()
            }
        }
        /// What `fill` gives, as a list.
        struct Entries<'f, 'l>(
            std::cell::RefCell<Fill<'f>>,
            &'f std::cell::RefCell<Option<CommandError>>,
            &'l List<'l>,
        );
        impl Serialize for Entries<'_, '_> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut list = serializer.serialize_seq(None)?;
                let filled = (self.0.borrow_mut())(&mut Elements(&mut list, self.2));
                if let Err(error) = filled {
                    self.1.replace(Some(error));
                    return Err(serde::ser::Error::custom("stopped"));
                }
                list.end()
            }
        }
        let failure = std::cell::RefCell::new(None);
        let mut out = Out(self.context, Ok(()));
        let mut serializer = serde_json::Serializer::pretty(&mut out);
        let done = (|| {
            let mut map = serializer.serialize_map(None)?;
            map.serialize_entry("schema", &json::SCHEMA)?;
            map.serialize_entry("command", "ntfs ls")?;
            map.serialize_entry("complete", &complete)?;
            map.serialize_entry("entries", &Entries(std::cell::RefCell::new(fill), &failure, self))?;
            SerializeMap::end(map)
        })();
        let written = out.1;
        if let Some(error) = failure.take() {
            return Err(error);
        }
        written?;
        done.map_err(|error: serde_json::Error| CommandError::from_error(&error))?;
        self.context.ui.out("\n")
    }

    fn write(&self, complete: bool, fill: Fill<'_>) -> Result<(), CommandError> {
        if self.context.ui.json() {
            self.document(complete, fill)
        } else {
            fill(&mut Screen {
                context: self.context,
                lines: Lines::new(self.args),
                text: Vec::new(),
            })
        }
    }

    fn all_at_once(&self, fs: &VolumeFs, reference: FileReference) -> Result<Outcome, CommandError> {
        let Some(catalog) = fs.catalog() else {
            return Ok(Outcome::Done);
        };
        let damage = catalog.damage();
        let top = catalog
            .resolve(reference)
            .and_then(|index| Some((index, catalog.file(index)?)));
        let Some((index, row)) = top else {
            return Ok(Outcome::Done);
        };
        let path = shown_path(&self.args.path);
        if row.kind != FileKind::Directory {
            let short = catalog
                .names_of(index)
                .find(|name| name.namespace == Some(Namespace::Dos));
            let short = short.map(|name| name.name.to_vec());
            self.write(damage.is_empty(), &mut |sink| {
                sink.line(&Line {
                    path: &path,
                    short: short.clone(),
                    row,
                    target: target(fs, &row),
                })
            })?;
        } else if self.context.ui.json() {
            let mut walk = Walk::new(catalog, self.args, index, path);
            self.document(damage.is_empty(), &mut |sink| {
                while let Some((name, row)) = walk.next() {
                    sink.line(&Line {
                        path: walk.path(),
                        short: short_of(catalog, &name, &row),
                        row,
                        target: target(fs, &row),
                    })?;
                }
                Ok(())
            })?;
        } else {
            let mut walk = Walk::new(catalog, self.args, index, path);
            lines::print(self.context, self.args, fs, catalog, &mut walk)?;
        }
        for corrupt in damage.iter().take(SHOWN) {
            self.context.ui.warn(&corrupt.to_string());
        }
        if damage.is_empty() {
            return Ok(Outcome::Done);
        }
        self.context.ui.warn(&format!(
            "{} could not be read: what they hold may be missing here",
            counted(damage.len() as u64, "record", "records")
        ));
        Ok(Outcome::Partial)
    }

    fn one_directory(&self, fs: &VolumeFs, reference: FileReference) -> Result<Outcome, CommandError> {
        let volume = fs.volume();
        let failed = |error: polylink_ntfs::Error| image::failed("list", &self.args.path, &error);
        let file = volume.file(reference.record()).map_err(failed)?;
        if !file.is_directory() {
            let row = fs.row(reference).map_err(failed)?;
            let names = file.names().map_err(failed)?;
            let short = names.iter().find(|name| name.namespace == Some(Namespace::Dos));
            let short = short.map(|name| wtf8_of_units(&name.name));
            let path = shown_path(&self.args.path);
            self.write(true, &mut |sink| {
                sink.line(&Line {
                    path: &path,
                    short: short.clone(),
                    row,
                    target: target(fs, &row),
                })
            })?;
            return Ok(Outcome::Done);
        }
        let entries = Index::open(volume, &file)
            .and_then(|index| index.entries())
            .map_err(failed)?;
        let base = shown_path(&self.args.path);
        let mut problems = Vec::new();
        self.write(true, &mut |sink| {
            for entry in entries.iter().filter(|entry| entry.name.is_link()) {
                let name = wtf8_of_units(&entry.name.name);
                if !self.args.is_listed(entry.file.record(), &name) {
                    continue;
                }
                let row = match fs.row(entry.file) {
                    Ok(row) => row,
                    Err(error) => {
                        problems.push(error);
                        row_of(entry.file, &entry.name)
                    }
                };
                let short = (row.raw_links != row.links)
                    .then(|| {
                        let twin = entries.iter().find(|twin| {
                            twin.file == entry.file && twin.name.namespace == Some(Namespace::Dos)
                        });
                        twin.map(|twin| wtf8_of_units(&twin.name.name))
                    })
                    .flatten();
                let mut path = if self.context.ui.json() {
                    base.clone()
                } else {
                    Vec::new()
                };
                if path.last().is_some_and(|&byte| byte != b'/') {
                    path.push(b'/');
                }
                path.extend_from_slice(&name);
                sink.line(&Line {
                    path: &path,
                    short,
                    row,
                    target: target(fs, &row),
                })?;
                self.context.stop.check()?;
            }
            Ok(())
        })?;
        for error in problems.iter().take(SHOWN) {
            self.context.ui.warn(&format!(
                "a file cannot be read, what is shown of it is what its name says: {error}"
            ));
        }
        Ok(if problems.is_empty() {
            Outcome::Done
        } else {
            Outcome::Partial
        })
    }
}

const SHOWN: usize = 8;

/// The path as it begins each line: absolute, without a separator at the end but for the root.
fn shown_path(path: &Path) -> Vec<u8> {
    let mut shown = Vec::new();
    for part in path.as_os_str().as_encoded_bytes().split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                let parent = shown.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
                shown.truncate(parent);
            }
            part => {
                shown.push(b'/');
                shown.extend_from_slice(part);
            }
        }
    }
    if shown.is_empty() {
        shown.push(b'/');
    }
    shown
}

/// The 8.3 twin of a name of a file.
fn short_of(catalog: &Catalog, name: &NameRow<'_>, row: &FileRow) -> Option<Vec<u8>> {
    if row.raw_links == row.links || name.namespace != Some(Namespace::Win32) {
        return None;
    }
    let twin = catalog
        .names_of(name.file)
        .find(|twin| twin.namespace == Some(Namespace::Dos) && twin.parent == name.parent)?;
    Some(twin.name.to_vec())
}

/// What a name says of its file, where the file itself cannot be read.
fn row_of(reference: FileReference, name: &FileName) -> FileRow {
    FileRow {
        reference,
        kind: if name.attributes & 0x400 != 0 && Reparse::is_link_tag(name.ea_or_tag) {
            FileKind::Link
        } else if name.attributes & FileName::DIRECTORY != 0 {
            FileKind::Directory
        } else {
            FileKind::File
        },
        case_sensitive: false,
        links: 1,
        raw_links: 1,
        size: name.size,
        allocated: name.allocated,
        modified: name.modified,
        created: name.created,
    }
}

/// The screen as a writer; keeps what went wrong.
struct Out<'a>(&'a Context<'a>, Result<(), CommandError>);

impl std::io::Write for Out<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self.0.ui.raw(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(error) => {
                self.1 = Err(error);
                Err(std::io::ErrorKind::Other.into())
            }
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
