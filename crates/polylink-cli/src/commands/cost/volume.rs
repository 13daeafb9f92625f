//! The experiments on an NTFS volume made for them: nothing else writes to it, so every byte is known.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use polylink_core::{Name, Progress as _, shown};
use polylink_nt::NtStatus;
use polylink_nt::name::units_of_wtf8;
use polylink_ntfs::layout::attribute::AttributeKind;
use polylink_ntfs::{
    Access, Body, Error, FileDevice, FileReference, FormatOptions, LINK_LIMIT, OpenOptions, Record,
    RecordNumber, Volume, WriteOptions, Writer, format,
};
use serde::Serialize;

use super::{CostArgs, FURTHER_NAMES, PHOTO, one_file_title};
use crate::commands::{Context, sample};
use crate::error::{CommandError, Outcome};
use crate::format::{Align, Table, count, counted, ratio, size};
use crate::image;
use crate::json::{self, JsonPath};
use crate::progress::Meter;
use crate::ui::Style;

/// Bytes of the volume: the 2 GB of the story.
const VOLUME: u64 = 2 << 30;
/// The tree of the story: its files, their bytes, and the links that were made to them in one directory.
const FILES: u64 = 2034;
const TREE_BYTES: u64 = 1_109_324_978;
const LINKS: u64 = 2212;
/// What Windows took for the two.
const WINDOWS: [u64; 2] = [552_960, 1_556_480];

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    command: &'static str,
    dry_run: bool,
    /// Of a host's file system.
    dir: Option<&'a str>,
    image: JsonPath<'a>,
    file_system: &'static str,
    link_limit: u32,
    experiments: &'a [Experiment],
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Experiment {
    title: String,
    files: u64,
    links: u64,
    free_before: Option<u64>,
    free_after: Option<u64>,
    bytes_per_link: Option<f64>,
    /// Names that the directory did not take.
    limit_reached: bool,
    /// Records of the table that came into use.
    records: Option<u64>,
    parts: Vec<Part>,
    /// What Windows took for the same.
    windows_bytes: Option<u64>,
}

/// Where bytes went.
#[derive(Clone, Debug, Serialize)]
struct Part {
    what: &'static str,
    bytes: i64,
}

/// What holds clusters, in the order in which it is shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Holder {
    Index,
    Table,
    Lists,
    TableBitmap,
    IndexBitmaps,
    Content,
    Other,
}

impl Holder {
    const ALL: [Self; 7] = [
        Self::Index,
        Self::Table,
        Self::Lists,
        Self::TableBitmap,
        Self::IndexBitmaps,
        Self::Content,
        Self::Other,
    ];

    fn told(self) -> &'static str {
        match self {
            Self::Index => "index blocks of directories",
            Self::Table => "records of the Master File Table",
            Self::Lists => "attribute lists",
            Self::TableBitmap => "bitmap of the records",
            Self::IndexBitmaps => "bitmaps of the indexes",
            Self::Content => "content of files",
            Self::Other => "other attributes",
        }
    }

    fn of(record: RecordNumber, kind: AttributeKind) -> Self {
        match (record, kind) {
            (RecordNumber::MFT, AttributeKind::DATA) => Self::Table,
            (RecordNumber::MFT, AttributeKind::BITMAP) => Self::TableBitmap,
            (_, AttributeKind::ATTRIBUTE_LIST) => Self::Lists,
            (_, AttributeKind::INDEX_ALLOCATION) => Self::Index,
            (_, AttributeKind::BITMAP) => Self::IndexBitmaps,
            (_, AttributeKind::DATA) => Self::Content,
            _ => Self::Other,
        }
    }
}

/// The volume at one moment, read from its table.
#[derive(Clone, Debug)]
struct Reading {
    free: u64,
    records: u64,
    held: BTreeMap<Holder, u64>,
}

/// The volume that is measured on.
struct Lab<'a> {
    context: &'a Context<'a>,
    image: &'a Path,
    device: Arc<FileDevice>,
    writer: Writer,
}

pub(super) fn run(context: &Context<'_>, args: &CostArgs, image: &Path) -> Result<Outcome, CommandError> {
    let links = args.links.unwrap_or(FURTHER_NAMES);
    let files = args.files.map_or(FILES, u64::from);
    let ui = context.ui;
    let experiments = if args.dry.dry_run {
        vec![
            planned(one_file_title(links), 1, links),
            planned(tree_title(files), files, tree_links(files)),
        ]
    } else {
        let lab = Lab::new(context, image)?;
        let meter = context.meter();
        let one = lab.one_file(links, &meter)?;
        let tree = lab.tree(files, &meter)?;
        lab.failed(lab.writer.close())?;
        vec![one, tree]
    };
    if ui.json() {
        ui.document(&Document {
            schema: json::SCHEMA,
            command: "cost",
            dry_run: args.dry.dry_run,
            dir: None,
            image: JsonPath(image),
            file_system: "NTFS",
            link_limit: LINK_LIMIT,
            experiments: &experiments,
        })?;
        return Ok(Outcome::Done);
    }
    ui.line(&format!(
        "a new NTFS volume of {} in '{}'; a file has at most {} here",
        size(VOLUME),
        shown(image),
        counted(u64::from(LINK_LIMIT), "name", "names")
    ))?;
    for experiment in &experiments {
        show(context, experiment)?;
    }
    Ok(Outcome::Done)
}

fn tree_links(files: u64) -> u64 {
    files.saturating_mul(LINKS) / FILES
}

fn tree_title(files: u64) -> String {
    format!(
        "a tree of {}, {} in one directory",
        counted(files, "file", "files"),
        counted(tree_links(files), "link", "links")
    )
}

fn planned(title: String, files: u64, links: u64) -> Experiment {
    Experiment {
        title,
        files,
        links,
        free_before: None,
        free_after: None,
        bytes_per_link: None,
        limit_reached: false,
        records: None,
        parts: Vec::new(),
        windows_bytes: None,
    }
}

fn units(name: &str) -> Vec<u16> {
    units_of_wtf8(Name::new(name).bytes()).unwrap_or_default()
}

impl<'a> Lab<'a> {
    fn new(context: &'a Context<'a>, image: &'a Path) -> Result<Self, CommandError> {
        let made = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(image);
        let file = made.map_err(|error| {
            let failed = CommandError::from_io("make", image, &error).before_start();
            match error.kind() {
                io::ErrorKind::AlreadyExists => {
                    failed.hint("the volume is a new one: give a name that is free")
                }
                _ => failed,
            }
        })?;
        let device = file
            .set_len(VOLUME)
            .and_then(|()| FileDevice::of(file, Access::ReadWrite))
            .map_err(|error| CommandError::from_io("make", image, &error))?;
        let device = Arc::new(device);
        let options = FormatOptions {
            label: "cost".encode_utf16().collect(),
            zeroed: true,
            ..FormatOptions::default()
        };
        format(&*device, &options).map_err(|error| image::failed("format", image, &error))?;
        let writer = Writer::open(device.clone(), &WriteOptions::default())
            .map_err(|error| image::failed("write", image, &error))?;
        Ok(Self {
            context,
            image,
            device,
            writer,
        })
    }

    fn failed<T>(&self, result: Result<T, Error>) -> Result<T, CommandError> {
        result.map_err(|error| {
            let full = matches!(error, Error::Refused(NtStatus::DISK_FULL));
            let failed = image::failed("write", self.image, &error);
            if full {
                failed.hint("the volume is full: take fewer --files")
            } else {
                failed
            }
        })
    }

    /// A file of so many bytes, whose clusters are taken and not written: they read as zeros.
    fn file(&self, parent: FileReference, name: &str, bytes: u64) -> Result<FileReference, CommandError> {
        let file = self.failed(self.writer.create_file(parent, &units(name)))?;
        self.failed(self.writer.set_size(file, &[], bytes))?;
        self.failed(self.writer.refresh(file))?;
        Ok(file)
    }

    fn directory(&self, parent: FileReference, name: &str) -> Result<FileReference, CommandError> {
        self.failed(self.writer.make_directory(parent, &units(name)))
    }

    /// Brings everything to the image, and reads the table in it.
    fn read(&self) -> Result<Reading, CommandError> {
        self.failed(self.writer.sync())?;
        let free = self.failed(self.writer.free_bytes())?;
        let read = |error: Error| image::failed("read", self.image, &error);
        let volume = Volume::open(Box::new(self.device.clone()), &OpenOptions::default()).map_err(read)?;
        let mut reading = Reading {
            free,
            records: volume.records_in_use().map_err(read)?,
            held: BTreeMap::new(),
        };
        let mut bytes = Vec::new();
        for number in (0..volume.records()).map(RecordNumber) {
            volume.read_record(number, &mut bytes).map_err(read)?;
            // one that was never used is no record yet
            let Ok(record) = Record::parse(number, &mut bytes) else {
                continue;
            };
            if !record.is_in_use() {
                continue;
            }
            for attribute in record.attributes() {
                let attribute = attribute.map_err(|error| read(error.into()))?;
                // of a value in several parts the first has the figure; $BadClus has no clusters at all
                if let Body::NonResident(body) = attribute.body()
                    && body.header.lowest_vcn.get() == 0
                    && number != RecordNumber::BAD_CLUSTERS
                {
                    let taken = body
                        .total_allocated
                        .unwrap_or_else(|| body.header.allocated.get());
                    // what an extension record holds belongs to its base
                    let owner = record.base().map_or(number, FileReference::record);
                    *reading
                        .held
                        .entry(Holder::of(owner, attribute.kind()))
                        .or_default() += taken;
                }
            }
        }
        Ok(reading)
    }

    /// One file to its link limit.
    fn one_file(&self, links: u64, meter: &Meter) -> Result<Experiment, CommandError> {
        let root = self.failed(self.writer.root())?;
        let dir = self.directory(root, "one")?;
        let file = self.file(dir, "photo.jpg", PHOTO as u64)?;
        let before = self.read()?;
        meter.begin("linking", Some(links));
        let mut made = 0;
        let mut limit_reached = false;
        while made < links {
            self.context.stop.check()?;
            let name = format!("photo_{:05}.jpg", made + 1);
            match self.writer.link(file, dir, &units(&name)) {
                Ok(()) => made += 1,
                Err(Error::Refused(NtStatus::TOO_MANY_LINKS)) => {
                    limit_reached = true;
                    break;
                }
                Err(error) => return self.failed(Err(error)),
            }
            meter.advance(1);
        }
        meter.end();
        let after = self.read()?;
        let windows = (made == FURTHER_NAMES).then_some(WINDOWS[0]);
        Ok(Experiment {
            limit_reached,
            ..measured(one_file_title(made), 1, made, &before, &after, windows)
        })
    }

    /// A tree, and a directory with links to its files; some get two there.
    fn tree(&self, files: u64, meter: &Meter) -> Result<Experiment, CommandError> {
        let root = self.failed(self.writer.root())?;
        let tree = self.directory(root, "photos")?;
        let bytes = u128::from(TREE_BYTES) * u128::from(files) / u128::from(FILES);
        let (each, rest) = (bytes / u128::from(files), bytes % u128::from(files));
        let size = |index: usize| {
            let bytes = each + u128::from((index as u128) < rest);
            u64::try_from(bytes).unwrap_or(u64::MAX)
        };
        let naming = sample::Naming::Unique;
        let made = sample::make_tree_in(&self.writer, tree, files as usize, naming, size, meter);
        let made = self.failed(made)?;
        self.context.stop.check()?;
        let before = self.read()?;
        let links = tree_links(files);
        let view = self.directory(root, "all-photos")?;
        meter.begin("linking", Some(links));
        for (index, file) in (0..links as usize).zip(made.iter().cycle()) {
            self.context.stop.check()?;
            let name = sample::file_name(index, sample::Naming::Unique);
            self.failed(self.writer.link(*file, view, &units(&name)))?;
            meter.advance(1);
        }
        meter.end();
        let after = self.read()?;
        let windows = (files == FILES).then_some(WINDOWS[1]);
        Ok(measured(
            tree_title(files),
            files,
            links,
            &before,
            &after,
            windows,
        ))
    }
}

fn measured(
    title: String,
    files: u64,
    links: u64,
    before: &Reading,
    after: &Reading,
    windows_bytes: Option<u64>,
) -> Experiment {
    let held = |reading: &Reading, holder: Holder| {
        let bytes = reading.held.get(&holder).copied().unwrap_or(0);
        i64::try_from(bytes).unwrap_or(i64::MAX)
    };
    let mut parts: Vec<Part> = Holder::ALL
        .into_iter()
        .map(|holder| Part {
            what: holder.told(),
            bytes: held(after, holder).saturating_sub(held(before, holder)),
        })
        .filter(|part| part.bytes != 0)
        .collect();
    let taken =
        i64::try_from(before.free).unwrap_or(i64::MAX) - i64::try_from(after.free).unwrap_or(i64::MAX);
    let rest = taken - parts.iter().map(|part| part.bytes).sum::<i64>();
    if rest != 0 {
        parts.push(Part {
            what: "held by nothing that the table tells of",
            bytes: rest,
        });
    }
    // OK as a cast: shown with one decimal
    #[allow(clippy::cast_precision_loss)]
    let each = taken as f64 / links.max(1) as f64;
    Experiment {
        title,
        files,
        links,
        free_before: Some(before.free),
        free_after: Some(after.free),
        bytes_per_link: Some(each),
        limit_reached: false,
        records: Some(after.records.saturating_sub(before.records)),
        parts,
        windows_bytes,
    }
}

fn show(context: &Context<'_>, experiment: &Experiment) -> Result<(), CommandError> {
    let ui = context.ui;
    ui.line("")?;
    ui.line(&ui.paint(Style::Heading, &experiment.title))?;
    if experiment.limit_reached {
        ui.line("  this is the limit: the next name was refused (STATUS_TOO_MANY_LINKS)")?;
    }
    let (Some(before), Some(after)) = (experiment.free_before, experiment.free_after) else {
        return Ok(());
    };
    let mut table = Table::new(&[Align::Left, Align::Right, Align::Right, Align::Left]).indent(2);
    let mut row = |what: String, bytes: i64, note: String| {
        let sign = if bytes < 0 { "-" } else { "" };
        #[allow(clippy::cast_precision_loss)] // shown with one decimal
        let each = ratio(bytes as f64, experiment.links);
        table.row([
            what,
            format!("{sign}{} bytes", count(bytes.unsigned_abs())),
            format!("{each} a link"),
            note,
        ]);
    };
    let taken = i64::try_from(before).unwrap_or(i64::MAX) - i64::try_from(after).unwrap_or(i64::MAX);
    row(
        "free space lost".to_owned(),
        taken,
        format!("{} -> {}", count(before), count(after)),
    );
    for part in &experiment.parts {
        let note = match experiment.records {
            Some(records) if part.what == Holder::Table.told() => {
                format!("{} in use", counted(records, "more record", "more records"))
            }
            _ => String::new(),
        };
        row(format!("  {}", part.what), part.bytes, note);
    }
    if let Some(windows) = experiment.windows_bytes {
        let windows = i64::try_from(windows).unwrap_or(i64::MAX);
        row("Windows took".to_owned(), windows, String::new());
    }
    ui.out(&table.text())
}
