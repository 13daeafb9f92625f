//! Edits an NTFS volume as a script says: one operation a line, one answer a line.
//!
//! `cargo run -p polylink-ntfs --example script -- IMAGE [MAX_LINKS] < SCRIPT`
//!
//! `MAX_LINKS` is how many names a file may have, where that is not the 1,024 of Windows.
//!
//! The fields of a line are separated by tabs, paths begin with `/`:
//!
//! ```text
//! create PATH SIZE SEED           an empty file, then its content
//! write PATH OFFSET SIZE SEED     a part of it
//! resize PATH SIZE
//! mkdir PATH
//! link EXISTING NEW
//! mv OLD NEW                      never replaces
//! replace OLD NEW                 takes the name of a file that has it
//! rm PATH
//! rmdir PATH
//! sync
//! ```
//!
//! The byte at place P of the content with a SEED is (P + SEED) modulo 251. An answer is `ok`, or the name of the
//! status. The volume is closed at the end of the script, so that it is clean again.

use std::io::{self, BufRead as _, BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;

use polylink_ntfs::{Access, Error, FileDevice, FileReference, Replace, WriteOptions, Writer};

type Answer<T = ()> = Result<T, Failure>;

/// Why a line was not done.
enum Failure {
    Engine(Error),
    Script(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

impl Failure {
    fn told(&self) -> String {
        match self {
            Self::Engine(Error::Refused(status)) => format!("{status:?}"),
            Self::Engine(error) => format!("error: {error}: {error:?}"),
            Self::Script(text) => format!("error: {text}"),
        }
    }
}

fn main() -> io::Result<()> {
    let mut args = std::env::args_os().skip(1);
    let usage = || io::Error::other("usage: script IMAGE [MAX_LINKS] < SCRIPT");
    let image = args.next().ok_or_else(usage)?;
    let mut options = WriteOptions::default();
    if let Some(limit) = args.next() {
        let limit = limit.to_str().and_then(|limit| limit.parse().ok());
        options.max_links = limit.ok_or_else(usage)?;
    }
    let device = FileDevice::open(Path::new(&image), Access::ReadWrite)?;
    let writer = Writer::open(Arc::new(device), &options).map_err(io::Error::other)?;
    let mut out = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        match run(&writer, &line?) {
            Ok(()) => writeln!(out, "ok")?,
            Err(failure) => writeln!(out, "{}", failure.told())?,
        }
    }
    writer.close().map_err(io::Error::other)?;
    out.flush()
}

fn run(writer: &Writer, line: &str) -> Answer {
    let fields: Vec<&str> = line.split('\t').collect();
    match fields[..] {
        ["create", path, size, seed] => {
            let (directory, name) = parent(writer, path)?;
            let file = writer.create_file(directory, &name)?;
            match number(size)? {
                // it is empty already
                0 => Ok(()),
                size => put(writer, file, 0, size, number(seed)?),
            }
        }
        ["write", path, offset, size, seed] => put(
            writer,
            file(writer, path)?,
            number(offset)?,
            number(size)?,
            number(seed)?,
        ),
        ["resize", path, size] => {
            let file = file(writer, path)?;
            writer.set_size(file, &[], number(size)?)?;
            Ok(writer.refresh(file)?)
        }
        ["mkdir", path] => {
            let (directory, name) = parent(writer, path)?;
            writer.make_directory(directory, &name)?;
            Ok(())
        }
        ["link", existing, new] => {
            let file = file(writer, existing)?;
            let (directory, name) = parent(writer, new)?;
            Ok(writer.link(file, directory, &name)?)
        }
        ["mv", old, new] => rename(writer, old, new, Replace::Never),
        ["replace", old, new] => rename(writer, old, new, Replace::File),
        ["rm", path] => {
            let (directory, name) = parent(writer, path)?;
            writer.unlink(directory, &name)?;
            Ok(())
        }
        ["rmdir", path] => {
            let (directory, name) = parent(writer, path)?;
            Ok(writer.remove_directory(directory, &name)?)
        }
        ["sync"] => Ok(writer.sync()?),
        _ => Err(Failure::Script(format!("no such operation: {line}"))),
    }
}

fn rename(writer: &Writer, old: &str, new: &str, replace: Replace) -> Answer {
    let (from, to) = (parent(writer, old)?, parent(writer, new)?);
    Ok(writer.rename((from.0, &from.1), (to.0, &to.1), replace)?)
}

fn number(text: &str) -> Answer<u64> {
    text.parse()
        .map_err(|_| Failure::Script(format!("no number: {text}")))
}

/// Writes the content of a seed, and says in the directories how large the file is now.
fn put(writer: &Writer, file: FileReference, offset: u64, size: u64, seed: u64) -> Answer {
    let bytes: Vec<u8> = (offset..offset.saturating_add(size))
        .map(|place| u8::try_from(place.wrapping_add(seed) % 251).unwrap_or(0))
        .collect();
    writer.write(file, &[], offset, &bytes)?;
    Ok(writer.refresh(file)?)
}

/// The directory that a path lies in, and its last part.
fn parent(writer: &Writer, path: &str) -> Answer<(FileReference, Vec<u16>)> {
    let (directory, name) = path
        .rsplit_once('/')
        .ok_or_else(|| Failure::Script(format!("no path: {path}")))?;
    Ok((file(writer, directory)?, name.encode_utf16().collect()))
}

fn file(writer: &Writer, path: &str) -> Answer<FileReference> {
    let mut at = writer.root()?;
    for part in path.split('/').filter(|part| !part.is_empty()) {
        let name: Vec<u16> = part.encode_utf16().collect();
        let entry = writer.look_up(at, &name)?;
        let entry = entry.ok_or(Error::Refused(polylink_nt::NtStatus::OBJECT_NAME_NOT_FOUND))?;
        at = entry.file;
    }
    Ok(at)
}
