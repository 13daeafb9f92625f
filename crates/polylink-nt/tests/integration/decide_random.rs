//! Any request with any facts: never a panic, and what must hold whatever the facts.

use proptest::prelude::*;
use proptest::sample::select;

use polylink_nt::NtStatus;
use polylink_nt::decide::{
    Access, CloseFacts, DispositionFacts, DispositionRequest, ExtendedClasses, Fate, FileFacts, HandleFacts,
    HardLinks, Kind, LinkChange, LinkEnd, LinkFacts, LinkRequest, LinkState, Lookup, Manner, Mapping, Mark,
    Names, NewName, OpenAction, OpenFacts, OpenOptions, OpenRequest, Opens, Origin, ParentFacts,
    ParentLookup, Relation, RenameChange, RenameFacts, Root, Share, Sharing, Spelling, Stream, StreamFacts,
    TargetFacts, TrailingBackslash, UsnReason, Volume, VolumeFacts, close, disposition, link, open, rename,
};
use polylink_nt::info::{DispositionFlags, Form, LinkFlags};

use crate::random::cases;

fn access() -> impl Strategy<Value = Access> {
    let some = select(vec![
        Access::empty(),
        Access::READ_DATA,
        Access::WRITE_DATA,
        Access::DELETE,
        Access::DELETE | Access::READ_DATA | Access::WRITE_ATTRIBUTES,
        Access::DELETE_CHILD | Access::ADD_FILE | Access::ADD_SUBDIRECTORY,
        Access::MAXIMUM_ALLOWED,
        Access::ALL,
    ]);
    prop_oneof![3 => some, 1 => any::<u32>().prop_map(Access::from_bits_retain)]
}

fn sharing() -> impl Strategy<Value = Sharing> {
    (access(), 0_u32..8).prop_map(|(access, share)| Sharing {
        access,
        share: Share::from_bits_retain(share),
    })
}

fn opens() -> impl Strategy<Value = Opens> {
    prop_oneof![
        2 => Just(Opens::NONE),
        1 => prop::collection::vec(sharing(), 1..4).prop_map(|opens| opens.into_iter().collect()),
    ]
}

fn link_state() -> impl Strategy<Value = LinkState> {
    prop_oneof![
        4 => Just(LinkState::Listed),
        1 => Just(LinkState::DeletePending(Manner::Classic)),
        1 => Just(LinkState::DeletePending(Manner::Posix)),
        1 => Just(LinkState::Parked),
    ]
}

prop_compose! {
    fn volume()(
        read_only in prop::bool::weighted(0.1),
        hard_links in prop_oneof![8 => Just(HardLinks::Supported), 1 => Just(HardLinks::Unsupported), 1 => Just(HardLinks::Unknown)],
        link_limit in prop_oneof![Just(1024), 0_u32..4],
        short_names: bool,
        known in prop::bool::weighted(0.9),
    ) -> VolumeFacts {
        let extended = if known { ExtendedClasses::Known } else { ExtendedClasses::Unknown };
        VolumeFacts { read_only, hard_links, link_limit, short_names, extended }
    }
}

prop_compose! {
    fn file()(
        kind in select(vec![Kind::File, Kind::File, Kind::Directory]),
        read_only in prop::bool::weighted(0.2),
        live in 0_u32..4,
        going in 0_u32..3,
        mapping in select(vec![Mapping::None, Mapping::None, Mapping::Data, Mapping::Image]),
        has_entries: bool,
        opens in opens(),
    ) -> FileFacts {
        FileFacts { kind, read_only, names: Names { live, going }, mapping, has_entries, opens }
    }
}

prop_compose! {
    fn handle()(
        access in access(),
        stream in select(vec![Stream::Main, Stream::Main, Stream::Main, Stream::Named]),
        link in link_state(),
        short_name: bool,
        delete_on_close in select(vec![None, None, Some(Manner::Classic), Some(Manner::Posix)]),
        case_sensitive: bool,
        keeps_change_time: bool,
        volume_root in prop::bool::weighted(0.05),
    ) -> HandleFacts {
        HandleFacts { access, stream, link, short_name, delete_on_close, case_sensitive, keeps_change_time, volume_root }
    }
}

prop_compose! {
    fn parent_facts()(
        other in prop::bool::weighted(0.1),
        rights in access(),
        opens in opens(),
        link in link_state(),
        same_directory: bool,
        inside_source in prop::bool::weighted(0.1),
    ) -> ParentFacts {
        let volume = if other { Volume::Other } else { Volume::Same };
        ParentFacts { volume, rights, opens, link, same_directory, inside_source }
    }
}

fn parent() -> impl Strategy<Value = ParentLookup> {
    prop_oneof![
        12 => parent_facts().prop_map(ParentLookup::Found),
        1 => Just(ParentLookup::Missing),
        1 => Just(ParentLookup::BelowFile),
        1 => Just(ParentLookup::DeletePending),
        1 => Just(ParentLookup::InvalidName),
        1 => Just(ParentLookup::OtherVolume),
        1 => Just(ParentLookup::Failed(NtStatus::FILE_CORRUPT_ERROR)),
    ]
}

prop_compose! {
    fn target()(
        relation in select(vec![Relation::SameLink, Relation::SameFile, Relation::OtherFile, Relation::OtherFile]),
        exact: bool,
        file in file(),
        link in link_state(),
        handles_by_name in 0_u32..3,
        rights in access(),
    ) -> TargetFacts {
        let spelling = if exact { Spelling::Exact } else { Spelling::OtherCase };
        TargetFacts { relation, spelling, file, link, handles_by_name, rights }
    }
}

/// The parts of a request that are not borrowed.
#[derive(Clone, Debug)]
struct Asked {
    form: Form,
    flags: LinkFlags,
    path: Vec<u16>,
    root: Root,
    origin: Origin,
}

impl Asked {
    fn request(&self) -> LinkRequest<'_> {
        LinkRequest {
            form: self.form,
            flags: self.flags,
            name: NewName::new(&self.path, self.root),
            origin: self.origin,
        }
    }

    /// The flags that count.
    fn replaces(&self) -> bool {
        self.flags.contains(LinkFlags::REPLACE_IF_EXISTS)
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    let flags = prop_oneof![
        4 => (0_u32..0x200).prop_map(|bits| LinkFlags::from_bits_retain(bits & 0x43)),
        1 => any::<u32>().prop_map(LinkFlags::from_bits_retain),
    ];
    let names = select(vec![
        "name",
        r"\dir\name",
        r"\name",
        "",
        r"\",
        ":stream",
        "na*me",
        r"a\b",
        "..",
    ]);
    let path = prop_oneof![
        4 => names.prop_map(|name| name.encode_utf16().collect::<Vec<u16>>()),
        1 => prop::collection::vec(any::<u16>(), 0..300),
    ];
    let form = select(vec![Form::Classic, Form::Extended]);
    let root = select(vec![Root::None, Root::None, Root::Given]);
    let origin = select(vec![Origin::Local, Origin::Local, Origin::Remote]);
    (form, flags, path, root, origin).prop_map(|(form, flags, path, root, origin)| Asked {
        form,
        flags,
        path,
        root,
        origin,
    })
}

prop_compose! {
    fn link_facts()(
        volume in volume(),
        handle in handle(),
        source in file(),
        parent in parent(),
        target in prop::option::of(target()),
    ) -> LinkFacts {
        LinkFacts { volume, handle, source, parent, target }
    }
}

prop_compose! {
    fn rename_facts()(facts in link_facts(), open_below: bool) -> RenameFacts {
        RenameFacts {
            volume: facts.volume,
            handle: facts.handle,
            source: facts.source,
            open_below,
            parent: facts.parent,
            target: facts.target,
        }
    }
}

/// A victim goes in a way that fits its handles and names.
fn check_removal(target: &TargetFacts, fate: Fate) -> Result<(), TestCaseError> {
    prop_assert_eq!(target.relation, Relation::OtherFile);
    prop_assert_eq!(target.link, LinkState::Listed);
    match fate {
        Fate::FileFreed => prop_assert!(target.file.names.total() <= 1 && target.handles_by_name == 0),
        Fate::NameRemoved => prop_assert!(target.file.names.total() > 1 && target.handles_by_name == 0),
        Fate::Parked => prop_assert!(target.handles_by_name > 0),
    }
    Ok(())
}

/// Facts with which everything is allowed that rights and opens decide.
fn eased(facts: &LinkFacts) -> LinkFacts {
    let mut eased = *facts;
    if let ParentLookup::Found(parent) = &mut eased.parent {
        parent.rights = Access::ALL;
        parent.opens = Opens::NONE;
    }
    if let Some(target) = &mut eased.target {
        target.rights = Access::ALL;
        target.file.opens = Opens::NONE;
        target.file.read_only = false;
        target.file.mapping = Mapping::None;
    }
    eased
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_link_is_allowed_only_where_nothing_is_lost(asked in asked(), facts in link_facts()) {
        let outcome = link(&asked.request(), &facts);
        let action = match outcome {
            Ok(action) => action,
            Err(status) => {
                prop_assert!(!status.is_success(), "a refusal has an error: {status:?}");
                return Ok(());
            }
        };
        // at the limit no link is ever allowed, nor of a directory, nor through a name about to go
        prop_assert!(facts.source.names.total() < facts.volume.link_limit);
        prop_assert_eq!(facts.source.kind, Kind::File);
        prop_assert_eq!(facts.handle.link, LinkState::Listed);
        prop_assert!(!facts.volume.read_only);
        match action.change {
            LinkChange::Add => prop_assert!(facts.target.is_none()),
            LinkChange::Nothing | LinkChange::Respell | LinkChange::Renew => {
                let target = facts.target.expect("what changes stands there");
                prop_assert!(asked.replaces() && target.relation != Relation::OtherFile);
            }
            LinkChange::Replace(removal) => {
                prop_assert!(asked.replaces());
                check_removal(&facts.target.expect("what goes stands there"), removal.fate)?;
            }
        }
        let idle = action.updates.is_empty() && action.usn.is_empty() && action.notices.iter().count() == 0;
        prop_assert_eq!(idle, action.change == LinkChange::Nothing);
    }

    #[test]
    fn a_link_that_is_allowed_stays_so_with_more_rights_and_fewer_opens(asked in asked(), facts in link_facts()) {
        if link(&asked.request(), &facts).is_ok() {
            prop_assert!(link(&asked.request(), &eased(&facts)).is_ok());
        }
    }

    #[test]
    fn without_replacing_no_other_file_loses_a_name(asked in asked(), facts in rename_facts()) {
        let mut asked = asked;
        asked.flags -= LinkFlags::REPLACE_IF_EXISTS;
        if let Ok(action) = rename(&asked.request(), &facts) {
            let removes = matches!(action.change, RenameChange::Move { replaces: Some(_) });
            prop_assert!(!removes);
        }
        let facts = LinkFacts {
            volume: facts.volume,
            handle: facts.handle,
            source: facts.source,
            parent: facts.parent,
            target: facts.target,
        };
        if let Ok(action) = link(&asked.request(), &facts) {
            prop_assert_eq!(action.change, LinkChange::Add);
        }
    }

    #[test]
    fn a_rename_is_allowed_only_where_nothing_is_lost(asked in asked(), facts in rename_facts()) {
        let Ok(action) = rename(&asked.request(), &facts) else {
            return Ok(());
        };
        prop_assert!(facts.handle.access.contains(Access::DELETE));
        prop_assert_eq!(facts.handle.link, LinkState::Listed);
        match action.change {
            RenameChange::Move { replaces: None } => prop_assert!(facts.target.is_none()),
            RenameChange::Move { replaces: Some(removal) } => {
                prop_assert!(asked.replaces());
                check_removal(&facts.target.expect("what goes stands there"), removal.fate)?;
            }
            RenameChange::Nothing | RenameChange::Respell => {
                prop_assert_eq!(facts.target.map(|target| target.relation), Some(Relation::SameLink));
            }
            RenameChange::Merge { .. } => {
                let target = facts.target.expect("what stays stands there");
                prop_assert_eq!((target.relation, target.link), (Relation::SameFile, LinkState::Listed));
            }
        }
        let told = action.notices.iter().count();
        prop_assert_eq!(told == 0, action.change == RenameChange::Nothing);
    }

    #[test]
    fn a_disposition_deletes_only_what_may_go(
        classic: bool,
        bits in 0_u32..0x40,
        volume in volume(),
        handle in handle(),
        file in file(),
    ) {
        let form = if classic { Form::Classic } else { Form::Extended };
        let request = DispositionRequest { form, flags: DispositionFlags::from_bits_retain(bits) };
        let Ok(action) = disposition(&request, &DispositionFacts { volume, handle, file }) else {
            return Ok(());
        };
        prop_assert!(handle.access.contains(Access::DELETE) && handle.link != LinkState::Parked);
        let deletes = |mark: Option<Mark>| matches!(mark, Some(Mark::Delete(_)));
        if deletes(action.now) || deletes(action.on_close) {
            prop_assert!(request.flags.contains(DispositionFlags::DELETE));
            let ignores = !classic && request.flags.contains(DispositionFlags::IGNORE_READONLY_ATTRIBUTE);
            prop_assert!(!file.read_only || ignores);
            let full = file.kind == Kind::Directory && file.has_entries && handle.stream == Stream::Main;
            prop_assert!(!full && !handle.volume_root);
        }
        prop_assert!(action.now.is_some() || action.on_close.is_some());
        prop_assert!(action.on_close.is_none() || handle.delete_on_close.is_some());
    }

    #[test]
    fn a_close_frees_a_file_only_with_its_last_name_and_handle(
        handle in handle(),
        posix_deleter: bool,
        file in file(),
        other_handles_by_name in 0_u32..3,
        delete_pending: bool,
        other_handles in 0_u32..3,
    ) {
        let stream = StreamFacts { delete_pending, other_handles };
        let facts = CloseFacts { handle, posix_deleter, file, other_handles_by_name, stream };
        let action = close(&facts);
        let last = other_handles_by_name == 0;
        let asked_for = handle.link != LinkState::Listed || handle.delete_on_close.is_some();
        match action.link {
            LinkEnd::FileFreed => prop_assert!(last && asked_for && file.names.total() <= 1),
            LinkEnd::Removed => prop_assert!(last && asked_for && file.names.total() > 1),
            LinkEnd::Parked => prop_assert!(!last && handle.link != LinkState::Parked),
            LinkEnd::BecomesPending(manner) => {
                prop_assert!(!last && handle.link == LinkState::Listed);
                prop_assert_eq!(handle.delete_on_close, Some(manner));
            }
            LinkEnd::Stays => {}
        }
        let freed = action.link == LinkEnd::FileFreed;
        prop_assert_eq!(action.usn.contains(UsnReason::FILE_DELETE), freed);
        prop_assert!(!action.stream_removed || (handle.stream == Stream::Named && other_handles == 0));
    }

    #[test]
    fn an_open_grants_no_right_that_the_caller_has_not(
        (access, share) in (access(), 0_u32..8),
        options in any::<u32>().prop_map(|bits| OpenOptions::from_bits_retain(bits & 0x20_5061)),
        (named, backslash, reparse_point) in any::<(bool, bool, bool)>(),
        (volume, file, link) in (volume(), file(), link_state()),
        (stream_opens, main_opens) in (opens(), opens()),
        (rights, parent_rights) in (access(), access()),
    ) {
        let request = OpenRequest {
            access,
            share: Share::from_bits_retain(share),
            options,
            stream: if named { Stream::Named } else { Stream::Main },
            trailing_backslash: if backslash { TrailingBackslash::Present } else { TrailingBackslash::Absent },
        };
        let facts =
            OpenFacts { volume, file, stream_opens, main_opens, link, reparse_point, rights, parent_rights };
        let Ok(OpenAction::Open { granted, delete_on_close }) = open(&request, &Lookup::Found(facts)) else {
            return Ok(());
        };
        let from_parent = Access::DELETE | Access::READ_ATTRIBUTES;
        prop_assert!((rights | from_parent).contains(granted.access));
        prop_assert!(!granted.access.contains(Access::MAXIMUM_ALLOWED));
        prop_assert_eq!(link, LinkState::Listed);
        prop_assert_eq!(delete_on_close.is_some(), options.contains(OpenOptions::DELETE_ON_CLOSE));
        prop_assert!(delete_on_close.is_none() || !file.read_only);
    }
}
