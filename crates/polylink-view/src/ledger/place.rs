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

/// Opens the ledger of a view, or makes it. Where the folder beside the view cannot be written it lies in
/// `state_dir`, under a name made of the view's path.
///
/// With `dry_run` nothing is made or changed: what there is is read, and where there is none it is empty.
///
/// # Errors
///
/// [`Error::Ledger`]: busy, damaged, of a later version, or no place to write it.
pub fn open_ledger(view: &Path, state_dir: Option<&Path>, dry_run: bool) -> Result<Ledger, Error> {
    let beside = ledger_path(view);
    let elsewhere = state_dir.map(|dir| {
        let hash = stable_hash(view.as_os_str().as_encoded_bytes());
        dir.join("polylink").join(format!("{hash:016x}{SUFFIX}"))
    });
    let place = [
        Some((&beside, true)),
        elsewhere.as_ref().map(|path| (path, false)),
    ];
    for (path, beside_view) in place.into_iter().flatten() {
        if std::fs::symlink_metadata(path).is_err() {
            continue;
        }
        let opened = if dry_run {
            Ledger::copy_to_memory(path)
        } else {
            Ledger::open_file(path)
        };
        return match opened {
            Ok(db) => Ok(Ledger {
                db: Some(db),
                path: path.clone(),
                beside_view,
                commits_left: None,
            }),
            Err(LedgerFault::Io(error))
                if !dry_run && is_refusal(&error) && beside_view && elsewhere.is_some() =>
            {
                continue;
            }
            Err(fault) => Err(Error::Ledger {
                path: path.clone(),
                fault,
            }),
        };
    }
    if dry_run {
        return Ok(Ledger {
            db: None,
            path: beside,
            beside_view: true,
            commits_left: None,
        });
    }
    match (Ledger::create_file(&beside), elsewhere) {
        (Ok(db), _) => Ok(Ledger {
            db: Some(db),
            path: beside,
            beside_view: true,
            commits_left: None,
        }),
        (Err(LedgerFault::Io(error)), Some(path)) if is_refusal(&error) => {
            let made = path
                .parent()
                .map_or(Ok(()), std::fs::create_dir_all)
                .map_err(LedgerFault::Io);
            match made.and_then(|()| Ledger::create_file(&path)) {
                Ok(db) => Ok(Ledger {
                    db: Some(db),
                    path,
                    beside_view: false,
                    commits_left: None,
                }),
                Err(fault) => Err(Error::Ledger { path, fault }),
            }
        }
        (Err(fault), _) => Err(Error::Ledger { path: beside, fault }),
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
