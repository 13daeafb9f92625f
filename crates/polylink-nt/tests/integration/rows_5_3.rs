//! What Win32 answers: Wine's tests of kernel32, which pass on Windows.

use polylink_nt::decide::{Access, ExtendedClasses, Mapping, OpenOptions, Share};
use polylink_nt::door::MoveFlags;

use crate::world::{ALONE, DELETE, Moved, NO_OPTIONS, READ, SHARED, World};

const ALREADY_EXISTS: Result<(), u32> = Err(183);
const ACCESS_DENIED: Result<(), u32> = Err(5);

fn world_with(files: &[&str], directories: &[&str]) -> World {
    let mut world = World::new();
    for file in files {
        world.file(file);
    }
    for directory in directories {
        world.dir(directory);
    }
    world
}

/// MoveFile.
fn move_file(world: &mut World, existing: &str, new: &str) -> Result<Moved, u32> {
    world.move_file(Some(existing), Some(new), MoveFlags::MOVE_FILE)
}

/// MoveFileEx with REPLACE_EXISTING.
fn move_over(world: &mut World, existing: &str, new: &str) -> Result<Moved, u32> {
    world.move_file(Some(existing), Some(new), MoveFlags::REPLACE_EXISTING)
}

#[test]
fn row_5_3_01_a_link_is_made_opened_and_deleted() {
    let mut world = world_with(&[r"\file"], &[]);
    assert_eq!(world.create_hard_link(Some(r"\link"), Some(r"\file")), Ok(()));
    let handle = world
        .open(r"\link", READ, SHARED, NO_OPTIONS)
        .expect("it is there");
    assert_eq!(world.name_of(handle), r"\link");
    assert!(world.same_file(r"\link", r"\file"));
    world.close(handle);
    assert_eq!(world.delete_file(Some(r"\link")), Ok(()));
    assert_eq!(world.names(r"\"), ["file"]);
}

#[test]
fn row_5_3_02_a_new_name_that_is_another_file_exists() {
    let mut world = world_with(&[r"\file", r"\other"], &[]);
    assert_eq!(
        world.create_hard_link(Some(r"\other"), Some(r"\file")),
        ALREADY_EXISTS
    );
}

#[test]
fn row_5_3_03_a_new_name_that_is_a_directory_exists() {
    let mut world = world_with(&[r"\file"], &[r"\dir"]);
    assert_eq!(
        world.create_hard_link(Some(r"\dir"), Some(r"\file")),
        ALREADY_EXISTS
    );
}

#[test]
fn row_5_3_04_a_directory_is_denied() {
    let mut world = world_with(&[], &[r"\dir"]);
    assert_eq!(
        world.create_hard_link(Some(r"\link"), Some(r"\dir")),
        ACCESS_DENIED
    );
    assert_eq!(world.names(r"\"), ["dir"]);
}

#[test]
fn row_5_3_05_a_directory_is_denied_before_the_name_exists() {
    let mut world = world_with(&[r"\file"], &[r"\dir", r"\other"]);
    assert_eq!(
        world.create_hard_link(Some(r"\file"), Some(r"\dir")),
        ACCESS_DENIED
    );
    assert_eq!(
        world.create_hard_link(Some(r"\other"), Some(r"\dir")),
        ACCESS_DENIED
    );
}

#[test]
fn row_5_3_06_move_to_an_existing_file() {
    let mut world = world_with(&[r"\file", r"\other"], &[]);
    assert_eq!(move_file(&mut world, r"\file", r"\other"), Err(183));
    assert_eq!(world.names(r"\"), ["file", "other"]);
}

#[test]
fn row_5_3_07_move_of_a_missing_file() {
    let mut world = World::new();
    assert_eq!(move_file(&mut world, r"\file", r"\other"), Err(2));
}

#[test]
fn row_5_3_08_move_of_a_file_that_does_not_share_deleting() {
    for (access, share) in [
        (DELETE, ALONE),
        (
            Access::GENERIC_READ | Access::GENERIC_WRITE,
            Share::READ | Share::WRITE,
        ),
    ] {
        let mut world = world_with(&[r"\file"], &[]);
        world
            .open(r"\file", access, share, NO_OPTIONS)
            .expect("a free file");
        assert_eq!(move_file(&mut world, r"\file", r"\other"), Err(32));
        assert_eq!(world.names(r"\"), ["file"]);
    }
}

#[test]
fn row_5_3_09_move_of_a_file_held_for_nothing() {
    let mut world = world_with(&[r"\file"], &[]);
    // CreateFile adds these two to an access of 0
    let access = Access::SYNCHRONIZE | Access::READ_ATTRIBUTES;
    let held = world
        .open(r"\file", access, ALONE, NO_OPTIONS)
        .expect("a free file");
    assert_eq!(move_file(&mut world, r"\file", r"\other"), Ok(Moved::Done));
    assert_eq!(world.name_of(held), r"\other");
}

#[test]
fn row_5_3_10_move_over_an_open_file_even_if_it_shares_all() {
    let mut world = world_with(&[r"\file", r"\other"], &[]);
    world
        .open(r"\other", READ, SHARED, NO_OPTIONS)
        .expect("a free file");
    assert_eq!(move_over(&mut world, r"\file", r"\other"), Err(5));
}

#[test]
fn row_5_3_11_move_over_a_directory() {
    let mut world = world_with(&[r"\file"], &[r"\dir", r"\other"]);
    assert_eq!(move_over(&mut world, r"\file", r"\dir"), Err(5));
    assert_eq!(move_over(&mut world, r"\other", r"\dir"), Err(5));
}

#[test]
fn row_5_3_12_move_of_a_directory_over_a_file() {
    let mut world = world_with(&[r"\file"], &[r"\dir"]);
    assert_eq!(move_over(&mut world, r"\dir", r"\file"), Ok(Moved::Done));
    assert_eq!(world.names(r"\"), ["file"]);
}

#[test]
fn row_5_3_13_move_to_itself_and_to_other_case() {
    let mut world = world_with(&[r"\file"], &[]);
    assert_eq!(move_file(&mut world, r"\file", r"\file"), Ok(Moved::Done));
    assert_eq!(world.names(r"\"), ["file"]);
    assert_eq!(move_file(&mut world, r"\file", r"\FILE"), Ok(Moved::Done));
    assert_eq!(world.names(r"\"), ["FILE"]);
}

#[test]
fn row_5_3_14_move_to_a_wildcard() {
    let mut world = world_with(&[r"\file"], &[]);
    for name in [r"\fil*", r"\fil?"] {
        assert_eq!(move_file(&mut world, r"\file", name), Err(123));
    }
}

#[test]
fn row_5_3_15_a_read_only_file() {
    let mut world = world_with(&[r"\file"], &[]);
    world.read_only(r"\file");
    let last_error = |world: &mut World, access, options| {
        world
            .open(r"\file", access, SHARED, options)
            .map(|handle| world.close(handle))
            .map_err(polylink_nt::NtStatus::win32)
    };
    assert_eq!(last_error(&mut world, Access::GENERIC_WRITE, NO_OPTIONS), Err(5));
    assert_eq!(last_error(&mut world, DELETE, NO_OPTIONS), Ok(()));
    assert_eq!(
        last_error(&mut world, DELETE, OpenOptions::DELETE_ON_CLOSE),
        Err(5)
    );
    assert_eq!(move_file(&mut world, r"\file", r"\moved"), Ok(Moved::Done));
    assert_eq!(world.delete_file(Some(r"\moved")), Err(5));
    assert_eq!(world.names(r"\"), ["moved"]);
}

#[test]
fn row_5_3_16_delete_of_what_cannot_be_deleted() {
    let mut world = world_with(&[r"\mapped", r"\open"], &[r"\dir"]);
    world.map(r"\mapped", Mapping::Image);
    let share = Share::READ | Share::WRITE;
    world
        .open(r"\open", READ, share, NO_OPTIONS)
        .expect("a free file");
    let before = world.state();
    assert_eq!(world.delete_file(None), Err(3));
    assert_eq!(world.delete_file(Some("")), Err(3));
    assert_eq!(world.delete_file(Some(r"\dir")), Err(5));
    assert_eq!(world.delete_file(Some(r"\missing")), Err(2));
    assert_eq!(world.delete_file(Some(r"\open")), Err(32));
    assert_eq!(world.state(), before);
    assert_eq!(world.delete_file(Some(r"\mapped")), Err(5));
    assert!(world.has(r"\mapped"));
}

#[test]
fn row_5_3_17_delete_of_a_file_that_others_share() {
    let mut world = world_with(&[r"\file"], &[]);
    let held = world
        .open(r"\file", READ, SHARED, NO_OPTIONS)
        .expect("a free file");
    assert_eq!(world.delete_file(Some(r"\file")), Ok(()));
    // gone at once where there are POSIX semantics
    assert_eq!(world.delete_file(Some(r"\file")), Err(2));
    assert_eq!(world.number_of_links(held), 0);

    let mut older = world_with(&[r"\file"], &[]);
    older.volume.extended = ExtendedClasses::Unknown;
    let held = older
        .open(r"\file", READ, SHARED, NO_OPTIONS)
        .expect("a free file");
    assert_eq!(older.delete_file(Some(r"\file")), Ok(()));
    assert_eq!(older.delete_file(Some(r"\file")), Err(5));
    assert_eq!(older.names(r"\"), ["file"]);
    older.close(held);
    assert_eq!(older.delete_file(Some(r"\file")), Err(2));
}
