//! NTFS volumes that no driver has mounted: images, disks, block devices, dumps of `$MFT`.

mod change;
mod overlay;
mod paths;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use polylink_core::{Fault, shown};
use polylink_ntfs::{
    Access, Device, Error, FileDevice, Note, OpenOptions, PartitionTable, Slice, Unsupported, Volume,
    VolumeFs, partitions,
};

use crate::error::CommandError;
use crate::format::{count, counted, size};
use crate::ui::Ui;

pub(crate) use change::{
    ChangeOption, ChangeOptions, Changing, ImageChangeArgs, Mending, advice, failure, in_volume,
};
pub(crate) use paths::{below, look, target};

/// Which volume.
#[derive(Clone, Debug, Args)]
pub(crate) struct ImageArgs {
    /// The volume: an image of a volume or of a whole disk, a block device, or a bare $MFT
    #[arg(value_name = "IMG")]
    pub(crate) image: PathBuf,
    #[command(flatten)]
    pub(crate) partition: PartitionArg,
}

/// Which part of a disk.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct PartitionArg {
    /// The partition, where IMG is a whole disk with several of them
    #[arg(long, value_name = "N")]
    pub(crate) partition: Option<u32>,
}

/// For commands that work on the host's file systems, and on an image as well.
#[derive(Clone, Debug, Args)]
pub(crate) struct ImageOption {
    /// Look into this NTFS volume instead: an image, a block device, or a bare $MFT; paths are inside it
    ///
    /// Nothing needs to be mounted, and nothing is changed. Paths begin at the root of the volume, and `/` separates.
    #[arg(long, value_name = "IMG", help_heading = "Images")]
    pub(crate) image: Option<PathBuf>,
    /// The partition, where IMG is a whole disk with several of them
    #[arg(long, value_name = "N", requires = "image", help_heading = "Images")]
    pub(crate) partition: Option<u32>,
}

/// Whether the whole table is read at once, to answer from memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reading {
    /// Each question reads what it needs.
    AsAsked,
    /// The table is read first.
    AtOnce,
}

impl ImageOption {
    /// The volume as a file system, where one was given.
    pub(crate) fn open(&self, ui: &Ui, reading: Reading) -> Result<Option<VolumeFs>, CommandError> {
        let Some(path) = &self.image else {
            return Ok(None);
        };
        let volume = open(ui, path, self.partition)?;
        Ok(Some(match reading {
            Reading::AsAsked => file_system(path, volume)?,
            Reading::AtOnce => with_catalog(path, volume)?,
        }))
    }
}

/// The volume as a file system that reads what it is asked for.
///
/// A bare $MFT has no directories to read: paths are found by the names in its records, which are all read first.
pub(crate) fn file_system(path: &Path, volume: Arc<Volume>) -> Result<VolumeFs, CommandError> {
    if volume.geometry().is_none() {
        return with_catalog(path, volume);
    }
    Ok(VolumeFs::new(volume))
}

fn with_catalog(path: &Path, volume: Arc<Volume>) -> Result<VolumeFs, CommandError> {
    VolumeFs::with_catalog(volume).map_err(|error| failed("read", path, &error).before_start())
}

/// An error of the engine, with what was tried on which image.
pub(crate) fn failed(action: &str, path: &Path, error: &Error) -> CommandError {
    let mut failed = CommandError::failed(format!("cannot {action} '{}'", shown(path))).path(path);
    failed.causes.push(error.to_string());
    if let Error::Device { source, .. } = error {
        failed.causes.push(source.to_string());
    }
    failed.fault = Some(Box::new(Fault::from(error)));
    failed
}

/// A boot sector has no fewer bytes.
const SMALLEST: u64 = 256;

/// Opens the volume, and warns of what is not as it should be.
pub(crate) fn open(ui: &Ui, image: &Path, partition: Option<u32>) -> Result<Arc<Volume>, CommandError> {
    let device = FileDevice::open(image, Access::Read)
        .map_err(|error| CommandError::from_io("open", image, &error).before_start())?;
    let chosen = choose(Arc::new(device), image, partition)?;
    let volume = Volume::open(Box::new(chosen.device), &OpenOptions::default())
        .map_err(|error| unreadable(image, &error, &chosen.otherwise))?;
    for note in volume.notes() {
        ui.warn(&told(note));
    }
    Ok(Arc::new(volume))
}

/// A volume on a device.
struct Chosen {
    device: Arc<dyn Device>,
    /// The number of the partition, where there are some.
    partition: Option<u32>,
    /// What to do where no NTFS is found there.
    otherwise: String,
}

/// An error of the engine when it looked for a volume.
fn unreadable(image: &Path, error: &Error, otherwise: &str) -> CommandError {
    let cannot = failed("read", image, error).before_start();
    match error {
        Error::Unsupported(Unsupported::NotNtfs { .. }) => cannot.hint(otherwise),
        _ => cannot,
    }
}

/// Finds the part of a device that the user means.
fn choose(device: Arc<dyn Device>, image: &Path, partition: Option<u32>) -> Result<Chosen, CommandError> {
    if device.size() < SMALLEST {
        let held = counted(device.size(), "byte", "bytes");
        return Err(CommandError::cannot_start(format!(
            "'{}' is no NTFS volume: it has {held}",
            shown(image)
        ))
        .path(image));
    }
    let (table, parts) = partitions(&*device);
    match (partition, table) {
        (None, PartitionTable::None) => Ok(Chosen {
            device,
            partition: None,
            otherwise: "it is neither an NTFS volume nor a disk with one: 'file' may tell what it is"
                .to_owned(),
        }),
        (Some(number), PartitionTable::None) => Err(CommandError::cannot_start(format!(
            "'{}' has no partition {number}: it has no partition table",
            shown(image)
        ))
        .path(image)
        .hint("leave out --partition: the volume fills the image")),
        (wanted, _) => {
            let ntfs: Vec<_> = parts.iter().filter(|part| part.is_ntfs).collect();
            let chosen = match (wanted, &*ntfs) {
                (Some(number), _) => parts.iter().find(|part| part.number == number),
                (None, [only]) => Some(*only),
                (None, _) => None,
            };
            let listed: Vec<String> = parts
                .iter()
                .map(|part| {
                    let kind = if part.is_ntfs { "NTFS" } else { "not NTFS" };
                    format!("{} ({kind}, {})", part.number, size(part.size))
                })
                .collect();
            let listed = match &*ntfs {
                [] => format!("it has {}", listed.join(", ")),
                _ => format!("choose by --partition: {}", listed.join(", ")),
            };
            let Some(part) = chosen else {
                let what = match wanted {
                    Some(number) => format!("has no partition {number}"),
                    None if ntfs.is_empty() => "has no NTFS partition".to_owned(),
                    None => "has several NTFS partitions".to_owned(),
                };
                let error = CommandError::cannot_start(format!("'{}' {what}", shown(image))).path(image);
                return Err(error.hint(listed));
            };
            Ok(Chosen {
                device: Arc::new(Slice::new(device, part.start, part.size)),
                partition: Some(part.number),
                otherwise: listed,
            })
        }
    }
}

/// What was noticed when a volume was opened, as a sentence.
fn told(note: &Note) -> String {
    match note {
        Note::BackupBootSector { reason } => {
            format!("the boot sector cannot be used, its copy at the end of the volume is: {reason}")
        }
        Note::MirrorRecord { reason } => {
            format!("the first record of $MFT cannot be used, its copy in $MFTMirr is: {reason}")
        }
        Note::Truncated { volume, device } => format!(
            "the volume has {} bytes, the image only {}: what lies beyond cannot be read",
            count(*volume),
            count(*device)
        ),
        other => format!("{other:?}"),
    }
}
