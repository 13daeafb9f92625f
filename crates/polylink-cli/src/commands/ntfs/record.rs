//! `polylink ntfs record`.

use std::path::PathBuf;

use clap::Args;
use polylink_core::{Name, PathError, ResultExt as _};
use polylink_nt::name::{Namespace, wtf8_of_units};
use polylink_ntfs::layout::attribute::{AttributeFlags, AttributeKind};
use polylink_ntfs::layout::record::RecordFlags;
use polylink_ntfs::{
    Attribute, Body, FileName, ListEntry, NonResident, Record, RecordNumber, Reparse, StandardInformation,
    Volume, VolumeFs,
};
use serde::Serialize;

use super::text;
use crate::commands::Context;
use crate::error::{CommandError, Outcome};
use crate::format::{Align, Table, count, counted, size};
use crate::image::{self, ImageArgs};
use crate::json::{self, OwnedPath};

/// Show the record of a file: what a hard link is
///
/// Each file of an NTFS volume is a record of the Master File Table. The record holds the names of the file, each with
/// the directory that it is in, and counts them. A hard link is one more of these names, and an entry in that
/// directory that leads back here.
///
/// The count covers 8.3 names; those beside a long name are not links.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct RecordArgs {
    #[command(flatten)]
    image: ImageArgs,
    /// The number of the record, or a path
    #[arg(value_name = "N|PATH")]
    which: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  polylink ntfs record disk.img /photos/a.jpg
  polylink ntfs record disk.img 5
  polylink ntfs record --json disk.img 64";

#[derive(Serialize)]
struct Document {
    schema: u32,
    command: &'static str,
    record: u64,
    sequence: u16,
    in_use: bool,
    directory: bool,
    case_sensitive: bool,
    base: Option<String>,
    links: u64,
    raw_links: u16,
    used_bytes: u32,
    allocated_bytes: u32,
    lsn: u64,
    names: Vec<NameEntry>,
    attributes: Vec<AttributeEntry>,
    problems: Vec<String>,
}

#[derive(Serialize)]
struct NameEntry {
    name: OwnedPath,
    namespace: Option<u8>,
    parent: String,
    path: Option<OwnedPath>,
}

#[derive(Serialize)]
struct AttributeEntry {
    record: u64,
    offset: usize,
    id: u16,
    kind: u32,
    kind_name: Option<&'static str>,
    name: OwnedPath,
    bytes: usize,
    resident: bool,
    size: Option<u64>,
    allocated: Option<u64>,
    initialized: Option<u64>,
    flags: u16,
    runs: Option<Vec<RunEntry>>,
}

#[derive(Serialize)]
struct RunEntry {
    vcn: u64,
    lcn: Option<u64>,
    clusters: u64,
}

/// A record and those that its file overflows into.
struct Records {
    /// Its own bytes first.
    all: Vec<(RecordNumber, Vec<u8>)>,
    problems: Vec<String>,
}

pub(super) fn run(context: &Context<'_>, args: &RecordArgs) -> Result<Outcome, CommandError> {
    let image = &args.image.image;
    let volume = image::open(context.ui, image, args.image.partition.partition)?;
    let fs = image::file_system(image, volume)?;
    let number = match args.which.to_str().and_then(|text| text.parse().ok()) {
        Some(number) => RecordNumber(number),
        None => fs
            .find(&args.which)
            .at("look at", &args.which)
            .map_err(|error: PathError| CommandError::from_path(&error).before_start())?
            .record(),
    };
    let cannot = |error: polylink_ntfs::Error| {
        let error = image::failed("read", &args.which, &error).before_start();
        match fs.volume().records().checked_sub(1) {
            Some(last) if number.0 > last => {
                error.hint(format!("they are numbered from 0 to {}", count(last)))
            }
            _ => error,
        }
    };
    let records = read(fs.volume(), number).map_err(cannot)?;
    let page = Page {
        context,
        fs: &fs,
        records: &records,
    };
    if context.ui.json() {
        page.document()?;
    } else {
        page.text()?;
    }
    Ok(if records.problems.is_empty() {
        Outcome::Done
    } else {
        Outcome::Partial
    })
}

/// Reads a record as it is, in use or not, and whatever of its further records can be read.
fn read(volume: &Volume, number: RecordNumber) -> Result<Records, polylink_ntfs::Error> {
    let mut bytes = Vec::new();
    volume.read_record(number, &mut bytes)?;
    let mut problems = Vec::new();
    let parsed = Record::parse(number, &mut bytes)?;
    let is_file = parsed.is_in_use() && parsed.base().is_none();
    let mut all = vec![(number, bytes)];
    if is_file {
        match volume.file(number) {
            Ok(file) => {
                let others = file.records().filter(|record| record.number() != number);
                all.extend(others.map(|record| (record.number(), record.bytes().to_vec())));
            }
            Err(error) => problems.push(error.to_string()),
        }
    }
    Ok(Records { all, problems })
}

struct Page<'a> {
    context: &'a Context<'a>,
    fs: &'a VolumeFs,
    records: &'a Records,
}

impl Page<'_> {
    fn parsed(&self) -> impl Iterator<Item = Record<'_>> {
        self.records
            .all
            .iter()
            .filter_map(|(number, bytes)| Record::parsed(*number, bytes).ok())
    }

    fn attributes(&self) -> impl Iterator<Item = (RecordNumber, Result<Attribute<'_>, String>)> {
        self.parsed().flat_map(|record| {
            record.attributes().map(move |attribute| {
                let attribute = attribute.map_err(|corrupt| corrupt.to_string());
                (record.number(), attribute)
            })
        })
    }

    fn names(&self) -> Vec<FileName> {
        self.attributes()
            .filter_map(|(_, attribute)| attribute.ok())
            .filter(|attribute| attribute.kind() == AttributeKind::FILE_NAME)
            .filter_map(|attribute| FileName::parse(attribute.resident()?).ok())
            .collect()
    }

    /// Whether its `$STANDARD_INFORMATION` has the mark of directories in which case counts.
    fn is_case_sensitive(&self) -> bool {
        self.attributes()
            .filter_map(|(_, attribute)| attribute.ok())
            .filter(|attribute| attribute.kind() == AttributeKind::STANDARD_INFORMATION)
            .filter_map(|attribute| StandardInformation::parse(attribute.resident()?).ok())
            .any(|information| information.case_sensitive)
    }

    /// The path of the directory that a name is in.
    fn parent_path(&self, name: &FileName) -> Option<Vec<u8>> {
        if name.parent.record() == RecordNumber::ROOT {
            return Some(b"/".to_vec());
        }
        let paths = self.fs.paths_of(name.parent).ok()?;
        Some(paths.first()?.as_os_str().as_encoded_bytes().to_vec())
    }

    fn path(&self, name: &FileName) -> Option<Vec<u8>> {
        let mut path = self.parent_path(name)?;
        if path.last() != Some(&b'/') {
            path.push(b'/');
        }
        path.extend(wtf8_of_units(&name.name));
        Some(path)
    }

    fn clusters(&self) -> u64 {
        self.fs
            .volume()
            .geometry()
            .map_or(u64::MAX, |geometry| geometry.clusters)
    }

    fn document(&self) -> Result<(), CommandError> {
        let Some(record) = self.parsed().next() else {
            return Ok(());
        };
        let names = self.names();
        let header = record.header();
        let mut problems = self.records.problems.clone();
        let mut attributes = Vec::new();
        for (number, attribute) in self.attributes() {
            match attribute {
                Ok(attribute) => attributes.push(self.entry(number, &attribute)),
                Err(problem) => problems.push(problem),
            }
        }
        self.context.ui.document(&Document {
            schema: json::SCHEMA,
            command: "ntfs record",
            record: record.number().0,
            sequence: record.sequence(),
            in_use: record.is_in_use(),
            directory: record.is_directory(),
            case_sensitive: record.is_directory() && self.is_case_sensitive(),
            base: record.base().map(|base| base.to_string()),
            links: names.iter().filter(|name| name.is_link()).count() as u64,
            raw_links: record.raw_links(),
            used_bytes: header.used.get(),
            allocated_bytes: header.allocated.get(),
            lsn: header.lsn.get(),
            names: names
                .iter()
                .map(|name| NameEntry {
                    name: owned(&wtf8_of_units(&name.name)),
                    namespace: name.namespace.map(Namespace::byte),
                    parent: name.parent.to_string(),
                    path: self.path(name).map(|path| owned(&path)),
                })
                .collect(),
            attributes,
            problems,
        })
    }

    fn entry(&self, record: RecordNumber, attribute: &Attribute<'_>) -> AttributeEntry {
        let part = match attribute.body() {
            Body::Resident { .. } => None,
            Body::NonResident(part) => Some(part),
        };
        let first = part.filter(|part| part.header.lowest_vcn.get() == 0);
        let sized = |of: fn(&NonResident<'_>) -> u64| first.as_ref().map(of);
        AttributeEntry {
            record: record.0,
            offset: attribute.offset(),
            id: attribute.id(),
            kind: attribute.kind().0,
            kind_name: attribute.kind().name(),
            name: owned(&wtf8_of_units(&attribute.name())),
            bytes: attribute.record_len(),
            resident: part.is_none(),
            size: match attribute.resident() {
                Some(value) => Some(value.len() as u64),
                None => sized(|part| part.header.size.get()),
            },
            allocated: sized(|part| part.header.allocated.get()),
            initialized: sized(|part| part.header.initialized.get()),
            flags: attribute.flags().bits(),
            runs: part
                .and_then(|part| part.decode(self.clusters()).ok())
                .map(|runs| {
                    runs.extents()
                        .iter()
                        .map(|extent| RunEntry {
                            vcn: extent.vcn.0,
                            lcn: extent.lcn.map(|lcn| lcn.0),
                            clusters: extent.len,
                        })
                        .collect()
                }),
        }
    }

    fn text(&self) -> Result<(), CommandError> {
        let ui = self.context.ui;
        let Some(record) = self.parsed().next() else {
            return Ok(());
        };
        let header = record.header();
        let mut what = match (record.is_in_use(), record.base(), record.is_directory()) {
            (false, ..) => "not in use".to_owned(),
            (true, Some(base), _) => format!("holds a part of the file of record {}", base.record()),
            (true, None, true) => "a directory".to_owned(),
            (true, None, false) => "a file".to_owned(),
        };
        if record.flags().contains(RecordFlags::VIEW_INDEX) {
            what.push_str(" with an index of its own");
        }
        ui.line(&format!("record {}: {what}", record.number()))?;
        let mut table = Table::new(&[Align::Left, Align::Left]).indent(2);
        table.row([
            "used".to_owned(),
            format!(
                "{} of {} bytes",
                count(header.used.get()),
                count(header.allocated.get())
            ),
        ]);
        table.row([
            "sequence".to_owned(),
            format!(
                "{}: how often the record was used for another file",
                record.sequence()
            ),
        ]);
        table.row([
            "journal".to_owned(),
            format!("log sequence number {}", header.lsn.get()),
        ]);
        let names = self.names();
        let links = names.iter().filter(|name| name.is_link()).count() as u64;
        let raw = u64::from(record.raw_links());
        if record.base().is_none() {
            let short = names.len() as u64 - links;
            let found = match short {
                0 => counted(links, "name", "names"),
                _ => format!(
                    "{} and {}",
                    counted(links, "name", "names"),
                    counted(short, "8.3 name", "8.3 names")
                ),
            };
            let verdict = if raw == names.len() as u64 {
                format!("{raw}: {found} below")
            } else {
                format!("{raw}, but there are {found} below: the count is wrong")
            };
            table.row(["link count".to_owned(), verdict]);
        }
        ui.out(&table.text())?;
        if !names.is_empty() {
            ui.line("\nnames: each is an entry in a directory that leads to this record")?;
            let mut table = Table::new(&[Align::Left, Align::Left, Align::Left]).indent(2);
            for name in &names {
                let path = match self.path(name) {
                    Some(path) => polylink_core::shown_name(Name::new(&path)),
                    None => format!("{} (its directory is gone)", text::name(&name.name)),
                };
                let parent = format!("in record {}", name.parent.record());
                table.row([path, namespace(name).to_owned(), parent]);
            }
            ui.out(&table.text())?;
        }
        ui.line("\nattributes")?;
        for (number, attribute) in self.attributes() {
            match attribute {
                Ok(attribute) => self.attribute(record.number(), number, &attribute)?,
                Err(problem) => ui.warn(&problem),
            }
        }
        for problem in &self.records.problems {
            ui.warn(problem);
        }
        Ok(())
    }

    fn attribute(
        &self,
        own: RecordNumber,
        number: RecordNumber,
        attribute: &Attribute<'_>,
    ) -> Result<(), CommandError> {
        let ui = self.context.ui;
        let mut line = format!("  {}", attribute.kind());
        if !attribute.name_bytes().is_empty() {
            line.push_str(&format!(" '{}'", text::name(&attribute.name())));
        }
        match attribute.body() {
            Body::Resident { value, .. } => {
                line.push_str(&format!(
                    ": {} in the record",
                    counted(value.len() as u64, "byte", "bytes")
                ));
            }
            Body::NonResident(part) if part.header.lowest_vcn.get() == 0 => line.push_str(&format!(
                ": {}, {} allocated",
                exact(part.header.size.get()),
                size(part.total_allocated.unwrap_or(part.header.allocated.get()))
            )),
            Body::NonResident(part) => {
                line.push_str(&format!(
                    ": continued from cluster {} of the value",
                    count(part.header.lowest_vcn.get())
                ));
            }
        }
        line.push_str(flags(attribute.flags()));
        if number != own {
            line.push_str(&format!(" [record {number}]"));
        }
        ui.line(&line)?;
        for detail in self.details(attribute) {
            ui.line(&format!("      {detail}"))?;
        }
        Ok(())
    }

    /// What the value says, line by line.
    fn details(&self, attribute: &Attribute<'_>) -> Vec<String> {
        if let Body::NonResident(part) = attribute.body() {
            return match part.decode(self.clusters()) {
                Ok(runs) => runs
                    .extents()
                    .iter()
                    .map(|extent| match extent.lcn {
                        Some(lcn) => format!(
                            "{} from {}",
                            counted(extent.len, "cluster", "clusters"),
                            count(lcn.0)
                        ),
                        None => format!(
                            "{} of zeros, on no cluster",
                            counted(extent.len, "cluster", "clusters")
                        ),
                    })
                    .collect(),
                Err(corrupt) => vec![format!("damaged: {corrupt}")],
            };
        }
        let value = attribute.resident().unwrap_or_default();
        match attribute.kind() {
            AttributeKind::STANDARD_INFORMATION => standard(attribute),
            AttributeKind::FILE_NAME => match FileName::parse(value) {
                Ok(name) => vec![format!(
                    "'{}', {}, in record {}",
                    text::name(&name.name),
                    namespace(&name),
                    name.parent
                )],
                Err(corrupt) => vec![format!("damaged: {corrupt}")],
            },
            AttributeKind::ATTRIBUTE_LIST => match ListEntry::parse_all(value) {
                Ok(entries) => vec![format!(
                    "{} in {}",
                    counted(entries.len() as u64, "attribute", "attributes"),
                    counted(records_of(&entries), "record", "records")
                )],
                Err(corrupt) => vec![format!("damaged: {corrupt}")],
            },
            AttributeKind::REPARSE_POINT => vec![match Reparse::parse(value) {
                Ok(Reparse::Symlink { target, .. }) => format!("symbolic link to '{}'", text::name(&target)),
                Ok(Reparse::Junction { target, .. }) => format!("junction to '{}'", text::name(&target)),
                Ok(other) => format!("tag {:#010x}", other.tag()),
                Err(corrupt) => format!("damaged: {corrupt}"),
            }],
            _ => Vec::new(),
        }
    }
}

/// Bytes, rounded as well where there are many.
fn exact(bytes: u64) -> String {
    match bytes {
        ..1024 => counted(bytes, "byte", "bytes"),
        _ => format!("{} ({} bytes)", size(bytes), count(bytes)),
    }
}

fn owned(bytes: &[u8]) -> OwnedPath {
    OwnedPath::from_name(Name::new(bytes))
}

fn records_of(entries: &[ListEntry]) -> u64 {
    let mut records: Vec<_> = entries.iter().map(|entry| entry.record).collect();
    records.sort_unstable();
    records.dedup();
    records.len() as u64
}

fn standard(attribute: &Attribute<'_>) -> Vec<String> {
    match StandardInformation::parse(attribute.resident().unwrap_or_default()) {
        Ok(info) => {
            let mut lines = vec![
                format!("created {}", text::time(info.created)),
                format!("modified {}", text::time(info.modified)),
                format!("record changed {}", text::time(info.changed)),
                format!("accessed {}", text::time(info.accessed)),
                format!("attributes: {}", text::attributes(info.attributes)),
            ];
            if info.case_sensitive {
                lines.push("case-sensitive: names in it that differ in case only are different".to_owned());
            }
            lines
        }
        Err(corrupt) => vec![format!("damaged: {corrupt}")],
    }
}

fn namespace(name: &FileName) -> &'static str {
    match name.namespace {
        Some(Namespace::Posix) => "a name (POSIX)",
        Some(Namespace::Win32) => "a long name (Win32)",
        Some(Namespace::Dos) => "the 8.3 name of a long one (DOS)",
        Some(Namespace::Win32AndDos) => "a name that is 8.3 itself (Win32 and DOS)",
        None => "a name of no known kind",
    }
}

fn flags(flags: AttributeFlags) -> &'static str {
    if flags.contains(AttributeFlags::ENCRYPTED) {
        ", encrypted"
    } else if flags.contains(AttributeFlags::COMPRESSED) {
        ", compressed"
    } else if flags.contains(AttributeFlags::SPARSE) {
        ", sparse"
    } else {
        ""
    }
}
