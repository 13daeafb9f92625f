//! The ledger of the view: where it is or would be, and whether it can be used.

use std::fs::File;
use std::path::{Path, PathBuf};

use polylink_core::{LinkFs as _, shown};
use polylink_host::facts;
use polylink_view::{LedgerSummary, ledger_path, open_ledger};
use serde::Serialize;

use super::Sides;
use crate::commands::Context;
use crate::commands::flat::Site;
use crate::error::CommandError;
use crate::format::counted;
use crate::place;

/// What was found of a ledger.
pub(super) struct Found {
    path: PathBuf,
    beside: Beside,
    state: State,
}

/// Whether the ledger can stand beside the view.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beside {
    Yes,
    No,
    NotTried,
}

enum State {
    /// The first update makes it.
    None,
    Sound(LedgerSummary),
    Unusable(CommandError),
}

#[derive(Serialize)]
pub(super) struct LedgerDocument<'a> {
    exists: bool,
    usable: bool,
    #[serde(flatten)]
    summary: Option<SummaryDocument>,
    reason: Option<&'a str>,
    hints: &'a [String],
}

#[derive(Serialize)]
struct SummaryDocument {
    ledger_schema: u128,
    names: u64,
    fallbacks: u64,
    remembered: u64,
    complete: bool,
    of_this_view: Option<bool>,
}

impl Found {
    /// Looks for the ledger, and reads it without changing it.
    pub(super) fn look(context: &Context<'_>, sides: &Sides, dry: bool) -> Self {
        let view = facts::absolute(&sides.view).unwrap_or_else(|_| {
            let parent =
                facts::absolute(place::parent(&sides.view)).unwrap_or_else(|_| sides.view_dir.clone());
            parent.join(sides.view.file_name().unwrap_or_default())
        });
        let stat = sides
            .view_exists
            .then(|| {
                context
                    .fs
                    .open_dir(&view)
                    .and_then(|dir| context.fs.stat_dir(&dir))
                    .ok()
            })
            .flatten();
        let opened = open_ledger(&view, context.env.state_dir.as_deref(), true)
            .and_then(|ledger| Ok((ledger.path().to_path_buf(), ledger.summary(stat.as_ref())?)));
        let (there, state) = match opened {
            Ok((path, Some(summary))) => (Some(path), State::Sound(summary)),
            Ok((_, None)) => (None, State::None),
            Err(error) => {
                let error = Site::host(context).error(&error);
                (error.paths.first().cloned(), State::Unusable(error))
            }
        };
        let (wanted, beside) = wanted(context, &view, dry);
        let path = there.unwrap_or(wanted);
        let beside = match beside {
            // it was made there when that could be done
            Beside::No if path == ledger_path(&view) => Beside::NotTried,
            beside => beside,
        };
        Self { path, beside, state }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether an update can begin, as far as the ledger goes.
    pub(super) fn usable(&self) -> bool {
        !matches!(self.state, State::Unusable(_))
    }

    pub(super) fn document(&self) -> LedgerDocument<'_> {
        let (summary, error) = match &self.state {
            State::None => (None, None),
            State::Sound(summary) => (Some(summary), None),
            State::Unusable(error) => (None, Some(error)),
        };
        LedgerDocument {
            exists: !matches!(self.state, State::None),
            usable: self.usable(),
            summary: summary.map(|summary| SummaryDocument {
                ledger_schema: summary.schema,
                names: summary.names,
                fallbacks: summary.fallbacks,
                remembered: summary.remembered,
                complete: summary.complete,
                of_this_view: summary.of_view,
            }),
            reason: error.map(|error| error.causes.first().unwrap_or(&error.message).as_str()),
            hints: error.map_or(&[], |error| &error.hints),
        }
    }

    /// What it is, and its value.
    pub(super) fn lines(&self) -> Vec<(String, String)> {
        let place = match self.beside {
            Beside::No => format!("'{}', for nothing can be made beside the view", shown(&self.path)),
            Beside::Yes | Beside::NotTried => format!("'{}'", shown(&self.path)),
        };
        let state = match &self.state {
            State::None => "none yet: the first update makes it".to_owned(),
            State::Sound(summary) => sound(summary),
            State::Unusable(error) => {
                let reason = error.causes.first().unwrap_or(&error.message);
                std::iter::once(format!("cannot be used: {reason}"))
                    .chain(error.hints.iter().cloned())
                    .collect::<Vec<_>>()
                    .join("; ")
            }
        };
        vec![
            ("ledger of the view".into(), place),
            ("what the ledger says".into(), state),
        ]
    }
}

fn sound(summary: &LedgerSummary) -> String {
    let mut text = format!(
        "sound, version {}, {}",
        summary.schema,
        counted(summary.names, "name", "names")
    );
    for (number, one, many) in [
        (
            summary.fallbacks,
            "symbolic link or copy",
            "symbolic links and copies",
        ),
        (summary.remembered, "name that stays away", "names that stay away"),
    ] {
        if number > 0 {
            text.push_str(", ");
            text.push_str(&counted(number, one, many));
        }
    }
    if !summary.complete {
        text.push_str("; the last update was interrupted, and the next one completes it");
    }
    if summary.of_view == Some(false) {
        text.push_str(
            "; it was written for another directory than the one that is there now: its names are known again by their \
             files, and none counts as deleted by you",
        );
    }
    text
}

/// Where the ledger would go: beside the view, or where that cannot be, in the state directory.
fn wanted(context: &Context<'_>, view: &Path, dry: bool) -> (PathBuf, Beside) {
    let beside = ledger_path(view);
    if dry {
        return (beside, Beside::NotTried);
    }
    let probe = view.with_file_name(format!(".polylink-doctor-{}-ledger", std::process::id()));
    match File::create_new(&probe) {
        Ok(_) => {
            // OK to ignore: it was made a moment ago, and is empty
            drop(std::fs::remove_file(&probe));
            (beside, Beside::Yes)
        }
        Err(_) => match &context.env.state_dir {
            Some(state) => (state.join("polylink"), Beside::No),
            None => (beside, Beside::NotTried),
        },
    }
}
