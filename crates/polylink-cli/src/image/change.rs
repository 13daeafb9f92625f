//! Volumes that are changed without a driver: when that is refused, and what to do then.

use std::fmt::Write as _;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use polylink_core::{Fault, FaultKind, PathError, shown, stable_hash};
use polylink_host::disk::{self, DiskKind};
use polylink_host::facts;
use polylink_nt::NtStatus;
use polylink_ntfs::{
    Access, Device, Error, FileDevice, LINK_LIMIT, NotWritable, VolumeFs, WriteOptions, Writer,
};

use super::overlay::Overlay;
use super::{PartitionArg, choose, failed, unreadable};
use crate::error::{CommandError, ErrorKind};

/// Which volume is changed.
#[derive(Clone, Debug, Args)]
pub(crate) struct ImageChangeArgs {
    /// The volume: an image of a volume or of a whole disk, or a block device that is not mounted
    #[arg(value_name = "IMG")]
    pub(crate) image: PathBuf,
    #[command(flatten)]
    pub(crate) partition: PartitionArg,
    #[command(flatten)]
    pub(crate) options: ChangeOptions,
}

/// How a volume is changed.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct ChangeOptions {
    /// Write although the volume is marked as dirty, or its journal holds work that was not finished
    ///
    /// That work is lost then, and the mark stays. Where 'polylink ntfs check' finds damage, let it be repaired first.
    #[arg(long)]
    pub(crate) force: bool,
    /// The most names that a file may have
    ///
    /// Windows makes no more than 1,024, reads more, and can remove them. Raise it for volumes that other drivers share
    /// only.
    #[arg(long, value_name = "N", default_value_t = LINK_LIMIT, value_parser = clap::value_parser!(u32).range(1..=65_535))]
    pub(crate) max_links: u32,
}

/// For commands that work on the host's file systems, and change an image as well.
#[derive(Clone, Debug, Args)]
pub(crate) struct ChangeOption {
    /// Work in this NTFS volume instead: an image, or a block device that is not mounted; paths are inside it
    ///
    /// No driver is needed. Paths begin at the root of the volume, and `/` separates.
    #[arg(long, value_name = "IMG", help_heading = "Images")]
    pub(crate) image: Option<PathBuf>,
    /// The partition, where IMG is a whole disk with several of them
    #[arg(long, value_name = "N", requires = "image", help_heading = "Images")]
    pub(crate) partition: Option<u32>,
    /// Write although the volume is marked as dirty, or its journal holds work that was not finished
    ///
    /// That work is lost then, and the mark stays. Where 'polylink ntfs check' finds damage, let it be repaired first.
    #[arg(long, requires = "image", help_heading = "Images")]
    pub(crate) force: bool,
    /// The most names that a file of the volume may have [default: 1024]
    ///
    /// Windows makes no more than 1,024, reads more, and can remove them. Raise it for volumes that other drivers share
    /// only.
    #[arg(long, value_name = "N", requires = "image", help_heading = "Images", value_parser = clap::value_parser!(u32).range(1..=65_535))]
    pub(crate) max_links: Option<u32>,
}

impl ChangeOption {
    /// The volume, where one was given.
    pub(crate) fn open(&self, dry_run: bool) -> Result<Option<Changing>, CommandError> {
        let Some(image) = &self.image else {
            return Ok(None);
        };
        let options = ChangeOptions {
            force: self.force,
            max_links: self.max_links.unwrap_or(LINK_LIMIT),
        };
        Changing::open(image, self.partition, options, dry_run).map(Some)
    }
}

impl ImageChangeArgs {
    pub(crate) fn open(&self, dry_run: bool) -> Result<Changing, CommandError> {
        Changing::open(&self.image, self.partition.partition, self.options, dry_run)
    }
}

/// A volume that is changed.
///
/// A dry run does the very same, on a device that keeps what is written in memory: so it meets every refusal that the
/// real run meets.
#[derive(Debug)]
pub(crate) struct Changing {
    image: PathBuf,
    /// Which part of a disk it is.
    partition: Option<u32>,
    dry_run: bool,
    writer: Arc<Writer>,
    fs: VolumeFs,
}

impl Changing {
    pub(crate) fn open(
        image: &Path,
        partition: Option<u32>,
        options: ChangeOptions,
        dry_run: bool,
    ) -> Result<Self, CommandError> {
        let chosen = choose(device(image, dry_run)?, image, partition)?;
        let device: Arc<dyn Device> = if dry_run {
            Arc::new(Overlay::new(chosen.device))
        } else {
            chosen.device
        };
        let options = WriteOptions {
            max_links: options.max_links,
            force: options.force,
            ..WriteOptions::default()
        };
        let cannot = |error: &Error| match error {
            Error::NotWritable(reason) => failed("write", image, error)
                .before_start()
                .hints(what_to_do(reason)),
            error => unreadable(image, error, &chosen.otherwise),
        };
        let writer = Arc::new(Writer::open(device, &options).map_err(|error| cannot(&error))?);
        let fs = VolumeFs::writing(Arc::clone(&writer)).map_err(|error| cannot(&error))?;
        Ok(Self {
            image: image.into(),
            partition: chosen.partition,
            dry_run,
            writer,
            fs,
        })
    }

    /// Where the ledger of a view in the volume lies: beside the image, `.IMG.VIEW.polylink`. A block device has no
    /// place beside it, so there it is the state directory, and the volume's number stands for the image.
    ///
    /// Answers what to call the view so that its ledger comes to lie there.
    pub(crate) fn beside(&self, view: &Path, state_dir: Option<&Path>) -> Result<PathBuf, CommandError> {
        let absolute =
            facts::absolute(&self.image).map_err(|error| CommandError::from_path(&error).before_start())?;
        let view = escaped(view);
        if matches!(disk::kind_of(&absolute), Ok(DiskKind::BlockDevice)) {
            let Some(dir) = state_dir else {
                return Err(CommandError::cannot_start(format!(
                    "there is no place for the ledger of a view on '{}'",
                    shown(&self.image)
                ))
                .path(&self.image)
                .hint("set XDG_STATE_HOME or HOME: what belongs to a block device is kept below it"));
            };
            let dir = dir.join("polylink");
            if !self.dry_run {
                std::fs::create_dir_all(&dir)
                    .map_err(|error| CommandError::from_io("make", &dir, &error).before_start())?;
            }
            return Ok(dir.join(format!("{:016X}.{view}", self.writer.geometry().serial)));
        }
        let mut name = absolute.file_name().unwrap_or_default().to_owned();
        if let Some(number) = self.partition {
            name.push(format!(".p{number}"));
        }
        name.push(".");
        name.push(view);
        Ok(absolute.with_file_name(name))
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.writer
    }

    pub(crate) fn fs(&self) -> &VolumeFs {
        &self.fs
    }

    /// Brings everything to the device.
    pub(crate) fn close(&self) -> Result<(), CommandError> {
        self.writer
            .close()
            .map_err(|error| failed("finish writing", &self.image, &error).hint(UNFINISHED))
    }

    /// Brings everything to the device and answers what the work came to; that the volume cannot be closed is an error
    /// of the command.
    pub(crate) fn finish<T>(self, worked: Result<T, CommandError>) -> Result<T, CommandError> {
        match (worked, self.writer.close()) {
            (worked, Ok(())) => worked,
            (Ok(_), Err(error)) => Err(failed("finish writing", &self.image, &error).hint(UNFINISHED)),
            (Err(error), Err(_)) if error.kind == ErrorKind::Interrupted => Err(error.hint(UNFINISHED)),
            (Err(error), Err(closing)) => {
                let mut error = error.hint(UNFINISHED);
                error.causes.push(closing.to_string());
                Err(error)
            }
        }
    }

    /// The same at the end of the command, for work that was much: what is kept of the volume goes with the process, for to
    /// give it back piece by piece takes as long as hundreds of names do. The volume stays locked until then.
    pub(crate) fn end<T>(self, worked: Result<T, CommandError>) -> Result<T, CommandError> {
        std::mem::forget(Arc::clone(&self.writer));
        self.finish(worked)
    }
}

/// A volume that is repaired; a dry run does the very same in memory.
pub(crate) struct Mending {
    image: PathBuf,
    device: Arc<dyn Device>,
    otherwise: String,
}

impl Mending {
    pub(crate) fn open(image: &Path, partition: PartitionArg, dry_run: bool) -> Result<Self, CommandError> {
        let chosen = choose(device(image, dry_run)?, image, partition.partition)?;
        let device: Arc<dyn Device> = if dry_run {
            Arc::new(Overlay::new(chosen.device))
        } else {
            chosen.device
        };
        Ok(Self {
            image: image.into(),
            device,
            otherwise: chosen.otherwise,
        })
    }

    pub(crate) fn device(&self) -> &Arc<dyn Device> {
        &self.device
    }

    /// What stopped the repair, and what to do.
    pub(crate) fn cannot(&self, error: &Error) -> CommandError {
        match error {
            Error::NotWritable(reason) => {
                // a repair is never forced
                let hints = what_to_do(reason).into_iter();
                failed("repair", &self.image, error)
                    .before_start()
                    .hints(hints.filter(|hint| !hint.starts_with("--force")))
            }
            Error::Unsupported(_) => unreadable(&self.image, error, &self.otherwise),
            error => failed("repair", &self.image, error),
        }
    }
}

/// A path inside a volume as a part of a file name: `/photos/flat` as `photos%2Fflat`. Long ones are cut, and told
/// apart by a number.
fn escaped(path: &Path) -> String {
    const LONGEST: usize = 120;
    let text = path.to_string_lossy();
    let mut name = String::new();
    for c in text.trim_start_matches('/').chars() {
        match c {
            '/' | '%' | '\\' => {
                // OK to ignore: writing to a string cannot fail
                let _ = write!(name, "%{:02X}", u32::from(c));
            }
            c => name.push(c),
        }
    }
    if name.len() > LONGEST || text.contains(char::REPLACEMENT_CHARACTER) {
        let number = stable_hash(path.as_os_str().as_encoded_bytes());
        let cut = (0..=LONGEST).rev().find(|&at| name.is_char_boundary(at));
        name.truncate(cut.unwrap_or(0).min(name.len()));
        let _ = write!(name, "%{number:016X}");
    }
    name
}

const UNFINISHED: &str = "the volume stays marked as dirty: every file has a name still, and 'polylink ntfs check' tells what is left to repair";

/// Opens the image; to be written, with nobody else at it.
fn device(image: &Path, dry_run: bool) -> Result<Arc<dyn Device>, CommandError> {
    let cannot = |error: &io::Error| {
        let failed = CommandError::from_io("open", image, error).before_start();
        match error.kind() {
            io::ErrorKind::ResourceBusy => {
                failed.hint("it is mounted, or part of something that is in use: unmount it first")
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                failed.hint("changing a volume takes the right to write to it")
            }
            _ => failed,
        }
    };
    if dry_run {
        let device = FileDevice::open(image, Access::Read).map_err(|error| cannot(&error))?;
        return Ok(Arc::new(device));
    }
    let device = match disk::kind_of(image).map_err(|error| cannot(&error))? {
        DiskKind::BlockDevice => {
            disk::open_exclusively(image).and_then(|file| FileDevice::of(file, Access::ReadWrite))
        }
        DiskKind::File => {
            let file = File::options().read(true).write(true).open(image);
            let file = file.map_err(|error| cannot(&error))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let text = format!("somebody else is writing '{}'", shown(image));
                    return Err(CommandError::cannot_start(text)
                        .path(image)
                        .hint("wait for the other one to end, then run the command again"));
                }
                // where locks do not exist nobody has one
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
                Err(TryLockError::Error(error)) => return Err(cannot(&error)),
            }
            FileDevice::of(file, Access::ReadWrite)
        }
    };
    Ok(Arc::new(device.map_err(|error| cannot(&error))?))
}

/// What to do about a volume that is not written.
fn what_to_do(reason: &NotWritable) -> Vec<String> {
    let hints: &[&str] = match reason {
        NotWritable::Dirty => &[
            "'polylink ntfs check --fix' repairs it and takes the mark away, as 'chkdsk /f' on Windows does",
            "--force writes all the same and leaves the mark: do that only where the check finds no damage",
        ],
        NotWritable::LogActive => &[
            "mount it where it was used last, or on any Windows, and unmount it: that finishes the work",
            "--force drops that work: then 'polylink ntfs check' tells what it left behind",
        ],
        NotWritable::LogDamaged { .. } => &[
            "'chkdsk /f' on Windows makes the journal anew",
            "--force drops what the journal holds: do that only where 'polylink ntfs check' finds no damage",
        ],
        NotWritable::Hibernated => &[
            "start that Windows and shut it down fully: 'shutdown /s /f /t 0', or hold Shift while choosing 'Shut down'",
            "fast startup hibernates at every shutdown: 'powercfg /h off' ends that",
        ],
        NotWritable::Flags { .. } => &[
            "let Windows mount the volume, or run 'chkdsk /f' on it: that finishes the work which the flags stand for",
        ],
        NotWritable::Version { major: 0..=2, .. } => &["a Windows that mounts it brings it to version 3.1"],
        NotWritable::Version { .. } => {
            &["it is newer than what polylink knows: a later polylink may write it"]
        }
        NotWritable::Damaged { .. } => &[
            "'polylink ntfs check' tells what is damaged; 'chkdsk /f' on Windows repairs it",
            "get what you need with 'polylink ntfs get' first: reading goes on as long as it can",
        ],
        NotWritable::TableOnly => {
            &["give the volume itself: a bare $MFT can be read, and holds no directories to change"]
        }
        _ => &[],
    };
    hints.iter().map(|&hint| hint.to_owned()).collect()
}

/// What went wrong with one path inside the volume: the sentence and what to do, or the error that ends the command,
/// for nothing more can be written.
pub(crate) fn failure(image: &Path, error: Error) -> Result<String, CommandError> {
    match &error {
        Error::Device { .. } | Error::Failed { .. } => Err(failed("write", image, &error)),
        Error::Refused(status) => Ok(Fault::from(*status).to_string()),
        error => Ok(error.to_string()),
    }
}

/// An error with a path inside a volume, with what to do about it.
pub(crate) fn in_volume(error: &PathError) -> CommandError {
    CommandError::from_path(error).hints(advice(error.fault).map(str::to_owned))
}

/// What to do about a refusal inside a volume.
pub(crate) fn advice(fault: Fault) -> Option<&'static str> {
    match fault.kind() {
        FaultKind::TooManyLinks => Some(
            "1,024 names are all that Windows makes; --max-links raises the limit for volumes that other drivers share",
        ),
        FaultKind::NoSpace => Some("remove something first, or take a larger volume"),
        FaultKind::NameInvalid => Some(
            "names on NTFS have 1 to 255 UTF-16 units, and none of \" * / : < > ? \\ | or control characters",
        ),
        FaultKind::NotFound => {
            Some("'polylink ntfs ls' shows what is there; paths begin at the root of the volume")
        }
        _ if fault == Fault::from(NtStatus::FILE_IS_A_DIRECTORY) => Some("directories have one name each"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledgers_of_two_views_never_have_one_name() {
        let name = |path: &str| escaped(Path::new(path));
        assert_eq!(name("/flat"), "flat");
        assert_eq!(name("/photos/flat"), "photos%2Fflat");
        assert_eq!(name("/photos%2Fflat"), "photos%252Fflat");
        let (long, longer) = (format!("/{}", "ü".repeat(200)), format!("/{}", "ü".repeat(201)));
        assert!(name(&long).len() < 150 && name(&long) != name(&longer));
    }
}
