//! `polylink ntfs format`.

mod occupant;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use clap::Args;
use polylink_core::{Name, shown};
use polylink_host::disk::{self, DiskKind};
use polylink_nt::name::wtf8_of_units;
use polylink_ntfs::{Access, Device as _, FileDevice, FormatError, FormatOptions, FormatPlan};
use serde::Serialize;

use super::text;
use crate::args::DryRun;
use crate::commands::Context;
use crate::error::{CommandError, Outcome};
use crate::format::{Align, Table, count, duration, parse_size, size};
use crate::image;
use crate::json::{self, JsonPath, OwnedPath};

/// Make an empty NTFS volume: an image file, or on a block device
///
/// IMG is made where it does not exist; then --size says how large it is to be, and it takes no more room on the disk
/// than the volume's own files, whatever its size. What exists is overwritten with --force only; a file may be given
/// another size at that, a block device is filled.
///
/// The volume is that of Windows' own format, version 3.1, with everything Windows adds when it first mounts a volume.
/// Everyone may do everything in its root directory.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct FormatArgs {
    /// The image to make, or the file or block device to overwrite
    #[arg(value_name = "IMG")]
    image: PathBuf,
    /// Bytes of the image, as in 512M or 10G (powers of 1024)
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    size: Option<u64>,
    /// The label: up to 32 characters
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// Bytes a cluster: 512 to 2M [default: 4096 up to 16 TiB, then as much as is needed]
    #[arg(long, value_name = "SIZE", value_parser = parse_block)]
    cluster: Option<u32>,
    /// Bytes of a record of the Master File Table: 1024 or 4096 [default: 1024, or 4096 with large sectors]
    #[arg(long, value_name = "SIZE", value_parser = parse_block)]
    record: Option<u32>,
    /// Bytes a sector: 512 to 4096 [default: that of the device, else 512]
    #[arg(long, value_name = "SIZE", value_parser = parse_block)]
    sector: Option<u32>,
    /// The serial number, up to 16 hexadecimal digits [default: a random one]
    #[arg(long, value_name = "HEX", value_parser = parse_serial)]
    serial: Option<u64>,
    /// Overwrite what is there: all that it holds is lost
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    dry: DryRun,
}

const EXAMPLES: &str = "\
Examples:
  polylink ntfs format disk.img --size 10G
  polylink ntfs format disk.img --size 1T --label photos --cluster 64K
  polylink ntfs format -n disk.img --size 100M   what it would be
  polylink ntfs format --force /dev/sdb1         on a partition: all that it holds is lost";

fn parse_block(text: &str) -> Result<u32, String> {
    let bytes = parse_size(text)?;
    u32::try_from(bytes).map_err(|_| format!("{bytes} bytes are too many"))
}

fn parse_serial(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    if digits.is_empty() || digits.len() > 16 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("a serial number has 1 to 16 hexadecimal digits".to_owned());
    }
    u64::from_str_radix(digits, 16).map_err(|error| error.to_string())
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    command: &'static str,
    dry_run: bool,
    image: JsonPath<'a>,
    /// What was overwritten.
    replaced: Option<String>,
    version: &'static str,
    label: OwnedPath,
    serial: String,
    sector_bytes: u32,
    cluster_bytes: u32,
    record_bytes: u32,
    index_block_bytes: u32,
    image_bytes: u64,
    volume_bytes: u64,
    clusters: u64,
    clusters_used: u64,
    records: u64,
    mft_cluster: u64,
    mft_mirror_cluster: u64,
    log_bytes: u64,
    /// Bytes that the image takes on its own disk.
    disk_bytes: Option<u64>,
    microseconds: Option<u64>,
}

/// What the volume is made on.
#[derive(Debug)]
enum Target {
    New,
    File,
    Device(File),
}

pub(super) fn run(context: &Context<'_>, args: &FormatArgs) -> Result<Outcome, CommandError> {
    let path = &*args.image;
    let target = target(args)?;
    let replaced = match &target {
        Target::New => None,
        Target::File | Target::Device(_) => Some(occupant::told(path)),
    };
    let bytes = bytes_of(args, &target)?;
    let own_sector = match &target {
        Target::Device(device) => disk::sector_size(device),
        _ => None,
    };
    let label = args.label.as_deref().unwrap_or_default();
    let options = FormatOptions {
        sector: args.sector.or(own_sector).unwrap_or(512),
        cluster: args.cluster,
        record: args.record,
        label: label.encode_utf16().collect(),
        serial: args.serial,
        time: now(),
        zeroed: !matches!(target, Target::Device(_)),
    };
    let plan = FormatPlan::new(bytes, &options).map_err(|error| refused(path, &error))?;
    if args.dry.dry_run {
        return told(context, args, &plan, bytes, replaced, None).map(|()| Outcome::Done);
    }
    let start = Instant::now();
    let taken = write(path, target, bytes, &plan)?;
    let made = Made {
        time: start.elapsed(),
        taken,
    };
    told(context, args, &plan, bytes, replaced, Some(&made))?;
    Ok(Outcome::Done)
}

/// What a run came to.
#[derive(Clone, Copy, Debug)]
struct Made {
    time: Duration,
    /// Bytes on the disk that the image is on.
    taken: Option<u64>,
}

/// What there is at the path, once it may be overwritten.
fn target(args: &FormatArgs) -> Result<Target, CommandError> {
    let path = &*args.image;
    let kind = match disk::kind_of(path) {
        Ok(kind) => kind,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Target::New),
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            let text = format!("'{}' is neither a file nor a block device", shown(path));
            return Err(CommandError::cannot_start(text).path(path));
        }
        Err(error) => return Err(CommandError::from_io("format", path, &error).before_start()),
    };
    if !args.force {
        let text = format!("'{}' exists: {}", shown(path), occupant::told(path));
        return Err(CommandError::cannot_start(text)
            .path(path)
            .hint("--force overwrites it, and all that it holds is lost"));
    }
    if kind == DiskKind::File {
        return Ok(Target::File);
    }
    let device = disk::open_exclusively(path).map_err(|error| {
        let failed = CommandError::from_io("open", path, &error).before_start();
        match error.kind() {
            io::ErrorKind::ResourceBusy => failed.hint("it is mounted, or part of something that is in use"),
            _ => failed,
        }
    })?;
    Ok(Target::Device(device))
}

fn bytes_of(args: &FormatArgs, target: &Target) -> Result<u64, CommandError> {
    let path = &*args.image;
    match (target, args.size) {
        (Target::Device(device), None) => {
            let failed = |error| CommandError::from_io("look at", path, &error).before_start();
            let device = device
                .try_clone()
                .and_then(|device| FileDevice::of(device, Access::Read));
            Ok(device.map_err(failed)?.size())
        }
        (Target::Device(_), Some(_)) => {
            let text = format!("'{}' is a block device, and has the size it has", shown(path));
            Err(CommandError::cannot_start(text)
                .path(path)
                .hint("leave out --size"))
        }
        (_, Some(bytes)) => Ok(bytes),
        (Target::File, None) => {
            let failed = |error| CommandError::from_io("look at", path, &error).before_start();
            Ok(std::fs::metadata(path).map_err(failed)?.len())
        }
        (Target::New, None) => {
            let text = format!(
                "'{}' does not exist, and nothing says how large it is to be",
                shown(path)
            );
            Err(CommandError::cannot_start(text)
                .path(path)
                .hint("give --size, as in --size 10G"))
        }
    }
}

fn refused(path: &Path, error: &FormatError) -> CommandError {
    let mut refused = CommandError::cannot_start(format!("cannot format '{}'", shown(path))).path(path);
    refused.causes.push(error.to_string());
    match error {
        FormatError::TooSmall { .. } | FormatError::TooLarge { .. } => {
            refused.hint("another --size or another --cluster may go")
        }
        _ => refused,
    }
}

/// 100 ns since 1601.
fn now() -> u64 {
    const UNIX: u64 = 116_444_736_000_000_000;
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    // a clock before 1970 was never set
    let ticks = since.map_or(0, |since| since.as_nanos() / 100);
    u64::try_from(ticks).map_or(UNIX, |ticks| UNIX.saturating_add(ticks))
}

/// Makes the volume, and answers what it takes on the disk.
fn write(path: &Path, target: Target, bytes: u64, plan: &FormatPlan) -> Result<Option<u64>, CommandError> {
    let failed = |action: &str, error: &io::Error| CommandError::from_io(action, path, error);
    let (file, is_new) = match target {
        Target::New => {
            let file = File::options().read(true).write(true).create_new(true).open(path);
            (file.map_err(|error| failed("make", &error).before_start())?, true)
        }
        Target::File => {
            let file = File::options().read(true).write(true).truncate(true).open(path);
            (
                file.map_err(|error| failed("overwrite", &error).before_start())?,
                false,
            )
        }
        Target::Device(file) => return on(file, path, plan).map(|_| None),
    };
    // what is not written reads as zeros
    let made = match file.set_len(bytes) {
        Ok(()) => on(file, path, plan),
        Err(error) => Err(failed("make", &error)),
    };
    match made {
        Ok(file) => Ok(allocated(&file)),
        Err(error) if is_new => {
            // OK to ignore: the error that is told is why there is no image
            drop(std::fs::remove_file(path));
            Err(error)
        }
        Err(error) => Err(error.hint("what it held is lost")),
    }
}

/// Makes the volume on an open file.
fn on(file: File, path: &Path, plan: &FormatPlan) -> Result<File, CommandError> {
    let failed = |error: &io::Error| CommandError::from_io("write", path, error);
    let kept = file.try_clone().map_err(|error| failed(&error))?;
    let device = FileDevice::of(file, Access::ReadWrite).map_err(|error| failed(&error))?;
    plan.write(&device)
        .map_err(|error| image::failed("write", path, &error))?;
    Ok(kept)
}

#[cfg(unix)]
fn allocated(file: &File) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    Some(file.metadata().ok()?.blocks() * 512)
}

#[cfg(not(unix))]
fn allocated(_file: &File) -> Option<u64> {
    None
}

fn told(
    context: &Context<'_>,
    args: &FormatArgs,
    plan: &FormatPlan,
    bytes: u64,
    replaced: Option<String>,
    made: Option<&Made>,
) -> Result<(), CommandError> {
    let path = &*args.image;
    let geometry = plan.geometry();
    let label: Vec<u16> = args.label.as_deref().unwrap_or_default().encode_utf16().collect();
    if context.ui.json() {
        return context.ui.document(&Document {
            schema: json::SCHEMA,
            command: "ntfs format",
            dry_run: args.dry.dry_run,
            image: JsonPath(path),
            replaced,
            version: "3.1",
            label: OwnedPath::from_name(Name::new(&wtf8_of_units(&label))),
            serial: format!("{:016X}", geometry.serial),
            sector_bytes: geometry.sector,
            cluster_bytes: geometry.cluster,
            record_bytes: geometry.record,
            index_block_bytes: geometry.index,
            image_bytes: bytes,
            volume_bytes: geometry.size,
            clusters: geometry.clusters,
            clusters_used: plan.clusters_used(),
            records: plan.records(),
            mft_cluster: geometry.mft.0,
            mft_mirror_cluster: geometry.mft_mirror.0,
            log_bytes: plan.log_size(),
            disk_bytes: made.and_then(|made| made.taken),
            microseconds: made.map(|made| u64::try_from(made.time.as_micros()).unwrap_or(u64::MAX)),
        });
    }
    let mut table = Table::new(&[Align::Left, Align::Left]);
    let label = if label.is_empty() {
        "none".to_owned()
    } else {
        text::name(&label)
    };
    let low = geometry.serial & 0xFFFF_FFFF;
    let (high, low) = (low >> 16, low & 0xFFFF);
    table.row(["version", "NTFS 3.1"]);
    table.row(["label", &*label]);
    table.row([
        "serial".to_owned(),
        format!(
            "{:016X} (shown by Windows as {high:04X}-{low:04X})",
            geometry.serial
        ),
    ]);
    table.row([
        "size".to_owned(),
        format!("{} ({} bytes)", size(bytes), count(bytes)),
    ]);
    table.row(["sector".to_owned(), format!("{} bytes", count(geometry.sector))]);
    table.row([
        "cluster".to_owned(),
        format!(
            "{} bytes; {} of them, {} in use",
            count(geometry.cluster),
            count(geometry.clusters),
            count(plan.clusters_used())
        ),
    ]);
    table.row([
        "record".to_owned(),
        format!(
            "{} bytes; {} of them",
            count(geometry.record),
            count(plan.records())
        ),
    ]);
    table.row(["journal".to_owned(), size(plan.log_size())]);
    let report = context.ui.report(args.dry.dry_run);
    report.out(&table.text())?;
    let (path, there) = (shown(path), replaced.as_deref());
    match made {
        Some(made) => {
            let taken = made.taken.map_or_else(String::new, |taken| {
                format!("; it takes {} on the disk", size(taken))
            });
            let before = there.map_or_else(String::new, |there| {
                format!("; before, {}", occupant::past(there))
            });
            let time = duration(made.time);
            report.line(&format!("'{path}' made in {time}{taken}{before}"))
        }
        None => {
            let now = there.map_or_else(String::new, |there| format!("; now {there}"));
            report.line(&format!("'{path}' would be made so{now}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_are_hexadecimal() {
        assert_eq!(parse_serial("8C98C94198C92B12"), Ok(0x8C98_C941_98C9_2B12));
        assert_eq!(parse_serial("0x7"), Ok(7));
        for text in ["", "0x", "g", "+7", "8C98C94198C92B123"] {
            assert!(parse_serial(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_time_is_counted_from_1601() {
        // 2020 and 2200
        assert!((132_223_104_000_000_000..189_000_000_000_000_000).contains(&now()));
    }
}
