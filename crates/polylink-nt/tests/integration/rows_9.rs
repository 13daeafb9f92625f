//! What no public source settles, and what was chosen: each choice is one test here.
//!
//! Only a real Windows can confirm them: whether NTFS counts an 8.3 twin against the limit (1, 7); what a replacing link
//! says at the limit (2); NULL names, and CREATE_HARDLINK with COPY_ALLOWED across volumes (3); whether a native link
//! needs the right to write attributes (4); the class numbers of the extended requests (5); the journal's record of a
//! new name (6); whether the directory's faults come before the file's (8); and all from `q10` on, of which not even a
//! contradiction is known.

use polylink_nt::NtStatus;
use polylink_nt::decide::{Access, Manner, Mapping, OpenOptions, Origin, UsnReason};
use polylink_nt::door::MoveFlags;
use polylink_nt::info::{DispositionFlags, InfoClass, LinkFlags};

use crate::world::{DELETE, Handle, NO_OPTIONS, R0, R1, READ, Request, SHARED, Target, World, ex, units};

const REPLACE: LinkFlags = LinkFlags::REPLACE_IF_EXISTS;

fn with_file() -> (World, Handle) {
    let mut world = World::new();
    world.file(r"\file");
    let handle = world
        .open(r"\file", READ | DELETE, SHARED, NO_OPTIONS)
        .expect("a free file");
    (world, handle)
}

#[test]
fn q1_a_twin_is_not_counted() {
    let (mut world, handle) = with_file();
    world.short_name(r"\file", "FILE~1");
    assert_eq!(world.number_of_links(handle), 1);
    world.volume.link_limit = 2;
    assert_eq!(world.link(handle, r"\second", R0), Ok(()));
}

#[test]
fn q2_replacing_at_the_limit_is_one_link_too_many() {
    let (mut world, handle) = with_file();
    world.file(r"\victim");
    world.volume.link_limit = 1;
    assert_eq!(world.link(handle, r"\victim", R1), Err(NtStatus::TOO_MANY_LINKS));
}

#[test]
fn q3_null_names_and_links_across_volumes() {
    let (mut world, _) = with_file();
    assert_eq!(world.create_hard_link(None, None), Err(87));
    let flags = MoveFlags::CREATE_HARDLINK | MoveFlags::COPY_ALLOWED;
    let refused = world.move_file(Some(r"\file"), Some(r"D:\file"), flags);
    assert_eq!(refused, Err(17));
    assert!(world.has(r"\file"));
}

#[test]
fn q4_a_native_link_needs_no_right() {
    let mut world = World::new();
    world.file(r"\file");
    world.rights(r"\file", Access::SYNCHRONIZE);
    let handle = world
        .open(r"\file", Access::SYNCHRONIZE, SHARED, NO_OPTIONS)
        .expect("that much is allowed");
    assert_eq!(world.link(handle, r"\link", R0), Ok(()));
    assert_eq!(world.create_hard_link(Some(r"\link2"), Some(r"\file")), Err(5));
}

#[test]
fn q5_class_numbers() {
    let numbers = [
        InfoClass::Link,
        InfoClass::HardLink,
        InfoClass::StandardLink,
        InfoClass::LinkEx,
    ]
    .map(InfoClass::number);
    assert_eq!(numbers, [11, 46, 54, 72]);
}

#[test]
fn q6_a_new_name_is_a_hard_link_change() {
    let (mut world, handle) = with_file();
    assert_eq!(world.link(handle, r"\link", R0), Ok(()));
    assert_eq!(world.usn, UsnReason::HARD_LINK_CHANGE);
    assert_eq!(world.usn.bits(), 0x1_0000);
}

#[test]
fn q7_the_1025th_name_is_refused_with_and_without_a_twin() {
    for twin in [false, true] {
        let (mut world, handle) = with_file();
        if twin {
            world.short_name(r"\file", "FILE~1");
        }
        for number in 2..=1024 {
            assert_eq!(world.link(handle, &format!(r"\{number}"), R0), Ok(()));
        }
        let refused = world.link(handle, r"\1025", R0);
        assert_eq!(refused.map_err(NtStatus::win32), Err(1142));
    }
}

#[test]
fn q8_the_directorys_faults_come_first_for_local_callers_only() {
    let mut world = World::new();
    world.dir(r"\dir");
    let handle = world
        .open(r"\dir", READ, SHARED, NO_OPTIONS)
        .expect("a free directory");
    let path = units(r"\missing\link");
    for (origin, status) in [
        (Origin::Local, NtStatus::OBJECT_PATH_NOT_FOUND),
        (Origin::Remote, NtStatus::FILE_IS_A_DIRECTORY),
    ] {
        let target = Target {
            path: &path,
            root: None,
            origin,
        };
        assert_eq!(world.ask(Request::Link, handle, target, R0), Err(status));
    }
}

#[test]
fn q9_where_sources_contradict_each_other() {
    // an existing name: a collision, not access denied as SMB 1 says
    let (mut world, handle) = with_file();
    world.file(r"\other");
    assert_eq!(
        world.link(handle, r"\other", R0),
        Err(NtStatus::OBJECT_NAME_COLLISION)
    );
    // another name of the same file: made anew, not left alone as Wine does
    world.second_name(r"\file", r"\SECOND");
    assert_eq!(world.link(handle, r"\second", R1), Ok(()));
    assert_eq!(world.names(r"\"), ["file", "other", "second"]);
    assert_eq!(world.number_of_links(handle), 2);
    // a symbolic link: itself, not what it leads to as with Wine
    world.symlink(r"\symlink");
    assert_eq!(world.create_hard_link(Some(r"\link"), Some(r"\symlink")), Ok(()));
    assert!(world.same_file(r"\link", r"\symlink"));
}

#[test]
fn q10_another_name_of_the_file_that_is_about_to_go_is_not_brought_back() {
    let (mut world, handle) = with_file();
    world.second_name(r"\file", r"\second");
    let second = world
        .open(r"\second", DELETE, SHARED, NO_OPTIONS)
        .expect("all is shared");
    world.dispose(second, true).expect("nothing protects it");
    assert_eq!(world.link(handle, r"\second", R1), Err(NtStatus::DELETE_PENDING));
    assert_eq!(
        world.rename(handle, r"\second", R0),
        Err(NtStatus::DELETE_PENDING)
    );
}

#[test]
fn q11_a_mapped_victim_is_in_the_way_with_its_last_name_only() {
    for mapping in [Mapping::Data, Mapping::Image] {
        let (mut world, handle) = with_file();
        world.file(r"\victim");
        world.second_name(r"\victim", r"\other");
        world.map(r"\victim", mapping);
        assert_eq!(world.link(handle, r"\victim", R1), Ok(()));
        assert_eq!(world.rename(handle, r"\other", R1), Err(NtStatus::ACCESS_DENIED));
    }
}

#[test]
fn q12_clearing_on_close_through_a_handle_that_never_had_it_clears_what_was_set() {
    let (mut world, handle) = with_file();
    world.dispose(handle, true).expect("nothing protects it");
    assert_eq!(world.dispose_ex(handle, DispositionFlags::ON_CLOSE), Ok(()));
    world.close(handle);
    assert_eq!(world.names(r"\"), ["file"]);
}

#[test]
fn q13_delete_on_close_can_become_posix() {
    let mut world = World::new();
    world.file(r"\file");
    let first = world
        .open(r"\file", DELETE, SHARED, OpenOptions::DELETE_ON_CLOSE)
        .expect("a free file");
    let second = world
        .open(r"\file", READ, SHARED, NO_OPTIONS)
        .expect("all is shared");
    let flags = DispositionFlags::DELETE | DispositionFlags::ON_CLOSE | DispositionFlags::POSIX_SEMANTICS;
    assert_eq!(world.dispose_ex(first, flags), Ok(()));
    assert_eq!(world.delete_on_close(first), Some(Manner::Posix));
    world.close(first);
    assert!(world.names(r"\").is_empty());
    assert_eq!(world.counts(second), (0, 1, true));
}

#[test]
fn q14_unknown_flags_are_not_supported() {
    let (mut world, handle) = with_file();
    let flags = ex(LinkFlags::from_bits_retain(0x200));
    assert_eq!(world.link(handle, r"\new", flags), Err(NtStatus::NOT_SUPPORTED));
    assert_eq!(world.rename(handle, r"\new", flags), Err(NtStatus::NOT_SUPPORTED));
    // the one that renames alone have
    let pin = ex(LinkFlags::SUPPRESS_PIN_STATE_INHERITANCE | REPLACE);
    assert_eq!(world.link(handle, r"\new", pin), Err(NtStatus::NOT_SUPPORTED));
    assert_eq!(world.rename(handle, r"\new", pin), Ok(()));
}

#[test]
fn q15_a_stream_and_the_volumes_root_are_not_renamed() {
    let (mut world, _) = with_file();
    world.stream(r"\file", "stream");
    let stream = world
        .open(r"\file:stream", DELETE, SHARED, NO_OPTIONS)
        .expect("a stream");
    assert_eq!(
        world.rename(stream, r"\new", R0),
        Err(NtStatus::INVALID_PARAMETER)
    );
    world.close(stream);
    let root = world
        .open(r"\", Access::GENERIC_ALL, SHARED, NO_OPTIONS)
        .expect("a root");
    let plain = Target {
        path: &units("new"),
        root: None,
        origin: Origin::Local,
    };
    let refused = world.ask(Request::Rename, root, plain, R0);
    assert_eq!(refused, Err(NtStatus::INVALID_PARAMETER));
    assert_eq!(world.dispose(root, true), Err(NtStatus::CANNOT_DELETE));
}

#[test]
fn q16_a_directory_with_entries_is_not_empty_before_it_is_shared() {
    let mut world = World::new();
    world.dir(r"\old");
    world.dir(r"\new");
    world.file(r"\new\file");
    world
        .open(r"\new", READ, crate::world::ALONE, NO_OPTIONS)
        .expect("a free directory");
    let handle = world
        .open(r"\old", DELETE, SHARED, NO_OPTIONS)
        .expect("a free directory");
    let refused = world.rename(handle, r"\new", ex(REPLACE | LinkFlags::POSIX_SEMANTICS));
    assert_eq!(refused, Err(NtStatus::DIRECTORY_NOT_EMPTY));
}
