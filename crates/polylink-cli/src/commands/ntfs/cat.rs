//! `polylink ntfs cat`.

use std::path::{Path, PathBuf};

use clap::Args;
use polylink_core::{Name, PathError, ResultExt as _, shown};
use polylink_nt::NtStatus;
use polylink_nt::name::units_of_wtf8;
use polylink_ntfs::layout::attribute::AttributeKind;
use polylink_ntfs::{File, Reparse, Volume};

use crate::commands::Context;
use crate::error::{CommandError, Outcome};
use crate::image::{self, ImageArgs};

/// Write a file's content to the standard output
///
/// Sparse and compressed files are written whole. Encrypted files and files that Windows keeps compressed outside of
/// NTFS ('compact /exe') are refused.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct CatArgs {
    #[command(flatten)]
    image: ImageArgs,
    /// The file; PATH:STREAM for a named stream
    path: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  polylink ntfs cat disk.img /docs/report.pdf > report.pdf
  polylink ntfs cat disk.img /setup.exe:Zone.Identifier";

const AT_ONCE: usize = 1 << 20;

pub(super) fn run(context: &Context<'_>, args: &CatArgs) -> Result<Outcome, CommandError> {
    let image = &args.image.image;
    let volume = image::open(context.ui, image, args.image.partition.partition)?;
    let fs = image::file_system(image, volume)?;
    let (path, stream) = split(&args.path);
    let cannot = |error: &polylink_ntfs::Error| image::failed("read", &args.path, error);
    let reference = fs
        .find(&path)
        .at("read", &args.path)
        .map_err(|error: PathError| CommandError::from_path(&error).before_start())?;
    let volume = fs.volume();
    let file = volume.file(reference.record()).map_err(|error| cannot(&error))?;
    if file.is_directory() && stream.is_empty() {
        let refused = Err::<(), _>(NtStatus::FILE_IS_A_DIRECTORY.into()).at("read", &args.path);
        refused.map_err(|error: PathError| {
            CommandError::from_path(&error).before_start().hint(format!(
                "'polylink ntfs ls {} {}' lists it",
                shown(image),
                shown(&path)
            ))
        })?;
    }
    let found = file
        .stream(volume, AttributeKind::DATA, &stream)
        .map_err(|error| cannot(&error))?;
    if stream.is_empty()
        && reparse(volume, &file).map_err(|error| cannot(&error))? == Some(Reparse::OverlayFilter)
    {
        return Err(cannot(&polylink_ntfs::Unsupported::OverlayFilter.into())
            .hint("'compact /u /exe' on Windows makes a plain file of it"));
    }
    let Some(found) = found else {
        let mut error = CommandError::cannot_start(format!("'{}' has no such stream", shown(&args.path)))
            .path(&args.path);
        let names: Vec<String> = file
            .data_streams()
            .map_err(|error| cannot(&error))?
            .iter()
            .filter(|(name, _)| !name.is_empty())
            .map(|(name, _)| format!("'{}'", super::text::name(name)))
            .collect();
        if !names.is_empty() {
            error = error.hint(format!("it has {}", names.join(", ")));
        }
        return Err(error);
    };
    let mut buffer = vec![0; AT_ONCE];
    let mut offset = 0;
    loop {
        context.stop.check()?;
        let read = volume
            .read(&found, offset, &mut buffer)
            .map_err(|error| cannot(&error))?;
        if read == 0 {
            return Ok(Outcome::Done);
        }
        context.ui.raw(&buffer[..read])?;
        offset += read as u64;
    }
}

fn reparse(volume: &Volume, file: &File) -> Result<Option<Reparse>, polylink_ntfs::Error> {
    match file.stream(volume, AttributeKind::REPARSE_POINT, &[])? {
        Some(stream) => Ok(Some(Reparse::read(volume, &stream)?)),
        None => Ok(None),
    }
}

/// Path and stream: what follows the first colon of the last component, which no name on NTFS has.
fn split(path: &Path) -> (PathBuf, Vec<u16>) {
    let whole = path.as_os_str().as_encoded_bytes();
    let last = whole
        .iter()
        .rposition(|&byte| byte == b'/')
        .map_or(0, |at| at + 1);
    let colon = whole[last..]
        .iter()
        .position(|&byte| byte == b':')
        .map(|at| last + at);
    let parts = colon.and_then(|at| {
        let stream = &whole[at + 1..];
        let stream = stream.strip_suffix(b":$DATA").unwrap_or(stream);
        let before = Name::new(&whole[..at]).to_os()?;
        Some((PathBuf::from(before.into_owned()), units_of_wtf8(stream)?))
    });
    parts.unwrap_or_else(|| (path.into(), Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_follows_the_colon_of_the_last_component() {
        let of = |path: &str| {
            let (path, stream) = split(path.as_ref());
            (
                path.to_str().unwrap().to_owned(),
                String::from_utf16(&stream).unwrap(),
            )
        };
        assert_eq!(of("/a:b/c"), ("/a:b/c".to_owned(), String::new()));
        assert_eq!(of("/a/c:s"), ("/a/c".to_owned(), "s".to_owned()));
        assert_eq!(of("c:s:$DATA"), ("c".to_owned(), "s".to_owned()));
    }
}
