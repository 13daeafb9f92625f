//! What rows look at: on the device, and through handles.

use std::collections::BTreeMap;

use polylink_nt::NtStatus;
use polylink_nt::decide::{Access, Manner};
use polylink_nt::info::{InfoClass, LinkEntry, LinksInformation, StandardLinkInformation};
use polylink_nt::name::Namespace;
use polylink_ntfs::{Case, Entry, FileReference, Index, OpenOptions, RecordNumber, Volume};

use super::{Handle, Snapshot, World, text, units};
use crate::write::{issues, reopened};

impl World {
    /// The volume as it is on the device.
    fn look(&self) -> Volume {
        self.writer.sync().unwrap();
        reopened(&self.device)
    }

    fn entries(volume: &Volume, directory: FileReference) -> Vec<Entry> {
        let file = volume.file(directory.record()).unwrap();
        let entries = Index::open(volume, &file).unwrap().entries().unwrap();
        let users = entries
            .into_iter()
            .filter(|entry| entry.file.record() >= RecordNumber::FIRST_USER);
        users.collect()
    }

    pub(super) fn entry(&self, path: &str, case: Case) -> Option<Entry> {
        let volume = self.look();
        let parts: Vec<&str> = path.split('\\').filter(|part| !part.is_empty()).collect();
        let (last, directories) = parts.split_last()?;
        let mut at = RecordNumber::ROOT;
        for part in directories {
            let file = volume.file(at).unwrap();
            let index = Index::open(&volume, &file).unwrap();
            at = index.find(&units(part), Case::Ignored).unwrap()?.file.record();
        }
        let file = volume.file(at).unwrap();
        Index::open(&volume, &file)
            .unwrap()
            .find(&units(last), case)
            .unwrap()
    }

    pub(super) fn file_at(&self, path: &str) -> FileReference {
        match path.trim_matches('\\') {
            "" => self.writer.root().unwrap(),
            _ => self.entry(path, Case::Ignored).expect("it is there").file,
        }
    }

    /// The names in a directory, sorted.
    pub(crate) fn names(&self, directory: &str) -> Vec<String> {
        if directory == r"\D:\" {
            let elsewhere = self.elsewhere();
            let writer = elsewhere.writer();
            let volume = Volume::open(Box::new(writer.clone()), &OpenOptions::default()).unwrap();
            let entries = Self::entries(&volume, writer.root().unwrap());
            return entries.iter().map(|entry| text(&entry.name.name)).collect();
        }
        let directory = self.file_at(directory);
        let entries = Self::entries(&self.look(), directory);
        let links = entries.iter().filter(|entry| entry.name.is_link());
        let mut names: Vec<String> = links.map(|entry| text(&entry.name.name)).collect();
        names.sort();
        names
    }

    /// Whether the name is there, exactly so spelled.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.entry(path, Case::Minded).is_some()
    }

    /// Whether the name is there in any case, or as an 8.3 twin.
    pub(crate) fn finds(&self, path: &str) -> bool {
        self.entry(path, Case::Ignored).is_some()
    }

    /// The names that are kept for handles only, and those that are about to go.
    pub(crate) fn deleted_names(&self) -> Vec<String> {
        let pending = |handle: &Handle| self.standard_link(*handle).delete_pending;
        let open = (0..self.handles.len()).filter(|at| self.handles[*at].is_some());
        let mut names: Vec<String> = open
            .map(Handle)
            .filter(pending)
            .map(|handle| self.name_of(handle))
            .collect();
        if self.finds(r"\$Extend\$Deleted") {
            names.extend(self.names(r"\$Extend\$Deleted"));
        }
        names
    }

    /// That the volume makes sense, which is looked at after every fourth call.
    pub(crate) fn check(&self) {
        if self.calls.is_multiple_of(4) {
            self.writer.sync().unwrap();
            assert_eq!(issues(&self.device), [""; 0]);
        }
    }

    /// Whether two names lead to one file.
    pub(crate) fn same_file(&self, a: &str, b: &str) -> bool {
        self.file_at(a) == self.file_at(b)
    }

    /// The path of the name that a handle was opened by, as it is now.
    pub(crate) fn name_of(&self, handle: Handle) -> String {
        text(&self.nt.query_name(self.opened(handle).handle).unwrap())
    }

    /// Every name of the file that a handle was opened on, sorted: through the buffer of the query.
    pub(crate) fn links_of(&self, handle: Handle) -> Vec<String> {
        let mut buffer = vec![0; 1 << 16];
        let class = InfoClass::HardLink.number();
        let handle = self.opened(handle).handle;
        let reply = self
            .nt
            .query_information_file(handle, class, &mut buffer)
            .unwrap();
        assert_eq!(reply.status, NtStatus::SUCCESS);
        let decoded = LinksInformation::decode(&buffer[..reply.written]).unwrap();
        assert_eq!(decoded.entries, self.nt.query_links(handle).unwrap());
        let path =
            |entry: &LinkEntry| text(&self.nt.path_of(FileReference(entry.parent), &entry.name).unwrap());
        let mut names: Vec<String> = decoded.entries.iter().map(path).collect();
        names.sort();
        names
    }

    /// `NumberOfLinks`.
    pub(crate) fn number_of_links(&self, handle: Handle) -> u32 {
        self.nt.number_of_links(self.opened(handle).handle).unwrap()
    }

    /// `FileStandardLinkInformation`, through the buffer of the query.
    pub(crate) fn standard_link(&self, handle: Handle) -> StandardLinkInformation {
        let mut buffer = [0; StandardLinkInformation::LEN];
        let class = InfoClass::StandardLink.number();
        let handle = self.opened(handle).handle;
        self.nt
            .query_information_file(handle, class, &mut buffer)
            .unwrap();
        StandardLinkInformation::decode(&buffer).unwrap()
    }

    /// The counts of [`Self::standard_link`]: accessible, total, and whether the handle's name is about to go.
    pub(crate) fn counts(&self, handle: Handle) -> (u32, u32, bool) {
        let info = self.standard_link(handle);
        (info.accessible, info.total, info.delete_pending)
    }

    /// The rights that a handle was granted.
    pub(crate) fn access(&self, handle: Handle) -> Access {
        self.nt.granted(self.opened(handle).handle).unwrap()
    }

    /// How the name goes when the handle closes, if it goes.
    pub(crate) fn delete_on_close(&self, handle: Handle) -> Option<Manner> {
        self.nt.delete_on_close(self.opened(handle).handle).unwrap()
    }

    /// Whether the file that a name led to still is on the volume.
    pub(crate) fn file_exists(&self, file: FileReference) -> bool {
        let found = self.look().file(file.record());
        found.is_ok_and(|found| {
            found.reference() == file && found.base().is_some_and(|record| record.is_in_use())
        })
    }

    /// Whether the file at a path has `FILE_ATTRIBUTE_ARCHIVE`.
    pub(crate) fn archive(&self, path: &str) -> bool {
        let file = self.file_at(path);
        let file = self.look().file(file.record()).unwrap();
        file.standard_information().unwrap().attributes & 0x20 != 0
    }

    fn then(&self) -> &Snapshot {
        self.before.as_ref().expect("few names, and a call")
    }

    /// Whether the last call set the change time of the file at a path.
    pub(crate) fn just_changed(&self, path: &str) -> bool {
        let file = self.file_at(path).record();
        let now = self.snapshot();
        self.then().files.get(&file).map(|then| then.1) != now.files.get(&file).map(|now| now.1)
    }

    /// Whether the last call set the times of a directory.
    pub(crate) fn directory_just_changed(&self, path: &str) -> bool {
        let file = self.file_at(path).record();
        let now = self.snapshot();
        self.then().files.get(&file).map(|then| then.0) != now.files.get(&file).map(|now| now.0)
    }

    /// Whether the last call copied the file's information into the entry at a path.
    pub(crate) fn just_refreshed(&self, path: &str) -> bool {
        let (parent, name) = self.split(path);
        let key = (parent.record(), units(name));
        let now = self.snapshot();
        let fresh = now.entries.get(&key).expect("it is there");
        let as_the_file_is = now.files.get(&fresh.0.record()).map(|file| file.1) == Some(fresh.1.changed);
        as_the_file_is && self.then().entries.get(&key) != Some(fresh)
    }

    /// The 8.3 twin of the name at a path.
    pub(crate) fn twin(&self, path: &str) -> Option<String> {
        let entry = self.entry(path, Case::Minded).expect("it is there");
        let names = self.look().file(entry.file.record()).unwrap().names().unwrap();
        let twin = names.iter().find(|name| {
            name.namespace == Some(Namespace::Dos) && name.parent.record() == entry.name.parent.record()
        });
        let twin = twin.filter(|_| entry.name.namespace == Some(Namespace::Win32))?;
        Some(text(&twin.name))
    }

    /// Whether a file has a named stream.
    pub(crate) fn has_stream(&self, path: &str, stream: &str) -> bool {
        let file = self.file_at(path);
        let streams = self.look().file(file.record()).unwrap().data_streams().unwrap();
        streams.iter().any(|(name, _)| text(name) == stream)
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let volume = self.look();
        let mut snapshot = Snapshot {
            entries: BTreeMap::new(),
            files: BTreeMap::new(),
            handles: Vec::new(),
        };
        let mut directories = vec![self.writer.root().unwrap()];
        while let Some(directory) = directories.pop() {
            let file = volume.file(directory.record()).unwrap();
            let information = file.standard_information().unwrap();
            let times = (information.modified, information.changed, information.attributes);
            snapshot.files.insert(directory.record(), times);
            for entry in Self::entries(&volume, directory) {
                let file = volume.file(entry.file.record()).unwrap();
                let information = file.standard_information().unwrap();
                let times = (information.modified, information.changed, information.attributes);
                snapshot.files.insert(entry.file.record(), times);
                if file.is_directory() {
                    directories.push(entry.file);
                }
                let key = (directory.record(), entry.name.name.clone());
                snapshot.entries.insert(key, (entry.file, entry.name));
            }
        }
        for (number, opened) in self.handles.iter().enumerate() {
            if opened.as_ref().is_some_and(|opened| !opened.elsewhere) {
                let handle = Handle(number);
                let of = (
                    self.name_of(handle),
                    self.standard_link(handle),
                    self.delete_on_close(handle),
                    self.access(handle),
                );
                snapshot.handles.push(of);
            }
        }
        snapshot
    }

    /// All that lasts: what a refused call must leave as it was.
    pub(crate) fn state(&self) -> Snapshot {
        self.snapshot()
    }
}
