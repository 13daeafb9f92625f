//! The directory with the snapshots: what is in it, which of it polylink made, and how a snapshot goes.
//!
//! Beside the snapshots there is [`RECORDS`], with an empty directory for each: its name holds the time, a number that
//! grows with each snapshot, and the name. It is made before the snapshot gets its name and removed after the snapshot is gone, so what has no record is somebody
//! else's and never touched. Directories need no bytes written, so a record is there or not.

use std::path::Path;

use polylink_core::{
    At, Dir, Existing, FaultKind, FileFs, FsResult, LinkFs, Name, NameBuf, PathError, Progress,
    ResultExt as _,
};

use super::Snapshot;
use crate::error::Error;
use crate::metadata::Rights;
use crate::remove::{is_dir, remove_tree};
use crate::tree::join;

/// The directory of the records.
pub(crate) const RECORDS: &str = ".polylink-snapshots";
/// The snapshot that is being made.
pub(crate) const NEW: &str = ".polylink-new";
/// Begins the names of what runs left that were stopped.
const LEFT: &[u8] = b".polylink-left-";
/// Begins the names of snapshots that are being removed.
const GONE: &[u8] = b".polylink-gone-";
/// Ends the names of snapshots that lack something.
const INCOMPLETE: &[u8] = b"-incomplete";
/// Digits of the time in a record's name, and of the number after it.
const DIGITS: usize = 12;
const NUMBER_DIGITS: usize = 8;
/// A name with all that may be added to it stays below 255 bytes.
const LONGEST: usize = 200;

/// The open store.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) dir: Dir,
    pub(crate) records: Option<Dir>,
    /// In the order in which they were made.
    pub(crate) snapshots: Vec<Snapshot>,
    /// What stopped runs left, the newest last.
    pub(crate) left: Vec<NameBuf>,
    /// Snapshots that are to be removed to their end.
    gone: Vec<NameBuf>,
    /// Records without a snapshot, each with the name that the snapshot has while it is removed.
    stale: Vec<(NameBuf, NameBuf)>,
}

/// Whether a snapshot can have this name: no hidden one, no separator, not too long, not what marks an incomplete one, and
/// nothing that NTFS and Windows refuse, so that a store can be copied anywhere.
pub(crate) fn check_name(name: Name<'_>) -> Result<(), Error> {
    let bytes = name.bytes();
    let bad = bytes.is_empty()
        || bytes.len() > LONGEST
        || bytes.starts_with(b".")
        || bytes.ends_with(INCOMPLETE)
        || bytes.ends_with(b".")
        || bytes.ends_with(b" ")
        || bytes.iter().any(|byte| {
            matches!(
                byte,
                b'/' | b'\\' | b':' | b'*' | b'?' | b'"' | b'<' | b'>' | b'|' | 0..=31
            )
        });
    if bad {
        return Err(Error::Name(polylink_core::shown_name(name)));
    }
    Ok(())
}

/// The name of a snapshot that lacks something.
pub(crate) fn incomplete(name: Name<'_>) -> NameBuf {
    [name.bytes(), INCOMPLETE].concat().into()
}

fn record_name(snapshot: &Snapshot) -> NameBuf {
    let mut name = format!("{:0width$}", snapshot.time.max(0), width = DIGITS);
    // those of earlier versions have none
    if snapshot.number > 0 {
        name.push_str(&format!(".{:0width$}", snapshot.number, width = NUMBER_DIGITS));
    }
    [name.as_bytes(), b"-", snapshot.name.bytes()].concat().into()
}

/// The name of a snapshot that is being removed.
fn gone_name(snapshot: &Snapshot) -> NameBuf {
    [GONE, snapshot.name.bytes()].concat().into()
}

/// The name of what a stopped run left.
fn left_name(number: u32) -> NameBuf {
    [LEFT, format!("{number:06}").as_bytes()].concat().into()
}

/// Whether [`left_name`] gives such a name: others are somebody else's.
fn is_left_name(name: Name<'_>) -> bool {
    let number = name.bytes().strip_prefix(LEFT);
    let number = number.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    number.is_some_and(|number| left_name(number).bytes() == name.bytes())
}

fn read_record(record: Name<'_>) -> Option<Snapshot> {
    let (time, mut rest) = record.bytes().split_at_checked(DIGITS)?;
    let mut number = 0;
    if let Some(more) = rest.strip_prefix(b".") {
        let (digits, after) = more.split_at_checked(NUMBER_DIGITS)?;
        (number, rest) = (digits_of(digits)?.try_into().ok()?, after);
    }
    let name = rest.strip_prefix(b"-").filter(|name| !name.is_empty())?;
    Some(Snapshot {
        name: Name::new(name).to_buf(),
        time: digits_of(time)?,
        number,
        complete: !name.ends_with(INCOMPLETE),
    })
}

/// The number that these digits are; nothing but digits.
fn digits_of(text: &[u8]) -> Option<i64> {
    let digits = text.iter().all(u8::is_ascii_digit);
    digits.then(|| std::str::from_utf8(text).ok()?.parse().ok())?
}

impl Store {
    /// Makes the store, where there is none; its parent must be there.
    pub(crate) fn prepare(fs: &dyn FileFs, path: &Path) -> Result<(), PathError> {
        let made = |made: FsResult<()>| match made {
            Err(fault) if fault.kind() == FaultKind::Exists => Ok(()),
            made => made,
        };
        if let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
            let parent = fs.open_dir(parent).at("open", parent)?;
            made(fs.make_dir(At::new(&parent, Name::from_os(name)))).at("make", path)?;
        }
        let dir = fs.open_dir(path).at("open", path)?;
        made(fs.make_dir(At::new(&dir, Name::new(RECORDS)))).at("make", path.join(RECORDS))
    }

    /// Looks into the store; `None` where there is none.
    pub(crate) fn open(fs: &dyn FileFs, path: &Path) -> Result<Option<Self>, PathError> {
        let dir = match fs.open_dir(path) {
            Err(fault) if fault.kind() == FaultKind::NotFound => return Ok(None),
            opened => opened.at("open", path)?,
        };
        let records = match fs.open_child(At::new(&dir, Name::new(RECORDS))) {
            Err(fault) if fault.kind() == FaultKind::NotFound => None,
            opened => Some(opened.at("open", path.join(RECORDS))?),
        };
        let mut store = Self {
            dir,
            records,
            snapshots: Vec::new(),
            left: Vec::new(),
            gone: Vec::new(),
            stale: Vec::new(),
        };
        let lower: &dyn LinkFs = fs;
        if let Some(records) = &store.records {
            for record in lower.names_in(records).at("read", path.join(RECORDS))? {
                let Some(snapshot) = read_record(record.name()) else {
                    continue;
                };
                // somebody else's file, whatever it is called
                if !is_dir(fs, records, record.name()).at("look at", path.join(RECORDS))? {
                    continue;
                }
                let there = is_dir(fs, &store.dir, snapshot.name.name());
                if there.at("look at", join(path, snapshot.name.name()))? {
                    store.snapshots.push(snapshot);
                } else {
                    store.stale.push((record, gone_name(&snapshot)));
                }
            }
        }
        store.snapshots.sort_by(|a, b| a.order().cmp(&b.order()));
        for name in lower.names_in(&store.dir).at("read", path)? {
            if is_left_name(name.name()) {
                store.left.push(name);
            } else if store.stale.iter().any(|(_, gone)| *gone == name) {
                store.gone.push(name);
            }
        }
        store.left.sort();
        let new = Name::new(NEW);
        if is_dir(fs, &store.dir, new).at("look at", join(path, new))? {
            store.left.push(new.to_buf());
        }
        Ok(Some(store))
    }

    /// Sets what the last run left aside, so that it can be linked from, and removes what was on its way out.
    pub(crate) fn tidy(&mut self, fs: &dyn FileFs, rights: Rights, progress: &dyn Progress) -> FsResult<()> {
        for gone in self.gone.drain(..) {
            remove_tree(fs, At::new(&self.dir, gone.name()), rights, progress)?;
            fs.sync(&self.dir)?;
        }
        if let Some(records) = &self.records {
            for (record, _) in self.stale.drain(..) {
                match fs.remove_dir(At::new(records, record.name())) {
                    // ours is empty
                    Err(fault) if fault.kind() == FaultKind::NotEmpty => {}
                    removed => removed?,
                }
            }
        }
        for name in self.left.iter_mut().filter(|name| name.bytes() == NEW.as_bytes()) {
            for number in 1u32.. {
                let aside = left_name(number);
                let (old, new) = (At::new(&self.dir, name.name()), At::new(&self.dir, aside.name()));
                match fs.rename(old, new, Existing::Keep) {
                    Err(fault) if fault.kind() == FaultKind::Exists => {}
                    renamed => {
                        renamed?;
                        *name = aside;
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// The number of the next snapshot.
    pub(crate) fn next_number(&self) -> u32 {
        const MOST: u32 = 10u32.pow(NUMBER_DIGITS as u32) - 1;
        let last = self.snapshots.last().map_or(0, |last| last.number);
        MOST.min(last + 1)
    }

    /// A name like this one that no snapshot has, nor anything else in the store.
    pub(crate) fn free_name(&self, fs: &dyn FileFs, name: Name<'_>) -> FsResult<NameBuf> {
        let mut candidate = name.to_buf();
        for number in 2u32.. {
            let mut taken = false;
            for name in [candidate.clone(), incomplete(candidate.name())] {
                taken |= match fs.stat(At::new(&self.dir, name.name())) {
                    Ok(_) => true,
                    Err(fault) if fault.kind() == FaultKind::NotFound => false,
                    Err(fault) => return Err(fault),
                };
            }
            if !taken {
                break;
            }
            candidate = [name.bytes(), format!("-{number}").as_bytes()].concat().into();
        }
        Ok(candidate)
    }

    /// Gives the new snapshot its name: the record first, then the name, in one step.
    pub(crate) fn name_new(&mut self, fs: &dyn FileFs, snapshot: Snapshot) -> FsResult<()> {
        let Some(records) = &self.records else {
            return Err(FaultKind::NotFound.into());
        };
        let record = record_name(&snapshot);
        match fs.make_dir(At::new(records, record.name())) {
            Err(fault) if fault.kind() == FaultKind::Exists => {}
            made => made?,
        }
        fs.sync(records)?;
        let new = At::new(&self.dir, Name::new(NEW));
        fs.rename(new, At::new(&self.dir, snapshot.name.name()), Existing::Keep)?;
        fs.sync(&self.dir)?;
        self.snapshots.push(snapshot);
        Ok(())
    }

    /// Removes a snapshot: it loses its name in one step, and then its content.
    pub(crate) fn remove(
        &self,
        fs: &dyn FileFs,
        snapshot: &Snapshot,
        rights: Rights,
        progress: &dyn Progress,
    ) -> FsResult<()> {
        let gone = gone_name(snapshot);
        let gone = At::new(&self.dir, gone.name());
        fs.rename(At::new(&self.dir, snapshot.name.name()), gone, Existing::Keep)?;
        // on the disk before anything inside goes: a power cut must not leave the name with less behind it
        fs.sync(&self.dir)?;
        remove_tree(fs, gone, rights, progress)?;
        // without its record nobody would know that what is left of it is ours
        fs.sync(&self.dir)?;
        match &self.records {
            Some(records) => fs.remove_dir(At::new(records, record_name(snapshot).name())),
            None => Ok(()),
        }
    }

    /// Removes what stopped runs left.
    pub(crate) fn remove_left(
        &mut self,
        fs: &dyn FileFs,
        rights: Rights,
        progress: &dyn Progress,
    ) -> FsResult<()> {
        for left in self.left.drain(..) {
            remove_tree(fs, At::new(&self.dir, left.name()), rights, progress)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_holds_time_and_name() {
        for (name, complete) in [("2026-11-21T21-00-00", true), ("x-incomplete", false)] {
            let snapshot = Snapshot {
                name: name.into(),
                time: 1_795_294_800,
                number: 12,
                complete,
            };
            assert_eq!(read_record(record_name(&snapshot).name()), Some(snapshot.clone()));
            // as earlier versions wrote it
            let old = Snapshot {
                number: 0,
                ..snapshot
            };
            assert_eq!(
                record_name(&old).name().bytes().get(..13),
                Some(&b"001795294800-"[..])
            );
            assert_eq!(read_record(record_name(&old).name()), Some(old));
        }
        for foreign in [
            "lock",
            "2026-11-21T21-00-00",
            "001795294800-",
            "00179529480x-a",
            "001795294800.0000001-a",
            "001795294800.0000000x-a",
            "",
        ] {
            assert_eq!(read_record(Name::new(foreign)), None, "{foreign}");
        }
    }

    #[test]
    fn names_that_hide_or_lead_elsewhere_are_refused() {
        for name in [
            "",
            ".",
            "..",
            ".x",
            "a/b",
            "a:b",
            "a\nb",
            "x-incomplete",
            "a?",
            "a ",
            "a.",
        ] {
            assert!(check_name(Name::new(name)).is_err(), "{name}");
        }
        assert!(check_name(Name::new(&"x".repeat(201))).is_err());
        assert!(check_name(Name::new("2026-11-21T21-00-00")).is_ok());
    }
}
