//! A volume in memory that decides nothing: it keeps files, names and handles, gathers the facts of each call, asks
//! `polylink_nt::decide`, and does what the action says.
//!
//! Paths are `\dir\name` here, `\D:\name` is on another volume. Setting up (making files, giving rights) asks nobody.

mod calls;
mod facts;
mod win32;

use std::collections::BTreeSet;

use polylink_nt::NtStatus;
use polylink_nt::decide::{
    Access, Kind, LinkState, Manner, Mapping, Notice, OpenOptions, Share, Sharing, Stream, UsnReason,
    VolumeFacts,
};
use polylink_nt::info::StandardLinkInformation;
use polylink_nt::upcase::UpcaseTable;

pub(crate) use calls::{Flags, R0, R1, Request, Target, absolute, ex};
pub(crate) use win32::Moved;

/// Rights as rows have them.
pub(crate) const READ: Access = Access::READ_DATA;
pub(crate) const DELETE: Access = Access::DELETE;
pub(crate) const WRITE_AND_DELETE: Access = Access::GENERIC_WRITE.union(Access::DELETE);
/// Share mode 0.
pub(crate) const ALONE: Share = Share::empty();
pub(crate) const SHARED: Share = Share::all();
pub(crate) const NO_OPTIONS: OpenOptions = OpenOptions::empty();

pub(crate) type FileId = usize;
pub(crate) type LinkId = usize;

const ROOT: FileId = 0;
const OTHER_ROOT: FileId = 1;
/// `\$Extend\$Deleted`
const DELETED: FileId = 2;

/// A handle that was opened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Handle(usize);

#[derive(Clone, PartialEq, Eq, Debug)]
struct File {
    kind: Kind,
    read_only: bool,
    archive: bool,
    mapping: Mapping,
    rights: Access,
    reparse_point: bool,
    /// When its change time was set last, and of a directory the times that an entry brings.
    changed: u64,
    entries_changed: u64,
    exists: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Link {
    file: FileId,
    parent: FileId,
    name: Vec<u16>,
    short: Option<Vec<u16>>,
    state: LinkState,
    /// When what it repeats of the file was copied last.
    refreshed: u64,
    exists: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Opened {
    file: FileId,
    /// `None`: the root.
    link: Option<LinkId>,
    sharing: Sharing,
    stream: Option<String>,
    delete_on_close: Option<Manner>,
    posix_deleter: bool,
    case_sensitive: bool,
    keeps_change_time: bool,
}

/// The volume.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct World {
    pub(crate) volume: VolumeFacts,
    files: Vec<File>,
    links: Vec<Link>,
    handles: Vec<Option<Opened>>,
    /// Named streams that are about to go.
    pending_streams: BTreeSet<(FileId, String)>,
    streams: BTreeSet<(FileId, String)>,
    /// What watchers were told by the last call, and the journal of it.
    pub(crate) notices: Vec<Notice>,
    pub(crate) usn: UsnReason,
    pub(crate) victim_usn: UsnReason,
    clock: u64,
}

pub(crate) fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn text(units: &[u16]) -> String {
    String::from_utf16_lossy(units)
}

fn upcase() -> &'static UpcaseTable {
    UpcaseTable::windows()
}

impl World {
    /// An empty NTFS volume.
    pub(crate) fn new() -> Self {
        let directory = File {
            kind: Kind::Directory,
            ..plain_file()
        };
        Self {
            volume: VolumeFacts::NTFS,
            files: vec![directory; 3],
            links: Vec::new(),
            handles: Vec::new(),
            pending_streams: BTreeSet::new(),
            streams: BTreeSet::new(),
            notices: Vec::new(),
            usn: UsnReason::empty(),
            victim_usn: UsnReason::empty(),
            clock: 0,
        }
    }

    // ---- setting up

    fn make(&mut self, path: &str, file: File) -> FileId {
        let id = self.files.len();
        self.files.push(file);
        self.add_name(path, id);
        id
    }

    fn add_name(&mut self, path: &str, file: FileId) {
        let path = units(path);
        let (directory, name) = split(&path);
        let parent = self
            .directory_at(directory)
            .expect("the setup's directory exists");
        assert!(
            self.find(parent, name, false).is_none(),
            "the setup's name is free"
        );
        self.links.push(Link {
            file,
            parent,
            name: name.to_vec(),
            short: None,
            state: LinkState::Listed,
            refreshed: 0,
            exists: true,
        });
    }

    /// Makes a file.
    pub(crate) fn file(&mut self, path: &str) -> FileId {
        self.make(path, plain_file())
    }

    /// Makes a directory.
    pub(crate) fn dir(&mut self, path: &str) -> FileId {
        self.make(
            path,
            File {
                kind: Kind::Directory,
                ..plain_file()
            },
        )
    }

    /// Makes a symbolic link, which is a reparse point on a file.
    pub(crate) fn symlink(&mut self, path: &str) -> FileId {
        self.make(
            path,
            File {
                reparse_point: true,
                ..plain_file()
            },
        )
    }

    /// Gives a file one more name.
    pub(crate) fn second_name(&mut self, existing: &str, new: &str) {
        let file = self.file_at(existing);
        self.add_name(new, file);
    }

    /// Gives a name its 8.3 twin.
    pub(crate) fn short_name(&mut self, path: &str, short: &str) {
        let link = self.link_at(path);
        self.links[link].short = Some(units(short));
    }

    /// Adds a named stream to a file.
    pub(crate) fn stream(&mut self, path: &str, stream: &str) {
        let file = self.file_at(path);
        self.streams.insert((file, stream.to_owned()));
    }

    pub(crate) fn read_only(&mut self, path: &str) {
        let file = self.file_at(path);
        self.files[file].read_only = true;
    }

    /// Maps a file into memory; no handle stays.
    pub(crate) fn map(&mut self, path: &str, mapping: Mapping) {
        let file = self.file_at(path);
        self.files[file].mapping = mapping;
    }

    /// Sets what the caller may do to a file or directory.
    pub(crate) fn rights(&mut self, path: &str, rights: Access) {
        let file = self.file_at(path);
        self.files[file].rights = rights;
    }

    /// From now on the handle's change time stays what it is.
    pub(crate) fn keep_change_time(&mut self, handle: Handle) {
        self.opened_mut(handle).keeps_change_time = true;
    }

    /// From now on names are compared exactly through the handle.
    pub(crate) fn compare_case(&mut self, handle: Handle) {
        self.opened_mut(handle).case_sensitive = true;
    }

    // ---- looking

    /// The names in a directory, sorted.
    pub(crate) fn names(&self, directory: &str) -> Vec<String> {
        let parent = self
            .directory_at(&units(directory))
            .expect("the directory exists");
        let mut names: Vec<String> = self
            .links
            .iter()
            .filter(|link| link.exists && link.parent == parent)
            .map(|link| text(&link.name))
            .collect();
        names.sort();
        names
    }

    /// Whether the name is there, exactly so spelled.
    pub(crate) fn has(&self, path: &str) -> bool {
        let path = units(path);
        let (directory, name) = split(&path);
        self.directory_at(directory)
            .and_then(|parent| self.find(parent, name, true))
            .is_some()
    }

    /// Whether the name is there in any case, or as an 8.3 twin.
    pub(crate) fn finds(&self, path: &str) -> bool {
        self.link_like(path).is_some()
    }

    /// Whether two names lead to one file.
    pub(crate) fn same_file(&self, a: &str, b: &str) -> bool {
        self.file_at(a) == self.file_at(b)
    }

    /// The path of the name that a handle was opened by, as it is now.
    pub(crate) fn name_of(&self, handle: Handle) -> String {
        match self.opened(handle).link {
            Some(link) => self.path_of(&self.links[link]),
            None => r"\".to_owned(),
        }
    }

    fn path_of(&self, link: &Link) -> String {
        let above = match link.parent {
            ROOT => String::new(),
            OTHER_ROOT => r"\D:".to_owned(),
            DELETED => r"\$Extend\$Deleted".to_owned(),
            parent => {
                let above = self.links.iter().find(|link| link.exists && link.file == parent);
                self.path_of(above.expect("a directory has a name"))
            }
        };
        format!("{above}\\{}", text(&link.name))
    }

    /// Every name of the file that a handle was opened on, sorted (`FileHardLinkInformation`).
    pub(crate) fn links_of(&self, handle: Handle) -> Vec<String> {
        let file = self.opened(handle).file;
        let mut names: Vec<String> = self.links_of_file(file).map(|link| self.path_of(link)).collect();
        names.sort();
        names
    }

    /// `NumberOfLinks`.
    pub(crate) fn number_of_links(&self, handle: Handle) -> u32 {
        self.names_of(self.opened(handle).file).number_of_links()
    }

    /// `FileStandardLinkInformation`.
    pub(crate) fn standard_link(&self, handle: Handle) -> StandardLinkInformation {
        let opened = self.opened(handle);
        let kind = self.files[opened.file].kind;
        let pending = self.stream_facts(opened).delete_pending;
        self.names_of(opened.file)
            .standard_link(kind, self.state_of(opened), pending)
    }

    /// The counts of [`Self::standard_link`]: accessible, total, and whether the handle's name is about to go.
    pub(crate) fn counts(&self, handle: Handle) -> (u32, u32, bool) {
        let info = self.standard_link(handle);
        (info.accessible, info.total, info.delete_pending)
    }

    /// The rights that a handle was granted.
    pub(crate) fn access(&self, handle: Handle) -> Access {
        self.opened(handle).sharing.access
    }

    /// How the name goes when the handle closes, if it goes.
    pub(crate) fn delete_on_close(&self, handle: Handle) -> Option<Manner> {
        self.opened(handle).delete_on_close
    }

    /// Whether the file that a name led to still is on the volume.
    pub(crate) fn file_exists(&self, file: FileId) -> bool {
        self.files[file].exists
    }

    /// Whether the file at a path has `FILE_ATTRIBUTE_ARCHIVE`.
    pub(crate) fn archive(&self, path: &str) -> bool {
        self.files[self.file_at(path)].archive
    }

    /// Whether the last call set the change time of the file at a path.
    pub(crate) fn just_changed(&self, path: &str) -> bool {
        self.files[self.file_at(path)].changed == self.clock
    }

    /// Whether the last call set the times of a directory.
    pub(crate) fn directory_just_changed(&self, path: &str) -> bool {
        let directory = self.directory_at(&units(path)).expect("the directory exists");
        self.files[directory].entries_changed == self.clock
    }

    /// Whether the last call copied the file's information into the entry at a path.
    pub(crate) fn just_refreshed(&self, path: &str) -> bool {
        self.links[self.link_at(path)].refreshed == self.clock
    }

    /// The 8.3 twin of the name at a path.
    pub(crate) fn twin(&self, path: &str) -> Option<String> {
        self.links[self.link_at(path)].short.as_deref().map(text)
    }

    /// All that lasts: what a refused call must leave as it was.
    pub(crate) fn state(&self) -> impl PartialEq + std::fmt::Debug + use<> {
        (
            self.files.clone(),
            self.links.clone(),
            self.handles.iter().flatten().cloned().collect::<Vec<_>>(),
            self.pending_streams.clone(),
            self.streams.clone(),
        )
    }

    /// Makes a file where its directory is there and its name is free.
    pub(crate) fn make_if_free(&mut self, path: &str) {
        let name = units(path);
        let (directory, last) = split(&name);
        let free = self.directory_at(directory).is_some_and(|parent| {
            let fits = self.files[parent].kind == Kind::Directory;
            fits && !self.is_going(parent) && self.find(parent, last, false).is_none()
        });
        if free {
            self.file(path);
        }
    }

    fn is_going(&self, file: FileId) -> bool {
        self.links_of_file(file)
            .any(|link| link.state != LinkState::Listed || self.is_going(link.parent))
    }

    /// The names that are about to go, and those that are kept for handles only.
    pub(crate) fn deleted_names(&self) -> Vec<String> {
        self.links
            .iter()
            .filter(|link| link.exists && link.state != LinkState::Listed)
            .map(|link| self.path_of(link))
            .collect()
    }

    /// That the volume makes sense.
    pub(crate) fn check(&self) {
        for (id, file) in self.files.iter().enumerate().skip(DELETED + 1) {
            let names = self.links_of_file(id).count();
            assert_eq!(file.exists, names > 0, "a file is there as long as it has a name");
            let directory = file.kind == Kind::Directory;
            assert!(!directory || names <= 1, "a directory has one name");
        }
        for (id, link) in self.links.iter().enumerate().filter(|(_, link)| link.exists) {
            assert_eq!(self.files[link.parent].kind, Kind::Directory);
            assert!(self.files[link.parent].exists, "a name is in a directory");
            let twice = self.links.iter().skip(id + 1).any(|other| {
                other.exists && other.parent == link.parent && upcase().same(&other.name, &link.name)
            });
            assert!(!twice, "{} is there once", text(&link.name));
            assert_eq!(link.state == LinkState::Parked, link.parent == DELETED);
            let going = link.state != LinkState::Listed;
            assert!(!going || self.handles_by(id) > 0, "what is about to go is open");
        }
        for opened in self.all_opened() {
            assert!(self.files[opened.file].exists);
            assert!(opened.link.is_none_or(|link| self.links[link].exists));
        }
    }

    // ---- inside

    fn opened(&self, handle: Handle) -> &Opened {
        self.handles[handle.0].as_ref().expect("the handle is open")
    }

    fn opened_mut(&mut self, handle: Handle) -> &mut Opened {
        self.handles[handle.0].as_mut().expect("the handle is open")
    }

    fn all_opened(&self) -> impl Iterator<Item = &Opened> {
        self.handles.iter().flatten()
    }

    fn links_of_file(&self, file: FileId) -> impl Iterator<Item = &Link> {
        self.links
            .iter()
            .filter(move |link| link.exists && link.file == file)
    }

    fn link_at(&self, path: &str) -> LinkId {
        let path = units(path);
        let (directory, name) = split(&path);
        self.directory_at(directory)
            .and_then(|parent| self.find(parent, name, true))
            .unwrap_or_else(|| panic!("{} is there", text(&path)))
    }

    /// What an open of the path would look at, whatever its case.
    fn link_like(&self, path: &str) -> Option<LinkId> {
        let path = units(path);
        let (directory, name) = split(&path);
        self.find(self.directory_at(directory)?, name, false)
    }

    fn file_at(&self, path: &str) -> FileId {
        match path {
            r"\" => ROOT,
            r"\D:\" => OTHER_ROOT,
            _ => self.links[self.link_like(path).expect("it is there")].file,
        }
    }

    /// The link that a name in a directory leads to: by its long or its 8.3 name.
    fn find(&self, parent: FileId, name: &[u16], exact: bool) -> Option<LinkId> {
        let fits = |known: &[u16]| {
            if exact {
                known == name
            } else {
                upcase().same(known, name)
            }
        };
        self.links.iter().position(|link| {
            link.exists
                && link.parent == parent
                && (fits(&link.name) || link.short.as_deref().is_some_and(fits))
        })
    }

    /// The directory at a path that is known to be right.
    fn directory_at(&self, path: &[u16]) -> Option<FileId> {
        let (root, rest) = root_of(path);
        components(rest).try_fold(root, |parent, name| {
            let link = self.find(parent, name, false)?;
            Some(self.links[link].file)
        })
    }

    fn stream_kind(opened: &Opened) -> Stream {
        match opened.stream {
            Some(_) => Stream::Named,
            None => Stream::Main,
        }
    }
}

fn plain_file() -> File {
    File {
        kind: Kind::File,
        read_only: false,
        archive: false,
        mapping: Mapping::None,
        rights: Access::ALL,
        reparse_point: false,
        changed: 0,
        entries_changed: 0,
        exists: true,
    }
}

/// The directory part and the last component.
fn split(path: &[u16]) -> (&[u16], &[u16]) {
    match path.iter().rposition(|unit| *unit == u16::from(b'\\')) {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (&[], path),
    }
}

/// The volume's root, and the path below it.
fn root_of(path: &[u16]) -> (FileId, &[u16]) {
    match path {
        [0x5C, 0x44, 0x3A, rest @ ..] => (OTHER_ROOT, rest),
        _ => (ROOT, path),
    }
}

fn components(path: &[u16]) -> impl Iterator<Item = &[u16]> {
    path.split(|unit| *unit == u16::from(b'\\'))
        .filter(|component| !component.is_empty())
}

/// What a call came to.
pub(crate) type Outcome = Result<(), NtStatus>;
