//! Namespaces: 8.3 names and the long names that they belong to.

use polylink_nt::name::Namespace;
use polylink_nt::short;

use super::super::attributes;
use super::super::names::file_name;
use super::super::open::Writer;
use super::super::state::{Removal, State};
use super::Target;
use crate::error::Result;
use crate::file::FileName;
use crate::fix::{Step, StepKind, called};
use crate::layout::attribute::AttributeKind;
use crate::units::RecordNumber;

/// The namespace that each of a file's names should have: a long name has one twin in its directory, and a twin one long
/// name. What has none is a name by itself.
fn wanted(names: &[FileName]) -> Vec<Namespace> {
    let mut all: Vec<Namespace> = names
        .iter()
        .map(|name| match name.namespace {
            Some(Namespace::Dos | Namespace::Win32AndDos) if !short::is_short(&name.name) => Namespace::Posix,
            Some(namespace) => namespace,
            None => Namespace::Posix,
        })
        .collect();
    let of = |all: &[Namespace], wanted: Namespace| -> Vec<usize> {
        let places = all
            .iter()
            .enumerate()
            .filter(|(_, namespace)| **namespace == wanted);
        places.map(|(at, _)| at).collect()
    };
    let parent = |at: usize| names.get(at).map(|name| name.parent);
    let (longs, twins) = (of(&all, Namespace::Win32), of(&all, Namespace::Dos));
    // a file has one pair
    let pair = longs
        .iter()
        .find_map(|long| Some((*long, *twins.iter().find(|twin| parent(**twin) == parent(*long))?)));
    for at in longs.into_iter().chain(twins) {
        let paired = pair.is_some_and(|(long, twin)| at == long || at == twin);
        if let Some(namespace) = all.get_mut(at).filter(|_| !paired) {
            *namespace = Namespace::Posix;
        }
    }
    all
}

impl State {
    /// Gives the names of a file the namespaces that they should have, in its record and in the directories.
    fn mend_namespaces(&mut self, base: RecordNumber) -> Result<Vec<Step>> {
        let Target::File {
            now: file,
            is_directory,
        } = self.target(base)?
        else {
            return Ok(Vec::new());
        };
        let held = self.names(base)?;
        let names: Vec<FileName> = held.into_iter().map(|(_, name)| name).collect();
        let mut steps = Vec::new();
        for (name, namespace) in names.iter().zip(wanted(&names)) {
            if name.namespace == Some(namespace) {
                continue;
            }
            let parent = name.parent.record();
            let what = format!("the name {} in {}", called(&name.name), name.parent);
            let before = format!("namespace {}", name.namespace_byte);
            let other = names.iter().any(|other| other != name && other.is_link());
            let entry = self.look_up_any(parent, &name.name)?;
            let entry = entry.filter(|found| found.file == file && found.name.name == name.name);
            if is_directory && name.namespace == Some(Namespace::Dos) && other && entry.is_some() {
                // a directory has one name
                self.remove_later(Removal {
                    directory: parent,
                    file,
                    name: name.name.clone(),
                    replaced: false,
                    namespace: name.namespace,
                });
                steps.push(Step::new(StepKind::RemoveName, base, what, before, "removed"));
                continue;
            }
            let facts = self.facts(base)?;
            let value = file_name(name.parent, &facts, &name.name, namespace);
            let now = self.names(base)?;
            let Some((held, _)) = now.into_iter().find(|(_, other)| other == name) else {
                continue;
            };
            let class = self.base_class;
            let attribute = attributes::resident(AttributeKind::FILE_NAME, &[], &value);
            self.replace_attribute(base, held, &attribute, class)?;
            if let Some(entry) = entry {
                self.redirect(parent, &entry, file, &value)?;
            }
            let after = format!("namespace {}", namespace.byte());
            steps.push(Step::new(StepKind::CorrectName, base, what, before, after));
        }
        self.hints.remove(&base);
        Ok(steps)
    }
}

impl Writer {
    /// Lets long names and 8.3 names belong together, or be names by themselves.
    pub(crate) fn mend_namespaces(&self, base: RecordNumber) -> Result<Vec<Step>> {
        self.mend(|inner| inner.state.mend_namespaces(base))
    }
}
