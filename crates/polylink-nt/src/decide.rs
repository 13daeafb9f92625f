//! What NT does with a request: the action, or the status that refuses it.
//!
//! Pure data in, pure data out. Whoever holds a volume keeps a table of open handles and the state of each link, looks
//! up the facts of a call, asks the function of the call, and does what the action says. Nothing here looks anything
//! up, so a caller that knows less (a file system that is not NTFS) fills in what it knows.
//!
//! | call | function | source |
//! |---|---|---|
//! | `NtCreateFile` of a name that exists | [`open`] | \[MS-FSA\] 2.1.5.1 |
//! | `FileLinkInformation(Ex)` | [`link`] | 2.1.5.15.7 |
//! | `FileRenameInformation(Ex)` | [`rename`] | 2.1.5.15.12 |
//! | `FileDispositionInformation(Ex)` | [`disposition`] | 2.1.5.15.3, 2.1.5.15.4 |
//! | `NtClose` of the last reference to a handle | [`close`] | 2.1.5.5 |
//! | the numbers of names | [`Names::number_of_links`], [`Names::standard_link`], [`delete_pending`] | 2.1.5.12 |
//!
//! # Order
//!
//! A request can be wrong in several ways at once, and programs see which one NT names. So facts are given all at once,
//! failures of looking them up included ([`ParentLookup`]), and the function answers with the status that comes first.
//! With a path or a root directory, the I/O manager opens the destination before the file system sees the request; a
//! server answers for its clients with the file system's order instead. [`Origin`] chooses.
//!
//! # Choices
//!
//! Where no public source says what Windows does, the documentation of the item says what was chosen and why; look for
//! "Chosen".
//!
//! ```
//! use polylink_nt::decide::{
//!     Access, FileFacts, HandleFacts, LinkChange, LinkFacts, LinkRequest, NewName, ParentFacts, ParentLookup, Root,
//!     VolumeFacts, link,
//! };
//! use polylink_nt::info::LinkFlags;
//! use polylink_nt::NtStatus;
//!
//! let name: Vec<u16> = "second".encode_utf16().collect();
//! let request = LinkRequest::classic(NewName::new(&name, Root::Given), LinkFlags::empty());
//! let mut facts = LinkFacts {
//!     volume: VolumeFacts::NTFS,
//!     handle: HandleFacts::new(Access::SYNCHRONIZE),
//!     source: FileFacts::FILE,
//!     parent: ParentLookup::Found(ParentFacts::new(Access::ALL)),
//!     target: None,
//! };
//! let action = link(&request, &facts).expect("nothing stands in the way");
//! assert_eq!(action.change, LinkChange::Add);
//!
//! facts.source = FileFacts::DIRECTORY;
//! assert_eq!(link(&request, &facts), Err(NtStatus::FILE_IS_A_DIRECTORY));
//! ```

mod access;
mod close;
mod disposition;
mod effects;
mod facts;
mod link;
mod new_name;
mod open;
mod opens;
mod parent;
mod rename;
mod victim;

pub use access::{Access, OpenOptions, Share};
pub use close::{CloseAction, CloseFacts, LinkEnd, StreamFacts, close};
pub use disposition::{DispositionAction, DispositionFacts, DispositionRequest, Mark, Scope, disposition};
pub use effects::{FileAction, Notice, NoticeName, Notices, NotifyFilter, Updates, UsnReason};
pub use facts::{
    ExtendedClasses, FileFacts, HandleFacts, HardLinks, Kind, LinkState, Manner, Mapping, Names, Stream,
    VolumeFacts, delete_pending,
};
pub use link::{LinkAction, LinkChange, LinkFacts, LinkRequest, Origin, link};
pub use new_name::{NewName, Reach, Root};
pub use open::{Lookup, OpenAction, OpenFacts, OpenRequest, TrailingBackslash, open};
pub use opens::{Opens, Sharing};
pub use parent::{ParentFacts, ParentLookup, Volume};
pub use rename::{RenameAction, RenameChange, RenameFacts, RenameRequest, ShortName, rename};
pub use victim::{Fate, Relation, Removal, Spelling, TargetFacts};
