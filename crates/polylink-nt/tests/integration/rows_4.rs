//! The stages of a link: the I/O manager's, then those of \[MS-FSA\] 2.1.5.15.7, step by step. Layouts are tested with
//! the structures; which step comes first where several fail, in `order`.

use polylink_nt::NtStatus;
use polylink_nt::decide::{
    Access, FileAction, HardLinks, Notice, NoticeName, NotifyFilter, Origin, Share, UsnReason,
};
use polylink_nt::info::{Form, Layout, LinkFlags, LinkInformation};

use crate::world::{
    ALONE, DELETE, Flags, Handle, NO_OPTIONS, Outcome, R0, R1, READ, Request, SHARED, Target, World,
    absolute, ex, units,
};

const COLLISION: NtStatus = NtStatus::OBJECT_NAME_COLLISION;
const DENIED: NtStatus = NtStatus::ACCESS_DENIED;

fn with_file() -> (World, Handle) {
    let mut world = World::new();
    world.file(r"\file");
    world.dir(r"\dir");
    let handle = world
        .open(r"\file", READ, SHARED, NO_OPTIONS)
        .expect("a free file");
    (world, handle)
}

/// A link to a plain name, or to one relative to a handle.
fn link_to(world: &mut World, handle: Handle, root: Option<Handle>, name: &str, flags: Flags) -> Outcome {
    let target = Target {
        path: &units(name),
        root,
        origin: Origin::Local,
    };
    world.ask(Request::Link, handle, target, flags)
}

/// A link as a server asks for its client.
fn link_remote(world: &mut World, handle: Handle, name: &str) -> Outcome {
    let target = Target {
        path: &units(name),
        root: None,
        origin: Origin::Remote,
    };
    world.ask(Request::Link, handle, target, R0)
}

// ---- the I/O manager

#[test]
fn row_4_2_1_name_lengths() {
    let request = |name: &str| LinkInformation {
        flags: LinkFlags::empty(),
        root: None,
        name: units(name),
    };
    let bytes = request("long enough")
        .encode(Layout::Bits64, Form::Classic)
        .expect("it fits");
    for length in [0_u32, 7, 24, u32::MAX] {
        let mut bytes = bytes.clone();
        bytes[16..20].copy_from_slice(&length.to_le_bytes());
        let decoded = LinkInformation::decode(&bytes, Layout::Bits64, Form::Classic);
        assert_eq!(decoded, Err(NtStatus::INVALID_PARAMETER), "{length}");
    }
    // and where no buffer was
    let (mut world, handle) = with_file();
    assert_eq!(
        link_to(&mut world, handle, None, "", R0),
        Err(NtStatus::INVALID_PARAMETER)
    );
}

#[test]
fn row_4_2_2_errors_of_the_directory_propagate() {
    let (mut world, handle) = with_file();
    world.file(r"\other");
    world.dir(r"\locked");
    world.dir(r"\held");
    world.dir(r"\going");
    world.rights(r"\locked", Access::ALL - Access::ADD_FILE);
    world
        .open(r"\held", READ, ALONE, NO_OPTIONS)
        .expect("a free directory");
    let going = world
        .open(r"\going", DELETE, SHARED, NO_OPTIONS)
        .expect("a free directory");
    world.dispose(going, true).expect("it is empty");
    let refused = [
        (r"\missing\link", NtStatus::OBJECT_PATH_NOT_FOUND),
        (r"\other\dir\link", NtStatus::OBJECT_PATH_NOT_FOUND),
        (r"\other\link", NtStatus::INVALID_PARAMETER),
        (r"\locked\link", DENIED),
        (r"\held\link", NtStatus::SHARING_VIOLATION),
        (r"\going\link", NtStatus::DELETE_PENDING),
        (r"\a<b\link", NtStatus::OBJECT_NAME_INVALID),
    ];
    for (path, status) in refused {
        assert_eq!(world.link(handle, path, R0), Err(status), "{path}");
    }
    assert_eq!(world.link(handle, r"\dir\link", R0), Ok(()));
}

#[test]
fn row_4_2_2_who_holds_the_directory_to_delete_it_is_in_the_way() {
    let (mut world, handle) = with_file();
    world
        .open(r"\dir", DELETE, SHARED, NO_OPTIONS)
        .expect("a free directory");
    let refused = world.link(handle, r"\dir\link", R0);
    assert_eq!(refused, Err(NtStatus::SHARING_VIOLATION));
    // but not for a server, which shares deleting
    assert_eq!(link_remote(&mut world, handle, r"\dir\link"), Ok(()));
}

#[test]
fn row_4_2_2_through_a_root_directory() {
    let (mut world, handle) = with_file();
    let root = world
        .open(r"\dir", READ, Share::WRITE, NO_OPTIONS)
        .expect("a free directory");
    assert_eq!(link_to(&mut world, handle, Some(root), "link", R0), Ok(()));
    assert_eq!(world.links_of(handle), [r"\dir\link", r"\file"]);
    let refused = link_to(&mut world, handle, Some(root), r"\link", R0);
    assert_eq!(refused, Err(NtStatus::INVALID_PARAMETER));
    let refused = link_to(&mut world, handle, Some(handle), "link", R0);
    assert_eq!(refused, Err(NtStatus::INVALID_PARAMETER));
}

#[test]
fn row_4_2_3_the_kind_of_the_source_comes_before_the_collision() {
    let (mut world, _) = with_file();
    let dir = world
        .open(r"\dir", READ, SHARED, NO_OPTIONS)
        .expect("a free directory");
    assert_eq!(world.link(dir, r"\file", R0), Err(NtStatus::FILE_IS_A_DIRECTORY));
}

#[test]
fn row_4_2_4_another_device() {
    let (mut world, handle) = with_file();
    let refused = world.link(handle, r"\D:\link", R0);
    assert_eq!(refused, Err(NtStatus::NOT_SAME_DEVICE));
    let root = world.open(r"\D:\", READ, SHARED, NO_OPTIONS).expect("a root");
    let refused = link_to(&mut world, handle, Some(root), "link", R0);
    assert_eq!(refused, Err(NtStatus::NOT_SAME_DEVICE));
}

// ---- the file system

#[test]
fn row_4_3_01_a_short_buffer() {
    for (layout, size) in [(Layout::Bits32, 16), (Layout::Bits64, 24)] {
        let bytes = vec![0; size - 1];
        let decoded = LinkInformation::decode(&bytes, layout, Form::Classic);
        assert_eq!(decoded, Err(NtStatus::INFO_LENGTH_MISMATCH));
    }
}

#[test]
fn row_4_3_02_a_handle_of_a_named_stream() {
    let (mut world, _) = with_file();
    world.stream(r"\file", "stream");
    let stream = world
        .open(r"\file:stream", READ, SHARED, NO_OPTIONS)
        .expect("a stream");
    assert_eq!(world.link(stream, r"\link", R0), Err(NtStatus::INVALID_PARAMETER));
}

#[test]
fn row_4_3_03_a_handle_of_a_directory() {
    let (mut world, _) = with_file();
    for path in [r"\dir", r"\"] {
        let dir = world
            .open(path, READ, SHARED, NO_OPTIONS)
            .expect("a free directory");
        assert_eq!(world.link(dir, r"\link", R0), Err(NtStatus::FILE_IS_A_DIRECTORY));
    }
}

#[test]
fn row_4_3_04_a_volume_without_hard_links() {
    let (mut world, handle) = with_file();
    world.volume.hard_links = HardLinks::Unsupported;
    assert_eq!(world.link(handle, r"\link", R0), Err(NtStatus::NOT_SUPPORTED));
    world.volume.hard_links = HardLinks::Unknown;
    assert_eq!(
        world.link(handle, r"\link", R0),
        Err(NtStatus::INVALID_DEVICE_REQUEST)
    );
}

#[test]
fn row_4_3_05_a_name_about_to_go_gives_no_other() {
    let (mut world, _) = with_file();
    let handle = world
        .open(r"\file", DELETE, SHARED, NO_OPTIONS)
        .expect("all is shared");
    world.dispose(handle, true).expect("nothing protects it");
    assert_eq!(world.link(handle, r"\link", R0), Err(DENIED));
    world.dispose(handle, false).expect("it can be cleared");
    assert_eq!(world.link(handle, r"\link", R0), Ok(()));
    // another name of the file about to go is no matter
    let link = world
        .open(r"\link", DELETE, SHARED, NO_OPTIONS)
        .expect("all is shared");
    world.dispose(link, true).expect("nothing protects it");
    assert_eq!(world.link(handle, r"\third", R0), Ok(()));
}

#[test]
fn row_4_3_06_a_name_that_cannot_exist() {
    let (mut world, handle) = with_file();
    for name in [r"\.", r"\..", r"\a*b", "\\a\u{1F}b", r"\a:b", r"\dir\"] {
        let refused = world.link(handle, name, R0);
        assert_eq!(refused, Err(NtStatus::OBJECT_NAME_INVALID), "{name}");
    }
    // what Win32 would cut off is fine here
    for name in [r"\dots...", r"\space ", r"\CON"] {
        assert_eq!(world.link(handle, name, R0), Ok(()), "{name}");
    }
}

#[test]
fn row_4_3_07_the_limit_comes_before_any_replacing() {
    let (mut world, handle) = with_file();
    world.file(r"\victim");
    world.second_name(r"\file", r"\second");
    world.volume.link_limit = 2;
    for (path, flags) in [
        (r"\link", R0),
        (r"\victim", R1),
        (r"\second", R1),
        (r"\file", R1),
        (r"\FILE", R1),
        (r"\victim", R0),
    ] {
        let refused = world.link(handle, path, flags);
        assert_eq!(refused, Err(NtStatus::TOO_MANY_LINKS), "{path}");
    }
    world.volume.link_limit = 3;
    assert_eq!(world.link(handle, r"\victim", R1), Ok(()));
}

#[test]
fn row_4_3_07_names_about_to_go_count_and_twins_do_not() {
    let (mut world, handle) = with_file();
    world.volume.link_limit = 2;
    world.short_name(r"\file", "FILE~1");
    assert_eq!(world.link(handle, r"\link", R0), Ok(()));
    let link = world
        .open(r"\link", DELETE, SHARED, NO_OPTIONS)
        .expect("all is shared");
    world.dispose(link, true).expect("nothing protects it");
    assert_eq!(world.number_of_links(handle), 1);
    assert_eq!(world.link(handle, r"\third", R0), Err(NtStatus::TOO_MANY_LINKS));
    world.close(link);
    assert_eq!(world.link(handle, r"\third", R0), Ok(()));
}

#[test]
fn row_4_3_08_a_servers_request_opens_the_directory() {
    let (mut world, handle) = with_file();
    assert_eq!(link_remote(&mut world, handle, r"\dir\link"), Ok(()));
    let refused = link_remote(&mut world, handle, r"\missing\link");
    assert_eq!(refused, Err(NtStatus::OBJECT_PATH_NOT_FOUND));
    // a plain name as well
    world.rights(r"\", Access::empty());
    assert_eq!(link_remote(&mut world, handle, "link"), Err(DENIED));
    // and has no root directory
    let target = Target {
        path: &units("link"),
        root: Some(handle),
        origin: Origin::Remote,
    };
    let refused = world.ask(Request::Link, handle, target, R0);
    assert_eq!(refused, Err(NtStatus::INVALID_PARAMETER));
}

#[test]
fn row_4_3_09_a_plain_name_is_beside_the_handles_own() {
    let (mut world, _) = with_file();
    world.file(r"\dir\file");
    let handle = world
        .open(r"\dir\file", READ, SHARED, NO_OPTIONS)
        .expect("a free file");
    assert_eq!(link_to(&mut world, handle, None, "link", R0), Ok(()));
    assert_eq!(world.names(r"\dir"), ["file", "link"]);
    let refused = link_to(&mut world, handle, None, r"dir\link", R0);
    assert_eq!(refused, Err(NtStatus::OBJECT_NAME_INVALID));
    world.rights(r"\dir", Access::empty());
    assert_eq!(link_to(&mut world, handle, None, "third", R0), Err(DENIED));
}

#[test]
fn row_4_3_10_short_names_are_names() {
    let (mut world, handle) = with_file();
    world.file(r"\a long name.text");
    world.short_name(r"\a long name.text", "ALONGN~1.TEX");
    assert_eq!(world.link(handle, r"\alongn~1.tex", R0), Err(COLLISION));
    assert_eq!(world.link(handle, r"\ALONGN~1.TEX", R1), Ok(()));
    assert_eq!(world.names(r"\"), ["ALONGN~1.TEX", "dir", "file"]);
}

#[test]
fn row_4_3_10_names_are_compared_as_the_handle_says() {
    let (mut world, handle) = with_file();
    world.file(r"\other");
    assert_eq!(world.link(handle, r"\OTHER", R0), Err(COLLISION));
    world.compare_case(handle);
    assert_eq!(world.link(handle, r"\OTHER", R0), Ok(()));
    assert_eq!(world.names(r"\"), ["OTHER", "dir", "file", "other"]);
}

#[test]
fn row_4_3_10_another_name_of_the_file_is_made_anew() {
    let (mut world, handle) = with_file();
    world.second_name(r"\file", r"\second");
    assert_eq!(world.link(handle, r"\second", R0), Err(COLLISION));
    assert_eq!(world.link(handle, r"\SECOND", R1), Ok(()));
    assert_eq!(world.names(r"\"), ["SECOND", "dir", "file"]);
    assert_eq!(world.counts(handle), (2, 2, false));
    assert_eq!(world.name_of(handle), r"\file");
}

#[test]
fn row_4_3_10_a_victim_with_other_names_loses_this_one() {
    let (mut world, handle) = with_file();
    let victim = world.file(r"\victim");
    world.second_name(r"\victim", r"\survivor");
    assert_eq!(world.link(handle, r"\victim", R1), Ok(()));
    assert!(world.file_exists(victim) && world.has(r"\survivor"));
    assert_eq!(world.victim_usn, UsnReason::HARD_LINK_CHANGE | UsnReason::CLOSE);
    // and is in the way if it is open by another name
    world.file(r"\victim2");
    world.second_name(r"\victim2", r"\survivor2");
    world
        .open(r"\survivor2", READ, SHARED, NO_OPTIONS)
        .expect("a free file");
    assert_eq!(world.link(handle, r"\victim2", R1), Err(DENIED));
    let posix = LinkFlags::REPLACE_IF_EXISTS | LinkFlags::POSIX_SEMANTICS;
    assert_eq!(world.link(handle, r"\victim2", ex(posix)), Ok(()));
    assert!(world.has(r"\survivor2"));
}

#[test]
fn row_4_3_11_the_new_name_has_no_twin_and_a_copy_of_the_information() {
    let (mut world, handle) = with_file();
    world.short_name(r"\file", "FILE~1");
    assert_eq!(world.link(handle, r"\a very long new name", R0), Ok(()));
    assert_eq!(world.twin(r"\a very long new name"), None);
    assert_eq!(world.twin(r"\file").as_deref(), Some("FILE~1"));
    assert!(world.just_refreshed(r"\a very long new name"));
    assert!(!world.just_refreshed(r"\file"));
}

#[test]
fn row_4_3_12_times_and_the_archive_attribute() {
    let (mut world, handle) = with_file();
    assert!(!world.archive(r"\file"));
    assert_eq!(world.link(handle, r"\dir\link", R0), Ok(()));
    assert!(world.archive(r"\file") && world.just_changed(r"\file"));
    assert!(world.directory_just_changed(r"\dir") && !world.directory_just_changed(r"\"));
    world.keep_change_time(handle);
    assert_eq!(world.link(handle, r"\dir\link2", R0), Ok(()));
    assert!(!world.just_changed(r"\file"));
}

#[test]
fn row_4_3_13_what_watchers_are_told() {
    let notice = |action, filter, name| Notice { action, filter, name };
    let (mut world, handle) = with_file();
    world.file(r"\same");
    world.file(r"\other");

    assert_eq!(world.link(handle, r"\new", R0), Ok(()));
    let name = NotifyFilter::FILE_NAME;
    assert_eq!(world.notices, [notice(FileAction::Added, name, NoticeName::New)]);
    assert_eq!(world.usn, UsnReason::HARD_LINK_CHANGE);

    assert_eq!(world.link(handle, r"\same", R1), Ok(()));
    let all = NotifyFilter::ATTRIBUTES
        | NotifyFilter::SIZE
        | NotifyFilter::LAST_WRITE
        | NotifyFilter::LAST_ACCESS
        | NotifyFilter::CREATION
        | NotifyFilter::SECURITY
        | NotifyFilter::EA;
    assert_eq!(
        world.notices,
        [notice(FileAction::Modified, all, NoticeName::New)]
    );

    assert_eq!(world.link(handle, r"\OTHER", R1), Ok(()));
    let expected = [
        notice(FileAction::Removed, name, NoticeName::Replaced),
        notice(FileAction::Added, name, NoticeName::New),
    ];
    assert_eq!(world.notices, expected);
}

#[test]
fn row_4_3_a_write_protected_volume() {
    let (mut world, handle) = with_file();
    world.volume.read_only = true;
    let denied = Err(NtStatus::MEDIA_WRITE_PROTECTED);
    assert_eq!(world.link(handle, r"\link", R0), denied);
    let deleter = world
        .open(r"\file", DELETE, SHARED, NO_OPTIONS)
        .expect("all is shared");
    assert_eq!(world.rename(deleter, r"\new", R0), denied);
    assert_eq!(world.dispose(deleter, true), denied);
}

#[test]
fn row_4_3_flags_that_a_link_does_not_have() {
    let (mut world, handle) = with_file();
    for bits in [0x4, 0x200, 0x8000_0000] {
        let flags = ex(LinkFlags::from_bits_retain(bits));
        assert_eq!(
            world.link(handle, r"\link", flags),
            Err(NtStatus::NOT_SUPPORTED),
            "{bits:#x}"
        );
    }
    // those of storage reserves change nothing, nor POSIX semantics without replacing
    let reserves = LinkFlags::PRESERVE_AVAILABLE_SPACE | LinkFlags::FORCE_RESIZE_SR;
    assert_eq!(world.link(handle, r"\link", ex(reserves)), Ok(()));
    let refused = world.link(handle, r"\link", ex(LinkFlags::POSIX_SEMANTICS));
    assert_eq!(refused, Err(COLLISION));
    // the classic class has one flag, whatever the caller has in the others
    let classic = Flags {
        form: Form::Classic,
        flags: LinkFlags::from_bits_retain(0xFFFF_FFFE),
    };
    assert_eq!(world.link(handle, r"\link2", classic), Ok(()));
    assert_eq!(
        world.ask(Request::Link, handle, absolute(&units(r"\link2")), classic),
        Err(COLLISION)
    );
}
