//! A link onto what stands there: Wine's tests of both classes, which pass on Windows.
//!
//! The source is opened with GENERIC_WRITE and DELETE and shares nothing; the target is absolute.

use polylink_nt::NtStatus;
use polylink_nt::decide::{Access, ExtendedClasses, OpenOptions, UsnReason};
use polylink_nt::info::LinkFlags;

use crate::world::{ALONE, Flags, Handle, NO_OPTIONS, R0, R1, READ, WRITE_AND_DELETE, World, ex};

/// What stands at a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Thing {
    Absent,
    File,
    OpenFile,
    Dir,
}

use Thing::{Absent, Dir, File, OpenFile};

const COLLISION: NtStatus = NtStatus::OBJECT_NAME_COLLISION;
const DENIED: NtStatus = NtStatus::ACCESS_DENIED;
const IS_A_DIRECTORY: NtStatus = NtStatus::FILE_IS_A_DIRECTORY;

const REPLACE: LinkFlags = LinkFlags::REPLACE_IF_EXISTS;

fn place(world: &mut World, path: &str, thing: Thing) {
    match thing {
        Absent => {}
        File => {
            world.file(path);
        }
        OpenFile => {
            world.file(path);
            world.open(path, READ, ALONE, NO_OPTIONS).expect("a free file");
        }
        Dir => {
            world.dir(path);
        }
    }
}

fn open_source(world: &mut World, thing: Thing) -> Handle {
    place(world, r"\source", thing);
    let options = match thing {
        Dir => OpenOptions::OPEN_FOR_BACKUP_INTENT,
        _ => NO_OPTIONS,
    };
    world
        .open(r"\source", WRITE_AND_DELETE, ALONE, options)
        .expect("a free source")
}

fn each_class(replace: Flags) -> [Flags; 2] {
    [replace, ex(replace.flags)]
}

/// One row: the status, and what the names are afterwards.
fn row(source: Thing, target: Thing, replace: Flags, expected: Result<(), NtStatus>) {
    for flags in each_class(replace) {
        let mut world = World::new();
        let handle = open_source(&mut world, source);
        place(&mut world, r"\target", target);
        // a refused request leaves all as it was: the world checks that
        assert_eq!(world.link(handle, r"\target", flags), expected, "{flags:?}");
        assert_eq!(world.name_of(handle), r"\source");
        let linked = expected.is_ok();
        assert_eq!(world.has(r"\target"), linked || target != Absent);
        if linked {
            assert!(world.same_file(r"\source", r"\target"));
            assert_eq!(world.links_of(handle), [r"\source", r"\target"]);
            assert_eq!(world.counts(handle), (2, 2, false));
            assert!(world.usn.contains(UsnReason::HARD_LINK_CHANGE));
        } else if target != Absent {
            assert!(!world.same_file(r"\source", r"\target"));
            assert_eq!(world.number_of_links(handle), 1);
        }
    }
}

macro_rules! rows {
    ($($name:ident: $source:ident => $target:ident, $replace:ident, $status:expr;)+) => {
        $(
            #[test]
            fn $name() {
                row($source, $target, $replace, $status);
            }
        )+
    };
}

rows! {
    row_5_1_01_file_to_absent: File => Absent, R0, Ok(());
    row_5_1_02_file_to_closed_file: File => File, R0, Err(COLLISION);
    row_5_1_03_file_replaces_closed_file: File => File, R1, Ok(());
    row_5_1_05_file_to_open_file: File => OpenFile, R0, Err(COLLISION);
    row_5_1_06_file_replaces_open_file: File => OpenFile, R1, Err(DENIED);
    row_5_1_07_dir_to_absent: Dir => Absent, R0, Err(IS_A_DIRECTORY);
    row_5_1_09_dir_to_file: Dir => File, R0, Err(IS_A_DIRECTORY);
    row_5_1_10_dir_to_open_file: Dir => OpenFile, R0, Err(IS_A_DIRECTORY);
    row_5_1_11_dir_replaces_file: Dir => File, R1, Err(IS_A_DIRECTORY);
    row_5_1_12_dir_replaces_open_file: Dir => OpenFile, R1, Err(IS_A_DIRECTORY);
    row_5_1_13_dir_to_dir: Dir => Dir, R0, Err(IS_A_DIRECTORY);
    row_5_1_16_file_to_dir: File => Dir, R0, Err(COLLISION);
    row_5_1_17_file_replaces_dir: File => Dir, R1, Err(DENIED);
}

#[test]
fn row_5_1_04_existing_file_in_other_case_replaced() {
    for flags in each_class(R1) {
        let mut world = World::new();
        let handle = open_source(&mut world, File);
        world.file(r"\TARGET");
        assert_eq!(world.link(handle, r"\target", flags), Ok(()));
        assert_eq!(world.names(r"\"), ["source", "target"]);
        assert_eq!(world.number_of_links(handle), 2);
    }
}

#[test]
fn row_5_1_19a_own_name_is_a_collision() {
    for flags in each_class(R0) {
        let mut world = World::new();
        let handle = open_source(&mut world, File);
        assert_eq!(world.link(handle, r"\source", flags), Err(COLLISION));
        assert_eq!(world.names(r"\"), ["source"]);
    }
}

#[test]
fn row_5_1_19b_own_name_replaced_is_nothing() {
    for flags in each_class(R1) {
        let mut world = World::new();
        let handle = open_source(&mut world, File);
        let before = world.state();
        assert_eq!(world.link(handle, r"\source", flags), Ok(()));
        assert_eq!(world.state(), before);
    }
}

#[test]
fn row_5_1_20a_own_name_in_other_case_is_a_collision() {
    for flags in each_class(R0) {
        let mut world = World::new();
        let handle = open_source(&mut world, File);
        assert_eq!(world.link(handle, r"\SOURCE", flags), Err(COLLISION));
        assert_eq!(world.names(r"\"), ["source"]);
    }
}

#[test]
fn row_5_1_20b_own_name_in_other_case_replaced_changes_its_case() {
    for flags in each_class(R1) {
        let mut world = World::new();
        let handle = open_source(&mut world, File);
        assert_eq!(world.link(handle, r"\SOURCE", flags), Ok(()));
        assert_eq!(world.names(r"\"), ["SOURCE"]);
        assert_eq!(world.name_of(handle), r"\SOURCE");
        assert_eq!(world.number_of_links(handle), 1);
    }
}

fn onto_read_only(flags: Flags, rights: Access) -> (Result<(), NtStatus>, World) {
    let mut world = World::new();
    let handle = open_source(&mut world, File);
    world.file(r"\target");
    world.read_only(r"\target");
    world.rights(r"\target", rights);
    let outcome = world.link(handle, r"\target", flags);
    assert!(world.has(r"\source") && world.has(r"\target"));
    assert_eq!(world.same_file(r"\source", r"\target"), outcome.is_ok());
    (outcome, world)
}

#[test]
fn row_5_1_21_read_only_file_is_not_replaced() {
    let (outcome, _) = onto_read_only(ex(REPLACE), Access::ALL);
    assert_eq!(outcome, Err(DENIED));
}

#[test]
fn row_5_1_22_read_only_file_is_replaced_with_ignore_readonly() {
    let flags = ex(REPLACE | LinkFlags::IGNORE_READONLY_ATTRIBUTE);
    let (outcome, world) = onto_read_only(flags, Access::ALL);
    assert_eq!(outcome, Ok(()));
    assert!(world.victim_usn.contains(UsnReason::FILE_DELETE));

    // the flag needs the right to write the replaced file's attributes
    let (outcome, _) = onto_read_only(flags, Access::ALL - Access::WRITE_ATTRIBUTES);
    assert_eq!(outcome, Err(DENIED));
    let (outcome, _) = onto_read_only(flags, DELETE_AND_WRITE_ATTRIBUTES);
    assert_eq!(outcome, Ok(()));
}

const DELETE_AND_WRITE_ATTRIBUTES: Access = Access::DELETE.union(Access::WRITE_ATTRIBUTES);

#[test]
fn row_5_1_23_older_systems_do_not_know_the_extended_class() {
    let mut world = World::new();
    world.volume.extended = ExtendedClasses::Unknown;
    let handle = open_source(&mut world, File);
    let refused = world.link(handle, r"\target", ex(LinkFlags::empty()));
    assert_eq!(refused, Err(NtStatus::INVALID_INFO_CLASS));
    assert_eq!(world.link(handle, r"\target", R0), Ok(()));
}
