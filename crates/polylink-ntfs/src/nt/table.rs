//! Who has what open, and the names that are in no ordinary state.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use polylink_nt::NtStatus;
use polylink_nt::decide::{LinkState, Manner, Mapping, Opens, Sharing, VolumeFacts};

use super::Handle;
use crate::units::{FileReference, RecordNumber};

/// Numbers of handles in a system: all its volumes take theirs from here.
#[derive(Debug)]
pub(super) struct Numbers {
    used: Mutex<(BTreeSet<u32>, u32)>,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            used: Mutex::new((BTreeSet::new(), 0)),
        }
    }
}

impl Numbers {
    fn lock(&self) -> MutexGuard<'_, (BTreeSet<u32>, u32)> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that was not used for long: multiples of 4, as NT's are.
    pub(super) fn take(&self) -> u32 {
        let mut used = self.lock();
        loop {
            let next = used.1.wrapping_add(4).max(4);
            used.1 = next;
            if used.0.insert(next) {
                return next;
            }
        }
    }

    pub(super) fn give_back(&self, number: u32) {
        self.lock().0.remove(&number);
    }

    pub(super) fn is_used(&self, number: u32) -> bool {
        self.lock().0.contains(&number)
    }
}

/// A name that somebody has a file open by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct LinkId(u64);

impl LinkId {
    /// A name for it where names are kept for handles only.
    pub(super) fn parked(self, file: FileReference) -> Vec<u16> {
        format!("{:016X}{:08X}", file.0, self.0).encode_utf16().collect()
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Link {
    pub(super) file: FileReference,
    pub(super) parent: FileReference,
    pub(super) name: Vec<u16>,
    pub(super) state: LinkState,
    pub(super) handles: u32,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Opened {
    pub(super) file: FileReference,
    /// `None`: the root.
    pub(super) link: Option<LinkId>,
    pub(super) sharing: Sharing,
    /// The named stream; empty for the file's own content, or the directory.
    pub(super) stream: Vec<u16>,
    pub(super) delete_on_close: Option<Manner>,
    pub(super) posix_deleter: bool,
    pub(super) case_sensitive: bool,
    pub(super) keeps_change_time: bool,
}

/// What is known of a file that is open or mapped.
#[derive(Clone, PartialEq, Eq, Debug)]
struct OpenFile {
    all: Opens,
    streams: HashMap<Vec<u16>, Opens>,
    mapping: Mapping,
}

/// All of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Table {
    pub(super) facts: VolumeFacts,
    handles: BTreeMap<Handle, Opened>,
    links: BTreeMap<LinkId, Link>,
    by_name: HashMap<(RecordNumber, Vec<u16>), LinkId>,
    files: HashMap<FileReference, OpenFile>,
    /// Named streams that are about to go.
    pub(super) pending_streams: BTreeSet<(u64, Vec<u16>)>,
    last_link: u64,
}

impl Table {
    pub(super) fn new(facts: VolumeFacts) -> Self {
        Self {
            facts,
            handles: BTreeMap::new(),
            links: BTreeMap::new(),
            by_name: HashMap::new(),
            files: HashMap::new(),
            pending_streams: BTreeSet::new(),
            last_link: 0,
        }
    }

    pub(super) fn opened(&self, handle: Handle) -> Result<&Opened, NtStatus> {
        self.handles.get(&handle).ok_or(NtStatus::INVALID_HANDLE)
    }

    pub(super) fn opened_mut(&mut self, handle: Handle) -> Result<&mut Opened, NtStatus> {
        self.handles.get_mut(&handle).ok_or(NtStatus::INVALID_HANDLE)
    }

    pub(super) fn handles(&self) -> impl Iterator<Item = &Opened> {
        self.handles.values()
    }

    pub(super) fn handles_by_mut(&mut self, link: LinkId) -> impl Iterator<Item = &mut Opened> {
        self.handles
            .values_mut()
            .filter(move |opened| opened.link == Some(link))
    }

    pub(super) fn link(&self, id: LinkId) -> Result<&Link, NtStatus> {
        // a handle's link is there as long as the handle
        self.links.get(&id).ok_or(NtStatus::INVALID_HANDLE)
    }

    pub(super) fn set_state(&mut self, id: LinkId, state: LinkState) {
        if let Some(link) = self.links.get_mut(&id) {
            link.state = state;
        }
    }

    pub(super) fn find_link(&self, parent: FileReference, name: &[u16]) -> Option<(LinkId, &Link)> {
        let id = *self.by_name.get(&(parent.record(), name.to_vec()))?;
        Some((id, self.links.get(&id)?))
    }

    /// The state of a name, whether anybody has a file open by it or not.
    pub(super) fn state_of(&self, parent: FileReference, name: &[u16]) -> LinkState {
        self.find_link(parent, name)
            .map_or(LinkState::Listed, |(_, link)| link.state)
    }

    /// Names of a file that are about to go, or parked.
    pub(super) fn going(&self, file: FileReference) -> u32 {
        let links = self.links.values();
        let going = links.filter(|link| link.file == file && link.state != LinkState::Listed);
        u32::try_from(going.count()).unwrap_or(u32::MAX)
    }

    /// The state of a directory's own name.
    pub(super) fn state_of_file(&self, file: FileReference) -> LinkState {
        let link = self.links.values().find(|link| link.file == file);
        link.map_or(LinkState::Listed, |link| link.state)
    }

    /// The link of a name, known from now on.
    pub(super) fn know(&mut self, file: FileReference, parent: FileReference, name: &[u16]) -> LinkId {
        if let Some((id, _)) = self.find_link(parent, name) {
            return id;
        }
        self.last_link = self.last_link.saturating_add(1);
        let id = LinkId(self.last_link);
        self.by_name.insert((parent.record(), name.to_vec()), id);
        let link = Link {
            file,
            parent,
            name: name.to_vec(),
            state: LinkState::Listed,
            handles: 0,
        };
        self.links.insert(id, link);
        id
    }

    /// A name is another one now, or elsewhere.
    pub(super) fn moved(&mut self, id: LinkId, parent: FileReference, name: &[u16]) {
        if let Some(link) = self.links.get_mut(&id) {
            self.by_name.remove(&(link.parent.record(), link.name.clone()));
            link.parent = parent;
            link.name = name.to_vec();
            self.by_name.insert((parent.record(), name.to_vec()), id);
        }
    }

    /// All handles by one name are by another from now on, and the first is forgotten.
    pub(super) fn merge(&mut self, from: LinkId, into: LinkId) {
        let mut moved = 0_u32;
        for opened in self.handles_by_mut(from) {
            opened.link = Some(into);
            moved = moved.saturating_add(1);
        }
        if let Some(link) = self.links.get_mut(&into) {
            link.handles = link.handles.saturating_add(moved);
        }
        self.forget(from);
    }

    fn forget(&mut self, id: LinkId) {
        if let Some(link) = self.links.remove(&id) {
            self.by_name.remove(&(link.parent.record(), link.name));
        }
    }

    fn file_mut(&mut self, file: FileReference) -> &mut OpenFile {
        self.files.entry(file).or_insert_with(|| OpenFile {
            all: Opens::NONE,
            streams: HashMap::new(),
            mapping: Mapping::None,
        })
    }

    pub(super) fn open(&mut self, handle: Handle, opened: Opened) {
        if let Some(link) = opened.link.and_then(|link| self.links.get_mut(&link)) {
            link.handles = link.handles.saturating_add(1);
        }
        let file = self.file_mut(opened.file);
        file.all.add(opened.sharing);
        let stream = file.streams.entry(opened.stream.clone()).or_default();
        stream.add(opened.sharing);
        self.handles.insert(handle, opened);
    }

    pub(super) fn close(&mut self, handle: Handle) {
        let Some(opened) = self.handles.remove(&handle) else {
            return;
        };
        if let Some(file) = self.files.get_mut(&opened.file) {
            file.all.remove(opened.sharing);
            if let Some(stream) = file.streams.get_mut(&opened.stream) {
                stream.remove(opened.sharing);
                if !stream.any() {
                    file.streams.remove(&opened.stream);
                }
            }
            if !file.all.any() && file.mapping == Mapping::None {
                self.files.remove(&opened.file);
            }
        }
        let Some(id) = opened.link else { return };
        if let Some(link) = self.links.get_mut(&id) {
            link.handles = link.handles.saturating_sub(1);
            if link.handles == 0 {
                self.forget(id);
            }
        }
    }

    pub(super) fn opens(&self, file: FileReference) -> Opens {
        self.files.get(&file).map_or(Opens::NONE, |file| file.all)
    }

    pub(super) fn stream_opens(&self, file: FileReference, stream: &[u16]) -> Opens {
        let file = self.files.get(&file);
        let stream = file.and_then(|file| file.streams.get(stream));
        stream.copied().unwrap_or(Opens::NONE)
    }

    pub(super) fn mapping(&self, file: FileReference) -> Mapping {
        self.files.get(&file).map_or(Mapping::None, |file| file.mapping)
    }

    pub(super) fn set_mapping(&mut self, file: FileReference, mapping: Mapping) {
        self.file_mut(file).mapping = mapping;
    }
}
