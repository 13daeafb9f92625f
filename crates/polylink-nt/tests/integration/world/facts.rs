//! Gathering the facts of a call.

use polylink_nt::decide::{
    FileFacts, HandleFacts, Kind, LinkState, Lookup, Names, NewName, OpenFacts, Opens, ParentFacts,
    ParentLookup, Reach, Relation, Spelling, StreamFacts, TargetFacts, Volume,
};
use polylink_nt::name::{self, Charset};

use super::{FileId, Handle, LinkId, OTHER_ROOT, Opened, ROOT, World, components, root_of, split};

/// What walking along a path came to.
enum Walk {
    Directory(FileId),
    Missing,
    /// The last component is a file.
    File,
    DeletePending,
    InvalidName,
}

impl World {
    pub(super) fn names_of(&self, file: FileId) -> Names {
        let (live, going): (Vec<_>, Vec<_>) = self
            .links_of_file(file)
            .partition(|link| link.state == LinkState::Listed);
        Names {
            live: live.len().try_into().expect("few names"),
            going: going.len().try_into().expect("few names"),
        }
    }

    fn opens(&self, wanted: impl Fn(&Opened) -> bool) -> Opens {
        self.all_opened()
            .filter(|opened| wanted(opened))
            .map(|opened| opened.sharing)
            .collect()
    }

    pub(super) fn file_facts(&self, id: FileId) -> FileFacts {
        let file = &self.files[id];
        FileFacts {
            kind: file.kind,
            read_only: file.read_only,
            names: self.names_of(id),
            mapping: file.mapping,
            has_entries: self.links.iter().any(|link| link.exists && link.parent == id),
            opens: self.opens(|opened| opened.file == id),
        }
    }

    pub(super) fn state_of(&self, opened: &Opened) -> LinkState {
        opened
            .link
            .map_or(LinkState::Listed, |link| self.links[link].state)
    }

    pub(super) fn handle_facts(&self, handle: Handle) -> HandleFacts {
        let opened = self.opened(handle);
        HandleFacts {
            access: opened.sharing.access,
            stream: Self::stream_kind(opened),
            link: self.state_of(opened),
            short_name: opened.link.is_some_and(|link| self.links[link].short.is_some()),
            delete_on_close: opened.delete_on_close,
            case_sensitive: opened.case_sensitive,
            keeps_change_time: opened.keeps_change_time,
            volume_root: opened.link.is_none(),
        }
    }

    /// The stream of a handle, with the handle itself not among the others.
    pub(super) fn stream_facts(&self, opened: &Opened) -> StreamFacts {
        let Some(stream) = &opened.stream else {
            return StreamFacts::default();
        };
        let key = (opened.file, stream.clone());
        let handles = self.opens(|other| other.file == opened.file && other.stream == opened.stream);
        StreamFacts {
            delete_pending: self.pending_streams.contains(&key),
            other_handles: handles.handles().saturating_sub(1),
        }
    }

    pub(super) fn handles_by(&self, link: LinkId) -> u32 {
        self.opens(|opened| opened.link == Some(link)).handles()
    }

    fn walk(&self, path: &[u16]) -> Walk {
        let (mut at, rest) = root_of(path);
        let mut below_file = false;
        for component in components(rest) {
            if below_file {
                return Walk::Missing;
            }
            if name::check(component, Charset::Win32).is_err() {
                return Walk::InvalidName;
            }
            let Some(link) = self.find(at, component, false) else {
                return Walk::Missing;
            };
            let link = &self.links[link];
            if link.state != LinkState::Listed {
                return Walk::DeletePending;
            }
            below_file = self.files[link.file].kind == Kind::File;
            at = link.file;
        }
        if below_file {
            Walk::File
        } else {
            Walk::Directory(at)
        }
    }

    /// What opening a path finds, and the file, link and directory that it leads to.
    pub(super) fn lookup(
        &self,
        path: &[u16],
        stream: Option<&str>,
    ) -> (Lookup, Option<(FileId, Option<LinkId>)>) {
        let (root, rest) = root_of(path);
        let (file, link, parent) = if components(rest).next().is_none() {
            (root, None, root)
        } else {
            let trimmed = path.strip_suffix(&[u16::from(b'\\')]).unwrap_or(path);
            let (directory, last) = split(trimmed);
            let parent = match self.walk(directory) {
                Walk::Directory(parent) => parent,
                Walk::Missing | Walk::File => return (Lookup::PathMissing, None),
                Walk::DeletePending => return (Lookup::PathDeletePending, None),
                Walk::InvalidName => return (Lookup::InvalidName, None),
            };
            if name::check(last, Charset::Win32).is_err() {
                return (Lookup::InvalidName, None);
            }
            match self.find(parent, last, false) {
                Some(link) => (self.links[link].file, Some(link), parent),
                None => return (Lookup::Missing, None),
            }
        };
        let facts = OpenFacts {
            volume: self.volume,
            file: self.file_facts(file),
            stream_opens: self.opens(|opened| opened.file == file && opened.stream.as_deref() == stream),
            main_opens: self.opens(|opened| opened.file == file && opened.stream.is_none()),
            link: link.map_or(LinkState::Listed, |link| self.links[link].state),
            reparse_point: self.files[file].reparse_point,
            rights: self.files[file].rights,
            parent_rights: self.files[parent].rights,
        };
        (Lookup::Found(facts), Some((file, link)))
    }

    /// The directory that a new name leads to: `None` where it leads to none.
    pub(super) fn destination(
        &self,
        handle: Handle,
        root: Option<Handle>,
        name: &NewName<'_>,
    ) -> (ParentLookup, Option<FileId>) {
        let source = self.opened(handle);
        let own = source.link.map_or(ROOT, |link| self.links[link].parent);
        let walked = match name.reach() {
            Reach::Beside => Walk::Directory(own),
            Reach::Absolute => self.walk(name.directory()),
            Reach::Rooted => {
                let root = self.opened(root.expect("a name with a root has one"));
                // the names of the rows are plain ones below their root
                assert!(name.directory().is_empty() || name.path.starts_with(&[0x5C]));
                match self.files[root.file].kind {
                    Kind::Directory => Walk::Directory(root.file),
                    Kind::File => Walk::File,
                }
            }
        };
        let parent = match walked {
            Walk::Directory(parent) => parent,
            Walk::Missing => return (ParentLookup::Missing, None),
            Walk::File => return (ParentLookup::BelowFile, None),
            Walk::DeletePending => return (ParentLookup::DeletePending, None),
            Walk::InvalidName => return (ParentLookup::InvalidName, None),
        };
        let facts = ParentFacts {
            volume: if self.volume_of(parent) == self.volume_of(source.file) {
                Volume::Same
            } else {
                Volume::Other
            },
            rights: self.files[parent].rights,
            opens: self.opens(|opened| opened.file == parent),
            link: self
                .links_of_file(parent)
                .next()
                .map_or(LinkState::Listed, |link| link.state),
            same_directory: parent == own,
            inside_source: self.is_inside(parent, source.file),
        };
        (ParentLookup::Found(facts), Some(parent))
    }

    fn volume_of(&self, file: FileId) -> FileId {
        match self.links_of_file(file).next() {
            Some(link) => self.volume_of(link.parent),
            None if file == OTHER_ROOT => OTHER_ROOT,
            None => ROOT,
        }
    }

    /// Whether something is a directory or lies below it.
    fn is_inside(&self, file: FileId, directory: FileId) -> bool {
        file == directory
            || self
                .links_of_file(file)
                .any(|link| self.is_inside(link.parent, directory))
    }

    pub(super) fn open_below(&self, directory: FileId) -> bool {
        self.all_opened()
            .any(|opened| opened.file != directory && self.is_inside(opened.file, directory))
    }

    /// What stands in a directory under a name.
    pub(super) fn target(
        &self,
        handle: Handle,
        parent: Option<FileId>,
        name: &[u16],
    ) -> Option<(LinkId, TargetFacts)> {
        let source = self.opened(handle);
        let id = self.find(parent?, name, source.case_sensitive)?;
        let link = &self.links[id];
        let exact = link.name == name || link.short.as_deref() == Some(name);
        let relation = if source.link == Some(id) {
            Relation::SameLink
        } else if source.file == link.file {
            Relation::SameFile
        } else {
            Relation::OtherFile
        };
        let facts = TargetFacts {
            relation,
            spelling: if exact {
                Spelling::Exact
            } else {
                Spelling::OtherCase
            },
            file: self.file_facts(link.file),
            link: link.state,
            handles_by_name: self.handles_by(id),
            rights: self.files[link.file].rights,
        };
        Some((id, facts))
    }
}
