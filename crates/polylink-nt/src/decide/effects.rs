//! What else happens with a change of names: times, attributes, notifications, journal.

use bitflags::bitflags;

bitflags! {
    /// What is brought up to date with a change.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct Updates: u8 {
        /// The times of last write, last access and change of the directory that the name came to are now.
        const DESTINATION_TIMES = 0x1;
        /// The same of the directory that the name came from.
        const SOURCE_TIMES = 0x2;
        /// The file's change time is now.
        const CHANGE_TIME = 0x4;
        /// The file gets `FILE_ATTRIBUTE_ARCHIVE`.
        const ARCHIVE = 0x8;
        /// What the directory entry repeats of the file (times, sizes, attributes, tag) is copied into it anew, into
        /// the entry of the name concerned only (\[MS-FSA\] 2.1.4.19).
        const DUPLICATED_INFORMATION = 0x10;
    }
}

bitflags! {
    /// Reasons of a record in the change journal (\[MS-FSCC\], USN_RECORD, `USN_REASON_…`).
    ///
    /// They add up in a file's record until `CLOSE`.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct UsnReason: u32 {
        /// The file was deleted.
        const FILE_DELETE = 0x200;
        /// The record has the name before a rename.
        const RENAME_OLD_NAME = 0x1000;
        /// The record has the name after a rename.
        const RENAME_NEW_NAME = 0x2000;
        /// A name was added or removed.
        const HARD_LINK_CHANGE = 0x1_0000;
        /// A named stream was added, removed or renamed.
        const STREAM_CHANGE = 0x20_0000;
        /// The last handle closed.
        const CLOSE = 0x8000_0000;
    }
}

/// What a watcher of the directory is told (\[MS-FSCC\], FILE_NOTIFY_INFORMATION, `FILE_ACTION_…`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u32)]
pub enum FileAction {
    /// A name came.
    Added = 1,
    /// A name went.
    Removed = 2,
    /// A name leads to something else, or to something that changed.
    Modified = 3,
    /// A name went, and the next notice says what it is now.
    RenamedOldName = 4,
    /// What the name of the notice before is now.
    RenamedNewName = 5,
    /// A named stream went.
    RemovedStream = 7,
}

bitflags! {
    /// What a watcher must have asked for to be told (\[MS-SMB2\] 2.2.35; `FILE_NOTIFY_CHANGE_…`).
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct NotifyFilter: u32 {
        /// Names of files.
        const FILE_NAME = 0x1;
        /// Names of directories.
        const DIR_NAME = 0x2;
        /// Attributes.
        const ATTRIBUTES = 0x4;
        /// Sizes.
        const SIZE = 0x8;
        /// Times of last write.
        const LAST_WRITE = 0x10;
        /// Times of last access.
        const LAST_ACCESS = 0x20;
        /// Times of creation.
        const CREATION = 0x40;
        /// Extended attributes.
        const EA = 0x80;
        /// Security.
        const SECURITY = 0x100;
        /// Names of streams.
        const STREAM_NAME = 0x200;

        /// All that can differ when a name leads to another file.
        const OTHER_FILE = 0x1FC;
    }
}

/// Which name a notice is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NoticeName {
    /// The name that the handle was opened by.
    Old,
    /// The name of the request.
    New,
    /// The name that stood there before, as it was spelled.
    Replaced,
}

/// One thing that watchers of a directory are told.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Notice {
    /// What happened.
    pub action: FileAction,
    /// Who wants to know.
    pub filter: NotifyFilter,
    /// To which name.
    pub name: NoticeName,
}

/// What watchers are told, in this order: three notices at most.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Notices {
    list: [Option<Notice>; 3],
}

impl Notices {
    pub(super) fn push(&mut self, action: FileAction, filter: NotifyFilter, name: NoticeName) {
        let free = self.list.iter_mut().find(|place| place.is_none());
        debug_assert!(free.is_some(), "no change has more than three notices");
        if let Some(place) = free {
            *place = Some(Notice { action, filter, name });
        }
    }

    /// The notices.
    pub fn iter(&self) -> impl Iterator<Item = Notice> + '_ {
        self.list.iter().flatten().copied()
    }
}
