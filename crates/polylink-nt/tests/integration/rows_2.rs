//! CreateHardLink on Windows: its page, the tests of others, and what was chosen where neither tells.
//!
//! Chosen, and for a real Windows to confirm: NULL names are 87; all is shared; the link limit counts names without 8.3
//! twins.

use polylink_nt::NtStatus;
use polylink_nt::decide::{Access, OpenOptions, Share};
use polylink_nt::door::{HardLinkArgs, LongPaths, SecurityAttributes, create_hard_link, is_device};
use polylink_nt::info::{InfoClass, LinkFlags};

use crate::world::{ALONE, DELETE, NO_OPTIONS, READ, SHARED, World, units};

fn with_file() -> World {
    let mut world = World::new();
    world.file(r"\file");
    world
}

#[test]
fn row_2_null_names_are_invalid() {
    let mut world = with_file();
    assert_eq!(world.create_hard_link(None, Some(r"\file")), Err(87));
    assert_eq!(world.create_hard_link(Some(r"\link"), None), Err(87));
    assert_eq!(world.create_hard_link(None, None), Err(87));
}

#[test]
fn row_2_bad_paths_are_not_found() {
    let mut world = with_file();
    assert_eq!(world.create_hard_link(Some(""), Some(r"\file")), Err(3));
    assert_eq!(world.create_hard_link(Some(r"\link"), Some("")), Err(3));
    assert_eq!(world.create_hard_link(Some("  "), Some(r"\file")), Err(3));
}

#[test]
fn row_2_servers_are_allowed() {
    let (new, existing) = (units(r"\\server\share\link"), units(r"\\server\share\file"));
    let plan =
        create_hard_link(&HardLinkArgs::new(Some(&new), Some(&existing))).expect("it is for them to say");
    assert_eq!((plan.new, plan.existing), (new.as_slice(), existing.as_slice()));
}

#[test]
fn row_2_the_file_is_opened_to_write_attributes() {
    // no right that share modes count: who holds it and shares nothing is not in the way
    let mut world = with_file();
    world
        .open(
            r"\file",
            Access::GENERIC_READ | Access::GENERIC_WRITE | DELETE,
            ALONE,
            NO_OPTIONS,
        )
        .expect("a free file");
    assert_eq!(world.create_hard_link(Some(r"\link"), Some(r"\file")), Ok(()));

    let mut world = with_file();
    world.rights(r"\file", Access::ALL - Access::WRITE_ATTRIBUTES);
    assert_eq!(world.create_hard_link(Some(r"\link"), Some(r"\file")), Err(5));
}

#[test]
fn row_2_a_clone_that_opens_with_delete_meets_sharing() {
    // what reimplementations of the call ask for
    let mut world = with_file();
    world
        .open(r"\file", READ, ALONE, NO_OPTIONS)
        .expect("a free file");
    let refused = world.open(r"\file", DELETE | Access::SYNCHRONIZE, SHARED, NO_OPTIONS);
    assert_eq!(refused, Err(NtStatus::SHARING_VIOLATION));
}

fn plan_of(args: &HardLinkArgs<'_>) -> (Access, Share, OpenOptions, InfoClass, LinkFlags) {
    let plan = create_hard_link(args).expect("good arguments");
    (
        plan.open.access,
        plan.open.share,
        plan.open.options,
        plan.class,
        plan.flags,
    )
}

#[test]
fn row_2_share_options_class_and_replace() {
    let (new, existing) = (units(r"C:\link"), units(r"C:\file"));
    let plan = plan_of(&HardLinkArgs::new(Some(&new), Some(&existing)));
    let options = OpenOptions::SYNCHRONOUS_IO_NONALERT | OpenOptions::OPEN_REPARSE_POINT;
    let access = Access::WRITE_ATTRIBUTES | Access::SYNCHRONIZE;
    assert_eq!(
        plan,
        (access, Share::all(), options, InfoClass::Link, LinkFlags::empty())
    );
    assert_eq!(InfoClass::Link.number(), 11);
}

#[test]
fn row_2_a_symbolic_link_is_linked_itself() {
    let mut world = with_file();
    world.symlink(r"\symlink");
    assert_eq!(world.create_hard_link(Some(r"\link"), Some(r"\symlink")), Ok(()));
    assert!(world.same_file(r"\link", r"\symlink"));
    assert!(!world.same_file(r"\link", r"\file"));
}

#[test]
fn row_2_security_attributes_must_be_null() {
    let (new, existing) = (units(r"C:\link"), units(r"C:\file"));
    let args = HardLinkArgs {
        security: SecurityAttributes::Given,
        ..HardLinkArgs::new(Some(&new), Some(&existing))
    };
    assert_eq!(create_hard_link(&args), Err(NtStatus::INVALID_PARAMETER));
}

#[test]
fn row_2_it_never_replaces() {
    let mut world = with_file();
    world.file(r"\other");
    for new in [r"\other", r"\file", r"\OTHER"] {
        assert_eq!(world.create_hard_link(Some(new), Some(r"\file")), Err(183));
    }
}

#[test]
fn row_2_note_a_a_directory_is_opened_and_refused_by_the_file_system() {
    let mut world = World::new();
    world.dir(r"\dir");
    assert_eq!(world.create_hard_link(Some(r"\link"), Some(r"\dir")), Err(5));
    // and not by the open
    let options = OpenOptions::SYNCHRONOUS_IO_NONALERT | OpenOptions::OPEN_REPARSE_POINT;
    let access = Access::WRITE_ATTRIBUTES | Access::SYNCHRONIZE;
    assert!(world.open(r"\dir", access, SHARED, options).is_ok());
}

#[test]
fn row_2_note_b_attributes_and_waiting_take_no_part_in_sharing() {
    let mut world = with_file();
    world
        .open(r"\file", Access::ALL, ALONE, NO_OPTIONS)
        .expect("a free file");
    for access in [
        Access::READ_ATTRIBUTES,
        Access::WRITE_ATTRIBUTES,
        Access::SYNCHRONIZE,
        Access::READ_CONTROL,
    ] {
        assert!(
            world.open(r"\file", access, ALONE, NO_OPTIONS).is_ok(),
            "{access:?}"
        );
    }
    for access in [
        READ,
        Access::EXECUTE,
        Access::WRITE_DATA,
        Access::APPEND_DATA,
        DELETE,
    ] {
        let refused = world.open(r"\file", access, SHARED, NO_OPTIONS);
        assert_eq!(refused, Err(NtStatus::SHARING_VIOLATION), "{access:?}");
    }
}

#[test]
fn row_2_note_c_the_native_link_needs_no_right_at_all() {
    let mut world = with_file();
    let handle = world
        .open(r"\file", Access::SYNCHRONIZE, SHARED, NO_OPTIONS)
        .expect("a free file");
    assert_eq!(world.link(handle, r"\link", crate::world::R0), Ok(()));
}

#[test]
fn row_2_docs_1023_links_can_be_made() {
    let mut world = with_file();
    for number in 0..1023 {
        let name = format!(r"\link{number}");
        assert_eq!(
            world.create_hard_link(Some(&name), Some(r"\file")),
            Ok(()),
            "{name}"
        );
    }
    assert_eq!(
        world.create_hard_link(Some(r"\one more"), Some(r"\file")),
        Err(1142)
    );
    assert_eq!(world.names(r"\").len(), 1024);
    // a twin is not counted: one name less, and there is room again
    world.short_name(r"\link0", "LINK0~1");
    world.delete_file(Some(r"\link1")).expect("a free name");
    assert_eq!(world.create_hard_link(Some(r"\one more"), Some(r"\file")), Ok(()));
    assert_eq!(
        world.create_hard_link(Some(r"\two more"), Some(r"\file")),
        Err(1142)
    );
}

#[test]
fn row_2_docs_long_paths_are_not_found() {
    let mut world = with_file();
    let long = format!(r"\{}", "x".repeat(259));
    assert_eq!(world.create_hard_link(Some(&long), Some(r"\file")), Err(3));
    let (new, existing) = (units(&long), units(r"\file"));
    let args = HardLinkArgs {
        long_paths: LongPaths::Anywhere,
        ..HardLinkArgs::new(Some(&new), Some(&existing))
    };
    assert!(create_hard_link(&args).is_ok());
    // behind the prefix, what counts is that a component has 255 units at most
    let verbatim = format!(r"\\?\C:\{}", "x".repeat(255));
    assert_eq!(world.create_hard_link(Some(&verbatim), Some(r"\file")), Ok(()));
}

#[test]
fn row_2_docs_names_go_in_any_order_and_the_data_with_the_last() {
    for order in [
        ["file", "one", "two"],
        ["two", "file", "one"],
        ["one", "two", "file"],
    ] {
        let mut world = World::new();
        let file = world.file(r"\file");
        assert_eq!(world.create_hard_link(Some(r"\one"), Some(r"\file")), Ok(()));
        assert_eq!(world.create_hard_link(Some(r"\two"), Some(r"\one")), Ok(()));
        for name in order {
            assert!(world.file_exists(file));
            assert_eq!(world.delete_file(Some(&format!(r"\{name}"))), Ok(()));
        }
        assert!(!world.file_exists(file));
    }
}

#[test]
fn row_2_docs_attributes_belong_to_the_file() {
    let mut world = with_file();
    assert_eq!(world.create_hard_link(Some(r"\link"), Some(r"\file")), Ok(()));
    world.read_only(r"\link");
    assert_eq!(world.delete_file(Some(r"\file")), Err(5));
    assert_eq!(world.delete_file(Some(r"\link")), Err(5));
}

#[test]
fn row_2_docs_names_are_on_one_volume() {
    let mut world = with_file();
    assert_eq!(world.create_hard_link(Some(r"D:\link"), Some(r"\file")), Err(17));
}

#[test]
fn row_2_a_device_is_not_on_the_volume() {
    let mut world = with_file();
    assert!(is_device(&units(r"C:\dir\NUL")));
    assert_eq!(world.create_hard_link(Some("NUL"), Some(r"\file")), Err(17));
}
