//! The end of the story: the same on an NTFS volume, which no driver knows of.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use polylink_core::{Name, Silent};
use polylink_nt::name::units_of_wtf8;
use polylink_ntfs::{
    Access, Error, FileDevice, FormatOptions, LINK_LIMIT, OpenOptions, Volume, Writer, check, format,
};
use serde::Serialize;

use super::story::{self, Timed, timed};
use crate::commands::flat::{Site, request};
use crate::commands::{Context, sample};
use crate::error::CommandError;
use crate::format::{Align, Table, count, counted, duration, ratio, size};
use crate::image::{self, ChangeOptions, Changing};
use crate::temp::TempFolder;
use crate::ui::Style;

/// More files than that would take longer than the story is worth.
const MOST: usize = 40_000;

/// What the volume came to.
pub(super) struct OnVolume {
    files: u64,
    bytes: u64,
    made_in: Duration,
    free: (u64, u64),
    view: Timed,
    audit: check::Summary,
    audited_in: Duration,
}

#[derive(Serialize)]
pub(super) struct Document {
    files: u64,
    linked: u64,
    seconds: f64,
    free_before: u64,
    free_after: u64,
    bytes_per_link: f64,
    clean: bool,
}

impl OnVolume {
    pub(super) fn holds(&self) -> bool {
        self.audit.is_clean() && self.view.outcome.linked == self.files
    }

    fn taken(&self) -> u64 {
        self.free.0.saturating_sub(self.free.1)
    }

    fn per_link(&self) -> f64 {
        #[allow(clippy::cast_precision_loss)] // shown with one decimal
        {
            self.taken() as f64 / self.view.outcome.linked.max(1) as f64
        }
    }

    pub(super) fn document(&self) -> Document {
        Document {
            files: self.files,
            linked: self.view.outcome.linked,
            seconds: self.view.time.as_secs_f64(),
            free_before: self.free.0,
            free_after: self.free.1,
            bytes_per_link: self.per_link(),
            clean: self.audit.is_clean(),
        }
    }

    pub(super) fn tell(&self, context: &Context<'_>) -> Result<(), CommandError> {
        let ui = context.ui;
        let heading = |text: &str| ui.line(&format!("\n{}", ui.paint(Style::Heading, text)));
        heading("The same on an NTFS volume that nothing has mounted")?;
        ui.line(&format!(
            "{} in 'disk.img', a new volume of {}, made in {}.",
            counted(self.files, "file", "files"),
            size(self.bytes),
            duration(self.made_in)
        ))?;
        heading("polylink flat --image disk.img /photos /all-photos")?;
        ui.line(&format!(
            "{} linked in {}, {} each.",
            counted(self.view.outcome.linked, "name", "names"),
            duration(self.view.time),
            super::micros(self.view.time, self.view.outcome.linked)
        ))?;
        let mut table = Table::new(&[Align::Left, Align::Right, Align::Right, Align::Right]).indent(2);
        table.row(["", "before", "after", ""]);
        table.row([
            "names of files".to_owned(),
            count(self.files),
            count(self.files + self.view.outcome.linked),
            format!("+{}", count(self.view.outcome.linked)),
        ]);
        table.row([
            "free bytes".to_owned(),
            count(self.free.0),
            count(self.free.1),
            format!("-{}", count(self.taken())),
        ]);
        ui.out(&table.text())?;
        ui.line(&format!(
            "A link costs {} bytes there, all of them in the directory and the files' records.",
            ratio(self.per_link(), 1)
        ))?;
        if self.holds() {
            ui.line(&format!(
                "{} {} in {} agree with the link counts of their files, found in {}.",
                ui.paint(Style::Good, "Checked:"),
                counted(self.audit.names, "name", "names"),
                counted(self.audit.records, "record", "records"),
                duration(self.audited_in)
            ))?;
        } else {
            ui.line(&format!(
                "{} the audit of the volume found damage, or not every file was linked.",
                ui.paint(Style::Bad, "Wrong:")
            ))?;
        }
        ui.flush()
    }
}

/// Makes the volume with a tree and its view, and has it audited.
pub(super) fn run(
    context: &Context<'_>,
    folder: &TempFolder,
    files: usize,
) -> Result<OnVolume, CommandError> {
    let files = files.min(MOST);
    let path = folder.path().join("disk.img");
    // the content in whole clusters, a record and its names
    let bytes = (64 << 20) + files as u64 * (10 << 10);
    let meter = context.meter();
    let ((), made_in) = timed(|| make(&path, bytes))?;
    let options = ChangeOptions {
        force: false,
        max_links: LINK_LIMIT,
    };
    let volume = Changing::open(&path, None, options, false)?;
    let ((), filled_in) = timed(|| fill(context, &volume, &path, files, &meter))?;
    let worked = view(context, &volume, &path, &meter);
    let (free, view) = volume.finish(worked)?;
    drop(meter);
    let (audit, audited_in) = timed(|| audit(&path))?;
    Ok(OnVolume {
        files: files as u64,
        bytes,
        made_in: made_in + filled_in,
        free,
        view,
        audit,
        audited_in,
    })
}

fn make(path: &Path, bytes: u64) -> Result<(), CommandError> {
    let file = File::options().read(true).write(true).create_new(true).open(path);
    let device = file.and_then(|file| {
        file.set_len(bytes)?;
        FileDevice::of(file, Access::ReadWrite)
    });
    let device = device.map_err(|error| CommandError::from_io("make", path, &error))?;
    let options = FormatOptions {
        zeroed: true,
        ..FormatOptions::default()
    };
    format(&device, &options)
        .map(|_| ())
        .map_err(|error| image::failed("format", path, &error))
}

/// The tree of the demo: its files have their sizes, and nothing is written into them.
fn fill(
    context: &Context<'_>,
    volume: &Changing,
    path: &Path,
    files: usize,
    meter: &crate::progress::Meter,
) -> Result<(), CommandError> {
    let writer = volume.writer();
    let tree = || -> Result<(), Error> {
        let name = units_of_wtf8(Name::new("photos").bytes()).unwrap_or_default();
        let root = writer.make_directory(writer.root()?, &name)?;
        let size = |index| sample::file_size(index) as u64;
        sample::make_tree_in(writer, root, files, sample::Naming::SomeTwice, size, meter)?;
        writer.sync()
    };
    tree().map_err(|error| image::failed("write", path, &error))?;
    context.stop.check()
}

type Seen = ((u64, u64), Timed);

fn view(
    context: &Context<'_>,
    volume: &Changing,
    path: &Path,
    meter: &crate::progress::Meter,
) -> Result<Seen, CommandError> {
    let free = |writer: &Writer| {
        writer
            .free_bytes()
            .map_err(|error| image::failed("read", path, &error))
    };
    let before = free(volume.writer())?;
    let site = Site::new(context, Some(volume));
    let request = request(
        site,
        &["/photos".into()],
        Path::new("/all-photos"),
        polylink_view::Options::default(),
    )?;
    let made = story::update(context, site, &request, meter)?;
    site.close()?;
    Ok(((before, free(volume.writer())?), made))
}

/// Every count against every name, as `polylink ntfs check` does it.
fn audit(path: &Path) -> Result<check::Summary, CommandError> {
    let device =
        FileDevice::open(path, Access::Read).map_err(|error| CommandError::from_io("open", path, &error))?;
    let read = |error: &Error| image::failed("read", path, error);
    let volume = Volume::open(Box::new(device), &OpenOptions::default()).map_err(|error| read(&error))?;
    check::check(&volume, &check::Options::default(), &Silent, &mut |_| {}).map_err(|error| read(&error))
}
