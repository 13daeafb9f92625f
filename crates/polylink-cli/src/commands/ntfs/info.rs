//! `polylink ntfs info`.

use clap::Args;
use polylink_core::Name;
use polylink_nt::name::wtf8_of_units;
use polylink_ntfs::{Hibernation, LogState, Volume, VolumeFlags};
use serde::Serialize;

use super::text;
use crate::commands::Context;
use crate::error::{CommandError, Outcome};
use crate::format::{Align, Table, count, size};
use crate::image::{self, ImageArgs};
use crate::json::{self, JsonPath, OwnedPath};

/// Show how a volume is laid out and in which state it is
///
/// Geometry, version, label, serial number, flags, what the journal holds, whether a Windows sleeps on it, and how much
/// of it is in use.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct InfoArgs {
    #[command(flatten)]
    image: ImageArgs,
}

const EXAMPLES: &str = "\
Examples:
  polylink ntfs info disk.img
  polylink ntfs info --partition 2 /dev/sdb";

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    command: &'static str,
    image: JsonPath<'a>,
    version: Option<String>,
    label: Option<OwnedPath>,
    serial: Option<String>,
    sector_bytes: Option<u32>,
    cluster_bytes: Option<u32>,
    record_bytes: u32,
    index_block_bytes: Option<u32>,
    volume_bytes: Option<u64>,
    clusters: Option<u64>,
    clusters_used: Option<u64>,
    records: u64,
    records_used: Option<u64>,
    mft_cluster: Option<u64>,
    mft_mirror_cluster: Option<u64>,
    flags: Option<Vec<&'static str>>,
    log: Option<String>,
    hibernated: Option<bool>,
    notes: Vec<String>,
}

pub(super) fn run(context: &Context<'_>, args: &InfoArgs) -> Result<Outcome, CommandError> {
    let path = &args.image.image;
    let volume = image::open(context.ui, path, args.image.partition.partition)?;
    let mut notes = Vec::new();
    let mut known = |what: &str, error: polylink_ntfs::Error| {
        notes.push(format!("{what} cannot be read: {error}"));
    };
    let geometry = volume.geometry();
    let information = volume.information().map_err(|error| known("$Volume", error)).ok();
    let label = volume.label().map_err(|error| known("the label", error)).ok();
    let on_volume = geometry.is_some();
    let log = on_volume.then(|| volume.log_state().map_err(|error| known("$LogFile", error)).ok());
    let log = log.flatten();
    let hibernation = on_volume.then(|| {
        volume
            .hibernation()
            .map_err(|error| known("hiberfil.sys", error))
            .ok()
    });
    let hibernation = hibernation.flatten();
    let used = on_volume.then(|| {
        volume
            .clusters_in_use()
            .map_err(|error| known("$Bitmap", error))
            .ok()
    });
    let used = used.flatten();
    let records_used = records_used(&volume)
        .map_err(|error| known("the records", error))
        .ok();
    let outcome = if notes.is_empty() {
        Outcome::Done
    } else {
        Outcome::Partial
    };
    let flags = information.map(|(_, flags)| flags);
    if context.ui.json() {
        context.ui.document(&Document {
            schema: json::SCHEMA,
            command: "ntfs info",
            image: JsonPath(path),
            version: information.map(|(version, _)| format!("{}.{}", version.major, version.minor)),
            label: label.map(|label| OwnedPath::from_name(Name::new(&wtf8_of_units(&label)))),
            serial: geometry.map(|geometry| format!("{:016X}", geometry.serial)),
            sector_bytes: geometry.map(|geometry| geometry.sector),
            cluster_bytes: geometry.map(|geometry| geometry.cluster),
            record_bytes: volume.record_size(),
            index_block_bytes: geometry.map(|geometry| geometry.index),
            volume_bytes: geometry.map(|geometry| geometry.size),
            clusters: geometry.map(|geometry| geometry.clusters),
            clusters_used: used,
            records: volume.records(),
            records_used,
            mft_cluster: geometry.map(|geometry| geometry.mft.0),
            mft_mirror_cluster: geometry.map(|geometry| geometry.mft_mirror.0),
            flags: flags.map(|flags| flag_names(flags).collect()),
            log: log.as_ref().map(|log| log_word(log).to_owned()),
            hibernated: hibernation.map(|state| state == Hibernation::Asleep),
            notes,
        })?;
        return Ok(outcome);
    }
    let mut table = Table::new(&[Align::Left, Align::Left]);
    if let Some((version, _)) = information {
        table.row([
            "version".to_owned(),
            format!("NTFS {}.{}", version.major, version.minor),
        ]);
    }
    if let Some(label) = label {
        let label = if label.is_empty() {
            "none".to_owned()
        } else {
            text::name(&label)
        };
        table.row(["label".to_owned(), label]);
    }
    if let Some(geometry) = geometry {
        let low = geometry.serial & 0xFFFF_FFFF;
        table.row([
            "serial".to_owned(),
            format!(
                "{:016X} (shown by Windows as {:04X}-{:04X})",
                geometry.serial,
                low >> 16,
                low & 0xFFFF
            ),
        ]);
        table.row([
            "size".to_owned(),
            format!("{} ({} bytes)", size(geometry.size), count(geometry.size)),
        ]);
        table.row(["sector".to_owned(), format!("{} bytes", count(geometry.sector))]);
        let of = used.map_or_else(String::new, |used| format!(", {} in use", count(used)));
        table.row([
            "cluster".to_owned(),
            format!(
                "{} bytes; {} of them{of}",
                count(geometry.cluster),
                count(geometry.clusters)
            ),
        ]);
        table.row([
            "index block".to_owned(),
            format!("{} bytes", count(geometry.index)),
        ]);
        table.row([
            "$MFT".to_owned(),
            format!("from cluster {}", count(geometry.mft.0)),
        ]);
        table.row([
            "$MFTMirr".to_owned(),
            format!("from cluster {}", count(geometry.mft_mirror.0)),
        ]);
    }
    let of = records_used.map_or_else(String::new, |used| format!(", {} in use", count(used)));
    table.row([
        "record".to_owned(),
        format!(
            "{} bytes; {} of them{of}",
            count(volume.record_size()),
            count(volume.records())
        ),
    ]);
    if let Some(flags) = flags {
        let names: Vec<&str> = flag_names(flags).collect();
        let names = if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        };
        table.row(["flags".to_owned(), names]);
    }
    if let Some(log) = &log {
        table.row(["journal".to_owned(), log_text(log)]);
    }
    if let Some(state) = hibernation {
        table.row(["hibernated".to_owned(), hibernation_text(state).to_owned()]);
    }
    context.ui.out(&table.text())?;
    for note in &notes {
        context.ui.warn(note);
    }
    Ok(outcome)
}

/// Records in use, as the records themselves say.
fn records_used(volume: &Volume) -> Result<u64, polylink_ntfs::Error> {
    volume.records_in_use()
}

fn flag_names(flags: VolumeFlags) -> impl Iterator<Item = &'static str> {
    [
        (VolumeFlags::DIRTY, "dirty"),
        (VolumeFlags::RESIZE_LOG_FILE, "journal to be resized"),
        (VolumeFlags::UPGRADE_ON_MOUNT, "upgraded at the next mount"),
        (VolumeFlags::MOUNTED_ON_NT4, "mounted by Windows NT 4"),
        (VolumeFlags::DELETE_USN_UNDERWAY, "change journal being deleted"),
        (VolumeFlags::REPAIR_OBJECT_ID, "object ids to be repaired"),
        (VolumeFlags::NO_SHORT_NAMES, "without 8.3 names"),
        (VolumeFlags::CHKDSK_UNDERWAY, "chkdsk at work"),
        (VolumeFlags::MODIFIED_BY_CHKDSK, "changed by chkdsk"),
    ]
    .into_iter()
    .filter(move |(flag, _)| flags.contains(*flag))
    .map(|(_, name)| name)
}

fn log_word(log: &LogState) -> &'static str {
    match log {
        LogState::Empty => "empty",
        LogState::Clean { .. } => "clean",
        LogState::Active { .. } => "active",
        _ => "damaged",
    }
}

fn log_text(log: &LogState) -> String {
    match log {
        LogState::Empty => "empty".to_owned(),
        LogState::Clean { major, minor } => format!("clean, version {major}.{minor}"),
        LogState::Active { major, minor } => {
            format!(
                "holds work that was not finished, version {major}.{minor}: whoever mounts the volume redoes it"
            )
        }
        LogState::Damaged { reason } => format!("damaged: {reason}"),
        other => format!("{other:?}"),
    }
}

fn hibernation_text(state: Hibernation) -> &'static str {
    match state {
        Hibernation::None => "no",
        Hibernation::Woken => "no: Windows woke up since",
        Hibernation::Asleep => {
            "yes: a Windows sleeps on it (hibernation or Fast Startup), and must not find it changed"
        }
    }
}
