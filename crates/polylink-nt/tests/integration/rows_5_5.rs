//! Deleting, and what is counted: Wine's tests and those of the btrfs driver, which pass on Windows and NTFS; then
//! \[MS-FSA\] 2.1.5.5.

use polylink_nt::NtStatus;
use polylink_nt::decide::{Access, ExtendedClasses, FileAction, Mapping, OpenOptions, Share, UsnReason};
use polylink_nt::info::{
    Direction, DispositionFlags, DispositionInformation, Form, InfoClass, StandardLinkInformation,
};

use crate::world::{ALONE, DELETE, Handle, NO_OPTIONS, R0, READ, SHARED, World};

const CANNOT_DELETE: NtStatus = NtStatus::CANNOT_DELETE;
const PENDING: NtStatus = NtStatus::DELETE_PENDING;
const NOT_SUPPORTED: NtStatus = NtStatus::NOT_SUPPORTED;
const ON_CLOSE: OpenOptions = OpenOptions::DELETE_ON_CLOSE;
const POSIX: DispositionFlags = DispositionFlags::DELETE.union(DispositionFlags::POSIX_SEMANTICS);

/// `\file` open with DELETE, all shared.
fn with_file() -> (World, Handle) {
    let mut world = World::new();
    world.file(r"\file");
    let handle = open(&mut world, r"\file", NO_OPTIONS);
    (world, handle)
}

fn open(world: &mut World, path: &str, options: OpenOptions) -> Handle {
    world
        .open(path, DELETE | READ, SHARED, options)
        .expect("all is shared")
}

fn pending(world: &World, handle: Handle) -> bool {
    world.standard_link(handle).delete_pending
}

#[test]
fn row_5_5_01_needs_delete_access() {
    let mut world = World::new();
    world.file(r"\file");
    let handle = world
        .open(r"\file", Access::ALL - DELETE, SHARED, NO_OPTIONS)
        .expect("a free file");
    assert_eq!(world.dispose(handle, true), Err(NtStatus::ACCESS_DENIED));
    assert_eq!(world.dispose(handle, false), Err(NtStatus::ACCESS_DENIED));
    assert_eq!(world.dispose_ex(handle, POSIX), Err(NtStatus::ACCESS_DENIED));
}

#[test]
fn row_5_5_02_size_and_direction() {
    let short = DispositionInformation::decode(&[], Form::Classic);
    assert_eq!(short, Err(NtStatus::INFO_LENGTH_MISMATCH));
    let query = InfoClass::from_number(InfoClass::Disposition.number(), Direction::Query);
    assert_eq!(query, Err(NtStatus::INVALID_INFO_CLASS));
}

#[test]
fn row_5_5_03_a_boolean_is_one_byte() {
    let (mut world, handle) = with_file();
    let bytes = 0x100_u32.to_le_bytes();
    let information = DispositionInformation::decode(&bytes, Form::Classic).expect("long enough");
    let deletes = information.flags.contains(DispositionFlags::DELETE);
    assert_eq!(world.dispose(handle, deletes), Ok(()));
    world.close(handle);
    assert_eq!(world.names(r"\"), ["file"]);
}

#[test]
fn row_5_5_04_a_pending_name_is_delete_pending_even_with_the_wrong_share_mode() {
    let (mut world, handle) = with_file();
    world.dispose(handle, true).expect("nothing protects it");
    for share in [SHARED, ALONE] {
        for access in [READ, Access::READ_ATTRIBUTES, DELETE] {
            let refused = world.open(r"\file", access, share, NO_OPTIONS);
            assert_eq!(refused, Err(PENDING));
        }
    }
    assert_eq!(PENDING.win32(), 5);
}

#[test]
fn row_5_5_05_a_pending_name_stays_until_its_last_handle_closes() {
    let (mut world, first) = with_file();
    let second = open(&mut world, r"\file", NO_OPTIONS);
    world.dispose(first, true).expect("nothing protects it");
    world.close(first);
    assert_eq!(world.names(r"\"), ["file"]);
    assert!(pending(&world, second));
    world.close(second);
    assert!(world.names(r"\").is_empty());
    let gone = world.open(r"\file", READ, SHARED, NO_OPTIONS);
    assert_eq!(gone, Err(NtStatus::OBJECT_NAME_NOT_FOUND));
}

#[test]
fn row_5_5_06_what_was_set_can_be_cleared_through_any_handle() {
    let (mut world, first) = with_file();
    let second = open(&mut world, r"\file", NO_OPTIONS);
    world.dispose(first, true).expect("nothing protects it");
    assert!(pending(&world, first) && pending(&world, second));
    assert_eq!(world.dispose(second, false), Ok(()));
    assert!(!pending(&world, first) && !pending(&world, second));
    world.close(first);
    world.close(second);
    assert_eq!(world.names(r"\"), ["file"]);
}

#[test]
fn row_5_5_07_a_stream_handle_keeps_the_pending_name_and_cannot_save_it() {
    let (mut world, file) = with_file();
    world.stream(r"\file", "stream");
    let stream = open(&mut world, r"\file:stream", NO_OPTIONS);
    world.dispose(file, true).expect("nothing protects it");
    assert!(pending(&world, stream));
    assert_eq!(world.dispose(stream, false), Ok(()));
    assert!(pending(&world, stream) && pending(&world, file));
    world.close(file);
    assert_eq!(world.names(r"\"), ["file"]);
    world.close(stream);
    assert!(world.names(r"\").is_empty());
}

#[test]
fn row_5_5_08_delete_on_close_and_a_second_open() {
    let mut world = World::new();
    world.file(r"\file");
    let first = open(&mut world, r"\file", ON_CLOSE);
    let unshared = world.open(r"\file", READ, Share::READ | Share::WRITE, NO_OPTIONS);
    assert_eq!(unshared, Err(NtStatus::SHARING_VIOLATION));
    let second = open(&mut world, r"\file", NO_OPTIONS);
    assert!(!pending(&world, second));
    world.close(first);
    assert!(pending(&world, second));
    assert_eq!(world.dispose(second, false), Ok(()));
    world.close(second);
    assert_eq!(world.names(r"\"), ["file"]);
}

#[test]
fn row_5_5_09_delete_on_close_is_not_undone_by_a_classic_disposition() {
    let mut world = World::new();
    world.file(r"\file");
    let handle = open(&mut world, r"\file", ON_CLOSE);
    assert_eq!(world.dispose(handle, false), Ok(()));
    world.close(handle);
    assert!(world.names(r"\").is_empty());

    world.file(r"\file");
    let handle = open(&mut world, r"\file", ON_CLOSE);
    assert_eq!(world.dispose_ex(handle, DispositionFlags::ON_CLOSE), Ok(()));
    world.close(handle);
    assert_eq!(world.names(r"\"), ["file"]);
}

#[test]
fn row_5_5_10_on_close_needs_a_handle_that_was_opened_so() {
    let (mut world, handle) = with_file();
    let flags = DispositionFlags::DELETE | DispositionFlags::ON_CLOSE;
    assert_eq!(world.dispose_ex(handle, flags), Err(NOT_SUPPORTED));

    let mut world = World::new();
    world.file(r"\file");
    let handle = open(&mut world, r"\file", ON_CLOSE);
    assert_eq!(world.dispose_ex(handle, flags), Ok(()));
    assert!(!pending(&world, handle));
    world.close(handle);
    assert!(world.names(r"\").is_empty());
}

#[test]
fn row_5_5_11_a_read_only_file() {
    let (mut world, handle) = with_file();
    world.read_only(r"\file");
    assert_eq!(world.dispose(handle, true), Err(CANNOT_DELETE));
    assert_eq!(world.open(r"\file", DELETE, SHARED, ON_CLOSE), Err(CANNOT_DELETE));
    assert_eq!(CANNOT_DELETE.win32(), 5);
}

#[test]
fn row_5_5_12_a_read_only_file_with_ignore_readonly() {
    let flags = DispositionFlags::DELETE | DispositionFlags::IGNORE_READONLY_ATTRIBUTE;
    let (mut world, handle) = with_file();
    world.read_only(r"\file");
    // the handle may not write attributes
    assert_eq!(world.dispose_ex(handle, flags), Err(CANNOT_DELETE));
    let writer = world
        .open(r"\file", DELETE | Access::WRITE_ATTRIBUTES, SHARED, NO_OPTIONS)
        .expect("all is shared");
    assert_eq!(world.dispose_ex(writer, flags), Ok(()));
    assert!(pending(&world, handle));
}

#[test]
fn row_5_5_13_a_directory_with_entries() {
    let mut world = World::new();
    world.dir(r"\dir");
    world.file(r"\dir\file");
    let handle = open(&mut world, r"\dir", NO_OPTIONS);
    assert_eq!(world.dispose(handle, true), Err(NtStatus::DIRECTORY_NOT_EMPTY));
    assert_eq!(NtStatus::DIRECTORY_NOT_EMPTY.win32(), 145);
    world.close(handle);
    let handle = open(&mut world, r"\dir", ON_CLOSE);
    world.close(handle);
    assert_eq!(world.names(r"\"), ["dir"]);
    world.delete_file(Some(r"\dir\file")).expect("a free file");
    let handle = open(&mut world, r"\dir", ON_CLOSE);
    world.close(handle);
    assert!(world.names(r"\").is_empty());
}

#[test]
fn row_5_5_14_mapped_as_an_image_with_one_name() {
    let (mut world, handle) = with_file();
    world.map(r"\file", Mapping::Image);
    assert_eq!(world.dispose(handle, true), Err(CANNOT_DELETE));
    assert_eq!(world.dispose_ex(handle, POSIX), Err(CANNOT_DELETE));
}

#[test]
fn row_5_5_15_mapped_as_an_image_with_two_names() {
    let (mut world, handle) = with_file();
    world.second_name(r"\file", r"\second");
    world.map(r"\file", Mapping::Image);
    let forced = DispositionFlags::DELETE | DispositionFlags::FORCE_IMAGE_SECTION_CHECK;
    assert_eq!(world.dispose_ex(handle, forced), Err(CANNOT_DELETE));
    assert_eq!(world.dispose(handle, true), Ok(()));
    // what is left is the last name
    let second = open(&mut world, r"\second", NO_OPTIONS);
    assert_eq!(world.dispose(second, true), Err(CANNOT_DELETE));
    world.close(handle);
    assert_eq!(world.names(r"\"), ["second"]);
}

#[test]
fn row_5_5_16_mapped_as_data() {
    let (mut world, handle) = with_file();
    world.map(r"\file", Mapping::Data);
    assert_eq!(world.dispose(handle, true), Err(CANNOT_DELETE));
    world.map(r"\file", Mapping::None);
    assert_eq!(world.dispose(handle, true), Ok(()));
}

#[test]
fn row_5_5_17_posix_while_the_handle_is_open() {
    let (mut world, handle) = with_file();
    assert_eq!(world.dispose_ex(handle, POSIX), Ok(()));
    assert_eq!(world.names(r"\"), ["file"]);
    assert_eq!(world.number_of_links(handle), 0);
    let expected = StandardLinkInformation {
        accessible: 0,
        total: 1,
        delete_pending: true,
        directory: false,
    };
    assert_eq!(world.standard_link(handle), expected);
}

#[test]
fn row_5_5_18_posix_after_the_handle_closed() {
    let (mut world, deleter) = with_file();
    let other = open(&mut world, r"\file", NO_OPTIONS);
    let third = open(&mut world, r"\file", NO_OPTIONS);
    assert_eq!(world.dispose_ex(deleter, POSIX), Ok(()));
    // another handle's close takes nothing along
    world.close(third);
    assert_eq!(world.names(r"\"), ["file"]);
    world.close(deleter);
    assert!(world.names(r"\").is_empty());
    let gone = world.open(r"\file", READ, SHARED, NO_OPTIONS);
    assert_eq!(gone, Err(NtStatus::OBJECT_NAME_NOT_FOUND));
    assert!(world.name_of(other).starts_with(r"\$Extend\$Deleted\"));
    assert_eq!(world.number_of_links(other), 0);
    // the name is free
    world.file(r"\file");
    world.close(other);
    assert_eq!(world.names(r"\"), ["file"]);
    assert_eq!(world.usn, UsnReason::FILE_DELETE | UsnReason::CLOSE);
}

#[test]
fn row_5_5_19_delete_file_with_holders_that_share_deleting() {
    for (extended, reopened) in [(ExtendedClasses::Known, 2), (ExtendedClasses::Unknown, 5)] {
        let (mut world, _) = with_file();
        world.volume.extended = extended;
        assert_eq!(world.delete_file(Some(r"\file")), Ok(()));
        let refused = world.open(r"\file", READ, SHARED, NO_OPTIONS);
        assert_eq!(refused.map_err(NtStatus::win32), Err(reopened));
    }
}

#[test]
fn row_5_5_20_unknown_flags() {
    let (mut world, handle) = with_file();
    let unknown = DispositionFlags::from_bits_retain(0x21);
    assert_eq!(world.dispose_ex(handle, unknown), Err(NOT_SUPPORTED));
    assert!(!pending(&world, handle));
}

#[test]
fn fsa_a_name_goes_with_the_last_handle_by_that_name() {
    let (mut world, first) = with_file();
    world.second_name(r"\file", r"\second");
    let second = open(&mut world, r"\second", NO_OPTIONS);
    world.dispose(first, true).expect("nothing protects it");
    world.close(first);
    // the handle by the other name does not count
    assert_eq!(world.names(r"\"), ["second"]);
    assert_eq!(world.usn, UsnReason::HARD_LINK_CHANGE | UsnReason::CLOSE);
    let told: Vec<_> = world.notices.iter().map(|notice| notice.action).collect();
    assert_eq!(told, [FileAction::Removed]);
    assert_eq!(world.counts(second), (1, 1, false));
}

#[test]
fn fsa_the_file_goes_with_its_last_name() {
    let mut world = World::new();
    let file = world.file(r"\file");
    let handle = open(&mut world, r"\file", NO_OPTIONS);
    world.dispose(handle, true).expect("nothing protects it");
    world.close(handle);
    assert!(!world.file_exists(file));
    assert_eq!(world.usn, UsnReason::FILE_DELETE | UsnReason::CLOSE);
}

#[test]
fn fsa_a_close_refreshes_the_entry_of_its_own_name_only() {
    let (mut world, handle) = with_file();
    world.second_name(r"\file", r"\second");
    world.close(handle);
    assert!(world.just_refreshed(r"\file"));
    assert!(!world.just_refreshed(r"\second"));
}

#[test]
fn fsa_number_of_links_without_those_about_to_go() {
    let (mut world, first) = with_file();
    world.link(first, r"\second", R0).expect("a free name");
    world.link(first, r"\third", R0).expect("a free name");
    let second = open(&mut world, r"\second", NO_OPTIONS);
    assert_eq!(world.number_of_links(first), 3);
    world.dispose(second, true).expect("nothing protects it");
    assert_eq!(world.number_of_links(first), 2);
    assert_eq!(world.counts(first), (2, 3, false));
    assert_eq!(world.counts(second), (2, 3, true));
}

#[test]
fn fsa_a_named_stream_goes_alone() {
    let (mut world, file) = with_file();
    world.stream(r"\file", "stream");
    let stream = open(&mut world, r"\file:stream", NO_OPTIONS);
    world.dispose(stream, true).expect("nothing protects it");
    assert!(pending(&world, stream) && !pending(&world, file));
    world.close(stream);
    assert!(!world.has_stream(r"\file", "stream"));
    assert_eq!(world.usn, UsnReason::STREAM_CHANGE | UsnReason::CLOSE);
    assert_eq!(world.names(r"\"), ["file"]);
}

#[test]
fn samba_a_name_less_is_one_link_less() {
    let (mut world, handle) = with_file();
    world.link(handle, r"\second", R0).expect("a free name");
    let second = open(&mut world, r"\second", NO_OPTIONS);
    assert_eq!(
        (world.number_of_links(handle), world.number_of_links(second)),
        (2, 2)
    );
    world.close(handle);
    world.delete_file(Some(r"\file")).expect("all is shared");
    assert_eq!(world.number_of_links(second), 1);
}
