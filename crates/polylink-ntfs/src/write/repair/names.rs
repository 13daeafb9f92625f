//! The names of one file: entries for them, a place for a file without any, and names that nothing leads to.

use polylink_nt::name::{Charset, Namespace, check};

use super::super::attributes;
use super::super::cache::Class;
use super::super::directory::{IndexName, by_exact_name, by_name, name_entry};
use super::super::files::Held;
use super::super::names::{Found, file_name};
use super::super::open::{Inner, Writer};
use super::super::state::{Removal, State};
use super::super::tree;
use super::Target;
use crate::error::{Error, Result};
use crate::file::FileName;
use crate::fix::{Step, StepKind, called};
use crate::layout::attribute::AttributeKind;
use crate::units::{FileReference, RecordNumber};

/// What the directory of a name says of it.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Standing {
    /// Its entry is as it should be.
    Indexed,
    /// Its entry says something else of the file.
    Differs(Found),
    /// There is an entry with this name for a file that has no such name.
    Dangling(Found),
    /// The directory has the entry, and is called otherwise now.
    Moved(FileReference),
    /// There is no such entry.
    Free,
    /// Another name of this or of another file is in the way.
    Taken,
    /// There is no such directory.
    NoDirectory,
    /// The directory cannot be read.
    Unknown,
}

impl Standing {
    /// Whether the name is in its directory, or can be brought there.
    fn can_stay(&self) -> bool {
        !matches!(self, Self::Taken | Self::NoDirectory | Self::Unknown)
    }
}

/// A name of a file, and what is to be done with it.
#[derive(Clone, Debug)]
struct Judged {
    held: Held,
    name: FileName,
    standing: Standing,
    /// It is to stay, or to come, as far as its standing lets it.
    keep: bool,
}

fn same_place(a: &FileName, b: &FileName) -> bool {
    a.parent.record() == b.parent.record() && a.name == b.name
}

impl State {
    pub(super) fn holds(
        &mut self,
        file: RecordNumber,
        directory: RecordNumber,
        name: &[u16],
    ) -> Result<bool> {
        let names = self.names(file)?;
        Ok(names
            .iter()
            .any(|(_, other)| other.parent.record() == directory && other.name == name))
    }

    fn standing(&mut self, file: FileReference, name: &FileName) -> Result<Standing> {
        let parent = name.parent.record();
        let now = match self.target(parent)? {
            Target::Unknown => return Ok(Standing::Unknown),
            Target::File {
                now,
                is_directory: true,
            } => now,
            _ => return Ok(Standing::NoDirectory),
        };
        let found = match self.look_up_any(parent, &name.name) {
            Err(Error::Corrupt(_)) => return Ok(Standing::Unknown),
            found => found?,
        };
        let own = found
            .as_ref()
            .is_some_and(|found| found.file.record() == file.record() && found.name.name == name.name);
        if now != name.parent {
            // the directory that stood there before is gone, unless this one has the entry
            return Ok(if own {
                Standing::Moved(now)
            } else {
                Standing::NoDirectory
            });
        }
        let Some(found) = found else {
            return Ok(Standing::Free);
        };
        if own {
            let same = found.file == file
                // one that no namespace is, is mended later; its entry says what it becomes
                && found.name.namespace_byte == name.namespace.unwrap_or(Namespace::Posix).byte()
                && found.name.parent == name.parent;
            return Ok(if same {
                Standing::Indexed
            } else {
                Standing::Differs(found)
            });
        }
        let dangling = found.name.name == name.name
            && match self.target(found.file.record())? {
                Target::Gone => true,
                Target::Unknown => false,
                Target::File { .. } => !self.holds(found.file.record(), parent, &name.name)?,
            };
        Ok(if dangling {
            Standing::Dangling(found)
        } else {
            Standing::Taken
        })
    }

    /// All names of a file, and which of them are to stay: of a directory one, of one name that it has twice one.
    fn judged(&mut self, file: FileReference, is_directory: bool) -> Result<Vec<Judged>> {
        let mut judged = Vec::new();
        for (held, name) in self.names(file.record())? {
            let standing = self.standing(file, &name)?;
            judged.push(Judged {
                held,
                name,
                standing,
                keep: true,
            });
        }
        let all = judged.clone();
        for (at, one) in judged.iter_mut().enumerate() {
            // the one that the entry speaks of stays, else the newer one
            let rank = |other: &Judged| (other.standing == Standing::Indexed, other.held.id);
            let better = all.iter().enumerate().any(|(index, other)| {
                index != at && same_place(&other.name, &one.name) && (rank(other), index) > (rank(one), at)
            });
            one.keep = !better;
        }
        if is_directory {
            self.keep_one(file, &mut judged)?;
        }
        Ok(judged)
    }

    /// Of the names of a directory the newest one stays that can be had, and its twin.
    fn keep_one(&mut self, file: FileReference, judged: &mut [Judged]) -> Result<()> {
        let mut best: Option<(u16, FileName)> = None;
        for one in judged.iter().filter(|one| one.keep && one.name.is_link()) {
            let newer = best.as_ref().is_none_or(|(id, _)| one.held.id >= *id);
            // a directory must not lie in itself
            let sound = one.standing.can_stay()
                && (file.record() == RecordNumber::ROOT
                    || !self.lies_in(one.name.parent.record(), file.record())?);
            if newer && sound {
                best = Some((one.held.id, one.name.clone()));
            }
        }
        if let Some((_, best)) = best {
            for one in judged.iter_mut() {
                let twin = !one.name.is_link() && one.name.parent.record() == best.parent.record();
                one.keep &= one.name == best || twin;
            }
        }
        Ok(())
    }

    /// The value of a name as it should be.
    fn fresh(&mut self, file: FileReference, parent: FileReference, name: &FileName) -> Result<Vec<u8>> {
        let facts = self.facts(file.record())?;
        let namespace = name.namespace.unwrap_or(Namespace::Posix);
        Ok(file_name(parent, &facts, &name.name, namespace))
    }

    /// Puts an entry for a name into its directory; `false` where another name of the file came first.
    fn add_entry(&mut self, file: FileReference, name: &FileName) -> Result<bool> {
        let key = self.fresh(file, name.parent, name)?;
        let upcase = self.upcase.clone();
        let sensitive = self.is_case_sensitive(name.parent.record())?;
        let entry = name_entry(file, &key);
        let mut index = self.directory(name.parent.record(), IndexName::Names)?;
        if sensitive {
            tree::insert(&mut index, &entry, &|a, b| by_exact_name(&upcase, a, b))
        } else {
            tree::insert(&mut index, &entry, &|a, b| by_name(&upcase, a, b))
        }
    }

    /// Where a name is held now.
    fn held_now(&mut self, base: RecordNumber, name: &FileName) -> Result<Option<Held>> {
        let names = self.names(base)?;
        Ok(names
            .into_iter()
            .find(|(_, other)| other == name)
            .map(|(held, _)| held))
    }

    /// Takes a name that no entry leads to out of a record.
    fn drop_name(&mut self, base: RecordNumber, name: &FileName) -> Result<()> {
        let Some(held) = self.held_now(base, name)? else {
            return Ok(());
        };
        self.remove_attribute(base, held, Class::Removed)?;
        let record = self.record_mut(base, Class::Removed)?;
        let count = attributes::raw_links(record).saturating_sub(1);
        attributes::set_raw_links(record, count);
        Ok(())
    }

    /// Takes names away that lead nowhere, or that a directory must not have, from a file that has another.
    fn drop_names(&mut self, base: RecordNumber) -> Result<Vec<Step>> {
        let Target::File {
            now: file,
            is_directory,
        } = self.target(base)?
        else {
            return Ok(Vec::new());
        };
        let judged = self.judged(file, is_directory)?;
        let stays = |one: &Judged| one.keep && one.standing == Standing::Indexed;
        let count = usize::from(attributes::raw_links(self.record(base)?));
        if !judged.iter().any(|one| stays(one) && one.name.is_link()) || count < judged.len() {
            return Ok(Vec::new());
        }
        let goes =
            |one: &Judged| !one.keep || matches!(one.standing, Standing::Taken | Standing::NoDirectory);
        let mut steps = Vec::new();
        for one in &judged {
            let partner = judged.iter().find(|other| {
                one.name.namespace == Some(Namespace::Dos)
                    && other.name.namespace == Some(Namespace::Win32)
                    && other.name.parent.record() == one.name.parent.record()
            });
            // an 8.3 twin goes with its long name, and never alone
            let leaves = partner.map_or_else(|| goes(one), goes);
            if !leaves {
                continue;
            }
            let twice = judged
                .iter()
                .filter(|other| same_place(&other.name, &one.name))
                .count()
                > 1;
            let spare = twice && one.standing != Standing::Indexed;
            if one.standing == Standing::Indexed && !spare {
                // the entry goes first
                self.remove_later(Removal {
                    directory: one.name.parent.record(),
                    file,
                    name: one.name.name.clone(),
                    replaced: false,
                    namespace: one.name.namespace,
                });
            } else {
                self.drop_name(base, &one.name)?;
            }
            let why = match (&one.standing, one.keep) {
                (Standing::NoDirectory, _) => "there is no such directory",
                (Standing::Taken, _) => "the directory has another name in its place",
                _ if is_directory => "a directory has one name",
                _ => "the file has it twice",
            };
            steps.push(Step::new(
                StepKind::RemoveName,
                base,
                format!("the name {} in {}", called(&one.name.name), one.name.parent),
                why,
                "removed; the file has another",
            ));
        }
        Ok(steps)
    }
}

impl Inner {
    /// Lets directories lead to the names of a file; where none can, the file gets a name in a directory for such.
    fn mend_names(&mut self, base: RecordNumber, rescue: bool) -> Result<Vec<Step>> {
        let state = &mut self.state;
        let Target::File {
            now: file,
            is_directory,
        } = state.target(base)?
        else {
            return Ok(Vec::new());
        };
        let judged = state.judged(file, is_directory)?;
        let mut steps = Vec::new();
        let (mut reached, mut unknown) = (false, false);
        for one in judged.iter().filter(|one| one.keep) {
            let name = &one.name;
            let step = |kind, before: &str, after: &str| {
                let what = format!("the entry {} in {}", called(&name.name), name.parent);
                Step::new(kind, base, what, before, after)
            };
            match &one.standing {
                Standing::Indexed => {}
                Standing::Free => {
                    if !state.add_entry(file, name)? {
                        continue;
                    }
                    steps.push(step(StepKind::AddEntry, "none", "made"));
                }
                Standing::Differs(found) => {
                    let key = state.fresh(file, name.parent, name)?;
                    state.redirect(name.parent.record(), found, file, &key)?;
                    steps.push(step(
                        StepKind::CorrectEntry,
                        "not as the file has it",
                        "corrected",
                    ));
                }
                Standing::Dangling(found) => {
                    let key = state.fresh(file, name.parent, name)?;
                    state.redirect(name.parent.record(), found, file, &key)?;
                    let before = format!("leads to {}, which has no such name", found.file);
                    steps.push(step(StepKind::CorrectEntry, &before, "leads to the file"));
                }
                Standing::Moved(now) => {
                    let value = state.fresh(file, *now, name)?;
                    let attribute = attributes::resident(AttributeKind::FILE_NAME, &[], &value);
                    if let Some(held) = state.held_now(base, name)? {
                        let class = state.base_class;
                        state.replace_attribute(base, held, &attribute, class)?;
                    }
                    steps.push(Step::new(
                        StepKind::CorrectName,
                        base,
                        format!("the directory of the name {}", called(&name.name)),
                        name.parent.to_string(),
                        now.to_string(),
                    ));
                }
                Standing::Taken | Standing::NoDirectory => continue,
                Standing::Unknown => {
                    unknown = true;
                    continue;
                }
            }
            reached |= name.is_link();
        }
        let lost = !reached && !unknown && base >= RecordNumber::FIRST_SPARE;
        if lost || (rescue && is_directory) {
            steps.push(self.rescue(file, &judged)?);
        }
        Ok(steps)
    }

    /// Gives a file a name where it can be reached, whose directories are all beyond repair.
    fn rescue_from(&mut self, base: RecordNumber) -> Result<Vec<Step>> {
        let Target::File {
            now: file,
            is_directory,
        } = self.state.target(base)?
        else {
            return Ok(Vec::new());
        };
        let judged = self.state.judged(file, is_directory)?;
        let lost = judged
            .iter()
            .filter(|one| one.name.is_link())
            .all(|one| one.standing == Standing::Unknown);
        if !lost || base < RecordNumber::FIRST_SPARE {
            return Ok(Vec::new());
        }
        Ok(vec![self.rescue(file, &judged)?])
    }

    /// Gives a file that no directory leads to a name in one that is made for such files.
    fn rescue(&mut self, file: FileReference, judged: &[Judged]) -> Result<Step> {
        let directory = self.found_directory()?;
        let old = judged.iter().map(|one| &one.name).find(|name| name.is_link());
        let plain = format!("file {}", file.record());
        let mut name: Vec<u16> = match old {
            Some(old) if check(&old.name, Charset::Win32).is_ok() => old.name.clone(),
            _ => plain.encode_utf16().collect(),
        };
        let mut next = 1_u32;
        while self.state.look_up_any(directory.record(), &name)?.is_some() {
            name = match next {
                1 => plain.encode_utf16().collect(),
                next => format!("{plain} ({next})").encode_utf16().collect(),
            };
            next = next.saturating_add(1);
        }
        self.state
            .add_name(file, directory, &name, Namespace::Posix, u32::MAX)?;
        let what = match old {
            Some(old) => format!("the file {}", called(&old.name)),
            None => "the file".to_owned(),
        };
        let after = format!("{} in the directory {directory}", called(&name));
        Ok(Step::new(
            StepKind::Rescue,
            file.record(),
            what,
            "no directory leads to it",
            after,
        ))
    }

    /// `found.000` in the root, or the next that can be had.
    fn found_directory(&mut self) -> Result<FileReference> {
        let root = self.state.reference(RecordNumber::ROOT)?;
        for number in 0..1000_u32 {
            let name: Vec<u16> = format!("found.{number:03}").encode_utf16().collect();
            let Some(found) = self.state.look_up_any(RecordNumber::ROOT, &name)? else {
                return self.create(root, &name, true, 0);
            };
            if let Target::File {
                now,
                is_directory: true,
            } = self.state.target(found.file.record())?
                && now == found.file
            {
                return Ok(now);
            }
        }
        Err(polylink_nt::NtStatus::OBJECT_NAME_COLLISION.into())
    }
}

impl Writer {
    /// Adds the entries that a file's names lack, and a name where it has none that can be reached; with `rescue` also
    /// where it can, which breaks a circle of directories.
    pub(crate) fn mend_names(&self, base: RecordNumber, rescue: bool) -> Result<Vec<Step>> {
        self.mend(|inner| inner.mend_names(base, rescue))
    }

    /// Gives a file a name where it can be reached, whose directories are all beyond repair.
    pub(crate) fn rescue(&self, base: RecordNumber) -> Result<Vec<Step>> {
        self.mend(|inner| inner.rescue_from(base))
    }

    /// Takes the names of a file away that lead nowhere.
    pub(crate) fn drop_names(&self, base: RecordNumber) -> Result<Vec<Step>> {
        self.mend(|inner| inner.state.drop_names(base))
    }
}
