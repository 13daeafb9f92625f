//! What the commands that change a volume have in common.

use std::path::Path;

use polylink_core::{FaultKind, FsResult, Name, PathError, shown};
use polylink_nt::NtStatus;
use polylink_nt::name::units_of_wtf8;
use polylink_ntfs::{Error, FileReference, VolumeFs};
use serde::Serialize;

use crate::commands::Context;
use crate::error::{CommandError, Outcome};
use crate::image::{self, in_volume};
use crate::json::OwnedPath;
use crate::place;

/// A name in a directory of the volume; there need not be anything of that name.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    pub(super) dir: FileReference,
    pub(super) name: Vec<u16>,
}

impl Spot {
    /// The directory that a path lies in, and the name in it.
    pub(super) fn of(fs: &VolumeFs, path: &Path) -> FsResult<Self> {
        let name = path.file_name().ok_or(NtStatus::OBJECT_NAME_INVALID)?;
        let dir = fs.find(place::parent(path)).map_err(|fault| match fault.kind() {
            FaultKind::NotFound => NtStatus::OBJECT_PATH_NOT_FOUND.into(),
            _ => fault,
        })?;
        Ok(Self {
            dir,
            name: units(Name::from_os(name))?,
        })
    }
}

/// A name as the volume has it.
pub(super) fn units(name: Name<'_>) -> FsResult<Vec<u16>> {
    Ok(units_of_wtf8(name.bytes()).ok_or(NtStatus::OBJECT_NAME_INVALID)?)
}

/// Why something was not done to one path.
pub(super) fn refused(action: &'static str, path: &Path, to: Option<&Path>, error: &Error) -> CommandError {
    match error {
        Error::Refused(status) => in_volume(&PathError {
            action,
            path: path.into(),
            to: to.map(Path::to_path_buf),
            fault: (*status).into(),
        }),
        error => image::failed(action, path, error),
    }
}

/// Whether nothing more can be written after this.
pub(super) fn is_final(error: &Error) -> bool {
    matches!(error, Error::Device { .. } | Error::Failed { .. })
}

/// What was not done, and why.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Failed {
    pub(super) path: OwnedPath,
    pub(super) reason: String,
    pub(super) hint: Option<String>,
    #[serde(skip)]
    pub(super) shown: String,
}

impl Failed {
    pub(super) fn new(path: &Path, reason: impl Into<String>, hint: Option<&str>) -> Self {
        Self {
            path: OwnedPath::from(&path.to_path_buf()),
            reason: reason.into(),
            hint: hint.map(str::to_owned),
            shown: shown(path),
        }
    }
}

/// The first failures by name, and each piece of advice once.
pub(super) fn warn_of(context: &Context<'_>, done: &str, failures: &[Failed]) {
    const SHOWN: usize = 8;
    let ui = context.ui;
    for failed in failures.iter().take(SHOWN) {
        ui.warn(&format!("'{}' was not {done}: {}", failed.shown, failed.reason));
    }
    if failures.len() > SHOWN {
        ui.warn(&format!("{} more were not {done}", failures.len() - SHOWN));
    }
    let mut told: Vec<&str> = Vec::new();
    for hint in failures.iter().filter_map(|failed| failed.hint.as_deref()) {
        if !told.contains(&hint) {
            told.push(hint);
            ui.hint(hint);
        }
    }
}

pub(super) fn outcome(failures: &[Failed]) -> Outcome {
    if failures.is_empty() {
        Outcome::Done
    } else {
        Outcome::Partial
    }
}
