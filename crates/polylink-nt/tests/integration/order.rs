//! Which status comes first: for each two faults in the order of the rules, a request with both has the earlier one's.

use polylink_nt::NtStatus;
use polylink_nt::decide::{
    Access, ExtendedClasses, FileFacts, HandleFacts, HardLinks, Kind, LinkFacts, LinkRequest, LinkState,
    Manner, Mapping, Names, NewName, OpenFacts, OpenOptions, OpenRequest, Opens, Origin, ParentFacts,
    ParentLookup, Relation, RenameFacts, Root, Share, Sharing, Stream, TargetFacts, TrailingBackslash,
    Volume, VolumeFacts, link, open, rename,
};
use polylink_nt::info::{Form, LinkFlags};

/// A request that nothing is wrong with, to spoil.
struct Case {
    form: Form,
    flags: LinkFlags,
    path: &'static str,
    root: Root,
    origin: Origin,
    volume: VolumeFacts,
    handle: HandleFacts,
    source: FileFacts,
    open_below: bool,
    lookup: Option<ParentLookup>,
    parent: ParentFacts,
    target: TargetFacts,
    has_target: bool,
}

/// What spoils a request, and the status for it.
type Fault = (&'static str, NtStatus, fn(&mut Case));

fn case(origin: Origin, root: Root, path: &'static str) -> Case {
    Case {
        form: Form::Extended,
        flags: LinkFlags::REPLACE_IF_EXISTS | LinkFlags::POSIX_SEMANTICS,
        path,
        root,
        origin,
        volume: VolumeFacts::NTFS,
        handle: HandleFacts::new(Access::ALL),
        source: FileFacts::FILE,
        open_below: false,
        lookup: None,
        parent: ParentFacts::new(Access::ALL),
        target: TargetFacts::new(Relation::OtherFile, FileFacts::FILE),
        has_target: false,
    }
}

impl Case {
    fn outcome(&self, rename_it: bool) -> Result<(), NtStatus> {
        let path: Vec<u16> = self.path.encode_utf16().collect();
        let request = LinkRequest {
            form: self.form,
            flags: self.flags,
            name: NewName::new(&path, self.root),
            origin: self.origin,
        };
        let parent = self.lookup.unwrap_or(ParentLookup::Found(self.parent));
        let target = self.has_target.then_some(self.target);
        if rename_it {
            let facts = RenameFacts {
                volume: self.volume,
                handle: self.handle,
                source: self.source,
                open_below: self.open_below,
                parent,
                target,
            };
            rename(&request, &facts).map(drop)
        } else {
            let facts = LinkFacts {
                volume: self.volume,
                handle: self.handle,
                source: self.source,
                parent,
                target,
            };
            link(&request, &facts).map(drop)
        }
    }
}

fn opened(access: Access, share: Share) -> Opens {
    [Sharing { access, share }].into_iter().collect()
}

// ---- faults

const UNKNOWN_CLASS: Fault = ("unknown class", NtStatus::INVALID_INFO_CLASS, |case| {
    case.volume.extended = ExtendedClasses::Unknown;
});
const NO_DELETE: Fault = ("no right to delete", NtStatus::ACCESS_DENIED, |case| {
    case.handle.access -= Access::DELETE;
});
const ABSOLUTE_BELOW_ROOT: Fault = ("absolute below a root", NtStatus::INVALID_PARAMETER, |case| {
    case.root = Root::Given;
    case.path = r"\name";
});
const EMPTY: Fault = ("no name", NtStatus::INVALID_PARAMETER, |case| case.path = "");
const PARENT_MISSING: Fault = ("no directory", NtStatus::OBJECT_PATH_NOT_FOUND, |case| {
    case.lookup = Some(ParentLookup::Missing);
});
const PARENT_PENDING: Fault = ("directory pending", NtStatus::DELETE_PENDING, |case| {
    case.parent.link = LinkState::DeletePending(Manner::Classic);
});
const PARENT_DENIED: Fault = ("directory denied", NtStatus::ACCESS_DENIED, |case| {
    case.parent.rights -= Access::ADD_FILE | Access::ADD_SUBDIRECTORY;
});
const PARENT_HELD: Fault = ("directory held", NtStatus::SHARING_VIOLATION, |case| {
    case.parent.opens = opened(Access::READ_DATA, Share::empty());
});
const OTHER_VOLUME: Fault = ("other volume", NtStatus::NOT_SAME_DEVICE, |case| {
    case.parent.volume = Volume::Other;
});
const WRITE_PROTECTED: Fault = ("write-protected", NtStatus::MEDIA_WRITE_PROTECTED, |case| {
    case.volume.read_only = true;
});
const UNKNOWN_FLAGS: Fault = ("unknown flags", NtStatus::NOT_SUPPORTED, |case| {
    case.flags |= LinkFlags::from_bits_retain(0x1000);
});
const STREAM: Fault = ("stream", NtStatus::INVALID_PARAMETER, |case| {
    case.handle.stream = Stream::Named;
});
const DIRECTORY: Fault = ("directory", NtStatus::FILE_IS_A_DIRECTORY, |case| {
    case.source.kind = Kind::Directory;
});
const NO_HARD_LINKS: Fault = ("no hard links", NtStatus::NOT_SUPPORTED, |case| {
    case.volume.hard_links = HardLinks::Unsupported;
});
const OWN_PENDING: Fault = ("own name pending", NtStatus::ACCESS_DENIED, |case| {
    case.handle.link = LinkState::DeletePending(Manner::Classic);
});
const BAD_NAME: Fault = ("bad name", NtStatus::OBJECT_NAME_INVALID, |case| {
    case.path = match case.path {
        r"dir\name" => r"dir\na?me",
        _ => "na?me",
    };
});
const LIMIT: Fault = ("limit", NtStatus::TOO_MANY_LINKS, |case| {
    case.source.names = Names { live: 1024, going: 0 };
});
const NOT_PLAIN: Fault = ("not plain", NtStatus::OBJECT_NAME_INVALID, |case| {
    case.path = match case.path {
        "na?me" => r"dir\na?me",
        ":name" => r":x\name",
        _ => r"dir\name",
    };
});
const COLLISION: Fault = ("collision", NtStatus::OBJECT_NAME_COLLISION, |case| {
    case.has_target = true;
    case.flags -= LinkFlags::REPLACE_IF_EXISTS;
});
const VICTIM_READ_ONLY: Fault = ("victim read-only", NtStatus::ACCESS_DENIED, |case| {
    case.has_target = true;
    case.target.file.read_only = true;
});
const VICTIM_PENDING: Fault = ("victim pending", NtStatus::DELETE_PENDING, |case| {
    case.has_target = true;
    case.target.link = LinkState::DeletePending(Manner::Posix);
});
const VICTIM_DENIED: Fault = ("victim denied", NtStatus::ACCESS_DENIED, |case| {
    case.has_target = true;
    case.target.rights = Access::empty();
    case.parent.rights -= Access::DELETE_CHILD;
});
const VICTIM_HELD: Fault = ("victim held", NtStatus::SHARING_VIOLATION, |case| {
    case.has_target = true;
    case.target.file.opens = opened(Access::READ_DATA, Share::empty());
});
const VICTIM_MAPPED: Fault = ("victim mapped", NtStatus::ACCESS_DENIED, |case| {
    case.has_target = true;
    case.target.file.mapping = Mapping::Image;
});
const ROOT: Fault = ("volume's root", NtStatus::INVALID_PARAMETER, |case| {
    case.handle.volume_root = true;
});
const NAMES_STREAM: Fault = ("names a stream", NtStatus::NOT_SUPPORTED, |case| {
    case.path = if case.path.contains('\\') {
        r":x\name"
    } else {
        ":name"
    };
});
const OPEN_BELOW: Fault = ("open below", NtStatus::ACCESS_DENIED, |case| {
    case.source.kind = Kind::Directory;
    case.open_below = true;
});

/// Each fault alone has its status; of each two the earlier wins.
fn check(make: impl Fn() -> Case, rename_it: bool, faults: &[Fault]) {
    assert_eq!(make().outcome(rename_it), Ok(()));
    for (at, (name, status, spoil)) in faults.iter().enumerate() {
        let mut alone = make();
        spoil(&mut alone);
        assert_eq!(alone.outcome(rename_it), Err(*status), "{name}");
        for (later_name, _, spoil_more) in &faults[at + 1..] {
            let mut both = make();
            spoil_more(&mut both);
            spoil(&mut both);
            assert_eq!(
                both.outcome(rename_it),
                Err(*status),
                "{name} before {later_name}"
            );
        }
    }
}

#[test]
fn a_local_link_with_a_path_has_the_directorys_faults_first() {
    let faults = [
        UNKNOWN_CLASS,
        ABSOLUTE_BELOW_ROOT,
        PARENT_MISSING,
        PARENT_PENDING,
        PARENT_DENIED,
        PARENT_HELD,
        OTHER_VOLUME,
        WRITE_PROTECTED,
        UNKNOWN_FLAGS,
        STREAM,
        DIRECTORY,
        NO_HARD_LINKS,
        OWN_PENDING,
        BAD_NAME,
        LIMIT,
        COLLISION,
    ];
    check(|| case(Origin::Local, Root::Given, "name"), false, &faults);
}

#[test]
fn a_local_link_with_a_plain_name_has_the_files_faults_first() {
    let faults = [
        UNKNOWN_CLASS,
        EMPTY,
        WRITE_PROTECTED,
        UNKNOWN_FLAGS,
        STREAM,
        DIRECTORY,
        NO_HARD_LINKS,
        OWN_PENDING,
        BAD_NAME,
        LIMIT,
        NOT_PLAIN,
        PARENT_DENIED,
        COLLISION,
    ];
    check(|| case(Origin::Local, Root::None, "name"), false, &faults);
}

#[test]
fn a_remote_link_has_the_directorys_faults_after_the_files() {
    let faults = [
        UNKNOWN_CLASS,
        EMPTY,
        WRITE_PROTECTED,
        UNKNOWN_FLAGS,
        STREAM,
        DIRECTORY,
        NO_HARD_LINKS,
        OWN_PENDING,
        BAD_NAME,
        LIMIT,
        PARENT_MISSING,
        PARENT_PENDING,
        PARENT_DENIED,
        PARENT_HELD,
        OTHER_VOLUME,
        COLLISION,
    ];
    check(|| case(Origin::Remote, Root::None, "name"), false, &faults);
}

#[test]
fn what_protects_a_victim_comes_last_and_in_this_order() {
    let faults = [
        OTHER_VOLUME,
        LIMIT,
        VICTIM_READ_ONLY,
        VICTIM_PENDING,
        VICTIM_DENIED,
        VICTIM_HELD,
        VICTIM_MAPPED,
    ];
    check(|| case(Origin::Local, Root::Given, "name"), false, &faults);
    let faults = [
        OTHER_VOLUME,
        BAD_NAME,
        VICTIM_READ_ONLY,
        VICTIM_PENDING,
        VICTIM_DENIED,
        VICTIM_HELD,
        VICTIM_MAPPED,
    ];
    check(|| case(Origin::Local, Root::Given, "name"), true, &faults);
}

#[test]
fn a_local_rename_with_a_path_has_its_right_then_the_directorys_faults_first() {
    let faults = [
        UNKNOWN_CLASS,
        NO_DELETE,
        ABSOLUTE_BELOW_ROOT,
        PARENT_MISSING,
        PARENT_PENDING,
        PARENT_DENIED,
        PARENT_HELD,
        OTHER_VOLUME,
        WRITE_PROTECTED,
        UNKNOWN_FLAGS,
        ROOT,
        NAMES_STREAM,
        STREAM,
        OWN_PENDING,
        OPEN_BELOW,
        BAD_NAME,
        COLLISION,
    ];
    check(|| case(Origin::Local, Root::Given, "name"), true, &faults);
}

#[test]
fn a_local_rename_with_a_plain_name_has_the_directorys_right_last() {
    let faults = [
        UNKNOWN_CLASS,
        NO_DELETE,
        EMPTY,
        WRITE_PROTECTED,
        UNKNOWN_FLAGS,
        ROOT,
        NOT_PLAIN,
        NAMES_STREAM,
        STREAM,
        OWN_PENDING,
        OPEN_BELOW,
        BAD_NAME,
        COLLISION,
        PARENT_DENIED,
    ];
    check(|| case(Origin::Local, Root::None, "name"), true, &faults);
}

#[test]
fn a_remote_rename_has_the_directorys_faults_before_the_files() {
    let faults = [
        UNKNOWN_CLASS,
        NO_DELETE,
        EMPTY,
        WRITE_PROTECTED,
        UNKNOWN_FLAGS,
        ROOT,
        PARENT_MISSING,
        PARENT_PENDING,
        PARENT_DENIED,
        PARENT_HELD,
        OTHER_VOLUME,
        NAMES_STREAM,
        STREAM,
        OWN_PENDING,
        OPEN_BELOW,
        BAD_NAME,
        COLLISION,
    ];
    check(|| case(Origin::Remote, Root::None, "name"), true, &faults);
}

/// What looking for the directory came to is the status, for a link and a rename, local and remote.
#[test]
fn what_became_of_the_directory_is_the_status() {
    let lookups = [
        (ParentLookup::Missing, NtStatus::OBJECT_PATH_NOT_FOUND),
        (ParentLookup::BelowFile, NtStatus::INVALID_PARAMETER),
        (ParentLookup::DeletePending, NtStatus::DELETE_PENDING),
        (ParentLookup::InvalidName, NtStatus::OBJECT_NAME_INVALID),
        (ParentLookup::OtherVolume, NtStatus::NOT_SAME_DEVICE),
        (
            ParentLookup::Failed(NtStatus::DISK_CORRUPT_ERROR),
            NtStatus::DISK_CORRUPT_ERROR,
        ),
    ];
    for (lookup, status) in lookups {
        for origin in [Origin::Local, Origin::Remote] {
            for path in [r"\dir\name", "name"] {
                for rename_it in [false, true] {
                    let mut case = case(origin, Root::None, path);
                    case.lookup = Some(lookup);
                    assert_eq!(
                        case.outcome(rename_it),
                        Err(status),
                        "{lookup:?} {origin:?} {path}"
                    );
                }
            }
        }
    }
}

// ---- opens

type OpenFault = (&'static str, NtStatus, fn(&mut OpenRequest, &mut OpenFacts));

#[test]
fn an_open_has_its_arguments_then_the_names_state_then_rights_then_sharing() {
    let faults: &[OpenFault] = &[
        (
            "synchronous without waiting",
            NtStatus::INVALID_PARAMETER,
            |request, _| {
                request.options |= OpenOptions::SYNCHRONOUS_IO_NONALERT;
                request.access -= Access::SYNCHRONIZE;
            },
        ),
        (
            "a right that does not exist",
            NtStatus::ACCESS_DENIED,
            |request, _| {
                request.access |= Access::from_bits_retain(0x200);
            },
        ),
        ("directory and none", NtStatus::INVALID_PARAMETER, |request, _| {
            request.options |= OpenOptions::DIRECTORY_FILE | OpenOptions::NON_DIRECTORY_FILE;
        }),
        (
            "backslash and no directory",
            NtStatus::OBJECT_NAME_INVALID,
            |request, _| {
                request.options -= OpenOptions::DIRECTORY_FILE;
                request.options |= OpenOptions::NON_DIRECTORY_FILE;
                request.trailing_backslash = TrailingBackslash::Present;
            },
        ),
        ("pending", NtStatus::DELETE_PENDING, |_, facts| {
            facts.link = LinkState::DeletePending(Manner::Classic);
        }),
        ("no directory", NtStatus::NOT_A_DIRECTORY, |request, _| {
            request.options |= OpenOptions::DIRECTORY_FILE;
        }),
        ("read-only to write", NtStatus::ACCESS_DENIED, |request, facts| {
            request.access |= Access::WRITE_DATA;
            facts.file.read_only = true;
        }),
        (
            "write-protected to delete on close",
            NtStatus::CANNOT_DELETE,
            |request, facts| {
                request.access |= Access::DELETE;
                request.options |= OpenOptions::DELETE_ON_CLOSE;
                facts.volume.read_only = true;
            },
        ),
        ("no right", NtStatus::ACCESS_DENIED, |_, facts| {
            facts.rights = Access::empty();
        }),
        ("held", NtStatus::SHARING_VIOLATION, |_, facts| {
            facts.stream_opens = opened(Access::READ_DATA, Share::empty());
        }),
        (
            "image to delete on close",
            NtStatus::CANNOT_DELETE,
            |request, facts| {
                request.access |= Access::DELETE;
                request.options |= OpenOptions::DELETE_ON_CLOSE;
                facts.file.mapping = Mapping::Image;
            },
        ),
        ("image to write", NtStatus::SHARING_VIOLATION, |request, facts| {
            request.access |= Access::WRITE_DATA;
            facts.file.mapping = Mapping::Image;
        }),
    ];
    let make = || {
        let access = Access::READ_DATA | Access::SYNCHRONIZE;
        let request = OpenRequest::new(access, Share::all(), OpenOptions::empty());
        (request, OpenFacts::new(FileFacts::FILE))
    };
    let outcome = |(request, facts): &(OpenRequest, OpenFacts)| {
        open(request, &polylink_nt::decide::Lookup::Found(*facts)).map(drop)
    };
    assert_eq!(outcome(&make()), Ok(()));
    for (at, (name, status, spoil)) in faults.iter().enumerate() {
        let mut alone = make();
        spoil(&mut alone.0, &mut alone.1);
        assert_eq!(outcome(&alone), Err(*status), "{name}");
        for (later_name, _, spoil_more) in &faults[at + 1..] {
            let mut both = make();
            spoil_more(&mut both.0, &mut both.1);
            spoil(&mut both.0, &mut both.1);
            assert_eq!(outcome(&both), Err(*status), "{name} before {later_name}");
        }
    }
}
