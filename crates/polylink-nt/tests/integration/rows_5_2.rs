//! Links at NT's level: the btrfs driver's tests, which also run on NTFS. Handles share nothing unless said.

use polylink_nt::NtStatus;
use polylink_nt::decide::{Access, Mapping, OpenOptions, Origin, Share};
use polylink_nt::info::LinkFlags;

use crate::world::{
    ALONE, DELETE, Flags, Handle, NO_OPTIONS, Outcome, R0, R1, READ, Request, Target, World, absolute, ex,
    units,
};

const COLLISION: NtStatus = NtStatus::OBJECT_NAME_COLLISION;
const DENIED: NtStatus = NtStatus::ACCESS_DENIED;
const REPLACE: LinkFlags = LinkFlags::REPLACE_IF_EXISTS;
const POSIX: LinkFlags = REPLACE.union(LinkFlags::POSIX_SEMANTICS);

fn open(world: &mut World, path: &str, access: Access) -> Handle {
    world
        .open(path, access, ALONE, NO_OPTIONS)
        .expect("nobody has it open")
}

/// `\file` open for `access`, and its handle.
fn with_file(access: Access) -> (World, Handle) {
    let mut world = World::new();
    world.file(r"\file");
    let handle = open(&mut world, r"\file", access);
    (world, handle)
}

/// `\file` open, and `\victim` closed.
fn with_victim() -> (World, Handle) {
    let (mut world, handle) = with_file(DELETE);
    world.file(r"\victim");
    (world, handle)
}

#[test]
fn l1_a_link_is_a_second_name() {
    let (mut world, h1) = with_file(DELETE);
    assert_eq!(world.number_of_links(h1), 1);
    assert_eq!(world.counts(h1), (1, 1, false));
    assert_eq!(world.link(h1, r"\link1b", R0), Ok(()));
    assert_eq!(world.number_of_links(h1), 2);
    assert_eq!(world.counts(h1), (2, 2, false));
    assert_eq!(world.name_of(h1), r"\file");
    assert_eq!(world.links_of(h1), [r"\file", r"\link1b"]);
}

#[test]
fn l1_the_second_name_opens_the_same_file() {
    let (mut world, h1) = with_file(DELETE);
    world.link(h1, r"\link1b", R0).expect("a free name");
    let h2 = world
        .open(r"\link1b", Access::READ_ATTRIBUTES, ALONE, NO_OPTIONS)
        .expect("attributes only");
    assert!(world.same_file(r"\file", r"\link1b"));
    assert_eq!(world.name_of(h2), r"\link1b");
    assert_eq!(world.names(r"\"), ["file", "link1b"]);
}

fn with_one_of_two_pending() -> (World, Handle, Handle) {
    let (mut world, h1) = with_file(DELETE);
    world.link(h1, r"\link1b", R0).expect("a free name");
    let h2 = world
        .open(r"\link1b", Access::READ_ATTRIBUTES, ALONE, NO_OPTIONS)
        .expect("attributes only");
    world.dispose(h1, true).expect("nothing protects it");
    (world, h1, h2)
}

#[test]
fn l1_delete_pending_belongs_to_the_name() {
    let (world, h1, h2) = with_one_of_two_pending();
    assert_eq!(world.number_of_links(h1), 1);
    assert_eq!(world.counts(h1), (1, 2, true));
    assert_eq!(world.number_of_links(h2), 1);
    assert_eq!(world.counts(h2), (1, 2, false));
}

#[test]
fn l1_the_deleted_name_goes_with_its_handle_and_the_other_stays() {
    let (mut world, h1, h2) = with_one_of_two_pending();
    world.close(h1);
    assert_eq!(world.names(r"\"), ["link1b"]);
    assert_eq!(world.counts(h2), (1, 1, false));
}

#[test]
fn l2_a_directory_is_not_linked() {
    let mut world = World::new();
    world.dir(r"\dir");
    let handle = open(&mut world, r"\dir", DELETE);
    assert_eq!(
        world.link(handle, r"\new", R0),
        Err(NtStatus::FILE_IS_A_DIRECTORY)
    );
    assert_eq!(world.names(r"\"), ["dir"]);
}

#[test]
fn l3_an_existing_name_is_a_collision() {
    let (mut world, handle) = with_victim();
    assert_eq!(world.link(handle, r"\victim", R0), Err(COLLISION));
}

/// Links to a name below an open directory.
fn link_below(share: Share) -> (Outcome, World, Handle) {
    let (mut world, handle) = with_file(DELETE);
    world.dir(r"\dir");
    let dir = world
        .open(r"\dir", READ, share, OpenOptions::DIRECTORY_FILE)
        .expect("a free directory");
    let target = Target {
        path: &units("link"),
        root: Some(dir),
        origin: Origin::Local,
    };
    let outcome = world.ask(Request::Link, handle, target, R0);
    (outcome, world, handle)
}

#[test]
fn l5_a_root_directory_that_shares_nothing_is_in_the_way() {
    let (outcome, world, _) = link_below(ALONE);
    assert_eq!(outcome, Err(NtStatus::SHARING_VIOLATION));
    assert!(world.names(r"\dir").is_empty());
}

#[test]
fn l6_a_root_directory_that_shares_writing_takes_the_name() {
    let (outcome, world, handle) = link_below(Share::WRITE);
    assert_eq!(outcome, Ok(()));
    assert_eq!(world.links_of(handle), [r"\dir\link", r"\file"]);
    assert_eq!(world.counts(handle), (2, 2, false));
}

#[test]
fn l6b_a_closed_file_is_replaced() {
    let (mut world, handle) = with_victim();
    assert_eq!(world.link(handle, r"\victim", R1), Ok(()));
    assert!(world.same_file(r"\file", r"\victim"));
}

#[test]
fn l7_a_directory_is_not_replaced() {
    let (mut world, handle) = with_file(DELETE);
    world.dir(r"\dir");
    assert_eq!(world.link(handle, r"\dir", R1), Err(DENIED));
}

#[test]
fn l8_an_open_file_is_not_replaced() {
    let (mut world, handle) = with_victim();
    open(&mut world, r"\victim", READ);
    assert_eq!(world.link(handle, r"\victim", R1), Err(DENIED));
}

#[test]
fn l9_the_own_name_is_a_collision_for_a_reader() {
    let (mut world, handle) = with_file(READ);
    assert_eq!(world.link(handle, r"\file", R0), Err(COLLISION));
}

#[test]
fn l9_the_own_name_replaced_is_nothing() {
    let (mut world, handle) = with_file(READ);
    assert_eq!(world.link(handle, r"\file", R1), Ok(()));
    assert_eq!(world.counts(handle), (1, 1, false));
    assert_eq!(world.number_of_links(handle), 1);
    assert_eq!(world.name_of(handle), r"\file");
    assert_eq!(world.notices, []);
}

#[test]
fn l9_the_own_name_replaced_in_other_case_is_the_handles_new_name() {
    let (mut world, handle) = with_file(READ);
    assert_eq!(world.link(handle, r"\FILE", R1), Ok(()));
    assert_eq!(world.counts(handle), (1, 1, false));
    assert_eq!(world.name_of(handle), r"\FILE");
}

#[test]
fn l10_reserved_characters_are_refused() {
    for character in ['/', ':', '<', '>', '"', '|', '?', '*'] {
        let (mut world, handle) = with_file(READ);
        let refused = world.link(handle, &format!(r"\na{character}me"), R0);
        assert_eq!(refused, Err(NtStatus::OBJECT_NAME_INVALID), "{character}");
    }
}

#[test]
fn l10_names_are_measured_in_utf_16_units() {
    let (mut world, handle) = with_file(READ);
    // 134 units, 262 bytes of UTF-8
    let name = format!(r"\names\{}", "\u{1F525}".repeat(64));
    world.dir(r"\names");
    assert_eq!(world.link(handle, &name, R0), Ok(()));
    assert_eq!(world.link(handle, &format!(r"\{}", "n".repeat(255)), R0), Ok(()));
    let refused = world.link(handle, &format!(r"\{}", "n".repeat(256)), R0);
    assert_eq!(refused, Err(NtStatus::OBJECT_NAME_INVALID));
}

#[test]
fn l10_surrogates_need_no_partner() {
    let names: [&[u16]; 3] = [&[0x5C, 0xD83D], &[0x5C, 0xDD25], &[0x5C, 0xDD25, 0xD83D]];
    let (mut world, handle) = with_file(READ);
    for name in names {
        assert_eq!(world.ask(Request::Link, handle, absolute(name), R0), Ok(()));
    }
    assert_eq!(world.number_of_links(handle), 4);
}

#[test]
fn l11_a_missing_directory_is_path_not_found() {
    let (mut world, handle) = with_file(READ);
    let refused = world.link(handle, r"\nosuch\link", R0);
    assert_eq!(refused, Err(NtStatus::OBJECT_PATH_NOT_FOUND));
}

#[test]
fn l12_a_read_only_file_is_not_replaced() {
    let (mut world, handle) = with_victim();
    world.read_only(r"\victim");
    assert_eq!(world.link(handle, r"\victim", R1), Err(DENIED));
}

const MAY_ADD: Access = Access::SYNCHRONIZE.union(Access::ADD_FILE);

/// Links `\file` to `\dir\link`, where the caller has these rights.
fn link_with_rights(parent: Access, victim: Option<Access>, flags: Flags) -> (Outcome, World) {
    let (mut world, handle) = with_file(DELETE);
    world.dir(r"\dir");
    if let Some(rights) = victim {
        world.file(r"\dir\link");
        world.rights(r"\dir\link", rights);
    }
    world.rights(r"\dir", parent);
    let outcome = world.link(handle, r"\dir\link", flags);
    if outcome.is_ok() {
        assert!(world.same_file(r"\file", r"\dir\link"));
    }
    (outcome, world)
}

#[test]
fn l13_the_right_to_add_files_is_enough() {
    assert_eq!(link_with_rights(MAY_ADD, None, R0).0, Ok(()));
}

#[test]
fn l13_without_the_right_to_add_files_nothing_comes() {
    let (outcome, world) = link_with_rights(Access::empty(), None, R0);
    assert_eq!(outcome, Err(DENIED));
    assert!(world.names(r"\dir").is_empty());
}

#[test]
fn l14_replacing_needs_the_right_to_add_files_too() {
    let (outcome, _) = link_with_rights(Access::empty(), Some(DELETE), R1);
    assert_eq!(outcome, Err(DENIED));
}

#[test]
fn l15_replacing_needs_a_right_to_delete() {
    let (outcome, _) = link_with_rights(MAY_ADD, Some(Access::empty()), R1);
    assert_eq!(outcome, Err(DENIED));
}

#[test]
fn l16_the_right_to_delete_the_file_will_do() {
    assert_eq!(link_with_rights(MAY_ADD, Some(DELETE), R1).0, Ok(()));
}

#[test]
fn l17_the_right_to_delete_children_will_do() {
    let parent = MAY_ADD | Access::DELETE_CHILD;
    assert_eq!(link_with_rights(parent, Some(Access::empty()), R1).0, Ok(()));
}

#[test]
fn l18_below_a_file_is_an_invalid_parameter() {
    let (mut world, handle) = with_victim();
    let refused = world.link(handle, r"\victim\link", R0);
    assert_eq!(refused, Err(NtStatus::INVALID_PARAMETER));
    // the directory's own directory being a file is another matter
    let refused = world.link(handle, r"\victim\dir\link", R0);
    assert_eq!(refused, Err(NtStatus::OBJECT_PATH_NOT_FOUND));
}

#[test]
fn x1_extended_without_flags_is_a_collision_and_replaces_with_one() {
    let (mut world, handle) = with_victim();
    assert_eq!(
        world.link(handle, r"\victim", ex(LinkFlags::empty())),
        Err(COLLISION)
    );
    assert_eq!(world.link(handle, r"\victim", ex(REPLACE)), Ok(()));
    assert!(world.same_file(r"\file", r"\victim"));
}

#[test]
fn x2_read_only_is_replaced_with_ignore_readonly_only() {
    let (mut world, handle) = with_victim();
    world.read_only(r"\victim");
    assert_eq!(world.link(handle, r"\victim", ex(REPLACE)), Err(DENIED));
    let flags = ex(REPLACE | LinkFlags::IGNORE_READONLY_ATTRIBUTE);
    assert_eq!(world.link(handle, r"\victim", flags), Ok(()));
}

#[test]
fn x3_posix_semantics_replace_an_open_file_that_shares_deleting() {
    let (mut world, handle) = with_victim();
    let victim_file = world.file(r"\other");
    let victim = world
        .open(
            r"\other",
            READ | Access::WRITE_DATA | DELETE,
            Share::DELETE,
            NO_OPTIONS,
        )
        .expect("a free file");
    assert_eq!(world.link(handle, r"\other", ex(POSIX)), Ok(()));

    assert_eq!(world.number_of_links(handle), 2);
    assert_eq!(world.counts(handle), (2, 2, false));
    assert_eq!(world.name_of(handle), r"\file");

    assert!(world.name_of(victim).starts_with(r"\$Extend\$Deleted\"));
    assert_eq!(world.number_of_links(victim), 0);
    assert_eq!(world.counts(victim), (0, 1, true));
    assert_eq!(world.dispose(victim, false), Err(NtStatus::FILE_DELETED));
    assert_eq!(world.links_of(victim), [world.name_of(victim)]);
    assert!(world.file_exists(victim_file));

    world.close(victim);
    assert!(!world.file_exists(victim_file));
    assert!(world.same_file(r"\file", r"\other"));
}

#[test]
fn x4_posix_semantics_need_a_victim_that_shares_deleting() {
    let (mut world, handle) = with_victim();
    world
        .open(r"\victim", READ, Share::READ | Share::WRITE, NO_OPTIONS)
        .expect("a free file");
    assert_eq!(
        world.link(handle, r"\victim", ex(POSIX)),
        Err(NtStatus::SHARING_VIOLATION)
    );
    assert_eq!(world.link(handle, r"\victim", ex(REPLACE)), Err(DENIED));
}

#[test]
fn x5_a_file_mapped_as_an_image_is_not_replaced() {
    let (mut world, handle) = with_victim();
    world.map(r"\victim", Mapping::Image);
    assert_eq!(world.link(handle, r"\victim", ex(REPLACE)), Err(DENIED));
}

#[test]
fn x6_posix_semantics_do_not_help_against_an_image() {
    let (mut world, handle) = with_victim();
    world.map(r"\victim", Mapping::Image);
    assert_eq!(world.link(handle, r"\victim", ex(POSIX)), Err(DENIED));
}
