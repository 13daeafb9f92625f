//! MoveFileEx, above all with CREATE_HARDLINK: its page, and the public reimplementation of Windows Server 2003's.
//!
//! For a real Windows to confirm: that it opens reparse points themselves, what it does with CREATE_HARDLINK and
//! COPY_ALLOWED across volumes (here: 17, nothing is copied and deleted), and that arguments come before the open.

use polylink_nt::NtStatus;
use polylink_nt::decide::{Access, OpenOptions, Share};
use polylink_nt::door::{MoveArgs, MoveFlags, MovePlan, OtherVolume, move_file_ex};
use polylink_nt::info::{InfoClass, LinkFlags};

use crate::world::{DELETE, Moved, NO_OPTIONS, READ, SHARED, World, units};

const HARDLINK: MoveFlags = MoveFlags::CREATE_HARDLINK;
const DELAY: MoveFlags = MoveFlags::DELAY_UNTIL_REBOOT;
const COPY: MoveFlags = MoveFlags::COPY_ALLOWED;
const REPLACE: MoveFlags = MoveFlags::REPLACE_EXISTING;
const NO_FLAGS: MoveFlags = MoveFlags::empty();

fn with_file() -> World {
    let mut world = World::new();
    world.file(r"\file");
    world
}

fn move_it(world: &mut World, new: Option<&str>, flags: MoveFlags) -> Result<Moved, u32> {
    world.move_file(Some(r"\file"), new, flags)
}

#[test]
fn row_3_1_a_device_is_a_collision() {
    for flags in [NO_FLAGS, HARDLINK, DELAY] {
        assert_eq!(move_it(&mut with_file(), Some("NUL"), flags), Err(183));
        assert_eq!(
            move_it(&mut with_file(), Some(r"C:\dir\com1.txt"), flags),
            Err(183)
        );
    }
}

#[test]
fn row_3_2_a_bad_existing_path_is_not_found() {
    let mut world = with_file();
    assert_eq!(world.move_file(None, Some(r"\new"), NO_FLAGS), Err(3));
    assert_eq!(world.move_file(Some(""), Some(r"\new"), NO_FLAGS), Err(3));
}

#[test]
fn row_3_3_a_hard_link_cannot_wait_for_the_next_start() {
    let mut world = World::new();
    // before the open, which would say 2
    let refused = world.move_file(Some(r"\missing"), Some(r"\new"), HARDLINK | DELAY);
    assert_eq!(refused, Err(87));
}

fn plan(flags: MoveFlags) -> Result<(Access, Share, OpenOptions), NtStatus> {
    let (existing, new) = (units(r"C:\file"), units(r"C:\new"));
    let args = MoveArgs {
        existing: Some(&existing),
        new: Some(&new),
        flags,
        ..MoveArgs::default()
    };
    move_file_ex(&args).map(|plan| match plan {
        MovePlan::Now(now) => (now.open.access, now.open.share, now.open.options),
        MovePlan::AtReboot(later) => (later.open.access, later.open.share, later.open.options),
    })
}

#[test]
fn row_3_4_how_the_file_is_opened() {
    let access = Access::READ_ATTRIBUTES | DELETE | Access::SYNCHRONIZE;
    let options = OpenOptions::SYNCHRONOUS_IO_NONALERT
        | OpenOptions::OPEN_FOR_BACKUP_INTENT
        | OpenOptions::OPEN_REPARSE_POINT;
    assert_eq!(plan(NO_FLAGS), Ok((access, Share::all(), options)));
    assert_eq!(plan(HARDLINK), Ok((access, Share::all(), options)));
    let through = options | OpenOptions::WRITE_THROUGH;
    assert_eq!(
        plan(MoveFlags::WRITE_THROUGH),
        Ok((access, Share::all(), through))
    );
}

#[test]
fn row_3_4_a_symbolic_link_is_moved_itself() {
    let mut world = with_file();
    world.symlink(r"\symlink");
    let moved = world.move_file(Some(r"\symlink"), Some(r"\moved"), NO_FLAGS);
    assert_eq!(moved, Ok(Moved::Done));
    assert_eq!(world.names(r"\"), ["file", "moved"]);
}

#[test]
fn row_3_5_what_may_fail_at_the_next_start_is_noted() {
    let mut world = with_file();
    world
        .open(r"\file", READ, Share::READ, NO_OPTIONS)
        .expect("a free file");
    assert_eq!(move_it(&mut world, Some(r"\new"), DELAY), Ok(Moved::AtReboot));
    for existing in [r"\missing", r"\missing\file"] {
        let noted = world.move_file(Some(existing), Some(r"\new"), DELAY);
        assert_eq!(noted, Ok(Moved::AtReboot));
    }
    world.file(r"\protected");
    world.rights(r"\protected", Access::READ_ATTRIBUTES);
    world.rights(r"\", Access::ALL - Access::DELETE_CHILD);
    let refused = world.move_file(Some(r"\protected"), None, DELAY);
    assert_eq!(refused, Err(5));
    assert_eq!(world.names(r"\"), ["file", "protected"]);
}

#[test]
fn row_3_5_servers_and_copies_cannot_wait() {
    let mut world = with_file();
    let unc = world.move_file(Some(r"\\server\share\file"), None, DELAY);
    assert_eq!(unc, Err(87));
    assert_eq!(move_it(&mut world, Some(r"\new"), DELAY | COPY), Err(87));
}

#[test]
fn row_3_6_no_new_name_without_delay() {
    for flags in [NO_FLAGS, HARDLINK, COPY, REPLACE] {
        assert_eq!(move_it(&mut with_file(), None, flags), Err(3));
    }
    // with it: deleted at the next start
    let existing = units(r"C:\file");
    let args = MoveArgs {
        existing: Some(&existing),
        flags: DELAY,
        ..MoveArgs::default()
    };
    let Ok(MovePlan::AtReboot(later)) = move_file_ex(&args) else {
        panic!("it waits");
    };
    assert_eq!(later.new, None);
}

fn class_of(flags: MoveFlags) -> (InfoClass, LinkFlags) {
    let (existing, new) = (units(r"C:\file"), units(r"C:\new"));
    let args = MoveArgs {
        existing: Some(&existing),
        new: Some(&new),
        flags,
        ..MoveArgs::default()
    };
    match move_file_ex(&args) {
        Ok(MovePlan::Now(now)) => (now.class, now.flags),
        other => panic!("{other:?}"),
    }
}

#[test]
fn row_3_7_one_structure_for_both() {
    let replace = LinkFlags::REPLACE_IF_EXISTS;
    assert_eq!(class_of(NO_FLAGS), (InfoClass::Rename, LinkFlags::empty()));
    assert_eq!(class_of(REPLACE), (InfoClass::Rename, replace));
    assert_eq!(class_of(HARDLINK), (InfoClass::Link, LinkFlags::empty()));
    assert_eq!(class_of(HARDLINK | REPLACE), (InfoClass::Link, replace));
    assert_eq!((InfoClass::Rename.number(), InfoClass::Link.number()), (10, 11));
}

#[test]
fn row_3_7_a_hard_link_is_made() {
    let mut world = with_file();
    assert_eq!(move_it(&mut world, Some(r"\new"), HARDLINK), Ok(Moved::Done));
    assert_eq!(world.names(r"\"), ["file", "new"]);
    assert!(world.same_file(r"\file", r"\new"));
}

#[test]
fn row_3_7_a_hard_link_replaces_which_create_hard_link_cannot() {
    let mut world = with_file();
    world.file(r"\other");
    assert_eq!(move_it(&mut world, Some(r"\other"), HARDLINK), Err(183));
    assert_eq!(world.create_hard_link(Some(r"\other"), Some(r"\file")), Err(183));
    assert_eq!(
        move_it(&mut world, Some(r"\other"), HARDLINK | REPLACE),
        Ok(Moved::Done)
    );
    assert!(world.same_file(r"\file", r"\other"));
}

#[test]
fn row_3_8_another_volume() {
    let mut world = with_file();
    let elsewhere = Some(r"D:\new");
    assert_eq!(move_it(&mut world, elsewhere, NO_FLAGS), Err(17));
    assert_eq!(move_it(&mut world, elsewhere, COPY), Ok(Moved::Copies));
    // never copied and deleted for a link
    assert_eq!(move_it(&mut world, elsewhere, HARDLINK), Err(17));
    assert_eq!(move_it(&mut world, elsewhere, HARDLINK | COPY), Err(17));
    assert_eq!(move_it(&mut world, elsewhere, HARDLINK | COPY | REPLACE), Err(17));
    assert_eq!(world.names(r"\"), ["file"]);
    assert!(world.names(r"\D:\").is_empty());
}

#[test]
fn row_3_8_only_another_volume_lets_it_copy() {
    let (existing, new) = (units(r"C:\file"), units(r"D:\new"));
    let args = MoveArgs {
        existing: Some(&existing),
        new: Some(&new),
        flags: COPY,
        ..MoveArgs::default()
    };
    let Ok(MovePlan::Now(now)) = move_file_ex(&args) else {
        panic!("at once");
    };
    assert_eq!(now.other_volume, OtherVolume::CopyThenDelete);
    // one that does not know the request is no other volume
    let status = NtStatus::NOT_IMPLEMENTED;
    assert_eq!(now.after(status), polylink_nt::door::AfterMove::Return(status));
}

#[test]
fn row_3_9_who_does_not_share_deleting_is_in_the_way_of_this_link() {
    let mut world = with_file();
    world
        .open(r"\file", READ, Share::READ | Share::WRITE, NO_OPTIONS)
        .expect("a free file");
    assert_eq!(move_it(&mut world, Some(r"\new"), HARDLINK), Err(32));
    assert_eq!(world.create_hard_link(Some(r"\new"), Some(r"\file")), Ok(()));
    let mut world = with_file();
    world
        .open(r"\file", READ, SHARED, NO_OPTIONS)
        .expect("a free file");
    assert_eq!(move_it(&mut world, Some(r"\new"), HARDLINK), Ok(Moved::Done));
}

#[test]
fn row_3_notes_move_file_allows_copies() {
    assert_eq!(MoveFlags::MOVE_FILE, COPY);
    let all = REPLACE | COPY | DELAY | MoveFlags::WRITE_THROUGH | HARDLINK | MoveFlags::FAIL_IF_NOT_TRACKABLE;
    assert_eq!(all.bits(), 0x3F);
    assert_eq!(HARDLINK.bits(), 0x10);
}
