//! What to do about a refusal of Windows: which of its many reasons it was, found by looking.
//!
//! Nothing of it needs Windows but the looking, so the texts are tested everywhere.

use std::path::{Path, PathBuf};

use polylink_core::{Fault, FaultKind, Kind, LinkFs, More, Name, shown, shown_name};
use polylink_nt::name::{self, Charset};

use crate::place::{self, Place};

/// Whether somebody has something open in a way that is in our way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Held {
    /// Somebody has.
    Yes,
    /// Nobody, or in a way that does not matter.
    No,
}

/// One of the names that a refused operation was about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Seen {
    pub(super) path: PathBuf,
    /// `None` where there is no such name, or it cannot be looked at.
    pub(super) kind: Option<Kind>,
    /// It carries the attribute that protects it.
    pub(super) read_only: bool,
    /// Somebody has it open.
    pub(super) held: Held,
}

/// What can be seen of a refused operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Facts<'a> {
    pub(super) action: &'a str,
    /// What exists.
    pub(super) file: Seen,
    /// What was to be made, of operations that make something.
    pub(super) new: Option<Seen>,
    /// Somebody has the directory of the new name open in a way that is in the way of new names.
    pub(super) directory: Held,
    /// The long name, where the new one is taken as the 8.3 twin of it.
    pub(super) twin_of: Option<String>,
}

impl<'a> Facts<'a> {
    /// Looks, as far as that can tell something about `fault`.
    pub(super) fn gather(
        fs: &dyn LinkFs,
        action: &'a str,
        path: &Path,
        to: Option<&Path>,
        fault: Fault,
    ) -> Self {
        let seen = |path: &Path, probe: fn(&Path) -> Held| Seen {
            path: path.into(),
            kind: place::stat(fs, path).ok().map(|stat| stat.kind),
            read_only: place::is_read_only(path),
            held: probe(path),
        };
        let target = to.unwrap_or(path);
        Self {
            action,
            file: seen(path, if to.is_some() { probe::shared } else { probe::alone }),
            new: to.map(|to| seen(to, probe::alone)),
            directory: probe::directory(place::parent(target)),
            twin_of: match fault.kind() {
                FaultKind::Exists => twin_of(fs, target),
                _ => None,
            },
        }
    }

    fn link(&self) -> bool {
        self.action == "link"
    }

    /// What was to be made or changed.
    fn target(&self) -> &Seen {
        self.new.as_ref().unwrap_or(&self.file)
    }
}

/// What to do; `None` where Windows has nothing of its own to say about it.
pub(super) fn hints(fault: Fault, facts: &Facts<'_>) -> Option<Vec<String>> {
    let target = shown(&facts.target().path);
    let hint = match fault.kind() {
        FaultKind::IsDirectory | FaultKind::AccessDenied | FaultKind::NotPermitted => {
            return Some(denied(facts));
        }
        FaultKind::Busy => return Some(busy(fault, facts)),
        FaultKind::Exists => match &facts.twin_of {
            Some(long) => format!(
                "'{target}' is the short (8.3) name of '{long}' there: choose another name"
            ),
            None => return None,
        },
        FaultKind::NameInvalid => return invalid(&facts.target().path),
        FaultKind::ReadOnly => {
            format!("the volume of '{target}' is write-protected: by a switch on the medium, or for all ('attributes volume' in diskpart shows it)")
        }
        FaultKind::NoSpace => {
            format!("the volume of '{target}' is full, or your quota there: a new name needs room in its directory")
        }
        FaultKind::TooManyOpen => "too many files are open: close other programs and try again".into(),
        FaultKind::Io => "the disk or its connection failed, or the file system is damaged: the event log says more, 'chkdsk' checks".into(),
        _ => return None,
    };
    Some(vec![hint])
}

/// Five statuses hide behind Win32's "access denied", and each has several reasons.
fn denied(facts: &Facts<'_>) -> Vec<String> {
    let source = &facts.file;
    if facts.link() && source.kind == Some(Kind::Directory) {
        return super::directories(&source.path);
    }
    let target = facts.target();
    let path = shown(&target.path);
    let mut hints = Vec::new();
    match target.kind {
        Some(Kind::Directory) if facts.link() => {
            return vec![format!(
                "'{path}' is a directory: a link never takes the place of one"
            )];
        }
        Some(_) if target.read_only => hints.push(format!(
            "'{path}' is read-only, and so is every name of that file: 'attrib -r \"{path}\"' lifts it"
        )),
        Some(_) if target.held == Held::Yes => hints.push(format!(
            "'{path}' is open in some program, or is a program that runs: close it, then run the command again"
        )),
        _ => {}
    }
    if hints.is_empty() {
        hints.push(rights(facts));
    }
    hints
}

fn rights(facts: &Facts<'_>) -> String {
    let target = facts.target();
    let dir = shown(place::parent(&target.path));
    if !facts.link() {
        return format!(
            "you lack a right to '{}': 'icacls \"{0}\"' shows who has which",
            shown(&target.path)
        );
    }
    let replace = match target.kind {
        Some(_) => format!(", and to delete '{}'", shown(&target.path)),
        None => String::new(),
    };
    format!(
        "it takes the right to add files to '{dir}', to write attributes of '{}'{replace}: 'icacls \"{dir}\"' shows who has which",
        shown(&facts.file.path)
    )
}

/// Somebody has it open and does not share it.
fn busy(fault: Fault, facts: &Facts<'_>) -> Vec<String> {
    if fault.symbol().ends_with("DELETE_PENDING") {
        return vec![format!(
            "'{}' is about to be deleted and goes when the last program that has it open closes it",
            shown(&facts.target().path)
        )];
    }
    let dir = place::parent(&facts.target().path);
    let held = [
        Some(&facts.file),
        facts.new.as_ref().filter(|new| new.kind.is_some()),
    ]
    .into_iter()
    .flatten()
    .find(|seen| seen.held == Held::Yes);
    let what = match held {
        Some(seen) => format!("'{}' is", shown(&seen.path)),
        None if facts.directory == Held::Yes => format!("the directory '{}' is", shown(dir)),
        None => format!(
            "'{}', or the directory '{}', is or just was",
            shown(&facts.file.path),
            shown(dir)
        ),
    };
    vec![format!(
        "{what} open in a program that does not share it: close that program ('resmon' finds it under CPU, Associated Handles), then run the command again"
    )]
}

/// Why a name cannot exist.
fn invalid(path: &Path) -> Option<Vec<String>> {
    let name = Name::from_os(path.file_name()?);
    let units = name::units_of_wtf8(name.bytes())?;
    let why = name::check(&units, Charset::Win32).err()?;
    Some(vec![format!("'{}': {why}", shown_name(name))])
}

/// The long name of the file that a name leads to, where the name is not found in its directory but leads somewhere.
fn twin_of(fs: &dyn LinkFs, path: &Path) -> Option<String> {
    // a bound, so that a hint is never slow
    const BATCHES: usize = 200;
    let place = Place::of(fs, path).ok()?;
    let rules = fs.volume(place.dir()).ok()?.names;
    let there = fs.stat(place.at()).ok()?;
    let wanted = rules.key(place.name());
    let mut long = None;
    let mut batch = polylink_core::DirBatch::new();
    for _ in 0..BATCHES {
        let more = fs.read_dir(place.dir(), &mut batch).ok()?;
        for entry in batch.iter() {
            if rules.key(entry.name) == wanted {
                return None;
            }
            if entry.id == there.id && long.is_none() {
                long = Some(shown_name(entry.name));
            }
        }
        if more == More::No {
            return long;
        }
    }
    None
}

#[cfg(not(windows))]
mod probe {
    use super::{Held, Path};

    /// Elsewhere an open file is in nobody's way.
    pub(super) fn alone(_: &Path) -> Held {
        Held::No
    }

    pub(super) fn shared(_: &Path) -> Held {
        Held::No
    }

    pub(super) fn directory(_: &Path) -> Held {
        Held::No
    }
}

#[cfg(windows)]
mod probe {
    use std::fs::OpenOptions;
    use std::os::windows::fs::OpenOptionsExt as _;

    use super::{Held, Path};

    // access rights, share modes and flags of CreateFile (Windows API)
    const READ_DATA: u32 = 0x1;
    const ADD_FILE: u32 = 0x2;
    const DELETE: u32 = 0x1_0000;
    const SHARE_NONE: u32 = 0;
    const SHARE_READ_WRITE: u32 = 0x3;
    const SHARE_ALL: u32 = 0x7;
    const BACKUP_SEMANTICS: u32 = 0x0200_0000;
    const OPEN_REPARSE_POINT: u32 = 0x0020_0000;
    const ERROR_SHARING_VIOLATION: i32 = 32;

    fn held(path: &Path, access: u32, share: u32) -> Held {
        let opened = OpenOptions::new()
            .access_mode(access)
            .share_mode(share)
            .custom_flags(BACKUP_SEMANTICS | OPEN_REPARSE_POINT)
            .open(path);
        match opened {
            Err(error) if error.raw_os_error() == Some(ERROR_SHARING_VIOLATION) => Held::Yes,
            _ => Held::No,
        }
    }

    /// Whether anybody has it open at all: what is replaced or deleted may not be.
    pub(super) fn alone(path: &Path) -> Held {
        held(path, READ_DATA, SHARE_NONE)
    }

    /// Whether somebody has it open who lets nobody delete it: in the way of `MoveFileEx`.
    pub(super) fn shared(path: &Path) -> Held {
        held(path, DELETE, SHARE_ALL)
    }

    /// Whether somebody has the directory open and does not let others write, or may delete it: so NT opens it itself
    /// before it adds a name.
    pub(super) fn directory(path: &Path) -> Held {
        held(path, ADD_FILE, SHARE_READ_WRITE)
    }
}

#[cfg(test)]
mod tests {
    use polylink_core::MemFs;
    use polylink_nt::NtStatus;

    use super::*;

    fn seen(path: &str, kind: Option<Kind>) -> Seen {
        Seen {
            path: path.into(),
            kind,
            read_only: false,
            held: Held::No,
        }
    }

    fn link() -> Facts<'static> {
        Facts {
            action: "link",
            file: seen("a", Some(Kind::File)),
            new: Some(seen("d/b", None)),
            directory: Held::No,
            twin_of: None,
        }
    }

    fn over(victim: Seen) -> Facts<'static> {
        Facts {
            new: Some(victim),
            ..link()
        }
    }

    fn said(status: NtStatus, facts: &Facts<'_>) -> String {
        hints(status.into(), facts).unwrap_or_default().join("\n")
    }

    #[test]
    fn a_directory_is_told_from_all_else_that_is_denied() {
        let directory = Facts {
            file: seen("photos", Some(Kind::Directory)),
            ..link()
        };
        for status in [NtStatus::FILE_IS_A_DIRECTORY, NtStatus::ACCESS_DENIED] {
            let text = said(status, &directory);
            assert!(text.contains("link the files in it"), "{text}");
            assert!(text.contains("'polylink flat photos VIEW'"), "{text}");
        }
        let victim = over(seen("d/b", Some(Kind::Directory)));
        assert_eq!(
            said(NtStatus::ACCESS_DENIED, &victim),
            "'d/b' is a directory: a link never takes the place of one"
        );
    }

    #[test]
    fn a_denied_replacement_says_what_protects_the_victim() {
        let victim = seen("d/b", Some(Kind::File));
        let read_only = Seen {
            read_only: true,
            ..victim.clone()
        };
        let text = said(NtStatus::ACCESS_DENIED, &over(read_only));
        assert!(
            text.starts_with("'d/b' is read-only") && text.contains("attrib -r \"d/b\""),
            "{text}"
        );
        let open = Seen {
            held: Held::Yes,
            ..victim.clone()
        };
        let text = said(NtStatus::ACCESS_DENIED, &over(open));
        assert!(
            text.starts_with("'d/b' is open in some program") && text.contains("close it"),
            "{text}"
        );
        let text = said(NtStatus::ACCESS_DENIED, &over(victim));
        assert!(
            text.contains("add files to 'd'") && text.contains("and to delete 'd/b'"),
            "{text}"
        );
        let text = said(NtStatus::ACCESS_DENIED, &link());
        assert!(
            text.contains("add files to 'd'") && !text.contains("delete"),
            "{text}"
        );
        assert!(text.contains("icacls"), "{text}");
    }

    #[test]
    fn who_does_not_share_is_named() {
        let held = |path, kind| Seen {
            held: Held::Yes,
            ..seen(path, kind)
        };
        let file = Facts {
            file: held("a", Some(Kind::File)),
            ..link()
        };
        assert!(said(NtStatus::SHARING_VIOLATION, &file).starts_with("'a' is open in a program"));
        let victim = over(held("d/b", Some(Kind::File)));
        assert!(said(NtStatus::SHARING_VIOLATION, &victim).starts_with("'d/b' is open"));
        let directory = Facts {
            directory: Held::Yes,
            ..link()
        };
        assert!(said(NtStatus::SHARING_VIOLATION, &directory).starts_with("the directory 'd' is open"));
        let text = said(NtStatus::SHARING_VIOLATION, &link());
        assert!(
            text.starts_with("'a', or the directory 'd', is or just was open"),
            "{text}"
        );
        assert!(said(NtStatus::DELETE_PENDING, &link()).contains("is about to be deleted"));
    }

    #[test]
    fn a_name_that_cannot_exist_is_said_to_hold_what() {
        let wrong = over(seen("d/a:b", None));
        assert_eq!(
            said(NtStatus::OBJECT_NAME_INVALID, &wrong),
            "'a:b': a name cannot hold ':', which is at place 2"
        );
        assert_eq!(hints(NtStatus::OBJECT_NAME_INVALID.into(), &link()), None);
    }

    #[test]
    fn a_short_name_is_told_by_its_long_one() {
        let taken = Facts {
            twin_of: Some("photos of 2007.jpg".into()),
            new: Some(seen("PHOTOS~1.JPG", Some(Kind::File))),
            ..link()
        };
        assert_eq!(
            said(NtStatus::OBJECT_NAME_COLLISION, &taken),
            "'PHOTOS~1.JPG' is the short (8.3) name of 'photos of 2007.jpg' there: choose another name"
        );
        assert_eq!(hints(NtStatus::OBJECT_NAME_COLLISION.into(), &link()), None);
        let fs = MemFs::new();
        fs.create("/d/name", 1).unwrap();
        assert_eq!(twin_of(&fs, "/d/name".as_ref()), None, "a name that is listed");
    }

    #[test]
    fn nobody_on_windows_is_told_of_tools_of_unix() {
        for status in NtStatus::ALL {
            let text = said(*status, &link());
            for word in ["chmod", "dmesg", "ulimit", "remount", "df -i", "cp --"] {
                assert!(!text.contains(word), "{status}: {text}");
            }
        }
    }
}
