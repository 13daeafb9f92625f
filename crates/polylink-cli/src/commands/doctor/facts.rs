//! The limits in force where a view would be.

use std::path::{Path, PathBuf};

use polylink_core::{CaseRule, DirIds, HardLinks, LinkFs as _, NameUnit, ResultExt as _, Stat, VolumeInfo};
use polylink_host::facts::{self, Mount};
use serde::Serialize;

use super::ledger::Found;
use super::{Sides, remarks};
use crate::commands::Context;
use crate::error::CommandError;
use crate::explain;
use crate::format::{count, size};
use crate::json::JsonPath;

/// What is known of one side.
struct Side {
    role: &'static str,
    path: PathBuf,
    volume: VolumeInfo,
    mount: Option<Mount>,
    stat: Stat,
}

pub(super) struct Facts {
    /// One where both are on the same mount.
    sides: Vec<Side>,
    ledger: Found,
}

#[derive(Serialize)]
pub(super) struct LimitsDocument<'a> {
    path: JsonPath<'a>,
    file_system: &'a str,
    mount: Option<JsonPath<'a>>,
    hard_links: Option<bool>,
    link_limit: Option<u64>,
    name_limit: usize,
    name_unit: &'static str,
    case_sensitive: bool,
    free: Option<u64>,
    available: Option<u64>,
    total: Option<u64>,
    read_only: bool,
    directory_ids_trusted: bool,
}

impl Facts {
    pub(super) fn gather(context: &Context<'_>, sides: &Sides, dry: bool) -> Result<Self, CommandError> {
        let side = |role, path: &Path| {
            let dir = context.open_dir(path)?;
            let look = || Ok((context.fs.volume(&dir)?, context.fs.stat_dir(&dir)?));
            let (volume, stat) = look()
                .at("look at", path)
                .map_err(|error| context.explain(&error).before_start())?;
            Ok::<_, CommandError>(Side {
                role,
                path: path.into(),
                volume,
                mount: facts::mount_of(path).ok(),
                stat,
            })
        };
        let mut both = vec![side("view", &sides.view_dir)?];
        let source = side("source", &sides.source_dir)?;
        let view = &both[0];
        if source.volume.volume == view.volume.volume && source.stat.mount == view.stat.mount {
            both[0].role = "both";
        } else {
            both.insert(0, source);
        }
        Ok(Self {
            sides: both,
            ledger: Found::look(context, sides, dry),
        })
    }

    pub(super) fn ledger(&self) -> &Found {
        &self.ledger
    }

    pub(super) fn documents(&self) -> Vec<LimitsDocument<'_>> {
        self.sides
            .iter()
            .map(|side| LimitsDocument {
                path: JsonPath(&side.path),
                file_system: &side.volume.kind,
                mount: side.mount.as_ref().map(|mount| JsonPath(&mount.point)),
                hard_links: match side.volume.hard_links {
                    HardLinks::Yes => Some(true),
                    HardLinks::No => Some(false),
                    HardLinks::Unknown => None,
                },
                link_limit: side.volume.link_limit,
                name_limit: side.volume.names.max_len,
                name_unit: unit(side.volume.names.unit),
                case_sensitive: side.volume.names.case == CaseRule::Sensitive,
                free: side.volume.free,
                available: side.volume.available,
                total: side.volume.total,
                read_only: side.volume.read_only,
                directory_ids_trusted: side.volume.dir_ids == DirIds::Trusted,
            })
            .collect()
    }

    /// What is odd about the file systems there, each said once.
    pub(super) fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        for side in &self.sides {
            for remark in remarks::on(&side.volume.kind, side.mount.as_ref()) {
                if !remarks.contains(&remark) {
                    remarks.push(remark);
                }
            }
        }
        remarks
    }

    /// What it is, and its value.
    pub(super) fn lines(&self) -> Vec<(String, String)> {
        let mut lines = Vec::new();
        for side in &self.sides {
            let mut line = |what: &str, value: String| {
                let what = match side.role {
                    "both" => what.to_owned(),
                    role => format!("{role}: {what}"),
                };
                lines.push((what, value));
            };
            let volume = &side.volume;
            line(
                "file system",
                side.mount
                    .as_ref()
                    .map_or_else(|| volume.kind.clone(), explain::described),
            );
            if volume.read_only {
                line("writing", "not possible: it is mounted read-only".into());
            }
            line(
                "most names of one file",
                match (volume.hard_links, volume.link_limit) {
                    (HardLinks::No, _) => "1: it has no hard links".into(),
                    (_, Some(limit)) => count(limit),
                    (_, None) => "no known limit".into(),
                },
            );
            line(
                "longest name",
                format!("{} {}", volume.names.max_len, unit(volume.names.unit)),
            );
            line(
                "upper and lower case",
                match volume.names.case {
                    CaseRule::Sensitive => "tell names apart in this directory".into(),
                    _ => "are the same in this directory".into(),
                },
            );
            line("free space", space(volume));
            line("file ids in directories", ids(volume));
        }
        if !cfg!(windows) {
            lines.push(("fs.protected_hardlinks".into(), protection()));
        }
        lines.extend(self.ledger.lines());
        lines
    }
}

fn unit(unit: NameUnit) -> &'static str {
    match unit {
        NameUnit::Bytes => "bytes",
        NameUnit::Utf16 => "UTF-16 units",
    }
}

fn space(volume: &VolumeInfo) -> String {
    match (volume.available, volume.total) {
        (Some(available), Some(total)) => format!("{} of {}", size(available), size(total)),
        (Some(available), None) => size(available),
        _ => "not known".into(),
    }
}

fn ids(volume: &VolumeInfo) -> String {
    match volume.dir_ids {
        DirIds::Trusted => format!(
            "trusted: on {} they are those of the files, so an update needs no look at each name",
            volume.kind
        ),
        DirIds::Untrusted => format!(
            "not trusted: on {} they may differ from those of the files, so each name is looked at",
            volume.kind
        ),
    }
}

fn protection() -> String {
    match facts::protected_hardlinks() {
        None => "not known here".into(),
        Some(false) => "off: whoever sees a file may link it".into(),
        Some(true) if facts::current_user() == 0 => "on, but not for root".into(),
        Some(true) => format!(
            "on: {} may link the files that {} owns, or can read and write",
            explain::user(facts::current_user()),
            explain::user(facts::current_user())
        ),
    }
}
