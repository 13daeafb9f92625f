//! Where the ledger of a view lies.

use std::io;
use std::path::{Path, PathBuf};

use polylink_core::stable_hash;

use super::{Ledger, LedgerFault};
use crate::error::Error;

const SUFFIX: &str = ".polylink";
const HALF_MADE: &str = ".new";

/// Where the ledger of a view lies: `.VIEW.polylink` beside it, never inside, so that a program which picks any file
/// in the view never meets it.
#[must_use]
pub fn ledger_path(view: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(view.file_name().unwrap_or("view".as_ref()));
    name.push(SUFFIX);
    view.with_file_name(name)
}

pub(super) fn half_made(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(HALF_MADE);
    path.with_file_name(name)
}

/// Whether a name is that of some view's ledger: those never go into a view.
pub(crate) fn is_ledger_name(name: &[u8]) -> bool {
    let name = name.strip_suffix(HALF_MADE.as_bytes()).unwrap_or(name);
    name.len() > SUFFIX.len() + 1 && name.starts_with(b".") && name.ends_with(SUFFIX.as_bytes())
}

/// Opens the ledger of a view. Where there is none it is made by the first change: beside the view, or, where the
/// folder beside the view cannot be written, in `state_dir` under a name made of the view's path.
///
/// With `dry_run` nothing is ever made or changed: what there is is read, and where there is none it is empty.
///
/// # Errors
///
/// [`Error::Ledger`]: busy, damaged, of a later version.
pub fn open_ledger(view: &Path, state_dir: Option<&Path>, dry_run: bool) -> Result<Ledger, Error> {
    let beside = ledger_path(view);
    let elsewhere = state_dir.map(|dir| {
        let hash = stable_hash(view.as_os_str().as_encoded_bytes());
        dir.join("polylink").join(format!("{hash:016x}{SUFFIX}"))
    });
    let places: Vec<(PathBuf, bool)> = std::iter::once((beside.clone(), true))
        .chain(elsewhere.map(|path| (path, false)))
        .collect();
    for (index, (path, beside_view)) in places.iter().enumerate() {
        if std::fs::symlink_metadata(path).is_err() {
            continue;
        }
        let opened = if dry_run {
            Ledger::copy_to_memory(path)
        } else {
            Ledger::open_file(path)
        };
        match opened {
            Ok(db) => {
                return Ok(Ledger {
                    db: Some(db),
                    path: path.clone(),
                    beside_view: *beside_view,
                    make_at: Vec::new(),
                    commits_left: None,
                });
            }
            // it cannot be written here, so one elsewhere goes on from now on
            Err(LedgerFault::Io(error)) if !dry_run && is_refusal(&error) && index + 1 < places.len() => {}
            Err(fault) => {
                return Err(Error::Ledger {
                    path: path.clone(),
                    fault,
                });
            }
        }
    }
    Ok(Ledger {
        db: None,
        path: beside,
        beside_view: true,
        make_at: if dry_run { Vec::new() } else { places },
        commits_left: None,
    })
}

impl Ledger {
    /// Makes the file at the first place that can be written.
    pub(super) fn make(&mut self) -> Result<(), LedgerFault> {
        let places = std::mem::take(&mut self.make_at);
        let last = places.len().saturating_sub(1);
        for (index, (path, beside_view)) in places.into_iter().enumerate() {
            let folder = match path.parent() {
                Some(folder) if !beside_view => std::fs::create_dir_all(folder).map_err(LedgerFault::Io),
                _ => Ok(()),
            };
            let made = folder.and_then(|()| Self::create_file(&path));
            (self.path, self.beside_view) = (path, beside_view);
            match made {
                Ok(db) => {
                    self.db = Some(db);
                    return Ok(());
                }
                Err(LedgerFault::Io(error)) if is_refusal(&error) && index < last => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }
}

fn is_refusal(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledger_lies_beside_the_view_and_its_name_is_known() {
        assert_eq!(ledger_path(Path::new("/p/flat")), Path::new("/p/.flat.polylink"));
        assert!(is_ledger_name(b".flat.polylink") && is_ledger_name(b".flat.polylink.new"));
        assert!(!is_ledger_name(b"flat.polylink") && !is_ledger_name(b".polylink"));
    }

    #[test]
    fn a_ledger_is_made_locked_read_again_and_left_alone_by_a_dry_run() {
        let folder = tempfile::tempdir().unwrap();
        let view = folder.path().join("flat");
        assert!(
            open_ledger(&view, None, true)
                .unwrap()
                .read()
                .unwrap()
                .rows
                .is_empty()
        );
        assert!(!ledger_path(&view).exists(), "a dry run makes nothing");
        let mut ledger = open_ledger(&view, None, false).unwrap();
        assert!(!ledger_path(&view).exists(), "without a change nothing is made");
        ledger.change(|changes| changes.begin_run(6)).unwrap();
        for dry_run in [false, true] {
            let busy = open_ledger(&view, None, dry_run).unwrap_err();
            assert!(
                matches!(
                    busy,
                    Error::Ledger {
                        fault: LedgerFault::Busy,
                        ..
                    }
                ),
                "{busy:?}"
            );
        }
        ledger.change(|changes| changes.begin_run(7)).unwrap();
        drop(ledger);
        for dry_run in [true, false] {
            assert_eq!(
                open_ledger(&view, None, dry_run)
                    .unwrap()
                    .read()
                    .unwrap()
                    .last_run,
                7
            );
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_kill_left_half_made_is_cleaned_up() {
        let folder = tempfile::tempdir().unwrap();
        let view = folder.path().join("flat");
        let new = half_made(&ledger_path(&view));
        for left in [&b"half"[..], b""] {
            std::fs::write(&new, left).unwrap();
            let mut ledger = open_ledger(&view, None, false).unwrap();
            ledger.change(|changes| changes.begin_run(1)).unwrap();
            assert!(!new.exists());
            drop(ledger);
            // killed between its two names
            std::fs::hard_link(ledger_path(&view), &new).unwrap();
            drop(open_ledger(&view, None, false).unwrap());
            assert!(!new.exists());
            std::fs::remove_file(ledger_path(&view)).unwrap();
        }
    }

    #[test]
    fn a_ledger_that_somebody_else_made_meanwhile_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let view = folder.path().join("flat");
        let mut first = open_ledger(&view, None, false).unwrap();
        let mut second = open_ledger(&view, None, false).unwrap();
        first.change(|changes| changes.begin_run(7)).unwrap();
        let refused = second.change(|changes| changes.begin_run(8));
        assert!(matches!(refused, Err(LedgerFault::Busy)), "{refused:?}");
        assert_eq!(first.read().unwrap().last_run, 7);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_ledger_is_said_to_be_damaged_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let view = folder.path().join("flat");
        for content in [&b"something else"[..], b"", &[0x5a; 10_000]] {
            std::fs::write(ledger_path(&view), content).unwrap();
            for dry_run in [true, false] {
                let error = open_ledger(&view, None, dry_run)
                    .and_then(|ledger| ledger.read().map(|_| ()).map_err(|fault| ledger.named(fault)));
                assert!(
                    matches!(error, Err(Error::Ledger { .. })),
                    "{content:?}: {error:?}"
                );
                assert_eq!(std::fs::read(ledger_path(&view)).unwrap(), content);
            }
        }
    }
}
