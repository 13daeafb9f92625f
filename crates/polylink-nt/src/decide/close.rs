//! What goes with a handle that closes.

use super::effects::{FileAction, NoticeName, Notices, NotifyFilter, Updates, UsnReason};
use super::facts::{FileFacts, HandleFacts, Kind, LinkState, Manner, Stream};

/// What is known of a named stream whose handle closes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct StreamFacts {
    /// It is about to be deleted.
    pub delete_pending: bool,
    /// How many other handles were opened on it.
    pub other_handles: u32,
}

/// What is known when a handle closes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CloseFacts {
    /// The handle.
    pub handle: HandleFacts,
    /// It is one through which the name was deleted with POSIX semantics.
    pub posix_deleter: bool,
    /// The file or directory.
    pub file: FileFacts,
    /// How many other handles were opened by the same name, of all streams.
    pub other_handles_by_name: u32,
    /// The stream, for a handle on a named one.
    pub stream: StreamFacts,
}

/// What becomes of the name that a handle was opened by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LinkEnd {
    /// Nothing.
    Stays,
    /// It is about to go now: the handle was opened with `DELETE_ON_CLOSE`, and others still are open by it.
    BecomesPending(Manner),
    /// It leaves its directory and is [`LinkState::Parked`], for others still are open by it.
    Parked,
    /// It goes; the file keeps other names.
    Removed,
    /// It goes, and the file with it.
    FileFreed,
}

/// What a close does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CloseAction {
    /// To the name.
    pub link: LinkEnd,
    /// The named stream goes.
    pub stream_removed: bool,
    /// To the directory entry.
    pub updates: Updates,
    /// To those who watch the directory.
    pub notices: Notices,
    /// To the journal.
    pub usn: UsnReason,
}

/// Decides what a close does (\[MS-FSA\] 2.1.5.5): it cannot fail.
///
/// A directory that has entries stays, `DELETE_ON_CLOSE` or not. With POSIX semantics the name leaves its directory
/// when the handle closes through which it was deleted; watchers are told then, for that is when they see it go.
#[must_use]
pub fn close(facts: &CloseFacts) -> CloseAction {
    let mut action = CloseAction {
        link: LinkEnd::Stays,
        stream_removed: false,
        updates: Updates::empty(),
        notices: Notices::default(),
        usn: UsnReason::empty(),
    };
    if facts.handle.stream == Stream::Named {
        let pending = facts.stream.delete_pending || facts.handle.delete_on_close.is_some();
        if pending && facts.stream.other_handles == 0 {
            action.stream_removed = true;
            action.usn |= UsnReason::STREAM_CHANGE | UsnReason::CLOSE;
            let filter = NotifyFilter::STREAM_NAME;
            action
                .notices
                .push(FileAction::RemovedStream, filter, NoticeName::Old);
        }
    }
    action.link = link_end(facts);
    let leaves_directory = match action.link {
        LinkEnd::Stays | LinkEnd::BecomesPending(_) => false,
        LinkEnd::Parked => true,
        LinkEnd::Removed | LinkEnd::FileFreed => facts.handle.link != LinkState::Parked,
    };
    if leaves_directory {
        let filter = match facts.file.kind {
            Kind::File => NotifyFilter::FILE_NAME,
            Kind::Directory => NotifyFilter::DIR_NAME,
        };
        action.notices.push(FileAction::Removed, filter, NoticeName::Old);
    }
    match action.link {
        LinkEnd::Stays | LinkEnd::BecomesPending(_) if facts.handle.link != LinkState::Parked => {
            action.updates |= Updates::DUPLICATED_INFORMATION;
        }
        LinkEnd::Stays | LinkEnd::BecomesPending(_) | LinkEnd::Parked => {}
        LinkEnd::Removed => action.usn |= UsnReason::HARD_LINK_CHANGE | UsnReason::CLOSE,
        LinkEnd::FileFreed => action.usn |= UsnReason::FILE_DELETE | UsnReason::CLOSE,
    }
    action
}

fn link_end(facts: &CloseFacts) -> LinkEnd {
    let handle = &facts.handle;
    let kept = facts.file.kind == Kind::Directory && facts.file.has_entries;
    let on_close = match handle.stream {
        Stream::Main => handle.delete_on_close.filter(|_| !kept),
        Stream::Named => None,
    };
    let others = facts.other_handles_by_name > 0;
    let deleting = match (handle.link, on_close) {
        (LinkState::Listed, None) => None,
        (LinkState::Listed, Some(manner)) => Some((manner, true)),
        (LinkState::DeletePending(manner), _) => Some((manner, facts.posix_deleter)),
        // parked with its deleter's close, long ago
        (LinkState::Parked, _) => Some((Manner::Classic, false)),
    };
    match deleting {
        None => LinkEnd::Stays,
        Some(_) if !others && facts.file.names.total() <= 1 => LinkEnd::FileFreed,
        Some(_) if !others => LinkEnd::Removed,
        Some((Manner::Posix, true)) => LinkEnd::Parked,
        Some((manner, _)) if handle.link == LinkState::Listed => LinkEnd::BecomesPending(manner),
        Some(_) => LinkEnd::Stays,
    }
}
