//! Renames: Wine's tests, which pass on Windows, then those of the btrfs driver, which also run on NTFS, then
//! \[MS-FSA\] 2.1.5.15.12.
//!
//! The btrfs rows have the number of the line in `rename.cpp` in their names.

use polylink_nt::NtStatus;
use polylink_nt::decide::{
    Access, FileAction, Mapping, NoticeName, NotifyFilter, OpenOptions, Origin, Share, UsnReason,
};
use polylink_nt::info::LinkFlags;

use crate::world::{
    ALONE, DELETE, Flags, Handle, NO_OPTIONS, Outcome, R0, R1, READ, Request, SHARED, Target,
    WRITE_AND_DELETE, World, absolute, ex, units,
};

const COLLISION: NtStatus = NtStatus::OBJECT_NAME_COLLISION;
const DENIED: NtStatus = NtStatus::ACCESS_DENIED;
const REPLACE: LinkFlags = LinkFlags::REPLACE_IF_EXISTS;
const POSIX: LinkFlags = REPLACE.union(LinkFlags::POSIX_SEMANTICS);
const BOTH: [Flags; 2] = [R1, ex(REPLACE)];

/// A world with `\old`, and a handle on it.
fn old_file() -> (World, Handle) {
    let mut world = World::new();
    world.file(r"\old");
    let handle = open(&mut world, r"\old", WRITE_AND_DELETE);
    (world, handle)
}

fn old_dir() -> (World, Handle) {
    let mut world = World::new();
    world.dir(r"\old");
    let handle = open(&mut world, r"\old", WRITE_AND_DELETE);
    (world, handle)
}

fn open(world: &mut World, path: &str, access: Access) -> Handle {
    world
        .open(path, access, ALONE, OpenOptions::OPEN_FOR_BACKUP_INTENT)
        .expect("nobody has it open")
}

/// That only the new name is left, and is the handle's.
fn assert_renamed(world: &World, handle: Handle) {
    assert_eq!(world.names(r"\"), ["new"]);
    assert_eq!(world.name_of(handle), r"\new");
    assert_eq!(world.number_of_links(handle), 1);
}

#[test]
fn r01_file_to_absent() {
    let (mut world, handle) = old_file();
    assert_eq!(world.rename(handle, r"\new", R0), Ok(()));
    assert_renamed(&world, handle);
    assert_eq!(world.usn, UsnReason::RENAME_OLD_NAME | UsnReason::RENAME_NEW_NAME);
}

#[test]
fn r02_file_to_file_is_a_collision() {
    let (mut world, handle) = old_file();
    world.file(r"\new");
    assert_eq!(world.rename(handle, r"\new", R0), Err(COLLISION));
}

#[test]
fn r03_file_replaces_file() {
    let (mut world, handle) = old_file();
    let victim = world.file(r"\new");
    assert_eq!(world.rename(handle, r"\new", R1), Ok(()));
    assert_renamed(&world, handle);
    assert!(!world.file_exists(victim));
    assert_eq!(world.victim_usn, UsnReason::FILE_DELETE | UsnReason::CLOSE);
}

#[test]
fn r04_file_to_open_file_is_a_collision() {
    let (mut world, handle) = old_file();
    world.file(r"\new");
    open(&mut world, r"\new", READ);
    assert_eq!(world.rename(handle, r"\new", R0), Err(COLLISION));
}

#[test]
fn r05_file_does_not_replace_open_file() {
    let (mut world, handle) = old_file();
    world.file(r"\new");
    open(&mut world, r"\new", READ);
    assert_eq!(world.rename(handle, r"\new", R1), Err(DENIED));
}

#[test]
fn r06_dir_to_absent() {
    let (mut world, handle) = old_dir();
    assert_eq!(world.rename(handle, r"\new", R0), Ok(()));
    assert_renamed(&world, handle);
}

#[test]
fn r07_dir_with_open_child_stays() {
    let (mut world, handle) = old_dir();
    world.dir(r"\old\dir");
    world.file(r"\old\dir\child");
    assert_eq!(world.rename(handle, r"\new", R0), Ok(()));
    open(&mut world, r"\new\dir\child", READ);
    assert_eq!(world.rename(handle, r"\old", R0), Err(DENIED));
    assert_eq!(world.name_of(handle), r"\new");
}

#[test]
fn r10_dir_replaces_file() {
    let (mut world, handle) = old_dir();
    world.file(r"\new");
    assert_eq!(world.rename(handle, r"\new", R1), Ok(()));
    assert_renamed(&world, handle);
    assert!(world.standard_link(handle).directory);
}

#[test]
fn r11_dir_does_not_replace_open_file() {
    let (mut world, handle) = old_dir();
    world.file(r"\new");
    open(&mut world, r"\new", READ);
    assert_eq!(world.rename(handle, r"\new", R1), Err(DENIED));
}

#[test]
fn r12_dir_to_dir_is_a_collision() {
    let (mut world, handle) = old_dir();
    world.dir(r"\new");
    assert_eq!(world.rename(handle, r"\new", R0), Err(COLLISION));
}

#[test]
fn r13_dir_does_not_replace_dir() {
    let (mut world, handle) = old_dir();
    world.dir(r"\new");
    assert_eq!(world.rename(handle, r"\new", R1), Err(DENIED));
}

#[test]
fn r14_dir_does_not_replace_open_dir() {
    let (mut world, handle) = old_dir();
    world.dir(r"\new");
    open(&mut world, r"\new", READ);
    assert_eq!(world.rename(handle, r"\new", R1), Err(DENIED));
}

#[test]
fn r15_file_to_dir_is_a_collision() {
    let (mut world, handle) = old_file();
    world.dir(r"\new");
    assert_eq!(world.rename(handle, r"\new", R0), Err(COLLISION));
}

#[test]
fn r16_file_does_not_replace_dir() {
    let (mut world, handle) = old_file();
    world.dir(r"\new");
    assert_eq!(world.rename(handle, r"\new", R1), Err(DENIED));
}

/// Renames through a root directory.
fn rename_below(world: &mut World, handle: Handle, directory: &str, name: &str) -> Outcome {
    let root = world
        .open(directory, READ, SHARED, OpenOptions::DIRECTORY_FILE)
        .expect("a free directory");
    let target = Target {
        path: &units(name),
        root: Some(root),
        origin: Origin::Local,
    };
    world.ask(Request::Rename, handle, target, R0)
}

#[test]
fn r17_via_root_directory() {
    let (mut world, handle) = old_file();
    world.dir(r"\dir");
    assert_eq!(rename_below(&mut world, handle, r"\dir", "new"), Ok(()));
    assert_eq!(world.name_of(handle), r"\dir\new");
    assert_eq!(world.names(r"\"), ["dir"]);
}

#[test]
fn r18_the_own_name_is_no_collision() {
    for (mut world, handle) in [old_file(), old_dir()] {
        let before = world.state();
        assert_eq!(world.rename(handle, r"\old", R0), Ok(()));
        assert_eq!(world.state(), before);
        assert_eq!(world.notices, []);
    }
}

fn onto_read_only(flags: LinkFlags) -> Outcome {
    let (mut world, handle) = old_file();
    world.file(r"\new");
    world.read_only(r"\new");
    world.rename(handle, r"\new", ex(flags))
}

#[test]
fn rx1_read_only_file_is_not_replaced() {
    assert_eq!(onto_read_only(REPLACE), Err(DENIED));
}

#[test]
fn rx2_read_only_file_is_replaced_with_ignore_readonly() {
    assert_eq!(
        onto_read_only(REPLACE | LinkFlags::IGNORE_READONLY_ATTRIBUTE),
        Ok(())
    );
}

#[test]
fn bt_256_case_changes_without_replace() {
    for (mut world, handle) in [old_file(), old_dir()] {
        assert_eq!(world.rename(handle, r"\OLD", R0), Ok(()));
        assert_eq!(world.names(r"\"), ["OLD"]);
        assert_eq!(world.name_of(handle), r"\OLD");
        let told: Vec<_> = world.notices.iter().map(|notice| notice.action).collect();
        assert_eq!(told, [FileAction::RenamedOldName, FileAction::RenamedNewName]);
    }
}

#[test]
fn bt_394_another_file_in_other_case() {
    let (mut world, handle) = old_file();
    world.file(r"\NEW");
    assert_eq!(world.rename(handle, r"\new", R0), Err(COLLISION));
    assert_eq!(world.rename(handle, r"\new", R1), Ok(()));
    assert_renamed(&world, handle);
}

/// Renames `\old` to `\dir\new`, where the caller has these rights.
fn rename_with_rights(directory: bool, parent: Access, victim: Option<Access>) -> Outcome {
    let (mut world, handle) = if directory { old_dir() } else { old_file() };
    world.dir(r"\dir");
    let mut flags = R0;
    if let Some(rights) = victim {
        world.file(r"\dir\new");
        world.rights(r"\dir\new", rights);
        flags = R1;
    }
    world.rights(r"\dir", parent);
    world.rename(handle, r"\dir\new", flags)
}

const ADD_FILE: Access = Access::SYNCHRONIZE.union(Access::ADD_FILE);
const ADD_SUBDIRECTORY: Access = Access::SYNCHRONIZE.union(Access::ADD_SUBDIRECTORY);

#[test]
fn bt_773_a_file_needs_the_right_to_add_files() {
    assert_eq!(rename_with_rights(false, ADD_FILE, None), Ok(()));
    assert_eq!(rename_with_rights(false, ADD_SUBDIRECTORY, None), Err(DENIED));
}

#[test]
fn bt_870_a_directory_needs_the_right_to_add_directories() {
    assert_eq!(rename_with_rights(true, ADD_SUBDIRECTORY, None), Ok(()));
    assert_eq!(rename_with_rights(true, ADD_FILE, None), Err(DENIED));
}

#[test]
fn bt_865_a_file_is_renamed_through_a_handle_with_delete_only() {
    let mut world = World::new();
    world.file(r"\old");
    let handle = open(&mut world, r"\old", Access::GENERIC_READ | Access::GENERIC_WRITE);
    assert_eq!(world.rename(handle, r"\new", R0), Err(DENIED));
}

#[test]
fn bt_879_a_directory_is_renamed_through_a_handle_with_delete_only() {
    let mut world = World::new();
    world.dir(r"\old");
    let handle = open(&mut world, r"\old", READ);
    assert_eq!(world.rename(handle, r"\new", R0), Err(DENIED));
}

#[test]
fn bt_973_a_victim_needs_a_right_to_delete() {
    assert_eq!(
        rename_with_rights(false, ADD_FILE, Some(Access::empty())),
        Err(DENIED)
    );
}

#[test]
fn bt_1027_the_right_to_delete_the_victim_will_do() {
    assert_eq!(rename_with_rights(false, ADD_FILE, Some(DELETE)), Ok(()));
}

#[test]
fn bt_1080_the_right_to_delete_children_will_do() {
    let parent = ADD_FILE | Access::DELETE_CHILD;
    assert_eq!(rename_with_rights(false, parent, Some(Access::empty())), Ok(()));
}

#[test]
fn bt_1083_a_read_only_victim_stays() {
    let (mut world, handle) = old_file();
    world.file(r"\new");
    world.read_only(r"\new");
    for flags in BOTH {
        assert_eq!(world.rename(handle, r"\new", flags), Err(DENIED));
    }
}

#[test]
fn bt_1101_the_system_attribute_protects_nothing() {
    // it is no fact that a rename is asked with: of a victim's attributes only read-only is
    let (mut world, handle) = old_file();
    world.file(r"\new");
    assert_eq!(world.rename(handle, r"\new", R1), Ok(()));
    assert_renamed(&world, handle);
}

#[test]
fn bt_1223_below_a_file_is_an_invalid_parameter() {
    let (mut world, handle) = old_file();
    world.file(r"\file");
    let refused = world.rename(handle, r"\file\new", R0);
    assert_eq!(refused, Err(NtStatus::INVALID_PARAMETER));
}

#[test]
fn bt_1584_posix_semantics_need_a_victim_that_shares_deleting() {
    let (mut world, handle) = old_file();
    world.file(r"\new");
    let share = Share::READ | Share::WRITE;
    world.open(r"\new", READ, share, NO_OPTIONS).expect("a free file");
    let refused = world.rename(handle, r"\new", ex(POSIX));
    assert_eq!(refused, Err(NtStatus::SHARING_VIOLATION));
}

#[test]
fn bt_1605_dir_replaces_no_dir_without_posix_semantics() {
    let (mut world, handle) = old_dir();
    world.dir(r"\new");
    assert_eq!(world.rename(handle, r"\new", ex(REPLACE)), Err(DENIED));
}

#[test]
fn bt_1626_posix_semantics_let_a_dir_replace_an_empty_open_dir() {
    let (mut world, handle) = old_dir();
    let empty = world.dir(r"\new");
    let held = world
        .open(r"\new", READ, Share::DELETE, NO_OPTIONS)
        .expect("a free directory");
    assert_eq!(world.rename(handle, r"\new", ex(POSIX)), Ok(()));
    assert_renamed(&world, handle);
    assert_eq!(world.counts(held), (0, 1, true));
    world.close(held);
    assert!(!world.file_exists(empty));
}

#[test]
fn bt_1645_posix_semantics_let_no_dir_replace_one_with_entries() {
    let (mut world, handle) = old_dir();
    world.dir(r"\new");
    world.file(r"\new\file");
    let refused = world.rename(handle, r"\new", ex(POSIX));
    assert_eq!(refused, Err(NtStatus::DIRECTORY_NOT_EMPTY));
}

fn onto_image(flags: LinkFlags) -> Outcome {
    let (mut world, handle) = old_file();
    world.file(r"\new");
    world.map(r"\new", Mapping::Image);
    world.rename(handle, r"\new", ex(flags))
}

#[test]
fn bt_1671_a_file_mapped_as_an_image_is_not_replaced() {
    assert_eq!(onto_image(REPLACE), Err(DENIED));
}

#[test]
fn bt_1706_posix_semantics_do_not_help_against_an_image() {
    assert_eq!(onto_image(POSIX), Err(DENIED));
}

#[test]
fn fsa_needs_delete() {
    let mut world = World::new();
    world.file(r"\old");
    let handle = open(&mut world, r"\old", Access::ALL - DELETE);
    assert_eq!(world.rename(handle, r"\old", R0), Err(DENIED));
}

#[test]
fn fsa_a_deleted_name_is_not_renamed() {
    let (mut world, handle) = old_file();
    world.dispose(handle, true).expect("nothing protects it");
    assert_eq!(world.rename(handle, r"\new", R0), Err(DENIED));
}

#[test]
fn fsa_a_root_directory_and_a_leading_backslash_do_not_go_together() {
    let (mut world, handle) = old_file();
    world.dir(r"\dir");
    let refused = rename_below(&mut world, handle, r"\dir", r"\new");
    assert_eq!(refused, Err(NtStatus::INVALID_PARAMETER));
}

#[test]
fn fsa_a_name_that_begins_with_a_colon_is_a_streams() {
    let (mut world, handle) = old_file();
    let refused = world.ask(Request::Rename, handle, absolute(&units(":stream")), R0);
    assert_eq!(refused, Err(NtStatus::NOT_SUPPORTED));
}

#[test]
fn fsa_a_victim_about_to_go_is_delete_pending() {
    let (mut world, handle) = old_file();
    world.file(r"\new");
    let victim = world
        .open(r"\new", DELETE, SHARED, NO_OPTIONS)
        .expect("a free file");
    world.dispose(victim, true).expect("nothing protects it");
    for flags in [R1, ex(POSIX)] {
        let refused = world.rename(handle, r"\new", flags);
        assert_eq!(refused, Err(NtStatus::DELETE_PENDING));
    }
    assert_eq!(world.rename(handle, r"\new", R0), Err(COLLISION));
}

#[test]
fn fsa_onto_another_name_of_the_file_one_name_less() {
    for flags in [R0, R1, ex(POSIX)] {
        let (mut world, handle) = old_file();
        world.second_name(r"\old", r"\new");
        world.dir(r"\dir");
        world.second_name(r"\old", r"\dir\third");
        assert_eq!(world.number_of_links(handle), 3);
        assert_eq!(world.rename(handle, r"\new", flags), Ok(()));
        assert_eq!(world.names(r"\"), ["dir", "new"]);
        assert_eq!(world.number_of_links(handle), 2);
        assert_eq!(world.name_of(handle), r"\new");
        let journal = UsnReason::HARD_LINK_CHANGE | UsnReason::CLOSE;
        assert!(world.usn.contains(journal));
    }
}

#[test]
fn fsa_onto_another_name_of_the_file_in_other_case_spells_it_anew() {
    let (mut world, handle) = old_file();
    world.second_name(r"\old", r"\NEW");
    assert_eq!(world.rename(handle, r"\new", R0), Ok(()));
    assert_renamed(&world, handle);
    let told: Vec<_> = world
        .notices
        .iter()
        .map(|notice| (notice.action, notice.name))
        .collect();
    let expected = [
        (FileAction::Removed, NoticeName::Replaced),
        (FileAction::RenamedOldName, NoticeName::Old),
        (FileAction::RenamedNewName, NoticeName::New),
    ];
    assert_eq!(told, expected);
}

#[test]
fn fsa_a_short_name_comes_where_the_old_name_had_one() {
    let (mut world, handle) = old_file();
    assert_eq!(world.rename(handle, r"\a long new name.text", R0), Ok(()));
    assert_eq!(world.twin(r"\a long new name.text"), None);

    let (mut world, handle) = old_file();
    world.short_name(r"\old", "OLD~1");
    assert_eq!(world.rename(handle, r"\a long new name.text", R0), Ok(()));
    assert_eq!(
        world.twin(r"\a long new name.text").as_deref(),
        Some("ALONGN~1.TEX")
    );

    let (mut world, handle) = old_file();
    world.short_name(r"\old", "OLD~1");
    world.compare_case(handle);
    assert_eq!(world.rename(handle, r"\a long new name.text", R0), Ok(()));
    assert_eq!(world.twin(r"\a long new name.text"), None);

    let (mut world, handle) = old_file();
    world.volume.short_names = false;
    world.short_name(r"\old", "OLD~1");
    assert_eq!(world.rename(handle, r"\a long new name.text", R0), Ok(()));
    assert_eq!(world.twin(r"\a long new name.text"), None);
}

#[test]
fn fsa_the_own_short_name_is_the_own_name() {
    let mut world = World::new();
    world.file(r"\a long old name.text");
    world.short_name(r"\a long old name.text", "ALONGO~1.TEX");
    let handle = open(&mut world, r"\a long old name.text", DELETE);
    assert_eq!(world.rename(handle, r"\ALONGO~1.TEX", R0), Ok(()));
    assert_eq!(world.names(r"\"), ["a long old name.text"]);
}

#[test]
fn a_directory_does_not_come_below_itself() {
    let (mut world, handle) = old_dir();
    world.dir(r"\old\dir");
    // the destination is what the handle itself is open on, without sharing
    let refused = world.rename(handle, r"\old\new", R0);
    assert_eq!(refused, Err(NtStatus::SHARING_VIOLATION));
    assert_eq!(world.rename(handle, r"\old\dir\new", R0), Err(DENIED));
}

#[test]
fn what_a_rename_touches() {
    let (mut world, handle) = old_file();
    world.dir(r"\dir");
    assert_eq!(world.rename(handle, r"\new", R0), Ok(()));
    assert!(world.archive(r"\new") && world.just_changed(r"\new") && world.just_refreshed(r"\new"));
    assert!(world.directory_just_changed(r"\") && !world.directory_just_changed(r"\dir"));
    assert_eq!(world.rename(handle, r"\dir\new", R0), Ok(()));
    assert!(world.directory_just_changed(r"\") && world.directory_just_changed(r"\dir"));
    let told: Vec<_> = world.notices.iter().map(|notice| notice.action).collect();
    assert_eq!(told, [FileAction::Removed, FileAction::Added]);
}

#[test]
fn fsa_what_watchers_of_a_replacement_are_told() {
    let told = |world: &World| -> Vec<_> {
        let notices = world.notices.iter();
        notices
            .map(|notice| (notice.action, notice.filter, notice.name))
            .collect()
    };
    let (old, new, replaced) = (NoticeName::Old, NoticeName::New, NoticeName::Replaced);
    let (file, dir) = (NotifyFilter::FILE_NAME, NotifyFilter::DIR_NAME);

    let (mut world, handle) = old_file();
    world.file(r"\new");
    assert_eq!(world.rename(handle, r"\new", R1), Ok(()));
    let expected = [
        (FileAction::Removed, file, old),
        (FileAction::Modified, NotifyFilter::OTHER_FILE, new),
    ];
    assert_eq!(told(&world), expected);

    let (mut world, handle) = old_dir();
    world.file(r"\NEW");
    assert_eq!(world.rename(handle, r"\new", R1), Ok(()));
    let expected = [
        (FileAction::Removed, file, replaced),
        (FileAction::RenamedOldName, dir, old),
        (FileAction::RenamedNewName, dir, new),
    ];
    assert_eq!(told(&world), expected);

    let (mut world, handle) = old_file();
    world.second_name(r"\old", r"\new");
    assert_eq!(world.rename(handle, r"\new", R0), Ok(()));
    assert_eq!(told(&world), [(FileAction::Removed, file, old)]);
}

#[test]
fn fsa_a_server_has_no_root_directory_to_give() {
    let (mut world, handle) = old_file();
    world.dir(r"\dir");
    let root = open(&mut world, r"\dir", READ);
    let target = Target {
        path: &units("new"),
        root: Some(root),
        origin: Origin::Remote,
    };
    let refused = world.ask(Request::Rename, handle, target, R0);
    assert_eq!(refused, Err(NtStatus::INVALID_PARAMETER));
}
