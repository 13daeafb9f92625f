//! What `polylink flat --watch` tells of, as text or as one JSON document a line.

use std::path::{Path, PathBuf};

use polylink_core::{Name, NameBuf, PathError, shown, shown_name};
use polylink_view::{Happened, NoWatch, Outcome, Step};
use serde::Serialize;

use super::super::engine::Site;
use super::super::summary::{self, Shown};
use crate::codes::{self, Codes};
use crate::commands::Context;
use crate::error::CommandError;
use crate::format::{Sizes, counted};
use crate::json::{self, OwnedPath};

const LIMIT: &str = "on Linux the limit is fs.inotify.max_user_watches: 'sysctl fs.inotify.max_user_watches=1048576' raises it, each watch takes about 1 KiB of memory";

/// One event.
#[derive(Serialize, Default)]
struct Line {
    schema: u32,
    command: &'static str,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<OwnedPath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<OwnedPath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<OwnedPath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<OwnedPath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    watches: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    totals: Option<Totals>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct Totals {
    complete: bool,
    linked: u64,
    kept: u64,
    relinked: u64,
    renamed: u64,
    removed: u64,
    orphans: u64,
    fallbacks: super::super::json::Fallbacks,
    superseded: u64,
    foreign: u64,
    held: u64,
    skipped: u64,
    failed: u64,
    unreadable: u64,
    view_names: u64,
    view_bytes: u64,
}

#[derive(Serialize)]
struct Failed {
    action: &'static str,
    #[serde(flatten)]
    codes: Codes,
}

pub(super) struct Teller<'a> {
    context: &'a Context<'a>,
    site: Site<'a>,
    view: &'a Path,
    sizes: Sizes,
    /// Before this the steps are those of the first update, which the summary counts.
    following: bool,
    summed_up: bool,
}

impl<'a> Teller<'a> {
    pub(super) fn new(context: &'a Context<'a>, site: Site<'a>, view: &'a Path, sizes: Sizes) -> Self {
        Self {
            context,
            site,
            view,
            sizes,
            following: false,
            summed_up: false,
        }
    }

    pub(super) fn tell(&mut self, happened: &Happened<'_>) -> Result<(), CommandError> {
        // from here on everybody hears of a change when it is made
        self.following |= matches!(happened, Happened::Following { .. });
        if self.context.ui.json() {
            let line = json::line(&Line {
                schema: json::SCHEMA,
                command: "flat",
                ..document(happened)
            });
            self.say(&line)
        } else {
            self.text(happened)
        }
    }

    fn say(&self, line: &str) -> Result<(), CommandError> {
        if self.following {
            self.context.ui.line_now(line)
        } else {
            self.context.ui.line(line)
        }
    }

    /// A line about what was done.
    fn report(&self, line: &str) -> Result<(), CommandError> {
        self.context.ui.report(false).line(line)?;
        self.context.ui.flush()
    }

    fn text(&mut self, happened: &Happened<'_>) -> Result<(), CommandError> {
        let ui = self.context.ui;
        match happened {
            Happened::Reconciled(outcome) if !self.summed_up => {
                self.summed_up = true;
                let shown = Shown {
                    outcome,
                    view: self.view,
                    sizes: self.sizes,
                    dry_run: false,
                };
                summary::print(self.site, self.context, &shown)
            }
            Happened::Following { watches } => {
                ui.flush()?;
                let dirs = counted(*watches as u64, "directory", "directories");
                ui.note(&format!("following {dirs}; Ctrl-C ends it"));
                Ok(())
            }
            Happened::Done(step) if self.following => self.report(&done(step)),
            Happened::Renamed { from, to } if self.following => self.report(&format!(
                "renamed {} -> {}",
                shown_name(from.name()),
                shown_name(to.name())
            )),
            Happened::Orphan(name) if self.following => {
                self.report(&format!("orphan {}", shown_name(name.name())))
            }
            Happened::Failed(failure) if self.following => {
                ui.flush()?;
                ui.warn(&format!("{failure}: {}", codes::native(failure.fault)));
                for hint in self.site.hints(failure) {
                    ui.hint(&hint);
                }
                Ok(())
            }
            Happened::Overflow => {
                ui.note("changes came faster than the system tells of them: everything is compared anew");
                Ok(())
            }
            Happened::NotWatched { dir, why } => {
                ui.warn(&format!(
                    "changes in '{}' are not heard of: {}",
                    shown(dir),
                    reason(why)
                ));
                if *why == NoWatch::Limit {
                    ui.hint(LIMIT);
                }
                ui.hint(
                    "what is not heard of is found when everything is compared anew: --rescan says how often",
                );
                Ok(())
            }
            Happened::CannotUpdate(error) => {
                let error = self.site.error(error);
                ui.warn(&format!("the view is left as it is: {}", error.message));
                for hint in &error.hints {
                    ui.hint(hint);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn reason(why: &NoWatch) -> String {
    match why {
        NoWatch::Limit => "the system watches no more directories for you".to_owned(),
        NoWatch::Gone => "it is gone".to_owned(),
        NoWatch::Other(reason) => reason.clone(),
    }
}

/// A step that was done, as text.
fn done(step: &Step) -> String {
    let text = step.to_string();
    for (plan, past) in [
        ("clean up ", "cleaned up "),
        ("delete ", "deleted "),
        ("move ", "moved "),
        ("make ", "made "),
        ("symlink ", "symlinked "),
        ("reflink ", "reflinked "),
        ("copy ", "copied "),
        ("link ", "linked "),
        ("relink ", "relinked "),
        ("remove ", "removed "),
    ] {
        if let Some(rest) = text.strip_prefix(plan) {
            return format!("{past}{rest}");
        }
    }
    text
}

fn document(happened: &Happened<'_>) -> Line {
    let of = |event| Line {
        event,
        ..Line::default()
    };
    match happened {
        Happened::Done(step) => step_document(step),
        Happened::Renamed { from, to } => Line {
            from: Some(name(from)),
            name: Some(name(to)),
            ..of("renamed")
        },
        Happened::Orphan(orphan) => Line {
            name: Some(name(orphan)),
            ..of("orphan")
        },
        Happened::Failed(failure) => failed(failure),
        Happened::Reconciled(outcome) => Line {
            totals: Some(totals(outcome)),
            ..of("reconciled")
        },
        Happened::Following { watches } => Line {
            watches: Some(*watches),
            ..of("following")
        },
        Happened::Overflow => of("overflow"),
        Happened::NotWatched { dir, why } => Line {
            path: Some((&dir.to_path_buf()).into()),
            reason: Some(reason(why)),
            ..of("not_watched")
        },
        Happened::CannotUpdate(error) => Line {
            reason: Some(error.to_string()),
            ..of("cannot_update")
        },
        _ => of("other"),
    }
}

fn name(name: &NameBuf) -> OwnedPath {
    OwnedPath::from_name(name.name())
}

fn step_document(step: &Step) -> Line {
    let line = |event, path: Option<&PathBuf>, view_name: Option<&NameBuf>| Line {
        event,
        path: path.map(OwnedPath::from),
        name: view_name.map(name),
        ..Line::default()
    };
    match step {
        Step::MakeView(view) => line("view_made", Some(view), None),
        Step::RemoveTemporary(temporary) => line("cleaned_up", None, Some(temporary)),
        Step::Link { source, name, .. } => line("linked", Some(source), Some(name)),
        Step::Relink { source, name, .. } => line("relinked", Some(source), Some(name)),
        Step::Fallback { source, name, kind } | Step::Refresh { source, name, kind } => Line {
            reason: Some(kind.word().to_owned()),
            ..line("fallback", Some(source), Some(name))
        },
        Step::BecomeLink { source, name } => line("relinked", Some(source), Some(name)),
        Step::Remove(name) => line("removed", None, Some(name)),
        Step::DeleteOrphan(name) => line("orphan_deleted", None, Some(name)),
        Step::MoveOrphan { name, to } => Line {
            to: Some(to.into()),
            ..line("orphan_moved", None, Some(name))
        },
        Step::DeleteSources { name, sources } => line("source_deleted", sources.first(), Some(name)),
        _ => line("other", None, None),
    }
}

fn failed(failure: &PathError) -> Line {
    Line {
        event: "failed",
        path: Some((&failure.path).into()),
        name: failure
            .to
            .as_ref()
            .and_then(|to| to.file_name())
            .map(|name| OwnedPath::from_name(Name::from_os(name))),
        reason: Some(codes::native(failure.fault).to_string()),
        failure: Some(Failed {
            action: failure.action,
            codes: Codes::of(failure.fault),
        }),
        ..Line::default()
    }
}

fn totals(outcome: &Outcome) -> Totals {
    Totals {
        complete: outcome.is_complete(),
        linked: outcome.linked,
        kept: outcome.kept,
        relinked: outcome.relinked,
        renamed: outcome.renamed,
        removed: outcome.removed,
        orphans: outcome.orphans.len() as u64,
        fallbacks: outcome.fallbacks.into(),
        superseded: outcome.superseded,
        foreign: outcome.foreign,
        held: outcome.held,
        skipped: summary::skipped(&outcome.left_out),
        failed: outcome.failures.len() as u64,
        unreadable: outcome.unreadable.len() as u64,
        view_names: outcome.view_names,
        view_bytes: outcome.view_bytes,
    }
}
